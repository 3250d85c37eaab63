//! Stories of consumer groups: bytes in, bytes out, with a coordinator that says what its script says.

use bytes::Bytes;
use corelane_engine::group::call::{
    CommittedOffset, Description, GroupAsk, GroupDone, GroupError, GroupState, Joined, ListedGroup,
    MemberDescription, MemberRef, OFFSETS_TOPIC, Synced, partition_of,
};
use corelane_engine::types::{LeaderEpoch, Offset, Timestamp, TopicId};

use super::NetLimits;
use super::fake::{Rig, batch, request};
use crate::api::{Api, Entry, TABLE};
use crate::context::{Operation, RequestContext, Resource};
use crate::event::ConnId;
use crate::protocol::api_versions_request::ApiVersionsRequest;
use crate::protocol::api_versions_response::ApiVersionsResponse;
use crate::protocol::delete_groups_request::DeleteGroupsRequest;
use crate::protocol::delete_groups_response::DeleteGroupsResponse;
use crate::protocol::describe_groups_request::DescribeGroupsRequest;
use crate::protocol::describe_groups_response::DescribeGroupsResponse;
use crate::protocol::find_coordinator_request::FindCoordinatorRequest;
use crate::protocol::find_coordinator_response::FindCoordinatorResponse;
use crate::protocol::heartbeat_request::HeartbeatRequest;
use crate::protocol::heartbeat_response::HeartbeatResponse;
use crate::protocol::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use crate::protocol::join_group_response::JoinGroupResponse;
use crate::protocol::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::leave_group_response::LeaveGroupResponse;
use crate::protocol::list_groups_request::ListGroupsRequest;
use crate::protocol::list_groups_response::ListGroupsResponse;
use crate::protocol::metadata_request::{MetadataRequest, MetadataRequestTopic};
use crate::protocol::metadata_response::MetadataResponse;
use crate::protocol::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::offset_commit_response::OffsetCommitResponse;
use crate::protocol::offset_delete_request::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::protocol::offset_delete_response::OffsetDeleteResponse;
use crate::protocol::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::protocol::offset_fetch_response::OffsetFetchResponse;
use crate::protocol::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use crate::protocol::produce_response::ProduceResponse;
use crate::protocol::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use crate::protocol::sync_group_response::SyncGroupResponse;
use crate::protocol::{Message, Records, Str, Uuid, Writer};

/// A node whose offsets topic exists.
fn rig(shards: u16) -> Rig {
    let mut rig = Rig::new(shards);
    rig.topic(OFFSETS_TOPIC, 50);
    rig
}

/// What the owners were asked, by shard and in order, and forgets it.
fn asked(rig: &mut Rig) -> Vec<(String, GroupAsk)> {
    rig.workers
        .iter_mut()
        .flat_map(|worker| std::mem::take(&mut worker.storage_mut().groups.asked))
        .map(|item| (item.group, item.ask))
        .collect()
}

/// The next thing that the group's coordinator says.
fn script(rig: &mut Rig, group: &str, said: Result<GroupDone, GroupError>) {
    for worker in &mut rig.workers {
        let script = &mut worker.storage_mut().groups.script;
        let of_group = script.entry(group.to_owned()).or_default();
        // Of another shard's turn.
        of_group.clear();
        of_group.push_back(match &said {
            Ok(done) => Ok(copy(done)),
            Err(error) => Err(error.clone()),
        });
    }
}

fn copy(done: &GroupDone) -> GroupDone {
    match done {
        GroupDone::Done => GroupDone::Done,
        GroupDone::Joined(joined) => GroupDone::Joined(joined.clone()),
        GroupDone::Synced(synced) => GroupDone::Synced(synced.clone()),
        GroupDone::Left(left) => GroupDone::Left(left.clone()),
        GroupDone::Committed(committed) => GroupDone::Committed(committed.clone()),
        GroupDone::Fetched(fetched) => GroupDone::Fetched(fetched.clone()),
        GroupDone::Described(description) => GroupDone::Described(description.clone()),
        GroupDone::OffsetsDeleted(deleted) => GroupDone::OffsetsDeleted(deleted.clone()),
    }
}

fn hold(rig: &mut Rig, on: bool) {
    for worker in &mut rig.workers {
        worker.storage_mut().groups.hold = on;
    }
    rig.run();
}

fn versions(api: Api) -> impl Iterator<Item = i16> {
    let entry = TABLE.iter().find(|entry| entry.api == api).expect("served");
    entry.served_min..=entry.version_max
}

fn text(text: &str) -> Option<Str> {
    Some(text.into())
}

fn join(version: i16, group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: if version >= 1 { 60_000 } else { -1 },
        member_id: member.into(),
        group_instance_id: if version >= 5 { text("i") } else { None },
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"topics"),
        }],
        reason: if version >= 8 { text("why") } else { None },
    }
}

fn sync(version: i16, group: &str) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: group.into(),
        generation_id: 3,
        member_id: "m".into(),
        group_instance_id: if version >= 3 { text("i") } else { None },
        protocol_type: if version >= 5 { text("consumer") } else { None },
        protocol_name: if version >= 5 { text("range") } else { None },
        assignments: vec![SyncGroupRequestAssignment {
            member_id: "n".into(),
            assignment: Bytes::from_static(b"some"),
        }],
    }
}

fn heartbeat(version: i16, group: &str) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: group.into(),
        generation_id: 3,
        member_id: "m".into(),
        group_instance_id: if version >= 3 { text("i") } else { None },
    }
}

fn leave(version: i16, group: &str) -> LeaveGroupRequest {
    let member = |member: &str, instance| MemberIdentity {
        member_id: member.into(),
        group_instance_id: instance,
        reason: if version >= 5 { text("bye") } else { None },
    };
    LeaveGroupRequest {
        group_id: group.into(),
        member_id: if version < 3 { "m".into() } else { Str::new() },
        members: match version {
            3.. => vec![member("m", None), member("", text("i"))],
            _ => Vec::new(),
        },
    }
}

/// Topic, its id, and partition with offset and metadata.
type Commits<'a> = (&'a str, TopicId, &'a [(i32, i64, &'a str)]);

fn commit(version: i16, group: &str, topics: &[Commits<'_>]) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: 3,
        member_id: "m".into(),
        group_instance_id: if version >= 7 { text("i") } else { None },
        retention_time_ms: if version < 5 { 1000 } else { -1 },
        topics: topics
            .iter()
            .map(|&(name, id, partitions)| OffsetCommitRequestTopic {
                name: name.into(),
                topic_id: Uuid(id.0),
                partitions: partitions
                    .iter()
                    .map(|&(partition_index, committed_offset, metadata)| {
                        OffsetCommitRequestPartition {
                            partition_index,
                            committed_offset,
                            committed_leader_epoch: 5,
                            committed_metadata: text(metadata),
                        }
                    })
                    .collect(),
            })
            .collect(),
    }
}

/// Topic (by position), partition, code.
fn committed(version: i16, answer: &OffsetCommitResponse) -> Vec<(String, i32, i16)> {
    let name =
        |t: &crate::protocol::offset_commit_response::OffsetCommitResponseTopic| match version {
            10.. => format!("id {}", t.topic_id.0[15]),
            _ => t.name.to_string(),
        };
    answer
        .topics
        .iter()
        .flat_map(|t| {
            t.partitions
                .iter()
                .map(move |p| (name(t), p.partition_index, p.error_code))
        })
        .collect()
}

