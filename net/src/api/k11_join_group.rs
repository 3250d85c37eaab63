//! JoinGroup (11): enters a group, or stays in it for its next generation.
//!
//! * 0 session timeout · 1 rebalance timeout · 2 throttle time · 3 as 2 · 4 MEMBER_ID_REQUIRED (KIP-394)
//! * 5 static members (KIP-345) · 6 flexible · 7 protocol type and null protocol in the answer (KIP-559)
//! * 8 reason (KIP-800) · 9 a static leader may skip the assignment (KIP-814)
//!
//! Answered when the rebalance is complete. A client id so long that the member id made of it would not fit a string is
//! cut; such a `group.instance.id` is INVALID_REQUEST. (Kafka fails to write its answer, and closes.)

use std::net::IpAddr;

use bytes::Bytes;
use corelane_engine::group::call::{GroupAsk, GroupDone, GroupError, Join, Joined};

use crate::api::group::{self, GroupWork};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::join_group_request::JoinGroupRequest;
use crate::protocol::join_group_response::{JoinGroupResponse, JoinGroupResponseMember};

/// First version in which a new member is given its id before it joins.
const MEMBER_ID_REQUIRED_SINCE: i16 = 4;
/// First version whose answer may say that there is no protocol.
const NO_PROTOCOL_SINCE: i16 = 7;
const SKIP_ASSIGNMENT_SINCE: i16 = 9;
/// A member id is this, `-`, and a UUID of 36 characters; a string on the wire has 32,767 bytes.
const NAME_BYTES_MAX: usize = 32_767 - 37;

/// A member that waits for the rebalance to be complete.
#[derive(Debug)]
pub struct JoinGroup {
    /// As the client named itself.
    member: Str,
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: JoinGroupRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let member = message.member_id.detached();
    let group = message.group_id.clone();
    let refused = if !desk.allows(&request.context, Operation::Read, Resource::Group(&group)) {
        let code = ErrorCode::GroupAuthorizationFailed;
        return Started::Answer(refusal(desk, request, code, Str::new()));
    } else if group.as_bytes().is_empty() {
        Some(ErrorCode::InvalidGroupId)
    } else if message
        .group_instance_id
        .as_ref()
        .is_some_and(|id| id.as_bytes().len() > NAME_BYTES_MAX)
    {
        Some(ErrorCode::InvalidRequest)
    } else {
        None
    };
    if let Some(code) = refused {
        return Started::Answer(refusal(desk, request, code, member));
    }
    let ask = GroupAsk::Join(join(request, message));
    match group::ask_one(desk, request, &group, ask) {
        Ok(()) => GroupWork::JoinGroup(JoinGroup { member }).started(),
        Err(error) => Started::Answer(refused_by(desk, request, error, member)),
    }
}

fn join(request: &Request, message: JoinGroupRequest) -> Join {
    let text = |text: &Str| text.as_str().to_owned();
    let version = request.header.version;
    Join {
        member: text(&message.member_id),
        instance: message.group_instance_id.as_ref().map(text),
        client_id: client_id(&request.context.client_id),
        client_host: client_host(request.context.peer.ip()),
        session_timeout_ms: message.session_timeout_ms,
        rebalance_timeout_ms: match message.rebalance_timeout_ms {
            -1 => message.session_timeout_ms,
            given => given,
        },
        protocol_type: text(&message.protocol_type),
        // The group keeps them: not as slices of the receive buffer.
        protocols: message
            .protocols
            .iter()
            .map(|p| (text(&p.name), Bytes::copy_from_slice(&p.metadata)))
            .collect(),
        member_id_required: version >= MEMBER_ID_REQUIRED_SINCE,
        skip_assignment_supported: version >= SKIP_ASSIGNMENT_SINCE,
        reason: message.reason.as_ref().map(text),
    }
}

fn client_id(sent: &[u8]) -> String {
    let mut id = String::from_utf8_lossy(sent).into_owned();
    id.truncate(id.floor_char_boundary(NAME_BYTES_MAX));
    id
}

