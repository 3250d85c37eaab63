//! `AssignReplicasToDirsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Uuid, Wire, Writer};

/// The response of API 73, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AssignReplicasToDirsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0.
    pub directories: Vec<DirectoryData>,
}

impl Wire for AssignReplicasToDirsResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            directories: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.directories, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AssignReplicasToDirsResponse {
    const NAME: &'static str = "AssignReplicasToDirsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AssignReplicasToDirsResponse {
    const API_KEY: i16 = 73;
}

/// Part of [`AssignReplicasToDirsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DirectoryData {
    /// Versions 0.
    pub id: Uuid,
    /// Versions 0.
    pub topics: Vec<TopicData>,
}

impl Wire for DirectoryData {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            id: r.uuid()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.id);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AssignReplicasToDirsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 0.
    pub topic_id: Uuid,
    /// Versions 0.
    pub partitions: Vec<PartitionData>,
}

impl Wire for TopicData {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: r.uuid()?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AssignReplicasToDirsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0.
    pub partition_index: i32,
    /// Versions 0.
    pub error_code: i16,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.uvarint(0);
        Ok(())
    }
}
