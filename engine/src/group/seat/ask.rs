//! Requests to a partition's groups, one by one.

use super::append::Part;
use super::{Around, Asked, Closing, GroupIndex, Seat, SeatState};
use crate::group::call::{
    Commit, Description, FetchOffsets, GroupAsk, GroupDone, GroupError, GroupState, ListedGroup,
};
use crate::group::classic::Caller;
use crate::group::config::GroupConfig;
use crate::group::offsets::Stored;
use crate::group::records::{OffsetValue, STRING_BYTES_MAX};
use crate::types::{Timestamp, TopicId};

impl Seat {
    /// Takes a request.
    pub(in crate::group) fn ask(&mut self, asked: Asked, around: &mut Around<'_>) {
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

    pub(super) fn commit(
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

    pub(super) fn check_offset(
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

    pub(super) fn fetch(
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

    pub(super) fn describe(&self, name: &str) -> Description {
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

    pub(in crate::group) fn list(&self, groups: &mut Vec<ListedGroup>) {
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

    pub(super) fn delete(&mut self, to: Caller, name: String, around: &mut Around<'_>) {
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

    pub(super) fn delete_offsets(
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

    pub(super) fn ask_all(&mut self, waiting: Vec<Asked>, around: &mut Around<'_>) {
        for asked in waiting {
            self.ask(asked, around);
        }
    }

    pub(super) fn reopen(&mut self, index: GroupIndex) -> Vec<Asked> {
        match self.group_mut(index).closing.take() {
            None => Vec::new(),
            Some(Closing::Waiting(waiting) | Closing::Deleting(waiting)) => waiting,
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
