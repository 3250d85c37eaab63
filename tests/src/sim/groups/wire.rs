//! The requests of members, and what their answers say, in the versions that a member draws.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::delete_groups_request::DeleteGroupsRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    FindCoordinatorRequest, GroupId, HeartbeatRequest, IncrementalAlterConfigsRequest,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, OffsetCommitRequest,
    OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::story::{Assignment, GroupNo, Told};
use crate::harness::wire::topic_of;
use crate::sim::client::SEGMENT_BYTES;
use crate::sim::history::{Place, TopicNo};

/// Who a member is.
#[derive(Clone, Debug)]
pub struct Who {
    pub group: GroupNo,
    /// Empty: it has no id yet.
    pub member: String,
    pub instance: Option<String>,
    /// -1: none.
    pub generation: i32,
}

/// How long the broker waits for a member.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub session_ms: i32,
    pub rebalance_ms: i32,
}

const PROTOCOL_TYPE: &str = "consumer";
const PROTOCOL: &str = "by-turns";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group_id(group: GroupNo) -> GroupId {
    GroupId(text(&group.name()))
}

pub fn find_coordinator(group: GroupNo, version: i16) -> FindCoordinatorRequest {
    let request = FindCoordinatorRequest::default();
    match version {
        4.. => request.with_coordinator_keys(vec![text(&group.name())]),
        _ => request.with_key(text(&group.name())),
    }
}

/// Small segments for the topic of the groups, and perhaps when it acknowledges.
pub fn shape(class: Option<&'static str>) -> IncrementalAlterConfigsRequest {
    let configs = [
        ("internal.segment.bytes", Some(SEGMENT_BYTES)),
        ("corelane.durability", class),
    ];
    let config = |(name, value): (&'static str, Option<&'static str>)| {
        let value = StrBytes::from_static_str(value?);
        let config = AlterableConfig::default().with_name(StrBytes::from_static_str(name));
        Some(config.with_value(Some(value)))
    };
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_static_str("__consumer_offsets"))
        .with_configs(configs.into_iter().filter_map(config).collect());
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

/// A consumer's subscription of one topic (`ConsumerProtocolSubscription` 0); `word`: its user data.
fn subscription(topic: TopicNo, word: u32) -> Bytes {
    let name = topic.name();
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(1);
    bytes.put_i16(name.len() as i16);
    bytes.put_slice(name.as_bytes());
    bytes.put_i32(4);
    bytes.put_u32(word);
    bytes.freeze()
}

/// `word`: a member that wants the others to come again says another one.
pub fn join(who: &Who, timeouts: Timeouts, word: u32, version: i16) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(StrBytes::from_static_str(PROTOCOL))
        .with_metadata(subscription(TopicNo(0), word));
    let request = JoinGroupRequest::default()
        .with_group_id(group_id(who.group))
        .with_session_timeout_ms(timeouts.session_ms)
        .with_member_id(text(&who.member))
        .with_protocol_type(StrBytes::from_static_str(PROTOCOL_TYPE))
        .with_protocols(vec![protocol])
        .with_group_instance_id(who.instance.as_deref().map(text));
    match version {
        0 => request,
        _ => request.with_rebalance_timeout_ms(timeouts.rebalance_ms),
    }
}

/// What a member is told of its join; besides, for who leads: the members there are.
pub fn joined(answer: &JoinGroupResponse) -> (Told, Vec<String>) {
    if answer.error_code != 0 {
        return (Told::Refused(answer.error_code), Vec::new());
    }
    let members: Vec<String> = answer
        .members
        .iter()
        .map(|m| m.member_id.to_string())
        .collect();
    let leads = answer.leader == answer.member_id && !members.is_empty();
    let told = Told::Joined {
        generation: answer.generation_id,
        member: answer.member_id.to_string(),
        assigns: leads && !answer.skip_assignment,
    };
    (told, members)
}

pub fn sync(who: &Who, assignments: &[(String, Assignment)], version: i16) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member))
            .with_assignment(encode(assignment))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(group_id(who.group))
        .with_generation_id(who.generation)
        .with_member_id(text(&who.member))
        .with_group_instance_id(who.instance.as_deref().map(text))
        .with_assignments(assignments.collect());
    match version {
        5.. => request
            .with_protocol_type(Some(StrBytes::from_static_str(PROTOCOL_TYPE)))
            .with_protocol_name(Some(StrBytes::from_static_str(PROTOCOL))),
        _ => request,
    }
}

