//! What a connection's shard asks of a partition's owner, and what it answers: one message per request and owner.
//!
//! ```text
//!  shard of the connection                     shard that owns the partitions
//!    Call{ from, request, body: Append(items) } ──────►  append each, in order
//!                    ◄────── Answer{ request, Appended(answers) }   as each becomes durable, several messages per call
//!    Call{ Read(items) }  ──► answered at once;   Call{ Watch(items) } ──► answered once, when something is new
//! ```
//!
//! A call travels by the mesh, or directly where both shards are the same. Calls of one pair of shards keep their order.

use bytes::Bytes;

use crate::disk::Space;
use crate::group::call::{GroupAnswer, GroupItem, GroupsListed};
use crate::types::{LeaderEpoch, Offset, ShardId, Timestamp, TopicPartition};

/// Names a request on the shard that sent the call. Never reused while the process lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestToken(pub u64);

#[derive(Debug)]
pub struct Call {
    pub from: ShardId,
    pub request: RequestToken,
    pub body: CallBody,
}

#[derive(Debug)]
pub enum CallBody {
    /// Answered by [`AnswerBody::Appended`], in one or more messages; with `acks == Acks::None` never.
    Append { acks: Acks, items: Vec<AppendItem> },
    /// Answered at once by [`AnswerBody::Read`], or after a direct read where the bytes are cold.
    Read {
        max_bytes: u32,
        items: Vec<ReadItem>,
    },
    /// Answered by one [`AnswerBody::Changed`]: at once when an item's visible end is past `seen_end`; when `missing` more
    /// bytes of all items together are visible; when an item is gone. In place of the watch this request has.
    Watch { missing: u64, items: Vec<WatchItem> },
    /// The request is gone: forgets its watch, and what is to be read for it. No answer.
    Forget,
    /// Answered by [`AnswerBody::Listed`].
    ListOffsets { items: Vec<ListItem> },
    /// Answered by [`AnswerBody::Deleted`], in one or more messages: each item once its log start is durable.
    DeleteRecords { items: Vec<DeleteItem> },
    /// Answered by [`AnswerBody::EpochEnds`].
    EpochEnds { items: Vec<EpochItem> },
    /// Answered by [`AnswerBody::LogSizes`]: of these partitions as far as they are here, or of all that are.
    LogSizes {
        partitions: Option<Vec<TopicPartition>>,
    },
    /// For the coordinator of consumer groups. Answered by [`AnswerBody::Group`], in one or more messages.
    Group { items: Vec<GroupItem> },
    /// Answered by [`AnswerBody::GroupsListed`]: every group of the shard.
    ListGroups,
}

/// Kafka's `acks`. `Leader` (1) and `All` (-1) are alike on a single node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    None,
    Leader,
    All,
}

/// `slot`: the caller's own index, returned with the answer.
#[derive(Debug)]
pub struct AppendItem {
    pub slot: u32,
    pub partition: TopicPartition,
    /// The `records` field as received: must hold exactly one batch of magic 2. A slice of the receive buffer.
    pub records: Bytes,
}

#[derive(Debug)]
pub struct ReadItem {
    pub slot: u32,
    pub partition: TopicPartition,
    pub offset: Offset,
    pub max_bytes: u32,
    /// -1: none given.
    pub current_leader_epoch: LeaderEpoch,
    /// Epoch of the last fetched record, -1: none (KIP-595 truncation detection).
    pub last_fetched_epoch: LeaderEpoch,
}

#[derive(Debug)]
pub struct WatchItem {
    pub partition: TopicPartition,
    pub seen_end: Offset,
}

