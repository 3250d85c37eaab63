//! Hostile input: frames, headers, bodies and records that no client sends. Each is refused with Kafka's code or by closing
//! that connection; a second, healthy client is served all the while. Every row was tried against Apache Kafka 4.3.1.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, FetchRequest,
    InitProducerIdRequest, ListOffsetsRequest, MetadataRequest, ProduceRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};

use corelane_tests::harness::beside::{GROWTH_MAX, beside_a_healthy_client, produce_code};
use corelane_tests::harness::broker::Broker;
use corelane_tests::harness::records::{Batch, Record};
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, create_topics, fetch_request, header_bytes, produce_request,
    request_bytes, topic_of,
};

/// What a broker may do with a frame.
#[derive(Clone, Copy, Debug)]
enum Expect {
    /// Close the connection.
    Closed,
    /// Answer, or close: both are safe, and brokers differ.
    Any,
    /// Answer.
    Answer,
}

/// Sends `bytes` on a connection of its own and compares what happens.
fn check(broker: &Broker, what: &str, bytes: &[u8], expect: Expect) {
    let mut wire = Wire::connect(broker.address());
    wire.send_raw(bytes);
    let reaction = wire.reaction(ANSWER_WITHIN);
    let right = match expect {
        Expect::Closed => reaction == Reaction::Closed,
        Expect::Any => reaction != Reaction::Silent,
        Expect::Answer => matches!(reaction, Reaction::Frame(_)),
    };
    let got = match reaction {
        Reaction::Frame(body) => format!("an answer of {} bytes", body.len()),
        other => format!("{other:?}"),
    };
    assert!(right, "{what}: expected {expect:?}, got {got}");
}

/// `body` behind its size.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend(body);
    frame
}

#[test]
fn frames() {
    beside_a_healthy_client(|broker| {
        for (what, bytes) in [
            ("size 0", &[0_u8, 0, 0, 0][..]),
            ("size 3", &[0, 0, 0, 3, 0, 18, 0]),
            ("size -1", &[0xff; 4]),
            ("the smallest size", &[0x80, 0, 0, 0]),
            ("the largest size", &[0x7f, 0xff, 0xff, 0xff]),
            ("100 MiB and 1", &[0x06, 0x40, 0, 1]),
            ("a TLS hello", &[0x16, 3, 1, 0, 0x80, 1, 0, 0, 0x7c, 3, 3]),
            ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ] {
            check(broker, what, bytes, Expect::Closed);
        }
        promises_more_than_it_sends(broker);
        one_byte_at_a_time(broker);
        many_large_promises(broker);
        never_reads(broker);
    });
}

/// The connection waits, and is dropped without harm.
fn promises_more_than_it_sends(broker: &Broker) {
    let mut wire = Wire::connect(broker.address());
    wire.send_raw(&[0, 0, 1, 0, 0, 18, 0, 0]);
    assert_eq!(wire.reaction(Duration::from_millis(200)), Reaction::Silent);
    wire.finish();
    assert_eq!(wire.reaction(ANSWER_WITHIN), Reaction::Closed);
}

fn one_byte_at_a_time(broker: &Broker) {
    let mut wire = Wire::connect(broker.address());
    let frame = framed(&request_bytes(0, 7, &ApiVersionsRequest::default()));
    for byte in &frame[..frame.len() - 1] {
        assert!(wire.send_raw(&[*byte]));
        assert_eq!(wire.reaction(Duration::from_millis(5)), Reaction::Silent);
    }
    assert!(wire.send_raw(&frame[frame.len() - 1..]));
    assert!(matches!(wire.reaction(ANSWER_WITHIN), Reaction::Frame(_)));
}

/// 100 connections announce 100 MiB each and send 64 KiB of it: memory follows what came, not what was announced. (Apache
/// Kafka allocates the announcement, and ends without memory.)
fn many_large_promises(broker: &Broker) {
    if !broker.is_ours() {
        return;
    }
    let before = broker.resident_bytes();
    let mut start = 0x0640_0000_u32.to_be_bytes().to_vec();
    start.extend(header_bytes::<ProduceRequest>(9, 1));
    start.resize(64 << 10, 0);
    let mut wires: Vec<Wire> = (0..100).map(|_| Wire::connect(broker.address())).collect();
    for wire in &mut wires {
        // Waiting for the rest and refusing it are both right.
        wire.send_raw(&start);
    }
    // An answer on a last connection: what was sent before it has been read as far as the broker wants to.
    Wire::connect(broker.address()).call(0, &ApiVersionsRequest::default());
    let grown = broker.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "{grown} bytes for announcements");
}

