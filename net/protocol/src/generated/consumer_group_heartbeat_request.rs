//! `ConsumerGroupHeartbeatRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 68, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    /// Versions 0–1.
    pub group_id: Str,
    /// Versions 0–1.
    pub member_id: Str,
    /// Versions 0–1.
    pub member_epoch: i32,
    /// Versions 0–1, may be null, default null.
    pub instance_id: Option<Str>,
    /// Versions 0–1, may be null, default null.
    pub rack_id: Option<Str>,
    /// Versions 0–1, default -1.
    pub rebalance_timeout_ms: i32,
    /// Versions 0–1, may be null, default null.
    pub subscribed_topic_names: Option<Vec<Str>>,
    /// Versions 1, may be null, default null.
    pub subscribed_topic_regex: Option<Str>,
    /// Versions 0–1, may be null, default null.
    pub server_assignor: Option<Str>,
    /// Versions 0–1, may be null, default null.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::default(),
            member_id: Str::default(),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
        }
    }
}

impl Wire for ConsumerGroupHeartbeatRequest {
    const WIRE_BYTES_MIN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            member_id: r.str(flex)?,
            member_epoch: r.i32()?,
            instance_id: r.opt_str(flex, true)?,
            rack_id: r.opt_str(flex, true)?,
            rebalance_timeout_ms: r.i32()?,
            subscribed_topic_names: r.opt_array(v, flex, true)?,
            subscribed_topic_regex: if v == 1 { r.opt_str(flex, true)? } else { None },
            server_assignor: r.opt_str(flex, true)?,
            topic_partitions: r.opt_array(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.str(&self.member_id, flex)?;
        w.i32(self.member_epoch);
        w.opt_str(self.instance_id.as_ref(), flex, true)?;
        w.opt_str(self.rack_id.as_ref(), flex, true)?;
        w.i32(self.rebalance_timeout_ms);
        w.opt_array(self.subscribed_topic_names.as_deref(), v, flex, true)?;
        if v == 1 {
            w.opt_str(self.subscribed_topic_regex.as_ref(), flex, true)?;
        } else if self.subscribed_topic_regex.is_some() {
            return Err(EncodeError::Absent(
                "ConsumerGroupHeartbeatRequest.SubscribedTopicRegex",
                v,
            ));
        }
        w.opt_str(self.server_assignor.as_ref(), flex, true)?;
        w.opt_array(self.topic_partitions.as_deref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const NAME: &'static str = "ConsumerGroupHeartbeatRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ConsumerGroupHeartbeatRequest {
    const API_KEY: i16 = 68;
    type Response = crate::ConsumerGroupHeartbeatResponse;
}

/// Part of [`ConsumerGroupHeartbeatRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartitions {
    /// Versions 0–1.
    pub topic_id: Uuid,
    /// Versions 0–1.
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
