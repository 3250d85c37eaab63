//! Fills the messages of Kafka 4.3.1 at random. Generated; do not edit.

use corelane_protocol::*;

use super::fill::{Fill, Sample};

impl Sample for AddOffsetsToTxnRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.value(v),
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            group_id: f.value(v),
        }
    }
}

impl Sample for AddOffsetsToTxnResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for AddPartitionsToTxnRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactions: if v >= 4 {
                f.value(v)
            } else {
                Default::default()
            },
            v3_and_below_transactional_id: if v <= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            v3_and_below_producer_id: if v <= 3 { f.value(v) } else { 0 },
            v3_and_below_producer_epoch: if v <= 3 { f.value(v) } else { 0 },
            v3_and_below_topics: if v <= 3 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for add_partitions_to_txn_request::AddPartitionsToTxnTransaction {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.value(v),
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            verify_only: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for add_partitions_to_txn_request::AddPartitionsToTxnTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for AddPartitionsToTxnResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: if v >= 4 { f.value(v) } else { 0 },
            results_by_transaction: if v >= 4 {
                f.value(v)
            } else {
                Default::default()
            },
            results_by_topic_v3_and_below: if v <= 3 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for add_partitions_to_txn_response::AddPartitionsToTxnResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.value(v),
            topic_results: f.value(v),
        }
    }
}

impl Sample for add_partitions_to_txn_response::AddPartitionsToTxnTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            results_by_partition: f.value(v),
        }
    }
}

impl Sample for add_partitions_to_txn_response::AddPartitionsToTxnPartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            partition_error_code: f.value(v),
        }
    }
}

impl Sample for AddRaftVoterRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            timeout_ms: f.value(v),
            voter_id: f.value(v),
            voter_directory_id: f.value(v),
            listeners: f.value(v),
            ack_when_committed: if v == 1 { f.value(v) } else { true },
        }
    }
}

impl Sample for add_raft_voter_request::Listener {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for AddRaftVoterResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for AllocateProducerIdsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            broker_epoch: f.value(v),
        }
    }
}

impl Sample for AllocateProducerIdsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            producer_id_start: f.value(v),
            producer_id_len: f.value(v),
        }
    }
}

impl Sample for AlterClientQuotasRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entries: f.value(v),
            validate_only: f.value(v),
        }
    }
}

impl Sample for alter_client_quotas_request::EntryData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entity: f.value(v),
            ops: f.value(v),
        }
    }
}

impl Sample for alter_client_quotas_request::EntityData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entity_type: f.value(v),
            entity_name: f.maybe(v, true),
        }
    }
}

impl Sample for alter_client_quotas_request::OpData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            key: f.value(v),
            value: f.value(v),
            remove: f.value(v),
        }
    }
}

impl Sample for AlterClientQuotasResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            entries: f.value(v),
        }
    }
}

impl Sample for alter_client_quotas_response::EntryData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            entity: f.value(v),
        }
    }
}

impl Sample for alter_client_quotas_response::EntityData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entity_type: f.value(v),
            entity_name: f.maybe(v, true),
        }
    }
}

impl Sample for AlterConfigsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resources: f.value(v),
            validate_only: f.value(v),
        }
    }
}

impl Sample for alter_configs_request::AlterConfigsResource {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type: f.value(v),
            resource_name: f.value(v),
            configs: f.value(v),
        }
    }
}

impl Sample for alter_configs_request::AlterableConfig {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            value: f.maybe(v, true),
        }
    }
}

impl Sample for AlterConfigsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            responses: f.value(v),
        }
    }
}

impl Sample for alter_configs_response::AlterConfigsResourceResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            resource_type: f.value(v),
            resource_name: f.value(v),
        }
    }
}

impl Sample for AlterPartitionReassignmentsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            timeout_ms: f.value(v),
            allow_replication_factor_change: if v == 1 { f.value(v) } else { true },
            topics: f.value(v),
        }
    }
}

impl Sample for alter_partition_reassignments_request::ReassignableTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_partition_reassignments_request::ReassignablePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            replicas: f.maybe(v, true),
        }
    }
}

impl Sample for AlterPartitionReassignmentsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            allow_replication_factor_change: if v == 1 { f.value(v) } else { true },
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            responses: f.value(v),
        }
    }
}

impl Sample for alter_partition_reassignments_response::ReassignableTopicResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_partition_reassignments_response::ReassignablePartitionResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for AlterPartitionRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            broker_epoch: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for alter_partition_request::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_partition_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            leader_epoch: f.value(v),
            new_isr: if v == 2 {
                f.value(v)
            } else {
                Default::default()
            },
            new_isr_with_epochs: if v == 3 {
                f.value(v)
            } else {
                Default::default()
            },
            leader_recovery_state: f.value(v),
            partition_epoch: f.value(v),
        }
    }
}

impl Sample for alter_partition_request::BrokerState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            broker_epoch: f.value(v),
        }
    }
}

impl Sample for AlterPartitionResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for alter_partition_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_partition_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            leader_id: f.value(v),
            leader_epoch: f.value(v),
            isr: f.value(v),
            leader_recovery_state: f.value(v),
            partition_epoch: f.value(v),
        }
    }
}

impl Sample for AlterReplicaLogDirsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { dirs: f.value(v) }
    }
}

impl Sample for alter_replica_log_dirs_request::AlterReplicaLogDir {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            path: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for alter_replica_log_dirs_request::AlterReplicaLogDirTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for AlterReplicaLogDirsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            results: f.value(v),
        }
    }
}

impl Sample for alter_replica_log_dirs_response::AlterReplicaLogDirTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_replica_log_dirs_response::AlterReplicaLogDirPartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for AlterShareGroupOffsetsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for alter_share_group_offsets_request::AlterShareGroupOffsetsRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_share_group_offsets_request::AlterShareGroupOffsetsRequestPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            start_offset: f.value(v),
        }
    }
}

impl Sample for AlterShareGroupOffsetsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            responses: f.value(v),
        }
    }
}

impl Sample for alter_share_group_offsets_response::AlterShareGroupOffsetsResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for alter_share_group_offsets_response::AlterShareGroupOffsetsResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for AlterUserScramCredentialsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            deletions: f.value(v),
            upsertions: f.value(v),
        }
    }
}

impl Sample for alter_user_scram_credentials_request::ScramCredentialDeletion {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            mechanism: f.value(v),
        }
    }
}

impl Sample for alter_user_scram_credentials_request::ScramCredentialUpsertion {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            mechanism: f.value(v),
            iterations: f.value(v),
            salt: f.value(v),
            salted_password: f.value(v),
        }
    }
}

impl Sample for AlterUserScramCredentialsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            results: f.value(v),
        }
    }
}

impl Sample for alter_user_scram_credentials_response::AlterUserScramCredentialsResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            user: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for ApiVersionsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            client_software_name: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            client_software_version: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for ApiVersionsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            api_keys: f.value(v),
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            supported_features: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            finalized_features_epoch: if v >= 3 { f.value(v) } else { -1 },
            finalized_features: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            zk_migration_ready: if v >= 3 { f.value(v) } else { false },
        }
    }
}

impl Sample for api_versions_response::ApiVersion {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            api_key: f.value(v),
            min_version: f.value(v),
            max_version: f.value(v),
        }
    }
}

impl Sample for api_versions_response::SupportedFeatureKey {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            min_version: f.value(v),
            max_version: f.value(v),
        }
    }
}

impl Sample for api_versions_response::FinalizedFeatureKey {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            max_version_level: f.value(v),
            min_version_level: f.value(v),
        }
    }
}

impl Sample for AssignReplicasToDirsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            broker_epoch: f.value(v),
            directories: f.value(v),
        }
    }
}

impl Sample for assign_replicas_to_dirs_request::DirectoryData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for assign_replicas_to_dirs_request::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for assign_replicas_to_dirs_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
        }
    }
}

impl Sample for AssignReplicasToDirsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            directories: f.value(v),
        }
    }
}

impl Sample for assign_replicas_to_dirs_response::DirectoryData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for assign_replicas_to_dirs_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for assign_replicas_to_dirs_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for BeginQuorumEpochRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            voter_id: if v == 1 { f.value(v) } else { -1 },
            topics: f.value(v),
            leader_endpoints: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for begin_quorum_epoch_request::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for begin_quorum_epoch_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            voter_directory_id: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for begin_quorum_epoch_request::LeaderEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for BeginQuorumEpochResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            topics: f.value(v),
            node_endpoints: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for begin_quorum_epoch_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for begin_quorum_epoch_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for begin_quorum_epoch_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for BrokerHeartbeatRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            broker_epoch: f.value(v),
            current_metadata_offset: f.value(v),
            want_fence: f.value(v),
            want_shut_down: f.value(v),
            offline_log_dirs: if v >= 1 {
                f.value(v)
            } else {
                Default::default()
            },
            cordoned_log_dirs: if v == 2 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for BrokerHeartbeatResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            is_caught_up: f.value(v),
            is_fenced: f.value(v),
            should_shut_down: f.value(v),
        }
    }
}

impl Sample for BrokerRegistrationRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            cluster_id: f.value(v),
            incarnation_id: f.value(v),
            listeners: f.value(v),
            features: f.value(v),
            rack: f.maybe(v, true),
            is_migrating_zk_broker: if v >= 1 { f.value(v) } else { false },
            log_dirs: if v >= 2 {
                f.value(v)
            } else {
                Default::default()
            },
            previous_broker_epoch: if v >= 3 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for broker_registration_request::Listener {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
            security_protocol: f.value(v),
        }
    }
}

impl Sample for broker_registration_request::Feature {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            min_supported_version: f.value(v),
            max_supported_version: f.value(v),
        }
    }
}

impl Sample for BrokerRegistrationResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            broker_epoch: f.value(v),
        }
    }
}

impl Sample for ConsumerGroupDescribeRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_ids: f.value(v),
            include_authorized_operations: f.value(v),
        }
    }
}

impl Sample for ConsumerGroupDescribeResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            groups: f.value(v),
        }
    }
}

impl Sample for consumer_group_describe_response::DescribedGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            group_id: f.value(v),
            group_state: f.value(v),
            group_epoch: f.value(v),
            assignment_epoch: f.value(v),
            assignor_name: f.value(v),
            members: f.value(v),
            authorized_operations: f.value(v),
        }
    }
}

