//! `AlterPartitionResponse` of Kafka 4.3.1, versions 2–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Uuid, Wire, Writer};

/// The response of API 56, versions 2–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterPartitionResponse {
    /// Versions 2–3.
    pub throttle_time_ms: i32,
    /// Versions 2–3.
    pub error_code: i16,
    /// Versions 2–3.
    pub topics: Vec<TopicData>,
}

impl Wire for AlterPartitionResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AlterPartitionResponse {
    const NAME: &'static str = "AlterPartitionResponse";
    const VERSIONS: (i16, i16) = (2, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for AlterPartitionResponse {
    const API_KEY: i16 = 56;
}

/// Part of [`AlterPartitionResponse`], versions 2–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 2–3, ignorable.
    pub topic_id: Uuid,
    /// Versions 2–3.
    pub partitions: Vec<PartitionData>,
}

impl Wire for TopicData {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: r.uuid()?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionResponse`], versions 2–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 2–3.
    pub partition_index: i32,
    /// Versions 2–3.
    pub error_code: i16,
    /// Versions 2–3.
    pub leader_id: i32,
    /// Versions 2–3.
    pub leader_epoch: i32,
    /// Versions 2–3.
    pub isr: Vec<i32>,
    /// Versions 2–3, default 0, ignorable.
    pub leader_recovery_state: i8,
    /// Versions 2–3.
    pub partition_epoch: i32,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 21;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
            isr: r.array(v, flex)?,
            leader_recovery_state: r.i8()?,
            partition_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.array(&self.isr, v, flex)?;
        w.i8(self.leader_recovery_state);
        w.i32(self.partition_epoch);
        w.uvarint(0);
        Ok(())
    }
}
