//! Both clocks, read once per pass.

use std::time::Duration;

use crate::types::{Instant, Now, Timestamp};

/// Reads the monotonic and the wall clock (vDSO calls, no system call).
pub fn now() -> Now {
    Now {
        mono: monotonic(),
        wall: wall(),
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub fn monotonic() -> Instant {
    let (s, ns) = read(libc::CLOCK_MONOTONIC);
    Instant(s as u64 * 1_000_000_000 + ns as u64)
}

/// `CLOCK_REALTIME` in milliseconds since the Unix epoch.
pub fn wall() -> Timestamp {
    let (s, ns) = read(libc::CLOCK_REALTIME);
    Timestamp(s * 1_000 + ns / 1_000_000)
}

/// What the calling thread has used of its CPU: a system call.
pub fn thread_cpu() -> Duration {
    let (s, ns) = read(libc::CLOCK_THREAD_CPUTIME_ID);
    Duration::new(s as u64, ns as u32)
}

#[expect(unsafe_code, reason = "clock_gettime")]
fn read(clock: libc::clockid_t) -> (i64, i64) {
    let mut at = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `at` is a valid timespec for the call to fill.
    let answer = unsafe { libc::clock_gettime(clock, &mut at) };
    assert!(answer == 0, "clock_gettime({clock}) failed");
    (at.tv_sec, at.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_advance() {
        let a = now();
        let b = now();
        assert!(b.mono >= a.mono);
        assert!(a.wall.0 > 1_600_000_000_000);
    }
}
