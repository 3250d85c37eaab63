//! DescribeAcls (29): who may do what.
//!
//! * 1 patterns of names · 2 flexible · 3 users as resources
//!
//! There is no authorizer: SECURITY_DISABLED, as by Kafka without one. A filter with an element of type 0 is malformed.

use bytes::Bytes;

use crate::api::CloseReason;
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Request, Started};
use crate::error_code::ErrorCode;
use crate::protocol::describe_acls_request::DescribeAclsRequest;
use crate::protocol::describe_acls_response::DescribeAclsResponse;

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeAclsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let elements = [
        message.resource_type_filter,
        message.pattern_type_filter,
        message.operation,
        message.permission_type,
    ];
    if let Err(reason) = check_known(request, elements) {
        return Started::Close(reason);
    }
    let (code, why) = match desk.allows(&request.context, Operation::Describe, Resource::Cluster) {
        true => (
            ErrorCode::SecurityDisabled,
            "No Authorizer is configured on the broker",
        ),
        false => (
            ErrorCode::ClusterAuthorizationFailed,
            "Cluster authorization failed.",
        ),
    };
    Started::Answer(request.encode(&DescribeAclsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        error_code: code.code(),
        error_message: Some(why.into()),
        ..DescribeAclsResponse::default()
    }))
}

/// Kafka does not read a request with an element of type 0, UNKNOWN.
pub(super) fn check_known(request: &Request, elements: [i8; 4]) -> Result<(), CloseReason> {
    if !elements.contains(&0) {
        return Ok(());
    }
    Err(CloseReason::BadRequest {
        name: request.header.entry.name,
        version: request.header.version,
        why: "UNKNOWN elements".to_owned(),
    })
}

/// Why an ACL is not changed: there is no authorizer, or it says no.
pub(super) fn refusal(desk: &Desk, request: &Request) -> (ErrorCode, &'static str) {
    match desk.allows(&request.context, Operation::Alter, Resource::Cluster) {
        true => (ErrorCode::SecurityDisabled, "No Authorizer is configured."),
        false => (
            ErrorCode::ClusterAuthorizationFailed,
            "Cluster authorization failed.",
        ),
    }
}
