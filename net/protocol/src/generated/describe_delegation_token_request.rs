//! `DescribeDelegationTokenRequest` of Kafka 4.3.1, versions 1–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 41, versions 1–3.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeDelegationTokenRequest {
    /// Versions 1–3, may be null.
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
}

impl Default for DescribeDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owners: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeDelegationTokenRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            owners: r.opt_array(v, flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_array(self.owners.as_deref(), v, flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeDelegationTokenRequest {
    const NAME: &'static str = "DescribeDelegationTokenRequest";
    const VERSIONS: (i16, i16) = (1, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DescribeDelegationTokenRequest {
    const API_KEY: i16 = 41;
    type Response = crate::DescribeDelegationTokenResponse;
}

/// Part of [`DescribeDelegationTokenRequest`], versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeDelegationTokenOwner {
    /// Versions 1–3.
    pub principal_type: Str,
    /// Versions 1–3.
    pub principal_name: Str,
}

impl Wire for DescribeDelegationTokenOwner {
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
