//! The shard on a disk that does what it is told: appends, reads, restarts.

mod cold;
mod files;
mod flush;
mod many;
mod pressure;
mod scrub;
mod space;
mod tally;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::batch::{BatchBuilder, BatchHeader, Rules, TimestampType};
use crate::call::{
    AppendItem, DeleteItem, EpochItem, ListItem, ListWhat, Listed, ReadAnswer, ReadError, ReadItem,
    WatchItem,
};
use crate::disk::DirectoryEntry;
use crate::log::group::JournalId;
use crate::log::partition::FlushRule;
use crate::log::recover::{self, ShardFiles};
use crate::log::trim::Retention;
use crate::types::{Durability, Timestamp, TopicId};

/// Files in memory; every operation is done at once, in order.
#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    open: BTreeMap<FileId, String>,
    opened_max: usize,
    /// All files together hold no more.
    room: Option<u64>,
    flushes: usize,
    /// Opening and extending fail with it.
    used_up: Option<i32>,
}

impl Disk {
    fn run(&mut self, op: DiskOp) -> Result<DiskOutcome, DiskError> {
        match op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                if let Some(errno) = self.used_up {
                    return Err(DiskError { errno });
                }
                if !create && !self.files.contains_key(&path) {
                    return Err(DiskError::NOT_FOUND);
                }
                self.files.entry(path.clone()).or_default();
                assert!(self.open.insert(file, path).is_none(), "{file:?} is open");
                self.opened_max = self.opened_max.max(self.open.len());
            }
            DiskOp::Close { file } => {
                assert!(self.open.remove(&file).is_some(), "{file:?} is not open")
            }
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                assert!(
                    position % 4096 == 0
                        && bytes.len() % 4096 == 0
                        && (bytes.as_ptr() as usize).is_multiple_of(4096)
                );
                let content = self
                    .files
                    .get_mut(&self.open[&file])
                    .expect("open files exist");
                let end = position as usize + bytes.len();
                content.resize(content.len().max(end), 0);
                content[position as usize..end].copy_from_slice(&bytes);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let content = &self.files[&self.open[&file]];
                let begin = content.len().min(position as usize);
                let end = content.len().min(begin + into.capacity() / 4096 * 4096);
                into.extend_from_slice(&content[begin..end]);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { file } => {
                assert!(self.open.contains_key(&file));
                self.flushes += 1;
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let end = (position + length) as usize;
                let used: usize = self.files.values().map(Vec::len).sum();
                let content = self
                    .files
                    .get_mut(&self.open[&file])
                    .expect("open files exist");
                let grown = used + end.saturating_sub(content.len());
                if self.room.is_some_and(|room| grown as u64 > room) {
                    return Err(DiskError::NO_SPACE);
                }
                content.resize(content.len().max(end), 0);
            }
            DiskOp::Truncate { file, length } => {
                self.files
                    .get_mut(&self.open[&file])
                    .expect("open files exist")
                    .resize(length as usize, 0);
            }
            DiskOp::Unlink { path } => drop(self.files.remove(&path)),
            DiskOp::Rename { from, to } => {
                let content = self.files.remove(&from).ok_or(DiskError::NOT_FOUND)?;
                self.files.insert(to, content);
            }
            DiskOp::List { path } => {
                let prefix = format!("{path}/");
                let entries = self.files.iter().filter_map(|(name, content)| {
                    let name = name.strip_prefix(&prefix)?.to_owned();
                    Some(DirectoryEntry {
                        name,
                        directory: false,
                        length: content.len() as u64,
                    })
                });
                return Ok(DiskOutcome::Listing(entries.collect()));
            }
            DiskOp::Measure => {
                let used: usize = self.files.values().map(Vec::len).sum();
                let free = |room: u64| room.saturating_sub(used as u64);
                return Ok(DiskOutcome::Measured(Space {
                    total_bytes: 1 << 40,
                    usable_bytes: self.room.map_or(1 << 30, free),
                }));
            }
            DiskOp::RemoveDirectory { path } => {
                let prefix = format!("{path}/");
                if self.files.keys().any(|name| name.starts_with(&prefix)) {
                    return Err(DiskError::NOT_EMPTY);
                }
            }
            DiskOp::SyncDirectory { .. } | DiskOp::MakeDirectory { .. } => {}
        }
        Ok(DiskOutcome::Done)
    }
}

const TOPIC: TopicPartition = TopicPartition {
    topic: TopicId([9; 16]),
    partition: 0,
};

