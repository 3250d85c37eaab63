//! `kill -9`, twenty times, under load: every acknowledged record is there, once, in order; every acknowledged topic too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kafka_protocol::messages::DeleteTopicsRequest;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{
    BaseRecord, DeliveryResult, NoCustomPartitioner, ProducerContext, ThreadedProducer,
};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use corelane_engine::rng::Rng;
use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::ledger::{Ledger, Partition, Read, RecordId, hash};
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{Wire, create_topics, topic_of};

const PRODUCERS: usize = 4;
const TOPICS: usize = 8;
const PARTITIONS: i32 = 4;
/// Records handed to the clients and not yet acknowledged: enough to fill 5 requests of each.
const OUTSTANDING: usize = 64;
/// The longest a single step may take: a restart, the retries after it, reading everything back.
const STEP_WITHIN: Duration = Duration::from_secs(90);
const BATCH_BYTES_MAX: u64 = 2 << 20;

/// A number from the environment, for longer runs and to repeat a failed one.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn kill_9_loses_doubles_and_reorders_nothing() {
    let cycles = setting("CORELANE_CRASH_CYCLES", 20);
    let seed = setting("CORELANE_CRASH_SEED", 3);
    let mut crash = Crash::new(seed);
    for cycle in 0..cycles {
        eprintln!("seed {seed} cycle {cycle}");
        crash.cycle(cycle);
    }
    crash.settle();
    crash.verify("after the last acknowledgement");
    // A clean stop, and another shard count, keep the same promises.
    crash.broker.terminate();
    crash.broker.options_mut().shards = 3;
    crash.broker.restart();
    crash.verify("after SIGTERM and a start with 3 shards");
    eprintln!("{} records acknowledged", crash.ledger.acked_count());
}

type Report = (Partition, RecordId, Result<i64, String>);

/// Sends each delivery report to the driver.
struct Reports(mpsc::Sender<Report>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<(Partition, RecordId)>;

    fn delivery(&self, result: &DeliveryResult<'_>, record: Self::DeliveryOpaque) {
        let (partition, id) = *record;
        let outcome = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.to_string()),
        };
        // The driver is gone when a check has failed.
        drop(self.0.send((partition, id, outcome)));
    }
}

struct Crash {
    rng: Rng,
    broker: Broker,
    producers: Vec<ThreadedProducer<Reports, NoCustomPartitioner>>,
    reports: mpsc::Receiver<Report>,
    ledger: Ledger,
    partitions: Vec<Partition>,
    outstanding: usize,
    /// Topics whose creation, or deletion, was acknowledged.
    created: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

impl Crash {
    fn new(seed: u64) -> Crash {
        let broker = Broker::start_own(Options::shards(2));
        let mut wire = Wire::connect(broker.address());
        let mut created = BTreeSet::new();
        let mut partitions = Vec::new();
        for n in 0..TOPICS {
            let topic = topic_name("crash");
            wire.create_topic(&topic, PARTITIONS, &topic_configs(&broker, n));
            partitions.extend((0..PARTITIONS).map(|p| (topic.clone(), p)));
            created.insert(topic);
        }
        let (send, reports) = mpsc::channel();
        let producers = ["none", "lz4", "none", "zstd"]
            .into_iter()
            .take(PRODUCERS)
            .map(|codec| producer(&broker, codec, Reports(send.clone())))
            .collect();
        Crash {
            rng: Rng::new(seed),
            broker,
            producers,
            reports,
            ledger: Ledger::default(),
            partitions,
            outstanding: 0,
            created,
            deleted: BTreeSet::new(),
        }
    }

