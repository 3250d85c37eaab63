//! What was refused never appears; and nobody is refused who kept the rules.

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::types::Durability;

use crate::sim::history::{BatchNo, Fact, History, Place};
use crate::sim::world::{ClientId, Start};

pub const PROMISE: &str = "refused never appears";

/// Sequence out of order, unknown producer, producer epoch: what a loss of producer state looks like.
pub const SEQUENCE_CODES: [i16; 4] = [45, 46, 47, 59];

pub fn check(history: &History) -> Result<(), String> {
    let mut refused: BTreeMap<BatchNo, i16> = BTreeMap::new();
    // A full disk may refuse a producer's first batch and take what is in flight behind it: an unknown producer may begin
    // with any sequence, as in Kafka, and then its first ones are out of order.
    let mut open: BTreeSet<(ClientId, Place)> = BTreeSet::new();
    let full = (history.entries.iter()).filter(|entry| matches!(entry.fact, Fact::DiskFull));
    let full: BTreeSet<Start> = full.map(|entry| entry.life).collect();
    let cuts = history.cuts();
    for entry in &history.entries {
        let (batch, code, attempt) = match entry.fact {
            Fact::Undecided { batch, .. } | Fact::Sent { batch, .. } => {
                let sent = history.batch(batch);
                let undecided = matches!(entry.fact, Fact::Undecided { .. });
                // As a batch that is too large may be, and its refusal not be heard (236851).
                let least = history.batch_bytes_least.unwrap_or(usize::MAX);
                let too_large = sent.bytes.len() > least;
                if undecided || too_large || full.contains(&entry.life) {
                    open.insert((sent.client, sent.place));
                }
                continue;
            }
            Fact::Refused {
                batch,
                code,
                attempt,
            } => (batch, code, attempt),
            _ => continue,
        };
        let sent = history.batch(batch);
        let lossy = history.durability(sent.place) == Durability::Process && !cuts.is_empty();
        let overtaken = open.contains(&(sent.client, sent.place));
        let lossy = lossy || history.is_misplaced(sent.place);
        if SEQUENCE_CODES.contains(&code) && !lossy && !overtaken {
            let place = sent.place;
            let before = (0..batch.0).rev().map(BatchNo).filter(|before| {
                let before = history.batch(*before);
                (before.client, before.place) == (sent.client, place)
            });
            let before: Vec<BatchNo> = before.take(3).collect();
            return Err(format!(
                "{place:?}: {batch:?} refused by {code}: its producer's state was lost; before it came {before:?}"
            ));
        }
        // What is in flight behind a batch that was not appended is out of order: one that is too large, or of a
        // partition so new that not every shard knew it.
        if !SEQUENCE_CODES.contains(&code) {
            open.insert((sent.client, sent.place));
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
