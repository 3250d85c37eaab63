//! `InitProducerIdRequest` of Kafka 4.3.1, versions 0–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 22, versions 0–6.
#[derive(Debug, Clone, PartialEq)]
pub struct InitProducerIdRequest {
    /// Versions 0–6, may be null.
    pub transactional_id: Option<Str>,
    /// Versions 0–6.
    pub transaction_timeout_ms: i32,
    /// Versions 3–6, default -1.
    pub producer_id: i64,
    /// Versions 3–6, default -1.
    pub producer_epoch: i16,
    /// Versions 6, default false.
    pub enable2_pc: bool,
    /// Versions 6, default false.
    pub keep_prepared_txn: bool,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(Str::default()),
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
            enable2_pc: false,
            keep_prepared_txn: false,
        }
    }
}

impl Wire for InitProducerIdRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.opt_str(flex, true)?,
            transaction_timeout_ms: r.i32()?,
            producer_id: if v >= 3 { r.i64()? } else { -1 },
            producer_epoch: if v >= 3 { r.i16()? } else { -1 },
            enable2_pc: if v == 6 { r.bool()? } else { false },
            keep_prepared_txn: if v == 6 { r.bool()? } else { false },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.transactional_id.as_ref(), flex, true)?;
        w.i32(self.transaction_timeout_ms);
        if v >= 3 {
            w.i64(self.producer_id);
        } else if self.producer_id != -1 {
            return Err(EncodeError::Absent("InitProducerIdRequest.ProducerId", v));
        }
        if v >= 3 {
            w.i16(self.producer_epoch);
        } else if self.producer_epoch != -1 {
            return Err(EncodeError::Absent(
                "InitProducerIdRequest.ProducerEpoch",
                v,
            ));
        }
        if v == 6 {
            w.bool(self.enable2_pc);
        } else if self.enable2_pc {
            return Err(EncodeError::Absent("InitProducerIdRequest.Enable2Pc", v));
        }
        if v == 6 {
            w.bool(self.keep_prepared_txn);
        } else if self.keep_prepared_txn {
            return Err(EncodeError::Absent(
                "InitProducerIdRequest.KeepPreparedTxn",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for InitProducerIdRequest {
    const NAME: &'static str = "InitProducerIdRequest";
    const VERSIONS: (i16, i16) = (0, 6);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for InitProducerIdRequest {
    const API_KEY: i16 = 22;
    type Response = crate::InitProducerIdResponse;
}
