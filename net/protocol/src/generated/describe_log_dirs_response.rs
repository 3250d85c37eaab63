//! `DescribeLogDirsResponse` of Kafka 4.3.1, versions 1–5. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 35, versions 1–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeLogDirsResponse {
    /// Versions 1–5.
    pub throttle_time_ms: i32,
    /// Versions 3–5, ignorable.
    pub error_code: i16,
    /// Versions 1–5.
    pub results: Vec<DescribeLogDirsResult>,
}

impl Wire for DescribeLogDirsResponse {
    const WIRE_BYTES_MIN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: r.i32()?,
            error_code: if v >= 3 { r.i16()? } else { 0 },
            results: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        if v >= 3 {
            w.error_code(self.error_code);
        }
        w.array(&self.results, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeLogDirsResponse {
    const NAME: &'static str = "DescribeLogDirsResponse";
    const VERSIONS: (i16, i16) = (1, 5);
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DescribeLogDirsResponse {
    const API_KEY: i16 = 35;
}

/// Part of [`DescribeLogDirsResponse`], versions 1–5.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeLogDirsResult {
    /// Versions 1–5.
    pub error_code: i16,
    /// Versions 1–5.
    pub log_dir: Str,
    /// Versions 1–5.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Versions 4–5, default -1, ignorable.
    pub total_bytes: i64,
    /// Versions 4–5, default -1, ignorable.
    pub usable_bytes: i64,
    /// Versions 5, default false, ignorable.
    pub is_cordoned: bool,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            log_dir: Str::default(),
            topics: Vec::new(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: false,
        }
    }
}

impl Wire for DescribeLogDirsResult {
    const WIRE_BYTES_MIN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            log_dir: r.str(flex)?,
            topics: r.array(v, flex)?,
            total_bytes: if v >= 4 { r.i64()? } else { -1 },
            usable_bytes: if v >= 4 { r.i64()? } else { -1 },
            is_cordoned: if v == 5 { r.bool()? } else { false },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        w.str(&self.log_dir, flex)?;
        w.array(&self.topics, v, flex)?;
        if v >= 4 {
            w.i64(self.total_bytes);
        }
        if v >= 4 {
            w.i64(self.usable_bytes);
        }
        if v == 5 {
            w.bool(self.is_cordoned);
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeLogDirsTopic {
    /// Versions 1–5.
    pub name: Str,
    /// Versions 1–5.
    pub partitions: Vec<DescribeLogDirsPartition>,
}

impl Wire for DescribeLogDirsTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1–5.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeLogDirsPartition {
    /// Versions 1–5.
    pub partition_index: i32,
    /// Versions 1–5.
    pub partition_size: i64,
    /// Versions 1–5.
    pub offset_lag: i64,
    /// Versions 1–5.
    pub is_future_key: bool,
}

impl Wire for DescribeLogDirsPartition {
    const WIRE_BYTES_MIN: usize = 21;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            partition_index: r.i32()?,
            partition_size: r.i64()?,
            offset_lag: r.i64()?,
            is_future_key: r.bool()?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.partition_size);
        w.i64(self.offset_lag);
        w.bool(self.is_future_key);
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
