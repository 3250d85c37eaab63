//! The write-back cycle: frees memory and the journal's ring, group by group, oldest first.
//!
//! ```text
//!  Idle ─ too much is live ─► Writing ─ all flushed ─► Waiting ─ snapshot's groups flushed ─► Checkpoint ─► Idle
//!            choose T         segments below T          section built, not yet written        head = T, memory freed
//!                             part by part
//! ```
//!
//! What is written is copied together first. So that no pass copies for long, a cycle is done in parts: some partitions at a
//! time, and some of a large one.
//!
//! Order: segment writes → their flushes → checkpoint written and flushed → head moves → files may be reused.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::{FlowEnd, Shard, ShardOut};
use crate::disk::{DiskError, FileId};
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::BLOCK;
use crate::log::checkpoint::{self, Section};
use crate::log::journal::GroupSeq;
use crate::log::partition::Partition;
use crate::log::write_back::{self, SegmentDone, SegmentJob};
use crate::types::{Now, Offset};

/// Parts written side by side.
const AT_ONCE: usize = 16;
/// So long after the last write to it, or sooner where so many are open, a segment's file is closed: a straight append that
/// finds it closed goes through the journal, and costs twice; a cycle opens and closes it each time.
const KEPT: Duration = Duration::from_secs(10);
const KEPT_OPEN_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) enum Cycle {
    #[default]
    Idle,
    /// Wanted, but a flow still works on one of the partitions.
    Planned,
    Writing {
        below: GroupSeq,
        slots: Vec<u32>,
        stop: bool,
        /// All their files stay open, not only those that are.
        keep: bool,
        /// Those of `slots` that have not been planned to their end.
        left: BTreeSet<u32>,
        /// Parts under way, and bytes in them.
        parts: usize,
        bytes: usize,
        /// One of them found no space: no more are begun.
        no_space: bool,
    },
    /// The snapshot names state up to `need`: its groups must be flushed before it may be written.
    Waiting {
        below: GroupSeq,
        slots: Vec<u32>,
        need: GroupSeq,
        section: Snapshot,
        stop: bool,
    },
    Checkpointing {
        below: GroupSeq,
        slots: Vec<u32>,
        snapshot: Vec<Saved>,
        stop: bool,
    },
    /// A stop is complete. Not `whole`: there was no space to write everything back, and the journal keeps it.
    Stopped { whole: bool },
}

/// What one flow of a cycle writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    bytes: usize,
    /// The partition that this was only a part of.
    rest: Option<u32>,
}

/// A section ready to be written, and where.
#[derive(Debug)]
pub(super) struct Snapshot {
    bytes: Bytes,
    full: bool,
    file: usize,
    at: u64,
    saved: Vec<Saved>,
}

/// What of a partition the section holds, noted when it is on disk.
#[derive(Debug)]
pub(super) struct Saved {
    slot: u32,
    /// All segments before this one are complete there.
    open: Offset,
    index: Vec<(Offset, usize)>,
}

#[derive(Debug)]
pub(super) struct SectionWritten {
    file: usize,
    end: u64,
    allocated: u64,
    full: bool,
    full_bytes: u64,
}

impl Cycle {
    pub(super) fn idle(&self) -> bool {
        matches!(self, Cycle::Idle | Cycle::Stopped { .. })
    }

    /// Whether the cycle will work on this partition, and waits for it to be left alone.
    pub(super) fn wants(&self, slot: u32) -> bool {
        match self {
            Cycle::Planned => true,
            Cycle::Writing { left, .. } => left.contains(&slot),
            Cycle::Idle
            | Cycle::Waiting { .. }
            | Cycle::Checkpointing { .. }
            | Cycle::Stopped { .. } => false,
        }
    }

    pub(super) fn wants_flush(&self) -> bool {
        matches!(self, Cycle::Planned | Cycle::Waiting { .. })
    }
}

