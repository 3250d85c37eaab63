//! The pure half under callgrind: `corelane-cost`, built for release, once for each kind of request.
//!
//! ```text
//!  cargo build --release ─► valgrind --toggle-collect=*what_is_counted* corelane-cost KIND COUNT ─► profile ÷ COUNT
//! ```
//!
//! Nothing outside of that function is collected, so that the start, the fakes and the client cost nothing. The counts
//! do not depend on the machine's speed or load; they do depend on compiler, libc, and what of the CPU both make use of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use crate::harness::broker::target_dir;
use crate::harness::process::run;

/// What is counted, by the names that `corelane-cost` has for it, and how many requests of it: large ones go round the
/// journal and through several write-backs.
pub const KINDS: [(&str, u64); 7] = [
    ("produce-100B", 2_000),
    ("produce-16KiB", 3_000),
    ("produce-1MiB", 96),
    ("fetch-100B", 2_000),
    ("fetch-16KiB", 2_000),
    ("fetch-1MiB", 500),
    ("fetch-session", 1_000),
];

/// Libc copies with what the CPU has, and callgrind counts a `rep movsb` once for each byte; when it goes around the cache
/// hangs on the cache's size. Both are laid down, so that CPUs count alike.
const TUNABLES: &str =
    "glibc.cpu.hwcaps=-ERMS,-FSRM:glibc.cpu.x86_non_temporal_threshold=0x10000000";

const WITHIN: Duration = Duration::from_secs(120);
/// What the compiler puts in front of the allocator, one jump each: so many instructions, so many calls. callgrind's own
/// count of calls goes on where nothing is collected.
const ALLOCATORS: [&str; 3] = ["__rust_alloc", "__rust_alloc_zeroed", "__rust_realloc"];
/// A function with less of a request than one part in so many is not named.
const NAMED_MIN: u64 = 250;
const NAME_MAX: usize = 140;

/// Of one request, on average.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Counted {
    pub instructions: u64,
    /// Those of libc's memcpy, memmove and memset.
    pub copying: u64,
    pub allocations: f64,
    /// Instructions of the costliest functions, without those of what they call.
    pub functions: BTreeMap<String, u64>,
}

/// `valgrind-3.19.0`, or nothing where there is none.
pub fn version() -> Option<String> {
    let said = Command::new("valgrind").arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    said.status.success().then_some(version)
}

/// Every kind, on as many CPUs as there are: what each counts is its own.
pub fn count_all() -> BTreeMap<String, Counted> {
    let binary = binary();
    let next = AtomicUsize::new(0);
    let counted = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((kind, count)) = KINDS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = Profile::of(binary, kind, *count).each(*count);
                    let mut counted = counted.lock().expect("whoever panicked ends the test");
                    counted.insert((*kind).to_owned(), one);
                }
            });
        }
    });
    counted.into_inner().expect("nobody panicked")
}

/// Always asked of cargo: a stale binary must not be counted.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "-p", "corelane-cost", "--quiet"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .env("CARGO_TARGET_DIR", target_dir())
            .status()
            .expect("cargo is on the path");
        assert!(status.success(), "corelane-cost does not build");
        target_dir().join("release/corelane-cost")
    })
}

/// What callgrind wrote of one run.
#[derive(Clone, PartialEq, Debug, Default)]
struct Profile {
    instructions: u64,
    /// Instructions by function, without those of what it calls.
    own: BTreeMap<String, u64>,
    /// Calls by function called.
    calls: BTreeMap<String, u64>,
}

impl Profile {
    fn of(binary: &Path, kind: &str, count: u64) -> Profile {
        let out = target_dir()
            .join("tmp")
            .join(format!("cost-{}-{kind}", std::process::id()));
        fs::create_dir_all(target_dir().join("tmp")).expect("the target directory is writable");
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--toggle-collect=*what_is_counted*"])
            .args(["--compress-strings=no", "--compress-pos=no"])
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(binary)
            .args([kind, &count.to_string()])
            // Not even the length of what others have set.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GLIBC_TUNABLES", TUNABLES);
        run(command, b"", WITHIN).expect_ok(&format!("corelane-cost {kind} under valgrind"));
        let text = fs::read(&out).expect("callgrind wrote it");
        drop(fs::remove_file(&out));
        let profile = Profile::parse(&String::from_utf8_lossy(&text));
        assert!(
            profile.instructions > count,
            "{kind}: callgrind saw nothing of what is counted"
        );
        profile
    }

