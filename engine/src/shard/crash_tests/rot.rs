//! One bit is wrong in journal, checkpoint, segment or the small files: it is named, or it harms nothing. `ROT_FLIPS=10000`
//! for the long form.
//!
//! One loss cannot be told from a torn write: that of a group, or of a pointer's blocks, which nothing written later says
//! to have been flushed. It is counted by itself, and allowed nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::disk::{File, Lie};
use super::from_environment;
use super::run::{PARTITIONS, Refused, Run};
use crate::fatal::Fatal;
use crate::limits::BLOCK;
use crate::log::checkpoint::{self, Section};
use crate::log::group::{self, Entry};
use crate::shard::Shard;
use crate::types::Offset;

type Image = BTreeMap<String, File>;

#[derive(Default, Debug)]
struct Counts {
    /// The start was refused, by name.
    named: u64,
    /// Readers were told of a damaged batch.
    refused: u64,
    harmless: u64,
    /// Taken for a torn end of the journal.
    torn: u64,
}

/// What can be read: every batch by its partition and offset, and where a reader was refused.
#[derive(Default)]
struct Found {
    batches: BTreeMap<(u32, i64), Bytes>,
    refused: u64,
    /// Partitions where a segment's file is gone.
    gone: BTreeSet<u32>,
}

/// Reads all there is, and goes on behind what is damaged: at the next of `offsets`.
fn read_all(run: &mut Run, shard: &mut Shard, offsets: &BTreeMap<(u32, i64), Bytes>) -> Found {
    let mut found = Found::default();
    for partition in 0..PARTITIONS {
        let mut offset = Offset(0);
        loop {
            let records = match run.read(shard, partition, offset) {
                Ok((records, _)) => records,
                Err(Refused::Below(log_start)) => {
                    offset = log_start;
                    continue;
                }
                Err(refused @ (Refused::Corrupt | Refused::Storage)) => {
                    found.refused += 1;
                    if refused == Refused::Storage {
                        found.gone.insert(partition);
                    }
                    let end = (partition, i64::MAX);
                    let mut behind = offsets.range((partition, offset.0 + 1)..end);
                    let Some(((_, next), _)) = behind.next() else {
                        break;
                    };
                    offset = Offset(*next);
                    continue;
                }
            };
            let mut bytes = Bytes::from(records.concat());
            if bytes.is_empty() {
                break;
            }
            while !bytes.is_empty() {
                let header = crate::batch::verify(&bytes).expect("a served batch is valid");
                let batch = bytes.split_to(header.total_bytes());
                assert_eq!(header.base_offset, offset, "offsets are dense");
                found.batches.insert((partition, offset.0), batch);
                offset = header.end_offset();
            }
        }
    }
    found
}

/// Where a log ends that loses what nothing says to have been flushed: by partition, the lowest offset of it.
struct Tail {
    /// Batches of any kind, where their group is lost.
    groups: BTreeMap<u32, i64>,
    /// Those behind pointers, where blocks of a segment are lost.
    pointers: BTreeMap<u32, i64>,
    /// Whose log starts are there, too.
    starts: BTreeSet<u32>,
}

