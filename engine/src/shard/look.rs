//! What is looked up besides records: where leader epochs ended, and how large logs are.

use super::read::check_epoch;
use super::{Shard, ShardOut};
use crate::call::{AnswerBody, EpochAnswer, EpochItem, LogSize, LogSizes, ReadError, RequestToken};
use crate::types::{LeaderEpoch, Now, Offset, ShardId, TopicPartition};

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
        self.space_asked(now);
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
        let space = self.space.known();
        out.answer(
            from,
            request,
            AnswerBody::LogSizes(LogSizes { sizes, space }),
        );
    }
}
