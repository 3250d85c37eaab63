//! A served batch is byte for byte one that was sent to that partition, but for the stamped offset and leader epoch.

use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "bytes are served as sent";

pub fn check(history: &History) -> Result<(), String> {
    for entry in &history.entries {
        match &entry.fact {
            Fact::Served { place, batches, .. } => {
                for served in batches {
                    let Some(batch) = served.batch else {
                        let base = served.base;
                        return Err(format!("{place:?} offset {base}: bytes never sent"));
                    };
                    let sent = history.batch(batch);
                    if sent.place != *place {
                        let (base, meant) = (served.base, sent.place);
                        return Err(format!("{batch:?} sent to {meant:?} at {place:?} {base}"));
                    }
                    if sent.count != served.count {
                        return Err(format!("{batch:?} with another count"));
                    }
                }
            }
            Fact::Nonsense(what) => return Err(what.clone()),
            _ => {}
        }
    }
    Ok(())
}

/// Of what was served since the history had `since` entries: whether all of it was sent, to whatever partition.
pub fn no_garbage(history: &History, since: usize) -> Result<(), String> {
    for entry in &history.entries[since..] {
        if let Fact::Served { place, batches, .. } = &entry.fact
            && let Some(served) = batches.iter().find(|served| {
                let sent = served.batch.map(|batch| history.batch(batch).place);
                sent != Some(*place)
            })
        {
            return Err(format!(
                "{place:?} offset {}: not what was sent",
                served.base
            ));
        }
    }
    Ok(())
}
