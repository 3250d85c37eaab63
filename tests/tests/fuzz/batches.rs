//! What producers send inside their requests: batches, bent before and behind their CRC, and compressed records.

use bytes::Bytes;
use corelane_engine::batch::decompress::{Bound, is_whole, with_cursor};
use corelane_engine::batch::header::CRC_FROM;
use corelane_engine::batch::walk::{Cursor, Slice, Step, walk};
use corelane_engine::batch::{
    BatchBuilder, Codec, Draft, Rules, TimestampType, check, offset_of_max_timestamp,
    scan_for_timestamp, verify,
};
use corelane_engine::limits::BATCH_HEADER;
use corelane_engine::rng::Rng;
use corelane_engine::types::{LeaderEpoch, Offset, Timestamp};

use crate::target::{Memory, Target, USUAL, word, word_of};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// What the codecs hold of themselves: lz4 two blocks of 4 MiB and what it links them by, the others less. zstd's own memory
/// is C's and not counted.
const CODEC_BYTES: u64 = 13 << 20;

#[test]
fn record_batch() {
    Target {
        name: "record_batch",
        memory: Memory {
            fixed: CODEC_BYTES,
            per_byte: 64,
        },
        generate: &|rng| {
            let mut bytes = vec![rng.next_u64() as u8];
            bytes.extend_from_slice(&batch(rng));
            bytes
        },
        check: &judged,
        ..USUAL
    }
    .run();
}

/// A sound batch of a few records.
fn batch(rng: &mut Rng) -> Bytes {
    let codec = Codec::ALL[rng.below(Codec::ALL.len() as u64) as usize];
    let mut builder = BatchBuilder::new().codec(codec);
    if rng.one_in(3) {
        builder = builder.producer(
            rng.below(100) as i64,
            rng.below(3) as i16,
            rng.below(50) as i32,
        );
    }
    for _ in 0..1 + rng.below(5) {
        let value = vec![rng.next_u64() as u8; rng.below(120) as usize];
        let key = vec![b'k'; rng.below(9) as usize];
        let headers = (0..rng.below(3)).map(|_| ("h", Some(&b"v"[..])));
        builder = builder.record(&Draft {
            timestamp: Timestamp(NOW.0 + rng.below(100) as i64),
            key: rng.one_in(2).then_some(&key[..]),
            value: (!rng.one_in(8)).then_some(&value[..]),
            headers: headers.collect(),
        });
    }
    builder.build()
}

/// The first byte chooses the topic's rules, and whether the CRC is mended: a producer can send any bytes with a right one.
fn judged(input: &[u8]) -> u64 {
    let Some((&options, batch)) = input.split_first() else {
        return 0;
    };
    let has = |bit: u8| options & (1 << bit) != 0;
    let mut bytes = batch.to_vec();
    if !has(0) && bytes.len() > BATCH_HEADER {
        let length = bytes[8..12].try_into().map_or(0, i32::from_be_bytes);
        let end = (length as usize).saturating_add(12);
        if let Some(checked) = bytes.get(CRC_FROM..end) {
            let crc = crc32c::crc32c(checked);
            bytes[CRC_FROM - 4..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
        }
    }
    let rules = Rules {
        validate_records: !has(1),
        compacted: has(2) && has(3),
        timestamp_type: match has(4) {
            true => TimestampType::LogAppend,
            false => TimestampType::Create,
        },
        ..Rules::default()
    };
    // Whatever a stored segment holds is looked at in these ways.
    let stored = [
        word_of(&verify(&bytes)),
        word_of(&offset_of_max_timestamp(&bytes)),
    ];
    let _ = scan_for_timestamp(&bytes, Timestamp(NOW.0 + 50), Offset(0));
    match check(Bytes::from(bytes), NOW, &rules) {
        Err(error) => word(&[0, word_of(&error)]),
        Ok(checked) => {
            let mut place = bytes::BytesMut::new();
            checked.stamp_into(&mut place, Offset(7_000), LeaderEpoch(3));
            let header = verify(&place).expect("what is stored is sound");
            assert_eq!(header.base_offset, Offset(7_000));
            assert_eq!(header.last_offset().0, 7_000 + i64::from(header.count) - 1);
            assert!(header.count > 0, "{header:?}");
            let codec = header.codec().expect("known");
            if codec == Codec::None || rules.validate_records {
                assert_eq!(
                    records(codec, &place[BATCH_HEADER..], header.count),
                    header.count
                );
            }
            word(&[
                1,
                codec as u64,
                u64::from(options & 0b11110),
                stored[0],
                stored[1],
            ])
        }
    }
}

/// Counts the records, whose offsets are 0, 1, 2, ….
fn records(codec: Codec, body: &[u8], count: i32) -> i32 {
    fn counted(cursor: &mut impl Cursor, count: i32) -> i32 {
        let mut seen = 0;
        walk(cursor, count, |record| {
            assert_eq!(record.offset_delta, seen);
            seen += 1;
            Ok(Step::On)
        })
        .expect("checked records");
        seen
    }
    match codec {
        Codec::None => counted(&mut Slice::new(body), count),
        Codec::Gzip | Codec::Snappy | Codec::Lz4 | Codec::Zstd => {
            let bound = Bound::for_batch(body.len(), Rules::default().max_bytes);
            with_cursor(codec, body, bound, |cursor| counted(cursor, count)).expect("checked")
        }
    }
}

/// Never more than the bound comes out, whatever is claimed.
fn decompress(name: &'static str, codec: Codec) {
    let compressed = |rng: &mut Rng| {
        let mut records = Vec::new();
        for _ in 0..1 + rng.below(6) {
            let length = match rng.below(4) {
                // A bomb is small.
                0 => 60_000 * (1 + rng.below(8)),
                _ => rng.below(400),
            } as usize;
            match rng.one_in(2) {
                true => records.resize(records.len() + length, rng.next_u64() as u8),
                false => records.extend((0..length.min(2_000)).map(|_| rng.next_u64() as u8)),
            }
        }
        corelane_engine::batch::build::compress(codec, &records)
    };
    Target {
        name,
        memory: Memory {
            fixed: CODEC_BYTES,
            // One snappy block, and its copy.
            per_byte: 64,
        },
        generate: &compressed,
        check: &|input| {
            const MOST: u64 = 200_000;
            let whole = is_whole(codec, input);
            let mut out = 0_u64;
            let end = with_cursor(codec, input, Bound(MOST), |cursor| {
                loop {
                    match cursor.at_end() {
                        Ok(true) => return Ok(()),
                        Ok(false) => {}
                        Err(error) => return Err(error),
                    }
                    cursor.byte()?;
                    out += 1;
                    assert!(out <= MOST, "more than the bound came out");
                    assert_eq!(cursor.position(), out);
                }
            });
            word(&[
                u64::from(whole),
                word_of(&end),
                u64::from(out.checked_ilog2().unwrap_or(0)),
            ])
        },
        ..USUAL
    }
    .run();
}

#[test]
fn decompress_gzip() {
    decompress("decompress_gzip", Codec::Gzip);
}

#[test]
fn decompress_snappy() {
    decompress("decompress_snappy", Codec::Snappy);
}

#[test]
fn decompress_lz4() {
    decompress("decompress_lz4", Codec::Lz4);
}

#[test]
fn decompress_zstd() {
    decompress("decompress_zstd", Codec::Zstd);
}
