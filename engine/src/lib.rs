//! Corelane's machines: batches, journal, log, partitions, controller, shard. Our words, no Kafka keys, no sockets.
//!
//! Everything outside [`uring`] is pure: no clock, thread, file, socket or randomness of its own. Time, limits and
//! randomness are arguments; effects are data. The same code runs in the broker and in the simulator.

pub mod batch;
pub mod call;
pub mod controller;
pub mod disk;
pub mod fatal;
pub mod flow;
pub mod group;
pub mod hash;
pub mod limits;
pub mod log;
pub mod rng;
pub mod shard;
pub mod types;
#[cfg(feature = "uring")]
pub mod uring;
