//! One Kafka client: a connection, requests in flight in order, and what the answers mean.
//!
//! ```text
//!  closed ── connect ─► connecting ─► open ── ask ─► waiting, in order ── answer ─► facts
//!    ▲                     │ refused     │ closed: the idempotent producer keeps what was not answered, and
//!    └────── a while ──────┴─────────────┘         sends it again, first of all; others forget it
//! ```

mod answers;

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use corelane_engine::batch::Codec;
use corelane_engine::rng::Rng;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    FetchRequest, IncrementalAlterConfigsRequest, InitProducerIdRequest, ListOffsetsRequest,
    MetadataRequest, ProduceRequest,
};
use kafka_protocol::protocol::Request;
use uuid::Uuid;

use super::history::{BatchNo, Expiry, Fact, History, Place, ServedBatch, Times, TopicNo};
use super::session::{Plan, Session};
use super::wire::{self, FetchBounds};
use super::world::{ClientId, Hands, Start, wall_ms};
use crate::harness::wire::{create_topics, topic_of};
use corelane_engine::types::{Durability, Timestamp};
use corelane_net::event::ConnId;

/// Small, so that segments roll: Kafka's own setting for tests, below the minimum of `segment.bytes`.
pub(super) const SEGMENT_BYTES: &str = "40960";
/// What a topic that expires may be configured to, the least first, as it is created.
pub(super) const RETENTION_BYTES: [&str; 3] = ["50000", "120000", "-1"];
pub(super) const RETENTION_MS: [&str; 3] = ["30", "100", "-1"];
pub(super) const EXPIRIES: [Expiry; 2] = [Expiry::Bytes(50_000), Expiry::Ms(30)];

/// What an answer is awaited for.
#[derive(Clone, Debug)]
pub enum Ask {
    Create(TopicNo),
    Delete(TopicNo),
    /// Other configs, by name and value.
    Alter(TopicNo, Vec<(&'static str, &'static str)>),
    /// So many partitions.
    Grow(TopicNo, i32),
    Metadata {
        asked: usize,
    },
    InitProducer,
    Produce {
        acks: i16,
        batches: Vec<BatchNo>,
    },
    Fetch {
        positions: Vec<(Place, i64)>,
    },
    Latest {
        places: Vec<Place>,
    },
    Earliest {
        places: Vec<Place>,
    },
    /// Records below are to be deleted. `beyond`: more than there were.
    Trim {
        place: Place,
        below: i64,
        beyond: bool,
    },
}

#[derive(Debug)]
struct Waiting {
    correlation: i32,
    version: i16,
    ask: Ask,
    /// The length of the history when it was asked.
    when: usize,
}

/// What came of an ask, as far as the client's owner has to act on it.
#[derive(Debug)]
pub enum Told {
    Created(TopicNo),
    Deleted(TopicNo),
    Grown(TopicNo, i32),
    Listed,
    Fetched {
        place: Place,
        asked: i64,
        result: Result<Vec<ServedBatch>, i16>,
    },
    Latest(Vec<(Place, i64)>),
    Earliest(Vec<(Place, i64)>),
}

/// What all clients know of topics that exist.
#[derive(Clone, Debug, Default)]
pub struct Ids(pub BTreeMap<TopicNo, Uuid>);

impl Ids {
    pub fn of(&self, place: Place) -> Uuid {
        self.0.get(&place.topic).copied().unwrap_or_default()
    }
}

/// What a seed's clients do besides plain requests: each by itself on or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Habits {
    /// Batches of any codec.
    pub codecs: bool,
    /// Consumers fetch in sessions.
    pub sessions: bool,
    /// Consumers go back to the begin of a partition, once in so many looks.
    pub rewind_one_in: Option<u64>,
    /// Fetches that want many bytes, and wait for them.
    pub min_bytes: bool,
    /// One in so many requests is cut off in the middle of its frame.
    pub cut_one_in: Option<u64>,
    /// Records say when they were made, and answers where logs begin.
    pub ages: bool,
}

impl Habits {
    pub const PLAIN: Habits = Habits {
        codecs: false,
        sessions: false,
        rewind_one_in: None,
        min_bytes: false,
        cut_one_in: None,
        ages: false,
    };
}

/// How a client works. Drawn once per client.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub idempotent: bool,
    pub in_flight_max: usize,
    /// Of 8 fetches and produces, so many use versions with topic ids where they may.
    pub new_of_8: u64,
    pub habits: Habits,
}

