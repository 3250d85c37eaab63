//! A shard's journal as a start walks it, and changed to what a start with a planted bug would take it for.
//!
//! ```text
//!  newest checkpoint ─► head ─► group ─► group ─► end          stale: whatever stands at the end is sealed anew, so that
//!                                                              it follows; bad pointer: its group and all behind it go
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use corelane_engine::batch;
use corelane_engine::limits::BLOCK;
use corelane_engine::log::group::{self, Entry, GroupHeader, Place};
use corelane_engine::log::segment;
use corelane_engine::rng::Rng;
use corelane_engine::types::JournalPosition;

use super::checkpoints;
use crate::sim::disk::FakeDisk;

type Files = BTreeMap<String, Vec<u8>>;

/// A group of the ring: where it stands, and what it is.
#[derive(Clone)]
struct Group {
    file: usize,
    at: usize,
    header: GroupHeader,
    bytes: Bytes,
}

/// The journal of one shard.
struct Ring {
    directory: String,
    files: u64,
    file_bytes: u64,
    groups: Vec<Group>,
    head: JournalPosition,
    head_prev_crc: u32,
}

impl Ring {
    fn path(&self, file: usize) -> String {
        format!("{}/journal-{file}", self.directory)
    }

    fn bytes(&self) -> u64 {
        self.files * self.file_bytes
    }

    /// Where the file of `head` begins its next lap: what lies before is live or free.
    fn end(&self) -> u64 {
        self.head.0 / self.file_bytes * self.file_bytes + self.bytes()
    }

    fn file_end(&self, position: JournalPosition) -> u64 {
        (position.0 / self.file_bytes + 1) * self.file_bytes
    }
}

/// Journals of every shard of every placement; those that are not in use any more do no harm.
fn rings(files: &Files) -> Vec<Ring> {
    let journals = files
        .keys()
        .filter_map(|path| path.strip_suffix("/journal-0"));
    journals
        .filter_map(|directory| ring(files, directory))
        .collect()
}

fn ring(files: &Files, directory: &str) -> Option<Ring> {
    let mut groups = Vec::new();
    let (mut number, mut file_bytes) = (0, 0);
    let journals = (0..).map_while(|n| files.get(&format!("{directory}/journal-{n}")));
    for (file, bytes) in journals.enumerate() {
        (number, file_bytes) = (number + 1, bytes.len() as u64);
        let mut at = 0;
        while at < bytes.len() {
            let Some(header) = group::parse_any_group(&bytes[at..]) else {
                at += BLOCK;
                continue;
            };
            let whole = Bytes::copy_from_slice(&bytes[at..at + header.length as usize]);
            groups.push(Group {
                file,
                at,
                header,
                bytes: whole,
            });
            at += header.padded() as usize;
        }
    }
    let id = groups.first()?.header.id;
    let (head, head_prev_crc) = head(files, directory, id.directory);
    Some(Ring {
        directory: directory.to_owned(),
        files: number,
        file_bytes,
        groups,
        head,
        head_prev_crc,
    })
}

/// The entries of all groups in one write.
pub(super) fn entries(bytes: &Bytes) -> Vec<Entry> {
    let (mut entries, mut at) = (Vec::new(), 0);
    while let Some(header) = group::parse_any_group(&bytes[at..]) {
        let whole = bytes.slice(at..at + header.length as usize);
        entries.extend(group::parse_entries(&whole).unwrap_or_default());
        at += header.padded() as usize;
    }
    entries
}

/// What the newest checkpoint says.
fn head(files: &Files, directory: &str, id: [u8; 16]) -> (JournalPosition, u32) {
    let mut best = (0, JournalPosition(0), 0);
    for file in 0..2 {
        let Some(bytes) = files.get(&format!("{directory}/checkpoint-{file}")) else {
            continue;
        };
        let sections = checkpoints::sections(&Bytes::copy_from_slice(bytes), id);
        if let Some((last, _)) = sections
            .last()
            .filter(|(last, _)| last.generation >= best.0)
        {
            best = (last.generation, last.head, last.head_prev_crc);
        }
    }
    (best.1, best.2)
}

