//! What changes the metadata: commands are proposed and checked against the image, records are committed and folded.
//!
//! ```text
//!  shard ── Command ──► controller: check against the image ── Vec<Record> ──► Raft ── committed ──► Image::apply
//!                            └─► CommandError                       (encoded: {kind, version, length} + fields, each)
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use super::codec::{CodecError, Reader, put_count, put_nodes, put_string};
use super::topic_config::Configs;
use crate::types::{NodeId, TopicId};

/// What a shard asks of the controller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Answered by [`Outcome::Created`].
    CreateTopic(NewTopic),
    /// Answered by [`Outcome::Done`]; so are all that say nothing else.
    DeleteTopic { id: TopicId },
    /// Every start of a broker: its address may have changed.
    RegisterBroker(Broker),
    /// Answered by [`Outcome::ProducerIds`]: a block for the asking shard alone.
    AllocateProducerIds { count: u32 },
    /// After an unclean stop: raises the leader epoch of every partition that `node` leads.
    RaiseLeaderEpochs { node: NodeId },
    /// Finalizes `corelane.version`, the gate of newer records.
    FinalizeVersion { version: u16 },
    /// Changes the configs of a topic.
    AlterTopicConfigs(AlterTopic),
    /// Adds partitions to a topic.
    CreatePartitions(MorePartitions),
    /// Changes nothing. Answered by [`Outcome::Quorum`].
    DescribeQuorum,
}

/// A topic to be, as CreateTopics (key 19) asks for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTopic {
    pub name: String,
    pub layout: Layout,
    /// A value of `None` is refused with Kafka's message.
    pub configs: Vec<(String, Option<String>)>,
    /// Check and answer only.
    pub validate_only: bool,
}

/// How many partitions, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Layout {
    /// -1 is the broker's default for either.
    Count { partitions: i32, replicas: i16 },
    /// Partition and its replicas, the preferred leader first, as the client sent them.
    Assigned(Vec<(i32, Vec<NodeId>)>),
}

/// What AlterConfigs (key 33) and IncrementalAlterConfigs (key 44) ask of one topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterTopic {
    pub name: String,
    pub change: ConfigChange,
    /// Check and answer only.
    pub validate_only: bool,
}

/// How a topic's configs become others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigChange {
    /// These and no others.
    Replace(Configs),
    /// One operation per name.
    Change(Vec<(String, ConfigOperation)>),
}

/// What becomes of one config. Values are as the client wrote them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigOperation {
    Set(String),
    /// Back to the default.
    Delete,
    /// Adds to a list what it lacks.
    Append(String),
    /// Takes from a list.
    Subtract(String),
}

/// What CreatePartitions (key 37) asks for one topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MorePartitions {
    pub name: String,
    /// How many the topic is to have.
    pub count: i32,
    /// The replicas of each new partition, as the client chose them.
    pub assigned: Option<Vec<Vec<NodeId>>>,
    /// Check and answer only.
    pub validate_only: bool,
}

/// A broker as clients see it in Metadata.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    pub node: NodeId,
    /// One for each listener, one at least, in the order configured; no name twice.
    pub endpoints: Vec<Endpoint>,
    pub rack: Option<String>,
    /// Random, new at each start.
    pub incarnation: [u8; 16],
}

/// Where the clients of one listener are told to connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// The listener's name, in capitals as Kafka's.
    pub listener: String,
    pub host: String,
    pub port: u16,
}

/// The only listener of brokers before `corelane.version` 3, and the one that is meant where none is named.
pub const LISTENER_DEFAULT: &str = "PLAINTEXT";

impl Broker {
    /// Where clients of a listener are told to connect.
    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|e| e.listener == listener)
    }

    /// Its one endpoint, where it is as every version of the record can say.
    fn only_endpoint(&self) -> Option<&Endpoint> {
        match &self.endpoints[..] {
            [only] if only.listener == LISTENER_DEFAULT => Some(only),
            _ => None,
        }
    }

    /// The `corelane.version` that its record needs.
    pub(super) fn version(&self) -> u16 {
        match self.only_endpoint() {
            Some(_) => 1,
            None => VERSION_LISTENERS,
        }
    }
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    /// `id` is zero where only checked.
    Created {
        id: TopicId,
        partitions: i32,
        replicas: i16,
    },
    /// `first .. first + count` belong to the asking shard.
    ProducerIds {
        first: i64,
        count: u32,
    },
    Quorum(Quorum),
}

