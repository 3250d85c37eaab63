//! Files of a broker that was killed or stopped, damaged at will: its next start serves a prefix of what was, or ends by name.
//!
//! ```text
//!  base ─► damages of the input ─► start ─┬─ open: every batch served is what was acknowledged there, offsets without a gap
//!                                         │        from 0; a commit is one that was made; a produce is answered; topics
//!                                         │        are as they were decided, all of them where the last decision is there
//!                                         └─ a named end: Directory, Damaged, or Disk; and again at the next start
//! ```

use corelane_engine::fatal::Fatal;
use corelane_engine::limits::BLOCK;
use corelane_engine::rng::Rng;
use corelane_tests::sim::disk::{FakeDisk, Speed};

use crate::node::{Base, Bed, COMMITS, GROUPS, PLACES, base_offset};
use crate::target::{Memory, Target, USUAL, word, word_of};

/// Bytes of one damage in an input, and how many of them count.
const DAMAGE: usize = 9;
const DAMAGES_MAX: usize = 4;

/// Which files are damaged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Segments, indexes, journals, checkpoints of all partitions.
    Log,
    Metadata,
    /// Segments and snapshots of `__consumer_offsets`.
    Groups,
}

#[test]
fn log_recovery() {
    run("log_recovery", Of::Log);
}

#[test]
fn metadata_replay() {
    run("metadata_replay", Of::Metadata);
}

#[test]
fn offsets_replay() {
    run("offsets_replay", Of::Groups);
}

fn run(name: &'static str, of: Of) {
    // A broker that was killed at once has its commits in the journals, which are the log's.
    let killed = Base::new(of == Of::Groups);
    let bases = [killed, Base::new(true)].map(|base| {
        let paths = paths(&base, of);
        assert!(paths.len() >= 2, "{paths:?}");
        (base, paths)
    });
    Target {
        name,
        memory: Memory {
            fixed: 24 << 20,
            per_byte: 0,
        },
        bytes_max: 1 + DAMAGE * DAMAGES_MAX,
        generate: &|rng: &mut Rng| {
            let damages = 1 + rng.below(3) as usize;
            (0..1 + DAMAGE * damages)
                .map(|_| rng.next_u64() as u8)
                .collect()
        },
        check: &|input| {
            let Some((which, damages)) = input.split_first() else {
                return 0;
            };
            let (base, paths) = &bases[usize::from(which & 1)];
            started(base, paths, damages)
        },
        ..USUAL
    }
    .run();
}

/// The files that are damaged.
fn paths(base: &Base, of: Of) -> Vec<String> {
    let mut disk = FakeDisk::new(1, Speed::default());
    disk.begin_with(&base.contents);
    let directory = |path: &str| {
        path.rsplit_once('/')
            .map(|(directory, _)| directory.to_owned())
    };
    // Keys of commits are in the groups' own partitions alone.
    let of_groups: Vec<String> = (disk.files())
        .filter(|(path, bytes)| {
            path.starts_with("topics/")
                && bytes
                    .windows(6)
                    .any(|w| w == [0, 1, 0, 1, b'g', 0] || w[..5] == [0, 1, 0, 1, b'h'])
        })
        .filter_map(|(path, _)| directory(path))
        .collect();
    let files = disk.files().filter(|(path, bytes)| {
        let data = path.starts_with("topics/") || path.starts_with("cores-");
        !bytes.is_empty()
            && match of {
                Of::Log => data,
                Of::Metadata => !data,
                Of::Groups => directory(path).is_some_and(|of| of_groups.contains(&of)),
            }
    });
    files.map(|(path, _)| path.to_owned()).collect()
}

/// Starts on what the damages leave.
fn started(base: &Base, paths: &[String], damages: &[u8]) -> u64 {
    let mut bed = Bed::new(Some(&base.contents));
    let mut words = Vec::new();
    for damage in damages.chunks_exact(DAMAGE).take(DAMAGES_MAX) {
        let damage = damage.try_into().expect("a whole one");
        let disk = &mut bed.world.disk;
        let there: Vec<String> = paths
            .iter()
            .filter(|path| disk.has(path))
            .cloned()
            .collect();
        if !there.is_empty() {
            words.push(harm(disk, &there, damage));
        }
    }
    let whole = base.has_last(&bed.world.disk);
    if let Err(fatal) = bed.open() {
        assert!(
            matches!(
                fatal,
                Fatal::Damaged(_) | Fatal::Directory(_) | Fatal::Disk { .. }
            ),
            "it ends by {fatal:?}"
        );
        assert!(fatal.to_string().len() > 20, "{fatal}");
        // What it refused it has not changed so that the next start passes.
        bed.world.kill();
        assert!(bed.open().is_err(), "refused once only: {fatal}");
        words.push(word_of(&fatal.to_string()));
        return word(&words);
    }
    if !bed.connect_healthy() {
        return ended(&mut bed, words);
    }
    let Some(topics) = bed.topics() else {
        return ended(&mut bed, words);
    };
    for (name, topic) in &topics {
        assert_eq!(base.topics.get(name), Some(topic), "{name}: never decided");
    }
    assert!(
        !whole || topics.len() == base.topics.len(),
        "{:?} are left, though what was decided last is there",
        topics.keys()
    );
    words.push(topics.len() as u64);
    for place in PLACES {
        let read = bed.read(place, |batch| {
            let before = base.batches.get(&(place, base_offset(&batch)));
            assert_eq!(before, Some(&batch), "{place:?}: never acknowledged");
        });
        if !bed.world.is_up() {
            return ended(&mut bed, words);
        }
        match (read, bed.produce(place)) {
            (Ok(end), Ok(offset)) => assert_eq!(offset, end, "{place:?}: the next one"),
            (_, Err(i16::MAX)) => return ended(&mut bed, words),
            (read, produced) => words.push(word(&[word_of(&read.err()), word_of(&produced.err())])),
        }
    }
    for group in GROUPS {
        match bed.committed(group) {
            Ok(offset) => {
                assert!(
                    offset == -1 || (1..=COMMITS).contains(&offset),
                    "{group}: {offset}"
                );
                words.push(offset as u64);
            }
            Err(i16::MAX) => return ended(&mut bed, words),
            Err(code) => words.push(code as u64),
        }
    }
    word(&words)
}

