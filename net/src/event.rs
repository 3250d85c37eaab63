//! What a worker is told and what it asks: the boundary between the pure half and the drive loop.
//!
//! ```text
//!  sockets, disk, mesh ── Event ──► worker.on(now, event, &mut out) … worker.settle(now, &mut out) ── Outbox ──► ring
//! ```

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use corelane_engine::call::{Answer, Call};
use corelane_engine::controller;
use corelane_engine::disk::{DiskDone, DiskRequest};
use corelane_engine::fatal::Fatal;
use corelane_engine::types::{Instant, Now, ShardId};

use crate::listeners::ListenerId;
use crate::metrics::{Question, Sample};
use crate::node::NodeMessage;

/// A connection on its shard. Never reused while the process lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId(pub u64);

#[derive(Debug)]
pub enum Event {
    /// A connection now belongs to this shard. Nothing is received before the worker asks.
    Accepted {
        conn: ConnId,
        listener: ListenerId,
        peer: SocketAddr,
    },
    /// Answer to [`SocketOp::Receive`]: the bytes that came; empty: the peer closed its sending side.
    Received {
        conn: ConnId,
        bytes: BytesMut,
    },
    /// Answer to [`SocketOp::ReceiveInto`]: the given buffer, longer by what came; `count` 0: the peer closed.
    ReceivedInto {
        conn: ConnId,
        buffer: BytesMut,
        count: usize,
    },
    /// Answer to [`SocketOp::Send`]: all of it was taken by the kernel.
    Sent {
        conn: ConnId,
    },
    /// Answer to [`SocketOp::Recall`]: what of the send the kernel has not taken. It is over.
    Recalled {
        conn: ConnId,
        parts: Vec<Bytes>,
    },
    /// A receive or send failed. No answer to either will follow; the worker closes.
    Broken {
        conn: ConnId,
        errno: i32,
    },
    Disk(DiskDone),
    Mesh {
        from: ShardId,
        message: Message,
    },
    /// Stop cleanly: finish what is under way, then say [`Outbox::stopped`]. Sent once to every shard; no connection is
    /// accepted after it.
    Stop,
}

/// Between shards of one node. Messages of one pair keep their order.
#[derive(Debug)]
pub enum Message {
    Call(Call),
    Answer(Answer),
    /// To and from the controller.
    Control(controller::Message),
    /// While the node starts and stops.
    Node(NodeMessage),
}

/// What a start found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StartReport {
    /// Read from disk before the first connection.
    pub bytes_read: u64,
    /// Journal groups replayed.
    pub groups: u64,
    pub partitions: u64,
    /// The last stop was clean, or there was none.
    pub clean: bool,
    /// Memory that the rings know, and memory that the host refused to register. Filled in by the kernel half.
    pub registered_bytes: u64,
    pub unregistered_bytes: u64,
}

impl StartReport {
    /// Of all shards; `clean` is said by one of them.
    pub fn sum(reports: &[StartReport]) -> StartReport {
        reports
            .iter()
            .fold(StartReport::default(), |a, b| StartReport {
                bytes_read: a.bytes_read + b.bytes_read,
                groups: a.groups + b.groups,
                partitions: a.partitions + b.partitions,
                clean: a.clean | b.clean,
                registered_bytes: a.registered_bytes + b.registered_bytes,
                unregistered_bytes: a.unregistered_bytes + b.unregistered_bytes,
            })
    }
}

#[derive(Debug)]
pub enum SocketOp {
    /// Begin to accept on all listeners (bound before the threads start); shard 0 only, once, when every shard is ready.
    Accept,
    /// Receive what is there into a buffer of the kernel half's pool. At most one receive of either kind is under way.
    Receive { conn: ConnId },
    /// Receive into the spare capacity of `buffer` (never grows it) until it is full or holds 1 MiB more, or until the peer
    /// closes: room for more than will come waits for ever.
    ReceiveInto { conn: ConnId, buffer: BytesMut },
    /// Sends all parts in order. At most one send is under way per connection.
    Send { conn: ConnId, parts: Vec<Bytes> },
    /// Takes back what of the send under way the kernel has not taken. Answered by [`Event::Recalled`], or by
    /// [`Event::Sent`] if that comes first; perhaps only after it was asked again.
    Recall { conn: ConnId },
    /// Ends the connection. No event for it follows this op; operations under way are cancelled.
    Close { conn: ConnId },
}

/// Effects of one pass.
#[derive(Debug, Default)]
pub struct Outbox {
    pub disk: Vec<DiskRequest>,
    pub sockets: Vec<SocketOp>,
    pub mesh: Vec<(ShardId, Message)>,
    /// The process must end now, with this named reason and exit code.
    pub fatal: Option<Fatal>,
    /// This shard has stopped cleanly; nothing follows.
    pub stopped: bool,
    /// The node is open for clients: told once, by shard 0.
    pub opened: Option<StartReport>,
}

/// What one shard is to the drive loop and to the simulator. Implemented by the worker; boot is part of it: the first
/// `settle` starts it.
pub trait Machine {
    /// Takes one event. Decides everything, touches nothing but itself and `out`.
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox);
    /// Once per pass, after all its events: group commit, watermarks, answers, expired deadlines.
    fn settle(&mut self, now: Now, out: &mut Outbox);
    /// When `settle` must run again at the latest, if nothing else happens.
    fn deadline(&self) -> Option<Instant>;
    /// Address and length of the memory that direct IO reads and writes, from the `from`-th piece on; only ever added to.
    fn memory(&self, from: usize) -> Vec<(usize, usize)> {
        let _ = from;
        Vec::new()
    }
    /// What somebody outside the shards wants to know. Little work, whatever the machine holds.
    fn sample(&self, question: &Question) -> Sample {
        Sample::none(question)
    }
}
