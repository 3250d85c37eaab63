//! Kafka's error codes, and the one map from our errors to them: exhaustive, no wildcard arm.
#![deny(clippy::wildcard_enum_match_arm)]

use corelane_engine::call::{AppendError, DeleteError, ReadError};
use corelane_engine::controller::command::CommandError;
use corelane_engine::group::call::GroupError;

use crate::protocol::Str;

/// The codes this broker gives. Names and numbers are Kafka's (`org.apache.kafka.common.protocol.Errors`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i16)]
pub enum ErrorCode {
    UnknownServerError = -1,
    None = 0,
    OffsetOutOfRange = 1,
    CorruptMessage = 2,
    UnknownTopicOrPartition = 3,
    LeaderNotAvailable = 5,
    NotLeaderOrFollower = 6,
    RequestTimedOut = 7,
    MessageTooLarge = 10,
    OffsetMetadataTooLarge = 12,
    CoordinatorLoadInProgress = 14,
    CoordinatorNotAvailable = 15,
    NotCoordinator = 16,
    InvalidTopicException = 17,
    RecordListTooLarge = 18,
    NotEnoughReplicas = 19,
    InvalidRequiredAcks = 21,
    IllegalGeneration = 22,
    InconsistentGroupProtocol = 23,
    InvalidGroupId = 24,
    UnknownMemberId = 25,
    InvalidSessionTimeout = 26,
    RebalanceInProgress = 27,
    TopicAuthorizationFailed = 29,
    GroupAuthorizationFailed = 30,
    ClusterAuthorizationFailed = 31,
    InvalidTimestamp = 32,
    UnsupportedVersion = 35,
    TopicAlreadyExists = 36,
    InvalidPartitions = 37,
    InvalidReplicationFactor = 38,
    InvalidReplicaAssignment = 39,
    InvalidConfig = 40,
    NotController = 41,
    InvalidRequest = 42,
    UnsupportedForMessageFormat = 43,
    PolicyViolation = 44,
    OutOfOrderSequenceNumber = 45,
    DuplicateSequenceNumber = 46,
    InvalidProducerEpoch = 47,
    TransactionalIdAuthorizationFailed = 53,
    KafkaStorageError = 56,
    UnknownProducerId = 59,
    NonEmptyGroup = 68,
    GroupIdNotFound = 69,
    FetchSessionIdNotFound = 70,
    InvalidFetchSessionEpoch = 71,
    SecurityDisabled = 54,
    TopicDeletionDisabled = 73,
    FencedLeaderEpoch = 74,
    UnknownLeaderEpoch = 75,
    UnsupportedCompressionType = 76,
    MemberIdRequired = 79,
    GroupMaxSizeReached = 81,
    FencedInstanceId = 82,
    GroupSubscribedToTopic = 86,
    InvalidRecord = 87,
    UnknownTopicId = 100,
    InconsistentTopicId = 103,
    FetchSessionTopicIdError = 106,
    MismatchedEndpointType = 114,
    UnsupportedEndpointType = 115,
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }
}

/// The longest message that goes to a client, in bytes: one may quote a name of 32 KiB, and a string on the wire has
/// its bound.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// A message for a client, cut where it is too long.
pub fn message(mut text: String) -> Str {
    if text.len() > MESSAGE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
    }
    text.into()
}

/// Code and message of a refused append.
pub fn of_append(error: &AppendError) -> (ErrorCode, Option<String>) {
    match error {
        AppendError::UnknownPartition => (ErrorCode::UnknownTopicOrPartition, None),
        // Kafka says no more than the code.
        AppendError::Corrupt(_) => (ErrorCode::CorruptMessage, None),
        AppendError::InvalidRecord(why) => (ErrorCode::InvalidRecord, Some(why.clone())),
        AppendError::InvalidTimestamp(why) => (ErrorCode::InvalidTimestamp, Some(why.clone())),
        AppendError::TooLarge { bytes, max } => (
            ErrorCode::MessageTooLarge,
            Some(format!(
                "The record batch size in the append is {bytes} bytes which exceeds the maximum configured value of \
                 {max} bytes."
            )),
        ),
        AppendError::LargerThanSegment { bytes, max } => (
            ErrorCode::RecordListTooLarge,
            Some(format!(
                "Append size is {bytes} bytes which exceeds the maximum configured segment size of {max} bytes."
            )),
        ),
        AppendError::UnsupportedCompression => (ErrorCode::UnsupportedCompressionType, None),
        AppendError::UnsupportedFormat => (ErrorCode::InvalidRecord, None),
        AppendError::OutOfOrderSequence => (ErrorCode::OutOfOrderSequenceNumber, None),
        AppendError::InvalidProducerEpoch => (ErrorCode::InvalidProducerEpoch, None),
        AppendError::UnknownProducer => (ErrorCode::UnknownProducerId, None),
        AppendError::DuplicateSequence => (ErrorCode::DuplicateSequenceNumber, None),
        // Clients back off and send again; see `engine/src/shard/space.rs`.
        AppendError::DiskFull { free, resume } => (
            ErrorCode::NotEnoughReplicas,
            Some(format!(
                "The broker's disk is too full: {free} bytes are free, appends go on with {resume}."
            )),
        ),
        AppendError::Storage => (ErrorCode::KafkaStorageError, None),
    }
}

