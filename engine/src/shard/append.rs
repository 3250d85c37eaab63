//! Appends: checked, given an offset, put into the journal or straight into the segment; durable later.

use super::{FlowEnd, STALL_MAX, STALL_RETRY, Shard, ShardOut, Stalled, token};
use crate::batch::{self, CheckedBatch, TimestampType};
use crate::call::{Acks, AppendError, AppendItem, Appended};
use crate::disk::{DiskOp, DiskRequest, DiskToken};
use crate::fatal::Fatal;
use crate::limits::{BATCH_HEADER, BLOCK};
use crate::log::group::{ENTRY_HEADER, pad, pointer_payload};
use crate::log::journal::GroupSeq;
use crate::log::partition::{AnswerTo, FlushRule, Pending, StraightStage};
use crate::log::producers::Admission;
use crate::log::write_back::{self, SegmentDone, SegmentJob};
use crate::types::{Durability, Instant, Now, Timestamp};

/// Wait this long before a full disk is asked again.
const NO_SPACE_RETRY: std::time::Duration = std::time::Duration::from_secs(1);

enum Attempt {
    Done,
    /// No room now: it is given back.
    Stall(Stalled),
}

impl Shard {
    pub(super) fn append(
        &mut self,
        now: Now,
        to: AnswerTo,
        acks: Acks,
        item: AppendItem,
        out: &mut ShardOut,
    ) {
        if self.failed {
            return;
        }
        if self.stopping {
            refuse(to, acks, AppendError::Storage, out);
            return;
        }
        let AppendItem {
            partition, records, ..
        } = item;
        let Some(&slot) = self.slots.get(&partition) else {
            refuse(to, acks, AppendError::UnknownPartition, out);
            return;
        };
        let p = self.partition(slot).expect("a known slot is filled");
        let batch = match batch::check(records, now.wall, &p.config.rules) {
            Ok(batch) => batch,
            Err(error) => {
                refuse(to, acks, error, out);
                return;
            }
        };
        let append = Stalled {
            to,
            acks,
            partition,
            batch,
            since: now.mono,
        };
        if !self.stalled.is_empty() {
            self.stalled.push_back(append);
        } else if let Attempt::Stall(append) = self.try_append(append, out) {
            self.stalled.push_back(append);
            self.retry_at = Some(now.mono.after(STALL_RETRY));
        }
    }

    /// Appends that waited for room, in order; refused when the room cannot come, or has not come in time.
    pub(super) fn retry_stalled(&mut self, now: Now, out: &mut ShardOut) {
        let due = self.retry_at.is_some_and(|at| now.mono >= at);
        let hopeless = self.no_space_until.is_some() || self.stopping;
        if !std::mem::take(&mut self.room_changed) && !due && !hopeless {
            return;
        }
        while let Some(append) = self.stalled.pop_front() {
            if self.stopping {
                refuse(append.to, append.acks, AppendError::Storage, out);
                continue;
            }
            if let Attempt::Stall(append) = self.try_append(append, out) {
                if hopeless || now.mono.since(append.since) >= STALL_MAX {
                    refuse(append.to, append.acks, AppendError::Storage, out);
                    continue;
                }
                self.stalled.push_front(append);
                self.retry_at = Some(now.mono.after(STALL_RETRY));
                return;
            }
        }
    }

