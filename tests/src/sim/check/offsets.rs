//! Offsets are dense; a value once seen at an offset stays there; leader epochs never fall along a log. In a `process`
//! topic only a power cut, or a flipped bit, lets an offset be given anew.

use std::collections::BTreeMap;

use corelane_engine::types::Durability;

use super::acked::{Promise, promises};
use crate::sim::history::{Fact, History};

pub fn check(history: &History) -> Result<(), String> {
    dense(history)?;
    stable(history)
}

fn dense(history: &History) -> Result<(), String> {
    for entry in &history.entries {
        let Fact::Served {
            place,
            asked,
            high_watermark,
            batches,
            ..
        } = &entry.fact
        else {
            continue;
        };
        let mut next = None;
        let mut epoch = i32::MIN;
        for served in batches {
            let (base, end) = (served.base, served.base + i64::from(served.count));
            let fits = match next {
                // The first batch holds the offset asked for.
                None => base <= *asked && *asked < end,
                Some(next) => base == next,
            };
            if !fits {
                return Err(format!(
                    "{place:?}: asked for {asked}, batch {base}..{end} after {next:?}"
                ));
            }
            if end > *high_watermark {
                return Err(format!(
                    "{place:?}: batch {base}..{end} served past the high watermark {high_watermark}"
                ));
            }
            if served.leader_epoch < epoch {
                let fell = served.leader_epoch;
                return Err(format!("{place:?} {base}: epoch {fell} after {epoch}"));
            }
            (next, epoch) = (Some(end), served.leader_epoch);
        }
    }
    for (place, log) in &history.logs {
        let mut next = history.begin(*place);
        for (at, found) in log.iter().enumerate() {
            // The log may begin within a batch.
            let within = at == 0 && found.base < next;
            if found.base != next && !within {
                let base = found.base;
                return Err(format!("{place:?}: {base} where {next} comes next"));
            }
            next = found.base + i64::from(history.batch(found.batch).count);
        }
    }
    Ok(())
}

fn stable(history: &History) -> Result<(), String> {
    let cuts = history.cuts();
    for (place, promises) in promises(history) {
        if history.is_misplaced(place) {
            continue;
        }
        let process = history.durability(place) == Durability::Process;
        let mut at: BTreeMap<i64, Promise> = BTreeMap::new();
        for promise in promises {
            let before = at.insert(promise.base, promise);
            let Some(before) = before.filter(|b| b.batch != promise.batch) else {
                continue;
            };
            let (early, late) = (before.life.min(promise.life), before.life.max(promise.life));
            let cut_between = cuts.iter().any(|cut| early <= *cut && *cut < late);
            // Of what no flush covers a start believes only what it can read.
            let rotten = history.is_rotten(place);
            if !(process && (cut_between || rotten)) {
                return Err(format!("{place:?}: {before:?}, then {promise:?}"));
            }
        }
    }
    for entry in &history.entries {
        if let Fact::OutOfRange { place, asked } = entry.fact
            // Judged by where it begins.
            && !history.may_begin_later(place)
            && !history.is_misplaced(place)
            && (history.durability(place) == Durability::Disk
                || cuts.is_empty() && !history.is_rotten(place))
        {
            return Err(format!(
                "{place:?}: offset {asked} was served up to, now out of range"
            ));
        }
    }
    Ok(())
}
