//! What a request costs, told without a clock: instructions and allocations by callgrind, syscalls by strace.
//!
//! ```text
//!  corelane-cost under callgrind ─► a profile for each kind ─┐
//!  the broker under strace, one client ─► calls entered ─────┴─► figures ─► beside perf/cost.json ─► table
//! ```

pub mod callgrind;
pub mod figures;
pub mod syscalls;
