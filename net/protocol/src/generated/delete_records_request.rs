//! `DeleteRecordsRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 21, versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteRecordsRequest {
    /// Versions 0–2.
    pub topics: Vec<DeleteRecordsTopic>,
    /// Versions 0–2.
    pub timeout_ms: i32,
}

impl Wire for DeleteRecordsRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topics: r.array(v, flex)?,
            timeout_ms: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.topics, v, flex)?;
        w.i32(self.timeout_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteRecordsRequest {
    const NAME: &'static str = "DeleteRecordsRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DeleteRecordsRequest {
    const API_KEY: i16 = 21;
    type Response = crate::DeleteRecordsResponse;
}

/// Part of [`DeleteRecordsRequest`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteRecordsTopic {
    /// Versions 0–2.
    pub name: Str,
    /// Versions 0–2.
    pub partitions: Vec<DeleteRecordsPartition>,
}

impl Wire for DeleteRecordsTopic {
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

/// Part of [`DeleteRecordsRequest`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteRecordsPartition {
    /// Versions 0–2.
    pub partition_index: i32,
    /// Versions 0–2.
    pub offset: i64,
}

impl Wire for DeleteRecordsPartition {
    const WIRE_BYTES_MIN: usize = 12;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            offset: r.i64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.offset);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
