//! `corelane log verify`: every byte of a data directory that a start, or a consumer, would rest on.
//!
//! ```text
//!  identity, layout, metadata log ─► each shard's start, rehearsed ─► partitions: each segment's file walked, batch by
//!                                        │ journal and checkpoint files scanned    batch, beside index and epochs
//!                                        └─ damaged: its partitions' files are walked without what it knows
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use bytes::{Bytes, BytesMut};
use clap::Args;
use corelane_engine::controller::identity::{self, IDENTITY_FILE};
use corelane_engine::disk::DiskError;
use corelane_engine::fatal::Fatal;
use corelane_engine::limits::BLOCK;
use corelane_engine::log::journal::Journal;
use corelane_engine::log::layout::Layout;
use corelane_engine::log::partition::Partition;
use corelane_engine::log::segment::{self, Segment};
use corelane_engine::log::verify::{Finding, Known, Walk};
use corelane_engine::log::{checkpoint, group};
use corelane_engine::types::{Offset, ShardId, TopicId, TopicPartition};
use corelane_net::node::rehearsal::{self, Metadata};
use serde::Serialize;

use crate::offline::{Offline, OfflineError, node_config};
use crate::show::{self, Progress, Table};

/// One read of a segment's file.
const READ_BYTES: usize = 1 << 20;

#[derive(Args)]
#[command(after_help = "Examples:
  corelane log verify corelane-data
  corelane log verify /backup/corelane-data --topic orders
  corelane log verify corelane-data --json | jq .findings

Reads everything and writes nothing. What is verified: the identity, the layout and the metadata log; each shard's start
number, checkpoints and journal, by the code of a start; each batch of each segment: its CRC, its offset, its leader
epoch, and that the index leads to it. The broker must be stopped, or the directory be a copy of a stopped one's.

Exit code 0: nothing is wrong; 1: there are findings; 2: the directory could not be looked at.
A note is no finding: a crash leaves it too, or nobody reads it any more.")]
pub(crate) struct VerifyArgs {
    /// Data directory of a broker that does not run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Segments of this topic only; may be given again
    #[arg(long, value_name = "TOPIC")]
    topic: Vec<String>,
    /// Print one JSON value instead of a table
    #[arg(long)]
    json: bool,
}

/// What was seen.
#[derive(Default, Serialize)]
struct Report {
    directory: String,
    node: Option<i32>,
    cluster: Option<String>,
    shards: Option<u16>,
    clean_stop: Option<bool>,
    partitions: Vec<Seen>,
    findings: Vec<Said>,
    notes: Vec<Said>,
}

/// One partition.
#[derive(Clone, Default, Serialize)]
struct Seen {
    topic: String,
    partition: i32,
    log_start: i64,
    end: i64,
    segments: u64,
    batches: u64,
    records: u64,
    bytes: u64,
    findings: u64,
}

/// Something to be said of a place.
#[derive(Clone, Default, Serialize)]
struct Said {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    what: String,
}

impl Said {
    fn of(file: impl Into<String>, what: impl Into<String>) -> Said {
        Said {
            file: file.into(),
            what: what.into(),
            ..Said::default()
        }
    }

    fn at(self, position: u64) -> Said {
        Said {
            position: Some(position),
            ..self
        }
    }

    /// `file at 123: offset 7 of orders-0: crc …`
    fn line(&self) -> String {
        let mut line = self.file.clone();
        if let Some(position) = self.position {
            line += &format!(" at {position}");
        }
        line += ": ";
        match (self.offset, &self.topic, self.partition) {
            (Some(offset), Some(topic), Some(partition)) => {
                line += &format!("offset {offset} of {topic}-{partition}: ");
            }
            (None, Some(topic), Some(partition)) => line += &format!("{topic}-{partition}: "),
            _ => {}
        }
        line + &self.what
    }
}

