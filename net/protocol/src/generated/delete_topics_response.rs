//! `DeleteTopicsResponse` of Kafka 4.3.1, versions 1–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 20, versions 1–6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeleteTopicsResponse {
    /// Versions 1–6, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 1–6.
    pub responses: Vec<DeletableTopicResult>,
}

impl Wire for DeleteTopicsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            responses: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.responses, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteTopicsResponse {
    const NAME: &'static str = "DeleteTopicsResponse";
    const VERSIONS: (i16, i16) = (1, 6);
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for DeleteTopicsResponse {
    const API_KEY: i16 = 20;
}

/// Part of [`DeleteTopicsResponse`], versions 1–6.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletableTopicResult {
    /// Versions 1–6, may be null in 6.
    pub name: Option<Str>,
    /// Versions 6, ignorable.
    pub topic_id: Uuid,
    /// Versions 1–6.
    pub error_code: i16,
    /// Versions 5–6, may be null, default null, ignorable.
    pub error_message: Option<Str>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(Str::default()),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: None,
        }
    }
}

impl Wire for DeletableTopicResult {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.opt_str(flex, v == 6)?,
            topic_id: if v == 6 { r.uuid()? } else { Uuid::ZERO },
            error_code: r.i16()?,
            error_message: if v >= 5 { r.opt_str(flex, true)? } else { None },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.name.as_ref(), flex, v == 6)?;
        if v == 6 {
            w.uuid(self.topic_id);
        }
        w.error_code(self.error_code);
        if v >= 5 {
            w.opt_str(self.error_message.as_ref(), flex, true)?;
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
