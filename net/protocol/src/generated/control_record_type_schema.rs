//! `ControlRecordTypeSchema` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ControlRecordTypeSchema {
    /// Versions 0.
    pub r#type: i16,
}

impl Wire for ControlRecordTypeSchema {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        Ok(Self { r#type: r.i16()? })
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i16(self.r#type);
        Ok(())
    }
}

impl Message for ControlRecordTypeSchema {
    const NAME: &'static str = "ControlRecordTypeSchema";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}
