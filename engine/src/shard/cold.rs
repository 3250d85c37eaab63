//! What is read from the disk for reads and lookups: verified, within a budget, in the order asked.
//!
//! ```text
//!  wait ─► waiting, as it was asked ─ room in the budget ─► flow: open, read blocks, verify, close ─► answer
//!              └─ forgotten when its request is gone
//! ```
//!
//! A cold read never touches the hot tail: it has buffers and a budget of its own. What waits holds no memory but what
//! was asked.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::read::{Find, ReadPlan, Search};
use super::{Corrupt, FlowEnd, Shard, ShardOut};
use crate::batch::{self, BatchHeader, VerifyError};
use crate::call::{
    AnswerBody, ListAnswer, ListItem, Listed, ReadAnswer, ReadError, ReadItem, RequestToken,
};
use crate::disk::DiskError;
use crate::flow::{Flow, join_all};
use crate::limits::{BLOCK, FRAME_BYTES_MAX, Limits};
use crate::log::buffers;
use crate::log::epochs::EpochStart;
use crate::log::group::pad;
use crate::log::partition::Partition;
use crate::log::segment::{self, Segment};
use crate::types::{Offset, SegmentPosition, ShardId, TopicPartition};

/// Items of one call that are read side by side.
const AT_ONCE: usize = 8;

/// One read of a segment's file.
#[derive(Debug)]
pub(super) struct ColdItem {
    /// Index of the answer it fills.
    pub(super) answer: usize,
    pub(super) place: Place,
    pub(super) offset: Offset,
    pub(super) end: Offset,
    pub(super) max_bytes: usize,
    /// How far before the offset the place may be.
    pub(super) interval: usize,
}

