//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
}
impl Default for DeleteTopicsResponse {
    fn default() -> Self {
        DeleteTopicsResponse {
            throttle_time_ms: 0,
            responses: Vec::new(),
        }
    }
}
impl Message for DeleteTopicsResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 4;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.throttle_time_ms = r.int32()?;
        m.responses = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(DeletableTopicResult::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 4;
        let _ = (flex, version);
        w.int32(*&self.throttle_time_ms);
        {
            let v = &self.responses;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct DeletableTopicResult {
    pub name: Option<Str>,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<Str>,
}
impl Default for DeletableTopicResult {
    fn default() -> Self {
        DeletableTopicResult {
            name: Some(Str::default()),
            topic_id: Uuid::default(),
            error_code: 0,
            error_message: None,
        }
    }
}
impl Message for DeletableTopicResult {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 4;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.name = r.string(flex)?;
        if version >= 6 {
            m.topic_id = r.uuid()?;
        }
        m.error_code = r.int16()?;
        if version >= 5 {
            m.error_message = r.string(flex)?;
        }
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 4;
        let _ = (flex, version);
        w.string(self.name.as_ref(), flex);
        if version >= 6 {
            w.uuid(*&self.topic_id);
        }
        w.int16(*&self.error_code);
        if version >= 5 {
            w.string(self.error_message.as_ref(), flex);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
