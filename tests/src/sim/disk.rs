//! A node's data directory that exists in memory only: completes operations in any order, tears, forgets, fails.
//!
//! ```text
//!  submit(request) ─► in flight ── complete(op), after its delay ─► effect, answer
//!        │ a short write: its first blocks happen now, the rest is resubmitted
//!    kill: blocks of writes under way happen or not; what was written stays readable, and stays volatile
//!    power cut: besides, every unflushed block, size and directory entry is kept, lost or torn by itself
//! ```
//!
//! A flush covers one file and only what had completed when it was submitted; a directory entry becomes durable by
//! `SyncDirectory` of its directory only. Machines' bugs (unaligned direct IO, a file number taken twice) are asserts,
//! as in the kernel half.

mod file;
mod kinds;
mod names;
mod rot;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use corelane_engine::disk::{
    DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId, Space,
};
use corelane_engine::limits::BLOCK;
use corelane_engine::rng::Rng;
use corelane_engine::types::ShardId;

pub use file::{Fates, SECTOR};
use file::{File, Seq};
pub(crate) use kinds::file_of;
pub use kinds::{Counters, Fault, FaultKind, Kind, Met, Speed};
use names::{Ino, Names};

/// Names an operation under way. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpId(pub u64);

#[derive(Debug)]
struct Flight {
    shard: ShardId,
    token: DiskToken,
    op: DiskOp,
    /// What a flush that was submitted now covers.
    covered: Seq,
}

#[derive(Clone, Debug)]
struct OpenFile {
    /// `None` until the open completes.
    ino: Option<Ino>,
    path: String,
    direct: bool,
    in_flight: u32,
}

/// The disk of one node, shared by its shards. Outlives the node's processes.
pub struct FakeDisk {
    rng: Rng,
    speed: Speed,
    names: Names,
    files: BTreeMap<Ino, File>,
    open: BTreeMap<(ShardId, FileId), OpenFile>,
    flying: BTreeMap<OpId, Flight>,
    faults: Vec<Fault>,
    /// Faults that were met and not asked for yet.
    met: Vec<Met>,
    /// Nothing can grow.
    full: bool,
    /// A device that tears what it writes at any byte, not between sectors only.
    tears_bytes: bool,
    next_op: u64,
    next_ino: Ino,
    seq: Seq,
    counters: Counters,
}

/// What a disk holds, without the operations under way. Blocks are shared: a copy is cheap.
#[derive(Clone)]
pub struct Contents {
    names: Names,
    files: BTreeMap<Ino, File>,
    next_ino: Ino,
    seq: Seq,
}

