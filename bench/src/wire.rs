//! Just enough of Kafka's wire format: big-endian writer and checked reader for the non-flexible versions used here.
//!
//! Written by hand and shared with no broker, so that a mistake in a broker's codec cannot hide in its yardstick.

use thiserror::Error;

/// API keys and the versions this tool speaks. All exist in Kafka 2.1 to 4.x, and none is flexible.
pub mod api {
    /// Produce 7: the first that admits zstd.
    pub const PRODUCE: (i16, i16) = (0, 7);
    /// Fetch 11: sessions, zstd, topic names.
    pub const FETCH: (i16, i16) = (1, 11);
    /// ListOffsets 2.
    pub const LIST_OFFSETS: (i16, i16) = (2, 2);
    /// Metadata 5.
    pub const METADATA: (i16, i16) = (3, 5);
    /// ApiVersions 0.
    pub const API_VERSIONS: (i16, i16) = (18, 0);
    /// CreateTopics 2.
    pub const CREATE_TOPICS: (i16, i16) = (19, 2);
    /// DeleteTopics 1.
    pub const DELETE_TOPICS: (i16, i16) = (20, 1);
    /// InitProducerId 1.
    pub const INIT_PRODUCER_ID: (i16, i16) = (22, 1);
    /// Every API above.
    pub const ALL: [(i16, i16); 8] = [
        PRODUCE,
        FETCH,
        LIST_OFFSETS,
        METADATA,
        API_VERSIONS,
        CREATE_TOPICS,
        DELETE_TOPICS,
        INIT_PRODUCER_ID,
    ];
}

/// The message ended before the value it announced.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the message ends in the middle of a value")]
pub struct Short;

/// Writes the primitives of Kafka's protocol to a growing buffer.
#[derive(Default)]
pub struct Writer {
    /// What was written.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// A request with its header; [`Writer::frame`] fills the length in.
    pub fn request((key, version): (i16, i16), correlation: i32) -> Writer {
        let mut to = Writer::default();
        to.i32(0)
            .i16(key)
            .i16(version)
            .i32(correlation)
            .str("corelane-bench");
        to
    }

    /// A response with its header.
    pub fn response(correlation: i32) -> Writer {
        let mut to = Writer::default();
        to.i32(0).i32(correlation);
        to
    }

    /// Writes the length in front and returns the frame.
    pub fn frame(mut self) -> Vec<u8> {
        let length = (self.bytes.len() - 4) as u32;
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }

    /// One byte.
    pub fn i8(&mut self, value: i8) -> &mut Writer {
        self.bytes.push(value as u8);
        self
    }
    /// Two bytes.
    pub fn i16(&mut self, value: i16) -> &mut Writer {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }
    /// Four bytes; array lengths too.
    pub fn i32(&mut self, value: i32) -> &mut Writer {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }
    /// Eight bytes.
    pub fn i64(&mut self, value: i64) -> &mut Writer {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }
    /// A string with a two-byte length.
    pub fn str(&mut self, value: &str) -> &mut Writer {
        self.i16(value.len() as i16);
        self.bytes.extend_from_slice(value.as_bytes());
        self
    }
    /// The absent string.
    pub fn null_str(&mut self) -> &mut Writer {
        self.i16(-1)
    }
}

/// Reads what [`Writer`] writes; every step is checked against what remains.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the front.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Short> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    pub fn i8(&mut self) -> Result<i8, Short> {
        Ok(i8::from_be_bytes(self.array()?))
    }
    /// Two bytes.
    pub fn i16(&mut self) -> Result<i16, Short> {
        Ok(i16::from_be_bytes(self.array()?))
    }
    /// Four bytes.
    pub fn i32(&mut self) -> Result<i32, Short> {
        Ok(i32::from_be_bytes(self.array()?))
    }
    /// Eight bytes.
    pub fn i64(&mut self) -> Result<i64, Short> {
        Ok(i64::from_be_bytes(self.array()?))
    }
    /// A length, with -1 for "absent" read as 0.
    pub fn count(&mut self) -> Result<usize, Short> {
        Ok(self.i32()?.max(0) as usize)
    }
    /// A string with a two-byte length; -1 is the empty string.
    pub fn str(&mut self) -> Result<&'a str, Short> {
        let length = self.i16()?.max(0) as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| Short)
    }
    /// Bytes with a four-byte length; -1 is empty.
    pub fn bytes(&mut self) -> Result<&'a [u8], Short> {
        let length = self.count()?;
        self.take(length)
    }
}

/// The name of an error code that a benchmark meets; the number for the others.
pub fn error_name(code: i16) -> String {
    let name = match code {
        -1 => "UNKNOWN_SERVER_ERROR",
        1 => "OFFSET_OUT_OF_RANGE",
        2 => "CORRUPT_MESSAGE",
        3 => "UNKNOWN_TOPIC_OR_PARTITION",
        5 => "LEADER_NOT_AVAILABLE",
        6 => "NOT_LEADER_OR_FOLLOWER",
        7 => "REQUEST_TIMED_OUT",
        10 => "MESSAGE_TOO_LARGE",
        17 => "INVALID_TOPIC_EXCEPTION",
        18 => "RECORD_LIST_TOO_LARGE",
        19 => "NOT_ENOUGH_REPLICAS",
        20 => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        29 => "TOPIC_AUTHORIZATION_FAILED",
        32 => "INVALID_TIMESTAMP",
        35 => "UNSUPPORTED_VERSION",
        36 => "TOPIC_ALREADY_EXISTS",
        37 => "INVALID_PARTITIONS",
        38 => "INVALID_REPLICATION_FACTOR",
        40 => "INVALID_CONFIG",
        41 => "NOT_CONTROLLER",
        45 => "OUT_OF_ORDER_SEQUENCE_NUMBER",
        46 => "DUPLICATE_SEQUENCE_NUMBER",
        56 => "KAFKA_STORAGE_ERROR",
        59 => "UNKNOWN_PRODUCER_ID",
        70 => "FETCH_SESSION_ID_NOT_FOUND",
        71 => "INVALID_FETCH_SESSION_EPOCH",
        76 => "UNSUPPORTED_COMPRESSION_TYPE",
        87 => "INVALID_RECORD",
        89 => "THROTTLING_QUOTA_EXCEEDED",
        code => return format!("ERROR_{code}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_reads_what_writer_wrote_and_stops_at_the_end() {
        let mut to = Writer::response(7);
        to.i8(-1).i16(2).i64(3).str("topic").null_str().i32(2);
        let frame = to.frame();
        let mut from = Reader::new(&frame);
        assert_eq!(from.i32(), Ok(frame.len() as i32 - 4));
        assert_eq!(
            (from.i32(), from.i8(), from.i16(), from.i64()),
            (Ok(7), Ok(-1), Ok(2), Ok(3))
        );
        assert_eq!((from.str(), from.str()), (Ok("topic"), Ok("")));
        assert_eq!(from.bytes(), Err(Short));
    }
}
