//! What is done with a broker that is on its stage, by the kind of workload, and the numbers that come of it.
//!
//! ```text
//!   load      start ─► JIT ─► load
//!   catch-up  start ─► backlog ─► out of memory ─► read it while producing
//!   recovery  start ─► load ─► kill -9 under it ─► start ─► first ack, first fetch ─► read back
//!   idle      start ─► first ack ─► nothing ─► 1,000 connections ─► nothing
//!   soak      start ─► the peer's maximum ─► load for half an hour
//!   syscalls  start ─► load ─► load, counted
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::cache::{Memory, PageCache};
use super::count::Counter;
use super::probe;
use super::stage::Stage;
use super::workloads::Kind;
use super::{Options, VersusError};
use crate::load::plan::{Plan, Rate};
use crate::load::report::Outcome;
use crate::load::{self, LoadError, Run, admin, search};
use crate::machine::{self, Cpu};
use crate::sys;

/// The numbers of a run.
#[derive(Default)]
pub struct Measured {
    /// What is compared.
    pub metrics: BTreeMap<String, f64>,
    /// Why they do not count.
    pub rejected: Option<String>,
    /// How they were come by, where that is not the same everywhere.
    pub note: String,
    /// Memory right before the load that is measured.
    pub before: Memory,
    /// Right after it.
    pub after: Memory,
    /// All that the load said; null without a load.
    pub outcome: serde_json::Value,
}

/// Where a run's time goes.
pub struct Clock {
    since: Instant,
    /// What was done, and the seconds that it took.
    pub phases: Vec<(String, f64)>,
}

impl Clock {
    /// Begins the first phase.
    pub fn start() -> Clock {
        Clock {
            since: Instant::now(),
            phases: Vec::new(),
        }
    }

    /// Ends a phase and begins the next.
    pub fn lap(&mut self, phase: &str) {
        let seconds = self.since.elapsed().as_secs_f64();
        self.phases.push((phase.to_owned(), seconds));
        self.since = Instant::now();
    }
}

/// A recovering broker may take so long.
const RECOVERS_WITHIN: Duration = Duration::from_secs(300);
/// Between the last thing done and the time in which nothing is done.
const SETTLE: Duration = Duration::from_secs(2);
/// Kafka's maximum is what keeps its p99 below this, and a soak runs at so much of it.
const SOAK_SHARE: f64 = 0.7;
/// A load that ends by what it has done, not by its time.
const LONG: Duration = Duration::from_secs(600);
/// Topic of all runs.
const TOPIC: &str = "versus";

/// One run on its stage.
pub struct Steps<'s, 'a> {
    /// The options.
    pub options: &'a Options,
    /// The broker.
    pub stage: &'s mut Stage<'a>,
    /// The page cache.
    pub cache: &'s mut PageCache,
    /// Where its time goes.
    pub clock: &'s mut Clock,
    /// The rate of a soak, once it is known.
    pub soak_rate: Option<Rate>,
}

type Result<T> = std::result::Result<T, VersusError>;

fn failed(error: LoadError) -> VersusError {
    VersusError::Load(error)
}

fn run(plan: &Plan) -> Result<Outcome> {
    load::run(plan).map_err(failed)
}

impl Steps<'_, '_> {
    /// Does what `kind` asks for.
    pub fn run(&mut self, kind: Kind) -> Result<Measured> {
        if kind == Kind::Idle {
            return self.idle();
        }
        self.stage.start()?;
        self.clock.lap("start");
        self.cache.fill()?;
        self.clock.lap("fill");
        let mut measured = match kind {
            Kind::Load => self.load(),
            Kind::CatchUp => self.catch_up(),
            Kind::Recovery => self.recovery(),
            Kind::Soak => self.soak(),
            Kind::Syscalls => self.syscalls(),
            Kind::Idle => self.idle(),
        }?;
        if let Some(subject) = &self.stage.subject {
            let (peak, meaning) = subject.memory_peak();
            let own = [
                ("memory_peak_bytes", peak as f64),
                ("rss_bytes", machine::rss(subject.pid()) as f64),
                ("ready_s", subject.ready_after.as_secs_f64()),
            ];
            for (name, value) in own {
                measured.metrics.entry(name.to_owned()).or_insert(value);
            }
            if measured.note.is_empty() {
                measured.note = format!("memory: {meaning}");
            }
        }
        Ok(measured)
    }

