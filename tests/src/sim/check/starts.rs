//! Where a log was said to begin it begins ever after: no later answer names an earlier begin, or serves what lies below.
//! And it begins anew only where somebody asked for it, or where records may grow old.

use std::collections::BTreeMap;

use crate::sim::history::{Fact, History, Place};

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
        let highest = self.0.last().map_or(begin, |(_, before)| begin.max(*before));
        self.0.push((at, highest));
    }
}

pub fn check(history: &History) -> Result<(), String> {
    let mut told: BTreeMap<Place, Begins> = BTreeMap::new();
    let mut asked: BTreeMap<Place, i64> = BTreeMap::new();
    for (at, entry) in history.entries.iter().enumerate() {
        match &entry.fact {
            Fact::TrimAsked { place, below } => {
                // -1 is wherever the log ends.
                let below = if *below < 0 { i64::MAX } else { *below };
                let highest = asked.entry(*place).or_default();
                *highest = below.max(*highest);
            }
            Fact::Begins { place, begin, when } => {
                let begins = told.entry(*place).or_default();
                if let Some(before) = begins.before(*when).filter(|before| before > begin) {
                    return Err(format!("{place:?} began at {before}, then at {begin}"));
                }
                let wanted = asked.get(place).copied().unwrap_or(0);
                if *begin > wanted && !history.topics[&place.topic].expires() {
                    return Err(format!("{place:?} begins at {begin}, {wanted} was asked for"));
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
    Ok(())
}