    fn try_append(&mut self, append: Stalled, out: &mut ShardOut) -> Attempt {
        let Stalled {
            to, acks, batch, ..
        } = &append;
        let (to, acks) = (*to, *acks);
        // It may have been deleted while the append waited.
        let Some(&slot) = self.slots.get(&append.partition) else {
            refuse(to, acks, AppendError::UnknownPartition, out);
            return Attempt::Done;
        };
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        let answer = (acks != Acks::None).then_some(to);
        match p.producers.check(batch.header()) {
            Ok(Admission::NoProducer | Admission::New) => {}
            Ok(Admission::Duplicate {
                base_offset,
                timestamp,
                ..
            }) => {
                let log_append_time = match p.config.rules.timestamp_type {
                    TimestampType::LogAppend => timestamp,
                    TimestampType::Create => Timestamp(-1),
                };
                let appended = Appended {
                    base_offset,
                    log_append_time,
                    log_start: p.log_start,
                };
                self.answer_duplicate(slot, answer, appended, out);
                return Attempt::Done;
            }
            Err(error) => {
                refuse(to, acks, error, out);
                return Attempt::Done;
            }
        }
        let header = batch.header();
        let rolled = p.roll_for(
            batch.len(),
            header.max_timestamp.0,
            header.last_offset_delta,
        );
        if rolled {
            self.on_rolled(slot);
        }
        let appended = if batch.len() >= self.limits.straight_bytes_min
            && self.ready_for_straight(slot, batch.len(), append.since)
        {
            self.append_straight(slot, batch, out)
        } else if batch.len() + ENTRY_HEADER <= self.journal.entry_bytes_max() {
            self.append_small(slot, batch)
        } else {
            None
        };
        let Some((appended, group)) = appended else {
            return Attempt::Stall(append);
        };
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        let end = p.next;
        p.pending.push_back(Pending {
            end,
            bytes: batch.len() as u32,
            group,
            answer: answer.map(|to| (to, appended)),
        });
        if p.config.durability == Durability::Process {
            p.unflushed_records += header.count as u64;
            self.flush_by_rule(slot, group, append.since);
        }
        self.tally.appended(slot, batch.len(), header.count);
        Attempt::Done
    }

    /// A segment takes no more appends: it is written back soon, or goes at once where all of it is deleted.
    pub(super) fn on_rolled(&mut self, slot: u32) {
        self.sealed_below = GroupSeq(self.journal.open_seq().0 + 1);
        let p = self.partition_mut(slot).expect("it was just rolled");
        if p.trim() {
            self.trimmed.push(slot);
        }
    }

    /// `flush.messages` and `flush.ms`: an append of a partition that answers before the flush went to `group`.
    fn flush_by_rule(&mut self, slot: u32, group: GroupSeq, now: Instant) {
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        let FlushRule { messages, after } = p.config.flush;
        if p.unflushed_records >= messages {
            p.unflushed_records = 0;
            self.flush_below = GroupSeq(group.0 + 1);
        }
        if let Some(after) = after {
            let at = now.after(after);
            self.flush_at = Some(self.flush_at.map_or(at, |due| due.min(at)));
        }
    }

    /// A repeated batch is acknowledged once the batch it repeats is durable.
    fn answer_duplicate(
        &mut self,
        slot: u32,
        answer: Option<AnswerTo>,
        appended: Appended,
        out: &mut ShardOut,
    ) {
        let Some(to) = answer else { return };
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        match p.pending.back() {
            Some(last) => {
                let pending = Pending {
                    end: last.end,
                    bytes: 0,
                    group: last.group,
                    answer: Some((to, appended)),
                };
                p.pending.push_back(pending);
            }
            None => out.appended(to, Ok(appended)),
        }
    }

    fn append_small(&mut self, slot: u32, batch: &CheckedBatch) -> Option<(Appended, GroupSeq)> {
        if !self.journal.reserve(
            ENTRY_HEADER + batch.len(),
            &mut self.arena,
            &mut self.writes,
        ) {
            return None;
        }
        let group = self.journal.open_seq();
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        Some((p.append_small(slot, batch, &mut self.journal), group))
    }

    /// Whether the active segment can take a straight write of `bytes`; asks for it to be prepared ahead of need.
    fn ready_for_straight(&mut self, slot: u32, bytes: usize, now: Instant) -> bool {
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        p.wants_straight = true;
        p.straight_at = now;
        let active = p.active();
        let end = active.end + bytes as u64;
        let ahead = (end + 2 * bytes as u64).min(p.config.segment_bytes);
        if active.file.is_none() || pad(ahead as usize) as u64 > active.allocated {
            self.prepare.insert(slot);
        }
        // A whole block at least must lie between the partial ones.
        active.file.is_some() && pad(end as usize) as u64 <= active.allocated && bytes >= 2 * BLOCK
    }

