//! A blocking Kafka client for the commands: one connection per broker, versions agreed on, any Kafka broker.
//!
//! ```text
//!  bootstrap ─► ApiVersions ─► Metadata ─► brokers by id ─► a connection to a leader or coordinator when first needed
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::Bytes;
use corelane_net::protocol::api_versions_request::ApiVersionsRequest;
use corelane_net::protocol::api_versions_response::ApiVersionsResponse;
use corelane_net::protocol::find_coordinator_request::FindCoordinatorRequest;
use corelane_net::protocol::metadata_request::{MetadataRequest, MetadataRequestTopic};
use corelane_net::protocol::metadata_response::{MetadataResponse, MetadataResponseTopic};
use corelane_net::protocol::{
    self, DecodeError, EncodeError, Message, Reader, Request, Str, Writer,
};

use crate::kafka_error;

/// How this client names itself in requests and in the broker's logs.
const CLIENT_ID: &str = "corelane";
/// No answer of a sound broker is larger.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Arrays of an answer may take this much memory: 100,000 partitions and more.
const ANSWER_MEMORY_MAX: usize = 1 << 30;
/// How long a coordinator or a leader that is not there yet is asked again.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("no broker at {address}: {error}")]
    Connect { address: String, error: io::Error },
    #[error("{address}: {error}")]
    Socket { address: String, error: io::Error },
    #[error("{address}: no answer to {what} within {seconds} s")]
    Timeout {
        address: String,
        what: &'static str,
        seconds: u64,
    },
    #[error("{address}: {what} is not served by this broker")]
    NotServed { address: String, what: &'static str },
    #[error("{address}: the answer to {what} cannot be read: {error}")]
    Malformed {
        address: String,
        what: &'static str,
        error: String,
    },
    #[error("{what} cannot be sent: {error}")]
    Unsendable {
        what: &'static str,
        error: EncodeError,
    },
    /// The broker said no.
    #[error("{what}: {}", kafka_error::text(*code, message.as_deref()))]
    Refused {
        what: String,
        code: i16,
        message: Option<String>,
    },
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Local(#[from] io::Error),
}

impl ClientError {
    /// 1: refused or failed; 2: asked for wrongly; 3: no broker.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            ClientError::Usage(_) => 2,
            ClientError::Connect { .. } => 3,
            ClientError::Socket { .. }
            | ClientError::Timeout { .. }
            | ClientError::NotServed { .. }
            | ClientError::Malformed { .. }
            | ClientError::Unsendable { .. }
            | ClientError::Refused { .. }
            | ClientError::Local(_) => 1,
        }
    }
}

/// Turns a code and its message into a result. `what`: for whom it is said.
pub(crate) fn checked(
    what: impl Into<String>,
    code: i16,
    message: Option<&Str>,
) -> Result<(), ClientError> {
    match code {
        0 => Ok(()),
        _ => Err(ClientError::Refused {
            what: what.into(),
            code,
            message: message.map(|text| text.as_str().to_owned()),
        }),
    }
}

/// One connection.
struct Connection {
    address: String,
    stream: TcpStream,
    correlation: i32,
    versions: BTreeMap<i16, (i16, i16)>,
    timeout: Duration,
}

