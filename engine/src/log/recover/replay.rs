//! Replay: the journal's entries, one by one, folded into what the checkpoint told of the partitions.
//!
//! ```text
//!  note_ends: cuts, log starts ─► apply each entry ─► trim ─► check_ends ─► write_mixed_blocks
//!                                   └ a batch: `verdict` says what is done with it
//! ```

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::failed;
use super::ring::Chain;
use super::verdict::{Action, Journaled, OnDisk, Standing, decide};
use crate::batch::{self, BatchHeader};
use crate::disk::DiskError;
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::limits::Limits;
use crate::log::extent::{Extent, Source};
use crate::log::group::{self, Entry, Place};
use crate::log::journal::{GroupSeq, Journal};
use crate::log::partition::Partition;
use crate::log::{buffers, segment, write_back};
use crate::types::{Offset, TopicPartition};

pub(super) struct Replay {
    pub(super) partitions: Vec<Partition>,
    slots: BTreeMap<TopicPartition, u32>,
    ended: Vec<bool>,
    /// Per partition: ordinals of cut entries and what they cut.
    cut_at: BTreeMap<u32, Vec<(u64, Place)>>,
    /// Per partition: the highest log start of all.
    starts: Vec<Offset>,
    ordinal: u64,
    pub(super) cuts: Vec<(u32, Place)>,
    /// Partitions with straight batches, whose mixed blocks are only in the journal.
    straight: Vec<u32>,
}

impl Replay {
    pub(super) fn new(partitions: Vec<Partition>, slots: BTreeMap<TopicPartition, u32>) -> Replay {
        let ended = vec![false; partitions.len()];
        let starts = partitions.iter().map(|p| p.log_start).collect();
        Replay {
            partitions,
            starts,
            slots,
            ended,
            cut_at: BTreeMap::new(),
            ordinal: 0,
            cuts: Vec::new(),
            straight: Vec::new(),
        }
    }

    /// Finds every cut before anything is applied, as producer state cannot be taken back; and every log start, as what
    /// lies below one that comes later may be gone already.
    pub(super) fn note_ends(&mut self, chain: &Chain) -> Result<(), Fatal> {
        let mut ordinal = 0;
        for (header, bytes) in &chain.groups {
            let entries = group::parse_entries(bytes).map_err(|what| {
                Fatal::Damaged(format!("journal group at {}: {what}", header.position.0))
            })?;
            for entry in entries {
                if let Some(slot) = self.slots.get(&entry.place().partition) {
                    match entry {
                        Entry::Cut { place, .. } => {
                            let cuts = self.cut_at.entry(*slot).or_default();
                            cuts.push((ordinal, place));
                        }
                        Entry::LogStart { offset, .. } => {
                            let start = &mut self.starts[*slot as usize];
                            *start = offset.max(*start);
                        }
                        Entry::Bytes { .. } | Entry::Pointer { .. } => {}
                    }
                }
                ordinal += 1;
            }
        }
        Ok(())
    }

    /// Applies one entry; returns the bytes read for it. `flushed`: a later group says that it was flushed.
    pub(super) async fn apply(
        &mut self,
        flow: &Flow,
        group: &Bytes,
        entry: Entry,
        seq: GroupSeq,
        flushed: bool,
        touched: &mut Vec<u32>,
    ) -> Result<u64, Fatal> {
        let ordinal = self.ordinal;
        self.ordinal += 1;
        let place = *entry.place();
        let Some(&slot) = self.slots.get(&place.partition) else {
            return Ok(0);
        };
        if touched.last() != Some(&slot) {
            touched.push(slot);
        }
        let p = &mut self.partitions[slot as usize];
        let batch = match entry {
            Entry::Cut { .. } => {
                self.ended[slot as usize] = false;
                return Ok(0);
            }
            Entry::LogStart { offset, .. } => {
                p.log_start = p.log_start.max(offset);
                return Ok(0);
            }
            Entry::Bytes { batch, .. } => {
                let start = batch.as_ptr() as usize - group.as_ptr() as usize;
                Replayed {
                    header: parse_header(&batch, batch.len(), &place)?,
                    place,
                    seq,
                    source: Source::Group {
                        start: start as u32,
                    },
                    direct: None,
                    first: batch,
                }
            }
            Entry::Pointer {
                length,
                header,
                front,
                back,
                ..
            } => {
                let begin = place.position.0 + front.len() as u64;
                let end = place.position.0 + u64::from(length) - back.len() as u64;
                Replayed {
                    header: parse_header(&header, length as usize, &place)?,
                    place,
                    seq,
                    source: Source::Ends { front, back },
                    direct: Some((begin, end)),
                    first: header,
                }
            }
        };
        let journaled = self.journaled(slot, ordinal, &batch, flushed);
        let standing = batch.standing(&self.partitions[slot as usize]);
        let (mut disk, mut read) = (batch.on_disk(&self.partitions[slot as usize]), 0);
        loop {
            match decide(journaled, standing, disk) {
                Action::Skip => {}
                Action::Keep => batch.keep(&mut self.partitions[slot as usize]),
                Action::Apply => {
                    self.note_straight(slot, &batch);
                    batch.apply(&mut self.partitions[slot as usize]);
                    return Ok(read);
                }
                Action::Read => {
                    let (bytes, holds) = batch.verify(flow).await?;
                    read += bytes;
                    disk = match holds {
                        true => OnDisk::Holds,
                        false => OnDisk::Lacks,
                    };
                    continue;
                }
                Action::Cut => {
                    let (partition, offset) = (place.partition, batch.header.base_offset.0);
                    tracing::warn!(%partition, offset, "unclean stop: a batch that no flush covers is not whole; the log ends before it");
                    self.ended[slot as usize] = true;
                    self.cuts.push((slot, place));
                    return Ok(read);
                }
                Action::Damaged => return Err(batch.damaged(&self.partitions[slot as usize])),
            }
            if matches!(journaled, Journaled::Flushed | Journaled::Pointer) {
                self.note_straight(slot, &batch);
            }
            return Ok(read);
        }
    }

