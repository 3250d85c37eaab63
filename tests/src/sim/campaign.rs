//! Many seeds, one after the other on every core, until they or the time are through: what they came to.
//!
//! ```text
//!  past seeds ─► seeds from … on ─► [threads: run, one in so many twice] ─► ledger, violations with their commands
//! ```

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::canary::Canary;
use super::swarm::{Found, Ledger, Options, Swarm, hunt, replay, run};

/// Of so many seeds, one is run twice: equal seeds give equal traces.
const TWICE_ONE_IN: u64 = 100;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Before all others.
    pub first: Vec<Options>,
    pub swarm: Swarm,
    pub from: u64,
    /// `None`: as many as there is time for.
    pub to: Option<u64>,
    /// No seed is begun after this.
    pub time: Option<Duration>,
    pub threads: usize,
    /// Every seed is run twice.
    pub twice: bool,
    /// A violation does not end it.
    pub keep_going: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub ledger: Ledger,
    /// The seeds of the campaign that were run: from its first to this one, exclusive.
    pub to: u64,
    /// Seeds with a violation, and what to say of them.
    pub failing: Vec<(u64, String)>,
}

/// Seeds that once found a bug: a line begins with its seed, and says next in which swarm it was found, if not in the one
/// that draws everything.
pub fn past() -> Vec<Options> {
    let lines = include_str!("../../seeds.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let seed = words.next().expect("not blank");
            let seed = seed.parse().expect("a line begins with its seed");
            let swarm = words.next().and_then(Swarm::of_name);
            Options::of(swarm.unwrap_or(Swarm::All), seed)
        })
        .collect()
}

/// Where nobody has been: the first seed of so many that are drawn by the clock.
pub fn fresh() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_millis() as u64 * 1_000
}

/// All the cores there are.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

struct Running {
    next: usize,
    over: bool,
    report: Report,
}

impl Campaign {
    /// All seeds from `from` on of the swarm that draws everything.
    pub fn from(from: u64) -> Campaign {
        Campaign {
            first: Vec::new(),
            swarm: Swarm::All,
            from,
            to: None,
            time: None,
            threads: cores(),
            twice: false,
            keep_going: true,
        }
    }

    /// `say`: is told of every violation at once.
    pub fn run(&self, say: impl Fn(&str) + Sync) -> Report {
        let running = Mutex::new(Running {
            next: 0,
            over: false,
            report: Report::default(),
        });
        let end = self.time.map(|time| Instant::now() + time);
        thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    while let Some(options) = self.next(&running, end) {
                        self.one(&options, &running, &say);
                    }
                });
            }
        });
        let Running { next, report, .. } = running.into_inner().expect("no thread panicked");
        Report {
            to: self.from + next.saturating_sub(self.first.len()) as u64,
            ..report
        }
    }

    fn next(&self, running: &Mutex<Running>, end: Option<Instant>) -> Option<Options> {
        let mut running = running.lock().expect("no thread panicked");
        let late = end.is_some_and(|end| Instant::now() >= end);
        let next = running.next;
        let options = match self.first.get(next) {
            // These are run whatever the time is.
            Some(options) => Some(options.clone()),
            None => {
                let seed = self.from + (next - self.first.len()) as u64;
                let has = self.to.is_none_or(|to| seed < to) && !late;
                has.then(|| Options::of(self.swarm, seed))
            }
        };
        if running.over || options.is_none() {
            return None;
        }
        running.next += 1;
        options
    }

    fn one(&self, options: &Options, running: &Mutex<Running>, say: &impl Fn(&str)) {
        let (seed, outcome) = (options.seed, run(options));
        let twice = self.twice || seed.is_multiple_of(TWICE_ONE_IN);
        let same = !twice || run(options).trace == outcome.trace;
        let mut running = running.lock().expect("no thread panicked");
        running.report.ledger.add(&outcome);
        running.report.ledger.twice += u64::from(twice);
        let mut words: Vec<String> = outcome.violations.iter().map(|v| v.to_string()).collect();
        if !same {
            words.push("equal seeds give equal traces: it gave two".to_owned());
        }
        if words.is_empty() {
            return;
        }
        let words = format!("seed {seed}: {}\n  {}", words.join("\n  "), replay(options));
        say(&words);
        running.report.failing.push((seed, words));
        running.over |= !self.keep_going;
    }
}

/// Looks for planted bugs in seeds from `from` on; what was found, in the order of `canaries`.
pub fn hunt_all(
    canaries: &[Canary],
    seeds: std::ops::Range<u64>,
    threads: usize,
    say: impl Fn(Canary, &Option<Found>) + Sync,
) -> Vec<(Canary, Option<Found>)> {
    let running = Mutex::new((canaries.iter(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = running.lock().expect("no thread panicked").0.next();
                    let Some(canary) = next.copied() else { break };
                    let found = hunt(canary, seeds.clone());
                    say(canary, &found);
                    let mut running = running.lock().expect("no thread panicked");
                    running.1.push((canary, found));
                }
            });
        }
    });
    let (_, mut found) = running.into_inner().expect("no thread panicked");
    let place = |canary: &Canary| canaries.iter().position(|c| c == canary);
    found.sort_by_key(|(canary, _)| place(canary));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_are_asked_for_are_run_once_and_one_in_a_hundred_twice() {
        let campaign = Campaign {
            to: Some(101),
            swarm: Swarm::Plain,
            ..Campaign::from(98)
        };
        let report = campaign.run(|words| panic!("{words}"));
        let ledger = &report.ledger;
        assert_eq!((ledger.seeds, ledger.twice, report.to), (3, 1, 101));
        let [(_, operations), (_, faults), _] = ledger.means();
        assert!(operations > 10.0 && faults > 0.0, "{ledger}");
    }

    #[test]
    fn no_time_is_enough_for_the_first_ones_only() {
        let campaign = Campaign {
            first: vec![Options::plain(1), Options::plain(2)],
            time: Some(Duration::ZERO),
            ..Campaign::from(77)
        };
        let report = campaign.run(|words| panic!("{words}"));
        assert_eq!((report.ledger.seeds, report.to), (2, 77));
    }

    #[test]
    fn a_violation_is_told_with_its_command_and_ends_who_does_not_keep_going() {
        let said = Mutex::new(Vec::new());
        let bad = |seed| Options::hunt(seed, Canary::StraightNotFlushed);
        let campaign = Campaign {
            first: (0..1_000).map(bad).collect(),
            threads: 1,
            keep_going: false,
            time: Some(Duration::ZERO),
            ..Campaign::from(0)
        };
        let report = campaign.run(|words| said.lock().expect("one thread").push(words.to_owned()));
        let said = said.into_inner().expect("one thread");
        assert_eq!((report.ledger.violations, said.len()), (1, 1));
        assert!(report.ledger.seeds < 1_000, "{}", report.ledger.seeds);
        let words = &report.failing[0].1;
        let command = "--trace --canary straight-not-flushed";
        assert!(words.contains(command) && said[0] == *words, "{words}");
    }

    #[test]
    fn the_seeds_of_the_past_say_their_swarm() {
        let past = past();
        let of = |swarm| past.iter().filter(move |o| o.swarm == swarm).count();
        assert_eq!((of(Swarm::Plain), of(Swarm::Trims)), (7, 2));
        assert!(of(Swarm::Faults) > 5 && of(Swarm::All) > 0);
    }
}
