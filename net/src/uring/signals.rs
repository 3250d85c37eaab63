//! Signals and the end of the shards, waited for by the thread that called `run`.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;

use corelane_engine::uring::wake::ring_eventfd;

/// Asks a running broker to stop, as SIGTERM does; a second request changes nothing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<OwnedFd>);

impl StopHandle {
    /// # Errors
    ///
    /// When the process has no descriptors left.
    pub fn new() -> io::Result<StopHandle> {
        Ok(StopHandle(Arc::new(eventfd()?)))
    }

    pub fn stop(&self) {
        ring_eventfd(self.0.as_raw_fd());
    }
}

/// What ended [`Watch::wait`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Woken {
    Signal(i32),
    StopAsked,
    ShardsEnded,
}

/// The descriptors the calling thread sleeps on. While it lives SIGTERM and SIGINT are blocked in this thread and those it
/// starts.
pub(super) struct Watch {
    signals: Option<OwnedFd>,
    before: libc::sigset_t,
    stop: Option<StopHandle>,
    ended: Arc<OwnedFd>,
}

impl Watch {
    #[expect(unsafe_code, reason = "signal masks and signalfd")]
    pub(super) fn new(catch_signals: bool, stop: Option<StopHandle>) -> io::Result<Watch> {
        // SAFETY: a signal set is plain bits, for which zero is a value.
        let mut before: libc::sigset_t = unsafe { std::mem::zeroed() };
        let mut signals = None;
        if catch_signals {
            let set = stop_signals();
            // SAFETY: the calls read and fill valid sets.
            let fd = unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut before);
                libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
            };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: just made, owned by nobody else.
            signals = Some(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        Ok(Watch {
            signals,
            before,
            stop,
            ended: Arc::new(eventfd()?),
        })
    }

    /// Written by the last shard thread.
    pub(super) fn ended(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.ended)
    }

    /// Sleeps until one of them happens. A stop is told once.
    #[expect(unsafe_code, reason = "poll and read")]
    pub(super) fn wait(&mut self) -> Woken {
        loop {
            let watched = |fd: Option<i32>| libc::pollfd {
                fd: fd.unwrap_or(-1),
                events: libc::POLLIN,
                revents: 0,
            };
            let mut fds = [
                watched(Some(self.ended.as_raw_fd())),
                watched(self.signals.as_ref().map(|s| s.as_raw_fd())),
                watched(self.stop.as_ref().map(|s| s.0.as_raw_fd())),
            ];
            // SAFETY: `fds` is valid for its length; negative descriptors are skipped.
            let answer = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, -1) };
            if answer < 0 {
                continue;
            }
            if fds[0].revents != 0 {
                return Woken::ShardsEnded;
            }
            if fds[1].revents != 0 {
                // SAFETY: plain numbers, for which zero is a value.
                let mut came: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
                // SAFETY: reads at most one record into `came`.
                let len =
                    unsafe { libc::read(fds[1].fd, (&raw mut came).cast(), size_of_val(&came)) };
                if len == size_of_val(&came) as isize {
                    return Woken::Signal(came.ssi_signo as i32);
                }
            }
            if fds[2].revents != 0 {
                self.stop = None;
                return Woken::StopAsked;
            }
        }
    }
}

impl Drop for Watch {
    #[expect(unsafe_code, reason = "signal mask")]
    fn drop(&mut self) {
        if self.signals.is_some() {
            // SAFETY: the mask that `new` found.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
        }
    }
}

/// For a thread beside the shards: SIGTERM and SIGINT are for the one that runs them.
#[expect(unsafe_code, reason = "signal mask")]
pub fn block_signals() {
    let set = stop_signals();
    // SAFETY: reads a valid set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
}

#[expect(unsafe_code, reason = "signal sets")]
fn stop_signals() -> libc::sigset_t {
    // SAFETY: a signal set is plain bits, for which zero is a value; the calls fill it.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::sigaddset(&mut set, libc::SIGINT);
        set
    }
}

#[expect(unsafe_code, reason = "eventfd")]
fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the answer is checked.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
