//! ListConfigResources (74): what has configs.
//!
//! * 0 client metrics only (as ListClientMetricsResources) · 1 any kind of resource (KIP-1142)
//!
//! Topics and brokers have. Left out: loggers, which Kafka lists by broker; groups and client metrics have none here.

use bytes::Bytes;

use crate::configs::resource;
use crate::context::{Operation, Resource, shown_topic, throttle_ms};
use crate::desk::{Desk, Request, Started};
use crate::error_code::ErrorCode;
use crate::protocol::Str;
use crate::protocol::list_config_resources_request::ListConfigResourcesRequest;
use crate::protocol::list_config_resources_response::{
    ConfigResource, ListConfigResourcesResponse,
};

/// What a client of each version may ask for.
const KNOWN_0: &[i8] = &[resource::CLIENT_METRICS];
const KNOWN: &[i8] = &[
    resource::TOPIC,
    resource::BROKER,
    resource::BROKER_LOGGER,
    resource::CLIENT_METRICS,
    resource::GROUP,
];

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: ListConfigResourcesRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut response = ListConfigResourcesResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..ListConfigResourcesResponse::default()
    };
    let known = match request.header.version {
        0 => KNOWN_0,
        _ => KNOWN,
    };
    let asked = match message.resource_types.is_empty() {
        true => known,
        false => &message.resource_types[..],
    };
    let context = &request.context;
    if !desk.allows(context, Operation::DescribeConfigs, Resource::Cluster) {
        response.error_code = ErrorCode::ClusterAuthorizationFailed.code();
    } else if asked.iter().any(|kind| !known.contains(kind)) {
        response.error_code = ErrorCode::UnsupportedVersion.code();
    } else {
        let list = &mut response.config_resources;
        let of = |name: Str, kind| ConfigResource {
            resource_name: name,
            resource_type: kind,
        };
        if asked.contains(&resource::BROKER) {
            let brokers = desk.brokers().map(|broker| broker.node.0.to_string());
            list.extend(brokers.map(|id| of(id.into(), resource::BROKER)));
        }
        if asked.contains(&resource::TOPIC) {
            let names = desk.topics().map(|topic| shown_topic(context, topic.name));
            list.extend(names.map(|name| of(name.into(), resource::TOPIC)));
        }
    }
    Started::Answer(request.encode(&response))
}
