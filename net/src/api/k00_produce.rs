//! Produce (0): appends one batch per partition.
//!
//! * 0–2 are advertised and not served: message sets of magic 0 and 1 are gone since Kafka 4.0, but librdkafka stops
//!   compressing where 0 is not advertised (KAFKA-18659).
//! * 3 transactional id; record batches of magic 2 · 4 KAFKA_STORAGE_ERROR · 5 log start offset in the answer · 6 as 5
//! * 7 zstd · 8 record errors and messages in the answer · 9 flexible · 10 leader hints in the answer (KIP-951)
//! * 11, 12 transactions V2 (KIP-890) · 13 topic ids in place of names (KIP-516)
//!
//! Left out: transactions. A batch with the transactional bit gets TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which every
//! client takes as final, as Kafka does for an unauthorized one. Indices of bad records (`record_errors`) are empty:
//! the message names the first one. Leader hints stay empty: every partition is led here.

use std::time::Duration;

use bytes::Bytes;
use corelane_engine::call::{Acks, AnswerBody, AppendAnswer, AppendItem, CallBody};
use corelane_engine::controller::names;
use corelane_engine::types::{ShardId, TopicId, TopicPartition};

use crate::api::CloseReason;
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Outcome, Refusal, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Records;
use crate::protocol::produce_request::{PartitionProduceData, ProduceRequest};
use crate::protocol::produce_response::{
    PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};

/// Kafka's timeout bounds the wait for followers only, never the local disk: a client may ask for 0.
const TIMEOUT_MIN: Duration = Duration::from_secs(5);
/// A request at least so large lets go of its receive buffer once its records are copied: the next one then goes to the
/// same memory, which is still in the cache. A few bytes of it would keep all of it until the answer.
pub const DETACHED_BYTES_MIN: usize = 256 << 10;

/// Attribute bit of a batch that belongs to a transaction.
const TRANSACTIONAL: u8 = 0x10;
/// Where the lower attribute byte and the magic lie in a batch.
const ATTRIBUTES_AT: usize = 22;
const MAGIC_AT: usize = 16;
const ZSTD: u8 = 4;
/// The client id of Kafka's admin client, by default.
const ADMIN_CLIENT: &[u8] = b"__admin_client";

/// A produce whose batches are on their way.
#[derive(Debug)]
pub struct Produce {
    /// Complete but for the partitions not answered yet, which say REQUEST_TIMED_OUT.
    response: ProduceResponse,
    /// Topic and partition in the response, by slot.
    places: Vec<(u32, u32)>,
    missing: usize,
    owed: Owed,
}

/// What the client is still to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owed {
    Answer,
    /// acks=0: nothing, unless it failed.
    Silence,
    /// Its time was up: it has been told.
    Nothing,
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: ProduceRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let answered = message.acks != 0;
    let large = body.len() >= DETACHED_BYTES_MIN;
    let acks = match message.acks {
        // An answer is wanted of acks=0, too: an error closes the connection, and what is under way is bounded.
        0 | 1 => Some(Acks::Leader),
        -1 => Some(Acks::All),
        _ => None,
    };
    let transactional = message
        .topic_data
        .iter()
        .flat_map(|topic| &topic.partition_data)
        .any(is_transactional);
    let mut response = ProduceResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        responses: Vec::with_capacity(message.topic_data.len()),
        ..ProduceResponse::default()
    };
    let mut places = Vec::new();
    let mut items: Vec<(ShardId, Vec<AppendItem>)> = Vec::new();
    for topic in message.topic_data {
        let found = if request.header.version >= 13 {
            desk.topic_by_id(TopicId(topic.topic_id.0))
                .ok_or(ErrorCode::UnknownTopicId)
        } else {
            desk.topic_by_name(&request.context, &topic.name)
                .ok_or(ErrorCode::UnknownTopicOrPartition)
        };
        let found = match found {
            _ if transactional => Err(ErrorCode::TransactionalIdAuthorizationFailed),
            Ok(found)
                if !desk.allows(
                    &request.context,
                    Operation::Write,
                    Resource::Topic(found.name),
                ) =>
            {
                Err(ErrorCode::TopicAuthorizationFailed)
            }
            // A name that may not be written is not told apart from one that does not exist.
            Err(ErrorCode::UnknownTopicOrPartition)
                if !desk.allows(
                    &request.context,
                    Operation::Write,
                    Resource::Topic(&topic.name),
                ) =>
            {
                Err(ErrorCode::TopicAuthorizationFailed)
            }
            found => found,
        };
        let closed = found
            .as_ref()
            .is_ok_and(|topic| is_closed(request, topic.name));
        let found = found.map(|topic| (topic.id, topic.partitions));
        let mut answers = Vec::with_capacity(topic.partition_data.len());
        for data in topic.partition_data {
            let (code, message) = match found {
                Err(code) => (code, None),
                Ok((id, partitions)) => {
                    match check(&data, partitions, request.header.version, acks) {
                        Err(refused) => refused,
                        Ok(_) if closed => (ErrorCode::InvalidTopicException, None),
                        Ok(records) => {
                            let partition = TopicPartition {
                                topic: id,
                                partition: data.index,
                            };
                            let owner = desk.owner(partition);
                            let item = AppendItem {
                                slot: places.len() as u32,
                                partition,
                                records,
                            };
                            places.push((response.responses.len() as u32, answers.len() as u32));
                            match items.iter_mut().find(|(shard, _)| *shard == owner) {
                                Some((_, items)) => items.push(item),
                                None => items.push((owner, vec![item])),
                            }
                            (ErrorCode::RequestTimedOut, None)
                        }
                    }
                }
            };
            answers.push(PartitionProduceResponse {
                index: data.index,
                error_code: code.code(),
                error_message: message.map(error_code::message),
                base_offset: -1,
                log_append_time_ms: -1,
                log_start_offset: -1,
                ..PartitionProduceResponse::default()
            });
        }
        response.responses.push(TopicProduceResponse {
            name: match large {
                true => topic.name.detached(),
                false => topic.name,
            },
            topic_id: topic.topic_id,
            partition_responses: answers,
        });
    }
    let work = Produce {
        response,
        missing: places.len(),
        places,
        owed: match answered {
            true => Owed::Answer,
            false => Owed::Silence,
        },
    };
    if work.missing == 0 {
        return match work.outcome(request) {
            Outcome::Reply(answer) | Outcome::Early(answer) => Started::Answer(answer),
            Outcome::Nothing => Started::Nothing,
            Outcome::Close(reason) => Started::Close(reason),
        };
    }
    let acks = acks.expect("no partition passed the check otherwise");
    for (owner, items) in items {
        desk.call(owner, request.token, CallBody::Append { acks, items });
    }
    let timeout = Duration::from_millis(message.timeout_ms.max(0) as u64).max(TIMEOUT_MIN);
    Started::Waiting(Waiting {
        work: Work::Produce(Box::new(work)),
        deadline: answered.then(|| desk.now.mono.after(timeout)),
        answered,
    })
}

