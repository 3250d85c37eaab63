//! Stories of a whole worker: bytes in, bytes out.

mod bent;
mod deaf;
mod many;
mod odd;
mod pressure;

use bytes::Bytes;
use corelane_engine::types::TopicId;

use super::NetLimits;
use super::fake::{Rig, batch, framed, request};
use super::group_tests;
use crate::api::{self, TABLE};
use crate::context::{Operation, RequestContext, Resource};
use crate::event::{ConnId, Machine};
use crate::protocol::api_versions_request::ApiVersionsRequest;
use crate::protocol::api_versions_response::ApiVersionsResponse;
use crate::protocol::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use crate::protocol::create_topics_response::CreateTopicsResponse;
use crate::protocol::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use crate::protocol::delete_records_response::DeleteRecordsResponse;
use crate::protocol::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use crate::protocol::delete_topics_response::DeleteTopicsResponse;
use crate::protocol::describe_log_dirs_request::{DescribableLogDirTopic, DescribeLogDirsRequest};
use crate::protocol::describe_log_dirs_response::DescribeLogDirsResponse;
use crate::protocol::fetch_request::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use crate::protocol::fetch_response::FetchResponse;
use crate::protocol::init_producer_id_request::InitProducerIdRequest;
use crate::protocol::init_producer_id_response::InitProducerIdResponse;
use crate::protocol::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use crate::protocol::list_offsets_response::ListOffsetsResponse;
use crate::protocol::metadata_request::{MetadataRequest, MetadataRequestTopic};
use crate::protocol::metadata_response::MetadataResponse;
use crate::protocol::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use crate::protocol::offset_for_leader_epoch_response::OffsetForLeaderEpochResponse;
use crate::protocol::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use crate::protocol::produce_response::ProduceResponse;
use crate::protocol::{Message, Records, Uuid, Writer};

fn produce(topic: &str, id: TopicId, partition: i32, records: Bytes) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            topic_id: Uuid(id.0),
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Some(Records::from(records)),
            }],
        }],
        ..ProduceRequest::default()
    }
}

/// Topic, partition, and the first offset to keep.
fn delete_records(asked: &[(&str, i32, i64)]) -> DeleteRecordsRequest {
    let topics = asked.iter().map(|&(name, partition_index, offset)| {
        let partition = DeleteRecordsPartition {
            partition_index,
            offset,
        };
        DeleteRecordsTopic {
            name: name.into(),
            partitions: vec![partition],
        }
    });
    DeleteRecordsRequest {
        topics: topics.collect(),
        timeout_ms: 1_000,
    }
}

fn epoch_end(topic: &str, leader_epoch: i32) -> OffsetForLeaderEpochRequest {
    let partition = OffsetForLeaderPartition {
        leader_epoch,
        ..Default::default()
    };
    OffsetForLeaderEpochRequest {
        topics: vec![OffsetForLeaderTopic {
            topic: topic.into(),
            partitions: vec![partition],
        }],
        ..Default::default()
    }
}

fn fetch(topic: &str, id: TopicId, partitions: &[(i32, i64)]) -> FetchRequest {
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 50 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.into(),
            topic_id: Uuid(id.0),
            partitions: partitions
                .iter()
                .map(|&(partition, fetch_offset)| FetchPartition {
                    partition,
                    fetch_offset,
                    partition_max_bytes: 1 << 20,
                    ..FetchPartition::default()
                })
                .collect(),
        }],
        ..FetchRequest::default()
    }
}

fn code(response: &ProduceResponse) -> (i16, i64) {
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

/// Partition, code, bytes of records, high watermark.
fn fetched(response: &FetchResponse) -> Vec<(i32, i16, usize, i64)> {
    response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions)
        .map(|p| {
            (
                p.partition_index,
                p.error_code,
                p.records.as_ref().map_or(0, Records::len),
                p.high_watermark,
            )
        })
        .collect()
}

fn hold(rig: &mut Rig, on: bool) {
    rig.workers
        .iter_mut()
        .for_each(|w| w.storage_mut().hold = on);
    rig.run();
}

#[test]
fn what_is_produced_is_fetched_in_every_version() {
    for shards in [1, 2] {
        let mut rig = Rig::new(shards);
        let id = rig.topic("t", 3);
        let conn = rig.connect(0);
        let mut end = 0;
        for version in 3..=13 {
            for partition in 0..3 {
                let answer: ProduceResponse = rig.ask(
                    conn,
                    0,
                    version,
                    &produce("t", id, partition, batch(2, 0, 10)),
                );
                assert_eq!(code(&answer), (0, end), "produce v{version}");
            }
            end += 2;
        }
        for version in 4..=18 {
            let answer: FetchResponse = rig.ask(
                conn,
                1,
                version,
                &fetch("t", id, &[(0, 20), (2, 18), (1, 0)]),
            );
            let expected = [(0, 0, 71, 22), (2, 0, 142, 22), (1, 0, 781, 22)];
            assert_eq!(fetched(&answer), expected, "fetch v{version}");
            assert_eq!(answer.responses.len(), 1, "one topic");
        }
    }
}

#[test]
fn requests_are_pipelined_and_answered_in_order_in_one_send() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 2);
    let conn = rig.connect(0);
    hold(&mut rig, true);
    let mut stream = Vec::new();
    for n in 0..10 {
        stream.extend(request(0, 9, n, &produce("t", id, n % 2, batch(1, 0, 0))));
    }
    stream.extend(request(18, 0, 10, &ApiVersionsRequest::default()));
    rig.write(conn, &stream);
    let appended: usize = rig
        .workers
        .iter_mut()
        .map(|w| w.storage_mut().pending.len())
        .sum();
    assert_eq!(appended, 10, "all were started before one was answered");
    let before = rig.peers[&conn].sends;
    assert!(
        rig.peers[&conn].answers.is_empty(),
        "the answer of ApiVersions waits for its turn"
    );
    hold(&mut rig, false);
    for n in 0..10 {
        let (answered, answer) = rig.answer::<ProduceResponse>(conn, 0, 9);
        assert_eq!(
            (answered, code(&answer)),
            (n, (0, i64::from(n) / 2)),
            "order within each partition"
        );
    }
    assert_eq!(rig.answer::<ApiVersionsResponse>(conn, 18, 0).0, 10);
    assert!(rig.peers[&conn].sends - before <= 2, "one send per pass");
}

