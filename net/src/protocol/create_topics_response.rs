//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
}
impl Default for CreateTopicsResponse {
    fn default() -> Self {
        CreateTopicsResponse {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}
impl Message for CreateTopicsResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 5;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.throttle_time_ms = r.int32()?;
        m.topics = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(CreatableTopicResult::decode(r, version)?);
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
        let flex = version >= 5;
        let _ = (flex, version);
        w.int32(*&self.throttle_time_ms);
        {
            let v = &self.topics;
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
pub struct CreatableTopicResult {
    pub name: Str,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub topic_config_error_code: i16,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}
impl Default for CreatableTopicResult {
    fn default() -> Self {
        CreatableTopicResult {
            name: Str::default(),
            topic_id: Uuid::default(),
            error_code: 0,
            error_message: Some(Str::default()),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}
impl Message for CreatableTopicResult {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 5;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.name = r.string(flex)?.ok_or(DecodeError::Null)?;
        if version >= 7 {
            m.topic_id = r.uuid()?;
        }
        m.error_code = r.int16()?;
        m.error_message = r.string(flex)?;
        if version >= 5 {
            m.num_partitions = r.int32()?;
        }
        if version >= 5 {
            m.replication_factor = r.int16()?;
        }
        if version >= 5 {
            m.configs = {
                match r.array(flex)? {
                    None => None,
                    Some(n) => {
                        let mut v = Vec::new();
                        for _ in 0..n {
                            v.push(CreatableTopicConfigs::decode(r, version)?);
                        }
                        Some(v)
                    }
                }
            };
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
                    0 => {
                        m.topic_config_error_code = r.int16()?;
                    }
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
        let flex = version >= 5;
        let _ = (flex, version);
        w.string(Some(&self.name), flex);
        if version >= 7 {
            w.uuid(*&self.topic_id);
        }
        w.int16(*&self.error_code);
        w.string(self.error_message.as_ref(), flex);
        if version >= 5 {
            w.int32(*&self.num_partitions);
        }
        if version >= 5 {
            w.int16(*&self.replication_factor);
        }
        if version >= 5 {
            match &self.configs {
                None => w.array(None, flex),
                Some(v) => {
                    w.array(Some(v.len()), flex);
                    for x in v {
                        x.encode(w, version);
                    }
                }
            }
        }
        if flex {
            let n = u32::from((version >= 5 && self.topic_config_error_code != 0));
            w.uvarint(n);
            if (version >= 5 && self.topic_config_error_code != 0) {
                w.uvarint(0);
                w.tagged(|w| {
                    w.int16(*&self.topic_config_error_code);
                });
            }
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct CreatableTopicConfigs {
    pub name: Str,
    pub value: Option<Str>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
}
impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        CreatableTopicConfigs {
            name: Str::default(),
            value: Some(Str::default()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}
impl Message for CreatableTopicConfigs {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 5;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 5 {
            m.name = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 5 {
            m.value = r.string(flex)?;
        }
        if version >= 5 {
            m.read_only = r.bool()?;
        }
        if version >= 5 {
            m.config_source = r.int8()?;
        }
        if version >= 5 {
            m.is_sensitive = r.bool()?;
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
        let flex = version >= 5;
        let _ = (flex, version);
        if version >= 5 {
            w.string(Some(&self.name), flex);
        }
        if version >= 5 {
            w.string(self.value.as_ref(), flex);
        }
        if version >= 5 {
            w.bool(*&self.read_only);
        }
        if version >= 5 {
            w.int8(*&self.config_source);
        }
        if version >= 5 {
            w.bool(*&self.is_sensitive);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
