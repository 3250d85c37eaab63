//! The `rdkafka` crate (librdkafka) produces binary records, nulls and headers with every codec, acks and idempotence,
//! and reads back by `assign`.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext,
};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use corelane_engine::rng::Rng;
use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Case;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::Wire;

const PARTITIONS: i32 = 3;
const WITHIN: Duration = Duration::from_secs(30);

#[test]
fn one_shard() {
    every_case(1);
}

#[test]
fn two_shards() {
    every_case(2);
}

#[test]
fn four_shards() {
    every_case(4);
}

/// One record, as sent and as read.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Sample {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    timestamp: i64,
}

fn every_case(shards: usize) {
    let broker = Broker::start(Options::shards(shards));
    let mut wire = Wire::connect(broker.address());
    for (seed, case) in (0..).zip(Case::all()) {
        let topic = topic_name(&format!("rdkafka-{}", case.stem()));
        wire.create_topic(&topic, PARTITIONS, &[]);
        let sent: BTreeMap<i32, Vec<Sample>> = (0..PARTITIONS)
            .map(|partition| (partition, samples(seed * 31 + partition as u64, 100)))
            .collect();
        let acked = produce(&broker, &topic, case, &sent);
        let read = read(&broker, &topic, case, &sent);
        let what = format!("{shards} shards, {case:?}");
        for (partition, samples) in &sent {
            for (at, (offset, sample)) in read[partition].iter().enumerate() {
                assert_eq!(*offset, at as i64, "{what}: offsets of {partition}");
                assert_eq!(sample, &samples[at], "{what}: {partition} at {offset}");
            }
        }
        if case.acks != "0" {
            // The offsets promised are those at which the records are.
            let expected: Vec<(i32, i64)> = sent
                .iter()
                .flat_map(|(partition, s)| (0..s.len()).map(|at| (*partition, at as i64)))
                .collect();
            assert_eq!(acked, expected, "{what}: acknowledged offsets");
        }
    }
}

fn samples(seed: u64, n: usize) -> Vec<Sample> {
    let mut rng = Rng::new(seed);
    let bytes = |rng: &mut Rng, most: u64| -> Option<Vec<u8>> {
        let length = rng.below(most + 2);
        // One in `most + 2` is null; empty and null are different.
        (length > 0).then(|| (1..length).map(|_| rng.next_u64() as u8).collect())
    };
    (0..n)
        .map(|i| Sample {
            key: bytes(&mut rng, 8),
            value: if i % 40 == 7 {
                bytes(&mut rng, 300_000)
            } else {
                bytes(&mut rng, 300)
            },
            headers: (0..rng.below(3))
                .map(|h| (format!("header-{h}"), bytes(&mut rng, 12)))
                .collect(),
            timestamp: 1_700_000_000_000 + rng.below(1_000_000) as i64,
        })
        .collect()
}

/// Sends each delivery report to the test.
struct Reports(mpsc::Sender<Result<(i32, i64), String>>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let report = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.to_string()),
        };
        drop(self.0.send(report));
    }
}

/// Produces round robin over the partitions; returns `(partition, offset)` of every acknowledgement, sorted.
fn produce(
    broker: &Broker,
    topic: &str,
    case: Case,
    sent: &BTreeMap<i32, Vec<Sample>>,
) -> Vec<(i32, i64)> {
    let (send, reports) = mpsc::channel();
    let producer: BaseProducer<Reports, NoCustomPartitioner> = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("compression.codec", case.codec)
        .set("acks", case.acks)
        .set("enable.idempotence", case.idempotent.to_string())
        .set("batch.num.messages", "30")
        // Without idempotence a retry overtakes what was sent after it.
        .set(
            "max.in.flight.requests.per.connection",
            if case.idempotent { "5" } else { "1" },
        )
        .set("message.timeout.ms", "20000")
        .create_with_context(Reports(send))
        .expect("a valid configuration");
    let count: usize = sent.values().map(Vec::len).sum();
    let longest = sent.values().map(Vec::len).max().unwrap_or(0);
    for at in 0..longest {
        for (partition, samples) in sent {
            let sample = &samples[at];
            let mut headers = OwnedHeaders::new();
            for (key, value) in &sample.headers {
                headers = headers.insert(Header {
                    key,
                    value: value.as_ref(),
                });
            }
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic)
                .partition(*partition)
                .timestamp(sample.timestamp)
                .headers(headers);
            record.key = sample.key.as_deref();
            record.payload = sample.value.as_deref();
            producer
                .send(record)
                .map_err(|(error, _)| error)
                .expect("room in the queue");
        }
    }
    producer.flush(WITHIN).expect("everything is delivered");
    let mut acked: Vec<(i32, i64)> = reports
        .try_iter()
        .map(|report| report.unwrap_or_else(|error| panic!("{case:?}: {error}")))
        .collect();
    assert_eq!(acked.len(), count, "{case:?}: delivery reports");
    acked.sort_unstable();
    acked
}

type ReadBack = BTreeMap<i32, Vec<(i64, Sample)>>;

/// Reads by `assign` from the beginning until as many records came as were sent.
fn read(broker: &Broker, topic: &str, case: Case, sent: &BTreeMap<i32, Vec<Sample>>) -> ReadBack {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", "never-joined")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        // A client that closes waits for its last fetch: the default's half second in some cases is enough.
        .set(
            "fetch.wait.max.ms",
            if case.codec == "none" { "500" } else { "10" },
        )
        .create()
        .expect("a valid configuration");
    let mut assignment = TopicPartitionList::new();
    for partition in sent.keys() {
        assignment
            .add_partition_offset(topic, *partition, Offset::Beginning)
            .expect("a valid offset");
    }
    consumer.assign(&assignment).expect("assigned");
    let count: usize = sent.values().map(Vec::len).sum();
    let mut read: ReadBack = sent.keys().map(|p| (*p, Vec::new())).collect();
    let until = Instant::now() + WITHIN;
    for n in 0..count {
        let left = until.saturating_duration_since(Instant::now());
        let message = consumer
            .poll(left)
            .unwrap_or_else(|| panic!("{topic}: {n} of {count} records came"))
            .expect("a record");
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec)))
                .collect()
        });
        let sample = Sample {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
            timestamp: message.timestamp().to_millis().expect("a timestamp"),
        };
        let partition = read.get_mut(&message.partition()).expect("assigned");
        partition.push((message.offset(), sample));
    }
    read
}
