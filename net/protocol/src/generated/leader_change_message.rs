//! `LeaderChangeMessage` of Kafka 4.3.1, versions 0–1. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Uuid, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaderChangeMessage {
    /// Versions 0–1.
    pub version: i16,
    /// Versions 0–1.
    pub leader_id: i32,
    /// Versions 0–1.
    pub voters: Vec<Voter>,
    /// Versions 0–1.
    pub granting_voters: Vec<Voter>,
}

impl Wire for LeaderChangeMessage {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            version: r.i16()?,
            leader_id: r.i32()?,
            voters: r.array(v, flex)?,
            granting_voters: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.i32(self.leader_id);
        w.array(&self.voters, v, flex)?;
        w.array(&self.granting_voters, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for LeaderChangeMessage {
    const NAME: &'static str = "LeaderChangeMessage";
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE_FROM: i16 = 0;
}

/// Part of [`LeaderChangeMessage`], versions 0–1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Voter {
    /// Versions 0–1.
    pub voter_id: i32,
    /// Versions 1.
    pub voter_directory_id: Uuid,
}

impl Wire for Voter {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            voter_id: r.i32()?,
            voter_directory_id: if v == 1 { r.uuid()? } else { Uuid::ZERO },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.voter_id);
        if v == 1 {
            w.uuid(self.voter_directory_id);
        } else if self.voter_directory_id != Uuid::ZERO {
            return Err(EncodeError::Absent("Voter.VoterDirectoryId", v));
        }
        w.uvarint(0);
        Ok(())
    }
}
