//! Reads Kafka's primitive types from bytes nobody trusts.

use bytes::{Buf, Bytes};
use thiserror::Error;

use crate::{Records, Str, Uuid, Wire};

/// Bytes of memory that the arrays of one message may take, unless the caller says otherwise.
///
/// An array element of two wire bytes may be a struct of a hundred: without this, a frame of 100 MB would grow to many
/// GB of memory.
pub const DECODE_BYTES_MAX: usize = 64 << 20;

/// Kafka's bound of a string, flexible versions included.
const STRING_BYTES_MAX: usize = 0x7fff;

/// Why bytes are not the message they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The message has no such version.
    #[error("no version {0}")]
    Version(i16),
    /// The bytes end too early, or a length or count says more than they hold.
    #[error("ends too early")]
    Truncated,
    /// A varint of more than 32 bits.
    #[error("varint longer than 32 bits")]
    Varint,
    /// A length below -1, or a string longer than Kafka's bound.
    #[error("length {0} out of range")]
    Length(i64),
    /// Null in a field that must have a value.
    #[error("null where a value must be")]
    Null,
    /// A string that is not UTF-8.
    #[error("string is not UTF-8")]
    Utf8,
    /// Tags that are not in strictly rising order.
    #[error("tag {0} is out of order")]
    TagOrder(u32),
    /// A tagged field that does not take the bytes its size says.
    #[error("tagged field and its size disagree")]
    TagSize,
    /// The arrays would take more memory than the reader may use.
    #[error("arrays take more than their memory budget")]
    Memory,
    /// Bytes behind the message.
    #[error("{0} bytes behind the message")]
    Trailing(usize),
}

/// Takes values off the front of a frame, without copying: strings, bytes and records are slices of it.
#[derive(Debug)]
pub struct Reader {
    bytes: Bytes,
    budget_bytes: usize,
}

impl Reader {
    /// A reader of these bytes, with a budget of [`DECODE_BYTES_MAX`].
    pub fn new(bytes: Bytes) -> Self {
        Self::with_budget(bytes, DECODE_BYTES_MAX)
    }

    /// A reader of these bytes, whose arrays may take `budget_bytes` of memory in all.
    pub fn with_budget(bytes: Bytes, budget_bytes: usize) -> Self {
        Self {
            bytes,
            budget_bytes,
        }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory that arrays may still take.
    pub fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// Ends the reading: whatever is left was not part of the message.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.bytes.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }

    /// The next `len` bytes, as a slice of the frame.
    pub fn take(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.bytes.len() {
            return Err(DecodeError::Truncated);
        }
        Ok(self.bytes.split_to(len))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let fixed = *self.bytes.first_chunk().ok_or(DecodeError::Truncated)?;
        self.bytes.advance(N);
        Ok(fixed)
    }

    /// Reads a bool; like Kafka, any byte but 0 is true.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// Reads an int8.
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.fixed().map(i8::from_be_bytes)
    }

