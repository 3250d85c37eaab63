//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<Str>,
    pub transaction_timeout_ms: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub enable2_pc: bool,
    pub keep_prepared_txn: bool,
}
impl Default for InitProducerIdRequest {
    fn default() -> Self {
        InitProducerIdRequest {
            transactional_id: Some(Str::default()),
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
            enable2_pc: false,
            keep_prepared_txn: false,
        }
    }
}
impl Message for InitProducerIdRequest {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 2;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.transactional_id = r.string(flex)?;
        m.transaction_timeout_ms = r.int32()?;
        if version >= 3 {
            m.producer_id = r.int64()?;
        }
        if version >= 3 {
            m.producer_epoch = r.int16()?;
        }
        if version >= 6 {
            m.enable2_pc = r.bool()?;
        }
        if version >= 6 {
            m.keep_prepared_txn = r.bool()?;
        }
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 2;
        let _ = (flex, version);
        w.string(self.transactional_id.as_ref(), flex);
        w.int32(*&self.transaction_timeout_ms);
        if version >= 3 {
            w.int64(*&self.producer_id);
        }
        if version >= 3 {
            w.int16(*&self.producer_epoch);
        }
        if version >= 6 {
            w.bool(*&self.enable2_pc);
        }
        if version >= 6 {
            w.bool(*&self.keep_prepared_txn);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
