//! One file's bytes: what a read sees now, and what a power cut may leave of it.
//!
//! ```text
//!  write ─► version of a block (volatile) ─┐ flush: the newest covered one becomes durable, older ones are forgotten
//!  size change ─► version of the size ─────┘ power cut: durable, or any version, or a mix of two by sectors
//! ```
//!
//! Every block and the size go their own way. A block never flushed falls back to zeros: that is also what an
//! unwritten extent reads as when its conversion is lost.

use std::collections::BTreeMap;
use std::rc::Rc;

use corelane_engine::limits::BLOCK;
use corelane_engine::rng::Rng;

/// The unit that a disk writes whole.
pub const SECTOR: usize = 512;

/// Numbers the effects on a disk in the order in which they happened.
pub(super) type Seq = u64;

pub(super) type Block = Rc<[u8; BLOCK]>;

#[derive(Clone, Debug)]
struct Version {
    at: Seq,
    block: Block,
    /// A flush that covered it failed: no later flush makes it durable (Linux marks such pages clean).
    lost: bool,
}

/// How much of what is volatile survives a power cut. Drawn anew for each cut and file, so that extremes are common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mercy {
    /// Of 16 blocks, so many keep something new.
    pub(super) keep_of_16: u64,
    /// Of 16 kept blocks, so many are torn.
    pub(super) tear_of_16: u64,
}

impl Mercy {
    pub(super) fn draw(rng: &mut Rng) -> Mercy {
        let keep_of_16 = [0, 0, 2, 8, 8, 14, 16, 16][rng.below(8) as usize];
        let tear_of_16 = [0, 1, 4][rng.below(3) as usize];
        Mercy {
            keep_of_16,
            tear_of_16,
        }
    }
}

/// What happened to volatile pieces in a power cut; summed up to show that every fate occurs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fates {
    pub kept: u64,
    pub lost: u64,
    pub torn: u64,
    pub sizes_kept: u64,
    pub sizes_lost: u64,
    pub entries_kept: u64,
    pub entries_lost: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// Missing: zeros.
    durable: BTreeMap<u64, Block>,
    /// Oldest first, never empty.
    dirty: BTreeMap<u64, Vec<Version>>,
    size_durable: u64,
    sizes: Vec<(Seq, u64)>,
}

impl File {
    pub(super) fn size(&self) -> u64 {
        self.sizes.last().map_or(self.size_durable, |s| s.1)
    }

    fn block(&self, index: u64) -> Option<&Block> {
        match self.dirty.get(&index) {
            Some(versions) => versions.last().map(|v| &v.block),
            None => self.durable.get(&index),
        }
    }

    fn put(&mut self, at: Seq, index: u64, block: Block) {
        let lost = false;
        let version = Version { at, block, lost };
        self.dirty.entry(index).or_default().push(version);
    }

    /// The bytes of `position..position + length`, less at the end of the file.
    pub(super) fn read(&self, position: u64, length: usize) -> Vec<u8> {
        let end = self.size().min(position.saturating_add(length as u64));
        let mut bytes = Vec::new();
        let mut at = position;
        while at < end {
            let (index, skip) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
            let take = (BLOCK - skip).min((end - at) as usize);
            match self.block(index) {
                Some(block) => bytes.extend_from_slice(&block[skip..skip + take]),
                None => bytes.resize(bytes.len() + take, 0),
            }
            at += take as u64;
        }
        bytes
    }

    /// Writes the blocks of `bytes` that `pick` chooses. The size grows to the end when all were chosen.
    pub(super) fn write(
        &mut self,
        at: Seq,
        position: u64,
        bytes: &[u8],
        pick: impl FnMut() -> bool,
    ) {
        if self.write_blocks(at, position, bytes, pick) {
            self.grow(at, position + bytes.len() as u64);
        }
    }

