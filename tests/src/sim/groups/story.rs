//! What members of groups asked and were told, as facts of a history, and every call of it with its answer.

use std::collections::BTreeMap;

use corelane_net::event::ConnId;

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
    /// Calls of one connection take effect in the order asked.
    pub conn: ConnId,
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
                conn,
                group,
                asked,
            } => {
                by_number.insert(*call, calls.len());
                let end = over.get(&entry.life).copied();
                calls.push(Call {
                    group: *group,
                    client: *client,
                    conn: *conn,
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
}

/// What may have taken from a group without anybody having asked for it.
pub struct Doubts<'a> {
    history: &'a History,
    /// Since then its topic may acknowledge before the flush.
    weak: Option<usize>,
    /// Where power was cut, or the disk lost something.
    cuts: Vec<usize>,
    /// Deletions of groups that were not refused: where they began and ended.
    deletions: Vec<(GroupNo, usize, usize)>,
}

/// Clocks have milliseconds.
const A_MOMENT: u64 = 1_000_000;

impl<'a> Doubts<'a> {
    pub fn new(history: &'a History, calls: &[Call<'_>]) -> Doubts<'a> {
        let mut doubts = Doubts {
            history,
            weak: None,
            cuts: Vec::new(),
            deletions: Vec::new(),
        };
        for (at, entry) in history.entries.iter().enumerate() {
            match entry.fact {
                Fact::OffsetsWeak => drop(doubts.weak.get_or_insert(at)),
                Fact::PowerCut | Fact::DiskFailed { lost: true, .. } => doubts.cuts.push(at),
                _ => {}
            }
        }
        let deletes = |call: &&Call<'_>| matches!(call.asked, Asked::DeleteGroup);
        let deletions = calls
            .iter()
            .filter(deletes)
            .filter(|call| !call.is_refused());
        doubts.deletions = deletions
            .map(|call| (call.group, call.asked_at, call.end))
            .collect();
        doubts
    }

    /// Whether the group may have begun anew at some time between two moments: deleted, swept away because it was empty,
    /// or lost by a cut.
    pub fn begun_anew(&self, group: GroupNo, from: usize, to: usize) -> bool {
        let mut deletions = self.deletions.iter().filter(|(of, ..)| *of == group);
        self.history.offsets_live.is_some()
            || self.lost(from, to)
            || deletions.any(|(_, asked, end)| *asked < to && *end > from)
    }

    /// Whether what was committed at one moment may have expired by another.
    pub fn expired(&self, from: usize, to: usize) -> bool {
        let entries = &self.history.entries;
        let at = |moment: usize| entries[moment.min(entries.len() - 1)].at;
        let age = at(to).saturating_sub(at(from)) + A_MOMENT;
        self.history.offsets_live.is_some_and(|live| age >= live)
    }

    /// Whether a cut may have taken something between two moments.
    pub fn lost(&self, from: usize, to: usize) -> bool {
        let first = self.cuts.partition_point(|cut| *cut < from);
        let cut = self.cuts.get(first).is_some_and(|cut| *cut < to);
        cut && self.weak.is_some_and(|weak| weak < to)
    }
}
