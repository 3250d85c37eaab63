//! The walk over a segment's file, in pieces of any length: is it what was appended there?
//!
//! ```text
//!  feed(bytes) ─► header ─ its offset follows, its epoch wrote it, the index agrees ─► body ─► CRC as stored ─┐
//!                   ▲                                                                                       │
//!                   └───────────────────────────────── next batch ◄─────────────────────────────────────────┘
//!  Err(Finding): this walk is over; another may begin at the next entry of the index
//! ```
//!
//! It keeps a header and a CRC, whatever the batches' lengths: memory and the work of one piece are bounded by the piece.

use std::collections::VecDeque;

use super::epochs::EpochStart;
use crate::batch::BatchHeader;
use crate::batch::header::CRC_FROM;
use crate::limits::BATCH_HEADER;
use crate::types::{Offset, SegmentPosition};

/// What is wrong in a segment's file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where in the file the batch begins.
    pub position: u64,
    /// The offset that was appended there.
    pub offset: Offset,
    pub what: String,
}

/// A batch whose header was read.
#[derive(Clone, Copy, Debug)]
struct Body {
    header: BatchHeader,
    crc: u32,
    left: usize,
}

/// One walk, from a batch's begin on.
#[derive(Debug)]
pub struct Walk {
    /// Of the batch that is being read.
    position: u64,
    next: Offset,
    head: [u8; BATCH_HEADER],
    have: usize,
    body: Option<Body>,
    known: Known,
    /// Whole batches passed, and their records.
    pub batches: u64,
    pub records: u64,
}

/// What is known of a segment besides its file.
#[derive(Default, Debug)]
pub struct Known {
    /// No batch ends past this.
    pub end: u64,
    /// Who appended from the next offset on.
    pub epochs: Vec<EpochStart>,
    /// Entries of the index ahead, in order.
    pub entries: VecDeque<(Offset, SegmentPosition)>,
}

impl Walk {
    /// The batch at `position` begins with the offset `next`.
    pub fn begin(position: u64, next: Offset) -> Walk {
        Walk {
            position,
            next,
            head: [0; BATCH_HEADER],
            have: 0,
            body: None,
            known: Known::default(),
            batches: 0,
            records: 0,
        }
    }

    /// What is known now; before each piece of a segment that still grows.
    pub fn know(&mut self, known: Known) {
        self.known = known;
        // The batch whose body comes next was held against its entry when its header came.
        let entries = &mut self.known.entries;
        entries.pop_front_if(|(_, at)| self.body.is_some() && at.0 == self.position);
    }

    /// Where the batch being read begins, and the offset there.
    pub fn place(&self) -> (u64, Offset) {
        (self.position, self.next)
    }

    /// The position of the next byte to be fed.
    pub fn fed(&self) -> u64 {
        let body = self.body.as_ref();
        let body = body.map_or(0, |b| b.header.total_bytes() - BATCH_HEADER - b.left);
        self.position + (self.have + body) as u64
    }

    /// Whether the last byte fed was the last one of a batch.
    pub fn is_between(&self) -> bool {
        self.have == 0
    }

