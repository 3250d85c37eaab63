//! Partitions that answer before the flush, and are flushed by count or by time all the same.

use std::time::Duration;

use super::*;

fn with_rule(flush: FlushRule) -> Node {
    let mut node = Node::new();
    let config = PartitionConfig {
        durability: Durability::Process,
        flush,
        ..config()
    };
    node.shard.configure_partition(TOPIC, config);
    node
}

impl Node {
    /// How many flushes an append leads to.
    fn flushes_of(&mut self, records: Bytes) -> usize {
        let before = self.disk.flushes;
        self.append(records).expect("acknowledged");
        self.disk.flushes - before
    }
}

#[test]
fn without_a_rule_nothing_is_flushed_for_time_or_count() {
    let mut node = with_rule(FlushRule::NEVER);
    // Fewer groups than memory asks to be flushed for.
    for _ in 0..10 {
        assert_eq!(node.flushes_of(batch(5, 10, 1)), 0);
    }
    assert_eq!(node.shard.flush_at, None);
}

#[test]
fn an_idle_partition_is_flushed_when_its_time_is_over() {
    let mut node = with_rule(FlushRule {
        after: Some(Duration::from_millis(1000)),
        ..FlushRule::NEVER
    });
    assert_eq!(node.flushes_of(batch(1, 10, 1)), 0);
    let first = node.now.mono;
    node.now.mono = first.after(Duration::from_millis(600));
    // A second one, straight, with bytes of its own to flush.
    node.append(batch(1, 20_000, 1)).expect("acknowledged");
    let due = first.after(Duration::from_millis(1000));
    assert_eq!(node.shard.flush_at, Some(due), "from the first");
    node.now.mono = due;
    node.settle();
    let journal = &node.shard.journal;
    assert_eq!(journal.flushed_all(), journal.open_seq());
    assert_eq!(node.shard.flush_at, None);
    let before = node.disk.flushes;
    node.settle();
    assert_eq!(node.disk.flushes, before);
}

#[test]
fn so_many_records_are_not_left_unflushed() {
    let mut node = with_rule(FlushRule {
        messages: 10,
        ..FlushRule::NEVER
    });
    for round in 0..3 {
        for step in 1..=4 {
            let flushes = node.flushes_of(batch(3, 10, 1));
            assert_eq!(flushes > 0, step == 4, "round {round}, step {step}");
        }
        let journal = &node.shard.journal;
        assert_eq!(journal.flushed_all(), journal.open_seq());
    }
}

#[test]
fn segments_roll_at_times_of_their_own() {
    let mut ages = Vec::new();
    for number in 0..20 {
        let id = TopicPartition {
            partition: number,
            ..TOPIC
        };
        let config = PartitionConfig {
            segment_ms: 1000,
            segment_jitter_ms: 400,
            ..config()
        };
        let mut p = Partition::new(id, config, LeaderEpoch(0));
        p.active_mut().end = 1;
        p.active_mut().rolling_ms = Some(0);
        let rolls = |age: &i64| p.roll_for(1, *age, 0);
        let age = (0..2000).find(rolls).expect("it rolls");
        assert!((601..=1001).contains(&age), "{age}");
        ages.push(age);
    }
    ages.sort_unstable();
    ages.dedup();
    assert!(ages.len() > 10, "{ages:?}");
}