#[derive(Debug)]
pub struct ListItem {
    pub slot: u32,
    pub partition: TopicPartition,
    pub current_leader_epoch: LeaderEpoch,
    pub what: ListWhat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListWhat {
    /// -2, and -4 (earliest local) while there is no tier.
    Earliest,
    /// -1.
    Latest,
    /// -3: the offset of the record with the largest timestamp.
    MaxTimestamp,
    /// The first offset whose timestamp is at or after this.
    At(Timestamp),
}

#[derive(Debug)]
pub struct DeleteItem {
    pub slot: u32,
    pub partition: TopicPartition,
    /// The first offset to be kept; `None`: the high watermark.
    pub below: Option<Offset>,
}

#[derive(Debug)]
pub struct EpochItem {
    pub slot: u32,
    pub partition: TopicPartition,
    pub current_leader_epoch: LeaderEpoch,
    /// Whose end is asked for.
    pub epoch: LeaderEpoch,
}

#[derive(Debug)]
pub struct Answer {
    pub request: RequestToken,
    pub body: AnswerBody,
}

#[derive(Debug)]
pub enum AnswerBody {
    Appended(Vec<AppendAnswer>),
    Read(Vec<ReadAnswer>),
    Changed,
    Listed(Vec<ListAnswer>),
    Deleted(Vec<DeleteAnswer>),
    EpochEnds(Vec<EpochAnswer>),
    LogSizes(LogSizes),
    Group(Vec<GroupAnswer>),
    GroupsListed(GroupsListed),
}

#[derive(Debug)]
pub struct AppendAnswer {
    pub slot: u32,
    pub result: Result<Appended, AppendError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    pub base_offset: Offset,
    /// -1 unless the topic stamps append time.
    pub log_append_time: Timestamp,
    pub log_start: Offset,
}

/// What a client is told of a refused append. Mapped to Kafka's codes in one place, `net/src/error_code.rs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AppendError {
    /// Not owned here, deleted, or never existed.
    UnknownPartition,
    /// Not exactly one well-formed batch: CRC, length.
    Corrupt(String),
    /// Well-formed but against the rules: control bit, codec, counts, timestamps order. Kafka's INVALID_RECORD.
    InvalidRecord(String),
    /// Timestamp outside `message.timestamp.{before,after}.max.ms`.
    InvalidTimestamp(String),
    TooLarge {
        bytes: usize,
        max: usize,
    },
    /// Larger than `segment.bytes`: Kafka's RECORD_LIST_TOO_LARGE.
    LargerThanSegment {
        bytes: usize,
        max: usize,
    },
    UnsupportedCompression,
    UnsupportedFormat,
    OutOfOrderSequence,
    InvalidProducerEpoch,
    UnknownProducer,
    /// Duplicate older than the five batches kept.
    DuplicateSequence,
    /// Too little room on the disk for more: `free` bytes, and so many are needed for appends to go on.
    DiskFull {
        free: u64,
        resume: u64,
    },
    /// No space, or the directory is offline.
    Storage,
}

#[derive(Debug)]
pub struct ReadAnswer {
    pub slot: u32,
    pub result: Result<ReadDone, ReadError>,
}

#[derive(Debug)]
pub struct ReadDone {
    /// Whole batches, in offset order, beginning with the one that holds the asked offset. May be empty.
    pub records: Vec<Bytes>,
    /// How many they are, by their offsets: a log has no gaps until it is compacted.
    pub count: u64,
    pub high_watermark: Offset,
    pub last_stable: Offset,
    pub log_start: Offset,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    UnknownPartition,
    OutOfRange {
        log_start: Offset,
        high_watermark: Offset,
    },
    /// The client's leader epoch is older than ours.
    FencedEpoch,
    /// The client's leader epoch is newer than ours.
    UnknownEpoch,
    /// KIP-595: the epoch and end offset up to which both logs agree.
    Diverging {
        epoch: LeaderEpoch,
        end_offset: Offset,
    },
    /// A batch on disk is damaged.
    Corrupt,
    Storage,
}

#[derive(Debug)]
pub struct ListAnswer {
    pub slot: u32,
    /// `None`: no such record (offset -1, timestamp -1).
    pub result: Result<Option<Listed>, ReadError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    pub offset: Offset,
    /// -1 for earliest and latest.
    pub timestamp: Timestamp,
    pub leader_epoch: LeaderEpoch,
}

#[derive(Debug)]
pub struct DeleteAnswer {
    pub slot: u32,
    /// Where the log begins now, durably.
    pub result: Result<Offset, DeleteError>,
}

/// Why records are not deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeleteError {
    UnknownPartition,
    /// Below zero, or past the high watermark.
    OutOfRange,
    /// `cleanup.policy` is `compact` alone.
    CompactedOnly,
    /// The broker stops.
    Storage,
}

#[derive(Debug)]
pub struct EpochAnswer {
    pub slot: u32,
    /// The largest known epoch at or below the one asked for, and where it ended; `None`: there is none such.
    pub result: Result<Option<(LeaderEpoch, Offset)>, ReadError>,
}

#[derive(Debug)]
pub struct LogSizes {
    pub sizes: Vec<LogSize>,
    /// `None`: it could not be measured.
    pub space: Option<Space>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogSize {
    pub partition: TopicPartition,
    /// Of the records, or rather of the segments that hold them.
    pub bytes: u64,
}
