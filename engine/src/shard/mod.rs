//! A core's machine: its partitions, its journal, and everything that happens to them.
//!
//! ```text
//!  call(Append) ─► check ─► journal's open group, or straight ─┐            stalled: no room now, in order
//!  call(Read)   ─► memory ── cold ─► flow on the disk ─► answer │
//!  on_disk ─► written, flushed ─► high watermarks ─► answers    │
//!  settle ─► stalled again ─► close the group: one write ─► flushes ─► write-back cycle ◄┘
//! ```
//!
//! Per shard; pure. `call`, `on_disk` decide; `settle` runs once a pass.

mod append;
mod cold;
#[cfg(test)]
mod crash_tests;
mod cycle;
mod look;
mod read;
pub mod tally;
#[cfg(test)]
mod tests;
mod trim;
mod watch;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::task::Poll;

use crate::batch::CheckedBatch;
use crate::call::{
    Acks, Answer, AnswerBody, AppendAnswer, AppendError, Appended, Call, CallBody, DeleteError,
    RequestToken,
};
use crate::disk::{
    DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId, Space,
};
use crate::fatal::Fatal;
use crate::flow::{FileIds, Flow, FlowRunner};
use crate::group::call::{GroupAnswer, GroupError, GroupsListed};
use crate::hash::IdMap;
use crate::limits::Limits;
use crate::log::buffers::Arena;
use crate::log::journal::{GroupSeq, GroupWrite, Journal};
use crate::log::partition::{AnswerTo, Partition, PartitionConfig, StraightStage};
use crate::log::recover::{CheckpointState, Recovered};
use crate::log::{group, segment, write_back};
use crate::types::{Instant, LeaderEpoch, Now, Offset, ShardId, TopicId, TopicPartition};

/// Effects of the shard.
#[derive(Debug, Default)]
pub struct ShardOut {
    pub disk: Vec<DiskRequest>,
    pub answers: Vec<(ShardId, Answer)>,
    pub fatal: Option<Fatal>,
}

impl ShardOut {
    fn answer(&mut self, shard: ShardId, request: RequestToken, body: AnswerBody) {
        self.answers.push((shard, Answer { request, body }));
    }

    /// Answers of one request that come together travel together.
    fn appended(&mut self, to: AnswerTo, result: Result<Appended, AppendError>) {
        let answer = AppendAnswer {
            slot: to.slot,
            result,
        };
        if let Some((
            shard,
            Answer {
                request,
                body: AnswerBody::Appended(list),
            },
        )) = self.answers.last_mut()
            && (*shard, *request) == (to.shard, to.request)
        {
            list.push(answer);
            return;
        }
        self.answer(to.shard, to.request, AnswerBody::Appended(vec![answer]));
    }

    fn fail(&mut self, what: impl Into<String>, error: DiskError) {
        self.fatal.get_or_insert(Fatal::Disk {
            what: what.into(),
            errno: error.errno,
        });
    }
}

/// Kinds of tokens on disk requests: the top byte below the controller's bit.
mod token {
    pub(super) const GROUP_WRITE: u64 = 1 << 56;
    pub(super) const JOURNAL_FLUSH: u64 = 2 << 56;
    pub(super) const STRAIGHT_WRITE: u64 = 3 << 56;
    pub(super) const SEGMENT_FLUSH: u64 = 4 << 56;
    pub(super) const FLOW: u64 = 5 << 56;
    pub(super) const KIND: u64 = 0x7f << 56;
    /// Bits of a flow's own token.
    pub(super) const FLOW_BITS: u32 = 40;
}

/// What a flow on the disk was for, and what it found.
enum FlowEnd {
    Prepared(Result<write_back::SegmentDone, Fatal>),
    WroteBack(cycle::Part, Result<Vec<write_back::SegmentDone>, Fatal>),
    /// `None`: no space for the section.
    Checkpointed(Result<Option<cycle::SectionWritten>, Fatal>),
    Read(cold::ColdRead),
    Listed(cold::ColdList),
    Removed(TopicPartition, Result<(), DiskError>),
    Unlinked(u32, Vec<Offset>, Result<(), DiskError>),
    Measured(Result<Space, DiskError>),
}

struct Running {
    runner: FlowRunner<FlowEnd>,
}

/// A deleted partition whose files go once nothing is under way on them: a descriptor is closed, and its number given
/// to another file, only after every write and flush of it was answered.
struct Doomed {
    id: TopicPartition,
    segments: Vec<Offset>,
    files: BTreeMap<Offset, FileId>,
    /// Straight writes, segment flushes and flows.
    under_way: usize,
}

