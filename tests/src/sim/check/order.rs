//! Batches of one client are in a partition in the order in which it first sent them: always where sequences protect
//! them, else among those of one connection.

use std::collections::{BTreeMap, BTreeSet};

use corelane_net::event::ConnId;

use crate::sim::history::{BatchNo, Fact, History};
use crate::sim::world::ClientId;

pub fn check(history: &History) -> Result<(), String> {
    // Given up by its client, as too large, while a copy was on its way that comes once it may be as large (226078).
    let refused = history.entries.iter().filter_map(|entry| match entry.fact {
        Fact::Refused { batch, attempt, .. } if attempt > 1 => Some(batch),
        _ => None,
    });
    let given_up: BTreeSet<BatchNo> = refused.collect();
    for (place, log) in &history.logs {
        let mut last: BTreeMap<(ClientId, Option<ConnId>), BatchNo> = BTreeMap::new();
        for found in log.iter().filter(|found| !given_up.contains(&found.batch)) {
            let batch = history.batch(found.batch);
            let client = (batch.client, (!batch.idempotent).then_some(batch.conn));
            // Batches are numbered as they are made, and sent in that order.
            if let Some(before) = last.insert(client, found.batch)
                && before >= found.batch
            {
                let (batch, base) = (found.batch, found.base);
                return Err(format!(
                    "{place:?}: {batch:?} at {base} follows {before:?} of the same client"
                ));
            }
        }
    }
    Ok(())
}
