//! Readers that hold on to what they were given, batches larger than a chunk, a disk that does not flush: appends go on,
//! or are refused in time.

use std::time::Duration;

use super::*;

fn item(records: Bytes) -> AppendItem {
    AppendItem {
        slot: 0,
        partition: TOPIC,
        records,
    }
}

impl Node {
    /// What one read from `offset` on gives.
    fn read_parts(&mut self, offset: Offset) -> Vec<Bytes> {
        let items = vec![ReadItem {
            slot: 0,
            partition: TOPIC,
            offset,
            max_bytes: 1,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        }];
        self.call(CallBody::Read {
            max_bytes: 1,
            items,
        });
        let AnswerBody::Read(mut list) = self.answers.pop().expect("answered").body else {
            panic!()
        };
        list.pop()
            .expect("one answer")
            .result
            .expect("readable")
            .records
    }
}

#[test]
fn readers_that_hold_every_chunk_stop_no_append() {
    let mut node = Node::new();
    let ceiling = node.shard.arena().bytes_max();
    let mut held = Vec::new();
    let mut appended = 0;
    while appended < 3 * ceiling {
        let records = batch(1, 3_000, 1);
        appended += records.len();
        let at = node.append(records).expect("appended").base_offset;
        let parts = node.read_parts(at);
        assert_eq!(parts.len(), 1, "shared, not gathered");
        held.extend(parts);
    }
    assert_eq!(node.shard.arena().bytes(), ceiling);
    drop(held);
    let count = node.shard.arena().chunks().count();
    node.append(batch(1, 3_000, 1)).expect("appended");
    assert_eq!(node.shard.arena().chunks().count(), count);
}

#[test]
fn batches_larger_than_a_step_use_up_nothing() {
    let mut node = Node::new();
    let large = TopicPartition {
        partition: 1,
        ..TOPIC
    };
    let mut config = config();
    config.rules.max_bytes = 8 << 20;
    config.rules.segment_bytes = 16 << 20;
    config.segment_bytes = 16 << 20;
    node.shard.create_partition(large, config, LeaderEpoch(0));
    for kib in [300, 600, 900, 1200, 4000, 300] {
        let items = vec![AppendItem {
            partition: large,
            ..item(batch(1, kib << 10, 1))
        }];
        let acks = Acks::All;
        node.call(CallBody::Append { acks, items });
        let answer = node.answers.pop().map(|answer| answer.body);
        let Some(AnswerBody::Appended(list)) = answer else {
            panic!("{kib} KiB: {answer:?}");
        };
        assert!(list[0].result.is_ok(), "{kib} KiB: {list:?}");
    }
}

#[test]
fn an_append_that_finds_no_room_is_refused_in_time() {
    let mut node = Node::new();
    let mut out = ShardOut::default();
    let mut asked = 0;
    let mut held = Vec::new();
    // Nothing is flushed: the ring fills.
    while node.shard.stalled.len() < 3 {
        asked += 1;
        let call = Call {
            from: ShardId(0),
            request: RequestToken(asked),
            body: CallBody::Append {
                acks: Acks::All,
                items: vec![item(batch(1, 3_000, 1))],
            },
        };
        node.shard.call(node.now, call, &mut out);
        node.shard.settle(node.now, &mut out);
        for DiskRequest { token, op } in std::mem::take(&mut out.disk) {
            if matches!(op, DiskOp::Flush { .. }) {
                held.push(DiskRequest { token, op });
                continue;
            }
            let result = node.disk.run(op);
            node.shard
                .on_disk(node.now, DiskDone { token, result }, &mut out);
        }
    }
    assert!(out.answers.is_empty());
    node.now.mono = node.now.mono.after(STALL_MAX);
    assert!(node.shard.deadline().is_some_and(|at| at <= node.now.mono));
    node.shard.settle(node.now, &mut out);
    let refused = |answer: &Answer| match &answer.body {
        AnswerBody::Appended(list) => list[0].result == Err(AppendError::Storage),
        _ => false,
    };
    let tokens: Vec<u64> = out.answers.iter().map(|(_, a)| a.request.0).collect();
    assert_eq!(tokens, [asked - 2, asked - 1, asked], "oldest first");
    assert!(out.answers.iter().all(|(_, answer)| refused(answer)));
    // The disk answers after all: what was taken is acknowledged, and there is room again.
    out.answers.clear();
    for DiskRequest { token, op } in held {
        let result = node.disk.run(op);
        node.shard
            .on_disk(node.now, DiskDone { token, result }, &mut out);
    }
    node.settle();
    node.append(batch(1, 3_000, 1)).expect("appended");
}

