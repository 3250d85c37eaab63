//! `CreateDelegationTokenResponse` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 38, versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateDelegationTokenResponse {
    /// Versions 1–3.
    pub error_code: i16,
    /// Versions 1–3.
    pub principal_type: Str,
    /// Versions 1–3.
    pub principal_name: Str,
    /// Versions 3.
    pub token_requester_principal_type: Str,
    /// Versions 3.
    pub token_requester_principal_name: Str,
    /// Versions 1–3.
    pub issue_timestamp_ms: i64,
    /// Versions 1–3.
    pub expiry_timestamp_ms: i64,
    /// Versions 1–3.
    pub max_timestamp_ms: i64,
    /// Versions 1–3.
    pub token_id: Str,
    /// Versions 1–3.
    pub hmac: Bytes,
    /// Versions 1–3.
    pub throttle_time_ms: i32,
}

impl Wire for CreateDelegationTokenResponse {
    const WIRE_BYTES_MIN: usize = 35;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            principal_type: r.str(flex)?,
            principal_name: r.str(flex)?,
            token_requester_principal_type: if v == 3 { r.str(flex)? } else { Str::default() },
            token_requester_principal_name: if v == 3 { r.str(flex)? } else { Str::default() },
            issue_timestamp_ms: r.i64()?,
            expiry_timestamp_ms: r.i64()?,
            max_timestamp_ms: r.i64()?,
            token_id: r.str(flex)?,
            hmac: r.bytes(flex)?,
            throttle_time_ms: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.str(&self.principal_type, flex)?;
        w.str(&self.principal_name, flex)?;
        if v == 3 {
            w.str(&self.token_requester_principal_type, flex)?;
        } else if !self.token_requester_principal_type.is_empty() {
            return Err(EncodeError::Absent(
                "CreateDelegationTokenResponse.TokenRequesterPrincipalType",
                v,
            ));
        }
        if v == 3 {
            w.str(&self.token_requester_principal_name, flex)?;
        } else if !self.token_requester_principal_name.is_empty() {
            return Err(EncodeError::Absent(
                "CreateDelegationTokenResponse.TokenRequesterPrincipalName",
                v,
            ));
        }
        w.i64(self.issue_timestamp_ms);
        w.i64(self.expiry_timestamp_ms);
        w.i64(self.max_timestamp_ms);
        w.str(&self.token_id, flex)?;
        w.bytes(&self.hmac, flex)?;
        w.i32(self.throttle_time_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenResponse {
    const NAME: &'static str = "CreateDelegationTokenResponse";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for CreateDelegationTokenResponse {
    const API_KEY: i16 = 38;
}
