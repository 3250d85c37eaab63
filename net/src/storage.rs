//! What the worker needs of its shard's storage machine: the engine's, or a test's.

use corelane_engine::call::Call;
use corelane_engine::disk::DiskDone;
use corelane_engine::group::beside::ShardWithGroups;
use corelane_engine::shard::tally::{Piece, ShardNumbers};
use corelane_engine::shard::{Shard, ShardOut};
use corelane_engine::types::{Instant, Now};

/// The storage machine of one shard: the engine's, or a test's.
pub trait Storage {
    fn call(&mut self, now: Now, call: Call, out: &mut ShardOut);
    fn on_disk(&mut self, now: Now, done: DiskDone, out: &mut ShardOut);
    fn settle(&mut self, now: Now, out: &mut ShardOut);
    fn deadline(&self) -> Option<Instant>;
    /// What it has done and holds.
    fn numbers(&self) -> ShardNumbers {
        ShardNumbers::default()
    }
    /// What was appended to some partitions, from a place on.
    fn appended_from(&self, place: usize) -> Piece {
        let _ = place;
        Piece::default()
    }
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

    fn numbers(&self) -> ShardNumbers {
        Shard::numbers(self)
    }

    fn appended_from(&self, place: usize) -> Piece {
        Shard::appended_from(self, place)
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

    fn numbers(&self) -> ShardNumbers {
        self.shard.numbers()
    }

    fn appended_from(&self, place: usize) -> Piece {
        self.shard.appended_from(place)
    }
}
