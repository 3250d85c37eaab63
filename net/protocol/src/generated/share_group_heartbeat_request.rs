//! `ShareGroupHeartbeatRequest` of Kafka 4.3.1, versions 1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 76, versions 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShareGroupHeartbeatRequest {
    /// Versions 1.
    pub group_id: Str,
    /// Versions 1.
    pub member_id: Str,
    /// Versions 1.
    pub member_epoch: i32,
    /// Versions 1, may be null, default null.
    pub rack_id: Option<Str>,
    /// Versions 1, may be null, default null.
    pub subscribed_topic_names: Option<Vec<Str>>,
}

impl Wire for ShareGroupHeartbeatRequest {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            member_id: r.str(flex)?,
            member_epoch: r.i32()?,
            rack_id: r.opt_str(flex, true)?,
            subscribed_topic_names: r.opt_array(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        w.str(&self.member_id, flex)?;
        w.i32(self.member_epoch);
        w.opt_str(self.rack_id.as_ref(), flex, true)?;
        w.opt_array(self.subscribed_topic_names.as_deref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for ShareGroupHeartbeatRequest {
    const NAME: &'static str = "ShareGroupHeartbeatRequest";
    const VERSIONS: (i16, i16) = (1, 1);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for ShareGroupHeartbeatRequest {
    const API_KEY: i16 = 76;
    type Response = crate::ShareGroupHeartbeatResponse;
}
