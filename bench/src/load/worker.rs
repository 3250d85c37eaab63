//! One thread of the load: sends what is due, takes answers, reads for the readers.
//!
//! ```text
//!   schedule ─due─► waiting ─in flight < limit─► flights ─answer─► tally
//!                      ▲                            │
//!                      └── closed loop: next one ───┤
//!                                                   └─ connection lost ─► lost (unacknowledged); reconnect
//! ```

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use super::admin::Partition;
use super::batch::{Producer, Send, Template};
use super::conn::Conn;
use super::fetcher::Fetcher;
use super::plan::Plan;
use super::schedule::Schedule;
use super::tally::{Tally, Window};
use crate::sys::{self, Epoll};
use crate::wire::{Reader, Short, Writer, api, error_name};

/// Longest sleep: Ctrl-C and the end of the drain are seen within it.
const SLEEP_NS_MAX: u64 = 20_000_000;
/// How often a lost connection is tried again.
const RECONNECT_NS: u64 = 100_000_000;

/// What all threads of a run share.
pub struct Shared {
    /// The options.
    pub plan: Plan,
    /// The batch.
    pub template: Template,
    /// Sends per second of all threads, in an open loop.
    pub sends_per_second: f64,
    /// When the first send is due.
    pub t0: AtomicU64,
    /// When the last send is due; brought forward by Ctrl-C.
    pub stop: AtomicU64,
    /// Threads that still produce.
    pub producing: AtomicUsize,
    /// Records acknowledged so far.
    pub records_acked: AtomicU64,
    /// Records read so far by each reader.
    pub records_read: Vec<AtomicU64>,
    /// Bytes read so far by all readers.
    pub bytes_read: AtomicU64,
    /// Nanoseconds of one [`Window`].
    pub window_ns: u64,
}

impl Shared {
    /// End of the warm-up.
    pub fn warm(&self) -> u64 {
        self.t0.load(Ordering::Relaxed) + self.plan.warmup.as_nanos() as u64
    }

    /// Whether a send due at `at` belongs to the measurement.
    pub fn measured(&self, at: u64) -> bool {
        at >= self.warm() && at < self.stop.load(Ordering::Relaxed)
    }
}

/// A producing connection before it is opened.
pub struct LinkSpec {
    /// Where to.
    pub address: SocketAddr,
    /// As whom.
    pub producer: Producer,
    /// Its partitions, in turn.
    pub partitions: Vec<Partition>,
}

struct Lane {
    /// The request up to its batch, length included.
    prefix: Vec<u8>,
    sequence: i32,
}

#[derive(Clone, Copy)]
struct Flight {
    intended: u64,
    id: u64,
    correlation: i32,
}

struct Link {
    address: SocketAddr,
    conn: Option<Conn>,
    producer: Producer,
    lanes: Vec<Lane>,
    next_lane: usize,
    correlation: i32,
    waiting: VecDeque<(u64, u64)>,
    flights: VecDeque<Flight>,
    lost: Vec<Flight>,
    retry_at: u64,
}

/// Counts, and the window they are shown in.
pub struct Book {
    /// The whole run.
    pub tally: Tally,
    /// The current interval.
    pub window: Window,
    windows: Sender<Window>,
}

impl Book {
    fn turn(&mut self, now: u64, shared: &Shared) {
        let index = now.saturating_sub(shared.t0.load(Ordering::Relaxed)) / shared.window_ns;
        if index > self.window.index {
            let full = std::mem::replace(&mut self.window, Window::new(index));
            // Nobody listens any more after an error elsewhere; the tally still counts.
            let _ = self.windows.send(full);
        }
    }
}

/// One thread's connections and counts.
pub struct Worker {
    shared: Arc<Shared>,
    number: u64,
    epoll: Epoll,
    links: Vec<Link>,
    fetchers: Vec<Fetcher>,
    book: Book,
    turn: usize,
    sends: u64,
}

