//! DeleteRecords (21): the begin of logs moves up; what lies below is gone.
//!
//! * 0 · 1 as 0 · 2 flexible
//!
//! Codes are Kafka's (`KafkaApis.handleDeleteRecordsRequest`, `Partition.deleteRecordsOnLeader`): -1 is the high
//! watermark, an offset below the begin of the log changes nothing and is answered by where it is, internal topics and
//! topics that are compacted only are refused, and of a partition named twice the last offset counts. The answer comes
//! once the log start is durable. Left out: the wait for followers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use corelane_engine::call::{AnswerBody, CallBody, DeleteItem};
use corelane_engine::controller::names;
use corelane_engine::types::{Offset, ShardId, TopicPartition};

use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Desk, Outcome, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::delete_records_request::DeleteRecordsRequest;
use crate::protocol::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};

/// Kafka's timeout bounds the wait for followers only, never the local disk: a client may ask for 0.
const TIMEOUT_MIN: Duration = Duration::from_secs(5);

/// A request whose log starts are on their way to the disk.
#[derive(Debug)]
pub struct DeleteRecords {
    response: DeleteRecordsResponse,
    /// Topic and partition in the response, by slot; `None`: answered.
    places: Vec<Option<(u32, u32)>>,
}

/// Starts a request. It is a barrier: what follows on its connection finds the logs as it leaves them.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: DeleteRecordsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let timeout = Duration::from_millis(message.timeout_ms.max(0) as u64).max(TIMEOUT_MIN);
    let mut topics: BTreeMap<Str, BTreeMap<i32, i64>> = BTreeMap::new();
    for topic in message.topics {
        let offsets = topics.entry(topic.name).or_default();
        offsets.extend(
            topic
                .partitions
                .iter()
                .map(|p| (p.partition_index, p.offset)),
        );
    }
    let mut response = DeleteRecordsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..DeleteRecordsResponse::default()
    };
    let mut places = Vec::new();
    let mut items: Vec<(ShardId, Vec<DeleteItem>)> = Vec::new();
    for (name, offsets) in topics {
        let context = &request.context;
        let allowed = desk.allows(context, Operation::Delete, Resource::Topic(&name));
        let internal = names::is_internal(resolve_topic(context, &name));
        let found = desk
            .topic_by_name(context, &name)
            .map(|found| (found.id, found.partitions));
        let mut partitions = Vec::with_capacity(offsets.len());
        for (index, offset) in offsets {
            let known = found.filter(|(_, partitions)| (0..*partitions).contains(&index));
            let code = match known {
                _ if !allowed => ErrorCode::TopicAuthorizationFailed,
                None => ErrorCode::UnknownTopicOrPartition,
                Some(_) if internal => ErrorCode::InvalidTopicException,
                Some((topic, _)) => {
                    let partition = TopicPartition {
                        topic,
                        partition: index,
                    };
                    let item = DeleteItem {
                        slot: places.len() as u32,
                        partition,
                        below: (offset != -1).then_some(Offset(offset)),
                    };
                    let place = (response.topics.len() as u32, partitions.len() as u32);
                    places.push(Some(place));
                    let owner = desk.owner(partition);
                    match items.iter_mut().find(|(shard, _)| *shard == owner) {
                        Some((_, items)) => items.push(item),
                        None => items.push((owner, vec![item])),
                    }
                    ErrorCode::None
                }
            };
            partitions.push(DeleteRecordsPartitionResult {
                partition_index: index,
                low_watermark: -1,
                error_code: code.code(),
            });
        }
        response
            .topics
            .push(DeleteRecordsTopicResult { name, partitions });
    }
    if places.is_empty() {
        return Started::Answer(request.encode(&response));
    }
    for (owner, items) in items {
        desk.call(owner, request.token, CallBody::DeleteRecords { items });
    }
    Started::Waiting(Waiting {
        work: Work::DeleteRecords(Box::new(DeleteRecords { response, places })),
        deadline: Some(desk.now.mono.after(timeout)),
        answered: true,
    })
}

impl DeleteRecords {
    /// An owner answered for some of its partitions.
    pub fn on_answer(&mut self, request: &Request, body: AnswerBody) -> Option<Outcome> {
        let AnswerBody::Deleted(answers) = body else {
            panic!("log starts were asked for, got {body:?}");
        };
        for answer in answers {
            let place = self.places[answer.slot as usize].take();
            let (topic, partition) = place.expect("each partition is answered once");
            let place = &mut self.response.topics[topic as usize].partitions[partition as usize];
            match answer.result {
                Ok(log_start) => place.low_watermark = log_start.0,
                Err(error) => place.error_code = error_code::of_delete(error).code(),
            }
        }
        let over = self.places.iter().all(Option::is_none);
        over.then(|| Outcome::Reply(request.encode(&self.response)))
    }

    /// Its time is up: nobody knows of the rest.
    pub fn on_deadline(&mut self, request: &Request) -> Outcome {
        for (topic, partition) in self.places.drain(..).flatten() {
            let place = &mut self.response.topics[topic as usize].partitions[partition as usize];
            place.error_code = ErrorCode::RequestTimedOut.code();
        }
        Outcome::Reply(request.encode(&self.response))
    }
}
