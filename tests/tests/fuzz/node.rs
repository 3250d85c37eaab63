//! A whole broker in this thread, on the simulator's disk and network: real worker, log, controller and groups.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};
use corelane_engine::batch::BatchBuilder;
use corelane_engine::fatal::Fatal;
use corelane_engine::limits::{BLOCK, Limits};
use corelane_engine::rng::Rng;
use corelane_engine::types::Timestamp;
use corelane_net::api::TABLE;
use corelane_net::event::{ConnId, Event};
use corelane_protocol::{Message, Writer};
use corelane_tests::harness::wire::{
    create_topics, decode_response, fetch_request, produce_request, topic_of,
};
use corelane_tests::sim::disk::{Contents, FakeDisk};
use corelane_tests::sim::swarm::{AnyMachine, Options, node};
use corelane_tests::sim::wire::framed;
use corelane_tests::sim::world::{Boot, ClientEvent, ClientId, Hands, Pace, Workload, World};
use kafka_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use kafka_protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, GroupId, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use uuid::Uuid;

use crate::fill::{Fill, Sample};
use crate::sample::each_api;
use crate::target::{Memory, Target, USUAL, word, word_of};

/// Longest anything takes in simulated time: rebalances and long polls end before it.
const WITHIN_NS: u64 = 120_000_000_000;
/// And in events: who reaches it turns in circles.
const EVENTS_MAX: u64 = 3_000_000;

const HEALTHY: ClientId = ClientId(9);
/// Shards of the broker.
const SHARDS: u16 = 2;

type Make = fn(Boot) -> AnyMachine;

fn make(boot: Boot) -> AnyMachine {
    let mut options = Options::plain(0);
    options.limits = Limits::TINY;
    node(&options, boot)
}

/// What clients have heard.
#[derive(Default)]
struct Lines(BTreeMap<ClientId, Line>);

#[derive(Default)]
struct Line {
    conn: Option<ConnId>,
    inbox: BytesMut,
    refused: bool,
}

impl Line {
    /// The next whole frame, without its size.
    fn frame(&mut self) -> Option<Bytes> {
        let (size, rest) = self.inbox.split_first_chunk::<4>()?;
        let size = i32::from_be_bytes(*size);
        assert!((4..1 << 24).contains(&size), "an answer of {size} bytes");
        if rest.len() < size as usize {
            return None;
        }
        self.inbox.advance(4);
        Some(self.inbox.split_to(size as usize).freeze())
    }
}

impl Workload for Lines {
    fn on(&mut self, _: u64, client: ClientId, event: ClientEvent, _: &mut Hands) {
        let line = self.0.entry(client).or_default();
        match event {
            ClientEvent::Wake => {}
            ClientEvent::Connected { conn, .. } => line.conn = Some(conn),
            ClientEvent::Refused => line.refused = true,
            ClientEvent::Data { bytes, .. } => line.inbox.extend_from_slice(&bytes),
            ClientEvent::Closed { .. } => line.conn = None,
        }
    }
}

/// A broker and its clients.
pub(crate) struct Bed {
    pub(crate) world: World<AnyMachine, Make>,
    lines: Lines,
    asked: i32,
}

impl Bed {
    /// On an empty disk, or one that holds something. Not started.
    pub(crate) fn new(contents: Option<&Contents>) -> Bed {
        let make: Make = make;
        let mut world = World::new(1, Pace::default(), make);
        if let Some(contents) = contents {
            world.disk.begin_with(contents);
        }
        Bed {
            world,
            lines: Lines::default(),
            asked: 0,
        }
    }

    /// Steps until something is so, the broker has ended, or too much time is over; whether it is so.
    fn until(&mut self, reached: impl Fn(&Bed) -> bool) -> bool {
        let end = self.world.now() + WITHIN_NS;
        let mut events = 0;
        while !reached(self) && self.world.is_up() && self.world.now() < end {
            if !self.world.step(&mut self.lines) {
                break;
            }
            events += 1;
            assert!(events < EVENTS_MAX, "turns in circles");
        }
        reached(self)
    }

