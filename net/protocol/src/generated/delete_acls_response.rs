//! `DeleteAclsResponse` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 31, versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteAclsResponse {
    /// Versions 1–3.
    pub throttle_time_ms: i32,
    /// Versions 1–3.
    pub filter_results: Vec<DeleteAclsFilterResult>,
}

impl Wire for DeleteAclsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            filter_results: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.filter_results, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteAclsResponse {
    const NAME: &'static str = "DeleteAclsResponse";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DeleteAclsResponse {
    const API_KEY: i16 = 31;
}

/// Part of [`DeleteAclsResponse`], versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteAclsFilterResult {
    /// Versions 1–3.
    pub error_code: i16,
    /// Versions 1–3, may be null.
    pub error_message: Option<Str>,
    /// Versions 1–3.
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
}

impl Default for DeleteAclsFilterResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            matching_acls: Vec::new(),
        }
    }
}

impl Wire for DeleteAclsFilterResult {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            matching_acls: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.matching_acls, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DeleteAclsResponse`], versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteAclsMatchingAcl {
    /// Versions 1–3.
    pub error_code: i16,
    /// Versions 1–3, may be null.
    pub error_message: Option<Str>,
    /// Versions 1–3.
    pub resource_type: i8,
    /// Versions 1–3.
    pub resource_name: Str,
    /// Versions 1–3, default 3.
    pub pattern_type: i8,
    /// Versions 1–3.
    pub principal: Str,
    /// Versions 1–3.
    pub host: Str,
    /// Versions 1–3.
    pub operation: i8,
    /// Versions 1–3.
    pub permission_type: i8,
}

impl Default for DeleteAclsMatchingAcl {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            resource_type: 0,
            resource_name: Str::default(),
            pattern_type: 3,
            principal: Str::default(),
            host: Str::default(),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Wire for DeleteAclsMatchingAcl {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            resource_type: r.i8()?,
            resource_name: r.str(flex)?,
            pattern_type: r.i8()?,
            principal: r.str(flex)?,
            host: r.str(flex)?,
            operation: r.i8()?,
            permission_type: r.i8()?,
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
        w.i8(self.pattern_type);
        w.str(&self.principal, flex)?;
        w.str(&self.host, flex)?;
        w.i8(self.operation);
        w.i8(self.permission_type);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
