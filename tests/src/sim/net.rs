//! Sockets that exist in memory only: byte streams cut and delayed at random, never reordered.
//!
//! ```text
//!  client ── send ─► segments ─► inbox ── Receive, ReceiveInto ─► Event::Received…    to the connection's shard
//!  client ◄─ Data ── segments ◄── Send ─► Event::Sent
//!  kill: what is on its way to a client arrives up to a random moment, then the connection is closed
//! ```

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use corelane_engine::rng::Rng;
use corelane_engine::types::ShardId;
use corelane_net::event::{ConnId, Event, SocketOp};

/// Something that happens on a connection at a later time.
#[derive(Debug)]
pub enum NetEvent {
    /// Bytes reach the broker.
    Arrive { conn: ConnId, bytes: Bytes },
    /// The client's end of stream, or its reset, reaches the broker.
    HungUp { conn: ConnId, reset: bool },
    /// The broker's kernel has taken all of a send.
    Sent { conn: ConnId },
    /// A slow client takes the next piece of a send.
    Take { conn: ConnId, send: u64 },
    /// Bytes reach the client.
    Deliver { conn: ConnId, bytes: Bytes },
    /// The broker's end of stream reaches the client.
    Closed { conn: ConnId },
}

/// What an event on the network means to either end, now.
#[derive(Debug)]
pub enum NetOutcome {
    Shard(ShardId, Event),
    Data { conn: ConnId, bytes: Bytes },
    Closed { conn: ConnId },
}

/// Where effects go: what happens later, and what happens now.
#[derive(Debug, Default)]
pub struct NetOut {
    /// In nanoseconds of simulated time.
    pub later: Vec<(u64, NetEvent)>,
    pub now: Vec<NetOutcome>,
}

#[derive(Debug)]
struct Conn {
    shard: ShardId,
    /// Bytes that arrived and were not received.
    inbox: BytesMut,
    /// A receive is under way; into which buffer, if into one.
    receive: Option<Option<BytesMut>>,
    sending: bool,
    hung_up: bool,
    reset: bool,
    /// Broken was told: nothing but Close may follow.
    broken: bool,
    /// The broker's side is gone: closed, or its process ended.
    server_gone: bool,
    client_gone: bool,
    /// When the last segment of each direction arrives.
    up_last: u64,
    down_last: u64,
    /// Of 8 cuts, so many are small.
    choppy_of_8: u64,
    /// The client takes its time with what comes, and the broker's sends wait for it.
    slow: bool,
    /// What a slow client has not taken of the send under way, which is the `sends`-th.
    untaken: VecDeque<Bytes>,
    sends: u64,
}

/// Every connection of one node. Ids are never reused.
pub struct FakeNet {
    rng: Rng,
    conns: BTreeMap<ConnId, Conn>,
    next: u64,
    delay_us: u64,
    slow_readers_of_8: u64,
}

/// As large as the kernel half's pooled receive buffers.
const POOL_BUFFER: usize = 64 << 10;

/// A slow reader leaves a segment lying for less than this.
const SLOW_NS: u64 = 100_000_000;
/// And now and then for less than this.
const STALL_NS: u64 = 3_000_000_000;

impl FakeNet {
    /// `delay_us`: bound of a segment's usual delay.
    pub fn new(seed: u64, delay_us: u64, slow_readers_of_8: u64) -> FakeNet {
        FakeNet {
            rng: Rng::new(seed),
            conns: BTreeMap::new(),
            next: 1,
            delay_us,
            slow_readers_of_8,
        }
    }

    pub fn connect(&mut self, shard: ShardId) -> ConnId {
        let id = ConnId(self.next);
        self.next += 1;
        let slow = self.slow_readers_of_8 > 0 && self.rng.below(8) < self.slow_readers_of_8;
        let conn = Conn {
            shard,
            inbox: BytesMut::new(),
            receive: None,
            sending: false,
            hung_up: false,
            reset: false,
            broken: false,
            server_gone: false,
            client_gone: false,
            up_last: 0,
            down_last: 0,
            choppy_of_8: [0, 0, 0, 1, 4][self.rng.below(5) as usize],
            slow,
            untaken: VecDeque::new(),
            sends: 0,
        };
        self.conns.insert(id, conn);
        id
    }

    fn delay(&mut self) -> u64 {
        let bound = match self.rng.below(100) {
            0 => 100 * self.delay_us,
            1..10 => 5 * self.delay_us,
            _ => self.delay_us,
        };
        1_000 + self.rng.below(bound * 1_000)
    }

