//! Log starts: asked for by clients and by retention, made durable, and the files below them removed.
//!
//! ```text
//!  call(DeleteRecords) ─┐                               ┌─ flushed ─► log start moves ─► answer
//!  sweep: a few         ├─► claims ─ settle ─► journal ─┘                  │
//!  partitions a pass ───┘   (wait for flush, room)                         └─► unlinks ─ due ─► flow ─► space is free
//! ```
//!
//! A sweep looks at every partition of the shard, a bounded number at a time, once per interval.

use std::time::Duration;

use super::{FlowEnd, REMOVALS_AT_ONCE, Shard, ShardOut};
use crate::call::{Answer, AnswerBody, DeleteAnswer, DeleteError, DeleteItem, RequestToken};
use crate::disk::{DiskError, FileId};
use crate::flow::Flow;
use crate::log::group::{self, ENTRY_HEADER};
use crate::log::partition::AnswerTo;
use crate::log::segment;
use crate::log::trim::PendingStart;
use crate::types::{Instant, Now, Offset, ShardId, TopicPartition};

/// The first sweep comes so long after the start, or after one interval where that is shorter (Kafka's
/// `log.initial.task.delay.ms`).
const FIRST_SWEEP: Duration = Duration::from_secs(30);
/// Between two parts of a sweep.
const SWEEP_STEP: Duration = Duration::from_millis(1);
/// A file that is still worked on is looked at again.
const UNLINK_BUSY_RETRY: Duration = Duration::from_millis(5);
/// A file that could not be removed is tried again.
const UNLINK_RETRY: Duration = Duration::from_secs(60);

/// A log start that is not in the journal yet.
pub(super) struct Claim {
    slot: u32,
    offset: Offset,
    answer: Option<AnswerTo>,
}

/// Where retention is.
#[derive(Default)]
pub(super) struct Sweep {
    /// When it goes on; `None` before the first pass.
    due: Option<Instant>,
    began: Instant,
    next_slot: usize,
}

impl ShardOut {
    /// Answers of one request that come together travel together.
    pub(super) fn deleted(&mut self, to: AnswerTo, result: Result<Offset, DeleteError>) {
        let answer = DeleteAnswer {
            slot: to.slot,
            result,
        };
        if let Some((
            shard,
            Answer {
                request,
                body: AnswerBody::Deleted(list),
            },
        )) = self.answers.last_mut()
            && (*shard, *request) == (to.shard, to.request)
        {
            list.push(answer);
            return;
        }
        self.answer(to.shard, to.request, AnswerBody::Deleted(vec![answer]));
    }
}

impl Shard {
    pub(super) fn delete_records(
        &mut self,
        from: ShardId,
        request: RequestToken,
        items: Vec<DeleteItem>,
        out: &mut ShardOut,
    ) {
        if self.failed {
            return;
        }
        for item in items {
            let to = AnswerTo {
                shard: from,
                request,
                slot: item.slot,
            };
            match self.check_delete(&item) {
                Ok((slot, offset)) => self.claim(slot, offset, Some(to)),
                Err(error) => out.deleted(to, Err(error)),
            }
        }
    }

    /// Kafka's `Partition.deleteRecordsOnLeader`.
    fn check_delete(&self, item: &DeleteItem) -> Result<(u32, Offset), DeleteError> {
        let known = self.slots.get(&item.partition);
        let slot = *known.ok_or(DeleteError::UnknownPartition)?;
        if self.stopping {
            return Err(DeleteError::Storage);
        }
        let p = self.partition(slot).expect("a known slot is filled");
        if !p.config.retention.delete && p.config.rules.compacted {
            return Err(DeleteError::CompactedOnly);
        }
        match item.below {
            None => Ok((slot, p.high_watermark)),
            Some(offset) if (Offset(0)..=p.high_watermark).contains(&offset) => Ok((slot, offset)),
            Some(_) => Err(DeleteError::OutOfRange),
        }
    }

    fn claim(&mut self, slot: u32, offset: Offset, answer: Option<AnswerTo>) {
        let p = self.partition_mut(slot).expect("just seen");
        p.claimed = p.claimed.max(offset);
        self.claims.push_back(Claim {
            slot,
            offset,
            answer,
        });
    }

    /// Log starts wait until everything below them is flushed.
    pub(super) fn claims_want_flush(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Brings log starts to the journal's open group, as far as they may go there now.
    pub(super) fn settle_claims(&mut self, out: &mut ShardOut) {
        for claim in std::mem::take(&mut self.claims) {
            if let Some(claim) = self.try_claim(claim, out) {
                self.claims.push_back(claim);
            }
        }
    }

    /// `Some`: not now.
    fn try_claim(&mut self, claim: Claim, out: &mut ShardOut) -> Option<Claim> {
        let Claim {
            slot,
            offset,
            answer,
        } = claim;
        let mut told = |result| {
            if let Some(to) = answer {
                out.deleted(to, result);
            }
        };
        let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
            told(Err(DeleteError::UnknownPartition));
            return None;
        };
        if offset <= p.log_start {
            told(Ok(p.log_start));
            return None;
        }
        if let Some(last) = p.starts.back().filter(|last| offset <= last.offset) {
            let again = PendingStart { answer, ..*last };
            p.starts.push_back(again);
            return None;
        }
        if self.stopping {
            told(Err(DeleteError::Storage));
            return None;
        }
        let room = p.flushed_below(offset, &self.journal)
            && self.journal.reserve_for_log_start(
                ENTRY_HEADER + 8,
                &mut self.arena,
                &mut self.writes,
            );
        if !room {
            return Some(claim);
        }
        group::put_log_start(self.journal.entries(), &p.place(), offset);
        self.journal.touch(slot, true);
        p.starts.push_back(PendingStart {
            offset,
            group: self.journal.open_seq(),
            answer,
        });
        None
    }

