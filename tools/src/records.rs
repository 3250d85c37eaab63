//! Records of batches, keys and values in hand: what `consume` shows and `produce` sends.

use bytes::Bytes;
use corelane_engine::batch::decompress::{self, Bound};
use corelane_engine::batch::walk::Cursor;
use corelane_engine::batch::{self, BatchHeader};
use corelane_engine::limits::BATCH_HEADER;

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
}

/// A batch opens to at most this much.
const BATCH_BYTES_MAX: u64 = 1 << 30;

/// Hands every record of whole batches to `each`, in order; control batches are passed over. Returns the offset behind
/// the last whole batch, `None` where there is none. A last batch that was cut short is left out, as Kafka answers.
pub(crate) fn read(bytes: &Bytes, mut each: impl FnMut(Record)) -> Result<Option<i64>, String> {
    let mut at = 0;
    let mut end = None;
    while at < bytes.len() {
        let header = match batch::verify(&bytes[at..]) {
            Ok(header) => header,
            Err(batch::VerifyError::Short { .. }) => break,
            Err(error) => return Err(error.to_string()),
        };
        let body = bytes.slice(at + BATCH_HEADER..at + header.total_bytes());
        if !header.is_control() {
            records(&header, body, &mut each)?;
        }
        at += header.total_bytes();
        end = Some(header.end_offset().0);
    }
    Ok(end)
}

fn records(header: &BatchHeader, body: Bytes, each: &mut impl FnMut(Record)) -> Result<(), String> {
    let codec = header.codec().ok_or("an unknown codec")?;
    let body = match codec {
        batch::Codec::None => body,
        _ => Bytes::from(open(codec, &body)?),
    };
    let mut from = Fields { bytes: body };
    for _ in 0..header.count {
        let length = from.length()?.ok_or("a record of negative length")?;
        let mut one = Fields {
            bytes: from.take(length)?,
        };
        one.take(1)?;
        let timestamp = header.base_timestamp.0.wrapping_add(one.varint()?);
        let offset = header.base_offset.0.wrapping_add(one.varint()?);
        let (key, value) = (one.field()?, one.field()?);
        let count = one.varint()?;
        let mut headers = Vec::new();
        for _ in 0..count {
            let name = one.field()?.ok_or("a header without name")?;
            headers.push((String::from_utf8_lossy(&name).into_owned(), one.field()?));
        }
        let timestamp = match header.timestamp_type() {
            batch::TimestampType::Create => timestamp,
            batch::TimestampType::LogAppend => header.max_timestamp.0,
        };
        each(Record {
            offset,
            timestamp,
            key,
            value,
            headers,
        });
    }
    Ok(())
}

fn open(codec: batch::Codec, body: &[u8]) -> Result<Vec<u8>, String> {
    let read = decompress::with_cursor(codec, body, Bound(BATCH_BYTES_MAX), |cursor| {
        let mut opened = Vec::new();
        while !cursor.at_end()? {
            opened.push(cursor.byte()?);
        }
        Ok(opened)
    });
    read.and_then(|opened| opened)
        .map_err(|error| error.to_string())
}

/// Varints and what they measure.
struct Fields {
    bytes: Bytes,
}

impl Fields {
    fn take(&mut self, length: usize) -> Result<Bytes, String> {
        if length > self.bytes.len() {
            return Err("a record ends early".to_owned());
        }
        Ok(self.bytes.split_to(length))
    }

    fn varint(&mut self) -> Result<i64, String> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a varint that is too long".to_owned())
    }

    /// `None`: negative, which is null.
    fn length(&mut self) -> Result<Option<usize>, String> {
        self.varint().map(|length| usize::try_from(length).ok())
    }

    fn field(&mut self) -> Result<Option<Bytes>, String> {
        match self.length()? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }
}

/// The partition that Kafka's clients choose for a key: `toPositive(murmur2(key)) % partitions`.
pub(crate) fn partition_of(key: &[u8], partitions: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % partitions
}

/// `org.apache.kafka.common.utils.Utils.murmur2`.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    for (at, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * at);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use corelane_engine::batch::{BatchBuilder, Codec, Draft};
    use corelane_engine::types::{Offset, Timestamp};

    use super::*;

    #[test]
    fn every_codec_reads_back() {
        for codec in [
            Codec::None,
            Codec::Gzip,
            Codec::Snappy,
            Codec::Lz4,
            Codec::Zstd,
        ] {
            let draft = Draft {
                timestamp: Timestamp(1000),
                key: None,
                value: Some(b"v"),
                headers: vec![("h", Some(b"x")), ("n", None)],
            };
            let batch = BatchBuilder::new()
                .codec(codec)
                .base_offset(Offset(7))
                .keyed(Timestamp(990), b"k", b"")
                .record(&draft)
                .build();
            let mut cut = batch.to_vec();
            cut.extend_from_slice(&batch[..20]);
            let mut seen = Vec::new();
            let end = read(&Bytes::from(cut), |record| seen.push(record));
            assert_eq!(end, Ok(Some(9)), "{codec:?}");
            assert_eq!(
                (seen[0].offset, seen[0].timestamp, seen[0].key.as_deref()),
                (7, 990, Some(&b"k"[..]))
            );
            assert_eq!(
                seen[1].headers,
                [
                    ("h".to_owned(), Some(Bytes::from_static(b"x"))),
                    ("n".to_owned(), None)
                ]
            );
            assert_eq!(
                (seen[1].key.as_deref(), seen[1].value.as_deref()),
                (None, Some(&b"v"[..]))
            );
        }
        assert!(read(&Bytes::from(vec![0; 70]), |_| ()).is_err());
    }

    /// Values of `Utils.murmur2`, from Kafka's own `UtilsTest`.
    #[test]
    fn murmur2_is_kafkas() {
        let cases: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key) as i32, hash, "{key:?}");
        }
    }
}
