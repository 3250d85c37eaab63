//! `StreamsGroupHeartbeatResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 88, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamsGroupHeartbeatResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub member_id: Str,
    /// Versions 0.
    pub member_epoch: i32,
    /// Versions 0.
    pub heartbeat_interval_ms: i32,
    /// Versions 0.
    pub acceptable_recovery_lag: i32,
    /// Versions 0.
    pub task_offset_interval_ms: i32,
    /// Versions 0, may be null.
    pub status: Option<Vec<Status>>,
    /// Versions 0, may be null, default null.
    pub active_tasks: Option<Vec<TaskIds>>,
    /// Versions 0, may be null, default null.
    pub standby_tasks: Option<Vec<TaskIds>>,
    /// Versions 0, may be null, default null.
    pub warmup_tasks: Option<Vec<TaskIds>>,
    /// Versions 0.
    pub endpoint_information_epoch: i32,
    /// Versions 0, may be null, default null.
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
}

impl Default for StreamsGroupHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            member_id: Str::default(),
            member_epoch: 0,
            heartbeat_interval_ms: 0,
            acceptable_recovery_lag: 0,
            task_offset_interval_ms: 0,
            status: Some(Vec::new()),
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            endpoint_information_epoch: 0,
            partitions_by_user_endpoint: None,
        }
    }
}

impl Wire for StreamsGroupHeartbeatResponse {
    const WIRE_BYTES_MIN: usize = 34;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            member_id: r.str(flex)?,
            member_epoch: r.i32()?,
            heartbeat_interval_ms: r.i32()?,
            acceptable_recovery_lag: r.i32()?,
            task_offset_interval_ms: r.i32()?,
            status: r.opt_array(v, flex, true)?,
            active_tasks: r.opt_array(v, flex, true)?,
            standby_tasks: r.opt_array(v, flex, true)?,
            warmup_tasks: r.opt_array(v, flex, true)?,
            endpoint_information_epoch: r.i32()?,
            partitions_by_user_endpoint: r.opt_array(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.str(&self.member_id, flex)?;
        w.i32(self.member_epoch);
        w.i32(self.heartbeat_interval_ms);
        w.i32(self.acceptable_recovery_lag);
        w.i32(self.task_offset_interval_ms);
        w.opt_array(self.status.as_deref(), v, flex, true)?;
        w.opt_array(self.active_tasks.as_deref(), v, flex, true)?;
        w.opt_array(self.standby_tasks.as_deref(), v, flex, true)?;
        w.opt_array(self.warmup_tasks.as_deref(), v, flex, true)?;
        w.i32(self.endpoint_information_epoch);
        w.opt_array(self.partitions_by_user_endpoint.as_deref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for StreamsGroupHeartbeatResponse {
    const NAME: &'static str = "StreamsGroupHeartbeatResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for StreamsGroupHeartbeatResponse {
    const API_KEY: i16 = 88;
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// Versions 0.
    pub status_code: i8,
    /// Versions 0.
    pub status_detail: Str,
}

impl Wire for Status {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            status_code: r.i8()?,
            status_detail: r.str(flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i8(self.status_code);
        w.str(&self.status_detail, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskIds {
    /// Versions 0.
    pub subtopology_id: Str,
    /// Versions 0.
    pub partitions: Vec<i32>,
}

impl Wire for TaskIds {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            subtopology_id: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.subtopology_id, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EndpointToPartitions {
    /// Versions 0.
    pub user_endpoint: Endpoint,
    /// Versions 0.
    pub active_partitions: Vec<TopicPartition>,
    /// Versions 0.
    pub standby_partitions: Vec<TopicPartition>,
}

impl Wire for EndpointToPartitions {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            user_endpoint: Wire::read(r, v, flex)?,
            active_partitions: r.array(v, flex)?,
            standby_partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.user_endpoint.write(w, v, flex)?;
        w.array(&self.active_partitions, v, flex)?;
        w.array(&self.standby_partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Endpoint {
    /// Versions 0.
    pub host: Str,
    /// Versions 0.
    pub port: u16,
}

impl Wire for Endpoint {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            host: r.str(flex)?,
            port: r.u16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.host, flex)?;
        w.u16(self.port);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartition {
    /// Versions 0.
    pub topic: Str,
    /// Versions 0.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartition {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
