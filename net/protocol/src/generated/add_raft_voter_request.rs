//! `AddRaftVoterRequest` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 80, versions 0–1.
#[derive(Debug, Clone, PartialEq)]
pub struct AddRaftVoterRequest {
    /// Versions 0–1, may be null.
    pub cluster_id: Option<Str>,
    /// Versions 0–1.
    pub timeout_ms: i32,
    /// Versions 0–1.
    pub voter_id: i32,
    /// Versions 0–1.
    pub voter_directory_id: Uuid,
    /// Versions 0–1.
    pub listeners: Vec<Listener>,
    /// Versions 1, default true.
    pub ack_when_committed: bool,
}

impl Default for AddRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(Str::default()),
            timeout_ms: 0,
            voter_id: 0,
            voter_directory_id: Uuid::ZERO,
            listeners: Vec::new(),
            ack_when_committed: true,
        }
    }
}

impl Wire for AddRaftVoterRequest {
    const WIRE_BYTES_MIN: usize = 27;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            cluster_id: r.opt_str(flex, true)?,
            timeout_ms: r.i32()?,
            voter_id: r.i32()?,
            voter_directory_id: r.uuid()?,
            listeners: r.array(v, flex)?,
            ack_when_committed: if v == 1 { r.bool()? } else { true },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.cluster_id.as_ref(), flex, true)?;
        w.i32(self.timeout_ms);
        w.i32(self.voter_id);
        w.uuid(self.voter_directory_id);
        w.array(&self.listeners, v, flex)?;
        if v == 1 {
            w.bool(self.ack_when_committed);
        } else if !self.ack_when_committed {
            return Err(EncodeError::Absent(
                "AddRaftVoterRequest.AckWhenCommitted",
                v,
            ));
        }
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AddRaftVoterRequest {
    const NAME: &'static str = "AddRaftVoterRequest";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AddRaftVoterRequest {
    const API_KEY: i16 = 80;
    type Response = crate::AddRaftVoterResponse;
}

/// Part of [`AddRaftVoterRequest`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listener {
    /// Versions 0–1.
    pub name: Str,
    /// Versions 0–1.
    pub host: Str,
    /// Versions 0–1.
    pub port: u16,
}

impl Wire for Listener {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            host: r.str(flex)?,
            port: r.u16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.str(&self.host, flex)?;
        w.u16(self.port);
        w.uvarint(0);
        Ok(())
    }
}
