//! `SaslAuthenticateResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 36, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct SaslAuthenticateResponse {
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 0–2, may be null.
    pub error_message: Option<Str>,
    /// Versions 0–2.
    pub auth_bytes: Bytes,
    /// Versions 1–2, default 0, ignorable.
    pub session_lifetime_ms: i64,
}

impl Default for SaslAuthenticateResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::default()),
            auth_bytes: Bytes::default(),
            session_lifetime_ms: 0,
        }
    }
}

impl Wire for SaslAuthenticateResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            auth_bytes: r.bytes(flex)?,
            session_lifetime_ms: if v >= 1 { r.i64()? } else { 0 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.bytes(&self.auth_bytes, flex)?;
        if v >= 1 {
            w.i64(self.session_lifetime_ms);
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for SaslAuthenticateResponse {
    const NAME: &'static str = "SaslAuthenticateResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for SaslAuthenticateResponse {
    const API_KEY: i16 = 36;
}
