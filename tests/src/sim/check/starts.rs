//! Where a log was said to begin it begins ever after: no later answer names an earlier begin, or serves what lies below.
//! It begins later only where somebody asked for it, or where records may go: not before they are old enough, and of a
//! log that is bounded by size not before it is larger.

use std::collections::BTreeMap;

use super::acked::promises;
use crate::sim::history::{Expiry, Fact, History, Place, Times};
use crate::sim::world::wall_ms;

pub const PROMISE: &str = "logs never begin earlier again, nor too late";

/// The highest begin told so far, by the history's length when it was told.
#[derive(Default)]
struct Begins(Vec<(usize, i64)>);

impl Begins {
    /// The highest one that was told before the history had `when` entries.
    fn before(&self, when: usize) -> Option<i64> {
        let known = self.0.partition_point(|(at, _)| *at < when);
        Some(self.0[known.checked_sub(1)?].1)
    }

    fn tell(&mut self, at: usize, begin: i64) {
        let highest = (self.0.last()).map_or(begin, |(_, before)| begin.max(*before));
        self.0.push((at, highest));
    }
}

pub fn check(history: &History) -> Result<(), String> {
    let mut told: BTreeMap<Place, Begins> = BTreeMap::new();
    let mut wanted: BTreeMap<Place, i64> = BTreeMap::new();
    for (at, entry) in history.entries.iter().enumerate() {
        match &entry.fact {
            Fact::TrimAsked { place, below } => {
                // -1 is wherever the log ends.
                let below = if *below < 0 { i64::MAX } else { *below };
                let highest = wanted.entry(*place).or_default();
                *highest = below.max(*highest);
            }
            Fact::Begins { place, begin, when } => {
                let begins = told.entry(*place).or_default();
                if let Some(before) = begins.before(*when).filter(|before| before > begin) {
                    return Err(format!("{place:?} began at {before}, then at {begin}"));
                }
                let wanted = wanted.get(place).copied().unwrap_or(0);
                if *begin > wanted {
                    may_go(history, *place, wanted..*begin, entry.at)?;
                }
                begins.tell(at, *begin);
            }
            Fact::Served {
                place,
                asked,
                batches,
                when,
                ..
            } if !batches.is_empty() => {
                let begin = told.get(place).and_then(|begins| begins.before(*when));
                if let Some(begin) = begin.filter(|begin| begin > asked) {
                    return Err(format!("{place:?} began at {begin}, {asked} is served"));
                }
            }
            _ => {}
        }
    }
    large_enough(history, &wanted)
}

/// Whether retention may have taken these offsets by then.
fn may_go(
    history: &History,
    place: Place,
    offsets: std::ops::Range<i64>,
    at: u64,
) -> Result<(), String> {
    let ms = match history.topics[&place.topic].expiry {
        Expiry::Never => return Err(format!("{place:?}: nobody asked for {offsets:?} to go")),
        Expiry::Bytes(_) => return Ok(()),
        Expiry::Ms(ms) => ms,
    };
    if history.topics[&place.topic].times == Times::LogAppend {
        return Ok(());
    }
    let promises = promises(history);
    for promise in promises.get(&place).into_iter().flatten() {
        let batch = history.batch(promise.batch);
        let whole =
            promise.base >= offsets.start && promise.base + i64::from(batch.count) <= offsets.end;
        if whole && batch.time + ms > wall_ms(at) {
            return Err(format!(
                "{place:?}: {promise:?} is gone before it is {ms} ms old"
            ));
        }
    }
    Ok(())
}

/// What is left of a log that only size has shortened is as large as it may be. A cut may have taken of it besides.
fn large_enough(history: &History, wanted: &BTreeMap<Place, i64>) -> Result<(), String> {
    if !history.cuts().is_empty() {
        return Ok(());
    }
    for (place, begin) in &history.begins {
        let Expiry::Bytes(least) = history.topics[&place.topic].expiry else {
            continue;
        };
        if *begin <= wanted.get(place).copied().unwrap_or(0)
            || history.is_rotten(*place)
            || history.is_misplaced(*place)
        {
            continue;
        }
        let log = history.logs.get(place).into_iter().flatten();
        let bytes: usize = log
            .map(|found| history.batch(found.batch).bytes.len())
            .sum();
        if (bytes as u64) < least {
            return Err(format!(
                "{place:?} begins at {begin}, and {bytes} bytes are left of {least}"
            ));
        }
    }
    Ok(())
}
