//! `CreateAclsRequest` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 30, versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateAclsRequest {
    /// Versions 1–3.
    pub creations: Vec<AclCreation>,
}

impl Wire for CreateAclsRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            creations: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.creations, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateAclsRequest {
    const NAME: &'static str = "CreateAclsRequest";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreateAclsRequest {
    const API_KEY: i16 = 30;
    type Response = crate::CreateAclsResponse;
}

/// Part of [`CreateAclsRequest`], versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct AclCreation {
    /// Versions 1–3.
    pub resource_type: i8,
    /// Versions 1–3.
    pub resource_name: Str,
    /// Versions 1–3, default 3.
    pub resource_pattern_type: i8,
    /// Versions 1–3.
    pub principal: Str,
    /// Versions 1–3.
    pub host: Str,
    /// Versions 1–3.
    pub operation: i8,
    /// Versions 1–3.
    pub permission_type: i8,
}

impl Default for AclCreation {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::default(),
            resource_pattern_type: 3,
            principal: Str::default(),
            host: Str::default(),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Wire for AclCreation {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resource_type: r.i8()?,
            resource_name: r.str(flex)?,
            resource_pattern_type: r.i8()?,
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
        w.i8(self.resource_type);
        w.str(&self.resource_name, flex)?;
        w.i8(self.resource_pattern_type);
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