    /// Warms the peer's JIT compiler, then pins it.
    fn jit(&mut self, plan: &Plan) -> Result<()> {
        if let Some(length) = self.stage.jit() {
            run(&Plan {
                warmup: Duration::ZERO,
                duration: length,
                topic: Some("jit".to_owned()),
                // As fast as it goes, also where the measurement has its pace: a compiler is warmed by how often, not by
                // how long.
                closed: true,
                // Thousands of partitions compile nothing that a hundred do not.
                partitions: plan.partitions.min(100),
                ..plan.clone()
            })?;
            self.stage.pin()?;
        }
        self.clock.lap("warm");
        Ok(())
    }

    fn measure(&mut self, plan: &Plan) -> Result<Measured> {
        let before = Memory::read();
        let outcome = run(plan)?;
        let after = Memory::read();
        self.clock.lap("load");
        Ok(Measured {
            before,
            after,
            ..told(&outcome)
        })
    }

    fn load(&mut self) -> Result<Measured> {
        let plan = self.stage.plan();
        self.jit(&plan)?;
        self.measure(&plan)
    }

    /// The backlog is written as fast as it goes, which also warms the peer's JIT compiler.
    fn catch_up(&mut self) -> Result<Measured> {
        let plan = self.stage.plan();
        let backlog = Plan {
            closed: true,
            batch_bytes: 1 << 20,
            in_flight: 4,
            consumers: 0,
            readers_apart: false,
            cores: Vec::new(),
            warmup: Duration::ZERO,
            duration: LONG,
            topic: Some(TOPIC.to_owned()),
            ..plan.clone()
        };
        let bytes = self.options.backlog;
        let written =
            load::run_watched(&backlog, &mut |at| at.acked_bytes >= bytes).map_err(failed)?;
        let written = written.outcome;
        self.clock.lap("backlog");
        self.stage.chill(self.cache)?;
        self.stage.pin()?;
        self.clock.lap("chill");
        let read = Plan {
            topic: Some(TOPIC.to_owned()),
            from_start: true,
            warmup: Duration::ZERO,
            duration: LONG,
            ..plan
        };
        let goal = written.acked * written.batch_wire_bytes;
        let before = Memory::read();
        let Run { outcome, .. } =
            load::run_watched(&read, &mut |at| at.read_bytes >= goal).map_err(failed)?;
        self.clock.lap("load");
        let mut measured = told(&outcome);
        (measured.before, measured.after) = (before, Memory::read());
        measured
            .metrics
            .insert("catchup_mb_per_s".to_owned(), outcome.read_mb_per_s);
        measured
            .metrics
            .insert("backlog_bytes".to_owned(), goal as f64);
        Ok(measured)
    }

    fn recovery(&mut self) -> Result<Measured> {
        let plan = Plan {
            warmup: Duration::ZERO,
            duration: LONG,
            drain: Duration::from_secs(1),
            verify: true,
            verify_later: true,
            ..self.stage.plan()
        };
        let bytes = self.options.recovery_bytes;
        let stage = &*self.stage;
        let mut kill = |at: load::Progress| {
            let enough = at.acked_bytes >= bytes;
            if enough {
                stage.kill_now();
            }
            enough
        };
        let before = Memory::read();
        let Run {
            outcome, acked_ids, ..
        } = load::run_watched(&plan, &mut kill).map_err(failed)?;
        self.stage.kill();
        self.clock.lap("load");
        let since = self.stage.launch()?;
        let address = self.stage.address.clone();
        let (ack, fetch) = std::thread::scope(|scope| {
            let fetch = scope
                .spawn(|| probe::until(since, RECOVERS_WITHIN, || probe::fetch(&address, TOPIC)));
            let ack = probe::until(since, RECOVERS_WITHIN, || probe::produce(&address, TOPIC));
            // With panic = "abort" a panicking thread has ended the process already.
            (ack, fetch.join().expect("a probe does not panic"))
        });
        let (ack, fetch) = (ack.map_err(load_error)?, fetch.map_err(load_error)?);
        self.clock.lap("recovery");
        let again = Plan {
            consume_only: true,
            consumers: 1,
            from_start: true,
            ..plan
        };
        let (partitions, _) = admin::prepare(&again).map_err(load_error)?;
        let verified = admin::verify(&partitions, &acked_ids).map_err(load_error)?;
        self.clock.lap("read back");
        let numbers = [
            ("first_ack_s", ack),
            ("first_fetch_s", fetch),
            ("lost", (verified.lost + verified.crc_wrong) as f64),
            ("gaps", verified.gaps as f64),
            ("acked_batches", acked_ids.len() as f64),
            (
                "written_bytes",
                (acked_ids.len() as u64 * outcome.batch_bytes) as f64,
            ),
        ];
        Ok(Measured {
            metrics: named(&numbers),
            before,
            after: Memory::read(),
            outcome: serde_json::json!({ "load": outcome, "verified": verified }),
            ..Measured::default()
        })
    }

