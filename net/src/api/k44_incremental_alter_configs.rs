//! IncrementalAlterConfigs (44): single configs of a topic are set, deleted, or, where they are lists, added to and taken
//! from (KIP-339).
//!
//! * 0 the first · 1 flexible
//!
//! A topic's configs change all or not at all; what is appended after the answer obeys them. Left out: configs of brokers
//! cannot be changed, loggers, groups and client metrics have none.

use bytes::Bytes;

use crate::altering::{self, Altered, Wanted, WantedConfig, Which};
use crate::context::throttle_ms;
use crate::desk::{Desk, Encoded, Request, Started};
use crate::error_code;
use crate::protocol::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use crate::protocol::incremental_alter_configs_response::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsResponse,
};

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: IncrementalAlterConfigsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let config = |config: AlterableConfig| WantedConfig {
        name: config.name,
        operation: config.config_operation,
        value: config.value,
    };
    let wanted = |resource: AlterConfigsResource| Wanted {
        kind: resource.resource_type,
        name: resource.resource_name,
        configs: resource.configs.into_iter().map(config).collect(),
    };
    let wanted = message.resources.into_iter().map(wanted).collect();
    altering::start(desk, request, Which::Change, wanted, message.validate_only)
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
    request.encode(&IncrementalAlterConfigsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        responses: altered.iter().map(response).collect(),
    })
}
