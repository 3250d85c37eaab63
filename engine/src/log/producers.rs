//! Idempotent producers of one partition: what each appended last, so that a repeated batch is answered, not appended.
//!
//! ```text
//!  batch (epoch, first..last sequence)     known producer                             unknown producer
//!   same epoch, one of the last 5 batches   Duplicate, answered with its offsets       —
//!   epoch older                             InvalidProducerEpoch                       —
//!   same epoch, first = last known + 1      New                                        —
//!   same epoch, any other                   OutOfOrderSequence                         —
//!   epoch newer                             New if first = 0, else OutOfOrderSequence  New, whatever its sequence
//! ```
//!
//! Rules of Kafka's `ProducerStateEntry` and `ProducerAppendInfo`, without transactions. A duplicate older than the five
//! kept is OutOfOrderSequence there too.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{BufMut, BytesMut};

use crate::batch::header::{BatchHeader, sequence_after};
use crate::batch::{Damaged, Reader};
use crate::call::AppendError;
use crate::types::{Offset, Timestamp};

/// Batches remembered per producer: as many as a producer may have in flight.
pub const BATCHES_KEPT: usize = 5;

/// What to do with a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Not from an idempotent producer: append it.
    NoProducer,
    /// Append it, and tell [`Producers::apply`].
    New,
    /// Appended before: answer with this, once that batch is durable.
    Duplicate {
        base_offset: Offset,
        last_offset: Offset,
        /// The batch's largest timestamp: its append time where the topic stamps that.
        timestamp: Timestamp,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Appended {
    last_sequence: i32,
    /// Last sequence less first.
    delta: i32,
    last_offset: Offset,
    timestamp: Timestamp,
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
struct Producer {
    id: i64,
    epoch: i16,
    kept: u8,
    /// Neighbours in the order of use.
    newer: u32,
    older: u32,
    used: Timestamp,
    /// Oldest first; `kept` are in use.
    batches: [Appended; BATCHES_KEPT],
}

impl Producer {
    fn batches(&self) -> &[Appended] {
        &self.batches[..usize::from(self.kept)]
    }

    fn remember(&mut self, epoch: i16, batch: Appended) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.kept = 0;
        }
        if usize::from(self.kept) == BATCHES_KEPT {
            self.batches.copy_within(1.., 0);
            self.kept -= 1;
        }
        self.batches[usize::from(self.kept)] = batch;
        self.kept += 1;
    }
}

/// Per partition. Empty: no heap.
#[derive(Clone, Debug)]
pub struct Producers {
    producers_max: usize,
    slots: Vec<Producer>,
    by_id: BTreeMap<i64, u32>,
    newest: u32,
    oldest: u32,
}

