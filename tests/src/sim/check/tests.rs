//! Each checker notices its own lie, told in a history made by hand.

use std::collections::BTreeMap;

use corelane_engine::rng::Rng;
use corelane_engine::types::Durability;
use corelane_net::event::ConnId;

use super::all;
use crate::sim::history::{
    Batch, BatchNo, Expiry, Fact, Found, History, Place, ServedBatch, Topic, TopicNo,
};
use crate::sim::wire;
use crate::sim::world::{ClientId, Start};

const PLACE: Place = Place {
    topic: TopicNo(0),
    partition: 0,
};

/// Three batches of one client, acknowledged in life 1 one behind the other, and all still there.
fn story(durability: Durability) -> History {
    let mut history = History::default();
    let partitions = 1;
    let topic = Topic {
        partitions,
        durability,
        expiry: Expiry::Never,
    };
    history.topics = BTreeMap::from([(TopicNo(0), topic)]);
    history.note(0, Start(1), Fact::CreateAsked(TopicNo(0)));
    history.note(0, Start(1), Fact::Created(TopicNo(0)));
    let mut base = 0;
    for _ in 0..3 {
        let (bytes, count) = wire::batch(&mut Rng::new(base as u64), 100, (-1, -1, -1));
        let batch = history.add_batch(Batch {
            place: PLACE,
            client: ClientId(2),
            bytes,
            count,
            idempotent: true,
            conn: ConnId(1),
        });
        history.note(1, Start(1), Fact::Sent { batch, attempt: 1 });
        history.note(2, Start(1), Fact::Acked { batch, base });
        let log = history.logs.entry(PLACE).or_default();
        log.push(Found {
            base,
            batch,
            leader_epoch: 0,
        });
        base += i64::from(count);
    }
    history
}

fn log(history: &mut History) -> &mut Vec<Found> {
    history.logs.get_mut(&PLACE).expect("in the story")
}

#[track_caller]
fn check(history: &History, expected: Option<&str>) {
    let broken = all(history);
    let first = broken.first().map(|v| v.promise);
    assert_eq!(first, expected, "{broken:?}");
}

#[test]
fn a_true_story_passes() {
    check(&story(Durability::Disk), None);
    check(&story(Durability::Process), None);
}

#[test]
fn a_lost_suffix_is_excused_by_a_cut_of_a_process_topic_only() {
    let acked = Some("acknowledged is readable");
    for (durability, crash, expected) in [
        (Durability::Disk, Fact::PowerCut, acked),
        (Durability::Disk, Fact::Killed, acked),
        (Durability::Process, Fact::Killed, acked),
        (Durability::Process, Fact::PowerCut, None),
    ] {
        let mut history = story(durability);
        history.note(3, Start(1), crash);
        log(&mut history).pop();
        check(&history, expected);
    }
}

#[test]
fn a_cut_takes_no_hole_and_nothing_of_later_lives() {
    let mut history = story(Durability::Process);
    history.note(3, Start(1), Fact::PowerCut);
    log(&mut history).remove(1);
    check(&history, Some("acknowledged is readable"));

    let mut history = story(Durability::Process);
    history.note(3, Start(0), Fact::PowerCut);
    log(&mut history).pop();
    check(&history, Some("acknowledged is readable"));
}

#[test]
fn doubled_and_reordered_batches_are_seen() {
    let mut history = story(Durability::Disk);
    let end = log(&mut history)[2];
    let base = end.base + i64::from(history.batch(end.batch).count);
    log(&mut history).push(Found { base, ..end });
    check(&history, Some("once"));

    let mut history = story(Durability::Disk);
    for entry in &mut history.entries {
        if let Fact::Acked { .. } = entry.fact {
            entry.fact = Fact::Killed;
        }
    }
    log(&mut history).swap(0, 1);
    check(&history, Some("in order"));
}

fn serve(history: &mut History, base: i64, batch: Option<BatchNo>, life: u32) {
    let count = batch.map_or(1, |batch| history.batch(batch).count);
    let leader_epoch = 0;
    let batches = vec![ServedBatch {
        base,
        count,
        leader_epoch,
        batch,
    }];
    let served = Fact::Served {
        place: PLACE,
        asked: base,
        high_watermark: 1_000,
        batches,
        when: history.entries.len(),
    };
    history.note(4, Start(life), served);
}

