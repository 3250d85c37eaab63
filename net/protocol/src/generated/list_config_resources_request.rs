//! `ListConfigResourcesRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Wire, Writer};

/// The request of API 74, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListConfigResourcesRequest {
    /// Versions 1.
    pub resource_types: Vec<i8>,
}

impl Wire for ListConfigResourcesRequest {
    const WIRE_BYTES_MIN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            resource_types: if v == 1 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v == 1 {
            w.array(&self.resource_types, v, flex)?;
        } else if !self.resource_types.is_empty() {
            return Err(EncodeError::Absent(
                "ListConfigResourcesRequest.ResourceTypes",
                v,
            ));
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ListConfigResourcesRequest {
    const NAME: &'static str = "ListConfigResourcesRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ListConfigResourcesRequest {
    const API_KEY: i16 = 74;
    type Response = crate::ListConfigResourcesResponse;
}
