//! `CreateDelegationTokenRequest` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 38, versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateDelegationTokenRequest {
    /// Versions 3, may be null.
    pub owner_principal_type: Option<Str>,
    /// Versions 3, may be null.
    pub owner_principal_name: Option<Str>,
    /// Versions 1–3.
    pub renewers: Vec<CreatableRenewers>,
    /// Versions 1–3.
    pub max_lifetime_ms: i64,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owner_principal_type: Some(Str::default()),
            owner_principal_name: Some(Str::default()),
            renewers: Vec::new(),
            max_lifetime_ms: 0,
        }
    }
}

impl Wire for CreateDelegationTokenRequest {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            owner_principal_type: if v == 3 {
                r.opt_str(flex, true)?
            } else {
                Some(Str::default())
            },
            owner_principal_name: if v == 3 {
                r.opt_str(flex, true)?
            } else {
                Some(Str::default())
            },
            renewers: r.array(v, flex)?,
            max_lifetime_ms: r.i64()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v == 3 {
            w.opt_str(self.owner_principal_type.as_ref(), flex, true)?;
        } else if self.owner_principal_type != Some(Str::default()) {
            return Err(EncodeError::Absent(
                "CreateDelegationTokenRequest.OwnerPrincipalType",
                v,
            ));
        }
        if v == 3 {
            w.opt_str(self.owner_principal_name.as_ref(), flex, true)?;
        } else if self.owner_principal_name != Some(Str::default()) {
            return Err(EncodeError::Absent(
                "CreateDelegationTokenRequest.OwnerPrincipalName",
                v,
            ));
        }
        w.array(&self.renewers, v, flex)?;
        w.i64(self.max_lifetime_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenRequest {
    const NAME: &'static str = "CreateDelegationTokenRequest";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreateDelegationTokenRequest {
    const API_KEY: i16 = 38;
    type Response = crate::CreateDelegationTokenResponse;
}

/// Part of [`CreateDelegationTokenRequest`], versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatableRenewers {
    /// Versions 1–3.
    pub principal_type: Str,
    /// Versions 1–3.
    pub principal_name: Str,
}

impl Wire for CreatableRenewers {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            principal_type: r.str(flex)?,
            principal_name: r.str(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.principal_type, flex)?;
        w.str(&self.principal_name, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
