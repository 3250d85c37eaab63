//! Harness, simulator and checkers. Product code never depends on this crate.

pub mod cost;
pub mod harness;
pub mod sim;
