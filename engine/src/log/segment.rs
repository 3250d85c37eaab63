//! One segment of one partition: what is known of its file, and its name.

use super::index::SegmentIndex;
use crate::disk::FileId;
use crate::limits::BLOCK;
use crate::types::{Offset, Timestamp, TopicPartition};

/// A run of a partition's log: one file, byte for byte Kafka's `.log` format once it is complete.
#[derive(Debug)]
pub struct Segment {
    pub base: Offset,
    /// Bytes appended.
    pub end: u64,
    /// Bytes in the file, written and flushed: whole blocks, or all of a complete segment.
    pub disk_end: u64,
    /// Reserved in the file; such blocks can be written straight.
    pub allocated: u64,
    /// No append follows.
    pub sealed: bool,
    /// Sealed, wholly on disk, flushed and cut to its length.
    pub complete: bool,
    /// Timestamp that time-based rolling counts from: the first batch's largest.
    pub rolling_ms: Option<i64>,
    pub index: SegmentIndex,
    /// How many index entries the newest checkpoint holds.
    pub index_saved: usize,
    /// The file exists and its directory entry is durable.
    pub created: bool,
    pub file: Option<FileId>,
    /// Straight writes and their flush.
    pub straight_writing: u32,
    pub straight_written: u32,
    pub flushing: bool,
    /// Of records without timestamps: their bytes, and when they were first looked at.
    pub undated: Option<(u64, Timestamp)>,
}

impl Segment {
    pub fn new(base: Offset, index_interval_bytes: u32) -> Segment {
        Segment {
            base,
            end: 0,
            disk_end: 0,
            allocated: 0,
            sealed: false,
            complete: false,
            rolling_ms: None,
            index: SegmentIndex::new(base, index_interval_bytes),
            index_saved: 0,
            created: false,
            file: None,
            straight_writing: 0,
            straight_written: 0,
            flushing: false,
            undated: None,
        }
    }

    /// Whether straight writes, or their flush, are under way on its file.
    pub fn is_straight(&self) -> bool {
        self.straight_writing > 0 || self.straight_written > 0 || self.flushing
    }

    /// How far write-back may go when bytes up to `available` are flushed in the journal: whole blocks, and the last
    /// block of a sealed segment.
    pub fn write_back_end(&self, available: u64) -> u64 {
        if self.sealed && available == self.end {
            self.end
        } else {
            available - available % BLOCK as u64
        }
    }
}

/// The partition's directory: made of ids only.
pub fn directory(partition: TopicPartition) -> String {
    format!("topics/{partition}")
}

/// What the name of a segment's file ends with.
pub const SUFFIX: &str = ".log";

/// The segment's file.
pub fn path(partition: TopicPartition, base: Offset) -> String {
    format!("{}/{:020}{SUFFIX}", directory(partition), base.0)
}
