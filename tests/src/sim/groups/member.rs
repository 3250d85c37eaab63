//! One member of a group, as a client without its own patience: it asks one thing at a time (three, who is alone), forgets what a lost
//! connection took, and is now and then slow, silent, or born anew.
//!
//! ```text
//!   Out ── join ─► (79: again, with an id) ─► Joined ── sync ─► In ── heartbeat, commit, fetch, … ─┐
//!    ▲                                          │ 22, 27: joins again, under its id              │
//!    └── 25, 82, left, begins anew: without id ─┴────────────────────────────────────────────────┘
//! ```

mod calls;

use std::collections::VecDeque;

use bytes::BytesMut;
use corelane_engine::rng::Rng;
use corelane_net::event::ConnId;
use kafka_protocol::messages::{FindCoordinatorRequest, IncrementalAlterConfigsRequest};

use super::line::Line;
use super::story::{Asked, Assignment, CallNo, Told};
use super::wire::{Timeouts, Who};
use super::{Common, UNITS};
use crate::harness::wire::decode_response;
use crate::sim::history::{Fact, Place};
use crate::sim::world::{ClientId, Hands, Start};

/// How a member belongs to its group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Dynamic,
    /// Has an instance id, which outlives its member ids.
    Static,
    /// Assigns itself: it commits and fetches, and is no member.
    Alone,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Out,
    /// `members`: it leads these, and says who does what.
    Joined {
        members: Option<Vec<String>>,
    },
    In,
}

/// What is asked.
#[derive(Debug)]
enum Ask {
    Find,
    /// Small segments for the topic of the groups, and perhaps a class.
    Shape(Option<&'static str>),
    Call(CallNo, Asked),
}

#[derive(Debug)]
struct Waiting {
    correlation: i32,
    version: i16,
    ask: Ask,
}

pub struct Member {
    pub id: ClientId,
    pub line: Line,
    pub who: Who,
    pub kind: Kind,
    state: State,
    /// In the order asked.
    waiting: VecDeque<Waiting>,
    /// Asked at once, at most: one who assigns itself need not wait.
    in_flight_max: usize,
    timeouts: Timeouts,
    /// The word of its subscription.
    word: u32,
    silent_until: u64,
    /// It was silent: what it does next it does as the one that it was.
    overdue: bool,
    /// The generation in which it was told, since its group was read after everything healed, that it is alive.
    pub steady: Option<i32>,
    /// Its fetch of everything was answered.
    pub fetched: bool,
    rng: Rng,
}

impl Member {
    pub fn new(id: ClientId, who: Who, kind: Kind, timeouts: Timeouts, seed: u64) -> Member {
        Member {
            id,
            line: Line::new(id),
            who,
            kind,
            state: State::Out,
            waiting: VecDeque::new(),
            in_flight_max: match kind {
                Kind::Alone => 1 + (seed % 3) as usize,
                Kind::Dynamic | Kind::Static => 1,
            },
            timeouts,
            word: 0,
            silent_until: 0,
            overdue: false,
            steady: None,
            fetched: false,
            rng: Rng::new(seed),
        }
    }

    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// For a report of what never came.
    pub fn describe(&self) -> String {
        let Member {
            id,
            who,
            state,
            waiting,
            steady,
            ..
        } = self;
        format!("{id:?} {who:?}: {state:?}, steady in {steady:?}, waits for {waiting:?}")
    }

    pub fn on_closed(&mut self, conn: ConnId) {
        if self.line.on_closed(conn) {
            self.waiting.clear();
        }
    }

    fn hang_up(&mut self, hands: &mut Hands) {
        let reset = self.rng.one_in(2);
        self.line.hang_up(reset, hands);
        self.waiting.clear();
    }

    /// Out of the group, as far as it knows itself.
    fn forget(&mut self) {
        self.state = State::Out;
        self.who.member.clear();
        self.who.generation = -1;
    }

    /// One look: it may do something.
    pub fn look(&mut self, now: u64, common: &mut Common<'_>, hands: &mut Hands) {
        if !self.line.ensure(hands) || now < self.silent_until {
            return;
        }
        if !common.calm && self.rng.one_in(common.habits.hang_up_one_in) {
            return self.hang_up(hands);
        }
        if self.waiting.len() >= self.in_flight_max {
            return;
        }
        let first = !*common.found || !*common.shaped;
        if (first || common.calm) && !self.is_idle() {
            return;
        }
        if !*common.found {
            return self.ask(Ask::Find, common, hands);
        }
        if !*common.shaped {
            return self.ask(Ask::Shape(None), common, hands);
        }
        if common.classes && !common.calm && self.rng.one_in(100) {
            let class = ["disk", "process"][self.rng.below(2) as usize];
            if class == "process" {
                common.history.note(now, self.line.life, Fact::OffsetsWeak);
            }
            return self.ask(Ask::Shape(Some(class)), common, hands);
        }
        match (common.calm, self.kind) {
            (true, Kind::Alone) => {}
            (false, Kind::Alone) => self.alone(now, common, hands),
            (calm, Kind::Dynamic | Kind::Static) => self.take_part(calm, now, common, hands),
        }
    }

