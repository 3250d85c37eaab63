//! The journal of one shard: a ring of recycled files, written in groups, flushed in groups.
//!
//! ```text
//!  reserve ─► open group ─ close ─► Writing ─ on_written ─► Written ─ flush ─► Flushing ─ on_flushed ─► Flushed
//!                (one a pass)                                                                   │
//!     positions:   head ≤ … flushed_all ≤ flushed ≤ written ≤ next                  advance_head ▼ file reusable
//! ```
//!
//! The bytes of every group from `head` on stay in memory: they are the tail that consumers read and the source of
//! write-back; the disk copy is read at a start only. Per shard.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::buffers::Arena;
use super::group::{self, GROUP_HEADER, GroupHeader, JournalId};
use crate::disk::FileId;
use crate::limits::BLOCK;
use crate::types::JournalPosition;

/// Names a group in memory; consecutive from the start of the process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct GroupSeq(pub u64);

impl GroupSeq {
    /// What a checkpoint carried: below every group in memory, also where the journal is empty.
    pub const CARRIED: GroupSeq = GroupSeq(0);
    const FIRST: GroupSeq = GroupSeq(1);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Writing,
    Written,
    Flushing,
    Flushed,
}

/// A closed group whose bytes are still in memory.
#[derive(Debug)]
struct Live {
    position: JournalPosition,
    end: JournalPosition,
    prev_crc: u32,
    bytes: Bytes,
    stage: Stage,
    /// Someone waits for the flush of this group.
    urgent: bool,
    touched: Vec<u32>,
    /// Straight bytes in memory whose pointer is in this group.
    straight_bytes: usize,
    /// Straight writes named by this group that are not flushed yet.
    straight_unflushed: u32,
}

/// The group that is being filled.
#[derive(Debug)]
struct Open {
    bytes: BytesMut,
    urgent: bool,
    touched: Vec<u32>,
    straight_bytes: usize,
    straight_unflushed: u32,
}

/// One direct write of a whole group.
#[derive(Debug)]
pub struct GroupWrite {
    pub seq: GroupSeq,
    pub file: FileId,
    pub position: u64,
    pub bytes: Bytes,
}

/// Where a fresh or recovered journal goes on.
#[derive(Debug)]
pub struct JournalStart {
    pub id: JournalId,
    pub start: u64,
    pub files: Vec<FileId>,
    pub file_bytes: u64,
    pub head: JournalPosition,
    pub next: JournalPosition,
    pub prev_crc: u32,
}

#[derive(Debug)]
pub struct Journal {
    at: JournalStart,
    group_bytes_max: usize,
    live: VecDeque<Live>,
    first: GroupSeq,
    open: Option<Open>,
    /// The rest of the arena piece that groups are carved from.
    room: BytesMut,
    /// Ends of the prefixes of groups that are written, flushed, and flushed with all their straight bytes.
    written: GroupSeq,
    flushed: GroupSeq,
    flushed_all: GroupSeq,
    /// End of the last group below `flushed_all`. Not the begin of the next one: that may lie in the next file, and a
    /// replay that ends here would take the gap for a lost group.
    flushed_through: JournalPosition,
    flushing: Vec<usize>,
    /// End of the last group whose flush somebody waits for.
    urgent_end: GroupSeq,
    live_bytes: usize,
    unflushed_bytes: usize,
}

impl Journal {
    pub fn new(at: JournalStart, group_bytes_max: usize) -> Journal {
        Journal {
            flushed_through: at.next,
            at,
            group_bytes_max,
            live: VecDeque::new(),
            first: GroupSeq::FIRST,
            open: None,
            room: BytesMut::new(),
            written: GroupSeq::FIRST,
            flushed: GroupSeq::FIRST,
            flushed_all: GroupSeq::FIRST,
            flushing: Vec::new(),
            urgent_end: GroupSeq::FIRST,
            live_bytes: 0,
            unflushed_bytes: 0,
        }
    }

    /// Takes a group that a start has replayed and flushed. In order, before the first append.
    pub fn adopt(&mut self, header: &GroupHeader, bytes: Bytes, touched: Vec<u32>) -> GroupSeq {
        assert!(self.open.is_none() && self.first.0 + self.live.len() as u64 == self.flushed.0);
        let seq = self.flushed;
        self.live_bytes += bytes.len();
        self.live.push_back(Live {
            position: header.position,
            end: header.end(),
            prev_crc: header.prev_crc,
            bytes,
            stage: Stage::Flushed,
            urgent: false,
            touched,
            straight_bytes: 0,
            straight_unflushed: 0,
        });
        let end = GroupSeq(seq.0 + 1);
        (self.written, self.flushed, self.flushed_all) = (end, end, end);
        seq
    }

