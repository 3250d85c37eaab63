//! Checkpoints: what a start needs to know of every partition, so that it reads the journal and nothing else.
//!
//! ```text
//!  file 0  │ full section, generation 7 │ section │ section │ …           two files in turn: the newest generation whose
//!  file 1  │ full section, generation 6 │ section │ …                     full section is valid counts
//!  section   {magic kind version length crc} directory generation number records head │ record │ record │ … │ to 4 KiB
//!            and all of it once more, at once after it
//! ```
//!
//! **Why twice.** The bytes of a partition's last, partial block are in no segment, and once the ring has gone on in no
//! group: a section may be the only place of something acknowledged. So one damaged block must not take a section. Both
//! copies are written with one write and flushed with one flush, before the head moves; a start that finds the first one
//! bad takes the second, and says so. What it cannot tell from damage is a section that a crash has torn: then neither
//! copy was flushed, the head has not moved, and the journal still begins where the section before says. The same is
//! tried when both copies are damaged; only then the ring may have gone on. Then some group says that what the start
//! lacks had been flushed, and the start ends with a named exit: never with a log that is shorter than it was. Scanning
//! the segments would bring back whole blocks only, and a log without its acknowledged end.
//!
//! A record holds the state of one partition at a moment whose groups are all flushed: log start and end, segments, new
//! index entries, epochs, producers, the bytes of groups below `head` that are in no segment yet (less than a block), and
//! the segments below the log start whose files are still to go.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::extent::{Extent, Source};
use super::group::pad;
use super::journal::{GroupSeq, Journal};
use super::partition::Partition;
use super::segment::Segment;
use super::trim::Trimmed;
use super::{buffers, epochs::Epochs, producers::Producers};
use crate::types::{JournalPosition, Offset, TopicId, TopicPartition};

/// What a section begins with.
pub const MAGIC: u32 = 0x434c_434b; // CLCK
const KIND: u16 = 2;
pub(super) const VERSION: u16 = 1;
const HEADER: usize = 60;

/// The header of a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    pub generation: u64,
    /// 0: the full section that begins a file.
    pub number: u32,
    pub records: u32,
    /// The oldest journal position still needed.
    pub head: JournalPosition,
    /// CRC of the group before `head`; 0: there was none.
    pub head_prev_crc: u32,
    pub length: u32,
}

/// Begins a section; records follow, then `seal_section`.
pub fn begin_section(bytes: usize) -> BytesMut {
    let mut section = BytesMut::with_capacity(HEADER + bytes);
    section.resize(HEADER, 0);
    section
}

/// The section, twice.
pub fn seal_section(mut section: BytesMut, directory: [u8; 16], header: Section) -> Bytes {
    let length = section.len();
    let mut at = &mut section[..HEADER];
    at.put_u32(MAGIC);
    at.put_u16(KIND);
    at.put_u16(VERSION);
    at.put_u32(u32::try_from(length).expect("a section is below 4 GiB"));
    at.put_u32(0);
    at.put_slice(&directory);
    at.put_u64(header.generation);
    at.put_u32(header.number);
    at.put_u32(header.records);
    at.put_u64(header.head.0);
    at.put_u32(header.head_prev_crc);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&section[..12]), &section[16..]);
    section[12..16].copy_from_slice(&crc.to_be_bytes());
    let mut aligned = buffers::aligned(2 * pad(length));
    for copies in 1..=2 {
        aligned.extend_from_slice(&section);
        aligned.resize(copies * pad(length), 0);
    }
    aligned.freeze()
}

/// The section at the start of `bytes`, if a whole, valid one of this directory stands there, and its records.
pub fn parse_section(bytes: &Bytes, directory: [u8; 16]) -> Option<(Section, Bytes)> {
    let mut at = bytes.get(..HEADER)?;
    if at.get_u32() != MAGIC || at.get_u16() != KIND || at.get_u16() != VERSION {
        return None;
    }
    let length = at.get_u32();
    let crc = at.get_u32();
    let mut found = [0; 16];
    at.copy_to_slice(&mut found);
    let section = Section {
        generation: at.get_u64(),
        number: at.get_u32(),
        records: at.get_u32(),
        head: JournalPosition(at.get_u64()),
        head_prev_crc: at.get_u32(),
        length,
    };
    let whole = bytes
        .get(..length as usize)
        .filter(|whole| whole.len() >= HEADER)?;
    let counted = crc32c::crc32c_append(crc32c::crc32c(&whole[..12]), whole.get(16..)?);
    (found == directory && counted == crc).then(|| (section, bytes.slice(HEADER..length as usize)))
}