    /// Starts it: open for clients, or why not.
    pub(crate) fn open(&mut self) -> Result<(), Fatal> {
        self.world.start(SHARDS);
        if self.until(|bed| bed.world.is_accepting()) {
            return Ok(());
        }
        let (_, fatal) = self.world.take_fatal().expect("it opens or ends by name");
        Err(fatal)
    }

    /// So much simulated time passes.
    fn pass(&mut self, ns: u64) {
        let end = self.world.now() + ns;
        self.until(|bed| bed.world.now() >= end);
    }

    fn line(&mut self, client: ClientId) -> &mut Line {
        self.lines.0.entry(client).or_default()
    }

    /// True: there is a connection.
    pub(crate) fn connect(&mut self, client: ClientId) -> bool {
        *self.line(client) = Line::default();
        let mut hands = Hands::default();
        hands.connect(client);
        self.world.perform(hands);
        let knows = move |bed: &Bed| {
            (bed.lines.0.get(&client)).is_some_and(|l| l.conn.is_some() || l.refused)
        };
        self.until(knows);
        self.line(client).conn.is_some()
    }

    fn send(&mut self, client: ClientId, bytes: Bytes) {
        if let Some(conn) = self.line(client).conn {
            let mut hands = Hands::default();
            hands.send(conn, bytes);
            self.world.perform(hands);
        }
    }

    /// One request, one answer; `None`: the connection or the broker ended.
    pub(crate) fn call<R: Request>(&mut self, version: i16, request: &R) -> Option<R::Response> {
        self.asked += 1;
        let asked = self.asked;
        self.send(HEALTHY, framed(version, asked, request));
        let heard = |bed: &Bed| {
            let line = &bed.lines.0[&HEALTHY];
            let size = line
                .inbox
                .first_chunk::<4>()
                .map(|size| i32::from_be_bytes(*size));
            line.conn.is_none() || size.is_some_and(|size| line.inbox.len() >= 4 + size as usize)
        };
        let answered = self.until(heard);
        if !self.world.is_up() {
            return None;
        }
        assert!(answered, "api {} is not answered", R::KEY);
        let frame = self.line(HEALTHY).frame()?;
        let (id, answer) = decode_response::<R>(version, &frame);
        assert_eq!(id, asked, "answers come in the order asked");
        Some(answer)
    }

    /// SIGTERM, waited for.
    fn stop(&mut self) {
        self.world.tell_all(|| Event::Stop);
        self.until(|_| false);
        assert!(!self.world.is_up(), "it does not stop");
    }
}

/// The partitions that hold something.
pub(crate) const PLACES: [(&str, i32); 4] = [("t", 0), ("t", 1), ("u", 0), ("u", 1)];
pub(crate) const GROUPS: [&str; 3] = ["g", "h", "i"];
/// Commits of each group, one after the other: 1, 2, 3, …
pub(crate) const COMMITS: i64 = 6;

