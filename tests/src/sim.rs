//! The simulator: whole nodes under a seed, on a fake disk and fake sockets, crashed at random events.
//!
//! ```text
//!  campaign: seeds on all cores ─► swarm: options of a seed ─► world { disk, net, machines } ◄─► load { clients }
//!      ▲ ledger, violations ◄── check: promises ◄── history ◄──────────────────────────────────────────┘
//!                                        canary: machines whose disk lies, which the checkers must notice
//! ```

pub mod campaign;
pub mod canary;
pub mod check;
pub mod client;
pub mod disk;
pub mod faults;
pub mod groups;
pub mod history;
pub mod load;
pub mod net;
pub mod session;
pub mod swarm;
pub mod trace;
pub mod wire;
pub mod world;
