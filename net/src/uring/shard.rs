//! One shard's loop around its machine.
//!
//! ```text
//!  reap ─► machine.on × n ─► mesh ─► machine.on × m ─► settle ─► effects into the ring ─► doorbells ─► enter ─┐
//!   ▲                                                                                                         │
//!   └─────────────────────────────── asleep in the kernel until there is work, or the deadline ◄──────────────┘
//! ```

use std::collections::VecDeque;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use corelane_engine::fatal::Fatal;
use corelane_engine::types::{Instant, Now, ShardId};
use corelane_engine::uring::clock;
use corelane_engine::uring::disk::Disk;
use corelane_engine::uring::memory::Memory;
use corelane_engine::uring::mesh::{Door, Mesh};
use corelane_engine::uring::ring::{Cqe, Kind, Ring, Wait};
use corelane_engine::uring::wake::Wake;
use io_uring::types::Fd;
use io_uring::{cqueue, opcode};

use super::counters::Counters;
use super::listener::{BACKLOG, Listener, prepare};
use super::observer::{Answer, KernelNumbers, Observer, Phase, Watched};
use super::sockets::{Sockets, cancel};
use crate::event::{Event, Machine, Message, Outbox, SocketOp, StartReport};
use crate::listeners::ListenerId;
use crate::metrics::Question;

/// Pause before accepting again when the process has run out of descriptors or memory, or has all its connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// At most one warning about it, or about too many connections, in this time.
const ACCEPT_WARNING: Duration = Duration::from_secs(60);
/// How long an ending shard waits for its last completions; what is left then is leaked.
const WIND_DOWN: Duration = Duration::from_secs(5);

/// What travels on the mesh.
pub(super) enum Parcel {
    Worker(Message),
    /// A new connection for the receiving shard.
    Connection(OwnedFd, ListenerId),
}

/// What all shards together have registered, and what the host refused.
#[derive(Debug, Default)]
pub(super) struct Registered {
    bytes: AtomicU64,
    refused_bytes: AtomicU64,
}

/// The kernel half of one shard; lives on its thread.
pub(super) struct Shard {
    me: ShardId,
    ring: Ring,
    memory: Memory,
    disk: Disk,
    sockets: Sockets,
    mesh: Mesh<Parcel>,
    wake: Wake,
    accept: Accept,
    stop: Arc<AtomicBool>,
    stop_told: bool,
    /// Messages to itself.
    local: VecDeque<Message>,
    counters: Counters,
    /// Pieces of the machine's memory that the ring knows.
    chunks: usize,
    registered: Arc<Registered>,
    /// When the loop began.
    began: Instant,
    watched: Option<Watched>,
}

/// Shard 0's listeners.
struct Accept {
    listeners: Arc<[Listener]>,
    /// What of each is in the ring.
    armed: Vec<Armed>,
    /// Most connections of all shards: the files must be able to open.
    connections_max: u32,
    wanted: bool,
    again_at: Option<Instant>,
    warned_at: Option<Instant>,
}

/// The accept of one listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Armed {
    No,
    /// For one connection.
    Once,
    /// It goes on by itself.
    Many,
}

impl Accept {
    /// The room that accepts which go on by themselves need: each may take all that the kernel holds before anybody
    /// can say stop.
    fn many_needs(&self) -> u32 {
        BACKLOG as u32 * self.armed.len() as u32
    }

    /// Whether a warning is due; counts as given.
    fn may_warn(&mut self, now: Instant) -> bool {
        let quiet = |at: Instant| now.since(at) < ACCEPT_WARNING;
        let due = !self.warned_at.is_some_and(quiet);
        if due {
            self.warned_at = Some(now);
        }
        due
    }
}

