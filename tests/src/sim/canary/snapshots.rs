//! Snapshots of groups as a start finds them, and changed to what a start with a planted bug would take them for.
//!
//! ```text
//!  topics/<id>-<n>/groups.snapshot    │ piece │ piece │ …        piece: header { … crc … from end … } payload, padded
//!  payloads, joined: (key length, value length, key, value)*
//! ```

use std::ops::Range;

use bytes::Bytes;
use corelane_engine::group::records::{GroupValue, Key};
use corelane_engine::limits::BLOCK;

use crate::sim::disk::FakeDisk;

/// Where a piece's header says what.
const LENGTH: Range<usize> = 8..12;
const CRC: Range<usize> = 12..16;
const FROM: Range<usize> = 24..32;
const HEADER: usize = 60;

/// One file: its bytes, and where its pieces lie.
struct Snapshot {
    path: String,
    bytes: Vec<u8>,
    pieces: Vec<(usize, usize)>,
}

fn snapshots(disk: &FakeDisk) -> Vec<Snapshot> {
    let files = disk
        .files()
        .filter(|(path, _)| path.ends_with("/groups.snapshot"));
    let snapshots = files.map(|(path, bytes)| {
        let (mut pieces, mut at) = (Vec::new(), 0);
        while let Some(length) = bytes.get(at..).and_then(|piece| piece.get(LENGTH)) {
            let length = u32::from_be_bytes(length.try_into().expect("4 bytes")) as usize;
            if length < HEADER || at + length > bytes.len() {
                break;
            }
            pieces.push((at, length));
            at += length.next_multiple_of(BLOCK);
        }
        Snapshot {
            path: path.to_owned(),
            bytes,
            pieces,
        }
    });
    snapshots.collect()
}

impl Snapshot {
    /// Puts it back, every piece with its CRC.
    fn put(mut self, disk: &mut FakeDisk) {
        for (at, length) in self.pieces {
            let piece = &mut self.bytes[at..at + length];
            let before = crc32c::crc32c(&piece[..CRC.start]);
            let crc = crc32c::crc32c_append(before, &piece[CRC.end..]);
            piece[CRC].copy_from_slice(&crc.to_be_bytes());
        }
        self.bytes
            .resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        disk.overwrite(&self.path, 0, &self.bytes);
    }
}

/// A snapshot is taken for one that reaches a record further: what the log has there is passed over.
pub(super) fn reach_further(disk: &mut FakeDisk) {
    for mut snapshot in snapshots(disk) {
        for (at, _) in &snapshot.pieces {
            let from = &mut snapshot.bytes[*at..][FROM];
            let further = i64::from_be_bytes((&*from).try_into().expect("8 bytes")) + 1;
            from.copy_from_slice(&further.to_be_bytes());
        }
        snapshot.put(disk);
    }
}

/// Every group without members goes on as if the generation that may have been handed out past its record had not been.
pub(super) fn hand_out_again(disk: &mut FakeDisk) {
    for mut snapshot in snapshots(disk) {
        let bounds = |(at, length): &(usize, usize)| at + HEADER..at + length;
        let mut stream: Vec<u8> = Vec::new();
        for piece in &snapshot.pieces {
            stream.extend_from_slice(&snapshot.bytes[bounds(piece)]);
        }
        let mut at = 0;
        while let Some(lengths) = stream.get(at..at + 8) {
            let length = |from: usize| {
                let bytes = lengths[from..from + 4].try_into().expect("4 bytes");
                u32::from_be_bytes(bytes) as usize
            };
            let (key, value) = (at + 8, at + 8 + length(0));
            let end = value + length(4);
            let Some(record) = stream.get(key..end) else {
                break;
            };
            let record = Bytes::copy_from_slice(record);
            let of_group = Key::decode(&record.slice(..value - key));
            if let Ok(Key::Group { .. }) = of_group
                && let Ok(mut group) = GroupValue::decode(&record.slice(value - key..))
                && (group.generation > 0 && group.members.is_empty())
            {
                group.generation -= 1;
                let encoded = group.encode();
                assert_eq!(encoded.len(), end - value, "a number for a number");
                stream[value..end].copy_from_slice(&encoded);
            }
            at = end;
        }
        let mut rest = &stream[..];
        for piece in &snapshot.pieces {
            let (payload, after) = rest.split_at(bounds(piece).len());
            snapshot.bytes[bounds(piece)].copy_from_slice(payload);
            rest = after;
        }
        snapshot.put(disk);
    }
}
