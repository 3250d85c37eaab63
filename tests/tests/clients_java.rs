//! Kafka's own tools: the console producer with every codec, acks and idempotence, the console consumer with
//! `--partition`, producer-perf-test, and DumpLogSegments over what is then on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::{Case, check_read_back, lines};
use corelane_tests::harness::tools::Jobs;
use corelane_tests::harness::wire::Wire;
use corelane_tests::harness::{runtime, topic_name};

const PARTITIONS: usize = 2;

#[test]
fn one_shard() {
    every_case(1);
}

#[test]
fn two_shards() {
    every_case(2);
}

#[test]
fn four_shards() {
    every_case(4);
}

fn every_case(shards: usize) {
    if runtime::java().is_none() {
        return runtime::did_not_run("the Kafka tools suite", "java with mvn");
    }
    let mut broker = Broker::start(Options::shards(shards));
    let mut wire = Wire::connect(broker.address());
    let mut jobs = Jobs::new();
    let mut cases = Vec::new();
    for (seed, case) in (0..).zip(Case::all()) {
        let topic = topic_name(&format!("console-{}", case.stem()));
        wire.create_topic(&topic, PARTITIONS as i32, &[]);
        let sent = lines(seed, 100);
        jobs.add(
            "org.apache.kafka.tools.ConsoleProducer",
            &console_producer(&broker, &topic, case),
            &stdin(&sent),
        );
        cases.push((case, topic, sent));
    }
    let perf: Vec<(String, usize)> = ["none", "lz4"]
        .into_iter()
        .map(|codec| {
            let topic = topic_name(&format!("perf-{codec}"));
            // Small segments, so that some are sealed while the broker runs.
            wire.create_topic(&topic, PARTITIONS as i32, &[("segment.bytes", "1048576")]);
            let job = jobs.add(
                "org.apache.kafka.tools.ProducerPerformance",
                &producer_performance(&broker, &topic, codec),
                "",
            );
            (topic, job)
        })
        .collect();
    let said = jobs.run();
    for (topic, job) in &perf {
        assert!(
            said[*job].contains("8000 records sent"),
            "{topic}: {}",
            said[*job]
        );
    }
    let perf: Vec<String> = perf.into_iter().map(|(topic, _)| topic).collect();
    read_back(&broker, shards, &mut wire, &cases, &perf);

    let Some(data) = broker.data_dir().map(Path::to_owned) else {
        return;
    };
    let sealed = segments(&data, Which::Sealed);
    assert!(!sealed.is_empty(), "no sealed segments in {data:?}");
    dump(&sealed);
    if !broker.is_external() {
        let status = broker.terminate();
        assert!(status.success(), "after SIGTERM: {status}");
        let all = segments(&data, Which::All);
        assert!(all.len() > sealed.len());
        dump(&all);
    }
}

/// A case, its topic, and what was sent there.
type Produced = (Case, String, Vec<(String, String)>);

fn stdin(sent: &[(String, String)]) -> String {
    sent.iter().map(|(k, v)| format!("{k}\t{v}\n")).collect()
}

