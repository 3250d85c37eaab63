//! `PushTelemetryRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Uuid, Wire, Writer};

/// The request of API 72, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PushTelemetryRequest {
    /// Versions 0.
    pub client_instance_id: Uuid,
    /// Versions 0.
    pub subscription_id: i32,
    /// Versions 0.
    pub terminating: bool,
    /// Versions 0.
    pub compression_type: i8,
    /// Versions 0.
    pub metrics: Bytes,
}

impl Wire for PushTelemetryRequest {
    const WIRE_BYTES_MIN: usize = 24;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            client_instance_id: r.uuid()?,
            subscription_id: r.i32()?,
            terminating: r.bool()?,
            compression_type: r.i8()?,
            metrics: r.bytes(flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.client_instance_id);
        w.i32(self.subscription_id);
        w.bool(self.terminating);
        w.i8(self.compression_type);
        w.bytes(&self.metrics, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for PushTelemetryRequest {
    const NAME: &'static str = "PushTelemetryRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for PushTelemetryRequest {
    const API_KEY: i16 = 72;
    type Response = crate::PushTelemetryResponse;
}
