//! The command as a user meets it: it starts, says what is wrong in one line, stops on SIGTERM, and finds its records again.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use corelane_tests::harness::broker::{Broker, Options, binary};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::Wire;

const WITHIN: Duration = Duration::from_secs(20);

/// Runs `corelane broker FLAGS`, which must fail, and returns what it said on standard error.
fn refused(what: &str, flags: &[&str]) -> String {
    let mut command = Command::new(binary());
    command.arg("broker").args(flags).env("NO_COLOR", "1");
    let ended = run(command, b"", WITHIN);
    assert!(!ended.ok, "{what}: it started");
    assert!(
        !ended.stderr.contains("panicked") && !ended.stderr.contains("killed after"),
        "{what}: {}",
        ended.stderr
    );
    ended.stderr
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let scratch = std::env::temp_dir().join(topic_name("corelane-refused"));
    let directory = scratch.display().to_string();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let said = refused(
        "a taken port",
        &["--listen", &address, "--data-dir", &directory],
    );
    assert!(said.contains(&address), "a taken port: {said}");
    assert_eq!(said.trim().lines().count(), 1, "a taken port: {said}");

    let config = scratch.with_extension("toml");
    std::fs::write(&config, "no_such_key = 1\n").expect("the temporary directory is writable");
    let config = config.display().to_string();
    let said = refused(
        "an unknown key",
        &[
            "--config",
            &config,
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &directory,
        ],
    );
    assert!(said.contains("no_such_key"), "an unknown key: {said}");
    let said = refused("a bad flag", &["--no-such-flag"]);
    assert!(said.contains("--no-such-flag"), "a bad flag: {said}");
    refused("a bad memory size", &["--memory", "plenty"]);
    refused("no shards", &["--shards", "0", "--data-dir", &directory]);
    drop(std::fs::remove_file(config));
    drop(std::fs::remove_dir_all(scratch));
}

#[test]
fn a_directory_in_use_and_another_nodes_directory_are_refused() {
    let mut broker = Broker::start_own(Options::default());
    let directory = broker.data_dir().expect("our own").to_owned();
    let text = directory.display().to_string();
    let said = refused(
        "a directory in use",
        &["--listen", "127.0.0.1:0", "--data-dir", &text],
    );
    assert!(said.contains(&text), "a directory in use: {said}");
    assert!(broker.terminate().success());
    let said = refused(
        "another node's directory",
        &[
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &text,
            "--node-id",
            "7",
        ],
    );
    assert!(said.contains('7'), "another node's directory: {said}");
}

#[test]
fn records_outlive_sigterm_kill_and_every_shard_count() {
    let mut broker = Broker::start_own(Options::shards(2));
    let topic = topic_name("kept");
    Wire::connect(broker.address()).create_topic(&topic, 8, &[]);
    for round in 0..6_i64 {
        let mut wire = Wire::connect(broker.address());
        for partition in 0..8 {
            let answer = wire.produce(&topic, partition, Batch::of(&[b"kept"]).bytes());
            let answer = &answer.responses[0].partition_responses[0];
            assert_eq!((answer.error_code, answer.base_offset), (0, round));
        }
        if round % 2 == 0 {
            let start = Instant::now();
            assert!(broker.terminate().success());
            let took = start.elapsed();
            assert!(took < Duration::from_secs(5), "SIGTERM took {took:?}");
        } else {
            broker.kill_9();
        }
        broker.options_mut().shards = [1, 4, 3, 2, 1, 2][round as usize];
        broker.restart();
    }
}

/// A topic that is acknowledged can be used at once, through any connection and so through any shard.
#[test]
fn a_topic_just_created_takes_records_everywhere() {
    let broker = Broker::start_own(Options::shards(4));
    let mut first = Wire::connect(broker.address());
    let mut others: Vec<Wire> = (0..8).map(|_| Wire::connect(broker.address())).collect();
    for _ in 0..50 {
        let topic = topic_name("fresh");
        let request = corelane_tests::harness::wire::create_topics(&topic, 8, &[]);
        assert_eq!(first.call(5, &request).topics[0].error_code, 0);
        for (partition, wire) in (0..).zip(&mut others) {
            let answer = wire.produce(&topic, partition, Batch::of(&[b"x"]).bytes());
            assert_eq!(
                answer.responses[0].partition_responses[0].error_code, 0,
                "{topic}-{partition}"
            );
        }
    }
}

/// 8 MiB of lockable memory, as an ordinary user has: it serves, and says what is off.
#[test]
fn little_lockable_memory_is_named_and_not_fatal() {
    let mut limited = vec!["prlimit", "--memlock=8388608:8388608"];
    if std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        // Root's capability overrides the limit.
        limited.splice(
            0..0,
            [
                "setpriv",
                "--bounding-set=-ipc_lock",
                "--inh-caps=-ipc_lock",
            ],
        );
    }
    let broker = Broker::start_own(Options {
        shards: 2,
        wrapper: limited.into_iter().map(str::to_owned).collect(),
        ..Options::default()
    });
    let said = broker.said().join("\n").to_lowercase();
    assert!(said.contains("memlock"), "the start screen says: {said}");
    let topic = topic_name("limited");
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic, 4, &[]);
    for partition in 0..4 {
        let answer = wire.produce(&topic, partition, Batch::of(&[&[b'x'; 500_000]]).bytes());
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
}

#[test]
fn an_idle_broker_sleeps() {
    let broker = Broker::start_own(Options::shards(4));
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic_name("idle"), 4, &[]);
    // Waits on a socket that stays silent: no sleep needed.
    wire.reaction(Duration::from_secs(1));
    let before = broker.cpu_time();
    wire.reaction(Duration::from_secs(5));
    let used = broker.cpu_time() - before;
    assert!(used <= Duration::from_millis(50), "5 s idle used {used:?}");
}
