//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    pub throttle_time_ms: i32,
    pub supported_features: Vec<SupportedFeatureKey>,
    pub finalized_features_epoch: i64,
    pub finalized_features: Vec<FinalizedFeatureKey>,
    pub zk_migration_ready: bool,
}
impl Default for ApiVersionsResponse {
    fn default() -> Self {
        ApiVersionsResponse {
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
impl Message for ApiVersionsResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 3;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.error_code = r.int16()?;
        m.api_keys = {
            match r.array(flex)? {
                None => None,
                Some(n) => {
                    let mut v = Vec::new();
                    for _ in 0..n {
                        v.push(ApiVersion::decode(r, version)?);
                    }
                    Some(v)
                }
            }
        }
        .ok_or(DecodeError::Null)?;
        if version >= 1 {
            m.throttle_time_ms = r.int32()?;
        }
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    0 => {
                        m.supported_features = {
                            match r.array(true)? {
                                None => None,
                                Some(n) => {
                                    let mut v = Vec::new();
                                    for _ in 0..n {
                                        v.push(SupportedFeatureKey::decode(r, version)?);
                                    }
                                    Some(v)
                                }
                            }
                        }
                        .ok_or(DecodeError::Null)?;
                    }
                    1 => {
                        m.finalized_features_epoch = r.int64()?;
                    }
                    2 => {
                        m.finalized_features = {
                            match r.array(true)? {
                                None => None,
                                Some(n) => {
                                    let mut v = Vec::new();
                                    for _ in 0..n {
                                        v.push(FinalizedFeatureKey::decode(r, version)?);
                                    }
                                    Some(v)
                                }
                            }
                        }
                        .ok_or(DecodeError::Null)?;
                    }
                    3 => {
                        m.zk_migration_ready = r.bool()?;
                    }
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 3;
        let _ = (flex, version);
        w.int16(*&self.error_code);
        {
            let v = &self.api_keys;
            w.array(Some(v.len()), flex);
            for x in v {
                x.encode(w, version);
            }
        }
        if version >= 1 {
            w.int32(*&self.throttle_time_ms);
        }
        if flex {
            let n = u32::from((version >= 3 && self.supported_features != Vec::new()))
                + u32::from((version >= 3 && self.finalized_features_epoch != -1))
                + u32::from((version >= 3 && self.finalized_features != Vec::new()))
                + u32::from((version >= 3 && self.zk_migration_ready != false));
            w.uvarint(n);
            if (version >= 3 && self.supported_features != Vec::new()) {
                w.uvarint(0);
                w.tagged(|w| {
                    let v = &self.supported_features;
                    w.array(Some(v.len()), true);
                    for x in v {
                        x.encode(w, version);
                    }
                });
            }
            if (version >= 3 && self.finalized_features_epoch != -1) {
                w.uvarint(1);
                w.tagged(|w| {
                    w.int64(*&self.finalized_features_epoch);
                });
            }
            if (version >= 3 && self.finalized_features != Vec::new()) {
                w.uvarint(2);
                w.tagged(|w| {
                    let v = &self.finalized_features;
                    w.array(Some(v.len()), true);
                    for x in v {
                        x.encode(w, version);
                    }
                });
            }
            if (version >= 3 && self.zk_migration_ready != false) {
                w.uvarint(3);
                w.tagged(|w| {
                    w.bool(*&self.zk_migration_ready);
                });
            }
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}
impl Default for ApiVersion {
    fn default() -> Self {
        ApiVersion {
            api_key: 0,
            min_version: 0,
            max_version: 0,
        }
    }
}
impl Message for ApiVersion {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 3;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.api_key = r.int16()?;
        m.min_version = r.int16()?;
        m.max_version = r.int16()?;
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 3;
        let _ = (flex, version);
        w.int16(*&self.api_key);
        w.int16(*&self.min_version);
        w.int16(*&self.max_version);
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct SupportedFeatureKey {
    pub name: Str,
    pub min_version: i16,
    pub max_version: i16,
}
impl Default for SupportedFeatureKey {
    fn default() -> Self {
        SupportedFeatureKey {
            name: Str::default(),
            min_version: 0,
            max_version: 0,
        }
    }
}
impl Message for SupportedFeatureKey {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 3;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 3 {
            m.name = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 3 {
            m.min_version = r.int16()?;
        }
        if version >= 3 {
            m.max_version = r.int16()?;
        }
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 3;
        let _ = (flex, version);
        if version >= 3 {
            w.string(Some(&self.name), flex);
        }
        if version >= 3 {
            w.int16(*&self.min_version);
        }
        if version >= 3 {
            w.int16(*&self.max_version);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
#[derive(Clone, PartialEq, Debug)]
pub struct FinalizedFeatureKey {
    pub name: Str,
    pub max_version_level: i16,
    pub min_version_level: i16,
}
impl Default for FinalizedFeatureKey {
    fn default() -> Self {
        FinalizedFeatureKey {
            name: Str::default(),
            max_version_level: 0,
            min_version_level: 0,
        }
    }
}
impl Message for FinalizedFeatureKey {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 3;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 3 {
            m.name = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 3 {
            m.max_version_level = r.int16()?;
        }
        if version >= 3 {
            m.min_version_level = r.int16()?;
        }
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 3;
        let _ = (flex, version);
        if version >= 3 {
            w.string(Some(&self.name), flex);
        }
        if version >= 3 {
            w.int16(*&self.max_version_level);
        }
        if version >= 3 {
            w.int16(*&self.min_version_level);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
