//! `DescribeQuorumResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 55, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeQuorumResponse {
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 2, may be null, ignorable.
    pub error_message: Option<Str>,
    /// Versions 0–2.
    pub topics: Vec<TopicData>,
    /// Versions 2.
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            topics: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl Wire for DescribeQuorumResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: if v == 2 {
                r.opt_str(flex, true)?
            } else {
                Some(Str::default())
            },
            topics: r.array(v, flex)?,
            nodes: if v == 2 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        if v == 2 {
            w.opt_str(self.error_message.as_ref(), flex, true)?;
        }
        w.array(&self.topics, v, flex)?;
        if v == 2 {
            w.array(&self.nodes, v, flex)?;
        } else if !self.nodes.is_empty() {
            return Err(EncodeError::Absent("DescribeQuorumResponse.Nodes", v));
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeQuorumResponse {
    const NAME: &'static str = "DescribeQuorumResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeQuorumResponse {
    const API_KEY: i16 = 55;
}

/// Part of [`DescribeQuorumResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 0–2.
    pub topic_name: Str,
    /// Versions 0–2.
    pub partitions: Vec<PartitionData>,
}

impl Wire for TopicData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionData {
    /// Versions 0–2.
    pub partition_index: i32,
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 2, may be null, ignorable.
    pub error_message: Option<Str>,
    /// Versions 0–2.
    pub leader_id: i32,
    /// Versions 0–2.
    pub leader_epoch: i32,
    /// Versions 0–2.
    pub high_watermark: i64,
    /// Versions 0–2.
    pub current_voters: Vec<ReplicaState>,
    /// Versions 0–2.
    pub observers: Vec<ReplicaState>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            leader_id: 0,
            leader_epoch: 0,
            high_watermark: 0,
            current_voters: Vec::new(),
            observers: Vec::new(),
        }
    }
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 25;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            error_message: if v == 2 {
                r.opt_str(flex, true)?
            } else {
                Some(Str::default())
            },
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
            high_watermark: r.i64()?,
            current_voters: r.array(v, flex)?,
            observers: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        if v == 2 {
            w.opt_str(self.error_message.as_ref(), flex, true)?;
        }
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.i64(self.high_watermark);
        w.array(&self.current_voters, v, flex)?;
        w.array(&self.observers, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaState {
    /// Versions 0–2.
    pub replica_id: i32,
    /// Versions 2.
    pub replica_directory_id: Uuid,
    /// Versions 0–2.
    pub log_end_offset: i64,
    /// Versions 1–2, default -1, ignorable.
    pub last_fetch_timestamp: i64,
    /// Versions 1–2, default -1, ignorable.
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: 0,
            replica_directory_id: Uuid::ZERO,
            log_end_offset: 0,
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl Wire for ReplicaState {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, v: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            replica_id: r.i32()?,
            replica_directory_id: if v == 2 { r.uuid()? } else { Uuid::ZERO },
            log_end_offset: r.i64()?,
            last_fetch_timestamp: if v >= 1 { r.i64()? } else { -1 },
            last_caught_up_timestamp: if v >= 1 { r.i64()? } else { -1 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        if v == 2 {
            w.uuid(self.replica_directory_id);
        } else if self.replica_directory_id != Uuid::ZERO {
            return Err(EncodeError::Absent("ReplicaState.ReplicaDirectoryId", v));
        }
        w.i64(self.log_end_offset);
        if v >= 1 {
            w.i64(self.last_fetch_timestamp);
        }
        if v >= 1 {
            w.i64(self.last_caught_up_timestamp);
        }
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Versions 2.
    pub node_id: i32,
    /// Versions 2.
    pub listeners: Vec<Listener>,
}

impl Wire for Node {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            node_id: r.i32()?,
            listeners: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.array(&self.listeners, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listener {
    /// Versions 2.
    pub name: Str,
    /// Versions 2.
    pub host: Str,
    /// Versions 2.
    pub port: u16,
}

impl Wire for Listener {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            host: r.str(flex)?,
            port: r.u16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.str(&self.host, flex)?;
        w.u16(self.port);
        w.uvarint(0);
        Ok(())
    }
}
