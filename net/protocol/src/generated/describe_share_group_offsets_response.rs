//! `DescribeShareGroupOffsetsResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 90, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
}

impl Wire for DescribeShareGroupOffsetsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            groups: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.groups, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeShareGroupOffsetsResponse {
    const NAME: &'static str = "DescribeShareGroupOffsetsResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeShareGroupOffsetsResponse {
    const API_KEY: i16 = 90;
}

/// Part of [`DescribeShareGroupOffsetsResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    /// Versions 0–1.
    pub group_id: Str,
    /// Versions 0–1.
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null, default null.
    pub error_message: Option<Str>,
}

impl Wire for DescribeShareGroupOffsetsResponseGroup {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            topics: r.array(v, flex)?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.array(&self.topics, v, flex)?;
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeShareGroupOffsetsResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    /// Versions 0–1.
    pub topic_name: Str,
    /// Versions 0–1.
    pub topic_id: Uuid,
    /// Versions 0–1.
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
}

impl Wire for DescribeShareGroupOffsetsResponseTopic {
    const WIRE_BYTES_MIN: usize = 19;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            topic_id: r.uuid()?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.uuid(self.topic_id);
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeShareGroupOffsetsResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    /// Versions 0–1.
    pub partition_index: i32,
    /// Versions 0–1.
    pub start_offset: i64,
    /// Versions 0–1.
    pub leader_epoch: i32,
    /// Versions 1, default -1, ignorable.
    pub lag: i64,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null, default null.
    pub error_message: Option<Str>,
}

impl Default for DescribeShareGroupOffsetsResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            start_offset: 0,
            leader_epoch: 0,
            lag: -1,
            error_code: 0,
            error_message: None,
        }
    }
}

impl Wire for DescribeShareGroupOffsetsResponsePartition {
    const WIRE_BYTES_MIN: usize = 20;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            start_offset: r.i64()?,
            leader_epoch: r.i32()?,
            lag: if v == 1 { r.i64()? } else { -1 },
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.start_offset);
        w.i32(self.leader_epoch);
        if v == 1 {
            w.i64(self.lag);
        }
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
