//! One io_uring of one shard thread: one `enter` per pass, completions copied out, nothing about what they mean.
//!
//! ```text
//!  push × n ──► submission queue ──► enter(wait) ──► kernel ──► completion queue ──► reap ──► drive loop, by kind
//!               full in mid-pass: submit early, keep completions for the next reap
//! ```
//!
//! Whoever pushes an entry owns the memory it points to until its completion came (see `slab`).

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::ptr::NonNull;
use std::time::Duration;

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{CompletionQueue, IoUring, Probe, SubmissionQueue, Submitter, opcode, squeue};

use crate::fatal::Fatal;

/// Entries of the submission queue; a pass may push more.
const SQ_ENTRIES: u32 = 512;
/// Entries of the completion queue: larger, because receives and sends of earlier passes complete in one.
const CQ_ENTRIES: u32 = 4096;
/// `[bounded, unbounded]` kernel workers per ring; 0 leaves the kernel's default. Bounded work is file work and already
/// limited to four per CPU; unbounded would be limited by the process limit only.
const WORKERS_MAX: [u32; 2] = [0, 16];

/// What a completion belongs to: the top byte of its user data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Nobody waits for it: cancels, closes, doorbells sent.
    Ignore = 0,
    Disk = 1,
    /// The shard's eventfd was written.
    Wake = 2,
    /// Another shard rang.
    Doorbell = 3,
    Accept = 4,
    Receive = 5,
    Send = 6,
    /// A doorbell that this shard rang has failed; the slot is the shard it was for.
    Rang = 7,
}

impl Kind {
    /// User data of an operation of this kind in this slot.
    pub const fn tag(self, slot: u32) -> u64 {
        (self as u64) << 56 | slot as u64
    }

    /// The kind and slot of user data made by [`Kind::tag`].
    pub fn of(user_data: u64) -> (Kind, u32) {
        let kind = match user_data >> 56 {
            0 => Kind::Ignore,
            1 => Kind::Disk,
            2 => Kind::Wake,
            3 => Kind::Doorbell,
            4 => Kind::Accept,
            5 => Kind::Receive,
            6 => Kind::Send,
            7 => Kind::Rang,
            other => panic!("completion of unknown kind {other}"),
        };
        (kind, user_data as u32)
    }
}

/// A completion, copied out of the ring.
#[derive(Clone, Copy, Debug)]
pub struct Cqe {
    pub user_data: u64,
    /// A count or descriptor, or minus an errno.
    pub result: i32,
    pub flags: u32,
}

/// How long [`Ring::enter`] waits for a completion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    No,
    For(Duration),
    Ever,
}

/// What the ring has done so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct RingCounters {
    /// `io_uring_enter` calls.
    pub enters: u64,
    /// Of these, the ones that a full submission queue forced in mid-pass.
    pub early_enters: u64,
    pub submitted: u64,
    pub completed: u64,
}

/// One ring. Made, used and dropped by one thread (SINGLE_ISSUER, DEFER_TASKRUN).
pub struct Ring {
    // The first three borrow from `owner` and are dropped before it: fields drop in order.
    submitter: Submitter<'static>,
    sq: SubmissionQueue<'static>,
    cq: CompletionQueue<'static>,
    /// Completions taken by an early enter, before the next reap.
    early: Vec<Cqe>,
    counters: RingCounters,
    deferred: bool,
    has_message_ring: bool,
    has_truncate: bool,
    owner: Owner,
}

/// The boxed ring behind a raw pointer, so that moving [`Ring`] does not claim unique access to it.
struct Owner(NonNull<IoUring>);

