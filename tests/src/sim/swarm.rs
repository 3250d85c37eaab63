//! One seed, from its options to its verdict: how often the node dies, what fails meanwhile, what is checked in the end.
//!
//! ```text
//!  draw ─► start ─► events, faults … ─► kill, power cut, stop, or a named exit ─► start (other shard count) ─► …
//!       ─► last start: all heals, the workload drains, clients call, everything is read ─► checkers ─► outcome
//! ```

mod ledger;
mod options;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use corelane_engine::controller::command::{Endpoint, LISTENER_DEFAULT};
use corelane_engine::disk::DiskError;
use corelane_engine::fatal::Fatal;
use corelane_engine::rng::Rng;
use corelane_engine::types::{Instant, NodeId, Now};
use corelane_net::context::authorize_all;
use corelane_net::event::{Event, Machine, Outbox};
use corelane_net::listeners::Listener;
use corelane_net::node::{Node, NodeConfig};

use super::canary::{Canary, Decoy, Lying, plant_decoys, remove_decoys, tamper};
use super::check::{self, Violation, bytes, progress, stable};
use super::disk::Counters;
use super::faults::{self, At, Faults};
use super::groups::story::{self, Asked, Told};
use super::history::{Fact, History};
use super::load::{Load, Phase};
use super::world::{Boot, World};
pub use ledger::Ledger;
pub use options::{End, Life, Options, Swarm};

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
        directory: "/data".to_owned(),
        me: boot.shard,
        shards: boot.shards,
        node: NodeId(1),
        listeners: vec![Listener {
            bound: ([127, 0, 0, 1], 9092).into(),
            endpoint: Endpoint {
                listener: LISTENER_DEFAULT.to_owned(),
                host: "127.0.0.1".to_owned(),
                port: 9092,
            },
        }],
        rack: None,
        limits: options.limits.clone(),
        net: options.net.clone(),
        arena: options.arena,
        seed: boot.seed,
        groups: options.groups.clone(),
        authorize: authorize_all,
    });
    match options.canary {
        None => AnyMachine::new(node),
        Some(canary) => AnyMachine::new(Lying::new(node, canary)),
    }
}

/// What a seed came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub seed: u64,
    pub violations: Vec<Violation>,
    pub trace: u64,
    pub events: u64,
    /// Requests that clients had an answer to.
    pub ops: u64,
    pub acked: u64,
    pub served: u64,
    pub kills: u32,
    pub cuts: u32,
    pub stops: u32,
    pub reshards: u32,
    /// Ends of the process by its own will, after a fault.
    pub exits: u32,
    /// Starts that met a group at their journal's end which they had to refuse.
    pub decoys: u32,
    /// Starts on a flipped bit, when all was judged.
    pub rotten_starts: u32,
    /// Starts that ended by naming what a flipped bit, or a write that landed elsewhere, had damaged.
    pub refused_starts: u32,
    /// Fetches answered by: this cannot be read.
    pub unreadable: u64,
    pub group_calls: u64,
    pub commits: u64,
    pub generations: u64,
    /// Later begins of logs that somebody was told of.
    pub begins: u64,
    /// Simulated nanoseconds.
    pub simulated: u64,
    pub disk: Counters,
}

impl Outcome {
    fn new(seed: u64) -> Outcome {
        Outcome {
            seed,
            ..Outcome::default()
        }
    }
}

impl Outcome {
    fn count(&mut self, history: &History) {
        let mut generations = BTreeSet::new();
        for call in story::calls(history) {
            self.group_calls += 1;
            match (call.asked, call.told) {
                (Asked::Commit { .. }, Some((Told::Each(_), _))) => self.commits += 1,
                (_, Some((Told::Joined { generation, .. }, _))) => {
                    generations.insert((call.group, *generation));
                }
                _ => {}
            }
        }
        self.generations = generations.len() as u64;
        let facts = history.entries.iter().map(|entry| &entry.fact);
        let begins = facts.filter_map(|fact| match fact {
            Fact::Begins { place, begin, .. } if *begin > 0 => Some((*place, *begin)),
            _ => None,
        });
        self.begins = begins.collect::<BTreeSet<_>>().len() as u64;
    }
}

