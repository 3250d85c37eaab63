//! What expires of a partition, and when.

use super::*;
use crate::batch::Rules;
use crate::log::partition::PartitionConfig;
use crate::types::{Durability, LeaderEpoch, SegmentPosition, TopicId, TopicPartition};

const DAY: i64 = 86_400_000;
const NOW: Timestamp = Timestamp(1_000 * DAY);

fn retention(ms: i64, bytes: i64) -> Retention {
    Retention {
        delete: true,
        ms,
        bytes,
        file_delete_delay: Duration::from_secs(60),
    }
}

/// A partition with one segment for each pair of bytes and days of age; ten records in each.
fn partition(retention: Retention, segments: &[(u64, i64)]) -> Partition {
    let config = PartitionConfig {
        rules: Rules::default(),
        durability: Durability::Disk,
        segment_bytes: 1 << 30,
        segment_ms: i64::MAX,
        segment_jitter_ms: 0,
        flush: crate::log::partition::FlushRule::NEVER,
        index_interval_bytes: 4096,
        producers_max: 1,
        retention,
    };
    let id = TopicPartition {
        topic: TopicId([1; 16]),
        partition: 0,
    };
    let mut p = Partition::new(id, config, LeaderEpoch(0));
    for (at, (bytes, age)) in segments.iter().enumerate() {
        if at > 0 {
            p.roll();
        }
        let (base, time) = (p.next, Timestamp(NOW.0 - age * DAY));
        let active = p.active_mut();
        if *bytes > 0 {
            let position = SegmentPosition(0);
            active.index.append(base, position, time, *bytes as u32);
            active.end = *bytes;
            p.next.0 += 10;
        }
    }
    p.high_watermark = p.next;
    p
}

#[track_caller]
fn check(retention: Retention, segments: &[(u64, i64)], expected: Option<i64>) {
    let mut p = partition(retention, segments);
    let rolled = expected == Some(p.next.0) && p.active().end > 0;
    let count = p.segments.len() + usize::from(rolled);
    assert_eq!(p.expire(NOW).map(|start| start.0), expected, "{segments:?}");
    assert_eq!(p.segments.len(), count, "{segments:?}");
}

#[test]
fn old_segments_go_by_their_newest_record() {
    let week = retention(7 * DAY, -1);
    check(week, &[(100, 30), (100, 8), (100, 7), (100, 0)], Some(20));
    // Exactly as old as allowed is not too old.
    check(week, &[(100, 7), (100, 0)], None);
    // A young one holds what comes after it.
    check(week, &[(100, 1), (100, 30), (100, 30)], None);
    // So does one whose records are of the future.
    check(week, &[(100, -400), (100, 30), (100, 0)], None);
    // All of them: the active one is rolled, and goes too.
    check(week, &[(100, 30), (100, 8)], Some(20));
    check(week, &[(100, 30)], Some(10));
    // An empty active one stays.
    check(week, &[(100, 30), (0, 0)], Some(10));
    check(week, &[(0, 0)], None);
    check(retention(0, -1), &[(100, 1), (100, 0)], Some(10));
}

#[test]
fn what_is_more_than_the_bytes_goes() {
    let bytes = retention(-1, 250);
    check(bytes, &[(100, 1), (100, 1), (100, 1)], None);
    check(bytes, &[(100, 1), (100, 1), (150, 1)], Some(10));
    check(bytes, &[(100, 1), (100, 1), (250, 1)], Some(20));
    check(bytes, &[(100, 1), (100, 1), (149, 1)], None);
    // A large one in front holds the rest.
    check(bytes, &[(200, 1), (10, 1), (200, 1)], None);
    check(retention(-1, 0), &[(100, 1), (100, 1)], Some(20));
    check(
        retention(DAY, 250),
        &[(100, 9), (150, 9), (100, 0)],
        Some(20),
    );
}

#[test]
fn nothing_goes_without_a_bound_or_without_delete() {
    let segments = [(1 << 20, 900), (1 << 20, 900)];
    check(retention(-1, -1), &segments, None);
    check(retention(-1, i64::MIN), &segments, None);
    let compacted = Retention {
        delete: false,
        ..retention(0, 0)
    };
    check(compacted, &segments, None);
}

#[test]
fn nothing_past_the_high_watermark_goes() {
    let mut p = partition(retention(0, 0), &[(100, 9), (100, 9), (100, 9)]);
    p.high_watermark = Offset(19);
    assert_eq!(p.expire(NOW), Some(Offset(10)));
    p.high_watermark = Offset(9);
    assert_eq!(p.expire(NOW), None);
}

#[test]
fn records_without_a_time_are_as_old_as_our_knowledge_of_them() {
    let mut p = partition(retention(DAY, -1), &[(100, 0)]);
    let active = p.active_mut();
    active.index = crate::log::index::SegmentIndex::new(Offset(0), 4096);
    let position = SegmentPosition(0);
    (active.index).append(Offset(0), position, Timestamp(-1), 100);
    let at = |days: i64| Timestamp(NOW.0 + days * DAY);
    assert_eq!(p.expire(at(0)), None);
    assert_eq!(p.expire(at(1)), None);
    p.active_mut().end += 50;
    assert_eq!(p.expire(at(2)), None, "it grew: the time begins anew");
    assert_eq!(p.expire(at(3)), None);
    assert_eq!(p.expire(at(4)), Some(Offset(10)));
}

#[test]
fn trimming_lets_go_of_whole_segments_only() {
    let mut p = partition(retention(-1, -1), &[(100, 1), (100, 1), (100, 1)]);
    p.segments_saved = 2;
    let bases = |p: &Partition| -> Vec<i64> { p.segments.iter().map(|s| s.base.0).collect() };
    p.log_start = Offset(9);
    assert!(!p.trim());
    p.log_start = Offset(19);
    assert!(p.trim());
    assert_eq!((bases(&p), p.segments_saved), (vec![10, 20], 1));
    p.log_start = Offset(30);
    assert!(p.trim());
    assert_eq!(
        (bases(&p), p.segments_saved),
        (vec![20], 0),
        "the active one stays"
    );
    let gone: Vec<i64> = p.trimmed.iter().map(|t| t.base.0).collect();
    assert_eq!(gone, [0, 10]);
    // A start cannot know whether the last segment was rolled before it was trimmed.
    assert_eq!(p.trim_replayed(), Ok(()));
    assert_eq!((bases(&p), p.trimmed.len()), (vec![30], 3));
    p.log_start = Offset(31);
    assert!(p.trim_replayed().is_err());
}