impl Sample for consumer_group_describe_response::Member {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            instance_id: f.maybe(v, true),
            rack_id: f.maybe(v, true),
            member_epoch: f.value(v),
            client_id: f.value(v),
            client_host: f.value(v),
            subscribed_topic_names: f.value(v),
            subscribed_topic_regex: f.maybe(v, true),
            assignment: f.value(v),
            target_assignment: f.value(v),
            member_type: if v == 1 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for consumer_group_describe_response::Assignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_partitions: f.value(v),
        }
    }
}

impl Sample for consumer_group_describe_response::TopicPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ConsumerGroupHeartbeatRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            member_id: f.value(v),
            member_epoch: f.value(v),
            instance_id: f.maybe(v, true),
            rack_id: f.maybe(v, true),
            rebalance_timeout_ms: f.value(v),
            subscribed_topic_names: f.maybe(v, true),
            subscribed_topic_regex: if v == 1 { f.maybe(v, true) } else { None },
            server_assignor: f.maybe(v, true),
            topic_partitions: f.maybe(v, true),
        }
    }
}

impl Sample for consumer_group_heartbeat_request::TopicPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ConsumerGroupHeartbeatResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            member_id: f.maybe(v, true),
            member_epoch: f.value(v),
            heartbeat_interval_ms: f.value(v),
            assignment: f.maybe(v, true),
        }
    }
}

impl Sample for consumer_group_heartbeat_response::Assignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_partitions: f.value(v),
        }
    }
}

impl Sample for consumer_group_heartbeat_response::TopicPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ConsumerProtocolAssignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            assigned_partitions: f.value(v),
            user_data: f.maybe(v, true),
        }
    }
}

impl Sample for consumer_protocol_assignment::TopicPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ConsumerProtocolSubscription {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.value(v),
            user_data: f.maybe(v, true),
            owned_partitions: if v >= 1 {
                f.value(v)
            } else {
                Default::default()
            },
            generation_id: if v >= 2 { f.value(v) } else { -1 },
            rack_id: if v == 3 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for consumer_protocol_subscription::TopicPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ControlRecordTypeSchema {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { r#type: f.value(v) }
    }
}

impl Sample for ControllerRegistrationRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            controller_id: f.value(v),
            incarnation_id: f.value(v),
            zk_migration_ready: f.value(v),
            listeners: f.value(v),
            features: f.value(v),
        }
    }
}

impl Sample for controller_registration_request::Listener {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
            security_protocol: f.value(v),
        }
    }
}

impl Sample for controller_registration_request::Feature {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            min_supported_version: f.value(v),
            max_supported_version: f.value(v),
        }
    }
}

impl Sample for ControllerRegistrationResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for CreateAclsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            creations: f.value(v),
        }
    }
}

impl Sample for create_acls_request::AclCreation {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type: f.value(v),
            resource_name: f.value(v),
            resource_pattern_type: f.value(v),
            principal: f.value(v),
            host: f.value(v),
            operation: f.value(v),
            permission_type: f.value(v),
        }
    }
}

impl Sample for CreateAclsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            results: f.value(v),
        }
    }
}

impl Sample for create_acls_response::AclCreationResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for CreateDelegationTokenRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            owner_principal_type: if v == 3 {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
            owner_principal_name: if v == 3 {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
            renewers: f.value(v),
            max_lifetime_ms: f.value(v),
        }
    }
}

impl Sample for create_delegation_token_request::CreatableRenewers {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            principal_type: f.value(v),
            principal_name: f.value(v),
        }
    }
}

impl Sample for CreateDelegationTokenResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            principal_type: f.value(v),
            principal_name: f.value(v),
            token_requester_principal_type: if v == 3 {
                f.value(v)
            } else {
                Default::default()
            },
            token_requester_principal_name: if v == 3 {
                f.value(v)
            } else {
                Default::default()
            },
            issue_timestamp_ms: f.value(v),
            expiry_timestamp_ms: f.value(v),
            max_timestamp_ms: f.value(v),
            token_id: f.value(v),
            hmac: f.value(v),
            throttle_time_ms: f.value(v),
        }
    }
}

impl Sample for CreatePartitionsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.value(v),
            timeout_ms: f.value(v),
            validate_only: f.value(v),
        }
    }
}

impl Sample for create_partitions_request::CreatePartitionsTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            count: f.value(v),
            assignments: f.maybe(v, true),
        }
    }
}

impl Sample for create_partitions_request::CreatePartitionsAssignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_ids: f.value(v),
        }
    }
}

impl Sample for CreatePartitionsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            results: f.value(v),
        }
    }
}

impl Sample for create_partitions_response::CreatePartitionsTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for CreateTopicsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.value(v),
            timeout_ms: f.value(v),
            validate_only: f.value(v),
        }
    }
}

impl Sample for create_topics_request::CreatableTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            num_partitions: f.value(v),
            replication_factor: f.value(v),
            assignments: f.value(v),
            configs: f.value(v),
        }
    }
}

impl Sample for create_topics_request::CreatableReplicaAssignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            broker_ids: f.value(v),
        }
    }
}

impl Sample for create_topics_request::CreatableTopicConfig {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            value: f.maybe(v, true),
        }
    }
}

impl Sample for CreateTopicsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for create_topics_response::CreatableTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            topic_id: if v == 7 {
                f.value(v)
            } else {
                Default::default()
            },
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            topic_config_error_code: if v >= 5 { f.value(v) } else { 0 },
            num_partitions: if v >= 5 { f.value(v) } else { -1 },
            replication_factor: if v >= 5 { f.value(v) } else { -1 },
            configs: if v >= 5 {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
        }
    }
}

impl Sample for create_topics_response::CreatableTopicConfigs {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            value: f.maybe(v, true),
            read_only: f.value(v),
            config_source: f.value(v),
            is_sensitive: f.value(v),
        }
    }
}

impl Sample for DefaultPrincipalData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            r#type: f.value(v),
            name: f.value(v),
            token_authenticated: f.value(v),
        }
    }
}

impl Sample for DeleteAclsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            filters: f.value(v),
        }
    }
}

impl Sample for delete_acls_request::DeleteAclsFilter {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type_filter: f.value(v),
            resource_name_filter: f.maybe(v, true),
            pattern_type_filter: f.value(v),
            principal_filter: f.maybe(v, true),
            host_filter: f.maybe(v, true),
            operation: f.value(v),
            permission_type: f.value(v),
        }
    }
}

impl Sample for DeleteAclsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            filter_results: f.value(v),
        }
    }
}

impl Sample for delete_acls_response::DeleteAclsFilterResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            matching_acls: f.value(v),
        }
    }
}

impl Sample for delete_acls_response::DeleteAclsMatchingAcl {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            resource_type: f.value(v),
            resource_name: f.value(v),
            pattern_type: f.value(v),
            principal: f.value(v),
            host: f.value(v),
            operation: f.value(v),
            permission_type: f.value(v),
        }
    }
}

impl Sample for DeleteGroupsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            groups_names: f.value(v),
        }
    }
}

impl Sample for DeleteGroupsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            results: f.value(v),
        }
    }
}

impl Sample for delete_groups_response::DeletableGroupResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for DeleteRecordsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.value(v),
            timeout_ms: f.value(v),
        }
    }
}

impl Sample for delete_records_request::DeleteRecordsTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for delete_records_request::DeleteRecordsPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            offset: f.value(v),
        }
    }
}

impl Sample for DeleteRecordsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for delete_records_response::DeleteRecordsTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for delete_records_response::DeleteRecordsPartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            low_watermark: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for DeleteShareGroupOffsetsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for delete_share_group_offsets_request::DeleteShareGroupOffsetsRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
        }
    }
}

impl Sample for DeleteShareGroupOffsetsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            responses: f.value(v),
        }
    }
}

impl Sample for delete_share_group_offsets_response::DeleteShareGroupOffsetsResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            topic_id: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for DeleteShareGroupStateRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for delete_share_group_state_request::DeleteStateData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for delete_share_group_state_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
        }
    }
}

impl Sample for DeleteShareGroupStateResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            results: f.value(v),
        }
    }
}

impl Sample for delete_share_group_state_response::DeleteStateResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for delete_share_group_state_response::PartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for DeleteTopicsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: if v == 6 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_names: if v <= 5 {
                f.value(v)
            } else {
                Default::default()
            },
            timeout_ms: f.value(v),
        }
    }
}

impl Sample for delete_topics_request::DeleteTopicState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.maybe(v, true),
            topic_id: f.value(v),
        }
    }
}

impl Sample for DeleteTopicsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            responses: f.value(v),
        }
    }
}

impl Sample for delete_topics_response::DeletableTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.maybe(v, v == 6),
            topic_id: if v == 6 {
                f.value(v)
            } else {
                Default::default()
            },
            error_code: f.value(v),
            error_message: if v >= 5 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for DescribeAclsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type_filter: f.value(v),
            resource_name_filter: f.maybe(v, true),
            pattern_type_filter: f.value(v),
            principal_filter: f.maybe(v, true),
            host_filter: f.maybe(v, true),
            operation: f.value(v),
            permission_type: f.value(v),
        }
    }
}

impl Sample for DescribeAclsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            resources: f.value(v),
        }
    }
}

impl Sample for describe_acls_response::DescribeAclsResource {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type: f.value(v),
            resource_name: f.value(v),
            pattern_type: f.value(v),
            acls: f.value(v),
        }
    }
}

impl Sample for describe_acls_response::AclDescription {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            principal: f.value(v),
            host: f.value(v),
            operation: f.value(v),
            permission_type: f.value(v),
        }
    }
}

impl Sample for DescribeClientQuotasRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            components: f.value(v),
            strict: f.value(v),
        }
    }
}

impl Sample for describe_client_quotas_request::ComponentData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entity_type: f.value(v),
            match_type: f.value(v),
            r#match: f.maybe(v, true),
        }
    }
}

impl Sample for DescribeClientQuotasResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            entries: f.maybe(v, true),
        }
    }
}

impl Sample for describe_client_quotas_response::EntryData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entity: f.value(v),
            values: f.value(v),
        }
    }
}

impl Sample for describe_client_quotas_response::EntityData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            entity_type: f.value(v),
            entity_name: f.maybe(v, true),
        }
    }
}

