//! Fetch (1): whole batches from many partitions, waiting for new ones where there are none.
//!
//! * 4 isolation level, LSO, aborted transactions · 5 log start · 6 as 5 · 7 fetch sessions (KIP-227) · 8 as 7
//! * 9 current leader epoch (KIP-320) · 10 zstd · 11 rack · 12 flexible; last fetched epoch and diverging epoch
//!   (KIP-595) · 13 topic ids in place of names · 14 tiered storage codes · 15 replica state as a tagged field
//! * 16 leader hints in the answer · 17 directory id of followers · 18 high watermark of followers
//!
//! ```text
//!  start ──► Read to each owner ──► all in ──┬─ enough, an error, or no time ────────────────────────► answer ◄── hurry
//!                  ▲                         └─ parked: records dropped, Watch with what is missing
//!                  └── of that owner, and of those whose records were dropped ◄── Changed, deadline ──┘
//! ```
//!
//! A parked fetch holds no records, as Kafka's `DelayedFetch`: for as long as it waits they would keep the log's memory.
//!
//! Left out: followers (a request with a replica id gets NOT_LEADER_OR_FOLLOWER: nobody may move a watermark by
//! pretending, CVE-2018-1288), racks, tiered storage. Without transactions the last stable offset is the
//! high watermark, and read_committed differs only in an empty list where read_uncommitted has null.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use corelane_engine::call::{AnswerBody, CallBody, ReadDone, ReadError, ReadItem, WatchItem};
use corelane_engine::types::{Instant, LeaderEpoch, Offset, ShardId, TopicId, TopicPartition};

use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::fetch_request::FetchRequest;
use crate::protocol::fetch_response::{
    EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint,
    PartitionData,
};
use crate::protocol::{Records, Uuid};
use crate::sessions::{
    FINAL_EPOCH, INITIAL_EPOCH, NO_SESSION, PartitionAsk, PartitionKey, Told, TopicRef,
};

/// Kafka's `fetch.max.bytes` of a broker.
pub const FETCH_BYTES_MAX: i32 = 55 << 20;

/// First version that can say where two logs part (KIP-595).
const DIVERGING_SINCE: i16 = 12;

/// First version that says who leads where the client was wrong about it (KIP-951).
const LEADERS_SINCE: i16 = 16;

/// A fetch under way.
#[derive(Debug)]
pub struct Fetch {
    parts: Vec<Part>,
    mode: Mode,
    max_bytes: i32,
    min_bytes: i32,
    committed: bool,
    deadline: Instant,
    /// Owners that were asked for records, and for how many bytes.
    asking: Vec<(ShardId, usize)>,
    /// Owners that were asked to say when there are more.
    watching: Vec<ShardId>,
    /// What of the shard's memory for answers is counted for this fetch.
    counted: usize,
}

#[derive(Debug)]
enum Mode {
    Sessionless,
    Open { by_ids: bool },
    Incremental { id: i32, epoch: i32 },
}

#[derive(Debug)]
struct Part {
    key: PartitionKey,
    ask: PartitionAsk,
    at: Option<(TopicPartition, ShardId)>,
    state: State,
    /// Bytes that were read and dropped.
    parked: usize,
}

#[derive(Debug)]
enum State {
    Refused(ErrorCode),
    Asked,
    Read(ReadDone),
    Failed(ReadError),
}

impl State {
    fn bytes(&self) -> usize {
        match self {
            State::Read(done) => done.records.iter().map(Bytes::len).sum(),
            State::Refused(_) | State::Asked | State::Failed(_) => 0,
        }
    }

    fn records(&self) -> u64 {
        match self {
            State::Read(done) => done.count,
            State::Refused(_) | State::Asked | State::Failed(_) => 0,
        }
    }

    /// Records were read up to a limit, and there are more: waiting adds none of this partition.
    fn is_cut(&self) -> bool {
        match self {
            State::Read(done) => done
                .records
                .last()
                .and_then(|piece| end_offset(piece))
                .is_some_and(|end| end < done.high_watermark),
            State::Refused(_) | State::Asked | State::Failed(_) => false,
        }
    }
}