/// 10 000 requests in one go, read only afterwards: answered in order, all of them.
fn never_reads(broker: &Broker) {
    let mut wire = Wire::connect(broker.address());
    let mut frames = Vec::new();
    for correlation in 0..10_000 {
        frames.extend(framed(&request_bytes(
            0,
            correlation,
            &ApiVersionsRequest::default(),
        )));
    }
    assert!(wire.send_raw(&frames), "backpressure must not close");
    for correlation in 0..10_000_i32 {
        match wire.reaction(ANSWER_WITHIN) {
            Reaction::Frame(body) => assert_eq!(body[..4], correlation.to_be_bytes()),
            other => panic!("answer {correlation}: {other:?}"),
        }
    }
}

#[test]
fn headers() {
    beside_a_healthy_client(|broker| {
        // Key, version, correlation id, null client id.
        let plain = |key: i16, version: i16| {
            let mut body = Vec::new();
            body.extend(key.to_be_bytes());
            body.extend(version.to_be_bytes());
            body.extend([0, 0, 0, 9, 0xff, 0xff]);
            body
        };
        for (what, key, version) in [
            ("an unknown key", 999, 0),
            ("a negative key", -1, 0),
            ("LeaderAndIsr", 4, 0),
            ("Vote, a controller's key", 52, 0),
            ("BrokerHeartbeat, a controller's key", 63, 0),
            ("Metadata of tomorrow", 3, 99),
            ("a negative version", 3, -1),
            ("Fetch from before KIP-896", 1, 3),
            ("CreateTopics from before KIP-896", 19, 1),
        ] {
            check(broker, what, &framed(&plain(key, version)), Expect::Closed);
        }
        // Only ApiVersions answers an unknown version: version 0, error 35, key 18 alone.
        let mut wire = Wire::connect(broker.address());
        let mut tomorrow = plain(18, 99);
        // No tags, two empty strings, no tags: what every version since 3 looks like.
        tomorrow.extend([0, 1, 1, 0]);
        wire.send_frame(&tomorrow);
        let Reaction::Frame(answer) = wire.reaction(ANSWER_WITHIN) else {
            panic!("ApiVersions 99 gets an answer");
        };
        assert_eq!(answer[..4], [0, 0, 0, 9]);
        assert_eq!(answer[4..6], [0, 35]);
        assert_eq!(answer[6..12], [0, 0, 0, 1, 0, 18]);

        let named = |client_id: &[u8]| {
            let mut body = vec![0, 18, 0, 0, 0, 0, 0, 9];
            body.extend((client_id.len() as u16).to_be_bytes());
            body.extend(client_id);
            framed(&body)
        };
        check(
            broker,
            "no client id",
            &framed(&plain(18, 0)),
            Expect::Answer,
        );
        check(
            broker,
            "a client id of 32 767 bytes",
            &named(&[b'x'; 32_767]),
            Expect::Answer,
        );
        check(
            broker,
            "a client id that is not UTF-8",
            &named(&[0xff, 0xfe]),
            Expect::Any,
        );
        let mut beyond = plain(18, 0);
        beyond[8..10].copy_from_slice(&[0x7f, 0xff]);
        check(
            broker,
            "a client id beyond the frame",
            &framed(&beyond),
            Expect::Closed,
        );

        // Flexible header of Metadata 12: the tag buffer after the client id.
        for (what, tags, expect) in [
            (
                "2^31 - 1 tags",
                &[0xff, 0xff, 0xff, 0xff, 7][..],
                Expect::Closed,
            ),
            // To Kafka a negative count, and so none.
            ("2^31 tags", &[0x80, 0x80, 0x80, 0x80, 8], Expect::Any),
            ("a tag beyond the end", &[1, 0, 0x7f], Expect::Closed),
            ("an endless varint", &[0xff; 10], Expect::Closed),
            ("a tag twice", &[2, 9, 0, 9, 0], Expect::Any),
            ("tags not sorted", &[2, 9, 0, 8, 0], Expect::Any),
        ] {
            let mut body = plain(3, 12);
            body.extend(tags);
            // All topics, no creation, no authorized operations, no tags.
            body.extend([0, 0, 0, 0]);
            check(broker, what, &framed(&body), expect);
        }
        let mut wire = Wire::connect(broker.address());
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("-bad name!"))
            .with_client_software_version(StrBytes::from_static_str("1"));
        assert_eq!(wire.call(3, &request).error_code, 42);
    });
}

