//! `VotersRecord` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Str, Uuid, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VotersRecord {
    /// Versions 0.
    pub version: i16,
    /// Versions 0.
    pub voters: Vec<Voter>,
}

impl Wire for VotersRecord {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            version: r.i16()?,
            voters: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.array(&self.voters, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for VotersRecord {
    const NAME: &'static str = "VotersRecord";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

/// Part of [`VotersRecord`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Voter {
    /// Versions 0.
    pub voter_id: i32,
    /// Versions 0.
    pub voter_directory_id: Uuid,
    /// Versions 0.
    pub endpoints: Vec<Endpoint>,
    /// Versions 0.
    pub kraft_version_feature: KRaftVersionFeature,
}

impl Wire for Voter {
    const WIRE_BYTES_MIN: usize = 27;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            voter_id: r.i32()?,
            voter_directory_id: r.uuid()?,
            endpoints: r.array(v, flex)?,
            kraft_version_feature: Wire::read(r, v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.voter_id);
        w.uuid(self.voter_directory_id);
        w.array(&self.endpoints, v, flex)?;
        self.kraft_version_feature.write(w, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`VotersRecord`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Endpoint {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub host: Str,
    /// Versions 0.
    pub port: u16,
}

impl Wire for Endpoint {
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

/// Part of [`VotersRecord`], versions 0.
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
