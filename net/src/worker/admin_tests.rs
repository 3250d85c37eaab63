//! Stories of the admin APIs that live on metadata and configs: a whole worker, bytes in, bytes out.

use corelane_engine::types::TopicId;

use super::NetLimits;
use super::fake::Rig;
use crate::api::{Api, TABLE};
use crate::context::{Operation, RequestContext, Resource};
use crate::event::ConnId;
use crate::protocol::alter_configs_request::{
    AlterConfigsRequest, AlterConfigsResource as Replaced, AlterableConfig as ReplacedConfig,
};
use crate::protocol::alter_configs_response::AlterConfigsResponse;
use crate::protocol::create_acls_request::{AclCreation, CreateAclsRequest};
use crate::protocol::create_acls_response::CreateAclsResponse;
use crate::protocol::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use crate::protocol::create_partitions_response::CreatePartitionsResponse;
use crate::protocol::delete_acls_request::{DeleteAclsFilter, DeleteAclsRequest};
use crate::protocol::delete_acls_response::DeleteAclsResponse;
use crate::protocol::describe_acls_request::DescribeAclsRequest;
use crate::protocol::describe_acls_response::DescribeAclsResponse;
use crate::protocol::describe_cluster_request::DescribeClusterRequest;
use crate::protocol::describe_cluster_response::DescribeClusterResponse;
use crate::protocol::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use crate::protocol::describe_configs_response::{DescribeConfigsResponse, DescribeConfigsResult};
use crate::protocol::describe_quorum_request::{DescribeQuorumRequest, PartitionData, TopicData};
use crate::protocol::describe_quorum_response::DescribeQuorumResponse;
use crate::protocol::describe_topic_partitions_request::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use crate::protocol::describe_topic_partitions_response::DescribeTopicPartitionsResponse;
use crate::protocol::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use crate::protocol::incremental_alter_configs_response::IncrementalAlterConfigsResponse;
use crate::protocol::list_config_resources_request::ListConfigResourcesRequest;
use crate::protocol::list_config_resources_response::ListConfigResourcesResponse;
use crate::protocol::{Message, Writer};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const METRICS: i8 = 16;
const GROUP: i8 = 32;

/// Kind and name of a resource, and per config its name, operation and value.
type Change<'a> = (i8, &'a str, &'a [(&'a str, i8, Option<&'a str>)]);

fn incremental(changes: &[Change<'_>], validate_only: bool) -> IncrementalAlterConfigsRequest {
    let config = |(name, operation, value): &(&str, i8, Option<&str>)| AlterableConfig {
        name: (*name).into(),
        config_operation: *operation,
        value: value.map(Into::into),
    };
    let resource = |(kind, name, configs): &Change<'_>| AlterConfigsResource {
        resource_type: *kind,
        resource_name: (*name).into(),
        configs: configs.iter().map(config).collect(),
    };
    IncrementalAlterConfigsRequest {
        resources: changes.iter().map(resource).collect(),
        validate_only,
    }
}

fn replace(changes: &[Change<'_>]) -> AlterConfigsRequest {
    let config = |(name, _, value): &(&str, i8, Option<&str>)| ReplacedConfig {
        name: (*name).into(),
        value: value.map(Into::into),
    };
    let resource = |(kind, name, configs): &Change<'_>| Replaced {
        resource_type: *kind,
        resource_name: (*name).into(),
        configs: configs.iter().map(config).collect(),
    };
    AlterConfigsRequest {
        resources: changes.iter().map(resource).collect(),
        validate_only: false,
    }
}

fn describe(kind: i8, name: &str, keys: &[&str]) -> DescribeConfigsRequest {
    let keys: Vec<_> = keys.iter().map(|key| (*key).into()).collect();
    DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configuration_keys: (!keys.is_empty()).then_some(keys),
        }],
        include_synonyms: true,
        include_documentation: true,
    }
}

fn more(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic {
        name: name.into(),
        count,
        assignments: None,
    }
}

