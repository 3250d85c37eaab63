//! The records of a compressed batch as a stream through a small window, with a bound on what may come out.
//!
//! ```text
//!  body ── codec ──► window of 16 KiB ──► walk            memory: the codec's own state and the window
//!              └─ more than the bound ──► refused
//! ```
//!
//! What a codec holds while it runs: gzip 32 KiB; lz4 its block size twice, 8 MiB at most; zstd its window, 128 MiB
//! at most (as in Kafka; touched only as far as output is written); snappy one block, at most 22 times its compressed
//! bytes, since no copy of three bytes makes more than 64.

use std::io::{self, Read};

use super::header::Codec;
use super::walk::{BadRecords, Cursor};

/// The header of xerial's snappy framing, as Kafka's Java clients write it: magic, version 1, compatible with 1.
pub const XERIAL_HEADER: [u8; 16] = [
    0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1,
];
const XERIAL_MAGIC: usize = 8;

const WINDOW: usize = 16 << 10;
/// log2 of zstd's largest window: what levels up to 22 use and Kafka's decoder accepts.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const SNAPPY_RATIO_MAX: usize = 22;

/// How many bytes may come out of one batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound(pub u64);

impl Bound {
    /// Any batch may grow to this much.
    pub const ALWAYS: u64 = 16 << 20;
    /// Larger ones may grow to this many times their compressed bytes.
    pub const RATIO: u64 = 256;
    /// And to this many times `max.message.bytes`.
    pub const LIMIT_RATIO: u64 = 64;

    /// `body`: compressed bytes. `max_bytes`: `max.message.bytes`.
    pub fn for_batch(body: usize, max_bytes: usize) -> Bound {
        let by_size = Bound::RATIO.saturating_mul(body as u64);
        let by_limit = Bound::LIMIT_RATIO.saturating_mul(max_bytes as u64);
        Bound(by_size.min(by_limit).max(Bound::ALWAYS))
    }
}

const UNDECODABLE: BadRecords = BadRecords("compressed records do not decode");
const TOO_MUCH: BadRecords = BadRecords("compressed records grow beyond the bound");

/// Opens `body` and gives its output to `read`. Fails only where the codec's first bytes are refused; what goes wrong
/// later is answered by the cursor.
pub fn with_cursor<R>(
    codec: Codec,
    body: &[u8],
    bound: Bound,
    read: impl FnOnce(&mut Window<'_>) -> R,
) -> Result<R, BadRecords> {
    Ok(match codec {
        Codec::None => read(&mut Window::new(&mut &body[..], bound)),
        Codec::Gzip => read(&mut Window::new(
            &mut flate2::bufread::MultiGzDecoder::new(body),
            bound,
        )),
        Codec::Snappy => read(&mut Window::new(&mut Snappy::new(body, bound)?, bound)),
        Codec::Lz4 => read(&mut Window::new(
            &mut lz4_flex::frame::FrameDecoder::new(body),
            bound,
        )),
        Codec::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(body).map_err(|_| UNDECODABLE)?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(|_| UNDECODABLE)?;
            read(&mut Window::new(&mut decoder, bound))
        }
    })
}

/// Whether the body's frame comes to its end. Only lz4 needs to be asked: its decoder takes the end of the bytes for the
/// end of the frame, while Kafka's consumers fail where the end mark is missing.
pub fn is_whole(codec: Codec, body: &[u8]) -> bool {
    match codec {
        Codec::Lz4 => lz4_ends(body).is_some(),
        Codec::None | Codec::Gzip | Codec::Snappy | Codec::Zstd => true,
    }
}

