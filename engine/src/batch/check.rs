//! What a producer sent, judged before it is appended: one batch, its CRC, Kafka's rules, the topic's limits.
//!
//! ```text
//!  records ── one batch? ── header, size, CRC ── range, control, producer ── records or their summary ──► CheckedBatch
//!              InvalidRecord   TooLarge, Corrupt     InvalidRecord              InvalidRecord, InvalidTimestamp
//! ```
//!
//! Order and answers of Apache Kafka 4.3: `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords`,
//! `LogValidator`. Kafka opens every compressed batch; here only where `validate_records` or `compacted` ask for it.
//! Stricter than Kafka in four places, since batches are stored as sent: record offsets must be 0, 1, 2, … (Kafka takes
//! others plain, rewrites them compressed); compressed records must fill their lengths exactly; a producer id wants an
//! epoch; an unknown codec is refused by its name (Kafka: UNKNOWN_SERVER_ERROR).

use bytes::{BufMut, Bytes, BytesMut};

use super::decompress::{self, Bound};
use super::header::{
    BatchHeader, CRC_FROM, Codec, LENGTH_PREFIX, MAGIC, TimestampType, UP_TO_MAGIC, VerifyError,
};
use super::walk::{BadRecords, Cursor, Slice, Step, walk};
use crate::call::AppendError;
use crate::limits::BATCH_HEADER;
use crate::types::{LeaderEpoch, Offset, Timestamp};

/// No timestamp given: allowed whatever the limits are.
const NO_TIMESTAMP: i64 = -1;

/// A topic's rules for what it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// `max.message.bytes`, of the whole batch as sent.
    pub max_bytes: usize,
    /// `segment.bytes`.
    pub segment_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub after_max_ms: i64,
    /// `corelane.validate=records`: compressed batches are opened.
    pub validate_records: bool,
    /// `cleanup.policy` has `compact`: compressed batches are opened, every record needs a key.
    pub compacted: bool,
}

impl Default for Rules {
    /// Kafka's defaults.
    fn default() -> Rules {
        Rules {
            max_bytes: 1_048_588,
            segment_bytes: 1 << 30,
            timestamp_type: TimestampType::Create,
            before_max_ms: i64::MAX,
            after_max_ms: 3_600_000,
            validate_records: false,
            compacted: false,
        }
    }
}

/// A batch that may be appended. The bytes are the client's; what the broker changes is in the header.
#[derive(Clone, Debug)]
pub struct CheckedBatch {
    /// The whole batch as sent.
    bytes: Bytes,
    /// As it will be stored, but for base offset and leader epoch.
    header: BatchHeader,
}

impl CheckedBatch {
    /// Bytes of the whole batch.
    #[expect(clippy::len_without_is_empty, reason = "a batch has a header")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The header as it will be stored, but for base offset and leader epoch.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The header as stored at this place.
    pub fn stamped(&self, base_offset: Offset, epoch: LeaderEpoch) -> BatchHeader {
        BatchHeader {
            base_offset,
            leader_epoch: epoch,
            ..self.header
        }
    }

    /// [`CheckedBatch::stamped`] as bytes, to be followed by [`CheckedBatch::body`].
    pub fn stamped_header(&self, base_offset: Offset, epoch: LeaderEpoch) -> [u8; BATCH_HEADER] {
        self.stamped(base_offset, epoch).to_array()
    }

    /// Everything after the header: a slice of what was received.
    pub fn body(&self) -> Bytes {
        self.bytes.slice(BATCH_HEADER..)
    }

    /// The whole batch as received: header not stamped.
    pub fn received(&self) -> &Bytes {
        &self.bytes
    }

    /// Appends the batch as stored at this place: one copy.
    pub fn stamp_into(&self, dst: &mut BytesMut, base_offset: Offset, epoch: LeaderEpoch) {
        dst.reserve(self.bytes.len());
        dst.put_slice(&self.stamped_header(base_offset, epoch));
        dst.put_slice(&self.bytes[BATCH_HEADER..]);
    }
}

