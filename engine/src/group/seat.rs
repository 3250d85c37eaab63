//! The groups of one partition of `__consumer_offsets`: requests in, records out, and what became of them.
//!
//! ```text
//!  ask ─► machine, offsets ─► records of this pass ── settle ──► one append, several in flight
//!                                                                        │ answered: durable
//!   answers, offsets that others see ◄── parts, in the order asked ◄─────┘
//! ```
//!
//! An offset, a deletion, an assignment is visible, and answered, when the append that holds its record was answered.
//! What must not overtake records on their way waits behind them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use bytes::Bytes;

use super::call::{
    Commit, Description, FetchOffsets, GroupAnswer, GroupAsk, GroupDone, GroupError, GroupState,
    ListedGroup,
};
use super::classic::{Caller, ClassicGroup, Effect, Expiry, Then, Timer, Turn};
use super::config::GroupConfig;
use super::load::Load;
use super::offsets::{Offsets, Stored, TopicKey, TopicNames};
use super::records::{self, GroupValue, Key, OffsetValue, STRING_BYTES_MAX};
use super::sweep::Sweep;
use crate::batch::{BatchBuilder, Damaged, Draft};
use crate::call::{Answer, AnswerBody, AppendError, Appended, RequestToken};
use crate::limits::BATCH_HEADER;
use crate::rng::Rng;
use crate::types::{Instant, Now, Offset, ShardId, Timestamp, TopicId, TopicPartition};

/// Records are gathered into batches of about this size; a larger one has a batch of its own.
const BATCH_BYTES: usize = 128 << 10;
/// What a record takes besides its key and value, at most.
const RECORD_BYTES: usize = 40;

/// A partition in the table of its shard.
pub(super) type SeatIndex = u32;
/// A group in the table of its partition.
pub(super) type GroupIndex = u32;

/// What all partitions of a shard share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: GroupConfig,
    pub(super) rng: Rng,
    pub(super) topics: TopicNames,
    pub(super) timers: BTreeSet<(Instant, SeatIndex, GroupIndex, Timer)>,
    pub(super) writes: BTreeMap<u64, Write>,
    pub(super) next_write: u64,
    /// Joins and syncs are refused: the node stops.
    pub(super) draining: bool,
    effects: Vec<Effect>,
}

impl Shared {
    pub(super) fn new(config: GroupConfig, rng: Rng) -> Shared {
        Shared {
            config,
            rng,
            topics: TopicNames::default(),
            timers: BTreeSet::new(),
            writes: BTreeMap::new(),
            next_write: 0,
            draining: false,
            effects: Vec::new(),
        }
    }
}

/// A request that is answered when all its records are durable. They may lie in more than one batch.
#[derive(Debug)]
pub(super) struct Write {
    to: Caller,
    left: u32,
    failed: Option<GroupError>,
    done: GroupDone,
}

/// One event's surroundings.
pub(super) struct Around<'a> {
    pub(super) now: Now,
    pub(super) shared: &'a mut Shared,
    pub(super) answers: &'a mut Vec<(ShardId, Answer)>,
}

impl Around<'_> {
    /// Answers of one request that come together travel together.
    pub(super) fn answer(&mut self, to: Caller, result: Result<GroupDone, GroupError>) {
        let answer = GroupAnswer {
            slot: to.slot,
            result,
        };
        if let Some((
            shard,
            Answer {
                request,
                body: AnswerBody::Group(list),
            },
        )) = self.answers.last_mut()
            && (*shard, *request) == (to.shard, to.request)
        {
            return list.push(answer);
        }
        let body = AnswerBody::Group(vec![answer]);
        let request = to.request;
        self.answers.push((to.shard, Answer { request, body }));
    }

    fn end_part(&mut self, write: u64, error: Option<GroupError>) {
        let waits = self
            .shared
            .writes
            .get_mut(&write)
            .expect("its parts are on their way");
        waits.left -= 1;
        if error.is_some() {
            waits.failed = error;
        }
        if waits.left == 0 {
            let Write {
                to, failed, done, ..
            } = self.shared.writes.remove(&write).expect("just seen");
            self.answer(to, failed.map_or(Ok(done), Err));
        }
    }
}

/// A request on its way through the coordinator.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) to: Caller,
    pub(super) group: String,
    pub(super) ask: GroupAsk,
    /// Of a commit: the id of each offset's topic.
    pub(super) topics: Vec<TopicId>,
}

/// What a batch's answer means.
#[derive(Debug)]
enum Part {
    Offset {
        group: Rc<str>,
        topic: TopicKey,
        partition: i32,
        /// `None`: deleted.
        value: Option<Stored>,
    },
    Group {
        group: Rc<str>,
        value: Bytes,
        then: Then,
    },
    GroupGone {
        group: Rc<str>,
    },
    /// Records of a request end here.
    Write(u64),
    /// Waited for what was on its way when it came.
    Ask(Asked),
}

/// Records of one append.
#[derive(Debug, Default)]
pub(super) struct Batch {
    records: Vec<(Bytes, Option<Bytes>)>,
    bytes: usize,
    parts: Vec<Part>,
}