impl Sample for describe_client_quotas_response::ValueData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            key: f.value(v),
            value: f.value(v),
        }
    }
}

impl Sample for DescribeClusterRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            include_cluster_authorized_operations: f.value(v),
            endpoint_type: if v >= 1 { f.value(v) } else { 1 },
            include_fenced_brokers: if v == 2 { f.value(v) } else { false },
        }
    }
}

impl Sample for DescribeClusterResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            endpoint_type: if v >= 1 { f.value(v) } else { 1 },
            cluster_id: f.value(v),
            controller_id: f.value(v),
            brokers: f.value(v),
            cluster_authorized_operations: f.value(v),
        }
    }
}

impl Sample for describe_cluster_response::DescribeClusterBroker {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            rack: f.maybe(v, true),
            is_fenced: if v == 2 { f.value(v) } else { false },
        }
    }
}

impl Sample for DescribeConfigsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resources: f.value(v),
            include_synonyms: f.value(v),
            include_documentation: if v >= 3 { f.value(v) } else { false },
        }
    }
}

impl Sample for describe_configs_request::DescribeConfigsResource {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type: f.value(v),
            resource_name: f.value(v),
            configuration_keys: f.maybe(v, true),
        }
    }
}

impl Sample for DescribeConfigsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            results: f.value(v),
        }
    }
}

impl Sample for describe_configs_response::DescribeConfigsResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            resource_type: f.value(v),
            resource_name: f.value(v),
            configs: f.value(v),
        }
    }
}

impl Sample for describe_configs_response::DescribeConfigsResourceResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            value: f.maybe(v, true),
            read_only: f.value(v),
            config_source: f.value(v),
            is_sensitive: f.value(v),
            synonyms: f.value(v),
            config_type: if v >= 3 { f.value(v) } else { 0 },
            documentation: if v >= 3 {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
        }
    }
}

impl Sample for describe_configs_response::DescribeConfigsSynonym {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            value: f.maybe(v, true),
            source: f.value(v),
        }
    }
}

impl Sample for DescribeDelegationTokenRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            owners: f.maybe(v, true),
        }
    }
}

impl Sample for describe_delegation_token_request::DescribeDelegationTokenOwner {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            principal_type: f.value(v),
            principal_name: f.value(v),
        }
    }
}

impl Sample for DescribeDelegationTokenResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            tokens: f.value(v),
            throttle_time_ms: f.value(v),
        }
    }
}

impl Sample for describe_delegation_token_response::DescribedDelegationToken {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            principal_type: f.value(v),
            principal_name: f.value(v),
            token_requester_principal_type: if v == 3 {
                f.value(v)
            } else {
                Default::default()
            },
            token_requester_principal_name: if v == 3 {
                f.value(v)
            } else {
                Default::default()
            },
            issue_timestamp: f.value(v),
            expiry_timestamp: f.value(v),
            max_timestamp: f.value(v),
            token_id: f.value(v),
            hmac: f.value(v),
            renewers: f.value(v),
        }
    }
}

impl Sample for describe_delegation_token_response::DescribedDelegationTokenRenewer {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            principal_type: f.value(v),
            principal_name: f.value(v),
        }
    }
}

impl Sample for DescribeGroupsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            groups: f.value(v),
            include_authorized_operations: if v >= 3 { f.value(v) } else { false },
        }
    }
}

impl Sample for DescribeGroupsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            groups: f.value(v),
        }
    }
}

impl Sample for describe_groups_response::DescribedGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: if v == 6 { f.maybe(v, true) } else { None },
            group_id: f.value(v),
            group_state: f.value(v),
            protocol_type: f.value(v),
            protocol_data: f.value(v),
            members: f.value(v),
            authorized_operations: if v >= 3 { f.value(v) } else { -2147483648 },
        }
    }
}

impl Sample for describe_groups_response::DescribedGroupMember {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            group_instance_id: if v >= 4 { f.maybe(v, true) } else { None },
            client_id: f.value(v),
            client_host: f.value(v),
            member_metadata: f.value(v),
            member_assignment: f.value(v),
        }
    }
}

impl Sample for DescribeLogDirsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.maybe(v, true),
        }
    }
}

impl Sample for describe_log_dirs_request::DescribableLogDirTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for DescribeLogDirsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: if v >= 3 { f.value(v) } else { 0 },
            results: f.value(v),
        }
    }
}

impl Sample for describe_log_dirs_response::DescribeLogDirsResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            log_dir: f.value(v),
            topics: f.value(v),
            total_bytes: if v >= 4 { f.value(v) } else { -1 },
            usable_bytes: if v >= 4 { f.value(v) } else { -1 },
            is_cordoned: if v == 5 { f.value(v) } else { false },
        }
    }
}

impl Sample for describe_log_dirs_response::DescribeLogDirsTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for describe_log_dirs_response::DescribeLogDirsPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            partition_size: f.value(v),
            offset_lag: f.value(v),
            is_future_key: f.value(v),
        }
    }
}

impl Sample for DescribeProducersRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { topics: f.value(v) }
    }
}

impl Sample for describe_producers_request::TopicRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partition_indexes: f.value(v),
        }
    }
}

impl Sample for DescribeProducersResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for describe_producers_response::TopicResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for describe_producers_response::PartitionResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            active_producers: f.value(v),
        }
    }
}

impl Sample for describe_producers_response::ProducerState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            last_sequence: f.value(v),
            last_timestamp: f.value(v),
            coordinator_epoch: f.value(v),
            current_txn_start_offset: f.value(v),
        }
    }
}

impl Sample for DescribeQuorumRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { topics: f.value(v) }
    }
}

impl Sample for describe_quorum_request::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for describe_quorum_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
        }
    }
}

impl Sample for DescribeQuorumResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: if v == 2 {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
            topics: f.value(v),
            nodes: if v == 2 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for describe_quorum_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for describe_quorum_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            error_message: if v == 2 {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
            leader_id: f.value(v),
            leader_epoch: f.value(v),
            high_watermark: f.value(v),
            current_voters: f.value(v),
            observers: f.value(v),
        }
    }
}

impl Sample for describe_quorum_response::ReplicaState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            replica_id: f.value(v),
            replica_directory_id: if v == 2 {
                f.value(v)
            } else {
                Default::default()
            },
            log_end_offset: f.value(v),
            last_fetch_timestamp: if v >= 1 { f.value(v) } else { -1 },
            last_caught_up_timestamp: if v >= 1 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for describe_quorum_response::Node {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            listeners: f.value(v),
        }
    }
}

impl Sample for describe_quorum_response::Listener {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for DescribeShareGroupOffsetsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { groups: f.value(v) }
    }
}

impl Sample for describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.maybe(v, true),
        }
    }
}

impl Sample for describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for DescribeShareGroupOffsetsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            groups: f.value(v),
        }
    }
}

impl Sample for describe_share_group_offsets_response::DescribeShareGroupOffsetsResponseGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for describe_share_group_offsets_response::DescribeShareGroupOffsetsResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for describe_share_group_offsets_response::DescribeShareGroupOffsetsResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            start_offset: f.value(v),
            leader_epoch: f.value(v),
            lag: if v == 1 { f.value(v) } else { -1 },
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for DescribeTopicPartitionsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.value(v),
            response_partition_limit: f.value(v),
            cursor: f.maybe(v, true),
        }
    }
}

impl Sample for describe_topic_partitions_request::TopicRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { name: f.value(v) }
    }
}

impl Sample for describe_topic_partitions_request::Cursor {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partition_index: f.value(v),
        }
    }
}

impl Sample for DescribeTopicPartitionsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            topics: f.value(v),
            next_cursor: f.maybe(v, true),
        }
    }
}

impl Sample for describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            name: f.maybe(v, true),
            topic_id: f.value(v),
            is_internal: f.value(v),
            partitions: f.value(v),
            topic_authorized_operations: f.value(v),
        }
    }
}

impl Sample for describe_topic_partitions_response::DescribeTopicPartitionsResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            partition_index: f.value(v),
            leader_id: f.value(v),
            leader_epoch: f.value(v),
            replica_nodes: f.value(v),
            isr_nodes: f.value(v),
            eligible_leader_replicas: f.maybe(v, true),
            last_known_elr: f.maybe(v, true),
            offline_replicas: f.value(v),
        }
    }
}

impl Sample for describe_topic_partitions_response::Cursor {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partition_index: f.value(v),
        }
    }
}

impl Sample for DescribeTransactionsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_ids: f.value(v),
        }
    }
}

impl Sample for DescribeTransactionsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            transaction_states: f.value(v),
        }
    }
}

impl Sample for describe_transactions_response::TransactionState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            transactional_id: f.value(v),
            transaction_state: f.value(v),
            transaction_timeout_ms: f.value(v),
            transaction_start_time_ms: f.value(v),
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for describe_transactions_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for DescribeUserScramCredentialsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            users: f.maybe(v, true),
        }
    }
}

impl Sample for describe_user_scram_credentials_request::UserName {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self { name: f.value(v) }
    }
}

impl Sample for DescribeUserScramCredentialsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            results: f.value(v),
        }
    }
}

impl Sample for describe_user_scram_credentials_response::DescribeUserScramCredentialsResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            user: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            credential_infos: f.value(v),
        }
    }
}

impl Sample for describe_user_scram_credentials_response::CredentialInfo {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            mechanism: f.value(v),
            iterations: f.value(v),
        }
    }
}

impl Sample for ElectLeadersRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            election_type: if v >= 1 { f.value(v) } else { 0 },
            topic_partitions: f.maybe(v, true),
            timeout_ms: f.value(v),
        }
    }
}

impl Sample for elect_leaders_request::TopicPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ElectLeadersResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: if v >= 1 { f.value(v) } else { 0 },
            replica_election_results: f.value(v),
        }
    }
}

impl Sample for elect_leaders_response::ReplicaElectionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partition_result: f.value(v),
        }
    }
}

impl Sample for elect_leaders_response::PartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_id: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for EndQuorumEpochRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            topics: f.value(v),
            leader_endpoints: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for end_quorum_epoch_request::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for end_quorum_epoch_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            leader_id: f.value(v),
            leader_epoch: f.value(v),
            preferred_successors: if v == 0 {
                f.value(v)
            } else {
                Default::default()
            },
            preferred_candidates: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for end_quorum_epoch_request::ReplicaInfo {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            candidate_id: f.value(v),
            candidate_directory_id: f.value(v),
        }
    }
}

