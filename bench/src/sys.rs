//! The few kernel calls std does not offer: epoll with nanoseconds, one clock for all processes, CPU times, signals.
//!
//! Besides `floor/ring.rs` the only place of this crate with `unsafe`.

#![expect(unsafe_code, reason = "libc calls; each block says why it is sound")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Nanoseconds of `CLOCK_MONOTONIC`: the same number in every process of this host, so it may travel in a record.
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// CPU nanoseconds, user and system, that this process has burnt so far.
pub fn own_cpu() -> u64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Milliseconds since 1970, for record timestamps.
pub fn wall_ms() -> i64 {
    (clock(libc::CLOCK_REALTIME) / 1_000_000) as i64
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut at = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `at` is a live timespec that the kernel fills; the ids used here exist on every Linux.
    let rc = unsafe { libc::clock_gettime(id, &mut at) };
    assert_eq!(rc, 0, "clock {id} exists");
    at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
}

/// Drops what is cached of a file; all of it must have been synced.
pub fn drop_cache(file: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: the descriptor is open for the length of the call; no pointer is passed.
    match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// A file's pages in this process, for looking at and holding its page cache; the bytes themselves are never touched.
#[derive(Debug)]
pub struct Mapping {
    at: *mut libc::c_void,
    bytes: usize,
}

// SAFETY: the address is only ever named to the kernel; nothing reads or writes through it.
unsafe impl Send for Mapping {}
// SAFETY: as above; the calls below may be made by several threads at once.
unsafe impl Sync for Mapping {}

/// Bytes of one page of memory.
const PAGE_BYTES: usize = 4096;

impl Mapping {
    /// The first `bytes` of `file`, at least one.
    pub fn of(file: &impl AsRawFd, bytes: usize) -> io::Result<Mapping> {
        let (access, kind) = (libc::PROT_READ, libc::MAP_SHARED);
        let fd = file.as_raw_fd();
        // SAFETY: the kernel chooses the address, so nothing of ours is replaced; the descriptor is open.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, fd, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping { at, bytes })
    }

    /// Bytes that are mapped.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// One byte per page of the range, its lowest bit set where the page is in memory.
    pub fn resident(&self, from: usize, bytes: usize) -> io::Result<Vec<u8>> {
        let bytes = bytes.min(self.bytes.saturating_sub(from));
        let mut pages = vec![0; bytes.div_ceil(PAGE_BYTES)];
        // SAFETY: the range lies in the mapping, and `pages` has one byte for each of its pages.
        if unsafe { libc::mincore(self.at.byte_add(from), bytes, pages.as_mut_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(pages)
    }

    /// Maps the pages of a range that are in memory and marks them old: still the first to go when memory is wanted.
    pub fn hold(&self, from: usize, bytes: usize) -> io::Result<()> {
        let bytes = bytes.min(self.bytes.saturating_sub(from));
        for advice in [libc::MADV_POPULATE_READ, libc::MADV_COLD] {
            // SAFETY: the range lies in the mapping; neither advice changes a byte of it.
            if unsafe { libc::madvise(self.at.byte_add(from), bytes, advice) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `of` mapped, and nothing refers into it.
        unsafe { libc::munmap(self.at, self.bytes) };
    }
}

/// Pins one thread of any process to a CPU.
pub fn pin_thread(thread: u32, cpu: usize) -> io::Result<()> {
    let mut set = [0_u64; 16];
    set[cpu / 64] |= 1 << (cpu % 64);
    // SAFETY: `set` is a live mask of the length passed; the kernel only reads it.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_sched_setaffinity,
            thread as libc::pid_t,
            size_of_val(&set),
            set.as_ptr(),
        )
    };
    if rc < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// What a socket is ready for.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The number given to [`Epoll::add`].
    pub token: u64,
    /// Bytes, an end or an error wait to be read.
    pub readable: bool,
    /// The send buffer has room again.
    pub writable: bool,
}

/// One epoll set, edge triggered.
pub struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    /// An empty set that reports at most `events_max` sockets per call.
    pub fn new(events_max: usize) -> io::Result<Epoll> {
        // SAFETY: no pointer is passed.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just opened and nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Epoll {
            fd,
            events: vec![libc::epoll_event { events: 0, u64: 0 }; events_max],
        })
    }

    /// Watches a socket for both directions, edge triggered. Closing the socket ends it.
    pub fn add(&self, socket: &impl AsRawFd, token: u64) -> io::Result<()> {
        let events = (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event { events, u64: token };
        // SAFETY: both descriptors are open for the length of the call, `event` is a live value.
        let rc = unsafe {
            libc::epoll_ctl(
                self.fd.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                socket.as_raw_fd(),
                &mut event,
            )
        };
        if rc < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Waits at most `timeout_ns` and hands each ready socket to `each`. A signal ends the wait early.
    pub fn wait(&mut self, timeout_ns: u64, mut each: impl FnMut(Ready)) -> io::Result<()> {
        let timeout = libc::timespec {
            tv_sec: (timeout_ns / 1_000_000_000) as i64,
            tv_nsec: (timeout_ns % 1_000_000_000) as i64,
        };
        // SAFETY: `events` is a live array of the length passed; `timeout` outlives the call; no signal mask.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                self.events.len() as libc::c_int,
                &timeout as *const libc::timespec,
                std::ptr::null::<libc::sigset_t>(),
                8_usize,
            )
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted {
                Ok(())
            } else {
                Err(error)
            };
        }
        for event in &self.events[..count as usize] {
            let (events, token) = (event.events as i32, event.u64);
            let broken = libc::EPOLLERR | libc::EPOLLHUP | libc::EPOLLRDHUP;
            each(Ready {
                token,
                readable: events & (libc::EPOLLIN | broken) != 0,
                writable: events & libc::EPOLLOUT != 0,
            });
        }
        Ok(())
    }
}

