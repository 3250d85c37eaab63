//! What a seed draws: how the clients work, how fast things go, how often the node dies, what else fails.

use std::time::Duration;

use corelane_engine::group::config::GroupConfig;
use corelane_engine::limits::Limits;
use corelane_engine::rng::Rng;
use corelane_net::worker::NetLimits;

use crate::sim::canary::Canary;
use crate::sim::client::Habits;
use crate::sim::disk::Speed;
use crate::sim::faults::{Faults, Kinds};
use crate::sim::groups::Crowd;
use crate::sim::load::{Mix, Trims};
use crate::sim::world::Pace;

/// How a life of the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Kill,
    PowerCut,
    /// SIGTERM, waited for.
    Stop,
}

/// One life: how many shards, how many events until its end, and the end.
#[derive(Clone, Debug)]
pub struct Life {
    pub shards: u16,
    pub events: u64,
    pub end: End,
    pub faults: Faults,
    /// In the middle of its events, and after its end, clients rest for so many milliseconds.
    pub rest_ms: u64,
    pub down_ms: u64,
}

/// What may happen in a seed: each swarm adds to the one before, and keeps its stories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Swarm {
    /// Crashes.
    Plain,
    /// Faults of the disk, and habits of clients.
    Faults,
    /// Groups, and logs that begin later as time goes by.
    Trims,
    /// Ten minutes and more: many lives with long rests, smaller bounds, faults of every kind.
    All,
}

impl Swarm {
    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Swarm::Plain => "plain",
            Swarm::Faults => "faults",
            Swarm::Trims => "trims",
            Swarm::All => "all",
        }
    }

    pub fn of_name(name: &str) -> Option<Swarm> {
        let all = [Swarm::Plain, Swarm::Faults, Swarm::Trims, Swarm::All];
        all.into_iter().find(|swarm| swarm.name() == name)
    }
}

/// Everything that a seed draws.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    pub swarm: Swarm,
    pub limits: Limits,
    pub groups: GroupConfig,
    pub net: NetLimits,
    pub arena: [usize; 3],
    pub mix: Mix,
    pub pace: Pace,
    /// All but the last life.
    pub lives: Vec<Life>,
    /// Of the last life: its shards, and events before the workload drains.
    pub last: (u16, u64),
    /// The last life begins its events when the simulation is as old as this, in milliseconds, or older.
    pub rest_until_ms: u64,
    /// A power cut tears at any byte.
    pub tears_bytes: bool,
    /// When all is judged, a bit of any file flips, and the node starts once more.
    pub rots_last: bool,
    /// Groups that must be refused stand at the ends of journals.
    pub decoys: bool,
    pub canary: Option<Canary>,
}

impl Options {
    /// As [`Options::trims`], and longer: ten minutes in which the node dies often and is left alone for long, within
    /// bounds that make rare states common, and on a disk that fails in every way.
    pub fn draw(seed: u64) -> Options {
        let mut options = Options::trims(seed);
        options.swarm = Swarm::All;
        let mut rng = Rng::new(seed ^ 0x10_0006);
        options.tighten(&mut rng);
        options.lengthen(&mut rng);
        options
    }

    /// Small journals, checkpoints, buffers and budgets, each by itself.
    fn tighten(&mut self, rng: &mut Rng) {
        let of_3 = |rng: &mut Rng, values: [u64; 3]| values[rng.below(3) as usize];
        let limits = &mut self.limits;
        if rng.one_in(3) {
            limits.journal_file_bytes = of_3(rng, [32 << 10, 48 << 10, 256 << 10]);
        }
        if rng.one_in(3) {
            limits.journal_files = of_3(rng, [3, 5, 8]) as usize;
        }
        let ring = limits.journal_file_bytes * limits.journal_files as u64;
        limits.tail_bytes_max = limits.tail_bytes_max.max(ring as usize);
        if rng.one_in(3) {
            limits.checkpoint_bytes = of_3(rng, [4 << 10, 8 << 10, 128 << 10]);
        }
        if rng.one_in(3) {
            limits.index_interval_bytes = of_3(rng, [64, 512, 16 << 10]) as u32;
        }
        if rng.one_in(3) {
            limits.write_back_bytes = of_3(rng, [4 << 10, 8 << 10, 64 << 10]) as usize;
        }
        if rng.one_in(3) {
            limits.extend_bytes_max = of_3(rng, [4 << 10, 8 << 10, 64 << 10]);
        }
        if rng.one_in(3) {
            limits.retention_at_once = of_3(rng, [1, 3, 64]) as usize;
        }
        // Time goes by for minutes: most seeds need not look at it every moment.
        limits.retention_check_ms = of_3(rng, [50, 1_000, 10_000]);
        let net = &mut self.net;
        if rng.one_in(3) {
            net.small_bytes_max = of_3(rng, [64 << 10, 256 << 10, 1 << 20]) as usize;
            net.large_bytes_max = of_3(rng, [256 << 10, 1 << 20, 4 << 20]) as usize;
        }
        if rng.one_in(3) {
            net.answer_bytes_max = of_3(rng, [64 << 10, 256 << 10, 1 << 20]) as usize;
            net.parked_bytes_max = of_3(rng, [1 << 10, 8 << 10, 64 << 10]) as usize;
        }
        if rng.one_in(3) {
            net.idle_max = Duration::from_millis(of_3(rng, [500, 5_000, 60_000]));
        }
        if rng.one_in(3) {
            net.sessions_max = of_3(rng, [1, 2, 4]) as usize;
            net.session_partitions_max = of_3(rng, [2, 8, 64]) as usize;
        }
    }

