//! Our answers beside Apache Kafka's: one script of requests, over every version we serve, errors included, is sent to both,
//! and the answers are compared field by field. What differs by design stands in [`DIFFERENCES`].

use bytes::Bytes;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, DeleteTopicsRequest, InitProducerIdRequest, ListOffsetsRequest,
    MetadataRequest, ProduceRequest,
};
use kafka_protocol::protocol::Message;
use uuid::Uuid;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::runtime;
use corelane_tests::harness::wire::{
    Wire, create_topics, fetch_request, produce_request, topic_of,
};

/// Steps, by how their names begin, whose answers differ, and why.
const DIFFERENCES: &[(&str, &str)] = &[];

/// The APIs that we serve.
const KEYS: [i16; 19] = [
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 42, 47,
];

#[test]
fn answers_are_those_of_apache_kafka() {
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
        let wrong: Vec<String> = expected
            .iter()
            .zip(&got)
            .filter(|(kafka, ours)| kafka != ours)
            .filter(|((step, _), _)| !DIFFERENCES.iter().any(|(name, _)| step.starts_with(name)))
            .map(|((step, kafka), (_, ours))| format!("{step}\n  kafka {kafka}\n  ours  {ours}"))
            .collect();
        assert!(
            wrong.is_empty(),
            "{shards} shards, {} of {} answers differ:\n{}",
            wrong.len(),
            expected.len(),
            wrong.join("\n")
        );
    }
}

/// One broker's side of the conversation.
struct Script {
    wire: Wire,
    /// What is a broker's own choice, and the word that stands for it.
    own: Vec<(String, String)>,
    answers: Vec<(String, String)>,
}