/// Code and message of each resource.
fn alter(rig: &mut Rig, conn: ConnId, changes: &[Change<'_>]) -> Vec<(i16, String)> {
    let answer: IncrementalAlterConfigsResponse =
        rig.ask(conn, 44, 1, &incremental(changes, false));
    assert_eq!(answer.responses.len(), changes.len());
    let results = answer.responses.iter().zip(changes);
    results
        .map(|(result, (kind, name, _))| {
            assert_eq!(
                (result.resource_type, &*result.resource_name),
                (*kind, *name)
            );
            let message = result.error_message.as_deref().unwrap_or_default();
            (result.error_code, message.to_owned())
        })
        .collect()
}

fn described(
    rig: &mut Rig,
    conn: ConnId,
    kind: i8,
    name: &str,
    keys: &[&str],
) -> DescribeConfigsResult {
    let answer: DescribeConfigsResponse = rig.ask(conn, 32, 4, &describe(kind, name, keys));
    let [result] = &answer.results[..] else {
        panic!("{answer:?}")
    };
    result.clone()
}

/// Name, value, source, and the synonyms as `source:name=value`.
fn shown(result: &DescribeConfigsResult) -> Vec<(String, String, i8, String)> {
    let text = |s: &Option<crate::protocol::Str>| s.as_deref().unwrap_or("-").to_owned();
    let configs = result.configs.iter().map(|config| {
        let synonyms = config.synonyms.iter();
        let synonyms = synonyms.map(|s| format!("{}:{}={}", s.source, &*s.name, text(&s.value)));
        let synonyms: Vec<String> = synonyms.collect();
        (
            config.name.to_string(),
            text(&config.value),
            config.config_source,
            synonyms.join(" "),
        )
    });
    configs.collect()
}

#[test]
fn configs_are_altered_and_described_in_every_version() {
    let mut rig = Rig::new(2);
    rig.topic("t", 1);
    let conn = rig.connect(1);
    let keys = ["retention.ms", "segment.bytes", "corelane.durability"];
    let before = described(&mut rig, conn, TOPIC, "t", &keys);
    let row = |name: &str, value: &str, source, synonyms: &str| {
        (
            name.to_owned(),
            value.to_owned(),
            source,
            synonyms.to_owned(),
        )
    };
    let defaults = [
        row(
            "segment.bytes",
            "1073741824",
            5,
            "5:log.segment.bytes=1073741824",
        ),
        row("retention.ms", "604800000", 5, ""),
        row("corelane.durability", "disk", 5, ""),
    ];
    assert_eq!(shown(&before), defaults);
    for version in 0..=1 {
        let changes = incremental(
            &[(
                TOPIC,
                "t",
                &[
                    ("segment.bytes", 0, Some(" 2097152")),
                    ("retention.ms", 0, Some("5")),
                ],
            )],
            false,
        );
        let answer: IncrementalAlterConfigsResponse = rig.ask(conn, 44, version, &changes);
        assert_eq!(answer.responses[0].error_code, 0);
        let changed = described(&mut rig, conn, TOPIC, "t", &keys);
        let expected = [
            row(
                "segment.bytes",
                "2097152",
                1,
                "1:segment.bytes=2097152 5:log.segment.bytes=1073741824",
            ),
            row("retention.ms", "5", 1, "1:retention.ms=5"),
            row("corelane.durability", "disk", 5, ""),
        ];
        assert_eq!(shown(&changed), expected);
        for worker in &mut rig.workers {
            let topic = worker.image_mut().topic("t").expect("exists");
            assert_eq!(topic.config.segment_bytes, 2 << 20);
        }
        let gone = incremental(
            &[(
                TOPIC,
                "t",
                &[("segment.bytes", 1, None), ("retention.ms", 1, None)],
            )],
            false,
        );
        let _: IncrementalAlterConfigsResponse = rig.ask(conn, 44, version, &gone);
        assert_eq!(
            shown(&described(&mut rig, conn, TOPIC, "t", &keys)),
            defaults
        );
    }
    for version in 0..=2 {
        let wanted = replace(&[(TOPIC, "t", &[("segment.bytes", 0, Some("2097152"))])]);
        let answer: AlterConfigsResponse = rig.ask(conn, 33, version, &wanted);
        assert_eq!(answer.responses[0].error_code, 0);
        let topic = rig.workers[0].image_mut().topic("t").expect("exists");
        assert_eq!(topic.configs.keys().collect::<Vec<_>>(), ["segment.bytes"]);
        let none: AlterConfigsResponse = rig.ask(conn, 33, version, &replace(&[(TOPIC, "t", &[])]));
        assert_eq!(none.responses[0].error_code, 0);
        assert!(
            rig.workers[1]
                .image_mut()
                .topic("t")
                .expect("exists")
                .configs
                .is_empty()
        );
    }
    for version in 1..=4 {
        let mut ask = describe(TOPIC, "t", &[]);
        ask.include_documentation = version >= 3;
        let answer: DescribeConfigsResponse = rig.ask(conn, 32, version, &ask);
        let configs = &answer.results[0].configs;
        assert!(configs.len() > 30 && configs.iter().all(|c| !c.read_only && !c.is_sensitive));
        let typed = configs
            .iter()
            .all(|c| c.config_type > 0 && c.documentation.is_some());
        assert_eq!(typed, version >= 3, "v{version}");
    }
}

#[test]
fn what_cannot_be_altered_is_refused_as_by_kafka() {
    let mut rig = Rig::new(2);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    let set = |name: &'static str, value: &'static str| (name, 0, Some(value));
    let cases: &[(Change<'_>, i16, &str)] = &[
        (
            (TOPIC, "t", &[set("segment.ms", "x")]),
            40,
            "Invalid value x for configuration segment.ms: Not a number of type LONG",
        ),
        (
            (TOPIC, "no", &[set("segment.ms", "5")]),
            3,
            "The topic 'no' does not exist.",
        ),
        (
            (TOPIC, "", &[]),
            42,
            "Default topic resources are not allowed.",
        ),
        (
            (TOPIC, "a/b", &[]),
            17,
            "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
        ),
        (
            (
                TOPIC,
                "t",
                &[set("segment.ms", "5"), set("segment.ms", "6")],
            ),
            42,
            "Error due to duplicate config keys",
        ),
        (
            (
                TOPIC,
                "t",
                &[("segment.ms", 0, None), ("flush.ms", 2, None)],
            ),
            42,
            "Null value not supported for : segment.ms, flush.ms",
        ),
        (
            (TOPIC, "t", &[("segment.ms", 9, Some("5"))]),
            42,
            "Unknown operations type 9",
        ),
        (
            (TOPIC, "t", &[("segment.ms", 2, Some("5"))]),
            40,
            "Can't APPEND to key segment.ms because its type is not LIST.",
        ),
        (
            (BROKER, "1", &[set("num.partitions", "5"), set("x", "6")]),
            42,
            "Cannot update these configs dynamically: [num.partitions, x]",
        ),
        (
            (BROKER, "", &[set("log.segment.bytes", "5")]),
            42,
            "Cannot update these configs dynamically: [log.segment.bytes]",
        ),
        (
            (BROKER, "2", &[]),
            42,
            "Unexpected broker id, expected 1, but received 2",
        ),
        (
            (BROKER, "x", &[]),
            42,
            "Node id must be an integer, but it is: x",
        ),
        (
            (BROKER, "1", &[("node.id", 2, Some("5"))]),
            40,
            "Config value append is not allowed for config key: node.id",
        ),
        (
            (BROKER, "1", &[("x", 3, Some("5"))]),
            40,
            "Unknown config name: x",
        ),
        ((BROKER, "1", &[("num.partitions", 1, None)]), 0, ""),
        ((LOGGER, "1", &[]), 42, "Unknown resource type 8"),
        ((METRICS, "m", &[]), 42, "Unknown resource type 16"),
        ((GROUP, "g", &[]), 42, "Unknown resource type 32"),
        ((99, "g", &[]), 42, "Unknown resource type 99"),
    ];
    for (change, code, message) in cases {
        let got = alter(&mut rig, conn, std::slice::from_ref(change));
        assert_eq!(got, [(*code, (*message).to_owned())], "{change:?}");
    }
    // One resource named twice is refused twice, and the others go on.
    let change = (TOPIC, "t", &[("segment.ms", 0, Some("5"))][..]);
    rig.topic("u", 1);
    let other = (TOPIC, "u", change.2);
    let got = alter(&mut rig, conn, &[change, other, change]);
    let twice = (42, "Each resource must appear at most once.".to_owned());
    assert_eq!(got, [twice.clone(), (0, String::new()), twice]);
    assert!(
        rig.workers[0]
            .image_mut()
            .topic("t")
            .expect("exists")
            .configs
            .is_empty()
    );
    let only: IncrementalAlterConfigsResponse = rig.ask(conn, 44, 1, &incremental(&[change], true));
    assert_eq!(only.responses[0].error_code, 0);
    assert!(
        rig.workers[0]
            .image_mut()
            .topic("t")
            .expect("exists")
            .configs
            .is_empty()
    );
}

#[test]
fn resources_without_configs_are_refused_when_described() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    for (kind, name, code, message) in [
        (TOPIC, "no", 3, ""),
        (
            TOPIC,
            "a/b",
            17,
            "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
        ),
        (
            BROKER,
            "2",
            42,
            "Unexpected broker id, expected 1 or empty string, but received 2",
        ),
        (
            BROKER,
            "x",
            42,
            "Broker id must be an integer, but it is: x",
        ),
        (LOGGER, "1", 42, "Unsupported resource type: BROKER_LOGGER"),
        (GROUP, "g", 42, "Unsupported resource type: GROUP"),
        (
            METRICS,
            "m",
            42,
            "Unsupported resource type: CLIENT_METRICS",
        ),
        (BROKER, "", 0, ""),
    ] {
        let result = described(&mut rig, conn, kind, name, &[]);
        let got = (
            result.error_code,
            result.error_message.as_deref().unwrap_or("-"),
        );
        assert_eq!(got, (code, message), "{kind} {name}");
        assert!(result.configs.is_empty());
    }
    // One of an unknown kind spoils the whole request.
    let mut both = describe(TOPIC, "t", &[]);
    both.resources.extend(describe(7, "t", &[]).resources);
    let answer: DescribeConfigsResponse = rig.ask(conn, 32, 4, &both);
    let codes: Vec<i16> = answer.results.iter().map(|r| r.error_code).collect();
    assert_eq!(codes, [42, 42]);
}

#[test]
fn the_brokers_configs_are_what_it_has() {
    let mut rig = Rig::new(2);
    let conn = rig.connect(0);
    let all = described(&mut rig, conn, BROKER, "1", &[]);
    assert!(
        all.configs
            .iter()
            .all(|c| c.read_only && c.documentation.is_some())
    );
    let keys = [
        "node.id",
        "corelane.shards",
        "listeners",
        "advertised.listeners",
        "broker.rack",
        "message.max.bytes",
    ];
    let some = described(&mut rig, conn, BROKER, "1", &keys);
    let rows: Vec<String> = shown(&some)
        .into_iter()
        .map(|(n, v, s, y)| format!("{n} {v} {s} [{y}]"))
        .collect();
    assert_eq!(
        rows,
        [
            "node.id 1 4 [4:node.id=1]",
            "corelane.shards 2 4 [4:corelane.shards=2]",
            "listeners PLAINTEXT://0.0.0.0:9092,CONTAINER://0.0.0.0:9093 4 \
             [4:listeners=PLAINTEXT://0.0.0.0:9092,CONTAINER://0.0.0.0:9093]",
            "advertised.listeners PLAINTEXT://127.0.0.1:9092,CONTAINER://[::1]:9093 4 \
             [4:advertised.listeners=PLAINTEXT://127.0.0.1:9092,CONTAINER://[::1]:9093]",
            "broker.rack r1 4 [4:broker.rack=r1]",
            "message.max.bytes 1048588 5 [5:message.max.bytes=1048588]",
        ]
    );
}

#[test]
fn the_same_resource_again_and_again_does_not_fill_the_memory() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    let mut many = describe(TOPIC, "t", &[]);
    many.resources = vec![many.resources[0].clone(); 20_000];
    rig.send(conn, 32, 4, 1, &many);
    assert!(rig.closed(conn));
}

