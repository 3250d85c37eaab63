//! Once nothing fails any more, every group is stable again, and soon.

use super::progress::soon;
use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "groups are stable again once faults heal";

pub fn check(history: &History) -> Result<(), String> {
    let asked = history.entries.iter().filter_map(|entry| match entry.fact {
        Fact::GroupAsked { group, .. } => Some(group),
        _ => None,
    });
    soon(history, asked.collect(), |fact| match fact {
        Fact::GroupStable(group) => Some(*group),
        _ => None,
    })
}
