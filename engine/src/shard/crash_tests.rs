//! The shard on a disk that reorders, tears and forgets: what was acknowledged is there after every crash.
//!
//! The whole broker is crashed in `tests/`; this is the same question asked of the log alone, thousands of times a second.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::batch::{BatchBuilder, Rules, TimestampType};
use crate::call::{AppendItem, DeleteItem, ReadError, ReadItem};
use crate::disk::DirectoryEntry;
use crate::limits::BLOCK;
use crate::log::partition::FlushRule;
use crate::log::trim::Retention;
use crate::log::{layout, recover};
use crate::rng::Rng;
use crate::types::{Durability, Timestamp, TopicId};

#[derive(Clone, Default)]
struct File {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// The directory entry is on disk.
    linked: bool,
}

/// A disk that breaks its promise: each kind must be found, or the test proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lie {
    Nothing,
    /// Flushes of files whose path holds this do nothing: acknowledged groups, straight and written-back data,
    /// checkpoints.
    NoFlush(&'static str),
    /// Flushes while the shard starts do nothing: what kill -9 left readable stays volatile.
    NoFlushAtStart,
    /// Now and then a write to the journal is answered and never done: a stale block stands there.
    StaleJournal,
    /// A flush is answered before the writes that completed since the last one reach it.
    LateFlush,
}

/// Written data is visible at once and durable by a flush only; operations under way are done in any order.
struct Disk {
    files: BTreeMap<String, File>,
    /// Unlinked, but the directory was not synced since: a power cut may bring them back.
    unlinked: BTreeMap<String, File>,
    open: BTreeMap<FileId, String>,
    pending: Vec<DiskRequest>,
    lie: Lie,
    starting: bool,
    /// No file grows.
    full: bool,
    /// The write or flush, counted from now, that fails.
    fail_in: Option<u64>,
}

fn file_of(op: &DiskOp) -> Option<FileId> {
    match op {
        DiskOp::Write { file, .. }
        | DiskOp::Read { file, .. }
        | DiskOp::Flush { file }
        | DiskOp::Allocate { file, .. }
        | DiskOp::Truncate { file, .. } => Some(*file),
        _ => None,
    }
}

