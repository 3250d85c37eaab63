//! `BrokerRegistrationResponse` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 62, versions 0–4.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerRegistrationResponse {
    /// Versions 0–4.
    pub throttle_time_ms: i32,
    /// Versions 0–4.
    pub error_code: i16,
    /// Versions 0–4, default -1.
    pub broker_epoch: i64,
}

impl Default for BrokerRegistrationResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            broker_epoch: -1,
        }
    }
}

impl Wire for BrokerRegistrationResponse {
    const WIRE_BYTES_MIN: usize = 15;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            broker_epoch: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.i64(self.broker_epoch);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for BrokerRegistrationResponse {
    const NAME: &'static str = "BrokerRegistrationResponse";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for BrokerRegistrationResponse {
    const API_KEY: i16 = 62;
}
