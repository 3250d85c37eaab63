//! `MetadataResponse` of Kafka 4.3.1, versions 0–13. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 3, versions 0–13.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataResponse {
    /// Versions 3–13, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–13.
    pub brokers: Vec<MetadataResponseBroker>,
    /// Versions 2–13, may be null, default null, ignorable.
    pub cluster_id: Option<Str>,
    /// Versions 1–13, default -1, ignorable.
    pub controller_id: i32,
    /// Versions 0–13.
    pub topics: Vec<MetadataResponseTopic>,
    /// Versions 8–10, default -2147483648.
    pub cluster_authorized_operations: i32,
    /// Versions 13, ignorable.
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: -2147483648,
            error_code: 0,
        }
    }
}

impl Wire for MetadataResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 3 { r.i32()? } else { 0 },
            brokers: r.array(v, flex)?,
            cluster_id: if v >= 2 { r.opt_str(flex, true)? } else { None },
            controller_id: if v >= 1 { r.i32()? } else { -1 },
            topics: r.array(v, flex)?,
            cluster_authorized_operations: if (8..=10).contains(&v) {
                r.i32()?
            } else {
                -2147483648
            },
            error_code: if v == 13 { r.i16()? } else { 0 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.brokers, v, flex)?;
        if v >= 2 {
            w.opt_str(self.cluster_id.as_ref(), flex, true)?;
        }
        if v >= 1 {
            w.i32(self.controller_id);
        }
        w.array(&self.topics, v, flex)?;
        if (8..=10).contains(&v) {
            w.i32(self.cluster_authorized_operations);
        } else if self.cluster_authorized_operations != -2147483648 {
            return Err(EncodeError::Absent(
                "MetadataResponse.ClusterAuthorizedOperations",
                v,
            ));
        }
        if v == 13 {
            w.error_code(self.error_code);
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for MetadataResponse {
    const NAME: &'static str = "MetadataResponse";
    const VERSIONS: (i16, i16) = (0, 13);
    const FLEXIBLE_FROM: i16 = 9;
}

impl Response for MetadataResponse {
    const API_KEY: i16 = 3;
}

/// Part of [`MetadataResponse`], versions 0–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetadataResponseBroker {
    /// Versions 0–13.
    pub node_id: i32,
    /// Versions 0–13.
    pub host: Str,
    /// Versions 0–13.
    pub port: i32,
    /// Versions 1–13, may be null, default null, ignorable.
    pub rack: Option<Str>,
}

impl Wire for MetadataResponseBroker {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            node_id: r.i32()?,
            host: r.str(flex)?,
            port: r.i32()?,
            rack: if v >= 1 { r.opt_str(flex, true)? } else { None },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.str(&self.host, flex)?;
        w.i32(self.port);
        if v >= 1 {
            w.opt_str(self.rack.as_ref(), flex, true)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`MetadataResponse`], versions 0–13.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataResponseTopic {
    /// Versions 0–13.
    pub error_code: i16,
    /// Versions 0–13, may be null in 12–13.
    pub name: Option<Str>,
    /// Versions 10–13, ignorable.
    pub topic_id: Uuid,
    /// Versions 1–13, default false, ignorable.
    pub is_internal: bool,
    /// Versions 0–13.
    pub partitions: Vec<MetadataResponsePartition>,
    /// Versions 8–13, default -2147483648.
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(Str::default()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: -2147483648,
        }
    }
}

impl Wire for MetadataResponseTopic {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            name: r.opt_str(flex, v >= 12)?,
            topic_id: if v >= 10 { r.uuid()? } else { Uuid::ZERO },
            is_internal: if v >= 1 { r.bool()? } else { false },
            partitions: r.array(v, flex)?,
            topic_authorized_operations: if v >= 8 { r.i32()? } else { -2147483648 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.name.as_ref(), flex, v >= 12)?;
        if v >= 10 {
            w.uuid(self.topic_id);
        }
        if v >= 1 {
            w.bool(self.is_internal);
        }
        w.array(&self.partitions, v, flex)?;
        if v >= 8 {
            w.i32(self.topic_authorized_operations);
        } else if self.topic_authorized_operations != -2147483648 {
            return Err(EncodeError::Absent(
                "MetadataResponseTopic.TopicAuthorizedOperations",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`MetadataResponse`], versions 0–13.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataResponsePartition {
    /// Versions 0–13.
    pub error_code: i16,
    /// Versions 0–13.
    pub partition_index: i32,
    /// Versions 0–13.
    pub leader_id: i32,
    /// Versions 7–13, default -1, ignorable.
    pub leader_epoch: i32,
    /// Versions 0–13.
    pub replica_nodes: Vec<i32>,
    /// Versions 0–13.
    pub isr_nodes: Vec<i32>,
    /// Versions 5–13, ignorable.
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}

impl Wire for MetadataResponsePartition {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            partition_index: r.i32()?,
            leader_id: r.i32()?,
            leader_epoch: if v >= 7 { r.i32()? } else { -1 },
            replica_nodes: r.array(v, flex)?,
            isr_nodes: r.array(v, flex)?,
            offline_replicas: if v >= 5 {
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
        w.error_code(self.error_code);
        w.i32(self.partition_index);
        w.i32(self.leader_id);
        if v >= 7 {
            w.i32(self.leader_epoch);
        }
        w.array(&self.replica_nodes, v, flex)?;
        w.array(&self.isr_nodes, v, flex)?;
        if v >= 5 {
            w.array(&self.offline_replicas, v, flex)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
