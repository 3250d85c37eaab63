//! An offset of one leader epoch is one batch's for ever: where a crash took what was served, what is given the offset anew
//! has a later epoch, by which consumers learn that theirs is gone.

use std::collections::BTreeMap;

use crate::sim::history::{BatchNo, Fact, History, Place};

pub const PROMISE: &str = "an offset given anew has a later epoch";

/// Batches of one epoch of a partition, by base offset: where they end, and which they are.
type Batches = BTreeMap<i64, (i64, BatchNo)>;

pub fn check(history: &History) -> Result<(), String> {
    let mut epochs: BTreeMap<(Place, i32), Batches> = BTreeMap::new();
    for entry in &history.entries {
        let Fact::Served { place, batches, .. } = &entry.fact else {
            continue;
        };
        for served in batches {
            let Some(batch) = served.batch else { continue };
            let known = epochs.entry((*place, served.leader_epoch)).or_default();
            let (base, end) = (served.base, served.base + i64::from(served.count));
            let overlapping = known.range(..end).next_back();
            if let Some((other, (other_end, before))) = overlapping
                && *other_end > base
                && (*other, *before) != (base, batch)
            {
                let epoch = served.leader_epoch;
                return Err(format!(
                    "{place:?}, epoch {epoch}: {before:?} at {other}, then {batch:?} at {base}"
                ));
            }
            known.insert(base, (end, batch));
        }
    }
    Ok(())
}
