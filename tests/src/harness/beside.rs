//! A story beside a healthy client: whatever the story sends, the other is served, in time, and memory stays bounded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::ProduceRequest;

use super::broker::{Broker, Options};
use super::records::Batch;
use super::topic_name;
use super::wire::{ANSWER_WITHIN, Reaction, Wire, decode_response, produce_request, request_bytes};

/// The healthy client's longest produce and fetch, on a machine that may compile at the same time.
const LATENCY_MAX: Duration = Duration::from_secs(3);
/// Memory that one story may add to our broker.
pub const GROWTH_MAX: u64 = 96 << 20;

/// A code for a closed connection in tables of codes.
pub const CLOSED: i16 = i16::MAX;

/// Starts a broker, runs `story` while a healthy client produces and fetches, then asks whether both are well.
pub fn beside_a_healthy_client(story: impl FnOnce(&Broker)) {
    let broker = Broker::start(Options::shards(2));
    let before = broker.is_ours().then(|| broker.resident_bytes());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let healthy = scope.spawn(|| healthy_client(&broker, &over));
        // The story's panic must still end the healthy client.
        let story = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| story(&broker)));
        over.store(true, Ordering::Relaxed);
        let slowest = healthy.join().expect("the healthy client was served");
        if let Err(panic) = story {
            std::panic::resume_unwind(panic);
        }
        assert!(
            slowest < LATENCY_MAX,
            "the healthy client waited {slowest:?}"
        );
    });
    if let Some(before) = before {
        let grown = broker.peak_bytes().saturating_sub(before);
        assert!(grown < GROWTH_MAX, "resident memory grew by {grown} bytes");
    }
}

/// Produces and reads back one record after the other; returns the longest round.
fn healthy_client(broker: &Broker, over: &AtomicBool) -> Duration {
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("healthy");
    wire.create_topic(&topic, 1, &[]);
    let mut slowest = Duration::ZERO;
    let mut offset = 0;
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = wire.produce(&topic, 0, Batch::of(&[b"healthy"]).bytes());
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!((partition.error_code, partition.base_offset), (0, offset));
        let fetched = wire.fetch(&topic, 0, offset);
        let partition = &fetched.responses[0].partitions[0];
        assert_eq!(partition.error_code, 0);
        assert!(partition.records.as_ref().is_some_and(|r| !r.is_empty()));
        slowest = slowest.max(start.elapsed());
        offset += 1;
    }
    slowest
}

/// The code of one Produce on a connection of its own, or [`CLOSED`].
pub fn produce_code(broker: &Broker, topic: &str, partition: i32, records: Bytes) -> i16 {
    let mut wire = Wire::connect(broker.address());
    let request = produce_request(topic, partition, -1, records);
    wire.send_frame(&request_bytes(9, 1, &request));
    match wire.reaction(ANSWER_WITHIN) {
        Reaction::Frame(body) => {
            let (_, answer) = decode_response::<ProduceRequest>(9, &body);
            answer.responses[0].partition_responses[0].error_code
        }
        Reaction::Closed => CLOSED,
        Reaction::Silent => panic!("no answer"),
    }
}