    fn journaled(&self, slot: u32, ordinal: u64, batch: &Replayed, flushed: bool) -> Journaled {
        let place = &batch.place;
        let cut_later = self.cut_at.get(&slot).is_some_and(|cuts| {
            cuts.iter().any(|(at, cut)| {
                *at > ordinal && (cut.segment, cut.position) <= (place.segment, place.position)
            })
        });
        let gone = batch.header.base_offset < self.starts[slot as usize];
        match batch.direct {
            _ if cut_later => Journaled::Cut,
            _ if self.ended[slot as usize] => Journaled::Ended,
            None => Journaled::Bytes,
            Some(_) if flushed || gone => Journaled::Flushed,
            Some(_) => Journaled::Pointer,
        }
    }

    /// A straight batch's first and last blocks are only in the journal, and must be written.
    fn note_straight(&mut self, slot: u32, batch: &Replayed) {
        if batch.direct.is_some() && !self.straight.contains(&slot) {
            self.straight.push(slot);
        }
    }

    /// What lies below the log starts goes.
    pub(super) fn trim(&mut self) -> Result<(), Fatal> {
        for p in &mut self.partitions {
            p.trim_replayed().map_err(|what| {
                Fatal::Damaged(format!(
                    "{}: {what}: {} and {}",
                    p.id, p.log_start.0, p.next.0
                ))
            })?;
        }
        Ok(())
    }

    /// What the checkpoint knows must still be in memory or in the segment.
    pub(super) fn check_ends(&self) -> Result<(), Fatal> {
        for p in &self.partitions {
            for s in &p.segments {
                let reached = p
                    .extents
                    .end_below(s.base, GroupSeq(u64::MAX))
                    .unwrap_or(s.disk_end);
                if reached.max(s.disk_end) < s.end {
                    return Err(Fatal::Damaged(format!(
                        "{}: the checkpoint says {} bytes, the journal and the file reach {reached}",
                        segment::path(p.id, s.base),
                        s.end
                    )));
                }
            }
        }
        Ok(())
    }

    /// Straight batches share their first and last blocks with neighbours: those blocks are written, and every segment
    /// that a pointer names is flushed.
    pub(super) async fn write_mixed_blocks(
        &mut self,
        flow: &Flow,
        journal: &Journal,
        limits: &Limits,
    ) -> Result<(), Fatal> {
        let below = journal.open_seq();
        let mut jobs = Vec::new();
        for &slot in &self.straight {
            jobs.push(write_back::plan(
                &self.partitions[slot as usize],
                slot,
                below,
                journal,
                limits,
            ));
        }
        let done = write_back::write_back_all(flow, jobs).await?;
        for job in done {
            let p = &mut self.partitions[job.slot as usize];
            write_back::settle_job(p, &job);
        }
        for &slot in &self.straight {
            let p = &mut self.partitions[slot as usize];
            let ends: Vec<_> = p.segments.iter().map(|s| (s.base, s.disk_end)).collect();
            let disk_end = |base| {
                ends.iter()
                    .find(|(b, _)| *b == base)
                    .map_or(0, |(_, end)| *end)
            };
            p.extents.release(below, disk_end, journal);
        }
        Ok(())
    }
}

