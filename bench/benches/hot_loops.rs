//! Micro benchmarks of the broker's hot loops: what one batch, one record and one partition of a request cost.
//!
//! `cargo bench -p corelane-bench` measures; under `cargo test` each runs once. The product's own code is a dependency of
//! this file alone: the tools of this crate share none of it.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use corelane_engine::batch::{
    self, BatchBuilder, BatchHeader, Codec, Draft, Rules, scan_for_timestamp,
};
use corelane_engine::call::{Answer, AnswerBody, Call, CallBody, ReadAnswer, ReadDone};
use corelane_engine::controller::command::{Broker, Endpoint, PartitionState, Record};
use corelane_engine::controller::image::Image;
use corelane_engine::disk::DiskDone;
use corelane_engine::log::index::SegmentIndex;
use corelane_engine::log::producers::Producers;
use corelane_engine::rng::Rng;
use corelane_engine::shard::ShardOut;
use corelane_engine::types::{
    Instant, LeaderEpoch, NodeId, Now, Offset, SegmentPosition, ShardId, Timestamp, TopicId,
};
use corelane_net::api;
use corelane_net::context::authorize_all;
use corelane_net::event::{ConnId, Event, Machine, Outbox, SocketOp};
use corelane_net::listeners::{Listener, ListenerId};
use corelane_net::protocol::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use corelane_net::protocol::fetch_response::{
    FetchResponse, FetchableTopicResponse, PartitionData,
};
use corelane_net::protocol::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use corelane_net::protocol::{Message, Reader, Records, Writer};
use corelane_net::storage::Storage;
use corelane_net::worker::{NetLimits, Parts, Worker};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// `records` records of `bytes` each, all of one moment.
fn batch_of(records: usize, bytes: usize, codec: Codec) -> Bytes {
    let value: Vec<u8> = (0..bytes).map(|at| (at * 31 % 251) as u8).collect();
    let draft = Draft {
        timestamp: NOW,
        value: Some(&value),
        ..Draft::default()
    };
    let builder = BatchBuilder::new().codec(codec);
    let filled = (0..records).fold(builder, |builder, _| builder.record(&draft));
    filled.build()
}

/// The `records` of Produce, before they are given an offset.
fn checks(c: &mut Criterion) {
    let mut group = c.benchmark_group("check");
    let rules = Rules {
        max_bytes: 2 << 20,
        ..Rules::default()
    };
    for (name, records, bytes) in [
        ("1 record of 100 B", 1, 100),
        ("1 record of 1 KiB", 1, 1024),
        ("1,000 records of 100 B", 1000, 100),
        ("1,000 records of 1 KiB", 1000, 1024),
    ] {
        let batch = batch_of(records, bytes, Codec::None);
        group.throughput(Throughput::Elements(records as u64));
        group.bench_function(name, |b| {
            b.iter(|| batch::check(black_box(batch.clone()), NOW, &rules).expect("a good batch"));
        });
    }
    let zstd = batch_of(1000, 1024, Codec::Zstd);
    group.throughput(Throughput::Bytes(zstd.len() as u64));
    group.bench_function("zstd, by its header", |b| {
        b.iter(|| batch::check(black_box(zstd.clone()), NOW, &rules).expect("a good batch"));
    });
    let opened = Rules {
        validate_records: true,
        ..rules
    };
    group.throughput(Throughput::Elements(1000));
    group.bench_function("zstd, 1,000 records opened", |b| {
        b.iter(|| batch::check(black_box(zstd.clone()), NOW, &opened).expect("a good batch"));
    });
    group.finish();
}

/// What a checked batch costs on its way into the journal group, and a stored one when it is looked at again.
fn batches(c: &mut Criterion) {
    let mut group = c.benchmark_group("batch");
    for (name, bytes) in [("100 B", 100), ("16 KiB", 16 << 10)] {
        let received = batch_of(1, bytes, Codec::None);
        let checked = batch::check(received, NOW, &Rules::default()).expect("a good batch");
        let mut journal = BytesMut::with_capacity(64 << 10);
        group.throughput(Throughput::Bytes(checked.len() as u64));
        group.bench_function(format!("stamp {name}"), |b| {
            b.iter(|| {
                journal.clear();
                checked.stamp_into(&mut journal, Offset(123_456), LeaderEpoch(7));
                black_box(&journal);
            });
        });
    }
    for (name, bytes) in [("16 KiB", 16 << 10), ("1 MiB", 1 << 20)] {
        let stored = batch_of(1, bytes, Codec::None);
        group.throughput(Throughput::Bytes(stored.len() as u64));
        group.bench_function(format!("verify {name}"), |b| {
            b.iter(|| batch::verify(black_box(&stored)).expect("a good batch"));
        });
    }
    let many = batch_of(1000, 1024, Codec::None);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("look for a timestamp, 1,000 records", |b| {
        b.iter(|| scan_for_timestamp(black_box(&many), Timestamp(NOW.0 + 1), Offset(0)));
    });
    group.finish();
}

