//! The file under Raft: `meta/log-<n>` and `meta/snapshot-<index>`, one group or one roll at a time.
//!
//! ```text
//!          append: write the group → flush                            ──► on_disk gives Done::Appended
//!  idle ──┤
//!          roll:   snapshot.tmp: write → flush → rename → sync directory
//!                  log-<n+1>: reserve → first group → flush → sync directory
//!                  log-<n> and the older snapshot: unlink              ──► Done::Rolled
//! ```
//!
//! Every step waits for the one before it, so a group is submitted only after all before it were flushed. Therefore a
//! bad group with a valid one behind it cannot come from a crash: it is damage, and recovery says so.

use std::collections::VecDeque;

use bytes::Bytes;

use super::TOKEN_BIT;
use super::log_format::{self, Base, HardState, LogEntry, Place};
use crate::disk::{DiskDone, DiskOp, DiskRequest, DiskToken, FileId};
use crate::fatal::Fatal;
use crate::limits::BLOCK;

/// Bounds of the metadata's log.
#[derive(Clone, Copy, Debug)]
pub struct MetadataLimits {
    /// Length of a log file, reserved at once.
    pub file_bytes: u64,
    /// A snapshot is taken, and the next file begun, once a file is filled this far; later, by as much as the file is
    /// longer, where the last snapshot was large.
    pub roll_bytes: u64,
    /// Commands of about this many bytes go into one Raft entry.
    pub batch_bytes: usize,
}

impl MetadataLimits {
    pub const NORMAL: MetadataLimits = MetadataLimits {
        file_bytes: 4 << 20,
        roll_bytes: 3 << 20,
        batch_bytes: 256 << 10,
    };

    pub const TINY: MetadataLimits = MetadataLimits {
        file_bytes: 64 << 10,
        roll_bytes: 32 << 10,
        batch_bytes: 1 << 10,
    };
}

const fn related(l: &MetadataLimits) -> bool {
    l.file_bytes.is_multiple_of(BLOCK as u64)
        && l.roll_bytes <= l.file_bytes
        && l.batch_bytes as u64 <= l.file_bytes - l.roll_bytes
}
const _: () = assert!(related(&MetadataLimits::NORMAL));
const _: () = assert!(related(&MetadataLimits::TINY));

/// The directory of it all.
pub(crate) const DIRECTORY: &str = "meta";
/// What a snapshot is called until it is whole.
pub(crate) const TEMPORARY: &str = "snapshot.tmp";

pub(crate) fn log_path(number: u64) -> String {
    format!("{DIRECTORY}/log-{number:016x}")
}

pub(crate) fn snapshot_path(index: u64) -> String {
    format!("{DIRECTORY}/snapshot-{index:016x}")
}

/// Where the log ends: a file, and a place in it. Later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct LogEnd {
    pub log: u64,
    pub position: u64,
}

/// Where the log stands, as recovery found or made it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// The open file.
    pub(crate) file: FileId,
    pub(crate) number: u64,
    /// Where the next group goes.
    pub(crate) position: u64,
    /// The file's length.
    pub(crate) allocated: u64,
    /// Index of the snapshot in use; 0: none.
    pub(crate) snapshot: u64,
}

/// What has been finished, durably.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Done {
    Appended,
    Rolled,
}

/// Per node, on shard 0.
#[derive(Debug)]
pub(crate) struct MetadataLog {
    limits: MetadataLimits,
    end: End,
    /// Free slots for the next log and for a snapshot.
    spare: [FileId; 2],
    /// The steps under way: the first is submitted, the others wait.
    steps: VecDeque<DiskOp>,
    /// What the last step finishes, and where the log then stands.
    after: Option<(Done, End)>,
    token: u64,
}

impl MetadataLog {
    pub(crate) fn new(limits: MetadataLimits, end: End, spare: [FileId; 2]) -> MetadataLog {
        MetadataLog {
            limits,
            end,
            spare,
            steps: VecDeque::new(),
            after: None,
            token: 0,
        }
    }

    /// Where the next group goes; what is under way is not counted.
    pub(crate) fn end(&self) -> LogEnd {
        LogEnd {
            log: self.end.number,
            position: self.end.position,
        }
    }

    /// Nothing is under way: `append` or `roll` may be called.
    pub(crate) fn is_idle(&self) -> bool {
        self.after.is_none()
    }

    pub(crate) fn snapshot_index(&self) -> u64 {
        self.end.snapshot
    }

    /// The file is filled so far that `roll` is due.
    pub(crate) fn is_full(&self) -> bool {
        let reserve = self.limits.file_bytes - self.limits.roll_bytes;
        self.end.position + reserve >= self.end.allocated.max(self.limits.file_bytes)
    }

