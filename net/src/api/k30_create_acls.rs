//! CreateAcls (30): rights to be given.
//!
//! * 1 patterns of names · 2 flexible · 3 users as resources
//!
//! There is no authorizer: SECURITY_DISABLED for each, as by Kafka without one.

use bytes::Bytes;

use super::k29_describe_acls::{check_known, refusal};
use crate::context::throttle_ms;
use crate::desk::{Desk, Request, Started};
use crate::protocol::create_acls_request::CreateAclsRequest;
use crate::protocol::create_acls_response::{AclCreationResult, CreateAclsResponse};

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: CreateAclsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    for creation in &message.creations {
        let elements = [
            creation.resource_type,
            creation.resource_pattern_type,
            creation.operation,
            creation.permission_type,
        ];
        if let Err(reason) = check_known(request, elements) {
            return Started::Close(reason);
        }
    }
    let (code, why) = refusal(desk, request);
    let result = AclCreationResult {
        error_code: code.code(),
        error_message: Some(why.into()),
    };
    Started::Answer(request.encode(&CreateAclsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        results: vec![result; message.creations.len()],
    }))
}
