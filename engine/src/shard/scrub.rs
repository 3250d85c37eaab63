//! The scrub: reads everything that is on disk, again and again, slowly, and says what is not what was appended.
//!
//! ```text
//!  round   partition after partition, from one drawn by the clock ─ all seen ─► rest until a round may begin anew
//!  step    due, and no client waits ─► flow: open, read one stretch, walk it, close ─► due again after stretch ÷ rate
//!                                              └─ finding ─► on_corrupt; goes on at the next entry of the index
//! ```
//!
//! One stretch is under way at a time: its memory and the CRC of one pass are bounded, whatever batches and segments are.
//! Only what is written and flushed is read, each segment by its own name: what is deleted meanwhile is passed over. Where
//! it is, is kept in memory only; a start begins elsewhere, so that no partition is always the last.

use std::time::Duration;

use super::{Corrupt, FlowEnd, Shard, ShardOut};
use crate::disk::DiskError;
use crate::flow::Flow;
use crate::limits::BLOCK;
use crate::log::buffers;
use crate::log::group::pad;
use crate::log::segment;
use crate::log::verify::{Finding, Known, Walk};
use crate::rng::Rng;
use crate::types::{Instant, Now, Offset, TopicPartition};

/// One read. Its CRC takes some tens of microseconds.
const STRETCH_BYTES: u64 = 256 << 10;

/// Segments and partitions that one pass looks at for something to read.
const LOOKS_A_PASS: usize = 64;

/// While clients wait for the disk or for room, a step is put off by so long, and so often at most.
const PUT_OFF: Duration = Duration::from_millis(10);
const PUT_OFF_MAX: u32 = 100;

/// So long after descriptors or memory were lacking, a stretch is tried again.
const SHORT_FOR: Duration = Duration::from_secs(1);

/// Between two passes that look.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Where the scrub is. Per shard.
#[derive(Default)]
pub(super) struct Scrub {
    /// When it goes on; `None` before the first pass.
    due: Option<Instant>,
    round: Option<Round>,
    pub(super) under_way: bool,
    put_off: u32,
    /// What was read, and how often everything was.
    pub(super) bytes: u64,
    pub(super) rounds: u64,
}

/// Once through all partitions that there were at its begin.
struct Round {
    began: Instant,
    partitions: usize,
    left: usize,
    slot: usize,
    /// The segment being read, or one before it that is done.
    base: Offset,
    walk: Option<Box<Walk>>,
}

/// A stretch that was read.
pub(super) struct Scrubbed {
    began: Instant,
    id: TopicPartition,
    base: Offset,
    /// Where the batch begins in which the stretch does.
    position: u64,
    from: u64,
    to: u64,
    walk: Box<Walk>,
    result: Result<(), Trouble>,
}

enum Trouble {
    Rot(Finding),
    /// The file ends there, and it should not.
    Short(u64),
    Disk(DiskError),
}

/// What there is to do.
enum Look {
    Read {
        id: TopicPartition,
        from: u64,
        to: u64,
        walk: Box<Walk>,
    },
    /// Nothing here; go on with the next one.
    Passed,
    /// A whole segment was read, and does not end as it should.
    Found(Corrupt),
    RoundOver,
}

impl Round {
    fn next_partition(&mut self) {
        self.slot = (self.slot + 1) % self.partitions;
        self.left -= 1;
        (self.base, self.walk) = (Offset(0), None);
    }

    fn next_segment(&mut self) {
        self.base = Offset(self.base.0 + 1);
        self.walk = None;
    }
}

