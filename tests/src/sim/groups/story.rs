//! What members of groups asked and were told, as facts of a history, and every call of it with its answer.

use std::collections::BTreeMap;

use crate::sim::history::{Fact, History, Place};
use crate::sim::world::{ClientId, Start};

/// A group of the workload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GroupNo(pub u32);

impl GroupNo {
    pub fn name(self) -> String {
        format!("group-{}", self.0)
    }
}

/// A call of a member, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallNo(pub u32);

/// What a leader gives to a member: which of the group's units of work. `serial`: differs with each time it assigns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    pub serial: u32,
    pub units: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    Join {
        member: String,
        instance: Option<String>,
    },
    /// `assignments`: of the leader, by member id.
    Sync {
        generation: i32,
        member: String,
        assignments: Vec<(String, Assignment)>,
    },
    Heartbeat {
        generation: i32,
    },
    Leave,
    /// Generation -1: of nobody's group. No value is committed twice.
    Commit {
        generation: i32,
        offsets: Vec<(Place, i64)>,
    },
    /// `places`: all that may have been committed, where everything is asked for.
    Fetch {
        places: Vec<Place>,
    },
    DeleteOffsets {
        places: Vec<Place>,
    },
    DeleteGroup,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// `assigns`: it leads, and is to say who does what.
    Joined {
        generation: i32,
        member: String,
        assigns: bool,
    },
    /// `None`: nothing was assigned to it.
    Synced(Option<Assignment>),
    /// It is alive, it left, or the group was deleted.
    Done,
    /// Of a commit or a deletion of offsets: codes.
    Each(Vec<(Place, i16)>),
    /// -1: nothing is committed.
    Fetched(Vec<(Place, i64)>),
    Refused(i16),
}

/// A call and its answer; numbers are indexes of the history's entries.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub group: GroupNo,
    pub client: ClientId,
    pub life: Start,
    pub asked: &'a Asked,
    pub asked_at: usize,
    pub told: Option<(&'a Told, usize)>,
    /// Nothing comes of it after this: it was answered, or the process that was asked had ended.
    pub end: usize,
}

/// Codes that say: nothing was changed. Loading, generation, member, rebalance, fenced, not empty, unknown group,
/// subscribed, too large, unknown topic.
pub fn is_refusal(code: i16) -> bool {
    matches!(code, 3 | 12 | 14 | 22 | 25 | 27 | 68 | 69 | 82 | 86 | 100)
}

/// All calls, in the order asked.
pub fn calls(history: &History) -> Vec<Call<'_>> {
    // Where each life was over.
    let mut over: BTreeMap<Start, usize> = BTreeMap::new();
    let mut last = Start(0);
    for (at, entry) in history.entries.iter().enumerate() {
        while last < entry.life {
            over.insert(last, at.saturating_sub(1));
            last = Start(last.0 + 1);
        }
    }
    let mut calls = Vec::new();
    let mut by_number: BTreeMap<CallNo, usize> = BTreeMap::new();
    for (at, entry) in history.entries.iter().enumerate() {
        match &entry.fact {
            Fact::GroupAsked {
                call,
                client,
                group,
                asked,
            } => {
                by_number.insert(*call, calls.len());
                let end = over.get(&entry.life).copied();
                calls.push(Call {
                    group: *group,
                    client: *client,
                    life: entry.life,
                    asked,
                    asked_at: at,
                    told: None,
                    end: end.unwrap_or(usize::MAX).max(at),
                });
            }
            Fact::GroupTold { call, told } => {
                let call = &mut calls[by_number[call]];
                call.told = Some((told, at));
                call.end = call.end.min(at);
            }
            _ => {}
        }
    }
    calls
}

impl Call<'_> {
    /// It was answered: nothing came of it.
    pub fn is_refused(&self) -> bool {
        matches!(self.told, Some((Told::Refused(code), _)) if is_refusal(*code))
    }

    /// A deletion of the group that may have begun its life anew, between two moments.
    pub fn ends_life(&self) -> bool {
        matches!(self.asked, Asked::DeleteGroup) && !self.is_refused()
    }
}

/// Whether the group may have been deleted at some time between two moments.
pub fn deleted_between(calls: &[Call<'_>], group: GroupNo, from: usize, to: usize) -> bool {
    let mut deletions = calls
        .iter()
        .filter(|call| call.group == group && call.ends_life());
    deletions.any(|call| call.asked_at < to && call.end > from)
}
