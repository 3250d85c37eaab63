//! `AlterUserScramCredentialsRequest` of Kafka 4.3.1, versions 0. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 51, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlterUserScramCredentialsRequest {
    /// Versions 0.
    pub deletions: Vec<ScramCredentialDeletion>,
    /// Versions 0.
    pub upsertions: Vec<ScramCredentialUpsertion>,
}

impl Wire for AlterUserScramCredentialsRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            deletions: r.array(v, flex)?,
            upsertions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.deletions, v, flex)?;
        w.array(&self.upsertions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for AlterUserScramCredentialsRequest {
    const NAME: &'static str = "AlterUserScramCredentialsRequest";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AlterUserScramCredentialsRequest {
    const API_KEY: i16 = 51;
    type Response = crate::AlterUserScramCredentialsResponse;
}

/// Part of [`AlterUserScramCredentialsRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScramCredentialDeletion {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub mechanism: i8,
}

impl Wire for ScramCredentialDeletion {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            mechanism: r.i8()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i8(self.mechanism);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterUserScramCredentialsRequest`], versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScramCredentialUpsertion {
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub mechanism: i8,
    /// Versions 0.
    pub iterations: i32,
    /// Versions 0.
    pub salt: Bytes,
    /// Versions 0.
    pub salted_password: Bytes,
}

impl Wire for ScramCredentialUpsertion {
    const WIRE_BYTES_MIN: usize = 9;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            mechanism: r.i8()?,
            iterations: r.i32()?,
            salt: r.bytes(flex)?,
            salted_password: r.bytes(flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.i8(self.mechanism);
        w.i32(self.iterations);
        w.bytes(&self.salt, flex)?;
        w.bytes(&self.salted_password, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