    /// Many lives, most of them short, and rests between them that take the time.
    fn lengthen(&mut self, rng: &mut Rng) {
        let kinds = Kinds::draw_any(rng);
        let shards = [1, 1, 2, 2, 3, 4][rng.below(6) as usize];
        let count = |rng: &mut Rng| match rng.one_in(5) {
            true => 1 + rng.below(4) as u16,
            false => shards,
        };
        let stops = rng.one_in(20);
        self.lives.clear();
        for _ in 0..6 + rng.below(8) {
            let end = match rng.below(10) {
                _ if stops => End::Stop,
                0..4 => End::Kill,
                4..9 => End::PowerCut,
                _ => End::Stop,
            };
            let bits = 2 + rng.below(10);
            let events = (1 << bits) + rng.below(1 << bits);
            let rest = |rng: &mut Rng| match rng.below(4) {
                0 => 1 + rng.below(100),
                1 => rng.below(20_000),
                _ => 0,
            };
            self.lives.push(Life {
                shards: count(rng),
                events,
                end,
                faults: kinds.faults(events, rng),
                rest_ms: rest(rng),
                down_ms: if rng.one_in(2) { rest(rng) } else { 0 },
            });
        }
        self.last = (count(rng), self.last.1.min(4_000));
        if self.mix.crowd.offsets_live_ms.is_none() {
            // Else a group that is empty for long, and has no offsets, is swept away.
            self.groups.retention_check_interval = Duration::from_secs(3_600);
        }
        self.rest_until_ms = 600_000 + rng.below(60_000);
        self.tears_bytes = rng.one_in(2);
        if rng.one_in(6) {
            // A device that hangs for seconds, now and then.
            self.pace.disk.slow_one_in = 2_000;
            self.pace.disk.slow_us = [500_000, 5_000_000][rng.below(2) as usize];
        }
        if rng.one_in(6) {
            // A core that is taken away for as long.
            self.pace.stall_one_in = 5_000;
            self.pace.stall_us = [500_000, 3_000_000][rng.below(2) as usize];
        }
        self.rots_last = rng.one_in(2);
    }

    /// Crashes, and besides a random subset of everything else that may happen: what a seed leaves out cannot hide what
    /// it leaves in.
    pub fn trims(seed: u64) -> Options {
        let mut options = Options::faults(seed);
        options.swarm = Swarm::Trims;
        let mut rng = Rng::new(seed ^ 0x6700_5eed);
        if rng.one_in(3) {
            options.add_groups(&mut rng);
        }
        if rng.one_in(3) {
            options.add_trims(&mut rng);
        }
        options
    }

    /// Of a swarm.
    pub fn of(swarm: Swarm, seed: u64) -> Options {
        match swarm {
            Swarm::Plain => Options::plain(seed),
            Swarm::Faults => Options::faults(seed),
            Swarm::Trims => Options::trims(seed),
            Swarm::All => Options::draw(seed),
        }
    }

    /// Records that are deleted, or go by themselves; changes of what lets them.
    fn add_trims(&mut self, rng: &mut Rng) {
        self.mix.trims = Some(Trims {
            expire_of_4: [0, 2, 4][rng.below(3) as usize],
            delete_one_in: [5, 20, 200][rng.below(3) as usize],
        });
        self.mix.habits.ages = true;
        // After a batch that was too large a producer begins under another id: none may be forgotten for want of room.
        self.limits.producers_max = 256;
        self.mix.partitions_max = self.mix.partitions_max.min(2);
        self.mix.change_one_in = [10, 50][rng.below(2) as usize];
        self.mix.delete_one_in = self.mix.delete_one_in.min([30, 200][rng.below(2) as usize]);
        if self.mix.crowd.groups == 0 {
            self.mix.pause_us = self.mix.pause_us.min(300);
        }
    }

