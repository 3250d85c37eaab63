//! One connection: requests start out of order's way, answers leave in order.
//!
//! ```text
//!  bytes ──► Frames ──► next() ──► slot n+1 (working)          ┌─ slot n+1 answered
//!              │ full: not read      slot n   (working)        ├─ slot n   answered ─► outgoing ─► one Send
//!              ▼                      └──── answer(slot, …) ───┘        (only from the front of the ring)
//!            held: a barrier waits until every earlier request is answered; nothing starts before its own answer
//! ```
//!
//! Back-pressure: nothing is started, and so nothing is received, while the slots are taken, or while more answers
//! wait for the socket than the peer has read. A peer that has sent its last byte hears the answers to what it asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use corelane_engine::call::RequestToken;
use corelane_engine::types::Instant;

use crate::event::{ConnId, SocketOp};
use crate::frame::{Buffers, Frame, FrameError, Frames, Want};
use crate::unsent::{self, Look, Unsent};

/// Requests of one connection under way at a time. Java's producer sends 5, its consumer 1; librdkafka and franz-go
/// more: enough that a batch of small produces is in flight while the previous one is flushed.
pub const SLOTS_MAX: usize = 64;
/// Answer bytes that wait for the peer: beyond it nothing new is started. One answer may be larger.
pub const OUTGOING_BYTES_MAX: usize = 4 << 20;
/// Answer bytes that started requests may add to it: a fetch that promises more waits for an idle connection.
pub const PROMISED_BYTES_MAX: usize = 64 << 20;

/// How long a frame for which memory is held may be in coming, beside what its bytes take at [`FRAME_RATE_MIN`]. It
/// counts while the broker is reading, and matters while others wait for memory.
pub const STALL: Duration = Duration::from_secs(20);
/// Bytes a second that a half-received frame must grow by, on average, to keep its memory.
const FRAME_RATE_MIN: u64 = 64 << 10;
/// How long a half-received frame may itself wait for the memory it lacks. Its client has given up by then: Kafka's
/// `request.timeout.ms` is 30 seconds.
const STARVED_MAX: Duration = Duration::from_secs(60);

/// A request's place in the order of its connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SlotId(u64);

#[derive(Debug)]
enum Slot {
    Working {
        token: Option<RequestToken>,
        promised: usize,
    },
    Answered(Vec<Bytes>),
}

/// Per connection, on the shard that owns it.
#[derive(Debug)]
pub struct Conn {
    pub id: ConnId,
    /// Name of the listener that accepted it.
    pub listener: Rc<str>,
    pub peer: SocketAddr,
    frames: Frames,
    /// The frames hold no further whole one: receive.
    drained: bool,
    /// Since when a receive is under way.
    receiving: Option<Instant>,
    /// How long the frame that is half here was being received, in receives that are over.
    waited: Duration,
    /// The peer sends nothing more.
    ended: bool,
    slots: VecDeque<Slot>,
    first: u64,
    promised: usize,
    /// Started requests that get no answer: produce with acks=0.
    silent: usize,
    /// The next request in order, which waits for an idle connection, or until all answers are taken.
    held: Option<Frame>,
    held_until_sent: bool,
    /// Nothing starts before this one is answered.
    barrier: Option<SlotId>,
    /// Bytes of answers that wait for the answers before them.
    answered_bytes: usize,
    unsent: Unsent,
    /// What of the shard's memory for answers is counted for this connection.
    pub counted: usize,
    /// Whether the worker looks at this connection from time to time, since not all was taken by its peer.
    pub looked_at: bool,
    /// Whether it has the connection on its list of those whose answers it copies.
    pub copied: bool,
    /// Whether the worker has this connection on its list of those to look after.
    pub listed: bool,
    /// Whether the worker has it on its list of those not read for want of memory.
    pub starved: bool,
    /// Since when it has not been read for want of memory.
    starved_since: Option<Instant>,
    /// When bytes came or went last.
    pub moved: Instant,
    /// When the worker looks whether it is idle.
    pub idle_check: Instant,
}

impl Conn {
    pub fn new(id: ConnId, listener: Rc<str>, peer: SocketAddr, now: Instant) -> Conn {
        Conn {
            id,
            listener,
            peer,
            frames: Frames::default(),
            drained: true,
            receiving: None,
            waited: Duration::ZERO,
            ended: false,
            slots: VecDeque::new(),
            first: 0,
            promised: 0,
            silent: 0,
            held: None,
            held_until_sent: false,
            barrier: None,
            answered_bytes: 0,
            unsent: Unsent::default(),
            counted: 0,
            looked_at: false,
            copied: false,
            listed: false,
            starved: false,
            starved_since: None,
            moved: now,
            idle_check: now,
        }
    }

