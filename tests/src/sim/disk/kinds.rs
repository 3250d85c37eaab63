//! What a fake disk is told beside its requests, and what it counts: kinds of operations, faults, speed.

use corelane_engine::disk::{DiskError, DiskOp, FileId};

use super::file::Fates;

/// Kinds of operations, for faults and traces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Open,
    Close,
    Write,
    Read,
    Flush,
    Allocate,
    Truncate,
    SyncDirectory,
    MakeDirectory,
    Unlink,
    RemoveDirectory,
    Rename,
    List,
    Measure,
}

impl Kind {
    pub const ALL: [Kind; 14] = [
        Kind::Open,
        Kind::Close,
        Kind::Write,
        Kind::Read,
        Kind::Flush,
        Kind::Allocate,
        Kind::Truncate,
        Kind::SyncDirectory,
        Kind::MakeDirectory,
        Kind::Unlink,
        Kind::RemoveDirectory,
        Kind::Rename,
        Kind::List,
        Kind::Measure,
    ];

    pub fn of(op: &DiskOp) -> Kind {
        match op {
            DiskOp::Open { .. } => Kind::Open,
            DiskOp::Close { .. } => Kind::Close,
            DiskOp::Write { .. } => Kind::Write,
            DiskOp::Read { .. } => Kind::Read,
            DiskOp::Flush { .. } => Kind::Flush,
            DiskOp::Allocate { .. } => Kind::Allocate,
            DiskOp::Truncate { .. } => Kind::Truncate,
            DiskOp::SyncDirectory { .. } => Kind::SyncDirectory,
            DiskOp::MakeDirectory { .. } => Kind::MakeDirectory,
            DiskOp::Unlink { .. } => Kind::Unlink,
            DiskOp::RemoveDirectory { .. } => Kind::RemoveDirectory,
            DiskOp::Rename { .. } => Kind::Rename,
            DiskOp::List { .. } => Kind::List,
            DiskOp::Measure => Kind::Measure,
        }
    }
}

/// The `skip + 1`-th operation of `kind` on a path that contains `path_part` meets `what`; once.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: Kind,
    pub path_part: String,
    pub skip: u32,
    pub what: FaultKind,
}

/// A fault that an operation met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Met {
    pub kind: Kind,
    pub path: String,
    pub what: FaultKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// Answered with this error. A failed write wrote any of its blocks; a failed flush loses what it covered.
    Error(DiskError),
    /// A write lands so many blocks further on, and reports success.
    Misdirected { blocks: u64 },
}

/// How long operations take: uniform below a bound in microseconds, and now and then much longer.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    pub usual_us: u64,
    pub flush_us: u64,
    /// One in so many operations is slow.
    pub slow_one_in: u64,
    pub slow_us: u64,
    /// One in so many writes is short, and resubmitted by the kernel half.
    pub short_one_in: Option<u64>,
}

impl Speed {
    /// What a busy device takes at most; who takes longer hangs.
    pub const BUSY_US: u64 = 50_000;
}

impl Default for Speed {
    fn default() -> Speed {
        Speed {
            usual_us: 150,
            flush_us: 1_500,
            slow_one_in: 50,
            slow_us: 20_000,
            short_one_in: None,
        }
    }
}

/// Operations that completed, by what a ledger wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    pub writes: u64,
    pub write_bytes: u64,
    pub reads: u64,
    pub read_bytes: u64,
    pub flushes: u64,
    /// Faults that were met, and how many operations of each kind failed, as in [`Kind::ALL`].
    pub faults: u64,
    pub failed: [u64; Kind::ALL.len()],
    /// Writes that landed elsewhere.
    pub misdirected: u64,
    /// How often the disk became full.
    pub spells: u64,
    /// Operations that found no space.
    pub full: u64,
    pub short: u64,
    pub flips: u64,
    pub fates: Fates,
}

/// The open file that an operation is about.
pub(crate) fn file_of(op: &DiskOp) -> Option<FileId> {
    match op {
        DiskOp::Open { file, .. }
        | DiskOp::Close { file }
        | DiskOp::Write { file, .. }
        | DiskOp::Read { file, .. }
        | DiskOp::Flush { file }
        | DiskOp::Allocate { file, .. }
        | DiskOp::Truncate { file, .. } => Some(*file),
        DiskOp::SyncDirectory { .. }
        | DiskOp::MakeDirectory { .. }
        | DiskOp::Unlink { .. }
        | DiskOp::RemoveDirectory { .. }
        | DiskOp::Rename { .. }
        | DiskOp::List { .. }
        | DiskOp::Measure => None,
    }
}
