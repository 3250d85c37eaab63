//! SyncGroup (14): the leader brings the assignment, every member gets its own.
//!
//! * 0 · 1 throttle time · 2 as 1 · 3 static members (KIP-345) · 4 flexible · 5 protocol type and name (KIP-559)
//!
//! Answered once the assignment is durable.

use bytes::Bytes;
use corelane_engine::group::call::{GroupAsk, GroupDone, GroupError, MemberRef, Sync, Synced};

use crate::api::group::{self, GroupWork};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::sync_group_request::SyncGroupRequest;
use crate::protocol::sync_group_response::SyncGroupResponse;

/// First version that must name the group's protocol.
const PROTOCOL_SINCE: i16 = 5;

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: SyncGroupRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let group = &message.group_id;
    let protocol_missing = message.protocol_type.is_none() || message.protocol_name.is_none();
    let refused = if request.header.version >= PROTOCOL_SINCE && protocol_missing {
        Some(ErrorCode::InconsistentGroupProtocol)
    } else if !desk.allows(&request.context, Operation::Read, Resource::Group(group)) {
        Some(ErrorCode::GroupAuthorizationFailed)
    } else if group.as_bytes().is_empty() {
        Some(ErrorCode::InvalidGroupId)
    } else {
        None
    };
    if let Some(code) = refused {
        return Started::Answer(refusal(desk, request, code));
    }
    let text = |text: &Str| text.as_str().to_owned();
    let ask = GroupAsk::Sync(Sync {
        who: MemberRef {
            member: text(&message.member_id),
            instance: message.group_instance_id.as_ref().map(text),
            generation: message.generation_id,
        },
        protocol_type: message.protocol_type.as_ref().map(text),
        protocol_name: message.protocol_name.as_ref().map(text),
        // The group keeps them: not as slices of the receive buffer.
        assignments: message
            .assignments
            .iter()
            .map(|a| (text(&a.member_id), Bytes::copy_from_slice(&a.assignment)))
            .collect(),
    });
    match group::ask_one(desk, request, group, ask) {
        Ok(()) => GroupWork::SyncGroup.started(),
        Err(error) => Started::Answer(refusal(desk, request, error_code::of_group(&error))),
    }
}

fn refusal(desk: &Desk, request: &Request, code: ErrorCode) -> Encoded {
    request.encode(&SyncGroupResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: code.code(),
        ..SyncGroupResponse::default()
    })
}

/// The assignment is durable, or the member was refused.
pub fn on_answer(desk: &Desk, request: &Request, result: Result<GroupDone, GroupError>) -> Outcome {
    Outcome::Reply(match result {
        Ok(GroupDone::Synced(Synced {
            protocol_type,
            protocol_name,
            assignment,
        })) => request.encode(&SyncGroupResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            error_code: ErrorCode::None.code(),
            protocol_type: protocol_type.map(Into::into),
            protocol_name: protocol_name.map(Into::into),
            assignment,
        }),
        Ok(other) => panic!("an assignment was asked for, got {other:?}"),
        Err(error) => refusal(desk, request, error_code::of_group(&error)),
    })
}
