//! A node of one shard and its one client: both in this thread, one request at a time.
//!
//! ```text
//!  ask(frame) ─► events ─► pass: on × n, settle × 1 ─► outbox ─► disk: done at once, told in the next pass
//!                  ▲          │ counted, or not                  socket: as much as is wanted, taken at once
//!                  └──────────┴────── until no event is left ◄──────────────────────────────────┘
//! ```

use bytes::{Buf, Bytes, BytesMut};
use corelane_engine::controller::command::Endpoint;
use corelane_engine::group::config::GroupConfig;
use corelane_engine::limits::Limits;
use corelane_engine::types::{Instant, NodeId, Now, ShardId, Timestamp};
use corelane_net::context::authorize_all;
use corelane_net::event::{ConnId, Event, Machine, Outbox, SocketOp};
use corelane_net::listeners::{Listener, ListenerId};
use corelane_net::node::{Node, NodeConfig};
use corelane_net::worker::NetLimits;

use crate::disk::Disk;

const CONN: ConnId = ConnId(1);
/// The clock moves so far with each pass: about what one takes.
const PASS_NS: u64 = 20_000;
/// 2026-01-01T00:00:00Z.
const WALL_BASE_MS: i64 = 1_767_225_600_000;
/// As the kernel half has them: of its buffers, of what it cuts received bytes from, of one large receive.
const BUFFER_BYTES: usize = 16 << 10;
const CHUNK_BYTES: usize = 64 << 10;
const RECEIVE_BYTES_MAX: usize = 1 << 20;
/// Memory of a shard, as the broker's defaults have it: first chunk, further ones, ceiling.
const ARENA: [usize; 3] = [8 << 20, 32 << 20, 136 << 20];
/// A request that has not come to rest by then never does.
const PASSES_MAX: usize = 100_000;

/// What the node has asked of its only connection.
enum Receiving {
    Nothing,
    Pooled,
    Into(BytesMut),
}

pub(crate) struct Rig {
    node: Node,
    disk: Disk,
    now_ns: u64,
    /// For the next pass.
    events: Vec<Event>,
    out: Outbox,
    /// What the client has sent and the node has not received.
    sent: Bytes,
    receiving: Receiving,
    chunk: BytesMut,
    /// What the client has received and not looked at.
    answers: BytesMut,
    accepting: bool,
    counting: bool,
}

impl Rig {
    /// A new cluster, open for clients, with one connected.
    pub(crate) fn open() -> Rig {
        let mut rig = Rig {
            node: Node::new(config()),
            disk: Disk::default(),
            now_ns: 0,
            events: Vec::new(),
            out: Outbox::default(),
            sent: Bytes::new(),
            receiving: Receiving::Nothing,
            chunk: BytesMut::new(),
            answers: BytesMut::new(),
            accepting: false,
            counting: false,
        };
        rig.rest();
        assert!(rig.accepting, "the node did not open");
        rig.events.push(Event::Accepted {
            conn: CONN,
            listener: ListenerId::default(),
            peer: ([127, 0, 0, 1], 40_000).into(),
        });
        rig.rest();
        rig
    }

    /// Whether the node is passed through [`what_is_counted`] from now on.
    pub(crate) fn count(&mut self, counting: bool) {
        self.counting = counting;
    }

    /// One request; its answer, without the size. Returns when nothing is left to be done for it.
    pub(crate) fn ask(&mut self, frame: &Bytes) -> Bytes {
        assert!(self.sent.is_empty(), "the last request was not received");
        self.sent = frame.clone();
        self.receive();
        self.rest();
        let size = self.answers.get_u32() as usize;
        assert_eq!(size, self.answers.len(), "one answer to one request");
        self.answers.split().freeze()
    }

