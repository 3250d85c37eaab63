//! `AlterPartitionReassignmentsResponse` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 45, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterPartitionReassignmentsResponse {
    /// Versions 0–1.
    pub throttle_time_ms: i32,
    /// Versions 1, default true, ignorable.
    pub allow_replication_factor_change: bool,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null.
    pub error_message: Option<Str>,
    /// Versions 0–1.
    pub responses: Vec<ReassignableTopicResponse>,
}

impl Default for AlterPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            allow_replication_factor_change: true,
            error_code: 0,
            error_message: Some(Str::default()),
            responses: Vec::new(),
        }
    }
}

impl Wire for AlterPartitionReassignmentsResponse {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            allow_replication_factor_change: if v == 1 { r.bool()? } else { true },
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            responses: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        if v == 1 {
            w.bool(self.allow_replication_factor_change);
        }
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.array(&self.responses, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AlterPartitionReassignmentsResponse {
    const NAME: &'static str = "AlterPartitionReassignmentsResponse";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AlterPartitionReassignmentsResponse {
    const API_KEY: i16 = 45;
}

/// Part of [`AlterPartitionReassignmentsResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReassignableTopicResponse {
    /// Versions 0–1.
    pub name: Str,
    /// Versions 0–1.
    pub partitions: Vec<ReassignablePartitionResponse>,
}

impl Wire for ReassignableTopicResponse {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionReassignmentsResponse`], versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct ReassignablePartitionResponse {
    /// Versions 0–1.
    pub partition_index: i32,
    /// Versions 0–1.
    pub error_code: i16,
    /// Versions 0–1, may be null.
    pub error_message: Option<Str>,
}

impl Default for ReassignablePartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for ReassignablePartitionResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}