impl Worker {
    /// Opens all connections of thread `number`.
    pub fn connect(
        shared: Arc<Shared>,
        number: usize,
        specs: Vec<LinkSpec>,
        mut fetchers: Vec<Fetcher>,
        windows: Sender<Window>,
    ) -> io::Result<Worker> {
        let epoll = Epoll::new(256)?;
        let mut links = Vec::with_capacity(specs.len());
        for (token, spec) in specs.into_iter().enumerate() {
            let conn = Conn::connect(spec.address)?;
            epoll.add(&conn.stream, token as u64)?;
            let lanes = spec
                .partitions
                .iter()
                .map(|partition| Lane::new(&shared, partition))
                .collect();
            links.push(Link {
                address: spec.address,
                conn: Some(conn),
                producer: spec.producer,
                lanes,
                next_lane: 0,
                correlation: 0,
                waiting: VecDeque::new(),
                flights: VecDeque::new(),
                lost: Vec::new(),
                retry_at: 0,
            });
        }
        for (at, fetcher) in fetchers.iter_mut().enumerate() {
            fetcher.open()?;
            epoll.add(fetcher.stream(), (links.len() + at) as u64)?;
        }
        let book = Book {
            tally: Tally::default(),
            window: Window::new(0),
            windows,
        };
        Ok(Worker {
            shared,
            number: number as u64,
            epoll,
            links,
            fetchers,
            book,
            turn: 0,
            sends: 0,
        })
    }

    /// Runs to the end; `threads` share the schedule.
    pub fn run(mut self, threads: u64) -> Tally {
        sys::exact_timers();
        let shared = Arc::clone(&self.shared);
        let t0 = shared.t0.load(Ordering::Relaxed);
        let producing = !self.links.is_empty();
        let mut schedule = None;
        if producing && !shared.plan.closed {
            schedule = Some(Schedule::new(
                t0,
                shared.sends_per_second,
                self.number,
                threads,
            ));
        }
        for fetcher in &mut self.fetchers {
            fetcher.request(&shared.plan);
        }
        let mut started = false;
        let mut produced = !producing;
        let drain_ns = shared.plan.drain.as_nanos() as u64;
        let spin_ns = shared.plan.spin.as_nanos() as u64;
        if spin_ns > 0 {
            sys::let_others_go_first();
        }
        let mut ready = Vec::new();
        loop {
            let now = sys::now();
            let stop = shared.stop.load(Ordering::Relaxed);
            self.book.turn(now, &shared);
            if shared.plan.closed && !started && now >= t0 {
                started = true;
                self.fill_closed(now);
            }
            let mut next = u64::MAX;
            if let Some(schedule) = &mut schedule {
                while schedule.due() < stop && schedule.due() <= now {
                    self.due(schedule.due(), now);
                    schedule.advance();
                }
                next = if schedule.due() < stop {
                    schedule.due()
                } else {
                    u64::MAX
                };
            }
            for at in 0..self.links.len() {
                self.settle(at, now);
            }
            let idle = self.links.iter().all(|link| {
                link.flights.is_empty()
                    && (link.waiting.is_empty() || (shared.plan.closed && now >= stop))
            });
            if !produced && now >= stop && (idle || now >= stop + drain_ns) {
                produced = true;
                shared.producing.fetch_sub(1, Ordering::Relaxed);
            }
            if produced && self.read_enough(now, stop, drain_ns) {
                break;
            }
            let until = next
                .min(now + SLEEP_NS_MAX)
                .min(if now < stop { stop } else { u64::MAX });
            let unread = self.fetchers.iter().any(Fetcher::is_ready);
            let sleep = if unread {
                0
            } else if until == next {
                until.saturating_sub(now).saturating_sub(spin_ns)
            } else {
                until - now
            };
            ready.clear();
            if self.epoll.wait(sleep, |event| ready.push(event)).is_err() {
                self.book.tally.error("epoll".to_owned());
                break;
            }
            for event in &ready {
                let at = event.token as usize;
                if at < self.links.len() {
                    self.on_link(at, event.readable);
                } else if event.readable || event.writable {
                    self.on_fetcher(at - self.links.len());
                }
            }
            for at in 0..self.fetchers.len() {
                if unread && self.fetchers[at].is_ready() {
                    self.on_fetcher(at);
                }
            }
        }
        self.close()
    }

