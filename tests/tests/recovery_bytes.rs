//! A start after `kill -9` reads journals and checkpoints, not the log: what `/proc/PID/io` says beside the files' sizes.
//!
//! ```text
//!   fill 20 partitions ─► kill -9 under load ─► start ─► read_bytes at the start screen, and at the first ack
//!                                                        ≤ journals + checkpoints + 16 MiB, however much was filled
//! ```
//!
//! 1 GiB by default. `RECOVERY_GIB=1,5,10,20 RECOVERY_BESIDE=1` makes a table of these sizes, each in 20 active segments, of
//! ours and of Apache Kafka on the same machine, and writes it as JSON to `RECOVERY_JSON`, or below the target directory.
//! The data goes below the target directory, which must be on a disk: what comes from the page cache, or from a file system
//! in memory, is not counted by the kernel. Caches are dropped before the start where that is allowed; the table says so.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ProduceRequest;

use corelane_tests::harness::broker::{Broker, Options, target_dir};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, decode_response, produce_request, request_bytes,
};
use corelane_tests::harness::{recording, topic_name};

const PARTITIONS: i32 = 20;
const CONNECTIONS: i32 = 4;
/// Requests on their way on each connection.
const IN_FLIGHT: usize = 8;
/// Records of a large batch, 64 KiB each: it goes straight to its segment. A small one, of one record, goes through the
/// journal.
const LARGE_RECORDS: usize = 15;
const RECORD_BYTES: usize = 64 << 10;
const SMALL_BYTES: usize = 4 << 10;
/// What a start may read besides journals and checkpoints: metadata, tails of batches that no flush covers.
const BEYOND_MAX: u64 = 16 << 20;
/// Without an answer for so long the fill has stopped.
const STEP_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_start_reads_journals_and_checkpoints_only() {
    let sizes = std::env::var("RECOVERY_GIB").unwrap_or_else(|_| "1".to_owned());
    let sizes = sizes
        .split(',')
        .map(|text| text.trim().parse().expect("a number of GiB"));
    let beside = std::env::var_os("RECOVERY_BESIDE").is_some();
    let mut rows = Vec::new();
    for gib in sizes {
        let ours = measure(gib, false);
        eprintln!("{}", ours.line());
        ours.check();
        rows.push(ours);
        if beside {
            let theirs = measure(gib, true);
            eprintln!("{}", theirs.line());
            rows.push(theirs);
        }
        // After each, so that a long run that is cut short has said something.
        if beside || rows.len() > 1 {
            keep(&rows);
        }
    }
    eprintln!("{HEAD}");
    rows.iter().for_each(|row| eprintln!("{}", row.line()));
}

const HEAD: &str = "| broker | log GiB | journals, checkpoints MiB | start screen ms | first ack ms | first fetch ms | read from disk MiB | \
                    by read calls MiB | caches |\n|---|---|---|---|---|---|---|---|---|";

/// One start after `kill -9`.
struct Row {
    kafka: bool,
    /// Acknowledged before the kill.
    bytes: u64,
    /// Journals and checkpoints: ours only.
    start_files: u64,
    screen: Duration,
    ack: Duration,
    fetch: Duration,
    /// `/proc/PID/io` at the start screen, and at the first ack: from the disk; and by calls, the page cache's too.
    disk_at_screen: u64,
    disk: u64,
    calls: u64,
    cold: bool,
    directory: String,
}

impl Row {
    fn line(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        format!(
            "| {} | {:.2} | {:.1} | {} | {} | {} | {:.1} | {:.1} | {} |",
            if self.kafka {
                "Apache Kafka"
            } else {
                "Corelane"
            },
            mib(self.bytes) / 1024.0,
            mib(self.start_files),
            self.screen.as_millis(),
            self.ack.as_millis(),
            self.fetch.as_millis(),
            mib(self.disk),
            mib(self.calls),
            if self.cold { "dropped" } else { "warm" },
        )
    }

