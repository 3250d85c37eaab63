//! CreateTopics (19): topics with partitions, configs and, if the client insists, replicas.
//!
//! * 2 validate only, error messages · 3 as 2 · 4 -1 for the defaults of partitions and replication factor (KIP-464)
//! * 5 flexible; partitions, replication factor and configs in the answer (KIP-525) · 6 throttling code (KIP-599)
//! * 7 topic ids in the answer
//!
//! Codes and messages are Kafka's (`ControllerApis`, `ReplicationControlManager`), in Kafka's order of checks: names,
//! existing topics, configs, replicas and partitions. The answer comes once every shard has applied the topics; the
//! timeout is not used. Left out: mutation quotas, creation policies.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Decision, Desk, Outcome, Proposal, Refusal, Request, Started, Waiting, Work};
use crate::error_code::ErrorCode;
use crate::protocol::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest,
};
use crate::protocol::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};

/// Kafka's `num.partitions`.
pub const DEFAULT_PARTITIONS: i32 = 1;
/// Kafka's bound on the partitions that one request may create.
const PARTITIONS_PER_REQUEST_MAX: i64 = 10_000;
/// Kafka's `Topic.MAX_NAME_LENGTH`: a directory name with a suffix must fit in 255.
const NAME_BYTES_MAX: usize = 249;
/// Kafka's own log of metadata: no client may have it.
const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Whether Kafka keeps something of its own in a topic of this name.
pub fn is_internal(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

/// Kafka's `Topic.validate`: why a topic cannot have this name.
pub fn check_name(name: &str) -> Result<(), String> {
    let why = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.len() > NAME_BYTES_MAX {
        format!("the length of '{name}' is longer than the max allowed length {NAME_BYTES_MAX}")
    } else if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {why}"))
}

/// A request whose topics are being created.
#[derive(Debug)]
pub struct CreateTopics {
    response: CreateTopicsResponse,
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
    let partitions: i64 = message.topics.iter().map(partitions_asked).sum();
    let mut response = CreateTopicsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..CreateTopicsResponse::default()
    };
    let mut proposals = Vec::new();
    // Names without their punctuation, of topics of this request: they may not collide either.
    let mut folded = BTreeSet::new();
    let mut duplicates = BTreeSet::new();
    for topic in &message.topics {
        let name: &str = &topic.name;
        if times.get(name).is_some_and(|&times| times > 1) {
            duplicates.insert(name);
            continue;
        }
        let checked = if partitions > PARTITIONS_PER_REQUEST_MAX {
            Err((
                ErrorCode::PolicyViolation,
                Some("Excessively large number of partitions per request.".to_owned()),
            ))
        } else {
            check(desk, request, topic, &mut folded)
        };
        let slot = response.topics.len() as u32;
        response.topics.push(match checked {
            Err(refusal) => refused(name, refusal),
            Ok(partitions) => {
                let stored = resolve_topic(&request.context, name).to_owned();
                let configs: Vec<(String, String)> = topic
                    .configs
                    .iter()
                    .filter_map(|c| Some((c.name.to_string(), c.value.as_ref()?.to_string())))
                    .collect();
                let mut result = CreatableTopicResult {
                    name: topic.name.clone(),
                    num_partitions: partitions,
                    replication_factor: 1,
                    error_message: None,
                    ..CreatableTopicResult::default()
                };
                let shown = desk.allows(
                    &request.context,
                    Operation::DescribeConfigs,
                    Resource::Topic(name),
                );
                if shown {
                    result.configs = Some(configs_shown(desk, &configs));
                } else {
                    result.topic_config_error_code = ErrorCode::TopicAuthorizationFailed.code();
                    (result.num_partitions, result.replication_factor) = (-1, -1);
                    result.configs = Some(Vec::new());
                }
                if !message.validate_only {
                    proposals.push((
                        slot,
                        Proposal::CreateTopic {
                            name: stored,
                            partitions,
                            configs,
                        },
                    ));
                }
                result
            }
        });
    }
    response.topics.extend(duplicates.into_iter().map(|name| {
        refused(
            name,
            (
                ErrorCode::InvalidRequest,
                Some("Duplicate topic name.".to_owned()),
            ),
        )
    }));
    if proposals.is_empty() {
        return Started::Answer(request.encode(&response));
    }
    let missing = proposals.len();
    for (slot, what) in proposals {
        desk.propose(request.token, slot, what);
    }
    Started::Waiting(Waiting {
        work: Work::CreateTopics(Box::new(CreateTopics { response, missing })),
        deadline: None,
        answered: true,
    })
}

