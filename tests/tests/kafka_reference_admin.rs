//! The admin APIs on metadata and configs beside Apache Kafka's: one script of requests, over every version we serve, errors
//! included, is sent to both, and the answers are compared field by field, messages word by word. What differs by design
//! stands in [`DIFFERENCES`].

use std::fmt::Debug;
use std::time::Instant;

use kafka_protocol::messages::alter_configs_request::{
    AlterConfigsResource as Replaced, AlterableConfig as ReplacedConfig,
};
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, CreateAclsRequest, CreatePartitionsRequest, DeleteAclsRequest,
    DescribeAclsRequest, DescribeClusterRequest, DescribeConfigsRequest, DescribeQuorumRequest,
    DescribeTopicPartitionsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::runtime;
use corelane_tests::harness::wire::{ANSWER_WITHIN, Reaction, Wire, topic_of};

/// Steps, by how their names begin, whose answers differ, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "IncrementalAlterConfigs 0 an unknown operation,",
        "INVALID_REQUEST for its resource; Kafka fails inside: UNKNOWN_SERVER_ERROR for all",
    ),
    (
        "IncrementalAlterConfigs 1 an unknown operation,",
        "as in version 0",
    ),
    (
        "CreatePartitions 0 validate only 12000",
        "POLICY_VIOLATION, as by CreateTopics; Kafka fails inside: UNKNOWN_SERVER_ERROR",
    ),
    ("CreatePartitions 1 validate only 12000", "as in version 0"),
    ("CreatePartitions 2 validate only 12000", "as in version 0"),
    ("CreatePartitions 3 validate only 12000", "as in version 0"),
    (
        "DescribeTopicPartitions an empty name",
        "INVALID_TOPIC_EXCEPTION; Kafka fails inside: UNKNOWN_SERVER_ERROR for all topics",
    ),
    (
        "ListConfigResources 1 [8]",
        "loggers have no configs here, so they are not listed",
    ),
    ("ListConfigResources 1 []", "loggers are not listed"),
];

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const METRICS: i8 = 16;
const GROUP: i8 = 32;

/// Kind and name of a resource, and per config its name, operation and value.
type Change<'a> = (i8, &'a str, Vec<(&'a str, i8, Option<&'a str>)>);

#[test]
fn admin_answers_are_those_of_apache_kafka() {
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
        assert_eq!(got.len(), expected.len());
        let mut used = vec![false; DIFFERENCES.len()];
        let mut wrong = Vec::new();
        for ((step, kafka), (_, ours)) in expected.iter().zip(&got) {
            let known = DIFFERENCES
                .iter()
                .position(|(name, _)| step.starts_with(name));
            match known {
                Some(known) => used[known] |= kafka != ours,
                None if kafka != ours => {
                    wrong.push(format!("{step}\n  kafka {kafka}\n  ours  {ours}"));
                }
                None => {}
            }
        }
        assert!(
            wrong.is_empty(),
            "{shards} shards, {} of {} answers differ:\n{}",
            wrong.len(),
            expected.len(),
            wrong.join("\n")
        );
        assert!(
            used.iter().all(|used| *used),
            "differences that are none: {used:?}"
        );
    }
}

/// One broker's side of the conversation.
struct Script<'a> {
    broker: &'a Broker,
    wire: Wire,
    /// What is a broker's own choice, and the word that stands for it.
    own: Vec<(String, String)>,
    answers: Vec<(String, String)>,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn set<'a>(name: &'a str, value: &'a str) -> (&'a str, i8, Option<&'a str>) {
    (name, 0, Some(value))
}

