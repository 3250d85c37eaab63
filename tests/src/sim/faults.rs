//! What a seed lets go wrong besides crashes: failing and full disks, rot, writes that land elsewhere, in some lives of
//! the process.
//!
//! ```text
//!  draw ─► per life: the k-th operation of a kind fails · no space between two events · a bit flips now and then
//!                    · a write to a segment lands elsewhere, once
//!       ─► before each event of that life ─► disk, and the facts of it in the history
//! ```

use corelane_engine::disk::DiskError;
use corelane_engine::rng::Rng;

use super::disk::{FakeDisk, Fault, FaultKind, Kind, Met};
use super::history::Fact;
use super::load::Load;
use super::world::Start;

/// Of one life of the process.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// EIO at the k-th of these.
    pub fails: Vec<Fault>,
    /// No space from this event of the life on, for so many.
    pub full: Option<(u64, u64)>,
    /// A bit of a cold segment flips once in so many events.
    pub rot_one_in: Option<u64>,
    /// From this event of the life on, the next write to some segment lands so many blocks further on.
    pub misplaced: Option<(u64, u64)>,
}

/// Which kinds of faults a seed knows. Each by itself on or off, so that no kind hides another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kinds {
    pub fails: bool,
    pub full: bool,
    pub rot: bool,
    pub misplaced: bool,
    /// Operations of every kind fail, on every kind of file, and some for want of space or descriptors.
    pub any: bool,
}

/// Where a failing operation hits: all of these, or one kind of file.
const PLACES: [&str; 8] = [
    "",
    "journal",
    "checkpoint",
    "topics/",
    "meta",
    "start",
    "layout",
    ".log",
];

/// Where else, in a seed that knows failures of any kind.
const MORE_PLACES: [&str; 4] = ["groups.snapshot", ".tmp", ".new", "cores"];

impl Kinds {
    /// Of a seed whose lives are many.
    pub fn draw_any(rng: &mut Rng) -> Kinds {
        Kinds {
            fails: rng.one_in(2),
            full: rng.one_in(3),
            rot: rng.one_in(4),
            misplaced: rng.one_in(6),
            any: true,
        }
    }

    pub fn draw(rng: &mut Rng) -> Kinds {
        Kinds {
            fails: rng.one_in(4),
            full: rng.one_in(5),
            rot: rng.one_in(5),
            misplaced: false,
            any: false,
        }
    }

    /// The faults of a life that lasts `events`.
    pub fn faults(self, events: u64, rng: &mut Rng) -> Faults {
        let mut faults = Faults::default();
        while self.fails && !rng.one_in(3) {
            let kind = match rng.below(12) {
                0..3 => Kind::Write,
                3..6 => Kind::Flush,
                6..9 => Kind::Read,
                9 => Kind::Rename,
                10 => Kind::Open,
                _ => [
                    Kind::Allocate,
                    Kind::Truncate,
                    Kind::SyncDirectory,
                    Kind::MakeDirectory,
                    Kind::Unlink,
                    Kind::List,
                ][rng.below(6) as usize],
            };
            if self.any && rng.one_in(2) {
                faults.fails.push(any_failure(rng));
                continue;
            }
            let bits = 1 + rng.below(7);
            faults.fails.push(Fault {
                kind,
                path_part: PLACES[rng.below(PLACES.len() as u64) as usize].to_owned(),
                skip: rng.below(1 << bits) as u32,
                what: FaultKind::Error(DiskError::IO),
            });
        }
        if self.full && rng.one_in(2) {
            faults.full = Some((rng.below(events), 1 + rng.below(events)));
        }
        if self.rot && rng.one_in(2) {
            faults.rot_one_in = Some(50 + rng.below(1_000));
        }
        if self.misplaced && rng.one_in(2) {
            faults.misplaced = Some((rng.below(events), 1 + rng.below(4)));
        }
        faults
    }
}

