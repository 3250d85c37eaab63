//! A data directory without its broker: the start's own code on a disk that keeps its writes to itself.
//!
//! ```text
//!  the start ── reads ──► what it has written here, else the file on disk
//!            ── writes, sizes, names ──► memory only; noted: what was made, changed, removed
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::Poll;

use corelane_engine::controller::identity::{self, IDENTITY_FILE, Identity};
use corelane_engine::disk::{
    DirectoryEntry, DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, FileId, Space,
};
use corelane_engine::fatal::Fatal;
use corelane_engine::flow::{FileIds, Flow, FlowRunner};
use corelane_engine::group::config::GroupConfig;
use corelane_engine::limits::{BLOCK, Limits};
use corelane_engine::log::layout::{self, Layout};
use corelane_engine::types::{NodeId, ShardId};
use corelane_net::context::authorize_all;
use corelane_net::node::NodeConfig;
use corelane_net::worker::NetLimits;

/// As shared as a broker's lock is exclusive.
const LOCK_FILE: &str = "lock";

/// Why nothing can be said of a directory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfflineError {
    #[error("{path}: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("{0}: not a directory")]
    NotADirectory(String),
    #[error("{0}: no data directory: it has no {IDENTITY_FILE}")]
    NoData(String),
    #[error(
        "{path}: in use by process {holder}; stop that broker first, or give a copy of the directory"
    )]
    InUse { path: String, holder: String },
    #[error("{0}")]
    Start(#[from] Fatal),
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// A directory that no broker uses while this lives.
pub(crate) struct Offline {
    pub(crate) root: PathBuf,
    pub(crate) disk: Overlay,
    files: Rc<RefCell<FileIds>>,
    _lock: Option<File>,
}

impl Offline {
    pub(crate) fn open(root: &Path) -> Result<Offline, OfflineError> {
        let path = root.display().to_string();
        let unreadable = |error| OfflineError::Unreadable {
            path: path.clone(),
            error,
        };
        if !fs::metadata(root).map_err(unreadable)?.is_dir() {
            return Err(OfflineError::NotADirectory(path));
        }
        let lock = lock(root)?;
        Ok(Offline {
            root: root.to_owned(),
            disk: Overlay::new(root),
            files: Rc::default(),
            _lock: lock,
        })
    }

    /// Whether a broker has ever been here.
    pub(crate) fn has_identity(&self) -> bool {
        self.root.join(IDENTITY_FILE).exists()
    }

    pub(crate) fn identity(&mut self) -> Result<Identity, OfflineError> {
        if !self.has_identity() {
            return Err(OfflineError::NoData(self.root.display().to_string()));
        }
        Ok(self.run(|flow| async move { identity::read(&flow).await })?)
    }

    pub(crate) fn layout(&mut self, identity: &Identity) -> Result<Option<Layout>, Fatal> {
        let directory = identity.directory;
        self.run(move |flow| async move { layout::find(&flow, directory).await })
    }

    /// Runs one of the start's own functions on the disk here.
    pub(crate) fn run<T, F: Future<Output = T> + 'static>(
        &mut self,
        start: impl FnOnce(Flow) -> F,
    ) -> T {
        let mut runner = FlowRunner::new(&self.files, start);
        let mut requests = Vec::new();
        loop {
            if let Poll::Ready(result) = runner.step(&mut requests) {
                return result;
            }
            assert!(!requests.is_empty(), "a flow that waits for nothing");
            for DiskRequest { token, op } in requests.drain(..) {
                let result = self.disk.perform(op);
                runner.on_disk(DiskDone { token, result });
            }
        }
    }
}

/// A lock that keeps brokers out, where there is a lock file that may be opened.
fn lock(root: &Path) -> Result<Option<File>, OfflineError> {
    let path = root.join(LOCK_FILE);
    let Ok(file) = File::open(&path) else {
        return Ok(None);
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            Err(OfflineError::InUse {
                path: root.display().to_string(),
                holder: match holder.trim() {
                    "" => "?".to_owned(),
                    holder => holder.to_owned(),
                },
            })
        }
        // A file system without locks: nobody has one.
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

/// What a broker with the default settings would be made of, on so many shards.
pub(crate) fn node_config(
    root: &Path,
    node: NodeId,
    shards: u16,
    me: ShardId,
) -> Result<NodeConfig, Fatal> {
    let (tail, step, ceiling) = crate::broker::tail_bytes(u64::MAX, shards)?;
    Ok(NodeConfig {
        me,
        shards,
        node,
        listeners: Vec::new(),
        rack: None,
        directory: root.display().to_string(),
        limits: Limits {
            tail_bytes_max: tail,
            ..Limits::NORMAL
        },
        net: NetLimits::NORMAL,
        arena: [8 << 20, step, ceiling],
        seed: 0,
        groups: GroupConfig::default(),
        authorize: authorize_all,
    })
}

/// A name that is not as it is on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    Gone,
    Directory,
    File(usize),
}

