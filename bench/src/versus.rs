//! `versus`: Corelane beside Apache Kafka, same machine, same run, in A-B-B-A pairs, with equal durability.
//!
//! ```text
//!   case × pair ─► fresh directory ─► start ─► warm ─► load ─► sample ─► result file (resumed when broken off)
//!                                                                  └─► medians, ratios, intervals, goals
//! ```

pub mod cache;
pub mod corelane;
pub mod count;
pub mod kafka;
pub mod probe;
pub mod stage;
pub mod stats;
pub mod steps;
pub mod subject;
pub mod table;
pub mod workloads;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::cache::{Memory, PageCache};
use self::stage::Stage;
use self::steps::{Clock, Steps};
use self::workloads::{Case, Kind};
use crate::load::plan::Rate;
use crate::load::{self, LoadError, plan};
use crate::machine::Machine;
use crate::sys;

/// Options of `versus`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Our broker: a release build.
    #[arg(long, default_value = "target/release/corelane", value_name = "PATH")]
    pub corelane: PathBuf,
    /// Record Apache Kafka alone.
    #[arg(long)]
    pub only_peer: bool,
    /// Record our broker alone.
    #[arg(long, conflicts_with = "only_peer")]
    pub only_ours: bool,
    /// Measure this running broker in place of Apache Kafka; it is neither started nor stopped, and keeps its data.
    #[arg(long, value_name = "HOST:PORT")]
    pub peer: Option<String>,
    /// CPU of the broker where it is pinned; the generator has another.
    #[arg(long, default_value_t = 0, value_name = "CPU")]
    pub broker_cpu: usize,
    /// Which workloads: W1,W3 or a case's beginning such as "W3 64x1". Default: all.
    #[arg(long, value_delimiter = ',')]
    pub workload: Vec<String>,
    /// Pairs per case.
    #[arg(long, default_value_t = 4)]
    pub pairs: usize,
    /// Length of each measurement.
    #[arg(long, default_value = "10s", value_parser = plan::parse_duration)]
    pub duration: Duration,
    /// The same load right before each measurement, on both sides.
    #[arg(long, default_value = "2s", value_parser = plan::parse_duration)]
    pub warmup: Duration,
    /// The same load before that, as fast as it goes, for the peer's JIT compiler: on all CPUs, also where the measurement
    /// pins it to one; 0: none. Default: 5 s for batches from 256 KiB, 10 s from 64 KiB, 25 s for smaller ones.
    #[arg(long, value_parser = plan::parse_duration)]
    pub jit: Option<Duration>,
    /// Page cache to fill once and to keep full from run to run, at most the machine's memory; 0: none.
    #[arg(long, default_value = "1000GiB", value_parser = plan::parse_bytes)]
    pub page_cache: u64,
    /// The result; a recording that was broken off goes on where it stopped.
    #[arg(long, default_value = "target/versus/result.json", value_name = "FILE")]
    pub out: PathBuf,
    /// Data directories of the runs (on the disk to be measured) and Kafka's jars.
    #[arg(long, default_value = "target/versus")]
    pub dir: PathBuf,
    /// Ports: Kafka's broker; its controller is the next; Corelane and the floor follow.
    #[arg(long, default_value_t = 19392)]
    pub port: u16,
    /// Bytes that W7 reads back, from the disk.
    #[arg(long, default_value = "20GiB", value_parser = plan::parse_bytes)]
    pub backlog: u64,
    /// Partitions of W8.
    #[arg(long, default_value_t = 5_000)]
    pub many: i32,
    /// Bytes that W9 writes before it kills.
    #[arg(long, default_value = "9GiB", value_parser = plan::parse_bytes)]
    pub recovery_bytes: u64,
    /// Connections of W12 that say nothing.
    #[arg(long, default_value_t = 1_000)]
    pub idle_connections: usize,
    /// Length of W13.
    #[arg(long, default_value_t = 30.0)]
    pub soak_minutes: f64,
    /// Rate of W13. Default: 70 % of what the peer holds, searched when the peer is soaked and then used for ours.
    #[arg(long, value_parser = plan::parse_rate)]
    pub soak_rate: Option<Rate>,
    /// Leave the floor out.
    #[arg(long)]
    pub no_floor: bool,
    /// Print the plan and its length, and stop.
    #[arg(long)]
    pub dry_run: bool,
}

