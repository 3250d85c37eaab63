//! The disk over a real ring in a directory of its own, and the answers a kernel may give.

use super::super::ring::Wait;
use super::*;

struct Bench {
    ring: Ring,
    memory: Memory,
    disk: Disk,
    path: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let name = format!("corelane-disk-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let ring = Ring::new().unwrap();
        Bench {
            memory: Memory::new(&ring),
            disk: Disk::new(&path).unwrap(),
            ring,
            path,
        }
    }

    fn run(&mut self, op: DiskOp) -> Result<DiskOutcome, DiskError> {
        let request = DiskRequest {
            token: DiskToken(7),
            op,
        };
        self.disk
            .submit(request, &mut self.ring, &self.memory)
            .unwrap();
        let mut cqes = Vec::new();
        loop {
            if let Some(done) = self.disk.pop_ready() {
                assert_eq!(done.token, DiskToken(7));
                return done.result;
            }
            self.ring.enter(Wait::Ever).unwrap();
            self.ring.reap(&mut cqes);
            for cqe in cqes.drain(..) {
                let (kind, slot) = Kind::of(cqe.user_data);
                assert_eq!(kind, Kind::Disk);
                let done = self.disk.complete(slot, cqe, &mut self.ring, &self.memory);
                if let Some(done) = done.unwrap() {
                    assert_eq!(done.token, DiskToken(7));
                    return done.result;
                }
            }
        }
    }

    fn done(&mut self, op: DiskOp) {
        let outcome = self.run(op).unwrap();
        assert!(matches!(outcome, DiskOutcome::Done), "{outcome:?}");
    }

    fn read(&mut self, file: u32, position: u64, into: BytesMut) -> BytesMut {
        let file = FileId(file);
        match self
            .run(DiskOp::Read {
                file,
                position,
                into,
            })
            .unwrap()
        {
            DiskOutcome::Read(bytes) => bytes,
            other => panic!("{other:?}"),
        }
    }