impl Drop for Owner {
    #[expect(unsafe_code, reason = "takes the box back")]
    fn drop(&mut self) {
        // SAFETY: the pointer came from `Box::into_raw` and is dropped once; the borrowing fields went before.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl Ring {
    /// Makes this thread's ring. Refusals by the host are explained (see [`explain`]).
    pub fn new() -> Result<Ring, Fatal> {
        let (ring, deferred) = build().map_err(|e| explain(&e))?;
        Ok(Ring::own(ring, deferred))
    }

    #[expect(
        unsafe_code,
        reason = "keeps the ring and its borrowed halves together"
    )]
    fn own(ring: IoUring, deferred: bool) -> Ring {
        let mut probe = Probe::new();
        let probed = ring.submitter().register_probe(&mut probe).is_ok();
        let has = |code: u8| probed && probe.is_supported(code);
        let owner = Owner(NonNull::from(Box::leak(Box::new(ring))));
        // SAFETY: the box lives until `owner` drops, after the three borrowers; nobody else makes a reference to it.
        let ring: &'static mut IoUring = unsafe { &mut *owner.0.as_ptr() };
        let (mut submitter, sq, cq) = ring.split();
        // Both are optimisations; a kernel that refuses them works without.
        let _ = submitter.register_ring_fd();
        let _ = submitter.register_iowq_max_workers(&mut WORKERS_MAX.clone());
        Ring {
            submitter,
            sq,
            cq,
            early: Vec::new(),
            counters: RingCounters::default(),
            deferred,
            has_message_ring: has(opcode::MsgRingData::CODE),
            has_truncate: has(opcode::Ftruncate::CODE),
            owner,
        }
    }

    /// The descriptor that other rings name in MSG_RING.
    #[expect(unsafe_code, reason = "reads the descriptor behind the owner pointer")]
    pub fn fd(&self) -> RawFd {
        // SAFETY: the ring lives as long as `owner`; the descriptor field is never written after the start.
        unsafe { self.owner.0.as_ref() }.as_raw_fd()
    }

    pub fn counters(&self) -> RingCounters {
        self.counters
    }

    /// Whether the kernel runs completions only inside `enter` (6.1 and later).
    pub fn deferred(&self) -> bool {
        self.deferred
    }

    pub fn has_message_ring(&self) -> bool {
        self.has_message_ring
    }

    /// IORING_OP_FTRUNCATE: 6.9 and later.
    pub fn has_truncate(&self) -> bool {
        self.has_truncate
    }

    pub fn submitter(&self) -> &Submitter<'static> {
        &self.submitter
    }

    /// Queues an entry for the next enter; a full queue is submitted first.
    ///
    /// # Safety
    ///
    /// Everything the entry points to stays valid and untouched by others until its last completion was reaped, or, for
    /// what the kernel copies at submission (paths, message headers), until the next enter.
    ///
    /// # Errors
    ///
    /// As [`Ring::enter`].
    #[expect(unsafe_code, reason = "the kernel will use the entry's pointers")]
    pub unsafe fn push(&mut self, entry: &squeue::Entry) -> Result<(), Fatal> {
        loop {
            // SAFETY: the caller's promise.
            if unsafe { self.sq.push(entry) }.is_ok() {
                return Ok(());
            }
            self.counters.early_enters += 1;
            self.enter(Wait::No)?;
            if self.sq.is_full() {
                // The kernel wants its completions taken first.
                let mut early = std::mem::take(&mut self.early);
                self.take(&mut early);
                self.early = early;
            }
        }
    }

    /// Submits what was pushed and waits as asked for at least one completion.
    ///
    /// # Errors
    ///
    /// [`Fatal::Host`] when the kernel refuses the call itself; interruptions and a full completion queue are no errors.
    pub fn enter(&mut self, wait: Wait) -> Result<(), Fatal> {
        self.sq.sync();
        self.cq.sync();
        let idle = self.sq.is_empty() && !self.sq.taskrun() && !self.sq.cq_overflow();
        let wait = if self.cq.is_empty() && self.early.is_empty() {
            wait
        } else {
            Wait::No
        };
        if idle && wait == Wait::No {
            return Ok(());
        }
        let queued = self.sq.len();
        let timeout;
        let (want, args) = match wait {
            Wait::No => (0, SubmitArgs::new()),
            Wait::Ever => (1, SubmitArgs::new()),
            Wait::For(by) => {
                timeout = Timespec::from(by);
                (1, SubmitArgs::new().timespec(&timeout))
            }
        };
        self.counters.enters += 1;
        let answer = self.submitter.submit_with_args(want, &args);
        self.sq.sync();
        self.counters.submitted += queued.saturating_sub(self.sq.len()) as u64;
        match answer {
            Ok(_) => Ok(()),
            Err(e) => match e.raw_os_error() {
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
                _ => Err(Fatal::Host(format!("io_uring_enter failed: {e}"))),
            },
        }
    }

    /// Appends all completions that are there to `into`.
    pub fn reap(&mut self, into: &mut Vec<Cqe>) {
        into.append(&mut self.early);
        self.take(into);
    }

    fn take(&mut self, into: &mut Vec<Cqe>) {
        self.cq.sync();
        let before = into.len();
        into.extend((&mut self.cq).map(|c| Cqe {
            user_data: c.user_data(),
            result: c.result(),
            flags: c.flags(),
        }));
        self.cq.sync();
        self.counters.completed += (into.len() - before) as u64;
    }
}

/// The ring, and whether it defers completions.
fn build() -> io::Result<(IoUring, bool)> {
    let deferred = IoUring::builder()
        .setup_cqsize(CQ_ENTRIES)
        .setup_submit_all()
        .setup_clamp()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .build(SQ_ENTRIES);
    match deferred {
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok((build_plain()?, false)),
        other => Ok((other?, true)),
    }
}

/// For a kernel that knows no deferred completions.
fn build_plain() -> io::Result<IoUring> {
    IoUring::builder()
        .setup_cqsize(CQ_ENTRIES)
        .setup_clamp()
        .setup_coop_taskrun()
        .setup_taskrun_flag()
        .build(SQ_ENTRIES)
}

