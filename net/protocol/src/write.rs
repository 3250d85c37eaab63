//! Writes Kafka's primitive types, splicing large records in instead of copying them.

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::{Records, Str, Uuid, Wire};

/// Parts of records below this are copied: a buffer of its own costs the socket more than so few bytes.
pub const SPLICE_BYTES_MIN: usize = 512;

/// Bytes of the length in front of a frame.
const PREFIX_BYTES: usize = 4;

/// Why a message cannot be written in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The message has no such version.
    #[error("{0} has no version {1}")]
    Version(&'static str, i16),
    /// A field holds a value that this version cannot carry and that Kafka does not call ignorable.
    #[error("{0} has a value, but version {1} has no such field")]
    Absent(&'static str, i16),
    /// Null in a field that must have a value in this version.
    #[error("null where this version needs a value")]
    Null,
    /// A string, bytes, records or an array longer than the wire can say.
    #[error("length {0} out of range")]
    Length(usize),
}

/// Builds one frame, or plain bytes without a length in front.
///
/// ```text
///   buffer   [size│header│topic…│partition…                 │tags…]
///   splices                      ▲ at, Bytes   ▲ at, Bytes
///   finish   [──────────────────][ records    ][ records    ][────]
/// ```
#[derive(Debug)]
pub struct Writer {
    buffer: BytesMut,
    splices: Vec<Splice>,
    is_frame: bool,
    first_error: i16,
}

/// Bytes of somebody else that belong before the buffer's byte `at`.
#[derive(Debug)]
struct Splice {
    at: usize,
    bytes: Bytes,
}

/// An open tagged field, whose size is not known yet.
#[derive(Debug)]
#[must_use]
pub struct TagMark {
    at: usize,
    splices: usize,
}

impl Writer {
    /// A writer of a frame, with its length in front.
    pub fn frame() -> Self {
        Self::frame_in(BytesMut::new())
    }

    /// A writer of a frame that uses the memory of this empty buffer.
    pub fn frame_in(mut buffer: BytesMut) -> Self {
        assert!(buffer.is_empty(), "{} bytes in the buffer", buffer.len());
        buffer.put_bytes(0, PREFIX_BYTES);
        Self {
            buffer,
            splices: Vec::new(),
            is_frame: true,
            first_error: 0,
        }
    }

    /// A writer of bytes without a length in front.
    pub fn plain() -> Self {
        Self {
            buffer: BytesMut::new(),
            splices: Vec::new(),
            is_frame: false,
            first_error: 0,
        }
    }

    /// Bytes written, the length in front of a frame and what was spliced in included.
    pub fn len(&self) -> usize {
        self.buffer.len() + self.spliced_bytes(0)
    }

    /// The first error code that was written and is one: 0 is none.
    pub fn first_error(&self) -> i16 {
        self.first_error
    }

    /// Whether nothing was written, not even the place of a length.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn spliced_bytes(&self, from: usize) -> usize {
        self.splices.iter().skip(from).map(|s| s.bytes.len()).sum()
    }

    /// Ends the writing: the parts to send, in order. A frame gets its length.
    ///
    /// # Panics
    /// When a frame is above 2 GiB: whoever answers bounds the answer.
    pub fn finish(mut self) -> Vec<Bytes> {
        if self.is_frame {
            let size = i32::try_from(self.len() - PREFIX_BYTES).expect("a frame is below 2 GiB");
            self.buffer[..PREFIX_BYTES].copy_from_slice(&size.to_be_bytes());
        }
        let mut parts = Vec::with_capacity(2 * self.splices.len() + 1);
        let mut cut = 0;
        for Splice { at, bytes } in self.splices {
            if at > cut {
                parts.push(self.buffer.split_to(at - cut).freeze());
                cut = at;
            }
            parts.push(bytes);
        }
        if !self.buffer.is_empty() {
            parts.push(self.buffer.freeze());
        }
        parts
    }

    /// Ends the writing: everything in one piece. Copies only when records were spliced in.
    pub fn into_bytes(self) -> Bytes {
        let len = self.len();
        let mut parts = self.finish();
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let mut all = BytesMut::with_capacity(len);
        for part in parts {
            all.put(part);
        }
        all.freeze()
    }

    /// Writes a bool.
    pub fn bool(&mut self, value: bool) {
        self.buffer.put_u8(value.into());
    }

    /// Writes an int8.
    pub fn i8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    /// Writes an int16.
    pub fn i16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    /// Writes an int16 that is one of Kafka's error codes.
    pub fn error_code(&mut self, value: i16) {
        if self.first_error == 0 {
            self.first_error = value;
        }
        self.i16(value);
    }

    /// Writes a uint16.
    pub fn u16(&mut self, value: u16) {
        self.buffer.put_u16(value);
    }

    /// Writes an int32.
    pub fn i32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    /// Writes a uint32.
    pub fn u32(&mut self, value: u32) {
        self.buffer.put_u32(value);
    }

    /// Writes an int64.
    pub fn i64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    /// Writes a float64.
    pub fn f64(&mut self, value: f64) {
        self.buffer.put_f64(value);
    }

    /// Writes a uuid.
    pub fn uuid(&mut self, value: Uuid) {
        self.buffer.put_slice(&value.0);
    }

    /// Writes an unsigned varint.
    pub fn uvarint(&mut self, value: u32) {
        let (bytes, len) = uvarint_bytes(value);
        self.buffer.put_slice(&bytes[..len]);
    }

    /// The length of bytes or records, or the count of an array.
    fn put_len(&mut self, len: usize, flexible: bool) -> Result<(), EncodeError> {
        match u32::try_from(len) {
            Ok(short) if len < i32::MAX as usize => {
                match flexible {
                    true => self.uvarint(short + 1),
                    false => self.buffer.put_u32(short),
                }
                Ok(())
            }
            _ => Err(EncodeError::Length(len)),
        }
    }

    fn put_null(&mut self, flexible: bool, nullable: bool) -> Result<(), EncodeError> {
        match (nullable, flexible) {
            (false, _) => return Err(EncodeError::Null),
            (true, true) => self.uvarint(0),
            (true, false) => self.i32(-1),
        }
        Ok(())
    }

    /// Writes a string.
    pub fn str(&mut self, value: &Str, flexible: bool) -> Result<(), EncodeError> {
        let bytes = value.as_bytes();
        let len = i16::try_from(bytes.len()).map_err(|_| EncodeError::Length(bytes.len()))?;
        match flexible {
            true => self.uvarint(u32::from(len.unsigned_abs()) + 1),
            false => self.i16(len),
        }
        self.buffer.put_slice(bytes);
        Ok(())
    }

    /// Writes a string that may be null if `nullable`.
    pub fn opt_str(
        &mut self,
        value: Option<&Str>,
        flexible: bool,
        nullable: bool,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => return self.str(value, flexible),
            None if !nullable => return Err(EncodeError::Null),
            None if flexible => self.uvarint(0),
            None => self.i16(-1),
        }
        Ok(())
    }

    /// Writes bytes.
    pub fn bytes(&mut self, value: &Bytes, flexible: bool) -> Result<(), EncodeError> {
        self.put_len(value.len(), flexible)?;
        self.buffer.put_slice(value);
        Ok(())
    }

    /// Writes bytes that may be null if `nullable`.
    pub fn opt_bytes(
        &mut self,
        value: Option<&Bytes>,
        flexible: bool,
        nullable: bool,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.bytes(value, flexible),
            None => self.put_null(flexible, nullable),
        }
    }

    /// Writes records: large parts are spliced in.
    pub fn records(&mut self, value: &Records, flexible: bool) -> Result<(), EncodeError> {
        self.put_len(value.len(), flexible)?;
        for part in value.parts() {
            if part.len() < SPLICE_BYTES_MIN {
                self.buffer.put_slice(part);
            } else {
                self.splices.push(Splice {
                    at: self.buffer.len(),
                    bytes: part.clone(),
                });
            }
        }
        Ok(())
    }

    /// Writes records that may be null if `nullable`.
    pub fn opt_records(
        &mut self,
        value: Option<&Records>,
        flexible: bool,
        nullable: bool,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.records(value, flexible),
            None => self.put_null(flexible, nullable),
        }
    }

    /// Writes an array.
    pub fn array<T: Wire>(
        &mut self,
        value: &[T],
        version: i16,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        self.put_len(value.len(), flexible)?;
        for element in value {
            element.write(self, version, flexible)?;
        }
        Ok(())
    }

    /// Writes an array that may be null if `nullable`.
    pub fn opt_array<T: Wire>(
        &mut self,
        value: Option<&[T]>,
        version: i16,
        flexible: bool,
        nullable: bool,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.array(value, version, flexible),
            None => self.put_null(flexible, nullable),
        }
    }

    /// Writes a struct, behind a byte that says whether it is there where the version allows null (KIP-893).
    pub fn opt_struct<T: Wire>(
        &mut self,
        value: Option<&T>,
        version: i16,
        flexible: bool,
        nullable: bool,
    ) -> Result<(), EncodeError> {
        let Some(value) = value else {
            if !nullable {
                return Err(EncodeError::Null);
            }
            self.i8(-1);
            return Ok(());
        };
        if nullable {
            self.i8(1);
        }
        value.write(self, version, flexible)
    }

    /// Begins a tagged field; its value follows, then [`Writer::end_tag`].
    pub fn begin_tag(&mut self, tag: u32) -> TagMark {
        self.uvarint(tag);
        let mark = TagMark {
            at: self.buffer.len(),
            splices: self.splices.len(),
        };
        // Room for a size below 128, which nearly every one is.
        self.buffer.put_u8(0);
        mark
    }

    /// Ends the tagged field that began at `mark`, and writes its size in front of it.
    pub fn end_tag(&mut self, mark: TagMark) -> Result<(), EncodeError> {
        let value_at = mark.at + 1;
        let value_len = self.buffer.len() - value_at;
        let size = value_len + self.spliced_bytes(mark.splices);
        let size_u32 = u32::try_from(size).map_err(|_| EncodeError::Length(size))?;
        let (bytes, len) = uvarint_bytes(size_u32);
        let more = len - 1;
        if more > 0 {
            self.buffer.put_bytes(0, more);
            self.buffer
                .copy_within(value_at..value_at + value_len, value_at + more);
            for splice in self.splices.iter_mut().skip(mark.splices) {
                splice.at += more;
            }
        }
        self.buffer[mark.at..mark.at + len].copy_from_slice(&bytes[..len]);
        Ok(())
    }
}

