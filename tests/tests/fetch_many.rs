//! One consumer of 1,000 partitions without a fetch session, as librdkafka is one: what each of its fetches costs the broker.
//!
//! ```text
//!   create ─► nothing new, asked at once · nothing new, waited for · 10 of 1,000 have records ─► CPU time per Fetch
//! ```
//!
//! `FETCHES=2000`, in release, is the long form: it holds the broker to a millisecond. Otherwise the figures are said, and
//! what is answered is checked.

use std::time::Duration;

use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::wire::{Wire, create_topics, topic_of};

const PARTITIONS: i32 = 1_000;
/// Every so many partitions there are records.
const EVERY: i32 = 100;
/// librdkafka's newest version without topic ids.
const VERSION: i16 = 11;
const CPU_MAX: Duration = Duration::from_millis(1);

#[test]
fn a_fetch_of_a_thousand_partitions_is_cheap() {
    let fetches = std::env::var("FETCHES").ok();
    let long = fetches.is_some();
    let fetches: u32 = fetches.map_or(100, |text| text.parse().expect("a number"));
    let broker = Broker::start_own(Options::shards(1));
    let mut wire = Wire::connect(broker.address());
    for (topics, each) in [(1, PARTITIONS), (100, PARTITIONS / 100)] {
        let names: Vec<String> = (0..topics).map(|n| format!("many-{topics}-{n}")).collect();
        for name in &names {
            let answer = wire.call(5, &create_topics(name, each, &[]));
            assert_eq!(answer.topics[0].error_code, 0);
        }
        let ask = |offset: i64, wait_ms: i32| request(&names, each, offset, wait_ms);
        let mut say = |what: &str, request: FetchRequest, expected: usize| {
            let with_records = |wire: &mut Wire| {
                let answer = wire.call(VERSION, &request);
                let partitions = answer.responses.iter().flat_map(|t| &t.partitions);
                let mut with = 0;
                let mut all = 0;
                for partition in partitions {
                    assert_eq!(partition.error_code, 0, "partition {partition:?}");
                    all += 1;
                    with += usize::from(partition.records.as_ref().is_some_and(|r| !r.is_empty()));
                }
                assert_eq!((all, with), (PARTITIONS, expected), "{what}");
            };
            with_records(&mut wire);
            let before = broker.cpu_time();
            for _ in 0..fetches {
                with_records(&mut wire);
            }
            let used = (broker.cpu_time() - before) / fetches;
            eprintln!("{topics} topics of {each}, {what}: {used:?} of CPU per Fetch");
            assert!(!long || used < CPU_MAX, "{what}: {used:?}");
        };
        say("nothing new, asked at once", ask(0, 0), 0);
        say("nothing new, waited for", ask(0, 1), 0);
        let batch = Batch::of(&[b"one", b"two"]).bytes();
        let mut producer = Wire::connect(broker.address());
        for n in (0..PARTITIONS).step_by(EVERY as usize) {
            let name = &names[(n / each) as usize];
            let answer = producer.produce(name, n % each, batch.clone());
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        }
        say(
            "10 have records",
            ask(0, 500),
            (PARTITIONS / EVERY) as usize,
        );
    }
}

fn request(names: &[String], each: i32, offset: i64, wait_ms: i32) -> FetchRequest {
    let topics = names.iter().map(|name| {
        let partitions = (0..each).map(|partition| {
            FetchPartition::default()
                .with_partition(partition)
                .with_fetch_offset(offset)
                .with_partition_max_bytes(1 << 20)
        });
        FetchTopic::default()
            .with_topic(topic_of(name))
            .with_partitions(partitions.collect())
    });
    FetchRequest::default()
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_epoch(-1)
        .with_topics(topics.collect())
}
