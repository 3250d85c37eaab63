//! Runs seeds of the simulator: `sim -- --seeds A..B [--trace] [--twice] [--canary NAME] [--keep-going]`.

use std::process::ExitCode;

use corelane_tests::sim::canary::Canary;
use corelane_tests::sim::swarm::{Ledger, Options, replay, run};

const USAGE: &str =
    "sim --seeds A..B [--trace] [--twice] [--canary NAME] [--keep-going]: runs seeds A to B - 1";

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(asked) => go(&asked),
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Asked {
    seeds: std::ops::Range<u64>,
    trace: bool,
    twice: bool,
    keep_going: bool,
    canary: Option<Canary>,
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--seeds" => {
                let value = value()?;
                let range = value.split_once("..").and_then(|(from, to)| {
                    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
                    Some(from..to)
                });
                asked.seeds = range.ok_or(format!("{value} is no range A..B"))?;
            }
            "--trace" => asked.trace = true,
            "--twice" => asked.twice = true,
            "--keep-going" => asked.keep_going = true,
            "--canary" => {
                let name = value()?;
                let names = Canary::ALL.map(Canary::name).join(", ");
                let canary = Canary::of_name(&name);
                asked.canary = Some(canary.ok_or(format!("{name} is none of {names}"))?);
            }
            other => return Err(format!("{other} is unknown")),
        }
    }
    match asked.seeds.is_empty() {
        true => Err("no seeds".to_owned()),
        false => Ok(asked),
    }
}

fn go(asked: &Asked) -> ExitCode {
    let mut ledger = Ledger::default();
    for seed in asked.seeds.clone() {
        let mut options = Options::draw(seed);
        options.canary = asked.canary;
        options.pace.print = asked.trace;
        if asked.trace {
            println!("{options:#?}");
        }
        let outcome = run(&options);
        ledger.add(&outcome);
        for violation in &outcome.violations {
            println!("seed {seed}: {violation}\n  {}", replay(&options));
        }
        if asked.twice {
            options.pace.print = false;
            let again = run(&options);
            assert_eq!(outcome.trace, again.trace, "seed {seed}: two traces");
        }
        if !outcome.violations.is_empty() && !asked.keep_going {
            break;
        }
    }
    println!("{ledger}");
    match ledger.violations {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
