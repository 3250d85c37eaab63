//! `CreateTopicsResponse` of Kafka 4.3.1, versions 2–7. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Uuid, Wire, Writer};

/// The response of API 19, versions 2–7.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateTopicsResponse {
    /// Versions 2–7, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 2–7.
    pub topics: Vec<CreatableTopicResult>,
}

impl Wire for CreateTopicsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            topics: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateTopicsResponse {
    const NAME: &'static str = "CreateTopicsResponse";
    const VERSIONS: (i16, i16) = (2, 7);
    const FLEXIBLE_FROM: i16 = 5;
}

impl Response for CreateTopicsResponse {
    const API_KEY: i16 = 19;
}

/// Part of [`CreateTopicsResponse`], versions 2–7.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatableTopicResult {
    /// Versions 2–7.
    pub name: Str,
    /// Versions 7, ignorable.
    pub topic_id: Uuid,
    /// Versions 2–7.
    pub error_code: i16,
    /// Versions 2–7, may be null, ignorable.
    pub error_message: Option<Str>,
    /// Versions 5–7, tag 0, ignorable.
    pub topic_config_error_code: i16,
    /// Versions 5–7, default -1, ignorable.
    pub num_partitions: i32,
    /// Versions 5–7, default -1, ignorable.
    pub replication_factor: i16,
    /// Versions 5–7, may be null, ignorable.
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: Str::default(),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: Some(Str::default()),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}

impl Wire for CreatableTopicResult {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            name: r.str(flex)?,
            topic_id: if v == 7 { r.uuid()? } else { Uuid::ZERO },
            error_code: r.i16()?,
            error_message: r.opt_str(flex, true)?,
            topic_config_error_code: 0,
            num_partitions: if v >= 5 { r.i32()? } else { -1 },
            replication_factor: if v >= 5 { r.i16()? } else { -1 },
            configs: if v >= 5 {
                r.opt_array(v, flex, true)?
            } else {
                Some(Vec::new())
            },
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 5 => m.topic_config_error_code = r.i16()?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        if v == 7 {
            w.uuid(self.topic_id);
        }
        w.error_code(self.error_code);
        w.opt_str(self.error_message.as_ref(), flex, true)?;
        if v >= 5 {
            w.i32(self.num_partitions);
        }
        if v >= 5 {
            w.i16(self.replication_factor);
        }
        if v >= 5 {
            w.opt_array(self.configs.as_deref(), v, flex, true)?;
        }
        if flex {
            let tag0 = v >= 5 && self.topic_config_error_code != 0;
            w.uvarint(u32::from(tag0));
            if tag0 {
                let mark = w.begin_tag(0);
                w.error_code(self.topic_config_error_code);
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsResponse`], versions 5–7.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatableTopicConfigs {
    /// Versions 5–7.
    pub name: Str,
    /// Versions 5–7, may be null.
    pub value: Option<Str>,
    /// Versions 5–7.
    pub read_only: bool,
    /// Versions 5–7, default -1, ignorable.
    pub config_source: i8,
    /// Versions 5–7.
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: Str::default(),
            value: Some(Str::default()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}

impl Wire for CreatableTopicConfigs {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            value: r.opt_str(flex, true)?,
            read_only: r.bool()?,
            config_source: r.i8()?,
            is_sensitive: r.bool()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.opt_str(self.value.as_ref(), flex, true)?;
        w.bool(self.read_only);
        w.i8(self.config_source);
        w.bool(self.is_sensitive);
        w.uvarint(0);
        Ok(())
    }
}