impl Sample for end_quorum_epoch_request::LeaderEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for EndQuorumEpochResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            topics: f.value(v),
            node_endpoints: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for end_quorum_epoch_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for end_quorum_epoch_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for end_quorum_epoch_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for EndTxnMarker {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            coordinator_epoch: f.value(v),
        }
    }
}

impl Sample for EndTxnRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.value(v),
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            committed: f.value(v),
        }
    }
}

impl Sample for EndTxnResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            producer_id: if v == 5 { f.value(v) } else { -1 },
            producer_epoch: if v == 5 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for EnvelopeRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            request_data: f.value(v),
            request_principal: f.maybe(v, true),
            client_host_address: f.value(v),
        }
    }
}

impl Sample for EnvelopeResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            response_data: f.maybe(v, true),
            error_code: f.value(v),
        }
    }
}

impl Sample for ExpireDelegationTokenRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            hmac: f.value(v),
            expiry_time_period_ms: f.value(v),
        }
    }
}

impl Sample for ExpireDelegationTokenResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            expiry_timestamp_ms: f.value(v),
            throttle_time_ms: f.value(v),
        }
    }
}

impl Sample for FetchRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: if v >= 12 { f.maybe(v, true) } else { None },
            replica_id: if v <= 14 { f.value(v) } else { -1 },
            replica_state: if v >= 15 {
                f.value(v)
            } else {
                Default::default()
            },
            max_wait_ms: f.value(v),
            min_bytes: f.value(v),
            max_bytes: f.value(v),
            isolation_level: f.value(v),
            session_id: if v >= 7 { f.value(v) } else { 0 },
            session_epoch: if v >= 7 { f.value(v) } else { -1 },
            topics: f.value(v),
            forgotten_topics_data: if v >= 7 {
                f.value(v)
            } else {
                Default::default()
            },
            rack_id: if v >= 11 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for fetch_request::ReplicaState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            replica_id: f.value(v),
            replica_epoch: f.value(v),
        }
    }
}

impl Sample for fetch_request::FetchTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: if v <= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v >= 13 {
                f.value(v)
            } else {
                Default::default()
            },
            partitions: f.value(v),
        }
    }
}

impl Sample for fetch_request::FetchPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            current_leader_epoch: if v >= 9 { f.value(v) } else { -1 },
            fetch_offset: f.value(v),
            last_fetched_epoch: if v >= 12 { f.value(v) } else { -1 },
            log_start_offset: if v >= 5 { f.value(v) } else { -1 },
            partition_max_bytes: f.value(v),
            replica_directory_id: if v >= 17 {
                f.value(v)
            } else {
                Default::default()
            },
            high_watermark: if v == 18 {
                f.value(v)
            } else {
                9223372036854775807
            },
        }
    }
}

impl Sample for fetch_request::ForgottenTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: if v <= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v >= 13 {
                f.value(v)
            } else {
                Default::default()
            },
            partitions: f.value(v),
        }
    }
}

impl Sample for FetchResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: if v >= 7 { f.value(v) } else { 0 },
            session_id: if v >= 7 { f.value(v) } else { 0 },
            responses: f.value(v),
            node_endpoints: if v >= 16 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for fetch_response::FetchableTopicResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: if v <= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v >= 13 {
                f.value(v)
            } else {
                Default::default()
            },
            partitions: f.value(v),
        }
    }
}

impl Sample for fetch_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            high_watermark: f.value(v),
            last_stable_offset: f.value(v),
            log_start_offset: if v >= 5 { f.value(v) } else { -1 },
            diverging_epoch: if v >= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            current_leader: if v >= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            snapshot_id: if v >= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            aborted_transactions: f.maybe(v, true),
            preferred_read_replica: if v >= 11 { f.value(v) } else { -1 },
            records: f.maybe(v, true),
        }
    }
}

impl Sample for fetch_response::EpochEndOffset {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            epoch: f.value(v),
            end_offset: f.value(v),
        }
    }
}

impl Sample for fetch_response::LeaderIdAndEpoch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for fetch_response::SnapshotId {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            end_offset: f.value(v),
            epoch: f.value(v),
        }
    }
}

impl Sample for fetch_response::AbortedTransaction {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            producer_id: f.value(v),
            first_offset: f.value(v),
        }
    }
}

impl Sample for fetch_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            rack: f.maybe(v, true),
        }
    }
}

impl Sample for FetchSnapshotRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            replica_id: f.value(v),
            max_bytes: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for fetch_snapshot_request::TopicSnapshot {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for fetch_snapshot_request::PartitionSnapshot {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            current_leader_epoch: f.value(v),
            snapshot_id: f.value(v),
            position: f.value(v),
            replica_directory_id: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for fetch_snapshot_request::SnapshotId {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            end_offset: f.value(v),
            epoch: f.value(v),
        }
    }
}

impl Sample for FetchSnapshotResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            topics: f.value(v),
            node_endpoints: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for fetch_snapshot_response::TopicSnapshot {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for fetch_snapshot_response::PartitionSnapshot {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            index: f.value(v),
            error_code: f.value(v),
            snapshot_id: f.value(v),
            current_leader: f.value(v),
            size: f.value(v),
            position: f.value(v),
            unaligned_records: f.value(v),
        }
    }
}

impl Sample for fetch_snapshot_response::SnapshotId {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            end_offset: f.value(v),
            epoch: f.value(v),
        }
    }
}

impl Sample for fetch_snapshot_response::LeaderIdAndEpoch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for fetch_snapshot_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for FindCoordinatorRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            key: if v <= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            key_type: if v >= 1 { f.value(v) } else { 0 },
            coordinator_keys: if v >= 4 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for FindCoordinatorResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            error_code: if v <= 3 { f.value(v) } else { 0 },
            error_message: if (1..=3).contains(&v) {
                f.maybe(v, true)
            } else {
                Some(Default::default())
            },
            node_id: if v <= 3 { f.value(v) } else { 0 },
            host: if v <= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            port: if v <= 3 { f.value(v) } else { 0 },
            coordinators: if v >= 4 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for find_coordinator_response::Coordinator {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            key: f.value(v),
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for GetTelemetrySubscriptionsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            client_instance_id: f.value(v),
        }
    }
}

impl Sample for GetTelemetrySubscriptionsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            client_instance_id: f.value(v),
            subscription_id: f.value(v),
            accepted_compression_types: f.value(v),
            push_interval_ms: f.value(v),
            telemetry_max_bytes: f.value(v),
            delta_temporality: f.value(v),
            requested_metrics: f.value(v),
        }
    }
}

impl Sample for HeartbeatRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            generation_id: f.value(v),
            member_id: f.value(v),
            group_instance_id: if v >= 3 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for HeartbeatResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            error_code: f.value(v),
        }
    }
}

impl Sample for IncrementalAlterConfigsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resources: f.value(v),
            validate_only: f.value(v),
        }
    }
}

impl Sample for incremental_alter_configs_request::AlterConfigsResource {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_type: f.value(v),
            resource_name: f.value(v),
            configs: f.value(v),
        }
    }
}

impl Sample for incremental_alter_configs_request::AlterableConfig {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            config_operation: f.value(v),
            value: f.maybe(v, true),
        }
    }
}

impl Sample for IncrementalAlterConfigsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            responses: f.value(v),
        }
    }
}

impl Sample for incremental_alter_configs_response::AlterConfigsResourceResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            resource_type: f.value(v),
            resource_name: f.value(v),
        }
    }
}

impl Sample for InitProducerIdRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.maybe(v, true),
            transaction_timeout_ms: f.value(v),
            producer_id: if v >= 3 { f.value(v) } else { -1 },
            producer_epoch: if v >= 3 { f.value(v) } else { -1 },
            enable2_pc: if v == 6 { f.value(v) } else { false },
            keep_prepared_txn: if v == 6 { f.value(v) } else { false },
        }
    }
}

impl Sample for InitProducerIdResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            ongoing_txn_producer_id: if v == 6 { f.value(v) } else { -1 },
            ongoing_txn_producer_epoch: if v == 6 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for InitializeShareGroupStateRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for initialize_share_group_state_request::InitializeStateData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for initialize_share_group_state_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            state_epoch: f.value(v),
            start_offset: f.value(v),
        }
    }
}

impl Sample for InitializeShareGroupStateResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            results: f.value(v),
        }
    }
}

impl Sample for initialize_share_group_state_response::InitializeStateResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for initialize_share_group_state_response::PartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for JoinGroupRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            session_timeout_ms: f.value(v),
            rebalance_timeout_ms: if v >= 1 { f.value(v) } else { -1 },
            member_id: f.value(v),
            group_instance_id: if v >= 5 { f.maybe(v, true) } else { None },
            protocol_type: f.value(v),
            protocols: f.value(v),
            reason: if v >= 8 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for join_group_request::JoinGroupRequestProtocol {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            metadata: f.value(v),
        }
    }
}

impl Sample for JoinGroupResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 2 { f.value(v) } else { 0 },
            error_code: f.value(v),
            generation_id: f.value(v),
            protocol_type: if v >= 7 { f.maybe(v, true) } else { None },
            protocol_name: f.maybe(v, v >= 7),
            leader: f.value(v),
            skip_assignment: if v == 9 { f.value(v) } else { false },
            member_id: f.value(v),
            members: f.value(v),
        }
    }
}

impl Sample for join_group_response::JoinGroupResponseMember {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            group_instance_id: if v >= 5 { f.maybe(v, true) } else { None },
            metadata: f.value(v),
        }
    }
}

impl Sample for KRaftVersionRecord {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            version: f.value(v),
            kraft_version: f.value(v),
        }
    }
}

impl Sample for LeaderChangeMessage {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            version: f.value(v),
            leader_id: f.value(v),
            voters: f.value(v),
            granting_voters: f.value(v),
        }
    }
}

