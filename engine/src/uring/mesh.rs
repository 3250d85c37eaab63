//! Messages between the shards of one process: a bounded queue per ordered pair, and a doorbell for sleepers.
//!
//! ```text
//!  send ──► queue[to] ──────────────────────────────► drain
//!     full └─► overflow[to], in order ─► next pass
//!  sleeping[to]? ── MSG_RING, once per sleep ────────► wakes from `enter`
//!
//!  going to sleep:  sleeping = true ─► starved = true where overflow waits ─► fence ─► look again ─► enter
//! ```
//!
//! A queue that is full never blocks its sender. A sleeper whose overflow waits for room is woken by the receiver that
//! makes room.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};

use io_uring::{opcode, squeue, types};

use super::ring::{Kind, Ring};
use super::spsc::{Padded, Receiver, Sender, queue};
use super::wake::ring_eventfd;
use crate::fatal::Fatal;
use crate::types::ShardId;

/// Messages a queue of one pair holds.
const QUEUE_MESSAGES: usize = 1024;

/// What every shard knows of every other: per process.
struct Board {
    /// The shard is in, or about to enter, a blocking `enter`.
    sleeping: Vec<Padded<AtomicBool>>,
    /// Connections per shard, those on their way included.
    connections: Vec<Padded<AtomicU32>>,
}

/// How to wake a shard: the ring's descriptor for MSG_RING, the eventfd where that is missing.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    pub ring: RawFd,
    pub eventfd: RawFd,
}

/// One shard's end of the mesh.
pub struct Mesh<T> {
    me: usize,
    board: Arc<Board>,
    doors: Vec<Door>,
    /// MSG_RING is there; otherwise eventfds wake.
    message_ring: bool,
    to: Vec<Option<Sender<T>>>,
    overflow: Vec<VecDeque<T>>,
    from: Vec<Option<Receiver<T>>>,
    /// Pushed to since the last doorbells.
    rung: Vec<bool>,
    counters: MeshCounters,
}

#[derive(Clone, Copy, Default, Debug)]
pub struct MeshCounters {
    pub sent: u64,
    pub received: u64,
    pub doorbells: u64,
    /// Messages that found their queue full and waited.
    pub overflowed: u64,
}

/// The ends of a mesh of `shards`, by shard number.
pub fn mesh<T: Send>(shards: usize) -> Vec<Mesh<T>> {
    mesh_of(shards, QUEUE_MESSAGES)
}

fn mesh_of<T: Send>(shards: usize, capacity: usize) -> Vec<Mesh<T>> {
    let board = Arc::new(Board {
        sleeping: (0..shards).map(|_| Padded::default()).collect(),
        connections: (0..shards).map(|_| Padded::default()).collect(),
    });
    let mut ends: Vec<Mesh<T>> = (0..shards)
        .map(|me| Mesh {
            me,
            board: Arc::clone(&board),
            doors: Vec::new(),
            message_ring: false,
            to: (0..shards).map(|_| None).collect(),
            overflow: (0..shards).map(|_| VecDeque::new()).collect(),
            from: (0..shards).map(|_| None).collect(),
            rung: vec![false; shards],
            counters: MeshCounters::default(),
        })
        .collect();
    for from in 0..shards {
        for to in (0..shards).filter(|to| *to != from) {
            let (sender, receiver) = queue(capacity);
            ends[from].to[to] = Some(sender);
            ends[to].from[from] = Some(receiver);
        }
    }
    ends
}

impl<T: Send> Mesh<T> {
    /// Opens the doors: called once every shard's ring is enabled, before the first pass. `message_ring`: the kernel has
    /// MSG_RING ([`Ring::has_message_ring`]); without it every shard must keep its eventfd armed.
    pub fn open(&mut self, doors: Vec<Door>, message_ring: bool) {
        self.message_ring = message_ring;
        assert!(doors.len() == self.to.len(), "a door per shard");
        self.doors = doors;
    }

    pub fn shards(&self) -> usize {
        self.to.len()
    }

    pub fn counters(&self) -> MeshCounters {
        self.counters
    }

