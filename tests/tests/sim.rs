//! The crash proof: seeds of the simulator, the past failing ones first, and the planted bugs that it must find.
//!
//! As many fresh seeds as there is time for: five minutes with `CI` set, else half of one; `CORELANE_SIM_SECONDS` says
//! otherwise. `CORELANE_SIM_SEEDS=A..B` runs these instead. A failing seed prints the command that replays it.

use std::io::Write;
use std::ops::Range;
use std::panic;
use std::sync::Mutex;
use std::time::Duration;

use corelane_tests::sim::campaign::{self, Campaign, hunt_all};
use corelane_tests::sim::canary::Canary;

/// A planted bug is found within so many seeds.
const CANARY_SEEDS: u64 = 3_000;

/// Each of the two tests has all cores to itself.
static TURN: Mutex<()> = Mutex::new(());

fn asked() -> Option<Range<u64>> {
    let value = std::env::var("CORELANE_SIM_SEEDS").ok()?;
    let (from, to) = value.split_once("..").expect("A..B");
    Some(from.parse().expect("a number")..to.parse().expect("a number"))
}

fn seconds() -> u64 {
    match std::env::var("CORELANE_SIM_SECONDS") {
        Ok(seconds) => seconds.parse().expect("a number"),
        Err(_) if std::env::var_os("CI").is_some() => 300,
        Err(_) => 30,
    }
}

/// Who watches is told, even where a test passes: what was run, and how to run it again.
fn tell(words: &str) {
    let _ = writeln!(std::io::stderr(), "sim: {words}");
}

#[test]
fn what_was_acknowledged_survives_every_crash_and_fault() {
    let _turn = TURN.lock().unwrap_or_else(|other| other.into_inner());
    let campaign = match asked() {
        Some(Range { start, end }) => Campaign {
            to: Some(end),
            ..Campaign::from(start)
        },
        None => Campaign {
            first: campaign::past(),
            time: Some(Duration::from_secs(seconds())),
            ..Campaign::from(campaign::fresh())
        },
    };
    let from = campaign.from;
    tell(&format!("seeds from {from} on"));
    let report = campaign.run(|words| println!("{words}"));
    let (ledger, to) = (&report.ledger, report.to);
    println!("{ledger}");
    let means = ledger.means().map(|(name, mean)| format!("{mean} {name}"));
    tell(&format!(
        "{} seeds, {} with a violation; one has {}; again: CORELANE_SIM_SEEDS={from}..{to}",
        ledger.seeds,
        ledger.violations,
        means.join(", ")
    ));
    let failed: Vec<&str> = (report.failing.iter())
        .map(|(_, words)| words.as_str())
        .collect();
    assert!(failed.is_empty(), "{ledger}\n{}", failed.join("\n"));
    if asked().is_some() {
        return;
    }
    let crashes = ledger.cuts > 0 && ledger.kills > 0 && ledger.stops > 0;
    let faults = ledger.exits > 0 && ledger.spells > 0 && ledger.flips > 0 && ledger.failed > 0;
    let groups = ledger.commits > ledger.seeds && ledger.generations > ledger.seeds;
    let trims = ledger.begins > 0 && ledger.short_writes > 0;
    assert!(
        ledger.acked > 10 * ledger.seeds && crashes && faults && groups && trims,
        "the seeds do nothing: {ledger}"
    );
}

#[test]
fn planted_bugs_are_found() {
    let _turn = TURN.lock().unwrap_or_else(|other| other.into_inner());
    // Assertions that fail are one way to find them: not news.
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let threads = campaign::cores();
    let found = hunt_all(&Canary::ALL, 0..CANARY_SEEDS, threads, |canary, found| {
        if let Some(found) = found {
            let (name, what) = (canary.name(), &found.violation);
            println!("{name}: seed {}: {what}", found.seed);
        }
    });
    panic::set_hook(quiet);
    let missed = found.iter().filter(|(_, found)| found.is_none());
    let missed: Vec<&str> = missed.map(|(canary, _)| canary.name()).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
