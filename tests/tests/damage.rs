//! Files of the real process damaged between its lives: it serves what was acknowledged, or less, or ends by name; never else.
//!
//! ```text
//!  a directory of a broker that was killed, or stopped ─► copy ─► truncate · flip · zero · swap · delete, by seed ─► start
//!     ─┬─ open: every batch served is the one acknowledged at its offset, from the log's start without a gap;
//!      │        produce, kill -9, start again: the same, and what was produced
//!      └─ a named exit code, and a line that says why; no panic, no signal
//! ```
//!
//! `DAMAGE_CASES=500` for the long form. Case n is that of `DAMAGE_SEED=n DAMAGE_CASES=1`. Ends of structures are batches' in
//! segments, blocks' elsewhere: journal groups, checkpoint sections and metadata groups begin at blocks.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::protocol::Request;

use corelane_engine::rng::Rng;
use corelane_tests::harness::broker::{Broker, Options, target_dir};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, decode_response, fetch_request, produce_request, request_bytes,
};

const PAGE: usize = 4096;
const PLACES: [(&str, i32); 4] = [("t", 0), ("t", 1), ("u", 0), ("u", 1)];
/// Named ends, `engine::fatal`.
const EXIT_CODES: std::ops::RangeInclusive<i32> = 10..=13;
const DAMAGED: i32 = 12;
const ENDS_WITHIN: Duration = Duration::from_secs(20);

type Place = (&'static str, i32);
/// Batches as they were served, by place and first offset.
type Promised = BTreeMap<(Place, i64), Bytes>;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn a_damaged_directory_is_served_as_far_as_it_is_sound_or_refused_by_name() {
    let scratch = Scratch::new();
    let bases = [
        Base::new(&scratch.0.join("killed"), false),
        Base::new(&scratch.0.join("stopped"), true),
    ];
    for base in &bases {
        without_the_last_decision(base, &scratch.0.join("end"));
    }
    let (first, cases) = (setting("DAMAGE_SEED", 0), setting("DAMAGE_CASES", 24));
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    for seed in first..first + cases {
        let mut rng = Rng::new(seed);
        let base = &bases[rng.below(2) as usize];
        let directory = scratch.0.join("case");
        base.copy_to(&directory);
        let mut harm = String::new();
        for _ in 0..1 + rng.below(2) {
            harm.push_str(&damage(&mut rng, &directory));
        }
        eprintln!("case {seed}: {} {harm}", base.name);
        let outcome = started(base, &directory, rng.one_in(3));
        eprintln!("case {seed}: {outcome:?}");
        *outcomes.entry(outcome).or_default() += 1;
        fs::remove_dir_all(&directory).expect("our own");
    }
    eprintln!("{cases} cases: {outcomes:#?}");
}

/// The metadata log loses its last group, or some of it: after a clean stop that is damage, however often it is started; a
/// crash may have torn it.
fn without_the_last_decision(base: &Base, directory: &Path) {
    for cut in [None, Some(1), Some(PAGE)] {
        base.copy_to(directory);
        let mut logs = files(directory).into_iter();
        let log = logs.rfind(|path| path.to_string_lossy().contains("/meta/log-"));
        let log = log.expect("every directory has one");
        let bytes = fs::read(&log).expect("readable");
        let used = bytes.iter().rposition(|byte| *byte != 0).expect("a group");
        let end = (used + 1).next_multiple_of(PAGE);
        let file = File::options().write(true).open(&log).expect("writable");
        match cut {
            None => file.write_all_at(&[0; PAGE], (end - PAGE) as u64),
            Some(cut) => file.set_len((end - cut) as u64),
        }
        .expect("writable");
        let outcome = started(base, directory, false);
        if base.name == "stopped" {
            assert_eq!(outcome, Outcome::Ended(DAMAGED), "{cut:?}");
            let again = started(base, directory, false);
            assert_eq!(again, outcome, "{cut:?}, started again");
        }
        fs::remove_dir_all(directory).expect("our own");
    }
}

/// What became of a start.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// Everything that was acknowledged.
    All,
    /// Partitions that end early, and partitions that answer with an error.
    Less {
        short: usize,
        refused: usize,
    },
    Ended(i32),
}

