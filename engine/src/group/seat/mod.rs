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

mod append;
mod around;
mod ask;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bytes::Bytes;

pub(super) use self::around::{Around, Asked, Shared};
use super::call::{GroupError, GroupState};
use super::classic::{ClassicGroup, Effect, Expiry, Then, Timer, Turn};
use super::load::Load;
use super::offsets::{Offsets, TopicNames};
use super::records::{self, GroupValue, Key, OffsetValue};
use super::sweep::Sweep;
use crate::batch::Damaged;
use crate::call::RequestToken;
use crate::types::{Offset, TopicPartition};
use append::{Batch, Flight, Part};

/// A partition in the table of its shard.
pub(super) type SeatIndex = u32;
/// A group in the table of its partition.
pub(super) type GroupIndex = u32;

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

    pub(super) fn configure(&mut self, batch_bytes_max: usize, durable: bool) {
        self.batch_bytes_max = batch_bytes_max;
        self.durable = durable;
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

#[cfg(test)]
pub(super) const GROUP_BYTES: usize = size_of::<Group>();
