//! The workloads as load plans, and the goals they are judged by. W10 and W11 need three brokers and are not here.

use std::time::Duration;

use serde::Serialize;

use super::Options;
use crate::load::plan::{Codec, Plan, Rate};

/// Where broker and generator run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Placement {
    /// The broker pinned to the first CPU, the generator to the last.
    A,
    /// Both free.
    B,
}

/// What an ack promises. Equal on both sides, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Kafka's default beside `corelane.durability=process`.
    Process,
    /// `flush.messages=1` beside `corelane.durability=disk`.
    Disk,
}

/// The direction of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Ours ÷ theirs is at least this.
    AtLeast(f64),
    /// Ours ÷ theirs is at most this.
    AtMost(f64),
    /// Every run of ours is at most this, whatever theirs are.
    Within(f64),
}

/// What is done with a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One load.
    Load,
    /// W7: a backlog that is on the disk only is read while the load goes on.
    CatchUp,
    /// W9: `kill -9` under load, and the start after it.
    Recovery,
    /// W12: a start, and nothing to do.
    Idle,
    /// W13: half an hour at the same rate.
    Soak,
    /// W14: a load whose syscalls are counted.
    Syscalls,
}

/// One case of a workload: what is measured with one configuration.
#[derive(Clone, Debug)]
pub struct Case {
    /// `W3`.
    pub workload: &'static str,
    /// Unique: `W3 64x1 A process`.
    pub name: String,
    /// Where.
    pub placement: Placement,
    /// What an ack promises.
    pub durability: Durability,
    /// The load; broker, topic, cores and lengths are filled in by the run.
    pub plan: Plan,
    /// Metric and goal.
    pub goals: Vec<(&'static str, Goal)>,
    /// Whether the floor can do it too.
    pub floor: bool,
    /// What is done.
    pub kind: Kind,
    /// More pairs than this are not worth their time.
    pub pairs_max: usize,
}

use Durability::{Disk, Process};
use Goal::{AtLeast, AtMost, Within};
use Placement::{A, B};

/// Longer than the time between two sends of any pace here.
const AWAKE: Duration = Duration::from_millis(10);

/// Every case, in the order of their importance. W8 has so many partitions.
pub fn all(many: i32) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |workload,
                   variant: &str,
                   placement,
                   durability,
                   plan: Plan,
                   goals: &[(&'static str, Goal)],
                   floor| {
        let promise = if durability == Disk {
            "disk"
        } else {
            "process"
        };
        let name = [workload, variant, &format!("{placement:?}"), promise]
            .join(" ")
            .replace("  ", " ");
        // A generator that is told a pace waits for it awake where it has a CPU of its own: one that sleeps wakes too late
        // to measure microseconds.
        let awake = matches!(plan.rate, Rate::Bytes(_)) && !plan.closed && placement == A;
        cases.push(Case {
            workload,
            name,
            placement,
            durability,
            plan: Plan {
                spin: if awake { AWAKE } else { plan.spin },
                ..plan
            },
            goals: goals.to_vec(),
            floor,
            kind: match workload {
                "W7" => Kind::CatchUp,
                "W9" => Kind::Recovery,
                "W12" => Kind::Idle,
                "W13" => Kind::Soak,
                "W14" => Kind::Syscalls,
                _ => Kind::Load,
            },
            pairs_max: match workload {
                "W7" | "W8" | "W9" => 2,
                "W13" => 1,
                _ => usize::MAX,
            },
        });
    };

    let bulk = closed(1 << 20, 16, 4, 4);
    let near = [
        ("mb_per_s", AtLeast(1.8)),
        ("cpu_s_per_gib", AtMost(0.5)),
        ("p99_us", AtMost(0.3)),
    ];
    add("W1", "", A, Process, bulk.clone(), &near, true);
    let free = [
        ("mb_per_s", AtLeast(1.4)),
        ("cpu_s_per_gib", AtMost(0.5)),
        ("p99_us", AtMost(0.3)),
    ];
    add("W1", "", B, Process, bulk.clone(), &free, true);
    add("W1", "", A, Disk, bulk, &near, true);

    // One record a request, large enough to count its bytes.
    let single = Plan {
        record_bytes: 1024,
        ..closed(0, 16, 64, 1)
    };
    for durability in [Process, Disk] {
        let goals = [
            ("requests_per_s", AtLeast(1.0)),
            ("cpu_s_per_gib", AtMost(1.0)),
        ];
        add(
            "S1",
            "1KiB 64x1",
            A,
            durability,
            single.clone(),
            &goals,
            true,
        );
    }

    for (connections, in_flight, goal) in [(64, 1, 4.0), (16, 16, 8.0), (256, 1, 4.0)] {
        let plan = tiny(connections, in_flight);
        let variant = format!("{connections}x{in_flight}");
        let goals = [
            ("requests_per_s", AtLeast(goal)),
            ("cpu_us_per_request", AtMost(0.25)),
        ];
        add("W3", &variant, A, Process, plan.clone(), &goals, true);
        add("W3", &variant, B, Process, plan, &[], true);
    }

    for (codec, name, goal) in [(Codec::Lz4, "lz4", 3.0), (Codec::Zstd, "zstd", 4.0)] {
        let plan = Plan {
            codec,
            ..closed(256 << 10, 16, 4, 4)
        };
        let goals = [("mb_per_s", AtLeast(goal)), ("cpu_s_per_gib", AtMost(0.3))];
        add("W4", name, A, Process, plan, &goals, false);
    }

    for (partitions, goal) in [(1, 15.0), (16, 5.0), (256, 8.0)] {
        let goals = [("mb_per_s", AtLeast(goal)), ("p99_us", AtMost(0.1))];
        let variant = format!("{partitions}p");
        add(
            "W5",
            &variant,
            A,
            Disk,
            closed(16 << 10, partitions, 4, 16),
            &goals,
            true,
        );
    }

    for (megabytes, durability) in [50.0, 100.0, 200.0, 400.0]
        .into_iter()
        .flat_map(|rate| [(rate, Process), (rate, Disk)])
    {
        let plan = Plan {
            rate: Rate::Bytes(megabytes * 1e6),
            partitions: 100,
            consumers: 1,
            ..Plan::standard()
        };
        let limits = if durability == Process {
            [0.7, 0.3, 0.1]
        } else {
            [1.0, 1.0, 0.2]
        };
        let mut goals = vec![
            ("p50_us", AtMost(limits[0])),
            ("p99_us", AtMost(limits[1])),
            ("p999_us", AtMost(limits[2])),
            ("e2e_p50_us", AtMost(limits[0])),
            ("e2e_p99_us", AtMost(limits[1])),
            ("e2e_p999_us", AtMost(limits[2])),
            ("cpu_s_per_gib", AtMost(0.4)),
        ];
        if megabytes == 400.0 {
            goals.push(("p99_us", Within(3_000.0)));
        }
        add(
            "W2",
            &format!("{megabytes}MB/s"),
            A,
            durability,
            plan,
            &goals,
            false,
        );
    }

    for consumers in [1, 4, 8] {
        let plan = Plan {
            rate: Rate::Bytes(1e8),
            consumers,
            ..Plan::standard()
        };
        let goals = [
            ("cpu_s_per_gib_read", AtMost(1.0)),
            ("e2e_p99_us", AtMost(0.2)),
        ];
        add(
            "W6",
            &format!("{consumers} readers"),
            A,
            Process,
            plan,
            &goals,
            false,
        );
    }

    let catch_up = Plan {
        rate: Rate::Bytes(1e8),
        consumers: 1,
        readers_apart: true,
        ..Plan::standard()
    };
    let goals = [("p99_us", AtMost(0.1)), ("catchup_mb_per_s", AtLeast(1.0))];
    add("W7", "", A, Process, catch_up, &goals, false);

    let keyed = Plan {
        rate: Rate::Bytes(5e7),
        partitions: many,
        key_bytes: 16,
        batch_bytes: 16 << 10,
        ..Plan::standard()
    };
    let goals = [("p99_us", AtMost(0.1)), ("memory_peak_bytes", AtMost(0.25))];
    add("W8", "", A, Process, keyed, &goals, false);

    let goals = [
        ("first_ack_s", Within(0.5)),
        ("first_fetch_s", Within(0.5)),
        ("lost", Within(0.0)),
    ];
    for durability in [Process, Disk] {
        let twenty = closed(1 << 20, 20, 4, 4);
        add("W9", "", B, durability, twenty, &goals, false);
    }

    let goals = [
        ("ready_s", Within(0.3)),
        ("rss_bytes", AtMost(0.1)),
        ("crowd_rss_bytes", AtMost(0.1)),
    ];
    add("W12", "", B, Process, Plan::standard(), &goals, false);

    for (variant, plan) in [
        ("1MiB 4x4", closed(1 << 20, 16, 4, 4)),
        ("100B 64x1", tiny(64, 1)),
        ("100B 16x16", tiny(16, 16)),
    ] {
        let goal = match plan.batch_bytes {
            0 => ("syscalls_per_request", Within(0.2)),
            _ => ("syscalls_per_mb", Within(1.0)),
        };
        add("W14", variant, A, Process, plan, &[goal], false);
    }

    // 384 MiB of each partition stay, in segments of 128 MiB, so that rolling and deleting are always under way.
    let keep = [
        "segment.bytes=134217728",
        "retention.bytes=268435456",
        "file.delete.delay.ms=1000",
    ];
    let soak = Plan {
        topic_config: keep.map(str::to_owned).to_vec(),
        ..Plan::standard()
    };
    let goals = [("p999_last_over_first", Within(1.2))];
    add("W13", "", A, Process, soak, &goals, false);
    cases
}

fn tiny(connections: usize, in_flight: usize) -> Plan {
    Plan {
        record_bytes: 100,
        ..closed(0, 16, connections, in_flight)
    }
}

fn closed(batch_bytes: u64, partitions: i32, connections: usize, in_flight: usize) -> Plan {
    Plan {
        closed: true,
        batch_bytes,
        partitions,
        connections,
        in_flight,
        ..Plan::standard()
    }
}

impl Case {
    /// How long the peer's JIT compiler is warmed. It wants some hundred thousand requests: with 5 s of single records Kafka
    /// served 39,000 a second on one CPU, with 25 s 52,000.
    pub fn jit(&self, options: &Options) -> Duration {
        let default = match self.plan.batch_bytes {
            0x4_0000.. => 5,
            0x1_0000.. => 10,
            _ => 25,
        };
        options.jit.unwrap_or(Duration::from_secs(default))
    }

    /// The plan with what a run decides.
    pub fn plan(
        &self,
        broker: &str,
        topic_config: Vec<String>,
        warmup: Duration,
        duration: Duration,
    ) -> Plan {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = if self.placement == A && cpus > 1 {
            vec![cpus - 1]
        } else {
            Vec::new()
        };
        Plan {
            broker: broker.to_owned(),
            topic: Some("versus".to_owned()),
            topic_config,
            cores,
            warmup,
            duration,
            quiet: true,
            ..self.plan.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_plans_are_sound() {
        let cases = all(5_000);
        let names: std::collections::BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            assert_eq!(case.plan.check(), Ok(()), "{}", case.name);
            assert!(case.workload != "W5" || case.durability == Disk);
        }
    }
}