/// A request whose records are being added, and how many batches were full before.
struct Begun {
    write: u64,
    sealed: usize,
}

/// A group that is being deleted: what comes meanwhile waits.
#[derive(Debug)]
enum Closing {
    /// For records on their way, before the deletion begins.
    Waiting(Vec<Asked>),
    Deleting(Vec<Asked>),
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Rc<str>,
    /// `None`: has offsets only, so far.
    machine: Option<Box<ClassicGroup>>,
    pub(super) offsets: Offsets,
    /// The value of its newest durable record.
    pub(super) recorded: Option<Bytes>,
    /// Records of offsets on their way.
    unsettled: u32,
    closing: Option<Closing>,
}

impl Group {
    /// Nothing would be lost with it.
    fn is_vacant(&self) -> bool {
        self.recorded.is_none()
            && self.offsets.is_empty()
            && self.unsettled == 0
            && self.closing.is_none()
            && self
                .machine
                .as_ref()
                .is_none_or(|machine| machine.is_vacant())
    }

    /// Something of it is durable, or members are in it.
    fn exists(&self) -> bool {
        self.recorded.is_some()
            || !self.offsets.is_empty()
            || self
                .machine
                .as_ref()
                .is_some_and(|machine| !machine.is_vacant())
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.unsettled == 0 && self.closing.is_none()
    }

    /// Nobody deletes it.
    pub(super) fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    pub(super) fn is_deserted(&self) -> bool {
        self.machine
            .as_ref()
            .is_none_or(|machine| machine.is_deserted())
    }

    pub(super) fn expiry(&self) -> Expiry {
        self.machine
            .as_ref()
            .map_or(Expiry::SinceCommit, |machine| machine.expiry())
    }

    pub(super) fn is_subscribed(&self, topic: &str) -> bool {
        self.machine
            .as_ref()
            .is_some_and(|machine| machine.is_subscribed(topic))
    }

    fn state(&self) -> GroupState {
        self.machine
            .as_ref()
            .map_or(GroupState::Empty, |machine| machine.state())
    }
}

/// How far a partition is.
#[derive(Debug)]
pub(super) enum SeatState {
    Loading(Box<Load>),
    Ready,
    /// What is in it cannot be read.
    Failed,
}

/// Appends under way.
#[derive(Debug)]
pub(super) struct Flight {
    batch: Batch,
}

/// One partition. Owned by the coordinator of its shard.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: TopicPartition,
    pub(super) index: SeatIndex,
    /// The largest batch that the partition takes.
    batch_bytes_max: usize,
    /// What is acknowledged survives a power cut: only then may a snapshot hold it.
    pub(super) durable: bool,
    pub(super) state: SeatState,
    indexes: BTreeMap<Rc<str>, GroupIndex>,
    groups: Vec<Option<Box<Group>>>,
    free: Vec<GroupIndex>,
    open: Batch,
    sealed: VecDeque<Batch>,
    flights: BTreeMap<RequestToken, Flight>,
    /// The offset after the last record that is part of the state here.
    pub(super) applied_end: Offset,
    /// Bytes of records since the last snapshot began, and how many bytes that one had.
    pub(super) tail_bytes: u64,
    pub(super) snapshot_bytes: u64,
    pub(super) sweeps: VecDeque<Sweep>,
}

impl Seat {
    pub(super) fn new(
        id: TopicPartition,
        index: SeatIndex,
        batch_bytes_max: usize,
        durable: bool,
        state: SeatState,
    ) -> Seat {
        Seat {
            id,
            index,
            batch_bytes_max,
            durable,
            state,
            indexes: BTreeMap::new(),
            groups: Vec::new(),
            free: Vec::new(),
            open: Batch::default(),
            sealed: VecDeque::new(),
            flights: BTreeMap::new(),
            applied_end: Offset(0),
            tail_bytes: 0,
            snapshot_bytes: 0,
            sweeps: VecDeque::new(),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, SeatState::Ready)
    }

    /// Nothing is on its way to the log.
    pub(super) fn is_settled(&self) -> bool {
        self.flights.is_empty() && !self.has_records()
    }

    pub(super) fn has_records(&self) -> bool {
        !self.open.records.is_empty() || !self.sealed.is_empty()
    }

    /// One past the last group's index.
    pub(super) fn group_end(&self) -> GroupIndex {
        self.groups.len() as GroupIndex
    }

    pub(super) fn group(&self, index: GroupIndex) -> Option<&Group> {
        self.groups.get(index as usize)?.as_deref()
    }

    fn group_mut(&mut self, index: GroupIndex) -> &mut Group {
        self.groups[index as usize]
            .as_deref_mut()
            .expect("a known index is filled")
    }

    fn find(&self, name: &str) -> Option<GroupIndex> {
        self.indexes.get(name).copied()
    }

    fn find_existing(&self, name: &str) -> Option<GroupIndex> {
        self.find(name)
            .filter(|index| self.group(*index).is_some_and(Group::exists))
    }

