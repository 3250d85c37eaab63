//! The start of one shard: checkpoints, then the journal, then nothing else.
//!
//! ```text
//!  start number + 1 ─► checkpoints ─► journal groups from head ─► unflushed pointers verified ─► all of it flushed
//!                                             │                                                   ─► mixed blocks written
//!                 first bad group ends replay ┴ unless a valid group says it lies below flushed_through: damage
//! ```
//!
//! | group at the next position | any valid group with `flushed_through` past it | what is done |
//! |---|---|---|
//! | valid, follows the chain | – | replayed |
//! | bad, and one at the next file's begin is valid | – | that one is replayed (the bad one did not fit) |
//! | bad | no | the journal ends here |
//! | bad | yes | damage: a named exit, nothing is cut |
//!
//! | entry | partition state | what is done |
//! |---|---|---|
//! | of an unknown topic | – | skipped unread |
//! | a later *cut* lies at or below it | – | skipped |
//! | *log start* | – | the highest counts, of the checkpoint's too |
//! | below the checkpoint's end | – | memory only, where the segment lacks the bytes |
//! | at the end | going on | applied |
//! | at the end, pointer below the log start | going on | applied unread: it was flushed, and its file may be gone |
//! | at the end, pointer not known flushed, fails its check | going on | the partition ends here, a *cut* is owed |
//! | anywhere | ended | skipped |
//! | past the end | going on | damage |

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::buffers::{self, Arena};
use super::checkpoint::{self, Section};
use super::extent::{Extent, Source};
use super::group::{self, Entry, GroupHeader, JournalId, Place};
use super::journal::{GroupSeq, Journal, JournalStart};
use super::partition::Partition;
use super::{segment, write_back};
use crate::batch::{self, BatchHeader};
use crate::disk::{DiskError, FileId};
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::{BLOCK, Limits};
use crate::types::{JournalPosition, Offset, TopicPartition};

/// Where one shard's files are, and whose.
#[derive(Clone, Debug)]
pub struct ShardFiles {
    /// The shard's directory, e.g. `cores-0-2/1`.
    pub directory: String,
    pub id: JournalId,
}

/// What a start has found.
#[derive(Debug)]
pub struct Recovered {
    pub journal: Journal,
    pub checkpoint: CheckpointState,
    pub partitions: Vec<Partition>,
    /// Cuts that must be journaled and flushed before the first append.
    pub cuts: Vec<(u32, Place)>,
    pub bytes_read: u64,
    pub groups: u64,
}

/// Where the next section goes.
#[derive(Debug)]
pub struct CheckpointState {
    pub files: [FileId; 2],
    pub allocated: [u64; 2],
    pub current: usize,
    pub generation: u64,
    /// Number of the next section; 0: nothing valid yet, begin with a full one.
    pub number: u32,
    pub at: u64,
    pub full_bytes: u64,
}

/// Where replay begins, and the CRC that the group there names. Without the CRC, a stale group would pass: one that an
/// earlier start wrote past its first torn group, just where head stands now.
#[derive(Clone, Copy, Default, Debug)]
struct Head {
    position: JournalPosition,
    prev_crc: u32,
}

impl Head {
    fn of(section: &Section) -> Head {
        Head {
            position: section.head,
            prev_crc: section.head_prev_crc,
        }
    }
}

/// What is read of a journal file to see its first group, where that is a small one.
const PROBE_BYTES: usize = 64 << 10;

fn failed(what: &str) -> impl FnOnce(DiskError) -> Fatal + use<> {
    let what = what.to_owned();
    move |error| Fatal::Disk {
        what,
        errno: error.errno,
    }
}

