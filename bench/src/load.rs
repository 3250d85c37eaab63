//! `load`: an open-loop load generator for any Kafka broker, and one run of it.
//!
//! ```text
//!   plan ─► admin (topics, leaders, ids) ─► workers, one thread each ─► tally ─► report
//!                                              ▲ schedule, batch, conn, fetcher
//! ```

pub mod admin;
pub mod batch;
pub mod conn;
pub mod fetcher;
pub mod html;
pub mod plan;
pub mod report;
pub mod schedule;
pub mod search;
pub mod tally;
pub mod worker;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use thiserror::Error;

use self::admin::{AdminError, Partition};
use self::batch::{Producer, Template};
use self::fetcher::Fetcher;
use self::plan::Plan;
use self::report::{Latency, Outcome};
use self::tally::{Tally, Window};
use self::worker::{LinkSpec, Shared, Worker};
use crate::machine::{self, Cpu, Machine};
use crate::sys;

/// Why there is no result.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The options do not fit together.
    #[error("{0}")]
    Plan(String),
    /// Before or after the load.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A connection could not be opened.
    #[error("connecting: {0}")]
    Connect(#[from] io::Error),
}

/// Between the last connection and the first send.
const HEAD_START_NS: u64 = 20_000_000;

/// Runs one load to its end, and reads it back with `--verify`.
pub fn run(plan: &Plan) -> Result<Outcome, LoadError> {
    run_watched(plan, &mut |_| false).map(|run| run.outcome)
}

/// How far a load has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Bytes acknowledged so far, before compression, warm-up included.
    pub acked_bytes: u64,
    /// Bytes that readers received so far, as stored.
    pub read_bytes: u64,
}

/// A load that has ended, and what it needs to be read back later.
pub struct Run {
    /// Its numbers.
    pub outcome: Outcome,
    /// Its partitions.
    pub partitions: Vec<Partition>,
    /// Ids of all acknowledged sends, with `--verify`.
    pub acked_ids: Vec<u64>,
}

/// Runs one load; `stop` is asked every few milliseconds whether it is to end now.
pub fn run_watched(plan: &Plan, stop: &mut dyn FnMut(Progress) -> bool) -> Result<Run, LoadError> {
    plan.check().map_err(LoadError::Plan)?;
    sys::raise_open_files();
    let mut plan = plan.clone();
    // Once only: a name drawn from the clock must stay the same.
    let names = plan.topic_names();
    plan.topic = Some(if plan.topics == 1 {
        names[0].clone()
    } else {
        names[0].trim_end_matches("-0").to_owned()
    });
    let (partitions, created) = admin::prepare(&plan)?;
    let run = on_topics(&plan, partitions, stop);
    if !plan.keep_topic && !created.is_empty() {
        // The result stands whether or not the broker can delete.
        let _ = admin::delete(&plan.broker, &created);
    }
    run
}

fn on_topics(
    plan: &Plan,
    partitions: Vec<Partition>,
    stop: &mut dyn FnMut(Progress) -> bool,
) -> Result<Run, LoadError> {
    let template = Template::new(plan);
    let links = if plan.consume_only {
        Vec::new()
    } else {
        links(plan, &partitions)?
    };
    let fetchers = fetchers(plan, &partitions);
    let dealt = plan
        .cores
        .len()
        .max(1)
        .min(links.len().max(fetchers.len()).max(1));
    let threads = dealt + usize::from(plan.readers_apart);
    let (mut links_of, mut fetchers_of) = (Vec::new(), Vec::new());
    links_of.resize_with(threads, Vec::new);
    fetchers_of.resize_with(threads, Vec::new);
    for (at, link) in links.into_iter().enumerate() {
        links_of[at % dealt].push(link);
    }
    for (at, fetcher) in fetchers.into_iter().enumerate() {
        let thread = if plan.readers_apart {
            dealt
        } else {
            at % dealt
        };
        fetchers_of[thread].push(fetcher);
    }
    let producers = links_of.iter().filter(|links| !links.is_empty()).count();
    let total = plan.warmup + plan.duration;
    let window = if total < Duration::from_secs(10) {
        total.max(Duration::from_millis(100)) / 20
    } else {
        Duration::from_secs(1)
    };
    let shared = Arc::new(Shared {
        sends_per_second: plan.rate.sends(template.plain_bytes),
        plan: plan.clone(),
        template,
        t0: AtomicU64::new(u64::MAX / 2),
        stop: AtomicU64::new(u64::MAX),
        producing: AtomicUsize::new(producers),
        records_acked: AtomicU64::new(0),
        records_read: (0..plan.consumers).map(|_| AtomicU64::new(0)).collect(),
        bytes_read: AtomicU64::new(0),
        window_ns: window.as_nanos() as u64,
    });
    let (to_windows, windows) = mpsc::channel();
    let mut workers = Vec::new();
    for (number, (links, fetchers)) in links_of.into_iter().zip(fetchers_of).enumerate() {
        workers.push(Worker::connect(
            Arc::clone(&shared),
            number,
            links,
            fetchers,
            to_windows.clone(),
        )?);
    }
    drop(to_windows);
    let barrier = Barrier::new(workers.len() + 1);
    Ok(std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (number, worker) in workers.into_iter().enumerate() {
            // Readers that are apart share the last core.
            let core = plan.cores.get(number).or(plan.cores.last()).copied();
            let barrier = &barrier;
            running.push(scope.spawn(move || {
                if let Some(id) = core {
                    core_affinity::set_for_current(core_affinity::CoreId { id });
                }
                barrier.wait();
                barrier.wait();
                worker.run(producers.max(1) as u64)
            }));
        }
        barrier.wait();
        let t0 = sys::now() + HEAD_START_NS;
        shared.t0.store(t0, Ordering::Relaxed);
        shared
            .stop
            .store(t0 + total.as_nanos() as u64, Ordering::Relaxed);
        barrier.wait();
        let (cpu, rss, seen) = watch(&shared, &windows, stop);
        let mut tally = Tally::default();
        for thread in running {
            // With panic = "abort" a panicking thread has ended the process already.
            tally.add(&thread.join().expect("a worker does not panic"));
        }
        Run {
            outcome: outcome(&shared, &partitions, &tally, cpu, rss, &seen),
            partitions,
            acked_ids: tally.acked_ids,
        }
    }))
}

