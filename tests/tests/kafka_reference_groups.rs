//! Our answers beside Apache Kafka's, for consumer groups: one script of requests, over every version we serve, errors
//! included, is sent to both, and the answers are compared field by field.

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use corelane_protocol as own;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, DescribeGroupsResponse, FindCoordinatorRequest,
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
    SyncGroupRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use own::Message;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::reference::Transcript;
use corelane_tests::harness::runtime;
use corelane_tests::harness::wire::{ANSWER_WITHIN, Reaction, Wire, header_bytes, topic_of};

/// Steps, by how their names begin, whose answers differ, and why.
const DIFFERENCES: &[(&str, &str)] = &[(
    "a refused join",
    "Kafka keeps an empty group of a member that it refused; here only who is let in makes a group",
)];

const OFFSETS: &str = "__consumer_offsets";
/// The versions that the foreign codec knows; version 10 of both is sent by our own.
const COMMITS: std::ops::RangeInclusive<i16> = 2..=9;
const FETCHES: std::ops::RangeInclusive<i16> = 1..=9;

/// Partition, offset and metadata.
type Offsets<'a> = &'a [(i32, i64, &'a str)];

#[test]
fn answers_to_groups_are_those_of_apache_kafka() {
    if runtime::java().is_none() {
        return runtime::did_not_run("the comparison with Apache Kafka", "java with mvn");
    }
    let kafka = Broker::start_own(Options {
        kafka: true,
        ..Options::default()
    });
    let expected = Script::new(&kafka).play();
    for shards in [1, 4] {
        let ours = Broker::start_own(Options::shards(shards));
        let got = Script::new(&ours).play();
        expected.compare(&got, &format!("{shards} shards"), DIFFERENCES);
    }
}

/// One broker's side of the conversation.
struct Script<'a> {
    broker: &'a Broker,
    wire: Wire,
    said: Transcript,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(name: &str) -> GroupId {
    GroupId(text(name))
}

fn since(version: i16, first: i16, value: &str) -> Option<StrBytes> {
    (version >= first).then(|| text(value))
}

/// A consumer's subscription to one topic, as `ConsumerProtocolSubscription` version 0.
fn subscription(topic: &str) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(1);
    bytes.put_i16(topic.len() as i16);
    bytes.put_slice(topic.as_bytes());
    bytes.put_i32(-1);
    bytes.freeze()
}

fn join(version: i16, name: &str, member: &str) -> JoinGroupRequest {
    let protocol = |name: &str| {
        JoinGroupRequestProtocol::default()
            .with_name(text(name))
            .with_metadata(subscription("read"))
    };
    JoinGroupRequest::default()
        .with_group_id(group(name))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(if version >= 1 { 60_000 } else { -1 })
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol("range"), protocol("roundrobin")])
}

fn sync(version: i16, name: &str, member: &str, generation: i32) -> SyncGroupRequest {
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(text(member))
        .with_assignment(Bytes::from_static(b"everything"));
    SyncGroupRequest::default()
        .with_group_id(group(name))
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_protocol_type(since(version, 5, "consumer"))
        .with_protocol_name(since(version, 5, "range"))
        .with_assignments(vec![assignment])
}

fn heartbeat(name: &str, member: &str, generation: i32) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group(name))
        .with_generation_id(generation)
        .with_member_id(text(member))
}

fn leave(version: i16, name: &str, members: &[&str]) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(group(name));
    if version < 3 {
        return request.with_member_id(text(members[0]));
    }
    let identities = members.iter().map(|member| {
        MemberIdentity::default()
            .with_member_id(text(member))
            .with_reason(since(version, 5, "done"))
    });
    request.with_members(identities.collect())
}

