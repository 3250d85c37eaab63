//! Codecs (interim).
#![allow(
    missing_docs,
    clippy::all,
    unused_imports,
    unused_variables,
    unused_parens,
    unused_qualifications
)]
use std::ops::Deref;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use corelane_engine::types::TopicId;

pub mod api_versions_request;
pub mod api_versions_response;
pub mod create_topics_request;
pub mod create_topics_response;
pub mod delete_topics_request;
pub mod delete_topics_response;
pub mod fetch_request;
pub mod fetch_response;
pub mod init_producer_id_request;
pub mod init_producer_id_response;
pub mod list_offsets_request;
pub mod list_offsets_response;
pub mod metadata_request;
pub mod metadata_response;
pub mod produce_request;
pub mod produce_response;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("ends too early")]
    Short,
    #[error("null where none may be")]
    Null,
    #[error("bad length")]
    Length,
    #[error("bad varint")]
    Varint,
    #[error("not UTF-8")]
    Utf8,
    #[error("bad tagged fields")]
    Tags,
}

pub trait Message: Sized {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError>;
    fn encode(&self, w: &mut Writer, version: i16);
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Str(Bytes);
impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when made")
    }
}
impl From<&str> for Str {
    fn from(s: &str) -> Str {
        Str(Bytes::copy_from_slice(s.as_bytes()))
    }
}
impl From<String> for Str {
    fn from(s: String) -> Str {
        Str(Bytes::from(s))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Uuid(pub [u8; 16]);
impl From<TopicId> for Uuid {
    fn from(id: TopicId) -> Uuid {
        Uuid(id.0)
    }
}
impl From<Uuid> for TopicId {
    fn from(id: Uuid) -> TopicId {
        TopicId(id.0)
    }
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Records(pub Vec<Bytes>);
impl Records {
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
impl From<Vec<Bytes>> for Records {
    fn from(v: Vec<Bytes>) -> Records {
        Records(v)
    }
}

pub struct Reader(Bytes);
impl Reader {
    pub fn new(bytes: Bytes) -> Reader {
        Reader(bytes)
    }
    pub fn remaining(&self) -> usize {
        self.0.len()
    }
    pub fn skip(&mut self) {
        self.0.clear();
    }
    pub fn split(&mut self, n: usize) -> Result<Reader, DecodeError> {
        if self.0.len() < n {
            return Err(DecodeError::Short);
        }
        Ok(Reader(self.0.split_to(n)))
    }
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.int8()? != 0)
    }
    pub fn int8(&mut self) -> Result<i8, DecodeError> {
        self.0.try_get_i8().map_err(|_| DecodeError::Short)
    }
    pub fn int16(&mut self) -> Result<i16, DecodeError> {
        self.0.try_get_i16().map_err(|_| DecodeError::Short)
    }
    pub fn uint16(&mut self) -> Result<u16, DecodeError> {
        self.0.try_get_u16().map_err(|_| DecodeError::Short)
    }
    pub fn int32(&mut self) -> Result<i32, DecodeError> {
        self.0.try_get_i32().map_err(|_| DecodeError::Short)
    }
    pub fn int64(&mut self) -> Result<i64, DecodeError> {
        self.0.try_get_i64().map_err(|_| DecodeError::Short)
    }
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        let mut id = [0; 16];
        self.0
            .try_copy_to_slice(&mut id)
            .map_err(|_| DecodeError::Short)?;
        Ok(Uuid(id))
    }
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let b = self.0.try_get_u8().map_err(|_| DecodeError::Short)?;
            value |= u64::from(b & 0x7f) << shift;
            if b & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| DecodeError::Varint);
            }
        }
        Err(DecodeError::Varint)
    }
    fn length(&mut self, flex: bool, short: bool) -> Result<Option<usize>, DecodeError> {
        let n = match (flex, short) {
            (true, _) => i64::from(self.uvarint()?) - 1,
            (false, true) => i64::from(self.int16()?),
            (false, false) => i64::from(self.int32()?),
        };
        match n {
            -1 => Ok(None),
            n => Ok(Some(usize::try_from(n).map_err(|_| DecodeError::Length)?)),
        }
    }
    pub fn string(&mut self, flex: bool) -> Result<Option<Str>, DecodeError> {
        let Some(n) = self.length(flex, true)? else {
            return Ok(None);
        };
        let bytes = self.split(n)?.0;
        std::str::from_utf8(&bytes).map_err(|_| DecodeError::Utf8)?;
        Ok(Some(Str(bytes)))
    }
    pub fn bytes(&mut self, flex: bool) -> Result<Option<Bytes>, DecodeError> {
        let Some(n) = self.length(flex, false)? else {
            return Ok(None);
        };
        Ok(Some(self.split(n)?.0))
    }
    pub fn records(&mut self, flex: bool) -> Result<Option<Records>, DecodeError> {
        Ok(self.bytes(flex)?.map(|b| Records(vec![b])))
    }
    pub fn array(&mut self, flex: bool) -> Result<Option<usize>, DecodeError> {
        let n = self.length(flex, false)?;
        if n.is_some_and(|n| n > self.0.len()) {
            return Err(DecodeError::Length);
        }
        Ok(n)
    }
}

