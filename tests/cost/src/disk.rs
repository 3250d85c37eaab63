//! A data directory in memory that does at once, and in order, what it is asked.
//!
//! It forgets nothing, fails never and tells no lie: that is the simulator's disk. This one only costs little.

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::disk::{
    DirectoryEntry, DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, FileId, Space,
};

/// The file system's size, half of it free.
const TOTAL_BYTES: u64 = 1 << 40;

/// A file's place in the list of all that ever were.
type Ino = usize;

/// Of one node of one shard.
#[derive(Default)]
pub(crate) struct Disk {
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, Ino>,
    directories: BTreeSet<String>,
    open: BTreeMap<FileId, Ino>,
}

impl Disk {
    pub(crate) fn perform(&mut self, request: DiskRequest) -> DiskDone {
        let DiskRequest { token, op } = request;
        let result = self.effect(op);
        DiskDone { token, result }
    }

    fn effect(&mut self, op: DiskOp) -> Result<DiskOutcome, DiskError> {
        match op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                let ino = match self.names.get(&path) {
                    Some(ino) => *ino,
                    None if create => {
                        self.files.push(Vec::new());
                        self.names.insert(path, self.files.len() - 1);
                        self.files.len() - 1
                    }
                    None => return Err(DiskError::NOT_FOUND),
                };
                self.open.insert(file, ino);
            }
            DiskOp::Close { file } => {
                self.open.remove(&file);
            }
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                let (from, content) = (position as usize, self.file(file));
                let end = from + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[from..end].copy_from_slice(&bytes);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let content = self.file(file);
                let from = content.len().min(position as usize);
                let end = content.len().min(from + into.capacity());
                into.clear();
                into.extend_from_slice(&content[from..end]);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let content = self.file(file);
                let end = content.len().max((position + length) as usize);
                content.resize(end, 0);
            }
            DiskOp::Truncate { file, length } => self.file(file).resize(length as usize, 0),
            DiskOp::MakeDirectory { path } => {
                self.directories.insert(path);
            }
            DiskOp::RemoveDirectory { path } => {
                self.directories.remove(&path);
            }
            DiskOp::Unlink { path } => {
                self.names.remove(&path);
            }
            DiskOp::Rename { from, to } => {
                let ino = self.names.remove(&from).ok_or(DiskError::NOT_FOUND)?;
                self.names.insert(to, ino);
            }
            DiskOp::List { path } => return self.list(&path).map(DiskOutcome::Listing),
            DiskOp::Measure => {
                return Ok(DiskOutcome::Measured(Space {
                    total_bytes: TOTAL_BYTES,
                    usable_bytes: TOTAL_BYTES / 2,
                }));
            }
            DiskOp::Flush { .. } | DiskOp::SyncDirectory { .. } => {}
        }
        Ok(DiskOutcome::Done)
    }

    fn file(&mut self, file: FileId) -> &mut Vec<u8> {
        &mut self.files[self.open[&file]]
    }

    fn list(&self, path: &str) -> Result<Vec<DirectoryEntry>, DiskError> {
        if !path.is_empty() && !self.directories.contains(path) {
            return Err(DiskError::NOT_FOUND);
        }
        let directories = self.directories.iter().map(|name| (name, true, 0));
        let files = self.names.iter();
        let files = files.map(|(name, ino)| (name, false, self.files[*ino].len() as u64));
        let mut entries: Vec<DirectoryEntry> = directories
            .chain(files)
            .filter_map(|(full, directory, length)| {
                let (above, name) = full.rsplit_once('/').unwrap_or(("", full));
                (above == path).then(|| DirectoryEntry {
                    name: name.to_owned(),
                    directory,
                    length,
                })
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}