fn fetch_all(version: i16, groups: &[&str]) -> OffsetFetchRequest {
    let mut message = fetch(version, groups, &[]);
    message.topics = match version {
        ..8 => None,
        _ => Some(Vec::new()),
    };
    message
        .groups
        .iter_mut()
        .for_each(|group| group.topics = None);
    message
}

/// The same topics of every group.
fn fetch(version: i16, groups: &[&str], topics: &[(&str, TopicId, &[i32])]) -> OffsetFetchRequest {
    if version < 8 {
        return OffsetFetchRequest {
            group_id: groups[0].into(),
            topics: Some(
                topics
                    .iter()
                    .map(|&(name, _, partitions)| OffsetFetchRequestTopic {
                        name: name.into(),
                        partition_indexes: partitions.to_vec(),
                    })
                    .collect(),
            ),
            require_stable: version >= 7,
            ..OffsetFetchRequest::default()
        };
    }
    let topics: Vec<OffsetFetchRequestTopics> = topics
        .iter()
        .map(|&(name, id, partitions)| OffsetFetchRequestTopics {
            name: name.into(),
            topic_id: Uuid(id.0),
            partition_indexes: partitions.to_vec(),
        })
        .collect();
    OffsetFetchRequest {
        groups: groups
            .iter()
            .map(|&group| OffsetFetchRequestGroup {
                group_id: group.into(),
                topics: Some(topics.clone()),
                ..OffsetFetchRequestGroup::default()
            })
            .collect(),
        require_stable: true,
        ..OffsetFetchRequest::default()
    }
}

/// Code of the group; then topic, partition, offset, epoch, metadata, code.
type FetchedShown = (i16, Vec<(String, i32, i64, i32, String, i16)>);

fn fetched(version: i16, answer: &OffsetFetchResponse) -> Vec<FetchedShown> {
    if version < 8 {
        let partitions = answer.topics.iter().flat_map(|t| {
            t.partitions.iter().map(|p| {
                (
                    t.name.to_string(),
                    p.partition_index,
                    p.committed_offset,
                    p.committed_leader_epoch,
                    p.metadata.as_deref().expect("never null").to_owned(),
                    p.error_code,
                )
            })
        });
        return vec![(answer.error_code, partitions.collect())];
    }
    let group = |g: &crate::protocol::offset_fetch_response::OffsetFetchResponseGroup| {
        let partitions = g.topics.iter().flat_map(|t| {
            t.partitions.iter().map(move |p| {
                (
                    match version {
                        10.. => format!("id {}", t.topic_id.0[15]),
                        _ => t.name.to_string(),
                    },
                    p.partition_index,
                    p.committed_offset,
                    p.committed_leader_epoch,
                    p.metadata.as_deref().expect("never null").to_owned(),
                    p.error_code,
                )
            })
        });
        (g.error_code, partitions.collect())
    };
    answer.groups.iter().map(group).collect()
}

fn find(version: i16, kind: i8, keys: &[&str]) -> FindCoordinatorRequest {
    FindCoordinatorRequest {
        key: if version < 4 {
            keys[0].into()
        } else {
            Str::new()
        },
        key_type: kind,
        coordinator_keys: match version {
            4.. => keys.iter().map(|&key| key.into()).collect(),
            _ => Vec::new(),
        },
    }
}

/// Code, message, node, host and port.
fn found(version: i16, answer: &FindCoordinatorResponse) -> Vec<(i16, String, i32, String, i32)> {
    let message = |message: &Option<Str>| message.as_deref().unwrap_or_default().to_owned();
    if version < 4 {
        return vec![(
            answer.error_code,
            message(&answer.error_message),
            answer.node_id,
            answer.host.to_string(),
            answer.port,
        )];
    }
    answer
        .coordinators
        .iter()
        .map(|c| {
            (
                c.error_code,
                message(&c.error_message),
                c.node_id,
                c.host.to_string(),
                c.port,
            )
        })
        .collect()
}

fn describe(version: i16, groups: &[&str]) -> DescribeGroupsRequest {
    DescribeGroupsRequest {
        groups: groups.iter().map(|&group| group.into()).collect(),
        include_authorized_operations: version >= 3,
    }
}

fn delete(groups: &[&str]) -> DeleteGroupsRequest {
    DeleteGroupsRequest {
        groups_names: groups.iter().map(|&group| group.into()).collect(),
    }
}

fn delete_offsets(group: &str, topics: &[(&str, &[i32])]) -> OffsetDeleteRequest {
    OffsetDeleteRequest {
        group_id: group.into(),
        topics: topics
            .iter()
            .map(|&(name, partitions)| OffsetDeleteRequestTopic {
                name: name.into(),
                partitions: partitions
                    .iter()
                    .map(|&partition_index| OffsetDeleteRequestPartition { partition_index })
                    .collect(),
            })
            .collect(),
    }
}

/// A request of one of the APIs of groups, filled as far as its fields go.
pub(super) fn example(key: i16, version: i16) -> Vec<u8> {
    fn body(message: &impl Message, version: i16) -> Vec<u8> {
        let mut writer = Writer::plain();
        message
            .encode(&mut writer, version)
            .expect("a message of this version");
        writer.into_bytes().to_vec()
    }
    let id = TopicId([7; 16]);
    match key {
        8 => body(
            &commit(version, "g", &[("t", id, &[(0, 4, "meta")])]),
            version,
        ),
        9 => body(&fetch(version, &["g"], &[("t", id, &[0, 1])]), version),
        10 => body(&find(version, 0, &["g", "h"]), version),
        11 => body(&join(version, "g", "m"), version),
        12 => body(&heartbeat(version, "g"), version),
        13 => body(&leave(version, "g"), version),
        14 => body(&sync(version, "g"), version),
        15 => body(&describe(version, &["g", "h"]), version),
        16 => {
            let words = |since, word: &str| match version >= since {
                true => vec![word.into()],
                false => Vec::new(),
            };
            let message = ListGroupsRequest {
                states_filter: words(4, "Stable"),
                types_filter: words(5, "classic"),
            };
            body(&message, version)
        }
        42 => body(&delete(&["g", "h"]), version),
        47 => body(&delete_offsets("g", &[("t", &[0])]), version),
        key => panic!("{key} is not of groups"),
    }
}

