//! `SyncGroupResponse` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 14, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncGroupResponse {
    /// Versions 1–5, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–5.
    pub error_code: i16,
    /// Versions 5, may be null, default null, ignorable.
    pub protocol_type: Option<Str>,
    /// Versions 5, may be null, default null, ignorable.
    pub protocol_name: Option<Str>,
    /// Versions 0–5.
    pub assignment: Bytes,
}

impl Wire for SyncGroupResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 1 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            protocol_type: if v == 5 { r.opt_str(flex, true)? } else { None },
            protocol_name: if v == 5 { r.opt_str(flex, true)? } else { None },
            assignment: r.bytes(flex)?,
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
        if v == 5 {
            w.opt_str(self.protocol_type.as_ref(), flex, true)?;
        }
        if v == 5 {
            w.opt_str(self.protocol_name.as_ref(), flex, true)?;
        }
        w.bytes(&self.assignment, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for SyncGroupResponse {
    const NAME: &'static str = "SyncGroupResponse";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for SyncGroupResponse {
    const API_KEY: i16 = 14;
}
