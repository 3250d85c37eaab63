//! The kinds of requests that are counted: produce and fetch of one batch of three sizes, and a fetch session of many.

use std::fmt;

use bytes::Bytes;
use corelane_engine::batch::BatchBuilder;
use corelane_engine::types::Timestamp;
use corelane_net::protocol::create_topics_request::CreatableTopic;
use corelane_net::protocol::fetch_request::{FetchPartition, FetchTopic};
use corelane_net::protocol::produce_request::{PartitionProduceData, TopicProduceData};
use corelane_net::protocol::{
    CreateTopicsRequest, FetchRequest, Message, ProduceRequest, Reader, Request, Str, Uuid, Writer,
};

use crate::rig::Rig;

const PRODUCE_VERSION: i16 = 13;
const FETCH_VERSION: i16 = 18;
const CREATE_TOPICS_VERSION: i16 = 7;
const TOPIC: Str = Str::from_static("cost");
/// When all records were made: 2026-01-01T00:00:00Z.
const MADE: Timestamp = Timestamp(1_767_225_600_000);
/// Batches that the fetches go round.
const BATCHES: usize = 24;
/// Partitions of the session.
const PARTITIONS: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// One batch to one partition, `acks=all`, durable as by default.
    Produce(Size),
    /// One batch of one partition, without a session, from memory.
    Fetch(Size),
    /// A session of [`PARTITIONS`], one of which has one new small batch.
    FetchSession,
}

/// Of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    Small,
    Middle,
    Large,
}

impl Kind {
    const ALL: [Kind; 7] = [
        Kind::Produce(Size::Small),
        Kind::Produce(Size::Middle),
        Kind::Produce(Size::Large),
        Kind::Fetch(Size::Small),
        Kind::Fetch(Size::Middle),
        Kind::Fetch(Size::Large),
        Kind::FetchSession,
    ];

    pub(crate) fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.to_string() == name)
    }

    pub(crate) fn names() -> String {
        Kind::ALL.map(|kind| kind.to_string()).join(", ")
    }

    /// So many requests that count, after half as many that do not.
    pub(crate) fn serve(self, count: usize) {
        let mut client = Client::connect(match self {
            Kind::FetchSession => PARTITIONS,
            Kind::Produce(_) | Kind::Fetch(_) => 1,
        });
        let turns = (0..count / 2).map(|n| (n, false));
        let turns = turns.chain((count / 2..count / 2 + count).map(|n| (n, true)));
        match self {
            Kind::Produce(size) => {
                let frame = client.produce_frame(0, size.batch());
                turns.for_each(|(_, counts)| client.produce(&frame, counts));
            }
            Kind::Fetch(size) => {
                let batch = size.batch();
                let frame = client.produce_frame(0, batch.clone());
                (0..BATCHES).for_each(|_| client.produce(&frame, false));
                for (n, counts) in turns {
                    let offset = (n % BATCHES * size.records()) as i64;
                    let frame = client.fetch_frame(&[(0, offset)], batch.len(), Session::NONE);
                    let came = client.fetch(&frame, counts);
                    assert_eq!(came.records_bytes, batch.len(), "one batch of {self}");
                }
            }
            Kind::FetchSession => serve_session(&mut client, turns),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, size) = match self {
            Kind::Produce(size) => ("produce", size),
            Kind::Fetch(size) => ("fetch", size),
            Kind::FetchSession => return f.write_str("fetch-session"),
        };
        let size = match size {
            Size::Small => "100B",
            Size::Middle => "16KiB",
            Size::Large => "1MiB",
        };
        write!(f, "{what}-{size}")
    }
}

impl Size {
    /// Records of a batch, and bytes of each one's value. With what surrounds them: 168 B, 16 and 1,010 KiB.
    const fn shape(self) -> (usize, usize) {
        match self {
            Size::Small => (1, 100),
            Size::Middle => (152, 100),
            Size::Large => (1_000, 1_024),
        }
    }

    const fn records(self) -> usize {
        self.shape().0
    }

    fn batch(self) -> Bytes {
        let (records, bytes) = self.shape();
        let builder = (0..records).fold(BatchBuilder::new(), |builder, n| {
            builder.value(MADE, &vec![n as u8; bytes])
        });
        builder.build()
    }
}

/// Each fetch tells the offset that the one before has reached, as consumers do.
fn serve_session(client: &mut Client, turns: impl Iterator<Item = (usize, bool)>) {
    let batch = Size::Small.batch();
    let bytes = batch.len();
    let all: Vec<(usize, i64)> = (0..PARTITIONS).map(|partition| (partition, 0)).collect();
    let begun = client.fetch(&client.fetch_frame(&all, bytes, Session::NEW), false);
    let mut session = Session {
        id: begun.session_id,
        epoch: 1,
    };
    let mut reached = Vec::new();
    for (n, counts) in turns {
        let partition = n % PARTITIONS;
        let frame = client.produce_frame(partition, batch.clone());
        client.produce(&frame, false);
        let frame = client.fetch_frame(&reached, bytes, session);
        let came = client.fetch(&frame, counts);
        assert_eq!(came.records_bytes, bytes, "one batch of a session");
        session.epoch += 1;
        reached = vec![(partition, (n / PARTITIONS + 1) as i64)];
    }
}

