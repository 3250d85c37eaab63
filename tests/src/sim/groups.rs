//! The groups of a seed: members that join, work, fall silent and leave, while everything around them fails.
//!
//! ```text
//!  look, data, closed of a member ─► member ─► calls and answers, as facts
//!  calm: every group ── its offsets are read ─► every member steady in one generation ─► its offsets are read again ─► done
//! ```

pub mod line;
pub mod member;
pub mod story;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::rng::Rng;

use super::history::{Fact, History, Place};
use super::load::rarely;
use super::world::{ClientEvent, ClientId, Hands, Start};
use member::{Kind, Member};
use story::GroupNo;
use wire::{Timeouts, Who};

/// What the members of a group share out.
pub const UNITS: u8 = 8;

/// What a seed draws for its groups.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// 0: there are none.
    pub groups: u32,
    pub members_max: u64,
    /// Of 4 members, so many have an instance id.
    pub static_of_4: u64,
    /// Of 4 groups, so many are of consumers that assign themselves.
    pub alone_of_4: u64,
    /// Mean pause of a member between two looks, in microseconds.
    pub pause_us: u64,
    pub timeouts: Timeouts,
    pub habits: Habits,
    /// How long committed offsets live; `None`: for ever.
    pub offsets_live_ms: Option<u64>,
    /// The topic of the groups changes its class now and then.
    pub classes: bool,
}

/// How restless members are: once in so many looks.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    pub hang_up_one_in: u64,
    /// Each of: leaves, wants all to come again, begins anew, falls silent.
    pub restless_one_in: u64,
}

impl Crowd {
    pub const NONE: Crowd = Crowd {
        groups: 0,
        members_max: 1,
        static_of_4: 0,
        alone_of_4: 0,
        pause_us: 1_000,
        timeouts: Timeouts {
            session_ms: 300,
            rebalance_ms: 500,
        },
        habits: Habits {
            hang_up_one_in: 100,
            restless_one_in: 100,
        },
        offsets_live_ms: None,
        classes: false,
    };

    pub fn draw(rng: &mut Rng) -> Crowd {
        Crowd {
            offsets_live_ms: rng.one_in(4).then(|| [200, 1_000][rng.below(2) as usize]),
            classes: rng.one_in(4),
            groups: 1 + rng.below(4) as u32,
            members_max: 1 + rng.below(5),
            static_of_4: [0, 0, 2, 4][rng.below(4) as usize],
            alone_of_4: [0, 1, 2, 4][rng.below(4) as usize],
            pause_us: [300, 1_000, 4_000][rng.below(3) as usize],
            timeouts: Timeouts {
                session_ms: [100, 300, 1_000][rng.below(3) as usize],
                rebalance_ms: [100, 500, 2_000][rng.below(3) as usize],
            },
            habits: Habits {
                hang_up_one_in: [30, 200, 2_000][rng.below(3) as usize],
                restless_one_in: [10, 40, 200][rng.below(3) as usize],
            },
        }
    }
}

/// What surrounds one event of a member.
pub struct Common<'a> {
    pub history: &'a mut History,
    /// What may be committed of.
    pub places: &'a [Place],
    /// What was, in its group.
    pub committed: &'a mut BTreeSet<Place>,
    pub habits: Habits,
    pub classes: bool,
    /// Nothing new is to happen: members join, and stay.
    pub calm: bool,
    /// The group's offsets were read since then.
    pub read: bool,
    pub found: &'a mut bool,
    pub shaped: &'a mut bool,
    pub next_call: &'a mut u32,
    pub next_offset: &'a mut i64,
    pub next_serial: &'a mut u32,
}

/// How far a group is, once all is calm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Calm {
    Reading,
    Steadying,
    ReadingAgain,
    Done,
}

pub struct Groups {
    first: u32,
    members: Vec<Member>,
    shared: Shared,
    calm: Option<BTreeMap<GroupNo, Calm>>,
    /// Until then members look rarely.
    rests_until: u64,
    rng: Rng,
}

/// What all members know.
struct Shared {
    crowd: Crowd,
    committed: BTreeMap<GroupNo, BTreeSet<Place>>,
    /// The topic of the groups is there, and has small segments.
    found: bool,
    shaped: bool,
    next_call: u32,
    next_offset: i64,
    next_serial: u32,
}

impl Shared {
    /// For one event of a member of `group`, which is so calm.
    fn common<'a>(
        &'a mut self,
        group: GroupNo,
        calm: Option<Calm>,
        places: &'a [Place],
        history: &'a mut History,
    ) -> Common<'a> {
        let committed = self.committed.get_mut(&group);
        Common {
            history,
            places,
            committed: committed.expect("every group is there"),
            habits: self.crowd.habits,
            classes: self.crowd.classes,
            calm: calm.is_some(),
            read: calm.is_some_and(|calm| calm != Calm::Reading),
            found: &mut self.found,
            shaped: &mut self.shaped,
            next_call: &mut self.next_call,
            next_offset: &mut self.next_offset,
            next_serial: &mut self.next_serial,
        }
    }
}