/// Deleted partitions whose files are removed side by side.
const REMOVALS_AT_ONCE: usize = 16;

/// How often an append that found no room tries again although nothing here made room.
const STALL_RETRY: std::time::Duration = std::time::Duration::from_millis(5);

/// An append that found no room for so long is refused: its client would give up soon, and until it is answered its
/// bytes count as received.
const STALL_MAX: std::time::Duration = std::time::Duration::from_secs(20);

/// An append that found no room.
struct Stalled {
    to: AnswerTo,
    acks: Acks,
    partition: TopicPartition,
    batch: CheckedBatch,
    since: Instant,
}

pub struct Shard {
    limits: Limits,
    directory: [u8; 16],
    partitions: Vec<Option<Box<Partition>>>,
    slots: IdMap<TopicPartition, u32>,
    /// The slots that partitions of a topic were given here.
    topics: BTreeMap<TopicId, Vec<u32>>,
    journal: Journal,
    arena: Arena,
    checkpoint: CheckpointState,
    files: Rc<RefCell<FileIds>>,
    flows: Vec<Option<Running>>,
    flows_free: Vec<usize>,
    /// Flows that were started since the last `settle`.
    fresh: Vec<usize>,
    stalled: VecDeque<Stalled>,
    /// When what was appended without waiting for a flush is to be flushed.
    flush_at: Option<Instant>,
    /// Groups below are to be flushed, with their straight bytes, although nobody waits for it.
    flush_below: GroupSeq,
    /// Straight writes under way: whose.
    straights: BTreeMap<u64, u32>,
    next_serial: u64,
    /// Segments with straight bytes that no flush covers.
    unflushed: BTreeSet<(u32, Offset)>,
    unflushed_bytes: usize,
    /// Segment flushes under way: the straight writes each covers.
    segment_flushes: BTreeMap<u64, (u32, Offset, Vec<u64>)>,
    watches: watch::Watches,
    /// Something was freed or made ready: stalled appends may try again.
    room_changed: bool,
    prepare: BTreeSet<u32>,
    /// Partitions whose active segment's file is kept open.
    kept_open: BTreeSet<u32>,
    cycle: cycle::Cycle,
    /// Groups below hold bytes of a sealed segment: they are written back without waiting for pressure.
    sealed_below: GroupSeq,
    cold: cold::ColdBudget,
    listings: VecDeque<read::Listing>,
    /// What this pass may still look into for them.
    lookup_bytes_left: usize,
    /// No space was left when a segment was to be extended: try again then.
    no_space_until: Option<Instant>,
    retry_at: Option<Instant>,
    /// Deleted partitions with something under way; then they wait for their removal.
    doomed: BTreeMap<u32, Doomed>,
    removals: VecDeque<Doomed>,
    removing: usize,
    /// Log starts on their way to the journal.
    claims: VecDeque<trim::Claim>,
    sweep: trim::Sweep,
    /// Partitions that have just left segments behind.
    trimmed: Vec<u32>,
    /// Partitions with segments whose files go then.
    unlinks: BTreeSet<(Instant, u32)>,
    unlinking: usize,
    space: look::SpaceKnown,
    writes: Vec<GroupWrite>,
    due: Vec<(AnswerTo, Appended)>,
    tally: tally::Tally,
    stopping: bool,
    /// The disk failed: nothing is decided, and nothing acknowledged, any more.
    failed: bool,
}

