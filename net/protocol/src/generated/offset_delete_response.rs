//! `OffsetDeleteResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 47, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetDeleteResponse {
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Wire for OffsetDeleteResponse {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: r.i16()?,
            throttle_time_ms: r.i32()?,
            topics: r.array(v, flex)?,
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, v, flex)?;
        Ok(())
    }
}

impl Message for OffsetDeleteResponse {
    const NAME: &'static str = "OffsetDeleteResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Response for OffsetDeleteResponse {
    const API_KEY: i16 = 47;
}

/// Part of [`OffsetDeleteResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetDeleteResponseTopic {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl Wire for OffsetDeleteResponseTopic {
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

/// Part of [`OffsetDeleteResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetDeleteResponsePartition {
    /// Versions 0.
    pub partition_index: i32,
    /// Versions 0.
    pub error_code: i16,
}

impl Wire for OffsetDeleteResponsePartition {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
        })
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        Ok(())
    }
}
