//! What a shard has done, as plain numbers: counted where it happens, copied out in bounded pieces.
//!
//! ```text
//!  append ─► appended[slot], total ─┐
//!  group closed ─► groups, bytes ───┴─► numbers: all of the shard's · appended_from(place): some partitions' at a time
//! ```

use super::Shard;
use super::space::Room;
use crate::types::TopicId;

/// Rows that one look copies at most: some microseconds of a pass.
pub const ROWS_A_PIECE: usize = 256;

/// How much of something went by.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Volume {
    pub bytes: u64,
    pub records: u64,
}

impl Volume {
    pub fn add(&mut self, bytes: u64, records: u64) {
        self.bytes += bytes;
        self.records += records;
    }
}

/// Rows of topics from some place on, and where the next piece begins; a topic may have several.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Piece {
    pub rows: Vec<(TopicId, Volume)>,
    pub next: Option<usize>,
}

impl Piece {
    /// The piece of `all` that begins at `from`.
    pub fn of(all: &[Option<(TopicId, Volume)>], from: usize) -> Piece {
        let rest = all.get(from..).unwrap_or_default();
        let (piece, rest) = rest.split_at(rest.len().min(ROWS_A_PIECE));
        Piece {
            rows: piece.iter().flatten().copied().collect(),
            next: (!rest.is_empty()).then(|| from + piece.len()),
        }
    }
}

/// What a shard's storage has done since its start, and what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ShardNumbers {
    pub appended: Volume,
    pub batches: u64,
    /// Of these, the ones that went to their segment at once.
    pub straight_batches: u64,
    /// Journal groups written, and their bytes.
    pub groups: u64,
    pub group_bytes: u64,
    pub partitions: usize,
    /// Appends that wait for room.
    pub stalled: usize,
    /// Memory of the arena: taken from the system, and the ceiling.
    pub arena_bytes: usize,
    pub arena_bytes_max: usize,
    /// Of journal groups and straight batches that memory still holds.
    pub live_bytes: usize,
    /// Of the journal's files: not written back yet, and all.
    pub journal_used: u64,
    pub journal_bytes: u64,
    /// Batches on disk known to be corrupt, and reads that were refused for one.
    pub corrupt_batches: usize,
    pub corrupt_reads: u64,
    /// What the scrub has read, and how often it has been through everything.
    pub scrubbed_bytes: u64,
    pub scrub_rounds: u64,
    /// What is known of the disk's room.
    pub room: Room,
}

/// Per shard.
#[derive(Default)]
pub(super) struct Tally {
    /// By slot; `None` where the partition is gone.
    pub(super) appended: Vec<Option<(TopicId, Volume)>>,
    pub(super) total: Volume,
    pub(super) batches: u64,
    pub(super) straight_batches: u64,
    pub(super) groups: u64,
    pub(super) group_bytes: u64,
}

impl Tally {
    pub(super) fn appended(&mut self, slot: u32, bytes: usize, records: i32) {
        let (bytes, records) = (bytes as u64, u64::from(records.unsigned_abs()));
        self.batches += 1;
        self.total.add(bytes, records);
        if let Some(Some((_, volume))) = self.appended.get_mut(slot as usize) {
            volume.add(bytes, records);
        }
    }
}

impl Shard {
    /// What this shard has done and holds. A few loads.
    pub fn numbers(&self) -> ShardNumbers {
        ShardNumbers {
            appended: self.tally.total,
            batches: self.tally.batches,
            straight_batches: self.tally.straight_batches,
            groups: self.tally.groups,
            group_bytes: self.tally.group_bytes,
            partitions: self.slots.len(),
            stalled: self.stalled.len(),
            arena_bytes: self.arena.bytes(),
            arena_bytes_max: self.arena.bytes_max(),
            live_bytes: self.journal.live_bytes(),
            journal_used: self.journal.ring_used(),
            journal_bytes: self.journal.ring_bytes(),
            corrupt_batches: self.rot.len(),
            corrupt_reads: self.rot.reads_refused,
            scrubbed_bytes: self.scrub.bytes,
            scrub_rounds: self.scrub.rounds,
            room: self.room(),
        }
    }

    /// What was appended to the partitions from a place on, 0 at first.
    pub fn appended_from(&self, from: usize) -> Piece {
        Piece::of(&self.tally.appended, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_bounded_and_the_pieces_are_all() {
        let topic = |n: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&n.to_be_bytes());
            TopicId(id)
        };
        let row = |n: usize| {
            let volume = Volume {
                bytes: n as u64,
                records: 1,
            };
            (!n.is_multiple_of(7)).then_some((topic(n), volume))
        };
        for count in [0, 1, ROWS_A_PIECE, ROWS_A_PIECE + 1, 5_000] {
            let all: Vec<_> = (0..count).map(row).collect();
            let mut rows = Vec::new();
            let (mut from, mut pieces) = (Some(0), 0);
            while let Some(at) = from {
                let piece = Piece::of(&all, at);
                assert!(piece.rows.len() <= ROWS_A_PIECE);
                rows.extend(piece.rows);
                from = piece.next;
                pieces += 1;
            }
            assert_eq!(pieces, count.div_ceil(ROWS_A_PIECE).max(1));
            assert_eq!(rows, all.into_iter().flatten().collect::<Vec<_>>());
        }
        assert_eq!(Piece::of(&[], 9), Piece::default());
    }
}
