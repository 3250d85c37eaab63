//! One shard on that disk, and what its clients know of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};

use super::super::*;
use super::disk::{Disk, Lie};
use crate::batch::{BatchBuilder, Rules, TimestampType};
use crate::call::{AppendItem, DeleteItem, ReadError, ReadItem};
use crate::log::partition::FlushRule;
use crate::log::trim::Retention;
use crate::log::{layout, recover};
use crate::rng::Rng;
use crate::types::{Durability, Timestamp, TopicId};

/// Partitions that live through a whole run; others come and go.
pub(super) const PARTITIONS: u32 = 3;

pub(super) fn id(partition: u32) -> TopicPartition {
    TopicPartition {
        topic: TopicId([5; 16]),
        partition: partition as i32,
    }
}

/// One of three is of the weaker class: only a kill must not hurt it. One of three begins in the stronger class, and
/// changes it now and then.
pub(super) fn durability(partition: u32) -> Durability {
    match partition % 3 {
        2 => Durability::Process,
        _ => Durability::Disk,
    }
}

pub(super) fn config(partition: u32, durability: Durability, bytes: usize) -> PartitionConfig {
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
pub(super) fn retention(partition: u32) -> Retention {
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
pub(super) struct Producer {
    pub(super) id: i64,
    pub(super) next: i32,
}

/// What the test knows: every batch sent, by partition; which are acknowledged, and at which offset.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    pub(super) sent: Vec<Bytes>,
    pub(super) acked: BTreeMap<i64, usize>,
    /// Appends that were not answered.
    pub(super) waiting: usize,
    pub(super) producer: Option<Producer>,
    /// The newest acknowledged batch of an idempotent producer, and how many followed it.
    pub(super) repeatable: Option<(usize, usize)>,
    pub(super) idempotent: BTreeSet<usize>,
    pub(super) partition: u32,
    /// The class it has now, and the size of its segments.
    pub(super) durability: Durability,
    pub(super) segment_bytes: usize,
    /// What each copy of a batch that is under way was promised, in the order sent.
    pub(super) promised: BTreeMap<usize, VecDeque<Durability>>,
    /// Acknowledged under the stronger class: no crash may take it.
    pub(super) solid: BTreeSet<usize>,
    /// Where the log began at the furthest, as far as anybody was told.
    pub(super) shown: Offset,
    /// The highest log start that was asked for.
    pub(super) asked: Offset,
    /// Segments that a shard had files for. Of one that was begun just before a crash the next start may know nothing:
    /// it comes after the one that takes appends then.
    pub(super) files: BTreeSet<Offset>,
}

impl Ledger {
    pub(super) fn new(partition: u32) -> Ledger {
        Ledger {
            partition,
            durability: durability(partition),
            segment_bytes: 40 << 10,
            ..Ledger::default()
        }
    }

    pub(super) fn config(&self) -> PartitionConfig {
        config(self.partition, self.durability, self.segment_bytes)
    }
}

/// Why nothing was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// The log begins there.
    Below(Offset),
    /// The batch is damaged.
    Corrupt,
    /// The disk failed.
    Storage,
}

pub(super) struct Run {
    pub(super) rng: Rng,
    pub(super) disk: Disk,
    pub(super) ledgers: BTreeMap<u32, Ledger>,
    pub(super) created: u32,
    pub(super) producers: i64,
    pub(super) epoch: i32,
    pub(super) now: Now,
    pub(super) files: Rc<RefCell<FileIds>>,
    /// Bytes that slow consumers have not taken yet.
    pub(super) held: VecDeque<Bytes>,
    /// Deletions of records: what was asked, and whether it was answered.
    pub(super) deletes: Vec<(u32, Offset)>,
    /// Space runs out at times.
    pub(super) fills: bool,
    pub(super) failed: bool,
}