impl Producers {
    /// `producers_max`: how many are kept; the least recently used go first. At least 1.
    pub fn new(producers_max: usize) -> Producers {
        assert!(
            0 < producers_max && producers_max < NONE as usize,
            "{producers_max} producers"
        );
        Producers {
            producers_max,
            slots: Vec::new(),
            by_id: BTreeMap::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Judges a checked batch that is not appended yet.
    pub fn check(&self, header: &BatchHeader) -> Result<Admission, AppendError> {
        if !header.has_producer() {
            return Ok(Admission::NoProducer);
        }
        let Some(producer) = self.find(header.producer_id) else {
            // Kafka takes any first sequence: the state may have expired, or its records may be deleted.
            return Ok(Admission::New);
        };
        let producer = &self.slots[producer as usize];
        if header.producer_epoch < producer.epoch {
            return Err(AppendError::InvalidProducerEpoch);
        }
        let first = header.base_sequence;
        if header.producer_epoch > producer.epoch {
            return if first == 0 {
                Ok(Admission::New)
            } else {
                Err(AppendError::OutOfOrderSequence)
            };
        }
        let duplicate = producer.batches().iter().find(|b| {
            b.last_sequence == header.last_sequence() && b.delta == header.last_offset_delta
        });
        if let Some(batch) = duplicate {
            return Ok(Admission::Duplicate {
                base_offset: Offset(batch.last_offset.0 - i64::from(batch.delta)),
                last_offset: batch.last_offset,
                timestamp: batch.timestamp,
            });
        }
        match producer.batches().last() {
            Some(last) if sequence_after(last.last_sequence, 1) != first => {
                Err(AppendError::OutOfOrderSequence)
            }
            _ => Ok(Admission::New),
        }
    }

    /// Remembers an appended batch. `header`: as stamped. Also replays headers at a start; no rule is checked.
    pub fn apply(&mut self, header: &BatchHeader, now: Timestamp) {
        if !header.has_producer() {
            return;
        }
        let at = match self.find(header.producer_id) {
            Some(at) => at,
            None => self.admit(header.producer_id, header.producer_epoch),
        };
        self.touch(at);
        let producer = &mut self.slots[at as usize];
        producer.used = now;
        producer.remember(
            header.producer_epoch,
            Appended {
                last_sequence: header.last_sequence(),
                delta: header.last_offset_delta,
                last_offset: header.last_offset(),
                timestamp: header.max_timestamp,
            },
        );
    }

    /// Forgets producers unused for `after` or longer.
    pub fn expire(&mut self, now: Timestamp, after: Duration) {
        let after_ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        while self.oldest != NONE
            && now
                .0
                .saturating_sub(self.slots[self.oldest as usize].used.0)
                >= after_ms
        {
            self.remove(self.oldest);
        }
    }

    fn find(&self, id: i64) -> Option<u32> {
        // Most batches come from the producer of the one before.
        match self.slots.get(self.newest as usize) {
            Some(newest) if newest.id == id => Some(self.newest),
            _ => self.by_id.get(&id).copied(),
        }
    }

    /// Makes room for and adds a producer without batches, as the most recently used.
    fn admit(&mut self, id: i64, epoch: i16) -> u32 {
        if self.slots.len() >= self.producers_max {
            self.remove(self.oldest);
        }
        if self.slots.capacity() == 0 {
            self.slots.reserve_exact(1);
        }
        let at = u32::try_from(self.slots.len()).expect("fewer producers than 2^32");
        self.slots.push(Producer {
            id,
            epoch,
            kept: 0,
            newer: NONE,
            older: NONE,
            used: Timestamp::default(),
            batches: [Appended::default(); BATCHES_KEPT],
        });
        self.by_id.insert(id, at);
        self.link_newest(at);
        at
    }

    fn touch(&mut self, at: u32) {
        if self.newest != at {
            self.unlink(at);
            self.link_newest(at);
        }
    }

    fn link_newest(&mut self, at: u32) {
        let before = self.newest;
        self.slots[at as usize].older = before;
        self.slots[at as usize].newer = NONE;
        match self.slots.get_mut(before as usize) {
            Some(before) => before.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let (newer, older) = (self.slots[at as usize].newer, self.slots[at as usize].older);
        match self.slots.get_mut(newer as usize) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn remove(&mut self, at: u32) {
        self.unlink(at);
        self.by_id.remove(&self.slots[at as usize].id);
        self.slots.swap_remove(at as usize);
        // The last slot moved to `at`: whoever named it names it anew.
        let Some(moved) = self.slots.get(at as usize) else {
            return;
        };
        let (id, newer, older) = (moved.id, moved.newer, moved.older);
        self.by_id.insert(id, at);
        match self.slots.get_mut(newer as usize) {
            Some(newer) => newer.older = at,
            None => self.newest = at,
        }
        match self.slots.get_mut(older as usize) {
            Some(older) => older.newer = at,
            None => self.oldest = at,
        }
    }

    /// Appends all producers, the least recently used first.
    pub fn encode(&self, into: &mut BytesMut) {
        into.put_u32(u32::try_from(self.slots.len()).expect("fewer producers than 2^32"));
        let mut at = self.oldest;
        while let Some(producer) = self.slots.get(at as usize) {
            into.put_i64(producer.id);
            into.put_i16(producer.epoch);
            into.put_i64(producer.used.0);
            into.put_u8(producer.kept);
            for batch in producer.batches() {
                into.put_i32(batch.last_sequence);
                into.put_i32(batch.delta);
                into.put_i64(batch.last_offset.0);
                into.put_i64(batch.timestamp.0);
            }
            at = producer.newer;
        }
    }

    /// Reads what [`Producers::encode`] wrote, all of `bytes`. More than `producers_max`: the oldest are left out.
    pub fn decode(bytes: &[u8], producers_max: usize) -> Result<Producers, Damaged> {
        let mut reader = Reader::new(bytes, "producers");
        let mut producers = Producers::new(producers_max);
        for _ in 0..reader.count(19)? {
            let id = reader.i64()?;
            let epoch = reader.i16()?;
            let used = Timestamp(reader.i64()?);
            let kept = reader.u8()?;
            if id < 0
                || epoch < 0
                || usize::from(kept) > BATCHES_KEPT
                || producers.by_id.contains_key(&id)
            {
                return Err(reader.damaged());
            }
            let at = producers.admit(id, epoch);
            producers.slots[at as usize].used = used;
            for _ in 0..kept {
                let batch = Appended {
                    last_sequence: reader.i32()?,
                    delta: reader.i32()?,
                    last_offset: Offset(reader.i64()?),
                    timestamp: Timestamp(reader.i64()?),
                };
                if batch.last_sequence < 0
                    || batch.delta < 0
                    || batch.last_offset.0 < i64::from(batch.delta)
                {
                    return Err(reader.damaged());
                }
                producers.slots[at as usize].remember(epoch, batch);
            }
        }
        reader.end()?;
        Ok(producers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::rng::Rng;
    use crate::types::LeaderEpoch;

    fn header(id: i64, epoch: i16, first: i32, count: i32, at: i64) -> BatchHeader {
        let mut header = BatchHeader::parse(
            &BatchBuilder::new()
                .value(Timestamp(at), b"v")
                .producer(id, epoch, first)
                .base_offset(Offset(at))
                .leader_epoch(LeaderEpoch(0))
                .build(),
        )
        .expect("a batch");
        header.count = count;
        header.last_offset_delta = count - 1;
        header
    }

    fn new() -> Producers {
        Producers::new(8)
    }

    /// Checks, and applies what is admitted as new.
    fn offer(p: &mut Producers, header: BatchHeader) -> Result<Admission, AppendError> {
        let judged = p.check(&header);
        if judged == Ok(Admission::New) {
            p.apply(&header, Timestamp(header.base_offset.0));
        }
        judged
    }

    #[test]
    fn sequences_follow_each_other_and_repeats_are_answered() {
        let mut p = new();
        assert_eq!(
            offer(&mut p, header(-1, -1, -1, 3, 0)),
            Ok(Admission::NoProducer)
        );
        for batch in 0..7 {
            let judged = offer(&mut p, header(1, 0, batch * 10, 10, i64::from(batch) * 10));
            assert_eq!(judged, Ok(Admission::New), "batch {batch}");
        }
        for batch in 2..7 {
            assert_eq!(
                offer(&mut p, header(1, 0, batch * 10, 10, 500)),
                Ok(Admission::Duplicate {
                    base_offset: Offset(i64::from(batch) * 10),
                    last_offset: Offset(i64::from(batch) * 10 + 9),
                    timestamp: Timestamp(i64::from(batch) * 10),
                })
            );
        }
        for (first, count) in [(10, 10), (0, 10), (60, 9), (61, 9), (71, 1), (69, 1)] {
            assert_eq!(
                offer(&mut p, header(1, 0, first, count, 500)),
                Err(AppendError::OutOfOrderSequence),
                "{first}+{count}"
            );
        }
        assert_eq!(offer(&mut p, header(1, 0, 70, 1, 70)), Ok(Admission::New));
    }

    #[test]
    fn epochs_fence_and_begin_at_zero() {
        let mut p = new();
        assert_eq!(
            offer(&mut p, header(1, 4, 77, 2, 0)),
            Ok(Admission::New),
            "unknown"
        );
        assert_eq!(
            offer(&mut p, header(1, 3, 79, 1, 2)),
            Err(AppendError::InvalidProducerEpoch)
        );
        assert_eq!(
            offer(&mut p, header(1, 5, 79, 1, 2)),
            Err(AppendError::OutOfOrderSequence)
        );
        assert_eq!(offer(&mut p, header(1, 5, 0, 1, 2)), Ok(Admission::New));
        assert_eq!(
            offer(&mut p, header(1, 4, 77, 2, 3)),
            Err(AppendError::InvalidProducerEpoch),
            "a repeat of an older epoch is fenced"
        );
        assert_eq!(offer(&mut p, header(1, 5, 1, 1, 3)), Ok(Admission::New));
    }

    #[test]
    fn sequences_wrap() {
        let mut p = new();
        let max = i32::MAX;
        assert_eq!(
            offer(&mut p, header(1, 0, max - 4, 3, 0)),
            Ok(Admission::New)
        );
        assert_eq!(
            offer(&mut p, header(1, 0, max - 1, 5, 3)),
            Ok(Admission::New)
        );
        let Ok(Admission::Duplicate { base_offset, .. }) =
            offer(&mut p, header(1, 0, max - 1, 5, 9))
        else {
            panic!("a repeat across the wrap");
        };
        assert_eq!(base_offset, Offset(3));
        assert_eq!(offer(&mut p, header(1, 0, 3, 1, 8)), Ok(Admission::New));
        assert_eq!(offer(&mut p, header(2, 0, max, 1, 9)), Ok(Admission::New));
        assert_eq!(offer(&mut p, header(2, 0, 0, 1, 10)), Ok(Admission::New));
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let mut p = new();
        for id in 0..8 {
            assert_eq!(offer(&mut p, header(id, 0, 0, 1, id)), Ok(Admission::New));
        }
        assert_eq!(offer(&mut p, header(0, 0, 1, 1, 20)), Ok(Admission::New));
        assert_eq!(offer(&mut p, header(100, 0, 0, 1, 21)), Ok(Admission::New));
        assert_eq!(p.len(), 8);
        assert_eq!(
            p.check(&header(1, 0, 9, 1, 30)),
            Ok(Admission::New),
            "forgotten"
        );
        assert_eq!(
            p.check(&header(0, 0, 9, 1, 30)),
            Err(AppendError::OutOfOrderSequence),
            "kept"
        );
        p.expire(Timestamp(27), Duration::from_millis(7));
        assert_eq!(p.len(), 1, "only the one used at 21");
        p.expire(Timestamp(28), Duration::from_millis(7));
        assert!(p.is_empty());
    }

    /// The list, the map and the slots agree with a simple model.
    #[test]
    fn agrees_with_a_model() {
        for seed in 0..30 {
            let mut rng = Rng::new(seed);
            let mut p = new();
            let mut model: Vec<(i64, i64)> = Vec::new();
            for now in 0..600 {
                let id = rng.below(14) as i64;
                p.apply(&header(id, 0, 0, 1, now), Timestamp(now));
                model.retain(|(known, _)| *known != id);
                if model.len() == 8 {
                    model.remove(0);
                }
                model.push((id, now));
                if rng.one_in(40) {
                    p.expire(Timestamp(now), Duration::from_millis(9));
                    model.retain(|(_, used)| now - used < 9);
                }
                let mut order = Vec::new();
                let mut at = p.oldest;
                while let Some(slot) = p.slots.get(at as usize) {
                    order.push((slot.id, slot.used.0));
                    assert_eq!(p.by_id.get(&slot.id), Some(&at));
                    at = slot.newer;
                }
                assert_eq!(order, model, "seed {seed}, now {now}");
                assert_eq!(p.by_id.len(), model.len());
            }
            let mut bytes = BytesMut::new();
            p.encode(&mut bytes);
            let mut again = BytesMut::new();
            Producers::decode(&bytes, 8)
                .expect("what was encoded")
                .encode(&mut again);
            assert_eq!(bytes, again);
            assert_eq!(
                Producers::decode(&bytes, 2).expect("fewer").len(),
                2.min(p.len())
            );
        }
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let mut p = new();
        for at in 0..20 {
            p.apply(&header(at % 4, 0, at as i32, 1, at), Timestamp(at));
        }
        let mut bytes = BytesMut::new();
        p.encode(&mut bytes);
        for end in 0..bytes.len() {
            assert!(Producers::decode(&bytes[..end], 8).is_err(), "cut at {end}");
        }
        let mut rng = Rng::new(2);
        for _ in 0..20_000 {
            let mut damaged = bytes.to_vec();
            let at = rng.below(damaged.len() as u64) as usize;
            damaged[at] = rng.next_u64() as u8;
            if let Ok(mut p) = Producers::decode(&damaged, 8) {
                let _ = offer(&mut p, header(1, 0, 20, 1, 40));
                let _ = offer(&mut p, header(3, 1, 0, 1, 40));
            }
        }
    }
}
