//! One frame of a file: `{magic, kind, version, length, crc32c}` and a payload; and buffers fit for direct IO.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::codec::CodecError;
use crate::limits::BLOCK;

/// Holds bytes that never occur in UTF-8, so that no name or config value looks like the start of a frame.
const MAGIC: u32 = 0xc0ff_4d45;

/// Bytes before the payload.
pub(crate) const HEADER: usize = 16;

/// What a frame holds. Numbers are for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    LogStart = 1,
    Entries = 2,
    Snapshot = 3,
    Identity = 4,
    CleanStop = 5,
}

/// The format of every kind's payload so far.
pub(crate) const FORMAT: u16 = 1;

/// A frame whose CRC held.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u16,
    version: u16,
    pub(crate) payload: Bytes,
}

impl Frame {
    /// The payload, if the frame is of this kind and of a format that this code knows.
    pub(crate) fn of(&self, kind: Kind) -> Result<&Bytes, CodecError> {
        if self.version > FORMAT {
            return Err(CodecError::Newer {
                what: "file",
                found: self.version,
                known: FORMAT,
            });
        }
        if self.kind != kind as u16 {
            return Err(CodecError::Invalid(format!(
                "frame of kind {} where {kind:?} belongs",
                self.kind
            )));
        }
        Ok(&self.payload)
    }
}

/// The bytes of a frame.
pub(crate) fn encode(kind: Kind, payload: &[u8]) -> BytesMut {
    let mut out = BytesMut::with_capacity(HEADER + payload.len());
    out.put_u32(MAGIC);
    out.put_u16(kind as u16);
    out.put_u16(FORMAT);
    out.put_u32(u32::try_from(payload.len()).expect("a frame is below 4 GiB"));
    let crc = crc32c::crc32c_append(crc32c::crc32c(&out), payload);
    out.put_u32(crc);
    out.put_slice(payload);
    out
}

/// The frame at the front of `bytes`; `None`: none, or a torn one.
pub(crate) fn decode(bytes: &Bytes) -> Option<Frame> {
    let mut header = bytes.get(..HEADER)?;
    let crc_of_header = crc32c::crc32c(&header[..HEADER - 4]);
    let magic = header.get_u32();
    let kind = header.get_u16();
    let version = header.get_u16();
    let length = header.get_u32() as usize;
    let crc = header.get_u32();
    let end = HEADER.checked_add(length)?;
    if magic != MAGIC || end > bytes.len() {
        return None;
    }
    let payload = bytes.slice(HEADER..end);
    (crc32c::crc32c_append(crc_of_header, &payload) == crc).then_some(Frame {
        kind,
        version,
        payload,
    })
}

/// `length` rounded up to whole blocks.
pub(crate) fn padded(length: usize) -> usize {
    length.next_multiple_of(BLOCK)
}

/// An empty buffer for direct IO: its memory is aligned to [`BLOCK`], its capacity is exactly `capacity`, a multiple
/// of it.
pub(crate) fn aligned(capacity: usize) -> BytesMut {
    assert!(
        capacity.is_multiple_of(BLOCK),
        "{capacity} is no multiple of a block"
    );
    let mut buffer = BytesMut::zeroed(capacity + BLOCK);
    buffer.advance(buffer.as_ptr().align_offset(BLOCK));
    let _tail = buffer.split_off(capacity);
    buffer.clear();
    assert!(buffer.as_ptr().addr().is_multiple_of(BLOCK));
    assert_eq!(buffer.capacity(), capacity);
    buffer
}

/// `bytes`, aligned and followed by zeros to whole blocks.
pub(crate) fn blocks(bytes: &[u8]) -> Bytes {
    let mut out = aligned(padded(bytes.len()));
    out.put_slice(bytes);
    out.resize(padded(bytes.len()), 0);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_of_format_1() {
        let bytes = encode(Kind::Entries, b"abc").freeze();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "c0ff4d450002000100000003cf92a08b616263");
        let frame = decode(&bytes).expect("whole");
        assert_eq!(frame.of(Kind::Entries).unwrap(), "abc");
        assert!(frame.of(Kind::Snapshot).is_err());
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_found() {
        let bytes = encode(Kind::Entries, b"abc").freeze();
        for bit in 0..bytes.len() * 8 {
            let mut spoilt = bytes.to_vec();
            spoilt[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&spoilt.into()).is_none(), "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert!(decode(&bytes.slice(..end)).is_none());
        }
    }

    #[test]
    fn blocks_are_aligned_and_padded() {
        for length in [1, BLOCK, BLOCK + 1] {
            let out = blocks(&vec![7; length]);
            assert_eq!(out.len(), padded(length));
            assert!(out.as_ptr().addr().is_multiple_of(BLOCK));
            assert!(out[length..].iter().all(|&b| b == 0));
        }
    }
}
