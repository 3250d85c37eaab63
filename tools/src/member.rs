//! Membership in a classic consumer group, with Kafka's range assignor (`RangeAssignor`, KIP-62).
//!
//! ```text
//!  join ─► (leader: assign) ─► sync ─► assignment ─► heartbeat, commit … ─► leave
//!    ▲                                                    │ rebalance in progress, generation or member unknown
//!    └────────────────────────────────────────────────────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use corelane_net::protocol::consumer_protocol_assignment::{self, ConsumerProtocolAssignment};
use corelane_net::protocol::consumer_protocol_subscription::ConsumerProtocolSubscription;
use corelane_net::protocol::heartbeat_request::HeartbeatRequest;
use corelane_net::protocol::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use corelane_net::protocol::join_group_response::JoinGroupResponseMember;
use corelane_net::protocol::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use corelane_net::protocol::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use corelane_net::protocol::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use corelane_net::protocol::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use corelane_net::protocol::{Message, Reader, Str, Writer};

use crate::client::{ClientError, Cluster, To, checked};
use crate::fetch::Place;
use crate::kafka_error as code;

const SESSION_TIMEOUT: Duration = Duration::from_secs(45);
const REBALANCE_TIMEOUT: Duration = Duration::from_secs(60);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
const PROTOCOL: &str = "range";
/// Version 0 of both schemas: every client reads it.
const SCHEMA: i16 = 0;
/// The version of a schema that another client wrote: older ones are read as they are, newer ones as the newest known.
const SCHEMA_MAX: i16 = 3;

/// One member of one group.
pub(crate) struct Member {
    group: String,
    topics: Vec<String>,
    coordinator: To,
    member: Str,
    generation: i32,
    beat: Instant,
}

/// Whether a member may go on as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    Member,
    MustJoin,
}

impl Member {
    pub(crate) fn new(
        cluster: &mut Cluster,
        group: &str,
        topics: &[String],
    ) -> Result<Member, ClientError> {
        Ok(Member {
            group: group.to_owned(),
            topics: topics.to_vec(),
            coordinator: cluster.coordinator(group)?,
            member: Str::new(),
            generation: -1,
            beat: Instant::now(),
        })
    }

    /// Joins, or joins again; the partitions that are this member's until the next rebalance.
    pub(crate) fn join(&mut self, cluster: &mut Cluster) -> Result<Vec<Place>, ClientError> {
        loop {
            let version = cluster.version::<JoinGroupRequest>(self.coordinator)?;
            let answer = cluster.call_waiting(
                self.coordinator,
                version,
                &self.join_request()?,
                REBALANCE_TIMEOUT,
            )?;
            match answer.error_code {
                0 => {}
                code::MEMBER_ID_REQUIRED => {
                    self.member = answer.member_id.detached();
                    continue;
                }
                _ => {
                    self.refused(cluster, answer.error_code)?;
                    continue;
                }
            }
            self.member = answer.member_id.detached();
            self.generation = answer.generation_id;
            let assignments = match answer.leader == answer.member_id {
                true => self.assign(cluster, &answer.members)?,
                false => Vec::new(),
            };
            let version = cluster.version::<SyncGroupRequest>(self.coordinator)?;
            let named = version >= 5;
            let request = SyncGroupRequest {
                group_id: self.group.as_str().into(),
                generation_id: self.generation,
                member_id: self.member.clone(),
                protocol_type: named.then(|| "consumer".into()),
                protocol_name: named.then(|| PROTOCOL.into()),
                assignments,
                ..SyncGroupRequest::default()
            };
            let answer =
                cluster.call_waiting(self.coordinator, version, &request, REBALANCE_TIMEOUT)?;
            if answer.error_code != 0 {
                self.refused(cluster, answer.error_code)?;
                continue;
            }
            self.beat = Instant::now();
            return places(&answer.assignment);
        }
    }

