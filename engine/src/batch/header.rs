//! The 61-byte header of a record batch of magic 2: fields, stamping, and the check of a stored batch.
//!
//! ```text
//!   0 base_offset i64        ┐ not covered by the CRC:
//!   8 batch_length i32       │ the log stamps base_offset
//!  12 leader_epoch i32       │ and leader_epoch
//!  16 magic i8               ┘
//!  17 crc u32                ── CRC-32C of 21..
//!  21 attributes i16         bits 0-2 codec, 3 log append time, 4 transactional, 5 control, 6 has delete horizon
//!  23 last_offset_delta i32
//!  27 base_timestamp i64     35 max_timestamp i64
//!  43 producer_id i64        51 producer_epoch i16    53 base_sequence i32
//!  57 count i32              61 records
//! ```
//!
//! Source: `org.apache.kafka.common.record.internal.DefaultRecordBatch` of Apache Kafka 4.3, KIP-98.

use crate::limits::BATCH_HEADER;
use crate::types::{LeaderEpoch, Offset, Timestamp};

/// Bytes before those that `batch_length` counts: base offset and the length itself.
pub const LENGTH_PREFIX: usize = 12;
/// Bytes up to and with the magic byte.
pub const UP_TO_MAGIC: usize = 17;
/// Where the bytes begin that the CRC covers.
pub const CRC_FROM: usize = 21;
/// The only magic served.
pub const MAGIC: i8 = 2;

const CODEC_MASK: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;

/// Whose clock a record's timestamp is: the topic config `message.timestamp.type`, and bit 3 of a batch's attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimestampType {
    #[default]
    Create,
    LogAppend,
}

/// How the records after the header are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    pub const ALL: [Codec; 5] = [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];

    /// The codec's number in the attributes.
    pub fn id(self) -> i16 {
        match self {
            Codec::None => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
        }
    }
}

/// A parsed header. `batch_length` is at least 49 and `magic` is 2; nothing else is proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchHeader {
    pub base_offset: Offset,
    /// Bytes after this field: see [`BatchHeader::total_bytes`].
    pub batch_length: i32,
    pub leader_epoch: LeaderEpoch,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: Timestamp,
    pub max_timestamp: Timestamp,
    /// -1: none.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
}

