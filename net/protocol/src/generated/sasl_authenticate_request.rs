//! `SaslAuthenticateRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Wire, Writer};

/// The request of API 36, versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SaslAuthenticateRequest {
    /// Versions 0–2.
    pub auth_bytes: Bytes,
}

impl Wire for SaslAuthenticateRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            auth_bytes: r.bytes(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.bytes(&self.auth_bytes, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for SaslAuthenticateRequest {
    const NAME: &'static str = "SaslAuthenticateRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for SaslAuthenticateRequest {
    const API_KEY: i16 = 36;
    type Response = crate::SaslAuthenticateResponse;
}