/// How many bytes the answer may have: what the connection is asked to promise.
pub fn promised(message: &FetchRequest) -> usize {
    message.max_bytes.clamp(0, FETCH_BYTES_MAX) as usize
}

/// Starts a request that was decoded already.
pub fn start(desk: &mut Desk, request: &Request, message: FetchRequest) -> Started {
    let by_ids = request.header.version >= 13;
    let follower = message.replica_id >= 0 || message.replica_state.replica_id >= 0;
    let committed = message.isolation_level == 1;
    let (max_wait, min_bytes, max_bytes) =
        (message.max_wait_ms, message.min_bytes, message.max_bytes);
    let max_bytes = max_bytes.clamp(0, FETCH_BYTES_MAX);
    let (id, epoch) = (message.session_id, message.session_epoch);
    let asked = asks(&message, by_ids);
    let (asks, mode) = if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
        if id != NO_SESSION {
            desk.sessions.close(id);
        }
        let mode = match epoch {
            INITIAL_EPOCH => Mode::Open { by_ids },
            _ => Mode::Sessionless,
        };
        (asked, mode)
    } else {
        let resumed = desk.sessions.resume(
            desk.now.mono,
            id,
            epoch,
            by_ids,
            asked.into_iter(),
            forgotten(&message, by_ids),
        );
        match resumed {
            Ok(resumed) if resumed.id == NO_SESSION => (resumed.asks, Mode::Sessionless),
            Ok(resumed) => (
                resumed.asks,
                Mode::Incremental {
                    id: resumed.id,
                    epoch: resumed.epoch,
                },
            ),
            Err(code) => {
                return Started::Answer(request.encode(&FetchResponse {
                    throttle_time_ms: throttle_ms(&request.context, desk.now),
                    error_code: code.code(),
                    session_id: NO_SESSION,
                    ..FetchResponse::default()
                }));
            }
        }
    };
    let mut fetch = Fetch {
        parts: plan(desk, request, asks, follower),
        mode,
        max_bytes,
        min_bytes: min_bytes.min(max_bytes),
        committed,
        deadline: desk
            .now
            .mono
            .after(Duration::from_millis(max_wait.max(0) as u64)),
        asking: Vec::new(),
        watching: Vec::new(),
        counted: 0,
    };
    let mut owners: Vec<ShardId> = Vec::new();
    for (_, owner) in fetch.parts.iter().filter_map(|part| part.at) {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
        .iter()
        .for_each(|&owner| fetch.read(desk, request, owner));
    if owners.is_empty() {
        return Started::Answer(fetch.answer(desk, request));
    }
    Started::Waiting(Waiting {
        deadline: Some(fetch.deadline).filter(|_| max_wait > 0),
        work: Work::Fetch(Box::new(fetch)),
        answered: true,
    })
}

fn asks(message: &FetchRequest, by_ids: bool) -> Vec<(PartitionKey, PartitionAsk)> {
    let partitions = message.topics.iter().map(|t| t.partitions.len()).sum();
    let mut asks = Vec::with_capacity(partitions);
    for topic in &message.topics {
        let name = topic_ref(by_ids, &topic.topic, TopicId(topic.topic_id.0));
        asks.extend(topic.partitions.iter().map(|partition| {
            (
                PartitionKey {
                    topic: name.clone(),
                    partition: partition.partition,
                },
                PartitionAsk {
                    offset: Offset(partition.fetch_offset),
                    log_start: Offset(partition.log_start_offset),
                    max_bytes: partition.partition_max_bytes,
                    current_leader_epoch: LeaderEpoch(partition.current_leader_epoch),
                    last_fetched_epoch: LeaderEpoch(partition.last_fetched_epoch),
                },
            )
        }));
    }
    match asks_twice(&asks) {
        true => distinct(asks),
        false => asks,
    }
}

