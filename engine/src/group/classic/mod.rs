//! One classic group: who is in it, in which generation, and what each member was given.
//!
//! ```text
//!            first join                       all joined, or time is up                 leader's assignment durable
//!   Empty ─────────────► PreparingRebalance ─────────────────────────► CompletingRebalance ───────────► Stable
//!     ▲                   ▲     │  ▲   ▲                                  │      │                        │
//!     └── nobody is left ─┼─────┘  │   └── join, leave, silence ──────────┘      └─ sync missing           │
//!                         └────────┴───────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A pure machine with Kafka's rules (`ClassicGroup` and the classic paths of `GroupMetadataManager`, 4.3.1). It says what
//! is to be written, and is told what became of it: an assignment is handed out once it is durable.
//!
//! **Generations never repeat**, which Kafka does not promise: it hands out a generation that only the leader's assignment
//! records. Here at most [`GENERATIONS_AHEAD`] of them may be handed out past the last one recorded; before the next, a
//! record without members says how far it went. A start skips as many.

mod join;
mod members;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

pub use members::MemberKey;
use members::{Life, Member, Members};

use super::call::{Description, GroupDone, GroupError, GroupState, MemberDescription};
use super::config::GroupConfig;
use super::records::{self, GroupValue, MemberValue};
use crate::call::RequestToken;
use crate::rng::Rng;
use crate::types::{Instant, Now, ShardId, Timestamp};

/// Generations that may be handed out past the last one that a record holds.
pub const GENERATIONS_AHEAD: i32 = 1;

/// The protocol type of consumers: only their metadata is understood.
const CONSUMER: &str = "consumer";

/// How soon a rebalance that could not be recorded is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Who asked: the request, and its own index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Caller {
    pub shard: ShardId,
    pub request: RequestToken,
    pub slot: u32,
}

/// What a group waits for besides requests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Timer {
    /// The members' joins.
    Join,
    /// The members' syncs.
    Sync,
    /// A sign of life.
    Member(MemberKey),
}

/// What a group wants done.
#[derive(Debug)]
pub enum Effect {
    Answer(Caller, Result<GroupDone, GroupError>),
    /// To be appended; what became of it is told by [`ClassicGroup::on_written`].
    Write(GroupValue, Then),
    Arm(Instant, Timer),
    Disarm(Instant, Timer),
}

/// Why a group was written.
#[derive(Clone, Debug)]
pub enum Then {
    /// So that generations up to here plus [`GENERATIONS_AHEAD`] may be handed out.
    Reserved,
    /// Nobody is left.
    Emptied,
    /// The leader's assignment.
    Assigned { generation: i32 },
    /// A static member came back under another id.
    Renamed(Box<Renamed>),
}

/// What a static member was before it came back.
#[derive(Clone, Debug)]
pub struct Renamed {
    member: MemberKey,
    id: String,
    old_id: String,
    old_protocols: Vec<(String, Bytes)>,
    old_rebalance_timeout_ms: i32,
    old_session_timeout_ms: i32,
    /// Who led before, by the id it had.
    leader: String,
}

/// One event's surroundings.
pub struct Turn<'a> {
    pub now: Now,
    pub config: &'a GroupConfig,
    /// Draws member ids.
    pub rng: &'a mut Rng,
    pub out: &'a mut Vec<Effect>,
}

impl Turn<'_> {
    fn answer(&mut self, to: Caller, result: Result<GroupDone, GroupError>) {
        self.out.push(Effect::Answer(to, result));
    }

    fn refuse(&mut self, to: Caller, error: GroupError) {
        self.answer(to, Err(error));
    }

    fn after_ms(&self, timeout_ms: i32) -> Instant {
        let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
        self.now.mono.after(Duration::from_millis(timeout_ms))
    }
}

/// Which of a group's offsets may expire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// None: the group is at work, or it is not known what it reads.
    Never,
    /// All, so long after the group became empty; after their commit where that is not known.
    SinceEmpty(Option<Timestamp>),
    /// Those of topics that are not subscribed, so long after their commit.
    SinceCommit,
}

/// The first rebalance of an empty group waits a little for more members, as long as more come.
#[derive(Clone, Copy, Debug)]
struct Initial {
    delay_ms: i32,
    remaining_ms: i32,
}

