//! The kernel half of the engine: ring, disk, registered memory, mesh, clock, host. The only `unsafe` and the only
//! threads' meeting point in this crate; no decision about logs or Kafka.

pub mod clock;
pub mod disk;
pub mod host;
pub mod lock;
pub mod memory;
pub mod mesh;
pub mod ring;
pub mod slab;
pub mod spsc;
pub mod wake;