/// Raises the shard's start number durably and returns it.
async fn raise_start(flow: &Flow, files: &ShardFiles) -> Result<u64, Fatal> {
    let path = format!("{}/start", files.directory);
    let temporary = format!("{path}.new");
    let before = match flow.open(&path, false, true).await {
        Ok(file) => {
            let bytes = flow
                .read(file, 0, buffers::aligned(BLOCK))
                .await
                .map_err(failed("read start number"))?;
            flow.close(file)
                .await
                .map_err(failed("close start number"))?;
            parse_start(&bytes)
                .ok_or_else(|| Fatal::Damaged(format!("{path}: start number unreadable")))?
        }
        Err(DiskError::NOT_FOUND) => 0,
        Err(error) => return Err(failed("open start number")(error)),
    };
    let start = before + 1;
    let mut block = buffers::aligned(BLOCK);
    block.extend_from_slice(b"CLST\x00\x03\x00\x01");
    block.extend_from_slice(&start.to_be_bytes());
    let crc = crc32c::crc32c(&block);
    block.extend_from_slice(&crc.to_be_bytes());
    block.resize(BLOCK, 0);
    let file = flow
        .open(&temporary, true, true)
        .await
        .map_err(failed("create start number"))?;
    flow.write(file, 0, block.freeze())
        .await
        .map_err(failed("write start number"))?;
    flow.flush(file)
        .await
        .map_err(failed("flush start number"))?;
    flow.close(file)
        .await
        .map_err(failed("close start number"))?;
    flow.rename(&temporary, &path)
        .await
        .map_err(failed("rename start number"))?;
    flow.sync_directory(&files.directory)
        .await
        .map_err(failed("sync shard directory"))?;
    Ok(start)
}

fn parse_start(bytes: &[u8]) -> Option<u64> {
    let fields = bytes.get(..16)?;
    let crc = u32::from_be_bytes(bytes.get(16..20)?.try_into().ok()?);
    (fields.starts_with(b"CLST\x00\x03\x00\x01") && crc32c::crc32c(fields) == crc)
        .then(|| u64::from_be_bytes(fields[8..16].try_into().expect("eight bytes")))
}

/// Opens or creates the journal's files; a new one is reserved, the first also filled, so that writes overwrite.
async fn open_journal(
    flow: &Flow,
    files: &ShardFiles,
    limits: &Limits,
) -> Result<Vec<JournalFile>, Fatal> {
    let listing = flow
        .list(&files.directory)
        .await
        .map_err(failed("list shard directory"))?;
    let mut open = Vec::new();
    for number in 0..limits.journal_files {
        let name = format!("journal-{number}");
        let path = format!("{}/{name}", files.directory);
        let length = listing
            .iter()
            .find(|e| e.name == name)
            .map_or(0, |e| e.length);
        let file = flow.open(&path, true, true).await.map_err(failed(&path))?;
        if length < limits.journal_file_bytes {
            flow.allocate(file, 0, limits.journal_file_bytes)
                .await
                .map_err(failed(&path))?;
            if number == 0 {
                let zeros = buffers::aligned(1 << 20);
                let mut zeros = zeros;
                zeros.resize((1 << 20).min(limits.journal_file_bytes as usize), 0);
                let zeros = zeros.freeze();
                for at in (0..limits.journal_file_bytes).step_by(zeros.len()) {
                    flow.write(file, at, zeros.clone())
                        .await
                        .map_err(failed(&path))?;
                }
            }
            flow.flush(file).await.map_err(failed(&path))?;
        }
        let fresh = length == 0;
        open.push(JournalFile { file, fresh });
    }
    flow.sync_directory(&files.directory)
        .await
        .map_err(failed("sync shard directory"))?;
    Ok(open)
}

/// One of the ring's files; a fresh one holds nothing to be read.
struct JournalFile {
    file: FileId,
    fresh: bool,
}

/// The newest valid checkpoint: its sections' records in order, its head, and where to go on.
async fn read_checkpoints(
    flow: &Flow,
    files: &ShardFiles,
    limits: &Limits,
    bytes_read: &mut u64,
) -> Result<(CheckpointState, Head, Vec<Bytes>), Fatal> {
    let listing = flow
        .list(&files.directory)
        .await
        .map_err(failed("list shard directory"))?;
    let mut open = Vec::new();
    let mut best: Option<(CheckpointState, Head, Vec<Bytes>)> = None;
    let mut lengths = [0; 2];
    for (number, allocated) in lengths.iter_mut().enumerate() {
        let name = format!("checkpoint-{number}");
        let path = format!("{}/{name}", files.directory);
        *allocated = listing
            .iter()
            .find(|e| e.name == name)
            .map_or(0, |e| e.length);
        let file = flow.open(&path, true, true).await.map_err(failed(&path))?;
        open.push(file);
        if *allocated == 0 {
            flow.allocate(file, 0, limits.checkpoint_bytes)
                .await
                .map_err(failed(&path))?;
            flow.flush(file).await.map_err(failed(&path))?;
            *allocated = limits.checkpoint_bytes;
            continue;
        }
        // What kill -9 left readable need not be on disk, and the ring is reused on the word of what is read here.
        flow.flush(file).await.map_err(failed(&path))?;
        let bytes = flow
            .read(file, 0, buffers::aligned(*allocated as usize))
            .await
            .map_err(failed(&path))?;
        *bytes_read += bytes.len() as u64;
        let Some((state, head, records)) = sections(&bytes.freeze(), files.id.directory, number)
        else {
            continue;
        };
        if best
            .as_ref()
            .is_none_or(|(b, ..)| b.generation < state.generation)
        {
            best = Some((state, head, records));
        }
    }
    flow.sync_directory(&files.directory)
        .await
        .map_err(failed("sync shard directory"))?;
    let files = [open[0], open[1]];
    let fresh = CheckpointState {
        files,
        allocated: lengths,
        current: 0,
        generation: 0,
        number: 0,
        at: 0,
        full_bytes: 0,
    };
    Ok(match best {
        Some((state, head, records)) => (
            CheckpointState {
                files,
                allocated: lengths,
                ..state
            },
            head,
            records,
        ),
        None => (fresh, Head::default(), Vec::new()),
    })
}

