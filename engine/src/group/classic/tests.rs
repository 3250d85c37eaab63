//! Transcripts: lines with `>` are what happens, the others what the group does about it.
//!
//! Members have names; `a` is the client, `a#1` the first id it was given. A write waits until `> durable` or `> refused`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use super::*;
use crate::group::call::{Join, Leaving, MemberRef, Sync};

struct Table {
    group: ClassicGroup,
    config: GroupConfig,
    rng: Rng,
    now: Now,
    timers: BTreeSet<(Instant, Timer)>,
    writes: VecDeque<(GroupValue, Then)>,
    /// The newest durable record.
    last: Option<Bytes>,
    /// By real id.
    names: BTreeMap<String, String>,
    /// By client: its newest id.
    ids: BTreeMap<String, String>,
    /// Who asked, by slot.
    callers: Vec<String>,
    said: String,
}

impl Table {
    fn new() -> Table {
        let now = Now {
            mono: Instant(0),
            wall: Timestamp(1_000_000),
        };
        Table {
            group: ClassicGroup::new(now),
            config: GroupConfig::default(),
            rng: Rng::new(7),
            now,
            timers: BTreeSet::new(),
            writes: VecDeque::new(),
            last: None,
            names: BTreeMap::new(),
            ids: BTreeMap::new(),
            callers: Vec::new(),
            said: String::new(),
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
                Effect::Write(value, then) => {
                    let members: Vec<String> = value
                        .members
                        .iter()
                        .map(|m| format!("{}={}", self.name(&m.member), text(&m.assignment)))
                        .collect();
                    let why = match &then {
                        Then::Reserved => "reserved",
                        Then::Emptied => "emptied",
                        Then::Assigned { .. } => "assigned",
                        Then::Renamed(_) => "renamed",
                    };
                    let generation = value.generation;
                    self.say(format!("write {why} {generation} [{}]", members.join(" ")));
                    self.writes.push_back((value, then));
                }
                Effect::Arm(at, timer) => {
                    assert!(self.timers.insert((at, timer)), "{timer:?} twice")
                }
                Effect::Disarm(at, timer) => {
                    assert!(self.timers.remove(&(at, timer)), "{timer:?} was not set");
                }
            }
        }
        result
    }

    fn say(&mut self, line: String) {
        writeln!(self.said, "  {line}").expect("a String takes every write");
    }

    fn name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// Learns a new id of a client.
    fn learn(&mut self, client: &str, id: &str) {
        if !self.names.contains_key(id) {
            let given = self
                .names
                .values()
                .filter(|n| n.starts_with(&format!("{client}#")))
                .count();
            self.names
                .insert(id.to_owned(), format!("{client}#{}", given + 1));
        }
        self.ids.insert(client.to_owned(), id.to_owned());
    }

    fn answered(&mut self, to: Caller, result: Result<GroupDone, GroupError>) {
        let client = self.callers[to.slot as usize].clone();
        let line = match result {
            Ok(GroupDone::Joined(joined)) => {
                self.learn(&client, &joined.member);
                let members: Vec<String> = joined
                    .members
                    .iter()
                    .map(|(id, ..)| {
                        // The leader hears of members before they do.
                        self.names
                            .get(id)
                            .cloned()
                            .unwrap_or_else(|| id.split('-').next().unwrap_or("?").to_owned())
                    })
                    .collect();
                let leads = joined.leader == joined.member;
                format!(
                    "{client}: joined {} as {}{}{}{}",
                    joined.generation,
                    self.name(&joined.member),
                    if leads { ", leads" } else { "" },
                    if members.is_empty() {
                        String::new()
                    } else {
                        format!(" [{}]", members.join(" "))
                    },
                    if joined.skip_assignment {
                        ", keeps the assignment"
                    } else {
                        ""
                    },
                )
            }
            Ok(GroupDone::Synced(synced)) => {
                format!("{client}: synced {}", text(&synced.assignment))
            }
            Ok(other) => format!("{client}: {other:?}"),
            Err(GroupError::MemberIdRequired { member }) => {
                self.learn(&client, &member);
                format!("{client}: to come again as {}", self.name(&member))
            }
            Err(error) => format!("{client}: {error:?}"),
        };
        self.say(line);
    }

    fn caller(&mut self, client: &str) -> Caller {
        self.callers.push(client.to_owned());
        Caller {
            shard: ShardId(0),
            request: RequestToken(self.callers.len() as u64),
            slot: self.callers.len() as u32 - 1,
        }
    }

    /// `a` is its newest id, `a#1` a certain one, `-` none.
    fn id(&self, word: &str) -> String {
        if word == "-" {
            return String::new();
        }
        let named = self.names.iter().find(|(_, name)| *name == word);
        let named = named.map(|(id, _)| id.clone());
        named
            .or_else(|| self.ids.get(word).cloned())
            .unwrap_or_else(|| word.to_owned())
    }

    fn who(&self, client: &str, options: &Options<'_>) -> MemberRef {
        MemberRef {
            member: self.id(options.get("id").unwrap_or(client)),
            instance: options.get("static").map(str::to_owned),
            generation: options.number("gen", self.group.generation),
        }
    }

    fn act(&mut self, command: &str) {
        let mut words = command.split_whitespace();
        let verb = words.next().expect("a verb");
        let words: Vec<&str> = words.collect();
        let client = words.first().copied().unwrap_or("");
        let options = Options(&words);
        match verb {
            "join" => {
                let to = self.caller(client);
                let known = self.ids.get(client).map_or("-", |_| client);
                let protocols = options.get("speaks").unwrap_or("range").split(',');
                let data = options.get("data").unwrap_or("");
                let join = Join {
                    member: self.id(options.get("id").unwrap_or(known)),
                    instance: options.get("static").map(str::to_owned),
                    client_id: client.to_owned(),
                    client_host: "/10.0.0.1".to_owned(),
                    session_timeout_ms: options.number("session", 10_000),
                    rebalance_timeout_ms: options.number("rebalance", 60_000),
                    protocol_type: options.get("type").unwrap_or("consumer").to_owned(),
                    protocols: protocols
                        .filter(|name| !name.is_empty())
                        .map(|name| (name.to_owned(), subscription(data)))
                        .collect(),
                    member_id_required: options.number("version", 9) >= 4,
                    skip_assignment_supported: options.number("version", 9) >= 9,
                    reason: None,
                };
                self.turn(|group, turn| group.join(to, join, turn));
            }
            "sync" => {
                let to = self.caller(client);
                let assignments = words.iter().filter_map(|word| word.split_once(':'));
                let sync = Sync {
                    who: self.who(client, &options),
                    protocol_type: None,
                    protocol_name: options.get("protocol").map(str::to_owned),
                    assignments: assignments
                        .map(|(id, what)| (self.id(id), Bytes::copy_from_slice(what.as_bytes())))
                        .collect(),
                };
                self.turn(|group, turn| group.sync(to, sync, turn));
            }
            "beat" => {
                let who = self.who(client, &options);
                let result = self.turn(|group, turn| group.heartbeat(&who, turn));
                self.say(format!("{result:?}"));
            }
            "commit" => {
                let who = self.who(client, &options);
                let result = self.turn(|group, turn| group.check_commit(&who, turn));
                self.say(format!("{result:?}"));
            }
            "leave" => {
                let leaving: Vec<Leaving> = words
                    .iter()
                    .map(|word| match word.strip_prefix("static=") {
                        Some(instance) => (String::new(), Some(instance.to_owned())),
                        None => (self.id(word), None),
                    })
                    .map(|(member, instance)| Leaving {
                        member,
                        instance,
                        reason: None,
                    })
                    .collect();
                let results = self.turn(|group, turn| group.leave(&leaving, turn));
                self.say(format!("{results:?}"));
            }
            "durable" => {
                let (value, then) = self.writes.pop_front().expect("something is on its way");
                let bytes = value.encode();
                self.last = Some(bytes.clone());
                self.turn(|group, turn| group.on_written(then, Ok(&bytes), turn));
            }
            "refused" => {
                let (_, then) = self.writes.pop_front().expect("something is on its way");
                self.turn(|group, turn| {
                    group.on_written(then, Err(GroupError::NotCoordinator), turn)
                });
            }
            "wait" => {
                let ms: u64 = client.parse().expect("milliseconds");
                let until = self.now.mono.0 + ms * 1_000_000;
                while let Some((at, timer)) =
                    self.timers.first().copied().filter(|t| t.0.0 <= until)
                {
                    self.timers.pop_first();
                    self.now.mono = at;
                    self.turn(|group, turn| group.on_timer(timer, turn));
                }
                self.now.mono = Instant(until);
                self.now.wall.0 += ms as i64;
            }
            "config" => {
                let max = options.number("members", i32::MAX);
                self.config.members_max = max as usize;
            }
            "restart" => {
                self.writes.clear();
                self.timers.clear();
                self.group = match &self.last {
                    Some(bytes) => {
                        ClassicGroup::of_record(GroupValue::decode(bytes).expect("sound"), self.now)
                    }
                    None => ClassicGroup::new(self.now),
                };
                self.turn(|group, turn| group.on_loaded(turn));
            }
            other => panic!("what is {other}?"),
        }
    }
}

