//! DescribeQuorum (55): the Raft group of the metadata, as its leader sees it.
//!
//! * 0 the first · 1 when a follower last fetched and was caught up (KIP-836) · 2 nodes, directories, messages (KIP-853)
//!
//! The group goes by the name of Kafka's, `__cluster_metadata-0`; offsets are Raft's indices. Nodes are given with the
//! listener that clients use: there is none for controllers alone.

use bytes::Bytes;
use corelane_engine::controller::command::{self, Command, Quorum, QuorumMember};

use crate::context::{Operation, Resource};
use crate::desk::{Decided, Desk, Outcome, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Uuid;
use crate::protocol::describe_quorum_request::DescribeQuorumRequest;
use crate::protocol::describe_quorum_response::{
    DescribeQuorumResponse, Listener, Node, PartitionData, ReplicaState, TopicData,
};

/// Kafka's log of metadata.
const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeQuorumRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    if !desk.allows(&request.context, Operation::Describe, Resource::Cluster) {
        let why = "Cluster authorization failed.";
        return Started::Answer(request.encode(&DescribeQuorumResponse {
            error_code: ErrorCode::ClusterAuthorizationFailed.code(),
            error_message: Some(why.into()),
            ..DescribeQuorumResponse::default()
        }));
    }
    if !is_the_log(&message) {
        return Started::Answer(request.encode(&unknown(&message)));
    }
    desk.propose(request.token, 0, Command::DescribeQuorum);
    Started::Waiting(Waiting {
        work: Work::DescribeQuorum,
        deadline: None,
        answered: true,
    })
}

fn is_the_log(message: &DescribeQuorumRequest) -> bool {
    match &message.topics[..] {
        [topic] => match topic.partitions[..] {
            [ref partition] => {
                *topic.topic_name == *CLUSTER_METADATA && partition.partition_index == 0
            }
            _ => false,
        },
        _ => false,
    }
}

/// Everything that was asked for is unknown.
fn unknown(message: &DescribeQuorumRequest) -> DescribeQuorumResponse {
    let topics = message.topics.iter().map(|topic| TopicData {
        topic_name: topic.topic_name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| PartitionData {
                partition_index: partition.partition_index,
                error_code: ErrorCode::UnknownTopicOrPartition.code(),
                error_message: Some("This server does not host this topic-partition.".into()),
                ..PartitionData::default()
            })
            .collect(),
    });
    DescribeQuorumResponse {
        // Kafka leaves the strings empty where it has nothing to say.
        error_message: Some("".into()),
        topics: topics.collect(),
        ..DescribeQuorumResponse::default()
    }
}

/// The controller answered.
pub fn on_decision(desk: &Desk, request: &Request, decided: Decided) -> Outcome {
    let response = match decided {
        Ok(command::Outcome::Quorum(quorum)) => describe(desk, request, quorum),
        Ok(other) => panic!("the quorum was asked for, got {other:?}"),
        Err(error) => {
            let (code, message) = error_code::of_command(&error);
            DescribeQuorumResponse {
                error_code: code.code(),
                error_message: message.map(error_code::message),
                ..DescribeQuorumResponse::default()
            }
        }
    };
    Outcome::Reply(request.encode(&response))
}

fn describe(desk: &Desk, request: &Request, quorum: Quorum) -> DescribeQuorumResponse {
    let replica = |member: &QuorumMember| {
        // Of the others nobody notes the time yet; the leader is always caught up.
        let at = match member.node == quorum.leader {
            true => desk.now.wall.0,
            false => -1,
        };
        ReplicaState {
            replica_id: member.node.0,
            replica_directory_id: match request.header.version {
                0 | 1 => Uuid::default(),
                _ => Uuid(member.directory),
            },
            log_end_offset: offset(member.log_end),
            last_fetch_timestamp: at,
            last_caught_up_timestamp: at,
        }
    };
    let partition = PartitionData {
        partition_index: 0,
        leader_id: quorum.leader.0,
        leader_epoch: i32::try_from(quorum.term).unwrap_or(i32::MAX),
        high_watermark: offset(quorum.high_watermark),
        current_voters: quorum.voters.iter().map(replica).collect(),
        observers: quorum.observers.iter().map(replica).collect(),
        error_message: Some("".into()),
        ..PartitionData::default()
    };
    let nodes = quorum.voters.iter().filter_map(|voter| {
        let endpoint = desk.endpoint(&request.context, voter.node)?;
        Some(Node {
            node_id: voter.node.0,
            listeners: vec![Listener {
                name: endpoint.listener.as_str().into(),
                host: endpoint.host.as_str().into(),
                port: endpoint.port,
            }],
        })
    });
    DescribeQuorumResponse {
        error_message: Some("".into()),
        topics: vec![TopicData {
            topic_name: CLUSTER_METADATA.into(),
            partitions: vec![partition],
        }],
        nodes: match request.header.version {
            0 | 1 => Vec::new(),
            _ => nodes.collect(),
        },
        ..DescribeQuorumResponse::default()
    }
}

fn offset(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
