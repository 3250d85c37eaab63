//! DescribeTopicPartitions (75): partitions of topics, page by page (KIP-966).
//!
//! * 0 the first
//!
//! Topics come by name, partitions by number, at most as many as the client and this broker allow; a cursor names the
//! first that found no place. Codes are those of Kafka's `DescribeTopicPartitionsRequestHandler`. No replica is ever
//! eligible outside of the ISR yet.

use std::collections::BTreeSet;

use bytes::Bytes;
use corelane_engine::controller::image::Topic;
use corelane_engine::controller::names;

use super::k03_metadata::TOPIC_OPERATIONS;
use crate::context::{
    Operation, RequestContext, Resource, resolve_topic, shown_topic, throttle_ms,
};
use crate::desk::{Desk, Request, Started};
use crate::error_code::ErrorCode;
use crate::protocol::Uuid;
use crate::protocol::describe_topic_partitions_request::DescribeTopicPartitionsRequest;
use crate::protocol::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};

/// Partitions in one answer: Kafka's `max.request.partition.size.limit`.
pub const PARTITIONS_PER_ANSWER_MAX: i32 = 2000;

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeTopicPartitionsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let context = &request.context;
    let cursor = message.cursor.as_ref();
    let from: &str = cursor.map_or("", |cursor| &cursor.topic_name);
    let asked: BTreeSet<&str> = message.topics.iter().map(|topic| &*topic.name).collect();
    let unnamed = cursor.is_some() && !asked.is_empty() && !asked.contains(from);
    if unnamed || cursor.is_some_and(|cursor| cursor.partition_index < 0) {
        return Started::Answer(request.encode(&refused(desk, request, &message)));
    }
    let limit = message.response_partition_limit;
    let mut page = Page {
        desk,
        context,
        first: cursor.map_or(0, |cursor| cursor.partition_index),
        from,
        room: limit.clamp(1, PARTITIONS_PER_ANSWER_MAX),
        response: DescribeTopicPartitionsResponse {
            throttle_time_ms: throttle_ms(context, desk.now),
            ..DescribeTopicPartitionsResponse::default()
        },
    };
    let describes = |name: &str| desk.allows(context, Operation::Describe, Resource::Topic(name));
    if asked.is_empty() {
        let topics = desk.image.topics_from(resolve_topic(context, from));
        for topic in topics {
            let name = shown_topic(context, &topic.name);
            if describes(name) && !page.add(name, Some(topic)) {
                break;
            }
        }
    } else {
        let asked = asked.range(from..);
        let (allowed, denied): (Vec<&str>, Vec<&str>) = asked.partition(|name| describes(name));
        for name in allowed {
            let topic = desk.image.topic(resolve_topic(context, name));
            if !page.add(name, topic) {
                break;
            }
        }
        // Whether these exist is not told.
        let denied = denied
            .into_iter()
            .map(|name| without(ErrorCode::TopicAuthorizationFailed, name));
        page.response.topics.extend(denied);
    }
    Started::Answer(request.encode(&page.response))
}

/// The answer as it fills.
struct Page<'a> {
    desk: &'a Desk,
    context: &'a RequestContext,
    /// Where the topic of this name begins; all others begin at 0.
    from: &'a str,
    first: i32,
    /// Partitions that still find place.
    room: i32,
    response: DescribeTopicPartitionsResponse,
}

impl Page<'_> {
    /// Adds a topic, or as much of it as finds place; false: the page is full.
    fn add(&mut self, name: &str, topic: Option<&Topic>) -> bool {
        if self.room == 0 {
            self.response.next_cursor = Some(cursor(name, 0));
            return false;
        }
        let Some(topic) = topic else {
            let code = match names::check(name) {
                Ok(()) => ErrorCode::UnknownTopicOrPartition,
                Err(_) => ErrorCode::InvalidTopicException,
            };
            self.response
                .topics
                .push(DescribeTopicPartitionsResponseTopic {
                    is_internal: names::is_internal(name),
                    topic_authorized_operations: TOPIC_OPERATIONS,
                    ..without(code, name)
                });
            return true;
        };
        let first = match name == self.from {
            true => self.first,
            false => 0,
        };
        let end = topic.partition_count().min(first.saturating_add(self.room));
        let partitions: Vec<_> = (first..end)
            .filter_map(|partition| self.desk.image.partition(topic, partition))
            .map(|p| DescribeTopicPartitionsResponsePartition {
                partition_index: p.partition,
                leader_id: p.leader.0,
                leader_epoch: p.leader_epoch.0,
                replica_nodes: p.replicas.iter().map(|node| node.0).collect(),
                isr_nodes: p.isr.iter().map(|node| node.0).collect(),
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                ..DescribeTopicPartitionsResponsePartition::default()
            })
            .collect();
        self.room -= partitions.len() as i32;
        self.response
            .topics
            .push(DescribeTopicPartitionsResponseTopic {
                name: Some(shown_topic(self.context, &topic.name).into()),
                topic_id: Uuid(topic.id.0),
                is_internal: names::is_internal(&topic.name),
                partitions,
                topic_authorized_operations: TOPIC_OPERATIONS,
                ..DescribeTopicPartitionsResponseTopic::default()
            });
        if end < topic.partition_count() {
            self.response.next_cursor = Some(cursor(name, end));
            return false;
        }
        true
    }
}

fn cursor(topic: &str, partition: i32) -> Cursor {
    Cursor {
        topic_name: topic.into(),
        partition_index: partition,
    }
}

fn without(code: ErrorCode, name: &str) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: code.code(),
        name: Some(name.into()),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

/// A cursor that makes no sense spoils all of it.
fn refused(
    desk: &Desk,
    request: &Request,
    message: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let topics = message.topics.iter();
    DescribeTopicPartitionsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        topics: topics
            .map(|topic| without(ErrorCode::InvalidRequest, &topic.name))
            .collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}
