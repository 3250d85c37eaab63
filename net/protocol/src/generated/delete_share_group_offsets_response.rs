//! `DeleteShareGroupOffsetsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 92, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteShareGroupOffsetsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub responses: Vec<DeleteShareGroupOffsetsResponseTopic>,
}

impl Wire for DeleteShareGroupOffsetsResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            responses: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.responses, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DeleteShareGroupOffsetsResponse {
    const NAME: &'static str = "DeleteShareGroupOffsetsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DeleteShareGroupOffsetsResponse {
    const API_KEY: i16 = 92;
}

/// Part of [`DeleteShareGroupOffsetsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteShareGroupOffsetsResponseTopic {
    /// Versions 0.
    pub topic_name: Str,
    /// Versions 0.
    pub topic_id: Uuid,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null, default null.
    pub error_message: Option<Str>,
}

impl Wire for DeleteShareGroupOffsetsResponseTopic {
    const WIRE_BYTES_MIN: usize = 21;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            topic_id: r.uuid()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.uuid(self.topic_id);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