/// Whether a partition is asked for more than once. Topics are compared once for each run of their partitions; the
/// partitions as numbers.
fn asks_twice(asks: &[(PartitionKey, PartitionAsk)]) -> bool {
    let mut topics: BTreeMap<&TopicRef, u64> = BTreeMap::new();
    let mut run: Option<(&TopicRef, u64)> = None;
    let mut places = Vec::with_capacity(asks.len());
    for (key, _) in asks {
        let number = match run {
            Some((topic, number)) if topic.is_same(&key.topic) => number,
            Some(_) | None => {
                let next = topics.len() as u64;
                *topics.entry(&key.topic).or_insert(next)
            }
        };
        run = Some((&key.topic, number));
        places.push((number << 32) | u64::from(key.partition as u32));
    }
    places.sort_unstable();
    places.windows(2).any(|pair| pair[0] == pair[1])
}

/// As in Kafka's map: of several asks for one partition the last counts, at the place of the first.
fn distinct(asks: Vec<(PartitionKey, PartitionAsk)>) -> Vec<(PartitionKey, PartitionAsk)> {
    let mut places = BTreeMap::new();
    let mut distinct: Vec<(PartitionKey, PartitionAsk)> = Vec::with_capacity(asks.len());
    for (key, ask) in asks {
        let place = *places.entry(key.clone()).or_insert(distinct.len());
        match distinct.get_mut(place) {
            Some((_, earlier)) => *earlier = ask,
            None => distinct.push((key, ask)),
        }
    }
    distinct
}

fn forgotten(message: &FetchRequest, by_ids: bool) -> impl Iterator<Item = PartitionKey> {
    message.forgotten_topics_data.iter().flat_map(move |topic| {
        let name = topic_ref(by_ids, &topic.topic, TopicId(topic.topic_id.0));
        topic.partitions.iter().map(move |&partition| PartitionKey {
            topic: name.clone(),
            partition,
        })
    })
}

/// Copies the name: a session must not hold on to a receive buffer.
fn topic_ref(by_ids: bool, name: &str, id: TopicId) -> TopicRef {
    if by_ids {
        TopicRef::Id(id)
    } else {
        TopicRef::Name(Rc::from(name))
    }
}

/// Finds each partition's owner, or why it cannot be read. A run of partitions of one topic looks it up once.
fn plan(
    desk: &Desk,
    request: &Request,
    asks: Vec<(PartitionKey, PartitionAsk)>,
    follower: bool,
) -> Vec<Part> {
    let mut run: Option<(TopicRef, Result<_, ErrorCode>)> = None;
    let mut parts = Vec::with_capacity(asks.len());
    for (key, ask) in asks {
        let topic = match &run {
            Some((topic, found)) if topic.is_same(&key.topic) => *found,
            _ => {
                let found = find(desk, request, &key.topic, follower);
                run = Some((key.topic.clone(), found));
                found
            }
        };
        let at = topic.and_then(|(id, partitions)| {
            if key.partition < 0 || key.partition >= partitions {
                return Err(ErrorCode::UnknownTopicOrPartition);
            }
            let partition = TopicPartition {
                topic: id,
                partition: key.partition,
            };
            Ok((partition, desk.owner(partition)))
        });
        parts.push(Part {
            key,
            ask,
            at: at.ok(),
            state: at.err().map_or(State::Asked, State::Refused),
            parked: 0,
        });
    }
    parts
}

