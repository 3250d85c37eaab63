//! What handlers work with: the shard's own image, sessions and seams, and the calls they want made.
//!
//! ```text
//!  frame ──► handler::start(desk, request) ──┬─ Answer ────────────────────────────► connection
//!                                            ├─ Waiting(work) ─┐
//!                                            └─ Hold           │ calls, proposals
//!            work.on_answer(desk, request) ◄── answers ────────┘ ──► Outcome ──────► connection
//! ```

use std::cell::Cell;

use bytes::Bytes;
use corelane_engine::call::{AnswerBody, Call, CallBody, RequestToken};
use corelane_engine::controller::command::{self, Broker, Command, CommandError, Endpoint};
use corelane_engine::controller::image::{Image, Partition, Topic};
use corelane_engine::controller::{placement, topic_config};
use corelane_engine::types::{Instant, NodeId, Now, ShardId, TopicId, TopicPartition};

use crate::altering;
use crate::answers::Answers;
use crate::api::group::GroupWork;
use crate::api::k22_init_producer_id::ProducerIds;
use crate::api::{
    Api, CloseReason, Header, k00_produce, k01_fetch, k02_list_offsets, k03_metadata,
    k08_offset_commit, k09_offset_fetch, k10_find_coordinator, k11_join_group, k12_heartbeat,
    k13_leave_group, k14_sync_group, k15_describe_groups, k16_list_groups, k18_api_versions,
    k19_create_topics, k20_delete_topics, k21_delete_records, k22_init_producer_id,
    k23_offset_for_leader_epoch, k29_describe_acls, k30_create_acls, k31_delete_acls,
    k32_describe_configs, k33_alter_configs, k35_describe_log_dirs, k37_create_partitions,
    k42_delete_groups, k44_incremental_alter_configs, k47_offset_delete, k55_describe_quorum,
    k60_describe_cluster, k74_list_config_resources, k75_describe_topic_partitions,
};
use crate::context::{Authorize, Operation, RequestContext, Resource, resolve_topic};
use crate::error_code::ErrorCode;
use crate::listeners::Listener;
use crate::metrics::Fetched;
use crate::protocol::{Message, Reader, Uuid, Writer};
use crate::sessions::Sessions;
use crate::worker::NetLimits;

/// Per shard.
#[derive(Debug)]
pub struct Desk {
    /// Of the event being handled.
    pub now: Now,
    pub me: ShardId,
    /// How many shards this node has.
    pub shards: u16,
    /// This node's id.
    pub node: NodeId,
    pub image: Image,
    /// The data directory's absolute path.
    pub directory: String,
    /// Of this node.
    pub listeners: Vec<Listener>,
    pub sessions: Sessions,
    pub authorize: Authorize,
    /// Bounds of this shard's Kafka side.
    pub limits: NetLimits,
    pub producer_ids: ProducerIds,
    pub answers: Answers,
    pub fetched: Fetched,
    /// Calls to be made once the handler returns, in order.
    pub calls: Vec<(ShardId, Call)>,
    /// For the controller, once the handler returns.
    pub proposals: Vec<Proposed>,
}

/// A change that a request wants made: answered by [`Decided`] once every shard of this node has applied it.
#[derive(Debug)]
pub struct Proposed {
    pub request: RequestToken,
    /// The request's own index, returned with the decision.
    pub slot: u32,
    pub command: Command,
}

/// What became of a command.
pub type Decided = Result<command::Outcome, CommandError>;

/// A code, and the message that goes with it where there is one.
pub type Refusal = (ErrorCode, Option<String>);

/// A topic as handlers need it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub id: TopicId,
    /// As stored.
    pub name: &'a str,
    pub partitions: i32,
}

impl<'a> From<&'a Topic> for Found<'a> {
    fn from(topic: &'a Topic) -> Found<'a> {
        Found {
            id: topic.id,
            name: &topic.name,
            partitions: topic.partition_count(),
        }
    }
}

/// A config as clients see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigShown {
    pub name: &'static str,
    pub value: String,
    /// Kafka's `ConfigSource`.
    pub source: i8,
}

/// What the size in front of an answer can say.
const ANSWER_BYTES_MAX: usize = i32::MAX as usize;

/// `ConfigSource.TOPIC_CONFIG` and `ConfigSource.DEFAULT_CONFIG`.
const CONFIG_OF_TOPIC: i8 = 1;
const CONFIG_DEFAULT: i8 = 5;

