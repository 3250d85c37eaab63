//! `BeginQuorumEpochResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 53, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BeginQuorumEpochResponse {
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1.
    pub topics: Vec<TopicData>,
    /// Versions 1, tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for BeginQuorumEpochResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            error_code: r.i16()?,
            topics: r.array(v, flex)?,
            node_endpoints: Vec::new(),
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v == 1 => m.node_endpoints = r.array(v, flex)?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.array(&self.topics, v, flex)?;
        if v != 1 && !self.node_endpoints.is_empty() {
            return Err(EncodeError::Absent(
                "BeginQuorumEpochResponse.NodeEndpoints",
                v,
            ));
        }
        if flex {
            let tag0 = v == 1 && !self.node_endpoints.is_empty();
            w.uvarint(u32::from(tag0));
            if tag0 {
                let mark = w.begin_tag(0);
                w.array(&self.node_endpoints, v, flex)?;
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

impl Message for BeginQuorumEpochResponse {
    const NAME: &'static str = "BeginQuorumEpochResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for BeginQuorumEpochResponse {
    const API_KEY: i16 = 53;
}

/// Part of [`BeginQuorumEpochResponse`], versions 0–1.
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

/// Part of [`BeginQuorumEpochResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 0–1.
    pub partition_index: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1.
    pub leader_id: i32,
    /// Versions 0–1.
    pub leader_epoch: i32,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`BeginQuorumEpochResponse`], versions 1.
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
