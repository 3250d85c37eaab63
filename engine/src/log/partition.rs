//! One partition's log: append, roll, acknowledge, read. Owned by one shard.
//!
//! ```text
//!             ┌ small: journal group ─────────────► Written ─► Flushed ┐
//!  append ────┤                                                        ├─► high watermark ─► acks, watchers
//!             └ straight: segment write, pointer ─► Written ─► Flushed ┘
//!
//!   log_start ≤ … segments on disk … disk_end ≤ … extents in memory … ≤ end;    high_watermark ≤ next
//! ```
//!
//! A batch is acknowledged, and visible, when every group up to its own and every straight byte of this partition up to
//! its end is written (`process`) or flushed (`disk`).

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;

use super::epochs::Epochs;
use super::extent::{Extent, Extents, Source};
use super::group::{self, Place};
use super::journal::{GroupSeq, Journal};
use super::producers::Producers;
use super::segment::Segment;
use super::trim::{PendingStart, Retention, Trimmed};
use super::watchers::Watchers;
use crate::batch::{BatchHeader, CheckedBatch, Rules, TimestampType};
use crate::call::{Appended, RequestToken};
use crate::hash::IdHasher;
use crate::limits::BLOCK;
use crate::rng::Rng;
use crate::types::{
    Durability, Instant, LeaderEpoch, Offset, SegmentPosition, ShardId, Timestamp, TopicPartition,
};

/// What of a topic's configuration the log obeys.
#[derive(Clone, Debug)]
pub struct PartitionConfig {
    pub rules: Rules,
    pub durability: Durability,
    pub segment_bytes: u64,
    pub segment_ms: i64,
    /// A segment rolls up to so much earlier, so that segments begun together do not end together.
    pub segment_jitter_ms: i64,
    pub flush: FlushRule,
    pub index_interval_bytes: u32,
    pub producers_max: usize,
    pub retention: Retention,
}

/// When a partition that answers before the flush is flushed all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlushRule {
    /// Once so many records are not flushed.
    pub messages: u64,
    /// So long after an append.
    pub after: Option<Duration>,
}

impl FlushRule {
    /// Only where memory or the journal's ring is needed.
    pub const NEVER: FlushRule = FlushRule {
        messages: u64::MAX,
        after: None,
    };
}

/// Who is told of an append.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerTo {
    pub shard: ShardId,
    pub request: RequestToken,
    pub slot: u32,
}

/// An append that is not durable yet.
#[derive(Debug)]
pub struct Pending {
    pub end: Offset,
    /// Of the batch; none where it adds nothing.
    pub bytes: u32,
    pub group: GroupSeq,
    pub answer: Option<(AnswerTo, Appended)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StraightStage {
    Writing,
    Written,
    Flushing,
    Flushed,
}

/// A straight write that is not flushed yet.
#[derive(Debug)]
pub struct Straight {
    pub segment: Offset,
    pub end: Offset,
    pub group: GroupSeq,
    pub stage: StraightStage,
    pub serial: u64,
    pub bytes: usize,
}

#[derive(Debug)]
pub struct Partition {
    pub id: TopicPartition,
    pub config: PartitionConfig,
    pub epoch: LeaderEpoch,
    /// Records below are gone, durably.
    pub log_start: Offset,
    /// The highest log start that was asked for.
    pub claimed: Offset,
    /// Log starts that are not durable yet, in order.
    pub starts: VecDeque<PendingStart>,
    /// Segments below the log start whose files are still to go.
    pub trimmed: Vec<Trimmed>,
    pub high_watermark: Offset,
    /// The next offset to be given.
    pub next: Offset,
    /// Oldest first; the last one takes appends.
    pub segments: VecDeque<Segment>,
    pub extents: Extents,
    pub pending: VecDeque<Pending>,
    pub straight: VecDeque<Straight>,
    pub producers: Producers,
    pub epochs: Epochs,
    /// Requests that wait for news of it.
    pub watchers: Watchers,
    /// Appends below were taken while the partition promised `disk`: what it promises since does not concern them.
    pub promised_disk: Offset,
    /// Records appended since a flush was last asked for on their account.
    pub unflushed_records: u64,
    /// A flow works on this partition's files.
    pub busy: bool,
    /// Large appends come: keep the active segment's file ready for them.
    pub wants_straight: bool,
    /// When the last of them came.
    pub straight_at: Instant,
    /// When write-back came by last.
    pub written_back_at: Instant,
    /// How many leading segments the newest checkpoint holds as complete.
    pub segments_saved: usize,
}

impl Partition {
    pub fn new(id: TopicPartition, config: PartitionConfig, epoch: LeaderEpoch) -> Partition {
        let interval = config.index_interval_bytes;
        let producers_max = config.producers_max;
        Partition {
            id,
            config,
            epoch,
            log_start: Offset(0),
            claimed: Offset(0),
            starts: VecDeque::new(),
            trimmed: Vec::new(),
            high_watermark: Offset(0),
            next: Offset(0),
            segments: VecDeque::from([Segment::new(Offset(0), interval)]),
            extents: Extents::default(),
            pending: VecDeque::new(),
            straight: VecDeque::new(),
            producers: Producers::new(producers_max),
            epochs: Epochs::default(),
            watchers: Watchers::default(),
            promised_disk: Offset(0),
            unflushed_records: 0,
            busy: false,
            wants_straight: false,
            straight_at: Instant::default(),
            written_back_at: Instant::default(),
            segments_saved: 0,
        }
    }

