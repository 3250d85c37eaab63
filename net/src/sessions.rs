//! Fetch sessions (KIP-227): what a consumer fetches is remembered, so that it sends and gets changes only.
//!
//! ```text
//!  epoch -1 ──► no session          full request: every partition in it, every partition in the answer
//!  epoch  0 ──► (old one closed) a new session, if there is room; id and every partition in the answer
//!  epoch  n ──► session id: partitions added, changed, forgotten; in the answer only what changed ──► n + 1
//!                unknown id: FETCH_SESSION_ID_NOT_FOUND · other n: INVALID_FETCH_SESSION_EPOCH
//! ```
//!
//! One table per shard, bounded in sessions and in partitions. An id holds its shard's number, so it is unique on the
//! node; a client that reconnects to another shard is told that the id is unknown, and starts anew.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use corelane_engine::rng::Rng;
use corelane_engine::types::{Instant, LeaderEpoch, Offset, ShardId, TopicId};

use crate::error_code::ErrorCode;

/// Session id of "none".
pub const NO_SESSION: i32 = 0;
/// Epoch of a full request that asks for a new session.
pub const INITIAL_EPOCH: i32 = 0;
/// Epoch of a full request without a session.
pub const FINAL_EPOCH: i32 = -1;
/// A session unused for this long gives way to a new one (Kafka's `min.incremental.fetch.session.eviction.ms`).
const EVICTION: Duration = Duration::from_secs(120);
/// The shard's number lies above the lower bits of an id.
const SERIAL_BITS: u32 = 20;

/// A topic as a request names it: by name below version 13, by id from there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TopicRef {
    Name(Rc<str>),
    Id(TopicId),
}

impl TopicRef {
    /// Whether it is the same topic, as one look tells: that of one request's partitions in a row.
    pub fn is_same(&self, other: &TopicRef) -> bool {
        match (self, other) {
            (TopicRef::Name(a), TopicRef::Name(b)) => Rc::ptr_eq(a, b) || a == b,
            (TopicRef::Id(a), TopicRef::Id(b)) => a == b,
            (TopicRef::Name(_), TopicRef::Id(_)) | (TopicRef::Id(_), TopicRef::Name(_)) => false,
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PartitionKey {
    pub topic: TopicRef,
    pub partition: i32,
}

/// What a client asks of one partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionAsk {
    pub offset: Offset,
    /// Start of the follower's log; -1 from consumers.
    pub log_start: Offset,
    pub max_bytes: i32,
    pub current_leader_epoch: LeaderEpoch,
    pub last_fetched_epoch: LeaderEpoch,
}

/// What a client was last told of one partition; it is told again when this changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    pub high_watermark: Offset,
    pub log_start: Offset,
}

impl Told {
    /// Nothing yet.
    pub const NOTHING: Told = Told {
        high_watermark: Offset(-1),
        log_start: Offset(-1),
    };
}

#[derive(Clone, Debug)]
struct Entry {
    key: PartitionKey,
    ask: PartitionAsk,
    told: Told,
}

/// Per session.
#[derive(Debug)]
struct Session {
    epoch: i32,
    by_ids: bool,
    last_used: Instant,
    /// In the order in which partitions are served. Who got records goes to the end, so that none starves.
    order: BTreeMap<u64, Entry>,
    places: BTreeMap<PartitionKey, u64>,
    next_place: u64,
}

impl Session {
    fn set(&mut self, key: PartitionKey, ask: PartitionAsk, told: Told) {
        if let Some(entry) = self
            .places
            .get(&key)
            .and_then(|place| self.order.get_mut(place))
        {
            entry.ask = ask;
            return;
        }
        self.places.insert(key.clone(), self.next_place);
        self.order.insert(self.next_place, Entry { key, ask, told });
        self.next_place += 1;
    }

    fn forget(&mut self, key: &PartitionKey) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(&place);
        }
    }

    fn move_to_end(&mut self, key: &PartitionKey) {
        if let Some(place) = self.places.get_mut(key)
            && let Some(entry) = self.order.remove(place)
        {
            *place = self.next_place;
            self.order.insert(self.next_place, entry);
            self.next_place += 1;
        }
    }
}

/// Per shard.
#[derive(Debug)]
pub struct Sessions {
    shard: ShardId,
    sessions_max: usize,
    partitions_max: usize,
    by_id: BTreeMap<i32, Session>,
    unused_longest: BTreeSet<(Instant, i32)>,
    partitions: usize,
    rng: Rng,
}

