//! Reading and writing of Kafka's record schemas, old and flexible, over shared bytes: every read checked.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::batch::Damaged;
use crate::types::TopicId;

/// Takes fields from the front; strings and bytes are slices of what is read.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    rest: Bytes,
    flexible: bool,
    what: &'static str,
}

impl Fields {
    /// `what`: named in the error.
    pub(super) fn new(bytes: Bytes, what: &'static str) -> Fields {
        Fields {
            rest: bytes,
            flexible: false,
            what,
        }
    }

    /// From here on lengths are varints and structs end with tagged fields (KIP-482).
    pub(super) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    pub(super) fn damaged(&self) -> Damaged {
        Damaged(self.what)
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Damaged> {
        if length > self.rest.len() {
            return Err(self.damaged());
        }
        Ok(self.rest.split_to(length))
    }

    pub(super) fn i16(&mut self) -> Result<i16, Damaged> {
        Ok(self.take(2)?.get_i16())
    }

    pub(super) fn i32(&mut self) -> Result<i32, Damaged> {
        Ok(self.take(4)?.get_i32())
    }

    pub(super) fn i64(&mut self) -> Result<i64, Damaged> {
        Ok(self.take(8)?.get_i64())
    }

    fn uvarint(&mut self) -> Result<u32, Damaged> {
        let mut value = 0u32;
        for at in 0..5 {
            let byte = self.take(1)?[0];
            value |= u32::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damaged())
    }

    /// `None`: null.
    fn length(&mut self, short: bool) -> Result<Option<usize>, Damaged> {
        let length = match (self.flexible, short) {
            (true, _) => i64::from(self.uvarint()?) - 1,
            (false, true) => i64::from(self.i16()?),
            (false, false) => i64::from(self.i32()?),
        };
        match length {
            -1 => Ok(None),
            length => Ok(Some(usize::try_from(length).map_err(|_| self.damaged())?)),
        }
    }

    pub(super) fn nullable_string(&mut self) -> Result<Option<String>, Damaged> {
        let Some(length) = self.length(true)? else {
            return Ok(None);
        };
        let text = self.take(length)?;
        let text = std::str::from_utf8(&text).map_err(|_| self.damaged())?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn string(&mut self) -> Result<String, Damaged> {
        self.nullable_string()?.ok_or(self.damaged())
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes, Damaged> {
        let length = self.length(false)?.ok_or(self.damaged())?;
        self.take(length)
    }

    /// The count of a list whose items have at least `bytes_each`: never more than the bytes that remain hold.
    pub(super) fn count(&mut self, bytes_each: usize) -> Result<usize, Damaged> {
        match self.length(false)? {
            Some(count) if count <= self.rest.len() / bytes_each => Ok(count),
            _ => Err(self.damaged()),
        }
    }

    pub(super) fn topic_id(&mut self) -> Result<TopicId, Damaged> {
        let bytes = self.take(16)?;
        let id = bytes[..].try_into().map_err(|_| self.damaged())?;
        Ok(TopicId(id))
    }

    /// The tagged fields that end a struct of a flexible version; those that nobody knows are passed over.
    pub(super) fn tags(
        &mut self,
        mut known: impl FnMut(u32, Fields) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let size = self.uvarint()? as usize;
            let field = Fields {
                rest: self.take(size)?,
                ..*self
            };
            known(tag, field)?;
        }
        Ok(())
    }

    /// Whether everything was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

pub(super) fn put_uvarint(to: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        to.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    to.put_u8(value as u8);
}

/// A string of a version that is not flexible. Strings are bounded where they are accepted.
pub(super) fn put_string(to: &mut BytesMut, text: &str) {
    to.put_i16(i16::try_from(text.len()).expect("a string of a record is bounded"));
    to.put_slice(text.as_bytes());
}

pub(super) fn put_nullable_string(to: &mut BytesMut, text: Option<&str>) {
    match text {
        None => to.put_i16(-1),
        Some(text) => put_string(to, text),
    }
}

pub(super) fn put_bytes(to: &mut BytesMut, bytes: &[u8]) {
    to.put_i32(i32::try_from(bytes.len()).expect("a request is smaller"));
    to.put_slice(bytes);
}
