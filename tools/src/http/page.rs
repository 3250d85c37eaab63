//! What the page says: the table of metrics, in the order in which they are read.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use corelane_net::metrics::Class;

use super::look::{Seen, SeenShard, SeenTopic};
use super::text::Kind::{Counter, Gauge, Histogram};
use super::text::{Kind, Text};

type OfShard = (&'static str, Kind, &'static str, fn(&SeenShard) -> f64);
type OfTopic = (&'static str, &'static str, fn(&SeenTopic) -> u64);

/// One sample for each shard.
#[rustfmt::skip]
const OF_SHARD: &[OfShard] = &[
    // Connections and requests.
    ("corelane_connections", Gauge, "Connections open.", |s| s.numbers.connections as f64),
    ("corelane_connections_opened_total", Counter, "Connections given to the shard.", |s| s.kernel.counters.sockets.opened as f64),
    ("corelane_received_bytes_total", Counter, "Bytes received from clients.", |s| s.kernel.counters.sockets.bytes_received as f64),
    ("corelane_sent_bytes_total", Counter, "Bytes sent to clients.", |s| s.kernel.counters.sockets.bytes_sent as f64),
    ("corelane_requests_under_way", Gauge, "Requests that wait for their answer.", |s| s.numbers.requests_under_way as f64),
    ("corelane_requests_parked", Gauge, "Of these, those that only wait for something new.", |s| s.numbers.requests_parked as f64),
    ("corelane_fetch_sessions", Gauge, "Fetch sessions open.", |s| s.numbers.fetch_sessions as f64),
    // Records.
    ("corelane_produced_bytes_total", Counter, "Bytes of batches appended, by the shard that owns the partition.", |s| s.numbers.storage.appended.bytes as f64),
    ("corelane_produced_records_total", Counter, "Records appended.", |s| s.numbers.storage.appended.records as f64),
    ("corelane_produced_batches_total", Counter, "Batches appended.", |s| s.numbers.storage.batches as f64),
    ("corelane_produced_straight_batches_total", Counter, "Of these, large ones that went to their segment at once.", |s| s.numbers.storage.straight_batches as f64),
    ("corelane_fetched_bytes_total", Counter, "Bytes of batches in answers to fetches, by the shard of the connection.", |s| s.numbers.fetched.bytes as f64),
    ("corelane_fetched_records_total", Counter, "Records in answers to fetches.", |s| s.numbers.fetched.records as f64),
    ("corelane_partitions", Gauge, "Partitions owned.", |s| s.numbers.storage.partitions as f64),
    ("corelane_appends_stalled", Gauge, "Appends that wait for room in journal or memory.", |s| s.numbers.storage.stalled as f64),
    // Journal and disk.
    ("corelane_journal_groups_total", Counter, "Journal groups written: one for each pass that appended.", |s| s.numbers.storage.groups as f64),
    ("corelane_journal_written_bytes_total", Counter, "Bytes of journal groups.", |s| s.numbers.storage.group_bytes as f64),
    ("corelane_journal_used_bytes", Gauge, "Of the journal's files, what is not written back to segments yet.", |s| s.numbers.storage.journal_used as f64),
    ("corelane_journal_size_bytes", Gauge, "Of the journal's files.", |s| s.numbers.storage.journal_bytes as f64),
    ("corelane_disk_free_bytes", Gauge, "Room of the data directory's disk, less what the shard's journal will need of it.", |s| s.numbers.storage.room.free_bytes as f64),
    ("corelane_disk_low_bytes", Gauge, "With less room, produce is refused.", |s| s.numbers.storage.room.low_bytes as f64),
    ("corelane_disk_refusing", Gauge, "Whether produce is refused for want of room: 1 or 0.", |s| f64::from(u8::from(s.numbers.storage.room.refusing))),
    ("corelane_disk_refused_total", Counter, "Batches refused for want of room.", |s| s.numbers.storage.room.refused as f64),
    ("corelane_disk_flushes_total", Counter, "Flushes of files.", |s| s.kernel.counters.disk.flushes as f64),
    ("corelane_disk_writes_total", Counter, "Writes to files.", |s| s.kernel.counters.disk.writes as f64),
    ("corelane_disk_written_bytes_total", Counter, "Bytes written to files.", |s| s.kernel.counters.disk.bytes_written as f64),
    ("corelane_disk_reads_total", Counter, "Reads from files.", |s| s.kernel.counters.disk.reads as f64),
    ("corelane_disk_read_bytes_total", Counter, "Bytes read from files.", |s| s.kernel.counters.disk.bytes_read as f64),
    ("corelane_disk_requests_under_way", Gauge, "Disk requests that wait for the kernel.", |s| s.kernel.disk_in_flight as f64),
    // What the disk has kept.
    ("corelane_corrupt_batches", Gauge, "Batches on disk known to be corrupt: never served; the log names each.", |s| s.numbers.storage.corrupt_batches as f64),
    ("corelane_corrupt_reads_total", Counter, "Reads refused because of one.", |s| s.numbers.storage.corrupt_reads as f64),
    ("corelane_scrubbed_bytes_total", Counter, "Bytes of segments that the scrub has verified.", |s| s.numbers.storage.scrubbed_bytes as f64),
    ("corelane_scrub_rounds_total", Counter, "Times that the scrub has been through everything.", |s| s.numbers.storage.scrub_rounds as f64),
    // Memory.
    ("corelane_arena_bytes", Gauge, "Memory taken for appends in flight and the hot tail.", |s| s.numbers.storage.arena_bytes as f64),
    ("corelane_arena_max_bytes", Gauge, "Its ceiling.", |s| s.numbers.storage.arena_bytes_max as f64),
    ("corelane_tail_bytes", Gauge, "Of it, what journal groups and straight batches in memory hold.", |s| s.numbers.storage.live_bytes as f64),
    ("corelane_request_bytes", Gauge, "Memory of requests under way.", |s| s.numbers.request_bytes as f64),
    ("corelane_parked_bytes", Gauge, "Memory of requests that only wait for something new.", |s| s.numbers.parked_bytes as f64),
    ("corelane_answer_bytes", Gauge, "Memory of answers that are read from the log or not taken by their clients yet.", |s| s.numbers.answer_bytes as f64),
    ("corelane_registered_bytes", Gauge, "Memory that the ring knows.", |s| s.kernel.counters.memory.registered_bytes as f64),
    ("corelane_unregistered_bytes", Gauge, "Memory that the host refused to register: see memlock.", |s| s.kernel.counters.memory.unregistered_bytes as f64),
    // The loop.
    ("corelane_loop_seconds_total", Counter, "Time since the shard's loop began.", |s| s.kernel.running.as_secs_f64()),
    ("corelane_busy_seconds_total", Counter, "Of it, what was not spent asleep: its rate is the utilisation.", |s| s.kernel.running.saturating_sub(s.kernel.slept).as_secs_f64()),
    ("corelane_cpu_seconds_total", Counter, "CPU time of the shard's thread, in the kernel too.", |s| s.kernel.cpu.as_secs_f64()),
    ("corelane_sleeps_total", Counter, "Passes that went to sleep.", |s| s.kernel.counters.sleeps as f64),
    ("corelane_ring_enters_total", Counter, "Calls of io_uring_enter.", |s| s.kernel.counters.ring.enters as f64),
    ("corelane_ring_submissions_total", Counter, "Entries submitted to the ring.", |s| s.kernel.counters.ring.submitted as f64),
    ("corelane_ring_completions_total", Counter, "Completions taken from the ring.", |s| s.kernel.counters.ring.completed as f64),
    ("corelane_mesh_messages_total", Counter, "Messages sent to other shards.", |s| s.kernel.counters.mesh.sent as f64),
    ("corelane_mesh_doorbells_total", Counter, "Other shards that had to be woken for one.", |s| s.kernel.counters.mesh.doorbells as f64),
    ("corelane_observed_total", Counter, "Questions of this page, and of health checks, answered.", |s| s.kernel.counters.answers as f64),
];

