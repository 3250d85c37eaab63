//! `DescribeClusterRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Wire, Writer};

/// The request of API 60, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeClusterRequest {
    /// Versions 0–2.
    pub include_cluster_authorized_operations: bool,
    /// Versions 1–2, default 1.
    pub endpoint_type: i8,
    /// Versions 2.
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
        }
    }
}

impl Wire for DescribeClusterRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            include_cluster_authorized_operations: r.bool()?,
            endpoint_type: if v >= 1 { r.i8()? } else { 1 },
            include_fenced_brokers: if v == 2 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, _: bool) -> Result<(), EncodeError> {
        w.bool(self.include_cluster_authorized_operations);
        if v >= 1 {
            w.i8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            return Err(EncodeError::Absent(
                "DescribeClusterRequest.EndpointType",
                v,
            ));
        }
        if v == 2 {
            w.bool(self.include_fenced_brokers);
        } else if self.include_fenced_brokers {
            return Err(EncodeError::Absent(
                "DescribeClusterRequest.IncludeFencedBrokers",
                v,
            ));
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeClusterRequest {
    const NAME: &'static str = "DescribeClusterRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeClusterRequest {
    const API_KEY: i16 = 60;
    type Response = crate::DescribeClusterResponse;
}
