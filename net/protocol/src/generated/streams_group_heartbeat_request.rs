//! `StreamsGroupHeartbeatRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 88, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamsGroupHeartbeatRequest {
    /// Versions 0.
    pub group_id: Str,
    /// Versions 0.
    pub member_id: Str,
    /// Versions 0.
    pub member_epoch: i32,
    /// Versions 0.
    pub endpoint_information_epoch: i32,
    /// Versions 0, may be null, default null.
    pub instance_id: Option<Str>,
    /// Versions 0, may be null, default null.
    pub rack_id: Option<Str>,
    /// Versions 0, default -1.
    pub rebalance_timeout_ms: i32,
    /// Versions 0, may be null, default null.
    pub topology: Option<Topology>,
    /// Versions 0, may be null, default null.
    pub active_tasks: Option<Vec<TaskIds>>,
    /// Versions 0, may be null, default null.
    pub standby_tasks: Option<Vec<TaskIds>>,
    /// Versions 0, may be null, default null.
    pub warmup_tasks: Option<Vec<TaskIds>>,
    /// Versions 0, may be null, default null.
    pub process_id: Option<Str>,
    /// Versions 0, may be null, default null.
    pub user_endpoint: Option<Endpoint>,
    /// Versions 0, may be null, default null.
    pub client_tags: Option<Vec<KeyValue>>,
    /// Versions 0, may be null, default null.
    pub task_offsets: Option<Vec<TaskOffset>>,
    /// Versions 0, may be null, default null.
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    /// Versions 0, default false.
    pub shutdown_application: bool,
}

impl Default for StreamsGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::default(),
            member_id: Str::default(),
            member_epoch: 0,
            endpoint_information_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            topology: None,
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            process_id: None,
            user_endpoint: None,
            client_tags: None,
            task_offsets: None,
            task_end_offsets: None,
            shutdown_application: false,
        }
    }
}

impl Wire for StreamsGroupHeartbeatRequest {
    const WIRE_BYTES_MIN: usize = 27;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            member_id: r.str(flex)?,
            member_epoch: r.i32()?,
            endpoint_information_epoch: r.i32()?,
            instance_id: r.opt_str(flex, true)?,
            rack_id: r.opt_str(flex, true)?,
            rebalance_timeout_ms: r.i32()?,
            topology: r.opt_struct(v, flex, true)?,
            active_tasks: r.opt_array(v, flex, true)?,
            standby_tasks: r.opt_array(v, flex, true)?,
            warmup_tasks: r.opt_array(v, flex, true)?,
            process_id: r.opt_str(flex, true)?,
            user_endpoint: r.opt_struct(v, flex, true)?,
            client_tags: r.opt_array(v, flex, true)?,
            task_offsets: r.opt_array(v, flex, true)?,
            task_end_offsets: r.opt_array(v, flex, true)?,
            shutdown_application: r.bool()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.str(&self.member_id, flex)?;
        w.i32(self.member_epoch);
        w.i32(self.endpoint_information_epoch);
        w.opt_str(self.instance_id.as_ref(), flex, true)?;
        w.opt_str(self.rack_id.as_ref(), flex, true)?;
        w.i32(self.rebalance_timeout_ms);
        w.opt_struct(self.topology.as_ref(), v, flex, true)?;
        w.opt_array(self.active_tasks.as_deref(), v, flex, true)?;
        w.opt_array(self.standby_tasks.as_deref(), v, flex, true)?;
        w.opt_array(self.warmup_tasks.as_deref(), v, flex, true)?;
        w.opt_str(self.process_id.as_ref(), flex, true)?;
        w.opt_struct(self.user_endpoint.as_ref(), v, flex, true)?;
        w.opt_array(self.client_tags.as_deref(), v, flex, true)?;
        w.opt_array(self.task_offsets.as_deref(), v, flex, true)?;
        w.opt_array(self.task_end_offsets.as_deref(), v, flex, true)?;
        w.bool(self.shutdown_application);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for StreamsGroupHeartbeatRequest {
    const NAME: &'static str = "StreamsGroupHeartbeatRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for StreamsGroupHeartbeatRequest {
    const API_KEY: i16 = 88;
    type Response = crate::StreamsGroupHeartbeatResponse;
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topology {
    /// Versions 0.
    pub epoch: i32,
    /// Versions 0.
    pub subtopologies: Vec<Subtopology>,
}

impl Wire for Topology {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            epoch: r.i32()?,
            subtopologies: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.array(&self.subtopologies, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subtopology {
    /// Versions 0.
    pub subtopology_id: Str,
    /// Versions 0.
    pub source_topics: Vec<Str>,
    /// Versions 0.
    pub source_topic_regex: Vec<Str>,
    /// Versions 0.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// Versions 0.
    pub repartition_sink_topics: Vec<Str>,
    /// Versions 0.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Versions 0.
    pub copartition_groups: Vec<CopartitionGroup>,
}

impl Wire for Subtopology {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            subtopology_id: r.str(flex)?,
            source_topics: r.array(v, flex)?,
            source_topic_regex: r.array(v, flex)?,
            state_changelog_topics: r.array(v, flex)?,
            repartition_sink_topics: r.array(v, flex)?,
            repartition_source_topics: r.array(v, flex)?,
            copartition_groups: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.subtopology_id, flex)?;
        w.array(&self.source_topics, v, flex)?;
        w.array(&self.source_topic_regex, v, flex)?;
        w.array(&self.state_changelog_topics, v, flex)?;
        w.array(&self.repartition_sink_topics, v, flex)?;
        w.array(&self.repartition_source_topics, v, flex)?;
        w.array(&self.copartition_groups, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicInfo {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub partitions: i32,
    /// Versions 0.
    pub replication_factor: i16,
    /// Versions 0.
    pub topic_configs: Vec<KeyValue>,
}

impl Wire for TopicInfo {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.i32()?,
            replication_factor: r.i16()?,
            topic_configs: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i32(self.partitions);
        w.i16(self.replication_factor);
        w.array(&self.topic_configs, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyValue {
    /// Versions 0.
    pub key: Str,
    /// Versions 0.
    pub value: Str,
}

impl Wire for KeyValue {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            key: r.str(flex)?,
            value: r.str(flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.key, flex)?;
        w.str(&self.value, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CopartitionGroup {
    /// Versions 0.
    pub source_topics: Vec<i16>,
    /// Versions 0.
    pub source_topic_regex: Vec<i16>,
    /// Versions 0.
    pub repartition_source_topics: Vec<i16>,
}

impl Wire for CopartitionGroup {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            source_topics: r.array(v, flex)?,
            source_topic_regex: r.array(v, flex)?,
            repartition_source_topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.source_topics, v, flex)?;
        w.array(&self.source_topic_regex, v, flex)?;
        w.array(&self.repartition_source_topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskOffset {
    /// Versions 0.
    pub subtopology_id: Str,
    /// Versions 0.
    pub partition: i32,
    /// Versions 0.
    pub offset: i64,
}

impl Wire for TaskOffset {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            subtopology_id: r.str(flex)?,
            partition: r.i32()?,
            offset: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.subtopology_id, flex)?;
        w.i32(self.partition);
        w.i64(self.offset);
        w.uvarint(0);
        Ok(())
    }
}
