//! The one table of APIs: what is advertised, served, authorized and dispatched, and under which name it is counted.

use bytes::Bytes;

use crate::context::Operation;

pub mod group;
pub mod k00_produce;
pub mod k01_fetch;
pub mod k02_list_offsets;
pub mod k03_metadata;
pub mod k08_offset_commit;
pub mod k09_offset_fetch;
pub mod k10_find_coordinator;
pub mod k11_join_group;
pub mod k12_heartbeat;
pub mod k13_leave_group;
pub mod k14_sync_group;
pub mod k15_describe_groups;
pub mod k16_list_groups;
pub mod k18_api_versions;
pub mod k19_create_topics;
pub mod k20_delete_topics;
pub mod k22_init_producer_id;
pub mod k29_describe_acls;
pub mod k30_create_acls;
pub mod k31_delete_acls;
pub mod k32_describe_configs;
pub mod k33_alter_configs;
pub mod k37_create_partitions;
pub mod k42_delete_groups;
pub mod k44_incremental_alter_configs;
pub mod k47_offset_delete;
pub mod k55_describe_quorum;
pub mod k60_describe_cluster;
pub mod k74_list_config_resources;
pub mod k75_describe_topic_partitions;
pub mod partition_codes;

/// Which handler serves a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Api {
    Produce,
    Fetch,
    ListOffsets,
    Metadata,
    OffsetCommit,
    OffsetFetch,
    FindCoordinator,
    JoinGroup,
    Heartbeat,
    LeaveGroup,
    SyncGroup,
    DescribeGroups,
    ListGroups,
    ApiVersions,
    CreateTopics,
    DeleteTopics,
    InitProducerId,
    DeleteGroups,
    OffsetDelete,
    DescribeAcls,
    CreateAcls,
    DeleteAcls,
    DescribeConfigs,
    AlterConfigs,
    CreatePartitions,
    IncrementalAlterConfigs,
    DescribeQuorum,
    DescribeCluster,
    ListConfigResources,
    DescribeTopicPartitions,
}

/// The kind of [`crate::context::Resource`] that a request's operation is checked against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceKind {
    Cluster,
    Topic,
    Group,
    TransactionalId,
}

/// A row of the table.
#[derive(Debug)]
pub struct Entry {
    pub api: Api,
    pub key: i16,
    pub name: &'static str,
    /// Advertised; see `served_min`.
    pub version_min: i16,
    pub version_max: i16,
    /// First version that is served. Lower for Produce only: librdkafka stops compressing where 0 is not advertised
    /// (KAFKA-18659).
    pub served_min: i16,
    /// First version with compact types and tagged fields (KIP-482): of the request header, too.
    pub flexible_min: i16,
    /// What [`crate::context::Authorize`] is asked; `None`: open to all, before authentication too.
    pub needs: Option<(Operation, ResourceKind)>,
    /// Changes metadata, or reads what an earlier request may still be making durable: starts when everything before it
    /// on its connection is answered, and nothing after it starts before its answer. Metadata and FindCoordinator are
    /// one only when they create topics.
    pub barrier: bool,
}