/// One sample for each topic that exists.
const OF_TOPIC: &[OfTopic] = &[
    (
        "corelane_topic_produced_bytes_total",
        "Bytes of batches appended.",
        |t| t.appended.bytes,
    ),
    (
        "corelane_topic_produced_records_total",
        "Records appended.",
        |t| t.appended.records,
    ),
    (
        "corelane_topic_fetched_bytes_total",
        "Bytes of batches in answers to fetches.",
        |t| t.fetched.bytes,
    ),
    (
        "corelane_topic_fetched_records_total",
        "Records in answers to fetches.",
        |t| t.fetched.records,
    ),
];

/// All of it, as text.
pub(super) fn page(seen: &Seen, up: Duration) -> String {
    let mut text = Text::default();
    text.family("corelane_build_info", Gauge, "The version that runs.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    let mut answered = text.family(
        "corelane_shard_up",
        Gauge,
        "Whether the shard answered: 1 or 0.",
    );
    let mut shards = Vec::new();
    for (shard, looked) in &seen.shards {
        let shard = shard.0.to_string();
        let up = if looked.is_some() { 1.0 } else { 0.0 };
        answered.sample(&[("shard", &shard)], up);
        shards.extend(looked.as_ref().map(|looked| (shard, looked)));
    }
    requests(&mut text, &shards);
    for (name, kind, help, value) in OF_SHARD {
        let mut family = text.family(name, *kind, help);
        for (shard, looked) in &shards {
            family.sample(&[("shard", shard)], value(looked));
        }
    }
    let help = "How long passes of the loop took, without the enter at their end.";
    let mut passes = text.family("corelane_pass_seconds", Histogram, help);
    for (shard, looked) in &shards {
        passes.histogram(&[("shard", shard)], &looked.kernel.counters.pass_seconds);
    }
    for (name, help, value) in OF_TOPIC {
        let mut family = text.family(name, Counter, help);
        for (topic, seen) in &seen.topics {
            family.sample(&[("topic", topic)], value(seen) as f64);
        }
    }
    process(&mut text, up);
    text.finish()
}

