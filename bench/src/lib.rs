//! The measuring stick: an open-loop load generator, the speed of light on this machine, and brokers side by side.

pub mod floor;
pub mod load;
pub mod machine;
pub mod selftest;
pub mod sys;
pub mod versus;
pub mod wire;
