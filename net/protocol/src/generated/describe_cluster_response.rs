//! `DescribeClusterResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 60, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeClusterResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 0–2, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 1–2, default 1.
    pub endpoint_type: i8,
    /// Versions 0–2.
    pub cluster_id: Str,
    /// Versions 0–2, default -1.
    pub controller_id: i32,
    /// Versions 0–2.
    pub brokers: Vec<DescribeClusterBroker>,
    /// Versions 0–2, default -2147483648.
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: Str::default(),
            controller_id: -1,
            brokers: Vec::new(),
            cluster_authorized_operations: -2147483648,
        }
    }
}

impl Wire for DescribeClusterResponse {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            endpoint_type: if v >= 1 { r.i8()? } else { 1 },
            cluster_id: r.str(flex)?,
            controller_id: r.i32()?,
            brokers: r.array(v, flex)?,
            cluster_authorized_operations: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if v >= 1 {
            w.i8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            return Err(EncodeError::Absent(
                "DescribeClusterResponse.EndpointType",
                v,
            ));
        }
        w.str(&self.cluster_id, flex)?;
        w.i32(self.controller_id);
        w.array(&self.brokers, v, flex)?;
        w.i32(self.cluster_authorized_operations);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeClusterResponse {
    const NAME: &'static str = "DescribeClusterResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeClusterResponse {
    const API_KEY: i16 = 60;
}

/// Part of [`DescribeClusterResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeClusterBroker {
    /// Versions 0–2.
    pub broker_id: i32,
    /// Versions 0–2.
    pub host: Str,
    /// Versions 0–2.
    pub port: i32,
    /// Versions 0–2, may be null, default null.
    pub rack: Option<Str>,
    /// Versions 2.
    pub is_fenced: bool,
}

impl Wire for DescribeClusterBroker {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_id: r.i32()?,
            host: r.str(flex)?,
            port: r.i32()?,
            rack: r.opt_str(flex, true)?,
            is_fenced: if v == 2 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.str(&self.host, flex)?;
        w.i32(self.port);
        w.opt_str(self.rack.as_ref(), flex, true)?;
        if v == 2 {
            w.bool(self.is_fenced);
        } else if self.is_fenced {
            return Err(EncodeError::Absent("DescribeClusterBroker.IsFenced", v));
        }
        w.uvarint(0);
        Ok(())
    }
}