/// Judges the `records` field of a produce request.
pub fn check(records: Bytes, now: Timestamp, rules: &Rules) -> Result<CheckedBatch, AppendError> {
    let bytes = one_batch(records)?;
    let mut header = BatchHeader::parse(&bytes).map_err(|e: VerifyError| corrupt(e.to_string()))?;
    if header.base_offset.0 != 0 {
        return Err(invalid(format!(
            "base offset {} where a client sends 0",
            header.base_offset.0
        )));
    }
    if bytes.len() > rules.max_bytes {
        return Err(AppendError::TooLarge {
            bytes: bytes.len(),
            max: rules.max_bytes,
        });
    }
    let computed = crc32c::crc32c(&bytes[CRC_FROM..]);
    if computed != header.crc {
        return Err(corrupt(format!(
            "crc {:#010x} stored, {computed:#010x} computed",
            header.crc
        )));
    }
    let Some(codec) = header.codec() else {
        return Err(AppendError::UnsupportedCompression);
    };
    check_header(&header)?;
    let body = &bytes[BATCH_HEADER..];
    let max_timestamp = if codec == Codec::None {
        check_records(&mut Slice::new(body), &header, now, rules)?
    } else if rules.validate_records || rules.compacted {
        if !decompress::is_whole(codec, body) {
            return Err(invalid("compressed records have no end"));
        }
        let bound = Bound::for_batch(body.len(), rules.max_bytes);
        decompress::with_cursor(codec, body, bound, |cursor| {
            check_records(cursor, &header, now, rules)
        })
        .map_err(|bad| invalid(bad.to_string()))??
    } else {
        check_summary(&header, now, rules)?
    };
    if bytes.len() > rules.segment_bytes {
        return Err(AppendError::LargerThanSegment {
            bytes: bytes.len(),
            max: rules.segment_bytes,
        });
    }
    let before = header;
    header.set_timestamp_type(rules.timestamp_type);
    header.max_timestamp = match rules.timestamp_type {
        TimestampType::Create => max_timestamp,
        TimestampType::LogAppend => now,
    };
    if header != before {
        header.crc = header.crc_with(body);
    }
    Ok(CheckedBatch { bytes, header })
}

fn invalid(why: impl Into<String>) -> AppendError {
    AppendError::InvalidRecord(why.into())
}

fn corrupt(why: impl Into<String>) -> AppendError {
    AppendError::Corrupt(why.into())
}

/// The one batch of `records`. As in Kafka, a tail too short to be a batch is dropped.
fn one_batch(records: Bytes) -> Result<Bytes, AppendError> {
    let Some(bytes) = next_batch(&records)? else {
        return Err(invalid(
            "a produce request holds one record batch per partition, not none",
        ));
    };
    match records[UP_TO_MAGIC - 1] as i8 {
        MAGIC => {}
        magic => {
            return Err(invalid(format!(
                "record batch of magic {magic}; produce requests hold magic 2 only"
            )));
        }
    }
    if next_batch(&records[bytes..])?.is_some() {
        return Err(invalid(
            "a produce request holds one record batch per partition, not more",
        ));
    }
    Ok(if bytes == records.len() {
        records
    } else {
        records.slice(..bytes)
    })
}

/// Length of the whole batch at the start of `bytes`; `None` where none is complete. Rules of Kafka's
/// `ByteBufferLogInputStream`.
fn next_batch(bytes: &[u8]) -> Result<Option<usize>, AppendError> {
    /// The least that any magic has after the length.
    const RECORD_OVERHEAD_V0: i32 = 14;

    let Some((prefix, _)) = bytes.split_first_chunk::<LENGTH_PREFIX>() else {
        return Ok(None);
    };
    let [.., a, b, c, d] = *prefix;
    let length = i32::from_be_bytes([a, b, c, d]);
    if length < RECORD_OVERHEAD_V0 {
        return Err(corrupt(format!("record batch length {length}")));
    }
    let Some(&magic) = bytes.get(UP_TO_MAGIC - 1) else {
        return Ok(None);
    };
    if !(0..=MAGIC).contains(&(magic as i8)) {
        return Err(corrupt(format!("record batch of magic {}", magic as i8)));
    }
    let total = length as usize + LENGTH_PREFIX;
    Ok((total <= bytes.len()).then_some(total))
}

