//! What one group has committed, and which of it has expired.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::call::CommittedOffset;
use super::classic::Expiry;
use super::records::OffsetValue;
use crate::types::{LeaderEpoch, Offset, Timestamp, TopicId};

/// A topic's name, which many groups share. Per shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TopicKey(u32);

/// Names of topics, kept once for all groups of a shard.
#[derive(Debug, Default)]
pub(super) struct TopicNames {
    keys: BTreeMap<Rc<str>, TopicKey>,
    names: Vec<Rc<str>>,
}

impl TopicNames {
    pub(super) fn key(&mut self, name: &str) -> TopicKey {
        if let Some(key) = self.keys.get(name) {
            return *key;
        }
        let key = TopicKey(self.names.len() as u32);
        let name: Rc<str> = name.into();
        self.names.push(name.clone());
        self.keys.insert(name, key);
        key
    }

    /// `None`: no group ever committed an offset of it.
    pub(super) fn find(&self, name: &str) -> Option<TopicKey> {
        self.keys.get(name).copied()
    }

    pub(super) fn name(&self, key: TopicKey) -> &Rc<str> {
        &self.names[key.0 as usize]
    }
}

/// A committed offset in memory: many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stored {
    offset: Offset,
    timestamp: Timestamp,
    expires: Option<Timestamp>,
    /// Zero: not known.
    pub(super) topic: TopicId,
    leader_epoch: LeaderEpoch,
    /// Mostly empty, which takes no memory of its own.
    metadata: Box<str>,
}

impl From<OffsetValue> for Stored {
    fn from(value: OffsetValue) -> Stored {
        let OffsetValue {
            committed,
            expires,
            topic,
        } = value;
        Stored {
            offset: committed.offset,
            timestamp: committed.timestamp,
            expires,
            topic,
            leader_epoch: committed.leader_epoch,
            metadata: committed.metadata.into_boxed_str(),
        }
    }
}

impl Stored {
    pub(super) fn committed(&self) -> CommittedOffset {
        CommittedOffset {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata.to_string(),
            timestamp: self.timestamp,
        }
    }

    pub(super) fn value(&self) -> OffsetValue {
        OffsetValue {
            committed: self.committed(),
            expires: self.expires,
            topic: self.topic,
        }
    }

    /// Kafka's rules: the client's own retention where it gave one, otherwise the broker's, from a base that depends on
    /// the group's state.
    pub(super) fn expired(&self, expiry: Expiry, now: Timestamp, retention_ms: i64) -> bool {
        let base = match expiry {
            Expiry::Never => return false,
            Expiry::SinceEmpty(since) => since.unwrap_or(self.timestamp),
            Expiry::SinceCommit => self.timestamp,
        };
        match self.expires {
            Some(at) => now >= at,
            None => now.0.saturating_sub(base.0) >= retention_ms,
        }
    }
}

pub(super) type Offsets = BTreeMap<(TopicKey, i32), Stored>;

#[cfg(test)]
pub(super) const BYTES_EACH: usize = size_of::<((TopicKey, i32), Stored)>();

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn stored(timestamp: i64, expires: Option<i64>) -> Stored {
        Stored::from(OffsetValue {
            committed: CommittedOffset {
                offset: Offset(1),
                leader_epoch: LeaderEpoch(-1),
                metadata: String::new(),
                timestamp: Timestamp(timestamp),
            },
            expires: expires.map(Timestamp),
            topic: TopicId::ZERO,
        })
    }

    #[test]
    fn an_offset_expires_by_its_own_time_or_by_its_groups() {
        let empty_since = |at| Expiry::SinceEmpty(Some(Timestamp(at)));
        let table = [
            // committed, own expiry, rule, now, expired
            (0, None, Expiry::Never, 100 * DAY, false),
            (0, Some(5), Expiry::Never, 100 * DAY, false),
            (0, None, Expiry::SinceCommit, 7 * DAY - 1, false),
            (0, None, Expiry::SinceCommit, 7 * DAY, true),
            // Old commits of a group that was at work until yesterday.
            (0, None, empty_since(8 * DAY), 9 * DAY, false),
            (0, None, empty_since(8 * DAY), 15 * DAY, true),
            // Written by an old broker: when it became empty is not known.
            (DAY, None, Expiry::SinceEmpty(None), 8 * DAY, true),
            (0, Some(DAY), Expiry::SinceCommit, DAY - 1, false),
            (0, Some(DAY), Expiry::SinceCommit, DAY, true),
        ];
        for (committed, own, rule, now, expired) in table {
            let is = stored(committed, own).expired(rule, Timestamp(now), 7 * DAY);
            assert_eq!(is, expired, "{committed} {own:?} {rule:?} at {now}");
        }
    }
}
