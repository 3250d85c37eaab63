//! What the APIs of consumer groups share: the owner of each group, one call per owner, the answers' way back.
//!
//! ```text
//!  request ──► asks.add(slot, group, …) … ──► one call per owner ──► coordinators ──► answers by slot, in any order
//!                 └─ there is no __consumer_offsets: NOT_COORDINATOR, at once
//! ```
//!
//! None of them has a deadline: a rebalance takes as long as its slowest member may. A connection that closes lets go of
//! what it asked, and its group goes on as if the answer had been lost on the way: the member's session ends it, as with
//! Kafka.

use std::collections::BTreeMap;

use corelane_engine::call::{AnswerBody, CallBody};
use corelane_engine::group::call::{
    GroupAnswer, GroupAsk, GroupDone, GroupError, GroupItem, OFFSETS_TOPIC, partition_of,
};
use corelane_engine::types::{ShardId, TopicId, TopicPartition};

use crate::api::k08_offset_commit::OffsetCommit;
use crate::api::k09_offset_fetch::OffsetFetch;
use crate::api::k11_join_group::JoinGroup;
use crate::api::k13_leave_group::LeaveGroup;
use crate::api::k15_describe_groups::DescribeGroups;
use crate::api::k16_list_groups::ListGroups;
use crate::api::k42_delete_groups::DeleteGroups;
use crate::api::k47_offset_delete::OffsetDelete;
use crate::api::{k12_heartbeat, k14_sync_group};
use crate::context::{RequestContext, resolve_group};
use crate::desk::{Desk, Outcome, Request, Started, Waiting, Work};

/// What is asked of coordinators in the name of one request.
#[derive(Debug)]
pub struct Asks {
    /// The offsets topic, and how many partitions it has; `None`: it is not there.
    offsets: Option<(TopicId, i32)>,
    by_owner: BTreeMap<ShardId, Vec<GroupItem>>,
}

impl Asks {
    pub fn new(desk: &Desk) -> Asks {
        let offsets = desk.image.topic(OFFSETS_TOPIC);
        Asks {
            offsets: offsets.map(|topic| (topic.id, topic.partition_count())),
            by_owner: BTreeMap::new(),
        }
    }

    /// Asks something of the group that the client calls `group`.
    pub fn add(
        &mut self,
        desk: &Desk,
        context: &RequestContext,
        slot: u32,
        group: &str,
        ask: GroupAsk,
    ) -> Result<(), GroupError> {
        let (topic, partitions) = self.offsets.ok_or(GroupError::NotCoordinator)?;
        let group = resolve_group(context, group);
        let partition = TopicPartition {
            topic,
            partition: partition_of(group, partitions),
        };
        let items = self.by_owner.entry(desk.owner(partition)).or_default();
        items.push(GroupItem {
            slot,
            partition,
            group: group.to_owned(),
            ask,
        });
        Ok(())
    }

    /// Makes the calls: one per owner.
    pub fn make(self, desk: &mut Desk, request: &Request) {
        for (owner, items) in self.by_owner {
            desk.call(owner, request.token, CallBody::Group { items });
        }
    }
}

/// Asks something of one group, as slot 0.
pub fn ask_one(
    desk: &mut Desk,
    request: &Request,
    group: &str,
    ask: GroupAsk,
) -> Result<(), GroupError> {
    let mut asks = Asks::new(desk);
    asks.add(desk, &request.context, 0, group, ask)?;
    asks.make(desk, request);
    Ok(())
}

/// A request that waits for coordinators.
#[derive(Debug)]
pub enum GroupWork {
    OffsetCommit(OffsetCommit),
    OffsetFetch(OffsetFetch),
    JoinGroup(JoinGroup),
    Heartbeat,
    LeaveGroup(LeaveGroup),
    SyncGroup,
    DescribeGroups(DescribeGroups),
    ListGroups(ListGroups),
    DeleteGroups(DeleteGroups),
    OffsetDelete(OffsetDelete),
}

impl GroupWork {
    /// Calls were made: the request waits for them, for as long as it takes.
    pub fn started(self) -> Started {
        Started::Waiting(Waiting {
            work: Work::Group(Box::new(self)),
            deadline: None,
            answered: true,
        })
    }

    /// Whether it waits for other members, rather than for the coordinator at work. The group has copies of all it needs.
    pub fn awaits_members(&self) -> bool {
        match self {
            GroupWork::JoinGroup(_) | GroupWork::SyncGroup => true,
            GroupWork::OffsetCommit(_)
            | GroupWork::OffsetFetch(_)
            | GroupWork::Heartbeat
            | GroupWork::LeaveGroup(_)
            | GroupWork::DescribeGroups(_)
            | GroupWork::ListGroups(_)
            | GroupWork::DeleteGroups(_)
            | GroupWork::OffsetDelete(_) => false,
        }
    }

    /// A coordinator answered some of what was asked.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        from: ShardId,
        body: AnswerBody,
    ) -> Option<Outcome> {
        match (self, body) {
            (work, AnswerBody::Group(answers)) => answers
                .into_iter()
                .find_map(|answer| work.on_group(desk, request, answer)),
            (GroupWork::ListGroups(work), AnswerBody::GroupsListed(listed)) => {
                work.on_listed(desk, request, from, listed)
            }
            (work, body) => panic!("{work:?} asked for something else than {body:?}"),
        }
    }

    fn on_group(
        &mut self,
        desk: &Desk,
        request: &Request,
        GroupAnswer { slot, result }: GroupAnswer,
    ) -> Option<Outcome> {
        match self {
            GroupWork::OffsetCommit(work) => Some(work.on_answer(desk, request, result)),
            GroupWork::OffsetFetch(work) => work.on_answer(desk, request, slot, result),
            GroupWork::JoinGroup(work) => Some(work.on_answer(desk, request, result)),
            GroupWork::Heartbeat => Some(k12_heartbeat::on_answer(desk, request, result)),
            GroupWork::LeaveGroup(work) => Some(work.on_answer(desk, request, result)),
            GroupWork::SyncGroup => Some(k14_sync_group::on_answer(desk, request, result)),
            GroupWork::DescribeGroups(work) => work.on_answer(desk, request, slot, result),
            GroupWork::ListGroups(_) => panic!("a list was asked for, got {result:?}"),
            GroupWork::DeleteGroups(work) => work.on_answer(desk, request, slot, result),
            GroupWork::OffsetDelete(work) => Some(work.on_answer(desk, request, result)),
        }
    }
}

/// What a coordinator answered that was only to do something.
pub fn done(result: Result<GroupDone, GroupError>) -> Result<(), GroupError> {
    match result {
        Ok(GroupDone::Done) => Ok(()),
        Ok(other) => panic!("something was to be done, got {other:?}"),
        Err(error) => Err(error),
    }
}
