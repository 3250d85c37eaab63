//! ApiVersions (18): what this broker speaks. The table of `api.rs`, as a message.
//!
//! * 0 · 1 throttle time · 2 as 1 · 3 flexible (its response header never is); client software name and version
//!   (KIP-511); features as tagged fields · 4 features may start at version 0
//!
//! A version that is not known here is answered in version 0, with UNSUPPORTED_VERSION and the row of key 18, so that
//! the client can ask again. Left out: features. Each switches client code paths, so none is named before it is real.

use bytes::Bytes;

use crate::api::{self, Api};
use crate::context::throttle_ms;
use crate::desk::{self, Desk, Encoded, Request, Started};
use crate::error_code::ErrorCode;
use crate::protocol::api_versions_request::ApiVersionsRequest;
use crate::protocol::api_versions_response::{ApiVersion, ApiVersionsResponse};

/// Answers a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: ApiVersionsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let named = request.header.version < 3
        || is_software_name(&message.client_software_name)
            && is_software_name(&message.client_software_version);
    let response = if named {
        ApiVersionsResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            api_keys: api::TABLE.iter().map(row).collect(),
            ..ApiVersionsResponse::default()
        }
    } else {
        ApiVersionsResponse {
            error_code: ErrorCode::InvalidRequest.code(),
            ..ApiVersionsResponse::default()
        }
    };
    Started::Answer(request.encode(&response))
}

/// The answer to a version of ApiVersions that is not known here.
pub fn unsupported(correlation_id: i32) -> Encoded {
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: api::TABLE
            .iter()
            .filter(|entry| entry.api == Api::ApiVersions)
            .map(row)
            .collect(),
        ..ApiVersionsResponse::default()
    };
    desk::encode(correlation_id, false, 0, &response)
}

fn row(entry: &api::Entry) -> ApiVersion {
    ApiVersion {
        api_key: entry.key,
        min_version: entry.version_min,
        max_version: entry.version_max,
    }
}

/// Kafka's `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`.
fn is_software_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter()
        .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked_as_kafka_does() {
        for (name, good) in [
            ("apache-kafka-java", true),
            ("4.3.1", true),
            ("x", true),
            ("", false),
            ("-x", false),
            ("x.", false),
            ("a b", false),
            ("a\nb", false),
        ] {
            assert_eq!(is_software_name(name), good, "{name:?}");
        }
    }
}