    fn append_straight(
        &mut self,
        slot: u32,
        batch: &CheckedBatch,
        out: &mut ShardOut,
    ) -> Option<(Appended, GroupSeq)> {
        // Live memory is bounded by write-back, which frees it group by group.
        let live = self.journal.live_bytes();
        if live > 0 && live + batch.len() > self.limits.tail_bytes_max {
            return None;
        }
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        let position = p.active().end;
        let skip = (position % BLOCK as u64) as usize;
        let front = (BLOCK - skip) % BLOCK;
        let back = (skip + batch.len()) % BLOCK;
        let entry = ENTRY_HEADER + pointer_payload(BATCH_HEADER, front, back);
        if !self
            .journal
            .reserve(entry, &mut self.arena, &mut self.writes)
        {
            return None;
        }
        let group = self.journal.open_seq();
        let (next, epoch) = (p.next, p.epoch);
        let memory = self.arena.take(pad(skip + batch.len()));
        let memory =
            write_back::straight_memory(memory, position, |to| batch.stamp_into(to, next, epoch));
        let serial = self.next_serial;
        self.next_serial += 1;
        let (appended, position, bytes) =
            p.append_straight(slot, memory, serial, &mut self.journal);
        let file = p.active().file.expect("ready_for_straight said so");
        self.straights.insert(serial, slot);
        self.unflushed_bytes += bytes.len();
        self.tally.straight_batches += 1;
        let token = DiskToken(token::STRAIGHT_WRITE | serial);
        out.disk.push(DiskRequest {
            token,
            op: DiskOp::Write {
                file,
                position,
                bytes,
            },
        });
        Some((appended, group))
    }

