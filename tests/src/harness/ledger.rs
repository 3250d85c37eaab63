//! What a broker promised: every record offered and every acknowledgement, checked against what it gives back.
//!
//! ```text
//!   offer ─► Pending ──acked──► Acked: must be read, once, at its offset
//!               └────failed───► Unknown: may be read, at most once (the answer was lost, not the record)
//!   in each partition, the records of one producer come back in the order offered
//! ```

use std::collections::BTreeMap;
use std::fmt;

/// Which record: `producer` numbers its records of each partition 0, 1, 2, …
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RecordId {
    pub producer: u32,
    pub number: u32,
}

/// One partition by topic name.
pub type Partition = (String, i32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Pending,
    Acked(i64),
    Unknown,
}

#[derive(Clone, Debug)]
struct Entry {
    fate: Fate,
    bytes: usize,
    hash: u64,
}

/// One record as read back.
#[derive(Clone, Debug)]
pub struct Read {
    pub offset: i64,
    pub id: RecordId,
    pub bytes: usize,
    pub hash: u64,
}

/// A broken promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broken {
    Lost(Partition, RecordId, i64),
    Moved(Partition, RecordId, i64, i64),
    Doubled(Partition, RecordId, i64, i64),
    Reordered(Partition, RecordId, RecordId),
    NeverSent(Partition, RecordId, i64),
    Changed(Partition, RecordId, i64),
    OffsetsFallBack(Partition, i64, i64),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Every record of one run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    partitions: BTreeMap<Partition, BTreeMap<RecordId, Entry>>,
}

impl Ledger {
    /// The next number of `producer` in `partition`.
    pub fn next(&self, partition: &Partition, producer: u32) -> RecordId {
        let id = |number| RecordId { producer, number };
        let last = self
            .partitions
            .get(partition)
            .and_then(|entries| entries.range(id(0)..=id(u32::MAX)).next_back());
        id(last.map_or(0, |(last, _)| last.number + 1))
    }

    /// A record was handed to the client library.
    pub fn offer(&mut self, partition: &Partition, id: RecordId, bytes: usize, hash: u64) {
        let entries = self.partitions.entry(partition.clone()).or_default();
        let fate = Fate::Pending;
        let before = entries.insert(id, Entry { fate, bytes, hash });
        assert!(before.is_none(), "{id:?} was offered twice");
    }

    /// The broker acknowledged it.
    pub fn acked(&mut self, partition: &Partition, id: RecordId, offset: i64) {
        self.settle(partition, id, Fate::Acked(offset));
    }

    /// The client library gave up on it.
    pub fn failed(&mut self, partition: &Partition, id: RecordId) {
        self.settle(partition, id, Fate::Unknown);
    }

    fn settle(&mut self, partition: &Partition, id: RecordId, fate: Fate) {
        let entry = self
            .partitions
            .get_mut(partition)
            .and_then(|entries| entries.get_mut(&id))
            .unwrap_or_else(|| panic!("{id:?} of {partition:?} was never offered"));
        assert_eq!(entry.fate, Fate::Pending, "{id:?} was settled twice");
        entry.fate = fate;
    }

    /// Every partition something was offered to.
    pub fn partitions(&self) -> Vec<Partition> {
        self.partitions.keys().cloned().collect()
    }

    /// How long a record is that was offered.
    pub fn bytes_of(&self, partition: &Partition, id: RecordId) -> u64 {
        let entry = self.partitions.get(partition).and_then(|e| e.get(&id));
        entry.map_or(0, |entry| entry.bytes as u64)
    }

    /// How many records were acknowledged.
    pub fn acked_count(&self) -> usize {
        self.entries()
            .filter(|entry| matches!(entry.fate, Fate::Acked(_)))
            .count()
    }

    /// How many records are not yet settled.
    pub fn pending_count(&self) -> usize {
        self.entries()
            .filter(|entry| entry.fate == Fate::Pending)
            .count()
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.partitions.values().flat_map(BTreeMap::values)
    }

