//! Leader epochs of one partition: which leadership wrote from which offset on (KIP-101, KIP-279, KIP-320).
//!
//! ```text
//!  epoch   3 ─────┐   5 ──────────┐  6 ─ ─ ─ ─ ─►
//!  offset  0      40  40          95 95          log end
//!  end_offset_for(3) = (3, 40)   (4) = (3, 40)   (5) = (5, 95)   (6) = (6, log end)   (7) = none
//! ```
//!
//! Rules of Kafka's `LeaderEpochFileCache`.

use bytes::{BufMut, BytesMut};

use crate::batch::{Damaged, Reader};
use crate::types::{LeaderEpoch, Offset};

/// Per partition. Epochs and offsets grow strictly and together. Empty: no heap.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Epochs {
    entries: Vec<EpochStart>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochStart {
    pub epoch: LeaderEpoch,
    pub start: Offset,
}

impl Epochs {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn entries(&self) -> &[EpochStart] {
        &self.entries
    }

    pub fn latest(&self) -> Option<EpochStart> {
        self.entries.last().copied()
    }

    /// Says that `epoch` writes from `start` on. Entries that contradict it (a later epoch, or a later start) go.
    /// True: something changed.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        assert!(epoch.0 >= 0 && start.0 >= 0, "epoch {epoch:?} from {start:?}");
        if self.entries.last().is_some_and(|last| last.epoch == epoch && last.start <= start) {
            return false;
        }
        while self.entries.last().is_some_and(|last| last.epoch >= epoch || last.start >= start) {
            self.entries.pop();
        }
        if self.entries.capacity() == 0 {
            self.entries.reserve_exact(1);
        }
        self.entries.push(EpochStart { epoch, start });
        true
    }

    /// The answer to OffsetForLeaderEpoch: the largest known epoch at or below `epoch` and where it ended. An epoch
    /// before all known ones answers itself and the first start; one past the latest (or negative) answers `None`
    /// (-1, -1 on the wire).
    pub fn end_offset_for(&self, epoch: LeaderEpoch, log_end: Offset) -> Option<(LeaderEpoch, Offset)> {
        let latest = self.entries.last()?;
        if epoch.0 < 0 || epoch > latest.epoch {
            return None;
        }
        if epoch == latest.epoch {
            return Some((epoch, log_end));
        }
        let higher = self.entries.partition_point(|e| e.epoch <= epoch);
        let end = self.entries[higher].start;
        match higher.checked_sub(1) {
            None => Some((epoch, end)),
            Some(floor) => Some((self.entries[floor].epoch, end)),
        }
    }

    /// The epoch that wrote `offset`; `None` before the first start.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|e| e.start <= offset);
        Some(self.entries[after.checked_sub(1)?].epoch)
    }

    /// The log now ends at `end`: epochs that start at or past it are forgotten.
    pub fn truncate_from_end(&mut self, end: Offset) {
        let keep = self.entries.partition_point(|e| e.start < end);
        self.entries.truncate(keep);
    }

    /// The log now starts at `start`: epochs that ended before are forgotten, the one that wrote `start` begins there.
    pub fn truncate_from_start(&mut self, start: Offset) {
        let after = self.entries.partition_point(|e| e.start <= start);
        if let Some(last_before) = after.checked_sub(1) {
            self.entries.drain(..last_before);
            self.entries[0].start = start;
        }
    }

    /// Appends `count u32, (epoch i32, start i64)*`.
    pub fn encode(&self, into: &mut BytesMut) {
        into.put_u32(u32::try_from(self.entries.len()).expect("fewer epochs than 2^32"));
        for entry in &self.entries {
            into.put_i32(entry.epoch.0);
            into.put_i64(entry.start.0);
        }
    }

    /// Reads what [`Epochs::encode`] wrote, all of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Epochs, Damaged> {
        let mut reader = Reader::new(bytes, "leader epochs");
        let count = reader.count(12)?;
        let mut entries: Vec<EpochStart> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = EpochStart { epoch: LeaderEpoch(reader.i32()?), start: Offset(reader.i64()?) };
            let grows = entries.last().is_none_or(|last| last.epoch < entry.epoch && last.start < entry.start);
            if entry.epoch.0 < 0 || entry.start.0 < 0 || !grows {
                return Err(reader.damaged());
            }
            entries.push(entry);
        }
        reader.end()?;
        Ok(Epochs { entries })
    }
}