#[test]
fn a_topic_change_is_a_barrier_on_its_connection() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 1);
    let (conn, other) = (rig.connect(0), rig.connect(0));
    hold(&mut rig, true);
    rig.undecided = true;
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "new".into(),
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        ..CreateTopicsRequest::default()
    };
    let mut stream = request(0, 9, 1, &produce("t", id, 0, batch(1, 0, 0)));
    stream.extend(request(19, 5, 2, &create));
    stream.extend(request(0, 9, 3, &produce("new", id, 0, batch(1, 0, 0))));
    rig.write(conn, &stream);
    rig.ask::<ApiVersionsResponse>(other, 18, 0, &ApiVersionsRequest::default());
    hold(&mut rig, false);
    assert_eq!(rig.answer::<ProduceResponse>(conn, 0, 9).0, 1);
    assert!(
        rig.peers[&conn].answers.is_empty(),
        "the topic is not there yet"
    );
    rig.undecided = false;
    rig.run();
    let (id, created) = rig.answer::<CreateTopicsResponse>(conn, 19, 5);
    assert_eq!((id, created.topics[0].error_code), (2, 0));
    let (id, answer) = rig.answer::<ProduceResponse>(conn, 0, 9);
    assert_eq!(
        (id, code(&answer)),
        (3, (0, 0)),
        "produced into the topic just created"
    );
}

#[test]
fn a_fetch_waits_for_records_or_for_its_time() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 4);
    let (reader, writer) = (rig.connect(0), rig.connect(1));
    let ask = fetch("t", id, &[(0, 0), (1, 0), (2, 0), (3, 0)]);
    rig.send(reader, 1, 12, 1, &ask);
    assert!(rig.try_answer::<FetchResponse>(reader, 1, 12).is_none());
    let _: ProduceResponse = rig.ask(writer, 0, 9, &produce("t", id, 3, batch(1, 0, 0)));
    let (_, answer) = rig.answer::<FetchResponse>(reader, 1, 12);
    assert_eq!(
        fetched(&answer),
        [(0, 0, 0, 0), (1, 0, 0, 0), (2, 0, 0, 0), (3, 0, 61, 1)]
    );
    assert!(
        rig.workers
            .iter_mut()
            .all(|w| w.storage_mut().watches.is_empty()),
        "every watch was ended"
    );

    rig.send(reader, 1, 12, 2, &fetch("t", id, &[(0, 0), (3, 1)]));
    rig.wait(499);
    assert!(rig.try_answer::<FetchResponse>(reader, 1, 12).is_none());
    rig.wait(1);
    let (_, answer) = rig.answer::<FetchResponse>(reader, 1, 12);
    assert_eq!(fetched(&answer), [(0, 0, 0, 0), (3, 0, 0, 1)]);

    let more = FetchRequest {
        min_bytes: 100,
        ..fetch("t", id, &[(0, 0)])
    };
    rig.send(reader, 1, 12, 3, &more);
    let _: ProduceResponse = rig.ask(writer, 0, 9, &produce("t", id, 0, batch(1, 0, 0)));
    assert!(
        rig.try_answer::<FetchResponse>(reader, 1, 12).is_none(),
        "61 bytes are below the minimum"
    );
    let _: ProduceResponse = rig.ask(writer, 0, 9, &produce("t", id, 0, batch(1, 0, 0)));
    assert_eq!(
        fetched(&rig.answer::<FetchResponse>(reader, 1, 12).1),
        [(0, 0, 122, 2)]
    );

    rig.send(reader, 1, 12, 4, &fetch("t", id, &[(0, 99), (1, 0)]));
    let (_, answer) = rig.answer::<FetchResponse>(reader, 1, 12);
    assert_eq!(
        fetched(&answer),
        [(0, 1, 0, -1), (1, 0, 0, 0)],
        "an error is told at once"
    );

    rig.send(reader, 1, 12, 5, &fetch("t", id, &[(1, 0)]));
    rig.event_closed(reader);
    assert!(
        rig.workers
            .iter_mut()
            .all(|w| w.storage_mut().watches.is_empty()),
        "who left does not wait"
    );
}

#[test]
fn the_whole_answer_is_bounded_but_never_empty() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 3);
    let conn = rig.connect(0);
    for partition in [0, 1, 2, 0, 1] {
        let _: ProduceResponse =
            rig.ask(conn, 0, 9, &produce("t", id, partition, batch(1, 0, 939)));
    }
    let small = FetchRequest {
        max_bytes: 10,
        ..fetch("t", id, &[(2, 0), (1, 0)])
    };
    let answer: FetchResponse = rig.ask(conn, 1, 12, &small);
    assert_eq!(fetched(&answer), [(2, 0, 1000, 1), (1, 0, 0, 2)]);
    let some = FetchRequest {
        max_bytes: 2999,
        ..fetch("t", id, &[(2, 0), (1, 0), (0, 0)])
    };
    let answer: FetchResponse = rig.ask(conn, 1, 12, &some);
    assert_eq!(
        fetched(&answer),
        [(2, 0, 1000, 1), (1, 0, 1000, 2), (0, 0, 0, 2)]
    );
}