/// The codes that every API of groups gives to those who may do nothing.
pub(super) fn denied(rig: &mut Rig, conn: ConnId, entry: &Entry) -> (Vec<i16>, Vec<i16>) {
    let version = entry.version_max;
    let (key, id) = (entry.key, TopicId([7; 16]));
    match key {
        8 => {
            let message = commit(version, "g", &[("t", id, &[(0, 4, "")])]);
            let answer: OffsetCommitResponse = rig.ask(conn, key, version, &message);
            (
                committed(version, &answer).iter().map(|c| c.2).collect(),
                vec![30],
            )
        }
        9 => {
            let answer: OffsetFetchResponse =
                rig.ask(conn, key, version, &fetch_all(version, &["g"]));
            (vec![answer.groups[0].error_code], vec![30])
        }
        10 => {
            let answer: FindCoordinatorResponse =
                rig.ask(conn, key, version, &find(version, 0, &["g"]));
            assert!(
                rig.created.is_empty(),
                "who may not see a group creates no topic for it"
            );
            (vec![answer.coordinators[0].error_code], vec![30])
        }
        11 => {
            let answer: JoinGroupResponse = rig.ask(conn, key, version, &join(version, "g", "m"));
            assert_eq!((&*answer.member_id, answer.generation_id), ("", -1));
            (vec![answer.error_code], vec![30])
        }
        12 => {
            let answer: HeartbeatResponse = rig.ask(conn, key, version, &heartbeat(version, "g"));
            (vec![answer.error_code], vec![30])
        }
        13 => {
            let answer: LeaveGroupResponse = rig.ask(conn, key, version, &leave(version, "g"));
            (vec![answer.error_code], vec![30])
        }
        14 => {
            let answer: SyncGroupResponse = rig.ask(conn, key, version, &sync(version, "g"));
            (vec![answer.error_code], vec![30])
        }
        15 => {
            let answer: DescribeGroupsResponse =
                rig.ask(conn, key, version, &describe(version, &["g"]));
            (vec![answer.groups[0].error_code], vec![30])
        }
        16 => {
            let answer: ListGroupsResponse =
                rig.ask(conn, key, version, &ListGroupsRequest::default());
            (
                vec![answer.error_code, answer.groups.len() as i16],
                vec![0, 0],
            )
        }
        42 => {
            let answer: DeleteGroupsResponse = rig.ask(conn, key, version, &delete(&["g"]));
            (vec![answer.results[0].error_code], vec![30])
        }
        47 => {
            let message = delete_offsets("g", &[("t", &[0])]);
            let answer: OffsetDeleteResponse = rig.ask(conn, key, version, &message);
            (vec![answer.error_code], vec![30])
        }
        key => panic!("{key} is not of groups"),
    }
}

#[test]
fn a_coordinator_is_found_and_its_topic_created_as_kafka_does() {
    let here = (0, 1, "127.0.0.1".to_owned(), 9092);
    for version in versions(Api::FindCoordinator) {
        let mut rig = Rig::new(2);
        let conn = rig.connect(1);
        for round in 0..2 {
            let answer: FindCoordinatorResponse =
                rig.ask(conn, 10, version, &find(version, 0, &["g", "h"]));
            let got = found(version, &answer);
            assert_eq!(got.len(), if version >= 4 { 2 } else { 1 });
            for (code, message, node, host, port) in got {
                assert_eq!((code, node, host, port), here, "v{version}");
                let expected = if (1..4).contains(&version) {
                    "NONE"
                } else {
                    ""
                };
                assert_eq!(message, expected, "v{version}");
            }
            assert_eq!(rig.created.len(), 1, "created once, round {round}");
        }
        let topic = &rig.created[0];
        assert_eq!(topic.name, "__consumer_offsets");
        let config = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(
            topic.configs,
            [
                config("cleanup.policy", "compact"),
                config("compression.type", "producer"),
                config("segment.bytes", "104857600"),
            ]
        );
        let image = rig.workers[1].image_mut();
        let topic = image.topic(OFFSETS_TOPIC).expect("created");
        assert_eq!(topic.partition_count(), 50);
    }
}

#[test]
fn a_coordinator_that_cannot_be_is_said_so() {
    for version in versions(Api::FindCoordinator) {
        let mut rig = Rig::new(1);
        let conn = rig.connect(0);
        rig.refusing = true;
        let mut kinds = vec![(0, 15, "The coordinator is not available.")];
        if version >= 1 {
            kinds.push((1, 53, "Transactional Id authorization failed."));
            kinds.push((2, 42, "This most likely occurs"));
            kinds.push((3, 42, "This most likely occurs"));
            kinds.push((-1, 42, "This most likely occurs"));
        }
        for (kind, code, why) in kinds {
            let answer: FindCoordinatorResponse =
                rig.ask(conn, 10, version, &find(version, kind, &["g"]));
            let (got, message, node, host, port) = found(version, &answer).remove(0);
            assert_eq!(
                (got, node, host.as_str(), port),
                (code, -1, "", -1),
                "v{version} {kind}"
            );
            let says = (1..4).contains(&version) || version >= 4 && !(0..=2).contains(&kind);
            assert_eq!(
                message.starts_with(why),
                says,
                "v{version} {kind}: {message:?}"
            );
            assert!(says || message.is_empty());
        }
        assert_eq!(rig.created.len(), 1, "only groups have a topic");
    }
}

/// Kafka: no coordinator has a partition that is not there.
#[test]
fn without_the_offsets_topic_nobody_coordinates() {
    for shards in [1, 2] {
        let mut rig = Rig::new(shards);
        let id = rig.topic("t", 1);
        let conn = rig.connect(0);
        for version in versions(Api::JoinGroup) {
            let answer: JoinGroupResponse = rig.ask(conn, 11, version, &join(version, "g", "m"));
            assert_eq!((answer.error_code, &*answer.member_id), (16, ""));
        }
        for version in versions(Api::SyncGroup) {
            let answer: SyncGroupResponse = rig.ask(conn, 14, version, &sync(version, "g"));
            assert_eq!(answer.error_code, 16);
        }
        for version in versions(Api::Heartbeat) {
            let answer: HeartbeatResponse = rig.ask(conn, 12, version, &heartbeat(version, "g"));
            assert_eq!(answer.error_code, 16);
        }
        for version in versions(Api::LeaveGroup) {
            let answer: LeaveGroupResponse = rig.ask(conn, 13, version, &leave(version, "g"));
            assert_eq!((answer.error_code, answer.members.len()), (16, 0));
        }
        for version in versions(Api::OffsetCommit) {
            let message = commit(version, "g", &[("t", id, &[(0, 4, "")])]);
            let answer: OffsetCommitResponse = rig.ask(conn, 8, version, &message);
            assert_eq!(committed(version, &answer)[0].2, 16, "v{version}");
        }
        for version in versions(Api::OffsetFetch) {
            let message = fetch(version, &["g"], &[("t", id, &[0])]);
            let answer: OffsetFetchResponse = rig.ask(conn, 9, version, &message);
            let (code, partitions) = fetched(version, &answer).remove(0);
            match version {
                1 => {
                    let expected = ("t".to_owned(), 0, -1, -1, String::new(), 16);
                    assert_eq!((code, partitions), (0, vec![expected]));
                }
                _ => assert_eq!((code, partitions), (16, vec![]), "v{version}"),
            }
        }
        for version in versions(Api::DescribeGroups) {
            let answer: DescribeGroupsResponse =
                rig.ask(conn, 15, version, &describe(version, &["g"]));
            let group = &answer.groups[0];
            assert_eq!((group.error_code, &*group.group_state), (16, ""));
            assert_eq!(group.authorized_operations, i32::MIN);
        }
        for version in versions(Api::ListGroups) {
            let answer: ListGroupsResponse =
                rig.ask(conn, 16, version, &ListGroupsRequest::default());
            assert_eq!((answer.error_code, answer.groups.len()), (0, 0));
        }
        for version in versions(Api::DeleteGroups) {
            let answer: DeleteGroupsResponse = rig.ask(conn, 42, version, &delete(&["g"]));
            assert_eq!(answer.results[0].error_code, 16);
        }
        let answer: OffsetDeleteResponse = rig.ask(
            conn,
            47,
            0,
            &delete_offsets("g", &[("t", &[0]), ("no", &[0])]),
        );
        assert_eq!((answer.error_code, answer.topics.len()), (16, 0));
        assert!(asked(&mut rig).is_empty());
    }
}

