//! Syncs, heartbeats, leaves and the right to commit: what members do once they have joined.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::members::MemberKey;
use super::{Caller, ClassicGroup, Then, Turn};
use crate::group::call::{GroupDone, GroupError, GroupState, Leaving, MemberRef, Sync, Synced};
use crate::group::records::GroupValue;

impl ClassicGroup {
    /// A member asks for its assignment; the leader brings those of all.
    pub fn sync(&mut self, to: Caller, sync: Sync, turn: &mut Turn<'_>) {
        let key = match self.check_sync(&sync) {
            Ok(key) => key,
            Err(error) => return turn.refuse(to, error),
        };
        match self.state {
            GroupState::PreparingRebalance => turn.refuse(to, GroupError::RebalanceInProgress),
            GroupState::CompletingRebalance => {
                let member = self.members.get_mut(key).expect("just checked");
                if let Some(before) = member.syncing.replace(to) {
                    turn.refuse(before, GroupError::RebalanceInProgress);
                }
                self.pending_sync.remove(&key);
                if self.leader == Some(key) {
                    self.assign(sync.assignments, turn);
                }
            }
            GroupState::Stable => {
                self.pending_sync.remove(&key);
                let synced = self.synced(key);
                turn.answer(to, Ok(GroupDone::Synced(synced)));
            }
            GroupState::Empty | GroupState::Dead => turn.refuse(to, GroupError::UnknownMember),
        }
    }

    fn check_sync(&self, sync: &Sync) -> Result<MemberKey, GroupError> {
        let key = self
            .members
            .check(&sync.who.member, sync.who.instance.as_deref())?;
        if sync.who.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |asked: &Option<String>, have: &Option<String>| matches!((asked, have), (Some(asked), Some(have)) if asked != have);
        if differs(&sync.protocol_type, &self.protocol_type)
            || differs(&sync.protocol_name, &self.protocol)
        {
            return Err(GroupError::InconsistentProtocol);
        }
        Ok(key)
    }

    /// Writes the leader's assignment. One per generation: a second one, of a leader that did not hear the answer, waits
    /// for the first.
    fn assign(&mut self, assignments: Vec<(String, Bytes)>, turn: &mut Turn<'_>) {
        if self.assigning == Some(self.generation) {
            return;
        }
        self.assigning = Some(self.generation);
        let assignments: BTreeMap<String, Bytes> = assignments.into_iter().collect();
        let value = self.value(|member| assignments.get(&member.id).cloned().unwrap_or_default());
        let generation = self.generation;
        self.write(value, Then::Assigned { generation }, turn);
    }

    pub(super) fn on_assigned(
        &mut self,
        generation: i32,
        result: Result<GroupValue, GroupError>,
        turn: &mut Turn<'_>,
    ) {
        if self.assigning == Some(generation) {
            self.assigning = None;
        }
        // Another rebalance began meanwhile: nobody gets it.
        if generation != self.generation || self.state != GroupState::CompletingRebalance {
            return;
        }
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                self.reset_assignments(&error, turn);
                return self.rebalance(turn);
            }
        };
        for member in value.members {
            if let Some(key) = self.members.find(&member.member) {
                let seat = self.members.get_mut(key).expect("just found");
                seat.assignment = member.assignment;
            }
        }
        for key in self.members.keys() {
            let member = self.members.get_mut(key).expect("just listed");
            if let Some(to) = member.syncing.take() {
                let synced = self.synced(key);
                turn.answer(to, Ok(GroupDone::Synced(synced)));
                self.expect_life(key, turn);
            }
        }
        self.transition(GroupState::Stable, turn);
    }

    /// Nobody has an assignment; those that wait for one are told why.
    pub(super) fn reset_assignments(&mut self, error: &GroupError, turn: &mut Turn<'_>) {
        for key in self.members.keys() {
            let member = self.members.get_mut(key).expect("just listed");
            member.assignment = Bytes::new();
            if let Some(to) = member.syncing.take() {
                turn.refuse(to, error.clone());
                self.expect_life(key, turn);
            }
        }
    }

    fn synced(&self, key: MemberKey) -> Synced {
        let member = self.members.get(key);
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment: member.map_or_else(Bytes::new, |m| m.assignment.clone()),
        }
    }

    /// Members that did not ask for their assignment in time are out.
    pub(super) fn on_sync_timer(&mut self, turn: &mut Turn<'_>) {
        let waiting = matches!(
            self.state,
            GroupState::CompletingRebalance | GroupState::Stable
        );
        if !waiting || self.pending_sync.is_empty() {
            return;
        }
        for key in std::mem::take(&mut self.pending_sync) {
            self.drop_member(key, &GroupError::UnknownMember, turn);
        }
        self.prepare_rebalance(turn);
    }

    /// A sign of life.
    pub fn heartbeat(&mut self, who: &MemberRef, turn: &mut Turn<'_>) -> Result<(), GroupError> {
        let key = self.members.check(&who.member, who.instance.as_deref())?;
        if who.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            GroupState::Empty | GroupState::Dead => Err(GroupError::UnknownMember),
            GroupState::PreparingRebalance => {
                self.expect_life(key, turn);
                Err(GroupError::RebalanceInProgress)
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.expect_life(key, turn);
                Ok(())
            }
        }
    }

    /// Members go. One result per entry.
    pub fn leave(
        &mut self,
        leaving: &[Leaving],
        turn: &mut Turn<'_>,
    ) -> Vec<Result<(), GroupError>> {
        let results: Vec<Result<(), GroupError>> = leaving
            .iter()
            .map(|who| self.leave_one(who, turn))
            .collect();
        if results.iter().any(Result::is_ok) {
            match self.state {
                GroupState::Stable | GroupState::CompletingRebalance => {
                    self.prepare_rebalance(turn)
                }
                GroupState::PreparingRebalance => self.complete_if_all_joined(turn),
                GroupState::Empty | GroupState::Dead => {}
            }
        }
        results
    }

    fn leave_one(&mut self, who: &Leaving, turn: &mut Turn<'_>) -> Result<(), GroupError> {
        let instance = who.instance.as_deref();
        // An administrator removes a static member by its instance alone.
        let key = if who.member.is_empty() {
            let found = instance.and_then(|instance| self.members.find_static(instance));
            found.ok_or(GroupError::UnknownMember)?
        } else if let Some(key) = self.members.find_pending(&who.member) {
            self.drop_pending(key, turn);
            return Ok(());
        } else {
            self.members.check(&who.member, instance)?
        };
        self.drop_member(key, &GroupError::UnknownMember, turn);
        Ok(())
    }

    /// Whether this member may commit now; its commit is a sign of life.
    pub fn check_commit(&mut self, who: &MemberRef, turn: &mut Turn<'_>) -> Result<(), GroupError> {
        if who.generation < 0 && self.state == GroupState::Empty {
            // From an administrator, or a consumer that assigns itself.
            return Ok(());
        }
        if who.generation < 0 && who.member.is_empty() && who.instance.is_none() {
            return match self.state {
                GroupState::Empty => Ok(()),
                _ => Err(GroupError::UnknownMember),
            };
        }
        let key = self.members.check(&who.member, who.instance.as_deref())?;
        if who.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            GroupState::CompletingRebalance => return Err(GroupError::RebalanceInProgress),
            GroupState::Stable | GroupState::PreparingRebalance => self.expect_life(key, turn),
            GroupState::Empty | GroupState::Dead => {}
        }
        Ok(())
    }
}
