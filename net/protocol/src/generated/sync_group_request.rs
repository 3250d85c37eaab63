//! `SyncGroupRequest` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 14, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncGroupRequest {
    /// Versions 0–5.
    pub group_id: Str,
    /// Versions 0–5.
    pub generation_id: i32,
    /// Versions 0–5.
    pub member_id: Str,
    /// Versions 3–5, may be null, default null.
    pub group_instance_id: Option<Str>,
    /// Versions 5, may be null, default null, ignorable.
    pub protocol_type: Option<Str>,
    /// Versions 5, may be null, default null, ignorable.
    pub protocol_name: Option<Str>,
    /// Versions 0–5.
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl Wire for SyncGroupRequest {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            generation_id: r.i32()?,
            member_id: r.str(flex)?,
            group_instance_id: if v >= 3 { r.opt_str(flex, true)? } else { None },
            protocol_type: if v == 5 { r.opt_str(flex, true)? } else { None },
            protocol_name: if v == 5 { r.opt_str(flex, true)? } else { None },
            assignments: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.i32(self.generation_id);
        w.str(&self.member_id, flex)?;
        if v >= 3 {
            w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Absent("SyncGroupRequest.GroupInstanceId", v));
        }
        if v == 5 {
            w.opt_str(self.protocol_type.as_ref(), flex, true)?;
        }
        if v == 5 {
            w.opt_str(self.protocol_name.as_ref(), flex, true)?;
        }
        w.array(&self.assignments, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for SyncGroupRequest {
    const NAME: &'static str = "SyncGroupRequest";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for SyncGroupRequest {
    const API_KEY: i16 = 14;
    type Response = crate::SyncGroupResponse;
}

/// Part of [`SyncGroupRequest`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncGroupRequestAssignment {
    /// Versions 0–5.
    pub member_id: Str,
    /// Versions 0–5.
    pub assignment: Bytes,
}

impl Wire for SyncGroupRequestAssignment {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            assignment: r.bytes(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        w.bytes(&self.assignment, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