#[test]
fn partitions_are_added_in_every_version() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 1);
    let conn = rig.connect(0);
    for version in 0..=3 {
        let count = i32::from(version) + 2;
        let ask = |validate_only| CreatePartitionsRequest {
            topics: vec![more("t", count), more("no", 3), more("u", 1), more("u", 2)],
            timeout_ms: 1000,
            validate_only,
        };
        for validate_only in [true, false] {
            let answer: CreatePartitionsResponse = rig.ask(conn, 37, version, &ask(validate_only));
            let results = answer.results.iter();
            let results: Vec<(&str, i16, bool)> = results
                .map(|r| (&*r.name, r.error_code, r.error_message.is_some()))
                .collect();
            assert_eq!(
                results,
                [("u", 42, true), ("t", 0, false), ("no", 3, false)]
            );
        }
        let topic = rig.workers[1].image_mut().topic_by_id(id).expect("exists");
        assert_eq!(topic.partition_count(), count);
    }
    let refused = |rig: &mut Rig, count, replicas: Option<&[i32]>| {
        let mut topic = more("t", count);
        topic.assignments = replicas.map(|ids| {
            vec![CreatePartitionsAssignment {
                broker_ids: ids.to_vec(),
            }]
        });
        let ask = CreatePartitionsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        let answer: CreatePartitionsResponse = rig.ask(conn, 37, 3, &ask);
        answer.results[0].error_code
    };
    assert_eq!(refused(&mut rig, 5, None), 37, "as many as it has");
    assert_eq!(refused(&mut rig, 6, Some(&[9])), 39, "no such broker");
    assert_eq!(refused(&mut rig, i32::MAX, None), 44, "too many");
    assert_eq!(refused(&mut rig, 6, Some(&[1])), 0);
}

