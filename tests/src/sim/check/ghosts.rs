//! What a crash has taken does not come back: once a life has shown where a log ends, nothing that only earlier lives
//! were sent is found behind that end. (A consumer is told by OffsetForLeaderEpoch that it never was.)

use std::collections::BTreeMap;

use crate::sim::history::{BatchNo, Fact, History, Place};
use crate::sim::world::Start;

pub fn check(history: &History) -> Result<(), String> {
    let mut sent_last: BTreeMap<BatchNo, Start> = BTreeMap::new();
    // The lowest high watermark that a life has shown: the log was not longer when it began.
    let mut ends: BTreeMap<(Place, Start), i64> = BTreeMap::new();
    let mut last = Start(0);
    for entry in &history.entries {
        last = last.max(entry.life);
        match &entry.fact {
            Fact::Sent { batch, .. } => drop(sent_last.insert(*batch, entry.life)),
            Fact::Served {
                place,
                high_watermark,
                ..
            } => {
                let end = ends.entry((*place, entry.life)).or_insert(*high_watermark);
                *end = (*end).min(*high_watermark);
            }
            _ => {}
        }
    }
    let served = history.entries.iter().flat_map(|entry| match &entry.fact {
        Fact::Served { place, batches, .. } => (batches.iter())
            .filter_map(|served| Some((*place, served.base, served.batch?, entry.life)))
            .collect(),
        _ => Vec::new(),
    });
    let found = history.logs.iter().flat_map(|(place, log)| {
        let found = log.iter();
        found.map(move |found| (*place, found.base, found.batch, last))
    });
    let judged = (served.chain(found)).filter(|(place, ..)| !history.is_misplaced(*place));
    for (place, base, batch, life) in judged {
        let Some(sent) = sent_last.get(&batch).filter(|sent| **sent < life) else {
            continue;
        };
        let lives = (place, Start(sent.0 + 1))..=(place, life);
        let gone = ends.range(lives).find(|(_, end)| **end <= base);
        if let Some(((_, shown), end)) = gone {
            return Err(format!(
                "{place:?}: {batch:?}, last sent in {sent:?}, is at {base} in {life:?}, but the log ended at {end} in \
                 {shown:?}"
            ));
        }
    }
    Ok(())
}