    fn finding(&self, what: String) -> Finding {
        Finding {
            position: self.position,
            offset: self.next,
            what,
        }
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Finding> {
        while !bytes.is_empty() {
            let Some(body) = &mut self.body else {
                let taken = bytes.len().min(BATCH_HEADER - self.have);
                let (now, later) = bytes.split_at(taken);
                self.head[self.have..self.have + taken].copy_from_slice(now);
                self.have += taken;
                bytes = later;
                if self.have == BATCH_HEADER {
                    let header = self.check_header()?;
                    self.body = Some(Body {
                        header,
                        crc: crc32c::crc32c(&self.head[CRC_FROM..]),
                        left: header.total_bytes() - BATCH_HEADER,
                    });
                    self.end_batch()?;
                }
                continue;
            };
            let (now, later) = bytes.split_at(bytes.len().min(body.left));
            body.crc = crc32c::crc32c_append(body.crc, now);
            body.left -= now.len();
            bytes = later;
            self.end_batch()?;
        }
        Ok(())
    }

    /// The file ends here.
    pub fn end(&self) -> Result<(), Finding> {
        match self.is_between() {
            true => Ok(()),
            false => Err(self.finding(format!("the file ends within it, at {}", self.fed()))),
        }
    }

    fn check_header(&mut self) -> Result<BatchHeader, Finding> {
        let header =
            BatchHeader::parse(&self.head).map_err(|error| self.finding(error.to_string()))?;
        if header.base_offset != self.next {
            return Err(self.finding(format!(
                "offset {}, where {} was appended",
                header.base_offset.0, self.next.0
            )));
        }
        let epochs = &self.known.epochs;
        let after = epochs.partition_point(|e| e.start <= self.next);
        if let Some(wrote) = after.checked_sub(1).map(|at| epochs[at].epoch)
            && wrote != header.leader_epoch
        {
            return Err(self.finding(format!(
                "leader epoch {}, where {} appended",
                header.leader_epoch.0, wrote.0
            )));
        }
        if self.position + header.total_bytes() as u64 > self.known.end {
            return Err(self.finding(format!(
                "{} bytes, where the segment has {}",
                header.total_bytes(),
                self.known.end.saturating_sub(self.position)
            )));
        }
        self.check_index()?;
        Ok(header)
    }

    /// The index's entries must be batches' begins.
    fn check_index(&mut self) -> Result<(), Finding> {
        while let Some(&(offset, SegmentPosition(position))) = self.known.entries.front()
            && position <= self.position
        {
            self.known.entries.pop_front();
            if (offset, position) != (self.next, self.position) {
                return Err(self.finding(format!(
                    "the index has offset {} at {position}, the file has {} at {}",
                    offset.0, self.next.0, self.position
                )));
            }
        }
        Ok(())
    }

    /// Ends the batch whose last byte was taken.
    fn end_batch(&mut self) -> Result<(), Finding> {
        let Some(body) = self.body.filter(|body| body.left == 0) else {
            return Ok(());
        };
        let Body { header, crc, .. } = body;
        if crc != header.crc {
            return Err(self.finding(format!(
                "crc {:#010x} stored, {crc:#010x} computed",
                header.crc
            )));
        }
        if !header.in_order() {
            return Err(self.finding("offset range or count out of order".into()));
        }
        self.position += header.total_bytes() as u64;
        self.next = header.end_offset();
        (self.have, self.body) = (0, None);
        self.batches += 1;
        self.records += u64::from(header.count.unsigned_abs());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::rng::Rng;
    use crate::types::{LeaderEpoch, Timestamp};

    /// Ten batches of two records, the first five of epoch 3, the others of epoch 4; and where each begins.
    fn segment() -> (Vec<u8>, Vec<(Offset, SegmentPosition)>) {
        let (mut bytes, mut begins) = (Vec::new(), Vec::new());
        for n in 0..10_i64 {
            let value = [n as u8; 40];
            let batch = BatchBuilder::new()
                .base_offset(Offset(100 + 2 * n))
                .leader_epoch(LeaderEpoch(if n < 5 { 3 } else { 4 }))
                .value(Timestamp(n), &value)
                .value(Timestamp(n), &value)
                .build();
            begins.push((Offset(100 + 2 * n), SegmentPosition(bytes.len() as u64)));
            bytes.extend(batch);
        }
        (bytes, begins)
    }

    fn known(bytes: &[u8], begins: &[(Offset, SegmentPosition)]) -> Known {
        let start = |epoch, start| EpochStart {
            epoch: LeaderEpoch(epoch),
            start: Offset(start),
        };
        Known {
            end: bytes.len() as u64,
            epochs: vec![start(3, 50), start(4, 110)],
            entries: [begins[3], begins[7]].into(),
        }
    }

    fn walk(bytes: &[u8], piece: usize, known: Known) -> Result<Walk, Finding> {
        let mut walk = Walk::begin(0, Offset(100));
        walk.know(known);
        for bytes in bytes.chunks(piece) {
            walk.feed(bytes)?;
        }
        walk.end()?;
        Ok(walk)
    }

    #[test]
    fn what_was_appended_passes_in_pieces_of_any_length() {
        let (bytes, begins) = segment();
        for piece in [1, 7, 61, 100, 1 << 20] {
            let walk = walk(&bytes, piece, known(&bytes, &begins)).expect("whole");
            assert_eq!(walk.place(), (bytes.len() as u64, Offset(120)));
            assert_eq!(walk.fed(), bytes.len() as u64);
            assert_eq!((walk.batches, walk.records), (10, 20));
        }
    }

    /// As the scrub says it: with the entries from the batch on that is being read.
    #[test]
    fn what_is_known_may_be_said_again_before_each_piece() {
        let (bytes, begins) = segment();
        for piece in [1, 7, 61, 100] {
            let mut walk = Walk::begin(0, Offset(100));
            for next in bytes.chunks(piece) {
                let (position, _) = walk.place();
                let ahead = begins.iter().filter(|(_, at)| at.0 >= position);
                walk.know(Known {
                    entries: ahead.copied().collect(),
                    ..known(&bytes, &begins)
                });
                walk.feed(next).expect("whole");
            }
            assert_eq!(walk.batches, 10);
        }
    }

    #[test]
    fn every_flipped_bit_is_found_in_its_batch() {
        let (bytes, begins) = segment();
        let mut rng = Rng::new(1);
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let piece = 1 + rng.below(300) as usize;
            let found = walk(&bytes, piece, known(&bytes, &begins)).expect_err("rot");
            let of = begins.partition_point(|b| b.1.0 <= (bit / 8) as u64) - 1;
            assert_eq!(
                (found.offset, found.position),
                (begins[of].0, begins[of].1.0),
                "bit {bit}: {}",
                found.what
            );
        }
    }

    #[test]
    fn gaps_cuts_and_a_wrong_index_are_found() {
        let (bytes, begins) = segment();
        let batch = bytes.len() / 10;
        let mut gap = bytes.clone();
        gap.drain(batch..2 * batch);
        let mut around = known(&gap, &begins);
        around.entries.clear();
        let found = walk(&gap, 64, around).expect_err("a batch is missing");
        assert_eq!(found.what, "offset 104, where 102 was appended");

        let cut = &bytes[..bytes.len() - 1];
        let found = walk(cut, 64, known(&bytes, &begins)).expect_err("cut");
        assert_eq!(found.position, 9 * batch as u64);
        let found = walk(cut, 64, known(cut, &begins)).expect_err("longer than it may be");
        assert_eq!(found.position, 9 * batch as u64);

        for wrong in [
            (Offset(107), begins[3].1),
            (begins[3].0, SegmentPosition(begins[3].1.0 - 1)),
        ] {
            let mut around = known(&bytes, &begins);
            around.entries[0] = wrong;
            let found = walk(&bytes, 64, around).expect_err("a wrong entry");
            assert!(found.what.starts_with("the index has offset"), "{found:?}");
            assert_eq!(found.position, begins[3].1.0);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic() {
        let mut rng = Rng::new(2);
        for _ in 0..2_000 {
            let mut bytes = vec![0; rng.below(400) as usize];
            bytes.fill_with(|| {
                if rng.one_in(2) {
                    0
                } else {
                    rng.next_u64() as u8
                }
            });
            let mut walk = Walk::begin(0, Offset(0));
            walk.know(Known {
                end: u64::MAX,
                ..Known::default()
            });
            let _ = walk.feed(&bytes);
            let _ = walk.end();
        }
    }
}
