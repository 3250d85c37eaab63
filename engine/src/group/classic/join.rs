//! Joins, and the rebalance that they start: from the first member to the next generation.

use bytes::Bytes;

use super::members::{Joining, Life, Member, MemberKey};
use super::{
    Caller, ClassicGroup, Effect, GENERATIONS_AHEAD, Initial, RETRY, Renamed, Then, Timer, Turn,
    later,
};
use crate::group::call::{GroupDone, GroupError, GroupState, Join, Joined};

/// What a join says, with memory of its own: a slice of the request would keep its buffer.
struct Asked {
    to: Caller,
    join: Join,
}

impl ClassicGroup {
    /// A member wants in, or wants the others to come again.
    pub fn join(&mut self, to: Caller, mut join: Join, turn: &mut Turn<'_>) {
        for (_, metadata) in &mut join.protocols {
            *metadata = Bytes::copy_from_slice(metadata);
        }
        if !self.accepts(&join.member, turn) {
            self.forget(&join.member, turn);
            return turn.refuse(to, GroupError::GroupMaxSize);
        }
        let speaks = match self.state {
            GroupState::Empty => !join.protocol_type.is_empty() && !join.protocols.is_empty(),
            _ => {
                self.protocol_type.as_ref() == Some(&join.protocol_type)
                    && self.members.supports(&join.protocols)
            }
        };
        if !speaks {
            return turn.refuse(to, GroupError::InconsistentProtocol);
        }
        let asked = Asked { to, join };
        match asked.join.member.is_empty() {
            true => self.join_new(asked, turn),
            false => self.join_known(asked, turn),
        }
        // A generation is handed out once a record of the group is durable: the sooner it is written, the better.
        if self.recorded.is_none() && !self.reserving && !self.is_vacant() {
            self.reserve(turn);
        }
    }

    /// Whether there is room for one more (`group.max.size`). While members come again, those that came first are in.
    fn accepts(&self, id: &str, turn: &Turn<'_>) -> bool {
        let member = self.members.find(id).and_then(|key| self.members.get(key));
        match self.state {
            GroupState::Empty | GroupState::Dead => true,
            GroupState::PreparingRebalance => {
                member.is_some_and(|m| m.joining.is_some())
                    || self.members.joining() < turn.config.members_max
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_some() || self.members.len() < turn.config.members_max
            }
        }
    }

    fn forget(&mut self, id: &str, turn: &mut Turn<'_>) {
        if let Some(key) = self.members.find_pending(id) {
            self.drop_pending(key, turn);
        } else if let Some(key) = self.members.find(id) {
            self.drop_member(key, &GroupError::UnknownMember, turn);
        }
    }

    fn join_new(&mut self, asked: Asked, turn: &mut Turn<'_>) {
        let Asked { to, join } = &asked;
        let id = new_id(join.instance.as_ref().unwrap_or(&join.client_id), turn);
        if let Some(instance) = &join.instance {
            match self.members.find_static(instance) {
                Some(key) => self.come_back(asked, key, id, turn),
                None => self.add(asked, id, turn),
            }
        } else if join.member_id_required {
            let at = turn.after_ms(join.session_timeout_ms);
            let life = Life {
                until: at,
                armed: Some(at),
            };
            let key = self.members.add_pending(id.clone(), life);
            turn.out.push(Effect::Arm(at, Timer::Member(key)));
            turn.refuse(*to, GroupError::MemberIdRequired { member: id });
        } else {
            self.add(asked, id, turn);
        }
    }

    fn join_known(&mut self, asked: Asked, turn: &mut Turn<'_>) {
        let Asked { to, join } = &asked;
        let to = *to;
        if let Some(key) = self.members.find_pending(&join.member) {
            if join.instance.is_some() {
                // A pending member is never a static one.
                return turn.refuse(to, GroupError::UnknownMember);
            }
            self.drop_pending(key, turn);
            let id = join.member.clone();
            return self.add(asked, id, turn);
        }
        let key = match self.members.check(&join.member, join.instance.as_deref()) {
            Ok(key) => key,
            Err(error) => return turn.refuse(to, error),
        };
        let member = self.members.get(key).expect("just found");
        let same = member.protocols == join.protocols;
        match self.state {
            GroupState::PreparingRebalance => self.update(asked, key, turn),
            // It may not have heard the answer to its join.
            GroupState::CompletingRebalance if same => {
                let joined = self.joined(key, self.leader == Some(key), false);
                turn.answer(to, Ok(GroupDone::Joined(joined)));
            }
            GroupState::CompletingRebalance => self.update(asked, key, turn),
            // The leader comes again for changes that its metadata does not show.
            GroupState::Stable if self.leader == Some(key) || !same => {
                self.update(asked, key, turn)
            }
            GroupState::Stable => {
                let joined = self.joined(key, false, false);
                turn.answer(to, Ok(GroupDone::Joined(joined)));
            }
            GroupState::Empty | GroupState::Dead => turn.refuse(to, GroupError::UnknownMember),
        }
    }