/// A disk with a broker's data, and what was promised about it.
pub(crate) struct Base {
    pub(crate) contents: Contents,
    /// Batches as they were served, by their first offset.
    pub(crate) batches: BTreeMap<((&'static str, i32), i64), Bytes>,
    pub(crate) topics: BTreeMap<String, Topic>,
    /// What was decided last.
    last: Piece,
}

/// A topic as clients are told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Topic {
    id: Uuid,
    partitions: usize,
    /// Those it was given, by name.
    configs: BTreeMap<String, String>,
}

/// A piece of a file.
struct Piece {
    path: String,
    at: usize,
    bytes: Vec<u8>,
}

impl Base {
    /// Topics of both durability classes with several segments, batches that are journaled and that are not, an idempotent
    /// producer, committed offsets. Killed, or stopped cleanly.
    pub(crate) fn new(cleanly: bool) -> Base {
        let mut bed = Bed::new(None);
        bed.open().expect("an empty directory");
        assert!(bed.connect(HEALTHY));
        for (topic, durability) in [("t", "disk"), ("u", "process")] {
            let configs = [
                ("internal.segment.bytes", "16384"),
                ("corelane.durability", durability),
            ];
            let made = bed
                .call(5, &create_topics(topic, 2, &configs))
                .expect("served");
            assert_eq!(made.topics[0].error_code, 0, "{made:?}");
        }
        let mut rng = Rng::new(5);
        let mut sequence = 0;
        for n in 0..60 {
            let (topic, partition) = PLACES[n % PLACES.len()];
            let length = match n % 7 {
                0 => 9_000,
                3 => 3_000,
                _ => 20 + rng.below(300),
            };
            let value = vec![n as u8; length as usize];
            let mut builder = BatchBuilder::new().value(Timestamp(-1), &value);
            builder = builder.value(Timestamp(-1), &[n as u8; 3]);
            if (topic, partition) == PLACES[0] {
                builder = builder.producer(7, 0, sequence);
                sequence += 2;
            }
            let request = produce_request(topic, partition, -1, builder.build());
            let answer = bed.call(9, &request).expect("served");
            let answer = &answer.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, 0, "{answer:?}");
        }
        for group in GROUPS {
            let find = FindCoordinatorRequest::default().with_key(StrBytes::from_static_str(group));
            while bed.call(2, &find).expect("served").error_code != 0 {}
            for offset in 1..=COMMITS {
                while bed.call(8, &commit(group, offset)).expect("served").topics[0].partitions[0]
                    .error_code
                    != 0
                {}
            }
        }
        let mut batches = BTreeMap::new();
        for place in PLACES {
            bed.read(place, |batch| {
                batches.insert((place, base_offset(&batch)), batch);
            })
            .expect("nothing is damaged");
        }
        let topics = bed.topics().expect("it lives");
        match cleanly {
            true => bed.stop(),
            false => bed.world.kill(),
        }
        Base {
            contents: bed.world.disk.contents(),
            batches,
            topics,
            last: last_group(&bed.world.disk),
        }
    }

    /// Whether the metadata log's last group stands where it stood: then nothing before it may be missing unsaid.
    pub(crate) fn has_last(&self, disk: &FakeDisk) -> bool {
        let Piece { path, at, bytes } = &self.last;
        let mut files = disk.files().filter(|(of, _)| *of == path.as_str());
        let there = files.next().map(|(_, there)| there);
        there.is_some_and(|there| there.get(*at..*at + bytes.len()) == Some(&bytes[..]))
    }
}

/// The last group of the metadata log.
fn last_group(disk: &FakeDisk) -> Piece {
    const MAGIC: [u8; 4] = [0xc0, 0xff, 0x4d, 0x45];
    let logs = disk
        .files()
        .filter(|(path, _)| path.starts_with("meta/log-"));
    let (path, bytes) = logs.last().expect("there is one");
    let begins = (0..bytes.len()).step_by(BLOCK);
    let at = begins.rev().find(|at| bytes[*at..].starts_with(&MAGIC));
    let at = at.expect("it has groups");
    let used = bytes.iter().rposition(|byte| *byte != 0).expect("a group");
    let end = (used + 1).next_multiple_of(BLOCK);
    Piece {
        path: path.to_owned(),
        at,
        bytes: bytes[at..end].to_vec(),
    }
}

pub(crate) fn base_offset(batch: &[u8]) -> i64 {
    i64::from_be_bytes(*batch.first_chunk().expect("a batch"))
}

fn commit(group: &'static str, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(0)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(StrBytes::from_static_str("m")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_of("t"))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(GroupId(StrBytes::from_static_str(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic])
}