struct Options<'a>(&'a [&'a str]);

impl<'a> Options<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        let mut options = self.0.iter().filter_map(|word| word.split_once('='));
        options
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    fn number(&self, name: &str, otherwise: i32) -> i32 {
        self.get(name)
            .map_or(otherwise, |value| value.parse().expect("a number"))
    }
}

fn text(bytes: &Bytes) -> String {
    match bytes.is_empty() {
        true => "nothing".to_owned(),
        false => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A consumer's metadata: version 0, one topic, and data of its own.
fn subscription(data: &str) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1, 0, 1, b't'];
    bytes.extend_from_slice(&(data.len() as i32).to_be_bytes());
    bytes.extend_from_slice(data.as_bytes());
    bytes.into()
}

/// Plays the lines that begin with `>`, and expects the others.
#[track_caller]
fn check(transcript: &str) -> Table {
    let mut table = Table::new();
    let lines = transcript
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    for command in lines.clone().filter_map(|line| line.strip_prefix("> ")) {
        writeln!(table.said, "> {command}").expect("a String takes every write");
        table.act(command);
        let state = format!(
            "= {} {}",
            table.group.state().name(),
            table.group.generation()
        );
        table.say(state);
    }
    let expected: Vec<&str> = lines.collect();
    let said: Vec<&str> = table.said.lines().map(str::trim).collect();
    assert_eq!(said, expected, "\nsaid:\n{}", table.said);
    table
}

