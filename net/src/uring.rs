//! The kernel half of the Kafka side: sockets and the drive loop. No protocol decision.

pub mod counters;
pub mod drive;
mod listener;
pub mod observer;
mod pool;
mod shard;
mod signals;
mod sockets;
#[cfg(test)]
mod tests;
