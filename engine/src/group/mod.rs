//! Consumer groups: the classic group machine, its coordinator, and what both keep in `__consumer_offsets`.

pub mod call;