/// What the header alone must fulfil.
fn check_header(header: &BatchHeader) -> Result<(), AppendError> {
    if header.last_offset_delta < 0 {
        return Err(invalid(format!(
            "last offset delta {}",
            header.last_offset_delta
        )));
    }
    if header.count <= 0 {
        return Err(invalid(format!("record count {}", header.count)));
    }
    if i64::from(header.count) != i64::from(header.last_offset_delta) + 1 {
        return Err(invalid(format!(
            "record count {} with last offset delta {}",
            header.count, header.last_offset_delta
        )));
    }
    if header.is_control() {
        return Err(invalid("clients may not write control records"));
    }
    if header.has_producer() && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return Err(invalid(format!(
            "producer id {} with epoch {} and base sequence {}",
            header.producer_id, header.producer_epoch, header.base_sequence
        )));
    }
    if header.is_transactional() {
        return Err(invalid("this broker has no transactions yet"));
    }
    Ok(())
}

/// Walks the records; returns their largest timestamp.
#[inline]
fn check_records<C: Cursor>(
    cursor: &mut C,
    header: &BatchHeader,
    now: Timestamp,
    rules: &Rules,
) -> Result<Timestamp, AppendError> {
    let base = header.base_timestamp.0;
    let mut range = Range::EMPTY;
    let (mut all_keyed, mut any_keyed) = (true, false);
    walk(cursor, header.count, |seen| {
        if seen.offset_delta != seen.index {
            return Err(BadRecords("record offsets are not 0, 1, 2, …"));
        }
        // As in Kafka, a record refused for its key is not asked for its time.
        let good = seen.has_key | !rules.compacted;
        all_keyed &= good;
        any_keyed |= good;
        if good {
            range.add(base.wrapping_add(seen.timestamp_delta));
        }
        Ok(Step::On)
    })
    .map_err(|bad| invalid(bad.to_string()))?;
    let keyless = || invalid("a compacted topic takes no record without a key");
    if !any_keyed {
        return Err(keyless());
    }
    if header.timestamp_type() == TimestampType::LogAppend {
        // Then the header's largest timestamp is every record's.
        range = Range::EMPTY;
        range.add(header.max_timestamp.0);
    }
    check_timestamps(range, header, now, rules)?;
    if !all_keyed {
        return Err(keyless());
    }
    Ok(Timestamp(range.largest.max(NO_TIMESTAMP)))
}

/// What the header of a batch that is not opened says of its timestamps; returns the largest.
fn check_summary(
    header: &BatchHeader,
    now: Timestamp,
    rules: &Rules,
) -> Result<Timestamp, AppendError> {
    let mut range = Range::EMPTY;
    range.add(header.max_timestamp.0);
    if header.timestamp_type() == TimestampType::Create {
        if header.base_timestamp > header.max_timestamp {
            return Err(invalid(format!(
                "base timestamp {} after max timestamp {}",
                header.base_timestamp.0, header.max_timestamp.0
            )));
        }
        range.add(header.base_timestamp.0);
    }
    check_timestamps(range, header, now, rules)?;
    Ok(header.max_timestamp)
}

/// Smallest and largest timestamp, those without one aside.
#[derive(Clone, Copy)]
struct Range {
    smallest: i64,
    largest: i64,
}

impl Range {
    const EMPTY: Range = Range {
        smallest: i64::MAX,
        largest: i64::MIN,
    };

    #[inline(always)]
    fn add(&mut self, timestamp: i64) {
        if timestamp != NO_TIMESTAMP {
            self.smallest = self.smallest.min(timestamp);
            self.largest = self.largest.max(timestamp);
        }
    }
}

fn check_timestamps(
    range: Range,
    header: &BatchHeader,
    now: Timestamp,
    rules: &Rules,
) -> Result<(), AppendError> {
    let stamped_by_client = header.timestamp_type() == TimestampType::LogAppend;
    let none = range.largest < range.smallest;
    match rules.timestamp_type {
        TimestampType::Create if !none => {
            let first = i128::from(now.0) - i128::from(rules.before_max_ms);
            let last = i128::from(now.0) + i128::from(rules.after_max_ms);
            for timestamp in [range.smallest, range.largest] {
                if !(first..=last).contains(&i128::from(timestamp)) {
                    return Err(AppendError::InvalidTimestamp(format!(
                        "timestamp {timestamp} is not within [{first}, {last}]"
                    )));
                }
            }
            Ok(())
        }
        _ if stamped_by_client => Err(AppendError::InvalidTimestamp(
            "a producer may not set the timestamp type to LogAppendTime".into(),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
