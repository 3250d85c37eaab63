//! `UpdateFeaturesRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 57, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateFeaturesRequest {
    /// Versions 0–2, default 60000.
    pub timeout_ms: i32,
    /// Versions 0–2.
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Versions 1–2, default false.
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            feature_updates: Vec::new(),
            validate_only: false,
        }
    }
}

impl Wire for UpdateFeaturesRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            timeout_ms: r.i32()?,
            feature_updates: r.array(v, flex)?,
            validate_only: if v >= 1 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.timeout_ms);
        w.array(&self.feature_updates, v, flex)?;
        if v >= 1 {
            w.bool(self.validate_only);
        } else if self.validate_only {
            return Err(EncodeError::Absent("UpdateFeaturesRequest.ValidateOnly", v));
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for UpdateFeaturesRequest {
    const NAME: &'static str = "UpdateFeaturesRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for UpdateFeaturesRequest {
    const API_KEY: i16 = 57;
    type Response = crate::UpdateFeaturesResponse;
}

/// Part of [`UpdateFeaturesRequest`], versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureUpdateKey {
    /// Versions 0–2.
    pub feature: Str,
    /// Versions 0–2.
    pub max_version_level: i16,
    /// Versions 0.
    pub allow_downgrade: bool,
    /// Versions 1–2, default 1.
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: Str::default(),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
        }
    }
}

impl Wire for FeatureUpdateKey {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            feature: r.str(flex)?,
            max_version_level: r.i16()?,
            allow_downgrade: if v == 0 { r.bool()? } else { false },
            upgrade_type: if v >= 1 { r.i8()? } else { 1 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.feature, flex)?;
        w.i16(self.max_version_level);
        if v == 0 {
            w.bool(self.allow_downgrade);
        } else if self.allow_downgrade {
            return Err(EncodeError::Absent("FeatureUpdateKey.AllowDowngrade", v));
        }
        if v >= 1 {
            w.i8(self.upgrade_type);
        } else if self.upgrade_type != 1 {
            return Err(EncodeError::Absent("FeatureUpdateKey.UpgradeType", v));
        }
        w.uvarint(0);
        Ok(())
    }
}