struct Node {
    disk: Disk,
    shard: Shard,
    request: u64,
    answers: Vec<Answer>,
    now: Now,
}

fn config() -> PartitionConfig {
    PartitionConfig {
        rules: Rules {
            max_bytes: 1 << 20,
            segment_bytes: 48 << 10,
            timestamp_type: TimestampType::Create,
            before_max_ms: i64::MAX,
            after_max_ms: i64::MAX,
            validate_records: false,
            compacted: false,
        },
        durability: Durability::Disk,
        segment_bytes: 48 << 10,
        segment_ms: i64::MAX,
        segment_jitter_ms: 0,
        flush: FlushRule::NEVER,
        index_interval_bytes: 1024,
        producers_max: 8,
        retention: Retention::FOREVER,
    }
}

fn open(disk: &mut Disk, partitions: &[TopicPartition]) -> Shard {
    try_open(disk, partitions).expect("recovers")
}

fn try_open(disk: &mut Disk, partitions: &[TopicPartition]) -> Result<Shard, Fatal> {
    let files = Rc::new(RefCell::new(FileIds::default()));
    let owned = partitions
        .iter()
        .map(|id| Partition::new(*id, config(), LeaderEpoch(0)))
        .collect();
    let mut runner = FlowRunner::new(&files, |flow| async move {
        let mut arena = Arena::new(256 << 10, 256 << 10, 2 << 20);
        let at = ShardFiles {
            directory: "s".into(),
            id: JournalId {
                directory: [1; 16],
                number: 0,
            },
            moved: false,
        };
        recover::open_shard(&flow, &at, &Limits::TINY, &mut arena, owned)
            .await
            .map(|r| (r, arena))
    });
    disk.open.clear();
    let mut requests = Vec::new();
    let (recovered, arena) = loop {
        if let Poll::Ready(result) = runner.step(&mut requests) {
            break result?;
        }
        for DiskRequest { token, op } in requests.drain(..) {
            runner.on_disk(DiskDone {
                token,
                result: disk.run(op),
            });
        }
    };
    Ok(Shard::new([1; 16], Limits::TINY, recovered, arena, files))
}

impl Node {
    fn new() -> Node {
        let mut disk = Disk::default();
        let mut shard = open(&mut disk, &[]);
        shard.create_partition(TOPIC, config(), LeaderEpoch(0));
        Node {
            disk,
            shard,
            request: 0,
            answers: Vec::new(),
            now: Now::default(),
        }
    }

    /// The process dies and starts again on the same files.
    fn restart(self) -> Node {
        Node::on(self.disk, &[TOPIC]).expect("recovers")
    }

    /// A start on these files.
    fn on(mut disk: Disk, partitions: &[TopicPartition]) -> Result<Node, Fatal> {
        let shard = try_open(&mut disk, partitions)?;
        Ok(Node {
            disk,
            shard,
            request: 0,
            answers: Vec::new(),
            now: Now::default(),
        })
    }

    fn settle(&mut self) {
        let mut out = ShardOut::default();
        loop {
            self.shard.settle(self.now, &mut out);
            let requests = std::mem::take(&mut out.disk);
            if requests.is_empty() {
                break;
            }
            for DiskRequest { token, op } in requests {
                let done = DiskDone {
                    token,
                    result: self.disk.run(op),
                };
                self.shard.on_disk(self.now, done, &mut out);
            }
        }
        assert_eq!(out.fatal, None);
        self.answers
            .extend(out.answers.into_iter().map(|(_, answer)| answer));
    }

    fn call(&mut self, body: CallBody) -> u64 {
        self.request += 1;
        let call = Call {
            from: ShardId(0),
            request: RequestToken(self.request),
            body,
        };
        let mut out = ShardOut::default();
        self.shard.call(self.now, call, &mut out);
        for DiskRequest { token, op } in std::mem::take(&mut out.disk) {
            let done = DiskDone {
                token,
                result: self.disk.run(op),
            };
            self.shard.on_disk(self.now, done, &mut out);
        }
        self.answers
            .extend(out.answers.into_iter().map(|(_, answer)| answer));
        self.settle();
        self.request
    }