fn requests(text: &mut Text, shards: &[(String, &SeenShard)]) {
    let help = "Requests by what became of them: retriable errors go on by themselves, refused ones are the client's, \
        broker ones ours; closed: the connection ended in place of an answer.";
    let mut results = text.family("corelane_requests_total", Counter, help);
    for (shard, looked) in shards {
        for (api, tally) in looked.numbers.tally.apis() {
            for (class, count) in Class::ALL.into_iter().zip(tally.results) {
                let labels = [("shard", &**shard), ("api", api), ("result", class.name())];
                results.sample(&labels, count as f64);
            }
        }
    }
    let help = "From the start of a request to its answer, by the clock of the pass: waiting for records, for members \
        of a group or for the disk included, the socket not.";
    let mut seconds = text.family("corelane_request_seconds", Histogram, help);
    for (shard, looked) in shards {
        for (api, tally) in looked.numbers.tally.apis() {
            seconds.histogram(&[("shard", shard), ("api", api)], &tally.seconds);
        }
    }
    let help = "Connections closed, by why.";
    let mut closed = text.family("corelane_connections_closed_total", Counter, help);
    for (shard, looked) in shards {
        for (reason, count) in looked.numbers.tally.closed_by() {
            closed.sample(&[("shard", shard), ("reason", reason)], count as f64);
        }
    }
}

/// What Prometheus expects of every process, as far as `/proc` tells.
fn process(text: &mut Text, up: Duration) {
    let mut one = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            text.family(name, kind, help).sample(&[], value);
        }
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    one(
        "process_start_time_seconds",
        Gauge,
        "When the process started, since 1970.",
        since.map(|now| now.saturating_sub(up).as_secs_f64().floor()),
    );
    one(
        "process_cpu_seconds_total",
        Counter,
        "CPU time of all threads.",
        cpu_seconds(),
    );
    one(
        "process_resident_memory_bytes",
        Gauge,
        "Memory in use.",
        resident_bytes(),
    );
    one(
        "process_open_fds",
        Gauge,
        "Descriptors open.",
        fs::read_dir("/proc/self/fd")
            .ok()
            .map(|fds| fds.count() as f64),
    );
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15, in ticks of 10 ms.
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks: Option<Vec<f64>> = ticks.map(|ticks| ticks.parse().ok()).collect();
    Some(ticks?.iter().sum::<f64>() / 100.0)
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line?.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        let of_shard = OF_SHARD
            .iter()
            .map(|(name, kind, help, _)| (*name, *kind, *help));
        let of_topic = OF_TOPIC
            .iter()
            .map(|(name, help, _)| (*name, Counter, *help));
        let mut seen = Vec::new();
        for (name, kind, help) in of_shard.chain(of_topic) {
            assert!(name.starts_with("corelane_"), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Counter, "{name}");
            assert!(help.ends_with('.'), "{name}: {help}");
            assert!(!seen.contains(&name), "{name} twice");
            seen.push(name);
        }
    }
}
