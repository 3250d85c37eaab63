//! The sparse index of one segment, in memory: where to begin reading for an offset or a timestamp.
//!
//! ```text
//!  batches   |a......|b....|c.........|d...|e......|
//!  entries    (none at 0)   ▲ c: offset, position, largest timestamp in a..b
//!  offset 7  → last entry with offset ≤ 7, else position 0; read batches from there
//!  time t    → last entry with (largest timestamp before it) < t, else position 0
//! ```
//!
//! An entry is made for the first batch after each interval of bytes. It serves both of Kafka's indexes.

use bytes::{BufMut, BytesMut};

use crate::batch::{Damaged, Reader};
use crate::types::{Offset, SegmentPosition, Timestamp};

/// Per segment. Empty: no heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentIndex {
    base: Offset,
    interval_bytes: u32,
    bytes_since_entry: u32,
    largest: Option<Largest>,
    entries: Vec<Entry>,
}

/// 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    /// Base offset of the batch at `position`, less the segment's.
    offset_delta: u32,
    position: u32,
    /// The largest timestamp of all batches before `position`.
    largest_before: Timestamp,
}

/// The batch with the segment's largest timestamp; of equals the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Largest {
    pub timestamp: Timestamp,
    /// Base offset of the batch; the record within is found by [`crate::batch::offset_of_max_timestamp`].
    pub base_offset: Offset,
    pub position: SegmentPosition,
}

const ENTRY_BYTES: usize = 16;

impl SegmentIndex {
    /// `base`: the segment's base offset.
    pub fn new(base: Offset, interval_bytes: u32) -> SegmentIndex {
        SegmentIndex {
            base,
            interval_bytes,
            bytes_since_entry: 0,
            largest: None,
            entries: Vec::new(),
        }
    }

    /// Whether a batch with this last offset may go into the segment: else it must roll first.
    pub fn fits(&self, last_offset: Offset) -> bool {
        last_offset
            .0
            .checked_sub(self.base.0)
            .is_some_and(|delta| (0..=i64::from(i32::MAX)).contains(&delta))
    }

