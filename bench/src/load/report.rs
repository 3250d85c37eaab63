//! The result of a run: numbers that explain themselves, as a table, JSON and an HdrHistogram log.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use serde::Serialize;

use super::admin::Verified;
use super::plan::Plan;
use super::tally::{Hist, Window, hist};
use crate::machine::{Cpu, Machine};

/// Latencies of one kind, microseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Latency {
    /// Samples.
    pub count: u64,
    /// Mean.
    pub mean_us: f64,
    /// Half were faster.
    pub p50_us: f64,
    /// 90 %.
    pub p90_us: f64,
    /// 99 %.
    pub p99_us: f64,
    /// 99.9 %.
    pub p999_us: f64,
    /// 99.99 %.
    pub p9999_us: f64,
    /// The slowest.
    pub max_us: f64,
    /// `[percentile, µs]` for the curve.
    pub curve: Vec<(f64, f64)>,
}

impl Latency {
    /// Reads a histogram of nanoseconds.
    pub fn of(hist: &Hist) -> Latency {
        let at = |quantile: f64| {
            if hist.is_empty() {
                0.0
            } else {
                hist.value_at_quantile(quantile) as f64 / 1e3
            }
        };
        let mut curve = Vec::new();
        for step in hist.iter_quantiles(5) {
            curve.push((
                step.quantile() * 100.0,
                step.value_iterated_to() as f64 / 1e3,
            ));
        }
        Latency {
            count: hist.len(),
            mean_us: if hist.is_empty() {
                0.0
            } else {
                hist.mean() / 1e3
            },
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            p9999_us: at(0.9999),
            max_us: if hist.is_empty() {
                0.0
            } else {
                hist.max() as f64 / 1e3
            },
            curve,
        }
    }
}

/// One point of the curves over time.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Seconds since the first send, warm-up included.
    pub at_s: f64,
    /// MB/s acknowledged, before compression.
    pub mb_per_s: f64,
    /// Requests per second acknowledged.
    pub requests_per_s: f64,
    /// p99 of the answers that came.
    pub p99_us: f64,
    /// MB/s that readers received.
    pub read_mb_per_s: f64,
    /// Errors.
    pub errors: u64,
}

/// Everything that a run has shown.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// `open loop` or `closed loop (throughput only)`.
    pub mode: String,
    /// Why the run must not be used, if so.
    pub rejected: Option<String>,
    /// Stopped by Ctrl-C before its time.
    pub interrupted: bool,
    /// Seconds that were measured.
    pub seconds: f64,
    /// Requests per second that were asked for, in an open loop.
    pub asked_requests_per_s: f64,
    /// Requests acknowledged per second.
    pub requests_per_s: f64,
    /// 10⁶ bytes of batches acknowledged per second, before compression.
    pub mb_per_s: f64,
    /// The same after compression.
    pub wire_mb_per_s: f64,
    /// Records acknowledged per second.
    pub records_per_s: f64,
    /// 10⁶ bytes per second that readers received, as stored.
    pub read_mb_per_s: f64,
    /// Bytes of one batch before compression.
    pub batch_bytes: u64,
    /// Bytes of one batch as sent.
    pub batch_wire_bytes: u64,
    /// Records of one batch.
    pub batch_records: u32,
    /// Measured sends that came due.
    pub due: u64,
    /// Measured sends acknowledged.
    pub acked: u64,
    /// Measured sends without an answer at the end; their age is in the latencies.
    pub unacked: u64,
    /// Records that were acknowledged and did not reach a reader by the end, over all readers.
    pub undelivered: u64,
    /// Errors by name, over the whole run.
    pub errors: BTreeMap<String, u64>,
    /// From the intended time to the answer (closed loop: from the send).
    pub latency: Latency,
    /// From the intended time to the arrival at a reader.
    pub end_to_end: Latency,
    /// The tool's own delay.
    pub lateness: Latency,
    /// CPU seconds burnt while measuring.
    pub cpu: Cpu,
    /// CPU seconds of all but this tool, per GiB acknowledged (before compression).
    pub others_cpu_s_per_gib: f64,
    /// CPU microseconds of all but this tool, per request.
    pub others_cpu_us_per_request: f64,
    /// CPU seconds of the broker's processes per GiB; 0 without `--broker-pid`.
    pub broker_cpu_s_per_gib: f64,
    /// This tool's share of one core.
    pub own_cores: f64,
    /// Peak resident bytes of the broker's processes.
    pub broker_rss_peak: u64,
    /// p99.9 of the answers in the first and in the last sixth of the measurement.
    pub edges_p999_us: (f64, f64),
    /// Result of `--verify`.
    pub verified: Option<Verified>,
    /// Rate and p99 over time.
    pub series: Vec<Point>,
    /// The options.
    pub plan: Plan,
    /// Where it ran.
    pub machine: Machine,
    /// Latencies in full, for the log.
    #[serde(skip)]
    pub latency_hist: Hist,
    /// End-to-end latencies in full.
    #[serde(skip)]
    pub end_to_end_hist: Hist,
}

