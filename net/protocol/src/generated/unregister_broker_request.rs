//! `UnregisterBrokerRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Wire, Writer};

/// The request of API 64, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnregisterBrokerRequest {
    /// Versions 0.
    pub broker_id: i32,
}

impl Wire for UnregisterBrokerRequest {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_id: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for UnregisterBrokerRequest {
    const NAME: &'static str = "UnregisterBrokerRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for UnregisterBrokerRequest {
    const API_KEY: i16 = 64;
    type Response = crate::UnregisterBrokerResponse;
}