/// A directory, and what was promised about it.
struct Base {
    name: &'static str,
    directory: PathBuf,
    promised: Promised,
    ends: BTreeMap<Place, i64>,
}

fn options(directory: &Path) -> Options {
    Options {
        data_dir: Some(directory.to_owned()),
        // Whatever is damaged is said; panics are looked for here.
        allowed: vec![String::new()],
        kafka: false,
        ..Options::shards(2)
    }
}

impl Base {
    fn new(directory: &Path, cleanly: bool) -> Base {
        let mut broker = Broker::start_own(options(directory));
        let mut wire = Wire::connect(broker.address());
        for (topic, durability) in [("t", "disk"), ("u", "process")] {
            let configs = [
                ("segment.bytes", "1048576"),
                ("corelane.durability", durability),
            ];
            wire.create_topic(topic, 2, &configs);
        }
        for n in 0..100_u8 {
            let (topic, partition) = PLACES[usize::from(n) % PLACES.len()];
            let length = match n % 9 {
                // Straight to its segment.
                0 => 280 << 10,
                4 => 20_000,
                _ => 100 + usize::from(n),
            };
            let batch = Batch::of(&[&vec![n; length][..], &[n; 7]]);
            let answer = wire.produce(topic, partition, batch.bytes());
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        }
        let (mut promised, mut ends) = (Promised::new(), BTreeMap::new());
        for place in PLACES {
            let read = read(&mut wire, place)
                .expect("it lives")
                .expect("nothing is damaged");
            ends.insert(place, read.end);
            promised.extend(
                read.batches
                    .into_iter()
                    .map(|(at, batch)| ((place, at), batch)),
            );
        }
        assert_eq!(promised.len(), 100);
        match cleanly {
            true => assert!(broker.terminate().success()),
            false => broker.kill_9(),
        }
        Base {
            name: if cleanly { "stopped" } else { "killed" },
            directory: directory.to_owned(),
            promised,
            ends,
        }
    }

    fn copy_to(&self, directory: &Path) {
        let copied = Command::new("cp")
            .args(["-r", "--sparse=always"])
            .args([&self.directory, directory])
            .status();
        assert!(copied.expect("cp is a program of every Linux").success());
    }
}

/// Starts on what was left, and holds it against what was promised.
fn started(base: &Base, directory: &Path, twice: bool) -> Outcome {
    let mut broker = match Broker::try_start(options(directory)) {
        Ok(broker) => broker,
        Err(said) => return Outcome::Ended(ended(&said, status(&said))),
    };
    let mut promised = base.promised.clone();
    let (mut short, mut refused) = (0, 0);
    for life in 0..1 + usize::from(twice) {
        (short, refused) = (0, 0);
        if life > 0 {
            broker.kill_9();
            broker.restart();
        }
        let mut wire = Wire::connect(broker.address());
        for place in PLACES {
            let Some(read) = read(&mut wire, place) else {
                let status = broker.wait(ENDS_WITHIN);
                return Outcome::Ended(ended(&broker.said().join("\n"), status));
            };
            let Ok(read) = read else {
                refused += 1;
                continue;
            };
            for (at, batch) in &read.batches {
                let before = promised.get(&(place, *at));
                assert_eq!(before, Some(batch), "{place:?} at {at}: never acknowledged");
            }
            short += usize::from(read.end < base.ends[&place]);
            // It goes on from here: what lay behind is lost, and must not come back.
            promised.retain(|(of, at), _| *of != place || *at < read.end);
            let batch = Batch::of(&[b"after the damage"]).bytes();
            let request = produce_request(place.0, place.1, -1, batch);
            let Some(answer) = ask(&mut wire, 9, &request) else {
                let status = broker.wait(ENDS_WITHIN);
                return Outcome::Ended(ended(&broker.said().join("\n"), status));
            };
            let answer = &answer.responses[0].partition_responses[0];
            if answer.error_code != 0 {
                refused += 1;
                continue;
            }
            assert_eq!(answer.base_offset, read.end, "{place:?}: the next one");
            let fetched =
                ask::<FetchRequest>(&mut wire, 11, &fetch_request(place.0, place.1, read.end, 0));
            let fetched = fetched.expect("it lives").responses[0].partitions[0].clone();
            assert_eq!(fetched.error_code, 0, "{place:?}: just acknowledged");
            let batch = fetched.records.expect("just acknowledged");
            promised.insert((place, read.end), batch);
        }
    }
    let said = broker.said().join("\n");
    assert!(!said.contains("panicked"), "{said}");
    if (short, refused) == (0, 0) {
        return Outcome::All;
    }
    // After a clean stop, less than was acknowledged is never served without a word. After a kill, what no flush covered may
    // look as if it had never been.
    let loud = |line: &&String| line.contains(" WARN ") || line.contains("ERROR ");
    let lines = broker.said();
    let said: Vec<_> = lines
        .iter()
        .filter(loud)
        .filter(|line| !line.contains("memlock") && !line.contains("recovery "))
        .collect();
    eprintln!("  it said: {said:#?}");
    assert!(
        !said.is_empty() || base.name == "killed",
        "{short} end early, {refused} are refused, and nothing is said"
    );
    Outcome::Less { short, refused }
}

