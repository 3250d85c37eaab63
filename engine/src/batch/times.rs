//! Timestamps inside one stored batch: what ListOffsets by timestamp and by maximum needs beyond the index.
//!
//! Rules of Kafka's `FileRecords.searchForTimestamp` and `RecordBatch.offsetOfMaxTimestamp`. A batch whose records do not
//! decode (a compressed one is stored unopened), or that grows to more than any batch may, is answered by its first offset
//! and the header's largest timestamp: who reads from there misses nothing.

use super::decompress::{self, Bound};
use super::header::{BatchHeader, Codec, TimestampType};
use super::walk::{BadRecords, Cursor, Slice, Step, walk};
use crate::limits::BATCH_HEADER;
use crate::types::{Offset, Timestamp};

/// The first record at or after `target`, and at or past offset `from`, in the stored batch at the start of `batch`;
/// `None`: no such record, or `batch` is not one whole batch.
pub fn scan_for_timestamp(
    batch: &[u8],
    target: Timestamp,
    from: Offset,
) -> Option<(Offset, Timestamp)> {
    first_at_or_after(batch, |_| target, from)
}

/// The first record with the batch's largest timestamp, which is returned too; `None`: the records have no timestamp
/// (-1), or `batch` is not one whole batch.
pub fn offset_of_max_timestamp(batch: &[u8]) -> Option<(Offset, Timestamp)> {
    let header = BatchHeader::parse(batch).ok()?;
    if header.max_timestamp.0 < 0 {
        return None;
    }
    first_at_or_after(batch, |header| header.max_timestamp, Offset(0))
}

fn first_at_or_after(
    batch: &[u8],
    target: impl Fn(&BatchHeader) -> Timestamp,
    from: Offset,
) -> Option<(Offset, Timestamp)> {
    let header = BatchHeader::parse(batch).ok()?;
    let body = batch.get(BATCH_HEADER..header.total_bytes())?;
    let target = target(&header);
    if header.max_timestamp < target || header.last_offset() < from {
        return None;
    }
    let first = Some((header.base_offset.max(from), header.max_timestamp));
    if header.timestamp_type() == TimestampType::LogAppend {
        return first;
    }
    let found = match header.codec() {
        None => return first,
        Some(Codec::None) => find(&mut Slice::new(body), &header, target, from),
        Some(codec) => {
            let bound = Bound(Bound::ALWAYS);
            decompress::with_cursor(codec, body, bound, |cursor| {
                find(cursor, &header, target, from)
            })
            .and_then(|found| found)
        }
    };
    found.unwrap_or(first)
}

fn find<C: Cursor>(
    cursor: &mut C,
    header: &BatchHeader,
    target: Timestamp,
    from: Offset,
) -> Result<Option<(Offset, Timestamp)>, BadRecords> {
    let mut found = None;
    walk(cursor, header.count, |seen| {
        let timestamp = Timestamp(header.base_timestamp.0.wrapping_add(seen.timestamp_delta));
        let offset = Offset((header.base_offset.0).saturating_add(i64::from(seen.offset_delta)));
        if timestamp < target || offset < from {
            return Ok(Step::On);
        }
        found = Some((offset, timestamp));
        Ok(Step::Stop)
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::batch::build::raw;
    use crate::rng::Rng;

    fn batch(codec: Codec) -> BatchBuilder {
        [50, 10, 70, 70, 60]
            .into_iter()
            .fold(BatchBuilder::new().codec(codec), |b, t| {
                b.value(Timestamp(t), b"value")
            })
            .base_offset(Offset(100))
    }

    fn pair(found: Option<(Offset, Timestamp)>) -> Option<(i64, i64)> {
        found.map(|(offset, timestamp)| (offset.0, timestamp.0))
    }

    #[test]
    fn the_first_record_at_or_after_is_found() {
        for codec in Codec::ALL {
            let bytes = batch(codec).build();
            let at = |target| pair(scan_for_timestamp(&bytes, Timestamp(target), Offset(0)));
            assert_eq!(at(i64::MIN), Some((100, 50)), "{codec:?}");
            assert_eq!(at(50), Some((100, 50)));
            assert_eq!(at(51), Some((102, 70)));
            assert_eq!(at(70), Some((102, 70)));
            assert_eq!(at(71), None);
            assert_eq!(pair(offset_of_max_timestamp(&bytes)), Some((102, 70)));
            let from = |from| pair(scan_for_timestamp(&bytes, Timestamp(50), Offset(from)));
            assert_eq!(from(101), Some((102, 70)));
            assert_eq!(from(104), Some((104, 60)));
            assert_eq!(from(105), None);
        }
    }

    #[test]
    fn append_time_is_the_time_of_every_record() {
        for codec in Codec::ALL {
            let bytes = batch(codec)
                .timestamp_type(TimestampType::LogAppend)
                .build_with(|h| h.max_timestamp = Timestamp(90));
            let at = |target| pair(scan_for_timestamp(&bytes, Timestamp(target), Offset(0)));
            assert_eq!(at(80), Some((100, 90)));
            assert_eq!(at(91), None);
            assert_eq!(pair(offset_of_max_timestamp(&bytes)), Some((100, 90)));
        }
    }

    #[test]
    fn what_grows_without_measure_is_not_opened_to_its_end() {
        let large = vec![0; 9 << 20];
        let bytes = BatchBuilder::new()
            .codec(Codec::Gzip)
            .value(Timestamp(10), &large)
            .value(Timestamp(20), &large)
            .value(Timestamp(30), b"last")
            .build();
        let at = |target| pair(scan_for_timestamp(&bytes, Timestamp(target), Offset(0)));
        assert_eq!(at(10), Some((0, 10)));
        assert_eq!(at(30), Some((0, 30)), "the batch, not the record");
    }

    #[test]
    fn odd_batches_lose_no_record() {
        // Stored unopened: the body is no zstd, or the header claims too large a timestamp.
        let header = BatchHeader::parse(&batch(Codec::Zstd).build()).expect("a batch");
        let garbage = raw(header, b"this is no zstd", |_| {});
        let at =
            |bytes: &[u8], target| pair(scan_for_timestamp(bytes, Timestamp(target), Offset(0)));
        assert_eq!(at(&garbage, 60), Some((100, 70)));
        assert_eq!(at(&garbage, 71), None);
        let claims = batch(Codec::Gzip).build_with(|h| h.max_timestamp = Timestamp(1000));
        assert_eq!(at(&claims, 500), None);
        let untimed = BatchBuilder::new().value(Timestamp(-1), b"v").build();
        assert_eq!(offset_of_max_timestamp(&untimed), None);
        let mut rng = Rng::new(5);
        for turn in 0..20_000_usize {
            let mut damaged = batch(Codec::ALL[turn % 5]).build().to_vec();
            for _ in 0..1 + rng.below(3) {
                let at = rng.below(damaged.len() as u64) as usize;
                damaged[at] = rng.next_u64() as u8;
            }
            damaged.truncate(rng.below(2 * damaged.len() as u64) as usize);
            scan_for_timestamp(&damaged, Timestamp(rng.below(100) as i64), Offset(0));
            offset_of_max_timestamp(&damaged);
        }
    }
}