impl Sample for leader_change_message::Voter {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            voter_id: f.value(v),
            voter_directory_id: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for LeaveGroupRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            member_id: if v <= 2 {
                f.value(v)
            } else {
                Default::default()
            },
            members: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for leave_group_request::MemberIdentity {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            group_instance_id: f.maybe(v, true),
            reason: if v == 5 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for LeaveGroupResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            error_code: f.value(v),
            members: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for leave_group_response::MemberResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            group_instance_id: f.maybe(v, true),
            error_code: f.value(v),
        }
    }
}

impl Sample for ListConfigResourcesRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_types: if v == 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for ListConfigResourcesResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            config_resources: f.value(v),
        }
    }
}

impl Sample for list_config_resources_response::ConfigResource {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            resource_name: f.value(v),
            resource_type: if v == 1 { f.value(v) } else { 16 },
        }
    }
}

impl Sample for ListGroupsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            states_filter: if v >= 4 {
                f.value(v)
            } else {
                Default::default()
            },
            types_filter: if v == 5 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for ListGroupsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            error_code: f.value(v),
            groups: f.value(v),
        }
    }
}

impl Sample for list_groups_response::ListedGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            protocol_type: f.value(v),
            group_state: if v >= 4 {
                f.value(v)
            } else {
                Default::default()
            },
            group_type: if v == 5 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for ListOffsetsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            replica_id: f.value(v),
            isolation_level: if v >= 2 { f.value(v) } else { 0 },
            topics: f.value(v),
            timeout_ms: if v >= 10 { f.value(v) } else { 0 },
        }
    }
}

impl Sample for list_offsets_request::ListOffsetsTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for list_offsets_request::ListOffsetsPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            current_leader_epoch: if v >= 4 { f.value(v) } else { -1 },
            timestamp: f.value(v),
        }
    }
}

impl Sample for ListOffsetsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 2 { f.value(v) } else { 0 },
            topics: f.value(v),
        }
    }
}

impl Sample for list_offsets_response::ListOffsetsTopicResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for list_offsets_response::ListOffsetsPartitionResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            timestamp: f.value(v),
            offset: f.value(v),
            leader_epoch: if v >= 4 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for ListPartitionReassignmentsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            timeout_ms: f.value(v),
            topics: f.maybe(v, true),
        }
    }
}

impl Sample for list_partition_reassignments_request::ListPartitionReassignmentsTopics {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partition_indexes: f.value(v),
        }
    }
}

impl Sample for ListPartitionReassignmentsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            topics: f.value(v),
        }
    }
}

impl Sample for list_partition_reassignments_response::OngoingTopicReassignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for list_partition_reassignments_response::OngoingPartitionReassignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            replicas: f.value(v),
            adding_replicas: f.value(v),
            removing_replicas: f.value(v),
        }
    }
}

impl Sample for ListTransactionsRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            state_filters: f.value(v),
            producer_id_filters: f.value(v),
            duration_filter: if v >= 1 { f.value(v) } else { -1 },
            transactional_id_pattern: if v == 2 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for ListTransactionsResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            unknown_state_filters: f.value(v),
            transaction_states: f.value(v),
        }
    }
}

impl Sample for list_transactions_response::TransactionState {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.value(v),
            producer_id: f.value(v),
            transaction_state: f.value(v),
        }
    }
}

impl Sample for MetadataRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topics: f.maybe(v, v >= 1),
            allow_auto_topic_creation: if v >= 4 { f.value(v) } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&v) {
                f.value(v)
            } else {
                false
            },
            include_topic_authorized_operations: if v >= 8 { f.value(v) } else { false },
        }
    }
}

impl Sample for metadata_request::MetadataRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: if v >= 10 {
                f.value(v)
            } else {
                Default::default()
            },
            name: f.maybe(v, v >= 10),
        }
    }
}

impl Sample for MetadataResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 3 { f.value(v) } else { 0 },
            brokers: f.value(v),
            cluster_id: if v >= 2 { f.maybe(v, true) } else { None },
            controller_id: if v >= 1 { f.value(v) } else { -1 },
            topics: f.value(v),
            cluster_authorized_operations: if (8..=10).contains(&v) {
                f.value(v)
            } else {
                -2147483648
            },
            error_code: if v == 13 { f.value(v) } else { 0 },
        }
    }
}

impl Sample for metadata_response::MetadataResponseBroker {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            rack: if v >= 1 { f.maybe(v, true) } else { None },
        }
    }
}

impl Sample for metadata_response::MetadataResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            name: f.maybe(v, v >= 12),
            topic_id: if v >= 10 {
                f.value(v)
            } else {
                Default::default()
            },
            is_internal: if v >= 1 { f.value(v) } else { false },
            partitions: f.value(v),
            topic_authorized_operations: if v >= 8 { f.value(v) } else { -2147483648 },
        }
    }
}

impl Sample for metadata_response::MetadataResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            partition_index: f.value(v),
            leader_id: f.value(v),
            leader_epoch: if v >= 7 { f.value(v) } else { -1 },
            replica_nodes: f.value(v),
            isr_nodes: f.value(v),
            offline_replicas: if v >= 5 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for OffsetCommitRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            generation_id_or_member_epoch: f.value(v),
            member_id: f.value(v),
            group_instance_id: if v >= 7 { f.maybe(v, true) } else { None },
            retention_time_ms: if v <= 4 { f.value(v) } else { -1 },
            topics: f.value(v),
        }
    }
}

impl Sample for offset_commit_request::OffsetCommitRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: if v <= 9 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v == 10 {
                f.value(v)
            } else {
                Default::default()
            },
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_commit_request::OffsetCommitRequestPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            committed_offset: f.value(v),
            committed_leader_epoch: if v >= 6 { f.value(v) } else { -1 },
            committed_metadata: f.maybe(v, true),
        }
    }
}

impl Sample for OffsetCommitResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 3 { f.value(v) } else { 0 },
            topics: f.value(v),
        }
    }
}

impl Sample for offset_commit_response::OffsetCommitResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: if v <= 9 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v == 10 {
                f.value(v)
            } else {
                Default::default()
            },
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_commit_response::OffsetCommitResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for OffsetDeleteRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for offset_delete_request::OffsetDeleteRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_delete_request::OffsetDeleteRequestPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
        }
    }
}

impl Sample for OffsetDeleteResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            throttle_time_ms: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for offset_delete_response::OffsetDeleteResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_delete_response::OffsetDeleteResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for OffsetFetchRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: if v <= 7 {
                f.value(v)
            } else {
                Default::default()
            },
            topics: if v <= 7 {
                f.maybe(v, v >= 2)
            } else {
                Some(Default::default())
            },
            groups: if v >= 8 {
                f.value(v)
            } else {
                Default::default()
            },
            require_stable: if v >= 7 { f.value(v) } else { false },
        }
    }
}

impl Sample for offset_fetch_request::OffsetFetchRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partition_indexes: f.value(v),
        }
    }
}

impl Sample for offset_fetch_request::OffsetFetchRequestGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            member_id: if v >= 9 { f.maybe(v, true) } else { None },
            member_epoch: if v >= 9 { f.value(v) } else { -1 },
            topics: f.maybe(v, true),
        }
    }
}

impl Sample for offset_fetch_request::OffsetFetchRequestTopics {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: if v <= 9 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v == 10 {
                f.value(v)
            } else {
                Default::default()
            },
            partition_indexes: f.value(v),
        }
    }
}

impl Sample for OffsetFetchResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 3 { f.value(v) } else { 0 },
            topics: if v <= 7 {
                f.value(v)
            } else {
                Default::default()
            },
            error_code: if (2..=7).contains(&v) { f.value(v) } else { 0 },
            groups: if v >= 8 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for offset_fetch_response::OffsetFetchResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_fetch_response::OffsetFetchResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            committed_offset: f.value(v),
            committed_leader_epoch: if v >= 5 { f.value(v) } else { -1 },
            metadata: f.maybe(v, true),
            error_code: f.value(v),
        }
    }
}

impl Sample for offset_fetch_response::OffsetFetchResponseGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for offset_fetch_response::OffsetFetchResponseTopics {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: if v <= 9 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v == 10 {
                f.value(v)
            } else {
                Default::default()
            },
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_fetch_response::OffsetFetchResponsePartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            committed_offset: f.value(v),
            committed_leader_epoch: f.value(v),
            metadata: f.maybe(v, true),
            error_code: f.value(v),
        }
    }
}

impl Sample for OffsetForLeaderEpochRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            replica_id: if v >= 3 { f.value(v) } else { -2 },
            topics: f.value(v),
        }
    }
}

impl Sample for offset_for_leader_epoch_request::OffsetForLeaderTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_for_leader_epoch_request::OffsetForLeaderPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            current_leader_epoch: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for OffsetForLeaderEpochResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for offset_for_leader_epoch_response::OffsetForLeaderTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for offset_for_leader_epoch_response::EpochEndOffset {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            partition: f.value(v),
            leader_epoch: f.value(v),
            end_offset: f.value(v),
        }
    }
}

impl Sample for ProduceRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.maybe(v, true),
            acks: f.value(v),
            timeout_ms: f.value(v),
            topic_data: f.value(v),
        }
    }
}

impl Sample for produce_request::TopicProduceData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: if v <= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v == 13 {
                f.value(v)
            } else {
                Default::default()
            },
            partition_data: f.value(v),
        }
    }
}

impl Sample for produce_request::PartitionProduceData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            index: f.value(v),
            records: f.maybe(v, true),
        }
    }
}

impl Sample for ProduceResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            responses: f.value(v),
            throttle_time_ms: f.value(v),
            node_endpoints: if v >= 10 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for produce_response::TopicProduceResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: if v <= 12 {
                f.value(v)
            } else {
                Default::default()
            },
            topic_id: if v == 13 {
                f.value(v)
            } else {
                Default::default()
            },
            partition_responses: f.value(v),
        }
    }
}

impl Sample for produce_response::PartitionProduceResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            index: f.value(v),
            error_code: f.value(v),
            base_offset: f.value(v),
            log_append_time_ms: f.value(v),
            log_start_offset: if v >= 5 { f.value(v) } else { -1 },
            record_errors: if v >= 8 {
                f.value(v)
            } else {
                Default::default()
            },
            error_message: if v >= 8 { f.maybe(v, true) } else { None },
            current_leader: if v >= 10 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for produce_response::BatchIndexAndErrorMessage {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            batch_index: f.value(v),
            batch_index_error_message: f.maybe(v, true),
        }
    }
}