pub(crate) fn run(args: &VerifyArgs) -> ExitCode {
    let mut verify = Verify::new(args);
    let result = verify.all();
    verify.progress.end();
    let printed = result.and_then(|()| Ok(verify.print(args.json)?));
    match printed {
        Ok(()) if verify.report.findings.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(OfflineError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::from(u8::from(!verify.report.findings.is_empty()))
        }
        Err(error) => {
            eprintln!("corelane: {error}");
            ExitCode::from(2)
        }
    }
}

struct Verify<'a> {
    args: &'a VerifyArgs,
    report: Report,
    progress: Progress,
    /// Bytes of segments walked, and to be walked.
    walked: u64,
    total: u64,
    names: BTreeMap<TopicId, String>,
}

impl<'a> Verify<'a> {
    fn new(args: &'a VerifyArgs) -> Verify<'a> {
        Verify {
            args,
            report: Report {
                directory: args.directory.display().to_string(),
                ..Report::default()
            },
            progress: Progress::new(),
            walked: 0,
            total: 0,
            names: BTreeMap::new(),
        }
    }

    fn found(&mut self, said: Said) {
        self.report.findings.push(said);
    }

    /// What a start would end with.
    fn fatal(&mut self, file: &str, fatal: &Fatal) {
        let what = match fatal {
            Fatal::Damaged(what) | Fatal::Directory(what) | Fatal::Host(what) => what.clone(),
            Fatal::Disk { .. } => fatal.to_string(),
        };
        // Most of them begin with the file that they are about.
        let said = match what.split_once(": ") {
            Some((named, what)) if !named.contains(' ') => Said::of(named, what),
            _ => Said::of(file, what),
        };
        self.found(said);
    }

    fn all(&mut self) -> Result<(), OfflineError> {
        let mut offline = Offline::open(&self.args.directory)?;
        match self.metadata(&mut offline)? {
            Some(metadata) => self.shards(&mut offline, metadata)?,
            // Nothing is known of topics: their files say at least what they are themselves.
            None => self.raw_all(&mut offline, &|_| true),
        }
        let key = |seen: &Seen| (seen.topic.clone(), seen.partition);
        self.report.partitions.sort_by_key(key);
        Ok(())
    }

    /// Identity, layout, metadata log; `None`: no topic can be known.
    fn metadata(&mut self, offline: &mut Offline) -> Result<Option<Metadata>, OfflineError> {
        let identity = match offline.identity() {
            Ok(identity) => identity,
            Err(OfflineError::Start(fatal)) => {
                self.fatal(IDENTITY_FILE, &fatal);
                return Ok(None);
            }
            Err(other) => return Err(other),
        };
        self.report.node = Some(identity.node.0);
        self.report.cluster = Some(identity::text(identity.cluster));
        let shards = match offline.layout(&identity) {
            Ok(Some(layout)) => {
                self.report.shards = Some(layout.shards);
                layout.shards
            }
            Ok(None) => {
                self.found(Said::of("layout", "missing"));
                return Ok(None);
            }
            Err(fatal) => {
                self.fatal("layout", &fatal);
                return Ok(None);
            }
        };
        let config = node_config(&offline.root, identity.node, shards, ShardId(0))?;
        match offline.run(|flow| rehearsal::metadata(flow, config)) {
            Ok(metadata) => {
                self.report.clean_stop = Some(metadata.clean);
                // A crash leaves half an entry at the log's end; a clean stop does not.
                for (path, position) in std::mem::take(&mut offline.disk.cut) {
                    let what = "what follows is no whole entry, and is cut off by a start";
                    let said = Said::of(path, what).at(position);
                    match metadata.clean {
                        true => self.found(said),
                        false => self.report.notes.push(said),
                    }
                }
                Ok(Some(metadata))
            }
            Err(fatal) => {
                self.fatal("meta", &fatal);
                Ok(None)
            }
        }
    }

    fn shards(&mut self, offline: &mut Offline, metadata: Metadata) -> Result<(), OfflineError> {
        let Metadata {
            identity,
            image,
            layout,
            clean,
            ..
        } = metadata;
        let image = std::rc::Rc::new(image);
        self.names = (image.topics().map(|t| (t.id, t.name.clone()))).collect();
        let unknown = self
            .args
            .topic
            .iter()
            .find(|name| image.topic(name).is_none());
        if let Some(unknown) = unknown {
            return Err(std::io::Error::other(format!(
                "no topic {unknown} in {}",
                self.report.directory
            ))
            .into());
        }
        self.total = self.files_total(offline);
        let mut damaged = Vec::new();
        for shard in (0..layout.shards).map(ShardId) {
            let config = node_config(&offline.root, identity.node, layout.shards, shard)?;
            let known = image.clone();
            let result = offline
                .run(|flow| async move { rehearsal::storage(flow, config, &known, layout).await });
            let head = match result {
                Ok((recovered, _arena)) => {
                    for p in &recovered.partitions {
                        if self.wanted(p.id) {
                            self.partition(offline, p, &recovered.journal);
                        }
                    }
                    for (slot, place) in &recovered.cuts {
                        let p = &recovered.partitions[*slot as usize];
                        let said = Said::of(
                            segment::path(place.partition, place.segment),
                            "an unfinished write: a start cuts the log here",
                        );
                        let note = self.of_partition(said.at(place.position.0), p.id, p.next);
                        self.report.notes.push(note);
                    }
                    let journal = &recovered.journal;
                    Some(journal.position(journal.first()).0)
                }
                Err(fatal) => {
                    self.fatal(&layout.files(shard).directory, &fatal);
                    damaged.push(shard);
                    None
                }
            };
            self.journals(offline, &layout, shard, head, clean);
            self.checkpoints(offline, &layout, shard, clean);
        }
        let lost = |id: TopicPartition| damaged.contains(&rehearsal::owner(id, layout.shards));
        if !damaged.is_empty() {
            self.raw_all(offline, &lost);
        }
        self.strangers(offline);
        Ok(())
    }

    fn wanted(&self, id: TopicPartition) -> bool {
        let name = self.names.get(&id.topic);
        self.args.topic.is_empty() || name.is_some_and(|name| self.args.topic.contains(name))
    }

    fn name(&self, id: TopicPartition) -> String {
        let name = self.names.get(&id.topic);
        name.cloned().unwrap_or_else(|| identity::text(id.topic.0))
    }

    fn of_partition(&self, said: Said, id: TopicPartition, offset: Offset) -> Said {
        Said {
            topic: Some(self.name(id)),
            partition: Some(id.partition),
            offset: Some(offset.0),
            ..said
        }
    }

    /// Bytes of all segments' files, for the line that tells how far it is.
    fn files_total(&self, offline: &Offline) -> u64 {
        let mut total = 0;
        for directory in offline.disk.list("topics").unwrap_or_default() {
            let path = format!("topics/{}", directory.name);
            let files = offline.disk.list(&path).unwrap_or_default();
            total += files.iter().map(|f| f.length).sum::<u64>();
        }
        total
    }

    fn tell(&mut self) {
        let (walked, total) = (self.walked, self.total.max(self.walked));
        self.progress.say(|elapsed| {
            let rate = walked as f64 / elapsed.as_secs_f64().max(0.001);
            format!(
                "verified {} of {}, {}/s",
                show::bytes(walked),
                show::bytes(total),
                show::bytes(rate as u64)
            )
        });
    }

    /// Walks the segments of a partition whose shard could be started.
    fn partition(&mut self, offline: &mut Offline, p: &Partition, journal: &Journal) {
        let mut seen = Seen {
            topic: self.name(p.id),
            partition: p.id.partition,
            log_start: p.log_start.0,
            end: p.next.0,
            ..Seen::default()
        };
        let before = self.report.findings.len();
        let bases = p.segments.iter().map(|s| s.base);
        let ends = bases.skip(1).chain([p.next]);
        for (s, follower) in p.segments.iter().zip(ends) {
            if s.end == 0 {
                continue;
            }
            seen.segments += 1;
            seen.bytes += s.end;
            let mut rest = BytesMut::new();
            p.extents
                .copy(s.base, s.disk_end, s.end, &mut rest, journal);
            let file = File {
                id: p.id,
                base: s.base,
                disk_end: s.disk_end,
                end: s.end,
                known: Some((p, s)),
                rest: rest.freeze(),
                follower: Some(follower),
            };
            self.file(offline, &file, &mut seen);
            if s.complete {
                self.check_length(offline, p.id, s);
            }
        }
        let known: Vec<Offset> = (p.segments.iter().map(|s| s.base))
            .chain(p.trimmed.iter().map(|t| t.base))
            .collect();
        let directory = segment::directory(p.id);
        for entry in offline.disk.list(&directory).unwrap_or_default() {
            let base = base_of(&entry.name);
            if base.is_some_and(|base| !known.contains(&base)) {
                let file = format!("{directory}/{}", entry.name);
                let what = "a segment that the log does not know: it is not read";
                self.report.notes.push(Said::of(file, what));
            }
        }
        seen.findings = (self.report.findings.len() - before) as u64;
        self.report.partitions.push(seen);
    }

    /// A complete segment is a file of exactly its bytes.
    fn check_length(&mut self, offline: &Offline, id: TopicPartition, s: &Segment) {
        let path = segment::path(id, s.base);
        let list = offline
            .disk
            .list(&segment::directory(id))
            .unwrap_or_default();
        let length = list
            .iter()
            .find(|e| path.ends_with(&e.name))
            .map(|e| e.length);
        if length.is_some_and(|length| length > s.end) {
            let what = format!(
                "{} bytes behind the segment's end",
                length.unwrap_or_default() - s.end
            );
            let said = self.of_partition(Said::of(path, what).at(s.end), id, s.base);
            self.report.notes.push(said);
        }
    }

    /// Walks one segment's file, and goes on behind what is wrong where the index knows a place.
    fn file(&mut self, offline: &mut Offline, file: &File<'_>, seen: &mut Seen) {
        let path = segment::path(file.id, file.base);
        let mut walk = Walk::begin(0, file.base);
        let mut bytes = Vec::new();
        loop {
            walk.know(file.known(&walk));
            let result = self.walk(offline, file, &path, &mut walk, &mut bytes);
            seen.batches += walk.batches;
            seen.records += walk.records;
            let Err(wrong) = result else {
                break;
            };
            let (Wrong::Here(finding) | Wrong::FromHere(finding)) = &wrong;
            let said = Said::of(&*path, &*finding.what).at(finding.position);
            let said = self.of_partition(said, file.id, finding.offset);
            self.found(said);
            let next = match &wrong {
                Wrong::Here(finding) => file.entry_after(finding.position),
                Wrong::FromHere(_) => None,
            };
            let Some((offset, at)) = next else {
                break;
            };
            walk = Walk::begin(at, offset);
        }
        offline.disk.forget(&path);
    }

    fn walk(
        &mut self,
        offline: &mut Offline,
        file: &File<'_>,
        path: &str,
        walk: &mut Walk,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        let from_here = |walk: &Walk, what: String| {
            let (position, offset) = walk.place();
            Wrong::FromHere(Finding {
                position,
                offset,
                what,
            })
        };
        while walk.fed() < file.disk_end {
            let wanted = READ_BYTES.min((file.disk_end - walk.fed()) as usize);
            let read = offline.disk.read(path, walk.fed(), bytes, wanted);
            read.map_err(|error| match error {
                DiskError::NOT_FOUND => from_here(walk, "the file is missing".to_owned()),
                error => {
                    let error = std::io::Error::from_raw_os_error(error.errno);
                    from_here(walk, error.to_string())
                }
            })?;
            if bytes.is_empty() {
                let what = format!("the file ends at {}, not at {}", walk.fed(), file.disk_end);
                return Err(from_here(walk, what));
            }
            self.walked += bytes.len() as u64;
            self.tell();
            match walk.feed(bytes) {
                Ok(()) => {}
                // The zeros of an active segment, of which it is not known here where it ends.
                Err(finding)
                    if file.known.is_none() && is_reserved(offline, path, finding.position) =>
                {
                    return Ok(());
                }
                Err(finding) => return Err(Wrong::Here(finding)),
            }
        }
        let found = walk.feed(&file.rest).and_then(|()| walk.end());
        found.map_err(Wrong::Here)?;
        let (position, next) = walk.place();
        match file.follower {
            _ if position != file.end => {
                let what = format!("{position} bytes, where the log has {}", file.end);
                Err(from_here(walk, what))
            }
            Some(follower) if follower != next => {
                let what = format!(
                    "the segment ends here, what follows begins with offset {}",
                    follower.0
                );
                Err(from_here(walk, what))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Walks the files of partitions of which nothing but their names is known.
    fn raw_all(&mut self, offline: &mut Offline, of: &dyn Fn(TopicPartition) -> bool) {
        for directory in offline.disk.list("topics").unwrap_or_default() {
            let Some(id) = partition_of(&directory.name) else {
                continue;
            };
            let known = self.names.is_empty() || self.names.contains_key(&id.topic);
            if !known || !of(id) || !self.wanted(id) {
                continue;
            }
            let files = offline
                .disk
                .list(&segment::directory(id))
                .unwrap_or_default();
            let mut bases: Vec<(Offset, u64)> = files
                .iter()
                .filter_map(|f| Some((base_of(&f.name)?, f.length)))
                .collect();
            bases.sort_unstable();
            let mut seen = Seen {
                topic: self.name(id),
                partition: id.partition,
                log_start: bases.first().map_or(0, |(base, _)| base.0),
                ..Seen::default()
            };
            let before = self.report.findings.len();
            for (base, length) in bases {
                seen.segments += 1;
                seen.bytes += length;
                let file = File {
                    id,
                    base,
                    disk_end: length,
                    end: length,
                    known: None,
                    rest: Bytes::new(),
                    follower: None,
                };
                self.file(offline, &file, &mut seen);
            }
            seen.end = seen.log_start + seen.records as i64;
            seen.findings = (self.report.findings.len() - before) as u64;
            self.report.partitions.push(seen);
        }
    }

    /// Directories of partitions that no topic has.
    fn strangers(&mut self, offline: &Offline) {
        for directory in offline.disk.list("topics").unwrap_or_default() {
            let id = partition_of(&directory.name);
            if id.is_none_or(|id| !self.names.contains_key(&id.topic)) {
                let file = format!("topics/{}", directory.name);
                let what = "of no topic that exists: nobody reads it";
                self.report.notes.push(Said::of(file, what));
            }
        }
    }

    /// Groups that begin and are not whole. `head`: what lies below is read by no start.
    fn journals(
        &mut self,
        offline: &mut Offline,
        layout: &Layout,
        shard: ShardId,
        head: Option<u64>,
        clean: bool,
    ) {
        let files = layout.files(shard);
        let mut bytes = Vec::new();
        for name in names_with(offline, &files.directory, "journal-") {
            let path = format!("{}/{name}", files.directory);
            let length = usize::MAX >> 1;
            if let Err(error) = offline.disk.read(&path, 0, &mut bytes, length) {
                self.found(Said::of(path, error.to_string()));
                continue;
            }
            let mut at = 0;
            while at < bytes.len() {
                if let Some(header) = group::parse_any_group(&bytes[at..]) {
                    at += header.padded() as usize;
                    continue;
                }
                let block = &bytes[at..];
                at += BLOCK;
                let ours = begins_with(block, group::MAGIC, &files.id.directory);
                let position = block.get(48..56).and_then(|b| b.try_into().ok());
                let (true, Some(position)) = (ours, position) else {
                    continue;
                };
                let position = u64::from_be_bytes(position);
                let place = (at - BLOCK) as u64;
                let said = |what: &str| {
                    Said::of(
                        &*path,
                        format!("the group of position {position} is not whole: {what}"),
                    )
                    .at(place)
                };
                match head {
                    Some(head) if position < head => {
                        let note = said("it was written back long ago, and nobody reads it");
                        self.report.notes.push(note);
                    }
                    _ if clean => self.found(said("it was, when the broker stopped")),
                    Some(_) => {
                        let note = said(
                            "a write that a crash cut short, or damage; the journal ends before it",
                        );
                        self.report.notes.push(note);
                    }
                    None => self.found(said("the shard cannot start")),
                }
            }
            offline.disk.forget(&path);
        }
    }

    /// Sections that begin and are not whole.
    fn checkpoints(&mut self, offline: &mut Offline, layout: &Layout, shard: ShardId, clean: bool) {
        let files = layout.files(shard);
        let mut bad = Vec::new();
        let mut newest = 0;
        for name in names_with(offline, &files.directory, "checkpoint-") {
            let path = format!("{}/{name}", files.directory);
            let mut bytes = Vec::new();
            if let Err(error) = offline.disk.read(&path, 0, &mut bytes, usize::MAX >> 1) {
                self.found(Said::of(path, error.to_string()));
                continue;
            }
            offline.disk.forget(&path);
            let bytes = Bytes::from(bytes);
            let (mut at, mut number, mut generation) = (0, 0, None);
            while at < bytes.len() {
                let here = bytes.slice(at..);
                let section = checkpoint::parse_section(&here, files.id.directory);
                let follows = |s: &checkpoint::Section| {
                    s.number == number && generation.is_none_or(|g| g == s.generation)
                };
                if let Some((section, _)) = section.filter(|(s, _)| follows(s)) {
                    generation = Some(section.generation);
                    newest = newest.max(section.generation);
                    number += 1;
                    at += group::pad(section.length as usize);
                    continue;
                }
                let claimed = here.get(32..40).and_then(|b| b.try_into().ok());
                let claimed = claimed.map_or(0, u64::from_be_bytes);
                let claimed_number = here.get(40..44).and_then(|b| b.try_into().ok());
                let claimed_number = claimed_number.map_or(0, u32::from_be_bytes);
                let begun = begins_with(&here, checkpoint::MAGIC, &files.id.directory);
                // Behind its sections a file may hold those of generations before.
                let one_of_these = generation == Some(claimed) && claimed_number == number;
                let first = at == 0 && here.iter().take(BLOCK).any(|b| *b != 0);
                if first || begun && one_of_these {
                    bad.push((path.clone(), at as u64, claimed));
                }
                break;
            }
        }
        for (path, at, claimed) in bad {
            let said = Said::of(path, "a checkpoint's section is not whole").at(at);
            match clean || claimed < newest {
                true => self.found(said),
                false => self.report.notes.push(Said {
                    what: format!("{}: a write that a crash cut short, or damage", said.what),
                    ..said
                }),
            }
        }
    }

    fn print(&self, json: bool) -> std::io::Result<()> {
        if json {
            return show::json(&serde_json::to_value(&self.report)?);
        }
        let report = &self.report;
        let known = |what: Option<String>| what.unwrap_or_else(|| "?".into());
        println!(
            "{}: node {}, cluster {}, shards {}, last stop {}",
            report.directory,
            known(report.node.map(|n| n.to_string())),
            known(report.cluster.clone()),
            known(report.shards.map(|n| n.to_string())),
            match report.clean_stop {
                Some(true) => "clean",
                Some(false) => "unclean",
                None => "?",
            }
        );
        let mut table = Table::new(&[
            "TOPIC",
            "PARTITION",
            "FROM",
            "TO",
            "SEGMENTS",
            "RECORDS",
            "BYTES",
            "FINDINGS",
        ]);
        for p in &report.partitions {
            table.row(vec![
                p.topic.clone(),
                p.partition.to_string(),
                p.log_start.to_string(),
                p.end.to_string(),
                p.segments.to_string(),
                p.records.to_string(),
                p.bytes.to_string(),
                p.findings.to_string(),
            ]);
        }
        if !table.is_empty() {
            table.print()?;
        }
        for note in &report.notes {
            println!("note     {}", note.line());
        }
        for finding in &report.findings {
            println!("damaged  {}", finding.line());
        }
        let sum = |of: fn(&Seen) -> u64| report.partitions.iter().map(of).sum::<u64>();
        let what = match report.findings.len() {
            0 => "nothing is wrong".to_owned(),
            1 => "1 finding".to_owned(),
            n => format!("{n} findings"),
        };
        println!(
            "{what}; {} partitions, {} segments, {} records, {} in {:.1} s",
            report.partitions.len(),
            sum(|p| p.segments),
            sum(|p| p.records),
            show::bytes(sum(|p| p.bytes)),
            self.progress.elapsed().as_secs_f64()
        );
        Ok(())
    }
}

/// What ends a walk: one batch, or all that follows.
enum Wrong {
    Here(Finding),
    FromHere(Finding),
}

/// A segment's file, and what is known of it.
struct File<'a> {
    id: TopicPartition,
    base: Offset,
    /// Bytes that the file has, and that the segment has.
    disk_end: u64,
    end: u64,
    known: Option<(&'a Partition, &'a Segment)>,
    /// What follows the file, from the journal.
    rest: Bytes,
    /// What follows the segment begins with this offset.
    follower: Option<Offset>,
}

impl File<'_> {
    fn known(&self, walk: &Walk) -> Known {
        let (position, next) = walk.place();
        match self.known {
            Some((p, s)) => Known {
                end: self.end,
                epochs: p.epochs.from(next).to_vec(),
                entries: s.index.entries_within(position, self.end).collect(),
            },
            None => Known {
                end: self.end,
                ..Known::default()
            },
        }
    }

    /// The next place on disk that the index knows as a batch's begin.
    fn entry_after(&self, position: u64) -> Option<(Offset, u64)> {
        let (_, s) = self.known?;
        let mut entries = s.index.entries_within(position + 1, self.disk_end);
        entries.next().map(|(offset, at)| (offset, at.0))
    }
}

fn names_with(offline: &Offline, directory: &str, prefix: &str) -> Vec<String> {
    let list = offline.disk.list(directory).unwrap_or_default();
    let names = list.into_iter().map(|e| e.name);
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// Whether a group or section of this directory seems to begin here.
fn begins_with(bytes: &[u8], magic: u32, directory: &[u8; 16]) -> bool {
    bytes.get(..4) == Some(&magic.to_be_bytes()) && bytes.get(16..32) == Some(directory)
}

/// Whether a file holds nothing but zeros from a position on.
fn is_reserved(offline: &mut Offline, path: &str, position: u64) -> bool {
    let (mut at, mut bytes) = (position, Vec::new());
    loop {
        match offline.disk.read(path, at, &mut bytes, READ_BYTES) {
            Ok(()) if bytes.is_empty() => return at > position,
            Ok(()) if bytes.iter().all(|b| *b == 0) => at += bytes.len() as u64,
            Ok(()) | Err(_) => return false,
        }
    }
}

/// The base offset that a segment's name says.
fn base_of(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(segment::SUFFIX)?;
    digits.parse().ok().map(Offset)
}

/// The partition that a directory's name says.
fn partition_of(name: &str) -> Option<TopicPartition> {
    let (topic, partition) = name.rsplit_once('-')?;
    let digits = topic.len() == 32 && topic.bytes().all(|b| b.is_ascii_hexdigit());
    let id = u128::from_str_radix(topic, 16).ok().filter(|_| digits)?;
    Some(TopicPartition {
        topic: TopicId(id.to_be_bytes()),
        partition: partition.parse().ok()?,
    })
}
