//! The commands of `corelane` over the wire, as people and scripts use them: against our broker and against Apache Kafka.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use corelane_tests::harness::broker::{Broker, Options, binary};
use corelane_tests::harness::process::{Ended, run};
use corelane_tests::harness::{runtime, topic_name};

const WITHIN: Duration = Duration::from_secs(60);

/// One user at one cluster.
struct User {
    bootstrap: String,
}

impl User {
    fn of(broker: &Broker) -> User {
        User {
            bootstrap: broker.bootstrap(),
        }
    }

    fn says(&self, words: &[&str], stdin: &str) -> Ended {
        let mut command = Command::new(binary());
        command.args(words).env("CORELANE_BROKERS", &self.bootstrap);
        run(command, stdin.as_bytes(), WITHIN)
    }

    /// Standard output of a command that must succeed.
    fn told(&self, words: &[&str]) -> String {
        self.told_after(words, "")
    }

    fn told_after(&self, words: &[&str], stdin: &str) -> String {
        self.says(words, stdin).expect_ok(&words.join(" ")).text()
    }

    fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--json"]].concat();
        let text = self.told(&words);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    }

    /// Standard error of a command that must fail with this exit code.
    fn refused(&self, code: i32, words: &[&str]) -> String {
        let ended = self.says(words, "");
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended.stderr
    }
}

#[test]
fn topics_and_records_on_our_broker() {
    for shards in [1, 2] {
        let broker = Broker::start_own(Options::shards(shards));
        topics_and_records(&User::of(&broker));
        groups(&User::of(&broker));
    }
}

#[test]
fn topics_and_records_on_apache_kafka() {
    if runtime::java().is_none() {
        return runtime::did_not_run("the commands on Apache Kafka", "java with mvn");
    }
    let broker = Broker::start_own(Options {
        kafka: true,
        ..Options::default()
    });
    topics_and_records(&User::of(&broker));
    groups(&User::of(&broker));
}

fn topics_and_records(user: &User) {
    let topic = &topic_name("cli")[..];
    let created = user.told(&[
        "topic",
        "create",
        topic,
        "-p",
        "3",
        "-c",
        "retention.ms=1000000000",
    ]);
    assert!(
        created.contains(topic) && created.contains("PARTITIONS"),
        "{created}"
    );
    let said = user.refused(1, &["topic", "create", topic]);
    assert!(
        said.contains("TOPIC_ALREADY_EXISTS") && said.lines().count() == 1,
        "{said}"
    );
    user.told(&["topic", "create", topic, "--if-not-exists"]);
    let said = user.refused(1, &["topic", "create", "x", "-c", "no.such.config=1"]);
    assert!(said.contains("INVALID_CONFIG"), "{said}");

    let lines: String = (0..5000)
        .map(|n| format!("key{}:value {n}\n", n % 50))
        .collect();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        user.told_after(&["produce", topic, "-k", ":", "--codec", codec], &lines);
    }
    let read = user.told(&["consume", topic, "--exit", "-f", "keyed"]);
    assert_eq!(read.lines().count(), 25_000);
    // One key is one partition, and its records keep their order.
    let of_one: Vec<&str> = read
        .lines()
        .filter(|line| line.starts_with("key7\t"))
        .collect();
    let expected: Vec<String> = (0..5000)
        .filter(|n| n % 50 == 7)
        .map(|n| format!("key7\tvalue {n}"))
        .collect();
    assert_eq!(of_one[..100], expected);
    assert_eq!(user.told(&["consume", topic, "-n", "7"]).lines().count(), 7);
    let last = user.told(&["consume", topic, "--exit", "--from", "-2", "-p", "1"]);
    assert_eq!(last.lines().count(), 2);

    user.told_after(
        &[
            "produce",
            topic,
            "-k",
            ":",
            "-p",
            "0",
            "--empty-is-null",
            "-H",
            "trace=7",
        ],
        "gone:\n",
    );
    let one = user.told(&[
        "consume", topic, "--exit", "-p", "0", "--from", "-1", "--json",
    ]);
    let one: Value = serde_json::from_str(one.trim()).expect("one object a line");
    assert_eq!(
        (&one["key"], &one["value"]),
        (&Value::from("gone"), &Value::Null)
    );
    assert_eq!(one["headers"][0]["value"], "7");

    let described = user.json(&["topic", "describe", topic]);
    let partitions = described[0]["partitions"].as_array().expect("partitions");
    let ends: i64 = partitions
        .iter()
        .map(|p| p["end"].as_i64().expect("an end"))
        .sum();
    assert_eq!((partitions.len(), ends), (3, 25_001));
    let text = user.told(&["topic", "describe", topic]);
    assert!(text.contains("PARTITION"), "{text}");
    let listed = user.json(&["topic", "list"]);
    assert!(
        listed
            .as_array()
            .expect("topics")
            .iter()
            .any(|t| t["topic"] == topic),
        "{listed}"
    );

    user.told(&[
        "topic",
        "alter",
        topic,
        "-p",
        "5",
        "-c",
        "segment.ms=3600000",
        "--unset",
        "retention.ms",
    ]);
    let configs = user.json(&["config", "describe", "topic", topic]);
    // Kafka sets one for the whole cluster by itself.
    let mut given = configs.as_array().expect("configs").iter();
    let given = given.find(|config| config["source"] == "topic");
    let given = given.unwrap_or_else(|| panic!("none of the topic's own: {configs}"));
    assert_eq!(
        (&given["config"], &given["value"]),
        (&Value::from("segment.ms"), &Value::from("3600000"))
    );
    let all = user.told(&["config", "describe", "topic", topic, "--all", "--docs"]);
    assert!(
        all.contains("cleanup.policy") && all.contains("MEANING"),
        "{all}"
    );
    user.told(&["config", "unset", "topic", topic, "segment.ms"]);
    let said = user.refused(1, &["config", "set", "topic", topic, "segment.ms=soon"]);
    assert!(said.contains("INVALID_CONFIG"), "{said}");
    let broker = user.json(&["config", "describe", "broker", "1", "--all"]);
    assert!(!broker.as_array().expect("configs").is_empty());

    let said = user.refused(1, &["consume", "no-such-topic"]);
    assert!(
        said.contains("no-such-topic") && said.contains("UNKNOWN_TOPIC_OR_PARTITION"),
        "{said}"
    );
    assert!(
        user.refused(2, &["consume", topic, "-p", "17"])
            .contains("5 partitions")
    );
    user.refused(2, &["consume", topic, "--from", "yesterday"]);
    user.refused(2, &["topic", "alter", topic]);
    user.refused(3, &["topic", "list", "-b", "127.0.0.1:1", "--timeout", "2"]);
    assert!(user.told(&["topic", "delete", topic]).contains(topic));
    user.refused(1, &["topic", "delete", topic]);
    user.told(&["topic", "delete", topic, "--if-exists"]);
}

