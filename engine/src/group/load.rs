//! Reading a partition's groups at a start: the snapshot, then the log after it, a bounded step at a time.
//!
//! ```text
//!  Queued ─► Snapshot ── piece, piece, … ──► Log ── read, answer, … up to the high watermark ──► Waking ─► ready
//!               │ damaged, or not of this log ──► all of the log ──► Removing, which is done before the log grows ─►┘
//! ```

use bytes::{Bytes, BytesMut};

use super::entries;
use super::handover::Handover;
use super::offsets::TopicNames;
use super::seat::{GroupIndex, Seat};
use super::snapshot::{self, Span, Unusable};
use crate::batch::{BatchHeader, Damaged};
use crate::call::{ReadDone, ReadError};
use crate::types::Offset;

/// Bytes of log read in one step.
pub(super) const READ_BYTES: u32 = 256 << 10;
/// Groups that come to life in one step.
pub(super) const WAKE_AT_ONCE: u32 = 2_000;

/// How far it is.
#[derive(Debug)]
pub(super) enum Stage {
    Queued,
    Snapshot {
        payloads: Handover<Bytes>,
        stream: BytesMut,
        /// What of it cannot be used.
        unusable: Option<Unusable>,
    },
    /// `asked`: a read is under way.
    Log {
        asked: bool,
    },
    /// A snapshot that was not used must go before the log grows past its end, and makes it look right. `asked`: it does.
    Removing {
        asked: bool,
    },
    Waking {
        next: GroupIndex,
    },
}

#[derive(Debug)]
pub(super) struct Load {
    pub(super) stage: Stage,
    /// The next offset to be read.
    pub(super) next: Offset,
    /// Of the snapshot whose content is here.
    span: Option<Span>,
    /// There is one on the disk that is not used.
    stale: bool,
    /// Records that could not be read.
    skipped: u64,
}

/// What a step led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    GoesOn,
    /// The log was read to its end.
    Read,
    /// It cannot be read.
    Failed,
}

impl Load {
    pub(super) fn new() -> Load {
        Load {
            stage: Stage::Queued,
            next: Offset(0),
            span: None,
            stale: false,
            skipped: 0,
        }
    }

    /// Whether there is something to do that nothing will announce.
    pub(super) fn goes_on(&self) -> bool {
        match &self.stage {
            Stage::Snapshot { payloads, .. } => !payloads.is_empty(),
            Stage::Log { asked } | Stage::Removing { asked } => !asked,
            Stage::Waking { .. } => true,
            Stage::Queued => false,
        }
    }

    /// Begins to read the snapshot; what comes of it is handed over here.
    pub(super) fn begin(&mut self) -> Handover<Bytes> {
        let payloads = Handover::default();
        self.stage = Stage::Snapshot {
            payloads: payloads.clone(),
            stream: BytesMut::new(),
            unusable: None,
        };
        payloads
    }

    /// Takes a payload that the flow has handed over. True: there was one.
    pub(super) fn take_payload(&mut self, seat: &mut Seat, topics: &mut TopicNames) -> bool {
        let Stage::Snapshot {
            payloads,
            stream,
            unusable,
        } = &mut self.stage
        else {
            return false;
        };
        let Some(payload) = payloads.take() else {
            return false;
        };
        stream.extend_from_slice(&payload);
        seat.snapshot_bytes += payload.len() as u64;
        while unusable.is_none() {
            match snapshot::take(stream) {
                Ok(Some((key, value))) => {
                    if seat.fold(&key, Some(&value), topics).is_err() {
                        *unusable = Some(Unusable::Damaged("a record that cannot be read"));
                    }
                }
                Ok(None) => break,
                Err(why) => *unusable = Some(why),
            }
        }
        true
    }

    /// The flow that read the snapshot ended: the log follows. An error: a version that is not known.
    pub(super) fn on_snapshot(
        &mut self,
        result: Result<Option<Span>, Unusable>,
        seat: &mut Seat,
    ) -> Result<(), Unusable> {
        let Stage::Snapshot {
            stream, unusable, ..
        } = std::mem::replace(&mut self.stage, Stage::Log { asked: false })
        else {
            panic!("no snapshot was being read")
        };
        let result = match (result, unusable) {
            (Ok(_), Some(why)) => Err(why),
            (Ok(Some(_)), None) if !stream.is_empty() => Err(Unusable::Damaged("it ends early")),
            (result, _) => result,
        };
        match result {
            Ok(span) => {
                self.span = span;
                self.next = span.map_or(Offset(0), |span| span.from);
                Ok(())
            }
            Err(newer @ Unusable::Newer { .. }) => Err(newer),
            Err(why) => {
                self.start_over(&why, seat);
                Ok(())
            }
        }
    }

    /// All of the log is read instead.
    fn start_over(&mut self, why: &dyn std::fmt::Display, seat: &mut Seat) {
        tracing::warn!(partition = %seat.id, %why, "a snapshot of groups is not used: all of the log is read");
        seat.clear();
        seat.snapshot_bytes = 0;
        self.span = None;
        self.stale = true;
        self.next = Offset(0);
    }

