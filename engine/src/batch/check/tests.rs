//! Tests of the checks: one row per rule, the stamping, and hostile bytes.

use super::*;
use crate::batch::build::{BatchBuilder, Draft, compress, put_varlong, raw};
use crate::batch::header::verify;
use crate::rng::Rng;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// What is refused, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refusal {
    Corrupt,
    Invalid,
    Time,
    TooLarge,
    Segment,
    Codec,
}
use Refusal::{Corrupt, Invalid, Time};

fn kind(error: AppendError) -> Refusal {
    match error {
        AppendError::Corrupt(_) => Corrupt,
        AppendError::InvalidRecord(_) => Invalid,
        AppendError::InvalidTimestamp(_) => Time,
        AppendError::TooLarge { .. } => Refusal::TooLarge,
        AppendError::LargerThanSegment { .. } => Refusal::Segment,
        AppendError::UnsupportedCompression => Refusal::Codec,
        other => panic!("{other:?} is not of a batch"),
    }
}

#[track_caller]
fn expect(bytes: impl Into<Bytes>, rules: &Rules, expected: Result<(), Refusal>) {
    let judged = check(bytes.into(), NOW, rules).map(|_| ()).map_err(kind);
    assert_eq!(judged, expected);
}

fn strict() -> Rules {
    Rules {
        validate_records: true,
        ..Rules::default()
    }
}

fn three(codec: Codec) -> BatchBuilder {
    BatchBuilder::new()
        .codec(codec)
        .keyed(NOW, b"k", b"one")
        .record(&Draft {
            timestamp: Timestamp(NOW.0 + 2),
            key: Some(b"key"),
            value: None,
            headers: vec![("h", Some(b"v")), ("", None)],
        })
        .keyed(Timestamp(NOW.0 + 1), b"", &[7; 50_000])
}

#[test]
fn every_codec_passes_and_is_stored_as_sent() {
    for codec in Codec::ALL {
        for rules in [Rules::default(), strict()] {
            let sent = three(codec).producer(9, 3, 70).build();
            let batch = check(sent.clone(), NOW, &rules).expect("a good batch");
            assert_eq!(batch.len(), sent.len());
            assert_eq!(batch.header().max_timestamp.0, NOW.0 + 2);
            let mut stored = BytesMut::new();
            batch.stamp_into(&mut stored, Offset(500), LeaderEpoch(6));
            let header = verify(&stored).expect("a stored batch");
            assert_eq!(header, batch.stamped(Offset(500), LeaderEpoch(6)));
            assert_eq!(header.last_offset(), Offset(502));
            assert_eq!(header.leader_epoch, LeaderEpoch(6));
            assert_eq!(stored[16..], sent[16..], "only the stamps differ");
            let straight = [
                &batch.stamped_header(Offset(500), LeaderEpoch(6))[..],
                &batch.body(),
            ]
            .concat();
            assert_eq!(straight, stored);
            assert_eq!(batch.body().as_ptr(), sent[61..].as_ptr(), "not copied");
        }
    }
}

#[test]
fn raw_snappy_passes_as_framed_does() {
    let plain = three(Codec::None).build();
    let mut header = BatchHeader::parse(&plain).expect("a batch");
    header.set_codec(Codec::Snappy);
    let block = snap::raw::Encoder::new()
        .compress_vec(&plain[BATCH_HEADER..])
        .expect("small");
    expect(raw(header, &block, |_| {}), &strict(), Ok(()));
}

#[test]
fn append_time_is_stamped_and_the_crc_follows() {
    let rules = Rules {
        timestamp_type: TimestampType::LogAppend,
        ..Rules::default()
    };
    for codec in Codec::ALL {
        let sent = BatchBuilder::new()
            .codec(codec)
            .value(Timestamp(1), b"long ago")
            .build();
        let batch = check(sent, NOW, &rules).expect("any create time");
        let mut stored = BytesMut::new();
        batch.stamp_into(&mut stored, Offset(3), LeaderEpoch(0));
        let header = verify(&stored).expect("a stored batch, its crc too");
        assert_eq!(header.timestamp_type(), TimestampType::LogAppend);
        assert_eq!(header.max_timestamp, NOW);
        assert_eq!(header.base_timestamp, Timestamp(1));
    }
}