impl Sample for produce_response::LeaderIdAndEpoch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for produce_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            rack: f.maybe(v, true),
        }
    }
}

impl Sample for PushTelemetryRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            client_instance_id: f.value(v),
            subscription_id: f.value(v),
            terminating: f.value(v),
            compression_type: f.value(v),
            metrics: f.value(v),
        }
    }
}

impl Sample for PushTelemetryResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for ReadShareGroupStateRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_request::ReadStateData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for ReadShareGroupStateResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            results: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_response::ReadStateResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_response::PartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            state_epoch: f.value(v),
            start_offset: f.value(v),
            state_batches: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_response::StateBatch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            first_offset: f.value(v),
            last_offset: f.value(v),
            delivery_state: f.value(v),
            delivery_count: f.value(v),
        }
    }
}

impl Sample for ReadShareGroupStateSummaryRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_summary_request::ReadStateSummaryData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_summary_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for ReadShareGroupStateSummaryResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            results: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_summary_response::ReadStateSummaryResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for read_share_group_state_summary_response::PartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            state_epoch: f.value(v),
            leader_epoch: f.value(v),
            start_offset: f.value(v),
            delivery_complete_count: if v == 1 { f.value(v) } else { -1 },
        }
    }
}

impl Sample for RemoveRaftVoterRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            voter_id: f.value(v),
            voter_directory_id: f.value(v),
        }
    }
}

impl Sample for RemoveRaftVoterResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for RenewDelegationTokenRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            hmac: f.value(v),
            renew_period_ms: f.value(v),
        }
    }
}

impl Sample for RenewDelegationTokenResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            expiry_timestamp_ms: f.value(v),
            throttle_time_ms: f.value(v),
        }
    }
}

impl Sample for RequestHeader {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            request_api_key: f.value(v),
            request_api_version: f.value(v),
            correlation_id: f.value(v),
            client_id: f.maybe(v, true),
        }
    }
}

impl Sample for ResponseHeader {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            correlation_id: f.value(v),
        }
    }
}

impl Sample for SaslAuthenticateRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            auth_bytes: f.value(v),
        }
    }
}

impl Sample for SaslAuthenticateResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            auth_bytes: f.value(v),
            session_lifetime_ms: if v >= 1 { f.value(v) } else { 0 },
        }
    }
}

impl Sample for SaslHandshakeRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            mechanism: f.value(v),
        }
    }
}

impl Sample for SaslHandshakeResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            mechanisms: f.value(v),
        }
    }
}

impl Sample for ShareAcknowledgeRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.maybe(v, true),
            member_id: f.maybe(v, true),
            share_session_epoch: f.value(v),
            is_renew_ack: if v == 2 { f.value(v) } else { false },
            topics: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_request::AcknowledgeTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_request::AcknowledgePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            acknowledgement_batches: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_request::AcknowledgementBatch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            first_offset: f.value(v),
            last_offset: f.value(v),
            acknowledge_types: f.value(v),
        }
    }
}

impl Sample for ShareAcknowledgeResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            acquisition_lock_timeout_ms: if v == 2 { f.value(v) } else { 0 },
            responses: f.value(v),
            node_endpoints: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_response::ShareAcknowledgeTopicResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            current_leader: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_response::LeaderIdAndEpoch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for share_acknowledge_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            rack: f.maybe(v, true),
        }
    }
}

impl Sample for ShareFetchRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.maybe(v, true),
            member_id: f.maybe(v, true),
            share_session_epoch: f.value(v),
            max_wait_ms: f.value(v),
            min_bytes: f.value(v),
            max_bytes: f.value(v),
            max_records: f.value(v),
            batch_size: f.value(v),
            share_acquire_mode: if v == 2 { f.value(v) } else { 0 },
            is_renew_ack: if v == 2 { f.value(v) } else { false },
            topics: f.value(v),
            forgotten_topics_data: f.value(v),
        }
    }
}

impl Sample for share_fetch_request::FetchTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for share_fetch_request::FetchPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            acknowledgement_batches: f.value(v),
        }
    }
}

impl Sample for share_fetch_request::AcknowledgementBatch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            first_offset: f.value(v),
            last_offset: f.value(v),
            acknowledge_types: f.value(v),
        }
    }
}

impl Sample for share_fetch_request::ForgottenTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ShareFetchResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            acquisition_lock_timeout_ms: f.value(v),
            responses: f.value(v),
            node_endpoints: f.value(v),
        }
    }
}

impl Sample for share_fetch_response::ShareFetchableTopicResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for share_fetch_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            acknowledge_error_code: f.value(v),
            acknowledge_error_message: f.maybe(v, true),
            current_leader: f.value(v),
            records: f.value(v),
            acquired_records: f.value(v),
        }
    }
}

impl Sample for share_fetch_response::LeaderIdAndEpoch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            leader_id: f.value(v),
            leader_epoch: f.value(v),
        }
    }
}

impl Sample for share_fetch_response::AcquiredRecords {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            first_offset: f.value(v),
            last_offset: f.value(v),
            delivery_count: f.value(v),
        }
    }
}

impl Sample for share_fetch_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
            rack: f.maybe(v, true),
        }
    }
}

impl Sample for ShareGroupDescribeRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_ids: f.value(v),
            include_authorized_operations: f.value(v),
        }
    }
}

impl Sample for ShareGroupDescribeResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            groups: f.value(v),
        }
    }
}

impl Sample for share_group_describe_response::DescribedGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            group_id: f.value(v),
            group_state: f.value(v),
            group_epoch: f.value(v),
            assignment_epoch: f.value(v),
            assignor_name: f.value(v),
            members: f.value(v),
            authorized_operations: f.value(v),
        }
    }
}

impl Sample for share_group_describe_response::Member {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            rack_id: f.maybe(v, true),
            member_epoch: f.value(v),
            client_id: f.value(v),
            client_host: f.value(v),
            subscribed_topic_names: f.value(v),
            assignment: f.value(v),
        }
    }
}

impl Sample for share_group_describe_response::Assignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_partitions: f.value(v),
        }
    }
}

impl Sample for share_group_describe_response::TopicPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for ShareGroupHeartbeatRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            member_id: f.value(v),
            member_epoch: f.value(v),
            rack_id: f.maybe(v, true),
            subscribed_topic_names: f.maybe(v, true),
        }
    }
}

impl Sample for ShareGroupHeartbeatResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            member_id: f.maybe(v, true),
            member_epoch: f.value(v),
            heartbeat_interval_ms: f.value(v),
            assignment: f.maybe(v, true),
        }
    }
}

impl Sample for share_group_heartbeat_response::Assignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_partitions: f.value(v),
        }
    }
}

impl Sample for share_group_heartbeat_response::TopicPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for SnapshotFooterRecord {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            version: f.value(v),
        }
    }
}

impl Sample for SnapshotHeaderRecord {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            version: f.value(v),
            last_contained_log_timestamp: f.value(v),
        }
    }
}

impl Sample for StreamsGroupDescribeRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_ids: f.value(v),
            include_authorized_operations: f.value(v),
        }
    }
}

impl Sample for StreamsGroupDescribeResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            groups: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::DescribedGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            group_id: f.value(v),
            group_state: f.value(v),
            group_epoch: f.value(v),
            assignment_epoch: f.value(v),
            topology: f.maybe(v, true),
            members: f.value(v),
            authorized_operations: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::Topology {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            epoch: f.value(v),
            subtopologies: f.maybe(v, true),
        }
    }
}

impl Sample for streams_group_describe_response::Subtopology {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            source_topics: f.value(v),
            repartition_sink_topics: f.value(v),
            state_changelog_topics: f.value(v),
            repartition_source_topics: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::TopicInfo {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
            replication_factor: f.value(v),
            topic_configs: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::KeyValue {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            key: f.value(v),
            value: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::Member {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            member_epoch: f.value(v),
            instance_id: f.maybe(v, true),
            rack_id: f.maybe(v, true),
            client_id: f.value(v),
            client_host: f.value(v),
            topology_epoch: f.value(v),
            process_id: f.value(v),
            user_endpoint: f.maybe(v, true),
            client_tags: f.value(v),
            task_offsets: f.value(v),
            task_end_offsets: f.value(v),
            assignment: f.value(v),
            target_assignment: f.value(v),
            is_classic: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::Endpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::TaskOffset {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            partition: f.value(v),
            offset: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::Assignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            active_tasks: f.value(v),
            standby_tasks: f.value(v),
            warmup_tasks: f.value(v),
        }
    }
}

impl Sample for streams_group_describe_response::TaskIds {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for StreamsGroupHeartbeatRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            member_id: f.value(v),
            member_epoch: f.value(v),
            endpoint_information_epoch: f.value(v),
            instance_id: f.maybe(v, true),
            rack_id: f.maybe(v, true),
            rebalance_timeout_ms: f.value(v),
            topology: f.maybe(v, true),
            active_tasks: f.maybe(v, true),
            standby_tasks: f.maybe(v, true),
            warmup_tasks: f.maybe(v, true),
            process_id: f.maybe(v, true),
            user_endpoint: f.maybe(v, true),
            client_tags: f.maybe(v, true),
            task_offsets: f.maybe(v, true),
            task_end_offsets: f.maybe(v, true),
            shutdown_application: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::Topology {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            epoch: f.value(v),
            subtopologies: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::Subtopology {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            source_topics: f.value(v),
            source_topic_regex: f.value(v),
            state_changelog_topics: f.value(v),
            repartition_sink_topics: f.value(v),
            repartition_source_topics: f.value(v),
            copartition_groups: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::TopicInfo {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
            replication_factor: f.value(v),
            topic_configs: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::KeyValue {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            key: f.value(v),
            value: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::CopartitionGroup {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            source_topics: f.value(v),
            source_topic_regex: f.value(v),
            repartition_source_topics: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::TaskIds {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::Endpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_request::TaskOffset {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            partition: f.value(v),
            offset: f.value(v),
        }
    }
}

impl Sample for StreamsGroupHeartbeatResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            member_id: f.value(v),
            member_epoch: f.value(v),
            heartbeat_interval_ms: f.value(v),
            acceptable_recovery_lag: f.value(v),
            task_offset_interval_ms: f.value(v),
            status: f.maybe(v, true),
            active_tasks: f.maybe(v, true),
            standby_tasks: f.maybe(v, true),
            warmup_tasks: f.maybe(v, true),
            endpoint_information_epoch: f.value(v),
            partitions_by_user_endpoint: f.maybe(v, true),
        }
    }
}

impl Sample for streams_group_heartbeat_response::Status {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            status_code: f.value(v),
            status_detail: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_response::TaskIds {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            subtopology_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_response::EndpointToPartitions {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            user_endpoint: f.value(v),
            active_partitions: f.value(v),
            standby_partitions: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_response::Endpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for streams_group_heartbeat_response::TopicPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for SyncGroupRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            generation_id: f.value(v),
            member_id: f.value(v),
            group_instance_id: if v >= 3 { f.maybe(v, true) } else { None },
            protocol_type: if v == 5 { f.maybe(v, true) } else { None },
            protocol_name: if v == 5 { f.maybe(v, true) } else { None },
            assignments: f.value(v),
        }
    }
}

impl Sample for sync_group_request::SyncGroupRequestAssignment {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            member_id: f.value(v),
            assignment: f.value(v),
        }
    }
}

impl Sample for SyncGroupResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: if v >= 1 { f.value(v) } else { 0 },
            error_code: f.value(v),
            protocol_type: if v == 5 { f.maybe(v, true) } else { None },
            protocol_name: if v == 5 { f.maybe(v, true) } else { None },
            assignment: f.value(v),
        }
    }
}

