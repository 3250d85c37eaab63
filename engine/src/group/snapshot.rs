//! Snapshots of a partition's groups, beside its log: a start reads the newest and the log after it, not all of the log.
//!
//! ```text
//!  topics/<id>-<n>/groups.snapshot    │ piece 0 │ piece 1 │ … │ last piece │       each a multiple of 4 KiB, 256 KiB at most
//!  piece    {magic kind version length crc} number last from end topic partition │ payload, padded
//!  payloads, joined    (key length, value length, key, value)*      keys and values as in the log
//! ```
//!
//! Written piece by piece while the groups live on: what changes meanwhile may be in it or not, and the log from `from`
//! on is read over it. `end` is the offset after the last record that may be in it: everything below was durable before
//! the piece was built, so a log that ends before it is not this snapshot's log.
//!
//! Written to `groups.snapshot.new`, flushed, renamed, directory synced.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::handover::Handover;
use super::offsets::{TopicKey, TopicNames};
use super::records;
use super::seat::{GroupIndex, Seat};
use crate::disk::DiskError;
use crate::flow::Flow;
use crate::limits::BLOCK;
use crate::log::{buffers, segment};
use crate::types::{Offset, TopicId, TopicPartition};

const MAGIC: u32 = 0x434c_4753; // CLGS
const KIND: u16 = 6;
/// The newest version that is known.
pub(super) const VERSION: u16 = 1;
const HEADER: usize = 60;
/// Length of a piece, with its header.
const PIECE_BYTES: usize = 256 << 10;
const PAYLOAD_BYTES: usize = PIECE_BYTES - HEADER;
/// The longest record that is believed: no request is longer.
const RECORD_BYTES_MAX: u64 = crate::limits::FRAME_BYTES_MAX as u64;

const _: () = assert!(PIECE_BYTES.is_multiple_of(BLOCK));

/// Which part of the log a snapshot stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// The log is read from here.
    pub(super) from: Offset,
    /// Nothing from here on is in it.
    pub(super) end: Offset,
}

/// Why a snapshot is not used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("{0}")]
    Damaged(&'static str),
    #[error("format {found}; this version knows up to {VERSION}")]
    Newer { found: u16 },
    #[error("errno {}", .0.errno)]
    Unreadable(DiskError),
}

pub(super) fn path(id: TopicPartition) -> String {
    format!("{}/groups.snapshot", segment::directory(id))
}

fn path_new(id: TopicPartition) -> String {
    format!("{}.new", path(id))
}

/// One piece as it was read.
struct Piece {
    payload: Bytes,
    last: bool,
    span: Span,
    /// To the next piece.
    bytes: u64,
}

fn encode(id: TopicPartition, number: u32, last: bool, span: Span, payload: &[u8]) -> Bytes {
    let length = HEADER + payload.len();
    let mut piece = buffers::aligned(length);
    piece.put_u32(MAGIC);
    piece.put_u16(KIND);
    piece.put_u16(VERSION);
    piece.put_u32(length as u32);
    piece.put_u32(0);
    piece.put_u32(number);
    piece.put_u32(u32::from(last));
    piece.put_i64(span.from.0);
    piece.put_i64(span.end.0);
    piece.put_slice(&id.topic.0);
    piece.put_i32(id.partition);
    piece.put_slice(payload);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&piece[..12]), &piece[16..]);
    piece[12..16].copy_from_slice(&crc.to_be_bytes());
    piece.resize(length.next_multiple_of(BLOCK), 0);
    piece.freeze()
}

fn decode(bytes: &Bytes, id: TopicPartition, number: u32) -> Result<Piece, Unusable> {
    let short = Unusable::Damaged("it ends early");
    let mut at = bytes.get(..HEADER).ok_or(short.clone())?;
    if at.get_u32() != MAGIC || at.get_u16() != KIND {
        return Err(Unusable::Damaged("not a snapshot of groups"));
    }
    let version = at.get_u16();
    let length = at.get_u32() as usize;
    let crc = at.get_u32();
    if version > VERSION {
        return Err(Unusable::Newer { found: version });
    }
    if !(HEADER..=PIECE_BYTES).contains(&length) {
        return Err(Unusable::Damaged("a piece of an impossible length"));
    }
    let whole = bytes.get(..length).ok_or(short)?;
    if crc32c::crc32c_append(crc32c::crc32c(&whole[..12]), &whole[16..]) != crc {
        return Err(Unusable::Damaged("a piece does not match its CRC"));
    }
    let found = at.get_u32();
    let last = at.get_u32() != 0;
    let span = Span {
        from: Offset(at.get_i64()),
        end: Offset(at.get_i64()),
    };
    let mut topic = [0; 16];
    at.copy_to_slice(&mut topic);
    let of = TopicPartition {
        topic: TopicId(topic),
        partition: at.get_i32(),
    };
    if (found, of) != (number, id) {
        return Err(Unusable::Damaged("a piece of another snapshot"));
    }
    Ok(Piece {
        payload: bytes.slice(HEADER..length),
        last,
        span,
        bytes: length.next_multiple_of(BLOCK) as u64,
    })
}