impl Disk {
    fn run(&mut self, op: DiskOp, rng: &mut Rng) -> Result<DiskOutcome, DiskError> {
        if matches!(op, DiskOp::Write { .. } | DiskOp::Flush { .. })
            && let Some(left) = self.fail_in
        {
            self.fail_in = left.checked_sub(1);
            if left == 0 {
                return Err(DiskError::IO);
            }
        }
        if let DiskOp::Close { file } = op {
            let used = self.pending.iter().any(|r| file_of(&r.op) == Some(file));
            assert!(
                !used,
                "closed with operations under way: {:?}",
                self.open[&file]
            );
        }
        let lie = self.lie;
        let starting = self.starting;
        let open = &mut self.open;
        match op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                if !create && !self.files.contains_key(&path) {
                    return Err(DiskError::NOT_FOUND);
                }
                self.files.entry(path.clone()).or_default();
                self.unlinked.remove(&path);
                let before = open.insert(file, path);
                assert_eq!(before, None, "{file:?} is open");
            }
            DiskOp::Close { file } => drop(open.remove(&file)),
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                if lie == Lie::StaleJournal && open[&file].contains("journal") && rng.one_in(30) {
                    return Ok(DiskOutcome::Done);
                }
                // An unlinked file goes on under the descriptors it has.
                let Some(File { now: content, .. }) = self.files.get_mut(&open[&file]) else {
                    return Ok(DiskOutcome::Done);
                };
                let end = position as usize + bytes.len();
                content.resize(content.len().max(end), 0);
                content[position as usize..end].copy_from_slice(&bytes);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let nothing = Vec::new();
                let content = self.files.get(&open[&file]).map_or(&nothing, |f| &f.now);
                let begin = content.len().min(position as usize);
                let end = content.len().min(begin + into.capacity() / BLOCK * BLOCK);
                into.extend_from_slice(&content[begin..end]);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { file } => {
                let path = &open[&file];
                let skipped = match lie {
                    Lie::NoFlush(part) => path.contains(part),
                    Lie::NoFlushAtStart => starting,
                    Lie::LateFlush => rng.one_in(10),
                    Lie::Nothing | Lie::StaleJournal => false,
                };
                if let Some(file) = self.files.get_mut(path).filter(|_| !skipped) {
                    file.durable = file.now.clone();
                }
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let Some(File { now: content, .. }) = self.files.get_mut(&open[&file]) else {
                    return Ok(DiskOutcome::Done);
                };
                let end = (position + length) as usize;
                if self.full && end > content.len() {
                    return Err(DiskError::NO_SPACE);
                }
                content.resize(content.len().max(end), 0);
            }
            DiskOp::Truncate { file, length } => {
                if let Some(file) = self.files.get_mut(&open[&file]) {
                    file.now.resize(length as usize, 0);
                }
            }
            DiskOp::Unlink { path } => {
                if let Some(file) = self.files.remove(&path) {
                    // It goes on under the descriptors it has.
                    let open = self.open.values_mut().filter(|p| **p == path);
                    let nameless = format!("nameless/{}", self.unlinked.len());
                    let held = open.map(|p| p.clone_from(&nameless)).count() > 0;
                    if held {
                        self.files.insert(nameless, file.clone());
                    }
                    if file.linked {
                        self.unlinked.insert(path, file);
                    }
                }
            }
            DiskOp::Rename { from, to } => {
                // A rename that no directory sync covers may be undone: here it is kept with the entry.
                let content = self.files.remove(&from).ok_or(DiskError::NOT_FOUND)?;
                let linked = self.files.get(&to).is_some_and(|file| file.linked);
                self.files.insert(to, File { linked, ..content });
            }
            DiskOp::List { path } => {
                let prefix = if path.is_empty() {
                    String::new()
                } else {
                    format!("{path}/")
                };
                let mut entries: Vec<DirectoryEntry> = Vec::new();
                for (name, file) in &self.files {
                    let Some(rest) = name.strip_prefix(&prefix) else {
                        continue;
                    };
                    let (name, directory) = rest
                        .split_once('/')
                        .map_or((rest, false), |(name, _)| (name, true));
                    if entries.last().is_none_or(|last| last.name != name) {
                        entries.push(DirectoryEntry {
                            name: name.to_owned(),
                            directory,
                            length: file.now.len() as u64,
                        });
                    }
                }
                return Ok(DiskOutcome::Listing(entries));
            }
            DiskOp::SyncDirectory { path } => {
                let parent = |name: &str| {
                    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
                    parent == path
                };
                for (name, file) in &mut self.files {
                    file.linked |= parent(name);
                }
                self.unlinked.retain(|name, _| !parent(name));
            }
            DiskOp::MakeDirectory { .. } | DiskOp::RemoveDirectory { .. } => {}
            DiskOp::Measure => {
                return Ok(DiskOutcome::Measured(Space {
                    total_bytes: 1 << 40,
                    usable_bytes: 1 << 30,
                }));
            }
        }
        Ok(DiskOutcome::Done)
    }

    /// The process dies: of what is under way, some blocks are written, some not. With `power`, of what no flush
    /// covered too, and files whose directory entry was not synced may be gone.
    fn crash(&mut self, power: bool, rng: &mut Rng) {
        for request in std::mem::take(&mut self.pending) {
            match request.op {
                DiskOp::Write {
                    file,
                    position,
                    bytes,
                } => {
                    for at in (0..bytes.len())
                        .step_by(BLOCK)
                        .filter(|_| rng.one_in(2))
                        .collect::<Vec<_>>()
                    {
                        let piece = bytes.slice(at..at + BLOCK);
                        let op = DiskOp::Write {
                            file,
                            position: position + at as u64,
                            bytes: piece,
                        };
                        let _ = self.run(op, rng);
                    }
                }
                op @ (DiskOp::Allocate { .. }
                | DiskOp::Truncate { .. }
                | DiskOp::Unlink { .. }
                | DiskOp::Rename { .. })
                    if rng.one_in(2) =>
                {
                    let _ = self.run(op, rng);
                }
                _ => {}
            }
        }
        self.open.clear();
        self.files.retain(|name, _| !name.starts_with("nameless/"));
        if !power {
            return;
        }
        for (name, file) in std::mem::take(&mut self.unlinked) {
            if rng.one_in(2) {
                self.files.entry(name).or_insert(file);
            }
        }
        self.files.retain(|_, file| file.linked || rng.one_in(2));
        for file in self.files.values_mut() {
            let length = if rng.one_in(2) {
                file.now.len()
            } else {
                file.durable.len()
            };
            let mut content = file.durable.clone();
            content.resize(length, 0);
            for at in (0..length).step_by(BLOCK) {
                let end = (at + BLOCK).min(length);
                if file.now.len() >= end && rng.one_in(2) {
                    // Kept, or torn at a sector.
                    let cut = if rng.one_in(4) {
                        (at + rng.below(8) as usize * 512).min(end)
                    } else {
                        end
                    };
                    content[at..cut].copy_from_slice(&file.now[at..cut]);
                }
            }
            file.now = content.clone();
            file.durable = content;
        }
    }
}

/// Partitions that live through a whole run; others come and go.
const PARTITIONS: u32 = 3;

