//! `AlterUserScramCredentialsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 51, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterUserScramCredentialsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub results: Vec<AlterUserScramCredentialsResult>,
}

impl Wire for AlterUserScramCredentialsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            results: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AlterUserScramCredentialsResponse {
    const NAME: &'static str = "AlterUserScramCredentialsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AlterUserScramCredentialsResponse {
    const API_KEY: i16 = 51;
}

/// Part of [`AlterUserScramCredentialsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterUserScramCredentialsResult {
    /// Versions 0.
    pub user: Str,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null.
    pub error_message: Option<Str>,
}

impl Default for AlterUserScramCredentialsResult {
    fn default() -> Self {
        Self {
            user: Str::default(),
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for AlterUserScramCredentialsResult {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            user: r.str(flex)?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.user, flex)?;
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
