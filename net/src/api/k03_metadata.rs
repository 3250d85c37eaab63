//! Metadata (3): brokers, and where the partitions of topics are led.
//!
//! * 0 an empty list means all topics · 1 null means all; rack, controller, internal topics · 2 cluster id · 3 throttle
//! * 4 the client may forbid auto-creation · 5 offline replicas · 6 as 5 · 7 leader epochs · 8 authorized operations
//! * 9 flexible · 10 topic ids · 11 cluster operations moved to DescribeCluster · 12 lookup by id · 13 top-level error
//!
//! A topic that is missing and may be created is created first, and the answer is complete. (Kafka answers
//! UNKNOWN_TOPIC_OR_PARTITION, creates behind it, and the client asks again: one round trip more.) Such a request is
//! a barrier on its connection. Of the internal topics only the offsets topic is created, with configs of its own.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use corelane_engine::controller::command::{Command, CommandError, Layout, NewTopic};
use corelane_engine::controller::names;
use corelane_engine::group::call::OFFSETS_TOPIC;
use corelane_engine::types::TopicId;

use crate::api::k10_find_coordinator::offsets_topic;
use crate::api::k19_create_topics::PARTITIONS_PER_REQUEST_MAX;
use crate::context::{
    Operation, RequestContext, Resource, resolve_topic, shown_topic, throttle_ms,
};
use crate::desk::{Decided, Desk, Found, Outcome, Request, Room, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Uuid;
use crate::protocol::metadata_request::{MetadataRequest, MetadataRequestTopic};
use crate::protocol::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};

/// "Not asked for" in the fields of authorized operations.
pub(super) const NO_OPERATIONS: i32 = i32::MIN;
/// What there is to be allowed on a topic: Read, Write, Create, Delete, Alter, Describe, DescribeConfigs,
/// AlterConfigs, as bits by Kafka's numbers.
pub(super) const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
/// And on the cluster: Create, Alter, Describe, ClusterAction, DescribeConfigs, AlterConfigs, IdempotentWrite.
pub(super) const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

/// A request that waits until its missing topics are created.
#[derive(Debug)]
pub struct Metadata {
    message: MetadataRequest,
    /// Proposals not answered yet.
    missing: usize,
    /// Names proposed, by slot.
    create: Vec<String>,
    refused: Refused,
}

/// Why a topic could not be created, by name as asked.
type Refused = BTreeMap<String, ErrorCode>;

/// What a request asks for.
enum Asked<'a> {
    All,
    Ids(BTreeSet<TopicId>),
    Names(BTreeSet<&'a str>),
}

fn asked(message: &MetadataRequest, version: i16) -> Asked<'_> {
    let Some(topics) = &message.topics else {
        return Asked::All;
    };
    if topics.is_empty() && version == 0 {
        return Asked::All;
    }
    let ids: BTreeSet<TopicId> = topics
        .iter()
        .map(|topic| TopicId(topic.topic_id.0))
        .filter(|&id| id != TopicId::ZERO)
        .collect();
    if version >= 10 && !ids.is_empty() {
        return Asked::Ids(ids);
    }
    Asked::Names(
        topics
            .iter()
            .filter_map(|topic| topic.name.as_deref())
            .collect(),
    )
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes, room: Room) -> Started {
    let message: MetadataRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let by_id = |topic: &MetadataRequestTopic| {
        topic.name.is_none() || TopicId(topic.topic_id.0) != TopicId::ZERO
    };
    if (10..12).contains(&request.header.version)
        && let Some(topics) = message
            .topics
            .as_ref()
            .filter(|topics| topics.iter().any(by_id))
    {
        // The fields are there before the lookup is: Kafka refuses the whole request. Its answer cannot say null.
        let refused = |t: &MetadataRequestTopic| {
            unknown(
                Some(t.name.as_deref().unwrap_or_default()),
                TopicId(t.topic_id.0),
                ErrorCode::InvalidRequest,
            )
        };
        return Started::Answer(request.encode(&MetadataResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            controller_id: -1,
            topics: topics.iter().map(refused).collect(),
            ..MetadataResponse::default()
        }));
    }
    let mut create = Vec::new();
    let mut refused = Refused::new();
    if (request.header.version < 4 || message.allow_auto_topic_creation)
        && let Asked::Names(names) = asked(&message, request.header.version)
    {
        for name in names {
            let topic = Resource::Topic(name);
            if desk.topic_by_name(&request.context, name).is_some()
                || !desk.allows(&request.context, Operation::Describe, topic)
                || names::is_internal(name) && name != OFFSETS_TOPIC
                || names::check(name).is_err()
            {
                continue;
            }
            if desk.allows(&request.context, Operation::Create, Resource::Cluster)
                || desk.allows(&request.context, Operation::Create, topic)
            {
                create.push(name.to_owned());
            } else {
                refused.insert(name.to_owned(), ErrorCode::TopicAuthorizationFailed);
            }
        }
    }
    // One partition each is the least they would have. Kafka's controller refuses so many in one request, too, and the
    // client hears that they are unknown.
    if create.len() > PARTITIONS_PER_REQUEST_MAX {
        create.clear();
    }
    if create.is_empty() {
        return Started::Answer(request.encode(&answer(desk, request, &message, &refused)));
    }
    if !room.idle {
        return Started::Hold;
    }
    for (slot, name) in (0u32..).zip(&create) {
        let topic = match name.as_str() {
            OFFSETS_TOPIC => offsets_topic(),
            name => NewTopic {
                name: resolve_topic(&request.context, name).to_owned(),
                layout: Layout::Count {
                    partitions: -1,
                    replicas: -1,
                },
                configs: Vec::new(),
                validate_only: false,
            },
        };
        desk.propose(request.token, slot, Command::CreateTopic(topic));
    }
    Started::Waiting(Waiting {
        work: Work::Metadata(Box::new(Metadata {
            message,
            missing: create.len(),
            create,
            refused,
        })),
        deadline: None,
        answered: true,
    })
}

