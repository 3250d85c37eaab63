//! `FetchResponse` of Kafka 4.3.1, versions 4–18. Generated; do not edit.

use crate::{
    DecodeError, EncodeError, Message, Reader, Records, Response, Str, Uuid, Wire, Writer,
};

/// The response of API 1, versions 4–18.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchResponse {
    /// Versions 4–18, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 7–18, ignorable.
    pub error_code: i16,
    /// Versions 7–18, default 0.
    pub session_id: i32,
    /// Versions 4–18.
    pub responses: Vec<FetchableTopicResponse>,
    /// Versions 16–18, tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for FetchResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            throttle_time_ms: r.i32()?,
            error_code: if v >= 7 { r.i16()? } else { 0 },
            session_id: if v >= 7 { r.i32()? } else { 0 },
            responses: r.array(v, flex)?,
            node_endpoints: Vec::new(),
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 16 => m.node_endpoints = r.array(v, flex)?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        if v >= 7 {
            w.error_code(self.error_code);
        }
        if v >= 7 {
            w.i32(self.session_id);
        } else if self.session_id != 0 {
            return Err(EncodeError::Absent("FetchResponse.SessionId", v));
        }
        w.array(&self.responses, v, flex)?;
        if v < 16 && !self.node_endpoints.is_empty() {
            return Err(EncodeError::Absent("FetchResponse.NodeEndpoints", v));
        }
        if flex {
            let tag0 = v >= 16 && !self.node_endpoints.is_empty();
            w.uvarint(u32::from(tag0));
            if tag0 {
                let mark = w.begin_tag(0);
                w.array(&self.node_endpoints, v, flex)?;
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

impl Message for FetchResponse {
    const NAME: &'static str = "FetchResponse";
    const VERSIONS: (i16, i16) = (4, 18);
    const FLEXIBLE_FROM: i16 = 12;
}

impl Response for FetchResponse {
    const API_KEY: i16 = 1;
}

/// Part of [`FetchResponse`], versions 4–18.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchableTopicResponse {
    /// Versions 4–12, ignorable.
    pub topic: Str,
    /// Versions 13–18, ignorable.
    pub topic_id: Uuid,
    /// Versions 4–18.
    pub partitions: Vec<PartitionData>,
}

impl Wire for FetchableTopicResponse {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: if v <= 12 {
                r.str(flex)?
            } else {
                Str::default()
            },
            topic_id: if v >= 13 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            w.str(&self.topic, flex)?;
        }
        if v >= 13 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 4–18.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionData {
    /// Versions 4–18.
    pub partition_index: i32,
    /// Versions 4–18.
    pub error_code: i16,
    /// Versions 4–18.
    pub high_watermark: i64,
    /// Versions 4–18, default -1, ignorable.
    pub last_stable_offset: i64,
    /// Versions 5–18, default -1, ignorable.
    pub log_start_offset: i64,
    /// Versions 12–18, tag 0.
    pub diverging_epoch: EpochEndOffset,
    /// Versions 12–18, tag 1.
    pub current_leader: LeaderIdAndEpoch,
    /// Versions 12–18, tag 2.
    pub snapshot_id: SnapshotId,
    /// Versions 4–18, may be null, ignorable.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Versions 11–18, default -1.
    pub preferred_read_replica: i32,
    /// Versions 4–18, may be null, default null.
    pub records: Option<Records>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
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
            records: None,
        }
    }
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 30;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            high_watermark: r.i64()?,
            last_stable_offset: r.i64()?,
            log_start_offset: if v >= 5 { r.i64()? } else { -1 },
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: r.opt_array(v, flex, true)?,
            preferred_read_replica: if v >= 11 { r.i32()? } else { -1 },
            records: r.opt_records(flex, true)?,
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 12 => m.diverging_epoch = Wire::read(r, v, flex)?,
                    1 if v >= 12 => m.current_leader = Wire::read(r, v, flex)?,
                    2 if v >= 12 => m.snapshot_id = Wire::read(r, v, flex)?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.i64(self.high_watermark);
        w.i64(self.last_stable_offset);
        if v >= 5 {
            w.i64(self.log_start_offset);
        }
        if v < 12 && self.diverging_epoch != EpochEndOffset::default() {
            return Err(EncodeError::Absent("PartitionData.DivergingEpoch", v));
        }
        if v < 12 && self.current_leader != LeaderIdAndEpoch::default() {
            return Err(EncodeError::Absent("PartitionData.CurrentLeader", v));
        }
        if v < 12 && self.snapshot_id != SnapshotId::default() {
            return Err(EncodeError::Absent("PartitionData.SnapshotId", v));
        }
        w.opt_array(self.aborted_transactions.as_deref(), v, flex, true)?;
        if v >= 11 {
            w.i32(self.preferred_read_replica);
        } else if self.preferred_read_replica != -1 {
            return Err(EncodeError::Absent("PartitionData.PreferredReadReplica", v));
        }
        w.opt_records(self.records.as_ref(), flex, true)?;
        if flex {
            let tag0 = v >= 12 && self.diverging_epoch != EpochEndOffset::default();
            let tag1 = v >= 12 && self.current_leader != LeaderIdAndEpoch::default();
            let tag2 = v >= 12 && self.snapshot_id != SnapshotId::default();
            w.uvarint(u32::from(tag0) + u32::from(tag1) + u32::from(tag2));
            if tag0 {
                let mark = w.begin_tag(0);
                self.diverging_epoch.write(w, v, flex)?;
                w.end_tag(mark)?;
            }
            if tag1 {
                let mark = w.begin_tag(1);
                self.current_leader.write(w, v, flex)?;
                w.end_tag(mark)?;
            }
            if tag2 {
                let mark = w.begin_tag(2);
                self.snapshot_id.write(w, v, flex)?;
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 12–18.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochEndOffset {
    /// Versions 12–18, default -1.
    pub epoch: i32,
    /// Versions 12–18, default -1.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            epoch: -1,
            end_offset: -1,
        }
    }
}

impl Wire for EpochEndOffset {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            epoch: r.i32()?,
            end_offset: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.i64(self.end_offset);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 12–18.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// Versions 12–18, default -1.
    pub leader_id: i32,
    /// Versions 12–18, default -1.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

impl Wire for LeaderIdAndEpoch {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 12–18.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotId {
    /// Versions 12–18, default -1.
    pub end_offset: i64,
    /// Versions 12–18, default -1.
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self {
            end_offset: -1,
            epoch: -1,
        }
    }
}

impl Wire for SnapshotId {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            end_offset: r.i64()?,
            epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i64(self.end_offset);
        w.i32(self.epoch);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 4–18.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AbortedTransaction {
    /// Versions 4–18.
    pub producer_id: i64,
    /// Versions 4–18.
    pub first_offset: i64,
}

impl Wire for AbortedTransaction {
    const WIRE_BYTES_MIN: usize = 16;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            producer_id: r.i64()?,
            first_offset: r.i64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.i64(self.first_offset);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 16–18.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeEndpoint {
    /// Versions 16–18.
    pub node_id: i32,
    /// Versions 16–18.
    pub host: Str,
    /// Versions 16–18.
    pub port: i32,
    /// Versions 16–18, may be null, default null.
    pub rack: Option<Str>,
}

impl Wire for NodeEndpoint {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            node_id: r.i32()?,
            host: r.str(flex)?,
            port: r.i32()?,
            rack: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.str(&self.host, flex)?;
        w.i32(self.port);
        w.opt_str(self.rack.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