/// The exit code of a named end; anything else is a failure.
fn ended(said: &str, status: ExitStatus) -> i32 {
    assert!(!said.contains("panicked"), "{said}");
    let code = status.code().unwrap_or(-1);
    assert!(EXIT_CODES.contains(&code), "{status:?}; it said:\n{said}");
    let named = ["damaged:", "disk failed:", "data directory refused:"];
    assert!(
        named.iter().any(|name| said.contains(name)),
        "no reason in:\n{said}"
    );
    code
}

/// What [`Broker::try_start`] says of the end: `[…; Ok(ExitStatus(unix_wait_status(3072)))]`.
fn status(said: &str) -> ExitStatus {
    let raw = said
        .rsplit_once("unix_wait_status(")
        .and_then(|(_, rest)| rest.split_once(')'));
    let raw = raw.and_then(|(raw, _)| raw.parse().ok());
    ExitStatus::from_raw(raw.unwrap_or_else(|| panic!("it hangs:\n{said}")))
}

/// One request, one answer; `None`: the connection ended.
fn ask<R: Request>(wire: &mut Wire, version: i16, request: &R) -> Option<R::Response> {
    wire.send_frame(&request_bytes(version, 1, request));
    match wire.reaction(ANSWER_WITHIN) {
        Reaction::Frame(frame) => Some(decode_response::<R>(version, &frame).1),
        Reaction::Closed => None,
        Reaction::Silent => panic!("api {} is not answered", R::KEY),
    }
}

struct Held {
    batches: Vec<(i64, Bytes)>,
    end: i64,
}

/// All of a partition, from where it begins on; the error: a code. `None`: the connection ended.
fn read(wire: &mut Wire, (topic, partition): Place) -> Option<Result<Held, i16>> {
    let mut held = Held {
        batches: Vec::new(),
        end: 0,
    };
    loop {
        let request = fetch_request(topic, partition, held.end, 0);
        let answer = ask::<FetchRequest>(wire, 11, &request)?;
        let answer = &answer.responses[0].partitions[0];
        if answer.error_code != 0 {
            return Some(Err(answer.error_code));
        }
        let mut records = answer.records.clone().unwrap_or_default();
        if records.is_empty() {
            return Some(Ok(held));
        }
        while let Some(length) = batch_length(&records).filter(|length| *length <= records.len()) {
            let batch = records.split_to(length);
            let first = i64::from_be_bytes(*batch.first_chunk().expect("a batch"));
            assert_eq!(first, held.end, "{topic}-{partition}: the next one");
            let deltas = i32::from_be_bytes(batch[23..27].try_into().expect("4 bytes"));
            held.end = first + i64::from(deltas) + 1;
            held.batches.push((first, batch));
        }
    }
}

