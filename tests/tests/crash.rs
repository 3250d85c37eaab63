//! `kill -9`, twenty times, under load: every acknowledged record is there, once, in order; every acknowledged topic too.
//!
//! ```text
//!  rounds of 20 cycles, each on a directory of its own:
//!    idempotent producers ─► topics whose segments roll all the time, whose oldest records go, of both durability classes
//!         │ kill -9 at a random acknowledgement, while segments roll, records go, topics are made and deleted
//!         ▼
//!    start, often with another shard count, at times killed again at once ─► all is read back, while producers try again
//! ```
//!
//! `KILL_CYCLES=200` for the long form, `KILL_SEED` for other stories. What was counted goes to `KILL_LEDGER`, or below the
//! target directory, as JSON, whether the promises were kept or not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
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
use corelane_tests::harness::ledger::{Broken, Ledger, Partition, Read, RecordId, hash};
use corelane_tests::harness::wire::{Wire, create_topics, topic_of};
use corelane_tests::harness::{recording, topic_name};

const PRODUCERS: usize = 4;
const TOPICS: usize = 8;
const PARTITIONS: i32 = 4;
/// Records handed to the clients and not yet acknowledged: enough to fill 5 requests of each.
const OUTSTANDING: usize = 64;
/// The longest a single step may take: a restart, the retries after it, reading everything back.
const STEP_WITHIN: Duration = Duration::from_secs(90);
const BATCH_BYTES_MAX: u64 = 2 << 20;
/// Cycles that one directory lives through: each reads everything back.
const ROUND: u64 = 20;

/// What a topic is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Batches of up to 2 MiB.
    Large,
    /// Segments of 32 KiB: some roll in every cycle.
    Rolling,
    /// The same, and no more than [`RETENTION_BYTES`] are kept.
    Trimmed,
}

const SEGMENT_BYTES: u64 = 32 << 10;
const RETENTION_BYTES: u64 = 64 << 10;
/// Eight of them are below a segment.
const SMALL_VALUE_MAX: u64 = 3 << 10;

/// A number from the environment, for longer runs and to repeat a failed one.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn kill_9_loses_doubles_and_reorders_nothing() {
    let cycles = setting("KILL_CYCLES", ROUND);
    let seed = setting("KILL_SEED", 3);
    let mut tally = Tally::default();
    let begin = Instant::now();
    for (round, first) in (0..).zip((0..cycles).step_by(ROUND as usize)) {
        let mut crash = Crash::new(seed + round);
        for cycle in first..cycles.min(first + ROUND) {
            eprintln!("seed {} cycle {cycle}", seed + round);
            crash.cycle(cycle);
            crash.judge(&mut tally, seed, begin);
        }
        crash.end();
        crash.judge(&mut tally, seed, begin);
        tally.add(&crash);
        tally.keep(seed, begin);
    }
    let ours = std::env::var_os("CORELANE_TEST_KAFKA").is_none();
    assert!(
        tally.segments > 0 && (tally.trimmed > 0 || !ours),
        "segments rolled and records went: {tally:?}"
    );
    eprintln!("{tally:?}");
}

/// What a run came to, for the ledger.
#[derive(Clone, Debug, Default)]
struct Tally {
    cycles: u64,
    kills: u64,
    reshards: u64,
    acked: u64,
    acked_bytes: u64,
    read: u64,
    topics_created: u64,
    topics_deleted: u64,
    /// Segment files that were there at the ends of rounds, beyond one for each partition.
    segments: u64,
    /// Records that went by retention.
    trimmed: u64,
    lost: u64,
    doubled: u64,
    reordered: u64,
    otherwise_wrong: u64,
}

impl Tally {
    /// A round's, at its end.
    fn add(&mut self, crash: &Crash) {
        self.cycles += crash.cycles;
        self.kills += crash.kills;
        self.reshards += crash.reshards;
        self.acked += crash.ledger.acked_count() as u64;
        self.acked_bytes += crash.acked_bytes;
        self.read += crash.read;
        self.topics_created += crash.created.len() as u64;
        self.topics_deleted += crash.deleted.len() as u64;
        self.segments += crash.segments;
        self.trimmed += crash.begins.values().sum::<i64>().unsigned_abs();
    }

    fn blame(&mut self, broken: &[Broken]) {
        for one in broken {
            match one {
                Broken::Lost(..) => self.lost += 1,
                Broken::Doubled(..) => self.doubled += 1,
                Broken::Reordered(..) | Broken::Moved(..) => self.reordered += 1,
                Broken::NeverSent(..) | Broken::Changed(..) | Broken::OffsetsFallBack(..) => {
                    self.otherwise_wrong += 1;
                }
            }
        }
    }

