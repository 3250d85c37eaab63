//! `FindCoordinatorResponse` of Kafka 4.3.1, versions 0–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 10, versions 0–6.
#[derive(Debug, Clone, PartialEq)]
pub struct FindCoordinatorResponse {
    /// Versions 1–6, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–3.
    pub error_code: i16,
    /// Versions 1–3, may be null, ignorable.
    pub error_message: Option<Str>,
    /// Versions 0–3.
    pub node_id: i32,
    /// Versions 0–3.
    pub host: Str,
    /// Versions 0–3.
    pub port: i32,
    /// Versions 4–6.
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            node_id: 0,
            host: Str::default(),
            port: 0,
            coordinators: Vec::new(),
        }
    }
}

impl Wire for FindCoordinatorResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 1 { r.i32()? } else { 0 },
            error_code: if v <= 3 { r.i16()? } else { 0 },
            error_message: if (1..=3).contains(&v) {
                r.opt_str(flex, true)?
            } else {
                Some(Str::default())
            },
            node_id: if v <= 3 { r.i32()? } else { 0 },
            host: if v <= 3 { r.str(flex)? } else { Str::default() },
            port: if v <= 3 { r.i32()? } else { 0 },
            coordinators: if v >= 4 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            w.i32(self.throttle_time_ms);
        }
        if v <= 3 {
            w.error_code(self.error_code);
        } else if self.error_code != 0 {
            return Err(EncodeError::Absent("FindCoordinatorResponse.ErrorCode", v));
        }
        if (1..=3).contains(&v) {
            w.opt_str(self.error_message.as_ref(), flex, true)?;
        }
        if v <= 3 {
            w.i32(self.node_id);
        } else if self.node_id != 0 {
            return Err(EncodeError::Absent("FindCoordinatorResponse.NodeId", v));
        }
        if v <= 3 {
            w.str(&self.host, flex)?;
        } else if !self.host.is_empty() {
            return Err(EncodeError::Absent("FindCoordinatorResponse.Host", v));
        }
        if v <= 3 {
            w.i32(self.port);
        } else if self.port != 0 {
            return Err(EncodeError::Absent("FindCoordinatorResponse.Port", v));
        }
        if v >= 4 {
            w.array(&self.coordinators, v, flex)?;
        } else if !self.coordinators.is_empty() {
            return Err(EncodeError::Absent(
                "FindCoordinatorResponse.Coordinators",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for FindCoordinatorResponse {
    const NAME: &'static str = "FindCoordinatorResponse";
    const VERSIONS: (i16, i16) = (0, 6);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for FindCoordinatorResponse {
    const API_KEY: i16 = 10;
}

/// Part of [`FindCoordinatorResponse`], versions 4–6.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinator {
    /// Versions 4–6.
    pub key: Str,
    /// Versions 4–6.
    pub node_id: i32,
    /// Versions 4–6.
    pub host: Str,
    /// Versions 4–6.
    pub port: i32,
    /// Versions 4–6.
    pub error_code: i16,
    /// Versions 4–6, may be null, ignorable.
    pub error_message: Option<Str>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: Str::default(),
            node_id: 0,
            host: Str::default(),
            port: 0,
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for Coordinator {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            key: r.str(flex)?,
            node_id: r.i32()?,
            host: r.str(flex)?,
            port: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.key, flex)?;
        w.i32(self.node_id);
        w.str(&self.host, flex)?;
        w.i32(self.port);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
