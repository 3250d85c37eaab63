//! `StreamsGroupDescribeResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 89, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamsGroupDescribeResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for StreamsGroupDescribeResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            groups: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.groups, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for StreamsGroupDescribeResponse {
    const NAME: &'static str = "StreamsGroupDescribeResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for StreamsGroupDescribeResponse {
    const API_KEY: i16 = 89;
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedGroup {
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub group_id: Str,
    /// Versions 0.
    pub group_state: Str,
    /// Versions 0.
    pub group_epoch: i32,
    /// Versions 0.
    pub assignment_epoch: i32,
    /// Versions 0, may be null, default null.
    pub topology: Option<Topology>,
    /// Versions 0.
    pub members: Vec<Member>,
    /// Versions 0, default -2147483648.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: Str::default(),
            group_state: Str::default(),
            group_epoch: 0,
            assignment_epoch: 0,
            topology: None,
            members: Vec::new(),
            authorized_operations: -2147483648,
        }
    }
}

impl Wire for DescribedGroup {
    const WIRE_BYTES_MIN: usize = 20;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            group_id: r.str(flex)?,
            group_state: r.str(flex)?,
            group_epoch: r.i32()?,
            assignment_epoch: r.i32()?,
            topology: r.opt_struct(v, flex, true)?,
            members: r.array(v, flex)?,
            authorized_operations: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.str(&self.group_id, flex)?;
        w.str(&self.group_state, flex)?;
        w.i32(self.group_epoch);
        w.i32(self.assignment_epoch);
        w.opt_struct(self.topology.as_ref(), v, flex, true)?;
        w.array(&self.members, v, flex)?;
        w.i32(self.authorized_operations);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topology {
    /// Versions 0.
    pub epoch: i32,
    /// Versions 0, may be null, default null.
    pub subtopologies: Option<Vec<Subtopology>>,
}

impl Wire for Topology {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            epoch: r.i32()?,
            subtopologies: r.opt_array(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.opt_array(self.subtopologies.as_deref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subtopology {
    /// Versions 0.
    pub subtopology_id: Str,
    /// Versions 0.
    pub source_topics: Vec<Str>,
    /// Versions 0.
    pub repartition_sink_topics: Vec<Str>,
    /// Versions 0.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// Versions 0.
    pub repartition_source_topics: Vec<TopicInfo>,
}

impl Wire for Subtopology {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            subtopology_id: r.str(flex)?,
            source_topics: r.array(v, flex)?,
            repartition_sink_topics: r.array(v, flex)?,
            state_changelog_topics: r.array(v, flex)?,
            repartition_source_topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.subtopology_id, flex)?;
        w.array(&self.source_topics, v, flex)?;
        w.array(&self.repartition_sink_topics, v, flex)?;
        w.array(&self.state_changelog_topics, v, flex)?;
        w.array(&self.repartition_source_topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
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

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
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

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Member {
    /// Versions 0.
    pub member_id: Str,
    /// Versions 0.
    pub member_epoch: i32,
    /// Versions 0, may be null, default null.
    pub instance_id: Option<Str>,
    /// Versions 0, may be null, default null.
    pub rack_id: Option<Str>,
    /// Versions 0.
    pub client_id: Str,
    /// Versions 0.
    pub client_host: Str,
    /// Versions 0.
    pub topology_epoch: i32,
    /// Versions 0.
    pub process_id: Str,
    /// Versions 0, may be null, default null.
    pub user_endpoint: Option<Endpoint>,
    /// Versions 0.
    pub client_tags: Vec<KeyValue>,
    /// Versions 0.
    pub task_offsets: Vec<TaskOffset>,
    /// Versions 0.
    pub task_end_offsets: Vec<TaskOffset>,
    /// Versions 0.
    pub assignment: Assignment,
    /// Versions 0.
    pub target_assignment: Assignment,
    /// Versions 0.
    pub is_classic: bool,
}

impl Wire for Member {
    const WIRE_BYTES_MIN: usize = 28;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            member_epoch: r.i32()?,
            instance_id: r.opt_str(flex, true)?,
            rack_id: r.opt_str(flex, true)?,
            client_id: r.str(flex)?,
            client_host: r.str(flex)?,
            topology_epoch: r.i32()?,
            process_id: r.str(flex)?,
            user_endpoint: r.opt_struct(v, flex, true)?,
            client_tags: r.array(v, flex)?,
            task_offsets: r.array(v, flex)?,
            task_end_offsets: r.array(v, flex)?,
            assignment: Wire::read(r, v, flex)?,
            target_assignment: Wire::read(r, v, flex)?,
            is_classic: r.bool()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        w.i32(self.member_epoch);
        w.opt_str(self.instance_id.as_ref(), flex, true)?;
        w.opt_str(self.rack_id.as_ref(), flex, true)?;
        w.str(&self.client_id, flex)?;
        w.str(&self.client_host, flex)?;
        w.i32(self.topology_epoch);
        w.str(&self.process_id, flex)?;
        w.opt_struct(self.user_endpoint.as_ref(), v, flex, true)?;
        w.array(&self.client_tags, v, flex)?;
        w.array(&self.task_offsets, v, flex)?;
        w.array(&self.task_end_offsets, v, flex)?;
        self.assignment.write(w, v, flex)?;
        self.target_assignment.write(w, v, flex)?;
        w.bool(self.is_classic);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
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

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
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

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignment {
    /// Versions 0.
    pub active_tasks: Vec<TaskIds>,
    /// Versions 0.
    pub standby_tasks: Vec<TaskIds>,
    /// Versions 0.
    pub warmup_tasks: Vec<TaskIds>,
}

impl Wire for Assignment {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            active_tasks: r.array(v, flex)?,
            standby_tasks: r.array(v, flex)?,
            warmup_tasks: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.active_tasks, v, flex)?;
        w.array(&self.standby_tasks, v, flex)?;
        w.array(&self.warmup_tasks, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0.
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