    /// Writes the blocks of `bytes` that `pick` chooses; true when it chose all.
    pub(super) fn write_blocks(
        &mut self,
        at: Seq,
        position: u64,
        bytes: &[u8],
        mut pick: impl FnMut() -> bool,
    ) -> bool {
        let mut done = 0;
        let mut whole = true;
        while done < bytes.len() {
            let here = position + done as u64;
            let (index, skip) = (here / BLOCK as u64, (here % BLOCK as u64) as usize);
            let take = (BLOCK - skip).min(bytes.len() - done);
            if pick() {
                let mut block = match self.block(index) {
                    Some(old) if take < BLOCK => **old,
                    _ => [0; BLOCK],
                };
                block[skip..skip + take].copy_from_slice(&bytes[done..done + take]);
                self.put(at, index, Rc::new(block));
            } else {
                whole = false;
            }
            done += take;
        }
        whole
    }

    /// `fallocate`: the size reaches `end`; what is new reads as zeros.
    pub(super) fn grow(&mut self, at: Seq, end: u64) {
        if end > self.size() {
            self.sizes.push((at, end));
        }
    }

    pub(super) fn truncate(&mut self, at: Seq, length: u64) {
        if length == self.size() {
            return;
        }
        let keep = (length % BLOCK as u64) as usize;
        let first_gone = length.div_ceil(BLOCK as u64);
        if keep > 0
            && let Some(old) = self.block(length / BLOCK as u64)
        {
            let mut block = **old;
            block[keep..].fill(0);
            self.put(at, length / BLOCK as u64, Rc::new(block));
        }
        let gone: Vec<u64> = (self.durable.range(first_gone..).map(|b| *b.0))
            .chain(self.dirty.range(first_gone..).map(|b| *b.0))
            .collect();
        for index in gone {
            self.put(at, index, Rc::new([0; BLOCK]));
        }
        self.sizes.push((at, length));
    }

    /// Makes durable what had happened up to `covered`.
    pub(super) fn flush(&mut self, covered: Seq) {
        let durable = &mut self.durable;
        self.dirty.retain(|index, versions| {
            let done = versions.partition_point(|v| v.at <= covered);
            if let Some(newest) = versions[..done].iter().rfind(|v| !v.lost) {
                durable.insert(*index, newest.block.clone());
            }
            // A version that a failed flush lost stays visible, as a clean page does, until it is written again.
            let visible_only = done == versions.len() && versions[done - 1].lost;
            versions.drain(..if visible_only { done - 1 } else { done });
            !versions.is_empty()
        });
        let done = self.sizes.partition_point(|s| s.0 <= covered);
        if let Some((_, size)) = self.sizes.drain(..done).next_back() {
            self.size_durable = size;
        }
        let end = self.size_durable.max(self.size()).div_ceil(BLOCK as u64);
        if self.sizes.is_empty() {
            self.durable.split_off(&end);
        }
    }

    /// A flush failed: what it covered stays readable, and is never made durable by another flush.
    pub(super) fn flush_failed(&mut self, covered: Seq) {
        let versions = self.dirty.values_mut().flatten();
        versions
            .filter(|v| v.at <= covered)
            .for_each(|v| v.lost = true);
    }

    /// As `flush_failed`, where no page cache lies between: what `gone` picks is lost by the device at once, the rest is as
    /// volatile as before.
    pub(super) fn flush_failed_direct(&mut self, covered: Seq, mut gone: impl FnMut() -> bool) {
        self.dirty.retain(|_, versions| {
            versions.retain(|v| v.at > covered || !gone());
            !versions.is_empty()
        });
    }

    /// Whole blocks, durable and readable at once.
    pub(super) fn overwrite(&mut self, position: u64, bytes: &[u8]) {
        assert!(position.is_multiple_of(BLOCK as u64) && bytes.len().is_multiple_of(BLOCK));
        for (at, block) in bytes.chunks_exact(BLOCK).enumerate() {
            let index = position / BLOCK as u64 + at as u64;
            self.dirty.remove(&index);
            let block = block.try_into().expect("a whole block");
            self.durable.insert(index, Rc::new(block));
        }
    }

