//! One seed, from its options to its verdict: what is drawn, how often the node dies, what is checked in the end.
//!
//! ```text
//!  draw ─► start ─► events … ─► kill, power cut, or a kill and a cut soon after ─► start (other shard count) ─► …
//!       ─► last start: the workload drains, everything is read ─► checkers ─► outcome
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};

use corelane_engine::group::config::GroupConfig;
use corelane_engine::limits::Limits;
use corelane_engine::rng::Rng;
use corelane_engine::types::{Instant, NodeId, Now, ShardId};
use corelane_net::context::authorize_all;
use corelane_net::event::{Event, Machine, Outbox};
use corelane_net::node::{Node, NodeConfig};
use corelane_net::worker::NetLimits;

use super::canary::{Canary, Lying};
use super::check::{self, Violation};
use super::disk::{Counters, Speed};
use super::history::Fact;
use super::load::{Load, Mix, Phase};
use super::world::{Boot, Pace, World};

/// How a life of the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Kill,
    PowerCut,
    /// SIGTERM, waited for.
    Stop,
}

/// One life: how many shards, how many events until its end, and the end.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    pub shards: u16,
    pub events: u64,
    pub end: End,
}

/// Everything that a seed draws.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    pub limits: Limits,
    pub arena: [usize; 3],
    pub mix: Mix,
    pub pace: Pace,
    /// All but the last life.
    pub lives: Vec<Life>,
    /// Of the last life: its shards, and events before the workload drains.
    pub last: (u16, u64),
    pub canary: Option<Canary>,
}

impl Options {
    pub fn draw(seed: u64) -> Options {
        let mut rng = Rng::new(seed ^ 0x5eed_0f00_5eed);
        let mut limits = Limits::TINY;
        if rng.one_in(3) {
            limits.straight_bytes_min = 16 << 10;
        }
        if rng.one_in(3) {
            limits.journal_file_bytes = 128 << 10;
            limits.tail_bytes_max = 512 << 10;
        }
        if rng.one_in(3) {
            limits.write_back_bytes = 4 << 10;
        }
        let pause_us = [30, 300, 1_000, 3_000][rng.below(4) as usize];
        let mix = Mix {
            producers: 1 + rng.below(3) as u32,
            consumers: 1 + rng.below(2) as u32,
            topics_first: 1 + rng.below(3) as u32,
            topics_max: 2 + rng.below(6) as u32,
            partitions_max: 1 + rng.below(4),
            process_of_4: rng.below(5),
            pause_us,
            straight_bytes_min: limits.straight_bytes_min,
            hang_up_one_in: [50, 500, 1_000_000][rng.below(3) as usize],
            delete_one_in: [30, 200, 1_000_000][rng.below(3) as usize],
            // Not drawn: the seeds of the past keep their stories.
            change_one_in: match seed % 4 {
                1 => 10,
                2 => 50,
                _ => u64::MAX,
            },
        };
        let disk = match rng.below(3) {
            0 => Speed::default(),
            1 => Speed {
                usual_us: 20,
                flush_us: 100,
                slow_one_in: 500,
                slow_us: 5_000,
            },
            _ => Speed {
                usual_us: 1_000,
                flush_us: 5_000,
                slow_one_in: 20,
                slow_us: 50_000,
            },
        };
        let pace = Pace {
            disk,
            ..Pace::default()
        };
        let shards = 1 + rng.below(2) as u16;
        let mut count = || match rng.one_in(5) {
            true => 3 - shards,
            false => shards,
        };
        let mut draw = Rng::new(seed ^ 0x11fe);
        let mut lives = Vec::new();
        for _ in 0..draw.below(5) {
            let end = match draw.below(8) {
                0..3 => End::Kill,
                3..7 => End::PowerCut,
                _ => End::Stop,
            };
            // Between a few events, which ends in the middle of a start, and thousands.
            let follows_kill = (lives.last()).is_some_and(|l: &Life| l.end == End::Kill);
            let magnitude = if follows_kill && draw.one_in(2) {
                6
            } else {
                12
            };
            let bits = 2 + draw.below(magnitude);
            let events = (1 << bits) + draw.below(1 << bits);
            let shards = count();
            lives.push(Life {
                shards,
                events,
                end,
            });
        }
        let last = (count(), 200 + draw.below(2_000));
        Options {
            seed,
            limits,
            arena: [256 << 10, 256 << 10, 8 << 20],
            mix,
            pace,
            lives,
            last,
            canary: None,
        }
    }
}

