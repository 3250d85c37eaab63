//! CreateTopics against the image: Kafka 4.3.1's checks, in its order, with its words (`ReplicationControlManager`).

use std::collections::BTreeMap;

use super::command::{CommandError, Layout, NewTopic, Outcome, PartitionState, Record};
use super::identity::uuid;
use super::image::Image;
use super::names;
use super::topic_config::{Configs, TopicConfig};
use crate::rng::Rng;
use crate::types::{NodeId, TopicId};

/// Kafka's `MAX_PARTITIONS_PER_BATCH`.
pub(super) const PARTITIONS_MAX: usize = 10_000;

/// Brokers' defaults for -1: `num.partitions` and `default.replication.factor`.
pub const PARTITIONS_DEFAULT: i32 = 1;
pub const REPLICAS_DEFAULT: i16 = 1;

/// What the topic becomes; `None` where it is only to be checked.
pub(super) fn check(
    image: &Image,
    topic: NewTopic,
    rng: &mut Rng,
) -> Result<(Outcome, Option<Record>), CommandError> {
    let name = topic.name;
    names::check(&name).map_err(CommandError::InvalidTopic)?;
    if image.topic(&name).is_some() {
        return Err(CommandError::TopicExists(format!(
            "Topic '{name}' already exists."
        )));
    }
    if let Some(other) = image.collision(&name) {
        return Err(CommandError::InvalidTopic(format!(
            "Topic '{name}' collides with existing topic: {}",
            other.name
        )));
    }
    let configs = configs(topic.configs)?;
    let replicas = match topic.layout {
        Layout::Assigned(assigned) => manual(image, assigned)?,
        Layout::Count {
            partitions,
            replicas,
        } => spread(image, partitions, replicas, rng)?,
    };
    let outcome = |id| Outcome::Created {
        id,
        partitions: replicas.len() as i32,
        replicas: replicas.first().map_or(0, |r| r.len() as i16),
    };
    if topic.validate_only {
        return Ok((outcome(TopicId::ZERO), None));
    }
    let id = loop {
        let id = TopicId(uuid(rng));
        if image.topic_by_id(id).is_none() {
            break id;
        }
    };
    let outcome = outcome(id);
    let partitions = replicas.into_iter().map(fresh).collect();
    let record = Record::Topic {
        id,
        name,
        configs,
        partitions,
    };
    Ok((outcome, Some(record)))
}

fn configs(given: Vec<(String, Option<String>)>) -> Result<Configs, CommandError> {
    let nulls: Vec<&str> = given
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    if !nulls.is_empty() {
        return Err(CommandError::InvalidConfig(format!(
            "Null value not supported for topic configs: {}",
            nulls.join(",")
        )));
    }
    let configs: Configs = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    TopicConfig::of(&configs).map_err(CommandError::InvalidConfig)?;
    Ok(configs)
}

/// The replicas that the client chose, by partition.
fn manual(
    image: &Image,
    assigned: Vec<(i32, Vec<NodeId>)>,
) -> Result<Vec<Vec<NodeId>>, CommandError> {
    let refuse = |why: String| Err(CommandError::InvalidReplicaAssignment(why));
    if assigned.len() > PARTITIONS_MAX {
        return Err(too_many());
    }
    if assigned.is_empty() {
        return Err(no_partitions());
    }
    let mut partitions = BTreeMap::new();
    let mut factor = None;
    for (partition, replicas) in assigned {
        if partitions.contains_key(&partition) {
            return refuse(format!(
                "Found multiple manual partition assignments for partition {partition}"
            ));
        }
        check_assigned(image, &replicas, &mut factor)?;
        partitions.insert(partition, replicas);
    }
    if !partitions.keys().copied().eq(0..partitions.len() as i32) {
        return refuse("partitions should be a consecutive 0-based integer sequence".to_owned());
    }
    Ok(partitions.into_values().collect())
}

/// One partition's replicas, as a client chose them. `factor`: how many the partitions before it have.
pub(super) fn check_assigned(
    image: &Image,
    replicas: &[NodeId],
    factor: &mut Option<usize>,
) -> Result<(), CommandError> {
    let refuse = |why: String| Err(CommandError::InvalidReplicaAssignment(why));
    if replicas.is_empty() {
        return refuse(
            "The manual partition assignment includes an empty replica list.".to_owned(),
        );
    }
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    for (at, node) in sorted.iter().enumerate() {
        if image.broker(*node).is_none() {
            return refuse(format!(
                "The manual partition assignment includes broker {}, but no such broker is registered.",
                node.0
            ));
        }
        if at > 0 && sorted[at - 1] == *node {
            return refuse(format!(
                "The manual partition assignment includes the broker {} more than once.",
                node.0
            ));
        }
    }
    let expected = *factor.get_or_insert(replicas.len());
    if replicas.len() != expected {
        return refuse(format!(
            "The manual partition assignment includes a partition with {} replica(s), but this is not consistent \
             with previous partitions, which have {expected} replica(s).",
            replicas.len()
        ));
    }
    Ok(())
}

/// A partition that begins its life on these replicas, the first of them leading.
pub(super) fn fresh(replicas: Vec<NodeId>) -> PartitionState {
    PartitionState {
        isr: replicas.clone().into(),
        leader: replicas[0],
        replicas: replicas.into(),
        leader_epoch: 0,
    }
}

/// Replicas in turn over all brokers, from a random start.
pub(super) fn spread(
    image: &Image,
    partitions: i32,
    replicas: i16,
    rng: &mut Rng,
) -> Result<Vec<Vec<NodeId>>, CommandError> {
    if replicas < -1 || replicas == 0 {
        return Err(CommandError::InvalidReplicationFactor(
            "Replication factor must be larger than 0, or -1 to use the default value.".to_owned(),
        ));
    }
    if partitions < -1 || partitions == 0 {
        return Err(no_partitions());
    }
    let or_default = |given, default| if given == -1 { default } else { given };
    let partitions = or_default(partitions, PARTITIONS_DEFAULT) as usize;
    let replicas = if replicas == -1 {
        REPLICAS_DEFAULT
    } else {
        replicas
    } as usize;
    if partitions > PARTITIONS_MAX {
        return Err(too_many());
    }
    let brokers: Vec<NodeId> = image.brokers().map(|b| b.node).collect();
    let unable = |why: String| {
        Err(CommandError::InvalidReplicationFactor(format!(
            "Unable to replicate the partition {replicas} time(s): {why}"
        )))
    };
    if brokers.is_empty() {
        return unable("All brokers are currently fenced or in controlled shutdown.".to_owned());
    }
    if replicas > brokers.len() {
        return unable(format!(
            "The target replication factor of {replicas} cannot be reached because only {} broker(s) are registered or \
             some brokers have all their log directories cordoned.",
            brokers.len()
        ));
    }
    let start = rng.below(brokers.len() as u64) as usize;
    Ok((0..partitions)
        .map(|p| {
            (0..replicas)
                .map(|r| brokers[(start + p + r) % brokers.len()])
                .collect()
        })
        .collect())
}

pub(super) fn too_many() -> CommandError {
    CommandError::PolicyViolation("Excessively large number of partitions per request.".to_owned())
}

fn no_partitions() -> CommandError {
    CommandError::InvalidPartitions(
        "Number of partitions was set to an invalid non-positive value.".to_owned(),
    )
}
