//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct FetchRequest {
    pub cluster_id: Option<Str>,
    pub replica_id: i32,
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    pub rack_id: Str,
}
impl Default for FetchRequest {
    fn default() -> Self {
        FetchRequest {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 0x7fffffff,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: Str::default(),
        }
    }
}
impl Message for FetchRequest {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version <= 14 {
            m.replica_id = r.int32()?;
        }
        m.max_wait_ms = r.int32()?;
        m.min_bytes = r.int32()?;
        m.max_bytes = r.int32()?;
        m.isolation_level = r.int8()?;
        if version >= 7 {
            m.session_id = r.int32()?;
        }
        if version >= 7 {
            m.session_epoch = r.int32()?;
        }
        m.topics = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(FetchTopic::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if version >= 7 {
            m.forgotten_topics_data = {
                match r.array(flex)? {
                    None => None,
                    Some(n) => {
                        let mut v = Vec::new();
                        for _ in 0..n {
                            v.push(ForgottenTopic::decode(r, version)?);
                        }
                        Some(v)
                    }
                }
            }
            .ok_or(DecodeError::Null)?;
        }
        if version >= 11 {
            m.rack_id = r.string(flex)?.ok_or(DecodeError::Null)?;
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
                        m.cluster_id = r.string(true)?;
                    }
                    1 => {
                        m.replica_state = ReplicaState::decode(r, version)?;
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
        let flex = version >= 12;
        let _ = (flex, version);
        if version <= 14 {
            w.int32(*&self.replica_id);
        }
        w.int32(*&self.max_wait_ms);
        w.int32(*&self.min_bytes);
        w.int32(*&self.max_bytes);
        w.int8(*&self.isolation_level);
        if version >= 7 {
            w.int32(*&self.session_id);
        }
        if version >= 7 {
            w.int32(*&self.session_epoch);
        }
        {
            let v = &self.topics;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if version >= 7 {
            {
                let v = &self.forgotten_topics_data;
                w.array(Some(v.len()), flex);
                for x in v {
                    x.encode(w, version);
                }
            }
        }
        if version >= 11 {
            w.string(Some(&self.rack_id), flex);
        }
        if flex {
            let n = u32::from((version >= 12 && self.cluster_id != None))
                + u32::from((version >= 15 && self.replica_state != ReplicaState::default()));
            w.uvarint(n);
            if (version >= 12 && self.cluster_id != None) {
                w.uvarint(0);
                w.tagged(|w| {
                    w.string(self.cluster_id.as_ref(), true);
                });
            }
            if (version >= 15 && self.replica_state != ReplicaState::default()) {
                w.uvarint(1);
                w.tagged(|w| {
                    self.replica_state.encode(w, version);
                });
            }
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_epoch: i64,
}
impl Default for ReplicaState {
    fn default() -> Self {
        ReplicaState {
            replica_id: -1,
            replica_epoch: -1,
        }
    }
}
impl Message for ReplicaState {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 15 {
            m.replica_id = r.int32()?;
        }
        if version >= 15 {
            m.replica_epoch = r.int64()?;
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
        let flex = version >= 12;
        let _ = (flex, version);
        if version >= 15 {
            w.int32(*&self.replica_id);
        }
        if version >= 15 {
            w.int64(*&self.replica_epoch);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct FetchTopic {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
}
impl Default for FetchTopic {
    fn default() -> Self {
        FetchTopic {
            topic: Str::default(),
            topic_id: Uuid::default(),
            partitions: Vec::new(),
        }
    }
}
impl Message for FetchTopic {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version <= 12 {
            m.topic = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 13 {
            m.topic_id = r.uuid()?;
        }
        m.partitions = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(FetchPartition::decode(r, version)?);
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
        let flex = version >= 12;
        let _ = (flex, version);
        if version <= 12 {
            w.string(Some(&self.topic), flex);
        }
        if version >= 13 {
            w.uuid(*&self.topic_id);
        }
        {
            let v = &self.partitions;
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
pub struct ForgottenTopic {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}
impl Default for ForgottenTopic {
    fn default() -> Self {
        ForgottenTopic {
            topic: Str::default(),
            topic_id: Uuid::default(),
            partitions: Vec::new(),
        }
    }
}
impl Message for ForgottenTopic {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 7 && version <= 12 {
            m.topic = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 13 {
            m.topic_id = r.uuid()?;
        }
        if version >= 7 {
            m.partitions = {
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
        let flex = version >= 12;
        let _ = (flex, version);
        if version >= 7 && version <= 12 {
            w.string(Some(&self.topic), flex);
        }
        if version >= 13 {
            w.uuid(*&self.topic_id);
        }
        if version >= 7 {
            {
                let v = &self.partitions;
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
#[derive(Clone, PartialEq, Debug)]
pub struct FetchPartition {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: Uuid,
    pub high_watermark: i64,
}
impl Default for FetchPartition {
    fn default() -> Self {
        FetchPartition {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::default(),
            high_watermark: 9223372036854775807,
        }
    }
}
impl Message for FetchPartition {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.partition = r.int32()?;
        if version >= 9 {
            m.current_leader_epoch = r.int32()?;
        }
        m.fetch_offset = r.int64()?;
        if version >= 12 {
            m.last_fetched_epoch = r.int32()?;
        }
        if version >= 5 {
            m.log_start_offset = r.int64()?;
        }
        m.partition_max_bytes = r.int32()?;
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
                        m.replica_directory_id = r.uuid()?;
                    }
                    1 => {
                        m.high_watermark = r.int64()?;
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
        let flex = version >= 12;
        let _ = (flex, version);
        w.int32(*&self.partition);
        if version >= 9 {
            w.int32(*&self.current_leader_epoch);
        }
        w.int64(*&self.fetch_offset);
        if version >= 12 {
            w.int32(*&self.last_fetched_epoch);
        }
        if version >= 5 {
            w.int64(*&self.log_start_offset);
        }
        w.int32(*&self.partition_max_bytes);
        if flex {
            let n = u32::from((version >= 17 && self.replica_directory_id != Uuid::default()))
                + u32::from((version >= 18 && self.high_watermark != 9223372036854775807));
            w.uvarint(n);
            if (version >= 17 && self.replica_directory_id != Uuid::default()) {
                w.uvarint(0);
                w.tagged(|w| {
                    w.uuid(*&self.replica_directory_id);
                });
            }
            if (version >= 18 && self.high_watermark != 9223372036854775807) {
                w.uvarint(1);
                w.tagged(|w| {
                    w.int64(*&self.high_watermark);
                });
            }
        }
    }
}
