//! `AddOffsetsToTxnResponse` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 25, versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddOffsetsToTxnResponse {
    /// Versions 0–4.
    pub throttle_time_ms: i32,
    /// Versions 0–4.
    pub error_code: i16,
}

impl Wire for AddOffsetsToTxnResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AddOffsetsToTxnResponse {
    const NAME: &'static str = "AddOffsetsToTxnResponse";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for AddOffsetsToTxnResponse {
    const API_KEY: i16 = 25;
}
