//! What much of nothing costs: 5,000 partitions of ten records, 1,000 connections that say nothing, and time that passes.
//!
//! ```text
//!   create ─► ten records each ─► memory, files, idle ─► 1,000 connections ─► memory ─► idle
//!          ─► clean stop ─► disk ─► start with one shard, then with two ─► memory, files, idle
//! ```

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kafka_protocol::messages::produce_request::PartitionProduceData;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{Wire, create_topics, produce_request};

const PARTITIONS: i32 = 5_000;
const RECORDS: usize = 10;
/// Partitions of one Produce request.
const AT_ONCE: i32 = 500;
const CONNECTIONS: usize = 1_000;

/// On disk, besides the records and the journals.
const DISK_MAX: u64 = 100 << 20;
/// Resident, with the start's own memory.
const MEMORY_MAX: u64 = 100 << 20;
/// Beside sockets: rings, journals, checkpoints, metadata.
const FILES_MAX: usize = 64;
const CONNECTION_BYTES_MAX: u64 = 16 << 10;
/// Nothing is asked for so long, and less than a hundredth of it may be used.
const IDLE: Duration = Duration::from_secs(3);

#[test]
fn five_thousand_small_partitions_and_a_thousand_connections_cost_little() {
    let mut broker = Broker::start_own(Options::shards(1));
    eprintln!("fresh: {} resident", mib(broker.resident_bytes()));
    let topic = topic_name("small");
    let mut wire = Wire::connect(broker.address());
    let begin = Instant::now();
    let answer = wire.call(5, &create_topics(&topic, PARTITIONS, &[]));
    assert_eq!(answer.topics[0].error_code, 0);
    let created = begin.elapsed();
    let data = fill(&mut wire, &topic);
    let filled = begin.elapsed() - created;
    eprintln!("{PARTITIONS} partitions created in {created:?}, filled in {filled:?}");
    check(&broker, "just written", 1);
    idle_connections(&broker, &topic);

    let begin = Instant::now();
    assert!(broker.terminate().success());
    eprintln!("stopped in {:?}", begin.elapsed());
    let disk = Disk::of(broker.data_dir().expect("our own"));
    let beyond = disk.all.saturating_sub(disk.journals + data);
    eprintln!(
        "on disk: {} in {} files and {} directories; journals {}, records {}, beyond {}",
        mib(disk.all),
        disk.files,
        disk.directories,
        mib(disk.journals),
        mib(data),
        mib(beyond)
    );
    assert!(beyond < DISK_MAX, "{beyond} bytes beyond data and journals");

    for shards in [1, 2] {
        broker.options_mut().shards = shards;
        let begin = Instant::now();
        broker.restart();
        eprintln!("started with {shards} shards in {:?}", begin.elapsed());
        let mut wire = Wire::connect(broker.address());
        for partition in (0..PARTITIONS).step_by(97) {
            let fetched = wire.fetch(&topic, partition, 0);
            let fetched = &fetched.responses[0].partitions[0];
            assert_eq!((fetched.error_code, fetched.high_watermark), (0, 10));
            assert!(fetched.records.as_ref().is_some_and(|r| !r.is_empty()));
        }
        check(&broker, &format!("read with {shards} shards"), 1);
        if shards == 1 {
            assert!(broker.terminate().success());
        }
    }
}

/// Ten records to each partition; returns their bytes as batches.
fn fill(wire: &mut Wire, topic: &str) -> u64 {
    let batch = Batch::of(&[&[b'r'; 100][..]; RECORDS]).bytes();
    for first in (0..PARTITIONS).step_by(AT_ONCE as usize) {
        let mut request = produce_request(topic, first, -1, batch.clone());
        request.topic_data[0].partition_data = (first..first + AT_ONCE)
            .map(|partition| {
                PartitionProduceData::default()
                    .with_index(partition)
                    .with_records(Some(batch.clone()))
            })
            .collect();
        let answer = wire.call(9, &request);
        for partition in &answer.responses[0].partition_responses {
            assert_eq!(partition.error_code, 0, "partition {}", partition.index);
        }
    }
    PARTITIONS as u64 * batch.len() as u64
}

/// Memory, descriptors and idle time within their bounds; `connections` are open.
fn check(broker: &Broker, what: &str, connections: usize) {
    let used = idle(broker);
    let (resident, files) = (broker.resident_bytes(), broker.open_files());
    eprintln!(
        "{what}: {} resident, {files} descriptors, {connections} of them connections, {} ms of CPU in {} idle s",
        mib(resident),
        used.as_millis(),
        IDLE.as_secs()
    );
    assert!(resident < MEMORY_MAX, "{what}: {resident} bytes resident");
    assert!(
        files <= FILES_MAX + connections,
        "{what}: {files} descriptors"
    );
    assert!(used < IDLE / 100, "{what}: {used:?} in {IDLE:?} of nothing");
}

/// CPU time used while nobody asks for anything. Waits on a socket that stays silent: the time that passes is what is
/// measured.
fn idle(broker: &Broker) -> Duration {
    let mut wire = Wire::connect(broker.address());
    // What the last requests have left to be done.
    wire.reaction(Duration::from_secs(1));
    let before = broker.cpu_time();
    wire.reaction(IDLE);
    broker.cpu_time() - before
}

/// Connections that have each fetched and produced, and then stay.
fn idle_connections(broker: &Broker, topic: &str) {
    raise_open_files();
    let before = broker.resident_bytes();
    let batch = Batch::of(&[b"hello"]).bytes();
    let connections: Vec<Wire> = (0..CONNECTIONS)
        .map(|n| {
            let mut wire = Wire::connect(broker.address());
            let partition = n as i32 % PARTITIONS;
            let fetched = wire.fetch(topic, partition, 0);
            assert_eq!(fetched.responses[0].partitions[0].error_code, 0);
            // Refused, so that every partition keeps its ten records.
            let answer = wire.produce("no-such-topic", partition, batch.clone());
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 3);
            wire
        })
        .collect();
    check(broker, "idle connections", CONNECTIONS + 1);
    let each = broker.resident_bytes().saturating_sub(before) / CONNECTIONS as u64;
    eprintln!("{each} bytes resident for each of {CONNECTIONS} connections");
    assert!(each < CONNECTION_BYTES_MAX, "{each} bytes for a connection");
    drop(connections);
}

/// The connections are descriptors of this process too, and the usual limit is 1,024.
fn raise_open_files() {
    let mut raise = Command::new("prlimit");
    raise.args(["--pid", &std::process::id().to_string(), "--nofile=4096:"]);
    run(raise, b"", Duration::from_secs(10)).expect_ok("prlimit");
}

/// What a directory takes, in bytes of blocks.
#[derive(Default)]
struct Disk {
    all: u64,
    journals: u64,
    files: u64,
    directories: u64,
}

impl Disk {
    fn of(path: &Path) -> Disk {
        let mut disk = Disk::default();
        disk.add(path);
        disk
    }

    fn add(&mut self, path: &Path) {
        let metadata = fs::symlink_metadata(path).expect("the broker has stopped");
        let bytes = metadata.blocks() * 512;
        self.all += bytes;
        if metadata.is_dir() {
            self.directories += 1;
            for entry in fs::read_dir(path).expect("readable") {
                self.add(&entry.expect("readable").path());
            }
            return;
        }
        self.files += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("journal-") {
            self.journals += bytes;
        }
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
