//! What a worker counts of its requests, under fake storage.

use std::time::Duration;

use corelane_engine::shard::tally::Volume;
use corelane_engine::types::TopicId;

use super::fake::{Rig, batch, framed};
use crate::api::Api;
use crate::event::{ConnId, Machine};
use crate::metrics::{ApiTally, Class, NAMES_A_PIECE, Numbers, Question, Sample};
use crate::protocol::api_versions_request::ApiVersionsRequest;
use crate::protocol::api_versions_response::ApiVersionsResponse;
use crate::protocol::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use crate::protocol::fetch_response::FetchResponse;
use crate::protocol::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use crate::protocol::produce_response::ProduceResponse;

fn produce(topic: &str, acks: i16) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 1000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            partition_data: vec![PartitionProduceData {
                index: 0,
                records: Some(batch(3, 0, 39).into()),
            }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

fn fetch(topic: &str, max_bytes: i32, min_bytes: i32) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 500,
        min_bytes,
        max_bytes,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.into(),
            partitions: vec![FetchPartition {
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

fn numbers(rig: &Rig) -> Numbers {
    match rig.workers[0].sample(&Question::Numbers) {
        Sample::Numbers(numbers) => *numbers,
        other => panic!("{other:?}"),
    }
}

fn tally(rig: &Rig, api: &str) -> ApiTally {
    let numbers = numbers(rig);
    let found = numbers.tally.apis().find(|(name, _)| *name == api);
    found.map(|(_, tally)| *tally).unwrap_or_default()
}

fn fetched(rig: &Rig) -> Vec<(TopicId, Volume)> {
    match rig.workers[0].sample(&Question::Fetched(0)) {
        Sample::Fetched(piece) => piece.rows,
        other => panic!("{other:?}"),
    }
}

fn volume(bytes: u64, records: u64) -> Volume {
    Volume { bytes, records }
}

fn hold(rig: &mut Rig, on: bool) {
    rig.workers[0].storage_mut().hold = on;
    rig.run();
}

fn ask_produce(rig: &mut Rig, conn: ConnId, topic: &str) -> i16 {
    let answer: ProduceResponse = rig.ask(conn, 0, 9, &produce(topic, -1));
    answer.responses[0].partition_responses[0].error_code
}

#[test]
fn requests_are_counted_by_what_became_of_them() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    assert_eq!(ask_produce(&mut rig, conn, "t"), 0);
    assert_eq!(ask_produce(&mut rig, conn, "none"), 3);
    // With acks=0 nobody hears, but it is done; what fails costs the connection.
    rig.send(conn, 0, 9, 1, &produce("t", 0));
    assert_eq!(tally(&rig, "Produce").results, [2, 1, 0, 0, 0]);
    rig.send(conn, 0, 9, 2, &produce("none", 0));
    assert!(rig.closed(conn));
    assert_eq!(tally(&rig, "Produce").results, [2, 1, 0, 0, 1]);
    let produced = tally(&rig, "Produce").seconds.count();
    assert_eq!(produced, 3, "the time of those that ended with an answer");

    let conn = rig.connect(0);
    let _: ApiVersionsResponse = rig.ask(conn, 18, 0, &ApiVersionsRequest::default());
    rig.write(conn, &framed(18, 77, 3, &[]));
    assert_eq!(tally(&rig, "ApiVersions").results, [1, 0, 1, 0, 0]);
    // A fetch that waits when its client goes.
    rig.send(conn, 1, 11, 4, &fetch("t", 1 << 20, 1 << 20));
    let before = numbers(&rig);
    assert_eq!(
        (
            before.connections,
            before.requests_under_way,
            before.requests_parked
        ),
        (1, 1, 1)
    );
    rig.event_closed(conn);
    let after = numbers(&rig);
    assert_eq!((after.connections, after.requests_under_way), (0, 0));
    let closed: Vec<_> = (after.tally.closed_by()).filter(|(_, n)| *n > 0).collect();
    assert_eq!(closed, [("peer", 1), ("silent_produce", 1)]);
    let results = tally(&rig, "Fetch").results;
    assert_eq!(results.iter().sum::<u64>(), 1, "{results:?}");
}

#[test]
fn time_runs_from_the_start_to_the_answer_and_a_late_end_is_not_counted_again() {
    let mut rig = Rig::new(1);
    rig.topic("t", 1);
    let conn = rig.connect(0);
    hold(&mut rig, true);
    rig.send(conn, 0, 9, 1, &produce("t", -1));
    assert_eq!(tally(&rig, "Produce").seconds.count(), 0, "under way");
    rig.wait(3);
    hold(&mut rig, false);
    let produced = tally(&rig, "Produce");
    assert_eq!(produced.results, [1, 0, 0, 0, 0]);
    let took = Duration::from_nanos(produced.seconds.sum_ns());
    assert!((3..10).contains(&took.as_millis()), "{took:?}");

    hold(&mut rig, true);
    rig.send(conn, 0, 9, 2, &produce("t", -1));
    rig.wait(5_000);
    let produced = tally(&rig, "Produce");
    assert_eq!(produced.results, [1, 1, 0, 0, 0], "REQUEST_TIMED_OUT");
    hold(&mut rig, false);
    assert_eq!(tally(&rig, "Produce").results, produced.results);
}

#[test]
fn what_fetches_are_given_is_counted_where_it_is_given() {
    let mut rig = Rig::new(1);
    let (t, u) = (rig.topic("t", 1), rig.topic("u", 1));
    let conn = rig.connect(0);
    for topic in ["t", "t", "t", "u"] {
        assert_eq!(ask_produce(&mut rig, conn, topic), 0);
    }
    let bytes = batch(3, 0, 39).len() as u64;
    let _: FetchResponse = rig.ask(conn, 1, 11, &fetch("t", 1 << 20, 1));
    assert_eq!(fetched(&rig), [(t, volume(3 * bytes, 9))]);
    // As much as fits.
    let _: FetchResponse = rig.ask(conn, 1, 11, &fetch("t", 2 * bytes as i32, 1));
    assert_eq!(fetched(&rig), [(t, volume(5 * bytes, 15))]);
    // What is read and dropped while it waits for more has not been given.
    rig.send(conn, 1, 11, 1, &fetch("u", 1 << 20, 1 << 19));
    assert_eq!(fetched(&rig).len(), 1);
    rig.wait(500);
    assert_eq!(fetched(&rig)[1], (u, volume(bytes, 3)));
    assert_eq!(numbers(&rig).fetched, volume(6 * bytes, 18));
    rig.workers[0].on_topic_deleted(t);
    assert_eq!(fetched(&rig), [(u, volume(bytes, 3))]);
    assert_eq!(numbers(&rig).fetched, volume(6 * bytes, 18));
}

/// Work is counted, not time.
#[test]
fn the_names_of_5000_topics_are_bounded_pieces() {
    let mut rig = Rig::new(1);
    for n in 0..5_000 {
        rig.topic(&format!("t{n:04}"), 1);
    }
    let (mut from, mut looks, mut seen) = (String::new(), 0, 0);
    loop {
        let Sample::Names(names) = rig.workers[0].sample(&Question::Names(from)) else {
            panic!("names were asked for");
        };
        assert!(names.topics.len() <= NAMES_A_PIECE);
        assert!(
            names
                .topics
                .iter()
                .zip(seen..)
                .all(|((_, name), n)| *name == format!("t{n:04}"))
        );
        seen += names.topics.len();
        looks += 1;
        match names.next {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!((seen, looks), (5_000, 5_000usize.div_ceil(NAMES_A_PIECE)));
}

#[test]
fn an_api_that_nobody_asked_for_is_not_there() {
    let mut rig = Rig::new(1);
    assert_eq!(numbers(&rig).tally.apis().count(), 0);
    let conn = rig.connect(0);
    let _: ApiVersionsResponse = rig.ask(conn, 18, 0, &ApiVersionsRequest::default());
    let numbers = numbers(&rig);
    let apis: Vec<_> = numbers.tally.apis().map(|(name, _)| name).collect();
    assert_eq!(apis, ["ApiVersions"]);
    let mut tally = numbers.tally;
    tally.answered(Api::Fetch, Class::Ok, Duration::ZERO);
    assert_eq!(tally.apis().count(), 2);
}