    /// Everything that the disk is asked is done, but for the flushes of files whose path begins so: those are returned.
    fn settle_without_flushes(&mut self, of: &str) -> Vec<DiskRequest> {
        let mut held = Vec::new();
        let mut out = ShardOut::default();
        loop {
            self.shard.settle(self.now, &mut out);
            let requests = std::mem::take(&mut out.disk);
            if requests.is_empty() {
                break;
            }
            for request in requests {
                match &request.op {
                    DiskOp::Flush { file } if self.disk.open[file].starts_with(of) => {
                        held.push(request);
                    }
                    _ => {
                        let done = DiskDone {
                            token: request.token,
                            result: self.disk.run(request.op),
                        };
                        self.shard.on_disk(self.now, done, &mut out);
                    }
                }
            }
        }
        let answers = out.answers.into_iter().map(|(_, answer)| answer);
        self.answers.extend(answers);
        held
    }

    fn flush(&mut self, held: Vec<DiskRequest>) {
        let mut out = ShardOut::default();
        for DiskRequest { token, op } in held {
            let result = self.disk.run(op);
            self.shard
                .on_disk(self.now, DiskDone { token, result }, &mut out);
        }
        let answers = out.answers.into_iter().map(|(_, answer)| answer);
        self.answers.extend(answers);
        self.settle();
    }

    /// Sends a batch; what it asks of the disk is done, but no flush of files whose path begins so.
    fn send_without_flushes(&mut self, records: Bytes, of: &str) -> Vec<DiskRequest> {
        self.request += 1;
        let items = vec![AppendItem {
            slot: 0,
            partition: TOPIC,
            records,
        }];
        let call = Call {
            from: ShardId(0),
            request: RequestToken(self.request),
            body: CallBody::Append {
                acks: Acks::All,
                items,
            },
        };
        let mut out = ShardOut::default();
        self.shard.call(self.now, call, &mut out);
        for DiskRequest { token, op } in std::mem::take(&mut out.disk) {
            let result = self.disk.run(op);
            self.shard
                .on_disk(self.now, DiskDone { token, result }, &mut out);
        }
        let answers = out.answers.into_iter().map(|(_, answer)| answer);
        self.answers.extend(answers);
        self.settle_without_flushes(of)
    }

    fn promise(&mut self, durability: Durability) {
        let config = PartitionConfig {
            durability,
            segment_bytes: 1 << 20,
            ..config()
        };
        self.shard.configure_partition(TOPIC, config);
    }

    fn acknowledged(&mut self) -> usize {
        self.answers.drain(..).count()
    }

    fn append(&mut self, records: Bytes) -> Result<Appended, AppendError> {
        let items = vec![AppendItem {
            slot: 0,
            partition: TOPIC,
            records,
        }];
        self.call(CallBody::Append {
            acks: Acks::All,
            items,
        });
        let answer = self.answers.pop().expect("answered");
        let AnswerBody::Appended(mut list) = answer.body else {
            panic!("{answer:?}")
        };
        list.pop().expect("one answer").result
    }

    /// Everything from `offset` on, as whole batches.
    fn read_all(&mut self, mut offset: Offset) -> Vec<(Offset, Bytes)> {
        let mut batches = Vec::new();
        loop {
            let item = ReadItem {
                slot: 0,
                partition: TOPIC,
                offset,
                max_bytes: 10_000,
                current_leader_epoch: LeaderEpoch(-1),
                last_fetched_epoch: LeaderEpoch(-1),
            };
            self.call(CallBody::Read {
                max_bytes: 10_000,
                items: vec![item],
            });
            let AnswerBody::Read(mut list) = self.answers.pop().expect("answered").body else {
                panic!()
            };
            let done = list.pop().expect("one answer").result.expect("readable");
            if done.records.is_empty() {
                assert_eq!(offset, done.high_watermark);
                return batches;
            }
            let mut joined = BytesMut::new();
            done.records
                .iter()
                .for_each(|part| joined.extend_from_slice(part));
            let mut bytes = joined.freeze();
            let mut count = 0;
            while !bytes.is_empty() {
                let header = crate::batch::verify(&bytes).expect("valid");
                let batch = bytes.split_to(header.total_bytes());
                count += header.count as u64;
                if header.last_offset() >= offset {
                    batches.push((header.base_offset, batch));
                    offset = Offset(header.last_offset().0 + 1);
                }
            }
            assert_eq!(done.count, count, "what is said of them");
        }
    }
}

/// A batch of `count` records with `bytes` of value each.
fn batch(count: usize, bytes: usize, fill: u8) -> Bytes {
    let timestamp = Timestamp(i64::from(fill));
    (0..count)
        .fold(BatchBuilder::new(), |batch, _| {
            batch.value(timestamp, &vec![fill; bytes])
        })
        .build()
}

fn payload(batch: &Bytes) -> &[u8] {
    &batch[12 + 9..]
}

