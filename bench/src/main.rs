//! `corelane-bench`: the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use corelane_bench::floor::drive::{self, Job};
use corelane_bench::floor::{self, Floor};
use corelane_bench::load::plan::{self, Plan};
use corelane_bench::load::report::Outcome;
use corelane_bench::load::{self, html, search};
use corelane_bench::{selftest, sys, versus};

/// Measures Kafka brokers honestly: open loop, latencies from the intended send time, nothing dropped.
#[derive(Parser)]
#[command(name = "corelane-bench", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load a broker: produce, consume, end to end.
    ///
    /// Send i is due at t0 + i/rate and nobody waits for an answer to send the next; latency runs from the time a send
    /// was due. Sends without an answer are counted with their age. A run in which the tool itself was late is rejected
    /// (exit code 2).
    Load(Plan),
    /// The speed of light on this machine: the least code that could do the job, on one thread and one ring.
    ///
    /// Starts the server in a process of its own and loads it like any broker. With --serve it only serves, to be
    /// loaded by `corelane-bench load`.
    Floor {
        /// The job.
        #[arg(value_enum)]
        job: Job,
        #[command(flatten)]
        options: floor::Options,
        /// Only serve, until Ctrl-C.
        #[arg(long)]
        serve: bool,
        /// Length of the measurement.
        #[arg(long, default_value = "5s", value_parser = plan::parse_duration)]
        duration: Duration,
        /// CPU for the generator.
        #[arg(long)]
        generator_core: Option<usize>,
        /// Write the result as JSON.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// Corelane beside Apache Kafka, same machine, same run, in A-B-B-A pairs, with equal durability.
    ///
    /// Prints its plan and length first. A recording that was broken off goes on where it stopped.
    Versus(versus::Options),
    /// Is the tool honest? Measures servers whose behaviour is known, and prints the tool's own ceiling.
    Selftest {
        /// Length of the longest case; 100s is the thorough form.
        #[arg(long, default_value = "10s", value_parser = plan::parse_duration)]
        duration: Duration,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    sys::catch_interrupts();
    let done = match cli.command {
        Command::Load(plan) => run_load(&plan),
        Command::Versus(options) => run_versus(&options),
        Command::Selftest { duration } => run_selftest(duration),
        Command::Floor {
            options,
            serve: true,
            ..
        } => run_server(&options),
        Command::Floor {
            job,
            options,
            duration,
            generator_core,
            json,
            serve: false,
        } => run_floor(&options, job, duration, generator_core, json.as_deref()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("corelane-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<bool, Box<dyn std::error::Error>>;

fn run_selftest(duration: Duration) -> Done {
    let mut right = true;
    for verdict in selftest::verdicts(duration.as_secs_f64())? {
        let mark = if verdict.right { "right" } else { "WRONG" };
        println!(
            "{mark}: {}\n       measured: {}",
            verdict.expected, verdict.measured
        );
        right &= verdict.right;
    }
    for (what, outcome) in selftest::ceiling(Duration::from_secs(3))? {
        println!(
            "ceiling, {what}: {:.0} MB/s, {:.0} requests/s (server included, same machine)",
            outcome.mb_per_s, outcome.requests_per_s
        );
    }
    Ok(right)
}

fn run_versus(options: &versus::Options) -> Done {
    println!("{}", versus::run(options)?);
    Ok(true)
}

fn run_server(options: &floor::Options) -> Done {
    Floor::open(options)?.run()?;
    Ok(true)
}

fn run_floor(
    options: &floor::Options,
    job: Job,
    duration: Duration,
    core: Option<usize>,
    json: Option<&Path>,
) -> Done {
    let outcome = drive::drive(options, job, |plan| {
        plan.duration = duration;
        plan.cores.extend(core);
    })?;
    println!("{}\n{}", drive::caption(options), outcome.table());
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&outcome)? + "\n")?;
    }
    Ok(outcome.sound())
}

fn run_load(plan: &Plan) -> Done {
    let each = |outcome: &Outcome| println!("{}", outcome.table());
    let mut sound = true;
    let outcomes = if !plan.sweep.is_empty() {
        let outcomes = search::sweep(plan, each)?;
        sound &= outcomes.iter().all(Outcome::sound);
        outcomes
    } else if plan.saturate {
        let (outcomes, best) = search::saturate(plan, each)?;
        match best {
            Some(at) => {
                sound &= outcomes[at].sound();
                println!(
                    "saturation: {:.1} MB/s, {:.0} requests/s with p99 below {:?}",
                    outcomes[at].mb_per_s, outcomes[at].requests_per_s, plan.p99_limit
                );
            }
            None => println!(
                "saturation: no rate kept its p99 below {:?}",
                plan.p99_limit
            ),
        }
        outcomes
    } else {
        let outcome = load::run(plan)?;
        each(&outcome);
        sound &= outcome.sound();
        vec![outcome]
    };
    if let Some(path) = &plan.json {
        let text = match outcomes.as_slice() {
            [one] => serde_json::to_string_pretty(one)?,
            all => serde_json::to_string_pretty(all)?,
        };
        std::fs::write(path, text + "\n")?;
    }
    if let Some(path) = &plan.hdr {
        for (at, outcome) in outcomes.iter().enumerate() {
            let numbered = path.with_extension(format!("{at}.hdr"));
            outcome.write_hdr(if outcomes.len() == 1 {
                path
            } else {
                Path::new(&numbered)
            })?;
        }
    }
    if let Some(path) = &plan.html {
        std::fs::write(path, html::page(&outcomes))?;
    }
    Ok(sound)
}