impl FakeDisk {
    pub fn new(seed: u64, speed: Speed) -> FakeDisk {
        FakeDisk {
            rng: Rng::new(seed),
            speed,
            names: Names::default(),
            files: BTreeMap::new(),
            open: BTreeMap::new(),
            flying: BTreeMap::new(),
            faults: Vec::new(),
            met: Vec::new(),
            full: false,
            tears_bytes: false,
            next_op: 0,
            next_ino: 0,
            seq: 0,
            counters: Counters::default(),
        }
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    pub fn in_flight(&self) -> usize {
        self.flying.len()
    }

    /// Starts an operation; [`FakeDisk::complete`] is to be called after the returned time.
    pub fn submit(&mut self, shard: ShardId, request: DiskRequest) -> (OpId, Duration) {
        let DiskRequest { token, op } = request;
        self.check(shard, &op);
        let delay = self.delay(Kind::of(&op));
        let id = OpId(self.next_op);
        self.next_op += 1;
        self.write_short(shard, &op);
        let covered = self.seq;
        let flight = Flight {
            shard,
            token,
            op,
            covered,
        };
        self.flying.insert(id, flight);
        (id, delay)
    }

    /// What a fault or a canary calls an operation on an open file: its path.
    pub fn path_of<'a>(&'a self, shard: ShardId, op: &'a DiskOp) -> &'a str {
        match op {
            DiskOp::Open { path, .. }
            | DiskOp::SyncDirectory { path }
            | DiskOp::MakeDirectory { path }
            | DiskOp::Unlink { path }
            | DiskOp::RemoveDirectory { path }
            | DiskOp::List { path } => path,
            DiskOp::Rename { to, .. } => to,
            DiskOp::Measure => "",
            DiskOp::Close { file }
            | DiskOp::Write { file, .. }
            | DiskOp::Read { file, .. }
            | DiskOp::Flush { file }
            | DiskOp::Allocate { file, .. }
            | DiskOp::Truncate { file, .. } => {
                self.open.get(&(shard, *file)).map_or("", |open| &open.path)
            }
        }
    }

    fn open_file(&mut self, shard: ShardId, file: FileId) -> &mut OpenFile {
        let open = self.open.get_mut(&(shard, file));
        let open = open.unwrap_or_else(|| panic!("{shard:?}: {file:?} is not open"));
        assert!(
            open.ino.is_some(),
            "{shard:?}: {file:?} is used before its open was answered"
        );
        open
    }

    fn delay(&mut self, kind: Kind) -> Duration {
        let bound = match kind {
            _ if self.rng.one_in(self.speed.slow_one_in) => self.speed.slow_us,
            Kind::Flush | Kind::SyncDirectory => self.speed.flush_us,
            _ => self.speed.usual_us,
        };
        Duration::from_nanos(1_000 + self.rng.below(1_000 * bound.max(1)))
    }

    /// The kernel took some blocks of a write only; the kernel half asks for the rest at once.
    fn write_short(&mut self, shard: ShardId, op: &DiskOp) {
        let DiskOp::Write {
            file,
            position,
            bytes,
        } = op
        else {
            return;
        };
        if self.full || !(self.speed.short_one_in).is_some_and(|n| self.rng.one_in(n)) {
            return;
        }
        let taken = self.rng.below((bytes.len() / BLOCK) as u64) as usize * BLOCK;
        let ino = self.ino(shard, *file);
        let inode = self.files.get_mut(&ino).expect("open files exist");
        self.seq += 1;
        inode.write(self.seq, *position, &bytes[..taken], || true);
        self.counters.short += 1;
    }

    /// The operation takes effect, and this is its answer.
    pub fn complete(&mut self, id: OpId) -> (ShardId, DiskDone) {
        let flight = self.flying.remove(&id).expect("an operation under way");
        let (shard, token) = (flight.shard, flight.token);
        let path = self.path_of(shard, &flight.op).to_owned();
        let file = file_of(&flight.op).map(|file| (shard, file));
        let mut fault = self.fault(Kind::of(&flight.op), &path);
        let mut flight = flight;
        if let Some(FaultKind::Misdirected { blocks }) = fault {
            if let DiskOp::Write { position, .. } = &mut flight.op {
                *position += blocks * BLOCK as u64;
            }
            fault = None;
        }
        if fault.is_none() && self.lacks_space(&flight) {
            self.counters.full += 1;
            fault = Some(FaultKind::Error(DiskError::NO_SPACE));
        }
        let result = match fault {
            Some(FaultKind::Error(error)) => {
                self.fail(&flight);
                Err(error)
            }
            Some(FaultKind::Misdirected { .. }) | None => self.effect(flight),
        };
        if let Some(open) = file.and_then(|file| self.open.get_mut(&file)) {
            open.in_flight = open.in_flight.saturating_sub(1);
        }
        (shard, DiskDone { token, result })
    }

    fn fault(&mut self, kind: Kind, path: &str) -> Option<FaultKind> {
        let met = self
            .faults
            .iter_mut()
            .filter(|f| f.kind == kind && path.contains(&f.path_part));
        let mut due = None;
        for fault in met {
            match fault.skip.checked_sub(1) {
                Some(less) => fault.skip = less,
                None => due = Some(fault.what),
            }
        }
        if let Some(what) = due {
            let gone = |f: &Fault| f.kind == kind && f.skip == 0 && path.contains(&f.path_part);
            let at = self.faults.iter().position(|f| gone(f) && f.what == what);
            self.faults.remove(at.expect("it was found above"));
            self.counters.faults += 1;
            match what {
                FaultKind::Error(_) => self.counters.failed[kind as usize] += 1,
                FaultKind::Misdirected { .. } => self.counters.misdirected += 1,
            }
            let path = path.to_owned();
            self.met.push(Met { kind, path, what });
        }
        due
    }

    /// Whether the operation needs space where there is none.
    fn lacks_space(&self, flight: &Flight) -> bool {
        let shard = flight.shard;
        // A file has all of its last block.
        let has = |file: FileId| {
            let size = self.files[&self.ino(shard, file)].size();
            size.next_multiple_of(BLOCK as u64)
        };
        self.full
            && match &flight.op {
                DiskOp::Open { path, create, .. } => *create && self.names.file(path).is_err(),
                DiskOp::MakeDirectory { path } => !self.names.has_directory(path),
                DiskOp::Allocate {
                    file,
                    position,
                    length,
                } => position + length > has(*file),
                DiskOp::Write {
                    file,
                    position,
                    bytes,
                } => position + bytes.len() as u64 > has(*file),
                _ => false,
            }
    }

    /// What an operation that fails does all the same.
    fn fail(&mut self, flight: &Flight) {
        self.seq += 1;
        let (seq, shard) = (self.seq, flight.shard);
        match &flight.op {
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                let ino = self.ino(shard, *file);
                let inode = self.files.get_mut(&ino).expect("open files exist");
                inode.write(seq, *position, bytes, || self.rng.one_in(2));
            }
            DiskOp::Flush { file } => {
                let ino = self.ino(shard, *file);
                let inode = self.files.get_mut(&ino).expect("open files exist");
                match self.open[&(shard, *file)].direct {
                    true => inode.flush_failed_direct(flight.covered, || self.rng.one_in(2)),
                    false => inode.flush_failed(flight.covered),
                }
            }
            DiskOp::Open { file, .. } => drop(self.open.remove(&(shard, *file))),
            _ => {}
        }
    }

