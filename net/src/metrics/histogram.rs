//! A histogram of durations over fixed bounds that double: a shift finds the bucket.
//!
//! ```text
//!  64 µs ─ 128 µs ─ 256 µs ─ … ─ 33.6 s ─ 67.1 s ─ beyond
//! ```

use std::time::Duration;

/// The first bound, in microseconds; each further one is twice the one before.
const FIRST_US: u64 = 64;

/// How many bounds there are. What is beyond the last has a bucket of its own.
pub const BOUNDS: usize = 21;

/// Plain counts: 184 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Histogram {
    buckets: [u64; BOUNDS + 1],
    sum_ns: u64,
}

impl Histogram {
    /// A division by a constant, a count of zeros, two additions.
    pub fn record(&mut self, duration: Duration) {
        // Durations here are differences of a clock of 64 bits of nanoseconds.
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // Bounds are inclusive, as Prometheus has them.
        let firsts = ns.saturating_sub(1) / (FIRST_US * 1_000);
        let bucket = (u64::BITS - firsts.leading_zeros()) as usize;
        self.buckets[bucket.min(BOUNDS)] += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// Each bound in microseconds, and how many durations were at most that long.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut total = 0;
        self.buckets[..BOUNDS]
            .iter()
            .enumerate()
            .map(move |(at, count)| {
                total += count;
                (FIRST_US << at, total)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_nothing_is_lost() {
        let last = FIRST_US << (BOUNDS - 1);
        // Nanoseconds, and the bound in microseconds that they belong below; 0: beyond.
        let cases = [
            (0, 64),
            (1, 64),
            (63_999, 64),
            (64_000, 64),
            (64_001, 128),
            (128_000, 128),
            (128_001, 256),
            (1_000_000, 1_024),
            (last * 1_000, last),
            (last * 1_000 + 1, 0),
            (u64::MAX, 0),
        ];
        for (ns, bound) in cases {
            let mut histogram = Histogram::default();
            histogram.record(Duration::from_nanos(ns));
            let first = histogram.cumulative().find(|(_, count)| *count > 0);
            assert_eq!(first.map_or(0, |(bound, _)| bound), bound, "{ns} ns");
            assert_eq!((histogram.count(), histogram.sum_ns()), (1, ns));
        }
        // Against the definition, over everything that matters.
        let mut histogram = Histogram::default();
        let samples: Vec<u64> = (0..4_000).map(|n: u64| n * n * 7_919).collect();
        samples
            .iter()
            .for_each(|ns| histogram.record(Duration::from_nanos(*ns)));
        for (bound, count) in histogram.cumulative() {
            let below = samples.iter().filter(|ns| **ns <= bound * 1_000).count();
            assert_eq!(count, below as u64, "{bound} µs");
        }
        assert_eq!(histogram.count(), samples.len() as u64);
        assert_eq!(histogram.sum_ns(), samples.iter().sum::<u64>());
    }
}
