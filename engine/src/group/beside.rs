//! One shard's log and, beside it, the coordinator of the groups in it: what is asked of either finds its way.
//!
//! ```text
//!  call ──┬─ Group, ListGroups ─► groups ── Append, Read ──┐
//!         └─ everything else ─► shard ◄────────────────────┘
//!  answers of the shard ──┬─ the coordinator's own ─► groups
//!                         └─ others ─► out
//! ```

use super::coordinator::{Coordinator, CoordinatorOut, DISK_BIT, REQUEST_BIT};
use crate::call::{Answer, Call, CallBody};
use crate::disk::DiskDone;
use crate::shard::{Shard, ShardOut};
use crate::types::{Instant, Now, ShardId};

/// Per shard.
pub struct ShardWithGroups {
    pub shard: Shard,
    pub groups: Coordinator,
    me: ShardId,
    groups_out: CoordinatorOut,
    /// A clean stop: the groups first, then the log.
    stopping: bool,
    shard_stopping: bool,
    now: Instant,
}

impl ShardWithGroups {
    pub fn new(me: ShardId, shard: Shard, groups: Coordinator) -> ShardWithGroups {
        ShardWithGroups {
            shard,
            groups,
            me,
            groups_out: CoordinatorOut::default(),
            stopping: false,
            shard_stopping: false,
            now: Instant(0),
        }
    }

    /// Takes a call of this or another shard.
    pub fn call(&mut self, now: Now, call: Call, out: &mut ShardOut) {
        match call.body {
            CallBody::Group { .. } | CallBody::ListGroups => {
                self.groups.call(now, call, &mut self.groups_out);
            }
            CallBody::Append { .. }
            | CallBody::Read { .. }
            | CallBody::Watch { .. }
            | CallBody::Forget
            | CallBody::ListOffsets { .. }
            | CallBody::DeleteRecords { .. }
            | CallBody::EpochEnds { .. }
            | CallBody::LogSizes { .. } => self.shard.call(now, call, out),
        }
        self.carry(now, out);
    }

    pub fn on_disk(&mut self, now: Now, done: DiskDone, out: &mut ShardOut) {
        match done.token.0 & DISK_BIT {
            0 => self.shard.on_disk(now, done, out),
            _ => self.groups.on_disk(done, &mut self.groups_out),
        }
        self.carry(now, out);
    }

    /// Upkeep, once a pass: records of groups come first, so that they are in this pass's group commit.
    pub fn settle(&mut self, now: Now, out: &mut ShardOut) {
        self.now = now.mono;
        self.groups.settle(now, &mut self.groups_out);
        self.carry(now, out);
        if self.stopping && !self.shard_stopping && self.groups.stopped() {
            self.shard_stopping = true;
            self.shard.stop();
        }
        self.shard.settle(now, out);
        self.carry(now, out);
    }

    /// Nobody waits in a join or sync any more: the node is about to stop.
    pub fn drain(&mut self, now: Now, out: &mut ShardOut) {
        self.groups.drain(now, &mut self.groups_out);
        self.carry(now, out);
    }

    /// Carries effects that the coordinator had outside of a call.
    pub fn carry(&mut self, now: Now, out: &mut ShardOut) {
        loop {
            for call in std::mem::take(&mut self.groups_out.calls) {
                self.shard.call_internal(now, call, out);
            }
            out.disk.append(&mut self.groups_out.disk);
            if let Some(fatal) = self.groups_out.fatal.take() {
                out.fatal.get_or_insert(fatal);
            }
            let me = self.me;
            let own =
                |to: ShardId, answer: &Answer| to == me && answer.request.0 & REQUEST_BIT != 0;
            if out.answers.iter().any(|(to, answer)| own(*to, answer)) {
                for (to, answer) in std::mem::take(&mut out.answers) {
                    match own(to, &answer) {
                        true => self.groups.on_answer(now, answer, &mut self.groups_out),
                        false => out.answers.push((to, answer)),
                    }
                }
            }
            out.answers.append(&mut self.groups_out.answers);
            if self.groups_out.calls.is_empty() {
                return;
            }
        }
    }

    /// The coordinator's effects of what it is told outside of a call; [`ShardWithGroups::carry`] brings them on.
    pub fn groups_mut(&mut self) -> (&mut Coordinator, &mut CoordinatorOut) {
        (&mut self.groups, &mut self.groups_out)
    }

    /// Ends the life of both cleanly, the groups' first: their snapshots need the log.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.groups.stop();
    }

    /// Whether a clean stop is complete.
    pub fn stopped(&self) -> bool {
        self.shard.stopped()
    }

    /// Whether it left nothing for the next start to recover.
    pub fn stopped_clean(&self) -> bool {
        self.shard.stopped_clean()
    }

    /// When `settle` is due although nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        let stop = self.stopping && !self.shard_stopping && self.groups.stopped();
        let stop = stop.then_some(self.now);
        let deadlines = [self.shard.deadline(), self.groups.deadline(self.now), stop];
        deadlines.into_iter().flatten().min()
    }
}
