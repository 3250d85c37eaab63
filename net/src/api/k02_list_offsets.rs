//! ListOffsets (2): the earliest, the latest, or the offset of a time.
//!
//! * 1 one offset with its timestamp · 2 isolation level · 3 as 2 · 4 leader epochs (KIP-320) · 5 as 4 · 6 flexible
//! * 7 -3, the largest timestamp (KIP-734) · 8 -4, earliest local (KIP-405) · 9 -5, latest tiered · 10 timeout
//! * 11 -6, earliest not yet tiered
//!
//! Left out: tiers. Earliest local is the earliest, the two tier offsets are -1 as on a Kafka topic without one; the
//! timeout is not used, since nothing remote is asked. Without transactions both isolation levels are alike.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use corelane_engine::call::{AnswerBody, CallBody, ListItem, ListWhat};
use corelane_engine::types::{LeaderEpoch, ShardId, Timestamp, TopicPartition};

use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Outcome, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::list_offsets_request::ListOffsetsRequest;
use crate::protocol::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};

/// A request whose partitions are being asked.
#[derive(Debug)]
pub struct ListOffsets {
    response: ListOffsetsResponse,
    /// Topic and partition in the response, by slot.
    places: Vec<(u32, u32)>,
    missing: usize,
    owners: Vec<ShardId>,
}

/// What a timestamp below zero means, and the version that brought it.
enum Meaning {
    Ask(ListWhat),
    /// -1, as on a topic without a tier.
    NoTier,
    Unsupported,
}

fn meaning(timestamp: i64, version: i16) -> Meaning {
    match timestamp {
        -1 => Meaning::Ask(ListWhat::Latest),
        -2 => Meaning::Ask(ListWhat::Earliest),
        -3 if version >= 7 => Meaning::Ask(ListWhat::MaxTimestamp),
        -4 if version >= 8 => Meaning::Ask(ListWhat::Earliest),
        -5 if version >= 9 => Meaning::NoTier,
        -6 if version >= 11 => Meaning::NoTier,
        0.. => Meaning::Ask(ListWhat::At(Timestamp(timestamp))),
        _ => Meaning::Unsupported,
    }
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: ListOffsetsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut response = ListOffsetsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..ListOffsetsResponse::default()
    };
    let mut places = Vec::new();
    let mut items: Vec<(ShardId, Vec<ListItem>)> = Vec::new();
    let repeated = repeated(&message);
    for (t, topic) in message.topics.into_iter().enumerate() {
        let allowed = desk.allows(
            &request.context,
            Operation::Describe,
            Resource::Topic(&topic.name),
        );
        let found = desk
            .topic_by_name(&request.context, &topic.name)
            .map(|found| (found.id, found.partitions));
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for (p, asked) in topic.partitions.iter().enumerate() {
            let index = asked.partition_index;
            let code = match (found, meaning(asked.timestamp, request.header.version)) {
                _ if !allowed => ErrorCode::TopicAuthorizationFailed,
                _ if repeated.contains(&(t, p)) => ErrorCode::InvalidRequest,
                (_, Meaning::Unsupported) => ErrorCode::UnsupportedVersion,
                (Some((id, partitions)), meaning) if index >= 0 && index < partitions => {
                    if let Meaning::Ask(what) = meaning {
                        let partition = TopicPartition {
                            topic: id,
                            partition: index,
                        };
                        let item = ListItem {
                            slot: places.len() as u32,
                            partition,
                            current_leader_epoch: LeaderEpoch(asked.current_leader_epoch),
                            what,
                        };
                        places.push((response.topics.len() as u32, answers.len() as u32));
                        let owner = desk.owner(partition);
                        match items.iter_mut().find(|(shard, _)| *shard == owner) {
                            Some((_, items)) => items.push(item),
                            None => items.push((owner, vec![item])),
                        }
                    }
                    ErrorCode::None
                }
                _ => ErrorCode::UnknownTopicOrPartition,
            };
            answers.push(ListOffsetsPartitionResponse {
                partition_index: index,
                error_code: code.code(),
                timestamp: -1,
                offset: -1,
                leader_epoch: -1,
            });
        }
        response.topics.push(ListOffsetsTopicResponse {
            name: topic.name,
            partitions: answers,
        });
    }
    if places.is_empty() {
        return Started::Answer(request.encode(&response));
    }
    let owners = items.iter().map(|(owner, _)| *owner).collect();
    for (owner, items) in items {
        desk.call(owner, request.token, CallBody::ListOffsets { items });
    }
    Started::Waiting(Waiting {
        work: Work::ListOffsets(Box::new(ListOffsets {
            response,
            missing: places.len(),
            places,
            owners,
        })),
        deadline: None,
        answered: true,
    })
}

/// Partitions that are named more than once, by their places in the request: Kafka answers each of them
/// INVALID_REQUEST.
fn repeated(message: &ListOffsetsRequest) -> BTreeSet<(usize, usize)> {
    let mut seen = BTreeMap::new();
    let mut repeated = BTreeSet::new();
    for (t, topic) in message.topics.iter().enumerate() {
        for (p, asked) in topic.partitions.iter().enumerate() {
            if let Some(first) = seen.insert((&*topic.name, asked.partition_index), (t, p)) {
                repeated.extend([first, (t, p)]);
            }
        }
    }
    repeated
}

impl ListOffsets {
    /// An owner answered.
    pub fn on_answer(&mut self, request: &Request, body: AnswerBody) -> Option<Outcome> {
        let AnswerBody::Listed(answers) = body else {
            panic!("offsets were asked for, got {body:?}");
        };
        for answer in answers {
            let (topic, partition) = self.places[answer.slot as usize];
            let place = &mut self.response.topics[topic as usize].partitions[partition as usize];
            match answer.result {
                Ok(Some(listed)) => {
                    place.offset = listed.offset.0;
                    place.timestamp = listed.timestamp.0;
                    if request.header.version >= 4 {
                        place.leader_epoch = listed.leader_epoch.0;
                    }
                }
                Ok(None) => {}
                Err(error) => place.error_code = error_code::of_read(&error).code(),
            }
            self.missing -= 1;
        }
        (self.missing == 0).then(|| Outcome::Reply(request.encode(&self.response)))
    }

    /// The connection is gone.
    pub fn cancel(&mut self, desk: &mut Desk, request: &Request) {
        for &owner in &self.owners {
            desk.call(owner, request.token, CallBody::Forget);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_timestamp_needs_its_version() {
        let supported =
            |timestamp, version| !matches!(meaning(timestamp, version), Meaning::Unsupported);
        for (timestamp, since) in [
            (-1, 1),
            (-2, 1),
            (-3, 7),
            (-4, 8),
            (-5, 9),
            (-6, 11),
            (0, 1),
        ] {
            assert!(supported(timestamp, since), "{timestamp}");
            assert!(
                since == 1 || !supported(timestamp, since - 1),
                "{timestamp}"
            );
        }
        assert!(!supported(-7, 11) && !supported(i64::MIN, 11));
    }
}
