//! `corelane log recover-plan`: what a broker's start on a directory would find and do, by the code of a start itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use clap::Args;
use corelane_engine::controller::identity;
use corelane_engine::fatal::Fatal;
use corelane_engine::log::journal::GroupSeq;
use corelane_engine::log::layout::Layout;
use corelane_engine::log::recover::Recovered;
use corelane_engine::log::segment;
use corelane_engine::types::{NodeId, ShardId};
use corelane_net::node::rehearsal::{self, Metadata};
use serde::Serialize;

use crate::offline::{Offline, OfflineError, node_config};
use crate::show::{self, Table};

/// Files that are named one by one; `--json` names all.
const NAMED_MAX: usize = 20;

#[derive(Args)]
#[command(after_help = "Examples:
  corelane log recover-plan corelane-data
  corelane log recover-plan corelane-data --shards 8          with another number of shards
  corelane log recover-plan corelane-data --json | jq .cuts

Runs the start's own code on the directory and keeps in memory all that it would write: nothing on disk changes. The
broker must be stopped, or the directory be a copy of a stopped one's.

Exit code 0: a broker would start; 1: it would refuse to; 2: the directory could not be looked at.")]
pub(crate) struct PlanArgs {
    /// Data directory of a broker that does not run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Shards to start with, as --shards of corelane broker [default: one for every CPU this process may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    shards: Option<u16>,
    /// Print one JSON value instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Default, Serialize)]
struct Plan {
    directory: String,
    /// Nothing is there: a start makes a new cluster.
    fresh: bool,
    node: Option<i32>,
    cluster: Option<String>,
    clean_stop: Option<bool>,
    topics: usize,
    shards_before: Option<u16>,
    shards: u16,
    generation_before: Option<u64>,
    generation: Option<u64>,
    metadata_bytes_read: u64,
    shard: Vec<OfShard>,
    cuts: Vec<Cut>,
    written: Vec<Written>,
    made: Vec<String>,
    removed: Vec<String>,
    /// Files cut to a length.
    shortened: Vec<Shortened>,
    /// Why a start would end.
    refused: Option<Refused>,
}

#[derive(Serialize)]
struct OfShard {
    shard: u16,
    /// The file, the generation and the sections that count; none: everything comes from the journal.
    checkpoint: Option<String>,
    generation: u64,
    sections: u32,
    /// Where replay begins, where it ends, and the groups between.
    journal_head: u64,
    journal_end: u64,
    groups: u64,
    partitions: usize,
    /// Of the journal, and to be written back later.
    replayed_bytes: usize,
    bytes_read: u64,
}

#[derive(Serialize)]
struct Cut {
    file: String,
    position: u64,
    topic: String,
    partition: i32,
    /// Where the log ends then.
    end: i64,
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: u64,
}

#[derive(Serialize)]
struct Shortened {
    file: String,
    length: u64,
}

#[derive(Serialize)]
struct Refused {
    /// `None`: the directory as a whole.
    shard: Option<u16>,
    why: String,
    exit_code: u8,
}

pub(crate) fn run(args: &PlanArgs) -> ExitCode {
    let plan = plan(args);
    let printed = plan.and_then(|plan| {
        match args.json {
            true => show::json(&serde_json::to_value(&plan).map_err(std::io::Error::from)?)?,
            false => plan.print()?,
        }
        Ok(plan.refused.is_some())
    });
    match printed {
        Ok(refused) => ExitCode::from(u8::from(refused)),
        Err(OfflineError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("corelane: {error}");
            ExitCode::from(2)
        }
    }
}

fn plan(args: &PlanArgs) -> Result<Plan, OfflineError> {
    let mut offline = Offline::open(&args.directory)?;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = args.shards.unwrap_or(cpus.min(256) as u16);
    let mut plan = Plan {
        directory: args.directory.display().to_string(),
        fresh: !offline.has_identity(),
        shards,
        ..Plan::default()
    };
    if let Err((shard, fatal)) = plan.rehearse(&mut offline)? {
        plan.refused = Some(Refused {
            shard: shard.map(|shard| shard.0),
            why: fatal.to_string(),
            exit_code: fatal.exit_code(),
        });
    }
    let disk = &mut offline.disk;
    plan.made = std::mem::take(&mut disk.made);
    plan.removed = std::mem::take(&mut disk.removed);
    let cut = std::mem::take(&mut disk.cut).into_iter();
    plan.shortened = cut
        .map(|(file, length)| Shortened { file, length })
        .collect();
    let written = std::mem::take(&mut disk.written).into_iter();
    plan.written = written
        .map(|(file, bytes)| Written { file, bytes })
        .collect();
    Ok(plan)
}

/// What ends a start, and of which shard.
type Ended = (Option<ShardId>, Fatal);

impl Plan {
    fn rehearse(&mut self, offline: &mut Offline) -> Result<Result<(), Ended>, OfflineError> {
        let mut node = NodeId(1);
        if !self.fresh {
            let identity = match offline.identity() {
                Ok(identity) => identity,
                Err(OfflineError::Start(fatal)) => return Ok(Err((None, fatal))),
                Err(other) => return Err(other),
            };
            node = identity.node;
            self.node = Some(node.0);
            self.cluster = Some(identity::text(identity.cluster));
            match offline.layout(&identity) {
                Ok(layout) => {
                    self.shards_before = layout.map(|l| l.shards);
                    self.generation_before = layout.map(|l| l.generation);
                }
                Err(fatal) => return Ok(Err((None, fatal))),
            }
        }
        let config = node_config(&offline.root, node, self.shards, ShardId(0))?;
        let Metadata {
            image,
            layout,
            clean,
            bytes_read,
            ..
        } = match offline.run(|flow| rehearsal::metadata(flow, config)) {
            Ok(metadata) => metadata,
            Err(fatal) => return Ok(Err((None, fatal))),
        };
        self.clean_stop = Some(clean).filter(|_| !self.fresh);
        self.topics = image.topic_count();
        self.generation = Some(layout.generation);
        self.metadata_bytes_read = bytes_read;
        let image = Rc::new(image);
        for shard in (0..self.shards).map(ShardId) {
            let config = node_config(&offline.root, node, self.shards, shard)?;
            let known = image.clone();
            let run = |flow| async move { rehearsal::storage(flow, config, &known, layout).await };
            let recovered = match offline.run(run) {
                Ok((recovered, _arena)) => recovered,
                Err(fatal) => return Ok(Err((Some(shard), fatal))),
            };
            for (slot, place) in &recovered.cuts {
                let id = place.partition;
                let topic = image.topic_by_id(id.topic);
                self.cuts.push(Cut {
                    file: segment::path(id, place.segment),
                    position: place.position.0,
                    topic: topic.map_or("?".into(), |t| t.name.clone()),
                    partition: id.partition,
                    end: recovered.partitions[*slot as usize].next.0,
                });
            }
            self.shard.push(of_shard(shard, &layout, &recovered));
        }
        Ok(Ok(()))
    }