    fn due(&mut self, intended: u64, now: u64) {
        let id = self.number << 48 | self.sends;
        self.sends += 1;
        if self.shared.measured(intended) {
            self.book.tally.due += 1;
            self.book.tally.lateness.saturating_record(now - intended);
        }
        self.links[self.turn].waiting.push_back((intended, id));
        self.turn = (self.turn + 1) % self.links.len();
    }

    fn fill_closed(&mut self, now: u64) {
        for at in 0..self.links.len() {
            for _ in 0..self.shared.plan.in_flight_max() {
                self.next_closed(at, now);
            }
        }
    }

    fn next_closed(&mut self, at: usize, now: u64) {
        if now >= self.shared.stop.load(Ordering::Relaxed) {
            return;
        }
        self.book.tally.due += u64::from(self.shared.measured(now));
        let id = self.number << 48 | self.sends;
        self.sends += 1;
        self.links[at].waiting.push_back((now, id));
    }

    /// Sends what waits and may go, or tries a lost connection again.
    fn settle(&mut self, at: usize, now: u64) {
        let Worker {
            shared,
            links,
            book,
            epoll,
            ..
        } = self;
        let link = &mut links[at];
        if link.conn.is_none() && now >= link.retry_at {
            link.retry_at = now + RECONNECT_NS;
            if let Ok(conn) = Conn::connect(link.address)
                && epoll.add(&conn.stream, at as u64).is_ok()
            {
                link.conn = Some(conn);
            }
        }
        if link.conn.is_none() || (link.waiting.is_empty() && link.flushed()) {
            return;
        }
        while link.flights.len() < shared.plan.in_flight_max()
            && let Some((intended, id)) = link.waiting.pop_front()
        {
            link.issue(shared, intended, id);
        }
        let flushed = link.conn.as_mut().map_or(Ok(()), Conn::flush);
        match flushed {
            Ok(()) if shared.plan.acks == 0 && link.flushed() => {
                while let Some(flight) = link.flights.pop_front() {
                    book.acked(shared, flight, sys::now());
                }
            }
            Ok(()) => {}
            Err(error) => link.lose(&error, book),
        }
    }

    fn on_link(&mut self, at: usize, readable: bool) {
        if readable && let Err(error) = self.answers(at) {
            let Worker { links, book, .. } = self;
            links[at].lose(&error, book);
        }
        self.settle(at, sys::now());
    }

    fn answers(&mut self, at: usize) -> io::Result<()> {
        loop {
            let link = &mut self.links[at];
            let Some(conn) = &mut link.conn else {
                return Ok(());
            };
            if !conn.fill()? {
                return Ok(());
            }
            let now = sys::now();
            let mut answered = 0;
            while let Some(frame) = conn.frame()? {
                let flight = link
                    .flights
                    .pop_front()
                    .ok_or_else(|| io::Error::other("an answer nobody waits for"))?;
                let (correlation, code) = read_produce(frame)
                    .map_err(|_| io::Error::other("a malformed produce answer"))?;
                if correlation != flight.correlation {
                    return Err(io::Error::other("answers out of order"));
                }
                answered += 1;
                if code == 0 {
                    self.book.acked(&self.shared, flight, now);
                } else {
                    self.book.refused(&self.shared, flight, now, code);
                }
            }
            if self.shared.plan.closed {
                for _ in 0..answered {
                    self.next_closed(at, now);
                }
            }
            if answered > 0 {
                self.settle(at, now);
            }
        }
    }

    fn on_fetcher(&mut self, at: usize) {
        let Worker {
            shared,
            book,
            fetchers,
            ..
        } = self;
        if let Err(error) = fetchers[at].on_ready(shared, book) {
            book.tally.error(format!("reader: {error}"));
            book.window.errors += 1;
            fetchers[at].close();
        }
    }

    fn read_enough(&self, now: u64, stop: u64, drain_ns: u64) -> bool {
        if now < stop || self.shared.producing.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let acked = self.shared.records_acked.load(Ordering::Relaxed);
        now >= stop + 2 * drain_ns
            || self.shared.plan.consume_only
            || self.fetchers.iter().all(|fetcher| {
                fetcher.closed()
                    || self.shared.records_read[fetcher.reader].load(Ordering::Relaxed) >= acked
            })
    }

