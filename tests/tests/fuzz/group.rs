//! One consumer group under any sequence of joins, syncs, silences, failed writes and crashes, beside a small oracle; and the
//! records that groups are read from.
//!
//! ```text
//!  three bytes of input = one step: who, what, how ─► ClassicGroup ─► answers ─► the oracle:
//!    one answer to each caller · generations only grow, over crashes too · one leader and one protocol in each ·
//!    an assignment is the leader's of that generation · timers are set once, and taken back only when set
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use corelane_engine::call::RequestToken;
use corelane_engine::group::call::{GroupDone, GroupError, Join, Joined, Leaving, MemberRef, Sync};
use corelane_engine::group::classic::{Caller, ClassicGroup, Effect, Then, Timer, Turn};
use corelane_engine::group::config::GroupConfig;
use corelane_engine::group::records::{
    GroupValue, Key, MemberValue, OffsetValue, group_key, offset_key,
};
use corelane_engine::rng::Rng;
use corelane_engine::types::{Instant, Now, ShardId, Timestamp};

use crate::target::{Memory, Target, USUAL, word, word_of};

/// Clients, of which the last two may be static.
const CLIENTS: u8 = 5;
const STEP: usize = 3;

#[test]
fn group_model() {
    Target {
        name: "group_model",
        memory: Memory {
            fixed: 256 << 10,
            // A step may add a member, and a record of all of them.
            per_byte: 8 << 10,
        },
        bytes_max: 1 + STEP * 120,
        generate: &|rng: &mut Rng| {
            let mut input = vec![rng.next_u64() as u8];
            for _ in 0..10 + rng.below(80) {
                // Mostly what makes a group go round.
                let what = [0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 5, 6, 6, 7][rng.below(14) as usize];
                input.extend_from_slice(&[rng.next_u64() as u8, what, rng.next_u64() as u8]);
            }
            input
        },
        check: &|input| {
            let Some((options, steps)) = input.split_first() else {
                return 0;
            };
            let mut table = Table::new(*options);
            for step in steps.chunks_exact(STEP) {
                table.step(step[0], step[1], step[2]);
            }
            table.end()
        },
        ..USUAL
    }
    .run();
}

/// What was asked, until it is answered.
#[derive(Clone, Debug)]
struct Asked {
    client: u8,
    /// By the id it had.
    member: String,
    /// Of a sync; a join has none.
    generation: Option<i32>,
}

/// What is known of a generation.
#[derive(Debug)]
struct Generation {
    leader: String,
    protocol: Option<String>,
    /// As its leader was told.
    members: Option<BTreeSet<String>>,
    /// What leaders said, by member.
    assigned: BTreeMap<String, BTreeSet<Bytes>>,
}

struct Table {
    group: ClassicGroup,
    config: GroupConfig,
    rng: Rng,
    now: Now,
    with_static: bool,
    timers: BTreeSet<(Instant, Timer)>,
    writes: VecDeque<(GroupValue, Then)>,
    /// The newest durable record.
    record: Option<Bytes>,
    asked: BTreeMap<u32, Asked>,
    next: u32,
    /// Ids and generations that clients were given.
    ids: BTreeMap<u8, (String, i32)>,
    generations: BTreeMap<i32, Generation>,
    words: BTreeSet<u64>,
}

impl Table {
    fn new(options: u8) -> Table {
        let now = Now {
            mono: Instant(0),
            wall: Timestamp(1_000_000),
        };
        let config = GroupConfig {
            initial_rebalance_delay_ms: if options & 2 == 0 { 0 } else { 3_000 },
            members_max: if options & 12 == 0 { 3 } else { 1_000 },
            ..GroupConfig::default()
        };
        Table {
            group: ClassicGroup::new(now),
            config,
            rng: Rng::new(options.into()),
            now,
            with_static: options & 1 == 1,
            timers: BTreeSet::new(),
            writes: VecDeque::new(),
            record: None,
            asked: BTreeMap::new(),
            next: 0,
            ids: BTreeMap::new(),
            generations: BTreeMap::new(),
            words: BTreeSet::new(),
        }
    }