    pub fn on_received(&mut self, now: Instant, bytes: BytesMut) {
        self.received(now);
        self.frames.on_received(bytes);
    }

    pub fn on_received_into(&mut self, now: Instant, buffer: BytesMut) {
        self.received(now);
        self.frames.on_received_into(buffer);
    }

    fn received(&mut self, now: Instant) {
        let since = self.receiving.take().expect("a receive was under way");
        self.waited = match self.frames.midway() {
            Some(_) => self.waited + now.since(since),
            None => Duration::ZERO,
        };
        self.moved = now;
        self.drained = false;
    }

    /// The peer has closed its sending side, and perhaps the other one too: only sending can tell.
    pub fn on_ended(&mut self) {
        self.receiving = None;
        self.ended = true;
    }

    /// The peer has sent its last byte, and everything it asked is answered and sent.
    pub fn is_over(&self) -> bool {
        self.ended
            && self.is_idle()
            && self.held.is_none()
            && self.drained
            && self.unsent_bytes() == 0
    }

    pub fn on_sent(&mut self, now: Instant) {
        self.moved = now;
        self.unsent.on_sent();
    }

    pub fn on_recalled(&mut self, parts: Vec<Bytes>) {
        self.unsent.on_recalled(parts);
    }

    /// Answer bytes that the peer has not taken, wherever they are.
    pub fn unsent_bytes(&self) -> usize {
        self.answered_bytes + self.unsent.bytes()
    }

    /// Looks whether the peer takes its answers. Only every [`unsent::SLOW`].
    pub fn look(&mut self, now: Instant) -> Look {
        match self.unsent.look(now) {
            Look::Gone if self.answered_bytes > 0 => Look::Stuck,
            look => look,
        }
    }

    /// Since when the peer has taken nothing.
    pub fn stuck_since(&self) -> Option<Instant> {
        self.unsent.stuck_since()
    }

    /// Takes back what is being sent, if it is memory that others wait for.
    pub fn recall(&self) -> Option<SocketOp> {
        let must = self.unsent.must_recall();
        must.then_some(SocketOp::Recall { conn: self.id })
    }

    /// Copies about `bytes` of answers that hold memory of others. `Err`: how much it was, and that is not all.
    pub fn copy(&mut self, bytes: usize) -> Result<usize, usize> {
        let mut copied = 0;
        if self.unsent.is_copying() {
            copied = self.unsent.copy(bytes);
        }
        for slot in &mut self.slots {
            if copied >= bytes {
                return Err(copied);
            }
            if let Slot::Answered(parts) = slot {
                copied += unsent::copy_all(parts);
            }
        }
        match self.unsent.is_copying() {
            true => Err(copied),
            false => Ok(copied),
        }
    }

    /// No request is under way.
    pub fn is_idle(&self) -> bool {
        self.slots.is_empty() && self.silent == 0
    }

    /// How many bytes of answer may be promised beside those under way. Any number, when there are none.
    pub fn promise_left(&self) -> usize {
        match self.promised {
            0 => usize::MAX,
            promised => PROMISED_BYTES_MAX.saturating_sub(promised),
        }
    }

    /// The next request to start, if one may start.
    pub fn next(&mut self, buffers: &mut Buffers) -> Result<Option<Frame>, FrameError> {
        if self.barrier.is_some()
            || self.slots.len() + self.silent >= SLOTS_MAX
            || self.unsent_bytes() >= OUTGOING_BYTES_MAX
        {
            return Ok(None);
        }
        if self.held.is_some() {
            let sent = !self.held_until_sent || self.unsent_bytes() == 0;
            return Ok(if self.is_idle() && sent {
                self.held.take()
            } else {
                None
            });
        }
        let next = self.frames.next(buffers)?;
        self.drained = next.is_none();
        if next.is_some() {
            self.waited = Duration::ZERO;
        }
        Ok(next)
    }

    /// Puts back what `next` gave: it starts when every earlier request is answered, or where they are, when the peer
    /// has taken the answers.
    pub fn hold(&mut self, frame: Frame) {
        self.held_until_sent = self.is_idle();
        assert!(self.held.is_none() && (!self.held_until_sent || self.unsent_bytes() > 0));
        self.held = Some(frame);
    }

