//! Who asks, and the seams every request passes: authorization, throttling, names, transport.

use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use corelane_engine::types::Now;

/// Whoever a request acts for. Kafka's `KafkaPrincipal`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    pub kind: &'static str,
    pub name: &'static str,
}

impl Principal {
    /// Everyone, until there is authentication.
    pub const ANONYMOUS: Principal = Principal {
        kind: "User",
        name: "ANONYMOUS",
    };
}

/// What every request runs with.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub principal: Principal,
    /// Name of the listener that accepted the connection.
    pub listener: Rc<str>,
    pub peer: SocketAddr,
    /// As sent: null and empty are alike; not checked to be UTF-8. A slice of the receive buffer, until the request is
    /// detached from it.
    pub client_id: Bytes,
}

/// Kafka's `AclOperation`, as far as the served APIs ask for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Read,
    Write,
    Create,
    Delete,
    Alter,
    Describe,
    DescribeConfigs,
    AlterConfigs,
    IdempotentWrite,
    ClusterAction,
}

/// What an operation is done to. The cluster has no name of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource<'a> {
    Cluster,
    Topic(&'a str),
    Group(&'a str),
    TransactionalId(&'a str),
}

/// Decides whether a request may do what it asks. One function for all APIs: handlers filter or refuse by its answer.
pub type Authorize = fn(&RequestContext, Operation, Resource<'_>) -> bool;

/// Yes, until there are ACLs.
pub fn authorize_all(_: &RequestContext, _: Operation, _: Resource<'_>) -> bool {
    true
}

/// How long the client is asked to wait before its next request, in milliseconds; from counters per principal and
/// client, once there are quotas.
pub fn throttle_ms(_: &RequestContext, _: Now) -> i32 {
    0
}

/// The stored name of the topic that a client calls `name`. A tenant's namespace will enter here.
pub fn resolve_topic<'a>(_: &RequestContext, name: &'a str) -> &'a str {
    name
}

/// The name by which a client knows the topic stored as `name`: the inverse of [`resolve_topic`].
pub fn shown_topic<'a>(_: &RequestContext, name: &'a str) -> &'a str {
    name
}

/// The stored name of the group that a client calls `name`: as [`resolve_topic`].
pub fn resolve_group<'a>(_: &RequestContext, name: &'a str) -> &'a str {
    name
}

/// The name by which a client knows the group stored as `name`: the inverse of [`resolve_group`].
pub fn shown_group<'a>(_: &RequestContext, name: &'a str) -> &'a str {
    name
}

/// What a connection's bytes pass between socket and frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Transport {
    /// As they are. TLS will be a second variant.
    #[default]
    Plain,
}