    /// Queues a message for another shard. Never blocks.
    pub fn send(&mut self, to: ShardId, message: T) {
        let to = usize::from(to.0);
        let sender = self.to[to].as_mut().expect("a message to another shard");
        self.counters.sent += 1;
        let waiting = &mut self.overflow[to];
        if !waiting.is_empty() {
            self.counters.overflowed += 1;
            waiting.push_back(message);
            return;
        }
        match sender.push(message) {
            Ok(()) => self.rung[to] = true,
            Err(message) => {
                self.counters.overflowed += 1;
                waiting.push_back(message);
            }
        }
    }

    /// Takes what came, at most one queue's worth per sender.
    pub fn drain(&mut self, mut take: impl FnMut(ShardId, T)) {
        for from in 0..self.from.len() {
            let Some(receiver) = self.from[from].as_mut() else {
                continue;
            };
            let mut taken = 0;
            while taken < QUEUE_MESSAGES
                && let Some(message) = receiver.pop()
            {
                taken += 1;
                take(ShardId(from as u16), message);
            }
            if taken > 0 {
                self.counters.received += taken as u64;
                fence(Ordering::SeqCst);
                if receiver.take_starved() {
                    self.rung[from] = true;
                }
            }
        }
    }

    /// Moves waiting messages on and rings the shards that sleep over new ones. Once per pass, before `enter`.
    pub fn flush(&mut self, ring: &mut Ring) -> Result<(), Fatal> {
        for to in 0..self.to.len() {
            self.push_waiting(to);
        }
        if !self.rung.contains(&true) {
            return Ok(());
        }
        // Pairs with the fence in `sleep`: either the sleeper sees the message, or we see it sleeping.
        fence(Ordering::SeqCst);
        for to in 0..self.rung.len() {
            if !std::mem::take(&mut self.rung[to]) {
                continue;
            }
            let flag = &self.board.sleeping[to].0;
            if flag.load(Ordering::Relaxed) && flag.swap(false, Ordering::AcqRel) {
                self.counters.doorbells += 1;
                let door = self.doors[to];
                if self.message_ring {
                    message(door, to, ring)?;
                } else {
                    ring_eventfd(door.eventfd);
                }
            }
        }
        Ok(())
    }

    /// Takes a completion of [`Kind::Rang`]: the kernel could not deliver a doorbell, so the eventfd does.
    pub fn ring_failed(&mut self, to: u32) {
        ring_eventfd(self.doors[to as usize].eventfd);
    }

    fn push_waiting(&mut self, to: usize) {
        while let Some(message) = self.overflow[to].pop_front() {
            let sender = self.to[to].as_mut().expect("overflow to another shard");
            if let Err(message) = sender.push(message) {
                self.overflow[to].push_front(message);
                return;
            }
            self.rung[to] = true;
        }
    }

    /// Announces sleep; false when there is work after all (and sleep is not announced).
    pub fn sleep(&mut self) -> bool {
        let mine = &self.board.sleeping[self.me].0;
        mine.store(true, Ordering::Release);
        for to in 0..self.to.len() {
            if !self.overflow[to].is_empty() {
                self.to[to].as_ref().expect("another shard").set_starved();
            }
        }
        fence(Ordering::SeqCst);
        let inbox = self.from.iter_mut().flatten().any(|r| !r.is_empty());
        let room = (0..self.to.len()).any(|to| {
            !self.overflow[to].is_empty() && !self.to[to].as_mut().expect("another shard").is_full()
        });
        if inbox || room {
            self.awake();
            return false;
        }
        true
    }

    /// Back from `enter`, or not asleep after all.
    pub fn awake(&mut self) {
        self.board.sleeping[self.me]
            .0
            .store(false, Ordering::Release);
    }

    /// Whether messages wait for room in a queue.
    pub fn overflowing(&self) -> bool {
        self.overflow.iter().any(|o| !o.is_empty())
    }

    /// Picks the shard with the fewest connections and counts one more there.
    pub fn assign_connection(&self) -> ShardId {
        let counts = &self.board.connections;
        let least = (0..counts.len())
            .min_by_key(|s| counts[*s].0.load(Ordering::Relaxed))
            .expect("at least one shard");
        counts[least].0.fetch_add(1, Ordering::Relaxed);
        ShardId(least as u16)
    }

    /// Connections of all shards, those on their way to one included.
    pub fn connections(&self) -> u32 {
        let counts = self.board.connections.iter();
        counts.map(|count| count.0.load(Ordering::Relaxed)).sum()
    }

