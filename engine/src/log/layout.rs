//! Which set of per-shard directories counts, and how a start with another shard count makes a new one.
//!
//! ```text
//!  layout: generation 4, 2 shards ─► cores-4-2/0, cores-4-2/1          started with 3 shards:
//!    replay both journals ─► write everything back ─► cores-5-3/0..2: complete checkpoints, flushed
//!                         ─► layout: generation 5, 3 shards (renamed into place) ─► cores-4-2 removed
//! ```
//!
//! Until the rename the old set counts, after it the new one: a crash at any point leaves one of them whole.

use bytes::{BufMut, BytesMut};

use super::buffers::{self, Arena};
use super::checkpoint::{self, Section};
use super::group::{JournalId, pad};
use super::journal::GroupSeq;
use super::partition::Partition;
use super::recover::{self, Recovered, ShardFiles};
use super::write_back;
use crate::disk::DiskError;
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::{BLOCK, Limits};
use crate::types::{JournalPosition, Offset, ShardId, TopicPartition};

const PATH: &str = "layout";
/// Magic, kind, format.
const PREFIX: &[u8; 8] = b"CLLY\x00\x05\x00\x01";
/// Prefix, directory id, generation, shards, CRC.
const BYTES: usize = 8 + 16 + 8 + 2 + 4;

/// The set of shard directories that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    pub directory: [u8; 16],
    pub generation: u64,
    pub shards: u16,
}

impl Layout {
    fn root(&self) -> String {
        format!("cores-{}-{}", self.generation, self.shards)
    }

    /// One shard's files.
    pub fn files(&self, shard: ShardId) -> ShardFiles {
        ShardFiles {
            directory: format!("{}/{}", self.root(), shard.0),
            id: JournalId {
                directory: self.directory,
                number: u32::from(shard.0),
            },
            moved: self.generation > 0,
        }
    }

    fn encode(&self) -> BytesMut {
        let mut bytes = buffers::aligned(BLOCK);
        bytes.put_slice(PREFIX);
        bytes.put_slice(&self.directory);
        bytes.put_u64(self.generation);
        bytes.put_u16(self.shards);
        let crc = crc32c::crc32c(&bytes);
        bytes.put_u32(crc);
        bytes
    }

    fn decode(bytes: &[u8], directory: [u8; 16]) -> Option<Layout> {
        let whole = bytes.get(..BYTES)?;
        let generation = u64::from_be_bytes(whole[24..32].try_into().ok()?);
        let shards = u16::from_be_bytes(whole[32..34].try_into().ok()?);
        let layout = Layout {
            directory,
            generation,
            shards,
        };
        (layout.encode()[..] == *whole).then_some(layout)
    }
}

fn failed(what: &str) -> impl FnOnce(DiskError) -> Fatal + use<> {
    let what = what.to_owned();
    move |error| Fatal::Disk {
        what,
        errno: error.errno,
    }
}

/// Why there is no layout in these bytes.
fn unreadable(bytes: &[u8]) -> Fatal {
    match bytes.strip_prefix(&PREFIX[..6]) {
        Some([a, b, ..]) if [*a, *b] > [PREFIX[6], PREFIX[7]] => Fatal::Directory(format!(
            "layout: format {} is newer than {}, the newest that this version knows; start a newer Corelane on it, or \
             give another --data-dir",
            u16::from_be_bytes([*a, *b]),
            u16::from_be_bytes([PREFIX[6], PREFIX[7]])
        )),
        _ => Fatal::Damaged("layout: unreadable, or of another directory".into()),
    }
}

/// The layout as it is; `None`: there is none yet.
pub async fn find(flow: &Flow, directory: [u8; 16]) -> Result<Option<Layout>, Fatal> {
    let file = match flow.open(PATH, false, true).await {
        Ok(file) => file,
        Err(DiskError::NOT_FOUND) => return Ok(None),
        Err(error) => return Err(failed("open layout")(error)),
    };
    let bytes = flow
        .read(file, 0, buffers::aligned(BLOCK))
        .await
        .map_err(failed("read layout"))?;
    flow.close(file).await.map_err(failed("close layout"))?;
    let layout = Layout::decode(&bytes, directory);
    layout.map(Some).ok_or_else(|| unreadable(&bytes))
}

