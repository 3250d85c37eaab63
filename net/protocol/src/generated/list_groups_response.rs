//! `ListGroupsResponse` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 16, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListGroupsResponse {
    /// Versions 1–5, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–5.
    pub error_code: i16,
    /// Versions 0–5.
    pub groups: Vec<ListedGroup>,
}

impl Wire for ListGroupsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 1 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            groups: r.array(v, flex)?,
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
        w.array(&self.groups, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListGroupsResponse {
    const NAME: &'static str = "ListGroupsResponse";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for ListGroupsResponse {
    const API_KEY: i16 = 16;
}

/// Part of [`ListGroupsResponse`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListedGroup {
    /// Versions 0–5.
    pub group_id: Str,
    /// Versions 0–5.
    pub protocol_type: Str,
    /// Versions 4–5, ignorable.
    pub group_state: Str,
    /// Versions 5, ignorable.
    pub group_type: Str,
}

impl Wire for ListedGroup {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            protocol_type: r.str(flex)?,
            group_state: if v >= 4 { r.str(flex)? } else { Str::default() },
            group_type: if v == 5 { r.str(flex)? } else { Str::default() },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.str(&self.protocol_type, flex)?;
        if v >= 4 {
            w.str(&self.group_state, flex)?;
        }
        if v == 5 {
            w.str(&self.group_type, flex)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