fn id(partition: u32) -> TopicPartition {
    TopicPartition {
        topic: TopicId([5; 16]),
        partition: partition as i32,
    }
}

/// One of three is of the weaker class: only a kill must not hurt it. One of three begins in the stronger class, and
/// changes it now and then.
fn durability(partition: u32) -> Durability {
    match partition % 3 {
        2 => Durability::Process,
        _ => Durability::Disk,
    }
}

fn config(partition: u32, durability: Durability, bytes: usize) -> PartitionConfig {
    PartitionConfig {
        rules: Rules {
            max_bytes: 1 << 20,
            segment_bytes: bytes,
            timestamp_type: TimestampType::Create,
            ..Rules::default()
        },
        durability,
        segment_bytes: bytes as u64,
        segment_ms: i64::MAX,
        segment_jitter_ms: 0,
        flush: FlushRule::NEVER,
        index_interval_bytes: 1024,
        producers_max: 8,
        retention: retention(partition),
    }
}

/// Records of the first of three go when they are deleted only, those of the second by size, of the third by age.
fn retention(partition: u32) -> Retention {
    let forever = Retention {
        delete: true,
        file_delete_delay: std::time::Duration::from_millis(u64::from(partition % 2) * 30),
        ..Retention::FOREVER
    };
    match partition % 3 {
        0 => forever,
        1 => Retention {
            bytes: 100 << 10,
            ..forever
        },
        _ => Retention { ms: 500, ..forever },
    }
}

/// An idempotent producer of one partition: one record a batch.
#[derive(Clone, Copy)]
struct Producer {
    id: i64,
    next: i32,
}

/// What the test knows: every batch sent, by partition; which are acknowledged, and at which offset.
#[derive(Default)]
struct Ledger {
    sent: Vec<Bytes>,
    acked: BTreeMap<i64, usize>,
    /// Appends that were not answered.
    waiting: usize,
    producer: Option<Producer>,
    /// The newest acknowledged batch of an idempotent producer, and how many followed it.
    repeatable: Option<(usize, usize)>,
    idempotent: BTreeSet<usize>,
    partition: u32,
    /// The class it has now, and the size of its segments.
    durability: Durability,
    segment_bytes: usize,
    /// What each copy of a batch that is under way was promised, in the order sent.
    promised: BTreeMap<usize, VecDeque<Durability>>,
    /// Acknowledged under the stronger class: no crash may take it.
    solid: BTreeSet<usize>,
    /// Where the log began at the furthest, as far as anybody was told.
    shown: Offset,
    /// The highest log start that was asked for.
    asked: Offset,
    /// Segments that a shard had files for. Of one that was begun just before a crash the next start may know nothing:
    /// it comes after the one that takes appends then.
    files: BTreeSet<Offset>,
}

impl Ledger {
    fn new(partition: u32) -> Ledger {
        Ledger {
            partition,
            durability: durability(partition),
            segment_bytes: 40 << 10,
            ..Ledger::default()
        }
    }

    fn config(&self) -> PartitionConfig {
        config(self.partition, self.durability, self.segment_bytes)
    }
}

struct Run {
    rng: Rng,
    disk: Disk,
    ledgers: BTreeMap<u32, Ledger>,
    created: u32,
    producers: i64,
    epoch: i32,
    now: Now,
    files: Rc<RefCell<FileIds>>,
    /// Bytes that slow consumers have not taken yet.
    held: VecDeque<Bytes>,
    /// Deletions of records: what was asked, and whether it was answered.
    deletes: Vec<(u32, Offset)>,
    /// Space runs out at times.
    fills: bool,
    failed: bool,
}

impl Run {
    fn new(seed: u64, lie: Lie) -> Run {
        Run {
            rng: Rng::new(seed),
            disk: Disk {
                files: BTreeMap::new(),
                unlinked: BTreeMap::new(),
                open: BTreeMap::new(),
                pending: Vec::new(),
                lie,
                starting: false,
                full: false,
                fail_in: None,
            },
            ledgers: (0..PARTITIONS).map(|p| (p, Ledger::new(p))).collect(),
            created: PARTITIONS,
            producers: 0,
            epoch: 0,
            now: Now {
                mono: Instant(1),
                wall: Timestamp(1_000),
            },
            files: Rc::default(),
            held: VecDeque::new(),
            deletes: Vec::new(),
            fills: false,
            failed: false,
        }
    }

