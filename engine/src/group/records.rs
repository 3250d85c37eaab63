//! Keys and values of `__consumer_offsets`, byte for byte as Apache Kafka 4.3.1 writes them; every version is read.
//!
//! ```text
//!  key    0, 1  OffsetCommitKey   group topic partition         value  0..4  OffsetCommitValue
//!         2     GroupMetadataKey  group                                0..4  GroupMetadataValue
//!         3..   ConsumerGroup…, ShareGroup…, StreamsGroup…             passed over
//!  no value: a tombstone
//! ```
//!
//! Kafka writes offsets in version 4 (1 where the client asked for a retention of its own) and groups in version 3
//! (`GroupCoordinatorRecordHelpers`); the schemas are in the `kafka-group-coordinator` jar.

use bytes::{BufMut, Bytes, BytesMut};

use super::call::CommittedOffset;
use super::wire::{Fields, put_bytes, put_nullable_string, put_string, put_uvarint};
use crate::batch::Damaged;
use crate::types::{LeaderEpoch, Offset, Timestamp, TopicId};

/// The longest string that a key or value of an old schema holds.
pub const STRING_BYTES_MAX: usize = i16::MAX as usize;

const OFFSET_KEYS: [i16; 2] = [0, 1];
const OFFSET_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;
const OFFSET_VALUE: i16 = 4;
/// With the time at which it expires.
const OFFSET_VALUE_EXPIRING: i16 = 1;
const GROUP_VALUE: i16 = 3;

/// Whose record it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    Offset {
        group: String,
        topic: String,
        partition: i32,
    },
    Group {
        group: String,
    },
    /// Of a kind of group that is not served here.
    Other(i16),
}

/// An offset as its record holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OffsetValue {
    pub committed: CommittedOffset,
    /// From the client's own retention (OffsetCommit 2 to 4).
    pub expires: Option<Timestamp>,
    /// Zero: not known.
    pub topic: TopicId,
}