fn find(
    desk: &Desk,
    request: &Request,
    topic: &TopicRef,
    follower: bool,
) -> Result<(TopicId, i32), ErrorCode> {
    let context = &request.context;
    if follower {
        let allowed = desk.allows(context, Operation::ClusterAction, Resource::Cluster);
        return Err(match allowed {
            true => ErrorCode::NotLeaderOrFollower,
            false => ErrorCode::TopicAuthorizationFailed,
        });
    }
    let found = match topic {
        TopicRef::Id(id) => Some(desk.topic_by_id(*id).ok_or(ErrorCode::UnknownTopicId)?),
        TopicRef::Name(name) => desk.topic_by_name(context, name),
    };
    let name = match (topic, &found) {
        (TopicRef::Name(name), _) => name,
        (TopicRef::Id(_), Some(found)) => found.name,
        (TopicRef::Id(_), None) => "",
    };
    if !desk.allows(context, Operation::Read, Resource::Topic(name)) {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    found
        .map(|topic| (topic.id, topic.partitions))
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}

impl Fetch {
    /// Bytes of answer that the connection is to reckon with.
    pub fn promised(&self) -> usize {
        self.max_bytes as usize
    }

    /// Each owner may give its part of the answer: what all together give too much would be read for nothing.
    fn read(&mut self, desk: &mut Desk, request: &Request, owner: ShardId) {
        let items: Vec<ReadItem> = self
            .owned(owner)
            .map(|(slot, partition, part)| ReadItem {
                slot,
                partition,
                offset: part.ask.offset,
                max_bytes: part.ask.max_bytes.max(0) as u32,
                current_leader_epoch: part.ask.current_leader_epoch,
                // A session may have it from a newer version: this one could not carry what follows from it.
                last_fetched_epoch: match request.header.version >= DIVERGING_SINCE {
                    true => part.ask.last_fetched_epoch,
                    false => LeaderEpoch(-1),
                },
            })
            .collect();
        let all = self.parts.iter().filter(|part| part.at.is_some()).count();
        let share = (self.max_bytes as usize * items.len()).div_ceil(all.max(1));
        // One byte is one batch.
        let share = share.min(desk.answers.room().max(1));
        self.asking.push((owner, share));
        self.recount(desk);
        let max_bytes = share as u32;
        desk.call(owner, request.token, CallBody::Read { max_bytes, items });
    }

    fn owned(&self, owner: ShardId) -> impl Iterator<Item = (u32, TopicPartition, &Part)> {
        (0u32..)
            .zip(&self.parts)
            .filter_map(move |(slot, part)| match part.at {
                Some((partition, shard)) if shard == owner => Some((slot, partition, part)),
                _ => None,
            })
    }

    /// An owner answered.
    pub fn on_answer(
        &mut self,
        desk: &mut Desk,
        request: &Request,
        from: ShardId,
        body: AnswerBody,
    ) -> Option<Outcome> {
        match body {
            AnswerBody::Read(answers) => {
                for answer in answers {
                    let part = &mut self.parts[answer.slot as usize];
                    part.parked = 0;
                    part.state = match answer.result {
                        Ok(done) => State::Read(done),
                        Err(error) => State::Failed(error),
                    };
                }
                self.asking.retain(|&(owner, _)| owner != from);
                self.recount(desk);
            }
            AnswerBody::Changed => {
                // Beside others it may be the answer to a watch that was replaced since: the newer one stands.
                if self.watching.len() == 1 {
                    self.watching.clear();
                }
                self.read_again(desk, request, Some(from));
            }
            AnswerBody::Appended(_)
            | AnswerBody::Listed(_)
            | AnswerBody::Deleted(_)
            | AnswerBody::EpochEnds(_)
            | AnswerBody::LogSizes(_)
            | AnswerBody::Group(_)
            | AnswerBody::GroupsListed(_) => {
                panic!("a read was asked for, got {body:?}")
            }
        }
        if !self.asking.is_empty() {
            return None;
        }
        if self.is_enough(desk) {
            return Some(Outcome::Reply(self.answer(desk, request)));
        }
        self.park(desk, request);
        None
    }

    /// Reads from those owners whose records were dropped, and from one that has news.
    fn read_again(&mut self, desk: &mut Desk, request: &Request, news: Option<ShardId>) {
        let dropped = self.parts.iter().filter(|part| part.parked > 0);
        let dropped = dropped.filter_map(|part| part.at);
        let mut owners: Vec<ShardId> = news.into_iter().collect();
        for (_, owner) in dropped {
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        for owner in owners {
            if !self.asking.iter().any(|&(asked, _)| asked == owner) {
                self.read(desk, request, owner);
            }
        }
    }

    /// `DelayedFetch`: enough bytes, no time left, or something the client should hear of at once. It counts what is
    /// readable, of which a read gives less where it ends with a batch, with a segment or with what is in memory.
    fn is_enough(&self, desk: &Desk) -> bool {
        self.bytes() as i64 >= i64::from(self.min_bytes)
            || desk.now.mono >= self.deadline
            || self
                .parts
                .iter()
                .any(|part| matches!(part.state, State::Failed(_)) || part.state.is_cut())
    }

    /// Notes what this fetch holds of the shard's memory for answers, and may still be given.
    fn recount(&mut self, desk: &mut Desk) {
        let asked: usize = self.asking.iter().map(|(_, bytes)| bytes).sum();
        let held = self.bytes() + asked;
        desk.answers.change(self.counted, held);
        self.counted = held;
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.state.bytes()).sum()
    }

    /// Drops what was read, and asks every owner to say when there is more.
    fn park(&mut self, desk: &mut Desk, request: &Request) {
        let missing = (self.min_bytes.max(1) as usize).saturating_sub(self.bytes());
        let mut owners: Vec<(ShardId, Vec<WatchItem>)> = Vec::new();
        for part in &mut self.parts {
            let (Some((partition, owner)), State::Read(done)) = (part.at, &mut part.state) else {
                continue;
            };
            part.parked = std::mem::take(&mut done.records)
                .iter()
                .map(Bytes::len)
                .sum();
            let item = WatchItem {
                partition,
                seen_end: done.high_watermark,
            };
            match owners.iter_mut().find(|(shard, _)| *shard == owner) {
                Some((_, items)) => items.push(item),
                None => owners.push((owner, vec![item])),
            }
        }
        // Where all have enough together, one at least has its share.
        let missing = missing.div_ceil(owners.len().max(1)) as u64;
        self.watching = owners.iter().map(|(owner, _)| *owner).collect();
        self.recount(desk);
        for (owner, items) in owners {
            desk.call(owner, request.token, CallBody::Watch { missing, items });
        }
    }

    /// `max_wait_ms` is over: the answer is what is there. A read under way is waited for, and then enough.
    pub fn on_deadline(&mut self, desk: &mut Desk, request: &Request) -> Option<Outcome> {
        if self.asking.is_empty() {
            self.read_again(desk, request, None);
        }
        let all_in = self.asking.is_empty();
        all_in.then(|| Outcome::Reply(self.answer(desk, request)))
    }

    /// The answer is to be what is there, as at its deadline.
    pub fn hurry(&mut self, desk: &mut Desk, request: &Request) -> Option<Outcome> {
        self.deadline = self.deadline.min(desk.now.mono);
        self.on_deadline(desk, request)
    }

    /// The connection is gone.
    pub fn cancel(&mut self, desk: &mut Desk, request: &Request) {
        let mut owners = std::mem::take(&mut self.watching);
        let asking = std::mem::take(&mut self.asking);
        owners.extend(asking.iter().map(|(owner, _)| owner));
        desk.answers.change(self.counted, 0);
        self.counted = 0;
        owners.sort_unstable();
        owners.dedup();
        for owner in owners {
            desk.call(owner, request.token, CallBody::Forget);
        }
    }

    fn answer(&mut self, desk: &mut Desk, request: &Request) -> Encoded {
        self.cancel(desk, request);
        let mut response = FetchResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            ..FetchResponse::default()
        };
        match self.mode {
            Mode::Sessionless => {}
            Mode::Open { by_ids } => {
                let entries = self
                    .parts
                    .iter()
                    .map(|part| (part.key.clone(), part.ask, told(&part.state)));
                response.session_id = desk.sessions.open(desk.now.mono, by_ids, entries);
            }
            Mode::Incremental { id, epoch } => {
                response.session_id = id;
                if !desk.sessions.is_current(id, epoch) {
                    response.error_code = ErrorCode::InvalidFetchSessionEpoch.code();
                    return request.encode(&response);
                }
            }
        }
        let mut left = self.max_bytes as usize;
        let mut first = true;
        for part in std::mem::take(&mut self.parts) {
            let now_told = match part.state {
                State::Read(_) => Some(told(&part.state)),
                State::Refused(_) | State::Asked | State::Failed(_) => None,
            };
            let (at, bytes, count) = (part.at, part.state.bytes(), part.state.records());
            let mut data = self.partition(
                request,
                part.key.partition,
                part.state,
                &mut left,
                &mut first,
            );
            if request.header.version >= LEADERS_SINCE && is_misled(data.error_code) {
                hint(
                    desk,
                    request,
                    &part.key,
                    &mut data,
                    &mut response.node_endpoints,
                );
            }
            if let (Some((partition, _)), Some(records)) = (at, &data.records)
                && !records.is_empty()
            {
                let sent = records.len();
                let count = match sent == bytes {
                    true => count,
                    false => records.parts().map(|part| records_in(part)).sum(),
                };
                let topic = partition.topic;
                let exists = || desk.image.topic_by_id(topic).is_some();
                desk.fetched.add(topic, sent as u64, count, exists);
            }
            if let Mode::Incremental { id, .. } = self.mode {
                let records = data.records.as_ref().is_some_and(|r| !r.is_empty());
                if !desk.sessions.answer(id, &part.key, now_told, records) {
                    continue;
                }
            }
            push(&mut response.responses, &part.key.topic, data);
        }
        request.encode(&response)
    }

    fn partition(
        &self,
        request: &Request,
        partition_index: i32,
        state: State,
        left: &mut usize,
        first: &mut bool,
    ) -> PartitionData {
        let mut data = PartitionData {
            partition_index,
            high_watermark: -1,
            records: Some(Records::new()),
            aborted_transactions: Some(Vec::new()),
            ..PartitionData::default()
        };
        match state {
            State::Refused(code) => {
                data.error_code = code.code();
                // Null where Kafka's log refuses, empty where its API layer does.
                if code == ErrorCode::NotLeaderOrFollower {
                    data.aborted_transactions = None;
                }
            }
            State::Asked => data.error_code = ErrorCode::UnknownServerError.code(),
            State::Failed(error) => {
                data.aborted_transactions = None;
                data.error_code = match error_code::of_read(&error) {
                    // Before version 6 clients do not know the other one.
                    ErrorCode::KafkaStorageError if request.header.version <= 5 => {
                        ErrorCode::NotLeaderOrFollower.code()
                    }
                    code => code.code(),
                };
                if let ReadError::Diverging { epoch, end_offset } = error {
                    data.diverging_epoch = EpochEndOffset {
                        epoch: epoch.0,
                        end_offset: end_offset.0,
                    };
                }
            }
            State::Read(done) => {
                data.high_watermark = done.high_watermark.0;
                data.last_stable_offset = done.last_stable.0;
                data.log_start_offset = done.log_start.0;
                if !self.committed {
                    data.aborted_transactions = None;
                }
                let records = fit(done.records, left, first);
                data.records = Some(records.into_iter().collect());
            }
        }
        data
    }
}