/// Reads the valid sections of one checkpoint file.
fn sections(
    bytes: &Bytes,
    directory: [u8; 16],
    current: usize,
) -> Option<(CheckpointState, Head, Vec<Bytes>)> {
    let (first, records) = checkpoint::parse_section(bytes, directory)?;
    if first.number != 0 {
        return None;
    }
    let mut all = vec![records];
    let mut head = Head::of(&first);
    let mut at = group::pad(first.length as usize);
    let mut number = 1;
    while at < bytes.len() {
        let follows = |s: &Section| s.generation == first.generation && s.number == number;
        let Some((section, records)) =
            checkpoint::parse_section(&bytes.slice(at..), directory).filter(|(s, _)| follows(s))
        else {
            break;
        };
        all.push(records);
        head = Head::of(&section);
        at += group::pad(section.length as usize);
        number += 1;
    }
    let state = CheckpointState {
        files: [FileId(0); 2],
        allocated: [0; 2],
        current,
        generation: first.generation,
        number,
        at: at as u64,
        full_bytes: u64::from(first.length),
    };
    Some((state, head, all))
}

/// The groups to be replayed, where the journal ends, and the CRC the next group must name.
struct Chain {
    groups: Vec<(GroupHeader, Bytes)>,
    next: JournalPosition,
    prev_crc: u32,
}

/// What the ring's files hold.
#[derive(Default)]
struct Ring {
    /// Of every valid group, of whatever start and lap: its file and its header.
    headers: Vec<(usize, GroupHeader)>,
    /// By position: those at or past head that stand where their position says.
    groups: BTreeMap<u64, (GroupHeader, Bytes)>,
}

/// Reads the ring file by file through one buffer; what may be replayed is kept. See [`interesting`] for what is left
/// unread.
async fn read_ring(
    flow: &Flow,
    files: &[JournalFile],
    head: Head,
    id: JournalId,
    limits: &Limits,
    arena: &mut Arena,
    bytes_read: &mut u64,
) -> Result<Ring, Fatal> {
    let mut ring = Ring::default();
    let mut buffer = BytesMut::new();
    for (number, journal) in files
        .iter()
        .enumerate()
        .filter(|(_, journal)| !journal.fresh)
    {
        let unreadable = || failed(&format!("read journal-{number}"));
        let first = first_group(flow, journal.file, id, limits, bytes_read)
            .await
            .map_err(unreadable())?;
        let Some(from) = interesting(first.as_ref(), head, limits.journal_file_bytes) else {
            continue;
        };
        if buffer.capacity() == 0 {
            buffer = buffers::aligned(limits.journal_file_bytes as usize);
        }
        buffer.clear();
        buffer = flow
            .read(journal.file, from, buffer)
            .await
            .map_err(unreadable())?;
        *bytes_read += buffer.len() as u64;
        let mut at = 0;
        while at < buffer.len() {
            let Some(header) = group::parse_group(&buffer[at..], id) else {
                at += BLOCK;
                continue;
            };
            let position = header.position.0;
            let place =
                position / limits.journal_file_bytes * limits.journal_file_bytes + from + at as u64;
            let lap = (position / limits.journal_file_bytes) as usize % files.len();
            if position >= head.position.0 && place == position && lap == number {
                let length = header.length as usize;
                let mut bytes = arena.take(length);
                bytes.extend_from_slice(&buffer[at..at + length]);
                ring.groups.insert(position, (header, bytes.freeze()));
            }
            ring.headers.push((number, header));
            at += header.padded() as usize;
        }
    }
    Ok(ring)
}

