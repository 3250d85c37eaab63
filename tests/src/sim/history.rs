//! What clients did and were told, in order: what the checkers judge. Nothing of the broker's inside is in it.

use std::collections::BTreeMap;

use bytes::Bytes;
use corelane_engine::types::Durability;
use corelane_net::event::ConnId;

use super::world::{ClientId, Start};

/// A topic of the workload; names are never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TopicNo(pub u32);

impl TopicNo {
    pub fn name(self) -> String {
        format!("topic-{}", self.0)
    }

    pub fn of_name(name: &str) -> Option<TopicNo> {
        Some(TopicNo(name.strip_prefix("topic-")?.parse().ok()?))
    }
}

/// One partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub topic: TopicNo,
    pub partition: i32,
}

/// A batch by its number in [`History::batches`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BatchNo(pub u32);

#[derive(Clone, Debug)]
pub struct Topic {
    /// As created.
    pub partitions: i32,
    /// As created. A topic of the class `process` may change it, and is judged by the weaker class all its life.
    pub durability: Durability,
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub place: Place,
    pub client: ClientId,
    /// As sent.
    pub bytes: Bytes,
    pub count: i32,
    pub idempotent: bool,
    /// The connection it was first sent on.
    pub conn: ConnId,
}

#[derive(Clone, Debug)]
pub enum Fact {
    /// A batch leaves the client, the `attempt`-th time; 1 is the first.
    Sent {
        batch: BatchNo,
        attempt: u32,
    },
    Acked {
        batch: BatchNo,
        base: i64,
    },
    /// Refused by a code that says it was not appended. `attempt`: how often it had been sent.
    Refused {
        batch: BatchNo,
        code: i16,
        attempt: u32,
    },
    /// A fetch answered with whole batches from `asked` on.
    Served {
        place: Place,
        asked: i64,
        high_watermark: i64,
        batches: Vec<ServedBatch>,
    },
    /// A fetch was answered by OFFSET_OUT_OF_RANGE.
    OutOfRange {
        place: Place,
        asked: i64,
    },
    CreateAsked(TopicNo),
    Created(TopicNo),
    DeleteAsked(TopicNo),
    Deleted(TopicNo),
    /// So many partitions were asked for, and then were there.
    GrowAsked(TopicNo, i32),
    Grown(TopicNo, i32),
    /// Metadata of all topics, asked when the history had `asked` entries.
    Listed {
        asked: usize,
        topics: Vec<(String, i32)>,
    },
    /// Something that no broker may answer.
    Nonsense(String),
    /// The process of this entry's life was killed.
    Killed,
    /// Power was cut; everything before is of an earlier boot.
    PowerCut,
}

#[derive(Clone, Debug)]
pub struct ServedBatch {
    pub base: i64,
    pub count: i32,
    pub leader_epoch: i32,
    /// `None`: no batch with these bytes was ever sent.
    pub batch: Option<BatchNo>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// Simulated nanoseconds.
    pub at: u64,
    /// The life of the process that said so; the last one, where nobody said it.
    pub life: Start,
    pub fact: Fact,
}

/// A batch as the last read of a whole partition found it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub base: i64,
    pub batch: BatchNo,
    /// Of the append that the log holds now.
    pub leader_epoch: i32,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    pub topics: BTreeMap<TopicNo, Topic>,
    pub batches: Vec<Batch>,
    by_crc: BTreeMap<u32, Vec<BatchNo>>,
    pub entries: Vec<Entry>,
    /// What the last read of everything found; of topics that were not deleted.
    pub logs: BTreeMap<Place, Vec<Found>>,
}

/// Where a broker stamps: base offset and leader epoch. The rest is the producer's.
const STAMPED: [std::ops::Range<usize>; 2] = [0..8, 12..16];

impl History {
    pub fn note(&mut self, at: u64, life: Start, fact: Fact) {
        self.entries.push(Entry { at, life, fact });
    }

    pub fn batch(&self, batch: BatchNo) -> &Batch {
        &self.batches[batch.0 as usize]
    }

    pub fn add_batch(&mut self, batch: Batch) -> BatchNo {
        let number = BatchNo(self.batches.len() as u32);
        let crc = u32::from_be_bytes(batch.bytes[17..21].try_into().expect("a whole header"));
        self.by_crc.entry(crc).or_default().push(number);
        self.batches.push(batch);
        number
    }

    /// The batch that was sent with these bytes.
    pub fn find(&self, served: &[u8]) -> Option<BatchNo> {
        let crc = u32::from_be_bytes(served.get(17..21)?.try_into().ok()?);
        let mut same = self.by_crc.get(&crc)?.iter().copied();
        same.find(|number| {
            let sent = &self.batch(*number).bytes;
            let outside = |at: &usize| !STAMPED.iter().any(|stamp| stamp.contains(at));
            sent.len() == served.len()
                && sent[21..] == served[21..]
                && (0..21).filter(outside).all(|at| sent[at] == served[at])
        })
    }

    pub fn durability(&self, place: Place) -> Durability {
        self.topics[&place.topic].durability
    }

    /// Lives that a power cut ended, or that ended before one.
    pub fn cuts(&self) -> Vec<Start> {
        let cuts = self.entries.iter();
        cuts.filter(|entry| matches!(entry.fact, Fact::PowerCut))
            .map(|entry| entry.life)
            .collect()
    }

    /// Topics whose deletion was asked for.
    pub fn doomed(&self) -> Vec<TopicNo> {
        let asked = self.entries.iter();
        asked
            .filter_map(|entry| match entry.fact {
                Fact::DeleteAsked(topic) => Some(topic),
                _ => None,
            })
            .collect()
    }
}
