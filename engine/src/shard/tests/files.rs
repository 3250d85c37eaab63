//! Files and descriptors: used up, left open, left behind.

use std::time::Duration;

use super::*;

const OTHER: TopicPartition = TopicPartition {
    topic: TopicId([8; 16]),
    partition: 0,
};

fn append_to(
    node: &mut Node,
    partition: TopicPartition,
    records: Bytes,
) -> Result<Appended, AppendError> {
    let items = vec![AppendItem {
        slot: 0,
        partition,
        records,
    }];
    let acks = Acks::All;
    node.call(CallBody::Append { acks, items });
    let Some(AnswerBody::Appended(mut list)) = node.answers.pop().map(|a| a.body) else {
        panic!("not answered")
    };
    list.pop().expect("one answer").result
}

/// Segments that do not roll.
fn wide() -> PartitionConfig {
    PartitionConfig {
        segment_bytes: 8 << 20,
        rules: Rules {
            segment_bytes: 8 << 20,
            ..config().rules
        },
        ..config()
    }
}

#[test]
fn used_up_descriptors_refuse_what_needs_a_file_and_come_back() {
    const EMFILE: i32 = 24;
    const EDQUOT: i32 = 122;
    for errno in [EMFILE, EDQUOT, DiskError::NO_SPACE.errno] {
        let mut node = Node::new();
        node.disk.used_up = Some(errno);
        // The journal has room, its files are open: so many are taken, then none.
        let mut taken = 0;
        let refused = loop {
            match node.append(batch(1, 3_000, 1)) {
                Ok(_) => taken += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(refused, AppendError::Storage);
        assert!(taken > 20, "{taken}");
        node.disk.used_up = None;
        node.now.mono = node.shard.no_space_until.expect("it tries again");
        node.settle();
        for _ in 0..100 {
            node.append(batch(1, 3_000, 1)).expect("appended");
        }
        assert_eq!(node.read_all(Offset(0)).len(), taken + 100);
    }
}

#[test]
fn a_file_kept_for_straight_appends_is_closed_when_they_end() {
    let mut node = Node::new();
    node.shard.create_partition(OTHER, wide(), LeaderEpoch(0));
    let is_open = |node: &Node| {
        let directory = segment::directory(OTHER);
        node.disk
            .open
            .values()
            .any(|path| path.starts_with(&directory))
    };
    let busy = |node: &mut Node| {
        for _ in 0..100 {
            node.append(batch(1, 3_000, 1)).expect("appended");
        }
    };
    for round in 0..3 {
        for _ in 0..5 {
            append_to(&mut node, OTHER, batch(1, 20_000, 1)).expect("appended");
        }
        assert!(is_open(&node), "round {round}: kept for the next");
        busy(&mut node);
        busy(&mut node);
        assert!(is_open(&node), "round {round}: they may go on");
        node.now.mono = node.now.mono.after(Duration::from_secs(10));
        busy(&mut node);
        busy(&mut node);
        assert!(!is_open(&node), "round {round}: still open");
    }
    let mut node = Node::on(node.disk, &[TOPIC, OTHER]).expect("recovers");
    let appended = append_to(&mut node, OTHER, batch(1, 20_000, 1)).expect("appended");
    assert_eq!(appended.base_offset, Offset(15));
}

#[test]
fn files_stay_open_from_cycle_to_cycle_but_not_many_and_not_idle() {
    const MANY: i32 = 300;
    let mut node = Node::new();
    let of_many = |partition| TopicPartition { partition, ..OTHER };
    for partition in 0..MANY {
        node.shard
            .create_partition(of_many(partition), wide(), LeaderEpoch(0));
    }
    let open = |node: &Node| {
        let topic = OTHER.topic.to_string();
        let paths = node.disk.open.values();
        paths.filter(|path| path.contains(&topic)).count()
    };
    let busy = |node: &mut Node, partitions: i32| {
        for round in 0..MANY {
            let partition = of_many(round % partitions);
            append_to(node, partition, batch(1, 3_000, 1)).expect("appended");
        }
    };
    for _ in 0..3 {
        busy(&mut node, 2);
        assert_eq!(open(&node), 2, "kept for the next cycle");
    }
    for _ in 0..20 {
        busy(&mut node, MANY);
        assert!(open(&node) <= 256, "{} are open", open(&node));
    }
    assert!(open(&node) > 100, "{} are open", open(&node));
    // The first cycle then still writes what came before.
    for _ in 0..2 {
        node.now.mono = node.now.mono.after(Duration::from_secs(10));
        busy(&mut node, 2);
        busy(&mut node, 2);
    }
    assert_eq!(open(&node), 2, "the others were closed");
}

#[test]
fn a_deleted_topic_leaves_nothing_not_even_what_nobody_remembers() {
    let mut node = Node::new();
    for partition in 0..3 {
        let id = TopicPartition { partition, ..OTHER };
        node.shard.create_partition(id, config(), LeaderEpoch(0));
        append_to(&mut node, id, batch(1, 20_000, 1)).expect("appended");
    }
    for _ in 0..100 {
        node.append(batch(1, 3_000, 1)).expect("appended");
    }
    let orphan = format!("{}/00000000000000000777.log", segment::directory(OTHER));
    node.disk.files.insert(orphan, vec![0; 4096]);
    let of_other = |node: &Node| {
        let names = node.disk.files.keys();
        names
            .filter(|name| name.contains(&OTHER.topic.to_string()))
            .count()
    };
    assert!(of_other(&node) > 1);
    let mut out = ShardOut::default();
    node.shard.delete_topic(OTHER.topic, &mut out);
    node.settle();
    assert_eq!(of_other(&node), 0);
    assert_eq!(
        append_to(&mut node, OTHER, batch(1, 1, 1)),
        Err(AppendError::UnknownPartition)
    );
    node.append(batch(1, 3_000, 1)).expect("appended");
}
