//! `ExpireDelegationTokenRequest` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Wire, Writer};

/// The request of API 40, versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpireDelegationTokenRequest {
    /// Versions 1–2.
    pub hmac: Bytes,
    /// Versions 1–2.
    pub expiry_time_period_ms: i64,
}

impl Wire for ExpireDelegationTokenRequest {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            hmac: r.bytes(flex)?,
            expiry_time_period_ms: r.i64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.bytes(&self.hmac, flex)?;
        w.i64(self.expiry_time_period_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ExpireDelegationTokenRequest {
    const NAME: &'static str = "ExpireDelegationTokenRequest";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for ExpireDelegationTokenRequest {
    const API_KEY: i16 = 40;
    type Response = crate::ExpireDelegationTokenResponse;
}