    /// Starts the shard; `None`: it crashed while it started.
    fn open(&mut self, crash_after: &mut u64) -> Option<Shard> {
        self.files = Rc::default();
        self.held.clear();
        self.disk.full = false;
        self.disk.starting = true;
        self.failed = false;
        for ledger in self.ledgers.values_mut() {
            ledger.waiting = 0;
            ledger.promised.clear();
            ledger.producer = None;
        }
        self.epoch += 1;
        let epoch = LeaderEpoch(self.epoch);
        // One shard owns everything; the count changes all the same, so that every journal is drained at times.
        let shards = if self.rng.one_in(4) { 2 } else { 1 };
        let known = self.ledgers.iter().map(|(p, ledger)| (*p, ledger.config()));
        let known: Vec<(u32, PartitionConfig)> = known.collect();
        let all = move || {
            known
                .iter()
                .map(|(p, config)| Partition::new(id(*p), config.clone(), epoch))
                .collect::<Vec<_>>()
        };
        let mut runner = FlowRunner::new(&self.files, |flow| async move {
            let owner = |_: TopicPartition, shards: u16| ShardId(shards - 1);
            let layout = layout::open(&flow, [1; 16], shards, &Limits::TINY, &all, owner).await?;
            let mut arena = Arena::new(256 << 10, 256 << 10, 1 << 20);
            let at = layout.files(ShardId(shards - 1));
            recover::open_shard(&flow, &at, &Limits::TINY, &mut arena, all())
                .await
                .map(|r| (r, arena))
        });
        loop {
            if let Poll::Ready(result) = runner.step(&mut self.disk.pending) {
                let (mut recovered, arena) =
                    result.unwrap_or_else(|fatal| panic!("recovery: {fatal}"));
                for p in &mut recovered.partitions {
                    p.epoch = epoch;
                    let ledger = self
                        .ledgers
                        .get_mut(&(p.id.partition as u32))
                        .expect("known");
                    let active = p.active().base;
                    ledger.files.retain(|base| *base <= active);
                }
                self.disk.starting = false;
                let files = self.files.clone();
                return Some(Shard::new([1; 16], Limits::TINY, recovered, arena, files));
            }
            *crash_after = crash_after.checked_sub(1)?;
            let request = self.take_pending();
            let result = self.disk.run(request.op, &mut self.rng);
            runner.on_disk(DiskDone {
                token: request.token,
                result,
            });
        }
    }

    fn take_pending(&mut self) -> DiskRequest {
        let index = self.rng.below(self.disk.pending.len() as u64) as usize;
        self.disk.pending.swap_remove(index)
    }

    /// One operation on the disk is done, and its completion delivered.
    fn one_completion(&mut self, shard: &mut Shard) {
        let request = self.take_pending();
        let result = self.disk.run(request.op, &mut self.rng);
        let done = DiskDone {
            token: request.token,
            result,
        };
        let mut out = ShardOut::default();
        shard.on_disk(self.now, done, &mut out);
        self.absorb(&mut out);
    }

    fn settle(&mut self, shard: &mut Shard) {
        let mut out = ShardOut::default();
        shard.settle(self.now, &mut out);
        self.absorb(&mut out);
    }

    fn absorb(&mut self, out: &mut ShardOut) {
        let failing = self.disk.fail_in.is_none() && out.fatal.is_some();
        assert!(failing == out.fatal.is_some(), "{:?}", out.fatal);
        self.disk.pending.append(&mut out.disk);
        for (_, answer) in out.answers.drain(..) {
            let list = match answer.body {
                AnswerBody::Appended(list) => list,
                AnswerBody::Deleted(list) => {
                    let (partition, asked) = self.deletes[answer.request.0 as usize];
                    for answer in list {
                        let ended = self.failed && answer.result.is_ok();
                        assert!(!ended, "deleted after the disk failed");
                        self.deleted(partition, asked, answer.result);
                    }
                    continue;
                }
                _ => continue,
            };
            let (partition, number) = ((answer.request.0 >> 32) as u32, answer.request.0 as u32);
            for answer in list {
                assert!(
                    !self.failed || answer.result.is_err(),
                    "acknowledged after the disk failed"
                );
                self.answered(partition, number as usize, answer.result);
            }
        }
        self.failed |= out.fatal.is_some();
    }

    fn deleted(&mut self, partition: u32, asked: Offset, result: Result<Offset, DeleteError>) {
        let Some(ledger) = self.ledgers.get_mut(&partition) else {
            return;
        };
        ledger.waiting -= 1;
        match result {
            Ok(log_start) => {
                assert!(log_start >= asked, "{partition}: asked for {asked:?}");
                self.show(partition, log_start);
            }
            Err(DeleteError::Storage) => {}
            Err(error) => panic!("{partition}: valid log start {asked:?} was refused: {error:?}"),
        }
    }

