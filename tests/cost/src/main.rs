//! Serves requests of one kind from one shard without a kernel, so that callgrind can count what they cost.
//!
//! ```text
//!  rig: node of one shard, files in memory, one client, a clock that moves with each pass
//!  kind: topic ─► requests that warm it ─► so many that count, one after the other, each until nothing is left to do
//!        only in these the node is passed through `what_is_counted`, which callgrind is told to look for
//! ```
//!
//! Nothing is drawn, and no clock is read: the same binary executes the same instructions in every run.

mod disk;
mod kind;
mod rig;

use std::process::ExitCode;

use kind::Kind;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let kind = words.next().and_then(|name| Kind::of_name(&name));
    let count = words.next().and_then(|count| count.parse().ok());
    let (Some(kind), Some(count), None) = (kind, count, words.next()) else {
        eprintln!("corelane-cost KIND COUNT\nkinds: {}", Kind::names());
        return ExitCode::from(2);
    };
    kind.serve(count);
    ExitCode::SUCCESS
}