#[test]
fn a_session_tells_changes_only() {
    let mut rig = Rig::new(2);
    let conn = rig.connect(1);
    for (version, t) in [(7, "t"), (13, "u")] {
        let id = rig.topic(t, 3);
        let first = FetchRequest {
            session_epoch: 0,
            max_wait_ms: 0,
            ..fetch(t, id, &[(0, 0), (1, 0), (2, 0)])
        };
        let answer: FetchResponse = rig.ask(conn, 1, version, &first);
        assert_eq!(fetched(&answer).len(), 3);
        let session_id = answer.session_id;
        assert!(session_id > 0);
        let next = |session_epoch, topics: Vec<FetchTopic>| FetchRequest {
            session_id,
            session_epoch,
            topics,
            max_wait_ms: 0,
            ..fetch(t, id, &[])
        };
        let answer: FetchResponse = rig.ask(conn, 1, version, &next(1, vec![]));
        assert_eq!(
            (fetched(&answer).len(), answer.session_id),
            (0, session_id),
            "nothing changed"
        );
        let _: ProduceResponse = rig.ask(conn, 0, 9, &produce(t, id, 1, batch(1, 0, 0)));
        let answer: FetchResponse = rig.ask(conn, 1, version, &next(2, vec![]));
        assert_eq!(fetched(&answer), [(1, 0, 61, 1)]);
        let forget = FetchRequest {
            forgotten_topics_data: vec![ForgottenTopic {
                topic: t.into(),
                topic_id: Uuid(id.0),
                partitions: vec![1],
            }],
            ..next(3, fetch(t, id, &[(0, 9)]).topics)
        };
        let answer: FetchResponse = rig.ask(conn, 1, version, &forget);
        assert_eq!(
            fetched(&answer),
            [(0, 1, 0, -1)],
            "the changed offset is out of range; 1 is forgotten"
        );
        let answer: FetchResponse = rig.ask(conn, 1, version, &next(9, vec![]));
        assert_eq!((answer.error_code, answer.session_id), (71, 0));
        let answer: FetchResponse =
            rig.ask(conn, 1, if version == 7 { 13 } else { 7 }, &next(4, vec![]));
        assert_eq!(answer.error_code, 106);
        let gone = FetchRequest {
            session_id: session_id ^ 1,
            ..next(1, vec![])
        };
        let answer: FetchResponse = rig.ask(conn, 1, version, &gone);
        assert_eq!(answer.error_code, 70);
        let close = FetchRequest {
            session_id,
            max_wait_ms: 0,
            ..fetch(t, id, &[(0, 0)])
        };
        let answer: FetchResponse = rig.ask(conn, 1, version, &close);
        assert_eq!((answer.session_id, fetched(&answer).len()), (0, 1));
        let answer: FetchResponse = rig.ask(conn, 1, version, &next(4, vec![]));
        assert_eq!(answer.error_code, 70, "epoch -1 closed it");
    }
}

#[test]
fn refusals_of_produce_and_fetch_are_kafkas() {
    let mut rig = Rig::new(1);
    let id = rig.topic("t", 1);
    let conn = rig.connect(0);
    let none = TopicId([9; 16]);
    let mut check = |version, message: &ProduceRequest, expected: i16| {
        let answer: ProduceResponse = rig.ask(conn, 0, version, message);
        assert_eq!(code(&answer), (expected, -1));
    };
    check(9, &produce("no", id, 0, batch(1, 0, 0)), 3);
    check(13, &produce("", none, 0, batch(1, 0, 0)), 100);
    check(9, &produce("t", id, 1, batch(1, 0, 0)), 3);
    check(9, &produce("t", id, -1, batch(1, 0, 0)), 3);
    check(
        9,
        &ProduceRequest {
            acks: 2,
            ..produce("t", id, 0, batch(1, 0, 0))
        },
        21,
    );
    check(6, &produce("t", id, 0, batch(1, 4, 0)), 76);
    check(9, &produce("t", id, 0, batch(1, 0x10, 0)), 53);
    check(9, &produce("t", id, 0, Bytes::new()), 87);
    let mut old = batch(1, 0, 0).to_vec();
    old[16] = 1;
    check(9, &produce("t", id, 0, old.into()), 87);

    hold(&mut rig, true);
    rig.send(
        conn,
        0,
        9,
        1,
        &ProduceRequest {
            timeout_ms: 6_000,
            ..produce("t", id, 0, batch(1, 0, 0))
        },
    );
    rig.wait(6_000);
    assert_eq!(code(&rig.answer::<ProduceResponse>(conn, 0, 9).1), (7, -1));
    hold(&mut rig, false);
    assert!(
        rig.peers[&conn].answers.is_empty(),
        "the late answer finds nobody"
    );

    let answer: FetchResponse = rig.ask(conn, 1, 12, &fetch("no", id, &[(0, 0)]));
    assert_eq!(fetched(&answer), [(0, 3, 0, -1)]);
    let answer: FetchResponse = rig.ask(conn, 1, 13, &fetch("", none, &[(0, 0)]));
    assert_eq!(fetched(&answer), [(0, 100, 0, -1)]);
    let follower = FetchRequest {
        replica_id: 2,
        ..fetch("t", id, &[(0, 0)])
    };
    let answer: FetchResponse = rig.ask(conn, 1, 12, &follower);
    assert_eq!(
        fetched(&answer),
        [(0, 6, 0, -1)],
        "nobody becomes a follower by saying so"
    );
}

#[test]
fn acks_0_is_silent_and_an_error_closes() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 2);
    let conn = rig.connect(0);
    for partition in [0, 1] {
        let silent = ProduceRequest {
            acks: 0,
            ..produce("t", id, partition, batch(1, 0, 0))
        };
        rig.send(conn, 0, 9, 1, &silent);
    }
    assert!(rig.peers[&conn].answers.is_empty());
    let answer: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 0, batch(1, 0, 0)));
    assert_eq!(code(&answer), (0, 1));
    rig.send(
        conn,
        0,
        9,
        2,
        &ProduceRequest {
            acks: 0,
            ..produce("no", id, 0, batch(1, 0, 0))
        },
    );
    assert!(rig.closed(conn));
}