fn encode(assignment: &Assignment) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u32(assignment.serial);
    bytes.put_slice(&assignment.units);
    bytes.freeze()
}

/// An error: bytes that no leader made.
pub fn synced(answer: &SyncGroupResponse) -> Result<Told, String> {
    if answer.error_code != 0 {
        return Ok(Told::Refused(answer.error_code));
    }
    if answer.assignment.is_empty() {
        return Ok(Told::Synced(None));
    }
    let Some((serial, units)) = answer.assignment.split_first_chunk::<4>() else {
        return Err(format!("assignment {:?}", answer.assignment));
    };
    Ok(Told::Synced(Some(Assignment {
        serial: u32::from_be_bytes(*serial),
        units: units.to_vec(),
    })))
}

pub fn heartbeat(who: &Who) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group_id(who.group))
        .with_generation_id(who.generation)
        .with_member_id(text(&who.member))
        .with_group_instance_id(who.instance.as_deref().map(text))
}

pub fn leave(who: &Who, version: i16) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(group_id(who.group));
    match version {
        3.. => {
            let member = MemberIdentity::default()
                .with_member_id(text(&who.member))
                .with_group_instance_id(who.instance.as_deref().map(text));
            request.with_members(vec![member])
        }
        _ => request.with_member_id(text(&who.member)),
    }
}

/// Items by topic, in the order given.
fn by_topic<T: Clone>(items: &[(Place, T)]) -> Vec<(TopicNo, Vec<(i32, T)>)> {
    let mut topics: Vec<(TopicNo, Vec<(i32, T)>)> = Vec::new();
    for (place, item) in items {
        let item = (place.partition, item.clone());
        match topics.iter_mut().find(|(topic, _)| *topic == place.topic) {
            Some((_, items)) => items.push(item),
            None => topics.push((place.topic, vec![item])),
        }
    }
    topics
}

/// What goes with an offset: an answer that mixes two of them up is noticed.
fn metadata(offset: i64) -> String {
    format!("as far as {offset}")
}

pub fn commit(who: &Who, generation: i32, offsets: &[(Place, i64)]) -> OffsetCommitRequest {
    let topics = by_topic(offsets).into_iter().map(|(topic, offsets)| {
        let partitions = offsets.into_iter().map(|(index, offset)| {
            OffsetCommitRequestPartition::default()
                .with_partition_index(index)
                .with_committed_offset(offset)
                .with_committed_metadata(Some(text(&metadata(offset))))
        });
        OffsetCommitRequestTopic::default()
            .with_name(topic_of(&topic.name()))
            .with_partitions(partitions.collect())
    });
    OffsetCommitRequest::default()
        .with_group_id(group_id(who.group))
        .with_generation_id_or_member_epoch(generation)
        .with_member_id(text(&who.member))
        .with_group_instance_id(who.instance.as_deref().map(text))
        .with_topics(topics.collect())
}

fn place_of(topic: &str, partition: i32) -> Option<Place> {
    let topic = TopicNo::of_name(topic)?;
    Some(Place { topic, partition })
}

pub fn committed(answer: &OffsetCommitResponse) -> Result<Told, String> {
    let mut codes = Vec::new();
    for topic in &answer.topics {
        for p in &topic.partitions {
            let place = place_of(&topic.name.0, p.partition_index);
            let place = place.ok_or_else(|| format!("committed: {:?}", topic.name))?;
            codes.push((place, p.error_code));
        }
    }
    Ok(whole(codes))
}

/// Where every part was refused alike, the request was.
fn whole(codes: Vec<(Place, i16)>) -> Told {
    match codes.first() {
        Some((_, code)) if *code != 0 && codes.iter().all(|(_, c)| c == code) => {
            Told::Refused(*code)
        }
        _ => Told::Each(codes),
    }
}

