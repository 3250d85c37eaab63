//! Syscalls of the real broker per request: one shard, one connection, one request at a time, under strace.
//!
//! ```text
//!  strace -D -f ─► broker     its log: a line for each call as it is entered, written at once
//!  client: warm ─► lines? ─► so many requests ─► lines? ─► the difference ÷ requests, over all threads
//! ```
//!
//! strace needs no privilege for a process that it started. perf and tracepoints do, and valgrind does not get a thread
//! out of io_uring_enter.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;

use crate::harness::broker::{Broker, Options, target_dir};
use crate::harness::records::Batch;
use crate::harness::topic_name;
use crate::harness::wire::{Wire, fetch_request};

/// Whether there is a strace that may trace.
pub fn can_trace() -> bool {
    let mut nothing = Command::new("strace");
    nothing.args(["-D", "-f", "-qq", "-o", "/dev/null", "true"]);
    nothing.output().is_ok_and(|output| output.status.success())
}

/// What is counted: its name, whether it is a produce, records of a batch and bytes of each, requests.
const KINDS: [(&str, bool, usize, usize, usize); 5] = [
    ("produce-100B", true, 1, 100, 400),
    ("produce-16KiB", true, 152, 100, 400),
    ("produce-1MiB", true, 1_000, 1_024, 100),
    ("fetch-100B", false, 1, 100, 400),
    ("fetch-1MiB", false, 1_000, 1_024, 100),
];

/// Calls of each kind's request, on average.
pub fn count_all() -> BTreeMap<String, f64> {
    let log = target_dir().join("tmp").join(topic_name("strace"));
    fs::create_dir_all(target_dir().join("tmp")).expect("the target directory is writable");
    let strace = ["strace", "-D", "-f", "-qq", "-e", "signal=none", "-o"];
    let mut wrapper: Vec<String> = strace.map(str::to_owned).to_vec();
    wrapper.push(log.display().to_string());
    let broker = Broker::start_own(Options {
        wrapper,
        ..Options::shards(1)
    });
    let mut wire = Wire::connect(broker.address());
    let counted = KINDS.map(|(kind, produces, records, bytes, requests)| {
        let batch = Batch::of(&vec![&vec![b'r'; bytes][..]; records]).bytes();
        let topic = topic_name(kind);
        wire.create_topic(&topic, 1, &[]);
        produce(&mut wire, &topic, &batch);
        let mut serve = |times: usize| {
            for _ in 0..times {
                match produces {
                    true => produce(&mut wire, &topic, &batch),
                    false => fetch(&mut wire, &topic, &batch),
                }
            }
        };
        serve(requests / 4);
        let before = entered(&log);
        serve(requests);
        let calls = entered(&log) - before;
        (kind.to_owned(), calls as f64 / requests as f64)
    });
    drop(broker);
    drop(fs::remove_file(&log));
    counted.into_iter().collect()
}

fn produce(wire: &mut Wire, topic: &str, batch: &Bytes) {
    let answer = wire.produce(topic, 0, batch.clone());
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

fn fetch(wire: &mut Wire, topic: &str, batch: &Bytes) {
    let mut request = fetch_request(topic, 0, 0, 500);
    request.topics[0].partitions[0].partition_max_bytes = batch.len() as i32;
    let answer = wire.call(11, &request);
    let partition = &answer.responses[0].partitions[0];
    let records = partition.records.as_ref().map_or(0, Bytes::len);
    assert_eq!((partition.error_code, records), (0, batch.len()));
}

/// Calls that were entered so far.
fn entered(log: &Path) -> usize {
    let text = fs::read(log).expect("strace writes it");
    let text = String::from_utf8_lossy(&text);
    text.lines().filter(|line| is_entry(line)).count()
}

/// `PID call(…`, not `PID <... call resumed>…` and not `PID +++ exited with 0 +++`.
fn is_entry(line: &str) -> bool {
    let call = line.split_once(' ').map_or("", |(_, call)| call);
    call.trim_start()
        .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once_where_its_line_is_cut() {
        let lines = [
            "17  io_uring_enter(7, 1, 1, 0, NULL, 8) = 1",
            "17  io_uring_enter(7, 1, 1, 0, NULL, 8 <unfinished ...>",
            "18  <... futex resumed>)               = 0",
            "17  <... io_uring_enter resumed>)      = 1",
            "18  +++ exited with 0 +++",
        ];
        assert_eq!(lines.map(is_entry), [true, true, false, false, false]);
    }
}