    fn close(mut self) -> Tally {
        let now = sys::now();
        for link in &mut self.links {
            let waiting = link.waiting.drain(..).map(|(intended, _)| intended);
            let open = link
                .flights
                .drain(..)
                .chain(link.lost.drain(..))
                .map(|flight| flight.intended);
            for intended in waiting.chain(open) {
                // A closed loop's sends that never left are nobody's wait.
                if self.shared.measured(intended) {
                    self.book.tally.unacked += 1;
                    self.book
                        .tally
                        .latency
                        .saturating_record(now.saturating_sub(intended));
                }
            }
        }
        let _ = self.book.windows.send(self.book.window);
        self.book.tally
    }
}

impl Lane {
    fn new(shared: &Shared, partition: &Partition) -> Lane {
        let mut to = Writer::request(api::PRODUCE, 0);
        to.null_str().i16(shared.plan.acks).i32(30_000);
        to.i32(1)
            .str(&partition.topic)
            .i32(1)
            .i32(partition.index)
            .i32(shared.template.wire_bytes as i32);
        let length = to.bytes.len() as u64 - 4 + shared.template.wire_bytes;
        to.bytes[..4].copy_from_slice(&(length as u32).to_be_bytes());
        Lane {
            prefix: to.bytes,
            sequence: 0,
        }
    }
}

impl Link {
    fn flushed(&self) -> bool {
        self.conn.as_ref().is_none_or(Conn::flushed)
    }

    fn issue(&mut self, shared: &Shared, intended: u64, id: u64) {
        let Some(conn) = &mut self.conn else { return };
        self.correlation = self.correlation.wrapping_add(1);
        let turn = self.next_lane;
        self.next_lane = (turn + 1) % self.lanes.len();
        let lane = &mut self.lanes[turn];
        let mut sequence = -1;
        if self.producer != Producer::NONE {
            sequence = lane.sequence;
            lane.sequence = ((i64::from(sequence) + i64::from(shared.template.records))
                & i64::from(i32::MAX)) as i32;
        }
        let send = Send {
            intended,
            id,
            timestamp_ms: sys::wall_ms(),
            producer: self.producer,
            sequence,
        };
        conn.push(|out| {
            let from = out.len();
            out.extend_from_slice(&lane.prefix);
            out[from + 8..from + 12].copy_from_slice(&self.correlation.to_be_bytes());
            shared.template.stamp(out, send);
        });
        conn.push_tail(&shared.template.tail);
        self.flights.push_back(Flight {
            intended,
            id,
            correlation: self.correlation,
        });
    }

    fn lose(&mut self, error: &io::Error, book: &mut Book) {
        self.conn = None;
        self.lost.extend(self.flights.drain(..));
        book.tally.error(format!("connection: {error}"));
        book.window.errors += 1;
    }
}

impl Book {
    fn acked(&mut self, shared: &Shared, flight: Flight, now: u64) {
        let latency = now.saturating_sub(flight.intended);
        self.window.acks += 1;
        self.window.latency.saturating_record(latency);
        self.tally.acks_in_time += u64::from(shared.measured(now));
        self.tally.records_acked += u64::from(shared.template.records);
        shared
            .records_acked
            .fetch_add(u64::from(shared.template.records), Ordering::Relaxed);
        if shared.measured(flight.intended) {
            self.tally.acked += 1;
            self.tally.latency.saturating_record(latency);
        }
        if shared.plan.verify {
            self.tally.acked_ids.push(flight.id);
        }
    }

    /// A refusal is an answer: its latency counts, its bytes do not.
    fn refused(&mut self, shared: &Shared, flight: Flight, now: u64, code: i16) {
        self.window.errors += 1;
        self.tally.error(error_name(code));
        if shared.measured(flight.intended) {
            self.tally
                .latency
                .saturating_record(now.saturating_sub(flight.intended));
        }
    }
}

/// Correlation id and error of a Produce 7 answer for one partition.
fn read_produce(frame: &[u8]) -> Result<(i32, i16), Short> {
    let mut from = Reader::new(frame);
    let correlation = from.i32()?;
    from.i32()?;
    from.str()?;
    from.i32()?;
    from.i32()?;
    Ok((correlation, from.i16()?))
}