    /// Cuts a stream into segments.
    fn cut(&mut self, mut bytes: Bytes, choppy_of_8: u64) -> Vec<Bytes> {
        let mut segments = Vec::new();
        while !bytes.is_empty() && segments.len() < 6 {
            let length = match self.rng.below(8) < choppy_of_8 {
                true => 1 + self.rng.below(bytes.len().min(40) as u64),
                false if self.rng.one_in(4) => 1 + self.rng.below(bytes.len() as u64),
                false => bytes.len() as u64,
            };
            segments.push(bytes.split_to(length as usize));
        }
        segments.extend((!bytes.is_empty()).then_some(bytes));
        segments
    }

    /// Bytes from the client.
    pub fn client_send(&mut self, now: u64, id: ConnId, bytes: Bytes, out: &mut NetOut) {
        let Some(choppy) = self.conns.get(&id).map(|c| c.choppy_of_8) else {
            return;
        };
        for bytes in self.cut(bytes, choppy) {
            let at = now + self.delay();
            let conn = self.conns.get_mut(&id).expect("looked up above");
            conn.up_last = at.max(conn.up_last + 1);
            let at = conn.up_last;
            out.later.push((at, NetEvent::Arrive { conn: id, bytes }));
        }
    }

    /// The client closes its socket, or resets the connection. It is told nothing more.
    pub fn client_close(&mut self, now: u64, id: ConnId, reset: bool, out: &mut NetOut) {
        let at = now + self.delay();
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.client_gone = true;
            let at = match reset {
                true => at,
                false => at.max(conn.up_last + 1),
            };
            out.later.push((at, NetEvent::HungUp { conn: id, reset }));
        }
    }

    /// What a shard asks of its sockets. Panics on a machine's bug.
    pub fn server(&mut self, now: u64, shard: ShardId, op: SocketOp, out: &mut NetOut) {
        match op {
            SocketOp::Accept => panic!("the world accepts"),
            SocketOp::Receive { conn } => self.receive(shard, conn, None, out),
            SocketOp::ReceiveInto { conn, buffer } => {
                assert!(
                    buffer.capacity() > buffer.len(),
                    "{conn:?}: no room to receive into"
                );
                self.receive(shard, conn, Some(buffer), out);
            }
            SocketOp::Send { conn: id, parts } => {
                let conn = self.own(shard, id);
                assert!(!conn.sending, "{id:?}: two sends under way");
                conn.sending = true;
                conn.sends += 1;
                let (choppy, slow, send) = (conn.choppy_of_8, conn.slow, conn.sends);
                let bytes = Bytes::from(parts.concat());
                assert!(!bytes.is_empty(), "{id:?}: an empty send");
                if slow {
                    let pieces = self.cut(bytes, choppy);
                    let conn = self.conns.get_mut(&id).expect("owned above");
                    conn.untaken = pieces.into();
                    self.take_later(now, id, send, out);
                    return;
                }
                for bytes in self.cut(bytes, choppy) {
                    let at = now + self.delay();
                    let conn = self.conns.get_mut(&id).expect("owned above");
                    conn.down_last = at.max(conn.down_last + 1);
                    let at = conn.down_last;
                    out.later.push((at, NetEvent::Deliver { conn: id, bytes }));
                }
                let at = now + self.delay() / 4;
                out.later.push((at, NetEvent::Sent { conn: id }));
            }
            // What the client has not taken is given back; else all is on its way, and is answered as sent.
            SocketOp::Recall { conn: id } => {
                let conn = self.own(shard, id);
                if conn.sending && !conn.untaken.is_empty() {
                    conn.sending = false;
                    let parts = conn.untaken.drain(..).collect();
                    let recalled = Event::Recalled { conn: id, parts };
                    out.now.push(NetOutcome::Shard(shard, recalled));
                }
            }
            SocketOp::Close { conn: id } => {
                let conn = self.own(shard, id);
                conn.server_gone = true;
                conn.receive = None;
                conn.down_last += 1;
                let after = conn.down_last;
                let at = after.max(now + self.delay());
                out.later.push((at, NetEvent::Closed { conn: id }));
            }
        }
    }

    /// The next piece of a slow client's send; at times it takes nothing for long.
    fn take_later(&mut self, now: u64, conn: ConnId, send: u64, out: &mut NetOut) {
        let bound = match self.rng.one_in(8) {
            true => STALL_NS,
            false => SLOW_NS,
        };
        let at = now + self.delay() + self.rng.below(bound);
        out.later.push((at, NetEvent::Take { conn, send }));
    }

    /// From now on every client reads what comes.
    pub fn heal(&mut self) {
        self.slow_readers_of_8 = 0;
        for conn in self.conns.values_mut() {
            conn.slow = false;
        }
    }

    fn own(&mut self, shard: ShardId, id: ConnId) -> &mut Conn {
        let conn = self.conns.get_mut(&id);
        let conn = conn.unwrap_or_else(|| panic!("{id:?} never existed, or was closed"));
        assert_eq!(conn.shard, shard, "{id:?} belongs to another shard");
        assert!(!conn.server_gone, "{id:?} is used after its close");
        conn
    }

    fn receive(&mut self, shard: ShardId, id: ConnId, into: Option<BytesMut>, out: &mut NetOut) {
        let conn = self.own(shard, id);
        assert!(conn.receive.is_none(), "{id:?}: two receives under way");
        assert!(!conn.broken, "{id:?}: received from after it broke");
        conn.receive = Some(into);
        self.give(id, out);
    }

    /// Answers a receive under way if there is anything to answer it with.
    fn give(&mut self, id: ConnId, out: &mut NetOut) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        if conn.server_gone || conn.broken {
            return;
        }
        let shard = conn.shard;
        if conn.reset {
            conn.broken = true;
            conn.receive = None;
            let (conn, errno) = (id, 104);
            let broken = Event::Broken { conn, errno };
            out.now.push(NetOutcome::Shard(shard, broken));
            return;
        }
        if conn.inbox.is_empty() && !conn.hung_up {
            return;
        }
        let Some(receive) = conn.receive.take() else {
            return;
        };
        let room = match &receive {
            None => POOL_BUFFER,
            Some(buffer) => buffer.capacity() - buffer.len(),
        };
        let mut count = conn.inbox.len().min(room);
        if self.rng.below(8) < conn.choppy_of_8 && count > 0 {
            count = 1 + self.rng.below(count as u64) as usize;
        }
        let bytes = conn.inbox.split_to(count);
        let event = match receive {
            None => Event::Received { conn: id, bytes },
            Some(mut buffer) => {
                buffer.extend_from_slice(&bytes);
                Event::ReceivedInto {
                    conn: id,
                    buffer,
                    count,
                }
            }
        };
        out.now.push(NetOutcome::Shard(shard, event));
    }

    /// A scheduled event is due.
    pub fn fire(&mut self, now: u64, event: NetEvent, out: &mut NetOut) {
        match event {
            NetEvent::Take { conn: id, send } => {
                let Some(conn) = self.conns.get_mut(&id).filter(|c| c.sends == send) else {
                    return;
                };
                let Some(bytes) = conn.untaken.pop_front() else {
                    return;
                };
                let last = conn.untaken.is_empty();
                if !conn.client_gone {
                    out.now.push(NetOutcome::Data { conn: id, bytes });
                }
                match last {
                    true => self.fire(now, NetEvent::Sent { conn: id }, out),
                    false => self.take_later(now, id, send, out),
                }
            }
            NetEvent::Arrive { conn: id, bytes } => {
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.inbox.extend_from_slice(&bytes);
                    self.give(id, out);
                }
            }
            NetEvent::HungUp { conn: id, reset } => {
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.hung_up = true;
                    conn.reset |= reset;
                    // A receive is always answered; a send that nobody waits for need not notice.
                    if conn.receive.is_some() || conn.sending {
                        self.give(id, out);
                    }
                }
            }
            NetEvent::Sent { conn: id } => {
                if let Some(conn) = self.conns.get_mut(&id)
                    && !conn.server_gone
                    && !conn.broken
                {
                    conn.sending = false;
                    let sent = Event::Sent { conn: id };
                    out.now.push(NetOutcome::Shard(conn.shard, sent));
                }
            }
            NetEvent::Deliver { conn: id, bytes } => {
                if self.conns.get(&id).is_some_and(|c| !c.client_gone) {
                    out.now.push(NetOutcome::Data { conn: id, bytes });
                }
            }
            NetEvent::Closed { conn: id } => {
                if let Some(conn) = self.conns.remove(&id)
                    && !conn.client_gone
                {
                    out.now.push(NetOutcome::Closed { conn: id });
                }
            }
        }
    }

    /// Whether `shard` still waits for events of this connection.
    pub fn server_has(&self, id: ConnId) -> bool {
        self.conns.get(&id).is_some_and(|c| !c.server_gone)
    }

    /// The process ended: every connection closes at a random moment; what has not arrived by then never does.
    pub fn kill(&mut self, now: u64, out: &mut NetOut) {
        let alive: Vec<ConnId> = (self.conns.iter())
            .filter(|(_, conn)| !conn.server_gone)
            .map(|(id, _)| *id)
            .collect();
        for id in alive {
            let at = now + self.delay();
            let conn = self.conns.get_mut(&id).expect("listed above");
            conn.server_gone = true;
            conn.receive = None;
            out.later.push((at, NetEvent::Closed { conn: id }));
        }
    }
}
