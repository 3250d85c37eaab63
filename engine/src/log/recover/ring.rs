//! The journal's ring as a start finds it: which groups are there, and how far they follow one another.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::sections::Head;
use super::{JournalFile, failed};
use crate::disk::{DiskError, FileId};
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::{BLOCK, Limits};
use crate::log::buffers::{self, Arena};
use crate::log::group::{self, GroupHeader, JournalId};
use crate::types::JournalPosition;

/// What is read of a journal file to see its first group, where that is a small one.
const PROBE_BYTES: usize = 64 << 10;

/// The groups to be replayed, where the journal ends, and the CRC the next group must name.
pub(super) struct Chain {
    pub(super) groups: Vec<(GroupHeader, Bytes)>,
    pub(super) next: JournalPosition,
    pub(super) prev_crc: u32,
    /// Everything below was flushed, or cut: the most that any group of the chain says.
    flushed_through: JournalPosition,
    /// By start: the most that any of its groups says, also one that nothing leads to any more.
    flushed_by_start: BTreeMap<u64, JournalPosition>,
}

impl Chain {
    /// Whether a group says that this one was flushed, straight bytes and all. One behind a hole is believed for groups of
    /// its own start only: between two starts a pointer may have been cut, and the hole may hold the *cut*.
    pub(super) fn is_flushed(&self, header: &GroupHeader) -> bool {
        let own = self.flushed_by_start.get(&header.start);
        let through = own.copied().unwrap_or_default().max(self.flushed_through);
        header.position < through
    }
}

/// What the ring's files hold.
#[derive(Default)]
pub(super) struct Ring {
    /// Of every valid group, of whatever start and lap: its file and its header.
    headers: Vec<(usize, GroupHeader)>,
    /// By position: those at or past head that stand where their position says.
    groups: BTreeMap<u64, (GroupHeader, Bytes)>,
}

/// Reads the ring file by file through one buffer; what may be replayed is kept. See [`interesting`] for what is left
/// unread.
pub(super) async fn read_ring(
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
            .map_err(unreadable())?
            .map_err(|format| newer(number, format))?;
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
                if let Some(format) = group::newer_format(&buffer[at..], id) {
                    return Err(newer(number, format));
                }
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

/// A group that a newer version wrote cannot be read here, and must not be taken for the journal's end.
fn newer(number: usize, format: u16) -> Fatal {
    Fatal::Directory(format!(
        "journal-{number}: {}",
        group::newer_than_known(format, group::VERSION)
    ))
}

/// The group at the begin of a journal file, if there is a whole one; `Err`: the format of one that is too new.
async fn first_group(
    flow: &Flow,
    file: FileId,
    id: JournalId,
    limits: &Limits,
    bytes_read: &mut u64,
) -> Result<Result<Option<GroupHeader>, u16>, DiskError> {
    for bytes in [PROBE_BYTES, limits.group_bytes_max] {
        let bytes = flow.read(file, 0, buffers::aligned(bytes)).await?;
        *bytes_read += bytes.len() as u64;
        if let Some(header) = group::parse_group(&bytes, id) {
            return Ok(Ok(Some(header)));
        }
        if let Some(format) = group::newer_format(&bytes, id) {
            return Ok(Err(format));
        }
    }
    Ok(Ok(None))
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

/// Walks the ring from `head`. See the first table of the [start](super).
pub(super) fn walk(mut ring: Ring, file_bytes: u64, head: Head) -> Result<Chain, Fatal> {
    let mut chain = Chain {
        groups: Vec::new(),
        next: head.position,
        prev_crc: head.prev_crc,
        flushed_through: JournalPosition::default(),
        flushed_by_start: BTreeMap::new(),
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
        chain.flushed_through = header.flushed_through.max(chain.flushed_through);
        chain.groups.push((header, bytes));
    }
    for (number, header) in ring.headers {
        let own = chain.flushed_by_start.entry(header.start).or_default();
        *own = header.flushed_through.max(*own);
        if header.flushed_through > chain.next {
            return Err(Fatal::Damaged(format!(
                "journal-{number}: the group at position {} is not readable, but the one at {} says that \
                 everything below {} was flushed: it, or the checkpoint that says where to begin, is damaged; nothing \
                 was cut. Give this node an empty --data-dir and restore it from a copy",
                chain.next.0, header.position.0, header.flushed_through.0
            )));
        }
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```text
    ///  start 2 │ pointer │ start 3 recovers, and cuts the pointer │ *cut* │ says that all was flushed │
    ///                                                              torn     valid, but nothing leads to it
    /// ```
    #[test]
    fn a_group_behind_a_hole_is_believed_for_its_own_start_only() {
        let at = |position, start| GroupHeader {
            id: JournalId {
                directory: [0; 16],
                number: 0,
            },
            position: JournalPosition(position),
            start,
            length: 0,
            flushed_through: JournalPosition::default(),
            prev_crc: 0,
            crc: 0,
        };
        let chain = Chain {
            groups: Vec::new(),
            next: JournalPosition(300),
            prev_crc: 0,
            flushed_through: JournalPosition(100),
            flushed_by_start: BTreeMap::from([
                (2, JournalPosition(200)),
                (3, JournalPosition(300)),
            ]),
        };
        let flushed = |position, start| chain.is_flushed(&at(position, start));
        assert!(flushed(50, 1) && flushed(150, 2) && flushed(250, 3));
        assert!(!flushed(150, 1) && !flushed(250, 2) && !flushed(300, 3));
    }
}