/// One group. Owned by the coordinator of its partition.
#[derive(Debug)]
pub struct ClassicGroup {
    state: GroupState,
    /// When the state last changed; unknown for groups written by old brokers.
    since: Option<Timestamp>,
    protocol_type: Option<String>,
    protocol: Option<String>,
    generation: i32,
    /// The next one to be handed out.
    next_generation: i32,
    leader: Option<MemberKey>,
    members: Members,
    pending_sync: BTreeSet<MemberKey>,
    /// `None`: not known.
    subscribed: Option<BTreeSet<String>>,
    /// The rebalance under way began with an empty group.
    from_empty: bool,
    initial: Option<Initial>,
    joined_meanwhile: bool,
    join_timer: Option<Instant>,
    sync_timer: Option<Instant>,
    /// Generation of the newest durable record; `None`: there is no record.
    recorded: Option<i32>,
    /// A record that lets the next generation be handed out is on its way, and whether a rebalance waits for it.
    reserving: bool,
    completing: bool,
    /// The assignment of this generation is on its way.
    assigning: Option<i32>,
    /// Records on their way.
    writes: usize,
}

impl ClassicGroup {
    pub fn new(now: Now) -> ClassicGroup {
        ClassicGroup {
            state: GroupState::Empty,
            since: Some(now.wall),
            protocol_type: None,
            protocol: None,
            generation: 0,
            next_generation: 1,
            leader: None,
            members: Members::default(),
            pending_sync: BTreeSet::new(),
            subscribed: None,
            from_empty: false,
            initial: None,
            joined_meanwhile: false,
            join_timer: None,
            sync_timer: None,
            recorded: None,
            reserving: false,
            completing: false,
            assigning: None,
            writes: 0,
        }
    }

    /// The group of a record. Its members have no timers until [`ClassicGroup::on_loaded`].
    pub fn of_record(value: GroupValue, now: Now) -> ClassicGroup {
        let mut group = ClassicGroup::new(now);
        let GroupValue {
            protocol_type,
            generation,
            protocol,
            leader,
            since,
            members,
        } = value;
        group.since = since;
        group.protocol_type = Some(protocol_type).filter(|name| !name.is_empty());
        group.generation = generation;
        group.next_generation = later(generation, 1 + GENERATIONS_AHEAD);
        group.recorded = Some(generation);
        for member in members {
            let MemberValue {
                member: id,
                instance,
                client_id,
                client_host,
                rebalance_timeout_ms,
                session_timeout_ms,
                subscription,
                assignment,
            } = member;
            let known = group.members.find(&id).is_some();
            if known
                || instance
                    .as_ref()
                    .is_some_and(|i| group.members.find_static(i).is_some())
            {
                tracing::warn!(member = %id, "a group's record names a member twice; the second is passed over");
                continue;
            }
            let spoken = protocol.clone().unwrap_or_default();
            let key = group.members.add(Member {
                id,
                instance,
                client_id,
                client_host,
                rebalance_timeout_ms,
                session_timeout_ms,
                protocols: vec![(spoken, subscription)],
                assignment,
                new: false,
                joining: None,
                syncing: None,
                life: Life::default(),
            });
            group.leader.get_or_insert(key);
        }
        if let Some(leader) = leader.and_then(|id| group.members.find(&id)) {
            group.leader = Some(leader);
        }
        group.protocol = protocol;
        if !group.members.is_empty() {
            group.state = GroupState::Stable;
        }
        group.subscribed = group.compute_subscribed();
        group
    }

    /// Everything was read: the members have as long as ever to show that they are there.
    pub fn on_loaded(&mut self, turn: &mut Turn<'_>) {
        for key in self.members.keys() {
            self.expect_life(key, turn);
        }
        if self.members.len() > turn.config.members_max {
            self.prepare_rebalance(turn);
        }
    }

    /// The partition is here no more: who waits is told to look elsewhere, and nothing is timed any more.
    pub fn on_unloaded(&mut self, error: &GroupError, turn: &mut Turn<'_>) {
        self.refuse_waiting(error, turn);
        self.disarm_join(turn);
        self.disarm_sync(turn);
        for (key, member) in self.members.iter() {
            if let Some(at) = member.life.armed {
                turn.out.push(Effect::Disarm(at, Timer::Member(key)));
            }
        }
        for pending in self.members.pending() {
            if let Some((at, key)) = pending
                .life
                .armed
                .zip(self.members.find_pending(&pending.id))
            {
                turn.out.push(Effect::Disarm(at, Timer::Member(key)));
            }
        }
    }

    /// Whoever waits in a join or sync is answered with an error.
    pub fn refuse_waiting(&mut self, error: &GroupError, turn: &mut Turn<'_>) {
        for key in self.members.keys() {
            self.refuse_member(key, error, turn);
        }
    }

    pub fn state(&self) -> GroupState {
        self.state
    }

    pub fn protocol_type(&self) -> &str {
        self.protocol_type.as_deref().unwrap_or("")
    }

    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// Nothing would be lost with it: it never had a record, nor members.
    pub fn is_vacant(&self) -> bool {
        self.recorded.is_none()
            && self.writes == 0
            && self.members.is_empty()
            && !self.members.has_pending()
            // A rebalance whose members are all gone still ends by its timer.
            && self.state == GroupState::Empty
    }