    /// The end a reader must reach to have seen every acknowledged record of `partition`.
    pub fn acked_end(&self, partition: &Partition) -> i64 {
        let entries = self.partitions.get(partition);
        entries
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|entry| match entry.fate {
                Fate::Acked(offset) => offset + 1,
                Fate::Pending | Fate::Unknown => 0,
            })
            .max()
            .unwrap_or(0)
    }

    /// Compares what `partition` gave back, from its start, with what was promised before the reading began: `self` is
    /// a clone of that moment. Records offered later may appear; `now` names them.
    pub fn check(&self, now: &Ledger, partition: &Partition, reads: &[Read]) -> Vec<Broken> {
        self.check_from(now, partition, reads, 0)
    }

    /// [`Ledger::check`] of a log that may rightly begin at `begin`: what lay before it need not be read.
    pub fn check_from(
        &self,
        now: &Ledger,
        partition: &Partition,
        reads: &[Read],
        begin: i64,
    ) -> Vec<Broken> {
        let none = BTreeMap::new();
        let promised = self.partitions.get(partition).unwrap_or(&none);
        let known = now.partitions.get(partition).unwrap_or(&none);
        let mut broken = Vec::new();
        let mut seen: BTreeMap<RecordId, i64> = BTreeMap::new();
        let mut last_of: BTreeMap<u32, RecordId> = BTreeMap::new();
        let mut end = 0;
        for read in reads {
            let here = || partition.clone();
            if read.offset < end {
                broken.push(Broken::OffsetsFallBack(here(), read.offset, end));
            }
            end = read.offset + 1;
            match known.get(&read.id) {
                None => broken.push(Broken::NeverSent(here(), read.id, read.offset)),
                Some(entry) if (entry.bytes, entry.hash) != (read.bytes, read.hash) => {
                    broken.push(Broken::Changed(here(), read.id, read.offset));
                }
                Some(_) => {}
            }
            if let Some(first) = seen.insert(read.id, read.offset) {
                broken.push(Broken::Doubled(here(), read.id, first, read.offset));
            } else if let Some(before) = last_of.insert(read.id.producer, read.id)
                && before > read.id
            {
                broken.push(Broken::Reordered(here(), before, read.id));
            }
        }
        for (&id, entry) in promised {
            if let Fate::Acked(offset) = entry.fate {
                match seen.get(&id) {
                    None if offset < begin => {}
                    None => broken.push(Broken::Lost(partition.clone(), id, offset)),
                    Some(&at) if at != offset => {
                        broken.push(Broken::Moved(partition.clone(), id, offset, at));
                    }
                    Some(_) => {}
                }
            }
        }
        broken
    }
}

/// Tells one content from another, no more.
pub fn hash(bytes: &[u8]) -> u64 {
    u64::from(crc32c::crc32c(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> RecordId {
        RecordId {
            producer: 1,
            number,
        }
    }

    fn read(offset: i64, number: u32) -> Read {
        Read {
            offset,
            id: id(number),
            bytes: 10,
            hash: u64::from(number),
        }
    }

    /// Four records: 0 and 1 acked, 2 failed, 3 still pending. What breaks when `reads` come back?
    fn check(reads: &[Read], expected: &[Broken]) {
        let partition = ("t".to_owned(), 0);
        let mut ledger = Ledger::default();
        for number in 0..4 {
            assert_eq!(ledger.next(&partition, 1), id(number));
            ledger.offer(&partition, id(number), 10, u64::from(number));
        }
        ledger.acked(&partition, id(0), 0);
        ledger.acked(&partition, id(1), 1);
        ledger.failed(&partition, id(2));
        assert_eq!((ledger.acked_count(), ledger.pending_count()), (2, 1));
        assert_eq!(ledger.acked_end(&partition), 2);
        assert_eq!(ledger.check(&ledger, &partition, reads), expected);
    }

    #[test]
    fn kept_promises_pass_with_or_without_the_unacknowledged() {
        check(&[read(0, 0), read(1, 1)], &[]);
        check(&[read(0, 0), read(1, 1), read(2, 2), read(3, 3)], &[]);
        check(&[read(0, 0), read(1, 1), read(2, 3)], &[]);
    }

    #[test]
    fn planted_faults_are_found() {
        let t = || ("t".to_owned(), 0);
        check(&[read(0, 0)], &[Broken::Lost(t(), id(1), 1)]);
        check(
            &[read(0, 0), read(1, 1), read(2, 1)],
            &[
                Broken::Doubled(t(), id(1), 1, 2),
                Broken::Moved(t(), id(1), 1, 2),
            ],
        );
        check(
            &[read(0, 0), read(1, 1), read(2, 3), read(3, 2)],
            &[Broken::Reordered(t(), id(3), id(2))],
        );
        check(
            &[read(0, 0), read(2, 1)],
            &[Broken::Moved(t(), id(1), 1, 2)],
        );
        check(
            &[read(0, 0), read(1, 1), read(2, 9)],
            &[Broken::NeverSent(t(), id(9), 2)],
        );
        let mut changed = read(1, 1);
        changed.hash = 99;
        check(&[read(0, 0), changed], &[Broken::Changed(t(), id(1), 1)]);
        check(
            &[read(0, 0), read(1, 1), read(1, 2)],
            &[Broken::OffsetsFallBack(t(), 1, 2)],
        );
    }

    #[test]
    fn what_lay_before_the_begin_is_not_owed() {
        let partition = ("t".to_owned(), 0);
        let mut ledger = Ledger::default();
        for number in 0..3 {
            ledger.offer(&partition, id(number), 10, u64::from(number));
            ledger.acked(&partition, id(number), number.into());
        }
        let from = |reads: &[Read], begin| ledger.check_from(&ledger, &partition, reads, begin);
        assert_eq!(from(&[read(1, 1), read(2, 2)], 1), []);
        assert_eq!(from(&[read(0, 0), read(2, 2)], 1).len(), 1);
        let lost = Broken::Lost(partition.clone(), id(1), 1);
        assert_eq!(from(&[read(2, 2)], 1), [lost]);
    }

    #[test]
    fn a_record_offered_while_reading_is_known_but_not_owed() {
        let partition = ("t".to_owned(), 0);
        let before = Ledger::default();
        let mut now = before.clone();
        now.offer(&partition, id(0), 10, 0);
        now.acked(&partition, id(0), 0);
        assert_eq!(before.check(&now, &partition, &[read(0, 0)]), []);
        assert_eq!(before.check(&now, &partition, &[]), []);
    }
}
