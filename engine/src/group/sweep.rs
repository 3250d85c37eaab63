//! Sweeps over a partition's groups in bounded steps: offsets that expired, and those of deleted topics.

use super::offsets::TopicKey;
use super::seat::{Around, GroupIndex, Seat};
use crate::types::TopicId;

/// Groups looked at in one step.
const GROUPS: u32 = 1_000;
/// Offsets dropped in one step; what a group has more of goes at the next check.
const OFFSETS: usize = 5_000;

/// What a sweep is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum For {
    Expired,
    /// A topic was deleted. One of the same name may have taken its place.
    Topic(TopicKey, TopicId),
}

/// One sweep under way.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) what: For,
    next: GroupIndex,
}

impl Sweep {
    pub(super) fn new(what: For) -> Sweep {
        Sweep { what, next: 0 }
    }
}

impl Seat {
    /// Does one step of the sweep that is at hand.
    pub(super) fn sweep(&mut self, around: &mut Around<'_>) {
        let Some(mut sweep) = self.sweeps.pop_front() else {
            return;
        };
        let end = self.group_end().min(sweep.next.saturating_add(GROUPS));
        let mut left = OFFSETS;
        while sweep.next < end && left > 0 {
            let dropped = match sweep.what {
                For::Expired => self.expire(sweep.next, left, around),
                For::Topic(topic, id) => self.drop_topic(sweep.next, topic, id, around),
            };
            left = left.saturating_sub(dropped);
            sweep.next += 1;
        }
        if sweep.next < self.group_end() {
            self.sweeps.push_front(sweep);
        }
    }

    /// Drops what of a group has expired, and the group if nothing is left of it. Returns how many offsets.
    fn expire(&mut self, index: GroupIndex, at_most: usize, around: &mut Around<'_>) -> usize {
        // What is on its way may be newer: the next check will see it.
        let Some(group) = self.group(index).filter(|group| group.is_quiet()) else {
            return 0;
        };
        let retention = around.shared.config.offsets_retention.as_millis();
        let retention_ms = i64::try_from(retention).unwrap_or(i64::MAX);
        let (expiry, now) = (group.expiry(), around.now.wall);
        let topics = &around.shared.topics;
        let expired = group.offsets.iter().filter(|((topic, _), stored)| {
            stored.expired(expiry, now, retention_ms) && !group.is_subscribed(topics.name(*topic))
        });
        let places: Vec<_> = expired.map(|(place, _)| *place).take(at_most).collect();
        let all = places.len() == group.offsets.len();
        let goes = all && group.is_deserted() && group.recorded.is_some();
        let dropped = places.len();
        self.drop_offsets(index, places, topics);
        if goes {
            self.drop_group(index);
        }
        dropped
    }

    fn drop_topic(
        &mut self,
        index: GroupIndex,
        topic: TopicKey,
        id: TopicId,
        around: &mut Around<'_>,
    ) -> usize {
        if self.group(index).is_none_or(|group| !group.is_open()) {
            return 0;
        }
        let of_it = |of: TopicId| of == TopicId::ZERO || of == id;
        let offsets = self.offsets_to_be(index, topic).into_iter();
        let gone = offsets.filter(|(_, stored)| stored.is_some_and(|stored| of_it(stored.topic)));
        let places: Vec<_> = gone.map(|(partition, _)| (topic, partition)).collect();
        let dropped = places.len();
        self.drop_offsets(index, places, &around.shared.topics);
        dropped
    }
}
