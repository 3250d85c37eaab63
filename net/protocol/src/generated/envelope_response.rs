//! `EnvelopeResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 58, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EnvelopeResponse {
    /// Versions 0, may be null, default null.
    pub response_data: Option<Bytes>,
    /// Versions 0.
    pub error_code: i16,
}

impl Wire for EnvelopeResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            response_data: r.opt_bytes(flex, true)?,
            error_code: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_bytes(self.response_data.as_ref(), flex, true)?;
        w.error_code(self.error_code);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for EnvelopeResponse {
    const NAME: &'static str = "EnvelopeResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for EnvelopeResponse {
    const API_KEY: i16 = 58;
}