impl Sample for TxnOffsetCommitRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            transactional_id: f.value(v),
            group_id: f.value(v),
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            generation_id: if v >= 3 { f.value(v) } else { -1 },
            member_id: if v >= 3 {
                f.value(v)
            } else {
                Default::default()
            },
            group_instance_id: if v >= 3 { f.maybe(v, true) } else { None },
            topics: f.value(v),
        }
    }
}

impl Sample for txn_offset_commit_request::TxnOffsetCommitRequestTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for txn_offset_commit_request::TxnOffsetCommitRequestPartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            committed_offset: f.value(v),
            committed_leader_epoch: if v >= 2 { f.value(v) } else { -1 },
            committed_metadata: f.maybe(v, true),
        }
    }
}

impl Sample for TxnOffsetCommitResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for txn_offset_commit_response::TxnOffsetCommitResponseTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for txn_offset_commit_response::TxnOffsetCommitResponsePartition {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
        }
    }
}

impl Sample for UnregisterBrokerRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            broker_id: f.value(v),
        }
    }
}

impl Sample for UnregisterBrokerResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for UpdateFeaturesRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            timeout_ms: f.value(v),
            feature_updates: f.value(v),
            validate_only: if v >= 1 { f.value(v) } else { false },
        }
    }
}

impl Sample for update_features_request::FeatureUpdateKey {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            feature: f.value(v),
            max_version_level: f.value(v),
            allow_downgrade: if v == 0 { f.value(v) } else { false },
            upgrade_type: if v >= 1 { f.value(v) } else { 1 },
        }
    }
}

impl Sample for UpdateFeaturesResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
            results: if v <= 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for update_features_response::UpdatableFeatureResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            feature: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for UpdateRaftVoterRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            current_leader_epoch: f.value(v),
            voter_id: f.value(v),
            voter_directory_id: f.value(v),
            listeners: f.value(v),
            kraft_version_feature: f.value(v),
        }
    }
}

impl Sample for update_raft_voter_request::Listener {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for update_raft_voter_request::KRaftVersionFeature {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            min_supported_version: f.value(v),
            max_supported_version: f.value(v),
        }
    }
}

impl Sample for UpdateRaftVoterResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            throttle_time_ms: f.value(v),
            error_code: f.value(v),
            current_leader: f.value(v),
        }
    }
}

impl Sample for update_raft_voter_response::CurrentLeader {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            leader_id: f.value(v),
            leader_epoch: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for VoteRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            cluster_id: f.maybe(v, true),
            voter_id: if v >= 1 { f.value(v) } else { -1 },
            topics: f.value(v),
        }
    }
}

impl Sample for vote_request::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for vote_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            replica_epoch: f.value(v),
            replica_id: f.value(v),
            replica_directory_id: if v >= 1 {
                f.value(v)
            } else {
                Default::default()
            },
            voter_directory_id: if v >= 1 {
                f.value(v)
            } else {
                Default::default()
            },
            last_offset_epoch: f.value(v),
            last_offset: f.value(v),
            pre_vote: if v == 2 { f.value(v) } else { false },
        }
    }
}

impl Sample for VoteResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            error_code: f.value(v),
            topics: f.value(v),
            node_endpoints: if v >= 1 {
                f.value(v)
            } else {
                Default::default()
            },
        }
    }
}

impl Sample for vote_response::TopicData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for vote_response::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
            leader_id: f.value(v),
            leader_epoch: f.value(v),
            vote_granted: f.value(v),
        }
    }
}

impl Sample for vote_response::NodeEndpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            node_id: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for VotersRecord {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            version: f.value(v),
            voters: f.value(v),
        }
    }
}

impl Sample for voters_record::Voter {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            voter_id: f.value(v),
            voter_directory_id: f.value(v),
            endpoints: f.value(v),
            kraft_version_feature: f.value(v),
        }
    }
}

impl Sample for voters_record::Endpoint {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            host: f.value(v),
            port: f.value(v),
        }
    }
}

impl Sample for voters_record::KRaftVersionFeature {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            min_supported_version: f.value(v),
            max_supported_version: f.value(v),
        }
    }
}

impl Sample for WriteShareGroupStateRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            group_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for write_share_group_state_request::WriteStateData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for write_share_group_state_request::PartitionData {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            state_epoch: f.value(v),
            leader_epoch: f.value(v),
            start_offset: f.value(v),
            delivery_complete_count: if v == 1 { f.value(v) } else { -1 },
            state_batches: f.value(v),
        }
    }
}

impl Sample for write_share_group_state_request::StateBatch {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            first_offset: f.value(v),
            last_offset: f.value(v),
            delivery_state: f.value(v),
            delivery_count: f.value(v),
        }
    }
}

impl Sample for WriteShareGroupStateResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            results: f.value(v),
        }
    }
}

impl Sample for write_share_group_state_response::WriteStateResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            topic_id: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for write_share_group_state_response::PartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition: f.value(v),
            error_code: f.value(v),
            error_message: f.maybe(v, true),
        }
    }
}

impl Sample for WriteTxnMarkersRequest {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            markers: f.value(v),
        }
    }
}

impl Sample for write_txn_markers_request::WritableTxnMarker {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            producer_id: f.value(v),
            producer_epoch: f.value(v),
            transaction_result: f.value(v),
            topics: f.value(v),
            coordinator_epoch: f.value(v),
            transaction_version: if v == 2 { f.value(v) } else { 0 },
        }
    }
}

impl Sample for write_txn_markers_request::WritableTxnMarkerTopic {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partition_indexes: f.value(v),
        }
    }
}

impl Sample for WriteTxnMarkersResponse {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            markers: f.value(v),
        }
    }
}

impl Sample for write_txn_markers_response::WritableTxnMarkerResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            producer_id: f.value(v),
            topics: f.value(v),
        }
    }
}

impl Sample for write_txn_markers_response::WritableTxnMarkerTopicResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            name: f.value(v),
            partitions: f.value(v),
        }
    }
}

impl Sample for write_txn_markers_response::WritableTxnMarkerPartitionResult {
    fn sample(f: &mut Fill, v: i16) -> Self {
        Self {
            partition_index: f.value(v),
            error_code: f.value(v),
        }
    }
}