#[test]
fn the_first_member_waits_for_others_and_gets_everything() {
    check(
        "
> join a
  a: to come again as a#1
  write reserved 0 []
  = Empty 0
> durable
  = Empty 0
> join a
  = PreparingRebalance 0
> wait 2999
  = PreparingRebalance 0
> wait 1
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:t-0
  write assigned 1 [a#1=t-0]
  = CompletingRebalance 1
> durable
  a: synced t-0
  = Stable 1
> beat a
  Ok(())
  = Stable 1
> commit a
  Ok(())
  = Stable 1
",
    );
}

#[test]
fn more_members_extend_the_first_rebalance_until_its_time_is_up() {
    check(
        "
> join a version=3 rebalance=7000
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 2000
  = PreparingRebalance 0
> join b version=3 rebalance=7000
  = PreparingRebalance 0
> wait 1000
  = PreparingRebalance 0
> wait 1000
  = PreparingRebalance 0
> join c version=3 rebalance=7000
  = PreparingRebalance 0
> wait 2000
  = PreparingRebalance 0
> join d version=3 rebalance=7000
  = PreparingRebalance 0
> wait 999
  = PreparingRebalance 0
> wait 1
  a: joined 1 as a#1, leads [a#1 b c d]
  b: joined 1 as b#1
  c: joined 1 as c#1
  d: joined 1 as d#1
  = CompletingRebalance 1
",
    );
}

#[test]
fn a_member_that_joins_a_stable_group_makes_all_come_again() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join b version=3
  = PreparingRebalance 1
> beat a
  Err(RebalanceInProgress)
  = PreparingRebalance 1
> commit a gen=1
  Ok(())
  = PreparingRebalance 1
> join a
  a: joined 2 as a#1, leads [a#1 b]
  b: joined 2 as b#1
  = CompletingRebalance 2
> commit a gen=2
  Err(RebalanceInProgress)
  = CompletingRebalance 2
> sync b
  = CompletingRebalance 2
> sync a a:x b:y
  write assigned 2 [a#1=x b#1=y]
  = CompletingRebalance 2
> durable
  a: synced x
  b: synced y
  = Stable 2
> beat b
  Ok(())
  = Stable 2
> beat b gen=1
  Err(IllegalGeneration)
  = Stable 2
> beat b id=nobody
  Err(UnknownMember)
  = Stable 2
",
    );
}

