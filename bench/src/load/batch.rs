//! Batches made once and stamped per send: a send costs a few hundred bytes of work, whatever the batch's size.
//!
//! ```text
//!   61 bytes header │ codec's own header │ first bytes of record 0, up to the stamp │ everything else
//!   └──────────────────── head, copied and patched per send ───────────────────────┘ └─ tail, shared ─┘
//! ```
//!
//! The stamp (magic, intended time, send id) opens the value of record 0. In a compressed batch the head's share of the
//! records is a block of its own, stored uncompressed, which every decoder accepts. A CRC is linear: that of the tail
//! is known, and moving the head's over the tail is four table look-ups.

use std::io::Write;
use std::sync::Arc;

use super::plan::{Codec, Plan};

/// Opens every stamp.
pub const STAMP_MAGIC: [u8; 8] = *b"CLbench1";
/// Magic, intended time, send id.
pub const STAMP_BYTES: usize = 24;
/// Length of a version 2 batch header.
pub const HEADER_BYTES: usize = 61;
/// The part of the header before the bytes that the CRC covers.
const CRC_FROM: usize = 21;

/// Who sends, for idempotence. `Producer::NONE` without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Producer id, or -1.
    pub id: i64,
    /// Its epoch, or -1.
    pub epoch: i16,
}

impl Producer {
    /// No idempotence.
    pub const NONE: Producer = Producer { id: -1, epoch: -1 };
}

/// A batch that lacks only what differs from send to send.
#[derive(Clone)]
pub struct Template {
    head: Vec<u8>,
    /// Everything behind the stamp; the same for every send.
    pub tail: Arc<[u8]>,
    tail_crc: u32,
    over_tail: Box<[[u32; 256]; 4]>,
    /// Records per batch.
    pub records: u32,
    /// Bytes of the batch as sent.
    pub wire_bytes: u64,
    /// Bytes of the batch before compression, its header included.
    pub plain_bytes: u64,
}

impl Template {
    /// The batch that `plan` describes.
    pub fn new(plan: &Plan) -> Template {
        if plan.codec == Codec::None {
            return Template::encode(plan, 1.0);
        }
        // The share of incompressible pieces that gives the asked ratio, by bisection: the ratio falls as it grows.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..12 {
            let middle = (low + high) / 2.0;
            let made = Template::encode(plan, middle);
            if made.plain_bytes as f64 / made.wire_bytes as f64 > plan.ratio {
                low = middle
            } else {
                high = middle
            }
        }
        Template::encode(plan, high)
    }

    fn encode(plan: &Plan, random_share: f64) -> Template {
        let (plain, stamp_at, records) = records(plan, random_share);
        let (before, after) = plain.split_at(stamp_at + STAMP_BYTES);
        let (mut head, tail) = match plan.codec {
            Codec::None => (before.to_vec(), after.to_vec()),
            Codec::Lz4 => lz4(before, after),
            Codec::Zstd => zstd(before, after),
            Codec::Snappy => snappy(before, after),
        };
        let wire_bytes = (HEADER_BYTES + head.len() + tail.len()) as u64;
        let mut header = Vec::with_capacity(HEADER_BYTES + head.len());
        header.extend_from_slice(&0_i64.to_be_bytes()); // base offset
        header.extend_from_slice(&(wire_bytes as i32 - 12).to_be_bytes());
        header.extend_from_slice(&(-1_i32).to_be_bytes()); // leader epoch
        header.push(2);
        header.extend_from_slice(&0_u32.to_be_bytes()); // crc
        header.extend_from_slice(&plan.codec.number().to_be_bytes());
        header.extend_from_slice(&(records as i32 - 1).to_be_bytes());
        header.extend_from_slice(&[0; 16]); // base and max timestamp
        header.extend_from_slice(&[0xff; 14]); // producer id, epoch, base sequence
        header.extend_from_slice(&(records as i32).to_be_bytes());
        assert_eq!(header.len(), HEADER_BYTES);
        header.append(&mut head);
        let at = header.len() - STAMP_BYTES;
        assert_eq!(header[at..at + 8], STAMP_MAGIC, "the stamp ends the head");
        Template {
            head: header,
            tail_crc: crc32c::crc32c(&tail),
            over_tail: shift_table(tail.len()),
            tail: tail.into(),
            records,
            wire_bytes,
            plain_bytes: (HEADER_BYTES + plain.len()) as u64,
        }
    }

    /// Bytes of the part that [`Template::stamp`] writes.
    pub fn head_bytes(&self) -> usize {
        self.head.len()
    }

    /// Appends the head of one send to `out`; the tail follows it on the wire.
    pub fn stamp(&self, out: &mut Vec<u8>, send: Send) {
        let from = out.len();
        out.extend_from_slice(&self.head);
        let head = &mut out[from..];
        head[27..35].copy_from_slice(&send.timestamp_ms.to_be_bytes());
        head[35..43].copy_from_slice(&send.timestamp_ms.to_be_bytes());
        head[43..51].copy_from_slice(&send.producer.id.to_be_bytes());
        head[51..53].copy_from_slice(&send.producer.epoch.to_be_bytes());
        head[53..57].copy_from_slice(&send.sequence.to_be_bytes());
        let at = head.len() - STAMP_BYTES;
        head[at + 8..at + 16].copy_from_slice(&send.intended.to_be_bytes());
        head[at + 16..at + 24].copy_from_slice(&send.id.to_be_bytes());
        let crc = self.shift(crc32c::crc32c(&head[CRC_FROM..])) ^ self.tail_crc;
        head[17..21].copy_from_slice(&crc.to_be_bytes());
    }

    fn shift(&self, crc: u32) -> u32 {
        let [a, b, c, d] = crc.to_le_bytes().map(usize::from);
        self.over_tail[0][a] ^ self.over_tail[1][b] ^ self.over_tail[2][c] ^ self.over_tail[3][d]
    }
}