#[test]
fn api_versions_is_answered_whatever_is_asked() {
    let mut rig = Rig::new(1);
    let conn = rig.connect(0);
    for version in 0..=4 {
        let ask = ApiVersionsRequest {
            client_software_name: "kcat".into(),
            client_software_version: "1.7".into(),
        };
        let answer: ApiVersionsResponse = rig.ask(conn, 18, version, &ask);
        let rows: Vec<_> = answer
            .api_keys
            .iter()
            .map(|k| (k.api_key, k.min_version, k.max_version))
            .collect();
        assert_eq!(
            rows,
            [
                (0, 0, 13),
                (1, 4, 18),
                (2, 1, 11),
                (3, 0, 13),
                (8, 2, 10),
                (9, 1, 10),
                (10, 0, 6),
                (11, 0, 9),
                (12, 0, 4),
                (13, 0, 5),
                (14, 0, 5),
                (15, 0, 6),
                (16, 0, 5),
                (18, 0, 4),
                (19, 2, 7),
                (20, 1, 6),
                (21, 0, 2),
                (22, 0, 5),
                (23, 2, 4),
                (29, 1, 3),
                (30, 1, 3),
                (31, 1, 3),
                (32, 1, 4),
                (33, 0, 2),
                (35, 1, 5),
                (37, 0, 3),
                (42, 0, 2),
                (44, 0, 1),
                (47, 0, 0),
                (55, 0, 2),
                (60, 0, 2),
                (74, 0, 1),
                (75, 0, 0)
            ]
        );
    }
    let answer: ApiVersionsResponse = rig.ask(conn, 18, 3, &ApiVersionsRequest::default());
    assert_eq!(
        (answer.error_code, answer.api_keys.len()),
        (42, 0),
        "no software name"
    );
    rig.write(conn, &framed(18, 99, 5, b"anything"));
    let (id, answer) = rig.answer::<ApiVersionsResponse>(conn, 18, 0);
    assert_eq!((id, answer.error_code), (5, 35));
    assert_eq!(
        answer
            .api_keys
            .iter()
            .map(|k| k.api_key)
            .collect::<Vec<_>>(),
        [18]
    );
    assert!(!rig.closed(conn));
}

fn named(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: Some(name.into()),
        ..MetadataRequestTopic::default()
    }
}

/// Code and name of each topic.
fn topics(answer: &MetadataResponse) -> Vec<(i16, String)> {
    answer
        .topics
        .iter()
        .map(|t| (t.error_code, t.name.as_deref().unwrap_or("-").to_owned()))
        .collect()
}

#[test]
fn metadata_shows_what_there_is_and_creates_what_may_be() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 2);
    let conn = rig.connect(1);
    for version in 0..=13 {
        let all = MetadataRequest {
            topics: (version == 0).then(Vec::new),
            ..MetadataRequest::default()
        };
        if version != 0 {
            let none = MetadataRequest {
                topics: Some(Vec::new()),
                ..MetadataRequest::default()
            };
            let answer: MetadataResponse = rig.ask(conn, 3, version, &none);
            assert_eq!(topics(&answer), [], "an empty list is no topic");
        }
        let answer: MetadataResponse = rig.ask(conn, 3, version, &all);
        assert_eq!(topics(&answer), [(0, "t".to_owned())]);
        let broker = &answer.brokers[0];
        assert_eq!(
            (broker.node_id, &*broker.host, broker.port),
            (1, "127.0.0.1", 9092)
        );
        assert_eq!(answer.topics[0].partitions.len(), 2);
        assert_eq!(answer.topics[0].partitions[1].leader_id, 1);
    }
    let mut ask = |version, create, topics| {
        let message = MetadataRequest {
            topics: Some(topics),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        rig.ask::<MetadataResponse>(conn, 3, version, &message)
    };
    assert_eq!(
        topics(&ask(9, false, vec![named("new"), named("a/b")])),
        [(17, "a/b".into()), (3, "new".into())]
    );
    let answer = ask(
        9,
        true,
        vec![
            named("new"),
            named("a/b"),
            named("new"),
            named("__transaction_state"),
        ],
    );
    let expected =
        [(3, "__transaction_state"), (17, "a/b"), (0, "new")].map(|(c, n)| (c, n.to_owned()));
    assert_eq!(topics(&answer), expected);
    assert_eq!(answer.topics[2].partitions.len(), 1);
    assert_eq!(
        topics(&ask(1, true, vec![named("old")])),
        [(0, "old".into())]
    );
    let by_id = |id: TopicId| MetadataRequestTopic {
        topic_id: Uuid(id.0),
        ..MetadataRequestTopic::default()
    };
    let answer = ask(12, false, vec![by_id(id), by_id(TopicId([9; 16]))]);
    assert_eq!(topics(&answer), [(0, "t".into()), (100, "-".into())]);
}

#[test]
fn offsets_are_listed() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 2);
    let conn = rig.connect(0);
    let _: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 1, batch(5, 0, 0)));
    let mut check = |version, name: &str, asked: &[(i32, i64)], expected: &[(i16, i64, i64)]| {
        let message = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: name.into(),
                partitions: asked
                    .iter()
                    .map(|&(partition_index, timestamp)| ListOffsetsPartition {
                        partition_index,
                        timestamp,
                        ..ListOffsetsPartition::default()
                    })
                    .collect(),
            }],
            ..ListOffsetsRequest::default()
        };
        let answer: ListOffsetsResponse = rig.ask(conn, 2, version, &message);
        let got: Vec<_> = answer.topics[0]
            .partitions
            .iter()
            .map(|p| (p.error_code, p.offset, p.timestamp))
            .collect();
        assert_eq!(got, expected, "v{version}");
    };
    for version in 1..=11 {
        check(version, "t", &[(0, -1), (1, -1)], &[(0, 0, -1), (0, 5, -1)]);
        check(version, "t", &[(1, 70)], &[(0, 0, 77)]);
        check(version, "t", &[(1, 78)], &[(0, -1, -1)]);
        check(version, "t", &[(2, -1)], &[(3, -1, -1)]);
        check(version, "no", &[(0, -1)], &[(3, -1, -1)]);
        check(
            version,
            "t",
            &[(0, -1), (0, -2), (1, -2)],
            &[(42, -1, -1), (42, -1, -1), (0, 0, -1)],
        );
    }
    check(6, "t", &[(1, -3)], &[(35, -1, -1)]);
    check(11, "t", &[(1, -3)], &[(0, 0, 77)]);
    check(11, "t", &[(1, -4)], &[(0, 0, -1)]);
    check(11, "t", &[(1, -5)], &[(0, -1, -1)]);
    check(11, "t", &[(1, -6)], &[(0, -1, -1)]);
    check(11, "t", &[(1, -7)], &[(35, -1, -1)]);
}