impl Shard {
    /// Makes the ring and all that hangs on it, on the calling thread.
    pub(super) fn new(
        me: ShardId,
        data_dir: &Path,
        mesh: Mesh<Parcel>,
        listeners: Arc<[Listener]>,
        connections_max: u32,
        stop: Arc<AtomicBool>,
        registered: Arc<Registered>,
    ) -> Result<Shard, Fatal> {
        let ring = Ring::new()?;
        let disk = Disk::new(data_dir)
            .map_err(|e| Fatal::Directory(format!("{}: cannot open: {e}", data_dir.display())))?;
        let wake =
            Wake::new().map_err(|e| Fatal::Host(format!("no eventfd: {e}; raise `ulimit -n`")))?;
        Ok(Shard {
            me,
            memory: Memory::new(&ring),
            disk,
            sockets: Sockets::new(me, &ring)?,
            mesh,
            wake,
            accept: Accept {
                armed: vec![Armed::No; listeners.len()],
                listeners,
                connections_max,
                wanted: false,
                again_at: None,
                warned_at: None,
            },
            stop,
            stop_told: false,
            local: VecDeque::new(),
            counters: Counters::default(),
            chunks: 0,
            registered,
            began: clock::monotonic(),
            watched: None,
            ring,
        })
    }

    /// Lets somebody beside the shards ask this one.
    pub(super) fn watch(&mut self, observer: &Observer) -> Result<(), Fatal> {
        let seat = observer.seat(self.me, &self.wake);
        self.watched = Some(seat.map_err(|e| Fatal::Host(format!("no eventfd: {e}")))?);
        Ok(())
    }

    pub(super) fn door(&self) -> Door {
        Door {
            ring: self.ring.fd(),
            eventfd: self.wake.fd(),
        }
    }

