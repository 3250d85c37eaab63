//! `AlterClientQuotasResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 49, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterClientQuotasResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub entries: Vec<EntryData>,
}

impl Wire for AlterClientQuotasResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            entries: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.entries, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AlterClientQuotasResponse {
    const NAME: &'static str = "AlterClientQuotasResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for AlterClientQuotasResponse {
    const API_KEY: i16 = 49;
}

/// Part of [`AlterClientQuotasResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryData {
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null.
    pub error_message: Option<Str>,
    /// Versions 0–1.
    pub entity: Vec<EntityData>,
}

impl Default for EntryData {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            entity: Vec::new(),
        }
    }
}

impl Wire for EntryData {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            entity: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.entity, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasResponse`], versions 0–1.
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
