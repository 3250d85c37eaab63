//! Reads: from memory where the bytes still are, from the disk otherwise; offsets by time.
//!
//! ```text
//!  call(Read) ─► every item in memory ─────────────────────────────► answer
//!            └─► some cold ─ budget? ─► flow: read blocks, verify ─► answer (all items together)
//! ```
//!
//! A cold read never touches the hot tail: it has buffers and a budget of its own.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{FlowEnd, Shard, ShardOut};
use crate::batch::{self, BatchHeader};
use crate::call::{
    AnswerBody, ListAnswer, ListItem, ListWhat, Listed, ReadAnswer, ReadDone, ReadError, ReadItem,
    RequestToken,
};
use crate::disk::DiskError;
use crate::flow::{Flow, join_all};
use crate::limits::{BLOCK, FRAME_BYTES_MAX, Limits};
use crate::log::buffers;
use crate::log::epochs::EpochStart;
use crate::log::extent::Extent;
use crate::log::group::pad;
use crate::log::partition::Partition;
use crate::log::segment::{self, Segment};
use crate::types::{LeaderEpoch, Offset, SegmentPosition, ShardId, Timestamp, TopicPartition};

/// One read of a segment's file.
#[derive(Debug)]
struct ColdItem {
    /// Index of the answer it fills.
    answer: usize,
    place: Place,
    offset: Offset,
    end: Offset,
    max_bytes: usize,
}

/// Where in a segment's file to begin, and what follows the file in memory.
#[derive(Debug)]
struct Place {
    partition: TopicPartition,
    base: Offset,
    position: u64,
    /// The offset there.
    offset: Offset,
    /// Who appended from that offset on.
    epochs: Vec<EpochStart>,
    disk_end: u64,
    /// The rest of a batch whose beginning is on disk.
    rest: Bytes,
}

/// A call whose items were read in part from the disk.
pub(super) struct ColdRead {
    from: ShardId,
    request: RequestToken,
    bytes: usize,
    answers: Vec<ReadAnswer>,
    /// Whose file each cold answer came from.
    places: Vec<(usize, TopicPartition)>,
}

pub(super) struct ColdList {
    from: ShardId,
    request: RequestToken,
    answers: Vec<ListAnswer>,
    places: Vec<(usize, TopicPartition)>,
}

struct ColdCall {
    from: ShardId,
    request: RequestToken,
    answers: Vec<ReadAnswer>,
    items: Vec<ColdItem>,
    bytes: usize,
}

/// Cold reads under way and those that wait for their turn.
#[derive(Default)]
pub(super) struct ColdBudget {
    under_way: usize,
    waiting: VecDeque<ColdCall>,
}

