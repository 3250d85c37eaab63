//! The simulator: whole nodes under a seed, on a fake disk and fake sockets, crashed at random events.

pub mod disk;
pub mod net;
pub mod trace;
pub mod world;