    fn open(&mut self, file: u32, path: &str, create: bool, direct: bool) {
        self.done(DiskOp::Open {
            file: FileId(file),
            path: path.into(),
            create,
            direct,
        });
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// An empty buffer whose start is aligned for direct IO.
fn aligned(capacity: usize) -> BytesMut {
    let mut bytes = BytesMut::zeroed(capacity + BLOCK);
    let skip = bytes.as_ptr().align_offset(BLOCK);
    bytes.truncate(skip + capacity);
    let mut tail = bytes.split_off(skip);
    tail.clear();
    tail
}

#[test]
fn a_file_buffered() {
    let mut b = Bench::new("buffered");
    b.open(3, "plain", true, false);
    let bytes = Bytes::from_static(b"hello, disk");
    b.done(DiskOp::Write {
        file: FileId(3),
        position: 2,
        bytes,
    });
    b.done(DiskOp::Flush { file: FileId(3) });
    let short = b.read(3, 0, BytesMut::with_capacity(100));
    assert_eq!(&short[..], b"\0\0hello, disk");
    assert!(b.read(3, 500, BytesMut::with_capacity(10)).is_empty());
    b.done(DiskOp::Truncate {
        file: FileId(3),
        length: 4,
    });
    assert_eq!(&b.read(3, 0, BytesMut::with_capacity(9))[..], b"\0\0he");
    b.done(DiskOp::Close { file: FileId(3) });
    assert_eq!(b.disk.in_flight(), 0);
    // The number is free again.
    b.open(3, "plain", false, false);
}

#[test]
fn a_file_directly() {
    let mut b = Bench::new("direct");
    b.open(0, "direct", true, true);
    b.done(DiskOp::Allocate {
        file: FileId(0),
        position: 0,
        length: 4 * BLOCK as u64,
    });
    let mut bytes = aligned(2 * BLOCK);
    bytes.resize(2 * BLOCK, 7);
    b.done(DiskOp::Write {
        file: FileId(0),
        position: BLOCK as u64,
        bytes: bytes.freeze(),
    });
    b.done(DiskOp::Flush { file: FileId(0) });
    let read = b.read(0, 0, aligned(8 * BLOCK));
    assert_eq!(read.len(), 4 * BLOCK, "the end of the file is a short read");
    assert!(read[..BLOCK].iter().all(|x| *x == 0));
    assert!(read[BLOCK..3 * BLOCK].iter().all(|x| *x == 7));
    b.done(DiskOp::Truncate {
        file: FileId(0),
        length: 100,
    });
    assert_eq!(b.read(0, 0, aligned(2 * BLOCK)).len(), 100);
    assert_eq!(b.disk.counters().flushes, 1);
}

#[test]
fn directories_names_and_errors() {
    let mut b = Bench::new("names");
    let missing = b.run(DiskOp::Open {
        file: FileId(0),
        path: "none".into(),
        create: false,
        direct: false,
    });
    assert_eq!(missing.unwrap_err(), DiskError::NOT_FOUND);
    for _ in 0..2 {
        b.done(DiskOp::MakeDirectory { path: "d".into() });
    }
    b.open(0, "d/b", true, false);
    b.done(DiskOp::Rename {
        from: "d/b".into(),
        to: "d/a".into(),
    });
    b.done(DiskOp::SyncDirectory { path: "d".into() });
    b.done(DiskOp::SyncDirectory { path: "".into() });
    let DiskOutcome::Listing(top) = b.run(DiskOp::List { path: "".into() }).unwrap() else {
        panic!();
    };
    assert_eq!(top.len(), 1);
    assert!(top[0].directory && top[0].name == "d");
    let DiskOutcome::Listing(inner) = b.run(DiskOp::List { path: "d".into() }).unwrap() else {
        panic!();
    };
    assert_eq!((inner[0].name.as_str(), inner[0].length), ("a", 0));
    let occupied = b.run(DiskOp::RemoveDirectory { path: "d".into() });
    assert_eq!(occupied.unwrap_err().errno, libc::ENOTEMPTY);
    for _ in 0..2 {
        b.done(DiskOp::Unlink { path: "d/a".into() });
    }
    for _ in 0..2 {
        b.done(DiskOp::RemoveDirectory { path: "d".into() });
    }
    let gone = b.run(DiskOp::List { path: "d".into() });
    assert_eq!(gone.unwrap_err(), DiskError::NOT_FOUND);
    let gone = b.run(DiskOp::SyncDirectory { path: "d".into() });
    assert_eq!(gone.unwrap_err(), DiskError::NOT_FOUND);
}

#[test]
#[expect(unsafe_code, reason = "offers memory")]
fn registered_memory_is_written_fixed() {
    let mut b = Bench::new("fixed");
    let mut bytes = aligned(4 * BLOCK);
    bytes.resize(4 * BLOCK, 9);
    let bytes = bytes.freeze();
    // SAFETY: `bytes` lives until the end of the test, after the last operation.
    let registered = unsafe {
        b.memory
            .offer_chunk(&b.ring, bytes.as_ptr() as usize, bytes.len())
    };
    b.open(1, "fixed", true, true);
    b.done(DiskOp::Write {
        file: FileId(1),
        position: 0,
        bytes: bytes.slice(BLOCK..3 * BLOCK),
    });
    let expected = u64::from(registered);
    assert_eq!(b.disk.counters().fixed_writes, expected);
    assert_eq!(b.read(1, 0, aligned(4 * BLOCK)).len(), 2 * BLOCK);
}

#[test]
#[should_panic(expected = "not relative")]
fn paths_stay_inside() {
    let mut b = Bench::new("inside");
    b.open(0, "a/../../b", true, false);
}

/// The bytes that the operation in `slot` has behind it.
fn progress(disk: &Disk, slot: u32) -> usize {
    match &disk.ops.get(slot).unwrap().step {
        Step::Write { done, .. } | Step::Read { done, .. } => *done,
        _ => panic!("neither a read nor a write"),
    }
}

#[test]
fn short_answers_go_on_and_errors_are_final() {
    let mut b = Bench::new("short");
    b.open(0, "direct", true, true);
    b.open(1, "plain", true, false);
    let again = |turn: Turn| assert!(matches!(turn, Turn::Again));
    let failed = |turn: Turn| match turn {
        Turn::Finished(Err(e)) => e.errno,
        _ => panic!("no error"),
    };
    let op = |file, step| Op {
        token: DiskToken(1),
        file: Some(FileId(file)),
        step,
    };
    let write = |file| {
        op(
            file,
            Step::Write {
                bytes: Bytes::from(vec![0; 3 * BLOCK]),
                position: 0,
                done: 0,
            },
        )
    };
    let slot = b.disk.ops.insert(write(0));
    again(b.disk.turn(slot, -libc::EINTR));
    again(b.disk.turn(slot, -libc::EAGAIN));
    again(b.disk.turn(slot, 5000));
    assert_eq!(progress(&b.disk, slot), BLOCK, "direct goes on at a block");
    assert_eq!(failed(b.disk.turn(slot, 100)), libc::EIO, "no progress");
    assert_eq!(failed(b.disk.turn(slot, -libc::ENOSPC)), libc::ENOSPC);
    let last = b.disk.turn(slot, 2 * BLOCK as i32);
    assert!(matches!(last, Turn::Finished(Ok(DiskOutcome::Done))));
    b.disk.ops.remove(slot);

    let slot = b.disk.ops.insert(write(1));
    again(b.disk.turn(slot, 5000));
    assert_eq!(progress(&b.disk, slot), 5000);
    assert_eq!(failed(b.disk.turn(slot, 0)), libc::EIO);
    b.disk.ops.remove(slot);

    for (file, answers, total) in [
        (0, [BLOCK, 100].as_slice(), BLOCK + 100),
        (0, &[BLOCK, 0], BLOCK),
        (1, &[10, 20, 0], 30),
        (1, &[10, 3 * BLOCK - 10], 3 * BLOCK),
    ] {
        let into = aligned(3 * BLOCK);
        let slot = b.disk.ops.insert(op(
            file,
            Step::Read {
                into,
                position: 0,
                done: 0,
                want: 3 * BLOCK,
            },
        ));
        let (last, first) = answers.split_last().unwrap();
        for count in first {
            again(b.disk.turn(slot, *count as i32));
        }
        match b.disk.turn(slot, *last as i32) {
            Turn::Finished(Ok(DiskOutcome::Read(bytes))) => assert_eq!(bytes.len(), total),
            _ => panic!("not over after {answers:?}"),
        }
        b.disk.ops.remove(slot);
    }

    // A close is never repeated: another file may have the number by then.
    let slot = b.disk.ops.insert(op(1, Step::Close));
    for errno in [libc::EINTR, libc::EAGAIN] {
        let over = b.disk.turn(slot, -errno);
        assert!(matches!(over, Turn::Finished(Ok(DiskOutcome::Done))));
    }
    b.disk.ops.remove(slot);

    // A file system that refuses O_DIRECT is opened without it.
    let path = CString::new("x").unwrap();
    b.disk.reserve(FileId(2));
    let slot = b.disk.ops.insert(op(
        2,
        Step::Open {
            path,
            create: true,
            direct: true,
        },
    ));
    again(b.disk.turn(slot, -libc::EINVAL));
    assert_eq!(failed(b.disk.turn(slot, -libc::EINVAL)), libc::EINVAL);
    assert_eq!(b.disk.counters().direct_refused, 1);
    b.disk.ops.remove(slot);
}
