//! The members of one classic group: who they are, which protocols all of them speak, and who still has to come.
//!
//! Every question that a request asks is answered without a look at all members: they are counted as they come and go.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Caller;
use crate::group::call::GroupError;
use crate::types::Instant;

/// A member within its group, in the order in which they came; never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberKey(pub u32);

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub id: String,
    pub instance: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// Name and metadata, the preferred one first.
    pub protocols: Vec<(String, Bytes)>,
    pub assignment: Bytes,
    /// Has not been told its id yet: waiting in a join does not keep it alive.
    pub new: bool,
    pub(super) joining: Option<Joining>,
    pub(super) syncing: Option<Caller>,
    pub(super) life: Life,
}

/// A join that waits for the rebalance to complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Joining {
    pub(super) to: Caller,
    pub(super) skip_assignment: bool,
}

/// Until when a member counts as alive. The timer runs behind: it is moved when it fires, not at every heartbeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Life {
    pub(super) until: Instant,
    pub(super) armed: Option<Instant>,
}

/// An id that was given out and has not joined yet (KIP-394).
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) id: String,
    pub(super) life: Life,
}

/// What is behind an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seat {
    Member(MemberKey),
    Pending(MemberKey),
}

#[derive(Debug, Default)]
pub(super) struct Members {
    members: BTreeMap<MemberKey, Member>,
    pending: BTreeMap<MemberKey, Pending>,
    seats: BTreeMap<String, Seat>,
    statics: BTreeMap<String, MemberKey>,
    /// By name: how many members speak it.
    protocols: BTreeMap<String, usize>,
    joining: usize,
    next_key: u32,
}

