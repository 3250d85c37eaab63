//! The shard on a disk that reorders, tears and forgets: what was acknowledged is there after every crash.
//!
//! The whole broker is crashed in `tests/`; this is the same question asked of the log alone, thousands of times a second.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::batch::{BatchBuilder, Rules, TimestampType};
use crate::call::ReadItem;
use crate::disk::DirectoryEntry;
use crate::limits::BLOCK;
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

/// Written data is visible at once and durable by a flush only; operations under way are done in any order.
struct Disk {
    files: BTreeMap<String, File>,
    open: BTreeMap<FileId, String>,
    pending: Vec<DiskRequest>,
}

impl Disk {
    fn run(&mut self, op: DiskOp, rng: &mut Rng) -> Result<DiskOutcome, DiskError> {
        let _ = rng;
        let open = &mut self.open;
        match op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                if !create && !self.files.contains_key(&path) {
                    return Err(DiskError::NOT_FOUND);
                }
                self.files.entry(path.clone()).or_default();
                open.insert(file, path);
            }
            DiskOp::Close { file } => drop(open.remove(&file)),
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                let content = &mut self
                    .files
                    .get_mut(&open[&file])
                    .expect("open files exist")
                    .now;
                let end = position as usize + bytes.len();
                content.resize(content.len().max(end), 0);
                content[position as usize..end].copy_from_slice(&bytes);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let content = &self.files[&open[&file]].now;
                let begin = content.len().min(position as usize);
                let end = content.len().min(begin + into.capacity() / BLOCK * BLOCK);
                into.extend_from_slice(&content[begin..end]);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { file } => {
                let file = self.files.get_mut(&open[&file]).expect("open files exist");
                file.durable = file.now.clone();
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let content = &mut self
                    .files
                    .get_mut(&open[&file])
                    .expect("open files exist")
                    .now;
                content.resize(content.len().max((position + length) as usize), 0);
            }
            DiskOp::Truncate { file, length } => {
                self.files
                    .get_mut(&open[&file])
                    .expect("open files exist")
                    .now
                    .resize(length as usize, 0);
            }
            DiskOp::Unlink { path } => drop(self.files.remove(&path)),
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
                for (name, file) in &mut self.files {
                    file.linked |= name.rsplit_once('/').map_or("", |(parent, _)| parent) == path;
                }
            }
            DiskOp::MakeDirectory { .. } | DiskOp::RemoveDirectory { .. } => {}
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
                op
                @ (DiskOp::Allocate { .. } | DiskOp::Truncate { .. } | DiskOp::Rename { .. })
                    if rng.one_in(2) =>
                {
                    let _ = self.run(op, rng);
                }
                _ => {}
            }
        }
        self.open.clear();
        if !power {
            return;
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

const PARTITIONS: u32 = 3;

fn id(partition: u32) -> TopicPartition {
    TopicPartition {
        topic: TopicId([5; 16]),
        partition: partition as i32,
    }
}

fn config(partition: u32) -> PartitionConfig {
    let bytes = 40 << 10;
    PartitionConfig {
        rules: Rules {
            max_bytes: 1 << 20,
            segment_bytes: bytes,
            timestamp_type: TimestampType::Create,
            ..Rules::default()
        },
        // The last partition is of the weaker class: only a kill must not hurt it.
        durability: if partition == PARTITIONS - 1 {
            Durability::Process
        } else {
            Durability::Disk
        },
        segment_bytes: bytes as u64,
        segment_ms: i64::MAX,
        index_interval_bytes: 1024,
        producers_max: 8,
    }
}

/// What the test knows: every batch sent, by partition; which are acknowledged, and at which offset.
#[derive(Default)]
struct Ledger {
    sent: Vec<Bytes>,
    acked: BTreeMap<i64, usize>,
}

struct Run {
    rng: Rng,
    disk: Disk,
    ledgers: Vec<Ledger>,
    epoch: i32,
    now: Now,
}

impl Run {
    fn new(seed: u64) -> Run {
        Run {
            rng: Rng::new(seed),
            disk: Disk {
                files: BTreeMap::new(),
                open: BTreeMap::new(),
                pending: Vec::new(),
            },
            ledgers: (0..PARTITIONS).map(|_| Ledger::default()).collect(),
            epoch: 0,
            now: Now {
                mono: Instant(1),
                wall: Timestamp(1_000),
            },
        }
    }

    /// Starts the shard; `None`: it crashed while it started.
    fn open(&mut self, crash_after: &mut u64) -> Option<Shard> {
        let files = Rc::new(RefCell::new(FileIds::default()));
        self.epoch += 1;
        let epoch = LeaderEpoch(self.epoch);
        // One shard owns everything; the count changes all the same, so that every journal is drained at times.
        let shards = if self.rng.one_in(4) { 2 } else { 1 };
        let all = move || {
            (0..PARTITIONS)
                .map(|p| Partition::new(id(p), config(p), epoch))
                .collect::<Vec<_>>()
        };
        let mut runner = FlowRunner::new(&files, |flow| async move {
            let owner = |_: TopicPartition, shards: u16| ShardId(shards - 1);
            let layout = layout::open(&flow, [1; 16], shards, &Limits::TINY, all, owner).await?;
            let mut arena = Arena::new(256 << 10, 256 << 10, 4 << 20);
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
                }
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

    fn absorb(&mut self, out: &mut ShardOut) {
        assert_eq!(out.fatal, None);
        self.disk.pending.append(&mut out.disk);
        for (_, answer) in out.answers.drain(..) {
            let AnswerBody::Appended(list) = answer.body else {
                continue;
            };
            let (partition, batch) = (answer.request.0 >> 32, answer.request.0 & 0xffff_ffff);
            for answer in list {
                let appended = answer.result.expect("valid batches are appended");
                let ledger = &mut self.ledgers[partition as usize];
                let before = ledger.acked.insert(appended.base_offset.0, batch as usize);
                assert!(
                    before.is_none(),
                    "offset {:?} was given twice",
                    appended.base_offset
                );
            }
        }
    }

    fn append(&mut self, shard: &mut Shard) {
        let partition = self.rng.below(u64::from(PARTITIONS)) as usize;
        let bytes = match self.rng.below(12) {
            0 => 8_000 + self.rng.below(20_000) as usize,
            1 | 2 => 2_000 + self.rng.below(4_000) as usize,
            _ => self.rng.below(300) as usize,
        };
        let ledger = &mut self.ledgers[partition];
        let number = ledger.sent.len();
        let mut value = format!("{partition}/{number}/").into_bytes();
        value.resize(value.len() + bytes, number as u8);
        let records = BatchBuilder::new().value(Timestamp(1_000), &value).build();
        ledger.sent.push(records.clone());
        let request = RequestToken((partition as u64) << 32 | number as u64);
        let items = vec![AppendItem {
            slot: 0,
            partition: id(partition as u32),
            records,
        }];
        let mut out = ShardOut::default();
        let body = CallBody::Append {
            acks: Acks::All,
            items,
        };
        shard.call(
            self.now,
            Call {
                from: ShardId(0),
                request,
                body,
            },
            &mut out,
        );
        self.absorb(&mut out);
    }

    /// Lets the shard live for so many events.
    fn live(&mut self, shard: &mut Shard, events: u64) {
        for _ in 0..events {
            let mut out = ShardOut::default();
            match self.rng.below(4) {
                0 => self.append(shard),
                1 => shard.settle(self.now, &mut out),
                _ if self.disk.pending.is_empty() => shard.settle(self.now, &mut out),
                _ => {
                    let request = self.take_pending();
                    let result = self.disk.run(request.op, &mut self.rng);
                    shard.on_disk(
                        self.now,
                        DiskDone {
                            token: request.token,
                            result,
                        },
                        &mut out,
                    );
                }
            }
            self.absorb(&mut out);
        }
    }

    fn settle_all(&mut self, shard: &mut Shard) {
        let mut out = ShardOut::default();
        loop {
            shard.settle(self.now, &mut out);
            self.absorb(&mut out);
            if self.disk.pending.is_empty() {
                return;
            }
            while !self.disk.pending.is_empty() {
                let request = self.take_pending();
                let result = self.disk.run(request.op, &mut self.rng);
                shard.on_disk(
                    self.now,
                    DiskDone {
                        token: request.token,
                        result,
                    },
                    &mut out,
                );
                self.absorb(&mut out);
            }
        }
    }

    /// Everything acknowledged is there, where it was acknowledged, and every batch there was sent.
    fn check(&mut self, shard: &mut Shard, forgiven: bool) {
        for partition in 0..PARTITIONS {
            let mut found: BTreeMap<i64, Bytes> = BTreeMap::new();
            let mut offset = Offset(0);
            loop {
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
                while out.answers.is_empty() {
                    shard.settle(self.now, &mut out);
                    self.disk.pending.append(&mut out.disk);
                    while let Some(request) = self.disk.pending.pop() {
                        let result = self.disk.run(request.op, &mut self.rng);
                        shard.on_disk(
                            self.now,
                            DiskDone {
                                token: request.token,
                                result,
                            },
                            &mut out,
                        );
                    }
                }
                self.disk.pending.append(&mut out.disk);
                let AnswerBody::Read(mut list) = out.answers.pop().expect("answered").1.body else {
                    panic!()
                };
                if list[0].result.is_err() {
                    let p = shard.partition(shard.slots[&id(partition)]).unwrap();
                    eprintln!(
                        "{:#?}",
                        p.segments
                            .iter()
                            .map(|s| (s.base, s.end, s.disk_end, s.sealed, s.complete, s.allocated))
                            .collect::<Vec<_>>()
                    );
                    for e in p.extents.iter() {
                        eprintln!(
                            "{} {} {} {:?} {} {:?} {}",
                            e.segment.0,
                            e.position,
                            e.length,
                            e.base_offset,
                            e.whole,
                            e.direct,
                            e.group.0
                        );
                    }
                }
                let done = list
                    .pop()
                    .expect("one answer")
                    .result
                    .unwrap_or_else(|e| panic!("{partition} at {offset:?}: {e:?}"));
                let mut joined = BytesMut::new();
                done.records
                    .iter()
                    .for_each(|part| joined.extend_from_slice(part));
                if joined.is_empty() {
                    assert_eq!(
                        offset, done.high_watermark,
                        "partition {partition} stops early"
                    );
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
            let ledger = &mut self.ledgers[partition as usize];
            if forgiven && partition == PARTITIONS - 1 {
                // A power cut may take the end of a `process` partition, and its offsets are given anew.
                let end = found.len() as i64;
                ledger.acked.retain(|offset, _| *offset < end);
            }
            for (offset, number) in &ledger.acked {
                let batch = found
                    .get(offset)
                    .unwrap_or_else(|| panic!("{partition}: lost batch {number} at {offset}"));
                assert_eq!(
                    batch[16..],
                    ledger.sent[*number][16..],
                    "{partition}: another batch at {offset}"
                );
            }
            for (offset, batch) in &found {
                let number = ledger
                    .sent
                    .iter()
                    .position(|sent| sent[16..] == batch[16..]);
                assert!(
                    number.is_some(),
                    "{partition}: a batch at {offset} that nobody sent"
                );
            }
        }
    }
}

fn run(seed: u64) {
    let mut run = Run::new(seed);
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
        run.live(&mut shard, events);
        if run.rng.one_in(4) {
            run.settle_all(&mut shard);
            run.check(&mut shard, false);
            let events = run.rng.below(300);
            run.live(&mut shard, events);
        }
        let power = run.rng.one_in(2);
        run.disk.crash(power, &mut run.rng);
        forgiven = power;
    }
}

#[test]
fn what_was_acknowledged_survives_kills_and_power_cuts() {
    let seeds = std::env::var("CRASH_SEEDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(150);
    let from = std::env::var("CRASH_FROM")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    for seed in from..seeds {
        let result = std::panic::catch_unwind(|| run(seed));
        assert!(result.is_ok(), "seed {seed}");
    }
}
