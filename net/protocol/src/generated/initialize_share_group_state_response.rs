//! `InitializeShareGroupStateResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 83, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InitializeShareGroupStateResponse {
    /// Versions 0.
    pub results: Vec<InitializeStateResult>,
}

impl Wire for InitializeShareGroupStateResponse {
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

impl Message for InitializeShareGroupStateResponse {
    const NAME: &'static str = "InitializeShareGroupStateResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for InitializeShareGroupStateResponse {
    const API_KEY: i16 = 83;
}

/// Part of [`InitializeShareGroupStateResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InitializeStateResult {
    /// Versions 0.
    pub topic_id: Uuid,
    /// Versions 0.
    pub partitions: Vec<PartitionResult>,
}

impl Wire for InitializeStateResult {
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

/// Part of [`InitializeShareGroupStateResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionResult {
    /// Versions 0.
    pub partition: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
}

impl Wire for PartitionResult {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
