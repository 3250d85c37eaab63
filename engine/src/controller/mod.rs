//! The cluster's metadata: commands checked and committed through Raft, folded into the image that every shard holds.

pub mod codec;
pub mod command;
pub mod image;
pub mod names;
pub mod placement;
pub mod topic_config;
