//! `OffsetCommitRequest` of Kafka 4.3.1, versions 2–10. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 8, versions 2–10.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetCommitRequest {
    /// Versions 2–10.
    pub group_id: Str,
    /// Versions 2–10, default -1, ignorable.
    pub generation_id_or_member_epoch: i32,
    /// Versions 2–10, ignorable.
    pub member_id: Str,
    /// Versions 7–10, may be null, default null.
    pub group_instance_id: Option<Str>,
    /// Versions 2–4, default -1, ignorable.
    pub retention_time_ms: i64,
    /// Versions 2–10.
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: Str::default(),
            generation_id_or_member_epoch: -1,
            member_id: Str::default(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
        }
    }
}

impl Wire for OffsetCommitRequest {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            generation_id_or_member_epoch: r.i32()?,
            member_id: r.str(flex)?,
            group_instance_id: if v >= 7 { r.opt_str(flex, true)? } else { None },
            retention_time_ms: if v <= 4 { r.i64()? } else { -1 },
            topics: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.i32(self.generation_id_or_member_epoch);
        w.str(&self.member_id, flex)?;
        if v >= 7 {
            w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Absent(
                "OffsetCommitRequest.GroupInstanceId",
                v,
            ));
        }
        if v <= 4 {
            w.i64(self.retention_time_ms);
        }
        w.array(&self.topics, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetCommitRequest {
    const NAME: &'static str = "OffsetCommitRequest";
    const VERSIONS: (i16, i16) = (2, 10);
    const FLEXIBLE_FROM: i16 = 8;
}

impl Request for OffsetCommitRequest {
    const API_KEY: i16 = 8;
    type Response = crate::OffsetCommitResponse;
}

/// Part of [`OffsetCommitRequest`], versions 2–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetCommitRequestTopic {
    /// Versions 2–9, ignorable.
    pub name: Str,
    /// Versions 10, ignorable.
    pub topic_id: Uuid,
    /// Versions 2–10.
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Wire for OffsetCommitRequestTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: if v <= 9 { r.str(flex)? } else { Str::default() },
            topic_id: if v == 10 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 9 {
            w.str(&self.name, flex)?;
        }
        if v == 10 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetCommitRequest`], versions 2–10.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetCommitRequestPartition {
    /// Versions 2–10.
    pub partition_index: i32,
    /// Versions 2–10.
    pub committed_offset: i64,
    /// Versions 6–10, default -1, ignorable.
    pub committed_leader_epoch: i32,
    /// Versions 2–10, may be null.
    pub committed_metadata: Option<Str>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::default()),
        }
    }
}

impl Wire for OffsetCommitRequestPartition {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            committed_offset: r.i64()?,
            committed_leader_epoch: if v >= 6 { r.i32()? } else { -1 },
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
        if v >= 6 {
            w.i32(self.committed_leader_epoch);
        }
        w.opt_str(self.committed_metadata.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
