//! `ShareAcknowledgeRequest` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 79, versions 1–2.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareAcknowledgeRequest {
    /// Versions 1–2, may be null, default null.
    pub group_id: Option<Str>,
    /// Versions 1–2, may be null.
    pub member_id: Option<Str>,
    /// Versions 1–2.
    pub share_session_epoch: i32,
    /// Versions 2, default false.
    pub is_renew_ack: bool,
    /// Versions 1–2.
    pub topics: Vec<AcknowledgeTopic>,
}

impl Default for ShareAcknowledgeRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: Some(Str::default()),
            share_session_epoch: 0,
            is_renew_ack: false,
            topics: Vec::new(),
        }
    }
}

impl Wire for ShareAcknowledgeRequest {
    const WIRE_BYTES_MIN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.opt_str(flex, true)?,
            member_id: r.opt_str(flex, true)?,
            share_session_epoch: r.i32()?,
            is_renew_ack: if v == 2 { r.bool()? } else { false },
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.group_id.as_ref(), flex, true)?;
        w.opt_str(self.member_id.as_ref(), flex, true)?;
        w.i32(self.share_session_epoch);
        if v == 2 {
            w.bool(self.is_renew_ack);
        } else if self.is_renew_ack {
            return Err(EncodeError::Absent("ShareAcknowledgeRequest.IsRenewAck", v));
        }
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ShareAcknowledgeRequest {
    const NAME: &'static str = "ShareAcknowledgeRequest";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for ShareAcknowledgeRequest {
    const API_KEY: i16 = 79;
    type Response = crate::ShareAcknowledgeResponse;
}

/// Part of [`ShareAcknowledgeRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AcknowledgeTopic {
    /// Versions 1–2.
    pub topic_id: Uuid,
    /// Versions 1–2.
    pub partitions: Vec<AcknowledgePartition>,
}

impl Wire for AcknowledgeTopic {
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

/// Part of [`ShareAcknowledgeRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AcknowledgePartition {
    /// Versions 1–2.
    pub partition_index: i32,
    /// Versions 1–2.
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl Wire for AcknowledgePartition {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            acknowledgement_batches: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.array(&self.acknowledgement_batches, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AcknowledgementBatch {
    /// Versions 1–2.
    pub first_offset: i64,
    /// Versions 1–2.
    pub last_offset: i64,
    /// Versions 1–2.
    pub acknowledge_types: Vec<i8>,
}

impl Wire for AcknowledgementBatch {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            first_offset: r.i64()?,
            last_offset: r.i64()?,
            acknowledge_types: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i64(self.first_offset);
        w.i64(self.last_offset);
        w.array(&self.acknowledge_types, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