/// How long a node is watched that has started on a flipped bit.
const ROTTEN_EVENTS: u64 = 2_000;

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
    let world = World::new(rng.next_u64(), options.pace, make);
    let load = Load::new(rng.next_u64(), options.mix);
    let mut run = Run {
        options,
        fault_rng: Rng::new(options.seed ^ 0x000b_adda),
        rng,
        world,
        load,
        outcome: Outcome::new(options.seed),
        shards_before: None,
        faults_before: 0,
        decoys: Vec::new(),
        was_open: false,
    };
    if options.tears_bytes {
        run.world.disk.tear_bytes();
    }
    let hands = run.load.begin(run.world.now());
    run.world.perform(hands);
    let lived = options.lives.iter().try_for_each(|life| run.live(life));
    if lived.and_then(|()| run.last()).is_ok() {
        // What was promised is judged only when everything was read, and once nothing else went wrong.
        run.outcome.violations = check::all(&run.load.history);
        if run.outcome.violations.is_empty() && options.rots_last {
            run.rot();
        }
    }
    run.sum_up()
}

/// The seed ends here: a promise was broken, or the node refuses, by name, what its disk made of a write.
struct Broken;

/// A seed under way.
struct Run<'a, M, F> {
    options: &'a Options,
    rng: Rng,
    fault_rng: Rng,
    world: World<M, F>,
    load: Load,
    outcome: Outcome,
    shards_before: Option<u16>,
    /// Faults that were met before this life.
    faults_before: u64,
    /// Planted before this life.
    decoys: Vec<Decoy>,
    /// Clients were let in during this life.
    was_open: bool,
}