/// Reads the snapshot, and gives its payloads one by one. `None`: there is no snapshot.
pub(super) async fn read(
    flow: Flow,
    id: TopicPartition,
    payloads: Handover<Bytes>,
) -> Result<Option<Span>, Unusable> {
    let file = match flow.open(&path(id), false, true).await {
        Err(DiskError::NOT_FOUND) => return Ok(None),
        opened => opened.map_err(Unusable::Unreadable)?,
    };
    let mut position = 0;
    let mut number = 0;
    let end = loop {
        let into = buffers::aligned(PIECE_BYTES);
        let bytes = match flow.read(file, position, into).await {
            Ok(bytes) => bytes.freeze(),
            Err(error) => break Err(Unusable::Unreadable(error)),
        };
        match decode(&bytes, id, number) {
            Ok(piece) => {
                payloads.give(piece.payload).await;
                if piece.last {
                    break Ok(Some(piece.span));
                }
                position += piece.bytes;
                number += 1;
            }
            Err(why) => break Err(why),
        }
    };
    payloads.emptied().await;
    flow.close(file).await.map_err(Unusable::Unreadable)?;
    end
}

/// What the flow that writes is told.
#[derive(Debug)]
pub(super) enum Next {
    /// A piece to be written, and whether it is the last.
    Piece { bytes: Bytes, last: bool },
    /// The partition is gone.
    GiveUp,
}

/// Writes the pieces that it is given and puts the snapshot in the place of the one before. False: there was no space,
/// and the one before stays.
pub(super) async fn write(
    flow: Flow,
    id: TopicPartition,
    pieces: Handover<Next>,
) -> Result<bool, DiskError> {
    let (directory, path_new) = (segment::directory(id), path_new(id));
    match flow.make_directory(&directory).await {
        Err(error) if error.is_shortage() => return Ok(false),
        made => made?,
    }
    match flow.sync_directory("topics").await {
        Err(error) if error.is_shortage() => return Ok(false),
        synced => synced?,
    }
    let file = match flow.open(&path_new, true, true).await {
        Err(error) if error.is_shortage() => return Ok(false),
        opened => opened?,
    };
    // One that a crash interrupted may be there.
    flow.truncate(file, 0).await?;
    let mut position = 0;
    let whole = loop {
        let Next::Piece { bytes, last } = pieces.taken().await else {
            break false;
        };
        let length = bytes.len() as u64;
        match flow.allocate(file, position, length).await {
            Err(error) if error.is_shortage() => break false,
            reserved => reserved?,
        }
        flow.write(file, position, bytes).await?;
        position += length;
        if last {
            break true;
        }
    };
    if !whole {
        flow.close(file).await?;
        flow.unlink(&path_new).await?;
        return Ok(false);
    }
    flow.flush(file).await?;
    flow.close(file).await?;
    flow.rename(&path_new, &path(id)).await?;
    flow.sync_directory(&directory).await?;
    Ok(true)
}

/// Removes a snapshot that is not used.
pub(super) async fn forget(flow: Flow, id: TopicPartition) -> Result<(), DiskError> {
    flow.unlink(&path(id)).await?;
    flow.sync_directory(&segment::directory(id)).await
}

/// Removes what there is of a deleted partition. Its directory goes with the last file, whoever removes that.
pub(super) async fn remove(flow: Flow, id: TopicPartition) -> Result<(), DiskError> {
    flow.unlink(&path(id)).await?;
    flow.unlink(&path_new(id)).await?;
    match flow.remove_directory(&segment::directory(id)).await {
        Err(DiskError::NOT_EMPTY) => return Ok(()),
        removed => removed?,
    }
    flow.sync_directory("topics").await
}

/// A snapshot that is being written.
pub(super) struct Writing {
    pub(super) from: Offset,
    /// The next group, and the offset of it that came last.
    group: GroupIndex,
    after: Option<(TopicKey, i32)>,
    number: u32,
    stream: BytesMut,
    pub(super) bytes: u64,
    /// The last piece was built.
    done: bool,
    piece_bytes: usize,
    pub(super) pieces: Handover<Next>,
}

impl Writing {
    /// `piece_bytes`: content of one piece, as far as a piece may be that long.
    pub(super) fn new(from: Offset, piece_bytes: usize) -> Writing {
        Writing {
            from,
            group: 0,
            after: None,
            number: 0,
            stream: BytesMut::new(),
            bytes: 0,
            done: false,
            piece_bytes: piece_bytes.clamp(1, PAYLOAD_BYTES),
            pieces: Handover::default(),
        }
    }