/// Of a fetch.
#[derive(Clone, Copy)]
struct Session {
    id: i32,
    epoch: i32,
}

impl Session {
    const NONE: Session = Session { id: 0, epoch: -1 };
    const NEW: Session = Session { id: 0, epoch: 0 };
}

/// What a fetch was answered.
struct Fetched {
    session_id: i32,
    records_bytes: usize,
}

/// A client of one topic.
struct Client {
    rig: Rig,
    topic: Uuid,
}

impl Client {
    /// With a topic of so many partitions.
    fn connect(partitions: usize) -> Client {
        let mut rig = Rig::open();
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: TOPIC,
                num_partitions: partitions as i32,
                replication_factor: 1,
                ..CreatableTopic::default()
            }],
            timeout_ms: 10_000,
            ..CreateTopicsRequest::default()
        };
        let answer = rig.ask(&framed(CREATE_TOPICS_VERSION, &request));
        let answer = decoded::<CreateTopicsRequest>(CREATE_TOPICS_VERSION, answer);
        assert_eq!(answer.topics[0].error_code, 0, "{:?}", answer.topics[0]);
        let topic = answer.topics[0].topic_id;
        Client { rig, topic }
    }

    fn produce_frame(&self, partition: usize, batch: Bytes) -> Bytes {
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                topic_id: self.topic,
                partition_data: vec![PartitionProduceData {
                    index: partition as i32,
                    records: Some(batch.into()),
                }],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        framed(PRODUCE_VERSION, &request)
    }

    fn produce(&mut self, frame: &Bytes, counts: bool) {
        let answer = decoded::<ProduceRequest>(PRODUCE_VERSION, self.ask(frame, counts));
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!(partition.error_code, 0, "{partition:?}");
    }

    fn fetch_frame(&self, partitions: &[(usize, i64)], bytes: usize, session: Session) -> Bytes {
        let partitions = partitions.iter().map(|(partition, offset)| FetchPartition {
            partition: *partition as i32,
            fetch_offset: *offset,
            partition_max_bytes: bytes as i32,
            ..FetchPartition::default()
        });
        let topic = FetchTopic {
            topic_id: self.topic,
            partitions: partitions.collect(),
            ..FetchTopic::default()
        };
        let request = FetchRequest {
            replica_id: -1,
            // A session begins with nothing to be read.
            max_wait_ms: if session.epoch == 0 { 0 } else { 500 },
            min_bytes: 1,
            max_bytes: 50 << 20,
            session_id: session.id,
            session_epoch: session.epoch,
            topics: match topic.partitions.is_empty() {
                true => Vec::new(),
                false => vec![topic],
            },
            ..FetchRequest::default()
        };
        framed(FETCH_VERSION, &request)
    }

    fn fetch(&mut self, frame: &Bytes, counts: bool) -> Fetched {
        let answer = decoded::<FetchRequest>(FETCH_VERSION, self.ask(frame, counts));
        assert_eq!(answer.error_code, 0);
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let records = partitions.map(|partition| {
            assert_eq!(partition.error_code, 0, "{partition:?}");
            partition
                .records
                .as_ref()
                .map_or(0, |records| records.len())
        });
        Fetched {
            session_id: answer.session_id,
            records_bytes: records.sum(),
        }
    }

    fn ask(&mut self, frame: &Bytes, counts: bool) -> Bytes {
        self.rig.count(counts);
        let answer = self.rig.ask(frame);
        self.rig.count(false);
        answer
    }
}

/// A request of a flexible version, with its size. Always the same correlation id: one is under way at a time.
fn framed<R: Request>(version: i16, request: &R) -> Bytes {
    assert!(version >= R::FLEXIBLE_FROM, "{} {version}", R::NAME);
    let mut w = Writer::frame();
    w.i16(R::API_KEY);
    w.i16(version);
    w.i32(1);
    let written = w.opt_str(Some(&TOPIC), false, true).and_then(|()| {
        w.uvarint(0);
        request.encode(&mut w, version)
    });
    written.expect("a request of this version");
    w.into_bytes()
}

/// The answer to it, of a flexible version as well.
fn decoded<R: Request>(version: i16, mut answer: Bytes) -> R::Response {
    let header = answer.split_to(5);
    assert_eq!(header[..], [0, 0, 0, 1, 0], "{}", R::NAME);
    let mut reader = Reader::new(answer);
    let response = R::Response::decode(&mut reader, version).expect("a response of this version");
    reader.finish().expect("nothing behind it");
    response
}