impl Shard {
    /// Goes on where the start ended. `out` gets the requests that must come first.
    pub fn new(
        directory: [u8; 16],
        limits: Limits,
        recovered: Recovered,
        arena: Arena,
        files: Rc<RefCell<FileIds>>,
    ) -> Shard {
        let Recovered {
            journal,
            checkpoint,
            partitions,
            cuts,
            ..
        } = recovered;
        let slots = partitions
            .iter()
            .enumerate()
            .map(|(slot, p)| (p.id, slot as u32))
            .collect();
        let mut topics: BTreeMap<TopicId, Vec<u32>> = BTreeMap::new();
        for (slot, p) in partitions.iter().enumerate() {
            topics.entry(p.id.topic).or_default().push(slot as u32);
        }
        let tally = tally::Tally {
            appended: (partitions.iter())
                .map(|p| Some((p.id.topic, tally::Volume::default())))
                .collect(),
            ..tally::Tally::default()
        };
        let mut shard = Shard {
            limits,
            directory,
            partitions: partitions.into_iter().map(|p| Some(Box::new(p))).collect(),
            slots,
            topics,
            journal,
            arena,
            checkpoint,
            files,
            flows: Vec::new(),
            flows_free: Vec::new(),
            fresh: Vec::new(),
            stalled: VecDeque::new(),
            flush_at: None,
            flush_below: GroupSeq(0),
            straights: BTreeMap::new(),
            next_serial: 0,
            unflushed: BTreeSet::new(),
            unflushed_bytes: 0,
            segment_flushes: BTreeMap::new(),
            watches: watch::Watches::default(),
            room_changed: false,
            prepare: BTreeSet::new(),
            kept_open: BTreeSet::new(),
            cycle: cycle::Cycle::default(),
            sealed_below: GroupSeq(0),
            cold: cold::ColdBudget::default(),
            listings: VecDeque::new(),
            lookup_bytes_left: read::LOOKUP_BYTES_A_PASS,
            no_space_until: None,
            retry_at: None,
            doomed: BTreeMap::new(),
            removals: VecDeque::new(),
            removing: 0,
            claims: VecDeque::new(),
            sweep: trim::Sweep::default(),
            trimmed: Vec::new(),
            unlinks: BTreeSet::new(),
            unlinking: 0,
            space: look::SpaceKnown::default(),
            writes: Vec::new(),
            due: Vec::new(),
            tally,
            stopping: false,
            failed: false,
        };
        for (slot, place) in cuts {
            let next = shard.partition(slot).expect("just recovered").next;
            let room = shard.journal.reserve_for_start(
                group::ENTRY_HEADER + 8,
                &mut shard.arena,
                &mut shard.writes,
            );
            assert!(room, "a journal whose cuts do not fit");
            group::put_cut(shard.journal.entries(), &place, next);
            shard.journal.touch(slot, true);
        }
        for (slot, p) in (0..).zip(&mut shard.partitions) {
            let p = p.as_deref_mut().expect("just recovered");
            p.lead();
            // What the last life left behind goes at once: nobody reads it.
            for gone in &mut p.trimmed {
                gone.due = Some(Instant(0));
                shard.unlinks.insert((Instant(0), slot));
            }
        }
        shard
    }

    fn partition(&self, slot: u32) -> Option<&Partition> {
        self.partitions.get(slot as usize)?.as_deref()
    }

