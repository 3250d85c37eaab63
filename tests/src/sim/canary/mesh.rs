//! Planted bugs between two shards: what one asks of the other, or is answered, is not what it should be.
//!
//! ```text
//!  shard of the connection ── call ──► [answered at once, or changed] ──► owner
//!                          ◄── answer ── [dropped where it came early, or changed] ◄──
//! ```

use std::collections::BTreeMap;

use corelane_engine::call::{Answer, AnswerBody, Call, CallBody, RequestToken};
use corelane_engine::group::call::{GroupAnswer, GroupAsk, GroupDone, GroupError};
use corelane_engine::types::{Offset, ShardId};
use corelane_net::event::{Event, Message};

use super::Canary;
use crate::sim::load::BEYOND;

/// What a shard asked, as far as its answer is to be changed.
enum Asked {
    /// It has its answer.
    Told,
    /// The caller's indexes of the offsets.
    Commit(Vec<u32>),
    /// Below this records were to be deleted.
    Trim(Offset),
}

/// Of one shard, in one life.
pub(super) struct Mesh {
    canary: Canary,
    asked: BTreeMap<(ShardId, RequestToken), Asked>,
    /// Answers that the machine is to get in its next pass.
    pub(super) early: Vec<Event>,
}

impl Mesh {
    pub(super) fn new(canary: Canary) -> Mesh {
        Mesh {
            canary,
            asked: BTreeMap::new(),
            early: Vec::new(),
        }
    }

    /// A message leaves the shard.
    pub(super) fn leaves(&mut self, to: ShardId, message: &mut Message) {
        let Message::Call(Call { request, body, .. }) = message else {
            return;
        };
        let items = match body {
            CallBody::Group { items } => items,
            CallBody::DeleteRecords { items } => {
                if let (Canary::TrimmedTooFar, [item]) = (self.canary, &mut items[..])
                    && let Some(below) = item.below.filter(|below| (1..BEYOND).contains(&below.0))
                {
                    self.asked.insert((to, *request), Asked::Trim(below));
                    item.below = Some(Offset(below.0 + 1));
                }
                return;
            }
            _ => return,
        };
        let [item] = &mut items[..] else {
            return;
        };
        let (request, slot) = (*request, item.slot);
        match (self.canary, &mut item.ask) {
            // Of a consumer that assigns itself: nothing but the disk can refuse it.
            (Canary::CommitAnsweredEarly, GroupAsk::Commit(commit))
                if commit.who.member.is_empty() && !commit.offsets.is_empty() =>
            {
                let offsets = commit.offsets.iter().map(|item| (item.index, Ok(())));
                let result = Ok(GroupDone::Committed(offsets.collect()));
                let body = AnswerBody::Group(vec![GroupAnswer { slot, result }]);
                let message = Message::Answer(Answer { request, body });
                self.early.push(Event::Mesh { from: to, message });
                self.asked.insert((to, request), Asked::Told);
            }
            (Canary::OldGenerationHeard, GroupAsk::Commit(commit)) => {
                let indexes = commit.offsets.iter().map(|item| item.index).collect();
                self.asked.insert((to, request), Asked::Commit(indexes));
            }
            (Canary::AssignmentsMixedUp, GroupAsk::Sync(sync)) => {
                if let Some((_, first)) = sync.assignments.first().cloned() {
                    for (_, assignment) in &mut sync.assignments {
                        *assignment = first.clone();
                    }
                }
            }
            _ => {}
        }
    }

    /// A message comes to the shard. False: it is not to hear it.
    pub(super) fn comes(&mut self, event: &mut Event) -> bool {
        let Event::Mesh {
            from,
            message: Message::Answer(Answer { request, body }),
        } = event
        else {
            return true;
        };
        match (self.asked.remove(&(*from, *request)), body) {
            (Some(Asked::Told), _) => false,
            (Some(Asked::Commit(indexes)), AnswerBody::Group(answers)) => {
                for answer in answers {
                    if let Err(GroupError::IllegalGeneration) = answer.result {
                        let offsets = indexes.iter().map(|index| (*index, Ok(())));
                        answer.result = Ok(GroupDone::Committed(offsets.collect()));
                    }
                }
                true
            }
            (Some(Asked::Trim(below)), AnswerBody::Deleted(answers)) => {
                for answer in answers {
                    if answer.result == Ok(Offset(below.0 + 1)) {
                        answer.result = Ok(below);
                    }
                }
                true
            }
            (Some(Asked::Commit(_) | Asked::Trim(_)), _) | (None, _) => true,
        }
    }
}