    /// Where the bug is between shards there are two; of the groups there are those that it harms.
    fn hunt_groups(&mut self, canary: Canary) {
        let mut rng = Rng::new(self.seed ^ 0x0067_b06e);
        self.add_groups(&mut rng);
        // What a cut or age may excuse proves nothing.
        self.mix.crowd.classes = false;
        self.mix.crowd.offsets_live_ms = None;
        self.groups.offsets_retention = GroupConfig::default().offsets_retention;
        self.mix.crowd.alone_of_4 = match canary {
            Canary::CommitAnsweredEarly => 4,
            _ => self.mix.crowd.alone_of_4.min(2),
        };
        self.mix.crowd.members_max = 4;
        self.mix.crowd.habits.restless_one_in = 20;
        self.last.0 = 2;
        let lives = (0..4).map(|_| Life {
            shards: 2,
            events: 2_000 + rng.below(4_000),
            end: match (canary, rng.below(3)) {
                (Canary::GenerationNotRaised, _) | (_, 0) => End::Stop,
                (_, 1) => End::Kill,
                _ => End::PowerCut,
            },
            faults: Faults::default(),
            rest_ms: 0,
            down_ms: 0,
        });
        self.lives = lives.collect();
    }

    /// Records are deleted, often, and power is cut, often.
    fn hunt_trims(&mut self, canary: Canary) {
        let mut rng = Rng::new(self.seed ^ 0x0072_1b06);
        self.add_trims(&mut rng);
        self.mix.trims = Some(Trims {
            expire_of_4: 0,
            delete_one_in: 3,
        });
        // Answers that are late enough to be alone in their flush.
        (self.mix.producers, self.mix.consumers) = (1, 2);
        self.mix.pause_us = 1_000;
        let shards = match canary {
            Canary::TrimmedTooFar => 2,
            _ => 1,
        };
        self.last.0 = shards;
        let lives = (0..5).map(|_| Life {
            shards,
            events: 500 + rng.below(2_000),
            end: End::PowerCut,
            faults: Faults::default(),
            rest_ms: 0,
            down_ms: 0,
        });
        self.lives = lives.collect();
    }

    /// Members of groups, whose patience is that of a seed: short.
    fn add_groups(&mut self, rng: &mut Rng) {
        self.mix.crowd = Crowd::draw(rng);
        // They are to have their turn.
        (self.mix.producers, self.mix.consumers) = (1, 1);
        self.mix.pause_us = self.mix.pause_us.max(1_000);
        for life in self.lives.iter_mut().filter(|life| life.events > 256) {
            life.events *= 4;
        }
        self.last.1 += 8_000;
        self.groups = GroupConfig {
            session_timeout_min_ms: 50,
            initial_rebalance_delay_ms: [0, 20, 100][rng.below(3) as usize],
            new_member_join_timeout: Duration::from_secs(2),
            snapshot_after_bytes: [500, 4_000][rng.below(2) as usize],
            snapshot_piece_bytes: [200, 4_000][rng.below(2) as usize],
            ..GroupConfig::default()
        };
        if let Some(ms) = self.mix.crowd.offsets_live_ms {
            self.groups.offsets_retention = Duration::from_millis(ms);
            self.groups.retention_check_interval = Duration::from_millis(50);
        }
    }

    /// Crashes, and besides a random subset of what a disk may do, and of the habits of clients.
    pub fn faults(seed: u64) -> Options {
        let mut options = Options::plain(seed);
        options.swarm = Swarm::Faults;
        let mut rng = Rng::new(seed ^ 0x00fa_0175);
        let kinds = Kinds::draw(&mut rng);
        if kinds.rot {
            // Few partitions, so that they have segments that are cold.
            options.mix.topics_max = options.mix.topics_first;
            options.mix.partitions_max = 1;
            options.mix.pause_us = 30;
        }
        if kinds.fails && options.lives.is_empty() {
            options.lives = Options::plain(seed ^ 1).lives;
        }
        for life in &mut options.lives {
            life.faults = kinds.faults(life.events, &mut rng);
        }
        options.mix.habits = Habits {
            codecs: rng.one_in(2),
            sessions: rng.one_in(2),
            rewind_one_in: rng.one_in(3).then(|| 1 + rng.below(10)),
            min_bytes: rng.one_in(3),
            cut_one_in: rng.one_in(4).then(|| 10 + rng.below(90)),
            ages: false,
        };
        options.mix.log_append_of_4 = [0, 0, 1, 4][rng.below(4) as usize];
        options.mix.opened_of_4 = [0, 0, 1, 4][rng.below(4) as usize];
        options.pace.disk.short_one_in = rng.one_in(3).then(|| 1 + rng.below(20));
        options.pace.slow_readers_of_8 = [0, 0, 0, 4][rng.below(4) as usize];
        options.decoys = rng.one_in(4);
        if rng.one_in(12) {
            for life in &mut options.lives {
                life.end = End::Stop;
            }
        }
        options
    }

