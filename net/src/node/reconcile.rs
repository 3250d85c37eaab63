//! Makes a shard's partitions match the image.

use std::time::Duration;

use corelane_engine::batch::{Rules, TimestampType};
use corelane_engine::controller::command::Record;
use corelane_engine::controller::image::{Image, Topic};
use corelane_engine::controller::placement;
use corelane_engine::controller::topic_config::{self, TopicConfig, Validate};
use corelane_engine::group::beside::ShardWithGroups;
use corelane_engine::group::call::OFFSETS_TOPIC;
use corelane_engine::group::coordinator::{Coordinator, GroupPartition};
use corelane_engine::limits::{INDEX_INTERVAL_BYTES_MAX, Limits};
use corelane_engine::log::partition::{FlushRule, Partition, PartitionConfig};
use corelane_engine::log::trim::Retention;
use corelane_engine::shard::ShardOut;
use corelane_engine::types::{Durability, Now, ShardId, TopicPartition};

use super::NodeConfig;
use crate::worker::Worker;

/// The shard of so many that has a partition.
pub(super) fn owner(id: TopicPartition, shards: u16) -> ShardId {
    placement::owner(id.topic, id.partition, shards)
}

/// Every partition of the image in its first state.
pub(super) fn all(image: &Image, config: &NodeConfig) -> Vec<Partition> {
    let topics = image.topics().flat_map(|topic| {
        let settings = partition_config(&topic.config, &config.limits);
        image.partitions(topic).map(move |seat| {
            let id = TopicPartition {
                topic: topic.id,
                partition: seat.partition,
            };
            Partition::new(id, settings.clone(), seat.leader_epoch)
        })
    });
    topics.collect()
}

/// Those of this shard.
pub(super) fn owned(image: &Image, config: &NodeConfig) -> Vec<Partition> {
    let mine = |p: &Partition| owner(p.id, config.shards) == config.me;
    all(image, config).into_iter().filter(mine).collect()
}

/// Tells a coordinator of everything that is there when it begins.
pub(super) fn load_groups(image: &Image, config: &NodeConfig, groups: &mut Coordinator) {
    for topic in image.topics() {
        groups.on_topic(&topic.name, topic.id);
        for partition in group_partitions(topic, image, config) {
            groups.load(partition);
        }
    }
}

/// The partitions of this shard that hold groups: none unless it is their topic.
fn group_partitions(topic: &Topic, image: &Image, config: &NodeConfig) -> Vec<GroupPartition> {
    if topic.name != OFFSETS_TOPIC {
        return Vec::new();
    }
    let ids = image.partitions(topic).map(|seat| TopicPartition {
        topic: topic.id,
        partition: seat.partition,
    });
    let mine = ids.filter(|id| owner(*id, config.shards) == config.me);
    let settings = partition_config(&topic.config, &config.limits);
    mine.map(|id| GroupPartition {
        id,
        batch_bytes_max: settings.rules.max_bytes.min(settings.rules.segment_bytes),
        durability: settings.durability,
    })
    .collect()
}

/// What a committed record means for the groups. Before it is in the worker's image, which still knows what goes.
pub(super) fn apply_before(
    now: Now,
    record: &Record,
    worker: &mut Worker<ShardWithGroups>,
    config: &NodeConfig,
) {
    let Record::TopicDeleted { id } = record else {
        return;
    };
    let (image, storage) = worker.image_and_storage();
    let Some(topic) = image.topic_by_id(*id) else {
        return;
    };
    let (groups, groups_out) = storage.groups_mut();
    for partition in group_partitions(topic, image, config) {
        groups.delete(now, partition.id, groups_out);
    }
    groups.on_topic_deleted(&topic.name, topic.id);
}