/// The metadata's Raft group as its leader sees it. Ends are exclusive: an index and one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quorum {
    pub leader: NodeId,
    pub term: u64,
    pub high_watermark: u64,
    pub voters: Vec<QuorumMember>,
    /// Those that follow without a vote.
    pub observers: Vec<QuorumMember>,
}

/// A member of the group, and how far its log is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuorumMember {
    pub node: NodeId,
    /// Zero where it is not known.
    pub directory: [u8; 16],
    pub log_end: u64,
}

/// Why a command is refused; the messages are Kafka's. Mapped to Kafka's codes in one place, `net/src/error_code.rs`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    /// TOPIC_ALREADY_EXISTS
    #[error("{0}")]
    TopicExists(String),
    /// INVALID_TOPIC_EXCEPTION
    #[error("{0}")]
    InvalidTopic(String),
    /// INVALID_PARTITIONS
    #[error("{0}")]
    InvalidPartitions(String),
    /// INVALID_REPLICATION_FACTOR
    #[error("{0}")]
    InvalidReplicationFactor(String),
    /// INVALID_REPLICA_ASSIGNMENT
    #[error("{0}")]
    InvalidReplicaAssignment(String),
    /// INVALID_CONFIG
    #[error("{0}")]
    InvalidConfig(String),
    /// INVALID_REQUEST
    #[error("{0}")]
    InvalidRequest(String),
    /// POLICY_VIOLATION
    #[error("{0}")]
    PolicyViolation(String),
    /// UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION where the client gave a name.
    #[error("This server does not host this topic ID.")]
    UnknownTopicId,
    /// UNKNOWN_TOPIC_OR_PARTITION
    #[error("{0}")]
    UnknownTopic(String),
    /// UNSUPPORTED_VERSION
    #[error("{0}")]
    UnsupportedVersion(String),
}

/// The newest `corelane.version` this code knows. 1: topics, brokers, producer ids, leader epochs. 2: topics that change,
/// [`VERSION_CHANGES`]. 3: brokers with several listeners, [`VERSION_LISTENERS`]. A record that an older version does not
/// know is committed only once the version that brought it is finalized: an older binary then refuses the directory by that
/// name instead of reading half of it.
pub const VERSION_KNOWN: u16 = 3;

/// From this `corelane.version` on a topic's configs and partitions may change.
pub const VERSION_CHANGES: u16 = 2;

/// From this `corelane.version` on a broker may have several listeners, or one of another name than
/// [`LISTENER_DEFAULT`].
pub const VERSION_LISTENERS: u16 = 3;

/// What is committed and folded into the image. A snapshot is a list of records too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// First of all: the cluster's identity.
    Cluster {
        id: [u8; 16],
    },
    Version {
        version: u16,
    },
    /// Written as every version knows it where it has but the default listener; else `corelane.version` 3.
    Broker(Broker),
    /// How often the leader epochs of everything led by `node` were raised.
    LeaderEpochs {
        node: NodeId,
        raises: i32,
    },
    Topic {
        id: TopicId,
        name: String,
        configs: Configs,
        /// By partition number.
        partitions: Vec<PartitionState>,
    },
    TopicDeleted {
        id: TopicId,
    },
    /// All below `next` are given away.
    ProducerIds {
        next: i64,
    },
    /// All that the topic is given from now on. `corelane.version` 2.
    TopicConfigs {
        id: TopicId,
        configs: Configs,
    },
    /// Partitions behind those that the topic has; `first`: how many that are. `corelane.version` 2.
    Partitions {
        id: TopicId,
        first: i32,
        partitions: Vec<PartitionState>,
    },
}

/// One partition as a record carries it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionState {
    /// The preferred leader first.
    pub replicas: Box<[NodeId]>,
    pub isr: Box<[NodeId]>,
    pub leader: NodeId,
    pub leader_epoch: i32,
}

const KIND_CLUSTER: u8 = 1;
const KIND_VERSION: u8 = 2;
const KIND_BROKER: u8 = 3;
const KIND_LEADER_EPOCHS: u8 = 4;
const KIND_TOPIC: u8 = 5;
const KIND_TOPIC_DELETED: u8 = 6;
const KIND_PRODUCER_IDS: u8 = 7;
const KIND_TOPIC_CONFIGS: u8 = 8;
const KIND_PARTITIONS: u8 = 9;
const KIND_BROKER_LISTENERS: u8 = 10;

