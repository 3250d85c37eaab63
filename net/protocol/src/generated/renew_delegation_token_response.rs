//! `RenewDelegationTokenResponse` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 39, versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RenewDelegationTokenResponse {
    /// Versions 1–2.
    pub error_code: i16,
    /// Versions 1–2.
    pub expiry_timestamp_ms: i64,
    /// Versions 1–2.
    pub throttle_time_ms: i32,
}

impl Wire for RenewDelegationTokenResponse {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            expiry_timestamp_ms: r.i64()?,
            throttle_time_ms: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.i64(self.expiry_timestamp_ms);
        w.i32(self.throttle_time_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for RenewDelegationTokenResponse {
    const NAME: &'static str = "RenewDelegationTokenResponse";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for RenewDelegationTokenResponse {
    const API_KEY: i16 = 39;
}
