//! DescribeGroups (15): states and members of groups.
//!
//! * 0 · 1 throttle time · 2 as 1 · 3 authorized operations (KIP-430) · 4 static members (KIP-345) · 5 flexible
//! * 6 error message, and GROUP_ID_NOT_FOUND for a group that does not exist (KIP-1043)
//!
//! A group that does not exist is `Dead`; before version 6 that is no error. Those that may not be described come first,
//! as Kafka's. A group that is named twice is described once, and the second time INVALID_REQUEST: an answer is bounded
//! by what there is.

use std::collections::BTreeSet;

use bytes::Bytes;
use corelane_engine::group::call::{
    Description, GroupAsk, GroupDone, GroupError, GroupState, MemberDescription,
};

use crate::api::group::{Asks, GroupWork};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::describe_groups_request::DescribeGroupsRequest;
use crate::protocol::describe_groups_response::{
    DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};

/// First version in which a group that does not exist is an error.
const NOT_FOUND_SINCE: i16 = 6;
/// What there is to be allowed on a group: Read, Delete, Describe, DescribeConfigs, AlterConfigs, as bits by Kafka's
/// numbers.
const GROUP_OPERATIONS: i32 = 0b1101_0100_1000;

/// A request whose groups are being described.
#[derive(Debug)]
pub struct DescribeGroups {
    groups: Vec<DescribedGroup>,
    missing: usize,
    operations: bool,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeGroupsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let describes = |group: &Str| {
        let resource = Resource::Group(group);
        desk.allows(&request.context, Operation::Describe, resource)
    };
    let (allowed, denied): (Vec<Str>, Vec<Str>) = message.groups.into_iter().partition(describes);
    let mut work = DescribeGroups {
        groups: Vec::new(),
        missing: 0,
        operations: message.include_authorized_operations,
    };
    let denied = denied.into_iter();
    work.groups
        .extend(denied.map(|group| refused(group, ErrorCode::GroupAuthorizationFailed)));
    let mut asks = Asks::new(desk);
    let mut seen = BTreeSet::new();
    for group in allowed {
        let slot = work.groups.len() as u32;
        let code = match seen.insert(group.clone()) {
            false => ErrorCode::InvalidRequest,
            true => {
                match asks.add(desk, &request.context, slot, &group, GroupAsk::Describe) {
                    Ok(()) => {
                        work.missing += 1;
                        // Until it is described.
                        ErrorCode::UnknownServerError
                    }
                    Err(error) => error_code::of_group(&error),
                }
            }
        };
        work.groups.push(refused(group, code));
    }
    if work.missing == 0 {
        return Started::Answer(work.answer(desk, request));
    }
    asks.make(desk, request);
    GroupWork::DescribeGroups(work).started()
}

fn refused(group_id: Str, code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code: code.code(),
        group_id,
        ..DescribedGroup::default()
    }
}

impl DescribeGroups {
    /// The coordinator of one group answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        slot: u32,
        result: Result<GroupDone, GroupError>,
    ) -> Option<Outcome> {
        let group = &mut self.groups[slot as usize];
        match result {
            Ok(GroupDone::Described(description)) => {
                describe(group, description, request.header.version);
                if self.operations && group.error_code == ErrorCode::None.code() {
                    group.authorized_operations = GROUP_OPERATIONS;
                }
            }
            Ok(other) => panic!("a description was asked for, got {other:?}"),
            Err(error) => group.error_code = error_code::of_group(&error).code(),
        }
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(self.answer(desk, request)))
    }

    fn answer(&mut self, desk: &Desk, request: &Request) -> Encoded {
        request.encode(&DescribeGroupsResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            groups: std::mem::take(&mut self.groups),
        })
    }
}

fn describe(group: &mut DescribedGroup, description: Description, version: i16) {
    group.group_state = Str::from_static(description.state.name());
    group.error_code = ErrorCode::None.code();
    if description.state == GroupState::Dead && version >= NOT_FOUND_SINCE {
        group.error_code = ErrorCode::GroupIdNotFound.code();
        let why = format!("Group {} not found.", group.group_id);
        group.error_message = Some(error_code::message(why));
    }
    group.protocol_type = description.protocol_type.into();
    group.protocol_data = description.protocol_name.into();
    group.members = description.members.into_iter().map(member).collect();
}

fn member(member: MemberDescription) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: member.member.into(),
        group_instance_id: member.instance.map(Into::into),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_kafkas_numbers() {
        // READ 3, DELETE 6, DESCRIBE 8, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11.
        let bits = [3, 6, 8, 10, 11].iter().fold(0, |all, n| all | 1 << n);
        assert_eq!(GROUP_OPERATIONS, bits);
    }
}