#[test]
fn without_an_authorizer_there_are_no_acls() {
    let mut rig = Rig::new(1);
    let conn = rig.connect(0);
    for version in 1..=3 {
        let answer: DescribeAclsResponse = rig.ask(conn, 29, version, &describe_acls());
        let message = answer.error_message.as_deref();
        assert_eq!(
            (answer.error_code, message),
            (54, Some("No Authorizer is configured on the broker"))
        );
        let answer: CreateAclsResponse = rig.ask(conn, 30, version, &create_acls());
        let results = answer.results.iter();
        let results: Vec<_> = results
            .map(|r| (r.error_code, r.error_message.as_deref()))
            .collect();
        assert_eq!(results, [(54, Some("No Authorizer is configured.")); 2]);
        let answer: DeleteAclsResponse = rig.ask(conn, 31, version, &delete_acls());
        let results = answer.filter_results.iter();
        let results: Vec<_> = results
            .map(|r| (r.error_code, r.error_message.as_deref()))
            .collect();
        assert_eq!(results, [(54, Some("No Authorizer is configured."))]);
    }
    let unknown = DescribeAclsRequest {
        operation: 0,
        ..describe_acls()
    };
    rig.send(conn, 29, 3, 1, &unknown);
    assert!(rig.closed(conn), "as by Kafka, which cannot read it");
}

