//! Directory entries: what a lookup sees now, and what a power cut may leave of them.
//!
//! ```text
//!  create, unlink, rename, mkdir, rmdir ─► pending, in order ─► durable by SyncDirectory of the entry's directory
//!                                          power cut: each kept or lost; lost with it what came later on its names
//! ```

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::disk::{DirectoryEntry, DiskError};
use corelane_engine::rng::Rng;

use super::file::{Fates, Seq};

/// An inode's number. Never reused.
pub(super) type Ino = u64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Node {
    File(Ino),
    Directory,
}

#[derive(Clone, Debug)]
enum Change {
    Link { path: String, node: Node },
    Unlink { path: String },
    Rename { from: String, to: String },
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Change::Link { path, node } => drop(names.insert(path.clone(), *node)),
            Change::Unlink { path } => drop(names.remove(path)),
            Change::Rename { from, to } => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }

    fn paths(&self) -> Vec<&str> {
        match self {
            Change::Link { path, .. } | Change::Unlink { path } => vec![path],
            Change::Rename { from, to } => vec![from, to],
        }
    }

    /// A rename is one journaled change of a file system, durable with the directory of its new name.
    fn directory(&self) -> &str {
        match self {
            Change::Link { path, .. } | Change::Unlink { path } => parent(path),
            Change::Rename { to, .. } => parent(to),
        }
    }
}

/// The directory that holds `path`; "" is the data directory.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Every name of one data directory, by its full path below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    live: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    pending: Vec<(Seq, Change)>,
}

const EXISTS: DiskError = DiskError { errno: 17 };
const NOT_DIRECTORY: DiskError = DiskError { errno: 20 };
const IS_DIRECTORY: DiskError = DiskError { errno: 21 };
const NOT_EMPTY: DiskError = DiskError { errno: 39 };

impl Names {
    fn change(&mut self, at: Seq, change: Change) {
        change.apply(&mut self.live);
        self.pending.push((at, change));
    }

    fn check_parent(&self, path: &str) -> Result<(), DiskError> {
        match parent(path) {
            "" => Ok(()),
            above => match self.live.get(above) {
                Some(Node::Directory) => Ok(()),
                Some(Node::File(_)) => Err(NOT_DIRECTORY),
                None => Err(DiskError::NOT_FOUND),
            },
        }
    }

    pub(super) fn file(&self, path: &str) -> Result<Ino, DiskError> {
        match self.live.get(path) {
            Some(Node::File(ino)) => Ok(*ino),
            Some(Node::Directory) => Err(IS_DIRECTORY),
            None => Err(DiskError::NOT_FOUND),
        }
    }

    pub(super) fn create(&mut self, at: Seq, path: &str, ino: Ino) -> Result<(), DiskError> {
        self.check_parent(path)?;
        let (path, node) = (path.to_owned(), Node::File(ino));
        self.change(at, Change::Link { path, node });
        Ok(())
    }

    /// The file is there, and durable, in a directory that is.
    pub(super) fn plant(&mut self, path: &str, ino: Ino) {
        self.live.insert(path.to_owned(), Node::File(ino));
        self.durable.insert(path.to_owned(), Node::File(ino));
    }

    pub(super) fn has_directory(&self, path: &str) -> bool {
        matches!(self.live.get(path), Some(Node::Directory))
    }

    pub(super) fn make_directory(&mut self, at: Seq, path: &str) -> Result<(), DiskError> {
        self.check_parent(path)?;
        match self.live.get(path) {
            Some(Node::Directory) => Ok(()),
            Some(Node::File(_)) => Err(EXISTS),
            None => {
                let (path, node) = (path.to_owned(), Node::Directory);
                self.change(at, Change::Link { path, node });
                Ok(())
            }
        }
    }

    pub(super) fn unlink(&mut self, at: Seq, path: &str) -> Result<(), DiskError> {
        match self.live.get(path) {
            None => Ok(()),
            Some(Node::Directory) => Err(IS_DIRECTORY),
            Some(Node::File(_)) => {
                let path = path.to_owned();
                self.change(at, Change::Unlink { path });
                Ok(())
            }
        }
    }

