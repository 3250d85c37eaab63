//! DescribeConfigs (32): the configs of topics and of this broker.
//!
//! * 1 sources and synonyms · 2 as 1 · 3 types and documentation (KIP-569) · 4 flexible
//!
//! Codes are those of Kafka's `ConfigHelper`. Left out: loggers, groups and client metrics, which have no configs here;
//! and an answer larger than a request may be: it would hold a resource named again and again.

use bytes::Bytes;
use corelane_engine::controller::names;

use crate::api::CloseReason;
use crate::broker_configs;
use crate::configs::{self, Shown, resource};
use crate::context::{Operation, Resource, resolve_topic, throttle_ms};
use crate::desk::{Desk, Refusal, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use crate::protocol::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResponse, DescribeConfigsResult,
    DescribeConfigsSynonym,
};

/// Configs, synonyms counted too, that one answer may hold: those of some thousand topics.
const CONFIGS_PER_ANSWER_MAX: usize = 500_000;

/// Starts a request.
pub fn start(desk: &Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeConfigsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut response = DescribeConfigsResponse {
        throttle_time_ms: throttle_ms(&request.context, desk.now),
        ..DescribeConfigsResponse::default()
    };
    if message.resources.iter().any(|r| !is_known(r.resource_type)) {
        // Kafka refuses all of it.
        let refused = |r: &DescribeConfigsResource| {
            let why = "This most likely occurs because of a request being malformed by the client library or the \
                       message was sent to an incompatible broker. See the broker logs for more details.";
            refused(r, (ErrorCode::InvalidRequest, Some(why.to_owned())))
        };
        response.results = message.resources.iter().map(refused).collect();
        return Started::Answer(request.encode(&response));
    }
    let mut total = 0;
    for resource in &message.resources {
        let result = match describe(desk, request, resource) {
            Err(refusal) => refused(resource, refusal),
            Ok(configs) => {
                let configs = configs.into_iter().map(|shown| result(&message, shown));
                DescribeConfigsResult {
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name.clone(),
                    configs: configs.collect(),
                    ..DescribeConfigsResult::default()
                }
            }
        };
        total += result
            .configs
            .iter()
            .map(|c| 1 + c.synonyms.len())
            .sum::<usize>();
        if total > CONFIGS_PER_ANSWER_MAX {
            return Started::Close(CloseReason::BadRequest {
                name: request.header.entry.name,
                version: request.header.version,
                why: format!("more than {CONFIGS_PER_ANSWER_MAX} configs in one answer"),
            });
        }
        response.results.push(result);
    }
    Started::Answer(request.encode(&response))
}

fn is_known(kind: i8) -> bool {
    matches!(
        kind,
        resource::TOPIC
            | resource::BROKER
            | resource::BROKER_LOGGER
            | resource::CLIENT_METRICS
            | resource::GROUP
    )
}

fn refused(resource: &DescribeConfigsResource, (code, message): Refusal) -> DescribeConfigsResult {
    DescribeConfigsResult {
        error_code: code.code(),
        // Kafka's default is an empty string.
        error_message: Some(message.map_or_else(Default::default, error_code::message)),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..DescribeConfigsResult::default()
    }
}

fn invalid(why: String) -> Refusal {
    (ErrorCode::InvalidRequest, Some(why))
}

fn describe(
    desk: &Desk,
    request: &Request,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Shown>, Refusal> {
    let context = &request.context;
    let name: &str = &resource.resource_name;
    let keys = resource.configuration_keys.as_ref();
    let keys = keys.filter(|keys| !keys.is_empty());
    let wanted = |name: &str| keys.is_none_or(|keys| keys.iter().any(|key| &**key == name));
    let allows = |of| desk.allows(context, Operation::DescribeConfigs, of);
    match resource.resource_type {
        resource::TOPIC if !allows(Resource::Topic(name)) => Err((
            ErrorCode::TopicAuthorizationFailed,
            Some("Topic authorization failed.".to_owned()),
        )),
        resource::TOPIC => {
            names::check(name).map_err(|why| (ErrorCode::InvalidTopicException, Some(why)))?;
            let topic = desk.image.topic(resolve_topic(context, name));
            let topic = topic.ok_or((ErrorCode::UnknownTopicOrPartition, None))?;
            Ok(configs::of_topic(topic, wanted))
        }
        _ if !allows(Resource::Cluster) => Err((
            ErrorCode::ClusterAuthorizationFailed,
            Some("Cluster authorization failed.".to_owned()),
        )),
        // Defaults of all brokers that were changed while they run: there are none.
        resource::BROKER if name.is_empty() => Ok(Vec::new()),
        resource::BROKER => match name.parse::<i32>() {
            Err(_) => Err(invalid(format!(
                "Broker id must be an integer, but it is: {name}"
            ))),
            Ok(id) if id != desk.node.0 => Err(invalid(format!(
                "Unexpected broker id, expected {} or empty string, but received {name}",
                desk.node.0
            ))),
            Ok(_) => Ok(broker_configs::shown(desk, wanted)),
        },
        resource::BROKER_LOGGER if name.is_empty() => {
            Err(invalid("Broker id must not be empty".to_owned()))
        }
        resource::CLIENT_METRICS if name.is_empty() => Err(invalid(
            "Client metrics subscription name must not be empty".to_owned(),
        )),
        resource::GROUP if name.is_empty() => {
            Err(invalid("Group name must not be empty".to_owned()))
        }
        resource::BROKER_LOGGER => Err(unsupported("BROKER_LOGGER")),
        resource::CLIENT_METRICS => Err(unsupported("CLIENT_METRICS")),
        resource::GROUP => Err(unsupported("GROUP")),
        other => Err(invalid(format!("Unsupported resource type: {other}"))),
    }
}

fn unsupported(kind: &str) -> Refusal {
    invalid(format!("Unsupported resource type: {kind}"))
}

fn result(message: &DescribeConfigsRequest, shown: Shown) -> DescribeConfigsResourceResult {
    let synonyms = shown.synonyms.into_iter().map(|s| DescribeConfigsSynonym {
        name: s.name.into(),
        value: Some(s.value.into()),
        source: s.source as i8,
    });
    DescribeConfigsResourceResult {
        name: shown.name.into(),
        value: shown.value.map(Into::into),
        read_only: shown.read_only,
        config_source: shown.source as i8,
        synonyms: match message.include_synonyms {
            true => synonyms.collect(),
            false => Vec::new(),
        },
        config_type: shown.of as i8,
        documentation: message
            .include_documentation
            .then(|| shown.documentation.into()),
        ..DescribeConfigsResourceResult::default()
    }
}