    /// Tells of the next batch: base offset, position, its largest timestamp, its length. Offsets and positions grow.
    /// True: an entry was added.
    pub fn append(
        &mut self,
        offset: Offset,
        position: SegmentPosition,
        max_timestamp: Timestamp,
        bytes: u32,
    ) -> bool {
        let delta = u32::try_from(offset.0 - self.base.0).expect("offset within the segment");
        let at = u32::try_from(position.0).expect("position within the segment");
        let due = self.bytes_since_entry >= self.interval_bytes;
        if due {
            if let Some(last) = self.entries.last() {
                assert!(
                    last.offset_delta < delta && last.position < at,
                    "batch at {offset:?}, {position:?} after {last:?}"
                );
            }
            self.entries.push(Entry {
                offset_delta: delta,
                position: at,
                largest_before: self.largest.map_or(Timestamp(i64::MIN), |l| l.timestamp),
            });
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry = self.bytes_since_entry.saturating_add(bytes);
        if self.largest.is_none_or(|l| l.timestamp < max_timestamp) {
            self.largest = Some(Largest {
                timestamp: max_timestamp,
                base_offset: offset,
                position,
            });
        }
        due
    }

    /// A batch boundary at or before the batch that holds `offset`: read on from there.
    pub fn position_at_or_before(&self, offset: Offset) -> SegmentPosition {
        let delta = offset.0.saturating_sub(self.base.0);
        let after = self
            .entries
            .partition_point(|e| i64::from(e.offset_delta) <= delta);
        self.position_before(after)
    }

    /// As `position_at_or_before`, with the base offset of the batch there.
    pub fn at_or_before(&self, offset: Offset) -> (Offset, SegmentPosition) {
        let position = self.position_at_or_before(offset);
        (self.offset_of(position), position)
    }

    /// The base offset of the batch at a position that this index gave.
    pub fn offset_of(&self, position: SegmentPosition) -> Offset {
        let after = self
            .entries
            .partition_point(|e| u64::from(e.position) <= position.0);
        let delta = (after.checked_sub(1)).map_or(0, |at| self.entries[at].offset_delta);
        Offset(self.base.0 + i64::from(delta))
    }

    /// A batch boundary such that no record before it has a timestamp at or after `timestamp`; `None`: nor has any
    /// record in the segment.
    pub fn position_for_timestamp(&self, timestamp: Timestamp) -> Option<SegmentPosition> {
        if self.largest?.timestamp < timestamp {
            return None;
        }
        let after = self
            .entries
            .partition_point(|e| e.largest_before < timestamp);
        Some(self.position_before(after))
    }

    fn position_before(&self, entry: usize) -> SegmentPosition {
        match entry.checked_sub(1) {
            None => SegmentPosition(0),
            Some(at) => SegmentPosition(u64::from(self.entries[at].position)),
        }
    }

    /// The next entry's position after `position`: what `position_for_timestamp` promised lies before it.
    pub fn position_after(&self, position: SegmentPosition) -> Option<SegmentPosition> {
        let next = self
            .entries
            .partition_point(|e| u64::from(e.position) <= position.0);
        let entry = self.entries.get(next)?;
        Some(SegmentPosition(u64::from(entry.position)))
    }

    /// The entries of positions in `from..to`, in order.
    pub fn entries_within(
        &self,
        from: u64,
        to: u64,
    ) -> impl Iterator<Item = (Offset, SegmentPosition)> {
        let begin = self
            .entries
            .partition_point(|e| u64::from(e.position) < from);
        let end = self.entries.partition_point(|e| u64::from(e.position) < to);
        let entries = self.entries.get(begin..end).unwrap_or_default();
        entries.iter().map(|e| {
            let offset = Offset(self.base.0 + i64::from(e.offset_delta));
            (offset, SegmentPosition(u64::from(e.position)))
        })
    }

    /// The batch with the largest timestamp; `None` in an empty segment.
    pub fn largest(&self) -> Option<Largest> {
        self.largest
    }

    pub fn base(&self) -> Offset {
        self.base
    }

    /// Entries so far: the argument of a later [`SegmentIndex::encode_from`].
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends the whole index.
    pub fn encode(&self, into: &mut BytesMut) {
        self.encode_from(0, into);
    }

    /// Appends the state of the segment and the entries from `entry` on, for [`SegmentIndex::extend_from`] of an index
    /// that holds the entries before.
    pub fn encode_from(&self, entry: usize, into: &mut BytesMut) {
        let new = &self.entries[entry..];
        into.reserve(48 + new.len() * ENTRY_BYTES);
        into.put_i64(self.base.0);
        into.put_u32(self.interval_bytes);
        into.put_u32(self.bytes_since_entry);
        into.put_u8(u8::from(self.largest.is_some()));
        if let Some(largest) = self.largest {
            into.put_i64(largest.timestamp.0);
            into.put_i64(largest.base_offset.0);
            into.put_u64(largest.position.0);
        }
        into.put_u32(u32::try_from(entry).expect("fewer entries than 2^32"));
        into.put_u32(u32::try_from(new.len()).expect("fewer entries than 2^32"));
        for e in new {
            into.put_u32(e.offset_delta);
            into.put_u32(e.position);
            into.put_i64(e.largest_before.0);
        }
    }

    /// Reads what [`SegmentIndex::encode`] wrote, all of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<SegmentIndex, Damaged> {
        let base = Reader::new(bytes, "segment index").i64()?;
        let mut index = SegmentIndex::new(Offset(base), 0);
        index.extend_from(bytes)?;
        Ok(index)
    }

