//! Record batches of magic 2 built field by field, so that a test can break each one, and seeded records for clients.

use bytes::Bytes;
use corelane_engine::rng::Rng;

/// One record of a batch.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub timestamp_delta: i64,
    /// `None` = its index.
    pub offset_delta: Option<i64>,
    /// `None` = its real length.
    pub length: Option<i64>,
    /// `None` = its real count.
    pub header_count: Option<i64>,
}

impl Record {
    pub fn of(value: &[u8]) -> Record {
        Record {
            value: Some(value.to_vec()),
            ..Record::default()
        }
    }
}

/// A batch: every header field, each `None` computed from the records.
#[derive(Clone, Debug)]
pub struct Batch {
    pub base_offset: i64,
    pub batch_length: Option<i32>,
    pub leader_epoch: i32,
    pub magic: i8,
    pub crc: Option<u32>,
    pub attributes: i16,
    pub last_offset_delta: Option<i32>,
    pub base_timestamp: i64,
    pub max_timestamp: Option<i64>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: Option<i32>,
    pub records: Vec<Record>,
    /// Takes the place of the encoded records: a compressed block.
    pub body: Option<Vec<u8>>,
}

impl Batch {
    /// A valid batch of these values, from a producer without an id.
    pub fn of(values: &[&[u8]]) -> Batch {
        Batch {
            base_offset: 0,
            batch_length: None,
            leader_epoch: -1,
            magic: 2,
            crc: None,
            attributes: 0,
            last_offset_delta: None,
            base_timestamp: 1_700_000_000_000,
            max_timestamp: None,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count: None,
            records: values.iter().map(|value| Record::of(value)).collect(),
            body: None,
        }
    }

    /// As an idempotent producer would send it.
    pub fn by(mut self, producer_id: i64, epoch: i16, base_sequence: i32) -> Batch {
        self.producer_id = producer_id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
        self
    }

    /// The batch as bytes.
    pub fn bytes(&self) -> Bytes {
        let body = self.body.clone().unwrap_or_else(|| self.records_bytes());
        let n = i32::try_from(self.records.len()).expect("a test's batch");
        let last_timestamp = self
            .records
            .iter()
            .map(|r| self.base_timestamp.saturating_add(r.timestamp_delta))
            .max()
            .unwrap_or(self.base_timestamp);
        let mut checked = Vec::new();
        checked.extend(self.attributes.to_be_bytes());
        checked.extend(self.last_offset_delta.unwrap_or(n - 1).to_be_bytes());
        checked.extend(self.base_timestamp.to_be_bytes());
        checked.extend(self.max_timestamp.unwrap_or(last_timestamp).to_be_bytes());
        checked.extend(self.producer_id.to_be_bytes());
        checked.extend(self.producer_epoch.to_be_bytes());
        checked.extend(self.base_sequence.to_be_bytes());
        checked.extend(self.count.unwrap_or(n).to_be_bytes());
        checked.extend(body);
        let length = i32::try_from(9 + checked.len()).expect("a test's batch");
        let mut bytes = Vec::new();
        bytes.extend(self.base_offset.to_be_bytes());
        bytes.extend(self.batch_length.unwrap_or(length).to_be_bytes());
        bytes.extend(self.leader_epoch.to_be_bytes());
        bytes.extend(self.magic.to_be_bytes());
        bytes.extend(self.crc.unwrap_or(crc32c::crc32c(&checked)).to_be_bytes());
        bytes.extend(checked);
        Bytes::from(bytes)
    }

    /// The records alone, uncompressed.
    pub fn records_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (index, record) in (0_i64..).zip(&self.records) {
            let mut one = vec![0];
            varint(&mut one, record.timestamp_delta);
            varint(&mut one, record.offset_delta.unwrap_or(index));
            nullable(&mut one, record.key.as_deref());
            nullable(&mut one, record.value.as_deref());
            let headers = i64::try_from(record.headers.len()).expect("a test's record");
            varint(&mut one, record.header_count.unwrap_or(headers));
            for (key, value) in &record.headers {
                nullable(&mut one, Some(key));
                nullable(&mut one, value.as_deref());
            }
            let length = i64::try_from(one.len()).expect("a test's record");
            varint(&mut bytes, record.length.unwrap_or(length));
            bytes.extend(one);
        }
        bytes
    }
}

fn nullable(into: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint(into, -1),
        Some(bytes) => {
            varint(into, i64::try_from(bytes.len()).expect("a test's field"));
            into.extend(bytes);
        }
    }
}

