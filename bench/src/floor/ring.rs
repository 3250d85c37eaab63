//! One io_uring with the broker's flags and one registered region: the only `unsafe` of the floor.
//!
//! All buffers are ranges of one region that is mapped once, touched, registered and never unmapped, so the kernel may
//! hold an address for as long as it likes. The machine in `floor.rs` keeps a range to itself or gives it to the kernel.

#![expect(
    unsafe_code,
    reason = "submissions carry raw addresses; each block says why they hold"
)]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use io_uring::types::{Fd, Fixed};
use io_uring::{IoUring, cqueue, opcode, squeue};

/// Submissions that fit between two `enter`s.
const ENTRIES: u32 = 1024;
/// Alignment of the region and of direct IO.
pub const BLOCK: usize = 4096;

/// The ring, its region and the file that is written or read.
pub struct Ring {
    ring: IoUring,
    base: *mut u8,
    length: usize,
    fixed: bool,
    file: RawFd,
    _file: File,
}

/// One completion.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// The submitter's number.
    pub token: u64,
    /// Bytes, a descriptor, or a negative error number.
    pub result: i32,
    /// A multishot submission goes on.
    pub more: bool,
}

impl Ring {
    /// A ring on this thread with a region of `length` bytes; `file` is used by reads, writes and flushes.
    pub fn new(length: usize, file: File) -> io::Result<Ring> {
        let mut builder = IoUring::builder();
        builder
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(ENTRIES * 4);
        let ring: IoUring = builder.build(ENTRIES)?;
        // SAFETY: a fresh anonymous mapping; no address is asked for. It is never unmapped.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let buffer = libc::iovec {
            iov_base: base,
            iov_len: length,
        };
        // SAFETY: the region is mapped for `length` bytes and stays mapped for ever.
        let fixed = unsafe { ring.submitter().register_buffers(&[buffer]) }.is_ok();
        ring.submitter().register_files(&[file.as_raw_fd()])?;
        let file_fd = file.as_raw_fd();
        Ok(Ring {
            ring,
            base: base.cast(),
            length,
            fixed,
            file: file_fd,
            _file: file,
        })
    }

    /// Whether the region is registered; RLIMIT_MEMLOCK may forbid it.
    pub fn registered(&self) -> bool {
        self.fixed
    }

    /// The bytes of a range that the kernel does not write at the moment.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: inside the mapping (asserted); the caller owns the range: no read or receive into it is submitted.
        unsafe { std::slice::from_raw_parts(self.base.add(range.start), range.len()) }
    }

    /// The bytes of a range that the kernel does not use at the moment.
    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: inside the mapping (asserted); the caller owns the range: nothing that uses it is submitted.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(range.start), range.len()) }
    }

    fn address(&self, range: &Range<usize>) -> *mut u8 {
        assert!(range.start < range.end && range.end <= self.length);
        // SAFETY: inside the mapping (asserted).
        unsafe { self.base.add(range.start) }
    }

    fn push(&mut self, entry: squeue::Entry, token: u64) -> io::Result<()> {
        let entry = entry.user_data(token);
        loop {
            // SAFETY: every address in an entry lies in the region, which is never unmapped; descriptors are checked
            // by the kernel.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return Ok(());
            }
            self.ring.submit()?;
        }
    }

    /// Accepts connections until told otherwise.
    pub fn accept(&mut self, listener: RawFd, token: u64) -> io::Result<()> {
        self.push(opcode::AcceptMulti::new(Fd(listener)).build(), token)
    }

    /// Receives into a range; with `whole`, completes only when it is full.
    pub fn receive(
        &mut self,
        socket: RawFd,
        to: Range<usize>,
        whole: bool,
        token: u64,
    ) -> io::Result<()> {
        let flags = if whole { libc::MSG_WAITALL } else { 0 };
        let entry = opcode::Recv::new(Fd(socket), self.address(&to), to.len() as u32);
        self.push(entry.flags(flags).build(), token)
    }

    /// Sends a range; completes when all is sent.
    pub fn send(&mut self, socket: RawFd, from: Range<usize>, token: u64) -> io::Result<()> {
        let entry = opcode::Send::new(Fd(socket), self.address(&from), from.len() as u32);
        self.push(entry.flags(libc::MSG_WAITALL).build(), token)
    }

    /// Writes whole blocks to the file.
    pub fn write(&mut self, from: Range<usize>, at: u64, token: u64) -> io::Result<()> {
        let (address, length) = (self.address(&from), from.len() as u32);
        let entry = if self.fixed {
            opcode::WriteFixed::new(Fixed(0), address, length, 0)
                .offset(at)
                .build()
        } else {
            opcode::Write::new(Fixed(0), address, length)
                .offset(at)
                .build()
        };
        self.push(entry, token)
    }

    /// Reads whole blocks of the file.
    pub fn read(&mut self, to: Range<usize>, at: u64, token: u64) -> io::Result<()> {
        let (address, length) = (self.address(&to), to.len() as u32);
        let entry = if self.fixed {
            opcode::ReadFixed::new(Fixed(0), address, length, 0)
                .offset(at)
                .build()
        } else {
            opcode::Read::new(Fixed(0), address, length)
                .offset(at)
                .build()
        };
        self.push(entry, token)
    }

    /// Flushes what was written.
    pub fn flush(&mut self, token: u64) -> io::Result<()> {
        let entry = opcode::Fsync::new(Fd(self.file)).flags(io_uring::types::FsyncFlags::DATASYNC);
        self.push(entry.build(), token)
    }

    /// Submits everything and waits for at least one completion or 100 ms: one `enter` per pass.
    pub fn pass(&mut self, done: &mut Vec<Done>) -> io::Result<()> {
        let wait = io_uring::types::Timespec::new().nsec(100_000_000);
        let args = io_uring::types::SubmitArgs::new().timespec(&wait);
        match self.ring.submitter().submit_with_args(1, &args) {
            Ok(_) => {}
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR)) => {}
            Err(error) => return Err(error),
        }
        for completion in self.ring.completion() {
            done.push(Done {
                token: completion.user_data(),
                result: completion.result(),
                more: cqueue::more(completion.flags()),
            });
        }
        Ok(())
    }
}

/// Takes over a descriptor that a completion of [`Ring::accept`] brought.
pub fn own(descriptor: i32) -> OwnedFd {
    assert!(descriptor >= 0);
    // SAFETY: the kernel has just opened it for this process and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}
