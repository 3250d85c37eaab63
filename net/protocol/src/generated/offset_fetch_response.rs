//! `OffsetFetchResponse` of Kafka 4.3.1, versions 1–10. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 9, versions 1–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetFetchResponse {
    /// Versions 3–10, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 1–7.
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Versions 2–7, default 0, ignorable.
    pub error_code: i16,
    /// Versions 8–10.
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Wire for OffsetFetchResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 3 { r.i32()? } else { 0 },
            topics: if v <= 7 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            error_code: if (2..=7).contains(&v) { r.i16()? } else { 0 },
            groups: if v >= 8 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            w.i32(self.throttle_time_ms);
        }
        if v <= 7 {
            w.array(&self.topics, v, flex)?;
        } else if !self.topics.is_empty() {
            return Err(EncodeError::Absent("OffsetFetchResponse.Topics", v));
        }
        if (2..=7).contains(&v) {
            w.error_code(self.error_code);
        }
        if v >= 8 {
            w.array(&self.groups, v, flex)?;
        } else if !self.groups.is_empty() {
            return Err(EncodeError::Absent("OffsetFetchResponse.Groups", v));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetFetchResponse {
    const NAME: &'static str = "OffsetFetchResponse";
    const VERSIONS: (i16, i16) = (1, 10);
    const FLEXIBLE_FROM: i16 = 6;
}

impl Response for OffsetFetchResponse {
    const API_KEY: i16 = 9;
}

/// Part of [`OffsetFetchResponse`], versions 1–7.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetFetchResponseTopic {
    /// Versions 1–7.
    pub name: Str,
    /// Versions 1–7.
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Wire for OffsetFetchResponseTopic {
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

/// Part of [`OffsetFetchResponse`], versions 1–7.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetFetchResponsePartition {
    /// Versions 1–7.
    pub partition_index: i32,
    /// Versions 1–7.
    pub committed_offset: i64,
    /// Versions 5–7, default -1, ignorable.
    pub committed_leader_epoch: i32,
    /// Versions 1–7, may be null.
    pub metadata: Option<Str>,
    /// Versions 1–7.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Str::default()),
            error_code: 0,
        }
    }
}

impl Wire for OffsetFetchResponsePartition {
    const WIRE_BYTES_MIN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            committed_offset: r.i64()?,
            committed_leader_epoch: if v >= 5 { r.i32()? } else { -1 },
            metadata: r.opt_str(flex, true)?,
            error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.committed_offset);
        if v >= 5 {
            w.i32(self.committed_leader_epoch);
        }
        w.opt_str(self.metadata.as_ref(), flex, true)?;
        w.error_code(self.error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 8–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetFetchResponseGroup {
    /// Versions 8–10.
    pub group_id: Str,
    /// Versions 8–10.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// Versions 8–10, default 0.
    pub error_code: i16,
}

impl Wire for OffsetFetchResponseGroup {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            topics: r.array(v, flex)?,
            error_code: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.array(&self.topics, v, flex)?;
        w.error_code(self.error_code);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 8–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetFetchResponseTopics {
    /// Versions 8–9, ignorable.
    pub name: Str,
    /// Versions 10, ignorable.
    pub topic_id: Uuid,
    /// Versions 8–10.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Wire for OffsetFetchResponseTopics {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: if v <= 9 { r.str(flex)? } else { Str::default() },
            topic_id: if v == 10 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
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
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 8–10.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    /// Versions 8–10.
    pub partition_index: i32,
    /// Versions 8–10.
    pub committed_offset: i64,
    /// Versions 8–10, default -1, ignorable.
    pub committed_leader_epoch: i32,
    /// Versions 8–10, may be null.
    pub metadata: Option<Str>,
    /// Versions 8–10.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Str::default()),
            error_code: 0,
        }
    }
}

impl Wire for OffsetFetchResponsePartitions {
    const WIRE_BYTES_MIN: usize = 20;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            committed_offset: r.i64()?,
            committed_leader_epoch: r.i32()?,
            metadata: r.opt_str(flex, true)?,
            error_code: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.committed_offset);
        w.i32(self.committed_leader_epoch);
        w.opt_str(self.metadata.as_ref(), flex, true)?;
        w.error_code(self.error_code);
        w.uvarint(0);
        Ok(())
    }
}
