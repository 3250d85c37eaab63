//! A start after `kill -9` reads journals and checkpoints, not the log: what `/proc/PID/io` says beside the files' sizes.
//!
//! ```text
//!   fill 20 partitions ─► kill -9 under load ─► start ─► read_bytes at the start screen, and at the first ack
//!                                                        ≤ journals + checkpoints + 16 MiB, however much was filled
//! ```
//!
//! 1 GiB by default; `RECOVERY_GIB=10` for the long form. The data goes below the target directory, which must be on a
//! disk: what comes from the page cache, or from a file system in memory, is not counted by the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ProduceRequest;

use corelane_tests::harness::broker::{Broker, Options, target_dir};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, decode_response, produce_request, request_bytes,
};

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
    let gib: u64 = std::env::var("RECOVERY_GIB").map_or(1, |text| text.parse().expect("a number"));
    let scratch = Scratch::new();
    let mut broker = Broker::start_own(Options {
        data_dir: Some(scratch.0.clone()),
        ..Options::shards(2)
    });
    let topic = topic_name("recovery");
    Wire::connect(broker.address()).create_topic(
        &topic,
        PARTITIONS,
        &[("corelane.durability", "process")],
    );

    let filled = fill_until_killed(&mut broker, &topic, gib << 30);
    let start_files = start_files_bytes(&scratch.0);
    let begin = Instant::now();
    broker.restart();
    let at_screen = broker.proc_io("read_bytes");
    let mut wire = Wire::connect(broker.address());
    let answer = wire.produce(&topic, 0, Batch::of(&[b"first"]).bytes());
    let first_ack = begin.elapsed();
    let at_first_ack = broker.proc_io("read_bytes");
    let partition = &answer.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, 0);

    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    eprintln!(
        "{:.2} GiB in {PARTITIONS} partitions; journals and checkpoints {:.1} MiB; read {:.1} MiB at the start screen, \
         {:.1} MiB at the first ack, after {} ms",
        mib(filled.bytes) / 1024.0,
        mib(start_files),
        mib(at_screen),
        mib(at_first_ack),
        first_ack.as_millis()
    );
    assert!(
        at_screen >= 1 << 20,
        "{at_screen} bytes read: {} is not on a disk",
        scratch.0.display()
    );
    assert!(
        at_first_ack <= start_files + BEYOND_MAX,
        "{at_first_ack} bytes read before the first ack, journals and checkpoints are {start_files}"
    );
    for (index, records) in (0..).zip(filled.records) {
        let fetched = wire.fetch(&topic, index, 0);
        let end = fetched.responses[0].partitions[0].high_watermark;
        assert!(
            end >= records,
            "partition {index}: {records} records acknowledged, {end} found"
        );
    }
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
        let name = format!("recovery-{}", std::process::id());
        Scratch(target_dir().join("tmp").join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