impl<M: Machine, F: FnMut(Boot) -> M> Run<'_, M, F> {
    fn at(&self) -> At {
        At {
            now: self.world.now(),
            life: self.world.life(),
        }
    }

    fn note(&mut self, fact: Fact) {
        let At { now, life } = self.at();
        self.load.history.note(now, life, fact);
    }

    fn start(&mut self, shards: u16) {
        self.outcome.reshards += u32::from(self.shards_before.is_some_and(|s| s != shards));
        self.shards_before = Some(shards);
        self.faults_before = self.world.disk.counters().faults;
        self.was_open = false;
        if let Some(canary) = self.options.canary {
            tamper(canary, &mut self.world.disk);
        }
        remove_decoys(&mut self.world.disk, std::mem::take(&mut self.decoys));
        if self.options.decoys && self.fault_rng.one_in(2) {
            self.decoys = plant_decoys(&mut self.world.disk, &mut self.fault_rng);
            self.outcome.decoys += 1;
        }
        self.world.start(shards);
    }

    fn step(&mut self) {
        self.world.step(&mut self.load);
        self.was_open |= self.world.is_accepting();
        let at = self.at();
        let heard = !self.world.was_unheard();
        faults::after(&mut self.world.disk, &mut self.load, at, heard);
    }

    /// Runs until something comes true, the process has ended, or the time is over; whether it came true.
    fn until(&mut self, time: u64, reached: impl Fn(&Self) -> bool) -> bool {
        let end = self.world.now() + time;
        let mut steps = 0;
        while !reached(self) && self.world.is_up() && self.world.now() < end {
            self.step();
            steps += 1;
            assert!(
                steps < EVENTS_MAX,
                "turns in circles: {}",
                self.load.stuck()
            );
        }
        reached(self)
    }

    /// Clients look rarely for so many milliseconds, whether the node is up or not.
    fn rest(&mut self, ms: u64) {
        if ms == 0 {
            return;
        }
        let (end, was_up) = (self.world.now() + ms * 1_000_000, self.world.is_up());
        self.load.rest(end);
        while self.world.now() < end && self.world.is_up() == was_up {
            self.step();
        }
        self.load.rest(self.world.now());
    }

    fn broken(&mut self, promise: &'static str, what: String) -> Result<(), Broken> {
        self.outcome.violations.push(Violation { promise, what });
        Err(Broken)
    }

    /// One life but the last: true to its events and its end, unless a fault ends it before.
    fn live(&mut self, life: &Life) -> Result<(), Broken> {
        life.faults.begin(&mut self.world.disk);
        self.start(life.shards);
        for event in 0..life.events {
            let at = self.at();
            let (rng, disk) = (&mut self.fault_rng, &mut self.world.disk);
            life.faults.before(event, rng, disk, &mut self.load, at);
            self.step();
            if event == life.events / 2 {
                self.rest(life.rest_ms);
            }
            if !self.world.is_up() {
                break;
            }
        }
        if life.end == End::Stop && self.world.is_up() {
            // On a full disk a stop waits for space.
            self.world.disk.set_full(false);
            self.world.tell_all(|| Event::Stop);
            self.until(progress::WITHIN, |_| false);
            if self.world.is_up() {
                let what = self.load.stuck();
                return self.broken("stops when asked to", what);
            }
            self.outcome.stops += 1;
            if !self.was_open && self.world.had_no_fatal() {
                self.note(Fact::StoppedEarly);
            }
        }
        self.ended_by_itself(&life.faults)?;
        if life.end == End::PowerCut {
            // Mostly at a moment when there is much to lose.
            let wanted = self.rng.below(24) as usize;
            for _ in 0..2_000 {
                if !self.world.is_up() || self.world.disk.volatile_blocks() >= wanted {
                    break;
                }
                self.step();
            }
            self.ended_by_itself(&life.faults)?;
        }
        match life.end {
            End::Kill => {
                self.world.kill();
                self.note(Fact::Killed);
                self.outcome.kills += 1;
            }
            End::PowerCut => {
                self.world.power_cut();
                self.note(Fact::PowerCut);
                self.outcome.cuts += 1;
            }
            End::Stop => {}
        }
        self.world.disk.heal();
        // Down for a moment, at times.
        for _ in 0..self.rng.below(40) {
            self.step();
        }
        self.rest(life.down_ms);
        Ok(())
    }

    /// The last life: nothing fails, and everything that was promised is asked for.
    fn last(&mut self) -> Result<(), Broken> {
        let (shards, events) = self.options.last;
        self.start(shards);
        let left = self
            .options
            .rest_until_ms
            .saturating_sub(self.world.now() / 1_000_000);
        self.rest(left);
        for _ in 0..events {
            self.step();
        }
        let At { now, life } = self.at();
        self.world.heal();
        self.load.drain(now, life);
        let done = self.until(progress::WITHIN, |run| run.load.phase() == Phase::Done);
        self.ended_by_itself(&Faults::default())?;
        if !done {
            let accepting = self.world.is_accepting();
            let promise = match self.load.phase() {
                Phase::Calling if !self.load.groups.is_done() => stable::PROMISE,
                _ => progress::PROMISE,
            };
            let what = format!("accepting: {accepting}; {}", self.load.stuck());
            return self.broken(promise, what);
        }
        Ok(())
    }

    /// When all is judged: a bit flips anywhere, and the node starts once more. It may refuse to, by the name of what is
    /// damaged, and it may have lost something; it neither falls over nor serves what nobody sent.
    fn rot(&mut self) {
        let since = self.load.history.entries.len();
        match self.rng.one_in(2) {
            true => self.world.kill(),
            false => {
                self.world.tell_all(|| Event::Stop);
                self.until(progress::WITHIN, |_| false);
            }
        }
        let flipped = self.world.disk.flip_bit("");
        if self.world.is_up() || !flipped {
            return;
        }
        remove_decoys(&mut self.world.disk, std::mem::take(&mut self.decoys));
        self.world.start(self.options.last.0);
        let hands = self.load.go_on(self.world.now());
        self.world.perform(hands);
        for _ in 0..ROTTEN_EVENTS {
            self.step();
        }
        self.outcome.rotten_starts += 1;
        match self.world.take_fatal() {
            Some((_, Fatal::Damaged(_) | Fatal::Disk { .. })) => self.outcome.refused_starts += 1,
            Some((shard, fatal)) => {
                let what = format!("a flipped bit, then {shard:?}: {fatal}");
                let _ = self.broken(check::STARTS, what);
            }
            None => {}
        }
        if let Err(what) = bytes::no_garbage(&self.load.history, since) {
            let _ = self.broken(bytes::PROMISE, what);
        }
    }

    /// An end by its own will is right after a fault, and by the name of the disk; else a promise is broken.
    fn ended_by_itself(&mut self, faults: &Faults) -> Result<(), Broken> {
        let Some((shard, fatal)) = self.world.take_fatal() else {
            return Ok(());
        };
        let met = self.world.disk.counters().faults > self.faults_before;
        // A start has nobody to refuse: without space it ends.
        let no_space = DiskError::NO_SPACE.errno;
        let starved = faults.full.is_some()
            && !self.was_open
            && matches!(fatal, Fatal::Disk { errno, .. } if errno == no_space);
        if let Fatal::Damaged(what) = &fatal
            && let Some(place) = self.load.place_of(what)
            && self.load.history.is_misplaced(place)
        {
            self.outcome.refused_starts += 1;
            if let Err(what) = bytes::no_garbage(&self.load.history, 0) {
                return self.broken(bytes::PROMISE, what);
            }
            return Err(Broken);
        }
        let what = format!("life {}, {shard:?}: {fatal}", self.world.life().0);
        if !met && !starved {
            return self.broken(check::STARTS, what);
        }
        let disk = matches!(fatal, Fatal::Disk { .. });
        self.note(Fact::Exited { what, disk });
        self.outcome.exits += 1;
        Ok(())
    }

    fn sum_up(self) -> Outcome {
        let Run {
            options,
            mut outcome,
            world,
            load,
            ..
        } = self;
        for entry in &load.history.entries {
            match &entry.fact {
                Fact::Acked { .. } => outcome.acked += 1,
                Fact::Unreadable { .. } => outcome.unreadable += 1,
                Fact::Served { batches, .. } => outcome.served += batches.len() as u64,
                _ => {}
            }
        }
        outcome.count(&load.history);
        if options.pace.print {
            for (number, batch) in load.history.batches.iter().enumerate() {
                let words = format_args!("batch {number}: {}", batch.describe());
                world.trace.say(world.now(), words);
            }
            for entry in &load.history.entries {
                let words = format_args!("life {}: {:?}", entry.life.0, entry.fact);
                world.trace.say(entry.at, words);
            }
        }
        outcome.trace = world.trace.hash();
        outcome.events = world.trace.events();
        outcome.ops = load.answered();
        outcome.simulated = world.now();
        outcome.disk = world.disk.counters();
        outcome
    }
}

