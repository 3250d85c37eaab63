//! What clients did and were told, in order: what the checkers judge. Nothing of the broker's inside is in it.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use corelane_engine::types::Durability;
use corelane_net::event::ConnId;

use super::groups::story::{Asked, CallNo, GroupNo, Told};
use super::world::{ClientId, Start};

/// A topic of the workload. Those whose numbers differ by [`TopicNo::NAMES`] have one name, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TopicNo(pub u32);

impl TopicNo {
    pub const NAMES: u32 = 1_000;

    pub fn name(self) -> String {
        format!("topic-{}", self.first().0)
    }

    /// The first of its name.
    pub fn first(self) -> TopicNo {
        TopicNo(self.0 % TopicNo::NAMES)
    }

    /// The next of its name.
    pub fn next(self) -> TopicNo {
        TopicNo(self.0 + TopicNo::NAMES)
    }

    /// The first of this name.
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

impl Place {
    /// The partition of this number of the first topic of its topic's name.
    pub fn first(self) -> Place {
        Place {
            topic: self.topic.first(),
            ..self
        }
    }
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
    pub times: Times,
    /// The broker opens every batch, compressed ones too (`corelane.validate=records`).
    pub opened: bool,
    pub expiry: Expiry,
}

/// What may go by itself: of what was ever configured, that which takes most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    Never,
    /// Whole segments, while so many bytes are left.
    Bytes(u64),
    /// Segments whose records are all so old.
    Ms(i64),
}

/// Who says when a batch was made (`message.timestamp.type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Times {
    Create,
    LogAppend,
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub place: Place,
    pub client: ClientId,
    /// As sent.
    pub bytes: Bytes,
    pub count: i32,
    /// When its records were made, as they say.
    pub time: i64,
    pub idempotent: bool,
    /// The connection it was first sent on.
    pub conn: ConnId,
}

impl Batch {
    /// For who reads the events of a seed.
    pub fn describe(&self) -> String {
        let field = |at: usize| {
            self.bytes[at..at + 8]
                .try_into()
                .expect("within the header")
        };
        let producer = i64::from_be_bytes(field(43));
        let sequence = i64::from_be_bytes(field(53)) >> 32;
        let (place, client, count) = (self.place, self.client, self.count);
        format!("{place:?} of {client:?}, {count} records, {producer} from {sequence} on")
    }
}

#[derive(Clone, Debug)]
pub enum Fact {
    /// A batch leaves the client, the `attempt`-th time; 1 is the first.
    Sent {
        batch: BatchNo,
        attempt: u32,
    },
    /// `time`: the broker's stamp; -1: it is the producer's.
    Acked {
        batch: BatchNo,
        base: i64,
        time: i64,
    },
    /// Refused by a code that says it was not appended. `attempt`: how often it had been sent.
    Refused {
        batch: BatchNo,
        code: i16,
        attempt: u32,
    },
    /// Answered by a code that leaves the outcome open: timed out, storage.
    Undecided {
        batch: BatchNo,
        code: i16,
    },
    /// A fetch answered with whole batches from `asked` on.
    Served {
        place: Place,
        asked: i64,
        high_watermark: i64,
        batches: Vec<ServedBatch>,
        /// The length of the history when it was asked.
        when: usize,
    },
    /// Records below are to be deleted; -1: all there are.
    TrimAsked {
        place: Place,
        below: i64,
    },
    /// The log begins here, as was asked when the history had `when` entries.
    Begins {
        place: Place,
        begin: i64,
        when: usize,
    },
    /// A fetch was answered by OFFSET_OUT_OF_RANGE.
    OutOfRange {
        place: Place,
        asked: i64,
    },
    /// A fetch was answered by a code that says: the broker could not, or must not, read this.
    Unreadable {
        place: Place,
        asked: i64,
        code: i16,
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
    /// A member, or a client beside the group, asks something of it.
    GroupAsked {
        call: CallNo,
        client: ClientId,
        conn: ConnId,
        group: GroupNo,
        asked: Asked,
    },
    GroupTold {
        call: CallNo,
        told: Told,
    },
    /// From now on the topic of the groups may be told to acknowledge before the flush.
    OffsetsWeak,
    /// Since everything healed, every member was told that it is alive in one generation.
    GroupStable(GroupNo),
    /// Something that no broker may answer.
    Nonsense(String),
    /// The process of this entry's life was killed.
    Killed,
    /// The process of this entry's life was stopped before it took a client.
    StoppedEarly,
    /// Power was cut; everything before is of an earlier boot.
    PowerCut,
    /// The disk failed an operation; `fatal`: nobody can know what that left on it. `lost`: what no flush covers may be
    /// gone, as after a power cut.
    DiskFailed {
        what: String,
        fatal: bool,
        lost: bool,
    },
    /// From now on nothing can grow, for a while.
    DiskFull,
    /// A stored bit of this partition was flipped.
    Rotted(Place),
    /// A write of this partition's landed elsewhere in its file, and was reported as done.
    Misplaced(Place),
    /// The process of this entry's life ended by its own will; `disk`: it named its disk.
    Exited {
        what: String,
        disk: bool,
    },
    /// Nothing fails from now on.
    Healed,
    /// A client that asked for something after that has its answer.
    CaughtUp(ClientId),
}

#[derive(Clone, Debug)]
pub struct ServedBatch {
    pub base: i64,
    pub count: i32,
    pub leader_epoch: i32,
    pub max_timestamp: i64,
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
    /// Where that read began.
    pub begins: BTreeMap<Place, i64>,
    /// The least that batches were ever limited to (`max.message.bytes`), if they were.
    pub batch_bytes_least: Option<usize>,
    /// How long committed offsets live, in nanoseconds, if they do not live for ever.
    pub offsets_live: Option<u64>,
}

/// The fixed part of a batch; records follow.
const HEADER: usize = 61;
/// Where a broker stamps: base offset and leader epoch. The rest is the producer's.
const STAMPED: [Range<usize>; 2] = [0..8, 12..16];
/// With the time of the append: CRC, attributes and largest timestamp as well.
const STAMPED_TIME: [Range<usize>; 5] = [0..8, 12..16, 17..21, 21..23, 35..43];
/// The attribute that says so.
const LOG_APPEND: u8 = 8;

impl History {
    pub fn note(&mut self, at: u64, life: Start, fact: Fact) {
        self.entries.push(Entry { at, life, fact });
    }

