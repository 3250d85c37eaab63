//! What configs are to clients: kinds of resources, sources and types by Kafka's numbers, and what each topic config is for.

use corelane_engine::controller::image::Topic;
use corelane_engine::controller::topic_config::{self, Definition, Kind};

/// Kafka's `ConfigResource.Type`, as far as it is served.
pub mod resource {
    pub const TOPIC: i8 = 2;
    pub const BROKER: i8 = 4;
    pub const BROKER_LOGGER: i8 = 8;
    pub const CLIENT_METRICS: i8 = 16;
    pub const GROUP: i8 = 32;
}

/// Where a value comes from: Kafka's `ConfigSource`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i8)]
pub enum Source {
    Topic = 1,
    StaticBroker = 4,
    Default = 5,
}

/// Kafka's `ConfigType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i8)]
pub enum Type {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

impl Type {
    /// The type of a topic's config.
    pub fn of(kind: Kind) -> Type {
        match kind {
            Kind::Int(..) | Kind::IntOrMinusOne(..) => Type::Int,
            Kind::Long(_) => Type::Long,
            Kind::Double(..) => Type::Double,
            Kind::Boolean => Type::Boolean,
            Kind::Word(_) => Type::String,
            Kind::Words(_) | Kind::ThrottledReplicas => Type::List,
        }
    }
}

/// Another place where a value could come from, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Synonym {
    pub name: &'static str,
    pub value: String,
    pub source: Source,
}

/// A config as DescribeConfigs tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub name: &'static str,
    /// `None`: Kafka's null.
    pub value: Option<String>,
    pub source: Source,
    pub of: Type,
    pub read_only: bool,
    /// The value in effect first.
    pub synonyms: Vec<Synonym>,
    pub documentation: &'static str,
}

/// Every config of a topic whose name `wanted` says yes to.
pub fn of_topic(topic: &Topic, wanted: impl Fn(&str) -> bool) -> Vec<Shown> {
    let definitions = topic_config::DEFINITIONS.iter();
    definitions
        .filter(|definition| wanted(definition.name))
        .filter_map(|definition| {
            let own = topic.configs.get(definition.name);
            let mut synonyms = Vec::new();
            if let Some(text) = own {
                synonyms.push(Synonym {
                    name: definition.name,
                    value: topic_config::shown(definition, text),
                    source: Source::Topic,
                });
            }
            synonyms.extend(default_of(definition));
            let text = own.map(String::as_str).or(definition.default)?;
            Some(Shown {
                name: definition.name,
                value: Some(topic_config::shown(definition, text)),
                source: if own.is_some() {
                    Source::Topic
                } else {
                    Source::Default
                },
                of: Type::of(definition.kind),
                read_only: false,
                synonyms,
                documentation: about(definition.name),
            })
        })
        .collect()
}

/// The broker's default of a topic config, under the name that Kafka's brokers give it.
pub fn default_of(definition: &Definition) -> Option<Synonym> {
    Some(Synonym {
        name: broker_name(definition.name)?,
        value: definition.default?.to_owned(),
        source: Source::Default,
    })
}

/// Kafka's `ServerTopicConfigSynonyms`: the first name of each, where it has a default of its own.
fn broker_name(topic: &str) -> Option<&'static str> {
    Some(match topic {
        "segment.bytes" => "log.segment.bytes",
        "segment.index.bytes" => "log.index.size.max.bytes",
        "flush.messages" => "log.flush.interval.messages",
        "retention.bytes" => "log.retention.bytes",
        "max.message.bytes" => "message.max.bytes",
        "index.interval.bytes" => "log.index.interval.bytes",
        "delete.retention.ms" => "log.cleaner.delete.retention.ms",
        "min.compaction.lag.ms" => "log.cleaner.min.compaction.lag.ms",
        "max.compaction.lag.ms" => "log.cleaner.max.compaction.lag.ms",
        "file.delete.delay.ms" => "log.segment.delete.delay.ms",
        "min.cleanable.dirty.ratio" => "log.cleaner.min.cleanable.ratio",
        "cleanup.policy" => "log.cleanup.policy",
        "unclean.leader.election.enable" => "unclean.leader.election.enable",
        "min.insync.replicas" => "min.insync.replicas",
        "compression.type" => "compression.type",
        "compression.gzip.level" => "compression.gzip.level",
        "compression.lz4.level" => "compression.lz4.level",
        "compression.zstd.level" => "compression.zstd.level",
        "preallocate" => "log.preallocate",
        "message.timestamp.type" => "log.message.timestamp.type",
        "message.timestamp.before.max.ms" => "log.message.timestamp.before.max.ms",
        "message.timestamp.after.max.ms" => "log.message.timestamp.after.max.ms",
        "local.retention.ms" => "log.local.retention.ms",
        "local.retention.bytes" => "log.local.retention.bytes",
        _ => return None,
    })
}