    /// Reads an int16.
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.fixed().map(i16::from_be_bytes)
    }

    /// Reads a uint16.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// Reads an int32.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.fixed().map(i32::from_be_bytes)
    }

    /// Reads a uint32.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// Reads an int64.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.fixed().map(i64::from_be_bytes)
    }

    /// Reads a float64.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.fixed().map(f64::from_be_bytes)
    }

    /// Reads a uuid.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.fixed().map(Uuid)
    }

    /// Reads an unsigned varint of at most five bytes and 32 bits. Like Kafka, takes one padded with zero bits.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            if shift == 28 && byte > 0x0f {
                return Err(DecodeError::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    /// A length one above what it means, 0 for null, as flexible versions have it.
    fn compact_len(&mut self) -> Result<Option<usize>, DecodeError> {
        match self.uvarint()?.checked_sub(1) {
            None => Ok(None),
            Some(len) if i32::try_from(len).is_err() => Err(DecodeError::Length(len.into())),
            Some(len) => Ok(Some(len as usize)),
        }
    }

    /// The length of bytes or the count of an array; `None` is null.
    fn len(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        if flexible {
            return self.compact_len();
        }
        plain_len(self.i32()?)
    }

    fn opt_slice(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        match self.len(flexible)? {
            Some(len) => self.take(len).map(Some),
            None => Ok(None),
        }
    }

    /// Reads a string.
    pub fn str(&mut self, flexible: bool) -> Result<Str, DecodeError> {
        self.opt_str(flexible, false)?.ok_or(DecodeError::Null)
    }

    /// Reads a string that may be null if `nullable`.
    pub fn opt_str(&mut self, flexible: bool, nullable: bool) -> Result<Option<Str>, DecodeError> {
        let len = match flexible {
            true => self.compact_len()?,
            false => plain_len(self.i16()?.into())?,
        };
        let Some(len) = len else {
            return null(nullable);
        };
        if len > STRING_BYTES_MAX {
            return Err(DecodeError::Length(len as i64));
        }
        let text = Str::from_utf8(self.take(len)?);
        text.map(Some).ok_or(DecodeError::Utf8)
    }

    /// Reads bytes.
    pub fn bytes(&mut self, flexible: bool) -> Result<Bytes, DecodeError> {
        self.opt_slice(flexible)?.ok_or(DecodeError::Null)
    }

    /// Reads bytes that may be null if `nullable`.
    pub fn opt_bytes(
        &mut self,
        flexible: bool,
        nullable: bool,
    ) -> Result<Option<Bytes>, DecodeError> {
        match self.opt_slice(flexible)? {
            None => null(nullable),
            some => Ok(some),
        }
    }

    /// Reads records.
    pub fn records(&mut self, flexible: bool) -> Result<Records, DecodeError> {
        self.bytes(flexible).map(Records::from)
    }

    /// Reads records that may be null if `nullable`.
    pub fn opt_records(
        &mut self,
        flexible: bool,
        nullable: bool,
    ) -> Result<Option<Records>, DecodeError> {
        let bytes = self.opt_bytes(flexible, nullable)?;
        Ok(bytes.map(Records::from))
    }

    /// Reads an array.
    pub fn array<T: Wire>(&mut self, version: i16, flexible: bool) -> Result<Vec<T>, DecodeError> {
        let array = self.opt_array(version, flexible, false)?;
        array.ok_or(DecodeError::Null)
    }

    /// Reads an array that may be null if `nullable`.
    pub fn opt_array<T: Wire>(
        &mut self,
        version: i16,
        flexible: bool,
        nullable: bool,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.len(flexible)? else {
            return null(nullable);
        };
        self.admit(count, T::WIRE_BYTES_MIN, size_of::<T>())?;
        let mut array = Vec::with_capacity(count);
        for _ in 0..count {
            array.push(T::read(self, version, flexible)?);
        }
        Ok(Some(array))
    }

    /// Whether `count` elements can be in the bytes that remain, and their memory in the budget; charges it.
    #[inline(never)]
    fn admit(
        &mut self,
        count: usize,
        wire_bytes_min: usize,
        memory_bytes: usize,
    ) -> Result<(), DecodeError> {
        if count > self.bytes.len() / wire_bytes_min {
            return Err(DecodeError::Truncated);
        }
        let left = count
            .checked_mul(memory_bytes)
            .and_then(|bytes| self.budget_bytes.checked_sub(bytes));
        self.budget_bytes = left.ok_or(DecodeError::Memory)?;
        Ok(())
    }

    /// Reads a struct, behind a byte that is negative for null where the version allows null (KIP-893).
    pub fn opt_struct<T: Wire>(
        &mut self,
        version: i16,
        flexible: bool,
        nullable: bool,
    ) -> Result<Option<T>, DecodeError> {
        if nullable && self.i8()? < 0 {
            return Ok(None);
        }
        T::read(self, version, flexible).map(Some)
    }

    /// Begins a section of tagged fields.
    pub fn tags(&mut self) -> Result<Tags, DecodeError> {
        let left = self.uvarint()?;
        // Each takes a byte for the tag and one for the size.
        if left as usize > self.bytes.len() / 2 {
            return Err(DecodeError::Truncated);
        }
        Ok(Tags {
            left,
            next_min: 0,
            end: self.bytes.len(),
        })
    }

    /// Reads a section of tagged fields none of which is known.
    #[inline(never)]
    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        let mut tags = self.tags()?;
        while tags.next(self)?.is_some() {
            tags.skip(self)?;
        }
        Ok(())
    }
}

fn plain_len(len: i32) -> Result<Option<usize>, DecodeError> {
    match len {
        -1 => Ok(None),
        len => usize::try_from(len)
            .map(Some)
            .map_err(|_| DecodeError::Length(len.into())),
    }
}

fn null<T>(nullable: bool) -> Result<Option<T>, DecodeError> {
    match nullable {
        true => Ok(None),
        false => Err(DecodeError::Null),
    }
}

/// Where the reading of a section of tagged fields stands.
#[derive(Debug)]
pub struct Tags {
    left: u32,
    /// The least tag that may come next; tags rise strictly.
    next_min: u64,
    /// What must remain in the reader when the current field is done.
    end: usize,
}