/// The format of every kind's fields so far.
const FORMAT: u8 = 1;

impl Record {
    fn kind(&self) -> u8 {
        match self {
            Record::Cluster { .. } => KIND_CLUSTER,
            Record::Version { .. } => KIND_VERSION,
            Record::Broker(broker) => match broker.only_endpoint() {
                Some(_) => KIND_BROKER,
                None => KIND_BROKER_LISTENERS,
            },
            Record::LeaderEpochs { .. } => KIND_LEADER_EPOCHS,
            Record::Topic { .. } => KIND_TOPIC,
            Record::TopicDeleted { .. } => KIND_TOPIC_DELETED,
            Record::ProducerIds { .. } => KIND_PRODUCER_IDS,
            Record::TopicConfigs { .. } => KIND_TOPIC_CONFIGS,
            Record::Partitions { .. } => KIND_PARTITIONS,
        }
    }

    /// Appends `{kind u8, version u8, length u32}` and the fields.
    pub fn encode(&self, out: &mut BytesMut) {
        out.put_u8(self.kind());
        out.put_u8(FORMAT);
        let length_at = out.len();
        out.put_u32(0);
        let start = out.len();
        match self {
            Record::Cluster { id } => out.put_slice(id),
            Record::Version { version } => out.put_u16(*version),
            Record::Broker(broker) => {
                out.put_i32(broker.node.0);
                match broker.only_endpoint() {
                    Some(only) => put_address(out, only),
                    None => put_endpoints(out, &broker.endpoints),
                }
                out.put_u8(u8::from(broker.rack.is_some()));
                if let Some(rack) = &broker.rack {
                    put_string(out, rack);
                }
                out.put_slice(&broker.incarnation);
            }
            Record::LeaderEpochs { node, raises } => {
                out.put_i32(node.0);
                out.put_i32(*raises);
            }
            Record::Topic {
                id,
                name,
                configs,
                partitions,
            } => {
                out.put_slice(&id.0);
                put_string(out, name);
                put_configs(out, configs);
                put_partitions(out, partitions);
            }
            Record::TopicDeleted { id } => out.put_slice(&id.0),
            Record::ProducerIds { next } => out.put_i64(*next),
            Record::TopicConfigs { id, configs } => {
                out.put_slice(&id.0);
                put_configs(out, configs);
            }
            Record::Partitions {
                id,
                first,
                partitions,
            } => {
                out.put_slice(&id.0);
                out.put_i32(*first);
                put_partitions(out, partitions);
            }
        }
        let length = u32::try_from(out.len() - start).expect("a record is far below 4 GiB");
        out[length_at..start].copy_from_slice(&length.to_be_bytes());
    }

    /// Takes one record from the front.
    fn decode(from: &mut Reader<'_>) -> Result<Record, CodecError> {
        let kind = from.u8()?;
        let format = from.u8()?;
        let length = from.u32()? as usize;
        let mut fields = Reader::new(from.take(length)?, "metadata record");
        if format > FORMAT {
            return Err(CodecError::Newer {
                what: "metadata record",
                found: format.into(),
                known: FORMAT.into(),
            });
        }
        let fields = &mut fields;
        let record = match kind {
            KIND_CLUSTER => Record::Cluster {
                id: fields.bytes16()?,
            },
            KIND_VERSION => Record::Version {
                version: fields.u16()?,
            },
            KIND_BROKER => Record::Broker(Broker {
                node: NodeId(fields.i32()?),
                endpoints: vec![endpoint(LISTENER_DEFAULT.to_owned(), fields)?],
                rack: rack(fields)?,
                incarnation: fields.bytes16()?,
            }),
            KIND_BROKER_LISTENERS => Record::Broker(Broker {
                node: NodeId(fields.i32()?),
                endpoints: endpoints(fields)?,
                rack: rack(fields)?,
                incarnation: fields.bytes16()?,
            }),
            KIND_LEADER_EPOCHS => Record::LeaderEpochs {
                node: NodeId(fields.i32()?),
                raises: fields.i32()?,
            },
            KIND_TOPIC => Record::Topic {
                id: TopicId(fields.bytes16()?),
                name: fields.string()?,
                configs: configs(fields)?,
                partitions: partitions(fields)?,
            },
            KIND_TOPIC_DELETED => Record::TopicDeleted {
                id: TopicId(fields.bytes16()?),
            },
            KIND_PRODUCER_IDS => Record::ProducerIds {
                next: fields.i64()?,
            },
            KIND_TOPIC_CONFIGS => Record::TopicConfigs {
                id: TopicId(fields.bytes16()?),
                configs: configs(fields)?,
            },
            KIND_PARTITIONS => Record::Partitions {
                id: TopicId(fields.bytes16()?),
                first: fields.i32()?,
                partitions: partitions(fields)?,
            },
            unknown => {
                return Err(CodecError::Newer {
                    what: "kind of metadata record",
                    found: unknown.into(),
                    known: KIND_BROKER_LISTENERS.into(),
                });
            }
        };
        fields.end()?;
        Ok(record)
    }
}