    /// The group that the next entry goes to.
    pub fn open_seq(&self) -> GroupSeq {
        GroupSeq(self.first.0 + self.live.len() as u64)
    }

    pub fn files(&self) -> &[FileId] {
        &self.at.files
    }

    /// Whether the group of this pass has an entry.
    pub fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// Largest entry, with its header, that a group takes.
    pub fn entry_bytes_max(&self) -> usize {
        self.group_bytes_max - GROUP_HEADER
    }

    /// Where a group of `bytes` would begin, if the ring has place for it. `kept`: bytes at the ring's very end that are
    /// left alone.
    fn place(&self, bytes: usize, kept: u64) -> Option<JournalPosition> {
        let file_bytes = self.at.file_bytes;
        let next = self.at.next.0;
        let padded = group::pad(bytes) as u64;
        // A file may be used once its last lap is wholly below head.
        let end = (self.at.head.0 / file_bytes) * file_bytes + self.ring_bytes() - kept;
        let inside = !next.is_multiple_of(file_bytes) && next % file_bytes + padded <= file_bytes;
        let begin = if inside {
            next
        } else {
            next.next_multiple_of(file_bytes)
        };
        (begin + padded <= end).then_some(JournalPosition(begin))
    }

    /// What appends leave free: a full ring can still take log starts, which make room on a full disk, and a start can
    /// always journal its cuts.
    fn kept(&self) -> u64 {
        self.kept_for_cuts() * 2
    }

    fn kept_for_cuts(&self) -> u64 {
        (self.at.file_bytes / 32).next_multiple_of(BLOCK as u64)
    }

    /// Makes place for an entry of `bytes` (header included) in the open group. A group that is full is closed and
    /// given to `writes`. `false`: the ring has no place now.
    pub fn reserve(
        &mut self,
        bytes: usize,
        arena: &mut Arena,
        writes: &mut Vec<GroupWrite>,
    ) -> bool {
        self.reserve_below(bytes, self.kept(), arena, writes)
    }

    /// As `reserve`, for a log start: also where appends find no place.
    pub fn reserve_for_log_start(
        &mut self,
        bytes: usize,
        arena: &mut Arena,
        writes: &mut Vec<GroupWrite>,
    ) -> bool {
        self.reserve_below(bytes, self.kept_for_cuts(), arena, writes)
    }

    /// As `reserve`, for what a start must journal before anything else.
    pub fn reserve_for_start(
        &mut self,
        bytes: usize,
        arena: &mut Arena,
        writes: &mut Vec<GroupWrite>,
    ) -> bool {
        self.reserve_below(bytes, 0, arena, writes)
    }

    fn reserve_below(
        &mut self,
        bytes: usize,
        kept: u64,
        arena: &mut Arena,
        writes: &mut Vec<GroupWrite>,
    ) -> bool {
        assert!(
            bytes <= self.entry_bytes_max(),
            "an entry of {bytes} bytes fits no group"
        );
        if let Some(open) = &self.open {
            let length = open.bytes.len() + bytes;
            let fits = group::pad(length) <= open.bytes.capacity().min(self.group_bytes_max)
                && self.place(length, kept).is_some();
            if fits {
                return true;
            }
            writes.extend(self.close());
        }
        let wanted = group::pad(GROUP_HEADER + bytes);
        if self.place(wanted, kept).is_none() {
            return false;
        }
        if self.room.capacity() < wanted {
            self.room = arena.take(self.group_bytes_max);
        }
        let mut bytes = std::mem::take(&mut self.room);
        bytes.resize(GROUP_HEADER, 0);
        self.open = Some(Open {
            bytes,
            urgent: false,
            touched: Vec::new(),
            straight_bytes: 0,
            straight_unflushed: 0,
        });
        true
    }

    /// The open group's bytes, to append an entry to. Only after `reserve` said yes for that entry.
    pub fn entries(&mut self) -> &mut BytesMut {
        &mut self.open.as_mut().expect("reserve came first").bytes
    }

    /// Notes that the open group carries bytes of the partition in `slot`; `urgent`: its ack waits for the flush.
    pub fn touch(&mut self, slot: u32, urgent: bool) {
        let seq = self.open_seq();
        let open = self.open.as_mut().expect("reserve came first");
        open.urgent |= urgent;
        if urgent {
            self.urgent_end = GroupSeq(seq.0 + 1);
        }
        if open.touched.last() != Some(&slot) {
            open.touched.push(slot);
        }
    }

