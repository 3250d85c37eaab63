//! `corelane log dump`: what segments and journal files hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use corelane_engine::batch::{self, BatchHeader, VerifyError};
use corelane_engine::limits::BLOCK;
use corelane_engine::log::group::{self, Entry};

#[derive(Args)]
#[command(after_help = "Examples:
  corelane log dump corelane-data/topics/*/00000000000000000000.log
  corelane log dump corelane-data/cores-0-2/0/journal-0

A segment's batches are printed one a line, with what is wrong where the file ends early. A journal file's groups are
printed with their entries, in the order they stand in the file; positions tell their order in time.")]
pub(crate) struct DumpArgs {
    /// Segment files (*.log) or journal files (journal-N)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Exit code 0: all valid; 1: a file could not be read, or ends in something that is no batch.
pub(crate) fn run(args: &DumpArgs) -> ExitCode {
    let mut good = true;
    for path in &args.files {
        match fs::read(path) {
            Ok(bytes) => good &= dump(path, &Bytes::from(bytes)),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                good = false;
            }
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn dump(path: &Path, bytes: &Bytes) -> bool {
    println!("{} ({} bytes)", path.display(), bytes.len());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("journal-") {
        dump_journal(bytes);
        return true;
    }
    dump_segment(bytes)
}

fn print_batch(position: usize, header: &BatchHeader) {
    let codec = header
        .codec()
        .map_or("?".into(), |codec| format!("{codec:?}").to_lowercase());
    println!(
        "  position {position:>10}  offsets {}..{}  count {}  bytes {}  epoch {}  codec {codec}  max timestamp {}{}",
        header.base_offset.0,
        header.last_offset().0,
        header.count,
        header.total_bytes(),
        header.leader_epoch.0,
        header.max_timestamp.0,
        match header.has_producer() {
            true => format!(
                "  producer {}/{} sequence {}",
                header.producer_id, header.producer_epoch, header.base_sequence
            ),
            false => String::new(),
        },
    );
}

fn dump_segment(bytes: &Bytes) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        match batch::verify(&bytes[at..]) {
            Ok(header) => {
                print_batch(at, &header);
                at += header.total_bytes();
            }
            Err(_) if bytes[at..].iter().all(|b| *b == 0) => {
                println!(
                    "  position {at:>10}  {} zero bytes: reserved, not written",
                    bytes.len() - at
                );
                return true;
            }
            Err(VerifyError::Short { need, have }) => {
                println!("  position {at:>10}  no whole batch: {have} bytes, {need} needed");
                return false;
            }
            Err(error) => {
                println!("  position {at:>10}  no batch: {error}");
                return false;
            }
        }
    }
    true
}

fn dump_journal(bytes: &Bytes) {
    let mut at = 0;
    while at < bytes.len() {
        let Some(header) = group::parse_any_group(&bytes[at..]) else {
            at += BLOCK;
            continue;
        };
        println!(
            "  block {at:>10}  position {}  start {}  bytes {}  flushed through {}  crc {:08x} after {:08x}",
            header.position.0,
            header.start,
            header.length,
            header.flushed_through.0,
            header.crc,
            header.prev_crc
        );
        match group::parse_entries(&bytes.slice(at..at + header.length as usize)) {
            Ok(entries) => entries.iter().for_each(print_entry),
            Err(what) => println!("    malformed: {what}"),
        }
        at += header.padded() as usize;
    }
}

fn print_entry(entry: &Entry) {
    let place = entry.place();
    let kind = match entry {
        Entry::Bytes { batch, .. } => format!("bytes {}", batch.len()),
        Entry::Pointer { length, .. } => format!("pointer to {length}"),
        Entry::Cut { next_offset, .. } => format!("cut, next offset {}", next_offset.0),
        Entry::LogStart { offset, .. } => format!("log start {}", offset.0),
    };
    println!(
        "    {}  segment {} at {}  {kind}",
        place.partition, place.segment.0, place.position.0
    );
}
