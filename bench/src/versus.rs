//! `versus`: Corelane beside Apache Kafka, same machine, same run, in A-B-B-A pairs, with equal durability.
//!
//! ```text
//!   case × pair ─► fresh directory ─► start ─► warm ─► load ─► sample ─► result file (resumed when broken off)
//!                                                                  └─► medians, ratios, intervals, goals
//! ```

pub mod cache;
pub mod corelane;
pub mod kafka;
pub mod stats;
pub mod subject;
pub mod workloads;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::cache::{Memory, PageCache};
use self::subject::Subject;
use self::workloads::{Case, Durability, Goal, Placement};
use crate::floor::drive::{Job, Server};
use crate::load::plan::Plan;
use crate::load::report::Outcome;
use crate::load::{self, LoadError, html, plan};
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
    /// Measure this running broker in place of Apache Kafka; it is neither started nor stopped, and keeps its data.
    #[arg(long, value_name = "HOST:PORT")]
    pub peer: Option<String>,
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
    /// The same load before that, for the peer's JIT compiler: on all CPUs, also where the measurement pins it to one.
    #[arg(long, default_value = "5s", value_parser = plan::parse_duration)]
    pub jit: Duration,
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
    /// Leave the floor out.
    #[arg(long)]
    pub no_floor: bool,
    /// Print the plan and its length, and stop.
    #[arg(long)]
    pub dry_run: bool,
}

