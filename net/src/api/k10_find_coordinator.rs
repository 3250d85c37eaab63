//! FindCoordinator (10): which broker coordinates a group.
//!
//! * 0 groups only · 1 kinds of coordinators; throttle time; error message · 2 as 1 · 3 flexible
//! * 4 several keys (KIP-699) · 5 TRANSACTION_ABORTABLE · 6 share groups (KIP-932)
//!
//! A missing `__consumer_offsets` is created first, with Kafka's partitions and configs, and the answer is complete.
//! (Kafka answers COORDINATOR_NOT_AVAILABLE, creates behind it, and the client asks again.) Such a request is a barrier
//! for what its connection sends after it. Left out: coordinators of transactions
//! (TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which every client takes as final; see InitProducerId) and of share groups
//! (INVALID_REQUEST, as for a kind that Kafka does not know).

use bytes::Bytes;
use corelane_engine::controller::command::{Command, CommandError, Layout, NewTopic};
use corelane_engine::group::call::{OFFSETS_TOPIC, partition_of};

use crate::context::{Operation, Resource, resolve_group, throttle_ms};
use crate::desk::{Decided, Desk, Encoded, Outcome, Request, Started, Waiting, Work};
use crate::error_code::ErrorCode;
use crate::protocol::Str;
use crate::protocol::find_coordinator_request::FindCoordinatorRequest;
use crate::protocol::find_coordinator_response::{Coordinator, FindCoordinatorResponse};

/// Kafka's defaults: `offsets.topic.num.partitions`, and what its group coordinator sets on the topic.
const OFFSETS_PARTITIONS: i32 = 50;
const OFFSETS_CONFIGS: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("compression.type", "producer"),
    ("segment.bytes", "104857600"),
];

/// `CoordinatorType` of Kafka.
const OF_GROUPS: i8 = 0;
const OF_TRANSACTIONS: i8 = 1;
const OF_SHARES: i8 = 2;
/// First version with several keys.
const KEYS_SINCE: i16 = 4;

/// A request that waits until the offsets topic is created.
#[derive(Debug)]
pub struct FindCoordinator {
    message: FindCoordinatorRequest,
}

/// The topic of the groups, as Kafka creates it.
pub fn offsets_topic() -> NewTopic {
    let configs = OFFSETS_CONFIGS.iter();
    NewTopic {
        name: OFFSETS_TOPIC.to_owned(),
        layout: Layout::Count {
            partitions: OFFSETS_PARTITIONS,
            replicas: -1,
        },
        configs: configs
            .map(|&(name, value)| (name.to_owned(), Some(value.to_owned())))
            .collect(),
        validate_only: false,
    }
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let mut message: FindCoordinatorRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    if request.header.version < KEYS_SINCE {
        message.coordinator_keys = vec![std::mem::take(&mut message.key)];
    }
    let describes = |key: &Str| {
        let group = Resource::Group(key);
        desk.allows(&request.context, Operation::Describe, group)
    };
    let must_create = message.key_type == OF_GROUPS
        && desk.image.topic(OFFSETS_TOPIC).is_none()
        && message.coordinator_keys.iter().any(describes);
    if !must_create {
        return Started::Answer(answer(desk, request, &message));
    }
    desk.propose(request.token, 0, Command::CreateTopic(offsets_topic()));
    Started::Waiting(Waiting {
        work: Work::FindCoordinator(Box::new(FindCoordinator { message })),
        deadline: None,
        answered: true,
    })
}

impl FindCoordinator {
    /// The controller decided on the topic, and every shard has applied it.
    pub fn on_decision(&mut self, desk: &Desk, request: &Request, decided: Decided) -> Outcome {
        match decided {
            // Or somebody else created it meanwhile.
            Ok(_) | Err(CommandError::TopicExists(_)) => {}
            Err(error) => tracing::warn!("{OFFSETS_TOPIC} cannot be created: {error}"),
        }
        Outcome::Reply(answer(desk, request, &self.message))
    }
}

fn answer(desk: &Desk, request: &Request, message: &FindCoordinatorRequest) -> Encoded {
    let keys = message.coordinator_keys.iter();
    let mut found = keys.map(|key| find(desk, request, message.key_type, key));
    let mut response = FindCoordinatorResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..FindCoordinatorResponse::default()
    };
    if request.header.version >= KEYS_SINCE {
        response.coordinators = found.map(|(_, coordinator)| coordinator).collect();
    } else if let Some((code, coordinator)) = found.next() {
        response.error_code = code.code();
        response.error_message = Some(Str::from_static(message_of(code)));
        response.node_id = coordinator.node_id;
        response.host = coordinator.host;
        response.port = coordinator.port;
    }
    request.encode(&response)
}

fn find(desk: &Desk, request: &Request, kind: i8, key: &Str) -> (ErrorCode, Coordinator) {
    let code = match kind {
        OF_GROUPS => match coordinator(desk, request, key) {
            Ok(coordinator) => return (ErrorCode::None, coordinator),
            Err(code) => code,
        },
        OF_TRANSACTIONS => ErrorCode::TransactionalIdAuthorizationFailed,
        _ => ErrorCode::InvalidRequest,
    };
    // Kafka's `Node.noNode()`.
    let mut nowhere = Coordinator {
        key: key.clone(),
        node_id: -1,
        port: -1,
        error_code: code.code(),
        ..Coordinator::default()
    };
    if !(OF_GROUPS..=OF_SHARES).contains(&kind) {
        // Kafka refuses the whole request then, and only then says why in words.
        nowhere.error_message = Some(Str::from_static(message_of(code)));
    }
    (code, nowhere)
}

/// The broker that leads the partition of a group.
fn coordinator(desk: &Desk, request: &Request, key: &Str) -> Result<Coordinator, ErrorCode> {
    let context = &request.context;
    if !desk.allows(context, Operation::Describe, Resource::Group(key)) {
        return Err(ErrorCode::GroupAuthorizationFailed);
    }
    let topic = desk.image.topic(OFFSETS_TOPIC);
    let leader = topic.and_then(|topic| {
        let number = partition_of(resolve_group(context, key), topic.partition_count());
        let leader = desk.image.partition(topic, number)?.leader;
        Some((leader, desk.endpoint(context, leader)?))
    });
    let (leader, endpoint) = leader.ok_or(ErrorCode::CoordinatorNotAvailable)?;
    Ok(Coordinator {
        key: key.clone(),
        node_id: leader.0,
        host: endpoint.host.as_str().into(),
        port: i32::from(endpoint.port),
        ..Coordinator::default()
    })
}

/// What Kafka's `Errors` says of the codes given here. Versions 1 to 3 say it even of success.
fn message_of(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::None => "NONE",
        ErrorCode::CoordinatorNotAvailable => "The coordinator is not available.",
        ErrorCode::GroupAuthorizationFailed => "Group authorization failed.",
        ErrorCode::TransactionalIdAuthorizationFailed => "Transactional Id authorization failed.",
        ErrorCode::InvalidRequest => {
            "This most likely occurs because of a request being malformed by the client library or the message was \
             sent to an incompatible broker. See the broker logs for more details."
        }
        other => panic!("{other:?} is not given here"),
    }
}
