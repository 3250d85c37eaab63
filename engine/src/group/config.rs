//! Settings of the group coordinator, with the names and defaults of Apache Kafka 4.3.1 (`GroupCoordinatorConfig`).

use std::time::Duration;

/// The same for every shard of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`, `group.max.session.timeout.ms`
    pub session_timeout_min_ms: i32,
    pub session_timeout_max_ms: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`
    pub members_max: usize,
    /// How long a member that has no id yet may wait in a join (`CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS`).
    pub new_member_join_timeout: Duration,
    /// `offset.metadata.max.bytes`, in UTF-16 units as Kafka counts.
    pub offset_metadata_max: usize,
    /// `offsets.retention.minutes`
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`
    pub retention_check_interval: Duration,
    /// A snapshot of a partition's groups is due after so many bytes of records, or twice its own length.
    pub snapshot_after_bytes: u64,
    /// Content of one piece of a snapshot: what is built in one pass, and written at once.
    pub snapshot_piece_bytes: usize,
}

impl Default for GroupConfig {
    fn default() -> GroupConfig {
        GroupConfig {
            session_timeout_min_ms: 6_000,
            session_timeout_max_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            members_max: i32::MAX as usize,
            new_member_join_timeout: Duration::from_secs(5 * 60),
            offset_metadata_max: 4096,
            offsets_retention: Duration::from_secs(7 * 24 * 60 * 60),
            retention_check_interval: Duration::from_secs(600),
            snapshot_after_bytes: 1 << 20,
            snapshot_piece_bytes: 255 << 10,
        }
    }
}