    /// One that exists, or will once what is on its way is durable.
    fn find_or_coming(&self, name: &str) -> Option<GroupIndex> {
        let comes = |group: &Group| group.exists() || group.unsettled > 0;
        self.find(name)
            .filter(|index| self.group(*index).is_some_and(comes))
    }

    fn find_or_make(&mut self, name: &str) -> GroupIndex {
        if let Some(index) = self.find(name) {
            return index;
        }
        let name: Rc<str> = name.into();
        let group = Box::new(Group {
            name: name.clone(),
            machine: None,
            offsets: Offsets::new(),
            recorded: None,
            unsettled: 0,
            closing: None,
        });
        let index = self.free.pop().unwrap_or_else(|| {
            self.groups.push(None);
            self.groups.len() as GroupIndex - 1
        });
        self.groups[index as usize] = Some(group);
        self.indexes.insert(name, index);
        index
    }

    fn forget(&mut self, index: GroupIndex) {
        let group = self.groups[index as usize]
            .take()
            .expect("a known index is filled");
        self.indexes.remove(&group.name);
        self.free.push(index);
    }

    fn forget_if_vacant(&mut self, index: GroupIndex) {
        if self.group(index).is_some_and(Group::is_vacant) {
            self.forget(index);
        }
    }

    /// Takes one record of the log or of a snapshot, while the partition is read.
    pub(super) fn fold(
        &mut self,
        key: &Bytes,
        value: Option<&Bytes>,
        topics: &mut TopicNames,
    ) -> Result<(), Damaged> {
        match Key::decode(key)? {
            Key::Other(_) => {}
            Key::Offset {
                group,
                topic,
                partition,
            } => {
                let place = (topics.key(&topic), partition);
                match value {
                    Some(value) => {
                        let value = OffsetValue::decode(value)?;
                        let index = self.find_or_make(&group);
                        self.group_mut(index).offsets.insert(place, value.into());
                    }
                    None => {
                        if let Some(index) = self.find(&group) {
                            self.group_mut(index).offsets.remove(&place);
                            self.forget_if_vacant(index);
                        }
                    }
                }
            }
            Key::Group { group } => match value {
                Some(value) => {
                    let index = self.find_or_make(&group);
                    // A slice would keep the whole read buffer.
                    self.group_mut(index).recorded = Some(Bytes::copy_from_slice(value));
                }
                None => {
                    if let Some(index) = self.find(&group) {
                        self.group_mut(index).recorded = None;
                        self.forget_if_vacant(index);
                    }
                }
            },
        }
        Ok(())
    }

    /// Forgets what was read: it is read anew.
    pub(super) fn clear(&mut self) {
        self.indexes.clear();
        self.groups.clear();
        self.free.clear();
    }

    /// Everything was read: the groups `from..` come to life, so many at most. Returns where to go on.
    pub(super) fn wake(
        &mut self,
        from: GroupIndex,
        at_most: u32,
        around: &mut Around<'_>,
    ) -> Option<GroupIndex> {
        let end = self.group_end().min(from.saturating_add(at_most));
        for index in from..end {
            let Some(group) = self.groups[index as usize].as_deref_mut() else {
                continue;
            };
            let Some(recorded) = &group.recorded else {
                continue;
            };
            match GroupValue::decode(recorded) {
                Ok(value) => {
                    let machine = ClassicGroup::of_record(value, around.now);
                    group.machine = Some(Box::new(machine));
                    self.with_machine(index, around, ClassicGroup::on_loaded);
                }
                Err(damaged) => {
                    tracing::warn!(group = %group.name, %damaged, "a group's record is passed over");
                    group.recorded = None;
                    self.forget_if_vacant(index);
                }
            }
        }
        (end < self.group_end()).then_some(end)
    }