#[test]
fn what_is_appended_is_read_back_before_and_after_restarts() {
    let mut node = Node::new();
    let mut rng = crate::rng::Rng::new(7);
    let mut expected: Vec<(Offset, Bytes)> = Vec::new();
    for round in 0..6 {
        for step in 0..120 {
            let (count, bytes) = match rng.below(8) {
                0 => (1, 9_000 + rng.below(12_000) as usize),
                1 => (30, 100),
                _ => (1 + rng.below(3) as usize, rng.below(400) as usize),
            };
            let records = batch(count, bytes, (round * 20 + step % 20) as u8);
            let appended = node.append(records.clone()).expect("appended");
            let next = expected.last().map_or(0, |(base, b)| {
                base.0 + BatchHeader::parse(b).expect("ours").count as i64
            });
            assert_eq!(appended.base_offset, Offset(next));
            expected.push((appended.base_offset, records));
        }
        for node_read in [0, expected.len() / 2, expected.len() - 1] {
            let read = node.read_all(expected[node_read].0);
            assert_eq!(read.len(), expected.len() - node_read);
            for ((offset, bytes), (want_offset, want)) in read.iter().zip(&expected[node_read..]) {
                assert_eq!(offset, want_offset);
                assert_eq!(payload(bytes), payload(want));
            }
        }
        node = node.restart();
    }
    assert!(
        node.disk.opened_max < 40,
        "{} files open",
        node.disk.opened_max
    );
}

/// `bytes` small: the ack waits for the journal; large: for the segment.
fn an_ack_keeps_its_promise(bytes: usize, of: &str) {
    let mut node = Node::new();
    node.promise(Durability::Disk);
    // So that large batches find a file.
    for n in 0..4 {
        node.append(batch(1, bytes, n)).unwrap();
    }
    node.acknowledged();

    let held = node.send_without_flushes(batch(1, bytes, 5), of);
    assert_eq!((node.acknowledged(), held.is_empty()), (0, false));
    node.promise(Durability::Process);
    let more = node.send_without_flushes(batch(1, bytes, 8), of);
    assert_eq!(node.acknowledged(), 0, "the first was promised a flush");
    node.flush(held);
    node.flush(more);
    assert_eq!(node.acknowledged(), 2);

    let mut held = node.send_without_flushes(batch(1, bytes, 6), of);
    assert_eq!(node.acknowledged(), 1, "written is enough");

    node.promise(Durability::Disk);
    held.extend(node.settle_without_flushes(of));
    assert!(!held.is_empty(), "what is not flushed yet now is");
    node.promise(Durability::Process);
    node.promise(Durability::Disk);
    let more = node.send_without_flushes(batch(1, bytes, 7), of);
    assert_eq!(node.acknowledged(), 0);
    node.flush(held);
    node.flush(more);
    assert_eq!(node.acknowledged(), 1);
    assert!(node.shard.partition(0).unwrap().pending.is_empty());
}

#[test]
fn an_ack_that_waits_keeps_its_promise_when_the_class_changes() {
    an_ack_keeps_its_promise(100, "s/");
    an_ack_keeps_its_promise(9_000, "topics/");
}

#[test]
fn another_configuration_holds_from_the_next_append_on() {
    let mut node = Node::new();
    node.append(batch(1, 9_000, 1)).unwrap();
    let mut small = config();
    (small.rules.max_bytes, small.segment_bytes) = (5_000, 8_000);
    node.shard.configure_partition(TOPIC, small);
    let error = node.append(batch(1, 9_000, 2)).unwrap_err();
    assert!(
        matches!(error, AppendError::TooLarge { max: 5_000, .. }),
        "{error:?}"
    );
    for n in 0..4 {
        node.append(batch(1, 4_000, n)).unwrap();
    }
    let segments = |node: &Node| node.shard.partition(0).unwrap().segments.len();
    assert_eq!(segments(&node), 5);
    let before = node.read_all(Offset(0));
    // The start knows the old configuration again: what is there stays as it is.
    let mut again = node.restart();
    assert_eq!(segments(&again), 5);
    assert_eq!(again.read_all(Offset(0)), before);
    let gone = TopicPartition {
        partition: 7,
        ..TOPIC
    };
    again.shard.configure_partition(gone, config());
}