    /// Somebody is told where a log begins.
    fn show(&mut self, partition: u32, log_start: Offset) {
        let ledger = self.ledgers.get_mut(&partition).expect("known");
        let shown = ledger.shown;
        assert!(
            log_start >= shown,
            "{partition}: {log_start:?} after {shown:?}"
        );
        let trimmed = retention(partition).ms >= 0 || retention(partition).bytes >= 0;
        assert!(
            trimmed || log_start <= ledger.asked,
            "{partition}: begins at {log_start:?}, {:?} was asked for",
            ledger.asked
        );
        ledger.shown = log_start;
    }

    /// The begin of a log moves up.
    fn delete_records(&mut self, shard: &mut Shard) {
        let partition = self.rng.below(u64::from(PARTITIONS)) as u32;
        let end = shard
            .partition(shard.slots[&id(partition)])
            .expect("known")
            .high_watermark;
        let offset = match self.rng.below(4) {
            0 => end,
            _ => Offset(self.rng.below(end.0 as u64 + 1) as i64),
        };
        let below = (offset != end || self.rng.one_in(2)).then_some(offset);
        let ledger = self.ledgers.get_mut(&partition).expect("known");
        ledger.asked = ledger.asked.max(offset);
        ledger.waiting += 1;
        let item = DeleteItem {
            slot: 0,
            partition: id(partition),
            below,
        };
        let call = Call {
            from: ShardId(0),
            request: RequestToken(self.deletes.len() as u64),
            body: CallBody::DeleteRecords { items: vec![item] },
        };
        self.deletes.push((partition, offset));
        let mut out = ShardOut::default();
        shard.call(self.now, call, &mut out);
        self.absorb(&mut out);
    }

    fn answered(&mut self, partition: u32, number: usize, result: Result<Appended, AppendError>) {
        let Some(ledger) = self.ledgers.get_mut(&partition) else {
            return;
        };
        ledger.waiting -= 1;
        let promised = ledger
            .promised
            .get_mut(&number)
            .and_then(VecDeque::pop_front);
        match result {
            Ok(appended) => {
                if promised == Some(Durability::Disk) {
                    ledger.solid.insert(number);
                }
                let offset = appended.base_offset.0;
                let before = ledger.acked.insert(offset, number);
                let idempotent = ledger.idempotent.contains(&number);
                assert!(
                    before.is_none_or(|before| before == number && idempotent),
                    "offset {offset} of {partition} was given twice"
                );
                if idempotent && ledger.repeatable.is_none_or(|(n, _)| n <= number) {
                    let followed = ledger.idempotent.range(number + 1..).count();
                    ledger.repeatable = Some((number, followed));
                }
            }
            // Refused while the disk was full or the shard stops, and what a producer sent after that.
            Err(AppendError::Storage | AppendError::OutOfOrderSequence) => ledger.producer = None,
            Err(error) => panic!("{partition}: valid batch {number} was refused: {error:?}"),
        }
    }

    fn append(&mut self, shard: &mut Shard) {
        let index = self.rng.below(self.ledgers.len() as u64) as usize;
        let partition = *self.ledgers.keys().nth(index).expect("in range");
        let bytes = match self.rng.below(30) {
            0 => 33_000 + self.rng.below(5_000) as usize,
            1 | 2 => 8_000 + self.rng.below(20_000) as usize,
            3..=7 => 2_000 + self.rng.below(4_000) as usize,
            _ => self.rng.below(300) as usize,
        };
        let ledger = self.ledgers.get_mut(&partition).expect("known");
        let number = ledger.sent.len();
        let mut value = format!("{partition}/{number}/").into_bytes();
        value.resize(value.len() + bytes, number as u8);
        let mut batch = BatchBuilder::new();
        let idempotent = self.rng.one_in(3);
        if idempotent {
            let producer = ledger.producer.get_or_insert_with(|| {
                self.producers += 1;
                Producer {
                    id: self.producers,
                    next: 0,
                }
            });
            batch = batch.producer(producer.id, 0, producer.next);
            producer.next += 1;
            ledger.idempotent.insert(number);
            if let Some((_, followed)) = &mut ledger.repeatable {
                *followed += 1;
            }
        }
        let records = batch.value(self.now.wall, &value).build();
        ledger.sent.push(records.clone());
        self.send(shard, partition, number);
        // A client that heard nothing sends again: at once, or long after.
        if idempotent && self.rng.one_in(4) {
            self.send(shard, partition, number);
        }
        let repeat = self.ledgers[&partition].repeatable;
        if let Some((number, _)) = repeat.filter(|(_, followed)| *followed < 4)
            && self.rng.one_in(8)
        {
            self.send(shard, partition, number);
        }
    }

