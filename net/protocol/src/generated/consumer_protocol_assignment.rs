//! `ConsumerProtocolAssignment` of Kafka 4.3.1, versions 0–3. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Str, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConsumerProtocolAssignment {
    /// Versions 0–3.
    pub assigned_partitions: Vec<TopicPartition>,
    /// Versions 0–3, may be null, default null.
    pub user_data: Option<Bytes>,
}

impl Wire for ConsumerProtocolAssignment {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            assigned_partitions: r.array(v, flex)?,
            user_data: r.opt_bytes(flex, true)?,
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.assigned_partitions, v, flex)?;
        w.opt_bytes(self.user_data.as_ref(), flex, true)?;
        Ok(())
    }
}

impl Message for ConsumerProtocolAssignment {
    const NAME: &'static str = "ConsumerProtocolAssignment";
    const VERSIONS: (i16, i16) = (0, 3);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

/// Part of [`ConsumerProtocolAssignment`], versions 0–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartition {
    /// Versions 0–3.
    pub topic: Str,
    /// Versions 0–3.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartition {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: r.str(flex)?,
            partitions: r.array(v, flex)?,
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic, flex)?;
        w.array(&self.partitions, v, flex)?;
        Ok(())
    }
}
