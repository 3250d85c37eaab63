//! What the coordinator does besides answering: reading partitions at a start, writing snapshots, removing them.
//!
//! ```text
//!  load ─► queue ─► a few at a time: snapshot's flow, reads of the log, groups come to life ─► ready
//!  bytes of records since the last snapshot ─► piece after piece, one a pass ─► flow ─► renamed into place
//! ```

use std::task::Poll;

use bytes::Bytes;

use super::{Coordinator, CoordinatorOut, DISK_BIT};
use crate::call::{CallBody, ReadItem};
use crate::disk::{DiskDone, DiskError, DiskToken};
use crate::fatal::Fatal;
use crate::flow::{Flow, FlowRunner};
use crate::group::handover::Handover;
use crate::group::load::{Load, READ_BYTES, Stage, WAKE_AT_ONCE};
use crate::group::seat::{Seat, SeatIndex, SeatState, Shared};
use crate::group::snapshot::{self, Span, Unusable, Writing};
use crate::types::{LeaderEpoch, Now, TopicPartition};

/// Bits of a flow's own token.
const FLOW_BITS: u32 = 32;
/// Partitions read side by side.
const LOADS_AT_ONCE: usize = 4;
/// Snapshots written side by side.
const SNAPSHOTS_AT_ONCE: usize = 2;

/// What a flow on the disk was for, and what it found.
pub(super) enum FlowEnd {
    Read(Result<Option<Span>, Unusable>),
    /// False: there was no space.
    Wrote(Result<bool, DiskError>),
    Removed(Result<(), DiskError>),
    /// A snapshot that was not used.
    Forgot(Result<(), DiskError>),
}

pub(super) struct Running {
    pub(super) id: TopicPartition,
    runner: FlowRunner<FlowEnd>,
    /// Of a flow that reads: what it hands over.
    pub(super) payloads: Option<Handover<Bytes>>,
}

impl Coordinator {
    /// Takes a completion whose token has [`DISK_BIT`].
    pub fn on_disk(&mut self, done: DiskDone, out: &mut CoordinatorOut) {
        let number = ((done.token.0 & !DISK_BIT) >> FLOW_BITS) as u32;
        let own = DiskToken(done.token.0 & ((1 << FLOW_BITS) - 1));
        // A stop leaves flows behind that only read.
        let Some(running) = self.flows.get_mut(&number) else {
            return;
        };
        running.runner.on_disk(DiskDone {
            token: own,
            result: done.result,
        });
        self.step_flow(number, out);
    }

    pub(super) fn remove(&mut self, id: TopicPartition) {
        self.start_flow(id, None, move |flow| async move {
            FlowEnd::Removed(snapshot::remove(flow, id).await)
        });
    }

