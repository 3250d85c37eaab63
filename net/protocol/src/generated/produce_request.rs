//! `ProduceRequest` of Kafka 4.3.1, versions 3–13. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Records, Request, Str, Uuid, Wire, Writer};

/// The request of API 0, versions 3–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProduceRequest {
    /// Versions 3–13, may be null, default null.
    pub transactional_id: Option<Str>,
    /// Versions 3–13.
    pub acks: i16,
    /// Versions 3–13.
    pub timeout_ms: i32,
    /// Versions 3–13.
    pub topic_data: Vec<TopicProduceData>,
}

impl Wire for ProduceRequest {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.opt_str(flex, true)?,
            acks: r.i16()?,
            timeout_ms: r.i32()?,
            topic_data: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.transactional_id.as_ref(), flex, true)?;
        w.i16(self.acks);
        w.i32(self.timeout_ms);
        w.array(&self.topic_data, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ProduceRequest {
    const NAME: &'static str = "ProduceRequest";
    const VERSIONS: (i16, i16) = (3, 13);
    const FLEXIBLE_FROM: i16 = 9;
}

impl Request for ProduceRequest {
    const API_KEY: i16 = 0;
    type Response = crate::ProduceResponse;
}

/// Part of [`ProduceRequest`], versions 3–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicProduceData {
    /// Versions 3–12, ignorable.
    pub name: Str,
    /// Versions 13, ignorable.
    pub topic_id: Uuid,
    /// Versions 3–13.
    pub partition_data: Vec<PartitionProduceData>,
}

impl Wire for TopicProduceData {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: if v <= 12 {
                r.str(flex)?
            } else {
                Str::default()
            },
            topic_id: if v == 13 { r.uuid()? } else { Uuid::ZERO },
            partition_data: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            w.str(&self.name, flex)?;
        }
        if v == 13 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partition_data, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceRequest`], versions 3–13.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionProduceData {
    /// Versions 3–13.
    pub index: i32,
    /// Versions 3–13, may be null, default null.
    pub records: Option<Records>,
}

impl Wire for PartitionProduceData {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            index: r.i32()?,
            records: r.opt_records(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.index);
        w.opt_records(self.records.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