    fn send(&mut self, shard: &mut Shard, partition: u32, number: usize) {
        let ledger = self.ledgers.get_mut(&partition).expect("known");
        ledger.waiting += 1;
        let items = vec![AppendItem {
            slot: 0,
            partition: id(partition),
            records: ledger.sent[number].clone(),
        }];
        let call = Call {
            from: ShardId(0),
            request: RequestToken(u64::from(partition) << 32 | number as u64),
            body: CallBody::Append {
                acks: Acks::All,
                items,
            },
        };
        let mut out = ShardOut::default();
        shard.call(self.now, call, &mut out);
        // What waits for room is taken, and promised something, later.
        let promised = match shard.stalled.is_empty() {
            true => ledger.durability,
            false => Durability::Process,
        };
        ledger
            .promised
            .entry(number)
            .or_default()
            .push_back(promised);
        self.absorb(&mut out);
    }

    /// A partition gets another configuration.
    fn configure(&mut self, shard: &mut Shard) {
        let index = self.rng.below(self.ledgers.len() as u64) as usize;
        let (partition, ledger) = self.ledgers.iter_mut().nth(index).expect("in range");
        if partition % 3 == 1 {
            ledger.durability = match self.rng.one_in(2) {
                true => Durability::Process,
                false => Durability::Disk,
            };
        }
        ledger.segment_bytes = (40 << 10) << self.rng.below(2);
        shard.configure_partition(id(*partition), ledger.config());
    }

    /// Which segments have files now.
    fn note_files(&mut self, shard: &Shard) {
        for p in shard.partitions.iter().flatten() {
            let ledger = self
                .ledgers
                .get_mut(&(p.id.partition as u32))
                .expect("known");
            let created = p.segments.iter().filter(|s| s.created);
            ledger.files.extend(created.map(|s| s.base));
        }
    }

    /// A partition comes or goes.
    fn change_image(&mut self, shard: &mut Shard) {
        let mut out = ShardOut::default();
        if self.ledgers.len() < 8 && self.rng.one_in(2) {
            let partition = self.created;
            self.created += 1;
            let ledger = Ledger::new(partition);
            let epoch = LeaderEpoch(self.epoch);
            shard.create_partition(id(partition), ledger.config(), epoch);
            self.ledgers.insert(partition, ledger);
        } else if let Some((&partition, _)) = self.ledgers.range(PARTITIONS..).next() {
            self.ledgers.remove(&partition);
            shard.delete_partition(id(partition), &mut out);
        }
        self.absorb(&mut out);
    }

    /// Reads anywhere, while the disk does things in any order.
    fn read_somewhere(&mut self, shard: &mut Shard) {
        let partition = self.rng.below(u64::from(PARTITIONS)) as u32;
        let slot = shard.slots[&id(partition)];
        let end = shard.partition(slot).expect("known").high_watermark;
        let offset = Offset(self.rng.below(end.0 as u64 + 1) as i64);
        let Ok((records, _)) = self.read(shard, partition, offset) else {
            return;
        };
        assert_eq!(
            records.is_empty() && !self.failed,
            offset == end && !self.failed,
            "{partition} at {offset:?} of {end:?}"
        );
        self.held.extend(records);
        while self.held.len() > 12 {
            self.held.pop_front();
        }
    }

    /// Lets the shard live for so many events.
    fn live(&mut self, shard: &mut Shard, events: u64) {
        for _ in 0..events {
            self.now.mono.0 += 1_000_000;
            self.now.wall.0 += 1;
            match self.rng.below(8) {
                0 | 1 => self.append(shard),
                2 => self.settle(shard),
                3 if !self.failed && self.rng.one_in(4) => self.configure(shard),
                3 if !self.failed && self.rng.one_in(10) => match self.rng.below(5) {
                    0 => self.change_image(shard),
                    4 => self.delete_records(shard),
                    1 if self.fills => self.disk.full = !self.disk.full && self.rng.one_in(2),
                    2 => drop(self.held.pop_front()),
                    _ if self.disk.fail_in.is_none() => self.read_somewhere(shard),
                    _ => {}
                },
                _ if self.disk.pending.is_empty() => self.settle(shard),
                _ => self.one_completion(shard),
            }
            self.note_files(shard);
        }
    }

