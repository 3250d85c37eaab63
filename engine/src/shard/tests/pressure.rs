//! Readers that hold on to what they were given, batches larger than a chunk, a disk that does not flush: appends go on,
//! or are refused in time.

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
