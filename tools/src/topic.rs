//! `corelane topic`: create, list, describe, alter, delete.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use corelane_net::protocol::Str;
use corelane_net::protocol::create_partitions_request::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use corelane_net::protocol::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use corelane_net::protocol::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use corelane_net::protocol::metadata_response::MetadataResponseTopic;
use serde_json::{Value, json};

use crate::client::{ClientError, Cluster, To, checked};
use crate::common::{Common, ended, pair};
use crate::configs::{self, Change, Resource};
use crate::offsets;
use crate::show::{self, Table};

/// Create, list, describe, alter and delete topics
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  corelane topic create orders --partitions 6
  corelane topic create audit --partitions 1 --config retention.ms=-1 --config corelane.durability=process
  corelane topic list
  corelane topic describe orders
  corelane topic alter orders --partitions 12 --config retention.ms=86400000
  corelane topic delete orders audit"
)]
pub(crate) struct TopicArgs {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: TopicCommand,
}

#[derive(Subcommand)]
enum TopicCommand {
    /// Create topics
    #[command(after_help = "Example:
  corelane topic create orders --partitions 6 --config cleanup.policy=delete")]
    Create {
        #[arg(required = true, value_name = "TOPIC")]
        names: Vec<String>,
        /// How many partitions [default: the broker's]
        #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// How many brokers hold each partition [default: the broker's]
        #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
        replicas: Option<i16>,
        /// A topic config; may be given several times
        #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
        config: Vec<(String, String)>,
        /// No error where the topic exists already
        #[arg(long)]
        if_not_exists: bool,
    },
    /// List topics
    #[command(after_help = "Example:
  corelane topic list --internal")]
    List {
        /// Internal topics too, such as __consumer_offsets
        #[arg(long)]
        internal: bool,
    },
    /// Show partitions, leaders, offsets and configs of topics
    #[command(after_help = "Example:
  corelane topic describe orders --json")]
    Describe {
        #[arg(required = true, value_name = "TOPIC")]
        names: Vec<String>,
    },
    /// Add partitions, set and unset configs
    #[command(after_help = "Example:
  corelane topic alter orders --partitions 12 --config retention.ms=3600000 --unset segment.ms")]
    Alter {
        #[arg(value_name = "TOPIC")]
        name: String,
        /// How many partitions it shall have; never fewer than now
        #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// Set a config; may be given several times
        #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
        config: Vec<(String, String)>,
        /// Go back to a config's default; may be given several times
        #[arg(long, value_name = "NAME")]
        unset: Vec<String>,
    },
    /// Delete topics and everything in them
    #[command(after_help = "Example:
  corelane topic delete orders")]
    Delete {
        #[arg(required = true, value_name = "TOPIC")]
        names: Vec<String>,
        /// No error where the topic does not exist
        #[arg(long)]
        if_exists: bool,
    },
}

pub(crate) fn run(args: &TopicArgs) -> ExitCode {
    ended(serve(args))
}

fn serve(args: &TopicArgs) -> Result<(), ClientError> {
    let common = &args.common;
    match &args.command {
        TopicCommand::Create {
            names,
            partitions,
            replicas,
            config,
            if_not_exists,
        } => {
            let layout = (partitions.unwrap_or(-1), replicas.unwrap_or(-1));
            create(common, names, layout, config, *if_not_exists)
        }
        TopicCommand::List { internal } => list(common, *internal),
        TopicCommand::Describe { names } => describe(common, names),
        TopicCommand::Alter {
            name,
            partitions,
            config,
            unset,
        } => alter(common, name, *partitions, config, unset),
        TopicCommand::Delete { names, if_exists } => delete(common, names, *if_exists),
    }
}

const TOPIC_EXISTS: i16 = 36;

