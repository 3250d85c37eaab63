//! `AlterReplicaLogDirsResponse` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 34, versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterReplicaLogDirsResponse {
    /// Versions 1–2.
    pub throttle_time_ms: i32,
    /// Versions 1–2.
    pub results: Vec<AlterReplicaLogDirTopicResult>,
}

impl Wire for AlterReplicaLogDirsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            results: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AlterReplicaLogDirsResponse {
    const NAME: &'static str = "AlterReplicaLogDirsResponse";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for AlterReplicaLogDirsResponse {
    const API_KEY: i16 = 34;
}

/// Part of [`AlterReplicaLogDirsResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterReplicaLogDirTopicResult {
    /// Versions 1–2.
    pub topic_name: Str,
    /// Versions 1–2.
    pub partitions: Vec<AlterReplicaLogDirPartitionResult>,
}

impl Wire for AlterReplicaLogDirTopicResult {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterReplicaLogDirsResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterReplicaLogDirPartitionResult {
    /// Versions 1–2.
    pub partition_index: i32,
    /// Versions 1–2.
    pub error_code: i16,
}

impl Wire for AlterReplicaLogDirPartitionResult {
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
