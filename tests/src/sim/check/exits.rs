//! After a failed write or flush nobody knows what is on disk: the process ends, and names its disk. What it says in
//! that life it says before.

use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "a failing disk ends the process";

/// What was said before may be on its way so long, in nanoseconds; a slow reader takes its time.
const ON_ITS_WAY: u64 = 5_000_000_000;

pub fn check(history: &History) -> Result<(), String> {
    let mut failed = None;
    for entry in &history.entries {
        match &entry.fact {
            Fact::DiskFailed {
                what, fatal: true, ..
            } => {
                failed.get_or_insert((entry.life, entry.at, what));
            }
            Fact::Exited { what, disk } => {
                if !disk {
                    return Err(format!("the disk failed, and the end was {what}"));
                }
                failed = None;
            }
            // A crash came first, or a stop while it started: it promised nothing, and the next start does it all again.
            Fact::Killed | Fact::PowerCut | Fact::StoppedEarly => failed = None,
            Fact::Acked { .. } | Fact::Served { .. } => {
                if let Some((life, at, what)) = failed
                    && entry.life == life
                    && entry.at > at + ON_ITS_WAY
                {
                    let ms = (entry.at - at) / 1_000_000;
                    return Err(format!(
                        "{what} failed, and {ms} ms later: {:?}",
                        entry.fact
                    ));
                }
            }
            _ => {}
        }
    }
    match failed {
        Some((life, _, what)) => Err(format!("{what} failed, and {life:?} went on to its end")),
        None => Ok(()),
    }
}
