//! The journal's format: groups of entries, as bytes.
//!
//! ```text
//!  group   ┌──────────────────────── header, 64 bytes ───────────────────────┬─────────┬─────────┬── … ──┬─ zeros ─┐
//!          │ magic kind version length crc │ directory │ journal prev_crc     │ entry   │ entry   │       │ to 4 KiB│
//!          │ start │ position │ flushed_through                               │         │         │       │         │
//!          └─────────────────────────────────────────────────────────────────┴─────────┴─────────┴── … ──┴─────────┘
//!  entry   kind, topic, partition, segment base, segment position, length │ payload
//! ```
//!
//! Kafka's batch CRC covers neither base offset nor leader epoch, so a stale batch in a recycled block could pass it:
//! the group's CRC covers all of it, and the chain of `prev_crc` binds each group to the one it followed.

use bytes::{BufMut, Bytes, BytesMut};

use crate::limits::BLOCK;
use crate::types::{JournalPosition, Offset, SegmentPosition, TopicId, TopicPartition};

/// Bytes before the first entry.
pub const GROUP_HEADER: usize = 64;
/// Bytes before an entry's payload.
pub const ENTRY_HEADER: usize = 48;

/// What a group begins with.
pub const MAGIC: u32 = 0x434c_4a47; // CLJG
const KIND: u16 = 1;
pub(super) const VERSION: u16 = 1;

/// What identifies a journal: a group of another directory, journal or format is not ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalId {
    pub directory: [u8; 16],
    pub number: u32,
}

/// The header of a group without its format fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupHeader {
    pub id: JournalId,
    /// Raised durably before the first write of each start.
    pub start: u64,
    pub position: JournalPosition,
    /// Header and entries, without padding.
    pub length: u32,
    /// Every group below, and every segment byte its pointers name, was flushed when this group was submitted; or a start
    /// since had cut the pointer.
    pub flushed_through: JournalPosition,
    pub prev_crc: u32,
    pub crc: u32,
}

impl GroupHeader {
    /// Bytes on disk: whole blocks.
    pub fn padded(&self) -> u64 {
        pad(self.length as usize) as u64
    }

    /// Where the next group begins, unless it begins the next file.
    pub fn end(&self) -> JournalPosition {
        JournalPosition(self.position.0 + self.padded())
    }
}

/// Up to the next whole block.
pub fn pad(bytes: usize) -> usize {
    bytes.next_multiple_of(BLOCK)
}

/// Where an entry belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub partition: TopicPartition,
    /// Base offset of the segment.
    pub segment: Offset,
    pub position: SegmentPosition,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// One batch, as it stands in the segment from `place.position` on.
    Bytes { place: Place, batch: Bytes },
    /// One batch that was written straight to the segment, but for the partial blocks at both ends, which are here.
    Pointer {
        place: Place,
        length: u32,
        header: Bytes,
        front: Bytes,
        back: Bytes,
    },
    /// The partition's log ends here: what replay accepted before, a failed pointer and everything after it excluded.
    Cut { place: Place, next_offset: Offset },
    /// Records below `offset` are gone.
    LogStart { place: Place, offset: Offset },
}

impl Entry {
    pub fn place(&self) -> &Place {
        match self {
            Entry::Bytes { place, .. }
            | Entry::Pointer { place, .. }
            | Entry::Cut { place, .. }
            | Entry::LogStart { place, .. } => place,
        }
    }
}

const BYTES: u8 = 1;
const POINTER: u8 = 2;
const CUT: u8 = 3;
const LOG_START: u8 = 4;

/// Appends an entry's header for a payload of `length` bytes; the payload follows.
fn put_entry(to: &mut BytesMut, kind: u8, place: &Place, length: usize) {
    to.put_u8(kind);
    to.put_bytes(0, 3);
    to.put_i32(place.partition.partition);
    to.put_slice(&place.partition.topic.0);
    to.put_i64(place.segment.0);
    to.put_u64(place.position.0);
    to.put_u32(u32::try_from(length).expect("an entry fits its group"));
    to.put_u32(0);
}

/// Begins a *bytes* entry; the caller appends exactly `length` bytes of the batch.
pub fn put_bytes_header(to: &mut BytesMut, place: &Place, length: usize) {
    put_entry(to, BYTES, place, length);
}

/// A *pointer* entry for one batch of `length` bytes: its header, and the partial blocks at both ends.
pub fn put_pointer(
    to: &mut BytesMut,
    place: &Place,
    length: u32,
    header: &[u8],
    front: &[u8],
    back: &[u8],
) {
    put_entry(
        to,
        POINTER,
        place,
        pointer_payload(header.len(), front.len(), back.len()),
    );
    to.put_u32(length);
    to.put_u32(header.len() as u32);
    to.put_u32(front.len() as u32);
    to.put_u32(back.len() as u32);
    to.put_slice(header);
    to.put_slice(front);
    to.put_slice(back);
}

/// Payload bytes of a pointer entry.
pub fn pointer_payload(header: usize, front: usize, back: usize) -> usize {
    16 + header + front + back
}

