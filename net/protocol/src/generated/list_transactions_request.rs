//! `ListTransactionsRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 66, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct ListTransactionsRequest {
    /// Versions 0–2.
    pub state_filters: Vec<Str>,
    /// Versions 0–2.
    pub producer_id_filters: Vec<i64>,
    /// Versions 1–2, default -1.
    pub duration_filter: i64,
    /// Versions 2, may be null, default null.
    pub transactional_id_pattern: Option<Str>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
        }
    }
}

impl Wire for ListTransactionsRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            state_filters: r.array(v, flex)?,
            producer_id_filters: r.array(v, flex)?,
            duration_filter: if v >= 1 { r.i64()? } else { -1 },
            transactional_id_pattern: if v == 2 { r.opt_str(flex, true)? } else { None },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.state_filters, v, flex)?;
        w.array(&self.producer_id_filters, v, flex)?;
        if v >= 1 {
            w.i64(self.duration_filter);
        } else if self.duration_filter != -1 {
            return Err(EncodeError::Absent(
                "ListTransactionsRequest.DurationFilter",
                v,
            ));
        }
        if v == 2 {
            w.opt_str(self.transactional_id_pattern.as_ref(), flex, true)?;
        } else if self.transactional_id_pattern.is_some() {
            return Err(EncodeError::Absent(
                "ListTransactionsRequest.TransactionalIdPattern",
                v,
            ));
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ListTransactionsRequest {
    const NAME: &'static str = "ListTransactionsRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ListTransactionsRequest {
    const API_KEY: i16 = 66;
    type Response = crate::ListTransactionsResponse;
}