    pub(super) fn remove_directory(&mut self, at: Seq, path: &str) -> Result<(), DiskError> {
        match self.live.get(path) {
            None => Ok(()),
            Some(Node::File(_)) => Err(NOT_DIRECTORY),
            Some(Node::Directory) if !self.children(path).is_empty() => Err(NOT_EMPTY),
            Some(Node::Directory) => {
                let path = path.to_owned();
                self.change(at, Change::Unlink { path });
                Ok(())
            }
        }
    }

    pub(super) fn rename(&mut self, at: Seq, from: &str, to: &str) -> Result<(), DiskError> {
        self.file(from)?;
        self.check_parent(to)?;
        if let Some(Node::Directory) = self.live.get(to) {
            return Err(IS_DIRECTORY);
        }
        let (from, to) = (from.to_owned(), to.to_owned());
        self.change(at, Change::Rename { from, to });
        Ok(())
    }

    fn children(&self, path: &str) -> Vec<(&str, Node)> {
        let names = self.live.iter().filter(|(name, _)| parent(name) == path);
        names.map(|(name, node)| (name.as_str(), *node)).collect()
    }

    /// The entries of a directory, sorted by name; lengths by `length`.
    pub(super) fn list(
        &self,
        path: &str,
        length: impl Fn(Ino) -> u64,
    ) -> Result<Vec<DirectoryEntry>, DiskError> {
        match self.live.get(path) {
            _ if path.is_empty() => {}
            Some(Node::Directory) => {}
            Some(Node::File(_)) => return Err(NOT_DIRECTORY),
            None => return Err(DiskError::NOT_FOUND),
        }
        let mut entries: Vec<DirectoryEntry> = (self.children(path).into_iter())
            .map(|(name, node)| DirectoryEntry {
                name: name.rsplit_once('/').map_or(name, |(_, n)| n).to_owned(),
                directory: node == Node::Directory,
                length: match node {
                    Node::File(ino) => length(ino),
                    Node::Directory => 0,
                },
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    pub(super) fn sync(&mut self, covered: Seq, directory: &str) -> Result<(), DiskError> {
        if !directory.is_empty() && self.live.get(directory) != Some(&Node::Directory) {
            return Err(DiskError::NOT_FOUND);
        }
        let durable = &mut self.durable;
        self.pending.retain(|(at, change)| {
            let covered = *at <= covered && change.directory() == directory;
            if covered {
                change.apply(durable);
            }
            !covered
        });
        Ok(())
    }

    pub(super) fn power_cut(&mut self, rng: &mut Rng, fates: &mut Fates) {
        let keep_of_4 = rng.below(5);
        let mut lost: BTreeSet<String> = BTreeSet::new();
        for (_, change) in std::mem::take(&mut self.pending) {
            let follows = change.paths().iter().any(|path| lost.contains(*path));
            if follows || rng.below(4) >= keep_of_4 {
                lost.extend(change.paths().into_iter().map(str::to_owned));
                fates.entries_lost += 1;
            } else {
                change.apply(&mut self.durable);
                fates.entries_kept += 1;
            }
        }
        // What lies in a directory that is gone is gone. Parents sort before their children.
        let mut kept: BTreeMap<String, Node> = BTreeMap::new();
        for (path, node) in std::mem::take(&mut self.durable) {
            let above = parent(&path);
            if above.is_empty() || kept.get(above) == Some(&Node::Directory) {
                kept.insert(path, node);
            }
        }
        self.live = kept.clone();
        self.durable = kept;
    }

    /// Every inode that a name, durable or not, still leads to.
    pub(super) fn inodes(&self) -> BTreeSet<Ino> {
        let pending = self.pending.iter().filter_map(|(_, change)| match change {
            Change::Link { node, .. } => Some(*node),
            Change::Unlink { .. } | Change::Rename { .. } => None,
        });
        let nodes = (self.live.values().copied())
            .chain(self.durable.values().copied())
            .chain(pending);
        nodes
            .filter_map(|node| match node {
                Node::File(ino) => Some(ino),
                Node::Directory => None,
            })
            .collect()
    }

    /// Paths of all files, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, Ino)> {
        self.live.iter().filter_map(|(path, node)| match node {
            Node::File(ino) => Some((path.as_str(), *ino)),
            Node::Directory => None,
        })
    }
}
