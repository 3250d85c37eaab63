//! The Kafka side of Corelane: frames, codecs, the API table, one file per API, connections, worker.

pub mod event;
#[cfg(feature = "uring")]
pub mod uring;
