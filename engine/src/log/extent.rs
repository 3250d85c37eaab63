//! What a partition has in memory: the batches that are not on disk yet, and those that still are the hot tail.
//!
//! ```text
//!  segment file   ████████████████████████┆                         disk_end: whole blocks, written and flushed
//!  extents              [batch][batch][ba┆tch][batch][ straight ]    contiguous, in offset order
//!                         └── group of the journal      └── arena memory, its whole blocks already in the file
//! ```

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::journal::{GroupSeq, Journal};
use crate::limits::BLOCK;
use crate::types::Offset;

/// Where an extent's bytes are.
#[derive(Clone, Debug)]
pub enum Source {
    /// In the journal's group in memory, from byte `start` on.
    Group { start: u32 },
    /// In memory of its own.
    Memory(Bytes),
    /// A replayed straight batch: the partial blocks at both ends; the whole blocks between are in the file. Only until
    /// the start has written the mixed blocks back.
    Ends { front: Bytes, back: Bytes },
}

/// One batch, or the rest of one whose beginning is on disk.
#[derive(Clone, Debug)]
pub struct Extent {
    /// Base offset of the segment.
    pub segment: Offset,
    pub position: u64,
    pub length: u32,
    pub base_offset: Offset,
    /// One past the batch's last offset.
    pub next_offset: Offset,
    /// False: the batch begins before `position`.
    pub whole: bool,
    /// The group that carries it or its pointer; what a checkpoint carried is below every group.
    pub group: GroupSeq,
    pub source: Source,
    /// Whole blocks that were written straight to the segment: begin and end position.
    pub direct: Option<(u64, u64)>,
}

impl Extent {
    pub fn end(&self) -> u64 {
        self.position + u64::from(self.length)
    }

    /// The bytes, shared. Not for `Ends`.
    pub fn bytes(&self, journal: &Journal) -> Bytes {
        match &self.source {
            Source::Group { start } => {
                let start = *start as usize;
                journal
                    .bytes(self.group)
                    .slice(start..start + self.length as usize)
            }
            Source::Memory(bytes) => bytes.clone(),
            Source::Ends { .. } => panic!("{self:?} was not written back by the start"),
        }
    }

    /// The bytes `[from, to)` of the segment, which lie in this extent.
    fn part<'a>(&'a self, from: u64, to: u64, journal: &'a Journal) -> &'a [u8] {
        let (begin, end) = (
            (from - self.position) as usize,
            (to - self.position) as usize,
        );
        match &self.source {
            Source::Group { start } => &journal.bytes(self.group)[*start as usize..][begin..end],
            Source::Memory(bytes) => &bytes[begin..end],
            Source::Ends { front, .. } if end <= front.len() => &front[begin..end],
            Source::Ends { back, .. } => {
                let skip = self.length as usize - back.len();
                assert!(
                    begin >= skip,
                    "bytes {from}..{to} of {self:?} are in the file only"
                );
                &back[begin - skip..end - skip]
            }
        }
    }
}

#[derive(Debug, Default)]
pub struct Extents {
    list: VecDeque<Extent>,
}

/// Batches smaller than this are gathered into one piece when they are read: a vector of slices costs more.
const GATHER_BYTES: u32 = 2048;

impl Extents {
    pub fn push(&mut self, extent: Extent) {
        assert!(
            self.follows(&extent),
            "extent {extent:?} does not follow {:?}",
            self.last()
        );
        self.list.push_back(extent);
    }

    /// Whether the extent continues what is here.
    pub fn follows(&self, extent: &Extent) -> bool {
        self.list.back().is_none_or(|last| {
            last.segment == extent.segment && last.end() == extent.position
                || last.segment < extent.segment && extent.position == 0
        })
    }

