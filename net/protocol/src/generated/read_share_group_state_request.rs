//! `ReadShareGroupStateRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 84, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadShareGroupStateRequest {
    /// Versions 0.
    pub group_id: Str,
    /// Versions 0.
    pub topics: Vec<ReadStateData>,
}

impl Wire for ReadShareGroupStateRequest {
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

impl Message for ReadShareGroupStateRequest {
    const NAME: &'static str = "ReadShareGroupStateRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ReadShareGroupStateRequest {
    const API_KEY: i16 = 84;
    type Response = crate::ReadShareGroupStateResponse;
}

/// Part of [`ReadShareGroupStateRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadStateData {
    /// Versions 0.
    pub topic_id: Uuid,
    /// Versions 0.
    pub partitions: Vec<PartitionData>,
}

impl Wire for ReadStateData {
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

/// Part of [`ReadShareGroupStateRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0.
    pub partition: i32,
    /// Versions 0.
    pub leader_epoch: i32,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition: r.i32()?,
            leader_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.i32(self.leader_epoch);
        w.uvarint(0);
        Ok(())
    }
}