#[test]
fn a_clean_stop_leaves_kafkas_files() {
    let mut node = Node::new();
    let mut all = Vec::new();
    for step in 0..150 {
        let records = batch(1, 700 + step, step as u8);
        node.append(records).expect("appended");
    }
    for (_, bytes) in node.read_all(Offset(0)) {
        all.extend_from_slice(&bytes);
    }
    node.shard.stop();
    node.settle();
    assert!(node.shard.stopped());
    let mut found = Vec::new();
    for (path, content) in node
        .disk
        .files
        .iter()
        .filter(|(path, _)| path.ends_with(".log"))
    {
        let base: i64 = path[path.len() - 24..path.len() - 4]
            .parse()
            .expect("a base offset");
        assert_eq!(
            BatchHeader::parse(content)
                .expect("begins with a batch")
                .base_offset,
            Offset(base)
        );
        found.extend_from_slice(content);
    }
    assert_eq!(found, all);
    let mut node = node.restart();
    assert_eq!(
        node.append(batch(1, 10, 1)).expect("appended").base_offset,
        Offset(150)
    );
    assert_eq!(node.read_all(Offset(0)).len(), 151);
}

#[test]
fn a_cold_read_after_the_last_settle_asks_for_another() {
    let mut node = Node::new();
    for step in 0..150 {
        node.append(batch(2, 500, step)).expect("appended");
    }
    let item = ReadItem {
        slot: 0,
        partition: TOPIC,
        offset: Offset(0),
        max_bytes: 1_000,
        current_leader_epoch: LeaderEpoch(-1),
        last_fetched_epoch: LeaderEpoch(-1),
    };
    let call = Call {
        from: ShardId(0),
        request: RequestToken(77),
        body: CallBody::Read {
            max_bytes: 1_000,
            items: vec![item],
        },
    };
    // Retention looks again some time.
    assert!(node.shard.deadline().is_none_or(|at| at > node.now.mono));
    let mut out = ShardOut::default();
    node.shard.call(node.now, call, &mut out);
    assert!(out.answers.is_empty() && out.disk.is_empty(), "a cold read");
    // Nothing is on its way that would come back: who sleeps now sleeps until something else happens.
    assert_eq!(node.shard.deadline(), Some(Instant(0)));
    node.settle();
    assert!(node.shard.deadline().is_none_or(|at| at > node.now.mono));
    assert_eq!(node.answers.len(), 1);
}

#[test]
fn a_flipped_bit_in_a_cold_segment_is_refused_and_never_served() {
    let mut node = Node::new();
    for step in 0..150 {
        node.append(batch(2, 500, step)).expect("appended");
    }
    let all = node.read_all(Offset(0));
    let cold = (node.disk.files.keys())
        .find(|path| path.ends_with(".log"))
        .expect("sealed segments are written back")
        .clone();
    // The second batch's first 80 bytes: its header, of which the CRC covers a part, and some of its records.
    let begin = all[0].1.len();
    let read = |node: &mut Node, offset| {
        let item = ReadItem {
            slot: 0,
            partition: TOPIC,
            offset,
            max_bytes: 10_000,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        };
        node.call(CallBody::Read {
            max_bytes: 10_000,
            items: vec![item],
        });
        let AnswerBody::Read(mut list) = node.answers.pop().expect("answered").body else {
            panic!()
        };
        list.pop().expect("one answer").result
    };
    for bit in 0..80 * 8 {
        let (byte, mask) = (begin + bit / 8, 1 << (bit % 8));
        node.disk.files.get_mut(&cold).expect("there")[byte] ^= mask;
        let refused = read(&mut node, all[1].0);
        assert!(matches!(refused, Err(ReadError::Corrupt)), "bit {bit}");
        let before = read(&mut node, Offset(0)).expect("the first batch is whole");
        assert_eq!(before.records.concat(), all[0].1, "bit {bit}");
        node.disk.files.get_mut(&cold).expect("there")[byte] ^= mask;
    }
    assert_eq!(node.read_all(Offset(0)), all);
}