/// What a topic config does here, in a sentence.
pub fn about(name: &str) -> &'static str {
    match name {
        "segment.bytes" => {
            "The log of a partition begins a new segment when the next batch would make this one larger."
        }
        "segment.ms" => {
            "The log of a partition begins a new segment when this one spans more time."
        }
        "segment.jitter.ms" => {
            "A segment may end earlier by a random time below this, so that not all end at once."
        }
        "segment.index.bytes" => "Kept, without effect: indexes are as long as they need to be.",
        "flush.messages" => "With corelane.durability=process: flush after this many records.",
        "flush.ms" => "With corelane.durability=process: flush after this time.",
        "retention.bytes" => {
            "With cleanup.policy delete: how large a partition may become before its oldest segments go; -1: any size."
        }
        "retention.ms" => {
            "With cleanup.policy delete: how old a segment may become before it goes; -1: any age."
        }
        "max.message.bytes" => "The largest batch that is accepted, header included.",
        "index.interval.bytes" => {
            "An index entry is made for the first batch after so many bytes: 32 KiB at least, 1 MiB at most."
        }
        "delete.retention.ms" => "With cleanup.policy compact: how long a deletion stays visible.",
        "min.compaction.lag.ms" => "With cleanup.policy compact: how long a record stays at least.",
        "max.compaction.lag.ms" => {
            "With cleanup.policy compact: how long a superseded record stays at most."
        }
        "file.delete.delay.ms" => "How long the file of a deleted segment stays.",
        "min.cleanable.dirty.ratio" => {
            "With cleanup.policy compact: which part of a log must be new before it is compacted."
        }
        "cleanup.policy" => "What happens to old segments: delete, compact, both, or nothing.",
        "unclean.leader.election.enable" => {
            "Whether a replica that is not in sync may lead: it may lose records."
        }
        "min.insync.replicas" => "With acks=all: how many replicas must hold a batch.",
        "compression.type" => {
            "Accepted and kept; batches stay as their producer compressed them, which is what 'producer' says."
        }
        "compression.gzip.level" | "compression.lz4.level" | "compression.zstd.level" => {
            "Kept, without effect: batches stay as their producer compressed them."
        }
        "preallocate" => "Kept, without effect: files grow in steps.",
        "message.timestamp.type" => {
            "Who stamps a batch's time: the producer (CreateTime) or the broker (LogAppendTime)."
        }
        "message.timestamp.before.max.ms" => {
            "With CreateTime: how far a record's time may lie behind the broker's clock."
        }
        "message.timestamp.after.max.ms" => {
            "With CreateTime: how far a record's time may lie ahead of the broker's clock."
        }
        "leader.replication.throttled.replicas" | "follower.replication.throttled.replicas" => {
            "Kept: replicas whose replication is throttled, as partition:broker pairs, or *."
        }
        "remote.storage.enable" => "Tiered storage; refused, for there is none here.",
        "local.retention.ms"
        | "local.retention.bytes"
        | "remote.log.copy.disable"
        | "remote.log.delete.on.disable" => {
            "Kept, without effect: there is no tiered storage here."
        }
        "internal.segment.bytes" => "As segment.bytes, without its lower bound: for tests.",
        "corelane.durability" => {
            "When an append is acknowledged: after the flush (disk), or after the completed write (process), which survives the death of the process but not a power cut."
        }
        "corelane.validate" => {
            "How far a compressed batch is opened before it is accepted: its header only, or record by record."
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_config_says_what_it_is_for() {
        for definition in topic_config::DEFINITIONS {
            assert!(!about(definition.name).is_empty(), "{}", definition.name);
        }
    }
}