impl Options {
    /// CPU of the broker, and of the generator.
    pub fn cpus(&self) -> (usize, usize) {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let broker = self.broker_cpu.min(cpus - 1);
        let generator = if broker == cpus - 1 { 0 } else { cpus - 1 };
        (broker, generator)
    }
}

/// Why a recording stopped.
#[derive(Debug, Error)]
pub enum VersusError {
    /// Files and processes.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Which run it was.
    #[error("{0}: {1}")]
    Run(String, Box<VersusError>),
    /// The result file of another plan.
    #[error("{0}")]
    Result(String),
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Apache Kafka, or the broker given by `--peer`.
    Peer,
    /// Our broker.
    Corelane,
    /// The speed of light.
    Floor,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// The case's name.
    pub case: String,
    /// Who ran.
    pub who: Who,
    /// Which pair.
    pub pair: usize,
    /// The numbers that are compared.
    pub metrics: BTreeMap<String, f64>,
    /// Why it does not count.
    pub rejected: Option<String>,
    /// How the numbers were come by, where that is not the same everywhere.
    #[serde(default)]
    pub note: String,
    /// Memory right before the load; little is free, or the page cache of the run was paid for on the host.
    #[serde(default)]
    pub before: Memory,
    /// Memory right after it.
    #[serde(default)]
    pub after: Memory,
    /// Where the time went, seconds: start, fill (the page cache), warm (the peer's JIT), load, stop, clear.
    #[serde(default)]
    pub phases: Vec<(String, f64)>,
    /// The command that served.
    pub command: Vec<String>,
    /// Everything that load said.
    pub outcome: serde_json::Value,
}

/// The result file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Recording {
    /// Where, and by which command.
    pub machine: serde_json::Value,
    /// Kafka's configuration.
    pub kafka: serde_json::Value,
    /// All runs so far.
    pub samples: Vec<Sample>,
}

/// Times that a rejected run is tried.
const ATTEMPTS: usize = 3;

