//! A machine whose disk lies to it, and whose messages to other shards are not what it says: where most bugs are planted.
//!
//! ```text
//!  machine ── flush, write ──► [lie] ──► disk          answered at once, asked of nobody (or later, or elsewhere)
//!          ◄── failed ── [done] ◄──                    or what failed is said to be done
//! ```

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::disk::{
    DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId,
};
use corelane_engine::limits::BLOCK;
use corelane_engine::log::group::Entry;
use corelane_engine::types::{Instant, Now};
use corelane_net::event::{Event, Machine, Outbox, SocketOp};

use super::mesh::Mesh;
use super::{Canary, journal};

/// One in so many writes is misdirected.
const MISDIRECT_ONE_IN: u64 = 40;

/// What the lie does with a request.
enum Lie {
    Truth,
    /// Done a block further on.
    Elsewhere,
    /// Answered, not done.
    Skip,
    /// Answered, then done.
    Early,
}

fn is_journal(path: &str) -> bool {
    path.contains("journal")
}

pub(super) fn is_segment(path: &str) -> bool {
    path.starts_with("topics/") && path.ends_with(".log")
}

/// A machine with a lying disk.
pub struct Lying<M> {
    inner: M,
    canary: Canary,
    paths: BTreeMap<FileId, String>,
    /// Answers that the machine is to get in its next pass.
    lies: Vec<DiskToken>,
    /// Operations under way whose true answer must not reach the machine, and their files: a close waits for them. A token
    /// may be there twice, as the machine believes the first one done.
    told: Vec<(DiskToken, FileId)>,
    closes: Vec<(FileId, DiskRequest)>,
    /// The port is open.
    open: bool,
    /// Writes that may be misdirected, so far.
    writes: u64,
    /// What waits until the flushes that were lied about are done, in order.
    held: Outbox,
    /// What was written to the journal since its last flush: log starts, and anything else.
    unflushed: (bool, bool),
    /// Writes and flushes under way whose failures the machine is not to hear of.
    deaf: BTreeSet<DiskToken>,
    mesh: Mesh,
}

impl<M: Machine> Lying<M> {
    pub fn new(inner: M, canary: Canary) -> Lying<M> {
        Lying {
            inner,
            canary,
            paths: BTreeMap::new(),
            lies: Vec::new(),
            told: Vec::new(),
            closes: Vec::new(),
            open: false,
            writes: 0,
            held: Outbox::default(),
            unflushed: (false, false),
            deaf: BTreeSet::new(),
            mesh: Mesh::new(canary),
        }
    }

    fn path(&self, file: FileId) -> &str {
        self.paths.get(&file).map_or("", String::as_str)
    }

    fn judge(&mut self, op: &DiskOp) -> Lie {
        match (self.canary, op) {
            (Canary::FlushSkipped, DiskOp::Flush { file }) if is_journal(self.path(*file)) => {
                Lie::Skip
            }
            (Canary::StraightNotFlushed, DiskOp::Flush { file })
                if is_segment(self.path(*file)) =>
            {
                Lie::Skip
            }
            (Canary::RecoveredNotFlushed, DiskOp::Flush { file })
                if !self.open && (is_journal(self.path(*file)) || is_segment(self.path(*file))) =>
            {
                Lie::Skip
            }
            (Canary::CheckpointAhead, DiskOp::Flush { file }) if is_segment(self.path(*file)) => {
                Lie::Early
            }
            (Canary::FlushAnsweredEarly | Canary::WrittenBackUnflushed, DiskOp::Flush { file })
                if is_journal(self.path(*file)) =>
            {
                Lie::Early
            }
            (Canary::WriteAnsweredEarly, DiskOp::Write { file, .. })
                if self.open && is_journal(self.path(*file)) =>
            {
                Lie::Early
            }
            (Canary::LogStartNotFlushed, DiskOp::Write { file, bytes, .. })
                if self.open && is_journal(self.path(*file)) =>
            {
                for entry in journal::entries(bytes) {
                    match entry {
                        Entry::LogStart { .. } => self.unflushed.0 = true,
                        Entry::Bytes { .. } | Entry::Pointer { .. } | Entry::Cut { .. } => {
                            self.unflushed.1 = true;
                        }
                    }
                }
                Lie::Truth
            }
            (Canary::LogStartNotFlushed, DiskOp::Flush { file })
                if self.open && is_journal(self.path(*file)) =>
            {
                match std::mem::take(&mut self.unflushed) {
                    (true, false) => Lie::Skip,
                    _ => Lie::Truth,
                }
            }
            (Canary::DirectoryNotSynced, DiskOp::SyncDirectory { .. }) => Lie::Skip,
            (Canary::JournalMisdirected, DiskOp::Write { file, .. })
                if self.open && is_journal(self.path(*file)) =>
            {
                self.misdirect()
            }
            (Canary::SegmentMisdirected, DiskOp::Write { file, .. })
                if self.open && is_segment(self.path(*file)) =>
            {
                self.misdirect()
            }
            _ => Lie::Truth,
        }
    }

