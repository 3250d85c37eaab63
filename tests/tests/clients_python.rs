//! confluent-kafka (Python) produces with every codec, acks and idempotence and reads back by `assign`: the work is in
//! `clients/python/produce_and_read.py`.

use std::time::Duration;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::Case;
use corelane_tests::harness::wire::Wire;
use corelane_tests::harness::{runtime, topic_name};

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
    let Some(mut python) = runtime::python() else {
        return runtime::did_not_run("the confluent-kafka suite", "python3 with venv and pip");
    };
    let broker = Broker::start(Options::shards(shards));
    let mut wire = Wire::connect(broker.address());
    python
        .arg(runtime::clients_dir().join("python/produce_and_read.py"))
        .arg(broker.bootstrap());
    let cases = Case::all();
    for case in &cases {
        let topic = topic_name(&format!("python-{}", case.stem()));
        wire.create_topic(&topic, 3, &[]);
        python.arg(format!(
            "{}:{}:{}:{topic}",
            case.codec, case.acks, case.idempotent
        ));
    }
    let ended = run(python, b"", Duration::from_secs(180));
    let passed = ended.text().lines().filter(|l| l.starts_with("ok")).count();
    ended.expect_ok(&format!("{shards} shards, confluent-kafka"));
    assert_eq!(passed, cases.len());
}