/// The format of a whole section of this directory that is newer than this version knows. As for groups.
pub(super) fn newer_format(bytes: &[u8], directory: [u8; 16]) -> Option<u16> {
    let mut at = bytes.get(..32)?;
    let ours = at.get_u32() == MAGIC && at.get_u16() == KIND;
    let format = at.get_u16();
    if !ours || format <= VERSION || bytes[16..32] != directory {
        return None;
    }
    let length = at.get_u32() as usize;
    let crc = at.get_u32();
    let whole = bytes.get(..length).filter(|_| length >= 32)?;
    let counted = crc32c::crc32c_append(crc32c::crc32c(&whole[..12]), &whole[16..]);
    (counted == crc).then_some(format)
}

const SEALED: u8 = 1;
const COMPLETE: u8 = 2;
const CREATED: u8 = 4;
const ROLLING: u8 = 8;
const WHOLE: u8 = 1;

/// Appends the partition's record. `full`: with everything; otherwise what changed since the last one.
pub fn put_record(
    to: &mut BytesMut,
    p: &Partition,
    below: GroupSeq,
    full: bool,
    journal: &Journal,
) {
    put(to, p, below, full, Some(journal));
}

/// Appends the whole record of a partition whose extents have memory of their own.
pub fn put_carried_record(to: &mut BytesMut, p: &Partition, below: GroupSeq) {
    put(to, p, below, true, None);
}

fn put(to: &mut BytesMut, p: &Partition, below: GroupSeq, full: bool, journal: Option<&Journal>) {
    let begin = to.len();
    to.put_u32(0);
    to.put_slice(&p.id.topic.0);
    to.put_i32(p.id.partition);
    to.put_i64(p.log_start.0);
    to.put_i64(p.next.0);
    let first = if full { 0 } else { p.segments_saved };
    to.put_u32(first as u32);
    to.put_u32((p.segments.len() - first) as u32);
    for s in p.segments.range(first..) {
        let rolling = s.rolling_ms.map_or(0, |_| ROLLING);
        to.put_i64(s.base.0);
        to.put_u64(s.end);
        to.put_u64(s.disk_end);
        to.put_u64(s.allocated);
        to.put_i64(s.rolling_ms.unwrap_or(0));
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        to.put_u8(
            flag(s.sealed, SEALED)
                | flag(s.complete, COMPLETE)
                | flag(s.created, CREATED)
                | rolling,
        );
        let from = if full { 0 } else { s.index_saved };
        put_sized(to, |to| s.index.encode_from(from, to));
    }
    let carried: Vec<&Extent> = p
        .extents
        .iter()
        .skip_while(|e| p.segment(e.segment).is_none_or(|s| e.end() <= s.disk_end))
        .take_while(|e| e.group < below)
        .collect();
    to.put_u32(carried.len() as u32);
    for e in &carried {
        let disk_end = p
            .segment(e.segment)
            .expect("an extent's segment is known")
            .disk_end;
        let skip = disk_end.saturating_sub(e.position).min(u64::from(e.length)) as usize;
        to.put_i64(e.segment.0);
        to.put_u64(e.position + skip as u64);
        to.put_i64(e.base_offset.0);
        to.put_i64(e.next_offset.0);
        to.put_u8(if e.whole && skip == 0 { WHOLE } else { 0 });
        put_sized(to, |to| match (&e.source, journal) {
            (Source::Memory(bytes), _) => to.put_slice(&bytes[skip..]),
            (_, Some(journal)) => to.put_slice(&e.bytes(journal)[skip..]),
            (_, None) => panic!("{e:?} has no memory of its own"),
        });
    }
    put_sized(to, |to| p.epochs.encode(to));
    put_sized(to, |to| p.producers.encode(to));
    to.put_u32(p.trimmed.len() as u32);
    p.trimmed.iter().for_each(|t| to.put_i64(t.base.0));
    patch_length(to, begin);
}

fn put_sized(to: &mut BytesMut, put: impl FnOnce(&mut BytesMut)) {
    let begin = to.len();
    to.put_u32(0);
    put(to);
    patch_length(to, begin);
}

