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
//! | checkpoint | what is done |
//! |---|---|
//! | a section's first copy is bad | the second is used, and that is said |
//! | both are bad, or a crash has torn them | the section before counts, or the other file; the journal is replayed from there |
//! | – and it does not reach back so far | damage: a group says that what is missing had been flushed |
//! | none is valid, of a set made by a start with another shard count | damage: there was one before there was a journal |
//! | of a newer format; a group of a newer format | refused by name: it is no damage, and not absent |
//!
//! What is done with one batch of the journal is the table of [`verdict`].

mod replay;
mod ring;
mod sections;
mod verdict;

use std::collections::BTreeMap;

use self::replay::Replay;
use super::buffers::{self, Arena};
use super::checkpoint;
use super::group::{self, JournalId, Place};
use super::journal::{Journal, JournalStart};
use super::partition::Partition;
use crate::disk::{DiskError, FileId};
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::{BLOCK, Limits};
use crate::types::TopicPartition;

/// Of the file with the start number: magic, kind, format.
const START: &[u8; 8] = b"CLST\x00\x03\x00\x01";

/// Where one shard's files are, and whose.
#[derive(Clone, Debug)]
pub struct ShardFiles {
    /// The shard's directory, e.g. `cores-0-2/1`.
    pub directory: String,
    pub id: JournalId,
    /// Made by a start with another shard count, which wrote a checkpoint before there was a journal.
    pub moved: bool,
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
            parse_start(&bytes).ok_or_else(|| start_unreadable(&path, &bytes))?
        }
        Err(DiskError::NOT_FOUND) => 0,
        Err(error) => return Err(failed("open start number")(error)),
    };
    let start = before + 1;
    let mut block = buffers::aligned(BLOCK);
    block.extend_from_slice(START);
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

/// Why there is no start number in these bytes.
fn start_unreadable(path: &str, bytes: &[u8]) -> Fatal {
    match bytes.strip_prefix(&START[..6]) {
        Some([a, b, ..]) if [*a, *b] > [START[6], START[7]] => {
            let [format, known] = [[*a, *b], [START[6], START[7]]].map(u16::from_be_bytes);
            let why = group::newer_than_known(format, known);
            Fatal::Directory(format!("{path}: {why}"))
        }
        _ => Fatal::Damaged(format!("{path}: start number unreadable")),
    }
}

fn parse_start(bytes: &[u8]) -> Option<u64> {
    let fields = bytes.get(..16)?;
    let crc = u32::from_be_bytes(bytes.get(16..20)?.try_into().ok()?);
    (fields.starts_with(START) && crc32c::crc32c(fields) == crc)
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
    let (checkpoint, head, records) =
        sections::read_checkpoints(flow, files, limits, &mut bytes_read).await?;

    if files.moved && checkpoint.number == 0 {
        return Err(Fatal::Damaged(format!(
            "{}: no checkpoint is readable, but one was written before the first group; nothing was touched. Give this \
             node an empty --data-dir and restore it from a copy",
            files.directory
        )));
    }

    let mut partitions = owned;
    partitions.sort_by_key(|p| p.id);
    let slots: BTreeMap<TopicPartition, u32> = partitions
        .iter()
        .enumerate()
        .map(|(slot, p)| (p.id, slot as u32))
        .collect();
    for mut records in records {
        while !records.is_empty() {
            let damaged =
                |what: &str| Fatal::Damaged(format!("{}/checkpoint: {what}", files.directory));
            let (id, body) = checkpoint::next_record(&mut records).map_err(damaged)?;
            if let Some(slot) = slots.get(&id) {
                checkpoint::apply_record(&mut partitions[*slot as usize], body).map_err(damaged)?;
            }
        }
    }

    let ring = ring::read_ring(
        flow,
        &journal_files,
        head,
        files.id,
        limits,
        arena,
        &mut bytes_read,
    )
    .await?;
    let mut chain = ring::walk(ring, limits.journal_file_bytes, head)?;

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
    let groups = chain.groups.len() as u64;
    for (header, bytes) in std::mem::take(&mut chain.groups) {
        let entries = group::parse_entries(&bytes).map_err(|what| {
            Fatal::Damaged(format!("journal group at {}: {what}", header.position.0))
        })?;
        let seq = journal.open_seq();
        let mut touched = Vec::new();
        for entry in entries {
            let flushed = chain.is_flushed(&header);
            bytes_read += replay
                .apply(flow, &bytes, entry, seq, flushed, &mut touched)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_number_with_a_flipped_bit_is_none() {
        let mut bytes = START.to_vec();
        bytes.extend_from_slice(&3_u64.to_be_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        assert_eq!(parse_start(&bytes), Some(3));
        for bit in 0..bytes.len() * 8 {
            let mut rotten = bytes.clone();
            rotten[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse_start(&rotten), None, "bit {bit}");
        }
    }
}
