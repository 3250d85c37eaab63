//! What a run is asked to do: the options, their notations, and what follows from them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// Options of `corelane-bench load`. Without any: 100 MB/s of 1 KiB records, open loop, acks=all.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Plan {
    /// A broker of the cluster under test.
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    pub broker: String,

    /// Name of the topic; with --topics N, -0 to -(N-1) is appended. Created when missing.
    #[arg(long, help_heading = "Topic")]
    pub topic: Option<String>,
    /// How many topics.
    #[arg(long, default_value_t = 1, help_heading = "Topic")]
    pub topics: usize,
    /// Partitions of each topic that is created.
    #[arg(long, default_value_t = 16, help_heading = "Topic")]
    pub partitions: i32,
    /// Replicas of each topic that is created.
    #[arg(long, default_value_t = 1, help_heading = "Topic")]
    pub replication: i16,
    /// A topic config for creation, for instance flush.messages=1. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Topic")]
    pub topic_config: Vec<String>,
    /// Leave the topics that this run created; otherwise they are deleted at the end.
    #[arg(long, help_heading = "Topic")]
    pub keep_topic: bool,

    /// Bytes of each record's value (at least 24: it carries the intended time).
    #[arg(long, default_value = "1KiB", value_parser = parse_bytes, help_heading = "Records")]
    pub record_bytes: u64,
    /// Bytes of each record's key; 0 = no key.
    #[arg(long, default_value = "0", value_parser = parse_bytes, help_heading = "Records")]
    pub key_bytes: u64,
    /// Bytes of each batch before compression; one batch per request. 0 = one record per batch.
    #[arg(long, default_value = "64KiB", value_parser = parse_bytes, help_heading = "Records")]
    pub batch_bytes: u64,
    /// Compression of the batches, done once before the run.
    #[arg(long, value_enum, default_value_t = Codec::None, help_heading = "Records")]
    pub codec: Codec,
    /// How well the content compresses with --codec: 3.3 = to 1/3.3.
    #[arg(long, default_value_t = 3.3, help_heading = "Records")]
    pub ratio: f64,

    /// acks: all, 1 or 0.
    #[arg(long, default_value = "all", value_parser = parse_acks, help_heading = "Producing")]
    pub acks: i16,
    /// With a producer id and sequence numbers, as clients do by default.
    #[arg(long, help_heading = "Producing")]
    pub idempotent: bool,
    /// Connections to each broker that leads a partition.
    #[arg(long, default_value_t = 4, help_heading = "Producing")]
    pub connections: usize,
    /// Requests in flight per connection; further ones wait here, and their wait counts. 0 = no limit (16 with --closed).
    #[arg(long, default_value_t = 0, help_heading = "Producing")]
    pub in_flight: usize,

    /// Open loop: bytes per second (100MB/s, 50MiB/s; before compression) or requests per second (5000/s).
    #[arg(long, default_value = "100MB/s", value_parser = parse_rate, help_heading = "Pace")]
    pub rate: Rate,
    /// Open loop at each of these rates in turn: 50MB/s,100MB/s,200MB/s.
    #[arg(long, value_delimiter = ',', value_parser = parse_rate, conflicts_with_all = ["saturate", "closed"], help_heading = "Pace")]
    pub sweep: Vec<Rate>,
    /// Search the highest open-loop rate whose p99 stays under --p99-limit (doubling, then bisection to 5 %).
    #[arg(long, conflicts_with = "closed", help_heading = "Pace")]
    pub saturate: bool,
    /// The limit of --saturate.
    #[arg(long, default_value = "100ms", value_parser = parse_duration, help_heading = "Pace")]
    pub p99_limit: Duration,
    /// Closed loop: every connection keeps --in-flight requests in flight. For throughput only: its latencies omit
    /// the waits of whoever would have sent meanwhile.
    #[arg(long, help_heading = "Pace")]
    pub closed: bool,

    /// Readers; each reads every partition, on connections of its own.
    #[arg(long, default_value_t = 0, help_heading = "Consuming")]
    pub consumers: usize,
    /// Do not produce; --consumers (at least 1) read.
    #[arg(long, help_heading = "Consuming")]
    pub consume_only: bool,
    /// Read from the beginning instead of the end.
    #[arg(long, help_heading = "Consuming")]
    pub from_start: bool,
    /// Readers get a thread of their own, so that large answers do not hold up the sends.
    #[arg(long, help_heading = "Consuming")]
    pub readers_apart: bool,
    /// max_bytes of a fetch.
    #[arg(long, default_value = "8MiB", value_parser = parse_bytes, help_heading = "Consuming")]
    pub fetch_bytes: u64,
    /// Max bytes of one partition in a fetch.
    #[arg(long, default_value = "1MiB", value_parser = parse_bytes, help_heading = "Consuming")]
    pub fetch_partition_bytes: u64,
    /// max_wait of a fetch.
    #[arg(long, default_value = "500ms", value_parser = parse_duration, help_heading = "Consuming")]
    pub fetch_wait: Duration,

    /// Sent at the same pace before the measurement, and not counted.
    #[arg(long, default_value = "2s", value_parser = parse_duration, help_heading = "Run")]
    pub warmup: Duration,
    /// Length of the measurement.
    #[arg(long, default_value = "10s", value_parser = parse_duration, help_heading = "Run")]
    pub duration: Duration,
    /// How long to wait at the end for answers that are still out.
    #[arg(long, default_value = "10s", value_parser = parse_duration, help_heading = "Run")]
    pub drain: Duration,
    /// CPUs to pin one thread each to: 1 or 0,1. Without it one thread that the kernel places.
    #[arg(long, value_delimiter = ',', help_heading = "Run")]
    pub cores: Vec<usize>,
    /// Poll for this long before each send is due instead of sleeping to the end: more exact, costs CPU.
    #[arg(long, default_value = "0us", value_parser = parse_duration, help_heading = "Run")]
    pub spin: Duration,
    /// Read everything back at the end: every acknowledged batch present once, every CRC right.
    #[arg(long, help_heading = "Run")]
    pub verify: bool,
    /// The ids for --verify are collected, and somebody else reads back.
    #[arg(skip)]
    #[serde(skip)]
    pub verify_later: bool,
    /// Process ids of the broker on this machine, for its CPU and memory.
    #[arg(long, value_delimiter = ',', help_heading = "Run")]
    pub broker_pid: Vec<u32>,

    /// Write the result as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,
    /// Write the latencies as an HdrHistogram log.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub hdr: Option<PathBuf>,
    /// Write a page with the percentile curve and rate and p99 over time.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// No progress line.
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,
}