#[test]
fn who_does_not_come_again_in_time_is_out() {
    check(
        "
> join a version=3 session=100000
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3 session=100000 rebalance=20000
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> join a data=new session=100000 rebalance=30000
  = PreparingRebalance 1
> beat b
  Err(RebalanceInProgress)
  = PreparingRebalance 1
> wait 29999
  = PreparingRebalance 1
> wait 1
  a: joined 2 as a#1, leads [a#1]
  = CompletingRebalance 2
> beat b
  Err(UnknownMember)
  = CompletingRebalance 2
",
    );
}

#[test]
fn silence_ends_a_member_and_the_group() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> wait 6000
  = Stable 1
> beat a
  Ok(())
  = Stable 1
> wait 9000
  = Stable 1
> beat a
  Ok(())
  = Stable 1
> wait 10000
  write emptied 2 []
  = Empty 2
> durable
  = Empty 2
> join a
  a: UnknownMember
  = Empty 2
> join a id=-
  a: to come again as a#2
  = Empty 2
",
    );
}

#[test]
fn a_pending_member_holds_up_the_rebalance_until_it_is_gone() {
    check(
        "
> join a
  a: to come again as a#1
  write reserved 0 []
  = Empty 0
> durable
  = Empty 0
> join a
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join b session=6000
  b: to come again as b#1
  = Stable 1
> join b
  = PreparingRebalance 1
> join c session=6000
  c: to come again as c#1
  = PreparingRebalance 1
> join a
  = PreparingRebalance 1
> wait 6000
  a: joined 2 as a#1, leads [a#1 b#1]
  b: joined 2 as b#1
  = CompletingRebalance 2
",
    );
}

#[test]
fn a_leave_ends_the_wait_and_the_last_one_empties_the_group() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> join a data=new
  = PreparingRebalance 1
> leave b
  a: joined 2 as a#1, leads [a#1]
  [Ok(())]
  = CompletingRebalance 2
> sync a a:z
  write assigned 2 [a#1=z]
  = CompletingRebalance 2
> durable
  a: synced z
  = Stable 2
> leave a nobody
  write emptied 3 []
  [Ok(()), Err(UnknownMember)]
  = Empty 3
> durable
  = Empty 3
> commit - id=- gen=-1
  Ok(())
  = Empty 3
> commit a gen=2
  Err(UnknownMember)
  = Empty 3
> beat a
  Err(UnknownMember)
  = Empty 3
",
    );
}