    /// Load until a random acknowledgement, `kill -9`, restart, everything read back while the producers retry.
    fn cycle(&mut self, cycle: u64) {
        let kill_at = match self.rng.below(8) {
            // At once: nothing but the recovery of the last start lies behind.
            0 => 0,
            _ => 20 + self.rng.below(200),
        };
        let topic_at = self.rng.below(kill_at + 1);
        let mut acked = 0;
        while acked < kill_at {
            while self.outstanding < OUTSTANDING {
                self.offer();
            }
            self.hear();
            acked += 1;
            if acked == topic_at {
                self.change_topics(cycle);
            }
        }
        if self.rng.one_in(2) {
            // Records and a topic that are on their way when the process dies: any outcome is right.
            while self.outstanding < OUTSTANDING {
                self.offer();
            }
            Wire::connect(self.broker.address()).send(5, &create_topics("torn", 1, &[]));
        }
        self.broker.kill_9();
        if self.rng.one_in(4) {
            self.broker.options_mut().shards = 1 + self.rng.below(4) as usize;
        }
        self.broker.restart();
        if self.rng.one_in(5) {
            // A second death before anybody was served.
            self.broker.kill_9();
            self.broker.restart();
        }
        self.verify(&format!("after kill {cycle}"));
    }

    /// Hands one record to a random producer for a random partition.
    fn offer(&mut self) {
        let producer = self.rng.below(PRODUCERS as u64) as u32;
        let at = self.rng.below(self.partitions.len() as u64) as usize;
        let partition = self.partitions[at].clone();
        let id = self.ledger.next(&partition, producer);
        let value = value(&mut self.rng, id);
        self.ledger.offer(&partition, id, value.len(), hash(&value));
        let record: BaseRecord<'_, [u8], [u8], _> =
            BaseRecord::with_opaque_to(&partition.0, Box::new((partition.clone(), id)))
                .partition(partition.1)
                .payload(&value);
        self.producers[producer as usize]
            .send(record)
            .map_err(|(error, _)| error)
            .expect("the client's queue has room for 64 records");
        self.outstanding += 1;
    }

    /// Waits for one delivery report. An idempotent producer never gives up within the message timeout.
    fn hear(&mut self) {
        let (partition, id, outcome) = self
            .reports
            .recv_timeout(STEP_WITHIN)
            .expect("acknowledgements keep coming");
        self.outstanding -= 1;
        match outcome {
            Ok(offset) => self.ledger.acked(&partition, id, offset),
            Err(error) => panic!("{id:?} of {partition:?}: {error}"),
        }
    }

    /// One topic more, which takes records from now on; one more that is deleted at once.
    fn change_topics(&mut self, cycle: u64) {
        let mut wire = Wire::connect(self.broker.address());
        let topic = topic_name("late");
        wire.create_topic(&topic, 1, &topic_configs(&self.broker, cycle as usize));
        self.partitions.push((topic.clone(), 0));
        self.created.insert(topic);
        let doomed = topic_name("doomed");
        wire.create_topic(&doomed, 2, &[]);
        let request = DeleteTopicsRequest::default()
            .with_topic_names(vec![topic_of(&doomed)])
            .with_timeout_ms(10_000);
        let answer = wire.call(5, &request);
        assert_eq!(answer.responses[0].error_code, 0, "deleting {doomed}");
        self.deleted.insert(doomed);
    }

    /// Every record offered is acknowledged in the end.
    fn settle(&mut self) {
        while self.outstanding > 0 {
            self.hear();
        }
        assert_eq!(self.ledger.pending_count(), 0);
    }

