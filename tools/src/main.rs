//! The `corelane` binary: the broker, and tools for what it writes.

mod broker;
mod config;
mod dump;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
  corelane log dump corelane-data/topics/*/*.log      what a segment or a journal file holds")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a broker until SIGTERM or Ctrl-C
    Broker(config::BrokerArgs),
    /// Look into segment and journal files
    #[command(subcommand)]
    Log(LogCommand),
}

#[derive(Subcommand)]
enum LogCommand {
    /// Print the batches of segments, or the groups and entries of journal files
    Dump(dump::DumpArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Broker(args) => broker::run(args),
        Command::Log(LogCommand::Dump(args)) => dump::run(&args),
    }
}