#[test]
fn missing_syncs_are_missed() {
    check(
        "
> join a version=3 rebalance=5000
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3 rebalance=5000
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> wait 4000
  b: RebalanceInProgress
  = PreparingRebalance 1
> beat a
  Err(UnknownMember)
  = PreparingRebalance 1
> wait 1000
  = PreparingRebalance 1
> join b
  write reserved 1 []
  = PreparingRebalance 1
",
    );
}

#[test]
fn a_sync_during_a_rebalance_is_sent_back() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> join a data=other
  b: RebalanceInProgress
  = PreparingRebalance 1
> sync a
  a: RebalanceInProgress
  = PreparingRebalance 1
> join b
  write reserved 1 []
  = PreparingRebalance 1
> sync b protocol=roundrobin
  b: InconsistentProtocol
  = PreparingRebalance 1
> sync b gen=1
  b: RebalanceInProgress
  = PreparingRebalance 1
",
    );
}

#[test]
fn an_assignment_that_is_not_written_starts_anew() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> refused
  a: NotCoordinator
  = PreparingRebalance 1
> join a
  write reserved 1 []
  = PreparingRebalance 1
> sync a a:y
  a: RebalanceInProgress
  = PreparingRebalance 1
> durable
  a: joined 2 as a#1, leads [a#1]
  = CompletingRebalance 2
",
    );
}

#[test]
fn one_generation_has_one_assignment() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> sync a a:other
  a: RebalanceInProgress
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> sync a a:third
  a: synced x
  = Stable 1
",
    );
}

#[test]
fn an_assignment_of_an_older_generation_is_not_handed_out() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:old
  write assigned 1 [a#1=old]
  = CompletingRebalance 1
> join a data=new
  a: RebalanceInProgress
  write reserved 1 []
  = PreparingRebalance 1
> sync a a:new
  a: RebalanceInProgress
  = PreparingRebalance 1
> durable
  = PreparingRebalance 1
> durable
  a: joined 2 as a#1, leads [a#1]
  = CompletingRebalance 2
",
    );
}

