//! Write-back: from memory to the segments, lazily, in large aligned writes; as linear flows on the disk.
//!
//! ```text
//!  groups below T ─► plan per partition ─► open, extend ─► write whole blocks ─► flush ─► (sealed: cut to length, flush)
//!                                                                                  │
//!                    head = T, memory released ◄─ checkpoint flushed ◄─ journal flushed up to the snapshot
//! ```
//!
//! Only bytes of flushed groups are written. The last partial block of an active segment stays out of the file: the
//! checkpoint carries its bytes, so a block is written once it is whole (or its segment is sealed). A clean stop
//! writes the partial one too; the checkpoint carries it all the same.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};

use super::buffers;
use super::journal::{GroupSeq, Journal};
use super::partition::Partition;
use super::segment::{self, Segment};
use crate::disk::{DiskError, FileId};
use crate::fatal::Fatal;
use crate::flow::{Flow, join_all};
use crate::limits::{BLOCK, Limits};
use crate::types::{Offset, TopicPartition};

/// Writes of one segment side by side.
const WRITES_AT_ONCE: usize = 16;

/// What is to be done to one segment's file.
#[derive(Debug)]
pub struct SegmentJob {
    pub slot: u32,
    pub partition: TopicPartition,
    pub base: Offset,
    pub created: bool,
    pub file: Option<FileId>,
    pub allocated: u64,
    /// Reserve at least this much.
    pub allocate_to: u64,
    pub writes: Vec<(u64, Bytes)>,
    /// How far the file reaches afterwards, written and flushed: whole blocks, or all of a complete segment.
    pub disk_end: u64,
    /// Cut the file to this length and close it: a complete segment, or any at a clean stop.
    pub cut: Option<u64>,
    /// Sealed and whole: nothing follows.
    pub complete: bool,
    /// Straight writes follow, or the next cycle soon. Otherwise the file is closed: partitions are many, descriptors few.
    /// One that was open is the job's from its plan on.
    pub keep_open: bool,
    /// What the log has gained is flushed, too: also bytes that were written straight, and that a start has found. False:
    /// only what the job itself writes or makes.
    pub flush: bool,
}

impl SegmentJob {
    /// A job that does nothing yet: the segment as it is.
    pub fn idle(slot: u32, partition: TopicPartition, s: &Segment) -> SegmentJob {
        SegmentJob {
            slot,
            partition,
            base: s.base,
            created: s.created,
            file: s.file,
            allocated: s.allocated,
            allocate_to: s.allocated,
            writes: Vec::new(),
            disk_end: s.disk_end,
            cut: None,
            complete: false,
            keep_open: false,
            flush: false,
        }
    }
}

/// What is to be done to a partition's segments.
#[derive(Debug)]
pub struct Plan {
    pub jobs: Vec<SegmentJob>,
    /// Bytes in them.
    pub copied: usize,
    /// They are not all that is to be done.
    pub more: bool,
}

/// What became of a job, also of one that found no space: which files are open must be known in every case.
#[derive(Debug)]
pub struct SegmentDone {
    pub slot: u32,
    pub base: Offset,
    pub created: bool,
    pub file: Option<FileId>,
    pub allocated: u64,
    pub disk_end: u64,
    pub complete: bool,
    /// The file could not grow and nothing was written. Nothing was lost: the bytes stay in the journal.
    pub no_space: bool,
}

/// The step by which a segment's file grows: 4 KiB doubling to 64 MiB, not past what the segment can hold.
pub fn allocation(allocated: u64, needed: u64, segment_bytes: u64, limits: &Limits) -> u64 {
    if needed <= allocated {
        return allocated;
    }
    let step = allocated.clamp(limits.extend_bytes_min, limits.extend_bytes_max);
    let ceiling = segment_bytes.max(needed).next_multiple_of(BLOCK as u64);
    (allocated + step)
        .max(needed.next_multiple_of(BLOCK as u64))
        .min(ceiling)
}

/// Jobs that bring everything of the partition's groups below `below` to its segments, but for partial blocks.
pub fn plan(
    p: &Partition,
    slot: u32,
    below: GroupSeq,
    journal: &Journal,
    limits: &Limits,
) -> Vec<SegmentJob> {
    jobs(p, slot, below, How::START, journal, limits).jobs
}

/// As `plan`, but no more than about `bytes` are copied now. What is left is planned again once these jobs are done.
/// `keep`: the active segment's file stays open, for the next time.
pub fn plan_part(
    p: &Partition,
    slot: u32,
    below: GroupSeq,
    bytes: usize,
    keep: bool,
    journal: &Journal,
    limits: &Limits,
) -> Plan {
    let how = How {
        copied_max: bytes,
        keep,
        ..How::START
    };
    jobs(p, slot, below, how, journal, limits)
}

