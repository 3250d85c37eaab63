//! `AlterPartitionReassignmentsRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 45, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterPartitionReassignmentsRequest {
    /// Versions 0–1, default 60000.
    pub timeout_ms: i32,
    /// Versions 1, default true.
    pub allow_replication_factor_change: bool,
    /// Versions 0–1.
    pub topics: Vec<ReassignableTopic>,
}

impl Default for AlterPartitionReassignmentsRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            allow_replication_factor_change: true,
            topics: Vec::new(),
        }
    }
}

impl Wire for AlterPartitionReassignmentsRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            timeout_ms: r.i32()?,
            allow_replication_factor_change: if v == 1 { r.bool()? } else { true },
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.timeout_ms);
        if v == 1 {
            w.bool(self.allow_replication_factor_change);
        } else if !self.allow_replication_factor_change {
            return Err(EncodeError::Absent(
                "AlterPartitionReassignmentsRequest.AllowReplicationFactorChange",
                v,
            ));
        }
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AlterPartitionReassignmentsRequest {
    const NAME: &'static str = "AlterPartitionReassignmentsRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AlterPartitionReassignmentsRequest {
    const API_KEY: i16 = 45;
    type Response = crate::AlterPartitionReassignmentsResponse;
}

/// Part of [`AlterPartitionReassignmentsRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReassignableTopic {
    /// Versions 0–1.
    pub name: Str,
    /// Versions 0–1.
    pub partitions: Vec<ReassignablePartition>,
}

impl Wire for ReassignableTopic {
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

/// Part of [`AlterPartitionReassignmentsRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReassignablePartition {
    /// Versions 0–1.
    pub partition_index: i32,
    /// Versions 0–1, may be null, default null.
    pub replicas: Option<Vec<i32>>,
}

impl Wire for ReassignablePartition {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            replicas: r.opt_array(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.opt_array(self.replicas.as_deref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