pub fn put_cut(to: &mut BytesMut, place: &Place, next_offset: Offset) {
    put_entry(to, CUT, place, 8);
    to.put_i64(next_offset.0);
}

pub fn put_log_start(to: &mut BytesMut, place: &Place, offset: Offset) {
    put_entry(to, LOG_START, place, 8);
    to.put_i64(offset.0);
}

/// Writes the header over the first [`GROUP_HEADER`] bytes of a group whose entries are complete and not yet padded.
/// Returns the group's CRC.
pub fn seal(group: &mut [u8], id: JournalId, header: &GroupHeader) -> u32 {
    let (head, _) = group.split_at_mut(GROUP_HEADER);
    let mut at = &mut head[..];
    at.put_u32(MAGIC);
    at.put_u16(KIND);
    at.put_u16(VERSION);
    at.put_u32(header.length);
    at.put_u32(0);
    at.put_slice(&id.directory);
    at.put_u32(id.number);
    at.put_u32(header.prev_crc);
    at.put_u64(header.start);
    at.put_u64(header.position.0);
    at.put_u64(header.flushed_through.0);
    let crc = group_crc(group);
    group[12..16].copy_from_slice(&crc.to_be_bytes());
    crc
}

/// CRC of everything but the CRC field itself.
fn group_crc(group: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&group[..12]), &group[16..])
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Reads the group at the start of `bytes`, if a whole, valid group of this journal stands there.
pub fn parse_group(bytes: &[u8], id: JournalId) -> Option<GroupHeader> {
    // Before the CRC: what clients sent may look like a group at any block, and must not cost a CRC each.
    let ours = array(bytes, 16) == Some(id.directory)
        && array(bytes, 32).map(u32::from_be_bytes) == Some(id.number);
    if !ours {
        return None;
    }
    parse_any_group(bytes)
}

/// As `parse_group`, of whatever journal.
pub fn parse_any_group(bytes: &[u8]) -> Option<GroupHeader> {
    if u32::from_be_bytes(array(bytes, 0)?) != MAGIC
        || u16::from_be_bytes(array(bytes, 4)?) != KIND
        || u16::from_be_bytes(array(bytes, 6)?) != VERSION
    {
        return None;
    }
    let length = u32::from_be_bytes(array(bytes, 8)?);
    if (length as usize) < GROUP_HEADER {
        return None;
    }
    let group = bytes.get(..length as usize)?;
    let header = GroupHeader {
        id: JournalId {
            directory: array(group, 16)?,
            number: u32::from_be_bytes(array(group, 32)?),
        },
        prev_crc: u32::from_be_bytes(array(group, 36)?),
        start: u64::from_be_bytes(array(group, 40)?),
        position: JournalPosition(u64::from_be_bytes(array(group, 48)?)),
        flushed_through: JournalPosition(u64::from_be_bytes(array(group, 56)?)),
        length,
        crc: u32::from_be_bytes(array(group, 12)?),
    };
    (group_crc(group) == header.crc).then_some(header)
}

/// The format of a whole group of this journal that is newer than this version knows. Every format keeps the fields up to
/// the directory where they are, with what the CRC covers.
pub(super) fn newer_format(bytes: &[u8], id: JournalId) -> Option<u16> {
    let format = u16::from_be_bytes(array(bytes, 6)?);
    let ours = u32::from_be_bytes(array(bytes, 0)?) == MAGIC
        && u16::from_be_bytes(array(bytes, 4)?) == KIND
        && array(bytes, 16)? == id.directory;
    if !ours || format <= VERSION {
        return None;
    }
    let length = u32::from_be_bytes(array(bytes, 8)?) as usize;
    let group = bytes.get(..length).filter(|_| length >= 32)?;
    (group_crc(group) == u32::from_be_bytes(array(group, 12)?)).then_some(format)
}

/// Why a file of a newer format is refused, and what can be done.
pub(super) fn newer_than_known(format: u16, known: u16) -> String {
    format!(
        "format {format} is newer than {known}, the newest that this version knows; start a newer Corelane on it, or give \
         another --data-dir"
    )
}

/// The entries of a group whose header was parsed. `Err` names what is malformed: a valid CRC over malformed entries is
/// our bug or damage, never a torn write.
pub fn parse_entries(group: &Bytes) -> Result<Vec<Entry>, &'static str> {
    let mut entries = Vec::new();
    let mut at = GROUP_HEADER;
    while at < group.len() {
        let head = group
            .get(at..at + ENTRY_HEADER)
            .ok_or("entry header cut short")?;
        let place = Place {
            partition: TopicPartition {
                topic: TopicId(array(head, 8).ok_or("entry header")?),
                partition: i32::from_be_bytes(array(head, 4).ok_or("entry header")?),
            },
            segment: Offset(i64::from_be_bytes(array(head, 24).ok_or("entry header")?)),
            position: SegmentPosition(u64::from_be_bytes(array(head, 32).ok_or("entry header")?)),
        };
        let length = u32::from_be_bytes(array(head, 40).ok_or("entry header")?) as usize;
        at += ENTRY_HEADER;
        if group.len() - at < length {
            return Err("entry payload cut short");
        }
        let payload = group.slice(at..at + length);
        at += length;
        entries.push(parse_entry(head[0], place, payload)?);
    }
    Ok(entries)
}