impl Connection {
    fn open(address: &str, timeout: Duration) -> Result<Connection, ClientError> {
        let failed = |error| ClientError::Connect {
            address: address.to_owned(),
            error,
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let mut stream = None;
        for at in address.to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&at, timeout) {
                Ok(found) => {
                    stream = Some(found);
                    break;
                }
                Err(error) => last = error,
            }
        }
        let stream = stream.ok_or(last).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_write_timeout(Some(timeout)).map_err(failed)?;
        let mut connection = Connection {
            address: address.to_owned(),
            stream,
            correlation: 0,
            versions: BTreeMap::new(),
            timeout,
        };
        // Version 0 is the one that everybody understands.
        let answer: ApiVersionsResponse = connection.call_at(0, &ApiVersionsRequest::default())?;
        checked(address, answer.error_code, None)?;
        let keys = answer.api_keys.iter();
        connection.versions = keys
            .map(|api| (api.api_key, (api.min_version, api.max_version)))
            .collect();
        Ok(connection)
    }

    /// The newest version of an API that both sides know.
    fn version<R: Request>(&self) -> Result<i16, ClientError> {
        let not_served = || ClientError::NotServed {
            address: self.address.clone(),
            what: R::NAME,
        };
        let (low, high) = self.versions.get(&R::API_KEY).ok_or_else(not_served)?;
        let unstable = protocol::api(R::API_KEY).is_some_and(|api| api.latest_version_unstable);
        let version = (*high).min(R::VERSIONS.1 - i16::from(unstable));
        if version < *low || version < R::VERSIONS.0 {
            return Err(not_served());
        }
        Ok(version)
    }

    fn send<R: Request>(&mut self, version: i16, request: &R) -> Result<(), ClientError> {
        let unsendable = |error| ClientError::Unsendable {
            what: R::NAME,
            error,
        };
        self.correlation += 1;
        let mut writer = Writer::frame();
        writer.i16(R::API_KEY);
        writer.i16(version);
        writer.i32(self.correlation);
        writer
            .str(&Str::from_static(CLIENT_ID), false)
            .map_err(unsendable)?;
        if version >= R::FLEXIBLE_FROM {
            writer.uvarint(0);
        }
        request.encode(&mut writer, version).map_err(unsendable)?;
        for part in writer.finish() {
            self.stream
                .write_all(&part)
                .map_err(|error| self.broken(error))?;
        }
        Ok(())
    }

    fn call_at<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        self.send(version, request)?;
        let body = self.receive(R::NAME)?;
        let mut reader = Reader::with_budget(body, ANSWER_MEMORY_MAX);
        let malformed = |error: DecodeError| ClientError::Malformed {
            address: self.address.clone(),
            what: R::NAME,
            error: error.to_string(),
        };
        let correlation = reader.i32().map_err(malformed)?;
        if correlation != self.correlation {
            return Err(ClientError::Malformed {
                address: self.address.clone(),
                what: R::NAME,
                error: format!("it answers request {correlation}, not {}", self.correlation),
            });
        }
        if protocol::response_header_version(R::API_KEY, version) == Some(1) {
            reader.skip_tags().map_err(malformed)?;
        }
        R::Response::decode(&mut reader, version).map_err(malformed)
    }

    fn receive(&mut self, what: &'static str) -> Result<Bytes, ClientError> {
        let until = Instant::now() + self.timeout;
        let mut size = [0; 4];
        self.fill(&mut size, what, until)?;
        let size = i32::from_be_bytes(size);
        let size = usize::try_from(size)
            .ok()
            .filter(|size| *size <= ANSWER_BYTES_MAX)
            .ok_or_else(|| ClientError::Malformed {
                address: self.address.clone(),
                what,
                error: format!("{size} bytes: is this a Kafka listener, and without TLS?"),
            })?;
        let mut body = vec![0; size];
        self.fill(&mut body, what, until)?;
        Ok(Bytes::from(body))
    }

    fn fill(
        &mut self,
        into: &mut [u8],
        what: &'static str,
        until: Instant,
    ) -> Result<(), ClientError> {
        let mut filled = 0;
        while filled < into.len() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.silent(what));
            }
            self.stream
                .set_read_timeout(Some(left))
                .map_err(|error| self.broken(error))?;
            match self.stream.read(&mut into[filled..]) {
                Ok(0) => {
                    return Err(self.broken(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the broker closed the connection",
                    )));
                }
                Ok(count) => filled += count,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                        return Err(self.silent(what));
                    }
                    _ => return Err(self.broken(error)),
                },
            }
        }
        Ok(())
    }

    fn broken(&self, error: io::Error) -> ClientError {
        ClientError::Socket {
            address: self.address.clone(),
            error,
        }
    }

    fn silent(&self, what: &'static str) -> ClientError {
        ClientError::Timeout {
            address: self.address.clone(),
            what,
            seconds: self.timeout.as_secs(),
        }
    }
}

/// Whom a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum To {
    /// Whoever was reached first.
    Any,
    /// A broker's id, as Metadata or FindCoordinator names it.
    Broker(i32),
}

/// The brokers, as far as they were needed.
pub(crate) struct Cluster {
    any: Connection,
    brokers: BTreeMap<i32, String>,
    connections: BTreeMap<i32, Connection>,
    timeout: Duration,
}

