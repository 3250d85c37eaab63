//! The disk as effects: what the pure half asks, what the kernel half (or the simulator's fake disk) answers.
//!
//! ```text
//!  machine ── DiskRequest{token, op} ──► ring ──► kernel
//!  machine ◄─ DiskDone{token, result} ── ring ◄──
//! ```
//!
//! Rules both halves keep:
//! * Requests are **not** ordered among themselves: who needs an order waits for the completion. A [`DiskOp::Flush`]
//!   covers only writes to its own file that had completed when it was submitted.
//! * Paths are relative to the data directory and made of validated parts or ids only.
//! * Writes and reads of a file opened with `direct` are aligned to [`crate::limits::BLOCK`] in memory, position and
//!   length. The kernel half resubmits short writes, EINTR and EAGAIN; every other failure is final and is answered.

use bytes::{Bytes, BytesMut};

/// A slot in the table of open files, chosen by the machine that opens; free again once `Close` is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// What comes back with the completion; chosen by the asking machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DiskToken(pub u64);

#[derive(Debug)]
pub struct DiskRequest {
    pub token: DiskToken,
    pub op: DiskOp,
}

#[derive(Debug)]
pub enum DiskOp {
    /// Opens for reading and writing. `create`: makes the file when it is missing. `direct`: O_DIRECT.
    Open {
        file: FileId,
        path: String,
        create: bool,
        direct: bool,
    },
    Close {
        file: FileId,
    },
    /// Writes all of `bytes` at `position`.
    Write {
        file: FileId,
        position: u64,
        bytes: Bytes,
    },
    /// Reads up to `into.capacity()` (not `len`) bytes at `position` into `into`, which is returned; shorter at the end
    /// of the file only.
    Read {
        file: FileId,
        position: u64,
        into: BytesMut,
    },
    /// `fdatasync`.
    Flush {
        file: FileId,
    },
    /// `fallocate`: reserves the range and extends the size to `position + length` where that is larger. Reads as zeros.
    Allocate {
        file: FileId,
        position: u64,
        length: u64,
    },
    /// `ftruncate`.
    Truncate {
        file: FileId,
        length: u64,
    },
    /// `fsync` of a directory ("" is the data directory itself).
    SyncDirectory {
        path: String,
    },
    /// `mkdir`; a directory that exists is no error.
    MakeDirectory {
        path: String,
    },
    /// `unlink`; a file that is missing is no error.
    Unlink {
        path: String,
    },
    /// `rmdir`; a directory that is missing is no error.
    RemoveDirectory {
        path: String,
    },
    Rename {
        from: String,
        to: String,
    },
    /// Names and lengths of the entries of a directory, sorted by name. Blocks: for a start, and for what is rare.
    List {
        path: String,
    },
    /// `statvfs` of the data directory. Rare.
    Measure,
}

#[derive(Debug)]
pub struct DiskDone {
    pub token: DiskToken,
    pub result: Result<DiskOutcome, DiskError>,
}

#[derive(Debug)]
pub enum DiskOutcome {
    /// Everything but those below.
    Done,
    /// The answer to `Read`.
    Read(BytesMut),
    /// The answer to `List`.
    Listing(Vec<DirectoryEntry>),
    /// The answer to `Measure`.
    Measured(Space),
}

/// How large the data directory's file system is, and how much of it may still be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    pub total_bytes: u64,
    pub usable_bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryEntry {
    pub name: String,
    pub directory: bool,
    pub length: u64,
}

/// Why an operation failed: the errno. What a failed write or flush left on disk is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("errno {errno}")]
pub struct DiskError {
    pub errno: i32,
}

impl DiskError {
    pub const NOT_FOUND: DiskError = DiskError { errno: 2 };
    pub const IO: DiskError = DiskError { errno: 5 };
    pub const NO_SPACE: DiskError = DiskError { errno: 28 };
    pub const NOT_EMPTY: DiskError = DiskError { errno: 39 };

    /// Something is used up, and may come back: space, quota, descriptors or memory. For what makes or extends a file.
    pub fn is_shortage(self) -> bool {
        const NO_MEMORY: i32 = 12;
        const TABLE_FULL: i32 = 23;
        const TOO_MANY_FILES: i32 = 24;
        const QUOTA: i32 = 122;
        let space = DiskError::NO_SPACE.errno;
        [NO_MEMORY, TABLE_FULL, TOO_MANY_FILES, space, QUOTA].contains(&self.errno)
    }
}
