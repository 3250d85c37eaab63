//! OffsetForLeaderEpoch (23): where a leader epoch ended, so that a client finds out what of its reading is still there
//! (KIP-320).
//!
//! * 2 the client's idea of the current epoch, throttle time · 3 replica id · 4 flexible
//!
//! Rules are Kafka's (`ReplicaManager.lastOffsetForLeaderEpoch`): any replica id is answered alike, an epoch that is not
//! known gets -1 and -1 without an error. Who may act for the cluster needs no right to the topics.

use bytes::Bytes;
use corelane_engine::call::{AnswerBody, CallBody, EpochItem};
use corelane_engine::types::{LeaderEpoch, ShardId, TopicPartition};

use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Outcome, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::offset_for_leader_epoch_request::OffsetForLeaderEpochRequest;
use crate::protocol::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};

/// A request whose partitions are being asked.
#[derive(Debug)]
pub struct OffsetForLeaderEpoch {
    response: OffsetForLeaderEpochResponse,
    /// Topic and partition in the response, by slot.
    places: Vec<(u32, u32)>,
    missing: usize,
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: OffsetForLeaderEpochRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let context = &request.context;
    let all = desk.allows(context, Operation::ClusterAction, Resource::Cluster);
    let mut response = OffsetForLeaderEpochResponse {
        throttle_time_ms: throttle_ms(context, desk.now),
        ..OffsetForLeaderEpochResponse::default()
    };
    let mut places = Vec::new();
    let mut items: Vec<(ShardId, Vec<EpochItem>)> = Vec::new();
    for topic in message.topics {
        let allowed =
            all || desk.allows(context, Operation::Describe, Resource::Topic(&topic.topic));
        let found = desk
            .topic_by_name(context, &topic.topic)
            .map(|found| (found.id, found.partitions));
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let index = asked.partition;
            let known = found.filter(|(_, partitions)| (0..*partitions).contains(&index));
            let code = match known {
                _ if !allowed => ErrorCode::TopicAuthorizationFailed,
                None => ErrorCode::UnknownTopicOrPartition,
                Some((topic, _)) => {
                    let partition = TopicPartition {
                        topic,
                        partition: index,
                    };
                    let item = EpochItem {
                        slot: places.len() as u32,
                        partition,
                        current_leader_epoch: LeaderEpoch(asked.current_leader_epoch),
                        epoch: LeaderEpoch(asked.leader_epoch),
                    };
                    places.push((response.topics.len() as u32, answers.len() as u32));
                    let owner = desk.owner(partition);
                    match items.iter_mut().find(|(shard, _)| *shard == owner) {
                        Some((_, items)) => items.push(item),
                        None => items.push((owner, vec![item])),
                    }
                    ErrorCode::None
                }
            };
            answers.push(EpochEndOffset {
                error_code: code.code(),
                partition: index,
                leader_epoch: -1,
                end_offset: -1,
            });
        }
        response.topics.push(OffsetForLeaderTopicResult {
            topic: topic.topic,
            partitions: answers,
        });
    }
    if places.is_empty() {
        return Started::Answer(request.encode(&response));
    }
    for (owner, items) in items {
        desk.call(owner, request.token, CallBody::EpochEnds { items });
    }
    Started::Waiting(Waiting {
        work: Work::OffsetForLeaderEpoch(Box::new(OffsetForLeaderEpoch {
            response,
            missing: places.len(),
            places,
        })),
        deadline: None,
        answered: true,
    })
}

impl OffsetForLeaderEpoch {
    /// An owner answered.
    pub fn on_answer(&mut self, request: &Request, body: AnswerBody) -> Option<Outcome> {
        let AnswerBody::EpochEnds(answers) = body else {
            panic!("ends of epochs were asked for, got {body:?}");
        };
        for answer in answers {
            let (topic, partition) = self.places[answer.slot as usize];
            let place = &mut self.response.topics[topic as usize].partitions[partition as usize];
            match answer.result {
                Ok(Some((epoch, end))) => {
                    (place.leader_epoch, place.end_offset) = (epoch.0, end.0);
                }
                Ok(None) => {}
                Err(error) => place.error_code = error_code::of_read(&error).code(),
            }
            self.missing -= 1;
        }
        (self.missing == 0).then(|| Outcome::Reply(request.encode(&self.response)))
    }
}
