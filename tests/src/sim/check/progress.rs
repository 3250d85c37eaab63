//! Once nothing fails any more, every client gets its answers, and soon.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "progress once faults heal";

/// How long, in simulated nanoseconds, everything may take (RELIABILITY.md, R2).
pub const WITHIN: u64 = 30_000_000_000;

pub fn check(history: &History) -> Result<(), String> {
    let clients = history.batches.iter().map(|batch| batch.client).collect();
    soon(history, clients, |fact| match fact {
        Fact::CaughtUp(client) => Some(*client),
        _ => None,
    })
}

/// Soon after everything healed, `arrived` says of each of these that it is where it was to come.
pub(super) fn soon<T: Ord + Debug>(
    history: &History,
    mut waiting: BTreeSet<T>,
    arrived: impl Fn(&Fact) -> Option<T>,
) -> Result<(), String> {
    let mut entries = history.entries.iter();
    let healed = entries.find(|entry| matches!(entry.fact, Fact::Healed));
    let Some(healed) = healed else {
        return Ok(());
    };
    for entry in entries {
        if let Some(who) = arrived(&entry.fact) {
            let took = entry.at - healed.at;
            if took > WITHIN {
                let ms = took / 1_000_000;
                return Err(format!("{who:?} was there after {ms} ms"));
            }
            waiting.remove(&who);
        }
    }
    match waiting.first() {
        Some(who) => Err(format!("{who:?} never was there")),
        None => Ok(()),
    }
}
