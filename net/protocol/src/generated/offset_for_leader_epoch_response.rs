//! `OffsetForLeaderEpochResponse` of Kafka 4.3.1, versions 2–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 23, versions 2–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetForLeaderEpochResponse {
    /// Versions 2–4, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 2–4.
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

impl Wire for OffsetForLeaderEpochResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            topics: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetForLeaderEpochResponse {
    const NAME: &'static str = "OffsetForLeaderEpochResponse";
    const VERSIONS: (i16, i16) = (2, 4);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for OffsetForLeaderEpochResponse {
    const API_KEY: i16 = 23;
}

/// Part of [`OffsetForLeaderEpochResponse`], versions 2–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetForLeaderTopicResult {
    /// Versions 2–4.
    pub topic: Str,
    /// Versions 2–4.
    pub partitions: Vec<EpochEndOffset>,
}

impl Wire for OffsetForLeaderTopicResult {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic, flex)?;
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetForLeaderEpochResponse`], versions 2–4.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochEndOffset {
    /// Versions 2–4.
    pub error_code: i16,
    /// Versions 2–4.
    pub partition: i32,
    /// Versions 2–4, default -1, ignorable.
    pub leader_epoch: i32,
    /// Versions 2–4, default -1.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition: 0,
            leader_epoch: -1,
            end_offset: -1,
        }
    }
}

impl Wire for EpochEndOffset {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            partition: r.i32()?,
            leader_epoch: r.i32()?,
            end_offset: r.i64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.i32(self.partition);
        w.i32(self.leader_epoch);
        w.i64(self.end_offset);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