    fn add(&mut self, asked: Asked, id: String, turn: &mut Turn<'_>) {
        let Asked { to, join } = asked;
        if self.state == GroupState::PreparingRebalance && self.from_empty {
            self.joined_meanwhile = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type);
        }
        let key = self.members.add(Member {
            id,
            instance: join.instance,
            client_id: join.client_id,
            client_host: join.client_host,
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: join.session_timeout_ms,
            protocols: join.protocols,
            assignment: Bytes::new(),
            new: true,
            joining: Some(Joining {
                to,
                skip_assignment: join.skip_assignment_supported,
            }),
            syncing: None,
            life: Life::default(),
        });
        self.leader.get_or_insert(key);
        // It cannot send heartbeats before it knows its id, and a connection that waits says nothing: a join that takes
        // this long is given up, and the client comes again.
        let until = turn.now.mono.after(turn.config.new_member_join_timeout);
        self.expect_life_until(key, until, turn);
        self.rebalance(turn);
    }

    fn update(&mut self, asked: Asked, key: MemberKey, turn: &mut Turn<'_>) {
        self.take_join(asked, key, turn);
        self.rebalance(turn);
    }

    /// Notes what a member's join says, and that it waits.
    fn take_join(&mut self, asked: Asked, key: MemberKey, turn: &mut Turn<'_>) {
        let Asked { to, join } = asked;
        self.members.set_protocols(key, join.protocols);
        let member = self.members.get_mut(key).expect("it was just found");
        member.rebalance_timeout_ms = join.rebalance_timeout_ms;
        member.session_timeout_ms = join.session_timeout_ms;
        let joining = Joining {
            to,
            skip_assignment: join.skip_assignment_supported,
        };
        // A second join of the same member takes the place of the first, which nobody waits for any more.
        if let Some(before) = self.members.set_joining(key, Some(joining)) {
            turn.refuse(before.to, GroupError::RebalanceInProgress);
        }
    }

    /// A static member comes back without its id: it gets a new one, and whoever uses the old one is fenced.
    fn come_back(&mut self, asked: Asked, key: MemberKey, id: String, turn: &mut Turn<'_>) {
        self.refuse_member(key, &GroupError::FencedInstance, turn);
        let leader = self.leader_id().unwrap_or_default();
        let old_id = self.members.rename(key, id.clone());
        self.expect_life(key, turn);
        let member = self.members.get(key).expect("just renamed");
        let renamed = Renamed {
            member: key,
            id,
            old_id,
            old_protocols: member.protocols.clone(),
            old_rebalance_timeout_ms: member.rebalance_timeout_ms,
            old_session_timeout_ms: member.session_timeout_ms,
            leader,
        };
        self.take_join(asked, key, turn);
        match self.state {
            GroupState::Stable if self.members.elect_protocol() == self.protocol => {
                let value = self.value(|member| member.assignment.clone());
                self.write(value, Then::Renamed(Box::new(renamed)), turn);
            }
            // The leader may hold the old id, for which its assignment would be.
            GroupState::Stable | GroupState::CompletingRebalance => self.prepare_rebalance(turn),
            GroupState::PreparingRebalance => self.complete_if_all_joined(turn),
            GroupState::Empty | GroupState::Dead => {
                unreachable!("a group with a member is not {:?}", self.state)
            }
        }
    }

    pub(super) fn on_renamed(
        &mut self,
        renamed: Renamed,
        result: Result<(), GroupError>,
        turn: &mut Turn<'_>,
    ) {
        let key = renamed.member;
        // A rebalance that began meanwhile answers the join; so does the next record, if it came back once more.
        if self.state != GroupState::Stable {
            return;
        }
        let member = self
            .members
            .get(key)
            .filter(|member| member.id == renamed.id);
        let Some(joining) = member.and_then(|member| member.joining) else {
            return;
        };
        match result {
            Ok(()) => {
                let skip = joining.skip_assignment;
                let leads = skip && self.leader == Some(key);
                let mut joined = self.joined(key, leads, leads);
                if !skip {
                    // An older client that led would assign anew if it saw that it still does.
                    joined.leader = renamed.leader;
                }
                self.members.set_joining(key, None);
                turn.answer(joining.to, Ok(GroupDone::Joined(joined)));
            }
            Err(error) => {
                self.members.set_joining(key, None);
                self.members.rename(key, renamed.old_id);
                self.members.set_protocols(key, renamed.old_protocols);
                let member = self.members.get_mut(key).expect("just renamed");
                member.rebalance_timeout_ms = renamed.old_rebalance_timeout_ms;
                member.session_timeout_ms = renamed.old_session_timeout_ms;
                self.expect_life(key, turn);
                turn.refuse(joining.to, error);
            }
        }
    }

    /// Begins a rebalance, or ends the one under way if everybody is there.
    pub(super) fn rebalance(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            GroupState::Empty | GroupState::CompletingRebalance | GroupState::Stable => {
                self.prepare_rebalance(turn);
            }
            GroupState::PreparingRebalance => self.complete_if_all_joined(turn),
            GroupState::Dead => {}
        }
    }

    pub(super) fn complete_if_all_joined(&mut self, turn: &mut Turn<'_>) {
        // The first rebalance of an empty group is ended by time alone.
        if self.state == GroupState::PreparingRebalance
            && !self.from_empty
            && self.members.all_joined()
        {
            self.complete_join(turn);
        }
    }

    pub(super) fn prepare_rebalance(&mut self, turn: &mut Turn<'_>) {
        if self.state == GroupState::CompletingRebalance {
            self.reset_assignments(&GroupError::RebalanceInProgress, turn);
        }
        self.pending_sync.clear();
        self.disarm_sync(turn);
        self.from_empty = self.state == GroupState::Empty;
        self.transition(GroupState::PreparingRebalance, turn);
        let timeout_ms = self.members.rebalance_timeout_ms();
        if self.from_empty {
            let delay_ms = turn.config.initial_rebalance_delay_ms.max(0);
            self.initial = Some(Initial {
                delay_ms,
                remaining_ms: (timeout_ms - delay_ms).max(0),
            });
            self.joined_meanwhile = false;
            self.arm_join(turn.after_ms(delay_ms), turn);
        } else if self.members.all_joined() {
            self.complete_join(turn);
        } else {
            self.arm_join(turn.after_ms(timeout_ms), turn);
        }
    }

    pub(super) fn on_join_timer(&mut self, turn: &mut Turn<'_>) {
        if self.state != GroupState::PreparingRebalance {
            return;
        }
        let Some(initial) = self.initial.take() else {
            return self.complete_join(turn);
        };
        if !std::mem::take(&mut self.joined_meanwhile) || initial.remaining_ms == 0 {
            return self.complete_join(turn);
        }
        // Somebody came: others may follow.
        let Initial {
            delay_ms,
            remaining_ms,
        } = initial;
        let next_ms = turn
            .config
            .initial_rebalance_delay_ms
            .min(remaining_ms)
            .max(0);
        self.initial = Some(Initial {
            delay_ms: next_ms,
            remaining_ms: (remaining_ms - delay_ms).max(0),
        });
        self.arm_join(turn.after_ms(next_ms), turn);
    }

    /// The members that are there go on; dynamic ones that are not are out.
    pub(super) fn complete_join(&mut self, turn: &mut Turn<'_>) {
        self.disarm_join(turn);
        self.initial = None;
        let late = |(key, member): (MemberKey, &Member)| {
            (member.joining.is_none() && member.instance.is_none()).then_some(key)
        };
        let late: Vec<MemberKey> = self.members.iter().filter_map(late).collect();
        for key in late {
            self.drop_member(key, &GroupError::UnknownMember, turn);
        }
        if self.members.is_empty() {
            return self.become_empty(turn);
        }
        if !self.elect_leader() {
            // Static members only, none of which came: their sessions will tell.
            let timeout_ms = self.members.rebalance_timeout_ms();
            return self.arm_join(turn.after_ms(timeout_ms), turn);
        }
        if !self.may_hand_out() {
            self.completing = true;
            return self.reserve(turn);
        }
        self.begin_generation(turn);
    }

    /// The leader stays if it came; otherwise the oldest member that did leads. False: nobody came.
    fn elect_leader(&mut self) -> bool {
        let came = |key: MemberKey| self.members.get(key).is_some_and(|m| m.joining.is_some());
        if !self.leader.is_some_and(came) {
            let mut members = self.members.iter();
            match members.find(|(_, member)| member.joining.is_some()) {
                Some((key, _)) => self.leader = Some(key),
                None => return false,
            }
        }
        true
    }

    fn may_hand_out(&self) -> bool {
        let bound =
            |recorded: i32| self.next_generation <= recorded.saturating_add(GENERATIONS_AHEAD);
        self.recorded.is_some_and(bound)
    }

    /// Says in a record how far the generations went. After a crash it stands for an empty group: whoever was in it
    /// comes again.
    fn reserve(&mut self, turn: &mut Turn<'_>) {
        if std::mem::replace(&mut self.reserving, true) {
            return;
        }
        let mut value = self.empty_value();
        value.generation = self.next_generation - 1;
        self.write(value, Then::Reserved, turn);
    }

    pub(super) fn on_reserved(&mut self, done: bool, turn: &mut Turn<'_>) {
        self.reserving = false;
        if !std::mem::take(&mut self.completing) || self.state != GroupState::PreparingRebalance {
            return;
        }
        match done {
            true => self.complete_join(turn),
            false => self.arm_join(turn.now.mono.after(RETRY), turn),
        }
    }

    fn next(&mut self) {
        self.generation = self.next_generation;
        self.next_generation = later(self.generation, 1);
        self.pending_sync.clear();
        self.from_empty = false;
        self.completing = false;
    }

    fn become_empty(&mut self, turn: &mut Turn<'_>) {
        self.next();
        self.protocol = None;
        self.leader = None;
        self.transition(GroupState::Empty, turn);
        self.subscribed = self.compute_subscribed();
        let value = self.empty_value();
        self.write(value, Then::Emptied, turn);
    }

    fn begin_generation(&mut self, turn: &mut Turn<'_>) {
        self.next();
        let elected = self.members.elect_protocol();
        self.protocol = Some(elected.expect("a member that shares no protocol is not let in"));
        self.subscribed = self.compute_subscribed();
        self.transition(GroupState::CompletingRebalance, turn);
        for key in self.members.keys() {
            if let Some(joining) = self.members.set_joining(key, None) {
                let joined = self.joined(key, self.leader == Some(key), false);
                turn.answer(joining.to, Ok(GroupDone::Joined(joined)));
            }
            self.expect_life(key, turn);
            self.members.get_mut(key).expect("just listed").new = false;
            self.pending_sync.insert(key);
        }
        let timeout_ms = self.members.rebalance_timeout_ms();
        self.arm_sync(turn.after_ms(timeout_ms), turn);
    }

    /// The group as a member is told of it; `all`: with the members, for who leads.
    fn joined(&self, key: MemberKey, all: bool, skip_assignment: bool) -> Joined {
        let protocol = self.protocol.as_deref().unwrap_or("");
        // Looked through for the leader alone: everybody else is told in a rebalance, too.
        let listed = all.then(|| self.members.iter()).into_iter().flatten();
        let members = listed.map(|(_, m)| (m.id.clone(), m.instance.clone(), m.metadata(protocol)));
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            leader: self.leader_id().unwrap_or_default(),
            member: self
                .members
                .get(key)
                .map_or_else(String::new, |m| m.id.clone()),
            skip_assignment,
            members: members.collect(),
        }
    }
}

/// `prefix-UUID`, as Kafka gives them: a random UUID of version 4.
fn new_id(prefix: &str, turn: &mut Turn<'_>) -> String {
    let mut uuid = turn.rng.bytes16();
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    format!(
        "{prefix}-{}-{}-{}-{}-{}",
        hex(&uuid[..4]),
        hex(&uuid[4..6]),
        hex(&uuid[6..8]),
        hex(&uuid[8..10]),
        hex(&uuid[10..])
    )
}