/// What a committed record, already in the worker's image, means for the shard's partitions.
pub(super) fn apply(
    record: &Record,
    worker: &mut Worker<ShardWithGroups>,
    config: &NodeConfig,
    out: &mut ShardOut,
) {
    let mine = |id: &TopicPartition| owner(*id, config.shards) == config.me;
    match record {
        Record::Topic { id, .. } => {
            let (image, storage) = worker.image_and_storage();
            let topic = image
                .topic_by_id(*id)
                .expect("the image holds what was just applied");
            let settings = partition_config(&topic.config, &config.limits);
            for seat in image.partitions(topic) {
                let id = TopicPartition {
                    topic: topic.id,
                    partition: seat.partition,
                };
                if mine(&id) {
                    storage
                        .shard
                        .create_partition(id, settings.clone(), seat.leader_epoch);
                }
            }
            storage.groups.on_topic(&topic.name, topic.id);
            for partition in group_partitions(topic, image, config) {
                storage.groups.create(partition);
            }
        }
        Record::TopicConfigs { id, .. } => {
            let (image, storage) = worker.image_and_storage();
            let topic = image
                .topic_by_id(*id)
                .expect("the image holds what was just changed");
            let settings = partition_config(&topic.config, &config.limits);
            for partition in 0..topic.partition_count() {
                let id = TopicPartition {
                    topic: topic.id,
                    partition,
                };
                if mine(&id) {
                    storage.shard.configure_partition(id, settings.clone());
                }
            }
            for partition in group_partitions(topic, image, config) {
                storage.groups.configure(partition);
            }
        }
        Record::Partitions { id, first, .. } => {
            let (image, storage) = worker.image_and_storage();
            let topic = image
                .topic_by_id(*id)
                .expect("the image holds what just grew");
            let settings = partition_config(&topic.config, &config.limits);
            let new = image.partitions(topic).skip(*first as usize);
            for seat in new {
                let id = TopicPartition {
                    topic: topic.id,
                    partition: seat.partition,
                };
                if mine(&id) {
                    storage
                        .shard
                        .create_partition(id, settings.clone(), seat.leader_epoch);
                }
            }
            for partition in group_partitions(topic, image, config) {
                if partition.id.partition >= *first {
                    storage.groups.create(partition);
                }
            }
        }
        Record::TopicDeleted { id } => {
            worker.on_topic_deleted(*id);
            worker.storage_mut().shard.delete_topic(*id, out);
        }
        Record::LeaderEpochs { .. } => {
            let (image, storage) = worker.image_and_storage();
            for topic in image.topics() {
                for seat in image.partitions(topic) {
                    let id = TopicPartition {
                        topic: topic.id,
                        partition: seat.partition,
                    };
                    if mine(&id) {
                        storage.shard.raise_epoch(id, seat.leader_epoch);
                    }
                }
            }
        }
        Record::Cluster { .. }
        | Record::Version { .. }
        | Record::Broker(_)
        | Record::ProducerIds { .. } => {}
    }
}

fn partition_config(config: &TopicConfig, limits: &Limits) -> PartitionConfig {
    PartitionConfig {
        rules: Rules {
            max_bytes: config.max_message_bytes,
            segment_bytes: config.segment_bytes as usize,
            timestamp_type: match config.timestamp_type {
                topic_config::TimestampType::CreateTime => TimestampType::Create,
                topic_config::TimestampType::LogAppendTime => TimestampType::LogAppend,
            },
            before_max_ms: config.timestamp_before_max_ms,
            after_max_ms: config.timestamp_after_max_ms,
            validate_records: config.validate == Validate::Records,
            compacted: config.compact,
        },
        // A flush after every record is one before its answer.
        durability: match config.flush_messages {
            ..=1 => Durability::Disk,
            _ => config.durability,
        },
        segment_bytes: config.segment_bytes,
        segment_ms: i64::try_from(config.segment_age_max.as_millis()).unwrap_or(i64::MAX),
        segment_jitter_ms: i64::try_from(config.segment_jitter.as_millis()).unwrap_or(i64::MAX),
        flush: FlushRule {
            messages: config.flush_messages.max(1) as u64,
            after: (config.flush_ms < i64::MAX)
                .then(|| Duration::from_millis(config.flush_ms.max(0) as u64)),
        },
        index_interval_bytes: config
            .index_interval_bytes
            .clamp(limits.index_interval_bytes, INDEX_INTERVAL_BYTES_MAX),
        producers_max: limits.producers_max,
        retention: Retention {
            delete: config.delete,
            ms: config.retention_ms,
            bytes: config.retention_bytes,
            file_delete_delay: config.file_delete_delay,
        },
    }
}
