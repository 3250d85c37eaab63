//! OffsetFetch (9): how far groups have read.
//!
//! * 1 offsets kept by the broker · 2 all topics; error of the whole · 3 throttle time · 4 as 3 · 5 leader epochs (KIP-320)
//! * 6 flexible · 7 stable offsets only (KIP-447) · 8 several groups (KIP-709) · 9 member id and epoch (KIP-848)
//! * 10 topic ids in place of names (KIP-848)
//!
//! A group that does not exist has committed nothing; so has a topic that does not exist, where it is named. It waits
//! until what its connection asked before is answered: a commit sent before it is seen by it. Where one request asks
//! for all offsets of one group twice, the second time is INVALID_REQUEST: an answer is bounded by what there is.

use std::collections::BTreeSet;

use bytes::Bytes;
use corelane_engine::group::call::{
    CommittedOffset, FetchOffsets, GroupAsk, GroupDone, GroupError,
};
use corelane_engine::types::TopicId;

use crate::api::group::{Asks, GroupWork};
use crate::context::{Operation, Resource, resolve_topic, shown_topic, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use crate::protocol::offset_fetch_response::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use crate::protocol::{Str, Uuid};

/// First version whose answer has a code of its own.
const WHOLE_ERROR_SINCE: i16 = 2;
/// First version with several groups.
const GROUPS_SINCE: i16 = 8;
/// First version with topic ids.
const TOPIC_IDS_SINCE: i16 = 10;

/// A request whose groups are being asked.
#[derive(Debug)]
pub struct OffsetFetch {
    groups: Vec<Answered>,
    missing: usize,
}

/// A group of the answer.
#[derive(Debug)]
struct Answered {
    name: Str,
    code: ErrorCode,
    /// Those asked of the coordinator come first.
    topics: Vec<OffsetFetchResponseTopics>,
    /// How many of them were asked; `None`: everything.
    asked: Option<usize>,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: OffsetFetchRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let require_stable = message.require_stable;
    let mut asks = Asks::new(desk);
    let mut work = OffsetFetch {
        groups: Vec::new(),
        missing: 0,
    };
    let mut asked_whole = BTreeSet::new();
    for group in groups(message, request.header.version) {
        let twice = group.topics.is_none() && !asked_whole.insert(group.group_id.clone());
        let describes = desk.allows(
            &request.context,
            Operation::Describe,
            Resource::Group(&group.group_id),
        );
        let (mut answered, topics) = sort(desk, request, &group);
        let slot = work.groups.len() as u32;
        let ask = GroupAsk::FetchOffsets(FetchOffsets {
            member: group.member_id.map(|member| member.as_str().to_owned()),
            topics,
            require_stable,
        });
        let refused = match (describes, twice) {
            (false, _) => Some(ErrorCode::GroupAuthorizationFailed),
            (true, true) => Some(ErrorCode::InvalidRequest),
            (true, false) => asks
                .add(desk, &request.context, slot, &group.group_id, ask)
                .err()
                .map(|error| error_code::of_group(&error)),
        };
        match refused {
            Some(code) => answered.refuse(code, request.header.version),
            None => work.missing += 1,
        }
        work.groups.push(answered);
    }
    if work.missing == 0 {
        return Started::Answer(work.answer(desk, request));
    }
    asks.make(desk, request);
    GroupWork::OffsetFetch(work).started()
}

/// The request in the words of its newer versions.
fn groups(message: OffsetFetchRequest, version: i16) -> Vec<OffsetFetchRequestGroup> {
    if version >= GROUPS_SINCE {
        return message.groups;
    }
    let topics = message.topics.map(|topics| {
        let renamed = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopics::default()
        });
        renamed.collect()
    });
    vec![OffsetFetchRequestGroup {
        group_id: message.group_id,
        topics,
        ..OffsetFetchRequestGroup::default()
    }]
}

/// The answer with nothing committed yet, and what to ask for: topics that may be seen, by their names as stored.
#[expect(clippy::type_complexity, reason = "the contract's own type")]
fn sort(
    desk: &Desk,
    request: &Request,
    group: &OffsetFetchRequestGroup,
) -> (Answered, Option<Vec<(String, Vec<i32>)>>) {
    let mut answered = Answered {
        name: group.group_id.clone(),
        code: ErrorCode::None,
        topics: Vec::new(),
        asked: None,
    };
    let Some(topics) = &group.topics else {
        return (answered, None);
    };
    let mut asked = Vec::new();
    let mut refused = Vec::new();
    for topic in topics {
        match stored_name(desk, request, topic) {
            Ok(name) => {
                asked.push((name, topic.partition_indexes.clone()));
                answered.topics.push(nothing(topic, ErrorCode::None));
            }
            Err(code) => refused.push(nothing(topic, code)),
        }
    }
    answered.asked = Some(answered.topics.len());
    answered.topics.extend(refused);
    (answered, Some(asked))
}

