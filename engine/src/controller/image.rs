//! The metadata as one shard sees it: the fold of committed records. Every shard holds its own.
//!
//! ```text
//!  empty ── snapshot's records ──► image at its index ── records of entry after entry ──► image now
//! ```

use std::collections::BTreeMap;

use super::codec::CodecError;
use super::command::{Broker, PartitionState, Record, VERSION_KNOWN};
use super::names;
use super::topic_config::{Configs, TopicConfig};
use crate::types::{LeaderEpoch, NodeId, TopicId};

/// Topics, brokers and counters of the cluster. Iteration is in the order of names and ids.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Image {
    /// Index of the last Raft entry folded in.
    index: u64,
    cluster: [u8; 16],
    version: u16,
    brokers: BTreeMap<NodeId, Broker>,
    /// How often all leader epochs of a node were raised: one number instead of a change per partition.
    raises: BTreeMap<NodeId, i32>,
    topics: BTreeMap<TopicId, Topic>,
    names: BTreeMap<String, TopicId>,
    /// [`names::collision_key`] of each topic that has one.
    collisions: BTreeMap<String, TopicId>,
    partitions: usize,
    next_producer_id: i64,
}

/// One topic.
#[derive(Clone, PartialEq, Debug)]
pub struct Topic {
    pub id: TopicId,
    pub name: String,
    /// As given; defaults are not stored.
    pub configs: Configs,
    /// The values in effect.
    pub config: TopicConfig,
    partitions: Box<[PartitionSeat]>,
}

/// One partition: its epoch counts from the raises of its leader's node.
#[derive(Clone, PartialEq, Debug)]
struct PartitionSeat {
    replicas: Box<[NodeId]>,
    /// `None`: all replicas, in their order (the common case, without memory of its own).
    isr: Option<Box<[NodeId]>>,
    leader: NodeId,
    /// Leader epoch less the raises of the leader's node.
    epoch_base: i32,
}

/// One partition as it is now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partition<'a> {
    pub partition: i32,
    pub leader: NodeId,
    pub leader_epoch: LeaderEpoch,
    pub replicas: &'a [NodeId],
    pub isr: &'a [NodeId],
}

impl Topic {
    /// How many partitions it has: `0..` this are its numbers.
    pub fn partition_count(&self) -> i32 {
        self.partitions.len() as i32
    }
}

impl Image {
    /// The image of a snapshot taken at `index`.
    pub fn of(index: u64, records: &[Record]) -> Result<Image, CodecError> {
        let mut image = Image::default();
        for record in records {
            image.apply(record)?;
        }
        image.index = index;
        Ok(image)
    }

    /// Index of the last Raft entry folded in.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Notes that all records of the entry at `index` were applied.
    pub fn set_index(&mut self, index: u64) {
        assert!(
            index >= self.index,
            "image at {} back to {index}",
            self.index
        );
        self.index = index;
    }

    pub fn cluster_id(&self) -> [u8; 16] {
        self.cluster
    }

