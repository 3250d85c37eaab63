//! DeleteAcls (31): rights to be taken.
//!
//! * 1 patterns of names · 2 flexible · 3 users as resources
//!
//! There is no authorizer: SECURITY_DISABLED for each filter, as by Kafka without one.

use bytes::Bytes;

use super::k29_describe_acls::{check_known, refusal};
use crate::context::throttle_ms;
use crate::desk::{Desk, Request, Started};
use crate::protocol::delete_acls_request::DeleteAclsRequest;
use crate::protocol::delete_acls_response::{DeleteAclsFilterResult, DeleteAclsResponse};

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: DeleteAclsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    for filter in &message.filters {
        let elements = [
            filter.resource_type_filter,
            filter.pattern_type_filter,
            filter.operation,
            filter.permission_type,
        ];
        if let Err(reason) = check_known(request, elements) {
            return Started::Close(reason);
        }
    }
    let (code, why) = refusal(desk, request);
    let result = DeleteAclsFilterResult {
        error_code: code.code(),
        error_message: Some(why.into()),
        ..DeleteAclsFilterResult::default()
    };
    Started::Answer(request.encode(&DeleteAclsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        filter_results: vec![result; message.filters.len()],
    }))
}