/// Zigzag varint, as records use it.
pub fn varint(into: &mut Vec<u8>, value: i64) {
    let mut rest = (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned();
    while rest >= 0x80 {
        into.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}

/// How clients are told to send: the columns of the client matrix.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub codec: &'static str,
    /// As clients write it: `0`, `1`, `all`.
    pub acks: &'static str,
    pub idempotent: bool,
}

impl Case {
    /// Every codec with acks 0, 1, all, and all with idempotence (which demands acks=all).
    pub fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            for (acks, idempotent) in [("0", false), ("1", false), ("all", false), ("all", true)] {
                cases.push(Case {
                    codec,
                    acks,
                    idempotent,
                });
            }
        }
        cases
    }

    /// A topic name's stem: `gzip-all-idempotent`.
    pub fn stem(&self) -> String {
        let idempotent = if self.idempotent { "-idempotent" } else { "" };
        format!("{}-{}{idempotent}", self.codec, self.acks)
    }
}

/// `n` lines `key<TAB>value`, printable, of many sizes from an empty value to some kilobytes; the value opens with the
/// line's number.
pub fn lines(seed: u64, n: usize) -> Vec<(String, String)> {
    let mut rng = Rng::new(seed);
    (0..n)
        .map(|i| {
            let key = format!("key-{}", rng.below(16));
            let length = match rng.below(20) {
                0 => 4_000 + rng.below(4_000),
                1 => 0,
                _ => rng.below(200),
            };
            let filler: String = (0..length)
                .map(|_| char::from(b'a' + (rng.below(26) as u8)))
                .collect();
            (key, format!("{i}:{filler}"))
        })
        .collect()
}

/// Checks that every partition's `(offset, key, value)` are those of `sent`, each once, in the order sent, at offsets
/// 0, 1, 2, …
pub fn check_read_back(
    what: &str,
    sent: &[(String, String)],
    partitions: &[Vec<(i64, String, String)>],
) {
    let mut seen = vec![false; sent.len()];
    for (partition, records) in partitions.iter().enumerate() {
        let mut last = None;
        for (at, (offset, key, value)) in records.iter().enumerate() {
            assert_eq!(*offset, at as i64, "{what}: partition {partition} offsets");
            let index: usize = value
                .split_once(':')
                .and_then(|(n, _)| n.parse().ok())
                .unwrap_or_else(|| panic!("{what}: partition {partition} read {value:?}"));
            assert!(
                index < sent.len() && (&sent[index].0, &sent[index].1) == (key, value),
                "{what}: partition {partition} offset {offset}: not what was sent: {key:?} {value:?}"
            );
            assert!(!seen[index], "{what}: record {index} read twice");
            seen[index] = true;
            assert!(
                last < Some(index),
                "{what}: partition {partition}: {index} after {last:?}"
            );
            last = Some(index);
        }
    }
    let missing: Vec<usize> = (0..sent.len()).filter(|&i| !seen[i]).collect();
    assert!(missing.is_empty(), "{what}: lost {missing:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::records::RecordBatchDecoder;

    #[test]
    fn a_batch_is_what_the_oracle_reads() {
        let mut batch = Batch::of(&[b"a", b"", b"ccc"]).by(7, 1, 40);
        batch.records[1].key = Some(b"k".to_vec());
        batch.records[1].headers = vec![(b"h".to_vec(), None)];
        batch.records[2].timestamp_delta = 300;
        let set = RecordBatchDecoder::decode(&mut batch.bytes()).expect("a valid batch");
        assert_eq!(set.records.len(), 3);
        assert_eq!(set.records[1].key.as_deref(), Some(&b"k"[..]));
        assert_eq!(set.records[1].headers.len(), 1);
        assert_eq!(set.records[2].value.as_deref(), Some(&b"ccc"[..]));
        assert_eq!(set.records[2].timestamp, 1_700_000_000_300);
        assert_eq!(set.records[2].producer_id, 7);
    }

    #[test]
    #[should_panic(expected = "lost [1]")]
    fn the_check_sees_a_loss() {
        let sent = lines(1, 2);
        let read = vec![(0, sent[0].0.clone(), sent[0].1.clone())];
        check_read_back("planted", &sent, &[read]);
    }

    #[test]
    #[should_panic(expected = "read twice")]
    fn the_check_sees_a_double() {
        let sent = lines(1, 1);
        let one = |offset| (offset, sent[0].0.clone(), sent[0].1.clone());
        check_read_back("planted", &sent, &[vec![one(0)], vec![one(0)]]);
    }

    #[test]
    #[should_panic(expected = "0 after Some(1)")]
    fn the_check_sees_another_order() {
        let sent = lines(1, 2);
        let one = |offset, i: usize| (offset, sent[i].0.clone(), sent[i].1.clone());
        check_read_back("planted", &sent, &[vec![one(0, 1), one(1, 0)]]);
    }
}