    /// What a planted bug is looked for in: crashes, many of them, and nothing else that a checker might excuse.
    pub fn hunt(seed: u64, canary: Canary) -> Options {
        let mut options = Options::plain(seed);
        options.canary = Some(canary);
        if canary.needs_groups() {
            options.hunt_groups(canary);
        }
        if canary.needs_trims() {
            options.hunt_trims(canary);
        }
        if let Canary::CrcNotChecked | Canary::IndexPastLog = canary {
            // Few partitions, so that they have segments that are cold.
            options.mix.topics_max = options.mix.topics_first;
            options.mix.partitions_max = 1;
            options.mix.pause_us = 30;
            options.mix.habits.rewind_one_in = Some(5);
        }
        if let Canary::FailureIgnored | Canary::NoSpaceIgnored = canary {
            let mut rng = Rng::new(seed ^ 0xdeaf);
            let kinds = Kinds {
                fails: canary == Canary::FailureIgnored,
                full: canary == Canary::NoSpaceIgnored,
                ..Kinds::default()
            };
            options.mix.pause_us = options.mix.pause_us.min(1_000);
            let lives = (0..4).map(|_| {
                let events = 1_000 + rng.below(4_000);
                Life {
                    shards: options.last.0,
                    events,
                    end: [End::Kill, End::PowerCut][rng.below(2) as usize],
                    faults: kinds.faults(events, &mut rng),
                    // Long enough that what was said before is not what is heard after.
                    rest_ms: 10_000,
                    down_ms: 0,
                }
            });
            options.lives = lives.collect();
        }
        if let Canary::StaleGroupAccepted | Canary::EpochNotRaised | Canary::TornGroupAccepted =
            canary
        {
            // Holes in the journal, which only unflushed groups have, and then another cut soon after.
            let mut rng = Rng::new(seed ^ 0x57a1e);
            options.mix.process_of_4 = 4;
            (options.mix.topics_first, options.mix.partitions_max) = (3, 4);
            options.mix.consumers = 2;
            options.mix.delete_one_in = 1_000_000;
            options.mix.pause_us = [30, 300][rng.below(2) as usize];
            options.last.0 = 1;
            let lives = (0..6).map(|_| Life {
                shards: 1,
                events: 150 + rng.below(600),
                end: End::PowerCut,
                faults: Faults::default(),
                rest_ms: 0,
                down_ms: 0,
            });
            options.lives = lives.collect();
        }
        options
    }

    /// Kills, power cuts and stops only.
    pub fn plain(seed: u64) -> Options {
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
        // Not drawn, and of no seed that is kept: the seeds of the past keep their stories.
        if matches!(seed % 16, 0 | 4 | 10) {
            (limits.scrub_bytes_per_second, limits.scrub_first_ms) = (4 << 20, 2);
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
            log_append_of_4: 0,
            opened_of_4: 0,
            habits: Habits::PLAIN,
            crowd: Crowd::NONE,
            trims: None,
        };
        let disk = match rng.below(3) {
            0 => Speed::default(),
            1 => Speed {
                usual_us: 20,
                flush_us: 100,
                slow_one_in: 500,
                slow_us: 5_000,
                short_one_in: None,
            },
            _ => Speed {
                usual_us: 1_000,
                flush_us: 5_000,
                slow_one_in: 20,
                slow_us: 50_000,
                short_one_in: None,
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
                faults: Faults::default(),
                rest_ms: 0,
                down_ms: 0,
            });
        }
        let last = (count(), 200 + draw.below(2_000));
        Options {
            seed,
            swarm: Swarm::Plain,
            limits,
            groups: GroupConfig::default(),
            net: NetLimits::NORMAL,
            arena: [256 << 10, 256 << 10, 8 << 20],
            mix,
            pace,
            lives,
            last,
            rest_until_ms: 0,
            tears_bytes: false,
            rots_last: false,
            decoys: false,
            canary: None,
        }
    }
}
