//! The coordinator of consumer groups: one shard's groups, and the partitions of `__consumer_offsets` that hold them.
//!
//! ```text
//!  call(Group) ─► seat of the partition ─► machine, offsets ─► records ── settle ─► Call{Append} ─► the shard's own log
//!     answers ◄── durable ◄── on_answer ◄──────────────────────────────────────────────────────────┘
//!  load(partition) ─► snapshot, then Call{Read} after Call{Read} ─► ready
//!  timers, sweeps, snapshots: a bounded step a pass
//! ```
//!
//! Per shard; pure. It is a client of the shard's log: its requests have [`REQUEST_BIT`], which no other request has, and
//! whoever carries answers brings those back to [`Coordinator::on_answer`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;

use super::call::{GroupAnswer, GroupAsk, GroupError, GroupItem, GroupsListed};
use super::classic::Caller;
use super::config::GroupConfig;
use super::handover::Handover;
use super::load::{Load, READ_BYTES, Stage, Step, WAKE_AT_ONCE};
use super::seat::{Around, Asked, Seat, SeatIndex, SeatState, Shared};
use super::snapshot::{self, Span, Unusable, Writing};
use super::sweep::{For, Sweep};
use crate::call::{Acks, Answer, AnswerBody, AppendItem, Call, CallBody, ReadItem, RequestToken};
use crate::disk::{DiskDone, DiskError, DiskRequest, DiskToken};
use crate::fatal::Fatal;
use crate::flow::{FileIds, Flow, FlowRunner};
use crate::hash::IdMap;
use crate::rng::Rng;
use crate::types::{Durability, Instant, LeaderEpoch, Now, ShardId, TopicId, TopicPartition};

/// Set in every token of the coordinator's own requests to the log.
pub const REQUEST_BIT: u64 = 1 << 63;
/// Set in every token of the coordinator's disk requests; the controller's have the bit above, the shard's neither.
pub const DISK_BIT: u64 = 1 << 62;

/// Bits of a flow's own token.
const FLOW_BITS: u32 = 32;
/// Partitions read side by side.
const LOADS_AT_ONCE: usize = 4;
/// Snapshots written side by side.
const SNAPSHOTS_AT_ONCE: usize = 2;
/// Timers that are carried out in one pass.
const TIMERS_AT_ONCE: usize = 1_000;

/// Effects of the coordinator.
#[derive(Debug, Default)]
pub struct CoordinatorOut {
    /// For this shard's own log.
    pub calls: Vec<Call>,
    pub answers: Vec<(ShardId, Answer)>,
    pub disk: Vec<DiskRequest>,
    pub fatal: Option<Fatal>,
}

/// A partition of `__consumer_offsets` that is placed on this shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupPartition {
    pub id: TopicPartition,
    /// The largest batch that it takes.
    pub batch_bytes_max: usize,
    pub durability: Durability,
}

/// What a flow on the disk was for, and what it found.
enum FlowEnd {
    Read(Result<Option<Span>, Unusable>),
    /// False: there was no space.
    Wrote(Result<bool, DiskError>),
    Removed(Result<(), DiskError>),
}

struct Running {
    id: TopicPartition,
    runner: FlowRunner<FlowEnd>,
    /// Of a flow that reads: what it hands over.
    payloads: Option<Handover<Bytes>>,
}

/// Per shard.
pub struct Coordinator {
    me: ShardId,
    shared: Shared,
    files: Rc<RefCell<FileIds>>,
    /// Ids of all topics there are, by name: a committed offset keeps the one of its topic.
    topics: BTreeMap<String, TopicId>,
    seats: Vec<Option<Box<Seat>>>,
    places: IdMap<TopicPartition, SeatIndex>,
    /// Whose append or read a request is.
    requests: BTreeMap<RequestToken, SeatIndex>,
    next_request: u64,
    /// Partitions with records that are not yet on their way.
    dirty: BTreeSet<SeatIndex>,
    /// Partitions that wait to be read, and those that are.
    to_load: VecDeque<SeatIndex>,
    loading: Vec<SeatIndex>,
    sweeping: BTreeSet<SeatIndex>,
    next_check: Option<Instant>,
    flows: BTreeMap<u32, Running>,
    next_flow: u32,
    snapshots: BTreeMap<TopicPartition, Writing>,
    stopping: bool,
    /// The disk failed: nothing is decided any more.
    failed: bool,
}