fn tail(image: &Image) -> Tail {
    let mut groups = Vec::new();
    for (_, file) in image.iter().filter(|(path, _)| path.contains("journal")) {
        for at in (0..file.now.len()).step_by(BLOCK) {
            groups.extend(group::parse_any_group(&file.now[at..]).map(|header| {
                let length = header.length as usize;
                (header, Bytes::copy_from_slice(&file.now[at..at + length]))
            }));
        }
    }
    let flushed = groups.iter().map(|(header, _)| header.flushed_through);
    let flushed = flushed.max().unwrap_or_default();
    // The newest group may be the only one that says so; without it the one before it counts.
    let newest = groups.iter().map(|(header, _)| header.position).max();
    let others = groups.iter().filter(|(h, _)| Some(h.position) != newest);
    let without = others.map(|(header, _)| header.flushed_through).max();
    let without = without.unwrap_or_default();
    let mut tail = Tail {
        groups: BTreeMap::new(),
        pointers: BTreeMap::new(),
        starts: BTreeSet::new(),
    };
    for (header, bytes) in &groups {
        for entry in group::parse_entries(bytes).expect("well formed") {
            let partition = entry.place().partition.partition as u32;
            let (batch, pointer) = match &entry {
                Entry::Bytes { batch, .. } => (batch, false),
                Entry::Pointer { header, .. } => (header, true),
                Entry::LogStart { .. } if header.position >= without => {
                    tail.starts.insert(partition);
                    continue;
                }
                Entry::Cut { .. } | Entry::LogStart { .. } => continue,
            };
            let parsed = crate::batch::BatchHeader::parse(batch).expect("a batch");
            let note = |of: &mut BTreeMap<u32, i64>| {
                let lowest = of.entry(partition).or_insert(i64::MAX);
                *lowest = parsed.base_offset.0.min(*lowest);
            };
            if header.position >= without {
                note(&mut tail.groups);
            }
            if header.position >= flushed && pointer {
                note(&mut tail.pointers);
            }
        }
    }
    tail
}

/// What a shard left behind after a life or two.
fn image(seed: u64) -> (Run, Image) {
    let mut run = Run::new(seed, Lie::Nothing);
    let lives = 1 + seed % 3;
    for life in 0..lives {
        let mut shard = run
            .open(&mut u64::MAX.clone())
            .expect("no crash was asked for");
        // What a start has found, and little since; or much, and the ring went round.
        let short = life > 0 && life + 1 == lives && run.rng.one_in(2);
        let events = match short {
            true => 50 + run.rng.below(250),
            false => 300 + run.rng.below(1_200),
        };
        run.live(&mut shard, events);
        if seed.is_multiple_of(4) && life + 1 == lives {
            run.stop(&mut shard);
        }
        run.crash(false);
    }
    let image = run.disk.files.clone();
    (run, image)
}

/// Flips a bit of a block that is not empty; `None`: there is no such file.
fn flip(run: &mut Run, image: &Image, kind: &str) -> Option<(String, usize)> {
    let paths: Vec<&String> = image.keys().filter(|path| path.contains(kind)).collect();
    if paths.is_empty() {
        return None;
    }
    let path = paths[run.rng.below(paths.len() as u64) as usize];
    let content = &image[path].now;
    let full = |at: &usize| content[*at..].iter().take(BLOCK).any(|byte| *byte != 0);
    let blocks: Vec<usize> = (0..content.len()).step_by(BLOCK).filter(full).collect();
    if blocks.is_empty() {
        return None;
    }
    let block = blocks[run.rng.below(blocks.len() as u64) as usize];
    let length = BLOCK.min(content.len() - block) as u64;
    // Headers are short and mislead the most.
    let length = if run.rng.one_in(2) {
        length
    } else {
        length.min(128)
    };
    let bit = block * 8 + run.rng.below(length * 8) as usize;
    let file = run.disk.files.get_mut(path).expect("just listed");
    file.now[bit / 8] ^= 1 << (bit % 8);
    file.durable.clone_from(&file.now);
    Some((path.clone(), bit))
}

fn examine(run: &mut Run, good: &Found, tail: &Tail, path: &str, counts: &mut Counts) {
    let mut shard = match run
        .try_open(&mut u64::MAX.clone())
        .expect("no crash was asked for")
    {
        Ok(shard) => shard,
        Err(Fatal::Damaged(_) | Fatal::Directory(_)) => {
            counts.named += 1;
            return;
        }
        Err(fatal @ (Fatal::Disk { .. } | Fatal::Host(_))) => panic!("{fatal}"),
    };
    let found = read_all(run, &mut shard, &good.batches);
    let journal = path.contains("journal");
    // A log start that is lost leads to files that went with it: readers are told.
    for partition in &found.gone {
        assert!(
            journal && tail.starts.contains(partition),
            "a file of {partition} is gone"
        );
    }
    let mut torn = false;
    for (at, batch) in &found.batches {
        let same = good.batches.get(at).map(|good| good == batch);
        // What was deleted is there again: a log start is lost like a batch.
        let again = same.is_none() && journal && tail.starts.contains(&at.0);
        assert!(
            same == Some(true) || again,
            "another batch at {at:?} is served"
        );
        torn |= again;
    }
    let lost = good
        .batches
        .keys()
        .filter(|at| !found.batches.contains_key(*at));
    let lost: Vec<(u32, i64)> = lost.copied().collect();
    let allowed = match journal {
        true => &tail.groups,
        false => &tail.pointers,
    };
    let end = |partition| allowed.get(&partition).copied().unwrap_or(i64::MAX);
    match (lost.is_empty(), found.refused > 0) {
        (true, _) if torn => counts.torn += 1,
        (true, _) => {
            counts.harmless += 1;
            if !journal && !path.ends_with(".log") {
                go_on(run, &mut shard);
            }
        }
        (false, true) => counts.refused += 1,
        (false, false) => {
            for (partition, offset) in lost {
                assert!(
                    offset >= end(partition),
                    "{partition}: {offset} is lost and nobody says so"
                );
            }
            counts.torn += 1;
        }
    }
}