    /// Writes one group and flushes it.
    pub(crate) fn append(
        &mut self,
        hard: HardState,
        entries: &[LogEntry],
        out: &mut Vec<DiskRequest>,
    ) {
        let mut end = self.end;
        let place = Place {
            log: end.number,
            position: end.position,
        };
        let bytes = log_format::encode_entries(place, hard, entries);
        end.position += bytes.len() as u64;
        let file = end.file;
        let mut steps = Vec::new();
        if end.position > end.allocated {
            // A single command beyond the reserve (a topic of very many partitions).
            steps.push(DiskOp::Allocate {
                file,
                position: end.allocated,
                length: end.position - end.allocated,
            });
            end.allocated = end.position;
        }
        steps.push(DiskOp::Write {
            file,
            position: place.position,
            bytes,
        });
        steps.push(DiskOp::Flush { file });
        self.begin(steps, Done::Appended, end, out);
    }

    /// Replaces all entries up to `base.index` by a snapshot of `records` and begins the next file after it.
    pub(crate) fn roll(
        &mut self,
        base: &Base,
        hard: HardState,
        records: &[u8],
        out: &mut Vec<DiskRequest>,
    ) {
        let old = self.end;
        let [next, temporary] = self.spare;
        let snapshot = log_format::encode_snapshot(base, records);
        let place = Place {
            log: old.number + 1,
            position: 0,
        };
        let start = log_format::encode_start(place, base, hard);
        let end = End {
            file: next,
            number: place.log,
            position: start.len() as u64,
            // Twice the snapshot: so much is logged before the next one, which costs as much again.
            allocated: self.limits.file_bytes.max(2 * snapshot.len() as u64),
            snapshot: base.index,
        };
        let temporary_path = format!("{DIRECTORY}/{TEMPORARY}");
        let sync = || DiskOp::SyncDirectory {
            path: DIRECTORY.to_owned(),
        };
        let open = |file, path: &str| DiskOp::Open {
            file,
            path: path.to_owned(),
            create: true,
            direct: true,
        };
        let mut steps = vec![
            open(temporary, &temporary_path),
            DiskOp::Allocate {
                file: temporary,
                position: 0,
                length: snapshot.len() as u64,
            },
            write_at_start(temporary, snapshot),
            DiskOp::Flush { file: temporary },
            DiskOp::Close { file: temporary },
            DiskOp::Rename {
                from: temporary_path,
                to: snapshot_path(base.index),
            },
            sync(),
            open(next, &log_path(place.log)),
            DiskOp::Allocate {
                file: next,
                position: 0,
                length: end.allocated,
            },
            write_at_start(next, start),
            DiskOp::Flush { file: next },
            sync(),
            DiskOp::Close { file: old.file },
            DiskOp::Unlink {
                path: log_path(old.number),
            },
        ];
        if old.snapshot != 0 && old.snapshot != base.index {
            steps.push(DiskOp::Unlink {
                path: snapshot_path(old.snapshot),
            });
        }
        self.spare = [old.file, temporary];
        self.begin(steps, Done::Rolled, end, out);
    }

    /// Takes the completion of the step under way; `Some` when it was the last.
    pub(crate) fn on_disk(
        &mut self,
        done: DiskDone,
        out: &mut Vec<DiskRequest>,
    ) -> Result<Option<Done>, Fatal> {
        assert_eq!(
            done.token.0,
            TOKEN_BIT | self.token,
            "a completion nobody waits for"
        );
        if let Err(error) = done.result {
            return Err(Fatal::Disk {
                what: "metadata log".to_owned(),
                errno: error.errno,
            });
        }
        if self.submit(out) {
            return Ok(None);
        }
        let (done, end) = self.after.take().expect("a step was under way");
        self.end = end;
        Ok(Some(done))
    }

    fn begin(&mut self, steps: Vec<DiskOp>, done: Done, end: End, out: &mut Vec<DiskRequest>) {
        assert!(self.is_idle(), "one at a time");
        self.steps = steps.into();
        self.after = Some((done, end));
        self.submit(out);
    }

    /// Submits the next step, if there is one.
    fn submit(&mut self, out: &mut Vec<DiskRequest>) -> bool {
        let Some(op) = self.steps.pop_front() else {
            return false;
        };
        self.token += 1;
        out.push(DiskRequest {
            token: DiskToken(TOKEN_BIT | self.token),
            op,
        });
        true
    }
}

fn write_at_start(file: FileId, bytes: Bytes) -> DiskOp {
    DiskOp::Write {
        file,
        position: 0,
        bytes,
    }
}