/// The name under which a topic's offsets are kept.
fn stored_name(
    desk: &Desk,
    request: &Request,
    topic: &OffsetFetchRequestTopics,
) -> Result<String, ErrorCode> {
    let context = &request.context;
    let (stored, shown) = if request.header.version >= TOPIC_IDS_SINCE {
        let found = desk
            .topic_by_id(TopicId(topic.topic_id.0))
            .ok_or(ErrorCode::UnknownTopicId)?;
        (found.name, shown_topic(context, found.name))
    } else {
        (resolve_topic(context, &topic.name), topic.name.as_str())
    };
    match desk.allows(context, Operation::Describe, Resource::Topic(shown)) {
        true => Ok(stored.to_owned()),
        false => Err(ErrorCode::TopicAuthorizationFailed),
    }
}

fn nothing(topic: &OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics {
    let partition = |&partition_index: &i32| OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: -1,
        error_code: code.code(),
        ..OffsetFetchResponsePartitions::default()
    };
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.iter().map(partition).collect(),
    }
}

fn show(partition: &mut OffsetFetchResponsePartitions, committed: CommittedOffset) {
    partition.committed_offset = committed.offset.0;
    partition.committed_leader_epoch = committed.leader_epoch.0;
    partition.metadata = Some(committed.metadata.into());
}

impl Answered {
    /// The whole group has one fate. Version 1 can say it of each partition only.
    fn refuse(&mut self, code: ErrorCode, version: i16) {
        if version >= WHOLE_ERROR_SINCE {
            self.code = code;
            self.topics.clear();
            return;
        }
        for partition in self.topics.iter_mut().flat_map(|t| &mut t.partitions) {
            partition.error_code = code.code();
        }
    }

    /// What the coordinator has, in the order asked.
    fn fill(&mut self, asked: usize, fetched: Vec<(String, i32, Option<CommittedOffset>)>) {
        let partitions = self.topics[..asked].iter_mut();
        let mut partitions = partitions.flat_map(|topic| &mut topic.partitions);
        for (topic, number, committed) in fetched {
            let partition = partitions.next().expect("no more than was asked for");
            assert_eq!(partition.partition_index, number, "of {topic}");
            if let Some(committed) = committed {
                show(partition, committed);
            }
        }
        assert!(partitions.next().is_none(), "as many as were asked for");
    }

    /// Everything the coordinator has.
    fn list(
        &mut self,
        desk: &Desk,
        request: &Request,
        fetched: Vec<(String, i32, Option<CommittedOffset>)>,
    ) {
        let context = &request.context;
        // Topics follow each other by name: each is looked at once.
        let mut last: Option<(String, bool)> = None;
        for (stored, partition_index, committed) in fetched {
            if last.as_ref().is_none_or(|(name, _)| *name != stored) {
                let name = shown_topic(context, &stored);
                let id = desk.image.topic(&stored).map(|topic| topic.id);
                // Newer clients know a topic by its id alone.
                let named = id.is_some() || request.header.version < TOPIC_IDS_SINCE;
                let seen =
                    named && desk.allows(context, Operation::Describe, Resource::Topic(name));
                if seen {
                    self.topics.push(OffsetFetchResponseTopics {
                        name: name.into(),
                        topic_id: Uuid(id.unwrap_or(TopicId::ZERO).0),
                        ..OffsetFetchResponseTopics::default()
                    });
                }
                last = Some((stored, seen));
            }
            let seen = last.as_ref().is_some_and(|(_, seen)| *seen);
            if let (true, Some(committed), Some(topic)) = (seen, committed, self.topics.last_mut())
            {
                let mut partition = OffsetFetchResponsePartitions {
                    partition_index,
                    ..OffsetFetchResponsePartitions::default()
                };
                show(&mut partition, committed);
                topic.partitions.push(partition);
            }
        }
    }
}

impl OffsetFetch {
    /// The coordinator of one group answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        slot: u32,
        result: Result<GroupDone, GroupError>,
    ) -> Option<Outcome> {
        let group = &mut self.groups[slot as usize];
        match (result, group.asked) {
            (Ok(GroupDone::Fetched(fetched)), Some(asked)) => group.fill(asked, fetched),
            (Ok(GroupDone::Fetched(fetched)), None) => group.list(desk, request, fetched),
            (Ok(other), _) => panic!("offsets were asked for, got {other:?}"),
            (Err(error), _) => {
                group.refuse(error_code::of_group(&error), request.header.version);
            }
        }
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(self.answer(desk, request)))
    }

    fn answer(&mut self, desk: &Desk, request: &Request) -> Encoded {
        let mut response = OffsetFetchResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            ..OffsetFetchResponse::default()
        };
        let groups = std::mem::take(&mut self.groups);
        if request.header.version >= GROUPS_SINCE {
            let group = |group: Answered| OffsetFetchResponseGroup {
                group_id: group.name,
                topics: group.topics,
                error_code: group.code.code(),
            };
            response.groups = groups.into_iter().map(group).collect();
        } else if let Some(group) = groups.into_iter().next() {
            response.error_code = group.code.code();
            response.topics = group.topics.into_iter().map(in_older_words).collect();
        }
        request.encode(&response)
    }
}

fn in_older_words(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partition = |p: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: p.partition_index,
        committed_offset: p.committed_offset,
        committed_leader_epoch: p.committed_leader_epoch,
        metadata: p.metadata,
        error_code: p.error_code,
    };
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    }
}
