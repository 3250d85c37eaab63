//! `GetTelemetrySubscriptionsResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 71, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GetTelemetrySubscriptionsResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0.
    pub client_instance_id: Uuid,
    /// Versions 0.
    pub subscription_id: i32,
    /// Versions 0.
    pub accepted_compression_types: Vec<i8>,
    /// Versions 0.
    pub push_interval_ms: i32,
    /// Versions 0.
    pub telemetry_max_bytes: i32,
    /// Versions 0.
    pub delta_temporality: bool,
    /// Versions 0.
    pub requested_metrics: Vec<Str>,
}

impl Wire for GetTelemetrySubscriptionsResponse {
    const WIRE_BYTES_MIN: usize = 38;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            client_instance_id: r.uuid()?,
            subscription_id: r.i32()?,
            accepted_compression_types: r.array(v, flex)?,
            push_interval_ms: r.i32()?,
            telemetry_max_bytes: r.i32()?,
            delta_temporality: r.bool()?,
            requested_metrics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.uuid(self.client_instance_id);
        w.i32(self.subscription_id);
        w.array(&self.accepted_compression_types, v, flex)?;
        w.i32(self.push_interval_ms);
        w.i32(self.telemetry_max_bytes);
        w.bool(self.delta_temporality);
        w.array(&self.requested_metrics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsResponse {
    const NAME: &'static str = "GetTelemetrySubscriptionsResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for GetTelemetrySubscriptionsResponse {
    const API_KEY: i16 = 71;
}