#[test]
fn a_static_member_comes_back_and_nobody_else_notices() {
    check(
        "
> join a static=i version=5
  write reserved 0 []
  = PreparingRebalance 0
> join b static=j version=5
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 j]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> join b id=- static=j version=9
  write renamed 1 [a#1=x j-73d33b66-6a1e-41da-bfda-be86cbbeaa11=y]
  = Stable 1
> durable
  b: joined 1 as b#2
  = Stable 1
> beat b
  Ok(())
  = Stable 1
> beat b id=b#1 static=j
  Err(FencedInstance)
  = Stable 1
> sync b static=j
  b: synced y
  = Stable 1
> join a id=- static=i version=9
  write renamed 1 [i-77cbc4a1-33c2-40f6-93fc-d6513d02befe=x b#2=y]
  = Stable 1
> durable
  a: joined 1 as a#2, leads [a#2 b#2], keeps the assignment
  = Stable 1
> join a id=- static=i version=5
  write renamed 1 [i-225ec07a-9950-4761-a9c3-a27688795369=x b#2=y]
  = Stable 1
> durable
  a: joined 1 as a#3
  = Stable 1
> restart
  = Stable 1
> sync a gen=1 static=i
  a: synced x
  = Stable 1
",
    );
}

#[test]
fn a_static_member_that_cannot_be_written_is_who_it_was() {
    check(
        "
> join a static=i version=5
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join a id=- static=i
  write renamed 1 [i-e6984080-bab1-4a02-953a-eb70673e29cb=x]
  = Stable 1
> beat a id=a#1 static=i
  Err(FencedInstance)
  = Stable 1
> refused
  a: NotCoordinator
  = Stable 1
> beat a id=a#1 static=i
  Ok(())
  = Stable 1
",
    );
}

#[test]
fn a_static_member_back_with_other_protocols_rebalances() {
    check(
        "
> join a static=i version=5 speaks=range,rr
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3 speaks=range,rr
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join a id=- static=i speaks=rr
  = PreparingRebalance 1
> join b speaks=range
  b: InconsistentProtocol
  = PreparingRebalance 1
> join b speaks=rr,range
  a: joined 2 as a#2, leads [a#2 b#1]
  b: joined 2 as b#1
  = CompletingRebalance 2
",
    );
}

#[test]
fn an_administrator_removes_static_members() {
    check(
        "
> join a static=i version=5
  write reserved 0 []
  = PreparingRebalance 0
> join b static=j version=5
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 j]
  b: joined 1 as b#1
  = CompletingRebalance 1
> leave static=j static=nobody
  [Ok(()), Err(UnknownMember)]
  = PreparingRebalance 1
> join a static=i
  write reserved 1 []
  = PreparingRebalance 1
",
    );
}

#[test]
fn static_members_are_waited_for_by_their_session_alone() {
    check(
        "
> join a static=i version=5 rebalance=20000 session=60000
  write reserved 0 []
  = PreparingRebalance 0
> join b static=j version=5 rebalance=20000 session=60000
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 j]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b static=j
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> join b static=j data=new rebalance=20000 session=60000
  = PreparingRebalance 1
> wait 20000
  b: joined 2 as b#1, leads [a#1 b#1]
  = CompletingRebalance 2
> sync b static=j b:all
  write assigned 2 [a#1=nothing b#1=all]
  = CompletingRebalance 2
> durable
  b: synced all
  = Stable 2
> wait 20000
  = PreparingRebalance 2
",
    );
}

#[test]
fn protocols_are_voted_for_among_those_that_all_speak() {
    check(
        "
> join a version=3 speaks=x,range,rr
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3 speaks=rr,range
  = PreparingRebalance 0
> join c version=3 speaks=rr,range,y
  = PreparingRebalance 0
> join d version=3 speaks=x,y
  d: InconsistentProtocol
  = PreparingRebalance 0
> join e version=3 type=connect
  e: InconsistentProtocol
  = PreparingRebalance 0
> join f version=3 speaks=
  f: InconsistentProtocol
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b c]
  b: joined 1 as b#1
  c: joined 1 as c#1
  = CompletingRebalance 1
> sync a protocol=range
  a: InconsistentProtocol
  = CompletingRebalance 1
> sync a protocol=rr
  write assigned 1 [a#1=nothing b#1=nothing c#1=nothing]
  = CompletingRebalance 1
",
    );
}

#[test]
fn a_group_has_room_for_so_many() {
    check(
        "
> config members=2
  = Empty 0
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3
  = PreparingRebalance 0
> join c version=3
  c: GroupMaxSize
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> join d version=3
  d: GroupMaxSize
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join e version=3
  e: GroupMaxSize
  = Stable 1
> join a data=new
  = PreparingRebalance 1
> join b
  a: joined 2 as a#1, leads [a#1 b#1]
  b: joined 2 as b#1
  = CompletingRebalance 2
",
    );
}

#[test]
fn generations_do_not_repeat_after_a_crash() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join a data=new
  a: joined 2 as a#1, leads [a#1]
  = CompletingRebalance 2
> restart
  = Stable 1
> beat a gen=1
  Ok(())
  = Stable 1
> join a data=new
  write reserved 2 []
  = PreparingRebalance 1
> durable
  a: joined 3 as a#1, leads [a#1]
  = CompletingRebalance 3
> restart
  = Empty 2
> join a
  a: UnknownMember
  = Empty 2
> join a id=- version=3
  = PreparingRebalance 2
> wait 3000
  write reserved 3 []
  = PreparingRebalance 2
> durable
  a: joined 4 as a#2, leads [a#2]
  = CompletingRebalance 4
",
    );
}

#[test]
fn unsynced_generations_are_recorded_before_the_next() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> wait 3000
  = PreparingRebalance 0
