//! `CreatePartitionsRequest` of Kafka 4.3.1, versions 0–3. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 37, versions 0–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatePartitionsRequest {
    /// Versions 0–3.
    pub topics: Vec<CreatePartitionsTopic>,
    /// Versions 0–3.
    pub timeout_ms: i32,
    /// Versions 0–3.
    pub validate_only: bool,
}

impl Wire for CreatePartitionsRequest {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topics: r.array(v, flex)?,
            timeout_ms: r.i32()?,
            validate_only: r.bool()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.topics, v, flex)?;
        w.i32(self.timeout_ms);
        w.bool(self.validate_only);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreatePartitionsRequest {
    const NAME: &'static str = "CreatePartitionsRequest";
    const VERSIONS: (i16, i16) = (0, 3);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreatePartitionsRequest {
    const API_KEY: i16 = 37;
    type Response = crate::CreatePartitionsResponse;
}

/// Part of [`CreatePartitionsRequest`], versions 0–3.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatePartitionsTopic {
    /// Versions 0–3.
    pub name: Str,
    /// Versions 0–3.
    pub count: i32,
    /// Versions 0–3, may be null.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

impl Default for CreatePartitionsTopic {
    fn default() -> Self {
        Self {
            name: Str::default(),
            count: 0,
            assignments: Some(Vec::new()),
        }
    }
}

impl Wire for CreatePartitionsTopic {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            count: r.i32()?,
            assignments: r.opt_array(v, flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i32(self.count);
        w.opt_array(self.assignments.as_deref(), v, flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreatePartitionsRequest`], versions 0–3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatePartitionsAssignment {
    /// Versions 0–3.
    pub broker_ids: Vec<i32>,
}

impl Wire for CreatePartitionsAssignment {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            broker_ids: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.broker_ids, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