    pub(super) fn on_straight_written(&mut self, serial: u64, out: &mut ShardOut) {
        let Some(slot) = self.straights.remove(&serial) else {
            return;
        };
        let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
            self.release_doomed(slot);
            return;
        };
        let straight = p
            .straight
            .iter_mut()
            .find(|s| s.serial == serial)
            .expect("a straight write under way is known");
        straight.stage = StraightStage::Written;
        let segment = straight.segment;
        let s = p
            .segment_mut(segment)
            .expect("a segment with straight writes stays");
        s.straight_writing -= 1;
        s.straight_written += 1;
        self.unflushed.insert((slot, segment));
        self.advance(slot, out);
    }

    /// Flushes segments whose straight bytes someone waits for, or all of them.
    pub(super) fn flush_segments(&mut self, all: bool, out: &mut ShardOut) {
        let mut flush = Vec::new();
        for &(slot, base) in &self.unflushed {
            let Some(p) = self.partition(slot) else {
                continue;
            };
            let Some(s) = p.segment(base) else { continue };
            if (all || p.urgent()) && !s.flushing && s.straight_written > 0 {
                flush.push((slot, base));
            }
        }
        for (slot, base) in flush {
            let p = self.partition_mut(slot).expect("just seen");
            let mut serials = Vec::new();
            for straight in p
                .straight
                .iter_mut()
                .filter(|s| s.segment == base && s.stage == StraightStage::Written)
            {
                straight.stage = StraightStage::Flushing;
                serials.push(straight.serial);
            }
            let s = p.segment_mut(base).expect("just seen");
            s.flushing = true;
            s.straight_written = 0;
            let file = s.file.expect("a file with unflushed bytes stays open");
            let serial = self.next_serial;
            self.next_serial += 1;
            self.unflushed.remove(&(slot, base));
            self.segment_flushes.insert(serial, (slot, base, serials));
            let token = DiskToken(token::SEGMENT_FLUSH | serial);
            out.disk.push(DiskRequest {
                token,
                op: DiskOp::Flush { file },
            });
        }
    }

    pub(super) fn on_segment_flushed(&mut self, serial: u64, out: &mut ShardOut) {
        let (slot, base, serials) = self
            .segment_flushes
            .remove(&serial)
            .expect("a flush under way is known");
        let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
            self.release_doomed(slot);
            return;
        };
        for straight in p
            .straight
            .iter_mut()
            .filter(|s| serials.contains(&s.serial))
        {
            straight.stage = StraightStage::Flushed;
            self.unflushed_bytes -= straight.bytes;
            self.journal.on_straight_flushed(straight.group);
        }
        if let Some(s) = p.segment_mut(base) {
            s.flushing = false;
        }
        self.advance(slot, out);
    }

    /// Creates or extends the files that large appends wait for, where no other flow works on them.
    pub(super) fn start_prepares(&mut self) {
        if self.prepare.is_empty() || self.no_space_until.is_some() || self.stopping {
            return;
        }
        for slot in std::mem::take(&mut self.prepare) {
            let limits = &self.limits;
            let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
                continue;
            };
            if p.busy || self.cycle.wants(slot) {
                self.prepare.insert(slot);
                continue;
            }
            let config_bytes = p.config.segment_bytes;
            let partition = p.id;
            let active = p.active();
            let needed = (active.end + limits.straight_bytes_min as u64)
                .max(active.allocated + 1)
                .min(
                    config_bytes
                        .next_multiple_of(BLOCK as u64)
                        .max(active.end.next_multiple_of(BLOCK as u64)),
                );
            let step = write_back::allocation(active.allocated, needed, config_bytes, limits);
            let job = SegmentJob {
                allocate_to: step.max(write_back::allocation(step, step + 1, config_bytes, limits)),
                keep_open: true,
                ..SegmentJob::idle(slot, partition, active)
            };
            p.busy = true;
            self.start_flow(move |flow| async move {
                FlowEnd::Prepared(write_back::write_segment(&flow, job).await)
            });
        }
    }

    pub(super) fn on_prepared(
        &mut self,
        now: Now,
        result: Result<SegmentDone, Fatal>,
        out: &mut ShardOut,
    ) {
        match result {
            Ok(done) => {
                self.settle_segment(&done);
                self.end_busy(done.slot);
                if done.no_space {
                    self.on_no_space(now);
                }
            }
            Err(fatal) => {
                out.fatal.get_or_insert(fatal);
            }
        }
    }

    pub(super) fn on_no_space(&mut self, now: Now) {
        if self.no_space_until.is_none() {
            tracing::error!(
                "no space or descriptors left for the data directory: appends that need them are refused"
            );
        }
        self.room_changed = true;
        self.no_space_until = Some(now.mono.after(NO_SPACE_RETRY));
    }

    /// Notes what a flow did to a segment's file.
    pub(super) fn settle_segment(&mut self, done: &SegmentDone) {
        self.room_changed = true;
        if let Some(p) = self.partitions[done.slot as usize].as_deref_mut() {
            write_back::settle_job(p, done);
            match p.active().file {
                Some(_) => self.kept_open.insert(done.slot),
                None => self.kept_open.remove(&done.slot),
            };
        } else if let Some(doomed) = self.doomed.get_mut(&done.slot) {
            match done.file {
                Some(file) => doomed.files.insert(done.base, file),
                None => doomed.files.remove(&done.base),
            };
        }
    }

    /// The flow that worked on a partition's files ended.
    pub(super) fn end_busy(&mut self, slot: u32) {
        match self.partition_mut(slot) {
            Some(p) => p.busy = false,
            None => self.release_doomed(slot),
        }
    }
}

fn refuse(to: AnswerTo, acks: Acks, error: AppendError, out: &mut ShardOut) {
    if acks != Acks::None {
        out.appended(to, Err(error));
    }
}
