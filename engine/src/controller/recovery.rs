//! Opening the metadata at a start: what snapshot and log hold, what a crash left unfinished, and what is damage.
//!
//! | newest log | behind its first bad group | reaction |
//! |---|---|---|
//! | its first group is valid | zeros | all of it counts |
//! | its first group is valid | a torn group, nothing valid | the tail is cut off |
//! | any | a valid group | damage: no crash leaves this |
//! | its first group is bad | nothing valid, an older log exists | a roll that did not finish: the older log counts |
//! | its first group is bad | nothing valid, no older log | damage |

use bytes::{Bytes, BytesMut};

use super::codec::CodecError;
use super::command::decode_records;
use super::frame;
use super::image::Image;
use super::log_format::{self, Base, Group, HardState, LogEntry, Place, Snapshot};
use super::metadata_log::{
    DIRECTORY, End, LogEnd, MetadataLimits, TEMPORARY, log_path, snapshot_path,
};
use crate::disk::{DiskError, FileId};
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::BLOCK;
use crate::types::NodeId;

/// One read of a recovery.
const READ_BYTES: usize = 1 << 20;

/// The metadata as found on disk: everything of it is durable.
#[derive(Debug)]
pub struct Recovered {
    /// All committed entries folded in.
    pub image: Image,
    /// Bytes read from disk.
    pub bytes_read: u64,
    pub(crate) limits: MetadataLimits,
    pub(crate) end: End,
    pub(crate) hard: HardState,
    /// The snapshot's place in Raft's log.
    pub(crate) base: Base,
    /// The entries after `base`.
    pub(crate) entries: Vec<LogEntry>,
}

/// What a failed operation was about.
pub(crate) fn failed(what: &str) -> impl Fn(DiskError) -> Fatal + '_ {
    move |error| Fatal::Disk {
        what: what.to_owned(),
        errno: error.errno,
    }
}

fn unreadable(path: &str) -> impl Fn(CodecError) -> Fatal + '_ {
    move |error| match error {
        CodecError::Newer { .. } => Fatal::Directory(format!(
            "{path}: {error}; start a newer Corelane on this directory, or give another --data-dir"
        )),
        CodecError::Short(_) | CodecError::Invalid(_) => Fatal::Damaged(format!("{path}: {error}")),
    }
}

/// The Raft id of a node: its id + 1, for Raft knows no 0.
pub(crate) fn raft_id(node: NodeId) -> u64 {
    assert!(node.0 >= 0, "node id {}", node.0);
    node.0 as u64 + 1
}

/// The node of a Raft id.
pub(crate) fn node_of(raft_id: u64) -> NodeId {
    NodeId(i32::try_from(raft_id - 1).expect("made from a node id"))
}

/// Makes an empty log for a group of `node` alone, in place of anything a broken format left. Durable when it returns.
pub async fn format(flow: &Flow, node: NodeId, limits: MetadataLimits) -> Result<Recovered, Fatal> {
    let make = failed("making the metadata log");
    flow.make_directory(DIRECTORY).await.map_err(&make)?;
    for entry in flow.list(DIRECTORY).await.map_err(&make)? {
        let path = format!("{DIRECTORY}/{}", entry.name);
        flow.unlink(&path).await.map_err(&make)?;
    }
    let base = Base {
        index: 0,
        term: 0,
        voters: vec![raft_id(node)],
    };
    let place = Place {
        log: 1,
        position: 0,
    };
    let hard = HardState::default();
    let start = log_format::encode_start(place, &base, hard);
    let position = start.len() as u64;
    let file = flow
        .open(&log_path(place.log), true, true)
        .await
        .map_err(&make)?;
    flow.allocate(file, 0, limits.file_bytes)
        .await
        .map_err(&make)?;
    flow.write(file, 0, start).await.map_err(&make)?;
    flow.flush(file).await.map_err(&make)?;
    flow.sync_directory(DIRECTORY).await.map_err(&make)?;
    flow.sync_directory("").await.map_err(&make)?;
    Ok(Recovered {
        image: Image::default(),
        bytes_read: 0,
        limits,
        end: End {
            file,
            number: place.log,
            position,
            allocated: limits.file_bytes,
            snapshot: 0,
        },
        hard,
        base,
        entries: Vec::new(),
    })
}