#[test]
fn a_watch_is_told_of_enough_and_leaves_nothing_behind() {
    let mut node = Node::new();
    let other = TopicPartition {
        partition: 1,
        ..TOPIC
    };
    node.shard.create_partition(other, config(), LeaderEpoch(0));
    let batch_bytes = batch(1, 100, 1).len() as u64;
    let watch = |missing, seen: i64| CallBody::Watch {
        missing,
        items: [TOPIC, other]
            .map(|partition| WatchItem {
                partition,
                seen_end: Offset(if partition == TOPIC { seen } else { 0 }),
            })
            .into(),
    };
    let watchers = |node: &Node| -> Vec<usize> {
        let partitions = node.shard.partitions.iter().flatten();
        partitions.map(|p| p.watchers.len()).collect()
    };
    for round in 0..20 {
        let seen = round * 3;
        // The second watch of a request takes the place of the first.
        node.call(watch(1, seen));
        node.request -= 1;
        let request = node.call(watch(3 * batch_bytes, seen));
        assert_eq!(watchers(&node), [1, 1]);
        for step in 1..=3 {
            let items = vec![item(batch(1, 100, 1))];
            let acks = Acks::None;
            node.call(CallBody::Append { acks, items });
            assert_eq!(node.answers.len(), usize::from(step == 3), "{step}");
        }
        let answer = node.answers.pop().expect("enough");
        assert!(matches!(answer.body, AnswerBody::Changed));
        assert_eq!(answer.request, RequestToken(request));
        assert_eq!(watchers(&node), [0, 0]);
    }
    node.call(watch(1, 59));
    assert!(matches!(
        node.answers.pop().map(|a| a.body),
        Some(AnswerBody::Changed)
    ));
}

/// Settles; what is asked of the disk is done, but for what `hold` wants to be kept.
fn settle_but(
    node: &mut Node,
    out: &mut ShardOut,
    hold: impl Fn(&Disk, &DiskOp) -> bool,
) -> Vec<DiskRequest> {
    let mut held = Vec::new();
    loop {
        node.shard.settle(node.now, out);
        let requests = std::mem::take(&mut out.disk);
        if requests.is_empty() {
            return held;
        }
        for DiskRequest { token, op } in requests {
            if hold(&node.disk, &op) {
                held.push(DiskRequest { token, op });
                continue;
            }
            let result = node.disk.run(op);
            node.shard
                .on_disk(node.now, DiskDone { token, result }, out);
        }
    }
}

fn acknowledged(out: &mut ShardOut) -> Vec<(u64, Offset)> {
    let answers = out.answers.drain(..).map(|(_, answer)| answer);
    let acked = answers.map(|Answer { request, body }| match body {
        AnswerBody::Appended(list) => {
            let appended = list[0].result.as_ref().expect("appended");
            (request.0, appended.base_offset)
        }
        body => panic!("{body:?}"),
    });
    acked.collect()
}

#[test]
fn a_batch_that_waits_for_its_file_holds_up_its_partition_only() {
    let mut node = Node::new();
    let large = TopicPartition {
        topic: TopicId([8; 16]),
        partition: 0,
    };
    let mut config = config();
    config.rules.segment_bytes = 16 << 20;
    config.segment_bytes = 16 << 20;
    node.shard.create_partition(large, config, LeaderEpoch(0));
    let mut out = ShardOut::default();
    // The first fits no group. The file is being opened, for as long as it takes.
    let sends = [
        (large, 100_000),
        (TOPIC, 100),
        (large, 100),
        (TOPIC, 3_000),
        (large, 100),
    ];
    for (request, (partition, bytes)) in (1..).zip(sends) {
        let call = Call {
            from: ShardId(0),
            request: RequestToken(request),
            body: CallBody::Append {
                acks: Acks::All,
                items: vec![AppendItem {
                    partition,
                    ..item(batch(1, bytes, 1))
                }],
            },
        };
        node.shard.call(node.now, call, &mut out);
    }
    let opens_large = |_: &Disk, op: &DiskOp| match op {
        DiskOp::Open { path, .. } => path.starts_with(&segment::directory(large)),
        _ => false,
    };
    let held = settle_but(&mut node, &mut out, opens_large);
    assert_eq!(held.len(), 1, "its file is being opened");
    assert_eq!(
        acknowledged(&mut out),
        [(2, Offset(0)), (4, Offset(1))],
        "the others went on"
    );
    for DiskRequest { token, op } in held {
        let result = node.disk.run(op);
        node.shard
            .on_disk(node.now, DiskDone { token, result }, &mut out);
    }
    settle_but(&mut node, &mut out, |_, _| false);
    let mut acked = acknowledged(&mut out);
    acked.sort_unstable();
    assert_eq!(
        acked,
        [(1, Offset(0)), (3, Offset(1)), (5, Offset(2))],
        "in the order in which they came"
    );
}

