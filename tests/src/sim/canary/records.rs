//! Records that rot where no check would notice, and a crash that a start does not notice.

use super::lying::is_segment;
use crate::sim::disk::FakeDisk;

/// Where a batch's header says what.
const LENGTH: usize = 8;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const RECORDS: usize = 61;

/// Segments with so many later ones beside them are read from the disk, if at all.
const NEWER: usize = 2;

/// A byte of the first batch of every cold segment changes, and its CRC with it: what is served when no CRC is checked.
pub(super) fn rot_unnoticed(disk: &mut FakeDisk) {
    let cold: Vec<String> = disk.cold_segments(NEWER);
    let files = disk.files().filter(|(path, _)| is_segment(path));
    let files: Vec<(String, Vec<u8>)> = files
        .filter(|(path, _)| cold.iter().any(|cold| cold == path))
        .map(|(path, bytes)| (path.to_owned(), bytes))
        .collect();
    for (path, mut bytes) in files {
        let Some(length) = bytes.get(LENGTH..LENGTH + 4) else {
            continue;
        };
        let length = i32::from_be_bytes(length.try_into().expect("4 bytes"));
        let end = LENGTH + 4 + length.max(0) as usize;
        let Some(batch) = bytes.get_mut(..end).filter(|batch| batch.len() > RECORDS) else {
            continue;
        };
        batch[end - 1] ^= 1;
        let crc = crc32c::crc32c(&batch[ATTRIBUTES..]);
        batch[CRC..CRC + 4].copy_from_slice(&crc.to_be_bytes());
        overwrite(disk, &path, bytes);
    }
}

/// Replaces all of a file.
pub(super) fn overwrite(disk: &mut FakeDisk, path: &str, mut bytes: Vec<u8>) {
    bytes.resize(
        bytes.len().next_multiple_of(corelane_engine::limits::BLOCK),
        0,
    );
    disk.overwrite(path, 0, &bytes);
}

/// What only a clean stop leaves behind.
const CLEAN: &str = "clean";

/// The last stop is said to have been a clean one.
pub(super) fn call_clean(disk: &mut FakeDisk) {
    let has = |disk: &FakeDisk, name: &str| disk.files().any(|(path, _)| path == name);
    if has(disk, "corelane.identity") && !has(disk, CLEAN) {
        disk.plant(CLEAN);
    }
}