/// Code of a refused read or offset lookup. `Diverging` is no error on the wire: it is a field of the answer.
pub fn of_read(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::UnknownPartition => ErrorCode::UnknownTopicOrPartition,
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::FencedEpoch => ErrorCode::FencedLeaderEpoch,
        ReadError::UnknownEpoch => ErrorCode::UnknownLeaderEpoch,
        ReadError::Diverging { .. } => ErrorCode::None,
        ReadError::Corrupt => ErrorCode::CorruptMessage,
        ReadError::Storage => ErrorCode::KafkaStorageError,
    }
}

/// Code of what a coordinator refused. Like Kafka's (`CoordinatorOperationExceptionHelper`) it keeps errors of the log
/// to itself: clients of groups know what to do about NOT_COORDINATOR, and would take KAFKA_STORAGE_ERROR as final.
pub fn of_group(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::Loading => ErrorCode::CoordinatorLoadInProgress,
        GroupError::NotAvailable => ErrorCode::CoordinatorNotAvailable,
        GroupError::NotCoordinator => ErrorCode::NotCoordinator,
        GroupError::InvalidGroupId => ErrorCode::InvalidGroupId,
        GroupError::UnknownMember => ErrorCode::UnknownMemberId,
        GroupError::IllegalGeneration => ErrorCode::IllegalGeneration,
        GroupError::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
        GroupError::InvalidSessionTimeout => ErrorCode::InvalidSessionTimeout,
        GroupError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        GroupError::MemberIdRequired { .. } => ErrorCode::MemberIdRequired,
        GroupError::FencedInstance => ErrorCode::FencedInstanceId,
        GroupError::GroupMaxSize => ErrorCode::GroupMaxSizeReached,
        GroupError::GroupNotFound => ErrorCode::GroupIdNotFound,
        GroupError::NonEmptyGroup => ErrorCode::NonEmptyGroup,
        GroupError::SubscribedToTopic => ErrorCode::GroupSubscribedToTopic,
        GroupError::OffsetMetadataTooLarge => ErrorCode::OffsetMetadataTooLarge,
        GroupError::CommitTooLarge => ErrorCode::UnknownServerError,
        GroupError::UnknownTopicOrPartition => ErrorCode::UnknownTopicOrPartition,
        GroupError::InvalidRequest => ErrorCode::InvalidRequest,
        GroupError::Storage => ErrorCode::NotCoordinator,
    }
}

/// Code of a refused deletion of records.
pub fn of_delete(error: DeleteError) -> ErrorCode {
    match error {
        DeleteError::UnknownPartition => ErrorCode::UnknownTopicOrPartition,
        DeleteError::OutOfRange => ErrorCode::OffsetOutOfRange,
        DeleteError::CompactedOnly => ErrorCode::PolicyViolation,
        DeleteError::Storage => ErrorCode::KafkaStorageError,
    }
}

/// Code and message of a refused command.
pub fn of_command(error: &CommandError) -> (ErrorCode, Option<String>) {
    let code = match error {
        CommandError::TopicExists(_) => ErrorCode::TopicAlreadyExists,
        CommandError::InvalidTopic(_) => ErrorCode::InvalidTopicException,
        CommandError::InvalidPartitions(_) => ErrorCode::InvalidPartitions,
        CommandError::InvalidReplicationFactor(_) => ErrorCode::InvalidReplicationFactor,
        CommandError::InvalidReplicaAssignment(_) => ErrorCode::InvalidReplicaAssignment,
        CommandError::InvalidConfig(_) => ErrorCode::InvalidConfig,
        CommandError::InvalidRequest(_) => ErrorCode::InvalidRequest,
        CommandError::PolicyViolation(_) => ErrorCode::PolicyViolation,
        CommandError::UnknownTopicId => ErrorCode::UnknownTopicId,
        CommandError::UnknownTopic(_) => ErrorCode::UnknownTopicOrPartition,
        CommandError::UnsupportedVersion(_) => ErrorCode::UnsupportedVersion,
    };
    (code, Some(error.to_string()))
}
