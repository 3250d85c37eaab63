//! Runs seeds of the simulator, and the planted bugs that it must find; keeps a ledger of what was run.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::panic;
use std::process::{Command, ExitCode};

use corelane_tests::sim::canary::Canary;
use corelane_tests::sim::swarm::{Ledger, Options, Swarm, hunt, replay, run};

const USAGE: &str = "\
sim --seeds A..B [--trace] [--twice] [--plain | --faults] [--canary NAME] [--keep-going] [--ledger FILE]: runs seeds A to B - 1
sim --canaries [--seeds A..B] [--ledger FILE]: looks for every planted bug, and prints who found it";

/// What was run is noted here, a line of JSON each.
const LEDGER: &str = "target/sim-ledger.jsonl";
/// Of so many seeds, one is run twice: equal seeds give equal traces.
const TWICE_ONE_IN: u64 = 100;
/// A planted bug is looked for in these seeds.
const CANARY_SEEDS: Range<u64> = 0..10_000;

fn main() -> ExitCode {
    // One line: the seed's replay shows the rest. (Where a panic aborts, as in a release build, nothing else does.)
    panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    match parse(std::env::args().skip(1)) {
        Ok(asked) if asked.canaries => canaries(&asked),
        Ok(asked) => go(&asked),
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Asked {
    seeds: Range<u64>,
    trace: bool,
    twice: bool,
    swarm: Option<Swarm>,
    keep_going: bool,
    canaries: bool,
    canary: Option<Canary>,
    ledger: Option<String>,
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
            "--plain" => asked.swarm = Some(Swarm::Plain),
            "--faults" => asked.swarm = Some(Swarm::Faults),
            "--keep-going" => asked.keep_going = true,
            "--canaries" => asked.canaries = true,
            "--ledger" => asked.ledger = Some(value()?),
            "--canary" => {
                let name = value()?;
                let names = Canary::ALL.map(Canary::name).join(", ");
                let canary = Canary::of_name(&name);
                asked.canary = Some(canary.ok_or(format!("{name} is none of {names}"))?);
            }
            other => return Err(format!("{other} is unknown")),
        }
    }
    match (asked.seeds.is_empty(), asked.canaries) {
        (true, true) => asked.seeds = CANARY_SEEDS,
        (true, false) => return Err("no seeds".to_owned()),
        (false, _) => {}
    }
    Ok(asked)
}

/// Adds a line to the ledger. A run whose ledger cannot be written still counts for who watches it.
fn note(asked: &Asked, line: &str) {
    let path = asked.ledger.as_deref().unwrap_or(LEDGER);
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| writeln!(file, "{line}"));
    if let Err(error) = written {
        eprintln!("{path}: {error}");
    }
}

fn commit() -> String {
    let head = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    let head = head.ok().filter(|head| head.status.success());
    head.map_or("unknown".to_owned(), |head| {
        String::from_utf8_lossy(&head.stdout).trim().to_owned()
    })
}

fn go(asked: &Asked) -> ExitCode {
    let mut ledger = Ledger::default();
    let mut failing = Vec::new();
    for seed in asked.seeds.clone() {
        let mut options = match asked.canary {
            Some(canary) => Options::hunt(seed, canary),
            None => Options::of(asked.swarm.unwrap_or(Swarm::All), seed),
        };
        options.pace.print = asked.trace;
        if asked.trace {
            println!("{options:#?}");
        }
        let outcome = run(&options);
        ledger.add(&outcome);
        for violation in &outcome.violations {
            println!("seed {seed}: {violation}\n  {}", replay(&options));
        }
        if asked.twice || seed % TWICE_ONE_IN == 0 {
            options.pace.print = false;
            let again = run(&options);
            assert_eq!(outcome.trace, again.trace, "seed {seed}: two traces");
        }
        if !outcome.violations.is_empty() {
            failing.push(seed.to_string());
            if !asked.keep_going {
                break;
            }
        }
    }
    println!("{ledger}");
    let Range { start, end } = asked.seeds;
    let about = format!(
        "\"commit\":\"{}\",\"from\":{start},\"to\":{end},\"canary\":\"{}\",\"failing\":[{}]",
        commit(),
        asked.canary.map_or("", Canary::name),
        failing.join(",")
    );
    note(asked, &ledger.json(&about));
    match ledger.violations {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The table: which seed finds a planted bug, after how many, and what it says.
fn canaries(asked: &Asked) -> ExitCode {
    let mut missed = false;
    println!("| planted bug | first found by seed | promise broken | after seeds |");
    println!("|---|---|---|---|");
    for canary in Canary::ALL {
        let name = canary.name();
        let (seed, promise, seeds) = match hunt(canary, asked.seeds.clone()) {
            Some(found) => (found.seed.to_string(), found.violation.promise, found.seeds),
            None => {
                missed = true;
                ("none".to_owned(), "", asked.seeds.end - asked.seeds.start)
            }
        };
        println!("| {name} | {seed} | {promise} | {seeds} |");
        let commit = commit();
        note(
            asked,
            &format!(
                "{{\"commit\":\"{commit}\",\"canary\":\"{name}\",\"found by\":\"{seed}\",\"promise\":\"{promise}\",\"seeds\":{seeds}}}"
            ),
        );
    }
    match missed {
        false => ExitCode::SUCCESS,
        true => ExitCode::FAILURE,
    }
}