    fn ino(&self, shard: ShardId, file: FileId) -> Ino {
        let open = &self.open[&(shard, file)];
        open.ino.expect("checked when it was submitted")
    }

    fn effect(&mut self, flight: Flight) -> Result<DiskOutcome, DiskError> {
        self.seq += 1;
        let (seq, shard) = (self.seq, flight.shard);
        match flight.op {
            DiskOp::Open {
                file, path, create, ..
            } => {
                let found = match self.names.file(&path) {
                    Err(DiskError::NOT_FOUND) if create => {
                        let ino = self.next_ino;
                        self.names.create(seq, &path, ino).map(|()| {
                            self.next_ino += 1;
                            self.files.insert(ino, File::default());
                            ino
                        })
                    }
                    found => found,
                };
                let key = (shard, file);
                match found {
                    Ok(ino) => {
                        self.open.get_mut(&key).expect("reserved").ino = Some(ino);
                    }
                    Err(error) => {
                        self.open.remove(&key);
                        return Err(error);
                    }
                }
            }
            DiskOp::Close { file } => drop(self.open.remove(&(shard, file))),
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                self.counters.writes += 1;
                self.counters.write_bytes += bytes.len() as u64;
                let ino = self.ino(shard, file);
                let inode = self.files.get_mut(&ino).expect("open files exist");
                inode.write(seq, position, &bytes, || true);
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                into.clear();
                let mut want = into.capacity();
                if self.open[&(shard, file)].direct {
                    want -= want % BLOCK;
                }
                let ino = self.ino(shard, file);
                self.let_through(ino, position, want as u64);
                let bytes = self.files[&ino].read(position, want);
                self.counters.reads += 1;
                self.counters.read_bytes += bytes.len() as u64;
                into.extend_from_slice(&bytes);
                return Ok(DiskOutcome::Read(into));
            }
            DiskOp::Flush { file } => {
                self.counters.flushes += 1;
                let ino = self.ino(shard, file);
                let inode = self.files.get_mut(&ino).expect("open files exist");
                inode.flush(flight.covered);
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => {
                let ino = self.ino(shard, file);
                let inode = self.files.get_mut(&ino).expect("open files exist");
                inode.grow(seq, position + length);
            }
            DiskOp::Truncate { file, length } => {
                let ino = self.ino(shard, file);
                let inode = self.files.get_mut(&ino).expect("open files exist");
                inode.truncate(seq, length);
            }
            DiskOp::SyncDirectory { path } => self.names.sync(flight.covered, &path)?,
            DiskOp::MakeDirectory { path } => self.names.make_directory(seq, &path)?,
            DiskOp::Unlink { path } => self.names.unlink(seq, &path)?,
            DiskOp::RemoveDirectory { path } => self.names.remove_directory(seq, &path)?,
            DiskOp::Rename { from, to } => self.names.rename(seq, &from, &to)?,
            DiskOp::List { path } => {
                let files = &self.files;
                let listing = self.names.list(&path, |ino| files[&ino].size())?;
                return Ok(DiskOutcome::Listing(listing));
            }
            DiskOp::Measure => {
                return Ok(DiskOutcome::Measured(Space {
                    total_bytes: 1 << 40,
                    usable_bytes: if self.full { 0 } else { 1 << 39 },
                }));
            }
        }
        Ok(DiskOutcome::Done)
    }

    /// A read beside a write under way may see any of its blocks: those happen now.
    fn let_through(&mut self, ino: Ino, position: u64, length: u64) {
        let end = position.saturating_add(length);
        for flight in self.flying.values() {
            let DiskOp::Write {
                file,
                position: at,
                bytes,
            } = &flight.op
            else {
                continue;
            };
            let same = self.open[&(flight.shard, *file)].ino == Some(ino);
            if !same || *at >= end || at + bytes.len() as u64 <= position {
                continue;
            }
            let inode = self.files.get_mut(&ino).expect("open files exist");
            // The size grows with the completion.
            inode.write_blocks(self.seq, *at, bytes, || self.rng.one_in(2));
        }
    }