impl Coordinator {
    /// `rng` draws member ids; `files`: the shard's table of open files.
    pub fn new(
        me: ShardId,
        config: GroupConfig,
        rng: Rng,
        files: Rc<RefCell<FileIds>>,
    ) -> Coordinator {
        Coordinator {
            me,
            shared: Shared::new(config, rng),
            files,
            topics: BTreeMap::new(),
            seats: Vec::new(),
            places: IdMap::default(),
            requests: BTreeMap::new(),
            next_request: 0,
            dirty: BTreeSet::new(),
            to_load: VecDeque::new(),
            loading: Vec::new(),
            sweeping: BTreeSet::new(),
            next_check: None,
            flows: BTreeMap::new(),
            next_flow: 0,
            snapshots: BTreeMap::new(),
            stopping: false,
            failed: false,
        }
    }

    /// A partition that was here before: its groups are read first.
    pub fn load(&mut self, partition: GroupPartition) {
        let index = self.sit(partition, SeatState::Loading(Box::new(Load::new())));
        self.to_load.push_back(index);
    }

    /// A partition whose life begins here.
    pub fn create(&mut self, partition: GroupPartition) {
        self.sit(partition, SeatState::Ready);
    }

    fn sit(&mut self, partition: GroupPartition, state: SeatState) -> SeatIndex {
        let GroupPartition {
            id,
            batch_bytes_max,
            durability,
        } = partition;
        // Indexes are never used twice: answers may be on their way to one that is gone.
        let index = self.seats.len() as SeatIndex;
        let before = self.places.insert(id, index);
        assert_eq!(before, None, "{id} is here already");
        let durable = durability == Durability::Disk;
        let seat = Seat::new(id, index, batch_bytes_max, durable, state);
        self.seats.push(Some(Box::new(seat)));
        index
    }

