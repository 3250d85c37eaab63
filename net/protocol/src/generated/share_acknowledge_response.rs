//! `ShareAcknowledgeResponse` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 79, versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShareAcknowledgeResponse {
    /// Versions 1–2.
    pub throttle_time_ms: i32,
    /// Versions 1–2.
    pub error_code: i16,
    /// Versions 1–2, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 2, ignorable.
    pub acquisition_lock_timeout_ms: i32,
    /// Versions 1–2.
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    /// Versions 1–2.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for ShareAcknowledgeResponse {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            acquisition_lock_timeout_ms: if v == 2 { r.i32()? } else { 0 },
            responses: r.array(v, flex)?,
            node_endpoints: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if v == 2 {
            w.i32(self.acquisition_lock_timeout_ms);
        }
        w.array(&self.responses, v, flex)?;
        w.array(&self.node_endpoints, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ShareAcknowledgeResponse {
    const NAME: &'static str = "ShareAcknowledgeResponse";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for ShareAcknowledgeResponse {
    const API_KEY: i16 = 79;
}

/// Part of [`ShareAcknowledgeResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShareAcknowledgeTopicResponse {
    /// Versions 1–2.
    pub topic_id: Uuid,
    /// Versions 1–2.
    pub partitions: Vec<PartitionData>,
}

impl Wire for ShareAcknowledgeTopicResponse {
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

/// Part of [`ShareAcknowledgeResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 1–2.
    pub partition_index: i32,
    /// Versions 1–2.
    pub error_code: i16,
    /// Versions 1–2, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 1–2.
    pub current_leader: LeaderIdAndEpoch,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 17;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            current_leader: Wire::read(r, v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        self.current_leader.write(w, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaderIdAndEpoch {
    /// Versions 1–2.
    pub leader_id: i32,
    /// Versions 1–2.
    pub leader_epoch: i32,
}

impl Wire for LeaderIdAndEpoch {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeEndpoint {
    /// Versions 1–2.
    pub node_id: i32,
    /// Versions 1–2.
    pub host: Str,
    /// Versions 1–2.
    pub port: i32,
    /// Versions 1–2, may be null, default null.
    pub rack: Option<Str>,
}

impl Wire for NodeEndpoint {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            node_id: r.i32()?,
            host: r.str(flex)?,
            port: r.i32()?,
            rack: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.str(&self.host, flex)?;
        w.i32(self.port);
        w.opt_str(self.rack.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
