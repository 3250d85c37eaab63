//! A coordinator that says what its script says, and agrees where it has none.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use corelane_engine::call::{Answer, AnswerBody, RequestToken};
use corelane_engine::group::call::{
    Description, GroupAnswer, GroupAsk, GroupDone, GroupError, GroupItem, GroupState, GroupsListed,
    Joined, ListedGroup, Synced,
};
use corelane_engine::shard::ShardOut;
use corelane_engine::types::ShardId;

type Said = Result<GroupDone, GroupError>;

/// Of one shard.
#[derive(Debug, Default)]
pub(super) struct FakeGroups {
    /// What is said of a group, in order.
    pub(super) script: BTreeMap<String, VecDeque<Said>>,
    /// What was asked, in order.
    pub(super) asked: Vec<GroupItem>,
    pub(super) calls: usize,
    /// Nothing is answered while this is on.
    pub(super) hold: bool,
    held: Vec<(ShardId, RequestToken, GroupAnswer)>,
    pub(super) listed: Vec<ListedGroup>,
    pub(super) loading: bool,
}

impl FakeGroups {
    pub(super) fn call(
        &mut self,
        from: ShardId,
        request: RequestToken,
        items: Vec<GroupItem>,
        out: &mut ShardOut,
    ) {
        self.calls += 1;
        for item in items {
            let said = self.script.get_mut(&item.group);
            let answer = GroupAnswer {
                slot: item.slot,
                result: said
                    .and_then(VecDeque::pop_front)
                    .unwrap_or_else(|| Ok(agreed(&item.ask))),
            };
            self.held.push((from, request, answer));
            self.asked.push(item);
        }
        self.settle(out);
    }

    pub(super) fn settle(&mut self, out: &mut ShardOut) {
        if self.hold {
            return;
        }
        for (to, request, answer) in self.held.drain(..) {
            let body = AnswerBody::Group(vec![answer]);
            out.answers.push((to, Answer { request, body }));
        }
    }

    pub(super) fn list(&self) -> GroupsListed {
        GroupsListed {
            groups: self.listed.clone(),
            loading: self.loading,
        }
    }
}

fn agreed(ask: &GroupAsk) -> GroupDone {
    match ask {
        GroupAsk::Join(join) => GroupDone::Joined(Joined {
            generation: 1,
            protocol_type: Some(join.protocol_type.clone()),
            protocol_name: join.protocols.first().map(|(name, _)| name.clone()),
            leader: "the-leader".to_owned(),
            member: join.member.clone(),
            skip_assignment: false,
            members: Vec::new(),
        }),
        GroupAsk::Sync(sync) => GroupDone::Synced(Synced {
            protocol_type: sync.protocol_type.clone(),
            protocol_name: sync.protocol_name.clone(),
            assignment: Bytes::from_static(b"yours"),
        }),
        GroupAsk::Heartbeat(_) | GroupAsk::Delete => GroupDone::Done,
        GroupAsk::Leave(members) => GroupDone::Left(members.iter().map(|_| Ok(())).collect()),
        GroupAsk::Commit(commit) => {
            GroupDone::Committed(commit.offsets.iter().map(|o| (o.index, Ok(()))).collect())
        }
        GroupAsk::FetchOffsets(fetch) => GroupDone::Fetched(
            fetch
                .topics
                .iter()
                .flatten()
                .flat_map(|(topic, partitions)| {
                    partitions.iter().map(|p| (topic.clone(), *p, None))
                })
                .collect(),
        ),
        GroupAsk::Describe => GroupDone::Described(Description {
            state: GroupState::Dead,
            protocol_type: String::new(),
            protocol_name: String::new(),
            members: Vec::new(),
        }),
        GroupAsk::DeleteOffsets(topics) => GroupDone::OffsetsDeleted(
            topics
                .iter()
                .flat_map(|(topic, partitions)| {
                    partitions.iter().map(|p| (topic.clone(), *p, Ok(())))
                })
                .collect(),
        ),
    }
}