    /// The extents of one segment that end past `position`.
    pub fn of_segment(&self, segment: Offset, position: u64) -> impl Iterator<Item = &Extent> {
        let past = |e: &Extent| (e.segment, e.end()) <= (segment, position);
        let first = self.list.partition_point(past);
        self.list
            .range(first..)
            .take_while(move |e| e.segment == segment)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Extent> {
        self.list.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn last(&self) -> Option<&Extent> {
        self.list.back()
    }

    /// The first offset that can be read from memory.
    pub fn first_offset(&self) -> Option<Offset> {
        self.list.iter().find(|e| e.whole).map(|e| e.base_offset)
    }

    /// Index of the batch that holds `offset`, if it is whole in memory.
    fn find(&self, offset: Offset) -> Option<usize> {
        let index = self.list.partition_point(|e| e.next_offset <= offset);
        self.list
            .get(index)
            .filter(|e| e.whole && e.base_offset <= offset)
            .map(|_| index)
    }

    /// The whole batches from the one that holds `offset` to below `end`, at most `max_bytes` of them, but one at least.
    /// `None`: not in memory. Large batches are shared, runs of small ones are gathered. With how many offsets they span.
    pub fn read(
        &self,
        offset: Offset,
        end: Offset,
        max_bytes: usize,
        journal: &Journal,
    ) -> Option<(Vec<Bytes>, u64)> {
        let from = self.find(offset)?;
        let first = self.list[from].base_offset;
        let mut next = first;
        let mut parts = Vec::new();
        let mut small = BytesMut::new();
        let mut total = 0;
        for extent in self.list.range(from..) {
            let length = extent.length as usize;
            if extent.next_offset > end || (total > 0 && total + length > max_bytes) {
                break;
            }
            total += length;
            next = extent.next_offset;
            if extent.length < GATHER_BYTES {
                small.extend_from_slice(extent.part(extent.position, extent.end(), journal));
            } else {
                if !small.is_empty() {
                    parts.push(small.split().freeze());
                }
                parts.push(extent.bytes(journal));
            }
            if total >= max_bytes {
                break;
            }
        }
        if !small.is_empty() {
            parts.push(small.freeze());
        }
        Some((parts, (next.0 - first.0) as u64))
    }

    /// Appends the bytes `[from, to)` of a segment, as far as they are here.
    pub fn copy(
        &self,
        segment: Offset,
        from: u64,
        to: u64,
        into: &mut BytesMut,
        journal: &Journal,
    ) {
        for extent in self.of_segment(segment, from) {
            if extent.position >= to {
                break;
            }
            into.extend_from_slice(extent.part(
                from.max(extent.position),
                to.min(extent.end()),
                journal,
            ));
        }
    }

    /// End of the bytes of `segment` whose groups are all below `below`.
    pub fn end_below(&self, segment: Offset, below: GroupSeq) -> Option<u64> {
        let groups = self.list.partition_point(|e| e.group < below);
        let segments = self.list.partition_point(|e| e.segment <= segment);
        let last = &self.list[groups.min(segments).checked_sub(1)?];
        (last.segment == segment).then(|| last.end())
    }

    /// The group of the last batch that begins below `offset`; `None`: none of them is in memory.
    pub fn group_below(&self, offset: Offset) -> Option<GroupSeq> {
        let below = self.list.partition_point(|e| e.base_offset < offset);
        below.checked_sub(1).map(|last| self.list[last].group)
    }

    /// Forgets everything before `segment`.
    pub fn forget_before(&mut self, segment: Offset) {
        while self.list.front().is_some_and(|e| e.segment < segment) {
            self.list.pop_front();
        }
    }

    /// Drops what is on disk and belongs to groups below `below`, and gives the rest of those groups' extents memory of
    /// their own. `disk_end` tells how far a segment is on disk.
    pub fn release(
        &mut self,
        below: GroupSeq,
        disk_end: impl Fn(Offset) -> u64,
        journal: &Journal,
    ) {
        while self
            .list
            .front()
            .is_some_and(|e| e.group < below && e.end() <= disk_end(e.segment))
        {
            self.list.pop_front();
        }
        let mut kept = BytesMut::new();
        let mut ends = Vec::new();
        for extent in self.list.iter().take_while(|e| e.group < below) {
            let skip = disk_end(extent.segment).saturating_sub(extent.position) as usize;
            kept.extend_from_slice(extent.part(
                extent.position + skip as u64,
                extent.end(),
                journal,
            ));
            assert!(
                kept.len() < 2 * BLOCK,
                "{} bytes up to {extent:?} were not written back",
                kept.len()
            );
            ends.push((skip, kept.len()));
        }
        let kept = kept.freeze();
        let mut begin = 0;
        for (extent, (skip, end)) in self.list.iter_mut().zip(ends) {
            extent.source = Source::Memory(kept.slice(begin..end));
            extent.position += skip as u64;
            extent.length = (end - begin) as u32;
            extent.whole &= skip == 0;
            extent.direct = None;
            begin = end;
        }
    }

    /// The whole blocks of `segment` in `[from, to)` that are not in the file yet: maximal runs, in order. `from` and
    /// `to` are multiples of a block, but for the `to` of a sealed segment.
    pub fn missing(&self, segment: Offset, from: u64, to: u64) -> Vec<(u64, u64)> {
        let mut runs = Vec::new();
        let mut at = from;
        for (begin, end) in self
            .of_segment(segment, from)
            .take_while(|e| e.position < to)
            .filter_map(|e| e.direct)
        {
            let (begin, end) = (begin.clamp(at, to), end.clamp(at, to));
            if begin > at {
                runs.push((at, begin));
            }
            at = at.max(end);
        }
        if at < to {
            runs.push((at, to));
        }
        runs
    }

    /// Forgets everything from `position` of `segment` on.
    pub fn truncate(&mut self, segment: Offset, position: u64) {
        while self
            .list
            .back()
            .is_some_and(|e| (e.segment, e.position) >= (segment, position))
        {
            self.list.pop_back();
        }
    }
}
