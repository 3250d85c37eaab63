//! What is looked up besides records: where leader epochs ended, how large logs are, how much room the directory has.

use std::time::Duration;

use super::read::check_epoch;
use super::{FlowEnd, Shard, ShardOut};
use crate::call::{AnswerBody, EpochAnswer, EpochItem, LogSize, LogSizes, ReadError, RequestToken};
use crate::disk::{DiskError, Space};
use crate::types::{Instant, LeaderEpoch, Now, Offset, ShardId, TopicPartition};

/// What is older than this is measured anew when somebody asks.
const SPACE_FRESH: Duration = Duration::from_secs(10);

/// How much room there was when it was last measured: at the start, with each sweep of retention, and after somebody
/// asked; never for each request.
#[derive(Default)]
pub(super) struct SpaceKnown {
    space: Option<Space>,
    measured: Option<Instant>,
    under_way: bool,
}

impl Shard {
    pub(super) fn epoch_ends(
        &mut self,
        from: ShardId,
        request: RequestToken,
        items: Vec<EpochItem>,
        out: &mut ShardOut,
    ) {
        let answers = items.iter().map(|item| EpochAnswer {
            slot: item.slot,
            result: self.epoch_end(item),
        });
        let answers = answers.collect();
        out.answer(from, request, AnswerBody::EpochEnds(answers));
    }

    /// Kafka's `Partition.lastOffsetForLeaderEpoch`.
    fn epoch_end(&self, item: &EpochItem) -> Result<Option<(LeaderEpoch, Offset)>, ReadError> {
        let known = self.slots.get(&item.partition);
        let slot = *known.ok_or(ReadError::UnknownPartition)?;
        let p = self.partition(slot).expect("a known slot is filled");
        check_epoch(p, item.current_leader_epoch)?;
        Ok(p.epochs.end_offset_for(item.epoch, p.next))
    }

    pub(super) fn log_sizes(
        &mut self,
        now: Now,
        from: ShardId,
        request: RequestToken,
        partitions: Option<Vec<TopicPartition>>,
        out: &mut ShardOut,
    ) {
        let stale = |at: Instant| now.mono.since(at) >= SPACE_FRESH;
        if self.space.measured.is_some_and(stale) {
            self.space.measured = None;
        }
        let size = |id: TopicPartition, slot: u32| LogSize {
            partition: id,
            bytes: self.partition(slot).map_or(0, |p| p.bytes()),
        };
        let sizes = match partitions {
            None => {
                let mut all: Vec<LogSize> = self
                    .slots
                    .iter()
                    .map(|(id, slot)| size(*id, *slot))
                    .collect();
                all.sort_unstable_by_key(|s| s.partition);
                all
            }
            Some(list) => list
                .into_iter()
                .filter_map(|id| self.slots.get(&id).map(|slot| size(id, *slot)))
                .collect(),
        };
        let space = self.space.space;
        out.answer(
            from,
            request,
            AnswerBody::LogSizes(LogSizes { sizes, space }),
        );
    }

    /// Measures where nothing is known, or what is known is too old.
    pub(super) fn settle_space(&mut self, now: Now) {
        if self.space.measured.is_some() || self.space.under_way || self.stopping {
            return;
        }
        self.space.under_way = true;
        self.space.measured = Some(now.mono);
        self.start_flow(|flow| async move { FlowEnd::Measured(flow.measure().await) });
    }

    /// What is known grows old with each sweep.
    pub(super) fn forget_space(&mut self) {
        self.space.measured = None;
    }

    pub(super) fn on_measured(&mut self, result: Result<Space, DiskError>) {
        self.space.under_way = false;
        match result {
            Ok(space) => self.space.space = Some(space),
            Err(error) => {
                tracing::warn!(
                    errno = error.errno,
                    "the data directory's room is not known"
                );
                self.space.space = None;
            }
        }
    }
}
