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
use corelane_tests::sim::swarm::{Ledger, Options, Outcome, replay, run};

/// Seeds of a run: half of them always the same, half of them new each time.
const SEEDS: u64 = 500;
const THREADS: usize = 2;
/// A planted bug is found within so many seeds.
const CANARY_SEEDS: u64 = 300;

fn past_seeds() -> Vec<u64> {
    let lines = include_str!("../seeds.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let word = line.split_whitespace().next().expect("not blank");
            word.parse().expect("a line begins with its seed")
        })
        .collect()
}

fn asked() -> Option<Range<u64>> {
    let value = std::env::var("CORELANE_SIM_SEEDS").ok()?;
    let (from, to) = value.split_once("..").expect("A..B");
    Some(from.parse().expect("a number")..to.parse().expect("a number"))
}

fn seeds() -> Vec<u64> {
    if let Some(range) = asked() {
        return range.collect();
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let fresh = since.expect("after 1970").as_secs() * 1_000;
    let mut seeds = past_seeds();
    seeds.extend(0..SEEDS / 2);
    seeds.extend(fresh..fresh + SEEDS / 2);
    seeds
}

/// Runs `seeds` on a few threads, in order; what each came to.
fn run_all(seeds: &[u64]) -> Vec<Outcome> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let options = Options::draw(*seed);
                    let outcome = run(&options);
                    if seed % 100 == 0 {
                        let again = run(&options);
                        assert_eq!(outcome.trace, again.trace, "seed {seed}: two traces");
                    }
                    outcomes.lock().expect("no thread panicked").push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().expect("no thread panicked")
}

#[test]
fn what_was_acknowledged_survives_every_crash() {
    let outcomes = run_all(&seeds());
    let mut ledger = Ledger::default();
    let mut failed = String::new();
    for outcome in &outcomes {
        ledger.add(outcome);
        for violation in &outcome.violations {
            let command = replay(&Options::draw(outcome.seed));
            failed += &format!("seed {}: {violation}\n    {command}\n", outcome.seed);
        }
    }
    println!("{ledger}");
    assert!(failed.is_empty(), "{ledger}\n{failed}");
    assert!(
        ledger.acked > 10 * ledger.seeds && ledger.cuts > 0 && ledger.kills > 0,
        "the seeds do nothing: {ledger}"
    );
}

#[test]
fn planted_bugs_are_found() {
    // Assertions that fail are one way to find them: not news.
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for canary in Canary::ALL {
        let found = (0..CANARY_SEEDS).find_map(|seed| {
            let mut options = Options::draw(seed);
            options.canary = Some(canary);
            let violation = run(&options).violations.first()?.clone();
            // What goes wrong without the planted bug too is no proof.
            options.canary = None;
            let clean = run(&options).violations.is_empty();
            clean.then_some((seed, violation))
        });
        match found {
            Some((seed, violation)) => {
                println!("{}: found by seed {seed}: {violation}", canary.name());
            }
            None => missed.push(canary.name()),
        }
    }
    panic::set_hook(quiet);
    assert!(missed.is_empty(), "not found: {missed:?}");
}
