//! Hostile records inside compressed batches, where the broker opens them: `corelane.validate=records`, compacted topics.
//! Refused with Kafka's code, in bounded memory, and a healthy client is served all the while.
//!
//! Every row was tried against Apache Kafka 4.3.1, which opens every batch. It answers what its decoders throw with -1, an
//! exception nobody expected; it never compares a compressed record with its length, and reads through bombs.

use std::io::Write;

use bytes::Bytes;

use corelane_tests::harness::beside::{beside_a_healthy_client, produce_code};
use corelane_tests::harness::broker::Broker;
use corelane_tests::harness::records::{Batch, Record, varint};
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{
    ANSWER_WITHIN, Reaction, Wire, decode_response, produce_request, request_bytes,
};
use kafka_protocol::messages::ProduceRequest;

/// Name and number of each codec.
const CODECS: [(&str, i16); 4] = [("gzip", 1), ("snappy", 2), ("lz4", 3), ("zstd", 4)];
const GZIP: i16 = 1;
const SNAPPY: i16 = 2;
const LZ4: i16 = 3;
const ZSTD: i16 = 4;

/// Bombs on their way at once.
const BOMBS_AT_ONCE: usize = 8;

/// What is sent, and the codes that are right: the first is Apache Kafka's.
struct Row {
    what: String,
    records: Bytes,
    codes: &'static [i16],
}

#[test]
fn bad_records_inside() {
    beside_a_healthy_client(|broker| {
        let topic = opened_topic(broker);
        let mut rows = Vec::new();
        for (name, codec) in CODECS {
            let inside = inside_rows(codec);
            rows.extend(inside.into_iter().map(|(what, records, codes)| Row {
                what: format!("{name}: {what}"),
                records,
                codes,
            }));
        }
        check(broker, &topic, rows);
    });
}

#[test]
fn bad_frames_of_the_codecs() {
    beside_a_healthy_client(|broker| {
        let topic = opened_topic(broker);
        let frames = snappy_frames()
            .into_iter()
            .map(|row| (SNAPPY, row))
            .chain(lz4_frames().into_iter().map(|row| (LZ4, row)))
            .chain(zstd_frames().into_iter().map(|row| (ZSTD, row)));
        let rows = frames.map(|(codec, (what, body, codes))| Row {
            what: what.to_owned(),
            records: batch(codec, body).bytes(),
            codes,
        });
        check(broker, &topic, rows.collect());
    });
}

#[test]
fn bombs() {
    beside_a_healthy_client(|broker| {
        if !broker.is_ours() {
            // Kafka takes them all, after seconds for each.
            return;
        }
        let topic = opened_topic(broker);
        for (what, codec, body) in [
            ("1 GiB from 32 KiB of zstd", ZSTD, zstd_bomb()),
            ("900 MiB of gzip", GZIP, gzip_bomb()),
            ("240 MiB of lz4", LZ4, lz4_bomb()),
        ] {
            let bomb = one_record(codec, body).bytes();
            assert!(bomb.len() < 1_048_588, "{what}: {} bytes", bomb.len());
            let frame = request_bytes(9, 1, &produce_request(&topic, 0, -1, bomb));
            let mut wires: Vec<Wire> = (0..BOMBS_AT_ONCE)
                .map(|_| Wire::connect(broker.address()))
                .collect();
            for wire in &mut wires {
                assert!(wire.send_frame(&frame));
            }
            for wire in &mut wires {
                let Reaction::Frame(answer) = wire.reaction(ANSWER_WITHIN) else {
                    panic!("{what}: no answer");
                };
                let (_, answer) = decode_response::<ProduceRequest>(9, &answer);
                let code = answer.responses[0].partition_responses[0].error_code;
                assert_eq!(code, 87, "{what}");
            }
        }
        let end = high_watermark(broker, &topic, 0);
        assert_eq!(end, 0, "nothing refused was stored");
    });
}