#[test]
fn a_join_is_carried_to_its_owner_and_back_in_every_version() {
    let mut rig = rig(2);
    let conn = rig.connect(0);
    for version in versions(Api::JoinGroup) {
        let joined = Joined {
            generation: 9,
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some("range".to_owned()),
            leader: "m".to_owned(),
            member: "m".to_owned(),
            skip_assignment: true,
            members: vec![(
                "m".to_owned(),
                Some("i".to_owned()),
                Bytes::from_static(b"topics"),
            )],
        };
        script(&mut rig, "g", Ok(GroupDone::Joined(joined)));
        let answer: JoinGroupResponse = rig.ask(conn, 11, version, &join(version, "g", "m"));
        assert_eq!((answer.error_code, answer.generation_id), (0, 9));
        assert_eq!(
            answer.protocol_type,
            if version >= 7 { text("consumer") } else { None }
        );
        assert_eq!(answer.protocol_name, text("range"));
        assert_eq!((&*answer.leader, &*answer.member_id), ("m", "m"));
        assert_eq!(answer.skip_assignment, version >= 9);
        assert_eq!(answer.members.len(), 1);
        assert_eq!(
            answer.members[0].group_instance_id,
            if version >= 5 { text("i") } else { None }
        );
        assert_eq!(&answer.members[0].metadata[..], b"topics");

        let owner = usize::from(owner(&mut rig, "g"));
        let item = rig.workers[owner].storage_mut().groups.asked.remove(0);
        assert_eq!(item.partition.partition, partition_of("g", 50));
        let GroupAsk::Join(asked) = item.ask else {
            panic!("{:?}", item.ask)
        };
        assert_eq!(
            (asked.client_id.as_str(), asked.client_host.as_str()),
            ("t", "/127.0.0.1")
        );
        assert_eq!(asked.session_timeout_ms, 10_000);
        assert_eq!(
            asked.rebalance_timeout_ms,
            if version >= 1 { 60_000 } else { 10_000 }
        );
        assert_eq!(asked.instance.as_deref(), (version >= 5).then_some("i"));
        assert_eq!(asked.reason.as_deref(), (version >= 8).then_some("why"));
        assert_eq!(asked.member_id_required, version >= 4);
        assert_eq!(asked.skip_assignment_supported, version >= 9);
        assert_eq!(
            asked.protocols,
            [("range".to_owned(), Bytes::from_static(b"topics"))]
        );
    }
}

fn owner(rig: &mut Rig, group: &str) -> u16 {
    let shards = rig.workers.len() as u16;
    let topic = rig.workers[0]
        .image_mut()
        .topic(OFFSETS_TOPIC)
        .expect("there")
        .id;
    corelane_engine::controller::placement::owner(topic, partition_of(group, 50), shards).0
}

#[test]
fn refused_members_are_told_what_kafka_tells() {
    let mut rig = rig(2);
    let conn = rig.connect(0);
    let new = || GroupError::MemberIdRequired {
        member: "t-1".to_owned(),
    };
    for version in versions(Api::JoinGroup) {
        for (error, code, member) in [
            (new(), 79, "t-1"),
            (GroupError::UnknownMember, 25, "m"),
            (GroupError::FencedInstance, 82, "m"),
            (GroupError::InvalidSessionTimeout, 26, "m"),
            (GroupError::InconsistentProtocol, 23, "m"),
            (GroupError::GroupMaxSize, 81, ""),
            (GroupError::Loading, 14, ""),
            (GroupError::NotCoordinator, 16, ""),
            (GroupError::Storage, 16, ""),
        ] {
            script(&mut rig, "g", Err(error));
            let answer: JoinGroupResponse = rig.ask(conn, 11, version, &join(version, "g", "m"));
            assert_eq!(
                (answer.error_code, &*answer.member_id),
                (code, member),
                "v{version}"
            );
            assert_eq!((answer.generation_id, &*answer.leader), (-1, ""));
            let none = if version >= 7 { None } else { text("") };
            assert_eq!((answer.protocol_name, answer.protocol_type), (none, None));
        }
        asked(&mut rig);
        let answer: JoinGroupResponse = rig.ask(conn, 11, version, &join(version, "", "m"));
        assert_eq!((answer.error_code, &*answer.member_id), (24, "m"));
        assert!(asked(&mut rig).is_empty(), "an empty group id is nobody's");
    }
    let long = "i".repeat(32_767);
    let message = JoinGroupRequest {
        group_instance_id: text(&long),
        ..join(9, "g", "")
    };
    let answer: JoinGroupResponse = rig.ask(conn, 11, 9, &message);
    assert_eq!(
        answer.error_code, 42,
        "the member id would not fit a string"
    );
}

#[test]
fn a_sync_brings_and_gets_assignments() {
    let mut rig = rig(2);
    let conn = rig.connect(0);
    for version in versions(Api::SyncGroup) {
        let synced = Synced {
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some("range".to_owned()),
            assignment: Bytes::from_static(b"mine"),
        };
        script(&mut rig, "g", Ok(GroupDone::Synced(synced)));
        let answer: SyncGroupResponse = rig.ask(conn, 14, version, &sync(version, "g"));
        assert_eq!(
            (answer.error_code, &answer.assignment[..]),
            (0, &b"mine"[..])
        );
        let named = |name| if version >= 5 { text(name) } else { None };
        assert_eq!(
            (answer.protocol_type, answer.protocol_name),
            (named("consumer"), named("range"))
        );
        let (group, GroupAsk::Sync(ask)) = asked(&mut rig).remove(0) else {
            panic!("a sync")
        };
        assert_eq!(group, "g");
        let instance = (version >= 3).then(|| "i".to_owned());
        assert_eq!(
            ask.who,
            MemberRef {
                member: "m".to_owned(),
                instance,
                generation: 3
            }
        );
        assert_eq!(
            ask.assignments,
            [("n".to_owned(), Bytes::from_static(b"some"))]
        );

        script(&mut rig, "g", Err(GroupError::RebalanceInProgress));
        let answer: SyncGroupResponse = rig.ask(conn, 14, version, &sync(version, "g"));
        assert_eq!((answer.error_code, answer.assignment.len()), (27, 0));
        let answer: SyncGroupResponse = rig.ask(conn, 14, version, &sync(version, ""));
        assert_eq!(answer.error_code, 24);
        asked(&mut rig);
    }
    for nameless in [
        SyncGroupRequest {
            protocol_type: None,
            ..sync(5, "g")
        },
        SyncGroupRequest {
            protocol_name: None,
            ..sync(5, "g")
        },
    ] {
        let answer: SyncGroupResponse = rig.ask(conn, 14, 5, &nameless);
        assert_eq!(
            answer.error_code, 23,
            "the protocol must be named since version 5"
        );
    }
}

/// Every error there is, by its code, through the plainest request.
#[test]
fn a_heartbeat_hears_every_error() {
    let mut rig = rig(2);
    let conn = rig.connect(1);
    for version in versions(Api::Heartbeat) {
        for (error, code) in [
            (GroupError::Loading, 0),
            (GroupError::NotAvailable, 15),
            (GroupError::NotCoordinator, 16),
            (GroupError::InvalidGroupId, 24),
            (GroupError::UnknownMember, 25),
            (GroupError::IllegalGeneration, 22),
            (GroupError::InconsistentProtocol, 23),
            (GroupError::InvalidSessionTimeout, 26),
            (GroupError::RebalanceInProgress, 27),
            (
                GroupError::MemberIdRequired {
                    member: String::new(),
                },
                79,
            ),
            (GroupError::FencedInstance, 82),
            (GroupError::GroupMaxSize, 81),
            (GroupError::GroupNotFound, 69),
            (GroupError::NonEmptyGroup, 68),
            (GroupError::SubscribedToTopic, 86),
            (GroupError::OffsetMetadataTooLarge, 12),
            (GroupError::CommitTooLarge, -1),
            (GroupError::UnknownTopicOrPartition, 3),
            (GroupError::InvalidRequest, 42),
            (GroupError::Storage, 16),
        ] {
            script(&mut rig, "g", Err(error.clone()));
            let answer: HeartbeatResponse = rig.ask(conn, 12, version, &heartbeat(version, "g"));
            assert_eq!(answer.error_code, code, "{error:?}");
        }
        let answer: HeartbeatResponse = rig.ask(conn, 12, version, &heartbeat(version, "g"));
        assert_eq!(answer.error_code, 0);
        let answer: HeartbeatResponse = rig.ask(conn, 12, version, &heartbeat(version, ""));
        assert_eq!(answer.error_code, 24);
    }
}

