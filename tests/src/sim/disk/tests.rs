//! Each fate of a crash occurs, and a flush protects from all of them.

use bytes::{Bytes, BytesMut};
use corelane_engine::disk::{
    DirectoryEntry, DiskError, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId, Space,
};
use corelane_engine::limits::BLOCK;
use corelane_engine::log::buffers::aligned;
use corelane_engine::types::ShardId;

use super::{FakeDisk, Fault, FaultKind, Kind, Met, OpId, Speed};

const SHARD: ShardId = ShardId(0);
const FILE: FileId = FileId(0);

fn block(fill: u8) -> Bytes {
    blocks(fill, 1)
}

fn blocks(fill: u8, count: usize) -> Bytes {
    let mut bytes = aligned(count * BLOCK);
    bytes.resize(count * BLOCK, fill);
    bytes.freeze()
}

fn start(disk: &mut FakeDisk, op: DiskOp) -> OpId {
    let token = DiskToken(7);
    disk.submit(SHARD, DiskRequest { token, op }).0
}

fn run(disk: &mut FakeDisk, op: DiskOp) -> Result<DiskOutcome, DiskError> {
    let id = start(disk, op);
    let (shard, done) = disk.complete(id);
    assert_eq!((shard, done.token), (SHARD, DiskToken(7)));
    done.result
}

fn open(disk: &mut FakeDisk, path: &str) {
    let op = DiskOp::Open {
        file: FILE,
        path: path.to_owned(),
        create: true,
        direct: true,
    };
    run(disk, op).expect("opens");
}

fn write(position: usize, bytes: Bytes) -> DiskOp {
    let (file, position) = (FILE, position as u64);
    DiskOp::Write {
        file,
        position,
        bytes,
    }
}

fn sync(path: &str) -> DiskOp {
    let path = path.to_owned();
    DiskOp::SyncDirectory { path }
}

fn content(disk: &FakeDisk, path: &str) -> Option<Vec<u8>> {
    disk.files()
        .find(|(p, _)| *p == path)
        .map(|(_, bytes)| bytes)
}

/// A disk with a durable file `f` of eight blocks of ones.
fn with_ones(seed: u64) -> FakeDisk {
    let mut disk = FakeDisk::new(seed, Speed::default());
    open(&mut disk, "f");
    run(&mut disk, write(0, blocks(1, 8))).expect("writes");
    run(&mut disk, DiskOp::Flush { file: FILE }).expect("flushes");
    run(&mut disk, sync("")).expect("syncs");
    assert_eq!(disk.volatile_blocks(), 0);
    disk
}

#[test]
fn a_flush_protects_blocks_and_size_from_every_cut() {
    for seed in 0..300 {
        let mut disk = with_ones(seed);
        disk.power_cut();
        assert_eq!(content(&disk, "f"), Some(vec![1; 8 * BLOCK]), "seed {seed}");
    }
}

#[test]
fn an_unflushed_block_is_kept_lost_or_torn_each_by_itself() {
    let (mut kept, mut lost, mut torn, mut mixed) = (0, 0, 0, 0);
    for seed in 0..300 {
        let mut disk = with_ones(seed);
        run(&mut disk, write(0, blocks(2, 8))).expect("writes");
        disk.power_cut();
        let bytes = content(&disk, "f").expect("its entry was synced");
        assert_eq!(bytes.len(), 8 * BLOCK);
        let before = (kept, lost, torn);
        for block in bytes.chunks(BLOCK) {
            for sector in block.chunks(super::SECTOR) {
                assert!(sector.iter().all(|b| *b == sector[0]), "torn in a sector");
            }
            match (block.contains(&1), block.contains(&2)) {
                (false, true) => kept += 1,
                (true, false) => lost += 1,
                (true, true) => torn += 1,
                (false, false) => panic!("neither old nor new"),
            }
        }
        mixed += u32::from(kept > before.0 && lost > before.1);
    }
    assert!(
        kept > 100 && lost > 100 && torn > 20 && mixed > 20,
        "{kept} {lost} {torn} {mixed}"
    );
}