#[test]
fn a_compacted_topic_wants_keys_inside() {
    beside_a_healthy_client(|broker| {
        let topic = topic_name("compacted");
        // No `corelane.validate`: compaction needs the keys, whatever that says.
        let configs = [("cleanup.policy", "compact")];
        Wire::connect(broker.address()).create_topic(&topic, 2, &configs);
        let mut rows = Vec::new();
        for (name, codec) in CODECS {
            for (keys, codes) in [
                ([true, true], &[0][..]),
                ([false, true], &[87]),
                ([true, false], &[87]),
                ([false, false], &[87]),
            ] {
                let mut batch = Batch::of(&[b"one", b"two"]);
                for (record, has_key) in batch.records.iter_mut().zip(keys) {
                    record.key = has_key.then(|| b"key".to_vec());
                }
                batch.attributes = codec;
                batch.body = Some(squeeze(codec, &batch.records_bytes()));
                rows.push(Row {
                    what: format!("{name}: keys {keys:?}"),
                    records: batch.bytes(),
                    codes,
                });
            }
        }
        check(broker, &topic, rows);
    });
}

/// A topic of two partitions whose compressed batches are opened.
fn opened_topic(broker: &Broker) -> String {
    let topic = topic_name("opened");
    let configs: &[_] = match broker.is_ours() {
        true => &[("corelane.validate", "records")],
        false => &[],
    };
    Wire::connect(broker.address()).create_topic(&topic, 2, configs);
    topic
}

