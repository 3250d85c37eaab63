//! `GetTelemetrySubscriptionsRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Uuid, Wire, Writer};

/// The request of API 71, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GetTelemetrySubscriptionsRequest {
    /// Versions 0.
    pub client_instance_id: Uuid,
}

impl Wire for GetTelemetrySubscriptionsRequest {
    const WIRE_BYTES_MIN: usize = 17;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            client_instance_id: r.uuid()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.uuid(self.client_instance_id);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsRequest {
    const NAME: &'static str = "GetTelemetrySubscriptionsRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for GetTelemetrySubscriptionsRequest {
    const API_KEY: i16 = 71;
    type Response = crate::GetTelemetrySubscriptionsResponse;
}
