//! What was acknowledged is readable at its offset after every crash, unless the log begins later by now. In a `process` topic a power cut may lose a
//! suffix of what came before it; a kill never does. What lies behind a flipped bit may be refused; of a partition whose
//! write landed elsewhere anything may be gone.

use std::collections::BTreeMap;

use corelane_engine::types::Durability;

use crate::sim::history::{BatchNo, Fact, Found, History, Place};
use crate::sim::world::Start;

/// What a partition was promised to hold: by an acknowledgement, or by being served below the high watermark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Promise {
    pub base: i64,
    pub batch: BatchNo,
    /// The life of the process that gave it.
    pub life: Start,
}

/// Every promise, by partition, in the order given.
pub fn promises(history: &History) -> BTreeMap<Place, Vec<Promise>> {
    let mut promises: BTreeMap<Place, Vec<Promise>> = BTreeMap::new();
    let mut promise = |place, base, batch, life| {
        let promise = Promise { base, batch, life };
        promises.entry(place).or_default().push(promise);
    };
    for entry in &history.entries {
        match &entry.fact {
            Fact::Acked { batch, base, .. } if *base >= 0 => {
                promise(history.batch(*batch).place, *base, *batch, entry.life);
            }
            Fact::Served { place, batches, .. } => {
                for served in batches {
                    if let Some(batch) = served.batch {
                        promise(*place, served.base, batch, entry.life);
                    }
                }
            }
            _ => {}
        }
    }
    promises
}

pub fn check(history: &History) -> Result<(), String> {
    let (doomed, cuts) = (history.doomed(), history.cuts());
    // A batch sent again after a cut may stand where it stood before without having survived (seed 22828). An unclean
    // start raises the leader epoch: what was appended after the cut has one that nobody had seen before it.
    let appended_after = |place: Place, found: &Found, cut: Start| {
        let before = history.entries.iter().filter(|entry| entry.life <= cut);
        let seen = before.filter_map(|entry| match &entry.fact {
            Fact::Served {
                place: at, batches, ..
            } if *at == place => batches.iter().map(|served| served.leader_epoch).max(),
            _ => None,
        });
        let again = |fact: &Fact| matches!(fact, Fact::Sent { batch, .. } if *batch == found.batch);
        let sent_again = history
            .entries
            .iter()
            .any(|entry| entry.life > cut && again(&entry.fact));
        sent_again && seen.max().is_none_or(|epoch| found.leader_epoch > epoch)
    };
    for (place, promises) in promises(history) {
        if doomed.contains(&place.topic) || history.is_misplaced(place) {
            continue;
        }
        let Some(log) = history.logs.get(&place) else {
            return Err(format!("{place:?} has promises and no log"));
        };
        let found = |p: &Promise| {
            let at = log.binary_search_by_key(&p.base, |found| found.base);
            at.ok()
                .map(|at| &log[at])
                .filter(|found| found.batch == p.batch)
        };
        let begin = history.begin(place);
        let end = |p: &Promise| p.base + i64::from(history.batch(p.batch).count);
        let kept = |p: &Promise| end(p) <= begin || found(p).is_some();
        for lost in promises.iter().filter(|p| !kept(p)) {
            let durability = history.durability(place);
            // A cut may have taken it if nothing promised before that cut, and above it, survived.
            let excused = durability == Durability::Process
                && cuts.iter().any(|cut| {
                    let before = |p: &Promise| p.life <= *cut;
                    let above = |p: &Promise| p.base > lost.base;
                    let survived =
                        |p: &Promise| found(p).is_some_and(|f| !appended_after(place, f, *cut));
                    before(lost)
                        && !promises
                            .iter()
                            .any(|p| above(p) && before(p) && survived(p))
                });
            // A flipped bit ends what can be read of a partition; never more than that.
            let rotten = behind_rot(history, place, log).is_some_and(|at| end(lost) > at);
            if !excused && !rotten {
                let Promise { base, batch, life } = *lost;
                return Err(format!(
                    "{place:?} ({durability:?}): {batch:?} at offset {base}, promised in life {}, is gone; log: {}",
                    life.0,
                    summary(log)
                ));
            }
        }
    }
    Ok(())
}

/// From where on a partition with a flipped bit could not be read in the end.
fn behind_rot(history: &History, place: Place, log: &[Found]) -> Option<i64> {
    let mut facts = history.entries.iter().map(|entry| &entry.fact);
    facts.find(|fact| matches!(fact, Fact::Rotted(at) if *at == place))?;
    let end = log.last().map_or(history.begin(place), |found| {
        found.base + i64::from(history.batch(found.batch).count)
    });
    let stopped = |fact: &&Fact| matches!(fact, Fact::Unreadable { place: at, asked, .. } if *at == place && *asked == end);
    facts.rfind(stopped).map(|_| end)
}

fn summary(log: &[Found]) -> String {
    let mut words = String::new();
    for found in log.iter().rev().take(12).rev() {
        words += &format!("{}:{} ", found.base, found.batch.0);
    }
    format!("{} batches, the last {words}", log.len())
}
