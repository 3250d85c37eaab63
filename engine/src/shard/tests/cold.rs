//! Reads and lookups that need the disk: however many are asked for, few are under way, and who left is not read for.

use super::*;
use crate::batch::Codec;

/// A node whose first partition has its first batches on disk only.
fn with_cold_batches() -> Node {
    let mut node = Node::new();
    for step in 0..200 {
        node.append(batch(1, 1_500, step as u8)).expect("appended");
    }
    let p = node.shard.partition(0).expect("the only one");
    assert!(p.extents.first_offset() > Some(Offset(50)), "all is hot");
    node
}

fn cold(slot: u32, offset: i64, max_bytes: u32) -> ReadItem {
    ReadItem {
        slot,
        partition: TOPIC,
        offset: Offset(offset),
        max_bytes,
        current_leader_epoch: LeaderEpoch(-1),
        last_fetched_epoch: LeaderEpoch(-1),
    }
}

fn at_time(slot: u32, timestamp: i64) -> ListItem {
    ListItem {
        slot,
        partition: TOPIC,
        current_leader_epoch: LeaderEpoch(-1),
        what: ListWhat::At(Timestamp(timestamp)),
    }
}

/// A node whose disk answers only when asked to.
struct Slow {
    node: Node,
    out: ShardOut,
    asked: VecDeque<DiskRequest>,
}

impl Slow {
    fn new() -> Slow {
        Slow {
            node: with_cold_batches(),
            out: ShardOut::default(),
            asked: VecDeque::new(),
        }
    }

    fn call(&mut self, request: u64, body: CallBody) {
        let call = Call {
            from: ShardId(0),
            request: RequestToken(request),
            body,
        };
        self.node.shard.call(self.node.now, call, &mut self.out);
        self.settle();
    }

    fn settle(&mut self) {
        self.node.shard.settle(self.node.now, &mut self.out);
        self.asked.extend(self.out.disk.drain(..));
    }

    /// The disk answers one request.
    fn step(&mut self) {
        let DiskRequest { token, op } = self.asked.pop_front().expect("something was asked");
        let result = self.node.disk.run(op);
        let done = DiskDone { token, result };
        self.node.shard.on_disk(self.node.now, done, &mut self.out);
        self.settle();
    }

