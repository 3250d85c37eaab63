//! CreatePartitions (37): more partitions for topics, on replicas that the client or the controller chooses.
//!
//! * 0 the first · 1 as 0 · 2 flexible · 3 as 2
//!
//! What Kafka's `ControllerApis` checks is checked here: names given twice, rights. The rest is the controller's. The
//! answer comes once the partitions are served; the timeout is not used. Left out: mutation quotas.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use corelane_engine::controller::command::{Command, MorePartitions};
use corelane_engine::types::NodeId;

use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Decided, Desk, Outcome, Refusal, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::create_partitions_request::{CreatePartitionsRequest, CreatePartitionsTopic};
use crate::protocol::create_partitions_response::{
    CreatePartitionsResponse, CreatePartitionsTopicResult,
};

/// A request whose partitions are being created.
#[derive(Debug)]
pub struct CreatePartitions {
    response: CreatePartitionsResponse,
    missing: usize,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: CreatePartitionsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut times: BTreeMap<&Str, usize> = BTreeMap::new();
    for topic in &message.topics {
        *times.entry(&topic.name).or_default() += 1;
    }
    let twice = times.iter().filter(|(_, times)| **times > 1);
    let twice: BTreeSet<&Str> = twice.map(|(name, _)| *name).collect();
    let mut results: Vec<CreatePartitionsTopicResult> = twice
        .iter()
        .map(|name| {
            let why = "Duplicate topic name.".to_owned();
            refused(name, (ErrorCode::InvalidRequest, Some(why)))
        })
        .collect();
    let mut missing = 0;
    for topic in &message.topics {
        if twice.contains(&topic.name) {
            continue;
        }
        let of = Resource::Topic(&topic.name);
        let refusal = if desk.allows(&request.context, Operation::Alter, of) {
            let more = more(request, topic, message.validate_only);
            let slot = results.len() as u32;
            desk.propose(request.token, slot, Command::CreatePartitions(more));
            missing += 1;
            // Until it is decided.
            (ErrorCode::RequestTimedOut, None)
        } else {
            (ErrorCode::TopicAuthorizationFailed, None)
        };
        results.push(refused(&topic.name, refusal));
    }
    let response = CreatePartitionsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        results,
    };
    if missing == 0 {
        return Started::Answer(request.encode(&response));
    }
    Started::Waiting(Waiting {
        work: Work::CreatePartitions(Box::new(CreatePartitions { response, missing })),
        deadline: None,
        answered: true,
    })
}

fn more(request: &Request, topic: &CreatePartitionsTopic, validate_only: bool) -> MorePartitions {
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    MorePartitions {
        name: resolve_topic(&request.context, &topic.name).to_owned(),
        count: topic.count,
        assigned: topic
            .assignments
            .as_ref()
            .map(|list| list.iter().map(|a| nodes(&a.broker_ids)).collect()),
        validate_only,
    }
}

fn refused(name: &str, (code, message): Refusal) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult {
        name: name.into(),
        error_code: code.code(),
        error_message: message.map(error_code::message),
    }
}

impl CreatePartitions {
    /// The controller decided on one topic, and every shard has applied it.
    pub fn on_decision(
        &mut self,
        request: &Request,
        slot: u32,
        decided: Decided,
    ) -> Option<Outcome> {
        let result = &mut self.response.results[slot as usize];
        let refusal = match decided {
            Ok(_) => (ErrorCode::None, None),
            Err(error) => match error_code::of_command(&error) {
                // Kafka says no more than the code.
                (ErrorCode::UnknownTopicOrPartition, _) => {
                    (ErrorCode::UnknownTopicOrPartition, None)
                }
                refusal => refusal,
            },
        };
        *result = refused(&result.name.clone(), refusal);
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(request.encode(&self.response)))
    }
}
