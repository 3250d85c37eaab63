//! A blocking Kafka client of single frames, with the `kafka-protocol` crate as codec: independent of our own, so that
//! a mistake there cannot hide here. Sends what it is told, broken bytes too.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    CreateTopicsRequest, FetchRequest, FetchResponse, MetadataRequest, MetadataResponse,
    ProduceRequest, ProduceResponse, RequestHeader, ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

/// How long an answer may take before the test calls it silence.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// What a broker did in response to bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// A whole frame, without its size.
    Frame(Vec<u8>),
    /// The connection was closed or reset.
    Closed,
    /// Neither within the time allowed.
    Silent,
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    correlation: i32,
}

impl Wire {
    pub fn connect(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        stream.set_nodelay(true).expect("a TCP socket");
        stream
            .set_write_timeout(Some(ANSWER_WITHIN))
            .expect("not zero");
        Wire {
            stream,
            correlation: 0,
        }
    }

    /// Sends `bytes` as they are. False when the broker had closed the connection.
    pub fn send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends `body` behind its size.
    pub fn send_frame(&mut self, body: &[u8]) -> bool {
        let mut frame = Vec::with_capacity(4 + body.len());
        frame.extend_from_slice(&u32::try_from(body.len()).expect("a frame").to_be_bytes());
        frame.extend_from_slice(body);
        self.send_raw(&frame)
    }

    /// No more bytes will come from us.
    pub fn finish(&mut self) {
        drop(self.stream.shutdown(Shutdown::Write));
    }

    /// The next frame, the end, or silence for `within`.
    pub fn reaction(&mut self, within: Duration) -> Reaction {
        let until = Instant::now() + within;
        let mut size = [0; 4];
        match self.read_exact_until(&mut size, until) {
            Reaction::Frame(_) => {}
            other => return other,
        }
        let size = usize::try_from(i32::from_be_bytes(size)).expect("an answer's size is positive");
        assert!(size < 256 << 20, "an answer of {size} bytes");
        let mut body = vec![0; size];
        match self.read_exact_until(&mut body, until) {
            Reaction::Frame(_) => Reaction::Frame(body),
            other => other,
        }
    }

    fn read_exact_until(&mut self, into: &mut [u8], until: Instant) -> Reaction {
        let mut filled = 0;
        while filled < into.len() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Reaction::Silent;
            }
            self.stream.set_read_timeout(Some(left)).expect("not zero");
            match self.stream.read(&mut into[filled..]) {
                Ok(0) => return Reaction::Closed,
                Ok(n) => filled += n,
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Reaction::Silent,
                    _ => return Reaction::Closed,
                },
            }
        }
        Reaction::Frame(Vec::new())
    }

    /// Sends one request without waiting for its answer; returns its correlation id.
    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.correlation += 1;
        let body = request_bytes(version, self.correlation, request);
        assert!(self.send_frame(&body), "the broker closed the connection");
        self.correlation
    }

    /// The answer to the request `correlation`.
    pub fn receive<R: Request>(&mut self, version: i16, correlation: i32) -> R::Response {
        match self.reaction(ANSWER_WITHIN) {
            Reaction::Frame(body) => {
                let (id, response) = decode_response::<R>(version, &body);
                assert_eq!(id, correlation, "answers come in the order asked");
                response
            }
            other => panic!("api {} version {version}: {other:?}", R::KEY),
        }
    }

    /// One request, one answer.
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let correlation = self.send(version, request);
        self.receive::<R>(version, correlation)
    }

    /// Creates one topic and waits until each of its partitions answers a fetch: Apache Kafka answers CreateTopics, and
    /// names leaders, a moment before they serve. Panics on any error.
    pub fn create_topic(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let response = self.call(5, &create_topics(name, partitions, configs));
        let topic = &response.topics[0];
        assert_eq!(
            topic.error_code, 0,
            "creating {name}: {:?}",
            topic.error_message
        );
        let until = Instant::now() + ANSWER_WITHIN;
        for partition in 0..partitions {
            loop {
                let answer = self.fetch(name, partition, 0);
                let code = answer.responses[0].partitions[0].error_code;
                if code == 0 {
                    break;
                }
                assert!(
                    Instant::now() < until,
                    "{name}-{partition} serves nothing: error {code}"
                );
            }
        }
    }

    /// Metadata of one topic, never creating it.
    pub fn metadata(&mut self, name: &str) -> MetadataResponse {
        let topic = MetadataRequestTopic::default().with_name(Some(topic_of(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(false);
        self.call(12, &request)
    }

    /// Produces `records`, bytes of one or more batches, to one partition with acks=all.
    pub fn produce(&mut self, topic: &str, partition: i32, records: Bytes) -> ProduceResponse {
        self.call(9, &produce_request(topic, partition, -1, records))
    }

    /// Fetches one partition without waiting.
    pub fn fetch(&mut self, topic: &str, partition: i32, offset: i64) -> FetchResponse {
        self.call(11, &fetch_request(topic, partition, offset, 0))
    }
}

/// A topic's name in the codec's type.
pub fn topic_of(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A CreateTopics request for one topic, one replica.
pub fn create_topics(name: &str, partitions: i32, configs: &[(&str, &str)]) -> CreateTopicsRequest {
    let configs = configs
        .iter()
        .map(|(name, value)| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_string((*name).to_owned()))
                .with_value(Some(StrBytes::from_string((*value).to_owned())))
        })
        .collect();
    let topic = CreatableTopic::default()
        .with_name(topic_of(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(configs);
    CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000)
}

/// A Produce request for one partition, by name.
pub fn produce_request(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    let partition = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(topic_of(topic))
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic])
}

/// A sessionless Fetch request for one partition, by name.
pub fn fetch_request(topic: &str, partition: i32, offset: i64, wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(topic_of(topic))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// Header and body of a request, without the size.
pub fn request_bytes<R: Request>(version: i16, correlation: i32, request: &R) -> Vec<u8> {
    let mut bytes = header_bytes::<R>(version, correlation);
    request
        .encode(&mut bytes, version)
        .expect("the test's request has a value for this version");
    bytes.to_vec()
}

/// The request header alone.
pub fn header_bytes<R: Request>(version: i16, correlation: i32) -> BytesMut {
    let mut bytes = BytesMut::new();
    RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str("corelane-tests")))
        .encode(&mut bytes, R::header_version(version))
        .expect("a plain header");
    bytes
}

/// Correlation id and body of an answer; panics when it does not decode to its end.
pub fn decode_response<R: Request>(version: i16, frame: &[u8]) -> (i32, R::Response) {
    let mut bytes = Bytes::copy_from_slice(frame);
    let header = ResponseHeader::decode(&mut bytes, R::Response::header_version(version))
        .expect("a response header");
    let response = R::Response::decode(&mut bytes, version)
        .unwrap_or_else(|error| panic!("api {} version {version}: {error}\n{frame:02x?}", R::KEY));
    assert!(
        bytes.is_empty(),
        "api {} version {version}: {} trailing bytes in\n{frame:02x?}",
        R::KEY,
        bytes.len()
    );
    (header.correlation_id, response)
}
