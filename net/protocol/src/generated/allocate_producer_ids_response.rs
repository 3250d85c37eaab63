//! `AllocateProducerIdsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Wire, Writer};

/// The response of API 67, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AllocateProducerIdsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0.
    pub producer_id_start: i64,
    /// Versions 0.
    pub producer_id_len: i32,
}

impl Wire for AllocateProducerIdsResponse {
    const WIRE_BYTES_MIN: usize = 19;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            producer_id_start: r.i64()?,
            producer_id_len: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.i64(self.producer_id_start);
        w.i32(self.producer_id_len);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AllocateProducerIdsResponse {
    const NAME: &'static str = "AllocateProducerIdsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AllocateProducerIdsResponse {
    const API_KEY: i16 = 67;
}
