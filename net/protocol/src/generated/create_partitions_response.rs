//! `CreatePartitionsResponse` of Kafka 4.3.1, versions 0–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 37, versions 0–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatePartitionsResponse {
    /// Versions 0–3.
    pub throttle_time_ms: i32,
    /// Versions 0–3.
    pub results: Vec<CreatePartitionsTopicResult>,
}

impl Wire for CreatePartitionsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            results: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreatePartitionsResponse {
    const NAME: &'static str = "CreatePartitionsResponse";
    const VERSIONS: (i16, i16) = (0, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for CreatePartitionsResponse {
    const API_KEY: i16 = 37;
}

/// Part of [`CreatePartitionsResponse`], versions 0–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatePartitionsTopicResult {
    /// Versions 0–3.
    pub name: Str,
    /// Versions 0–3.
    pub error_code: i16,
    /// Versions 0–3, may be null, default null.
    pub error_message: Option<Str>,
}

impl Wire for CreatePartitionsTopicResult {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