/// What differs between two sends of one template.
#[derive(Clone, Copy, Debug)]
pub struct Send {
    /// Nanoseconds of the monotonic clock at which it was due.
    pub intended: u64,
    /// Unique in the run.
    pub id: u64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// For idempotence.
    pub producer: Producer,
    /// Base sequence, or -1.
    pub sequence: i32,
}

/// Intended time and id, where a batch carries them. Looks at `hint` first and leaves there where it found them.
pub fn find_stamp(batch: &[u8], hint: &mut usize) -> Option<(u64, u64)> {
    let at = |from: usize| {
        batch
            .get(from..from + STAMP_BYTES)
            .filter(|stamp| stamp[..8] == STAMP_MAGIC)
    };
    let stamp = at(*hint).or_else(|| {
        // Behind the header come at most a codec's header, the record's lengths and its key.
        let found = (HEADER_BYTES..batch.len().min(HEADER_BYTES + 1024))
            .find(|from| at(*from).is_some())?;
        *hint = found;
        at(found)
    })?;
    let word = |from: usize| {
        stamp[from..from + 8]
            .try_into()
            .map(u64::from_be_bytes)
            .ok()
    };
    Some((word(8)?, word(16)?))
}

/// For every value of each of a CRC's four bytes: that CRC moved over `length` further bytes.
fn shift_table(length: usize) -> Box<[[u32; 256]; 4]> {
    let bits: Vec<u32> = (0..32)
        .map(|bit| crc32c::crc32c_combine(1 << bit, 0, length))
        .collect();
    let mut table = Box::new([[0; 256]; 4]);
    for (byte, row) in table.iter_mut().enumerate() {
        for (value, cell) in row.iter_mut().enumerate() {
            *cell = (0..8)
                .filter(|bit| value >> bit & 1 == 1)
                .fold(0, |sum, bit| sum ^ bits[byte * 8 + bit]);
        }
    }
    table
}

/// The records of one batch, where the stamp begins, and how many there are.
fn records(plan: &Plan, random_share: f64) -> (Vec<u8>, usize, u32) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut dictionary = vec![0; 16 * 256];
    random.fill(&mut dictionary);
    let (mut plain, mut stamp_at, mut count) = (Vec::new(), 0, 0);
    let mut record = Vec::new();
    loop {
        record.clear();
        record.push(0); // attributes
        varint(&mut record, 0); // timestamp delta
        varint(&mut record, count);
        if plan.key_bytes == 0 {
            varint(&mut record, -1);
        } else {
            varint(&mut record, plan.key_bytes as i64);
            let key = record.len();
            record.resize(key + plan.key_bytes as usize, 0);
            random.fill(&mut record[key..]);
        }
        varint(&mut record, plan.record_bytes as i64);
        let value = record.len();
        record.resize(value + plan.record_bytes as usize, 0);
        for piece in record[value..].chunks_mut(16) {
            if random.next() as f64 / u64::MAX as f64 <= random_share {
                random.fill(piece);
            } else {
                let word = (random.next() % 256) as usize * 16;
                piece.copy_from_slice(&dictionary[word..word + piece.len()]);
            }
        }
        if count == 0 {
            record[value..value + 8].copy_from_slice(&STAMP_MAGIC);
        }
        varint(&mut record, 0); // headers
        let mut length = Vec::new();
        varint(&mut length, record.len() as i64);
        let full =
            HEADER_BYTES + plain.len() + length.len() + record.len() > plan.batch_bytes as usize;
        if count > 0 && full {
            return (plain, stamp_at, count as u32);
        }
        if count == 0 {
            stamp_at = length.len() + value;
        }
        plain.extend_from_slice(&length);
        plain.extend_from_slice(&record);
        count += 1;
    }
}

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A frame of independent 64 KiB blocks; the first is stored.
fn lz4(before: &[u8], after: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(after).expect("a Vec takes every byte");
    let frame = encoder.finish().expect("a Vec takes every byte");
    // Magic, flags, block size, header checksum: neither content size nor dictionary was asked for.
    let (header, blocks) = frame.split_at(7);
    let mut head = header.to_vec();
    head.extend_from_slice(&(before.len() as u32 | 1 << 31).to_le_bytes());
    head.extend_from_slice(before);
    (head, blocks.to_vec())
}

