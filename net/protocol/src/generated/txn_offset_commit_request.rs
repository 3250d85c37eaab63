//! `TxnOffsetCommitRequest` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 28, versions 0–5.
#[derive(Debug, Clone, PartialEq)]
pub struct TxnOffsetCommitRequest {
    /// Versions 0–5.
    pub transactional_id: Str,
    /// Versions 0–5.
    pub group_id: Str,
    /// Versions 0–5.
    pub producer_id: i64,
    /// Versions 0–5.
    pub producer_epoch: i16,
    /// Versions 3–5, default -1.
    pub generation_id: i32,
    /// Versions 3–5.
    pub member_id: Str,
    /// Versions 3–5, may be null, default null.
    pub group_instance_id: Option<Str>,
    /// Versions 0–5.
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: Str::default(),
            group_id: Str::default(),
            producer_id: 0,
            producer_epoch: 0,
            generation_id: -1,
            member_id: Str::default(),
            group_instance_id: None,
            topics: Vec::new(),
        }
    }
}

impl Wire for TxnOffsetCommitRequest {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.str(flex)?,
            group_id: r.str(flex)?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            generation_id: if v >= 3 { r.i32()? } else { -1 },
            member_id: if v >= 3 { r.str(flex)? } else { Str::default() },
            group_instance_id: if v >= 3 { r.opt_str(flex, true)? } else { None },
            topics: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.transactional_id, flex)?;
        w.str(&self.group_id, flex)?;
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        if v >= 3 {
            w.i32(self.generation_id);
        } else if self.generation_id != -1 {
            return Err(EncodeError::Absent(
                "TxnOffsetCommitRequest.GenerationId",
                v,
            ));
        }
        if v >= 3 {
            w.str(&self.member_id, flex)?;
        } else if !self.member_id.is_empty() {
            return Err(EncodeError::Absent("TxnOffsetCommitRequest.MemberId", v));
        }
        if v >= 3 {
            w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Absent(
                "TxnOffsetCommitRequest.GroupInstanceId",
                v,
            ));
        }
        w.array(&self.topics, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for TxnOffsetCommitRequest {
    const NAME: &'static str = "TxnOffsetCommitRequest";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for TxnOffsetCommitRequest {
    const API_KEY: i16 = 28;
    type Response = crate::TxnOffsetCommitResponse;
}

/// Part of [`TxnOffsetCommitRequest`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TxnOffsetCommitRequestTopic {
    /// Versions 0–5.
    pub name: Str,
    /// Versions 0–5.
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl Wire for TxnOffsetCommitRequestTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`TxnOffsetCommitRequest`], versions 0–5.
#[derive(Debug, Clone, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    /// Versions 0–5.
    pub partition_index: i32,
    /// Versions 0–5.
    pub committed_offset: i64,
    /// Versions 2–5, default -1, ignorable.
    pub committed_leader_epoch: i32,
    /// Versions 0–5, may be null.
    pub committed_metadata: Option<Str>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::default()),
        }
    }
}

impl Wire for TxnOffsetCommitRequestPartition {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            committed_offset: r.i64()?,
            committed_leader_epoch: if v >= 2 { r.i32()? } else { -1 },
            committed_metadata: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.committed_offset);
        if v >= 2 {
            w.i32(self.committed_leader_epoch);
        }
        w.opt_str(self.committed_metadata.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
