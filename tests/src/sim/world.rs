//! One node, its disk, its network and its clients under one virtual clock: a heap of events, drawn by one seed.
//!
//! ```text
//!  heap ─► disk done, bytes, mesh message ─► inbox of a shard ─► pass: on × n, settle × 1 ─► outbox ─┐
//!    ▲       wake-up, data, closed ─► workload ─► hands ─────────────────────────────────────────────┤
//!    └───────────────────────────────────────── with random delays ◄────────────────────────────────┘
//!  kill, power_cut: machines are dropped, disk and network keep their rules; start makes new machines
//! ```

mod hands;
mod pace;
#[cfg(test)]
mod tests;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use corelane_engine::disk::DiskOutcome;
use corelane_engine::fatal::Fatal;
use corelane_engine::rng::Rng;
use corelane_engine::types::{Instant, Now, ShardId, Timestamp};
use corelane_net::event::{ConnId, Event, Machine, Message, Outbox, SocketOp};
use corelane_net::listeners::ListenerId;

use super::disk::{FakeDisk, Kind, OpId};
use super::net::{FakeNet, NetEvent, NetOut, NetOutcome};
use super::trace::Trace;
use hands::Deed;
pub use hands::{ClientEvent, ClientId, Hands, Workload};
pub use pace::Pace;
use words::{client_words, words};

/// How often the node was started; the first start is 1. Names one life of the process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Start(pub u32);

/// What a factory of machines is told.
#[derive(Clone, Copy, Debug)]
pub struct Boot {
    pub shard: ShardId,
    pub shards: u16,
    /// Differs for each shard and start.
    pub seed: u64,
    pub start: Start,
}

#[derive(Debug)]
enum Ev {
    Pass {
        shard: ShardId,
        start: Start,
        serial: u64,
    },
    Disk {
        op: OpId,
        start: Start,
    },
    Mesh {
        from: ShardId,
        to: ShardId,
        start: Start,
        message: Box<Message>,
    },
    Net(NetEvent),
    Connect(ClientId),
    Refused(ClientId),
    Wake(ClientId),
}

struct Timed {
    at: u64,
    serial: u64,
    event: Ev,
}

