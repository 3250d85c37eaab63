//! `ListGroupsRequest` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 16, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListGroupsRequest {
    /// Versions 4–5.
    pub states_filter: Vec<Str>,
    /// Versions 5.
    pub types_filter: Vec<Str>,
}

impl Wire for ListGroupsRequest {
    const WIRE_BYTES_MIN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            states_filter: if v >= 4 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            types_filter: if v == 5 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 4 {
            w.array(&self.states_filter, v, flex)?;
        } else if !self.states_filter.is_empty() {
            return Err(EncodeError::Absent("ListGroupsRequest.StatesFilter", v));
        }
        if v == 5 {
            w.array(&self.types_filter, v, flex)?;
        } else if !self.types_filter.is_empty() {
            return Err(EncodeError::Absent("ListGroupsRequest.TypesFilter", v));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListGroupsRequest {
    const NAME: &'static str = "ListGroupsRequest";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for ListGroupsRequest {
    const API_KEY: i16 = 16;
    type Response = crate::ListGroupsResponse;
}
