//! The checkpoints as a start finds them: which sections are whole, and where the journal is to be read from.

use bytes::Bytes;

use super::{CheckpointState, ShardFiles, failed};
use crate::disk::FileId;
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::{BLOCK, Limits};
use crate::log::checkpoint::{self, Section};
use crate::log::{buffers, group};
use crate::types::JournalPosition;

/// Where replay begins, and the CRC that the group there names. Without the CRC, a stale group would pass: one that an
/// earlier start wrote past its first torn group, just where head stands now.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Head {
    pub(super) position: JournalPosition,
    pub(super) prev_crc: u32,
}

impl Head {
    fn of(section: &Section) -> Head {
        Head {
            position: section.head,
            prev_crc: section.head_prev_crc,
        }
    }
}

/// The newest valid checkpoint: its sections' records in order, its head, and where to go on.
pub(super) async fn read_checkpoints(
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
    let mut best: Option<Sections> = None;
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
        let found = sections(&bytes.freeze(), files.id.directory, number).map_err(|format| {
            let why = group::newer_than_known(format, checkpoint::VERSION);
            Fatal::Directory(format!("{path}: {why}"))
        })?;
        let newest = best.as_ref().map_or(0, |best| best.state.generation);
        best = match found {
            Some(found) if found.state.generation > newest => Some(found),
            _ => best,
        };
    }
    flow.sync_directory(&files.directory)
        .await
        .map_err(failed("sync shard directory"))?;
    let directory = &files.directory;
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
    let Some(best) = best else {
        return Ok((fresh, Head::default(), Vec::new()));
    };
    for section in &best.second {
        let (file, generation) = (best.state.current, best.state.generation);
        tracing::warn!(%directory, file, generation, section, "a checkpoint's section is damaged: its second copy is used");
    }
    let state = CheckpointState {
        files,
        allocated: lengths,
        ..best.state
    };
    Ok((state, best.head, best.records))
}

/// What one checkpoint file holds.
struct Sections {
    state: CheckpointState,
    head: Head,
    records: Vec<Bytes>,
    /// Numbers of those whose first copy is bad.
    second: Vec<u32>,
}

/// Reads the valid sections of one checkpoint file; `Err`: the format of one that is too new.
fn sections(bytes: &Bytes, directory: [u8; 16], current: usize) -> Result<Option<Sections>, u16> {
    let Some((mut found, first, records)) = next_section(bytes, 0, None, 0, directory)? else {
        return Ok(None);
    };
    let mut all = Sections {
        state: CheckpointState {
            files: [FileId(0); 2],
            allocated: [0; 2],
            current,
            generation: first.generation,
            number: 0,
            at: 0,
            full_bytes: (2 * group::pad(first.length as usize)) as u64,
        },
        head: Head::of(&first),
        records: Vec::new(),
        second: Vec::new(),
    };
    let (mut section, mut records) = (first, records);
    loop {
        let Sections { state, second, .. } = &mut all;
        let length = group::pad(section.length as usize);
        let is_second = found as u64 > state.at;
        if is_second {
            second.push(section.number);
        }
        state.at = (found + if is_second { length } else { 2 * length }) as u64;
        state.number = section.number + 1;
        all.head = Head::of(&section);
        all.records.push(records);
        // Before there were second copies, the next section stood in their place.
        let at = found + length;
        let (generation, number) = (Some(first.generation), all.state.number);
        match next_section(bytes, at, generation, number, directory)? {
            Some(next) => (found, section, records) = next,
            None => return Ok(Some(all)),
        }
    }
}

/// The next whole section of this generation and number, and where it begins. It is looked for block by block: how long a
/// bad first copy is, is not known.
fn next_section(
    bytes: &Bytes,
    from: usize,
    generation: Option<u64>,
    number: u32,
    directory: [u8; 16],
) -> Result<Option<(usize, Section, Bytes)>, u16> {
    for at in (from..bytes.len()).step_by(BLOCK) {
        let rest = bytes.slice(at..);
        match checkpoint::parse_section(&rest, directory) {
            Some((section, records))
                if section.number == number
                    && generation.is_none_or(|wanted| wanted == section.generation) =>
            {
                return Ok(Some((at, section, records)));
            }
            Some(_) => {}
            None => checkpoint::newer_format(&rest, directory).map_or(Ok(()), Err)?,
        }
    }
    Ok(None)
}
