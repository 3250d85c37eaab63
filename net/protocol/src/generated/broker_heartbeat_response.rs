//! `BrokerHeartbeatResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 63, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerHeartbeatResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 0–2, default false.
    pub is_caught_up: bool,
    /// Versions 0–2, default true.
    pub is_fenced: bool,
    /// Versions 0–2.
    pub should_shut_down: bool,
}

impl Default for BrokerHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            is_caught_up: false,
            is_fenced: true,
            should_shut_down: false,
        }
    }
}

impl Wire for BrokerHeartbeatResponse {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            is_caught_up: r.bool()?,
            is_fenced: r.bool()?,
            should_shut_down: r.bool()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.bool(self.is_caught_up);
        w.bool(self.is_fenced);
        w.bool(self.should_shut_down);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for BrokerHeartbeatResponse {
    const NAME: &'static str = "BrokerHeartbeatResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for BrokerHeartbeatResponse {
    const API_KEY: i16 = 63;
}