    fn partition_mut(&mut self, slot: u32) -> Option<&mut Partition> {
        self.partitions.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Memory that the kernel half may register for direct IO.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// A partition placed on this shard begins its life here.
    pub fn create_partition(
        &mut self,
        id: TopicPartition,
        config: PartitionConfig,
        epoch: LeaderEpoch,
    ) {
        assert!(!self.slots.contains_key(&id), "{id} exists");
        let slot = self.partitions.len() as u32;
        self.slots.insert(id, slot);
        self.topics.entry(id.topic).or_default().push(slot);
        let mut p = Box::new(Partition::new(id, config, epoch));
        p.lead();
        let none_yet = tally::Volume::default();
        self.tally.appended.push(Some((id.topic, none_yet)));
        self.partitions.push(Some(p));
    }

    /// The partition's topic has another configuration: it holds for every append that is not taken yet. Those that wait
    /// for room are checked when they find it.
    pub fn configure_partition(&mut self, id: TopicPartition, config: PartitionConfig) {
        let Some(&slot) = self.slots.get(&id) else {
            return;
        };
        let p = self.partitions[slot as usize]
            .as_deref_mut()
            .expect("a known slot is filled");
        if let Some(group) = p.configure(config, &self.journal) {
            self.journal.urge(group);
        }
    }

    /// The partition's leader epoch rose.
    pub fn raise_epoch(&mut self, id: TopicPartition, epoch: LeaderEpoch) {
        if let Some(&slot) = self.slots.get(&id)
            && let Some(p) = self.partition_mut(slot)
        {
            assert!(
                epoch >= p.epoch,
                "{id}: epoch {epoch:?} below {:?}",
                p.epoch
            );
            p.epoch = epoch;
            p.lead();
        }
    }

    /// A topic is deleted: every partition of it that is here.
    pub fn delete_topic(&mut self, topic: TopicId, out: &mut ShardOut) {
        for slot in self.topics.remove(&topic).unwrap_or_default() {
            if let Some(id) = self.partition(slot).map(|p| p.id) {
                self.delete_partition(id, out);
            }
        }
    }

    /// A partition is deleted: what is pending is refused, its files go.
    pub fn delete_partition(&mut self, id: TopicPartition, out: &mut ShardOut) {
        let Some(slot) = self.slots.remove(&id) else {
            return;
        };
        let p = self.partitions[slot as usize]
            .take()
            .expect("a known slot is filled");
        self.tally.appended[slot as usize] = None;
        for pending in p.pending {
            if let Some((to, _)) = pending.answer {
                out.appended(to, Err(AppendError::UnknownPartition));
            }
        }
        for start in p.starts {
            if let Some(to) = start.answer {
                out.deleted(to, Err(DeleteError::UnknownPartition));
            }
        }
        let unlinking = p.trimmed.iter().any(|t| t.unlinking);
        let mut under_way = usize::from(p.busy) + usize::from(unlinking);
        for straight in p.straight {
            under_way += usize::from(straight.stage == StraightStage::Writing);
            if straight.stage != StraightStage::Flushed {
                self.unflushed_bytes -= straight.bytes;
                self.journal.on_straight_flushed(straight.group);
            }
        }
        under_way += p.segments.iter().filter(|s| s.flushing).count();
        self.unflushed.retain(|(s, _)| *s != slot);
        self.kept_open.remove(&slot);
        for watcher in p.watchers.iter() {
            self.changed(*watcher, out);
        }
        let segments = p.segments.iter().map(|s| (s.base, s.file));
        let trimmed = p.trimmed.iter().map(|t| (t.base, t.file));
        let all: Vec<(Offset, Option<FileId>)> = trimmed.chain(segments).collect();
        let open = |(base, file): &(Offset, Option<FileId>)| file.map(|file| (*base, file));
        let doomed = Doomed {
            id,
            segments: all.iter().map(|(base, _)| *base).collect(),
            files: all.iter().filter_map(open).collect(),
            under_way,
        };
        match under_way {
            0 => self.removals.push_back(doomed),
            _ => drop(self.doomed.insert(slot, doomed)),
        }
    }

    /// Something that was under way on a partition's files ended; the partition is gone.
    fn release_doomed(&mut self, slot: u32) {
        let doomed = self.doomed.get_mut(&slot).expect("deleted while under way");
        doomed.under_way -= 1;
        if doomed.under_way == 0 {
            self.removals.extend(self.doomed.remove(&slot));
        }
    }

    /// Takes a call of this or another shard.
    pub fn call(&mut self, now: Now, call: Call, out: &mut ShardOut) {
        let Call {
            from,
            request,
            body,
        } = call;
        match body {
            CallBody::Append { acks, items } => {
                for item in items {
                    let to = AnswerTo {
                        shard: from,
                        request,
                        slot: item.slot,
                    };
                    self.append(now, to, acks, item, out);
                }
            }
            CallBody::Read { max_bytes, items } => self.read(from, request, max_bytes, items, out),
            CallBody::Watch { missing, items } => {
                self.watch((from, request), missing, items, out);
            }
            CallBody::Forget => {
                self.unwatch((from, request));
                self.forget_reads(from, request);
            }
            CallBody::ListOffsets { items } => self.list(from, request, items, out),
            CallBody::DeleteRecords { items } => self.delete_records(from, request, items, out),
            CallBody::EpochEnds { items } => self.epoch_ends(from, request, items, out),
            CallBody::LogSizes { partitions } => {
                self.log_sizes(now, from, request, partitions, out)
            }
            // Groups are their coordinator's, not the log's.
            CallBody::Group { items } => {
                let answers = items.iter().map(|item| GroupAnswer {
                    slot: item.slot,
                    result: Err(GroupError::NotCoordinator),
                });
                out.answer(from, request, AnswerBody::Group(answers.collect()));
            }
            CallBody::ListGroups => {
                let groups = Vec::new();
                let listed = GroupsListed {
                    groups,
                    loading: false,
                };
                out.answer(from, request, AnswerBody::GroupsListed(listed));
            }
        }
    }

    /// Starts a flow; its requests leave with the next `settle`.
    fn start_flow<F: Future<Output = FlowEnd> + 'static>(&mut self, start: impl FnOnce(Flow) -> F) {
        let running = Running {
            runner: FlowRunner::new(&self.files, start),
        };
        let index = self.flows_free.pop().unwrap_or_else(|| {
            self.flows.push(None);
            self.flows.len() - 1
        });
        assert!(index < 1 << (56 - token::FLOW_BITS), "too many flows");
        self.flows[index] = Some(running);
        self.fresh.push(index);
    }

