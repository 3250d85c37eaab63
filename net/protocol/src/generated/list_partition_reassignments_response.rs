//! `ListPartitionReassignmentsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 46, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPartitionReassignmentsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub topics: Vec<OngoingTopicReassignment>,
}

impl Default for ListPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            topics: Vec::new(),
        }
    }
}

impl Wire for ListPartitionReassignmentsResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ListPartitionReassignmentsResponse {
    const NAME: &'static str = "ListPartitionReassignmentsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ListPartitionReassignmentsResponse {
    const API_KEY: i16 = 46;
}

/// Part of [`ListPartitionReassignmentsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OngoingTopicReassignment {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub partitions: Vec<OngoingPartitionReassignment>,
}

impl Wire for OngoingTopicReassignment {
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

/// Part of [`ListPartitionReassignmentsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OngoingPartitionReassignment {
    /// Versions 0.
    pub partition_index: i32,
    /// Versions 0.
    pub replicas: Vec<i32>,
    /// Versions 0.
    pub adding_replicas: Vec<i32>,
    /// Versions 0.
    pub removing_replicas: Vec<i32>,
}

impl Wire for OngoingPartitionReassignment {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            replicas: r.array(v, flex)?,
            adding_replicas: r.array(v, flex)?,
            removing_replicas: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.array(&self.replicas, v, flex)?;
        w.array(&self.adding_replicas, v, flex)?;
        w.array(&self.removing_replicas, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
