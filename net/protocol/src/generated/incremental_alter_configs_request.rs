//! `IncrementalAlterConfigsRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 44, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncrementalAlterConfigsRequest {
    /// Versions 0–1.
    pub resources: Vec<AlterConfigsResource>,
    /// Versions 0–1.
    pub validate_only: bool,
}

impl Wire for IncrementalAlterConfigsRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resources: r.array(v, flex)?,
            validate_only: r.bool()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.resources, v, flex)?;
        w.bool(self.validate_only);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const NAME: &'static str = "IncrementalAlterConfigsRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for IncrementalAlterConfigsRequest {
    const API_KEY: i16 = 44;
    type Response = crate::IncrementalAlterConfigsResponse;
}

/// Part of [`IncrementalAlterConfigsRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterConfigsResource {
    /// Versions 0–1.
    pub resource_type: i8,
    /// Versions 0–1.
    pub resource_name: Str,
    /// Versions 0–1.
    pub configs: Vec<AlterableConfig>,
}

impl Wire for AlterConfigsResource {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
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
        w.i8(self.resource_type);
        w.str(&self.resource_name, flex)?;
        w.array(&self.configs, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`IncrementalAlterConfigsRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterableConfig {
    /// Versions 0–1.
    pub name: Str,
    /// Versions 0–1.
    pub config_operation: i8,
    /// Versions 0–1, may be null.
    pub value: Option<Str>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        Self {
            name: Str::default(),
            config_operation: 0,
            value: Some(Str::default()),
        }
    }
}

impl Wire for AlterableConfig {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            config_operation: r.i8()?,
            value: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i8(self.config_operation);
        w.opt_str(self.value.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