#[test]
fn the_cluster_and_its_quorum_are_described() {
    let mut rig = Rig::new(2);
    let conn = rig.connect(1);
    for version in 0..=2 {
        let ask = DescribeClusterRequest {
            include_cluster_authorized_operations: true,
            endpoint_type: 1,
            ..Default::default()
        };
        let answer: DescribeClusterResponse = rig.ask(conn, 60, version, &ask);
        assert_eq!(
            (
                answer.error_code,
                answer.controller_id,
                answer.cluster_authorized_operations
            ),
            (0, 1, 8096)
        );
        assert_eq!(&*answer.cluster_id, "AAAAAAAAAAAAAAAAAAAAAA");
        let brokers = answer.brokers.iter();
        let brokers: Vec<_> = brokers
            .map(|b| (b.broker_id, &*b.host, b.port, b.rack.as_deref()))
            .collect();
        assert_eq!(brokers, [(1, "127.0.0.1", 9092, Some("r1"))]);
        if version > 0 {
            for (endpoint_type, code) in [(2, 114), (3, 115)] {
                let ask = DescribeClusterRequest {
                    endpoint_type,
                    ..ask.clone()
                };
                let answer: DescribeClusterResponse = rig.ask(conn, 60, version, &ask);
                assert_eq!(answer.error_code, code);
            }
        }
        let answer: DescribeQuorumResponse =
            rig.ask(conn, 55, version, &quorum("__cluster_metadata", 0));
        let partition = &answer.topics[0].partitions[0];
        assert_eq!(
            (answer.error_code, partition.error_code, partition.leader_id),
            (0, 0, 1)
        );
        assert_eq!((partition.leader_epoch, partition.high_watermark), (7, 42));
        let voter = &partition.current_voters[0];
        assert_eq!((voter.replica_id, voter.log_end_offset), (1, 42));
        assert_eq!(
            voter.last_caught_up_timestamp,
            if version > 0 { 1 } else { -1 }
        );
        assert_eq!(answer.nodes.len(), usize::from(version == 2));
        for (name, partition) in [("t", 0), ("__cluster_metadata", 1)] {
            let answer: DescribeQuorumResponse =
                rig.ask(conn, 55, version, &quorum(name, partition));
            assert_eq!(answer.topics[0].partitions[0].error_code, 3);
        }
    }
    rig.topic("t", 1);
    for (version, types, code, expected) in [
        (0, &[][..], 0, &[][..]),
        (1, &[], 0, &[(BROKER, "1"), (TOPIC, "t")]),
        (1, &[TOPIC], 0, &[(TOPIC, "t")]),
        (1, &[GROUP, METRICS], 0, &[]),
        (1, &[TOPIC, 3], 35, &[]),
    ] {
        let ask = ListConfigResourcesRequest {
            resource_types: types.to_vec(),
        };
        let answer: ListConfigResourcesResponse = rig.ask(conn, 74, version, &ask);
        let list = answer.config_resources.iter();
        let list: Vec<(i8, &str)> = list.map(|r| (r.resource_type, &*r.resource_name)).collect();
        assert_eq!(
            (answer.error_code, &list[..]),
            (code, expected),
            "v{version} {types:?}"
        );
    }
}