    /// Passes until no event is left and no deadline is over.
    fn rest(&mut self) {
        for _ in 0..PASSES_MAX {
            let deadline = self.pass();
            let due = deadline.is_some_and(|at| at.0 <= self.now_ns);
            if self.events.is_empty() && !due {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn pass(&mut self) -> Option<Instant> {
        self.now_ns += PASS_NS;
        let now = Now {
            mono: Instant(self.now_ns),
            wall: Timestamp(WALL_BASE_MS + (self.now_ns / 1_000_000) as i64),
        };
        let deadline = match self.counting {
            true => what_is_counted(&mut self.node, now, &mut self.events, &mut self.out),
            false => {
                turn(&mut self.node, now, &mut self.events, &mut self.out);
                self.node.deadline()
            }
        };
        self.apply();
        deadline
    }

    fn apply(&mut self) {
        assert!(self.out.fatal.is_none(), "{:?}", self.out.fatal);
        assert!(self.out.mesh.is_empty(), "there is no other shard");
        for request in self.out.disk.drain(..) {
            self.events.push(Event::Disk(self.disk.perform(request)));
        }
        for op in std::mem::take(&mut self.out.sockets) {
            match op {
                SocketOp::Accept => self.accepting = true,
                SocketOp::Receive { .. } => self.want(Receiving::Pooled),
                SocketOp::ReceiveInto { buffer, .. } => self.want(Receiving::Into(buffer)),
                SocketOp::Send { conn, parts } => {
                    for part in parts {
                        self.answers.extend_from_slice(&part);
                    }
                    self.events.push(Event::Sent { conn });
                }
                SocketOp::Recall { .. } => panic!("everything was taken at once"),
                SocketOp::Close { conn } => panic!("{conn:?} is closed"),
            }
        }
    }

    fn want(&mut self, receiving: Receiving) {
        let before = std::mem::replace(&mut self.receiving, receiving);
        assert!(matches!(before, Receiving::Nothing), "two receives");
        self.receive();
    }

    /// The node receives, where it wants to and there is something.
    fn receive(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        match std::mem::replace(&mut self.receiving, Receiving::Nothing) {
            Receiving::Nothing => {}
            Receiving::Pooled => {
                let came = self.sent.split_to(self.sent.len().min(BUFFER_BYTES));
                if self.chunk.capacity() < came.len() {
                    self.chunk = BytesMut::with_capacity(CHUNK_BYTES);
                }
                self.chunk.extend_from_slice(&came);
                let bytes = self.chunk.split();
                self.events.push(Event::Received { conn: CONN, bytes });
            }
            Receiving::Into(mut buffer) => {
                let room = (buffer.capacity() - buffer.len()).min(RECEIVE_BYTES_MAX);
                let came = self.sent.split_to(self.sent.len().min(room));
                buffer.extend_from_slice(&came);
                self.events.push(Event::ReceivedInto {
                    conn: CONN,
                    buffer,
                    count: came.len(),
                });
            }
        }
    }
}

/// The function that callgrind looks for: one pass of a request that counts. What it returns keeps the call within from
/// becoming a jump, after which its end would not be seen.
#[inline(never)]
fn what_is_counted(
    node: &mut Node,
    now: Now,
    events: &mut Vec<Event>,
    out: &mut Outbox,
) -> Option<Instant> {
    turn(node, now, events, out);
    node.deadline()
}

#[inline(never)]
fn turn(node: &mut Node, now: Now, events: &mut Vec<Event>, out: &mut Outbox) {
    for event in events.drain(..) {
        node.on(now, event, out);
    }
    node.settle(now, out);
}

/// What a broker with one shard has, but for its listener's address.
fn config() -> NodeConfig {
    NodeConfig {
        me: ShardId(0),
        shards: 1,
        node: NodeId(1),
        listeners: vec![Listener {
            bound: ([127, 0, 0, 1], 9092).into(),
            endpoint: Endpoint {
                listener: "PLAINTEXT".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: 9092,
            },
        }],
        rack: None,
        directory: "/data".to_owned(),
        limits: Limits::NORMAL,
        net: NetLimits::NORMAL,
        arena: ARENA,
        seed: 1,
        groups: GroupConfig::default(),
        authorize: authorize_all,
    }
}