    /// Lets a flow go on; ends it when it is done.
    fn step_flow(&mut self, now: Now, index: usize, out: &mut ShardOut) {
        let Some(running) = self.flows[index].as_mut() else {
            return;
        };
        let begin = out.disk.len();
        let polled = running.runner.step(&mut out.disk);
        for request in &mut out.disk[begin..] {
            let own = request.token.0;
            assert!(own < 1 << token::FLOW_BITS, "a flow with too many requests");
            request.token = DiskToken(token::FLOW | (index as u64) << token::FLOW_BITS | own);
        }
        if let Poll::Ready(end) = polled {
            self.flows[index] = None;
            self.flows_free.push(index);
            self.on_flow(now, end, out);
        }
    }

    fn on_flow(&mut self, now: Now, end: FlowEnd, out: &mut ShardOut) {
        match end {
            FlowEnd::Prepared(result) => self.on_prepared(now, result, out),
            FlowEnd::WroteBack(part, result) => self.on_wrote_back(now, part, result, out),
            FlowEnd::Checkpointed(result) => self.on_checkpointed(now, result, out),
            FlowEnd::Read(read) => self.on_cold_read(read, out),
            FlowEnd::Listed(list) => self.on_cold_list(list, out),
            FlowEnd::Unlinked(slot, bases, result) => self.on_unlinked(now, slot, &bases, result),
            FlowEnd::Measured(result) => self.on_measured(result),
            FlowEnd::Removed(id, result) => {
                self.removing -= 1;
                if let Err(error) = result {
                    tracing::warn!(partition = %id, errno = error.errno, "files of a deleted partition could not be removed");
                }
            }
        }
    }

    pub fn on_disk(&mut self, now: Now, done: DiskDone, out: &mut ShardOut) {
        if self.failed {
            return;
        }
        self.on_done(now, done, out);
        self.failed |= out.fatal.is_some();
    }

    fn on_done(&mut self, now: Now, done: DiskDone, out: &mut ShardOut) {
        let payload = done.token.0 & !token::KIND;
        let kind = done.token.0 & token::KIND;
        if kind == token::FLOW {
            let index = (payload >> token::FLOW_BITS) as usize;
            let own = DiskToken(payload & ((1 << token::FLOW_BITS) - 1));
            let running = self.flows[index]
                .as_mut()
                .expect("completions come while the flow runs");
            running.runner.on_disk(DiskDone {
                token: own,
                result: done.result,
            });
            self.step_flow(now, index, out);
            return;
        }
        if let Err(error) = done.result {
            let what = match kind {
                token::GROUP_WRITE => "write journal",
                token::JOURNAL_FLUSH => "flush journal",
                token::STRAIGHT_WRITE => "write segment",
                _ => "flush segment",
            };
            out.fail(what, error);
            return;
        }
        debug_assert!(matches!(done.result, Ok(DiskOutcome::Done)));
        match kind {
            token::GROUP_WRITE => {
                let before = self.journal.written();
                if self.journal.on_written(GroupSeq(payload)) {
                    self.advance_groups(before, self.journal.written(), out);
                }
            }
            token::JOURNAL_FLUSH => {
                let before = self.journal.flushed();
                if self.journal.on_flushed(payload as usize) {
                    self.advance_groups(before, self.journal.flushed(), out);
                }
            }
            token::STRAIGHT_WRITE => self.on_straight_written(payload, out),
            token::SEGMENT_FLUSH => self.on_segment_flushed(payload, out),
            _ => panic!(
                "a completion with token {:#x} that nobody asked for",
                done.token.0
            ),
        }
    }

    /// Groups `[from, to)` are written or flushed now: the partitions they touch move on.
    fn advance_groups(&mut self, from: GroupSeq, to: GroupSeq, out: &mut ShardOut) {
        for seq in (from.0..to.0).map(GroupSeq) {
            for index in 0..self.journal.touched(seq).len() {
                let slot = self.journal.touched(seq)[index];
                self.advance(slot, out);
            }
        }
    }

    /// Moves one partition's high watermark; answers and wakes who waited.
    fn advance(&mut self, slot: u32, out: &mut ShardOut) {
        let Some(p) = self
            .partitions
            .get_mut(slot as usize)
            .and_then(|p| p.as_deref_mut())
        else {
            return;
        };
        let bytes = p.advance(&self.journal, &mut self.due);
        for (to, appended) in self.due.drain(..) {
            out.appended(to, Ok(appended));
        }
        if bytes > 0 {
            self.count_news(slot, bytes, out);
        }
        self.advance_start(slot, out);
    }

