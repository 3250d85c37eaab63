//! `LeaveGroupRequest` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 13, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaveGroupRequest {
    /// Versions 0–5.
    pub group_id: Str,
    /// Versions 0–2.
    pub member_id: Str,
    /// Versions 3–5.
    pub members: Vec<MemberIdentity>,
}

impl Wire for LeaveGroupRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            member_id: if v <= 2 { r.str(flex)? } else { Str::default() },
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
        w.str(&self.group_id, flex)?;
        if v <= 2 {
            w.str(&self.member_id, flex)?;
        } else if !self.member_id.is_empty() {
            return Err(EncodeError::Absent("LeaveGroupRequest.MemberId", v));
        }
        if v >= 3 {
            w.array(&self.members, v, flex)?;
        } else if !self.members.is_empty() {
            return Err(EncodeError::Absent("LeaveGroupRequest.Members", v));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for LeaveGroupRequest {
    const NAME: &'static str = "LeaveGroupRequest";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for LeaveGroupRequest {
    const API_KEY: i16 = 13;
    type Response = crate::LeaveGroupResponse;
}

/// Part of [`LeaveGroupRequest`], versions 3–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberIdentity {
    /// Versions 3–5.
    pub member_id: Str,
    /// Versions 3–5, may be null, default null.
    pub group_instance_id: Option<Str>,
    /// Versions 5, may be null, default null, ignorable.
    pub reason: Option<Str>,
}

impl Wire for MemberIdentity {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            group_instance_id: r.opt_str(flex, true)?,
            reason: if v == 5 { r.opt_str(flex, true)? } else { None },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        if v == 5 {
            w.opt_str(self.reason.as_ref(), flex, true)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
