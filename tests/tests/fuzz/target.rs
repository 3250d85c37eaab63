//! One target: what it is fed, what must hold, how much memory it may take; and the loop that feeds it.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use corelane_engine::rng::Rng;

use crate::mutate::mutate;

/// Inputs that led to something new, for each target. Beyond it a new one takes the place of another.
const POOL_MAX: usize = 2_000;
/// Outcomes that are told apart.
const WORDS_MAX: usize = 100_000;
/// Making a failing input smaller takes no longer.
const SHRINK_WITHIN: Duration = Duration::from_secs(3);

/// A target. Everything it is fed is bytes, so that all of it can be bent, kept and replayed.
pub(crate) struct Target<'a> {
    /// Its directory in the corpus, and the name of its test.
    pub(crate) name: &'static str,
    /// The most memory that one input may take at a time: so much, and so much for each of its bytes.
    pub(crate) memory: Memory,
    /// The longest one input may take.
    pub(crate) within: Duration,
    /// Inputs never grow beyond it.
    pub(crate) bytes_max: usize,
    /// A sound input.
    pub(crate) generate: &'a dyn Fn(&mut Rng) -> Vec<u8>,
    /// Panics where something does not hold. What it returns names what happened: inputs that led to something new are bent
    /// further.
    pub(crate) check: &'a dyn Fn(&[u8]) -> u64,
}

/// A bound on memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) fixed: u64,
    pub(crate) per_byte: u64,
}

impl Memory {
    fn bound(self, input: &[u8]) -> u64 {
        self.fixed + self.per_byte * input.len() as u64
    }
}

/// Everything that most targets have in common.
pub(crate) const USUAL: Target<'static> = Target {
    name: "",
    memory: Memory {
        fixed: 0,
        per_byte: 0,
    },
    within: Duration::from_secs(5),
    bytes_max: 16 << 10,
    generate: &|_| Vec::new(),
    check: &|_| 0,
};

/// What a run came to.
#[derive(Debug, Default)]
struct Tally {
    inputs: u64,
    bytes: u64,
    kept: usize,
    words: BTreeSet<u64>,
    /// The most memory of one input, and the largest part of its bound in percent.
    memory: u64,
    memory_percent: u64,
    slowest: Duration,
}

impl Target<'_> {
    /// Replays the corpus, then makes inputs until the time is over.
    pub(crate) fn run(&self) {
        if let Some(path) = std::env::var_os("FUZZ_REPLAY") {
            let path = PathBuf::from(path);
            if path.parent().and_then(Path::file_name) == Some(self.name.as_ref()) {
                let input = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                self.try_once(&input, &mut Tally::default());
            }
            return;
        }
        let begin = Instant::now();
        let mut tally = Tally::default();
        let mut pool = Vec::new();
        for path in self.corpus() {
            let input = fs::read(&path).expect("a file of this project");
            self.feed(&input, &mut tally);
            pool.push(input);
        }
        tally.kept = pool.len();
        let (seconds, seed) = settings();
        let until = begin + Duration::from_secs(seconds);
        let mut rng = Rng::new(seed);
        while Instant::now() < until {
            let mut input = match pool.is_empty() || rng.one_in(4) {
                true => (self.generate)(&mut rng),
                false => pool[rng.below(pool.len() as u64) as usize].clone(),
            };
            if !rng.one_in(16) {
                let other = match pool.is_empty() {
                    true => Vec::new(),
                    false => pool[rng.below(pool.len() as u64) as usize].clone(),
                };
                mutate(&mut rng, &mut input, &other);
            }
            input.truncate(self.bytes_max);
            let word = self.feed(&input, &mut tally);
            if tally.words.len() < WORDS_MAX && tally.words.insert(word) {
                match pool.len() < POOL_MAX {
                    true => pool.push(input),
                    false => {
                        let at = rng.below(POOL_MAX as u64) as usize;
                        pool[at] = input;
                    }
                }
            }
        }
        eprintln!(
            "fuzz {}: {} inputs of {} bytes in the mean, seed {seed}; {} outcomes; {} kept inputs; memory up to {} KiB, {} % \
             of its bound; slowest {} us",
            self.name,
            tally.inputs,
            tally.bytes / tally.inputs.max(1),
            tally.words.len(),
            tally.kept,
            tally.memory >> 10,
            tally.memory_percent,
            tally.slowest.as_micros(),
        );
        assert!(
            tally.inputs > tally.kept as u64,
            "nothing but the corpus was tried in {seconds} s"
        );
    }

    /// One input; a failing one is made smaller, kept and named.
    fn feed(&self, input: &[u8], tally: &mut Tally) -> u64 {
        let tried = catch_unwind(AssertUnwindSafe(|| self.try_once(input, tally)));
        let Err(panic) = tried else {
            return tried.unwrap_or_default();
        };
        let why = said(&*panic);
        let small = self.shrink(input.to_vec());
        let path =
            directory(self.name).join(format!("{:08x}-{}", crc32c::crc32c(&small), small.len()));
        fs::create_dir_all(directory(self.name))
            .and_then(|()| fs::write(&path, &small))
            .expect("the corpus is writable");
        panic!(
            "{}: {why}\nthe input is kept; replay it with\n  FUZZ_REPLAY={} cargo test -p corelane-tests --test fuzz {}",
            self.name,
            path.display(),
            self.name
        );
    }

    fn try_once(&self, input: &[u8], tally: &mut Tally) -> u64 {
        let begin = Instant::now();
        let mut word = 0;
        let used = allocation_counter::measure(|| word = (self.check)(input));
        let took = begin.elapsed();
        let bound = self.memory.bound(input);
        assert!(
            used.bytes_max <= bound,
            "{} bytes of memory for an input of {}; the bound is {bound}",
            used.bytes_max,
            input.len()
        );
        assert!(took <= self.within, "one input took {took:?}");
        tally.inputs += 1;
        tally.bytes += input.len() as u64;
        tally.memory = tally.memory.max(used.bytes_max);
        let percent = used.bytes_max * 100 / bound.max(1);
        tally.memory_percent = tally.memory_percent.max(percent);
        tally.slowest = tally.slowest.max(took);
        word
    }

    /// Takes away what the failure does not need.
    fn shrink(&self, mut input: Vec<u8>) -> Vec<u8> {
        let fails = |bytes: &[u8]| {
            let again = || self.try_once(bytes, &mut Tally::default());
            catch_unwind(AssertUnwindSafe(again)).is_err()
        };
        let until = Instant::now() + SHRINK_WITHIN;
        let mut piece = input.len() / 2;
        while piece > 0 {
            let mut at = 0;
            while at < input.len() && Instant::now() < until {
                let end = input.len().min(at + piece);
                let without = [&input[..at], &input[end..]].concat();
                match fails(&without) {
                    true => input = without,
                    false => at = end,
                }
            }
            piece /= 2;
        }
        input
    }

    /// The kept inputs, in order of names.
    fn corpus(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(directory(self.name)) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("a readable directory").path())
            .collect();
        paths.sort();
        paths
    }
}

