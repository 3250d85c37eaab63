//! `OffsetCommitResponse` of Kafka 4.3.1, versions 2–10. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 8, versions 2–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetCommitResponse {
    /// Versions 3–10, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 2–10.
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl Wire for OffsetCommitResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 3 { r.i32()? } else { 0 },
            topics: r.array(v, flex)?,
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
        w.array(&self.topics, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetCommitResponse {
    const NAME: &'static str = "OffsetCommitResponse";
    const VERSIONS: (i16, i16) = (2, 10);
    const FLEXIBLE_FROM: i16 = 8;
}

impl Response for OffsetCommitResponse {
    const API_KEY: i16 = 8;
}

/// Part of [`OffsetCommitResponse`], versions 2–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetCommitResponseTopic {
    /// Versions 2–9, ignorable.
    pub name: Str,
    /// Versions 10, ignorable.
    pub topic_id: Uuid,
    /// Versions 2–10.
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl Wire for OffsetCommitResponseTopic {
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

/// Part of [`OffsetCommitResponse`], versions 2–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetCommitResponsePartition {
    /// Versions 2–10.
    pub partition_index: i32,
    /// Versions 2–10.
    pub error_code: i16,
}

impl Wire for OffsetCommitResponsePartition {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