    fn join_request(&self) -> Result<JoinGroupRequest, ClientError> {
        let subscription = ConsumerProtocolSubscription {
            topics: self
                .topics
                .iter()
                .map(|topic| topic.as_str().into())
                .collect(),
            user_data: None,
            ..ConsumerProtocolSubscription::default()
        };
        Ok(JoinGroupRequest {
            group_id: self.group.as_str().into(),
            session_timeout_ms: SESSION_TIMEOUT.as_millis() as i32,
            rebalance_timeout_ms: REBALANCE_TIMEOUT.as_millis() as i32,
            member_id: self.member.clone(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: PROTOCOL.into(),
                metadata: schema(&subscription)?,
            }],
            ..JoinGroupRequest::default()
        })
    }

    /// What another try may mend is mended; the rest is the command's end.
    fn refused(&mut self, cluster: &mut Cluster, refusal: i16) -> Result<(), ClientError> {
        match refusal {
            code::UNKNOWN_MEMBER_ID | code::ILLEGAL_GENERATION => self.member = Str::new(),
            code::REBALANCE_IN_PROGRESS => {}
            code::COORDINATOR_LOADING | code::COORDINATOR_NOT_AVAILABLE | code::NOT_COORDINATOR => {
                std::thread::sleep(Duration::from_millis(200));
                self.coordinator = cluster.coordinator(&self.group)?;
            }
            _ => checked(format!("group {}", self.group), refusal, None)?,
        }
        Ok(())
    }

    /// As leader: each topic's partitions in ranges over the members that want it, in the order of their ids.
    fn assign(
        &self,
        cluster: &mut Cluster,
        members: &[JoinGroupResponseMember],
    ) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
        let mut wanting: BTreeMap<String, BTreeSet<Str>> = BTreeMap::new();
        for member in members {
            let subscription: ConsumerProtocolSubscription = read_schema(&member.metadata)?;
            for topic in subscription.topics {
                let name = topic.as_str().to_owned();
                wanting
                    .entry(name)
                    .or_default()
                    .insert(member.member_id.detached());
            }
        }
        let mut given: BTreeMap<Str, ConsumerProtocolAssignment> = members
            .iter()
            .map(|member| {
                (
                    member.member_id.detached(),
                    ConsumerProtocolAssignment::default(),
                )
            })
            .collect();
        for (topic, members) in wanting {
            let partitions = cluster.topic(&topic)?.partitions.len();
            for (member, range) in members.iter().zip(ranges(partitions, members.len())) {
                if range.is_empty() {
                    continue;
                }
                let assignment = given.get_mut(member).expect("they are the group's members");
                assignment
                    .assigned_partitions
                    .push(consumer_protocol_assignment::TopicPartition {
                        topic: topic.as_str().into(),
                        partitions: range.map(|partition| partition as i32).collect(),
                    });
            }
        }
        let assignment = |(member_id, assignment): (Str, ConsumerProtocolAssignment)| {
            Ok(SyncGroupRequestAssignment {
                member_id,
                assignment: schema(&assignment)?,
            })
        };
        given.into_iter().map(assignment).collect()
    }

    /// Says that this member lives, when it is time to.
    pub(crate) fn heartbeat(&mut self, cluster: &mut Cluster) -> Result<Standing, ClientError> {
        if self.beat.elapsed() < HEARTBEAT_EVERY {
            return Ok(Standing::Member);
        }
        self.beat = Instant::now();
        let request = HeartbeatRequest {
            group_id: self.group.as_str().into(),
            generation_id: self.generation,
            member_id: self.member.clone(),
            ..HeartbeatRequest::default()
        };
        let answer = cluster.call(self.coordinator, &request)?;
        if answer.error_code == 0 {
            return Ok(Standing::Member);
        }
        self.refused(cluster, answer.error_code)?;
        Ok(Standing::MustJoin)
    }

    /// Where this group left off in these partitions; nothing for those it never committed.
    pub(crate) fn committed(
        &self,
        cluster: &mut Cluster,
        places: &[Place],
    ) -> Result<BTreeMap<Place, i64>, ClientError> {
        committed(cluster, self.coordinator, &self.group, Some(places))
    }

    /// Keeps these positions for the group.
    pub(crate) fn commit(
        &mut self,
        cluster: &mut Cluster,
        positions: &BTreeMap<Place, i64>,
    ) -> Result<Standing, ClientError> {
        match commit(
            cluster,
            self.coordinator,
            &self.group,
            (&self.member, self.generation),
            positions,
        )? {
            0 => Ok(Standing::Member),
            refusal => {
                self.refused(cluster, refusal)?;
                Ok(Standing::MustJoin)
            }
        }
    }

    /// Goes, so that the others need not wait for the session to end.
    pub(crate) fn leave(&self, cluster: &mut Cluster) -> Result<(), ClientError> {
        let version = cluster.version::<LeaveGroupRequest>(self.coordinator)?;
        let batched = version >= 3;
        let identity = MemberIdentity {
            member_id: self.member.clone(),
            ..MemberIdentity::default()
        };
        let request = LeaveGroupRequest {
            group_id: self.group.as_str().into(),
            member_id: if batched {
                Str::new()
            } else {
                self.member.clone()
            },
            members: if batched { vec![identity] } else { Vec::new() },
        };
        cluster.call_at(self.coordinator, version, &request)?;
        Ok(())
    }
}

