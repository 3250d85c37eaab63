//! What a connection's shard asks of a group's coordinator, and what it is told: one message per request and owner.
//!
//! ```text
//!  shard of the connection                       shard that owns the group's partition of __consumer_offsets
//!    Call{ Group(items) } ───────────────────────►  one item per group, each with the caller's slot
//!                    ◄──── Answer{ Group(answers) }   as each is decided and durable, several messages per call
//!    Call{ ListGroups(filter) } to every shard ──►  Answer{ GroupsListed }
//! ```
//!
//! A call made while the partition's groups are still being read is answered by [`GroupError::Loading`]. Names are
//! Kafka's (`GroupCoordinatorService`, `ClassicGroup`).

use bytes::Bytes;

use crate::types::{LeaderEpoch, Offset, Timestamp, TopicPartition};

/// Name of the topic that holds the groups.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Something asked of one group. `slot`: the caller's own index, returned with the answer.
#[derive(Debug)]
pub struct GroupItem {
    pub slot: u32,
    /// The partition of `__consumer_offsets` that the group belongs to: [`partition_of`].
    pub partition: TopicPartition,
    /// As the client named it; may be empty where Kafka allows it.
    pub group: String,
    pub ask: GroupAsk,
}

#[derive(Debug)]
pub enum GroupAsk {
    /// Answered by [`GroupDone::Joined`] when the rebalance that it starts or enters is complete.
    Join(Join),
    /// Answered by [`GroupDone::Synced`] when the leader's assignment is durable.
    Sync(Sync),
    /// Answered by [`GroupDone::Done`].
    Heartbeat(MemberRef),
    /// Answered by [`GroupDone::Left`]: one result per entry, in order.
    Leave(Vec<Leaving>),
    /// Answered by [`GroupDone::Committed`].
    Commit(Commit),
    /// Answered by [`GroupDone::Fetched`].
    FetchOffsets(FetchOffsets),
    /// Answered by [`GroupDone::Described`]; a group that does not exist is `Dead` and empty.
    Describe,
    /// Answered by [`GroupDone::Done`] once durable.
    Delete,
    /// Answered by [`GroupDone::OffsetsDeleted`] once durable. By topic name, as the log's keys.
    DeleteOffsets(Vec<(String, Vec<i32>)>),
}

/// Who asks, in which generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberRef {
    pub member: String,
    /// `group.instance.id` of a static member (KIP-345).
    pub instance: Option<String>,
    /// -1: none.
    pub generation: i32,
}

#[derive(Debug)]
pub struct Join {
    /// Empty on a first join.
    pub member: String,
    pub instance: Option<String>,
    /// From the request's header and connection: the new member's id begins with it (`clientId-UUID`).
    pub client_id: String,
    /// `/10.0.0.1`, as Kafka shows it.
    pub client_host: String,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub protocol_type: String,
    /// Name and metadata, the preferred one first.
    pub protocols: Vec<(String, Bytes)>,
    /// KIP-394: a member without id is given one and told to come again (JoinGroup 4 and newer).
    pub member_id_required: bool,
    /// JoinGroup 9 and newer: a static leader that comes back may skip the assignment (KIP-814).
    pub skip_assignment_supported: bool,
    /// KIP-800, for the log only.
    pub reason: Option<String>,
}

#[derive(Debug)]
pub struct Sync {
    pub who: MemberRef,
    /// SyncGroup 5 and newer.
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    /// Of the leader only: member id and assignment.
    pub assignments: Vec<(String, Bytes)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaving {
    pub member: String,
    pub instance: Option<String>,
    pub reason: Option<String>,
}

#[derive(Debug)]
pub struct Commit {
    /// A consumer that assigns itself: empty member, generation -1.
    pub who: MemberRef,
    /// OffsetCommit 2 to 4 may ask for one; -1: the broker's `offsets.retention.minutes`.
    pub retention_ms: i64,
    pub offsets: Vec<CommitItem>,
}

/// `index`: the caller's own, returned in [`GroupDone::Committed`].
#[derive(Debug)]
pub struct CommitItem {
    pub index: u32,
    pub topic: String,
    pub partition: i32,
    pub committed: CommittedOffset,
}

/// An offset as it was committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommittedOffset {
    pub offset: Offset,
    /// -1: none.
    pub leader_epoch: LeaderEpoch,
    pub metadata: String,
    /// When it was committed; filled by the coordinator.
    pub timestamp: Timestamp,
}