    /// Writes the ledger.
    fn keep(&self, seed: u64, begin: Instant) {
        let ledger = serde_json::json!({
            "what": "kill -9 under load, one node",
            "command": format!("KILL_CYCLES={} KILL_SEED={seed} cargo test -p corelane-tests --test crash", setting("KILL_CYCLES", ROUND)),
            "seed": seed,
            "seconds": begin.elapsed().as_secs(),
            "cycles": self.cycles,
            "kills": self.kills,
            "starts with another shard count": self.reshards,
            "records acknowledged": self.acked,
            "bytes acknowledged": self.acked_bytes,
            "records read back and compared": self.read,
            "topics created": self.topics_created,
            "topics deleted": self.topics_deleted,
            "segments beyond the first": self.segments,
            "records gone by retention": self.trimmed,
            "lost": self.lost,
            "doubled": self.doubled,
            "reordered": self.reordered,
            "otherwise wrong": self.otherwise_wrong,
        });
        recording::keep("KILL_LEDGER", "kill-ledger.json", ledger);
    }
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
    partitions: Vec<(Partition, Kind)>,
    outstanding: usize,
    cycles: u64,
    kills: u64,
    reshards: u64,
    acked_bytes: u64,
    read: u64,
    segments: u64,
    /// Where logs were last seen to begin, above 0.
    begins: BTreeMap<Partition, i64>,
    broken: Vec<Broken>,
    /// Topics whose creation, or deletion, was acknowledged.
    created: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

impl Crash {
    fn new(seed: u64) -> Crash {
        let mut options = Options::shards(2);
        if !options.kafka {
            options.flags = ["--retention-check-ms", "50"].map(str::to_owned).to_vec();
        }
        let broker = Broker::start_own(options);
        let mut wire = Wire::connect(broker.address());
        let mut created = BTreeSet::new();
        let mut partitions = Vec::new();
        for n in 0..TOPICS {
            let topic = topic_name("crash");
            let kind = kind(n);
            wire.create_topic(&topic, PARTITIONS, &topic_configs(&broker, n));
            partitions.extend((0..PARTITIONS).map(|p| ((topic.clone(), p), kind)));
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
            cycles: 0,
            kills: 0,
            reshards: 0,
            acked_bytes: 0,
            read: 0,
            segments: 0,
            begins: BTreeMap::new(),
            broken: Vec::new(),
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
        self.cycles += 1;
        self.kills += 1;
        self.broker.kill_9();
        if self.rng.one_in(4) {
            self.reshard();
        }
        self.broker.restart();
        if self.rng.one_in(5) {
            // A second death before anybody was served.
            self.kills += 1;
            self.broker.kill_9();
            if self.rng.one_in(2) {
                self.reshard();
            }
            self.broker.restart();
        }
        self.verify(&format!("after kill {cycle}"));
    }

    /// The next start has another number of shards.
    fn reshard(&mut self) {
        let shards = 1 + self.rng.below(4) as usize;
        let before = std::mem::replace(&mut self.broker.options_mut().shards, shards);
        self.reshards += u64::from(before != shards);
    }

    /// Everything is acknowledged in the end; a clean stop, and another shard count, keep the same promises.
    fn end(&mut self) {
        self.settle();
        self.verify("after the last acknowledgement");
        self.broker.terminate();
        if let Some(directory) = self.broker.data_dir() {
            let segments = segment_files(directory).len() as u64;
            self.segments = segments.saturating_sub(self.partitions.len() as u64);
        }
        self.reshard();
        self.broker.restart();
        self.verify("after SIGTERM and a start with other shards");
    }

    /// Broken promises end the run, once the ledger says so.
    fn judge(&self, tally: &mut Tally, seed: u64, begin: Instant) {
        if !self.broken.is_empty() {
            tally.add(self);
            tally.blame(&self.broken);
            tally.keep(seed, begin);
            panic!("{:#?}", self.broken);
        }
    }

    /// Hands one record to a random producer for a random partition.
    fn offer(&mut self) {
        let producer = self.rng.below(PRODUCERS as u64) as u32;
        // One in three goes where the oldest go: enough for it to happen.
        let all = self.partitions.len() as u64;
        let trimmed = self.rng.one_in(3);
        let (partition, kind) = loop {
            let one = &self.partitions[self.rng.below(all) as usize];
            if !trimmed || one.1 == Kind::Trimmed {
                break one.clone();
            }
        };
        let id = self.ledger.next(&partition, producer);
        let value = value(&mut self.rng, id, kind);
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
            Ok(offset) => self.acked(&partition, id, offset),
            Err(error) => panic!("{id:?} of {partition:?}: {error}"),
        }
    }

