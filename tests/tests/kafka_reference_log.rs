//! Our answers about where logs begin and end beside Apache Kafka's: DeleteRecords, OffsetForLeaderEpoch and
//! DescribeLogDirs in every version, errors included, and what Fetch, Produce and ListOffsets say of a trimmed log. One
//! script is played to both, and the answers are compared field by field.

use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use corelane_net::protocol::describe_log_dirs_request as ours_request;
use corelane_net::protocol::describe_log_dirs_response::DescribeLogDirsResponse as OurDirs;
use corelane_net::protocol::{Message as _, Reader, Writer};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    ApiVersionsRequest, DeleteRecordsRequest, DescribeLogDirsRequest, ListOffsetsRequest,
    OffsetForLeaderEpochRequest,
};

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::runtime;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, create_topics, header_bytes, topic_of,
};

/// The APIs of this script.
const KEYS: [i16; 3] = [21, 23, 35];

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
    answers: Vec<(String, String)>,
}

/// Topic, partition, offset or epoch.
type Asked<'a> = (&'a str, i32, i64);

fn delete_records(asked: &[Asked<'_>]) -> DeleteRecordsRequest {
    let topics = asked.iter().map(|&(topic, partition, offset)| {
        let partition = DeleteRecordsPartition::default()
            .with_partition_index(partition)
            .with_offset(offset);
        DeleteRecordsTopic::default()
            .with_name(topic_of(topic))
            .with_partitions(vec![partition])
    });
    DeleteRecordsRequest::default()
        .with_topics(topics.collect())
        .with_timeout_ms(10_000)
}

/// Every topic with all its partitions.
fn log_dirs(topics: Option<&[(&str, &[i32])]>) -> DescribeLogDirsRequest {
    let topics = topics.map(|topics| {
        let topics = topics.iter().map(|(name, partitions)| {
            DescribableLogDirTopic::default()
                .with_topic(topic_of(name))
                .with_partitions(partitions.to_vec())
        });
        topics.collect()
    });
    DescribeLogDirsRequest::default().with_topics(topics)
}

impl Script {
    fn new(broker: &Broker) -> Script {
        Script {
            wire: Wire::connect(broker.address()),
            answers: Vec::new(),
        }
    }

    fn play(mut self) -> Vec<(String, String)> {
        self.api_versions();
        self.log_dirs("with nothing in it");
        self.delete_records();
        self.policies();
        self.epochs();
        self.log_dirs("with logs in it");
        self.answers
    }

    fn note(&mut self, step: String, answer: impl std::fmt::Debug) {
        self.answers.push((step, format!("{answer:?}")));
    }

    fn topic(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)], batches: usize) {
        self.wire.create_topic(name, partitions, configs);
        for number in 0..batches {
            let mut batch = Batch::of(&[b"a", b"b"]);
            batch.records[1].timestamp_delta = 10 * number as i64;
            self.wire.produce(name, 0, batch.bytes());
        }
    }

    fn api_versions(&mut self) {
        let request = ApiVersionsRequest::default();
        let mut answer = self.wire.call(2, &request);
        answer.api_keys.retain(|api| KEYS.contains(&api.api_key));
        answer.api_keys.sort_by_key(|api| api.api_key);
        self.note("ApiVersions".to_owned(), answer.api_keys);
    }

    fn delete(&mut self, version: i16, what: &str, asked: &[Asked<'_>]) {
        let mut answer = self.wire.call(version, &delete_records(asked));
        answer.topics.sort_by(|a, b| a.name.cmp(&b.name));
        for topic in &mut answer.topics {
            topic.partitions.sort_by_key(|p| p.partition_index);
        }
        self.note(format!("DeleteRecords {version} {what}"), answer);
    }

    fn delete_records(&mut self) {
        for version in 0..=2 {
            let name = format!("trimmed-{version}");
            self.topic(&name, 2, &[], 5);
            let topic = name.as_str();
            for (what, asked) in [
                ("of nothing", &[][..]),
                ("of an empty log", &[(topic, 1, -1)]),
                ("of an empty log, beyond", &[(topic, 1, 1)]),
                ("to the begin", &[(topic, 0, 0)]),
                ("to the middle", &[(topic, 0, 3)]),
                ("below the begin", &[(topic, 0, 1)]),
                ("beyond the end", &[(topic, 0, 11)]),
                ("to an offset below -1", &[(topic, 0, -2)]),
                ("of a bad partition", &[(topic, 2, 0), (topic, -1, 0)]),
                ("of an unknown topic", &[("unheard-of", 0, 0)]),
                ("of an internal topic", &[("__consumer_offsets", 0, 0)]),
                ("of a topic without a name", &[("", 0, 0)]),
                ("twice", &[(topic, 0, 5), (topic, 0, 4)]),
                ("of two at once", &[(topic, 0, 5), (topic, 1, 0)]),
            ] {
                self.delete(version, what, asked);
            }
            self.look_at(version, topic);
            self.delete(version, "of everything", &[(topic, 0, -1)]);
            self.look_at(version, topic);
            let batch = Batch::of(&[b"c"]).bytes();
            let answer = self.wire.produce(topic, 0, batch);
            self.note(format!("Produce to a trimmed log {version}"), answer);
            self.look_at(version, topic);
        }
    }

    /// What the other APIs say of a trimmed log.
    fn look_at(&mut self, round: i16, topic: &str) {
        for offset in [0, 2, 3, 4, 5, 9, 10, 11, 12] {
            let answer = self.wire.fetch(topic, 0, offset);
            self.note(format!("Fetch {round} from {offset}"), answer);
        }
        let start = 1_700_000_000_000;
        for timestamp in [-1, -2, -3, -4, 0, start, start + 20, start + 25, start + 50] {
            let partition = ListOffsetsPartition::default()
                .with_partition_index(0)
                .with_timestamp(timestamp);
            let topic = ListOffsetsTopic::default()
                .with_name(topic_of(topic))
                .with_partitions(vec![partition]);
            let request = ListOffsetsRequest::default()
                .with_replica_id((-1).into())
                .with_topics(vec![topic]);
            let answer = self.wire.call(8, &request);
            self.note(format!("ListOffsets {round} at {timestamp}"), answer);
        }
    }

    fn policies(&mut self) {
        for policy in ["compact", "compact,delete", "delete", ""] {
            let name = format!("policy-{}", policy.replace(',', "-"));
            let request = create_topics(&name, 1, &[("cleanup.policy", policy)]);
            let answer = self.wire.call(5, &request);
            let code = answer.topics[0].error_code;
            self.note(format!("cleanup.policy={policy}"), code);
            if code != 0 {
                continue;
            }
            // It is there once it serves.
            let until = Instant::now() + ANSWER_WITHIN;
            while self.wire.fetch(&name, 0, 0).responses[0].partitions[0].error_code != 0 {
                assert!(Instant::now() < until, "{name} serves nothing");
            }
            let mut batch = Batch::of(&[b"a"]);
            batch.records[0].key = Some(b"k".to_vec());
            let answer = self.wire.produce(&name, 0, batch.bytes());
            self.note(format!("Produce with cleanup.policy={policy}"), answer);
            let what = format!("with cleanup.policy={policy}");
            self.delete(2, &what, &[(&name, 0, 1)]);
            self.delete(2, &what, &[(&name, 0, 7)]);
        }
    }

    fn epochs(&mut self) {
        self.topic("epochs", 2, &[], 3);
        for version in 2..=4 {
            for replica in [-2, -1, 1, 5] {
                for (what, topic, partition, current, epoch) in [
                    ("the current one", "epochs", 0, -1, 0),
                    ("the current one, known to be", "epochs", 0, 0, 0),
                    ("of an empty log", "epochs", 1, 0, 0),
                    ("a later one", "epochs", 0, -1, 1),
                    ("none", "epochs", 0, -1, -1),
                    ("below none", "epochs", 0, -1, -2),
                    ("with a future idea", "epochs", 0, 1, 0),
                    ("with an idea below none", "epochs", 0, -2, 0),
                    ("of a bad partition", "epochs", 2, -1, 0),
                    ("of partition -1", "epochs", -1, -1, 0),
                    ("of an unknown topic", "unheard-of", 0, -1, 0),
                ] {
                    let partition = OffsetForLeaderPartition::default()
                        .with_partition(partition)
                        .with_current_leader_epoch(current)
                        .with_leader_epoch(epoch);
                    let topic = OffsetForLeaderTopic::default()
                        .with_topic(topic_of(topic))
                        .with_partitions(vec![partition.clone(), partition]);
                    let request = OffsetForLeaderEpochRequest::default()
                        .with_replica_id(replica.into())
                        .with_topics(vec![topic]);
                    let answer = self.wire.call(version, &request);
                    let step = format!("OffsetForLeaderEpoch {version} as {replica} {what}");
                    self.note(step, answer);
                }
            }
            let nothing = OffsetForLeaderEpochRequest::default();
            let answer = self.wire.call(version, &nothing);
            self.note(format!("OffsetForLeaderEpoch {version} of nothing"), answer);
        }
        // KIP-320 in a fetch, too.
        self.delete(2, "below the epoch's begin", &[("epochs", 0, 4)]);
        let request = OffsetForLeaderEpochRequest::default().with_topics(vec![
            OffsetForLeaderTopic::default()
                .with_topic(topic_of("epochs"))
                .with_partitions(vec![OffsetForLeaderPartition::default()]),
        ]);
        let answer = self.wire.call(4, &request);
        self.note("OffsetForLeaderEpoch of a trimmed log".to_owned(), answer);
    }

    fn log_dirs(&mut self, when: &str) {
        type Topics<'a> = Option<&'a [(&'a str, &'a [i32])]>;
        let cases: [(&str, Topics<'_>); 5] = [
            ("all", None),
            ("none", Some(&[])),
            ("some", Some(&[("epochs", &[1, 0]), ("trimmed-1", &[0])])),
            ("twice", Some(&[("epochs", &[0, 0]), ("epochs", &[0])])),
            (
                "unknown",
                Some(&[("unheard-of", &[0]), ("epochs", &[7, -1])]),
            ),
        ];
        for version in 1..=4 {
            for (what, topics) in cases {
                let mut answer = self.wire.call(version, &log_dirs(topics));
                for directory in &mut answer.results {
                    assert!(directory.log_dir.starts_with('/'), "an absolute path");
                    directory.log_dir = "DIRECTORY".into();
                    for bytes in [&mut directory.total_bytes, &mut directory.usable_bytes] {
                        *bytes = bytes.signum();
                    }
                    directory.topics.sort_by(|a, b| a.name.cmp(&b.name));
                    for topic in &mut directory.topics {
                        topic.partitions.sort_by_key(|p| p.partition_index);
                    }
                }
                self.note(
                    format!("DescribeLogDirs {version} of {what}, {when}"),
                    answer,
                );
            }
        }
        let answer = self.log_dirs_5();
        let told = (answer.error_code, answer.results.len());
        let more = answer
            .results
            .iter()
            .map(|d| (d.error_code, d.is_cordoned, d.topics.len()));
        let more: Vec<_> = more.collect();
        self.note(format!("DescribeLogDirs 5, {when}"), (told, more));
    }

    /// Version 5, which the independent codec does not know, in ours.
    fn log_dirs_5(&mut self) -> OurDirs {
        let mut frame = header_bytes::<DescribeLogDirsRequest>(5, 77);
        let mut body = Writer::plain();
        let request = ours_request::DescribeLogDirsRequest { topics: None };
        request.encode(&mut body, 5).expect("version 5 is known");
        frame.extend_from_slice(&body.into_bytes());
        assert!(
            self.wire.send_frame(&frame),
            "the broker closed the connection"
        );
        let Reaction::Frame(answer) = self.wire.reaction(ANSWER_WITHIN) else {
            panic!("version 5 is not answered");
        };
        let mut answer = Bytes::from(answer);
        assert_eq!((answer.get_i32(), answer.get_u8()), (77, 0), "id, no tags");
        let mut reader = Reader::new(answer);
        let dirs = OurDirs::decode(&mut reader, 5).expect("an answer of version 5");
        reader.finish().expect("all of it");
        dirs
    }
}

/// Retention in a real process: the begin of the log moves, and the files go.
#[test]
fn what_is_too_old_leaves_the_disk() {
    let broker = Broker::start_own(Options {
        flags: ["--retention-check-ms", "20"].map(str::to_owned).to_vec(),
        ..Options::shards(2)
    });
    let mut wire = Wire::connect(broker.address());
    let small = ("segment.bytes", "1048576");
    let now = ("file.delete.delay.ms", "0");
    wire.create_topic("kept", 1, &[small, now, ("retention.ms", "-1")]);
    wire.create_topic("old", 1, &[small, now, ("retention.ms", "1")]);
    let large = ("retention.bytes", "1500000");
    wire.create_topic("large", 1, &[small, now, ("retention.ms", "-1"), large]);
    let compacted = ("cleanup.policy", "compact");
    let configs = [
        small,
        now,
        compacted,
        ("retention.ms", "1"),
        ("retention.bytes", "1"),
    ];
    wire.create_topic("compacted", 1, &configs);
    let value = vec![7; 200_000];
    for _ in 0..20 {
        for topic in ["kept", "old", "large", "compacted"] {
            let mut batch = Batch::of(&[&value]);
            batch.records[0].key = Some(b"k".to_vec());
            let answer = wire.produce(topic, 0, batch.bytes());
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        }
    }
    // The batches are of 2023: every one of them is too old.
    let until = Instant::now() + Duration::from_secs(30);
    let dirs = loop {
        let dirs = sizes(&mut wire);
        if dirs["old"] == 0 && dirs["large"] < 2_600_000 && files(&broker, "old", &mut wire) == 0 {
            break dirs;
        }
        assert!(Instant::now() < until, "nothing goes: {dirs:?}");
    };
    assert!(
        dirs["kept"] > 4_000_000 && dirs["compacted"] > 4_000_000,
        "{dirs:?}"
    );
    assert!(dirs["large"] >= 1_500_000, "{dirs:?}");
    assert_eq!(earliest(&mut wire, "old"), 20);
    assert!(earliest(&mut wire, "large") > 0);
    assert_eq!(
        (
            earliest(&mut wire, "kept"),
            earliest(&mut wire, "compacted")
        ),
        (0, 0)
    );
    let answer = wire.fetch("old", 0, 3);
    assert_eq!(answer.responses[0].partitions[0].error_code, 1);
}

fn sizes(wire: &mut Wire) -> std::collections::BTreeMap<String, i64> {
    let answer = wire.call(4, &log_dirs(None));
    let topics = answer.results[0].topics.iter();
    topics
        .map(|t| (t.name.to_string(), t.partitions[0].partition_size))
        .collect()
}

fn earliest(wire: &mut Wire, topic: &str) -> i64 {
    let partition = ListOffsetsPartition::default().with_timestamp(-2);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_of(topic))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![topic]);
    wire.call(5, &request).topics[0].partitions[0].offset
}

/// How many files with records a topic's partition has.
fn files(broker: &Broker, topic: &str, wire: &mut Wire) -> usize {
    let id = wire.metadata(topic).topics[0].topic_id;
    let data = broker.data_dir().expect("our own broker").join("topics");
    let path = data.join(format!("{}-0", id.simple()));
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    let lengths = entries.flatten().filter_map(|entry| entry.metadata().ok());
    lengths.filter(|meta| meta.len() > 0).count()
}
