//! The shard on a disk that reorders, tears and forgets: what was acknowledged is there after every crash.
//!
//! The whole broker is crashed in `tests/`; this is the same question asked of the log alone, thousands of times a second.

mod disk;
mod errors;
mod power;
mod rot;
mod run;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|s| s.parse().ok()).unwrap_or(otherwise)
}
