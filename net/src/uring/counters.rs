//! What one shard's kernel half has done: plain numbers, for logs and metrics.

use std::fmt;

use corelane_engine::uring::disk::DiskCounters;
use corelane_engine::uring::memory::MemoryCounters;
use corelane_engine::uring::mesh::MeshCounters;
use corelane_engine::uring::ring::RingCounters;

use crate::metrics::Histogram;

/// Per shard, since its start.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counters {
    /// Turns of the loop.
    pub passes: u64,
    /// Passes that went to sleep.
    pub sleeps: u64,
    /// How long passes took, from their clock to their enter.
    pub pass_seconds: Histogram,
    /// Time in enters that waited.
    pub slept_ns: u64,
    /// Questions of an observer that were answered.
    pub answers: u64,
    pub ring: RingCounters,
    pub disk: DiskCounters,
    pub sockets: SocketCounters,
    pub mesh: MeshCounters,
    pub memory: MemoryCounters,
}

#[derive(Clone, Copy, Default, Debug)]
pub struct SocketCounters {
    /// Connections this shard's listener accepted, for any shard.
    pub accepted: u64,
    /// Connections given to this shard.
    pub opened: u64,
    pub closed: u64,
    pub receives: u64,
    pub bytes_received: u64,
    /// Receives that found the pool empty and were sent again.
    pub pool_empty: u64,
    pub sends: u64,
    pub bytes_sent: u64,
    /// Sends that the kernel took in part.
    pub partial_sends: u64,
    /// Sends whose rest the worker took back.
    pub recalled: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (r, d, s, m) = (&self.ring, &self.disk, &self.sockets, &self.mesh);
        write!(
            f,
            "passes {} sleeps {} enters {} early {} submitted {} completed {} | ",
            self.passes, self.sleeps, r.enters, r.early_enters, r.submitted, r.completed
        )?;
        write!(
            f,
            "writes {} ({} fixed) of {} B, reads {} of {} B, flushes {}, again {} | ",
            d.writes,
            d.fixed_writes,
            d.bytes_written,
            d.reads,
            d.bytes_read,
            d.flushes,
            d.resubmitted
        )?;
        write!(
            f,
            "opened {} closed {} receives {} of {} B, sends {} of {} B, recalled {} | ",
            s.opened, s.closed, s.receives, s.bytes_received, s.sends, s.bytes_sent, s.recalled
        )?;
        write!(
            f,
            "mesh out {} in {} doorbells {} overflowed {} | registered {} B, not {} B",
            m.sent,
            m.received,
            m.doorbells,
            m.overflowed,
            self.memory.registered_bytes,
            self.memory.unregistered_bytes
        )
    }
}