/// The client asked the wrong broker, or knows an older leader.
fn is_misled(code: i16) -> bool {
    code == ErrorCode::NotLeaderOrFollower.code() || code == ErrorCode::FencedLeaderEpoch.code()
}

/// Says who leads, and where the clients of this listener reach it (KIP-951).
fn hint(
    desk: &Desk,
    request: &Request,
    key: &PartitionKey,
    data: &mut PartitionData,
    nodes: &mut Vec<NodeEndpoint>,
) {
    let topic = match &key.topic {
        TopicRef::Id(id) => desk.image.topic_by_id(*id),
        TopicRef::Name(name) => desk.image.topic(resolve_topic(&request.context, name)),
    };
    let Some(partition) = topic.and_then(|topic| desk.image.partition(topic, key.partition)) else {
        return;
    };
    let leader = partition.leader;
    data.current_leader = LeaderIdAndEpoch {
        leader_id: leader.0,
        leader_epoch: partition.leader_epoch.0,
    };
    if nodes.iter().any(|node| node.node_id == leader.0) {
        return;
    }
    let found = desk.nodes(&request.context);
    let mut found = found.filter(|(broker, _)| broker.node == leader);
    nodes.extend(found.next().map(|(broker, endpoint)| NodeEndpoint {
        node_id: leader.0,
        host: endpoint.host.as_str().into(),
        port: i32::from(endpoint.port),
        rack: broker.rack.as_deref().map(Into::into),
    }));
}

