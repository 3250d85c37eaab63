//! OffsetCommit (8): how far a group has read.
//!
//! * 2 retention time · 3 throttle time · 4 as 3 · 5 no retention time (KIP-211) · 6 leader epochs (KIP-320)
//! * 7 static members (KIP-345) · 8 flexible · 9 GROUP_ID_NOT_FOUND in place of ILLEGAL_GENERATION (KIP-848)
//! * 10 topic ids in place of names (KIP-848)
//!
//! Answered once the offsets are durable. Topics and partitions that are not there, and metadata above Kafka's
//! `offset.metadata.max.bytes`, are refused one by one; the coordinator judges the member, for all of them. Left out:
//! `offsets.commit.timeout.ms`.

use bytes::Bytes;
use corelane_engine::group::call::{
    Commit, CommitItem, CommittedOffset, GroupAsk, GroupDone, GroupError, MemberRef,
};
use corelane_engine::types::{LeaderEpoch, Offset, TopicId};

use crate::api::group::{self, GroupWork};
use crate::api::partition_codes::{PartitionCodes, Sorting, TopicKey};
use crate::context::{Operation, Resource, shown_topic, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::offset_commit_request::{OffsetCommitRequest, OffsetCommitRequestTopic};
use crate::protocol::offset_commit_response::{
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::{Str, Uuid};

/// First version with topic ids.
const TOPIC_IDS_SINCE: i16 = 10;
/// Kafka's default of `offset.metadata.max.bytes`; counted, as by Kafka, in UTF-16 units.
const METADATA_UNITS_MAX: usize = 4096;

/// A commit that is being made durable.
#[derive(Debug)]
pub struct OffsetCommit {
    codes: PartitionCodes,
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: OffsetCommitRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let group = message.group_id;
    if !desk.allows(&request.context, Operation::Read, Resource::Group(&group)) {
        let mut codes = untouched(&message.topics, request.header.version);
        codes.set_all(ErrorCode::GroupAuthorizationFailed);
        return Started::Answer(answer(desk, request, &codes));
    }
    let mut sorting = Sorting::default();
    let mut offsets = Vec::new();
    let mut too_large = Vec::new();
    for topic in message.topics {
        sorting.topic(key(&topic, request.header.version));
        let (name, partitions) = match find(desk, request, &topic) {
            Ok(found) => found,
            Err(code) => {
                sorting.refuse_all(topic.partitions.iter().map(|p| p.partition_index), code);
                continue;
            }
        };
        for asked in topic.partitions {
            let partition = asked.partition_index;
            if !(0..partitions).contains(&partition) {
                sorting.refuse(partition, ErrorCode::UnknownTopicOrPartition);
                continue;
            }
            let index = sorting.ask(partition);
            let metadata = asked.committed_metadata.unwrap_or_default();
            if is_too_large(&metadata) {
                too_large.push(index);
                continue;
            }
            offsets.push(CommitItem {
                index,
                topic: name.clone(),
                partition,
                committed: CommittedOffset {
                    offset: Offset(asked.committed_offset),
                    leader_epoch: LeaderEpoch(asked.committed_leader_epoch),
                    metadata: metadata.as_str().to_owned(),
                    timestamp: desk.now.wall,
                },
            });
        }
    }
    let mut codes = sorting.sorted();
    if codes.asked() == 0 {
        return Started::Answer(answer(desk, request, &codes));
    }
    for index in too_large {
        codes.set(index, ErrorCode::OffsetMetadataTooLarge);
    }
    let ask = GroupAsk::Commit(Commit {
        who: MemberRef {
            member: message.member_id.as_str().to_owned(),
            instance: message.group_instance_id.map(|id| id.as_str().to_owned()),
            generation: message.generation_id_or_member_epoch,
        },
        retention_ms: message.retention_time_ms,
        offsets,
    });
    match group::ask_one(desk, request, &group, ask) {
        Ok(()) => GroupWork::OffsetCommit(OffsetCommit { codes }).started(),
        Err(error) => {
            codes.set_all(code(&error, request.header.version));
            Started::Answer(answer(desk, request, &codes))
        }
    }
}

fn key(topic: &OffsetCommitRequestTopic, version: i16) -> TopicKey {
    if version >= TOPIC_IDS_SINCE {
        TopicKey {
            name: Str::new(),
            id: TopicId(topic.topic_id.0),
        }
    } else {
        TopicKey {
            name: topic.name.clone(),
            id: TopicId::ZERO,
        }
    }
}

/// The request's topics and partitions as they are.
fn untouched(topics: &[OffsetCommitRequestTopic], version: i16) -> PartitionCodes {
    let mut sorting = Sorting::default();
    for topic in topics {
        sorting.topic(key(topic, version));
        for partition in &topic.partitions {
            sorting.ask(partition.partition_index);
        }
    }
    sorting.sorted()
}

/// The topic's name as stored, and how many partitions it has.
fn find(
    desk: &Desk,
    request: &Request,
    topic: &OffsetCommitRequestTopic,
) -> Result<(String, i32), ErrorCode> {
    let context = &request.context;
    let by_id = request.header.version >= TOPIC_IDS_SINCE;
    let found = match by_id {
        true => Some(
            desk.topic_by_id(TopicId(topic.topic_id.0))
                .ok_or(ErrorCode::UnknownTopicId)?,
        ),
        false => desk.topic_by_name(context, &topic.name),
    };
    let shown = match found {
        Some(found) if by_id => shown_topic(context, found.name),
        _ => &topic.name,
    };
    if !desk.allows(context, Operation::Read, Resource::Topic(shown)) {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    found
        .map(|found| (found.name.to_owned(), found.partitions))
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}

fn is_too_large(metadata: &str) -> bool {
    // No character has more units than bytes.
    metadata.len() > METADATA_UNITS_MAX && metadata.encode_utf16().count() > METADATA_UNITS_MAX
}

fn code(error: &GroupError, version: i16) -> ErrorCode {
    match error {
        GroupError::GroupNotFound if version < 9 => ErrorCode::IllegalGeneration,
        error => error_code::of_group(error),
    }
}

fn answer(desk: &Desk, request: &Request, codes: &PartitionCodes) -> Encoded {
    let partition = |&(partition_index, code): &(i32, ErrorCode)| OffsetCommitResponsePartition {
        partition_index,
        error_code: code.code(),
    };
    request.encode(&OffsetCommitResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        topics: codes
            .topics()
            .iter()
            .map(|topic| OffsetCommitResponseTopic {
                name: topic.key.name.clone(),
                topic_id: Uuid(topic.key.id.0),
                partitions: topic.partitions.iter().map(partition).collect(),
            })
            .collect(),
    })
}

impl OffsetCommit {
    /// The coordinator answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        result: Result<GroupDone, GroupError>,
    ) -> Outcome {
        let version = request.header.version;
        match result {
            Ok(GroupDone::Committed(committed)) => {
                for (index, result) in committed {
                    let code = result
                        .err()
                        .map_or(ErrorCode::None, |error| code(&error, version));
                    self.codes.set(index, code);
                }
            }
            Ok(other) => panic!("offsets were committed, got {other:?}"),
            Err(error) => self.codes.set_all(code(&error, version)),
        }
        Outcome::Reply(answer(desk, request, &self.codes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_counted_in_utf16_units() {
        for (metadata, too_large) in [
            ("x".repeat(4096), false),
            ("x".repeat(4097), true),
            ("ü".repeat(4096), false),
            ("ü".repeat(4097), true),
            ("\u{1f600}".repeat(2048), false),
            ("\u{1f600}".repeat(2049), true),
        ] {
            assert_eq!(is_too_large(&metadata), too_large, "{}", metadata.len());
        }
    }
}
