//! Disk requests through the ring: nothing here blocks the shard, but `List`, which is for boot.
//!
//! ```text
//!  submit ─► op in slab ─► entry ─► … ─► completion ─► short, EINTR, EAGAIN: entry again
//!                                            └───────► finished: slot freed, DiskDone
//!  Open(direct) ─ EINVAL ─► Open(buffered)      SyncDirectory ─► open ─► fsync ─► close
//! ```

use std::collections::VecDeque;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{opcode, squeue};

use super::memory::Memory;
use super::ring::{Cqe, Kind, Ring};
use super::slab::Slab;
use crate::disk::{
    DirectoryEntry, DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId,
};
use crate::fatal::Fatal;
use crate::limits::BLOCK;

/// Most bytes of one entry; longer writes and reads take several.
const ENTRY_BYTES_MAX: usize = 1 << 30;
/// Files a machine may number.
const FILES_MAX: u32 = 1 << 20;
const FILE_MODE: libc::mode_t = 0o644;
const DIRECTORY_MODE: libc::mode_t = 0o755;

#[derive(Clone, Copy, Default, Debug)]
pub struct DiskCounters {
    pub writes: u64,
    pub bytes_written: u64,
    /// Writes from registered memory.
    pub fixed_writes: u64,
    pub reads: u64,
    pub bytes_read: u64,
    pub flushes: u64,
    /// Entries sent again after a short answer, EINTR or EAGAIN.
    pub resubmitted: u64,
    /// Files opened without O_DIRECT because the file system refused it.
    pub direct_refused: u64,
}

/// The disk of one shard.
pub struct Disk {
    root: OwnedFd,
    root_path: PathBuf,
    files: Vec<Option<File>>,
    ops: Slab<Op>,
    /// Answers that took no completion.
    ready: VecDeque<DiskDone>,
    draining: bool,
    counters: DiskCounters,
}

struct File {
    /// `None` while it is being opened.
    fd: Option<OwnedFd>,
    direct: bool,
    in_flight: u32,
}

/// Owns all memory that its entry points to.
struct Op {
    token: DiskToken,
    file: Option<FileId>,
    step: Step,
}

enum Step {
    Open {
        path: CString,
        create: bool,
        direct: bool,
    },
    Close,
    Write {
        bytes: Bytes,
        position: u64,
        done: usize,
    },
    Read {
        into: BytesMut,
        position: u64,
        done: usize,
        want: usize,
    },
    Flush,
    Allocate {
        position: u64,
        length: u64,
    },
    Truncate {
        length: u64,
    },
    OpenDirectory {
        path: CString,
    },
    SyncDirectory {
        directory: Option<OwnedFd>,
    },
    MakeDirectory {
        path: CString,
    },
    Unlink {
        path: CString,
        flags: i32,
    },
    Rename {
        from: CString,
        to: CString,
    },
}

/// What a completion makes of an operation.
enum Turn {
    Again,
    Finished(Result<DiskOutcome, DiskError>),
}

impl Disk {
    /// Opens the data directory, to which all paths are relative.
    pub fn new(root: &Path) -> io::Result<Disk> {
        let directory = std::fs::File::open(root)?;
        Ok(Disk {
            root: directory.into(),
            root_path: root.canonicalize()?,
            files: Vec::new(),
            ops: Slab::new(),
            ready: VecDeque::new(),
            draining: false,
            counters: DiskCounters::default(),
        })
    }

    pub fn counters(&self) -> DiskCounters {
        self.counters
    }

    pub fn in_flight(&self) -> usize {
        self.ops.len()
    }

