//! `ConsumerGroupDescribeRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 69, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConsumerGroupDescribeRequest {
    /// Versions 0–1.
    pub group_ids: Vec<Str>,
    /// Versions 0–1.
    pub include_authorized_operations: bool,
}

impl Wire for ConsumerGroupDescribeRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_ids: r.array(v, flex)?,
            include_authorized_operations: r.bool()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.group_ids, v, flex)?;
        w.bool(self.include_authorized_operations);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ConsumerGroupDescribeRequest {
    const NAME: &'static str = "ConsumerGroupDescribeRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ConsumerGroupDescribeRequest {
    const API_KEY: i16 = 69;
    type Response = crate::ConsumerGroupDescribeResponse;
}
