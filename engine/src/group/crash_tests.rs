//! Random clients of the coordinator over the real shard, and crashes at any moment.
//!
//! Promises: an offset that was answered is there, and never an older one; a generation is of one set of members; in one
//! generation all assignments come from one word of its leader, and a member is given one.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::call::{GroupAsk, GroupDone, GroupError, Join, Leaving, MemberRef, Sync};
use super::rig::{Rig, Said, commit, commit_as, fetch};

/// What may be stored at a place: operations in the order asked; `None`: deleted.
#[derive(Default, Debug)]
struct History {
    asked: Vec<(u64, Option<i64>)>,
    /// Index of the last one that was answered.
    answered: usize,
}

type Place = (&'static str, i32);

#[derive(Clone, Debug)]
enum Doing {
    Commit { place: Place, op: u64 },
    Delete { places: Vec<(Place, u64)> },
    Join { client: usize },
    Sync { client: usize, generation: i32 },
    Other,
}

#[derive(Default, Debug)]
struct Client {
    group: &'static str,
    member: String,
    generation: i32,
    /// Waits for an answer.
    busy: bool,
    joined: bool,
    members: Vec<String>,
}

struct Run {
    rig: Rig,
    doing: BTreeMap<u64, Doing>,
    history: BTreeMap<Place, History>,
    next_op: u64,
    clients: Vec<Client>,
    /// By group and generation: who leads.
    leaders: BTreeMap<(&'static str, i32), String>,
    lists: BTreeMap<(&'static str, i32), Vec<String>>,
    /// By group and generation: the leader's word; by member too: what it was given.
    words: BTreeMap<(&'static str, i32), String>,
    given: BTreeMap<(&'static str, i32, String), String>,
    joined: u64,
    synced: u64,
}

const SIMPLE: [&str; 3] = ["s0", "s1", "s2"];
const MEMBERS: [&str; 3] = ["m0", "m1", "m2"];

impl Run {
    fn new(seed: u64) -> Run {
        let clients = (0..9).map(|n| Client {
            group: MEMBERS[n % 3],
            ..Client::default()
        });
        Run {
            rig: Rig::new(seed),
            doing: BTreeMap::new(),
            history: BTreeMap::new(),
            next_op: 0,
            clients: clients.collect(),
            leaders: BTreeMap::new(),
            lists: BTreeMap::new(),
            words: BTreeMap::new(),
            given: BTreeMap::new(),
            joined: 0,
            synced: 0,
        }
    }

    fn note(&mut self, place: Place, value: Option<i64>) -> u64 {
        self.next_op += 1;
        let history = self.history.entry(place).or_default();
        history.asked.push((self.next_op, value));
        self.next_op
    }

    fn ask(&mut self, group: &'static str, ask: GroupAsk, doing: Doing) {
        let request = self.rig.ask(group, ask);
        self.doing.insert(request, doing);
        self.hear();
    }

    /// Takes everything that was said.
    fn hear(&mut self) {
        while let Some((request, said)) = self.rig.said.pop_first() {
            let doing = self.doing.remove(&request).expect("it was asked");
            self.heard(doing, said);
        }
    }

    fn settled(&mut self, place: Place, op: u64, kept: bool) {
        let history = self.history.get_mut(&place).expect("noted");
        let at = history.asked.iter().position(|(known, _)| *known == op);
        let at = at.expect("noted");
        match kept {
            true => history.answered = history.answered.max(at),
            false => {
                history.asked.remove(at);
                history.answered -= usize::from(history.answered > at);
            }
        }
    }

    fn heard(&mut self, doing: Doing, said: Said) {
        match doing {
            Doing::Commit { place, op } => {
                let kept = matches!(&said, Ok(GroupDone::Committed(list)) if list[0].1.is_ok());
                assert!(kept || said.is_err(), "{said:?}");
                self.settled(place, op, kept);
            }
            Doing::Delete { places } => {
                for (place, op) in places {
                    self.settled(place, op, said.is_ok());
                }
            }
            Doing::Join { client } => self.heard_join(client, said),
            Doing::Sync { client, generation } => self.heard_sync(client, generation, said),
            Doing::Other => {}
        }
    }

    fn heard_join(&mut self, number: usize, said: Said) {
        let client = &mut self.clients[number];
        client.busy = false;
        match said {
            Ok(GroupDone::Joined(joined)) => {
                self.joined += 1;
                client.member = joined.member.clone();
                client.generation = joined.generation;
                client.joined = true;
                client.members = joined.members.iter().map(|(id, ..)| id.clone()).collect();
                let key = (client.group, joined.generation);
                let leader = self.leaders.entry(key).or_insert(joined.leader.clone());
                assert_eq!(*leader, joined.leader, "{key:?} has two leaders");
                if !client.members.is_empty() {
                    let list = self.lists.entry(key).or_insert(client.members.clone());
                    assert_eq!(*list, client.members, "{key:?} is two sets of members");
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(GroupError::MemberIdRequired { member }) => client.member = member,
            Err(GroupError::UnknownMember | GroupError::FencedInstance) => client.member.clear(),
            Err(_) => {}
        }
    }

    fn heard_sync(&mut self, number: usize, generation: i32, said: Said) {
        let client = &mut self.clients[number];
        client.busy = false;
        match said {
            Ok(GroupDone::Synced(synced)) => {
                self.synced += 1;
                let text = String::from_utf8(synced.assignment.to_vec()).expect("text");
                let (word, member) = text.split_once('/').expect("word/member");
                assert_eq!(member, client.member, "another member's assignment");
                let key = (client.group, generation);
                let first = self.words.entry(key).or_insert(word.to_owned());
                assert_eq!(first, word, "{key:?} has two assignments");
                let key = (client.group, generation, client.member.clone());
                let first = self.given.entry(key).or_insert(text.clone());
                assert_eq!(*first, text, "given two assignments");
            }
            Ok(other) => panic!("{other:?}"),
            Err(GroupError::UnknownMember) => {
                client.member.clear();
                client.joined = false;
            }
            Err(_) => client.joined = false,
        }
    }

    fn one_act(&mut self) {
        let rng = &mut self.rig.rng;
        match rng.below(10) {
            0..=3 => {
                let group = SIMPLE[rng.below(3) as usize];
                let partition = rng.below(3) as i32;
                let place = (group, partition);
                let op = self.note(place, Some(self.next_op as i64 + 1));
                let ask = commit("t", partition, op as i64);
                self.ask(group, ask, Doing::Commit { place, op });
            }
            4 if rng.one_in(6) => {
                let group = SIMPLE[rng.below(3) as usize];
                let whole = rng.one_in(2);
                let partitions: Vec<i32> = match whole {
                    true => vec![0, 1, 2],
                    false => vec![rng.below(3) as i32],
                };
                let places = partitions
                    .iter()
                    .map(|partition| ((group, *partition), self.note((group, *partition), None)))
                    .collect();
                let ask = match whole {
                    true => GroupAsk::Delete,
                    false => GroupAsk::DeleteOffsets(vec![("t".to_owned(), partitions)]),
                };
                self.ask(group, ask, Doing::Delete { places });
            }
            5 => {
                let group = SIMPLE[rng.below(3) as usize];
                let topics = rng.one_in(2).then(|| vec![("t".to_owned(), vec![0, 1])]);
                let stable = rng.one_in(2);
                self.ask(group, fetch(topics, stable), Doing::Other);
            }
            _ => self.member_act(),
        }
    }

    fn member_act(&mut self) {
        let number = self.rig.rng.below(self.clients.len() as u64) as usize;
        let client = &mut self.clients[number];
        if client.busy {
            return;
        }
        let group = client.group;
        let who = MemberRef {
            member: client.member.clone(),
            instance: None,
            generation: client.generation,
        };
        if !client.joined || self.rig.rng.one_in(15) {
            client.busy = true;
            let data = vec![
                0,
                0,
                0,
                0,
                0,
                1,
                0,
                1,
                b't',
                0,
                0,
                0,
                0,
                self.rig.rng.below(2) as u8,
            ];
            let join = Join {
                member: client.member.clone(),
                instance: None,
                client_id: format!("c{number}"),
                client_host: "/10.0.0.1".to_owned(),
                session_timeout_ms: 6_000,
                rebalance_timeout_ms: 3_000,
                protocol_type: "consumer".to_owned(),
                protocols: vec![("range".to_owned(), Bytes::from(data))],
                member_id_required: self.rig.rng.one_in(2),
                skip_assignment_supported: true,
                reason: None,
            };
            return self.ask(group, GroupAsk::Join(join), Doing::Join { client: number });
        }
        match self.rig.rng.below(5) {
            0 | 1 => {
                client.busy = true;
                self.next_op += 1;
                let word = self.next_op;
                let given = client
                    .members
                    .iter()
                    .map(|id| (id.clone(), format!("{word}/{id}").into()));
                let sync = Sync {
                    who,
                    protocol_type: None,
                    protocol_name: None,
                    assignments: given.collect(),
                };
                let generation = client.generation;
                let doing = Doing::Sync {
                    client: number,
                    generation,
                };
                self.ask(group, GroupAsk::Sync(sync), doing.clone());
                // It did not hear, and says something else.
                if self.rig.rng.one_in(4) {
                    self.say_again(number, doing);
                }
            }
            2 => self.ask(group, GroupAsk::Heartbeat(who), Doing::Other),
            3 => {
                let place = (group, number as i32);
                let op = self.note(place, Some(self.next_op as i64 + 1));
                let ask = commit_as(who, "t", number as i32, op as i64);
                self.ask(group, ask, Doing::Commit { place, op });
            }
            _ if self.rig.rng.one_in(4) => {
                client.joined = false;
                let member = std::mem::take(&mut client.member);
                let leaving = Leaving {
                    member,
                    instance: None,
                    reason: None,
                };
                self.ask(group, GroupAsk::Leave(vec![leaving]), Doing::Other);
            }
            _ => {}
        }
    }

    fn say_again(&mut self, number: usize, doing: Doing) {
        let client = &mut self.clients[number];
        client.busy = true;
        self.next_op += 1;
        let word = self.next_op;
        let given = client
            .members
            .iter()
            .map(|id| (id.clone(), format!("{word}/{id}").into()));
        let sync = Sync {
            who: MemberRef {
                member: client.member.clone(),
                instance: None,
                generation: client.generation,
            },
            protocol_type: None,
            protocol_name: None,
            assignments: given.collect(),
        };
        let group = client.group;
        self.ask(group, GroupAsk::Sync(sync), doing);
    }

    fn live(&mut self, events: u64) {
        for _ in 0..events {
            let step = match self.rig.rng.one_in(20) {
                true => self.rig.rng.below(2_000),
                false => self.rig.rng.below(3),
            };
            self.rig.now.mono.0 += step * 1_000_000;
            self.rig.now.wall.0 += step as i64;
            match self.rig.rng.below(4) {
                0 => self.one_act(),
                1 => self.rig.settle(),
                _ if self.rig.one_completion() => {}
                _ => self.rig.settle(),
            }
            self.hear();
        }
    }

    /// After a start: what was answered is there, and nothing older.
    fn check(&mut self) {
        let places: Vec<Place> = self.history.keys().copied().collect();
        for place in places {
            let (group, partition) = place;
            let found = self
                .rig
                .fetch(group, "t", partition)
                .map(|stored| stored.offset.0);
            let history = self.history.get_mut(&place).expect("listed");
            // An answered one, or later; before the first answer, nothing at all may be there.
            let any = history.asked.is_empty();
            let from = history.asked.get(history.answered..).unwrap_or(&[]);
            let known = from.iter().find(|(_, value)| *value == found).copied();
            let none_yet = found.is_none() && !history.is_answered();
            assert!(
                known.is_some() || none_yet || (any && found.is_none()),
                "{place:?}: found {found:?}, may be {history:?}"
            );
            history.asked = vec![(0, found)];
            history.answered = 0;
        }
    }

    fn forget(&mut self) {
        self.doing.clear();
        self.rig.said.clear();
        for client in &mut self.clients {
            client.busy = false;
        }
    }
}

impl History {
    fn is_answered(&self) -> bool {
        // The first entry is a baseline once a check was made.
        self.answered > 0 || self.asked.first().is_some_and(|(op, _)| *op == 0)
    }
}

fn run(seed: u64) -> (u64, u64) {
    let mut run = Run::new(seed);
    run.rig.config.initial_rebalance_delay_ms = 300;
    for _ in 0..5 {
        run.rig.start();
        if run.rig.rng.one_in(4) {
            // A crash while it is being read.
            let events = run.rig.rng.below(40);
            for _ in 0..events {
                run.rig.settle();
                run.rig.one_completion();
            }
            let power = run.rig.rng.one_in(2);
            run.rig.crash(power);
            run.rig.start();
        }
        run.rig.rest();
        run.hear();
        assert!(!run.rig.list().loading);
        run.check();
        let events = 200 + run.rig.rng.below(3_000);
        run.live(events);
        match run.rig.rng.below(3) {
            0 => {
                run.rig.stop();
                run.hear();
            }
            1 => run.rig.crash(false),
            _ => run.rig.crash(true),
        }
        run.forget();
    }
    (run.joined, run.synced)
}

#[test]
fn what_was_answered_survives_and_generations_are_of_one_mind() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let from = number("GROUP_FROM").unwrap_or(0);
    let mut all = (0, 0);
    for seed in from..number("GROUP_SEEDS").unwrap_or(from + 60) {
        let result = std::panic::catch_unwind(|| run(seed));
        let Ok((joined, synced)) = result else {
            panic!("seed {seed}");
        };
        all = (all.0 + joined, all.1 + synced);
    }
    assert!(all.0 > 100 && all.1 > 100, "the members were idle: {all:?}");
}
