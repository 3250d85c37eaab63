//! What was refused never appears; and nobody is refused who kept the rules.

use std::collections::BTreeMap;

use corelane_engine::types::Durability;

use crate::sim::history::{BatchNo, Fact, History};

/// Sequence out of order, unknown producer, producer epoch: what a loss of producer state looks like.
pub const SEQUENCE_CODES: [i16; 4] = [45, 46, 47, 59];

pub fn check(history: &History) -> Result<(), String> {
    let mut refused: BTreeMap<BatchNo, i16> = BTreeMap::new();
    let cuts = history.cuts();
    for entry in &history.entries {
        let Fact::Refused {
            batch,
            code,
            attempt,
        } = entry.fact
        else {
            continue;
        };
        let sent = history.batch(batch);
        let lossy = history.durability(sent.place) == Durability::Process && !cuts.is_empty();
        if SEQUENCE_CODES.contains(&code) && !lossy {
            let place = sent.place;
            return Err(format!(
                "{place:?}: {batch:?} refused by {code}: its producer's state was lost"
            ));
        }
        // An earlier attempt may have been appended.
        if attempt == 1 {
            refused.insert(batch, code);
        }
    }
    for entry in &history.entries {
        if let Fact::Served { place, batches, .. } = &entry.fact {
            for served in batches {
                if let Some((batch, code)) = served.batch.and_then(|b| refused.get_key_value(&b)) {
                    let base = served.base;
                    return Err(format!("{place:?} {base}: {batch:?}, refused by {code}"));
                }
            }
        }
    }
    Ok(())
}