/// A file that was opened: its bytes on disk, and what was written over them.
struct Content {
    disk: Option<File>,
    /// Bytes of the file on disk that still count.
    disk_bytes: u64,
    length: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

/// The disk of one data directory, on which nothing is ever written.
pub(crate) struct Overlay {
    root: PathBuf,
    names: BTreeMap<String, Name>,
    contents: Vec<Content>,
    open: BTreeMap<FileId, (usize, String)>,
    /// Bytes read from files.
    pub(crate) bytes_read: u64,
    /// What would be on disk, by file: bytes written, and what was made and removed.
    pub(crate) written: BTreeMap<String, u64>,
    pub(crate) made: Vec<String>,
    pub(crate) removed: Vec<String>,
    /// Files that end sooner now, and where.
    pub(crate) cut: Vec<(String, u64)>,
}

fn disk_error(error: &io::Error) -> DiskError {
    DiskError {
        errno: error.raw_os_error().unwrap_or(DiskError::IO.errno),
    }
}

impl Overlay {
    fn new(root: &Path) -> Overlay {
        Overlay {
            root: root.to_owned(),
            names: BTreeMap::new(),
            contents: Vec::new(),
            open: BTreeMap::new(),
            bytes_read: 0,
            written: BTreeMap::new(),
            made: Vec::new(),
            removed: Vec::new(),
            cut: Vec::new(),
        }
    }