impl Bed {
    /// Every batch of a partition from offset 0 on. The error: what stood in the way.
    pub(crate) fn read(
        &mut self,
        (topic, partition): (&str, i32),
        mut see: impl FnMut(Bytes),
    ) -> Result<i64, i16> {
        let mut next = 0;
        loop {
            let request = fetch_request(topic, partition, next, 0);
            let Some(answer) = self.call(11, &request) else {
                return Err(i16::MAX);
            };
            let answer = &answer.responses[0].partitions[0];
            if answer.error_code != 0 {
                return Err(answer.error_code);
            }
            let mut records = answer.records.clone().unwrap_or_default();
            if records.is_empty() {
                return Ok(next);
            }
            while let Some(header) = records.first_chunk::<61>() {
                let length = i32::from_be_bytes(header[8..12].try_into().expect("4 bytes"));
                assert!(length >= 49, "a batch of {length} bytes is served");
                let length = 12 + length as usize;
                if length > records.len() {
                    break;
                }
                let batch = records.split_to(length);
                let deltas = i32::from_be_bytes(batch[23..27].try_into().expect("4 bytes"));
                let first = base_offset(&batch);
                assert!(
                    first == next,
                    "{topic}-{partition}: {first} is served where {next} is next"
                );
                next = first + i64::from(deltas) + 1;
                see(batch);
            }
        }
    }

    /// Every topic there is, by its name. `None`: the broker ended.
    pub(crate) fn topics(&mut self) -> Option<BTreeMap<String, Topic>> {
        let told = self.call(12, &MetadataRequest::default().with_topics(None))?;
        let mut topics = BTreeMap::new();
        for topic in told.topics {
            let name = topic.name.expect("a topic has a name").0;
            let resource = DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(name.clone())
                .with_configuration_keys(None);
            let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
            let configs = self.call(4, &request)?.results.remove(0).configs;
            // DYNAMIC_TOPIC_CONFIG: its own.
            let own = configs
                .into_iter()
                .filter(|config| config.config_source == 1);
            let own = own.map(|config| {
                let value = config.value.map(|value| value.to_string());
                (config.name.to_string(), value.unwrap_or_default())
            });
            let topic = Topic {
                id: topic.topic_id,
                partitions: topic.partitions.len(),
                configs: own.collect(),
            };
            topics.insert(name.to_string(), topic);
        }
        Some(topics)
    }

    /// What a group has committed; the error: why that is not known.
    pub(crate) fn committed(&mut self, group: &'static str) -> Result<i64, i16> {
        let topic = OffsetFetchRequestTopic::default()
            .with_name(topic_of("t"))
            .with_partition_indexes(vec![0]);
        let request = OffsetFetchRequest::default()
            .with_group_id(GroupId(StrBytes::from_static_str(group)))
            .with_topics(Some(vec![topic]));
        // COORDINATOR_LOAD_IN_PROGRESS passes.
        for _ in 0..1_000 {
            let answer = self.call(5, &request).ok_or(i16::MAX)?;
            match answer.error_code {
                0 => return Ok(answer.topics[0].partitions[0].committed_offset),
                14 => self.pass(1_000_000),
                code => return Err(code),
            }
        }
        panic!("{group} is being loaded for ever");
    }

    /// Produces one record; its answer.
    pub(crate) fn produce(&mut self, (topic, partition): (&str, i32)) -> Result<i64, i16> {
        let batch = BatchBuilder::new().value(Timestamp(-1), b"after").build();
        let answer = self
            .call(9, &produce_request(topic, partition, -1, batch))
            .ok_or(i16::MAX)?;
        let answer = &answer.responses[0].partition_responses[0];
        match answer.error_code {
            0 => Ok(answer.base_offset),
            code => Err(code),
        }
    }

    pub(crate) fn connect_healthy(&mut self) -> bool {
        self.connect(HEALTHY)
    }
}

#[test]
fn broker_loop() {
    let base = Base::new(true);
    Target {
        name: "broker_loop",
        // The node itself, and what it reads at its start; then as for any frame.
        memory: Memory {
            fixed: 24 << 20,
            per_byte: 600,
        },
        bytes_max: 8 << 10,
        generate: &|rng| {
            let mut input = Vec::new();
            for id in 0..1 + rng.below(6) as i32 {
                let frame = frame(rng, id);
                input.push(rng.next_u64() as u8);
                input.extend_from_slice(&(frame.len() as u16).to_be_bytes());
                input.extend_from_slice(&frame);
            }
            input
        },
        check: &|input| served(&base, input),
        ..USUAL
    }
    .run();
}