#[test]
fn a_device_that_tears_bytes_tears_within_a_sector() {
    let mut within = 0;
    for seed in 0..300 {
        let mut disk = with_ones(seed);
        disk.tear_bytes();
        run(&mut disk, write(0, blocks(2, 8))).expect("writes");
        disk.power_cut();
        let bytes = content(&disk, "f").expect("its entry was synced");
        assert!(bytes.iter().all(|b| [1, 2].contains(b)), "old or new");
        let mut sectors = bytes.chunks(super::SECTOR);
        within += u32::from(sectors.any(|sector| sector.contains(&1) && sector.contains(&2)));
    }
    assert!(within > 20, "{within} of 300");
}

#[test]
fn operations_of_any_kind_fail_and_a_full_disk_says_so() {
    let mut disk = with_ones(3);
    for kind in [
        Kind::Measure,
        Kind::List,
        Kind::Read,
        Kind::Rename,
        Kind::Unlink,
    ] {
        disk.add_fault(Fault {
            kind,
            path_part: String::new(),
            skip: 0,
            what: FaultKind::Error(DiskError::IO),
        });
    }
    let path = || "f".to_owned();
    let read = DiskOp::Read {
        file: FILE,
        position: 0,
        into: aligned(BLOCK),
    };
    let (list, unlink) = (
        DiskOp::List {
            path: String::new(),
        },
        DiskOp::Unlink { path: path() },
    );
    let rename = DiskOp::Rename {
        from: path(),
        to: "g".to_owned(),
    };
    for op in [DiskOp::Measure, list, read, rename, unlink] {
        let came = run(&mut disk, op).map(|_| ());
        assert_eq!(came, Err(DiskError::IO));
    }
    assert_eq!(disk.counters().failed.iter().sum::<u64>(), 5);
    assert!(content(&disk, "f").is_some(), "what failed was not done");
    disk.set_full(true);
    let measured = run(&mut disk, DiskOp::Measure);
    assert!(matches!(
        measured,
        Ok(DiskOutcome::Measured(Space {
            usable_bytes: 0,
            ..
        }))
    ));
}

#[test]
fn a_block_never_flushed_falls_back_to_zeros_and_a_size_to_any_before() {
    let (mut zeros, mut short, mut long) = (0, 0, 0);
    for seed in 0..300 {
        let mut disk = with_ones(seed);
        let (position, length) = (0, 16 * BLOCK as u64);
        let op = DiskOp::Allocate {
            file: FILE,
            position,
            length,
        };
        run(&mut disk, op).expect("allocates");
        run(&mut disk, write(8 * BLOCK, blocks(3, 4))).expect("writes");
        disk.power_cut();
        let bytes = content(&disk, "f").expect("its entry was synced");
        assert_eq!(bytes[..8 * BLOCK], [1; 8 * BLOCK], "flushed before");
        match bytes.len() / BLOCK {
            8 => short += 1,
            16 => long += 1,
            other => panic!("{other} blocks were never the size"),
        }
        zeros += u32::from(bytes.get(8 * BLOCK) == Some(&0));
    }
    assert!(
        zeros > 20 && short > 20 && long > 20,
        "{zeros} {short} {long}"
    );
}

#[test]
fn a_flush_covers_only_what_had_completed_when_it_was_submitted() {
    let mut survived = 0;
    for seed in 0..100 {
        let mut disk = with_ones(seed);
        let late = start(&mut disk, write(0, block(2)));
        let flush = start(&mut disk, DiskOp::Flush { file: FILE });
        disk.complete(late).1.result.expect("writes");
        disk.complete(flush).1.result.expect("flushes");
        disk.power_cut();
        survived += u32::from(content(&disk, "f").expect("there")[..BLOCK] == [2; BLOCK]);
    }
    assert!((10..90).contains(&survived), "{survived} of 100 survived");
}