    /// Of the lines only those of costs, functions and calls are looked at.
    fn parse(text: &str) -> Profile {
        let mut profile = Profile::default();
        let (mut function, mut called) = (String::new(), String::new());
        let mut is_of_call = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                function = plain(name);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = plain(name);
            } else if let Some(calls) = line.strip_prefix("calls=") {
                let count = calls.split(' ').next().and_then(|n| n.parse::<u64>().ok());
                *profile.calls.entry(called.clone()).or_default() += count.unwrap_or(0);
                is_of_call = true;
            } else if line.starts_with(|c: char| c.is_ascii_digit()) {
                // The line behind a call is what that cost, with all that it called.
                let cost = line.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
                if let Some(cost) = cost
                    && !std::mem::take(&mut is_of_call)
                {
                    profile.instructions += cost;
                    *profile.own.entry(function.clone()).or_default() += cost;
                }
            }
        }
        profile
    }

    /// Through a function that is one jump.
    fn jumps(&self, name: &str) -> u64 {
        let of = |all: &BTreeMap<String, u64>| {
            let named = |full: &str| full.rsplit("::").next() == Some(name);
            let found = all.iter().filter(|(full, _)| named(full));
            found.map(|(_, n)| n).sum::<u64>()
        };
        let (jumps, calls) = (of(&self.own), of(&self.calls));
        assert!(
            jumps <= calls,
            "{name} is more than a jump: {jumps}, {calls} calls"
        );
        jumps
    }

    fn each(&self, count: u64) -> Counted {
        let allocations = ALLOCATORS.map(|name| self.jumps(name));
        let copying = self.own.iter().filter(|(name, _)| is_copying(name));
        let least = self.instructions / NAMED_MIN;
        let named = self.own.iter().filter(|(_, cost)| **cost >= least);
        Counted {
            instructions: self.instructions / count,
            copying: copying.map(|(_, cost)| cost).sum::<u64>() / count,
            allocations: allocations.iter().sum::<u64>() as f64 / count as f64,
            functions: named
                .map(|(name, cost)| (name.clone(), cost / count))
                .collect(),
        }
    }
}

/// Libc has many of each: `__memcpy_avx_unaligned`.
fn is_copying(name: &str) -> bool {
    let tail = name.trim_start_matches('_');
    ["memcpy", "memmove", "memset"]
        .iter()
        .any(|what| tail.starts_with(what))
}

/// A function's name without the compiler's hash, and not endlessly long.
fn plain(name: &str) -> String {
    let hash = |tail: &str| tail.len() == 16 && tail.bytes().all(|b| b.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((before, tail)) if hash(tail) => before,
        _ => name,
    };
    name.chars().take(NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "\
version: 1
positions: line
events: Ir
summary: 164

fl=rig.rs
fn=corelane_cost::rig::what_is_counted::h0123456789abcdef
12 10
fi=node.rs
13 20
cfi=alloc.rs
cfn=__rustc::__rust_alloc
calls=6 0
13 94
14 30

fl=alloc.rs
fn=__rustc::__rust_alloc
0 4
cfn=malloc
calls=6 0
0 90

fl=malloc.c
fn=malloc
0 90
fn=__memmove_avx_unaligned
0 10

totals: 164
";

    #[test]
    fn a_profile_is_read_without_what_is_called() {
        let profile = Profile::parse(WRITTEN);
        assert_eq!(profile.instructions, 164);
        assert_eq!(profile.own["corelane_cost::rig::what_is_counted"], 60);
        assert_eq!(profile.own["malloc"], 90);
        let each = profile.each(2);
        // Two of the six calls were not collected.
        assert_eq!((each.instructions, each.allocations), (82, 2.0));
        assert_eq!(each.functions["__memmove_avx_unaligned"], 5);
        assert_eq!(each.copying, 5);
    }

    #[test]
    #[should_panic(expected = "more than a jump")]
    fn an_allocator_of_another_kind_is_noticed() {
        Profile::parse(&WRITTEN.replace("calls=6", "calls=3")).each(2);
    }
}