/// Runs what is missing and returns the table.
pub fn run(options: &Options) -> Result<String, VersusError> {
    let wanted = |case: &Case| {
        let named = |name: &String| is_named(&case.name, name);
        options.workload.is_empty() || options.workload.iter().any(named)
    };
    let all = workloads::all(options.many).into_iter();
    let cases: Vec<Case> = all.filter(wanted).collect();
    let runs = schedule(options, &cases);
    let mut recording = resume(&options.out)?;
    let done = |recording: &Recording, case: &Case, who: Who, pair: usize| {
        recording
            .samples
            .iter()
            .any(|sample| (&sample.case, sample.who, sample.pair) == (&case.name, who, pair))
    };
    let missing = runs
        .iter()
        .filter(|(case, who, pair)| !done(&recording, case, *who, *pair));
    let lengths: Vec<Duration> = missing
        .map(|(case, who, _)| length(options, case, *who))
        .collect();
    println!(
        "plan: {} cases, {} runs, {} left, about {:.0} minutes",
        cases.len(),
        runs.len(),
        lengths.len(),
        lengths.iter().sum::<Duration>().as_secs_f64() / 60.0
    );
    for case in &cases {
        let runs = runs.iter().filter(|(other, _, _)| other.name == case.name);
        let seconds: f64 = runs
            .map(|(case, who, _)| length(options, case, *who).as_secs_f64())
            .sum();
        println!("  {:<28}{:>6.1} min", case.name, seconds / 60.0);
    }
    if options.dry_run {
        return Ok(table::table(&cases, &recording));
    }
    recording.machine = serde_json::to_value(Machine::read()).unwrap_or_default();
    sys::raise_open_files();
    let peer_wanted = runs.iter().any(|(_, who, _)| *who == Who::Peer);
    let class_path = if options.peer.is_none() && peer_wanted {
        kafka::fetch(&options.dir)?
    } else {
        String::new()
    };
    recording.kafka = serde_json::json!({
        "version": kafka::VERSION, "jvm": kafka::JVM, "server.properties": kafka::properties(options.port, Path::new("DATA"), kafka::RETENTION_CHECK_MS),
    });
    let mut cache = PageCache::new(&options.dir, options.page_cache)?;
    for (at, (case, who, pair)) in runs.iter().enumerate() {
        if done(&recording, case, *who, *pair) {
            continue;
        }
        if sys::interrupted() {
            break;
        }
        // A run in which the tool was late says nothing about the broker: it is kept, left out, and done again.
        for _ in 0..ATTEMPTS {
            print!(
                "[{}/{}] {} {who:?} {}: ",
                at + 1,
                runs.len(),
                case.name,
                pair + 1
            );
            let _ = io::Write::flush(&mut io::stdout());
            let soak_rate = options.soak_rate.or_else(|| soak_rate(&recording, case));
            if case.kind == Kind::Soak && *who == Who::Corelane && soak_rate.is_none() {
                let text = "soak the peer first, whose maximum sets the rate, or give --soak-rate";
                return Err(VersusError::Result(text.to_owned()));
            }
            let told = one(
                options,
                &class_path,
                &mut cache,
                case,
                *who,
                *pair,
                soak_rate,
            );
            let sample = match told {
                Ok(sample) => sample,
                Err(_) if sys::interrupted() => break,
                Err(error) => {
                    return Err(VersusError::Run(case.name.clone(), Box::new(error)));
                }
            };
            if sys::interrupted() {
                break;
            }
            println!("{}", line(case.kind, &sample));
            let sound = sample.rejected.is_none();
            recording.samples.push(sample);
            save(&options.out, &recording)?;
            if sound {
                break;
            }
        }
    }
    let page_path = options.out.with_extension("html");
    fs::write(&page_path, table::page(&cases, &recording))?;
    println!("pictures: {}", page_path.display());
    Ok(table::table(&cases, &recording))
}

/// Whether a case is meant by a workload, `W1`, or by the beginning of its name, `W1 A p`. `W1` does not mean `W12`.
fn is_named(case: &str, name: &str) -> bool {
    case.strip_prefix(name)
        .is_some_and(|rest| name.contains(' ') || rest.is_empty() || rest.starts_with(' '))
}

/// About how long a run takes.
fn length(options: &Options, case: &Case, who: Who) -> Duration {
    let peer = who == Who::Peer && options.peer.is_none();
    // Kafka's start and stop, the pages of its data; ours.
    let around = if peer { 8.0 } else { 1.0 };
    let jit = if peer {
        case.jit(options).as_secs_f64()
    } else {
        0.0
    };
    let load = (options.warmup + options.duration).as_secs_f64();
    // Seconds per GiB written, taken out of memory, read back and deleted.
    let gib = |bytes: u64, each: f64| bytes as f64 / 1_073_741_824.0 * each;
    let seconds = match case.kind {
        Kind::Load | Kind::Syscalls => around + jit + load,
        Kind::CatchUp => around + gib(options.backlog, if peer { 2.8 } else { 1.4 }),
        Kind::Recovery => around + gib(options.recovery_bytes, if peer { 4.5 } else { 1.5 }),
        Kind::Idle => around + 2.0 * options.duration.as_secs_f64() + 4.0,
        Kind::Soak => {
            let search = if peer && options.soak_rate.is_none() {
                70.0
            } else {
                0.0
            };
            around + jit + search + options.soak_minutes * 60.0
        }
    };
    Duration::from_secs_f64(seconds)
}

/// Every run in its order: A-B, B-A, A-B, …; the floor after the first two pairs.
fn schedule<'a>(options: &Options, cases: &'a [Case]) -> Vec<(&'a Case, Who, usize)> {
    let mut runs = Vec::new();
    for case in cases {
        for pair in 0..options.pairs.min(case.pairs_max) {
            let order = if pair % 2 == 0 {
                [Who::Peer, Who::Corelane]
            } else {
                [Who::Corelane, Who::Peer]
            };
            for who in order {
                let wanted = match who {
                    Who::Peer => !options.only_ours && possible(options, case),
                    Who::Corelane | Who::Floor => !options.only_peer,
                };
                if wanted {
                    runs.push((case, who, pair));
                }
            }
            if case.floor && pair < 2 && !options.no_floor {
                runs.push((case, Who::Floor, pair));
            }
        }
    }
    runs
}

