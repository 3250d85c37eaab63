//! `EndTxnMarker` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EndTxnMarker {
    /// Versions 0.
    pub coordinator_epoch: i32,
}

impl Wire for EndTxnMarker {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            coordinator_epoch: r.i32()?,
        })
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.coordinator_epoch);
        Ok(())
    }
}

impl Message for EndTxnMarker {
    const NAME: &'static str = "EndTxnMarker";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = i16::MAX;
}
