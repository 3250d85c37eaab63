//! Consumer groups: the classic group machine, its coordinator, and what both keep in `__consumer_offsets`.

pub mod beside;
pub mod call;
pub mod classic;
pub mod config;
pub mod coordinator;
mod entries;
mod handover;
mod load;
mod offsets;
pub mod records;
mod seat;
mod snapshot;
mod sweep;
mod wire;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;
