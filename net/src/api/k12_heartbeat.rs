//! Heartbeat (12): a member is alive, and hears whether its group rebalances.
//!
//! * 0 · 1 throttle time · 2 as 1 · 3 static members (KIP-345) · 4 flexible
//!
//! While the group is still being read the answer is yes, as Kafka's.

use bytes::Bytes;
use corelane_engine::group::call::{GroupAsk, GroupDone, GroupError, MemberRef};

use crate::api::group::{self, GroupWork};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::heartbeat_request::HeartbeatRequest;
use crate::protocol::heartbeat_response::HeartbeatResponse;

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: HeartbeatRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let group = &message.group_id;
    if !desk.allows(&request.context, Operation::Read, Resource::Group(group)) {
        let code = ErrorCode::GroupAuthorizationFailed;
        return Started::Answer(answer(desk, request, code));
    }
    if group.as_bytes().is_empty() {
        return Started::Answer(answer(desk, request, ErrorCode::InvalidGroupId));
    }
    let ask = GroupAsk::Heartbeat(MemberRef {
        member: message.member_id.as_str().to_owned(),
        instance: message.group_instance_id.map(|id| id.as_str().to_owned()),
        generation: message.generation_id,
    });
    match group::ask_one(desk, request, group, ask) {
        Ok(()) => GroupWork::Heartbeat.started(),
        Err(error) => Started::Answer(answer(desk, request, error_code::of_group(&error))),
    }
}

fn answer(desk: &Desk, request: &Request, code: ErrorCode) -> Encoded {
    request.encode(&HeartbeatResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: code.code(),
    })
}

/// The coordinator answered.
pub fn on_answer(desk: &Desk, request: &Request, result: Result<GroupDone, GroupError>) -> Outcome {
    let code = match group::done(result) {
        Ok(()) | Err(GroupError::Loading) => ErrorCode::None,
        Err(error) => error_code::of_group(&error),
    };
    Outcome::Reply(answer(desk, request, code))
}
