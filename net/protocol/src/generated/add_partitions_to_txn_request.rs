//! `AddPartitionsToTxnRequest` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 24, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnRequest {
    /// Versions 4–5.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// Versions 0–3.
    pub v3_and_below_transactional_id: Str,
    /// Versions 0–3.
    pub v3_and_below_producer_id: i64,
    /// Versions 0–3.
    pub v3_and_below_producer_epoch: i16,
    /// Versions 0–3.
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Wire for AddPartitionsToTxnRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactions: if v >= 4 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            v3_and_below_transactional_id: if v <= 3 { r.str(flex)? } else { Str::default() },
            v3_and_below_producer_id: if v <= 3 { r.i64()? } else { 0 },
            v3_and_below_producer_epoch: if v <= 3 { r.i16()? } else { 0 },
            v3_and_below_topics: if v <= 3 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 4 {
            w.array(&self.transactions, v, flex)?;
        } else if !self.transactions.is_empty() {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnRequest.Transactions",
                v,
            ));
        }
        if v <= 3 {
            w.str(&self.v3_and_below_transactional_id, flex)?;
        } else if !self.v3_and_below_transactional_id.is_empty() {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnRequest.V3AndBelowTransactionalId",
                v,
            ));
        }
        if v <= 3 {
            w.i64(self.v3_and_below_producer_id);
        } else if self.v3_and_below_producer_id != 0 {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnRequest.V3AndBelowProducerId",
                v,
            ));
        }
        if v <= 3 {
            w.i16(self.v3_and_below_producer_epoch);
        } else if self.v3_and_below_producer_epoch != 0 {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnRequest.V3AndBelowProducerEpoch",
                v,
            ));
        }
        if v <= 3 {
            w.array(&self.v3_and_below_topics, v, flex)?;
        } else if !self.v3_and_below_topics.is_empty() {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnRequest.V3AndBelowTopics",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AddPartitionsToTxnRequest {
    const NAME: &'static str = "AddPartitionsToTxnRequest";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for AddPartitionsToTxnRequest {
    const API_KEY: i16 = 24;
    type Response = crate::AddPartitionsToTxnResponse;
}

/// Part of [`AddPartitionsToTxnRequest`], versions 4–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnTransaction {
    /// Versions 4–5.
    pub transactional_id: Str,
    /// Versions 4–5.
    pub producer_id: i64,
    /// Versions 4–5.
    pub producer_epoch: i16,
    /// Versions 4–5, default false.
    pub verify_only: bool,
    /// Versions 4–5.
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Wire for AddPartitionsToTxnTransaction {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.str(flex)?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            verify_only: r.bool()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.transactional_id, flex)?;
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.bool(self.verify_only);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnRequest`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnTopic {
    /// Versions 0–5.
    pub name: Str,
    /// Versions 0–5.
    pub partitions: Vec<i32>,
}

impl Wire for AddPartitionsToTxnTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