impl Cluster {
    /// Connects to the first of `bootstrap` (`HOST:PORT,HOST:PORT`) that answers.
    pub(crate) fn connect(bootstrap: &str, timeout: Duration) -> Result<Cluster, ClientError> {
        let mut failed = None;
        for address in bootstrap
            .split(',')
            .map(str::trim)
            .filter(|a| !a.is_empty())
        {
            if !address.contains(':') {
                return Err(ClientError::Usage(format!(
                    "--brokers {address}: expected HOST:PORT, e.g. 127.0.0.1:9092"
                )));
            }
            match Connection::open(address, timeout) {
                Ok(any) => {
                    return Ok(Cluster {
                        any,
                        brokers: BTreeMap::new(),
                        connections: BTreeMap::new(),
                        timeout,
                    });
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| ClientError::Usage("--brokers: no address".to_owned())))
    }

    fn connection(&mut self, to: To) -> Result<&mut Connection, ClientError> {
        let To::Broker(id) = to else {
            return Ok(&mut self.any);
        };
        if !self.connections.contains_key(&id) {
            let address = self.brokers.get(&id).ok_or_else(|| {
                ClientError::Usage(format!("broker {id} is not one of this cluster"))
            })?;
            let connection = Connection::open(address, self.timeout)?;
            self.connections.insert(id, connection);
        }
        Ok(self.connections.get_mut(&id).expect("just opened"))
    }

    /// The version in which `R` will be sent.
    pub(crate) fn version<R: Request>(&mut self, to: To) -> Result<i16, ClientError> {
        self.connection(to)?.version::<R>()
    }

    /// One request and its answer, in the newest version that both sides know.
    pub(crate) fn call<R: Request>(
        &mut self,
        to: To,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        let version = self.version::<R>(to)?;
        self.call_at(to, version, request)
    }

    /// One request and its answer, in a version that the caller chose the fields for.
    pub(crate) fn call_at<R: Request>(
        &mut self,
        to: To,
        version: i16,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        let answer = self.connection(to)?.call_at(version, request);
        if let (Err(ClientError::Socket { .. } | ClientError::Timeout { .. }), To::Broker(id)) =
            (&answer, to)
        {
            // What comes late would be taken for the answer to the next request.
            self.connections.remove(&id);
        }
        answer
    }

    /// One request whose answer may take this much longer than others.
    pub(crate) fn call_waiting<R: Request>(
        &mut self,
        to: To,
        version: i16,
        request: &R,
        longer: Duration,
    ) -> Result<R::Response, ClientError> {
        let timeout = self.timeout;
        self.connection(to)?.timeout = timeout + longer;
        let answer = self.call_at(to, version, request);
        if let Ok(connection) = self.connection(to) {
            connection.timeout = timeout;
        }
        answer
    }

    /// One request that is not answered (produce with acks=0).
    pub(crate) fn tell<R: Request>(&mut self, to: To, request: &R) -> Result<(), ClientError> {
        let connection = self.connection(to)?;
        let version = connection.version::<R>()?;
        connection.send(version, request)
    }

    /// Metadata of these topics; `None`: of all.
    pub(crate) fn metadata(
        &mut self,
        topics: Option<&[String]>,
    ) -> Result<MetadataResponse, ClientError> {
        let topic = |name: &String| MetadataRequestTopic {
            name: Some(name.as_str().into()),
            ..MetadataRequestTopic::default()
        };
        let request = MetadataRequest {
            topics: topics.map(|names| names.iter().map(topic).collect()),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let answer = self.call(To::Any, &request)?;
        for broker in &answer.brokers {
            let address = format!("{}:{}", bracketed(&broker.host), broker.port);
            self.brokers.insert(broker.node_id, address);
        }
        Ok(answer)
    }

    /// One topic that must exist, with all its partitions led by someone.
    pub(crate) fn topic(&mut self, name: &str) -> Result<MetadataResponseTopic, ClientError> {
        let until = Instant::now() + self.timeout;
        loop {
            let answer = self.metadata(Some(&[name.to_owned()]))?;
            let topic = answer.topics.into_iter().next().unwrap_or_default();
            let code = match topic.error_code {
                0 => topic
                    .partitions
                    .iter()
                    .map(|p| p.error_code)
                    .find(|code| *code != 0)
                    .unwrap_or(0),
                code => code,
            };
            if code == 0 {
                return Ok(topic);
            }
            if !kafka_error::is_retriable(code)
                || topic.error_code == kafka_error::UNKNOWN_TOPIC
                || Instant::now() >= until
            {
                checked(format!("topic {name}"), code, None)?;
            }
            std::thread::sleep(RETRY_EVERY);
        }
    }

    /// The broker that coordinates a group, once there is one.
    pub(crate) fn coordinator(&mut self, group: &str) -> Result<To, ClientError> {
        let until = Instant::now() + self.timeout;
        loop {
            let version = self.version::<FindCoordinatorRequest>(To::Any)?;
            let many = version >= 4;
            let request = FindCoordinatorRequest {
                key: if many { Str::new() } else { group.into() },
                coordinator_keys: if many { vec![group.into()] } else { Vec::new() },
                ..FindCoordinatorRequest::default()
            };
            let answer = self.call_at(To::Any, version, &request)?;
            let (code, message, node, host, port) = match answer.coordinators.into_iter().next() {
                Some(found) => (
                    found.error_code,
                    found.error_message,
                    found.node_id,
                    found.host,
                    found.port,
                ),
                None => (
                    answer.error_code,
                    answer.error_message,
                    answer.node_id,
                    answer.host,
                    answer.port,
                ),
            };
            if code == 0 {
                let address = format!("{}:{port}", bracketed(&host));
                self.brokers.insert(node, address);
                return Ok(To::Broker(node));
            }
            if !kafka_error::is_retriable(code) || Instant::now() >= until {
                checked(format!("group {group}"), code, message.as_ref())?;
            }
            std::thread::sleep(RETRY_EVERY);
        }
    }
}

/// IPv6 addresses need brackets in front of a port.
fn bracketed(host: &Str) -> String {
    match host.contains(':') {
        true => format!("[{}]", host.as_str()),
        false => host.as_str().to_owned(),
    }
}
