//! `DeleteGroupsResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 42, versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteGroupsResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 0–2.
    pub results: Vec<DeletableGroupResult>,
}

impl Wire for DeleteGroupsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            results: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteGroupsResponse {
    const NAME: &'static str = "DeleteGroupsResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DeleteGroupsResponse {
    const API_KEY: i16 = 42;
}

/// Part of [`DeleteGroupsResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeletableGroupResult {
    /// Versions 0–2.
    pub group_id: Str,
    /// Versions 0–2.
    pub error_code: i16,
}

impl Wire for DeletableGroupResult {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.error_code(self.error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
