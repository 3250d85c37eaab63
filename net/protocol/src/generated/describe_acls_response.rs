//! `DescribeAclsResponse` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 29, versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeAclsResponse {
    /// Versions 1–3.
    pub throttle_time_ms: i32,
    /// Versions 1–3.
    pub error_code: i16,
    /// Versions 1–3, may be null.
    pub error_message: Option<Str>,
    /// Versions 1–3.
    pub resources: Vec<DescribeAclsResource>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            resources: Vec::new(),
        }
    }
}

impl Wire for DescribeAclsResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            resources: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.resources, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeAclsResponse {
    const NAME: &'static str = "DescribeAclsResponse";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DescribeAclsResponse {
    const API_KEY: i16 = 29;
}

/// Part of [`DescribeAclsResponse`], versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeAclsResource {
    /// Versions 1–3.
    pub resource_type: i8,
    /// Versions 1–3.
    pub resource_name: Str,
    /// Versions 1–3, default 3.
    pub pattern_type: i8,
    /// Versions 1–3.
    pub acls: Vec<AclDescription>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::default(),
            pattern_type: 3,
            acls: Vec::new(),
        }
    }
}

impl Wire for DescribeAclsResource {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resource_type: r.i8()?,
            resource_name: r.str(flex)?,
            pattern_type: r.i8()?,
            acls: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i8(self.resource_type);
        w.str(&self.resource_name, flex)?;
        w.i8(self.pattern_type);
        w.array(&self.acls, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeAclsResponse`], versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AclDescription {
    /// Versions 1–3.
    pub principal: Str,
    /// Versions 1–3.
    pub host: Str,
    /// Versions 1–3.
    pub operation: i8,
    /// Versions 1–3.
    pub permission_type: i8,
}

impl Wire for AclDescription {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
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
