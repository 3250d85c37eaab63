//! Planted bugs, outside product code: a machine whose disk lies to it, or that finds what a start with a bug would have
//! made of its journal. Each must be found by the checkers, or they are not to be trusted.
//!
//! ```text
//!  machine ── flush, write ──► [lie] ──► disk          answered at once, asked of nobody (or later, or elsewhere)
//!  crash ──► [tamper] the journal on disk ──► start    what only the missing check would refuse now passes all others
//!  shard ── call, answer ──► [mesh] ──► shard          answered at once, or not what was said
//! ```

mod checkpoints;
mod journal;
mod lying;
mod mesh;
mod records;
mod snapshots;

use corelane_engine::rng::Rng;

use super::check::{ABOUT_DATA, STARTS, commits, epochs, exits, fenced, generations, owners};
use super::check::{once, progress, readable, refused, starts};
use super::disk::FakeDisk;
pub use journal::Decoy;
pub use lying::Lying;

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
    /// A start takes a torn group at the journal's end for a whole one.
    TornGroupAccepted,
    /// The journal is trimmed before what it holds is elsewhere: a start begins behind it.
    JournalTrimmedEarly,
    /// A checkpoint is written before the segments it speaks of are durable.
    CheckpointAhead,
    /// A start forgets which batches producers had appended.
    ProducersForgotten,
    /// An index names a place past the end of its log.
    IndexPastLog,
    /// A start after a crash takes the leader epochs from before it.
    EpochNotRaised,
    /// What was read of a segment is served whatever its CRC says.
    CrcNotChecked,
    /// A write or a flush that failed is taken for done.
    FailureIgnored,
    /// A write that found no space is taken for done.
    NoSpaceIgnored,
}

impl Canary {
    pub const ALL: [Canary; 27] = [
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
        Canary::TornGroupAccepted,
        Canary::JournalTrimmedEarly,
        Canary::CheckpointAhead,
        Canary::ProducersForgotten,
        Canary::IndexPastLog,
        Canary::EpochNotRaised,
        Canary::CrcNotChecked,
        Canary::FailureIgnored,
        Canary::NoSpaceIgnored,
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
            Canary::TornGroupAccepted => "torn-group-accepted",
            Canary::JournalTrimmedEarly => "journal-trimmed-early",
            Canary::CheckpointAhead => "checkpoint-ahead",
            Canary::ProducersForgotten => "producers-forgotten",
            Canary::IndexPastLog => "index-past-log",
            Canary::EpochNotRaised => "epoch-not-raised",
            Canary::CrcNotChecked => "crc-not-checked",
            Canary::FailureIgnored => "failure-ignored",
            Canary::NoSpaceIgnored => "no-space-ignored",
        }
    }

    /// The promises that it breaks, where they are not those about records.
    fn own_promises(self) -> &'static [&'static str] {
        match self {
            Canary::CommitAnsweredEarly | Canary::SnapshotReachesFurther => &[commits::PROMISE],
            Canary::GenerationNotRaised => &[generations::PROMISE],
            Canary::OldGenerationHeard => &[fenced::PROMISE],
            Canary::AssignmentsMixedUp => &[owners::PROMISE],
            Canary::LogStartNotFlushed | Canary::TrimmedTooFar => &[starts::PROMISE],
            Canary::ProducersForgotten => &[once::PROMISE, refused::PROMISE],
            // What is behind it cannot be found: a reader waits for it, or is told so.
            Canary::IndexPastLog => &[readable::PROMISE, progress::PROMISE],
            Canary::EpochNotRaised => &[epochs::PROMISE],
            Canary::FailureIgnored => &[exits::PROMISE],
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
            | Canary::SegmentMisdirected
            | Canary::TornGroupAccepted
            | Canary::JournalTrimmedEarly
            | Canary::CheckpointAhead
            | Canary::CrcNotChecked
            | Canary::NoSpaceIgnored => &[],
        }
    }

    /// It harms groups: a seed that looks for it has some.
    pub fn needs_groups(self) -> bool {
        let of_groups = [
            commits::PROMISE,
            generations::PROMISE,
            fenced::PROMISE,
            owners::PROMISE,
        ];
        let mut own = self.own_promises().iter();
        own.any(|own| of_groups.contains(own))
    }

    /// It harms logs that begin later as time goes by: a seed that looks for it has some.
    pub fn needs_trims(self) -> bool {
        self.own_promises().contains(&starts::PROMISE)
    }

    /// Whether a broken promise proves that the bug was noticed for what it is. A start that is refused does not say so.
    pub fn is_shown_by(self, promise: &str) -> bool {
        match self.own_promises() {
            // The journal's own checks turn this one into a refused start: no record is ever wrong.
            [] if self == Canary::WrittenBackUnflushed && promise == STARTS => true,
            [] => ABOUT_DATA.contains(&promise),
            own => own.contains(&promise),
        }
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
        Canary::TornGroupAccepted => journal::accept_torn(disk),
        Canary::JournalTrimmedEarly => checkpoints::trim_journals(disk),
        Canary::ProducersForgotten => checkpoints::forget_producers(disk),
        Canary::IndexPastLog => checkpoints::index_past_logs(disk),
        Canary::EpochNotRaised => records::call_clean(disk),
        Canary::CrcNotChecked => records::rot_unnoticed(disk),
        Canary::SnapshotReachesFurther => snapshots::reach_further(disk),
        Canary::GenerationNotRaised => snapshots::hand_out_again(disk),
        _ => {}
    }
}

/// Before a start: a group at the journal's end that only one check refuses. No bug is planted, nothing may come of it.
pub fn plant_decoys(disk: &mut FakeDisk, rng: &mut Rng) -> Vec<Decoy> {
    journal::plant_decoys(disk, rng)
}

/// Before the start after that: what is left of them goes.
pub fn remove_decoys(disk: &mut FakeDisk, decoys: Vec<Decoy>) {
    journal::remove_decoys(disk, decoys);
}