#[test]
fn bodies() {
    beside_a_healthy_client(|broker| {
        let after_header = |version: i16, body: &[u8]| {
            let mut bytes = header_bytes::<MetadataRequest>(version, 1);
            bytes.put_slice(body);
            framed(&bytes)
        };
        for (what, version, body, expect) in [
            (
                "an array of 2^31 - 1",
                4,
                &[0x7f, 0xff, 0xff, 0xff, 0][..],
                Expect::Closed,
            ),
            (
                "an array of -2",
                4,
                &[0xff, 0xff, 0xff, 0xfe, 0], // Kafka takes any negative count for null.
                Expect::Any,
            ),
            (
                "a compact array of 2^31 - 2",
                12,
                &[0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0],
                Expect::Closed,
            ),
            // Kafka takes a negative count for null.
            (
                "a compact array of 2^32 - 2",
                12,
                &[0xff, 0xff, 0xff, 0xff, 0xf, 0, 0, 0],
                Expect::Any,
            ),
            ("a varint of ten bytes", 12, &[0xff; 12], Expect::Closed),
            (
                "an overlong zero",
                12,
                &[0x80, 0x80, 0x80, 0x80, 0, 0, 0, 0],
                Expect::Any,
            ),
            ("a null name", 4, &[0, 0, 0, 1, 0xff, 0xff, 0], Expect::Any),
            (
                "a name beyond the frame",
                4,
                &[0, 0, 0, 1, 0x7f, 0xff, b'x', 0],
                Expect::Closed,
            ),
            ("trailing bytes", 4, &[0, 0, 0, 0, 0, 1, 2, 3], Expect::Any),
        ] {
            check(broker, what, &after_header(version, body), expect);
        }
        many_topics(broker);
        every_truncation(broker);
    });
}

/// 100 000 names in one request: answered or refused, and the healthy client does not notice.
fn many_topics(broker: &Broker) {
    let mut bytes = header_bytes::<MetadataRequest>(4, 1);
    bytes.put_i32(100_000);
    for n in 0..100_000 {
        let name = format!("x{n}");
        bytes.put_i16(name.len() as i16);
        bytes.put_slice(name.as_bytes());
    }
    bytes.put_u8(0);
    check(broker, "100 000 topics", &framed(&bytes), Expect::Any);
}

/// Every API, every version we serve, cut at every byte of the body: the connection is closed, nothing else happens.
fn every_truncation(broker: &Broker) {
    let topic = topic_name("truncated");
    Wire::connect(broker.address()).create_topic(&topic, 1, &[]);
    let name = topic_of(&topic);
    let id = Wire::connect(broker.address()).metadata(&topic).topics[0].topic_id;
    for version in 3..=13 {
        let mut request = produce_request(&topic, 0, 1, Batch::of(&[b"x"]).bytes());
        request.topic_data[0].topic_id = id;
        truncate(broker, version, &request);
    }
    for version in 4..=18 {
        let mut request = fetch_request(&topic, 0, 0, 0);
        request.topics[0].topic_id = id;
        if version == 4 || version > 6 {
            truncate::<FetchRequest>(broker, version, &request);
        }
    }
    for version in 1..=10 {
        let partition = ListOffsetsPartition::default().with_timestamp(-1);
        let topic = ListOffsetsTopic::default()
            .with_name(name.clone())
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        truncate(broker, version, &request);
    }
    for version in 0..=13 {
        let topic = MetadataRequestTopic::default().with_name(Some(name.clone()));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(true);
        truncate(broker, version, &request);
    }
    for version in 2..=7 {
        let config = CreatableTopicConfig::default()
            .with_name(StrBytes::from_static_str("segment.ms"))
            .with_value(Some(StrBytes::from_static_str("1000")));
        let topic = CreatableTopic::default()
            .with_name(topic_of("never-created"))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs(vec![config]);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        truncate(broker, version, &request);
    }
    for version in 1..=5 {
        let request = DeleteTopicsRequest::default().with_topic_names(vec![name.clone()]);
        truncate(broker, version, &request);
    }
    for version in 0..=5 {
        let request = InitProducerIdRequest::default()
            .with_transaction_timeout_ms(1000)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        truncate(broker, version, &request);
    }
    // Nothing that was cut took effect.
    let mut wire = Wire::connect(broker.address());
    assert_eq!(wire.metadata("never-created").topics[0].error_code, 3);
    let fetched = wire.fetch(&topic, 0, 0);
    assert_eq!(fetched.responses[0].partitions[0].high_watermark, 0);
}