#[test]
fn partitions_are_described_page_by_page() {
    let mut rig = Rig::new(2);
    for (name, partitions) in [("a", 3), ("b", 2), ("c", 2100)] {
        rig.topic(name, partitions);
    }
    let conn = rig.connect(0);
    let page = |rig: &mut Rig, topics: &[&str], limit, cursor: Option<(&str, i32)>| {
        let ask = DescribeTopicPartitionsRequest {
            topics: topics
                .iter()
                .map(|name| TopicRequest {
                    name: (*name).into(),
                })
                .collect(),
            response_partition_limit: limit,
            cursor: cursor.map(|(topic, partition)| Cursor {
                topic_name: topic.into(),
                partition_index: partition,
            }),
        };
        let answer: DescribeTopicPartitionsResponse = rig.ask(conn, 75, 0, &ask);
        let topics = answer.topics.iter().map(|topic| {
            let first = topic.partitions.first().map_or(-1, |p| p.partition_index);
            let name = topic.name.as_deref().unwrap_or_default();
            format!(
                "{name}:{}:{first}+{}",
                topic.error_code,
                topic.partitions.len()
            )
        });
        let next = answer
            .next_cursor
            .as_ref()
            .map(|c| format!("-> {}-{}", &*c.topic_name, c.partition_index));
        topics.chain(next).collect::<Vec<_>>().join(" ")
    };
    /// Topics, limit, cursor, and what is answered.
    type Case<'a> = (&'a [&'a str], i32, Option<(&'a str, i32)>, &'a str);
    let cases: [Case<'_>; 12] = [
        (&[], 2000, None, "a:0:0+3 b:0:0+2 c:0:0+1995 -> c-1995"),
        (&[], 9999, Some(("c", 1995)), "c:0:1995+105"),
        (&[], 3, None, "a:0:0+3 -> b-0"),
        (&[], 2, Some(("a", 2)), "a:0:2+1 b:0:0+1 -> b-1"),
        (&[], -5, Some(("b", 1)), "b:0:1+1 -> c-0"),
        (&["b", "a", "b"], 4, None, "a:0:0+3 b:0:0+1 -> b-1"),
        (&["a", "x", "b"], 9, Some(("b", 1)), "b:0:1+1 x:3:-1+0"),
        (&["a/b", "a"], 9, None, "a:0:0+3 a/b:17:-1+0"),
        (&["a"], 9, Some(("a", 7)), "a:0:-1+0"),
        (&["a"], 9, Some(("b", 0)), "a:42:-1+0"),
        (&["a"], 9, Some(("a", -1)), "a:42:-1+0"),
        (
            &[],
            9,
            Some(("a", i32::MAX)),
            "a:0:-1+0 b:0:0+2 c:0:0+7 -> c-7",
        ),
    ];
    for (topics, limit, cursor, expected) in cases {
        assert_eq!(
            page(&mut rig, topics, limit, cursor),
            expected,
            "{topics:?} {limit} {cursor:?}"
        );
    }
}