    /// Asks for everything that the group has.
    pub fn fetch_all(&mut self, now: u64, common: &mut Common<'_>, hands: &mut Hands) {
        let places = common.committed.iter().copied().collect();
        self.call(Asked::Fetch { places }, now, common, hands);
    }

    fn alone(&mut self, now: u64, common: &mut Common<'_>, hands: &mut Hands) {
        let asked = match self.rng.below(60) {
            0 => Asked::DeleteGroup,
            1..3 => self.deletes(common),
            3..30 => self.commits(common),
            _ => self.fetches(common),
        };
        self.call(asked, now, common, hands);
    }

    fn take_part(&mut self, calm: bool, now: u64, common: &mut Common<'_>, hands: &mut Hands) {
        let asked = match &self.state {
            State::Out if !calm && self.rng.one_in(300) => Asked::DeleteGroup,
            State::Out if !calm && self.rng.one_in(20) => self.fetches(common),
            State::Out => Asked::Join {
                member: self.who.member.clone(),
                instance: self.who.instance.clone(),
            },
            State::Joined { members } => Asked::Sync {
                generation: self.who.generation,
                member: self.who.member.clone(),
                assignments: match members {
                    Some(members) => assign(members, common),
                    None => Vec::new(),
                },
            },
            State::In if std::mem::take(&mut self.overdue) && !calm => self.commits(common),
            State::In if calm => self.beats(),
            State::In => match self.rng.below(common.habits.restless_one_in) {
                0 => Asked::Leave,
                1 => {
                    // It wants the others to come again.
                    self.word += 1;
                    self.state = State::Out;
                    return;
                }
                2 => return self.forget(),
                3 => {
                    let longest = 3 * self.timeouts.session_ms as u64 * 1_000_000;
                    self.silent_until = now + self.rng.below(longest);
                    self.overdue = true;
                    return;
                }
                _ => match self.rng.below(20) {
                    0..8 => self.commits(common),
                    8..12 => self.fetches(common),
                    12 if self.rng.one_in(4) => self.deletes(common),
                    13 if self.who.generation > 1 => self.commits_late(common),
                    _ => self.beats(),
                },
            },
        };
        self.call(asked, now, common, hands);
    }

    fn beats(&self) -> Asked {
        let generation = self.who.generation;
        Asked::Heartbeat { generation }
    }

    /// Offsets of a few places, higher than any before.
    fn commits(&mut self, common: &mut Common<'_>) -> Asked {
        let count = 1 + self.rng.below(3) as usize;
        let mut offsets: Vec<(Place, i64)> = Vec::new();
        for _ in 0..count {
            let place = common.places[self.rng.below(common.places.len() as u64) as usize];
            // Offsets go by name.
            let place = place.first();
            if offsets.iter().any(|(known, _)| *known == place) {
                continue;
            }
            *common.next_offset += 1;
            common.committed.insert(place);
            offsets.push((place, *common.next_offset));
        }
        Asked::Commit {
            generation: self.who.generation,
            offsets,
        }
    }

    /// What it had to say in the generation before comes late.
    fn commits_late(&mut self, common: &mut Common<'_>) -> Asked {
        match self.commits(common) {
            Asked::Commit {
                generation,
                offsets,
            } => Asked::Commit {
                generation: generation - 1,
                offsets,
            },
            other => other,
        }
    }

    fn fetches(&mut self, common: &Common<'_>) -> Asked {
        let all = self.rng.one_in(3);
        let some = common.committed.iter().copied();
        let places = some.filter(|_| all || self.rng.one_in(2)).collect();
        Asked::Fetch { places }
    }

    fn deletes(&mut self, common: &Common<'_>) -> Asked {
        let place = common.places[self.rng.below(common.places.len() as u64) as usize];
        Asked::DeleteOffsets {
            places: vec![place.first()],
        }
    }

    fn call(&mut self, asked: Asked, now: u64, common: &mut Common<'_>, hands: &mut Hands) {
        *common.next_call += 1;
        let call = CallNo(*common.next_call);
        let fact = Fact::GroupAsked {
            call,
            client: self.id,
            conn: self.line.conn(),
            group: self.who.group,
            asked: asked.clone(),
        };
        common.history.note(now, self.line.life, fact);
        self.ask(Ask::Call(call, asked), common, hands);
    }

