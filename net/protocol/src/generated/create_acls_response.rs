//! `CreateAclsResponse` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 30, versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateAclsResponse {
    /// Versions 1–3.
    pub throttle_time_ms: i32,
    /// Versions 1–3.
    pub results: Vec<AclCreationResult>,
}

impl Wire for CreateAclsResponse {
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

impl Message for CreateAclsResponse {
    const NAME: &'static str = "CreateAclsResponse";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for CreateAclsResponse {
    const API_KEY: i16 = 30;
}

/// Part of [`CreateAclsResponse`], versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct AclCreationResult {
    /// Versions 1–3.
    pub error_code: i16,
    /// Versions 1–3, may be null.
    pub error_message: Option<Str>,
}

impl Default for AclCreationResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for AclCreationResult {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
