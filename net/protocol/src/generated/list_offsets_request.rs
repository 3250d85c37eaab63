//! `ListOffsetsRequest` of Kafka 4.3.1, versions 1–11. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 2, versions 1–11.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsRequest {
    /// Versions 1–11.
    pub replica_id: i32,
    /// Versions 2–11.
    pub isolation_level: i8,
    /// Versions 1–11.
    pub topics: Vec<ListOffsetsTopic>,
    /// Versions 10–11, ignorable.
    pub timeout_ms: i32,
}

impl Wire for ListOffsetsRequest {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            replica_id: r.i32()?,
            isolation_level: if v >= 2 { r.i8()? } else { 0 },
            topics: r.array(v, flex)?,
            timeout_ms: if v >= 10 { r.i32()? } else { 0 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        if v >= 2 {
            w.i8(self.isolation_level);
        } else if self.isolation_level != 0 {
            return Err(EncodeError::Absent("ListOffsetsRequest.IsolationLevel", v));
        }
        w.array(&self.topics, v, flex)?;
        if v >= 10 {
            w.i32(self.timeout_ms);
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListOffsetsRequest {
    const NAME: &'static str = "ListOffsetsRequest";
    const VERSIONS: (i16, i16) = (1, 11);
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for ListOffsetsRequest {
    const API_KEY: i16 = 2;
    type Response = crate::ListOffsetsResponse;
}

/// Part of [`ListOffsetsRequest`], versions 1–11.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsTopic {
    /// Versions 1–11.
    pub name: Str,
    /// Versions 1–11.
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Wire for ListOffsetsTopic {
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

/// Part of [`ListOffsetsRequest`], versions 1–11.
#[derive(Debug, Clone, PartialEq)]
pub struct ListOffsetsPartition {
    /// Versions 1–11.
    pub partition_index: i32,
    /// Versions 4–11, default -1, ignorable.
    pub current_leader_epoch: i32,
    /// Versions 1–11.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp: 0,
        }
    }
}

impl Wire for ListOffsetsPartition {
    const WIRE_BYTES_MIN: usize = 12;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            current_leader_epoch: if v >= 4 { r.i32()? } else { -1 },
            timestamp: r.i64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        if v >= 4 {
            w.i32(self.current_leader_epoch);
        }
        w.i64(self.timestamp);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