fn parse_entry(kind: u8, place: Place, payload: Bytes) -> Result<Entry, &'static str> {
    match kind {
        BYTES => Ok(Entry::Bytes {
            place,
            batch: payload,
        }),
        POINTER => {
            let word = |at: usize| {
                array(&payload, at)
                    .map(u32::from_be_bytes)
                    .ok_or("pointer cut short")
            };
            let (length, header, front, back) = (
                word(0)?,
                word(4)? as usize,
                word(8)? as usize,
                word(12)? as usize,
            );
            let lengths = 16_usize
                .checked_add(header)
                .and_then(|n| n.checked_add(front));
            if lengths.and_then(|n| n.checked_add(back)) != Some(payload.len())
                || header < crate::limits::BATCH_HEADER
                || front + back > length as usize
            {
                return Err("pointer lengths disagree");
            }
            Ok(Entry::Pointer {
                place,
                length,
                header: payload.slice(16..16 + header),
                front: payload.slice(16 + header..16 + header + front),
                back: payload.slice(16 + header + front..),
            })
        }
        CUT | LOG_START => {
            let offset = Offset(i64::from_be_bytes(
                array(&payload, 0).ok_or("offset entry cut short")?,
            ));
            Ok(if kind == CUT {
                Entry::Cut {
                    place,
                    next_offset: offset,
                }
            } else {
                Entry::LogStart { place, offset }
            })
        }
        _ => Err("unknown kind of entry"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const ID: JournalId = JournalId {
        directory: [7; 16],
        number: 3,
    };

    fn place(position: u64) -> Place {
        Place {
            partition: TopicPartition {
                topic: TopicId([1; 16]),
                partition: 2,
            },
            segment: Offset(40),
            position: SegmentPosition(position),
        }
    }

    fn sample() -> (Bytes, GroupHeader) {
        let mut group = BytesMut::zeroed(GROUP_HEADER);
        put_bytes_header(&mut group, &place(100), 5);
        group.put_slice(b"batch");
        put_pointer(
            &mut group,
            &place(105),
            10_000,
            &[1; 61],
            b"front",
            b"back!",
        );
        put_cut(&mut group, &place(9), Offset(41));
        put_log_start(&mut group, &place(9), Offset(40));
        let mut header = GroupHeader {
            id: ID,
            start: 5,
            position: JournalPosition(8192),
            length: group.len() as u32,
            flushed_through: JournalPosition(4096),
            prev_crc: 77,
            crc: 0,
        };
        header.crc = seal(&mut group, ID, &header);
        (group.freeze(), header)
    }

    #[test]
    fn a_group_reads_back_as_it_was_written() {
        let (group, header) = sample();
        assert_eq!(parse_group(&group, ID), Some(header));
        let entries = parse_entries(&group).expect("well formed");
        assert_eq!(entries.len(), 4);
        assert_eq!(
            entries[0],
            Entry::Bytes {
                place: place(100),
                batch: Bytes::from_static(b"batch")
            }
        );
        let Entry::Pointer {
            length,
            front,
            back,
            ..
        } = &entries[1]
        else {
            panic!("{:?}", entries[1])
        };
        assert_eq!(
            (*length, &front[..], &back[..]),
            (10_000, &b"front"[..], &b"back!"[..])
        );
        assert_eq!(
            entries[2],
            Entry::Cut {
                place: place(9),
                next_offset: Offset(41)
            }
        );
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_seen() {
        let (group, _) = sample();
        for bit in 0..group.len() * 8 {
            let mut damaged = group.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse_group(&damaged, ID), None, "bit {bit}");
        }
        for end in 0..group.len() {
            assert_eq!(parse_group(&group[..end], ID), None, "cut at {end}");
        }
        assert_eq!(parse_group(&group, JournalId { number: 4, ..ID }), None);
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let (group, _) = sample();
        let mut newer = group.to_vec();
        newer[7] = 2;
        assert_eq!(newer_format(&newer, ID), None, "its CRC is wrong");
        let crc = group_crc(&newer);
        newer[12..16].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(
            (parse_group(&newer, ID), newer_format(&newer, ID)),
            (None, Some(2))
        );
        let other = JournalId {
            directory: [8; 16],
            ..ID
        };
        assert_eq!(newer_format(&newer, other), None);
        assert_eq!(newer_format(&group, ID), None);
        for end in 0..newer.len() {
            assert_eq!(newer_format(&newer[..end], ID), None, "cut at {end}");
        }
    }

    #[test]
    fn arbitrary_entries_never_panic() {
        let mut rng = Rng::new(1);
        for _ in 0..20_000 {
            let mut bytes = vec![0; GROUP_HEADER + rng.below(160) as usize];
            bytes
                .iter_mut()
                .for_each(|b| *b = if rng.one_in(3) { 0 } else { rng.below(6) as u8 });
            let _ = parse_entries(&Bytes::from(bytes));
        }
    }
}