#[test]
fn a_wrong_max_timestamp_is_corrected_where_records_are_seen() {
    for (codec, rules) in [(Codec::None, Rules::default()), (Codec::Zstd, strict())] {
        let sent = three(codec).build_with(|h| h.max_timestamp = Timestamp(NOW.0 + 900));
        let batch = check(sent, NOW, &rules).expect("a good batch");
        let mut stored = BytesMut::new();
        batch.stamp_into(&mut stored, Offset(0), LeaderEpoch(0));
        let header = verify(&stored).expect("crc recomputed");
        assert_eq!(header.max_timestamp.0, NOW.0 + 2);
    }
}

#[test]
fn exactly_one_batch() {
    let rules = Rules::default();
    let one = three(Codec::None).build();
    expect(Bytes::new(), &rules, Err(Invalid));
    expect(vec![0; 11], &rules, Err(Invalid));
    expect(vec![0; 12], &rules, Err(Corrupt));
    expect([&one[..], &one[..]].concat(), &rules, Err(Invalid));
    for end in 0..one.len() {
        let cut = check(one.slice(..end), NOW, &rules).map_err(kind);
        assert_eq!(cut.err(), Some(Invalid), "cut at {end}");
    }
    // A tail that is no whole batch is dropped, one that is damaged is not.
    let tail = |tail: &[u8]| [&one[..], tail].concat();
    let kept = check(tail(&one[..40]).into(), NOW, &rules).expect("one batch and a part");
    assert_eq!(kept.len(), one.len());
    expect(tail(&[0; 11]), &rules, Ok(()));
    expect(tail(&[0; 12]), &rules, Err(Corrupt));
    for (magic, expected) in [
        (0, Invalid),
        (1, Invalid),
        (3, Corrupt),
        (-1, Corrupt),
        (127, Corrupt),
    ] {
        let bytes = three(Codec::None).build_with(|h| h.magic = magic);
        expect(bytes, &rules, Err(expected));
    }
    for length in [i32::MIN, -1, 0, 13, 14, 48] {
        let bytes = three(Codec::None).build_with(|h| h.batch_length = length);
        let judged = check(bytes, NOW, &rules).map_err(kind);
        assert!(judged.is_err(), "length {length}");
    }
    let bytes = three(Codec::None).build_with(|h| h.batch_length = i32::MAX);
    expect(bytes, &rules, Err(Invalid));
}

#[test]
fn header_rules() {
    let row = |change: fn(&mut BatchHeader), expected: Result<(), Refusal>| {
        for codec in [Codec::None, Codec::Lz4] {
            expect(three(codec).build_with(change), &Rules::default(), expected);
        }
    };
    row(|_| {}, Ok(()));
    row(|h| h.base_offset = Offset(1), Err(Invalid));
    row(|h| h.last_offset_delta = 1, Err(Invalid));
    row(|h| h.last_offset_delta = 3, Err(Invalid));
    row(|h| h.last_offset_delta = -1, Err(Invalid));
    row(|h| h.last_offset_delta = i32::MAX, Err(Invalid));
    row(|h| h.count = 0, Err(Invalid));
    row(|h| h.count = -1, Err(Invalid));
    row(|h| h.count = i32::MIN, Err(Invalid));
    row(|h| h.attributes |= 0x20, Err(Invalid));
    row(|h| h.attributes |= 0x10, Err(Invalid));
    row(|h| h.attributes = 5, Err(Refusal::Codec));
    row(|h| h.attributes = 7, Err(Refusal::Codec));
    row(|h| h.producer_id = 4, Err(Invalid));
    row(|h| (h.producer_id, h.producer_epoch) = (4, 0), Err(Invalid));
    row(|h| (h.producer_id, h.base_sequence) = (4, 0), Err(Invalid));
    row(
        |h| (h.producer_id, h.producer_epoch, h.base_sequence) = (4, 0, 0),
        Ok(()),
    );
    let none = |h: &mut BatchHeader| (h.count, h.last_offset_delta) = (0, -1);
    expect(
        BatchBuilder::new().build_with(none),
        &Rules::default(),
        Err(Invalid),
    );
    expect(
        three(Codec::Gzip).build_with(|h| h.base_timestamp = Timestamp(h.max_timestamp.0 + 1)),
        &Rules::default(),
        Err(Invalid),
    );
    let mut damaged = three(Codec::None).build().to_vec();
    damaged[70] ^= 1;
    expect(damaged, &Rules::default(), Err(Corrupt));
}