#[derive(Default)]
pub struct Writer {
    parts: Vec<Bytes>,
    tail: BytesMut,
}
impl Writer {
    pub fn new() -> Writer {
        Writer::default()
    }
    pub fn finish(mut self) -> Vec<Bytes> {
        if !self.tail.is_empty() {
            self.parts.push(self.tail.freeze());
        }
        self.parts
    }
    pub fn bool(&mut self, v: bool) {
        self.tail.put_u8(v.into());
    }
    pub fn int8(&mut self, v: i8) {
        self.tail.put_i8(v);
    }
    pub fn int16(&mut self, v: i16) {
        self.tail.put_i16(v);
    }
    pub fn uint16(&mut self, v: u16) {
        self.tail.put_u16(v);
    }
    pub fn int32(&mut self, v: i32) {
        self.tail.put_i32(v);
    }
    pub fn int64(&mut self, v: i64) {
        self.tail.put_i64(v);
    }
    pub fn uuid(&mut self, v: Uuid) {
        self.tail.put_slice(&v.0);
    }
    pub fn uvarint(&mut self, mut v: u32) {
        while v >= 0x80 {
            self.tail.put_u8((v as u8) | 0x80);
            v >>= 7;
        }
        self.tail.put_u8(v as u8);
    }
    fn length(&mut self, n: Option<usize>, flex: bool, short: bool) {
        match (flex, short) {
            (true, _) => self.uvarint(n.map_or(0, |n| n as u32 + 1)),
            (false, true) => self.int16(n.map_or(-1, |n| n as i16)),
            (false, false) => self.int32(n.map_or(-1, |n| n as i32)),
        }
    }
    pub fn string(&mut self, s: Option<&Str>, flex: bool) {
        self.length(s.map(|s| s.len()), flex, true);
        self.tail.put_slice(s.map_or(&[], |s| s.as_bytes()));
    }
    pub fn bytes(&mut self, b: Option<&Bytes>, flex: bool) {
        self.length(b.map(|b| b.len()), flex, false);
        self.tail.put_slice(b.map_or(&[], |b| b));
    }
    pub fn records(&mut self, r: Option<&Records>, flex: bool) {
        self.length(r.map(Records::len), flex, false);
        for part in r.iter().flat_map(|r| &r.0) {
            if !part.is_empty() {
                if !self.tail.is_empty() {
                    self.parts.push(self.tail.split().freeze());
                }
                self.parts.push(part.clone());
            }
        }
    }
    pub fn array(&mut self, n: Option<usize>, flex: bool) {
        self.length(n, flex, false);
    }
    pub fn tagged(&mut self, f: impl FnOnce(&mut Writer)) {
        let mut w = Writer::new();
        f(&mut w);
        let bytes = w.finish().concat();
        self.uvarint(bytes.len() as u32);
        self.tail.put_slice(&bytes);
    }
}