fn directory(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("corpus").join(name)
}

/// How many seconds, and which seed: without `CI` the same one every time.
fn settings() -> (u64, u64) {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
    };
    let ci = std::env::var_os("CI").is_some();
    let seconds: Option<u64> = number("FUZZ_SECONDS");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let fresh = now.expect("the clock is past 1970").as_secs();
    let seed = match ci || seconds.is_some() {
        true => fresh,
        false => 1,
    };
    let usual = if ci { 10 } else { 1 };
    (
        seconds.unwrap_or(usual),
        number("FUZZ_SEED").unwrap_or(seed),
    )
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// A word of parts that tell outcomes apart.
pub(crate) fn word(parts: &[u64]) -> u64 {
    parts.iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| {
        (hash ^ part)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(23)
    })
}

/// A word of what something looks like, such as an error, up to its first number.
pub(crate) fn word_of(what: &impl std::fmt::Debug) -> u64 {
    let text = format!("{what:?}");
    let end = text.find(|c: char| c.is_ascii_digit());
    u64::from(crc32c::crc32c(
        &text.as_bytes()[..end.unwrap_or(text.len())],
    ))
}

#[test]
fn a_failure_is_found_made_small_kept_and_named() {
    let target = Target {
        name: "planted",
        memory: Memory {
            fixed: 1 << 10,
            per_byte: 2,
        },
        generate: &|rng| (0..200).map(|_| rng.next_u64() as u8).collect(),
        check: &|input| {
            assert!(!input.contains(&0xee), "the planted one");
            0
        },
        ..USUAL
    };
    let found = catch_unwind(AssertUnwindSafe(|| {
        let mut rng = Rng::new(1);
        loop {
            target.feed(&(target.generate)(&mut rng), &mut Tally::default());
        }
    }));
    let why = said(&*found.expect_err("a failure"));
    assert!(why.contains("the planted one"), "{why}");
    let kept = target.corpus();
    fs::remove_dir_all(directory("planted")).expect("it was made");
    assert_eq!(kept.len(), 1);
    assert!(why.contains(&kept[0].display().to_string()), "{why}");
    assert!(kept[0].to_string_lossy().ends_with("-1"), "{kept:?}");

    let hungry = Target {
        check: &|input| vec![0_u8; 2 * input.len() + 2_000].len() as u64,
        ..target
    };
    let found = catch_unwind(AssertUnwindSafe(|| {
        hungry.try_once(&[0; 100], &mut Tally::default())
    }));
    let why = said(&*found.expect_err("too much memory"));
    assert!(why.contains("bytes of memory for an input of 100"), "{why}");
}