#[test]
fn sizes() {
    let one = three(Codec::None).build();
    let row = |max_bytes, segment_bytes, expected| {
        let rules = Rules {
            max_bytes,
            segment_bytes,
            ..Rules::default()
        };
        expect(one.clone(), &rules, expected);
    };
    row(one.len(), one.len(), Ok(()));
    row(one.len() - 1, one.len() - 1, Err(Refusal::TooLarge));
    row(one.len(), one.len() - 1, Err(Refusal::Segment));
}

#[test]
fn timestamps() {
    let row = |timestamp: i64, rules: &Rules, expected: Result<(), Refusal>| {
        for codec in [Codec::None, Codec::Gzip] {
            for rules in [
                *rules,
                Rules {
                    validate_records: true,
                    ..*rules
                },
            ] {
                let batch = BatchBuilder::new()
                    .codec(codec)
                    .value(Timestamp(timestamp), b"v");
                expect(batch.build(), &rules, expected);
            }
        }
    };
    let limits = Rules {
        before_max_ms: 1000,
        after_max_ms: 100,
        ..Rules::default()
    };
    row(NOW.0 - 1000, &limits, Ok(()));
    row(NOW.0 - 1001, &limits, Err(Time));
    row(NOW.0 + 100, &limits, Ok(()));
    row(NOW.0 + 101, &limits, Err(Time));
    row(-1, &limits, Ok(()));
    row(0, &limits, Err(Time));
    row(0, &Rules::default(), Ok(()));
    for extreme in [i64::MIN, i64::MAX] {
        row(extreme, &Rules::default(), Err(Time));
    }
    let append = Rules {
        timestamp_type: TimestampType::LogAppend,
        ..limits
    };
    row(5, &append, Ok(()));
    // One record in the middle is enough.
    let middle = BatchBuilder::new()
        .value(NOW, b"a")
        .value(Timestamp(NOW.0 - 2000), b"b")
        .value(NOW, b"c");
    expect(middle.build(), &limits, Err(Time));

    let stamped = |timestamp: i64| {
        BatchBuilder::new()
            .value(Timestamp(timestamp), b"v")
            .timestamp_type(TimestampType::LogAppend)
            .build()
    };
    expect(stamped(NOW.0), &append, Err(Time));
    expect(stamped(-1), &limits, Err(Time));
    expect(stamped(5), &limits, Err(Time));
    let cleared = check(stamped(NOW.0), NOW, &limits).expect("Kafka takes it as create time");
    assert_eq!(cleared.header().timestamp_type(), TimestampType::Create);
}

#[test]
fn compacted_topics_want_keys() {
    let rules = Rules {
        compacted: true,
        ..Rules::default()
    };
    for codec in Codec::ALL {
        expect(three(codec).build(), &rules, Ok(()));
        expect(three(codec).value(NOW, b"v").build(), &rules, Err(Invalid));
        expect(three(codec).value(NOW, b"v").build(), &strict(), Ok(()));
    }
}

#[test]
fn a_bad_time_is_told_before_a_missing_key_of_another_record() {
    let rules = Rules {
        compacted: true,
        before_max_ms: 1000,
        ..Rules::default()
    };
    let keyed_late = BatchBuilder::new()
        .value(NOW, b"v")
        .keyed(Timestamp(5), b"k", b"v");
    expect(keyed_late.build(), &rules, Err(Time));
    let keyless_late = BatchBuilder::new()
        .keyed(NOW, b"k", b"v")
        .value(Timestamp(5), b"v");
    expect(keyless_late.build(), &rules, Err(Invalid));
}