/// How batches are compressed. gzip is absent: its trailer covers the intended time, which changes with every send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// Not at all.
    None,
    /// Snappy in the framing of the Java clients.
    Snappy,
    /// LZ4 frames, independent 64 KiB blocks.
    Lz4,
    /// Zstandard, level 3.
    Zstd,
}

impl Codec {
    /// The number in a batch's attributes.
    pub fn number(self) -> i16 {
        match self {
            Codec::None => 0,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
        }
    }
}

/// An open loop's pace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// Bytes of records per second, before compression.
    Bytes(f64),
    /// Requests per second.
    Sends(f64),
}

impl Rate {
    /// Requests per second when each carries `bytes`.
    pub fn sends(self, bytes: u64) -> f64 {
        match self {
            Rate::Bytes(rate) => rate / bytes as f64,
            Rate::Sends(rate) => rate,
        }
    }

    /// The same kind of rate, so many times as high.
    pub fn times(self, factor: f64) -> Rate {
        match self {
            Rate::Bytes(rate) => Rate::Bytes(rate * factor),
            Rate::Sends(rate) => Rate::Sends(rate * factor),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rate::Bytes(rate) => write!(to, "{:.1} MB/s", rate / 1e6),
            Rate::Sends(rate) => write!(to, "{rate:.0} requests/s"),
        }
    }
}

/// Smallest value that has room for the stamp.
pub const RECORD_BYTES_MIN: u64 = 24;
/// Largest batch this tool builds; a broker's default limit is 1 MiB.
pub const BATCH_BYTES_MAX: u64 = 64 << 20;

