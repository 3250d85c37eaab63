//! OffsetDelete (47): what a group has committed for some partitions (KIP-496).
//!
//! * 0, not flexible
//!
//! Answered once durable. What an active group is subscribed to is not deleted: GROUP_SUBSCRIBED_TO_TOPIC. The coordinator
//! is asked even where no partition is left to ask for: an error of the group is said before all others.

use std::collections::BTreeMap;

use bytes::Bytes;
use corelane_engine::group::call::{GroupAsk, GroupDone, GroupError};
use corelane_engine::types::TopicId;

use crate::api::group::{self, GroupWork};
use crate::api::partition_codes::{PartitionCodes, Sorting, TopicKey};
use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::offset_delete_request::OffsetDeleteRequest;
use crate::protocol::offset_delete_response::{
    OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

/// A request whose offsets are being deleted.
#[derive(Debug)]
pub struct OffsetDelete {
    codes: PartitionCodes,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: OffsetDeleteRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let group = &message.group_id;
    if !desk.allows(&request.context, Operation::Delete, Resource::Group(group)) {
        let code = ErrorCode::GroupAuthorizationFailed;
        return Started::Answer(refusal(desk, request, code));
    }
    if group.as_bytes().is_empty() {
        return Started::Answer(refusal(desk, request, ErrorCode::InvalidGroupId));
    }
    let mut sorting = Sorting::default();
    let mut asked: Vec<(String, Vec<i32>)> = Vec::new();
    for topic in message.topics {
        let partitions = topic.partitions.iter().map(|p| p.partition_index);
        let readable = desk.allows(
            &request.context,
            Operation::Read,
            Resource::Topic(&topic.name),
        );
        let found = desk.topic_by_name(&request.context, &topic.name);
        sorting.topic(TopicKey {
            name: topic.name.clone(),
            id: TopicId::ZERO,
        });
        let found = match found {
            _ if !readable => Err(ErrorCode::TopicAuthorizationFailed),
            None => Err(ErrorCode::UnknownTopicOrPartition),
            Some(found) => Ok(found),
        };
        match found {
            Err(code) => sorting.refuse_all(partitions, code),
            Ok(found) => {
                let mut there = Vec::new();
                for partition in partitions {
                    if (0..found.partitions).contains(&partition) {
                        sorting.ask(partition);
                        there.push(partition);
                    } else {
                        sorting.refuse(partition, ErrorCode::UnknownTopicOrPartition);
                    }
                }
                if !there.is_empty() {
                    asked.push((found.name.to_owned(), there));
                }
            }
        }
    }
    match group::ask_one(desk, request, group, GroupAsk::DeleteOffsets(asked)) {
        Ok(()) => {
            let codes = sorting.sorted();
            GroupWork::OffsetDelete(OffsetDelete { codes }).started()
        }
        Err(error) => Started::Answer(refusal(desk, request, error_code::of_group(&error))),
    }
}

/// The whole request has one fate.
fn refusal(desk: &Desk, request: &Request, code: ErrorCode) -> Encoded {
    request.encode(&OffsetDeleteResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: code.code(),
        ..OffsetDeleteResponse::default()
    })
}

impl OffsetDelete {
    /// The coordinator answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        result: Result<GroupDone, GroupError>,
    ) -> Outcome {
        let deleted = match result {
            Ok(GroupDone::OffsetsDeleted(deleted)) => deleted,
            Ok(other) => panic!("offsets were to be deleted, got {other:?}"),
            Err(error) => {
                let code = error_code::of_group(&error);
                return Outcome::Reply(refusal(desk, request, code));
            }
        };
        let by_partition: BTreeMap<(String, i32), ErrorCode> = deleted
            .into_iter()
            .map(|(topic, partition, result)| {
                let error = result.err();
                let code = error.map_or(ErrorCode::None, |error| error_code::of_group(&error));
                ((topic, partition), code)
            })
            .collect();
        for index in 0..self.codes.asked() {
            let (key, partition) = self.codes.partition(index);
            let stored = resolve_topic(&request.context, &key.name).to_owned();
            let code = by_partition
                .get(&(stored, partition))
                .expect("every partition asked for is answered");
            self.codes.set(index, *code);
        }
        Outcome::Reply(self.answer(desk, request))
    }

    fn answer(&self, desk: &Desk, request: &Request) -> Encoded {
        let partition =
            |&(partition_index, code): &(i32, ErrorCode)| OffsetDeleteResponsePartition {
                partition_index,
                error_code: code.code(),
            };
        request.encode(&OffsetDeleteResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            error_code: ErrorCode::None.code(),
            topics: self
                .codes
                .topics()
                .iter()
                .map(|topic| OffsetDeleteResponseTopic {
                    name: topic.key.name.clone(),
                    partitions: topic.partitions.iter().map(partition).collect(),
                })
                .collect(),
        })
    }
}