/// Why a recording stopped.
#[derive(Debug, Error)]
pub enum VersusError {
    /// Files and processes.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A run.
    #[error("{0}: {1}")]
    Load(String, LoadError),
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
    /// What the peak memory means.
    pub memory: String,
    /// Memory right before the load; little is free, or the page cache of the run was paid for on the host.
    #[serde(default)]
    pub before: Memory,
    /// Memory right after it.
    #[serde(default)]
    pub after: Memory,
    /// Where the time went, seconds: start, fill (page cache), warm (the peer's JIT), load, stop, clear.
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

/// Start and stop of Kafka, beside the load itself; memory that is kept full.
const OVERHEAD_PEER: Duration = Duration::from_secs(7);
/// Start and stop of ours.
const OVERHEAD: Duration = Duration::from_secs(1);

/// Times that a rejected run is tried.
const ATTEMPTS: usize = 3;

/// Runs what is missing and returns the table.
pub fn run(options: &Options) -> Result<String, VersusError> {
    let wanted = |case: &Case| {
        options.workload.is_empty()
            || options
                .workload
                .iter()
                .any(|name| case.name.starts_with(name.as_str()))
    };
    let cases: Vec<Case> = workloads::all().into_iter().filter(wanted).collect();
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
    let lengths = missing.map(|(_, who, _)| {
        let own = if *who == Who::Peer {
            options.jit + OVERHEAD_PEER
        } else {
            OVERHEAD
        };
        own + options.warmup + options.duration
    });
    let lengths: Vec<Duration> = lengths.collect();
    println!(
        "plan: {} cases, {} runs, {} left, about {:.0} minutes",
        cases.len(),
        runs.len(),
        lengths.len(),
        lengths.iter().sum::<Duration>().as_secs_f64() / 60.0
    );
    for case in &cases {
        println!("  {}", case.name);
    }
    if options.dry_run {
        return Ok(table(&cases, &recording));
    }
    recording.machine = serde_json::to_value(Machine::read()).unwrap_or_default();
    let class_path = if options.peer.is_none() {
        kafka::fetch(&options.dir)?
    } else {
        String::new()
    };
    recording.kafka = serde_json::json!({
        "version": kafka::VERSION, "jvm": kafka::JVM, "server.properties": kafka::properties(options.port, Path::new("DATA")),
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
            let sample = one(options, &class_path, &mut cache, case, *who, *pair)?;
            if sys::interrupted() {
                break;
            }
            println!("{}", line(&sample));
            let sound = sample.rejected.is_none();
            recording.samples.push(sample);
            save(&options.out, &recording)?;
            if sound {
                break;
            }
        }
    }
    let page_path = options.out.with_extension("html");
    fs::write(&page_path, page(&cases, &recording))?;
    println!("pictures: {}", page_path.display());
    Ok(table(&cases, &recording))
}

/// Every run in its order: A-B, B-A, A-B, …; the floor after the first two pairs.
fn schedule<'a>(options: &Options, cases: &'a [Case]) -> Vec<(&'a Case, Who, usize)> {
    let mut runs = Vec::new();
    for case in cases {
        for pair in 0..options.pairs {
            let order = if pair % 2 == 0 {
                [Who::Peer, Who::Corelane]
            } else {
                [Who::Corelane, Who::Peer]
            };
            for who in order {
                if who == Who::Peer || !options.only_peer {
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

fn one(
    options: &Options,
    class_path: &str,
    cache: &mut PageCache,
    case: &Case,
    who: Who,
    pair: usize,
) -> Result<Sample, VersusError> {
    let mut clock = Clock::start();
    let directory = options.dir.join("run");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    let pinned = case.placement == Placement::A;
    let port = options.port + if who == Who::Peer { 0 } else { 2 };
    let mut address = format!("127.0.0.1:{port}");
    let (mut subject, mut floor, mut command) = (None, None, Vec::new());
    match who {
        Who::Peer => match &options.peer {
            Some(peer) => address.clone_from(peer),
            None => command = kafka::prepare(class_path, port, &options.dir, &directory)?,
        },
        Who::Corelane => command = corelane::prepare(&options.corelane, port, &directory)?,
        Who::Floor => {
            let listen = address.parse().map_err(io::Error::other)?;
            let durability = match case.durability {
                Durability::Process => crate::floor::Durability::Process,
                Durability::Disk => crate::floor::Durability::Disk,
            };
            let (dir, core) = (directory.clone(), pinned.then_some(0));
            let settings = crate::floor::Options {
                listen,
                dir,
                durability,
                file_bytes: 1 << 30,
                core,
            };
            floor = Some(Server::start(&settings, Job::Produce)?);
        }
    }
    // A JIT compiler that shares one CPU with the load would still be at it long after any warm-up.
    let jit = who == Who::Peer && !command.is_empty() && !options.jit.is_zero();
    if !command.is_empty() {
        subject = Some(Subject::start(&command, pinned && !jit, port, &directory)?);
    }
    let pid = subject
        .as_ref()
        .map(Subject::pid)
        .or(floor.as_ref().map(Server::pid));
    // The directory goes as a whole; a deleted topic would free its page cache in the middle of a run.
    let keep_topic = !command.is_empty() || who == Who::Floor;
    let mut load_plan = case.plan(
        &address,
        topic_config(case.durability, who),
        options.warmup,
        options.duration,
    );
    load_plan.broker_pid.extend(pid);
    load_plan.keep_topic = keep_topic;
    if options.peer.is_some() && who == Who::Peer {
        load_plan.topic = None;
    }
    clock.lap("start");
    if who == Who::Peer {
        cache.fill()?;
    }
    clock.lap("fill");
    let load =
        |plan: &Plan| load::run(plan).map_err(|error| VersusError::Load(case.name.clone(), error));
    if jit {
        load(&Plan {
            warmup: Duration::ZERO,
            duration: options.jit,
            topic: Some("jit".to_owned()),
            ..load_plan.clone()
        })?;
        if let (Some(subject), true) = (&subject, pinned) {
            subject.pin()?;
        }
    }
    clock.lap("warm");
    let before = Memory::read();
    let outcome = load(&load_plan)?;
    let after = Memory::read();
    clock.lap("load");
    let mut metrics = metrics(&outcome);
    let mut memory = "none";
    if let Some(subject) = &subject {
        let (peak, meaning) = subject.memory_peak();
        metrics.insert("memory_peak_bytes".to_owned(), peak as f64);
        metrics.insert("ready_s".to_owned(), subject.ready_after.as_secs_f64());
        memory = meaning;
    }
    drop((subject, floor));
    clock.lap("stop");
    if who == Who::Peer {
        cache.clear(&directory)?;
    } else {
        // Nothing of it is cached: it was written past the page cache.
        fs::remove_dir_all(&directory)?;
    }
    clock.lap("clear");
    Ok(Sample {
        case: case.name.clone(),
        who,
        pair,
        metrics,
        rejected: outcome.rejected.clone(),
        memory: memory.to_owned(),
        before,
        after,
        phases: clock.phases,
        command,
        outcome: serde_json::to_value(&outcome).unwrap_or_default(),
    })
}

/// Where a run's time goes.
struct Clock {
    since: Instant,
    phases: Vec<(String, f64)>,
}

impl Clock {
    fn start() -> Clock {
        Clock {
            since: Instant::now(),
            phases: Vec::new(),
        }
    }

    fn lap(&mut self, phase: &str) {
        let seconds = self.since.elapsed().as_secs_f64();
        self.phases.push((phase.to_owned(), seconds));
        self.since = Instant::now();
    }
}

/// Equal promises in each broker's own words.
fn topic_config(durability: Durability, who: Who) -> Vec<String> {
    let config = match (who, durability) {
        (Who::Peer, Durability::Process) | (Who::Floor, _) => return Vec::new(),
        (Who::Peer, Durability::Disk) => "flush.messages=1",
        (Who::Corelane, Durability::Process) => "corelane.durability=process",
        (Who::Corelane, Durability::Disk) => "corelane.durability=disk",
    };
    vec![config.to_owned()]
}

fn metrics(outcome: &Outcome) -> BTreeMap<String, f64> {
    let read_gib = outcome.read_mb_per_s * 1e6 * outcome.seconds / 1_073_741_824.0;
    let mut metrics = BTreeMap::from([
        ("mb_per_s", outcome.mb_per_s),
        ("requests_per_s", outcome.requests_per_s),
        ("read_mb_per_s", outcome.read_mb_per_s),
        ("p50_us", outcome.latency.p50_us),
        ("p99_us", outcome.latency.p99_us),
        ("p999_us", outcome.latency.p999_us),
        ("cpu_s_per_gib", outcome.others_cpu_s_per_gib),
        ("cpu_us_per_request", outcome.others_cpu_us_per_request),
        ("broker_cpu_s_per_gib", outcome.broker_cpu_s_per_gib),
        ("own_cores", outcome.own_cores),
        ("unacked", outcome.unacked as f64),
        ("errors", outcome.errors.values().sum::<u64>() as f64),
    ]);
    if outcome.end_to_end.count > 0 {
        metrics.insert("e2e_p50_us", outcome.end_to_end.p50_us);
        metrics.insert("e2e_p99_us", outcome.end_to_end.p99_us);
        metrics.insert("e2e_p999_us", outcome.end_to_end.p999_us);
        metrics.insert(
            "cpu_s_per_gib_read",
            outcome.cpu.others() / read_gib.max(1e-12),
        );
    }
    metrics
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn line(sample: &Sample) -> String {
    let at = |name: &str| sample.metrics.get(name).copied().unwrap_or(0.0);
    let mut out = format!(
        "{:.1} MB/s, {:.0} requests/s, p99 {}, {:.2} CPU-s/GiB, tool {:.2} cores, free {} before, took {:.1} s",
        at("mb_per_s"),
        at("requests_per_s"),
        load::report::duration(at("p99_us")),
        at("cpu_s_per_gib"),
        at("own_cores"),
        load::report::bytes(sample.before.free_bytes),
        sample
            .phases
            .iter()
            .map(|(_, seconds)| seconds)
            .sum::<f64>(),
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

/// The report: the table, and the percentile curves of each case's first sound run on each side.
pub fn page(cases: &[Case], recording: &Recording) -> String {
    let mut body = format!("<pre>{}</pre>", html::escape(&table(cases, recording)));
    for case in cases {
        let mut series = Vec::new();
        for who in [Who::Peer, Who::Corelane, Who::Floor] {
            let mut runs = recording.samples.iter();
            let run = runs.find(|sample| {
                sample.case == case.name && sample.who == who && sample.rejected.is_none()
            });
            for (kind, name) in [("latency", "produce"), ("end_to_end", "end to end")] {
                let curve = run
                    .map(|run| run.outcome[kind]["curve"].clone())
                    .unwrap_or_default();
                let points: Vec<(f64, f64)> = serde_json::from_value(curve).unwrap_or_default();
                if !points.is_empty() {
                    series.push(html::Series {
                        name: format!("{who:?}, {name}"),
                        points,
                    });
                }
            }
        }
        if !series.is_empty() {
            body += &html::chart(
                &html::Chart {
                    title: &case.name,
                    ..html::PERCENTILES
                },
                &series,
            );
        }
    }
    html::wrap("corelane-bench versus", &body)
}

/// Ratios against the goals. Rejected runs are left out, and counted.
pub fn table(cases: &[Case], recording: &Recording) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = write_table(&mut out, cases, recording);
    out
}

fn write_table(out: &mut String, cases: &[Case], recording: &Recording) -> std::fmt::Result {
    writeln!(
        out,
        "{:<26}{:<20}{:>12}{:>12}{:>12}{:>22}{:>9}  met",
        "case", "metric", "peer", "corelane", "floor", "ratio [95 %]", "goal"
    )?;
    for case in cases {
        let values = |who: Who, metric: &str| -> Vec<f64> {
            let of_case = recording
                .samples
                .iter()
                .filter(|sample| sample.case == case.name && sample.who == who);
            of_case
                .filter(|sample| sample.rejected.is_none())
                .filter_map(|sample| sample.metrics.get(metric).copied())
                .collect()
        };
        let mut rows: Vec<(&str, Option<Goal>)> = case
            .goals
            .iter()
            .map(|(metric, goal)| (*metric, Some(*goal)))
            .collect();
        for metric in [
            "mb_per_s",
            "requests_per_s",
            "p99_us",
            "cpu_s_per_gib",
            "memory_peak_bytes",
        ] {
            if !rows.iter().any(|(known, _)| *known == metric) {
                rows.push((metric, None));
            }
        }
        for (metric, goal) in rows {
            let (theirs, ours) = (values(Who::Peer, metric), values(Who::Corelane, metric));
            let light = values(Who::Floor, metric);
            if theirs.is_empty() && ours.is_empty() {
                continue;
            }
            let show = |values: &[f64]| {
                if values.is_empty() {
                    "–".to_owned()
                } else {
                    short(stats::median(values))
                }
            };
            let ratio = stats::ratio(&ours, &theirs);
            let shown = ratio.map_or("–".to_owned(), |r| {
                format!("{:.2} [{:.2}, {:.2}]", r.middle, r.low, r.high)
            });
            let verdict = goal.map_or(("", ""), |goal| verdict(goal, ratio, &ours, &light));
            let asked = goal.map_or(String::new(), |goal| match goal {
                Goal::AtLeast(least) => format!("≥ {least}"),
                Goal::AtMost(most) => format!("≤ {most}"),
            });
            let (peer, corelane, floor) = (show(&theirs), show(&ours), show(&light));
            writeln!(
                out,
                "{:<26}{metric:<20}{peer:>12}{corelane:>12}{floor:>12}{shown:>22}{asked:>9}  {}{}",
                case.name, verdict.0, verdict.1
            )?;
        }
        let rejected = recording
            .samples
            .iter()
            .filter(|s| s.case == case.name && s.rejected.is_some())
            .count();
        if rejected > 0 {
            writeln!(out, "{:<26}runs left out: {rejected} rejected", case.name)?;
        }
    }
    Ok(())
}

/// A goal is met when the weak end of the interval clears it, or the floor's own distance does: say which.
fn verdict(
    goal: Goal,
    ratio: Option<stats::Interval>,
    ours: &[f64],
    light: &[f64],
) -> (&'static str, &'static str) {
    let Some(ratio) = ratio else {
        return ("", "");
    };
    let near_floor = !light.is_empty()
        && match goal {
            Goal::AtLeast(_) => stats::median(ours) >= 0.7 * stats::median(light),
            Goal::AtMost(_) => stats::median(ours) <= 1.3 * stats::median(light),
        };
    let clears = match goal {
        Goal::AtLeast(least) => ratio.low >= least,
        Goal::AtMost(most) => ratio.high <= most,
    };
    match (clears, near_floor) {
        (true, _) => ("yes", ""),
        (false, true) => ("yes", " (floor)"),
        (false, false) => ("no", ""),
    }
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{:.2}G", value / 1e9),
        value if value >= 1e6 => format!("{:.2}M", value / 1e6),
        value if value >= 1e4 => format!("{:.1}k", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
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
            memory: String::new(),
            before: Memory::default(),
            after: Memory::default(),
            phases: Vec::new(),
            command: Vec::new(),
            outcome: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_goal_is_met_by_the_weak_end_or_by_the_floor_and_rejected_runs_do_not_count() {
        let cases = vec![workloads::all().swap_remove(0)];
        let mut recording = Recording::default();
        for pair in 0..4 {
            recording
                .samples
                .push(sample(&cases[0], Who::Peer, pair, 800.0 + pair as f64));
            recording
                .samples
                .push(sample(&cases[0], Who::Corelane, pair, 1600.0));
        }
        assert!(table(&cases, &recording).contains("yes"));
        let mut wrong = sample(&cases[0], Who::Corelane, 9, 1.0);
        wrong.rejected = Some("late".to_owned());
        recording.samples.push(wrong);
        let text = table(&cases, &recording);
        assert!(
            text.contains("yes") && text.contains("1 rejected"),
            "{text}"
        );
        for sample in &mut recording.samples {
            if sample.who == Who::Corelane {
                sample.metrics.insert("mb_per_s".to_owned(), 1300.0);
            }
        }
        assert!(table(&cases, &recording).contains(" no"));
        recording
            .samples
            .push(sample(&cases[0], Who::Floor, 0, 1700.0));
        assert!(table(&cases, &recording).contains("yes (floor)"));
    }

    #[test]
    fn pairs_alternate() {
        let cases = workloads::all();
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