/// Where the first frame's end mark ends, going from block to block.
fn lz4_ends(body: &[u8]) -> Option<usize> {
    const CONTENT_SIZE: u8 = 1 << 3;
    const BLOCK_CHECKSUMS: u8 = 1 << 4;
    const DICTIONARY: u8 = 1;
    const PLAIN: u32 = 1 << 31;

    let flags = *body.get(4)?;
    let has = |flag: u8, bytes: usize| if flags & flag == 0 { 0 } else { bytes };
    // Magic, flags, block size and header checksum at least.
    let mut at = 7 + has(CONTENT_SIZE, 8) + has(DICTIONARY, 4);
    loop {
        let length = u32::from_le_bytes(*body.get(at..)?.first_chunk()?);
        at += 4;
        if length == 0 {
            return Some(at);
        }
        at += (length & !PLAIN) as usize + has(BLOCK_CHECKSUMS, 4);
    }
}

/// A cursor over a codec's output.
pub struct Window<'a> {
    source: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    /// Bytes taken before `buffer[0]`.
    passed: u64,
    /// Bytes that may still come out of the source.
    left: u64,
}

impl<'a> Window<'a> {
    fn new(source: &'a mut dyn Read, bound: Bound) -> Window<'a> {
        Window {
            source,
            buffer: vec![0; WINDOW],
            at: 0,
            filled: 0,
            passed: 0,
            left: bound.0,
        }
    }

    /// Everything in the buffer is taken; gets more. False: there is no more.
    #[cold]
    #[inline(never)]
    fn refill(&mut self) -> Result<bool, BadRecords> {
        self.passed += self.filled as u64;
        self.at = 0;
        self.filled = 0;
        self.filled = loop {
            match self.source.read(&mut self.buffer) {
                Ok(bytes) => break bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(UNDECODABLE),
            }
        };
        self.left = self.left.checked_sub(self.filled as u64).ok_or(TOO_MUCH)?;
        Ok(self.filled > 0)
    }
}

impl Cursor for Window<'_> {
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, BadRecords> {
        if self.at == self.filled && !self.refill()? {
            return Err(BadRecords("records end before the declared count"));
        }
        let byte = self.buffer[self.at];
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), BadRecords> {
        let mut left = bytes;
        loop {
            let here = ((self.filled - self.at) as u64).min(left);
            self.at += here as usize;
            left -= here;
            if left == 0 {
                return Ok(());
            }
            if !self.refill()? {
                return Err(BadRecords("records end before the declared count"));
            }
        }
    }

    fn position(&self) -> u64 {
        self.passed + self.at as u64
    }

    fn at_end(&mut self) -> Result<bool, BadRecords> {
        Ok(self.at == self.filled && !self.refill()?)
    }
}

/// Snappy in xerial's framing (blocks of a big-endian length each), or one raw block, as librdkafka sends.
struct Snappy<'a> {
    rest: &'a [u8],
    framed: bool,
    block: Vec<u8>,
    at: usize,
    bound: Bound,
}

impl<'a> Snappy<'a> {
    fn new(body: &'a [u8], bound: Bound) -> Result<Snappy<'a>, BadRecords> {
        let framed = body.starts_with(&XERIAL_HEADER[..XERIAL_MAGIC]);
        let rest = if framed {
            // Versions are not compared: Kafka does not either.
            body.get(XERIAL_HEADER.len()..).ok_or(UNDECODABLE)?
        } else {
            body
        };
        Ok(Snappy {
            rest,
            framed,
            block: Vec::new(),
            at: 0,
            bound,
        })
    }

    /// Decodes the next block; false: there is none.
    fn next(&mut self) -> Result<bool, BadRecords> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        let block = if self.framed {
            let (length, rest) = self.rest.split_first_chunk::<4>().ok_or(UNDECODABLE)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (block, rest) = rest.split_at_checked(length).ok_or(UNDECODABLE)?;
            self.rest = rest;
            block
        } else {
            std::mem::take(&mut self.rest)
        };
        let bytes = snap::raw::decompress_len(block).map_err(|_| UNDECODABLE)?;
        if bytes > block.len().saturating_mul(SNAPPY_RATIO_MAX) {
            return Err(UNDECODABLE);
        }
        if bytes as u64 > self.bound.0 {
            return Err(TOO_MUCH);
        }
        self.block.resize(bytes, 0);
        self.at = 0;
        let written = snap::raw::Decoder::new()
            .decompress(block, &mut self.block)
            .map_err(|_| UNDECODABLE)?;
        self.block.truncate(written);
        Ok(true)
    }
}

