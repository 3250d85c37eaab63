//! `UpdateFeaturesResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 57, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateFeaturesResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 0–2, may be null.
    pub error_message: Option<Str>,
    /// Versions 0–1, ignorable.
    pub results: Vec<UpdatableFeatureResult>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            results: Vec::new(),
        }
    }
}

impl Wire for UpdateFeaturesResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            results: if v <= 1 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if v <= 1 {
            w.array(&self.results, v, flex)?;
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for UpdateFeaturesResponse {
    const NAME: &'static str = "UpdateFeaturesResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for UpdateFeaturesResponse {
    const API_KEY: i16 = 57;
}

/// Part of [`UpdateFeaturesResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdatableFeatureResult {
    /// Versions 0–1.
    pub feature: Str,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null.
    pub error_message: Option<Str>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        Self {
            feature: Str::default(),
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for UpdatableFeatureResult {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            feature: r.str(flex)?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.feature, flex)?;
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