    fn misdirect(&mut self) -> Lie {
        self.writes += 1;
        match self.writes.is_multiple_of(MISDIRECT_ONE_IN) {
            true => Lie::Elsewhere,
            false => Lie::Truth,
        }
    }

    /// Keeps back what others would hear while a flush is not what the machine takes it for.
    fn hold(&mut self, out: &mut Outbox) {
        if self.canary != Canary::WrittenBackUnflushed {
            return;
        }
        self.held.mesh.append(&mut out.mesh);
        for op in std::mem::take(&mut out.sockets) {
            match op {
                SocketOp::Send { .. } => self.held.sockets.push(op),
                SocketOp::Close { conn } => {
                    let other =
                        |op: &SocketOp| !matches!(op, SocketOp::Send { conn: c, .. } if *c == conn);
                    self.held.sockets.retain(other);
                    out.sockets.push(op);
                }
                SocketOp::Accept
                | SocketOp::Receive { .. }
                | SocketOp::ReceiveInto { .. }
                | SocketOp::Recall { .. } => out.sockets.push(op),
            }
        }
        // A shard that has stopped has no other pass.
        if self.told.is_empty() || out.stopped {
            out.mesh.append(&mut self.held.mesh);
            out.sockets.append(&mut self.held.sockets);
        }
    }

    fn lie(&mut self, out: &mut Outbox) {
        self.open |= (out.sockets.iter()).any(|op| !matches!(op, SocketOp::Close { .. }));
        for (to, message) in &mut out.mesh {
            self.mesh.leaves(*to, message);
        }
        for mut request in std::mem::take(&mut out.disk) {
            if let DiskOp::Open { file, path, .. } = &request.op {
                self.paths.insert(*file, path.clone());
            }
            if let DiskOp::Close { file } = request.op
                && self.told.iter().any(|(_, f)| *f == file)
            {
                self.closes.push((file, request));
                continue;
            }
            if let DiskOp::Write { .. } | DiskOp::Flush { .. } | DiskOp::Allocate { .. } =
                request.op
                && let Canary::FailureIgnored | Canary::NoSpaceIgnored = self.canary
            {
                self.deaf.insert(request.token);
            }
            match self.judge(&request.op) {
                Lie::Truth => out.disk.push(request),
                Lie::Elsewhere => {
                    if let DiskOp::Write { position, .. } = &mut request.op {
                        *position += BLOCK as u64;
                    }
                    out.disk.push(request);
                }
                Lie::Skip => self.lies.push(request.token),
                Lie::Early => {
                    if let DiskOp::Flush { file } | DiskOp::Write { file, .. } = request.op {
                        self.told.push((request.token, file));
                    }
                    self.lies.push(request.token);
                    out.disk.push(request);
                }
            }
        }
    }
}

impl<M: Machine> Machine for Lying<M> {
    fn on(&mut self, now: Now, mut event: Event, out: &mut Outbox) {
        if let Event::Disk(done) = &event
            && let Some(at) = self.told.iter().position(|(token, _)| *token == done.token)
        {
            let (_, file) = self.told.remove(at);
            if !self.told.iter().any(|(_, f)| *f == file) {
                let due = self.closes.extract_if(.., |(f, _)| *f == file);
                out.disk.extend(due.map(|(_, request)| request));
            }
            return;
        }
        if let Event::Disk(done) = &mut event
            && self.deaf.remove(&done.token)
            && let Err(error) = done.result
            && (error == DiskError::NO_SPACE) == (self.canary == Canary::NoSpaceIgnored)
        {
            done.result = Ok(DiskOutcome::Done);
        }
        if !self.mesh.comes(&mut event) {
            return;
        }
        // What was pushed so far in this pass was judged already.
        let (judged, said) = (std::mem::take(&mut out.disk), std::mem::take(&mut out.mesh));
        self.inner.on(now, event, out);
        self.lie(out);
        out.disk.splice(0..0, judged);
        out.mesh.splice(0..0, said);
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        let (judged, said) = (std::mem::take(&mut out.disk), std::mem::take(&mut out.mesh));
        for event in std::mem::take(&mut self.mesh.early) {
            self.inner.on(now, event, out);
        }
        for token in std::mem::take(&mut self.lies) {
            let result = Ok(DiskOutcome::Done);
            let done = Event::Disk(DiskDone { token, result });
            self.inner.on(now, done, out);
        }
        self.inner.settle(now, out);
        self.lie(out);
        out.disk.splice(0..0, judged);
        out.mesh.splice(0..0, said);
        self.hold(out);
    }

    fn deadline(&self) -> Option<Instant> {
        match self.lies.is_empty() && self.mesh.early.is_empty() {
            true => self.inner.deadline(),
            false => Some(Instant(0)),
        }
    }
}
