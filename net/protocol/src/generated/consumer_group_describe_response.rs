//! `ConsumerGroupDescribeResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 69, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConsumerGroupDescribeResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for ConsumerGroupDescribeResponse {
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

impl Message for ConsumerGroupDescribeResponse {
    const NAME: &'static str = "ConsumerGroupDescribeResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ConsumerGroupDescribeResponse {
    const API_KEY: i16 = 69;
}

/// Part of [`ConsumerGroupDescribeResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedGroup {
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0–1.
    pub group_id: Str,
    /// Versions 0–1.
    pub group_state: Str,
    /// Versions 0–1.
    pub group_epoch: i32,
    /// Versions 0–1.
    pub assignment_epoch: i32,
    /// Versions 0–1.
    pub assignor_name: Str,
    /// Versions 0–1.
    pub members: Vec<Member>,
    /// Versions 0–1, default -2147483648.
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
            assignor_name: Str::default(),
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
            assignor_name: r.str(flex)?,
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
        w.str(&self.assignor_name, flex)?;
        w.array(&self.members, v, flex)?;
        w.i32(self.authorized_operations);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ConsumerGroupDescribeResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Versions 0–1.
    pub member_id: Str,
    /// Versions 0–1, may be null, default null.
    pub instance_id: Option<Str>,
    /// Versions 0–1, may be null, default null.
    pub rack_id: Option<Str>,
    /// Versions 0–1.
    pub member_epoch: i32,
    /// Versions 0–1.
    pub client_id: Str,
    /// Versions 0–1.
    pub client_host: Str,
    /// Versions 0–1.
    pub subscribed_topic_names: Vec<Str>,
    /// Versions 0–1, may be null, default null.
    pub subscribed_topic_regex: Option<Str>,
    /// Versions 0–1.
    pub assignment: Assignment,
    /// Versions 0–1.
    pub target_assignment: Assignment,
    /// Versions 1, default -1, ignorable.
    pub member_type: i8,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            member_id: Str::default(),
            instance_id: None,
            rack_id: None,
            member_epoch: 0,
            client_id: Str::default(),
            client_host: Str::default(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: None,
            assignment: Assignment::default(),
            target_assignment: Assignment::default(),
            member_type: -1,
        }
    }
}

impl Wire for Member {
    const WIRE_BYTES_MIN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            instance_id: r.opt_str(flex, true)?,
            rack_id: r.opt_str(flex, true)?,
            member_epoch: r.i32()?,
            client_id: r.str(flex)?,
            client_host: r.str(flex)?,
            subscribed_topic_names: r.array(v, flex)?,
            subscribed_topic_regex: r.opt_str(flex, true)?,
            assignment: Wire::read(r, v, flex)?,
            target_assignment: Wire::read(r, v, flex)?,
            member_type: if v == 1 { r.i8()? } else { -1 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        w.opt_str(self.instance_id.as_ref(), flex, true)?;
        w.opt_str(self.rack_id.as_ref(), flex, true)?;
        w.i32(self.member_epoch);
        w.str(&self.client_id, flex)?;
        w.str(&self.client_host, flex)?;
        w.array(&self.subscribed_topic_names, v, flex)?;
        w.opt_str(self.subscribed_topic_regex.as_ref(), flex, true)?;
        self.assignment.write(w, v, flex)?;
        self.target_assignment.write(w, v, flex)?;
        if v == 1 {
            w.i8(self.member_type);
        }
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ConsumerGroupDescribeResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignment {
    /// Versions 0–1.
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

/// Part of [`ConsumerGroupDescribeResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartitions {
    /// Versions 0–1.
    pub topic_id: Uuid,
    /// Versions 0–1.
    pub topic_name: Str,
    /// Versions 0–1.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartitions {
    const WIRE_BYTES_MIN: usize = 19;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: r.uuid()?,
            topic_name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.str(&self.topic_name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