pub struct Client {
    pub id: ClientId,
    pub style: Style,
    pub conn: Option<ConnId>,
    /// The life of the process on the other side.
    life: Start,
    connecting: bool,
    inbox: BytesMut,
    correlation: i32,
    waiting: VecDeque<Waiting>,
    producer: Option<(i64, i16)>,
    /// A sequence was refused: the next batch needs a new producer id.
    broken: bool,
    sequences: BTreeMap<Place, i32>,
    /// Not answered when the connection was lost, to be asked again, in order.
    again: VecDeque<Ask>,
    attempts: BTreeMap<BatchNo, u32>,
    /// Of a consumer that fetches in sessions.
    session: Session,
    /// Answered by a code that leaves the outcome open: to be sent again, before everything else.
    retry: Vec<BatchNo>,
    /// Requests that had their answer.
    pub answered: u64,
    pub rng: Rng,
}

impl Client {
    pub fn new(id: ClientId, seed: u64, habits: Habits) -> Client {
        let mut rng = Rng::new(seed);
        let style = Style {
            idempotent: rng.below(3) > 0,
            in_flight_max: 1 + rng.below(5) as usize,
            new_of_8: rng.below(9),
            habits,
        };
        Client {
            id,
            style,
            conn: None,
            life: Start(0),
            connecting: false,
            inbox: BytesMut::new(),
            correlation: 0,
            waiting: VecDeque::new(),
            producer: None,
            broken: false,
            sequences: BTreeMap::new(),
            again: VecDeque::new(),
            attempts: BTreeMap::new(),
            session: Session::default(),
            retry: Vec::new(),
            answered: 0,
            rng,
        }
    }