/// The first seed that shows a planted bug.
#[derive(Clone, Debug)]
pub struct Found {
    pub seed: u64,
    pub violation: Violation,
    /// Seeds that were run, this one included.
    pub seeds: u64,
}

/// Looks for a planted bug until a checker of its kind finds it.
pub fn hunt(canary: Canary, seeds: std::ops::Range<u64>) -> Option<Found> {
    for (before, seed) in seeds.enumerate() {
        let mut options = Options::hunt(seed, canary);
        let broken = run(&options).violations;
        let Some(violation) = broken.into_iter().find(|v| canary.is_shown_by(v.promise)) else {
            continue;
        };
        // What goes wrong without the planted bug too is no proof.
        options.canary = None;
        if run(&options).violations.is_empty() {
            let seeds = before as u64 + 1;
            return Some(Found {
                seed,
                violation,
                seeds,
            });
        }
    }
    None
}

/// The command that replays a seed.
pub fn replay(options: &Options) -> String {
    let (seed, end) = (options.seed, options.seed + 1);
    let how = match options.canary {
        Some(canary) => format!(" --canary {}", canary.name()),
        None => match options.swarm {
            Swarm::Plain => " --plain".to_owned(),
            Swarm::Faults => " --faults".to_owned(),
            Swarm::Trims => " --trims".to_owned(),
            Swarm::All => String::new(),
        },
    };
    format!("cargo run -p corelane-tests --bin sim -- --seeds {seed}..{end} --trace{how}")
}
