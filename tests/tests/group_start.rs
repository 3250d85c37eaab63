//! A start with many committed offsets in the log: a snapshot and a little log are read, and whoever asks is answered soon.
//!
//! ```text
//!   commit ─► kill -9 under load ─► start ─► first answered OffsetFetch ─► every offset is there, none goes back
//!          ─► clean stop         ─► start ─► first answered OffsetFetch ─► no log is read at all
//! ```
//!
//! By default 1,000,000 commits of 10,000 places, all in one partition of the offsets topic. The long form is
//! `GROUP_COMMITS=10000000`, in release: a hundred commits each of 100,000 places; `GROUP_SPREAD=50` has their groups in 50
//! partitions. What is read is bounded by counts; the time is said, and held to in the long form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    FindCoordinatorRequest, GroupId, OffsetCommitRequest, OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, create_topics, decode_response, request_bytes, topic_of,
};

/// Partitions that each group reads, all committed in one request.
const PARTITIONS: usize = 100;
/// How often each of them is committed.
const ROUNDS: u64 = 100;
const CONNECTIONS: usize = 4;
/// Requests on their way on each connection.
const IN_FLIGHT: usize = 16;
const TOPIC: &str = "orders-of-the-day";
/// Of `__consumer_offsets`.
const OFFSETS_PARTITIONS: i32 = 50;
const VERSION: i16 = 7;
const LOADING: i16 = 14;
/// Without an answer for so long the commits have stopped.
const STEP_WITHIN: Duration = Duration::from_secs(60);
/// The promise, in the long form.
const FIRST_ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// What of the log may be read for each partition besides its snapshot: the same again, twice, and a first MiB, in which no
/// snapshot is due; once more, as one takes its time.
const LOG_BYTES_EACH: u64 = 2 << 20;
/// Metadata, tails of batches that no flush covers.
const BEYOND_MAX: u64 = 16 << 20;

#[test]
fn the_first_offsets_are_answered_soon_after_a_start() {
    let number = |name: &str, or: u64| {
        std::env::var(name).map_or(or, |text| text.parse().expect("a number"))
    };
    let commits = number("GROUP_COMMITS", 1_000_000);
    let spread = number("GROUP_SPREAD", 1) as i32;
    let long = commits >= 10_000_000;
    let groups = names((commits / ROUNDS) as usize / PARTITIONS, spread);
    let mut broker = Broker::start_own(Options::shards(1));
    prepare(&broker, &groups[0]);

    let begin = Instant::now();
    let acked = commit_until_killed(&mut broker, &groups, commits);
    let files = Files::of(broker.data_dir().expect("our own"));
    eprintln!(
        "{commits} commits of {} places in {:?}: segments {}, snapshots {}, journals and checkpoints {}",
        groups.len() * PARTITIONS,
        begin.elapsed(),
        mib(files.segments),
        mib(files.snapshots),
        mib(files.start)
    );
    let read = start(&mut broker, "kill -9", &groups, &acked, long);
    let log_max = spread as u64 * LOG_BYTES_EACH + 3 * files.snapshots;
    assert!(
        read <= files.start + files.snapshots + log_max + BEYOND_MAX,
        "{read} bytes read: {files:?}"
    );

    assert!(broker.terminate().success());
    let files = Files::of(broker.data_dir().expect("our own"));
    let read = start(&mut broker, "a clean stop", &groups, &acked, long);
    assert!(
        read <= files.start + files.snapshots + BEYOND_MAX,
        "{read} bytes read: {files:?}"
    );
}

/// Group names whose partitions are the first `spread` of the offsets topic.
fn names(count: usize, spread: i32) -> Vec<String> {
    let hash = |name: &str| {
        name.bytes().fold(0i32, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(i32::from(byte))
        })
    };
    let all = (0..).map(|n| format!("readers-of-{n}"));
    let near = all.filter(|name| (hash(name) & i32::MAX) % OFFSETS_PARTITIONS < spread);
    near.take(count.max(1)).collect()
}

/// The topic that is read, and the one that holds the offsets.
fn prepare(broker: &Broker, group: &str) {
    let mut wire = Wire::connect(broker.address());
    let answer = wire.call(5, &create_topics(TOPIC, PARTITIONS as i32, &[]));
    assert_eq!(answer.topics[0].error_code, 0);
    let find = FindCoordinatorRequest::default().with_key(StrBytes::from_string(group.to_owned()));
    assert_eq!(wire.call(2, &find).error_code, 0);
}

/// Commits until so many offsets are acknowledged, then kills the broker while more is on its way. Returns the newest
/// acknowledged offset of each group, which is the same for all its partitions.
fn commit_until_killed(
    broker: &mut Broker,
    groups: &[String],
    commits: u64,
) -> BTreeMap<String, i64> {
    let address = broker.address();
    let (acks, heard) = mpsc::channel();
    thread::scope(|scope| {
        let committers: Vec<_> = (0..CONNECTIONS)
            .map(|n| {
                let acks = acks.clone();
                let own = groups.iter().skip(n).step_by(CONNECTIONS);
                scope.spawn(move || commit(Wire::connect(address), own.collect(), &acks))
            })
            .collect();
        drop(acks);
        let mut acked = 0;
        while acked < commits {
            match heard.recv_timeout(STEP_WITHIN) {
                Ok(()) => acked += PARTITIONS as u64,
                Err(_) => break,
            }
        }
        broker.kill_9();
        let newest = committers
            .into_iter()
            .flat_map(|committer| committer.join().expect("it ends with its connection"))
            .collect();
        assert!(acked >= commits, "the commits stopped at {acked}");
        newest
    })
}

