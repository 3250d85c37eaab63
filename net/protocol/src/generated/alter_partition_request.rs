//! `AlterPartitionRequest` of Kafka 4.3.1, versions 2–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Uuid, Wire, Writer};

/// The request of API 56, versions 2–3.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterPartitionRequest {
    /// Versions 2–3.
    pub broker_id: i32,
    /// Versions 2–3, default -1.
    pub broker_epoch: i64,
    /// Versions 2–3.
    pub topics: Vec<TopicData>,
}

impl Default for AlterPartitionRequest {
    fn default() -> Self {
        Self {
            broker_id: 0,
            broker_epoch: -1,
            topics: Vec::new(),
        }
    }
}

impl Wire for AlterPartitionRequest {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AlterPartitionRequest {
    const NAME: &'static str = "AlterPartitionRequest";
    const VERSIONS: (i16, i16) = (2, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for AlterPartitionRequest {
    const API_KEY: i16 = 56;
    type Response = crate::AlterPartitionResponse;
}

/// Part of [`AlterPartitionRequest`], versions 2–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicData {
    /// Versions 2–3, ignorable.
    pub topic_id: Uuid,
    /// Versions 2–3.
    pub partitions: Vec<PartitionData>,
}

impl Wire for TopicData {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: r.uuid()?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionRequest`], versions 2–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionData {
    /// Versions 2–3.
    pub partition_index: i32,
    /// Versions 2–3.
    pub leader_epoch: i32,
    /// Versions 2.
    pub new_isr: Vec<i32>,
    /// Versions 3.
    pub new_isr_with_epochs: Vec<BrokerState>,
    /// Versions 2–3, default 0.
    pub leader_recovery_state: i8,
    /// Versions 2–3.
    pub partition_epoch: i32,
}

impl Wire for PartitionData {
    const WIRE_BYTES_MIN: usize = 15;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            leader_epoch: r.i32()?,
            new_isr: if v == 2 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            new_isr_with_epochs: if v == 3 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            leader_recovery_state: r.i8()?,
            partition_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i32(self.leader_epoch);
        if v == 2 {
            w.array(&self.new_isr, v, flex)?;
        } else if !self.new_isr.is_empty() {
            return Err(EncodeError::Absent("PartitionData.NewIsr", v));
        }
        if v == 3 {
            w.array(&self.new_isr_with_epochs, v, flex)?;
        } else if !self.new_isr_with_epochs.is_empty() {
            return Err(EncodeError::Absent("PartitionData.NewIsrWithEpochs", v));
        }
        w.i8(self.leader_recovery_state);
        w.i32(self.partition_epoch);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionRequest`], versions 3.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerState {
    /// Versions 3.
    pub broker_id: i32,
    /// Versions 3, default -1.
    pub broker_epoch: i64,
}

impl Default for BrokerState {
    fn default() -> Self {
        Self {
            broker_id: 0,
            broker_epoch: -1,
        }
    }
}

impl Wire for BrokerState {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        w.uvarint(0);
        Ok(())
    }
}
