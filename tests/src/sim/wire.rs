//! The client's side of the protocol: requests with several partitions, answers as facts, batches of random sizes.
//! The codec is the `kafka-protocol` crate: a mistake in ours cannot hide behind itself.

use bytes::{Buf, Bytes, BytesMut};
use corelane_engine::batch::{BatchBuilder, Codec};
use corelane_engine::rng::Rng;
use corelane_engine::types::Timestamp;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, DeleteRecordsRequest, FetchRequest,
    IncrementalAlterConfigsRequest, ListOffsetsRequest, ProduceRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use uuid::Uuid;

use super::history::{History, Place, ServedBatch};
use super::session::Plan;
use crate::harness::wire::{request_bytes, topic_of};

/// A request as it goes over the wire.
pub fn framed<R: Request>(version: i16, correlation: i32, request: &R) -> Bytes {
    let body = request_bytes(version, correlation, request);
    let mut bytes = BytesMut::with_capacity(4 + body.len());
    bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&body);
    bytes.freeze()
}

/// The next whole frame of what came, without its size.
pub fn take_frame(inbox: &mut BytesMut) -> Option<BytesMut> {
    let size = i32::from_be_bytes(*inbox.first_chunk::<4>()?) as usize;
    if inbox.len() < 4 + size {
        return None;
    }
    inbox.advance(4);
    Some(inbox.split_to(size))
}

/// Sets configs of a topic.
pub fn alter(
    topic: &str,
    configs: &[(&'static str, &'static str)],
) -> IncrementalAlterConfigsRequest {
    let config = |(name, value): &(&'static str, &'static str)| {
        AlterableConfig::default()
            .with_name(StrBytes::from_static_str(name))
            .with_value(Some(StrBytes::from_static_str(value)))
    };
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_string(topic.to_owned()))
        .with_configs(configs.iter().map(config).collect());
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

/// More partitions for a topic.
pub fn grow(topic: &str, partitions: i32) -> CreatePartitionsRequest {
    let topic = CreatePartitionsTopic::default()
        .with_name(topic_of(topic))
        .with_count(partitions)
        .with_assignments(None);
    CreatePartitionsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000)
}

/// Items by topic, in the order given; items of one topic stay together where they are neighbours.
fn by_topic<T>(items: impl IntoIterator<Item = (Place, T)>) -> Vec<(Place, Vec<(i32, T)>)> {
    let mut topics: Vec<(Place, Vec<(i32, T)>)> = Vec::new();
    for (place, item) in items {
        match topics.iter_mut().find(|(p, _)| p.topic == place.topic) {
            Some((_, items)) => items.push((place.partition, item)),
            None => topics.push((place, vec![(place.partition, item)])),
        }
    }
    topics
}

/// `id`: the topic's id, for versions that name it so.
pub fn produce(
    acks: i16,
    batches: &[(Place, Bytes)],
    id: impl Fn(Place) -> Uuid,
) -> ProduceRequest {
    let topics = by_topic(batches.iter().cloned()).into_iter();
    let topics = topics.map(|(place, partitions)| {
        let partitions = partitions.into_iter().map(|(index, records)| {
            PartitionProduceData::default()
                .with_index(index)
                .with_records(Some(records))
        });
        TopicProduceData::default()
            .with_name(topic_of(&place.topic.name()))
            .with_topic_id(id(place))
            .with_partition_data(partitions.collect())
    });
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(30_000)
        .with_topic_data(topics.collect())
}

/// Bounds of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchBounds {
    pub wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub partition_max_bytes: i32,
}

/// A fetch, of a session or of none.
pub fn fetch(plan: &Plan, bounds: FetchBounds, id: impl Fn(Place) -> Uuid) -> FetchRequest {
    let forgotten = by_topic(plan.forgotten.iter().map(|place| (*place, ()))).into_iter();
    let forgotten = forgotten.map(|(place, partitions)| {
        ForgottenTopic::default()
            .with_topic(topic_of(&place.topic.name()))
            .with_topic_id(id(place))
            .with_partitions(partitions.into_iter().map(|(index, ())| index).collect())
    });
    let topics = by_topic(plan.asked.iter().copied()).into_iter();
    let topics = topics.map(|(place, partitions)| {
        let partitions = partitions.into_iter().map(|(partition, offset)| {
            FetchPartition::default()
                .with_partition(partition)
                .with_fetch_offset(offset)
                .with_partition_max_bytes(bounds.partition_max_bytes)
        });
        FetchTopic::default()
            .with_topic(topic_of(&place.topic.name()))
            .with_topic_id(id(place))
            .with_partitions(partitions.collect())
    });
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(bounds.wait_ms)
        .with_min_bytes(bounds.min_bytes)
        .with_max_bytes(bounds.max_bytes)
        .with_session_id(plan.id)
        .with_session_epoch(plan.epoch)
        .with_forgotten_topics_data(forgotten.collect())
        .with_topics(topics.collect())
}