impl Script {
    fn new(broker: &Broker) -> Script {
        let mut wire = Wire::connect(broker.address());
        let cluster = wire.metadata("nothing").cluster_id.expect("a cluster id");
        Script {
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
        self.api_versions();
        self.topics();
        self.metadata();
        self.produce();
        self.producer_ids();
        self.idempotent();
        self.fetch();
        self.list_offsets();
        self.delete();
        self.answers
    }

    /// Notes an answer without what is the broker's own choice.
    fn note(&mut self, step: String, answer: impl std::fmt::Debug) {
        let mut text = format!("{answer:?}");
        for (own, word) in &self.own {
            text = text.replace(own, word);
        }
        self.answers.push((step, without_messages(&text)));
    }

    /// Creates a topic and remembers its id; returns it.
    fn topic(&mut self, name: &str, partitions: i32) -> Uuid {
        self.wire.create_topic(name, partitions, &[]);
        let id = self.wire.metadata(name).topics[0].topic_id;
        self.own.push((id.to_string(), format!("ID-OF-{name}")));
        id
    }

    fn api_versions(&mut self) {
        for version in 0..=4 {
            let mut request = ApiVersionsRequest::default();
            if version >= 3 {
                request = request
                    .with_client_software_name("tests".to_owned().into())
                    .with_client_software_version("1".to_owned().into());
            }
            let mut answer = self.wire.call(version, &request);
            answer.api_keys.retain(|api| KEYS.contains(&api.api_key));
            answer.api_keys.sort_by_key(|api| api.api_key);
            // Features are promised when they are real.
            let keys = (answer.error_code, answer.api_keys);
            self.note(format!("ApiVersions {version}"), keys);
        }
    }

    fn topics(&mut self) {
        for version in 2..=7 {
            let fresh = format!("created-{version}");
            let long = "x".repeat(250);
            for (what, name, partitions, configs) in [
                (
                    "new",
                    fresh.as_str(),
                    2,
                    &[("segment.bytes", "2097152")][..],
                ),
                ("existing", fresh.as_str(), 2, &[]),
                ("no partitions", "zero", 0, &[]),
                ("fewer than no partitions", "minus", -2, &[]),
                ("bad name", "a/b", 1, &[]),
                ("empty name", "", 1, &[]),
                ("dots", "..", 1, &[]),
                ("long name", &long, 1, &[]),
                ("unknown config", "odd", 1, &[("no.such.config", "1")]),
                (
                    "config of a wrong type",
                    "odd",
                    1,
                    &[("segment.bytes", "many")],
                ),
                ("config out of bounds", "odd", 1, &[("segment.bytes", "10")]),
                (
                    "bad enumeration",
                    "odd",
                    1,
                    &[("message.timestamp.type", "Never")],
                ),
            ] {
                let request = create_topics(name, partitions, configs);
                let mut answer = self.wire.call(version, &request);
                for topic in &mut answer.topics {
                    // Compared by DescribeConfigs, once that is served.
                    topic.configs = None;
                    if !topic.topic_id.is_nil() {
                        topic.topic_id = Uuid::from_u128(1);
                    }
                }
                self.note(format!("CreateTopics {version} {what}"), answer);
            }
            let mut request = create_topics("wide", 1, &[]);
            request.topics[0].replication_factor = 2;
            let answer = self.wire.call(version, &request);
            self.note(
                format!("CreateTopics {version} two replicas"),
                answer.topics,
            );
            let request = create_topics("tried", 1, &[]).with_validate_only(true);
            let answer = self.wire.call(version, &request);
            let codes: Vec<i16> = answer.topics.iter().map(|t| t.error_code).collect();
            self.note(format!("CreateTopics {version} validate only"), codes);
            let known = self.wire.metadata("tried").topics[0].error_code;
            self.note(format!("CreateTopics {version} validated"), known);
        }
    }

    fn metadata(&mut self) {
        let id = self.topic("known", 3);
        for version in 0..=13 {
            let mut cases = vec![
                ("known", Some("known"), None),
                ("bad name", Some("a/b"), None),
            ];
            if version >= 4 {
                cases.push(("unknown", Some("unheard-of"), None));
            }
            if version >= 12 {
                cases.push(("by id", None, Some(id)));
                cases.push(("by unknown id", None, Some(Uuid::from_u128(99))));
            }
            for (what, name, id) in cases {
                let topic = MetadataRequestTopic::default()
                    .with_name(name.map(topic_of))
                    .with_topic_id(id.unwrap_or_default());
                let request = MetadataRequest::default()
                    .with_topics(Some(vec![topic]))
                    .with_allow_auto_topic_creation(version < 4);
                let answer = self.wire.call(version, &request);
                self.note(format!("Metadata {version} {what}"), answer);
            }
            if version >= 1 {
                let request = MetadataRequest::default().with_topics(Some(Vec::new()));
                let answer = self.wire.call(version, &request);
                self.note(format!("Metadata {version} of no topic"), answer);
            }
        }
    }

    fn produce(&mut self) {
        let id = self.topic("produced", 1);
        let good = || Batch::of(&[b"a", b"b"]).bytes();
        for version in 3..=13 {
            let request = |topic: &str, id: Uuid, partition, acks, records: Bytes| {
                let mut request = produce_request(topic, partition, acks, records);
                if version >= 13 {
                    request.topic_data[0].topic_id = id;
                    request.topic_data[0].name = topic_of("");
                }
                request
            };
            let mut bad_crc = Batch::of(&[b"x"]);
            bad_crc.crc = Some(7);
            let unknown = Uuid::from_u128(99);
            for (what, request) in [
                ("good", request("produced", id, 0, -1, good())),
                ("acks 1", request("produced", id, 0, 1, good())),
                ("acks 2", request("produced", id, 0, 2, good())),
                ("bad partition", request("produced", id, 9, -1, good())),
                (
                    "unknown topic",
                    request("unheard-of", unknown, 0, -1, good()),
                ),
                ("bad crc", request("produced", id, 0, -1, bad_crc.bytes())),
            ] {
                let answer = self.wire.call::<ProduceRequest>(version, &request);
                self.note(format!("Produce {version} {what}"), answer);
            }
        }
    }

    fn producer_ids(&mut self) {
        for version in 0..=5 {
            let mut request = InitProducerIdRequest::default().with_transaction_timeout_ms(1000);
            if version >= 3 {
                request = request
                    .with_producer_id((-1).into())
                    .with_producer_epoch(-1);
            }
            let answer = self.wire.call(version, &request);
            let fresh = answer.producer_id.0 >= 0;
            let answer = (answer.error_code, fresh, answer.producer_epoch);
            self.note(format!("InitProducerId {version}"), answer);
        }
    }

    /// Sequences: the duplicate answered with its first offset, gaps and old epochs refused.
    fn idempotent(&mut self) {
        self.topic("idempotent", 1);
        let request = InitProducerIdRequest::default()
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let id = self.wire.call(4, &request).producer_id.0;
        for (what, epoch, sequence) in [
            ("first", 0, 0),
            ("second", 0, 2),
            ("duplicate of the first", 0, 0),
            ("gap", 0, 9),
            ("next epoch, not from 0", 1, 4),
            ("next epoch", 1, 0),
            ("old epoch", 0, 4),
            ("duplicate in the new epoch", 1, 0),
            ("third", 1, 2),
            ("fourth", 1, 4),
            ("fifth", 1, 6),
            ("sixth", 1, 8),
            ("seventh", 1, 10),
            ("a duplicate of six batches ago", 1, 0),
        ] {
            let records = Batch::of(&[b"a", b"b"]).by(id, epoch, sequence).bytes();
            let answer = self.wire.produce("idempotent", 0, records);
            self.note(format!("idempotent Produce, {what}"), answer);
        }
        let unknown = Batch::of(&[b"a"]).by(id + 500_000, 0, 7).bytes();
        let answer = self.wire.produce("idempotent", 0, unknown);
        self.note("idempotent Produce, an unknown producer".to_owned(), answer);
    }

    fn fetch(&mut self) {
        let id = self.topic("fetched", 1);
        for _ in 0..3 {
            self.wire
                .produce("fetched", 0, Batch::of(&[b"a", b"b"]).bytes());
        }
        for version in 4..=18 {
            for (what, topic, partition, offset, epoch) in [
                ("all", "fetched", 0, 0, -1),
                ("from the middle of a batch", "fetched", 0, 3, -1),
                ("at the end", "fetched", 0, 6, -1),
                ("beyond the end", "fetched", 0, 7, -1),
                ("before the start", "fetched", 0, -1, -1),
                ("bad partition", "fetched", 5, 0, -1),
                ("unknown topic", "unheard-of", 0, 0, -1),
                ("epoch of the future", "fetched", 0, 0, 9),
            ] {
                let mut request = fetch_request(topic, partition, offset, 0);
                let known = topic == "fetched";
                if version >= 13 {
                    request.topics[0].topic = topic_of("");
                    request.topics[0].topic_id = if known { id } else { Uuid::from_u128(99) };
                }
                if version >= 9 {
                    request.topics[0].partitions[0].current_leader_epoch = epoch;
                }
                if version < 7 {
                    request.session_epoch = -1;
                }
                let answer = self.wire.call(version, &request);
                self.note(format!("Fetch {version} {what}"), answer);
            }
        }
        self.sessions();
    }

    /// KIP-227: made, continued, unknown, at a wrong epoch, closed.
    fn sessions(&mut self) {
        let mut request = fetch_request("fetched", 0, 0, 0).with_session_epoch(0);
        let answer = self.wire.call(11, &request);
        let session = answer.session_id;
        assert_ne!(session, 0);
        self.own.push((
            format!("session_id: {session}"),
            "session_id: MADE".to_owned(),
        ));
        self.note("Fetch session, made".to_owned(), answer);
        request.topics.clear();
        for (what, id, epoch) in [
            ("continued", session, 1),
            ("at a wrong epoch", session, 7),
            ("unknown", session ^ 0x5555, 1),
            ("closed", session, -1),
            ("after its end", session, 2),
        ] {
            let request = request
                .clone()
                .with_session_id(id)
                .with_session_epoch(epoch);
            let answer = self.wire.call(11, &request);
            self.note(format!("Fetch session, {what}"), answer);
        }
    }

    fn list_offsets(&mut self) {
        self.topic("listed", 1);
        self.topic("empty", 1);
        for delta in [0, 500, 200] {
            let mut batch = Batch::of(&[b"a", b"b"]);
            batch.records[1].timestamp_delta = delta;
            self.wire.produce("listed", 0, batch.bytes());
        }
        let start = 1_700_000_000_000;
        for version in 1..=ListOffsetsRequest::VERSIONS.max.min(11) {
            let mut cases = vec![
                ("latest", "listed", 0, -1),
                ("earliest", "listed", 0, -2),
                ("by time, first", "listed", 0, start),
                ("by time, middle", "listed", 0, start + 100),
                ("by time, beyond", "listed", 0, start + 501),
                ("latest of nothing", "empty", 0, -1),
                ("by time of nothing", "empty", 0, 0),
                ("bad partition", "listed", 7, -1),
                ("unknown topic", "unheard-of", 0, -1),
            ];
            if version >= 7 {
                cases.push(("largest time", "listed", 0, -3));
                cases.push(("largest time of nothing", "empty", 0, -3));
            }
            if version >= 8 {
                cases.push(("earliest local", "listed", 0, -4));
            }
            if version >= 9 {
                cases.push(("latest tiered", "listed", 0, -5));
            }
            for (what, topic, partition, timestamp) in cases {
                let partition = ListOffsetsPartition::default()
                    .with_partition_index(partition)
                    .with_timestamp(timestamp);
                let topic = ListOffsetsTopic::default()
                    .with_name(topic_of(topic))
                    .with_partitions(vec![partition]);
                let request = ListOffsetsRequest::default()
                    .with_replica_id((-1).into())
                    .with_topics(vec![topic]);
                let answer = self.wire.call(version, &request);
                self.note(format!("ListOffsets {version} {what}"), answer);
            }
        }
    }

    fn delete(&mut self) {
        for version in 1..=6 {
            let name = format!("doomed-{version}");
            let id = self.topic(&name, 1);
            let states = |name: Option<&str>, id: Uuid| {
                let state = DeleteTopicState::default()
                    .with_name(name.map(topic_of))
                    .with_topic_id(id);
                DeleteTopicsRequest::default().with_topics(vec![state])
            };
            let named = |name: &str| {
                if version >= 6 {
                    states(Some(name), Uuid::nil())
                } else {
                    DeleteTopicsRequest::default().with_topic_names(vec![topic_of(name)])
                }
            };
            let mut cases = vec![
                ("known", named(&name)),
                ("again", named(&name)),
                ("bad name", named("a/b")),
            ];
            if version >= 6 {
                self.topic("doomed-by-id", 1);
                cases.push(("by gone id", states(None, id)));
                let id = self.wire.metadata("doomed-by-id").topics[0].topic_id;
                cases.push(("by id", states(None, id)));
                cases.push(("by unknown id", states(None, Uuid::from_u128(99))));
            }
            for (what, request) in cases {
                let request = request.with_timeout_ms(10_000);
                let answer = self.wire.call(version, &request);
                self.note(format!("DeleteTopics {version} {what}"), answer);
            }
        }
    }
}

/// Error messages are for people; their words are not compared, their presence is.
fn without_messages(text: &str) -> String {
    let mut parts = text.split("error_message: Some(\"");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str("error_message: Some(\"");
        kept.push_str(part.find("\")").map_or(part, |end| &part[end..]));
    }
    kept
}