    fn perform(&mut self, op: DiskOp) -> Result<DiskOutcome, DiskError> {
        match op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                let content = self.content(&path, create)?;
                self.open.insert(file, (content, path));
            }
            DiskOp::Close { file } => drop(self.open.remove(&file)),
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                let (content, path) = &self.open[&file];
                *self.written.entry(path.clone()).or_default() += bytes.len() as u64;
                self.contents[*content].write(position, &bytes)?;
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let (content, _) = self.open[&file];
                let content = &self.contents[content];
                let length = content.length.saturating_sub(position);
                let mut bytes = vec![0; length.min(into.capacity() as u64) as usize];
                content.read(position, &mut bytes)?;
                self.bytes_read += bytes.len() as u64;
                into.clear();
                into.extend_from_slice(&bytes);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { .. } => {}
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let (content, _) = self.open[&file];
                let content = &mut self.contents[content];
                content.length = content.length.max(position.saturating_add(length));
            }
            DiskOp::Truncate { file, length } => {
                let (content, path) = &self.open[&file];
                let content = &mut self.contents[*content];
                if length < content.length {
                    self.cut.push((path.clone(), length));
                }
                content.truncate(length)?;
            }
            DiskOp::SyncDirectory { path } => match self.is_directory(&path) {
                true => {}
                false => return Err(DiskError::NOT_FOUND),
            },
            DiskOp::MakeDirectory { path } => {
                if !self.is_directory(&path) {
                    self.made.push(path.clone());
                    self.names.insert(path, Name::Directory);
                }
            }
            DiskOp::Unlink { path } => {
                let there = match self.names.get(&path) {
                    Some(name) => *name != Name::Gone,
                    None => self.root.join(&path).exists(),
                };
                if there {
                    self.remove(path);
                }
            }
            DiskOp::RemoveDirectory { path } => {
                if self.is_directory(&path) {
                    if !self.list(&path)?.is_empty() {
                        return Err(DiskError::NOT_EMPTY);
                    }
                    self.remove(path);
                }
            }
            DiskOp::Rename { from, to } => {
                let content = self.content(&from, false)?;
                self.made.retain(|made| *made != from);
                if let Some(bytes) = self.written.remove(&from) {
                    *self.written.entry(to.clone()).or_default() += bytes;
                }
                self.names.insert(from, Name::Gone);
                self.names.insert(to, Name::File(content));
            }
            DiskOp::List { path } => return Ok(DiskOutcome::Listing(self.list(&path)?)),
            DiskOp::Measure => {
                return Ok(DiskOutcome::Measured(Space {
                    total_bytes: 0,
                    usable_bytes: 0,
                }));
            }
        }
        Ok(DiskOutcome::Done)
    }

    fn remove(&mut self, path: String) {
        self.made.retain(|made| *made != path);
        self.written.remove(&path);
        if self.root.join(&path).exists() {
            self.removed.push(path.clone());
        }
        self.names.insert(path, Name::Gone);
    }

    fn is_directory(&self, path: &str) -> bool {
        match self.names.get(path) {
            Some(name) => *name == Name::Directory,
            None => self.root.join(path).is_dir(),
        }
    }

    fn content(&mut self, path: &str, create: bool) -> Result<usize, DiskError> {
        match self.names.get(path) {
            Some(Name::File(content)) => return Ok(*content),
            Some(Name::Directory) => return Err(disk_error(&ErrorKind::IsADirectory.into())),
            Some(Name::Gone) => {}
            None => match File::open(self.root.join(path)) {
                Ok(file) => {
                    let length = file.metadata().map_err(|e| disk_error(&e))?.len();
                    return Ok(self.add(path, Some(file), length));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(disk_error(&error)),
            },
        }
        match create {
            true => {
                self.made.push(path.to_owned());
                Ok(self.add(path, None, 0))
            }
            false => Err(DiskError::NOT_FOUND),
        }
    }

    fn add(&mut self, path: &str, disk: Option<File>, length: u64) -> usize {
        self.contents.push(Content {
            disk,
            disk_bytes: length,
            length,
            blocks: BTreeMap::new(),
        });
        let content = self.contents.len() - 1;
        self.names.insert(path.to_owned(), Name::File(content));
        content
    }

    /// The entries of a directory as the start has left it, sorted by name.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<DirectoryEntry>, DiskError> {
        let prefix = match path {
            "" => String::new(),
            path => format!("{path}/"),
        };
        let mut entries = BTreeMap::new();
        match fs::read_dir(self.root.join(path)) {
            Ok(found) => {
                for entry in found {
                    let entry = entry.map_err(|e| disk_error(&e))?;
                    let Ok(name) = entry.file_name().into_string() else {
                        continue;
                    };
                    if !self.names.contains_key(&format!("{prefix}{name}")) {
                        let meta = entry.metadata().map_err(|e| disk_error(&e))?;
                        entries.insert(name, (meta.is_dir(), meta.len()));
                    }
                }
            }
            Err(_) if self.names.get(path) == Some(&Name::Directory) => {}
            Err(error) => return Err(disk_error(&error)),
        }
        for (name, what) in self.names.range(prefix.clone()..) {
            let Some(name) = name.strip_prefix(&prefix) else {
                break;
            };
            let what = match what {
                _ if name.contains('/') => continue,
                Name::Gone => continue,
                Name::Directory => (true, 0),
                Name::File(content) => (false, self.contents[*content].length),
            };
            entries.insert(name.to_owned(), what);
        }
        let entries = entries.into_iter();
        Ok(entries
            .map(|(name, (directory, length))| DirectoryEntry {
                name,
                directory,
                length,
            })
            .collect())
    }

    /// Reads a file as the start has left it; fewer bytes at its end.
    pub(crate) fn read(
        &mut self,
        path: &str,
        position: u64,
        into: &mut Vec<u8>,
        bytes: usize,
    ) -> Result<(), DiskError> {
        let content = self.content(path, false)?;
        let content = &self.contents[content];
        let there = content.length.saturating_sub(position).min(bytes as u64);
        into.resize(there as usize, 0);
        content.read(position, into)?;
        self.bytes_read += there;
        Ok(())
    }

    /// Closes what was opened for a file on disk that was not written.
    pub(crate) fn forget(&mut self, path: &str) {
        if let Some(Name::File(content)) = self.names.get(path).copied()
            && self.contents[content].blocks.is_empty()
            && self.contents[content].disk_bytes == self.contents[content].length
            && self.open.values().all(|(open, _)| *open != content)
        {
            self.names.remove(path);
            self.contents[content].disk = None;
        }
    }
}

impl Content {
    /// Fills `into`, which ends at the file's end at the latest.
    fn read(&self, position: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let end = position + into.len() as u64;
        if let Some(disk) = &self.disk
            && position < self.disk_bytes
        {
            let there = (self.disk_bytes.min(end) - position) as usize;
            let read = disk.read_exact_at(&mut into[..there], position);
            read.map_err(|e| disk_error(&e))?;
        }
        let first = position / BLOCK as u64;
        for (block, bytes) in self.blocks.range(first..end.div_ceil(BLOCK as u64)) {
            let at = block * BLOCK as u64;
            let (from, to) = (at.max(position), (at + BLOCK as u64).min(end));
            let (into_from, into_to) = ((from - position) as usize, (to - position) as usize);
            into[into_from..into_to]
                .copy_from_slice(&bytes[(from - at) as usize..(to - at) as usize]);
        }
        Ok(())
    }

