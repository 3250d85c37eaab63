//! `TxnOffsetCommitResponse` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 28, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TxnOffsetCommitResponse {
    /// Versions 0–5.
    pub throttle_time_ms: i32,
    /// Versions 0–5.
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Wire for TxnOffsetCommitResponse {
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

impl Message for TxnOffsetCommitResponse {
    const NAME: &'static str = "TxnOffsetCommitResponse";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for TxnOffsetCommitResponse {
    const API_KEY: i16 = 28;
}

/// Part of [`TxnOffsetCommitResponse`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TxnOffsetCommitResponseTopic {
    /// Versions 0–5.
    pub name: Str,
    /// Versions 0–5.
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

impl Wire for TxnOffsetCommitResponseTopic {
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

/// Part of [`TxnOffsetCommitResponse`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TxnOffsetCommitResponsePartition {
    /// Versions 0–5.
    pub partition_index: i32,
    /// Versions 0–5.
    pub error_code: i16,
}

impl Wire for TxnOffsetCommitResponsePartition {
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
