//! `ListOffsetsResponse` of Kafka 4.3.1, versions 1–11. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 2, versions 1–11.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsResponse {
    /// Versions 2–11, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 1–11.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

impl Wire for ListOffsetsResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 2 { r.i32()? } else { 0 },
            topics: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 2 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.topics, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListOffsetsResponse {
    const NAME: &'static str = "ListOffsetsResponse";
    const VERSIONS: (i16, i16) = (1, 11);
    const FLEXIBLE_FROM: i16 = 6;
}

impl Response for ListOffsetsResponse {
    const API_KEY: i16 = 2;
}

/// Part of [`ListOffsetsResponse`], versions 1–11.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsTopicResponse {
    /// Versions 1–11.
    pub name: Str,
    /// Versions 1–11.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

impl Wire for ListOffsetsTopicResponse {
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

/// Part of [`ListOffsetsResponse`], versions 1–11.
#[derive(Debug, Clone, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    /// Versions 1–11.
    pub partition_index: i32,
    /// Versions 1–11.
    pub error_code: i16,
    /// Versions 1–11, default -1.
    pub timestamp: i64,
    /// Versions 1–11, default -1.
    pub offset: i64,
    /// Versions 4–11, default -1.
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

impl Wire for ListOffsetsPartitionResponse {
    const WIRE_BYTES_MIN: usize = 22;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            timestamp: r.i64()?,
            offset: r.i64()?,
            leader_epoch: if v >= 4 { r.i32()? } else { -1 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.i64(self.timestamp);
        w.i64(self.offset);
        if v >= 4 {
            w.i32(self.leader_epoch);
        } else if self.leader_epoch != -1 {
            return Err(EncodeError::Absent(
                "ListOffsetsPartitionResponse.LeaderEpoch",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
