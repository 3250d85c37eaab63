//! Bytes of the metadata's own formats: big-endian numbers, counted strings and lists, every read checked.

use bytes::{BufMut, BytesMut};

use crate::types::NodeId;

/// Why bytes are no record, group or file of ours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodecError {
    #[error("{0} ends early")]
    Short(&'static str),
    #[error("{0}")]
    Invalid(String),
    /// Written by a newer Corelane: refused by name, never guessed at.
    #[error("{what} has format {found}; this version knows up to {known}")]
    Newer {
        what: &'static str,
        found: u16,
        known: u16,
    },
}

/// Reads from the front of `bytes`. `what` names the thing in errors.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Reader<'a> {
        Reader { bytes, what }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(CodecError::Short(self.what))?;
        self.bytes = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let what = self.what;
        self.take(N)?
            .try_into()
            .map_err(|_| CodecError::Short(what))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, CodecError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, CodecError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, CodecError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(crate) fn bytes16(&mut self) -> Result<[u8; 16], CodecError> {
        self.array()
    }

    pub(crate) fn string(&mut self) -> Result<String, CodecError> {
        let length = self.u32()? as usize;
        let what = self.what;
        let text = std::str::from_utf8(self.take(length)?)
            .map_err(|_| CodecError::Invalid(format!("{what}: a string is not UTF-8")))?;
        Ok(text.to_owned())
    }

    /// The count of a list whose items take at least `item_bytes_min`: never more than the bytes that remain hold.
    pub(crate) fn count(&mut self, item_bytes_min: usize) -> Result<usize, CodecError> {
        let count = self.u32()? as usize;
        if count > self.bytes.len() / item_bytes_min {
            return Err(CodecError::Short(self.what));
        }
        Ok(count)
    }

    pub(crate) fn nodes(&mut self) -> Result<Box<[NodeId]>, CodecError> {
        let count = self.count(4)?;
        (0..count).map(|_| self.i32().map(NodeId)).collect()
    }

    /// All that remains.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// Everything was read.
    pub(crate) fn end(&self) -> Result<(), CodecError> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(CodecError::Invalid(format!(
            "{}: {} bytes too many",
            self.what,
            self.bytes.len()
        )))
    }
}

pub(crate) fn put_string(out: &mut BytesMut, text: &str) {
    put_count(out, text.len());
    out.put_slice(text.as_bytes());
}

pub(crate) fn put_count(out: &mut BytesMut, count: usize) {
    out.put_u32(
        u32::try_from(count).expect("lists and strings are bounded where they are accepted"),
    );
}

pub(crate) fn put_nodes(out: &mut BytesMut, nodes: &[NodeId]) {
    put_count(out, nodes.len());
    nodes.iter().for_each(|n| out.put_i32(n.0));
}