/// Every API, by key.
pub const TABLE: [Entry; 30] = {
    use Operation::{
        Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, IdempotentWrite, Read,
        Write,
    };
    use ResourceKind::{Cluster, Group, Topic};
    [
        //  api                       name              advertised served flexible needs                       barrier
        row(
            Api::Produce,
            0,
            "Produce",
            (0, 13),
            3,
            9,
            Some((Write, Topic)),
            false,
        ),
        row(
            Api::Fetch,
            1,
            "Fetch",
            (4, 18),
            4,
            12,
            Some((Read, Topic)),
            false,
        ),
        row(
            Api::ListOffsets,
            2,
            "ListOffsets",
            (1, 11),
            1,
            6,
            Some((Describe, Topic)),
            false,
        ),
        row(
            Api::Metadata,
            3,
            "Metadata",
            (0, 13),
            0,
            9,
            Some((Describe, Topic)),
            false,
        ),
        row(
            Api::OffsetCommit,
            8,
            "OffsetCommit",
            (2, 10),
            2,
            8,
            Some((Read, Group)),
            false,
        ),
        row(
            Api::OffsetFetch,
            9,
            "OffsetFetch",
            (1, 10),
            1,
            6,
            Some((Describe, Group)),
            true,
        ),
        row(
            Api::FindCoordinator,
            10,
            "FindCoordinator",
            (0, 6),
            0,
            3,
            Some((Describe, Group)),
            false,
        ),
        row(
            Api::JoinGroup,
            11,
            "JoinGroup",
            (0, 9),
            0,
            6,
            Some((Read, Group)),
            false,
        ),
        row(
            Api::Heartbeat,
            12,
            "Heartbeat",
            (0, 4),
            0,
            4,
            Some((Read, Group)),
            false,
        ),
        row(
            Api::LeaveGroup,
            13,
            "LeaveGroup",
            (0, 5),
            0,
            4,
            Some((Read, Group)),
            false,
        ),
        row(
            Api::SyncGroup,
            14,
            "SyncGroup",
            (0, 5),
            0,
            4,
            Some((Read, Group)),
            false,
        ),
        row(
            Api::DescribeGroups,
            15,
            "DescribeGroups",
            (0, 6),
            0,
            5,
            Some((Describe, Group)),
            true,
        ),
        row(
            Api::ListGroups,
            16,
            "ListGroups",
            (0, 5),
            0,
            3,
            Some((Describe, Group)),
            true,
        ),
        row(
            Api::ApiVersions,
            18,
            "ApiVersions",
            (0, 4),
            0,
            3,
            None,
            false,
        ),
        row(
            Api::CreateTopics,
            19,
            "CreateTopics",
            (2, 7),
            2,
            5,
            Some((Create, Topic)),
            true,
        ),
        row(
            Api::DeleteTopics,
            20,
            "DeleteTopics",
            (1, 6),
            1,
            4,
            Some((Delete, Topic)),
            true,
        ),
        row(
            Api::InitProducerId,
            22,
            "InitProducerId",
            (0, 5),
            0,
            2,
            Some((IdempotentWrite, Cluster)),
            false,
        ),
        row(
            Api::DescribeAcls,
            29,
            "DescribeAcls",
            (1, 3),
            1,
            2,
            Some((Describe, Cluster)),
            false,
        ),
        row(
            Api::CreateAcls,
            30,
            "CreateAcls",
            (1, 3),
            1,
            2,
            Some((Alter, Cluster)),
            false,
        ),
        row(
            Api::DeleteAcls,
            31,
            "DeleteAcls",
            (1, 3),
            1,
            2,
            Some((Alter, Cluster)),
            false,
        ),
        row(
            Api::DescribeConfigs,
            32,
            "DescribeConfigs",
            (1, 4),
            1,
            4,
            Some((DescribeConfigs, Topic)),
            false,
        ),
        row(
            Api::AlterConfigs,
            33,
            "AlterConfigs",
            (0, 2),
            0,
            2,
            Some((AlterConfigs, Topic)),
            true,
        ),
        row(
            Api::CreatePartitions,
            37,
            "CreatePartitions",
            (0, 3),
            0,
            2,
            Some((Alter, Topic)),
            true,
        ),
        row(
            Api::DeleteGroups,
            42,
            "DeleteGroups",
            (0, 2),
            0,
            2,
            Some((Delete, Group)),
            true,
        ),
        row(
            Api::IncrementalAlterConfigs,
            44,
            "IncrementalAlterConfigs",
            (0, 1),
            0,
            1,
            Some((AlterConfigs, Topic)),
            true,
        ),
        row(
            Api::OffsetDelete,
            47,
            "OffsetDelete",
            (0, 0),
            0,
            i16::MAX,
            Some((Delete, Group)),
            true,
        ),
        row(
            Api::DescribeQuorum,
            55,
            "DescribeQuorum",
            (0, 2),
            0,
            0,
            Some((Describe, Cluster)),
            false,
        ),
        row(
            Api::DescribeCluster,
            60,
            "DescribeCluster",
            (0, 2),
            0,
            0,
            Some((Describe, Cluster)),
            false,
        ),
        row(
            Api::ListConfigResources,
            74,
            "ListConfigResources",
            (0, 1),
            0,
            0,
            Some((DescribeConfigs, Cluster)),
            false,
        ),
        row(
            Api::DescribeTopicPartitions,
            75,
            "DescribeTopicPartitions",
            (0, 0),
            0,
            0,
            Some((Describe, Topic)),
            false,
        ),
    ]
};