/// One record's bytes, each part as given.
fn record(
    length_change: i64,
    offset: i64,
    key: i64,
    value: i64,
    headers: i64,
    rest: &[u8],
) -> Vec<u8> {
    let mut body = BytesMut::new();
    body.put_u8(0);
    for field in [0, offset, key] {
        put_varlong(&mut body, field);
    }
    body.put_bytes(b'k', usize::try_from(key).unwrap_or(0).min(8));
    put_varlong(&mut body, value);
    body.put_bytes(b'v', usize::try_from(value).unwrap_or(0).min(8));
    put_varlong(&mut body, headers);
    body.put_slice(rest);
    let mut all = BytesMut::new();
    put_varlong(&mut all, body.len() as i64 + length_change);
    all.put_slice(&body);
    all.to_vec()
}

#[test]
fn record_rules_plain_and_compressed() {
    let good = record(0, 0, 2, 3, 0, b"");
    let header = {
        let one = BatchBuilder::new().value(NOW, b"v").build();
        BatchHeader::parse(&one).expect("a batch")
    };
    let row = |records: Vec<u8>, expected: Result<(), Refusal>| {
        for codec in Codec::ALL {
            let mut header = header;
            header.set_codec(codec);
            expect(
                raw(header, &compress(codec, &records), |_| {}),
                &strict(),
                expected,
            );
        }
    };
    row(good.clone(), Ok(()));
    row(record(0, 0, -1, -1, 0, b""), Ok(()));
    row(record(0, 0, -5, -5, 0, b""), Ok(()));
    row(record(0, 0, 0, 0, 1, &[0, 1]), Ok(()));
    row(record(0, 1, 2, 3, 0, b""), Err(Invalid));
    row(record(0, -1, 2, 3, 0, b""), Err(Invalid));
    row(record(1, 0, 2, 3, 0, b""), Err(Invalid));
    row(record(-1, 0, 2, 3, 0, b""), Err(Invalid));
    row(record(-100, 0, 2, 3, 0, b""), Err(Invalid));
    row(
        record(i64::from(i32::MAX) - 100, 0, 2, 3, 0, b""),
        Err(Invalid),
    );
    row(record(0, 0, i64::from(i32::MAX), 3, 0, b""), Err(Invalid));
    row(record(0, 0, 2, 9, 0, b""), Err(Invalid));
    row(record(0, 0, 2, 3, -1, b""), Err(Invalid));
    row(record(0, 0, 2, 3, i64::from(i32::MAX), b""), Err(Invalid));
    row(record(0, 0, 2, 3, 1, b""), Err(Invalid));
    row(record(0, 0, 2, 3, 1, &[1, 1]), Err(Invalid));
    row([good.clone(), good.clone()].concat(), Err(Invalid));
    row([good.clone(), vec![0]].concat(), Err(Invalid));
    row(good[..good.len() - 1].to_vec(), Err(Invalid));
    row(vec![], Err(Invalid));
    row(vec![0x80; 20], Err(Invalid));
    row(vec![0xff; 20], Err(Invalid));
}

#[test]
fn random_damage_never_panics_and_is_never_stored_unseen() {
    let mut rng = Rng::new(11);
    for turn in 0..30_000_u32 {
        let codec = Codec::ALL[turn as usize % 5];
        let mut batch = BatchBuilder::new().codec(codec);
        for _ in 0..1 + rng.below(4) {
            batch = batch.keyed(NOW, b"key", &[b'x'; 40][..rng.below(40) as usize]);
        }
        let mut bytes = batch.build().to_vec();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(bytes.len() as u64) as usize;
            bytes[at] = rng.next_u64() as u8;
        }
        if rng.one_in(8) {
            bytes.truncate(rng.below(bytes.len() as u64) as usize);
        }
        // Half of them get past the CRC.
        if rng.one_in(2) && bytes.len() > BATCH_HEADER {
            let crc = crc32c::crc32c(&bytes[CRC_FROM..]);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        }
        let rules = Rules {
            compacted: rng.one_in(2),
            ..strict()
        };
        if let Ok(batch) = check(bytes.into(), NOW, &rules) {
            let mut stored = BytesMut::new();
            batch.stamp_into(&mut stored, Offset(8), LeaderEpoch(1));
            assert!(verify(&stored).is_ok(), "turn {turn}");
        }
    }
}
