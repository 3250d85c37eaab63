//! Stories of listeners: whoever comes through one is told its address, wherever an answer names a node.

use corelane_engine::types::TopicId;

use super::fake::{LISTENERS, Rig};
use crate::context::{Operation, RequestContext, Resource};
use crate::event::ConnId;
use crate::listeners::ListenerId;
use crate::protocol::Uuid;
use crate::protocol::describe_cluster_request::DescribeClusterRequest;
use crate::protocol::describe_cluster_response::DescribeClusterResponse;
use crate::protocol::describe_quorum_request::{DescribeQuorumRequest, PartitionData, TopicData};
use crate::protocol::describe_quorum_response::DescribeQuorumResponse;
use crate::protocol::fetch_request::{FetchPartition, FetchRequest, FetchTopic, ReplicaState};
use crate::protocol::fetch_response::FetchResponse;
use crate::protocol::find_coordinator_request::FindCoordinatorRequest;
use crate::protocol::find_coordinator_response::FindCoordinatorResponse;
use crate::protocol::metadata_request::MetadataRequest;
use crate::protocol::metadata_response::MetadataResponse;
use crate::worker::NetLimits;

/// Where each API says that node 1 is.
fn told(rig: &mut Rig, conn: ConnId, topic: TopicId) -> Vec<(&'static str, String, i32)> {
    let mut told = Vec::new();
    let answer: MetadataResponse = rig.ask(conn, 3, 12, &MetadataRequest::default());
    let b = &answer.brokers[0];
    assert_eq!((answer.brokers.len(), b.node_id), (1, 1));
    assert_eq!(b.rack.as_deref(), Some("r1"));
    told.push(("Metadata", b.host.to_string(), b.port));
    let ask = DescribeClusterRequest {
        endpoint_type: 1,
        ..DescribeClusterRequest::default()
    };
    let answer: DescribeClusterResponse = rig.ask(conn, 60, 2, &ask);
    let b = &answer.brokers[0];
    assert_eq!(b.rack.as_deref(), Some("r1"));
    told.push(("DescribeCluster", b.host.to_string(), b.port));
    let ask = DescribeQuorumRequest {
        topics: vec![TopicData {
            topic_name: "__cluster_metadata".into(),
            partitions: vec![PartitionData { partition_index: 0 }],
        }],
    };
    let answer: DescribeQuorumResponse = rig.ask(conn, 55, 2, &ask);
    let at = &answer.nodes[0].listeners[0];
    told.push(("DescribeQuorum", at.host.to_string(), i32::from(at.port)));
    let ask = FindCoordinatorRequest {
        coordinator_keys: vec!["g".into()],
        ..FindCoordinatorRequest::default()
    };
    let answer: FindCoordinatorResponse = rig.ask(conn, 10, 4, &ask);
    let at = &answer.coordinators[0];
    told.push(("FindCoordinator", at.host.to_string(), at.port));
    // Who pretends to be a replica is told who leads; from version 16 on, and each node once.
    for version in [13, 16] {
        let answer: FetchResponse = rig.ask(conn, 1, version, &follow(topic, version));
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let leaders: Vec<_> = partitions
            .map(|p| (p.error_code, p.current_leader.leader_id))
            .collect();
        if version < 16 {
            assert_eq!(leaders, [(6, -1), (6, -1)]);
            continue;
        }
        assert_eq!(leaders, [(6, 1), (6, 1)]);
        let [at] = &answer.node_endpoints[..] else {
            panic!("{answer:?}")
        };
        assert_eq!((at.node_id, at.rack.as_deref()), (1, Some("r1")));
        told.push(("Fetch", at.host.to_string(), at.port));
    }
    told
}

fn follow(topic: TopicId, version: i16) -> FetchRequest {
    let partition = |partition| FetchPartition {
        partition,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    };
    FetchRequest {
        replica_id: if version < 15 { 5 } else { -1 },
        replica_state: ReplicaState {
            replica_id: if version < 15 { -1 } else { 5 },
            ..ReplicaState::default()
        },
        max_bytes: 1 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic_id: Uuid(topic.0),
            partitions: vec![partition(0), partition(1)],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

#[test]
fn a_client_is_told_the_address_of_the_listener_it_came_through() {
    let mut rig = Rig::new(2);
    let topic = rig.topic("t", 2);
    for shard in 0..2 {
        for (id, (_, host, port)) in (0..).zip(LISTENERS) {
            let conn = rig.connect_to(shard, ListenerId(id));
            for (api, told_host, told_port) in told(&mut rig, conn, topic) {
                let what = format!("{api} on listener {id} of shard {shard}");
                assert_eq!((&*told_host, told_port), (host, i32::from(port)), "{what}");
            }
        }
    }
}

/// Only those that came to CONTAINER may describe a topic.
fn by_listener(context: &RequestContext, _: Operation, resource: Resource<'_>) -> bool {
    !matches!(resource, Resource::Topic(_)) || &*context.listener == "CONTAINER"
}

#[test]
fn whoever_authorizes_knows_the_listener() {
    let mut rig = Rig::with(1, by_listener, NetLimits::NORMAL);
    rig.topic("t", 1);
    let topics = |rig: &mut Rig, listener| {
        let conn = rig.connect_to(0, ListenerId(listener));
        let all = MetadataRequest {
            topics: None,
            ..MetadataRequest::default()
        };
        let answer: MetadataResponse = rig.ask(conn, 3, 12, &all);
        answer.topics.len()
    };
    assert_eq!((topics(&mut rig, 0), topics(&mut rig, 1)), (0, 1));
}
