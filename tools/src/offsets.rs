//! Offsets of a topic's partitions, asked of their leaders.

use std::collections::BTreeMap;

use corelane_net::protocol::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};

use crate::client::{ClientError, Cluster, To, checked};

/// Kafka's timestamps that stand for a place.
pub(crate) const LATEST: i64 = -1;
pub(crate) const EARLIEST: i64 = -2;

/// Who leads each partition of a topic.
pub(crate) fn leaders(
    cluster: &mut Cluster,
    topic: &str,
) -> Result<BTreeMap<i32, i32>, ClientError> {
    let found = cluster.topic(topic)?;
    let leaders = found
        .partitions
        .iter()
        .map(|p| (p.partition_index, p.leader_id));
    Ok(leaders.collect())
}

/// The offset of these partitions at a timestamp: [`EARLIEST`], [`LATEST`], or the first record at or after it, and the
/// end where there is none.
pub(crate) fn at(
    cluster: &mut Cluster,
    topic: &str,
    partitions: &[i32],
    timestamp: i64,
) -> Result<BTreeMap<i32, i64>, ClientError> {
    let leaders = leaders(cluster, topic)?;
    let mut by_leader: BTreeMap<i32, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for partition in partitions {
        let leader = leaders.get(partition).ok_or_else(|| {
            ClientError::Usage(format!("topic {topic} has no partition {partition}"))
        })?;
        by_leader
            .entry(*leader)
            .or_default()
            .push(ListOffsetsPartition {
                partition_index: *partition,
                timestamp,
                ..ListOffsetsPartition::default()
            });
    }
    let mut offsets = BTreeMap::new();
    let mut beyond = Vec::new();
    for (leader, partitions) in by_leader {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: topic.into(),
                partitions,
            }],
            ..ListOffsetsRequest::default()
        };
        let answer = cluster.call(To::Broker(leader), &request)?;
        for found in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
            let number = found.partition_index;
            checked(format!("{topic}-{number}"), found.error_code, None)?;
            match found.offset {
                -1 if timestamp >= 0 => beyond.push(number),
                offset => drop(offsets.insert(number, offset)),
            }
        }
    }
    if !beyond.is_empty() {
        offsets.extend(at(cluster, topic, &beyond, LATEST)?);
    }
    match partitions
        .iter()
        .find(|partition| !offsets.contains_key(partition))
    {
        Some(missing) => Err(ClientError::Usage(format!(
            "the leader of {topic}-{missing} did not tell its offset"
        ))),
        None => Ok(offsets),
    }
}
