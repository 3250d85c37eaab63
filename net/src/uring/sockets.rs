//! The connections of one shard: receives, sends and closes through its ring.
//!
//! ```text
//!            Receive ─► pool buffer ─► copied to the chunk ─► Received
//!  open ──►  ReceiveInto ─► the worker's buffer ───────────► ReceivedInto        error ─► Broken, once
//!            Send ─► all parts, again while partial ───────► Sent
//!            Recall ─► the send is cancelled ─► what is left ─► Recalled
//!  Close ─► closed: no more events ─► cancel what is under way ─► last completion ─► descriptor closed, slot free
//! ```
//!
//! A connection owns the memory of its operations; its slot lives until the last of their completions.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use bytes::{Buf, Bytes, BytesMut};
use corelane_engine::fatal::Fatal;
use corelane_engine::types::ShardId;
use corelane_engine::uring::ring::{Cqe, Kind, Ring};
use corelane_engine::uring::slab::Slab;
use io_uring::types::Fd;
use io_uring::{cqueue, opcode, squeue};

use super::counters::SocketCounters;
use super::pool::{self, Pool};
use crate::event::{ConnId, Event};
use crate::listeners::ListenerId;

/// Received bytes are handed out as slices of chunks of this length.
const CHUNK_BYTES: usize = 64 * 1024;
/// Most parts of one send entry (IOV_MAX).
const PARTS_MAX: usize = 1024;
/// Most bytes of one receive entry that waits until all have come. A peer at the least rate allowed is not silent for
/// longer than [`crate::conn::STALL`].
const RECEIVE_BYTES_MAX: usize = 1 << 20;
/// Most bytes of one send entry.
const SEND_BYTES_MAX: usize = 1 << 30;
/// Bits of a connection's id that name its slot; above them a counter, above that the shard.
const SLOT_BITS: u32 = 20;
const SHARD_SHIFT: u32 = 54;

/// All connections of one shard.
pub(super) struct Sockets {
    shard: ShardId,
    connections: Slab<Connection>,
    opened: u64,
    pool: Pool,
    chunk: BytesMut,
    /// Events that took no completion.
    ready: VecDeque<Event>,
    /// Closed since last asked.
    ended: u32,
    counters: SocketCounters,
}

struct Connection {
    id: ConnId,
    fd: OwnedFd,
    receive: Receive,
    send: Option<Box<Sending>>,
    /// The last send's memory, to be used again.
    spare: Option<Box<Sending>>,
    /// The worker wants back what of the send is left.
    recalled: bool,
    /// The worker has closed it: no more events.
    closed: bool,
    /// [`Event::Broken`] was told.
    broken: bool,
}

enum Receive {
    Idle,
    Pooled,
    Into(BytesMut),
}

/// A send under way. Boxed: the kernel reads the header and the slices at submission.
struct Sending {
    /// What is not yet taken by the kernel.
    parts: VecDeque<Bytes>,
    slices: Vec<libc::iovec>,
    header: libc::msghdr,
}

impl Connection {
    fn idle(&self) -> bool {
        matches!(self.receive, Receive::Idle) && self.send.is_none()
    }
}

impl Sockets {
    pub(super) fn new(shard: ShardId, ring: &Ring) -> Result<Sockets, Fatal> {
        assert!(u32::from(shard.0) < 1 << (64 - SHARD_SHIFT), "{shard:?}");
        let pool = Pool::new(ring)
            .map_err(|e| Fatal::Host(format!("no receive buffers for the ring: {e}")))?;
        Ok(Sockets {
            shard,
            connections: Slab::new(),
            opened: 0,
            pool,
            chunk: BytesMut::with_capacity(CHUNK_BYTES),
            ready: VecDeque::new(),
            ended: 0,
            counters: SocketCounters::default(),
        })
    }

    pub(super) fn counters(&self) -> SocketCounters {
        self.counters
    }

    pub(super) fn counters_mut(&mut self) -> &mut SocketCounters {
        &mut self.counters
    }

