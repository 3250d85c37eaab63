//! Every API that Kafka knows: its number, name, versions and headers. What a broker serves is a narrower table.

use crate::generated::apis::APIS;

/// One API of Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Api {
    /// Its number.
    pub key: i16,
    /// Kafka's name, such as `Fetch`.
    pub name: &'static str,
    /// First and last version that Kafka 4.3 knows, both inclusive.
    pub versions: (i16, i16),
    /// Whether the last version is not to be served yet.
    pub latest_version_unstable: bool,
    /// First flexible version of the request; `i16::MAX` when there is none.
    pub request_flexible_from: i16,
    /// First flexible version of the response; `i16::MAX` when there is none.
    pub response_flexible_from: i16,
    /// Who listens for it.
    pub listeners: &'static [Listener],
}

/// Who listens for an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// A broker, for clients and other brokers.
    Broker,
    /// A controller of the KRaft quorum.
    Controller,
}

/// All APIs, by rising key.
pub fn apis() -> &'static [Api] {
    &APIS
}

/// The API of this number.
pub fn api(key: i16) -> Option<&'static Api> {
    let at = APIS.binary_search_by_key(&key, |api| api.key).ok()?;
    APIS.get(at)
}

/// The version of the header in front of a request; `None` when Kafka has no such API.
///
/// The version need not be one that exists: an ApiVersions request of a newer client must still be understood.
pub fn request_header_version(key: i16, version: i16) -> Option<i16> {
    let flexible = version >= api(key)?.request_flexible_from;
    Some(if flexible { 2 } else { 1 })
}

/// The version of the header in front of a response; `None` when Kafka has no such API.
///
/// That of ApiVersions never has tags (KIP-511): its reader does not yet know what the broker speaks.
pub fn response_header_version(key: i16, version: i16) -> Option<i16> {
    const API_VERSIONS: i16 = 18;
    let flexible = version >= api(key)?.response_flexible_from && key != API_VERSIONS;
    Some(i16::from(flexible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rise() {
        assert!(APIS.is_sorted_by(|a, b| a.key < b.key));
    }

    #[test]
    fn headers() {
        let check = |key, version, request, response| {
            assert_eq!(request_header_version(key, version), request);
            assert_eq!(response_header_version(key, version), response);
        };
        check(0, 8, Some(1), Some(0));
        check(0, 9, Some(2), Some(1));
        check(18, 2, Some(1), Some(0));
        check(18, 3, Some(2), Some(0));
        check(18, 99, Some(2), Some(0));
        check(17, 1, Some(1), Some(0));
        check(7, 0, None, None);
        check(-1, 0, None, None);
    }

    #[test]
    fn the_table_says_what_kafka_says() {
        let fetch = api(1).unwrap();
        assert_eq!((fetch.name, fetch.versions), ("Fetch", (4, 18)));
        assert!(api(22).unwrap().latest_version_unstable);
        assert_eq!(api(56).unwrap().listeners, [Listener::Controller]);
    }
}