    /// Other bytes, of another length perhaps: durable and readable at once.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        *self = File::default();
        self.size_durable = bytes.len() as u64;
        for (index, piece) in bytes.chunks(BLOCK).enumerate() {
            let mut block = [0; BLOCK];
            block[..piece.len()].copy_from_slice(piece);
            self.durable.insert(index as u64, Rc::new(block));
        }
    }

    /// `tears_bytes`: at any byte, not between sectors only.
    pub(super) fn power_cut(&mut self, rng: &mut Rng, tears_bytes: bool, fates: &mut Fates) {
        let mercy = Mercy::draw(rng);
        if !self.sizes.is_empty() {
            let pick = rng.below(self.sizes.len() as u64 + 1) as usize;
            if pick > 0 {
                self.size_durable = self.sizes[pick - 1].1;
                fates.sizes_kept += 1;
            } else {
                fates.sizes_lost += 1;
            }
            self.sizes.clear();
        }
        for (index, mut versions) in std::mem::take(&mut self.dirty) {
            if rng.below(16) >= mercy.keep_of_16 {
                fates.lost += 1;
                continue;
            }
            // Mostly the newest: a device writes an older version only when it was destaged in between.
            let pick = match rng.one_in(4) {
                true => rng.below(versions.len() as u64) as usize,
                false => versions.len() - 1,
            };
            let mut block = versions.swap_remove(pick).block;
            if rng.below(16) < mercy.tear_of_16 {
                let old = self.durable.get(&index).map_or([0; BLOCK], |b| **b);
                block = Rc::new(match tears_bytes && rng.one_in(2) {
                    true => torn_at_byte(&old, &block, rng),
                    false => torn(&old, &block, rng),
                });
                fates.torn += 1;
            } else {
                fates.kept += 1;
            }
            self.durable.insert(index, block);
        }
        let (last, keep) = (
            self.size_durable / BLOCK as u64,
            self.size_durable % BLOCK as u64,
        );
        self.durable
            .split_off(&self.size_durable.div_ceil(BLOCK as u64));
        if keep > 0
            && let Some(block) = self.durable.get_mut(&last)
        {
            Rc::make_mut(block)[keep as usize..].fill(0);
        }
    }

    /// Flips one bit of what is stored, as seen by reads and by a power cut.
    pub(super) fn flip_bit(&mut self, bit: u64) {
        let index = bit / (8 * BLOCK as u64);
        let (byte, mask) = ((bit / 8) as usize % BLOCK, 1 << (bit % 8));
        let dirty = self.dirty.get_mut(&index).into_iter().flatten();
        let blocks = dirty.map(|v| &mut v.block);
        for block in blocks.chain(self.durable.get_mut(&index)) {
            Rc::make_mut(block)[byte] ^= mask;
        }
    }

    /// How many blocks a power cut may still take back.
    pub(super) fn volatile_blocks(&self) -> usize {
        self.dirty.len()
    }
}

/// A mix of two contents by sectors: a prefix, a suffix, or any pattern.
fn torn(old: &[u8; BLOCK], new: &[u8; BLOCK], rng: &mut Rng) -> [u8; BLOCK] {
    const SECTORS: u64 = (BLOCK / SECTOR) as u64;
    let cut = 1 + rng.below(SECTORS - 1);
    let mask = match rng.below(3) {
        0 => (1 << cut) - 1,
        1 => !((1 << cut) - 1),
        _ => rng.next_u64(),
    };
    let mut mixed = *old;
    for sector in (0..SECTORS).filter(|s| mask >> s & 1 == 1) {
        let range = sector as usize * SECTOR..(sector as usize + 1) * SECTOR;
        mixed[range.clone()].copy_from_slice(&new[range]);
    }
    mixed
}

/// The new content up to any byte, or from there on.
fn torn_at_byte(old: &[u8; BLOCK], new: &[u8; BLOCK], rng: &mut Rng) -> [u8; BLOCK] {
    let at = 1 + rng.below(BLOCK as u64 - 1) as usize;
    let (mut mixed, other) = match rng.one_in(2) {
        true => (*old, new),
        false => (*new, old),
    };
    mixed[..at].copy_from_slice(&other[..at]);
    mixed
}