/// The k-th operation of any kind, on any kind of file; what makes or extends a file may find nothing left for it.
fn any_failure(rng: &mut Rng) -> Fault {
    let kind = Kind::ALL[rng.below(Kind::ALL.len() as u64) as usize];
    let make = matches!(kind, Kind::Open | Kind::Allocate | Kind::MakeDirectory);
    let what = match make && rng.one_in(2) {
        true => [DiskError::NO_SPACE, TOO_MANY_FILES][rng.below(2) as usize],
        false => DiskError::IO,
    };
    let places = (PLACES.len() + MORE_PLACES.len()) as u64;
    let mut places = PLACES
        .iter()
        .chain(&MORE_PLACES)
        .skip(rng.below(places) as usize);
    let bits = 1 + rng.below(6);
    Fault {
        kind,
        path_part: places.next().expect("below their number").to_string(),
        skip: rng.below(1 << bits) as u32,
        what: FaultKind::Error(what),
    }
}

const TOO_MANY_FILES: DiskError = DiskError { errno: 24 };

/// After these nobody knows what is on the disk: the process must end. A failed read or open may be an answer to the
/// client, failed clean-up a warning.
fn is_fatal(kind: Kind) -> bool {
    match kind {
        Kind::Write | Kind::Flush | Kind::Allocate | Kind::Truncate | Kind::Rename => true,
        Kind::MakeDirectory => true,
        Kind::Open
        | Kind::Close
        | Kind::Read
        | Kind::SyncDirectory
        | Kind::Unlink
        | Kind::RemoveDirectory
        | Kind::List
        | Kind::Measure => false,
    }
}

/// Segments with so many later ones beside them are cold: what a start may have to verify lies behind them.
const NEWER: usize = 2;

impl Faults {
    /// The life begins.
    pub fn begin(&self, disk: &mut FakeDisk) {
        for fault in &self.fails {
            disk.add_fault(fault.clone());
        }
    }

    /// Before the `event`-th event of the life.
    pub fn before(&self, event: u64, rng: &mut Rng, disk: &mut FakeDisk, load: &mut Load, at: At) {
        if let Some((from, events)) = self.full {
            if event == from {
                disk.set_full(true);
                at.note(load, Fact::DiskFull);
            } else if event == from + events {
                disk.set_full(false);
            }
        }
        if self.rot_one_in.is_some_and(|n| rng.one_in(n)) {
            rot(rng, disk, load, at);
        }
        if let Some((from, blocks)) = self.misplaced
            && event == from
            && let Some(directory) = load.any_directory(rng)
        {
            disk.add_fault(Fault {
                kind: Kind::Write,
                path_part: directory,
                skip: 0,
                what: FaultKind::Misdirected { blocks },
            });
        }
    }
}

/// When and in which life something happens.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub now: u64,
    pub life: Start,
}

impl At {
    fn note(self, load: &mut Load, fact: Fact) {
        load.history.note(self.now, self.life, fact);
    }
}

/// Faults that were met since the last call become facts; `heard`: by the process.
pub fn after(disk: &mut FakeDisk, load: &mut Load, at: At, heard: bool) {
    for Met { kind, path, what } in disk.take_met() {
        let error = match what {
            FaultKind::Error(error) => error,
            FaultKind::Misdirected { .. } => {
                if let Some(place) = load.place_of(&path) {
                    at.note(load, Fact::Misplaced(place));
                }
                continue;
            }
        };
        let fatal = heard && is_fatal(kind) && !error.is_shortage();
        let (what, lost) = (format!("{kind:?} {path}"), kind == Kind::Flush);
        at.note(load, Fact::DiskFailed { what, fatal, lost });
    }
}

fn rot(rng: &mut Rng, disk: &mut FakeDisk, load: &mut Load, at: At) {
    let cold = disk.cold_segments(NEWER).into_iter();
    let known: Vec<_> = cold
        .filter_map(|path| Some((load.place_of(&path)?, path)))
        .collect();
    if known.is_empty() {
        return;
    }
    let (place, path) = &known[rng.below(known.len() as u64) as usize];
    disk.flip_bit_of(path);
    at.note(load, Fact::Rotted(*place));
}
