//! `EnvelopeRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Wire, Writer};

/// The request of API 58, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvelopeRequest {
    /// Versions 0.
    pub request_data: Bytes,
    /// Versions 0, may be null.
    pub request_principal: Option<Bytes>,
    /// Versions 0.
    pub client_host_address: Bytes,
}

impl Default for EnvelopeRequest {
    fn default() -> Self {
        Self {
            request_data: Bytes::default(),
            request_principal: Some(Bytes::default()),
            client_host_address: Bytes::default(),
        }
    }
}

impl Wire for EnvelopeRequest {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            request_data: r.bytes(flex)?,
            request_principal: r.opt_bytes(flex, true)?,
            client_host_address: r.bytes(flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.bytes(&self.request_data, flex)?;
        w.opt_bytes(self.request_principal.as_ref(), flex, true)?;
        w.bytes(&self.client_host_address, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for EnvelopeRequest {
    const NAME: &'static str = "EnvelopeRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for EnvelopeRequest {
    const API_KEY: i16 = 58;
    type Response = crate::EnvelopeResponse;
}
