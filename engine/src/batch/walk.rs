//! The walk over the records of a batch: one pass, nothing kept, whether the bytes lie in a slice or come from a codec.
//!
//! ```text
//!  record: length varint │ attributes u8 │ timestamp delta varlong │ offset delta varint
//!          │ key length varint, key │ value length varint, value │ header count varint, (key, value)*
//! ```
//!
//! Source: `DefaultRecord` of Apache Kafka 4.3 (KIP-98): varints are zigzag, at most 5 bytes (10 for 64 bits); a key or
//! value of negative length is null; a header's key may not be; a record fills its length exactly.

/// Why the bytes are not the records that the header promises. A text for the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadRecords(pub &'static str);

const EARLY_END: BadRecords = BadRecords("records end before the declared count");
const BAD_VARINT: BadRecords = BadRecords("varint is too long");

/// Where records are read from: bytes in hand, or a window over a codec's output.
pub trait Cursor {
    fn byte(&mut self) -> Result<u8, BadRecords>;
    /// Passes over `bytes`; fails where fewer are left.
    fn skip(&mut self, bytes: u64) -> Result<(), BadRecords>;
    /// Bytes taken so far.
    fn position(&self) -> u64;
    /// Whether nothing is left.
    fn at_end(&mut self) -> Result<bool, BadRecords>;
}

/// A cursor over bytes in hand.
#[derive(Debug)]
pub struct Slice<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Slice<'a> {
    pub fn new(bytes: &'a [u8]) -> Slice<'a> {
        Slice { bytes, at: 0 }
    }
}

impl Cursor for Slice<'_> {
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, BadRecords> {
        let byte = *self.bytes.get(self.at).ok_or(EARLY_END)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline(always)]
    fn skip(&mut self, bytes: u64) -> Result<(), BadRecords> {
        if bytes > (self.bytes.len() - self.at) as u64 {
            return Err(EARLY_END);
        }
        self.at += bytes as usize;
        Ok(())
    }

    #[inline(always)]
    fn position(&self) -> u64 {
        self.at as u64
    }

    fn at_end(&mut self) -> Result<bool, BadRecords> {
        Ok(self.at == self.bytes.len())
    }
}

/// What a visitor sees of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// 0 for the first record of the batch.
    pub index: i32,
    pub offset_delta: i32,
    pub timestamp_delta: i64,
    pub has_key: bool,
}

/// Whether the walk goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    On,
    Stop,
}

/// Reads `count` records and shows each to `visit`. After the last one nothing may be left, unless `visit` stopped.
#[inline(always)]
pub fn walk<C: Cursor>(
    cursor: &mut C,
    count: i32,
    mut visit: impl FnMut(Seen) -> Result<Step, BadRecords>,
) -> Result<(), BadRecords> {
    for index in 0..count {
        let seen = record(cursor, index)?;
        if visit(seen)? == Step::Stop {
            return Ok(());
        }
    }
    if cursor.at_end()? {
        Ok(())
    } else {
        Err(BadRecords(
            "bytes remain after the declared count of records",
        ))
    }
}

#[inline(always)]
fn record<C: Cursor>(cursor: &mut C, index: i32) -> Result<Seen, BadRecords> {
    let length = varint(cursor)?;
    let end = match u64::try_from(length) {
        Ok(length) => cursor.position() + length,
        Err(_) => return Err(BadRecords("record length is negative")),
    };
    cursor.byte()?;
    let timestamp_delta = varlong(cursor)?;
    let offset_delta = varint(cursor)?;
    let key = varint(cursor)?;
    skip_nullable(cursor, key)?;
    let value = varint(cursor)?;
    skip_nullable(cursor, value)?;
    let headers = varint(cursor)?;
    if headers != 0 {
        self::headers(cursor, headers, end)?;
    }
    if cursor.position() != end {
        return Err(BadRecords("record does not fill its length"));
    }
    Ok(Seen {
        index,
        offset_delta,
        timestamp_delta,
        has_key: key >= 0,
    })
}

#[inline(always)]
fn skip_nullable<C: Cursor>(cursor: &mut C, length: i32) -> Result<(), BadRecords> {
    match u64::try_from(length) {
        Ok(length) => cursor.skip(length),
        Err(_) => Ok(()),
    }
}

#[cold]
#[inline(never)]
fn out_of_headers() -> BadRecords {
    BadRecords("header count is negative or more than the record holds")
}

fn headers<C: Cursor>(cursor: &mut C, count: i32, end: u64) -> Result<(), BadRecords> {
    // A header has at least two bytes; so the count bounds the loop by the record's own bytes.
    match u64::try_from(count) {
        Ok(count) if count <= end.saturating_sub(cursor.position()) => {}
        _ => return Err(out_of_headers()),
    }
    for _ in 0..count {
        let key = varint(cursor)?;
        match u64::try_from(key) {
            Ok(key) => cursor.skip(key)?,
            Err(_) => return Err(BadRecords("header key is null")),
        }
        let value = varint(cursor)?;
        skip_nullable(cursor, value)?;
    }
    Ok(())
}

#[inline(always)]
fn varint<C: Cursor>(cursor: &mut C) -> Result<i32, BadRecords> {
    let first = cursor.byte()?;
    let raw = if first < 0x80 {
        u32::from(first)
    } else {
        long_varint(cursor, first, 5)? as u32
    };
    Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

#[inline(always)]
fn varlong<C: Cursor>(cursor: &mut C) -> Result<i64, BadRecords> {
    let first = cursor.byte()?;
    let raw = if first < 0x80 {
        u64::from(first)
    } else {
        long_varint(cursor, first, 10)?
    };
    Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

/// The rest of a varint of more than one byte; bits past the type's are dropped, as Kafka does. Two bytes are common
/// (lengths from 64 on), more are not.
#[inline(always)]
fn long_varint<C: Cursor>(cursor: &mut C, first: u8, bytes_max: u32) -> Result<u64, BadRecords> {
    let second = cursor.byte()?;
    let raw = u64::from(first & 0x7f) | u64::from(second & 0x7f) << 7;
    if second < 0x80 {
        Ok(raw)
    } else {
        longer_varint(cursor, raw, bytes_max)
    }
}

#[cold]
#[inline(never)]
fn longer_varint<C: Cursor>(
    cursor: &mut C,
    mut raw: u64,
    bytes_max: u32,
) -> Result<u64, BadRecords> {
    for at in 2..bytes_max {
        let byte = cursor.byte()?;
        raw |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Ok(raw);
        }
    }
    Err(BAD_VARINT)
}
