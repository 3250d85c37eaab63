//! Crowds: one group of many members and many groups of one, what each of them costs, and that others are served meanwhile.
//!
//! ```text
//!   join all ─► sync all ─► heartbeat all ─► leave all        one group, then as many groups of one member
//!        beside them: one client that asks and asks, and notes how long it waited
//! ```
//!
//! 400 members and 2,000 groups by default; the long form is `GROUP_MEMBERS=10000 GROUP_COUNT=100000`, in release. CPU time is
//! the broker's. The longest wait of the client beside is as long as the longest pass, at least.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    ApiVersionsRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    IncrementalAlterConfigsRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::process::run;
use corelane_tests::harness::wire::{Reaction, Wire, decode_response, request_bytes};

/// Requests on their way on one connection: the broker takes no more.
const IN_FLIGHT: usize = 50;
/// Members join in one step: the last version in which nobody is told to come back with an id.
const JOIN: i16 = 3;
const SYNC: i16 = 2;
const HEARTBEAT: i16 = 2;
const LEAVE: i16 = 3;
/// A rebalance waits for late ones.
const WITHIN: Duration = Duration::from_secs(120);

#[test]
fn crowds_of_members_and_of_groups() {
    let number = |name: &str, or: usize| {
        std::env::var(name).map_or(or, |text| text.parse().expect("a number"))
    };
    let (members, groups) = (number("GROUP_MEMBERS", 400), number("GROUP_COUNT", 2_000));
    raise_open_files();
    let broker = Broker::start_own(Options::shards(1));
    let mut wire = Wire::connect(broker.address());
    let find = FindCoordinatorRequest::default().with_key(text("crowd"));
    assert_eq!(wire.call(2, &find).error_code, 0);
    take_large_records(&mut wire);

    let mut crowd = Crowd::new(&broker, members);
    let one = vec!["crowd".to_owned(); members];
    let lives = crowd.join(one);
    crowd.live(lives, "one group of");

    let mut done = 0;
    let before = broker.resident_bytes();
    let at_once = members.max(2_000).min(groups);
    let mut crowd = Crowd::new(&broker, at_once);
    while done < groups {
        let count = at_once.min(groups - done);
        let names = (done..done + count).map(|n| format!("group-{n}"));
        let lives = crowd.join(names.collect());
        crowd.quiet = done > 0;
        crowd.stay(lives);
        done += count;
    }
    let each = broker.resident_bytes().saturating_sub(before) / groups as u64;
    eprintln!("{groups} groups of one member: {each} bytes resident for each");
    assert!(each < 16 << 10, "{each} bytes for a group");
}

/// The record of ten thousand members is above the default of a batch, here as with Apache Kafka.
fn take_large_records(wire: &mut Wire) {
    let config = AlterableConfig::default()
        .with_name(text("max.message.bytes"))
        .with_value(Some(text("8388608")));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("__consumer_offsets"))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    assert_eq!(wire.call(1, &request).responses[0].error_code, 0);
}

/// A member, as it is known after it joined.
#[derive(Clone)]
struct Life {
    group: String,
    member: StrBytes,
    generation: i32,
    /// Ids of all, where it leads.
    leads: Vec<StrBytes>,
}

struct Crowd<'a> {
    broker: &'a Broker,
    wires: Vec<Wire>,
    quiet: bool,
}