    fn print(&self) -> std::io::Result<()> {
        let said = |what: &Option<String>| what.clone().unwrap_or_else(|| "?".into());
        println!(
            "{}: what a start with {} shards would do",
            self.directory, self.shards
        );
        match self.fresh {
            true => println!("  cluster    none yet: a new one is made here"),
            false => println!(
                "  cluster    {}, node {}, {} topics",
                said(&self.cluster),
                said(&self.node.map(|n| n.to_string())),
                self.topics
            ),
        }
        match self.clean_stop {
            Some(true) => println!("  last stop  clean"),
            Some(false) => println!("  last stop  unclean: leader epochs are raised"),
            None => {}
        }
        match (self.shards_before, self.generation_before, self.generation) {
            (Some(before), Some(old), Some(new)) if old != new => println!(
                "  layout     {before} shards become {}: all journals are replayed and written back, then generation \
                 {new} replaces {old}",
                self.shards
            ),
            (_, None, Some(generation)) => {
                println!("  layout     generation {generation}, made here")
            }
            (_, Some(_), Some(generation)) => {
                println!("  layout     generation {generation}, kept as it is")
            }
            (_, _, None) => {}
        }
        let mut table = Table::new(&[
            "SHARD",
            "CHECKPOINT",
            "GENERATION",
            "JOURNAL FROM",
            "TO",
            "GROUPS",
            "REPLAYED",
            "PARTITIONS",
            "READ",
        ]);
        for s in &self.shard {
            table.row(vec![
                s.shard.to_string(),
                s.checkpoint.clone().unwrap_or_else(|| "-".into()),
                s.generation.to_string(),
                s.journal_head.to_string(),
                s.journal_end.to_string(),
                s.groups.to_string(),
                show::bytes(s.replayed_bytes as u64),
                s.partitions.to_string(),
                show::bytes(s.bytes_read),
            ]);
        }
        if !table.is_empty() {
            table.print()?;
        }
        for cut in &self.cuts {
            println!(
                "cut      {} at {}: {}-{} ends before offset {}",
                cut.file, cut.position, cut.topic, cut.partition, cut.end
            );
        }
        let written = self.written.iter();
        some(
            "written",
            written.map(|w| format!("{}: {}", w.file, show::bytes(w.bytes))),
        );
        some("made", self.made.iter().cloned());
        let shortened = self.shortened.iter();
        some(
            "cut",
            shortened.map(|s| format!("{}: to {} bytes", s.file, s.length)),
        );
        some("removed", self.removed.iter().cloned());
        match &self.refused {
            None => println!("a broker would start; nothing was changed"),
            Some(refused) => {
                let shard = refused
                    .shard
                    .map_or(String::new(), |n| format!("shard {n}: "));
                println!(
                    "a broker would refuse to start, with exit code {}: {shard}{}",
                    refused.exit_code, refused.why
                );
            }
        }
        Ok(())
    }
}

/// Some lines of a kind, and how many more there are.
fn some(kind: &str, lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(NAMED_MAX);
    for line in lines.take(NAMED_MAX) {
        println!("{kind:<8} {line}");
    }
    if more > 0 {
        println!("{kind:<8} … and {more} more; --json names them");
    }
}

fn of_shard(shard: ShardId, layout: &Layout, recovered: &Recovered) -> OfShard {
    let journal = &recovered.journal;
    let checkpoint = &recovered.checkpoint;
    let groups = journal.first().0..journal.open_seq().0;
    let replayed = groups.map(|seq| journal.bytes(GroupSeq(seq)).len()).sum();
    OfShard {
        shard: shard.0,
        checkpoint: (checkpoint.number > 0).then(|| {
            format!(
                "{}/checkpoint-{}",
                layout.files(shard).directory,
                checkpoint.current
            )
        }),
        generation: checkpoint.generation,
        sections: checkpoint.number,
        journal_head: journal.position(journal.first()).0,
        journal_end: journal.position(journal.open_seq()).0,
        groups: recovered.groups,
        partitions: recovered.partitions.len(),
        replayed_bytes: replayed,
        bytes_read: recovered.bytes_read,
    }
}