> durable
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> join a data=1
  write reserved 1 []
  = PreparingRebalance 1
> durable
  a: joined 2 as a#1, leads [a#1]
  = CompletingRebalance 2
> join a data=2
  write reserved 2 []
  = PreparingRebalance 2
> refused
  = PreparingRebalance 2
> wait 1000
  write reserved 2 []
  = PreparingRebalance 2
> durable
  a: joined 3 as a#1, leads [a#1]
  = CompletingRebalance 3
",
    );
}

#[test]
fn a_retry_takes_the_place_of_the_first_join() {
    check(
        "
> join a version=3
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> join b data=new
  = PreparingRebalance 1
> join b data=newer
  b: RebalanceInProgress
  = PreparingRebalance 1
> join a
  a: joined 2 as a#1, leads [a#1 b#1]
  b: joined 2 as b#1
  = CompletingRebalance 2
",
    );
}

#[test]
fn a_join_of_a_new_member_is_given_up_after_five_minutes() {
    check(
        "
> join a version=3 session=600000 rebalance=900000
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join b version=3 session=600000 rebalance=900000
  = PreparingRebalance 1
> beat a
  Err(RebalanceInProgress)
  = PreparingRebalance 1
> wait 299000
  = PreparingRebalance 1
> beat a
  Err(RebalanceInProgress)
  = PreparingRebalance 1
> wait 1000
  b: UnknownMember
  = PreparingRebalance 1
",
    );
}

#[test]
fn nobody_of_the_static_members_comes_back() {
    check(
        "
> join a static=i version=5 rebalance=20000 session=60000
  write reserved 0 []
  = PreparingRebalance 0
> join b version=3 rebalance=20000 session=60000
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 b]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> leave b
  [Ok(())]
  = PreparingRebalance 1
> wait 20000
  = PreparingRebalance 1
> wait 40000
  write emptied 2 []
  = Empty 2
> durable
  = Empty 2
",
    );
}

#[test]
fn a_static_member_that_comes_back_twice_is_answered_once() {
    check(
        "
> join a static=i version=5
  write reserved 0 []
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 3000
  a: joined 1 as a#1, leads [a#1]
  = CompletingRebalance 1
> sync a a:x
  write assigned 1 [a#1=x]
  = CompletingRebalance 1
> durable
  a: synced x
  = Stable 1
> join a id=- static=i
  write renamed 1 [i-e6984080-bab1-4a02-953a-eb70673e29cb=x]
  = Stable 1
> join a id=- static=i
  a: FencedInstance
  write renamed 1 [i-73d33b66-6a1e-41da-bfda-be86cbbeaa11=x]
  = Stable 1
> durable
  = Stable 1
> durable
  a: joined 1 as a#2, leads [a#2], keeps the assignment
  = Stable 1
",
    );
}

#[test]
fn a_static_member_that_comes_back_into_a_rebalance_is_in_it() {
    check(
        "
> join a static=i version=5
  write reserved 0 []
  = PreparingRebalance 0
> join b static=j version=5
  = PreparingRebalance 0
> durable
  = PreparingRebalance 0
> wait 6000
  a: joined 1 as a#1, leads [a#1 j]
  b: joined 1 as b#1
  = CompletingRebalance 1
> sync a a:x b:y
  write assigned 1 [a#1=x b#1=y]
  = CompletingRebalance 1
> sync b
  = CompletingRebalance 1
> durable
  a: synced x
  b: synced y
  = Stable 1
> join b id=- static=j
  write renamed 1 [a#1=x j-73d33b66-6a1e-41da-bfda-be86cbbeaa11=y]
  = Stable 1
> join a static=i data=new
  a: joined 2 as a#1, leads [a#1 j]
  b: joined 2 as b#2
  = CompletingRebalance 2
> durable
  = CompletingRebalance 2
> sync b static=j
  = CompletingRebalance 2
",
    );
}