impl<'a> Crowd<'a> {
    fn new(broker: &'a Broker, members: usize) -> Crowd<'a> {
        let wires = members.div_ceil(IN_FLIGHT);
        Crowd {
            broker,
            wires: (0..wires)
                .map(|_| Wire::connect(broker.address()))
                .collect(),
            quiet: false,
        }
    }

    /// Sends all requests, `IN_FLIGHT` on each connection, then takes all answers, in order.
    fn ask<R: Request>(&mut self, what: &str, version: i16, requests: &[R]) -> Vec<R::Response> {
        let (cpu, resident) = (self.broker.cpu_time(), self.broker.resident_bytes());
        let bodies: Vec<Vec<u8>> = requests
            .iter()
            .map(|request| request_bytes(version, 1, request))
            .collect();
        let over = AtomicBool::new(false);
        let begin = Instant::now();
        let (answers, waits) = thread::scope(|scope| {
            let beside = scope.spawn(|| beside(self.broker, &over));
            for (wire, bodies) in self.wires.iter_mut().zip(bodies.chunks(IN_FLIGHT)) {
                for body in bodies {
                    assert!(wire.send_frame(body), "{what}: closed");
                }
            }
            let mut answers = Vec::with_capacity(requests.len());
            for (wire, bodies) in self.wires.iter_mut().zip(bodies.chunks(IN_FLIGHT)) {
                for _ in bodies {
                    let Reaction::Frame(frame) = wire.reaction(WITHIN) else {
                        panic!("{what}: no answer");
                    };
                    answers.push(decode_response::<R>(version, &frame).1);
                }
            }
            over.store(true, Ordering::Relaxed);
            (answers, beside.join().expect("it is served"))
        });
        if !self.quiet {
            let used = (self.broker.cpu_time() - cpu) / requests.len() as u32;
            let grown = self.broker.resident_bytes() as i64 - resident as i64;
            eprintln!(
                "{} × {what}: {used:?} of CPU each, {} bytes resident more each, all in {:?}; beside them {waits}",
                requests.len(),
                grown / requests.len() as i64,
                begin.elapsed()
            );
        }
        answers
    }

    fn join(&mut self, groups: Vec<String>) -> Vec<Life> {
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(Bytes::from_static(&[0, 0, 0, 0, 0, 0]));
        let requests: Vec<JoinGroupRequest> = groups
            .iter()
            .map(|group| {
                JoinGroupRequest::default()
                    .with_group_id(GroupId(text(group)))
                    .with_session_timeout_ms(1_800_000)
                    .with_rebalance_timeout_ms(60_000)
                    .with_protocol_type(text("consumer"))
                    .with_protocols(vec![protocol.clone()])
            })
            .collect();
        let answers = self.ask("join", JOIN, &requests);
        let lives = groups.into_iter().zip(answers);
        let lives = lives.map(|(group, answer)| {
            assert_eq!(answer.error_code, 0, "joining {group}");
            Life {
                group,
                member: answer.member_id,
                generation: answer.generation_id,
                leads: answer.members.into_iter().map(|m| m.member_id).collect(),
            }
        });
        lives.collect()
    }

    /// Each is given something, and says that it is there.
    fn stay(&mut self, lives: Vec<Life>) -> Vec<Life> {
        let syncs: Vec<SyncGroupRequest> = lives
            .iter()
            .map(|life| {
                let given = life.leads.iter().map(|member| {
                    SyncGroupRequestAssignment::default()
                        .with_member_id(member.clone())
                        .with_assignment(Bytes::from_static(b"assigned"))
                });
                SyncGroupRequest::default()
                    .with_group_id(GroupId(text(&life.group)))
                    .with_generation_id(life.generation)
                    .with_member_id(life.member.clone())
                    .with_assignments(given.collect())
            })
            .collect();
        for answer in self.ask("sync", SYNC, &syncs) {
            assert_eq!(
                (answer.error_code, &answer.assignment[..]),
                (0, &b"assigned"[..])
            );
        }
        let beats: Vec<HeartbeatRequest> = lives
            .iter()
            .map(|life| {
                HeartbeatRequest::default()
                    .with_group_id(GroupId(text(&life.group)))
                    .with_generation_id(life.generation)
                    .with_member_id(life.member.clone())
            })
            .collect();
        for answer in self.ask("heartbeat", HEARTBEAT, &beats) {
            assert_eq!(answer.error_code, 0);
        }
        lives
    }

    fn live(&mut self, lives: Vec<Life>, what: &str) {
        eprintln!("{what} {} members", lives.len());
        let leaders = lives.iter().filter(|life| !life.leads.is_empty());
        assert_eq!(leaders.count(), 1, "one leads");
        let lives = self.stay(lives);
        // All at once: the rest of them is one rebalance.
        let members = lives
            .iter()
            .map(|life| MemberIdentity::default().with_member_id(life.member.clone()));
        let leave = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(&lives[0].group)))
            .with_members(members.collect());
        for answer in self.ask("leave of all", LEAVE, &[leave]) {
            assert_eq!(answer.error_code, 0);
        }
    }
}

/// Asks until it is over; returns how often, and how long it waited at most and mostly.
fn beside(broker: &Broker, over: &AtomicBool) -> String {
    let mut wire = Wire::connect(broker.address());
    let mut waits = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        wire.call(0, &ApiVersionsRequest::default());
        waits.push(begin.elapsed());
        // Silence for as long: its own requests are not to be what costs.
        wire.reaction(Duration::from_millis(1));
    }
    waits.sort_unstable();
    let at = |n: usize| waits.get(n.min(waits.len().saturating_sub(1))).copied();
    format!(
        "{} requests waited {:?} at the median, {:?} at most",
        waits.len(),
        at(waits.len() / 2).unwrap_or_default(),
        at(usize::MAX).unwrap_or_default()
    )
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The connections are descriptors of this process too, and the usual limit is 1,024.
fn raise_open_files() {
    let mut raise = Command::new("prlimit");
    raise.args(["--pid", &std::process::id().to_string(), "--nofile=4096:"]);
    run(raise, b"", Duration::from_secs(10)).expect_ok("prlimit");
}