    fn idle(&mut self) -> Result<Measured> {
        let before = Memory::read();
        let since = self.stage.launch()?;
        let address = self.stage.address.clone();
        let config = self.stage.topic_config();
        let ready = probe::until(since, RECOVERS_WITHIN, || {
            probe::versions(&address).map(|_| ())
        });
        let ready = ready.map_err(load_error)?;
        let created = probe::until(since, RECOVERS_WITHIN, || {
            probe::create(&address, TOPIC, &config)
        });
        created.map_err(load_error)?;
        let ack = probe::until(since, RECOVERS_WITHIN, || probe::produce(&address, TOPIC));
        let ack = ack.map_err(load_error)?;
        self.clock.lap("start");
        let pid = self.stage.pid().unwrap_or_default();
        let alone = self.nothing(pid);
        let connections: std::result::Result<Vec<_>, _> = (0..self.options.idle_connections)
            .map(|_| probe::versions(&address))
            .collect();
        let connections = connections.map_err(load_error)?;
        let crowd = self.nothing(pid);
        drop(connections);
        self.clock.lap("load");
        let numbers = [
            ("ready_s", ready),
            ("first_ack_s", ack),
            ("idle_cpu_percent", alone.0),
            ("idle_machine_percent", alone.1),
            ("rss_bytes", alone.2),
            ("crowd_cpu_percent", crowd.0),
            ("crowd_rss_bytes", crowd.2),
        ];
        Ok(Measured {
            metrics: named(&numbers),
            before,
            after: Memory::read(),
            note: format!(
                "crowd: {} idle connections; percent of one CPU",
                self.options.idle_connections
            ),
            ..Measured::default()
        })
    }

    /// Percent of one CPU that the broker used, and that everything but this tool used, while nobody asked for anything; and
    /// the broker's resident bytes.
    fn nothing(&self, pid: u32) -> (f64, f64, f64) {
        std::thread::sleep(SETTLE.min(self.options.duration));
        let (since, begin) = (Instant::now(), Cpu::read(&[pid]));
        std::thread::sleep(self.options.duration);
        let spent = Cpu::read(&[pid]).since(&begin);
        let percent = 100.0 / since.elapsed().as_secs_f64();
        (
            spent.broker * percent,
            spent.others() * percent,
            machine::rss(pid) as f64,
        )
    }

    fn soak(&mut self) -> Result<Measured> {
        let plan = Plan {
            duration: Duration::from_secs_f64(self.options.soak_minutes * 60.0),
            ..self.stage.plan()
        };
        self.jit(&plan)?;
        let rate = match self.soak_rate {
            Some(rate) => rate,
            None => self.maximum(&plan)?.times(SOAK_SHARE),
        };
        let mut measured = self.measure(&Plan { rate, ..plan })?;
        let asked = match rate {
            Rate::Bytes(bytes) => bytes / 1e6,
            Rate::Sends(sends) => sends,
        };
        measured.metrics.insert("asked_mb_per_s".to_owned(), asked);
        let first = measured.outcome["edges_p999_us"][0].as_f64();
        let last = measured.outcome["edges_p999_us"][1].as_f64();
        if let (Some(first), Some(last)) = (first, last)
            && first > 0.0
        {
            let numbers = [
                ("first_p999_us", first),
                ("last_p999_us", last),
                ("p999_last_over_first", last / first),
            ];
            measured.metrics.extend(named(&numbers));
        }
        Ok(measured)
    }