#[test]
fn a_kill_keeps_what_was_written_and_makes_nothing_durable() {
    let (mut partial, mut lost_later) = (0, 0);
    for seed in 0..200 {
        let mut disk = with_ones(seed);
        run(&mut disk, write(0, block(2))).expect("writes");
        start(&mut disk, write(2 * BLOCK, blocks(3, 6)));
        disk.kill();
        let bytes = content(&disk, "f").expect("there");
        assert_eq!(bytes[..BLOCK], [2; BLOCK], "written before the kill");
        assert_eq!(bytes[BLOCK..2 * BLOCK], [1; BLOCK], "never touched");
        let done = bytes[2 * BLOCK..]
            .chunks(BLOCK)
            .filter(|b| b[0] == 3)
            .count();
        partial += u32::from((1..6).contains(&done));
        disk.power_cut();
        lost_later += u32::from(content(&disk, "f").expect("there")[..BLOCK] != [2; BLOCK]);
    }
    assert!(partial > 20 && lost_later > 50, "{partial} {lost_later}");
}

#[test]
fn a_flush_after_a_kill_saves_what_the_dead_process_wrote() {
    for seed in 0..100 {
        let mut disk = with_ones(seed);
        run(&mut disk, write(0, blocks(2, 8))).expect("writes");
        disk.kill();
        open(&mut disk, "f");
        run(&mut disk, DiskOp::Flush { file: FILE }).expect("flushes");
        disk.power_cut();
        assert_eq!(content(&disk, "f"), Some(vec![2; 8 * BLOCK]), "seed {seed}");
    }
}

#[test]
fn entries_are_kept_or_lost_until_their_directory_is_synced() {
    let (mut file_lost, mut renamed, mut directory_lost) = (0, 0, 0);
    for seed in 0..300 {
        let mut disk = with_ones(seed);
        run(&mut disk, DiskOp::Close { file: FILE }).expect("closes");
        let path = "d".to_owned();
        run(&mut disk, DiskOp::MakeDirectory { path }).expect("made");
        open(&mut disk, "d/g");
        run(&mut disk, write(0, block(9))).expect("writes");
        run(&mut disk, DiskOp::Flush { file: FILE }).expect("flushes");
        let (from, to) = ("f".to_owned(), "h".to_owned());
        run(&mut disk, DiskOp::Rename { from, to }).expect("renamed");
        if seed % 2 == 0 {
            run(&mut disk, sync("d")).expect("syncs");
        } else {
            run(&mut disk, sync("")).expect("syncs");
        }
        disk.power_cut();
        let (f, g, h) = (
            content(&disk, "f"),
            content(&disk, "d/g"),
            content(&disk, "h"),
        );
        assert!(f.is_some() != h.is_some(), "a rename happens whole or not");
        if seed % 2 == 1 {
            assert!(h.is_some(), "the directory was synced");
            file_lost += u32::from(g.is_none());
        } else {
            renamed += u32::from(h.is_some());
            directory_lost += u32::from(g.is_none());
        }
        assert!(g.is_none_or(|g| g == [9; BLOCK]), "flushed with its file");
    }
    assert!(
        file_lost > 20 && (20..130).contains(&renamed),
        "{file_lost} {renamed}"
    );
    assert!((20..130).contains(&directory_lost), "{directory_lost}");
}

#[test]
fn a_listing_names_files_and_directories_in_order() {
    let mut disk = with_ones(1);
    let path = "a".to_owned();
    run(&mut disk, DiskOp::MakeDirectory { path }).expect("made");
    let path = String::new();
    let Ok(DiskOutcome::Listing(entries)) = run(&mut disk, DiskOp::List { path }) else {
        panic!("no listing");
    };
    let entry = |name: &str, directory, length| DirectoryEntry {
        name: name.to_owned(),
        directory,
        length,
    };
    let expected = [entry("a", true, 0), entry("f", false, 8 * BLOCK as u64)];
    assert_eq!(entries, expected);
    let path = "no".to_owned();
    let missing = run(&mut disk, DiskOp::List { path }).map(|_| ());
    assert_eq!(missing, Err(DiskError::NOT_FOUND));
}

