//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub ongoing_txn_producer_id: i64,
    pub ongoing_txn_producer_epoch: i16,
}
impl Default for InitProducerIdResponse {
    fn default() -> Self {
        InitProducerIdResponse {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: 0,
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
        }
    }
}
impl Message for InitProducerIdResponse {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 2;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        m.throttle_time_ms = r.int32()?;
        m.error_code = r.int16()?;
        m.producer_id = r.int64()?;
        m.producer_epoch = r.int16()?;
        if version >= 6 {
            m.ongoing_txn_producer_id = r.int64()?;
        }
        if version >= 6 {
            m.ongoing_txn_producer_epoch = r.int16()?;
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
        w.int32(*&self.throttle_time_ms);
        w.int16(*&self.error_code);
        w.int64(*&self.producer_id);
        w.int16(*&self.producer_epoch);
        if version >= 6 {
            w.int64(*&self.ongoing_txn_producer_id);
        }
        if version >= 6 {
            w.int16(*&self.ongoing_txn_producer_epoch);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
