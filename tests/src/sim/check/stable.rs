//! Once nothing fails any more, every group is stable again, and soon.

use std::collections::BTreeSet;

use super::progress::WITHIN;
use crate::sim::groups::story::GroupNo;
use crate::sim::history::{Fact, History};

pub const PROMISE: &str = "groups are stable again once faults heal";

pub fn check(history: &History) -> Result<(), String> {
    let mut entries = history.entries.iter();
    let asked = history.entries.iter().filter_map(|entry| match entry.fact {
        Fact::GroupAsked { group, .. } => Some(group),
        _ => None,
    });
    let mut waiting: BTreeSet<GroupNo> = asked.collect();
    let healed = entries.find(|entry| matches!(entry.fact, Fact::Healed));
    let Some(healed) = healed else {
        return Ok(());
    };
    for entry in entries {
        if let Fact::GroupStable(group) = entry.fact {
            waiting.remove(&group);
            let took = entry.at - healed.at;
            if took > WITHIN {
                let ms = took / 1_000_000;
                return Err(format!("{group:?} was stable after {ms} ms"));
            }
        }
    }
    match waiting.first() {
        Some(group) => Err(format!("{group:?} never was")),
        None => Ok(()),
    }
}