    /// Upkeep, once a pass.
    pub fn settle(&mut self, now: Now, out: &mut ShardOut) {
        if self.failed {
            return;
        }
        if self.no_space_until.is_some_and(|until| now.mono >= until) {
            self.no_space_until = None;
        }
        self.retry_stalled(now, out);
        if self.flush_at.is_some_and(|at| now.mono >= at) {
            self.flush_at = None;
            let open = u64::from(self.journal.has_open());
            self.flush_below = GroupSeq(self.journal.open_seq().0 + open);
        }
        self.start_prepares();
        self.start_removals();
        self.settle_space(now);
        self.settle_sweep(now);
        self.settle_claims(out);
        self.start_unlinks(now);
        self.cold_settle(out);
        self.go_on_looking_up(out);
        loop {
            self.settle_cycle(now);
            self.submit_groups(out);
            while let Some(index) = self.fresh.pop() {
                self.step_flow(now, index, out);
            }
            // A cycle with nothing to write goes on at once: no completion would wake it.
            if !self.cycle_may_go_on() {
                break;
            }
        }
        self.failed |= out.fatal.is_some();
    }

    /// Closes the group of this pass; asks for the flushes that someone waits for.
    fn submit_groups(&mut self, out: &mut ShardOut) {
        self.writes.extend(self.journal.close());
        for GroupWrite {
            seq,
            file,
            position,
            bytes,
        } in self.writes.drain(..)
        {
            self.tally.groups += 1;
            self.tally.group_bytes += bytes.len() as u64;
            let token = DiskToken(token::GROUP_WRITE | seq.0);
            out.disk.push(DiskRequest {
                token,
                op: DiskOp::Write {
                    file,
                    position,
                    bytes,
                },
            });
        }
        let all = self.cycle.wants_flush()
            || self.claims_want_flush()
            || self.journal.flushed_all() < self.flush_below
            || self.journal.unflushed_bytes() > self.limits.tail_bytes_max / 4;
        for (index, file) in self.journal.flush(all) {
            let token = DiskToken(token::JOURNAL_FLUSH | index as u64);
            out.disk.push(DiskRequest {
                token,
                op: DiskOp::Flush { file },
            });
        }
        self.flush_segments(
            all || self.unflushed_bytes > self.limits.tail_bytes_max / 8,
            out,
        );
    }

    fn start_removals(&mut self) {
        while self.removing < REMOVALS_AT_ONCE
            && let Some(doomed) = self.removals.pop_front()
        {
            self.removing += 1;
            self.start_flow(move |flow| async move {
                FlowEnd::Removed(doomed.id, remove_files(&flow, doomed).await)
            });
        }
    }

    /// When `settle` is due although nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        if !self.fresh.is_empty() {
            // A flow that was started after the last one: no completion would wake it.
            return Some(Instant(0));
        }
        let retry_at = self.retry_at.filter(|_| !self.stalled.is_empty());
        let at_once = (!self.listings.is_empty()).then(Instant::default);
        [
            self.no_space_until,
            retry_at,
            self.flush_at,
            at_once,
            self.trim_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether anything is under way on the disk or waits for it.
    pub fn idle(&self) -> bool {
        self.flows.iter().all(Option::is_none)
            && self.stalled.is_empty()
            && self.straights.is_empty()
            && self.journal.flushed_all() == self.journal.open_seq()
            && self.cycle.idle()
    }
}

/// Closes and unlinks a deleted partition's segments, and removes its directory.
async fn remove_files(flow: &Flow, doomed: Doomed) -> Result<(), DiskError> {
    for file in doomed.files.into_values() {
        flow.close(file).await?;
    }
    for base in doomed.segments {
        flow.unlink(&segment::path(doomed.id, base)).await?;
    }
    let directory = segment::directory(doomed.id);
    let mut removed = flow.remove_directory(&directory).await;
    if removed == Err(DiskError::NOT_EMPTY) {
        // Segments that a crash made and nobody remembers.
        for entry in flow.list(&directory).await? {
            if entry.name.ends_with(segment::SUFFIX) {
                flow.unlink(&format!("{directory}/{}", entry.name)).await?;
            }
        }
        removed = flow.remove_directory(&directory).await;
    }
    match removed {
        // The group coordinator's snapshot is still there: the directory goes with it.
        Err(DiskError::NOT_EMPTY) => return Ok(()),
        removed => removed?,
    }
    flow.sync_directory("topics").await
}
