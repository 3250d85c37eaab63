//! `DescribeGroupsRequest` of Kafka 4.3.1, versions 0–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 15, versions 0–6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeGroupsRequest {
    /// Versions 0–6.
    pub groups: Vec<Str>,
    /// Versions 3–6.
    pub include_authorized_operations: bool,
}

impl Wire for DescribeGroupsRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            groups: r.array(v, flex)?,
            include_authorized_operations: if v >= 3 { r.bool()? } else { false },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.groups, v, flex)?;
        if v >= 3 {
            w.bool(self.include_authorized_operations);
        } else if self.include_authorized_operations {
            return Err(EncodeError::Absent(
                "DescribeGroupsRequest.IncludeAuthorizedOperations",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsRequest {
    const NAME: &'static str = "DescribeGroupsRequest";
    const VERSIONS: (i16, i16) = (0, 6);
    const FLEXIBLE_FROM: i16 = 5;
}

impl Request for DescribeGroupsRequest {
    const API_KEY: i16 = 15;
    type Response = crate::DescribeGroupsResponse;
}