impl Plan {
    /// What `load` does without any option; `versus` and the self-tests start from it.
    pub fn standard() -> Plan {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            plan: Plan,
        }
        <Only as clap::Parser>::parse_from(["load"]).plan
    }

    /// Says what is wrong with the combination of options.
    pub fn check(&self) -> Result<(), String> {
        if self.record_bytes < RECORD_BYTES_MIN {
            return Err(format!(
                "--record-bytes {} leaves no room for the stamp of 24 bytes",
                self.record_bytes
            ));
        }
        if self.batch_bytes > BATCH_BYTES_MAX
            || self.record_bytes + self.key_bytes > BATCH_BYTES_MAX
        {
            return Err(format!("batches end at {BATCH_BYTES_MAX} bytes"));
        }
        if self.topics == 0 || self.partitions < 1 || self.connections == 0 {
            return Err("at least one topic, one partition and one connection".to_owned());
        }
        if self.consume_only && self.consumers == 0 {
            return Err("--consume-only needs --consumers 1 or more".to_owned());
        }
        if self.idempotent && self.acks != -1 {
            return Err("--idempotent needs --acks all".to_owned());
        }
        if self.acks == 0 && self.closed {
            return Err("a closed loop waits for answers, --acks 0 gives none".to_owned());
        }
        for config in &self.topic_config {
            if !config.contains('=') {
                return Err(format!("--topic-config {config}: KEY=VALUE is expected"));
            }
        }
        if !self.ratio.is_finite() || self.ratio < 1.0 {
            return Err("--ratio is at least 1".to_owned());
        }
        Ok(())
    }

    /// Requests that may be in flight per connection.
    pub fn in_flight_max(&self) -> usize {
        match (self.in_flight, self.closed) {
            (0, true) => 16,
            (0, false) => usize::MAX,
            (limit, _) => limit,
        }
    }

    /// The topics of this run.
    pub fn topic_names(&self) -> Vec<String> {
        let stem = self
            .topic
            .clone()
            .unwrap_or_else(|| format!("bench-{}", crate::sys::wall_ms()));
        if self.topics == 1 {
            vec![stem]
        } else {
            (0..self.topics).map(|n| format!("{stem}-{n}")).collect()
        }
    }
}

fn parse_number(text: &str, units: &[(&str, f64)]) -> Result<f64, String> {
    let at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("{text:?} does not begin with a number"))?;
    let scale = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    let names = || {
        units
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
    };
    scale
        .map(|(_, scale)| number * scale)
        .ok_or_else(|| format!("{text:?}: the units are {}", names().join(", ")))
}

/// `100`, `64KiB`, `1MB`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = [
        ("", 1.0),
        ("B", 1.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
    ];
    parse_number(text, &units).map(|bytes| bytes as u64)
}

/// `100us`, `5ms`, `10s`, `2m`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [
        ("", 1.0),
        ("us", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("min", 60.0),
    ];
    parse_number(text, &units).map(Duration::from_secs_f64)
}

/// `100MB/s`, `50MiB/s` or `5000/s`.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let rate = text
        .strip_suffix("/s")
        .ok_or_else(|| format!("{text:?}: 100MB/s or 5000/s is expected"))?;
    if let Ok(sends) = rate
        .trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ')
        .parse::<f64>()
        && rate
            .trim_end_matches("req")
            .trim_end_matches("requests")
            .trim()
            .parse::<f64>()
            .is_ok()
    {
        return if sends > 0.0 {
            Ok(Rate::Sends(sends))
        } else {
            Err("a rate is above 0".to_owned())
        };
    }
    match parse_bytes(rate)? {
        0 => Err("a rate is above 0".to_owned()),
        bytes => Ok(Rate::Bytes(bytes as f64)),
    }
}

fn parse_acks(text: &str) -> Result<i16, String> {
    match text {
        "all" | "-1" => Ok(-1),
        "0" => Ok(0),
        "1" => Ok(1),
        other => Err(format!("acks is all, 1 or 0, not {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        assert_eq!(parse_bytes("64KiB"), Ok(65_536));
        assert_eq!(parse_bytes("100"), Ok(100));
        assert!(parse_bytes("64XB").is_err());
        assert_eq!(parse_duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse_duration("3"), Ok(Duration::from_secs(3)));
        assert_eq!(parse_rate("100MB/s"), Ok(Rate::Bytes(1e8)));
        assert_eq!(parse_rate("5000/s"), Ok(Rate::Sends(5000.0)));
        assert_eq!(parse_rate("5000req/s"), Ok(Rate::Sends(5000.0)));
        assert!(parse_rate("100MB").is_err());
        assert!(parse_rate("0/s").is_err());
    }

    #[test]
    fn standard_plan_is_sound() {
        let plan = Plan::standard();
        assert_eq!(plan.check(), Ok(()));
        assert_eq!(
            (plan.acks, plan.batch_bytes, plan.rate),
            (-1, 65_536, Rate::Bytes(1e8))
        );
    }
}
