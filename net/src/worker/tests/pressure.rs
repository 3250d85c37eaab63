//! Stories of clients that announce, hold back, drip, park, leave half-way or never read: nobody else goes without.

use std::time::Duration;

use bytes::BytesMut;
use corelane_engine::controller::command::Record;

use super::*;
use crate::conn::SLOTS_MAX;
use crate::context::authorize_all;

fn rig(limits: NetLimits) -> Rig {
    Rig::with(1, authorize_all, limits)
}

fn small(small_bytes_max: usize) -> NetLimits {
    NetLimits {
        small_bytes_max,
        ..NetLimits::NORMAL
    }
}

fn large(large_bytes_max: usize) -> NetLimits {
    NetLimits {
        large_bytes_max,
        ..NetLimits::NORMAL
    }
}

/// Two minutes, in steps.
fn wait_patiently(rig: &mut Rig) {
    (0..24).for_each(|_| rig.wait(5_000));
}

fn is_served(rig: &mut Rig, conn: ConnId) -> bool {
    rig.send(conn, 18, 0, 1, &ApiVersionsRequest::default());
    rig.try_answer::<ApiVersionsResponse>(conn, 18, 0).is_some()
}

/// A fetch that waits as long as a client may ask, `bytes` long.
fn patient(id: TopicId, correlation: i32, bytes: usize) -> Vec<u8> {
    let message = FetchRequest {
        max_wait_ms: i32::MAX,
        max_bytes: 1,
        rack_id: "r".repeat(bytes).as_str().into(),
        ..fetch("t", id, &[(0, 0)])
    };
    request(1, 12, correlation, &message)
}

#[test]
fn sizes_announced_and_not_sent_starve_nobody() {
    let mut rig = rig(small(1 << 20));
    let announce = |rig: &mut Rig, count| {
        for _ in 0..count {
            let conn = rig.connect(0);
            rig.write(conn, &[0, 1, 0, 0, 7]);
        }
    };
    // Four times the budget, as far as announcements go.
    announce(&mut rig, 64);
    let healthy = rig.connect(0);
    assert!(
        is_served(&mut rig, healthy),
        "what did not come is not charged"
    );
    announce(&mut rig, 500);
    let healthy = rig.connect(0);
    assert!(!is_served(&mut rig, healthy), "so many take all there is");
    wait_patiently(&mut rig);
    assert!(
        rig.try_answer::<ApiVersionsResponse>(healthy, 18, 0)
            .is_some(),
        "but not for ever"
    );
}

#[test]
fn parked_fetches_starve_nobody_and_the_oldest_give_way() {
    let limits = NetLimits {
        parked_bytes_max: 2 << 20,
        ..small(1 << 20)
    };
    let mut rig = rig(limits);
    let id = rig.topic("t", 1);
    let conns: Vec<ConnId> = (0..4).map(|_| rig.connect(0)).collect();
    for &conn in &conns {
        for n in 0..SLOTS_MAX as i32 {
            rig.write(conn, &patient(id, n, 16 << 10));
        }
    }
    let healthy = rig.connect(0);
    assert!(is_served(&mut rig, healthy), "4 MiB of fetches only wait");
    assert!(rig.workers[0].buffers.parked() <= 2 << 20);
    let (_, oldest) = rig.answer::<FetchResponse>(conns[0], 1, 12);
    assert_eq!(fetched(&oldest), [(0, 0, 0, 0)], "it made room");
    assert!(
        rig.peers[&conns[3]].answers.is_empty(),
        "the youngest still wait"
    );
    let _: ProduceResponse = rig.ask(healthy, 0, 9, &produce("t", id, 0, batch(1, 0, 0)));
    assert_eq!(rig.workers[0].buffers.parked(), 0, "woken, every one");
    for conn in conns {
        rig.event_closed(conn);
        assert!(rig.closed(conn));
    }
    assert_eq!(rig.workers[0].buffers.charged(), 0);
}

/// A frame is held until its connection is idle; its connection is parked for weeks.
#[test]
fn a_held_frame_starves_nobody_for_ever() {
    let mut rig = rig(small(60 << 10));
    let id = rig.topic("t", 1);
    for _ in 0..2 {
        let conn = rig.connect(0);
        rig.write(conn, &patient(id, 1, 0));
        let create = CreateTopicsRequest {
            topics: vec![new_topic(&"x".repeat(32_700), 1, 1)],
            ..CreateTopicsRequest::default()
        };
        rig.send(conn, 19, 5, 2, &create);
    }
    let healthy = rig.connect(0);
    assert!(!is_served(&mut rig, healthy), "two held frames take all");
    wait_patiently(&mut rig);
    assert!(
        rig.try_answer::<ApiVersionsResponse>(healthy, 18, 0)
            .is_some(),
        "what kept them was made to end"
    );
}