/// A machine of any kind.
pub struct AnyMachine(Box<dyn Machine>);

impl AnyMachine {
    pub fn new(machine: impl Machine + 'static) -> AnyMachine {
        AnyMachine(Box::new(machine))
    }
}

impl Machine for AnyMachine {
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox) {
        self.0.on(now, event, out);
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        self.0.settle(now, out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}

/// The broker's own machine, with the options of a seed.
pub fn node(options: &Options, boot: Boot) -> AnyMachine {
    let node = Node::new(NodeConfig {
        me: boot.shard,
        shards: boot.shards,
        node: NodeId(1),
        host: "127.0.0.1".to_owned(),
        port: 9092,
        limits: options.limits.clone(),
        net: NetLimits::NORMAL,
        arena: options.arena,
        seed: boot.seed,
        groups: GroupConfig::default(),
        authorize: authorize_all,
    });
    match options.canary {
        None => AnyMachine::new(node),
        Some(canary) => AnyMachine::new(Lying::new(node, canary)),
    }
}

/// What a seed came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub seed: u64,
    pub violations: Vec<Violation>,
    pub trace: u64,
    pub events: u64,
    pub ops: u32,
    pub acked: u64,
    pub served: u64,
    pub kills: u32,
    pub cuts: u32,
    pub stops: u32,
    pub reshards: u32,
    /// Simulated nanoseconds.
    pub simulated: u64,
    pub disk: Counters,
}

impl Outcome {
    fn new(seed: u64) -> Outcome {
        Outcome {
            seed,
            violations: Vec::new(),
            trace: 0,
            events: 0,
            ops: 0,
            acked: 0,
            served: 0,
            kills: 0,
            cuts: 0,
            stops: 0,
            reshards: 0,
            simulated: 0,
            disk: Counters::default(),
        }
    }
}

/// How long, in simulated time, everything may take once nothing fails any more (RELIABILITY.md, R2).
const PROGRESS_NS: u64 = 30_000_000_000;
/// More events than any seed needs: who reaches it turns in circles.
const EVENTS_MAX: u64 = 20_000_000;