#[test]
fn a_failed_flush_is_never_made_good_by_the_next() {
    let (mut kept, mut lost) = (0, 0);
    for (seed, direct) in (0..200).map(|seed| (seed, seed % 2 == 0)) {
        let mut disk = with_ones(seed);
        let (file, path) = (FILE, "f".to_owned());
        run(&mut disk, DiskOp::Close { file }).expect("closes");
        let create = false;
        let open = DiskOp::Open {
            file,
            path,
            create,
            direct,
        };
        run(&mut disk, open).expect("opens");
        run(&mut disk, write(0, block(2))).expect("writes");
        disk.add_fault(Fault {
            kind: Kind::Flush,
            path_part: "f".to_owned(),
            skip: 0,
            what: FaultKind::Error(DiskError::IO),
        });
        let failed = run(&mut disk, DiskOp::Flush { file }).map(|_| ());
        assert_eq!(failed, Err(DiskError::IO));
        let what = FaultKind::Error(DiskError::IO);
        let (kind, path) = (Kind::Flush, "f".to_owned());
        assert_eq!(disk.take_met(), [Met { kind, path, what }]);
        run(&mut disk, DiskOp::Flush { file }).expect("the fault was met once");
        let readable = content(&disk, "f").expect("there")[..BLOCK] == [2; BLOCK];
        disk.power_cut();
        let there = content(&disk, "f").expect("there")[..BLOCK] == [2; BLOCK];
        match direct {
            // Nothing lies between: the device has it, and the second flush was good, or it never will.
            true => assert_eq!(readable, there),
            // A page that is marked clean stays readable, and is written by nobody.
            false => assert!(readable),
        }
        kept += u32::from(direct && there);
        lost += u32::from(!there);
    }
    assert!(kept > 20 && lost > 80, "{kept} kept, {lost} lost");
}

#[test]
fn a_full_disk_refuses_what_grows_and_nothing_else() {
    let mut disk = with_ones(3);
    disk.set_full(true);
    let (file, length) = (FILE, BLOCK as u64);
    let grow = |position: usize| DiskOp::Allocate {
        file,
        position: position as u64,
        length,
    };
    let full = Err(DiskError::NO_SPACE);
    let mut short = |op| run(&mut disk, op).map(|_| ());
    assert_eq!(short(grow(8 * BLOCK)), full);
    assert_eq!(short(grow(7 * BLOCK)), Ok(()));
    assert_eq!(short(write(8 * BLOCK, block(2))), full);
    assert_eq!(short(write(7 * BLOCK, block(2))), Ok(()));
    let path = "d".to_owned();
    assert_eq!(short(DiskOp::MakeDirectory { path }), full);
    disk.heal();
    run(&mut disk, grow(8 * BLOCK)).expect("there is space again");
}

#[test]
fn a_short_write_has_begun_before_it_is_answered() {
    let mut begun = 0;
    for seed in 0..50 {
        let mut disk = with_ones(seed);
        disk.speed.short_one_in = Some(1);
        let id = start(&mut disk, write(0, blocks(2, 8)));
        let bytes = content(&disk, "f").expect("there");
        let taken = bytes.iter().filter(|b| **b == 2).count();
        assert!(
            taken < 8 * BLOCK
                && taken.is_multiple_of(BLOCK)
                && bytes[..taken].iter().all(|b| *b == 2)
        );
        begun += u32::from(taken > 0);
        disk.complete(id);
        assert_eq!(content(&disk, "f"), Some(vec![2; 8 * BLOCK]));
    }
    assert!(begun > 20, "{begun}");
}

