//! `AssignReplicasToDirsRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Uuid, Wire, Writer};

/// The request of API 73, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignReplicasToDirsRequest {
    /// Versions 0.
    pub broker_id: i32,
    /// Versions 0, default -1.
    pub broker_epoch: i64,
    /// Versions 0.
    pub directories: Vec<DirectoryData>,
}

impl Default for AssignReplicasToDirsRequest {
    fn default() -> Self {
        Self {
            broker_id: 0,
            broker_epoch: -1,
            directories: Vec::new(),
        }
    }
}

impl Wire for AssignReplicasToDirsRequest {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
            directories: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        w.array(&self.directories, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AssignReplicasToDirsRequest {
    const NAME: &'static str = "AssignReplicasToDirsRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AssignReplicasToDirsRequest {
    const API_KEY: i16 = 73;
    type Response = crate::AssignReplicasToDirsResponse;
}

/// Part of [`AssignReplicasToDirsRequest`], versions 0.
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

/// Part of [`AssignReplicasToDirsRequest`], versions 0.
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

/// Part of [`AssignReplicasToDirsRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0.
    pub partition_index: i32,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.uvarint(0);
        Ok(())
    }
}