    /// A request starts that will be answered.
    pub fn open(&mut self, token: Option<RequestToken>, promised: usize, barrier: bool) -> SlotId {
        let slot = SlotId(self.first + self.slots.len() as u64);
        self.slots.push_back(Slot::Working { token, promised });
        self.promised += promised;
        if barrier {
            self.barrier = Some(slot);
        }
        slot
    }

    /// A request starts that gets no answer.
    pub fn open_silent(&mut self) {
        self.silent += 1;
    }

    /// It ended.
    pub fn close_silent(&mut self) {
        assert!(self.silent > 0);
        self.silent -= 1;
    }

    /// The answer of one request: size, header and body, in as many parts as it has.
    pub fn answer(&mut self, slot: SlotId, parts: Vec<Bytes>) {
        let index = usize::try_from(slot.0 - self.first).expect("a slot of this ring");
        let promised = match &self.slots[index] {
            Slot::Working { promised, .. } => *promised,
            Slot::Answered(_) => panic!("slot {slot:?} answered twice"),
        };
        self.promised -= promised;
        self.answered_bytes += parts.iter().map(Bytes::len).sum::<usize>();
        self.slots[index] = Slot::Answered(parts);
        if self.barrier == Some(slot) {
            self.barrier = None;
        }
    }

    /// Moves the answers whose turn it is from the ring to the queue, which frees their slots.
    pub fn collect(&mut self) {
        while let Some(Slot::Answered(_)) = self.slots.front() {
            let Some(Slot::Answered(parts)) = self.slots.pop_front() else {
                unreachable!("the front was looked at");
            };
            self.first += 1;
            self.answered_bytes -= parts.iter().map(Bytes::len).sum::<usize>();
            self.unsent.push(parts);
        }
    }

    /// What to send now.
    pub fn send(&mut self) -> Option<SocketOp> {
        let parts = self.unsent.send()?;
        Some(SocketOp::Send {
            conn: self.id,
            parts,
        })
    }

    /// What to receive, if anything.
    pub fn receive(&mut self, now: Instant, buffers: &Buffers) -> Receive {
        if self.receiving.is_some() || self.ended || !self.drained || self.held.is_some() {
            return Receive::Nothing;
        }
        let op = match self.frames.want(buffers) {
            Want::Memory => {
                self.starved_since.get_or_insert(now);
                return Receive::Memory;
            }
            Want::Pooled => SocketOp::Receive { conn: self.id },
            Want::Into(buffer) => SocketOp::ReceiveInto {
                conn: self.id,
                buffer,
            },
        };
        self.receiving = Some(now);
        self.starved_since = None;
        Receive::Op(op)
    }

    /// A frame waits for memory: it may be asked for again.
    pub fn retry(&mut self) {
        self.drained = false;
        self.starved = false;
    }

    /// Whether it holds memory for a frame that comes too slowly, or that has waited too long for the rest of it. The
    /// time in which the broker did not read it, for other reasons, is not its fault.
    pub fn is_stalled(&self, now: Instant) -> bool {
        let Some(came) = self.frames.midway() else {
            return false;
        };
        let due = Duration::from_millis(came as u64 * 1000 / FRAME_RATE_MIN);
        match (self.receiving, self.starved_since) {
            (Some(since), _) => self.waited + now.since(since) >= STALL + due,
            (None, Some(since)) => now.since(since) >= STARVED_MAX,
            (None, None) => false,
        }
    }

    /// Whether a frame is held until earlier requests are answered.
    pub fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Requests under way that will be answered, in order.
    pub fn working(&self) -> impl Iterator<Item = RequestToken> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Working { token, .. } => *token,
            Slot::Answered(_) => None,
        })
    }

    /// The connection ends. What is under way, in order; its answers go nowhere.
    pub fn close(mut self, buffers: &mut Buffers) -> Vec<RequestToken> {
        self.frames.close(buffers);
        if let Some(frame) = self.held.take() {
            buffers.release(frame.charge);
        }
        self.working().collect()
    }
}

/// Answer of [`Conn::receive`].
#[derive(Debug)]
pub enum Receive {
    Op(SocketOp),
    Nothing,
    /// The shard's receive budget is used up: ask again when a request was answered.
    Memory,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(0);

    fn conn() -> (Conn, Buffers) {
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        (
            Conn::new(ConnId(1), "PLAINTEXT".into(), peer, NOW),
            Buffers::new(1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20),
        )
    }

    fn come(conn: &mut Conn, buffers: &Buffers, bytes: &[u8]) {
        assert!(matches!(conn.receive(NOW, buffers), Receive::Op(_)));
        conn.on_received(NOW, BytesMut::from(bytes));
    }