#[test]
fn members_leave_one_by_one_or_together() {
    let mut rig = rig(2);
    let conn = rig.connect(0);
    for version in versions(Api::LeaveGroup) {
        let results = match version {
            3.. => vec![Ok(()), Err(GroupError::FencedInstance)],
            _ => vec![Err(GroupError::UnknownMember)],
        };
        script(&mut rig, "g", Ok(GroupDone::Left(results)));
        let answer: LeaveGroupResponse = rig.ask(conn, 13, version, &leave(version, "g"));
        let members = |answer: &LeaveGroupResponse| -> Vec<(String, Option<Str>, i16)> {
            let members = answer.members.iter();
            members
                .map(|m| {
                    (
                        m.member_id.to_string(),
                        m.group_instance_id.clone(),
                        m.error_code,
                    )
                })
                .collect()
        };
        let both = |a, b| match version {
            3.. => vec![("m".to_owned(), None, a), (String::new(), text("i"), b)],
            _ => vec![],
        };
        assert_eq!(answer.error_code, if version >= 3 { 0 } else { 25 });
        assert_eq!(members(&answer), both(0, 82));
        let (_, GroupAsk::Leave(leaving)) = asked(&mut rig).remove(0) else {
            panic!("a leave")
        };
        assert_eq!(leaving.len(), if version >= 3 { 2 } else { 1 });
        assert_eq!(leaving[0].member, "m");
        assert_eq!(
            leaving[0].reason.as_deref(),
            (version >= 5).then_some("bye")
        );

        // Everybody is unknown where there is no group.
        script(&mut rig, "g", Err(GroupError::UnknownMember));
        let answer: LeaveGroupResponse = rig.ask(conn, 13, version, &leave(version, "g"));
        assert_eq!(answer.error_code, if version >= 3 { 0 } else { 25 });
        assert_eq!(members(&answer), both(25, 25));
        script(&mut rig, "g", Err(GroupError::Loading));
        let answer: LeaveGroupResponse = rig.ask(conn, 13, version, &leave(version, "g"));
        assert_eq!((answer.error_code, answer.members.len()), (14, 0));
        let answer: LeaveGroupResponse = rig.ask(conn, 13, version, &leave(version, ""));
        assert_eq!((answer.error_code, answer.members.len()), (24, 0));
        asked(&mut rig);
    }
}

#[test]
fn a_commit_is_judged_partition_by_partition() {
    for shards in [1, 2] {
        let mut rig = rig(shards);
        let (t, u) = (rig.topic("t", 2), rig.topic("u", 1));
        let none = TopicId([9; 16]);
        let conn = rig.connect(0);
        let long = "x".repeat(4097);
        for version in versions(Api::OffsetCommit) {
            let show = |name: &str, id: TopicId| match version {
                10.. => format!("id {}", id.0[15]),
                _ => name.to_owned(),
            };
            let message = commit(
                version,
                "g",
                &[
                    ("t", t, &[(0, 7, "note"), (5, 1, "")]),
                    ("no", none, &[(0, 1, "")]),
                    ("u", u, &[(0, 2, &long)]),
                    ("t", t, &[(1, 8, "")]),
                ],
            );
            let answer: OffsetCommitResponse = rig.ask(conn, 8, version, &message);
            let unknown = if version >= 10 { 100 } else { 3 };
            let expected = |a, b, c| {
                vec![
                    (show("t", t), 5, 3),
                    (show("t", t), 0, a),
                    (show("t", t), 1, b),
                    (show("no", none), 0, unknown),
                    (show("u", u), 0, c),
                ]
            };
            assert_eq!(
                committed(version, &answer),
                expected(0, 0, 12),
                "v{version}"
            );
            let (group, GroupAsk::Commit(ask)) = asked(&mut rig).remove(0) else {
                panic!("a commit")
            };
            assert_eq!(group, "g");
            let instance = (version >= 7).then(|| "i".to_owned());
            assert_eq!(
                ask.who,
                MemberRef {
                    member: "m".to_owned(),
                    instance,
                    generation: 3
                }
            );
            assert_eq!(ask.retention_ms, if version < 5 { 1000 } else { -1 });
            let offsets: Vec<_> = ask
                .offsets
                .iter()
                .map(|o| (o.index, &*o.topic, o.partition))
                .collect();
            assert_eq!(offsets, [(0, "t", 0), (2, "t", 1)]);
            let first = &ask.offsets[0].committed;
            assert_eq!((first.offset, first.metadata.as_str()), (Offset(7), "note"));
            assert_eq!(first.leader_epoch.0, if version >= 6 { 5 } else { -1 });

            script(&mut rig, "g", Err(GroupError::IllegalGeneration));
            let answer: OffsetCommitResponse = rig.ask(conn, 8, version, &message);
            assert_eq!(
                committed(version, &answer),
                expected(22, 22, 22),
                "the whole group's error"
            );
            script(&mut rig, "g", Err(GroupError::GroupNotFound));
            let answer: OffsetCommitResponse = rig.ask(conn, 8, version, &message);
            let code = if version >= 9 { 69 } else { 22 };
            assert_eq!(
                committed(version, &answer),
                expected(code, code, code),
                "v{version}"
            );
            let one_by_one = vec![(2, Err(GroupError::CommitTooLarge)), (0, Ok(()))];
            script(&mut rig, "g", Ok(GroupDone::Committed(one_by_one)));
            let answer: OffsetCommitResponse = rig.ask(conn, 8, version, &message);
            assert_eq!(
                committed(version, &answer),
                expected(0, -1, 12),
                "v{version}"
            );
            asked(&mut rig);

            let message = commit(version, "g", &[("no", none, &[(0, 1, ""), (1, 1, "")])]);
            let answer: OffsetCommitResponse = rig.ask(conn, 8, version, &message);
            let lost = |p| (show("no", none), p, unknown);
            assert_eq!(committed(version, &answer), [lost(0), lost(1)]);
            assert!(asked(&mut rig).is_empty(), "nothing is left to ask for");
        }
    }
}

fn at(offset: i64, metadata: &str) -> Option<CommittedOffset> {
    Some(CommittedOffset {
        offset: Offset(offset),
        leader_epoch: LeaderEpoch(6),
        metadata: metadata.to_owned(),
        timestamp: Timestamp(1),
    })
}

