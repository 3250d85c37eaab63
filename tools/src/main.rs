//! The `corelane` binary: the broker, and tools for what it writes.

mod broker;
mod client;
mod common;
mod config;
mod configs;
mod consume;
mod dump;
mod fetch;
mod group;
mod http;
mod kafka_error;
mod listeners;
mod member;
mod offline;
mod offsets;
mod plan;
mod produce;
mod records;
mod show;
mod topic;
mod verify;

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

/// A Kafka-protocol broker for Linux: one thread and one io_uring per core, durable before it acknowledges.
#[derive(Parser)]
#[command(
    name = "corelane",
    version,
    arg_required_else_help = true,
    propagate_version = true
)]
#[command(after_help = "Examples:
  corelane broker                                     listen on 127.0.0.1:9092, data in ./corelane-data
  corelane broker --listen 0.0.0.0:9092 --advertise broker1.example:9092 --data-dir /srv/corelane
  corelane topic create greetings                     …and with that broker, or any other Kafka broker:
  echo hello | corelane produce greetings
  corelane consume greetings --exit
  corelane log dump corelane-data/topics/*/*.log      what a segment or a journal file holds
  corelane log verify corelane-data                   is all of it as it was written?")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a broker until SIGTERM or Ctrl-C
    Broker(config::BrokerArgs),
    Topic(topic::TopicArgs),
    Produce(produce::ProduceArgs),
    Consume(consume::ConsumeArgs),
    Group(group::GroupArgs),
    Config(configs::ConfigArgs),
    /// Look into segment and journal files, and into data directories
    #[command(subcommand)]
    Log(LogCommand),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  corelane completions bash > /etc/bash_completion.d/corelane
  corelane completions zsh > ~/.zfunc/_corelane
  corelane completions fish > ~/.config/fish/completions/corelane.fish")]
struct CompletionsArgs {
    shell: clap_complete::Shell,
}

#[derive(Subcommand)]
enum LogCommand {
    /// Print the batches of segments, or the groups and entries of journal files
    Dump(dump::DumpArgs),
    /// Verify every byte of a data directory that no broker uses
    Verify(verify::VerifyArgs),
    /// Say what a broker's start on a data directory would do, without doing it
    RecoverPlan(plan::PlanArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Broker(args) => broker::run(args),
        Command::Topic(args) => topic::run(&args),
        Command::Produce(args) => produce::run(&args),
        Command::Consume(args) => consume::run(&args),
        Command::Group(args) => group::run(&args),
        Command::Config(args) => configs::run(&args),
        Command::Completions(args) => {
            let mut command = Cli::command();
            clap_complete::generate(args.shell, &mut command, "corelane", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
        Command::Log(LogCommand::Dump(args)) => dump::run(&args),
        Command::Log(LogCommand::Verify(args)) => verify::run(&args),
        Command::Log(LogCommand::RecoverPlan(args)) => plan::run(&args),
    }
}
