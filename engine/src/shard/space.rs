//! How full the data directory's disk may become: below a mark, clients' appends are refused at once.
//!
//! ```text
//!                     room < low
//!   taking ──────────────────────────► refusing       room = usable when measured - reserved since - what the journal holds
//!     ▲            room ≥ resume           │
//!     └────────────────────────────────────┘          offsets of groups: taken until room < low / 2
//!
//!   reads, deletes, trims, the controller, write-back: always
//! ```
//!
//! What is accepted must find its place in a segment later, so the journal's part is taken off at once: a promise never
//! waits for space. Shards count what they reserve themselves and learn of each other's, and of what others put on the
//! disk, with the next measurement; the mark is there for what lies between. The disk is measured once a second while
//! appends come, sooner while much comes, and never for each request.
//!
//! A refused client is told NOT_ENOUGH_REPLICAS and not KAFKA_STORAGE_ERROR. Both are retriable, but the latter is an
//! `InvalidMetadataException` to Kafka's producer (`Sender.completeBatch`), which asks for metadata after each: every
//! producer would do so for as long as the disk is full. The former only backs off, exponentially, and tells every client
//! that nothing was appended.

use std::time::Duration;

use super::{FlowEnd, Shard};
use crate::call::AppendError;
use crate::disk::{DiskError, Space};
use crate::limits::BLOCK;
use crate::types::{Instant, Now};

/// What is older than this is measured anew when somebody asks.
const FRESH: Duration = Duration::from_secs(10);
/// So often the disk is measured while appends come, or are refused.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// And not sooner than this where they come so fast that the mark is near.
const MEASURE_SOONEST: Duration = Duration::from_millis(20);
/// Near: this share of what is left above the mark has come since.
const NEAR_SHARE: u64 = 8;
/// A segment is extended by no more than this share of what is left above the mark: near it, by what it needs.
const EXTEND_SHARE: u64 = 256;

/// Whose append it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Writer {
    Client,
    /// The coordinator of groups: what it writes is small, and makes nobody's disk full by itself.
    Internal,
}

/// How much room there was when it was last measured, and what came of it since.
#[derive(Default)]
pub(super) struct SpaceKnown {
    space: Option<Space>,
    measured: Option<Instant>,
    under_way: bool,
    /// Reserved for segments since.
    reserved: u64,
    /// Appended bytes in all when it was measured.
    appended_before: u64,
    refusing: bool,
    refused: u64,
}

impl SpaceKnown {
    pub(super) fn known(&self) -> Option<Space> {
        self.space
    }

    /// Something was reserved on the disk.
    pub(super) fn reserve(&mut self, bytes: u64) {
        self.reserved += bytes;
    }
}

/// What a shard knows of the disk under it, and what follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Room {
    /// `None`: it could not be measured.
    pub space: Option<Space>,
    /// Beyond what has been promised already.
    pub free_bytes: u64,
    pub low_bytes: u64,
    pub resume_bytes: u64,
    /// Clients' appends are refused, until there are `resume_bytes` again.
    pub refusing: bool,
    /// So many were.
    pub refused: u64,
}

impl Shard {
    /// How much room there is, and whether appends are taken.
    pub fn room(&self) -> Room {
        let total_bytes = self.space.space.map_or(0, |space| space.total_bytes);
        Room {
            space: self.space.space,
            free_bytes: self.free_bytes().unwrap_or(0),
            low_bytes: self.limits.disk_low(total_bytes),
            resume_bytes: self.limits.disk_resume(total_bytes),
            refusing: self.space.refusing,
            refused: self.space.refused,
        }
    }

    fn free_bytes(&self) -> Option<u64> {
        let promised = self.space.reserved + self.journal.ring_used();
        (self.space.space).map(|space| space.usable_bytes.saturating_sub(promised))
    }

    /// Whether there is room for an append of this writer.
    pub(super) fn check_space(&mut self, writer: Writer) -> Result<(), AppendError> {
        if !self.space.refusing {
            return Ok(());
        }
        let Room {
            free_bytes: free,
            low_bytes: low,
            resume_bytes: resume,
            ..
        } = self.room();
        if writer == Writer::Internal && free >= low / 2 {
            return Ok(());
        }
        self.space.refused += 1;
        Err(AppendError::DiskFull { free, resume })
    }

    /// Somebody wants to know: what is too old is measured again.
    pub(super) fn space_asked(&mut self, now: Now) {
        let stale = |at: Instant| now.mono.since(at) >= FRESH;
        if self.space.measured.is_some_and(stale) {
            self.forget_space();
        }
    }

    /// What is known grows old with each sweep, and where files go.
    pub(super) fn forget_space(&mut self) {
        self.space.measured = None;
    }

    /// Measures where it is due; decides whether appends are taken.
    pub(super) fn settle_space(&mut self, now: Now) {
        self.judge_space();
        if self.space.under_way || self.stopping || !self.measure_is_due(now) {
            return;
        }
        self.space.under_way = true;
        self.space.measured = Some(now.mono);
        self.start_flow(|flow| async move { FlowEnd::Measured(flow.measure().await) });
    }

    fn measure_is_due(&self, now: Now) -> bool {
        let Some(measured) = self.space.measured else {
            return true;
        };
        let age = now.mono.since(measured);
        let appended = self.tally.total.bytes - self.space.appended_before;
        if appended == 0 && self.space.reserved == 0 && !self.space.refusing {
            return false;
        }
        let low = self.room().low_bytes;
        let left = self.free_bytes().unwrap_or(u64::MAX).saturating_sub(low);
        let near = appended.max(self.space.reserved) >= left / NEAR_SHARE && !self.space.refusing;
        age >= MEASURE_EVERY || near && age >= MEASURE_SOONEST
    }

    /// While appends are refused nobody else wakes the shard to see that there is room again.
    pub(super) fn space_deadline(&self) -> Option<Instant> {
        let refusing = self.space.refusing && !self.space.under_way && !self.stopping;
        let measured = self.space.measured.unwrap_or_default();
        refusing.then(|| measured.after(MEASURE_EVERY))
    }

    fn judge_space(&mut self) {
        let (free, room) = (self.free_bytes(), self.room());
        self.space.refusing = match free {
            // Nothing is known: the disk itself says so when it is full.
            None => false,
            Some(free) if self.space.refusing => free < room.resume_bytes,
            Some(free) => free < room.low_bytes,
        };
    }

    pub(super) fn on_measured(&mut self, result: Result<Space, DiskError>) {
        self.space.under_way = false;
        self.space.reserved = 0;
        self.space.appended_before = self.tally.total.bytes;
        self.space.space = result
            .inspect_err(|error| {
                let errno = error.errno;
                tracing::warn!(errno, "the data directory's room is not known");
            })
            .ok();
        self.judge_space();
        let Some(free) = self.free_bytes() else {
            return;
        };
        let left = free.saturating_sub(self.room().low_bytes);
        let share = left / EXTEND_SHARE / BLOCK as u64 * BLOCK as u64;
        self.limits.extend_bytes_max =
            share.clamp(self.limits.extend_bytes_min, self.extend_bytes_max);
    }
}
