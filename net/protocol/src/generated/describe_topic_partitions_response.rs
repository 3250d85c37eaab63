//! `DescribeTopicPartitionsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 75, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeTopicPartitionsResponse {
    /// Versions 0, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Versions 0, may be null, default null.
    pub next_cursor: Option<Cursor>,
}

impl Wire for DescribeTopicPartitionsResponse {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            topics: r.array(v, flex)?,
            next_cursor: r.opt_struct(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, v, flex)?;
        w.opt_struct(self.next_cursor.as_ref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTopicPartitionsResponse {
    const NAME: &'static str = "DescribeTopicPartitionsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeTopicPartitionsResponse {
    const API_KEY: i16 = 75;
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null.
    pub name: Option<Str>,
    /// Versions 0, ignorable.
    pub topic_id: Uuid,
    /// Versions 0, default false, ignorable.
    pub is_internal: bool,
    /// Versions 0.
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// Versions 0, default -2147483648.
    pub topic_authorized_operations: i32,
}

impl Default for DescribeTopicPartitionsResponseTopic {
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

impl Wire for DescribeTopicPartitionsResponseTopic {
    const WIRE_BYTES_MIN: usize = 26;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            name: r.opt_str(flex, true)?,
            topic_id: r.uuid()?,
            is_internal: r.bool()?,
            partitions: r.array(v, flex)?,
            topic_authorized_operations: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.name.as_ref(), flex, true)?;
        w.uuid(self.topic_id);
        w.bool(self.is_internal);
        w.array(&self.partitions, v, flex)?;
        w.i32(self.topic_authorized_operations);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0.
    pub partition_index: i32,
    /// Versions 0.
    pub leader_id: i32,
    /// Versions 0, default -1, ignorable.
    pub leader_epoch: i32,
    /// Versions 0.
    pub replica_nodes: Vec<i32>,
    /// Versions 0.
    pub isr_nodes: Vec<i32>,
    /// Versions 0, may be null, default null.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// Versions 0, may be null, default null.
    pub last_known_elr: Option<Vec<i32>>,
    /// Versions 0, ignorable.
    pub offline_replicas: Vec<i32>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            offline_replicas: Vec::new(),
        }
    }
}

impl Wire for DescribeTopicPartitionsResponsePartition {
    const WIRE_BYTES_MIN: usize = 20;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            partition_index: r.i32()?,
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
            replica_nodes: r.array(v, flex)?,
            isr_nodes: r.array(v, flex)?,
            eligible_leader_replicas: r.opt_array(v, flex, true)?,
            last_known_elr: r.opt_array(v, flex, true)?,
            offline_replicas: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.i32(self.partition_index);
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.array(&self.replica_nodes, v, flex)?;
        w.array(&self.isr_nodes, v, flex)?;
        w.opt_array(self.eligible_leader_replicas.as_deref(), v, flex, true)?;
        w.opt_array(self.last_known_elr.as_deref(), v, flex, true)?;
        w.array(&self.offline_replicas, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cursor {
    /// Versions 0.
    pub topic_name: Str,
    /// Versions 0.
    pub partition_index: i32,
}

impl Wire for Cursor {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            partition_index: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.i32(self.partition_index);
        w.uvarint(0);
        Ok(())
    }
}
