//! Kills and power cuts at any point: `POWER_CUTS=5000` for the long form, `CRASH_FROM` for one seed.

use super::disk::{Fault, How, Lie, On};
use super::from_environment;
use super::run::Run;

/// Lives and crashes by a seed; returns how many of them were power cuts.
fn run(seed: u64, lie: Lie) -> u64 {
    let mut cuts = 0;
    let mut run = Run::new(seed, lie);
    run.fills = run.rng.one_in(3);
    let fails = run.rng.one_in(6);
    let mut forgiven = false;
    for _ in 0..6 {
        let mut crash_after = if run.rng.one_in(3) {
            run.rng.below(60)
        } else {
            u64::MAX
        };
        let Some(mut shard) = run.open(&mut crash_after) else {
            let power = run.rng.one_in(2);
            run.crash(power);
            cuts += u64::from(power);
            forgiven |= power;
            continue;
        };
        run.check(&mut shard, forgiven);
        let events = run.rng.below(1_500);
        if fails {
            run.disk.fault = Some(Fault {
                on: On::WriteOrFlush,
                how: How::Io,
                after: run.rng.below(300),
            });
        }
        run.live(&mut shard, events);
        run.disk.fault = None;
        let mut stopped = false;
        if !run.failed && run.rng.one_in(3) {
            run.settle_all(&mut shard);
        }
        // The failure may have come out just now, from within a flow.
        if !run.failed && run.rng.one_in(3) {
            run.check(&mut shard, false);
            let events = run.rng.below(300);
            run.live(&mut shard, events);
            stopped = run.rng.one_in(2) && !run.failed;
            if stopped {
                run.stop(&mut shard);
            }
        }
        let power = run.rng.one_in(2);
        run.crash(power);
        cuts += u64::from(power);
        forgiven = power && !stopped;
    }
    cuts
}

/// So many seeds as it takes for so many power cuts; about as many kills.
#[test]
fn what_was_acknowledged_survives_kills_and_power_cuts() {
    let from = from_environment("CRASH_FROM", 0);
    let wanted = from_environment("POWER_CUTS", 360);
    let (mut seed, mut cuts) = (from, 0);
    while cuts < wanted {
        let result = std::panic::catch_unwind(|| run(seed, Lie::Nothing));
        cuts += result.unwrap_or_else(|_| panic!("seed {seed}"));
        seed += 1;
    }
    println!(
        "{cuts} power cuts in {} seeds, nothing acknowledged was lost",
        seed - from
    );
}

/// The tester fails where the disk lies. Writing back before the group's flush, and an order of ours turned around,
/// cannot be planted in the disk.
#[test]
fn every_planted_lie_is_found() {
    for lie in [
        Lie::NoFlush("journal"),
        Lie::NoFlush("topics"),
        Lie::NoFlush("checkpoint"),
        Lie::NoFlushAtStart,
        Lie::StaleJournal,
        Lie::LateFlush,
    ] {
        let found = (0..400).find(|seed| std::panic::catch_unwind(|| run(*seed, lie)).is_err());
        assert!(found.is_some(), "{lie:?} was not found");
    }
}
