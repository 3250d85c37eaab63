//! `RequestHeader` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Str, Wire, Writer};

/// A header, versions 1–2.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestHeader {
    /// Versions 1–2.
    pub request_api_key: i16,
    /// Versions 1–2.
    pub request_api_version: i16,
    /// Versions 1–2.
    pub correlation_id: i32,
    /// Versions 1–2, may be null.
    pub client_id: Option<Str>,
}

impl Default for RequestHeader {
    fn default() -> Self {
        Self {
            request_api_key: 0,
            request_api_version: 0,
            correlation_id: 0,
            client_id: Some(Str::default()),
        }
    }
}

impl Wire for RequestHeader {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            request_api_key: r.i16()?,
            request_api_version: r.i16()?,
            correlation_id: r.i32()?,
            client_id: r.opt_str(false, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i16(self.request_api_key);
        w.i16(self.request_api_version);
        w.i32(self.correlation_id);
        w.opt_str(self.client_id.as_ref(), false, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for RequestHeader {
    const NAME: &'static str = "RequestHeader";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 2;
}
