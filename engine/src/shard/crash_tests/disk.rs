//! A disk that reorders, tears, forgets, fails and lies.

use std::collections::BTreeMap;

use crate::disk::{DirectoryEntry, DiskError, DiskOp, DiskOutcome, DiskRequest, FileId, Space};
use crate::limits::BLOCK;
use crate::rng::Rng;

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) now: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// The directory entry is on disk.
    pub(super) linked: bool,
}

/// A disk that breaks its promise: each kind must be found, or the test proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lie {
    Nothing,
    /// Flushes of files whose path holds this do nothing: acknowledged groups, straight and written-back data,
    /// checkpoints.
    NoFlush(&'static str),
    /// Flushes while the shard starts do nothing: what kill -9 left readable stays volatile.
    NoFlushAtStart,
    /// Now and then a write to the journal is answered and never done: a stale block stands there.
    StaleJournal,
    /// A flush is answered before the writes that completed since the last one reach it.
    LateFlush,
}

/// Written data is visible at once and durable by a flush only; operations under way are done in any order.
pub(super) struct Disk {
    pub(super) files: BTreeMap<String, File>,
    /// Unlinked, but the directory was not synced since: a power cut may bring them back.
    pub(super) unlinked: BTreeMap<String, File>,
    pub(super) open: BTreeMap<FileId, String>,
    pub(super) pending: Vec<DiskRequest>,
    pub(super) lie: Lie,
    pub(super) starting: bool,
    /// No file grows.
    pub(super) full: bool,
    /// What is to fail.
    pub(super) fault: Option<Fault>,
    /// It has.
    pub(super) fired: bool,
}