    fn acked(&mut self, partition: &Partition, id: RecordId, offset: i64) {
        self.ledger.acked(partition, id, offset);
        self.acked_bytes += self.ledger.bytes_of(partition, id);
    }

    /// One topic more, which takes records from now on; one more that is deleted at once.
    fn change_topics(&mut self, cycle: u64) {
        let mut wire = Wire::connect(self.broker.address());
        let topic = topic_name("late");
        let n = cycle as usize;
        wire.create_topic(&topic, 1, &topic_configs(&self.broker, n));
        self.partitions.push(((topic.clone(), 0), kind(n)));
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
            self.acked(&partition, id, offset);
        }
        let (consumer, read) = read_all(&self.broker, &self.ledger);
        let kinds: BTreeMap<&Partition, Kind> =
            self.partitions.iter().map(|(p, kind)| (p, *kind)).collect();
        for (partition, reads) in &read {
            self.read += reads.len() as u64;
            let begin = match kinds[partition] {
                // After the reading: what went meanwhile is not owed.
                Kind::Trimmed => begin_of(&consumer, partition),
                Kind::Large | Kind::Rolling => 0,
            };
            let before = self.begins.insert(partition.clone(), begin).unwrap_or(0);
            assert!(
                before <= begin,
                "{when}: {partition:?} began at {before}, now {begin}"
            );
            let kept = reads.iter().filter(|read| read.offset >= begin);
            let kept: usize = kept.map(|read| read.bytes).sum();
            // A record takes less than its own length besides.
            assert!(
                begin == 0 || kept as u64 * 2 >= RETENTION_BYTES,
                "{when}: {partition:?} from {begin} on holds {kept} bytes only"
            );
            let broken = self
                .ledger
                .check_from(&self.ledger, partition, reads, begin);
            if !broken.is_empty() {
                eprintln!("{when}: {partition:?}: {broken:?}");
            }
            self.broken.extend(broken);
        }
    }
}

fn kind(n: usize) -> Kind {
    match n % 4 {
        0 => Kind::Large,
        1 | 2 => Kind::Rolling,
        _ => Kind::Trimmed,
    }
}

/// Segments as the kind wants them; both durability classes in turn.
fn topic_configs(broker: &Broker, n: usize) -> Vec<(&'static str, &'static str)> {
    const SMALL: (&str, &str) = ("internal.segment.bytes", "32768");
    const _: () = assert!(SEGMENT_BYTES == 32_768 && RETENTION_BYTES == 65_536);
    let mut configs = match kind(n) {
        Kind::Large => vec![
            ("segment.bytes", "4194304"),
            ("max.message.bytes", "3145728"),
        ],
        Kind::Rolling => vec![SMALL],
        Kind::Trimmed => vec![
            SMALL,
            ("retention.bytes", "65536"),
            ("file.delete.delay.ms", "100"),
        ],
    };
    if broker.is_ours() {
        let class = match (n / 4 + n).is_multiple_of(2) {
            true => "disk",
            false => "process",
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
fn value(rng: &mut Rng, id: RecordId, kind: Kind) -> Vec<u8> {
    let most = match rng.below(100) {
        _ if kind != Kind::Large => SMALL_VALUE_MAX,
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

/// Where a log begins now.
fn begin_of(consumer: &BaseConsumer, (topic, partition): &Partition) -> i64 {
    let until = Instant::now() + STEP_WITHIN;
    loop {
        match consumer.fetch_watermarks(topic, *partition, Duration::from_secs(5)) {
            Ok((begin, _)) => return begin,
            Err(error) => assert!(Instant::now() < until, "{topic}-{partition}: {error}"),
        }
    }
}

/// Every segment file below a directory.
fn segment_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a readable directory");
    let paths = entries.map(|entry| entry.expect("a readable directory").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => segment_files(&path),
            false if path.extension().is_some_and(|end| end == "log") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

/// Every partition from its start to the last offset acknowledged, at least.
fn read_all(broker: &Broker, ledger: &Ledger) -> (BaseConsumer, BTreeMap<Partition, Vec<Read>>) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", "never-joined")
        .set("enable.auto.commit", "false")
        // The oldest records may go between two fetches.
        .set("auto.offset.reset", "earliest")
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
    (consumer, read)
}

fn is_transient(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown
    )
}