impl Shard {
    /// Reads the next stretch when it is due.
    pub(super) fn settle_scrub(&mut self, now: Now, out: &mut ShardOut) {
        let first = Duration::from_millis(self.limits.scrub_first_ms);
        let due = *self.scrub.due.get_or_insert(now.mono.after(first));
        let off = self.limits.scrub_bytes_per_second == 0 || self.stopping;
        if off || self.scrub.under_way || now.mono < due {
            return;
        }
        let clients_wait = self.cold.is_full() || !self.stalled.is_empty();
        if clients_wait && self.scrub.put_off < PUT_OFF_MAX {
            self.scrub.put_off += 1;
            self.scrub.due = Some(now.mono.after(PUT_OFF));
            return;
        }
        self.scrub.put_off = 0;
        self.scrub.due = Some(now.mono.after(LOOK_AGAIN));
        for _ in 0..LOOKS_A_PASS {
            match self.look_for_scrub(now) {
                Look::Passed => {}
                Look::Found(corrupt) => self.on_corrupt(corrupt, out),
                Look::Read { id, from, to, walk } => {
                    self.scrub.under_way = true;
                    let base = self.scrub.round.as_ref().expect("it looks").base;
                    let began = now.mono;
                    self.start_flow(move |flow| async move {
                        let mut walk = walk;
                        let (position, _) = walk.place();
                        let result = read_stretch(&flow, id, base, from, to, &mut walk).await;
                        FlowEnd::Scrubbed(Scrubbed {
                            began,
                            id,
                            base,
                            position,
                            from,
                            to,
                            walk,
                            result,
                        })
                    });
                    return;
                }
                Look::RoundOver => {
                    let rest = Duration::from_millis(self.limits.scrub_round_ms);
                    let round = self.scrub.round.take();
                    let began = round.map_or(now.mono, |round| round.began);
                    self.scrub.rounds += 1;
                    self.scrub.due = Some(began.after(rest).max(now.mono.after(LOOK_AGAIN)));
                    self.forget_rot();
                    return;
                }
            }
        }
    }

    /// Looks at one partition or segment.
    fn look_for_scrub(&mut self, now: Now) -> Look {
        let partitions = self.partitions.len();
        let round = self.scrub.round.get_or_insert_with(|| Round {
            began: now.mono,
            partitions,
            left: partitions,
            slot: Rng::new(now.wall.0 as u64).below(partitions.max(1) as u64) as usize,
            base: Offset(0),
            walk: None,
        });
        if round.left == 0 {
            return Look::RoundOver;
        }
        let p = self.partitions[round.slot].as_deref();
        let Some((p, at)) = p.and_then(|p| {
            let at = p.segments.partition_point(|s| s.base < round.base);
            (at < p.segments.len()).then_some((p, at))
        }) else {
            round.next_partition();
            return Look::Passed;
        };
        let s = &p.segments[at];
        if s.base != round.base {
            (round.base, round.walk) = (s.base, None);
        }
        let mut walk = (round.walk.take()).unwrap_or_else(|| Box::new(Walk::begin(0, s.base)));
        let from = walk.fed();
        let to = s.disk_end.min(from + STRETCH_BYTES);
        if from < to {
            let (position, next) = walk.place();
            walk.know(Known {
                end: s.end,
                epochs: p.epochs.from(next).to_vec(),
                entries: s.index.entries_within(position, to).collect(),
            });
            let id = p.id;
            return Look::Read { id, from, to, walk };
        }
        let follower = p.segments.get(at + 1).map(|s| s.base);
        let (id, segment) = (p.id, s.base);
        let ended = match s.complete && from == s.disk_end && from > 0 {
            true => check_end(&walk, follower),
            false => Ok(()),
        };
        round.next_segment();
        match ended {
            Ok(()) => Look::Passed,
            Err(finding) => Look::Found(corrupt(id, segment, finding)),
        }
    }

