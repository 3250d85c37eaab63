//! Peers that leave their answers in the socket, or wait for more than comes: nothing of the log's memory is kept for
//! them.

use super::*;

/// Whether only the log itself has its batches.
fn released(rig: &Rig) -> bool {
    let mut logs = rig.workers.iter().flat_map(|w| w.storage().logs.values());
    logs.all(|log| log.iter().all(Bytes::is_unique))
}

#[test]
fn what_a_deaf_peer_was_sent_is_copied_and_comes_in_order() {
    let mut rig = Rig::new(1);
    let id = rig.topic("t", 2);
    let producer = rig.connect(0);
    for partition in 0..2 {
        let batches = produce("t", id, partition, batch(1, 0, 700 << 10));
        let _: ProduceResponse = rig.ask(producer, 0, 9, &batches);
    }
    let deaf = rig.connect(0);
    rig.peers.get_mut(&deaf).expect("known").deaf = true;
    // One is being sent, two wait behind it; then one waits for its time, and one is answered behind that.
    for correlation in 1..=3 {
        rig.send(deaf, 1, 12, correlation, &fetch("t", id, &[(0, 0), (1, 0)]));
    }
    let parked = FetchRequest {
        max_wait_ms: 60_000,
        ..fetch("t", id, &[(0, 1)])
    };
    rig.send(deaf, 1, 12, 4, &parked);
    rig.send(deaf, 1, 12, 5, &fetch("t", id, &[(1, 0)]));
    assert!(!released(&rig), "sent without a copy");
    rig.wait(999);
    assert!(!released(&rig), "a peer may take its time");
    rig.wait(1);
    assert!(released(&rig));
    // It reads again: every byte, in order, and what follows is not copied any more.
    rig.hear(deaf);
    let expected = [(0, 0, 61 + (700 << 10), 1), (1, 0, 61 + (700 << 10), 1)];
    for correlation in 1..=3 {
        let (number, answer) = rig.answer::<FetchResponse>(deaf, 1, 12);
        assert_eq!(number, correlation);
        assert_eq!(fetched(&answer), expected);
    }
    assert!(rig.try_answer::<FetchResponse>(deaf, 1, 12).is_none());
    rig.wait(60_000);
    let (number, answer) = rig.answer::<FetchResponse>(deaf, 1, 12);
    assert_eq!((number, fetched(&answer)), (4, vec![(0, 0, 0, 1)]));
    let (number, answer) = rig.answer::<FetchResponse>(deaf, 1, 12);
    assert_eq!((number, fetched(&answer)), (5, vec![expected[1]]));
    rig.peers.get_mut(&deaf).expect("known").deaf = true;
    rig.send(deaf, 1, 12, 6, &fetch("t", id, &[(1, 0)]));
    assert!(!released(&rig));
    rig.hear(deaf);
    assert!(released(&rig));
}

#[test]
fn a_peer_that_reads_is_looked_at_no_more() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    let _: ApiVersionsResponse = rig.ask(conn, 18, 3, &ApiVersionsRequest::default());
    rig.wait(1_000);
    let idle = rig.now.mono.after(std::time::Duration::from_secs(590));
    assert!(rig.workers[0].deadline().is_some_and(|at| at > idle));
}

#[test]
fn a_fetch_that_waits_for_more_holds_nothing_and_is_not_read_for_every_append() {
    for shards in [1, 2] {
        let mut rig = Rig::new(shards);
        let id = rig.topic("t", 4);
        let (conn, producer) = (rig.connect(0), rig.connect(0));
        let wants = |min_bytes| FetchRequest {
            min_bytes,
            max_wait_ms: 60_000,
            ..fetch("t", id, &[(0, 0), (1, 0), (2, 0), (3, 0)])
        };
        let append = |rig: &mut Rig, partition: i32| {
            let sent = produce("t", id, partition, batch(1, 0, 939));
            let _: ProduceResponse = rig.ask(producer, 0, 9, &sent);
        };
        let reads = |rig: &Rig| {
            let logs = rig.workers.iter().flat_map(|w| &w.storage().log);
            logs.filter(|line| line.starts_with("read")).count()
        };
        append(&mut rig, 0);
        let before = reads(&rig);
        rig.send(conn, 1, 12, 1, &wants(40_000));
        assert!(released(&rig), "parked with records");
        for round in 0..38 {
            append(&mut rig, round % 4);
            assert!(released(&rig), "parked with records");
        }
        assert!(rig.try_answer::<FetchResponse>(conn, 1, 12).is_none());
        append(&mut rig, 3);
        let (_, answer) = rig.answer::<FetchResponse>(conn, 1, 12);
        let bytes = fetched(&answer).iter().map(|part| part.2).sum::<usize>();
        assert_eq!(bytes, 40_000);
        let rounds = reads(&rig) - before;
        assert!(rounds <= 20, "{rounds} reads for 40 appends");
        // What is there when the time is over is the answer.
        rig.send(conn, 1, 12, 2, &wants(50_000));
        assert!(released(&rig));
        rig.wait(60_000);
        let (_, answer) = rig.answer::<FetchResponse>(conn, 1, 12);
        let bytes = fetched(&answer).iter().map(|part| part.2).sum::<usize>();
        assert_eq!(bytes, 40_000);
        let watches = rig.workers.iter().map(|w| w.storage().watches.len());
        assert_eq!(watches.sum::<usize>(), 0);
    }
}