/// As `plan`, for a clean stop: every file ends as Kafka's would, cut to the length of its log. The last partial block
/// is carried by the checkpoint all the same.
pub fn plan_stop(p: &Partition, slot: u32, journal: &Journal, limits: &Limits) -> Plan {
    let how = How {
        stop: true,
        ..How::START
    };
    jobs(p, slot, journal.open_seq(), how, journal, limits)
}

/// What kind of jobs are planned.
struct How {
    stop: bool,
    copied_max: usize,
    keep: bool,
}

impl How {
    const START: How = How {
        stop: false,
        copied_max: usize::MAX,
        keep: false,
    };
}

fn jobs(
    p: &Partition,
    slot: u32,
    below: GroupSeq,
    how: How,
    journal: &Journal,
    limits: &Limits,
) -> Plan {
    let How { stop, keep, .. } = how;
    let copied_max = how.copied_max.max(BLOCK) / BLOCK * BLOCK;
    let mut jobs = Vec::new();
    let (mut copied, mut more) = (0, false);
    for s in p.segments.iter().filter(|s| !s.complete) {
        let available = p
            .extents
            .end_below(s.base, below)
            .unwrap_or(s.disk_end)
            .max(s.disk_end);
        let mut disk_end = s.write_back_end(available);
        let mut to = if stop { available } else { disk_end };
        if to <= s.disk_end && !(s.sealed && disk_end == s.end) && !(stop && s.created) {
            continue;
        }
        let mut writes = Vec::new();
        for (from, end) in p.extents.missing(s.base, s.disk_end, to) {
            let left = (copied_max - copied) as u64;
            if end - from > left {
                more = true;
                // Whole blocks: the rest begins where a block does.
                to = (from + left) / BLOCK as u64 * BLOCK as u64;
                disk_end = to;
            }
            let end = end.min(to);
            copied += end.saturating_sub(from) as usize;
            let mut at = from;
            while at < end {
                let end = end.min(at + limits.write_back_bytes as u64);
                let mut bytes = buffers::aligned((end - at) as usize + BLOCK);
                p.extents.copy(s.base, at, end, &mut bytes, journal);
                assert_eq!(
                    bytes.len() as u64,
                    end - at,
                    "bytes of {} at {at} are not in memory",
                    p.id
                );
                bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
                writes.push((at, bytes.freeze()));
                at = end;
            }
            if more {
                break;
            }
        }
        let complete = s.sealed && disk_end == s.end;
        if more && to <= s.disk_end {
            break;
        }
        jobs.push(SegmentJob {
            allocate_to: allocation(s.allocated, to, p.config.segment_bytes, limits),
            writes,
            disk_end,
            cut: (complete || stop).then_some(to),
            complete,
            keep_open: p.wants_straight || s.is_straight() || keep && !s.sealed,
            flush: true,
            ..SegmentJob::idle(slot, p.id, s)
        });
        if more {
            break;
        }
    }
    Plan { jobs, copied, more }
}

/// Closes the file of an active segment that nothing was written to for a while. `None`: it is not open, or in
/// use.
pub fn plan_close(p: &Partition, slot: u32) -> Option<SegmentJob> {
    let s = p.active();
    let idle = !p.busy && !p.wants_straight && !s.is_straight();
    s.file.filter(|_| idle)?;
    Some(SegmentJob::idle(slot, p.id, s))
}

fn disk(what: &str, job: &SegmentJob) -> impl FnOnce(DiskError) -> Fatal + use<> {
    let what = format!("{what} {}", segment::path(job.partition, job.base));
    move |error| Fatal::Disk {
        what,
        errno: error.errno,
    }
}

/// Makes the segment's file, if need be, and makes room in it. `false`: space or descriptors are used up.
async fn reserve(flow: &Flow, job: &SegmentJob, done: &mut SegmentDone) -> Result<bool, Fatal> {
    let directory = segment::directory(job.partition);
    let path = segment::path(job.partition, job.base);
    if !job.created {
        match flow.make_directory(&directory).await {
            Err(error) if error.is_shortage() => return Ok(false),
            made => made.map_err(disk("create directory of", job))?,
        }
        match flow.sync_directory("topics").await {
            Err(error) if error.is_shortage() => return Ok(false),
            synced => synced.map_err(disk("sync directory above", job))?,
        }
    }
    let file = match job.file {
        Some(file) => file,
        None => match flow.open(&path, true, true).await {
            Err(error) if error.is_shortage() => return Ok(false),
            opened => opened.map_err(disk("open", job))?,
        },
    };
    done.file = Some(file);
    if !job.created {
        match flow.sync_directory(&directory).await {
            Err(error) if error.is_shortage() => return Ok(false),
            synced => synced.map_err(disk("sync directory of", job))?,
        }
        done.created = true;
    }
    if job.allocate_to > job.allocated {
        match flow
            .allocate(file, job.allocated, job.allocate_to - job.allocated)
            .await
        {
            Err(error) if error.is_shortage() => return Ok(false),
            extended => extended.map_err(disk("extend", job))?,
        }
        done.allocated = job.allocate_to;
    }
    Ok(true)
}

