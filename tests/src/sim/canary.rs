//! Planted bugs, outside product code: a machine whose disk lies to it. Each must be found by the checkers, or they
//! are not to be trusted.
//!
//! ```text
//!  machine ── flush ──► [lie] ──► disk          answered at once, asked of nobody (or later)
//! ```

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::disk::{DiskDone, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId};
use corelane_engine::types::{Instant, Now};
use corelane_net::event::{Event, Machine, Outbox};

/// A bug to plant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Canary {
    /// No journal is ever flushed.
    FlushSkipped,
    /// Segments are not flushed: straight data is acknowledged before it is durable.
    StraightNotFlushed,
    /// A flush before the port opens does nothing: what a kill left readable is taken for durable.
    RecoveredNotFlushed,
    /// A flush of the journal is answered before it is done: write-back and acknowledgements run ahead of it.
    FlushAnsweredEarly,
    /// A journal write is answered before it is done.
    WriteAnsweredEarly,
    /// New names are not made durable.
    DirectoryNotSynced,
}

impl Canary {
    pub const ALL: [Canary; 6] = [
        Canary::FlushSkipped,
        Canary::StraightNotFlushed,
        Canary::RecoveredNotFlushed,
        Canary::FlushAnsweredEarly,
        Canary::WriteAnsweredEarly,
        Canary::DirectoryNotSynced,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Canary::FlushSkipped => "flush-skipped",
            Canary::StraightNotFlushed => "straight-not-flushed",
            Canary::RecoveredNotFlushed => "recovered-not-flushed",
            Canary::FlushAnsweredEarly => "flush-answered-early",
            Canary::WriteAnsweredEarly => "write-answered-early",
            Canary::DirectoryNotSynced => "directory-not-synced",
        }
    }

    pub fn of_name(name: &str) -> Option<Canary> {
        Canary::ALL.into_iter().find(|canary| canary.name() == name)
    }
}

/// What the lie does with a request.
enum Lie {
    Truth,
    /// Answered, not done.
    Skip,
    /// Answered, then done.
    Early,
}

fn is_journal(path: &str) -> bool {
    path.contains("journal")
}

fn is_segment(path: &str) -> bool {
    path.starts_with("topics/") && path.ends_with(".log")
}

/// A machine with a lying disk.
pub struct Lying<M> {
    inner: M,
    canary: Canary,
    paths: BTreeMap<FileId, String>,
    /// Answers that the machine is to get in its next pass.
    lies: Vec<DiskToken>,
    /// Operations whose true answer must not reach the machine.
    told: BTreeSet<DiskToken>,
    /// A close waits for operations that the machine believes done: by file, what is under way.
    under_way: BTreeMap<DiskToken, FileId>,
    closes: Vec<(FileId, DiskRequest)>,
    /// The port is open.
    open: bool,
}

impl<M: Machine> Lying<M> {
    pub fn new(inner: M, canary: Canary) -> Lying<M> {
        Lying {
            inner,
            canary,
            paths: BTreeMap::new(),
            lies: Vec::new(),
            told: BTreeSet::new(),
            under_way: BTreeMap::new(),
            closes: Vec::new(),
            open: false,
        }
    }

    fn path(&self, file: FileId) -> &str {
        self.paths.get(&file).map_or("", String::as_str)
    }

    fn judge(&self, op: &DiskOp) -> Lie {
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
            (Canary::FlushAnsweredEarly, DiskOp::Flush { file })
                if is_journal(self.path(*file)) =>
            {
                Lie::Early
            }
            (Canary::WriteAnsweredEarly, DiskOp::Write { file, .. })
                if self.open && is_journal(self.path(*file)) =>
            {
                Lie::Early
            }
            (Canary::DirectoryNotSynced, DiskOp::SyncDirectory { .. }) => Lie::Skip,
            _ => Lie::Truth,
        }
    }

    fn lie(&mut self, out: &mut Outbox) {
        self.open |= (out.sockets.iter())
            .any(|op| !matches!(op, corelane_net::event::SocketOp::Close { .. }));
        for request in std::mem::take(&mut out.disk) {
            if let DiskOp::Open { file, path, .. } = &request.op {
                self.paths.insert(*file, path.clone());
            }
            if let DiskOp::Close { file } = request.op
                && self.under_way.values().any(|f| *f == file)
            {
                self.closes.push((file, request));
                continue;
            }
            match self.judge(&request.op) {
                Lie::Truth => out.disk.push(request),
                Lie::Skip => self.lies.push(request.token),
                Lie::Early => {
                    if let DiskOp::Flush { file } | DiskOp::Write { file, .. } = request.op {
                        self.under_way.insert(request.token, file);
                    }
                    self.lies.push(request.token);
                    self.told.insert(request.token);
                    out.disk.push(request);
                }
            }
        }
    }
}

impl<M: Machine> Machine for Lying<M> {
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox) {
        if let Event::Disk(done) = &event
            && self.told.remove(&done.token)
        {
            if let Some(file) = self.under_way.remove(&done.token)
                && !self.under_way.values().any(|f| *f == file)
            {
                let due = self.closes.extract_if(.., |(f, _)| *f == file);
                out.disk.extend(due.map(|(_, request)| request));
            }
            return;
        }
        // What was pushed so far in this pass was judged already.
        let judged = std::mem::take(&mut out.disk);
        self.inner.on(now, event, out);
        self.lie(out);
        out.disk.splice(0..0, judged);
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        let judged = std::mem::take(&mut out.disk);
        for token in std::mem::take(&mut self.lies) {
            let result = Ok(DiskOutcome::Done);
            let done = Event::Disk(DiskDone { token, result });
            self.inner.on(now, done, out);
        }
        self.inner.settle(now, out);
        self.lie(out);
        out.disk.splice(0..0, judged);
    }

    fn deadline(&self) -> Option<Instant> {
        match self.lies.is_empty() {
            true => self.inner.deadline(),
            false => Some(Instant(0)),
        }
    }
}