/// Sends each row to one of two partitions; what was refused must not be stored. Batches taken have two records.
fn check(broker: &Broker, topic: &str, rows: Vec<Row>) {
    let mut wrong = Vec::new();
    let mut taken = [0; 2];
    for (n, row) in rows.into_iter().enumerate() {
        let code = produce_code(broker, topic, (n % 2) as i32, row.records);
        taken[n % 2] += 2 * i64::from(code == 0);
        if !row.codes.contains(&code) {
            wrong.push(format!("{}: {code}, expected {:?}", row.what, row.codes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (partition, taken) in (0..).zip(taken) {
        let end = high_watermark(broker, topic, partition);
        assert_eq!(
            end, taken,
            "partition {partition}: nothing refused was stored"
        );
    }
}

fn high_watermark(broker: &Broker, topic: &str, partition: i32) -> i64 {
    let fetched = Wire::connect(broker.address()).fetch(topic, partition, 0);
    fetched.responses[0].partitions[0].high_watermark
}

/// A header for two records, and this body.
fn batch(codec: i16, body: Vec<u8>) -> Batch {
    let mut batch = Batch::of(&[b"one", b"two"]);
    batch.attributes = codec;
    batch.body = Some(body);
    batch
}

/// A header for one record, and this body.
fn one_record(codec: i16, body: Vec<u8>) -> Batch {
    let mut batch = Batch::of(&[b"one"]);
    batch.attributes = codec;
    batch.body = Some(body);
    batch
}

/// The two records as they lie in a batch.
fn two_records() -> Vec<u8> {
    Batch::of(&[b"one", b"two"]).records_bytes()
}

fn squeeze(codec: i16, bytes: &[u8]) -> Vec<u8> {
    match codec {
        GZIP => gzip(bytes),
        SNAPPY => xerial(&[&snappy(bytes)]),
        LZ4 => {
            let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
            frame.write_all(bytes).expect("into memory");
            frame.finish().expect("into memory")
        }
        ZSTD => zstd::bulk::compress(bytes, 1).expect("into memory"),
        other => panic!("no codec {other}"),
    }
}

type Inside = (&'static str, Bytes, &'static [i16]);

/// Records that a header for two of them does not promise, or that are none.
fn inside_rows(codec: i16) -> Vec<Inside> {
    let records = |change: &dyn Fn(&mut Vec<Record>)| {
        let mut inner = Batch::of(&[b"one", b"two"]);
        change(&mut inner.records);
        batch(codec, squeeze(codec, &inner.records_bytes())).bytes()
    };
    let second = |change: fn(&mut Record)| records(&|records| change(&mut records[1]));
    let bytes = |bytes: &[u8]| batch(codec, squeeze(codec, bytes)).bytes();
    let raw = |body: &[u8]| batch(codec, body.to_vec()).bytes();
    let good = squeeze(codec, &two_records());
    let mut more = two_records();
    more.push(0);
    let mut late = Batch::of(&[b"one", b"two"]);
    late.records[1].timestamp_delta = i64::MAX / 2;
    let late_body = squeeze(codec, &late.records_bytes());
    late.attributes = codec;
    late.body = Some(late_body);
    vec![
        ("two records", raw(&good), &[0]),
        ("one of two", records(&|r| drop(r.pop())), &[87]),
        (
            "three of two",
            records(&|r| r.push(Record::of(b"three"))),
            &[87],
        ),
        ("none of two", records(&Vec::clear), &[87]),
        ("a byte after the last", bytes(&more), &[87]),
        (
            "an offset delta twice",
            second(|r| r.offset_delta = Some(0)),
            &[-1, 87],
        ),
        (
            "an offset delta left out",
            second(|r| r.offset_delta = Some(2)),
            &[-1, 87],
        ),
        (
            "a negative offset delta",
            second(|r| r.offset_delta = Some(-1)),
            &[-1, 87],
        ),
        (
            "a length too short",
            second(|r| r.length = Some(2)),
            &[0, 87],
        ),
        (
            "a length too long",
            second(|r| r.length = Some(2000)),
            &[0, 87],
        ),
        (
            "a negative length",
            second(|r| r.length = Some(-2)),
            &[0, 87],
        ),
        (
            "the largest length",
            second(|r| r.length = Some(i64::from(i32::MAX))),
            &[0, 87],
        ),
        (
            "a negative header count",
            second(|r| r.header_count = Some(-1)),
            &[87],
        ),
        (
            "the largest header count",
            second(|r| r.header_count = Some(i64::from(i32::MAX))),
            &[87],
        ),
        ("a timestamp of another age", late.bytes(), &[32]),
        ("an endless varint", bytes(&[0xff; 64]), &[87]),
        // zstd's stream of nothing is one, the others' is none.
        ("no body", raw(&[]), &[-1, 87]),
        ("not compressed at all", raw(&two_records()), &[-1, 87]),
        ("noise", raw(&[0x5a; 500]), &[-1, 87]),
        ("half a frame", raw(&good[..good.len() / 2]), &[-1, 87]),
    ]
}

type Frame = (&'static str, Vec<u8>, &'static [i16]);

fn snappy_frames() -> Vec<Frame> {
    let good = snappy(&two_records());
    let claims = |length: u32| {
        let mut frame = xerial(&[]);
        frame.extend(length.to_be_bytes());
        frame.extend(&good);
        frame
    };
    // As a varint in front of the block: what it will grow to.
    let grows = |claim: &[u8]| [claim, &[0, 0]].concat();
    vec![
        ("snappy: one raw block", good.clone(), &[0]),
        (
            "snappy: two framed blocks",
            xerial(&[&snappy(&two_records()[..5]), &snappy(&two_records()[5..])]),
            &[0],
        ),
        (
            "snappy: an empty block between",
            xerial(&[&snappy(&[]), &good]),
            &[0],
        ),
        (
            "snappy: a block of 2^31 - 1",
            claims(0x7fff_ffff),
            &[-1, 87],
        ),
        ("snappy: a block of 2^31", claims(0x8000_0000), &[-1, 87]),
        (
            "snappy: a block of 2^32 - 1",
            claims(0xffff_ffff),
            &[-1, 87],
        ),
        ("snappy: a block of none", claims(0), &[-1, 87]),
        (
            "snappy: grows to 2^32 - 1",
            grows(&[0xff, 0xff, 0xff, 0xff, 0x0f]),
            &[-1, 87],
        ),
        (
            "snappy: framed, grows to 2^32 - 1",
            xerial(&[&grows(&[0xff, 0xff, 0xff, 0xff, 0x0f])]),
            &[-1, 87],
        ),
        (
            "snappy: grows to 2^31 - 1",
            grows(&[0xff, 0xff, 0xff, 0xff, 0x07]),
            &[-1, 87],
        ),
        ("snappy: a header and no more", xerial(&[]), &[87]),
        (
            "snappy: half a header",
            xerial(&[])[..9].to_vec(),
            &[-1, 87],
        ),
        (
            "snappy: a length cut short",
            [&xerial(&[])[..], &[0, 0]].concat(),
            &[87],
        ),
    ]
}

fn lz4_frames() -> Vec<Frame> {
    let records = two_records();
    let frame = |flags: u8, descriptor: u8, size: &[u8]| {
        let mut frame = lz4_header(flags, descriptor, size);
        lz4_block(&mut frame, &lz4_flex::block::compress(&records));
        frame.extend([0; 4]);
        frame
    };
    let block = |length: u32| {
        let mut frame = lz4_header(LZ4_FLAGS, 0x40, &[]);
        frame.extend(length.to_le_bytes());
        frame.extend(&records);
        frame
    };
    let with = |at: usize, byte: u8| {
        let mut frame = frame(LZ4_FLAGS, 0x40, &[]);
        frame[at] = byte;
        frame
    };
    let sized = LZ4_FLAGS | 0x08;
    let mut unended = frame(LZ4_FLAGS, 0x40, &[]);
    unended.truncate(unended.len() - 4);
    vec![
        ("lz4: a plain frame", frame(LZ4_FLAGS, 0x40, &[]), &[0]),
        (
            "lz4: its content size",
            frame(sized, 0x40, &(records.len() as u64).to_le_bytes()),
            &[0],
        ),
        (
            "lz4: a content size of 2^64 - 1",
            frame(sized, 0x40, &u64::MAX.to_le_bytes()),
            &[0, 87],
        ),
        (
            "lz4: a content size of 1",
            frame(sized, 0x40, &1_u64.to_le_bytes()),
            &[0, 87],
        ),
        ("lz4: a wrong header checksum", with(6, 0), &[-1, 87]),
        ("lz4: a wrong magic", with(0, 0), &[-1, 87]),
        ("lz4: version 2", frame(0xa0, 0x40, &[]), &[-1, 87]),
        (
            "lz4: a reserved block size",
            frame(LZ4_FLAGS, 0x00, &[]),
            &[-1, 87],
        ),
        ("lz4: a block of 2^31 - 1", block(0x7fff_ffff), &[-1, 87]),
        (
            "lz4: a plain block of 2^31 - 1",
            block(0xffff_ffff),
            &[-1, 87],
        ),
        (
            "lz4: a block beyond its frame's size",
            block(100_000),
            &[-1, 87],
        ),
        ("lz4: no end mark", unended, &[-1, 87]),
        (
            "lz4: nothing but an end mark",
            [lz4_header(LZ4_FLAGS, 0x40, &[]), vec![0; 4]].concat(),
            &[87],
        ),
    ]
}

fn zstd_frames() -> Vec<Frame> {
    let good = squeeze(ZSTD, &two_records());
    let framed = |header: &[u8]| {
        let mut frame = ZSTD_MAGIC.to_vec();
        frame.extend(header);
        zstd_block(&mut frame, 0, &two_records(), true);
        frame
    };
    let skippable = |size: u32, bytes: &[u8]| {
        let mut frame = 0x184d_2a50_u32.to_le_bytes().to_vec();
        frame.extend(size.to_le_bytes());
        frame.extend(bytes);
        frame
    };
    vec![
        ("zstd: a window of 1 KiB", framed(&[0, 0]), &[0]),
        ("zstd: a window of 128 MiB", framed(&[0, 17 << 3]), &[0]),
        ("zstd: a window of 2^31", framed(&[0, 21 << 3]), &[-1, 87]),
        ("zstd: a window of 2^41", framed(&[0, 31 << 3]), &[-1, 87]),
        (
            "zstd: one segment of 2^62",
            framed(&[0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40]),
            &[-1, 87],
        ),
        ("zstd: a dictionary", framed(&[1, 0, 7]), &[-1, 87]),
        (
            "zstd: a frame to skip first",
            [skippable(4, b"skip"), good.clone()].concat(),
            &[0],
        ),
        (
            "zstd: a frame to skip and no more",
            skippable(4, b"skip"),
            &[87],
        ),
        (
            "zstd: a frame of 2^32 - 1 to skip",
            skippable(u32::MAX, &good),
            &[-1, 87],
        ),
        (
            "zstd: a block of a reserved kind",
            {
                let mut frame = [&ZSTD_MAGIC[..], &[0, 0]].concat();
                zstd_block(&mut frame, 3, &two_records(), true);
                frame
            },
            &[-1, 87],
        ),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(bytes)
        .expect("into memory")
}

/// Snappy blocks in the framing of Kafka's Java clients.
fn xerial(blocks: &[&[u8]]) -> Vec<u8> {
    let mut frame = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for block in blocks {
        frame.extend((block.len() as u32).to_be_bytes());
        frame.extend(*block);
    }
    frame
}

/// Version 1, independent blocks.
const LZ4_FLAGS: u8 = 0x60;

/// Magic, descriptor and its checksum.
fn lz4_header(flags: u8, block_size: u8, content_size: &[u8]) -> Vec<u8> {
    let descriptor = [&[flags, block_size], content_size].concat();
    let checksum = (xxh32(&descriptor) >> 8) as u8;
    [&0x184d_2204_u32.to_le_bytes()[..], &descriptor, &[checksum]].concat()
}

fn lz4_block(frame: &mut Vec<u8>, block: &[u8]) {
    frame.extend((block.len() as u32).to_le_bytes());
    frame.extend(block);
}

/// XXH32 with seed 0 of fewer than 16 bytes.
fn xxh32(bytes: &[u8]) -> u32 {
    const P: [u32; 5] = [
        2_654_435_761,
        2_246_822_519,
        3_266_489_917,
        668_265_263,
        374_761_393,
    ];
    assert!(bytes.len() < 16);
    let mut hash = P[4].wrapping_add(bytes.len() as u32);
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(P[2]));
        hash = hash.rotate_left(17).wrapping_mul(P[3]);
    }
    for byte in rest {
        hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(P[4]));
        hash = hash.rotate_left(11).wrapping_mul(P[0]);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(P[1]);
    hash = (hash ^ (hash >> 13)).wrapping_mul(P[2]);
    hash ^ (hash >> 16)
}

const ZSTD_MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// A block of kind 0: these bytes.
fn zstd_block(frame: &mut Vec<u8>, kind: u32, bytes: &[u8], last: bool) {
    let header = (bytes.len() as u32) << 3 | kind << 1 | u32::from(last);
    frame.extend(&header.to_le_bytes()[..3]);
    frame.extend(bytes);
}

/// One record of nothing but zeros, but for the zeros: what stands before and after them.
fn around_zeros(zeros: u64) -> (Vec<u8>, Vec<u8>) {
    // Attributes, time and offset deltas, no key.
    let mut record = vec![0, 0, 0, 1];
    varint(&mut record, zeros as i64);
    let mut front = Vec::new();
    varint(&mut front, (record.len() as u64 + zeros + 1) as i64);
    front.extend(record);
    // No headers.
    (front, vec![0])
}

/// 8,192 blocks of four bytes, each a zero 128 Ki times.
fn zstd_bomb() -> Vec<u8> {
    let (front, back) = around_zeros(1 << 30);
    let mut frame = ZSTD_MAGIC.to_vec();
    // A window of 1 MiB.
    frame.extend([0, 10 << 3]);
    zstd_block(&mut frame, 0, &front, false);
    for _ in 0..8192 {
        let header = (128_u32 << 10) << 3 | 1 << 1;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    zstd_block(&mut frame, 0, &back, true);
    frame
}

/// Members of a MiB, one after the other.
fn gzip_bomb() -> Vec<u8> {
    let (front, back) = around_zeros(900 << 20);
    let mebibyte = gzip(&vec![0; 1 << 20]);
    [gzip(&front), mebibyte.repeat(900), gzip(&back)].concat()
}

/// Blocks of 4 MiB.
fn lz4_bomb() -> Vec<u8> {
    let (front, back) = around_zeros(240 << 20);
    let mut frame = lz4_header(LZ4_FLAGS, 0x70, &[]);
    lz4_block(&mut frame, &lz4_flex::block::compress(&front));
    let zeros = lz4_flex::block::compress(&vec![0; 4 << 20]);
    for _ in 0..60 {
        lz4_block(&mut frame, &zeros);
    }
    lz4_block(&mut frame, &lz4_flex::block::compress(&back));
    frame.extend([0; 4]);
    frame
}
