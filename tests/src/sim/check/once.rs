//! No batch is in a log twice: idempotent producers retry, the others never do. A retry's answer names one offset only.

use std::collections::BTreeMap;

use corelane_engine::types::Durability;

use crate::sim::history::{BatchNo, Fact, History};

pub const PROMISE: &str = "once";

pub fn check(history: &History) -> Result<(), String> {
    for (place, log) in &history.logs {
        let mut seen: BTreeMap<BatchNo, i64> = BTreeMap::new();
        for found in log {
            if let Some(before) = seen.insert(found.batch, found.base) {
                let (batch, base) = (found.batch, found.base);
                return Err(format!("{place:?}: {batch:?} at {before} and {base}"));
            }
        }
    }
    let mut acked: BTreeMap<BatchNo, i64> = BTreeMap::new();
    for entry in &history.entries {
        let Fact::Acked { batch, base, .. } = entry.fact else {
            continue;
        };
        let before = acked.insert(batch, base);
        let place = history.batch(batch).place;
        if before.is_some_and(|b| b != base) && history.durability(place) == Durability::Disk {
            return Err(format!(
                "{place:?}: {batch:?} acked at {before:?} and {base}"
            ));
        }
    }
    Ok(())
}