    /// Notes a straight write whose pointer is in the open group.
    pub fn touch_straight(&mut self, bytes: usize) {
        let open = self.open.as_mut().expect("reserve came first");
        open.straight_bytes += bytes;
        open.straight_unflushed += 1;
        self.live_bytes += bytes;
    }

    /// Closes the open group, if there is one: once a pass, or when it is full.
    pub fn close(&mut self) -> Option<GroupWrite> {
        let Open {
            mut bytes,
            urgent,
            touched,
            straight_bytes,
            straight_unflushed,
        } = self.open.take()?;
        let length = bytes.len();
        let position = self
            .place(length, 0)
            .expect("reserve found a place for the group");
        bytes.resize(group::pad(length), 0);
        let header = GroupHeader {
            id: self.at.id,
            start: self.at.start,
            position,
            length: u32::try_from(length).expect("a group is small"),
            flushed_through: self.flushed_through,
            prev_crc: self.at.prev_crc,
            crc: 0,
        };
        self.at.prev_crc = group::seal(&mut bytes[..length], self.at.id, &header);
        self.at.next = header.end();
        let bytes = {
            let group = bytes.split().freeze();
            self.room = bytes;
            group
        };
        let seq = self.open_seq();
        self.live_bytes += bytes.len();
        self.unflushed_bytes += bytes.len();
        self.live.push_back(Live {
            position,
            end: header.end(),
            prev_crc: header.prev_crc,
            bytes: bytes.clone(),
            stage: Stage::Writing,
            urgent,
            touched,
            straight_bytes,
            straight_unflushed,
        });
        Some(GroupWrite {
            seq,
            file: self.at.files[self.file_of(position)],
            position: position.0 % self.at.file_bytes,
            bytes,
        })
    }

    fn file_of(&self, position: JournalPosition) -> usize {
        (position.0 / self.at.file_bytes) as usize % self.at.files.len()
    }

    fn index(&self, seq: GroupSeq) -> usize {
        assert!(
            seq >= self.first,
            "group {seq:?} is gone, first is {:?}",
            self.first
        );
        (seq.0 - self.first.0) as usize
    }

    /// A group's write completed. Returns whether the written prefix grew.
    pub fn on_written(&mut self, seq: GroupSeq) -> bool {
        let index = self.index(seq);
        self.live[index].stage = Stage::Written;
        let before = self.written;
        while self
            .stage(self.written)
            .is_some_and(|s| s != Stage::Writing)
        {
            self.written.0 += 1;
        }
        self.written != before
    }

    fn stage(&self, seq: GroupSeq) -> Option<Stage> {
        self.live.get(self.index(seq)).map(|live| live.stage)
    }

    /// Files whose written groups should be flushed now: those up to the last written urgent one, or every one when
    /// `all`. An ack waits for all groups before its own, and the urgent one may be the first of its file: the file
    /// before it is flushed too. The caller submits one `Flush` for each; a file has one under way at most.
    pub fn flush(&mut self, all: bool) -> Vec<(usize, FileId)> {
        if !all && self.urgent_end <= self.flushed {
            return Vec::new();
        }
        let mut wanted = Vec::new();
        let from = self.index(self.flushed);
        let awaited = |live: &Live| all || live.urgent && live.stage != Stage::Writing;
        let unflushed = self.live.range(from..);
        let end = unflushed
            .rev()
            .position(awaited)
            .map_or(from, |back| self.live.len() - back);
        for live in self.live.range(from..end) {
            let file = self.file_of(live.position);
            if live.stage == Stage::Written
                && !self.flushing.contains(&file)
                && !wanted.contains(&file)
            {
                wanted.push(file);
            }
        }
        for &file in &wanted {
            self.flushing.push(file);
            for index in from..self.live.len() {
                if self.live[index].stage == Stage::Written
                    && self.file_of(self.live[index].position) == file
                {
                    self.live[index].stage = Stage::Flushing;
                }
            }
        }
        wanted
            .into_iter()
            .map(|file| (file, self.at.files[file]))
            .collect()
    }

