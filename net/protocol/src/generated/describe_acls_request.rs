//! `DescribeAclsRequest` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 29, versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeAclsRequest {
    /// Versions 1–3.
    pub resource_type_filter: i8,
    /// Versions 1–3, may be null.
    pub resource_name_filter: Option<Str>,
    /// Versions 1–3, default 3.
    pub pattern_type_filter: i8,
    /// Versions 1–3, may be null.
    pub principal_filter: Option<Str>,
    /// Versions 1–3, may be null.
    pub host_filter: Option<Str>,
    /// Versions 1–3.
    pub operation: i8,
    /// Versions 1–3.
    pub permission_type: i8,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: Some(Str::default()),
            pattern_type_filter: 3,
            principal_filter: Some(Str::default()),
            host_filter: Some(Str::default()),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Wire for DescribeAclsRequest {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resource_type_filter: r.i8()?,
            resource_name_filter: r.opt_str(flex, true)?,
            pattern_type_filter: r.i8()?,
            principal_filter: r.opt_str(flex, true)?,
            host_filter: r.opt_str(flex, true)?,
            operation: r.i8()?,
            permission_type: r.i8()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i8(self.resource_type_filter);
        w.opt_str(self.resource_name_filter.as_ref(), flex, true)?;
        w.i8(self.pattern_type_filter);
        w.opt_str(self.principal_filter.as_ref(), flex, true)?;
        w.opt_str(self.host_filter.as_ref(), flex, true)?;
        w.i8(self.operation);
        w.i8(self.permission_type);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeAclsRequest {
    const NAME: &'static str = "DescribeAclsRequest";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DescribeAclsRequest {
    const API_KEY: i16 = 29;
    type Response = crate::DescribeAclsResponse;
}
