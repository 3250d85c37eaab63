//! `EndTxnRequest` of Kafka 4.3.1, versions 0–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 26, versions 0–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EndTxnRequest {
    /// Versions 0–5.
    pub transactional_id: Str,
    /// Versions 0–5.
    pub producer_id: i64,
    /// Versions 0–5.
    pub producer_epoch: i16,
    /// Versions 0–5.
    pub committed: bool,
}

impl Wire for EndTxnRequest {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            transactional_id: r.str(flex)?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            committed: r.bool()?,
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
        w.bool(self.committed);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for EndTxnRequest {
    const NAME: &'static str = "EndTxnRequest";
    const VERSIONS: (i16, i16) = (0, 5);
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for EndTxnRequest {
    const API_KEY: i16 = 26;
    type Response = crate::EndTxnResponse;
}