/// The group at the begin of a journal file, if there is a whole one.
async fn first_group(
    flow: &Flow,
    file: FileId,
    id: JournalId,
    limits: &Limits,
    bytes_read: &mut u64,
) -> Result<Option<GroupHeader>, DiskError> {
    for bytes in [PROBE_BYTES, limits.group_bytes_max] {
        let bytes = flow.read(file, 0, buffers::aligned(bytes)).await?;
        *bytes_read += bytes.len() as u64;
        if let Some(header) = group::parse_group(&bytes, id) {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// From where on a file of the ring must be read, by its first group. A lap enters a file with that group, so a whole
/// one from before head says that the file holds nothing newer: no group to be replayed, and none that could say of one
/// at or past head that it had been flushed. A file that begins with anything else is read whole.
///
/// ```text
///    file 0              file 1              file 2              file 3
///   │ older          │  │ older     head ▓▓▓│  │▓▓▓▓▓▓▓ end older│  │ older          │
///     first group only               ╰ read ──────── all ───────╯     first group only
/// ```
fn interesting(first: Option<&GroupHeader>, head: Head, file_bytes: u64) -> Option<u64> {
    match first {
        Some(first) if first.position < head.position => {
            let same = first.position.0 / file_bytes == head.position.0 / file_bytes;
            same.then_some(head.position.0 % file_bytes)
        }
        _ => Some(0),
    }
}

/// Walks the ring from `head`. See the first table above.
fn walk(mut ring: Ring, file_bytes: u64, head: Head) -> Result<Chain, Fatal> {
    let mut chain = Chain {
        groups: Vec::new(),
        next: head.position,
        prev_crc: head.prev_crc,
    };
    loop {
        let last_start = chain.groups.last().map_or(0, |(last, _)| last.start);
        let prev_crc = chain.prev_crc;
        let mut valid = |position: u64| {
            let (header, _) = ring.groups.get(&position)?;
            let follows = header.prev_crc == prev_crc && header.start >= last_start;
            follows.then(|| ring.groups.remove(&position)).flatten()
        };
        let next = chain.next.0;
        let found = valid(next).or_else(|| {
            (!next.is_multiple_of(file_bytes))
                .then(|| valid(next.next_multiple_of(file_bytes)))
                .flatten()
        });
        let Some((header, bytes)) = found else { break };
        chain.next = header.end();
        chain.prev_crc = header.crc;
        chain.groups.push((header, bytes));
    }
    for (number, header) in ring.headers {
        if header.flushed_through > chain.next {
            return Err(Fatal::Damaged(format!(
                "journal-{number}: the group at position {} is not readable, but the one at {} says that \
                 everything below {} was flushed; nothing was cut",
                chain.next.0, header.position.0, header.flushed_through.0
            )));
        }
    }
    Ok(chain)
}

/// Opens one shard's storage. `fresh` makes the partition in its first state, or `None` for one that is not this
/// shard's any more.
pub async fn open_shard(
    flow: &Flow,
    files: &ShardFiles,
    limits: &Limits,
    arena: &mut Arena,
    owned: Vec<Partition>,
) -> Result<Recovered, Fatal> {
    let start = raise_start(flow, files).await?;
    let journal_files = open_journal(flow, files, limits).await?;
    let mut bytes_read = 0;
    let (checkpoint, head, sections) =
        read_checkpoints(flow, files, limits, &mut bytes_read).await?;

    let mut partitions = owned;
    partitions.sort_by_key(|p| p.id);
    let slots: BTreeMap<TopicPartition, u32> = partitions
        .iter()
        .enumerate()
        .map(|(slot, p)| (p.id, slot as u32))
        .collect();
    for mut records in sections {
        while !records.is_empty() {
            let damaged =
                |what: &str| Fatal::Damaged(format!("{}/checkpoint: {what}", files.directory));
            let (id, body) = checkpoint::next_record(&mut records).map_err(damaged)?;
            if let Some(slot) = slots.get(&id) {
                checkpoint::apply_record(&mut partitions[*slot as usize], body).map_err(damaged)?;
            }
        }
    }

    let ring = read_ring(
        flow,
        &journal_files,
        head,
        files.id,
        limits,
        arena,
        &mut bytes_read,
    )
    .await?;
    let chain = walk(ring, limits.journal_file_bytes, head)?;

    let mut replay = Replay::new(partitions, slots);
    replay.note_ends(&chain)?;
    let mut journal = Journal::new(
        JournalStart {
            id: files.id,
            start,
            files: journal_files.iter().map(|journal| journal.file).collect(),
            file_bytes: limits.journal_file_bytes,
            // The checkpoint may name the end of a file whose next group went to the next one: that file was free, and
            // may be in use again.
            head: chain
                .groups
                .first()
                .map_or(head.position, |(h, _)| h.position),
            next: chain.next,
            prev_crc: chain.prev_crc,
        },
        limits.group_bytes_max,
    );
    let flushed_through = chain
        .groups
        .iter()
        .map(|(h, _)| h.flushed_through)
        .max()
        .unwrap_or_default();
    let groups = chain.groups.len() as u64;
    for (header, bytes) in chain.groups {
        let entries = group::parse_entries(&bytes).map_err(|what| {
            Fatal::Damaged(format!("journal group at {}: {what}", header.position.0))
        })?;
        let seq = journal.open_seq();
        let mut touched = Vec::new();
        for entry in entries {
            let verify = header.position >= flushed_through;
            bytes_read += replay
                .apply(flow, &bytes, entry, seq, verify, &mut touched)
                .await?;
        }
        journal.adopt(&header, bytes, touched);
    }
    replay.trim()?;
    replay.check_ends()?;

    // What kill -9 left readable need not be on disk: everything the log now rests on is flushed before the first append.
    for (number, journal) in journal_files.iter().enumerate() {
        flow.flush(journal.file)
            .await
            .map_err(failed(&format!("flush journal-{number}")))?;
    }
    replay.write_mixed_blocks(flow, &journal, limits).await?;
    let Replay {
        mut partitions,
        cuts,
        ..
    } = replay;
    for p in &mut partitions {
        p.high_watermark = p.next;
    }
    Ok(Recovered {
        journal,
        checkpoint,
        partitions,
        cuts,
        bytes_read,
        groups,
    })
}

/// The second table above.
struct Replay {
    partitions: Vec<Partition>,
    slots: BTreeMap<TopicPartition, u32>,
    ended: Vec<bool>,
    /// Per partition: ordinals of cut entries and what they cut.
    cut_at: BTreeMap<u32, Vec<(u64, Place)>>,
    /// Per partition: the highest log start of all.
    starts: Vec<Offset>,
    ordinal: u64,
    cuts: Vec<(u32, Place)>,
    /// Partitions with straight batches, whose mixed blocks are only in the journal.
    straight: Vec<u32>,
}

impl Replay {
    fn new(partitions: Vec<Partition>, slots: BTreeMap<TopicPartition, u32>) -> Replay {
        let ended = vec![false; partitions.len()];
        let starts = partitions.iter().map(|p| p.log_start).collect();
        Replay {
            partitions,
            starts,
            slots,
            ended,
            cut_at: BTreeMap::new(),
            ordinal: 0,
            cuts: Vec::new(),
            straight: Vec::new(),
        }
    }

    /// Finds every cut before anything is applied, as producer state cannot be taken back; and every log start, as what
    /// lies below one that comes later may be gone already.
    fn note_ends(&mut self, chain: &Chain) -> Result<(), Fatal> {
        let mut ordinal = 0;
        for (header, bytes) in &chain.groups {
            let entries = group::parse_entries(bytes).map_err(|what| {
                Fatal::Damaged(format!("journal group at {}: {what}", header.position.0))
            })?;
            for entry in entries {
                if let Some(slot) = self.slots.get(&entry.place().partition) {
                    match entry {
                        Entry::Cut { place, .. } => {
                            let cuts = self.cut_at.entry(*slot).or_default();
                            cuts.push((ordinal, place));
                        }
                        Entry::LogStart { offset, .. } => {
                            let start = &mut self.starts[*slot as usize];
                            *start = offset.max(*start);
                        }
                        Entry::Bytes { .. } | Entry::Pointer { .. } => {}
                    }
                }
                ordinal += 1;
            }
        }
        Ok(())
    }

    /// Applies one entry; returns the bytes read for it.
    async fn apply(
        &mut self,
        flow: &Flow,
        group: &Bytes,
        entry: Entry,
        seq: GroupSeq,
        verify: bool,
        touched: &mut Vec<u32>,
    ) -> Result<u64, Fatal> {
        let ordinal = self.ordinal;
        self.ordinal += 1;
        let place = *entry.place();
        let Some(&slot) = self.slots.get(&place.partition) else {
            return Ok(0);
        };
        let cut_later = self.cut_at.get(&slot).is_some_and(|cuts| {
            cuts.iter().any(|(at, cut)| {
                *at > ordinal && (cut.segment, cut.position) <= (place.segment, place.position)
            })
        });
        if touched.last() != Some(&slot) {
            touched.push(slot);
        }
        let p = &mut self.partitions[slot as usize];
        match entry {
            Entry::Cut { .. } => self.ended[slot as usize] = false,
            Entry::LogStart { offset, .. } => p.log_start = p.log_start.max(offset),
            _ if cut_later || self.ended[slot as usize] => {}
            Entry::Bytes { batch, .. } => {
                let header = parse_header(&batch, batch.len(), &place)?;
                let start = batch.as_ptr() as usize - group.as_ptr() as usize;
                let source = Source::Group {
                    start: start as u32,
                };
                settle_batch(p, &header, place, seq, source, None)?;
            }
            Entry::Pointer {
                length,
                header,
                front,
                back,
                ..
            } => {
                let parsed = parse_header(&header, length as usize, &place)?;
                let gone = parsed.base_offset < self.starts[slot as usize];
                if verify && !gone {
                    let (read, good) =
                        verify_pointer(flow, &place, length, &header, &front, &back).await?;
                    if !good {
                        let (partition, offset) = (place.partition, parsed.base_offset.0);
                        tracing::warn!(%partition, offset, "unclean stop: a batch that no flush covers is not whole; the log ends before it");
                        self.ended[slot as usize] = true;
                        self.cuts.push((slot, place));
                        return Ok(read);
                    }
                    return self
                        .settle_pointer(slot, &parsed, place, length, seq, front, back)
                        .map(|()| read);
                }
                self.settle_pointer(slot, &parsed, place, length, seq, front, back)?;
            }
        }
        Ok(0)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one parsed entry")]
    fn settle_pointer(
        &mut self,
        slot: u32,
        header: &BatchHeader,
        place: Place,
        length: u32,
        seq: GroupSeq,
        front: Bytes,
        back: Bytes,
    ) -> Result<(), Fatal> {
        let begin = place.position.0 + front.len() as u64;
        let end = place.position.0 + u64::from(length) - back.len() as u64;
        let source = Source::Ends { front, back };
        settle_batch(
            &mut self.partitions[slot as usize],
            header,
            place,
            seq,
            source,
            Some((begin, end)),
        )?;
        if !self.straight.contains(&slot) {
            self.straight.push(slot);
        }
        Ok(())
    }

    /// What lies below the log starts goes.
    fn trim(&mut self) -> Result<(), Fatal> {
        for p in &mut self.partitions {
            p.trim_replayed().map_err(|what| {
                Fatal::Damaged(format!(
                    "{}: {what}: {} and {}",
                    p.id, p.log_start.0, p.next.0
                ))
            })?;
        }
        Ok(())
    }

    /// What the checkpoint knows must still be in memory or in the segment.
    fn check_ends(&self) -> Result<(), Fatal> {
        for p in &self.partitions {
            for s in &p.segments {
                let reached = p
                    .extents
                    .end_below(s.base, GroupSeq(u64::MAX))
                    .unwrap_or(s.disk_end);
                if reached.max(s.disk_end) < s.end {
                    return Err(Fatal::Damaged(format!(
                        "{}: the checkpoint says {} bytes, the journal and the file reach {reached}",
                        segment::path(p.id, s.base),
                        s.end
                    )));
                }
            }
        }
        Ok(())
    }

    /// Straight batches share their first and last blocks with neighbours: those blocks are written, and every segment
    /// that a pointer names is flushed.
    async fn write_mixed_blocks(
        &mut self,
        flow: &Flow,
        journal: &Journal,
        limits: &Limits,
    ) -> Result<(), Fatal> {
        let below = journal.open_seq();
        let mut jobs = Vec::new();
        for &slot in &self.straight {
            jobs.push(write_back::plan(
                &self.partitions[slot as usize],
                slot,
                below,
                journal,
                limits,
            ));
        }
        let done = write_back::write_back_all(flow, jobs).await?;
        for job in done {
            let p = &mut self.partitions[job.slot as usize];
            write_back::settle_job(p, &job);
        }
        for &slot in &self.straight {
            let p = &mut self.partitions[slot as usize];
            let ends: Vec<_> = p.segments.iter().map(|s| (s.base, s.disk_end)).collect();
            let disk_end = |base| {
                ends.iter()
                    .find(|(b, _)| *b == base)
                    .map_or(0, |(_, end)| *end)
            };
            p.extents.release(below, disk_end, journal);
        }
        Ok(())
    }
}

fn parse_header(bytes: &[u8], length: usize, place: &Place) -> Result<BatchHeader, Fatal> {
    BatchHeader::parse(bytes)
        .ok()
        .filter(|header| header.total_bytes() == length)
        .ok_or_else(|| {
            Fatal::Damaged(format!(
                "journal entry of {} at {} is no batch",
                place.partition, place.position.0
            ))
        })
}

/// Applies a batch whose bytes are at hand: to the state where it is new, to memory where the segment lacks it.
fn settle_batch(
    p: &mut Partition,
    header: &BatchHeader,
    place: Place,
    seq: GroupSeq,
    source: Source,
    direct: Option<(u64, u64)>,
) -> Result<(), Fatal> {
    let position = place.position.0;
    let end = position + header.total_bytes() as u64;
    if place.segment > p.active().base && position == 0 && place.segment == p.next {
        p.roll();
    }
    let active = p.active();
    if (place.segment, position) == (active.base, active.end) {
        if header.base_offset != p.next {
            return Err(Fatal::Damaged(format!(
                "{}: journal entry with offset {} where the log ends at {}",
                p.id, header.base_offset.0, p.next.0
            )));
        }
        p.note(header, place, seq, source, direct);
        return Ok(());
    }
    if (place.segment, end) > (active.base, active.end) {
        return Err(Fatal::Damaged(format!(
            "{}: journal entry at {position} of segment {}, but the log ends at {} of segment {}",
            p.id, place.segment.0, active.end, active.base.0
        )));
    }
    // Known to the checkpoint. Its bytes are kept where they continue what is in memory.
    let Some(known) = p.segment(place.segment) else {
        return Ok(());
    };
    let extent = Extent {
        segment: place.segment,
        position,
        length: header.total_bytes() as u32,
        base_offset: header.base_offset,
        next_offset: Offset(header.last_offset().0 + 1),
        whole: true,
        group: seq,
        source,
        direct,
    };
    let continues = match p.extents.is_empty() {
        true => position <= known.disk_end,
        false => p.extents.follows(&extent),
    };
    if end > known.disk_end && continues {
        p.extents.push(extent);
    }
    Ok(())
}

/// Whether the segment holds the batch that a pointer names.
async fn verify_pointer(
    flow: &Flow,
    place: &Place,
    length: u32,
    header: &[u8],
    front: &[u8],
    back: &[u8],
) -> Result<(u64, bool), Fatal> {
    let path = segment::path(place.partition, place.segment);
    let begin = place.position.0 + front.len() as u64;
    let end = place.position.0 + u64::from(length) - back.len() as u64;
    let file = match flow.open(&path, false, true).await {
        Ok(file) => file,
        Err(DiskError::NOT_FOUND) => return Ok((0, false)),
        Err(error) => return Err(failed(&path)(error)),
    };
    let body = flow
        .read(file, begin, buffers::aligned((end - begin) as usize))
        .await
        .map_err(failed(&path))?;
    flow.close(file).await.map_err(failed(&path))?;
    let read = body.len() as u64;
    if read < end - begin {
        return Ok((read, false));
    }
    let mut whole = BytesMut::with_capacity(length as usize);
    whole.extend_from_slice(front);
    whole.extend_from_slice(&body[..(end - begin) as usize]);
    whole.extend_from_slice(back);
    let same = whole.get(..header.len()) == Some(header);
    Ok((
        read,
        same && batch::verify(&whole).is_ok_and(|h| h.total_bytes() == length as usize),
    ))
}
