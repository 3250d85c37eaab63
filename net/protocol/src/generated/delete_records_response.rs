//! `DeleteRecordsResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 21, versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteRecordsResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 0–2.
    pub topics: Vec<DeleteRecordsTopicResult>,
}

impl Wire for DeleteRecordsResponse {
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

impl Message for DeleteRecordsResponse {
    const NAME: &'static str = "DeleteRecordsResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DeleteRecordsResponse {
    const API_KEY: i16 = 21;
}

/// Part of [`DeleteRecordsResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteRecordsTopicResult {
    /// Versions 0–2.
    pub name: Str,
    /// Versions 0–2.
    pub partitions: Vec<DeleteRecordsPartitionResult>,
}

impl Wire for DeleteRecordsTopicResult {
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

/// Part of [`DeleteRecordsResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteRecordsPartitionResult {
    /// Versions 0–2.
    pub partition_index: i32,
    /// Versions 0–2.
    pub low_watermark: i64,
    /// Versions 0–2.
    pub error_code: i16,
}

impl Wire for DeleteRecordsPartitionResult {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            low_watermark: r.i64()?,
            error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.low_watermark);
        w.error_code(self.error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
