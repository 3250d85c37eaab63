//! What many seeds came to: the evidence of a run.

use super::Outcome;

/// Sums over seeds.
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
    pub exits: u64,
    pub decoys: u64,
    pub faults: u64,
    pub no_space: u64,
    pub short_writes: u64,
    pub flips: u64,
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
        self.exits += u64::from(outcome.exits);
        self.decoys += u64::from(outcome.decoys);
        self.faults += outcome.disk.faults;
        self.no_space += outcome.disk.full;
        self.short_writes += outcome.disk.short;
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
    /// Every number, by its name.
    fn numbers(&self) -> [(&'static str, u64); 25] {
        [
            ("seeds", self.seeds),
            ("operations", self.ops),
            ("batches acked", self.acked),
            ("served", self.served),
            ("kills", self.kills),
            ("power cuts", self.cuts),
            ("stops", self.stops),
            ("shard count changes", self.reshards),
            ("blocks lost", self.blocks_lost),
            ("torn", self.blocks_torn),
            ("failed operations", self.faults),
            ("of them the end of a process", self.exits),
            ("starts with a decoy", self.decoys),
            ("operations without space", self.no_space),
            ("short writes", self.short_writes),
            ("flipped bits", self.flips),
            ("fetches refused as unreadable", self.unreadable),
            ("calls of groups", self.group_calls),
            ("commits acked", self.commits),
            ("generations", self.generations),
            ("log starts", self.begins),
            ("events", self.events),
            ("simulated ms", self.simulated_ms),
            (
                "simulated s a seed",
                self.simulated_ms / 1_000 / self.seeds.max(1),
            ),
            ("seeds with a violation", self.violations),
        ]
    }

    /// One line of JSON: `about` names the run.
    pub fn json(&self, about: &str) -> String {
        let numbers = self.numbers();
        let fields = numbers.iter().map(|(name, n)| format!("\"{name}\":{n}"));
        format!("{{{about},{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = self.numbers();
        let words = numbers.iter().map(|(name, n)| format!("{n} {name}"));
        write!(f, "sim: {}", words.collect::<Vec<_>>().join(", "))
    }
}