fn patch_length(to: &mut BytesMut, begin: usize) {
    let length = (to.len() - begin - 4) as u32;
    to[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
}

/// Bytes being read; every step says what was missing.
struct Fields(Bytes);

impl Fields {
    fn take(&mut self, n: usize) -> Result<Bytes, &'static str> {
        if self.0.len() < n {
            Err("checkpoint record cut short")
        } else {
            Ok(self.0.split_to(n))
        }
    }
    fn u8(&mut self) -> Result<u8, &'static str> {
        Ok(self.take(1)?.get_u8())
    }
    fn u32(&mut self) -> Result<u32, &'static str> {
        Ok(self.take(4)?.get_u32())
    }
    fn u64(&mut self) -> Result<u64, &'static str> {
        Ok(self.take(8)?.get_u64())
    }
    fn i64(&mut self) -> Result<i64, &'static str> {
        Ok(self.take(8)?.get_i64())
    }
    fn sized(&mut self) -> Result<Bytes, &'static str> {
        let length = self.u32()? as usize;
        self.take(length)
    }
}

/// Takes the next record off `records`: whose it is, and its body for `apply_record`.
pub fn next_record(records: &mut Bytes) -> Result<(TopicPartition, Bytes), &'static str> {
    let mut fields = Fields(records.clone());
    let mut body = Fields(fields.sized()?);
    *records = fields.0;
    let mut topic = [0; 16];
    topic.copy_from_slice(&body.take(16)?);
    let partition = body.take(4)?.get_i32();
    Ok((
        TopicPartition {
            topic: TopicId(topic),
            partition,
        },
        body.0,
    ))
}

/// Folds a record into the partition's state, in the order the records were written.
pub fn apply_record(p: &mut Partition, body: Bytes) -> Result<(), &'static str> {
    let mut fields = Fields(body);
    p.log_start = Offset(fields.i64()?);
    p.next = Offset(fields.i64()?);
    // Whoever wrote the record had let go of these, and counts from there.
    while p.segments.get(1).is_some_and(|s| s.base <= p.log_start) {
        p.segments.pop_front();
    }
    let (first, count) = (fields.u32()? as usize, fields.u32()? as usize);
    if first > p.segments.len() {
        return Err("a checkpoint record leaves segments out");
    }
    let mut old: Vec<Segment> = p.segments.split_off(first).into();
    for _ in 0..count {
        let base = Offset(fields.i64()?);
        let known = old.iter().position(|s| s.base == base);
        let mut s = known.map_or_else(
            || Segment::new(base, p.config.index_interval_bytes),
            |i| old.swap_remove(i),
        );
        s.end = fields.u64()?;
        s.disk_end = fields.u64()?;
        s.allocated = fields.u64()?;
        let rolling = fields.i64()?;
        let flags = fields.u8()?;
        s.rolling_ms = (flags & ROLLING != 0).then_some(rolling);
        (s.sealed, s.complete, s.created) = (
            flags & SEALED != 0,
            flags & COMPLETE != 0,
            flags & CREATED != 0,
        );
        s.index.extend_from(&fields.sized()?).map_err(|d| d.0)?;
        s.index_saved = s.index.len();
        p.segments.push_back(s);
    }
    if p.segments.is_empty() {
        return Err("a checkpoint record without a segment");
    }
    p.extents = Default::default();
    for _ in 0..fields.u32()? {
        let (segment, position) = (Offset(fields.i64()?), fields.u64()?);
        let (base_offset, next_offset) = (Offset(fields.i64()?), Offset(fields.i64()?));
        let whole = fields.u8()? & WHOLE != 0;
        let bytes = fields.sized()?;
        let extent = Extent {
            segment,
            position,
            length: bytes.len() as u32,
            base_offset,
            next_offset,
            whole,
            group: GroupSeq::CARRIED,
            // Less than two blocks: the buffer that it stands in is the whole checkpoint.
            source: Source::Memory(Bytes::copy_from_slice(&bytes)),
            direct: None,
        };
        if p.segment(segment).is_none() || !p.extents.follows(&extent) {
            return Err("a checkpoint record carries bytes from elsewhere");
        }
        p.extents.push(extent);
    }
    p.epochs = Epochs::decode(&fields.sized()?).map_err(|d| d.0)?;
    p.producers = Producers::decode(&fields.sized()?, p.config.producers_max).map_err(|d| d.0)?;
    p.segments_saved = p.segments.iter().take_while(|s| s.complete).count();
    p.trimmed.clear();
    // Records of before there were log starts end here.
    if !fields.0.is_empty() {
        for _ in 0..fields.u32()? {
            p.trimmed.push(Trimmed::new(Offset(fields.i64()?)));
        }
    }
    Ok(())
}
