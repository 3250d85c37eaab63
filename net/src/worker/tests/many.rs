//! Fetches of many partitions without a session: what is allocated for them hardly follows their number.

use super::*;

/// What the second of two equal fetches allocates, to its answer.
fn allocations(topics: usize, partitions: i32, wait_ms: i32) -> u64 {
    let mut rig = Rig::new(1);
    let names: Vec<String> = (0..topics).map(|n| format!("topic-{n}")).collect();
    let topics = names.iter().map(|name| {
        let id = rig.topic(name, partitions);
        let all: Vec<(i32, i64)> = (0..partitions).map(|partition| (partition, 0)).collect();
        fetch(name, id, &all).topics.remove(0)
    });
    let message = FetchRequest {
        topics: topics.collect(),
        max_wait_ms: wait_ms,
        session_epoch: -1,
        ..fetch("", TopicId::ZERO, &[])
    };
    let conn = rig.connect(0);
    let frame = request(1, 11, 1, &message);
    let mut ask = || {
        rig.write(conn, &frame);
        rig.wait(1_000);
    };
    ask();
    let used = allocation_counter::measure(ask);
    for _ in 0..2 {
        let answer = rig.answer::<FetchResponse>(conn, 1, 11).1;
        let answered = answer.responses.iter().map(|t| t.partitions.len());
        assert_eq!(answered.sum::<usize>(), names.len() * partitions as usize);
    }
    used.count_total
}

#[test]
fn a_fetch_of_many_partitions_allocates_little_for_each() {
    for wait_ms in [0, 500] {
        let (few, many) = (allocations(1, 100, wait_ms), allocations(1, 1_000, wait_ms));
        // Lists that grow by doubling.
        assert!(
            many < few + 100,
            "{few} allocations for 100 partitions, {many} for 1,000, waiting {wait_ms} ms"
        );
        let topics = allocations(100, 10, wait_ms);
        assert!(
            topics < many + 100 * 10,
            "{topics} allocations for 100 topics of 10, {many} for one"
        );
    }
}

/// One of a thousand that is asked for twice is read once: as the last said, where the first was.
#[test]
fn a_partition_that_is_asked_for_twice_is_answered_once() {
    let mut rig = Rig::new(1);
    let id = rig.topic("t", 4);
    rig.topic("u", 4);
    let conn = rig.connect(0);
    let _: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 2, batch(3, 0, 9)));
    let mut message = FetchRequest {
        session_epoch: -1,
        max_wait_ms: 0,
        ..fetch("t", id, &[(1, 0), (2, 3), (3, 0)])
    };
    let again = fetch("t", id, &[(2, 0), (0, 0)]).topics.remove(0);
    let other = fetch("u", id, &[(2, 0)]).topics.remove(0);
    message.topics.extend([other, again]);
    let answer: FetchResponse = rig.ask(conn, 1, 11, &message);
    let partitions = answer.responses.iter().flat_map(|topic| {
        topic.partitions.iter().map(|p| {
            let records = p.records.as_ref().is_some_and(|r| !r.is_empty());
            (&topic.topic[..], p.partition_index, records)
        })
    });
    assert_eq!(
        partitions.collect::<Vec<_>>(),
        [
            ("t", 1, false),
            ("t", 2, true),
            ("t", 3, false),
            ("u", 2, false),
            ("t", 0, false)
        ]
    );
}