    fn check(&self) {
        assert!(
            self.disk_at_screen >= 1 << 20,
            "{} bytes read: {} is not on a disk",
            self.disk_at_screen,
            self.directory
        );
        assert!(
            self.disk <= self.start_files + BEYOND_MAX,
            "{} bytes read before the first ack, journals and checkpoints are {}",
            self.disk,
            self.start_files
        );
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "broker": if self.kafka { "Apache Kafka 4.3.1" } else { "Corelane" },
            "log_bytes": self.bytes,
            "active_segments": PARTITIONS,
            "start_files_bytes": self.start_files,
            "screen_ms": self.screen.as_millis() as u64,
            "first_ack_ms": self.ack.as_millis() as u64,
            "first_fetch_ms": self.fetch.as_millis() as u64,
            "disk_read_bytes_at_first_ack": self.disk,
            "read_call_bytes_at_first_ack": self.calls,
            "caches_dropped": self.cold,
        })
    }
}

/// Writes the table.
fn keep(rows: &[Row]) {
    let table = serde_json::json!({
        "what": "the first ack and fetch after kill -9 under load",
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
    });
    recording::keep("RECOVERY_JSON", "recovery-table.json", table);
}

/// Fills, kills, starts, and asks.
fn measure(gib: u64, kafka: bool) -> Row {
    let scratch = Scratch::new();
    let mut broker = Broker::start_own(Options {
        data_dir: Some(scratch.0.clone()),
        kafka,
        ..Options::shards(2)
    });
    let topic = topic_name("recovery");
    let configs: &[(&str, &str)] = match kafka {
        true => &[],
        false => &[("corelane.durability", "process")],
    };
    Wire::connect(broker.address()).create_topic(&topic, PARTITIONS, configs);

    let filled = fill_until_killed(&mut broker, &topic, gib << 30);
    let start_files = if kafka {
        0
    } else {
        start_files_bytes(&scratch.0)
    };
    let cold = drop_caches();
    let begin = Instant::now();
    broker.restart();
    let (screen, disk_at_screen) = (begin.elapsed(), broker.proc_io("read_bytes"));
    // Beside each other, as clients would.
    let address = broker.address();
    let (ack, fetch) = thread::scope(|scope| {
        let fetch = scope.spawn(|| {
            first(address, |wire| {
                let fetched = wire.fetch(&topic, 1, 0);
                let partition = &fetched.responses[0].partitions[0];
                let records = partition.records.as_ref().is_some_and(|r| !r.is_empty());
                partition.error_code == 0 && records
            });
            begin.elapsed()
        });
        first(address, |wire| {
            let answer = wire.produce(&topic, 0, Batch::of(&[b"first"]).bytes());
            answer.responses[0].partition_responses[0].error_code == 0
        });
        (begin.elapsed(), fetch.join().expect("a fetch is answered"))
    });
    let row = Row {
        kafka,
        bytes: filled.bytes,
        start_files,
        screen,
        ack,
        fetch,
        disk_at_screen,
        disk: broker.proc_io("read_bytes"),
        calls: broker.proc_io("rchar"),
        cold,
        directory: scratch.0.display().to_string(),
    };
    let mut wire = Wire::connect(address);
    for (index, records) in (0..).zip(filled.records) {
        let fetched = wire.fetch(&topic, index, 0);
        let end = fetched.responses[0].partitions[0].high_watermark;
        assert!(
            end >= records,
            "partition {index}: {records} records acknowledged, {end} found"
        );
    }
    row
}

/// Asks until it is answered well: Apache Kafka says that it has started a moment before its partitions serve.
fn first(address: SocketAddr, ask: impl Fn(&mut Wire) -> bool) {
    let until = Instant::now() + STEP_WITHIN;
    let mut wire = Wire::connect(address);
    while !ask(&mut wire) {
        assert!(Instant::now() < until, "nothing is served");
    }
}

