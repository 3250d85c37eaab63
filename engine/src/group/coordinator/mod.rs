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

mod background;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::call::{GroupAnswer, GroupAsk, GroupError, GroupItem, GroupsListed};
use super::classic::Caller;
use super::config::GroupConfig;
use super::load::{Load, Step};
use super::seat::{Around, Asked, Seat, SeatIndex, SeatState, Shared};
use super::snapshot::Writing;
use super::sweep::{For, Sweep};
use crate::call::{Acks, Answer, AnswerBody, AppendItem, Call, CallBody, RequestToken};
use crate::disk::DiskRequest;
use crate::fatal::Fatal;
use crate::flow::FileIds;
use crate::hash::IdMap;
use crate::rng::Rng;
use crate::types::{Durability, Instant, Now, ShardId, TopicId, TopicPartition};
use background::Running;

/// Set in every token of the coordinator's own requests to the log.
pub const REQUEST_BIT: u64 = 1 << 63;
/// Set in every token of the coordinator's disk requests; the controller's have the bit above, the shard's neither.
pub const DISK_BIT: u64 = 1 << 62;

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
    /// Partitions whose logs grew: a snapshot may be due.
    grown: BTreeSet<SeatIndex>,
    next_check: Option<Instant>,
    flows: BTreeMap<u32, Running>,
    next_flow: u32,
    snapshots: BTreeMap<TopicPartition, Writing>,
    stopping: bool,
    /// A stop found no space for snapshots.
    stop_without: bool,
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
            grown: BTreeSet::new(),
            next_check: None,
            flows: BTreeMap::new(),
            next_flow: 0,
            snapshots: BTreeMap::new(),
            stopping: false,
            stop_without: false,
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

    /// What a partition takes, and when it acknowledges, has changed.
    pub fn configure(&mut self, partition: GroupPartition) {
        let Some(&index) = self.places.get(&partition.id) else {
            return;
        };
        if let Some(seat) = self.seats[index as usize].as_deref_mut() {
            seat.configure(
                partition.batch_bytes_max,
                partition.durability == Durability::Disk,
            );
            // It may want a snapshot now.
            self.grown.insert(index);
        }
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
        self.grown.remove(&index);
        self.to_load.retain(|other| *other != index);
        self.loading.retain(|other| *other != index);
        // A flow that reads or writes the snapshot ends first: it holds the file open.
        if !self.flows.values().any(|running| running.id == id) {
            self.remove(id);
        }
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
            | CallBody::Forget
            | CallBody::ListOffsets { .. }
            | CallBody::DeleteRecords { .. }
            | CallBody::EpochEnds { .. }
            | CallBody::LogSizes { .. } => panic!("records are the log's, not the groups'"),
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
                self.grown.insert(index);
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
            | AnswerBody::Deleted(_)
            | AnswerBody::EpochEnds(_)
            | AnswerBody::LogSizes(_)
            | AnswerBody::Group(_)
            | AnswerBody::GroupsListed(_) => panic!("nothing of the kind was asked"),
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
        self.grown.extend(self.places.values());
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
        if self.failed {
            return None;
        }
        let at_once = !self.dirty.is_empty() || self.has_work();
        let timer = self.shared.timers.first().map(|(at, ..)| *at);
        let check = self.next_check.filter(|_| !self.stopping);
        [at_once.then_some(now), timer, check]
            .into_iter()
            .flatten()
            .min()
    }
}