#[test]
fn offsets_are_fetched_by_partition_by_group_and_whole() {
    for shards in [1, 2] {
        let mut rig = rig(shards);
        let (t, gone) = (rig.topic("t", 2), TopicId([9; 16]));
        let conn = rig.connect(0);
        for version in versions(Api::OffsetFetch) {
            let epoch = |epoch| if version >= 5 { epoch } else { -1 };
            let shown = |name: &str, id: TopicId| match version {
                10.. => format!("id {}", id.0[15]),
                _ => name.to_owned(),
            };
            let nothing =
                |name: &str, id, p, code| (shown(name, id), p, -1, -1, String::new(), code);
            let said = vec![
                ("t".to_owned(), 1, at(40, "note")),
                ("t".to_owned(), 0, None),
            ];
            let message = fetch(version, &["g"], &[("t", t, &[1, 0])]);
            script(&mut rig, "g", Ok(GroupDone::Fetched(said)));
            let answer: OffsetFetchResponse = rig.ask(conn, 9, version, &message);
            let first = (shown("t", t), 1, 40, epoch(6), "note".to_owned(), 0);
            let expected = vec![first.clone(), nothing("t", t, 0, 0)];
            assert_eq!(fetched(version, &answer), [(0, expected)], "v{version}");
            let (_, GroupAsk::FetchOffsets(ask)) = asked(&mut rig).remove(0) else {
                panic!("a fetch")
            };
            assert_eq!(ask.topics, Some(vec![("t".to_owned(), vec![1, 0])]));
            assert_eq!(ask.require_stable, version >= 7);

            // A topic that is not there: nothing was committed for it; an id says no name.
            let message = fetch(version, &["g"], &[("gone", gone, &[3]), ("t", t, &[0])]);
            let answer: OffsetFetchResponse = rig.ask(conn, 9, version, &message);
            let expected = match version {
                10.. => vec![nothing("t", t, 0, 0), nothing("gone", gone, 3, 100)],
                _ => vec![nothing("gone", gone, 3, 0), nothing("t", t, 0, 0)],
            };
            assert_eq!(fetched(version, &answer), [(0, expected)], "v{version}");

            if version >= 2 {
                let said = vec![
                    ("gone".to_owned(), 3, at(1, "")),
                    ("t".to_owned(), 0, at(5, "")),
                    ("t".to_owned(), 1, at(40, "note")),
                ];
                script(&mut rig, "g", Ok(GroupDone::Fetched(said)));
                let answer: OffsetFetchResponse =
                    rig.ask(conn, 9, version, &fetch_all(version, &["g"]));
                let mut expected = vec![(shown("t", t), 0, 5, epoch(6), String::new(), 0), first];
                if version < 10 {
                    expected.insert(0, ("gone".to_owned(), 3, 1, epoch(6), String::new(), 0));
                }
                assert_eq!(
                    fetched(version, &answer),
                    [(0, expected)],
                    "v{version}, all"
                );
            }
            script(&mut rig, "g", Err(GroupError::Loading));
            let answer: OffsetFetchResponse =
                rig.ask(conn, 9, version, &fetch(version, &["g"], &[("t", t, &[0])]));
            let expected = match version {
                1 => (0, vec![nothing("t", t, 0, 14)]),
                _ => (14, vec![]),
            };
            assert_eq!(fetched(version, &answer), [expected], "v{version}");

            if version >= 8 {
                script(&mut rig, "b", Err(GroupError::NotAvailable));
                let answer: OffsetFetchResponse =
                    rig.ask(conn, 9, version, &fetch_all(version, &["a", "b", "a", ""]));
                let codes: Vec<i16> = answer.groups.iter().map(|g| g.error_code).collect();
                assert_eq!(codes, [0, 15, 42, 0], "all of one group is told once");
                let names: Vec<&str> = answer.groups.iter().map(|g| &*g.group_id).collect();
                assert_eq!(names, ["a", "b", "a", ""]);
            }
            asked(&mut rig);
        }
    }
}

#[test]
fn groups_are_described() {
    let mut rig = rig(2);
    let conn = rig.connect(0);
    for version in versions(Api::DescribeGroups) {
        let description = Description {
            state: GroupState::Stable,
            protocol_type: "consumer".to_owned(),
            protocol_name: "range".to_owned(),
            members: vec![MemberDescription {
                member: "m".to_owned(),
                instance: Some("i".to_owned()),
                client_id: "c".to_owned(),
                client_host: "/10.0.0.1".to_owned(),
                metadata: Bytes::from_static(b"topics"),
                assignment: Bytes::from_static(b"some"),
            }],
        };
        script(&mut rig, "g", Ok(GroupDone::Described(description)));
        script(&mut rig, "wait", Err(GroupError::Loading));
        let answer: DescribeGroupsResponse = rig.ask(
            conn,
            15,
            version,
            &describe(version, &["g", "no", "wait", "g"]),
        );
        let groups: Vec<(&str, i16, &str)> = answer
            .groups
            .iter()
            .map(|g| (&*g.group_id, g.error_code, &*g.group_state))
            .collect();
        let missing = if version >= 6 { 69 } else { 0 };
        assert_eq!(
            groups,
            [
                ("g", 0, "Stable"),
                ("no", missing, "Dead"),
                ("wait", 14, ""),
                ("g", 42, "")
            ]
        );
        let message = answer.groups[1].error_message.as_deref();
        assert_eq!(message, (version >= 6).then_some("Group no not found."));
        let operations: Vec<i32> = answer
            .groups
            .iter()
            .map(|g| g.authorized_operations)
            .collect();
        let given = |on| if version >= 3 && on { 3400 } else { i32::MIN };
        assert_eq!(
            operations,
            [given(true), given(version < 6), i32::MIN, i32::MIN]
        );
        let group = &answer.groups[0];
        assert_eq!(
            (&*group.protocol_type, &*group.protocol_data),
            ("consumer", "range")
        );
        let member = &group.members[0];
        assert_eq!(
            (&*member.member_id, &*member.client_id, &*member.client_host),
            ("m", "c", "/10.0.0.1")
        );
        assert_eq!(
            member.group_instance_id,
            if version >= 4 { text("i") } else { None }
        );
        assert_eq!(
            (&member.member_metadata[..], &member.member_assignment[..]),
            (&b"topics"[..], &b"some"[..])
        );
    }
    let long = "g".repeat(32_767);
    let answer: DescribeGroupsResponse = rig.ask(conn, 15, 6, &describe(6, &[&long]));
    let message = answer.groups[0].error_message.as_deref().expect("said");
    assert_eq!(
        message.len(),
        8 << 10,
        "a message is cut where it would not fit"
    );
}

