//! `EndQuorumEpochRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 54, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EndQuorumEpochRequest {
    /// Versions 0–1, may be null, default null.
    pub cluster_id: Option<Str>,
    /// Versions 0–1.
    pub topics: Vec<TopicData>,
    /// Versions 1, ignorable.
    pub leader_endpoints: Vec<LeaderEndpoint>,
}

impl Wire for EndQuorumEpochRequest {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            cluster_id: r.opt_str(flex, true)?,
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

impl Message for EndQuorumEpochRequest {
    const NAME: &'static str = "EndQuorumEpochRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for EndQuorumEpochRequest {
    const API_KEY: i16 = 54;
    type Response = crate::EndQuorumEpochResponse;
}

/// Part of [`EndQuorumEpochRequest`], versions 0–1.
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

/// Part of [`EndQuorumEpochRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0–1.
    pub partition_index: i32,
    /// Versions 0–1.
    pub leader_id: i32,
    /// Versions 0–1.
    pub leader_epoch: i32,
    /// Versions 0, ignorable.
    pub preferred_successors: Vec<i32>,
    /// Versions 1, ignorable.
    pub preferred_candidates: Vec<ReplicaInfo>,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
            preferred_successors: if v == 0 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            preferred_candidates: if v == 1 {
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
        w.i32(self.partition_index);
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        if v == 0 {
            w.array(&self.preferred_successors, v, flex)?;
        }
        if v == 1 {
            w.array(&self.preferred_candidates, v, flex)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`EndQuorumEpochRequest`], versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplicaInfo {
    /// Versions 1.
    pub candidate_id: i32,
    /// Versions 1.
    pub candidate_directory_id: Uuid,
}

impl Wire for ReplicaInfo {
    const WIRE_BYTES_MIN: usize = 21;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            candidate_id: r.i32()?,
            candidate_directory_id: r.uuid()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.candidate_id);
        w.uuid(self.candidate_directory_id);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`EndQuorumEpochRequest`], versions 1.
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
