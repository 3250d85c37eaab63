//! `LeaveGroupResponse` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 13, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaveGroupResponse {
    /// Versions 1–5, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–5.
    pub error_code: i16,
    /// Versions 3–5.
    pub members: Vec<MemberResponse>,
}

impl Wire for LeaveGroupResponse {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 1 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            members: if v >= 3 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.error_code(self.error_code);
        if v >= 3 {
            w.array(&self.members, v, flex)?;
        } else if !self.members.is_empty() {
            return Err(EncodeError::Absent("LeaveGroupResponse.Members", v));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for LeaveGroupResponse {
    const NAME: &'static str = "LeaveGroupResponse";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for LeaveGroupResponse {
    const API_KEY: i16 = 13;
}

/// Part of [`LeaveGroupResponse`], versions 3–5.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberResponse {
    /// Versions 3–5.
    pub member_id: Str,
    /// Versions 3–5, may be null.
    pub group_instance_id: Option<Str>,
    /// Versions 3–5.
    pub error_code: i16,
}

impl Default for MemberResponse {
    fn default() -> Self {
        Self {
            member_id: Str::default(),
            group_instance_id: Some(Str::default()),
            error_code: 0,
        }
    }
}

impl Wire for MemberResponse {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            group_instance_id: r.opt_str(flex, true)?,
            error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        w.error_code(self.error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
