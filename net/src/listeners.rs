//! The listeners of a node: where each accepts, and where its clients are told to connect.

use std::net::SocketAddr;

use corelane_engine::controller::command::Endpoint;

/// A listener, by its place in the list configured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ListenerId(pub u16);

/// Most listeners of one node: each holds a descriptor, and one of the accepts that may go beyond the most connections.
pub const LISTENERS_MAX: usize = 16;

/// One listener of this node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// The address bound.
    pub bound: SocketAddr,
    /// Its name, and what its clients are told.
    pub endpoint: Endpoint,
}

/// `host:port`, or `[host]:port` where the host is an IPv6 address.
pub fn host_port(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Kafka's `listeners`, as the broker's config of this name has it.
pub fn bound(listeners: &[Listener]) -> String {
    let one = |listener: &Listener| format!("{}://{}", listener.endpoint.listener, listener.bound);
    let all: Vec<String> = listeners.iter().map(one).collect();
    all.join(",")
}

/// Kafka's `advertised.listeners`.
pub fn advertised(endpoints: &[Endpoint]) -> String {
    let one = |e: &Endpoint| format!("{}://{}", e.listener, host_port(&e.host, e.port));
    let all: Vec<String> = endpoints.iter().map(one).collect();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_configs_are_lists_of_addresses_with_names() {
        let listener = |name: &str, bound: &str, host: &str, port| Listener {
            bound: bound.parse().expect("an address"),
            endpoint: Endpoint {
                listener: name.to_owned(),
                host: host.to_owned(),
                port,
            },
        };
        let listeners = [
            listener("HOST", "[::]:9092", "::1", 9092),
            listener("CONTAINER", "0.0.0.0:9093", "broker", 19093),
        ];
        assert_eq!(
            bound(&listeners),
            "HOST://[::]:9092,CONTAINER://0.0.0.0:9093"
        );
        let endpoints = listeners.map(|listener| listener.endpoint);
        assert_eq!(
            advertised(&endpoints),
            "HOST://[::1]:9092,CONTAINER://broker:19093"
        );
    }
}