/// Does one job.
pub async fn write_segment(flow: &Flow, job: SegmentJob) -> Result<SegmentDone, Fatal> {
    let mut done = SegmentDone {
        no_space: false,
        ..left(&job)
    };
    done.no_space = !reserve(flow, &job, &mut done).await?;
    let Some(file) = done.file else {
        return Ok(done);
    };
    let made = done.allocated != job.allocated || !job.created;
    if !done.no_space && (made || job.flush) {
        let writes = job
            .writes
            .iter()
            .map(|(at, bytes)| flow.write(file, *at, bytes.clone()))
            .collect();
        for written in join_all(WRITES_AT_ONCE, writes).await {
            written.map_err(disk("write", &job))?;
        }
        flow.flush(file).await.map_err(disk("flush", &job))?;
        if let Some(length) = job.cut {
            flow.truncate(file, length)
                .await
                .map_err(disk("cut", &job))?;
            flow.flush(file).await.map_err(disk("flush", &job))?;
            done.allocated = job.disk_end;
        }
    }
    let cut = job.cut.is_some() && !done.no_space;
    if cut || !job.keep_open {
        flow.close(file).await.map_err(disk("close", &job))?;
        done.file = None;
    }
    Ok(done)
}

/// A job that is not done: what it was given stays as it was.
fn left(job: &SegmentJob) -> SegmentDone {
    SegmentDone {
        slot: job.slot,
        base: job.base,
        created: job.created,
        file: job.file,
        allocated: job.allocated,
        disk_end: job.disk_end,
        complete: job.complete,
        no_space: true,
    }
}

/// Does the jobs of many partitions, those of one in order, `at_once` partitions side by side. A partition's jobs after
/// one that found no space are left: a segment is on disk only after those before it.
pub async fn write_back(
    flow: Flow,
    jobs: Vec<Vec<SegmentJob>>,
    at_once: usize,
) -> Result<Vec<SegmentDone>, Fatal> {
    let queue = Rc::new(RefCell::new(VecDeque::from(jobs)));
    let workers = (0..at_once)
        .map(|_| {
            let (flow, queue) = (flow.clone(), queue.clone());
            async move {
                let mut done = Vec::new();
                loop {
                    let Some(jobs) = queue.borrow_mut().pop_front() else {
                        return Ok(done);
                    };
                    let mut no_space = false;
                    for job in jobs {
                        if no_space {
                            done.push(left(&job));
                            continue;
                        }
                        done.push(write_segment(&flow, job).await?);
                        no_space = done.last().is_some_and(|d| d.no_space);
                    }
                }
            }
        })
        .collect();
    let mut all = Vec::new();
    for done in join_all(at_once, workers).await {
        all.extend::<Vec<SegmentDone>>(done?);
    }
    Ok(all)
}

/// As `write_back`, of a start: without space it cannot go on.
pub async fn write_back_all(
    flow: &Flow,
    jobs: Vec<Vec<SegmentJob>>,
) -> Result<Vec<SegmentDone>, Fatal> {
    let done = write_back(flow.clone(), jobs, 8).await?;
    match done.iter().any(|d| d.no_space) {
        true => Err(Fatal::Disk {
            what: "extend segments".into(),
            errno: DiskError::NO_SPACE.errno,
        }),
        false => Ok(done),
    }
}

/// A batch's bytes where they will be written straight: block-aligned memory whose first block begins where the
/// segment's does.
pub fn straight_memory(
    mut memory: BytesMut,
    position: u64,
    put: impl FnOnce(&mut BytesMut),
) -> Bytes {
    memory.resize((position % BLOCK as u64) as usize, 0);
    put(&mut memory);
    memory.freeze()
}

/// Notes a finished job in the partition's state.
pub fn settle_job(p: &mut Partition, done: &SegmentDone) {
    let Some(s) = p.segment_mut(done.base) else {
        if let Some(gone) = p.trimmed.iter_mut().find(|t| t.base == done.base) {
            gone.file = done.file;
        }
        return;
    };
    s.created = done.created;
    s.file = done.file;
    s.allocated = done.allocated;
    if done.no_space {
        return;
    }
    assert!(done.disk_end >= s.disk_end, "a segment's file only grows");
    s.disk_end = done.disk_end;
    s.complete = done.complete;
}
