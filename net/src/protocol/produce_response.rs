//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    pub node_endpoints: Vec<NodeEndpoint>,
}
impl Default for ProduceResponse {
    fn default() -> Self {
        ProduceResponse {
            responses: Vec::new(),
            throttle_time_ms: 0,
            node_endpoints: Vec::new(),
        }
    }
}
impl Message for ProduceResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.responses = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(TopicProduceResponse::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        m.throttle_time_ms = r.int32()?;
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
                        m.node_endpoints = {
                            match r.array(true)? {
                                None => None,
                                Some(n) => {
                                    let mut v = Vec::new();
                                    for _ in 0..n {
                                        v.push(NodeEndpoint::decode(r, version)?);
                                    }
                                    Some(v)
                                }
                            }
                        }
                        .ok_or(DecodeError::Null)?;
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
        let flex = version >= 9;
        let _ = (flex, version);
        {
            let v = &self.responses;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        w.int32(*&self.throttle_time_ms);
        if flex {
            let n = u32::from((version >= 10 && self.node_endpoints != Vec::new()));
            w.uvarint(n);
            if (version >= 10 && self.node_endpoints != Vec::new()) {
                w.uvarint(0);
                w.tagged(|w| {
                    let v = &self.node_endpoints;
                    w.array(Some(v.len()), true);
                    for x in v {
                        x.encode(w, version);
                    }
                });
            }
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct TopicProduceResponse {
    pub name: Str,
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
}
impl Default for TopicProduceResponse {
    fn default() -> Self {
        TopicProduceResponse {
            name: Str::default(),
            topic_id: Uuid::default(),
            partition_responses: Vec::new(),
        }
    }
}
impl Message for TopicProduceResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version <= 12 {
            m.name = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 13 {
            m.topic_id = r.uuid()?;
        }
        m.partition_responses = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(PartitionProduceResponse::decode(r, version)?);
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
        let flex = version >= 9;
        let _ = (flex, version);
        if version <= 12 {
            w.string(Some(&self.name), flex);
        }
        if version >= 13 {
            w.uuid(*&self.topic_id);
        }
        {
            let v = &self.partition_responses;
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
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}
impl Default for NodeEndpoint {
    fn default() -> Self {
        NodeEndpoint {
            node_id: 0,
            host: Str::default(),
            port: 0,
            rack: None,
        }
    }
}
impl Message for NodeEndpoint {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 10 {
            m.node_id = r.int32()?;
        }
        if version >= 10 {
            m.host = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 10 {
            m.port = r.int32()?;
        }
        if version >= 10 {
            m.rack = r.string(flex)?;
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
        let flex = version >= 9;
        let _ = (flex, version);
        if version >= 10 {
            w.int32(*&self.node_id);
        }
        if version >= 10 {
            w.string(Some(&self.host), flex);
        }
        if version >= 10 {
            w.int32(*&self.port);
        }
        if version >= 10 {
            w.string(self.rack.as_ref(), flex);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    pub error_message: Option<Str>,
    pub current_leader: LeaderIdAndEpoch,
}
impl Default for PartitionProduceResponse {
    fn default() -> Self {
        PartitionProduceResponse {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}
impl Message for PartitionProduceResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.index = r.int32()?;
        m.error_code = r.int16()?;
        m.base_offset = r.int64()?;
        m.log_append_time_ms = r.int64()?;
        if version >= 5 {
            m.log_start_offset = r.int64()?;
        }
        if version >= 8 {
            m.record_errors = {
                match r.array(flex)? {
                    None => None,
                    Some(n) => {
                        let mut v = Vec::new();
                        for _ in 0..n {
                            v.push(BatchIndexAndErrorMessage::decode(r, version)?);
                        }
                        Some(v)
                    }
                }
            }
            .ok_or(DecodeError::Null)?;
        }
        if version >= 8 {
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
                    0 => {
                        m.current_leader = LeaderIdAndEpoch::decode(r, version)?;
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
        let flex = version >= 9;
        let _ = (flex, version);
        w.int32(*&self.index);
        w.int16(*&self.error_code);
        w.int64(*&self.base_offset);
        w.int64(*&self.log_append_time_ms);
        if version >= 5 {
            w.int64(*&self.log_start_offset);
        }
        if version >= 8 {
            {
                let v = &self.record_errors;
                w.array(Some(v.len()), flex);
                for x in v {
                    x.encode(w, version);
                }
            }
        }
        if version >= 8 {
            w.string(self.error_message.as_ref(), flex);
        }
        if flex {
            let n =
                u32::from((version >= 10 && self.current_leader != LeaderIdAndEpoch::default()));
            w.uvarint(n);
            if (version >= 10 && self.current_leader != LeaderIdAndEpoch::default()) {
                w.uvarint(0);
                w.tagged(|w| {
                    self.current_leader.encode(w, version);
                });
            }
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct BatchIndexAndErrorMessage {
    pub batch_index: i32,
    pub batch_index_error_message: Option<Str>,
}
impl Default for BatchIndexAndErrorMessage {
    fn default() -> Self {
        BatchIndexAndErrorMessage {
            batch_index: 0,
            batch_index_error_message: None,
        }
    }
}
impl Message for BatchIndexAndErrorMessage {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 8 {
            m.batch_index = r.int32()?;
        }
        if version >= 8 {
            m.batch_index_error_message = r.string(flex)?;
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
        let flex = version >= 9;
        let _ = (flex, version);
        if version >= 8 {
            w.int32(*&self.batch_index);
        }
        if version >= 8 {
            w.string(self.batch_index_error_message.as_ref(), flex);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}
impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        LeaderIdAndEpoch {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}
impl Message for LeaderIdAndEpoch {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 10 {
            m.leader_id = r.int32()?;
        }
        if version >= 10 {
            m.leader_epoch = r.int32()?;
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
        let flex = version >= 9;
        let _ = (flex, version);
        if version >= 10 {
            w.int32(*&self.leader_id);
        }
        if version >= 10 {
            w.int32(*&self.leader_epoch);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