/// Share of a run's p99.9 that its own lateness may reach.
const LATENESS_SHARE_MAX: f64 = 0.1;

/// Why a run was too late to be believed.
pub fn judge_lateness(latency: &Latency, lateness: &Latency) -> Option<String> {
    if lateness.count == 0 || lateness.p999_us <= LATENESS_SHARE_MAX * latency.p999_us {
        return None;
    }
    Some(format!(
        "the tool itself was late: p99.9 of its lateness is {}, more than a tenth of the measured p99.9 of {}. \
         Give it a core of its own (--cores), --spin 200us, a lower rate or fewer connections.",
        duration(lateness.p999_us),
        duration(latency.p999_us)
    ))
}

/// Microseconds with a fitting unit and three digits.
pub fn duration(us: f64) -> String {
    let (value, unit) = match us {
        us if us < 1e3 => (us, "µs"),
        us if us < 1e6 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$} {unit}")
}

/// Bytes with a binary unit.
pub fn bytes(count: u64) -> String {
    match count as f64 {
        count if count < 1024.0 => format!("{count} B"),
        count if count < 1_048_576.0 => format!("{:.1} KiB", count / 1024.0),
        count if count < 1_073_741_824.0 => format!("{:.1} MiB", count / 1_048_576.0),
        count => format!("{:.2} GiB", count / 1_073_741_824.0),
    }
}

/// The curve's points, from the merged windows.
pub fn series(
    windows: &BTreeMap<u64, Window>,
    window: Duration,
    plain_bytes: u64,
    windows_in_full: u64,
) -> Vec<Point> {
    let seconds = window.as_secs_f64();
    let point = |window: &Window| Point {
        at_s: window.index as f64 * seconds,
        mb_per_s: window.acks as f64 * plain_bytes as f64 / 1e6 / seconds,
        requests_per_s: window.acks as f64 / seconds,
        p99_us: if window.latency.is_empty() {
            0.0
        } else {
            window.latency.value_at_quantile(0.99) as f64 / 1e3
        },
        read_mb_per_s: window.read_bytes as f64 / 1e6 / seconds,
        errors: window.errors,
    };
    windows
        .values()
        .filter(|window| window.index < windows_in_full)
        .map(point)
        .collect()
}

/// p99.9 of the first and of the last sixth of the measured windows: a broker that ages shows it here.
pub fn edges(
    windows: &BTreeMap<u64, Window>,
    window_ns: u64,
    warmup: Duration,
    windows_in_full: u64,
) -> (f64, f64) {
    let first = (warmup.as_nanos() as u64).div_ceil(window_ns);
    let sixth = windows_in_full.saturating_sub(first).div_ceil(6);
    let p999 = |from: u64, end: u64| {
        let mut all = hist(2);
        for window in windows.values() {
            if (from..end).contains(&window.index) {
                all.add(&window.latency).expect("the same bounds");
            }
        }
        Latency::of(&all).p999_us
    };
    let last = windows_in_full.saturating_sub(sixth).max(first);
    (p999(first, first + sixth), p999(last, windows_in_full))
}

