//! Reads: from memory where the bytes still are, from the disk otherwise; offsets by time.
//!
//! ```text
//!  call(Read, ListOffsets) ─► every item in memory ──────────────────────────────────────► answer
//!                         └─► some cold ─ their turn? ─► flow: read blocks, verify ──────► answer (all items together)
//!                                 └─ no: the call waits as it came; whatever of it is hot by then is read then
//! ```
//!
//! What the disk does for them is in [`super::cold`].

use std::collections::VecDeque;

use bytes::Bytes;

use super::cold::{ColdItem, Wanted, cold_lookup_bytes, place};
use super::{Shard, ShardOut};
use crate::batch::{self, BatchHeader, Codec};
use crate::call::{
    AnswerBody, ListAnswer, ListItem, ListWhat, Listed, ReadAnswer, ReadDone, ReadError, ReadItem,
    RequestToken,
};
use crate::limits::BLOCK;
use crate::log::extent::Extent;
use crate::log::partition::Partition;
use crate::log::segment::Segment;
use crate::types::{LeaderEpoch, Offset, SegmentPosition, ShardId, Timestamp};

/// Items of one call that are read from the disk; the others are answered without records, as where the answer is full.
const COLD_ITEMS_MAX: usize = 64;

/// What one pass may look into for lookups, in bytes of plain batches.
pub(super) const LOOKUP_BYTES_A_PASS: usize = 2 << 20;

/// A compressed batch costs as much as so many times its bytes.
const OPENING_COST: usize = 32;

/// What a read is answered, and what of it is to be read from the disk first.
pub(super) struct ReadPlan {
    pub(super) answers: Vec<ReadAnswer>,
    pub(super) cold: Vec<ColdItem>,
    /// Memory that the cold ones take.
    pub(super) cold_bytes: usize,
    /// Bytes that the answer may still have.
    left: usize,
}

/// A lookup of offsets, on which some passes may work.
pub(super) struct Listing {
    from: ShardId,
    request: RequestToken,
    items: VecDeque<ListItem>,
    answers: Vec<ListAnswer>,
    /// Those that need the disk, each with the index of its answer.
    cold: Vec<(usize, ListItem)>,
}

/// Where an offset is to be looked for.
pub(super) struct Search<'a> {
    pub(super) partition: &'a Partition,
    pub(super) segment: &'a Segment,
    pub(super) position: u64,
    pub(super) find: Find,
}

/// What is known of an offset without the disk.
enum Looked {
    Known(Result<Option<Listed>, ReadError>),
    /// By looking into batches, which cost as much as so many plain bytes.
    Found(Option<Listed>, usize),
    Cold,
}

/// Refuses a client whose idea of the leader's epoch is not ours (KIP-320).
pub(super) fn check_epoch(p: &Partition, current: LeaderEpoch) -> Result<(), ReadError> {
    match current.0 {
        epoch if epoch == -1 || epoch == p.epoch.0 => Ok(()),
        epoch if epoch < p.epoch.0 => Err(ReadError::FencedEpoch),
        _ => Err(ReadError::UnknownEpoch),
    }
}

fn check_read(p: &Partition, item: &ReadItem) -> Result<(), ReadError> {
    check_epoch(p, item.current_leader_epoch)?;
    if item.last_fetched_epoch.0 >= 0 {
        let agreed = p.epochs.end_offset_for(item.last_fetched_epoch, p.next);
        let (epoch, end_offset) = agreed.unwrap_or((LeaderEpoch(-1), Offset(-1)));
        if epoch < item.last_fetched_epoch || end_offset < item.offset {
            return Err(ReadError::Diverging { epoch, end_offset });
        }
    }
    if item.offset < p.log_start || item.offset > p.next {
        return Err(ReadError::OutOfRange {
            log_start: p.log_start,
            high_watermark: p.high_watermark,
        });
    }
    Ok(())
}

impl Shard {
    pub(super) fn read(
        &mut self,
        from: ShardId,
        request: RequestToken,
        max_bytes: u32,
        items: Vec<ReadItem>,
        out: &mut ShardOut,
    ) {
        let plan = self.plan_read(max_bytes, &items);
        if plan.cold.is_empty() {
            out.answer(from, request, AnswerBody::Read(plan.answers));
        } else if self.cold.may_begin(plan.cold_bytes, &self.limits) {
            self.begin_read(from, request, plan);
        } else {
            let bytes = plan.cold_bytes;
            let wanted = Wanted::Read { max_bytes, items };
            self.cold.wait(from, request, bytes, wanted);
        }
    }