/// An operation that fails, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) on: On,
    pub(super) how: How,
    /// How many of them come before it.
    pub(super) after: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum On {
    WriteOrFlush,
    Write,
    Flush,
    Read,
    Rename,
    Open,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum How {
    Io,
    NoSpace,
    /// Some of the blocks are written before it fails.
    Short,
}

impl On {
    fn is(self, op: &DiskOp) -> bool {
        match self {
            On::WriteOrFlush => On::Write.is(op) || On::Flush.is(op),
            On::Write => matches!(op, DiskOp::Write { .. }),
            On::Flush => matches!(op, DiskOp::Flush { .. }),
            On::Read => matches!(op, DiskOp::Read { .. }),
            On::Rename => matches!(op, DiskOp::Rename { .. }),
            On::Open => matches!(op, DiskOp::Open { .. }),
        }
    }
}

pub(super) fn file_of(op: &DiskOp) -> Option<FileId> {
    match op {
        DiskOp::Write { file, .. }
        | DiskOp::Read { file, .. }
        | DiskOp::Flush { file }
        | DiskOp::Allocate { file, .. }
        | DiskOp::Truncate { file, .. } => Some(*file),
        _ => None,
    }
}

impl Disk {
    pub(super) fn run(&mut self, op: DiskOp, rng: &mut Rng) -> Result<DiskOutcome, DiskError> {
        if let Some(fault) = self.fault.as_mut().filter(|fault| fault.on.is(&op)) {
            let (how, left) = (fault.how, fault.after.checked_sub(1));
            match left {
                Some(left) => fault.after = left,
                None => {
                    (self.fault, self.fired) = (None, true);
                    return Err(self.fail(op, how, rng));
                }
            }
        }
        if let DiskOp::Close { file } = op {
            let used = self.pending.iter().any(|r| file_of(&r.op) == Some(file));
            assert!(
                !used,
                "closed with operations under way: {:?}",
                self.open[&file]
            );
        }
        let lie = self.lie;
        let starting = self.starting;
        let open = &mut self.open;
        match op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                if !create && !self.files.contains_key(&path) {
                    return Err(DiskError::NOT_FOUND);
                }
                self.files.entry(path.clone()).or_default();
                self.unlinked.remove(&path);
                let before = open.insert(file, path);
                assert_eq!(before, None, "{file:?} is open");
            }
            DiskOp::Close { file } => drop(open.remove(&file)),
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                if lie == Lie::StaleJournal && open[&file].contains("journal") && rng.one_in(30) {
                    return Ok(DiskOutcome::Done);
                }
                // An unlinked file goes on under the descriptors it has.
                let Some(File { now: content, .. }) = self.files.get_mut(&open[&file]) else {
                    return Ok(DiskOutcome::Done);
                };
                let end = position as usize + bytes.len();
                content.resize(content.len().max(end), 0);
                content[position as usize..end].copy_from_slice(&bytes);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let nothing = Vec::new();
                let content = self.files.get(&open[&file]).map_or(&nothing, |f| &f.now);
                let begin = content.len().min(position as usize);
                let end = content.len().min(begin + into.capacity() / BLOCK * BLOCK);
                into.extend_from_slice(&content[begin..end]);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { file } => {
                let path = &open[&file];
                let skipped = match lie {
                    Lie::NoFlush(part) => path.contains(part),
                    Lie::NoFlushAtStart => starting,
                    Lie::LateFlush => rng.one_in(10),
                    Lie::Nothing | Lie::StaleJournal => false,
                };
                if let Some(file) = self.files.get_mut(path).filter(|_| !skipped) {
                    file.durable = file.now.clone();
                }
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let Some(File { now: content, .. }) = self.files.get_mut(&open[&file]) else {
                    return Ok(DiskOutcome::Done);
                };
                let end = (position + length) as usize;
                if self.full && end > content.len() {
                    return Err(DiskError::NO_SPACE);
                }
                content.resize(content.len().max(end), 0);
            }
            DiskOp::Truncate { file, length } => {
                if let Some(file) = self.files.get_mut(&open[&file]) {
                    file.now.resize(length as usize, 0);
                }
            }
            DiskOp::Unlink { path } => {
                if let Some(file) = self.files.remove(&path) {
                    // It goes on under the descriptors it has.
                    let open = self.open.values_mut().filter(|p| **p == path);
                    let nameless = format!("nameless/{}", self.unlinked.len());
                    let held = open.map(|p| p.clone_from(&nameless)).count() > 0;
                    if held {
                        self.files.insert(nameless, file.clone());
                    }
                    if file.linked {
                        self.unlinked.insert(path, file);
                    }
                }
            }
            DiskOp::Rename { from, to } => {
                // A rename that no directory sync covers may be undone: here it is kept with the entry.
                let content = self.files.remove(&from).ok_or(DiskError::NOT_FOUND)?;
                let linked = self.files.get(&to).is_some_and(|file| file.linked);
                self.files.insert(to, File { linked, ..content });
            }
            DiskOp::List { path } => {
                let prefix = if path.is_empty() {
                    String::new()
                } else {
                    format!("{path}/")
                };
                let mut entries: Vec<DirectoryEntry> = Vec::new();
                for (name, file) in &self.files {
                    let Some(rest) = name.strip_prefix(&prefix) else {
                        continue;
                    };
                    let (name, directory) = rest
                        .split_once('/')
                        .map_or((rest, false), |(name, _)| (name, true));
                    if entries.last().is_none_or(|last| last.name != name) {
                        entries.push(DirectoryEntry {
                            name: name.to_owned(),
                            directory,
                            length: file.now.len() as u64,
                        });
                    }
                }
                return Ok(DiskOutcome::Listing(entries));
            }
            DiskOp::SyncDirectory { path } => {
                let parent = |name: &str| {
                    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
                    parent == path
                };
                for (name, file) in &mut self.files {
                    file.linked |= parent(name);
                }
                self.unlinked.retain(|name, _| !parent(name));
            }
            DiskOp::MakeDirectory { .. } | DiskOp::RemoveDirectory { .. } => {}
            DiskOp::Measure => {
                return Ok(DiskOutcome::Measured(Space {
                    total_bytes: 1 << 40,
                    usable_bytes: 1 << 30,
                }));
            }
        }
        Ok(DiskOutcome::Done)
    }

    fn fail(&mut self, op: DiskOp, how: How, rng: &mut Rng) -> DiskError {
        match (how, op) {
            (How::NoSpace, _) => DiskError::NO_SPACE,
            (
                How::Short,
                DiskOp::Write {
                    file,
                    position,
                    bytes,
                },
            ) => {
                let bytes = bytes.slice(..bytes.len() / 2 / BLOCK * BLOCK);
                let half = DiskOp::Write {
                    file,
                    position,
                    bytes,
                };
                self.run(half, rng).expect("no second fault");
                DiskError::IO
            }
            (How::Io | How::Short, _) => DiskError::IO,
        }
    }

    /// The process dies: of what is under way, some blocks are written, some not. With `power`, of what no flush
    /// covered too, and files whose directory entry was not synced may be gone.
    pub(super) fn crash(&mut self, power: bool, rng: &mut Rng) {
        for request in std::mem::take(&mut self.pending) {
            match request.op {
                DiskOp::Write {
                    file,
                    position,
                    bytes,
                } => {
                    for at in (0..bytes.len())
                        .step_by(BLOCK)
                        .filter(|_| rng.one_in(2))
                        .collect::<Vec<_>>()
                    {
                        let piece = bytes.slice(at..at + BLOCK);
                        let op = DiskOp::Write {
                            file,
                            position: position + at as u64,
                            bytes: piece,
                        };
                        let _ = self.run(op, rng);
                    }
                }
                op @ (DiskOp::Allocate { .. }
                | DiskOp::Truncate { .. }
                | DiskOp::Unlink { .. }
                | DiskOp::Rename { .. })
                    if rng.one_in(2) =>
                {
                    let _ = self.run(op, rng);
                }
                _ => {}
            }
        }
        self.open.clear();
        self.files.retain(|name, _| !name.starts_with("nameless/"));
        if !power {
            return;
        }
        for (name, file) in std::mem::take(&mut self.unlinked) {
            if rng.one_in(2) {
                self.files.entry(name).or_insert(file);
            }
        }
        self.files.retain(|_, file| file.linked || rng.one_in(2));
        for file in self.files.values_mut() {
            let length = if rng.one_in(2) {
                file.now.len()
            } else {
                file.durable.len()
            };
            let mut content = file.durable.clone();
            content.resize(length, 0);
            for at in (0..length).step_by(BLOCK) {
                let end = (at + BLOCK).min(length);
                if file.now.len() >= end && rng.one_in(2) {
                    // Kept, or torn at a sector.
                    let cut = if rng.one_in(4) {
                        (at + rng.below(8) as usize * 512).min(end)
                    } else {
                        end
                    };
                    content[at..cut].copy_from_slice(&file.now[at..cut]);
                }
            }
            file.now = content.clone();
            file.durable = content;
        }
    }
}