fn put_configs(out: &mut BytesMut, configs: &Configs) {
    put_count(out, configs.len());
    for (name, value) in configs {
        put_string(out, name);
        put_string(out, value);
    }
}

fn put_partitions(out: &mut BytesMut, partitions: &[PartitionState]) {
    put_count(out, partitions.len());
    for partition in partitions {
        put_nodes(out, &partition.replicas);
        put_nodes(out, &partition.isr);
        out.put_i32(partition.leader.0);
        out.put_i32(partition.leader_epoch);
    }
}

fn put_address(out: &mut BytesMut, endpoint: &Endpoint) {
    put_string(out, &endpoint.host);
    out.put_u16(endpoint.port);
}

fn put_endpoints(out: &mut BytesMut, endpoints: &[Endpoint]) {
    put_count(out, endpoints.len());
    for endpoint in endpoints {
        put_string(out, &endpoint.listener);
        put_address(out, endpoint);
    }
}

fn endpoint(listener: String, fields: &mut Reader<'_>) -> Result<Endpoint, CodecError> {
    Ok(Endpoint {
        listener,
        host: fields.string()?,
        port: fields.u16()?,
    })
}

fn endpoints(fields: &mut Reader<'_>) -> Result<Vec<Endpoint>, CodecError> {
    let count = fields.count(10)?;
    if count == 0 {
        return Err(CodecError::Invalid("a broker without listeners".to_owned()));
    }
    let endpoint = |_| endpoint(fields.string()?, fields);
    (0..count).map(endpoint).collect()
}

fn rack(fields: &mut Reader<'_>) -> Result<Option<String>, CodecError> {
    Ok(match fields.u8()? {
        0 => None,
        _ => Some(fields.string()?),
    })
}

fn configs(fields: &mut Reader<'_>) -> Result<Configs, CodecError> {
    let mut configs = Configs::new();
    for _ in 0..fields.count(8)? {
        configs.insert(fields.string()?, fields.string()?);
    }
    Ok(configs)
}

fn partitions(fields: &mut Reader<'_>) -> Result<Vec<PartitionState>, CodecError> {
    let count = fields.count(16)?;
    let partition = |_| {
        Ok(PartitionState {
            replicas: fields.nodes()?,
            isr: fields.nodes()?,
            leader: NodeId(fields.i32()?),
            leader_epoch: fields.i32()?,
        })
    };
    (0..count).map(partition).collect()
}

/// Encodes a list of records: the data of one Raft entry, or the body of a snapshot.
pub fn encode_records(records: &[Record]) -> Bytes {
    let mut out = BytesMut::new();
    records.iter().for_each(|record| record.encode(&mut out));
    out.freeze()
}