/// A sound request of an API that is served, with its size in front.
fn frame(rng: &mut Rng, id: i32) -> Vec<u8> {
    fn encoded<M: Message + Sample>(version: i16, seed: u64) -> Vec<u8> {
        let mut writer = Writer::plain();
        let message = M::sample(&mut Fill::familiar(seed), version);
        message
            .encode(&mut writer, version)
            .expect("a sample fits its version");
        writer.into_bytes().to_vec()
    }
    // Of a Produce the most is what its client made up.
    let produce = TABLE.iter().find(|entry| entry.key == 0);
    let any = &TABLE[rng.below(TABLE.len() as u64) as usize];
    let entry = produce.filter(|_| rng.one_in(6)).unwrap_or(any);
    let versions = (entry.version_max - entry.served_min + 1) as u64;
    let version = entry.served_min + rng.below(versions) as i16;
    let seed = rng.next_u64();
    macro_rules! by_key {
        ($($key:literal $request:ident $response:ident)*) => {
            match entry.key {
                $($key => encoded::<corelane_protocol::$request>(version, seed),)*
                key => panic!("Kafka has no API {key}"),
            }
        };
    }
    let body = each_api!(by_key);
    let mut frame = vec![0; 4];
    frame.extend_from_slice(&entry.key.to_be_bytes());
    frame.extend_from_slice(&version.to_be_bytes());
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(&[0, 1, b'c']);
    frame.extend((version >= entry.flexible_min).then_some(0));
    frame.extend_from_slice(&body);
    let size = frame.len() as u32 - 4;
    frame[..4].copy_from_slice(&size.to_be_bytes());
    frame
}

/// Three connections send what the input says. The broker lives on, answers in frames, serves another client, and what was
/// acknowledged before is there, as long as nobody asked for its end.
fn served(base: &Base, mut input: &[u8]) -> u64 {
    let mut bed = Bed::new(Some(&base.contents));
    bed.open().expect("a sound directory");
    let crowd = [ClientId(1), ClientId(2), ClientId(3)];
    for client in crowd {
        bed.connect(client);
    }
    while let [which, high, low, rest @ ..] = input {
        let client = crowd[usize::from(*which) % 3];
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        input = rest;
        if bed.line(client).conn.is_none() {
            bed.connect(client);
        }
        if length > 0 {
            bed.send(client, Bytes::copy_from_slice(bytes));
        }
        // At once, or after the answer.
        if which & 0x80 != 0 {
            bed.pass(20_000_000);
        }
    }
    bed.pass(100_000_000);
    assert!(
        bed.world.had_no_fatal() && bed.world.is_up(),
        "it ended: {:?}",
        bed.world.take_fatal()
    );
    let mut words = Vec::new();
    for client in crowd {
        let line = bed.line(client);
        words.push(u64::from(line.conn.is_none()));
        while let Some(frame) = line.frame() {
            // Where most answers have their first code.
            words.push(u64::from(crc32c::crc32c(&frame[4..frame.len().min(12)])) & 0xff);
        }
        assert!(
            line.conn.is_some() || line.inbox.is_empty(),
            "half an answer before the end"
        );
    }
    assert!(bed.connect_healthy(), "nobody else is let in");
    let answer = bed
        .call(0, &ApiVersionsRequest::default())
        .expect("it lives");
    assert_eq!(answer.error_code, 0);
    let mut served = 0;
    for place in PLACES {
        let end = bed.read(place, |batch| {
            let before = base.batches.get(&(place, base_offset(&batch)));
            assert!(
                before.is_none_or(|before| *before == batch),
                "{place:?}: another batch"
            );
            served += u64::from(before.is_some());
        });
        words.push(word_of(&end.err()));
    }
    words.push(u64::from(served == base.batches.len() as u64));
    word(&words)
}
