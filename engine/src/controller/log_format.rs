//! The groups of the metadata log and its snapshots: what their payloads hold.

use bytes::{BufMut, Bytes, BytesMut};

use super::codec::{CodecError, Reader, put_count};
use super::frame::{self, Kind};

/// What Raft must not forget besides its entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HardState {
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
}

/// One entry of Raft's log; empty `data` at the start of a leader's term.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    pub index: u64,
    pub term: u64,
    pub data: Bytes,
}

/// Where a log begins: index and term of the last entry before it, and the voters (Raft ids) then.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Base {
    pub index: u64,
    pub term: u64,
    pub voters: Vec<u64>,
}

/// The only type of entry so far: records.
const ENTRY_RECORDS: u8 = 0;

/// Names the place of a group, so that one written elsewhere, or by a former file, is not taken for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) log: u64,
    pub(crate) position: u64,
}

/// One group, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Group {
    Start {
        base: Base,
        hard: HardState,
    },
    Entries {
        hard: HardState,
        entries: Vec<LogEntry>,
    },
}

/// A snapshot, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Snapshot {
    pub(crate) base: Base,
    /// The image's records, encoded.
    pub(crate) records: Bytes,
}

fn put_place(out: &mut BytesMut, place: Place) {
    out.put_u64(place.log);
    out.put_u64(place.position);
}

fn put_hard(out: &mut BytesMut, hard: HardState) {
    out.put_u64(hard.term);
    out.put_u64(hard.vote);
    out.put_u64(hard.commit);
}

fn put_base(out: &mut BytesMut, base: &Base) {
    out.put_u64(base.index);
    out.put_u64(base.term);
    put_count(out, base.voters.len());
    base.voters.iter().for_each(|v| out.put_u64(*v));
}

/// The first group of a file, in whole blocks.
pub(crate) fn encode_start(place: Place, base: &Base, hard: HardState) -> Bytes {
    let mut payload = BytesMut::new();
    put_place(&mut payload, place);
    put_base(&mut payload, base);
    put_hard(&mut payload, hard);
    frame::blocks(&frame::encode(Kind::LogStart, &payload))
}

/// A group of entries, in whole blocks.
pub(crate) fn encode_entries(place: Place, hard: HardState, entries: &[LogEntry]) -> Bytes {
    let mut payload = BytesMut::new();
    put_place(&mut payload, place);
    put_hard(&mut payload, hard);
    put_count(&mut payload, entries.len());
    for entry in entries {
        payload.put_u64(entry.index);
        payload.put_u64(entry.term);
        payload.put_u8(ENTRY_RECORDS);
        put_count(&mut payload, entry.data.len());
        payload.put_slice(&entry.data);
    }
    frame::blocks(&frame::encode(Kind::Entries, &payload))
}

/// A whole snapshot file.
pub(crate) fn encode_snapshot(base: &Base, records: &[u8]) -> Bytes {
    let mut payload = BytesMut::new();
    put_base(&mut payload, base);
    payload.put_slice(records);
    frame::blocks(&frame::encode(Kind::Snapshot, &payload))
}

fn hard(from: &mut Reader<'_>) -> Result<HardState, CodecError> {
    Ok(HardState {
        term: from.u64()?,
        vote: from.u64()?,
        commit: from.u64()?,
    })
}

fn base(from: &mut Reader<'_>) -> Result<Base, CodecError> {
    let (index, term) = (from.u64()?, from.u64()?);
    let count = from.count(8)?;
    let voters = (0..count).map(|_| from.u64()).collect::<Result<_, _>>()?;
    Ok(Base {
        index,
        term,
        voters,
    })
}

