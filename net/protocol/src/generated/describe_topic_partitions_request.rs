//! `DescribeTopicPartitionsRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 75, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    /// Versions 0.
    pub topics: Vec<TopicRequest>,
    /// Versions 0, default 2000.
    pub response_partition_limit: i32,
    /// Versions 0, may be null, default null.
    pub cursor: Option<Cursor>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            response_partition_limit: 2000,
            cursor: None,
        }
    }
}

impl Wire for DescribeTopicPartitionsRequest {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topics: r.array(v, flex)?,
            response_partition_limit: r.i32()?,
            cursor: r.opt_struct(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.topics, v, flex)?;
        w.i32(self.response_partition_limit);
        w.opt_struct(self.cursor.as_ref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const NAME: &'static str = "DescribeTopicPartitionsRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeTopicPartitionsRequest {
    const API_KEY: i16 = 75;
    type Response = crate::DescribeTopicPartitionsResponse;
}

/// Part of [`DescribeTopicPartitionsRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicRequest {
    /// Versions 0.
    pub name: Str,
}

impl Wire for TopicRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self { name: r.str(flex)? };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cursor {
    /// Versions 0.
    pub topic_name: Str,
    /// Versions 0.
    pub partition_index: i32,
}

impl Wire for Cursor {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_name: r.str(flex)?,
            partition_index: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.topic_name, flex)?;
        w.i32(self.partition_index);
        w.uvarint(0);
        Ok(())
    }
}
