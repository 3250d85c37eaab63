//! The begin of one partition's log: what moves it, and the segments that it leaves behind.
//!
//! ```text
//!  DeleteRecords ─┐  claimed: the records below are flushed    journal       flushed
//!  retention ─────┴──────────► log start entry ──────────────► pending ────────────► log_start ─► answers
//!                                                                                        │ segments wholly below
//!     forgotten ◄─ directory synced ◄─ unlinked ◄─ file.delete.delay.ms, no flow ◄─ trimmed: not readable
//! ```
//!
//! A log start is journaled only over flushed records: a start that finds it need not look at anything below, and never
//! finds a log that ends before it begins. It is shown only once it is flushed, so it never goes back.

use std::time::Duration;

use super::journal::{GroupSeq, Journal};
use super::partition::{AnswerTo, Partition, StraightStage};
use super::segment::Segment;
use crate::disk::FileId;
use crate::types::{Instant, Offset, Timestamp};

/// What of a topic's configuration says when records go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// `cleanup.policy` names `delete`; without it neither bound counts.
    pub delete: bool,
    /// How old a segment's newest record may be; below zero: as old as it gets.
    pub ms: i64,
    /// How much of the log is kept at least when older segments go; below zero: all.
    pub bytes: i64,
    /// How long a segment's file outlives its records: reads under way end in peace.
    pub file_delete_delay: Duration,
}

impl Retention {
    /// Nothing goes.
    pub const FOREVER: Retention = Retention {
        delete: false,
        ms: -1,
        bytes: -1,
        file_delete_delay: Duration::ZERO,
    };
}

/// A log start in the journal that is not flushed yet.
#[derive(Clone, Copy, Debug)]
pub struct PendingStart {
    pub offset: Offset,
    pub group: GroupSeq,
    pub answer: Option<AnswerTo>,
}

/// A segment wholly below the log start, until its file is gone for good. Checkpoints carry it.
#[derive(Debug)]
pub struct Trimmed {
    pub base: Offset,
    pub file: Option<FileId>,
    /// When the file may go; `None`: not decided yet.
    pub due: Option<Instant>,
    pub unlinking: bool,
}

impl Trimmed {
    pub fn new(base: Offset) -> Trimmed {
        Trimmed {
            base,
            file: None,
            due: None,
            unlinking: false,
        }
    }
}

impl Partition {
    /// Bytes of the log.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.end).sum()
    }

    /// Whether every record below `offset` is flushed, in the journal or in its segment.
    pub fn flushed_below(&self, offset: Offset, journal: &Journal) -> bool {
        let Some(group) = self.extents.group_below(offset) else {
            return true;
        };
        let own = self.straight.iter().take_while(|s| s.group <= group);
        group < journal.flushed() && own.into_iter().all(|s| s.stage == StraightStage::Flushed)
    }

    /// Moves the log start to what became durable; who asked is told where it is now. True: it moved.
    pub fn advance_start(
        &mut self,
        journal: &Journal,
        answers: &mut Vec<(AnswerTo, Offset)>,
    ) -> bool {
        let before = self.log_start;
        while let Some(front) = self.starts.front()
            && front.group < journal.flushed()
        {
            self.log_start = self.log_start.max(front.offset);
            answers.extend(front.answer.map(|to| (to, self.log_start)));
            self.starts.pop_front();
        }
        assert!(
            self.log_start <= self.high_watermark,
            "log start {:?} past the high watermark {:?}",
            self.log_start,
            self.high_watermark
        );
        self.log_start != before
    }

    /// Lets go of the segments that are wholly below the log start. True: there were some.
    pub fn trim(&mut self) -> bool {
        self.epochs.truncate_from_start(self.log_start);
        let wholly_below = |next: Option<&Segment>| next.is_some_and(|s| s.base <= self.log_start);
        let count = (1..self.segments.len())
            .take_while(|at| wholly_below(self.segments.get(*at)))
            .count();
        for s in self.segments.drain(..count) {
            assert!(
                s.straight_writing == 0 && !s.flushing,
                "{}: segment {:?} is trimmed with writes under way",
                self.id,
                s.base
            );
            self.trimmed.push(Trimmed {
                file: s.file,
                ..Trimmed::new(s.base)
            });
        }
        self.segments_saved = self.segments_saved.saturating_sub(count);
        self.extents.forget_before(self.segments[0].base);
        count > 0
    }

    /// Ends a replay: the log begins where its newest log start says.
    pub fn trim_replayed(&mut self) -> Result<(), &'static str> {
        if self.log_start > self.next {
            return Err("the log starts past its end");
        }
        // All records are gone; whether the segment had been rolled before it was trimmed is not known, and its file may
        // be gone with it: the next record goes to a new one.
        if self.log_start == self.next && self.active().end > 0 {
            self.roll();
        }
        self.claimed = self.log_start;
        self.trim();
        Ok(())
    }

    /// Where the log is to begin by its retention (Kafka's `UnifiedLog.deleteOldSegments`): first by size, then by age,
    /// whole segments from the oldest on, none that holds records past the high watermark. When the active segment is
    /// among them a new one is begun. `None`: nothing is to go.
    pub fn expire(&mut self, now: Timestamp) -> Option<Offset> {
        let Retention {
            delete, ms, bytes, ..
        } = self.config.retention;
        if !delete {
            return None;
        }
        let mut count = 0;
        let total = i64::try_from(self.bytes()).unwrap_or(i64::MAX);
        if bytes >= 0 && total >= bytes {
            let mut surplus = total - bytes;
            while self.may_go(count) && surplus >= self.segments[count].end as i64 {
                surplus -= self.segments[count].end as i64;
                count += 1;
            }
        }
        if ms >= 0 {
            while self.may_go(count) && self.segments[count].age_ms(now) > ms {
                count += 1;
            }
        }
        if count == 0 {
            return None;
        }
        if count == self.segments.len() {
            self.roll();
        }
        Some(self.segments[count].base)
    }

    /// Whether a segment exists, is not an empty active one, and ends at or below the high watermark.
    fn may_go(&self, at: usize) -> bool {
        let Some(s) = self.segments.get(at) else {
            return false;
        };
        let next = self.segments.get(at + 1);
        let end = next.map_or(self.next, |next| next.base);
        (next.is_some() || s.end > 0) && end <= self.high_watermark
    }
}

impl Segment {
    /// How old the newest record is, by its timestamp; negative where that lies ahead. Of records without timestamps,
    /// since they were first seen as they are: Kafka asks the file when it was last written.
    fn age_ms(&mut self, now: Timestamp) -> i64 {
        if let Some(largest) = self.index.largest().filter(|l| l.timestamp.0 >= 0) {
            return now.0.saturating_sub(largest.timestamp.0);
        }
        let seen = self.undated.filter(|(end, _)| *end == self.end);
        let (_, since) = *self.undated.insert(seen.unwrap_or((self.end, now)));
        now.0.saturating_sub(since.0)
    }
}

#[cfg(test)]
mod tests;