/// Asks the kernel to wake this thread's timers on time instead of up to 50 µs later.
pub fn exact_timers() {
    // SAFETY: no pointer is passed; the slack concerns this thread only.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_usize, 0, 0, 0) };
}

/// Lets whoever wakes up on this thread's CPU go first, for a thread that never sleeps: it asks for the longest slice, and
/// Linux from 6.12 on has a waking thread with a shorter one take its place at once. Otherwise the kernel's workers that end
/// a broker's writes would wait for a tick, milliseconds. Older kernels take no notice.
pub fn let_others_go_first() {
    // SAFETY: all zeros are a valid `sched_attr`: the usual policy, nice 0.
    let mut attr: libc::sched_attr = unsafe { std::mem::zeroed() };
    attr.size = size_of::<libc::sched_attr>() as u32;
    attr.sched_runtime = SLICE_NS_MAX;
    // SAFETY: `attr` is as large as it says, and is only read; thread 0 is this one.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
}

/// The longest slice that the scheduler takes.
const SLICE_NS_MAX: u64 = 100_000_000;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// True once Ctrl-C or SIGTERM came, after [`catch_interrupts`].
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// From now on the first Ctrl-C or SIGTERM only sets [`interrupted`]; the second ends the process.
pub fn catch_interrupts() {
    extern "C" fn on_signal(signal: libc::c_int) {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            // SAFETY: `_exit` is async-signal-safe.
            unsafe { libc::_exit(128 + signal) };
        }
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler touches one atomic and may call `_exit`, both async-signal-safe.
        unsafe {
            libc::signal(
                signal,
                on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t,
            )
        };
    }
}

/// Sends a signal to a process that this program started.
pub fn kill(pid: u32, signal: i32) {
    // SAFETY: no pointer is passed.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// Clock ticks per second of `/proc/*/stat`.
pub fn ticks_per_second() -> u64 {
    // SAFETY: no pointer is passed.
    unsafe { libc::sysconf(libc::_SC_CLK_TCK) as u64 }
}

/// Raises the limit of open files to the hard limit; hundreds of connections need it.
pub fn raise_open_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live value that the kernel reads and fills.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Flushes a file's data: `fdatasync`.
pub fn fdatasync(fd: RawFd) -> io::Result<()> {
    // SAFETY: no pointer is passed; a bad descriptor is an error.
    if unsafe { libc::fdatasync(fd) } < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