    pub fn batch(&self, batch: BatchNo) -> &Batch {
        &self.batches[batch.0 as usize]
    }

    pub fn add_batch(&mut self, batch: Batch) -> BatchNo {
        let number = BatchNo(self.batches.len() as u32);
        let crc = crc32c::crc32c(&batch.bytes[HEADER..]);
        self.by_crc.entry(crc).or_default().push(number);
        self.batches.push(batch);
        number
    }

    /// The batch that was sent with these bytes.
    pub fn find(&self, served: &[u8]) -> Option<BatchNo> {
        let crc = crc32c::crc32c(served.get(HEADER..)?);
        let mut same = self.by_crc.get(&crc)?.iter().copied();
        same.find(|number| self.is_served(*number, served))
    }

    /// Whether `served` is what became of the batch on its way through a broker.
    fn is_served(&self, batch: BatchNo, served: &[u8]) -> bool {
        let Batch { bytes, place, .. } = self.batch(batch);
        let stamped: &[Range<usize>] = match self.topics[&place.topic].times {
            Times::Create => &STAMPED,
            Times::LogAppend => {
                let crc = crc32c::crc32c(&served[21..]).to_be_bytes();
                if served[17..21] != crc || served[22] != bytes[22] | LOG_APPEND {
                    return false;
                }
                &STAMPED_TIME
            }
        };
        let outside = |at: &usize| !stamped.iter().any(|stamp| stamp.contains(at));
        bytes.len() == served.len()
            && bytes[HEADER..] == served[HEADER..]
            && (0..HEADER)
                .filter(outside)
                .all(|at| bytes[at] == served[at])
    }

    /// Where the last read of a partition began.
    pub fn begin(&self, place: Place) -> i64 {
        self.begins.get(&place).copied().unwrap_or(0)
    }

    /// A stored bit of it was flipped.
    pub fn is_rotten(&self, place: Place) -> bool {
        let mut facts = self.entries.iter().map(|entry| &entry.fact);
        facts.any(|fact| matches!(fact, Fact::Rotted(at) if *at == place))
    }

    /// A write of it landed elsewhere: what it had acknowledged may be gone, and must not be served as something else.
    pub fn is_misplaced(&self, place: Place) -> bool {
        let mut facts = self.entries.iter().map(|entry| &entry.fact);
        facts.any(|fact| matches!(fact, Fact::Misplaced(at) if *at == place))
    }

    /// Somebody wanted records of it to go, or they may go by themselves.
    pub fn may_begin_later(&self, place: Place) -> bool {
        let asked =
            |entry: &Entry| matches!(entry.fact, Fact::TrimAsked { place: at, .. } if at == place);
        self.topics[&place.topic].expiry != Expiry::Never || self.entries.iter().any(asked)
    }

    pub fn durability(&self, place: Place) -> Durability {
        self.topics[&place.topic].durability
    }

    /// Lives in which what was not flushed may have been lost: power was cut, or the device lost it.
    pub fn cuts(&self) -> Vec<Start> {
        let cuts = self.entries.iter();
        cuts.filter(|entry| {
            matches!(
                entry.fact,
                Fact::PowerCut | Fact::DiskFailed { lost: true, .. }
            )
        })
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