    fn verify(&mut self, when: &str) {
        let mut wire = Wire::connect(self.broker.address());
        for topic in &self.created {
            let code = wire.metadata(topic).topics[0].error_code;
            assert_eq!(code, 0, "{when}: topic {topic} was created");
        }
        for topic in &self.deleted {
            let code = wire.metadata(topic).topics[0].error_code;
            assert_eq!(code, 3, "{when}: topic {topic} was deleted");
        }
        // What was acknowledged before this moment is owed; reports that wait in the channel are too.
        while let Ok((partition, id, outcome)) = self.reports.try_recv() {
            self.outstanding -= 1;
            let offset = outcome.unwrap_or_else(|error| panic!("{id:?}: {error}"));
            self.ledger.acked(&partition, id, offset);
        }
        let read = read_all(&self.broker, &self.ledger);
        for (partition, reads) in &read {
            let broken = self.ledger.check(&self.ledger, partition, reads);
            assert!(broken.is_empty(), "{when}: {broken:#?}");
        }
    }
}

/// Small segments, room for 2 MiB batches; both durability classes in turn.
fn topic_configs(broker: &Broker, n: usize) -> Vec<(&'static str, &'static str)> {
    let mut configs = vec![
        ("segment.bytes", "4194304"),
        ("max.message.bytes", "3145728"),
    ];
    if broker.is_ours() {
        let class = if n.is_multiple_of(2) {
            "disk"
        } else {
            "process"
        };
        configs.push(("corelane.durability", class));
    }
    configs
}

fn producer(
    broker: &Broker,
    codec: &str,
    reports: Reports,
) -> ThreadedProducer<Reports, NoCustomPartitioner> {
    ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("enable.idempotence", "true")
        .set("max.in.flight.requests.per.connection", "5")
        .set("compression.codec", codec)
        .set("message.max.bytes", "3000000")
        .set("batch.size", "2097152")
        .set("batch.num.messages", "8")
        .set("linger.ms", "2")
        .set("message.timeout.ms", "180000")
        .set("request.timeout.ms", "20000")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .set("retry.backoff.ms", "20")
        .set("retry.backoff.max.ms", "100")
        .create_with_context(reports)
        .expect("a valid configuration")
}

/// `producer`, `number`, then random bytes: 100 B to 2 MiB in all, mostly small.
fn value(rng: &mut Rng, id: RecordId) -> Vec<u8> {
    let most = match rng.below(100) {
        0..60 => 2_000,
        60..90 => 64_000,
        90..98 => 512_000,
        _ => BATCH_BYTES_MAX,
    };
    let length = 100 + rng.below(most - 200) as usize;
    let mut value = Vec::with_capacity(length + 8);
    value.extend(id.producer.to_be_bytes());
    value.extend(id.number.to_be_bytes());
    while value.len() < length {
        value.extend(rng.next_u64().to_be_bytes());
    }
    value
}

/// Every partition from its start to the last offset acknowledged, at least.
fn read_all(broker: &Broker, ledger: &Ledger) -> BTreeMap<Partition, Vec<Read>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", "never-joined")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .set("fetch.wait.max.ms", "50")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .create()
        .expect("a valid configuration");
    let mut assignment = TopicPartitionList::new();
    let mut read: BTreeMap<Partition, Vec<Read>> = BTreeMap::new();
    let mut unread: BTreeMap<Partition, i64> = BTreeMap::new();
    for partition in ledger.partitions() {
        assignment
            .add_partition_offset(&partition.0, partition.1, Offset::Beginning)
            .expect("a valid offset");
        let end = ledger.acked_end(&partition);
        if end > 0 {
            unread.insert(partition.clone(), end);
        }
        read.insert(partition, Vec::new());
    }
    consumer.assign(&assignment).expect("assigned");
    let until = Instant::now() + STEP_WITHIN;
    while !unread.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        let message = match consumer.poll(left) {
            None => panic!("never read: {unread:?}"),
            Some(Ok(message)) => message,
            // The connection of before the restart; the client tries again.
            Some(Err(KafkaError::MessageConsumption(code))) if is_transient(code) => continue,
            Some(Err(error)) => panic!("reading: {error}"),
        };
        let partition = (message.topic().to_owned(), message.partition());
        let value = message.payload().expect("every record has a value");
        let number = |at| u32::from_be_bytes(value[at..at + 4].try_into().expect("four bytes"));
        let one = Read {
            offset: message.offset(),
            id: RecordId {
                producer: number(0),
                number: number(4),
            },
            bytes: value.len(),
            hash: hash(value),
        };
        if unread
            .get(&partition)
            .is_some_and(|end| one.offset + 1 >= *end)
        {
            unread.remove(&partition);
        }
        read.get_mut(&partition).expect("assigned").push(one);
    }
    read
}

fn is_transient(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown
    )
}
