//! The workloads W1 to W6 as load plans, and the goals they are judged by.

use std::time::Duration;

use serde::Serialize;

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
}

use Durability::{Disk, Process};
use Goal::{AtLeast, AtMost};
use Placement::{A, B};

/// Every case, in the order of their importance.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |workload,
                   variant: &str,
                   placement,
                   durability,
                   plan,
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
        cases.push(Case {
            workload,
            name,
            placement,
            durability,
            plan,
            goals: goals.to_vec(),
            floor,
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
        let plan = Plan {
            record_bytes: 100,
            ..closed(0, 16, connections, in_flight)
        };
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
        let goals = [
            ("p50_us", AtMost(limits[0])),
            ("p99_us", AtMost(limits[1])),
            ("p999_us", AtMost(limits[2])),
            ("e2e_p50_us", AtMost(limits[0])),
            ("e2e_p99_us", AtMost(limits[1])),
            ("e2e_p999_us", AtMost(limits[2])),
            ("cpu_s_per_gib", AtMost(0.4)),
        ];
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
    cases
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
        let cases = all();
        let names: std::collections::BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            assert_eq!(case.plan.check(), Ok(()), "{}", case.name);
            assert!(case.workload != "W5" || case.durability == Disk);
        }
    }
}
