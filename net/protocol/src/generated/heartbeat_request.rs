//! `HeartbeatRequest` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 12, versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeartbeatRequest {
    /// Versions 0–4.
    pub group_id: Str,
    /// Versions 0–4.
    pub generation_id: i32,
    /// Versions 0–4.
    pub member_id: Str,
    /// Versions 3–4, may be null, default null.
    pub group_instance_id: Option<Str>,
}

impl Wire for HeartbeatRequest {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            generation_id: r.i32()?,
            member_id: r.str(flex)?,
            group_instance_id: if v >= 3 { r.opt_str(flex, true)? } else { None },
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
            return Err(EncodeError::Absent("HeartbeatRequest.GroupInstanceId", v));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for HeartbeatRequest {
    const NAME: &'static str = "HeartbeatRequest";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for HeartbeatRequest {
    const API_KEY: i16 = 12;
    type Response = crate::HeartbeatResponse;
}
