//! `DescribeClientQuotasRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 48, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeClientQuotasRequest {
    /// Versions 0–1.
    pub components: Vec<ComponentData>,
    /// Versions 0–1.
    pub strict: bool,
}

impl Wire for DescribeClientQuotasRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            components: r.array(v, flex)?,
            strict: r.bool()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.components, v, flex)?;
        w.bool(self.strict);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasRequest {
    const NAME: &'static str = "DescribeClientQuotasRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for DescribeClientQuotasRequest {
    const API_KEY: i16 = 48;
    type Response = crate::DescribeClientQuotasResponse;
}

/// Part of [`DescribeClientQuotasRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentData {
    /// Versions 0–1.
    pub entity_type: Str,
    /// Versions 0–1.
    pub match_type: i8,
    /// Versions 0–1, may be null.
    pub r#match: Option<Str>,
}

impl Default for ComponentData {
    fn default() -> Self {
        Self {
            entity_type: Str::default(),
            match_type: 0,
            r#match: Some(Str::default()),
        }
    }
}

impl Wire for ComponentData {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            entity_type: r.str(flex)?,
            match_type: r.i8()?,
            r#match: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.entity_type, flex)?;
        w.i8(self.match_type);
        w.opt_str(self.r#match.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
