//! `DescribeUserScramCredentialsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 50, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeUserScramCredentialsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub results: Vec<DescribeUserScramCredentialsResult>,
}

impl Default for DescribeUserScramCredentialsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            results: Vec::new(),
        }
    }
}

impl Wire for DescribeUserScramCredentialsResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            results: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.results, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeUserScramCredentialsResponse {
    const NAME: &'static str = "DescribeUserScramCredentialsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeUserScramCredentialsResponse {
    const API_KEY: i16 = 50;
}

/// Part of [`DescribeUserScramCredentialsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeUserScramCredentialsResult {
    /// Versions 0.
    pub user: Str,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, may be null.
    pub error_message: Option<Str>,
    /// Versions 0.
    pub credential_infos: Vec<CredentialInfo>,
}

impl Default for DescribeUserScramCredentialsResult {
    fn default() -> Self {
        Self {
            user: Str::default(),
            error_code: 0,
            error_message: Some(Str::default()),
            credential_infos: Vec::new(),
        }
    }
}

impl Wire for DescribeUserScramCredentialsResult {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            user: r.str(flex)?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            credential_infos: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.user, flex)?;
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.credential_infos, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeUserScramCredentialsResponse`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CredentialInfo {
    /// Versions 0.
    pub mechanism: i8,
    /// Versions 0.
    pub iterations: i32,
}

impl Wire for CredentialInfo {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            mechanism: r.i8()?,
            iterations: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i8(self.mechanism);
        w.i32(self.iterations);
        w.uvarint(0);
        Ok(())
    }
}
