//! The log of one partition: segments, indexes, epochs, producers, and the memory they are written from.

pub mod buffers;
pub mod epochs;
pub mod index;
pub mod producers;