    /// This leadership begins: what it writes begins at the end of the log.
    pub fn lead(&mut self) {
        let latest = self.epochs.latest();
        if latest.is_none_or(|last| last.epoch < self.epoch) {
            self.epochs.assign(self.epoch, self.next);
        }
    }

    pub fn active(&self) -> &Segment {
        self.segments
            .back()
            .expect("a partition always has a segment")
    }

    pub fn active_mut(&mut self) -> &mut Segment {
        self.segments
            .back_mut()
            .expect("a partition always has a segment")
    }

    pub fn segment(&self, base: Offset) -> Option<&Segment> {
        self.segments
            .binary_search_by_key(&base, |s| s.base)
            .ok()
            .map(|i| &self.segments[i])
    }

    pub fn segment_mut(&mut self, base: Offset) -> Option<&mut Segment> {
        let index = self.segments.binary_search_by_key(&base, |s| s.base).ok()?;
        Some(&mut self.segments[index])
    }

    /// The segment that holds `offset`.
    pub fn segment_of(&self, offset: Offset) -> Option<&Segment> {
        let after = self.segments.partition_point(|s| s.base <= offset);
        after.checked_sub(1).map(|i| &self.segments[i])
    }

    /// Whether somebody waits, or will wait, for this partition's bytes to be flushed.
    pub fn urgent(&self) -> bool {
        let promised = |pending: &Pending| pending.end <= self.promised_disk;
        self.config.durability == Durability::Disk || self.pending.front().is_some_and(promised)
    }

    /// Takes another configuration: for what is appended from now on. Appends that wait for their answer keep the promise
    /// `disk` where they had it, and are given it where it is the new one; so is what was answered, and may be repeated,
    /// but is not flushed yet. Returns the group whose flush somebody waits for now although nobody did before.
    pub fn configure(&mut self, config: PartitionConfig, journal: &Journal) -> Option<GroupSeq> {
        let before = std::mem::replace(&mut self.config, config).durability;
        match (before, self.config.durability) {
            (Durability::Disk, Durability::Disk) | (Durability::Process, Durability::Process) => {
                None
            }
            (Durability::Disk, Durability::Process) => {
                self.promised_disk = self.next;
                None
            }
            (Durability::Process, Durability::Disk) => {
                let group = self.extents.last()?.group;
                if group < journal.flushed() && self.straight.is_empty() {
                    return None;
                }
                // Nobody's answer, but those of repeated batches wait behind it.
                self.pending.push_back(Pending {
                    end: self.next,
                    bytes: 0,
                    group,
                    answer: None,
                });
                Some(group)
            }
        }
    }

    /// Begins a new segment when the batch does not fit the active one by size, time or offset (Kafka's
    /// `LogSegment.shouldRoll`).
    pub fn roll_for(&mut self, bytes: usize, max_timestamp: i64, last_offset_delta: i32) -> bool {
        let next = self.next;
        let config = &self.config;
        let active = self
            .segments
            .back()
            .expect("a partition always has a segment");
        let full = active.end + bytes as u64 > config.segment_bytes;
        let old = active
            .rolling_ms
            .is_some_and(|from| max_timestamp.saturating_sub(from) > self.rolls_after(active.base));
        let far = next.0 + i64::from(last_offset_delta) - active.base.0 > i64::from(i32::MAX);
        let due = active.end > 0 && (full || old || far);
        if due {
            self.roll();
        }
        due
    }

    /// The age at which a segment rolls: `segment.ms`, less a part of `segment.jitter.ms` that is its own.
    fn rolls_after(&self, base: Offset) -> i64 {
        let config = &self.config;
        let most = config.segment_jitter_ms.min(config.segment_ms).max(0) as u64;
        if most == 0 {
            return config.segment_ms;
        }
        let mut seed = IdHasher::default();
        (self.id, base).hash(&mut seed);
        config.segment_ms - Rng::new(seed.finish()).below(most) as i64
    }

    pub fn roll(&mut self) {
        self.active_mut().sealed = true;
        self.segments
            .push_back(Segment::new(self.next, self.config.index_interval_bytes));
    }

    /// Where the next batch goes.
    pub fn place(&self) -> Place {
        let active = self.active();
        Place {
            partition: self.id,
            segment: active.base,
            position: SegmentPosition(active.end),
        }
    }

