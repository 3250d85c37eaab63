//! `DescribeProducersResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 61, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeProducersResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub topics: Vec<TopicResponse>,
}

impl Wire for DescribeProducersResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeProducersResponse {
    const NAME: &'static str = "DescribeProducersResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeProducersResponse {
    const API_KEY: i16 = 61;
}

/// Part of [`DescribeProducersResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicResponse {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub partitions: Vec<PartitionResponse>,
}

impl Wire for TopicResponse {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeProducersResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionResponse {
    /// Versions 0.
    pub partition_index: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub active_producers: Vec<ProducerState>,
}

impl Wire for PartitionResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            active_producers: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.active_producers, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeProducersResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ProducerState {
    /// Versions 0.
    pub producer_id: i64,
    /// Versions 0.
    pub producer_epoch: i32,
    /// Versions 0, default -1.
    pub last_sequence: i32,
    /// Versions 0, default -1.
    pub last_timestamp: i64,
    /// Versions 0.
    pub coordinator_epoch: i32,
    /// Versions 0, default -1.
    pub current_txn_start_offset: i64,
}

impl Default for ProducerState {
    fn default() -> Self {
        Self {
            producer_id: 0,
            producer_epoch: 0,
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: 0,
            current_txn_start_offset: -1,
        }
    }
}

impl Wire for ProducerState {
    const WIRE_BYTES_MIN: usize = 37;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            producer_id: r.i64()?,
            producer_epoch: r.i32()?,
            last_sequence: r.i32()?,
            last_timestamp: r.i64()?,
            coordinator_epoch: r.i32()?,
            current_txn_start_offset: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.i32(self.producer_epoch);
        w.i32(self.last_sequence);
        w.i64(self.last_timestamp);
        w.i32(self.coordinator_epoch);
        w.i64(self.current_txn_start_offset);
        w.uvarint(0);
        Ok(())
    }
}
