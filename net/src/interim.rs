//! Stand-in for engine::controller until it lands: image, proposals, placement.

use std::collections::BTreeMap;

use corelane_engine::types::{NodeId, ShardId, TopicId, TopicPartition};

#[derive(Clone, Debug, Default)]
pub struct Image {
    pub cluster_id: String,
    pub node: NodeId,
    pub host: String,
    pub port: u16,
    pub names: BTreeMap<String, TopicId>,
    pub topics: BTreeMap<TopicId, Topic>,
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub partitions: i32,
}

impl Image {
    pub fn topic_by_name(&self, name: &str) -> Option<(TopicId, &Topic)> {
        let id = *self.names.get(name)?;
        Some((id, self.topics.get(&id)?))
    }
    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.topics.get(&id)
    }
}

pub fn owner(partition: TopicPartition, shards: u16) -> ShardId {
    ShardId((u16::from(partition.topic.0[15]) + partition.partition as u16) % shards)
}