    /// Empty, and nobody is about to come.
    pub fn is_deserted(&self) -> bool {
        self.state == GroupState::Empty && !self.members.has_pending() && self.writes == 0
    }

    /// Whether a record of it is durable.
    pub fn is_recorded(&self) -> bool {
        self.recorded.is_some()
    }

    fn is_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether a member reads the topic, as far as it is known.
    pub fn is_subscribed(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumers(),
        }
    }

    pub fn expiry(&self) -> Expiry {
        if self.protocol_type.is_none() {
            return Expiry::SinceCommit;
        }
        match self.state {
            GroupState::Empty => Expiry::SinceEmpty(self.since),
            GroupState::Stable if self.is_consumers() && self.subscribed.is_some() => {
                Expiry::SinceCommit
            }
            GroupState::Stable
            | GroupState::PreparingRebalance
            | GroupState::CompletingRebalance
            | GroupState::Dead => Expiry::Never,
        }
    }

    pub fn check_delete(&self) -> Result<(), GroupError> {
        match self.state {
            GroupState::Empty => Ok(()),
            GroupState::Dead => Err(GroupError::GroupNotFound),
            GroupState::Stable
            | GroupState::PreparingRebalance
            | GroupState::CompletingRebalance => Err(GroupError::NonEmptyGroup),
        }
    }

    pub fn check_delete_offsets(&self) -> Result<(), GroupError> {
        match self.check_delete() {
            Err(GroupError::NonEmptyGroup) if self.is_consumers() => Ok(()),
            checked => checked,
        }
    }

    pub fn describe(&self) -> Description {
        let stable = self.state == GroupState::Stable;
        let protocol = self.protocol.as_deref().filter(|_| stable).unwrap_or("");
        let members = self.members.iter().map(|(_, member)| MemberDescription {
            member: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: match stable {
                true => member.metadata(protocol),
                false => Bytes::new(),
            },
            assignment: member.assignment.clone(),
        });
        Description {
            state: self.state,
            protocol_type: self.protocol_type().to_owned(),
            protocol_name: protocol.to_owned(),
            members: members.collect(),
        }
    }

    /// A timer is due.
    pub fn on_timer(&mut self, timer: Timer, turn: &mut Turn<'_>) {
        match timer {
            Timer::Join => {
                self.join_timer = None;
                self.on_join_timer(turn);
            }
            Timer::Sync => {
                self.sync_timer = None;
                self.on_sync_timer(turn);
            }
            Timer::Member(key) => self.on_silence(key, turn),
        }
    }

    /// What became of a record: its durable bytes, or why there are none.
    pub fn on_written(
        &mut self,
        then: Then,
        result: Result<&Bytes, GroupError>,
        turn: &mut Turn<'_>,
    ) {
        self.writes -= 1;
        let written =
            result.and_then(|bytes| GroupValue::decode(bytes).map_err(|_| GroupError::Storage));
        if let Ok(value) = &written {
            self.recorded = Some(value.generation);
        }
        match then {
            Then::Reserved => self.on_reserved(written.is_ok(), turn),
            // Unwritten, the generation before becomes active again after a crash, and times out.
            Then::Emptied => {}
            Then::Assigned { generation } => self.on_assigned(generation, written, turn),
            Then::Renamed(renamed) => self.on_renamed(*renamed, written.map(drop), turn),
        }
    }

    fn transition(&mut self, to: GroupState, turn: &Turn<'_>) {
        self.state = to;
        self.since = Some(turn.now.wall);
    }

    /// The group as its record would hold it, each member with its assignment.
    fn value(&self, assignment: impl Fn(&Member) -> Bytes) -> GroupValue {
        let protocol = self.protocol.as_deref().unwrap_or("");
        let members = self.members.iter().map(|(_, member)| MemberValue {
            member: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(protocol),
            assignment: assignment(member),
        });
        GroupValue {
            members: members.collect(),
            leader: self.leader_id(),
            protocol: self.protocol.clone(),
            ..self.empty_value()
        }
    }

    fn empty_value(&self) -> GroupValue {
        GroupValue {
            protocol_type: self.protocol_type().to_owned(),
            generation: self.generation,
            protocol: None,
            leader: None,
            since: self.since,
            members: Vec::new(),
        }
    }

    fn write(&mut self, value: GroupValue, then: Then, turn: &mut Turn<'_>) {
        self.writes += 1;
        turn.out.push(Effect::Write(value, then));
    }

    fn leader_id(&self) -> Option<String> {
        let leader = self.leader.and_then(|key| self.members.get(key));
        leader.map(|member| member.id.clone())
    }

    fn compute_subscribed(&self) -> Option<BTreeSet<String>> {
        if !self.is_consumers() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for (_, member) in self.members.iter() {
            match records::subscribed_topics(&member.metadata(protocol)) {
                Ok(names) => topics.extend(names),
                Err(_) => {
                    tracing::debug!(protocol, "it is not known what a group's members read");
                    return None;
                }
            }
        }
        Some(topics)
    }

    /// Expects the next sign of life within the member's session timeout.
    fn expect_life(&mut self, key: MemberKey, turn: &mut Turn<'_>) {
        if let Some(member) = self.members.get(key) {
            let until = turn.after_ms(member.session_timeout_ms);
            self.expect_life_until(key, until, turn);
        }
    }

    fn expect_life_until(&mut self, key: MemberKey, until: Instant, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get_mut(key) else {
            return;
        };
        member.life.until = until;
        match member.life.armed {
            Some(at) if at <= until => {}
            armed => {
                if let Some(at) = armed {
                    turn.out.push(Effect::Disarm(at, Timer::Member(key)));
                }
                member.life.armed = Some(until);
                turn.out.push(Effect::Arm(until, Timer::Member(key)));
            }
        }
    }

    /// Nothing was heard of a member, at least when the timer was set.
    fn on_silence(&mut self, key: MemberKey, turn: &mut Turn<'_>) {
        if let Some(pending) = self.members.pending_mut(key) {
            pending.life.armed = None;
            self.members.remove_pending(key);
            if self.state == GroupState::PreparingRebalance && self.members.all_joined() {
                self.complete_join(turn);
            }
            return;
        }
        let Some(member) = self.members.get_mut(key) else {
            return;
        };
        member.life.armed = None;
        let until = member.life.until;
        if until > turn.now.mono {
            self.expect_life_until(key, until, turn);
        } else if !member.waits() {
            self.drop_member(key, &GroupError::UnknownMember, turn);
            self.on_member_gone(turn);
        }
    }

    fn on_member_gone(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            GroupState::Stable | GroupState::CompletingRebalance => self.prepare_rebalance(turn),
            GroupState::PreparingRebalance if self.members.all_joined() => self.complete_join(turn),
            GroupState::PreparingRebalance | GroupState::Empty | GroupState::Dead => {}
        }
    }

    /// Takes a member out; what it waits for is refused. The oldest member leads where it led.
    fn drop_member(&mut self, key: MemberKey, error: &GroupError, turn: &mut Turn<'_>) {
        self.refuse_member(key, error, turn);
        let Some(member) = self.members.remove(key) else {
            return;
        };
        if let Some(at) = member.life.armed {
            turn.out.push(Effect::Disarm(at, Timer::Member(key)));
        }
        self.pending_sync.remove(&key);
        if self.leader == Some(key) {
            self.leader = self.members.iter().next().map(|(key, _)| key);
        }
    }

    fn drop_pending(&mut self, key: MemberKey, turn: &mut Turn<'_>) {
        if let Some(at) = self.members.remove_pending(key).and_then(|p| p.life.armed) {
            turn.out.push(Effect::Disarm(at, Timer::Member(key)));
        }
    }

    fn refuse_member(&mut self, key: MemberKey, error: &GroupError, turn: &mut Turn<'_>) {
        if self.members.get(key).is_none() {
            return;
        }
        if let Some(joining) = self.members.set_joining(key, None) {
            turn.refuse(joining.to, error.clone());
        }
        let member = self.members.get_mut(key).expect("just seen");
        if let Some(to) = member.syncing.take() {
            turn.refuse(to, error.clone());
        }
    }

    fn arm_join(&mut self, at: Instant, turn: &mut Turn<'_>) {
        self.disarm_join(turn);
        self.join_timer = Some(at);
        turn.out.push(Effect::Arm(at, Timer::Join));
    }

    fn disarm_join(&mut self, turn: &mut Turn<'_>) {
        if let Some(at) = self.join_timer.take() {
            turn.out.push(Effect::Disarm(at, Timer::Join));
        }
    }

    fn arm_sync(&mut self, at: Instant, turn: &mut Turn<'_>) {
        self.disarm_sync(turn);
        self.sync_timer = Some(at);
        turn.out.push(Effect::Arm(at, Timer::Sync));
    }

    fn disarm_sync(&mut self, turn: &mut Turn<'_>) {
        if let Some(at) = self.sync_timer.take() {
            turn.out.push(Effect::Disarm(at, Timer::Sync));
        }
    }
}

/// A generation so many later; after the last comes the first.
fn later(generation: i32, by: i32) -> i32 {
    generation.checked_add(by).unwrap_or(by)
}

#[cfg(test)]
pub(super) const MEMBER_BYTES: usize = size_of::<(MemberKey, Member)>();