    /// A partition was deleted: who waits is told, and what it has on the disk goes.
    pub fn delete(&mut self, now: Now, id: TopicPartition, out: &mut CoordinatorOut) {
        let Some(index) = self.places.remove(&id) else {
            return;
        };
        self.with_seat(now, index, out, Seat::unload);
        self.seats[index as usize] = None;
        self.dirty.remove(&index);
        self.sweeping.remove(&index);
        self.to_load.retain(|other| *other != index);
        self.loading.retain(|other| *other != index);
        // A flow that reads or writes the snapshot ends first: it holds the file open.
        if !self.flows.values().any(|running| running.id == id) {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: TopicPartition) {
        self.start_flow(id, None, move |flow| async move {
            FlowEnd::Removed(snapshot::remove(flow, id).await)
        });
    }

    /// A topic is there: told of each, at the start and later.
    pub fn on_topic(&mut self, name: &str, id: TopicId) {
        self.topics.insert(name.to_owned(), id);
    }

    /// A topic was deleted: what groups committed of it goes, a bounded step at a time.
    pub fn on_topic_deleted(&mut self, name: &str, id: TopicId) {
        if self.topics.get(name) == Some(&id) {
            self.topics.remove(name);
        }
        let Some(topic) = self.shared.topics.find(name) else {
            // Of partitions that are still being read nothing may be known yet.
            if self.loading.is_empty() && self.to_load.is_empty() {
                return;
            }
            let topic = self.shared.topics.key(name);
            return self.sweep_all(For::Topic(topic, id));
        };
        self.sweep_all(For::Topic(topic, id));
    }

    fn sweep_all(&mut self, what: For) {
        for seat in self.seats.iter_mut().flatten() {
            if !seat.sweeps.iter().any(|sweep| sweep.what == what) {
                seat.sweeps.push_back(Sweep::new(what));
                self.sweeping.insert(seat.index);
            }
        }
    }

    fn with_seat<R>(
        &mut self,
        now: Now,
        index: SeatIndex,
        out: &mut CoordinatorOut,
        act: impl FnOnce(&mut Seat, &mut Around<'_>) -> R,
    ) -> Option<R> {
        let seat = self.seats[index as usize].as_deref_mut()?;
        let result = act(
            seat,
            &mut Around {
                now,
                shared: &mut self.shared,
                answers: &mut out.answers,
            },
        );
        if seat.has_records() {
            self.dirty.insert(index);
        }
        Some(result)
    }

    /// Takes `Group` and `ListGroups` of this or another shard.
    pub fn call(&mut self, now: Now, call: Call, out: &mut CoordinatorOut) {
        let Call {
            from,
            request,
            body,
        } = call;
        match body {
            CallBody::Group { items } => {
                for item in items {
                    self.ask(now, from, request, item, out);
                }
            }
            CallBody::ListGroups => {
                let body = AnswerBody::GroupsListed(self.list());
                out.answers.push((from, Answer { request, body }));
            }
            CallBody::Append { .. }
            | CallBody::Read { .. }
            | CallBody::Watch { .. }
            | CallBody::Unwatch
            | CallBody::ListOffsets { .. } => panic!("records are the log's, not the groups'"),
        }
    }

    fn ask(
        &mut self,
        now: Now,
        from: ShardId,
        request: RequestToken,
        item: GroupItem,
        out: &mut CoordinatorOut,
    ) {
        if self.failed {
            return;
        }
        let GroupItem {
            slot,
            partition,
            group,
            ask,
        } = item;
        let index = self.places.get(&partition).filter(|_| !self.stopping);
        let Some(&index) = index else {
            let result = Err(GroupError::NotCoordinator);
            let body = AnswerBody::Group(vec![GroupAnswer { slot, result }]);
            return out.answers.push((from, Answer { request, body }));
        };
        // Whose groups are asked for is read first.
        if let Some(at) = self.to_load.iter().position(|other| *other == index) {
            self.to_load.remove(at);
            self.to_load.push_front(index);
        }
        let topics = match &ask {
            GroupAsk::Commit(commit) => {
                let ids = commit
                    .offsets
                    .iter()
                    .map(|item| self.topics.get(&item.topic));
                ids.map(|id| id.copied().unwrap_or(TopicId::ZERO)).collect()
            }
            _ => Vec::new(),
        };
        let to = Caller {
            shard: from,
            request,
            slot,
        };
        let asked = Asked {
            to,
            group,
            ask,
            topics,
        };
        self.with_seat(now, index, out, |seat, around| seat.ask(asked, around));
    }

    fn list(&self) -> GroupsListed {
        let mut groups = Vec::new();
        let mut loading = false;
        for seat in self.seats.iter().flatten() {
            match &seat.state {
                SeatState::Ready => seat.list(&mut groups),
                SeatState::Loading(_) => loading = true,
                SeatState::Failed => {}
            }
        }
        GroupsListed { groups, loading }
    }

    /// Takes an answer of the log whose request has [`REQUEST_BIT`].
    pub fn on_answer(&mut self, now: Now, answer: Answer, out: &mut CoordinatorOut) {
        let request = answer.request;
        let Some(index) = self.requests.remove(&request) else {
            return;
        };
        match answer.body {
            AnswerBody::Appended(list) => {
                let appended = list.into_iter().next().expect("one item was asked");
                self.with_seat(now, index, out, |seat, around| {
                    seat.on_appended(request, appended.result, around);
                });
            }
            AnswerBody::Read(list) => {
                let read = list.into_iter().next().expect("one item was asked");
                let step = self.with_load(index, |load, seat, shared| {
                    load.on_read(read.result, seat, &mut shared.topics)
                });
                if step == Some(Step::Failed) {
                    self.fail_load(index);
                }
            }
            AnswerBody::Changed
            | AnswerBody::Listed(_)
            | AnswerBody::Group(_)
            | AnswerBody::GroupsListed(_) => panic!("nothing of the kind was asked"),
        }
    }

    fn with_load<R>(
        &mut self,
        index: SeatIndex,
        act: impl FnOnce(&mut Load, &mut Seat, &mut Shared) -> R,
    ) -> Option<R> {
        let seat = self.seats[index as usize].as_deref_mut()?;
        match std::mem::replace(&mut seat.state, SeatState::Failed) {
            SeatState::Loading(mut load) => {
                let result = act(&mut load, seat, &mut self.shared);
                seat.state = SeatState::Loading(load);
                Some(result)
            }
            state @ (SeatState::Ready | SeatState::Failed) => {
                seat.state = state;
                None
            }
        }
    }

    fn fail_load(&mut self, index: SeatIndex) {
        self.loading.retain(|other| *other != index);
        if let Some(seat) = self.seats[index as usize].as_deref_mut() {
            seat.clear();
            seat.state = SeatState::Failed;
        }
    }

    /// Takes a completion whose token has [`DISK_BIT`].
    pub fn on_disk(&mut self, done: DiskDone, out: &mut CoordinatorOut) {
        let number = ((done.token.0 & !DISK_BIT) >> FLOW_BITS) as u32;
        let own = DiskToken(done.token.0 & ((1 << FLOW_BITS) - 1));
        // A stop leaves flows behind that only read.
        let Some(running) = self.flows.get_mut(&number) else {
            return;
        };
        running.runner.on_disk(DiskDone {
            token: own,
            result: done.result,
        });
        self.step_flow(number, out);
    }

    fn start_flow<F: Future<Output = FlowEnd> + 'static>(
        &mut self,
        id: TopicPartition,
        payloads: Option<Handover<Bytes>>,
        start: impl FnOnce(Flow) -> F,
    ) {
        // Requests of a flow that a stop left behind may still be under way: numbers are not used again.
        let number = self.next_flow;
        self.next_flow += 1;
        assert!(number < 1 << (62 - FLOW_BITS), "too many flows");
        let running = Running {
            id,
            runner: FlowRunner::new(&self.files, start),
            payloads,
        };
        self.flows.insert(number, running);
    }

    fn step_flow(&mut self, number: u32, out: &mut CoordinatorOut) {
        let Some(running) = self.flows.get_mut(&number) else {
            return;
        };
        let begin = out.disk.len();
        let polled = running.runner.step(&mut out.disk);
        for request in &mut out.disk[begin..] {
            let own = request.token.0;
            assert!(own < 1 << FLOW_BITS, "a flow with too many requests");
            request.token = DiskToken(DISK_BIT | u64::from(number) << FLOW_BITS | own);
        }
        if let Poll::Ready(end) = polled {
            let id = running.id;
            self.flows.remove(&number);
            self.on_flow(id, end, out);
        }
    }

    fn on_flow(&mut self, id: TopicPartition, end: FlowEnd, out: &mut CoordinatorOut) {
        match end {
            FlowEnd::Read(result) => self.on_snapshot_read(id, result, out),
            FlowEnd::Wrote(result) => self.on_snapshot_written(id, result, out),
            FlowEnd::Removed(Ok(())) => {}
            FlowEnd::Removed(Err(error)) => {
                tracing::warn!(partition = %id, errno = error.errno, "the snapshot of a deleted partition could not be removed");
            }
        }
    }

    fn on_snapshot_read(
        &mut self,
        id: TopicPartition,
        result: Result<Option<Span>, Unusable>,
        out: &mut CoordinatorOut,
    ) {
        let Some(&index) = self.places.get(&id) else {
            return self.remove(id);
        };
        let taken = self.with_load(index, |load, seat, _| load.on_snapshot(result, seat));
        if let Some(Err(newer)) = taken {
            let refused = format!("{}: {newer}", snapshot::path(id));
            self.fail(Fatal::Directory(refused), out);
        }
    }

    fn on_snapshot_written(
        &mut self,
        id: TopicPartition,
        result: Result<bool, DiskError>,
        out: &mut CoordinatorOut,
    ) {
        let writing = self.snapshots.remove(&id).expect("one is under way");
        let Some(&index) = self.places.get(&id) else {
            return self.remove(id);
        };
        let seat = self.seats[index as usize]
            .as_deref_mut()
            .expect("it has a place");
        match result {
            Ok(true) => seat.snapshot_bytes = writing.bytes,
            Ok(false) => {
                tracing::warn!(partition = %id, "no space for a snapshot of groups");
                // Not at once again.
                seat.snapshot_bytes = writing.bytes.max(self.shared.config.snapshot_after_bytes);
            }
            Err(error) => {
                let what = format!("write {}", snapshot::path(id));
                let errno = error.errno;
                self.fail(Fatal::Disk { what, errno }, out);
            }
        }
    }

    fn fail(&mut self, fatal: Fatal, out: &mut CoordinatorOut) {
        self.failed = true;
        out.fatal.get_or_insert(fatal);
    }

    /// Once per pass: timers, reads, sweeps, snapshots, and the records of this pass. What it asks of the log must reach
    /// the log before that settles.
    pub fn settle(&mut self, now: Now, out: &mut CoordinatorOut) {
        if self.failed {
            return;
        }
        self.settle_loads(now, out);
        self.settle_timers(now, out);
        self.settle_sweeps(now, out);
        self.settle_records(now, out);
        self.settle_snapshots();
        self.settle_flows(out);
    }

    /// Lets flows go on that were started, fed, or relieved of what they handed over.
    fn settle_flows(&mut self, out: &mut CoordinatorOut) {
        let mut from = 0;
        while let Some((&number, running)) = self.flows.range(from..).next() {
            if let Some(payloads) = &running.payloads
                && !self.places.contains_key(&running.id)
            {
                // Nobody wants it any more.
                drop(payloads.take());
            }
            self.step_flow(number, out);
            from = number + 1;
        }
    }

    fn settle_timers(&mut self, now: Now, out: &mut CoordinatorOut) {
        for _ in 0..TIMERS_AT_ONCE {
            match self.shared.timers.first().copied() {
                Some((at, index, group, timer)) if at <= now.mono => {
                    self.shared.timers.pop_first();
                    self.with_seat(now, index, out, |seat, around| {
                        seat.on_timer(group, timer, around);
                    });
                }
                Some(_) | None => return,
            }
        }
    }

    fn settle_loads(&mut self, now: Now, out: &mut CoordinatorOut) {
        if self.stopping {
            return;
        }
        while self.loading.len() < LOADS_AT_ONCE
            && let Some(index) = self.to_load.pop_front()
        {
            let begun = self.with_load(index, |load, seat, _| (seat.id, load.begin()));
            let (id, payloads) = begun.expect("it waits to be read");
            self.loading.push(index);
            self.start_flow(id, Some(payloads.clone()), move |flow| async move {
                FlowEnd::Read(snapshot::read(flow, id, payloads).await)
            });
        }
        for index in self.loading.clone() {
            self.step_load(now, index, out);
        }
    }

    fn step_load(&mut self, now: Now, index: SeatIndex, out: &mut CoordinatorOut) {
        enum Next {
            Wait,
            Read(ReadItem),
            Wake,
        }
        let next = self.with_load(index, |load, seat, shared| {
            load.take_payload(seat, &mut shared.topics);
            match &mut load.stage {
                Stage::Log { asked } if !*asked => {
                    *asked = true;
                    Next::Read(ReadItem {
                        slot: 0,
                        partition: seat.id,
                        offset: load.next,
                        max_bytes: READ_BYTES,
                        current_leader_epoch: LeaderEpoch(-1),
                        last_fetched_epoch: LeaderEpoch(-1),
                    })
                }
                Stage::Waking { .. } => Next::Wake,
                Stage::Queued | Stage::Snapshot { .. } | Stage::Log { .. } => Next::Wait,
            }
        });
        match next {
            None | Some(Next::Wait) => {}
            Some(Next::Read(item)) => {
                let body = CallBody::Read {
                    max_bytes: READ_BYTES,
                    items: vec![item],
                };
                self.request(index, body, out);
            }
            Some(Next::Wake) => self.wake(now, index, out),
        }
    }

    fn wake(&mut self, now: Now, index: SeatIndex, out: &mut CoordinatorOut) {
        let woken = self.with_seat(now, index, out, |seat, around| {
            let SeatState::Loading(load) = &seat.state else {
                return false;
            };
            let Stage::Waking { next } = load.stage else {
                return false;
            };
            let next = seat.wake(next, WAKE_AT_ONCE, around);
            match (next, &mut seat.state) {
                (Some(next), SeatState::Loading(load)) => {
                    load.stage = Stage::Waking { next };
                    false
                }
                _ => {
                    seat.state = SeatState::Ready;
                    true
                }
            }
        });
        if woken == Some(true) {
            self.loading.retain(|other| *other != index);
        }
    }

    /// Asks this shard's log.
    fn request(&mut self, index: SeatIndex, body: CallBody, out: &mut CoordinatorOut) {
        let request = self.next_token();
        self.requests.insert(request, index);
        out.calls.push(Call {
            from: self.me,
            request,
            body,
        });
    }

    fn next_token(&mut self) -> RequestToken {
        self.next_request += 1;
        RequestToken(REQUEST_BIT | self.next_request)
    }

    fn settle_sweeps(&mut self, now: Now, out: &mut CoordinatorOut) {
        if self.stopping || self.places.is_empty() {
            return;
        }
        let check = *self
            .next_check
            .get_or_insert(now.mono.after(self.shared.config.retention_check_interval));
        if check <= now.mono {
            self.next_check = Some(now.mono.after(self.shared.config.retention_check_interval));
            self.sweep_all(For::Expired);
        }
        let ready = |index: &&SeatIndex| {
            self.seats[**index as usize]
                .as_ref()
                .is_some_and(|seat| seat.is_ready())
        };
        let Some(&index) = self.sweeping.iter().find(ready) else {
            return;
        };
        let left = self.with_seat(now, index, out, |seat, around| {
            seat.sweep(around);
            !seat.sweeps.is_empty()
        });
        if left == Some(false) {
            self.sweeping.remove(&index);
        }
    }

    fn settle_records(&mut self, now: Now, out: &mut CoordinatorOut) {
        for index in std::mem::take(&mut self.dirty) {
            let Some(mut seat) = self.seats[index as usize].take() else {
                continue;
            };
            let batches = seat.take_batches(now.wall, || self.next_token());
            let partition = seat.id;
            self.seats[index as usize] = Some(seat);
            for (request, records) in batches {
                self.requests.insert(request, index);
                let items = vec![AppendItem {
                    slot: 0,
                    partition,
                    records,
                }];
                let acks = Acks::All;
                out.calls.push(Call {
                    from: self.me,
                    request,
                    body: CallBody::Append { acks, items },
                });
            }
        }
    }

    /// Begins snapshots that are due, and gives pieces to those that want one.
    fn settle_snapshots(&mut self) {
        if self.snapshots.len() < SNAPSHOTS_AT_ONCE {
            let seats = self.seats.iter().flatten();
            let due: Vec<SeatIndex> = seats
                .filter(|seat| self.wants_snapshot(seat))
                .map(|seat| seat.index)
                .take(SNAPSHOTS_AT_ONCE - self.snapshots.len())
                .collect();
            for index in due {
                self.begin_snapshot(index);
            }
        }
        for (id, writing) in &mut self.snapshots {
            let index = self.places.get(id);
            let seat = index.and_then(|index| self.seats[*index as usize].as_deref());
            writing.feed(seat, &self.shared.topics);
        }
    }

    fn wants_snapshot(&self, seat: &Seat) -> bool {
        let after = match self.stopping {
            true => 1,
            false => self
                .shared
                .config
                .snapshot_after_bytes
                .max(2 * seat.snapshot_bytes),
        };
        seat.is_ready()
            && seat.durable
            && seat.tail_bytes >= after
            && (!self.stopping || seat.is_settled())
            && !self.snapshots.contains_key(&seat.id)
    }

    fn begin_snapshot(&mut self, index: SeatIndex) {
        let seat = self.seats[index as usize]
            .as_deref_mut()
            .expect("just seen");
        seat.tail_bytes = 0;
        let id = seat.id;
        let writing = Writing::new(seat.applied_end, self.shared.config.snapshot_piece_bytes);
        let pieces = writing.pieces.clone();
        self.snapshots.insert(id, writing);
        self.start_flow(id, None, move |flow| async move {
            FlowEnd::Wrote(snapshot::write(flow, id, pieces).await)
        });
    }

    /// The node is about to stop: nobody waits for others any more, and no one joins.
    pub fn drain(&mut self, now: Now, out: &mut CoordinatorOut) {
        self.shared.draining = true;
        for index in 0..self.seats.len() as SeatIndex {
            self.with_seat(now, index, out, |seat, around| {
                seat.refuse_waiting(&GroupError::NotCoordinator, around);
            });
        }
    }

    /// Ends the coordinator's life cleanly: what is on its way becomes durable, and snapshots hold it.
    pub fn stop(&mut self) {
        self.stopping = true;
        for index in self.loading.drain(..).chain(self.to_load.drain(..)) {
            if let Some(seat) = self.seats[index as usize].as_deref_mut() {
                seat.state = SeatState::Failed;
            }
        }
        self.flows.retain(|_, running| running.payloads.is_none());
    }

    /// Whether a clean stop is complete.
    pub fn stopped(&self) -> bool {
        let settled = |seat: &Seat| seat.is_settled() && !self.wants_snapshot(seat);
        self.stopping
            && self.flows.is_empty()
            && self.seats.iter().flatten().all(|seat| settled(seat))
    }

    /// When `settle` is due although nothing happens.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let at_once = !self.dirty.is_empty() || self.has_work();
        let timer = self.shared.timers.first().map(|(at, ..)| *at);
        [at_once.then_some(now), timer, self.next_check]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether the next pass has something to do that nothing will announce.
    fn has_work(&self) -> bool {
        let ready = |index: SeatIndex| {
            self.seats[index as usize]
                .as_ref()
                .is_some_and(|seat| seat.is_ready())
        };
        let waking = |index: SeatIndex| match self.seats[index as usize].as_deref() {
            Some(seat) => match &seat.state {
                SeatState::Loading(load) => load.goes_on(),
                SeatState::Ready | SeatState::Failed => false,
            },
            None => false,
        };
        let loads = self.loading.iter().any(|index| waking(*index))
            || (!self.to_load.is_empty() && self.loading.len() < LOADS_AT_ONCE);
        !self.failed && !self.stopping && (loads || self.sweeping.iter().any(|index| ready(*index)))
    }
}
