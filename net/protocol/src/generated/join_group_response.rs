//! `JoinGroupResponse` of Kafka 4.3.1, versions 0–9. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 11, versions 0–9.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinGroupResponse {
    /// Versions 2–9, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–9.
    pub error_code: i16,
    /// Versions 0–9, default -1.
    pub generation_id: i32,
    /// Versions 7–9, may be null, default null, ignorable.
    pub protocol_type: Option<Str>,
    /// Versions 0–9, may be null in 7–9.
    pub protocol_name: Option<Str>,
    /// Versions 0–9.
    pub leader: Str,
    /// Versions 9, default false.
    pub skip_assignment: bool,
    /// Versions 0–9.
    pub member_id: Str,
    /// Versions 0–9.
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(Str::default()),
            leader: Str::default(),
            skip_assignment: false,
            member_id: Str::default(),
            members: Vec::new(),
        }
    }
}

impl Wire for JoinGroupResponse {
    const WIRE_BYTES_MIN: usize = 15;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 2 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            generation_id: r.i32()?,
            protocol_type: if v >= 7 { r.opt_str(flex, true)? } else { None },
            protocol_name: r.opt_str(flex, v >= 7)?,
            leader: r.str(flex)?,
            skip_assignment: if v == 9 { r.bool()? } else { false },
            member_id: r.str(flex)?,
            members: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 2 {
            w.i32(self.throttle_time_ms);
        }
        w.error_code(self.error_code);
        w.i32(self.generation_id);
        if v >= 7 {
            w.opt_str(self.protocol_type.as_ref(), flex, true)?;
        }
        w.opt_str(self.protocol_name.as_ref(), flex, v >= 7)?;
        w.str(&self.leader, flex)?;
        if v == 9 {
            w.bool(self.skip_assignment);
        } else if self.skip_assignment {
            return Err(EncodeError::Absent("JoinGroupResponse.SkipAssignment", v));
        }
        w.str(&self.member_id, flex)?;
        w.array(&self.members, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for JoinGroupResponse {
    const NAME: &'static str = "JoinGroupResponse";
    const VERSIONS: (i16, i16) = (0, 9);
    const FLEXIBLE_FROM: i16 = 6;
}

impl Response for JoinGroupResponse {
    const API_KEY: i16 = 11;
}

/// Part of [`JoinGroupResponse`], versions 0–9.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JoinGroupResponseMember {
    /// Versions 0–9.
    pub member_id: Str,
    /// Versions 5–9, may be null, default null, ignorable.
    pub group_instance_id: Option<Str>,
    /// Versions 0–9.
    pub metadata: Bytes,
}

impl Wire for JoinGroupResponseMember {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            group_instance_id: if v >= 5 { r.opt_str(flex, true)? } else { None },
            metadata: r.bytes(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        if v >= 5 {
            w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        }
        w.bytes(&self.metadata, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
