//! `ElectLeadersRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 43, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct ElectLeadersRequest {
    /// Versions 1–2.
    pub election_type: i8,
    /// Versions 0–2, may be null.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// Versions 0–2, default 60000.
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self {
            election_type: 0,
            topic_partitions: Some(Vec::new()),
            timeout_ms: 60000,
        }
    }
}

impl Wire for ElectLeadersRequest {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            election_type: if v >= 1 { r.i8()? } else { 0 },
            topic_partitions: r.opt_array(v, flex, true)?,
            timeout_ms: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            w.i8(self.election_type);
        } else if self.election_type != 0 {
            return Err(EncodeError::Absent("ElectLeadersRequest.ElectionType", v));
        }
        w.opt_array(self.topic_partitions.as_deref(), v, flex, true)?;
        w.i32(self.timeout_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ElectLeadersRequest {
    const NAME: &'static str = "ElectLeadersRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for ElectLeadersRequest {
    const API_KEY: i16 = 43;
    type Response = crate::ElectLeadersResponse;
}

/// Part of [`ElectLeadersRequest`], versions 0–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartitions {
    /// Versions 0–2.
    pub topic: Str,
    /// Versions 0–2.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartitions {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic, flex)?;
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
