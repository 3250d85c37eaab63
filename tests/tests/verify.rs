//! What rots on a broker's disk is named: by `corelane log verify` without a broker, and by the broker that comes across
//! it, which never serves it. And `corelane log recover-plan` says what the next start then does.
//!
//! ```text
//!   fill ─► clean stop, or kill -9 ─► one bit at each structure's boundary ─► verify: exit 1, file and position
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use corelane_engine::log::group;
use corelane_tests::harness::broker::{Broker, Options, binary, target_dir};
use corelane_tests::harness::process::{Ended, run};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::Wire;
use serde_json::Value;

const WITHIN: Duration = Duration::from_secs(60);
const VALUE_BYTES: usize = 20_000;

fn corelane(words: &[&str]) -> Ended {
    let mut command = Command::new(binary());
    command.args(words);
    run(command, b"", WITHIN)
}

/// A directory of the test's own; removed unless it panics.
struct Scratch(PathBuf);

impl Scratch {
    fn new(stem: &str) -> Scratch {
        let path = target_dir().join("tmp").join(topic_name(stem));
        fs::create_dir_all(&path).expect("the target directory is writable");
        Scratch(path)
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("a path that is text")
    }

    fn verify(&self) -> (Value, i32) {
        let ended = corelane(&["log", "verify", self.text(), "--json"]);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        let value = serde_json::from_slice(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", ended.text(), ended.stderr));
        (value, ended.code.expect("it ends by itself"))
    }

    fn flip(&self, file: &str, byte: usize) {
        let path = self.0.join(file);
        let mut bytes = fs::read(&path).expect("readable");
        bytes[byte] ^= 0x10;
        fs::write(path, bytes).expect("writable");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// Every file below a directory, by its path from there, with its bytes.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn add(root: &Path, at: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(at).expect("readable") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true => add(root, &path, all),
                false => {
                    let name = path.strip_prefix(root).expect("below it");
                    let name = name.to_str().expect("text").to_owned();
                    all.insert(name, fs::read(&path).expect("readable"));
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    add(root, root, &mut all);
    all
}

fn batch(n: usize) -> Batch {
    Batch::of(&[&vec![n as u8; VALUE_BYTES]])
}

/// A directory that a broker has filled: three partitions, of which the first has several segments; then stopped.
fn filled(stem: &str, clean: bool) -> (Scratch, String) {
    let scratch = Scratch::new(stem);
    let mut broker = Broker::start_own(Options {
        data_dir: Some(scratch.0.clone()),
        ..Options::shards(1)
    });
    let topic = topic_name(stem);
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic, 3, &[("segment.bytes", "1048576")]);
    for n in 0..150 {
        wire.produce(&topic, 0, batch(n).bytes());
    }
    for n in 0..5 {
        wire.produce(&topic, 1, batch(n).bytes());
    }
    match clean {
        true => drop(broker.terminate()),
        false => broker.kill_9(),
    }
    (scratch, topic)
}

fn segments(scratch: &Scratch) -> Vec<String> {
    let names = files(&scratch.0).into_keys();
    names
        .filter(|name| name.ends_with(".log") && name.contains("-0/"))
        .collect()
}

/// Verify finds it, names the file, and says no more than `most` things.
fn expect_named(scratch: &Scratch, file: &str, position: Option<u64>, most: usize) -> Value {
    let (report, code) = scratch.verify();
    let findings = report["findings"].as_array().expect("a list").clone();
    assert_eq!(code, 1, "{file}: {report:#}");
    assert!(findings.len() <= most, "{file}: {findings:#?}");
    let of_file = |found: &&Value| found["file"].as_str().is_some_and(|f| file.starts_with(f));
    let found = findings.iter().find(of_file);
    let found = found.unwrap_or_else(|| panic!("{file}: {findings:#?}"));
    if let Some(position) = position {
        assert_eq!(found["position"], position, "{found:#}");
    }
    found.clone()
}

#[test]
fn damage_after_a_clean_stop_is_named_at_every_boundary() {
    let (whole, topic) = filled("verify-clean", true);
    let (report, code) = whole.verify();
    assert_eq!(
        (code, report["findings"].as_array().map(Vec::len)),
        (0, Some(0)),
        "{report:#}"
    );
    assert_eq!(
        report["notes"].as_array().map(Vec::len),
        Some(0),
        "{report:#}"
    );
    assert_eq!(report["clean_stop"], true);
    let records = |partition: usize| report["partitions"][partition]["records"].clone();
    assert_eq!([records(0), records(1), records(2)], [150, 5, 0]);

    let logs = segments(&whole);
    assert!(logs.len() >= 3, "{logs:?}");
    let bytes = batch(0).bytes().len();
    // Offset, length, epoch, magic, CRC, attributes, last delta, producer, count; a record; its last byte.
    for byte in [
        0,
        7,
        8,
        11,
        12,
        15,
        16,
        17,
        21,
        26,
        43,
        57,
        61,
        5_000,
        bytes - 1,
    ] {
        for (log, nth) in [(&logs[0], 0), (&logs[1], 7), (&logs[2], 1)] {
            let begin = nth * bytes;
            whole.flip(log, begin + byte);
            let found = expect_named(&whole, log, Some(begin as u64), 1);
            whole.flip(log, begin + byte);
            assert_eq!(found["topic"], *topic);
            let base: usize = log[log.len() - 24..log.len() - 4]
                .parse()
                .expect("its base");
            assert_eq!(found["offset"], base + nth, "{found:#}");
        }
    }

    let first = whole.0.join(&logs[0]);
    let content = fs::read(&first).expect("there");
    for (length, batch) in [
        (content.len() - 1, content.len() / bytes - 1),
        (5 * bytes + 70, 5),
        (0, 0),
    ] {
        fs::write(&first, &content[..length]).expect("cut");
        expect_named(&whole, &logs[0], Some((batch * bytes) as u64), 1);
    }
    fs::remove_file(&first).expect("removed");
    let found = expect_named(&whole, &logs[0], Some(0), 1);
    assert_eq!(found["what"], "the file is missing");
    fs::write(&first, &content).expect("back again");

    let meta: Vec<String> = (files(&whole.0).into_keys())
        .filter(|name| name.starts_with("meta/"))
        .collect();
    let last_entry = {
        let bytes = &files(&whole.0)[&meta[0]];
        bytes.iter().rposition(|b| *b != 0).expect("not empty")
    };
    let boundaries = [
        ("corelane.identity", 5),
        ("corelane.identity", 30),
        ("layout", 3),
        ("layout", 20),
        ("cores-0-1/0/start", 0),
        ("cores-0-1/0/start", 12),
        ("cores-0-1/0/checkpoint-0", 1),
        ("cores-0-1/0/checkpoint-0", 13),
        ("cores-0-1/0/checkpoint-0", 20),
        ("cores-0-1/0/checkpoint-0", 100),
        (&meta[0], 2),
        (&meta[0], 40),
        (&meta[0], 4_096 + 2),
        (&meta[0], 4_096 + 40),
        (&meta[0], last_entry),
    ];
    for (file, byte) in boundaries {
        // A checkpoint that is there: a clean stop leaves the newest in either file.
        let file = match file.strip_suffix("checkpoint-0") {
            Some(directory) => match files(&whole.0)[file].iter().all(|b| *b == 0) {
                true => format!("{directory}checkpoint-1"),
                false => file.to_owned(),
            },
            None => file.to_owned(),
        };
        whole.flip(&file, byte);
        // Where a start is not possible, and which segments there are is not known, more may be said of them.
        let found = expect_named(&whole, &file, None, 20);
        whole.flip(&file, byte);
        assert!(!found["what"].as_str().expect("text").is_empty());
    }
}

#[test]
fn damage_after_a_kill_is_named_and_a_torn_end_is_a_note() {
    let (whole, topic) = filled("verify-kill", false);
    let (report, code) = whole.verify();
    assert_eq!(
        (code, report["clean_stop"].clone()),
        (0, Value::Bool(false)),
        "{report:#}"
    );
    assert_eq!(report["partitions"][1]["records"], 5, "{report:#}");

    let journal = "cores-0-1/0/journal-0";
    let bytes = fs::read(whole.0.join(journal)).expect("there");
    let (mut groups, mut at) = (Vec::new(), 0);
    while let Some(header) = group::parse_any_group(&bytes[at..]) {
        groups.push(at);
        at += header.padded() as usize;
    }
    let [.., middle, _, _, last] = groups[..] else {
        panic!("{groups:?}")
    };
    // Magic, CRC, directory, position, an entry, a record.
    for byte in [0, 12, 17, 50, 70, 9_000] {
        whole.flip(journal, middle + byte);
        let (report, code) = whole.verify();
        let text = report["findings"].to_string();
        assert!(
            code == 1 && text.contains("journal-0"),
            "byte {byte}: {report:#}"
        );
        let ended = corelane(&["log", "recover-plan", whole.text(), "--shards", "1"]);
        whole.flip(journal, middle + byte);
        let said = ended.text();
        assert!(
            ended.code == Some(1) && said.contains("refuse to start, with exit code 12"),
            "{said}{}",
            ended.stderr
        );
    }
    // Of the last group nobody can tell a torn write from rot.
    whole.flip(journal, last + 9_000);
    let (report, code) = whole.verify();
    let note = &report["notes"][0];
    assert_eq!(
        (code, note["position"].clone()),
        (0, Value::from(last)),
        "{report:#}"
    );
    assert!(note["file"] == journal, "{report:#}");
    assert_eq!(report["partitions"][1]["records"], 4, "{topic}: {report:#}");
}

#[test]
fn the_plan_is_what_the_start_does() {
    for (shards, clean) in [(1, false), (2, false), (1, true)] {
        let (whole, _) = filled("plan", clean);
        let before = files(&whole.0);
        let count = shards.to_string();
        let words = ["log", "recover-plan", whole.text(), "--shards", &count];
        let text = corelane(&words).expect_ok("the plan").text();
        assert!(text.contains("nothing was changed"), "{text}");
        let ended = corelane(&[&words[..], &["--json"]].concat()).expect_ok("the plan");
        let plan: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
        assert!(files(&whole.0) == before, "something was written");
        assert_eq!(plan["clean_stop"], clean);
        let moves = plan["generation"] != plan["generation_before"];
        assert_eq!(moves, shards == 2, "{plan:#}");

        let mut broker = Broker::start_own(Options {
            data_dir: Some(whole.0.clone()),
            ..Options::shards(shards)
        });
        let said = broker.said();
        let screen = said.iter().find(|line| line.contains("recovery "));
        let screen = screen.expect("on the start screen").clone();
        let sum = |field: &str| -> u64 {
            let all = plan["shard"].as_array().expect("a list").iter();
            all.map(|s| s[field].as_u64().expect("a number")).sum()
        };
        let read = sum("bytes_read") + plan["metadata_bytes_read"].as_u64().expect("a number");
        let expected = format!(
            "{} partitions, {} journal groups, {:.1} MiB read, last stop {}",
            sum("partitions"),
            sum("groups"),
            read as f64 / f64::from(1 << 20),
            if clean { "clean" } else { "unclean" }
        );
        assert!(screen.contains(&expected), "{screen}: not {expected}");
        broker.terminate();
        for removed in plan["removed"].as_array().expect("a list") {
            let removed = removed.as_str().expect("a path");
            assert!(
                removed == "clean" || !whole.0.join(removed).exists(),
                "{removed}"
            );
        }
        for made in plan["made"].as_array().expect("a list") {
            let made = made.as_str().expect("a path");
            assert!(whole.0.join(made).exists(), "{made}");
        }
    }
}

#[test]
fn wrong_directories_are_told_what_is_wrong() {
    let empty = Scratch::new("verify-empty");
    let refused = |words: &[&str], part: &str| {
        let ended = corelane(words);
        assert_eq!(
            ended.code,
            Some(2),
            "{words:?}: {}{}",
            ended.text(),
            ended.stderr
        );
        let one_line = ended.stderr.lines().count() == 1;
        assert!(
            one_line && ended.stderr.contains(part),
            "{words:?}: {}",
            ended.stderr
        );
    };
    for tool in ["verify", "recover-plan"] {
        refused(&["log", tool, "/no/such/directory"], "No such file");
        refused(&["log", tool, "/proc/self/status"], "not a directory");
    }
    refused(&["log", "verify", empty.text()], "no data directory");
    let ended = corelane(&["log", "recover-plan", empty.text()]).expect_ok("a new directory");
    assert!(
        ended.text().contains("a new one is made here"),
        "{}",
        ended.text()
    );
    assert!(files(&empty.0).is_empty());
    fs::write(empty.0.join("novel.txt"), "It was a dark and stormy night").expect("written");
    let ended = corelane(&["log", "recover-plan", empty.text()]);
    let said = ended.text();
    assert!(
        ended.code == Some(1) && said.contains("novel.txt"),
        "{said}"
    );

    let scratch = Scratch::new("verify-in-use");
    let mut broker = Broker::start_own(Options {
        data_dir: Some(scratch.0.clone()),
        ..Options::shards(1)
    });
    let pid = format!("in use by process {}", broker.pid());
    for tool in ["verify", "recover-plan"] {
        refused(&["log", tool, scratch.text()], &pid);
    }
    broker.terminate();
    let ended = corelane(&["log", "verify", scratch.text()]).expect_ok("a stopped broker's");
    assert!(
        ended.text().contains("nothing is wrong"),
        "{}",
        ended.text()
    );
    refused(
        &["log", "verify", scratch.text(), "--topic", "ordres"],
        "no topic ordres",
    );
    for tool in ["verify", "recover-plan"] {
        let help = corelane(&["log", tool, "--help"]).expect_ok("help").text();
        assert!(
            help.contains("Examples:") && help.contains("Exit code 0"),
            "{help}"
        );
    }
}

/// The number of a sample on a broker's metrics page.
fn metric(broker: &Broker, name: &str) -> f64 {
    let said = broker.said();
    let line = said.iter().rfind(|line| line.contains("http://"));
    let (_, rest) = line
        .expect("on the start screen")
        .split_once("http://")
        .expect("there");
    let address = rest.split('/').next().expect("an address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("text");
    let sample = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
    let value = sample.and_then(|s| s.rsplit(' ').next());
    value.expect("a sample").parse().expect("a number")
}

#[test]
fn a_broker_never_serves_rot_and_serves_everything_else() {
    let (whole, topic) = filled("rot", true);
    let log = segments(&whole)[1].clone();
    let base: i64 = log[log.len() - 24..log.len() - 4]
        .parse()
        .expect("its base");
    let bytes = batch(0).bytes().len();
    whole.flip(&log, 3 * bytes + 1_000);
    let mut broker = Broker::start_own(Options {
        data_dir: Some(whole.0.clone()),
        flags: ["--http", "127.0.0.1:0", "--scrub-rate", "64MiB"]
            .map(str::to_owned)
            .to_vec(),
        allowed: vec!["a batch on disk is corrupt".to_owned()],
        ..Options::shards(1)
    });
    let mut wire = Wire::connect(broker.address());
    let mut read = |partition: i32, offset: i64| {
        let fetched = wire.fetch(&topic, partition, offset);
        let answer = &fetched.responses[0].partitions[0];
        let first = answer.records.as_ref().filter(|r| r.len() >= 8);
        let first = first.map(|r| i64::from_be_bytes(r[..8].try_into().expect("eight")));
        (answer.error_code, first)
    };
    // CORRUPT_MESSAGE: clients name it to whoever runs them; none waits in silence for a better day.
    for _ in 0..3 {
        assert_eq!(read(0, base + 3), (2, None));
    }
    assert_eq!(read(0, base + 2), (0, Some(base + 2)), "the batch before");
    assert_eq!(read(0, base + 4), (0, Some(base + 4)), "the batch behind");
    assert_eq!(read(0, 0), (0, Some(0)), "another segment");
    assert_eq!(read(1, 0), (0, Some(0)), "another partition");
    assert_eq!(metric(&broker, "corelane_corrupt_batches"), 1.0);
    assert_eq!(metric(&broker, "corelane_corrupt_reads_total"), 3.0);
    let answer = wire.produce(&topic, 0, batch(1).bytes());
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    broker.terminate();
    let said = broker.said();
    let lines: Vec<_> = said
        .iter()
        .filter(|line| line.contains("is corrupt"))
        .collect();
    let [line] = lines[..] else {
        panic!("{lines:?}")
    };
    let position = (3 * bytes).to_string();
    for part in [&*topic, &log, &position, &(base + 3).to_string(), "crc"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}