fn new_topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions,
        replication_factor,
        ..CreatableTopic::default()
    }
}

fn create(
    rig: &mut Rig,
    conn: ConnId,
    version: i16,
    topics: Vec<CreatableTopic>,
) -> Vec<(String, i16, String)> {
    let message = CreateTopicsRequest {
        topics,
        ..CreateTopicsRequest::default()
    };
    let answer: CreateTopicsResponse = rig.ask(conn, 19, version, &message);
    let row = |t: &crate::protocol::create_topics_response::CreatableTopicResult| {
        (
            t.name.to_string(),
            t.error_code,
            t.error_message.as_deref().unwrap_or("").to_owned(),
        )
    };
    answer.topics.iter().map(row).collect()
}

/// Codes and messages were taken from Apache Kafka 4.3.1; what the controller says is tested there.
#[test]
fn topics_are_created_or_refused_in_kafkas_words() {
    let mut rig = Rig::new(2);
    let conn = rig.connect(0);
    for version in 2..=7 {
        let name = format!("v{version}");
        assert_eq!(
            create(&mut rig, conn, version, vec![new_topic(&name, 1, 1)]),
            [(name, 0, String::new())]
        );
    }
    let assigned = CreatableTopic {
        assignments: vec![CreatableReplicaAssignment {
            partition_index: 4,
            broker_ids: vec![7, 1],
        }],
        ..new_topic("x", -1, -1)
    };
    let cases = [
        (new_topic("v2", 1, 1), 36, "Topic 'v2' already exists."),
        (
            new_topic("", 1, 1),
            17,
            "Topic name is invalid: the empty string is not allowed",
        ),
        (assigned, 39, "[(4, [NodeId(7), NodeId(1)])]"),
        (
            new_topic("__cluster_metadata", 1, 1),
            42,
            "Creation of internal topic __cluster_metadata is prohibited.",
        ),
        (
            new_topic("x", 100_000, 1),
            44,
            "Excessively large number of partitions per request.",
        ),
        (new_topic("z", -1, -1), 0, ""),
    ];
    for (topic, code, message) in cases {
        let name = topic.name.to_string();
        assert_eq!(
            create(&mut rig, conn, 5, vec![topic]),
            [(name, code, message.to_owned())]
        );
    }
    let twice = vec![
        new_topic("d", 1, 1),
        new_topic("d", 1, 1),
        new_topic("e", 1, 1),
    ];
    let got = create(&mut rig, conn, 5, twice);
    assert_eq!(
        got,
        [
            ("e".into(), 0, String::new()),
            ("d".into(), 42, "Duplicate topic name.".into())
        ]
    );
    let long = "a".repeat(32_767);
    let got = create(&mut rig, conn, 4, vec![new_topic(&long, 1, 1)]);
    assert_eq!(
        (got[0].1, got[0].2.len()),
        (17, 8192),
        "a message that quotes it still fits the wire"
    );
    let given = CreatableTopicConfig {
        name: "segment.bytes".into(),
        value: Some("2097152".into()),
    };
    let validate = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            configs: vec![given],
            ..new_topic("only", 3, 1)
        }],
        validate_only: true,
        ..CreateTopicsRequest::default()
    };
    let answer: CreateTopicsResponse = rig.ask(conn, 19, 7, &validate);
    let only = &answer.topics[0];
    assert_eq!(
        (
            only.error_code,
            only.num_partitions,
            only.replication_factor
        ),
        (0, 3, 1)
    );
    let configs = only.configs.as_deref().expect("shown");
    assert!(configs.is_sorted_by_key(|c| c.name.to_string()));
    let shown = |name: &str| {
        let config = configs.iter().find(|c| &*c.name == name).expect("there");
        (
            config.value.as_deref().expect("a value").to_owned(),
            config.config_source,
        )
    };
    assert_eq!(shown("segment.bytes"), ("2097152".to_owned(), 1));
    assert_eq!(shown("cleanup.policy"), ("delete".to_owned(), 5));
    // Kafka shows 33; two are ours.
    assert_eq!(configs.len(), 35);
    assert!(rig.workers[0].image_mut().topic("only").is_none());
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut rig = Rig::new(2);
    let conn = rig.connect(1);
    for version in 1..=5 {
        rig.topic("t", 1);
        let message = DeleteTopicsRequest {
            topic_names: vec!["t".into(), "no".into(), "d".into(), "d".into()],
            ..DeleteTopicsRequest::default()
        };
        let answer: DeleteTopicsResponse = rig.ask(conn, 20, version, &message);
        let mut got: Vec<_> = answer
            .responses
            .iter()
            .map(|r| (r.name.as_deref().unwrap_or("-"), r.error_code))
            .collect();
        got.sort();
        assert_eq!(got, [("d", 42), ("no", 3), ("t", 0)], "v{version}");
    }
    let (a, b) = (rig.topic("a", 1), rig.topic("b", 1));
    let state = |name: Option<&str>, id: TopicId| DeleteTopicState {
        name: name.map(Into::into),
        topic_id: Uuid(id.0),
    };
    let none = TopicId([9; 16]);
    let message = DeleteTopicsRequest {
        topics: vec![
            state(None, a),
            state(Some("b"), TopicId::ZERO),
            state(None, b),
            state(None, none),
            state(None, TopicId::ZERO),
            state(Some("x"), none),
        ],
        ..DeleteTopicsRequest::default()
    };
    let answer: DeleteTopicsResponse = rig.ask(conn, 20, 6, &message);
    let mut got: Vec<_> = answer
        .responses
        .iter()
        .map(|r| {
            (
                r.error_code,
                r.name.as_deref().unwrap_or("-"),
                r.error_message.as_deref().unwrap_or(""),
            )
        })
        .collect();
    got.sort();
    assert_eq!(
        got,
        [
            (0, "a", ""),
            (42, "-", "Neither topic name nor id were specified."),
            (
                42,
                "b",
                "The provided topic name maps to an ID that was already supplied."
            ),
            (42, "x", "You may not specify both topic name and topic id."),
            (100, "-", "This server does not host this topic ID."),
        ]
    );
    assert!(
        rig.workers[0]
            .image_mut()
            .topics()
            .map(|t| &*t.name)
            .eq(["b"])
    );
}