/// The groups that a start replays, and where the next one would be.
fn walk(ring: &Ring) -> (Vec<Group>, JournalPosition, u32) {
    let (mut chain, mut next, mut crc): (Vec<Group>, _, _) =
        (Vec::new(), ring.head, ring.head_prev_crc);
    loop {
        let start = chain.last().map_or(0, |g| g.header.start);
        let follows = |position: u64| {
            ring.groups.iter().find(|g| {
                let h = &g.header;
                stands(ring, g) && h.position.0 == position && h.prev_crc == crc && h.start >= start
            })
        };
        let found = follows(next.0).or_else(|| follows(next.0.next_multiple_of(ring.file_bytes)));
        let Some(group) = found else {
            return (chain, next, crc);
        };
        (next, crc) = (group.header.end(), group.header.crc);
        chain.push(group.clone());
    }
}

/// Whether a group stands where its position says.
fn stands(ring: &Ring, group: &Group) -> bool {
    let position = group.header.position.0;
    position % ring.file_bytes == group.at as u64
        && (position / ring.file_bytes) % ring.files == group.file as u64
}

fn files(disk: &FakeDisk) -> Files {
    let files = disk.files().filter(|(path, _)| !path.ends_with(".tmp"));
    files
        .map(|(path, bytes)| (path.to_owned(), bytes))
        .collect()
}

/// Whatever group stands at a journal's end, and those behind it, are made to follow.
pub(super) fn accept_stale(disk: &mut FakeDisk) {
    for ring in rings(&files(disk)) {
        let (chain, mut next, mut crc) = walk(&ring);
        let mut start = chain.last().map_or(0, |g| g.header.start);
        // Once around at most: what is live is not stale.
        while next.0 < ring.end() {
            let file = (next.0 / ring.file_bytes % ring.files) as usize;
            let at = (next.0 % ring.file_bytes) as usize;
            let stale = ring.groups.iter().find(|g| (g.file, g.at) == (file, at));
            let Some(stale) = stale else { break };
            start = start.max(stale.header.start);
            let header = GroupHeader {
                start,
                position: next,
                flushed_through: stale.header.flushed_through.min(next),
                prev_crc: crc,
                ..stale.header
            };
            let mut bytes = stale.bytes.to_vec();
            crc = group::seal(&mut bytes, header.id, &header);
            bytes.resize(group::pad(bytes.len()), 0);
            disk.overwrite(&ring.path(file), at as u64, &bytes);
            next = header.end();
        }
    }
}

/// Where a group's header says what.
const LENGTH: usize = 8;
const CRC: usize = 12;
const ID: usize = 16;
const PREV_CRC: usize = 36;
const POSITION: usize = 48;

/// A group at a journal's end that was torn, but for its first sector, is made to have the CRC of what is left of it.
pub(super) fn accept_torn(disk: &mut FakeDisk) {
    let files = files(disk);
    for ring in rings(&files) {
        let (_, next, crc) = walk(&ring);
        let path = ring.path((next.0 / ring.file_bytes % ring.files) as usize);
        let at = (next.0 % ring.file_bytes) as usize;
        let Some(mut group) = files[&path].get(at..).map(<[u8]>::to_vec) else {
            continue;
        };
        let id = &ring.groups[0].bytes[ID..PREV_CRC];
        let torn = group[ID..PREV_CRC] == *id
            && group[PREV_CRC..PREV_CRC + 4] == crc.to_be_bytes()
            && group[POSITION..POSITION + 8] == next.0.to_be_bytes();
        if !torn {
            continue;
        }
        let length = group[LENGTH..LENGTH + 4].try_into().expect("4 bytes");
        let padded = group::pad(u32::from_be_bytes(length) as usize);
        if padded > group.len() {
            continue;
        }
        group.truncate(padded);
        let length = u32::from_be_bytes(length) as usize;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&group[..CRC]), &group[CRC + 4..length]);
        group[CRC..CRC + 4].copy_from_slice(&crc.to_be_bytes());
        disk.overwrite(&path, at as u64, &group);
    }
}

/// Where each shard's journal ends, and the CRC of its last group, by the shard's directory.
pub(super) fn ends(disk: &FakeDisk) -> BTreeMap<String, (JournalPosition, u32)> {
    let rings = rings(&files(disk));
    let ends = rings.iter().map(|ring| {
        let (_, next, crc) = walk(ring);
        (ring.directory.clone(), (next, crc))
    });
    ends.collect()
}

/// What a start must not take for the journal's next group: one that is right in every field but one.
#[derive(Clone, Copy)]
enum Wrong {
    /// It is of an earlier lap.
    Position,
    /// It followed another group.
    PrevCrc,
    /// It is of a start before the one that wrote the group it would follow.
    Start,
}