/// The group at the front of `bytes` and its length in whole blocks. `Ok(None)`: none, a torn one, or one that belongs
/// elsewhere. An error: its CRC holds, but this code cannot read it.
pub(crate) fn decode_group(
    bytes: &Bytes,
    place: Place,
) -> Result<Option<(Group, usize)>, CodecError> {
    let Some(found) = frame::decode(bytes) else {
        return Ok(None);
    };
    let start = found.kind == Kind::LogStart as u16;
    let payload = found.of(if start { Kind::LogStart } else { Kind::Entries })?;
    let mut from = Reader::new(payload, "group of the metadata log");
    let written_at = Place {
        log: from.u64()?,
        position: from.u64()?,
    };
    if written_at != place {
        return Ok(None);
    }
    let group = if start {
        Group::Start {
            base: base(&mut from)?,
            hard: hard(&mut from)?,
        }
    } else {
        let hard = hard(&mut from)?;
        let count = from.count(21)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let (index, term, kind) = (from.u64()?, from.u64()?, from.u8()?);
            if kind != ENTRY_RECORDS {
                return Err(CodecError::Newer {
                    what: "type of Raft entry",
                    found: kind.into(),
                    known: ENTRY_RECORDS.into(),
                });
            }
            let length = from.u32()? as usize;
            entries.push(LogEntry {
                index,
                term,
                data: payload.slice_ref(from.take(length)?),
            });
        }
        Group::Entries { hard, entries }
    };
    from.end()?;
    Ok(Some((group, frame::padded(frame::HEADER + payload.len()))))
}

/// A snapshot file. `Ok(None)`: its CRC does not hold.
pub(crate) fn decode_snapshot(bytes: &Bytes) -> Result<Option<Snapshot>, CodecError> {
    let Some(found) = frame::decode(bytes) else {
        return Ok(None);
    };
    let payload = found.of(Kind::Snapshot)?;
    let mut from = Reader::new(payload, "metadata snapshot");
    let base = base(&mut from)?;
    let records = payload.slice_ref(from.rest());
    Ok(Some(Snapshot { base, records }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        log: 2,
        position: 4096,
    };

    fn group() -> (Bytes, Group) {
        let hard = HardState {
            term: 3,
            vote: 2,
            commit: 7,
        };
        let entries = vec![
            LogEntry {
                index: 8,
                term: 3,
                data: Bytes::new(),
            },
            LogEntry {
                index: 9,
                term: 3,
                data: Bytes::from_static(b"xyz"),
            },
        ];
        let bytes = encode_entries(PLACE, hard, &entries);
        (bytes, Group::Entries { hard, entries })
    }

    #[test]
    fn a_group_is_read_at_its_place_only() {
        let (bytes, group) = group();
        assert_eq!(decode_group(&bytes, PLACE), Ok(Some((group, 4096))));
        for (log, position) in [(1, 4096), (2, 0)] {
            assert_eq!(decode_group(&bytes, Place { log, position }), Ok(None));
        }
    }

    /// This file opens for ever.
    #[test]
    fn golden_bytes_of_format_1() {
        let (bytes, _) = group();
        let hex: String = bytes[..110].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "c0ff4d4500020001000000594775f146000000000000000200000000000010000000000000000003000000000000000200000000000000070000000200000000000000080000000000000003000000000000000000000000090000000000000003000000000378797a0000000000"
        );
        let start = encode_start(
            PLACE,
            &Base {
                index: 1,
                term: 2,
                voters: vec![2],
            },
            HardState::default(),
        );
        let hex: String = start[..85].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "c0ff4d450001000100000044ca9683e1000000000000000200000000000010000000000000000001000000000000000200000001000000000000000200000000000000000000000000000000000000000000000000"
        );
    }

    #[test]
    fn a_snapshot_comes_back() {
        let base = Base {
            index: 5,
            term: 2,
            voters: vec![2, 3],
        };
        let bytes = encode_snapshot(&base, b"records");
        let records = Bytes::from_static(b"records");
        assert_eq!(
            decode_snapshot(&bytes),
            Ok(Some(Snapshot { base, records }))
        );
    }
}