impl Metadata {
    /// The controller decided on one topic, and every shard has applied it.
    pub fn on_decision(
        &mut self,
        desk: &Desk,
        request: &Request,
        slot: u32,
        decided: Decided,
    ) -> Option<Outcome> {
        match decided {
            // Or somebody else created it meanwhile.
            Ok(_) | Err(CommandError::TopicExists(_)) => {}
            Err(error) => {
                let name = std::mem::take(&mut self.create[slot as usize]);
                self.refused.insert(name, error_code::of_command(&error).0);
            }
        }
        self.missing -= 1;
        (self.missing == 0).then(|| {
            let response = answer(desk, request, &self.message, &self.refused);
            Outcome::Reply(request.encode(&response))
        })
    }
}

fn answer(
    desk: &Desk,
    request: &Request,
    message: &MetadataRequest,
    refused: &Refused,
) -> MetadataResponse {
    let context = &request.context;
    let operations = message.include_topic_authorized_operations;
    let describes = |name: &str| desk.allows(context, Operation::Describe, Resource::Topic(name));
    let topics = match asked(message, request.header.version) {
        Asked::All => desk
            .topics()
            .filter(|topic| describes(topic.name))
            .map(|topic| known(desk, context, topic, operations))
            .collect(),
        Asked::Ids(ids) => ids
            .into_iter()
            .map(|id| match desk.topic_by_id(id) {
                None => unknown(None, id, ErrorCode::UnknownTopicId),
                Some(topic) if !describes(topic.name) => {
                    unknown(None, id, ErrorCode::TopicAuthorizationFailed)
                }
                Some(topic) => known(desk, context, topic, operations),
            })
            .collect(),
        Asked::Names(names) => names
            .into_iter()
            .map(|name| match desk.topic_by_name(context, name) {
                _ if !describes(name) => unknown(
                    Some(name),
                    TopicId::ZERO,
                    ErrorCode::TopicAuthorizationFailed,
                ),
                Some(topic) => known(desk, context, topic, operations),
                None => {
                    let code = match refused.get(name) {
                        Some(code) => *code,
                        None if names::check(name).is_err() => ErrorCode::InvalidTopicException,
                        None => ErrorCode::UnknownTopicOrPartition,
                    };
                    MetadataResponseTopic {
                        is_internal: names::is_internal(name),
                        ..unknown(Some(name), TopicId::ZERO, code)
                    }
                }
            })
            .collect(),
    };
    let on_cluster = message.include_cluster_authorized_operations
        && desk.allows(context, Operation::Describe, Resource::Cluster);
    MetadataResponse {
        throttle_time_ms: throttle_ms(context, desk.now),
        brokers: desk
            .nodes(context)
            .map(|(broker, endpoint)| MetadataResponseBroker {
                node_id: broker.node.0,
                host: endpoint.host.as_str().into(),
                rack: broker.rack.as_deref().map(Into::into),
                port: i32::from(endpoint.port),
            })
            .collect(),
        cluster_id: Some(desk.cluster_id().into()),
        controller_id: desk.controller_id().0,
        topics,
        cluster_authorized_operations: if on_cluster {
            CLUSTER_OPERATIONS
        } else {
            NO_OPERATIONS
        },
        ..MetadataResponse::default()
    }
}

fn known(
    desk: &Desk,
    context: &RequestContext,
    topic: Found<'_>,
    operations: bool,
) -> MetadataResponseTopic {
    MetadataResponseTopic {
        name: Some(shown_topic(context, topic.name).into()),
        topic_id: Uuid(topic.id.0),
        is_internal: names::is_internal(topic.name),
        partitions: desk
            .partitions(topic.id)
            .map(|partition| MetadataResponsePartition {
                partition_index: partition.partition,
                leader_id: partition.leader.0,
                leader_epoch: partition.leader_epoch.0,
                replica_nodes: partition.replicas.iter().map(|node| node.0).collect(),
                isr_nodes: partition.isr.iter().map(|node| node.0).collect(),
                ..MetadataResponsePartition::default()
            })
            .collect(),
        topic_authorized_operations: if operations {
            TOPIC_OPERATIONS
        } else {
            NO_OPERATIONS
        },
        ..MetadataResponseTopic::default()
    }
}

fn unknown(name: Option<&str>, id: TopicId, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: code.code(),
        name: name.map(Into::into),
        topic_id: Uuid(id.0),
        topic_authorized_operations: NO_OPERATIONS,
        ..MetadataResponseTopic::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_kafkas_numbers() {
        assert_eq!((TOPIC_OPERATIONS, CLUSTER_OPERATIONS), (3576, 8096));
    }
}