#[test]
fn only_segments_with_later_ones_beside_them_are_cold() {
    let mut disk = with_ones(3);
    for directory in ["topics", "topics/a-0", "topics/b-0"] {
        let path = directory.to_owned();
        run(&mut disk, DiskOp::MakeDirectory { path }).expect("makes");
    }
    for path in [
        "topics/a-0/0.log",
        "topics/a-0/1.log",
        "topics/a-0/2.log",
        "topics/b-0/0.log",
    ] {
        run(&mut disk, DiskOp::Close { file: FILE }).expect("closes");
        open(&mut disk, path);
        run(&mut disk, write(0, block(1))).expect("writes");
        run(&mut disk, DiskOp::Flush { file: FILE }).expect("flushes");
    }
    assert_eq!(
        disk.cold_segments(1),
        ["topics/a-0/0.log", "topics/a-0/1.log"]
    );
    assert_eq!(disk.cold_segments(2), ["topics/a-0/0.log"]);
    disk.flip_bit_of("topics/a-0/0.log");
    assert_ne!(content(&disk, "topics/a-0/0.log"), Some(vec![1; BLOCK]));
    run(&mut disk, DiskOp::Close { file: FILE }).expect("closes");
    open(&mut disk, "topics/a-0/0.log");
    run(&mut disk, write(0, block(1))).expect("writes");
    assert_eq!(disk.cold_segments(2), [""; 0], "not flushed");
}

#[test]
fn the_kth_operation_fails_and_a_misdirected_write_lands_elsewhere() {
    let mut disk = with_ones(3);
    let fault = |skip, what| Fault {
        kind: Kind::Write,
        path_part: "f".to_owned(),
        skip,
        what,
    };
    disk.add_fault(fault(1, FaultKind::Error(DiskError::NO_SPACE)));
    run(&mut disk, write(0, block(2))).expect("the first passes");
    let second = run(&mut disk, write(0, block(2))).map(|_| ());
    assert_eq!(second, Err(DiskError::NO_SPACE));
    disk.add_fault(fault(0, FaultKind::Misdirected { blocks: 2 }));
    run(&mut disk, write(0, block(5))).expect("reports success");
    let bytes = content(&disk, "f").expect("there");
    assert_eq!((bytes[0], bytes[2 * BLOCK]), (2, 5));
    assert_eq!(disk.counters().faults, 2);
}

#[test]
fn a_flipped_bit_is_read_and_survives() {
    let mut disk = with_ones(3);
    assert!(disk.flip_bit("f") && !disk.flip_bit("other"));
    let flipped = content(&disk, "f").expect("there");
    let changed = flipped.iter().filter(|b| **b != 1).count();
    assert_eq!(changed, 1);
    disk.power_cut();
    assert_eq!(content(&disk, "f"), Some(flipped));
}

#[test]
fn reads_end_with_the_file_and_keep_the_buffer() {
    let mut disk = with_ones(3);
    let mut into = aligned(3 * BLOCK);
    into.resize(5, 9);
    let (file, position) = (FILE, 6 * BLOCK as u64);
    let op = DiskOp::Read {
        file,
        position,
        into,
    };
    let Ok(DiskOutcome::Read(bytes)) = run(&mut disk, op) else {
        panic!("no bytes");
    };
    assert_eq!(bytes, BytesMut::from(&[1; 2 * BLOCK][..]));
}

#[test]
fn a_truncation_cuts_and_what_grows_again_is_zero() {
    let mut disk = with_ones(3);
    let (file, length) = (FILE, 5000);
    run(&mut disk, DiskOp::Truncate { file, length }).expect("truncates");
    assert_eq!(content(&disk, "f"), Some(vec![1; 5000]));
    let (position, length) = (0, 3 * BLOCK as u64);
    let op = DiskOp::Allocate {
        file,
        position,
        length,
    };
    run(&mut disk, op).expect("allocates");
    run(&mut disk, DiskOp::Flush { file }).expect("flushes");
    disk.power_cut();
    let bytes = content(&disk, "f").expect("there");
    assert!(bytes.len() == 3 * BLOCK && bytes[..5000].iter().all(|b| *b == 1));
    assert!(bytes[5000..].iter().all(|b| *b == 0));
}

#[test]
#[should_panic(expected = "unaligned direct IO")]
fn an_unaligned_direct_write_is_a_bug() {
    let mut disk = with_ones(3);
    start(&mut disk, write(100, block(1)));
}

#[test]
#[should_panic(expected = "is taken")]
fn a_file_number_taken_twice_is_a_bug() {
    let mut disk = with_ones(3);
    open(&mut disk, "g");
}
