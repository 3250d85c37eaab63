//! `WriteTxnMarkersRequest` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Wire, Writer};

/// The request of API 27, versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteTxnMarkersRequest {
    /// Versions 1–2.
    pub markers: Vec<WritableTxnMarker>,
}

impl Wire for WriteTxnMarkersRequest {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            markers: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.array(&self.markers, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

impl Message for WriteTxnMarkersRequest {
    const NAME: &'static str = "WriteTxnMarkersRequest";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for WriteTxnMarkersRequest {
    const API_KEY: i16 = 27;
    type Response = crate::WriteTxnMarkersResponse;
}

/// Part of [`WriteTxnMarkersRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WritableTxnMarker {
    /// Versions 1–2.
    pub producer_id: i64,
    /// Versions 1–2.
    pub producer_epoch: i16,
    /// Versions 1–2.
    pub transaction_result: bool,
    /// Versions 1–2.
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// Versions 1–2.
    pub coordinator_epoch: i32,
    /// Versions 2, default 0, ignorable.
    pub transaction_version: i8,
}

impl Wire for WritableTxnMarker {
    const WIRE_BYTES_MIN: usize = 17;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            transaction_result: r.bool()?,
            topics: r.array(v, flex)?,
            coordinator_epoch: r.i32()?,
            transaction_version: if v == 2 { r.i8()? } else { 0 },
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.bool(self.transaction_result);
        w.array(&self.topics, v, flex)?;
        w.i32(self.coordinator_epoch);
        if v == 2 {
            w.i8(self.transaction_version);
        }
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersRequest`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WritableTxnMarkerTopic {
    /// Versions 1–2.
    pub name: Str,
    /// Versions 1–2.
    pub partition_indexes: Vec<i32>,
}

impl Wire for WritableTxnMarkerTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partition_indexes: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partition_indexes, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