fn create(
    common: &Common,
    names: &[String],
    (num_partitions, replication_factor): (i32, i16),
    config: &[(String, String)],
    if_not_exists: bool,
) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let configs = config.iter().map(|(name, value)| CreatableTopicConfig {
        name: name.as_str().into(),
        value: Some(value.as_str().into()),
    });
    let configs: Vec<CreatableTopicConfig> = configs.collect();
    let topic = |name: &String| CreatableTopic {
        name: name.as_str().into(),
        num_partitions,
        replication_factor,
        configs: configs.clone(),
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: names.iter().map(topic).collect(),
        timeout_ms: common.timeout_ms(),
        ..CreateTopicsRequest::default()
    };
    let answer = cluster.call(To::Any, &request)?;
    let mut table = Table::new(&["TOPIC", "PARTITIONS", "REPLICAS", "ID"]);
    let mut values = Vec::new();
    let mut refused = Ok(());
    for topic in &answer.topics {
        if topic.error_code == TOPIC_EXISTS && if_not_exists {
            continue;
        }
        let result = checked(
            format!("topic {}", topic.name.as_str()),
            topic.error_code,
            topic.error_message.as_ref(),
        );
        if result.is_err() {
            refused = each_refused(refused, result);
            continue;
        }
        table.row(vec![
            topic.name.as_str().to_owned(),
            topic.num_partitions.to_string(),
            topic.replication_factor.to_string(),
            topic.topic_id.to_string(),
        ]);
        values.push(json!({
            "topic": topic.name.as_str(), "partitions": topic.num_partitions,
            "replicas": topic.replication_factor, "id": topic.topic_id.to_string(),
        }));
    }
    print(common, &table, &Value::Array(values))?;
    refused
}

/// Every refusal is said; the first one decides how the command ends.
pub(crate) fn each_refused(
    before: Result<(), ClientError>,
    now: Result<(), ClientError>,
) -> Result<(), ClientError> {
    match (before, now) {
        (Err(before), Err(now)) => {
            eprintln!("corelane: {now}");
            Err(before)
        }
        (before, now) => before.and(now),
    }
}

/// A table for people (nothing where it is empty), a value for programs.
pub(crate) fn print(common: &Common, table: &Table, value: &Value) -> Result<(), ClientError> {
    if common.json {
        show::json(value)?;
    } else if !table.is_empty() {
        table.print()?;
    }
    Ok(())
}

fn list(common: &Common, internal: bool) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let mut topics = cluster.metadata(None)?.topics;
    topics.retain(|topic| internal || !topic.is_internal);
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    let mut table = Table::new(&["TOPIC", "PARTITIONS", "REPLICAS"]);
    let mut values = Vec::new();
    for topic in &topics {
        let replicas = replicas(topic);
        table.row(vec![
            name(topic),
            topic.partitions.len().to_string(),
            replicas.to_string(),
        ]);
        values.push(json!({
            "topic": name(topic), "partitions": topic.partitions.len(), "replicas": replicas,
            "internal": topic.is_internal, "id": topic.topic_id.to_string(),
        }));
    }
    if topics.is_empty() && !common.json {
        eprintln!("no topics; create one: corelane topic create NAME");
    }
    print(common, &table, &Value::Array(values))
}

fn name(topic: &MetadataResponseTopic) -> String {
    topic
        .name
        .as_ref()
        .map_or(String::new(), |name| name.as_str().to_owned())
}

fn replicas(topic: &MetadataResponseTopic) -> usize {
    let counts = topic.partitions.iter().map(|p| p.replica_nodes.len());
    counts.max().unwrap_or(0)
}

fn describe(common: &Common, names: &[String]) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let mut values = Vec::new();
    for wanted in names {
        let mut topic = cluster.topic(wanted)?;
        topic.partitions.sort_by_key(|p| p.partition_index);
        let numbers: Vec<i32> = topic.partitions.iter().map(|p| p.partition_index).collect();
        let earliest = offsets::at(&mut cluster, wanted, &numbers, offsets::EARLIEST)?;
        let latest = offsets::at(&mut cluster, wanted, &numbers, offsets::LATEST)?;
        let configs = given(&mut cluster, wanted)?;
        let mut table = Table::new(&[
            "PARTITION",
            "LEADER",
            "EPOCH",
            "REPLICAS",
            "IN SYNC",
            "START",
            "END",
        ]);
        let mut partitions = Vec::new();
        for partition in &topic.partitions {
            let at = partition.partition_index;
            let (start, end) = (earliest[&at], latest[&at]);
            table.row(vec![
                at.to_string(),
                partition.leader_id.to_string(),
                partition.leader_epoch.to_string(),
                numbers_text(&partition.replica_nodes),
                numbers_text(&partition.isr_nodes),
                start.to_string(),
                end.to_string(),
            ]);
            partitions.push(json!({
                "partition": at, "leader": partition.leader_id, "leader_epoch": partition.leader_epoch,
                "replicas": partition.replica_nodes, "isr": partition.isr_nodes, "start": start, "end": end,
            }));
        }
        values.push(json!({
            "topic": wanted, "id": topic.topic_id.to_string(), "internal": topic.is_internal,
            "configs": configs.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "partitions": partitions,
        }));
        if !common.json {
            println!(
                "{wanted}  id {}  {} partitions{}",
                topic.topic_id,
                topic.partitions.len(),
                if topic.is_internal { "  internal" } else { "" }
            );
            for (name, value) in &configs {
                println!("  {name}={value}");
            }
            table.print()?;
            if wanted != names.last().expect("it is one of them") {
                println!();
            }
        }
    }
    match common.json {
        true => print(common, &Table::new(&[]), &Value::Array(values)),
        false => Ok(()),
    }
}