/// A broker that runs already is not started, killed, made cold or looked into.
fn possible(options: &Options, case: &Case) -> bool {
    options.peer.is_none()
        || match case.kind {
            Kind::Load => true,
            Kind::CatchUp | Kind::Recovery | Kind::Idle | Kind::Soak | Kind::Syscalls => false,
        }
}

/// What the peer was soaked with.
fn soak_rate(recording: &Recording, case: &Case) -> Option<Rate> {
    let of_case = recording.samples.iter();
    let mut peers = of_case.filter(|sample| sample.case == case.name && sample.who == Who::Peer);
    let asked = peers.find_map(|sample| sample.metrics.get("asked_mb_per_s"))?;
    Some(Rate::Bytes(asked * 1e6))
}

fn one(
    options: &Options,
    class_path: &str,
    cache: &mut PageCache,
    case: &Case,
    who: Who,
    pair: usize,
    soak_rate: Option<Rate>,
) -> Result<Sample, VersusError> {
    let mut clock = Clock::start();
    let mut stage = Stage::set(options, class_path, case, who)?;
    let mut steps = Steps {
        options,
        stage: &mut stage,
        cache: &mut *cache,
        clock: &mut clock,
        soak_rate,
    };
    let measured = steps.run(case.kind)?;
    stage.stop();
    clock.lap("stop");
    let command = without_here(&stage.command);
    stage.clear(cache)?;
    clock.lap("clear");
    Ok(Sample {
        case: case.name.clone(),
        who,
        pair,
        metrics: measured.metrics,
        rejected: measured.rejected,
        note: measured.note,
        before: measured.before,
        after: measured.after,
        phases: clock.phases,
        command,
        outcome: measured.outcome,
    })
}

/// A command as it is to be read elsewhere: paths from the current directory on.
fn without_here(command: &[String]) -> Vec<String> {
    let here = std::env::current_dir().unwrap_or_default();
    let here = format!("{}/", here.display());
    let words = command.iter();
    words.map(|word| word.replace(&here, "")).collect()
}

fn line(kind: Kind, sample: &Sample) -> String {
    let at = |name: &str| sample.metrics.get(name).copied().unwrap_or(0.0);
    let mut out = match kind {
        Kind::Load | Kind::CatchUp | Kind::Soak | Kind::Syscalls => format!(
            "{:.1} MB/s, {:.0} requests/s, p99 {}, {:.2} CPU-s/GiB",
            at("mb_per_s"),
            at("requests_per_s"),
            load::report::duration(at("p99_us")),
            at("cpu_s_per_gib"),
        ),
        Kind::Recovery => format!(
            "first ack after {:.2} s, first fetch after {:.2} s, {:.0} of {:.0} acknowledged batches lost",
            at("first_ack_s"),
            at("first_fetch_s"),
            at("lost"),
            at("acked_batches"),
        ),
        Kind::Idle => format!(
            "ready after {:.2} s, {:.1} % of a CPU, {} resident, {} with idle connections",
            at("ready_s"),
            at("idle_cpu_percent"),
            load::report::bytes(at("rss_bytes") as u64),
            load::report::bytes(at("crowd_rss_bytes") as u64),
        ),
    };
    match kind {
        Kind::CatchUp => {
            let _ = write!(out, ", backlog at {:.0} MB/s", at("catchup_mb_per_s"));
        }
        Kind::Syscalls if at("syscalls") > 0.0 => {
            let (bytes, request) = (at("syscalls_per_mb"), at("syscalls_per_request"));
            let _ = write!(out, ", {bytes:.2} syscalls a MB, {request:.3} a request");
        }
        Kind::Syscalls | Kind::Load | Kind::Recovery | Kind::Idle | Kind::Soak => {}
    }
    let took: f64 = sample.phases.iter().map(|(_, seconds)| seconds).sum();
    let _ = write!(
        out,
        ", tool {:.2} cores, free {} before, took {took:.1} s",
        at("own_cores"),
        load::report::bytes(sample.before.free_bytes),
    );
    if at("errors") + at("unacked") > 0.0 {
        // A String takes everything.
        let _ = write!(
            out,
            ", {} errors, {} unacknowledged",
            at("errors"),
            at("unacked")
        );
    }
    if let Some(why) = &sample.rejected {
        let _ = write!(out, " — REJECTED: {why}");
    }
    out
}