    /// Time passes and nothing more is asked: everything is answered, and only what is needed stays open.
    fn settle_all(&mut self, shard: &mut Shard) {
        self.disk.full = false;
        self.held.clear();
        let mut quiet = 0;
        for round in 0.. {
            assert!(round < 1_000, "the shard never rests");
            self.now.mono.0 += 600_000_000;
            self.now.wall.0 += 600;
            self.settle(shard);
            // How much room there is is asked now and then, for ever.
            let work = |request: &DiskRequest| !matches!(request.op, DiskOp::Measure);
            quiet = if !self.disk.pending.iter().any(work) {
                quiet + 1
            } else {
                0
            };
            while !self.disk.pending.is_empty() {
                self.one_completion(shard);
            }
            if quiet > 4 {
                break;
            }
        }
        if self.failed {
            return;
        }
        for (partition, ledger) in &self.ledgers {
            // The weaker class needs no flush for its acks, but its group must be closed and written.
            assert_eq!(ledger.waiting, 0, "{partition}: appends are never answered");
        }
        let segments = shard.partitions.iter().flatten();
        let files = segments.map(|p| p.segments.iter().filter(|s| s.file.is_some()).count());
        for p in shard.partitions.iter().flatten() {
            assert!(p.trimmed.is_empty(), "{}: {:?} stay", p.id, p.trimmed);
            assert_eq!(p.log_start, p.claimed, "{}: a log start hangs", p.id);
            let files = &self.ledgers[&(p.id.partition as u32)].files;
            for base in files.range(..p.segments[0].base) {
                let path = segment::path(p.id, *base);
                assert!(!self.disk.files.contains_key(&path), "{path} is left");
            }
        }
        let expected = Limits::TINY.journal_files + 2 + files.sum::<usize>();
        assert_eq!(self.disk.open.len(), expected, "open: {:?}", self.disk.open);
        assert_eq!(self.files.borrow().in_use(), expected, "numbers of files");
        assert!(shard.flows.iter().all(Option::is_none), "a flow hangs");
    }

    /// A clean stop: the files are Kafka's, byte for byte.
    fn stop(&mut self, shard: &mut Shard) {
        self.disk.full = false;
        shard.stop();
        for round in 0.. {
            if shard.stopped() {
                break;
            }
            assert!(round < 1_000, "the shard never stops");
            self.now.mono.0 += 600_000_000;
            self.settle(shard);
            while !self.disk.pending.is_empty() {
                self.one_completion(shard);
            }
        }
        for p in shard.partitions.iter().flatten() {
            // Of an empty segment whose file was made ready just before a crash, a start knows nothing.
            for s in p.segments.iter().filter(|s| s.end > 0) {
                let length = self.disk.files.get(&segment::path(p.id, s.base));
                let length = length.map_or(0, |file| file.durable.len() as u64);
                assert_eq!(length, s.end, "length of {} {:?}", p.id, s.base);
            }
        }
    }

    /// `Err`: the log begins later.
    fn read(
        &mut self,
        shard: &mut Shard,
        partition: u32,
        offset: Offset,
    ) -> Result<(Vec<Bytes>, Offset), Offset> {
        let item = ReadItem {
            slot: 0,
            partition: id(partition),
            offset,
            max_bytes: 9_000,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        };
        let call = Call {
            from: ShardId(0),
            request: RequestToken(0),
            body: CallBody::Read {
                max_bytes: 9_000,
                items: vec![item],
            },
        };
        let mut out = ShardOut::default();
        shard.call(self.now, call, &mut out);
        let mut rounds = 0;
        let list = loop {
            let (reads, rest): (Vec<_>, Vec<_>) = out
                .answers
                .drain(..)
                .partition(|(_, a)| matches!(a.body, AnswerBody::Read(_)));
            out.answers = rest;
            self.absorb(&mut out);
            if let Some((_, answer)) = reads.into_iter().next() {
                let AnswerBody::Read(list) = answer.body else {
                    unreachable!()
                };
                break list;
            }
            rounds += 1;
            if self.failed {
                return Ok((Vec::new(), offset));
            }
            assert!(rounds < 10_000, "a read is never answered");
            if self.disk.pending.is_empty() || rounds % 8 == 1 {
                shard.settle(self.now, &mut out);
            } else {
                let request = self.take_pending();
                let result = self.disk.run(request.op, &mut self.rng);
                let done = DiskDone {
                    token: request.token,
                    result,
                };
                shard.on_disk(self.now, done, &mut out);
            }
        };
        match list.into_iter().next().expect("one answer").result {
            Ok(done) => {
                self.show(partition, done.log_start);
                assert!(offset >= done.log_start, "{partition}: {offset:?} is gone");
                Ok((done.records, done.high_watermark))
            }
            Err(ReadError::OutOfRange { log_start, .. }) if offset < log_start => {
                self.show(partition, log_start);
                Err(log_start)
            }
            Err(error) => panic!("{partition} at {offset:?}: {error:?}"),
        }
    }

