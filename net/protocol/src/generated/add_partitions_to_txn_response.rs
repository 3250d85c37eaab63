//! `AddPartitionsToTxnResponse` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 24, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnResponse {
    /// Versions 0–5.
    pub throttle_time_ms: i32,
    /// Versions 4–5, ignorable.
    pub error_code: i16,
    /// Versions 4–5.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// Versions 0–3.
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Wire for AddPartitionsToTxnResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: if v >= 4 { r.i16()? } else { 0 },
            results_by_transaction: if v >= 4 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            results_by_topic_v3_and_below: if v <= 3 {
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
        w.i32(self.throttle_time_ms);
        if v >= 4 {
            w.error_code(self.error_code);
        }
        if v >= 4 {
            w.array(&self.results_by_transaction, v, flex)?;
        } else if !self.results_by_transaction.is_empty() {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnResponse.ResultsByTransaction",
                v,
            ));
        }
        if v <= 3 {
            w.array(&self.results_by_topic_v3_and_below, v, flex)?;
        } else if !self.results_by_topic_v3_and_below.is_empty() {
            return Err(EncodeError::Absent(
                "AddPartitionsToTxnResponse.ResultsByTopicV3AndBelow",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AddPartitionsToTxnResponse {
    const NAME: &'static str = "AddPartitionsToTxnResponse";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for AddPartitionsToTxnResponse {
    const API_KEY: i16 = 24;
}

/// Part of [`AddPartitionsToTxnResponse`], versions 4–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnResult {
    /// Versions 4–5.
    pub transactional_id: Str,
    /// Versions 4–5.
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Wire for AddPartitionsToTxnResult {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.str(flex)?,
            topic_results: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.transactional_id, flex)?;
        w.array(&self.topic_results, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnTopicResult {
    /// Versions 0–5.
    pub name: Str,
    /// Versions 0–5.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Wire for AddPartitionsToTxnTopicResult {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            results_by_partition: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.results_by_partition, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddPartitionsToTxnPartitionResult {
    /// Versions 0–5.
    pub partition_index: i32,
    /// Versions 0–5.
    pub partition_error_code: i16,
}

impl Wire for AddPartitionsToTxnPartitionResult {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            partition_error_code: r.i16()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.partition_error_code);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
