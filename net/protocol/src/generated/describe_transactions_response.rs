//! `DescribeTransactionsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 65, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeTransactionsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub transaction_states: Vec<TransactionState>,
}

impl Wire for DescribeTransactionsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            transaction_states: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.transaction_states, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTransactionsResponse {
    const NAME: &'static str = "DescribeTransactionsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeTransactionsResponse {
    const API_KEY: i16 = 65;
}

/// Part of [`DescribeTransactionsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TransactionState {
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0.
    pub transactional_id: Str,
    /// Versions 0.
    pub transaction_state: Str,
    /// Versions 0.
    pub transaction_timeout_ms: i32,
    /// Versions 0.
    pub transaction_start_time_ms: i64,
    /// Versions 0.
    pub producer_id: i64,
    /// Versions 0.
    pub producer_epoch: i16,
    /// Versions 0.
    pub topics: Vec<TopicData>,
}

impl Wire for TransactionState {
    const WIRE_BYTES_MIN: usize = 28;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            transactional_id: r.str(flex)?,
            transaction_state: r.str(flex)?,
            transaction_timeout_ms: r.i32()?,
            transaction_start_time_ms: r.i64()?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.str(&self.transactional_id, flex)?;
        w.str(&self.transaction_state, flex)?;
        w.i32(self.transaction_timeout_ms);
        w.i64(self.transaction_start_time_ms);
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTransactionsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 0.
    pub topic: Str,
    /// Versions 0.
    pub partitions: Vec<i32>,
}

impl Wire for TopicData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