    fn turn<R>(&mut self, act: impl FnOnce(&mut ClassicGroup, &mut Turn<'_>) -> R) -> R {
        let mut out = Vec::new();
        let result = act(
            &mut self.group,
            &mut Turn {
                now: self.now,
                config: &self.config,
                rng: &mut self.rng,
                out: &mut out,
            },
        );
        for effect in out {
            match effect {
                Effect::Answer(to, result) => self.answered(to, result),
                Effect::Write(value, then) => self.writes.push_back((value, then)),
                Effect::Arm(at, timer) => {
                    assert!(self.timers.insert((at, timer)), "{timer:?} is set twice");
                }
                Effect::Disarm(at, timer) => {
                    assert!(self.timers.remove(&(at, timer)), "{timer:?} was not set");
                }
            }
        }
        result
    }

    fn ask(&mut self, client: u8, generation: Option<i32>) -> Caller {
        let slot = self.next;
        self.next += 1;
        let known = self.ids.get(&client);
        let asked = Asked {
            client,
            member: known.map(|(id, _)| id.clone()).unwrap_or_default(),
            generation,
        };
        self.asked.insert(slot, asked);
        Caller {
            shard: ShardId(0),
            request: RequestToken(slot.into()),
            slot,
        }
    }

    fn instance(&self, client: u8) -> Option<String> {
        (self.with_static && client >= CLIENTS - 2).then(|| format!("static-{client}"))
    }

    fn who(&self, client: u8, how: u8) -> MemberRef {
        let (member, generation) = self.ids.get(&client).cloned().unwrap_or_default();
        MemberRef {
            member: if how & 0x70 == 0x70 {
                "nobody".to_owned()
            } else {
                member
            },
            instance: self.instance(client),
            generation: if how & 0x0f == 0x0f {
                generation - 1
            } else {
                generation
            },
        }
    }

    fn step(&mut self, who: u8, what: u8, how: u8) {
        let client = who % CLIENTS;
        let told = match what % 8 {
            0 => self.join(client, how),
            1 => self.sync(client, how),
            2 => {
                let who = self.who(client, how);
                let beats = self.turn(|group, turn| group.heartbeat(&who, turn));
                if beats.is_ok() {
                    assert_eq!(
                        who.generation,
                        self.group.generation(),
                        "a heartbeat of another generation"
                    );
                    self.knows(&who);
                }
                word_of(&beats)
            }
            3 => {
                let who = self.who(client, how);
                let leaving = Leaving {
                    member: who.member,
                    instance: who.instance,
                    reason: None,
                };
                word_of(&self.turn(|group, turn| group.leave(&[leaving], turn)))
            }
            4 => self.time(u64::from(how) * 400),
            5 | 6 => self.write(how),
            _ => match how % 3 {
                0 => self.crash(how),
                _ => {
                    let who = self.who(client, how);
                    let may = self.turn(|group, turn| group.check_commit(&who, turn));
                    if may.is_ok() && who.generation >= 0 && !who.member.is_empty() {
                        self.knows(&who);
                    }
                    word_of(&may)
                }
            },
        };
        let state = self.group.state() as u64;
        self.words.insert(word(&[u64::from(what % 8), state, told]));
        let description = self.group.describe();
        let ids: BTreeSet<&str> = description
            .members
            .iter()
            .map(|m| m.member.as_str())
            .collect();
        assert_eq!(
            ids.len(),
            description.members.len(),
            "a member is there twice"
        );
    }

    /// Who is heard was given that generation.
    fn knows(&self, who: &MemberRef) {
        let given = self.generations.contains_key(&who.generation);
        assert!(given, "{who:?} is heard in a generation nobody was given");
    }

    fn join(&mut self, client: u8, how: u8) -> u64 {
        let names: &[&str] = [
            &["range", "sticky"][..],
            &["range"],
            &["sticky", "range"],
            &["odd"],
        ][usize::from(how & 3)];
        let who = self.who(client, how);
        let join = Join {
            member: who.member,
            instance: who.instance,
            client_id: format!("c{client}"),
            client_host: "/127.0.0.1".to_owned(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 20_000,
            protocol_type: if how & 0x3c == 0x3c {
                "connect"
            } else {
                "consumer"
            }
            .to_owned(),
            protocols: names
                .iter()
                .map(|name| ((*name).to_owned(), Bytes::from_static(b"\0\0\0\0\0\0")))
                .collect(),
            member_id_required: how & 4 == 0,
            skip_assignment_supported: how & 8 == 0,
            reason: None,
        };
        let to = self.ask(client, None);
        self.turn(|group, turn| group.join(to, join, turn));
        u64::from(self.asked.contains_key(&to.slot))
    }

    fn sync(&mut self, client: u8, how: u8) -> u64 {
        let who = self.who(client, how);
        let members = self.group.describe().members;
        let mut assignments: Vec<(String, Bytes)> = members
            .iter()
            .map(|m| {
                (
                    m.member.clone(),
                    Bytes::from(format!("{}/{}", m.member, self.next)),
                )
            })
            .collect();
        if how & 0x30 == 0x30 {
            assignments.pop();
        }
        if let Some(generation) = self.generations.get_mut(&who.generation) {
            for (member, assignment) in &assignments {
                let all = generation.assigned.entry(member.clone()).or_default();
                all.insert(assignment.clone());
            }
        }
        let to = self.ask(client, Some(who.generation));
        let sync = Sync {
            who,
            protocol_type: (how & 1 == 0).then(|| "consumer".to_owned()),
            protocol_name: None,
            assignments,
        };
        self.turn(|group, turn| group.sync(to, sync, turn));
        u64::from(self.asked.contains_key(&to.slot))
    }

    /// Time passes; whatever is due happens in its order.
    fn time(&mut self, ms: u64) -> u64 {
        let end = Instant(self.now.mono.0 + ms * 1_000_000);
        let mut fired = 0;
        while let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= end) {
            self.timers.pop_first();
            self.now.mono = at.max(self.now.mono);
            self.turn(|group, turn| group.on_timer(timer, turn));
            fired += 1;
            assert!(fired < 1_000, "time turns in circles");
        }
        self.now.mono = end;
        self.now.wall.0 += ms as i64;
        fired.min(4)
    }

    /// The oldest write is durable, or refused.
    fn write(&mut self, how: u8) -> u64 {
        let Some((value, then)) = self.writes.pop_front() else {
            return 9;
        };
        if how & 7 == 7 {
            self.turn(|group, turn| group.on_written(then, Err(GroupError::Storage), turn));
            return 1;
        }
        let bytes = value.encode();
        assert_eq!(
            GroupValue::decode(&bytes).as_ref(),
            Ok(&value),
            "what is written can be read"
        );
        self.record = Some(bytes.clone());
        self.turn(|group, turn| group.on_written(then, Ok(&bytes), turn));
        2
    }

    /// Some of the writes under way are durable; nobody is answered any more; the group is what its record says.
    fn crash(&mut self, how: u8) -> u64 {
        let kept = usize::from(how >> 4) % (self.writes.len() + 1);
        if let Some((value, _)) = self.writes.drain(..).take(kept).next_back() {
            self.record = Some(value.encode());
        }
        self.writes.clear();
        self.asked.clear();
        self.timers.clear();
        self.group = match &self.record {
            None => ClassicGroup::new(self.now),
            Some(bytes) => {
                ClassicGroup::of_record(GroupValue::decode(bytes).expect("our own"), self.now)
            }
        };
        self.turn(|group, turn| group.on_loaded(turn));
        u64::from(self.record.is_some())
    }

    fn answered(&mut self, to: Caller, result: Result<GroupDone, GroupError>) {
        let asked = self
            .asked
            .remove(&to.slot)
            .expect("who asked is answered once");
        self.words.insert(word(&[
            u64::from(asked.generation.is_some()),
            word_of(&result.as_ref().map(|_| ())),
        ]));
        match result {
            Ok(GroupDone::Joined(joined)) => {
                assert!(asked.generation.is_none(), "a sync is answered as a join");
                self.joined(asked.client, joined);
            }
            Ok(GroupDone::Synced(synced)) => {
                let at = asked.generation.expect("a join is answered as a sync");
                let generation = self.generations.get(&at).expect("checked by the group");
                let all: BTreeSet<&Bytes> = generation.assigned.values().flatten().collect();
                let sound = synced.assignment.is_empty() || all.contains(&synced.assignment);
                assert!(sound, "an assignment that nobody made in generation {at}");
                if !self.with_static && !synced.assignment.is_empty() {
                    let own = generation.assigned.get(&asked.member);
                    assert!(
                        own.is_some_and(|own| own.contains(&synced.assignment)),
                        "another's assignment"
                    );
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(GroupError::MemberIdRequired { member }) => {
                self.ids.insert(asked.client, (member, -1));
            }
            Err(GroupError::UnknownMember | GroupError::FencedInstance) => {
                self.ids.remove(&asked.client);
            }
            Err(_) => {}
        }
    }

    fn joined(&mut self, client: u8, joined: Joined) {
        let newest = self.generations.keys().next_back().copied().unwrap_or(0);
        let at = joined.generation;
        match self.generations.get(&at) {
            None => {
                assert!(at > newest, "generation {at} after {newest}");
                let generation = Generation {
                    leader: joined.leader.clone(),
                    protocol: joined.protocol_name.clone(),
                    members: None,
                    assigned: BTreeMap::new(),
                };
                self.generations.insert(at, generation);
            }
            Some(known) => {
                // Who comes back into the generation that is gets it again; a crash may lie between.
                assert_eq!(
                    known.protocol, joined.protocol_name,
                    "two protocols in generation {at}"
                );
                assert!(
                    known.leader == joined.leader || self.with_static,
                    "two leaders in generation {at}"
                );
            }
        }
        let leads = joined.member == joined.leader;
        assert!(
            leads || joined.members.is_empty(),
            "who does not lead sees the members"
        );
        if leads && !joined.skip_assignment && !self.with_static {
            let members: BTreeSet<String> =
                joined.members.iter().map(|(id, _, _)| id.clone()).collect();
            assert!(members.contains(&joined.member), "a leader of others");
            let known = self.generations.get_mut(&at).expect("just seen");
            let before = known.members.get_or_insert_with(|| members.clone());
            assert_eq!(*before, members, "generation {at} has other members");
        }
        self.ids.insert(client, (joined.member, at));
    }

    /// What is left comes to an end: writes done, time over.
    fn end(mut self) -> u64 {
        for _ in 0..100 {
            while !self.writes.is_empty() {
                self.write(0);
            }
            if self.timers.is_empty() {
                break;
            }
            self.time(60_000);
        }
        assert!(self.asked.is_empty(), "never answered: {:?}", self.asked);
        let words: Vec<u64> = self.words.iter().copied().collect();
        word(&words)
    }
}

/// Keys and values of `__consumer_offsets` as any broker may have left them.
#[test]
fn group_records() {
    Target {
        name: "group_records",
        memory: Memory {
            fixed: 8 << 10,
            per_byte: 256,
        },
        generate: &|rng: &mut Rng| {
            let kind = rng.below(3) as u8;
            let text = "x".repeat(rng.below(20) as usize);
            let bytes = match kind {
                0 if rng.one_in(2) => group_key(&text),
                0 => offset_key(&text, "t", rng.below(9) as i32),
                1 => {
                    let versions: [&[u8]; 3] = [
                        b"\0\x01\0\0\0\0\0\0\0\x2a\0\x01m\0\0\x01\x8b\xcf\xe5\x68\0\0\0\x01\x8b\xcf\xe5\x6b\xe8",
                        b"\0\x03\0\0\0\0\0\0\0\x2a\0\0\0\x05\0\x01m\0\0\x01\x8b\xcf\xe5\x68\0",
                        b"\0\x04\0\0\0\0\0\0\0\x2a\0\0\0\x05\x02m\0\0\x01\x8b\xcf\xe5\x68\0\0",
                    ];
                    Bytes::from_static(versions[rng.below(3) as usize])
                }
                _ => {
                    let members = (0..rng.below(4)).map(|n| MemberValue {
                        member: format!("m{n}"),
                        instance: rng.one_in(2).then(|| text.clone()),
                        client_id: text.clone(),
                        client_host: "/h".to_owned(),
                        rebalance_timeout_ms: 1_000,
                        session_timeout_ms: 2_000,
                        subscription: Bytes::from_static(b"\0\0"),
                        assignment: Bytes::from_static(b"a"),
                    });
                    GroupValue {
                        members: members.collect(),
                        protocol_type: "consumer".to_owned(),
                        generation: 3,
                        protocol: Some("range".to_owned()),
                        leader: Some("m0".to_owned()),
                        since: None,
                    }
                    .encode()
                }
            };
            [&[kind], &bytes[..]].concat()
        },
        check: &|input| {
            let Some((kind, bytes)) = input.split_first() else {
                return 0;
            };
            let bytes = Bytes::copy_from_slice(bytes);
            let version = bytes.get(1).map_or(0, |version| u64::from(*version & 7));
            let came = match kind % 3 {
                0 => {
                    let key = Key::decode(&bytes);
                    if let Ok(Key::Offset { group, topic, partition }) = &key {
                        let again = Key::decode(&offset_key(group, topic, *partition));
                        assert_eq!(again, key);
                    }
                    word_of(&key.map(|key| std::mem::discriminant(&key)))
                }
                1 => {
                    let value = OffsetValue::decode(&bytes);
                    if let Ok(value) = &value {
                        assert_eq!(OffsetValue::decode(&value.encode()).as_ref(), Ok(value));
                    }
                    word_of(&value.map(|_| ()))
                }
                _ => {
                    let value = GroupValue::decode(&bytes);
                    if let Ok(value) = &value {
                        assert_eq!(GroupValue::decode(&value.encode()).as_ref(), Ok(value));
                    }
                    word_of(&value.map(|_| ()))
                }
            };
            word(&[u64::from(kind % 3), version, came])
        },
        ..USUAL
    }
    .run();
}