fn told(state: &State) -> Told {
    match state {
        State::Read(done) => Told {
            high_watermark: done.high_watermark,
            log_start: done.log_start,
        },
        State::Refused(_) | State::Asked | State::Failed(_) => Told::NOTHING,
    }
}

/// As many whole batches as `left` allows; the first ones of an answer always, so that a consumer with a small limit
/// gets past a large batch (KIP-74).
fn fit(records: Vec<Bytes>, left: &mut usize, first: &mut bool) -> Vec<Bytes> {
    let bytes: usize = records.iter().map(Bytes::len).sum();
    if bytes == 0 {
        return Vec::new();
    }
    if std::mem::take(first) || bytes <= *left {
        *left = left.saturating_sub(bytes);
        return records;
    }
    let mut kept = Vec::new();
    for piece in records {
        let mut end = 0;
        while let Some(batch) = batch_bytes(&piece[end..])
            && end + batch <= (*left).min(piece.len())
        {
            end += batch;
        }
        *left -= end;
        let whole = end == piece.len();
        if end > 0 {
            kept.push(piece.slice(..end));
        }
        if !whole {
            break;
        }
    }
    // What does not fit ends the answer: a later, smaller batch of this partition must not overtake.
    kept
}

/// Length of the batch at the start of `bytes`, from its own header.
fn batch_bytes(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(8..12)?.try_into().ok().map(i32::from_be_bytes)?;
    usize::try_from(length).ok().map(|length| length + 12)
}

