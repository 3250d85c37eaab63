//! `ConsumerProtocolSubscription` of Kafka 4.3.1, versions 0–3. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Str, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0–3.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerProtocolSubscription {
    /// Versions 0–3.
    pub topics: Vec<Str>,
    /// Versions 0–3, may be null, default null.
    pub user_data: Option<Bytes>,
    /// Versions 1–3, ignorable.
    pub owned_partitions: Vec<TopicPartition>,
    /// Versions 2–3, default -1, ignorable.
    pub generation_id: i32,
    /// Versions 3, may be null, default null, ignorable.
    pub rack_id: Option<Str>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            user_data: None,
            owned_partitions: Vec::new(),
            generation_id: -1,
            rack_id: None,
        }
    }
}

impl Wire for ConsumerProtocolSubscription {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            topics: r.array(v, flex)?,
            user_data: r.opt_bytes(flex, true)?,
            owned_partitions: if v >= 1 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            generation_id: if v >= 2 { r.i32()? } else { -1 },
            rack_id: if v == 3 { r.opt_str(flex, true)? } else { None },
        })
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.topics, v, flex)?;
        w.opt_bytes(self.user_data.as_ref(), flex, true)?;
        if v >= 1 {
            w.array(&self.owned_partitions, v, flex)?;
        }
        if v >= 2 {
            w.i32(self.generation_id);
        }
        if v == 3 {
            w.opt_str(self.rack_id.as_ref(), flex, true)?;
        }
        Ok(())
    }
}

impl Message for ConsumerProtocolSubscription {
    const NAME: &'static str = "ConsumerProtocolSubscription";
    const VERSIONS: (i16, i16) = (0, 3);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

/// Part of [`ConsumerProtocolSubscription`], versions 1–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicPartition {
    /// Versions 1–3.
    pub topic: Str,
    /// Versions 1–3.
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
