//! `DescribeClientQuotasResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 48, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeClientQuotasResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null.
    pub error_message: Option<Str>,
    /// Versions 0–1, may be null.
    pub entries: Option<Vec<EntryData>>,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            entries: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeClientQuotasResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            entries: r.opt_array(v, flex, true)?,
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
        w.opt_array(self.entries.as_deref(), v, flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasResponse {
    const NAME: &'static str = "DescribeClientQuotasResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for DescribeClientQuotasResponse {
    const API_KEY: i16 = 48;
}

/// Part of [`DescribeClientQuotasResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EntryData {
    /// Versions 0–1.
    pub entity: Vec<EntityData>,
    /// Versions 0–1.
    pub values: Vec<ValueData>,
}

impl Wire for EntryData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            entity: r.array(v, flex)?,
            values: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.entity, v, flex)?;
        w.array(&self.values, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeClientQuotasResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityData {
    /// Versions 0–1.
    pub entity_type: Str,
    /// Versions 0–1, may be null.
    pub entity_name: Option<Str>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self {
            entity_type: Str::default(),
            entity_name: Some(Str::default()),
        }
    }
}

impl Wire for EntityData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            entity_type: r.str(flex)?,
            entity_name: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.entity_type, flex)?;
        w.opt_str(self.entity_name.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeClientQuotasResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValueData {
    /// Versions 0–1.
    pub key: Str,
    /// Versions 0–1.
    pub value: f64,
}

impl Wire for ValueData {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            key: r.str(flex)?,
            value: r.f64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.key, flex)?;
        w.f64(self.value);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
