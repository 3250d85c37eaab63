//! `SaslHandshakeRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 17, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SaslHandshakeRequest {
    /// Versions 0–1.
    pub mechanism: Str,
}

impl Wire for SaslHandshakeRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            mechanism: r.str(flex)?,
        })
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.mechanism, flex)?;
        Ok(())
    }
}

impl Message for SaslHandshakeRequest {
    const NAME: &'static str = "SaslHandshakeRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Request for SaslHandshakeRequest {
    const API_KEY: i16 = 17;
    type Response = crate::SaslHandshakeResponse;
}
