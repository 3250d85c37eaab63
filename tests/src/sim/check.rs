//! The promises, one file each: every checker reads the history of a seed and names the first promise it finds broken.

pub mod acked;
pub mod bytes;
pub mod commits;
pub mod epochs;
pub mod exits;
pub mod fenced;
pub mod generations;
pub mod ghosts;
#[cfg(test)]
mod group_tests;
pub mod offsets;
pub mod once;
pub mod order;
pub mod owners;
pub mod progress;
pub mod readable;
pub mod refused;
pub mod stable;
pub mod starts;
#[cfg(test)]
mod tests;
pub mod times;
pub mod topics;

use super::history::History;

/// A broken promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    pub promise: &'static str,
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

/// A promise, and how it is judged.
type Check = (&'static str, fn(&History) -> Result<(), String>);

/// Promises about records, the reason for all others: a planted bug that harms them is to be noticed by one of these.
pub const ABOUT_DATA: [&str; 6] = [
    bytes::PROMISE,
    "acknowledged is readable",
    once::PROMISE,
    "in order",
    "offsets are dense and stable",
    "what was lost stays lost",
];

/// Judged while a seed runs: an end by its own will, or a refused start, needs a fault.
pub const STARTS: &str = "starts and lives without faults";

/// Everything that can be judged from a history.
pub fn all(history: &History) -> Vec<Violation> {
    let checks: [Check; 19] = [
        (bytes::PROMISE, bytes::check),
        ("acknowledged is readable", acked::check),
        (once::PROMISE, once::check),
        ("in order", order::check),
        ("offsets are dense and stable", offsets::check),
        (refused::PROMISE, refused::check),
        ("what was lost stays lost", ghosts::check),
        ("the time of an append is said once", times::check),
        (readable::PROMISE, readable::check),
        (exits::PROMISE, exits::check),
        (progress::PROMISE, progress::check),
        ("topics stay created, or deleted", topics::check),
        (commits::PROMISE, commits::check),
        (generations::PROMISE, generations::check),
        (owners::PROMISE, owners::check),
        (fenced::PROMISE, fenced::check),
        (stable::PROMISE, stable::check),
        (starts::PROMISE, starts::check),
        (epochs::PROMISE, epochs::check),
    ];
    let broken = checks
        .into_iter()
        .filter_map(|(promise, check)| Some((promise, check(history).err()?)));
    broken
        .map(|(promise, what)| Violation { promise, what })
        .collect()
}