fn idempotent() -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: None,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    }
}

#[test]
fn producer_ids_are_never_given_twice() {
    let mut rig = Rig::new(2);
    let conns = [rig.connect(0), rig.connect(1)];
    let mut seen = std::collections::BTreeSet::new();
    for version in 0..=5 {
        for conn in conns {
            for _ in 0..300 {
                let answer: InitProducerIdResponse = rig.ask(conn, 22, version, &idempotent());
                assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
                assert!(seen.insert(answer.producer_id));
            }
        }
    }
    let mut check = |message: InitProducerIdRequest, expected: i16| {
        let answer: InitProducerIdResponse = rig.ask(conns[0], 22, 3, &message);
        assert_eq!(answer.error_code, expected);
        assert_eq!(
            (answer.producer_id == -1, answer.producer_epoch == -1),
            (expected != 0, expected != 0)
        );
    };
    check(
        InitProducerIdRequest {
            transactional_id: Some("x".into()),
            ..Default::default()
        },
        53,
    );
    check(
        InitProducerIdRequest {
            transactional_id: Some("".into()),
            ..Default::default()
        },
        42,
    );
    check(
        InitProducerIdRequest {
            producer_id: 7,
            ..idempotent()
        },
        42,
    );
    check(
        InitProducerIdRequest {
            producer_id: 7,
            producer_epoch: 3,
            ..idempotent()
        },
        0,
    );
}

#[test]
fn records_are_deleted_and_sizes_told_across_shards() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 4);
    let conn = rig.connect(0);
    for partition in 0..4 {
        let _: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, partition, batch(3, 0, 5)));
    }
    let asked = [
        ("t", 0, 2),
        ("t", 1, -1),
        ("t", 2, 9),
        ("t", 4, 0),
        ("t", 3, 0),
        ("t", 3, 1),
        ("gone", 0, 0),
        ("t", -1, 0),
    ];
    let answer: DeleteRecordsResponse = rig.ask(conn, 21, 2, &delete_records(&asked));
    let mut got: Vec<(&str, i32, i64, i16)> = Vec::new();
    for topic in &answer.topics {
        let partitions = topic.partitions.iter();
        got.extend(partitions.map(|p| {
            (
                &*topic.name,
                p.partition_index,
                p.low_watermark,
                p.error_code,
            )
        }));
    }
    let expected = [
        ("gone", 0, -1, 3),
        ("t", -1, -1, 3),
        ("t", 0, 2, 0),
        ("t", 1, 3, 0),
        ("t", 2, -1, 1),
        ("t", 3, 1, 0),
        ("t", 4, -1, 3),
    ];
    assert_eq!(got, expected);
    let all: DescribeLogDirsResponse =
        rig.ask(conn, 35, 4, &DescribeLogDirsRequest { topics: None });
    let topics = Some(vec![DescribableLogDirTopic {
        topic: "t".into(),
        partitions: vec![3, 3, 1, 9],
    }]);
    let some: DescribeLogDirsResponse = rig.ask(conn, 35, 4, &DescribeLogDirsRequest { topics });
    for (answer, expected) in [(all, vec![0, 1, 2, 3]), (some, vec![1, 3])] {
        let [directory] = &answer.results[..] else {
            panic!("{answer:?}")
        };
        let told = (
            &*directory.log_dir,
            directory.total_bytes,
            directory.usable_bytes,
        );
        assert_eq!(told, ("/data", 1_000, 100));
        let partitions = directory.topics.iter().flat_map(|t| &t.partitions);
        let partitions: Vec<i32> = partitions
            .inspect(|p| assert!(p.partition_size > 60))
            .map(|p| p.partition_index)
            .collect();
        assert_eq!(partitions, expected);
    }
    let end: OffsetForLeaderEpochResponse = rig.ask(conn, 23, 4, &epoch_end("t", 0));
    let end = &end.topics[0].partitions[0];
    assert_eq!(
        (end.error_code, end.leader_epoch, end.end_offset),
        (0, 0, 3)
    );
}

fn nobody(_: &RequestContext, _: Operation, _: Resource<'_>) -> bool {
    false
}