#[test]
fn offsets_by_time_and_watches() {
    let mut node = Node::new();
    for step in 0..200u8 {
        node.append(batch(2, 300, step)).expect("appended");
    }
    for want in [0, 1, 50, 150, 199] {
        let items = vec![ListItem {
            slot: 0,
            partition: TOPIC,
            current_leader_epoch: LeaderEpoch(0),
            what: ListWhat::At(Timestamp(want)),
        }];
        node.call(CallBody::ListOffsets { items });
        let AnswerBody::Listed(list) = node.answers.pop().expect("answered").body else {
            panic!()
        };
        let found = Listed {
            offset: Offset(want * 2),
            timestamp: Timestamp(want),
            leader_epoch: LeaderEpoch(0),
        };
        assert_eq!(list[0].result, Ok(Some(found)));
    }
    let watch = node.call(CallBody::Watch {
        missing: 1,
        items: vec![WatchItem {
            partition: TOPIC,
            seen_end: Offset(400),
        }],
    });
    assert!(node.answers.is_empty());
    let items = vec![AppendItem {
        slot: 0,
        partition: TOPIC,
        records: batch(1, 1, 1),
    }];
    node.call(CallBody::Append {
        acks: Acks::None,
        items,
    });
    let answer = node.answers.pop().expect("the watch");
    assert!(matches!(answer.body, AnswerBody::Changed) && answer.request == RequestToken(watch));
    assert!(node.answers.is_empty());
}

/// One bit is wrong somewhere in the ring, in what is read of it and in what is not: the start says so, or it harms
/// nothing that was acknowledged and known to be flushed.
#[test]
fn a_flipped_bit_in_the_journal_is_named_or_harmless() {
    let mut node = Node::new();
    // A block each: five blocks into the second file of the third lap.
    let batches = 9 * (Limits::TINY.journal_file_bytes as usize / 4096) + 5;
    for n in 0..batches {
        node.append(batch(1, 2_000, n as u8)).expect("appended");
    }
    let disk = node.disk;
    let (mut named, mut harmless) = (0, 0);
    for number in 0..Limits::TINY.journal_files {
        let path = format!("s/journal-{number}");
        for block in (0..disk.files[&path].len()).step_by(4096) {
            // The header, where a wrong bit could mislead, and the first entry.
            for byte in (0..64).step_by(5).chain([100]) {
                let mut disk = disk.clone();
                let bytes = disk.files.get_mut(&path).expect("just listed");
                bytes[block + byte] ^= 1 << (byte % 8);
                match Node::on(disk, &[TOPIC]) {
                    Err(Fatal::Damaged(_)) => named += 1,
                    Err(other) => panic!("{path} at {block}, byte {byte}: {other}"),
                    Ok(mut node) => {
                        let read = node.read_all(Offset(0)).len();
                        // Nothing says of the last group that it had been flushed.
                        assert!(
                            read + 1 >= batches,
                            "{path} at {block}, byte {byte}: {read} of {batches} batches"
                        );
                        harmless += 1;
                    }
                }
            }
        }
    }
    assert!(
        named > 0 && harmless > 0,
        "{named} named, {harmless} harmless"
    );
}

impl Node {
    fn log_starts(&mut self, below: Option<i64>) -> Result<i64, DeleteError> {
        let item = DeleteItem {
            slot: 0,
            partition: TOPIC,
            below: below.map(Offset),
        };
        self.call(CallBody::DeleteRecords { items: vec![item] });
        let AnswerBody::Deleted(list) = self.answers.pop().expect("answered").body else {
            panic!()
        };
        list[0].result.map(|offset| offset.0)
    }

    fn list(&mut self, what: ListWhat) -> Option<i64> {
        let items = vec![ListItem {
            slot: 0,
            partition: TOPIC,
            current_leader_epoch: LeaderEpoch(-1),
            what,
        }];
        self.call(CallBody::ListOffsets { items });
        let AnswerBody::Listed(mut list) = self.answers.pop().expect("answered").body else {
            panic!()
        };
        let found = list.pop().expect("one answer").result.expect("no error");
        found.map(|listed| listed.offset.0)
    }

    fn epoch_end(&mut self, epoch: i32) -> Option<(i32, i64)> {
        let items = vec![EpochItem {
            slot: 0,
            partition: TOPIC,
            current_leader_epoch: LeaderEpoch(-1),
            epoch: LeaderEpoch(epoch),
        }];
        self.call(CallBody::EpochEnds { items });
        let AnswerBody::EpochEnds(mut list) = self.answers.pop().expect("answered").body else {
            panic!()
        };
        let found = list.pop().expect("one answer").result.expect("no error");
        found.map(|(epoch, end)| (epoch.0, end.0))
    }

    /// Base offsets of the segments on disk.
    fn segment_files(&self) -> Vec<i64> {
        let ours = segment::directory(TOPIC);
        let paths = self.disk.files.keys().filter(|p| p.starts_with(&ours));
        paths
            .map(|path| {
                path[path.len() - 24..path.len() - 4]
                    .parse()
                    .expect("a base")
            })
            .collect()
    }

