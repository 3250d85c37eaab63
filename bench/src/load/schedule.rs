//! When each send of an open loop is due: send i at t0 + i/λ, whatever became of the sends before.

/// One thread's share of the schedule: sends `first`, `first + step`, … of the whole run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    t0: u64,
    interval_ns: f64,
    next: u64,
    step: u64,
}

impl Schedule {
    /// `sends_per_second` over all threads; this is thread `first` of `step`.
    pub fn new(t0: u64, sends_per_second: f64, first: u64, step: u64) -> Schedule {
        assert!(
            sends_per_second > 0.0,
            "a rate of {sends_per_second}/s sends nothing"
        );
        Schedule {
            t0,
            interval_ns: 1e9 / sends_per_second,
            next: first,
            step,
        }
    }

    /// When the next send is due, nanoseconds of the monotonic clock. Computed from i, so errors do not add up.
    pub fn due(&self) -> u64 {
        self.t0 + (self.next as f64 * self.interval_ns) as u64
    }

    /// On to the send after it.
    pub fn advance(&mut self) {
        self.next += self.step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_share_one_even_schedule() {
        let mut due = Vec::new();
        for thread in 0..3 {
            let mut schedule = Schedule::new(1_000, 1_000_000.0, thread, 3);
            for _ in 0..4 {
                due.push(schedule.due());
                schedule.advance();
            }
        }
        due.sort_unstable();
        assert_eq!(due, (0..12).map(|i| 1_000 + i * 1_000).collect::<Vec<_>>());
    }
}
