//! `BrokerRegistrationRequest` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 62, versions 0–4.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerRegistrationRequest {
    /// Versions 0–4.
    pub broker_id: i32,
    /// Versions 0–4.
    pub cluster_id: Str,
    /// Versions 0–4.
    pub incarnation_id: Uuid,
    /// Versions 0–4.
    pub listeners: Vec<Listener>,
    /// Versions 0–4.
    pub features: Vec<Feature>,
    /// Versions 0–4, may be null.
    pub rack: Option<Str>,
    /// Versions 1–4, default false.
    pub is_migrating_zk_broker: bool,
    /// Versions 2–4, ignorable.
    pub log_dirs: Vec<Uuid>,
    /// Versions 3–4, default -1, ignorable.
    pub previous_broker_epoch: i64,
}

impl Default for BrokerRegistrationRequest {
    fn default() -> Self {
        Self {
            broker_id: 0,
            cluster_id: Str::default(),
            incarnation_id: Uuid::ZERO,
            listeners: Vec::new(),
            features: Vec::new(),
            rack: Some(Str::default()),
            is_migrating_zk_broker: false,
            log_dirs: Vec::new(),
            previous_broker_epoch: -1,
        }
    }
}

impl Wire for BrokerRegistrationRequest {
    const WIRE_BYTES_MIN: usize = 25;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_id: r.i32()?,
            cluster_id: r.str(flex)?,
            incarnation_id: r.uuid()?,
            listeners: r.array(v, flex)?,
            features: r.array(v, flex)?,
            rack: r.opt_str(flex, true)?,
            is_migrating_zk_broker: if v >= 1 { r.bool()? } else { false },
            log_dirs: if v >= 2 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            previous_broker_epoch: if v >= 3 { r.i64()? } else { -1 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.str(&self.cluster_id, flex)?;
        w.uuid(self.incarnation_id);
        w.array(&self.listeners, v, flex)?;
        w.array(&self.features, v, flex)?;
        w.opt_str(self.rack.as_ref(), flex, true)?;
        if v >= 1 {
            w.bool(self.is_migrating_zk_broker);
        } else if self.is_migrating_zk_broker {
            return Err(EncodeError::Absent(
                "BrokerRegistrationRequest.IsMigratingZkBroker",
                v,
            ));
        }
        if v >= 2 {
            w.array(&self.log_dirs, v, flex)?;
        }
        if v >= 3 {
            w.i64(self.previous_broker_epoch);
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for BrokerRegistrationRequest {
    const NAME: &'static str = "BrokerRegistrationRequest";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for BrokerRegistrationRequest {
    const API_KEY: i16 = 62;
    type Response = crate::BrokerRegistrationResponse;
}

/// Part of [`BrokerRegistrationRequest`], versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listener {
    /// Versions 0–4.
    pub name: Str,
    /// Versions 0–4.
    pub host: Str,
    /// Versions 0–4.
    pub port: u16,
    /// Versions 0–4.
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

/// Part of [`BrokerRegistrationRequest`], versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feature {
    /// Versions 0–4.
    pub name: Str,
    /// Versions 0–4.
    pub min_supported_version: i16,
    /// Versions 0–4.
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
