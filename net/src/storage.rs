//! What the worker needs of its shard's storage machine: the engine's, or a test's.

use corelane_engine::call::Call;
use corelane_engine::disk::DiskDone;
use corelane_engine::group::beside::ShardWithGroups;
use corelane_engine::shard::{Shard, ShardOut};
use corelane_engine::types::{Instant, Now};

/// The storage machine of one shard: the engine's, or a test's.
pub trait Storage {
    fn call(&mut self, now: Now, call: Call, out: &mut ShardOut);
    fn on_disk(&mut self, now: Now, done: DiskDone, out: &mut ShardOut);
    fn settle(&mut self, now: Now, out: &mut ShardOut);
    fn deadline(&self) -> Option<Instant>;
}

impl Storage for Shard {
    fn call(&mut self, now: Now, call: Call, out: &mut ShardOut) {
        Shard::call(self, now, call, out);
    }

    fn on_disk(&mut self, now: Now, done: DiskDone, out: &mut ShardOut) {
        Shard::on_disk(self, now, done, out);
    }

    fn settle(&mut self, now: Now, out: &mut ShardOut) {
        Shard::settle(self, now, out);
    }

    fn deadline(&self) -> Option<Instant> {
        Shard::deadline(self)
    }
}

impl Storage for ShardWithGroups {
    fn call(&mut self, now: Now, call: Call, out: &mut ShardOut) {
        ShardWithGroups::call(self, now, call, out);
    }

    fn on_disk(&mut self, now: Now, done: DiskDone, out: &mut ShardOut) {
        ShardWithGroups::on_disk(self, now, done, out);
    }

    fn settle(&mut self, now: Now, out: &mut ShardOut) {
        ShardWithGroups::settle(self, now, out);
    }

    fn deadline(&self) -> Option<Instant> {
        ShardWithGroups::deadline(self)
    }
}
