//! Single frames that no client sends and crowds of connections that hold back: the process lives, and others are served.

use std::fs;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest, MetadataRequest, ProduceRequest};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, decode_response, fetch_request, produce_request, request_bytes,
};

/// A newcomer produces and reads back.
fn is_well(broker: &Broker) {
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("well");
    wire.create_topic(&topic, 1, &[]);
    let answer = wire.produce(&topic, 0, Batch::of(&[b"well"]).bytes());
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    let answer = wire.fetch(&topic, 0, 0);
    let records = &answer.responses[0].partitions[0].records;
    assert!(records.as_ref().is_some_and(|r| !r.is_empty()));
}

/// The answer must hold a name where the request held none: Kafka says "".
#[test]
fn a_topic_without_a_name_ends_nothing() {
    let broker = Broker::start(Options::default());
    let mut wire = Wire::connect(broker.address());
    for version in [10, 11] {
        for id in [Uuid::from_bytes([7; 16]), Uuid::nil()] {
            let topic = MetadataRequestTopic::default()
                .with_name(None)
                .with_topic_id(id);
            let request = MetadataRequest::default().with_topics(Some(vec![topic]));
            let answer = wire.call(version, &request);
            let topic = &answer.topics[0];
            assert_eq!(topic.error_code, 42, "version {version}");
            assert_eq!(topic.name.as_ref().map(|n| n.as_str()), Some(""));
        }
    }
    is_well(&broker);
}

/// A consumer is told where its log and ours part from version 12 on; its session goes on in version 11.
#[test]
fn a_session_that_goes_on_in_an_older_version_ends_nothing() {
    let broker = Broker::start(Options::default());
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("session");
    wire.create_topic(&topic, 1, &[]);
    wire.produce(&topic, 0, Batch::of(&[b"one"]).bytes());
    let mut open = fetch_request(&topic, 0, 1_000_000, 0).with_session_epoch(0);
    let partition: &mut FetchPartition = &mut open.topics[0].partitions[0];
    partition.last_fetched_epoch = 0;
    let answer = wire.call(12, &open);
    assert_eq!(
        answer.responses[0].partitions[0].diverging_epoch.end_offset,
        1
    );
    assert!(answer.session_id > 0, "a session was opened");
    let mut on = fetch_request(&topic, 0, 0, 0)
        .with_session_id(answer.session_id)
        .with_session_epoch(1);
    on.topics.clear();
    let answer = wire.call(11, &on);
    assert_eq!(answer.error_code, 0);
    assert_eq!(
        answer.responses[0].partitions[0].error_code, 1,
        "beyond the end"
    );
    is_well(&broker);
}

/// 36 connections ask for 70 MiB in all of fetches that wait for weeks.
#[test]
fn parked_fetches_starve_nobody() {
    let broker = Broker::start(Options::default());
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("parked");
    wire.create_topic(&topic, 1, &[]);
    let patient = fetch_request(&topic, 0, 0, i32::MAX)
        .with_rack_id(StrBytes::from_string("r".repeat(32_000)));
    let frame = request_bytes(11, 1, &patient);
    let mut parked: Vec<Wire> = (0..36).map(|_| Wire::connect(broker.address())).collect();
    for wire in &mut parked {
        for _ in 0..64 {
            assert!(wire.send_frame(&frame), "backpressure must not close");
        }
    }
    is_well(&broker);
    wire.produce(&topic, 0, Batch::of(&[b"news"]).bytes());
    for wire in &mut parked {
        for _ in 0..64 {
            let Reaction::Frame(body) = wire.reaction(ANSWER_WITHIN) else {
                panic!("every one hears of the record, or was answered before");
            };
            let (_, answer) = decode_response::<FetchRequest>(11, &body);
            assert_eq!(answer.responses[0].partitions[0].error_code, 0);
        }
    }
    is_well(&broker);
}

