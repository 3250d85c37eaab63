//! How fast the things of a world go.

use crate::sim::disk::Speed;

/// How fast things go, and what is printed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub disk: Speed,
    /// Bounds of usual delays, in microseconds.
    pub net_us: u64,
    pub mesh_us: u64,
    pub pass_us: u64,
    /// One in so many passes is late, by up to `stall_us`.
    pub stall_one_in: u64,
    pub stall_us: u64,
    /// Of 8 connections, so many have a client that reads slowly.
    pub slow_readers_of_8: u64,
    pub print: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            disk: Speed::default(),
            net_us: 100,
            mesh_us: 20,
            pass_us: 20,
            stall_one_in: 300,
            stall_us: 5_000,
            slow_readers_of_8: 0,
            print: false,
        }
    }
}
