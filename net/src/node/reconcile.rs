//! Makes a shard's partitions match the image.

use corelane_engine::batch::{Rules, TimestampType};
use corelane_engine::controller::command::Record;
use corelane_engine::controller::image::Image;
use corelane_engine::controller::placement;
use corelane_engine::controller::topic_config::{self, TopicConfig, Validate};
use corelane_engine::limits::{INDEX_INTERVAL_BYTES_MAX, Limits};
use corelane_engine::log::partition::{Partition, PartitionConfig};
use corelane_engine::shard::{Shard, ShardOut};
use corelane_engine::types::{ShardId, TopicPartition};

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

/// What a committed record, already in the worker's image, means for the shard's partitions.
pub(super) fn apply(
    record: &Record,
    worker: &mut Worker<Shard>,
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
                    storage.create_partition(id, settings.clone(), seat.leader_epoch);
                }
            }
        }
        Record::TopicDeleted { id } => worker.storage_mut().delete_topic(*id, out),
        Record::LeaderEpochs { .. } => {
            let (image, storage) = worker.image_and_storage();
            for topic in image.topics() {
                for seat in image.partitions(topic) {
                    let id = TopicPartition {
                        topic: topic.id,
                        partition: seat.partition,
                    };
                    if mine(&id) {
                        storage.raise_epoch(id, seat.leader_epoch);
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
        durability: config.durability,
        segment_bytes: config.segment_bytes,
        segment_ms: i64::try_from(config.segment_age_max.as_millis()).unwrap_or(i64::MAX),
        index_interval_bytes: config
            .index_interval_bytes
            .clamp(limits.index_interval_bytes, INDEX_INTERVAL_BYTES_MAX),
        producers_max: limits.producers_max,
    }
}