impl Shard {
    pub(super) fn settle_cycle(&mut self, now: Now) {
        match self.cycle {
            Cycle::Idle | Cycle::Planned => self.start_cycle(now),
            Cycle::Waiting { need, .. } => {
                if self.journal.flushed_all() >= need {
                    self.write_section();
                }
            }
            Cycle::Writing { .. } => self.write_parts(now),
            Cycle::Checkpointing { .. } | Cycle::Stopped { .. } => {}
        }
    }

    /// Whether the section that waits may be written now.
    pub(super) fn cycle_may_go_on(&self) -> bool {
        matches!(self.cycle, Cycle::Waiting { need, .. } if self.journal.flushed_all() >= need)
    }

    /// How much has to go: the groups whose memory or place in the ring is needed, a bounded number at a time.
    fn target(&self) -> GroupSeq {
        if self.stopping {
            return self.journal.open_seq();
        }
        // Someone waits: everything that can go goes.
        let pressed = self.waiting.no_room;
        let memory_max = if pressed {
            0
        } else {
            self.limits.tail_bytes_max / 2
        };
        let ring_max = if pressed {
            0
        } else {
            self.journal.ring_bytes() / 2
        };
        let mut memory = self.journal.live_bytes();
        let mut ring = self.journal.ring_used();
        let mut below = self.journal.first();
        let chunk = (self.limits.write_back_bytes * 16).min(self.limits.tail_bytes_max / 4);
        let mut taken = 0;
        // The whole span is taken only where it is over the bound; a little more is taken so that cycles are few.
        if memory <= memory_max && ring <= ring_max && below >= self.sealed_below {
            return below;
        }
        while below < self.journal.flushed_all() && taken < chunk {
            let freed = self.journal.memory_of(below);
            let span =
                self.journal.position(GroupSeq(below.0 + 1)).0 - self.journal.position(below).0;
            memory -= freed;
            ring -= span.min(ring);
            taken += span as usize;
            below = GroupSeq(below.0 + 1);
            let enough = memory <= memory_max / 2 && ring <= ring_max / 2;
            if enough && below >= self.sealed_below {
                break;
            }
        }
        below
    }

    fn start_cycle(&mut self, now: Now) {
        let below = self.target();
        if below == self.journal.first() && !self.stopping || self.no_space_until.is_some() {
            // What is not flushed cannot go; a flush is due where its memory is missed: `process` appends ask for none.
            let unflushed = self.journal.flushed_all() < self.journal.open_seq();
            let missed = self.waiting.no_room && unflushed
                || self.journal.live_bytes() > self.limits.tail_bytes_max / 2;
            self.cycle = match missed {
                true => Cycle::Planned,
                false => Cycle::Idle,
            };
            return;
        }
        if self.stopping && (self.journal.has_open() || self.journal.flushed_all() < below) {
            self.cycle = Cycle::Planned;
            return;
        }
        let slots: BTreeSet<u32> = if self.stopping {
            (0..self.partitions.len() as u32).collect()
        } else {
            let groups = self.journal.first().0..below.0;
            groups
                .flat_map(|seq| self.journal.touched(GroupSeq(seq)).iter().copied())
                .collect()
        };
        let slots: Vec<u32> = slots
            .into_iter()
            .filter(|slot| self.partition(*slot).is_some())
            .collect();
        if slots
            .iter()
            .any(|slot| self.partition(*slot).is_some_and(|p| p.busy))
        {
            self.cycle = Cycle::Planned;
            return;
        }
        let more = slots.iter().filter(|slot| !self.kept_open.contains(slot));
        self.cycle = Cycle::Writing {
            below,
            keep: self.kept_open.len() + more.count() <= KEPT_OPEN_MAX,
            left: slots.iter().copied().collect(),
            slots,
            stop: self.stopping,
            parts: 0,
            bytes: 0,
            no_space: false,
        };
        let closes = self.close_idle(now);
        if !closes.is_empty() {
            self.start_part(
                Part {
                    bytes: 0,
                    rest: None,
                },
                closes,
            );
        }
        self.write_parts(now);
    }