fn partitions_asked(topic: &CreatableTopic) -> i64 {
    match topic.num_partitions {
        _ if !topic.assignments.is_empty() => topic.assignments.len() as i64,
        -1 => i64::from(DEFAULT_PARTITIONS),
        partitions => i64::from(partitions.max(0)),
    }
}

/// How many partitions the topic is to have, or why it cannot be.
fn check(
    desk: &Desk,
    request: &Request,
    topic: &CreatableTopic,
    folded: &mut BTreeSet<String>,
) -> Result<i32, Refusal> {
    let name: &str = &topic.name;
    let refuse = |code, message: String| Err((code, Some(message)));
    if name == CLUSTER_METADATA {
        return refuse(
            ErrorCode::InvalidRequest,
            format!("Creation of internal topic {name} is prohibited."),
        );
    }
    if !desk.allows(&request.context, Operation::Create, Resource::Cluster)
        && !desk.allows(&request.context, Operation::Create, Resource::Topic(name))
    {
        return refuse(
            ErrorCode::TopicAuthorizationFailed,
            "Authorization failed.".to_owned(),
        );
    }
    if let Err(why) = check_name(name) {
        return refuse(ErrorCode::InvalidTopicException, why);
    }
    let stored = resolve_topic(&request.context, name);
    if desk.topic_by_name(&request.context, name).is_some() {
        return refuse(
            ErrorCode::TopicAlreadyExists,
            format!("Topic '{name}' already exists."),
        );
    }
    if let Some(other) = desk.colliding_topic(stored) {
        return refuse(
            ErrorCode::InvalidTopicException,
            format!("Topic '{name}' collides with existing topic: {other}"),
        );
    }
    if !folded.insert(stored.replace('.', "_")) {
        return refuse(
            ErrorCode::InvalidTopicException,
            format!("Topic '{name}' collides with another topic of this request."),
        );
    }
    let mut configs = Vec::with_capacity(topic.configs.len());
    for config in &topic.configs {
        let Some(value) = config.value.as_deref() else {
            return refuse(
                ErrorCode::InvalidConfig,
                format!(
                    "Null value not supported for topic configs: {}",
                    &*config.name
                ),
            );
        };
        configs.push(((*config.name).to_owned(), value.to_owned()));
    }
    desk.check_configs(&configs)
        .map_err(|why| (ErrorCode::InvalidConfig, Some(why)))?;
    if !topic.assignments.is_empty() {
        return check_assignments(desk, topic);
    }
    let brokers = desk.brokers().count();
    match (topic.replication_factor, topic.num_partitions) {
        (..=-2 | 0, _) => refuse(
            ErrorCode::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.".to_owned(),
        ),
        (_, ..=-2 | 0) => refuse(
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.".to_owned(),
        ),
        (factor, _) if factor > 1 && factor as usize > brokers => refuse(
            ErrorCode::InvalidReplicationFactor,
            format!(
                "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} \
                 cannot be reached because only {brokers} broker(s) are registered or some brokers have all their \
                 log directories cordoned."
            ),
        ),
        (_, -1) => Ok(DEFAULT_PARTITIONS),
        (_, partitions) => Ok(partitions),
    }
}