#[test]
fn bytes_never_sent_and_values_that_change_are_seen() {
    let mut history = story(Durability::Disk);
    serve(&mut history, 0, None, 1);
    check(&history, Some("bytes are served as sent"));

    let mut history = story(Durability::Disk);
    serve(&mut history, 0, Some(BatchNo(2)), 1);
    let promises: Vec<&str> = all(&history).iter().map(|v| v.promise).collect();
    assert!(
        promises.contains(&"offsets are dense and stable"),
        "{promises:?}"
    );
}

#[test]
fn what_was_refused_must_not_be_served() {
    let mut history = story(Durability::Disk);
    let (bytes, count) = wire::batch(&mut Rng::new(77), 100, (-1, -1, -1));
    let batch = history.add_batch(Batch {
        bytes,
        count,
        ..history.batches[0].clone()
    });
    let (code, attempt) = (2, 1);
    history.note(
        3,
        Start(1),
        Fact::Refused {
            batch,
            code,
            attempt,
        },
    );
    check(&history, None);
    let base = 500;
    log(&mut history).clear();
    serve(&mut history, base, Some(batch), 1);
    let promises: Vec<&str> = all(&history).iter().map(|v| v.promise).collect();
    assert!(promises.contains(&"refused never appears"), "{promises:?}");
}

#[test]
fn topics_that_vanish_or_come_back_are_seen() {
    let list = |history: &mut History, topics: &[(&str, i32)]| {
        let topics = topics.iter().map(|(n, p)| ((*n).to_owned(), *p)).collect();
        let asked = history.entries.len();
        history.note(5, Start(1), Fact::Listed { asked, topics });
    };
    let promise = Some("topics stay created, or deleted");
    let mut history = story(Durability::Disk);
    list(&mut history, &[("topic-0", 1)]);
    check(&history, None);
    list(&mut history, &[]);
    check(&history, promise);

    let mut history = story(Durability::Disk);
    history.note(5, Start(1), Fact::DeleteAsked(TopicNo(0)));
    list(&mut history, &[("topic-0", 1)]);
    check(&history, None);
    history.note(5, Start(1), Fact::Deleted(TopicNo(0)));
    list(&mut history, &[("topic-0", 1)]);
    check(&history, promise);

    let mut history = story(Durability::Disk);
    list(&mut history, &[("topic-0", 1), ("other", 1)]);
    check(&history, promise);
}

#[test]
fn a_begin_that_goes_back_or_that_nobody_wanted_is_seen() {
    let begins = |history: &mut History, begin: i64| {
        let (place, when) = (PLACE, history.entries.len());
        history.note(5, Start(1), Fact::Begins { place, begin, when });
    };
    let asked = |history: &mut History, below: i64| {
        let place = PLACE;
        history.note(5, Start(1), Fact::TrimAsked { place, below });
    };
    let promise = Some("logs never begin earlier again");
    let second = |history: &History| log_of(history)[1].base;

    let mut history = story(Durability::Disk);
    begins(&mut history, 1);
    check(&history, promise);
    asked(&mut history, 1);
    check(&history, promise);

    let mut history = story(Durability::Disk);
    asked(&mut history, -1);
    let begin = second(&history);
    begins(&mut history, begin);
    history.begins.insert(PLACE, begin);
    log(&mut history).remove(0);
    check(&history, None);
    serve(&mut history, 0, Some(BatchNo(0)), 1);
    check(&history, promise);
    history.entries.pop();
    begins(&mut history, begin - 1);
    check(&history, promise);

    // What is missing above the begin is lost all the same.
    let mut history = story(Durability::Disk);
    asked(&mut history, -1);
    let begin = second(&history);
    begins(&mut history, begin);
    history.begins.insert(PLACE, begin);
    log(&mut history).truncate(1);
    check(&history, Some("acknowledged is readable"));
}

fn log_of(history: &History) -> &[Found] {
    &history.logs[&PLACE]
}
