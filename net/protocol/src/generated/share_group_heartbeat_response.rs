//! `ShareGroupHeartbeatResponse` of Kafka 4.3.1, versions 1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 76, versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShareGroupHeartbeatResponse {
    /// Versions 1.
    pub throttle_time_ms: i32,
    /// Versions 1.
    pub error_code: i16,
    /// Versions 1, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 1, may be null, default null.
    pub member_id: Option<Str>,
    /// Versions 1.
    pub member_epoch: i32,
    /// Versions 1.
    pub heartbeat_interval_ms: i32,
    /// Versions 1, may be null, default null.
    pub assignment: Option<Assignment>,
}

impl Wire for ShareGroupHeartbeatResponse {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            member_id: r.opt_str(flex, true)?,
            member_epoch: r.i32()?,
            heartbeat_interval_ms: r.i32()?,
            assignment: r.opt_struct(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.opt_str(self.member_id.as_ref(), flex, true)?;
        w.i32(self.member_epoch);
        w.i32(self.heartbeat_interval_ms);
        w.opt_struct(self.assignment.as_ref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ShareGroupHeartbeatResponse {
    const NAME: &'static str = "ShareGroupHeartbeatResponse";
    const VERSIONS: (i16, i16) = (1, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for ShareGroupHeartbeatResponse {
    const API_KEY: i16 = 76;
}

/// Part of [`ShareGroupHeartbeatResponse`], versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignment {
    /// Versions 1.
    pub topic_partitions: Vec<TopicPartitions>,
}

impl Wire for Assignment {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.topic_partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareGroupHeartbeatResponse`], versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartitions {
    /// Versions 1.
    pub topic_id: Uuid,
    /// Versions 1.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartitions {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: r.uuid()?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
