//! `IncrementalAlterConfigsResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 44, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncrementalAlterConfigsResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub responses: Vec<AlterConfigsResourceResponse>,
}

impl Wire for IncrementalAlterConfigsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            responses: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.responses, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for IncrementalAlterConfigsResponse {
    const NAME: &'static str = "IncrementalAlterConfigsResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for IncrementalAlterConfigsResponse {
    const API_KEY: i16 = 44;
}

/// Part of [`IncrementalAlterConfigsResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterConfigsResourceResponse {
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null.
    pub error_message: Option<Str>,
    /// Versions 0–1.
    pub resource_type: i8,
    /// Versions 0–1.
    pub resource_name: Str,
}

impl Default for AlterConfigsResourceResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            resource_type: 0,
            resource_name: Str::default(),
        }
    }
}

impl Wire for AlterConfigsResourceResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            resource_type: r.i8()?,
            resource_name: r.str(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.i8(self.resource_type);
        w.str(&self.resource_name, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