    /// Connections whose descriptor is still open.
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn pop_ready(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    pub(super) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// How many connections have ended since the last call.
    pub(super) fn take_ended(&mut self) -> u32 {
        std::mem::take(&mut self.ended)
    }

    /// Takes a connection over.
    pub(super) fn open(&mut self, fd: OwnedFd, listener: ListenerId, peer: SocketAddr) -> Event {
        let slot = self.connections.next_slot();
        assert!(slot < 1 << SLOT_BITS, "too many connections: {slot}");
        self.opened += 1;
        assert!(
            self.opened < 1 << (SHARD_SHIFT - SLOT_BITS),
            "ids are used up"
        );
        let conn = ConnId(
            u64::from(self.shard.0) << SHARD_SHIFT | self.opened << SLOT_BITS | u64::from(slot),
        );
        let stored = self.connections.insert(Connection {
            id: conn,
            fd,
            receive: Receive::Idle,
            send: None,
            spare: None,
            recalled: false,
            closed: false,
            broken: false,
        });
        assert!(stored == slot, "slot {stored}, not {slot}");
        self.counters.opened += 1;
        Event::Accepted {
            conn,
            listener,
            peer,
        }
    }

    /// The slot of a connection that the worker has not closed.
    fn slot(&self, conn: ConnId) -> u32 {
        let slot = (conn.0 & ((1 << SLOT_BITS) - 1)) as u32;
        let found = self.connections.get(slot);
        let open = found.is_some_and(|c| c.id == conn && !c.closed);
        assert!(open, "{conn:?} is not open");
        slot
    }

    fn at(&mut self, slot: u32) -> &mut Connection {
        self.connections.get_mut(slot).expect("occupied slot")
    }

    pub(super) fn receive(&mut self, conn: ConnId, ring: &mut Ring) -> Result<(), Fatal> {
        let slot = self.slot(conn);
        self.begin_receive(slot, Receive::Pooled, ring)
    }

    pub(super) fn receive_into(
        &mut self,
        conn: ConnId,
        buffer: BytesMut,
        ring: &mut Ring,
    ) -> Result<(), Fatal> {
        assert!(
            buffer.capacity() > buffer.len(),
            "{conn:?}: no room to receive into"
        );
        let slot = self.slot(conn);
        self.begin_receive(slot, Receive::Into(buffer), ring)
    }

    fn begin_receive(&mut self, slot: u32, how: Receive, ring: &mut Ring) -> Result<(), Fatal> {
        let connection = self.at(slot);
        if connection.broken {
            // Nothing more comes: the worker has been told to close.
            return Ok(());
        }
        let idle = matches!(connection.receive, Receive::Idle);
        assert!(idle, "{:?}: two receives", connection.id);
        connection.receive = how;
        self.counters.receives += 1;
        self.issue_receive(slot, ring)
    }

    fn issue_receive(&mut self, slot: u32, ring: &mut Ring) -> Result<(), Fatal> {
        let connection = self.at(slot);
        let fd = Fd(connection.fd.as_raw_fd());
        let entry = match &mut connection.receive {
            Receive::Idle => panic!("{:?}: no receive to issue", connection.id),
            Receive::Pooled => opcode::Recv::new(fd, std::ptr::null_mut(), 0)
                .buf_group(pool::GROUP)
                .build()
                .flags(squeue::Flags::BUFFER_SELECT),
            Receive::Into(buffer) => {
                let room = buffer.spare_capacity_mut();
                let len = room.len().min(RECEIVE_BYTES_MAX);
                // One completion for a body, not one for each piece that the network brings: each would be a pass.
                opcode::Recv::new(fd, room.as_mut_ptr().cast(), len as u32)
                    .flags(libc::MSG_WAITALL)
                    .build()
            }
        };
        push(&entry.user_data(Kind::Receive.tag(slot)), ring)
    }

    pub(super) fn send(
        &mut self,
        conn: ConnId,
        parts: Vec<Bytes>,
        ring: &mut Ring,
    ) -> Result<(), Fatal> {
        let slot = self.slot(conn);
        let connection = self.at(slot);
        if connection.broken {
            return Ok(());
        }
        assert!(connection.send.is_none(), "{conn:?}: two sends");
        let mut sending = connection.spare.take().unwrap_or_else(Sending::new);
        sending
            .parts
            .extend(parts.into_iter().filter(|p| !p.is_empty()));
        if sending.parts.is_empty() {
            connection.spare = Some(sending);
            self.ready.push_back(Event::Sent { conn });
            return Ok(());
        }
        connection.send = Some(sending);
        self.counters.sends += 1;
        self.issue_send(slot, ring)
    }

    fn issue_send(&mut self, slot: u32, ring: &mut Ring) -> Result<(), Fatal> {
        let connection = self.at(slot);
        let fd = Fd(connection.fd.as_raw_fd());
        let sending = connection.send.as_mut().expect("a send under way");
        let flags = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        let entry = if sending.parts.len() == 1 {
            let part = &sending.parts[0];
            let len = part.len().min(SEND_BYTES_MAX);
            opcode::Send::new(fd, part.as_ptr(), len as u32)
                .flags(flags)
                .build()
        } else {
            sending.slices.clear();
            sending
                .slices
                .extend(sending.parts.iter().take(PARTS_MAX).map(|p| libc::iovec {
                    iov_base: p.as_ptr() as *mut libc::c_void,
                    iov_len: p.len(),
                }));
            sending.header.msg_iov = sending.slices.as_mut_ptr();
            sending.header.msg_iovlen = sending.slices.len();
            opcode::SendMsg::new(fd, &raw const sending.header)
                .flags(flags as u32)
                .build()
        };
        push(&entry.user_data(Kind::Send.tag(slot)), ring)
    }

    /// Takes a send back. Where the kernel just works on it, it goes on: the worker asks again.
    pub(super) fn recall(&mut self, conn: ConnId, ring: &mut Ring) -> Result<(), Fatal> {
        let slot = self.slot(conn);
        let connection = self.at(slot);
        // It may have ended, and its event may be on its way.
        if connection.broken || connection.send.is_none() {
            return Ok(());
        }
        connection.recalled = true;
        cancel(Kind::Send.tag(slot), ring)
    }

    /// Ends the connection for the worker; the descriptor closes once nothing is under way.
    pub(super) fn close(&mut self, conn: ConnId, ring: &mut Ring) -> Result<(), Fatal> {
        let slot = self.slot(conn);
        self.close_slot(slot, ring)
    }

    fn close_slot(&mut self, slot: u32, ring: &mut Ring) -> Result<(), Fatal> {
        let connection = self.at(slot);
        connection.closed = true;
        let id = connection.id;
        let receiving = !matches!(connection.receive, Receive::Idle);
        let sending = connection.send.is_some();
        self.ready
            .retain(|e| !matches!(e, Event::Sent { conn } if *conn == id));
        for (busy, kind) in [(receiving, Kind::Receive), (sending, Kind::Send)] {
            if busy {
                cancel(kind.tag(slot), ring)?;
            }
        }
        self.free_if_over(slot, ring)
    }

    /// Closes every connection: the shard is ending.
    pub(super) fn close_all(&mut self, ring: &mut Ring) -> Result<(), Fatal> {
        for slot in self.connections.occupied() {
            if !self.at(slot).closed {
                self.close_slot(slot, ring)?;
            }
        }
        Ok(())
    }

    /// Frees the receive buffers. Only once every connection is gone.
    pub(super) fn release(&mut self, ring: &Ring) {
        assert!(self.connections.is_empty(), "connections are left");
        self.pool.release(ring);
    }

    fn free_if_over(&mut self, slot: u32, ring: &mut Ring) -> Result<(), Fatal> {
        let connection = self.at(slot);
        if !connection.closed || !connection.idle() {
            return Ok(());
        }
        let connection = self.connections.remove(slot);
        self.counters.closed += 1;
        self.ended += 1;
        let entry = opcode::Close::new(Fd(connection.fd.into_raw_fd()))
            .build()
            .user_data(Kind::Ignore.tag(0))
            .flags(squeue::Flags::SKIP_SUCCESS);
        push(&entry, ring)
    }

    /// Takes a completion of [`Kind::Receive`].
    pub(super) fn received(
        &mut self,
        slot: u32,
        cqe: Cqe,
        ring: &mut Ring,
    ) -> Result<Option<Event>, Fatal> {
        let picked = cqueue::buffer_select(cqe.flags);
        let answer = self.take_receive(slot, cqe.result, picked);
        if let Some(id) = picked {
            self.pool.give_back(id);
        }
        let Some(event) = answer else {
            self.issue_receive(slot, ring)?;
            return Ok(None);
        };
        self.free_if_over(slot, ring)?;
        Ok(event)
    }

    /// `None`: receive again. `Some(None)`: over, and nothing to tell.
    fn take_receive(
        &mut self,
        slot: u32,
        result: i32,
        picked: Option<u16>,
    ) -> Option<Option<Event>> {
        let connection = self.connections.get_mut(slot).expect("occupied slot");
        let conn = connection.id;
        if connection.closed || connection.broken {
            connection.receive = Receive::Idle;
            return Some(None);
        }
        if result == -libc::ENOBUFS {
            self.counters.pool_empty += 1;
            return None;
        }
        if result == -libc::EINTR || result == -libc::EAGAIN {
            return None;
        }
        let how = std::mem::replace(&mut connection.receive, Receive::Idle);
        if result < 0 {
            return Some(connection.break_once(-result));
        }
        let count = result as usize;
        self.counters.bytes_received += count as u64;
        Some(Some(match how {
            Receive::Idle => panic!("{conn:?}: a receive nobody asked for"),
            Receive::Pooled => {
                let bytes = match picked {
                    Some(id) if count > 0 => {
                        self.chunk.extend_from_slice(self.pool.bytes(id, count));
                        self.chunk.split()
                    }
                    _ => BytesMut::new(),
                };
                Event::Received { conn, bytes }
            }
            Receive::Into(mut buffer) => {
                grown(&mut buffer, count);
                Event::ReceivedInto {
                    conn,
                    buffer,
                    count,
                }
            }
        }))
    }

    /// Takes a completion of [`Kind::Send`].
    pub(super) fn sent(
        &mut self,
        slot: u32,
        cqe: Cqe,
        ring: &mut Ring,
    ) -> Result<Option<Event>, Fatal> {
        let connection = self.connections.get_mut(slot).expect("occupied slot");
        let conn = connection.id;
        let mut sending = connection.send.take().expect("a send under way");
        if connection.closed || connection.broken {
            drop(sending);
            self.free_if_over(slot, ring)?;
            return Ok(None);
        }
        let recalled = std::mem::take(&mut connection.recalled);
        let result = cqe.result;
        // A cancelled send tells what it had sent before (since Linux 6.1), or that it had sent nothing.
        let again = match -result {
            libc::EINTR | libc::EAGAIN => true,
            libc::ECANCELED => recalled,
            _ => false,
        };
        if result < 0 && !again {
            return Ok(connection.break_once(-result));
        }
        let taken = result.max(0) as usize;
        sending.taken(taken);
        self.counters.bytes_sent += taken as u64;
        if sending.parts.is_empty() {
            sending.slices.clear();
            connection.spare = Some(sending);
            return Ok(Some(Event::Sent { conn }));
        }
        if recalled {
            let parts = sending.parts.drain(..).collect();
            sending.slices.clear();
            connection.spare = Some(sending);
            self.counters.recalled += 1;
            return Ok(Some(Event::Recalled { conn, parts }));
        }
        connection.send = Some(sending);
        self.counters.partial_sends += 1;
        self.issue_send(slot, ring)?;
        Ok(None)
    }
}

impl Connection {
    fn break_once(&mut self, errno: i32) -> Option<Event> {
        if std::mem::replace(&mut self.broken, true) {
            return None;
        }
        Some(Event::Broken {
            conn: self.id,
            errno,
        })
    }
}

impl Sending {
    #[expect(unsafe_code, reason = "an empty message header")]
    fn new() -> Box<Sending> {
        Box::new(Sending {
            parts: VecDeque::new(),
            slices: Vec::new(),
            // SAFETY: a message header is numbers and pointers, for which zero is a value.
            header: unsafe { std::mem::zeroed() },
        })
    }

