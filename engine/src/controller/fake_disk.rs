//! A disk for these tests: what is written is readable at once, and durable only by its flush.
//!
//! A kill keeps what is readable. A power cut keeps, loses or tears each unflushed block, size and directory entry by
//! itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use bytes::BytesMut;

use crate::disk::{DirectoryEntry, DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, FileId};
use crate::flow::{FileIds, Flow, FlowRunner};
use crate::limits::BLOCK;
use crate::rng::Rng;

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
}

/// Paths as they are, and as the last sync of their directory left them.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeDisk {
    inodes: Vec<Inode>,
    now: BTreeMap<String, Option<usize>>,
    durable: BTreeMap<String, Option<usize>>,
    open: BTreeMap<FileId, (usize, bool)>,
    pub(crate) flushes: usize,
    /// Every operation, for transcripts.
    pub(crate) trace: Vec<String>,
    /// After this many operations nothing is done or answered any more.
    pub(crate) operations_left: Option<usize>,
    /// Direct writes may extend a file, as those of a shard's start do.
    pub(crate) extends: bool,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl FakeDisk {
    pub(crate) fn is_dead(&self) -> bool {
        self.operations_left == Some(0)
    }

    /// Does one request; `None`: the process died before.
    pub(crate) fn run(&mut self, request: DiskRequest) -> Option<DiskDone> {
        if let Some(left) = &mut self.operations_left {
            *left = left.checked_sub(1)?;
        }
        Some(DiskDone {
            token: request.token,
            result: self.perform(request.op),
        })
    }

    fn perform(&mut self, op: DiskOp) -> Result<DiskOutcome, DiskError> {
        match op {
            DiskOp::Open {
                file,
                path,
                create,
                direct,
            } => {
                self.trace.push(format!("open {path}"));
                let inode = match self.now.get(&path) {
                    Some(Some(inode)) => *inode,
                    Some(None) => return Err(DiskError::IO),
                    None if create => {
                        self.inodes.push(Inode::default());
                        self.now.insert(path, Some(self.inodes.len() - 1));
                        self.inodes.len() - 1
                    }
                    None => return Err(DiskError::NOT_FOUND),
                };
                assert!(
                    self.open.insert(file, (inode, direct)).is_none(),
                    "slot {file:?} is in use"
                );
            }
            DiskOp::Close { file } => {
                self.open.remove(&file).expect("was open");
            }
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                let (inode, direct) = self.open[&file];
                if direct {
                    assert!(bytes.as_ptr().addr().is_multiple_of(BLOCK));
                    assert!(bytes.len().is_multiple_of(BLOCK));
                    assert!(position.is_multiple_of(BLOCK as u64));
                }
                self.trace.push(format!("write {position}+{}", bytes.len()));
                let now = &mut self.inodes[inode].now;
                let (start, end) = (position as usize, position as usize + bytes.len());
                let fits = end <= now.len() || self.extends;
                assert!(!direct || fits, "an append extends the file");
                now.resize(now.len().max(end), 0);
                now[start..end].copy_from_slice(&bytes);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                let (inode, direct) = self.open[&file];
                assert!(!direct || into.capacity().is_multiple_of(BLOCK));
                let now = &self.inodes[inode].now;
                let start = now.len().min(position as usize);
                let end = now.len().min(start + into.capacity());
                into.clear();
                into.extend_from_slice(&now[start..end]);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { file } => {
                self.trace.push("flush".to_owned());
                self.flushes += 1;
                let inode = &mut self.inodes[self.open[&file].0];
                inode.durable.clone_from(&inode.now);
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                assert!(length > 0, "fallocate refuses an empty range");
                let now = &mut self.inodes[self.open[&file].0].now;
                now.resize(now.len().max((position + length) as usize), 0);
            }
            DiskOp::Truncate { file, length } => {
                self.trace.push(format!("truncate {length}"));
                self.inodes[self.open[&file].0]
                    .now
                    .resize(length as usize, 0);
            }
            DiskOp::SyncDirectory { path } => {
                self.trace.push(format!("sync '{path}'"));
                self.durable.retain(|p, _| parent(p) != path);
                let synced = self.now.iter().filter(|(p, _)| parent(p) == path);
                self.durable.extend(synced.map(|(p, i)| (p.clone(), *i)));
            }
            DiskOp::MakeDirectory { path } => {
                self.now.entry(path).or_insert(None);
            }
            DiskOp::Unlink { path } | DiskOp::RemoveDirectory { path } => {
                self.trace.push(format!("unlink {path}"));
                self.now.remove(&path);
            }
            DiskOp::Rename { from, to } => {
                self.trace.push(format!("rename {from} {to}"));
                let inode = self.now.remove(&from).ok_or(DiskError::NOT_FOUND)?;
                self.now.insert(to, inode);
            }
            DiskOp::List { path } => return Ok(DiskOutcome::Listing(self.list(&path))),
        }
        Ok(DiskOutcome::Done)
    }

    pub(crate) fn list(&self, path: &str) -> Vec<DirectoryEntry> {
        self.now
            .iter()
            .filter(|(p, _)| parent(p) == path)
            .map(|(p, inode)| DirectoryEntry {
                name: p.rsplit('/').next().unwrap_or(p).to_owned(),
                directory: inode.is_none(),
                length: inode.map_or(0, |i| self.inodes[i].now.len() as u64),
            })
            .collect()
    }

    /// The bytes of a file, to be spoilt; readable and durable.
    pub(crate) fn spoil(&mut self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let inode = &mut self.inodes[self.now[path].expect("a file")];
        change(&mut inode.now);
        inode.durable.clone_from(&inode.now);
    }

    /// The process is gone, the machine goes on.
    pub(crate) fn kill(&mut self) {
        self.open.clear();
        self.operations_left = None;
    }

    /// The machine is gone: what was not flushed or synced is kept, lost or torn.
    pub(crate) fn cut(&mut self, rng: &mut Rng) {
        self.kill();
        for inode in &mut self.inodes {
            let (now, durable) = (&inode.now, &inode.durable);
            let length = if rng.one_in(2) {
                now.len()
            } else {
                durable.len()
            };
            let mut left = durable.clone();
            left.resize(length, 0);
            for (at, block) in left.chunks_mut(BLOCK).enumerate() {
                let written = now.get(at * BLOCK..).unwrap_or(&[]);
                let written = &written[..written.len().min(block.len())];
                let kept = match rng.below(3) {
                    0 => written.len(),
                    1 => 0,
                    _ => rng.below(written.len() as u64 + 1) as usize,
                };
                block[..kept].copy_from_slice(&written[..kept]);
            }
            inode.now.clone_from(&left);
            inode.durable = left;
        }
        let mut names: Vec<String> = self
            .now
            .keys()
            .chain(self.durable.keys())
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        for name in names {
            let from = if rng.one_in(2) {
                &self.now
            } else {
                &self.durable
            };
            match from.get(&name).copied() {
                Some(inode) => self.now.insert(name, inode),
                None => self.now.remove(&name),
            };
        }
        self.durable = self.now.clone();
    }

    /// Runs a flow to its end; `None`: the process died in it.
    pub(crate) fn flow<T, F: Future<Output = T> + 'static>(
        &mut self,
        start: impl FnOnce(Flow) -> F,
    ) -> Option<(T, FileIds)> {
        let files = Rc::new(RefCell::new(FileIds::default()));
        let mut runner = FlowRunner::new(&files, start);
        let mut requests = Vec::new();
        loop {
            if let Poll::Ready(value) = runner.step(&mut requests) {
                return Some((value, files.take()));
            }
            for request in std::mem::take(&mut requests) {
                runner.on_disk(self.run(request)?);
            }
        }
    }
}

#[test]
fn unflushed_bytes_are_lost_by_a_cut_and_kept_by_a_kill() {
    let write = |disk: &mut FakeDisk, flush: bool| {
        disk.flow(|flow| async move {
            let file = flow.open("f", true, false).await.unwrap();
            let bytes = BytesMut::zeroed(3 * BLOCK).freeze();
            let ones: Vec<u8> = bytes.iter().map(|_| 1).collect();
            flow.write(file, 0, ones.into()).await.unwrap();
            if flush {
                flow.flush(file).await.unwrap();
                flow.sync_directory("").await.unwrap();
            }
        });
    };
    let mut lost = 0;
    for seed in 0..20 {
        let mut flushed = FakeDisk::default();
        write(&mut flushed, true);
        flushed.cut(&mut Rng::new(seed));
        assert!(flushed.inodes[0].now.iter().all(|&b| b == 1));
        assert_eq!(flushed.list("").len(), 1);
        let mut unflushed = FakeDisk::default();
        write(&mut unflushed, false);
        unflushed.cut(&mut Rng::new(seed));
        lost += usize::from(unflushed.inodes[0].now != vec![1; 3 * BLOCK]);
    }
    assert!(lost > 10);
}