/// `nc`, and clients that send their last request and shut their side down.
#[test]
fn who_closes_the_sending_side_still_hears_the_answers() {
    let broker = Broker::start(Options::shards(2));
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("half-closed");
    wire.create_topic(&topic, 4, &[]);
    for partition in 0..4 {
        let request = produce_request(&topic, partition, -1, Batch::of(&[b"last"]).bytes());
        let mut wire = Wire::connect(broker.address());
        wire.send_frame(&request_bytes(9, 1, &request));
        wire.send_frame(&request_bytes(0, 2, &ApiVersionsRequest::default()));
        wire.finish();
        let answer = wire.receive::<ProduceRequest>(9, 1);
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        wire.receive::<ApiVersionsRequest>(0, 2);
        assert_eq!(wire.reaction(ANSWER_WITHIN), Reaction::Closed);

        let mut wire = Wire::connect(broker.address());
        let patient = fetch_request(&topic, partition, 1, i32::MAX);
        wire.send_frame(&request_bytes(11, 3, &patient));
        wire.finish();
        let answer = wire.receive::<FetchRequest>(11, 3);
        assert_eq!(answer.responses[0].partitions[0].high_watermark, 1);
        assert_eq!(wire.reaction(ANSWER_WITHIN), Reaction::Closed);
    }
}

#[test]
fn the_first_start_tells_the_cluster_id_of_all_later_ones() {
    let mut broker = Broker::start_own(Options::shards(2));
    let id = |broker: &Broker| {
        // Both shards.
        let wires = [(); 2].map(|()| Wire::connect(broker.address()));
        let ids = wires.map(|mut wire| {
            let answer = wire.call(9, &MetadataRequest::default().with_topics(Some(Vec::new())));
            answer.cluster_id.expect("an id").to_string()
        });
        assert_eq!(ids[0], ids[1]);
        ids[0].clone()
    };
    let first = id(&broker);
    assert_ne!(first, "AAAAAAAAAAAAAAAAAAAAAA");
    assert!(broker.terminate().success());
    broker.restart();
    assert_eq!(id(&broker), first);
}

/// The first start looks at the disk with a file of its own, and may be killed while it does.
#[test]
fn a_start_killed_at_its_first_look_at_the_disk_is_no_obstacle() {
    let directory = std::env::temp_dir().join(topic_name("corelane-probe"));
    fs::create_dir_all(&directory).expect("the temporary directory is writable");
    fs::write(directory.join("probe-4711"), b"").expect("writable");
    let options = Options {
        data_dir: Some(directory.clone()),
        ..Options::default()
    };
    let broker = Broker::start_own(options);
    is_well(&broker);
    drop(broker);
    drop(fs::remove_dir_all(directory));
}

/// Connections never take the descriptors that files need.
#[test]
fn too_many_connections_wait_and_the_log_goes_on() {
    let wrapper = ["prlimit", "--nofile=256:256"];
    let broker = Broker::start_own(Options {
        wrapper: wrapper.map(str::to_owned).to_vec(),
        allowed: vec!["no further connections".to_owned()],
        ..Options::default()
    });
    let ask = request_bytes(0, 1, &ApiVersionsRequest::default());
    let mut served: Vec<Wire> = (0..300).map(|_| Wire::connect(broker.address())).collect();
    for wire in &mut served {
        assert!(wire.send_frame(&ask));
    }
    let is_answered = |wire: &mut Wire| matches!(wire.reaction(ANSWER_WITHIN), Reaction::Frame(_));
    let mut waiting = served.split_off(128);
    assert!(served.iter_mut().all(is_answered), "half of 256");
    let silence = waiting[0].reaction(Duration::from_millis(300));
    assert_eq!(silence, Reaction::Silent, "the others' turn has not come");
    let topic = topic_name("full");
    served[0].create_topic(&topic, 50, &[("segment.bytes", "1048576")]);
    for _ in 0..4 {
        for partition in 0..50 {
            let answer =
                served[1].produce(&topic, partition, Batch::of(&[&[b'x'; 60_000]]).bytes());
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        }
    }
    drop(served);
    assert!(
        waiting[..128].iter_mut().all(is_answered),
        "there is room again"
    );
}