    fn pass_ms(&mut self, ms: u64) {
        self.now.mono = self.now.mono.after(std::time::Duration::from_millis(ms));
        self.now.wall.0 += ms as i64;
        self.settle();
    }

    fn retain(&mut self, retention: Retention) {
        let slot = self.shard.slots[&TOPIC];
        let p = self.shard.partition_mut(slot).expect("it exists");
        p.config.retention = retention;
    }
}

const DELETE: Retention = Retention {
    delete: true,
    file_delete_delay: std::time::Duration::from_secs(60),
    ..Retention::FOREVER
};

#[test]
fn a_deleted_begin_stays_deleted_and_its_files_go_later() {
    let mut node = Node::new();
    node.retain(DELETE);
    assert_eq!(node.log_starts(None), Ok(0));
    assert_eq!(
        node.epoch_end(0),
        Some((0, 0)),
        "a leader's epoch begins with it"
    );
    for step in 0..200u8 {
        node.append(batch(2, 700, step)).expect("appended");
    }
    assert_eq!(node.log_starts(Some(401)), Err(DeleteError::OutOfRange));
    assert_eq!(node.log_starts(Some(-2)), Err(DeleteError::OutOfRange));
    assert_eq!(node.log_starts(Some(0)), Ok(0));
    assert_eq!(node.log_starts(Some(151)), Ok(151));
    assert_eq!(node.log_starts(Some(90)), Ok(151), "never back");
    let files = node.segment_files();
    for restarted in [false, true] {
        if restarted {
            node = node.restart();
            node.retain(DELETE);
        }
        assert_eq!(node.list(ListWhat::Earliest), Some(151));
        // Record 150 has the time 75 too, but is gone.
        assert_eq!(node.list(ListWhat::At(Timestamp(75))), Some(151));
        assert_eq!(node.list(ListWhat::At(Timestamp(3))), Some(151));
        let item = ReadItem {
            slot: 0,
            partition: TOPIC,
            offset: Offset(150),
            max_bytes: 10_000,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        };
        let items = vec![item];
        let max_bytes = 10_000;
        node.call(CallBody::Read { max_bytes, items });
        let AnswerBody::Read(list) = node.answers.pop().expect("answered").body else {
            panic!()
        };
        let out_of_range = ReadError::OutOfRange {
            log_start: Offset(151),
            high_watermark: Offset(400),
        };
        assert_eq!(list[0].result.as_ref().err(), Some(&out_of_range));
        let read = node.read_all(Offset(151));
        assert_eq!((read[0].0, read.len()), (Offset(150), 125));
        if !restarted {
            assert_eq!(node.segment_files(), files, "not yet");
            node.pass_ms(59_000);
            assert_eq!(node.segment_files(), files, "not yet");
            node.pass_ms(2_000);
        }
        let left = node.segment_files();
        assert!(left.len() < files.len() && left[0] > 60, "{left:?}");
        assert!(left[0] <= 151);
    }
    // Everything: the active segment stays until a start begins a new one.
    assert_eq!(node.log_starts(None), Ok(400));
    assert_eq!(node.read_all(Offset(400)), []);
    node = node.restart();
    node.settle();
    assert_eq!(node.segment_files(), [0; 0]);
    let appended = node.append(batch(1, 10, 1)).expect("appended");
    assert_eq!(
        (appended.base_offset, appended.log_start),
        (Offset(400), Offset(400))
    );
    node = node.restart();
    assert_eq!(node.read_all(Offset(400)).len(), 1);
    assert_eq!(node.epoch_end(0), Some((0, 401)));
}

/// A neighbour's straight bytes are written and not flushed, so no group says that what came after was flushed: a start
/// looks at what the pointers name. Those of a trimmed segment name a file that is gone.
#[test]
fn pointers_into_trimmed_segments_are_not_looked_at() {
    let mut node = Node::new();
    node.retain(Retention {
        file_delete_delay: std::time::Duration::ZERO,
        ..DELETE
    });
    let neighbour = TopicPartition {
        topic: TopicId([8; 16]),
        partition: 0,
    };
    let mut process = config();
    process.durability = Durability::Process;
    (node.shard).create_partition(neighbour, process, LeaderEpoch(0));
    let straight = |node: &mut Node, partition: TopicPartition| {
        let records = batch(1, 10_000, 1);
        let items = vec![AppendItem {
            slot: 0,
            partition,
            records,
        }];
        let acks = Acks::All;
        node.call(CallBody::Append { acks, items });
        node.answers.clear();
    };
    // The first finds no segment that is ready.
    for _ in 0..2 {
        straight(&mut node, neighbour);
    }
    assert!(
        node.shard.unflushed_bytes > 0,
        "the neighbour went straight"
    );
    let before = node.shard.journal.flushed_all();
    for _ in 0..6 {
        straight(&mut node, TOPIC);
    }
    // The roll wrote the sealed segment back, and so flushed what came before it, the neighbour's bytes too: no pointer
    // into a segment that may be trimmed is looked at by a start.
    assert!(node.shard.journal.flushed_all() > before);
    assert_eq!(node.segment_files(), [0, 4]);
    assert_eq!(node.log_starts(Some(5)), Ok(5));
    node.pass_ms(1);
    node.pass_ms(1);
    assert_eq!(node.segment_files(), [4]);
    let mut node = node.restart();
    assert_eq!(node.list(ListWhat::Earliest), Some(5));
    assert_eq!(node.read_all(Offset(5)).len(), 1);
}

