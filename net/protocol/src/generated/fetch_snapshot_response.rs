//! `FetchSnapshotResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Records, Response, Str, Wire, Writer};

/// The response of API 59, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchSnapshotResponse {
    /// Versions 0–1, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1.
    pub topics: Vec<TopicSnapshot>,
    /// Versions 1, tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for FetchSnapshotResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            topics: r.array(v, flex)?,
            node_endpoints: Vec::new(),
        };
        let mut tags = r.tags()?;
        while let Some(tag) = tags.next(r)? {
            match tag {
                0 if v == 1 => m.node_endpoints = r.array(v, flex)?,
                _ => tags.skip(r)?,
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.topics, v, flex)?;
        if v != 1 && !self.node_endpoints.is_empty() {
            return Err(EncodeError::Absent(
                "FetchSnapshotResponse.NodeEndpoints",
                v,
            ));
        }
        let tag0 = v == 1 && !self.node_endpoints.is_empty();
        w.uvarint(u32::from(tag0));
        if tag0 {
            let mark = w.begin_tag(0);
            w.array(&self.node_endpoints, v, flex)?;
            w.end_tag(mark)?;
        }
        Ok(())
    }
}

impl Message for FetchSnapshotResponse {
    const NAME: &'static str = "FetchSnapshotResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for FetchSnapshotResponse {
    const API_KEY: i16 = 59;
}

/// Part of [`FetchSnapshotResponse`], versions 0–1.
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

/// Part of [`FetchSnapshotResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionSnapshot {
    /// Versions 0–1.
    pub index: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1.
    pub snapshot_id: SnapshotId,
    /// Versions 0–1, tag 0.
    pub current_leader: LeaderIdAndEpoch,
    /// Versions 0–1.
    pub size: i64,
    /// Versions 0–1.
    pub position: i64,
    /// Versions 0–1.
    pub unaligned_records: Records,
}

impl Wire for PartitionSnapshot {
    const WIRE_BYTES_MIN: usize = 37;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            index: r.i32()?,
            error_code: r.i16()?,
            snapshot_id: Wire::read(r, v, flex)?,
            current_leader: LeaderIdAndEpoch::default(),
            size: r.i64()?,
            position: r.i64()?,
            unaligned_records: r.records(flex)?,
        };
        let mut tags = r.tags()?;
        while let Some(tag) = tags.next(r)? {
            match tag {
                0 => m.current_leader = Wire::read(r, v, flex)?,
                _ => tags.skip(r)?,
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.index);
        w.error_code(self.error_code);
        self.snapshot_id.write(w, v, flex)?;
        w.i64(self.size);
        w.i64(self.position);
        w.records(&self.unaligned_records, flex)?;
        let tag0 = self.current_leader != LeaderIdAndEpoch::default();
        w.uvarint(u32::from(tag0));
        if tag0 {
            let mark = w.begin_tag(0);
            self.current_leader.write(w, v, flex)?;
            w.end_tag(mark)?;
        }
        Ok(())
    }
}

/// Part of [`FetchSnapshotResponse`], versions 0–1.
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

/// Part of [`FetchSnapshotResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaderIdAndEpoch {
    /// Versions 0–1.
    pub leader_id: i32,
    /// Versions 0–1.
    pub leader_epoch: i32,
}

impl Wire for LeaderIdAndEpoch {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchSnapshotResponse`], versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeEndpoint {
    /// Versions 1.
    pub node_id: i32,
    /// Versions 1.
    pub host: Str,
    /// Versions 1.
    pub port: u16,
}

impl Wire for NodeEndpoint {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            node_id: r.i32()?,
            host: r.str(flex)?,
            port: r.u16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.str(&self.host, flex)?;
        w.u16(self.port);
        w.uvarint(0);
        Ok(())
    }
}