    /// Bytes came.
    pub fn on_data(&mut self, conn: ConnId, bytes: &[u8], now: u64, common: &mut Common<'_>) {
        for frame in self.line.on_data(conn, bytes) {
            if let Err(what) = self.on_frame(&frame, now, common) {
                let what = format!("{:?}: {what}", self.id);
                common
                    .history
                    .note(now, self.line.life, Fact::Nonsense(what));
            }
        }
    }

    fn on_frame(
        &mut self,
        frame: &BytesMut,
        now: u64,
        common: &mut Common<'_>,
    ) -> Result<(), String> {
        let waiting = self.waiting.pop_front();
        let Waiting {
            correlation,
            version,
            ask,
        } = waiting.ok_or("an answer that nobody waits for")?;
        let found = frame.first_chunk::<4>().map(|id| i32::from_be_bytes(*id));
        if found != Some(correlation) {
            return Err(format!("answer {found:?} where {correlation} comes next"));
        }
        let (call, asked) = match ask {
            Ask::Find => {
                let (_, answer) = decode_response::<FindCoordinatorRequest>(version, frame);
                let code = answer.coordinators.first().map(|c| c.error_code);
                *common.found |= code.unwrap_or(answer.error_code) == 0;
                return Ok(());
            }
            Ask::Shape(_) => {
                let (_, answer) = decode_response::<IncrementalAlterConfigsRequest>(version, frame);
                *common.shaped = true;
                return match answer.responses[0].error_code {
                    0 => Ok(()),
                    code => Err(format!("alter __consumer_offsets: code {code}")),
                };
            }
            Ask::Call(call, asked) => (call, asked),
        };
        let (told, members) = self.read(&asked, version, frame)?;
        let life: Start = self.line.life;
        let fact = Fact::GroupTold {
            call,
            told: told.clone(),
        };
        common.history.note(now, life, fact);
        self.on_told(&asked, told, members, common.read)
    }

    fn on_told(
        &mut self,
        asked: &Asked,
        told: Told,
        mut members: Vec<String>,
        read: bool,
    ) -> Result<(), String> {
        match told {
            Told::Joined {
                generation,
                member,
                assigns,
            } => {
                (self.who.generation, self.who.member) = (generation, member);
                let members = assigns.then_some(members);
                self.state = State::Joined { members };
            }
            Told::Synced(_) => self.state = State::In,
            Told::Done => match asked {
                Asked::Leave => self.forget(),
                Asked::Heartbeat { generation } if read => self.steady = Some(*generation),
                _ => {}
            },
            Told::Each(_) => {}
            Told::Fetched(_) => self.fetched = true,
            Told::Refused(code) => {
                let takes_part = matches!(
                    asked,
                    Asked::Join { .. }
                        | Asked::Sync { .. }
                        | Asked::Heartbeat { .. }
                        | Asked::Commit { .. }
                ) && self.kind != Kind::Alone;
                let late = matches!(asked, Asked::Commit { generation, .. } if *generation != self.who.generation);
                match (code, asked) {
                    (22 | 27, _) if late => return Ok(()),
                    // Loading, not available, not (or: no disk to) coordinate.
                    (14..=16, _) => {}
                    (79, Asked::Join { .. }) => self.who.member = members.remove(0),
                    (22 | 27 | 69, _) if takes_part => self.state = State::Out,
                    (25 | 82, _) if takes_part => self.forget(),
                    (25 | 82, Asked::Leave) => self.forget(),
                    // Gone meanwhile, or not empty; of a group with members.
                    (3, Asked::Commit { .. } | Asked::DeleteOffsets { .. }) => {}
                    (69 | 86, Asked::DeleteOffsets { .. }) => {}
                    (68 | 69, Asked::DeleteGroup | Asked::DeleteOffsets { .. }) => {}
                    _ => return Err(format!("{asked:?}: code {code}")),
                }
                if takes_part {
                    self.steady = None;
                }
            }
        }
        Ok(())
    }
}

/// Every unit to one member, in turns.
fn assign(members: &[String], common: &mut Common<'_>) -> Vec<(String, Assignment)> {
    *common.next_serial += 1;
    let serial = *common.next_serial;
    let assigned = members.iter().enumerate().map(|(at, member)| {
        let units = (0..UNITS).filter(|unit| usize::from(*unit) % members.len() == at);
        let units = units.collect();
        (member.clone(), Assignment { serial, units })
    });
    assigned.collect()
}