    /// Everything acknowledged is there, where it was acknowledged, and every batch there was sent, once.
    fn check(&mut self, shard: &mut Shard, forgiven: bool) {
        let partitions: Vec<u32> = self.ledgers.keys().copied().collect();
        for partition in partitions {
            let mut found: BTreeMap<i64, Bytes> = BTreeMap::new();
            let slot = shard.slots[&id(partition)];
            let mut offset = shard.partition(slot).expect("known").log_start;
            self.show(partition, offset);
            loop {
                let read = self.read(shard, partition, offset);
                if self.failed {
                    return;
                }
                let (records, high_watermark) = match read {
                    Ok(read) => read,
                    Err(log_start) => {
                        found = found.split_off(&log_start.0);
                        offset = offset.max(log_start);
                        continue;
                    }
                };
                let mut joined = BytesMut::new();
                records
                    .iter()
                    .for_each(|part| joined.extend_from_slice(part));
                if joined.is_empty() {
                    assert_eq!(offset, high_watermark, "partition {partition} stops early");
                    break;
                }
                let mut bytes = joined.freeze();
                while !bytes.is_empty() {
                    let header = crate::batch::verify(&bytes).expect("a served batch is valid");
                    let batch = bytes.split_to(header.total_bytes());
                    assert_eq!(header.base_offset, offset, "offsets are dense");
                    offset = header.end_offset();
                    found.insert(header.base_offset.0, batch);
                }
            }
            let ledger = self.ledgers.get_mut(&partition).expect("known");
            if forgiven && partition % 3 > 0 {
                // A power cut may take the end of what was promised `process`, and its offsets are given anew.
                let end = found
                    .last_key_value()
                    .map_or(offset.0, |(last, _)| last + 1);
                let solid = &ledger.solid;
                let kept =
                    |offset: &i64, number: &mut usize| *offset < end || solid.contains(number);
                ledger.acked.retain(kept);
                ledger.repeatable = None;
            }
            for (offset, number) in ledger.acked.range(ledger.shown.0..) {
                let batch = found
                    .get(offset)
                    .unwrap_or_else(|| panic!("{partition}: lost batch {number} at {offset}"));
                assert_eq!(
                    batch[16..],
                    ledger.sent[*number][16..],
                    "{partition}: another batch at {offset}"
                );
            }
            let mut sent: BTreeMap<&[u8], usize> = BTreeMap::new();
            sent.extend(ledger.sent.iter().enumerate().map(|(n, b)| (&b[16..], n)));
            for (offset, batch) in &found {
                let number = sent.remove(&batch[16..]);
                assert!(
                    number.is_some(),
                    "{partition}: a batch at {offset} that nobody sent, or one that is there twice"
                );
            }
        }
    }
}

fn run(seed: u64, lie: Lie) {
    let mut run = Run::new(seed, lie);
    run.fills = run.rng.one_in(3);
    let fails = run.rng.one_in(6);
    let mut forgiven = false;
    for _ in 0..6 {
        let mut crash_after = if run.rng.one_in(3) {
            run.rng.below(60)
        } else {
            u64::MAX
        };
        let Some(mut shard) = run.open(&mut crash_after) else {
            let power = run.rng.one_in(2);
            run.disk.crash(power, &mut run.rng);
            forgiven |= power;
            continue;
        };
        run.check(&mut shard, forgiven);
        let events = run.rng.below(1_500);
        if fails {
            run.disk.fail_in = Some(run.rng.below(300));
        }
        run.live(&mut shard, events);
        run.disk.fail_in = None;
        let mut stopped = false;
        if !run.failed && run.rng.one_in(3) {
            run.settle_all(&mut shard);
        }
        // The failure may have come out just now, from within a flow.
        if !run.failed && run.rng.one_in(3) {
            run.check(&mut shard, false);
            let events = run.rng.below(300);
            run.live(&mut shard, events);
            stopped = run.rng.one_in(2) && !run.failed;
            if stopped {
                run.stop(&mut shard);
            }
        }
        let power = run.rng.one_in(2);
        run.disk.crash(power, &mut run.rng);
        forgiven = power && !stopped;
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|s| s.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn what_was_acknowledged_survives_kills_and_power_cuts() {
    let from = from_environment("CRASH_FROM", 0);
    for seed in from..from_environment("CRASH_SEEDS", from + 150) {
        let result = std::panic::catch_unwind(|| run(seed, Lie::Nothing));
        assert!(result.is_ok(), "seed {seed}");
    }
}

/// The tester fails where the disk lies. Writing back before the group's flush, and an order of ours turned around,
/// cannot be planted in the disk.
#[test]
fn every_planted_lie_is_found() {
    for lie in [
        Lie::NoFlush("journal"),
        Lie::NoFlush("topics"),
        Lie::NoFlush("checkpoint"),
        Lie::NoFlushAtStart,
        Lie::StaleJournal,
        Lie::LateFlush,
    ] {
        let found = (0..400).find(|seed| std::panic::catch_unwind(|| run(*seed, lie)).is_err());
        assert!(found.is_some(), "{lie:?} was not found");
    }
}
