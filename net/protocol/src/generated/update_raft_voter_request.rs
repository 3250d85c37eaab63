//! `UpdateRaftVoterRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 82, versions 0.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRaftVoterRequest {
    /// Versions 0, may be null.
    pub cluster_id: Option<Str>,
    /// Versions 0.
    pub current_leader_epoch: i32,
    /// Versions 0.
    pub voter_id: i32,
    /// Versions 0.
    pub voter_directory_id: Uuid,
    /// Versions 0.
    pub listeners: Vec<Listener>,
    /// Versions 0.
    pub kraft_version_feature: KRaftVersionFeature,
}

impl Default for UpdateRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(Str::default()),
            current_leader_epoch: 0,
            voter_id: 0,
            voter_directory_id: Uuid::ZERO,
            listeners: Vec::new(),
            kraft_version_feature: KRaftVersionFeature::default(),
        }
    }
}

impl Wire for UpdateRaftVoterRequest {
    const WIRE_BYTES_MIN: usize = 32;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            cluster_id: r.opt_str(flex, true)?,
            current_leader_epoch: r.i32()?,
            voter_id: r.i32()?,
            voter_directory_id: r.uuid()?,
            listeners: r.array(v, flex)?,
            kraft_version_feature: Wire::read(r, v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_str(self.cluster_id.as_ref(), flex, true)?;
        w.i32(self.current_leader_epoch);
        w.i32(self.voter_id);
        w.uuid(self.voter_directory_id);
        w.array(&self.listeners, v, flex)?;
        self.kraft_version_feature.write(w, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for UpdateRaftVoterRequest {
    const NAME: &'static str = "UpdateRaftVoterRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for UpdateRaftVoterRequest {
    const API_KEY: i16 = 82;
    type Response = crate::UpdateRaftVoterResponse;
}

/// Part of [`UpdateRaftVoterRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listener {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub host: Str,
    /// Versions 0.
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

/// Part of [`UpdateRaftVoterRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KRaftVersionFeature {
    /// Versions 0.
    pub min_supported_version: i16,
    /// Versions 0.
    pub max_supported_version: i16,
}

impl Wire for KRaftVersionFeature {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            min_supported_version: r.i16()?,
            max_supported_version: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i16(self.min_supported_version);
        w.i16(self.max_supported_version);
        w.uvarint(0);
        Ok(())
    }
}
