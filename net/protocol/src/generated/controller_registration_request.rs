//! `ControllerRegistrationRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 70, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ControllerRegistrationRequest {
    /// Versions 0.
    pub controller_id: i32,
    /// Versions 0.
    pub incarnation_id: Uuid,
    /// Versions 0.
    pub zk_migration_ready: bool,
    /// Versions 0.
    pub listeners: Vec<Listener>,
    /// Versions 0.
    pub features: Vec<Feature>,
}

impl Wire for ControllerRegistrationRequest {
    const WIRE_BYTES_MIN: usize = 24;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            controller_id: r.i32()?,
            incarnation_id: r.uuid()?,
            zk_migration_ready: r.bool()?,
            listeners: r.array(v, flex)?,
            features: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.controller_id);
        w.uuid(self.incarnation_id);
        w.bool(self.zk_migration_ready);
        w.array(&self.listeners, v, flex)?;
        w.array(&self.features, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ControllerRegistrationRequest {
    const NAME: &'static str = "ControllerRegistrationRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ControllerRegistrationRequest {
    const API_KEY: i16 = 70;
    type Response = crate::ControllerRegistrationResponse;
}

/// Part of [`ControllerRegistrationRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listener {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub host: Str,
    /// Versions 0.
    pub port: u16,
    /// Versions 0.
    pub security_protocol: i16,
}

impl Wire for Listener {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            host: r.str(flex)?,
            port: r.u16()?,
            security_protocol: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.str(&self.host, flex)?;
        w.u16(self.port);
        w.i16(self.security_protocol);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ControllerRegistrationRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feature {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub min_supported_version: i16,
    /// Versions 0.
    pub max_supported_version: i16,
}

impl Wire for Feature {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            min_supported_version: r.i16()?,
            max_supported_version: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i16(self.min_supported_version);
        w.i16(self.max_supported_version);
        w.uvarint(0);
        Ok(())
    }
}