/// The producing connections: every leader gets `--connections`, its partitions dealt out over them.
fn links(plan: &Plan, partitions: &[Partition]) -> Result<Vec<LinkSpec>, AdminError> {
    let mut links = Vec::new();
    for (address, group) in admin::by_leader(partitions) {
        let first = links.len();
        for _ in 0..plan.connections {
            let producer = if plan.idempotent {
                admin::producer_id(&plan.broker)?
            } else {
                Producer::NONE
            };
            links.push(LinkSpec {
                address,
                producer,
                partitions: Vec::new(),
            });
        }
        for turn in 0..plan.connections.max(group.len()) {
            let partition = partitions[group[turn % group.len()]].clone();
            links[first + turn % plan.connections]
                .partitions
                .push(partition);
        }
    }
    Ok(links)
}

fn fetchers(plan: &Plan, partitions: &[Partition]) -> Vec<Fetcher> {
    let mut fetchers = Vec::new();
    for reader in 0..plan.consumers {
        for (address, group) in admin::by_leader(partitions) {
            let own: Vec<Partition> = group.iter().map(|at| partitions[*at].clone()).collect();
            fetchers.push(Fetcher::new(reader, address, &own));
        }
    }
    fetchers
}

/// Follows the workers: CPU at the edges of the measurement, the progress line, Ctrl-C. Returns when all have ended.
fn watch(
    shared: &Shared,
    windows: &Receiver<Window>,
    stop_now: &mut dyn FnMut(Progress) -> bool,
) -> (Cpu, u64, BTreeMap<u64, Window>) {
    let plan = &shared.plan;
    let show = !plan.quiet && io::stderr().is_terminal();
    let (mut begin, mut end) = (None, None);
    let mut seen: BTreeMap<u64, Window> = BTreeMap::new();
    let mut shown = 0;
    loop {
        let now = sys::now();
        let batches =
            shared.records_acked.load(Ordering::Relaxed) / u64::from(shared.template.records);
        let progress_now = Progress {
            acked_bytes: batches * shared.template.plain_bytes,
            read_bytes: shared.bytes_read.load(Ordering::Relaxed),
        };
        if sys::interrupted() || (end.is_none() && stop_now(progress_now)) {
            shared.stop.fetch_min(now, Ordering::Relaxed);
        }
        let stop = shared.stop.load(Ordering::Relaxed);
        if begin.is_none() && now >= shared.warm().min(stop) {
            begin = Some(Cpu::read(&plan.broker_pid));
        }
        if end.is_none() && now >= stop {
            end = Some(Cpu::read(&plan.broker_pid));
        }
        let edge = if begin.is_none() { shared.warm() } else { stop };
        let sleep = edge.saturating_sub(now).clamp(1_000_000, 50_000_000);
        match windows.recv_timeout(Duration::from_nanos(sleep)) {
            Ok(window) => {
                let index = window.index;
                seen.entry(index)
                    .and_modify(|sum| sum.add(&window))
                    .or_insert(window);
                if show && index > shown {
                    progress(shared, &seen, shown, now);
                    shown = index;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if show {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    let end = end.unwrap_or_else(|| Cpu::read(&plan.broker_pid));
    let begin = begin.unwrap_or_else(|| end.clone());
    (end.since(&begin), machine::rss_peak(&plan.broker_pid), seen)
}

fn progress(shared: &Shared, seen: &BTreeMap<u64, Window>, index: u64, now: u64) {
    let Some(window) = seen.get(&index) else {
        return;
    };
    let seconds = shared.window_ns as f64 / 1e9;
    let left = shared.stop.load(Ordering::Relaxed).saturating_sub(now) / 1_000_000_000;
    let phase = if now < shared.warm() {
        "warm-up"
    } else {
        "measuring"
    };
    let p99 = if window.latency.is_empty() {
        0.0
    } else {
        window.latency.value_at_quantile(0.99) as f64 / 1e3
    };
    let rate = window.acks as f64 * shared.template.plain_bytes as f64 / 1e6 / seconds;
    let read = match window.read_bytes {
        0 => String::new(),
        read => format!(", read {:.1} MB/s", read as f64 / 1e6 / seconds),
    };
    let _ = write!(
        io::stderr(),
        "\r\x1b[K{phase}: {rate:.1} MB/s, {:.0} requests/s, p99 {}{read}, {} errors, {left} s left",
        window.acks as f64 / seconds,
        report::duration(p99),
        window.errors
    );
}

fn outcome(
    shared: &Shared,
    partitions: &[Partition],
    tally: &Tally,
    cpu: Cpu,
    rss: u64,
    windows: &BTreeMap<u64, Window>,
) -> Outcome {
    let plan = &shared.plan;
    let template = &shared.template;
    let seconds = shared
        .stop
        .load(Ordering::Relaxed)
        .saturating_sub(shared.warm()) as f64
        / 1e9;
    let per_second = |count: u64| {
        if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        }
    };
    let requests = per_second(tally.acks_in_time);
    let plain = (tally.acks_in_time * template.plain_bytes).max(if plan.consume_only {
        tally.read_bytes_in_time
    } else {
        0
    });
    let gib = (plain as f64 / 1_073_741_824.0).max(1e-12);
    let answers = if plan.consume_only {
        tally.read_in_time
    } else {
        tally.acks_in_time
    };
    let (latency, lateness) = (Latency::of(&tally.latency), Latency::of(&tally.lateness));
    let acked = shared.records_acked.load(Ordering::Relaxed);
    // A broker that was killed on purpose is read back by whoever starts it again.
    let read_back =
        (plan.verify && !plan.verify_later).then(|| admin::verify(partitions, &tally.acked_ids));
    let mut errors = tally.errors.clone();
    let verified = match read_back {
        Some(Ok(verified)) => Some(verified),
        Some(Err(error)) => {
            errors.insert(format!("verify: {error}"), 1);
            None
        }
        None => None,
    };
    // What follows the stop is a drain: its rate would draw a fall that was none of the broker's.
    let stop = shared.stop.load(Ordering::Relaxed);
    let whole_windows = stop.saturating_sub(shared.t0.load(Ordering::Relaxed)) / shared.window_ns;
    let mut rejected = report::judge_lateness(&latency, &lateness);
    if plan.verify && !plan.verify_later && verified.is_none() {
        rejected = Some("reading back failed".to_owned());
    }
    Outcome {
        mode: if plan.closed {
            "closed loop (throughput only: its latencies omit waits)".to_owned()
        } else if plan.consume_only {
            "reading".to_owned()
        } else {
            "open loop".to_owned()
        },
        rejected,
        interrupted: sys::interrupted(),
        seconds,
        asked_requests_per_s: if plan.closed || plan.consume_only {
            0.0
        } else {
            shared.sends_per_second
        },
        requests_per_s: requests,
        mb_per_s: requests * template.plain_bytes as f64 / 1e6,
        wire_mb_per_s: requests * template.wire_bytes as f64 / 1e6,
        records_per_s: requests * f64::from(template.records),
        read_mb_per_s: per_second(tally.read_bytes_in_time) / 1e6,
        batch_bytes: template.plain_bytes,
        batch_wire_bytes: template.wire_bytes,
        batch_records: template.records,
        due: tally.due,
        acked: tally.acked,
        unacked: tally.unacked,
        undelivered: shared
            .records_read
            .iter()
            .map(|read| acked.saturating_sub(read.load(Ordering::Relaxed)))
            .sum(),
        errors,
        end_to_end: Latency::of(&tally.end_to_end),
        others_cpu_s_per_gib: cpu.others() / gib,
        others_cpu_us_per_request: cpu.others() * 1e6 / (answers as f64).max(1.0),
        broker_cpu_s_per_gib: cpu.broker / gib,
        own_cores: cpu.own / seconds.max(1e-9),
        broker_rss_peak: rss,
        edges_p999_us: report::edges(windows, shared.window_ns, shared.plan.warmup, whole_windows),
        verified,
        series: report::series(
            windows,
            Duration::from_nanos(shared.window_ns),
            template.plain_bytes,
            whole_windows,
        ),
        latency,
        lateness,
        cpu,
        plan: plan.clone(),
        machine: Machine::read(),
        latency_hist: tally.latency.clone(),
        end_to_end_hist: tally.end_to_end.clone(),
    }
}
