//! Record batches of magic 2: header, client checks, stored checks, time lookups, builder. Pure functions over bytes.

pub mod build;
pub mod check;
pub mod decompress;
pub mod header;
pub mod reader;
pub mod times;
pub mod walk;

pub use build::{BatchBuilder, Draft};
pub use check::{CheckedBatch, Rules, check};
pub use header::{BatchHeader, Codec, TimestampType, VerifyError, verify};
pub use reader::{Damaged, Reader};
pub use times::{offset_of_max_timestamp, scan_for_timestamp};
