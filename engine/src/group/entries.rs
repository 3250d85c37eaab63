//! The records of a stored batch, with their keys and values.
//!
//! Groups' batches are small and are written uncompressed; one that is compressed all the same is opened whole, within
//! a bound.

use bytes::{Buf, Bytes};

use crate::batch::decompress::{self, Bound};
use crate::batch::walk::Cursor;
use crate::batch::{BatchHeader, Codec, Damaged};
use crate::limits::BATCH_HEADER;

const DAMAGED: Damaged = Damaged("records of a group's batch");

/// Shows key and value of every record of a batch that passed its check, in order.
pub(super) fn each(
    header: &BatchHeader,
    batch: &Bytes,
    mut visit: impl FnMut(Option<Bytes>, Option<Bytes>),
) -> Result<(), Damaged> {
    if batch.len() < BATCH_HEADER {
        return Err(DAMAGED);
    }
    let body = batch.slice(BATCH_HEADER..);
    let mut records = match header.codec() {
        Some(Codec::None) => body,
        Some(codec) => opened(codec, &body)?,
        None => return Err(DAMAGED),
    };
    for _ in 0..header.count {
        let length = varint(&mut records)?;
        let mut record = take(&mut records, length)?.ok_or(DAMAGED)?;
        take(&mut record, 1)?;
        varint(&mut record)?;
        varint(&mut record)?;
        let length = varint(&mut record)?;
        let key = take(&mut record, length)?;
        let length = varint(&mut record)?;
        let value = take(&mut record, length)?;
        visit(key, value);
    }
    Ok(())
}

fn opened(codec: Codec, body: &Bytes) -> Result<Bytes, Damaged> {
    let bound = Bound::for_batch(body.len(), body.len());
    let mut opened = Vec::new();
    let read = decompress::with_cursor(codec, body, bound, |cursor| {
        while !cursor.at_end()? {
            opened.push(cursor.byte()?);
        }
        Ok(())
    });
    read.and_then(|read| read).map_err(|_| DAMAGED)?;
    Ok(opened.into())
}

/// `None`: a negative length, which is null.
fn take(from: &mut Bytes, length: i64) -> Result<Option<Bytes>, Damaged> {
    match usize::try_from(length) {
        Ok(length) if length <= from.len() => Ok(Some(from.split_to(length))),
        Ok(_) => Err(DAMAGED),
        Err(_) => Ok(None),
    }
}

fn varint(from: &mut Bytes) -> Result<i64, Damaged> {
    let mut raw = 0u64;
    for at in 0..10 {
        if from.is_empty() {
            return Err(DAMAGED);
        }
        let byte = from.get_u8();
        raw |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
        }
    }
    Err(DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchBuilder, Draft};
    use crate::types::Timestamp;

    #[test]
    fn keys_and_values_come_back_from_every_codec() {
        for codec in Codec::ALL {
            let batch = BatchBuilder::new()
                .codec(codec)
                .keyed(Timestamp(5), b"a", b"1")
                .record(&Draft {
                    timestamp: Timestamp(9),
                    key: Some(b"b"),
                    ..Draft::default()
                })
                .build();
            let header = BatchHeader::parse(&batch).expect("sound");
            let mut seen = Vec::new();
            each(&header, &batch, |key, value| seen.push((key, value))).expect("sound");
            let one = |b: &'static [u8]| Some(Bytes::from_static(b));
            assert_eq!(
                seen,
                [(one(b"a"), one(b"1")), (one(b"b"), None)],
                "{codec:?}"
            );
            for cut in BATCH_HEADER..batch.len() {
                let _ = each(&header, &batch.slice(..cut), |_, _| {});
            }
        }
    }
}
