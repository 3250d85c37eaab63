//! The disk is finite: clients are refused before it is full, the rest goes on, and a stop does not wait for space.

use std::time::Duration;

use super::*;

const KIB: u64 = 1 << 10;

impl Node {
    /// A node whose disk has so much room beside what is there.
    fn with_room(room: u64) -> Node {
        let mut node = Node::new();
        let used: usize = node.disk.files.values().map(Vec::len).sum();
        node.disk.room = Some(used as u64 + room);
        node.settle();
        node
    }

    /// A second passes: the disk is measured where it is due.
    fn second(&mut self) {
        self.now.mono = self.now.mono.after(Duration::from_secs(1));
        self.settle();
    }

    /// As the coordinator of groups appends.
    fn append_internal(&mut self, records: Bytes) -> Result<Appended, AppendError> {
        let items = vec![AppendItem {
            slot: 0,
            partition: TOPIC,
            records,
        }];
        let call = Call {
            from: ShardId(0),
            request: RequestToken(0),
            body: CallBody::Append {
                acks: Acks::All,
                items,
            },
        };
        let mut out = ShardOut::default();
        self.shard.call_internal(self.now, call, &mut out);
        self.answers
            .extend(out.answers.into_iter().map(|(_, answer)| answer));
        self.settle();
        let answer = self.answers.pop().expect("answered");
        let AnswerBody::Appended(mut list) = answer.body else {
            panic!("{answer:?}")
        };
        list.pop().expect("one answer").result
    }
}

#[test]
fn clients_are_refused_before_the_disk_is_full_and_go_on_by_themselves() {
    let mut node = Node::with_room(1_000 * KIB);
    let mut taken = 0;
    let refused = loop {
        match node.append(batch(1, 3_000, 1)) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        if taken % 10 == 0 {
            node.second();
        }
    };
    let AppendError::DiskFull { free, resume } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(resume, 80 * KIB);
    assert!(free < 64 * KIB && free > 16 * KIB, "{free}");
    assert!(taken > 100, "{taken}");
    assert_eq!(
        node.shard.no_space_until, None,
        "the disk never said so itself"
    );
    // What was accepted finds its place, and is read; the coordinator goes on for a while, and then not.
    assert_eq!(node.read_all(Offset(0)).len(), taken);
    let mut internal = 0;
    while node.append_internal(batch(1, 100, 1)).is_ok() {
        internal += 1;
        assert!(internal < 1_000);
    }
    assert!(internal >= 4, "{internal}");
    assert!(node.shard.room().free_bytes < 32 * KIB);
    assert_eq!(node.shard.no_space_until, None);
    // A little more room is not enough, a quarter more is; nobody asks, time passes.
    let full = node.disk.room.expect("bounded");
    let missing = 80 * KIB - node.shard.room().free_bytes;
    node.disk.room = Some(full + missing - 8 * KIB);
    node.second();
    assert!(node.shard.room().refusing, "{:?}", node.shard.room());
    node.disk.room = Some(full + missing + 8 * KIB);
    let deadline = node.shard.deadline().expect("it looks again");
    assert!(deadline <= node.now.mono.after(Duration::from_secs(1)));
    node.second();
    assert!(!node.shard.room().refusing, "{:?}", node.shard.room());
    node.append(batch(1, 3_000, 1)).expect("appended");
    assert!(node.shard.room().refused > 0);
    let mut node = node.restart();
    assert_eq!(node.read_all(Offset(0)).len(), taken + internal + 1);
}

#[test]
fn another_who_fills_the_disk_is_noticed_and_a_deleted_topic_makes_room() {
    let mut node = Node::with_room(1_000 * KIB);
    let other = TopicPartition {
        topic: TopicId([8; 16]),
        partition: 0,
    };
    node.shard.create_partition(other, config(), LeaderEpoch(0));
    for _ in 0..100 {
        let items = vec![AppendItem {
            slot: 0,
            partition: other,
            records: batch(1, 3_000, 1),
        }];
        let acks = Acks::None;
        node.call(CallBody::Append { acks, items });
    }
    node.append(batch(1, 100, 1)).expect("appended");
    node.disk.files.insert("another".into(), vec![0; 700_000]);
    node.append(batch(1, 100, 1)).expect("not known yet");
    node.second();
    assert!(node.shard.room().refusing, "{:?}", node.shard.room());
    let mut out = ShardOut::default();
    node.shard.delete_topic(other.topic, &mut out);
    node.settle();
    // No second has to pass: files that go are a reason to look.
    assert!(!node.shard.room().refusing, "{:?}", node.shard.room());
    node.append(batch(1, 100, 1)).expect("appended");
}

#[test]
fn a_repeated_batch_is_acknowledged_where_new_ones_are_refused() {
    let mut node = Node::with_room(1_000 * KIB);
    let by = |sequence| {
        let batch = BatchBuilder::new().producer(7, 0, sequence);
        batch.value(Timestamp(1), b"once").build()
    };
    let first = node.append(by(0)).expect("appended");
    node.disk.files.insert("another".into(), vec![0; 1_000_000]);
    node.second();
    let again = node.append(by(0)).expect("a duplicate");
    assert_eq!(again.base_offset, first.base_offset);
    let refused = node.append(by(1));
    assert!(matches!(refused, Err(AppendError::DiskFull { .. })));
    node.disk.files.remove("another");
    node.second();
    node.append(by(1)).expect("in order");
}

#[test]
fn a_stop_on_a_full_disk_ends_and_nothing_is_lost() {
    let mut node = Node::new();
    for _ in 0..30 {
        node.append(batch(1, 3_000, 1)).expect("appended");
    }
    let used: usize = node.disk.files.values().map(Vec::len).sum();
    node.disk.room = Some(used as u64);
    node.shard.stop();
    for _ in 0..3 {
        node.settle();
        node.now.mono = node.now.mono.after(Duration::from_secs(1));
    }
    assert!(node.shard.stopped(), "{:?}", node.shard.cycle);
    assert!(!node.shard.stopped_clean());
    let mut node = node.restart();
    assert_eq!(node.read_all(Offset(0)).len(), 30);
    // With room again the next stop is clean.
    node.disk.room = None;
    node.shard.stop();
    node.settle();
    assert!(node.shard.stopped_clean());
    let mut node = node.restart();
    assert_eq!(node.read_all(Offset(0)).len(), 30);
}
