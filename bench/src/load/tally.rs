//! What one thread counted, and how the counts of several become one.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

/// Latencies in nanoseconds, 1 µs to 60 s.
pub type Hist = Histogram<u64>;

/// An empty histogram with so many significant digits.
pub fn hist(digits: u8) -> Hist {
    Hist::new_with_bounds(1_000, 60_000_000_000, digits).expect("constant bounds")
}

/// Counts of one thread over the whole run. "Measured" = the send was due between the end of the warm-up and the stop.
#[derive(Clone)]
pub struct Tally {
    /// From the intended time (closed loop: from the send) to the answer; unanswered ones with their age at the end.
    pub latency: Hist,
    /// From the intended time to the arrival at a reader.
    pub end_to_end: Hist,
    /// From the intended time to the moment the tool got round to it.
    pub lateness: Hist,
    /// Measured sends that came due.
    pub due: u64,
    /// Measured sends that were acknowledged without an error.
    pub acked: u64,
    /// Measured sends without an answer at the end.
    pub unacked: u64,
    /// Errors by name, those of warm-up and drain too.
    pub errors: BTreeMap<String, u64>,
    /// Sends acknowledged while the measurement ran, whenever they were due.
    pub acks_in_time: u64,
    /// Batches that arrived at readers while the measurement ran.
    pub read_in_time: u64,
    /// Their bytes as read.
    pub read_bytes_in_time: u64,
    /// Records acknowledged over the whole run.
    pub records_acked: u64,
    /// Ids of all acknowledged sends, with `--verify`.
    pub acked_ids: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            latency: hist(3),
            end_to_end: hist(3),
            lateness: hist(3),
            due: 0,
            acked: 0,
            unacked: 0,
            errors: BTreeMap::new(),
            acks_in_time: 0,
            read_in_time: 0,
            read_bytes_in_time: 0,
            records_acked: 0,
            acked_ids: Vec::new(),
        }
    }
}

impl Tally {
    /// Counts an error.
    pub fn error(&mut self, name: String) {
        *self.errors.entry(name).or_default() += 1;
    }

    /// Adds another thread's counts.
    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in [
            (&mut self.latency, &other.latency),
            (&mut self.end_to_end, &other.end_to_end),
            (&mut self.lateness, &other.lateness),
        ] {
            mine.add(theirs).expect("the same bounds");
        }
        self.due += other.due;
        self.acked += other.acked;
        self.unacked += other.unacked;
        self.acks_in_time += other.acks_in_time;
        self.read_in_time += other.read_in_time;
        self.read_bytes_in_time += other.read_bytes_in_time;
        self.records_acked += other.records_acked;
        self.acked_ids.extend_from_slice(&other.acked_ids);
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_default() += count;
        }
    }
}

/// What one thread saw in one short interval; feeds the progress line and the curves over time.
#[derive(Clone)]
pub struct Window {
    /// Number of the interval, from the first send.
    pub index: u64,
    /// Acknowledged sends.
    pub acks: u64,
    /// Errors.
    pub errors: u64,
    /// Latencies of the answers that came in it.
    pub latency: Hist,
    /// Bytes read by readers.
    pub read_bytes: u64,
}

impl Window {
    /// An interval in which nothing happened yet.
    pub fn new(index: u64) -> Window {
        Window {
            index,
            acks: 0,
            errors: 0,
            latency: hist(2),
            read_bytes: 0,
        }
    }

    /// Adds another thread's interval of the same number.
    pub fn add(&mut self, other: &Window) {
        self.acks += other.acks;
        self.errors += other.errors;
        self.read_bytes += other.read_bytes;
        self.latency.add(&other.latency).expect("the same bounds");
    }
}