/// Java's `InetAddress.toString` of an address without a name.
fn client_host(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("/{address}"),
        IpAddr::V6(address) => {
            let groups = address.segments();
            let groups: Vec<String> = groups.iter().map(|group| format!("{group:x}")).collect();
            format!("/{}", groups.join(":"))
        }
    }
}

fn refusal(desk: &Desk, request: &Request, code: ErrorCode, member_id: Str) -> Encoded {
    let none = request.header.version >= NO_PROTOCOL_SINCE;
    request.encode(&JoinGroupResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: code.code(),
        protocol_name: (!none).then(Str::new),
        member_id,
        ..JoinGroupResponse::default()
    })
}

/// The member is told its id only where Kafka tells it.
fn refused_by(desk: &Desk, request: &Request, error: GroupError, member: Str) -> Encoded {
    let code = error_code::of_group(&error);
    let member = match error {
        GroupError::MemberIdRequired { member } => member.into(),
        GroupError::Loading
        | GroupError::NotAvailable
        | GroupError::NotCoordinator
        | GroupError::GroupMaxSize
        | GroupError::CommitTooLarge
        | GroupError::Storage => Str::new(),
        GroupError::InvalidGroupId
        | GroupError::UnknownMember
        | GroupError::IllegalGeneration
        | GroupError::InconsistentProtocol
        | GroupError::InvalidSessionTimeout
        | GroupError::RebalanceInProgress
        | GroupError::FencedInstance
        | GroupError::GroupNotFound
        | GroupError::NonEmptyGroup
        | GroupError::SubscribedToTopic
        | GroupError::OffsetMetadataTooLarge
        | GroupError::UnknownTopicOrPartition
        | GroupError::InvalidRequest => member,
    };
    refusal(desk, request, code, member)
}

impl JoinGroup {
    /// The rebalance is complete, or the member was refused.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        result: Result<GroupDone, GroupError>,
    ) -> Outcome {
        Outcome::Reply(match result {
            Ok(GroupDone::Joined(joined)) => request.encode(&response(desk, request, joined)),
            Ok(other) => panic!("a join was asked for, got {other:?}"),
            Err(error) => refused_by(desk, request, error, std::mem::take(&mut self.member)),
        })
    }
}

fn response(desk: &Desk, request: &Request, joined: Joined) -> JoinGroupResponse {
    let version = request.header.version;
    let member =
        |(id, instance, metadata): (String, Option<String>, Bytes)| JoinGroupResponseMember {
            member_id: id.into(),
            group_instance_id: instance.map(Into::into),
            metadata,
        };
    let protocol = joined.protocol_name.unwrap_or_default();
    JoinGroupResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: ErrorCode::None.code(),
        generation_id: joined.generation,
        protocol_type: joined.protocol_type.map(Into::into),
        protocol_name: (version < NO_PROTOCOL_SINCE || !protocol.is_empty())
            .then(|| protocol.into()),
        leader: joined.leader.into(),
        skip_assignment: joined.skip_assignment && version >= SKIP_ASSIGNMENT_SINCE,
        member_id: joined.member.into(),
        members: joined.members.into_iter().map(member).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_javas() {
        for (address, host) in [
            ("10.0.0.1", "/10.0.0.1"),
            ("::1", "/0:0:0:0:0:0:0:1"),
            ("fe80::a0:1", "/fe80:0:0:0:0:0:a0:1"),
            ("::ffff:10.0.0.1", "/10.0.0.1"),
        ] {
            assert_eq!(client_host(address.parse().expect("an address")), host);
        }
    }

    #[test]
    fn a_client_id_leaves_room_for_its_uuid() {
        assert_eq!(client_id(b"x\xffy"), "x\u{fffd}y");
        assert_eq!(client_id(&[0xff; 32_767]).len(), 32_730);
    }
}