    pub(super) fn plan_read(&self, max_bytes: u32, items: &[ReadItem]) -> ReadPlan {
        let mut plan = ReadPlan {
            answers: Vec::with_capacity(items.len()),
            cold: Vec::new(),
            cold_bytes: 0,
            left: max_bytes as usize,
        };
        for item in items {
            let result = self.read_item(item, &mut plan);
            let slot = item.slot;
            plan.answers.push(ReadAnswer { slot, result });
        }
        plan
    }

    /// Fills one answer from memory, or notes what is to be read from the disk.
    fn read_item(&self, item: &ReadItem, plan: &mut ReadPlan) -> Result<ReadDone, ReadError> {
        let slot = *self
            .slots
            .get(&item.partition)
            .ok_or(ReadError::UnknownPartition)?;
        let p = self.partition(slot).expect("a known slot is filled");
        check_read(p, item)?;
        let mut done = ReadDone {
            records: Vec::new(),
            count: 0,
            high_watermark: p.high_watermark,
            last_stable: p.high_watermark,
            log_start: p.log_start,
        };
        if item.offset >= p.high_watermark || plan.left == 0 {
            return Ok(done);
        }
        let max_bytes = (item.max_bytes as usize).min(plan.left);
        if let Some((parts, offsets)) =
            p.extents
                .read(item.offset, p.high_watermark, max_bytes, &self.journal)
        {
            let bytes = parts.iter().map(Bytes::len).sum();
            plan.left = plan.left.saturating_sub(bytes);
            done.records = parts;
            done.count = offsets;
            return Ok(done);
        }
        let Some(s) = p.segment_of(item.offset) else {
            return Ok(done);
        };
        let max_bytes = max_bytes.min(self.limits.cold_read_bytes_max / 2);
        // What is read for it: the offset lies anywhere between two entries of the index.
        let interval = p.config.index_interval_bytes as usize;
        let bytes = max_bytes + interval + 2 * BLOCK;
        let full = plan.cold_bytes + bytes > self.limits.cold_read_bytes_max;
        if !plan.cold.is_empty() && (full || plan.cold.len() >= COLD_ITEMS_MAX) {
            return Ok(done);
        }
        plan.left = plan.left.saturating_sub(bytes);
        plan.cold_bytes += bytes;
        let (offset, position) = s.index.at_or_before(item.offset);
        plan.cold.push(ColdItem {
            answer: plan.answers.len(),
            place: place(p, s, position.0, offset, self),
            offset: item.offset,
            end: p.high_watermark,
            max_bytes,
            interval,
        });
        Ok(done)
    }

    pub(super) fn list(
        &mut self,
        from: ShardId,
        request: RequestToken,
        items: Vec<ListItem>,
        out: &mut ShardOut,
    ) {
        let answers = Vec::with_capacity(items.len());
        self.listings.push_back(Listing {
            from,
            request,
            items: items.into(),
            answers,
            cold: Vec::new(),
        });
        self.look_up(out);
    }

    /// A new pass: it may look into some batches more.
    pub(super) fn go_on_looking_up(&mut self, out: &mut ShardOut) {
        self.lookup_bytes_left = LOOKUP_BYTES_A_PASS;
        self.look_up(out);
    }

    /// Goes on with lookups, in order, as far as this pass may.
    fn look_up(&mut self, out: &mut ShardOut) {
        while let Some(mut listing) = self.listings.pop_front() {
            while let Some(item) = listing.items.pop_front() {
                if self.lookup_bytes_left == 0 {
                    listing.items.push_front(item);
                    self.listings.push_front(listing);
                    return;
                }
                let (slot, mut result) = (item.slot, Ok(None));
                match self.look_at(&item) {
                    Looked::Known(known) => result = known,
                    Looked::Found(found, cost) => {
                        self.lookup_bytes_left = self.lookup_bytes_left.saturating_sub(cost);
                        result = Ok(found);
                    }
                    Looked::Cold => listing.cold.push((listing.answers.len(), item)),
                }
                listing.answers.push(ListAnswer { slot, result });
            }
            let Listing {
                from,
                request,
                answers,
                cold,
                ..
            } = listing;
            if cold.is_empty() {
                out.answer(from, request, AnswerBody::Listed(answers));
                continue;
            }
            let bytes = cold_lookup_bytes(&self.limits);
            let wanted = Wanted::List {
                answers,
                items: cold,
            };
            self.cold.wait(from, request, bytes, wanted);
            self.cold_settle(out);
        }
    }

    /// Forgets what is to be read or looked up for a request.
    pub(super) fn forget_reads(&mut self, from: ShardId, request: RequestToken) {
        self.cold.forget(from, request);
        self.listings
            .retain(|listing| (listing.from, listing.request) != (from, request));
    }

