//! `EndTxnResponse` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 26, versions 0–5.
#[derive(Debug, Clone, PartialEq)]
pub struct EndTxnResponse {
    /// Versions 0–5.
    pub throttle_time_ms: i32,
    /// Versions 0–5.
    pub error_code: i16,
    /// Versions 5, default -1, ignorable.
    pub producer_id: i64,
    /// Versions 5, default -1, ignorable.
    pub producer_epoch: i16,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl Wire for EndTxnResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            producer_id: if v == 5 { r.i64()? } else { -1 },
            producer_epoch: if v == 5 { r.i16()? } else { -1 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        if v == 5 {
            w.i64(self.producer_id);
        }
        if v == 5 {
            w.i16(self.producer_epoch);
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for EndTxnResponse {
    const NAME: &'static str = "EndTxnResponse";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for EndTxnResponse {
    const API_KEY: i16 = 26;
}