#[expect(clippy::too_many_arguments, reason = "a table's columns")]
const fn row(
    api: Api,
    key: i16,
    name: &'static str,
    (version_min, version_max): (i16, i16),
    served_min: i16,
    flexible_min: i16,
    needs: Option<(Operation, ResourceKind)>,
    barrier: bool,
) -> Entry {
    Entry {
        api,
        key,
        name,
        version_min,
        version_max,
        served_min,
        flexible_min,
        needs,
        barrier,
    }
}

/// The row of an API key.
pub fn entry(key: i16) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.key == key)
}

/// A request's header, versions 1 and 2.
#[derive(Clone, Debug)]
pub struct Header {
    pub entry: &'static Entry,
    pub version: i16,
    pub correlation_id: i32,
    /// As sent: null and empty are alike; not checked to be UTF-8.
    pub client_id: Bytes,
}

impl Header {
    /// Compact types and tagged fields.
    pub fn flexible(&self) -> bool {
        self.version >= self.entry.flexible_min
    }
}

/// Why a connection ended.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CloseReason {
    #[error("the peer closed")]
    PeerClosed,
    #[error("socket error {0}")]
    Socket(i32),
    #[error("the broker stops")]
    Stopping,
    #[error(transparent)]
    Frame(#[from] crate::frame::FrameError),
    #[error("half a frame, and too little of the rest, while others wait for memory")]
    Stalled,
    #[error("no byte came or went for too long")]
    Idle,
    #[error("request header is malformed: {0}")]
    BadHeader(&'static str),
    #[error("unknown API key {0}")]
    UnknownApi(i16),
    #[error("{name} version {version} is not served")]
    UnsupportedVersion { name: &'static str, version: i16 },
    #[error("{name} version {version} is malformed: {why}")]
    BadRequest {
        name: &'static str,
        version: i16,
        why: String,
    },
    /// A bug of ours: an answer that its version cannot carry. It costs one connection, not the process.
    #[error("the answer to {name} version {version} cannot be written: {why}")]
    UnwritableAnswer {
        name: &'static str,
        version: i16,
        why: String,
    },
    /// Kafka does the same: the producer hears of no error otherwise, and refreshes its metadata.
    #[error("produce with acks=0 failed: code {0}")]
    SilentProduce(i16),
}

/// What a frame begins with.
#[derive(Debug)]
pub enum Parsed {
    /// A request of a served version, and its body.
    Request(Header, Bytes),
    /// ApiVersions of a version we do not know: answered, so that the client can find out.
    UnknownApiVersions { correlation_id: i32 },
}

/// Reads a request's header.
pub fn parse(mut frame: Bytes) -> Result<Parsed, CloseReason> {
    use bytes::Buf;
    let short = |_| CloseReason::BadHeader("too short");
    let key = frame.try_get_i16().map_err(short)?;
    let version = frame.try_get_i16().map_err(short)?;
    let correlation_id = frame.try_get_i32().map_err(short)?;
    let entry = entry(key).ok_or(CloseReason::UnknownApi(key))?;
    if version < entry.served_min || version > entry.version_max {
        return match entry.api {
            Api::ApiVersions => Ok(Parsed::UnknownApiVersions { correlation_id }),
            _ => Err(CloseReason::UnsupportedVersion {
                name: entry.name,
                version,
            }),
        };
    }
    let client_id = match frame.try_get_i16().map_err(short)? {
        -1 => Bytes::new(),
        length => {
            let length = usize::try_from(length)
                .map_err(|_| CloseReason::BadHeader("client id of negative length"))?;
            if frame.len() < length {
                return Err(CloseReason::BadHeader("client id beyond the end"));
            }
            frame.split_to(length)
        }
    };
    let header = Header {
        entry,
        version,
        correlation_id,
        client_id,
    };
    if header.flexible() {
        skip_tags(&mut frame)?;
    }
    Ok(Parsed::Request(header, frame))
}

/// Tagged fields of the header: none has a meaning here. Their number and sizes are claims; each is checked against
/// what is there.
fn skip_tags(frame: &mut Bytes) -> Result<(), CloseReason> {
    use bytes::Buf;
    let count = varint(frame)?;
    let mut previous = None;
    for _ in 0..count {
        let tag = varint(frame)?;
        if previous.is_some_and(|p| p >= tag) {
            return Err(CloseReason::BadHeader("tags out of order"));
        }
        previous = Some(tag);
        let size = varint(frame)? as usize;
        if frame.len() < size {
            return Err(CloseReason::BadHeader("tagged field beyond the end"));
        }
        frame.advance(size);
    }
    Ok(())
}

fn varint(frame: &mut Bytes) -> Result<u32, CloseReason> {
    use bytes::Buf;
    let mut value = 0u64;
    for shift in (0..35).step_by(7) {
        let byte = frame
            .try_get_u8()
            .map_err(|_| CloseReason::BadHeader("too short"))?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| CloseReason::BadHeader("varint too large"));
        }
    }
    Err(CloseReason::BadHeader("varint too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_versions_are() {
        assert!(TABLE.windows(2).all(|w| w[0].key < w[1].key));
        for entry in &TABLE {
            assert!(entry.version_min <= entry.served_min, "{}", entry.name);
            assert!(entry.served_min <= entry.version_max, "{}", entry.name);
            assert!(
                entry.version_min == entry.served_min || entry.api == Api::Produce,
                "{}",
                entry.name
            );
        }
    }

    /// The columns that Kafka's own definitions know, too.
    #[test]
    fn the_table_agrees_with_kafkas_definitions() {
        for entry in &TABLE {
            let kafka = crate::protocol::api(entry.key).expect("an API of Kafka");
            assert_eq!(entry.name, kafka.name);
            assert_eq!(
                entry.flexible_min, kafka.request_flexible_from,
                "{}",
                entry.name
            );
            assert!(kafka.versions.1 >= entry.version_max, "{}", entry.name);
        }
    }

    #[test]
    fn hostile_headers_are_named() {
        let header = |key: i16, version: i16, rest: &[u8]| {
            let mut bytes = [
                &key.to_be_bytes()[..],
                &version.to_be_bytes(),
                &[0, 0, 0, 9],
            ]
            .concat();
            bytes.extend_from_slice(rest);
            parse(Bytes::from(bytes))
        };
        let cases: [(i16, i16, &[u8], CloseReason); 10] = [
            (4, 0, &[], CloseReason::UnknownApi(4)),
            (-1, 0, &[], CloseReason::UnknownApi(-1)),
            (17, 0, &[], CloseReason::UnknownApi(17)),
            (
                0,
                2,
                &[],
                CloseReason::UnsupportedVersion {
                    name: "Produce",
                    version: 2,
                },
            ),
            (
                1,
                19,
                &[],
                CloseReason::UnsupportedVersion {
                    name: "Fetch",
                    version: 19,
                },
            ),
            (
                3,
                -1,
                &[],
                CloseReason::UnsupportedVersion {
                    name: "Metadata",
                    version: -1,
                },
            ),
            (
                3,
                1,
                &[0x7f, 0xff],
                CloseReason::BadHeader("client id beyond the end"),
            ),
            (
                3,
                1,
                &[0x80, 0],
                CloseReason::BadHeader("client id of negative length"),
            ),
            (
                3,
                9,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
                CloseReason::BadHeader("too short"),
            ),
            (
                3,
                9,
                &[0xff, 0xff, 2, 1, 0, 1, 0],
                CloseReason::BadHeader("tags out of order"),
            ),
        ];
        for (key, version, rest, reason) in cases {
            assert_eq!(header(key, version, rest).unwrap_err(), reason);
        }
        assert_eq!(
            parse(Bytes::from_static(b"\0\x12\0")).unwrap_err(),
            CloseReason::BadHeader("too short")
        );
        assert!(matches!(
            header(18, 99, &[]),
            Ok(Parsed::UnknownApiVersions { correlation_id: 9 })
        ));
        let Ok(Parsed::Request(header, body)) = header(3, 9, &[0, 1, b'x', 0, 42]) else {
            panic!("a good header");
        };
        assert_eq!((&header.client_id[..], &body[..]), (&b"x"[..], &[42][..]));
    }
}
