//! `FindCoordinatorRequest` of Kafka 4.3.1, versions 0–6. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 10, versions 0–6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FindCoordinatorRequest {
    /// Versions 0–3.
    pub key: Str,
    /// Versions 1–6, default 0.
    pub key_type: i8,
    /// Versions 4–6.
    pub coordinator_keys: Vec<Str>,
}

impl Wire for FindCoordinatorRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            key: if v <= 3 { r.str(flex)? } else { Str::default() },
            key_type: if v >= 1 { r.i8()? } else { 0 },
            coordinator_keys: if v >= 4 {
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
        if v <= 3 {
            w.str(&self.key, flex)?;
        } else if !self.key.is_empty() {
            return Err(EncodeError::Absent("FindCoordinatorRequest.Key", v));
        }
        if v >= 1 {
            w.i8(self.key_type);
        } else if self.key_type != 0 {
            return Err(EncodeError::Absent("FindCoordinatorRequest.KeyType", v));
        }
        if v >= 4 {
            w.array(&self.coordinator_keys, v, flex)?;
        } else if !self.coordinator_keys.is_empty() {
            return Err(EncodeError::Absent(
                "FindCoordinatorRequest.CoordinatorKeys",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for FindCoordinatorRequest {
    const NAME: &'static str = "FindCoordinatorRequest";
    const VERSIONS: (i16, i16) = (0, 6);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for FindCoordinatorRequest {
    const API_KEY: i16 = 10;
    type Response = crate::FindCoordinatorResponse;
}
