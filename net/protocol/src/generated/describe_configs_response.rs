//! `DescribeConfigsResponse` of Kafka 4.3.1, versions 1–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 32, versions 1–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeConfigsResponse {
    /// Versions 1–4.
    pub throttle_time_ms: i32,
    /// Versions 1–4.
    pub results: Vec<DescribeConfigsResult>,
}

impl Wire for DescribeConfigsResponse {
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

impl Message for DescribeConfigsResponse {
    const NAME: &'static str = "DescribeConfigsResponse";
    const VERSIONS: (i16, i16) = (1, 4);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for DescribeConfigsResponse {
    const API_KEY: i16 = 32;
}

/// Part of [`DescribeConfigsResponse`], versions 1–4.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeConfigsResult {
    /// Versions 1–4.
    pub error_code: i16,
    /// Versions 1–4, may be null.
    pub error_message: Option<Str>,
    /// Versions 1–4.
    pub resource_type: i8,
    /// Versions 1–4.
    pub resource_name: Str,
    /// Versions 1–4.
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            resource_type: 0,
            resource_name: Str::default(),
            configs: Vec::new(),
        }
    }
}

impl Wire for DescribeConfigsResult {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            resource_type: r.i8()?,
            resource_name: r.str(flex)?,
            configs: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.i8(self.resource_type);
        w.str(&self.resource_name, flex)?;
        w.array(&self.configs, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1–4.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeConfigsResourceResult {
    /// Versions 1–4.
    pub name: Str,
    /// Versions 1–4, may be null.
    pub value: Option<Str>,
    /// Versions 1–4.
    pub read_only: bool,
    /// Versions 1–4, default -1, ignorable.
    pub config_source: i8,
    /// Versions 1–4.
    pub is_sensitive: bool,
    /// Versions 1–4, ignorable.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// Versions 3–4, default 0, ignorable.
    pub config_type: i8,
    /// Versions 3–4, may be null, ignorable.
    pub documentation: Option<Str>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: Str::default(),
            value: Some(Str::default()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            synonyms: Vec::new(),
            config_type: 0,
            documentation: Some(Str::default()),
        }
    }
}

impl Wire for DescribeConfigsResourceResult {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            value: r.opt_str(flex, true)?,
            read_only: r.bool()?,
            config_source: r.i8()?,
            is_sensitive: r.bool()?,
            synonyms: r.array(v, flex)?,
            config_type: if v >= 3 { r.i8()? } else { 0 },
            documentation: if v >= 3 {
                r.opt_str(flex, true)?
            } else {
                Some(Str::default())
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.opt_str(self.value.as_ref(), flex, true)?;
        w.bool(self.read_only);
        w.i8(self.config_source);
        w.bool(self.is_sensitive);
        w.array(&self.synonyms, v, flex)?;
        if v >= 3 {
            w.i8(self.config_type);
        }
        if v >= 3 {
            w.opt_str(self.documentation.as_ref(), flex, true)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1–4.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeConfigsSynonym {
    /// Versions 1–4.
    pub name: Str,
    /// Versions 1–4, may be null.
    pub value: Option<Str>,
    /// Versions 1–4.
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        Self {
            name: Str::default(),
            value: Some(Str::default()),
            source: 0,
        }
    }
}

impl Wire for DescribeConfigsSynonym {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            value: r.opt_str(flex, true)?,
            source: r.i8()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.opt_str(self.value.as_ref(), flex, true)?;
        w.i8(self.source);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