fn parse_header(bytes: &[u8], length: usize, place: &Place) -> Result<BatchHeader, Fatal> {
    BatchHeader::parse(bytes)
        .ok()
        .filter(|header| header.total_bytes() == length)
        .ok_or_else(|| {
            Fatal::Damaged(format!(
                "journal entry of {} at {} is no batch",
                place.partition, place.position.0
            ))
        })
}

/// A batch of the journal.
struct Replayed {
    header: BatchHeader,
    place: Place,
    seq: GroupSeq,
    source: Source,
    /// Whole blocks that were written straight to the segment.
    direct: Option<(u64, u64)>,
    /// Its first bytes, at least its header.
    first: Bytes,
}

impl Replayed {
    fn end(&self) -> u64 {
        self.place.position.0 + self.header.total_bytes() as u64
    }

    /// Whether it begins the segment after the active one.
    fn rolls(&self, p: &Partition) -> bool {
        let begins = self.place.position.0 == 0 && self.place.segment == p.next;
        begins && self.place.segment > p.active().base
    }

    fn standing(&self, p: &Partition) -> Standing {
        let active = p.active();
        let at_end = (self.place.segment, self.place.position.0) == (active.base, active.end);
        if at_end || self.rolls(p) {
            return match self.header.base_offset == p.next {
                true => Standing::End,
                false => Standing::Other,
            };
        }
        match (self.place.segment, self.end()) > (active.base, active.end) {
            true => Standing::Past,
            false => Standing::Known,
        }
    }

    /// What is known of the segment without a look: what lies below its `disk_end` was written back. A segment that is not
    /// known any more is below the log start.
    fn on_disk(&self, p: &Partition) -> OnDisk {
        match p.segment(self.place.segment) {
            Some(s) if self.end() > s.disk_end => OnDisk::Unread,
            Some(_) => OnDisk::Holds,
            None if self.rolls(p) => OnDisk::Unread,
            None => OnDisk::Holds,
        }
    }

    fn apply(self, p: &mut Partition) {
        if self.rolls(p) {
            p.roll();
        }
        p.note(&self.header, self.place, self.seq, self.source, self.direct);
    }

    /// Its bytes are kept where they continue what is in memory.
    fn keep(&self, p: &mut Partition) {
        let Some(disk_end) = p.segment(self.place.segment).map(|s| s.disk_end) else {
            return;
        };
        let extent = Extent {
            segment: self.place.segment,
            position: self.place.position.0,
            length: self.header.total_bytes() as u32,
            base_offset: self.header.base_offset,
            next_offset: Offset(self.header.last_offset().0 + 1),
            whole: true,
            group: self.seq,
            source: self.source.clone(),
            direct: self.direct,
        };
        let continues = match p.extents.is_empty() {
            true => extent.position <= disk_end,
            false => p.extents.follows(&extent),
        };
        if continues {
            p.extents.push(extent);
        }
    }

    fn damaged(&self, p: &Partition) -> Fatal {
        let active = p.active();
        Fatal::Damaged(format!(
            "{}: the journal has offset {} at {} of segment {}, but the log ends with offset {} at {} of segment {}",
            p.id,
            self.header.base_offset.0,
            self.place.position.0,
            self.place.segment.0,
            p.next.0,
            active.end,
            active.base.0
        ))
    }

    /// Whether the segment holds the batch that a pointer names, and how many bytes were read.
    async fn verify(&self, flow: &Flow) -> Result<(u64, bool), Fatal> {
        let (Source::Ends { front, back }, Some((begin, end))) = (&self.source, self.direct) else {
            return Ok((0, true));
        };
        let path = segment::path(self.place.partition, self.place.segment);
        let file = match flow.open(&path, false, true).await {
            Ok(file) => file,
            Err(DiskError::NOT_FOUND) => return Ok((0, false)),
            Err(error) => return Err(failed(&path)(error)),
        };
        let body = flow
            .read(file, begin, buffers::aligned((end - begin) as usize))
            .await
            .map_err(failed(&path))?;
        flow.close(file).await.map_err(failed(&path))?;
        let read = body.len() as u64;
        if read < end - begin {
            return Ok((read, false));
        }
        let mut whole = BytesMut::with_capacity(self.header.total_bytes());
        whole.extend_from_slice(front);
        whole.extend_from_slice(&body[..(end - begin) as usize]);
        whole.extend_from_slice(back);
        let same = whole.get(..self.first.len()) == Some(&self.first[..]);
        let length = self.header.total_bytes();
        let valid = batch::verify(&whole).is_ok_and(|h| h.total_bytes() == length);
        Ok((read, same && valid))
    }
}
