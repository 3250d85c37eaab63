//! The time of an append is said once: the acknowledgement and every read name the same, it lies between the batch's
//! first departure and its answer, and it never falls along a log. Other topics have the producer's times.

use std::collections::BTreeMap;

use corelane_engine::types::Durability;

use crate::sim::history::{BatchNo, Fact, History, Times};
use crate::sim::world::wall_ms;

pub fn check(history: &History) -> Result<(), String> {
    let mut sent: BTreeMap<BatchNo, u64> = BTreeMap::new();
    let mut said: BTreeMap<BatchNo, i64> = BTreeMap::new();
    for entry in &history.entries {
        let mut stamped = |batch: BatchNo, time: i64| {
            let place = history.batch(batch).place;
            let before = said.insert(batch, time).unwrap_or(time);
            // A cut may take a batch of a `process` topic, and its retry is another append.
            let again = history.durability(place) == Durability::Process;
            if before != time && !again {
                return Err(format!(
                    "{place:?}: {batch:?} at {before} ms, then at {time} ms"
                ));
            }
            if time < wall_ms(sent[&batch]) || time > wall_ms(entry.at) {
                return Err(format!("{place:?}: {batch:?} is said to be of {time} ms"));
            }
            Ok(())
        };
        match &entry.fact {
            Fact::Sent { batch, .. } => drop(sent.entry(*batch).or_insert(entry.at)),
            Fact::Acked { batch, base, time } if *base >= 0 => {
                let place = history.batch(*batch).place;
                match history.topics[&place.topic].times {
                    Times::LogAppend => stamped(*batch, *time)?,
                    Times::Create if *time != -1 => {
                        return Err(format!("{place:?}: {batch:?} acked with time {time}"));
                    }
                    Times::Create => {}
                }
            }
            Fact::Served { place, batches, .. } => {
                if history.topics[&place.topic].times == Times::Create {
                    continue;
                }
                let mut last = i64::MIN;
                for served in batches {
                    let time = served.max_timestamp;
                    if let Some(batch) = served.batch {
                        stamped(batch, time)?;
                    }
                    if time < last {
                        let base = served.base;
                        return Err(format!("{place:?} {base}: {time} ms after {last} ms"));
                    }
                    last = time;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
