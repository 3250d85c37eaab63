//! `AlterClientQuotasRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 49, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterClientQuotasRequest {
    /// Versions 0–1.
    pub entries: Vec<EntryData>,
    /// Versions 0–1.
    pub validate_only: bool,
}

impl Wire for AlterClientQuotasRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            entries: r.array(v, flex)?,
            validate_only: r.bool()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.entries, v, flex)?;
        w.bool(self.validate_only);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AlterClientQuotasRequest {
    const NAME: &'static str = "AlterClientQuotasRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for AlterClientQuotasRequest {
    const API_KEY: i16 = 49;
    type Response = crate::AlterClientQuotasResponse;
}

/// Part of [`AlterClientQuotasRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EntryData {
    /// Versions 0–1.
    pub entity: Vec<EntityData>,
    /// Versions 0–1.
    pub ops: Vec<OpData>,
}

impl Wire for EntryData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            entity: r.array(v, flex)?,
            ops: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.entity, v, flex)?;
        w.array(&self.ops, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasRequest`], versions 0–1.
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

/// Part of [`AlterClientQuotasRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpData {
    /// Versions 0–1.
    pub key: Str,
    /// Versions 0–1.
    pub value: f64,
    /// Versions 0–1.
    pub remove: bool,
}

impl Wire for OpData {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            key: r.str(flex)?,
            value: r.f64()?,
            remove: r.bool()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.key, flex)?;
        w.f64(self.value);
        w.bool(self.remove);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