#[test]
fn with_an_authorizer_that_says_no_every_api_refuses() {
    let mut rig = Rig::with(1, nobody, NetLimits::NORMAL);
    let id = rig.topic("t", 1);
    let conn = rig.connect(0);
    for entry in &TABLE {
        let version = entry.version_max;
        let (got, expected) = match entry.api {
            api::Api::Produce => {
                let by_id: ProduceResponse =
                    rig.ask(conn, 0, version, &produce("", id, 0, batch(1, 0, 0)));
                let unknown: ProduceResponse =
                    rig.ask(conn, 0, 9, &produce("no", id, 0, batch(1, 0, 0)));
                (vec![code(&by_id).0, code(&unknown).0], vec![29, 29])
            }
            api::Api::Fetch => {
                let by_id: FetchResponse = rig.ask(conn, 1, version, &fetch("", id, &[(0, 0)]));
                let unknown: FetchResponse = rig.ask(conn, 1, 12, &fetch("no", id, &[(0, 0)]));
                let follower = FetchRequest {
                    replica_id: 2,
                    ..fetch("t", id, &[(0, 0)])
                };
                let follower: FetchResponse = rig.ask(conn, 1, 12, &follower);
                (
                    vec![
                        fetched(&by_id)[0].1,
                        fetched(&unknown)[0].1,
                        fetched(&follower)[0].1,
                    ],
                    vec![29, 29, 29],
                )
            }
            api::Api::ListOffsets => {
                let message = ListOffsetsRequest {
                    topics: vec![ListOffsetsTopic {
                        name: "t".into(),
                        partitions: vec![ListOffsetsPartition::default()],
                    }],
                    ..Default::default()
                };
                let answer: ListOffsetsResponse = rig.ask(conn, 2, version, &message);
                (vec![answer.topics[0].partitions[0].error_code], vec![29])
            }
            api::Api::Metadata => {
                let all: MetadataResponse = rig.ask(
                    conn,
                    3,
                    version,
                    &MetadataRequest {
                        topics: None,
                        ..Default::default()
                    },
                );
                assert_eq!(all.topics.len(), 0, "names are not revealed");
                let message = MetadataRequest {
                    topics: Some(vec![named("t"), named("new")]),
                    ..Default::default()
                };
                let answer: MetadataResponse = rig.ask(conn, 3, version, &message);
                (
                    answer.topics.iter().map(|t| t.error_code).collect(),
                    vec![29, 29],
                )
            }
            api::Api::ApiVersions => {
                let answer: ApiVersionsResponse =
                    rig.ask(conn, 18, 0, &ApiVersionsRequest::default());
                (vec![answer.error_code], vec![0])
            }
            api::Api::CreateTopics => {
                let got = create(&mut rig, conn, version, vec![new_topic("new", 1, 1)]);
                assert_eq!(got[0].2, "Authorization failed.");
                (vec![got[0].1], vec![29])
            }
            api::Api::DeleteTopics => {
                let message = DeleteTopicsRequest {
                    topics: vec![
                        DeleteTopicState {
                            name: Some("t".into()),
                            ..Default::default()
                        },
                        DeleteTopicState {
                            name: Some("no".into()),
                            ..Default::default()
                        },
                        DeleteTopicState {
                            topic_id: Uuid(id.0),
                            ..Default::default()
                        },
                    ],
                    ..Default::default()
                };
                let answer: DeleteTopicsResponse = rig.ask(conn, 20, version, &message);
                (
                    answer.responses.iter().map(|r| r.error_code).collect(),
                    vec![29, 29, 29],
                )
            }
            api::Api::DeleteRecords => {
                let message = delete_records(&[("t", 0, 0), ("no", 0, 0)]);
                let answer: DeleteRecordsResponse = rig.ask(conn, 21, version, &message);
                let codes = answer.topics.iter().map(|t| t.partitions[0].error_code);
                (codes.collect(), vec![29, 29])
            }
            api::Api::OffsetForLeaderEpoch => {
                let answer: OffsetForLeaderEpochResponse =
                    rig.ask(conn, 23, version, &epoch_end("t", 0));
                (vec![answer.topics[0].partitions[0].error_code], vec![29])
            }
            api::Api::DescribeLogDirs => {
                let message = DescribeLogDirsRequest { topics: None };
                let answer: DescribeLogDirsResponse = rig.ask(conn, 35, version, &message);
                assert!(answer.results.is_empty(), "nothing is revealed");
                (vec![answer.error_code], vec![31])
            }
            api::Api::InitProducerId => {
                let answer: InitProducerIdResponse = rig.ask(conn, 22, version, &idempotent());
                (vec![answer.error_code], vec![31])
            }
            api::Api::OffsetCommit
            | api::Api::OffsetFetch
            | api::Api::FindCoordinator
            | api::Api::JoinGroup
            | api::Api::Heartbeat
            | api::Api::LeaveGroup
            | api::Api::SyncGroup
            | api::Api::DescribeGroups
            | api::Api::ListGroups
            | api::Api::DeleteGroups
            | api::Api::OffsetDelete => group_tests::denied(&mut rig, conn, entry),
            admin @ (api::Api::DescribeAcls
            | api::Api::CreateAcls
            | api::Api::DeleteAcls
            | api::Api::DescribeConfigs
            | api::Api::AlterConfigs
            | api::Api::CreatePartitions
            | api::Api::IncrementalAlterConfigs
            | api::Api::DescribeQuorum
            | api::Api::DescribeCluster
            | api::Api::ListConfigResources
            | api::Api::DescribeTopicPartitions) => {
                super::admin_tests::refused(&mut rig, conn, admin, version)
            }
        };
        assert_eq!(got, expected, "{}", entry.name);
        assert_eq!(
            entry.needs.is_none(),
            expected == [0],
            "{}: the table says otherwise",
            entry.name
        );
    }
    assert!(
        rig.workers[0].storage_mut().log.is_empty(),
        "nothing reached the log"
    );
}

/// A request of every API, filled as far as its fields go.
fn any_request(key: i16, version: i16, id: TopicId) -> Vec<u8> {
    fn body(message: &impl Message, version: i16) -> Vec<u8> {
        let mut writer = Writer::plain();
        message
            .encode(&mut writer, version)
            .expect("a message of this version");
        writer.into_bytes().to_vec()
    }
    match key {
        0 => body(&produce("t", id, 0, batch(1, 0, 5)), version),
        1 => body(
            &FetchRequest {
                max_wait_ms: 0,
                ..fetch("t", id, &[(0, 0), (1, 0)])
            },
            version,
        ),
        2 => {
            let partitions = vec![ListOffsetsPartition {
                timestamp: -1,
                ..Default::default()
            }];
            let topics = vec![ListOffsetsTopic {
                name: "t".into(),
                partitions,
            }];
            body(
                &ListOffsetsRequest {
                    topics,
                    ..Default::default()
                },
                version,
            )
        }
        3 => body(
            &MetadataRequest {
                topics: Some(vec![named("t")]),
                ..Default::default()
            },
            version,
        ),
        18 => body(
            &ApiVersionsRequest {
                client_software_name: "a".into(),
                client_software_version: "1".into(),
            },
            version,
        ),
        19 => body(
            &CreateTopicsRequest {
                topics: vec![new_topic("t", 1, 1)],
                ..Default::default()
            },
            version,
        ),
        20 if version < 6 => body(
            &DeleteTopicsRequest {
                topic_names: vec!["no".into()],
                ..Default::default()
            },
            version,
        ),
        20 => {
            let topics = vec![DeleteTopicState {
                name: Some("no".into()),
                ..Default::default()
            }];
            body(
                &DeleteTopicsRequest {
                    topics,
                    ..Default::default()
                },
                version,
            )
        }
        21 => body(&delete_records(&[("t", 0, 0)]), version),
        22 => body(&idempotent(), version),
        23 => body(&epoch_end("t", 0), version),
        35 => {
            let topics = Some(vec![DescribableLogDirTopic {
                topic: "t".into(),
                partitions: vec![0, 1],
            }]);
            body(&DescribeLogDirsRequest { topics }, version)
        }
        8..=16 | 42 | 47 => group_tests::example(key, version),
        key if let Some(body) = super::admin_tests::any_body(key, version) => body,
        key => panic!("{key} has no example"),
    }
}