    /// Builds the next piece, once the flow took the one before.
    pub(super) fn feed(&mut self, seat: Option<&Seat>, topics: &TopicNames) {
        if self.done || !self.pieces.is_empty() {
            return;
        }
        let next = match seat {
            Some(seat) => self.next(seat, topics),
            None => Next::GiveUp,
        };
        self.done = matches!(next, Next::Piece { last: true, .. } | Next::GiveUp);
        self.pieces.put(next);
    }

    fn next(&mut self, seat: &Seat, topics: &TopicNames) -> Next {
        let mut done = false;
        while self.stream.len() < self.piece_bytes && !done {
            done = !self.add(seat, topics);
        }
        let payload = self
            .stream
            .split_to(self.stream.len().min(self.piece_bytes));
        let last = done && self.stream.is_empty();
        let span = Span {
            from: self.from,
            end: seat.applied_end,
        };
        let bytes = encode(seat.id, self.number, last, span, &payload);
        self.number += 1;
        self.bytes += bytes.len() as u64;
        Next::Piece { bytes, last }
    }

    /// Adds the next record, if it is not the end; an index without a group counts as one.
    fn add(&mut self, seat: &Seat, topics: &TopicNames) -> bool {
        if self.group >= seat.group_end() {
            return false;
        }
        let Some(group) = seat.group(self.group) else {
            self.group += 1;
            self.after = None;
            return true;
        };
        let next = match self.after {
            None => {
                if let Some(value) = &group.recorded {
                    put(&mut self.stream, &records::group_key(&group.name), value);
                }
                group.offsets.iter().next()
            }
            Some(after) => {
                let rest = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
                group.offsets.range(rest).next()
            }
        };
        match next {
            Some(((topic, partition), stored)) => {
                let key = records::offset_key(&group.name, topics.name(*topic), *partition);
                put(&mut self.stream, &key, &stored.value().encode());
                self.after = Some((*topic, *partition));
            }
            None => {
                self.group += 1;
                self.after = None;
            }
        }
        true
    }
}

pub(super) fn put(stream: &mut BytesMut, key: &[u8], value: &[u8]) {
    stream.put_u32(key.len() as u32);
    stream.put_u32(value.len() as u32);
    stream.put_slice(key);
    stream.put_slice(value);
}

/// Takes the next whole record from joined payloads; `None`: the rest is not there yet.
pub(super) fn take(stream: &mut BytesMut) -> Result<Option<(Bytes, Bytes)>, Unusable> {
    let Some(mut lengths) = stream.get(..8) else {
        return Ok(None);
    };
    let (key, value) = (u64::from(lengths.get_u32()), u64::from(lengths.get_u32()));
    if key + value > RECORD_BYTES_MAX {
        return Err(Unusable::Damaged("a record of an impossible length"));
    }
    if (stream.len() as u64) < 8 + key + value {
        return Ok(None);
    }
    stream.advance(8);
    let key = stream.split_to(key as usize).freeze();
    let value = stream.split_to(value as usize).freeze();
    Ok(Some((key, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: TopicPartition = TopicPartition {
        topic: TopicId([3; 16]),
        partition: 4,
    };
    const SPAN: Span = Span {
        from: Offset(10),
        end: Offset(12),
    };

    #[test]
    fn a_piece_is_read_as_it_was_written_and_refused_when_it_is_spoilt() {
        let piece = encode(ID, 2, true, SPAN, b"payload");
        assert_eq!(piece.len(), BLOCK);
        let read = decode(&piece, ID, 2).expect("sound");
        assert_eq!(
            (&read.payload[..], read.last, read.span),
            (&b"payload"[..], true, SPAN)
        );
        assert!(decode(&piece, ID, 1).is_err(), "another number");
        assert!(decode(&piece.slice(..30), ID, 2).is_err(), "cut");
        for at in 0..HEADER + 7 {
            let mut spoilt = BytesMut::from(&piece[..]);
            spoilt[at] ^= 1;
            assert!(decode(&spoilt.freeze(), ID, 2).is_err(), "byte {at}");
        }
    }

    /// Opens for ever. Written by version 1.
    #[test]
    fn the_golden_piece_of_version_1_opens() {
        let mut golden = vec![
            0x43, 0x4c, 0x47, 0x53, 0, 6, 0, 1, 0, 0, 0, 67, 0xe3, 0x31, 0xbc, 0xab, 0, 0, 0, 2, 0,
            0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 12, 3, 3, 3, 3, 3, 3, 3, 3, 3,
            3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 4,
        ];
        golden.extend_from_slice(b"payload");
        let read = decode(&golden.clone().into(), ID, 2).expect("golden");
        assert_eq!(&read.payload[..], b"payload");
        golden[7] = 2;
        let newer = decode(&golden.into(), ID, 2).err();
        assert_eq!(newer, Some(Unusable::Newer { found: 2 }));
    }
}
