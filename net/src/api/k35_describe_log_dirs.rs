//! DescribeLogDirs (35): the data directory, how large the logs in it are, and how much room is left.
//!
//! * 1 · 2 flexible · 3 an error of the whole · 4 total and usable bytes (KIP-827) · 5 cordoned directories
//!
//! There is one directory, never cordoned, and no log moves: lags are 0, nothing is a future log. Partitions that are
//! not known are left out, as by Kafka. The room was measured a while ago: -1 where it could not be.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use corelane_engine::call::{AnswerBody, CallBody, LogSize};
use corelane_engine::disk::Space;
use corelane_engine::types::{ShardId, TopicId, TopicPartition};

use crate::context::{Operation, Resource, shown_topic, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started, Waiting, Work};
use crate::error_code::ErrorCode;
use crate::protocol::describe_log_dirs_request::DescribeLogDirsRequest;
use crate::protocol::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResponse, DescribeLogDirsResult, DescribeLogDirsTopic,
};

/// A request whose shards are being asked.
#[derive(Debug)]
pub struct DescribeLogDirs {
    sizes: Vec<LogSize>,
    space: Option<Space>,
    /// Shards that have not answered.
    missing: usize,
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: DescribeLogDirsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let context = &request.context;
    if !desk.allows(context, Operation::Describe, Resource::Cluster) {
        return Started::Answer(request.encode(&DescribeLogDirsResponse {
            throttle_time_ms: throttle_ms(context, desk.now),
            error_code: ErrorCode::ClusterAuthorizationFailed.code(),
            ..DescribeLogDirsResponse::default()
        }));
    }
    let mut calls: BTreeMap<ShardId, Option<Vec<TopicPartition>>> = BTreeMap::new();
    match message.topics {
        None => calls.extend((0..desk.shards).map(|shard| (ShardId(shard), None))),
        Some(topics) => {
            // This shard knows of the room, whatever is asked.
            calls.insert(desk.me, Some(Vec::new()));
            let mut named = BTreeSet::new();
            for topic in topics {
                let Some(found) = desk.topic_by_name(context, &topic.topic) else {
                    continue;
                };
                let known = (topic.partitions.into_iter())
                    .filter(|partition| (0..found.partitions).contains(partition));
                named.extend(known.map(|partition| TopicPartition {
                    topic: found.id,
                    partition,
                }));
            }
            for partition in named {
                let owner = calls.entry(desk.owner(partition));
                let list = owner.or_insert(Some(Vec::new()));
                list.get_or_insert_default().push(partition);
            }
        }
    }
    let missing = calls.len();
    for (owner, partitions) in calls {
        desk.call(owner, request.token, CallBody::LogSizes { partitions });
    }
    Started::Waiting(Waiting {
        work: Work::DescribeLogDirs(Box::new(DescribeLogDirs {
            sizes: Vec::new(),
            space: None,
            missing,
        })),
        deadline: None,
        answered: true,
    })
}

impl DescribeLogDirs {
    /// A shard answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        body: AnswerBody,
    ) -> Option<Outcome> {
        let AnswerBody::LogSizes(answer) = body else {
            panic!("sizes of logs were asked for, got {body:?}");
        };
        self.sizes.extend(answer.sizes);
        self.space = self.space.or(answer.space);
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(self.reply(desk, request)))
    }

    fn reply(&mut self, desk: &Desk, request: &Request) -> Encoded {
        let mut topics: BTreeMap<TopicId, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
        self.sizes.sort_unstable_by_key(|size| size.partition);
        for size in &self.sizes {
            let partitions = topics.entry(size.partition.topic).or_default();
            partitions.push(DescribeLogDirsPartition {
                partition_index: size.partition.partition,
                partition_size: i64::try_from(size.bytes).unwrap_or(i64::MAX),
                offset_lag: 0,
                is_future_key: false,
            });
        }
        // A topic may be deleted while its shards are asked.
        let topics = topics.into_iter().filter_map(|(id, partitions)| {
            let name = shown_topic(&request.context, desk.topic_by_id(id)?.name);
            let name = name.into();
            Some(DescribeLogDirsTopic { name, partitions })
        });
        let bytes = |of: fn(Space) -> u64| {
            let known = self.space.map(|space| i64::try_from(of(space)));
            known.map_or(-1, |bytes| bytes.unwrap_or(i64::MAX))
        };
        let directory = DescribeLogDirsResult {
            error_code: ErrorCode::None.code(),
            log_dir: desk.directory.as_str().into(),
            topics: topics.collect(),
            total_bytes: bytes(|space| space.total_bytes),
            usable_bytes: bytes(|space| space.usable_bytes),
            is_cordoned: false,
        };
        request.encode(&DescribeLogDirsResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            error_code: ErrorCode::None.code(),
            results: vec![directory],
        })
    }
}