    /// One connection of this shard ended.
    pub fn connection_ended(&self) {
        self.board.connections[self.me]
            .0
            .fetch_sub(1, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "pushes an entry")]
fn message(door: Door, to: usize, ring: &mut Ring) -> Result<(), Fatal> {
    let bell = opcode::MsgRingData::new(types::Fd(door.ring), 0, Kind::Doorbell.tag(0), None)
        .build()
        .user_data(Kind::Rang.tag(to as u32))
        .flags(squeue::Flags::SKIP_SUCCESS);
    // SAFETY: the entry points to no memory.
    unsafe { ring.push(&bell) }
}

#[cfg(test)]
mod tests {
    use super::super::ring::Wait;
    use super::super::wake::Wake;
    use super::*;

    #[test]
    fn overflow_keeps_order_and_doorbells_wake() {
        flood(true);
    }

    #[test]
    fn eventfds_wake_as_well() {
        flood(false);
    }

    fn flood(message_ring: bool) {
        // Two threads, a queue of 4, every message answered: no message is lost, doubled or reordered, nobody hangs.
        const COUNT: u64 = 20_000;
        let ends = mesh_of::<u64>(2, 4);
        let (doors_in, doors_out) = std::sync::mpsc::channel();
        let barrier = Arc::new(std::sync::Barrier::new(3));
        let doors = Arc::new(std::sync::Mutex::new(Vec::new()));
        let threads: Vec<_> = ends
            .into_iter()
            .enumerate()
            .map(|(me, mut mesh)| {
                let (doors_in, barrier, doors) =
                    (doors_in.clone(), Arc::clone(&barrier), Arc::clone(&doors));
                std::thread::spawn(move || {
                    let mut ring = Ring::new().unwrap();
                    let mut wake = Wake::new().unwrap();
                    wake.arm(&mut ring).unwrap();
                    let door = Door {
                        ring: ring.fd(),
                        eventfd: wake.fd(),
                    };
                    doors_in.send((me, door)).unwrap();
                    barrier.wait();
                    mesh.open(doors.lock().unwrap().clone(), message_ring);
                    let peer = ShardId(1 - me as u16);
                    let (mut next_out, mut next_in) = (0, 0);
                    let mut cqes = Vec::new();
                    while next_in < COUNT || next_out < COUNT || mesh.overflowing() {
                        mesh.drain(|from, value| {
                            assert_eq!((from, value), (peer, next_in));
                            next_in += 1;
                        });
                        // Shard 0 floods in bursts; shard 1 answers what it got.
                        let until = if me == 0 {
                            (next_in + 50).min(COUNT)
                        } else {
                            next_in
                        };
                        while next_out < until {
                            mesh.send(peer, next_out);
                            next_out += 1;
                        }
                        mesh.flush(&mut ring).unwrap();
                        if mesh.sleep() {
                            let done = next_in == COUNT && next_out == COUNT && !mesh.overflowing();
                            ring.enter(if done { Wait::No } else { Wait::Ever })
                                .unwrap();
                        } else {
                            ring.enter(Wait::No).unwrap();
                        }
                        mesh.awake();
                        ring.reap(&mut cqes);
                        for cqe in cqes.drain(..) {
                            if Kind::of(cqe.user_data).0 == Kind::Wake {
                                wake.fired();
                                wake.arm(&mut ring).unwrap();
                            }
                        }
                    }
                    ring.enter(Wait::No).unwrap();
                    barrier.wait();
                    mesh.counters()
                })
            })
            .collect();
        let mut all: Vec<_> = (0..2).map(|_| doors_out.recv().unwrap()).collect();
        all.sort_by_key(|(me, _)| *me);
        *doors.lock().unwrap() = all.into_iter().map(|(_, d)| d).collect();
        barrier.wait();
        barrier.wait();
        for thread in threads {
            let counters = thread.join().unwrap();
            assert_eq!((counters.sent, counters.received), (COUNT, COUNT));
        }
    }

    #[test]
    fn connections_go_to_the_emptiest_shard() {
        let ends = mesh::<()>(3);
        let picked: Vec<u16> = (0..4).map(|_| ends[0].assign_connection().0).collect();
        assert_eq!(ends[1].connections(), 4);
        assert_eq!(picked, [0, 1, 2, 0]);
        ends[1].connection_ended();
        assert_eq!(ends[0].assign_connection(), ShardId(1));
    }
}