/// The configs that a topic was given; none where the broker does not tell.
fn given(cluster: &mut Cluster, topic: &str) -> Result<Vec<(String, String)>, ClientError> {
    match configs::describe(cluster, &Resource::Topic(topic.to_owned())) {
        Ok(all) => Ok(all
            .into_iter()
            .filter(|config| config.is_given_to_topic())
            .map(|config| (config.name, config.value.unwrap_or_default()))
            .collect()),
        Err(ClientError::NotServed { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn numbers_text(numbers: &[i32]) -> String {
    let texts: Vec<String> = numbers.iter().map(i32::to_string).collect();
    texts.join(",")
}

fn alter(
    common: &Common,
    name: &str,
    partitions: Option<i32>,
    config: &[(String, String)],
    unset: &[String],
) -> Result<(), ClientError> {
    if partitions.is_none() && config.is_empty() && unset.is_empty() {
        return Err(ClientError::Usage(
            "nothing to alter: give --partitions, --config or --unset".to_owned(),
        ));
    }
    let mut cluster = common.connect()?;
    let set = config
        .iter()
        .map(|(name, value)| Change::Set(name.clone(), value.clone()));
    let changes: Vec<Change> = set
        .chain(unset.iter().cloned().map(Change::Unset))
        .collect();
    if !changes.is_empty() {
        configs::alter(&mut cluster, &Resource::Topic(name.to_owned()), &changes)?;
    }
    if let Some(count) = partitions {
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: name.into(),
                count,
                assignments: None,
            }],
            timeout_ms: common.timeout_ms(),
            ..CreatePartitionsRequest::default()
        };
        for result in cluster.call(To::Any, &request)?.results {
            checked(
                format!("topic {}", result.name.as_str()),
                result.error_code,
                result.error_message.as_ref(),
            )?;
        }
    }
    if common.json {
        show::json(&json!({ "topic": name, "altered": true }))?;
    } else {
        println!("altered {name}");
    }
    Ok(())
}

fn delete(common: &Common, names: &[String], if_exists: bool) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let version = cluster.version::<DeleteTopicsRequest>(To::Any)?;
    let state = |name: &String| DeleteTopicState {
        name: Some(name.as_str().into()),
        ..DeleteTopicState::default()
    };
    let by_state = version >= 6;
    let request = DeleteTopicsRequest {
        topics: if by_state {
            names.iter().map(state).collect()
        } else {
            Vec::new()
        },
        topic_names: if by_state {
            Vec::new()
        } else {
            names.iter().map(|name| name.as_str().into()).collect()
        },
        timeout_ms: common.timeout_ms(),
    };
    let answer = cluster.call_at(To::Any, version, &request)?;
    let mut refused = Ok(());
    let mut deleted = Vec::new();
    for topic in &answer.responses {
        let name = topic.name.as_ref().map_or("?", Str::as_str);
        if if_exists && topic.error_code == crate::kafka_error::UNKNOWN_TOPIC {
            continue;
        }
        let result = checked(
            format!("topic {name}"),
            topic.error_code,
            topic.error_message.as_ref(),
        );
        match result {
            Ok(()) => deleted.push(name.to_owned()),
            Err(_) => refused = each_refused(refused, result),
        }
    }
    if common.json {
        show::json(&json!({ "deleted": deleted }))?;
    } else {
        deleted.iter().for_each(|name| println!("deleted {name}"));
    }
    refused
}