impl Desk {
    /// The topic that a client calls `name`.
    pub fn topic_by_name(&self, context: &RequestContext, name: &str) -> Option<Found<'_>> {
        self.image
            .topic(resolve_topic(context, name))
            .map(Found::from)
    }

    /// The topic of an id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<Found<'_>> {
        self.image.topic_by_id(id).map(Found::from)
    }

    /// The shard that serves a partition.
    pub fn owner(&self, partition: TopicPartition) -> ShardId {
        placement::owner(partition.topic, partition.partition, self.shards)
    }

    /// Every topic, by name.
    pub fn topics(&self) -> impl Iterator<Item = Found<'_>> {
        self.image.topics().map(Found::from)
    }

    /// The partitions of a topic, in order.
    pub fn partitions(&self, id: TopicId) -> impl Iterator<Item = Partition<'_>> {
        self.image
            .topic_by_id(id)
            .into_iter()
            .flat_map(|topic| self.image.partitions(topic))
    }

    /// Every broker that has the listener over which a request came, and where it is to be reached.
    pub fn nodes(&self, context: &RequestContext) -> impl Iterator<Item = (&Broker, &Endpoint)> {
        let of = |broker| Some((broker, Broker::endpoint(broker, &context.listener)?));
        self.image.brokers().filter_map(of)
    }

    /// Where clients that came as this one did reach a broker.
    pub fn endpoint(&self, context: &RequestContext, node: NodeId) -> Option<&Endpoint> {
        self.image.broker(node)?.endpoint(&context.listener)
    }

    /// Every broker.
    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        self.image.brokers()
    }

    /// The cluster's id as clients see it: 22 characters of base64, as Kafka's. Asked of the image each time: the
    /// first start of a cluster opens its workers before the id is committed.
    pub fn cluster_id(&self) -> String {
        Uuid(self.image.cluster_id()).to_string()
    }

    /// The broker that admin requests are sent to: any will do, as with Kafka's Raft.
    pub fn controller_id(&self) -> NodeId {
        self.node
    }

    /// Every config of a topic that was given some, by name.
    pub fn effective_configs(&self, given: &[(String, Option<String>)]) -> Vec<ConfigShown> {
        let mut shown: Vec<ConfigShown> = topic_config::DEFINITIONS
            .iter()
            .filter_map(|definition| {
                // The last one counts, where one is given twice.
                let own = given.iter().rev().find(|(name, _)| name == definition.name);
                let own = own.and_then(|(_, value)| value.clone());
                let source = if own.is_some() {
                    CONFIG_OF_TOPIC
                } else {
                    CONFIG_DEFAULT
                };
                let value = own.or_else(|| definition.default.map(str::to_owned))?;
                Some(ConfigShown {
                    name: definition.name,
                    value,
                    source,
                })
            })
            .collect();
        shown.sort_by_key(|config| config.name);
        shown
    }

    /// Proposes a change in the name of a request.
    pub fn propose(&mut self, request: RequestToken, slot: u32, command: Command) {
        self.proposals.push(Proposed {
            request,
            slot,
            command,
        });
    }

    /// Asks the authorizer.
    pub fn allows(&self, context: &RequestContext, what: Operation, of: Resource<'_>) -> bool {
        (self.authorize)(context, what, of)
    }

    /// Starts a request.
    pub fn start(&mut self, request: &Request, body: &Bytes, room: Room) -> Started {
        match request.header.entry.api {
            Api::Produce => k00_produce::start(self, request, body),
            Api::Fetch => match request.decode(body) {
                Err(reason) => Started::Close(reason),
                Ok(message) if k01_fetch::promised(&message) > room.promise => Started::Hold,
                Ok(_) if self.answers.room() == 0 && !(room.idle && room.sent) => Started::Hold,
                Ok(message) => k01_fetch::start(self, request, message),
            },
            Api::ListOffsets => k02_list_offsets::start(self, request, body),
            Api::Metadata => k03_metadata::start(self, request, body, room),
            Api::OffsetCommit => k08_offset_commit::start(self, request, body),
            Api::OffsetFetch => k09_offset_fetch::start(self, request, body),
            Api::FindCoordinator => k10_find_coordinator::start(self, request, body),
            Api::JoinGroup => k11_join_group::start(self, request, body),
            Api::Heartbeat => k12_heartbeat::start(self, request, body),
            Api::LeaveGroup => k13_leave_group::start(self, request, body),
            Api::SyncGroup => k14_sync_group::start(self, request, body),
            Api::DescribeGroups => k15_describe_groups::start(self, request, body),
            Api::ListGroups => k16_list_groups::start(self, request, body),
            Api::ApiVersions => k18_api_versions::start(self, request, body),
            Api::CreateTopics => k19_create_topics::start(self, request, body),
            Api::DeleteTopics => k20_delete_topics::start(self, request, body),
            Api::DeleteRecords => k21_delete_records::start(self, request, body),
            Api::OffsetForLeaderEpoch => k23_offset_for_leader_epoch::start(self, request, body),
            Api::DescribeLogDirs => k35_describe_log_dirs::start(self, request, body),
            Api::InitProducerId => k22_init_producer_id::start(self, request, body),
            Api::DeleteGroups => k42_delete_groups::start(self, request, body),
            Api::OffsetDelete => k47_offset_delete::start(self, request, body),
            Api::DescribeAcls => k29_describe_acls::start(self, request, body),
            Api::CreateAcls => k30_create_acls::start(self, request, body),
            Api::DeleteAcls => k31_delete_acls::start(self, request, body),
            Api::DescribeConfigs => k32_describe_configs::start(self, request, body),
            Api::AlterConfigs => k33_alter_configs::start(self, request, body),
            Api::CreatePartitions => k37_create_partitions::start(self, request, body),
            Api::IncrementalAlterConfigs => {
                k44_incremental_alter_configs::start(self, request, body)
            }
            Api::DescribeQuorum => k55_describe_quorum::start(self, request, body),
            Api::DescribeCluster => k60_describe_cluster::start(self, request, body),
            Api::ListConfigResources => k74_list_config_resources::start(self, request, body),
            Api::DescribeTopicPartitions => {
                k75_describe_topic_partitions::start(self, request, body)
            }
        }
    }

    /// Makes a call in the name of a request.
    pub fn call(&mut self, owner: ShardId, request: RequestToken, body: CallBody) {
        let from = self.me;
        self.calls.push((
            owner,
            Call {
                from,
                request,
                body,
            },
        ));
    }
}

