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
        assert!(0 < producers_max && producers_max < NONE as usize, "{producers_max} producers");
        Producers { producers_max, slots: Vec::new(), by_id: BTreeMap::new(), newest: NONE, oldest: NONE }
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
            return if first == 0 { Ok(Admission::New) } else { Err(AppendError::OutOfOrderSequence) };
        }
        let duplicate = producer
            .batches()
            .iter()
            .find(|b| b.last_sequence == header.last_sequence() && b.delta == header.last_offset_delta);
        if let Some(batch) = duplicate {
            return Ok(Admission::Duplicate {
                base_offset: Offset(batch.last_offset.0 - i64::from(batch.delta)),
                last_offset: batch.last_offset,
                timestamp: batch.timestamp,
            });
        }
        match producer.batches().last() {
            Some(last) if sequence_after(last.last_sequence, 1) != first => Err(AppendError::OutOfOrderSequence),
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
        while self.oldest != NONE && now.0.saturating_sub(self.slots[self.oldest as usize].used.0) >= after_ms {
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
            if id < 0 || epoch < 0 || usize::from(kept) > BATCHES_KEPT || producers.by_id.contains_key(&id) {
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
                if batch.last_sequence < 0 || batch.delta < 0 || batch.last_offset.0 < i64::from(batch.delta) {
                    return Err(reader.damaged());
                }
                producers.slots[at as usize].remember(epoch, batch);
            }
        }
        reader.end()?;
        Ok(producers)
    }
}
