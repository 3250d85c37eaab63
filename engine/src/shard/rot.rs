//! What of this shard's log is corrupt on disk: told once, remembered and counted, never served.
//!
//! ```text
//!  cold read ─┐                                   ┌─ not known yet ─► ShardOut::corrupt ─► one line in the log
//!             ├─ Corrupt{partition, place, what} ─┤
//!  scrub ─────┘                                   └─ known ─► nothing
//!  scrub reads the place again, and it is whole; partition deleted; segment trimmed ─► forgotten
//! ```

use std::collections::BTreeSet;

use super::{Shard, ShardOut};
use crate::log::segment;
use crate::types::{Offset, TopicPartition};

/// Places that are remembered; what is found beyond them is told each time it is found.
const REMEMBERED_MAX: usize = 4096;

/// A stretch of a segment's file that is not what was appended there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Corrupt {
    pub partition: TopicPartition,
    /// Base offset of the segment.
    pub segment: Offset,
    /// Where in the file the batch begins.
    pub position: u64,
    /// The offset that was appended there.
    pub offset: Offset,
    pub what: String,
}

impl Corrupt {
    /// The segment's file, from the data directory on.
    pub fn file(&self) -> String {
        segment::path(self.partition, self.segment)
    }
}

/// Per shard.
#[derive(Default)]
pub(super) struct Rot {
    known: BTreeSet<(TopicPartition, Offset, u64)>,
    /// Reads that were refused for it.
    pub(super) reads_refused: u64,
}

impl Rot {
    /// How many corrupt batches are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

impl Shard {
    /// Something is corrupt: whoever looks after this broker is told, once.
    pub(super) fn on_corrupt(&mut self, found: Corrupt, out: &mut ShardOut) {
        // Deleted or trimmed while it was read.
        let slot = self.slots.get(&found.partition);
        let there = |slot: &u32| self.partition(*slot)?.segment(found.segment);
        if slot.and_then(there).is_none() {
            return;
        }
        let known = &mut self.rot.known;
        let place = (found.partition, found.segment, found.position);
        let new = match known.len() < REMEMBERED_MAX {
            true => known.insert(place),
            false => !known.contains(&place),
        };
        if new {
            out.corrupt.push(found);
        }
    }

    /// A stretch of a segment was read and is whole.
    pub(super) fn on_whole(&mut self, id: TopicPartition, base: Offset, from: u64, to: u64) {
        let known = &mut self.rot.known;
        if from >= to || known.is_empty() {
            return;
        }
        let healed: Vec<_> = known
            .range((id, base, from)..(id, base, to))
            .copied()
            .collect();
        for place in healed {
            known.remove(&place);
        }
    }

    /// Forgets what was corrupt in segments that are gone.
    pub(super) fn forget_rot(&mut self) {
        let (slots, partitions) = (&self.slots, &self.partitions);
        self.rot.known.retain(|(id, base, _)| {
            let p = slots
                .get(id)
                .and_then(|slot| partitions[*slot as usize].as_deref());
            p.is_some_and(|p| p.segment(*base).is_some())
        });
    }
}