#[test]
fn a_parked_fetch_holds_no_receive_buffer() {
    let mut rig = rig(NetLimits::NORMAL);
    let id = rig.topic("t", 1);
    let conn = rig.connect(0);
    let mut chunk = BytesMut::with_capacity(64 << 10);
    rig.write_from(conn, &mut chunk, &patient(id, 1, 0));
    assert!(rig.try_answer::<FetchResponse>(conn, 1, 12).is_none());
    assert!(
        chunk.try_reclaim(64 << 10),
        "somebody still holds a slice of it"
    );
}

#[test]
fn a_byte_now_and_then_keeps_no_memory() {
    let mut rig = rig(large(4 << 20));
    let id = rig.topic("t", 1);
    let hostile: Vec<ConnId> = (0..8).map(|_| rig.connect(0)).collect();
    for &conn in &hostile {
        rig.write(conn, &[0x06, 0x40, 0, 0, 0]);
    }
    let conn = rig.connect(0);
    let large = request(0, 9, 1, &produce("t", id, 0, batch(1, 0, 2 << 20)));
    rig.write(conn, &large);
    assert!(rig.try_answer::<ProduceResponse>(conn, 0, 9).is_none());
    for _ in 0..10 {
        rig.wait(19_000);
        for &conn in &hostile {
            if !rig.closed(conn) {
                rig.write(conn, &[0]);
            }
        }
    }
    let (_, answer) = rig.answer::<ProduceResponse>(conn, 0, 9);
    assert_eq!(code(&answer), (0, 0));
}

/// Half frames hold all memory, and one of them at a time gets more. That one comes at a pace that may not be refused,
/// the others only wait for it: they are worth nothing to anybody.
#[test]
fn half_frames_that_wait_for_each_other_are_given_up() {
    let mut rig = rig(large(16 << 20));
    let id = rig.topic("t", 1);
    let hostile: Vec<ConnId> = (0..8).map(|_| rig.connect(0)).collect();
    for &conn in &hostile {
        rig.write(conn, &[0, 0xf0, 0, 0]);
        rig.write(conn, &vec![0; 2 << 20]);
    }
    let conn = rig.connect(0);
    let large = request(0, 9, 1, &produce("t", id, 0, batch(1, 0, 2 << 20)));
    rig.write(conn, &large);
    assert!(rig.try_answer::<ProduceResponse>(conn, 0, 9).is_none());
    for _ in 0..24 {
        rig.wait(5_000);
        for &conn in &hostile {
            if !rig.closed(conn) {
                rig.write(conn, &[0; 400 << 10]);
            }
        }
    }
    let (_, answer) = rig.answer::<ProduceResponse>(conn, 0, 9);
    assert_eq!(code(&answer), (0, 0));
    let open = hostile.iter().filter(|&&conn| !rig.closed(conn)).count();
    assert_eq!(open, 1, "the one that comes");
}

/// Its answers wait for it to read, so the broker does not read its half frame on: that is not its silence.
#[test]
fn a_connection_that_is_not_read_is_not_blamed() {
    let mut rig = rig(large(6 << 20));
    let id = rig.topic("t", 1);
    let (slow, writer) = (rig.connect(0), rig.connect(0));
    rig.peers.get_mut(&slow).expect("known").deaf = true;
    let ask = FetchRequest {
        max_wait_ms: 1_000_000,
        ..fetch("t", id, &[(0, 0)])
    };
    rig.send(slow, 1, 12, 1, &ask);
    let whole = request(0, 9, 2, &produce("t", id, 0, batch(1, 0, 2 << 20)));
    rig.write(slow, &whole[..100]);
    let _: ProduceResponse = rig.ask(writer, 0, 9, &produce("t", id, 0, batch(1, 0, 5 << 20)));
    rig.write(slow, &whole[100..200]);
    assert!(!rig.peers[&slow].sending.is_empty(), "5 MiB wait for it");
    let silent: Vec<ConnId> = (0..8).map(|_| rig.connect(0)).collect();
    for &conn in &silent {
        rig.write(conn, &[0x06, 0x40, 0, 0, 0]);
    }
    wait_patiently(&mut rig);
    assert!(silent.iter().any(|&conn| rig.closed(conn)));
    assert!(!rig.closed(slow));
    rig.hear(slow);
    let _ = rig.answer::<FetchResponse>(slow, 1, 12);
    rig.write(slow, &whole[200..]);
    wait_patiently(&mut rig);
    assert_eq!(code(&rig.answer::<ProduceResponse>(slow, 0, 9).1), (0, 1));
}

