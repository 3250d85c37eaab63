//! `corelane-bench`: the command line.

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use corelane_bench::load::plan::Plan;
use corelane_bench::load::report::Outcome;
use corelane_bench::load::{self, html, search};
use corelane_bench::sys;

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
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    sys::catch_interrupts();
    let done = match cli.command {
        Command::Load(plan) => run_load(&plan),
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

fn run_load(plan: &Plan) -> Result<bool, Box<dyn std::error::Error>> {
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