    /// The process dies. Operations under way happen or not, writes block by block. Everything stays readable;
    /// nothing becomes durable.
    pub fn kill(&mut self) {
        for (_, flight) in std::mem::take(&mut self.flying) {
            match flight.op {
                DiskOp::Write {
                    file,
                    position,
                    bytes,
                } => {
                    self.seq += 1;
                    let ino = self.ino(flight.shard, file);
                    let inode = self.files.get_mut(&ino).expect("open files exist");
                    // All, none, or any.
                    let odds = [1, 2, 1_000_000][self.rng.below(3) as usize];
                    inode.write(self.seq, position, &bytes, || self.rng.one_in(odds));
                }
                DiskOp::Flush { .. }
                | DiskOp::Read { .. }
                | DiskOp::List { .. }
                | DiskOp::Measure
                | DiskOp::Close { .. }
                | DiskOp::SyncDirectory { .. } => {}
                op @ (DiskOp::Open { .. }
                | DiskOp::Allocate { .. }
                | DiskOp::Truncate { .. }
                | DiskOp::MakeDirectory { .. }
                | DiskOp::Unlink { .. }
                | DiskOp::RemoveDirectory { .. }
                | DiskOp::Rename { .. }) => {
                    if self.rng.one_in(2) {
                        // Nobody is left to be told of its failure.
                        let _ = self.effect(Flight { op, ..flight });
                    }
                }
            }
        }
        self.open.clear();
        self.forget_unreachable();
    }

    /// Power is gone: what was under way as in [`FakeDisk::kill`], and everything volatile is kept, lost or torn.
    pub fn power_cut(&mut self) {
        self.kill();
        let fates = &mut self.counters.fates;
        self.names.power_cut(&mut self.rng, fates);
        for file in self.files.values_mut() {
            file.power_cut(&mut self.rng, self.tears_bytes, fates);
        }
        self.forget_unreachable();
    }

    fn forget_unreachable(&mut self) {
        let reachable = self.names.inodes();
        self.files.retain(|ino, _| reachable.contains(ino));
    }

    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Faults that nothing met are taken back, and there is space again.
    pub fn heal(&mut self) {
        self.faults.clear();
        self.full = false;
    }

    /// No operation takes longer than a busy device's from now on: it does not hang.
    pub fn calm(&mut self) {
        self.speed.slow_us = self.speed.slow_us.min(Speed::BUSY_US);
    }

    /// From now on a power cut may tear at any byte.
    pub fn tear_bytes(&mut self) {
        self.tears_bytes = true;
    }

    /// Faults that were met since the last call.
    pub fn take_met(&mut self) -> Vec<Met> {
        std::mem::take(&mut self.met)
    }

    /// From now on nothing can grow, or it can again.
    pub fn set_full(&mut self, full: bool) {
        self.counters.spells += u64::from(full && !self.full);
        self.full = full;
    }

    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Changes a file behind everybody's back, its length too: durable at once.
    pub fn edit(&mut self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let ino = self.names.file(path).expect("a file that is there");
        let file = self.files.get_mut(&ino).expect("a name leads to it");
        let mut bytes = file.read(0, file.size() as usize);
        edit(&mut bytes);
        file.replace(&bytes);
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &str) -> bool {
        self.names.file(path).is_ok()
    }

    /// Removes a file behind everybody's back.
    pub fn remove(&mut self, path: &str) {
        self.seq += 1;
        self.names.unlink(self.seq, path).expect("a file");
        self.forget_unreachable();
    }

    /// Everything that is stored, to begin other disks with. Nobody uses this one now.
    pub fn contents(&self) -> Contents {
        assert!(self.flying.is_empty(), "operations are under way");
        Contents {
            names: self.names.clone(),
            files: self.files.clone(),
            next_ino: self.next_ino,
            seq: self.seq,
        }
    }

    /// Takes over what another disk held.
    pub fn begin_with(&mut self, contents: &Contents) {
        let Contents {
            names,
            files,
            next_ino,
            seq,
        } = contents.clone();
        (self.names, self.files) = (names, files);
        (self.next_ino, self.seq) = (next_ino, seq);
    }

    /// Every file with what it holds now, in order of paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, Vec<u8>)> {
        self.names.files().map(|(path, ino)| {
            let file = &self.files[&ino];
            (path, file.read(0, file.size() as usize))
        })
    }

    /// Blocks that a power cut now may take back.
    pub fn volatile_blocks(&self) -> usize {
        self.files.values().map(File::volatile_blocks).sum()
    }
}
