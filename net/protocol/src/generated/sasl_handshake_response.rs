//! `SaslHandshakeResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 17, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SaslHandshakeResponse {
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1.
    pub mechanisms: Vec<Str>,
}

impl Wire for SaslHandshakeResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: r.i16()?,
            mechanisms: r.array(v, flex)?,
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.array(&self.mechanisms, v, flex)?;
        Ok(())
    }
}

impl Message for SaslHandshakeResponse {
    const NAME: &'static str = "SaslHandshakeResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Response for SaslHandshakeResponse {
    const API_KEY: i16 = 17;
}