/// A group as its record holds it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupValue {
    pub protocol_type: String,
    pub generation: i32,
    pub protocol: Option<String>,
    pub leader: Option<String>,
    /// When its state last changed.
    pub since: Option<Timestamp>,
    pub members: Vec<MemberValue>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberValue {
    pub member: String,
    pub instance: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// Metadata of the chosen protocol.
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl Key {
    pub fn decode(bytes: &Bytes) -> Result<Key, Damaged> {
        let mut fields = Fields::new(bytes.clone(), "key of a group's record");
        let kind = fields.i16()?;
        let key = match kind {
            kind if OFFSET_KEYS.contains(&kind) => Key::Offset {
                group: fields.string()?,
                topic: fields.string()?,
                partition: fields.i32()?,
            },
            GROUP_KEY => Key::Group {
                group: fields.string()?,
            },
            other => return Ok(Key::Other(other)),
        };
        match fields.is_empty() {
            true => Ok(key),
            false => Err(fields.damaged()),
        }
    }
}

/// The key of a committed offset.
pub fn offset_key(group: &str, topic: &str, partition: i32) -> Bytes {
    let mut key = BytesMut::with_capacity(10 + group.len() + topic.len());
    key.put_i16(OFFSET_KEY);
    put_string(&mut key, group);
    put_string(&mut key, topic);
    key.put_i32(partition);
    key.freeze()
}

/// The key of a group.
pub fn group_key(group: &str) -> Bytes {
    let mut key = BytesMut::with_capacity(4 + group.len());
    key.put_i16(GROUP_KEY);
    put_string(&mut key, group);
    key.freeze()
}

impl OffsetValue {
    pub fn encode(&self) -> Bytes {
        let CommittedOffset {
            offset,
            leader_epoch,
            metadata,
            timestamp,
        } = &self.committed;
        let mut value = BytesMut::with_capacity(48 + metadata.len());
        match self.expires {
            Some(expires) => {
                value.put_i16(OFFSET_VALUE_EXPIRING);
                value.put_i64(offset.0);
                put_string(&mut value, metadata);
                value.put_i64(timestamp.0);
                value.put_i64(expires.0);
            }
            None => {
                value.put_i16(OFFSET_VALUE);
                value.put_i64(offset.0);
                value.put_i32(leader_epoch.0);
                put_uvarint(&mut value, metadata.len() as u32 + 1);
                value.put_slice(metadata.as_bytes());
                value.put_i64(timestamp.0);
                put_topic_tag(&mut value, self.topic);
            }
        }
        value.freeze()
    }

    pub fn decode(bytes: &Bytes) -> Result<OffsetValue, Damaged> {
        let mut fields = Fields::new(bytes.clone(), "value of a committed offset");
        let version = fields.i16()?;
        if !(0..=4).contains(&version) {
            return Err(Damaged("committed offset of an unknown version"));
        }
        fields.set_flexible(version >= 4);
        let offset = Offset(fields.i64()?);
        let leader_epoch = match version {
            3.. => fields.i32()?,
            _ => -1,
        };
        let metadata = fields.string()?;
        let timestamp = Timestamp(fields.i64()?);
        let expires = match version {
            1 => Some(Timestamp(fields.i64()?)).filter(|at| at.0 != -1),
            _ => None,
        };
        let mut topic = TopicId::ZERO;
        fields.tags(|tag, mut field| {
            if tag == 0 {
                topic = field.topic_id()?;
            }
            Ok(())
        })?;
        Ok(OffsetValue {
            committed: CommittedOffset {
                offset,
                leader_epoch: LeaderEpoch(leader_epoch),
                metadata,
                timestamp,
            },
            expires,
            topic,
        })
    }
}

fn put_topic_tag(to: &mut BytesMut, topic: TopicId) {
    if topic == TopicId::ZERO {
        put_uvarint(to, 0);
        return;
    }
    put_uvarint(to, 1);
    put_uvarint(to, 0);
    put_uvarint(to, topic.0.len() as u32);
    to.put_slice(&topic.0);
}

impl GroupValue {
    pub fn encode(&self) -> Bytes {
        let members = self.members.iter();
        let bytes = members
            .map(|m| 64 + m.member.len() + m.subscription.len() + m.assignment.len())
            .sum::<usize>();
        let mut value = BytesMut::with_capacity(64 + bytes);
        value.put_i16(GROUP_VALUE);
        put_string(&mut value, &self.protocol_type);
        value.put_i32(self.generation);
        put_nullable_string(&mut value, self.protocol.as_deref());
        put_nullable_string(&mut value, self.leader.as_deref());
        value.put_i64(self.since.map_or(-1, |at| at.0));
        value.put_i32(i32::try_from(self.members.len()).expect("members fit a request"));
        for member in &self.members {
            put_string(&mut value, &member.member);
            put_nullable_string(&mut value, member.instance.as_deref());
            put_string(&mut value, &member.client_id);
            put_string(&mut value, &member.client_host);
            value.put_i32(member.rebalance_timeout_ms);
            value.put_i32(member.session_timeout_ms);
            put_bytes(&mut value, &member.subscription);
            put_bytes(&mut value, &member.assignment);
        }
        value.freeze()
    }

    /// Subscriptions and assignments are slices of `bytes`.
    pub fn decode(bytes: &Bytes) -> Result<GroupValue, Damaged> {
        let mut fields = Fields::new(bytes.clone(), "value of a group");
        let version = fields.i16()?;
        if !(0..=4).contains(&version) {
            return Err(Damaged("group of an unknown version"));
        }
        fields.set_flexible(version >= 4);
        let protocol_type = fields.string()?;
        let generation = fields.i32()?;
        let protocol = fields.nullable_string()?;
        let leader = fields.nullable_string()?;
        let since = match version {
            2.. => Some(Timestamp(fields.i64()?)).filter(|at| at.0 != -1),
            _ => None,
        };
        let count = fields.count(8)?;
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            members.push(MemberValue::decode(&mut fields, version)?);
        }
        fields.tags(|_, _| Ok(()))?;
        Ok(GroupValue {
            protocol_type,
            generation,
            protocol,
            leader,
            since,
            members,
        })
    }
}

impl MemberValue {
    fn decode(fields: &mut Fields, version: i16) -> Result<MemberValue, Damaged> {
        let member = fields.string()?;
        let instance = match version {
            3.. => fields.nullable_string()?,
            _ => None,
        };
        let client_id = fields.string()?;
        let client_host = fields.string()?;
        let rebalance_timeout_ms = match version {
            1.. => fields.i32()?,
            _ => -1,
        };
        let session_timeout_ms = fields.i32()?;
        let subscription = fields.bytes()?;
        let assignment = fields.bytes()?;
        fields.tags(|_, _| Ok(()))?;
        Ok(MemberValue {
            member,
            instance,
            client_id,
            client_host,
            rebalance_timeout_ms: match rebalance_timeout_ms {
                -1 => session_timeout_ms,
                timeout_ms => timeout_ms,
            },
            session_timeout_ms,
            subscription,
            assignment,
        })
    }
}