    /// Nothing is under way, and nothing is to be asked again.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.again.is_empty()
    }

    /// The life of the process that it talks, or last talked, to.
    pub fn life(&self) -> Start {
        self.life
    }

    pub fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    /// For a report of what never came.
    pub fn describe(&self) -> String {
        let (waiting, again) = (self.waiting.front(), self.again.front());
        format!(
            "{:?}: waits for {waiting:?}, to ask again {again:?}",
            self.id
        )
    }

    /// Connects when it is not connected; true: it is.
    pub fn ensure(&mut self, hands: &mut Hands) -> bool {
        if self.conn.is_none() && !self.connecting {
            self.connecting = true;
            hands.connect(self.id);
        }
        self.conn.is_some()
    }

    pub fn on_connected(
        &mut self,
        conn: ConnId,
        life: Start,
        ids: &Ids,
        history: &mut History,
        now: u64,
        hands: &mut Hands,
    ) {
        (self.connecting, self.conn, self.life) = (false, Some(conn), life);
        self.inbox.clear();
        for ask in std::mem::take(&mut self.again) {
            self.ask(ask, ids, history, now, hands);
        }
    }

    pub fn on_refused(&mut self) {
        self.connecting = false;
    }

    /// The connection is gone. What cannot be asked again without harm is forgotten: its outcome is unknown for ever.
    pub fn on_closed(&mut self, conn: ConnId) {
        if self.conn != Some(conn) {
            return;
        }
        self.conn = None;
        self.session.restart();
        for waiting in self.waiting.drain(..) {
            let again = match &waiting.ask {
                Ask::Produce { .. } => self.style.idempotent,
                Ask::Create(_)
                | Ask::Delete(_)
                | Ask::Alter(..)
                | Ask::Grow(..)
                | Ask::InitProducer => true,
                Ask::Metadata { .. }
                | Ask::Fetch { .. }
                | Ask::Latest { .. }
                | Ask::Earliest { .. }
                | Ask::Trim { .. } => false,
            };
            if again {
                self.again.push_back(waiting.ask);
            }
        }
    }

    /// Closes the connection by itself, politely or not.
    pub fn hang_up(&mut self, reset: bool, hands: &mut Hands) {
        if let Some(conn) = self.conn {
            match reset {
                true => hands.reset(conn),
                false => hands.close(conn),
            }
            self.on_closed(conn);
        }
    }

    /// Makes and sends batches to some partitions; false: it must get a producer id first, and asks for it.
    pub fn produce(
        &mut self,
        places: &[Place],
        straight_bytes_min: usize,
        ids: &Ids,
        history: &mut History,
        now: u64,
        hands: &mut Hands,
    ) -> bool {
        if self.style.idempotent && self.producer.is_none() {
            let asked = |w: &Waiting| matches!(w.ask, Ask::InitProducer);
            if !self.waiting.iter().any(asked) {
                self.ask(Ask::InitProducer, ids, history, now, hands);
            }
            return false;
        }
        if self.broken {
            // All that was sent under the old id is answered first: its order must not be disturbed.
            if self.waiting.is_empty() {
                (self.producer, self.broken) = (None, false);
                self.sequences.clear();
            }
            return false;
        }
        let acks = match self.rng.below(6) {
            0 if !self.style.idempotent => 0,
            1 if !self.style.idempotent => 1,
            _ => -1,
        };
        let mut batches = Vec::new();
        for place in places {
            let mut bytes = wire::draw_bytes(&mut self.rng, straight_bytes_min);
            if !self.style.idempotent && self.rng.one_in(40) {
                // Larger than a segment: to be refused.
                bytes = 45_000;
            }
            let producer = match self.producer {
                Some((id, epoch)) => {
                    let sequence = self.sequences.entry(*place).or_default();
                    (id, epoch, *sequence)
                }
                None => (-1, -1, -1),
            };
            let codec = match self.style.habits.codecs {
                true => wire::draw_codec(&mut self.rng),
                false => Codec::None,
            };
            let time = match self.style.habits.ages {
                true => Timestamp(wall_ms(now)),
                false => wire::LONG_AGO,
            };
            let (mut bytes, count) = wire::batch(&mut self.rng, bytes, codec, producer, time);
            if let Some(sequence) = self.sequences.get_mut(place) {
                *sequence += count;
            } else if acks != 0 && self.rng.one_in(40) {
                // To be refused: a flipped bit that its CRC does not know.
                let mut damaged = bytes.to_vec();
                let last = damaged.len() - 1;
                damaged[last] ^= 1;
                bytes = damaged.into();
            }
            batches.push(history.add_batch(super::history::Batch {
                place: *place,
                client: self.id,
                bytes,
                count,
                time: time.0,
                idempotent: self.style.idempotent,
                conn: self.conn.expect("produces on an open connection"),
            }));
        }
        self.ask(Ask::Produce { acks, batches }, ids, history, now, hands);
        true
    }

    /// Sends a request, now.
    pub fn ask(&mut self, ask: Ask, ids: &Ids, history: &mut History, now: u64, hands: &mut Hands) {
        let Some(conn) = self.conn else {
            self.again.push_back(ask);
            return;
        };
        self.correlation += 1;
        let correlation = self.correlation;
        let new = self.rng.below(8) < self.style.new_of_8;
        let (version, bytes) = match &ask {
            Ask::Create(topic) => {
                history.note(now, self.life, Fact::CreateAsked(*topic));
                let wanted = &history.topics[topic];
                let durability = match wanted.durability {
                    Durability::Disk => "disk",
                    Durability::Process => "process",
                };
                let mut configs = vec![
                    ("corelane.durability", durability),
                    ("internal.segment.bytes", SEGMENT_BYTES),
                ];
                if wanted.times == Times::LogAppend {
                    configs.push(("message.timestamp.type", "LogAppendTime"));
                }
                if wanted.opened {
                    configs.push(("corelane.validate", "records"));
                }
                match wanted.expiry {
                    Expiry::Never => {}
                    Expiry::Bytes(_) => configs.push(("retention.bytes", RETENTION_BYTES[0])),
                    Expiry::Ms(_) => configs.push(("retention.ms", RETENTION_MS[0])),
                }
                if self.style.habits.ages {
                    // Files go at once, or while others are read.
                    let delay = if topic.0.is_multiple_of(2) { "0" } else { "40" };
                    configs.push(("file.delete.delay.ms", delay));
                }
                let request = create_topics(&topic.name(), wanted.partitions, &configs);
                encode::<CreateTopicsRequest>(7, correlation, &request)
            }
            Ask::Delete(topic) => {
                history.note(now, self.life, Fact::DeleteAsked(*topic));
                let name = topic_of(&topic.name());
                let topic = DeleteTopicState::default().with_name(Some(name));
                let request = DeleteTopicsRequest::default()
                    .with_topics(vec![topic])
                    .with_timeout_ms(30_000);
                encode::<DeleteTopicsRequest>(6, correlation, &request)
            }
            Ask::Alter(topic, configs) => {
                let request = wire::alter(&topic.name(), configs);
                encode::<IncrementalAlterConfigsRequest>(1, correlation, &request)
            }
            Ask::Grow(topic, partitions) => {
                history.note(now, self.life, Fact::GrowAsked(*topic, *partitions));
                let request = wire::grow(&topic.name(), *partitions);
                encode::<CreatePartitionsRequest>(2, correlation, &request)
            }
            Ask::Metadata { .. } => {
                let request = MetadataRequest::default()
                    .with_topics(None)
                    .with_allow_auto_topic_creation(false);
                let version = if new { 12 } else { 4 };
                encode::<MetadataRequest>(version, correlation, &request)
            }
            Ask::InitProducer => {
                let request = InitProducerIdRequest::default()
                    .with_transactional_id(None)
                    .with_transaction_timeout_ms(60_000)
                    .with_producer_id((-1).into())
                    .with_producer_epoch(-1);
                let version = if new { 4 } else { 1 };
                encode::<InitProducerIdRequest>(version, correlation, &request)
            }
            Ask::Produce { acks, batches } => {
                let sent: Vec<(Place, Bytes)> = (batches.iter())
                    .map(|b| (history.batch(*b).place, history.batch(*b).bytes.clone()))
                    .collect();
                for batch in batches {
                    let attempt = self.attempts.entry(*batch).or_default();
                    *attempt += 1;
                    let (batch, attempt) = (*batch, *attempt);
                    history.note(now, self.life, Fact::Sent { batch, attempt });
                }
                let known = sent.iter().all(|(place, _)| !ids.of(*place).is_nil());
                let version = match (new, known) {
                    (true, true) => 13,
                    (true, false) => 9 + self.rng.below(4) as i16,
                    // zstd wants these.
                    (false, _) if self.style.habits.codecs => 7 + self.rng.below(2) as i16,
                    (false, _) => 3 + self.rng.below(6) as i16,
                };
                let request = wire::produce(*acks, &sent, |place| ids.of(place));
                encode::<ProduceRequest>(version, correlation, &request)
            }
            Ask::Fetch { positions } => {
                let bounds = FetchBounds {
                    wait_ms: [0, 10, 100, 500][self.rng.below(4) as usize],
                    min_bytes: match self.style.habits.min_bytes {
                        true => [1, 1_000, 100_000][self.rng.below(3) as usize],
                        false => 1,
                    },
                    max_bytes: 1 << 20,
                    partition_max_bytes: [1, 4_096, 65_536, 1 << 20][self.rng.below(4) as usize],
                };
                let known = positions.iter().all(|(place, _)| !ids.of(*place).is_nil());
                let sessions = self.style.habits.sessions;
                let version = match (new, known) {
                    (true, true) => 13 + self.rng.below(5) as i16,
                    (true, false) => 12,
                    (false, _) if self.style.habits.codecs => 10 + self.rng.below(2) as i16,
                    (false, _) if sessions => 7 + self.rng.below(5) as i16,
                    (false, _) => 4 + self.rng.below(8) as i16,
                };
                let plan = match sessions {
                    true => self.session.plan(positions, version >= 13),
                    false => Plan::full(positions),
                };
                let request = wire::fetch(&plan, bounds, |place| ids.of(place));
                encode::<FetchRequest>(version, correlation, &request)
            }
            Ask::Latest { places } => {
                let version = 1 + self.rng.below(8) as i16;
                let request = wire::list_offsets(places, -1);
                encode::<ListOffsetsRequest>(version, correlation, &request)
            }
            Ask::Earliest { places } => {
                let version = 1 + self.rng.below(8) as i16;
                let request = wire::list_offsets(places, -2);
                encode::<ListOffsetsRequest>(version, correlation, &request)
            }
            Ask::Trim { place, below, .. } => {
                let (place, below) = (*place, *below);
                history.note(now, self.life, Fact::TrimAsked { place, below });
                let request = wire::delete_records(place, below);
                let version = self.rng.below(3) as i16;
                encode::<DeleteRecordsRequest>(version, correlation, &request)
            }
        };
        let cut = self.style.habits.cut_one_in;
        let cut = cut.is_some_and(|n| self.rng.one_in(n));
        let sent = match cut {
            true => bytes.slice(..self.rng.below(bytes.len() as u64) as usize),
            false => bytes,
        };
        hands.send(conn, sent);
        if !matches!(ask, Ask::Produce { acks: 0, .. }) {
            self.waiting.push_back(Waiting {
                correlation,
                version,
                ask,
                when: history.entries.len(),
            });
        }
        if cut {
            let reset = self.rng.one_in(2);
            self.hang_up(reset, hands);
        }
    }

    /// Bytes came: every whole answer becomes facts, and what the owner has to know.
    pub fn on_data(
        &mut self,
        conn: ConnId,
        bytes: &[u8],
        ids: &mut Ids,
        history: &mut History,
        now: u64,
        hands: &mut Hands,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        if self.conn != Some(conn) {
            return told;
        }
        self.inbox.extend_from_slice(bytes);
        while let Some(frame) = wire::take_frame(&mut self.inbox) {
            let Some(waiting) = self.waiting.pop_front() else {
                let what = format!("{:?}: an answer that nobody waits for", self.id);
                history.note(now, self.life, Fact::Nonsense(what));
                break;
            };
            self.answered += 1;
            self.on_answer(waiting, &frame, ids, history, now, &mut told);
            if !self.retry.is_empty() {
                // What is in flight behind it must not overtake it: all of it goes again, on another connection.
                let (acks, batches) = (-1, std::mem::take(&mut self.retry));
                self.again.push_back(Ask::Produce { acks, batches });
                self.hang_up(true, hands);
                break;
            }
        }
        told
    }
}

fn encode<R: Request>(version: i16, correlation: i32, request: &R) -> (i16, Bytes) {
    (version, wire::framed(version, correlation, request))
}