/// Topic, and partition with offset and metadata.
fn commit(
    name: &str,
    member: &str,
    generation: i32,
    topics: &[(&str, Offsets<'_>)],
) -> OffsetCommitRequest {
    let topics = topics.iter().map(|(topic, partitions)| {
        let partitions = partitions.iter().map(|&(partition, offset, metadata)| {
            OffsetCommitRequestPartition::default()
                .with_partition_index(partition)
                .with_committed_offset(offset)
                .with_committed_metadata(Some(text(metadata)))
        });
        OffsetCommitRequestTopic::default()
            .with_name(topic_of(topic))
            .with_partitions(partitions.collect())
    });
    OffsetCommitRequest::default()
        .with_group_id(group(name))
        .with_generation_id_or_member_epoch(generation)
        .with_member_id(text(member))
        .with_topics(topics.collect())
}

fn fetch(version: i16, groups: &[&str], topics: Option<&[(&str, &[i32])]>) -> OffsetFetchRequest {
    if version < 8 {
        let topics = topics.map(|topics| {
            let topics = topics.iter().map(|(topic, partitions)| {
                OffsetFetchRequestTopic::default()
                    .with_name(topic_of(topic))
                    .with_partition_indexes(partitions.to_vec())
            });
            topics.collect()
        });
        return OffsetFetchRequest::default()
            .with_group_id(group(groups[0]))
            .with_topics(topics);
    }
    let of_group = |name: &&str| {
        let topics = topics.map(|topics| {
            let topics = topics.iter().map(|(topic, partitions)| {
                OffsetFetchRequestTopics::default()
                    .with_name(topic_of(topic))
                    .with_partition_indexes(partitions.to_vec())
            });
            topics.collect()
        });
        OffsetFetchRequestGroup::default()
            .with_group_id(group(name))
            .with_topics(topics)
    };
    OffsetFetchRequest::default().with_groups(groups.iter().map(of_group).collect())
}

fn describe(version: i16, groups: &[&str]) -> DescribeGroupsRequest {
    DescribeGroupsRequest::default()
        .with_groups(groups.iter().map(|name| group(name)).collect())
        .with_include_authorized_operations(version >= 3)
}

fn delete(groups: &[&str]) -> DeleteGroupsRequest {
    DeleteGroupsRequest::default()
        .with_groups_names(groups.iter().map(|name| group(name)).collect())
}

fn delete_offsets(name: &str, topics: &[(&str, &[i32])]) -> OffsetDeleteRequest {
    let topics = topics.iter().map(|(topic, partitions)| {
        let partition = |&p: &i32| OffsetDeleteRequestPartition::default().with_partition_index(p);
        OffsetDeleteRequestTopic::default()
            .with_name(topic_of(topic))
            .with_partitions(partitions.iter().map(partition).collect())
    });
    OffsetDeleteRequest::default()
        .with_group_id(group(name))
        .with_topics(topics.collect())
}

impl Script<'_> {
    fn new(broker: &Broker) -> Script<'_> {
        let mut said = Transcript::default();
        said.own(&format!("port: {}", broker.address().port()), "port: PORT");
        Script {
            broker,
            wire: Wire::connect(broker.address()),
            said,
        }
    }

    fn play(mut self) -> Transcript {
        self.before_there_is_a_coordinator();
        self.find();
        self.commit_and_fetch();
        let members = self.join();
        self.members(&members);
        self.describe_and_list();
        self.delete();
        self.leave(&members);
        self.static_members();
        self.internal();
        self.refused();
        self.said
    }

    fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.wire.call(version, request)
    }

    /// One request by our own codec, for versions that the foreign one does not know.
    fn call_own<R: Request, A: Message>(&mut self, version: i16, request: &impl Message) -> A {
        let mut frame = header_bytes::<R>(version, 7);
        let mut writer = own::Writer::plain();
        request
            .encode(&mut writer, version)
            .expect("of this version");
        frame.extend_from_slice(&writer.into_bytes());
        assert!(self.wire.send_frame(&frame), "the broker closed");
        let Reaction::Frame(answer) = self.wire.reaction(ANSWER_WITHIN) else {
            panic!("api {} version {version}: no answer", R::KEY);
        };
        // A correlation id, and no tagged field.
        let mut reader = own::Reader::new(Bytes::from(answer).slice(5..));
        let answer = A::decode(&mut reader, version).expect("an answer of this version");
        reader.finish().expect("nothing behind it");
        answer
    }

    /// What clients are told whose group has no coordinator yet.
    fn before_there_is_a_coordinator(&mut self) {
        for topic in ["read", "unread"] {
            self.wire.create_topic(topic, 2, &[]);
            let id = self.wire.metadata(topic).topics[0].topic_id;
            self.said.own(&id.to_string(), &format!("ID-OF-{topic}"));
            // As our own codec shows it.
            let id = own::Uuid(*id.as_bytes());
            self.said.own(&id.to_string(), &format!("ID-OF-{topic}"));
        }
        for version in 0..=9 {
            let answer = self.call(version, &join(version, "early", ""));
            self.said.note(format!("early JoinGroup {version}"), answer);
        }
        for version in 0..=5 {
            let answer = self.call(version, &sync(version, "early", "m", 1));
            self.said.note(format!("early SyncGroup {version}"), answer);
            let answer = self.call(version, &leave(version, "early", &["m"]));
            self.said
                .note(format!("early LeaveGroup {version}"), answer);
            let answer = self.call(version, &ListGroupsRequest::default());
            self.said
                .note(format!("early ListGroups {version}"), answer);
        }
        for version in 0..=4 {
            let answer = self.call(version, &heartbeat("early", "m", 1));
            self.said.note(format!("early Heartbeat {version}"), answer);
        }
        for version in COMMITS {
            let request = commit(
                "early",
                "",
                -1,
                &[("read", &[(0, 1, "")]), ("no", &[(0, 1, "")])],
            );
            let answer = self.call(version, &request);
            self.said
                .note(format!("early OffsetCommit {version}"), answer);
        }
        for version in FETCHES {
            let answer = self.call(
                version,
                &fetch(version, &["early"], Some(&[("read", &[0])])),
            );
            self.said
                .note(format!("early OffsetFetch {version}"), answer);
        }
        for version in 0..=6 {
            let answer = self.call(version, &describe(version, &["early"]));
            self.said
                .note(format!("early DescribeGroups {version}"), answer);
        }
        for version in 0..=2 {
            let answer = self.call(version, &delete(&["early"]));
            self.said
                .note(format!("early DeleteGroups {version}"), answer);
        }
        let answer = self.call(0, &delete_offsets("early", &[("read", &[0])]));
        self.said.note("early OffsetDelete", answer);
    }

    fn find(&mut self) {
        // Kafka creates the topic behind its first answer, and its coordinators begin a moment later.
        let until = Instant::now() + Duration::from_secs(60);
        let find =
            |key: &str| FindCoordinatorRequest::default().with_coordinator_keys(vec![text(key)]);
        loop {
            let found = self.call(4, &find("any")).coordinators[0].error_code;
            let groups: Vec<String> = (0..200).map(|n| format!("probe-{n}")).collect();
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            let probed = self.call(5, &describe(5, &groups));
            if found == 0 && probed.groups.iter().all(|group| group.error_code == 0) {
                break;
            }
            assert!(
                Instant::now() < until,
                "no coordinator: {found}, {probed:?}"
            );
        }
        for version in 0..=6 {
            let mut kinds = vec![0];
            if version >= 1 {
                kinds.extend([3, -1]);
            }
            if (1..6).contains(&version) {
                kinds.push(2);
            }
            for kind in kinds {
                let request = FindCoordinatorRequest::default().with_key_type(kind);
                let request = match version {
                    4.. => request.with_coordinator_keys(vec![text("a"), text("")]),
                    _ => request.with_key(text("a")),
                };
                let answer = self.call(version, &request);
                self.said
                    .note(format!("FindCoordinator {version} kind {kind}"), answer);
            }
        }
    }

    fn commit_and_fetch(&mut self) {
        let long = "x".repeat(4097);
        let id = self.wire.metadata("read").topics[0].topic_id;
        for version in COMMITS {
            let simple = format!("simple-{version}");
            for (what, request) in [
                (
                    "good",
                    commit(&simple, "", -1, &[("read", &[(0, 5, "note"), (1, 6, "")])]),
                ),
                (
                    "unknown topic",
                    commit(&simple, "", -1, &[("no", &[(0, 1, "")])]),
                ),
                (
                    "some of each",
                    commit(
                        &simple,
                        "",
                        -1,
                        &[
                            ("read", &[(0, 7, ""), (9, 1, "")]),
                            ("no", &[(0, 1, "")]),
                            ("unread", &[(0, 1, &long), (1, 2, "")]),
                        ],
                    ),
                ),
                ("no topic", commit(&simple, "", -1, &[])),
                (
                    "of a member there is not",
                    commit(&simple, "m", 1, &[("read", &[(0, 1, "")])]),
                ),
                (
                    "of no group",
                    commit("nobody", "m", 1, &[("read", &[(0, 1, "")])]),
                ),
                ("of no name", commit("", "", -1, &[("read", &[(0, 3, "")])])),
            ] {
                let answer = self.call(version, &request);
                self.said
                    .note(format!("OffsetCommit {version} {what}"), answer);
            }
        }
        for version in FETCHES {
            for (what, request) in [
                (
                    "some",
                    fetch(
                        version,
                        &["simple-9"],
                        Some(&[("unread", &[1, 0]), ("read", &[1])]),
                    ),
                ),
                (
                    "unknown topic",
                    fetch(version, &["simple-9"], Some(&[("no", &[0, 1])])),
                ),
                (
                    "unknown group",
                    fetch(version, &["nobody"], Some(&[("read", &[0])])),
                ),
                ("of no name", fetch(version, &[""], Some(&[("read", &[0])]))),
                ("no topic", fetch(version, &["simple-9"], Some(&[]))),
            ] {
                let answer = self.call(version, &request);
                self.said
                    .note(format!("OffsetFetch {version} {what}"), answer);
            }
            if version >= 2 {
                let answer = self.call(version, &fetch(version, &["nobody"], None));
                self.said
                    .note(format!("OffsetFetch {version} all of nobody"), answer);
                let mut answer = self.call(version, &fetch(version, &["simple-9"], None));
                // In no order.
                answer.topics.sort_by_key(|topic| topic.name.to_string());
                for topic in &mut answer.topics {
                    topic.partitions.sort_by_key(|p| p.partition_index);
                }
                for group in &mut answer.groups {
                    group.topics.sort_by_key(|topic| topic.name.to_string());
                    for topic in &mut group.topics {
                        topic.partitions.sort_by_key(|p| p.partition_index);
                    }
                }
                self.said.note(format!("OffsetFetch {version} all"), answer);
            }
            if version >= 8 {
                let groups = ["simple-9", "nobody", "simple-8"];
                let answer = self.call(version, &fetch(version, &groups, Some(&[("read", &[0])])));
                self.said
                    .note(format!("OffsetFetch {version} several groups"), answer);
            }
        }
        self.by_topic_id(own::Uuid(*id.as_bytes()));
    }

    /// Version 10 of both.
    fn by_topic_id(&mut self, id: own::Uuid) {
        use own::offset_commit_request as commit;
        use own::offset_fetch_request as fetch;
        let unknown = own::Uuid([9; 16]);
        let topic = |id, partitions: &[i32]| commit::OffsetCommitRequestTopic {
            topic_id: id,
            partitions: partitions
                .iter()
                .map(|&partition_index| commit::OffsetCommitRequestPartition {
                    partition_index,
                    committed_offset: 8,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        };
        let request = commit::OffsetCommitRequest {
            group_id: "by-id".into(),
            topics: vec![topic(id, &[0, 7]), topic(unknown, &[0]), topic(id, &[1])],
            ..Default::default()
        };
        let answer: own::offset_commit_response::OffsetCommitResponse =
            self.call_own::<OffsetCommitRequest, _>(10, &request);
        self.said.note("OffsetCommit 10", answer);
        let topic = |id| fetch::OffsetFetchRequestTopics {
            topic_id: id,
            partition_indexes: vec![1, 5],
            ..Default::default()
        };
        for (what, topics) in [
            ("by id", Some(vec![topic(unknown), topic(id)])),
            ("all", None),
        ] {
            let request = fetch::OffsetFetchRequest {
                groups: vec![fetch::OffsetFetchRequestGroup {
                    group_id: "by-id".into(),
                    topics,
                    ..Default::default()
                }],
                ..Default::default()
            };
            let mut answer: own::offset_fetch_response::OffsetFetchResponse =
                self.call_own::<OffsetFetchRequest, _>(10, &request);
            for topic in answer.groups.iter_mut().flat_map(|group| &mut group.topics) {
                topic.partitions.sort_by_key(|p| p.partition_index);
            }
            self.said.note(format!("OffsetFetch 10 {what}"), answer);
        }
    }

    /// A group of one member for every version of JoinGroup; the members' ids.
    fn join(&mut self) -> Vec<String> {
        let mut wires: Vec<Wire> = (0..=9)
            .map(|_| Wire::connect(self.broker.address()))
            .collect();
        let mut sent = Vec::new();
        for (version, wire) in (0i16..).zip(&mut wires) {
            let name = format!("joined-{version}");
            let mut member = String::new();
            if version >= 4 {
                let answer = wire.call(version, &join(version, &name, ""));
                member = answer.member_id.to_string();
                self.said.own(&member, &format!("MEMBER-{version}"));
                self.said
                    .note(format!("JoinGroup {version} without an id"), answer);
            }
            sent.push(wire.send(version, &join(version, &name, &member)));
        }
        let mut members = Vec::new();
        for (version, wire) in (0i16..).zip(&mut wires) {
            let answer = wire.receive::<JoinGroupRequest>(version, sent[version as usize]);
            let member = answer.member_id.to_string();
            assert_prefix(&answer);
            if version < 4 {
                self.said.own(&member, &format!("MEMBER-{version}"));
            }
            self.said.note(format!("JoinGroup {version}"), answer);
            members.push(member);
        }
        for version in 0..=9 {
            let mut no_protocol = join(version, "joined-2", "");
            no_protocol.protocols.clear();
            let mut other_protocol = join(version, "joined-0", &members[0]);
            other_protocol.protocols[0].name = text("sticky");
            other_protocol.protocols.truncate(1);
            let other_type =
                join(version, "joined-1", &members[1]).with_protocol_type(text("connect"));
            for (what, request) in [
                ("of no name", join(version, "", "m")),
                (
                    "short session",
                    join(version, "refused", "").with_session_timeout_ms(5999),
                ),
                (
                    "long session",
                    join(version, "refused", "m").with_session_timeout_ms(1_800_001),
                ),
                ("unknown member", join(version, "joined-0", "m")),
                ("unknown member of no group", join(version, "refused", "m")),
                ("no protocol", no_protocol),
                ("other type", other_type),
            ] {
                let answer = self.call(version, &request);
                self.said
                    .note(format!("JoinGroup {version} {what}"), answer);
            }
        }
        members
    }

    fn members(&mut self, members: &[String]) {
        for version in 0..=5 {
            let name = format!("joined-{version}");
            let member = &members[version as usize];
            let mut nameless = sync(version, &name, member, 1);
            nameless.protocol_name = None;
            let mut other = sync(version, &name, member, 1);
            other.protocol_name = since(version, 5, "roundrobin");
            let mut requests = vec![
                ("old generation", sync(version, &name, member, 0)),
                ("unknown member", sync(version, &name, "m", 1)),
                ("unknown group", sync(version, "nobody", "m", 1)),
                ("of no name", sync(version, "", "m", 1)),
            ];
            if version >= 5 {
                requests.push(("of no protocol", nameless));
                requests.push(("of another protocol", other));
            }
            requests.push(("good", sync(version, &name, member, 1)));
            requests.push(("again", sync(version, &name, member, 1)));
            for (what, request) in requests {
                let answer = self.call(version, &request);
                self.said
                    .note(format!("SyncGroup {version} {what}"), answer);
            }
        }
        // The rest is to be stable, too.
        for version in 6..=9 {
            let member = &members[version as usize];
            let answer = self.call(5, &sync(5, &format!("joined-{version}"), member, 1));
            self.said
                .note(format!("SyncGroup of joined-{version}"), answer);
        }
        for version in 0..=4 {
            let member = &members[version as usize];
            let name = format!("joined-{version}");
            for (what, request) in [
                ("good", heartbeat(&name, member, 1)),
                ("old generation", heartbeat(&name, member, 0)),
                ("unknown member", heartbeat(&name, "m", 1)),
                ("unknown group", heartbeat("nobody", "m", 1)),
                ("of no name", heartbeat("", "m", 1)),
            ] {
                let answer = self.call(version, &request);
                self.said
                    .note(format!("Heartbeat {version} {what}"), answer);
            }
        }
        for version in COMMITS {
            let member = &members[version as usize];
            let name = format!("joined-{version}");
            let read: &[(&str, Offsets<'_>)] = &[("read", &[(0, 11, "")])];
            for (what, request) in [
                ("good", commit(&name, member, 1, read)),
                ("old generation", commit(&name, member, 0, read)),
                ("unknown member", commit(&name, "m", 1, read)),
                ("of nobody", commit(&name, "", -1, read)),
            ] {
                let answer = self.call(version, &request);
                self.said.note(
                    format!("OffsetCommit {version} of a member, {what}"),
                    answer,
                );
            }
        }
    }

    fn describe_and_list(&mut self) {
        for version in 0..=6 {
            let mut answer: DescribeGroupsResponse = self.call(
                version,
                &describe(version, &["joined-5", "nobody", "simple-9", ""]),
            );
            // In no order, and with words of their own.
            answer
                .groups
                .sort_by_key(|group| group.group_id.to_string());
            self.said.note(format!("DescribeGroups {version}"), answer);
        }
        for version in 0..=5 {
            let mut filters: Vec<(&[&str], &[&str])> = vec![(&[], &[])];
            if version >= 4 {
                filters.extend([
                    (&["Stable"][..], &[][..]),
                    (&["eMPTY"], &[]),
                    (&["odd"], &[]),
                ]);
            }
            if version >= 5 {
                filters.extend([
                    (&[][..], &["Classic"][..]),
                    (&[], &["consumer"]),
                    (&[], &["odd"]),
                ]);
            }
            for (states, types) in filters {
                let words = |words: &[&str]| words.iter().map(|word| text(word)).collect();
                let request = ListGroupsRequest::default()
                    .with_states_filter(words(states))
                    .with_types_filter(words(types));
                let mut answer = self.call(version, &request);
                answer
                    .groups
                    .sort_by_key(|group| group.group_id.to_string());
                self.said
                    .note(format!("ListGroups {version} {states:?} {types:?}"), answer);
            }
        }
    }

    fn delete(&mut self) {
        for (what, request) in [
            (
                "some of each",
                delete_offsets(
                    "simple-8",
                    &[("read", &[0, 9]), ("no", &[0]), ("unread", &[0])],
                ),
            ),
            ("again", delete_offsets("simple-8", &[("read", &[0])])),
            (
                "subscribed",
                delete_offsets("joined-5", &[("read", &[0]), ("unread", &[0])]),
            ),
            ("unknown group", delete_offsets("nobody", &[("no", &[0])])),
            ("of no name", delete_offsets("", &[("read", &[0])])),
        ] {
            let answer = self.call(0, &request);
            self.said.note(format!("OffsetDelete {what}"), answer);
        }
        let answer = self.call(8, &fetch(8, &["simple-8"], Some(&[("read", &[0, 1])])));
        self.said.note("OffsetFetch after OffsetDelete", answer);
        for version in 0..=2 {
            let simple = format!("simple-{}", version + 2);
            let mut answer = self.call(version, &delete(&[&simple, "joined-5", "nobody", &simple]));
            answer
                .results
                .sort_by_key(|result| result.group_id.to_string());
            self.said.note(format!("DeleteGroups {version}"), answer);
            let answer = self.call(8, &fetch(8, &[&simple], Some(&[("read", &[0])])));
            self.said
                .note(format!("OffsetFetch after DeleteGroups {version}"), answer);
        }
    }

    fn leave(&mut self, members: &[String]) {
        for version in 0..=5 {
            let name = format!("joined-{version}");
            let member = members[version as usize].as_str();
            for (what, request) in [
                ("unknown member", leave(version, &name, &["m"])),
                ("unknown group", leave(version, "nobody", &["m"])),
                ("of no name", leave(version, "", &["m"])),
                ("good", leave(version, &name, &[member, "m"])),
                ("again", leave(version, &name, &[member])),
            ] {
                let answer = self.call(version, &request);
                self.said
                    .note(format!("LeaveGroup {version} {what}"), answer);
            }
            let answer = self.call(5, &describe(5, &[&name]));
            self.said
                .note(format!("DescribeGroups after LeaveGroup {version}"), answer);
        }
    }

    /// KIP-345: a static member that comes again takes the place of its former self.
    fn static_members(&mut self) {
        let named = |version, member: &str| {
            join(version, "static", member).with_group_instance_id(Some(text("one")))
        };
        let mut former = Wire::connect(self.broker.address());
        let first = former.call(5, &named(5, ""));
        let old = first.member_id.to_string();
        self.said.own(&old, "STATIC-1");
        self.said.note("static JoinGroup 5", first);
        let request = sync(3, "static", &old, 1).with_group_instance_id(Some(text("one")));
        let answer = former.call(3, &request);
        self.said.note("static SyncGroup 3", answer);
        let again = self.call(9, &named(9, ""));
        let new = again.member_id.to_string();
        self.said.own(&new, "STATIC-2");
        self.said.note("static JoinGroup 9, come again", again);
        for (what, member) in [("the former", &old), ("the present", &new)] {
            let request = heartbeat("static", member, 1).with_group_instance_id(Some(text("one")));
            let answer = self.call(4, &request);
            self.said
                .note(format!("static Heartbeat of {what}"), answer);
            let request = sync(5, "static", member, 1).with_group_instance_id(Some(text("one")));
            let answer = self.call(5, &request);
            self.said
                .note(format!("static SyncGroup of {what}"), answer);
            let request = commit("static", member, 1, &[("read", &[(0, 1, "")])])
                .with_group_instance_id(Some(text("one")));
            let answer = self.call(9, &request);
            self.said
                .note(format!("static OffsetCommit of {what}"), answer);
        }
        let answer = self.call(6, &describe(6, &["static"]));
        self.said.note("static DescribeGroups", answer);
        let by_instance = MemberIdentity::default().with_group_instance_id(Some(text("one")));
        let request = LeaveGroupRequest::default()
            .with_group_id(group("static"))
            .with_members(vec![by_instance.clone(), by_instance]);
        let answer = self.call(3, &request);
        self.said
            .note("static LeaveGroup by instance, twice", answer);
    }

    /// What a member leaves behind that was the first one and was not let in.
    fn refused(&mut self) {
        let mut request = join(5, "refused", "");
        request.protocols.clear();
        let answer = self.call(5, &request);
        self.said.note("JoinGroup, refused", answer);
        let answer = self.call(6, &describe(6, &["refused"]));
        self.said.note("a refused join, described", answer);
    }

    /// The topic of the groups is the broker's own.
    fn internal(&mut self) {
        let answer = self.wire.metadata(OFFSETS);
        let topic = &answer.topics[0];
        let shown = (topic.error_code, topic.is_internal, topic.partitions.len());
        self.said.note("Metadata of the offsets topic", shown);
        let answer = self.wire.produce(OFFSETS, 0, Batch::of(&[b"x"]).bytes());
        self.said.note("Produce to the offsets topic", answer);
        let answer = self.wire.metadata("__transaction_state");
        let topic = &answer.topics[0];
        let shown = (topic.error_code, topic.is_internal);
        self.said
            .note("Metadata of a missing internal topic", shown);
    }
}

/// A member id is the client's id, or its instance, and a UUID.
fn assert_prefix(answer: &JoinGroupResponse) {
    assert_eq!(answer.error_code, 0, "{answer:?}");
    let member = answer.member_id.as_str();
    let uuid = member
        .strip_prefix("corelane-tests-")
        .expect("the client's id");
    assert_eq!(uuid.len(), 36, "{member}");
}