fn groups(user: &User) {
    let (topic, group) = (&topic_name("cli-groups")[..], &topic_name("billing")[..]);
    user.told(&["topic", "create", topic, "-p", "2"]);
    let lines: String = (0..100).map(|n| format!("{n}:{n}\n")).collect();
    user.told_after(&["produce", topic, "-k", ":"], &lines);
    let member = |count: &str| {
        let words = ["consume", topic, "--group", group, "-n", count];
        let read = user.told(&words);
        read.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (member("30"), member("70"));
    let mut all: Vec<u32> = first
        .iter()
        .chain(&second)
        .map(|line| line.parse().expect("a number"))
        .collect();
    all.sort_unstable();
    assert_eq!(
        all,
        (0..100).collect::<Vec<_>>(),
        "each once, over two members after each other"
    );

    let described = user.json(&["group", "describe", group]);
    assert_eq!(
        (&described[0]["lag"], &described[0]["state"]),
        (&Value::from(0), &Value::from("Empty"))
    );
    user.told_after(&["produce", topic], "x\ny\n");
    let text = user.told(&["group", "describe", group]);
    assert!(
        text.contains("lag 2") && text.contains("COMMITTED"),
        "{text}"
    );
    let listed = user.json(&["group", "list"]);
    assert!(
        listed
            .as_array()
            .expect("groups")
            .iter()
            .any(|g| g["group"] == group),
        "{listed}"
    );

    let dry = user.json(&["group", "reset", group, "--to", "earliest", "--dry-run"]);
    assert_eq!(
        (&dry["done"], dry["partitions"].as_array().map(Vec::len)),
        (&Value::from(false), Some(2))
    );
    assert_eq!(user.json(&["group", "describe", group])[0]["lag"], 2);
    user.told(&["group", "reset", group, "--to", "earliest"]);
    assert_eq!(user.json(&["group", "describe", group])[0]["lag"], 102);
    user.told(&["group", "reset", group, "--topic", topic, "--to", "latest"]);
    assert_eq!(user.json(&["group", "describe", group])[0]["lag"], 0);
    assert!(user.told(&["group", "delete", group]).contains(group));
    let said = user.refused(1, &["group", "delete", group]);
    assert!(said.contains("GROUP_ID_NOT_FOUND"), "{said}");
}

#[test]
fn help_and_completions_are_complete() {
    let user = User {
        bootstrap: "127.0.0.1:1".to_owned(),
    };
    for words in [
        &["topic"][..],
        &["produce"],
        &["consume"],
        &["group"],
        &["config"],
        &["broker"],
        &["log", "dump"],
        &["completions"],
    ] {
        let help = user.told(&[words, &["--help"]].concat());
        assert!(help.contains("Example"), "{words:?} has no example: {help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = user.told(&["completions", shell]);
        assert!(
            script.contains("consume") && script.contains("describe"),
            "{shell}"
        );
    }
    let said = user.refused(2, &["topik"]);
    assert!(
        said.contains("topic"),
        "a typo is answered by what was meant: {said}"
    );
}
