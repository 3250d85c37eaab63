//! `FetchSnapshotRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 59, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchSnapshotRequest {
    /// Versions 0–1, tag 0, may be null, default null.
    pub cluster_id: Option<Str>,
    /// Versions 0–1, default -1.
    pub replica_id: i32,
    /// Versions 0–1, default 0x7fffffff.
    pub max_bytes: i32,
    /// Versions 0–1.
    pub topics: Vec<TopicSnapshot>,
}

impl Default for FetchSnapshotRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            max_bytes: 2147483647,
            topics: Vec::new(),
        }
    }
}

impl Wire for FetchSnapshotRequest {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            cluster_id: None,
            replica_id: r.i32()?,
            max_bytes: r.i32()?,
            topics: r.array(v, flex)?,
        };
        let mut tags = r.tags()?;
        while let Some(tag) = tags.next(r)? {
            match tag {
                0 => m.cluster_id = r.opt_str(flex, true)?,
                _ => tags.skip(r)?,
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        w.i32(self.max_bytes);
        w.array(&self.topics, v, flex)?;
        let tag0 = self.cluster_id.is_some();
        w.uvarint(u32::from(tag0));
        if tag0 {
            let mark = w.begin_tag(0);
            w.opt_str(self.cluster_id.as_ref(), flex, true)?;
            w.end_tag(mark)?;
        }
        Ok(())
    }
}

impl Message for FetchSnapshotRequest {
    const NAME: &'static str = "FetchSnapshotRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for FetchSnapshotRequest {
    const API_KEY: i16 = 59;
    type Response = crate::FetchSnapshotResponse;
}

/// Part of [`FetchSnapshotRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicSnapshot {
    /// Versions 0–1.
    pub name: Str,
    /// Versions 0–1.
    pub partitions: Vec<PartitionSnapshot>,
}

impl Wire for TopicSnapshot {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchSnapshotRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionSnapshot {
    /// Versions 0–1.
    pub partition: i32,
    /// Versions 0–1.
    pub current_leader_epoch: i32,
    /// Versions 0–1.
    pub snapshot_id: SnapshotId,
    /// Versions 0–1.
    pub position: i64,
    /// Versions 1, tag 0, ignorable.
    pub replica_directory_id: Uuid,
}

impl Wire for PartitionSnapshot {
    const WIRE_BYTES_MIN: usize = 30;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            partition: r.i32()?,
            current_leader_epoch: r.i32()?,
            snapshot_id: Wire::read(r, v, flex)?,
            position: r.i64()?,
            replica_directory_id: Uuid::ZERO,
        };
        let mut tags = r.tags()?;
        while let Some(tag) = tags.next(r)? {
            match tag {
                0 if v == 1 => m.replica_directory_id = r.uuid()?,
                _ => tags.skip(r)?,
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.i32(self.current_leader_epoch);
        self.snapshot_id.write(w, v, flex)?;
        w.i64(self.position);
        let tag0 = v == 1 && self.replica_directory_id != Uuid::ZERO;
        w.uvarint(u32::from(tag0));
        if tag0 {
            let mark = w.begin_tag(0);
            w.uuid(self.replica_directory_id);
            w.end_tag(mark)?;
        }
        Ok(())
    }
}

/// Part of [`FetchSnapshotRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotId {
    /// Versions 0–1.
    pub end_offset: i64,
    /// Versions 0–1.
    pub epoch: i32,
}

impl Wire for SnapshotId {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            end_offset: r.i64()?,
            epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i64(self.end_offset);
        w.i32(self.epoch);
        w.uvarint(0);
        Ok(())
    }
}