#[test]
fn every_starved_connection_is_looked_at_again() {
    let mut rig = rig(small(32 << 10));
    let id = rig.topic("t", 1);
    let holder = rig.connect(0);
    hold(&mut rig, true);
    rig.send(holder, 0, 9, 1, &produce("t", id, 0, batch(1, 0, 40 << 10)));
    let starved: Vec<ConnId> = (0..100).map(|_| rig.connect(0)).collect();
    for &conn in &starved {
        assert!(!is_served(&mut rig, conn));
    }
    hold(&mut rig, false);
    for conn in starved {
        assert!(
            rig.try_answer::<ApiVersionsResponse>(conn, 18, 0).is_some(),
            "{conn:?}: there was room, and nobody asked again"
        );
    }
}

#[test]
fn a_produce_that_timed_out_is_charged_until_storage_lets_go() {
    let mut rig = rig(NetLimits::NORMAL);
    let id = rig.topic("t", 1);
    let (conn, gone) = (rig.connect(0), rig.connect(0));
    hold(&mut rig, true);
    for conn in [conn, gone] {
        for n in 0..SLOTS_MAX as i32 {
            rig.send(conn, 0, 9, n, &produce("t", id, 0, batch(1, 0, 0)));
        }
    }
    rig.wait(30_000);
    for n in 0..SLOTS_MAX as i32 {
        let (answered, answer) = rig.answer::<ProduceResponse>(conn, 0, 9);
        assert_eq!((answered, code(&answer)), (n, (7, -1)));
    }
    let charged = rig.workers[0].buffers.charged();
    assert!(
        charged > 128 * 61,
        "storage holds 128 batches, charged {charged}"
    );
    assert!(!is_served(&mut rig, conn), "its slots are taken still");
    rig.event_closed(gone);
    assert_eq!(rig.workers[0].buffers.charged(), charged);
    hold(&mut rig, false);
    assert!(rig.try_answer::<ApiVersionsResponse>(conn, 18, 0).is_some());
    assert_eq!(rig.workers[0].buffers.charged(), 0);
    let answer: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 0, batch(1, 0, 0)));
    assert_eq!(code(&answer), (0, 128), "it had happened, late");
}

#[test]
fn who_has_said_everything_still_hears_the_answers() {
    let mut rig = rig(NetLimits::NORMAL);
    let id = rig.topic("t", 1);
    let conn = rig.connect(0);
    hold(&mut rig, true);
    let mut stream = request(0, 9, 1, &produce("t", id, 0, batch(1, 0, 0)));
    stream.extend(request(18, 0, 2, &ApiVersionsRequest::default()));
    // More requests than slots, and half of one more.
    for n in 3..100 {
        stream.extend(request(18, 0, n, &ApiVersionsRequest::default()));
    }
    stream.extend([0, 0, 0, 9, 1]);
    rig.write(conn, &stream);
    rig.event_closed(conn);
    assert!(!rig.closed(conn), "the produce is under way");
    rig.peers.get_mut(&conn).expect("known").deaf = true;
    hold(&mut rig, false);
    assert!(!rig.closed(conn), "the answers are on their way");
    rig.hear(conn);
    assert_eq!(code(&rig.answer::<ProduceResponse>(conn, 0, 9).1), (0, 0));
    for n in 2..100 {
        assert_eq!(rig.answer::<ApiVersionsResponse>(conn, 18, 0).0, n);
    }
    assert!(rig.closed(conn));

    let conn = rig.connect(0);
    rig.write(conn, &patient(id, 1, 0));
    let beyond = FetchRequest {
        max_wait_ms: i32::MAX,
        ..fetch("t", id, &[(0, 1)])
    };
    let other = rig.connect(0);
    rig.send(other, 1, 12, 5, &beyond);
    rig.event_closed(other);
    let (n, answer) = rig.answer::<FetchResponse>(other, 1, 12);
    assert_eq!((n, fetched(&answer)), (5, vec![(0, 0, 0, 1)]), "at once");
    assert!(rig.closed(other));
    let more = FetchRequest {
        max_wait_ms: i32::MAX,
        min_bytes: 1_000,
        ..fetch("t", id, &[(0, 0)])
    };
    let other = rig.connect(0);
    rig.send(other, 1, 12, 6, &more);
    assert!(rig.try_answer::<FetchResponse>(other, 1, 12).is_none());
    rig.event_closed(other);
    let (_, answer) = rig.answer::<FetchResponse>(other, 1, 12);
    assert_eq!(
        fetched(&answer),
        [(0, 0, 61, 1)],
        "too little, but read again"
    );
    assert!(rig.workers[0].storage_mut().watches.is_empty());
    assert_eq!(rig.workers[0].buffers.charged(), 0);
}