/// Refuses a client whose idea of the leader's epoch is not ours (KIP-320).
fn check_epoch(p: &Partition, current: LeaderEpoch) -> Result<(), ReadError> {
    match current.0 {
        epoch if epoch < 0 || epoch == p.epoch.0 => Ok(()),
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

/// The batch at `position` begins with `offset`.
fn place(p: &Partition, s: &Segment, position: u64, offset: Offset, shard: &Shard) -> Place {
    let mut rest = BytesMut::new();
    if let Some(e) = p
        .extents
        .of_segment(s.base, s.disk_end)
        .next()
        .filter(|e| !e.whole || e.position < s.disk_end)
    {
        p.extents
            .copy(s.base, s.disk_end, e.end(), &mut rest, &shard.journal);
    }
    Place {
        partition: p.id,
        base: s.base,
        position,
        offset,
        epochs: p.epochs.from(offset).to_vec(),
        disk_end: s.disk_end,
        rest: rest.freeze(),
    }
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
        let mut left = max_bytes as usize;
        let mut answers = Vec::with_capacity(items.len());
        let mut cold = Vec::new();
        for item in items {
            let slot = item.slot;
            let result = self.read_item(&item, answers.len(), &mut left, &mut cold);
            answers.push(ReadAnswer { slot, result });
        }
        if cold.is_empty() {
            out.answer(from, request, AnswerBody::Read(answers));
            return;
        }
        let bytes = cold.iter().map(|c| c.max_bytes + 2 * BLOCK).sum();
        self.cold.waiting.push_back(ColdCall {
            from,
            request,
            answers,
            items: cold,
            bytes,
        });
        self.cold_settle();
    }

    /// Fills one answer from memory, or notes what is to be read from the disk.
    fn read_item(
        &self,
        item: &ReadItem,
        answer: usize,
        left: &mut usize,
        cold: &mut Vec<ColdItem>,
    ) -> Result<ReadDone, ReadError> {
        let slot = *self
            .slots
            .get(&item.partition)
            .ok_or(ReadError::UnknownPartition)?;
        let p = self.partition(slot).expect("a known slot is filled");
        check_read(p, item)?;
        let mut done = ReadDone {
            records: Vec::new(),
            high_watermark: p.high_watermark,
            last_stable: p.high_watermark,
            log_start: p.log_start,
        };
        if item.offset >= p.high_watermark || *left == 0 {
            return Ok(done);
        }
        let max_bytes = (item.max_bytes as usize).min(*left);
        if let Some(parts) = p
            .extents
            .read(item.offset, p.high_watermark, max_bytes, &self.journal)
        {
            *left = left.saturating_sub(parts.iter().map(Bytes::len).sum());
            done.records = parts;
            return Ok(done);
        }
        let Some(s) = p.segment_of(item.offset) else {
            return Ok(done);
        };
        let max_bytes = max_bytes.min(self.limits.cold_read_bytes_max / 2);
        *left = left.saturating_sub(max_bytes);
        let (offset, position) = s.index.at_or_before(item.offset);
        cold.push(ColdItem {
            answer,
            place: place(p, s, position.0, offset, self),
            offset: item.offset,
            end: p.high_watermark,
            max_bytes,
        });
        Ok(done)
    }

    /// Starts cold reads as the budget allows.
    pub(super) fn cold_settle(&mut self) {
        while let Some(call) = self.cold.waiting.front() {
            if self.cold.under_way > 0
                && self.cold.under_way + call.bytes > self.limits.cold_read_bytes_max
            {
                return;
            }
            let ColdCall {
                from,
                request,
                mut answers,
                items,
                bytes,
            } = self.cold.waiting.pop_front().expect("just seen");
            self.cold.under_way += bytes;
            let interval = self.limits.index_interval_bytes as usize;
            self.start_flow(move |flow| async move {
                let reads = items
                    .iter()
                    .map(|item| read_cold(&flow, item, interval))
                    .collect();
                for (item, result) in items.iter().zip(join_all(reads).await) {
                    let answer = &mut answers[item.answer].result;
                    match (result, answer) {
                        (Ok(records), Ok(done)) => done.records.extend(records),
                        (Ok(_), Err(_)) => unreachable!("a refused item is not read"),
                        (Err(error), answer) => *answer = Err(error),
                    }
                }
                let places = items.iter().map(|item| (item.answer, item.place.partition));
                FlowEnd::Read(ColdRead {
                    from,
                    request,
                    bytes,
                    answers,
                    places: places.collect(),
                })
            });
        }
    }

    pub(super) fn on_cold_read(&mut self, read: ColdRead, out: &mut ShardOut) {
        let ColdRead {
            from,
            request,
            bytes,
            mut answers,
            places,
        } = read;
        self.cold.under_way -= bytes;
        for (index, partition) in places {
            let result = &mut answers[index].result;
            if result.is_err() && !self.slots.contains_key(&partition) {
                // Deleted while it was read: its file may have been gone.
                *result = Err(ReadError::UnknownPartition);
            }
        }
        out.answer(from, request, AnswerBody::Read(answers));
        self.cold_settle();
    }

    pub(super) fn list(
        &mut self,
        from: ShardId,
        request: RequestToken,
        items: Vec<ListItem>,
        out: &mut ShardOut,
    ) {
        let mut answers = Vec::with_capacity(items.len());
        let mut cold = Vec::new();
        for item in items {
            let result = self.list_item(&item, answers.len(), &mut cold);
            answers.push(ListAnswer {
                slot: item.slot,
                result,
            });
        }
        if cold.is_empty() {
            out.answer(from, request, AnswerBody::Listed(answers));
            return;
        }
        self.start_flow(move |flow| async move {
            let mut places = Vec::new();
            for lookup in cold {
                let answer = lookup.answer;
                places.push((answer, lookup.place.partition));
                answers[answer].result = find_cold(&flow, lookup).await;
            }
            FlowEnd::Listed(ColdList {
                from,
                request,
                answers,
                places,
            })
        });
    }

    pub(super) fn on_cold_list(&mut self, mut list: ColdList, out: &mut ShardOut) {
        for (index, partition) in list.places {
            let result = &mut list.answers[index].result;
            if result.is_err() && !self.slots.contains_key(&partition) {
                *result = Err(ReadError::UnknownPartition);
            }
        }
        out.answer(list.from, list.request, AnswerBody::Listed(list.answers));
    }

    fn list_item(
        &self,
        item: &ListItem,
        answer: usize,
        cold: &mut Vec<ColdLookup>,
    ) -> Result<Option<Listed>, ReadError> {
        let slot = *self
            .slots
            .get(&item.partition)
            .ok_or(ReadError::UnknownPartition)?;
        let p = self.partition(slot).expect("a known slot is filled");
        check_epoch(p, item.current_leader_epoch)?;
        let none = Timestamp(-1);
        match item.what {
            ListWhat::Earliest => {
                let epoch = p.epochs.epoch_at(p.log_start).unwrap_or(LeaderEpoch(-1));
                Ok(Some(Listed {
                    offset: p.log_start,
                    timestamp: none,
                    leader_epoch: epoch,
                }))
            }
            ListWhat::Latest => Ok(Some(Listed {
                offset: p.high_watermark,
                timestamp: none,
                leader_epoch: p.epoch,
            })),
            ListWhat::MaxTimestamp => {
                let with = |s: &'_ Segment| s.index.largest();
                let Some(largest) = p
                    .segments
                    .iter()
                    .filter_map(with)
                    .reduce(|a, b| if b.timestamp > a.timestamp { b } else { a })
                else {
                    return Ok(None);
                };
                let s = p
                    .segment_of(largest.base_offset)
                    .expect("a batch lies in a segment");
                self.find_in(
                    p,
                    s,
                    largest.position.0,
                    answer,
                    Find::Largest(largest.base_offset),
                    cold,
                )
            }
            ListWhat::At(timestamp) => {
                for s in &p.segments {
                    if let Some(position) = s.index.position_for_timestamp(timestamp) {
                        return self.find_in(p, s, position.0, answer, Find::At(timestamp), cold);
                    }
                }
                Ok(None)
            }
        }
    }

    /// Looks for a record in one segment from `position` on: on disk first, then in memory.
    fn find_in(
        &self,
        p: &Partition,
        s: &Segment,
        position: u64,
        answer: usize,
        find: Find,
        cold: &mut Vec<ColdLookup>,
    ) -> Result<Option<Listed>, ReadError> {
        // What is looked for lies before the next index entry: a few batches, not all that are in memory.
        let end = match find {
            Find::At(_) => s.index.position_after(SegmentPosition(position)),
            Find::Largest(_) => Some(SegmentPosition(position + 1)),
        };
        let hot: Vec<&Extent> = p
            .extents
            .of_segment(s.base, position)
            .take_while(|e| end.is_none_or(|end| e.position < end.0))
            .filter(|e| e.whole)
            .collect();
        let mut batches = hot.iter().map(|e| e.bytes(&self.journal));
        if hot.first().is_some_and(|e| e.position <= position) {
            return Ok(batches
                .find_map(|batch| find.within(&batch))
                .filter(|l| l.offset < p.high_watermark));
        }
        let offset = match find {
            Find::At(_) => s.index.offset_of(SegmentPosition(position)),
            Find::Largest(base) => base,
        };
        cold.push(ColdLookup {
            answer,
            place: place(p, s, position, offset, self),
            find,
            hot: batches.collect(),
            end: p.high_watermark,
            limits: self.limits.clone(),
        });
        Ok(None)
    }
}

/// What is looked for in batches.
#[derive(Clone, Copy, Debug)]
enum Find {
    At(Timestamp),
    /// The record with the largest timestamp of the batch with this base offset.
    Largest(Offset),
}

impl Find {
    fn within(self, bytes: &[u8]) -> Option<Listed> {
        let header = BatchHeader::parse(bytes).ok()?;
        let (offset, timestamp) = match self {
            Find::At(timestamp) if header.max_timestamp >= timestamp => {
                batch::scan_for_timestamp(bytes, timestamp)?
            }
            Find::Largest(base) if header.base_offset == base => {
                batch::offset_of_max_timestamp(bytes)?
            }
            Find::At(_) | Find::Largest(_) => return None,
        };
        Some(Listed {
            offset,
            timestamp,
            leader_epoch: header.leader_epoch,
        })
    }
}

struct ColdLookup {
    answer: usize,
    place: Place,
    find: Find,
    hot: Vec<Bytes>,
    end: Offset,
    limits: Limits,
}

/// Reads a stretch of a segment as the batches of it that are whole, each verified. `Err(Corrupt)` names where.
async fn read_stretch(
    flow: &Flow,
    place: &Place,
    position: u64,
    bytes: usize,
) -> Result<Bytes, ReadError> {
    let path = segment::path(place.partition, place.base);
    let from = position - position % BLOCK as u64;
    let to = (position + bytes as u64).min(place.disk_end);
    let length = pad((to - from) as usize);
    let storage = |error| {
        // A missing file is a deleted partition's, or its caller says what it means.
        if error != DiskError::NOT_FOUND {
            tracing::error!(%path, position, ?error, "a segment could not be read");
        }
        ReadError::Storage
    };
    let file = flow.open(&path, false, true).await.map_err(storage)?;
    let read = flow
        .read(
            file,
            from,
            buffers::aligned(length + place.rest.len() + BLOCK),
        )
        .await;
    flow.close(file).await.map_err(storage)?;
    let mut read = read.map_err(storage)?;
    let reached = (from + read.len() as u64).min(to.max(place.disk_end));
    read.truncate((reached - from) as usize);
    if reached >= place.disk_end {
        read.truncate((place.disk_end - from) as usize);
        read.extend_from_slice(&place.rest);
    }
    let skip = ((position - from) as usize).min(read.len());
    Ok(read.freeze().slice(skip..))
}

/// The batch at the start of some bytes, or how many bytes it needs.
enum Stored {
    Whole(BatchHeader),
    Short { need: usize },
}

/// Checks the batch at the start of `bytes` against what was appended there. Its CRC covers neither its offset nor its
/// leader epoch, but both are known: a log has no gaps (until it is compacted), and the index says where it begins.
fn stored(place: &Place, position: u64, next: Offset, bytes: &[u8]) -> Result<Stored, ReadError> {
    let after = place.epochs.partition_point(|e| e.start <= next);
    let epoch = after.checked_sub(1).map(|at| place.epochs[at].epoch);
    let what = match batch::verify(bytes) {
        Ok(header)
            if header.base_offset == next
                && epoch.is_none_or(|epoch| epoch == header.leader_epoch) =>
        {
            return Ok(Stored::Whole(header));
        }
        Ok(header) => format!(
            "offset {} of {:?}, where offset {} of {epoch:?} was appended",
            header.base_offset.0, header.leader_epoch, next.0
        ),
        Err(batch::VerifyError::Short { need, .. }) => return Ok(Stored::Short { need }),
        Err(error) => error.to_string(),
    };
    tracing::error!(
        partition = %place.partition,
        segment = place.base.0,
        position,
        %what,
        "a corrupt batch is not served"
    );
    Err(ReadError::Corrupt)
}

/// The whole batches from the one that holds the asked offset on.
async fn read_cold(flow: &Flow, item: &ColdItem, interval: usize) -> Result<Vec<Bytes>, ReadError> {
    let place = &item.place;
    let mut wanted = item.max_bytes + interval;
    loop {
        let bytes = read_stretch(flow, place, place.position, wanted).await?;
        let (mut begin, mut at, mut next) = (None, 0, place.offset);
        let mut needed = 0;
        while at < bytes.len() {
            let header = match stored(place, place.position + at as u64, next, &bytes[at..]) {
                Ok(Stored::Whole(header)) => header,
                Ok(Stored::Short { need }) => {
                    needed = need;
                    break;
                }
                // What comes before it is served; who asks for the corrupt one is refused.
                Err(_) if begin.is_some_and(|begin| begin < at) => break,
                Err(error) => return Err(error),
            };
            next = header.end_offset();
            let end = at + header.total_bytes();
            if header.last_offset() >= item.offset {
                if header.base_offset >= item.end {
                    break;
                }
                let from = *begin.get_or_insert(at);
                if at > from && end - from > item.max_bytes {
                    break;
                }
            }
            at = end;
        }
        if let Some(begin) = begin.filter(|begin| *begin < at) {
            return Ok(vec![bytes.slice(begin..at)]);
        }
        // The batch that holds the offset is larger than what was read, or the file is not what we wrote.
        wanted = more(place, place.position, &bytes, wanted, at + needed)? + interval;
    }
}

/// How much to read where `needed` bytes are; an error where the file is shorter than it was, or a length cannot be.
fn more(
    place: &Place,
    position: u64,
    bytes: &Bytes,
    wanted: usize,
    needed: usize,
) -> Result<usize, ReadError> {
    let end = place.disk_end + place.rest.len() as u64;
    let reached = position + bytes.len() as u64 >= end;
    if reached || bytes.len() < wanted || needed > wanted + FRAME_BYTES_MAX {
        tracing::error!(
            partition = %place.partition,
            segment = place.base.0,
            position,
            "a segment ends within a batch"
        );
        return Err(ReadError::Corrupt);
    }
    Ok((wanted * 2).max(needed))
}

async fn find_cold(flow: &Flow, lookup: ColdLookup) -> Result<Option<Listed>, ReadError> {
    let place = &lookup.place;
    let visible = |found: Listed| (found.offset < lookup.end).then_some(found);
    let (mut position, mut next) = (place.position, place.offset);
    let stretch = lookup.limits.index_interval_bytes as usize * 4;
    let mut wanted = stretch;
    while position < place.disk_end {
        let bytes = read_stretch(flow, place, position, wanted).await?;
        let mut at = 0;
        let needed = loop {
            let header = match stored(place, position + at as u64, next, &bytes[at..])? {
                Stored::Whole(header) => header,
                Stored::Short { need } => break need,
            };
            next = header.end_offset();
            if let Some(found) = lookup.find.within(&bytes[at..at + header.total_bytes()]) {
                return Ok(visible(found));
            }
            at += header.total_bytes();
        };
        wanted = match at {
            0 => more(place, position, &bytes, wanted, needed)?,
            _ => stretch,
        };
        position += at as u64;
    }
    Ok(lookup
        .hot
        .iter()
        .find_map(|batch| lookup.find.within(batch))
        .and_then(visible))
}
