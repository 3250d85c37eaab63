//! `BeginQuorumEpochRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 53, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct BeginQuorumEpochRequest {
    /// Versions 0–1, may be null, default null.
    pub cluster_id: Option<Str>,
    /// Versions 1, default -1, ignorable.
    pub voter_id: i32,
    /// Versions 0–1.
    pub topics: Vec<TopicData>,
    /// Versions 1, ignorable.
    pub leader_endpoints: Vec<LeaderEndpoint>,
}

impl Default for BeginQuorumEpochRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            voter_id: -1,
            topics: Vec::new(),
            leader_endpoints: Vec::new(),
        }
    }
}

impl Wire for BeginQuorumEpochRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            cluster_id: r.opt_str(flex, true)?,
            voter_id: if v == 1 { r.i32()? } else { -1 },
            topics: r.array(v, flex)?,
            leader_endpoints: if v == 1 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.cluster_id.as_ref(), flex, true)?;
        if v == 1 {
            w.i32(self.voter_id);
        }
        w.array(&self.topics, v, flex)?;
        if v == 1 {
            w.array(&self.leader_endpoints, v, flex)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for BeginQuorumEpochRequest {
    const NAME: &'static str = "BeginQuorumEpochRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for BeginQuorumEpochRequest {
    const API_KEY: i16 = 53;
    type Response = crate::BeginQuorumEpochResponse;
}

/// Part of [`BeginQuorumEpochRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 0–1.
    pub topic_name: Str,
    /// Versions 0–1.
    pub partitions: Vec<PartitionData>,
}

impl Wire for TopicData {
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

/// Part of [`BeginQuorumEpochRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0–1.
    pub partition_index: i32,
    /// Versions 1, ignorable.
    pub voter_directory_id: Uuid,
    /// Versions 0–1.
    pub leader_id: i32,
    /// Versions 0–1.
    pub leader_epoch: i32,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 12;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            voter_directory_id: if v == 1 { r.uuid()? } else { Uuid::ZERO },
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        if v == 1 {
            w.uuid(self.voter_directory_id);
        }
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`BeginQuorumEpochRequest`], versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaderEndpoint {
    /// Versions 1.
    pub name: Str,
    /// Versions 1.
    pub host: Str,
    /// Versions 1.
    pub port: u16,
}

impl Wire for LeaderEndpoint {
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
