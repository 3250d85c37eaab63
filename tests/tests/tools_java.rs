//! Kafka's own admin tools: kafka-topics, kafka-configs, kafka-cluster, kafka-metadata-quorum, kafka-broker-api-versions and
//! kafka-acls, one after the other, and what a person would read.

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::tools::{Ended, Jobs};
use corelane_tests::harness::{runtime, topic_name};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const CLUSTER: &str = "org.apache.kafka.tools.ClusterTool";
const QUORUM: &str = "org.apache.kafka.tools.MetadataQuorumCommand";
const VERSIONS: &str = "org.apache.kafka.tools.BrokerApiVersionsCommand";
const ACLS: &str = "org.apache.kafka.tools.AclCommand";

#[test]
fn one_shard() {
    every_tool(1);
}

#[test]
fn three_shards() {
    every_tool(3);
}

fn every_tool(shards: usize) {
    if runtime::java().is_none() {
        return runtime::did_not_run("the suite of Kafka's admin tools", "java with mvn");
    }
    let broker = Broker::start(Options::shards(shards));
    let topic = topic_name("tools");
    let of_topic = format!("--entity-type topics --entity-name {topic}");
    let endpoint = broker.bootstrap();
    let all = [
        // kafka-topics
        step(
            TOPICS,
            format!("--create --topic {topic} --partitions 2 --config retention.ms=5000"),
            0,
            &[&format!("Created topic {topic}.")],
            &[],
        ),
        step(
            TOPICS,
            format!("--create --topic {topic}"),
            1,
            &["already exists"],
            &[],
        ),
        step(TOPICS, "--list".to_owned(), 0, &[&topic], &[]),
        step(
            TOPICS,
            format!("--describe --topic {topic}"),
            0,
            &[
                "PartitionCount: 2",
                "ReplicationFactor: 1",
                "retention.ms=5000",
                "Partition: 1",
                "Leader: 1",
                "Isr: 1",
            ],
            &["Partition: 2"],
        ),
        step(
            TOPICS,
            format!("--alter --topic {topic} --partitions 5"),
            0,
            &[],
            &["Error"],
        ),
        step(
            TOPICS,
            format!("--describe --topic {topic}"),
            0,
            &["PartitionCount: 5", "Partition: 4"],
            &[],
        ),
        step(
            TOPICS,
            format!("--alter --topic {topic} --partitions 3"),
            1,
            &["would not be an increase"],
            &[],
        ),
        // kafka-configs
        step(
            CONFIGS,
            format!(
                "--alter {of_topic} --add-config segment.bytes=2097152,cleanup.policy=[compact,delete]"
            ),
            0,
            &["Completed updating config for topic"],
            &[],
        ),
        step(
            CONFIGS,
            format!("--describe {of_topic}"),
            0,
            &[
                "Dynamic configs for topic",
                "segment.bytes=2097152 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:segment.bytes=2097152, DEFAULT_CONFIG:log.segment.bytes=1073741824}",
                "cleanup.policy=compact,delete",
                "retention.ms=5000",
            ],
            &["flush.ms"],
        ),
        step(
            CONFIGS,
            format!("--alter {of_topic} --delete-config segment.bytes,retention.ms"),
            0,
            &["Completed updating config for topic"],
            &[],
        ),
        step(
            CONFIGS,
            format!("--describe {of_topic}"),
            0,
            &["cleanup.policy=compact,delete"],
            &["segment.bytes", "retention.ms"],
        ),
        step(
            CONFIGS,
            format!("--describe {of_topic} --all"),
            0,
            &["segment.bytes=1073741824", "flush.ms=9223372036854775807"],
            &[],
        ),
        step(
            CONFIGS,
            format!("--alter {of_topic} --add-config segment.bytes=1"),
            1,
            &[],
            &["Completed"],
        ),
        step(
            CONFIGS,
            format!("--alter {of_topic} --add-config no.such=1"),
            1,
            &[],
            &["Completed"],
        ),
        step(
            CONFIGS,
            "--describe --entity-type brokers --entity-name 1 --all".to_owned(),
            0,
            &["node.id=1", "num.partitions=1", "message.max.bytes=1048588"],
            &[],
        ),
        step(
            CONFIGS,
            "--alter --entity-type brokers --entity-name 1 --add-config num.partitions=5"
                .to_owned(),
            1,
            &[],
            &["Completed"],
        ),
        step(
            CONFIGS,
            "--alter --entity-type topics --entity-name unheard-of --add-config segment.ms=5"
                .to_owned(),
            1,
            &[],
            &["Completed"],
        ),
        // kafka-cluster
        step(CLUSTER, "cluster-id".to_owned(), 0, &["Cluster ID: "], &[]),
        step(
            CLUSTER,
            "list-endpoints".to_owned(),
            0,
            &["127.0.0.1", "broker"],
            &[],
        ),
        // kafka-metadata-quorum
        step(
            QUORUM,
            "describe --status".to_owned(),
            0,
            &[
                "LeaderId:               1",
                "CurrentVoters:",
                "\"id\": 1",
                "MaxFollowerLag:         0",
                "CurrentObservers:       []",
            ],
            &["HighWatermark:          0"],
        ),
        step(
            QUORUM,
            "describe --replication".to_owned(),
            0,
            &["NodeId", "LogEndOffset", "Leader"],
            &["Observer"],
        ),
        // kafka-broker-api-versions
        step(
            VERSIONS,
            String::new(),
            0,
            &[
                &endpoint,
                "id: 1",
                "Produce(0): 0 to 13",
                "IncrementalAlterConfigs(44): 0 to 1",
                "DescribeTopicPartitions(75): 0",
            ],
            &["ERROR"],
        ),
        // kafka-acls
        step(
            ACLS,
            "--list".to_owned(),
            1,
            &[
                "SecurityDisabledException",
                "No Authorizer is configured on the broker",
            ],
            &[],
        ),
        step(
            ACLS,
            format!("--add --allow-principal User:a --operation Read --topic {topic}"),
            1,
            &["SecurityDisabledException", "No Authorizer is configured"],
            &[],
        ),
        // kafka-topics, at the end
        step(
            TOPICS,
            format!("--delete --topic {topic}"),
            0,
            &[],
            &["Error"],
        ),
        step(TOPICS, "--list".to_owned(), 0, &[], &[&topic]),
        step(
            TOPICS,
            format!("--describe --topic {topic}"),
            1,
            &["does not exist as expected"],
            &[],
        ),
    ];
    let mut jobs = Jobs::new();
    for step in &all {
        let (tool, words) = (step.tool, step.words.as_str());
        let server = ["--bootstrap-server", &broker.bootstrap()].map(str::to_owned);
        let words = words.split_whitespace().map(str::to_owned);
        let arguments: Vec<String> = match tool {
            // The subcommand comes first, or last.
            CLUSTER => words.chain(server).collect(),
            _ => server.into_iter().chain(words).collect(),
        };
        jobs.add(tool, &arguments, "");
    }
    let wrong: Vec<String> = all
        .iter()
        .zip(jobs.run_any())
        .filter_map(|(step, ended)| step.complaint(&ended))
        .collect();
    assert!(wrong.is_empty(), "{shards} shards:\n{}", wrong.join("\n"));
}

/// One call of a tool.
struct Called {
    tool: &'static str,
    words: String,
    code: i32,
    prints: Vec<String>,
    prints_not: Vec<String>,
}

fn step(
    tool: &'static str,
    words: String,
    code: i32,
    prints: &[&str],
    prints_not: &[&str],
) -> Called {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Called {
        tool,
        words,
        code,
        prints: own(prints),
        prints_not: own(prints_not),
    }
}

impl Called {
    fn complaint(&self, ended: &Ended) -> Option<String> {
        let missing = self
            .prints
            .iter()
            .filter(|text| !ended.said.contains(*text));
        let there = self
            .prints_not
            .iter()
            .filter(|text| ended.said.contains(*text));
        let missing: Vec<&String> = missing.collect();
        let there: Vec<&String> = there.collect();
        if ended.code == self.code && missing.is_empty() && there.is_empty() {
            return None;
        }
        Some(format!(
            "{} {}: code {}, not printed {missing:?}, printed {there:?}\n--- it said\n{}\n--- all errors\n{}",
            self.tool, self.words, ended.code, ended.said, ended.stderr
        ))
    }
}