/// True: the next start finds nothing in the page cache.
fn drop_caches() -> bool {
    let synced = Command::new("sync")
        .status()
        .is_ok_and(|status| status.success());
    synced && fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// What was acknowledged before the kill.
struct Filled {
    bytes: u64,
    /// By partition.
    records: Vec<i64>,
}

/// Produces until `bytes` are acknowledged, then kills the broker while more is on its way.
fn fill_until_killed(broker: &mut Broker, topic: &str, bytes: u64) -> Filled {
    let address = broker.address();
    let (acks, heard) = mpsc::channel();
    thread::scope(|scope| {
        let loaders: Vec<_> = (0..CONNECTIONS)
            .map(|n| {
                let acks = acks.clone();
                scope.spawn(move || {
                    let partitions = (n..PARTITIONS).step_by(CONNECTIONS as usize);
                    let mut loader = Loader::new(Wire::connect(address), topic, partitions);
                    loader.run(&acks);
                    loader.frames
                })
            })
            .collect();
        // So that a loader that fails is heard of at once, when all have.
        drop(acks);
        let mut acked = 0;
        while acked < bytes {
            match heard.recv_timeout(STEP_WITHIN) {
                Ok(more) => acked += more,
                Err(_) => break,
            }
        }
        // Also where the fill has stopped: the loaders wait for answers.
        broker.kill_9();
        let mut filled = Filled {
            bytes: acked + heard.try_iter().sum::<u64>(),
            records: vec![0; PARTITIONS as usize],
        };
        for loader in loaders {
            for frame in loader.join().expect("a loader ends with its connection") {
                filled.records[frame.partition as usize] += frame.acked * frame.records;
            }
        }
        assert!(acked >= bytes, "the fill stopped at {acked} bytes");
        filled
    })
}

/// A request that is sent again and again.
struct Frame {
    body: Vec<u8>,
    partition: i32,
    records: i64,
    acked: i64,
}

/// One connection: a large and a small batch for each of its partitions in turn.
struct Loader {
    wire: Wire,
    frames: Vec<Frame>,
}

impl Loader {
    fn new(wire: Wire, topic: &str, partitions: impl Iterator<Item = i32>) -> Loader {
        let large = Batch::of(&[&[b'l'; RECORD_BYTES][..]; LARGE_RECORDS]);
        let small = Batch::of(&[&[b's'; SMALL_BYTES]]);
        let frame = |partition: i32, batch: &Batch| Frame {
            body: request_bytes(9, 1, &produce_request(topic, partition, -1, batch.bytes())),
            partition,
            records: batch.records.len() as i64,
            acked: 0,
        };
        let frames = partitions
            .flat_map(|partition| [frame(partition, &large), frame(partition, &small)])
            .collect();
        Loader { wire, frames }
    }

    /// Until the broker dies. Answers come in the order sent, so the n-th belongs to the n-th request.
    fn run(&mut self, acks: &mpsc::Sender<u64>) {
        let count = self.frames.len();
        let (mut sent, mut answered) = (0, 0);
        loop {
            while sent - answered < IN_FLIGHT {
                if !self.wire.send_frame(&self.frames[sent % count].body) {
                    return;
                }
                sent += 1;
            }
            let Reaction::Frame(answer) = self.wire.reaction(ANSWER_WITHIN) else {
                return;
            };
            let (_, answer) = decode_response::<ProduceRequest>(9, &answer);
            let code = answer.responses[0].partition_responses[0].error_code;
            let frame = &mut self.frames[answered % count];
            assert_eq!(code, 0, "partition {}", frame.partition);
            frame.acked += 1;
            answered += 1;
            // Nobody listens once the broker is dead.
            let _ = acks.send(frame.body.len() as u64);
        }
    }
}

/// The sizes of all journal and checkpoint files.
fn start_files_bytes(data: &Path) -> u64 {
    let entries = |path: &Path| {
        fs::read_dir(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .map(|entry| entry.expect("a readable directory").path())
            .collect::<Vec<_>>()
    };
    let named = |path: &PathBuf, stems: &[&str]| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        stems.iter().any(|stem| name.starts_with(stem))
    };
    entries(data)
        .iter()
        .filter(|path| named(path, &["cores-"]))
        .flat_map(|cores| entries(cores))
        .flat_map(|shard| entries(&shard))
        .filter(|path| named(path, &["journal-", "checkpoint-"]))
        .map(|path| fs::metadata(path).expect("the broker is dead").len())
        .sum()
}

/// A data directory of gigabytes: it goes whether the test passes or fails.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("recovery-{}-{n}", std::process::id());
        Scratch(target_dir().join("tmp").join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
