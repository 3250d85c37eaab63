//! `JoinGroupRequest` of Kafka 4.3.1, versions 0–9. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 11, versions 0–9.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinGroupRequest {
    /// Versions 0–9.
    pub group_id: Str,
    /// Versions 0–9.
    pub session_timeout_ms: i32,
    /// Versions 1–9, default -1, ignorable.
    pub rebalance_timeout_ms: i32,
    /// Versions 0–9.
    pub member_id: Str,
    /// Versions 5–9, may be null, default null.
    pub group_instance_id: Option<Str>,
    /// Versions 0–9.
    pub protocol_type: Str,
    /// Versions 0–9.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Versions 8–9, may be null, default null, ignorable.
    pub reason: Option<Str>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Str::default(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: Str::default(),
            group_instance_id: None,
            protocol_type: Str::default(),
            protocols: Vec::new(),
            reason: None,
        }
    }
}

impl Wire for JoinGroupRequest {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            session_timeout_ms: r.i32()?,
            rebalance_timeout_ms: if v >= 1 { r.i32()? } else { -1 },
            member_id: r.str(flex)?,
            group_instance_id: if v >= 5 { r.opt_str(flex, true)? } else { None },
            protocol_type: r.str(flex)?,
            protocols: r.array(v, flex)?,
            reason: if v >= 8 { r.opt_str(flex, true)? } else { None },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.i32(self.session_timeout_ms);
        if v >= 1 {
            w.i32(self.rebalance_timeout_ms);
        }
        w.str(&self.member_id, flex)?;
        if v >= 5 {
            w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Absent("JoinGroupRequest.GroupInstanceId", v));
        }
        w.str(&self.protocol_type, flex)?;
        w.array(&self.protocols, v, flex)?;
        if v >= 8 {
            w.opt_str(self.reason.as_ref(), flex, true)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for JoinGroupRequest {
    const NAME: &'static str = "JoinGroupRequest";
    const VERSIONS: (i16, i16) = (0, 9);
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for JoinGroupRequest {
    const API_KEY: i16 = 11;
    type Response = crate::JoinGroupResponse;
}

/// Part of [`JoinGroupRequest`], versions 0–9.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JoinGroupRequestProtocol {
    /// Versions 0–9.
    pub name: Str,
    /// Versions 0–9.
    pub metadata: Bytes,
}

impl Wire for JoinGroupRequestProtocol {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            metadata: r.bytes(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.bytes(&self.metadata, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
