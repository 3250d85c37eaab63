//! `CreateTopicsRequest` of Kafka 4.3.1, versions 2–7. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 19, versions 2–7.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTopicsRequest {
    /// Versions 2–7.
    pub topics: Vec<CreatableTopic>,
    /// Versions 2–7, default 60000.
    pub timeout_ms: i32,
    /// Versions 2–7, default false.
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60000,
            validate_only: false,
        }
    }
}

impl Wire for CreateTopicsRequest {
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

impl Message for CreateTopicsRequest {
    const NAME: &'static str = "CreateTopicsRequest";
    const VERSIONS: (i16, i16) = (2, 7);
    const FLEXIBLE_FROM: i16 = 5;
}

impl Request for CreateTopicsRequest {
    const API_KEY: i16 = 19;
    type Response = crate::CreateTopicsResponse;
}

/// Part of [`CreateTopicsRequest`], versions 2–7.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatableTopic {
    /// Versions 2–7.
    pub name: Str,
    /// Versions 2–7.
    pub num_partitions: i32,
    /// Versions 2–7.
    pub replication_factor: i16,
    /// Versions 2–7.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// Versions 2–7.
    pub configs: Vec<CreatableTopicConfig>,
}

impl Wire for CreatableTopic {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            num_partitions: r.i32()?,
            replication_factor: r.i16()?,
            assignments: r.array(v, flex)?,
            configs: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i32(self.num_partitions);
        w.i16(self.replication_factor);
        w.array(&self.assignments, v, flex)?;
        w.array(&self.configs, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsRequest`], versions 2–7.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatableReplicaAssignment {
    /// Versions 2–7.
    pub partition_index: i32,
    /// Versions 2–7.
    pub broker_ids: Vec<i32>,
}

impl Wire for CreatableReplicaAssignment {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            broker_ids: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.array(&self.broker_ids, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsRequest`], versions 2–7.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatableTopicConfig {
    /// Versions 2–7.
    pub name: Str,
    /// Versions 2–7, may be null.
    pub value: Option<Str>,
}

impl Default for CreatableTopicConfig {
    fn default() -> Self {
        Self {
            name: Str::default(),
            value: Some(Str::default()),
        }
    }
}

impl Wire for CreatableTopicConfig {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            value: r.opt_str(flex, true)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.opt_str(self.value.as_ref(), flex, true)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
