//! Once nothing fails any more, every client gets its answers, and soon.

use std::collections::BTreeSet;

use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "progress once faults heal";

/// How long, in simulated nanoseconds, everything may take (RELIABILITY.md, R2).
pub const WITHIN: u64 = 30_000_000_000;

pub fn check(history: &History) -> Result<(), String> {
    let mut entries = history.entries.iter();
    let healed = entries.find(|entry| matches!(entry.fact, Fact::Healed));
    let Some(healed) = healed else {
        return Ok(());
    };
    let mut waiting: BTreeSet<_> = history.batches.iter().map(|b| b.client).collect();
    for entry in entries {
        if let Fact::CaughtUp(client) = entry.fact {
            waiting.remove(&client);
            let took = entry.at - healed.at;
            if took > WITHIN {
                let ms = took / 1_000_000;
                return Err(format!("{client:?} had its answer after {ms} ms"));
            }
        }
    }
    match waiting.first() {
        Some(client) => Err(format!("{client:?} never had its answer")),
        None => Ok(()),
    }
}