    /// The finalized `corelane.version`.
    pub fn version(&self) -> u16 {
        self.version
    }

    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.names.get(name).and_then(|id| self.topics.get(id))
    }

    pub fn topic_by_id(&self, id: TopicId) -> Option<&Topic> {
        self.topics.get(&id)
    }

    /// In the order of names.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.names.values().map(|id| &self.topics[id])
    }

    /// In the order of names, from the first that is not below `name`.
    pub fn topics_from(&self, name: &str) -> impl Iterator<Item = &Topic> {
        use std::ops::Bound::{Included, Unbounded};
        let names = self.names.range::<str, _>((Included(name), Unbounded));
        names.map(|(_, id)| &self.topics[id])
    }

    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// Of all topics.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    /// The topic whose name differs from `name` in nothing but '.' and '_'.
    pub fn collision(&self, name: &str) -> Option<&Topic> {
        let id = self.collisions.get(&names::collision_key(name)?)?;
        self.topics.get(id).filter(|topic| topic.name != name)
    }

    pub fn partition<'a>(&self, topic: &'a Topic, partition: i32) -> Option<Partition<'a>> {
        let seat = topic.partitions.get(usize::try_from(partition).ok()?)?;
        Some(Partition {
            partition,
            leader: seat.leader,
            leader_epoch: LeaderEpoch(seat.epoch_base + self.raises(seat.leader)),
            replicas: &seat.replicas,
            isr: seat.isr.as_ref().unwrap_or(&seat.replicas),
        })
    }

    /// In the order of their numbers.
    pub fn partitions<'a>(&'a self, topic: &'a Topic) -> impl Iterator<Item = Partition<'a>> {
        (0..topic.partition_count()).filter_map(move |p| self.partition(topic, p))
    }

    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        self.brokers.values()
    }

    pub fn broker(&self, node: NodeId) -> Option<&Broker> {
        self.brokers.get(&node)
    }

    /// The first producer id that nobody was given.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// How often the leader epochs of `node` were raised.
    pub fn raises(&self, node: NodeId) -> i32 {
        self.raises.get(&node).copied().unwrap_or(0)
    }

    /// Folds one record in. An error is damage: the controller checked it before it was committed.
    pub fn apply(&mut self, record: &Record) -> Result<(), CodecError> {
        match record {
            Record::Cluster { id } => self.cluster = *id,
            Record::Version { version } => {
                if *version > VERSION_KNOWN {
                    return Err(CodecError::Newer {
                        what: "corelane.version",
                        found: *version,
                        known: VERSION_KNOWN,
                    });
                }
                self.version = *version;
            }
            Record::Broker(broker) => {
                self.brokers.insert(broker.node, broker.clone());
            }
            Record::LeaderEpochs { node, raises } => {
                self.raises.insert(*node, *raises);
            }
            Record::Topic {
                id,
                name,
                configs,
                partitions,
            } => self.add(*id, name, configs, partitions)?,
            Record::TopicDeleted { id } => {
                let topic = self
                    .topics
                    .remove(id)
                    .ok_or_else(|| CodecError::Invalid(format!("deletes unknown topic {id}")))?;
                self.partitions -= topic.partitions.len();
                self.names.remove(&topic.name);
                if let Some(key) = names::collision_key(&topic.name) {
                    self.collisions.remove(&key);
                }
            }
            Record::ProducerIds { next } => self.next_producer_id = *next,
            Record::TopicConfigs { id, configs } => {
                let topic = known(&mut self.topics, *id)?;
                topic.config = config_of(&topic.name, configs)?;
                topic.configs.clone_from(configs);
            }
            Record::Partitions {
                id,
                first,
                partitions,
            } => {
                let new: Vec<PartitionSeat> = partitions.iter().map(|p| self.seat(p)).collect();
                let topic = known(&mut self.topics, *id)?;
                if *first != topic.partition_count() {
                    return Err(CodecError::Invalid(format!(
                        "partitions from {first} on for topic {}, which has {}",
                        topic.name,
                        topic.partition_count()
                    )));
                }
                self.partitions += new.len();
                let mut seats = std::mem::take(&mut topic.partitions).into_vec();
                seats.extend(new);
                topic.partitions = seats.into();
            }
        }
        Ok(())
    }

    fn seat(&self, p: &PartitionState) -> PartitionSeat {
        PartitionSeat {
            replicas: p.replicas.clone(),
            isr: (p.isr != p.replicas).then(|| p.isr.clone()),
            leader: p.leader,
            epoch_base: p.leader_epoch.wrapping_sub(self.raises(p.leader)),
        }
    }

    fn add(
        &mut self,
        id: TopicId,
        name: &str,
        configs: &Configs,
        partitions: &[PartitionState],
    ) -> Result<(), CodecError> {
        if self.topics.contains_key(&id) || self.names.contains_key(name) {
            return Err(CodecError::Invalid(format!("topic {name} ({id}) twice")));
        }
        let config = config_of(name, configs)?;
        let partitions: Box<[PartitionSeat]> = partitions.iter().map(|p| self.seat(p)).collect();
        self.partitions += partitions.len();
        self.names.insert(name.to_owned(), id);
        if let Some(key) = names::collision_key(name) {
            self.collisions.insert(key, id);
        }
        self.topics.insert(
            id,
            Topic {
                id,
                name: name.to_owned(),
                configs: configs.clone(),
                config,
                partitions,
            },
        );
        Ok(())
    }

    /// The records that make this image from nothing; `Image::of(index, …)` of them equals it.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.records_before_topics();
        records.extend(self.topics().map(|topic| self.topic_record(topic)));
        records
    }

    /// The first of [`Image::records`].
    pub fn records_before_topics(&self) -> Vec<Record> {
        let mut records = vec![
            Record::Cluster { id: self.cluster },
            Record::Version {
                version: self.version,
            },
            Record::ProducerIds {
                next: self.next_producer_id,
            },
        ];
        records.extend(self.brokers.values().cloned().map(Record::Broker));
        records.extend(self.raises.iter().map(|(&node, &raises)| {
            Record::LeaderEpochs { node, raises } // before the topics: their epochs count from it
        }));
        records
    }

    /// The record that makes a topic as it is now; those of all, by name, follow [`Image::records_before_topics`].
    pub fn topic_record(&self, topic: &Topic) -> Record {
        Record::Topic {
            id: topic.id,
            name: topic.name.clone(),
            configs: topic.configs.clone(),
            partitions: self
                .partitions(topic)
                .map(|p| PartitionState {
                    replicas: p.replicas.into(),
                    isr: p.isr.into(),
                    leader: p.leader,
                    leader_epoch: p.leader_epoch.0,
                })
                .collect(),
        }
    }
}

