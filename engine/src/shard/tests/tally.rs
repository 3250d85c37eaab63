//! What is counted of appends: what was taken, once, under the topic it belongs to.

use super::super::tally::{ROWS_A_PIECE, Volume};
use super::*;

fn volume(bytes: usize, records: u64) -> Volume {
    Volume {
        bytes: bytes as u64,
        records,
    }
}

#[test]
fn what_is_taken_is_counted_once() {
    let mut node = Node::new();
    let (small, large) = (batch(3, 10, 1), batch(2, 9_000, 2));
    node.append(small.clone()).expect("taken");
    node.append(large.clone()).expect("taken");
    node.append(batch(1, 2 << 20, 3)).expect_err("too large");
    let by_producer = |sequence| {
        BatchBuilder::new()
            .producer(7, 0, sequence)
            .value(Timestamp(1), b"x")
            .build()
    };
    node.append(by_producer(0)).expect("taken");
    node.append(by_producer(0)).expect("a duplicate is told so");
    node.append(by_producer(9)).expect_err("out of order");

    let bytes = small.len() + large.len() + by_producer(0).len();
    let numbers = node.shard.numbers();
    assert_eq!(numbers.appended, volume(bytes, 6));
    assert_eq!((numbers.batches, numbers.partitions), (3, 1));
    assert!(numbers.groups >= 3 && numbers.group_bytes >= numbers.groups * 4096);
    let rows = node.shard.appended_from(0).rows;
    assert_eq!(rows, [(TOPIC.topic, volume(bytes, 6))]);

    // What was appended in an earlier life is not: counters begin with the process.
    let mut node = node.restart();
    assert_eq!(node.shard.numbers().appended, Volume::default());
    node.append(batch(1, 10, 4)).expect("taken");
    let rows = node.shard.appended_from(0).rows;
    assert_eq!((rows.len(), rows[0].1.records), (1, 1));

    // A deleted topic has no row; the total only grows.
    let total = node.shard.numbers().appended;
    let mut out = ShardOut::default();
    node.shard.delete_topic(TOPIC.topic, &mut out);
    assert_eq!(node.shard.appended_from(0).rows, []);
    assert_eq!(node.shard.numbers().appended, total);
}

/// Work is counted, not time: however many partitions there are, a look copies a bounded piece.
#[test]
fn a_look_at_5000_partitions_is_a_bounded_piece_each_time() {
    let mut node = Node::new();
    let topic = |n: u16| {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        TopicId(id)
    };
    for n in 0..4_999 {
        let id = TopicPartition {
            topic: topic(n),
            partition: 0,
        };
        node.shard.create_partition(id, config(), LeaderEpoch(0));
    }
    let (mut from, mut looks, mut seen) = (Some(0), 0, 0);
    while let Some(place) = from {
        let piece = node.shard.appended_from(place);
        assert!(piece.rows.len() <= ROWS_A_PIECE);
        seen += piece.rows.len();
        looks += 1;
        from = piece.next;
    }
    assert_eq!((seen, looks), (5_000, 5_000usize.div_ceil(ROWS_A_PIECE)));
}