impl Run {
    pub(super) fn new(seed: u64, lie: Lie) -> Run {
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
                fault: None,
                fired: false,
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
    pub(super) fn open(&mut self, crash_after: &mut u64) -> Option<Shard> {
        let opened = self.try_open(crash_after)?;
        Some(opened.unwrap_or_else(|fatal| panic!("recovery: {fatal}")))
    }

    /// As `open`, where the start may be refused.
    pub(super) fn try_open(&mut self, crash_after: &mut u64) -> Option<Result<Shard, Fatal>> {
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
                let (mut recovered, arena) = match result {
                    Ok(opened) => opened,
                    Err(fatal) => return Some(Err(fatal)),
                };
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
                let shard = Shard::new([1; 16], Limits::TINY, recovered, arena, files);
                return Some(Ok(shard));
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

    /// What stops everything: a kill, or the power.
    pub(super) fn crash(&mut self, power: bool) {
        self.disk.crash(power, &mut self.rng);
        (self.disk.fault, self.disk.fired) = (None, false);
    }

    pub(super) fn take_pending(&mut self) -> DiskRequest {
        let index = self.rng.below(self.disk.pending.len() as u64) as usize;
        self.disk.pending.swap_remove(index)
    }

    /// One operation on the disk is done, and its completion delivered.
    pub(super) fn one_completion(&mut self, shard: &mut Shard) {
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

    pub(super) fn settle(&mut self, shard: &mut Shard) {
        let mut out = ShardOut::default();
        shard.settle(self.now, &mut out);
        self.absorb(&mut out);
    }

    pub(super) fn absorb(&mut self, out: &mut ShardOut) {
        assert!(self.disk.fired || out.fatal.is_none(), "{:?}", out.fatal);
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

    pub(super) fn deleted(
        &mut self,
        partition: u32,
        asked: Offset,
        result: Result<Offset, DeleteError>,
    ) {
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
    pub(super) fn show(&mut self, partition: u32, log_start: Offset) {
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
    pub(super) fn delete_records(&mut self, shard: &mut Shard) {
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

    pub(super) fn answered(
        &mut self,
        partition: u32,
        number: usize,
        result: Result<Appended, AppendError>,
    ) {
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

    pub(super) fn append(&mut self, shard: &mut Shard) {
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

    pub(super) fn send(&mut self, shard: &mut Shard, partition: u32, number: usize) {
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
    pub(super) fn configure(&mut self, shard: &mut Shard) {
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
    pub(super) fn note_files(&mut self, shard: &Shard) {
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
    pub(super) fn change_image(&mut self, shard: &mut Shard) {
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
    pub(super) fn read_somewhere(&mut self, shard: &mut Shard) {
        let partition = self.rng.below(u64::from(PARTITIONS)) as u32;
        let slot = shard.slots[&id(partition)];
        let end = shard.partition(slot).expect("known").high_watermark;
        let offset = Offset(self.rng.below(end.0 as u64 + 1) as i64);
        let records = match self.read(shard, partition, offset) {
            Ok((records, _)) => records,
            Err(Refused::Below(_)) => return,
            Err(refused @ (Refused::Corrupt | Refused::Storage)) => {
                assert!(
                    self.disk.fired && refused == Refused::Storage,
                    "{refused:?}"
                );
                return;
            }
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
    pub(super) fn live(&mut self, shard: &mut Shard, events: u64) {
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
                    _ if self.disk.fault.is_none() => self.read_somewhere(shard),
                    _ => {}
                },
                _ if self.disk.pending.is_empty() => self.settle(shard),
                _ => self.one_completion(shard),
            }
            self.note_files(shard);
        }
    }

    /// Time passes and nothing more is asked: everything is answered, and only what is needed stays open.
    pub(super) fn settle_all(&mut self, shard: &mut Shard) {
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
    pub(super) fn stop(&mut self, shard: &mut Shard) {
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

    pub(super) fn read(
        &mut self,
        shard: &mut Shard,
        partition: u32,
        offset: Offset,
    ) -> Result<(Vec<Bytes>, Offset), Refused> {
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
                Err(Refused::Below(log_start))
            }
            Err(ReadError::Corrupt) => Err(Refused::Corrupt),
            Err(ReadError::Storage) => Err(Refused::Storage),
            Err(error) => panic!("{partition} at {offset:?}: {error:?}"),
        }
    }

    /// Everything acknowledged is there, where it was acknowledged, and every batch there was sent, once.
    pub(super) fn check(&mut self, shard: &mut Shard, forgiven: bool) {
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
                    Err(refused @ (Refused::Corrupt | Refused::Storage)) => {
                        panic!("partition {partition} at {offset:?}: {refused:?}")
                    }
                    Err(Refused::Below(log_start)) => {
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
