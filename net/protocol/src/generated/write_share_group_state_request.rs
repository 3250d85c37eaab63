//! `WriteShareGroupStateRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 85, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteShareGroupStateRequest {
    /// Versions 0–1.
    pub group_id: Str,
    /// Versions 0–1.
    pub topics: Vec<WriteStateData>,
}

impl Wire for WriteShareGroupStateRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for WriteShareGroupStateRequest {
    const NAME: &'static str = "WriteShareGroupStateRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for WriteShareGroupStateRequest {
    const API_KEY: i16 = 85;
    type Response = crate::WriteShareGroupStateResponse;
}

/// Part of [`WriteShareGroupStateRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteStateData {
    /// Versions 0–1.
    pub topic_id: Uuid,
    /// Versions 0–1.
    pub partitions: Vec<PartitionData>,
}

impl Wire for WriteStateData {
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

/// Part of [`WriteShareGroupStateRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionData {
    /// Versions 0–1.
    pub partition: i32,
    /// Versions 0–1.
    pub state_epoch: i32,
    /// Versions 0–1.
    pub leader_epoch: i32,
    /// Versions 0–1.
    pub start_offset: i64,
    /// Versions 1, default -1, ignorable.
    pub delivery_complete_count: i32,
    /// Versions 0–1.
    pub state_batches: Vec<StateBatch>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition: 0,
            state_epoch: 0,
            leader_epoch: 0,
            start_offset: 0,
            delivery_complete_count: -1,
            state_batches: Vec::new(),
        }
    }
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 22;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition: r.i32()?,
            state_epoch: r.i32()?,
            leader_epoch: r.i32()?,
            start_offset: r.i64()?,
            delivery_complete_count: if v == 1 { r.i32()? } else { -1 },
            state_batches: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.i32(self.state_epoch);
        w.i32(self.leader_epoch);
        w.i64(self.start_offset);
        if v == 1 {
            w.i32(self.delivery_complete_count);
        }
        w.array(&self.state_batches, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteShareGroupStateRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StateBatch {
    /// Versions 0–1.
    pub first_offset: i64,
    /// Versions 0–1.
    pub last_offset: i64,
    /// Versions 0–1.
    pub delivery_state: i8,
    /// Versions 0–1.
    pub delivery_count: i16,
}

impl Wire for StateBatch {
    const WIRE_BYTES_MIN: usize = 20;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            first_offset: r.i64()?,
            last_offset: r.i64()?,
            delivery_state: r.i8()?,
            delivery_count: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i64(self.first_offset);
        w.i64(self.last_offset);
        w.i8(self.delivery_state);
        w.i16(self.delivery_count);
        w.uvarint(0);
        Ok(())
    }
}
