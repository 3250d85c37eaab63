//! AlterConfigs (33): all configs of a topic at once; what is not named goes back to its default.
//!
//! * 0 the first · 1 as 0 · 2 flexible
//!
//! Kafka calls it deprecated: two clients that read, change and write overwrite each other. IncrementalAlterConfigs (44)
//! does not. Left out: configs of brokers cannot be changed, groups and client metrics have none.

use bytes::Bytes;

use crate::altering::{self, Altered, Wanted, WantedConfig, Which};
use crate::context::throttle_ms;
use crate::desk::{Desk, Encoded, Request, Started};
use crate::error_code;
use crate::protocol::alter_configs_request::{
    AlterConfigsRequest, AlterConfigsResource, AlterableConfig,
};
use crate::protocol::alter_configs_response::{AlterConfigsResourceResponse, AlterConfigsResponse};

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: AlterConfigsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let config = |config: AlterableConfig| WantedConfig {
        name: config.name,
        operation: altering::operation::SET,
        value: config.value,
    };
    let wanted = |resource: AlterConfigsResource| Wanted {
        kind: resource.resource_type,
        name: resource.resource_name,
        configs: resource.configs.into_iter().map(config).collect(),
    };
    let wanted = message.resources.into_iter().map(wanted).collect();
    altering::start(desk, request, Which::Replace, wanted, message.validate_only)
}

/// Size, header and body of the answer.
pub(crate) fn answer(desk: &Desk, request: &Request, altered: &[Altered]) -> Encoded {
    let response = |altered: &Altered| {
        let (code, message) = altered.refusal.clone().unzip();
        AlterConfigsResourceResponse {
            error_code: code.map_or(0, error_code::ErrorCode::code),
            error_message: message.flatten().map(error_code::message),
            resource_type: altered.kind,
            resource_name: altered.name.clone(),
        }
    };
    request.encode(&AlterConfigsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        responses: altered.iter().map(response).collect(),
    })
}