/// Calls a macro with the names of all messages.
macro_rules! each_message {
    ($call:ident) => {
        $call! {
        AddOffsetsToTxnRequest
        AddOffsetsToTxnResponse
        AddPartitionsToTxnRequest
        AddPartitionsToTxnResponse
        AddRaftVoterRequest
        AddRaftVoterResponse
        AllocateProducerIdsRequest
        AllocateProducerIdsResponse
        AlterClientQuotasRequest
        AlterClientQuotasResponse
        AlterConfigsRequest
        AlterConfigsResponse
        AlterPartitionReassignmentsRequest
        AlterPartitionReassignmentsResponse
        AlterPartitionRequest
        AlterPartitionResponse
        AlterReplicaLogDirsRequest
        AlterReplicaLogDirsResponse
        AlterShareGroupOffsetsRequest
        AlterShareGroupOffsetsResponse
        AlterUserScramCredentialsRequest
        AlterUserScramCredentialsResponse
        ApiVersionsRequest
        ApiVersionsResponse
        AssignReplicasToDirsRequest
        AssignReplicasToDirsResponse
        BeginQuorumEpochRequest
        BeginQuorumEpochResponse
        BrokerHeartbeatRequest
        BrokerHeartbeatResponse
        BrokerRegistrationRequest
        BrokerRegistrationResponse
        ConsumerGroupDescribeRequest
        ConsumerGroupDescribeResponse
        ConsumerGroupHeartbeatRequest
        ConsumerGroupHeartbeatResponse
        ConsumerProtocolAssignment
        ConsumerProtocolSubscription
        ControlRecordTypeSchema
        ControllerRegistrationRequest
        ControllerRegistrationResponse
        CreateAclsRequest
        CreateAclsResponse
        CreateDelegationTokenRequest
        CreateDelegationTokenResponse
        CreatePartitionsRequest
        CreatePartitionsResponse
        CreateTopicsRequest
        CreateTopicsResponse
        DefaultPrincipalData
        DeleteAclsRequest
        DeleteAclsResponse
        DeleteGroupsRequest
        DeleteGroupsResponse
        DeleteRecordsRequest
        DeleteRecordsResponse
        DeleteShareGroupOffsetsRequest
        DeleteShareGroupOffsetsResponse
        DeleteShareGroupStateRequest
        DeleteShareGroupStateResponse
        DeleteTopicsRequest
        DeleteTopicsResponse
        DescribeAclsRequest
        DescribeAclsResponse
        DescribeClientQuotasRequest
        DescribeClientQuotasResponse
        DescribeClusterRequest
        DescribeClusterResponse
        DescribeConfigsRequest
        DescribeConfigsResponse
        DescribeDelegationTokenRequest
        DescribeDelegationTokenResponse
        DescribeGroupsRequest
        DescribeGroupsResponse
        DescribeLogDirsRequest
        DescribeLogDirsResponse
        DescribeProducersRequest
        DescribeProducersResponse
        DescribeQuorumRequest
        DescribeQuorumResponse
        DescribeShareGroupOffsetsRequest
        DescribeShareGroupOffsetsResponse
        DescribeTopicPartitionsRequest
        DescribeTopicPartitionsResponse
        DescribeTransactionsRequest
        DescribeTransactionsResponse
        DescribeUserScramCredentialsRequest
        DescribeUserScramCredentialsResponse
        ElectLeadersRequest
        ElectLeadersResponse
        EndQuorumEpochRequest
        EndQuorumEpochResponse
        EndTxnMarker
        EndTxnRequest
        EndTxnResponse
        EnvelopeRequest
        EnvelopeResponse
        ExpireDelegationTokenRequest
        ExpireDelegationTokenResponse
        FetchRequest
        FetchResponse
        FetchSnapshotRequest
        FetchSnapshotResponse
        FindCoordinatorRequest
        FindCoordinatorResponse
        GetTelemetrySubscriptionsRequest
        GetTelemetrySubscriptionsResponse
        HeartbeatRequest
        HeartbeatResponse
        IncrementalAlterConfigsRequest
        IncrementalAlterConfigsResponse
        InitProducerIdRequest
        InitProducerIdResponse
        InitializeShareGroupStateRequest
        InitializeShareGroupStateResponse
        JoinGroupRequest
        JoinGroupResponse
        KRaftVersionRecord
        LeaderChangeMessage
        LeaveGroupRequest
        LeaveGroupResponse
        ListConfigResourcesRequest
        ListConfigResourcesResponse
        ListGroupsRequest
        ListGroupsResponse
        ListOffsetsRequest
        ListOffsetsResponse
        ListPartitionReassignmentsRequest
        ListPartitionReassignmentsResponse
        ListTransactionsRequest
        ListTransactionsResponse
        MetadataRequest
        MetadataResponse
        OffsetCommitRequest
        OffsetCommitResponse
        OffsetDeleteRequest
        OffsetDeleteResponse
        OffsetFetchRequest
        OffsetFetchResponse
        OffsetForLeaderEpochRequest
        OffsetForLeaderEpochResponse
        ProduceRequest
        ProduceResponse
        PushTelemetryRequest
        PushTelemetryResponse
        ReadShareGroupStateRequest
        ReadShareGroupStateResponse
        ReadShareGroupStateSummaryRequest
        ReadShareGroupStateSummaryResponse
        RemoveRaftVoterRequest
        RemoveRaftVoterResponse
        RenewDelegationTokenRequest
        RenewDelegationTokenResponse
        RequestHeader
        ResponseHeader
        SaslAuthenticateRequest
        SaslAuthenticateResponse
        SaslHandshakeRequest
        SaslHandshakeResponse
        ShareAcknowledgeRequest
        ShareAcknowledgeResponse
        ShareFetchRequest
        ShareFetchResponse
        ShareGroupDescribeRequest
        ShareGroupDescribeResponse
        ShareGroupHeartbeatRequest
        ShareGroupHeartbeatResponse
        SnapshotFooterRecord
        SnapshotHeaderRecord
        StreamsGroupDescribeRequest
        StreamsGroupDescribeResponse
        StreamsGroupHeartbeatRequest
        StreamsGroupHeartbeatResponse
        SyncGroupRequest
        SyncGroupResponse
        TxnOffsetCommitRequest
        TxnOffsetCommitResponse
        UnregisterBrokerRequest
        UnregisterBrokerResponse
        UpdateFeaturesRequest
        UpdateFeaturesResponse
        UpdateRaftVoterRequest
        UpdateRaftVoterResponse
        VoteRequest
        VoteResponse
        VotersRecord
        WriteShareGroupStateRequest
        WriteShareGroupStateResponse
        WriteTxnMarkersRequest
        WriteTxnMarkersResponse
        }
    };
}

pub(crate) use each_message;

/// Calls a macro with the number, the request and the response of every API.
#[allow(unused_macros)]
macro_rules! each_api {
    ($call:ident) => {
        $call! {
        0 ProduceRequest ProduceResponse
        1 FetchRequest FetchResponse
        2 ListOffsetsRequest ListOffsetsResponse
        3 MetadataRequest MetadataResponse
        8 OffsetCommitRequest OffsetCommitResponse
        9 OffsetFetchRequest OffsetFetchResponse
        10 FindCoordinatorRequest FindCoordinatorResponse
        11 JoinGroupRequest JoinGroupResponse
        12 HeartbeatRequest HeartbeatResponse
        13 LeaveGroupRequest LeaveGroupResponse
        14 SyncGroupRequest SyncGroupResponse
        15 DescribeGroupsRequest DescribeGroupsResponse
        16 ListGroupsRequest ListGroupsResponse
        17 SaslHandshakeRequest SaslHandshakeResponse
        18 ApiVersionsRequest ApiVersionsResponse
        19 CreateTopicsRequest CreateTopicsResponse
        20 DeleteTopicsRequest DeleteTopicsResponse
        21 DeleteRecordsRequest DeleteRecordsResponse
        22 InitProducerIdRequest InitProducerIdResponse
        23 OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse
        24 AddPartitionsToTxnRequest AddPartitionsToTxnResponse
        25 AddOffsetsToTxnRequest AddOffsetsToTxnResponse
        26 EndTxnRequest EndTxnResponse
        27 WriteTxnMarkersRequest WriteTxnMarkersResponse
        28 TxnOffsetCommitRequest TxnOffsetCommitResponse
        29 DescribeAclsRequest DescribeAclsResponse
        30 CreateAclsRequest CreateAclsResponse
        31 DeleteAclsRequest DeleteAclsResponse
        32 DescribeConfigsRequest DescribeConfigsResponse
        33 AlterConfigsRequest AlterConfigsResponse
        34 AlterReplicaLogDirsRequest AlterReplicaLogDirsResponse
        35 DescribeLogDirsRequest DescribeLogDirsResponse
        36 SaslAuthenticateRequest SaslAuthenticateResponse
        37 CreatePartitionsRequest CreatePartitionsResponse
        38 CreateDelegationTokenRequest CreateDelegationTokenResponse
        39 RenewDelegationTokenRequest RenewDelegationTokenResponse
        40 ExpireDelegationTokenRequest ExpireDelegationTokenResponse
        41 DescribeDelegationTokenRequest DescribeDelegationTokenResponse
        42 DeleteGroupsRequest DeleteGroupsResponse
        43 ElectLeadersRequest ElectLeadersResponse
        44 IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse
        45 AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse
        46 ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse
        47 OffsetDeleteRequest OffsetDeleteResponse
        48 DescribeClientQuotasRequest DescribeClientQuotasResponse
        49 AlterClientQuotasRequest AlterClientQuotasResponse
        50 DescribeUserScramCredentialsRequest DescribeUserScramCredentialsResponse
        51 AlterUserScramCredentialsRequest AlterUserScramCredentialsResponse
        52 VoteRequest VoteResponse
        53 BeginQuorumEpochRequest BeginQuorumEpochResponse
        54 EndQuorumEpochRequest EndQuorumEpochResponse
        55 DescribeQuorumRequest DescribeQuorumResponse
        56 AlterPartitionRequest AlterPartitionResponse
        57 UpdateFeaturesRequest UpdateFeaturesResponse
        58 EnvelopeRequest EnvelopeResponse
        59 FetchSnapshotRequest FetchSnapshotResponse
        60 DescribeClusterRequest DescribeClusterResponse
        61 DescribeProducersRequest DescribeProducersResponse
        62 BrokerRegistrationRequest BrokerRegistrationResponse
        63 BrokerHeartbeatRequest BrokerHeartbeatResponse
        64 UnregisterBrokerRequest UnregisterBrokerResponse
        65 DescribeTransactionsRequest DescribeTransactionsResponse
        66 ListTransactionsRequest ListTransactionsResponse
        67 AllocateProducerIdsRequest AllocateProducerIdsResponse
        68 ConsumerGroupHeartbeatRequest ConsumerGroupHeartbeatResponse
        69 ConsumerGroupDescribeRequest ConsumerGroupDescribeResponse
        70 ControllerRegistrationRequest ControllerRegistrationResponse
        71 GetTelemetrySubscriptionsRequest GetTelemetrySubscriptionsResponse
        72 PushTelemetryRequest PushTelemetryResponse
        73 AssignReplicasToDirsRequest AssignReplicasToDirsResponse
        74 ListConfigResourcesRequest ListConfigResourcesResponse
        75 DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse
        76 ShareGroupHeartbeatRequest ShareGroupHeartbeatResponse
        77 ShareGroupDescribeRequest ShareGroupDescribeResponse
        78 ShareFetchRequest ShareFetchResponse
        79 ShareAcknowledgeRequest ShareAcknowledgeResponse
        80 AddRaftVoterRequest AddRaftVoterResponse
        81 RemoveRaftVoterRequest RemoveRaftVoterResponse
        82 UpdateRaftVoterRequest UpdateRaftVoterResponse
        83 InitializeShareGroupStateRequest InitializeShareGroupStateResponse
        84 ReadShareGroupStateRequest ReadShareGroupStateResponse
        85 WriteShareGroupStateRequest WriteShareGroupStateResponse
        86 DeleteShareGroupStateRequest DeleteShareGroupStateResponse
        87 ReadShareGroupStateSummaryRequest ReadShareGroupStateSummaryResponse
        88 StreamsGroupHeartbeatRequest StreamsGroupHeartbeatResponse
        89 StreamsGroupDescribeRequest StreamsGroupDescribeResponse
        90 DescribeShareGroupOffsetsRequest DescribeShareGroupOffsetsResponse
        91 AlterShareGroupOffsetsRequest AlterShareGroupOffsetsResponse
        92 DeleteShareGroupOffsetsRequest DeleteShareGroupOffsetsResponse
        }
    };
}

#[allow(unused_imports)]
pub(crate) use each_api;