/// Runs a seed; a panic of the machine is a violation like any other.
pub fn run(options: &Options) -> Outcome {
    let run = AssertUnwindSafe(|| run_with(options, |boot| node(options, boot)));
    catch_unwind(run).unwrap_or_else(|panic| {
        let what = (panic.downcast_ref::<String>().cloned())
            .or(panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        let mut outcome = Outcome::new(options.seed);
        outcome.violations.push(Violation {
            promise: "no assertion fails",
            what: what.unwrap_or_default(),
        });
        outcome
    })
}

/// Runs a seed with machines of any make.
pub fn run_with<M: Machine>(options: &Options, make: impl FnMut(Boot) -> M) -> Outcome {
    let mut rng = Rng::new(options.seed);
    let mut world = World::new(rng.next_u64(), options.pace, make);
    let mut load = Load::new(rng.next_u64(), options.mix);
    let mut outcome = Outcome::new(options.seed);
    let hands = load.begin(world.now());
    world.perform(hands);
    let mut shards_before = None;
    for life in &options.lives {
        outcome.reshards += u32::from(shards_before.is_some_and(|s| s != life.shards));
        shards_before = Some(life.shards);
        world.start(life.shards);
        for _ in 0..life.events {
            world.step(&mut load);
            if !world.is_up() {
                break;
            }
        }
        if world.is_up() && life.end == End::Stop {
            world.tell_all(|| Event::Stop);
            let until = world.now() + PROGRESS_NS;
            while world.is_up() && world.now() < until {
                world.step(&mut load);
            }
            if world.is_up() {
                violate(&mut outcome, "stops when asked to", load.stuck());
                break;
            }
            outcome.stops += 1;
        }
        if ended_by_itself(&mut world, &mut outcome) {
            break;
        }
        if life.end == End::PowerCut {
            // Mostly at a moment when there is much to lose.
            let wanted = rng.below(24) as usize;
            for _ in 0..2_000 {
                if !world.is_up() || world.disk.volatile_blocks() >= wanted {
                    break;
                }
                world.step(&mut load);
            }
            if ended_by_itself(&mut world, &mut outcome) {
                break;
            }
        }
        let (now, start) = (world.now(), world.life());
        match life.end {
            End::Kill => {
                world.kill();
                load.history.note(now, start, Fact::Killed);
                outcome.kills += 1;
            }
            End::PowerCut => {
                world.power_cut();
                load.history.note(now, start, Fact::PowerCut);
                outcome.cuts += 1;
            }
            End::Stop => {}
        }
        // Down for a moment, at times.
        for _ in 0..rng.below(40) {
            world.step(&mut load);
        }
    }
    if outcome.violations.is_empty() {
        let (shards, events) = options.last;
        outcome.reshards += u32::from(shards_before.is_some_and(|s| s != shards));
        world.start(shards);
        for _ in 0..events {
            world.step(&mut load);
        }
        load.drain();
        let until = world.now() + PROGRESS_NS;
        let mut steps = 0;
        while load.phase() != Phase::Done && world.is_up() && world.now() < until {
            world.step(&mut load);
            steps += 1;
            assert!(steps < EVENTS_MAX, "turns in circles: {}", load.stuck());
        }
        if !ended_by_itself(&mut world, &mut outcome) && load.phase() != Phase::Done {
            let accepting = world.is_accepting();
            let what = format!("accepting: {accepting}; {}", load.stuck());
            violate(&mut outcome, "progress once faults heal", what);
        }
    }
    // What was promised is judged only when everything was read, and once nothing else went wrong.
    if outcome.violations.is_empty() {
        outcome.violations = check::all(&load.history);
    }
    for entry in &load.history.entries {
        match &entry.fact {
            Fact::Acked { .. } => outcome.acked += 1,
            Fact::Served { batches, .. } => outcome.served += batches.len() as u64,
            _ => {}
        }
    }
    if options.pace.print {
        for entry in &load.history.entries {
            let words = format_args!("life {}: {:?}", entry.life.0, entry.fact);
            world.trace.say(entry.at, words);
        }
    }
    outcome.trace = world.trace.hash();
    outcome.events = world.trace.events();
    outcome.ops = load.ops();
    outcome.simulated = world.now();
    outcome.disk = world.disk.counters();
    outcome
}

fn violate(outcome: &mut Outcome, promise: &'static str, what: String) {
    outcome.violations.push(Violation { promise, what });
}

fn ended_by_itself<M: Machine, F: FnMut(Boot) -> M>(
    world: &mut World<M, F>,
    outcome: &mut Outcome,
) -> bool {
    let fatal: Option<(ShardId, _)> = world.take_fatal();
    if let Some((shard, fatal)) = &fatal {
        let what = format!("life {}, {shard:?}: {fatal}", world.life().0);
        violate(outcome, "starts and lives without faults", what);
    }
    fatal.is_some()
}

/// What many seeds came to: the evidence of a run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub seeds: u64,
    pub ops: u64,
    pub acked: u64,
    pub served: u64,
    pub kills: u64,
    pub cuts: u64,
    pub stops: u64,
    pub reshards: u64,
    pub events: u64,
    pub simulated_ms: u64,
    pub blocks_lost: u64,
    pub blocks_torn: u64,
    pub violations: u64,
}

impl Ledger {
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.ops += u64::from(outcome.ops);
        self.acked += outcome.acked;
        self.served += outcome.served;
        self.kills += u64::from(outcome.kills);
        self.cuts += u64::from(outcome.cuts);
        self.stops += u64::from(outcome.stops);
        self.reshards += u64::from(outcome.reshards);
        self.events += outcome.events;
        self.simulated_ms += outcome.simulated / 1_000_000;
        self.blocks_lost += outcome.disk.fates.lost;
        self.blocks_torn += outcome.disk.fates.torn;
        self.violations += u64::from(!outcome.violations.is_empty());
    }
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "sim: {} seeds, {} operations, {} batches acked, {} served, {} kills, {} power cuts, {} stops, \
             {} shard count changes, {} blocks lost, {} torn, {} events, {} simulated s, {} seeds with a violation",
            self.seeds,
            self.ops,
            self.acked,
            self.served,
            self.kills,
            self.cuts,
            self.stops,
            self.reshards,
            self.blocks_lost,
            self.blocks_torn,
            self.events,
            self.simulated_ms / 1_000,
            self.violations,
        )
    }
}

/// The command that replays a seed.
pub fn replay(options: &Options) -> String {
    let (seed, end) = (options.seed, options.seed + 1);
    let canary = options.canary.map(|c| format!(" --canary {}", c.name()));
    format!(
        "cargo run -p corelane-tests --bin sim -- --seeds {seed}..{end} --trace{}",
        canary.unwrap_or_default()
    )
}