    /// Lets a group's machine do something, and carries out what it wants.
    fn with_machine<R>(
        &mut self,
        index: GroupIndex,
        around: &mut Around<'_>,
        act: impl FnOnce(&mut ClassicGroup, &mut Turn<'_>) -> R,
    ) -> R {
        let now = around.now;
        let mut effects = std::mem::take(&mut around.shared.effects);
        let machine = &mut self.group_mut(index).machine;
        let machine = machine.get_or_insert_with(|| Box::new(ClassicGroup::new(now)));
        let result = act(
            machine,
            &mut Turn {
                now,
                config: &around.shared.config,
                rng: &mut around.shared.rng,
                out: &mut effects,
            },
        );
        let mut unwritten = Vec::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Answer(to, result) => around.answer(to, result),
                Effect::Write(value, then) => {
                    let name = self.group_mut(index).name.clone();
                    let (key, value) = (records::group_key(&name), value.encode());
                    match self.fits(key.len() + value.len()) {
                        true => {
                            let part = Part::Group {
                                group: name,
                                value: value.clone(),
                                then,
                            };
                            self.push(key, Some(value), part);
                        }
                        false => unwritten.push(then),
                    }
                }
                Effect::Arm(at, timer) => {
                    let new = around.shared.timers.insert((at, self.index, index, timer));
                    assert!(new, "{timer:?} is set twice");
                }
                Effect::Disarm(at, timer) => {
                    let was = around.shared.timers.remove(&(at, self.index, index, timer));
                    assert!(was, "{timer:?} was not set");
                }
            }
        }
        around.shared.effects = effects;
        for then in unwritten {
            self.tell_unwritten(index, then, GroupError::CommitTooLarge, around);
        }
        result
    }

    fn tell_unwritten(
        &mut self,
        index: GroupIndex,
        then: Then,
        error: GroupError,
        around: &mut Around<'_>,
    ) {
        self.with_machine(index, around, |machine, turn| {
            machine.on_written(then, Err(error), turn);
        });
    }

    fn fits(&self, bytes: usize) -> bool {
        bytes + RECORD_BYTES + BATCH_HEADER <= self.batch_bytes_max
    }

    /// Adds a record to those of this pass.
    fn push(&mut self, key: Bytes, value: Option<Bytes>, part: Part) {
        let bytes = RECORD_BYTES + key.len() + value.as_ref().map_or(0, Bytes::len);
        let full = BATCH_BYTES.min(self.batch_bytes_max) - BATCH_HEADER;
        if !self.open.records.is_empty() && self.open.bytes + bytes > full {
            self.sealed.push_back(std::mem::take(&mut self.open));
        }
        self.open.bytes += bytes;
        self.open.records.push((key, value));
        self.open.parts.push(part);
    }

    fn push_offset(
        &mut self,
        index: GroupIndex,
        topic: TopicKey,
        partition: i32,
        value: Option<OffsetValue>,
        topics: &TopicNames,
    ) {
        let group = self.group_mut(index);
        group.unsettled += 1;
        let name = group.name.clone();
        let key = records::offset_key(&name, topics.name(topic), partition);
        let part = Part::Offset {
            group: name,
            topic,
            partition,
            value: value.clone().map(Stored::from),
        };
        self.push(key, value.as_ref().map(OffsetValue::encode), part);
    }

    /// What a group's offsets of a topic will be once everything on its way is durable.
    pub(super) fn offsets_to_be(
        &self,
        index: GroupIndex,
        topic: TopicKey,
    ) -> BTreeMap<i32, Option<&Stored>> {
        let Some(group) = self.group(index) else {
            return BTreeMap::new();
        };
        let range = (topic, i32::MIN)..=(topic, i32::MAX);
        let durable = group.offsets.range(range);
        let mut offsets: BTreeMap<i32, Option<&Stored>> = durable
            .map(|((_, partition), stored)| (*partition, Some(stored)))
            .collect();
        if group.unsettled == 0 {
            return offsets;
        }
        let flights = self.flights.values().map(|flight| &flight.batch);
        let batches = flights.chain(&self.sealed).chain([&self.open]);
        for part in batches.flat_map(|batch| &batch.parts) {
            if let Part::Offset {
                group: of,
                topic: key,
                partition,
                value,
            } = part
                && (of, *key) == (&group.name, topic)
            {
                offsets.insert(*partition, value.as_ref());
            }
        }
        offsets
    }

    /// Offsets that expired, or whose topic is gone.
    pub(super) fn drop_offsets(
        &mut self,
        index: GroupIndex,
        places: Vec<(TopicKey, i32)>,
        topics: &TopicNames,
    ) {
        for (topic, partition) in places {
            self.push_offset(index, topic, partition, None, topics);
        }
    }

    /// The group itself goes, after its offsets.
    pub(super) fn drop_group(&mut self, index: GroupIndex) {
        let group = self.group_mut(index);
        let waiting = match group.closing.take() {
            None => Vec::new(),
            Some(Closing::Waiting(waiting) | Closing::Deleting(waiting)) => waiting,
        };
        group.closing = Some(Closing::Deleting(waiting));
        let name = group.name.clone();
        let part = Part::GroupGone {
            group: name.clone(),
        };
        self.push(records::group_key(&name), None, part);
    }

    /// The batches of this pass, in order, ready to be appended.
    pub(super) fn take_batches(
        &mut self,
        now: Timestamp,
        mut token: impl FnMut() -> RequestToken,
    ) -> Vec<(RequestToken, Bytes)> {
        if !self.open.records.is_empty() {
            self.sealed.push_back(std::mem::take(&mut self.open));
        }
        let mut batches = Vec::new();
        for mut batch in std::mem::take(&mut self.sealed) {
            let mut builder = BatchBuilder::new();
            for (key, value) in std::mem::take(&mut batch.records) {
                builder = builder.record(&Draft {
                    timestamp: now,
                    key: Some(&key),
                    value: value.as_deref(),
                    headers: Vec::new(),
                });
            }
            let token = token();
            self.flights.insert(token, Flight { batch });
            batches.push((token, builder.build()));
        }
        batches
    }

    /// An append was answered.
    pub(super) fn on_appended(
        &mut self,
        token: RequestToken,
        result: Result<Appended, AppendError>,
        around: &mut Around<'_>,
    ) {
        let Some(Flight { batch }) = self.flights.remove(&token) else {
            return;
        };
        let error = match result {
            Ok(appended) => {
                let records = batch.parts.iter().filter(|part| part.is_record()).count();
                let end = Offset(appended.base_offset.0 + records as i64);
                assert!(
                    end > self.applied_end,
                    "{}: {end:?} after {:?}",
                    self.id,
                    self.applied_end
                );
                self.applied_end = end;
                self.tail_bytes += batch.bytes as u64;
                None
            }
            Err(error) => {
                tracing::warn!(partition = %self.id, ?error, "records of groups were not taken");
                Some(of_append(&error))
            }
        };
        for part in batch.parts {
            match &error {
                None => self.apply(part, around),
                Some(error) => self.give_up(part, error, around),
            }
        }
    }

    fn apply(&mut self, part: Part, around: &mut Around<'_>) {
        match part {
            Part::Offset {
                group,
                topic,
                partition,
                value,
            } => {
                let index = self.find_or_make(&group);
                let offsets = &mut self.group_mut(index).offsets;
                match value {
                    Some(value) => drop(offsets.insert((topic, partition), value)),
                    None => drop(offsets.remove(&(topic, partition))),
                }
                self.settle_offset(index, around);
            }
            Part::Group { group, value, then } => {
                let index = self.find_or_make(&group);
                self.group_mut(index).recorded = Some(value.clone());
                self.with_machine(index, around, |machine, turn| {
                    machine.on_written(then, Ok(&value), turn);
                });
            }
            Part::GroupGone { group } => {
                let Some(index) = self.find(&group) else {
                    return;
                };
                if self.group_mut(index).machine.is_some() {
                    let gone = &GroupError::UnknownMember;
                    self.with_machine(index, around, |machine, turn| {
                        machine.on_unloaded(gone, turn);
                    });
                }
                let waiting = self.reopen(index);
                self.forget(index);
                self.ask_all(waiting, around);
            }
            Part::Write(write) => around.end_part(write, None),
            Part::Ask(asked) => self.ask(asked, around),
        }
    }

    fn give_up(&mut self, part: Part, error: &GroupError, around: &mut Around<'_>) {
        match part {
            Part::Offset { group, .. } => {
                if let Some(index) = self.find(&group) {
                    self.settle_offset(index, around);
                }
            }
            Part::Group { group, then, .. } => {
                if let Some(index) = self.find(&group) {
                    self.tell_unwritten(index, then, error.clone(), around);
                    self.forget_if_vacant(index);
                }
            }
            Part::GroupGone { group } => {
                if let Some(index) = self.find(&group) {
                    let waiting = self.reopen(index);
                    self.ask_all(waiting, around);
                }
            }
            Part::Write(write) => around.end_part(write, Some(error.clone())),
            Part::Ask(asked) => self.ask(asked, around),
        }
    }

    /// One record less of a group's offsets is on its way.
    fn settle_offset(&mut self, index: GroupIndex, around: &mut Around<'_>) {
        let group = self.group_mut(index);
        group.unsettled -= 1;
        if group.unsettled == 0 && matches!(group.closing, Some(Closing::Waiting(_))) {
            let waiting = self.reopen(index);
            self.ask_all(waiting, around);
        }
        self.forget_if_vacant(index);
    }

    fn reopen(&mut self, index: GroupIndex) -> Vec<Asked> {
        match self.group_mut(index).closing.take() {
            None => Vec::new(),
            Some(Closing::Waiting(waiting) | Closing::Deleting(waiting)) => waiting,
        }
    }

    fn ask_all(&mut self, waiting: Vec<Asked>, around: &mut Around<'_>) {
        for asked in waiting {
            self.ask(asked, around);
        }
    }

    /// Takes a request.
    pub(super) fn ask(&mut self, asked: Asked, around: &mut Around<'_>) {
        if let Err(error) = check(&asked, &around.shared.config) {
            return around.answer(asked.to, Err(error));
        }
        match (&self.state, &asked.ask) {
            (SeatState::Ready, _) => {}
            // Kafka's answer: nobody is to be thrown out by a restart.
            (SeatState::Loading(_), GroupAsk::Heartbeat(_)) => {
                return around.answer(asked.to, Ok(GroupDone::Done));
            }
            (SeatState::Loading(_), _) => return around.answer(asked.to, Err(GroupError::Loading)),
            (SeatState::Failed, _) => {
                return around.answer(asked.to, Err(GroupError::NotAvailable));
            }
        }
        let reads = matches!(asked.ask, GroupAsk::Describe | GroupAsk::FetchOffsets(_));
        if let Some(index) = self.find(&asked.group)
            && !reads
            && let Some(Closing::Waiting(waiting) | Closing::Deleting(waiting)) =
                &mut self.group_mut(index).closing
        {
            return waiting.push(asked);
        }
        let Asked {
            to,
            group: name,
            ask,
            topics,
        } = asked;
        match ask {
            GroupAsk::Join(_) | GroupAsk::Sync(_) if around.shared.draining => {
                around.answer(to, Err(GroupError::NotCoordinator));
            }
            GroupAsk::Join(join) => {
                let index = match join.member.is_empty() {
                    true => Some(self.find_or_make(&name)),
                    false => self.find_existing(&name),
                };
                let Some(index) = index else {
                    return around.answer(to, Err(GroupError::UnknownMember));
                };
                self.with_machine(index, around, |machine, turn| machine.join(to, join, turn));
                self.forget_if_vacant(index);
            }
            GroupAsk::Sync(sync) => match self.find_existing(&name) {
                Some(index) => {
                    self.with_machine(index, around, |machine, turn| machine.sync(to, sync, turn));
                }
                None => around.answer(to, Err(GroupError::UnknownMember)),
            },
            GroupAsk::Heartbeat(who) => {
                let alive = match self.find_existing(&name) {
                    Some(index) => self
                        .with_machine(index, around, |machine, turn| machine.heartbeat(&who, turn)),
                    None => Err(GroupError::UnknownMember),
                };
                around.answer(to, alive.map(|()| GroupDone::Done));
            }
            GroupAsk::Leave(leaving) => {
                let left = match self.find_existing(&name) {
                    Some(index) => self
                        .with_machine(index, around, |machine, turn| machine.leave(&leaving, turn)),
                    None => leaving
                        .iter()
                        .map(|_| Err(GroupError::UnknownMember))
                        .collect(),
                };
                around.answer(to, Ok(GroupDone::Left(left)));
            }
            GroupAsk::Commit(commit) => self.commit(to, &name, commit, topics, around),
            GroupAsk::FetchOffsets(fetch) => self.fetch(to, name, fetch, around),
            GroupAsk::Describe => {
                let described = self.describe(&name);
                around.answer(to, Ok(GroupDone::Described(described)));
            }
            GroupAsk::Delete => self.delete(to, name, around),
            GroupAsk::DeleteOffsets(asked) => self.delete_offsets(to, &name, asked, around),
        }
    }

    fn commit(
        &mut self,
        to: Caller,
        name: &str,
        commit: Commit,
        topics: Vec<TopicId>,
        around: &mut Around<'_>,
    ) {
        let existing = self.find_existing(name);
        let allowed = match existing {
            Some(index) if self.group_mut(index).machine.is_some() => {
                self.with_machine(index, around, |machine, turn| {
                    machine.check_commit(&commit.who, turn)
                })
            }
            // A consumer that assigns itself: its group has offsets and nothing else.
            Some(_) | None if commit.who.generation < 0 => Ok(()),
            Some(_) => Err(GroupError::UnknownMember),
            None => Err(GroupError::GroupNotFound),
        };
        if let Err(error) = allowed {
            return around.answer(to, Err(error));
        }
        let now = around.now.wall;
        let expires = match commit.retention_ms {
            -1 => None,
            own => Some(Timestamp(now.0.saturating_add(own))),
        };
        let mut results = Vec::with_capacity(commit.offsets.len());
        let mut accepted = Vec::new();
        for (item, topic) in commit.offsets.into_iter().zip(topics) {
            let result = self.check_offset(&item.committed.metadata, name, &item.topic, around);
            results.push((item.index, result.clone()));
            if result.is_ok() {
                let mut committed = item.committed;
                committed.timestamp = now;
                let value = OffsetValue {
                    committed,
                    expires,
                    topic,
                };
                accepted.push((around.shared.topics.key(&item.topic), item.partition, value));
            }
        }
        if accepted.is_empty() {
            return around.answer(to, Ok(GroupDone::Committed(results)));
        }
        let index = self.find_or_make(name);
        let write = self.begin_write(to, GroupDone::Committed(results), around);
        for (topic, partition, value) in accepted {
            self.push_offset(index, topic, partition, Some(value), &around.shared.topics);
        }
        self.end_write(write, around);
    }

    fn check_offset(
        &self,
        metadata: &str,
        group: &str,
        topic: &str,
        around: &Around<'_>,
    ) -> Result<(), GroupError> {
        let length = metadata.encode_utf16().count();
        if length > around.shared.config.offset_metadata_max || metadata.len() > STRING_BYTES_MAX {
            return Err(GroupError::OffsetMetadataTooLarge);
        }
        // Lengths, offset, epoch, times and id.
        match self.fits(group.len() + topic.len() + metadata.len() + 64) {
            true => Ok(()),
            false => Err(GroupError::CommitTooLarge),
        }
    }

    fn begin_write(&mut self, to: Caller, done: GroupDone, around: &mut Around<'_>) -> Begun {
        let write = around.shared.next_write;
        around.shared.next_write += 1;
        let waits = Write {
            to,
            left: 0,
            failed: None,
            done,
        };
        around.shared.writes.insert(write, waits);
        Begun {
            write,
            sealed: self.sealed.len(),
        }
    }

    /// The request's records end here, in each of the batches that hold them.
    fn end_write(&mut self, begun: Begun, around: &mut Around<'_>) {
        let Begun { write, sealed } = begun;
        let waits = around.shared.writes.get_mut(&write).expect("just begun");
        for batch in self.sealed.iter_mut().skip(sealed).chain([&mut self.open]) {
            batch.parts.push(Part::Write(write));
            waits.left += 1;
        }
    }

    fn fetch(
        &mut self,
        to: Caller,
        group: String,
        mut fetch: FetchOffsets,
        around: &mut Around<'_>,
    ) {
        let index = self.find(&group);
        let unsettled = index.is_some_and(|index| self.group_mut(index).unsettled > 0);
        if fetch.require_stable && unsettled {
            // Kafka reads what is on its way and answers once it is durable.
            fetch.require_stable = false;
            let asked = Asked {
                to,
                group,
                ask: GroupAsk::FetchOffsets(fetch),
                topics: Vec::new(),
            };
            return self.after_records(Part::Ask(asked));
        }
        let offsets = index
            .and_then(|index| self.group(index))
            .map(|group| &group.offsets);
        let topics = &around.shared.topics;
        let mut fetched = Vec::new();
        match fetch.topics {
            Some(asked) => {
                for (topic, partitions) in asked {
                    let key = topics.find(&topic);
                    fetched.extend(partitions.into_iter().map(|partition| {
                        let place = key.map(|key| (key, partition));
                        let found = place.and_then(|place| offsets?.get(&place));
                        (topic.clone(), partition, found.map(Stored::committed))
                    }));
                }
            }
            None => {
                for ((topic, partition), stored) in offsets.into_iter().flatten() {
                    let name = topics.name(*topic).to_string();
                    fetched.push((name, *partition, Some(stored.committed())));
                }
                fetched.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
            }
        }
        around.answer(to, Ok(GroupDone::Fetched(fetched)));
    }

    /// Behind everything that is on its way.
    fn after_records(&mut self, part: Part) {
        if !self.open.records.is_empty() {
            self.open.parts.push(part);
        } else if let Some(batch) = self.sealed.back_mut() {
            batch.parts.push(part);
        } else {
            let flight = self.flights.values_mut().next_back();
            flight
                .expect("something is on its way")
                .batch
                .parts
                .push(part);
        }
    }

    fn describe(&self, name: &str) -> Description {
        let none = |state| Description {
            state,
            protocol_type: String::new(),
            protocol_name: String::new(),
            members: Vec::new(),
        };
        match self.find_existing(name).and_then(|index| self.group(index)) {
            None => none(GroupState::Dead),
            Some(group) => match &group.machine {
                None => none(GroupState::Empty),
                Some(machine) => machine.describe(),
            },
        }
    }

    pub(super) fn list(&self, groups: &mut Vec<ListedGroup>) {
        let existing = self.groups.iter().flatten().filter(|group| group.exists());
        groups.extend(existing.map(|group| {
            ListedGroup {
                group: group.name.to_string(),
                protocol_type: group
                    .machine
                    .as_ref()
                    .map_or_else(String::new, |machine| machine.protocol_type().to_owned()),
                state: group.state(),
            }
        }));
    }

    fn delete(&mut self, to: Caller, name: String, around: &mut Around<'_>) {
        let Some(index) = self.find_or_coming(&name) else {
            return around.answer(to, Err(GroupError::GroupNotFound));
        };
        let group = self.group_mut(index);
        let machine = group.machine.as_ref();
        if let Err(error) = machine.map_or(Ok(()), |machine| machine.check_delete()) {
            return around.answer(to, Err(error));
        }
        if group.unsettled > 0 {
            // An offset that is on its way would survive the deletion.
            let asked = Asked {
                to,
                group: name,
                ask: GroupAsk::Delete,
                topics: Vec::new(),
            };
            group.closing = Some(Closing::Waiting(vec![asked]));
            return;
        }
        let places = group.offsets.keys().copied().collect();
        let write = self.begin_write(to, GroupDone::Done, around);
        self.drop_offsets(index, places, &around.shared.topics);
        self.drop_group(index);
        self.end_write(write, around);
    }

    fn delete_offsets(
        &mut self,
        to: Caller,
        name: &str,
        asked: Vec<(String, Vec<i32>)>,
        around: &mut Around<'_>,
    ) {
        let Some(index) = self.find_or_coming(name) else {
            return around.answer(to, Err(GroupError::GroupNotFound));
        };
        let group = self.group_mut(index);
        let machine = group.machine.as_ref();
        if let Err(error) = machine.map_or(Ok(()), |machine| machine.check_delete_offsets()) {
            return around.answer(to, Err(error));
        }
        let mut results = Vec::new();
        let mut places = Vec::new();
        for (topic, partitions) in asked {
            let key = around.shared.topics.find(&topic);
            let result = match group.is_subscribed(&topic) {
                true => Err(GroupError::SubscribedToTopic),
                false => Ok(()),
            };
            for partition in partitions {
                if let Some(key) = key.filter(|_| result.is_ok())
                    // What is on its way may be the one.
                    && (group.unsettled > 0 || group.offsets.contains_key(&(key, partition)))
                {
                    places.push((key, partition));
                }
                results.push((topic.clone(), partition, result.clone()));
            }
        }
        if places.is_empty() {
            return around.answer(to, Ok(GroupDone::OffsetsDeleted(results)));
        }
        let write = self.begin_write(to, GroupDone::OffsetsDeleted(results), around);
        self.drop_offsets(index, places, &around.shared.topics);
        self.end_write(write, around);
    }

    pub(super) fn on_timer(&mut self, index: GroupIndex, timer: Timer, around: &mut Around<'_>) {
        self.with_machine(index, around, |machine, turn| machine.on_timer(timer, turn));
        self.forget_if_vacant(index);
    }

    /// Whoever waits in a join or sync is answered; the groups stay.
    pub(super) fn refuse_waiting(&mut self, error: &GroupError, around: &mut Around<'_>) {
        for index in 0..self.group_end() {
            if self
                .group(index)
                .is_some_and(|group| group.machine.is_some())
            {
                self.with_machine(index, around, |machine, turn| {
                    machine.refuse_waiting(error, turn)
                });
            }
        }
    }

    /// The partition is gone: everything that waits is refused.
    pub(super) fn unload(&mut self, around: &mut Around<'_>) {
        let error = &GroupError::NotCoordinator;
        self.state = SeatState::Failed;
        let flights = std::mem::take(&mut self.flights).into_values();
        let batches = flights.map(|flight| flight.batch);
        let open = std::mem::take(&mut self.open);
        let sealed = std::mem::take(&mut self.sealed);
        for part in batches
            .chain(sealed)
            .chain([open])
            .flat_map(|batch| batch.parts)
        {
            match part {
                Part::Write(write) => around.end_part(write, Some(error.clone())),
                Part::Ask(asked) => around.answer(asked.to, Err(error.clone())),
                Part::Offset { .. } | Part::Group { .. } | Part::GroupGone { .. } => {}
            }
        }
        for index in 0..self.group_end() {
            if self.group(index).is_none() {
                continue;
            }
            for asked in self.reopen(index) {
                around.answer(asked.to, Err(error.clone()));
            }
            if self.group_mut(index).machine.is_some() {
                self.with_machine(index, around, |machine, turn| {
                    machine.on_unloaded(error, turn)
                });
            }
        }
    }
}

