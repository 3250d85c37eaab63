//! The log of one shard's partitions: journal, segments, indexes, epochs, producers, checkpoints, recovery.

pub mod buffers;
pub mod checkpoint;
pub mod epochs;
pub mod extent;
pub mod group;
pub mod index;
pub mod journal;
pub mod layout;
pub mod partition;
pub mod producers;
pub mod recover;
pub mod segment;
pub mod trim;
pub mod verify;
pub mod watchers;
pub mod write_back;