    /// A file's flush completed. Returns whether the flushed prefix grew.
    pub fn on_flushed(&mut self, file: usize) -> bool {
        self.flushing.retain(|f| *f != file);
        for index in self.index(self.flushed)..self.live.len() {
            if self.live[index].stage == Stage::Flushing
                && self.file_of(self.live[index].position) == file
            {
                self.live[index].stage = Stage::Flushed;
                self.unflushed_bytes -= self.live[index].bytes.len();
            }
        }
        let before = self.flushed;
        while self.stage(self.flushed) == Some(Stage::Flushed) {
            self.flushed.0 += 1;
        }
        self.advance_flushed_all();
        self.flushed != before
    }

    /// Somebody waits for the flush of a group after all.
    pub fn urge(&mut self, seq: GroupSeq) {
        self.urgent_end = self.urgent_end.max(GroupSeq(seq.0 + 1));
        match seq == self.open_seq() {
            true => self.open.as_mut().expect("the open group").urgent = true,
            false => {
                let index = self.index(seq);
                self.live[index].urgent = true;
            }
        }
    }

    /// A straight write named by `seq` is flushed.
    pub fn on_straight_flushed(&mut self, seq: GroupSeq) {
        match seq == self.open_seq() {
            true => {
                self.open
                    .as_mut()
                    .expect("the open group")
                    .straight_unflushed -= 1
            }
            false => {
                let index = self.index(seq);
                self.live[index].straight_unflushed -= 1;
            }
        }
        self.advance_flushed_all();
    }

    fn advance_flushed_all(&mut self) {
        while self.flushed_all < self.flushed
            && self.live[self.index(self.flushed_all)].straight_unflushed == 0
        {
            self.flushed_through = self.live[self.index(self.flushed_all)].end;
            self.flushed_all.0 += 1;
        }
    }

    /// End of the prefix of groups whose writes completed (exclusive).
    pub fn written(&self) -> GroupSeq {
        self.written
    }

    /// End of the prefix of groups that are flushed (exclusive).
    pub fn flushed(&self) -> GroupSeq {
        self.flushed
    }

    /// End of the prefix of groups that are flushed with every straight byte they name (exclusive).
    pub fn flushed_all(&self) -> GroupSeq {
        self.flushed_all
    }

    /// First group in memory.
    pub fn first(&self) -> GroupSeq {
        self.first
    }

    /// Partitions that a group in memory carries bytes of.
    pub fn touched(&self, seq: GroupSeq) -> &[u32] {
        &self.live[self.index(seq)].touched
    }

    /// A group's bytes.
    pub fn bytes(&self, seq: GroupSeq) -> &Bytes {
        &self.live[self.index(seq)].bytes
    }

    /// Position at which `seq` begins, or will at the earliest.
    pub fn position(&self, seq: GroupSeq) -> JournalPosition {
        self.live
            .get(self.index(seq))
            .map_or(self.at.next, |live| live.position)
    }

    /// CRC of the group before `seq`. A start whose head is `seq` knows by it a stale group that stands there.
    pub fn prev_crc(&self, seq: GroupSeq) -> u32 {
        self.live
            .get(self.index(seq))
            .map_or(self.at.prev_crc, |live| live.prev_crc)
    }

    /// Memory that group `seq` holds with its straight bytes.
    pub fn memory_of(&self, seq: GroupSeq) -> usize {
        let live = &self.live[self.index(seq)];
        live.bytes.len() + live.straight_bytes
    }

    /// Memory of all groups with their straight bytes.
    pub fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    /// Bytes of closed groups that no flush has covered.
    pub fn unflushed_bytes(&self) -> usize {
        self.unflushed_bytes
    }

    /// How much of the ring is needed: from head to next.
    pub fn ring_used(&self) -> u64 {
        self.at.next.0 - self.at.head.0
    }

    /// The whole ring.
    pub fn ring_bytes(&self) -> u64 {
        self.at.file_bytes * self.at.files.len() as u64
    }

    /// Every group below `seq` is written back and checkpointed: forgets them. Files wholly below may be reused.
    pub fn advance_head(&mut self, seq: GroupSeq) {
        assert!(
            seq <= self.flushed_all,
            "head {seq:?} past what is flushed, {:?}",
            self.flushed_all
        );
        self.at.head = self.position(seq);
        while self.first < seq {
            let live = self
                .live
                .pop_front()
                .expect("groups below seq are in memory");
            self.live_bytes -= live.bytes.len() + live.straight_bytes;
            self.first.0 += 1;
        }
        debug_assert!(
            self.live
                .front()
                .is_none_or(|l| l.position == self.at.head && l.end > l.position)
        );
    }
}
