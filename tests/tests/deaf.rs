//! Consumers that fetch the tail and do not read their sockets: producers go on, and who reads later gets every byte.

use std::time::{Duration, Instant};

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{Wire, fetch_request};
use kafka_protocol::messages::FetchRequest;

/// More than the sockets of one connection take on loopback.
const ANSWER_BYTES: usize = 24 << 20;
/// As many as hold a slice of each of the tail's chunks, and some more.
const CONSUMERS: usize = 6;
/// A produce may take so long: nearly every one, and any.
const MOST: Duration = Duration::from_millis(500);
const SLOWEST: Duration = Duration::from_secs(5);

fn fetch(topic: &str, offset: i64) -> FetchRequest {
    let mut request = fetch_request(topic, 0, offset, 0);
    request.max_bytes = ANSWER_BYTES as i32;
    request.topics[0].partitions[0].partition_max_bytes = ANSWER_BYTES as i32;
    request
}

#[test]
fn producers_go_on_beside_consumers_that_do_not_read() {
    let broker = Broker::start(Options::shards(1));
    let topic = topic_name("deaf");
    let mut producer = Wire::connect(broker.address());
    producer.create_topic(&topic, 1, &[]);
    let batch = Batch::of(&[&[7; 240 << 10]]).bytes();
    let batches_an_answer = ANSWER_BYTES / batch.len();
    let mut latencies = Vec::new();
    let mut end = 0;
    let mut produce = |latencies: &mut Vec<Duration>| {
        let begin = Instant::now();
        let answer = producer.produce(&topic, 0, batch.clone());
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!((partition.error_code, partition.base_offset), (0, end));
        end += 1;
        latencies.push(begin.elapsed());
    };
    let mut deaf = Vec::new();
    for consumer in 0..CONSUMERS {
        for _ in 0..batches_an_answer {
            produce(&mut latencies);
        }
        let mut wire = Wire::connect(broker.address());
        let offset = (consumer * batches_an_answer) as i64;
        let correlation = wire.send(11, &fetch(&topic, offset));
        deaf.push((wire, correlation, offset));
    }
    for _ in 0..2 * batches_an_answer {
        produce(&mut latencies);
    }
    latencies.sort();
    let most = latencies[latencies.len() * 99 / 100];
    let slowest = latencies[latencies.len() - 1];
    assert!(most < MOST && slowest < SLOWEST, "{most:?}, {slowest:?}");
    // They read after all, the same as anybody who reads now.
    let mut reader = Wire::connect(broker.address());
    for (mut wire, correlation, offset) in deaf {
        let late = wire.receive::<FetchRequest>(11, correlation);
        let late = late.responses[0].partitions[0].records.clone();
        let late = late.expect("records");
        assert_eq!(late.len(), batches_an_answer * batch.len());
        let mut at = 0;
        while at < late.len() {
            let next = offset + (at / batch.len()) as i64;
            let now = reader.call(11, &fetch(&topic, next));
            let now = now.responses[0].partitions[0].records.clone();
            let now = now.expect("records");
            let common = now.len().min(late.len() - at);
            assert!(common > 0 && late[at..at + common] == now[..common]);
            at += common;
        }
    }
}
