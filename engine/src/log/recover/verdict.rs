//! What a start does with one batch that the journal names: a table, and nothing else.
//!
//! ```text
//!  the journal says          the checkpoint says    the segment     what is done
//!  ─────────────────────────┬──────────────────────┬───────────────┬────────────────────────────────────────────────
//!  Cut, Ended               │ –                    │ –             │ Skip
//!  Bytes, Flushed, Pointer  │ Known                │ Holds         │ Skip: nothing is missing
//!  Bytes, Flushed, Pointer  │ Known                │ Lacks, Unread │ Keep: memory only, so that write-back goes on
//!  Bytes, Flushed           │ End                  │ –             │ Apply
//!  Pointer                  │ End                  │ Unread        │ Read it, and decide again
//!  Pointer                  │ End                  │ Holds         │ Apply
//!  Pointer                  │ End                  │ Lacks         │ Cut: the partition ends here
//!  Bytes, Flushed, Pointer  │ Other, Past          │ –             │ Damaged: no crash leaves that behind
//! ```
//!
//! Batches of topics that are gone are not looked at. *Known* goes before what a pointer says of itself: a checkpoint
//! is written only when every group that its state names is flushed, straight bytes and all. So a known pointer is not
//! read, and never cut, though no later group says that it was flushed: what rots of it is told to its readers, as of
//! any other batch.

/// What the journal says of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Journaled {
    /// A later *cut* lies at or below it.
    Cut,
    /// A pointer of this partition has failed before it.
    Ended,
    /// All of it is in the group.
    Bytes,
    /// Its whole blocks are in the segment, flushed: a later group says so, or the log start is past it and its file may
    /// be gone.
    Flushed,
    /// Its whole blocks may be in the segment.
    Pointer,
}

/// Where the batch stands against the log as the checkpoint, and what was replayed since, tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Below its end.
    Known,
    /// It goes on just there, in position and offset.
    End,
    /// It goes on just there by its position, but has another offset.
    Other,
    /// It leaves something out, or covers the end.
    Past,
}

/// What is known of the segment's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OnDisk {
    /// Nobody has looked.
    Unread,
    /// The bytes are there: below what the checkpoint says was written back, or read and compared.
    Holds,
    Lacks,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Skip,
    Keep,
    Apply,
    Read,
    Cut,
    Damaged,
}

pub(super) fn decide(journal: Journaled, standing: Standing, disk: OnDisk) -> Action {
    match (journal, standing, disk) {
        (Journaled::Cut | Journaled::Ended, _, _) => Action::Skip,
        (
            Journaled::Bytes | Journaled::Flushed | Journaled::Pointer,
            Standing::Other | Standing::Past,
            _,
        ) => Action::Damaged,
        (
            Journaled::Bytes | Journaled::Flushed | Journaled::Pointer,
            Standing::Known,
            OnDisk::Holds,
        ) => Action::Skip,
        (
            Journaled::Bytes | Journaled::Flushed | Journaled::Pointer,
            Standing::Known,
            OnDisk::Lacks | OnDisk::Unread,
        ) => Action::Keep,
        (Journaled::Bytes | Journaled::Flushed, Standing::End, _) => Action::Apply,
        (Journaled::Pointer, Standing::End, OnDisk::Unread) => Action::Read,
        (Journaled::Pointer, Standing::End, OnDisk::Holds) => Action::Apply,
        (Journaled::Pointer, Standing::End, OnDisk::Lacks) => Action::Cut,
    }
}

#[cfg(test)]
mod tests {
    use super::Action::{Apply, Damaged, Keep, Read, Skip};
    use super::OnDisk::{Holds, Lacks, Unread};
    use super::Standing::{End, Known, Other, Past};
    use super::*;

    /// One row for each word of the journal; the columns are those of [`COLUMNS`].
    const ROWS: [(Journaled, [Action; 12]); 5] = [
        (Journaled::Cut, [Skip; 12]),
        (Journaled::Ended, [Skip; 12]),
        (Journaled::Bytes, row([Apply, Apply, Apply])),
        (Journaled::Flushed, row([Apply, Apply, Apply])),
        (Journaled::Pointer, row([Read, Apply, Action::Cut])),
    ];

    const COLUMNS: [(Standing, OnDisk); 12] = [
        (Known, Unread),
        (Known, Holds),
        (Known, Lacks),
        (End, Unread),
        (End, Holds),
        (End, Lacks),
        (Other, Unread),
        (Other, Holds),
        (Other, Lacks),
        (Past, Unread),
        (Past, Holds),
        (Past, Lacks),
    ];

    const fn row(end: [Action; 3]) -> [Action; 12] {
        let [a, b, c] = end;
        let d = Damaged;
        [Keep, Skip, Keep, a, b, c, d, d, d, d, d, d]
    }

    #[test]
    fn every_cell_is_what_the_table_says() {
        for (journal, actions) in ROWS {
            for ((standing, disk), action) in COLUMNS.into_iter().zip(actions) {
                let cell = format!("{journal:?} × {standing:?} × {disk:?}");
                assert_eq!(decide(journal, standing, disk), action, "{cell}");
            }
        }
    }

    /// A state that is added here without a row or a column of its own stops the build or this test.
    #[test]
    fn no_cell_is_left_out() {
        let journal = |j: Journaled| match j {
            Journaled::Cut => 0,
            Journaled::Ended => 1,
            Journaled::Bytes => 2,
            Journaled::Flushed => 3,
            Journaled::Pointer => 4,
        };
        let column = |standing: Standing, disk: OnDisk| {
            let from = match standing {
                Known => 0,
                End => 3,
                Other => 6,
                Past => 9,
            };
            from + match disk {
                Unread => 0,
                Holds => 1,
                Lacks => 2,
            }
        };
        assert!(ROWS.iter().map(|(j, _)| journal(*j)).eq(0..5));
        assert!(COLUMNS.iter().map(|(s, d)| column(*s, *d)).eq(0..12));
    }

    /// Nothing is ever cut that somebody says was flushed, and only a segment that was looked at is believed to lack it.
    #[test]
    fn only_an_unflushed_pointer_that_was_looked_at_is_cut() {
        for (journal, _) in ROWS {
            for (standing, disk) in COLUMNS {
                if decide(journal, standing, disk) == Action::Cut {
                    assert_eq!((journal, standing, disk), (Journaled::Pointer, End, Lacks));
                }
            }
        }
    }
}
