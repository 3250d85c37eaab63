//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
}
impl Default for FetchResponse {
    fn default() -> Self {
        FetchResponse {
            throttle_time_ms: 0,
            error_code: 0,
            session_id: 0,
            responses: Vec::new(),
            node_endpoints: Vec::new(),
        }
    }
}
impl Message for FetchResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.throttle_time_ms = r.int32()?;
        if version >= 7 {
            m.error_code = r.int16()?;
        }
        if version >= 7 {
            m.session_id = r.int32()?;
        }
        m.responses = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(FetchableTopicResponse::decode(r, version)?);
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
        let flex = version >= 12;
        let _ = (flex, version);
        w.int32(*&self.throttle_time_ms);
        if version >= 7 {
            w.int16(*&self.error_code);
        }
        if version >= 7 {
            w.int32(*&self.session_id);
        }
        {
            let v = &self.responses;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if flex {
            let n = u32::from((version >= 16 && self.node_endpoints != Vec::new()));
            w.uvarint(n);
            if (version >= 16 && self.node_endpoints != Vec::new()) {
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
pub struct FetchableTopicResponse {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}
impl Default for FetchableTopicResponse {
    fn default() -> Self {
        FetchableTopicResponse {
            topic: Str::default(),
            topic_id: Uuid::default(),
            partitions: Vec::new(),
        }
    }
}
impl Message for FetchableTopicResponse {
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
                        v.push(PartitionData::decode(r, version)?);
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
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 16 {
            m.node_id = r.int32()?;
        }
        if version >= 16 {
            m.host = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 16 {
            m.port = r.int32()?;
        }
        if version >= 16 {
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
        let flex = version >= 12;
        let _ = (flex, version);
        if version >= 16 {
            w.int32(*&self.node_id);
        }
        if version >= 16 {
            w.string(Some(&self.host), flex);
        }
        if version >= 16 {
            w.int32(*&self.port);
        }
        if version >= 16 {
            w.string(self.rack.as_ref(), flex);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub diverging_epoch: EpochEndOffset,
    pub current_leader: LeaderIdAndEpoch,
    pub snapshot_id: SnapshotId,
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    pub preferred_read_replica: i32,
    pub records: Option<Records>,
}
impl Default for PartitionData {
    fn default() -> Self {
        PartitionData {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: Some(Records::default()),
        }
    }
}
impl Message for PartitionData {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.partition_index = r.int32()?;
        m.error_code = r.int16()?;
        m.high_watermark = r.int64()?;
        m.last_stable_offset = r.int64()?;
        if version >= 5 {
            m.log_start_offset = r.int64()?;
        }
        m.aborted_transactions = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(AbortedTransaction::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        };
        if version >= 11 {
            m.preferred_read_replica = r.int32()?;
        }
        m.records = r.records(flex)?;
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
                        m.diverging_epoch = EpochEndOffset::decode(r, version)?;
                    }
                    1 => {
                        m.current_leader = LeaderIdAndEpoch::decode(r, version)?;
                    }
                    2 => {
                        m.snapshot_id = SnapshotId::decode(r, version)?;
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
        w.int32(*&self.partition_index);
        w.int16(*&self.error_code);
        w.int64(*&self.high_watermark);
        w.int64(*&self.last_stable_offset);
        if version >= 5 {
            w.int64(*&self.log_start_offset);
        }
        match &self.aborted_transactions {
            None => w.array(None, flex),
            Some(v) => {
                w.array(Some(v.len()), flex);
                for x in v {
                    x.encode(w, version);
                }
            }
        }
        if version >= 11 {
            w.int32(*&self.preferred_read_replica);
        }
        w.records(self.records.as_ref(), flex);
        if flex {
            let n = u32::from((version >= 12 && self.diverging_epoch != EpochEndOffset::default()))
                + u32::from((version >= 12 && self.current_leader != LeaderIdAndEpoch::default()))
                + u32::from((version >= 12 && self.snapshot_id != SnapshotId::default()));
            w.uvarint(n);
            if (version >= 12 && self.diverging_epoch != EpochEndOffset::default()) {
                w.uvarint(0);
                w.tagged(|w| {
                    self.diverging_epoch.encode(w, version);
                });
            }
            if (version >= 12 && self.current_leader != LeaderIdAndEpoch::default()) {
                w.uvarint(1);
                w.tagged(|w| {
                    self.current_leader.encode(w, version);
                });
            }
            if (version >= 12 && self.snapshot_id != SnapshotId::default()) {
                w.uvarint(2);
                w.tagged(|w| {
                    self.snapshot_id.encode(w, version);
                });
            }
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}
impl Default for EpochEndOffset {
    fn default() -> Self {
        EpochEndOffset {
            epoch: -1,
            end_offset: -1,
        }
    }
}
impl Message for EpochEndOffset {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 12 {
            m.epoch = r.int32()?;
        }
        if version >= 12 {
            m.end_offset = r.int64()?;
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
        if version >= 12 {
            w.int32(*&self.epoch);
        }
        if version >= 12 {
            w.int64(*&self.end_offset);
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
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 12 {
            m.leader_id = r.int32()?;
        }
        if version >= 12 {
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
        let flex = version >= 12;
        let _ = (flex, version);
        if version >= 12 {
            w.int32(*&self.leader_id);
        }
        if version >= 12 {
            w.int32(*&self.leader_epoch);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}
impl Default for SnapshotId {
    fn default() -> Self {
        SnapshotId {
            end_offset: -1,
            epoch: -1,
        }
    }
}
impl Message for SnapshotId {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.end_offset = r.int64()?;
        m.epoch = r.int32()?;
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
        w.int64(*&self.end_offset);
        w.int32(*&self.epoch);
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}
impl Default for AbortedTransaction {
    fn default() -> Self {
        AbortedTransaction {
            producer_id: 0,
            first_offset: 0,
        }
    }
}
impl Message for AbortedTransaction {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 12;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.producer_id = r.int64()?;
        m.first_offset = r.int64()?;
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
        w.int64(*&self.producer_id);
        w.int64(*&self.first_offset);
        if flex {
            w.uvarint(0);
        }
    }
}
