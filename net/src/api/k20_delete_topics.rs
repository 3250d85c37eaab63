//! DeleteTopics (20): by name, or by id.
//!
//! * 1 throttle time · 2, 3 as 1 · 4 flexible · 5 error messages · 6 topics by id, and ids in the answer
//!
//! Codes and messages are Kafka's (`ControllerApis.deleteTopics`). The answer comes once every shard has let go of the
//! topics; the timeout is not used. Left out: mutation quotas, `delete.topic.enable=false`.

use std::collections::BTreeMap;

use bytes::Bytes;
use corelane_engine::controller::command::Command;
use corelane_engine::types::TopicId;

use crate::context::{Operation, Resource, shown_topic, throttle_ms};
use crate::desk::{Decided, Desk, Outcome, Refusal, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::delete_topics_request::DeleteTopicsRequest;
use crate::protocol::delete_topics_response::{DeletableTopicResult, DeleteTopicsResponse};
use crate::protocol::{Str, Uuid};

/// A request whose topics are being deleted.
#[derive(Debug)]
pub struct DeleteTopics {
    response: DeleteTopicsResponse,
    missing: usize,
}

/// What a request names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Named {
    Name(Str),
    Id(TopicId),
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: DeleteTopicsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut responses = Vec::new();
    let mut times: BTreeMap<Named, usize> = BTreeMap::new();
    for name in message.topic_names {
        *times.entry(Named::Name(name)).or_default() += 1;
    }
    for topic in message.topics {
        let id = TopicId(topic.topic_id.0);
        match (topic.name, id) {
            (None, TopicId::ZERO) => responses.push(refused(
                None,
                id,
                because(
                    ErrorCode::InvalidRequest,
                    "Neither topic name nor id were specified.",
                ),
            )),
            (None, id) => *times.entry(Named::Id(id)).or_default() += 1,
            (Some(name), TopicId::ZERO) => *times.entry(Named::Name(name)).or_default() += 1,
            (Some(name), id) => responses.push(refused(
                Some(&name),
                id,
                because(
                    ErrorCode::InvalidRequest,
                    "You may not specify both topic name and topic id.",
                ),
            )),
        }
    }
    let mut found: BTreeMap<TopicId, Option<Str>> = BTreeMap::new();
    // A topic named twice, once by its name and once by its id, is not deleted.
    for (named, times) in times {
        let (name, id) = match &named {
            Named::Name(name) => (Some(name), TopicId::ZERO),
            Named::Id(id) => (None, *id),
        };
        if times > 1 {
            let what = if name.is_some() { "name" } else { "id" };
            responses.push(refused(
                name.map(|name| &**name),
                id,
                because(
                    ErrorCode::InvalidRequest,
                    &format!("Duplicate topic {what}."),
                ),
            ));
            continue;
        }
        match resolve(desk, request, &named) {
            Err(refusal) => responses.push(refused(name.map(|name| &**name), id, refusal)),
            Ok((id, stored)) => {
                if found.insert(id, Some(stored.as_str().into())).is_some() {
                    found.remove(&id);
                    responses.push(refused(
                        Some(&stored),
                        id,
                        because(
                            ErrorCode::InvalidRequest,
                            "The provided topic name maps to an ID that was already supplied.",
                        ),
                    ));
                }
            }
        }
    }
    let missing = found.len();
    for (id, name) in found {
        let slot = responses.len() as u32;
        responses.push(DeletableTopicResult {
            name,
            topic_id: Uuid(id.0),
            ..DeletableTopicResult::default()
        });
        desk.propose(request.token, slot, Command::DeleteTopic { id });
    }
    let response = DeleteTopicsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        responses,
    };
    if missing == 0 {
        return Started::Answer(request.encode(&response));
    }
    Started::Waiting(Waiting {
        work: Work::DeleteTopics(Box::new(DeleteTopics { response, missing })),
        deadline: None,
        answered: true,
    })
}

fn because(code: ErrorCode, why: &str) -> Refusal {
    (code, Some(why.to_owned()))
}

fn unknown_topic() -> Refusal {
    because(
        ErrorCode::UnknownTopicOrPartition,
        "This server does not host this topic-partition.",
    )
}

/// The topic's id and the name its clients know.
fn resolve(desk: &Desk, request: &Request, named: &Named) -> Result<(TopicId, String), Refusal> {
    let context = &request.context;
    let denied = || {
        because(
            ErrorCode::TopicAuthorizationFailed,
            "Topic authorization failed.",
        )
    };
    let allows = |what, name: &str| desk.allows(context, what, Resource::Topic(name));
    let topic = match named {
        // Who may not see it is not told whether it is there.
        Named::Name(name) if !allows(Operation::Describe, name) => return Err(denied()),
        Named::Name(name) => desk
            .topic_by_name(context, name)
            .ok_or_else(unknown_topic)?,
        Named::Id(id) => desk.topic_by_id(*id).ok_or_else(|| {
            because(
                ErrorCode::UnknownTopicId,
                "This server does not host this topic ID.",
            )
        })?,
    };
    let name = shown_topic(context, topic.name);
    if !allows(Operation::Describe, name) || !allows(Operation::Delete, name) {
        return Err(denied());
    }
    Ok((topic.id, name.to_owned()))
}

fn refused(name: Option<&str>, id: TopicId, (code, message): Refusal) -> DeletableTopicResult {
    DeletableTopicResult {
        name: name.map(Into::into),
        topic_id: Uuid(id.0),
        error_code: code.code(),
        error_message: message.map(error_code::message),
    }
}

impl DeleteTopics {
    /// The controller decided on one topic, and every shard has let go of it.
    pub fn on_decision(
        &mut self,
        request: &Request,
        slot: u32,
        decided: Decided,
    ) -> Option<Outcome> {
        let result = &mut self.response.responses[slot as usize];
        if let Err(error) = decided {
            let (mut code, mut message) = error_code::of_command(&error);
            if code == ErrorCode::UnknownTopicId && request.header.version < 6 {
                // Somebody else deleted it meanwhile; ids are unknown to this client.
                (code, message) = unknown_topic();
            }
            result.error_code = code.code();
            result.error_message = message.map(error_code::message);
        }
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(request.encode(&self.response)))
    }
}