impl Script<'_> {
    fn new(broker: &Broker) -> Script<'_> {
        let mut wire = Wire::connect(broker.address());
        let cluster = wire.metadata("nothing").cluster_id.expect("a cluster id");
        Script {
            broker,
            wire,
            own: vec![
                (cluster.to_string(), "CLUSTER".to_owned()),
                (
                    format!("port: {}", broker.address().port()),
                    "port: PORT".to_owned(),
                ),
            ],
            answers: Vec::new(),
        }
    }

    fn play(mut self) -> Vec<(String, String)> {
        self.acls();
        self.describe_configs();
        self.incremental_alter_configs();
        self.alter_configs();
        self.create_partitions();
        self.changes_take_effect();
        self.describe_topic_partitions();
        self.list_config_resources();
        self.describe_cluster();
        self.describe_quorum();
        self.answers
    }

    /// Notes an answer without what is the broker's own choice.
    fn note(&mut self, step: String, answer: impl Debug) {
        let mut text = format!("{answer:?}");
        for (own, word) in &self.own {
            text = text.replace(own, word);
        }
        self.answers.push((step, text));
    }

    fn topic(&mut self, name: &str, partitions: i32) {
        self.topic_with(name, partitions, &[]);
    }

    fn topic_with(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        self.wire.create_topic(name, partitions, configs);
        let id = self.wire.metadata(name).topics[0].topic_id;
        self.own.push((id.to_string(), format!("ID-OF-{name}")));
    }

    /// Apache Kafka answers a change a moment before its broker knows of it.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Wire) -> bool) {
        let until = Instant::now() + ANSWER_WITHIN;
        while !done(&mut self.wire) {
            assert!(Instant::now() < until, "{what} is never seen");
        }
    }

    /// Sends a request on a connection of its own, which the broker is to close.
    fn closes<R: Request>(&mut self, step: String, version: i16, request: &R) {
        let mut wire = Wire::connect(self.broker.address());
        wire.send(version, request);
        let closed = matches!(wire.reaction(ANSWER_WITHIN), Reaction::Closed);
        self.note(step, closed);
    }

    fn acls(&mut self) {
        let filter = DescribeAclsRequest::default()
            .with_resource_type_filter(1)
            .with_resource_name_filter(None)
            .with_pattern_type_filter(1)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_operation(1)
            .with_permission_type(1);
        let creation = AclCreation::default()
            .with_resource_type(2)
            .with_resource_name(text("t"))
            .with_resource_pattern_type(3)
            .with_principal(text("User:a"))
            .with_host(text("*"))
            .with_operation(3)
            .with_permission_type(3);
        let deletion = DeleteAclsFilter::default()
            .with_resource_type_filter(2)
            .with_resource_name_filter(Some(text("t")))
            .with_pattern_type_filter(3)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_operation(1)
            .with_permission_type(1);
        for version in 1..=3 {
            let answer = self.wire.call(version, &filter);
            self.note(format!("DescribeAcls {version}"), answer);
            let spoilt = filter.clone().with_operation(0);
            self.closes(
                format!("DescribeAcls {version} of an unknown operation"),
                version,
                &spoilt,
            );
            for count in [0, 1, 2] {
                let create =
                    CreateAclsRequest::default().with_creations(vec![creation.clone(); count]);
                let answer = self.wire.call(version, &create);
                self.note(format!("CreateAcls {version} of {count}"), answer);
                let delete =
                    DeleteAclsRequest::default().with_filters(vec![deletion.clone(); count]);
                let answer = self.wire.call(version, &delete);
                self.note(format!("DeleteAcls {version} of {count}"), answer);
            }
        }
    }

    fn describe(
        &mut self,
        version: i16,
        resources: &[(i8, &str)],
        keys: Option<&[&str]>,
        synonyms: bool,
    ) -> Vec<DescribeConfigsResult> {
        let answer = describe(&mut self.wire, version, resources, keys, synonyms);
        answer.into_iter().map(comparable).collect()
    }

    fn describe_configs(&mut self) {
        self.topic("plain", 1);
        self.topic_with(
            "configured",
            1,
            &[
                ("segment.bytes", " 2097152"),
                ("cleanup.policy", "compact, delete"),
                ("preallocate", " TRUE"),
                ("min.cleanable.dirty.ratio", "1e-4"),
                ("internal.segment.bytes", "5000"),
            ],
        );
        for version in 1..=4 {
            for synonyms in [false, true] {
                for topic in ["plain", "configured"] {
                    let answer = self.describe(version, &[(TOPIC, topic)], None, synonyms);
                    self.note(
                        format!("DescribeConfigs {version} {topic} synonyms {synonyms}"),
                        answer,
                    );
                }
            }
            for (what, resources, keys) in [
                (
                    "two keys",
                    &[(TOPIC, "plain")][..],
                    Some(&["segment.ms", "segment.bytes"][..]),
                ),
                ("no such key", &[(TOPIC, "plain")], Some(&["no.such"])),
                ("an empty list of keys", &[(TOPIC, "plain")], Some(&[])),
                ("an unknown topic", &[(TOPIC, "unheard-of")], None),
                ("a bad name", &[(TOPIC, "a/b")], None),
                ("an empty name", &[(TOPIC, "")], None),
                (
                    "the same twice",
                    &[(TOPIC, "plain"), (TOPIC, "plain")],
                    Some(&["segment.ms"]),
                ),
                ("another broker", &[(BROKER, "7")], None),
                ("no number", &[(BROKER, "x")], None),
                ("all brokers", &[(BROKER, "")], Some(&["segment.ms"])),
                ("an unknown kind", &[(TOPIC, "plain"), (3, "plain")], None),
                ("a logger without a name", &[(LOGGER, "")], None),
                ("a group without a name", &[(GROUP, "")], None),
                ("a client metric without a name", &[(METRICS, "")], None),
                ("nothing", &[], None),
            ] {
                let answer = self.describe(version, resources, keys, true);
                self.note(format!("DescribeConfigs {version} {what}"), answer);
            }
        }
        let keys = [
            "node.id",
            "num.partitions",
            "default.replication.factor",
            "auto.create.topics.enable",
            "delete.topic.enable",
            "socket.request.max.bytes",
            "max.request.partition.size.limit",
            "process.roles",
            "broker.rack",
            "message.max.bytes",
            "log.segment.bytes",
            "log.index.interval.bytes",
            "log.flush.interval.messages",
            "log.cleanup.policy",
            "compression.type",
            "log.message.timestamp.type",
            "log.message.timestamp.before.max.ms",
            "log.message.timestamp.after.max.ms",
        ];
        let answer = self.describe(4, &[(BROKER, "1")], Some(&keys), true);
        let configs = answer[0].configs.iter();
        // Whether they may be changed while the broker runs, and who said so, is compared by nobody: here none changes.
        let values: Vec<_> = configs
            .map(|c| (&c.name, &c.value, c.config_type))
            .collect();
        let values = format!("{values:?}");
        self.note("the broker's configs".to_owned(), values);
    }

    fn incremental_alter_configs(&mut self) {
        self.topic("changed", 1);
        self.topic("other", 1);
        let list = |from: u32| {
            let pairs: Vec<String> = (from..from + 3_000).map(|p| format!("{p}:1")).collect();
            pairs.join(",")
        };
        let (long, longer) = (list(10_000), list(20_000));
        let name = |name| (TOPIC, name);
        for version in 0..=1 {
            // What takes effect, in turn.
            for (what, configs) in [
                (
                    "set",
                    vec![set("segment.bytes", "2097152"), set("retention.ms", "5")],
                ),
                ("set again", vec![set("segment.bytes", " 3145728 ")]),
                ("deleted", vec![("segment.bytes", 1, None)]),
                ("deleted with a value", vec![("retention.ms", 1, Some("7"))]),
                ("appended", vec![("cleanup.policy", 2, Some("compact"))]),
                (
                    "appended again",
                    vec![("cleanup.policy", 2, Some("compact,delete"))],
                ),
                ("subtracted", vec![("cleanup.policy", 3, Some("delete"))]),
                (
                    "subtracted to nothing",
                    vec![("cleanup.policy", 3, Some("compact"))],
                ),
                (
                    "appended to nothing",
                    vec![("cleanup.policy", 2, Some("delete"))],
                ),
                (
                    "subtracted what is not there",
                    vec![("cleanup.policy", 3, Some("compact"))],
                ),
                (
                    "throttled",
                    vec![("leader.replication.throttled.replicas", 2, Some("0:1,1:1"))],
                ),
                (
                    "throttled less",
                    vec![("leader.replication.throttled.replicas", 3, Some("0:1"))],
                ),
                (
                    "a long list",
                    vec![set("leader.replication.throttled.replicas", &long)],
                ),
                (
                    "too long a list, which is not there",
                    vec![(
                        "leader.replication.throttled.replicas",
                        2,
                        Some(longer.as_str()),
                    )],
                ),
                (
                    "cleared",
                    vec![
                        ("leader.replication.throttled.replicas", 1, None),
                        ("cleanup.policy", 1, None),
                    ],
                ),
            ] {
                let before = configured(&mut self.wire, "changed");
                let answer = self.change(version, &[(TOPIC, "changed", configs)], false);
                self.note(format!("IncrementalAlterConfigs {version} {what}"), &answer);
                if !what.starts_with("appended again") && !what.ends_with("not there") {
                    self.until(what, |wire| configured(wire, "changed") != before);
                }
                let shown = configured(&mut self.wire, "changed");
                self.note(
                    format!("IncrementalAlterConfigs {version} {what}, shown"),
                    shown,
                );
            }
            let cases: Vec<(&str, Vec<Change<'_>>)> = vec![
                ("nothing", vec![]),
                ("no configs", vec![(TOPIC, "changed", vec![])]),
                (
                    "a wrong type",
                    vec![(TOPIC, "changed", vec![set("segment.ms", "soon")])],
                ),
                (
                    "out of bounds",
                    vec![(TOPIC, "changed", vec![set("segment.bytes", "10")])],
                ),
                (
                    "an unknown config",
                    vec![(TOPIC, "changed", vec![set("no.such", "1")])],
                ),
                (
                    "an unknown config deleted",
                    vec![(TOPIC, "changed", vec![("no.such", 1, None)])],
                ),
                (
                    "an unknown config appended to",
                    vec![(TOPIC, "changed", vec![("no.such", 2, Some("1"))])],
                ),
                (
                    "a number appended to",
                    vec![(TOPIC, "changed", vec![("segment.ms", 2, Some("1"))])],
                ),
                (
                    "a number subtracted from",
                    vec![(TOPIC, "changed", vec![("segment.ms", 3, Some("1"))])],
                ),
                (
                    "a bad word appended",
                    vec![(TOPIC, "changed", vec![("cleanup.policy", 2, Some("never"))])],
                ),
                (
                    "nothing appended",
                    vec![(TOPIC, "changed", vec![("cleanup.policy", 2, Some(""))])],
                ),
                (
                    "a comma appended",
                    vec![(
                        TOPIC,
                        "changed",
                        vec![("cleanup.policy", 2, Some(",compact"))],
                    )],
                ),
                (
                    "lags that contradict",
                    vec![(
                        TOPIC,
                        "changed",
                        vec![
                            set("min.compaction.lag.ms", "9"),
                            set("max.compaction.lag.ms", "5"),
                        ],
                    )],
                ),
                (
                    "a null",
                    vec![(
                        TOPIC,
                        "changed",
                        vec![("segment.ms", 0, None), ("flush.ms", 2, None)],
                    )],
                ),
                (
                    "a key twice",
                    vec![(
                        TOPIC,
                        "changed",
                        vec![set("segment.ms", "5"), set("segment.ms", "6")],
                    )],
                ),
                (
                    "a key set and deleted",
                    vec![(
                        TOPIC,
                        "changed",
                        vec![set("segment.ms", "5"), ("segment.ms", 1, None)],
                    )],
                ),
                (
                    "an unknown topic",
                    vec![(TOPIC, "unheard-of", vec![set("segment.ms", "5")])],
                ),
                (
                    "a wrong type for an unknown topic",
                    vec![(TOPIC, "unheard-of", vec![set("segment.ms", "soon")])],
                ),
                (
                    "nothing for an unknown topic",
                    vec![(TOPIC, "unheard-of", vec![])],
                ),
                (
                    "an empty name",
                    vec![(TOPIC, "", vec![set("segment.ms", "5")])],
                ),
                (
                    "a bad name",
                    vec![(TOPIC, "a/b", vec![set("segment.ms", "5")])],
                ),
                (
                    "a topic twice",
                    vec![
                        (TOPIC, "changed", vec![set("segment.ms", "5")]),
                        (TOPIC, "changed", vec![]),
                    ],
                ),
                (
                    "one good, one bad",
                    vec![
                        (TOPIC, "unheard-of", vec![set("segment.ms", "5")]),
                        (TOPIC, "other", vec![]),
                    ],
                ),
                ("another broker", vec![(BROKER, "7", vec![])]),
                ("no number", vec![(BROKER, "x", vec![])]),
                (
                    "a broker's read-only config",
                    vec![(BROKER, "1", vec![set("num.partitions", "5")])],
                ),
                (
                    "all brokers' read-only config",
                    vec![(BROKER, "", vec![set("num.partitions", "5")])],
                ),
                (
                    "a broker's number appended to",
                    vec![(BROKER, "1", vec![("num.partitions", 2, Some("5"))])],
                ),
                (
                    "a broker's unknown config appended to",
                    vec![(BROKER, "1", vec![("no.such", 2, Some("5"))])],
                ),
                (
                    "a broker's config deleted that is not set",
                    vec![(BROKER, "1", vec![("num.partitions", 1, None)])],
                ),
                ("no configs of a broker", vec![(BROKER, "1", vec![])]),
                (
                    "an unknown operation on a broker",
                    vec![(BROKER, "1", vec![("num.partitions", 9, Some("5"))])],
                ),
                ("an unknown kind", vec![(99, "x", vec![])]),
                (
                    "an unknown operation",
                    vec![(TOPIC, "changed", vec![("segment.ms", 9, Some("5"))])],
                ),
            ];
            for (what, changes) in &cases {
                for validate_only in [true, false] {
                    let answer = self.change(version, changes, validate_only);
                    self.note(format!("IncrementalAlterConfigs {version} {what}, validate only {validate_only}"), answer);
                }
            }
            let (kind, topic) = name("changed");
            let only = [(kind, topic, vec![set("segment.ms", "5")])];
            let answer = self.change(version, &only, true);
            self.note(
                format!("IncrementalAlterConfigs {version} validate only"),
                answer,
            );
            let shown = configured(&mut self.wire, "changed");
            self.note(
                format!("IncrementalAlterConfigs {version} validated, shown"),
                shown,
            );
        }
    }

    fn change(
        &mut self,
        version: i16,
        changes: &[Change<'_>],
        validate_only: bool,
    ) -> impl Debug + use<> {
        let config = |(name, operation, value): &(&str, i8, Option<&str>)| {
            AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(*operation)
                .with_value(value.map(text))
        };
        let resource = |(kind, name, configs): &Change<'_>| {
            AlterConfigsResource::default()
                .with_resource_type(*kind)
                .with_resource_name(text(name))
                .with_configs(configs.iter().map(config).collect())
        };
        let request = IncrementalAlterConfigsRequest::default()
            .with_resources(changes.iter().map(resource).collect())
            .with_validate_only(validate_only);
        self.wire.call(version, &request)
    }

    fn replace(
        &mut self,
        version: i16,
        changes: &[Change<'_>],
        validate_only: bool,
    ) -> impl Debug + use<> {
        let config = |(name, _, value): &(&str, i8, Option<&str>)| {
            ReplacedConfig::default()
                .with_name(text(name))
                .with_value(value.map(text))
        };
        let resource = |(kind, name, configs): &Change<'_>| {
            Replaced::default()
                .with_resource_type(*kind)
                .with_resource_name(text(name))
                .with_configs(configs.iter().map(config).collect())
        };
        let request = AlterConfigsRequest::default()
            .with_resources(changes.iter().map(resource).collect())
            .with_validate_only(validate_only);
        self.wire.call(version, &request)
    }

    fn alter_configs(&mut self) {
        self.topic("replaced", 1);
        for version in 0..=2 {
            for (what, configs) in [
                (
                    "two",
                    vec![set("segment.bytes", "2097152"), set("retention.ms", "5")],
                ),
                ("another", vec![set("flush.ms", "7")]),
                ("none", vec![]),
            ] {
                let before = configured(&mut self.wire, "replaced");
                let answer = self.replace(version, &[(TOPIC, "replaced", configs)], false);
                self.note(format!("AlterConfigs {version} {what}"), answer);
                self.until(what, |wire| configured(wire, "replaced") != before);
                let shown = configured(&mut self.wire, "replaced");
                self.note(format!("AlterConfigs {version} {what}, shown"), shown);
            }
            let cases: Vec<(&str, Vec<Change<'_>>)> = vec![
                ("nothing", vec![]),
                (
                    "a wrong type",
                    vec![(TOPIC, "replaced", vec![set("segment.ms", "soon")])],
                ),
                (
                    "an unknown config",
                    vec![(TOPIC, "replaced", vec![set("no.such", "1")])],
                ),
                (
                    "a null",
                    vec![(TOPIC, "replaced", vec![("segment.ms", 0, None)])],
                ),
                (
                    "a key twice",
                    vec![(
                        TOPIC,
                        "replaced",
                        vec![set("segment.ms", "5"), set("segment.ms", "6")],
                    )],
                ),
                (
                    "an unknown topic",
                    vec![(TOPIC, "unheard-of", vec![set("segment.ms", "5")])],
                ),
                ("an empty name", vec![(TOPIC, "", vec![])]),
                // A topic twice is not asked: Kafka fails inside and never answers.
                ("another broker", vec![(BROKER, "7", vec![])]),
                (
                    "a broker's read-only config",
                    vec![(BROKER, "1", vec![set("num.partitions", "5")])],
                ),
                ("no configs of a broker", vec![(BROKER, "1", vec![])]),
                ("a logger", vec![(LOGGER, "1", vec![])]),
                ("an unknown kind", vec![(99, "x", vec![])]),
            ];
            for (what, changes) in &cases {
                for validate_only in [true, false] {
                    let answer = self.replace(version, changes, validate_only);
                    self.note(
                        format!("AlterConfigs {version} {what}, validate only {validate_only}"),
                        answer,
                    );
                }
            }
        }
    }

    fn create_partitions(&mut self) {
        let topic = |name: &str, count: i32, assigned: Option<&[&[i32]]>| {
            let assignment = |ids: &&[i32]| {
                let ids = ids.iter().map(|id| (*id).into()).collect();
                CreatePartitionsAssignment::default().with_broker_ids(ids)
            };
            CreatePartitionsTopic::default()
                .with_name(topic_of(name))
                .with_count(count)
                .with_assignments(assigned.map(|list| list.iter().map(assignment).collect()))
        };
        for version in 0..=3 {
            let name = format!("grown-{version}");
            self.topic(&name, 2);
            for (what, topics) in [
                ("as many", vec![topic(&name, 2, None)]),
                ("fewer", vec![topic(&name, 1, None)]),
                ("none", vec![topic(&name, 0, None)]),
                ("less than none", vec![topic(&name, -1, None)]),
                ("an unknown topic", vec![topic("unheard-of", 3, None)]),
                ("a bad name", vec![topic("a/b", 3, None)]),
                ("too few assignments", vec![topic(&name, 4, Some(&[&[1]]))]),
                ("no assignments", vec![topic(&name, 4, Some(&[]))]),
                ("no replicas", vec![topic(&name, 3, Some(&[&[]]))]),
                ("an unknown replica", vec![topic(&name, 3, Some(&[&[9]]))]),
                ("a replica twice", vec![topic(&name, 3, Some(&[&[1, 1]]))]),
                ("too many replicas", vec![topic(&name, 3, Some(&[&[1, 9]]))]),
                (
                    "a topic twice",
                    vec![topic(&name, 3, None), topic(&name, 4, None)],
                ),
                ("nothing", vec![]),
            ] {
                let answer = self.grow(version, topics, false);
                self.note(format!("CreatePartitions {version} {what}"), answer);
            }
            for count in [3, 12_000] {
                let answer = self.grow(version, vec![topic(&name, count, None)], true);
                self.note(
                    format!("CreatePartitions {version} validate only {count}"),
                    answer,
                );
            }
            for (what, count, more) in [
                ("one more", 3, topic(&name, 3, None)),
                (
                    "two more, assigned",
                    5,
                    topic(&name, 5, Some(&[&[1], &[1]])),
                ),
            ] {
                let both = vec![more, topic("unheard-of", 3, None)];
                let answer = self.grow(version, both, false);
                self.note(format!("CreatePartitions {version} {what}"), answer);
                let partitions = |wire: &mut Wire| wire.metadata(&name).topics[0].partitions.len();
                self.until(what, |wire| partitions(wire) == count);
                let mut answer = self.wire.metadata(&name);
                answer.topics[0]
                    .partitions
                    .sort_by_key(|p| p.partition_index);
                self.note(
                    format!("CreatePartitions {version} {what}, shown"),
                    answer.topics,
                );
            }
        }
    }

    fn grow(
        &mut self,
        version: i16,
        topics: Vec<CreatePartitionsTopic>,
        validate_only: bool,
    ) -> impl Debug + use<> {
        let request = CreatePartitionsRequest::default()
            .with_topics(topics)
            .with_timeout_ms(10_000)
            .with_validate_only(validate_only);
        let mut answer = self.wire.call(version, &request);
        answer.results.sort_by(|a, b| a.name.cmp(&b.name));
        answer
    }

    /// A running partition obeys its topic's new configs, and a new one serves.
    fn changes_take_effect(&mut self) {
        self.topic("obeying", 1);
        let batch = |bytes: usize| {
            let value = vec![7; bytes];
            Batch::of(&[&value]).bytes()
        };
        for (what, config, sizes) in [
            ("as created", None, [100, 5_000]),
            (
                "smaller batches",
                Some(set("max.message.bytes", "2000")),
                [100, 5_000],
            ),
            (
                "larger batches",
                Some(set("max.message.bytes", "9000")),
                [5_000, 10_000],
            ),
            (
                "stamped",
                Some(set("message.timestamp.type", "LogAppendTime")),
                [100, 10_000],
            ),
            (
                "not stamped",
                Some(("message.timestamp.type", 1, None)),
                [100, 10_000],
            ),
            (
                "compacted",
                Some(set("cleanup.policy", "compact")),
                [100, 10_000],
            ),
        ] {
            if let Some(config) = config {
                let before = configured(&mut self.wire, "obeying");
                self.change(1, &[(TOPIC, "obeying", vec![config])], false);
                self.until(what, |wire| configured(wire, "obeying") != before);
                // Kafka shows a change before its partitions obey it; a later one is shown only after that.
                let ms = self.answers.len().to_string();
                self.change(1, &[(TOPIC, "other", vec![set("segment.ms", &ms)])], false);
                let later = ("segment.ms".to_owned(), ms.clone());
                self.until(what, |wire| configured(wire, "other").contains(&later));
            }
            for bytes in sizes {
                let answer = self.wire.produce("obeying", 0, batch(bytes));
                let answer = &answer.responses[0].partition_responses[0];
                let stamped = answer.log_append_time_ms > 0;
                let answer = (answer.error_code, answer.base_offset, stamped);
                self.note(format!("Produce of {bytes} bytes, {what}"), answer);
            }
        }
        let more = CreatePartitionsTopic::default()
            .with_name(topic_of("obeying"))
            .with_count(4)
            .with_assignments(None);
        self.grow(3, vec![more], false);
        for partition in 1..4 {
            self.until("a new partition", |wire| {
                let answer = wire.fetch("obeying", partition, 0);
                answer.responses[0].partitions[0].error_code == 0
            });
            let answer = self.wire.produce("obeying", partition, batch(10_000));
            let code = answer.responses[0].partition_responses[0].error_code;
            self.note(format!("Produce to new partition {partition}"), code);
        }
    }

    fn describe_topic_partitions(&mut self) {
        self.topic("a-page", 3);
        self.topic("b-page", 2);
        for (what, topics, limit, cursor) in [
            ("both", &["b-page", "a-page"][..], 2000, None),
            ("a limit", &["a-page", "b-page"], 2, None),
            (
                "a limit at the end of a topic",
                &["a-page", "b-page"],
                3,
                None,
            ),
            ("a cursor", &["a-page", "b-page"], 2, Some(("a-page", 2))),
            (
                "a cursor at the second",
                &["a-page", "b-page"],
                9,
                Some(("b-page", 0)),
            ),
            (
                "a cursor beyond the end",
                &["a-page", "b-page"],
                9,
                Some(("a-page", 9)),
            ),
            ("a cursor elsewhere", &["a-page"], 9, Some(("b-page", 0))),
            (
                "a cursor before the first",
                &["a-page"],
                9,
                Some(("a-page", -1)),
            ),
            ("no limit", &["a-page"], 0, None),
            ("less than no limit", &["a-page"], -7, None),
            ("a topic twice", &["a-page", "a-page"], 9, None),
            ("an unknown topic", &["a-page", "unheard-of"], 9, None),
            (
                "an unknown topic at the cursor",
                &["unheard-of"],
                9,
                Some(("unheard-of", 1)),
            ),
            ("a bad name", &["a/b"], 9, None),
            ("an empty name", &["a/b", ""], 9, None),
            ("all", &[], 4, None),
            ("all from a cursor", &[], 4, Some(("b", 1))),
            ("all from before the first", &[], 4, Some(("b", -1))),
        ] {
            let request = DescribeTopicPartitionsRequest::default()
                .with_topics(
                    topics
                        .iter()
                        .map(|name| TopicRequest::default().with_name(topic_of(name)))
                        .collect(),
                )
                .with_response_partition_limit(limit)
                .with_cursor(cursor.map(|(topic, partition)| {
                    Cursor::default()
                        .with_topic_name(topic_of(topic))
                        .with_partition_index(partition)
                }));
            let answer = self.wire.call(0, &request);
            self.note(format!("DescribeTopicPartitions {what}"), answer);
        }
    }

    fn list_config_resources(&mut self) {
        for (version, kinds) in [
            (0, &[][..]),
            (1, &[TOPIC]),
            (1, &[BROKER]),
            (1, &[TOPIC, BROKER]),
            (1, &[GROUP]),
            (1, &[METRICS]),
            (1, &[3]),
            (1, &[TOPIC, 0]),
            (1, &[LOGGER]),
            (1, &[]),
        ] {
            let request = ListConfigResourcesRequest::default().with_resource_types(kinds.to_vec());
            let mut answer = self.wire.call(version, &request);
            let order =
                |r: &kafka_protocol::messages::list_config_resources_response::ConfigResource| {
                    (r.resource_type, r.resource_name.to_string())
                };
            answer.config_resources.sort_by_key(order);
            self.note(format!("ListConfigResources {version} {kinds:?}"), answer);
        }
    }

    fn describe_cluster(&mut self) {
        for version in 0..=2 {
            for (what, endpoint, operations, fenced) in [
                ("plain", 1, false, false),
                ("operations", 1, true, false),
                ("controllers", 2, false, false),
                ("an unknown endpoint", 7, false, false),
                ("fenced", 1, false, true),
            ] {
                let mut request = DescribeClusterRequest::default()
                    .with_include_cluster_authorized_operations(operations);
                if version >= 1 {
                    request.endpoint_type = endpoint;
                }
                if version >= 2 {
                    request.include_fenced_brokers = fenced;
                }
                let answer = self.wire.call(version, &request);
                self.note(format!("DescribeCluster {version} {what}"), answer);
            }
        }
    }

    fn describe_quorum(&mut self) {
        let topic = |name: &str, partitions: &[i32]| {
            let partition = |index: &i32| PartitionData::default().with_partition_index(*index);
            TopicData::default()
                .with_topic_name(topic_of(name))
                .with_partitions(partitions.iter().map(partition).collect())
        };
        let log = "__cluster_metadata";
        for version in 0..=2 {
            for (what, topics) in [
                ("the log", vec![topic(log, &[0])]),
                ("another partition", vec![topic(log, &[1])]),
                ("two partitions", vec![topic(log, &[0, 1])]),
                ("another topic", vec![topic("plain", &[0])]),
                ("two topics", vec![topic(log, &[0]), topic("plain", &[0])]),
                ("nothing", vec![]),
            ] {
                let request = DescribeQuorumRequest::default().with_topics(topics);
                let mut answer = self.wire.call(version, &request);
                let known =
                    answer.topics.len() == 1 && answer.topics[0].partitions[0].error_code == 0;
                let mut facts = Vec::new();
                if known {
                    // Offsets, epochs and times are each broker's own; what they must be to each other is not.
                    let partition = &mut answer.topics[0].partitions[0];
                    facts.push(partition.leader_epoch > 0);
                    let high_watermark = std::mem::take(&mut partition.high_watermark);
                    facts.push(high_watermark > 0);
                    partition.leader_epoch = 0;
                    for voter in &mut partition.current_voters {
                        facts.push(std::mem::take(&mut voter.log_end_offset) >= high_watermark);
                        facts.push(std::mem::take(&mut voter.last_fetch_timestamp) > 0);
                        facts.push(std::mem::take(&mut voter.last_caught_up_timestamp) > 0);
                        // Kafka knows it with a dynamic quorum only.
                        voter.replica_directory_id = Default::default();
                    }
                    for node in &mut answer.nodes {
                        facts.push(!node.listeners.is_empty());
                        node.listeners.clear();
                    }
                }
                self.note(format!("DescribeQuorum {version} {what}"), (facts, answer));
            }
        }
    }
}

