//! `ApiVersionsResponse` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 18, versions 0–4.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiVersionsResponse {
    /// Versions 0–4.
    pub error_code: i16,
    /// Versions 0–4.
    pub api_keys: Vec<ApiVersion>,
    /// Versions 1–4, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 3–4, tag 0, ignorable.
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Versions 3–4, tag 1, default -1, ignorable.
    pub finalized_features_epoch: i64,
    /// Versions 3–4, tag 2, ignorable.
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Versions 3–4, tag 3, default false, ignorable.
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        }
    }
}

impl Wire for ApiVersionsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            error_code: r.i16()?,
            api_keys: r.array(v, flex)?,
            throttle_time_ms: if v >= 1 { r.i32()? } else { 0 },
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 3 => m.supported_features = r.array(v, flex)?,
                    1 if v >= 3 => m.finalized_features_epoch = r.i64()?,
                    2 if v >= 3 => m.finalized_features = r.array(v, flex)?,
                    3 if v >= 3 => m.zk_migration_ready = r.bool()?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.array(&self.api_keys, v, flex)?;
        if v >= 1 {
            w.i32(self.throttle_time_ms);
        }
        if flex {
            let tag0 = v >= 3 && !self.supported_features.is_empty();
            let tag1 = v >= 3 && self.finalized_features_epoch != -1;
            let tag2 = v >= 3 && !self.finalized_features.is_empty();
            let tag3 = v >= 3 && self.zk_migration_ready;
            w.uvarint(u32::from(tag0) + u32::from(tag1) + u32::from(tag2) + u32::from(tag3));
            if tag0 {
                let mark = w.begin_tag(0);
                w.array(&self.supported_features, v, flex)?;
                w.end_tag(mark)?;
            }
            if tag1 {
                let mark = w.begin_tag(1);
                w.i64(self.finalized_features_epoch);
                w.end_tag(mark)?;
            }
            if tag2 {
                let mark = w.begin_tag(2);
                w.array(&self.finalized_features, v, flex)?;
                w.end_tag(mark)?;
            }
            if tag3 {
                let mark = w.begin_tag(3);
                w.bool(self.zk_migration_ready);
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

impl Message for ApiVersionsResponse {
    const NAME: &'static str = "ApiVersionsResponse";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for ApiVersionsResponse {
    const API_KEY: i16 = 18;
}

/// Part of [`ApiVersionsResponse`], versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiVersion {
    /// Versions 0–4.
    pub api_key: i16,
    /// Versions 0–4.
    pub min_version: i16,
    /// Versions 0–4.
    pub max_version: i16,
}

impl Wire for ApiVersion {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            api_key: r.i16()?,
            min_version: r.i16()?,
            max_version: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i16(self.api_key);
        w.i16(self.min_version);
        w.i16(self.max_version);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ApiVersionsResponse`], versions 3–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SupportedFeatureKey {
    /// Versions 3–4.
    pub name: Str,
    /// Versions 3–4.
    pub min_version: i16,
    /// Versions 3–4.
    pub max_version: i16,
}

impl Wire for SupportedFeatureKey {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            min_version: r.i16()?,
            max_version: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i16(self.min_version);
        w.i16(self.max_version);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ApiVersionsResponse`], versions 3–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FinalizedFeatureKey {
    /// Versions 3–4.
    pub name: Str,
    /// Versions 3–4.
    pub max_version_level: i16,
    /// Versions 3–4.
    pub min_version_level: i16,
}

impl Wire for FinalizedFeatureKey {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            max_version_level: r.i16()?,
            min_version_level: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i16(self.max_version_level);
        w.i16(self.min_version_level);
        w.uvarint(0);
        Ok(())
    }
}