impl Member {
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let mut protocols = self.protocols.iter();
        let found = protocols.find(|(name, _)| name == protocol);
        found.map_or_else(Bytes::new, |(_, metadata)| metadata.clone())
    }

    /// Waiting for the others keeps a member alive, unless it is new.
    pub(super) fn waits(&self) -> bool {
        !self.new && (self.joining.is_some() || self.syncing.is_some())
    }

    fn vote<'a>(&'a self, candidates: &BTreeSet<&str>) -> Option<&'a str> {
        let mut names = self.protocols.iter().map(|(name, _)| name.as_str());
        names.find(|name| candidates.contains(name))
    }
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (MemberKey, &Member)> {
        self.members.iter().map(|(key, member)| (*key, member))
    }

    pub(super) fn keys(&self) -> Vec<MemberKey> {
        self.members.keys().copied().collect()
    }

    pub(super) fn get(&self, key: MemberKey) -> Option<&Member> {
        self.members.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: MemberKey) -> Option<&mut Member> {
        self.members.get_mut(&key)
    }

    pub(super) fn find(&self, id: &str) -> Option<MemberKey> {
        match self.seats.get(id) {
            Some(Seat::Member(key)) => Some(*key),
            Some(Seat::Pending(_)) | None => None,
        }
    }

    pub(super) fn find_pending(&self, id: &str) -> Option<MemberKey> {
        match self.seats.get(id) {
            Some(Seat::Pending(key)) => Some(*key),
            Some(Seat::Member(_)) | None => None,
        }
    }

    pub(super) fn find_static(&self, instance: &str) -> Option<MemberKey> {
        self.statics.get(instance).copied()
    }

    pub(super) fn pending_mut(&mut self, key: MemberKey) -> Option<&mut Pending> {
        self.pending.get_mut(&key)
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.values()
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// How many wait in a join.
    pub(super) fn joining(&self) -> usize {
        self.joining
    }

    /// Nobody has to come any more.
    pub(super) fn all_joined(&self) -> bool {
        self.joining == self.members.len() && self.pending.is_empty()
    }

    /// The member that an id, and an instance where one is named, stand for.
    pub(super) fn check(&self, id: &str, instance: Option<&str>) -> Result<MemberKey, GroupError> {
        if let Some(instance) = instance {
            let Some(key) = self.find_static(instance) else {
                return Err(GroupError::UnknownMember);
            };
            if self.members[&key].id != id {
                return Err(GroupError::FencedInstance);
            }
        }
        self.find(id).ok_or(GroupError::UnknownMember)
    }

    /// Whether a member with these protocols can share one with all others.
    pub(super) fn supports(&self, protocols: &[(String, Bytes)]) -> bool {
        let everybody = self.members.len();
        protocols
            .iter()
            .any(|(name, _)| self.protocols.get(name).copied().unwrap_or(0) == everybody)
    }

    fn next_key(&mut self) -> MemberKey {
        self.next_key += 1;
        MemberKey(self.next_key - 1)
    }

    pub(super) fn add(&mut self, member: Member) -> MemberKey {
        let key = self.next_key();
        if let Some(instance) = &member.instance {
            let before = self.statics.insert(instance.clone(), key);
            assert_eq!(before, None, "{instance} is a member already");
        }
        if let Some(Seat::Pending(was)) = self.seats.insert(member.id.clone(), Seat::Member(key)) {
            self.pending.remove(&was);
        }
        self.joining += usize::from(member.joining.is_some());
        count(&mut self.protocols, &member.protocols);
        self.members.insert(key, member);
        key
    }

    pub(super) fn add_pending(&mut self, id: String, life: Life) -> MemberKey {
        let key = self.next_key();
        self.seats.insert(id.clone(), Seat::Pending(key));
        self.pending.insert(key, Pending { id, life });
        key
    }

    pub(super) fn remove_pending(&mut self, key: MemberKey) -> Option<Pending> {
        let pending = self.pending.remove(&key)?;
        self.seats.remove(&pending.id);
        Some(pending)
    }

    pub(super) fn remove(&mut self, key: MemberKey) -> Option<Member> {
        let member = self.members.remove(&key)?;
        self.seats.remove(&member.id);
        if let Some(instance) = &member.instance {
            self.statics.remove(instance);
        }
        self.joining -= usize::from(member.joining.is_some());
        discount(&mut self.protocols, &member.protocols);
        Some(member)
    }

    /// A static member is known by another id from now on; the seat stays. Returns the old id.
    pub(super) fn rename(&mut self, key: MemberKey, id: String) -> String {
        let member = self.members.get_mut(&key).expect("a member is renamed");
        let old = std::mem::replace(&mut member.id, id.clone());
        self.seats.remove(&old);
        self.seats.insert(id, Seat::Member(key));
        old
    }

    pub(super) fn set_protocols(&mut self, key: MemberKey, protocols: Vec<(String, Bytes)>) {
        let member = self.members.get_mut(&key).expect("a member has protocols");
        discount(&mut self.protocols, &member.protocols);
        count(&mut self.protocols, &protocols);
        member.protocols = protocols;
    }

    /// Notes that a member waits in a join, or does no more. Returns the join that waited until now.
    pub(super) fn set_joining(
        &mut self,
        key: MemberKey,
        joining: Option<Joining>,
    ) -> Option<Joining> {
        let member = self.members.get_mut(&key).expect("a member joins");
        self.joining += usize::from(joining.is_some());
        let before = std::mem::replace(&mut member.joining, joining);
        self.joining -= usize::from(before.is_some());
        before
    }

    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        let timeouts = self.members.values().map(|m| m.rebalance_timeout_ms);
        timeouts.max().unwrap_or(0).max(0)
    }

    /// The protocol that most members prefer among those that all of them speak; of equals the first by name.
    pub(super) fn elect_protocol(&self) -> Option<String> {
        let everybody = self.members.len();
        let candidates: BTreeSet<&str> = self
            .protocols
            .iter()
            .filter(|(_, speakers)| **speakers == everybody)
            .map(|(name, _)| name.as_str())
            .collect();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            *votes.entry(member.vote(&candidates)?).or_default() += 1;
        }
        let most = votes.values().copied().max()?;
        let elected = votes.into_iter().find(|(_, count)| *count == most);
        elected.map(|(name, _)| name.to_owned())
    }
}

/// A name that a member gives twice counts once.
fn names(protocols: &[(String, Bytes)]) -> BTreeSet<&str> {
    protocols.iter().map(|(name, _)| name.as_str()).collect()
}

fn count(speakers: &mut BTreeMap<String, usize>, protocols: &[(String, Bytes)]) {
    for name in names(protocols) {
        match speakers.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(speakers.insert(name.to_owned(), 1)),
        }
    }
}

fn discount(speakers: &mut BTreeMap<String, usize>, protocols: &[(String, Bytes)]) {
    for name in names(protocols) {
        let count = speakers.get_mut(name).expect("it was counted");
        *count -= 1;
        if *count == 0 {
            speakers.remove(name);
        }
    }
}
