//! `ProduceResponse` of Kafka 4.3.1, versions 3–13. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 0, versions 3–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProduceResponse {
    /// Versions 3–13.
    pub responses: Vec<TopicProduceResponse>,
    /// Versions 3–13, default 0, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 10–13, tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for ProduceResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            responses: r.array(v, flex)?,
            throttle_time_ms: r.i32()?,
            node_endpoints: Vec::new(),
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 10 => m.node_endpoints = r.array(v, flex)?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.responses, v, flex)?;
        w.i32(self.throttle_time_ms);
        if v < 10 && !self.node_endpoints.is_empty() {
            return Err(EncodeError::Absent("ProduceResponse.NodeEndpoints", v));
        }
        if flex {
            let tag0 = v >= 10 && !self.node_endpoints.is_empty();
            w.uvarint(u32::from(tag0));
            if tag0 {
                let mark = w.begin_tag(0);
                w.array(&self.node_endpoints, v, flex)?;
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

impl Message for ProduceResponse {
    const NAME: &'static str = "ProduceResponse";
    const VERSIONS: (i16, i16) = (3, 13);
    const FLEXIBLE_FROM: i16 = 9;
}

impl Response for ProduceResponse {
    const API_KEY: i16 = 0;
}

/// Part of [`ProduceResponse`], versions 3–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicProduceResponse {
    /// Versions 3–12, ignorable.
    pub name: Str,
    /// Versions 13, ignorable.
    pub topic_id: Uuid,
    /// Versions 3–13.
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Wire for TopicProduceResponse {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: if v <= 12 {
                r.str(flex)?
            } else {
                Str::default()
            },
            topic_id: if v == 13 { r.uuid()? } else { Uuid::ZERO },
            partition_responses: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            w.str(&self.name, flex)?;
        }
        if v == 13 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partition_responses, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 3–13.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionProduceResponse {
    /// Versions 3–13.
    pub index: i32,
    /// Versions 3–13.
    pub error_code: i16,
    /// Versions 3–13.
    pub base_offset: i64,
    /// Versions 3–13, default -1, ignorable.
    pub log_append_time_ms: i64,
    /// Versions 5–13, default -1, ignorable.
    pub log_start_offset: i64,
    /// Versions 8–13, ignorable.
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Versions 8–13, may be null, default null, ignorable.
    pub error_message: Option<Str>,
    /// Versions 10–13, tag 0.
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}

impl Wire for PartitionProduceResponse {
    const WIRE_BYTES_MIN: usize = 22;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            index: r.i32()?,
            error_code: r.i16()?,
            base_offset: r.i64()?,
            log_append_time_ms: r.i64()?,
            log_start_offset: if v >= 5 { r.i64()? } else { -1 },
            record_errors: if v >= 8 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            error_message: if v >= 8 { r.opt_str(flex, true)? } else { None },
            current_leader: LeaderIdAndEpoch::default(),
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 10 => m.current_leader = Wire::read(r, v, flex)?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.index);
        w.error_code(self.error_code);
        w.i64(self.base_offset);
        w.i64(self.log_append_time_ms);
        if v >= 5 {
            w.i64(self.log_start_offset);
        }
        if v >= 8 {
            w.array(&self.record_errors, v, flex)?;
        }
        if v >= 8 {
            w.opt_str(self.error_message.as_ref(), flex, true)?;
        }
        if v < 10 && self.current_leader != LeaderIdAndEpoch::default() {
            return Err(EncodeError::Absent(
                "PartitionProduceResponse.CurrentLeader",
                v,
            ));
        }
        if flex {
            let tag0 = v >= 10 && self.current_leader != LeaderIdAndEpoch::default();
            w.uvarint(u32::from(tag0));
            if tag0 {
                let mark = w.begin_tag(0);
                self.current_leader.write(w, v, flex)?;
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 8–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchIndexAndErrorMessage {
    /// Versions 8–13.
    pub batch_index: i32,
    /// Versions 8–13, may be null, default null.
    pub batch_index_error_message: Option<Str>,
}

impl Wire for BatchIndexAndErrorMessage {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            batch_index: r.i32()?,
            batch_index_error_message: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.batch_index);
        w.opt_str(self.batch_index_error_message.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 10–13.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// Versions 10–13, default -1.
    pub leader_id: i32,
    /// Versions 10–13, default -1.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
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

/// Part of [`ProduceResponse`], versions 10–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeEndpoint {
    /// Versions 10–13.
    pub node_id: i32,
    /// Versions 10–13.
    pub host: Str,
    /// Versions 10–13.
    pub port: i32,
    /// Versions 10–13, may be null, default null.
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
