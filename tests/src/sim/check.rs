//! The promises, one file each: every checker reads the history of a seed and names the first promise it finds broken.

pub mod acked;
pub mod bytes;
pub mod offsets;
pub mod once;
pub mod order;
pub mod refused;
pub mod starts;
#[cfg(test)]
mod tests;
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

/// Everything that can be judged from a history.
pub fn all(history: &History) -> Vec<Violation> {
    let checks: [Check; 8] = [
        ("bytes are served as sent", bytes::check),
        ("acknowledged is readable", acked::check),
        ("once", once::check),
        ("in order", order::check),
        ("offsets are dense and stable", offsets::check),
        ("refused never appears", refused::check),
        ("logs never begin earlier again", starts::check),
        ("topics stay created, or deleted", topics::check),
    ];
    let broken = checks
        .into_iter()
        .filter_map(|(promise, check)| Some((promise, check(history).err()?)));
    broken
        .map(|(promise, what)| Violation { promise, what })
        .collect()
}