/// What a request is answered by, and for whom.
#[derive(Debug)]
pub struct Request {
    pub header: Header,
    pub context: RequestContext,
    pub token: RequestToken,
    /// The first error code in its answer, once that is encoded: for who counts.
    pub error: Cell<i16>,
}

impl Request {
    /// Lets go of the receive buffer: a few bytes of it would keep all of it.
    pub fn detach(&mut self) {
        self.context.client_id = Bytes::copy_from_slice(&self.context.client_id);
        self.header.client_id = self.context.client_id.clone();
    }

    /// Reads the body. Bytes after its end are passed over, as by Kafka: librdkafka 2.16 leaves three behind a Metadata
    /// request for all topics.
    pub fn decode<M: Message>(&self, body: &Bytes) -> Result<M, CloseReason> {
        let mut reader = Reader::new(body.clone());
        let message = M::decode(&mut reader, self.header.version);
        message.map_err(|error| CloseReason::BadRequest {
            name: self.header.entry.name,
            version: self.header.version,
            why: error.to_string(),
        })
    }

    /// Size, header and body of an answer.
    pub fn encode(&self, message: &impl Message) -> Encoded {
        // ApiVersions must be readable by a client that knows nothing of this broker yet.
        let tags = self.header.flexible() && self.header.entry.api != Api::ApiVersions;
        let (parts, error) = write(
            self.header.correlation_id,
            tags,
            self.header.version,
            message,
        )?;
        self.error.set(error);
        Ok(parts)
    }
}

/// Size, header and body of an answer; or why its connection ends without one.
pub type Encoded = Result<Vec<Bytes>, CloseReason>;

/// Size, header and body of an answer; `tags`: response header version 1.
pub fn encode<M: Message>(correlation_id: i32, tags: bool, version: i16, message: &M) -> Encoded {
    write(correlation_id, tags, version, message).map(|(parts, _)| parts)
}

/// As [`encode`], with the first error code in it.
fn write<M: Message>(
    correlation_id: i32,
    tags: bool,
    version: i16,
    message: &M,
) -> Result<(Vec<Bytes>, i16), CloseReason> {
    let unwritable = |why| CloseReason::UnwritableAnswer {
        name: M::NAME,
        version,
        why,
    };
    let mut writer = Writer::frame();
    writer.i32(correlation_id);
    if tags {
        writer.uvarint(0);
    }
    message
        .encode(&mut writer, version)
        .map_err(|error| unwritable(error.to_string()))?;
    if writer.len() > ANSWER_BYTES_MAX {
        return Err(unwritable(format!("{} bytes", writer.len())));
    }
    let error = writer.first_error();
    Ok((writer.finish(), error))
}

