//! Kafka's own tools for logs: kafka-get-offsets, kafka-delete-records and kafka-log-dirs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use corelane_tests::harness::broker::{Broker, Options, target_dir};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::wire::Wire;
use corelane_tests::harness::{runtime, topic_name};

#[test]
fn offsets_are_listed_records_deleted_and_directories_described() {
    if runtime::java().is_none() {
        return runtime::did_not_run("the Kafka tools for logs", "java with mvn");
    }
    let broker = Broker::start(Options::shards(2));
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("tools-log");
    wire.create_topic(&topic, 3, &[]);
    for (partition, count) in [(0, 5), (1, 2)] {
        for _ in 0..count {
            wire.produce(&topic, partition, Batch::of(&[b"a", b"b"]).bytes());
        }
    }
    let mut jobs = Jobs::new();
    let server = ["--bootstrap-server".to_owned(), broker.bootstrap()];
    let tool = |jobs: &mut Jobs, class: &str, more: &[&str]| {
        let more = more.iter().map(|word| (*word).to_owned());
        let arguments: Vec<String> = server.iter().cloned().chain(more).collect();
        jobs.add(class, &arguments)
    };
    let deletions = format!(
        r#"{{"version":1,"partitions":[
            {{"topic":"{topic}","partition":0,"offset":3}},
            {{"topic":"{topic}","partition":1,"offset":-1}},
            {{"topic":"{topic}","partition":2,"offset":9}}]}}"#
    );
    let file = jobs.file("deletions.json", &deletions);
    let offsets = "org.apache.kafka.tools.GetOffsetShell";
    let latest = tool(&mut jobs, offsets, &["--topic", &topic]);
    let before = tool(
        &mut jobs,
        offsets,
        &["--topic", &topic, "--time", "earliest"],
    );
    let deleted = tool(
        &mut jobs,
        "org.apache.kafka.tools.DeleteRecordsCommand",
        &["--offset-json-file", &file],
    );
    let after = tool(&mut jobs, offsets, &["--topic", &topic, "--time", "-2"]);
    let dirs = tool(
        &mut jobs,
        "org.apache.kafka.tools.LogDirsCommand",
        &["--describe", "--topic-list", &topic],
    );
    let said = jobs.run();
    let listed = |job: usize| -> Vec<String> {
        let lines = said[job].lines().filter(|line| line.starts_with(&topic));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = |offsets: [i64; 3]| -> Vec<String> {
        let lines = offsets.iter().enumerate();
        lines
            .map(|(p, offset)| format!("{topic}:{p}:{offset}"))
            .collect()
    };
    assert_eq!(listed(latest), expected([10, 4, 0]));
    assert_eq!(listed(before), expected([0, 0, 0]));
    for line in [
        format!("partition: {topic}-0\tlow_watermark: 3"),
        format!("partition: {topic}-1\tlow_watermark: 4"),
        format!("partition: {topic}-2\terror: org.apache.kafka.common.errors.OffsetOutOfRange"),
    ] {
        assert!(
            said[deleted].contains(&line),
            "{line:?} in {}",
            said[deleted]
        );
    }
    assert_eq!(listed(after), expected([3, 4, 0]));
    let json = said[dirs].lines().find(|line| line.starts_with('{'));
    let json = json.unwrap_or_else(|| panic!("no description in {}", said[dirs]));
    for part in [
        "\"error\":null",
        "\"offsetLag\":0",
        "\"isFuture\":false",
        "logDir",
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
    for partition in 0..3 {
        let named = format!("\"partition\":\"{topic}-{partition}\"");
        assert!(json.contains(&named), "{named} in {json}");
    }
}

/// Jobs for `Tools.java`, run together in one JVM.
struct Jobs {
    directory: PathBuf,
    count: usize,
}

impl Jobs {
    fn new() -> Jobs {
        let directory = target_dir().join("tmp").join(topic_name("tools"));
        fs::create_dir_all(&directory).expect("the target directory is writable");
        Jobs {
            directory,
            count: 0,
        }
    }

    /// A file that a tool is to read; its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.join(name);
        fs::write(&path, text).expect("writable");
        path.display().to_string()
    }

    fn add(&mut self, class: &str, arguments: &[String]) -> usize {
        let job = self.directory.join(self.count.to_string());
        fs::create_dir(&job).expect("a new directory");
        let write = |name: &str, text: &str| fs::write(job.join(name), text).expect("writable");
        write("class", class);
        write("args", &arguments.join("\n"));
        self.count += 1;
        self.count - 1
    }

    /// What each job printed; panics unless all ended with code 0.
    fn run(self) -> Vec<String> {
        let mut java = runtime::java().expect("checked at the start");
        java.arg(runtime::clients_dir().join("java/Tools.java"));
        for job in 0..self.count {
            java.arg(self.directory.join(job.to_string()));
        }
        let ended = run(java, b"", Duration::from_secs(180));
        let stderr = ended.stderr.clone();
        ended.expect_ok("the JVM");
        let said = (0..self.count)
            .map(|job| {
                let read = |name: &str| {
                    fs::read_to_string(self.directory.join(job.to_string()).join(name))
                        .expect("Tools.java wrote it")
                };
                let (text, exit) = (read("stdout"), read("exit"));
                assert_eq!(exit, "0", "{}\n{text}\n{stderr}", read("args"));
                text
            })
            .collect();
        drop(fs::remove_dir_all(&self.directory));
        said
    }
}