/// Where in a segment's file to begin, and what follows the file in memory.
#[derive(Debug)]
pub(super) struct Place {
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

/// What reads of one call have found corrupt.
#[derive(Default)]
struct Findings(RefCell<Vec<Corrupt>>);

impl Findings {
    fn add(&self, place: &Place, position: u64, offset: Offset, what: String) {
        self.0.borrow_mut().push(Corrupt {
            partition: place.partition,
            segment: place.base,
            position,
            offset,
            what,
        });
    }
}

/// The batch at `position` begins with `offset`.
pub(super) fn place(
    p: &Partition,
    s: &Segment,
    position: u64,
    offset: Offset,
    shard: &Shard,
) -> Place {
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

struct ColdLookup {
    answer: usize,
    place: Place,
    find: Find,
    hot: Vec<Bytes>,
    end: Offset,
    limits: Limits,
}

/// Memory that lookups of one call take: they are made one after the other.
pub(super) fn cold_lookup_bytes(limits: &Limits) -> usize {
    lookup_stretch(limits) + 2 * BLOCK
}

fn lookup_stretch(limits: &Limits) -> usize {
    4 * limits.index_interval_bytes as usize
}

/// A call whose items were read in part from the disk.
pub(super) struct ColdRead {
    from: ShardId,
    request: RequestToken,
    bytes: usize,
    answers: Vec<ReadAnswer>,
    /// Whose file each cold answer came from, and the offset asked for.
    places: Vec<(usize, TopicPartition, Offset)>,
    corrupt: Vec<Corrupt>,
}

pub(super) struct ColdList {
    from: ShardId,
    request: RequestToken,
    bytes: usize,
    answers: Vec<ListAnswer>,
    /// What each cold answer was asked for, and where the log began then.
    items: Vec<(usize, ListItem, Offset)>,
    corrupt: Vec<Corrupt>,
}

/// A call that waits for its turn.
struct Waiting {
    from: ShardId,
    request: RequestToken,
    /// Memory that it takes.
    bytes: usize,
    wanted: Wanted,
}

pub(super) enum Wanted {
    Read {
        max_bytes: u32,
        items: Vec<ReadItem>,
    },
    /// The items that need the disk, each with the index of its answer.
    List {
        answers: Vec<ListAnswer>,
        items: Vec<(usize, ListItem)>,
    },
}

/// What is under way and what waits for its turn.
#[derive(Default)]
pub(super) struct ColdBudget {
    under_way: usize,
    /// By their place in the order asked.
    waiting: BTreeMap<u64, Waiting>,
    /// The place of each request; it has one call at most.
    places: BTreeMap<(ShardId, RequestToken), u64>,
    next_place: u64,
}

impl ColdBudget {
    /// Whether a call may begin at once.
    pub(super) fn may_begin(&self, bytes: usize, limits: &Limits) -> bool {
        let room = self.under_way == 0 || self.under_way + bytes <= limits.cold_read_bytes_max;
        self.waiting.is_empty() && room
    }

    /// Whether somebody waits for his turn.
    pub(super) fn is_full(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn wait(
        &mut self,
        from: ShardId,
        request: RequestToken,
        bytes: usize,
        wanted: Wanted,
    ) {
        let call = Waiting {
            from,
            request,
            bytes,
            wanted,
        };
        let before = self.places.insert((from, request), self.next_place);
        assert_eq!(before, None, "{request:?} waits already");
        self.waiting.insert(self.next_place, call);
        self.next_place += 1;
    }

    /// The next call, if there is room for it.
    fn next(&mut self, limits: &Limits) -> Option<Waiting> {
        let first = self.waiting.first_entry()?;
        let bytes = first.get().bytes;
        if self.under_way > 0 && self.under_way + bytes > limits.cold_read_bytes_max {
            return None;
        }
        let call = first.remove();
        self.places.remove(&(call.from, call.request));
        Some(call)
    }

    /// Forgets what waits for a request. What is under way goes on, and is answered.
    pub(super) fn forget(&mut self, from: ShardId, request: RequestToken) {
        if let Some(place) = self.places.remove(&(from, request)) {
            self.waiting.remove(&place);
        }
    }
}

impl Shard {
    /// Begins what waits, as the budget allows.
    pub(super) fn cold_settle(&mut self, out: &mut ShardOut) {
        while let Some(call) = self.cold.next(&self.limits) {
            let Waiting {
                from,
                request,
                bytes,
                wanted,
            } = call;
            match wanted {
                Wanted::Read { max_bytes, items } => {
                    let plan = self.plan_read(max_bytes, &items);
                    match plan.cold.is_empty() {
                        true => out.answer(from, request, AnswerBody::Read(plan.answers)),
                        false => self.begin_read(from, request, plan),
                    }
                }
                Wanted::List { answers, items } => {
                    self.begin_list(from, request, bytes, answers, items);
                }
            }
        }
    }

    pub(super) fn begin_read(&mut self, from: ShardId, request: RequestToken, plan: ReadPlan) {
        let ReadPlan {
            mut answers,
            cold: items,
            cold_bytes: bytes,
            ..
        } = plan;
        self.cold.under_way += bytes;
        self.start_flow(move |flow| async move {
            // Batches may be larger than was asked for: what comes after too many of them is not read.
            let left = Cell::new(bytes);
            let found = Findings::default();
            let reads = items
                .iter()
                .map(|item| read_cold(&flow, item, &left, &found));
            let read = join_all(AT_ONCE, reads.collect()).await;
            for (item, result) in items.iter().zip(read) {
                let answer = &mut answers[item.answer].result;
                match (result, answer) {
                    (Ok((records, count)), Ok(done)) => {
                        done.records.extend(records);
                        done.count += count;
                    }
                    (Ok(_), Err(_)) => unreachable!("a refused item is not read"),
                    (Err(error), answer) => *answer = Err(error),
                }
            }
            let places =
                (items.iter()).map(|item| (item.answer, item.place.partition, item.offset));
            FlowEnd::Read(ColdRead {
                from,
                request,
                bytes,
                answers,
                places: places.collect(),
                corrupt: found.0.into_inner(),
            })
        });
    }

    pub(super) fn on_cold_read(&mut self, read: ColdRead, out: &mut ShardOut) {
        let ColdRead {
            from,
            request,
            bytes,
            mut answers,
            places,
            corrupt,
        } = read;
        self.cold.under_way -= bytes;
        for found in corrupt {
            self.on_corrupt(found, out);
        }
        for (index, partition, offset) in places {
            let result = &mut answers[index].result;
            let slot = self.slots.get(&partition);
            match (slot.and_then(|slot| self.partition(*slot)), result) {
                // Deleted while it was read: its file may have been gone.
                (None, result) if result.is_err() => *result = Err(ReadError::UnknownPartition),
                // The log start has passed it meanwhile: what was read is not shown, or the file was gone.
                (Some(p), result) if offset < p.log_start => {
                    *result = Err(ReadError::OutOfRange {
                        log_start: p.log_start,
                        high_watermark: p.high_watermark,
                    });
                }
                (Some(p), Ok(done)) => done.log_start = p.log_start,
                (Some(_), Err(ReadError::Storage)) => {
                    tracing::error!(%partition, offset = offset.0, "a segment that should be there cannot be read");
                }
                (_, Ok(_) | Err(_)) => {}
            }
            let refused = matches!(answers[index].result, Err(ReadError::Corrupt));
            self.rot.reads_refused += u64::from(refused);
        }
        out.answer(from, request, AnswerBody::Read(answers));
        self.cold_settle(out);
    }

    fn begin_list(
        &mut self,
        from: ShardId,
        request: RequestToken,
        bytes: usize,
        mut answers: Vec<ListAnswer>,
        items: Vec<(usize, ListItem)>,
    ) {
        let mut lookups = Vec::with_capacity(items.len());
        let mut asked = Vec::with_capacity(items.len());
        for (answer, item) in items {
            match self.search(&item) {
                Ok(Ok(search)) => {
                    let log_start = search.partition.log_start;
                    lookups.push(self.cold_lookup(answer, &search));
                    asked.push((answer, item, log_start));
                }
                Ok(Err(known)) => answers[answer].result = Ok(known),
                Err(error) => answers[answer].result = Err(error),
            }
        }
        self.cold.under_way += bytes;
        self.start_flow(move |flow| async move {
            let found = Findings::default();
            for lookup in lookups {
                let answer = lookup.answer;
                answers[answer].result = find_cold(&flow, lookup, &found).await;
            }
            FlowEnd::Listed(ColdList {
                from,
                request,
                bytes,
                answers,
                items: asked,
                corrupt: found.0.into_inner(),
            })
        });
    }

    fn cold_lookup(&self, answer: usize, search: &Search<'_>) -> ColdLookup {
        let p = search.partition;
        let hot = self.hot(search);
        let offset = match search.find {
            Find::At(..) => search
                .segment
                .index
                .offset_of(SegmentPosition(search.position)),
            Find::Largest(base) => base,
        };
        ColdLookup {
            answer,
            place: place(p, search.segment, search.position, offset, self),
            find: search.find,
            hot: hot.iter().map(|e| e.bytes(&self.journal)).collect(),
            end: p.high_watermark,
            limits: self.limits.clone(),
        }
    }

    pub(super) fn on_cold_list(&mut self, list: ColdList, out: &mut ShardOut) {
        let ColdList {
            from,
            request,
            bytes,
            mut answers,
            items,
            corrupt,
        } = list;
        self.cold.under_way -= bytes;
        for found in corrupt {
            self.on_corrupt(found, out);
        }
        let mut again = Vec::new();
        for (index, item, log_start) in items {
            let result = &mut answers[index].result;
            let slot = self.slots.get(&item.partition);
            match slot.and_then(|slot| self.partition(*slot)) {
                None if result.is_err() => *result = Err(ReadError::UnknownPartition),
                // What was found may be below the log start meanwhile, or its file gone.
                Some(p) if p.log_start > log_start => again.push((index, item)),
                Some(_) | None => {}
            }
            let refused = matches!(answers[index].result, Err(ReadError::Corrupt));
            self.rot.reads_refused += u64::from(refused);
        }
        if again.is_empty() {
            out.answer(from, request, AnswerBody::Listed(answers));
        } else {
            let items = again;
            let wanted = Wanted::List { answers, items };
            self.cold.wait(from, request, bytes, wanted);
        }
        self.cold_settle(out);
    }
}

/// Reads a stretch of a segment from a position on, with what follows the file in memory.
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

/// The batch at the start of some bytes, or how many bytes it needs, or what is wrong with it.
enum Stored {
    Whole(BatchHeader),
    Short {
        need: usize,
    },
    /// `header`: of a batch whose records, or whose own fields, are not what their CRC was made of.
    Corrupt {
        header: Option<BatchHeader>,
        what: String,
    },
}

/// Checks the batch at the start of `bytes` against what was appended there. Its CRC covers neither its offset nor its
/// leader epoch, but both are known: a log has no gaps (until it is compacted), and the index says where it begins.
fn stored(place: &Place, next: Offset, bytes: &[u8]) -> Stored {
    let after = place.epochs.partition_point(|e| e.start <= next);
    let epoch = after.checked_sub(1).map(|at| place.epochs[at].epoch);
    match batch::verify(bytes) {
        Ok(header)
            if header.base_offset == next
                && epoch.is_none_or(|epoch| epoch == header.leader_epoch) =>
        {
            Stored::Whole(header)
        }
        Ok(header) => Stored::Corrupt {
            header: None,
            what: format!(
                "offset {} of epoch {}, where offset {} of epoch {} was appended",
                header.base_offset.0,
                header.leader_epoch.0,
                next.0,
                epoch.map_or("?".to_owned(), |epoch| epoch.0.to_string())
            ),
        },
        Err(VerifyError::Short { need, .. }) => Stored::Short { need },
        Err(error) => Stored::Corrupt {
            header: match error {
                VerifyError::Crc { .. } => BatchHeader::parse(bytes).ok(),
                _ => None,
            },
            what: error.to_string(),
        },
    }
}

/// The whole batches from the one that holds the asked offset on, and how many offsets they span. None when nothing is
/// left of the call's bytes.
async fn read_cold(
    flow: &Flow,
    item: &ColdItem,
    left: &Cell<usize>,
    found: &Findings,
) -> Result<(Vec<Bytes>, u64), ReadError> {
    let place = &item.place;
    let (mut position, mut next) = (place.position, place.offset);
    let mut wanted = item.max_bytes + item.interval;
    if left.get() == 0 {
        return Ok((Vec::new(), 0));
    }
    loop {
        left.set(left.get().saturating_sub(wanted));
        let bytes = read_stretch(flow, place, position, wanted).await?;
        let (mut begin, mut at) = (None, 0);
        let mut first = next;
        let mut needed = 0;
        while at < bytes.len() {
            let header = match stored(place, next, &bytes[at..]) {
                Stored::Whole(header) => header,
                Stored::Short { need } => {
                    needed = need;
                    break;
                }
                Stored::Corrupt { header, what } => {
                    found.add(place, position + at as u64, next, what);
                    match header {
                        // What comes before it is served; who asks for the corrupt one is refused.
                        _ if begin.is_some_and(|begin| begin < at) => break,
                        // Passed over: were its length or its count wrong, the next one's offset would not follow.
                        Some(h) if h.base_offset == next && passes(&h, item.offset) => h,
                        _ => return Err(ReadError::Corrupt),
                    }
                }
            };
            let end = at + header.total_bytes();
            if header.last_offset() >= item.offset {
                if header.base_offset >= item.end {
                    break;
                }
                if begin.is_none() {
                    first = header.base_offset;
                }
                let from = *begin.get_or_insert(at);
                if at > from && end - from > item.max_bytes {
                    break;
                }
            }
            next = header.end_offset();
            at = end;
        }
        if let Some(begin) = begin.filter(|begin| *begin < at) {
            return Ok((vec![bytes.slice(begin..at)], (next.0 - first.0) as u64));
        }
        // The batch that holds the offset ends beyond what was read, or the file is not what we wrote.
        let more = more(place, position, &bytes, wanted, at + needed);
        let more = more.map_err(|what| {
            found.add(place, position + at as u64, next, what);
            ReadError::Corrupt
        })?;
        position += at as u64;
        wanted = match at {
            0 => more,
            _ => needed + item.max_bytes,
        };
    }
}

/// Whether the offset lies behind the batch.
fn passes(header: &BatchHeader, offset: Offset) -> bool {
    header.last_offset_delta >= 0 && header.last_offset() < offset
}

/// How much to read where `needed` bytes are; what is wrong where the file is shorter than it was, or a length cannot be.
fn more(
    place: &Place,
    position: u64,
    bytes: &Bytes,
    wanted: usize,
    needed: usize,
) -> Result<usize, String> {
    let end = place.disk_end + place.rest.len() as u64;
    let reached = position + bytes.len() as u64 >= end;
    if reached || bytes.len() < wanted || needed > wanted + FRAME_BYTES_MAX {
        return Err(format!(
            "{needed} bytes from position {position} on, where the log has {} and the file gave {}",
            end.saturating_sub(position),
            bytes.len()
        ));
    }
    Ok((wanted * 2).max(needed))
}

async fn find_cold(
    flow: &Flow,
    lookup: ColdLookup,
    found: &Findings,
) -> Result<Option<Listed>, ReadError> {
    let place = &lookup.place;
    let visible = |found: Listed| (found.offset < lookup.end).then_some(found);
    let (mut position, mut next) = (place.position, place.offset);
    let stretch = lookup_stretch(&lookup.limits);
    let mut wanted = stretch;
    while position < place.disk_end {
        let bytes = read_stretch(flow, place, position, wanted).await?;
        let mut at = 0;
        let needed = loop {
            let header = match stored(place, next, &bytes[at..]) {
                Stored::Whole(header) => header,
                Stored::Short { need } => break need,
                Stored::Corrupt { what, .. } => {
                    found.add(place, position + at as u64, next, what);
                    return Err(ReadError::Corrupt);
                }
            };
            next = header.end_offset();
            if let Some(listed) = lookup.find.within(&bytes[at..at + header.total_bytes()]) {
                return Ok(visible(listed));
            }
            at += header.total_bytes();
        };
        wanted = match at {
            0 => more(place, position, &bytes, wanted, needed).map_err(|what| {
                found.add(place, position, next, what);
                ReadError::Corrupt
            })?,
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
