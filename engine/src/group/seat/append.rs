//! Records of groups on their way to the log: gathered into batches, several in flight, and what each answer means.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::around::Write;
use super::{Around, Asked, Closing, GroupIndex, Seat};
use crate::batch::{BatchBuilder, Draft};
use crate::call::{AppendError, Appended, RequestToken};
use crate::group::call::{GroupDone, GroupError};
use crate::group::classic::{Caller, Then};
use crate::group::offsets::{Stored, TopicKey, TopicNames};
use crate::group::records::{self, OffsetValue};
use crate::limits::BATCH_HEADER;
use crate::types::{Offset, Timestamp};

/// Records are gathered into batches of about this size; a larger one has a batch of its own.
const BATCH_BYTES: usize = 128 << 10;
/// What a record takes besides its key and value, at most.
const RECORD_BYTES: usize = 40;

/// What a batch's answer means.
#[derive(Debug)]
pub(super) enum Part {
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
    pub(super) records: Vec<(Bytes, Option<Bytes>)>,
    bytes: usize,
    pub(super) parts: Vec<Part>,
}

/// Appends under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) batch: Batch,
}

/// A request whose records are being added, and how many batches were full before.
pub(super) struct Begun {
    write: u64,
    sealed: usize,
}

impl Seat {
    pub(super) fn fits(&self, bytes: usize) -> bool {
        bytes + RECORD_BYTES + BATCH_HEADER <= self.batch_bytes_max
    }

    /// Adds a record to those of this pass.
    pub(super) fn push(&mut self, key: Bytes, value: Option<Bytes>, part: Part) {
        let bytes = RECORD_BYTES + key.len() + value.as_ref().map_or(0, Bytes::len);
        // A topic may be told to take no batch at all: what does not fit is refused by the log.
        let full = BATCH_BYTES
            .min(self.batch_bytes_max)
            .saturating_sub(BATCH_HEADER);
        if !self.open.records.is_empty() && self.open.bytes + bytes > full {
            self.sealed.push_back(std::mem::take(&mut self.open));
        }
        self.open.bytes += bytes;
        self.open.records.push((key, value));
        self.open.parts.push(part);
    }

    pub(super) fn push_offset(
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
    pub(in crate::group) fn offsets_to_be(
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
    pub(in crate::group) fn drop_offsets(
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
    pub(in crate::group) fn drop_group(&mut self, index: GroupIndex) {
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
    pub(in crate::group) fn take_batches(
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

    pub(super) fn begin_write(
        &mut self,
        to: Caller,
        done: GroupDone,
        around: &mut Around<'_>,
    ) -> Begun {
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
    pub(super) fn end_write(&mut self, begun: Begun, around: &mut Around<'_>) {
        let Begun { write, sealed } = begun;
        let waits = around.shared.writes.get_mut(&write).expect("just begun");
        for batch in self.sealed.iter_mut().skip(sealed).chain([&mut self.open]) {
            batch.parts.push(Part::Write(write));
            waits.left += 1;
        }
    }

    /// Behind everything that is on its way.
    pub(super) fn after_records(&mut self, part: Part) {
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

    /// An append was answered.
    pub(in crate::group) fn on_appended(
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

    pub(super) fn apply(&mut self, part: Part, around: &mut Around<'_>) {
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

    pub(super) fn give_up(&mut self, part: Part, error: &GroupError, around: &mut Around<'_>) {
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
    pub(super) fn settle_offset(&mut self, index: GroupIndex, around: &mut Around<'_>) {
        let group = self.group_mut(index);
        group.unsettled -= 1;
        if group.unsettled == 0 && matches!(group.closing, Some(Closing::Waiting(_))) {
            let waiting = self.reopen(index);
            self.ask_all(waiting, around);
        }
        self.forget_if_vacant(index);
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

/// What a client is told where the log refused a record (`appendGroupMetadataErrorToResponseError`).
fn of_append(error: &AppendError) -> GroupError {
    match error {
        AppendError::UnknownPartition => GroupError::NotAvailable,
        AppendError::DiskFull { .. } => GroupError::NotAvailable,
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