/// No section stands where the one before it has its second copy.
fn expect_twins(image: &Image) {
    for (path, file) in image.iter().filter(|(path, _)| path.contains("checkpoint")) {
        let bytes = Bytes::copy_from_slice(&file.now);
        let section = |at: usize| {
            let here = bytes.slice(at.min(bytes.len())..);
            checkpoint::parse_section(&here, [1; 16]).map(|(section, _)| section)
        };
        let mut at = 0;
        let mut next = section(at).filter(|first| first.number == 0);
        while let Some(here) = next {
            let follows =
                |s: &Section| (s.generation, s.number) == (here.generation, here.number + 1);
            let length = group::pad(here.length as usize);
            let twin = section(at + length);
            assert!(
                !twin.as_ref().is_some_and(follows),
                "{path}: {here:?} has no twin"
            );
            at += 2 * length;
            next = section(at).filter(follows);
        }
    }
}

/// What harmed nothing harms nothing later: the shard lives on, is killed and starts once more.
fn go_on(run: &mut Run, shard: &mut Shard) {
    run.live(shard, 200);
    run.crash(false);
    let mut shard = run
        .open(&mut u64::MAX.clone())
        .expect("no crash was asked for");
    run.check(&mut shard, false);
}

#[test]
fn a_flipped_bit_is_named_or_harmless() {
    let wanted = from_environment("ROT_FLIPS", 500);
    let from = from_environment("ROT_FROM", 0);
    let mut all: BTreeMap<&str, Counts> = BTreeMap::new();
    let (mut flips, mut seed) = (0, from);
    while flips < wanted {
        let (mut run, image) = image(seed);
        expect_twins(&image);
        let tail = tail(&image);
        let ledgers = run.ledgers.clone();
        let mut shard = run
            .open(&mut u64::MAX.clone())
            .expect("no crash was asked for");
        let good = read_all(&mut run, &mut shard, &BTreeMap::new());
        drop(shard);
        for kind in ["journal", "checkpoint", ".log", "layout", "start"] {
            for turn in 0..8 {
                run.crash(false);
                (run.disk.files, run.ledgers) = (image.clone(), ledgers.clone());
                run.ledgers.values_mut().for_each(|l| l.shown = Offset(0));
                let Some((path, bit)) = flip(&mut run, &image, kind) else {
                    continue;
                };
                flips += 1;
                let counts = all.entry(kind).or_default();
                let examined = std::panic::AssertUnwindSafe(|| {
                    examine(&mut run, &good, &tail, &path, counts);
                });
                let result = std::panic::catch_unwind(examined);
                assert!(
                    result.is_ok(),
                    "seed {seed}, turn {turn}: bit {bit} of {path}"
                );
            }
        }
        seed += 1;
    }
    println!("{flips} flips on {} images: {all:?}", seed - from);
    for kind in ["journal", ".log", "layout", "start"] {
        let counts = &all[kind];
        assert!(counts.named + counts.refused > 0, "{kind}: {counts:?}");
    }
    assert_eq!(
        all["checkpoint"].named, 0,
        "one bit takes one copy: {all:?}"
    );
}