fn describe_acls() -> DescribeAclsRequest {
    DescribeAclsRequest {
        resource_type_filter: 1,
        pattern_type_filter: 1,
        operation: 1,
        permission_type: 1,
        ..Default::default()
    }
}

fn create_acls() -> CreateAclsRequest {
    let creation = AclCreation {
        resource_type: 2,
        resource_name: "t".into(),
        resource_pattern_type: 3,
        principal: "User:a".into(),
        host: "*".into(),
        operation: 3,
        permission_type: 3,
    };
    CreateAclsRequest {
        creations: vec![creation; 2],
    }
}

fn delete_acls() -> DeleteAclsRequest {
    DeleteAclsRequest {
        filters: vec![DeleteAclsFilter {
            resource_type_filter: 1,
            pattern_type_filter: 1,
            operation: 1,
            permission_type: 1,
            ..Default::default()
        }],
    }
}

fn quorum(name: &str, partition: i32) -> DescribeQuorumRequest {
    DescribeQuorumRequest {
        topics: vec![TopicData {
            topic_name: name.into(),
            partitions: vec![PartitionData {
                partition_index: partition,
            }],
        }],
    }
}

fn nobody(_: &RequestContext, _: Operation, _: Resource<'_>) -> bool {
    false
}

/// The codes of an API's answer where nothing is allowed, and what they must be.
pub(super) fn refused(rig: &mut Rig, conn: ConnId, api: Api, version: i16) -> (Vec<i16>, Vec<i16>) {
    let both: &[Change<'_>] = &[(TOPIC, "t", &[]), (BROKER, "1", &[]), (TOPIC, "no", &[])];
    match api {
        Api::DescribeAcls => {
            let answer: DescribeAclsResponse = rig.ask(conn, 29, version, &describe_acls());
            (vec![answer.error_code], vec![31])
        }
        Api::CreateAcls => {
            let answer: CreateAclsResponse = rig.ask(conn, 30, version, &create_acls());
            (
                answer.results.iter().map(|r| r.error_code).collect(),
                vec![31, 31],
            )
        }
        Api::DeleteAcls => {
            let answer: DeleteAclsResponse = rig.ask(conn, 31, version, &delete_acls());
            (vec![answer.filter_results[0].error_code], vec![31])
        }
        Api::DescribeConfigs => {
            let mut ask = describe(TOPIC, "t", &[]);
            for (kind, name) in [(TOPIC, "no"), (BROKER, "1"), (BROKER, "")] {
                ask.resources.extend(describe(kind, name, &[]).resources);
            }
            let answer: DescribeConfigsResponse = rig.ask(conn, 32, version, &ask);
            (
                answer.results.iter().map(|r| r.error_code).collect(),
                vec![29, 29, 31, 31],
            )
        }
        Api::AlterConfigs => {
            let answer: AlterConfigsResponse = rig.ask(conn, 33, version, &replace(both));
            (
                answer.responses.iter().map(|r| r.error_code).collect(),
                vec![29, 31, 29],
            )
        }
        Api::IncrementalAlterConfigs => {
            let ask = incremental(both, false);
            let answer: IncrementalAlterConfigsResponse = rig.ask(conn, 44, version, &ask);
            (
                answer.responses.iter().map(|r| r.error_code).collect(),
                vec![29, 31, 29],
            )
        }
        Api::CreatePartitions => {
            let ask = CreatePartitionsRequest {
                topics: vec![more("t", 9), more("no", 9)],
                ..Default::default()
            };
            let answer: CreatePartitionsResponse = rig.ask(conn, 37, version, &ask);
            (
                answer.results.iter().map(|r| r.error_code).collect(),
                vec![29, 29],
            )
        }
        Api::DescribeQuorum => {
            let answer: DescribeQuorumResponse =
                rig.ask(conn, 55, version, &quorum("__cluster_metadata", 0));
            (vec![answer.error_code], vec![31])
        }
        Api::DescribeCluster => {
            let ask = DescribeClusterRequest {
                include_cluster_authorized_operations: true,
                endpoint_type: 1,
                ..Default::default()
            };
            let answer: DescribeClusterResponse = rig.ask(conn, 60, version, &ask);
            assert_eq!(answer.cluster_authorized_operations, 0);
            // The brokers are for everyone who may connect.
            (
                vec![answer.error_code, answer.brokers.len() as i16],
                vec![0, 1],
            )
        }
        Api::ListConfigResources => {
            let answer: ListConfigResourcesResponse =
                rig.ask(conn, 74, version, &ListConfigResourcesRequest::default());
            assert!(answer.config_resources.is_empty());
            (vec![answer.error_code], vec![31])
        }
        Api::DescribeTopicPartitions => {
            let all: DescribeTopicPartitionsResponse = rig.ask(
                conn,
                75,
                version,
                &DescribeTopicPartitionsRequest::default(),
            );
            assert!(all.topics.is_empty(), "names are not revealed");
            let topics = ["t", "no"].map(|name| TopicRequest { name: name.into() });
            let ask = DescribeTopicPartitionsRequest {
                topics: topics.to_vec(),
                ..Default::default()
            };
            let answer: DescribeTopicPartitionsResponse = rig.ask(conn, 75, version, &ask);
            (
                answer.topics.iter().map(|t| t.error_code).collect(),
                vec![29, 29],
            )
        }
        other => panic!("{other:?} is not of this file"),
    }
}

/// A request of each of these APIs, filled as far as its fields go; `None`: of another API.
pub(super) fn any_body(key: i16, version: i16) -> Option<Vec<u8>> {
    fn body(message: &impl Message, version: i16) -> Vec<u8> {
        let mut writer = Writer::plain();
        let encoded = message.encode(&mut writer, version);
        encoded.expect("a message of this version");
        writer.into_bytes().to_vec()
    }
    let change: &[Change<'_>] = &[(TOPIC, "t", &[("segment.ms", 0, Some("5"))])];
    Some(match key {
        29 => body(&describe_acls(), version),
        30 => body(&create_acls(), version),
        31 => body(&delete_acls(), version),
        32 => {
            let mut ask = describe(TOPIC, "t", &["segment.ms"]);
            ask.include_documentation = version >= 3;
            body(&ask, version)
        }
        33 => body(&replace(change), version),
        37 => {
            let mut topic = more("t", 7);
            topic.assignments = Some(vec![CreatePartitionsAssignment {
                broker_ids: vec![1],
            }]);
            let ask = CreatePartitionsRequest {
                topics: vec![topic],
                ..Default::default()
            };
            body(&ask, version)
        }
        44 => body(&incremental(change, true), version),
        55 => body(&quorum("__cluster_metadata", 0), version),
        60 => body(
            &DescribeClusterRequest {
                endpoint_type: 1,
                ..Default::default()
            },
            version,
        ),
        74 => body(
            &ListConfigResourcesRequest {
                resource_types: if version > 0 { vec![TOPIC] } else { Vec::new() },
            },
            version,
        ),
        75 => {
            let ask = DescribeTopicPartitionsRequest {
                topics: vec![TopicRequest { name: "t".into() }],
                response_partition_limit: 5,
                cursor: Some(Cursor {
                    topic_name: "t".into(),
                    partition_index: 0,
                }),
            };
            body(&ask, version)
        }
        _ => return None,
    })
}

#[test]
fn changes_of_topics_are_barriers_and_what_only_reads_is_not() {
    for entry in &TABLE {
        let changes = matches!(
            entry.api,
            Api::CreateTopics
                | Api::DeleteTopics
                | Api::CreatePartitions
                | Api::AlterConfigs
                | Api::IncrementalAlterConfigs
        );
        if changes {
            assert!(entry.barrier, "{}", entry.name);
        }
    }
    let mut rig = Rig::with(1, nobody, NetLimits::NORMAL);
    let id: TopicId = rig.topic("t", 1);
    let conn = rig.connect(0);
    let got = alter(
        &mut rig,
        conn,
        &[(TOPIC, "t", &[("segment.ms", 0, Some("5"))])],
    );
    assert_eq!(got[0].0, 29);
    let topic = rig.workers[0].image_mut().topic_by_id(id).expect("exists");
    assert!(topic.configs.is_empty());
}