    /// Appends a batch through the journal: one copy, into the open group, which `Journal::reserve` made place in.
    pub fn append_small(
        &mut self,
        slot: u32,
        batch: &CheckedBatch,
        journal: &mut Journal,
    ) -> Appended {
        let place = self.place();
        let group = journal.open_seq();
        let entries = journal.entries();
        group::put_bytes_header(entries, &place, batch.len());
        let start = entries.len();
        batch.stamp_into(entries, self.next, self.epoch);
        assert_eq!(
            entries.len() - start,
            batch.len(),
            "a stamped batch keeps its length"
        );
        let header = BatchHeader::parse(&entries[start..]).expect("a checked batch has a header");
        journal.touch(slot, self.urgent());
        let source = Source::Group {
            start: start as u32,
        };
        self.note(&header, place, group, source, None)
    }

    /// Appends a batch whose bytes, stamped, stand in `memory` at their place within the first block: the pointer and
    /// the partial blocks go to the journal. Returns the whole blocks to be written, and where.
    pub fn append_straight(
        &mut self,
        slot: u32,
        memory: Bytes,
        serial: u64,
        journal: &mut Journal,
    ) -> (Appended, u64, Bytes) {
        let place = self.place();
        let position = place.position.0;
        let skip = (position % BLOCK as u64) as usize;
        let batch = memory.slice(skip..);
        let begin = position.next_multiple_of(BLOCK as u64);
        let end = position + batch.len() as u64;
        let end = end - end % BLOCK as u64;
        assert!(begin < end, "a straight batch has whole blocks");
        let header = BatchHeader::parse(&batch).expect("a checked batch has a header");
        let group = journal.open_seq();
        let front = &batch[..(begin - position) as usize];
        let back = &batch[(end - position) as usize..];
        let head = &batch[..crate::limits::BATCH_HEADER];
        group::put_pointer(
            journal.entries(),
            &place,
            batch.len() as u32,
            head,
            front,
            back,
        );
        journal.touch(slot, self.urgent());
        journal.touch_straight(memory.len());
        let body =
            memory.slice((begin - position) as usize + skip..(end - position) as usize + skip);
        let appended = self.note(
            &header,
            place,
            group,
            Source::Memory(batch),
            Some((begin, end)),
        );
        let active = self.active_mut();
        active.straight_writing += 1;
        self.straight.push_back(Straight {
            segment: place.segment,
            end: self.next,
            group,
            stage: StraightStage::Writing,
            serial,
            bytes: body.len(),
        });
        (appended, begin, body)
    }

    /// Folds a stamped batch into the log's state: the same for an append and for its replay.
    pub fn note(
        &mut self,
        header: &BatchHeader,
        place: Place,
        group: GroupSeq,
        source: Source,
        direct: Option<(u64, u64)>,
    ) -> Appended {
        let length = header.total_bytes() as u32;
        self.note_state(header, place);
        self.extents.push(Extent {
            segment: place.segment,
            position: place.position.0,
            length,
            base_offset: header.base_offset,
            next_offset: self.next,
            whole: true,
            group,
            source,
            direct,
        });
        let log_append_time = match header.timestamp_type() {
            TimestampType::LogAppend => header.max_timestamp,
            TimestampType::Create => Timestamp(-1),
        };
        Appended {
            base_offset: header.base_offset,
            log_append_time,
            log_start: self.log_start,
        }
    }

    /// As `note`, without memory for the bytes.
    pub fn note_state(&mut self, header: &BatchHeader, place: Place) {
        let epoch = header.leader_epoch;
        self.epochs.assign(epoch, header.base_offset);
        self.producers.apply(header, header.max_timestamp);
        let length = header.total_bytes() as u64;
        let active = self.active_mut();
        assert_eq!(
            (place.segment, place.position.0),
            (active.base, active.end),
            "a batch goes to the end of the log"
        );
        active.rolling_ms = active.rolling_ms.or(Some(header.max_timestamp.0));
        active.index.append(
            header.base_offset,
            SegmentPosition(active.end),
            header.max_timestamp,
            length as u32,
        );
        active.end += length;
        self.next = Offset(header.last_offset().0 + 1);
    }

    /// Moves the high watermark over what became durable; the answers that are due go to `answers`. Returns how many
    /// bytes became visible.
    pub fn advance(&mut self, journal: &Journal, answers: &mut Vec<(AnswerTo, Appended)>) -> u64 {
        let mut visible = 0;
        while let Some(front) = self.pending.front() {
            let promised = match front.end <= self.promised_disk {
                true => Durability::Disk,
                false => self.config.durability,
            };
            let (groups_end, stage) = match promised {
                Durability::Disk => (journal.flushed(), StraightStage::Flushed),
                Durability::Process => (journal.written(), StraightStage::Written),
            };
            let straight_done = self
                .straight
                .iter()
                .take_while(|s| s.end <= front.end)
                .all(|s| s.stage >= stage);
            if front.group >= groups_end || !straight_done {
                break;
            }
            self.high_watermark = self.high_watermark.max(front.end);
            visible += u64::from(front.bytes);
            answers.extend(front.answer);
            self.pending.pop_front();
        }
        while self
            .straight
            .front()
            .is_some_and(|s| s.stage == StraightStage::Flushed)
        {
            self.straight.pop_front();
        }
        assert!(
            self.high_watermark <= self.next,
            "high watermark {:?} past {:?}",
            self.high_watermark,
            self.next
        );
        visible
    }
}