/// One device that does one thing after the other, in virtual time.
struct SlowDisk {
    free_at: Instant,
    under_way: BTreeMap<(Instant, u64), DiskRequest>,
    serial: u64,
    segment_writes: u64,
    segment_bytes: u64,
}

impl SlowDisk {
    fn take(&mut self, now: Instant, disk: &Disk, request: DiskRequest) {
        let micros = match &request.op {
            // 8 MB/s.
            DiskOp::Write { file, bytes, .. } => {
                if disk.open[file].starts_with("topics/") {
                    self.segment_writes += 1;
                    self.segment_bytes += bytes.len() as u64;
                }
                100 + bytes.len() as u64 / 8
            }
            DiskOp::Flush { .. } | DiskOp::SyncDirectory { .. } => 300,
            _ => 20,
        };
        self.free_at = self.free_at.max(now).after(Duration::from_micros(micros));
        self.serial += 1;
        self.under_way.insert((self.free_at, self.serial), request);
    }
}

#[test]
fn a_slow_disk_makes_many_small_producers_wait_and_nothing_grow() {
    const PARTITIONS: usize = 200;
    const ROUNDS: usize = 60;
    let mut node = Node::new();
    let id = |n: usize| TopicPartition {
        topic: TopicId([8; 16]),
        partition: n as i32,
    };
    for n in 0..PARTITIONS {
        node.shard.create_partition(id(n), config(), LeaderEpoch(0));
    }
    let mut slow = SlowDisk {
        free_at: Instant(0),
        under_way: BTreeMap::new(),
        serial: 0,
        segment_writes: 0,
        segment_bytes: 0,
    };
    let mut out = ShardOut::default();
    // Each producer sends its next batch once the one before is acknowledged.
    let mut due: Vec<usize> = (0..PARTITIONS).collect();
    let mut sent = vec![(0, Instant(0)); PARTITIONS];
    let mut waited: Vec<Duration> = Vec::new();
    let (mut stalled_most, mut ring_most) = (0, 0);
    while waited.len() < PARTITIONS * ROUNDS {
        for n in std::mem::take(&mut due) {
            if sent[n].0 == ROUNDS {
                continue;
            }
            sent[n] = (sent[n].0 + 1, node.now.mono);
            let call = Call {
                from: ShardId(0),
                request: RequestToken(n as u64),
                body: CallBody::Append {
                    acks: Acks::All,
                    items: vec![AppendItem {
                        partition: id(n),
                        ..item(batch(1, 900, 1))
                    }],
                },
            };
            node.shard.call(node.now, call, &mut out);
        }
        node.shard.settle(node.now, &mut out);
        assert_eq!(out.fatal, None);
        for request in std::mem::take(&mut out.disk) {
            slow.take(node.now.mono, &node.disk, request);
        }
        let numbers = node.shard.numbers();
        let limits = Limits::TINY;
        assert!(numbers.live_bytes <= limits.tail_bytes_max);
        assert!(numbers.journal_used <= numbers.journal_bytes);
        assert!(numbers.arena_bytes <= numbers.arena_bytes_max);
        assert!(numbers.stalled <= PARTITIONS, "one of each producer");
        stalled_most = stalled_most.max(numbers.stalled);
        ring_most = ring_most.max(numbers.journal_used);
        for (n, _) in acknowledged(&mut out) {
            let n = n as usize;
            waited.push(node.now.mono.since(sent[n].1));
            due.push(n);
        }
        if !due.is_empty() {
            continue;
        }
        let completion = slow.under_way.first_key_value().map(|((at, _), _)| *at);
        let wake = [completion, node.shard.deadline()];
        let Some(next) = wake.into_iter().flatten().min() else {
            break;
        };
        node.now.mono = node.now.mono.max(next);
        while let Some(entry) = slow.under_way.first_entry()
            && entry.key().0 <= node.now.mono
        {
            let DiskRequest { token, op } = entry.remove();
            let result = node.disk.run(op);
            node.shard
                .on_disk(node.now, DiskDone { token, result }, &mut out);
        }
    }
    assert_eq!(waited.len(), PARTITIONS * ROUNDS, "every batch was taken");
    waited.sort_unstable();
    let seconds = node.now.mono.since(Instant(0)).as_secs_f64();
    let longest = waited[waited.len() - 1];
    eprintln!(
        "{:.2} MB/s; waited {:?} at the median, {:?} at 99 %, {longest:?} at most; {stalled_most} stalled, {ring_most} \
         bytes of the journal used; {} bytes a segment write",
        (PARTITIONS * ROUNDS * 970) as f64 / seconds / 1e6,
        waited[waited.len() / 2],
        waited[waited.len() * 99 / 100],
        slow.segment_bytes / slow.segment_writes.max(1),
    );
    assert!(stalled_most > 0, "the disk was not slow enough to matter");
    assert!(longest < STALL_MAX / 10, "{longest:?}");
}
