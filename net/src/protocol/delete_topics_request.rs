//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteTopicsRequest {
    pub topics: Vec<DeleteTopicState>,
    pub topic_names: Vec<Str>,
    pub timeout_ms: i32,
}
impl Default for DeleteTopicsRequest {
    fn default() -> Self {
        DeleteTopicsRequest {
            topics: Vec::new(),
            topic_names: Vec::new(),
            timeout_ms: 0,
        }
    }
}
impl Message for DeleteTopicsRequest {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 4;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 6 {
            m.topics = {
                match r.array(flex)? {
                    None => None,
                    Some(n) => {
                        let mut v = Vec::new();
                        for _ in 0..n {
                            v.push(DeleteTopicState::decode(r, version)?);
                        }
                        Some(v)
                    }
                }
            }
            .ok_or(DecodeError::Null)?;
        }
        if version <= 5 {
            m.topic_names = {
                match r.array(flex)? {
                    None => None,
                    Some(n) => {
                        let mut v = Vec::new();
                        for _ in 0..n {
                            v.push(r.string(flex)?.ok_or(DecodeError::Null)?);
                        }
                        Some(v)
                    }
                }
            }
            .ok_or(DecodeError::Null)?;
        }
        m.timeout_ms = r.int32()?;
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
        if version >= 6 {
            {
                let v = &self.topics;
                w.array(Some(v.len()), flex);
                for x in v {
                    x.encode(w, version);
                }
            }
        }
        if version <= 5 {
            {
                let v = &self.topic_names;
                w.array(Some(v.len()), flex);
                for x in v {
                    w.string(Some(x), flex);
                }
            }
        }
        w.int32(*&self.timeout_ms);
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteTopicState {
    pub name: Option<Str>,
    pub topic_id: Uuid,
}
impl Default for DeleteTopicState {
    fn default() -> Self {
        DeleteTopicState {
            name: None,
            topic_id: Uuid::default(),
        }
    }
}
impl Message for DeleteTopicState {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 4;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 6 {
            m.name = r.string(flex)?;
        }
        if version >= 6 {
            m.topic_id = r.uuid()?;
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
        if version >= 6 {
            w.string(self.name.as_ref(), flex);
        }
        if version >= 6 {
            w.uuid(*&self.topic_id);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