/// What became of a request when it started.
#[derive(Debug)]
pub enum Started {
    /// Size, header and body.
    Answer(Encoded),
    /// No answer is expected, and nothing is under way.
    Nothing,
    Waiting(Waiting),
    /// It must wait until all earlier requests of its connection are answered, or where they are, until the peer has
    /// taken the answers; then it is started again.
    Hold,
    Close(CloseReason),
}

/// A request that waits for calls, proposals or time.
#[derive(Debug)]
pub struct Waiting {
    pub work: Work,
    pub deadline: Option<Instant>,
    /// Whether the client expects an answer.
    pub answered: bool,
}

/// How a waiting request ends.
#[derive(Debug)]
pub enum Outcome {
    /// Size, header and body.
    Reply(Encoded),
    /// Size, header and body, while owners still hold what the request brought: it ends, with [`Outcome::Nothing`],
    /// when the last of them has let go.
    Early(Encoded),
    /// No answer is expected.
    Nothing,
    Close(CloseReason),
}

/// What a waiting request is in the middle of.
#[derive(Debug)]
pub enum Work {
    Produce(Box<k00_produce::Produce>),
    Fetch(Box<k01_fetch::Fetch>),
    ListOffsets(Box<k02_list_offsets::ListOffsets>),
    Metadata(Box<k03_metadata::Metadata>),
    FindCoordinator(Box<k10_find_coordinator::FindCoordinator>),
    /// Waits for coordinators of groups.
    Group(Box<GroupWork>),
    CreateTopics(Box<k19_create_topics::CreateTopics>),
    DeleteTopics(Box<k20_delete_topics::DeleteTopics>),
    DeleteRecords(Box<k21_delete_records::DeleteRecords>),
    OffsetForLeaderEpoch(Box<k23_offset_for_leader_epoch::OffsetForLeaderEpoch>),
    DescribeLogDirs(Box<k35_describe_log_dirs::DescribeLogDirs>),
    InitProducerId,
    AlterConfigs(Box<altering::Altering>),
    CreatePartitions(Box<k37_create_partitions::CreatePartitions>),
    DescribeQuorum,
}

impl Work {
    /// Bytes of answer that the connection is to reckon with.
    pub fn promised(&self) -> usize {
        match self {
            Work::Fetch(fetch) => fetch.promised(),
            Work::Produce(_)
            | Work::ListOffsets(_)
            | Work::Metadata(_)
            | Work::FindCoordinator(_)
            | Work::Group(_)
            | Work::CreateTopics(_)
            | Work::DeleteTopics(_)
            | Work::DeleteRecords(_)
            | Work::OffsetForLeaderEpoch(_)
            | Work::DescribeLogDirs(_)
            | Work::InitProducerId
            | Work::AlterConfigs(_)
            | Work::CreatePartitions(_)
            | Work::DescribeQuorum => 0,
        }
    }

    /// An owner answered a call of this request.
    pub fn on_answer(
        &mut self,
        desk: &mut Desk,
        request: &Request,
        from: ShardId,
        body: AnswerBody,
    ) -> Option<Outcome> {
        match self {
            Work::Produce(work) => work.on_answer(request, body),
            Work::Fetch(work) => work.on_answer(desk, request, from, body),
            Work::ListOffsets(work) => work.on_answer(request, body),
            Work::Group(work) => work.on_answer(desk, request, from, body),
            Work::DeleteRecords(work) => work.on_answer(request, body),
            Work::OffsetForLeaderEpoch(work) => work.on_answer(request, body),
            Work::DescribeLogDirs(work) => work.on_answer(desk, request, body),
            Work::Metadata(_)
            | Work::FindCoordinator(_)
            | Work::CreateTopics(_)
            | Work::DeleteTopics(_)
            | Work::InitProducerId
            | Work::AlterConfigs(_)
            | Work::CreatePartitions(_)
            | Work::DescribeQuorum => {
                panic!("no call was made, got {body:?}")
            }
        }
    }

    /// The controller decided on a proposal of this request.
    pub fn on_decision(
        &mut self,
        desk: &mut Desk,
        request: &Request,
        slot: u32,
        decided: Decided,
    ) -> Option<Outcome> {
        match self {
            Work::Metadata(work) => work.on_decision(desk, request, slot, decided),
            Work::CreateTopics(work) => work.on_decision(desk, request, slot, decided),
            Work::DeleteTopics(work) => work.on_decision(request, slot, decided),
            Work::FindCoordinator(work) => Some(work.on_decision(desk, request, decided)),
            Work::AlterConfigs(work) => work.on_decision(desk, request, slot, decided),
            Work::CreatePartitions(work) => work.on_decision(request, slot, decided),
            Work::DescribeQuorum => Some(k55_describe_quorum::on_decision(desk, request, decided)),
            Work::Produce(_)
            | Work::Fetch(_)
            | Work::ListOffsets(_)
            | Work::Group(_)
            | Work::DeleteRecords(_)
            | Work::OffsetForLeaderEpoch(_)
            | Work::DescribeLogDirs(_)
            | Work::InitProducerId => {
                panic!("nothing was proposed, got {decided:?}")
            }
        }
    }

