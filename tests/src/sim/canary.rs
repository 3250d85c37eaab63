//! Planted bugs, outside product code: a machine whose disk lies to it, or that finds what a start with a bug would have
//! made of its journal. Each must be found by the checkers, or they are not to be trusted.
//!
//! ```text
//!  machine ── flush, write ──► [lie] ──► disk          answered at once, asked of nobody (or later, or elsewhere)
//!  crash ──► [tamper] the journal on disk ──► start    what only the missing check would refuse now passes all others
//!  shard ── call, answer ──► [mesh] ──► shard          answered at once, or not what was said
//! ```

mod journal;
mod mesh;
mod snapshots;

use std::collections::BTreeMap;

use corelane_engine::disk::{DiskDone, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId};
use corelane_engine::limits::BLOCK;
use corelane_engine::log::group::Entry;
use corelane_engine::rng::Rng;
use corelane_engine::types::{Instant, Now};
use corelane_net::event::{Event, Machine, Outbox, SocketOp};

use super::check::{ABOUT_DATA, STARTS, commits, fenced, generations, owners, starts};
use super::disk::FakeDisk;
use mesh::Mesh;

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
    /// A flush of the journal is answered before it is done, and only write-back runs ahead of it: nothing leaves the
    /// shard until it is done.
    WrittenBackUnflushed,
    /// A start takes what an earlier lap or start left behind the journal's end for its continuation.
    StaleGroupAccepted,
    /// A start takes the pointer that fails its check for the end of the journal, not of its partition.
    PointerEndsJournal,
    /// A write to the journal lands a block further on, now and then.
    JournalMisdirected,
    /// A write to a segment lands a block further on, now and then.
    SegmentMisdirected,
    /// A commit of offsets is answered before it is durable.
    CommitAnsweredEarly,
    /// A start takes a snapshot of groups for one that reaches further than it does.
    SnapshotReachesFurther,
    /// A start hands out a generation again that was handed out and not recorded.
    GenerationNotRaised,
    /// A commit under an old generation is refused, and answered as if it had not been.
    OldGenerationHeard,
    /// All members get the leader's first assignment.
    AssignmentsMixedUp,
    /// A log start is taken for durable before it is.
    LogStartNotFlushed,
    /// More is deleted than was asked for.
    TrimmedTooFar,
}

impl Canary {
    pub const ALL: [Canary; 18] = [
        Canary::FlushSkipped,
        Canary::StraightNotFlushed,
        Canary::RecoveredNotFlushed,
        Canary::FlushAnsweredEarly,
        Canary::WriteAnsweredEarly,
        Canary::DirectoryNotSynced,
        Canary::WrittenBackUnflushed,
        Canary::StaleGroupAccepted,
        Canary::PointerEndsJournal,
        Canary::JournalMisdirected,
        Canary::SegmentMisdirected,
        Canary::CommitAnsweredEarly,
        Canary::SnapshotReachesFurther,
        Canary::GenerationNotRaised,
        Canary::OldGenerationHeard,
        Canary::AssignmentsMixedUp,
        Canary::LogStartNotFlushed,
        Canary::TrimmedTooFar,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Canary::FlushSkipped => "flush-skipped",
            Canary::StraightNotFlushed => "straight-not-flushed",
            Canary::RecoveredNotFlushed => "recovered-not-flushed",
            Canary::FlushAnsweredEarly => "flush-answered-early",
            Canary::WriteAnsweredEarly => "write-answered-early",
            Canary::DirectoryNotSynced => "directory-not-synced",
            Canary::WrittenBackUnflushed => "written-back-unflushed",
            Canary::StaleGroupAccepted => "stale-group-accepted",
            Canary::PointerEndsJournal => "pointer-ends-journal",
            Canary::JournalMisdirected => "journal-misdirected",
            Canary::SegmentMisdirected => "segment-misdirected",
            Canary::CommitAnsweredEarly => "commit-answered-early",
            Canary::SnapshotReachesFurther => "snapshot-reaches-further",
            Canary::GenerationNotRaised => "generation-not-raised",
            Canary::OldGenerationHeard => "old-generation-heard",
            Canary::AssignmentsMixedUp => "assignments-mixed-up",
            Canary::LogStartNotFlushed => "log-start-not-flushed",
            Canary::TrimmedTooFar => "trimmed-too-far",
        }
    }

    /// Of groups and trims: the one promise that it breaks.
    fn own_promise(self) -> Option<&'static str> {
        match self {
            Canary::CommitAnsweredEarly | Canary::SnapshotReachesFurther => Some(commits::PROMISE),
            Canary::GenerationNotRaised => Some(generations::PROMISE),
            Canary::OldGenerationHeard => Some(fenced::PROMISE),
            Canary::AssignmentsMixedUp => Some(owners::PROMISE),
            Canary::LogStartNotFlushed | Canary::TrimmedTooFar => Some(starts::PROMISE),
            Canary::FlushSkipped
            | Canary::StraightNotFlushed
            | Canary::RecoveredNotFlushed
            | Canary::FlushAnsweredEarly
            | Canary::WriteAnsweredEarly
            | Canary::DirectoryNotSynced
            | Canary::WrittenBackUnflushed
            | Canary::StaleGroupAccepted
            | Canary::PointerEndsJournal
            | Canary::JournalMisdirected
            | Canary::SegmentMisdirected => None,
        }
    }

    /// It harms groups: a seed that looks for it has some.
    pub fn needs_groups(self) -> bool {
        self.own_promise().is_some() && !self.needs_trims()
    }

    /// It harms logs that begin later as time goes by: a seed that looks for it has some.
    pub fn needs_trims(self) -> bool {
        self.own_promise() == Some(starts::PROMISE)
    }

    /// Whether a broken promise proves that the bug was noticed for what it is. All others but one are about records, and a
    /// start that is refused does not say so.
    pub fn is_shown_by(self, promise: &str) -> bool {
        if let Some(own) = self.own_promise() {
            return promise == own;
        }
        // The journal's own checks turn this one into a refused start: no record is ever wrong.
        let refused = self == Canary::WrittenBackUnflushed && promise == STARTS;
        refused || ABOUT_DATA.contains(&promise)
    }

    pub fn of_name(name: &str) -> Option<Canary> {
        Canary::ALL.into_iter().find(|canary| canary.name() == name)
    }
}

/// Before a start: makes of journals and snapshots on disk what the planted bug would take them for.
pub fn tamper(canary: Canary, disk: &mut FakeDisk) {
    match canary {
        Canary::StaleGroupAccepted => journal::accept_stale(disk),
        Canary::PointerEndsJournal => journal::end_at_bad_pointer(disk),
        Canary::SnapshotReachesFurther => snapshots::reach_further(disk),
        Canary::GenerationNotRaised => snapshots::hand_out_again(disk),
        _ => {}
    }
}

/// Before a start: a group at the journal's end that only one check refuses. No bug is planted, nothing may come of it.
pub fn plant_decoys(disk: &mut FakeDisk, rng: &mut Rng) {
    journal::plant_decoys(disk, rng);
}

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