impl Tags {
    /// The next tag, after which the caller reads the field's value or skips it; `None` at the end of the section.
    #[inline(never)]
    pub fn next(&mut self, r: &mut Reader) -> Result<Option<u32>, DecodeError> {
        if r.remaining() != self.end {
            return Err(DecodeError::TagSize);
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let tag = r.uvarint()?;
        if u64::from(tag) < self.next_min {
            return Err(DecodeError::TagOrder(tag));
        }
        self.next_min = u64::from(tag) + 1;
        let size = r.uvarint()? as usize;
        let end = r.remaining().checked_sub(size);
        self.end = end.ok_or(DecodeError::Truncated)?;
        Ok(Some(tag))
    }

    /// Skips the value of the current field.
    pub fn skip(&self, r: &mut Reader) -> Result<(), DecodeError> {
        let size = r.remaining().checked_sub(self.end);
        r.take(size.ok_or(DecodeError::TagSize)?).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader {
        Reader::new(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn varints() {
        let check = |bytes: &[u8], expected| assert_eq!(reader(bytes).uvarint(), expected);
        check(&[0], Ok(0));
        check(&[0x7f], Ok(127));
        check(&[0x80, 0x01], Ok(128));
        check(&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(u32::MAX));
        check(&[0x80, 0x00], Ok(0));
        check(&[0xff, 0xff, 0xff, 0xff, 0x1f], Err(DecodeError::Varint));
        check(
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            Err(DecodeError::Varint),
        );
        check(&[0x80], Err(DecodeError::Truncated));
        check(&[], Err(DecodeError::Truncated));
    }

    #[test]
    fn strings() {
        let check = |bytes: &[u8], flexible, nullable, expected| {
            assert_eq!(reader(bytes).opt_str(flexible, nullable), expected);
        };
        check(&[0, 1, b'a'], false, false, Ok(Some("a".into())));
        check(&[2, b'a'], true, false, Ok(Some("a".into())));
        check(&[0xff, 0xff], false, true, Ok(None));
        check(&[0xff, 0xff], false, false, Err(DecodeError::Null));
        check(&[0xff, 0xfe], false, true, Err(DecodeError::Length(-2)));
        check(&[0], true, true, Ok(None));
        check(&[0], true, false, Err(DecodeError::Null));
        check(&[3, b'a'], true, false, Err(DecodeError::Truncated));
        check(&[2, 0xff], true, false, Err(DecodeError::Utf8));
        check(
            &[0x81, 0x80, 0x02],
            true,
            false,
            Err(DecodeError::Length(0x8000)),
        );
    }

    #[test]
    fn counts_are_held_against_bytes_and_budget() {
        let mut endless = reader(&[0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(endless.array::<i32>(0, false), Err(DecodeError::Truncated));
        let mut compact = reader(&[0xff, 0xff, 0xff, 0xff, 0x07]);
        assert_eq!(compact.array::<Str>(0, true), Err(DecodeError::Truncated));

        // 1000 empty strings: one byte each on the wire, a slice each in memory.
        let mut wire = vec![0xe9, 0x07];
        wire.resize(1002, 1);
        let mut plenty = reader(&wire);
        assert_eq!(plenty.array::<Str>(0, true).map(|a| a.len()), Ok(1000));
        assert_eq!(
            plenty.budget_bytes(),
            DECODE_BYTES_MAX - 1000 * size_of::<Str>()
        );
        let mut short = Reader::with_budget(wire.into(), 1000 * size_of::<Str>() - 1);
        assert_eq!(short.array::<Str>(0, true), Err(DecodeError::Memory));
    }

    #[test]
    fn tags() {
        let check = |bytes: &[u8], expected| assert_eq!(reader(bytes).skip_tags(), expected);
        check(&[0], Ok(()));
        check(&[2, 0, 1, 9, 5, 0], Ok(()));
        check(&[2, 5, 0, 5, 0], Err(DecodeError::TagOrder(5)));
        check(&[2, 5, 0, 4, 0], Err(DecodeError::TagOrder(4)));
        check(&[2, 0, 0], Err(DecodeError::Truncated));
        check(&[1, 0, 1], Err(DecodeError::Truncated));
        check(
            &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0],
            Err(DecodeError::Truncated),
        );
    }

    #[test]
    fn a_tagged_value_takes_its_size() {
        for (size, value_read) in [(3, 2), (1, 2)] {
            let mut r = reader(&[1, 0, size, 7, 7, 7]);
            let mut tags = r.tags().unwrap();
            assert_eq!(tags.next(&mut r), Ok(Some(0)));
            r.take(value_read).unwrap();
            assert_eq!(tags.next(&mut r), Err(DecodeError::TagSize));
        }
    }

    #[test]
    fn what_is_left_is_an_error() {
        assert_eq!(reader(&[1, 2]).finish(), Err(DecodeError::Trailing(2)));
        assert_eq!(reader(&[]).finish(), Ok(()));
    }

    #[test]
    fn slices_share_the_frame() {
        let frame = Bytes::from(vec![3, b'a', b'b', 3, 8, 9]);
        let mut r = Reader::new(frame.clone());
        assert_eq!(
            r.str(true).unwrap().as_bytes().as_ptr(),
            frame[1..].as_ptr()
        );
        let records = r.records(true).unwrap();
        assert_eq!(records.to_bytes().as_ptr(), frame[4..].as_ptr());
    }
}