/// It ended after it had opened: by name.
fn ended(bed: &mut Bed, mut words: Vec<u64>) -> u64 {
    let (_, fatal) = bed.world.take_fatal().expect("it ends by name");
    assert!(
        matches!(
            fatal,
            Fatal::Damaged(_) | Fatal::Directory(_) | Fatal::Disk { .. }
        ),
        "it ends by {fatal:?}"
    );
    words.push(word_of(&fatal.to_string()));
    word(&words)
}

/// Does one damage; a word for what and where.
fn harm(disk: &mut FakeDisk, paths: &[String], damage: [u8; DAMAGE]) -> u64 {
    let [file, kind, a, b, c, d, e, f, fine] = damage;
    let which = usize::from(file) % paths.len();
    let path = &paths[which];
    // Most of some files is zeros: half of the single bytes that are bent are others.
    let (sparse, kind) = (kind / 10 % 2 == 1, kind % 10);
    if kind == 9 {
        // Seldom, for it is simple.
        if fine & 3 == 0 {
            disk.remove(path);
        }
        return word(&[which as u64, 9]);
    }
    disk.edit(path, |bytes| {
        if bytes.is_empty() {
            // Cut to nothing before.
            return;
        }
        // What lies behind the last byte that is not zero was never written.
        let used = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(1, |at| at + 1);
        let scaled = |high: u8, middle: u8, low: u8| {
            let number = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            (number * used) >> 24
        };
        let (at, other) = (scaled(a, b, c), scaled(d, e, f));
        let at = match sparse && matches!(kind, 0 | 1 | 8) {
            true => nth_full(&bytes[..used], at),
            false => at,
        };
        let page = |at: usize| at / BLOCK * BLOCK..bytes.len().min((at / BLOCK + 1) * BLOCK);
        let (here, there) = (page(at), page(other));
        match kind {
            0 => bytes[at] ^= 1 << (fine % 8),
            1 => bytes[at] = fine,
            2 => bytes.truncate(at),
            3 => {
                // Where structures begin, or a little beside it.
                let begins = begins(&bytes[..used]);
                let begin = begins[at % begins.len()];
                bytes.truncate((begin + usize::from(fine % 3)).saturating_sub(1));
            }
            4 => bytes[here].fill(0),
            5 if here.len() == there.len() => {
                let mine = bytes[here.clone()].to_vec();
                let its = bytes[there.clone()].to_vec();
                bytes[here].copy_from_slice(&its);
                bytes[there].copy_from_slice(&mine);
            }
            6 if here.len() == there.len() => {
                // A write that went astray, or one that never came.
                let its = bytes[there].to_vec();
                bytes[here].copy_from_slice(&its);
            }
            7 => {
                let mut rng = Rng::new(u64::from(fine));
                bytes[here].fill_with(|| rng.next_u64() as u8);
            }
            8 => {
                let number =
                    [0_u32, 1, u32::MAX, 1 << 31, 1 << 24][usize::from(fine) % 5].to_be_bytes();
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
            _ => bytes.extend_from_slice(&[fine; 100]),
        }
    });
    word(&[which as u64, u64::from(kind)])
}

/// Of the bytes that are not zero, one as far from the first as `at` is from the begin of them all.
fn nth_full(bytes: &[u8], at: usize) -> usize {
    let full = || bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
    let nth = at * full().count() / bytes.len();
    full().nth(nth).map_or(at, |(at, _)| at)
}

/// Where batches of a segment begin, or blocks of anything else.
fn begins(bytes: &[u8]) -> Vec<usize> {
    let (mut begins, mut at) = (vec![0], 0);
    while let Some(header) = bytes.get(at..at + 61) {
        let length = i32::from_be_bytes(header[8..12].try_into().expect("4 bytes"));
        if header[16] != 2 || length < 49 {
            break;
        }
        at += 12 + length as usize;
        begins.push(at);
    }
    match begins.len() {
        1 => (0..=bytes.len() / BLOCK)
            .map(|block| block * BLOCK)
            .collect(),
        _ => begins,
    }
}