impl Part {
    fn is_record(&self) -> bool {
        match self {
            Part::Offset { .. } | Part::Group { .. } | Part::GroupGone { .. } => true,
            Part::Write(_) | Part::Ask(_) => false,
        }
    }
}

/// What can be said of a request without a look at its group (`GroupCoordinatorService`).
fn check(asked: &Asked, config: &GroupConfig) -> Result<(), GroupError> {
    let named = match &asked.ask {
        GroupAsk::Join(_)
        | GroupAsk::Sync(_)
        | GroupAsk::Heartbeat(_)
        | GroupAsk::Leave(_)
        | GroupAsk::DeleteOffsets(_) => !asked.group.is_empty(),
        GroupAsk::Commit(_) | GroupAsk::FetchOffsets(_) | GroupAsk::Describe | GroupAsk::Delete => {
            true
        }
    };
    if !named || asked.group.len() > STRING_BYTES_MAX {
        return Err(GroupError::InvalidGroupId);
    }
    let GroupAsk::Join(join) = &asked.ask else {
        return Ok(());
    };
    let timeouts = config.session_timeout_min_ms..=config.session_timeout_max_ms;
    if !timeouts.contains(&join.session_timeout_ms) {
        return Err(GroupError::InvalidSessionTimeout);
    }
    // A record must be able to hold them, with a member id that begins with one.
    let instance = join.instance.as_deref().unwrap_or("");
    let longest = [&join.client_id, &join.client_host, &join.protocol_type].map(String::len);
    let names = join.protocols.iter().map(|(name, _)| name.len());
    let longest = longest
        .into_iter()
        .chain([instance.len()])
        .chain(names)
        .max();
    match longest.unwrap_or(0) + 64 > STRING_BYTES_MAX {
        true => Err(GroupError::InvalidRequest),
        false => Ok(()),
    }
}

/// What a client is told where the log refused a record (`appendGroupMetadataErrorToResponseError`).
fn of_append(error: &AppendError) -> GroupError {
    match error {
        AppendError::UnknownPartition => GroupError::NotAvailable,
        AppendError::Storage => GroupError::NotCoordinator,
        AppendError::TooLarge { .. } | AppendError::LargerThanSegment { .. } => {
            GroupError::CommitTooLarge
        }
        AppendError::Corrupt(_)
        | AppendError::InvalidRecord(_)
        | AppendError::InvalidTimestamp(_)
        | AppendError::UnsupportedCompression
        | AppendError::UnsupportedFormat
        | AppendError::OutOfOrderSequence
        | AppendError::InvalidProducerEpoch
        | AppendError::UnknownProducer
        | AppendError::DuplicateSequence => GroupError::Storage,
    }
}

#[cfg(test)]
pub(super) const GROUP_BYTES: usize = size_of::<Group>();