impl PartialEq for Timed {
    fn eq(&self, other: &Timed) -> bool {
        self.serial == other.serial
    }
}
impl Eq for Timed {}
impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Timed) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timed {
    fn cmp(&self, other: &Timed) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

struct Shard<M> {
    machine: M,
    inbox: VecDeque<Event>,
    /// The pass that is due next: when, and its number.
    due: Option<(u64, u64)>,
    stopped: bool,
}

/// One seed's universe.
pub struct World<M, F> {
    make: F,
    rng: Rng,
    pace: Pace,
    now: u64,
    heap: BinaryHeap<Reverse<Timed>>,
    serial: u64,
    pub disk: FakeDisk,
    net: FakeNet,
    shards: Vec<Shard<M>>,
    start: Start,
    accepting: bool,
    mesh_last: BTreeMap<(ShardId, ShardId), u64>,
    clients: BTreeMap<ConnId, ClientId>,
    out: Outbox,
    net_out: NetOut,
    /// The monotonic clock begins anew with each boot of the machine.
    clock_base: u64,
    fatal: Option<(ShardId, Fatal)>,
    /// The shard that asked the disk had stopped when the last answer came.
    unheard: bool,
    pub trace: Trace,
}

/// 2026-01-01T00:00:00Z.
const WALL_BASE_MS: i64 = 1_767_225_600_000;

/// The wall clock at a moment of simulated time.
pub fn wall_ms(now: u64) -> i64 {
    WALL_BASE_MS + (now / 1_000_000) as i64
}

impl<M: Machine, F: FnMut(Boot) -> M> World<M, F> {
    pub fn new(seed: u64, pace: Pace, make: F) -> World<M, F> {
        let mut rng = Rng::new(seed);
        World {
            make,
            pace,
            now: 1_000_000_000,
            heap: BinaryHeap::new(),
            serial: 0,
            disk: FakeDisk::new(rng.next_u64(), pace.disk),
            net: FakeNet::new(rng.next_u64(), pace.net_us, pace.slow_readers_of_8),
            shards: Vec::new(),
            start: Start(0),
            accepting: false,
            mesh_last: BTreeMap::new(),
            clients: BTreeMap::new(),
            out: Outbox::default(),
            net_out: NetOut::default(),
            clock_base: rng.below(1 << 50),
            fatal: None,
            unheard: false,
            trace: Trace::new(pace.print),
            rng,
        }
    }

    /// Simulated time in nanoseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    pub fn is_up(&self) -> bool {
        !self.shards.is_empty()
    }

    /// The node takes connections.
    pub fn is_accepting(&self) -> bool {
        self.accepting
    }

    /// Names the running, or last, life of the process.
    pub fn life(&self) -> Start {
        self.start
    }

    /// Why the process ended by itself, once.
    pub fn take_fatal(&mut self) -> Option<(ShardId, Fatal)> {
        self.fatal.take()
    }

    /// Nobody heard the disk's last answer: a shard that stops while it starts leaves operations behind.
    pub fn was_unheard(&self) -> bool {
        self.unheard
    }

    /// It did not end by itself.
    pub fn had_no_fatal(&self) -> bool {
        self.fatal.is_none()
    }

    pub fn machine(&self, shard: ShardId) -> &M {
        &self.shards[usize::from(shard.0)].machine
    }

    fn at(&mut self, at: u64, event: Ev) {
        self.serial += 1;
        let serial = self.serial;
        self.heap.push(Reverse(Timed { at, serial, event }));
    }

    fn clocks(&self) -> Now {
        Now {
            mono: Instant(self.clock_base + self.now),
            wall: Timestamp(wall_ms(self.now)),
        }
    }

    /// The process starts with so many shards.
    pub fn start(&mut self, shards: u16) {
        assert!(!self.is_up(), "started twice");
        self.start.0 += 1;
        self.trace.note(
            self.now,
            &[1, u64::from(shards)],
            format_args!("start {} with {shards} shards", self.start.0),
        );
        for shard in (0..shards).map(ShardId) {
            let boot = Boot {
                shard,
                shards,
                seed: self.rng.next_u64(),
                start: self.start,
            };
            let machine = (self.make)(boot);
            self.shards.push(Shard {
                machine,
                inbox: VecDeque::new(),
                due: None,
                stopped: false,
            });
            self.pass_by(shard, self.now + 1);
        }
    }

    /// Nothing fails from now on, and every client reads what comes.
    pub fn heal(&mut self) {
        self.disk.heal();
        self.disk.calm();
        self.net.heal();
    }

    /// SIGKILL, or the end by its own will: machines are gone.
    pub fn kill(&mut self) {
        self.trace.note(self.now, &[2], format_args!("kill"));
        self.end();
        self.disk.kill();
    }

    /// Power is cut; the node may have been down already.
    pub fn power_cut(&mut self) {
        self.trace.note(self.now, &[3], format_args!("power cut"));
        self.end();
        self.disk.power_cut();
        self.clock_base = self.rng.below(1 << 50);
    }

    fn end(&mut self) {
        self.shards.clear();
        self.accepting = false;
        self.mesh_last.clear();
        self.net.kill(self.now, &mut self.net_out);
        self.schedule_net();
    }

    /// Gives every shard an event of the kernel half's own making, such as the wish to stop.
    pub fn tell_all(&mut self, event: impl Fn() -> Event) {
        for shard in (0..self.shards.len() as u16).map(ShardId) {
            self.inbox(shard, event());
        }
    }

    /// A pass of `shard` happens at `at` or before.
    fn pass_by(&mut self, shard: ShardId, at: u64) {
        let (serial, start) = (self.serial, self.start);
        let state = &mut self.shards[usize::from(shard.0)];
        if state.stopped || state.due.is_some_and(|(due, _)| due <= at) {
            return;
        }
        state.due = Some((at, serial));
        let pass = Ev::Pass {
            shard,
            start,
            serial,
        };
        self.at(at, pass);
    }

    fn inbox(&mut self, shard: ShardId, event: Event) {
        let state = &mut self.shards[usize::from(shard.0)];
        state.inbox.push_back(event);
        let delay = match self.rng.one_in(self.pace.stall_one_in) {
            true => self.pace.stall_us,
            false => self.pace.pass_us,
        };
        let at = self.now + 500 + self.rng.below(delay * 1_000);
        self.pass_by(shard, at);
    }

    /// The next event happens. False: nothing is left that could.
    pub fn step(&mut self, load: &mut impl Workload) -> bool {
        let Some(Reverse(Timed { at, event, .. })) = self.heap.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        match event {
            Ev::Pass {
                shard,
                start,
                serial,
            } => {
                if start == self.start
                    && let Some(state) = self.shards.get_mut(usize::from(shard.0))
                    && state.due.is_some_and(|(_, due)| due == serial)
                {
                    state.due = None;
                    self.pass(shard);
                }
            }
            Ev::Disk { op, start } => {
                if start == self.start && self.is_up() {
                    self.disk_done(op);
                }
            }
            Ev::Mesh {
                from,
                to,
                start,
                message,
            } => {
                if start == self.start && self.is_up() {
                    let message = *message;
                    let numbers = [14, u64::from(from.0), u64::from(to.0)];
                    let words = format_args!("{to:?} hears from {from:?}");
                    self.trace.note(self.now, &numbers, words);
                    self.inbox(to, Event::Mesh { from, message });
                }
            }
            Ev::Net(event) => {
                self.net.fire(self.now, event, &mut self.net_out);
                self.carry(load);
            }
            Ev::Connect(client) => self.connect(client, load),
            Ev::Refused(client) => self.tell(client, ClientEvent::Refused, load),
            Ev::Wake(client) => self.tell(client, ClientEvent::Wake, load),
        }
        true
    }

    fn disk_done(&mut self, op: OpId) {
        let (shard, done) = self.disk.complete(op);
        self.unheard = self.shards[usize::from(shard.0)].stopped;
        let outcome = match &done.result {
            Ok(DiskOutcome::Done) => 0,
            Ok(DiskOutcome::Read(bytes)) => 1 + u64::from(crc32c::crc32c(bytes)),
            Ok(DiskOutcome::Listing(entries)) => 1 + entries.len() as u64,
            Ok(DiskOutcome::Measured(_)) => 1,
            Err(error) => u64::MAX - error.errno as u64,
        };
        self.trace.note(
            self.now,
            &[4, u64::from(shard.0), done.token.0, outcome],
            format_args!(
                "{shard:?} disk {:x} done{}",
                done.token.0,
                if done.result.is_err() { ", failed" } else { "" }
            ),
        );
        self.inbox(shard, Event::Disk(done));
    }

    fn pass(&mut self, shard: ShardId) {
        let now = self.clocks();
        let state = &mut self.shards[usize::from(shard.0)];
        let mut out = std::mem::take(&mut self.out);
        // Events of a connection that this very pass closed are not told any more.
        let events = state.inbox.len();
        for _ in 0..events {
            let event = state.inbox.pop_front().expect("counted above");
            if let Event::Received { conn, .. }
            | Event::ReceivedInto { conn, .. }
            | Event::Sent { conn }
            | Event::Recalled { conn, .. }
            | Event::Broken { conn, .. } = &event
                && (!self.net.server_has(*conn) || closes(&out, *conn))
            {
                continue;
            }
            state.machine.on(now, event, &mut out);
        }
        state.machine.settle(now, &mut out);
        let deadline = state.machine.deadline();
        let numbers = [
            5,
            u64::from(shard.0),
            events as u64,
            out.disk.len() as u64,
            out.sockets.len() as u64,
            out.mesh.len() as u64,
        ];
        if events > 0 || numbers[3..] != [0, 0, 0] {
            self.trace.note(
                self.now,
                &numbers,
                format_args!(
                    "{shard:?} pass: {events} events, {} disk, {} sockets, {} mesh",
                    numbers[3], numbers[4], numbers[5]
                ),
            );
        }
        self.apply(shard, &mut out);
        self.out = out;
        if let Some(deadline) = deadline
            && self.is_up()
        {
            let at = deadline.0.saturating_sub(self.clock_base);
            self.pass_by(shard, at.max(self.now + 1_000));
        }
    }

    fn apply(&mut self, shard: ShardId, out: &mut Outbox) {
        for request in out.disk.drain(..) {
            let (kind, token) = (Kind::of(&request.op), request.token.0);
            if self.trace.prints() {
                let path = self.disk.path_of(shard, &request.op).to_owned();
                let words = words(&path, kind, &request);
                self.trace.say(self.now, format_args!("{shard:?} {words}"));
            }
            let (op, delay) = self.disk.submit(shard, request);
            self.trace.note(
                self.now,
                &[6, kind as u64, token],
                format_args!("{shard:?} disk {token:x} {kind:?}"),
            );
            let start = self.start;
            let at = self.now + delay.as_nanos() as u64;
            self.at(at, Ev::Disk { op, start });
        }
        for (to, message) in out.mesh.drain(..) {
            assert!(
                usize::from(to.0) < self.shards.len() && to != shard,
                "{shard:?} sends to {to:?}"
            );
            let delay = 500 + self.rng.below(self.pace.mesh_us * 1_000);
            let last = self.mesh_last.entry((shard, to)).or_default();
            *last = (self.now + delay).max(*last + 1);
            let (at, start, message) = (*last, self.start, Box::new(message));
            let mesh = Ev::Mesh {
                from: shard,
                to,
                start,
                message,
            };
            self.at(at, mesh);
        }
        for op in out.sockets.drain(..) {
            if let SocketOp::Accept = op {
                assert!(shard == ShardId(0), "only shard 0 accepts");
                assert!(!self.accepting, "accepts once");
                self.trace.note(self.now, &[7], format_args!("accepting"));
                self.accepting = true;
                continue;
            }
            self.net.server(self.now, shard, op, &mut self.net_out);
        }
        self.schedule_net();
        for outcome in std::mem::take(&mut self.net_out.now) {
            match outcome {
                NetOutcome::Shard(shard, event) => self.inbox(shard, event),
                NetOutcome::Data { .. } | NetOutcome::Closed { .. } => {
                    unreachable!("clients hear later")
                }
            }
        }
        if let Some(fatal) = out.fatal.take() {
            self.trace
                .note(self.now, &[8], format_args!("{shard:?} ends: {fatal}"));
            self.fatal.get_or_insert((shard, fatal));
            // A stop that was complete in the same pass is no stop of the next life.
            out.stopped = false;
            self.kill();
        } else if std::mem::take(&mut out.stopped) {
            self.shards[usize::from(shard.0)].stopped = true;
            if self.shards.iter().all(|s| s.stopped) {
                self.kill();
            }
        }
    }

    fn schedule_net(&mut self) {
        for (at, event) in std::mem::take(&mut self.net_out.later) {
            self.at(at, Ev::Net(event));
        }
    }

    /// Carries what the network has to say now to shards and clients.
    fn carry(&mut self, load: &mut impl Workload) {
        self.schedule_net();
        for outcome in std::mem::take(&mut self.net_out.now) {
            let (conn, event) = match outcome {
                NetOutcome::Shard(shard, event) => {
                    self.inbox(shard, event);
                    continue;
                }
                NetOutcome::Data { conn, bytes } => (conn, ClientEvent::Data { conn, bytes }),
                NetOutcome::Closed { conn } => (conn, ClientEvent::Closed { conn }),
            };
            let client = self.clients[&conn];
            if let ClientEvent::Closed { .. } = event {
                self.clients.remove(&conn);
            }
            self.tell(client, event, load);
        }
    }

    fn connect(&mut self, client: ClientId, load: &mut impl Workload) {
        if !self.accepting {
            let at = self.now + 50_000;
            self.at(at, Ev::Refused(client));
            return;
        }
        let shard = ShardId(self.rng.below(self.shards.len() as u64) as u16);
        let conn = self.net.connect(shard);
        self.clients.insert(conn, client);
        let peer = ([127, 0, 0, 1], 10_000 + client.0 as u16).into();
        self.inbox(
            shard,
            Event::Accepted {
                conn,
                listener: ListenerId::default(),
                peer,
            },
        );
        let start = self.start;
        self.tell(client, ClientEvent::Connected { conn, start }, load);
    }

    fn tell(&mut self, client: ClientId, event: ClientEvent, load: &mut impl Workload) {
        let numbers = match &event {
            ClientEvent::Wake => [9, 0, 0],
            ClientEvent::Connected { conn, .. } => [10, conn.0, 0],
            ClientEvent::Refused => [11, 0, 0],
            ClientEvent::Data { conn, bytes } => [12, conn.0, u64::from(crc32c::crc32c(bytes))],
            ClientEvent::Closed { conn } => [13, conn.0, 0],
        };
        self.trace.note(
            self.now,
            &numbers,
            format_args!("client {} {}", client.0, client_words(&event)),
        );
        let mut hands = Hands::default();
        load.on(self.now, client, event, &mut hands);
        self.perform(hands);
    }

    /// What clients do; also used to set them going.
    pub fn perform(&mut self, hands: Hands) {
        for deed in hands.deeds {
            match deed {
                Deed::Connect(client) => {
                    let at = self.now + 10_000 + self.rng.below(100_000);
                    self.at(at, Ev::Connect(client));
                }
                Deed::Send(conn, bytes) => {
                    self.net
                        .client_send(self.now, conn, bytes, &mut self.net_out);
                }
                Deed::Close { conn, reset } => {
                    self.net
                        .client_close(self.now, conn, reset, &mut self.net_out);
                }
                Deed::Wake(client, at) => self.at(at.max(self.now + 1), Ev::Wake(client)),
            }
        }
        self.schedule_net();
    }
}

fn closes(out: &Outbox, conn: ConnId) -> bool {
    let mut sockets = out.sockets.iter();
    sockets.any(|op| matches!(op, SocketOp::Close { conn: closed } if *closed == conn))
}