    /// The request's time is up. `None`: it goes on until what is under way has come.
    pub fn on_deadline(&mut self, desk: &mut Desk, request: &Request) -> Option<Outcome> {
        match self {
            Work::Produce(work) => Some(work.on_deadline(request)),
            Work::Fetch(work) => work.on_deadline(desk, request),
            Work::DeleteRecords(work) => Some(work.on_deadline(request)),
            Work::ListOffsets(_)
            | Work::Metadata(_)
            | Work::FindCoordinator(_)
            | Work::Group(_)
            | Work::CreateTopics(_)
            | Work::DeleteTopics(_)
            | Work::OffsetForLeaderEpoch(_)
            | Work::DescribeLogDirs(_)
            | Work::InitProducerId
            | Work::AlterConfigs(_)
            | Work::CreatePartitions(_)
            | Work::DescribeQuorum => None,
        }
    }

    /// Whether it may wait long for what others do, rather than for owners at work; then it must hold nothing of its
    /// frame.
    pub fn awaits_news(&self) -> bool {
        match self {
            Work::Fetch(_) => true,
            Work::Group(work) => work.awaits_members(),
            Work::Produce(_)
            | Work::ListOffsets(_)
            | Work::Metadata(_)
            | Work::FindCoordinator(_)
            | Work::CreateTopics(_)
            | Work::DeleteTopics(_)
            | Work::DeleteRecords(_)
            | Work::OffsetForLeaderEpoch(_)
            | Work::DescribeLogDirs(_)
            | Work::InitProducerId
            | Work::AlterConfigs(_)
            | Work::CreatePartitions(_)
            | Work::DescribeQuorum => false,
        }
    }

    /// Memory is short: it is to wait no longer for what others do, where its client does not mind. `None`: it goes on,
    /// or ends by itself when owners at work have answered.
    pub fn hurry(&mut self, desk: &mut Desk, request: &Request) -> Option<Outcome> {
        match self {
            Work::Fetch(work) => work.hurry(desk, request),
            Work::Produce(_)
            | Work::ListOffsets(_)
            | Work::Metadata(_)
            | Work::FindCoordinator(_)
            | Work::Group(_)
            | Work::CreateTopics(_)
            | Work::DeleteTopics(_)
            | Work::DeleteRecords(_)
            | Work::OffsetForLeaderEpoch(_)
            | Work::DescribeLogDirs(_)
            | Work::InitProducerId
            | Work::AlterConfigs(_)
            | Work::CreatePartitions(_)
            | Work::DescribeQuorum => None,
        }
    }

    /// Its client sends nothing more, and may be gone: who waits for others does not wait for one that may not hear.
    pub fn on_ended(&mut self, desk: &mut Desk, request: &Request) -> Option<Outcome> {
        match self {
            Work::Group(work) => {
                let gone = || Outcome::Close(CloseReason::PeerClosed);
                work.awaits_members().then(gone)
            }
            work => work.hurry(desk, request),
        }
    }

    /// The connection is gone. True: nothing that is under way must be waited for.
    pub fn cancel(&mut self, desk: &mut Desk, request: &Request) -> bool {
        match self {
            Work::Fetch(work) => {
                work.cancel(desk, request);
                true
            }
            Work::ListOffsets(work) => {
                work.cancel(desk, request);
                true
            }
            // The group goes on without it; what it sent was copied.
            Work::Group(_) => true,
            Work::Produce(_)
            | Work::Metadata(_)
            | Work::FindCoordinator(_)
            | Work::CreateTopics(_)
            | Work::DeleteTopics(_)
            | Work::DeleteRecords(_)
            | Work::OffsetForLeaderEpoch(_)
            | Work::DescribeLogDirs(_)
            | Work::InitProducerId
            | Work::AlterConfigs(_)
            | Work::CreatePartitions(_)
            | Work::DescribeQuorum => false,
        }
    }
}

/// What a connection allows a request that is about to start.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Nothing else is under way on the connection.
    pub idle: bool,
    /// The peer has taken every answer.
    pub sent: bool,
    /// Answer bytes that may still be promised.
    pub promise: usize,
}