/// One connection: its groups in turn, until the broker dies. Answers come in the order sent.
fn commit(mut wire: Wire, groups: Vec<&String>, acks: &mpsc::Sender<()>) -> BTreeMap<String, i64> {
    let mut newest = BTreeMap::new();
    if groups.is_empty() {
        return newest;
    }
    let (mut sent, mut answered) = (0, 0);
    let turn = |n: usize| (groups[n % groups.len()], (n / groups.len()) as i64);
    loop {
        while sent - answered < IN_FLIGHT {
            let (group, offset) = turn(sent);
            if !wire.send_frame(&request_bytes(VERSION, 1, &commit_request(group, offset))) {
                return newest;
            }
            sent += 1;
        }
        let Reaction::Frame(answer) = wire.reaction(ANSWER_WITHIN) else {
            return newest;
        };
        let (_, answer) = decode_response::<OffsetCommitRequest>(VERSION, &answer);
        let (group, offset) = turn(answered);
        for partition in &answer.topics[0].partitions {
            assert_eq!(partition.error_code, 0, "{group} at {offset}");
        }
        newest.insert(group.clone(), offset);
        answered += 1;
        // Nobody listens once the broker is dead.
        let _ = acks.send(());
    }
}

fn commit_request(group: &str, offset: i64) -> OffsetCommitRequest {
    let partitions = (0..PARTITIONS as i32).map(|partition| {
        OffsetCommitRequestPartition::default()
            .with_partition_index(partition)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(StrBytes::default()))
    });
    OffsetCommitRequest::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![
            OffsetCommitRequestTopic::default()
                .with_name(topic_of(TOPIC))
                .with_partitions(partitions.collect()),
        ])
}

/// Starts the broker, and asks for the last group's offsets until they are answered. Returns what had been read by then.
fn start(
    broker: &mut Broker,
    after: &str,
    groups: &[String],
    acked: &BTreeMap<String, i64>,
    long: bool,
) -> u64 {
    let begin = Instant::now();
    broker.restart();
    let ready = begin.elapsed();
    let mut wire = Wire::connect(broker.address());
    let group = groups.last().expect("there is one");
    let mut refused = 0;
    let first = loop {
        match fetch(&mut wire, group) {
            Some(offsets) => break offsets,
            None => refused += 1,
        }
        assert!(begin.elapsed() < STEP_WITHIN, "it goes on loading");
    };
    let answered = begin.elapsed();
    let read = broker.proc_io("read_bytes");
    check(group, &first, acked);
    for group in groups {
        let offsets = loop {
            if let Some(offsets) = fetch(&mut wire, group) {
                break offsets;
            }
            assert!(begin.elapsed() < 2 * STEP_WITHIN, "it goes on loading");
        };
        check(group, &offsets, acked);
    }
    eprintln!(
        "after {after}: ready in {ready:?}, first offsets in {answered:?} ({refused} times told to wait), {} read by \
         then; all {} groups read in {:?}, {} read in all, at most {} resident",
        mib(read),
        groups.len(),
        begin.elapsed(),
        mib(broker.proc_io("read_bytes")),
        mib(broker.peak_bytes())
    );
    assert!(
        !long || answered <= FIRST_ANSWER_WITHIN,
        "the first answer took {answered:?}"
    );
    read
}

/// All committed offsets of a group; `None`: it is being read.
fn fetch(wire: &mut Wire, group: &str) -> Option<Vec<i64>> {
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic_of(TOPIC))
        .with_partition_indexes((0..PARTITIONS as i32).collect());
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_topics(Some(vec![topic]));
    let answer = wire.call(5, &request);
    match answer.error_code {
        LOADING => None,
        code => {
            assert_eq!(code, 0, "offsets of {group}");
            let partitions = answer.topics[0].partitions.iter();
            Some(partitions.map(|p| p.committed_offset).collect())
        }
    }
}

/// What was acknowledged is there; what was on its way may be, whole.
fn check(group: &str, offsets: &[i64], acked: &BTreeMap<String, i64>) {
    let acked = acked.get(group).copied().unwrap_or(-1);
    assert_eq!(offsets.len(), PARTITIONS);
    for offset in offsets {
        assert!(
            *offset >= acked,
            "{group}: {acked} was acknowledged, {offset} is here"
        );
    }
}

/// Bytes on disk of a dead broker.
#[derive(Debug, Default)]
struct Files {
    /// Journals and checkpoints.
    start: u64,
    segments: u64,
    snapshots: u64,
}

impl Files {
    fn of(path: &Path) -> Files {
        let mut files = Files::default();
        files.add(path);
        files
    }

    fn add(&mut self, path: &Path) {
        let metadata = fs::metadata(path).expect("the broker is dead");
        if metadata.is_dir() {
            for entry in fs::read_dir(path).expect("readable") {
                self.add(&entry.expect("readable").path());
            }
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = metadata.len();
        match () {
            () if name.starts_with("journal-") || name.starts_with("checkpoint-") => {
                self.start += bytes;
            }
            () if name.starts_with("groups.snapshot") => self.snapshots += bytes,
            () => self.segments += bytes,
        }
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