/// A group that must be refused, at the end of every journal; not a planted bug, but what its check is for.
pub(super) fn plant_decoys(disk: &mut FakeDisk, rng: &mut Rng) -> Vec<Decoy> {
    let mut decoys = Vec::new();
    for ring in rings(&files(disk)) {
        let (chain, next, crc) = walk(&ring);
        let start = chain.last().map_or(1, |g| g.header.start);
        let model = &ring.groups[rng.below(ring.groups.len() as u64) as usize];
        let wrong = match rng.below(3) {
            0 if next.0 >= ring.bytes() => Wrong::Position,
            1 if !chain.is_empty() && start > 1 => Wrong::Start,
            _ => Wrong::PrevCrc,
        };
        let position = match wrong {
            Wrong::Position => JournalPosition(next.0 - ring.bytes()),
            Wrong::PrevCrc | Wrong::Start => next,
        };
        let header = GroupHeader {
            position,
            start: match wrong {
                Wrong::Start => start - 1,
                Wrong::Position | Wrong::PrevCrc => start,
            },
            prev_crc: match wrong {
                Wrong::PrevCrc => crc ^ 1,
                Wrong::Position | Wrong::Start => crc,
            },
            flushed_through: model.header.flushed_through.min(position),
            ..model.header
        };
        let mut bytes = model.bytes.to_vec();
        group::seal(&mut bytes, header.id, &header);
        bytes.resize(group::pad(bytes.len()), 0);
        let (at, end) = (
            next.0 % ring.file_bytes,
            ring.end().min(ring.file_end(next)),
        );
        if next.0 + bytes.len() as u64 <= end {
            let file = (next.0 / ring.file_bytes % ring.files) as usize;
            let path = ring.path(file);
            disk.overwrite(&path, at, &bytes);
            decoys.push(Decoy { path, at, bytes });
        }
    }
    decoys
}

/// Where a decoy was put.
#[derive(Clone, Debug)]
pub struct Decoy {
    path: String,
    at: u64,
    bytes: Vec<u8>,
}

/// A decoy that nothing was written over goes before the next start. Behind a new head nothing tells it from a group that
/// follows: it is older than what it is said to follow, which no crash can bring about (seed 1795600914783).
pub(super) fn remove_decoys(disk: &mut FakeDisk, decoys: Vec<Decoy>) {
    for Decoy { path, at, bytes } in decoys {
        let range = at as usize..at as usize + bytes.len();
        let mut files = disk.files();
        let there = files.any(|(name, now)| name == path && now.get(range.clone()) == Some(&bytes));
        drop(files);
        if there {
            disk.overwrite(&path, at, &vec![0; bytes.len()]);
        }
    }
}

/// A pointer that a start must verify and cannot, its group, and everything behind it: gone.
pub(super) fn end_at_bad_pointer(disk: &mut FakeDisk) {
    let files = files(disk);
    for ring in rings(&files) {
        let (chain, ..) = walk(&ring);
        let flushed = chain.iter().map(|g| g.header.flushed_through).max();
        let Some(flushed) = flushed else { continue };
        let bad = chain.iter().find(|g| {
            let entries = group::parse_entries(&g.bytes).unwrap_or_default();
            g.header.position >= flushed && entries.iter().any(|entry| is_bad(&files, entry))
        });
        let Some(bad) = bad else { continue };
        let behind = (ring.groups.iter()).filter(|g| g.header.position >= bad.header.position);
        for group in behind {
            let zeros = vec![0; group.header.padded() as usize];
            disk.overwrite(&ring.path(group.file), group.at as u64, &zeros);
        }
    }
}

fn is_bad(files: &Files, entry: &Entry) -> bool {
    let Entry::Pointer {
        place: Place {
            partition,
            segment,
            position,
        },
        length,
        front,
        back,
        ..
    } = entry
    else {
        return false;
    };
    // A file that is not there may be one of a deleted topic.
    let Some(file) = files.get(&segment::path(*partition, *segment)) else {
        return false;
    };
    let begin = position.0 as usize + front.len();
    let end = position.0 as usize + *length as usize - back.len();
    let Some(body) = file.get(begin..end) else {
        return true;
    };
    batch::verify(&[front, body, back].concat()).is_err()
}