/// Sequence checks of idempotent producers, and the offset index.
fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("lookup");
    let mut producers = Producers::new(10_000);
    let header = |producer: i64, sequence: i32| {
        let batch = BatchBuilder::new()
            .producer(producer, 0, sequence)
            .keyed(NOW, b"k", b"v")
            .build();
        BatchHeader::parse(&batch).expect("a header")
    };
    for producer in 0..1000 {
        producers.apply(&header(producer, 0), NOW);
    }
    let next = header(500, 1);
    group.bench_function("sequence of one of 1,000 producers", |b| {
        b.iter(|| producers.check(black_box(&next)).expect("the next one"));
    });
    let mut index = SegmentIndex::new(Offset(0), 4096);
    for at in 0..30_000_i64 {
        let position = SegmentPosition(at as u64 * 32_768);
        index.append(Offset(at * 30), position, NOW, 32_768);
    }
    group.bench_function("position in 30,000 index entries", |b| {
        b.iter(|| index.position_at_or_before(black_box(Offset(456_789))));
    });
    group.finish();
}

fn encoded(key: i16, version: i16, message: &impl Message) -> Bytes {
    let mut writer = Writer::plain();
    writer.i16(key);
    writer.i16(version);
    writer.i32(1);
    writer.i16(0);
    writer.uvarint(0);
    message
        .encode(&mut writer, version)
        .expect("a sound message");
    writer.into_bytes()
}

