//! What the partitions of a shard share, and what surrounds one event.

use std::collections::{BTreeMap, BTreeSet};

use super::{GroupIndex, SeatIndex};
use crate::call::{Answer, AnswerBody};
use crate::group::call::{GroupAnswer, GroupAsk, GroupDone, GroupError};
use crate::group::classic::{Caller, Effect, Timer};
use crate::group::config::GroupConfig;
use crate::group::offsets::TopicNames;
use crate::rng::Rng;
use crate::types::{Instant, Now, ShardId, TopicId};

/// What all partitions of a shard share.
#[derive(Debug)]
pub(in crate::group) struct Shared {
    pub(in crate::group) config: GroupConfig,
    pub(in crate::group) rng: Rng,
    pub(in crate::group) topics: TopicNames,
    pub(in crate::group) timers: BTreeSet<(Instant, SeatIndex, GroupIndex, Timer)>,
    pub(in crate::group) writes: BTreeMap<u64, Write>,
    pub(in crate::group) next_write: u64,
    /// Joins and syncs are refused: the node stops.
    pub(in crate::group) draining: bool,
    pub(super) effects: Vec<Effect>,
}

impl Shared {
    pub(in crate::group) fn new(config: GroupConfig, rng: Rng) -> Shared {
        Shared {
            config,
            rng,
            topics: TopicNames::default(),
            timers: BTreeSet::new(),
            writes: BTreeMap::new(),
            next_write: 0,
            draining: false,
            effects: Vec::new(),
        }
    }
}

/// A request that is answered when all its records are durable. They may lie in more than one batch.
#[derive(Debug)]
pub(in crate::group) struct Write {
    pub(super) to: Caller,
    pub(super) left: u32,
    pub(super) failed: Option<GroupError>,
    pub(super) done: GroupDone,
}

/// One event's surroundings.
pub(in crate::group) struct Around<'a> {
    pub(in crate::group) now: Now,
    pub(in crate::group) shared: &'a mut Shared,
    pub(in crate::group) answers: &'a mut Vec<(ShardId, Answer)>,
}

impl Around<'_> {
    /// Answers of one request that come together travel together.
    pub(in crate::group) fn answer(&mut self, to: Caller, result: Result<GroupDone, GroupError>) {
        let answer = GroupAnswer {
            slot: to.slot,
            result,
        };
        if let Some((
            shard,
            Answer {
                request,
                body: AnswerBody::Group(list),
            },
        )) = self.answers.last_mut()
            && (*shard, *request) == (to.shard, to.request)
        {
            return list.push(answer);
        }
        let body = AnswerBody::Group(vec![answer]);
        let request = to.request;
        self.answers.push((to.shard, Answer { request, body }));
    }

    pub(super) fn end_part(&mut self, write: u64, error: Option<GroupError>) {
        let waits = self
            .shared
            .writes
            .get_mut(&write)
            .expect("its parts are on their way");
        waits.left -= 1;
        if error.is_some() {
            waits.failed = error;
        }
        if waits.left == 0 {
            let Write {
                to, failed, done, ..
            } = self.shared.writes.remove(&write).expect("just seen");
            self.answer(to, failed.map_or(Ok(done), Err));
        }
    }
}

/// A request on its way through the coordinator.
#[derive(Debug)]
pub(in crate::group) struct Asked {
    pub(in crate::group) to: Caller,
    pub(in crate::group) group: String,
    pub(in crate::group) ask: GroupAsk,
    /// Of a commit: the id of each offset's topic.
    pub(in crate::group) topics: Vec<TopicId>,
}
