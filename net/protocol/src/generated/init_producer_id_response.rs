//! `InitProducerIdResponse` of Kafka 4.3.1, versions 0–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 22, versions 0–6.
#[derive(Debug, Clone, PartialEq)]
pub struct InitProducerIdResponse {
    /// Versions 0–6, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–6.
    pub error_code: i16,
    /// Versions 0–6, default -1.
    pub producer_id: i64,
    /// Versions 0–6.
    pub producer_epoch: i16,
    /// Versions 6, default -1.
    pub ongoing_txn_producer_id: i64,
    /// Versions 6, default -1.
    pub ongoing_txn_producer_epoch: i16,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: 0,
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
        }
    }
}

impl Wire for InitProducerIdResponse {
    const WIRE_BYTES_MIN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            ongoing_txn_producer_id: if v == 6 { r.i64()? } else { -1 },
            ongoing_txn_producer_epoch: if v == 6 { r.i16()? } else { -1 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        if v == 6 {
            w.i64(self.ongoing_txn_producer_id);
        } else if self.ongoing_txn_producer_id != -1 {
            return Err(EncodeError::Absent(
                "InitProducerIdResponse.OngoingTxnProducerId",
                v,
            ));
        }
        if v == 6 {
            w.i16(self.ongoing_txn_producer_epoch);
        } else if self.ongoing_txn_producer_epoch != -1 {
            return Err(EncodeError::Absent(
                "InitProducerIdResponse.OngoingTxnProducerEpoch",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for InitProducerIdResponse {
    const NAME: &'static str = "InitProducerIdResponse";
    const VERSIONS: (i16, i16) = (0, 6);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for InitProducerIdResponse {
    const API_KEY: i16 = 22;
}