/// Why bytes are not a stored batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VerifyError {
    /// The slice ends before the batch does; so do the zeros after a log's end, except that they are longer.
    #[error("{have} bytes where the batch has {need}")]
    Short { need: usize, have: usize },
    #[error("magic {0} where only 2 is served")]
    Magic(i8),
    #[error("batch length {0}, less than a header")]
    Length(i32),
    #[error("crc {stored:#010x} stored, {computed:#010x} computed")]
    Crc { stored: u32, computed: u32 },
    /// Negative offsets or counts, or a count that is not last offset delta + 1 (compaction aside).
    #[error("offset range or count out of order")]
    Range,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which may be longer or shorter than the batch.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, VerifyError> {
        let Some((h, _)) = bytes.split_first_chunk::<BATCH_HEADER>() else {
            return Err(VerifyError::Short {
                need: BATCH_HEADER,
                have: bytes.len(),
            });
        };
        let header = BatchHeader::from_array(h);
        if header.magic != MAGIC {
            return Err(VerifyError::Magic(header.magic));
        }
        if header.batch_length < (BATCH_HEADER - LENGTH_PREFIX) as i32 {
            return Err(VerifyError::Length(header.batch_length));
        }
        Ok(header)
    }

    fn from_array(h: &[u8; BATCH_HEADER]) -> BatchHeader {
        BatchHeader {
            base_offset: Offset(i64::from_be_bytes(field(h, 0))),
            batch_length: i32::from_be_bytes(field(h, 8)),
            leader_epoch: LeaderEpoch(i32::from_be_bytes(field(h, 12))),
            magic: i8::from_be_bytes(field(h, 16)),
            crc: u32::from_be_bytes(field(h, 17)),
            attributes: i16::from_be_bytes(field(h, 21)),
            last_offset_delta: i32::from_be_bytes(field(h, 23)),
            base_timestamp: Timestamp(i64::from_be_bytes(field(h, 27))),
            max_timestamp: Timestamp(i64::from_be_bytes(field(h, 35))),
            producer_id: i64::from_be_bytes(field(h, 43)),
            producer_epoch: i16::from_be_bytes(field(h, 51)),
            base_sequence: i32::from_be_bytes(field(h, 53)),
            count: i32::from_be_bytes(field(h, 57)),
        }
    }

    /// The header as stored.
    pub fn to_array(&self) -> [u8; BATCH_HEADER] {
        let mut h = [0; BATCH_HEADER];
        h[0..8].copy_from_slice(&self.base_offset.0.to_be_bytes());
        h[8..12].copy_from_slice(&self.batch_length.to_be_bytes());
        h[12..16].copy_from_slice(&self.leader_epoch.0.to_be_bytes());
        h[16..17].copy_from_slice(&self.magic.to_be_bytes());
        h[17..21].copy_from_slice(&self.crc.to_be_bytes());
        h[21..23].copy_from_slice(&self.attributes.to_be_bytes());
        h[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        h[27..35].copy_from_slice(&self.base_timestamp.0.to_be_bytes());
        h[35..43].copy_from_slice(&self.max_timestamp.0.to_be_bytes());
        h[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        h[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        h[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        h[57..61].copy_from_slice(&self.count.to_be_bytes());
        h
    }

    /// Bytes of the whole batch, header included.
    pub fn total_bytes(&self) -> usize {
        self.batch_length as usize + LENGTH_PREFIX
    }

    pub fn last_offset(&self) -> Offset {
        Offset(
            self.base_offset
                .0
                .saturating_add(i64::from(self.last_offset_delta)),
        )
    }

    /// The offset after the batch: `last_offset() + 1`.
    pub fn end_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// `None`: one of the three numbers that no codec has.
    pub fn codec(&self) -> Option<Codec> {
        Some(match self.attributes & CODEC_MASK {
            0 => Codec::None,
            1 => Codec::Gzip,
            2 => Codec::Snappy,
            3 => Codec::Lz4,
            4 => Codec::Zstd,
            _ => return None,
        })
    }

    pub fn set_codec(&mut self, codec: Codec) {
        self.attributes = (self.attributes & !CODEC_MASK) | codec.id();
    }

    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & LOG_APPEND_TIME == 0 {
            TimestampType::Create
        } else {
            TimestampType::LogAppend
        }
    }

    pub fn set_timestamp_type(&mut self, timestamp_type: TimestampType) {
        match timestamp_type {
            TimestampType::Create => self.attributes &= !LOG_APPEND_TIME,
            TimestampType::LogAppend => self.attributes |= LOG_APPEND_TIME,
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// The sequence of the last record: sequences wrap from 2^31 - 1 to 0.
    pub fn last_sequence(&self) -> i32 {
        sequence_after(self.base_sequence, self.last_offset_delta)
    }

    /// Whether its offsets and its count can be: what the CRC does not say.
    pub fn in_order(&self) -> bool {
        let last = i64::from(self.last_offset_delta);
        self.base_offset.0 >= 0
            && last >= 0
            && self.count >= 0
            && i64::from(self.count) <= last + 1
            && self.base_offset.0.checked_add(last).is_some()
    }

    /// CRC-32C of the header's covered bytes and `records`, as `crc` should have it.
    pub fn crc_with(&self, records: &[u8]) -> u32 {
        let head = crc32c::crc32c(&self.to_array()[CRC_FROM..]);
        crc32c::crc32c_append(head, records)
    }
}

/// The sequence `by` records after `sequence`; both not negative. Wraps from 2^31 - 1 to 0.
pub fn sequence_after(sequence: i32, by: i32) -> i32 {
    (i64::from(sequence) + i64::from(by)).rem_euclid(1 << 31) as i32
}

fn field<const N: usize>(h: &[u8; BATCH_HEADER], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&h[at..at + N]);
    bytes
}

/// Checks the one stored batch at the start of `bytes`: whole, magic 2, CRC, offsets in order. Bytes after it are
/// ignored. A run of zeros, as after a log's end, is `Magic(0)`.
pub fn verify(bytes: &[u8]) -> Result<BatchHeader, VerifyError> {
    let header = BatchHeader::parse(bytes)?;
    let Some(batch) = bytes.get(..header.total_bytes()) else {
        return Err(VerifyError::Short {
            need: header.total_bytes(),
            have: bytes.len(),
        });
    };
    let computed = crc32c::crc32c(&batch[CRC_FROM..]);
    if computed != header.crc {
        return Err(VerifyError::Crc {
            stored: header.crc,
            computed,
        });
    }
    // A compacted batch has fewer records than its range; none has more.
    if header.in_order() {
        Ok(header)
    } else {
        Err(VerifyError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::rng::Rng;

    #[test]
    fn fields_survive_the_round_trip() {
        let mut rng = Rng::new(1);
        for _ in 0..1000 {
            let mut bytes = [0; BATCH_HEADER];
            bytes.fill_with(|| rng.next_u64() as u8);
            let header = BatchHeader::from_array(&bytes);
            assert_eq!(header.to_array(), bytes);
        }
    }

    #[test]
    fn flags_and_codecs() {
        let bytes = BatchBuilder::new().value(Timestamp(5), b"v").build();
        let mut header = BatchHeader::parse(&bytes).expect("a batch");
        assert_eq!(header.total_bytes(), bytes.len());
        for codec in Codec::ALL {
            header.set_codec(codec);
            assert_eq!(header.codec(), Some(codec));
        }
        for id in 5..8 {
            header.attributes = id;
            assert_eq!(header.codec(), None);
        }
        header.attributes = 0x3c;
        assert!(header.is_transactional() && header.is_control());
        assert_eq!(header.timestamp_type(), TimestampType::LogAppend);
        assert_eq!(sequence_after(i32::MAX, 1), 0);
        assert_eq!(sequence_after(i32::MAX - 1, 5), 3);
    }

    #[test]
    fn verifies_what_is_whole_and_undamaged() {
        let batch = BatchBuilder::new()
            .base_offset(Offset(40))
            .value(Timestamp(7), b"one")
            .value(Timestamp(8), b"two")
            .build();
        let mut log = batch.to_vec();
        log.extend_from_slice(&[0; 100]);
        let header = verify(&log).expect("a batch and a zero tail");
        assert_eq!(
            (header.last_offset(), header.end_offset()),
            (Offset(41), Offset(42))
        );
        assert_eq!(verify(&log[batch.len()..]), Err(VerifyError::Magic(0)));
        for end in 0..batch.len() {
            assert!(
                matches!(verify(&batch[..end]), Err(VerifyError::Short { .. })),
                "cut at {end}"
            );
        }
        let mut rng = Rng::new(9);
        for at in 16..batch.len() {
            let mut damaged = batch.to_vec();
            damaged[at] ^= 1 << rng.below(8);
            assert!(verify(&damaged).is_err(), "byte {at}");
        }
        for _ in 0..50_000 {
            let mut bytes = vec![0; rng.below(200) as usize];
            bytes.fill_with(|| rng.next_u64() as u8);
            if let Some(magic) = bytes.get_mut(16) {
                *magic = 2;
            }
            assert!(verify(&bytes).is_err());
        }
    }

    #[test]
    fn an_order_that_no_log_has_is_refused_in_spite_of_its_crc() {
        let change = |change: fn(&mut BatchHeader)| {
            let bytes = BatchBuilder::new()
                .value(Timestamp(7), b"one")
                .build_with(change);
            verify(&bytes)
        };
        assert_eq!(
            change(|h| h.base_offset = Offset(-1)),
            Err(VerifyError::Range)
        );
        assert_eq!(
            change(|h| h.base_offset = Offset(i64::MAX)).map(|h| h.end_offset()),
            Ok(Offset(i64::MAX))
        );
        assert_eq!(
            change(|h| h.last_offset_delta = -1),
            Err(VerifyError::Range)
        );
        assert_eq!(change(|h| h.count = 2), Err(VerifyError::Range));
        assert_eq!(change(|h| h.count = -1), Err(VerifyError::Range));
        assert!(change(|h| h.last_offset_delta = 5).is_ok(), "compacted");
        assert_eq!(
            change(|h| h.batch_length = 48),
            Err(VerifyError::Length(48))
        );
        assert_eq!(
            change(|h| h.batch_length = -12),
            Err(VerifyError::Length(-12))
        );
    }
}
