//! Timestamps inside one stored batch: what ListOffsets by timestamp and by maximum needs beyond the index.
//!
//! Rules of Kafka's `FileRecords.searchForTimestamp` and `RecordBatch.offsetOfMaxTimestamp`. A batch whose records do not
//! decode (a compressed one is stored unopened) is answered by its first offset and the header's largest timestamp: who
//! reads from there misses nothing.

use super::decompress::{self, Bound};
use super::header::{BatchHeader, Codec, TimestampType};
use super::walk::{BadRecords, Cursor, Slice, Step, walk};
use crate::limits::BATCH_HEADER;
use crate::types::{Offset, Timestamp};

/// The first record at or after `target` in the stored batch at the start of `batch`; `None`: no such record, or `batch`
/// is not one whole batch.
pub fn scan_for_timestamp(batch: &[u8], target: Timestamp) -> Option<(Offset, Timestamp)> {
    first_at_or_after(batch, |_| target)
}

/// The first record with the batch's largest timestamp, which is returned too; `None`: the records have no timestamp
/// (-1), or `batch` is not one whole batch.
pub fn offset_of_max_timestamp(batch: &[u8]) -> Option<(Offset, Timestamp)> {
    let header = BatchHeader::parse(batch).ok()?;
    if header.max_timestamp.0 < 0 {
        return None;
    }
    first_at_or_after(batch, |header| header.max_timestamp)
}

fn first_at_or_after(batch: &[u8], target: impl Fn(&BatchHeader) -> Timestamp) -> Option<(Offset, Timestamp)> {
    let header = BatchHeader::parse(batch).ok()?;
    let body = batch.get(BATCH_HEADER..header.total_bytes())?;
    let target = target(&header);
    if header.max_timestamp < target {
        return None;
    }
    let first = Some((header.base_offset, header.max_timestamp));
    if header.timestamp_type() == TimestampType::LogAppend {
        return first;
    }
    let found = match header.codec() {
        None => return first,
        Some(Codec::None) => find(&mut Slice::new(body), &header, target),
        Some(codec) => {
            let bound = Bound::for_batch(body.len(), usize::MAX);
            decompress::with_cursor(codec, body, bound, |cursor| find(cursor, &header, target)).and_then(|found| found)
        }
    };
    found.unwrap_or(first)
}

fn find<C: Cursor>(
    cursor: &mut C,
    header: &BatchHeader,
    target: Timestamp,
) -> Result<Option<(Offset, Timestamp)>, BadRecords> {
    let mut found = None;
    walk(cursor, header.count, |seen| {
        let timestamp = Timestamp(header.base_timestamp.0.wrapping_add(seen.timestamp_delta));
        if timestamp < target {
            return Ok(Step::On);
        }
        let offset = header.base_offset.0.saturating_add(i64::from(seen.offset_delta));
        found = Some((Offset(offset), timestamp));
        Ok(Step::Stop)
    })?;
    Ok(found)
}
