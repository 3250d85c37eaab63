//! `ListConfigResourcesResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 74, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListConfigResourcesResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1.
    pub config_resources: Vec<ConfigResource>,
}

impl Wire for ListConfigResourcesResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            config_resources: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.config_resources, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ListConfigResourcesResponse {
    const NAME: &'static str = "ListConfigResourcesResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ListConfigResourcesResponse {
    const API_KEY: i16 = 74;
}

/// Part of [`ListConfigResourcesResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigResource {
    /// Versions 0–1.
    pub resource_name: Str,
    /// Versions 1, default 16, ignorable.
    pub resource_type: i8,
}

impl Default for ConfigResource {
    fn default() -> Self {
        Self {
            resource_name: Str::default(),
            resource_type: 16,
        }
    }
}

impl Wire for ConfigResource {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resource_name: r.str(flex)?,
            resource_type: if v == 1 { r.i8()? } else { 16 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.resource_name, flex)?;
        if v == 1 {
            w.i8(self.resource_type);
        }
        w.uvarint(0);
        Ok(())
    }
}