/// What an incremental request goes on with.
#[derive(Debug)]
pub struct Resumed {
    /// To be given back to [`Sessions::answer`]. [`NO_SESSION`] when the last partition was forgotten.
    pub id: i32,
    pub epoch: i32,
    pub asks: Vec<(PartitionKey, PartitionAsk)>,
}

impl Sessions {
    /// `sessions_max`, `partitions_max`: bounds of this shard; `rng` draws ids, so that a stale one is rarely valid.
    pub fn new(shard: ShardId, sessions_max: usize, partitions_max: usize, rng: Rng) -> Sessions {
        assert!(u32::from(shard.0) < 1 << (31 - SERIAL_BITS));
        assert!(
            sessions_max < 1 << (SERIAL_BITS - 1),
            "free ids must be found quickly"
        );
        Sessions {
            shard,
            sessions_max,
            partitions_max,
            by_id: BTreeMap::new(),
            unused_longest: BTreeSet::new(),
            partitions: 0,
            rng,
        }
    }

    /// Sessions open now.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether no session is open.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Forgets a session; an unknown id is no error.
    pub fn close(&mut self, id: i32) {
        if let Some(session) = self.by_id.remove(&id) {
            self.partitions -= session.order.len();
            self.unused_longest.remove(&(session.last_used, id));
        }
    }

    /// Opens a session over what a full request asked and was told; [`NO_SESSION`] when there is no room.
    pub fn open(
        &mut self,
        now: Instant,
        by_ids: bool,
        entries: impl ExactSizeIterator<Item = (PartitionKey, PartitionAsk, Told)>,
    ) -> i32 {
        if entries.len() == 0 || entries.len() > self.partitions_max {
            return NO_SESSION;
        }
        while self.by_id.len() >= self.sessions_max
            || self.partitions + entries.len() > self.partitions_max
        {
            match self.unused_longest.first() {
                Some(&(last_used, id)) if now.since(last_used) > EVICTION => self.close(id),
                _ => return NO_SESSION,
            }
        }
        let id = loop {
            let serial = self.rng.below((1 << SERIAL_BITS) - 1) as i32 + 1;
            let id = (i32::from(self.shard.0) << SERIAL_BITS) | serial;
            if !self.by_id.contains_key(&id) {
                break id;
            }
        };
        let mut session = Session {
            epoch: 1,
            by_ids,
            last_used: now,
            order: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
        };
        entries.for_each(|(key, ask, told)| session.set(key, ask, told));
        self.partitions += session.order.len();
        self.unused_longest.insert((now, id));
        self.by_id.insert(id, session);
        id
    }

    /// Applies an incremental request and says which partitions it now means.
    pub fn resume(
        &mut self,
        now: Instant,
        id: i32,
        epoch: i32,
        by_ids: bool,
        changed: impl Iterator<Item = (PartitionKey, PartitionAsk)>,
        forgotten: impl Iterator<Item = PartitionKey>,
    ) -> Result<Resumed, ErrorCode> {
        let session = self
            .by_id
            .get_mut(&id)
            .ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_ids != by_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        let before = session.order.len();
        for (key, ask) in changed {
            session.set(key, ask, Told::NOTHING);
        }
        forgotten.for_each(|key| session.forget(&key));
        session.epoch = next_epoch(session.epoch);
        self.unused_longest.remove(&(session.last_used, id));
        session.last_used = now;
        self.unused_longest.insert((now, id));
        let resumed = Resumed {
            id,
            epoch: session.epoch,
            asks: session
                .order
                .values()
                .map(|entry| (entry.key.clone(), entry.ask))
                .collect(),
        };
        self.partitions = self.partitions - before + session.order.len();
        // Grown over the bound, or empty: it ends with this answer.
        if resumed.asks.is_empty() || self.partitions > self.partitions_max {
            self.close(id);
            return Ok(Resumed {
                id: NO_SESSION,
                ..resumed
            });
        }
        Ok(resumed)
    }

    /// Whether the session is still where [`Sessions::resume`] left it.
    pub fn is_current(&self, id: i32, epoch: i32) -> bool {
        self.by_id.get(&id).is_some_and(|s| s.epoch == epoch)
    }

    /// Notes what an incremental answer would tell of one partition, and says whether it must: something changed,
    /// there are records, or an error (after which everything is told again).
    pub fn answer(
        &mut self,
        id: i32,
        key: &PartitionKey,
        now_told: Option<Told>,
        has_records: bool,
    ) -> bool {
        let Some(session) = self.by_id.get_mut(&id) else {
            return true;
        };
        let Some(entry) = session
            .places
            .get(key)
            .and_then(|place| session.order.get_mut(place))
        else {
            return true;
        };
        let must = has_records || now_told != Some(entry.told);
        entry.told = now_told.unwrap_or(Told::NOTHING);
        if has_records {
            session.move_to_end(key);
        }
        must
    }
}

