//! Runs seeds of the simulator, and the planted bugs that it must find; keeps a ledger of what was run.

use std::fs;
use std::panic;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use corelane_tests::harness::recording;
use corelane_tests::sim::campaign::{self, Campaign, hunt_all};
use corelane_tests::sim::canary::Canary;
use corelane_tests::sim::swarm::{Ledger, Options, Swarm, replay, run};
use serde_json::{Value, json};

const USAGE: &str = "\
sim --seeds A..B [--trace] [--twice] [--keep-going]       runs seeds A to B - 1
sim --fresh --for SECONDS                                 runs seeds that nobody has run, as many as there is time for
sim --canaries [--seeds A..B]                             looks for every planted bug, and prints who found it
  --seeds A.. --for SECONDS   from A on
  --past                      seeds that once found a bug come first
  --plain, --faults, --trims  a swarm of the past
  --canary NAME               with this bug planted
  --threads N                 in place of all cores
  --ledger FILE               notes there what was run: a list in JSON";

/// A planted bug is looked for in so many seeds.
const CANARY_SEEDS: u64 = 10_000;

fn main() -> ExitCode {
    // One line: the seed's replay shows the rest.
    panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    match parse(std::env::args().skip(1)) {
        Ok(asked) => match (asked.canaries, asked.canary, asked.trace) {
            (true, ..) => canaries(&asked),
            (false, None, false) => many(&asked),
            (false, ..) => one_by_one(&asked),
        },
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Asked {
    from: Option<u64>,
    to: Option<u64>,
    time: Option<Duration>,
    past: bool,
    trace: bool,
    twice: bool,
    swarm: Option<Swarm>,
    keep_going: bool,
    threads: Option<usize>,
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
                let wrong = || format!("{value} is no range A..B");
                let (from, to) = value.split_once("..").ok_or_else(wrong)?;
                asked.from = Some(from.parse().map_err(|_| wrong())?);
                if !to.is_empty() {
                    asked.to = Some(to.parse().map_err(|_| wrong())?);
                }
            }
            "--fresh" => asked.from = Some(campaign::fresh()),
            "--for" => {
                let seconds = value()?.parse();
                let seconds = seconds.map_err(|_| "--for needs seconds".to_owned())?;
                asked.time = Some(Duration::from_secs(seconds));
            }
            "--threads" => {
                let threads = value()?.parse();
                asked.threads = Some(threads.map_err(|_| "--threads needs a number".to_owned())?);
            }
            "--past" => asked.past = true,
            "--trace" => asked.trace = true,
            "--twice" => asked.twice = true,
            "--plain" | "--faults" | "--trims" => asked.swarm = Swarm::of_name(&word[2..]),
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
    let bounded = asked.to > asked.from || asked.time.is_some() || asked.canaries;
    match (bounded, asked.from) {
        (_, None) if asked.canaries => asked.from = Some(0),
        (true, Some(_)) => {}
        (false, _) | (_, None) => return Err("no seeds, or no end of them".to_owned()),
    }
    Ok(asked)
}

/// Adds to the list in the ledger. A run whose ledger cannot be written still counts for who watches it.
fn note(asked: &Asked, began: Instant, what: &str, came: Value) {
    let Some(path) = &asked.ledger else { return };
    let before = fs::read_to_string(path).unwrap_or_default();
    let mut list: Vec<Value> = serde_json::from_str(&before).unwrap_or_default();
    let words: Vec<String> = std::env::args().skip(1).collect();
    list.push(json!({
        "what": what,
        "commit": recording::commit(),
        "command": format!("sim {}", words.join(" ")),
        "took seconds": began.elapsed().as_secs(),
        "came": came,
    }));
    let text = serde_json::to_string_pretty(&list).expect("numbers and words");
    if let Err(error) = fs::write(path, text + "\n") {
        eprintln!("{path}: {error}");
    }
}

fn many(asked: &Asked) -> ExitCode {
    let began = Instant::now();
    let from = asked.from.expect("checked when parsed");
    let campaign = Campaign {
        first: if asked.past {
            campaign::past()
        } else {
            Vec::new()
        },
        swarm: asked.swarm.unwrap_or(Swarm::All),
        to: asked.to,
        time: asked.time,
        threads: asked.threads.unwrap_or_else(campaign::cores),
        twice: asked.twice,
        keep_going: asked.keep_going,
        ..Campaign::from(from)
    };
    println!("sim: seeds from {from} on");
    let report = campaign.run(|words| println!("{words}"));
    let to = report.to;
    println!("{}", report.ledger);
    println!("sim: that was --seeds {from}..{to}");
    let mut came = report.ledger.json();
    let failing: Vec<u64> = report.failing.iter().map(|(seed, _)| *seed).collect();
    came["swarm"] = json!(campaign.swarm.name());
    came["seeds"] = json!({ "from": from, "to": to, "past": campaign.first.len() });
    came["failing"] = json!(failing);
    note(asked, began, "seeds", came);
    match report.failing.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Seeds to look at: their events, or what becomes of them with a bug.
fn one_by_one(asked: &Asked) -> ExitCode {
    let from = asked.from.expect("checked when parsed");
    let (mut ledger, began) = (Ledger::default(), Instant::now());
    for seed in from..asked.to.unwrap_or(u64::MAX) {
        if asked.time.is_some_and(|time| began.elapsed() >= time) {
            break;
        }
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

/// The table: which seed finds a planted bug, after how many, and what it says.
fn canaries(asked: &Asked) -> ExitCode {
    let began = Instant::now();
    let from = asked.from.expect("checked when parsed");
    let seeds = from..asked.to.unwrap_or(from + CANARY_SEEDS);
    let threads = asked.threads.unwrap_or_else(campaign::cores);
    let found = hunt_all(&Canary::ALL, seeds.clone(), threads, |_, _| {});
    println!("| planted bug | first found by seed | promise broken | after seeds |");
    println!("|---|---|---|---|");
    let mut bugs = Vec::new();
    for (canary, found) in &found {
        let name = canary.name();
        match found {
            Some(found) => {
                let (seed, promise, after) = (found.seed, found.violation.promise, found.seeds);
                println!("| {name} | {seed} | {promise} | {after} |");
                bugs.push(json!({ "bug": name, "seed": seed, "promise": promise, "after": after }));
            }
            None => {
                println!("| {name} | none | | {} |", seeds.end - seeds.start);
                bugs.push(json!({ "bug": name, "seed": null, "after": seeds.end - seeds.start }));
            }
        }
    }
    let missed = found.iter().filter(|(_, found)| found.is_none()).count();
    let came = json!({
        "seeds": { "from": seeds.start, "to": seeds.end },
        "bugs": bugs,
        "missed": missed,
    });
    note(asked, began, "planted bugs", came);
    match missed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