    fn sent(op: Option<SocketOp>) -> Vec<u8> {
        match op {
            Some(SocketOp::Send { parts, .. }) => parts.concat(),
            other => panic!("{other:?}"),
        }
    }

    fn pull(conn: &mut Conn, buffers: &mut Buffers) -> Option<u8> {
        let frame = conn.next(buffers).unwrap()?;
        buffers.release(frame.charge);
        Some(frame.bytes[0])
    }

    #[test]
    fn answers_leave_in_order_and_in_one_send() {
        let (mut conn, mut buffers) = conn();
        come(
            &mut conn,
            &buffers,
            &[0, 0, 0, 1, 7, 0, 0, 0, 1, 8, 0, 0, 0],
        );
        assert_eq!(pull(&mut conn, &mut buffers), Some(7));
        let a = conn.open(None, 0, false);
        assert_eq!(pull(&mut conn, &mut buffers), Some(8));
        let b = conn.open(None, 0, false);
        assert_eq!(pull(&mut conn, &mut buffers), None);
        assert!(matches!(conn.receive(NOW, &buffers), Receive::Op(_)));
        conn.answer(b, vec![Bytes::from_static(b"b")]);
        conn.collect();
        assert!(conn.send().is_none());
        conn.answer(a, vec![Bytes::from_static(b"a")]);
        conn.collect();
        assert_eq!(sent(conn.send()), b"ab");
        assert!(conn.send().is_none());
    }

    #[test]
    fn a_barrier_waits_and_makes_wait() {
        let (mut conn, mut buffers) = conn();
        come(
            &mut conn,
            &buffers,
            &[0, 0, 0, 1, 7, 0, 0, 0, 1, 8, 0, 0, 0, 1, 9],
        );
        pull(&mut conn, &mut buffers);
        let a = conn.open(None, 0, false);
        let frame = conn.next(&mut buffers).unwrap().unwrap();
        conn.hold(frame);
        assert!(pull(&mut conn, &mut buffers).is_none());
        conn.answer(a, vec![]);
        conn.collect();
        assert_eq!(pull(&mut conn, &mut buffers), Some(8));
        let b = conn.open(None, 0, true);
        assert!(pull(&mut conn, &mut buffers).is_none());
        conn.answer(b, vec![]);
        assert_eq!(pull(&mut conn, &mut buffers), Some(9));
    }

    #[test]
    fn a_peer_that_does_not_read_is_not_read() {
        let (mut conn, mut buffers) = conn();
        let mut stream = Vec::new();
        (0..200u8).for_each(|i| stream.extend_from_slice(&[0, 0, 0, 1, i]));
        come(&mut conn, &buffers, &stream);
        let mut started = 0;
        while pull(&mut conn, &mut buffers).is_some() {
            conn.open(None, 0, false);
            started += 1;
        }
        assert_eq!(started, SLOTS_MAX);
        assert!(matches!(conn.receive(NOW, &buffers), Receive::Nothing));
    }

    /// What is half here is measured while it is being received, not while the broker does not read.
    #[test]
    fn a_frame_must_come_at_a_pace() {
        let at = |seconds: u64| Instant(seconds * 1_000_000_000);
        let (mut conn, mut buffers) = conn();
        assert!(matches!(conn.receive(at(0), &buffers), Receive::Op(_)));
        // Idle for minutes, and then a size and a byte.
        conn.on_received(at(500), BytesMut::from(&[0, 1, 0, 0, 9][..]));
        assert!(pull(&mut conn, &mut buffers).is_none());
        assert!(!conn.is_stalled(at(600)), "nobody reads it");
        assert!(matches!(conn.receive(at(600), &buffers), Receive::Op(_)));
        assert!(!conn.is_stalled(at(619)));
        assert!(conn.is_stalled(at(621)));
        conn.on_received(at(615), BytesMut::from(&[9; 32 << 10][..]));
        assert!(pull(&mut conn, &mut buffers).is_none());
        assert!(matches!(conn.receive(at(700), &buffers), Receive::Op(_)));
        assert!(!conn.is_stalled(at(704)), "15 of 20.5 seconds are over");
        assert!(conn.is_stalled(at(706)));
        conn.on_received(at(704), BytesMut::from(&[9; 32 << 10][..]));
        assert_eq!(pull(&mut conn, &mut buffers), Some(9));
        assert!(!conn.is_stalled(at(10_000)), "it came whole");
    }
}