/// Does the log hold any entry or snapshot? For a directory without an identity: what a broken format leaves has none.
pub async fn holds_entries(flow: &Flow) -> Result<bool, Fatal> {
    let found = find(flow).await?;
    if !found.snapshots.is_empty() {
        return Ok(true);
    }
    for number in found.logs {
        let (_, bytes) = read(flow, &log_path(number)).await?;
        let scanned = scan(&bytes, number)?;
        if scanned.entries > 0 || scanned.valid_behind {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads snapshot and log of `node`, finishes or undoes what a crash interrupted, and makes all that it read durable. The log
/// must reach to `least`, where a clean stop has left it: what is torn off before that no crash has torn.
pub async fn recover(
    flow: &Flow,
    node: NodeId,
    limits: MetadataLimits,
    least: LogEnd,
) -> Result<Recovered, Fatal> {
    let found = find(flow).await?;
    let mut bytes_read = 0;

    let snapshot = match found.snapshots.last() {
        None => None,
        Some(&index) => {
            let path = snapshot_path(index);
            let (file, bytes) = read(flow, &path).await?;
            flow.close(file).await.map_err(failed(&path))?;
            bytes_read += bytes.len() as u64;
            // Written and flushed before it got this name: no crash leaves a part of it.
            let snapshot = log_format::decode_snapshot(&bytes)
                .map_err(unreadable(&path))?
                .filter(|s| s.base.index == index)
                .ok_or_else(|| Fatal::Damaged(format!("{path}: checksum or index is wrong")))?;
            Some(snapshot)
        }
    };

    let mut unfinished = Vec::new();
    let mut chosen = None;
    for &number in found.logs.iter().rev() {
        let path = log_path(number);
        let (file, bytes) = read(flow, &path).await?;
        bytes_read += bytes.len() as u64;
        let scanned = scan(&bytes, number)?;
        if scanned.valid_behind {
            return Err(Fatal::Damaged(format!(
                "{path}: the group at {} is bad, but a valid one follows it",
                scanned.position
            )));
        }
        if let Some(start) = scanned.start.clone() {
            chosen = Some((number, file, bytes, scanned, start));
            break;
        }
        flow.close(file).await.map_err(failed(&path))?;
        unfinished.push(path);
    }
    let (number, file, bytes, scanned, (log_base, start_hard)) =
        chosen.ok_or_else(|| Fatal::Damaged(format!("{DIRECTORY}: no log with a valid start")))?;
    let path = log_path(number);
    let position = scanned.position;
    if (LogEnd {
        log: number,
        position,
    }) < least
    {
        return Err(Fatal::Damaged(format!(
            "{path}: it ends at {position}, but a clean stop has left {} ending at {}: what was decided last is lost; nothing \
             was changed. Give this node an empty --data-dir and restore it from a copy",
            log_path(least.log),
            least.position
        )));
    }
    if (bytes.len() as u64) < limits.file_bytes {
        // A crash within an earlier start leaves it so, too.
        tracing::warn!(%path, bytes = bytes.len(), "unclean stop, or damage: the metadata log is shorter than it was made, what was decided last may be missing");
    }

    let allocated = (frame::padded(bytes.len()) as u64).max(limits.file_bytes);
    if bytes[scanned.position as usize..].iter().any(|&b| b != 0) {
        tracing::warn!(%path, position, "unclean stop: a torn group at the end of the metadata log is cut off");
        flow.truncate(file, scanned.position)
            .await
            .map_err(failed(&path))?;
    }
    if allocated > scanned.position {
        flow.allocate(file, scanned.position, allocated - scanned.position)
            .await
            .map_err(failed(&path))?;
    }
    // What a killed process left readable need not be on disk: it counts after this flush.
    flow.flush(file).await.map_err(failed(&path))?;
    flow.sync_directory(DIRECTORY)
        .await
        .map_err(failed(DIRECTORY))?;

    let hard = scanned.hard.unwrap_or(start_hard);
    let recovered = fold(
        snapshot,
        &path,
        log_base,
        hard,
        scanned.log_entries,
        raft_id(node),
    )?;

    let snapshot_index = found.snapshots.last().copied().unwrap_or(0);
    let older_logs = found.logs.iter().filter(|&&n| n < number);
    unfinished.extend(older_logs.map(|&n| log_path(n)));
    let older_snapshots = found.snapshots.iter().filter(|&&s| s < snapshot_index);
    unfinished.extend(older_snapshots.map(|&s| snapshot_path(s)));
    if found.temporary {
        unfinished.push(format!("{DIRECTORY}/{TEMPORARY}"));
    }
    for path in unfinished {
        flow.unlink(&path).await.map_err(failed(&path))?;
    }

    let (base, hard, entries, image) = recovered;
    Ok(Recovered {
        image,
        bytes_read,
        limits,
        end: End {
            file,
            number,
            position: scanned.position,
            allocated,
            snapshot: snapshot_index,
        },
        hard,
        base,
        entries,
    })
}

/// Joins snapshot and log, checking that they fit each other and that Raft can go on from them.
fn fold(
    snapshot: Option<Snapshot>,
    path: &str,
    log_base: Base,
    mut hard: HardState,
    log_entries: Vec<LogEntry>,
    id: u64,
) -> Result<(Base, HardState, Vec<LogEntry>, Image), Fatal> {
    let damaged = |why: String| Fatal::Damaged(format!("{path}: {why}"));
    let (base, mut image) = match snapshot {
        None => (log_base.clone(), Image::default()),
        Some(Snapshot { base, records }) => {
            let path = snapshot_path(base.index);
            let image = decode_records(&records)
                .and_then(|records| Image::of(base.index, &records))
                .map_err(unreadable(&path))?;
            (base, image)
        }
    };
    if log_base.index > image.index() {
        return Err(damaged(format!(
            "begins after {}, but the newest snapshot is of {}",
            log_base.index,
            image.index()
        )));
    }
    if base.voters != [id] || log_base.voters != [id] {
        return Err(damaged(format!("voters {:?}, not this node", base.voters)));
    }

    let mut entries: Vec<LogEntry> = Vec::new();
    let (mut index, mut term) = (log_base.index, log_base.term);
    for entry in log_entries {
        if entry.index != index + 1 || entry.term < term || entry.term > hard.term {
            return Err(damaged(format!(
                "entry {} of term {} after {index} of term {term}",
                entry.index, entry.term
            )));
        }
        (index, term) = (entry.index, entry.term);
        if entry.index > base.index {
            entries.push(entry);
        }
    }
    if base.term > hard.term || hard.commit > index.max(base.index) {
        return Err(damaged(format!(
            "state {hard:?} does not fit entry {index}"
        )));
    }

    // The only voter is a majority: what it holds durably is committed. With more voters this is `hard.commit`.
    hard.commit = index.max(base.index);
    for entry in &entries {
        for record in decode_records(&entry.data).map_err(unreadable(path))? {
            image.apply(&record).map_err(unreadable(path))?;
        }
    }
    image.set_index(hard.commit);
    Ok((base, hard, entries, image))
}

/// The files of the directory, ascending.
#[derive(Debug, Default)]
struct Found {
    logs: Vec<u64>,
    snapshots: Vec<u64>,
    temporary: bool,
}

async fn find(flow: &Flow) -> Result<Found, Fatal> {
    let mut found = Found::default();
    let number = |text: &str| {
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| text.len() == 16)
    };
    for entry in flow.list(DIRECTORY).await.map_err(failed(DIRECTORY))? {
        if let Some(log) = entry.name.strip_prefix("log-").and_then(number) {
            found.logs.push(log);
        } else if let Some(index) = entry.name.strip_prefix("snapshot-").and_then(number) {
            found.snapshots.push(index);
        } else if entry.name == TEMPORARY {
            found.temporary = true;
        }
    }
    found.logs.sort_unstable();
    found.snapshots.sort_unstable();
    Ok(found)
}

/// A whole file, which stays open.
async fn read(flow: &Flow, path: &str) -> Result<(FileId, Bytes), Fatal> {
    let file = flow.open(path, false, true).await.map_err(failed(path))?;
    let mut all = BytesMut::new();
    loop {
        let part = flow
            .read(file, all.len() as u64, frame::aligned(READ_BYTES))
            .await
            .map_err(failed(path))?;
        let last = part.len() < READ_BYTES;
        all.extend_from_slice(&part);
        if last {
            return Ok((file, all.freeze()));
        }
    }
}

/// What one log file holds.
#[derive(Debug, Default)]
struct Scanned {
    start: Option<(Base, HardState)>,
    /// Of the last group of entries.
    hard: Option<HardState>,
    log_entries: Vec<LogEntry>,
    entries: usize,
    /// The end of the last valid group before the first bad one.
    position: u64,
    /// A valid group lies behind the first bad one.
    valid_behind: bool,
}

fn scan(bytes: &Bytes, number: u64) -> Result<Scanned, Fatal> {
    let path = log_path(number);
    let mut scanned = Scanned::default();
    let at = |position: usize| {
        let place = Place {
            log: number,
            position: position as u64,
        };
        log_format::decode_group(&bytes.slice(position..), place).map_err(unreadable(&path))
    };
    let mut position = 0;
    while position < bytes.len() {
        let Some((group, length)) = at(position)? else {
            break;
        };
        if position + length > bytes.len() {
            break; // Its padding is not in the file: it was never flushed.
        }
        match group {
            Group::Start { base, hard } if position == 0 => scanned.start = Some((base, hard)),
            Group::Entries { hard, entries } if position > 0 => {
                scanned.hard = Some(hard);
                scanned.entries += entries.len();
                scanned.log_entries.extend(entries);
            }
            Group::Start { .. } | Group::Entries { .. } => {
                return Err(Fatal::Damaged(format!(
                    "{path}: a group of the wrong kind at {position}"
                )));
            }
        }
        position += length;
    }
    scanned.position = position as u64;
    for behind in (position..bytes.len()).step_by(BLOCK).skip(1) {
        scanned.valid_behind |= at(behind)?.is_some();
    }
    Ok(scanned)
}
