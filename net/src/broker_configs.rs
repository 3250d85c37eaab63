//! The broker's own configs, as DescribeConfigs tells them: what this broker really has, under Kafka's name where there is
//! one. None of them changes while it runs.

use corelane_engine::controller::create::{PARTITIONS_DEFAULT, REPLICAS_DEFAULT};
use corelane_engine::controller::topic_config;

use crate::api::k75_describe_topic_partitions::PARTITIONS_PER_ANSWER_MAX;
use crate::configs::{self, Shown, Source, Synonym, Type};
use crate::desk::Desk;
use crate::listeners;

/// Every config whose name `wanted` says yes to.
pub fn shown(desk: &Desk, wanted: impl Fn(&str) -> bool) -> Vec<Shown> {
    let own = |name, value: String, of, documentation| {
        config(name, value, of, Source::StaticBroker, documentation)
    };
    let fixed = |name, value: String, of, documentation| {
        config(name, value, of, Source::Default, documentation)
    };
    let mut shown = vec![
        own(
            "node.id",
            desk.node.0.to_string(),
            Type::Int,
            "This broker's id in the cluster.",
        ),
        own(
            "corelane.shards",
            desk.shards.to_string(),
            Type::Int,
            "Threads that own partitions.",
        ),
        fixed(
            "process.roles",
            "broker,controller".to_owned(),
            Type::List,
            "What this process does in the cluster.",
        ),
        fixed(
            "num.partitions",
            PARTITIONS_DEFAULT.to_string(),
            Type::Int,
            "Partitions of a topic whose creator does not say how many.",
        ),
        fixed(
            "default.replication.factor",
            REPLICAS_DEFAULT.to_string(),
            Type::Int,
            "Replicas of each partition of a topic whose creator does not say how many.",
        ),
        fixed(
            "auto.create.topics.enable",
            "true".to_owned(),
            Type::Boolean,
            "Whether a topic that a client names is created where it is missing.",
        ),
        fixed(
            "delete.topic.enable",
            "true".to_owned(),
            Type::Boolean,
            "Whether topics may be deleted.",
        ),
        fixed(
            "socket.request.max.bytes",
            desk.limits.frame_bytes_max.to_string(),
            Type::Int,
            "The largest request.",
        ),
        fixed(
            "max.request.partition.size.limit",
            PARTITIONS_PER_ANSWER_MAX.to_string(),
            Type::Int,
            "Partitions in one answer to DescribeTopicPartitions, at most.",
        ),
        fixed(
            "max.incremental.fetch.session.cache.slots",
            (desk.limits.sessions_max * usize::from(desk.shards)).to_string(),
            Type::Int,
            "Fetch sessions that are kept, over all shards.",
        ),
    ];
    shown.push(own(
        "listeners",
        listeners::bound(&desk.listeners),
        Type::List,
        "Where this broker listens.",
    ));
    if let Some(broker) = desk.image.broker(desk.node) {
        shown.push(own(
            "advertised.listeners",
            listeners::advertised(&broker.endpoints),
            Type::List,
            "Where the clients of each listener are told to connect.",
        ));
        shown.push(rack(broker.rack.clone()));
    }
    // What topics fall back to: these defaults cannot be changed, but they are in effect.
    let defaults = topic_config::DEFINITIONS.iter().filter(|d| d.in_effect);
    shown.extend(defaults.filter_map(|definition| {
        let default = configs::default_of(definition)?;
        let (of, documentation) = (Type::of(definition.kind), configs::about(definition.name));
        Some(fixed(default.name, default.value, of, documentation))
    }));
    shown.retain(|config| wanted(config.name));
    shown
}

fn rack(value: Option<String>) -> Shown {
    let (name, documentation) = ("broker.rack", "Where this broker stands.");
    match value {
        Some(rack) => config(
            name,
            rack,
            Type::String,
            Source::StaticBroker,
            documentation,
        ),
        // As Kafka shows what has no default: it has no synonym either.
        None => Shown {
            name,
            value: None,
            source: Source::Default,
            of: Type::String,
            read_only: true,
            synonyms: Vec::new(),
            documentation,
        },
    }
}

fn config(
    name: &'static str,
    value: String,
    of: Type,
    source: Source,
    documentation: &'static str,
) -> Shown {
    let synonym = Synonym {
        name,
        value: value.clone(),
        source,
    };
    Shown {
        name,
        value: Some(value),
        source,
        of,
        read_only: true,
        synonyms: vec![synonym],
        documentation,
    }
}
