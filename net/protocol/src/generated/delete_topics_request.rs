//! `DeleteTopicsRequest` of Kafka 4.3.1, versions 1–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 20, versions 1–6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteTopicsRequest {
    /// Versions 6.
    pub topics: Vec<DeleteTopicState>,
    /// Versions 1–5, ignorable.
    pub topic_names: Vec<Str>,
    /// Versions 1–6.
    pub timeout_ms: i32,
}

impl Wire for DeleteTopicsRequest {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topics: if v == 6 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            topic_names: if v <= 5 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            timeout_ms: r.i32()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v == 6 {
            w.array(&self.topics, v, flex)?;
        } else if !self.topics.is_empty() {
            return Err(EncodeError::Absent("DeleteTopicsRequest.Topics", v));
        }
        if v <= 5 {
            w.array(&self.topic_names, v, flex)?;
        }
        w.i32(self.timeout_ms);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteTopicsRequest {
    const NAME: &'static str = "DeleteTopicsRequest";
    const VERSIONS: (i16, i16) = (1, 6);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for DeleteTopicsRequest {
    const API_KEY: i16 = 20;
    type Response = crate::DeleteTopicsResponse;
}

/// Part of [`DeleteTopicsRequest`], versions 6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteTopicState {
    /// Versions 6, may be null, default null.
    pub name: Option<Str>,
    /// Versions 6.
    pub topic_id: Uuid,
}

impl Wire for DeleteTopicState {
    const WIRE_BYTES_MIN: usize = 18;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.opt_str(flex, true)?,
            topic_id: r.uuid()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.name.as_ref(), flex, true)?;
        w.uuid(self.topic_id);
        w.uvarint(0);
        Ok(())
    }
}
