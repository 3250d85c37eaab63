//! Builds batches of magic 2: for tests, the simulator and tools.

use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};

use super::header::{BatchHeader, CRC_FROM, Codec, LENGTH_PREFIX, MAGIC, TimestampType};
use crate::limits::BATCH_HEADER;
use crate::types::{LeaderEpoch, Offset, Timestamp};

/// A record to be: timestamps are absolute.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft<'a> {
    pub timestamp: Timestamp,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// Collects records, then builds one batch. Starts as a producer without idempotence sends it: base offset 0, no
/// producer, no codec.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    codec: Codec,
    records: BytesMut,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    pub fn new() -> BatchBuilder {
        BatchBuilder {
            header: BatchHeader {
                base_offset: Offset(0),
                batch_length: 0,
                leader_epoch: LeaderEpoch(-1),
                magic: MAGIC,
                crc: 0,
                attributes: 0,
                last_offset_delta: -1,
                base_timestamp: Timestamp(-1),
                max_timestamp: Timestamp(-1),
                producer_id: -1,
                producer_epoch: -1,
                base_sequence: -1,
                count: 0,
            },
            codec: Codec::None,
            records: BytesMut::new(),
        }
    }

    pub fn codec(mut self, codec: Codec) -> BatchBuilder {
        self.codec = codec;
        self
    }

    pub fn base_offset(mut self, offset: Offset) -> BatchBuilder {
        self.header.base_offset = offset;
        self
    }

    pub fn leader_epoch(mut self, epoch: LeaderEpoch) -> BatchBuilder {
        self.header.leader_epoch = epoch;
        self
    }

    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> BatchBuilder {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = base_sequence;
        self
    }

    pub fn timestamp_type(mut self, timestamp_type: TimestampType) -> BatchBuilder {
        self.header.set_timestamp_type(timestamp_type);
        self
    }

    /// Adds a record with a value only.
    pub fn value(self, timestamp: Timestamp, value: &[u8]) -> BatchBuilder {
        self.record(&Draft {
            timestamp,
            value: Some(value),
            ..Draft::default()
        })
    }

    /// Adds a record with key and value.
    pub fn keyed(self, timestamp: Timestamp, key: &[u8], value: &[u8]) -> BatchBuilder {
        self.record(&Draft {
            timestamp,
            key: Some(key),
            value: Some(value),
            ..Draft::default()
        })
    }

    pub fn record(mut self, draft: &Draft<'_>) -> BatchBuilder {
        let header = &mut self.header;
        if header.count == 0 {
            header.base_timestamp = draft.timestamp;
            header.max_timestamp = draft.timestamp;
        }
        header.max_timestamp = header.max_timestamp.max(draft.timestamp);
        header.count += 1;
        header.last_offset_delta += 1;
        let mut body = BytesMut::new();
        body.put_u8(0);
        put_varlong(
            &mut body,
            draft.timestamp.0.wrapping_sub(header.base_timestamp.0),
        );
        put_varlong(&mut body, i64::from(header.last_offset_delta));
        put_nullable(&mut body, draft.key);
        put_nullable(&mut body, draft.value);
        put_varlong(&mut body, draft.headers.len() as i64);
        for (key, value) in &draft.headers {
            put_nullable(&mut body, Some(key.as_bytes()));
            put_nullable(&mut body, *value);
        }
        put_varlong(&mut self.records, body.len() as i64);
        self.records.put_slice(&body);
        self
    }

    /// The batch as a producer would send it, or as a log would hold it.
    pub fn build(self) -> Bytes {
        self.build_with(|_| {})
    }

    /// [`BatchBuilder::build`], with a last change to the header before its CRC is computed: for bad batches.
    pub fn build_with(self, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
        let body = compress(self.codec, &self.records);
        let mut header = self.header;
        header.set_codec(self.codec);
        raw(header, &body, change)
    }
}

/// A batch of any body: `batch_length` and `crc` are computed, `change` is called between the two.
pub fn raw(mut header: BatchHeader, body: &[u8], change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    header.batch_length = i32::try_from(BATCH_HEADER - LENGTH_PREFIX + body.len())
        .expect("a batch of less than 2 GiB");
    change(&mut header);
    header.crc = header.crc_with(body);
    let mut bytes = BytesMut::with_capacity(BATCH_HEADER + body.len());
    bytes.put_slice(&header.to_array());
    bytes.put_slice(body);
    debug_assert_eq!(crc32c::crc32c(&bytes[CRC_FROM..]), header.crc);
    bytes.freeze()
}

/// Compresses as Kafka's Java clients do: snappy in xerial's framing.
pub fn compress(codec: Codec, records: &[u8]) -> Vec<u8> {
    const WRITES: &str = "a Vec takes every write";
    match codec {
        Codec::None => records.to_vec(),
        Codec::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(records).expect(WRITES);
            encoder.finish().expect(WRITES)
        }
        Codec::Snappy => {
            let mut out = super::decompress::XERIAL_HEADER.to_vec();
            for block in records.chunks(32 << 10) {
                let block = snap::raw::Encoder::new()
                    .compress_vec(block)
                    .expect("a small block");
                out.extend_from_slice(&(block.len() as u32).to_be_bytes());
                out.extend_from_slice(&block);
            }
            out
        }
        Codec::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(records).expect(WRITES);
            encoder.finish().expect(WRITES)
        }
        Codec::Zstd => zstd::stream::encode_all(records, 3).expect(WRITES),
    }
}

fn put_nullable(into: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varlong(into, -1),
        Some(bytes) => {
            put_varlong(into, bytes.len() as i64);
            into.put_slice(bytes);
        }
    }
}

/// Zigzag varint of up to 10 bytes; one of 32 bits has the same bytes.
pub fn put_varlong(into: &mut BytesMut, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        into.put_u8(raw as u8 | 0x80);
        raw >>= 7;
    }
    into.put_u8(raw as u8);
}
