//! `ApiVersionsRequest` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 18, versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiVersionsRequest {
    /// Versions 3–4, ignorable.
    pub client_software_name: Str,
    /// Versions 3–4, ignorable.
    pub client_software_version: Str,
}

impl Wire for ApiVersionsRequest {
    const WIRE_BYTES_MIN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            client_software_name: if v >= 3 { r.str(flex)? } else { Str::default() },
            client_software_version: if v >= 3 { r.str(flex)? } else { Str::default() },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            w.str(&self.client_software_name, flex)?;
        }
        if v >= 3 {
            w.str(&self.client_software_version, flex)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ApiVersionsRequest {
    const NAME: &'static str = "ApiVersionsRequest";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for ApiVersionsRequest {
    const API_KEY: i16 = 18;
    type Response = crate::ApiVersionsResponse;
}