fn resume(path: &Path) -> Result<Recording, VersusError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Recording::default()),
        Err(error) => return Err(error.into()),
    };
    let broken =
        |error| VersusError::Result(format!("{} is no recording: {error}", path.display()));
    serde_json::from_str(&text).map_err(broken)
}

fn save(path: &Path, recording: &Recording) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let draft = path.with_extension("part");
    fs::write(&draft, serde_json::to_string_pretty(recording)? + "\n")?;
    fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(case: &Case, who: Who, pair: usize, rate: f64) -> Sample {
        Sample {
            case: case.name.clone(),
            who,
            pair,
            metrics: BTreeMap::from([("mb_per_s".to_owned(), rate)]),
            rejected: None,
            note: String::new(),
            before: Memory::default(),
            after: Memory::default(),
            phases: Vec::new(),
            command: Vec::new(),
            outcome: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_goal_is_met_by_the_weak_end_or_by_the_floor_and_rejected_runs_do_not_count() {
        let cases = vec![workloads::all(5_000).swap_remove(0)];
        let mut recording = Recording::default();
        for pair in 0..4 {
            recording
                .samples
                .push(sample(&cases[0], Who::Peer, pair, 800.0 + pair as f64));
            recording
                .samples
                .push(sample(&cases[0], Who::Corelane, pair, 1600.0));
        }
        assert!(table::table(&cases, &recording).contains("yes"));
        let mut wrong = sample(&cases[0], Who::Corelane, 9, 1.0);
        wrong.rejected = Some("late".to_owned());
        recording.samples.push(wrong);
        let text = table::table(&cases, &recording);
        assert!(
            text.contains("yes") && text.contains("1 rejected"),
            "{text}"
        );
        for sample in &mut recording.samples {
            if sample.who == Who::Corelane {
                sample.metrics.insert("mb_per_s".to_owned(), 1300.0);
            }
        }
        assert!(table::table(&cases, &recording).contains(" no"));
        recording
            .samples
            .push(sample(&cases[0], Who::Floor, 0, 1700.0));
        assert!(table::table(&cases, &recording).contains("yes (floor)"));
    }

    #[test]
    fn a_workload_is_named_whole_and_a_case_by_its_beginning() {
        assert!(is_named("W1 A process", "W1") && is_named("W1 A process", "W1 A p"));
        assert!(!is_named("W12 B process", "W1") && !is_named("W1 B process", "W1 A"));
    }

    #[test]
    fn a_recorded_command_names_no_place_of_this_machine() {
        let here = std::env::current_dir().expect("there is one");
        let path = here.join("target/corelane").display().to_string();
        let said = without_here(&[path, "broker".to_owned(), "/elsewhere/data".to_owned()]);
        assert_eq!(said, ["target/corelane", "broker", "/elsewhere/data"]);
    }

    #[test]
    fn pairs_alternate() {
        let cases = workloads::all(5_000);
        let options = options();
        let runs = schedule(&options, &cases[..1]);
        let order: Vec<Who> = runs
            .iter()
            .map(|(_, who, _)| *who)
            .filter(|who| *who != Who::Floor)
            .collect();
        assert_eq!(
            order[..4],
            [Who::Peer, Who::Corelane, Who::Corelane, Who::Peer]
        );
    }

    fn options() -> Options {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            options: Options,
        }
        <Only as clap::Parser>::parse_from(["versus"]).options
    }
}