#[test]
fn who_is_silent_for_too_long_is_forgotten() {
    let limits = NetLimits {
        idle_max: Duration::from_secs(600),
        ..NetLimits::NORMAL
    };
    let mut rig = rig(limits);
    let (idle, busy) = (rig.connect(0), rig.connect(0));
    let half = rig.connect(0);
    rig.write(half, &[0, 0, 1, 0, 7]);
    for _ in 0..5 {
        rig.wait(599_000);
        assert!(is_served(&mut rig, busy));
    }
    assert!(rig.closed(idle) && rig.closed(half));
    assert!(!rig.closed(busy));
    rig.wait(599_999);
    assert!(!rig.closed(busy));
    rig.wait(1);
    assert!(rig.closed(busy), "ten minutes after its last answer");
    assert_eq!(rig.workers[0].buffers.charged(), 0);
}

#[test]
fn a_fetch_whose_partition_holds_more_than_it_may_give_does_not_wait() {
    let mut rig = rig(NetLimits::NORMAL);
    let id = rig.topic("t", 2);
    let conn = rig.connect(0);
    for _ in 0..10 {
        let _: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 0, batch(2, 0, 939)));
    }
    let ask = |min_bytes, partition_max_bytes| {
        let mut message = FetchRequest {
            min_bytes,
            ..fetch("t", id, &[(1, 0), (0, 0)])
        };
        for partition in &mut message.topics[0].partitions {
            partition.partition_max_bytes = partition_max_bytes;
        }
        message
    };
    let answer: FetchResponse = rig.ask(conn, 1, 12, &ask(5_000, 2_500));
    assert_eq!(
        fetched(&answer),
        [(1, 0, 0, 0), (0, 0, 2_000, 20)],
        "the rest could not be in this answer however long it waits"
    );
    rig.send(conn, 1, 12, 1, &ask(100_000, 50_000));
    assert!(
        rig.try_answer::<FetchResponse>(conn, 1, 12).is_none(),
        "all there is was read: more may come"
    );
    rig.wait(500);
    let (_, answer) = rig.answer::<FetchResponse>(conn, 1, 12);
    assert_eq!(fetched(&answer), [(1, 0, 0, 0), (0, 0, 10_000, 20)]);
}

#[test]
fn the_cluster_id_is_that_of_the_image() {
    let mut rig = rig(NetLimits::NORMAL);
    let conn = rig.connect(0);
    let record = Record::Cluster { id: [7; 16] };
    rig.workers[0].image_mut().apply(&record).expect("sound");
    let answer: MetadataResponse = rig.ask(conn, 3, 9, &MetadataRequest::default());
    assert_eq!(
        answer.cluster_id.as_deref(),
        Some(&*Uuid([7; 16]).to_string()),
        "committed after the worker was made, as on the first start"
    );
}

#[test]
fn one_request_creates_so_many_topics_and_no_more() {
    let mut rig = rig(NetLimits::NORMAL);
    let conn = rig.connect(0);
    let ask = |count: usize| MetadataRequest {
        topics: Some((0..count).map(|n| named(&format!("n{n}"))).collect()),
        allow_auto_topic_creation: true,
        ..MetadataRequest::default()
    };
    let answer: MetadataResponse = rig.ask(conn, 3, 9, &ask(10_001));
    assert_eq!(answer.topics.len(), 10_001);
    assert!(answer.topics.iter().all(|t| t.error_code == 3));
    assert_eq!(rig.workers[0].image_mut().topics().count(), 0);
    let answer: MetadataResponse = rig.ask(conn, 3, 9, &ask(100));
    assert!(answer.topics.iter().all(|t| t.error_code == 0));
}

fn only_describe(_: &RequestContext, what: Operation, _: Resource<'_>) -> bool {
    what == Operation::Describe
}

/// Each missing name was looked for among all that were refused: a frame of 4 MB kept a shard busy for a minute.
#[test]
fn many_names_that_may_not_be_created_are_answered_at_once() {
    let mut rig = Rig::with(1, only_describe, NetLimits::NORMAL);
    let conn = rig.connect(0);
    let message = MetadataRequest {
        topics: Some((0..300_000).map(|n| named(&format!("name-{n}"))).collect()),
        allow_auto_topic_creation: true,
        ..MetadataRequest::default()
    };
    let answer: MetadataResponse = rig.ask(conn, 3, 9, &message);
    assert_eq!(answer.topics.len(), 300_000);
    assert!(answer.topics.iter().all(|t| t.error_code == 29));
}