/// `None`: everything the group has.
pub fn fetch(group: GroupNo, places: Option<&[Place]>, version: i16) -> OffsetFetchRequest {
    let places = places.map(|places| {
        let items: Vec<(Place, ())> = places.iter().map(|place| (*place, ())).collect();
        by_topic(&items).into_iter().map(|(topic, partitions)| {
            let indexes: Vec<i32> = partitions.into_iter().map(|(index, ())| index).collect();
            (topic_of(&topic.name()), indexes)
        })
    });
    let request = OffsetFetchRequest::default();
    match version {
        8.. => {
            let topics = places.map(|topics| {
                let topics = topics.map(|(name, indexes)| {
                    OffsetFetchRequestTopics::default()
                        .with_name(name)
                        .with_partition_indexes(indexes)
                });
                topics.collect()
            });
            let group = OffsetFetchRequestGroup::default()
                .with_group_id(group_id(group))
                .with_topics(topics);
            request.with_groups(vec![group])
        }
        _ => {
            let topics = places.map(|topics| {
                let topics = topics.map(|(name, indexes)| {
                    OffsetFetchRequestTopic::default()
                        .with_name(name)
                        .with_partition_indexes(indexes)
                });
                topics.collect()
            });
            request.with_group_id(group_id(group)).with_topics(topics)
        }
    }
}

/// One partition of an answer.
struct Found<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    with: Option<&'a StrBytes>,
    code: i16,
}

/// `asked`: of all these something is said, if only that there is nothing.
pub fn fetched(
    answer: &OffsetFetchResponse,
    asked: &[Place],
    version: i16,
) -> Result<Told, String> {
    let mut found: Vec<Found<'_>> = Vec::new();
    let code = match version {
        8.. => {
            let group = answer.groups.first().ok_or("no group")?;
            for topic in &group.topics {
                found.extend(topic.partitions.iter().map(|p| Found {
                    topic: &topic.name.0,
                    partition: p.partition_index,
                    offset: p.committed_offset,
                    with: p.metadata.as_ref(),
                    code: p.error_code,
                }));
            }
            group.error_code
        }
        _ => {
            let topics = answer.topics.iter();
            found.extend(topics.flat_map(|topic| {
                topic.partitions.iter().map(|p| Found {
                    topic: &topic.name.0,
                    partition: p.partition_index,
                    offset: p.committed_offset,
                    with: p.metadata.as_ref(),
                    code: p.error_code,
                })
            }));
            answer.error_code
        }
    };
    // Version 1 says it with every partition.
    let code = match code {
        0 => found.iter().map(|found| found.code).find(|code| *code != 0),
        code => Some(code),
    };
    if let Some(code) = code {
        return Ok(Told::Refused(code));
    }
    let mut offsets = Vec::new();
    for found in found {
        let Found {
            topic,
            partition,
            offset,
            with,
            ..
        } = found;
        let place = place_of(topic, partition).ok_or_else(|| format!("fetched: {topic}"))?;
        if offset >= 0 && with.map(|with| &**with) != Some(&*metadata(offset)) {
            return Err(format!("{place:?}: offset {offset} with {with:?}"));
        }
        offsets.push((place, offset));
    }
    for place in asked {
        if !offsets.iter().any(|(found, _)| found == place) {
            offsets.push((*place, -1));
        }
    }
    Ok(Told::Fetched(offsets))
}

pub fn delete_offsets(group: GroupNo, places: &[Place]) -> OffsetDeleteRequest {
    let items: Vec<(Place, ())> = places.iter().map(|place| (*place, ())).collect();
    let topics = by_topic(&items).into_iter().map(|(topic, partitions)| {
        let partitions = partitions
            .into_iter()
            .map(|(index, ())| OffsetDeleteRequestPartition::default().with_partition_index(index));
        OffsetDeleteRequestTopic::default()
            .with_name(topic_of(&topic.name()))
            .with_partitions(partitions.collect())
    });
    OffsetDeleteRequest::default()
        .with_group_id(group_id(group))
        .with_topics(topics.collect())
}

pub fn offsets_deleted(answer: &OffsetDeleteResponse) -> Result<Told, String> {
    if answer.error_code != 0 {
        return Ok(Told::Refused(answer.error_code));
    }
    let mut codes = Vec::new();
    for topic in &answer.topics {
        for p in &topic.partitions {
            let place = place_of(&topic.name.0, p.partition_index);
            let place = place.ok_or_else(|| format!("deleted: {:?}", topic.name))?;
            codes.push((place, p.error_code));
        }
    }
    Ok(whole(codes))
}

pub fn delete_group(group: GroupNo) -> DeleteGroupsRequest {
    DeleteGroupsRequest::default().with_groups_names(vec![group_id(group)])
}
