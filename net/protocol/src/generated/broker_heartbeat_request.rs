//! `BrokerHeartbeatRequest` of Kafka 4.3.1, versions 0–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Uuid, Wire, Writer};

/// The request of API 63, versions 0–2.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerHeartbeatRequest {
    /// Versions 0–2.
    pub broker_id: i32,
    /// Versions 0–2, default -1.
    pub broker_epoch: i64,
    /// Versions 0–2.
    pub current_metadata_offset: i64,
    /// Versions 0–2.
    pub want_fence: bool,
    /// Versions 0–2.
    pub want_shut_down: bool,
    /// Versions 1–2, tag 0.
    pub offline_log_dirs: Vec<Uuid>,
    /// Versions 2, tag 1, may be null, default null.
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl Default for BrokerHeartbeatRequest {
    fn default() -> Self {
        Self {
            broker_id: 0,
            broker_epoch: -1,
            current_metadata_offset: 0,
            want_fence: false,
            want_shut_down: false,
            offline_log_dirs: Vec::new(),
            cordoned_log_dirs: None,
        }
    }
}

impl Wire for BrokerHeartbeatRequest {
    const WIRE_BYTES_MIN: usize = 23;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
            current_metadata_offset: r.i64()?,
            want_fence: r.bool()?,
            want_shut_down: r.bool()?,
            offline_log_dirs: Vec::new(),
            cordoned_log_dirs: None,
        };
        let mut tags = r.tags()?;
        while let Some(tag) = tags.next(r)? {
            match tag {
                0 if v >= 1 => m.offline_log_dirs = r.array(v, flex)?,
                1 if v == 2 => m.cordoned_log_dirs = r.opt_array(v, flex, true)?,
                _ => tags.skip(r)?,
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        w.i64(self.current_metadata_offset);
        w.bool(self.want_fence);
        w.bool(self.want_shut_down);
        if v < 1 && !self.offline_log_dirs.is_empty() {
            return Err(EncodeError::Absent(
                "BrokerHeartbeatRequest.OfflineLogDirs",
                v,
            ));
        }
        if v != 2 && self.cordoned_log_dirs.is_some() {
            return Err(EncodeError::Absent(
                "BrokerHeartbeatRequest.CordonedLogDirs",
                v,
            ));
        }
        let tag0 = v >= 1 && !self.offline_log_dirs.is_empty();
        let tag1 = v == 2 && self.cordoned_log_dirs.is_some();
        w.uvarint(u32::from(tag0) + u32::from(tag1));
        if tag0 {
            let mark = w.begin_tag(0);
            w.array(&self.offline_log_dirs, v, flex)?;
            w.end_tag(mark)?;
        }
        if tag1 {
            let mark = w.begin_tag(1);
            w.opt_array(self.cordoned_log_dirs.as_deref(), v, flex, true)?;
            w.end_tag(mark)?;
        }
        Ok(())
    }
}

impl Message for BrokerHeartbeatRequest {
    const NAME: &'static str = "BrokerHeartbeatRequest";
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for BrokerHeartbeatRequest {
    const API_KEY: i16 = 63;
    type Response = crate::BrokerHeartbeatResponse;
}
