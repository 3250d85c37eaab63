//! The crash proof: seeds of the simulator, the past failing ones first, and the planted bugs that it must find.
//!
//! `CORELANE_SIM_SEEDS=A..B` runs these seeds instead. A failing seed prints the command that replays it.

use std::ops::Range;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use corelane_tests::sim::canary::Canary;
use corelane_tests::sim::swarm::{Ledger, Options, Outcome, hunt, replay, run};

/// Seeds of a run: half of them always the same, half of them new each time.
const SEEDS: u64 = 500;
const THREADS: usize = 2;
/// A planted bug is found within so many seeds.
const CANARY_SEEDS: u64 = 300;

/// A line begins with its seed, and says next in which swarm it was found, if not in the one that draws everything.
fn past_seeds() -> Vec<Options> {
    let lines = include_str!("../seeds.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let seed = words.next().expect("not blank");
            let seed = seed.parse().expect("a line begins with its seed");
            match words.next() {
                Some("plain") => Options::plain(seed),
                Some("faults") => Options::faults(seed),
                _ => Options::draw(seed),
            }
        })
        .collect()
}

fn asked() -> Option<Range<u64>> {
    let value = std::env::var("CORELANE_SIM_SEEDS").ok()?;
    let (from, to) = value.split_once("..").expect("A..B");
    Some(from.parse().expect("a number")..to.parse().expect("a number"))
}

fn seeds() -> Vec<Options> {
    if let Some(range) = asked() {
        return range.map(Options::draw).collect();
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let fresh = since.expect("after 1970").as_secs() * 1_000;
    let mut seeds = past_seeds();
    seeds.extend((0..SEEDS / 2).map(Options::draw));
    seeds.extend((fresh..fresh + SEEDS / 2).map(Options::draw));
    seeds
}

/// Runs all on a few threads, in order; what each came to.
fn run_all(seeds: &[Options]) -> Vec<(&Options, Outcome)> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(options) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (seed, outcome) = (options.seed, run(options));
                    if seed % 100 == 0 {
                        let again = run(options);
                        assert_eq!(outcome.trace, again.trace, "seed {seed}: two traces");
                    }
                    let mut outcomes = outcomes.lock().expect("no thread panicked");
                    outcomes.push((options, outcome));
                }
            });
        }
    });
    outcomes.into_inner().expect("no thread panicked")
}

#[test]
fn what_was_acknowledged_survives_every_crash_and_fault() {
    let seeds = seeds();
    let mut ledger = Ledger::default();
    let mut failed = String::new();
    for (options, outcome) in &run_all(&seeds) {
        ledger.add(outcome);
        for violation in &outcome.violations {
            let command = replay(options);
            failed += &format!("seed {}: {violation}\n    {command}\n", outcome.seed);
        }
    }
    println!("{ledger}");
    assert!(failed.is_empty(), "{ledger}\n{failed}");
    let crashes = ledger.cuts > 0 && ledger.kills > 0 && ledger.stops > 0;
    let faults = ledger.exits > 0 && ledger.no_space > 0 && ledger.flips > 0;
    let groups = ledger.commits > ledger.seeds && ledger.generations > ledger.seeds;
    let trims = ledger.begins > 0;
    assert!(
        ledger.acked > 10 * ledger.seeds && crashes && faults && ledger.short_writes > 0,
        "the seeds do nothing: {ledger}"
    );
    assert!(
        asked().is_some() || groups && trims,
        "the seeds do nothing: {ledger}"
    );
}

#[test]
fn planted_bugs_are_found() {
    // Assertions that fail are one way to find them: not news.
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let next = Mutex::new(Canary::ALL.into_iter());
    let missed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let canary = next.lock().expect("no thread panicked").next();
                    let Some(canary) = canary else { break };
                    match hunt(canary, 0..CANARY_SEEDS) {
                        Some(found) => {
                            let (name, what) = (canary.name(), found.violation);
                            println!("{name}: seed {}: {what}", found.seed);
                        }
                        None => missed.lock().expect("no thread panicked").push(canary),
                    }
                }
            });
        }
    });
    panic::set_hook(quiet);
    let missed = missed.into_inner().expect("no thread panicked");
    assert!(missed.is_empty(), "not found: {missed:?}");
}