fn uvarint_bytes(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut len = 0;
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes[len] = if value == 0 { low } else { low | 0x80 };
        len += 1;
        if value == 0 {
            return (bytes, len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reader;

    #[test]
    fn varints_come_back() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 21, 1 << 28, u32::MAX] {
            let mut w = Writer::plain();
            w.uvarint(value);
            let mut r = Reader::new(w.into_bytes());
            assert_eq!(r.uvarint(), Ok(value));
            assert_eq!(r.finish(), Ok(()));
        }
    }

    #[test]
    fn the_first_error_code_is_noted() {
        let mut w = Writer::plain();
        assert_eq!(w.first_error(), 0);
        for code in [0, 3, 7] {
            w.error_code(code);
        }
        assert_eq!(w.first_error(), 3);
        assert_eq!(&w.into_bytes()[..], [0, 0, 0, 3, 0, 7]);
    }

    #[test]
    fn large_records_are_spliced_and_small_ones_copied() {
        let large = Bytes::from(vec![7; SPLICE_BYTES_MIN]);
        let small = Bytes::from_static(b"abc");
        let parts = [large.clone(), small, large.clone()];
        let mut w = Writer::frame();
        w.i8(1);
        w.records(&parts.into_iter().collect(), false).unwrap();
        w.i8(2);
        let len = w.len();
        let sent = w.finish();
        let lens: Vec<_> = sent.iter().map(Bytes::len).collect();
        assert_eq!(lens, [9, SPLICE_BYTES_MIN, 3, SPLICE_BYTES_MIN, 1]);
        assert_eq!(sent[1].as_ptr(), large.as_ptr());
        assert_eq!(sent[0][..4], (len as u32 - 4).to_be_bytes());
    }

    #[test]
    fn a_long_tagged_field_moves_its_value_and_its_splices() {
        for large in [0, 1, 100, 200, SPLICE_BYTES_MIN, 20_000] {
            let records = Records::from(Bytes::from(vec![7; large]));
            let mut w = Writer::plain();
            let mark = w.begin_tag(3);
            w.i64(-5);
            w.records(&records, true).unwrap();
            w.i64(-6);
            w.end_tag(mark).unwrap();
            let mut r = Reader::new(w.into_bytes());
            assert_eq!(r.uvarint(), Ok(3));
            let size = r.uvarint().unwrap();
            assert_eq!(size as usize, r.remaining());
            assert_eq!(r.i64(), Ok(-5));
            assert_eq!(r.records(true), Ok(records));
            assert_eq!(r.i64(), Ok(-6));
            assert_eq!(r.finish(), Ok(()));
        }
    }

    #[test]
    fn null_needs_a_version_that_has_it() {
        let mut w = Writer::plain();
        assert_eq!(w.opt_str(None, true, false), Err(EncodeError::Null));
        assert_eq!(w.opt_bytes(None, true, false), Err(EncodeError::Null));
        assert_eq!(
            w.opt_array::<i32>(None, 0, true, false),
            Err(EncodeError::Null)
        );
        assert_eq!(
            w.str(&"x".repeat(0x8000).into(), true),
            Err(EncodeError::Length(0x8000))
        );
    }
}