#[test]
fn compacted_topics_keep_their_records() {
    let mut node = Node::new();
    node.append(batch(1, 10, 1)).expect("appended");
    let slot = node.shard.slots[&TOPIC];
    let p = node.shard.partition_mut(slot).expect("it exists");
    p.config.rules.compacted = true;
    assert_eq!(node.log_starts(None), Err(DeleteError::CompactedOnly));
    node.retain(DELETE);
    assert_eq!(node.log_starts(None), Ok(1));
}

#[test]
fn retention_sweeps_by_time_and_leaves_compacted_topics_alone() {
    let mut node = Node::new();
    let offsets = TopicPartition {
        topic: TopicId([8; 16]),
        partition: 0,
    };
    let mut compacted = config();
    compacted.rules.compacted = true;
    compacted.retention = Retention {
        ms: 0,
        bytes: 0,
        ..Retention::FOREVER
    };
    (node.shard).create_partition(offsets, compacted, LeaderEpoch(0));
    node.retain(Retention {
        ms: 1_000,
        ..DELETE
    });
    for step in 0..100u8 {
        node.append(batch(1, 2_000, step)).expect("appended");
        let keyed = BatchBuilder::new().keyed(Timestamp(1), b"k", b"v");
        let items = vec![AppendItem {
            slot: 0,
            partition: offsets,
            records: keyed.build(),
        }];
        let acks = Acks::All;
        node.call(CallBody::Append { acks, items });
        node.answers.clear();
    }
    // Timestamps are 0 to 99 ms: the clock passes them slowly.
    node.now.wall = Timestamp(1_000);
    node.pass_ms(30);
    assert_eq!(
        node.list(ListWhat::Earliest),
        Some(23),
        "one segment, of 23 batches"
    );
    node.pass_ms(30);
    assert_eq!(node.list(ListWhat::Earliest), Some(46));
    for _ in 0..5 {
        node.pass_ms(30);
    }
    assert_eq!(
        node.list(ListWhat::Earliest),
        Some(100),
        "the active one, too"
    );
    assert_eq!(node.read_all(Offset(100)), []);
    assert_eq!(
        node.append(batch(1, 10, 255))
            .expect("appended")
            .base_offset,
        Offset(100)
    );
    node.pass_ms(61_000);
    assert_eq!(
        node.list(ListWhat::Earliest),
        Some(101),
        "so does what came later"
    );
    let left = node.segment_files();
    assert!(left.iter().all(|base| *base >= 100), "{left:?}");
    let slot = node.shard.slots[&offsets];
    let p = node.shard.partition(slot).expect("it exists");
    assert_eq!((p.log_start, p.next), (Offset(0), Offset(100)));
    assert!(p.segments[0].base == Offset(0));
}

#[test]
fn space_that_is_trimmed_is_written_again() {
    let mut node = Node::new();
    // It finds out by itself that the disk is full.
    node.shard.limits.disk_low_bytes = Some(0);
    node.retain(Retention {
        file_delete_delay: std::time::Duration::ZERO,
        ..DELETE
    });
    node.disk.room = Some(900 << 10);
    let mut appended = 0;
    let refused = loop {
        match node.append(batch(1, 3_000, 1)) {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
        assert!(appended < 1_000, "the disk is never full");
    };
    assert_eq!(refused, AppendError::Storage);
    assert_eq!(node.log_starts(None), Ok(appended));
    for _ in 0..20 {
        node.pass_ms(1);
    }
    assert_eq!(
        node.append(batch(1, 3_000, 1))
            .expect("there is room again")
            .base_offset,
        Offset(appended)
    );
}
