//! A served batch is byte for byte one that was sent to that partition, but for the stamped offset and leader epoch.

use crate::sim::history::{Fact, History};

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