    pub(super) fn start_flow<F: Future<Output = FlowEnd> + 'static>(
        &mut self,
        id: TopicPartition,
        payloads: Option<Handover<Bytes>>,
        start: impl FnOnce(Flow) -> F,
    ) {
        // Requests of a flow that a stop left behind may still be under way: numbers are not used again.
        let number = self.next_flow;
        self.next_flow += 1;
        assert!(number < 1 << (62 - FLOW_BITS), "too many flows");
        let running = Running {
            id,
            runner: FlowRunner::new(&self.files, start),
            payloads,
        };
        self.flows.insert(number, running);
    }

    pub(super) fn step_flow(&mut self, number: u32, out: &mut CoordinatorOut) {
        let Some(running) = self.flows.get_mut(&number) else {
            return;
        };
        let begin = out.disk.len();
        let polled = running.runner.step(&mut out.disk);
        for request in &mut out.disk[begin..] {
            let own = request.token.0;
            assert!(own < 1 << FLOW_BITS, "a flow with too many requests");
            request.token = DiskToken(DISK_BIT | u64::from(number) << FLOW_BITS | own);
        }
        if let Poll::Ready(end) = polled {
            let id = running.id;
            self.flows.remove(&number);
            self.on_flow(id, end, out);
        }
    }

    pub(super) fn on_flow(&mut self, id: TopicPartition, end: FlowEnd, out: &mut CoordinatorOut) {
        match end {
            FlowEnd::Read(result) => self.on_snapshot_read(id, result, out),
            FlowEnd::Wrote(result) => self.on_snapshot_written(id, result, out),
            FlowEnd::Forgot(result) => self.on_forgotten(id, result, out),
            FlowEnd::Removed(Ok(())) => {}
            FlowEnd::Removed(Err(error)) => {
                tracing::warn!(partition = %id, errno = error.errno, "the snapshot of a deleted partition could not be removed");
            }
        }
    }

    pub(super) fn on_snapshot_read(
        &mut self,
        id: TopicPartition,
        result: Result<Option<Span>, Unusable>,
        out: &mut CoordinatorOut,
    ) {
        let Some(&index) = self.places.get(&id) else {
            return self.remove(id);
        };
        let taken = self.with_load(index, |load, seat, _| load.on_snapshot(result, seat));
        if let Some(Err(newer)) = taken {
            let refused = format!("{}: {newer}", snapshot::path(id));
            self.fail(Fatal::Directory(refused), out);
        }
    }

    fn on_forgotten(
        &mut self,
        id: TopicPartition,
        result: Result<(), DiskError>,
        out: &mut CoordinatorOut,
    ) {
        let Some(&index) = self.places.get(&id) else {
            return self.remove(id);
        };
        if let Err(error) = result {
            let what = format!("remove {}", snapshot::path(id));
            let errno = error.errno;
            return self.fail(Fatal::Disk { what, errno }, out);
        }
        self.with_load(index, |load, _, _| load.stage = Stage::Waking { next: 0 });
    }

    pub(super) fn on_snapshot_written(
        &mut self,
        id: TopicPartition,
        result: Result<bool, DiskError>,
        out: &mut CoordinatorOut,
    ) {
        let writing = self.snapshots.remove(&id).expect("one is under way");
        let Some(&index) = self.places.get(&id) else {
            return self.remove(id);
        };
        let seat = self.seats[index as usize]
            .as_deref_mut()
            .expect("it has a place");
        // It may have grown meanwhile.
        self.grown.insert(index);
        match result {
            Ok(true) => seat.snapshot_bytes = writing.bytes,
            Ok(false) => {
                tracing::warn!(partition = %id, "no space for a snapshot of groups");
                // Not at once again; a stop goes on without it: the log has everything.
                self.stop_without = self.stopping;
                seat.snapshot_bytes = writing.bytes.max(self.shared.config.snapshot_after_bytes);
            }
            Err(error) => {
                let what = format!("write {}", snapshot::path(id));
                let errno = error.errno;
                self.fail(Fatal::Disk { what, errno }, out);
            }
        }
    }

    /// Lets flows go on that were started, fed, or relieved of what they handed over.
    pub(super) fn settle_flows(&mut self, out: &mut CoordinatorOut) {
        let mut from = 0;
        while let Some((&number, running)) = self.flows.range(from..).next() {
            if let Some(payloads) = &running.payloads
                && !self.places.contains_key(&running.id)
            {
                // Nobody wants it any more.
                drop(payloads.take());
            }
            self.step_flow(number, out);
            from = number + 1;
        }
    }

    pub(super) fn settle_loads(&mut self, now: Now, out: &mut CoordinatorOut) {
        if self.stopping {
            return;
        }
        while self.loading.len() < LOADS_AT_ONCE
            && let Some(index) = self.to_load.pop_front()
        {
            let begun = self.with_load(index, |load, seat, _| (seat.id, load.begin()));
            let (id, payloads) = begun.expect("it waits to be read");
            self.loading.push(index);
            self.start_flow(id, Some(payloads.clone()), move |flow| async move {
                FlowEnd::Read(snapshot::read(flow, id, payloads).await)
            });
        }
        for index in self.loading.clone() {
            self.step_load(now, index, out);
        }
    }

    pub(super) fn step_load(&mut self, now: Now, index: SeatIndex, out: &mut CoordinatorOut) {
        enum Next {
            Wait,
            Read(ReadItem),
            Forget(TopicPartition),
            Wake,
        }
        let next = self.with_load(index, |load, seat, shared| {
            load.take_payload(seat, &mut shared.topics);
            match &mut load.stage {
                Stage::Log { asked } if !*asked => {
                    *asked = true;
                    Next::Read(ReadItem {
                        slot: 0,
                        partition: seat.id,
                        offset: load.next,
                        max_bytes: READ_BYTES,
                        current_leader_epoch: LeaderEpoch(-1),
                        last_fetched_epoch: LeaderEpoch(-1),
                    })
                }
                Stage::Removing { asked } if !*asked => {
                    *asked = true;
                    Next::Forget(seat.id)
                }
                Stage::Waking { .. } => Next::Wake,
                Stage::Queued
                | Stage::Snapshot { .. }
                | Stage::Log { .. }
                | Stage::Removing { .. } => Next::Wait,
            }
        });
        match next {
            None | Some(Next::Wait) => {}
            Some(Next::Read(item)) => {
                let body = CallBody::Read {
                    max_bytes: READ_BYTES,
                    items: vec![item],
                };
                self.request(index, body, out);
            }
            Some(Next::Forget(id)) => self.start_flow(id, None, move |flow| async move {
                FlowEnd::Forgot(snapshot::forget(flow, id).await)
            }),
            Some(Next::Wake) => self.wake(now, index, out),
        }
    }

    pub(super) fn wake(&mut self, now: Now, index: SeatIndex, out: &mut CoordinatorOut) {
        let woken = self.with_seat(now, index, out, |seat, around| {
            let SeatState::Loading(load) = &seat.state else {
                return false;
            };
            let Stage::Waking { next } = load.stage else {
                return false;
            };
            let next = seat.wake(next, WAKE_AT_ONCE, around);
            match (next, &mut seat.state) {
                (Some(next), SeatState::Loading(load)) => {
                    load.stage = Stage::Waking { next };
                    false
                }
                _ => {
                    seat.state = SeatState::Ready;
                    true
                }
            }
        });
        if woken == Some(true) {
            self.grown.insert(index);
            self.loading.retain(|other| *other != index);
        }
    }

    pub(super) fn with_load<R>(
        &mut self,
        index: SeatIndex,
        act: impl FnOnce(&mut Load, &mut Seat, &mut Shared) -> R,
    ) -> Option<R> {
        let seat = self.seats[index as usize].as_deref_mut()?;
        match std::mem::replace(&mut seat.state, SeatState::Failed) {
            SeatState::Loading(mut load) => {
                let result = act(&mut load, seat, &mut self.shared);
                seat.state = SeatState::Loading(load);
                Some(result)
            }
            state @ (SeatState::Ready | SeatState::Failed) => {
                seat.state = state;
                None
            }
        }
    }

    pub(super) fn fail_load(&mut self, index: SeatIndex) {
        self.loading.retain(|other| *other != index);
        if let Some(seat) = self.seats[index as usize].as_deref_mut() {
            seat.clear();
            seat.state = SeatState::Failed;
        }
    }

    /// Begins snapshots that are due, and gives pieces to those that want one.
    pub(super) fn settle_snapshots(&mut self) {
        let mut looked_at = std::mem::take(&mut self.grown);
        while self.snapshots.len() < SNAPSHOTS_AT_ONCE
            && let Some(index) = looked_at.pop_first()
        {
            let seat = self.seats[index as usize].as_deref();
            if seat.is_some_and(|seat| self.wants_snapshot(seat)) {
                self.begin_snapshot(index);
            }
        }
        // For those that are left there is no room now.
        self.grown.append(&mut looked_at);
        for (id, writing) in &mut self.snapshots {
            let index = self.places.get(id);
            let seat = index.and_then(|index| self.seats[*index as usize].as_deref());
            writing.feed(seat, &self.shared.topics);
        }
    }

    pub(super) fn wants_snapshot(&self, seat: &Seat) -> bool {
        let after = match self.stopping {
            true => 1,
            false => self
                .shared
                .config
                .snapshot_after_bytes
                .max(2 * seat.snapshot_bytes),
        };
        seat.is_ready()
            && seat.durable
            && !self.stop_without
            && seat.tail_bytes >= after
            && (!self.stopping || seat.is_settled())
            && !self.snapshots.contains_key(&seat.id)
    }

    pub(super) fn begin_snapshot(&mut self, index: SeatIndex) {
        let seat = self.seats[index as usize]
            .as_deref_mut()
            .expect("just seen");
        seat.tail_bytes = 0;
        let id = seat.id;
        let writing = Writing::new(seat.applied_end, self.shared.config.snapshot_piece_bytes);
        let pieces = writing.pieces.clone();
        self.snapshots.insert(id, writing);
        self.start_flow(id, None, move |flow| async move {
            FlowEnd::Wrote(snapshot::write(flow, id, pieces).await)
        });
    }

    /// Whether the next pass has something to do that nothing will announce.
    pub(super) fn has_work(&self) -> bool {
        let ready = |index: SeatIndex| {
            self.seats[index as usize]
                .as_ref()
                .is_some_and(|seat| seat.is_ready())
        };
        let waking = |index: SeatIndex| match self.seats[index as usize].as_deref() {
            Some(seat) => match &seat.state {
                SeatState::Loading(load) => load.goes_on(),
                SeatState::Ready | SeatState::Failed => false,
            },
            None => false,
        };
        let loads = self.loading.iter().any(|index| waking(*index))
            || (!self.to_load.is_empty() && self.loading.len() < LOADS_AT_ONCE);
        !self.failed && !self.stopping && (loads || self.sweeping.iter().any(|index| ready(*index)))
    }
}
