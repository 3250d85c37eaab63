//! Toy machines in a world: bytes, disk, mesh and deadlines reach them, and equal seeds give equal traces.

use std::collections::BTreeSet;

use bytes::Bytes;
use corelane_engine::disk::{DiskDone, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId};
use corelane_engine::limits::BLOCK;
use corelane_engine::log::buffers::aligned;
use corelane_engine::types::{Instant, Now, ShardId};
use corelane_net::event::{ConnId, Event, Machine, Outbox, SocketOp};

use super::{Boot, ClientEvent, ClientId, Hands, Pace, Start, Workload, World};

/// Counts bytes it received, durably: answers each with the count so far, once that is on disk.
struct Counter {
    boot: Boot,
    count: u8,
    booted: bool,
    waiting: Vec<(ConnId, u8)>,
    writing: u8,
    busy: bool,
    receive: Vec<ConnId>,
    outgoing: Vec<(ConnId, u8)>,
    sending: BTreeSet<ConnId>,
    ticks: u32,
    next_tick: Option<Instant>,
}

impl Counter {
    fn new(boot: Boot) -> Counter {
        Counter {
            boot,
            count: 0,
            booted: false,
            waiting: Vec::new(),
            writing: 0,
            busy: true,
            receive: Vec::new(),
            outgoing: Vec::new(),
            sending: BTreeSet::new(),
            ticks: 0,
            next_tick: None,
        }
    }

    fn ask(&self, token: u64, op: DiskOp, out: &mut Outbox) {
        let token = DiskToken(token);
        out.disk.push(DiskRequest { token, op });
    }
}

impl Machine for Counter {
    fn on(&mut self, _: Now, event: Event, out: &mut Outbox) {
        let file = FileId(0);
        match event {
            Event::Accepted { conn, .. } => self.receive.push(conn),
            Event::Received { conn, bytes } if bytes.is_empty() => {
                out.sockets.push(SocketOp::Close { conn });
            }
            Event::Received { conn, bytes } => {
                for _ in 0..bytes.len() {
                    self.count += 1;
                    self.waiting.push((conn, self.count));
                }
                self.receive.push(conn);
            }
            Event::Disk(DiskDone { token, result }) => {
                match (token.0, result.expect("no faults")) {
                    (0, _) => {
                        let (position, into) = (0, aligned(BLOCK));
                        let op = DiskOp::Read {
                            file,
                            position,
                            into,
                        };
                        self.ask(1, op, out);
                    }
                    (1, DiskOutcome::Read(bytes)) => {
                        self.count = bytes.first().copied().unwrap_or(0);
                        let path = String::new();
                        self.ask(4, DiskOp::SyncDirectory { path }, out);
                    }
                    (4, _) => {
                        (self.booted, self.busy) = (true, false);
                        if self.boot.shard == ShardId(0) {
                            out.sockets.push(SocketOp::Accept);
                        }
                    }
                    (2, _) => self.ask(3, DiskOp::Flush { file }, out),
                    (3, _) => {
                        let written = self.writing;
                        let due = self.waiting.extract_if(.., |w| w.1 <= written);
                        self.outgoing.extend(due);
                        self.busy = false;
                    }
                    other => panic!("{other:?}"),
                }
            }
            Event::Sent { conn } => drop(self.sending.remove(&conn)),
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        if self.next_tick.is_none() {
            let (file, create, direct) = (FileId(0), true, true);
            let path = format!("count-{}", self.boot.shard.0);
            let op = DiskOp::Open {
                file,
                path,
                create,
                direct,
            };
            self.ask(0, op, out);
        }
        if self.next_tick.is_none_or(|at| at <= now.mono) {
            self.ticks += 1;
            self.next_tick = Some(Instant(now.mono.0 + 10_000_000));
        }
        for conn in self.receive.drain(..) {
            out.sockets.push(SocketOp::Receive { conn });
        }
        for (conn, count) in std::mem::take(&mut self.outgoing) {
            if self.sending.insert(conn) {
                let parts = vec![Bytes::from(vec![count])];
                out.sockets.push(SocketOp::Send { conn, parts });
            } else {
                self.outgoing.push((conn, count));
            }
        }
        if self.booted && !self.busy && !self.waiting.is_empty() {
            self.busy = true;
            self.writing = self.count;
            let mut bytes = aligned(BLOCK);
            bytes.resize(BLOCK, self.count);
            let (file, position, bytes) = (FileId(0), 0, bytes.freeze());
            let op = DiskOp::Write {
                file,
                position,
                bytes,
            };
            self.ask(2, op, out);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.next_tick
    }
}

/// Sends one byte, waits for its answer, sends the next; connects anew when it is cut off.
#[derive(Default)]
struct Pings {
    answers: Vec<(Start, u8)>,
    start: Start,
    wanted: usize,
}

impl Workload for Pings {
    fn on(&mut self, now: u64, client: ClientId, event: ClientEvent, hands: &mut Hands) {
        let ping = Bytes::from_static(b"x");
        match event {
            ClientEvent::Wake => hands.connect(client),
            ClientEvent::Refused | ClientEvent::Closed { .. } => {
                hands.wake(client, now + 1_000_000)
            }
            ClientEvent::Connected { conn, start } => {
                self.start = start;
                hands.send(conn, ping);
            }
            ClientEvent::Data { conn, bytes } => {
                assert_eq!(bytes.len(), 1);
                self.answers.push((self.start, bytes[0]));
                if self.answers.len() < self.wanted {
                    hands.send(conn, ping);
                }
            }
        }
    }
}

type Crash = fn(&mut World<Counter, fn(Boot) -> Counter>);

fn pings(seed: u64, crash: Crash) -> (Pings, u64, u32) {
    let make: fn(Boot) -> Counter = Counter::new;
    let mut world = World::new(seed, Pace::default(), make);
    let mut pings = Pings {
        wanted: 20,
        ..Pings::default()
    };
    world.start(1);
    let mut hands = Hands::default();
    hands.wake(ClientId(0), world.now());
    world.perform(hands);
    for _ in 0..5 {
        while pings.answers.len() < pings.wanted && world.step(&mut pings) {}
        crash(&mut world);
        assert!(!world.is_up());
        world.start(1);
        pings.wanted += 10;
    }
    while pings.answers.len() < pings.wanted && world.step(&mut pings) {}
    let ticks = world.machine(ShardId(0)).ticks;
    (pings, world.trace.hash(), ticks)
}

#[test]
fn what_was_answered_is_remembered_over_kills_and_cuts() {
    for seed in 0..50 {
        for crash in [World::kill, World::power_cut] {
            let (pings, _, ticks) = pings(seed, crash);
            assert_eq!(pings.answers.len(), 70);
            assert!(ticks > 0, "deadlines are kept");
            let counts: Vec<u8> = pings.answers.iter().map(|a| a.1).collect();
            assert!(counts.is_sorted_by(|a, b| a < b), "{:?}", pings.answers);
            assert_eq!(pings.answers.last().expect("70").0, Start(6));
        }
    }
}

#[test]
fn equal_seeds_give_equal_traces() {
    let hash = |seed| pings(seed, World::power_cut).1;
    for seed in 0..10 {
        assert_eq!(hash(seed), hash(seed));
        assert_ne!(hash(seed), hash(seed + 1));
    }
}
