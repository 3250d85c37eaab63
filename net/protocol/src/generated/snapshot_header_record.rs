//! `SnapshotHeaderRecord` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotHeaderRecord {
    /// Versions 0.
    pub version: i16,
    /// Versions 0.
    pub last_contained_log_timestamp: i64,
}

impl Wire for SnapshotHeaderRecord {
    const WIRE_BYTES_MIN: usize = 11;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            version: r.i16()?,
            last_contained_log_timestamp: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.i64(self.last_contained_log_timestamp);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for SnapshotHeaderRecord {
    const NAME: &'static str = "SnapshotHeaderRecord";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}
