//! `ReadShareGroupStateSummaryResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 87, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadShareGroupStateSummaryResponse {
    /// Versions 0–1.
    pub results: Vec<ReadStateSummaryResult>,
}

impl Wire for ReadShareGroupStateSummaryResponse {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            results: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.results, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ReadShareGroupStateSummaryResponse {
    const NAME: &'static str = "ReadShareGroupStateSummaryResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ReadShareGroupStateSummaryResponse {
    const API_KEY: i16 = 87;
}

/// Part of [`ReadShareGroupStateSummaryResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadStateSummaryResult {
    /// Versions 0–1.
    pub topic_id: Uuid,
    /// Versions 0–1.
    pub partitions: Vec<PartitionResult>,
}

impl Wire for ReadStateSummaryResult {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: r.uuid()?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ReadShareGroupStateSummaryResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionResult {
    /// Versions 0–1.
    pub partition: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0–1.
    pub state_epoch: i32,
    /// Versions 0–1.
    pub leader_epoch: i32,
    /// Versions 0–1.
    pub start_offset: i64,
    /// Versions 1, default -1, ignorable.
    pub delivery_complete_count: i32,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition: 0,
            error_code: 0,
            error_message: None,
            state_epoch: 0,
            leader_epoch: 0,
            start_offset: 0,
            delivery_complete_count: -1,
        }
    }
}

impl Wire for PartitionResult {
    const WIRE_BYTES_MIN: usize = 24;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            state_epoch: r.i32()?,
            leader_epoch: r.i32()?,
            start_offset: r.i64()?,
            delivery_complete_count: if v == 1 { r.i32()? } else { -1 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.i32(self.state_epoch);
        w.i32(self.leader_epoch);
        w.i64(self.start_offset);
        if v == 1 {
            w.i32(self.delivery_complete_count);
        }
        w.uvarint(0);
        Ok(())
    }
}