impl Read for Snappy<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A loop: a block may be empty.
        while self.at == self.block.len() {
            if !self.next().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let bytes = into.len().min(self.block.len() - self.at);
        into[..bytes].copy_from_slice(&self.block[self.at..self.at + bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::build::compress;
    use crate::rng::Rng;

    /// Takes everything; returns how much there was.
    fn drain(codec: Codec, body: &[u8], bound: Bound) -> Result<u64, BadRecords> {
        with_cursor(codec, body, bound, |cursor| {
            while !cursor.at_end()? {
                cursor.byte()?;
            }
            Ok(cursor.position())
        })?
    }

    #[test]
    fn all_that_went_in_comes_out() {
        let mut rng = Rng::new(1);
        let mut records = vec![0; 300_000];
        records.fill_with(|| (rng.next_u64() & 15) as u8);
        for codec in Codec::ALL {
            let body = compress(codec, &records);
            let bound = Bound(records.len() as u64);
            assert_eq!(drain(codec, &body, bound), Ok(300_000), "{codec:?}");
            let taken = with_cursor(codec, &body, bound, |cursor| {
                cursor.skip(123_456)?;
                cursor.byte()
            });
            assert_eq!(taken, Ok(Ok(records[123_456])), "{codec:?}");
            let past = with_cursor(codec, &body, bound, |cursor| cursor.skip(300_001));
            assert!(past.expect("opens").is_err(), "{codec:?}");
            let less = Bound(299_999);
            assert!(drain(codec, &body, less).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 64 << 20];
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let body = compress(codec, &zeros);
            let bound = Bound::for_batch(body.len().min(60_000), 1 << 20);
            assert_eq!(bound, Bound(Bound::ALWAYS));
            assert_eq!(drain(codec, &body, bound), Err(TOO_MUCH));
        }
        assert_eq!(Bound::for_batch(1 << 20, 1 << 20), Bound(64 << 20));
    }

    #[test]
    fn an_lz4_frame_without_its_end_is_not_whole() {
        let body = compress(Codec::Lz4, &[7; 300_000]);
        assert!(is_whole(Codec::Lz4, &body));
        for end in 0..body.len() {
            assert!(!is_whole(Codec::Lz4, &body[..end]), "{end}");
        }
    }

    #[test]
    fn snappy_claims_allocate_nothing() {
        // A raw block that claims 4 GiB - 1, and a frame that claims 2 GiB of block.
        let raw = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        let bound = Bound(Bound::ALWAYS);
        assert_eq!(drain(Codec::Snappy, &raw, bound), Err(UNDECODABLE));
        let mut framed = XERIAL_HEADER.to_vec();
        framed.extend_from_slice(&0x7fff_ffff_u32.to_be_bytes());
        framed.extend_from_slice(&raw);
        assert_eq!(drain(Codec::Snappy, &framed, bound), Err(UNDECODABLE));
        assert_eq!(
            drain(Codec::Snappy, &XERIAL_HEADER[..9], bound),
            Err(UNDECODABLE)
        );
        assert_eq!(drain(Codec::Snappy, &XERIAL_HEADER, bound), Ok(0));
    }

    #[test]
    fn damaged_bodies_never_panic() {
        let mut rng = Rng::new(3);
        let mut records = vec![0; 5000];
        records.fill_with(|| (rng.next_u64() & 3) as u8);
        for codec in Codec::ALL {
            let body = compress(codec, &records);
            for _ in 0..3000 {
                let mut damaged = body.clone();
                for _ in 0..1 + rng.below(4) {
                    // Mostly near the front, where the codecs' headers are.
                    let end = 1 + rng.below(damaged.len() as u64);
                    let at = rng.below(end);
                    damaged[at as usize] = rng.next_u64() as u8;
                }
                if rng.one_in(4) {
                    damaged.truncate(rng.below(damaged.len() as u64) as usize);
                }
                let _ = drain(codec, &damaged, Bound(100_000));
            }
        }
    }
}