    /// Begins as many parts as may be under way; once none is left and all are done, the cycle goes on.
    fn write_parts(&mut self, now: Now) {
        let full = self.kept_open.len() > KEPT_OPEN_MAX;
        let bytes_max = self.limits.write_back_bytes;
        let mut from = 0;
        loop {
            let Cycle::Writing {
                below,
                stop,
                keep,
                left,
                parts,
                bytes,
                no_space,
                ..
            } = &mut self.cycle
            else {
                return;
            };
            let (below, stop, keep) = (*below, *stop, *keep);
            if *no_space {
                left.clear();
            }
            if *parts >= AT_ONCE || *bytes >= bytes_max {
                return;
            }
            let Some(&slot) = left.range(from..).next() else {
                break;
            };
            from = slot + 1;
            let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
                left.remove(&slot);
                continue;
            };
            // Its turn comes when the flow that works on it has ended.
            if p.busy {
                continue;
            }
            left.remove(&slot);
            let room = bytes_max - *bytes;
            let plan = match stop {
                true => write_back::plan_stop(p, slot, &self.journal, &self.limits),
                false => {
                    let keep = keep || !full && self.kept_open.contains(&slot);
                    let (journal, limits) = (&self.journal, &self.limits);
                    write_back::plan_part(p, slot, below, room, keep, journal, limits)
                }
            };
            p.written_back_at = now.mono;
            p.wants_straight &= !full && now.mono.since(p.straight_at) < KEPT;
            if plan.jobs.is_empty() {
                assert!(!plan.more, "a part of a block was planned");
                continue;
            }
            take_files(p, &plan.jobs);
            let part = Part {
                bytes: plan.copied,
                rest: plan.more.then_some(slot),
            };
            self.start_part(part, vec![plan.jobs]);
        }
        self.end_writing(now);
    }

    fn start_part(&mut self, part: Part, jobs: Vec<Vec<SegmentJob>>) {
        if let Cycle::Writing { parts, bytes, .. } = &mut self.cycle {
            *parts += 1;
            *bytes += part.bytes;
        }
        self.start_flow(move |flow| async move {
            FlowEnd::WroteBack(part, write_back::write_back(flow, jobs, AT_ONCE).await)
        });
    }

    /// All of it is written: what follows is the checkpoint.
    fn end_writing(&mut self, now: Now) {
        match std::mem::take(&mut self.cycle) {
            Cycle::Writing {
                below,
                slots,
                stop,
                left,
                parts: 0,
                no_space,
                ..
            } if left.is_empty() => match no_space {
                true => self.on_cycle_without_space(now, stop),
                false => self.snapshot(below, slots, stop),
            },
            under_way => self.cycle = under_way,
        }
    }

    /// Jobs that close the files which were kept open for straight appends, where none has come for long, or since the last
    /// cycle where too many are open.
    fn close_idle(&mut self, now: Now) -> Vec<Vec<SegmentJob>> {
        let full = self.kept_open.len() > KEPT_OPEN_MAX;
        let mut jobs = Vec::new();
        for &slot in &self.kept_open {
            if self.cycle.wants(slot) {
                continue;
            }
            let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
                continue;
            };
            let used = !full && now.mono.since(p.written_back_at) < KEPT;
            if let Some(job) = write_back::plan_close(p, slot).filter(|_| !used) {
                let planned = vec![job];
                take_files(p, &planned);
                jobs.push(planned);
            }
            p.wants_straight &= !full && now.mono.since(p.straight_at) < KEPT;
        }
        jobs
    }

    pub(super) fn on_wrote_back(
        &mut self,
        now: Now,
        part: Part,
        result: Result<Vec<SegmentDone>, Fatal>,
        out: &mut ShardOut,
    ) {
        let done = match result {
            Ok(done) => done,
            Err(fatal) => {
                out.fatal.get_or_insert(fatal);
                return;
            }
        };
        for job in &done {
            self.settle_segment(job);
        }
        let worked_on: BTreeSet<u32> = done.iter().map(|job| job.slot).collect();
        for slot in worked_on {
            self.end_busy(slot);
        }
        let Cycle::Writing {
            left,
            parts,
            bytes,
            no_space,
            ..
        } = &mut self.cycle
        else {
            panic!("write-back ended outside its cycle")
        };
        *parts -= 1;
        *bytes -= part.bytes;
        *no_space |= done.iter().any(|job| job.no_space);
        left.extend(part.rest);
        self.write_parts(now);
    }

    /// Builds the section that lets the head move to `below`.
    fn snapshot(&mut self, below: GroupSeq, slots: Vec<u32>, stop: bool) {
        let state = &self.checkpoint;
        let partial = state.number > 0
            && state.at < (2 * state.full_bytes).max(self.limits.checkpoint_bytes)
            && !stop;
        let members: Vec<u32> = if partial {
            slots.clone()
        } else {
            (0..self.partitions.len() as u32).collect()
        };
        let mut bytes = checkpoint::begin_section(members.len() * 256);
        let mut saved = Vec::new();
        let mut records = 0;
        for slot in members {
            let Some(p) = self.partitions[slot as usize].as_deref() else {
                continue;
            };
            if !partial && p.next == Offset(0) && p.log_start == Offset(0) {
                continue;
            }
            checkpoint::put_record(&mut bytes, p, below, !partial, &self.journal);
            records += 1;
            saved.push(Saved {
                slot,
                open: (p.segments.iter().find(|s| !s.complete))
                    .expect("the last segment takes appends")
                    .base,
                index: p
                    .segments
                    .iter()
                    .filter(|s| !s.complete)
                    .map(|s| (s.base, s.index.len()))
                    .collect(),
            });
        }
        let section = Section {
            generation: if partial {
                state.generation
            } else {
                state.generation + 1
            },
            number: if partial { state.number } else { 0 },
            records,
            head: self.journal.position(below),
            head_prev_crc: self.journal.prev_crc(below),
            length: 0,
        };
        let bytes = checkpoint::seal_section(bytes, self.directory, section);
        let (file, at) = if partial {
            (state.current, state.at)
        } else {
            (1 - state.current, 0)
        };
        self.cycle = Cycle::Waiting {
            below,
            slots,
            need: GroupSeq(self.journal.open_seq().0 + u64::from(self.journal.has_open())),
            section: Snapshot {
                bytes,
                full: !partial,
                file,
                at,
                saved,
            },
            stop,
        };
    }

    fn write_section(&mut self) {
        let Cycle::Waiting {
            below,
            slots,
            section,
            stop,
            ..
        } = std::mem::take(&mut self.cycle)
        else {
            panic!("no section waits")
        };
        let Snapshot {
            bytes,
            full,
            file,
            at,
            saved,
        } = section;
        self.cycle = Cycle::Checkpointing {
            below,
            slots,
            snapshot: saved,
            stop,
        };
        let (handle, allocated) = (self.checkpoint.files[file], self.checkpoint.allocated[file]);
        let other = self.limits.checkpoint_bytes;
        self.start_flow(move |flow| async move {
            let written = write_section(&flow, handle, at, bytes, allocated, other).await;
            FlowEnd::Checkpointed(
                written
                    .map(|written| {
                        written.map(|(end, allocated)| SectionWritten {
                            file,
                            end,
                            allocated,
                            full,
                            full_bytes: end - at,
                        })
                    })
                    .map_err(|error| Fatal::Disk {
                        what: "write checkpoint".into(),
                        errno: error.errno,
                    }),
            )
        });
    }

    pub(super) fn on_checkpointed(
        &mut self,
        now: Now,
        result: Result<Option<SectionWritten>, Fatal>,
        out: &mut ShardOut,
    ) {
        let Cycle::Checkpointing {
            below,
            slots,
            snapshot,
            stop,
        } = std::mem::take(&mut self.cycle)
        else {
            panic!("a checkpoint ended outside its cycle")
        };
        let written = match result {
            Ok(Some(written)) => written,
            Ok(None) => return self.on_cycle_without_space(now, stop),
            Err(fatal) => {
                out.fatal.get_or_insert(fatal);
                return;
            }
        };
        let state = &mut self.checkpoint;
        state.at = written.end;
        state.allocated[written.file] = written.allocated;
        if written.full {
            state.current = written.file;
            state.generation += 1;
            state.number = 1;
            state.full_bytes = written.full_bytes;
        } else {
            state.number += 1;
        }
        for saved in snapshot {
            let Some(p) = self.partitions[saved.slot as usize].as_deref_mut() else {
                continue;
            };
            // Some may have been trimmed since.
            p.segments_saved = p.segments.partition_point(|s| s.base < saved.open);
            for (base, length) in saved.index {
                if let Some(s) = p.segment_mut(base) {
                    s.index_saved = length;
                }
            }
        }
        for slot in slots {
            let Some(p) = self.partitions[slot as usize].as_deref_mut() else {
                continue;
            };
            let segments = &p.segments;
            let disk_end = |base: Offset| {
                let index = segments.binary_search_by_key(&base, |s| s.base);
                index.map_or(0, |index| segments[index].disk_end)
            };
            p.extents.release(below, disk_end, &self.journal);
        }
        self.journal.advance_head(below);
        self.room_changed = true;
        if stop {
            self.cycle = Cycle::Stopped { whole: true };
        }
    }

    /// The head stays, and the next cycle tries again. A stop does not wait for space, which may never come: all that was
    /// acknowledged is in the journal, flushed before this cycle began, and the next start finds it as after a crash.
    fn on_cycle_without_space(&mut self, now: Now, stop: bool) {
        self.on_no_space(now);
        if stop {
            tracing::warn!("no space to write everything back: the next start reads the journal");
            self.cycle = Cycle::Stopped { whole: false };
        }
    }

    /// Ends the shard's life cleanly: everything is written back, every file is cut to its length, and a complete
    /// checkpoint says so. Appends are not taken any more.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether a stop is complete.
    pub fn stopped(&self) -> bool {
        matches!(self.cycle, Cycle::Stopped { .. })
    }

    /// Whether it left everything in the segments, so that the start after it has nothing to recover.
    pub fn stopped_clean(&self) -> bool {
        matches!(self.cycle, Cycle::Stopped { whole: true })
    }
}

/// The partition is worked on; what its jobs will close is theirs.
fn take_files(p: &mut Partition, jobs: &[SegmentJob]) {
    p.busy = true;
    for job in jobs.iter().filter(|job| !job.keep_open) {
        if let Some(s) = p.segment_mut(job.base) {
            s.file = None;
        }
    }
}

/// Writes and flushes one section; the file is extended in steps ahead of need. `None`: it could not be.
async fn write_section(
    flow: &Flow,
    file: FileId,
    at: u64,
    bytes: Bytes,
    allocated: u64,
    step: u64,
) -> Result<Option<(u64, u64)>, DiskError> {
    let end = at + bytes.len() as u64;
    assert!(
        end.is_multiple_of(BLOCK as u64),
        "sections are whole blocks"
    );
    let mut reserved = allocated;
    if end > allocated {
        reserved = end.next_multiple_of(step);
        match flow.allocate(file, allocated, reserved - allocated).await {
            Err(error) if error.is_shortage() => return Ok(None),
            extended => extended?,
        }
    }
    flow.write(file, at, bytes).await?;
    flow.flush(file).await?;
    Ok(Some((end, reserved)))
}