    fn write(&mut self, position: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let end = position + bytes.len() as u64;
        self.length = self.length.max(end);
        let mut at = position;
        while at < end {
            let (block, skip) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
            let length = (BLOCK - skip).min((end - at) as usize);
            let new = &bytes[(at - position) as usize..][..length];
            let fresh =
                block * BLOCK as u64 >= self.disk_bytes && !self.blocks.contains_key(&block);
            // Zeros are there already: a journal's first filling would take its size.
            if !(fresh && new.iter().all(|b| *b == 0)) {
                if !self.blocks.contains_key(&block) {
                    let mut old = vec![0; BLOCK];
                    let there = self.disk_bytes.saturating_sub(block * BLOCK as u64);
                    let there = there.min(BLOCK as u64) as usize;
                    self.read(block * BLOCK as u64, &mut old[..there])?;
                    self.blocks.insert(block, old.into_boxed_slice());
                }
                let kept = self.blocks.get_mut(&block).expect("just put there");
                kept[skip..skip + length].copy_from_slice(new);
            }
            at += length as u64;
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> Result<(), DiskError> {
        if length < self.length {
            self.disk_bytes = self.disk_bytes.min(length);
            self.blocks
                .retain(|block, _| block * (BLOCK as u64) < length);
            let skip = (length % BLOCK as u64) as usize;
            if let Some(last) = self.blocks.get_mut(&(length / BLOCK as u64)) {
                last[skip..].fill(0);
            }
        }
        self.length = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{Bytes, BytesMut};

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("corelane-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("d")).expect("a temporary directory");
        path
    }

    #[test]
    fn what_is_written_is_read_and_the_disk_stays_as_it_was() {
        let root = directory("overlay");
        fs::write(root.join("d/a"), [7; 10_000]).expect("written");
        fs::write(root.join("d/b"), b"b").expect("written");
        let mut offline = Offline::open(&root).expect("a directory");
        offline.run(|flow| async move {
            let file = flow.open("d/a", false, true).await.expect("there");
            flow.write(file, 4_000, Bytes::from(vec![9; 200]))
                .await
                .expect("kept");
            let read = flow
                .read(file, 3_999, BytesMut::with_capacity(202))
                .await
                .expect("read");
            assert_eq!(read[..2], [7, 9]);
            assert_eq!(read[200..202], [9, 7]);
            flow.truncate(file, 4_050).await.expect("kept");
            flow.allocate(file, 0, 20_000).await.expect("kept");
            let read = flow
                .read(file, 4_000, BytesMut::with_capacity(20_000))
                .await
                .expect("read");
            assert_eq!(read.len(), 16_000);
            assert!(read[..50].iter().all(|b| *b == 9) && read[50..].iter().all(|b| *b == 0));
            flow.unlink("d/b").await.expect("kept");
            flow.rename("d/a", "d/c").await.expect("kept");
            flow.make_directory("e").await.expect("kept");
            let names = |list: Vec<DirectoryEntry>| -> Vec<(String, u64)> {
                list.into_iter().map(|e| (e.name, e.length)).collect()
            };
            let list = flow.list("d").await.expect("listed");
            assert_eq!(names(list), [("c".to_owned(), 20_000)]);
            let list = flow.list("").await.expect("listed");
            assert_eq!(
                names(list).iter().map(|(n, _)| &**n).collect::<Vec<_>>(),
                ["d", "e"]
            );
            assert_eq!(
                flow.open("d/a", false, true).await,
                Err(DiskError::NOT_FOUND)
            );
            assert_eq!(flow.remove_directory("d").await, Err(DiskError::NOT_EMPTY));
        });
        assert_eq!(offline.disk.removed, ["d/b"]);
        assert_eq!(offline.disk.cut, [("d/a".to_owned(), 4_050)]);
        assert_eq!(offline.disk.made, ["e"]);
        assert_eq!(fs::read(root.join("d/a")).expect("there"), [7; 10_000]);
        assert_eq!(fs::read(root.join("d/b")).expect("there"), b"b");
        assert!(!root.join("e").exists() && !root.join("d/c").exists());
        fs::remove_dir_all(&root).expect("removed");
    }
}