fn truncate<R: Request>(broker: &Broker, version: i16, request: &R) {
    let whole = request_bytes(version, 1, request);
    let header = header_bytes::<R>(version, 1).len();
    // All connections first, then all frames: the broker meets them together.
    let mut wires: Vec<(usize, Wire)> = (header..whole.len())
        .map(|end| (end, Wire::connect(broker.address())))
        .collect();
    for (end, wire) in &mut wires {
        wire.send_frame(&whole[..*end]);
    }
    for (end, wire) in &mut wires {
        let reaction = wire.reaction(ANSWER_WITHIN);
        assert_eq!(
            reaction,
            Reaction::Closed,
            "api {} version {version} cut at {end} of {}",
            R::KEY,
            whole.len()
        );
    }
}

#[test]
fn records() {
    beside_a_healthy_client(|broker| {
        let mut wire = Wire::connect(broker.address());
        let topic = topic_name("records");
        wire.create_topic(&topic, 1, &[("max.message.bytes", "100000")]);
        let small_segments = topic_name("segments");
        let configs = [
            ("segment.bytes", "1048576"),
            ("max.message.bytes", "3145728"),
        ];
        wire.create_topic(&small_segments, 1, &configs);
        let mut wrong = Vec::new();
        let mut accepted = 0;
        for (what, records, expected) in record_rows() {
            let code = produce_code(broker, &topic, 0, records);
            accepted += i64::from(code == 0);
            if !expected.contains(&code) {
                wrong.push(format!("{what}: {code}, expected {expected:?}"));
            }
        }
        let large = Batch::of(&[&vec![b'x'; 1_500_000]]).bytes();
        let code = produce_code(broker, &small_segments, 0, large);
        assert_eq!(code, 18, "a batch above segment.bytes");
        let code = produce_code(broker, &topic, -1, Batch::of(&[b"x"]).bytes());
        assert_eq!(code, 3, "partition -1");
        let code = produce_code(broker, "nobody-created-me", 0, Batch::of(&[b"x"]).bytes());
        assert_eq!(code, 3, "an unknown topic");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let fetched = wire.fetch(&topic, 0, 0);
        let end = fetched.responses[0].partitions[0].high_watermark;
        assert_eq!(end, 2 * accepted, "nothing refused was stored");
    });
}