    /// The highest rate that the peer holds, as `load --saturate` finds it.
    fn maximum(&mut self, plan: &Plan) -> Result<Rate> {
        let short = Plan {
            topic: Some("maximum".to_owned()),
            warmup: Duration::from_secs(1),
            duration: Duration::from_secs(5).min(plan.duration),
            ..plan.clone()
        };
        let (outcomes, best) = search::saturate(&short, |_| ()).map_err(failed)?;
        self.clock.lap("maximum");
        let best = best.and_then(|at| outcomes.get(at)).ok_or_else(|| {
            VersusError::Result("the peer held no rate; give --soak-rate".to_owned())
        })?;
        Ok(Rate::Bytes(best.mb_per_s * 1e6))
    }

    fn syscalls(&mut self) -> Result<Measured> {
        let plan = self.stage.plan();
        self.jit(&plan)?;
        let warm = self.options.warmup;
        if !warm.is_zero() {
            run(&Plan {
                warmup: Duration::ZERO,
                duration: warm,
                ..plan.clone()
            })?;
        }
        // All sends count, so all calls do.
        let plan = Plan {
            warmup: Duration::ZERO,
            ..plan
        };
        let counter = self.stage.pid().and_then(Counter::attach);
        let mut measured = self.measure(&plan)?;
        match counter.and_then(Counter::finish) {
            Some((calls, how)) => {
                let acked = measured.metrics.get("acked").copied().unwrap_or(0.0);
                let bytes = measured.outcome["batch_bytes"].as_f64().unwrap_or(0.0);
                let numbers = [
                    ("syscalls", calls as f64),
                    (
                        "syscalls_per_mb",
                        calls as f64 * 1e6 / (acked * bytes).max(1.0),
                    ),
                    ("syscalls_per_request", calls as f64 / acked.max(1.0)),
                ];
                measured.metrics.extend(named(&numbers));
                measured.note = format!("counted with {how}, which slows the broker");
            }
            None => {
                measured.note =
                    "syscalls not counted: neither perf nor strace may attach".to_owned();
            }
        }
        Ok(measured)
    }
}

fn load_error(error: admin::AdminError) -> VersusError {
    failed(LoadError::Admin(error))
}

fn named(numbers: &[(&str, f64)]) -> BTreeMap<String, f64> {
    numbers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

/// A load as numbers to be compared.
fn told(outcome: &Outcome) -> Measured {
    let read_gib = outcome.read_mb_per_s * 1e6 * outcome.seconds / 1_073_741_824.0;
    let mut metrics = named(&[
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
        ("acked", outcome.acked as f64),
        ("unacked", outcome.unacked as f64),
        ("errors", outcome.errors.values().sum::<u64>() as f64),
    ]);
    if outcome.end_to_end.count > 0 {
        metrics.extend(named(&[
            ("e2e_p50_us", outcome.end_to_end.p50_us),
            ("e2e_p99_us", outcome.end_to_end.p99_us),
            ("e2e_p999_us", outcome.end_to_end.p999_us),
            (
                "cpu_s_per_gib_read",
                outcome.cpu.others() / read_gib.max(1e-12),
            ),
        ]));
    }
    Measured {
        metrics,
        rejected: outcome.rejected.clone().or_else(|| refused(outcome)),
        outcome: serde_json::to_value(outcome).unwrap_or_default(),
        ..Measured::default()
    }
}

/// A run in which more than one send in a hundred failed measures how fast a broker says no.
fn refused(outcome: &Outcome) -> Option<String> {
    let errors = outcome.errors.values().sum::<u64>();
    let names: Vec<&str> = outcome.errors.keys().map(String::as_str).collect();
    let due = outcome.due;
    (errors > due / 100).then(|| format!("{errors} of {due} sends failed: {}", names.join(", ")))
}

/// True where the machine was told to stop.
pub fn broken_off() -> bool {
    sys::interrupted()
}
