//! `ShareFetchRequest` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 78, versions 1–2.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareFetchRequest {
    /// Versions 1–2, may be null, default null.
    pub group_id: Option<Str>,
    /// Versions 1–2, may be null.
    pub member_id: Option<Str>,
    /// Versions 1–2.
    pub share_session_epoch: i32,
    /// Versions 1–2.
    pub max_wait_ms: i32,
    /// Versions 1–2.
    pub min_bytes: i32,
    /// Versions 1–2, default 0x7fffffff.
    pub max_bytes: i32,
    /// Versions 1–2.
    pub max_records: i32,
    /// Versions 1–2.
    pub batch_size: i32,
    /// Versions 2, default 0, ignorable.
    pub share_acquire_mode: i8,
    /// Versions 2, default false.
    pub is_renew_ack: bool,
    /// Versions 1–2.
    pub topics: Vec<FetchTopic>,
    /// Versions 1–2.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
}

impl Default for ShareFetchRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: Some(Str::default()),
            share_session_epoch: 0,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 2147483647,
            max_records: 0,
            batch_size: 0,
            share_acquire_mode: 0,
            is_renew_ack: false,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
        }
    }
}

impl Wire for ShareFetchRequest {
    const WIRE_BYTES_MIN: usize = 29;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.opt_str(flex, true)?,
            member_id: r.opt_str(flex, true)?,
            share_session_epoch: r.i32()?,
            max_wait_ms: r.i32()?,
            min_bytes: r.i32()?,
            max_bytes: r.i32()?,
            max_records: r.i32()?,
            batch_size: r.i32()?,
            share_acquire_mode: if v == 2 { r.i8()? } else { 0 },
            is_renew_ack: if v == 2 { r.bool()? } else { false },
            topics: r.array(v, flex)?,
            forgotten_topics_data: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.group_id.as_ref(), flex, true)?;
        w.opt_str(self.member_id.as_ref(), flex, true)?;
        w.i32(self.share_session_epoch);
        w.i32(self.max_wait_ms);
        w.i32(self.min_bytes);
        w.i32(self.max_bytes);
        w.i32(self.max_records);
        w.i32(self.batch_size);
        if v == 2 {
            w.i8(self.share_acquire_mode);
        }
        if v == 2 {
            w.bool(self.is_renew_ack);
        } else if self.is_renew_ack {
            return Err(EncodeError::Absent("ShareFetchRequest.IsRenewAck", v));
        }
        w.array(&self.topics, v, flex)?;
        w.array(&self.forgotten_topics_data, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ShareFetchRequest {
    const NAME: &'static str = "ShareFetchRequest";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for ShareFetchRequest {
    const API_KEY: i16 = 78;
    type Response = crate::ShareFetchResponse;
}

/// Part of [`ShareFetchRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchTopic {
    /// Versions 1–2.
    pub topic_id: Uuid,
    /// Versions 1–2.
    pub partitions: Vec<FetchPartition>,
}

impl Wire for FetchTopic {
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

/// Part of [`ShareFetchRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchPartition {
    /// Versions 1–2.
    pub partition_index: i32,
    /// Versions 1–2.
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl Wire for FetchPartition {
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

/// Part of [`ShareFetchRequest`], versions 1–2.
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

/// Part of [`ShareFetchRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForgottenTopic {
    /// Versions 1–2.
    pub topic_id: Uuid,
    /// Versions 1–2.
    pub partitions: Vec<i32>,
}

impl Wire for ForgottenTopic {
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