#[test]
fn every_request_cut_short_closes_and_a_stretched_one_is_answered() {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 2);
    let healthy = rig.connect(1);
    for entry in &TABLE {
        for version in entry.served_min..=entry.version_max {
            let whole = any_request(entry.key, version, id);
            let conn = rig.connect(0);
            rig.write(conn, &framed(entry.key, version, 1, &whole));
            assert!(
                !rig.closed(conn),
                "{} v{version} is well-formed",
                entry.name
            );
            assert!(
                !rig.peers[&conn].answers.is_empty(),
                "{} v{version} is answered",
                entry.name
            );
            for end in 0..whole.len() {
                let conn = rig.connect(0);
                rig.write(conn, &framed(entry.key, version, 1, &whole[..end]));
                assert!(
                    rig.closed(conn),
                    "{} v{version} cut at {end} of {}",
                    entry.name,
                    whole.len()
                );
                rig.peers.get_mut(&conn).expect("known").answers.clear();
            }
            let conn = rig.connect(0);
            rig.write(
                conn,
                &framed(entry.key, version, 1, &[&whole[..], &[0]].concat()),
            );
            assert!(
                !rig.closed(conn) && !rig.peers[&conn].answers.is_empty(),
                "{} v{version} with a byte too many",
                entry.name
            );
            let _: ApiVersionsResponse = rig.ask(healthy, 18, 0, &ApiVersionsRequest::default());
        }
    }
    assert_eq!(rig.workers[0].buffers.charged(), 0, "nothing leaked");
}

#[test]
fn hostile_streams_close_their_own_connection() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let healthy = rig.connect(0);
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let http = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let streams: [&[u8]; 9] = [
        &[0, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff],
        &[0x80, 0, 0, 0],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0, 0, 0, 3, 1, 2, 3],
        hello,
        http,
        &framed(2000, 0, 1, &[]),
        &framed(0, 2, 1, &[]),
    ];
    for stream in streams {
        let conn = rig.connect(0);
        rig.write(conn, stream);
        assert!(rig.closed(conn), "{stream:?}");
        let _: ApiVersionsResponse = rig.ask(healthy, 18, 0, &ApiVersionsRequest::default());
    }
    // An array of two billion topics in a frame of a few bytes.
    for (key, version) in [
        (0, 3),
        (1, 4),
        (2, 1),
        (3, 1),
        (15, 0),
        (19, 2),
        (20, 1),
        (21, 0),
        (23, 2),
        (35, 1),
        (42, 0),
    ] {
        let conn = rig.connect(0);
        rig.write(conn, &framed(key, version, 1, &[0x7f; 40]));
        assert!(rig.closed(conn), "{key}");
    }
    assert_eq!(rig.workers[0].buffers.charged(), 0);
}

#[test]
fn a_byte_at_a_time_is_slow_but_served() {
    let mut rig = Rig::new(1);
    let conn = rig.connect(0);
    for byte in framed(18, 0, 3, &[]) {
        rig.write(conn, &[byte]);
    }
    assert_eq!(rig.answer::<ApiVersionsResponse>(conn, 18, 0).0, 3);
}

#[test]
fn a_client_that_does_not_read_is_not_read() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    rig.peers.get_mut(&conn).expect("known").deaf = true;
    let ask = request(18, 0, 1, &ApiVersionsRequest::default());
    rig.write(conn, &ask.repeat(500_000));
    assert!(rig.peers[&conn].unread() > 0, "the socket is left full");
    assert!(!rig.closed(conn));
}

#[test]
fn large_frames_wait_for_memory_and_the_stalled_give_theirs_back() {
    let limits = NetLimits {
        large_bytes_max: 4 << 20,
        ..NetLimits::NORMAL
    };
    let mut rig = Rig::with(1, crate::context::authorize_all, limits);
    let id = rig.topic("t", 1);
    let large = request(0, 9, 1, &produce("t", id, 0, batch(1, 0, 3 << 20)));
    let hostile: Vec<ConnId> = (0..20).map(|_| rig.connect(0)).collect();
    for &conn in &hostile {
        rig.write(conn, &large[..2 << 20]);
    }
    assert!(
        rig.workers[0].buffers.charged() <= 10 << 20,
        "{}",
        rig.workers[0].buffers.charged()
    );
    let conn = rig.connect(0);
    rig.write(conn, &large);
    assert!(
        rig.try_answer::<ProduceResponse>(conn, 0, 9).is_none(),
        "no memory now"
    );
    let small = rig.connect(0);
    let _: ProduceResponse = rig.ask(small, 0, 9, &produce("t", id, 0, batch(1, 0, 0)));
    for _ in 0..120 {
        rig.wait(5_000);
    }
    assert_eq!(code(&rig.answer::<ProduceResponse>(conn, 0, 9).1).0, 0);
    assert!(hostile.iter().any(|&conn| rig.closed(conn)));
}