/// Of the batch at the front, where there is a header.
fn batch_length(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<61>()?;
    let length = i32::from_be_bytes(header[8..12].try_into().expect("4 bytes"));
    (header[16] == 2 && length >= 49).then_some(12 + length as usize)
}

/// Does one damage to a file of a random kind; what, for who reads that it failed.
fn damage(rng: &mut Rng, directory: &Path) -> String {
    let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in files(directory) {
        let inside = path.strip_prefix(directory).expect("found below it");
        let mut kind = inside.to_string_lossy().into_owned();
        // `topics/….log`, `cores-…/0/journal-1` and the like are one kind each.
        kind.retain(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit() || c == '.' || c == '/');
        if fs::metadata(&path).expect("there").len() > 0 {
            kinds.entry(kind).or_default().push(path);
        }
    }
    let of_kind = kinds
        .values()
        .nth(rng.below(kinds.len() as u64) as usize)
        .expect("there are files");
    let path = &of_kind[rng.below(of_kind.len() as u64) as usize];
    let bytes = fs::read(path).expect("readable");
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |at| at + 1);
    let file = File::options().write(true).open(path).expect("writable");
    // Half the time near the end, where a crash tears.
    let at = match rng.one_in(2) {
        true => used - 1 - rng.below(used.min(3 * PAGE) as u64) as usize,
        false => rng.below(used as u64) as usize,
    };
    let page = at / PAGE * PAGE;
    let end = bytes.len().min(page + PAGE);
    let write = |at: usize, bytes: &[u8]| file.write_all_at(bytes, at as u64).expect("writable");
    let what = match rng.below(7) {
        0 => {
            write(at, &[bytes[at] ^ (1 << rng.below(8))]);
            format!("a bit flipped at {at}")
        }
        1 => {
            file.set_len(at as u64).expect("writable");
            format!("cut at {at}")
        }
        2 | 3 => {
            let ends = ends(&bytes[..used]);
            let end = ends[rng.below(ends.len() as u64) as usize];
            let end = (end + rng.below(3) as usize).saturating_sub(1);
            file.set_len(end as u64).expect("writable");
            format!("cut beside an end, at {end}")
        }
        4 => {
            write(page, &vec![0; end - page]);
            format!("page {page} zeroed")
        }
        5 => {
            let other = rng.below(used as u64) as usize / PAGE * PAGE;
            let length = (end - page).min(bytes.len() - other);
            write(page, &bytes[other..other + length]);
            write(other, &bytes[page..page + length]);
            format!("pages {page} and {other} swapped")
        }
        _ => {
            fs::remove_file(path).expect("our own");
            "deleted".to_owned()
        }
    };
    let inside = path.strip_prefix(directory).expect("found below it");
    format!("[{}: {what}] ", inside.display())
}

/// Where batches of a segment end, or blocks of anything else.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (vec![0], 0);
    while let Some(length) = batch_length(&bytes[at..]).filter(|length| *length <= bytes.len() - at)
    {
        at += length;
        ends.push(at);
    }
    match ends.len() {
        1 => (0..=bytes.len() / PAGE).map(|page| page * PAGE).collect(),
        _ => ends,
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a readable directory");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// Goes whether the test passes or fails: a case is repeated by its seed.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let path = target_dir()
            .join("tmp")
            .join(format!("damage-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the target directory is writable");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn an_end_without_a_name_fails() {
    use std::panic::catch_unwind;
    let code = |code: i32| ExitStatus::from_raw(code << 8);
    assert_eq!(ended("damaged: meta/1: no start", code(12)), 12);
    assert!(catch_unwind(|| ended("damaged: x", code(101))).is_err());
    assert!(catch_unwind(|| ended("damaged: x", ExitStatus::from_raw(6))).is_err());
    assert!(catch_unwind(|| ended("thread 'shard' panicked at x", code(12))).is_err());
    assert!(catch_unwind(|| ended("", code(12))).is_err());
    let said = "…\n[receiving on a closed channel; Ok(ExitStatus(unix_wait_status(3072)))]";
    assert_eq!(status(said).code(), Some(12));
}