    /// The partition's group was flushed: its log start may move, and segments be left behind.
    pub(super) fn advance_start(&mut self, slot: u32, out: &mut ShardOut) {
        let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
            return;
        };
        if p.starts.is_empty() {
            return;
        }
        let mut answers = Vec::new();
        if p.advance_start(&self.journal, &mut answers) {
            tracing::debug!(partition = %p.id, log_start = p.log_start.0, "the log start moved");
            if p.trim() {
                self.trimmed.push(slot);
            }
        }
        for (to, log_start) in answers {
            out.deleted(to, Ok(log_start));
        }
    }

    /// Looks at the next few partitions when retention is due.
    pub(super) fn settle_sweep(&mut self, now: Now) {
        let interval = Duration::from_millis(self.limits.retention_check_ms);
        let first = now.mono.after(interval.min(FIRST_SWEEP));
        let due = *self.sweep.due.get_or_insert(first);
        if now.mono < due || self.stopping {
            return;
        }
        let begin = self.sweep.next_slot;
        if begin == 0 {
            self.sweep.began = now.mono;
            self.forget_space();
        }
        let end = self
            .partitions
            .len()
            .min(begin + self.limits.retention_at_once);
        for slot in begin..end {
            self.expire(slot as u32, now);
        }
        let over = end == self.partitions.len();
        self.sweep.next_slot = if over { 0 } else { end };
        self.sweep.due = Some(match over {
            true => self
                .sweep
                .began
                .after(interval)
                .max(now.mono.after(SWEEP_STEP)),
            false => now.mono.after(SWEEP_STEP),
        });
    }

    fn expire(&mut self, slot: u32, now: Now) {
        let Some(p) = self
            .partition_mut(slot)
            .filter(|p| p.claimed == p.log_start)
        else {
            return;
        };
        let sealed = p.segments.len();
        let Some(start) = p.expire(now.wall) else {
            return;
        };
        if p.segments.len() > sealed {
            self.on_rolled(slot);
        }
        self.claim(slot, start, None);
    }

    /// Removes the files of trimmed segments whose time has come, where no flow works on the partition.
    pub(super) fn start_unlinks(&mut self, now: Now) {
        for slot in std::mem::take(&mut self.trimmed) {
            let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
                continue;
            };
            let due = now.mono.after(p.config.retention.file_delete_delay);
            for gone in p.trimmed.iter_mut().filter(|t| t.due.is_none()) {
                gone.due = Some(due);
            }
            self.unlinks.insert((due, slot));
        }
        while self.unlinking < REMOVALS_AT_ONCE
            && !self.stopping
            && let Some(&(due, slot)) = self.unlinks.first()
            && due <= now.mono
        {
            self.unlinks.pop_first();
            let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
                continue;
            };
            if p.busy || p.trimmed.iter().any(|t| t.unlinking) {
                self.unlinks
                    .insert((now.mono.after(UNLINK_BUSY_RETRY), slot));
                continue;
            }
            let mut files = Vec::new();
            for gone in &mut p.trimmed {
                if !gone.unlinking && gone.due.is_some_and(|due| due <= now.mono) {
                    gone.unlinking = true;
                    files.push((gone.base, gone.file.take()));
                }
            }
            if files.is_empty() {
                continue;
            }
            let partition = p.id;
            self.unlinking += 1;
            self.start_flow(move |flow| async move {
                let result = unlink(&flow, partition, &files).await;
                let bases = files.into_iter().map(|(base, _)| base).collect();
                FlowEnd::Unlinked(slot, bases, result)
            });
        }
    }

    pub(super) fn on_unlinked(
        &mut self,
        now: Now,
        slot: u32,
        bases: &[Offset],
        result: Result<(), DiskError>,
    ) {
        self.unlinking -= 1;
        let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
            self.release_doomed(slot);
            return;
        };
        match result {
            Ok(()) => {
                p.trimmed.retain(|t| !bases.contains(&t.base));
                self.no_space_until = None;
                self.forget_space();
                self.room_changed = true;
            }
            Err(error) => {
                tracing::warn!(partition = %p.id, errno = error.errno, "files below the log start could not be removed");
                let again = now.mono.after(UNLINK_RETRY);
                for gone in p.trimmed.iter_mut().filter(|t| bases.contains(&t.base)) {
                    (gone.unlinking, gone.due) = (false, Some(again));
                }
                self.unlinks.insert((again, slot));
            }
        }
    }

    /// When there is something to do here.
    pub(super) fn trim_deadline(&self) -> Option<Instant> {
        if self.stopping {
            return None;
        }
        let unlink = self.unlinks.first().map(|(due, _)| *due);
        let unlink = unlink.filter(|_| self.unlinking < REMOVALS_AT_ONCE);
        [self.sweep.due, unlink].into_iter().flatten().min()
    }
}

/// Closes and unlinks segments. They are forgotten only once their names are durably gone: else the files would stay
/// for ever after a power cut.
async fn unlink(
    flow: &Flow,
    partition: TopicPartition,
    files: &[(Offset, Option<FileId>)],
) -> Result<(), DiskError> {
    for (base, file) in files {
        if let Some(file) = file {
            flow.close(*file).await?;
        }
        flow.unlink(&segment::path(partition, *base)).await?;
    }
    match flow.sync_directory(&segment::directory(partition)).await {
        // No segment of it was ever written.
        Err(DiskError::NOT_FOUND) => Ok(()),
        synced => synced,
    }
}