impl Groups {
    /// `first`: the number of their first client.
    pub fn new(seed: u64, first: u32, crowd: Crowd) -> Groups {
        let mut rng = Rng::new(seed);
        let mut members = Vec::new();
        let mut committed = BTreeMap::new();
        for group in (0..crowd.groups).map(GroupNo) {
            committed.insert(group, BTreeSet::new());
            let alone = rng.below(4) < crowd.alone_of_4;
            for _ in 0..1 + rng.below(crowd.members_max) {
                let id = ClientId(first + members.len() as u32);
                let kind = match alone {
                    true => Kind::Alone,
                    false if rng.below(4) < crowd.static_of_4 => Kind::Static,
                    false => Kind::Dynamic,
                };
                let who = Who {
                    group,
                    member: String::new(),
                    instance: (kind == Kind::Static).then(|| format!("instance-{}", id.0)),
                    generation: -1,
                };
                members.push(Member::new(id, who, kind, crowd.timeouts, rng.next_u64()));
            }
        }
        Groups {
            first,
            members,
            shared: Shared {
                crowd,
                committed,
                found: false,
                shaped: false,
                next_call: 0,
                next_offset: 0,
                next_serial: 0,
            },
            calm: None,
            rests_until: 0,
            rng,
        }
    }

    pub fn begin(&mut self, now: u64, hands: &mut Hands) {
        for member in &self.members {
            hands.wake(member.id, now + self.rng.below(1_000_000));
        }
    }

    /// Whether this client is one of theirs.
    pub fn has(&self, id: ClientId) -> bool {
        id.0 >= self.first
    }

    /// Nothing fails, and nothing new is to happen, from now on.
    pub fn calm_down(&mut self) {
        if self.calm.is_none() {
            let groups = self.shared.committed.keys();
            self.calm = Some(groups.map(|group| (*group, Calm::Reading)).collect());
            for member in &mut self.members {
                (member.fetched, member.steady) = (false, None);
            }
        }
    }

    /// Until then members look rarely.
    pub fn rest(&mut self, until: u64) {
        self.rests_until = until;
    }

    /// Requests of members that were answered.
    pub fn answered(&self) -> u64 {
        self.members.iter().map(|member| member.line.answered).sum()
    }

    /// Every group is stable, and its offsets were read.
    pub fn is_done(&self) -> bool {
        let calm = self.calm.as_ref();
        calm.is_some_and(|groups| groups.values().all(|calm| *calm == Calm::Done))
    }

    /// The members of groups that are not.
    pub fn stuck(&self) -> String {
        let calm = self.calm.iter().flatten();
        let stuck: BTreeSet<GroupNo> = calm
            .filter(|(_, calm)| **calm != Calm::Done)
            .map(|(group, _)| *group)
            .collect();
        let members = self.members.iter();
        let members = members.filter(|member| stuck.contains(&member.who.group));
        let words: Vec<String> = members.map(Member::describe).collect();
        words.join("; ")
    }

    pub fn on(
        &mut self,
        now: u64,
        id: ClientId,
        event: ClientEvent,
        places: &[Place],
        history: &mut History,
        hands: &mut Hands,
    ) {
        let member = &mut self.members[(id.0 - self.first) as usize];
        let group = member.who.group;
        let calm = self.calm.as_ref().map(|groups| groups[&group]);
        let pause_us = self.shared.crowd.pause_us;
        let mut common = self.shared.common(group, calm, places, history);
        match event {
            ClientEvent::Wake => {
                // Once all is calm: often enough to be alive.
                let pause = match calm {
                    None => pause_us,
                    Some(_) => 8_000,
                };
                let wake = match now < self.rests_until {
                    true => rarely(now, self.rests_until, &mut self.rng),
                    false => now + 200_000 + self.rng.below(2_000 * pause),
                };
                hands.wake(id, wake);
                // There must be something to commit of.
                if !places.is_empty() || calm.is_some() {
                    member.look(now, &mut common, hands);
                }
            }
            ClientEvent::Refused => member.line.on_refused(),
            ClientEvent::Connected { conn, start } => member.line.on_connected(conn, start),
            ClientEvent::Closed { conn } => member.on_closed(conn),
            ClientEvent::Data { conn, bytes } => member.on_data(conn, &bytes, now, &mut common),
        }
        if let Some(calm) = calm {
            let life = self.members[(id.0 - self.first) as usize].line.life;
            self.settle(group, calm, now, life, places, history, hands);
        }
    }

    /// All is calm: how far is the group?
    #[expect(clippy::too_many_arguments, reason = "what surrounds one event")]
    fn settle(
        &mut self,
        group: GroupNo,
        calm: Calm,
        now: u64,
        life: Start,
        places: &[Place],
        history: &mut History,
        hands: &mut Hands,
    ) {
        let mut of_group = self.members.iter_mut().filter(|m| m.who.group == group);
        let reader = of_group.next().expect("a group has a member");
        let next = match calm {
            Calm::Reading | Calm::ReadingAgain if reader.fetched => {
                reader.fetched = false;
                match calm {
                    Calm::Reading => Calm::Steadying,
                    _ => Calm::Done,
                }
            }
            Calm::Reading | Calm::ReadingAgain => {
                if self.shared.found
                    && self.shared.shaped
                    && reader.is_idle()
                    && reader.line.ensure(hands)
                {
                    let mut common = self.shared.common(group, Some(calm), places, history);
                    reader.fetch_all(now, &mut common, hands);
                }
                calm
            }
            Calm::Steadying => {
                let steady = reader.steady;
                let alone = reader.kind == Kind::Alone;
                match alone || (steady.is_some() && of_group.all(|m| m.steady == steady)) {
                    true => {
                        history.note(now, life, Fact::GroupStable(group));
                        Calm::ReadingAgain
                    }
                    false => Calm::Steadying,
                }
            }
            Calm::Done => Calm::Done,
        };
        if let Some(groups) = &mut self.calm {
            groups.insert(group, next);
        }
    }
}