    /// Makes memory known to this shard's ring; false when it stays unregistered, which only costs speed.
    ///
    /// # Safety
    ///
    /// As [`Memory::offer_chunk`].
    #[expect(unsafe_code, reason = "passes a promise on")]
    pub(super) unsafe fn offer_chunk(&mut self, addr: usize, len: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.memory.offer_chunk(&self.ring, addr, len) }
    }

    /// Runs until the machine has stopped. `doors`: how to wake each shard, now that every ring is enabled.
    ///
    /// # Errors
    ///
    /// What the machine or the ring ended with: the process cannot go on.
    pub(super) fn run<M: Machine>(
        &mut self,
        machine: &mut M,
        doors: Vec<Door>,
        on_opened: fn(&StartReport),
    ) -> Result<(), Fatal> {
        self.mesh.open(doors, self.ring.has_message_ring());
        self.wake.arm(&mut self.ring)?;
        self.began = clock::monotonic();
        let mut out = Outbox::default();
        let mut cqes = Vec::new();
        let mut inbox = Vec::new();
        loop {
            let now = clock::now();
            self.counters.passes += 1;
            self.ring.reap(&mut cqes);
            for cqe in cqes.drain(..) {
                if let Some(event) = self.complete(now, cqe)? {
                    self.tell(machine, now, event, &mut out)?;
                }
            }
            self.tell_ready(machine, now, &mut out)?;
            self.mesh.drain(|from, parcel| inbox.push((from, parcel)));
            for (from, parcel) in inbox.drain(..) {
                let event = match parcel {
                    Parcel::Worker(message) => Some(Event::Mesh { from, message }),
                    Parcel::Connection(fd, listener) => self.adopt(fd, listener),
                };
                if let Some(event) = event {
                    self.tell(machine, now, event, &mut out)?;
                }
            }
            if self.stop.load(Ordering::Acquire) && !self.stop_told {
                self.stop_told = true;
                self.stop_accepting()?;
                self.tell(machine, now, Event::Stop, &mut out)?;
            }
            machine.settle(now, &mut out);
            for (addr, len) in machine.memory(self.chunks) {
                self.chunks += 1;
                // SAFETY: a machine's memory stays where it is until the machine is gone, and the ring is wound down
                // before that.
                #[expect(unsafe_code, reason = "registers the machine's memory")]
                let known = unsafe { self.offer_chunk(addr, len) };
                let total = match known {
                    true => &self.registered.bytes,
                    false => &self.registered.refused_bytes,
                };
                total.fetch_add(len as u64, Ordering::Relaxed);
            }
            self.apply(&mut out)?;
            if let Some(report) = out.opened.take() {
                if let Some(watched) = &self.watched {
                    watched.observer.reached(Phase::Open);
                }
                // The others have registered theirs: a shard does so before its word to shard 0 that it is ready.
                on_opened(&StartReport {
                    registered_bytes: self.registered.bytes.load(Ordering::Relaxed),
                    unregistered_bytes: self.registered.refused_bytes.load(Ordering::Relaxed),
                    ..report
                });
            }
            if out.stopped {
                // Its last words must not wait for a sleeper to wake by itself.
                self.mesh.flush(&mut self.ring)?;
                return self.ring.enter(Wait::No);
            }
            self.answer_one(machine);
            self.turn_over(machine.deadline(), now)?;
        }
    }

    /// One question of an observer, if one was asked: the others wait for further passes.
    fn answer_one<M: Machine>(&mut self, machine: &M) {
        if !self.watched.as_ref().is_some_and(Watched::is_rung) {
            return;
        }
        let Some(mut watched) = self.watched.take() else {
            return;
        };
        watched.answer_one(|question| {
            self.counters.answers += 1;
            let numbers = *question == Question::Numbers;
            Answer {
                sample: machine.sample(question),
                kernel: numbers.then(|| Box::new(self.numbers())),
            }
        });
        self.watched = Some(watched);
    }

    fn numbers(&self) -> KernelNumbers {
        KernelNumbers {
            counters: self.counters(),
            running: clock::monotonic().since(self.began),
            slept: Duration::from_nanos(self.counters.slept_ns),
            cpu: clock::thread_cpu(),
            disk_in_flight: self.disk.in_flight(),
        }
    }

    /// Ends a pass: doorbells, then one enter, asleep where there is nothing to do.
    fn turn_over(&mut self, deadline: Option<Instant>, now: Now) -> Result<(), Fatal> {
        for _ in 0..self.sockets.take_ended() {
            self.mesh.connection_ended();
        }
        if self.accept.again_at.is_some_and(|at| at <= now.mono) {
            self.accept.again_at = None;
            self.arm_accept()?;
        }
        let rung = self.watched.as_ref().is_some_and(Watched::is_rung);
        let work = self.disk.has_ready() || self.sockets.has_ready() || !self.local.is_empty();
        let work = work || rung;
        let deadline = match (deadline, self.accept.again_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let mut wait = match deadline {
            _ if work => Wait::No,
            None => Wait::Ever,
            Some(at) => match at.since(clock::monotonic()) {
                Duration::ZERO => Wait::No,
                left => Wait::For(left),
            },
        };
        self.mesh.flush(&mut self.ring)?;
        if wait != Wait::No {
            if self.mesh.sleep() {
                self.counters.sleeps += 1;
            } else {
                wait = Wait::No;
            }
        }
        let before = clock::monotonic();
        self.counters.pass_seconds.record(before.since(now.mono));
        let entered = self.ring.enter(wait);
        if wait != Wait::No {
            let slept = clock::monotonic().since(before);
            self.counters.slept_ns += slept.as_nanos() as u64;
        }
        self.mesh.awake();
        entered
    }

    fn tell<M: Machine>(
        &mut self,
        machine: &mut M,
        now: Now,
        event: Event,
        out: &mut Outbox,
    ) -> Result<(), Fatal> {
        machine.on(now, event, out);
        // At once, so that no event follows a close.
        for op in out.sockets.drain(..) {
            self.socket_op(op)?;
        }
        Ok(())
    }

    fn tell_ready<M: Machine>(
        &mut self,
        machine: &mut M,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Fatal> {
        while let Some(done) = self.disk.pop_ready() {
            self.tell(machine, now, Event::Disk(done), out)?;
        }
        // Only what was there: an answer may make the next one.
        let (sockets, local) = (self.sockets.ready_len(), self.local.len());
        for _ in 0..sockets {
            if let Some(event) = self.sockets.pop_ready() {
                self.tell(machine, now, event, out)?;
            }
        }
        for _ in 0..local {
            if let Some(message) = self.local.pop_front() {
                let from = self.me;
                self.tell(machine, now, Event::Mesh { from, message }, out)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, out: &mut Outbox) -> Result<(), Fatal> {
        if let Some(fatal) = out.fatal.take() {
            return Err(fatal);
        }
        for request in out.disk.drain(..) {
            self.disk.submit(request, &mut self.ring, &self.memory)?;
        }
        for op in out.sockets.drain(..) {
            self.socket_op(op)?;
        }
        for (to, message) in out.mesh.drain(..) {
            if to == self.me {
                self.local.push_back(message);
            } else {
                self.mesh.send(to, Parcel::Worker(message));
            }
        }
        Ok(())
    }

    fn socket_op(&mut self, op: SocketOp) -> Result<(), Fatal> {
        let ring = &mut self.ring;
        match op {
            SocketOp::Accept => {
                assert!(self.me == ShardId(0), "only shard 0 accepts");
                assert!(!self.accept.wanted, "accepting twice");
                self.accept.wanted = true;
                if self.stop_told {
                    return Ok(());
                }
                let listeners = Arc::clone(&self.accept.listeners);
                listeners.iter().try_for_each(Listener::listen)?;
                self.arm_accept()
            }
            SocketOp::Receive { conn } => self.sockets.receive(conn, ring),
            SocketOp::ReceiveInto { conn, buffer } => self.sockets.receive_into(conn, buffer, ring),
            SocketOp::Send { conn, parts } => self.sockets.send(conn, parts, ring),
            SocketOp::Recall { conn } => self.sockets.recall(conn, ring),
            SocketOp::Close { conn } => self.sockets.close(conn, ring),
        }
    }

    /// Sorts a completion; the event it makes, if any.
    fn complete(&mut self, now: Now, cqe: Cqe) -> Result<Option<Event>, Fatal> {
        let (kind, slot) = Kind::of(cqe.user_data);
        let ring = &mut self.ring;
        match kind {
            Kind::Ignore | Kind::Doorbell => Ok(None),
            Kind::Rang => {
                self.mesh.ring_failed(slot);
                Ok(None)
            }
            Kind::Disk => {
                let done = self.disk.complete(slot, cqe, ring, &self.memory)?;
                Ok(done.map(Event::Disk))
            }
            Kind::Receive => self.sockets.received(slot, cqe, ring),
            Kind::Send => self.sockets.sent(slot, cqe, ring),
            Kind::Wake => {
                self.wake.fired();
                if let Some(watched) = &mut self.watched {
                    watched.ring();
                }
                if cqe.result != -libc::ECANCELED {
                    self.wake.arm(ring)?;
                }
                Ok(None)
            }
            Kind::Accept => self.accepted(now, slot, cqe),
        }
    }

    /// `slot`: the listener's number.
    fn accepted(&mut self, now: Now, slot: u32, cqe: Cqe) -> Result<Option<Event>, Fatal> {
        let listener = ListenerId(slot as u16);
        if !cqueue::more(cqe.flags) {
            self.accept.armed[slot as usize] = Armed::No;
        }
        let mut event = None;
        if cqe.result >= 0 {
            let fd = adopt_descriptor(cqe.result);
            self.sockets.counters_mut().accepted += 1;
            if !self.stop_told {
                let to = self.mesh.assign_connection();
                if to == self.me {
                    event = self.adopt(fd, listener);
                } else {
                    self.mesh.send(to, Parcel::Connection(fd, listener));
                }
            }
        } else if matches!(
            -cqe.result,
            libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM
        ) {
            if self.accept.may_warn(now.mono) {
                let errno = -cqe.result;
                tracing::warn!(errno, "no descriptors or memory for new connections");
            }
            self.accept.again_at = Some(now.mono.after(ACCEPT_PAUSE));
        }
        if self.room() <= self.accept.many_needs() {
            // The limit is near: one by one from here on.
            for (slot, armed) in (0..).zip(&mut self.accept.armed) {
                if *armed == Armed::Many {
                    *armed = Armed::Once;
                    cancel(Kind::Accept.tag(slot), &mut self.ring)?;
                }
            }
        }
        let idle = self.accept.armed.contains(&Armed::No);
        if idle && self.accept.again_at.is_none() && !self.stop_told {
            self.arm_accept()?;
        }
        Ok(event)
    }

    /// Connections that may still be taken. Whoever comes beyond them waits, as with Kafka's `max.connections`.
    fn room(&self) -> u32 {
        let most = self.accept.connections_max;
        most.saturating_sub(self.mesh.connections())
    }

    /// Accepts on every listener on which it is not done yet.
    fn arm_accept(&mut self) -> Result<(), Fatal> {
        if self.stop_told {
            return Ok(());
        }
        let room = self.room();
        if room == 0 {
            let now = clock::monotonic();
            self.accept.again_at = Some(now.after(ACCEPT_PAUSE));
            if self.accept.may_warn(now) {
                let connections = self.accept.connections_max;
                tracing::warn!(
                    connections,
                    "no further connections: raise the limit of open files"
                );
            }
            return Ok(());
        }
        let many = room > self.accept.many_needs();
        for slot in 0..self.accept.armed.len() {
            if self.accept.armed[slot] == Armed::No {
                self.arm_one(slot, many)?;
            }
        }
        Ok(())
    }

    #[expect(unsafe_code, reason = "pushes an entry")]
    fn arm_one(&mut self, slot: usize, many: bool) -> Result<(), Fatal> {
        let fd = Fd(self.accept.listeners[slot].fd());
        let (armed, entry) = match many {
            true => {
                let accept = opcode::AcceptMulti::new(fd).flags(libc::SOCK_CLOEXEC);
                (Armed::Many, accept.build())
            }
            false => {
                let null = std::ptr::null_mut;
                let accept = opcode::Accept::new(fd, null(), std::ptr::null_mut());
                (Armed::Once, accept.flags(libc::SOCK_CLOEXEC).build())
            }
        };
        self.accept.armed[slot] = armed;
        let entry = entry.user_data(Kind::Accept.tag(slot as u32));
        // SAFETY: an accept that asks for no address points to no memory.
        unsafe { self.ring.push(&entry) }
    }

    fn stop_accepting(&mut self) -> Result<(), Fatal> {
        self.accept.again_at = None;
        for (slot, armed) in (0..).zip(&self.accept.armed) {
            if *armed != Armed::No {
                cancel(Kind::Accept.tag(slot), &mut self.ring)?;
            }
        }
        Ok(())
    }

    /// A connection assigned to this shard; `None` when it is gone already or the shard is stopping.
    fn adopt(&mut self, fd: OwnedFd, listener: ListenerId) -> Option<Event> {
        let ready = if self.stop_told { None } else { prepare(fd) };
        let Some((fd, peer)) = ready else {
            self.mesh.connection_ended();
            return None;
        };
        Some(self.sockets.open(fd, listener, peer))
    }

    /// After the machine has stopped: closes everything and waits until the kernel uses none of our memory.
    pub(super) fn wind_down(&mut self) -> Result<Counters, Fatal> {
        self.stop_told = true;
        self.disk.drain();
        self.stop_accepting()?;
        self.sockets.close_all(&mut self.ring)?;
        if self.wake.armed() {
            cancel(Kind::Wake.tag(0), &mut self.ring)?;
        }
        let end = clock::monotonic().after(WIND_DOWN);
        let mut cqes = Vec::new();
        while self.busy() && clock::monotonic() < end {
            self.ring.enter(Wait::For(Duration::from_millis(100)))?;
            self.ring.reap(&mut cqes);
            for cqe in cqes.drain(..) {
                if Kind::of(cqe.user_data).0 == Kind::Wake {
                    self.wake.fired();
                } else {
                    self.complete(clock::now(), cqe)?;
                }
            }
        }
        if self.sockets.len() == 0 {
            self.sockets.release(&self.ring);
        }
        // The last closes.
        self.ring.enter(Wait::No)?;
        Ok(self.counters())
    }

    fn busy(&self) -> bool {
        self.disk.in_flight() > 0
            || self.sockets.len() > 0
            || self.wake.armed()
            || self.accept.armed.iter().any(|armed| *armed != Armed::No)
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            ring: self.ring.counters(),
            disk: self.disk.counters(),
            sockets: self.sockets.counters(),
            mesh: self.mesh.counters(),
            memory: self.memory.counters(),
            ..self.counters
        }
    }
}

#[expect(unsafe_code, reason = "takes a descriptor the ring has accepted")]
fn adopt_descriptor(fd: i32) -> OwnedFd {
    // SAFETY: the completion of an accept handed us this descriptor; nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
