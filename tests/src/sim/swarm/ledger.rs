//! What many seeds came to: the evidence of a run.

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::sim::disk::Kind;

/// Sums over seeds.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub seeds: u64,
    /// Seeds that were run twice, for equal traces.
    pub twice: u64,
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
    pub exits: u64,
    pub decoys: u64,
    /// Failed operations, and of them those of each kind, as in [`Kind::ALL`].
    pub failed: u64,
    pub failed_by_kind: [u64; Kind::ALL.len()],
    pub misplaced: u64,
    /// How often a disk became full, and what found no space.
    pub spells: u64,
    pub no_space: u64,
    pub short_writes: u64,
    pub flips: u64,
    pub rotten_starts: u64,
    pub refused_starts: u64,
    pub unreadable: u64,
    /// Calls of members, commits acknowledged, and generations that a member was told of.
    pub group_calls: u64,
    pub commits: u64,
    pub generations: u64,
    /// Begins of logs that somebody was told of.
    pub begins: u64,
    pub violations: u64,
}

impl Ledger {
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.ops += outcome.ops;
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
        self.exits += u64::from(outcome.exits);
        self.decoys += u64::from(outcome.decoys);
        self.failed += outcome.disk.failed.iter().sum::<u64>();
        for (sum, failed) in self.failed_by_kind.iter_mut().zip(outcome.disk.failed) {
            *sum += failed;
        }
        self.misplaced += outcome.disk.misdirected;
        self.spells += outcome.disk.spells;
        self.no_space += outcome.disk.full;
        self.short_writes += outcome.disk.short;
        self.rotten_starts += u64::from(outcome.rotten_starts);
        self.refused_starts += u64::from(outcome.refused_starts);
        self.unreadable += outcome.unreadable;
        self.flips += outcome.disk.flips;
        self.group_calls += outcome.group_calls;
        self.commits += outcome.commits;
        self.generations += outcome.generations;
        self.begins += outcome.begins;
        self.violations += u64::from(!outcome.violations.is_empty());
    }
}

impl Ledger {
    /// What went wrong around the node: ends that it did not choose, and what its disk did. Stops, shard counts, short
    /// writes and lost connections are not among them.
    pub fn faults(&self) -> u64 {
        self.kills + self.cuts + self.failed + self.spells + self.flips + self.misplaced
    }

    /// By seed: operations, faults, simulated seconds.
    pub fn means(&self) -> [(&'static str, f64); 3] {
        let mean = |sum: u64| (sum as f64 / self.seeds.max(1) as f64 * 10.0).round() / 10.0;
        [
            ("operations", mean(self.ops)),
            ("faults", mean(self.faults())),
            ("simulated seconds", mean(self.simulated_ms / 1_000)),
        ]
    }

    /// Every number, by its name.
    pub fn numbers(&self) -> [(&'static str, u64); 29] {
        [
            ("seeds", self.seeds),
            ("run twice", self.twice),
            ("operations", self.ops),
            ("batches acked", self.acked),
            ("served", self.served),
            ("kills", self.kills),
            ("power cuts", self.cuts),
            ("stops", self.stops),
            ("shard count changes", self.reshards),
            ("blocks lost", self.blocks_lost),
            ("torn", self.blocks_torn),
            ("failed operations", self.failed),
            ("of them the end of a process", self.exits),
            ("starts with a decoy", self.decoys),
            ("misplaced writes", self.misplaced),
            ("full disks", self.spells),
            ("operations without space", self.no_space),
            ("short writes", self.short_writes),
            ("flipped bits", self.flips),
            ("last starts on a flipped bit", self.rotten_starts),
            ("starts that named damage", self.refused_starts),
            ("fetches refused as unreadable", self.unreadable),
            ("calls of groups", self.group_calls),
            ("commits acked", self.commits),
            ("generations", self.generations),
            ("log starts", self.begins),
            ("events", self.events),
            ("simulated ms", self.simulated_ms),
            ("seeds with a violation", self.violations),
        ]
    }
    /// Failed operations of each kind.
    fn by_kind(&self) -> impl Iterator<Item = (String, u64)> {
        let kinds = Kind::ALL.iter().zip(self.failed_by_kind);
        kinds.map(|(kind, failed)| (format!("{kind:?}"), failed))
    }

    /// For a recording.
    pub fn json(&self) -> Value {
        let numbers = self.numbers().into_iter();
        let numbers: Map<String, Value> = numbers
            .map(|(name, n)| (name.to_owned(), n.into()))
            .collect();
        let means: Map<String, Value> = (self.means().into_iter())
            .map(|(name, mean)| (name.to_owned(), mean.into()))
            .collect();
        let by_kind: Map<String, Value> = self.by_kind().map(|(k, n)| (k, n.into())).collect();
        json!({
            "numbers": numbers,
            "faults": self.faults(),
            "mean of a seed": means,
            "failed operations by kind": by_kind,
        })
    }
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = self.numbers();
        let words = numbers.iter().map(|(name, n)| format!("{n} {name}"));
        let means = self.means();
        let means = means.iter().map(|(name, mean)| format!("{mean} {name}"));
        write!(
            f,
            "sim: {}\nsim: a seed has {}",
            words.collect::<Vec<_>>().join(", "),
            means.collect::<Vec<_>>().join(", ")
        )
    }
}
