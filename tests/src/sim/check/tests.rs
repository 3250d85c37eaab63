//! Each checker notices its own lie, told in a history made by hand.

use std::collections::BTreeMap;

use corelane_engine::batch::Codec;
use corelane_engine::rng::Rng;
use corelane_engine::types::Durability;
use corelane_net::event::ConnId;

use super::{all, bytes, progress};
use crate::sim::history::{
    Batch, BatchNo, Expiry, Fact, Found, History, Place, ServedBatch, Times, Topic, TopicNo,
};
use crate::sim::wire;
use crate::sim::world::{ClientId, Start, wall_ms};

const PLACE: Place = Place {
    topic: TopicNo(0),
    partition: 0,
};

/// A producer without idempotence.
const NOBODY: (i64, i16, i32) = (-1, -1, -1);

/// Three batches of one client, acknowledged in life 1 one behind the other, and all still there.
fn story(durability: Durability) -> History {
    let mut history = History::default();
    let partitions = 1;
    let topic = Topic {
        partitions,
        durability,
        times: Times::Create,
        opened: false,
        expiry: Expiry::Never,
    };
    history.topics = BTreeMap::from([(TopicNo(0), topic)]);
    history.note(0, Start(1), Fact::CreateAsked(TopicNo(0)));
    history.note(0, Start(1), Fact::Created(TopicNo(0)));
    let mut base = 0;
    for _ in 0..3 {
        let (bytes, count) = wire::batch(
            &mut Rng::new(base as u64),
            100,
            Codec::None,
            NOBODY,
            wire::LONG_AGO,
        );
        let batch = history.add_batch(Batch {
            place: PLACE,
            client: ClientId(2),
            bytes,
            count,
            time: wire::LONG_AGO.0,
            idempotent: true,
            conn: ConnId(1),
        });
        history.note(1, Start(1), Fact::Sent { batch, attempt: 1 });
        let time = -1;
        history.note(2, Start(1), Fact::Acked { batch, base, time });
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
        max_timestamp: 0,
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

/// As the leader epoch `epoch` had it.
fn serve_in(history: &mut History, base: i64, batch: BatchNo, life: u32, epoch: i32) {
    serve(history, base, Some(batch), life);
    let entry = history.entries.last_mut().expect("served just now");
    if let Fact::Served { batches, .. } = &mut entry.fact {
        batches[0].leader_epoch = epoch;
    }
}

#[test]
fn an_offset_given_anew_in_the_same_epoch_is_seen() {
    for (epoch, expected) in [
        (0, Some("an offset given anew has a later epoch")),
        (1, None),
    ] {
        let mut history = story(Durability::Process);
        let lost = log(&mut history)[2];
        serve_in(&mut history, lost.base, lost.batch, 1, 0);
        history.note(4, Start(1), Fact::PowerCut);
        let again = history.add_batch(history.batch(BatchNo(0)).clone());
        history.note(
            5,
            Start(2),
            Fact::Sent {
                batch: again,
                attempt: 1,
            },
        );
        serve_in(&mut history, lost.base, again, 2, epoch);
        log(&mut history)[2].batch = again;
        check(&history, expected);
    }
}

#[test]
fn a_write_that_landed_elsewhere_excuses_a_loss_and_no_lie() {
    let mut history = story(Durability::Disk);
    history.note(3, Start(1), Fact::Misplaced(PLACE));
    log(&mut history).pop();
    check(&history, None);
    serve(&mut history, 0, None, 1);
    check(&history, Some("bytes are served as sent"));
}

#[test]
fn garbage_after_a_flipped_bit_is_seen_and_what_came_before_is_not_judged_again() {
    let mut history = story(Durability::Disk);
    serve(&mut history, 0, None, 1);
    let since = history.entries.len();
    serve(&mut history, 0, Some(BatchNo(0)), 2);
    assert_eq!(bytes::no_garbage(&history, since), Ok(()));
    assert!(bytes::no_garbage(&history, since - 1).is_err());
    serve(&mut history, 0, None, 2);
    assert!(bytes::no_garbage(&history, since).is_err());
}

#[test]
fn what_was_refused_must_not_be_served() {
    let mut history = story(Durability::Disk);
    let (bytes, count) = wire::batch(&mut Rng::new(77), 100, Codec::None, NOBODY, wire::LONG_AGO);
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

/// What life 2 shows of the log's end, with nothing behind it.
fn show_end(history: &mut History, high_watermark: i64) {
    let asked = high_watermark;
    let batches = Vec::new();
    let place = PLACE;
    let shown = Fact::Served {
        place,
        asked,
        high_watermark,
        batches,
        when: history.entries.len(),
    };
    history.note(4, Start(2), shown);
}

#[test]
fn what_comes_back_from_the_dead_is_seen() {
    let promise = Some("what was lost stays lost");
    let mut history = story(Durability::Process);
    history.note(3, Start(1), Fact::PowerCut);
    let last = log(&mut history)[2];
    // Life 2 has lost the last batch, says so, and then it is there after all.
    show_end(&mut history, last.base);
    check(&history, promise);
    // Sent again in life 2, it may be.
    let (batch, attempt) = (last.batch, 2);
    history.note(5, Start(2), Fact::Sent { batch, attempt });
    check(&history, None);
}

#[test]
fn a_time_that_changes_falls_or_cannot_be_is_seen() {
    let promise = Some("the time of an append is said once");
    let stamped = |times: [i64; 2]| {
        let mut history = story(Durability::Disk);
        let topic = history.topics.get_mut(&TopicNo(0)).expect("in the story");
        topic.times = Times::LogAppend;
        for entry in &mut history.entries {
            if let Fact::Acked { time, .. } = &mut entry.fact {
                *time = wall_ms(2);
            }
        }
        let found: Vec<Found> = log(&mut history).clone();
        let batches = found.iter().zip(times).map(|(found, time)| ServedBatch {
            base: found.base,
            count: history.batch(found.batch).count,
            leader_epoch: 0,
            max_timestamp: wall_ms(0) + time,
            batch: Some(found.batch),
        });
        let served = Fact::Served {
            place: PLACE,
            asked: 0,
            high_watermark: 1_000,
            batches: batches.collect(),
            when: 0,
        };
        history.note(4_000_000, Start(1), served);
        history
    };
    check(&stamped([0, 0]), None);
    check(&stamped([0, 1]), promise);
    check(&stamped([-1, 0]), promise);
    // Nobody asked the broker for a time.
    let mut history = story(Durability::Disk);
    let (batch, base, time) = (BatchNo(0), 0, wall_ms(0));
    history.note(3, Start(1), Fact::Acked { batch, base, time });
    check(&history, promise);
}

#[test]
fn only_rot_and_failing_reads_excuse_an_unreadable_partition() {
    let promise = Some("only what rots is unreadable");
    let refuse = |history: &mut History, asked, code| {
        let place = PLACE;
        let refused = Fact::Unreadable { place, asked, code };
        history.note(4, Start(2), refused);
    };
    let mut history = story(Durability::Disk);
    refuse(&mut history, 0, 2);
    check(&history, promise);
    let mut history = story(Durability::Disk);
    let what = "Read".to_owned();
    let (fatal, lost) = (false, false);
    history.note(4, Start(2), Fact::DiskFailed { what, fatal, lost });
    refuse(&mut history, 0, 56);
    check(&history, None);
    refuse(&mut history, 0, 2);
    check(&history, promise);

    // What lies behind the flipped bit is excused, and nothing before it.
    let mut history = story(Durability::Disk);
    history.note(4, Start(2), Fact::Rotted(PLACE));
    let end = log(&mut history).pop().expect("three").base;
    check(&history, Some("acknowledged is readable"));
    refuse(&mut history, end, 2);
    check(&history, None);
    log(&mut history).pop();
    check(&history, Some("acknowledged is readable"));
}

#[test]
fn a_process_that_outlives_its_disk_is_seen() {
    let promise = Some("a failing disk ends the process");
    let failed = || {
        let mut history = story(Durability::Disk);
        let what = "Write journal-0".to_owned();
        let (fatal, lost) = (true, false);
        history.note(4, Start(1), Fact::DiskFailed { what, fatal, lost });
        history
    };
    let exit = |history: &mut History, disk| {
        let what = "an end".to_owned();
        history.note(5, Start(1), Fact::Exited { what, disk });
    };
    check(&failed(), promise);
    let mut history = failed();
    exit(&mut history, false);
    check(&history, promise);
    let mut history = failed();
    exit(&mut history, true);
    check(&history, None);
    let mut history = failed();
    history.note(5, Start(1), Fact::Killed);
    check(&history, None);
    let mut history = failed();
    history.note(5, Start(1), Fact::StoppedEarly);
    check(&history, None);
    // It may be killed later: that it went on acknowledging is seen all the same.
    let mut history = failed();
    let (batch, base, time) = (BatchNo(0), 0, -1);
    history.note(9_000_000_000, Start(1), Fact::Acked { batch, base, time });
    history.note(9_000_000_001, Start(1), Fact::Killed);
    check(&history, promise);
}

#[test]
fn a_client_without_an_answer_is_seen() {
    let mut history = story(Durability::Disk);
    history.note(4, Start(2), Fact::Healed);
    check(&history, Some(progress::PROMISE));
    let mut late = history.clone();
    let caught_up = Fact::CaughtUp(ClientId(2));
    late.note(5 + progress::WITHIN, Start(2), caught_up.clone());
    check(&late, Some(progress::PROMISE));
    history.note(4 + progress::WITHIN, Start(2), caught_up);
    check(&history, None);
}

#[test]
fn a_refused_sequence_is_excused_where_a_batch_before_it_was_left_open() {
    let promise = Some("refused never appears");
    let refuse = |history: &mut History| {
        let (batch, code, attempt) = (BatchNo(2), 45, 2);
        let refused = Fact::Refused {
            batch,
            code,
            attempt,
        };
        history.note(4, Start(1), refused);
    };
    let mut history = story(Durability::Disk);
    refuse(&mut history);
    check(&history, promise);
    let mut history = story(Durability::Disk);
    let (batch, code) = (BatchNo(0), 56);
    history.note(3, Start(1), Fact::Undecided { batch, code });
    refuse(&mut history);
    check(&history, None);
    // A full disk may have refused one that nobody heard of.
    let mut history = story(Durability::Disk);
    history.note(3, Start(1), Fact::DiskFull);
    let (batch, attempt) = (BatchNo(0), 2);
    history.note(3, Start(1), Fact::Sent { batch, attempt });
    refuse(&mut history);
    check(&history, None);
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
    let promise = Some(super::starts::PROMISE);
    /// The log begins with its second batch.
    fn cut(history: &mut History) -> i64 {
        let begin = log(history)[1].base;
        history.begins.insert(PLACE, begin);
        log(history).remove(0);
        begin
    }

    let mut history = story(Durability::Disk);
    begins(&mut history, 1);
    check(&history, promise);
    let mut history = story(Durability::Disk);
    asked(&mut history, 1);
    begins(&mut history, 1);
    check(&history, None);

    let mut history = story(Durability::Disk);
    asked(&mut history, -1);
    let begin = cut(&mut history);
    begins(&mut history, begin);
    check(&history, None);
    begins(&mut history, begin - 1);
    check(&history, promise);
    history.entries.pop();
    serve(&mut history, 0, Some(BatchNo(0)), 1);
    check(&history, promise);

    // What is missing above the begin is lost all the same.
    let mut history = story(Durability::Disk);
    asked(&mut history, -1);
    let begin = cut(&mut history);
    begins(&mut history, begin);
    log(&mut history).truncate(1);
    check(&history, Some("acknowledged is readable"));

    // By themselves records go when they are old enough, or when enough are left.
    for (expiry, broken) in [
        (Expiry::Ms(0), None),
        (Expiry::Ms(50), promise),
        (Expiry::Bytes(10), None),
        (Expiry::Bytes(100_000), promise),
    ] {
        let mut history = story(Durability::Disk);
        history.topics.get_mut(&TopicNo(0)).expect("there").expiry = expiry;
        let begin = cut(&mut history);
        begins(&mut history, begin);
        check(&history, broken);
    }
}
