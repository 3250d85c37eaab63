//! The Kafka side of Corelane: frames, codecs, the API table, one file per API, connections, worker.

pub mod altering;
pub mod answers;
pub mod api;
pub mod broker_configs;
pub mod configs;
pub mod conn;
pub mod context;
pub mod desk;
pub mod error_code;
pub mod event;
pub mod frame;
pub mod listeners;
pub mod metrics;
pub mod node;
pub mod requests;
pub mod sessions;
pub mod storage;
pub mod unsent;
#[cfg(feature = "uring")]
pub mod uring;
pub mod worker;

pub use corelane_protocol as protocol;