fn console_producer(broker: &Broker, topic: &str, case: Case) -> Vec<String> {
    let idempotence = format!("enable.idempotence={}", case.idempotent);
    [
        "--bootstrap-server",
        &broker.bootstrap(),
        "--topic",
        topic,
        "--compression-codec",
        case.codec,
        "--request-required-acks",
        case.acks,
        "--command-property",
        &idempotence,
        // Without idempotence a retry overtakes what was sent after it.
        "--command-property",
        if case.idempotent {
            "max.in.flight.requests.per.connection=5"
        } else {
            "max.in.flight.requests.per.connection=1"
        },
        "--batch-size",
        "2000",
        // The tool's own 1.5 s is short for three brokers on a busy machine.
        "--request-timeout-ms",
        "20000",
        "--reader-property",
        "parse.key=true",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn producer_performance(broker: &Broker, topic: &str, codec: &str) -> Vec<String> {
    let compression = format!("compression.type={codec}");
    [
        "--bootstrap-server",
        &broker.bootstrap(),
        "--topic",
        topic,
        "--num-records",
        "8000",
        "--record-size",
        "1000",
        "--throughput",
        "-1",
        "--command-property",
        &compression,
        "linger.ms=5",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// One console consumer per partition, asked for exactly as many records as the partition has.
fn read_back(broker: &Broker, shards: usize, wire: &mut Wire, cases: &[Produced], perf: &[String]) {
    let mut jobs = Jobs::new();
    let ends = |wire: &mut Wire, topic: &str| -> Vec<i64> {
        (0..PARTITIONS as i32)
            .map(|p| wire.fetch(topic, p, 0).responses[0].partitions[0].high_watermark)
            .collect()
    };
    let mut expected = Vec::new();
    for (case, topic, sent) in cases {
        // acks=0 was answered by nobody: the last record may still be on its way.
        let mut highs = ends(wire, topic);
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while highs.iter().sum::<i64>() < sent.len() as i64 && std::time::Instant::now() < until {
            highs = ends(wire, topic);
        }
        assert_eq!(
            highs.iter().sum::<i64>(),
            sent.len() as i64,
            "{shards} shards, {case:?}: high watermarks {highs:?}"
        );
        for (partition, count) in highs.iter().enumerate().filter(|(_, count)| **count > 0) {
            let arguments = console_consumer(broker, topic, partition, *count);
            let job = jobs.add(
                "org.apache.kafka.tools.consumer.ConsoleConsumer",
                &arguments,
                "",
            );
            expected.push((topic.clone(), partition, job));
        }
    }
    let mut perf_jobs = Vec::new();
    for topic in perf {
        let highs = ends(wire, topic);
        assert_eq!(highs.iter().sum::<i64>(), 8000, "{topic}: {highs:?}");
        let arguments = console_consumer(broker, topic, 0, highs[0]);
        let job = jobs.add(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            &arguments,
            "",
        );
        perf_jobs.push((job, highs[0]));
    }
    let said = jobs.run();
    for (job, count) in perf_jobs {
        assert_eq!(said[job].lines().count() as i64, count);
    }
    for (case, topic, sent) in cases {
        let mut partitions = vec![Vec::new(); PARTITIONS];
        for (_, partition, job) in expected.iter().filter(|(t, _, _)| t == topic) {
            for line in said[*job].lines() {
                let fields: Vec<&str> = line.split('\t').collect();
                let [offset, key, value] = fields[..] else {
                    panic!("{case:?}: the console consumer printed {line:?}");
                };
                let offset = offset
                    .strip_prefix("Offset:")
                    .and_then(|o| o.parse().ok())
                    .unwrap_or_else(|| panic!("{case:?}: {line:?}"));
                partitions[*partition].push((offset, key.to_owned(), value.to_owned()));
            }
        }
        check_read_back(&format!("{shards} shards, {case:?}"), sent, &partitions);
    }
}

fn console_consumer(broker: &Broker, topic: &str, partition: usize, count: i64) -> Vec<String> {
    [
        "--bootstrap-server",
        &broker.bootstrap(),
        "--topic",
        topic,
        "--partition",
        &partition.to_string(),
        "--offset",
        "earliest",
        "--max-messages",
        &count.to_string(),
        "--timeout-ms",
        "20000",
        "--command-property",
        "check.crcs=true",
        "--command-property",
        "fetch.max.wait.ms=20",
        "--formatter-property",
        "print.offset=true",
        "--formatter-property",
        "print.key=true",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// DumpLogSegments over `files`: no batch invalid, no bytes left over.
fn dump(files: &[PathBuf]) {
    let list: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let mut jobs = Jobs::new();
    let job = jobs.add(
        "org.apache.kafka.tools.DumpLogSegments",
        &[
            "--deep-iteration".to_owned(),
            "--files".to_owned(),
            list.join(","),
        ],
        "",
    );
    let said = &jobs.run()[job];
    for bad in [
        "isvalid: false",
        "invalid bytes",
        "Exception",
        "Mismatches",
        "Non-consecutive",
    ] {
        assert!(!said.contains(bad), "DumpLogSegments of {list:?}:\n{said}");
    }
    assert!(
        said.matches("Dumping ").count() >= files.len() && said.contains("isvalid: true"),
        "DumpLogSegments of {list:?}:\n{said}"
    );
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// All but the last of each partition.
    Sealed,
    All,
}

/// Kafka's segment files, `00000000000000000000.log`, under `data`; empty ones left out.
fn segments(data: &Path, which: Which) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut here: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(data).expect("the data directory") {
        let path = entry.expect("the data directory").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            // Kafka's own: metadata and internal topics are not what this suite produced.
            if !name.starts_with("__") {
                found.extend(segments(&path, which));
            }
        } else if let Some(stem) = name.strip_suffix(".log")
            && stem.len() == 20
            && stem.bytes().all(|b| b.is_ascii_digit())
        {
            here.push(path);
        }
    }
    here.sort();
    if which == Which::Sealed {
        here.pop();
    }
    found.extend(here.into_iter().filter(|path| {
        // A topic of another test may be deleted at any moment where the broker is shared.
        fs::metadata(path).is_ok_and(|m| m.len() > 0)
    }));
    found
}
