//! `KRaftVersionRecord` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KRaftVersionRecord {
    /// Versions 0.
    pub version: i16,
    /// Versions 0.
    pub kraft_version: i16,
}

impl Wire for KRaftVersionRecord {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            version: r.i16()?,
            kraft_version: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.i16(self.kraft_version);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for KRaftVersionRecord {
    const NAME: &'static str = "KRaftVersionRecord";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}