/// After the largest epoch comes 1: 0 and -1 have meanings.
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(partition: i32) -> PartitionKey {
        PartitionKey {
            topic: TopicRef::Id(TopicId([1; 16])),
            partition,
        }
    }

    fn ask(offset: i64) -> PartitionAsk {
        PartitionAsk {
            offset: Offset(offset),
            log_start: Offset(-1),
            max_bytes: 100,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        }
    }

    fn told(high_watermark: i64) -> Told {
        Told {
            high_watermark: Offset(high_watermark),
            log_start: Offset(0),
        }
    }

    fn sessions() -> Sessions {
        Sessions::new(ShardId(3), 2, 10, Rng::new(7))
    }

    fn open(sessions: &mut Sessions, now: u64, partitions: i32) -> i32 {
        let entries: Vec<_> = (0..partitions).map(|p| (key(p), ask(0), told(5))).collect();
        sessions.open(Instant(now), true, entries.into_iter())
    }

    fn offsets(resumed: &Resumed) -> Vec<(i32, i64)> {
        resumed
            .asks
            .iter()
            .map(|(key, ask)| (key.partition, ask.offset.0))
            .collect()
    }

    #[test]
    fn an_incremental_request_adds_changes_and_forgets() {
        let mut sessions = sessions();
        let id = open(&mut sessions, 0, 3);
        assert_eq!(id >> SERIAL_BITS, 3, "the shard's number is in the id");
        let changed = vec![(key(0), ask(9)), (key(7), ask(1))];
        let resumed = sessions
            .resume(
                Instant(1),
                id,
                1,
                true,
                changed.into_iter(),
                [key(1)].into_iter(),
            )
            .unwrap();
        assert_eq!(offsets(&resumed), [(0, 9), (2, 0), (7, 1)]);
        assert!(sessions.answer(id, &key(0), Some(told(5)), true), "records");
        assert!(
            !sessions.answer(id, &key(2), Some(told(5)), false),
            "nothing new"
        );
        assert!(
            sessions.answer(id, &key(7), Some(told(5)), false),
            "new partition"
        );
        assert!(sessions.answer(id, &key(7), None, false), "error");
        assert!(
            sessions.answer(id, &key(7), Some(told(5)), false),
            "after an error"
        );
        let none = || std::iter::empty();
        let resumed = sessions
            .resume(Instant(2), id, 2, true, none(), std::iter::empty())
            .unwrap();
        assert_eq!(
            offsets(&resumed),
            [(2, 0), (7, 1), (0, 9)],
            "who got records is last"
        );
        assert!(sessions.is_current(id, 3));
    }

    #[test]
    fn a_wrong_id_epoch_or_kind_is_refused_by_name() {
        let mut sessions = sessions();
        let id = open(&mut sessions, 0, 1);
        let mut resume = |id, epoch, by_ids| {
            sessions
                .resume(
                    Instant(0),
                    id,
                    epoch,
                    by_ids,
                    std::iter::empty(),
                    std::iter::empty(),
                )
                .map(|_| ())
        };
        assert_eq!(
            resume(id + 1, 1, true),
            Err(ErrorCode::FetchSessionIdNotFound)
        );
        assert_eq!(
            resume(id, 2, true),
            Err(ErrorCode::InvalidFetchSessionEpoch)
        );
        assert_eq!(
            resume(id, 1, false),
            Err(ErrorCode::FetchSessionTopicIdError)
        );
        assert_eq!(resume(id, 1, true), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_and_the_unused_give_way() {
        let mut sessions = sessions();
        let first = open(&mut sessions, 0, 4);
        assert_ne!(open(&mut sessions, 1, 4), NO_SESSION);
        assert_eq!(
            open(&mut sessions, 2, 1),
            NO_SESSION,
            "two sessions at most"
        );
        let later = EVICTION.as_nanos() as u64 + 1;
        assert_ne!(open(&mut sessions, later, 6), NO_SESSION);
        assert!(!sessions.is_current(first, 1));
        assert_eq!(sessions.partitions, 10);
        assert_eq!(
            open(&mut sessions, u64::MAX, 11),
            NO_SESSION,
            "too many partitions"
        );
    }
}
