//! `OffsetDeleteRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 47, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetDeleteRequest {
    /// Versions 0.
    pub group_id: Str,
    /// Versions 0.
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Wire for OffsetDeleteRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            group_id: r.str(flex)?,
            topics: r.array(v, flex)?,
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.array(&self.topics, v, flex)?;
        Ok(())
    }
}

impl Message for OffsetDeleteRequest {
    const NAME: &'static str = "OffsetDeleteRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Request for OffsetDeleteRequest {
    const API_KEY: i16 = 47;
    type Response = crate::OffsetDeleteResponse;
}

/// Part of [`OffsetDeleteRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetDeleteRequestTopic {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl Wire for OffsetDeleteRequestTopic {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        Ok(())
    }
}

/// Part of [`OffsetDeleteRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetDeleteRequestPartition {
    /// Versions 0.
    pub partition_index: i32,
}

impl Wire for OffsetDeleteRequestPartition {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: r.i32()?,
        })
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        Ok(())
    }
}
