//! LeaveGroup (13): members leave their group, or are removed from it.
//!
//! * 0 one member · 1 throttle time · 2 as 1 · 3 several members, static ones by their instance (KIP-345)
//! * 4 flexible · 5 reasons (KIP-800)
//!
//! Every member of a group that does not exist is unknown; older versions say so of the whole.

use bytes::Bytes;
use corelane_engine::group::call::{GroupAsk, GroupDone, GroupError, Leaving};

use crate::api::group::{self, GroupWork};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::leave_group_response::{LeaveGroupResponse, MemberResponse};

/// First version with several members.
const MEMBERS_SINCE: i16 = 3;

/// Members that are about to leave.
#[derive(Debug)]
pub struct LeaveGroup {
    members: Vec<MemberIdentity>,
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: LeaveGroupRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let group = &message.group_id;
    if !desk.allows(&request.context, Operation::Read, Resource::Group(group)) {
        let code = ErrorCode::GroupAuthorizationFailed;
        return Started::Answer(answer(desk, request, code, Vec::new()));
    }
    if group.as_bytes().is_empty() {
        let code = ErrorCode::InvalidGroupId;
        return Started::Answer(answer(desk, request, code, Vec::new()));
    }
    let members = match request.header.version {
        MEMBERS_SINCE.. => message.members,
        _ => vec![MemberIdentity {
            member_id: message.member_id,
            ..MemberIdentity::default()
        }],
    };
    let text = |text: &Str| text.as_str().to_owned();
    let leaving = members.iter().map(|member| Leaving {
        member: text(&member.member_id),
        instance: member.group_instance_id.as_ref().map(text),
        reason: member.reason.as_ref().map(text),
    });
    let ask = GroupAsk::Leave(leaving.collect());
    match group::ask_one(desk, request, group, ask) {
        Ok(()) => GroupWork::LeaveGroup(LeaveGroup { members }).started(),
        Err(error) => {
            let code = error_code::of_group(&error);
            Started::Answer(answer(desk, request, code, Vec::new()))
        }
    }
}

fn answer(
    desk: &Desk,
    request: &Request,
    code: ErrorCode,
    members: Vec<MemberResponse>,
) -> Encoded {
    let mut response = LeaveGroupResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: code.code(),
        members,
    };
    if request.header.version < MEMBERS_SINCE
        && let Some(member) = response.members.pop()
    {
        response.error_code = member.error_code;
    }
    request.encode(&response)
}

impl LeaveGroup {
    /// The coordinator answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        result: Result<GroupDone, GroupError>,
    ) -> Outcome {
        let members = std::mem::take(&mut self.members);
        let (code, members) = match result {
            Ok(GroupDone::Left(results)) => {
                assert_eq!(results.len(), members.len(), "one result per member");
                let codes = results.into_iter().map(|result| match result {
                    Ok(()) => ErrorCode::None,
                    Err(error) => error_code::of_group(&error),
                });
                (ErrorCode::None, with_codes(members, codes))
            }
            Ok(other) => panic!("members were to leave, got {other:?}"),
            Err(GroupError::UnknownMember | GroupError::GroupNotFound) => {
                let unknown = std::iter::repeat(ErrorCode::UnknownMemberId);
                (ErrorCode::None, with_codes(members, unknown))
            }
            Err(error) => (error_code::of_group(&error), Vec::new()),
        };
        Outcome::Reply(answer(desk, request, code, members))
    }
}

fn with_codes(
    members: Vec<MemberIdentity>,
    codes: impl Iterator<Item = ErrorCode>,
) -> Vec<MemberResponse> {
    let member = |(member, code): (MemberIdentity, ErrorCode)| MemberResponse {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code: code.code(),
    };
    members.into_iter().zip(codes).map(member).collect()
}