/// `(what, records, the codes that are right)`: the first is Apache Kafka's. It answers some by accident (-1 is an exception
/// nobody expected) and lets two of them pass; a broker may be stricter.
fn record_rows() -> Vec<(&'static str, Bytes, &'static [i16])> {
    let batch = || Batch::of(&[b"one", b"two"]);
    let with = |change: fn(&mut Batch)| {
        let mut batch = batch();
        change(&mut batch);
        batch.bytes()
    };
    let two = {
        let mut bytes = BytesMut::from(&batch().bytes()[..]);
        bytes.extend_from_slice(&batch().bytes());
        bytes.freeze()
    };
    let cut = |n: usize| batch().bytes().slice(..n);
    let record = |change: fn(&mut Record)| {
        let mut batch = batch();
        change(&mut batch.records[1]);
        batch.bytes()
    };
    vec![
        ("a wrong CRC", with(|b| b.crc = Some(1)), &[2]),
        ("magic 0", with(|b| b.magic = 0), &[87]),
        ("magic 1", with(|b| b.magic = 1), &[87]),
        ("magic 3", with(|b| b.magic = 3), &[2, 87]),
        ("magic 127", with(|b| b.magic = 127), &[2, 87]),
        ("magic -1", with(|b| b.magic = -1), &[2, 87]),
        ("no records at all", Bytes::new(), &[87]),
        ("a cut header", cut(40), &[87]),
        ("a cut batch", cut(70), &[87]),
        (
            "a batch length of 0",
            with(|b| b.batch_length = Some(0)),
            &[2, 87],
        ),
        (
            "a negative batch length",
            with(|b| b.batch_length = Some(-1)),
            &[2, 87],
        ),
        (
            "a short batch length",
            with(|b| b.batch_length = Some(50)),
            &[2, 87],
        ),
        (
            "a long batch length",
            with(|b| b.batch_length = Some(5000)),
            &[87],
        ),
        ("two batches", two, &[87]),
        ("no record in the batch", Batch::of(&[]).bytes(), &[87]),
        (
            "a last offset delta too large",
            with(|b| b.last_offset_delta = Some(9)),
            &[87],
        ),
        (
            "a negative last offset delta",
            with(|b| b.last_offset_delta = Some(-1)),
            &[87],
        ),
        ("a count of 1 for 2", with(|b| b.count = Some(1)), &[87]),
        ("a count of 3 for 2", with(|b| b.count = Some(3)), &[87]),
        ("a negative count", with(|b| b.count = Some(-1)), &[87]),
        (
            "the largest count",
            with(|b| b.count = Some(i32::MAX)),
            &[87],
        ),
        (
            "an offset delta out of order",
            record(|r| r.offset_delta = Some(0)),
            &[0, 87],
        ),
        (
            "a record length too short",
            record(|r| r.length = Some(2)),
            &[87],
        ),
        (
            "a record length too long",
            record(|r| r.length = Some(2000)),
            &[87],
        ),
        (
            "a negative record length",
            record(|r| r.length = Some(-2)),
            &[87],
        ),
        (
            "a negative header count",
            record(|r| r.header_count = Some(-1)),
            &[87],
        ),
        (
            "a huge header count",
            record(|r| r.header_count = Some(i64::from(i32::MAX))),
            &[87],
        ),
        ("codec 5", with(|b| b.attributes = 5), &[-1, 76, 87]),
        ("codec 7", with(|b| b.attributes = 7), &[-1, 76, 87]),
        ("a control batch", with(|b| b.attributes = 0x20), &[87]),
        (
            "a transactional batch",
            with(|b| b.attributes = 0x10),
            &[53, 48, 87],
        ),
        (
            "a producer id without sequence",
            batch().by(7, 0, -1).bytes(),
            &[87],
        ),
        (
            "a producer id without epoch",
            batch().by(7, -1, 0).bytes(),
            &[0, 87],
        ),
        (
            "a timestamp of tomorrow's tomorrow",
            with(|b| b.base_timestamp = i64::MAX / 2),
            &[32],
        ),
        (
            "the largest timestamp",
            with(|b| b.base_timestamp = i64::MAX),
            &[32],
        ),
        (
            "above max.message.bytes",
            Batch::of(&[&[b'x'; 100_001]]).bytes(),
            &[10],
        ),
    ]
}

/// Names that must not become paths, or topics.
#[test]
fn names() {
    beside_a_healthy_client(|broker| {
        let mut wire = Wire::connect(broker.address());
        let long = "x".repeat(250);
        for name in [
            "",
            ".",
            "..",
            "../../etc/x",
            "a/b",
            "a\0b",
            "ü",
            "a b",
            &long,
        ] {
            let answer = wire.call(5, &create_topics(name, 1, &[]));
            assert_eq!(answer.topics[0].error_code, 17, "creating {name:?}");
            let answer = wire.metadata(name);
            assert_ne!(answer.topics[0].error_code, 0, "metadata of {name:?}");
        }
        let twice = {
            let mut request = create_topics("twice", 1, &[]);
            request.topics.push(request.topics[0].clone());
            request
        };
        let answer = wire.call(5, &twice);
        assert!(
            answer.topics.iter().all(|t| t.error_code == 42),
            "{answer:?}"
        );
    });
}