impl Outcome {
    /// The result for people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        // A String takes everything.
        let _ = self.write_table(&mut out);
        out
    }

    fn write_table(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{} · {:.1} s measured", self.mode, self.seconds)?;
        if self.due > 0 {
            let asked = match self.asked_requests_per_s {
                0.0 => String::new(),
                asked => format!(" (asked {:.1} MB/s)", asked * self.batch_bytes as f64 / 1e6),
            };
            writeln!(
                out,
                "  produced    {:>9.1} MB/s{asked}, {:.0} requests/s, {:.0} records/s, batches of {} ({} records)",
                self.mb_per_s,
                self.requests_per_s,
                self.records_per_s,
                bytes(self.batch_bytes),
                self.batch_records
            )?;
            if self.batch_wire_bytes != self.batch_bytes {
                let ratio = self.batch_bytes as f64 / self.batch_wire_bytes as f64;
                writeln!(
                    out,
                    "  on the wire {:>9.1} MB/s, compressed {ratio:.2} : 1",
                    self.wire_mb_per_s
                )?;
            }
        }
        if self.plan.consumers > 0 {
            let readers = self.plan.consumers;
            writeln!(
                out,
                "  read        {:>9.1} MB/s by {readers} readers together",
                self.read_mb_per_s
            )?;
        }
        writeln!(
            out,
            "  {:<12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "p50", "p90", "p99", "p99.9", "p99.99", "max"
        )?;
        for (name, latency) in [
            ("produce", &self.latency),
            ("end to end", &self.end_to_end),
            ("own lateness", &self.lateness),
        ] {
            if latency.count > 0 {
                write!(out, "  {name:<12}")?;
                let values = [
                    latency.p50_us,
                    latency.p90_us,
                    latency.p99_us,
                    latency.p999_us,
                    latency.p9999_us,
                    latency.max_us,
                ];
                for value in values {
                    write!(out, "{:>10}", duration(value))?;
                }
                writeln!(out)?;
            }
        }
        writeln!(
            out,
            "  CPU         this tool {:.2} cores; all else {:.2} cores = {:.2} CPU-s/GiB, {:.1} µs/request; stolen {:.2} s",
            self.own_cores,
            self.cpu.others() / self.seconds.max(1e-9),
            self.others_cpu_s_per_gib,
            self.others_cpu_us_per_request,
            self.cpu.stolen,
        )?;
        if !self.plan.broker_pid.is_empty() {
            let cores = self.cpu.broker / self.seconds.max(1e-9);
            let (cpu, rss) = (self.broker_cpu_s_per_gib, bytes(self.broker_rss_peak));
            writeln!(
                out,
                "  broker      {cores:.2} cores = {cpu:.2} CPU-s/GiB, peak RSS {rss}"
            )?;
        }
        let (due, acked, unacked) = (self.due, self.acked, self.unacked);
        write!(
            out,
            "  sends       {due} due, {acked} acknowledged, {unacked} unacknowledged"
        )?;
        if self.plan.consumers > 0 && !self.plan.consume_only && !self.plan.from_start {
            write!(out, ", {} records undelivered", self.undelivered)?;
        }
        writeln!(out, ", {} errors", self.errors.values().sum::<u64>())?;
        for (name, count) in &self.errors {
            writeln!(out, "  error       {count} × {name}")?;
        }
        if let Some(verified) = &self.verified {
            let Verified {
                batches,
                records,
                lost,
                repeated,
                crc_wrong,
                foreign,
                gaps,
            } = verified;
            writeln!(
                out,
                "  verified    {batches} batches, {records} records: {lost} lost, {repeated} repeated, {crc_wrong} with a \
                 wrong CRC, {gaps} gaps, {foreign} of others"
            )?;
        }
        if self.interrupted {
            writeln!(out, "  interrupted: what was measured until then")?;
        }
        if let Some(why) = &self.rejected {
            writeln!(out, "  REJECTED: {why}")?;
        }
        Ok(())
    }

    /// True for a run whose numbers may be used and whose promises were kept.
    pub fn sound(&self) -> bool {
        let kept = |verified: &Verified| verified.lost + verified.crc_wrong + verified.gaps == 0;
        self.rejected.is_none() && self.verified.as_ref().is_none_or(kept)
    }

    /// Writes the HdrHistogram log: nanoseconds, one interval, tags `produce` and `end-to-end`.
    pub fn write_hdr(&self, path: &Path) -> io::Result<()> {
        let mut file = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder.add_comment("corelane-bench load; values in nanoseconds");
        let mut log = builder.begin_log_with(&mut file, &mut serializer)?;
        let length = Duration::from_secs_f64(self.seconds);
        for (tag, hist) in [
            ("produce", &self.latency_hist),
            ("end-to-end", &self.end_to_end_hist),
        ] {
            if !hist.is_empty() {
                log.write_histogram(hist, Duration::ZERO, length, Tag::new(tag))
                    .map_err(|error| io::Error::other(format!("{error:?}")))?;
            }
        }
        std::fs::write(path, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_runs_are_rejected() {
        let (mut slow, mut late) = (hist(3), hist(3));
        slow.record_n(5_000_000, 1000).unwrap();
        late.record_n(20_000, 1000).unwrap();
        assert_eq!(
            judge_lateness(&Latency::of(&slow), &Latency::of(&late)),
            None
        );
        late.record_n(600_000, 10).unwrap();
        assert!(judge_lateness(&Latency::of(&slow), &Latency::of(&late)).is_some());
        assert_eq!(
            judge_lateness(&Latency::of(&slow), &Latency::of(&hist(3))),
            None
        );
    }

    #[test]
    fn a_broker_that_ages_shows_in_its_last_sixth() {
        let mut windows = BTreeMap::new();
        // Two of warm-up, which must not count, and twelve measured.
        for index in 0..14 {
            let mut window = Window::new(index);
            let us = match index {
                0 | 1 => 900_000,
                12 | 13 => 8_000,
                _ => 1_000,
            };
            window.latency.record_n(us * 1_000, 1000).unwrap();
            windows.insert(index, window);
        }
        let (first, last) = edges(&windows, 1_000_000_000, Duration::from_secs(2), 14);
        assert!((first - 1_000.0).abs() < 20.0 && (last - 8_000.0).abs() < 100.0);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(7.126), "7.13 µs");
        assert_eq!(duration(71_260.0), "71.3 ms");
        assert_eq!(duration(3_200_000.0), "3.20 s");
    }
}