fn check_assignments(desk: &Desk, topic: &CreatableTopic) -> Result<i32, Refusal> {
    let given = |what: &str| {
        format!("A manual partition assignment was specified, but {what} was not set to -1.")
    };
    if topic.replication_factor != -1 {
        return Err((ErrorCode::InvalidRequest, Some(given("replication factor"))));
    }
    if topic.num_partitions != -1 {
        return Err((ErrorCode::InvalidRequest, Some(given("numPartitions"))));
    }
    let bad = |why: String| (ErrorCode::InvalidReplicaAssignment, Some(why));
    let mut seen = BTreeSet::new();
    let mut factor = None;
    for assignment in &topic.assignments {
        let index = assignment.partition_index;
        if !seen.insert(index) {
            return Err(bad(format!(
                "Found multiple manual partition assignments for partition {index}"
            )));
        }
        check_replicas(desk, assignment, &mut factor).map_err(bad)?;
    }
    let partitions = topic.assignments.len() as i32;
    if seen.iter().copied().ne(0..partitions) {
        return Err(bad(
            "partitions should be a consecutive 0-based integer sequence".to_owned(),
        ));
    }
    Ok(partitions)
}

fn check_replicas(
    desk: &Desk,
    assignment: &CreatableReplicaAssignment,
    factor: &mut Option<usize>,
) -> Result<(), String> {
    let replicas = &assignment.broker_ids;
    let the = "The manual partition assignment includes";
    if replicas.is_empty() {
        return Err(format!("{the} an empty replica list."));
    }
    let mut seen = BTreeSet::new();
    for id in replicas {
        if !desk.brokers().any(|broker| broker.id.0 == *id) {
            return Err(format!(
                "{the} broker {id}, but no such broker is registered."
            ));
        }
        if !seen.insert(id) {
            return Err(format!("{the} the broker {id} more than once."));
        }
    }
    let before = *factor.get_or_insert(replicas.len());
    if before != replicas.len() {
        return Err(format!(
            "{the} a partition with {} replica(s), but this is not consistent with previous partitions, which have \
             {before} replica(s).",
            replicas.len()
        ));
    }
    Ok(())
}

fn configs_shown(desk: &Desk, given: &[(String, String)]) -> Vec<CreatableTopicConfigs> {
    desk.effective_configs(given)
        .into_iter()
        .map(|config| CreatableTopicConfigs {
            name: config.name.into(),
            value: config.value.map(Into::into),
            read_only: false,
            config_source: config.source,
            is_sensitive: false,
            ..CreatableTopicConfigs::default()
        })
        .collect()
}

fn refused(name: &str, (code, message): Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.into(),
        error_code: code.code(),
        error_message: message.map(Into::into),
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

impl CreateTopics {
    /// The controller decided on one topic, and every shard has applied it.
    pub fn on_decision(
        &mut self,
        request: &Request,
        slot: u32,
        decision: Decision,
    ) -> Option<Outcome> {
        let result = &mut self.response.topics[slot as usize];
        match decision {
            Decision::Created(id) => result.topic_id = id.into(),
            Decision::Refused(refusal) => *result = refused(&result.name.clone(), refusal),
            Decision::Deleted | Decision::ProducerIds { .. } => {
                panic!("a topic was proposed, got {decision:?}")
            }
        }
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(request.encode(&self.response)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_kafkas_words() {
        let check = |name: &str, why: &str| {
            let expected = match why {
                "" => Ok(()),
                why => Err(format!("Topic name is invalid: {why}")),
            };
            assert_eq!(check_name(name), expected);
        };
        check("a-B_c.9", "");
        check(&"a".repeat(249), "");
        check("", "the empty string is not allowed");
        check("..", "'..' is not allowed");
        let other =
            "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
        for name in ["a/b", "../../etc/x", "a\0b", "é", " "] {
            check(name, &format!("'{name}' {other}"));
        }
        let long = "a".repeat(250);
        check(
            &long,
            &format!("the length of '{long}' is longer than the max allowed length 249"),
        );
    }
}
