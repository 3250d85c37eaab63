//! kcat produces with every codec and acks, with and without idempotence, and reads back by `assign`.

use std::process::Command;
use std::time::Duration;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::{Case, check_read_back, lines};
use corelane_tests::harness::wire::Wire;
use corelane_tests::harness::{runtime, topic_name};

const PARTITIONS: usize = 3;
const WITHIN: Duration = Duration::from_secs(30);

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
    if runtime::kcat().is_none() {
        return runtime::did_not_run("the kcat suite", "kcat");
    }
    let broker = Broker::start(Options::shards(shards));
    let mut wire = Wire::connect(broker.address());
    for (seed, case) in (0..).zip(Case::all()) {
        let topic = topic_name(&format!("kcat-{}", case.stem()));
        wire.create_topic(&topic, PARTITIONS as i32, &[]);
        let sent = lines(seed, 200);
        produce(&broker, &topic, case, &sent);
        check_read_back(
            &format!("{shards} shards, {case:?}"),
            &sent,
            &read(&broker, &topic, sent.len()),
        );
    }
    reads_from_an_offset_and_from_a_time(&broker);
    creates_a_topic_by_producing(&broker);
}

/// `-X name=value` for a case.
fn properties(case: Case) -> Vec<String> {
    vec![
        format!("compression.codec={}", case.codec),
        format!("acks={}", case.acks),
        format!("enable.idempotence={}", case.idempotent),
        // Without idempotence a retry overtakes what was sent after it.
        format!(
            "max.in.flight.requests.per.connection={}",
            if case.idempotent { 5 } else { 1 }
        ),
        // Several batches of each partition, not one.
        "batch.num.messages=20".to_owned(),
    ]
}

fn produce(broker: &Broker, topic: &str, case: Case, sent: &[(String, String)]) {
    let mut kcat = kcat(broker);
    kcat.args(["-P", "-t", topic, "-K", "\t"]);
    for property in properties(case) {
        kcat.args(["-X", &property]);
    }
    let stdin: String = sent.iter().map(|(k, v)| format!("{k}\t{v}\n")).collect();
    run(kcat, stdin.as_bytes(), WITHIN).expect_ok(&format!("kcat -P, {case:?}"));
}

/// Every partition's records, once `count` of them came.
fn read(broker: &Broker, topic: &str, count: usize) -> Vec<Vec<(i64, String, String)>> {
    let mut kcat = kcat(broker);
    kcat.args(["-C", "-t", topic, "-o", "beginning", "-q"])
        .args(["-c", &count.to_string(), "-f", "%p\t%o\t%k\t%s\n"]);
    let text = run(kcat, b"", WITHIN).expect_ok("kcat -C").text();
    let mut partitions = vec![Vec::new(); PARTITIONS];
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [partition, offset, key, value] = fields[..] else {
            panic!("kcat printed {line:?}");
        };
        let partition: usize = partition.parse().expect("a partition");
        let offset = offset.parse().expect("an offset");
        partitions[partition].push((offset, key.to_owned(), value.to_owned()));
    }
    partitions
}

/// `-o 3`, `-o -2` and `-o s@TIME` go through ListOffsets: earliest, latest and by timestamp.
fn reads_from_an_offset_and_from_a_time(broker: &Broker) {
    let topic = topic_name("kcat-offsets");
    Wire::connect(broker.address()).create_topic(&topic, 1, &[]);
    let mut produce = kcat(broker);
    produce.args(["-P", "-t", &topic, "-p", "0"]);
    run(produce, b"a\nb\nc\nd\ne\n", WITHIN).expect_ok("kcat -P");
    for (from, expected) in [
        ("3", "3 d\n4 e\n"),
        ("-2", "3 d\n4 e\n"),
        ("s@1000", "0 a\n1 b\n2 c\n3 d\n4 e\n"),
        ("beginning", "0 a\n1 b\n2 c\n3 d\n4 e\n"),
        ("end", ""),
    ] {
        let mut read = kcat(broker);
        read.args(["-C", "-t", &topic, "-p", "0", "-o", from, "-e", "-q"])
            .args(["-f", "%o %s\n"]);
        let text = run(read, b"", WITHIN).expect_ok("kcat -C -o").text();
        assert_eq!(text, expected, "from {from}");
    }
}

fn creates_a_topic_by_producing(broker: &Broker) {
    let topic = topic_name("kcat-auto");
    let mut produce = kcat(broker);
    produce.args(["-P", "-t", &topic]);
    run(produce, b"born\n", WITHIN).expect_ok("kcat -P to a topic nobody created");
    let mut list = kcat(broker);
    list.args(["-L", "-t", &topic]);
    let text = run(list, b"", WITHIN).expect_ok("kcat -L").text();
    assert!(
        text.contains(&format!("topic \"{topic}\" with 1 partitions")),
        "{text}"
    );
}

fn kcat(broker: &Broker) -> Command {
    let mut kcat = runtime::kcat().expect("checked at the start");
    kcat.args(["-b", &broker.bootstrap()]);
    kcat
}