    fn finish(&mut self) -> Vec<Answer> {
        while !self.asked.is_empty() {
            self.step();
        }
        let answers = std::mem::take(&mut self.out.answers);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

#[test]
fn many_cold_items_in_one_call_are_read_a_few_at_a_time_up_to_the_budget() {
    let mut slow = Slow::new();
    let items = (0..1000).map(|slot| cold(slot, 0, 1)).collect();
    let max_bytes = 50 << 20;
    slow.call(1, CallBody::Read { max_bytes, items });
    let mut under_way = 0;
    let mut opened = 0;
    while !slow.asked.is_empty() {
        under_way = under_way.max(slow.asked.len());
        let opens = |request: &&DiskRequest| matches!(request.op, DiskOp::Open { .. });
        opened += usize::from(slow.asked.front().filter(opens).is_some());
        slow.step();
    }
    assert!(under_way <= 8, "{under_way} at a time");
    assert!(0 < opened && opened <= 64, "{opened} files opened");
    let answers = slow.finish();
    let [
        Answer {
            body: AnswerBody::Read(list),
            ..
        },
    ] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert_eq!(list.len(), 1000);
    let bytes = |answer: &ReadAnswer| {
        let done = answer.result.as_ref().expect("readable");
        done.records.iter().map(Bytes::len).sum::<usize>()
    };
    assert!(bytes(&list[0]) > 0);
    let read = list.iter().filter(|answer| bytes(answer) > 0).count();
    assert_eq!(read, opened, "what is read is answered");
}

#[test]
fn cold_lookups_wait_for_their_turn_like_cold_reads() {
    let mut slow = Slow::new();
    for request in 1..=500 {
        let items = vec![at_time(0, 7)];
        slow.call(request, CallBody::ListOffsets { items });
    }
    let under_way = slow.asked.len();
    assert!(0 < under_way && under_way <= 32, "{under_way} at a time");
    let answers = slow.finish();
    assert_eq!(answers.len(), 500);
    for (answer, request) in answers.iter().zip(1..) {
        assert_eq!(answer.request, RequestToken(request));
        let AnswerBody::Listed(list) = &answer.body else {
            panic!("{answer:?}")
        };
        let found = list[0].result.as_ref().expect("readable");
        assert_eq!(found.map(|f| f.offset), Some(Offset(7)));
    }
}

#[test]
fn nothing_is_read_for_a_request_that_is_gone() {
    let mut slow = Slow::new();
    let read = || CallBody::Read {
        max_bytes: 60 << 10,
        items: vec![cold(0, 0, 60 << 10)],
    };
    for request in 1..=100 {
        slow.call(request, read());
        let items = vec![at_time(0, 7)];
        slow.call(1000 + request, CallBody::ListOffsets { items });
    }
    for request in (1..=100).chain(1001..=1100) {
        slow.call(request, CallBody::Forget);
    }
    slow.call(2000, read());
    let mut opened = 0;
    while !slow.out.answers.iter().any(|(_, a)| a.request.0 == 2000) {
        let open = matches!(slow.asked[0].op, DiskOp::Open { .. });
        opened += usize::from(open);
        slow.step();
    }
    assert!(opened <= 32, "{opened} reads for nobody");
    assert!(slow.finish().len() <= 32);
}

#[test]
fn lookups_in_memory_take_as_many_passes_as_they_need() {
    let mut node = Node::new();
    let compressed = (0..50u8)
        .fold(BatchBuilder::new().codec(Codec::Gzip), |batch, step| {
            let noise: Vec<u8> = (0..900u32).map(|i| ((i * i) >> 3) as u8 ^ step).collect();
            batch.value(Timestamp(i64::from(step)), &noise)
        })
        .build();
    let cost = 32 * compressed.len();
    node.append(compressed).expect("appended");
    let count = 6 * read::LOOKUP_BYTES_A_PASS / cost;
    assert!(count > 3);
    let items = || (0..count as u32).map(|slot| at_time(slot, 49)).collect();
    let mut out = ShardOut::default();
    let call = |request, body| Call {
        from: ShardId(0),
        request: RequestToken(request),
        body,
    };
    let listing = call(1, CallBody::ListOffsets { items: items() });
    node.shard.call(node.now, listing, &mut out);
    let mut passes = 0;
    while out.answers.is_empty() {
        assert!(
            node.shard.deadline().is_some_and(|at| at <= node.now.mono),
            "at once"
        );
        node.shard.settle(node.now, &mut out);
        passes += 1;
    }
    assert!((2..=6).contains(&passes), "{passes} passes");
    let AnswerBody::Listed(list) = &out.answers[0].1.body else {
        panic!()
    };
    assert_eq!(list.len(), count);
    for (answer, slot) in list.iter().zip(0..) {
        let found = answer.result.as_ref().expect("readable");
        assert_eq!(
            (answer.slot, found.map(|f| f.offset)),
            (slot, Some(Offset(49)))
        );
    }
    // No lookup waits; retention looks again some time.
    assert!(node.shard.listings.is_empty());
    assert_ne!(node.shard.deadline(), Some(Instant::default()));
    // Who is gone is not looked up for.
    out.answers.clear();
    let listing = call(2, CallBody::ListOffsets { items: items() });
    node.shard.call(node.now, listing, &mut out);
    node.shard
        .call(node.now, call(2, CallBody::Forget), &mut out);
    assert!(node.shard.listings.is_empty());
    node.shard.settle(node.now, &mut out);
    assert!(out.answers.is_empty());
}

#[test]
fn a_batch_larger_than_a_read_is_read_whole_from_where_it_begins() {
    let mut node = Node::new();
    let sizes = [200, 40_000, 300, 25_000, 200, 200];
    for round in 0..10 {
        for size in sizes {
            node.append(batch(1, size, round)).expect("appended");
        }
    }
    let p = node.shard.partition(0).expect("the only one");
    assert!(p.extents.first_offset() > Some(Offset(12)), "all is hot");
    for offset in 0..12 {
        let items = vec![cold(0, offset, 1)];
        node.call(CallBody::Read {
            max_bytes: 1,
            items,
        });
        let Some(AnswerBody::Read(mut list)) = node.answers.pop().map(|a| a.body) else {
            panic!()
        };
        let done = list.pop().expect("one").result.expect("readable");
        let bytes = done.records.concat();
        let header = crate::batch::verify(&bytes).expect("a batch");
        assert_eq!(header.base_offset, Offset(offset));
        assert_eq!(header.total_bytes(), bytes.len(), "one batch");
        assert!(bytes.len() >= sizes[offset as usize % 6]);
    }
}