/// How many records whole batches hold, from their own headers.
fn records_in(batches: &[u8]) -> u64 {
    let (mut count, mut at) = (0, 0);
    while let Some(bytes) = batches.get(at..).and_then(batch_bytes) {
        let field = batches.get(at + 57..at + 61);
        let field = field.and_then(|field| field.try_into().ok());
        count += field.map_or(0, |field| u64::from(u32::from_be_bytes(field)));
        at += bytes;
    }
    count
}

/// Offset after the last record of whole batches, from the header of the last one.
fn end_offset(batches: &[u8]) -> Option<Offset> {
    let (mut last, mut at) = (None, 0);
    while let Some(bytes) = batches.get(at..).and_then(batch_bytes) {
        last = Some(at);
        at += bytes;
    }
    let batch = batches.get(last?..)?;
    let base = i64::from_be_bytes(batch.get(..8)?.try_into().ok()?);
    let delta = i32::from_be_bytes(batch.get(23..27)?.try_into().ok()?);
    base.checked_add(i64::from(delta) + 1).map(Offset)
}

fn push(responses: &mut Vec<FetchableTopicResponse>, topic: &TopicRef, data: PartitionData) {
    let same = responses.last().is_some_and(|last| match topic {
        TopicRef::Name(name) => *last.topic == **name,
        TopicRef::Id(id) => last.topic_id.0 == id.0,
    });
    if !same {
        let mut next = FetchableTopicResponse::default();
        match topic {
            TopicRef::Name(name) => next.topic = (**name).into(),
            TopicRef::Id(id) => next.topic_id = Uuid(id.0),
        }
        responses.push(next);
    }
    if let Some(last) = responses.last_mut() {
        last.partitions.push(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(body: usize) -> Vec<u8> {
        let mut bytes = vec![0; 12 + body];
        bytes[8..12].copy_from_slice(&(body as i32).to_be_bytes());
        bytes
    }

    #[test]
    fn the_end_of_batches_is_that_of_the_last_one() {
        let mut two = [batch(49), batch(60)].concat();
        two[61..69].copy_from_slice(&100_i64.to_be_bytes());
        two[61 + 23..61 + 27].copy_from_slice(&4_i32.to_be_bytes());
        assert_eq!(end_offset(&two), Some(Offset(105)));
        assert_eq!(end_offset(&two[..61]), Some(Offset(1)));
        assert_eq!(end_offset(&two[..80]), None, "half a batch");
        assert_eq!(end_offset(&[]), None);
    }

    #[test]
    fn an_answer_is_cut_between_batches() {
        let three = Bytes::from([batch(10), batch(20), batch(30)].concat());
        let check = |left: usize, first: bool, expected: usize| {
            let (mut left, mut first) = (left, first);
            let kept = fit(vec![three.clone()], &mut left, &mut first);
            assert_eq!(kept.iter().map(Bytes::len).sum::<usize>(), expected);
        };
        check(1, true, 96);
        check(96, false, 96);
        check(95, false, 54);
        check(53, false, 22);
        check(21, false, 0);
    }
}