#[derive(Debug)]
pub struct FetchOffsets {
    /// KIP-848: checked where given (OffsetFetch 9); classic groups ignore it.
    pub member: Option<String>,
    /// `None`: everything the group has.
    pub topics: Option<Vec<(String, Vec<i32>)>>,
    pub require_stable: bool,
}

#[derive(Debug)]
pub struct GroupAnswer {
    pub slot: u32,
    pub result: Result<GroupDone, GroupError>,
}

#[derive(Debug)]
pub enum GroupDone {
    Done,
    Joined(Joined),
    Synced(Synced),
    Left(Vec<Result<(), GroupError>>),
    /// By [`CommitItem::index`].
    Committed(Vec<(u32, Result<(), GroupError>)>),
    /// Topic, partition, and what is committed (`None`: nothing), in the order asked; by name and number where all was
    /// asked.
    Fetched(Vec<(String, i32, Option<CommittedOffset>)>),
    Described(Description),
    OffsetsDeleted(Vec<(String, i32, Result<(), GroupError>)>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    pub generation: i32,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub leader: String,
    pub member: String,
    pub skip_assignment: bool,
    /// For the leader only: id, instance and metadata of the chosen protocol.
    pub members: Vec<(String, Option<String>, Bytes)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Synced {
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub assignment: Bytes,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    pub state: GroupState,
    pub protocol_type: String,
    pub protocol_name: String,
    pub members: Vec<MemberDescription>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberDescription {
    pub member: String,
    pub instance: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub metadata: Bytes,
    pub assignment: Bytes,
}

/// Kafka's `ClassicGroupState`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GroupState {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Dead,
}

impl GroupState {
    /// As Kafka shows it.
    pub const fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

/// A group as ListGroups shows it. All are of type `classic`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedGroup {
    pub group: String,
    pub protocol_type: String,
    pub state: GroupState,
}

/// Every group of one shard.
#[derive(Debug)]
pub struct GroupsListed {
    pub groups: Vec<ListedGroup>,
    /// A partition is still being read: COORDINATOR_LOAD_IN_PROGRESS.
    pub loading: bool,
}

/// What a client is told. Mapped to Kafka's codes in one place, `net/src/error_code.rs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupError {
    /// COORDINATOR_LOAD_IN_PROGRESS
    Loading,
    /// COORDINATOR_NOT_AVAILABLE
    NotAvailable,
    /// NOT_COORDINATOR: the partition is not here.
    NotCoordinator,
    InvalidGroupId,
    UnknownMember,
    IllegalGeneration,
    InconsistentProtocol,
    InvalidSessionTimeout,
    RebalanceInProgress,
    /// KIP-394: come again with this id.
    MemberIdRequired {
        member: String,
    },
    FencedInstance,
    GroupMaxSize,
    GroupNotFound,
    NonEmptyGroup,
    SubscribedToTopic,
    OffsetMetadataTooLarge,
    /// The record that would hold it is larger than a batch may be.
    CommitTooLarge,
    UnknownTopicOrPartition,
    /// INVALID_REQUEST
    InvalidRequest,
    /// KAFKA_STORAGE_ERROR
    Storage,
}

/// Which partition of `__consumer_offsets` a group belongs to: `Utils.abs(group.hashCode()) % partitions`, Java's hash
/// over UTF-16 units.
pub fn partition_of(group: &str, partitions: i32) -> i32 {
    assert!(partitions > 0, "{partitions} partitions");
    let hash = group.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    (hash & i32::MAX) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `Utils.abs(s.hashCode()) % 50` as the JVM gives them.
    #[test]
    fn partitions_are_javas() {
        assert_eq!(partition_of("", 50), 0);
        // "a".hashCode() == 97, "hello".hashCode() == 99162322, "polygenelubricants".hashCode() == Integer.MIN_VALUE
        assert_eq!(partition_of("a", 50), 97 % 50);
        assert_eq!(partition_of("hello", 50), 99_162_322 % 50);
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }
}
