//! `WriteTxnMarkersResponse` of Kafka 4.3.1, versions 1–2. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 27, versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteTxnMarkersResponse {
    /// Versions 1–2.
    pub markers: Vec<WritableTxnMarkerResult>,
}

impl Wire for WriteTxnMarkersResponse {
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

impl Message for WriteTxnMarkersResponse {
    const NAME: &'static str = "WriteTxnMarkersResponse";
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for WriteTxnMarkersResponse {
    const API_KEY: i16 = 27;
}

/// Part of [`WriteTxnMarkersResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WritableTxnMarkerResult {
    /// Versions 1–2.
    pub producer_id: i64,
    /// Versions 1–2.
    pub topics: Vec<WritableTxnMarkerTopicResult>,
}

impl Wire for WritableTxnMarkerResult {
    const WIRE_BYTES_MIN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            producer_id: r.i64()?,
            topics: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.array(&self.topics, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WritableTxnMarkerTopicResult {
    /// Versions 1–2.
    pub name: Str,
    /// Versions 1–2.
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
}

impl Wire for WritableTxnMarkerTopicResult {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersResponse`], versions 1–2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WritableTxnMarkerPartitionResult {
    /// Versions 1–2.
    pub partition_index: i32,
    /// Versions 1–2.
    pub error_code: i16,
}

impl Wire for WritableTxnMarkerPartitionResult {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            error_code: r.i16()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.uvarint(0);
        Ok(())
    }
}