    fn look_at(&self, item: &ListItem) -> Looked {
        let search = match self.search(item) {
            Ok(Err(known)) => return Looked::Known(Ok(known)),
            Ok(Ok(search)) => search,
            Err(error) => return Looked::Known(Err(error)),
        };
        let hot = self.hot(&search);
        if hot.first().is_none_or(|e| e.position > search.position) {
            return Looked::Cold;
        }
        let mut cost = 0;
        let found = hot.iter().find_map(|extent| {
            let batch = extent.bytes(&self.journal);
            cost += search.find.cost(&batch);
            search.find.within(&batch)
        });
        let end = search.partition.high_watermark;
        Looked::Found(found.filter(|l| l.offset < end), cost)
    }

    /// Where to look for what is asked. `Ok(Err)`: the answer is known without.
    pub(super) fn search(
        &self,
        item: &ListItem,
    ) -> Result<Result<Search<'_>, Option<Listed>>, ReadError> {
        let slot = *self
            .slots
            .get(&item.partition)
            .ok_or(ReadError::UnknownPartition)?;
        let p = self.partition(slot).expect("a known slot is filled");
        check_epoch(p, item.current_leader_epoch)?;
        let known = |offset, leader_epoch| {
            Ok(Err(Some(Listed {
                offset,
                timestamp: Timestamp(-1),
                leader_epoch,
            })))
        };
        let (segment, position, find) = match item.what {
            ListWhat::Earliest => {
                let epoch = p.epochs.epoch_at(p.log_start).unwrap_or(LeaderEpoch(-1));
                return known(p.log_start, epoch);
            }
            ListWhat::Latest => return known(p.high_watermark, p.epoch),
            ListWhat::MaxTimestamp => {
                let with = |s: &'_ Segment| s.index.largest();
                let Some(largest) = p
                    .segments
                    .iter()
                    .filter_map(with)
                    .reduce(|a, b| if b.timestamp > a.timestamp { b } else { a })
                else {
                    return Ok(Err(None));
                };
                let s = p
                    .segment_of(largest.base_offset)
                    .expect("a batch lies in a segment");
                (s, largest.position, Find::Largest(largest.base_offset))
            }
            ListWhat::At(timestamp) => {
                let at = |s: &Segment| s.index.position_for_timestamp(timestamp);
                let found = p.segments.iter().find_map(|s| Some((s, at(s)?)));
                let Some((s, position)) = found else {
                    return Ok(Err(None));
                };
                let start = s.index.position_at_or_before(p.log_start);
                (s, position.max(start), Find::At(timestamp, p.log_start))
            }
        };
        Ok(Ok(Search {
            partition: p,
            segment,
            position: position.0,
            find,
        }))
    }

    /// The whole batches in memory that are looked into: what is looked for lies before the next index entry.
    pub(super) fn hot<'a>(&self, search: &Search<'a>) -> Vec<&'a Extent> {
        let Search {
            partition,
            segment,
            position,
            find,
        } = *search;
        let end = match find {
            Find::At(_, from) if from > segment.base => None,
            Find::At(..) => segment.index.position_after(SegmentPosition(position)),
            Find::Largest(_) => Some(SegmentPosition(position + 1)),
        };
        partition
            .extents
            .of_segment(segment.base, position)
            .take_while(|e| end.is_none_or(|end| e.position < end.0))
            .filter(|e| e.whole)
            .collect()
    }
}

/// What is looked for in batches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Find {
    /// The first record of this time or later, at or past this offset.
    At(Timestamp, Offset),
    /// The record with the largest timestamp of the batch with this base offset.
    Largest(Offset),
}

impl Find {
    fn is_in(self, header: &BatchHeader) -> bool {
        match self {
            Find::At(timestamp, _) => header.max_timestamp >= timestamp,
            Find::Largest(base) => header.base_offset == base,
        }
    }

    /// What it costs to look into a batch.
    fn cost(self, bytes: &[u8]) -> usize {
        match BatchHeader::parse(bytes) {
            Ok(header) if !self.is_in(&header) => 0,
            Ok(header) if header.codec() != Some(Codec::None) => OPENING_COST * bytes.len(),
            Ok(_) | Err(_) => bytes.len(),
        }
    }

    pub(super) fn within(self, bytes: &[u8]) -> Option<Listed> {
        let header = BatchHeader::parse(bytes).ok()?;
        if !self.is_in(&header) {
            return None;
        }
        let (offset, timestamp) = match self {
            Find::At(timestamp, from) => batch::scan_for_timestamp(bytes, timestamp, from)?,
            Find::Largest(_) => batch::offset_of_max_timestamp(bytes)?,
        };
        Some(Listed {
            offset,
            timestamp,
            leader_epoch: header.leader_epoch,
        })
    }
}