    /// Replaces the state, and the entries from the encoded first one on, by what [`SegmentIndex::encode_from`] wrote.
    /// On an error nothing has changed.
    pub fn extend_from(&mut self, bytes: &[u8]) -> Result<(), Damaged> {
        let mut reader = Reader::new(bytes, "segment index");
        let base = Offset(reader.i64()?);
        let interval_bytes = reader.u32()?;
        let bytes_since_entry = reader.u32()?;
        let largest = match reader.u8()? {
            0 => None,
            1 => Some(Largest {
                timestamp: Timestamp(reader.i64()?),
                base_offset: Offset(reader.i64()?),
                position: SegmentPosition(reader.u64()?),
            }),
            _ => return Err(reader.damaged()),
        };
        let first = reader.u32()? as usize;
        let count = reader.count(ENTRY_BYTES)?;
        if base != self.base || base.0 < 0 || first > self.entries.len() {
            return Err(reader.damaged());
        }
        let mut new: Vec<Entry> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = Entry {
                offset_delta: reader.u32()?,
                position: reader.u32()?,
                largest_before: Timestamp(reader.i64()?),
            };
            let before = match new.last() {
                Some(last) => Some(last),
                None => first.checked_sub(1).map(|at| &self.entries[at]),
            };
            let grows = before.is_none_or(|b| {
                b.offset_delta < entry.offset_delta
                    && b.position < entry.position
                    && b.largest_before <= entry.largest_before
            });
            if !grows {
                return Err(reader.damaged());
            }
            new.push(entry);
        }
        reader.end()?;
        let last = new
            .last()
            .or(first.checked_sub(1).map(|at| &self.entries[at]));
        let in_order = match (last, largest) {
            (Some(last), Some(largest)) => last.largest_before <= largest.timestamp,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if !in_order {
            return Err(reader.damaged());
        }
        self.entries.truncate(first);
        self.entries.append(&mut new);
        self.interval_bytes = interval_bytes;
        self.bytes_since_entry = bytes_since_entry;
        self.largest = largest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// (offset, position, timestamp) of each batch, and the index over them.
    fn filled(seed: u64, batches: usize) -> (Vec<(i64, u64, i64)>, SegmentIndex) {
        let mut rng = Rng::new(seed);
        let mut index = SegmentIndex::new(Offset(1000), 1024);
        let (mut offset, mut position, mut all) = (1000, 0, Vec::new());
        for _ in 0..batches {
            let bytes = 61 + rng.below(600);
            let timestamp = rng.below(1000) as i64;
            index.append(
                Offset(offset),
                SegmentPosition(position),
                Timestamp(timestamp),
                bytes as u32,
            );
            all.push((offset, position, timestamp));
            offset += 1 + rng.below(50) as i64;
            position += bytes;
        }
        (all, index)
    }

    #[test]
    fn finds_a_place_at_or_before_and_not_far() {
        for seed in 0..20 {
            let (batches, index) = filled(seed, 300);
            assert!(index.len() > 50);
            for offset in 990..batches[299].0 + 10 {
                let found = index.position_at_or_before(Offset(offset)).0;
                let holds = batches.iter().rfind(|b| b.0 <= offset).map_or(0, |b| b.1);
                let at = batches.iter().find(|b| b.1 == found).expect("a boundary");
                let there = (Offset(at.0), SegmentPosition(found));
                assert_eq!(index.at_or_before(Offset(offset)), there);
                assert!(found <= holds && holds - found < 1024 + 700, "{offset}");
            }
            for timestamp in -1..1001 {
                let first = batches.iter().find(|b| b.2 >= timestamp);
                let found = index.position_for_timestamp(Timestamp(timestamp));
                assert_eq!(found.is_some(), first.is_some(), "{timestamp}");
                if let (Some(found), Some(first)) = (found, first) {
                    assert!(found.0 <= first.1, "{timestamp} would be passed over");
                    assert!(first.1 - found.0 < 1024 + 700, "{timestamp}");
                }
            }
            let largest = index.largest().expect("300 batches");
            let expected = batches
                .iter()
                .rev()
                .max_by_key(|b| b.2)
                .expect("300 batches");
            assert_eq!(
                (
                    largest.base_offset.0,
                    largest.position.0,
                    largest.timestamp.0
                ),
                *expected
            );
        }
    }

    #[test]
    fn an_empty_index_points_to_the_start() {
        let index = SegmentIndex::new(Offset(5), 1024);
        assert_eq!(index.position_at_or_before(Offset(9)), SegmentPosition(0));
        assert_eq!(index.position_for_timestamp(Timestamp(0)), None);
        assert!(index.fits(Offset(5 + i64::from(i32::MAX))));
        assert!(!index.fits(Offset(6 + i64::from(i32::MAX))));
        assert!(!index.fits(Offset(4)));
        assert_eq!(size_of::<Entry>(), ENTRY_BYTES);
    }

    #[test]
    fn encodes_whole_and_in_parts() {
        let (_, index) = filled(7, 200);
        let (_, half) = filled(7, 100);
        let mut whole = BytesMut::new();
        index.encode(&mut whole);
        assert_eq!(SegmentIndex::decode(&whole).as_ref(), Ok(&index));
        let mut part = BytesMut::new();
        index.encode_from(half.len(), &mut part);
        assert!(part.len() < whole.len());
        let mut grown = half.clone();
        grown.extend_from(&part).expect("the rest");
        assert_eq!(grown, index);
        let mut gap = BytesMut::new();
        index.encode_from(half.len() + 1, &mut gap);
        let mut grown = half.clone();
        assert!(grown.extend_from(&gap).is_err());
        assert_eq!(grown, half, "an error changes nothing");
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let (_, index) = filled(3, 60);
        let mut bytes = BytesMut::new();
        index.encode(&mut bytes);
        for end in 0..bytes.len() {
            assert!(SegmentIndex::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut rng = Rng::new(1);
        for _ in 0..20_000 {
            let mut damaged = bytes.to_vec();
            for _ in 0..1 + rng.below(3) {
                let at = rng.below(damaged.len() as u64) as usize;
                damaged[at] = rng.next_u64() as u8;
            }
            if let Ok(index) = SegmentIndex::decode(&damaged) {
                index.position_at_or_before(Offset(rng.next_u64() as i64));
                index.position_for_timestamp(Timestamp(rng.next_u64() as i64));
            }
        }
    }
}
