//! `UpdateRaftVoterResponse` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 82, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateRaftVoterResponse {
    /// Versions 0.
    pub throttle_time_ms: i32,
    /// Versions 0.
    pub error_code: i16,
    /// Versions 0, tag 0.
    pub current_leader: CurrentLeader,
}

impl Wire for UpdateRaftVoterResponse {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            current_leader: CurrentLeader::default(),
        };
        let mut tags = r.tags()?;
        while let Some(tag) = tags.next(r)? {
            match tag {
                0 => m.current_leader = Wire::read(r, v, flex)?,
                _ => tags.skip(r)?,
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        let tag0 = self.current_leader != CurrentLeader::default();
        w.uvarint(u32::from(tag0));
        if tag0 {
            let mark = w.begin_tag(0);
            self.current_leader.write(w, v, flex)?;
            w.end_tag(mark)?;
        }
        Ok(())
    }
}

impl Message for UpdateRaftVoterResponse {
    const NAME: &'static str = "UpdateRaftVoterResponse";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for UpdateRaftVoterResponse {
    const API_KEY: i16 = 82;
}

/// Part of [`UpdateRaftVoterResponse`], versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentLeader {
    /// Versions 0, default -1.
    pub leader_id: i32,
    /// Versions 0, default -1.
    pub leader_epoch: i32,
    /// Versions 0.
    pub host: Str,
    /// Versions 0.
    pub port: i32,
}

impl Default for CurrentLeader {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
            host: Str::default(),
            port: 0,
        }
    }
}

impl Wire for CurrentLeader {
    const WIRE_BYTES_MIN: usize = 14;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
            host: r.str(flex)?,
            port: r.i32()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.str(&self.host, flex)?;
        w.i32(self.port);
        w.uvarint(0);
        Ok(())
    }
}