fn known(topics: &mut BTreeMap<TopicId, Topic>, id: TopicId) -> Result<&mut Topic, CodecError> {
    topics
        .get_mut(&id)
        .ok_or_else(|| CodecError::Invalid(format!("changes unknown topic {id}")))
}

fn config_of(name: &str, configs: &Configs) -> Result<TopicConfig, CodecError> {
    TopicConfig::of(configs).map_err(|why| CodecError::Invalid(format!("topic {name}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(id: u8, name: &str, partitions: usize) -> Record {
        Record::Topic {
            id: TopicId([id; 16]),
            name: name.to_owned(),
            configs: Configs::new(),
            partitions: vec![
                PartitionState {
                    replicas: [NodeId(1)].into(),
                    isr: [NodeId(1)].into(),
                    leader: NodeId(1),
                    leader_epoch: 0,
                };
                partitions
            ],
        }
    }

    fn epoch(image: &Image, name: &str, partition: i32) -> i32 {
        let topic = image.topic(name).expect("exists");
        image
            .partition(topic, partition)
            .expect("exists")
            .leader_epoch
            .0
    }

    #[test]
    fn raising_a_node_raises_all_it_leads_and_new_topics_start_at_zero() {
        let mut image = Image::of(0, &[topic(1, "a", 3)]).unwrap();
        for raises in 1..3 {
            image
                .apply(&Record::LeaderEpochs {
                    node: NodeId(1),
                    raises,
                })
                .unwrap();
        }
        image.apply(&topic(2, "b", 1)).unwrap();
        assert_eq!(epoch(&image, "a", 2), 2);
        assert_eq!(epoch(&image, "b", 0), 0);
        let again = Image::of(0, &image.records()).unwrap();
        assert_eq!(again, image);
    }

    #[test]
    fn topics_are_found_by_name_by_id_and_by_collision() {
        let mut image = Image::of(0, &[topic(1, "b.c", 2), topic(2, "a", 1)]).unwrap();
        assert_eq!(
            image.topics().map(|t| t.name.as_str()).collect::<Vec<_>>(),
            ["a", "b.c"]
        );
        assert_eq!(image.topic_by_id(TopicId([1; 16])).unwrap().name, "b.c");
        assert_eq!(image.collision("b_c").unwrap().name, "b.c");
        assert!(image.collision("b.c").is_none());
        assert_eq!(image.partition_count(), 3);
        image
            .apply(&Record::TopicDeleted {
                id: TopicId([1; 16]),
            })
            .unwrap();
        assert!(image.collision("b_c").is_none() && image.topic("b.c").is_none());
        assert_eq!(image.partition_count(), 1);
    }

    #[test]
    fn contradictions_are_damage_not_panics() {
        let mut image = Image::of(0, &[topic(1, "a", 1)]).unwrap();
        assert!(image.apply(&topic(1, "b", 1)).is_err());
        assert!(image.apply(&topic(2, "a", 1)).is_err());
        let id = TopicId([3; 16]);
        assert!(image.apply(&Record::TopicDeleted { id }).is_err());
        assert!(image.apply(&Record::Version { version: 99 }).is_err());
        let configs = Configs::new();
        assert!(image.apply(&Record::TopicConfigs { id, configs }).is_err());
        let id = TopicId([1; 16]);
        let configs = Configs::from([("segment.ms".to_owned(), "soon".to_owned())]);
        assert!(image.apply(&Record::TopicConfigs { id, configs }).is_err());
        for first in [0, 2, -1] {
            let partitions = Vec::new();
            let gap = Record::Partitions {
                id,
                first,
                partitions,
            };
            assert!(image.apply(&gap).is_err());
        }
        assert_eq!(image.partition_count(), 1);
    }

    #[test]
    fn a_topic_grows_and_its_configs_are_replaced() {
        let mut image = Image::of(0, &[topic(1, "a", 2)]).unwrap();
        let id = TopicId([1; 16]);
        image
            .apply(&Record::LeaderEpochs {
                node: NodeId(1),
                raises: 3,
            })
            .unwrap();
        let Record::Topic { partitions, .. } = topic(1, "a", 3) else {
            panic!("a topic")
        };
        image
            .apply(&Record::Partitions {
                id,
                first: 2,
                partitions,
            })
            .unwrap();
        assert_eq!(image.partition_count(), 5);
        assert_eq!((epoch(&image, "a", 1), epoch(&image, "a", 4)), (3, 0));
        let given = Configs::from([("max.message.bytes".to_owned(), "77".to_owned())]);
        for (configs, bytes) in [(given, 77), (Configs::new(), 1_048_588)] {
            let record = Record::TopicConfigs {
                id,
                configs: configs.clone(),
            };
            image.apply(&record).unwrap();
            let topic = image.topic("a").unwrap();
            assert_eq!(
                (&topic.configs, topic.config.max_message_bytes),
                (&configs, bytes)
            );
            assert_eq!(Image::of(0, &image.records()).unwrap(), image);
        }
    }
}
