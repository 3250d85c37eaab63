//! `ElectLeadersResponse` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 43, versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ElectLeadersResponse {
    /// Versions 0–2.
    pub throttle_time_ms: i32,
    /// Versions 1–2.
    pub error_code: i16,
    /// Versions 0–2.
    pub replica_election_results: Vec<ReplicaElectionResult>,
}

impl Wire for ElectLeadersResponse {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: if v >= 1 { r.i16()? } else { 0 },
            replica_election_results: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        if v >= 1 {
            w.error_code(self.error_code);
        } else if self.error_code != 0 {
            return Err(EncodeError::Absent("ElectLeadersResponse.ErrorCode", v));
        }
        w.array(&self.replica_election_results, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ElectLeadersResponse {
    const NAME: &'static str = "ElectLeadersResponse";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for ElectLeadersResponse {
    const API_KEY: i16 = 43;
}

/// Part of [`ElectLeadersResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplicaElectionResult {
    /// Versions 0–2.
    pub topic: Str,
    /// Versions 0–2.
    pub partition_result: Vec<PartitionResult>,
}

impl Wire for ReplicaElectionResult {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: r.str(flex)?,
            partition_result: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic, flex)?;
        w.array(&self.partition_result, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ElectLeadersResponse`], versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionResult {
    /// Versions 0–2.
    pub partition_id: i32,
    /// Versions 0–2.
    pub error_code: i16,
    /// Versions 0–2, may be null.
    pub error_message: Option<Str>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition_id: 0,
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Wire for PartitionResult {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_id: r.i32()?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_id);
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