    /// Drops the first `count` bytes.
    fn taken(&mut self, mut count: usize) {
        while count > 0 {
            let part = self.parts.front_mut().expect("no more sent than asked");
            if part.len() > count {
                part.advance(count);
                return;
            }
            count -= part.len();
            self.parts.pop_front();
        }
    }
}

/// Asks the kernel to give an operation up. Whether it could is told by that operation's own completion.
pub(super) fn cancel(user_data: u64, ring: &mut Ring) -> Result<(), Fatal> {
    let entry = opcode::AsyncCancel::new(user_data)
        .build()
        .user_data(Kind::Ignore.tag(0))
        .flags(squeue::Flags::SKIP_SUCCESS);
    push(&entry, ring)
}

#[expect(unsafe_code, reason = "pushes an entry")]
fn push(entry: &squeue::Entry, ring: &mut Ring) -> Result<(), Fatal> {
    // SAFETY: buffers, parts, slices and headers are heap memory owned by the connection in the slab, which changes or
    // frees them only after the completion, and leaks them when dropped before. Cancels and closes point to nothing.
    unsafe { ring.push(entry) }
}

#[expect(unsafe_code, reason = "claims the bytes the kernel has written")]
fn grown(buffer: &mut BytesMut, count: usize) {
    let len = buffer.len() + count;
    assert!(len <= buffer.capacity(), "received past the buffer");
    // SAFETY: the kernel has written `count` bytes from the old length on.
    unsafe { buffer.set_len(len) };
}
