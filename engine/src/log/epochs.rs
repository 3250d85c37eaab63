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
        assert!(
            epoch.0 >= 0 && start.0 >= 0,
            "epoch {epoch:?} from {start:?}"
        );
        if self
            .entries
            .last()
            .is_some_and(|last| last.epoch == epoch && last.start <= start)
        {
            return false;
        }
        while self
            .entries
            .last()
            .is_some_and(|last| last.epoch >= epoch || last.start >= start)
        {
            self.entries.pop();
        }
        if self.entries.capacity() == 0 {
            self.entries.reserve_exact(1);
        }
        self.entries.push(EpochStart { epoch, start });
        true
    }

    /// The answer to OffsetForLeaderEpoch: the largest known epoch at or below `epoch` and where it ended. An epoch
    /// before all known ones answers itself and the first start; one past the latest (or -1, none) answers `None`
    /// (-1, -1 on the wire).
    pub fn end_offset_for(
        &self,
        epoch: LeaderEpoch,
        log_end: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        let latest = self.entries.last()?;
        if epoch.0 == -1 || epoch > latest.epoch {
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

    /// The epoch that wrote `offset`, if it is known, and all after it.
    pub fn from(&self, offset: Offset) -> &[EpochStart] {
        let after = self.entries.partition_point(|e| e.start <= offset);
        &self.entries[after.saturating_sub(1)..]
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
            let entry = EpochStart {
                epoch: LeaderEpoch(reader.i32()?),
                start: Offset(reader.i64()?),
            };
            let grows = entries
                .last()
                .is_none_or(|last| last.epoch < entry.epoch && last.start < entry.start);
            if entry.epoch.0 < 0 || entry.start.0 < 0 || !grows {
                return Err(reader.damaged());
            }
            entries.push(entry);
        }
        reader.end()?;
        Ok(Epochs { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn epochs(entries: &[(i32, i64)]) -> Epochs {
        let mut epochs = Epochs::default();
        for (epoch, start) in entries {
            epochs.assign(LeaderEpoch(*epoch), Offset(*start));
        }
        epochs
    }

    fn pairs(epochs: &Epochs) -> Vec<(i32, i64)> {
        epochs
            .entries()
            .iter()
            .map(|e| (e.epoch.0, e.start.0))
            .collect()
    }

    #[test]
    fn assigning_keeps_both_columns_growing() {
        let check = |entries: &[(i32, i64)], expected: &[(i32, i64)]| {
            assert_eq!(pairs(&epochs(entries)), expected, "{entries:?}");
        };
        check(&[(2, 0), (2, 5)], &[(2, 0)]);
        check(&[(2, 5), (2, 3)], &[(2, 3)]);
        check(&[(2, 0), (3, 5), (4, 9)], &[(2, 0), (3, 5), (4, 9)]);
        check(&[(2, 0), (3, 5), (4, 5)], &[(2, 0), (4, 5)]);
        check(&[(2, 0), (3, 5), (4, 9), (3, 11)], &[(2, 0), (3, 11)]);
        check(&[(2, 0), (3, 5), (4, 9), (5, 4)], &[(2, 0), (5, 4)]);
    }

    #[test]
    fn end_offsets_are_those_of_kafka() {
        let known = epochs(&[(3, 0), (5, 40), (6, 95)]);
        let check = |epoch: i32, expected: Option<(i32, i64)>| {
            let found = known.end_offset_for(LeaderEpoch(epoch), Offset(120));
            assert_eq!(found.map(|(e, o)| (e.0, o.0)), expected, "epoch {epoch}");
        };
        check(-1, None);
        check(-2, Some((-2, 0)));
        check(2, Some((2, 0)));
        check(3, Some((3, 40)));
        check(4, Some((3, 40)));
        check(5, Some((5, 95)));
        check(6, Some((6, 120)));
        check(7, None);
        assert_eq!(
            Epochs::default().end_offset_for(LeaderEpoch(0), Offset(9)),
            None
        );
    }

    #[test]
    fn truncation_at_both_ends() {
        let known = [(3, 10), (5, 40), (6, 95)];
        let from_end = |end: i64| {
            let mut epochs = epochs(&known);
            epochs.truncate_from_end(Offset(end));
            pairs(&epochs)
        };
        assert_eq!(from_end(96), known);
        assert_eq!(from_end(95), known[..2]);
        assert_eq!(from_end(41), known[..2]);
        assert_eq!(from_end(10), []);
        let from_start = |start: i64| {
            let mut epochs = epochs(&known);
            epochs.truncate_from_start(Offset(start));
            pairs(&epochs)
        };
        assert_eq!(from_start(5), known);
        assert_eq!(from_start(10), known);
        assert_eq!(from_start(39), [(3, 39), (5, 40), (6, 95)]);
        assert_eq!(from_start(40), [(5, 40), (6, 95)]);
        assert_eq!(from_start(500), [(6, 500)]);
        let epochs = epochs(&known);
        let at = |offset| epochs.epoch_at(Offset(offset)).map(|e| e.0);
        assert_eq!(
            [at(9), at(10), at(40), at(94), at(1 << 40)],
            [None, Some(3), Some(5), Some(5), Some(6)]
        );
    }

    #[test]
    fn decodes_what_it_encodes_and_nothing_else_panics() {
        let mut bytes = BytesMut::new();
        let known = epochs(&[(3, 10), (5, 40), (6, 95)]);
        known.encode(&mut bytes);
        assert_eq!(Epochs::decode(&bytes), Ok(known));
        for end in 0..bytes.len() {
            assert!(Epochs::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut rng = Rng::new(4);
        for _ in 0..20_000 {
            let mut damaged = bytes.to_vec();
            let at = rng.below(damaged.len() as u64) as usize;
            damaged[at] = rng.next_u64() as u8;
            if let Ok(epochs) = Epochs::decode(&damaged) {
                assert!(
                    epochs
                        .entries()
                        .is_sorted_by(|a, b| a.epoch < b.epoch && a.start < b.start)
                );
            }
        }
    }
}
