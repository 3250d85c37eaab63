//! `DescribeConfigsRequest` of Kafka 4.3.1, versions 1–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 32, versions 1–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeConfigsRequest {
    /// Versions 1–4.
    pub resources: Vec<DescribeConfigsResource>,
    /// Versions 1–4, default false.
    pub include_synonyms: bool,
    /// Versions 3–4, default false.
    pub include_documentation: bool,
}

impl Wire for DescribeConfigsRequest {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resources: r.array(v, flex)?,
            include_synonyms: r.bool()?,
            include_documentation: if v >= 3 { r.bool()? } else { false },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.resources, v, flex)?;
        w.bool(self.include_synonyms);
        if v >= 3 {
            w.bool(self.include_documentation);
        } else if self.include_documentation {
            return Err(EncodeError::Absent(
                "DescribeConfigsRequest.IncludeDocumentation",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeConfigsRequest {
    const NAME: &'static str = "DescribeConfigsRequest";
    const VERSIONS: (i16, i16) = (1, 4);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for DescribeConfigsRequest {
    const API_KEY: i16 = 32;
    type Response = crate::DescribeConfigsResponse;
}

/// Part of [`DescribeConfigsRequest`], versions 1–4.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeConfigsResource {
    /// Versions 1–4.
    pub resource_type: i8,
    /// Versions 1–4.
    pub resource_name: Str,
    /// Versions 1–4, may be null.
    pub configuration_keys: Option<Vec<Str>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::default(),
            configuration_keys: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeConfigsResource {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resource_type: r.i8()?,
            resource_name: r.str(flex)?,
            configuration_keys: r.opt_array(v, flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i8(self.resource_type);
        w.str(&self.resource_name, flex)?;
        w.opt_array(self.configuration_keys.as_deref(), v, flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