/// Latest offset (-1) or earliest (-2) of partitions.
pub fn list_offsets(places: &[Place], timestamp: i64) -> ListOffsetsRequest {
    let topics = by_topic(places.iter().map(|p| (*p, ()))).into_iter();
    let topics = topics.map(|(place, partitions)| {
        let partitions = partitions.into_iter().map(|(index, ())| {
            ListOffsetsPartition::default()
                .with_partition_index(index)
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp)
        });
        ListOffsetsTopic::default()
            .with_name(topic_of(&place.topic.name()))
            .with_partitions(partitions.collect())
    });
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(topics.collect())
}

/// Deletes what is below an offset; -1: everything.
pub fn delete_records(place: Place, below: i64) -> DeleteRecordsRequest {
    let partition = DeleteRecordsPartition::default()
        .with_partition_index(place.partition)
        .with_offset(below);
    let topic = DeleteRecordsTopic::default()
        .with_name(topic_of(&place.topic.name()))
        .with_partitions(vec![partition]);
    DeleteRecordsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000)
}

/// Whole batches of a `records` field; an error names what is none.
pub fn split(records: &[u8], history: &History) -> Result<Vec<ServedBatch>, String> {
    let mut batches = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let length = rest.get(8..12).map(|b| b.try_into().expect("4 bytes"));
        let length = length.map_or(0, i32::from_be_bytes);
        let total = usize::try_from(length).unwrap_or(0) + 12;
        if total < 61 || total > rest.len() {
            let (left, at) = (rest.len(), records.len() - rest.len());
            return Err(format!(
                "batch of {total} bytes where {left} are left, at {at}"
            ));
        }
        let (batch, after) = rest.split_at(total);
        let field = |at: usize| i32::from_be_bytes(batch[at..at + 4].try_into().expect("4 bytes"));
        batches.push(ServedBatch {
            base: i64::from_be_bytes(batch[..8].try_into().expect("8 bytes")),
            count: field(57),
            leader_epoch: field(12),
            max_timestamp: i64::from_be_bytes(batch[35..43].try_into().expect("8 bytes")),
            batch: history.find(batch),
        });
        rest = after;
    }
    Ok(batches)
}

/// When records were made, where their age does not matter.
pub const LONG_AGO: Timestamp = Timestamp(1_767_225_600_000);

/// Less than a segment of the workload, all headers included.
const BATCH_BYTES_MAX: u64 = 38_000;

/// How large batches are: mostly small, some around a block, some that go straight to a segment.
pub fn draw_bytes(rng: &mut Rng, straight_bytes_min: usize) -> usize {
    let straight = straight_bytes_min as u64;
    let bytes = match rng.below(20) {
        0..12 => 40 + rng.below(260),
        12..16 => 1_000 + rng.below(5_000),
        16 => 3_900 + rng.below(300),
        _ => straight + rng.below(2 * straight),
    };
    bytes.min(BATCH_BYTES_MAX) as usize
}

/// Any codec, or none.
pub fn draw_codec(rng: &mut Rng) -> Codec {
    match rng.below(6) {
        0 => Codec::Gzip,
        1 => Codec::Snappy,
        2 => Codec::Lz4,
        3 => Codec::Zstd,
        _ => Codec::None,
    }
}

/// A batch of `bytes` or somewhat more, before it is compressed. `producer`: id, epoch and base sequence, or -1 each.
pub fn batch(
    rng: &mut Rng,
    bytes: usize,
    codec: Codec,
    producer: (i64, i16, i32),
    time: Timestamp,
) -> (Bytes, i32) {
    let count = 1 + rng.below(4) as i32;
    let mut builder = BatchBuilder::new()
        .codec(codec)
        .producer(producer.0, producer.1, producer.2);
    let mut value = Vec::with_capacity(bytes);
    for _ in 0..count {
        value.clear();
        while value.len() < bytes / count as usize {
            value.extend_from_slice(&rng.next_u64().to_le_bytes());
        }
        builder = builder.value(time, &value);
    }
    (builder.build(), count)
}
