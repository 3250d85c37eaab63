//! DescribeCluster (60): id, brokers and controller of the cluster.
//!
//! * 0 the first (KIP-700) · 1 endpoints of brokers or of controllers (KIP-919) · 2 fenced brokers (KIP-1073)
//!
//! Open to all who may connect, as with Kafka; only the operations allowed on the cluster are kept from those who may not
//! describe it. No broker is ever fenced yet.

use bytes::Bytes;

use super::k03_metadata::{CLUSTER_OPERATIONS, NO_OPERATIONS};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Request, Started};
use crate::error_code::ErrorCode;
use crate::protocol::describe_cluster_request::DescribeClusterRequest;
use crate::protocol::describe_cluster_response::{DescribeClusterBroker, DescribeClusterResponse};

/// Kafka's `EndpointType`.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeClusterRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let refuse = |code: ErrorCode, why: String| {
        Started::Answer(request.encode(&DescribeClusterResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            error_code: code.code(),
            error_message: Some(why.into()),
            ..DescribeClusterResponse::default()
        }))
    };
    match message.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            return refuse(
                ErrorCode::MismatchedEndpointType,
                "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                    .to_owned(),
            );
        }
        other => {
            return refuse(
                ErrorCode::UnsupportedEndpointType,
                format!("Unsupported endpoint type {other}"),
            );
        }
    }
    let nodes = desk.nodes(&request.context);
    let brokers = nodes.map(|(broker, endpoint)| DescribeClusterBroker {
        broker_id: broker.node.0,
        host: endpoint.host.as_str().into(),
        port: i32::from(endpoint.port),
        rack: broker.rack.as_deref().map(Into::into),
        is_fenced: false,
    });
    let described = desk.allows(&request.context, Operation::Describe, Resource::Cluster);
    Started::Answer(request.encode(&DescribeClusterResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        cluster_id: desk.cluster_id().as_str().into(),
        controller_id: desk.controller_id().0,
        brokers: brokers.collect(),
        cluster_authorized_operations: match (
            message.include_cluster_authorized_operations,
            described,
        ) {
            (false, _) => NO_OPERATIONS,
            (true, false) => 0,
            (true, true) => CLUSTER_OPERATIONS,
        },
        ..DescribeClusterResponse::default()
    }))
}