    /// The next answer that needed no completion.
    pub fn pop_ready(&mut self) -> Option<DiskDone> {
        self.ready.pop_front()
    }

    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// From now on nothing is sent again: the shard is ending.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Starts a request. The answer comes from [`Disk::complete`] or [`Disk::pop_ready`].
    ///
    /// Panics on a machine's bug: a path that leaves the data directory, a file number that is taken or not open, a file
    /// closed with operations under way, unaligned direct IO.
    pub fn submit(
        &mut self,
        request: DiskRequest,
        ring: &mut Ring,
        memory: &Memory,
    ) -> Result<(), Fatal> {
        let token = request.token;
        let (file, step) = match request.op {
            DiskOp::Open {
                file,
                path,
                create,
                direct,
            } => {
                self.reserve(file);
                let path = inside(&path);
                (
                    Some(file),
                    Step::Open {
                        path,
                        create,
                        direct,
                    },
                )
            }
            DiskOp::Close { file } => {
                let open = self.open_file(file);
                assert!(
                    open.in_flight == 0,
                    "{file:?} closed with operations under way"
                );
                (Some(file), Step::Close)
            }
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                if bytes.is_empty() {
                    self.answer(token, Ok(DiskOutcome::Done));
                    return Ok(());
                }
                let direct = self.open_file(file).direct;
                check_aligned(direct, bytes.as_ptr() as usize, position, bytes.len());
                self.counters.writes += 1;
                let step = Step::Write {
                    bytes,
                    position,
                    done: 0,
                };
                (Some(file), step)
            }
            DiskOp::Read {
                file,
                position,
                mut into,
            } => {
                into.clear();
                let direct = self.open_file(file).direct;
                let mut want = into.capacity();
                if direct {
                    want -= want % BLOCK;
                    check_aligned(true, into.as_ptr() as usize, position, want);
                }
                if want == 0 {
                    self.answer(token, Ok(DiskOutcome::Read(into)));
                    return Ok(());
                }
                self.counters.reads += 1;
                let step = Step::Read {
                    into,
                    position,
                    done: 0,
                    want,
                };
                (Some(file), step)
            }
            DiskOp::Flush { file } => {
                self.counters.flushes += 1;
                (Some(file), Step::Flush)
            }
            DiskOp::Allocate {
                file,
                position,
                length,
            } => (Some(file), Step::Allocate { position, length }),
            DiskOp::Truncate { file, length } => {
                if !ring.has_truncate() {
                    let result = truncate(self.descriptor(file), length);
                    self.answer(token, result.map(|()| DiskOutcome::Done));
                    return Ok(());
                }
                (Some(file), Step::Truncate { length })
            }
            DiskOp::SyncDirectory { path } if path.is_empty() => {
                (None, Step::SyncDirectory { directory: None })
            }
            DiskOp::SyncDirectory { path } => {
                let path = inside(&path);
                (None, Step::OpenDirectory { path })
            }
            DiskOp::MakeDirectory { path } => {
                let path = inside(&path);
                (None, Step::MakeDirectory { path })
            }
            DiskOp::Unlink { path } => {
                let path = inside(&path);
                (None, Step::Unlink { path, flags: 0 })
            }
            DiskOp::RemoveDirectory { path } => {
                let (path, flags) = (inside(&path), libc::AT_REMOVEDIR);
                (None, Step::Unlink { path, flags })
            }
            DiskOp::Rename { from, to } => {
                let (from, to) = (inside(&from), inside(&to));
                (None, Step::Rename { from, to })
            }
            DiskOp::List { path } => {
                let result = self.list(&path).map(DiskOutcome::Listing);
                self.answer(token, result);
                return Ok(());
            }
        };
        if let Some(file) = file
            && let Some(open) = self.files[file.0 as usize].as_mut()
        {
            open.in_flight += 1;
        }
        let slot = self.ops.insert(Op { token, file, step });
        self.issue(slot, ring, memory)
    }

    /// Takes a completion of [`Kind::Disk`]; the answer, if the operation is over.
    pub fn complete(
        &mut self,
        slot: u32,
        cqe: Cqe,
        ring: &mut Ring,
        memory: &Memory,
    ) -> Result<Option<DiskDone>, Fatal> {
        match self.turn(slot, cqe.result) {
            Turn::Again if !self.draining => {
                self.counters.resubmitted += 1;
                self.issue(slot, ring, memory)?;
                Ok(None)
            }
            Turn::Again => Ok(Some(self.finish(
                slot,
                Err(DiskError {
                    errno: libc::ECANCELED,
                }),
            ))),
            Turn::Finished(result) => Ok(Some(self.finish(slot, result))),
        }
    }

    fn turn(&mut self, slot: u32, result: i32) -> Turn {
        let op = self
            .ops
            .get_mut(slot)
            .expect("completion of a running operation");
        let interrupted = result == -libc::EINTR || result == -libc::EAGAIN;
        let closing = matches!(op.step, Step::Close);
        if interrupted && !closing {
            return Turn::Again;
        }
        let failed = Turn::Finished(Err(DiskError { errno: -result }));
        let done = Turn::Finished(Ok(DiskOutcome::Done));
        match &mut op.step {
            Step::Open { direct, .. } => {
                if result == -libc::EINVAL && *direct {
                    *direct = false;
                    self.counters.direct_refused += 1;
                    return Turn::Again;
                }
                if result < 0 {
                    return failed;
                }
                let file = op.file.expect("an open names its file");
                let entry = self.files[file.0 as usize].as_mut().expect("reserved");
                entry.fd = Some(adopt(result));
                entry.direct = *direct;
                done
            }
            Step::Write {
                bytes,
                done: written,
                ..
            } => {
                if result < 0 {
                    return failed;
                }
                let file = op.file.expect("a write names its file");
                let direct = self.files[file.0 as usize]
                    .as_ref()
                    .is_some_and(|f| f.direct);
                self.counters.bytes_written += result as u64;
                let mut end = *written + result as usize;
                if end >= bytes.len() {
                    return done;
                }
                if direct {
                    end -= end % BLOCK;
                }
                if end <= *written {
                    // No progress: a disk that takes nothing is broken.
                    return Turn::Finished(Err(DiskError::IO));
                }
                *written = end;
                Turn::Again
            }
            Step::Read {
                into,
                done: read,
                want,
                ..
            } => {
                if result < 0 {
                    return failed;
                }
                let file = op.file.expect("a read names its file");
                let direct = self.files[file.0 as usize]
                    .as_ref()
                    .is_some_and(|f| f.direct);
                self.counters.bytes_read += result as u64;
                *read += result as usize;
                // Short and unaligned is the end of a file read directly; elsewhere only nothing is.
                let over = result == 0 || *read >= *want || (direct && !read.is_multiple_of(BLOCK));
                if !over {
                    return Turn::Again;
                }
                let mut into = std::mem::take(into);
                filled(&mut into, *read);
                Turn::Finished(Ok(DiskOutcome::Read(into)))
            }
            Step::OpenDirectory { .. } => {
                if result < 0 {
                    return failed;
                }
                op.step = Step::SyncDirectory {
                    directory: Some(adopt(result)),
                };
                Turn::Again
            }
            // Linux has given the number back before it says so: it may be another file's by now.
            Step::Close if interrupted => done,
            Step::MakeDirectory { .. } if result == -libc::EEXIST => done,
            Step::Unlink { .. } if result == -libc::ENOENT => done,
            Step::Close
            | Step::Flush
            | Step::Allocate { .. }
            | Step::Truncate { .. }
            | Step::SyncDirectory { .. }
            | Step::MakeDirectory { .. }
            | Step::Unlink { .. }
            | Step::Rename { .. } => {
                if result < 0 {
                    failed
                } else {
                    done
                }
            }
        }
    }

    fn finish(&mut self, slot: u32, result: Result<DiskOutcome, DiskError>) -> DiskDone {
        let op = self.ops.remove(slot);
        if let Some(file) = op.file {
            let place = &mut self.files[file.0 as usize];
            let open = place.as_mut().expect("a file with an operation under way");
            open.in_flight -= 1;
            let gone = matches!(op.step, Step::Close);
            if gone {
                // The ring closed the descriptor, whatever it answered.
                if let Some(fd) = open.fd.take() {
                    std::mem::forget(fd);
                }
            }
            if gone || open.fd.is_none() {
                *place = None;
            }
        }
        DiskDone {
            token: op.token,
            result,
        }
    }

    fn issue(&mut self, slot: u32, ring: &mut Ring, memory: &Memory) -> Result<(), Fatal> {
        let root = Fd(self.root.as_raw_fd());
        let op = self.ops.get_mut(slot).expect("issued operation");
        let fd = op.file.and_then(|f| {
            let file = self.files[f.0 as usize].as_ref()?;
            file.fd.as_ref().map(|fd| Fd(fd.as_raw_fd()))
        });
        let file = || fd.expect("an operation on an open file");
        let entry = match &mut op.step {
            Step::Open {
                path,
                create,
                direct,
            } => {
                let mut flags = libc::O_RDWR | libc::O_CLOEXEC;
                if *create {
                    flags |= libc::O_CREAT;
                }
                if *direct {
                    flags |= libc::O_DIRECT;
                }
                opcode::OpenAt::new(root, path.as_ptr())
                    .flags(flags)
                    .mode(FILE_MODE)
                    .build()
            }
            Step::Close => opcode::Close::new(file()).build(),
            Step::Write {
                bytes,
                position,
                done,
            } => {
                let rest = &bytes[*done..];
                let at = *position + *done as u64;
                let len = rest.len().min(ENTRY_BYTES_MAX);
                match memory.find(rest.as_ptr() as usize, len) {
                    Some(index) => {
                        self.counters.fixed_writes += 1;
                        opcode::WriteFixed::new(file(), rest.as_ptr(), len as u32, index)
                            .offset(at)
                            .build()
                    }
                    None => opcode::Write::new(file(), rest.as_ptr(), len as u32)
                        .offset(at)
                        .build(),
                }
            }
            Step::Read {
                into,
                position,
                done,
                want,
            } => {
                let rest = &mut into.spare_capacity_mut()[*done..*want];
                let at = *position + *done as u64;
                let len = rest.len().min(ENTRY_BYTES_MAX);
                let start = rest.as_mut_ptr().cast::<u8>();
                match memory.find(start as usize, len) {
                    Some(index) => opcode::ReadFixed::new(file(), start, len as u32, index)
                        .offset(at)
                        .build(),
                    None => opcode::Read::new(file(), start, len as u32)
                        .offset(at)
                        .build(),
                }
            }
            Step::Flush => opcode::Fsync::new(file())
                .flags(FsyncFlags::DATASYNC)
                .build(),
            Step::Allocate { position, length } => opcode::Fallocate::new(file(), *length)
                .offset(*position)
                .build(),
            Step::Truncate { length } => opcode::Ftruncate::new(file(), *length).build(),
            Step::OpenDirectory { path } => opcode::OpenAt::new(root, path.as_ptr())
                .flags(libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC)
                .build(),
            Step::SyncDirectory { directory } => {
                opcode::Fsync::new(directory.as_ref().map_or(root, |d| Fd(d.as_raw_fd()))).build()
            }
            Step::MakeDirectory { path } => opcode::MkDirAt::new(root, path.as_ptr())
                .mode(DIRECTORY_MODE)
                .build(),
            Step::Unlink { path, flags } => opcode::UnlinkAt::new(root, path.as_ptr())
                .flags(*flags)
                .build(),
            Step::Rename { from, to } => {
                opcode::RenameAt::new(root, from.as_ptr(), root, to.as_ptr()).build()
            }
        };
        self.push(&entry.user_data(Kind::Disk.tag(slot)), ring)
    }

    #[expect(unsafe_code, reason = "pushes an entry")]
    fn push(&self, entry: &squeue::Entry, ring: &mut Ring) -> Result<(), Fatal> {
        // SAFETY: paths, bytes and buffers are heap memory owned by the operation in the slab, which frees it only in
        // `finish`, after the completion, and leaks it when dropped before. Moving the operation moves no heap memory.
        unsafe { ring.push(entry) }
    }

    fn reserve(&mut self, file: FileId) {
        assert!(file.0 < FILES_MAX, "{file:?} is out of range");
        let index = file.0 as usize;
        if self.files.len() <= index {
            self.files.resize_with(index + 1, || None);
        }
        assert!(self.files[index].is_none(), "{file:?} is taken");
        self.files[index] = Some(File {
            fd: None,
            direct: false,
            in_flight: 0,
        });
    }

    fn open_file(&self, file: FileId) -> &File {
        let open = self.files.get(file.0 as usize).and_then(Option::as_ref);
        let open = open.unwrap_or_else(|| panic!("{file:?} is not open"));
        assert!(open.fd.is_some(), "{file:?} is still being opened");
        open
    }

    fn descriptor(&self, file: FileId) -> RawFd {
        let fd = self.open_file(file).fd.as_ref();
        fd.expect("an open file").as_raw_fd()
    }

    fn answer(&mut self, token: DiskToken, result: Result<DiskOutcome, DiskError>) {
        self.ready.push_back(DiskDone { token, result });
    }

    fn list(&self, path: &str) -> Result<Vec<DirectoryEntry>, DiskError> {
        let path = if path.is_empty() {
            self.root_path.clone()
        } else {
            check_inside(path);
            self.root_path.join(path)
        };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|e| disk_error(&e))? {
            let entry = entry.map_err(|e| disk_error(&e))?;
            // A name that is no text is not ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let meta = entry.metadata().map_err(|e| disk_error(&e))?;
            entries.push(DirectoryEntry {
                name,
                directory: meta.is_dir(),
                length: meta.len(),
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

fn disk_error(error: &io::Error) -> DiskError {
    DiskError {
        errno: error.raw_os_error().unwrap_or(libc::EIO),
    }
}

fn check_inside(path: &str) {
    let sound = !path.is_empty()
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    assert!(sound, "path {path:?} is not relative to the data directory");
}

fn inside(path: &str) -> CString {
    check_inside(path);
    CString::new(path).expect("a path without NUL")
}

fn check_aligned(direct: bool, addr: usize, position: u64, len: usize) {
    let aligned = addr.is_multiple_of(BLOCK)
        && position.is_multiple_of(BLOCK as u64)
        && len.is_multiple_of(BLOCK);
    assert!(
        !direct || aligned,
        "direct IO at {addr:#x}, position {position}, length {len} is unaligned"
    );
}

#[expect(unsafe_code, reason = "takes a descriptor the ring has opened")]
fn adopt(fd: i32) -> OwnedFd {
    // SAFETY: the completion of an open handed us this descriptor; nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

#[expect(unsafe_code, reason = "claims the bytes the kernel has written")]
fn filled(into: &mut BytesMut, read: usize) {
    assert!(read <= into.capacity(), "read past the buffer");
    // SAFETY: the buffer was empty, and the kernel has written `read` bytes from its start on.
    unsafe { into.set_len(read) };
}

/// For kernels before 6.9, which cannot truncate through a ring: rare, and short on a file of ours.
#[expect(unsafe_code, reason = "ftruncate")]
fn truncate(fd: RawFd, length: u64) -> Result<(), DiskError> {
    // SAFETY: a descriptor we own, no pointers.
    if unsafe { libc::ftruncate(fd, length as libc::off_t) } == 0 {
        Ok(())
    } else {
        Err(disk_error(&io::Error::last_os_error()))
    }
}

#[cfg(test)]
mod tests;
