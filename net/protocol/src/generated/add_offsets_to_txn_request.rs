//! `AddOffsetsToTxnRequest` of Kafka 4.3.1, versions 0–4. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 25, versions 0–4.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddOffsetsToTxnRequest {
    /// Versions 0–4.
    pub transactional_id: Str,
    /// Versions 0–4.
    pub producer_id: i64,
    /// Versions 0–4.
    pub producer_epoch: i16,
    /// Versions 0–4.
    pub group_id: Str,
}

impl Wire for AddOffsetsToTxnRequest {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.str(flex)?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            group_id: r.str(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.transactional_id, flex)?;
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.str(&self.group_id, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AddOffsetsToTxnRequest {
    const NAME: &'static str = "AddOffsetsToTxnRequest";
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for AddOffsetsToTxnRequest {
    const API_KEY: i16 = 25;
    type Response = crate::AddOffsetsToTxnResponse;
}
