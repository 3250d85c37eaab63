//! `ReadShareGroupStateResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 84, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadShareGroupStateResponse {
    /// Versions 0.
    pub results: Vec<ReadStateResult>,
}

impl Wire for ReadShareGroupStateResponse {
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

impl Message for ReadShareGroupStateResponse {
    const NAME: &'static str = "ReadShareGroupStateResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ReadShareGroupStateResponse {
    const API_KEY: i16 = 84;
}

/// Part of [`ReadShareGroupStateResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadStateResult {
    /// Versions 0.
    pub topic_id: Uuid,
    /// Versions 0.
    pub partitions: Vec<PartitionResult>,
}

impl Wire for ReadStateResult {
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

/// Part of [`ReadShareGroupStateResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionResult {
    /// Versions 0.
    pub partition: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub state_epoch: i32,
    /// Versions 0.
    pub start_offset: i64,
    /// Versions 0.
    pub state_batches: Vec<StateBatch>,
}

impl Wire for PartitionResult {
    const WIRE_BYTES_MIN: usize = 21;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            state_epoch: r.i32()?,
            start_offset: r.i64()?,
            state_batches: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.i32(self.state_epoch);
        w.i64(self.start_offset);
        w.array(&self.state_batches, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ReadShareGroupStateResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StateBatch {
    /// Versions 0.
    pub first_offset: i64,
    /// Versions 0.
    pub last_offset: i64,
    /// Versions 0.
    pub delivery_state: i8,
    /// Versions 0.
    pub delivery_count: i16,
}

impl Wire for StateBatch {
    const WIRE_BYTES_MIN: usize = 20;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            first_offset: r.i64()?,
            last_offset: r.i64()?,
            delivery_state: r.i8()?,
            delivery_count: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i64(self.first_offset);
        w.i64(self.last_offset);
        w.i8(self.delivery_state);
        w.i16(self.delivery_count);
        w.uvarint(0);
        Ok(())
    }
}
