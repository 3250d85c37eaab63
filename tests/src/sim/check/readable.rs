//! Nobody is told that a partition cannot be read but where a bit was flipped, a write landed elsewhere, or an operation
//! failed in that life of the process.

use std::collections::BTreeSet;

use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "only what rots is unreadable";

const CORRUPT: i16 = 2;

pub fn check(history: &History) -> Result<(), String> {
    let (mut rotten, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for entry in &history.entries {
        match &entry.fact {
            Fact::Rotted(place) | Fact::Misplaced(place) => drop(rotten.insert(*place)),
            Fact::DiskFailed { .. } => drop(failed.insert(entry.life)),
            Fact::Unreadable { place, asked, code } => {
                let excused =
                    rotten.contains(place) || *code != CORRUPT && failed.contains(&entry.life);
                if !excused {
                    return Err(format!("{place:?} from {asked}: code {code}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