    /// A read was answered.
    pub(super) fn on_read(
        &mut self,
        result: Result<ReadDone, ReadError>,
        seat: &mut Seat,
        topics: &mut TopicNames,
    ) -> Step {
        self.stage = Stage::Log { asked: false };
        let done = match result {
            Ok(done) => done,
            Err(ReadError::OutOfRange {
                log_start,
                high_watermark,
            }) => {
                if self.next > high_watermark {
                    self.start_over(&"it is newer than the log", seat);
                } else if self.next >= log_start {
                    return Step::Failed;
                }
                self.next = log_start;
                return Step::GoesOn;
            }
            Err(error) => {
                tracing::error!(partition = %seat.id, ?error, "groups cannot be read");
                return Step::Failed;
            }
        };
        if let Some(span) = self.span.take()
            && span.end > done.high_watermark
        {
            // Only what was durable is in a snapshot: the log was cut by something else than a power failure.
            self.start_over(&"it is newer than the log", seat);
            return Step::GoesOn;
        }
        let mut joined = match <[Bytes; 1]>::try_from(done.records) {
            Ok([records]) => records,
            Err(parts) => parts.concat().into(),
        };
        let empty = joined.is_empty();
        while !joined.is_empty() {
            if let Err(damaged) = self.take_batch(&mut joined, seat, topics) {
                tracing::error!(partition = %seat.id, %damaged, "groups cannot be read");
                return Step::Failed;
            }
        }
        if self.next < done.high_watermark && !empty {
            return Step::GoesOn;
        }
        seat.applied_end = self.next.max(done.high_watermark);
        if self.skipped > 0 {
            tracing::warn!(partition = %seat.id, records = self.skipped, "records of groups that cannot be read were passed over");
        }
        self.stage = match self.stale {
            true => Stage::Removing { asked: false },
            false => Stage::Waking { next: 0 },
        };
        Step::Read
    }

    fn take_batch(
        &mut self,
        joined: &mut Bytes,
        seat: &mut Seat,
        topics: &mut TopicNames,
    ) -> Result<(), Damaged> {
        let header =
            BatchHeader::parse(joined).map_err(|_| Damaged("header of a group's batch"))?;
        let bytes = header.total_bytes();
        if bytes > joined.len() {
            return Err(Damaged("a group's batch ends early"));
        }
        let batch = joined.split_to(bytes);
        self.next = self.next.max(header.end_offset());
        seat.tail_bytes += bytes as u64;
        // Markers of transactions.
        if header.is_control() {
            return Ok(());
        }
        let skipped = &mut self.skipped;
        entries::each(&header, &batch, |key, value| {
            let folded = key.map(|key| seat.fold(&key, value.as_ref(), topics));
            *skipped += u64::from(!matches!(folded, Some(Ok(()))));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::seat::SeatState;
    use super::*;
    use crate::group::records;
    use crate::types::{TopicId, TopicPartition};

    fn seat() -> Seat {
        let id = TopicPartition {
            topic: TopicId([1; 16]),
            partition: 0,
        };
        Seat::new(id, 0, 1 << 20, true, SeatState::Failed)
    }

    fn read(high_watermark: i64) -> Result<ReadDone, ReadError> {
        Ok(ReadDone {
            records: Vec::new(),
            count: 0,
            high_watermark: Offset(high_watermark),
            last_stable: Offset(high_watermark),
            log_start: Offset(0),
        })
    }

    /// A snapshot of offsets 5 to 12 of which the log still holds up to `high_watermark`.
    fn after_snapshot(high_watermark: i64) -> (Step, Load, Seat) {
        let (mut load, mut seat) = (Load::new(), seat());
        let mut topics = TopicNames::default();
        let payloads = load.begin();
        let mut payload = BytesMut::new();
        let (key, value) = (
            records::group_key("g"),
            records::GroupValue::default().encode(),
        );
        snapshot::put(&mut payload, &key, &value);
        payloads.put(payload.freeze());
        assert!(load.take_payload(&mut seat, &mut topics));
        let span = Span {
            from: Offset(5),
            end: Offset(12),
        };
        load.on_snapshot(Ok(Some(span)), &mut seat).expect("known");
        assert_eq!(load.next, Offset(5));
        let step = load.on_read(read(high_watermark), &mut seat, &mut topics);
        (step, load, seat)
    }

    #[test]
    fn a_log_that_ends_within_the_snapshot_is_not_its_log() {
        let (step, _, seat) = after_snapshot(12);
        assert_eq!(
            (step, seat.group_end(), seat.applied_end),
            (Step::Read, 1, Offset(12))
        );
        let (step, load, seat) = after_snapshot(11);
        assert_eq!(
            (step, load.next, seat.group_end()),
            (Step::GoesOn, Offset(0), 0)
        );
    }
}
