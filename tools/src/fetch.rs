//! Reads partitions from given offsets on, leader by leader; used by `consume`.

use std::collections::BTreeMap;

use corelane_net::protocol::Uuid;
use corelane_net::protocol::fetch_request::{FetchPartition, FetchRequest, FetchTopic};

use crate::client::{ClientError, Cluster, To, checked};
use crate::kafka_error;
use crate::records::{self, Record};

/// What one fetch asks for.
const FETCH_BYTES_MAX: i32 = 16 << 20;
const PARTITION_BYTES_MAX: i32 = 4 << 20;

/// A topic's partition.
pub(crate) type Place = (String, i32);

/// Positions in partitions, and who leads them.
pub(crate) struct Fetcher {
    positions: BTreeMap<Place, i64>,
    leaders: BTreeMap<Place, i32>,
    ids: BTreeMap<String, Uuid>,
    /// The high watermark last seen.
    ends: BTreeMap<Place, i64>,
    /// Which leader is asked first: everyone's turn comes.
    turn: usize,
}

impl Fetcher {
    pub(crate) fn new() -> Fetcher {
        Fetcher {
            positions: BTreeMap::new(),
            leaders: BTreeMap::new(),
            ids: BTreeMap::new(),
            ends: BTreeMap::new(),
            turn: 0,
        }
    }

    /// Reads from these positions on, and from nothing else.
    pub(crate) fn assign(
        &mut self,
        cluster: &mut Cluster,
        positions: BTreeMap<Place, i64>,
    ) -> Result<(), ClientError> {
        self.positions = positions;
        self.ends.clear();
        self.find_leaders(cluster)
    }

    pub(crate) fn positions(&self) -> &BTreeMap<Place, i64> {
        &self.positions
    }

    fn find_leaders(&mut self, cluster: &mut Cluster) -> Result<(), ClientError> {
        self.leaders.clear();
        let mut topics: Vec<String> = self
            .positions
            .keys()
            .map(|(topic, _)| topic.clone())
            .collect();
        topics.dedup();
        for name in topics {
            let topic = cluster.topic(&name)?;
            self.ids.insert(name.clone(), topic.topic_id);
            for partition in topic.partitions {
                self.leaders.insert(
                    (name.clone(), partition.partition_index),
                    partition.leader_id,
                );
            }
        }
        Ok(())
    }

    /// Whether every position has reached the end last seen; false before each end was seen once.
    pub(crate) fn is_at_end(&self) -> bool {
        self.positions
            .iter()
            .all(|(place, at)| self.ends.get(place).is_some_and(|end| at >= end))
    }

    /// One fetch of one leader; records in order of each partition. Waits up to `wait_ms` for something new.
    pub(crate) fn poll(
        &mut self,
        cluster: &mut Cluster,
        wait_ms: i32,
        mut each: impl FnMut(&Place, Record),
    ) -> Result<(), ClientError> {
        let mut by_leader: BTreeMap<i32, BTreeMap<&str, Vec<FetchPartition>>> = BTreeMap::new();
        for (place, offset) in &self.positions {
            let leader = self.leaders.get(place).copied().ok_or_else(|| {
                ClientError::Usage(format!("topic {} has no partition {}", place.0, place.1))
            })?;
            let topics = by_leader.entry(leader).or_default();
            topics.entry(&place.0).or_default().push(FetchPartition {
                partition: place.1,
                fetch_offset: *offset,
                partition_max_bytes: PARTITION_BYTES_MAX,
                ..FetchPartition::default()
            });
        }
        if by_leader.is_empty() {
            return Ok(());
        }
        self.turn += 1;
        let several = by_leader.len() > 1;
        let at = self.turn % by_leader.len();
        let (leader, topics) = by_leader.into_iter().nth(at).expect("within");
        let topic = |(name, partitions): (&str, Vec<FetchPartition>)| FetchTopic {
            topic: name.into(),
            topic_id: self.ids.get(name).copied().unwrap_or_default(),
            partitions,
        };
        let has_ids = topics
            .keys()
            .all(|name| self.ids.get(*name).is_some_and(|id| !id.is_zero()));
        let request = FetchRequest {
            // With several leaders nobody waits long for one that has nothing.
            max_wait_ms: if several { wait_ms.min(50) } else { wait_ms },
            min_bytes: 1,
            max_bytes: FETCH_BYTES_MAX,
            session_epoch: -1,
            topics: topics.into_iter().map(topic).collect(),
            ..FetchRequest::default()
        };
        let version = cluster.version::<FetchRequest>(To::Broker(leader))?;
        let version = if has_ids { version } else { version.min(12) };
        let answer = cluster.call_at(To::Broker(leader), version, &request)?;
        checked("fetch", answer.error_code, None)?;
        let mut moved = false;
        for topic in answer.responses {
            let name = match topic.topic_id.is_zero() {
                true => topic.topic.as_str().to_owned(),
                false => match self.ids.iter().find(|(_, id)| **id == topic.topic_id) {
                    Some((name, _)) => name.clone(),
                    None => continue,
                },
            };
            for partition in topic.partitions {
                let place = (name.clone(), partition.partition_index);
                let Some(position) = self.positions.get_mut(&place) else {
                    continue;
                };
                match partition.error_code {
                    0 => {}
                    kafka_error::OFFSET_OUT_OF_RANGE => {
                        return Err(ClientError::Refused {
                            what: format!("{}-{} at offset {position}", place.0, place.1),
                            code: partition.error_code,
                            message: None,
                        });
                    }
                    code if kafka_error::is_retriable(code) => {
                        moved = true;
                        continue;
                    }
                    code => checked(format!("{}-{}", place.0, place.1), code, None)?,
                }
                self.ends.insert(place.clone(), partition.high_watermark);
                let bytes = partition
                    .records
                    .map(|records| records.to_bytes())
                    .unwrap_or_default();
                let from = *position;
                let read = records::read(&bytes, |record| {
                    if record.offset >= from {
                        each(&place, record);
                    }
                });
                match read {
                    Ok(Some(end)) => *position = end.max(from),
                    Ok(None) => {}
                    Err(error) => {
                        return Err(ClientError::Usage(format!(
                            "{}-{} at offset {from}: {error}",
                            place.0, place.1
                        )));
                    }
                }
            }
        }
        if moved {
            self.find_leaders(cluster)?;
        }
        Ok(())
    }
}