/// Requests taken apart, answers put together.
fn codecs(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec");
    let mut records = Records::new();
    records.push(batch_of(1, 100, Codec::None));
    let produce = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: "benchmark".into(),
            partition_data: vec![PartitionProduceData {
                index: 3,
                records: Some(records),
            }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    };
    let frame = encoded(0, 12, &produce);
    group.bench_function("Produce 12 with one batch, header and body", |b| {
        b.iter(|| {
            let Ok(api::Parsed::Request(_, body)) = api::parse(black_box(frame.clone())) else {
                panic!("a good frame")
            };
            ProduceRequest::decode(&mut Reader::new(body), 12).expect("a good body")
        });
    });
    let partitions = (0..1000).map(|partition| FetchPartition {
        partition,
        fetch_offset: 1 << 33,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    });
    let fetch = FetchRequest {
        topics: vec![FetchTopic {
            topic: "benchmark".into(),
            partitions: partitions.collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    let frame = encoded(1, 12, &fetch);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("Fetch 12 of 1,000 partitions", |b| {
        b.iter(|| {
            let Ok(api::Parsed::Request(_, body)) = api::parse(black_box(frame.clone())) else {
                panic!("a good frame")
            };
            FetchRequest::decode(&mut Reader::new(body), 12).expect("a good body")
        });
    });
    let answer = || FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: "benchmark".into(),
            partitions: (0..1000)
                .map(|partition_index| PartitionData {
                    partition_index,
                    high_watermark: 1 << 33,
                    ..PartitionData::default()
                })
                .collect(),
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    };
    group.bench_function("an answer to Fetch 12 of 1,000 partitions", |b| {
        b.iter_batched(
            answer,
            |answer| {
                let mut writer = Writer::frame();
                answer.encode(&mut writer, 12).expect("a sound answer");
                writer.finish()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A log that is there, and mostly ends where it is read from.
struct Quiet {
    batch: Bytes,
    /// Every so many partitions there are records.
    every: u32,
}

impl Storage for Quiet {
    fn call(&mut self, _: Now, call: Call, out: &mut ShardOut) {
        let CallBody::Read { items, .. } = call.body else {
            return;
        };
        let answers = items.iter().map(|item| {
            let records = match item.slot % self.every {
                0 => vec![self.batch.clone()],
                _ => Vec::new(),
            };
            ReadAnswer {
                slot: item.slot,
                result: Ok(ReadDone {
                    count: records.len() as u64,
                    records,
                    high_watermark: Offset(1),
                    last_stable: Offset(1),
                    log_start: Offset(0),
                }),
            }
        });
        let body = AnswerBody::Read(answers.collect());
        let request = call.request;
        out.answers.push((call.from, Answer { request, body }));
    }

    fn on_disk(&mut self, _: Now, _: DiskDone, _: &mut ShardOut) {}

    fn settle(&mut self, _: Now, _: &mut ShardOut) {}

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// One shard's worker before a log of `partitions` partitions, and a connection.
fn worker(partitions: usize, every: u32) -> Worker<Quiet> {
    let endpoint = Endpoint {
        listener: "PLAINTEXT".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 9092,
    };
    let broker = Broker {
        node: NodeId(1),
        endpoints: vec![endpoint.clone()],
        rack: None,
        incarnation: [0; 16],
    };
    let seat = PartitionState {
        replicas: [NodeId(1)].into(),
        isr: [NodeId(1)].into(),
        leader: NodeId(1),
        leader_epoch: 0,
    };
    let topic = Record::Topic {
        id: TopicId([1; 16]),
        name: "benchmark".to_owned(),
        configs: Default::default(),
        partitions: vec![seat; partitions],
    };
    let records = [
        Record::Cluster { id: [0; 16] },
        Record::Broker(broker),
        topic,
    ];
    let mut worker = Worker::new(Parts {
        me: ShardId(0),
        shards: 1,
        node: NodeId(1),
        image: Image::of(0, &records).expect("sound"),
        directory: "/data".to_owned(),
        storage: Quiet {
            batch: batch_of(1, 100, Codec::None),
            every,
        },
        limits: NetLimits::NORMAL,
        rng: Rng::new(1),
        authorize: authorize_all,
        listeners: vec![Listener {
            bound: ([127, 0, 0, 1], 9092).into(),
            endpoint,
        }],
    });
    let (conn, peer) = (ConnId(1), ([127, 0, 0, 1], 5000).into());
    let listener = ListenerId(0);
    pass(
        &mut worker,
        Event::Accepted {
            conn,
            peer,
            listener,
        },
    );
    worker
}

/// One pass for one event; how many bytes were sent.
fn pass(worker: &mut Worker<Quiet>, event: Event) -> usize {
    let (now, mut out) = (Now::default(), Outbox::default());
    worker.on(now, event, &mut out);
    worker.settle(now, &mut out);
    let mut sent = 0;
    for op in std::mem::take(&mut out.sockets) {
        if let SocketOp::Send { conn, parts } = op {
            sent += parts.iter().map(Bytes::len).sum::<usize>();
            worker.on(now, Event::Sent { conn }, &mut out);
        }
    }
    sent
}

/// A consumer without a session: every partition in each request, and in each answer.
fn fetches(c: &mut Criterion) {
    let mut group = c.benchmark_group("fetch");
    group.throughput(Throughput::Elements(1000));
    let partitions = (0..1000).map(|partition| FetchPartition {
        partition,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    });
    let request = FetchRequest {
        replica_id: -1,
        max_bytes: 50 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: "benchmark".into(),
            partitions: partitions.collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    let body = encoded(1, 11, &request);
    // Version 11 has no tags in its header.
    let body = [&body[..10], &body[11..]].concat();
    let frame = [&(body.len() as u32).to_be_bytes()[..], &body].concat();
    for (name, every) in [("nothing new", 1_000_000), ("10 have records", 100)] {
        let mut worker = worker(1000, every);
        group.bench_function(
            format!("a worker's part of 1,000 partitions, {name}"),
            |b| {
                b.iter(|| {
                    let bytes = BytesMut::from(&frame[..]);
                    let conn = ConnId(1);
                    let sent = pass(&mut worker, Event::Received { conn, bytes });
                    assert!(sent > 1000 * 20, "{sent} bytes of answer");
                });
            },
        );
    }
    group.finish();
}

criterion_group!(hot_loops, checks, batches, lookups, codecs, fetches);
criterion_main!(hot_loops);