/// Topics of the broker's own are written by the broker alone, and by Kafka's admin client.
fn is_closed(request: &Request, topic: &str) -> bool {
    names::is_internal(topic) && request.context.client_id != ADMIN_CLIENT
}

/// What Kafka checks before the log does (`ProduceRequest.validateRecords`, `ReplicaManager.appendRecords`).
fn check(
    data: &PartitionProduceData,
    partitions: i32,
    version: i16,
    acks: Option<Acks>,
) -> Result<Bytes, Refusal> {
    if data.index < 0 || data.index >= partitions {
        return Err((ErrorCode::UnknownTopicOrPartition, None));
    }
    let records = data.records.as_ref().map(one_batch).unwrap_or_default();
    let (Some(&magic), Some(&attributes)) = (records.get(MAGIC_AT), records.get(ATTRIBUTES_AT))
    else {
        return Err((ErrorCode::InvalidRecord, None));
    };
    if magic != 2 {
        return Err((ErrorCode::InvalidRecord, None));
    }
    if version < 7 && attributes & 0x07 == ZSTD {
        return Err((ErrorCode::UnsupportedCompressionType, None));
    }
    if acks.is_none() {
        return Err((ErrorCode::InvalidRequiredAcks, None));
    }
    Ok(records)
}

fn is_transactional(data: &PartitionProduceData) -> bool {
    data.records.as_ref().map(one_batch).is_some_and(|records| {
        records.get(MAGIC_AT) == Some(&2)
            && records
                .get(ATTRIBUTES_AT)
                .is_some_and(|attributes| attributes & TRANSACTIONAL != 0)
    })
}

/// The field's bytes: a slice of the receive buffer.
fn one_batch(records: &Records) -> Bytes {
    records.to_bytes()
}

impl Produce {
    /// An owner answered some of the partitions.
    pub fn on_answer(&mut self, request: &Request, body: AnswerBody) -> Option<Outcome> {
        let AnswerBody::Appended(answers) = body else {
            panic!("an append was asked for, got {body:?}");
        };
        for AppendAnswer { slot, result } in answers {
            let (topic, partition) = self.places[slot as usize];
            let place = &mut self.response.responses[topic as usize].partition_responses
                [partition as usize];
            match result {
                Ok(appended) => {
                    place.error_code = ErrorCode::None.code();
                    place.base_offset = appended.base_offset.0;
                    place.log_append_time_ms = appended.log_append_time.0;
                    place.log_start_offset = appended.log_start.0;
                }
                Err(error) => {
                    let (code, message) = error_code::of_append(&error);
                    place.error_code = code.code();
                    place.error_message = message.map(error_code::message);
                }
            }
            self.missing -= 1;
        }
        (self.missing == 0).then(|| self.outcome(request))
    }

    /// Time is up: what is not answered says so, and may still happen. Owners hold its batches until then.
    pub fn on_deadline(&mut self, request: &Request) -> Outcome {
        self.owed = Owed::Nothing;
        Outcome::Early(request.encode(&self.response))
    }

    fn outcome(&self, request: &Request) -> Outcome {
        match self.owed {
            Owed::Answer => return Outcome::Reply(request.encode(&self.response)),
            Owed::Nothing => return Outcome::Nothing,
            Owed::Silence => {}
        }
        let failed = self
            .response
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses)
            .find(|partition| partition.error_code != ErrorCode::None.code());
        match failed {
            Some(partition) => Outcome::Close(CloseReason::SilentProduce(partition.error_code)),
            None => Outcome::Nothing,
        }
    }
}