/// Says why the kernel gave no ring, and what to change.
pub fn explain(error: &io::Error) -> Fatal {
    let switch = std::fs::read_to_string(Path::new("/proc/sys/kernel/io_uring_disabled"))
        .ok()
        .and_then(|s| s.trim().parse::<u32>().ok())
        .unwrap_or(0);
    explain_errno(error.raw_os_error().unwrap_or(0), switch)
}

fn explain_errno(errno: i32, switch: u32) -> Fatal {
    Fatal::Host(match (errno, switch) {
        (libc::EPERM, 2) => "io_uring is off for everyone (sysctl kernel.io_uring_disabled = 2); \
             run `sysctl -w kernel.io_uring_disabled=0`"
            .into(),
        (libc::EPERM, 1) => "io_uring is off for ordinary users (sysctl kernel.io_uring_disabled = 1); \
             run `sysctl -w kernel.io_uring_disabled=0`, or put this user into the group named by \
             kernel.io_uring_group"
            .into(),
        (libc::EPERM | libc::EACCES, _) => {
            "io_uring is forbidden to this process, most likely by the container's seccomp profile; \
             allow io_uring_setup, io_uring_enter and io_uring_register (Docker: \
             `--security-opt seccomp=PROFILE`)"
                .into()
        }
        (libc::ENOSYS, _) => "this kernel has no io_uring, or a seccomp profile hides it; \
             Linux 6.1 or later with CONFIG_IO_URING is needed"
            .into(),
        (libc::ENOMEM, _) => "no memory for an io_uring: raise the memory or locked-memory limit \
             (`ulimit -l`, LimitMEMLOCK=)"
            .into(),
        (libc::EMFILE | libc::ENFILE, _) => "too few file descriptors for an io_uring: raise `ulimit -n`".into(),
        _ => format!("io_uring_setup failed: {}", io::Error::from_raw_os_error(errno)),
    })
}

#[cfg(test)]
#[expect(unsafe_code, reason = "pushes entries")]
mod tests {
    use super::*;

    #[test]
    fn more_entries_than_the_queue_holds() {
        let mut ring = Ring::new().unwrap();
        let mut seen = Vec::new();
        let total = SQ_ENTRIES * 3 + 7;
        for slot in 0..total {
            let nop = opcode::Nop::new().build().user_data(Kind::Disk.tag(slot));
            // SAFETY: a no-op points to nothing.
            unsafe { ring.push(&nop) }.unwrap();
        }
        while seen.len() < total as usize {
            ring.enter(Wait::Ever).unwrap();
            ring.reap(&mut seen);
        }
        let mut slots: Vec<u32> = seen.iter().map(|c| Kind::of(c.user_data).1).collect();
        slots.sort_unstable();
        assert_eq!(slots, (0..total).collect::<Vec<_>>());
        assert_eq!(ring.counters().submitted, u64::from(total));
    }

    #[test]
    fn overflowing_completions_are_kept() {
        let mut ring = Ring::new().unwrap();
        let total = CQ_ENTRIES * 3;
        for slot in 0..total {
            let nop = opcode::Nop::new().build().user_data(Kind::Disk.tag(slot));
            // SAFETY: a no-op points to nothing.
            unsafe { ring.push(&nop) }.unwrap();
        }
        let mut seen = Vec::new();
        while seen.len() < total as usize {
            ring.enter(Wait::Ever).unwrap();
            ring.reap(&mut seen);
        }
        assert_eq!(seen.len(), total as usize);
    }

    #[test]
    fn waits_end_in_time() {
        let mut ring = Ring::new().unwrap();
        let start = std::time::Instant::now();
        ring.enter(Wait::For(Duration::from_millis(30))).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(29));
        ring.enter(Wait::No).unwrap();
        assert_eq!(ring.counters().enters, 1, "nothing to do, no call");
    }

    #[test]
    fn a_ring_without_deferred_completions_works() {
        let mut ring = Ring::own(build_plain().unwrap(), false);
        let nop = opcode::Nop::new().build().user_data(Kind::Send.tag(5));
        // SAFETY: a no-op points to nothing.
        unsafe { ring.push(&nop) }.unwrap();
        ring.enter(Wait::Ever).unwrap();
        let mut seen = Vec::new();
        ring.reap(&mut seen);
        assert_eq!(Kind::of(seen[0].user_data), (Kind::Send, 5));
    }

    #[test]
    fn refusals_say_what_to_change() {
        let text = |errno, switch| explain_errno(errno, switch).to_string();
        assert!(text(libc::EPERM, 2).contains("io_uring_disabled=0"));
        assert!(text(libc::EPERM, 0).contains("seccomp"));
        assert!(text(libc::ENOSYS, 0).contains("6.1"));
    }
}