/// Finds the layout, makes the first one, or makes one for another shard count. `all`: every partition of the image in
/// its first state, made anew for each use; `owner`: which of so many shards has a partition.
pub async fn open(
    flow: &Flow,
    directory: [u8; 16],
    shards: u16,
    limits: &Limits,
    all: impl Fn() -> Vec<Partition>,
    owner: impl Fn(TopicPartition, u16) -> ShardId,
) -> Result<Layout, Fatal> {
    let found = find(flow, directory).await?;
    if found.is_some() {
        // The start that renamed it into place may have been killed before it synced the directory.
        flow.sync_directory("")
            .await
            .map_err(failed("sync data directory"))?;
    }
    let layout = match found {
        Some(layout) if layout.shards == shards => layout,
        Some(old) => reshard(flow, old, shards, limits, &all, &owner).await?,
        None => {
            refuse_used(flow).await?;
            let layout = Layout {
                directory,
                generation: 0,
                shards,
            };
            flow.make_directory("topics")
                .await
                .map_err(failed("create topics"))?;
            make_directories(flow, &layout).await?;
            write_layout(flow, &layout).await?;
            layout
        }
    };
    remove_others(flow, &layout).await?;
    Ok(layout)
}

/// Without a layout a directory is formatted afresh, and what other sets hold is removed: only where there is nothing.
async fn refuse_used(flow: &Flow) -> Result<(), Fatal> {
    let list = async |path: &str| flow.list(path).await.map_err(failed("list data directory"));
    let mut used = !list("topics").await?.is_empty();
    for set in list("").await? {
        if set.directory && set.name.starts_with("cores-") {
            for shard in list(&set.name).await? {
                used |= !list(&format!("{}/{}", set.name, shard.name))
                    .await?
                    .is_empty();
            }
        }
    }
    match used {
        true => Err(Fatal::Damaged(
            "layout: missing, but there are journals or segments; nothing was touched".into(),
        )),
        false => Ok(()),
    }
}

async fn make_directories(flow: &Flow, layout: &Layout) -> Result<(), Fatal> {
    let root = layout.root();
    flow.make_directory(&root)
        .await
        .map_err(failed("create shard directories"))?;
    for shard in 0..layout.shards {
        let directory = layout.files(ShardId(shard)).directory;
        flow.make_directory(&directory)
            .await
            .map_err(failed("create shard directories"))?;
    }
    flow.sync_directory(&root)
        .await
        .map_err(failed("sync shard directories"))?;
    flow.sync_directory("")
        .await
        .map_err(failed("sync data directory"))
}

async fn write_layout(flow: &Flow, layout: &Layout) -> Result<(), Fatal> {
    let mut bytes = layout.encode();
    bytes.resize(BLOCK, 0);
    let temporary = "layout.new";
    let file = flow
        .open(temporary, true, true)
        .await
        .map_err(failed("create layout"))?;
    flow.write(file, 0, bytes.freeze())
        .await
        .map_err(failed("write layout"))?;
    flow.flush(file).await.map_err(failed("flush layout"))?;
    flow.close(file).await.map_err(failed("close layout"))?;
    flow.rename(temporary, PATH)
        .await
        .map_err(failed("rename layout"))?;
    flow.sync_directory("")
        .await
        .map_err(failed("sync data directory"))
}

/// Removes sets that do not count: what a reshard left, finished or not.
async fn remove_others(flow: &Flow, layout: &Layout) -> Result<(), Fatal> {
    let root = layout.root();
    let gone = failed("remove an old set of shard directories");
    let result: Result<(), DiskError> = async {
        for set in flow.list("").await? {
            if !set.directory || !set.name.starts_with("cores-") || set.name == root {
                continue;
            }
            for shard in flow.list(&set.name).await? {
                let directory = format!("{}/{}", set.name, shard.name);
                for file in flow.list(&directory).await? {
                    flow.unlink(&format!("{directory}/{}", file.name)).await?;
                }
                flow.remove_directory(&directory).await?;
            }
            flow.remove_directory(&set.name).await?;
        }
        Ok(())
    }
    .await;
    result.map_err(gone)
}

