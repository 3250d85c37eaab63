//! Who waits for how many new bytes of which partitions.
//!
//! ```text
//!  call(Watch) ─► something new already? ─► Changed
//!            └──► noted at each partition ── high watermark moves: bytes are counted ── enough ─► Changed, forgotten
//! ```
//!
//! A watch knows its partitions and they know it: when it ends, nothing of it stays anywhere. Per shard.

use std::collections::BTreeMap;

use super::{Shard, ShardOut};
use crate::call::{AnswerBody, WatchItem};
use crate::log::watchers::Watcher;

#[derive(Debug)]
struct Watch {
    /// Bytes that must become visible before it is answered.
    missing: u64,
    slots: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Watches {
    all: BTreeMap<Watcher, Watch>,
}

impl Shard {
    pub(super) fn watch(
        &mut self,
        watcher: Watcher,
        missing: u64,
        items: Vec<WatchItem>,
        out: &mut ShardOut,
    ) {
        self.unwatch(watcher);
        let news = |item: &WatchItem| match self.slots.get(&item.partition) {
            Some(slot) => {
                let p = self.partition(*slot).expect("a known slot is filled");
                p.high_watermark > item.seen_end
            }
            None => true,
        };
        if items.iter().any(news) {
            out.answer(watcher.0, watcher.1, AnswerBody::Changed);
            return;
        }
        let slots: Vec<u32> = items.iter().map(|i| self.slots[&i.partition]).collect();
        for &slot in &slots {
            let p = self.partition_mut(slot).expect("a known slot is filled");
            p.watchers.insert(watcher);
        }
        let watch = Watch { missing, slots };
        self.watches.all.insert(watcher, watch);
    }

    /// Forgets a watch. False: there was none.
    pub(super) fn unwatch(&mut self, watcher: Watcher) -> bool {
        let Some(watch) = self.watches.all.remove(&watcher) else {
            return false;
        };
        for slot in watch.slots {
            if let Some(p) = self.partition_mut(slot) {
                p.watchers.remove(&watcher);
            }
        }
        true
    }

    /// So many bytes more of a partition are visible: who waits for them is told once.
    pub(super) fn count_news(&mut self, slot: u32, bytes: u64, out: &mut ShardOut) {
        let Some(p) = self.partitions[slot as usize].as_deref() else {
            return;
        };
        let mut due = Vec::new();
        for watcher in p.watchers.iter() {
            let watch = self.watches.all.get_mut(watcher).expect("known to both");
            watch.missing = watch.missing.saturating_sub(bytes);
            if watch.missing == 0 {
                due.push(*watcher);
            }
        }
        for watcher in due {
            self.changed(watcher, out);
        }
    }

    /// Ends a watch with its answer.
    pub(super) fn changed(&mut self, watcher: Watcher, out: &mut ShardOut) {
        if self.unwatch(watcher) {
            out.answer(watcher.0, watcher.1, AnswerBody::Changed);
        }
    }
}