/// Offsets that a group committed; `None`: all of them.
pub(crate) fn committed(
    cluster: &mut Cluster,
    coordinator: To,
    group: &str,
    places: Option<&[Place]>,
) -> Result<BTreeMap<Place, i64>, ClientError> {
    // Version 10 names topics by id, which a group's own list of topics does not have.
    let version = cluster.version::<OffsetFetchRequest>(coordinator)?.min(9);
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places.unwrap_or_default() {
        by_topic.entry(topic).or_default().push(*partition);
    }
    let mut offsets = BTreeMap::new();
    let mut keep = |topic: &Str, partition: i32, offset: i64, refusal: i16| {
        checked(format!("{}-{partition}", topic.as_str()), refusal, None)?;
        if offset >= 0 {
            offsets.insert((topic.as_str().to_owned(), partition), offset);
        }
        Ok::<(), ClientError>(())
    };
    if version >= 8 {
        let topics =
            by_topic
                .into_iter()
                .map(|(name, partition_indexes)| OffsetFetchRequestTopics {
                    name: name.into(),
                    partition_indexes,
                    ..OffsetFetchRequestTopics::default()
                });
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.into(),
                topics: places.map(|_| topics.collect()),
                ..OffsetFetchRequestGroup::default()
            }],
            topics: Some(Vec::new()),
            ..OffsetFetchRequest::default()
        };
        for found in cluster.call_at(coordinator, version, &request)?.groups {
            checked(format!("group {group}"), found.error_code, None)?;
            for topic in found.topics {
                for p in topic.partitions {
                    keep(
                        &topic.name,
                        p.partition_index,
                        p.committed_offset,
                        p.error_code,
                    )?;
                }
            }
        }
    } else {
        let topics =
            by_topic
                .into_iter()
                .map(|(name, partition_indexes)| OffsetFetchRequestTopic {
                    name: name.into(),
                    partition_indexes,
                });
        let request = OffsetFetchRequest {
            group_id: group.into(),
            topics: places.map(|_| topics.collect()),
            ..OffsetFetchRequest::default()
        };
        let answer = cluster.call_at(coordinator, version, &request)?;
        checked(format!("group {group}"), answer.error_code, None)?;
        for topic in answer.topics {
            for p in topic.partitions {
                keep(
                    &topic.name,
                    p.partition_index,
                    p.committed_offset,
                    p.error_code,
                )?;
            }
        }
    }
    Ok(offsets)
}

/// Commits offsets as a member of a generation, or from outside (empty member, -1). The first code that is not 0.
pub(crate) fn commit(
    cluster: &mut Cluster,
    coordinator: To,
    group: &str,
    (member, generation): (&Str, i32),
    positions: &BTreeMap<Place, i64>,
) -> Result<i16, ClientError> {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for ((topic, partition), offset) in positions {
        if topics.last().is_none_or(|last| last.name != topic.as_str()) {
            topics.push(OffsetCommitRequestTopic {
                name: topic.as_str().into(),
                ..OffsetCommitRequestTopic::default()
            });
        }
        let last = topics.last_mut().expect("just pushed");
        last.partitions.push(OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::new()),
        });
    }
    if topics.is_empty() {
        return Ok(0);
    }
    let version = cluster.version::<OffsetCommitRequest>(coordinator)?.min(9);
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: generation,
        member_id: member.clone(),
        topics,
        ..OffsetCommitRequest::default()
    };
    let answer = cluster.call_at(coordinator, version, &request)?;
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    Ok(partitions
        .map(|p| p.error_code)
        .find(|refusal| *refusal != 0)
        .unwrap_or(0))
}

/// Kafka's range: the first members get one more where it does not come out even.
fn ranges(partitions: usize, members: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let (each, more) = (partitions / members, partitions % members);
    (0..members).map(move |at| {
        let from = at * each + at.min(more);
        from..from + each + usize::from(at < more)
    })
}

/// The partitions that an assignment names.
pub(crate) fn places(assignment: &Bytes) -> Result<Vec<Place>, ClientError> {
    if assignment.is_empty() {
        return Ok(Vec::new());
    }
    let assignment: ConsumerProtocolAssignment = read_schema(assignment)?;
    let mut places = Vec::new();
    for topic in assignment.assigned_partitions {
        let name = topic.topic.as_str();
        places.extend(
            topic
                .partitions
                .iter()
                .map(|partition| (name.to_owned(), *partition)),
        );
    }
    Ok(places)
}

fn schema(message: &impl Message) -> Result<Bytes, ClientError> {
    let mut writer = Writer::plain();
    writer.i16(SCHEMA);
    let written = message.encode(&mut writer, SCHEMA);
    written.map_err(|error| ClientError::Usage(format!("a member's topics: {error}")))?;
    Ok(writer.into_bytes())
}

fn read_schema<M: Message>(bytes: &Bytes) -> Result<M, ClientError> {
    let mut reader = Reader::new(bytes.clone());
    let version = reader.i16();
    let read = version.and_then(|version| M::decode(&mut reader, version.clamp(0, SCHEMA_MAX)));
    read.map_err(|error| {
        ClientError::Usage(format!(
            "what a member of the group wrote cannot be read: {error}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_kafkas() {
        let all = |partitions, members| ranges(partitions, members).collect::<Vec<_>>();
        assert_eq!(all(7, 3), [0..3, 3..5, 5..7]);
        assert_eq!(all(2, 3), [0..1, 1..2, 2..2]);
        assert_eq!(all(0, 2), [0..0, 0..0]);
    }

    #[test]
    fn schemas_go_there_and_back() {
        let written = ConsumerProtocolAssignment {
            assigned_partitions: vec![consumer_protocol_assignment::TopicPartition {
                topic: "t".into(),
                partitions: vec![0, 5],
            }],
            user_data: None,
        };
        let bytes = schema(&written).expect("it can be written");
        assert_eq!(
            places(&bytes).expect("it can be read"),
            [("t".to_owned(), 0), ("t".to_owned(), 5)]
        );
        assert!(places(&bytes.slice(..5)).is_err());
    }
}