async fn reshard(
    flow: &Flow,
    old: Layout,
    shards: u16,
    limits: &Limits,
    all: &impl Fn() -> Vec<Partition>,
    owner: &impl Fn(TopicPartition, u16) -> ShardId,
) -> Result<Layout, Fatal> {
    let mut moved: Vec<Vec<Partition>> = (0..shards).map(|_| Vec::new()).collect();
    for shard in (0..old.shards).map(ShardId) {
        let owned = all()
            .into_iter()
            .filter(|p| owner(p.id, old.shards) == shard)
            .collect();
        for p in drain_shard(flow, &old.files(shard), limits, owned).await? {
            let to = owner(p.id, shards);
            moved[to.0 as usize].push(p);
        }
    }
    let layout = Layout {
        generation: old.generation + 1,
        shards,
        ..old
    };
    make_directories(flow, &layout).await?;
    for (shard, partitions) in moved.iter().enumerate() {
        write_checkpoint(
            flow,
            &layout.files(ShardId(shard as u16)),
            partitions,
            limits,
        )
        .await?;
    }
    write_layout(flow, &layout).await?;
    Ok(layout)
}

/// Recovers one shard of the old placement and writes everything back; what stays in memory is below a block each.
async fn drain_shard(
    flow: &Flow,
    files: &ShardFiles,
    limits: &Limits,
    owned: Vec<Partition>,
) -> Result<Vec<Partition>, Fatal> {
    let ring = limits.journal_files * limits.journal_file_bytes as usize;
    let mut arena = Arena::new(BLOCK, limits.journal_file_bytes as usize, ring + BLOCK);
    let Recovered {
        journal,
        checkpoint,
        mut partitions,
        ..
    } = recover::open_shard(flow, files, limits, &mut arena, owned).await?;
    let below = journal.open_seq();
    let mut jobs = Vec::new();
    for (slot, p) in partitions.iter().enumerate() {
        jobs.push(write_back::plan(p, slot as u32, below, &journal, limits));
    }
    let done = write_back::write_back_all(flow, jobs).await?;
    for job in &done {
        write_back::settle_job(&mut partitions[job.slot as usize], job);
    }
    for p in &mut partitions {
        let ends: Vec<_> = p.segments.iter().map(|s| (s.base, s.disk_end)).collect();
        let disk_end = |base: Offset| {
            ends.iter()
                .find(|(b, _)| *b == base)
                .map_or(0, |(_, end)| *end)
        };
        p.extents.release(below, disk_end, &journal);
        for s in &mut p.segments {
            if let Some(file) = s.file.take() {
                flow.close(file).await.map_err(failed("close segment"))?;
            }
        }
    }
    for file in journal.files().iter().chain(&checkpoint.files) {
        flow.close(*file)
            .await
            .map_err(failed("close shard files"))?;
    }
    Ok(partitions)
}

/// The complete first checkpoint of a shard whose journal is still empty.
async fn write_checkpoint(
    flow: &Flow,
    files: &ShardFiles,
    partitions: &[Partition],
    limits: &Limits,
) -> Result<(), Fatal> {
    let mut bytes = checkpoint::begin_section(partitions.len() * 256);
    for p in partitions {
        checkpoint::put_carried_record(&mut bytes, p, GroupSeq(u64::MAX));
    }
    let section = Section {
        generation: 1,
        number: 0,
        records: partitions.len() as u32,
        head: JournalPosition(0),
        head_prev_crc: 0,
        length: 0,
    };
    let bytes = checkpoint::seal_section(bytes, files.id.directory, section);
    let length = pad(bytes.len()) as u64;
    let path = format!("{}/checkpoint-0", files.directory);
    let file = flow.open(&path, true, true).await.map_err(failed(&path))?;
    flow.allocate(file, 0, length.max(limits.checkpoint_bytes))
        .await
        .map_err(failed(&path))?;
    flow.write(file, 0, bytes).await.map_err(failed(&path))?;
    flow.flush(file).await.map_err(failed(&path))?;
    flow.close(file).await.map_err(failed(&path))?;
    flow.sync_directory(&files.directory)
        .await
        .map_err(failed("sync shard directory"))
}
