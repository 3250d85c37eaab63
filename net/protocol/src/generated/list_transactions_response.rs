//! `ListTransactionsResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 66, versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListTransactionsResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 0–2.
    pub unknown_state_filters: Vec<Str>,
    /// Versions 0–2.
    pub transaction_states: Vec<TransactionState>,
}

impl Wire for ListTransactionsResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            unknown_state_filters: r.array(v, flex)?,
            transaction_states: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.unknown_state_filters, v, flex)?;
        w.array(&self.transaction_states, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ListTransactionsResponse {
    const NAME: &'static str = "ListTransactionsResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ListTransactionsResponse {
    const API_KEY: i16 = 66;
}

/// Part of [`ListTransactionsResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TransactionState {
    /// Versions 0–2.
    pub transactional_id: Str,
    /// Versions 0–2.
    pub producer_id: i64,
    /// Versions 0–2.
    pub transaction_state: Str,
}

impl Wire for TransactionState {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.str(flex)?,
            producer_id: r.i64()?,
            transaction_state: r.str(flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.transactional_id, flex)?;
        w.i64(self.producer_id);
        w.str(&self.transaction_state, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
