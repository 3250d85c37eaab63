//! CreateTopics (19): topics with partitions, configs and, if the client insists, replicas.
//!
//! * 2 validate only, error messages · 3 as 2 · 4 -1 for the defaults of partitions and replication factor (KIP-464)
//! * 5 flexible; partitions, replication factor and configs in the answer (KIP-525) · 6 throttling code (KIP-599)
//! * 7 topic ids in the answer
//!
//! What Kafka's `ControllerApis` checks is checked here, in its words: names given twice, rights, the log of metadata.
//! The rest (names, existing topics, configs, replicas and partitions) is the controller's. The answer comes once every
//! shard has applied the topics; the timeout is not used. Left out: mutation quotas, creation policies.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use corelane_engine::controller::command::{self, Command, Layout, NewTopic};
use corelane_engine::types::NodeId;

use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Decided, Desk, Outcome, Refusal, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Uuid;
use crate::protocol::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use crate::protocol::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};

/// Kafka's bound on the partitions that one request may create.
pub const PARTITIONS_PER_REQUEST_MAX: usize = 10_000;
/// Kafka's own log of metadata: no client may have it.
const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Names and values as the client sent them.
type GivenConfigs = Vec<(String, Option<String>)>;

/// A request whose topics are being created.
#[derive(Debug)]
pub struct CreateTopics {
    response: CreateTopicsResponse,
    /// Configs as given, by slot; `None`: they may not be shown.
    configs: BTreeMap<u32, Option<GivenConfigs>>,
    missing: usize,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: CreateTopicsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in &message.topics {
        *times.entry(&topic.name).or_default() += 1;
    }
    let asked = message.topics.iter().map(partitions_asked).sum::<i64>();
    let too_many = asked > PARTITIONS_PER_REQUEST_MAX as i64;
    let mut response = CreateTopicsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..CreateTopicsResponse::default()
    };
    let mut configs = BTreeMap::new();
    let mut duplicates = BTreeSet::new();
    for topic in &message.topics {
        let name: &str = &topic.name;
        if times.get(name).is_some_and(|&times| times > 1) {
            duplicates.insert(name);
            continue;
        }
        let slot = response.topics.len() as u32;
        let refusal = check(desk, request, name)
            .err()
            .or_else(|| too_many.then(too_many_partitions));
        response.topics.push(match refusal {
            Some(refusal) => refused(name, refusal),
            None => {
                let topic = new_topic(request, topic, message.validate_only);
                let shown = desk.allows(
                    &request.context,
                    Operation::DescribeConfigs,
                    Resource::Topic(name),
                );
                configs.insert(slot, shown.then(|| topic.configs.clone()));
                desk.propose(request.token, slot, Command::CreateTopic(topic));
                // Until it is decided.
                refused(name, (ErrorCode::RequestTimedOut, None))
            }
        });
    }
    let twice = |name| {
        refused(
            name,
            (
                ErrorCode::InvalidRequest,
                Some("Duplicate topic name.".to_owned()),
            ),
        )
    };
    response.topics.extend(duplicates.into_iter().map(twice));
    if configs.is_empty() {
        return Started::Answer(request.encode(&response));
    }
    let missing = configs.len();
    Started::Waiting(Waiting {
        work: Work::CreateTopics(Box::new(CreateTopics {
            response,
            configs,
            missing,
        })),
        deadline: None,
        answered: true,
    })
}

fn partitions_asked(topic: &CreatableTopic) -> i64 {
    match topic.num_partitions {
        _ if !topic.assignments.is_empty() => topic.assignments.len() as i64,
        partitions => i64::from(partitions.max(1)),
    }
}

fn too_many_partitions() -> Refusal {
    let why = "Excessively large number of partitions per request.";
    (ErrorCode::PolicyViolation, Some(why.to_owned()))
}

/// What keeps a topic from being proposed.
fn check(desk: &Desk, request: &Request, name: &str) -> Result<(), Refusal> {
    if name == CLUSTER_METADATA {
        let why = format!("Creation of internal topic {name} is prohibited.");
        return Err((ErrorCode::InvalidRequest, Some(why)));
    }
    if !desk.allows(&request.context, Operation::Create, Resource::Cluster)
        && !desk.allows(&request.context, Operation::Create, Resource::Topic(name))
    {
        let why = "Authorization failed.".to_owned();
        return Err((ErrorCode::TopicAuthorizationFailed, Some(why)));
    }
    Ok(())
}

fn new_topic(request: &Request, topic: &CreatableTopic, validate_only: bool) -> NewTopic {
    let text = |text: &str| text.to_owned();
    let assigned = topic.assignments.iter().map(|assignment| {
        let nodes = assignment.broker_ids.iter().copied().map(NodeId).collect();
        (assignment.partition_index, nodes)
    });
    NewTopic {
        name: resolve_topic(&request.context, &topic.name).to_owned(),
        layout: if topic.assignments.is_empty() {
            Layout::Count {
                partitions: topic.num_partitions,
                replicas: topic.replication_factor,
            }
        } else {
            Layout::Assigned(assigned.collect())
        },
        configs: topic
            .configs
            .iter()
            .map(|c| (text(&c.name), c.value.as_deref().map(text)))
            .collect(),
        validate_only,
    }
}

fn refused(name: &str, (code, message): Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.into(),
        error_code: code.code(),
        error_message: message.map(error_code::message),
        num_partitions: -1,
        replication_factor: -1,
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

impl CreateTopics {
    /// The controller decided on one topic, and every shard has applied it.
    pub fn on_decision(
        &mut self,
        desk: &Desk,
        request: &Request,
        slot: u32,
        decided: Decided,
    ) -> Option<Outcome> {
        let result = &mut self.response.topics[slot as usize];
        match decided {
            Ok(command::Outcome::Created {
                id,
                partitions,
                replicas,
            }) => {
                result.error_code = ErrorCode::None.code();
                result.topic_id = Uuid(id.0);
                match self.configs.get(&slot).and_then(Option::as_ref) {
                    Some(given) => {
                        (result.num_partitions, result.replication_factor) = (partitions, replicas);
                        result.configs = Some(configs_shown(desk, given));
                    }
                    None => {
                        result.topic_config_error_code = ErrorCode::TopicAuthorizationFailed.code()
                    }
                }
            }
            Ok(other) => panic!("a topic was proposed, got {other:?}"),
            Err(error) => *result = refused(&result.name.clone(), error_code::of_command(&error)),
        }
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(request.encode(&self.response)))
    }
}

fn configs_shown(desk: &Desk, given: &[(String, Option<String>)]) -> Vec<CreatableTopicConfigs> {
    let shown = |config: crate::desk::ConfigShown| CreatableTopicConfigs {
        name: config.name.into(),
        value: Some(config.value.into()),
        config_source: config.source,
        ..CreatableTopicConfigs::default()
    };
    desk.effective_configs(given)
        .into_iter()
        .map(shown)
        .collect()
}