/// The records of one Raft entry or snapshot, in order.
pub fn decode_records(bytes: &[u8]) -> Result<Vec<Record>, CodecError> {
    let mut reader = Reader::new(bytes, "metadata record");
    let mut records = Vec::new();
    while !reader.is_empty() {
        records.push(Record::decode(&mut reader)?);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    fn at(listener: &str, host: &str, port: u16) -> Endpoint {
        Endpoint {
            listener: listener.to_owned(),
            host: host.to_owned(),
            port,
        }
    }

    fn every_kind() -> Vec<(Record, &'static str)> {
        vec![
            (
                Record::Cluster { id: [7; 16] },
                "01010000001007070707070707070707070707070707",
            ),
            (Record::Version { version: 1 }, "0201000000020001"),
            (
                Record::Broker(Broker {
                    node: NodeId(1),
                    endpoints: vec![at("PLAINTEXT", "h", 9092)],
                    rack: None,
                    incarnation: [2; 16],
                }),
                "03010000001c00000001000000016823840002020202020202020202020202020202",
            ),
            (
                Record::Broker(Broker {
                    node: NodeId(2),
                    endpoints: vec![at("PLAINTEXT", "", 1)],
                    rack: Some("r".to_owned()),
                    incarnation: [0; 16],
                }),
                "0301000000200000000200000000000101000000017200000000000000000000000000000000",
            ),
            (
                Record::LeaderEpochs {
                    node: NodeId(1),
                    raises: 3,
                },
                "0401000000080000000100000003",
            ),
            (
                Record::Topic {
                    id: TopicId([9; 16]),
                    name: "ab".to_owned(),
                    configs: Configs::from([("k".to_owned(), "v".to_owned())]),
                    partitions: vec![PartitionState {
                        replicas: [NodeId(1), NodeId(2)].into(),
                        isr: [NodeId(1)].into(),
                        leader: NodeId(1),
                        leader_epoch: 5,
                    }],
                },
                "05010000004409090909090909090909090909090909000000026162000000010000000\
                 16b00000001760000000100000002000000010000000200000001000000010000000100000005",
            ),
            (
                Record::TopicDeleted {
                    id: TopicId([9; 16]),
                },
                "06010000001009090909090909090909090909090909",
            ),
            (
                Record::ProducerIds { next: 1000 },
                "07010000000800000000000003e8",
            ),
            (
                Record::TopicConfigs {
                    id: TopicId([9; 16]),
                    configs: Configs::from([("k".to_owned(), "v".to_owned())]),
                },
                "08010000001e0909090909090909090909090909090900000001000000016b0000000176",
            ),
            (
                Record::Partitions {
                    id: TopicId([9; 16]),
                    first: 3,
                    partitions: vec![PartitionState {
                        replicas: [NodeId(1)].into(),
                        isr: [NodeId(1)].into(),
                        leader: NodeId(1),
                        leader_epoch: 0,
                    }],
                },
                "0901000000300909090909090909090909090909090900000003000000010000000100000001\
                 00000001000000010000000100000000",
            ),
            (
                Record::Broker(Broker {
                    node: NodeId(1),
                    endpoints: vec![at("H", "h", 9092), at("C", "::1", 9093)],
                    rack: Some("r".to_owned()),
                    incarnation: [2; 16],
                }),
                "0a010000003800000001000000020000000148000000016823840000000143000000033a3a31\
                 238501000000017202020202020202020202020202020202",
            ),
            (
                Record::Broker(Broker {
                    node: NodeId(1),
                    endpoints: vec![at("A", "h", 1)],
                    rack: None,
                    incarnation: [0; 16],
                }),
                "0a0100000025000000010000000100000001410000000168000100\
                 00000000000000000000000000000000",
            ),
        ]
    }

    /// These bytes open for ever.
    #[test]
    fn golden_bytes_of_format_1() {
        for (record, golden) in every_kind() {
            let bytes = encode_records(std::slice::from_ref(&record));
            assert_eq!(hex(&bytes), golden, "{record:?}");
            assert_eq!(decode_records(&bytes), Ok(vec![record]));
        }
    }

    #[test]
    fn every_cut_and_every_length_is_refused_or_read() {
        let records: Vec<Record> = every_kind().into_iter().map(|(r, _)| r).collect();
        for record in &records {
            let bytes = encode_records(std::slice::from_ref(record));
            for end in 1..bytes.len() {
                assert!(decode_records(&bytes[..end]).is_err());
            }
            for at in 0..bytes.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut spoilt = bytes.to_vec();
                    spoilt[at] = value;
                    // Must not panic or allocate by the length it is told.
                    let _ = decode_records(&spoilt);
                }
            }
        }
        let all = encode_records(&records);
        assert_eq!(decode_records(&all), Ok(records));
    }

    #[test]
    fn a_broker_without_listeners_is_refused() {
        let mut bytes = vec![KIND_BROKER_LISTENERS, FORMAT, 0, 0, 0, 25, 0, 0, 0, 1];
        bytes.extend([0; 4 + 1 + 16]);
        let error = decode_records(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "a broker without listeners");
    }

    #[test]
    fn newer_formats_are_refused_by_name() {
        let error = decode_records(&[2, 9, 0, 0, 0, 0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "metadata record has format 9; this version knows up to 1"
        );
        let error = decode_records(&[99, 1, 0, 0, 0, 0]).unwrap_err();
        assert!(matches!(error, CodecError::Newer { found: 99, .. }));
    }
}