/// A frame without content size and checksum; the first block is raw.
fn zstd(before: &[u8], after: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use zstd::zstd_safe::CParameter;
    let mut encoder = zstd::bulk::Compressor::new(3).expect("level 3 exists");
    encoder
        .set_parameter(CParameter::ContentSizeFlag(false))
        .expect("a parameter of every version");
    encoder
        .set_parameter(CParameter::ChecksumFlag(false))
        .expect("a parameter of every version");
    encoder
        .set_parameter(CParameter::WindowLog(21))
        .expect("the window of level 3");
    let frame = encoder.compress(after).expect("memory for one frame");
    // Magic, descriptor, window.
    let (header, blocks) = frame.split_at(6);
    let mut head = header.to_vec();
    head.extend_from_slice(&((before.len() as u32) << 3).to_le_bytes()[..3]);
    head.extend_from_slice(before);
    (head, blocks.to_vec())
}

/// The Java clients' framing: a header, then chunks with a length; the first is one literal.
fn snappy(before: &[u8], after: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut literal = Vec::new();
    let length = before.len();
    let mut rest = length;
    while rest >= 0x80 {
        literal.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    literal.push(rest as u8);
    if length <= 60 {
        literal.push(((length - 1) << 2) as u8);
    } else {
        literal.push(61 << 2);
        literal.extend_from_slice(&(length as u16 - 1).to_le_bytes());
    }
    literal.extend_from_slice(before);
    let mut head = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    head.extend_from_slice(&(literal.len() as u32).to_be_bytes());
    head.extend_from_slice(&literal);
    let mut tail = Vec::new();
    let mut encoder = snap::raw::Encoder::new();
    for chunk in after.chunks(32 << 10) {
        let packed = encoder
            .compress_vec(chunk)
            .expect("a chunk far below snappy's limit");
        tail.extend_from_slice(&(packed.len() as u32).to_be_bytes());
        tail.extend_from_slice(&packed);
    }
    (head, tail)
}

/// SplitMix64: content that no codec packs, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fill(&mut self, to: &mut [u8]) {
        for piece in to.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_le_bytes()[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn batch(plan: &Plan) -> (Template, Vec<u8>) {
        let template = Template::new(plan);
        let mut bytes = Vec::new();
        let send = Send {
            intended: 12_345,
            id: 77,
            timestamp_ms: 99,
            producer: Producer::NONE,
            sequence: -1,
        };
        template.stamp(&mut bytes, send);
        bytes.extend_from_slice(&template.tail);
        (template, bytes)
    }

    fn unpack(codec: Codec, packed: &[u8]) -> Vec<u8> {
        match codec {
            Codec::None => packed.to_vec(),
            Codec::Lz4 => {
                let mut plain = Vec::new();
                lz4_flex::frame::FrameDecoder::new(packed)
                    .read_to_end(&mut plain)
                    .unwrap();
                plain
            }
            Codec::Zstd => zstd::stream::decode_all(packed).unwrap(),
            Codec::Snappy => {
                let (mut rest, mut plain) = (&packed[16..], Vec::new());
                while let Some((length, after)) = rest.split_first_chunk::<4>() {
                    let (chunk, after) = after.split_at(u32::from_be_bytes(*length) as usize);
                    plain.extend(snap::raw::Decoder::new().decompress_vec(chunk).unwrap());
                    rest = after;
                }
                plain
            }
        }
    }

    #[test]
    fn every_codec_unpacks_to_the_same_records_with_the_stamp_and_a_true_crc() {
        for codec in [Codec::None, Codec::Lz4, Codec::Zstd, Codec::Snappy] {
            let plan = Plan {
                codec,
                batch_bytes: 256 << 10,
                ..Plan::standard()
            };
            let (template, bytes) = batch(&plan);
            assert_eq!(bytes.len() as u64, template.wire_bytes);
            assert_eq!(
                crc32c::crc32c(&bytes[21..]).to_be_bytes(),
                bytes[17..21],
                "{codec:?}"
            );
            assert_eq!(find_stamp(&bytes, &mut 0), Some((12_345, 77)), "{codec:?}");
            let plain = unpack(codec, &bytes[HEADER_BYTES..]);
            assert_eq!(
                (plain.len() + HEADER_BYTES) as u64,
                template.plain_bytes,
                "{codec:?}"
            );
            assert!(plain.windows(8).any(|piece| piece == STAMP_MAGIC));
            assert_eq!(plain.last(), Some(&0), "no headers on the last record");
            if codec != Codec::None {
                let ratio = template.plain_bytes as f64 / template.wire_bytes as f64;
                assert!((3.1..3.5).contains(&ratio), "{codec:?} packs to 1/{ratio}");
            }
        }
    }

    #[test]
    fn one_small_record_makes_a_batch() {
        let plan = Plan {
            record_bytes: 100,
            batch_bytes: 0,
            ..Plan::standard()
        };
        let (template, bytes) = batch(&plan);
        assert_eq!(template.records, 1);
        assert_eq!(crc32c::crc32c(&bytes[21..]).to_be_bytes(), bytes[17..21]);
        assert!(bytes.len() < 180);
    }
}