fn describe(
    wire: &mut Wire,
    version: i16,
    resources: &[(i8, &str)],
    keys: Option<&[&str]>,
    synonyms: bool,
) -> Vec<DescribeConfigsResult> {
    let resource = |(kind, name): &(i8, &str)| {
        DescribeConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(text(name))
            .with_configuration_keys(keys.map(|keys| keys.iter().map(|key| text(key)).collect()))
    };
    let request = DescribeConfigsRequest::default()
        .with_resources(resources.iter().map(resource).collect())
        .with_include_synonyms(synonyms)
        .with_include_documentation(version >= 3);
    wire.call(version, &request).results
}

/// Without what only we have, in one order, and with a mark for documentation, whose words are ours.
fn comparable(mut result: DescribeConfigsResult) -> DescribeConfigsResult {
    result
        .configs
        .retain(|config| !config.name.starts_with("corelane."));
    result.configs.sort_by(|a, b| a.name.cmp(&b.name));
    for config in &mut result.configs {
        if &*config.name == "min.insync.replicas" {
            // Kafka's own start gives all brokers a value for it, the default (eligible leader replicas, KIP-966).
            config.synonyms.retain(|synonym| synonym.source != 3);
            config.config_source = match config.config_source {
                3 => 5,
                source => source,
            };
        }
        config.documentation = config.documentation.as_ref().map(|_| text("…"));
    }
    result
}

/// What a topic was given: name and value.
fn configured(wire: &mut Wire, topic: &str) -> Vec<(String, String)> {
    let result = describe(wire, 4, &[(TOPIC, topic)], None, false).remove(0);
    let result = comparable(result);
    let given = result
        .configs
        .into_iter()
        .filter(|config| config.config_source == 1);
    given
        .map(|config| {
            let value = config.value.unwrap_or_default();
            (config.name.to_string(), value.to_string())
        })
        .collect()
}