    pub(super) fn on_scrubbed(&mut self, now: Now, scrubbed: Scrubbed, out: &mut ShardOut) {
        let Scrubbed {
            began,
            id,
            base,
            position,
            from,
            to,
            walk,
            result,
        } = scrubbed;
        self.scrub.under_way = false;
        // Want of descriptors or memory says nothing of the file: the stretch is read again.
        let result = match result {
            Err(Trouble::Disk(error)) if error.is_shortage() => {
                let round = self.scrub.round.as_mut().expect("a stretch is of a round");
                round.walk = Some(walk);
                self.scrub.due = Some(now.mono.after(SHORT_FOR));
                return;
            }
            result => result,
        };
        self.scrub.bytes += to - from;
        let rate = self.limits.scrub_bytes_per_second;
        let lasts = Duration::from_nanos((to - from).saturating_mul(1_000_000_000) / rate);
        self.scrub.due = Some(began.after(lasts).max(now.mono));
        let slot = self.slots.get(&id);
        let p = slot.and_then(|slot| self.partition(*slot));
        let Some(s) = p.and_then(|p| p.segment(base)) else {
            return;
        };
        let (walk, found) = match result {
            Ok(()) => (Some(walk), None),
            Err(Trouble::Rot(finding)) => {
                // What follows is read from the next place that is known to be a batch's begin.
                let after = finding.position + 1;
                let next = s.index.entries_within(after, s.disk_end).next();
                (
                    next.map(|(offset, at)| Box::new(Walk::begin(at.0, offset))),
                    Some(finding),
                )
            }
            Err(Trouble::Short(length)) => {
                let what = format!("the file ends at {length}, where it had {to} bytes at least");
                (None, Some(of_walk(&walk, what)))
            }
            Err(Trouble::Disk(DiskError::NOT_FOUND)) => {
                (None, Some(of_walk(&walk, "the file is missing".into())))
            }
            Err(Trouble::Disk(error)) => {
                let next = s.index.entries_within(to, s.disk_end).next();
                let next = next.map(|(offset, at)| Box::new(Walk::begin(at.0, offset)));
                (
                    next,
                    Some(of_walk(&walk, format!("it cannot be read: {error}"))),
                )
            }
        };
        if found.is_none()
            && let Some(walk) = &walk
        {
            self.on_whole(id, base, position, walk.place().0);
        }
        let round = self.scrub.round.as_mut().expect("a stretch is of a round");
        match walk {
            Some(walk) => round.walk = Some(walk),
            None => round.next_segment(),
        }
        if let Some(finding) = found {
            self.on_corrupt(corrupt(id, base, finding), out);
        }
    }

    /// When there is something to do here.
    pub(super) fn scrub_deadline(&self) -> Option<Instant> {
        let on = self.limits.scrub_bytes_per_second > 0 && !self.stopping;
        self.scrub.due.filter(|_| on && !self.scrub.under_way)
    }
}

/// Of the batch that is being read.
fn of_walk(walk: &Walk, what: String) -> Finding {
    let (position, offset) = walk.place();
    Finding {
        position,
        offset,
        what,
    }
}

/// A complete segment ends with a batch, and the next one begins where it ends.
fn check_end(walk: &Walk, follower: Option<Offset>) -> Result<(), Finding> {
    walk.end()?;
    let (_, next) = walk.place();
    match follower {
        Some(base) if base != next => {
            let what = format!(
                "the segment ends here, the next one begins with offset {}",
                base.0
            );
            Err(of_walk(walk, what))
        }
        Some(_) | None => Ok(()),
    }
}

fn corrupt(partition: TopicPartition, segment: Offset, finding: Finding) -> Corrupt {
    let Finding {
        position,
        offset,
        what,
    } = finding;
    Corrupt {
        partition,
        segment,
        position,
        offset,
        what,
    }
}

/// Reads `from..to` of a segment's file and walks on over it.
async fn read_stretch(
    flow: &Flow,
    id: TopicPartition,
    base: Offset,
    from: u64,
    to: u64,
    walk: &mut Walk,
) -> Result<(), Trouble> {
    let path = segment::path(id, base);
    let begin = from - from % BLOCK as u64;
    let file = flow.open(&path, false, true).await.map_err(Trouble::Disk)?;
    let into = buffers::aligned(pad((to - begin) as usize));
    let read = flow.read(file, begin, into).await;
    flow.close(file).await.map_err(Trouble::Disk)?;
    let read = read.map_err(Trouble::Disk)?;
    let there = read.len().min((to - begin) as usize);
    let bytes = read.get((from - begin) as usize..there).unwrap_or_default();
    walk.feed(bytes).map_err(Trouble::Rot)?;
    if walk.fed() < to {
        return Err(Trouble::Short(begin + read.len() as u64));
    }
    Ok(())
}
