//! `VoteRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 52, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct VoteRequest {
    /// Versions 0–2, may be null, default null.
    pub cluster_id: Option<Str>,
    /// Versions 1–2, default -1, ignorable.
    pub voter_id: i32,
    /// Versions 0–2.
    pub topics: Vec<TopicData>,
}

impl Default for VoteRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            voter_id: -1,
            topics: Vec::new(),
        }
    }
}

impl Wire for VoteRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            cluster_id: r.opt_str(flex, true)?,
            voter_id: if v >= 1 { r.i32()? } else { -1 },
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.cluster_id.as_ref(), flex, true)?;
        if v >= 1 {
            w.i32(self.voter_id);
        }
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for VoteRequest {
    const NAME: &'static str = "VoteRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for VoteRequest {
    const API_KEY: i16 = 52;
    type Response = crate::VoteResponse;
}

/// Part of [`VoteRequest`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 0–2.
    pub topic_name: Str,
    /// Versions 0–2.
    pub partitions: Vec<PartitionData>,
}

impl Wire for TopicData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`VoteRequest`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0–2.
    pub partition_index: i32,
    /// Versions 0–2.
    pub replica_epoch: i32,
    /// Versions 0–2.
    pub replica_id: i32,
    /// Versions 1–2, ignorable.
    pub replica_directory_id: Uuid,
    /// Versions 1–2, ignorable.
    pub voter_directory_id: Uuid,
    /// Versions 0–2.
    pub last_offset_epoch: i32,
    /// Versions 0–2.
    pub last_offset: i64,
    /// Versions 2.
    pub pre_vote: bool,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 25;

    fn read(r: &mut Reader, v: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            replica_epoch: r.i32()?,
            replica_id: r.i32()?,
            replica_directory_id: if v >= 1 { r.uuid()? } else { Uuid::ZERO },
            voter_directory_id: if v >= 1 { r.uuid()? } else { Uuid::ZERO },
            last_offset_epoch: r.i32()?,
            last_offset: r.i64()?,
            pre_vote: if v == 2 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i32(self.replica_epoch);
        w.i32(self.replica_id);
        if v >= 1 {
            w.uuid(self.replica_directory_id);
        }
        if v >= 1 {
            w.uuid(self.voter_directory_id);
        }
        w.i32(self.last_offset_epoch);
        w.i64(self.last_offset);
        if v == 2 {
            w.bool(self.pre_vote);
        } else if self.pre_vote {
            return Err(EncodeError::Absent("PartitionData.PreVote", v));
        }
        w.uvarint(0);
        Ok(())
    }
}