/// The topics that a consumer's metadata names: `ConsumerProtocolSubscription` is read as version 0, which begins every
/// version.
pub fn subscribed_topics(metadata: &Bytes) -> Result<Vec<String>, Damaged> {
    let mut fields = Fields::new(metadata.clone(), "subscription of a consumer");
    if fields.i16()? < 0 {
        return Err(fields.damaged());
    }
    let count = fields.count(2)?;
    (0..count).map(|_| fields.string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by the classes in `kafka-group-coordinator` 4.3.1: `MessageUtil.toCoordinatorTypePrefixedBytes` and
    /// `toVersionPrefixedBytes`.
    const OFFSET_KEY_GOLDEN: &str = "000100056772c3bc6e00066f726465727300000007";
    const GROUP_KEY_GOLDEN: &str = "000200056772c3bc6e";
    const OFFSET_VALUES: [&str; 5] = [
        "0000000000000000002a00056dc3a974610000018bcfe56800",
        "0001000000000000002a00056dc3a974610000018bcfe568000000018bcfe56be8",
        "0002000000000000002a00056dc3a974610000018bcfe56800",
        "0003000000000000002a0000000500056dc3a974610000018bcfe56800",
        "0004000000000000002a00000005066dc3a974610000018bcfe568000100100102030405060708090a0b0c0d0e0f10",
    ];
    const OFFSET_VALUE_ZERO_ID: &str = "0004000000000000002affffffff010000018bcfe5680000";
    const GROUP_VALUES: [&str; 5] = [
        "00000008636f6e73756d657200000003000572616e67650003612d31000000020003612d3100016100092f31302e302e302e310000afc8000\
         0000300010200000001090003692d3200016200092f31302e302e302e3200009c400000000000000000",
        "00010008636f6e73756d657200000003000572616e67650003612d31000000020003612d3100016100092f31302e302e302e310000ea60000\
         0afc80000000300010200000001090003692d3200016200092f31302e302e302e320000c35000009c400000000000000000",
        "00020008636f6e73756d657200000003000572616e67650003612d310000018bcfe56800000000020003612d3100016100092f31302e302e3\
         02e310000ea600000afc80000000300010200000001090003692d3200016200092f31302e302e302e320000c35000009c400000000000000\
         000",
        "00030008636f6e73756d657200000003000572616e67650003612d310000018bcfe56800000000020003612d31ffff00016100092f31302e3\
         02e302e310000ea600000afc80000000300010200000001090003692d3200016900016200092f31302e302e302e320000c35000009c40000\
         0000000000000",
        "000409636f6e73756d6572000000030672616e676504612d310000018bcfe568000304612d310002610a2f31302e302e302e310000ea60000\
         0afc80400010202090004692d32026902620a2f31302e302e302e320000c35000009c4001010000",
    ];
    const GROUP_VALUE_EMPTY: &str = "0003000000000000ffffffff0000018bcfe5680000000000";

    fn bytes(hex: &str) -> Bytes {
        let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let pairs = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        });
        pairs.collect()
    }

    fn offset(version: usize) -> OffsetValue {
        OffsetValue {
            committed: CommittedOffset {
                offset: Offset(42),
                leader_epoch: LeaderEpoch(if version >= 3 { 5 } else { -1 }),
                metadata: "méta".to_owned(),
                timestamp: Timestamp(1_700_000_000_000),
            },
            expires: (version == 1).then_some(Timestamp(1_700_000_001_000)),
            topic: match version {
                4 => TopicId([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
                _ => TopicId::ZERO,
            },
        }
    }

    fn group(version: usize) -> GroupValue {
        let member =
            |id: &str, instance: Option<&str>, client: &str, timeouts: [i32; 2]| MemberValue {
                member: id.to_owned(),
                instance: instance.filter(|_| version >= 3).map(str::to_owned),
                client_id: client.to_owned(),
                client_host: format!("/10.0.0.{}", timeouts[0] % 7),
                rebalance_timeout_ms: timeouts[usize::from(version == 0)],
                session_timeout_ms: timeouts[1],
                subscription: Bytes::new(),
                assignment: Bytes::new(),
            };
        let mut first = member("a-1", None, "a", [60_000, 45_000]);
        first.client_host = "/10.0.0.1".to_owned();
        first.subscription = Bytes::from_static(&[0, 1, 2]);
        first.assignment = Bytes::from_static(&[9]);
        let mut second = member("i-2", Some("i"), "b", [50_000, 40_000]);
        second.client_host = "/10.0.0.2".to_owned();
        GroupValue {
            protocol_type: "consumer".to_owned(),
            generation: 3,
            protocol: Some("range".to_owned()),
            leader: Some("a-1".to_owned()),
            since: (version >= 2).then_some(Timestamp(1_700_000_000_000)),
            members: vec![first, second],
        }
    }

    #[test]
    fn what_is_written_is_what_kafka_writes() {
        assert_eq!(offset_key("grün", "orders", 7), bytes(OFFSET_KEY_GOLDEN));
        assert_eq!(group_key("grün"), bytes(GROUP_KEY_GOLDEN));
        assert_eq!(offset(4).encode(), bytes(OFFSET_VALUES[4]));
        assert_eq!(offset(1).encode(), bytes(OFFSET_VALUES[1]));
        let mut unknown = offset(4);
        unknown.topic = TopicId::ZERO;
        unknown.committed.leader_epoch = LeaderEpoch(-1);
        unknown.committed.metadata = String::new();
        assert_eq!(unknown.encode(), bytes(OFFSET_VALUE_ZERO_ID));
        assert_eq!(group(3).encode(), bytes(GROUP_VALUES[3]));
        let empty = GroupValue {
            since: Some(Timestamp(1_700_000_000_000)),
            ..GroupValue::default()
        };
        assert_eq!(empty.encode(), bytes(GROUP_VALUE_EMPTY));
    }

    #[test]
    fn every_version_that_kafka_ever_wrote_is_read() {
        for version in 0..=4 {
            let read = OffsetValue::decode(&bytes(OFFSET_VALUES[version]));
            assert_eq!(read, Ok(offset(version)), "offset, version {version}");
            let read = GroupValue::decode(&bytes(GROUP_VALUES[version]));
            assert_eq!(read, Ok(group(version)), "group, version {version}");
        }
    }

    #[test]
    fn keys_are_read_and_other_kinds_passed_over() {
        let offset = Key::Offset {
            group: "grün".to_owned(),
            topic: "orders".to_owned(),
            partition: 7,
        };
        assert_eq!(Key::decode(&bytes(OFFSET_KEY_GOLDEN)), Ok(offset.clone()));
        let mut legacy = BytesMut::from(&bytes(OFFSET_KEY_GOLDEN)[..]);
        legacy[1] = 0;
        assert_eq!(Key::decode(&legacy.freeze()), Ok(offset));
        let group = Key::Group {
            group: "grün".to_owned(),
        };
        assert_eq!(Key::decode(&bytes(GROUP_KEY_GOLDEN)), Ok(group));
        // ConsumerGroupMetadataKey and ShareGroupMetadataKey.
        assert_eq!(Key::decode(&bytes("0003000167")), Ok(Key::Other(3)));
        assert_eq!(Key::decode(&bytes("000b000167")), Ok(Key::Other(11)));
    }

    #[test]
    fn cut_or_spoilt_values_are_refused_without_a_panic() {
        let all = OFFSET_VALUES
            .iter()
            .chain(&GROUP_VALUES)
            .map(|hex| bytes(hex));
        for whole in all {
            for cut in 0..whole.len() {
                let _ = OffsetValue::decode(&whole.slice(..cut));
                let _ = GroupValue::decode(&whole.slice(..cut));
                let mut spoilt = BytesMut::from(&whole[..]);
                spoilt[cut] ^= 0xff;
                let spoilt = spoilt.freeze();
                let _ = OffsetValue::decode(&spoilt);
                let _ = GroupValue::decode(&spoilt);
                let _ = Key::decode(&spoilt);
                let _ = subscribed_topics(&spoilt);
            }
        }
        assert!(GroupValue::decode(&bytes("0005")).is_err());
        // A count of two thousand million members.
        let huge = "0003000000000000ffffffff0000018bcfe568007fffffff";
        assert!(GroupValue::decode(&bytes(huge)).is_err());
    }

    #[test]
    fn a_subscription_of_any_version_names_its_topics() {
        // Version 3, topics "a" and "bc", then fields that version 0 does not have.
        let metadata = bytes("0003000000020001610002626300000000ffff");
        assert_eq!(
            subscribed_topics(&metadata),
            Ok(vec!["a".to_owned(), "bc".to_owned()])
        );
    }
}
