//! Reads and watches of many partitions in which nothing is new: nothing is allocated for each of them.

use super::*;

fn partition(partition: i32) -> TopicPartition {
    TopicPartition { partition, ..TOPIC }
}

/// What a fetch that finds nothing allocates in the shard: it reads, watches, and is let go.
fn allocations(partitions: i32) -> u64 {
    let mut node = Node::new();
    for n in 1..partitions {
        node.shard
            .create_partition(partition(n), config(), LeaderEpoch(0));
    }
    node.settle();
    let reads = || -> Vec<ReadItem> {
        let item = |n: i32| ReadItem {
            slot: n as u32,
            partition: partition(n),
            offset: Offset(0),
            max_bytes: 1 << 20,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        };
        (0..partitions).map(item).collect()
    };
    let watches = || -> Vec<WatchItem> {
        let item = |n: i32| WatchItem {
            partition: partition(n),
            seen_end: Offset(0),
        };
        (0..partitions).map(item).collect()
    };
    let max_bytes = 1 << 20;
    let read = CallBody::Read {
        max_bytes,
        items: reads(),
    };
    let watch = CallBody::Watch {
        missing: 1,
        items: watches(),
    };
    let call = |body| Call {
        from: ShardId(0),
        request: RequestToken(1),
        body,
    };
    let mut out = ShardOut::default();
    let used = allocation_counter::measure(|| {
        for body in [read, watch, CallBody::Forget] {
            node.shard.call(node.now, call(body), &mut out);
        }
    });
    let [(_, answer)] = &out.answers[..] else {
        panic!("{:?}", out.answers)
    };
    let AnswerBody::Read(answers) = &answer.body else {
        panic!("{answer:?}")
    };
    assert_eq!(answers.len(), partitions as usize);
    used.count_total
}

#[test]
fn a_fetch_that_finds_nothing_allocates_nothing_for_each_partition() {
    let (few, many) = (allocations(10), allocations(1_000));
    assert!(
        many <= few + 10,
        "{few} allocations for 10 partitions, {many} for 1,000"
    );
}