#[test]
fn every_shard_lists_its_groups() {
    let mut rig = rig(3);
    let conn = rig.connect(1);
    let states = [
        GroupState::Stable,
        GroupState::Empty,
        GroupState::PreparingRebalance,
    ];
    for (shard, state) in states.into_iter().enumerate() {
        let group = ListedGroup {
            group: format!("g{shard}"),
            protocol_type: "consumer".to_owned(),
            state,
        };
        rig.workers[shard].storage_mut().groups.listed.push(group);
    }
    let list = |rig: &mut Rig, version: i16, states: &[&str], types: &[&str]| {
        let words = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
        let message = ListGroupsRequest {
            states_filter: words(states),
            types_filter: words(types),
        };
        let answer: ListGroupsResponse = rig.ask(conn, 16, version, &message);
        let groups: Vec<(String, String, String, String)> = answer
            .groups
            .iter()
            .map(|g| {
                let shown = [&g.group_id, &g.protocol_type, &g.group_state, &g.group_type];
                let [id, kind, state, of] = shown.map(Str::to_string);
                (id, kind, state, of)
            })
            .collect();
        (answer.error_code, groups)
    };
    let row = |version: i16, id: &str, state: &str| {
        let since = |at, word: &str| {
            if version >= at {
                word.to_owned()
            } else {
                String::new()
            }
        };
        (
            id.to_owned(),
            "consumer".to_owned(),
            since(4, state),
            since(5, "classic"),
        )
    };
    for version in versions(Api::ListGroups) {
        let all = vec![
            row(version, "g0", "Stable"),
            row(version, "g1", "Empty"),
            row(version, "g2", "PreparingRebalance"),
        ];
        assert_eq!(list(&mut rig, version, &[], &[]), (0, all), "v{version}");
        if version >= 4 {
            let some = vec![
                row(version, "g0", "Stable"),
                row(version, "g2", "PreparingRebalance"),
            ];
            let got = list(
                &mut rig,
                version,
                &["stable", "PreparingRebalance", "odd"],
                &[],
            );
            assert_eq!(got, (0, some));
        }
        if version >= 5 {
            assert_eq!(list(&mut rig, version, &[], &["consumer"]), (0, vec![]));
        }
    }
    rig.workers[2].storage_mut().groups.loading = true;
    assert_eq!(
        list(&mut rig, 5, &[], &[]),
        (14, vec![]),
        "half a list is none"
    );
}

#[test]
fn groups_and_offsets_are_deleted() {
    let mut rig = rig(2);
    rig.topic("t", 2);
    let conn = rig.connect(0);
    for version in versions(Api::DeleteGroups) {
        script(&mut rig, "busy", Err(GroupError::NonEmptyGroup));
        script(&mut rig, "no", Err(GroupError::GroupNotFound));
        let answer: DeleteGroupsResponse =
            rig.ask(conn, 42, version, &delete(&["g", "busy", "no", "g"]));
        let results: Vec<(&str, i16)> = answer
            .results
            .iter()
            .map(|r| (&*r.group_id, r.error_code))
            .collect();
        assert_eq!(results, [("g", 0), ("busy", 68), ("no", 69)]);
    }
    asked(&mut rig);
    let message = delete_offsets("g", &[("t", &[0, 1, 9]), ("no", &[0])]);
    let said = vec![
        ("t".to_owned(), 1, Err(GroupError::SubscribedToTopic)),
        ("t".to_owned(), 0, Ok(())),
    ];
    script(&mut rig, "g", Ok(GroupDone::OffsetsDeleted(said)));
    let answer: OffsetDeleteResponse = rig.ask(conn, 47, 0, &message);
    let partitions: Vec<(&str, i32, i16)> = answer
        .topics
        .iter()
        .flat_map(|t| {
            t.partitions
                .iter()
                .map(|p| (&*t.name, p.partition_index, p.error_code))
        })
        .collect();
    assert_eq!(
        partitions,
        [("t", 9, 3), ("t", 0, 0), ("t", 1, 86), ("no", 0, 3)]
    );
    let (_, GroupAsk::DeleteOffsets(ask)) = asked(&mut rig).remove(0) else {
        panic!("offsets")
    };
    assert_eq!(ask, [("t".to_owned(), vec![0, 1])]);
    script(&mut rig, "g", Err(GroupError::GroupNotFound));
    let answer: OffsetDeleteResponse = rig.ask(conn, 47, 0, &delete_offsets("g", &[("no", &[0])]));
    assert_eq!(
        (answer.error_code, answer.topics.len()),
        (69, 0),
        "asked even for nothing"
    );
    let answer: OffsetDeleteResponse = rig.ask(conn, 47, 0, &delete_offsets("", &[]));
    assert_eq!(answer.error_code, 24);
}

#[test]
fn a_parked_join_holds_up_its_own_connection_only_and_is_forgotten_with_it() {
    for shards in [1, 2] {
        let mut rig = rig(shards);
        let (waiting, other, leaving) = (rig.connect(0), rig.connect(0), rig.connect(0));
        hold(&mut rig, true);
        rig.send(waiting, 11, 5, 1, &join(5, "g", "m"));
        rig.send(waiting, 12, 3, 2, &heartbeat(3, "g"));
        rig.send(leaving, 11, 5, 1, &join(5, "g", "n"));
        let _: ApiVersionsResponse = rig.ask(other, 18, 0, &ApiVersionsRequest::default());
        assert_eq!(asked(&mut rig).len(), 3, "both joins and the heartbeat");
        // Longer than any rebalance may take: the member waits, and so does its answer.
        rig.wait(3_600_000);
        assert!(
            rig.try_answer::<JoinGroupResponse>(waiting, 11, 5)
                .is_none()
        );
        rig.event_closed(leaving);
        assert_eq!(rig.workers[0].requests.len(), 2, "who left is forgotten");
        assert!(asked(&mut rig).is_empty(), "and the group is not told");
        hold(&mut rig, false);
        let (id, answer) = rig.answer::<JoinGroupResponse>(waiting, 11, 5);
        assert_eq!((id, answer.error_code, &*answer.member_id), (1, 0, "m"));
        assert_eq!(
            rig.answer::<HeartbeatResponse>(waiting, 12, 3).0,
            2,
            "in the order asked"
        );
        assert!(rig.workers[0].requests.is_empty());
        assert_eq!(rig.workers[0].buffers.charged(), 0);
    }
}

#[test]
fn what_is_read_waits_for_what_was_written_before_it() {
    let mut rig = rig(2);
    let t = rig.topic("t", 1);
    let conn = rig.connect(0);
    hold(&mut rig, true);
    let commit = |offset| commit(8, "g", &[("t", t, &[(0, offset, "")])]);
    let mut stream = request(8, 8, 1, &commit(1));
    stream.extend(request(8, 8, 2, &commit(2)));
    stream.extend(request(9, 7, 3, &fetch(7, &["g"], &[("t", t, &[0])])));
    stream.extend(request(8, 8, 4, &commit(3)));
    rig.write(conn, &stream);
    let is_commit = |ask: &(String, GroupAsk)| matches!(ask.1, GroupAsk::Commit(_));
    let before = asked(&mut rig);
    assert!(
        before.len() == 2 && before.iter().all(is_commit),
        "commits are pipelined"
    );
    hold(&mut rig, false);
    for id in 1..=2 {
        assert_eq!(rig.answer::<OffsetCommitResponse>(conn, 8, 8).0, id);
    }
    assert_eq!(rig.answer::<OffsetFetchResponse>(conn, 9, 7).0, 3);
    assert_eq!(rig.answer::<OffsetCommitResponse>(conn, 8, 8).0, 4);
    let after = asked(&mut rig);
    assert!(!is_commit(&after[0]) && is_commit(&after[1]), "{after:?}");
}

