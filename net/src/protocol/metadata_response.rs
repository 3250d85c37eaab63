//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataResponse {
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    pub cluster_id: Option<Str>,
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    pub cluster_authorized_operations: i32,
    pub error_code: i16,
}
impl Default for MetadataResponse {
    fn default() -> Self {
        MetadataResponse {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: -2147483648,
            error_code: 0,
        }
    }
}
impl Message for MetadataResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 3 {
            m.throttle_time_ms = r.int32()?;
        }
        m.brokers = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(MetadataResponseBroker::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if version >= 2 {
            m.cluster_id = r.string(flex)?;
        }
        if version >= 1 {
            m.controller_id = r.int32()?;
        }
        m.topics = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(MetadataResponseTopic::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if version >= 8 && version <= 10 {
            m.cluster_authorized_operations = r.int32()?;
        }
        if version >= 13 {
            m.error_code = r.int16()?;
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
        if version >= 3 {
            w.int32(*&self.throttle_time_ms);
        }
        {
            let v = &self.brokers;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if version >= 2 {
            w.string(self.cluster_id.as_ref(), flex);
        }
        if version >= 1 {
            w.int32(*&self.controller_id);
        }
        {
            let v = &self.topics;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if version >= 8 && version <= 10 {
            w.int32(*&self.cluster_authorized_operations);
        }
        if version >= 13 {
            w.int16(*&self.error_code);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}
impl Default for MetadataResponseBroker {
    fn default() -> Self {
        MetadataResponseBroker {
            node_id: 0,
            host: Str::default(),
            port: 0,
            rack: None,
        }
    }
}
impl Message for MetadataResponseBroker {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.node_id = r.int32()?;
        m.host = r.string(flex)?.ok_or(DecodeError::Null)?;
        m.port = r.int32()?;
        if version >= 1 {
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
        w.int32(*&self.node_id);
        w.string(Some(&self.host), flex);
        w.int32(*&self.port);
        if version >= 1 {
            w.string(self.rack.as_ref(), flex);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataResponseTopic {
    pub error_code: i16,
    pub name: Option<Str>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    pub topic_authorized_operations: i32,
}
impl Default for MetadataResponseTopic {
    fn default() -> Self {
        MetadataResponseTopic {
            error_code: 0,
            name: Some(Str::default()),
            topic_id: Uuid::default(),
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: -2147483648,
        }
    }
}
impl Message for MetadataResponseTopic {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.error_code = r.int16()?;
        m.name = r.string(flex)?;
        if version >= 10 {
            m.topic_id = r.uuid()?;
        }
        if version >= 1 {
            m.is_internal = r.bool()?;
        }
        m.partitions = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(MetadataResponsePartition::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if version >= 8 {
            m.topic_authorized_operations = r.int32()?;
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
        w.int16(*&self.error_code);
        w.string(self.name.as_ref(), flex);
        if version >= 10 {
            w.uuid(*&self.topic_id);
        }
        if version >= 1 {
            w.bool(*&self.is_internal);
        }
        {
            let v = &self.partitions;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if version >= 8 {
            w.int32(*&self.topic_authorized_operations);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub offline_replicas: Vec<i32>,
}
impl Default for MetadataResponsePartition {
    fn default() -> Self {
        MetadataResponsePartition {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}
impl Message for MetadataResponsePartition {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 9;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.error_code = r.int16()?;
        m.partition_index = r.int32()?;
        m.leader_id = r.int32()?;
        if version >= 7 {
            m.leader_epoch = r.int32()?;
        }
        m.replica_nodes = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(r.int32()?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        m.isr_nodes = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(r.int32()?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if version >= 5 {
            m.offline_replicas = {
                match r.array(flex)? {
                    None => None,
                    Some(n) => {
                        let mut v = Vec::new();
                        for _ in 0..n {
                            v.push(r.int32()?);
                        }
                        Some(v)
                    }
                }
            }
            .ok_or(DecodeError::Null)?;
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
        w.int16(*&self.error_code);
        w.int32(*&self.partition_index);
        w.int32(*&self.leader_id);
        if version >= 7 {
            w.int32(*&self.leader_epoch);
        }
        {
            let v = &self.replica_nodes;
            w.array(Some(v.len()), flex);
            for x in v {
                w.int32(*x);
            }
        }
        {
            let v = &self.isr_nodes;
            w.array(Some(v.len()), flex);
            for x in v {
                w.int32(*x);
            }
        }
        if version >= 5 {
            {
                let v = &self.offline_replicas;
                w.array(Some(v.len()), flex);
                for x in v {
                    w.int32(*x);
                }
            }
        }
        if flex {
            w.uvarint(0);
        }
    }
}
