//! What goes wrong with bytes that lie still: bits that flip, and what a planted bug puts in their place.

use super::names::{self, Ino};
use super::{FakeDisk, File};

impl FakeDisk {
    /// Segments that nothing is being done to any more: durable, and with at least `newer` later ones beside them.
    pub fn cold_segments(&self, newer: usize) -> Vec<String> {
        let files: Vec<(&str, Ino)> = (self.names.files())
            .filter(|(path, _)| path.starts_with("topics/") && path.ends_with(".log"))
            .collect();
        let later = |path: &str, at: usize| {
            let same = |other: &str| names::parent(other) == names::parent(path);
            let rest = &files[at + 1..];
            rest.len() >= newer && rest[..newer].iter().all(|(other, _)| same(other))
        };
        let cold = files.iter().enumerate().filter(|(at, (path, ino))| {
            let file = &self.files[ino];
            file.size() > 0 && file.volatile_blocks() == 0 && later(path, *at)
        });
        cold.map(|(_, (path, _))| (*path).to_owned()).collect()
    }

    /// Bit rot at one place: any bit, or one of a batch's header.
    pub fn flip_bit_of(&mut self, path: &str) {
        let ino = self.names.file(path).expect("a file that is there");
        let file = self.files.get_mut(&ino).expect("a name leads to it");
        let bytes = file.read(0, file.size() as usize);
        let headers = batch_headers(&bytes);
        let byte = match self.rng.one_in(2) && !headers.is_empty() {
            true => headers[self.rng.below(headers.len() as u64) as usize] + self.rng.below(61),
            false => self.rng.below(file.size()),
        };
        file.flip_bit(byte * 8 + self.rng.below(8));
        self.counters.flips += 1;
    }

    /// Replaces durable bytes behind everybody's back: for planted bugs. Whole blocks only.
    pub fn overwrite(&mut self, path: &str, position: u64, bytes: &[u8]) {
        let ino = self.names.file(path).expect("a file that is there");
        let file = self.files.get_mut(&ino).expect("a name leads to it");
        file.overwrite(position, bytes);
    }

    /// An empty file that is there, durably: for planted bugs.
    pub fn plant(&mut self, path: &str) {
        let ino = self.next_ino;
        self.next_ino += 1;
        self.files.insert(ino, File::default());
        self.names.plant(path, ino);
    }

    /// Bit rot: flips a random bit of a random file whose path contains `path_part`; false when there is none.
    pub fn flip_bit(&mut self, path_part: &str) -> bool {
        let files = self.names.files();
        let eligible: Vec<Ino> = files
            .filter(|(path, ino)| path.contains(path_part) && self.files[ino].size() > 0)
            .map(|(_, ino)| ino)
            .collect();
        if eligible.is_empty() {
            return false;
        }
        let ino = eligible[self.rng.below(eligible.len() as u64) as usize];
        let file = self.files.get_mut(&ino).expect("a name leads to it");
        let bit = self.rng.below(file.size() * 8);
        file.flip_bit(bit);
        true
    }
}

/// Where the batches of a segment begin.
fn batch_headers(segment: &[u8]) -> Vec<u64> {
    let (mut begins, mut at) = (Vec::new(), 0);
    while let Some(header) = segment.get(at..at + 61) {
        let length = i32::from_be_bytes(header[8..12].try_into().expect("4 bytes"));
        if length < 49 {
            break;
        }
        begins.push(at as u64);
        at += 12 + length as usize;
    }
    begins
}