#[test]
fn large_requests_are_one_call_per_owner() {
    let mut rig = rig(3);
    let t = rig.topic("t", 1000);
    let conn = rig.connect(0);
    let calls = |rig: &mut Rig| -> usize {
        let calls = rig.workers.iter_mut();
        calls
            .map(|w| std::mem::take(&mut w.storage_mut().groups.calls))
            .sum()
    };
    let partitions: Vec<(i32, i64, &str)> = (0..1000).map(|p| (p, 1, "")).collect();
    let answer: OffsetCommitResponse =
        rig.ask(conn, 8, 8, &commit(8, "g", &[("t", t, &partitions)]));
    assert!(committed(8, &answer).iter().all(|c| c.2 == 0));
    assert_eq!((committed(8, &answer).len(), calls(&mut rig)), (1000, 1));

    let names: Vec<String> = (0..10_000).map(|n| format!("group-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answer: DescribeGroupsResponse = rig.ask(conn, 15, 5, &describe(5, &names));
    assert_eq!((answer.groups.len(), calls(&mut rig)), (10_000, 3));
    let answer: OffsetFetchResponse = rig.ask(conn, 9, 8, &fetch_all(8, &names));
    assert_eq!((answer.groups.len(), calls(&mut rig)), (10_000, 3));
    let answer: DeleteGroupsResponse = rig.ask(conn, 42, 2, &delete(&names));
    assert_eq!((answer.results.len(), calls(&mut rig)), (10_000, 3));
}

/// May see and use everything but what begins with `secret`.
fn all_but_secrets(_: &RequestContext, _: Operation, of: Resource<'_>) -> bool {
    match of {
        Resource::Cluster => false,
        Resource::Topic(name) | Resource::Group(name) | Resource::TransactionalId(name) => {
            !name.starts_with("secret")
        }
    }
}

#[test]
fn what_may_not_be_seen_is_left_out_or_refused_one_by_one() {
    let mut rig = Rig::with(2, all_but_secrets, NetLimits::NORMAL);
    rig.topic(OFFSETS_TOPIC, 50);
    let (t, s) = (rig.topic("t", 1), rig.topic("secret", 1));
    let conn = rig.connect(0);
    let offsets: &[Commits<'_>] = &[
        ("t", t, &[(0, 1, "")]),
        ("secret", s, &[(0, 1, "")]),
        ("secret-no", s, &[(0, 1, "")]),
    ];
    let answer: OffsetCommitResponse = rig.ask(conn, 8, 9, &commit(9, "g", offsets));
    let codes: Vec<i16> = committed(9, &answer).iter().map(|c| c.2).collect();
    assert_eq!(codes, [29, 29, 0], "refused ones first");
    let answer: OffsetCommitResponse = rig.ask(conn, 8, 10, &commit(10, "g", &offsets[..2]));
    assert_eq!(
        committed(10, &answer)
            .iter()
            .map(|c| c.2)
            .collect::<Vec<_>>(),
        [29, 0]
    );

    for (version, all) in [(9, false), (10, false), (9, true), (10, true)] {
        let said = vec![
            ("secret".to_owned(), 0, at(1, "")),
            ("t".to_owned(), 0, at(2, "")),
        ];
        let message = match all {
            true => {
                script(&mut rig, "g", Ok(GroupDone::Fetched(said)));
                fetch_all(version, &["g"])
            }
            false => fetch(version, &["g"], &[("secret", s, &[0]), ("t", t, &[0])]),
        };
        let answer: OffsetFetchResponse = rig.ask(conn, 9, version, &message);
        let (code, got) = fetched(version, &answer).remove(0);
        let got: Vec<(i64, i16)> = got.iter().map(|p| (p.2, p.5)).collect();
        let expected = if all {
            vec![(2, 0)]
        } else {
            vec![(-1, 0), (-1, 29)]
        };
        assert_eq!((code, got), (0, expected), "v{version}");
    }
    for name in ["g", "secret-group"] {
        let group = ListedGroup {
            group: name.to_owned(),
            protocol_type: String::new(),
            state: GroupState::Empty,
        };
        rig.workers[0].storage_mut().groups.listed.push(group);
    }
    let answer: ListGroupsResponse = rig.ask(conn, 16, 5, &ListGroupsRequest::default());
    assert_eq!(
        answer
            .groups
            .iter()
            .map(|g| &*g.group_id)
            .collect::<Vec<_>>(),
        ["g"]
    );
    let answer: DescribeGroupsResponse = rig.ask(conn, 15, 5, &describe(5, &["g", "secret-group"]));
    let codes: Vec<(&str, i16)> = answer
        .groups
        .iter()
        .map(|g| (&*g.group_id, g.error_code))
        .collect();
    assert_eq!(codes, [("secret-group", 30), ("g", 0)]);
    let answer: DeleteGroupsResponse = rig.ask(conn, 42, 2, &delete(&["secret-group", "g"]));
    let codes: Vec<(&str, i16)> = answer
        .results
        .iter()
        .map(|r| (&*r.group_id, r.error_code))
        .collect();
    assert_eq!(codes, [("g", 0), ("secret-group", 30)]);
    let message = delete_offsets("g", &[("secret", &[0]), ("secret-no", &[0]), ("t", &[0])]);
    let answer: OffsetDeleteResponse = rig.ask(conn, 47, 0, &message);
    let codes: Vec<i16> = answer
        .topics
        .iter()
        .map(|t| t.partitions[0].error_code)
        .collect();
    assert_eq!(codes, [29, 29, 0]);
}

#[test]
fn the_offsets_topic_is_internal() {
    let mut rig = Rig::new(1);
    let conn = rig.connect(0);
    let metadata = |rig: &mut Rig, create| -> (i16, bool, usize) {
        let message = MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: text(OFFSETS_TOPIC),
                ..MetadataRequestTopic::default()
            }]),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        let answer: MetadataResponse = rig.ask(conn, 3, 9, &message);
        let topic = &answer.topics[0];
        (topic.error_code, topic.is_internal, topic.partitions.len())
    };
    assert_eq!(metadata(&mut rig, false), (3, true, 0));
    assert_eq!(
        metadata(&mut rig, true),
        (0, true, 50),
        "created with partitions of its own"
    );
    assert_eq!(rig.created[0].configs.len(), 3);

    let id = rig.workers[0]
        .image_mut()
        .topic(OFFSETS_TOPIC)
        .expect("created")
        .id;
    for version in [9, 13] {
        let message = ProduceRequest {
            acks: -1,
            topic_data: vec![TopicProduceData {
                name: OFFSETS_TOPIC.into(),
                topic_id: Uuid(id.0),
                partition_data: vec![PartitionProduceData {
                    index: 0,
                    records: Some(Records::from(batch(1, 0, 0))),
                }],
            }],
            ..ProduceRequest::default()
        };
        let answer: ProduceResponse = rig.ask(conn, 0, version, &message);
        assert_eq!(
            answer.responses[0].partition_responses[0].error_code, 17,
            "v{version}"
        );
        let mut frame = request(0, version, 1, &message);
        let admin = b"__admin_client";
        // The client id of the rig is one byte.
        frame.splice(12..15, [&[0, admin.len() as u8][..], admin].concat());
        let length = (frame.len() - 4) as i32;
        frame.splice(..4, length.to_be_bytes());
        rig.write(conn, &frame);
        let (_, answer) = rig.answer::<ProduceResponse>(conn, 0, version);
        assert_eq!(
            answer.responses[0].partition_responses[0].error_code, 0,
            "v{version}"
        );
    }
}

#[test]
fn a_client_id_of_any_length_leaves_room_for_the_member_id() {
    let mut rig = rig(1);
    let conn = rig.connect(0);
    let mut frame = request(11, 5, 1, &join(5, "g", ""));
    let id = [0xff; 32_767];
    frame.splice(12..15, [&[0x7f, 0xff][..], &id].concat());
    let length = (frame.len() - 4) as i32;
    frame.splice(..4, length.to_be_bytes());
    rig.write(conn, &frame);
    assert_eq!(rig.answer::<JoinGroupResponse>(conn, 11, 5).1.error_code, 0);
    let (_, GroupAsk::Join(ask)) = asked(&mut rig).remove(0) else {
        panic!("a join")
    };
    assert!(ask.client_id.len() + 37 <= 32_767);
}
