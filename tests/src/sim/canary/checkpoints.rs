//! Checkpoints as a start finds them, and changed to what a shard, or a start, with a planted bug would have made of them.
//!
//! ```text
//!  cores-<generation>-<shards>/<shard>/checkpoint-<0 or 1>    │ full section │ section │ …   each: header, records
//!  record   length, partition, log start, end, segments with their indexes, carried bytes, epochs, producers, trimmed
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};
use corelane_engine::limits::BLOCK;
use corelane_engine::log::checkpoint::{self, Section};
use corelane_engine::types::JournalPosition;

use super::journal;
use super::records::overwrite;
use crate::sim::disk::FakeDisk;

/// One file: its sections, with their records.
struct Checkpoint {
    path: String,
    directory: [u8; 16],
    sections: Vec<(Section, Bytes)>,
}

/// Where a section names the data directory.
const DIRECTORY: std::ops::Range<usize> = 16..32;

/// The sections of a file that a start takes, with their records. Each is there twice, and either copy will do: the next
/// one is looked for block by block.
pub(super) fn sections(bytes: &Bytes, directory: [u8; 16]) -> Vec<(Section, Bytes)> {
    let mut sections: Vec<(Section, Bytes)> = Vec::new();
    for at in (0..bytes.len()).step_by(BLOCK) {
        let found = checkpoint::parse_section(&bytes.slice(at..), directory);
        let first = sections.first().map(|(full, _)| full.generation);
        sections.extend(found.filter(|(section, _)| {
            section.number as usize == sections.len()
                && first.is_none_or(|generation| generation == section.generation)
        }));
    }
    sections
}

fn checkpoints(disk: &FakeDisk) -> Vec<Checkpoint> {
    let files = disk.files();
    let files = files.filter(|(path, _)| path.contains("/checkpoint-") && !path.ends_with(".new"));
    let checkpoints = files.filter_map(|(path, bytes)| {
        let directory = bytes.get(DIRECTORY)?.try_into().expect("16 bytes");
        Some(Checkpoint {
            path: path.to_owned(),
            directory,
            sections: sections(&bytes.into(), directory),
        })
    });
    checkpoints.collect()
}

impl Checkpoint {
    /// Puts it back, sealed anew; what stood behind it is gone.
    fn put(self, disk: &mut FakeDisk) {
        let mut bytes = Vec::new();
        for (section, records) in self.sections {
            let mut begun = checkpoint::begin_section(records.len());
            begun.extend_from_slice(&records);
            bytes.extend_from_slice(&checkpoint::seal_section(begun, self.directory, section));
        }
        overwrite(disk, &self.path, bytes);
    }
}

/// Every journal is said to be needed from its end on only.
pub(super) fn trim_journals(disk: &mut FakeDisk) {
    let ends = journal::ends(disk);
    for mut checkpoint in checkpoints(disk) {
        let directory = checkpoint
            .path
            .rsplit_once('/')
            .map_or("", |(above, _)| above);
        let end: Option<&(JournalPosition, u32)> = ends.get(directory);
        let (Some((end, crc)), Some((last, _))) = (end, checkpoint.sections.last_mut()) else {
            continue;
        };
        if last.head < *end {
            (last.head, last.head_prev_crc) = (*end, *crc);
            checkpoint.put(disk);
        }
    }
}

/// No partition has producers.
pub(super) fn forget_producers(disk: &mut FakeDisk) {
    change_records(disk, |record| {
        if record.producers.len() > 4 {
            record.producers = Bytes::from_static(&[0; 4]);
        }
    });
}

/// The last entry of every index names the place behind what the segment holds.
pub(super) fn index_past_logs(disk: &mut FakeDisk) {
    const ENTRY: usize = 16;
    const POSITION: std::ops::Range<usize> = 4..8;
    change_records(disk, |record| {
        for (segment, index) in &mut record.segments {
            let end = u64::from_be_bytes(segment[8..16].try_into().expect("8 bytes"));
            let mut changed = index.to_vec();
            // The count of entries stands before the first.
            let Some(last) = changed.len().checked_sub(ENTRY).filter(|at| *at >= 25) else {
                continue;
            };
            changed[last..][POSITION].copy_from_slice(&(end as u32).to_be_bytes());
            *index = changed.into();
        }
    });
}

/// A partition's record in its parts.
struct Record {
    /// Whose it is, where its log begins and ends, and the number of the first segment.
    before: Bytes,
    /// The fixed part of each, and its index.
    segments: Vec<(Bytes, Bytes)>,
    carried: Vec<(Bytes, Bytes)>,
    epochs: Bytes,
    producers: Bytes,
    after: Bytes,
}

const BEFORE: usize = 16 + 4 + 8 + 8 + 4;
const SEGMENT: usize = 5 * 8 + 1;
const CARRIED: usize = 4 * 8 + 1;

fn take(from: &mut Bytes, n: usize) -> Option<Bytes> {
    (from.len() >= n).then(|| from.split_to(n))
}

fn sized(from: &mut Bytes) -> Option<Bytes> {
    let length = take(from, 4)?.get_u32();
    take(from, length as usize)
}

fn many(from: &mut Bytes, fixed: usize) -> Option<Vec<(Bytes, Bytes)>> {
    let count = take(from, 4)?.get_u32();
    (0..count)
        .map(|_| Some((take(from, fixed)?, sized(from)?)))
        .collect()
}

fn put_sized(to: &mut BytesMut, bytes: &[u8]) {
    to.put_u32(bytes.len() as u32);
    to.put_slice(bytes);
}

fn put_many(to: &mut BytesMut, parts: &[(Bytes, Bytes)]) {
    to.put_u32(parts.len() as u32);
    for (fixed, rest) in parts {
        to.put_slice(fixed);
        put_sized(to, rest);
    }
}

impl Record {
    fn parse(mut from: Bytes) -> Option<Record> {
        Some(Record {
            before: take(&mut from, BEFORE)?,
            segments: many(&mut from, SEGMENT)?,
            carried: many(&mut from, CARRIED)?,
            epochs: sized(&mut from)?,
            producers: sized(&mut from)?,
            after: from,
        })
    }

    fn encode(&self) -> BytesMut {
        let mut to = BytesMut::new();
        to.put_slice(&self.before);
        put_many(&mut to, &self.segments);
        put_many(&mut to, &self.carried);
        put_sized(&mut to, &self.epochs);
        put_sized(&mut to, &self.producers);
        to.put_slice(&self.after);
        to
    }
}

fn change_records(disk: &mut FakeDisk, change: impl Fn(&mut Record)) {
    for mut checkpoint in checkpoints(disk) {
        for (_, records) in &mut checkpoint.sections {
            let (mut rest, mut changed) = (records.clone(), BytesMut::new());
            while !rest.is_empty() {
                let record = sized(&mut rest).and_then(Record::parse);
                let mut record = record.expect("a valid section has whole records");
                change(&mut record);
                put_sized(&mut changed, &record.encode());
            }
            *records = changed.freeze();
        }
        checkpoint.put(disk);
    }
}
