//! `AddRaftVoterResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 80, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct AddRaftVoterResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null, ignorable.
    pub error_message: Option<Str>,
}

impl Default for AddRaftVoterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for AddRaftVoterResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AddRaftVoterResponse {
    const NAME: &'static str = "AddRaftVoterResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AddRaftVoterResponse {
    const API_KEY: i16 = 80;
}
