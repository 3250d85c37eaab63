//! How a thread beside the shards looks at them: a question by message, the shard's eventfd, an answer by message.
//!
//! ```text
//!  Observer::ask ─► queue of the shard ─► eventfd ─► its pass: one answer, at the end ─► Answer
//!                                                    more questions: one a pass, and no sleep between
//! ```
//!
//! The shard pays nothing while nobody asks, and waits for nobody.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use corelane_engine::types::ShardId;
use corelane_engine::uring::wake::{Wake, ring_eventfd};

use super::counters::Counters;
use crate::metrics::{Question, Sample};

/// How far the node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Starting,
    /// Clients may connect.
    Open,
    Stopping,
}

/// What a shard answers.
#[derive(Debug)]
pub struct Answer {
    pub sample: Sample,
    /// With [`Sample::Numbers`].
    pub kernel: Option<Box<KernelNumbers>>,
}

/// What the kernel half of a shard has done and holds.
#[derive(Clone, Copy, Debug)]
pub struct KernelNumbers {
    pub counters: Counters,
    /// Since the loop began, and how much of it the loop slept.
    pub running: Duration,
    pub slept: Duration,
    /// Of the shard's thread, as the kernel counts it.
    pub cpu: Duration,
    pub disk_in_flight: usize,
}

/// Cheap to clone. One for all shards of a [`super::drive::Drive`].
#[derive(Clone, Debug)]
pub struct Observer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: AtomicU8,
    seats: Mutex<BTreeMap<ShardId, Seat>>,
}

/// One shard's, as the observer sees it. The descriptor is its own: it outlives the shard.
#[derive(Clone, Debug)]
struct Seat {
    asks: flume::Sender<Ask>,
    wake: Arc<OwnedFd>,
}

struct Ask {
    question: Question,
    answer: flume::Sender<Answer>,
}

impl Observer {
    #[expect(clippy::new_without_default, reason = "it is made once, on purpose")]
    pub fn new() -> Observer {
        Observer(Arc::new(Shared {
            phase: AtomicU8::new(Phase::Starting as u8),
            seats: Mutex::default(),
        }))
    }

    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Open,
            _ => Phase::Stopping,
        }
    }

    /// Only ever forward: a node that was told to stop while it started does not open.
    pub(super) fn reached(&self, phase: Phase) {
        self.0.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Asks one shard. `None`: it has not begun yet, or has ended. How long to wait is the caller's to say.
    pub async fn ask(&self, shard: ShardId, question: Question) -> Option<Answer> {
        let seat = {
            let seats = self.0.seats.lock().unwrap_or_else(|e| e.into_inner());
            seats.get(&shard)?.clone()
        };
        let (answer, answered) = flume::bounded(1);
        seat.asks.send(Ask { question, answer }).ok()?;
        ring_eventfd(seat.wake.as_raw_fd());
        answered.recv_async().await.ok()
    }

    /// A shard may be asked from now on.
    pub(super) fn seat(&self, shard: ShardId, wake: &Wake) -> io::Result<Watched> {
        let (asks, asked) = flume::unbounded();
        let wake = Arc::new(wake.share()?);
        let mut seats = self.0.seats.lock().unwrap_or_else(|e| e.into_inner());
        seats.insert(shard, Seat { asks, wake });
        Ok(Watched {
            observer: self.clone(),
            asked,
            rung: false,
        })
    }
}

/// The shard's end.
pub(super) struct Watched {
    pub(super) observer: Observer,
    asked: flume::Receiver<Ask>,
    /// The eventfd was written since the queue was last seen empty.
    rung: bool,
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Who has asked and was not answered need not wait until his patience ends.
        self.asked.drain().for_each(drop);
    }
}

impl Watched {
    pub(super) fn ring(&mut self) {
        self.rung = true;
    }

    pub(super) fn is_rung(&self) -> bool {
        self.rung
    }

    /// Answers one question, if there is one.
    pub(super) fn answer_one(&mut self, answer: impl FnOnce(&Question) -> Answer) {
        // A question that comes after this look rings again.
        let Ok(ask) = self.asked.try_recv() else {
            self.rung = false;
            return;
        };
        self.rung = !self.asked.is_empty();
        // Who has not waited misses nothing.
        let _ = ask.answer.try_send(answer(&ask.question));
    }
}
