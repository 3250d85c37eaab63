//! A node of some shards without kernel: fake storage, fake sockets, and a controller that agrees to everything.

use std::collections::{BTreeMap, VecDeque};

use bytes::{BufMut, Bytes, BytesMut};
use corelane_engine::call::{
    Answer, AnswerBody, AppendAnswer, AppendError, Appended, Call, CallBody, DeleteAnswer,
    DeleteError, EpochAnswer, ListAnswer, ListWhat, Listed, LogSize, LogSizes, ReadAnswer,
    ReadDone, ReadError, RequestToken, WatchItem,
};
use corelane_engine::controller::command::{
    Broker, Command, CommandError, Endpoint, Layout, NewTopic, Outcome, PartitionState, Quorum,
    QuorumMember, Record,
};
use corelane_engine::controller::image::Image;
use corelane_engine::controller::{alter, grow, names};
use corelane_engine::disk::{DiskDone, Space};
use corelane_engine::limits::BATCH_HEADER;
use corelane_engine::rng::Rng;
use corelane_engine::shard::ShardOut;
use corelane_engine::types::{
    Instant, LeaderEpoch, NodeId, Now, Offset, ShardId, Timestamp, TopicId, TopicPartition,
};

use super::fake_groups::FakeGroups;
use super::{NetLimits, Parts, Worker};
use crate::api;
use crate::context::{Authorize, authorize_all};
use crate::event::{ConnId, Event, Machine, Outbox, SocketOp};
use crate::listeners::{Listener, ListenerId};
use crate::protocol::{Message, Reader, Writer};
use crate::storage::Storage;

/// Batches in memory; appends are answered when `settle` finds `hold` off.
#[derive(Debug, Default)]
pub(super) struct Fake {
    pub(super) logs: BTreeMap<TopicPartition, Vec<Bytes>>,
    pub(super) hold: bool,
    pub(super) pending: VecDeque<(ShardId, RequestToken, AppendAnswer)>,
    pub(super) watches: Vec<Watch>,
    /// `max_bytes` of every read.
    pub(super) asked_bytes: Vec<u32>,
    /// What was asked, in order.
    pub(super) log: Vec<String>,
    pub(super) groups: FakeGroups,
}

#[derive(Debug)]
pub(super) struct Watch {
    from: ShardId,
    request: RequestToken,
    missing: u64,
    items: Vec<WatchItem>,
}

pub(super) fn count(batch: &Bytes) -> i64 {
    i64::from(i32::from_be_bytes(
        batch[57..61].try_into().expect("4 bytes"),
    ))
}

impl Fake {
    fn end(&self, partition: TopicPartition) -> Offset {
        Offset(
            self.logs
                .get(&partition)
                .map_or(0, |log| log.iter().map(count).sum()),
        )
    }

    fn wake(&mut self, out: &mut ShardOut) {
        for watch in std::mem::take(&mut self.watches) {
            let new: usize = watch.items.iter().map(|item| self.new_bytes(item)).sum();
            if (new as u64) < watch.missing {
                self.watches.push(watch);
                continue;
            }
            out.answers.push((
                watch.from,
                Answer {
                    request: watch.request,
                    body: AnswerBody::Changed,
                },
            ));
        }
    }

    /// Bytes from the seen end on.
    fn new_bytes(&self, item: &WatchItem) -> usize {
        let mut end = 0;
        let new = self.logs[&item.partition].iter().filter(|batch| {
            end += count(batch);
            end > item.seen_end.0
        });
        new.map(Bytes::len).sum()
    }
}

impl Storage for Fake {
    fn call(&mut self, _: Now, call: Call, out: &mut ShardOut) {
        let Call {
            from,
            request,
            body,
        } = call;
        match body {
            CallBody::Append { items, .. } => {
                for item in items {
                    self.log
                        .push(format!("append {}", item.partition.partition));
                    let base = self.end(item.partition);
                    let result = match self.logs.get_mut(&item.partition) {
                        None => Err(AppendError::UnknownPartition),
                        Some(_) if item.records.len() < BATCH_HEADER => {
                            Err(AppendError::Corrupt("too short".to_owned()))
                        }
                        Some(log) => {
                            let mut batch = BytesMut::from(&item.records[..]);
                            batch[..8].copy_from_slice(&base.0.to_be_bytes());
                            log.push(batch.freeze());
                            Ok(Appended {
                                base_offset: base,
                                log_append_time: Timestamp(-1),
                                log_start: Offset(0),
                            })
                        }
                    };
                    self.pending.push_back((
                        from,
                        request,
                        AppendAnswer {
                            slot: item.slot,
                            result,
                        },
                    ));
                }
            }
            CallBody::Read { max_bytes, items } => {
                self.asked_bytes.push(max_bytes);
                let mut left = max_bytes as usize;
                self.log.push(format!("read {}", items.len()));
                let mut read = |item: &corelane_engine::call::ReadItem| {
                    let log = self
                        .logs
                        .get(&item.partition)
                        .ok_or(ReadError::UnknownPartition)?;
                    let end = self.end(item.partition);
                    if item.last_fetched_epoch.0 >= 0 && item.offset > end {
                        return Err(ReadError::Diverging {
                            epoch: LeaderEpoch(0),
                            end_offset: end,
                        });
                    }
                    if item.offset < Offset(0) || item.offset > end {
                        return Err(ReadError::OutOfRange {
                            log_start: Offset(0),
                            high_watermark: end,
                        });
                    }
                    let (mut next, mut bytes) = (0, 0);
                    let max_bytes = left.min(item.max_bytes as usize);
                    let records: Vec<Bytes> = log
                        .iter()
                        .filter(|batch| {
                            next += count(batch);
                            next > item.offset.0
                        })
                        // Whole batches; the first one always.
                        .take_while(|batch| {
                            let first = bytes == 0;
                            bytes += batch.len();
                            left > 0 && (first || bytes <= max_bytes)
                        })
                        .cloned()
                        .collect();
                    left = left.saturating_sub(records.iter().map(Bytes::len).sum());
                    Ok(ReadDone {
                        count: records.iter().map(|batch| count(batch) as u64).sum(),
                        records,
                        high_watermark: end,
                        last_stable: end,
                        log_start: Offset(0),
                    })
                };
                let answers = items
                    .iter()
                    .map(|item| ReadAnswer {
                        slot: item.slot,
                        result: read(item),
                    })
                    .collect();
                out.answers.push((
                    from,
                    Answer {
                        request,
                        body: AnswerBody::Read(answers),
                    },
                ));
            }
            CallBody::Watch { missing, items } => {
                self.log.push(format!("watch {}", items.len()));
                self.watches.retain(|w| w.request != request);
                self.watches.push(Watch {
                    from,
                    request,
                    missing,
                    items,
                });
                self.wake(out);
            }
            CallBody::Forget => {
                self.log.push("unwatch".to_owned());
                self.watches.retain(|w| w.request != request);
            }
            CallBody::Group { items } => self.groups.call(from, request, items, out),
            CallBody::ListGroups => {
                let body = AnswerBody::GroupsListed(self.groups.list());
                out.answers.push((from, Answer { request, body }));
            }
            CallBody::DeleteRecords { items } => {
                let answers = items.iter().map(|item| {
                    let end = self.end(item.partition);
                    let below = item.below.unwrap_or(end);
                    let result = match below <= end {
                        true => Ok(below),
                        false => Err(DeleteError::OutOfRange),
                    };
                    let slot = item.slot;
                    DeleteAnswer { slot, result }
                });
                let body = AnswerBody::Deleted(answers.collect());
                out.answers.push((from, Answer { request, body }));
            }
            CallBody::EpochEnds { items } => {
                let answers = items.iter().map(|item| EpochAnswer {
                    slot: item.slot,
                    result: Ok(Some((item.epoch, self.end(item.partition)))),
                });
                let body = AnswerBody::EpochEnds(answers.collect());
                out.answers.push((from, Answer { request, body }));
            }
            CallBody::LogSizes { partitions } => {
                let asked =
                    |id: &TopicPartition| partitions.as_ref().is_none_or(|p| p.contains(id));
                // Every shard has a log for every partition; only the owner's is written to.
                let logs = (self.logs.iter()).filter(|(id, log)| asked(id) && !log.is_empty());
                let sizes = logs.map(|(id, log)| LogSize {
                    partition: *id,
                    bytes: log.iter().map(|batch| batch.len() as u64).sum(),
                });
                let space = Some(Space {
                    total_bytes: 1_000,
                    usable_bytes: 100,
                });
                let sizes = sizes.collect();
                let body = AnswerBody::LogSizes(LogSizes { sizes, space });
                out.answers.push((from, Answer { request, body }));
            }
            CallBody::ListOffsets { items } => {
                let answers = items
                    .iter()
                    .map(|item| {
                        let at = |offset, timestamp| {
                            Some(Listed {
                                offset,
                                timestamp: Timestamp(timestamp),
                                leader_epoch: LeaderEpoch(0),
                            })
                        };
                        let result = Ok(match item.what {
                            ListWhat::Earliest => at(Offset(0), -1),
                            ListWhat::Latest => at(self.end(item.partition), -1),
                            ListWhat::MaxTimestamp => at(Offset(0), 77),
                            ListWhat::At(t) if t.0 <= 77 => at(Offset(0), 77),
                            ListWhat::At(_) => None,
                        });
                        ListAnswer {
                            slot: item.slot,
                            result,
                        }
                    })
                    .collect();
                out.answers.push((
                    from,
                    Answer {
                        request,
                        body: AnswerBody::Listed(answers),
                    },
                ));
            }
        }
    }

    fn on_disk(&mut self, _: Now, _: DiskDone, _: &mut ShardOut) {}

    fn settle(&mut self, _: Now, out: &mut ShardOut) {
        self.groups.settle(out);
        if self.hold {
            return;
        }
        while let Some((to, request, answer)) = self.pending.pop_front() {
            out.answers.push((
                to,
                Answer {
                    request,
                    body: AnswerBody::Appended(vec![answer]),
                },
            ));
        }
        self.wake(out);
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

#[derive(Debug, Default)]
pub(super) struct Peer {
    shard: usize,
    /// Bytes the broker has not received yet.
    inbox: Vec<u8>,
    /// A receive is under way, and into which buffer.
    receiving: Option<Option<BytesMut>>,
    pub(super) answers: BytesMut,
    pub(super) closed: bool,
    /// How many sends carried the answers.
    pub(super) sends: usize,
    /// The peer does not read: sends stay under way.
    pub(super) deaf: bool,
    /// What is under way to a deaf peer.
    pub(super) sending: Vec<Bytes>,
    /// The peer sends nothing after what is in the inbox.
    finished: bool,
}

impl Peer {
    /// Bytes left in the socket.
    pub(super) fn unread(&self) -> usize {
        self.inbox.len()
    }
}

pub(super) struct Rig {
    pub(super) workers: Vec<Worker<Fake>>,
    pub(super) now: Now,
    pub(super) peers: BTreeMap<ConnId, Peer>,
    /// The controller answers nothing while this is on.
    pub(super) undecided: bool,
    /// And refuses every topic while this is.
    pub(super) refusing: bool,
    /// Topics that were asked for, in order.
    pub(super) created: Vec<NewTopic>,
    waiting: Vec<(usize, crate::desk::Proposed)>,
    next_id: i64,
    connected: u64,
}

/// Name, host and port of each listener of the node, by its id.
pub(super) const LISTENERS: [(&str, &str, u16); 2] =
    [("PLAINTEXT", "127.0.0.1", 9092), ("CONTAINER", "::1", 9093)];

impl Rig {
    pub(super) fn new(shards: u16) -> Rig {
        Rig::with(shards, authorize_all, NetLimits::NORMAL)
    }

    pub(super) fn with(shards: u16, authorize: Authorize, limits: NetLimits) -> Rig {
        let endpoints = LISTENERS.iter().map(|&(name, host, port)| Endpoint {
            listener: name.to_owned(),
            host: host.to_owned(),
            port,
        });
        let listeners = endpoints.clone().map(|endpoint| Listener {
            bound: ([0, 0, 0, 0], endpoint.port).into(),
            endpoint,
        });
        let broker = Record::Broker(Broker {
            node: NodeId(1),
            endpoints: endpoints.clone().collect(),
            rack: Some("r1".to_owned()),
            incarnation: [0; 16],
        });
        let image = Image::of(0, &[Record::Cluster { id: [0; 16] }, broker]).expect("sound");
        let workers = (0..shards)
            .map(|shard| {
                Worker::new(Parts {
                    me: ShardId(shard),
                    shards,
                    node: NodeId(1),
                    image: image.clone(),
                    directory: "/data".to_owned(),
                    storage: Fake::default(),
                    limits: limits.clone(),
                    rng: Rng::new(u64::from(shard)),
                    authorize,
                    listeners: listeners.clone().collect(),
                })
            })
            .collect();
        Rig {
            workers,
            now: Now {
                mono: Instant(1_000_000_000),
                wall: Timestamp(1),
            },
            peers: BTreeMap::new(),
            undecided: false,
            refusing: false,
            created: Vec::new(),
            waiting: Vec::new(),
            next_id: 0,
            connected: 0,
        }
    }

    /// A topic that exists before the story begins.
    pub(super) fn topic(&mut self, name: &str, partitions: i32) -> TopicId {
        self.next_id += 1;
        let mut id = TopicId([0; 16]);
        id.0[0] = 1;
        id.0[8..].copy_from_slice(&self.next_id.to_be_bytes());
        let seat = PartitionState {
            replicas: [NodeId(1)].into(),
            isr: [NodeId(1)].into(),
            leader: NodeId(1),
            leader_epoch: 0,
        };
        let partitions_of = vec![seat; partitions as usize];
        let record = Record::Topic {
            id,
            name: name.to_owned(),
            configs: Default::default(),
            partitions: partitions_of,
        };
        for worker in &mut self.workers {
            worker.image_mut().apply(&record).expect("sound");
            for partition in 0..partitions {
                worker.storage_mut().logs.insert(
                    TopicPartition {
                        topic: id,
                        partition,
                    },
                    Vec::new(),
                );
            }
        }
        id
    }

    pub(super) fn connect(&mut self, shard: usize) -> ConnId {
        self.connect_to(shard, ListenerId(0))
    }

    /// Connects to a listener.
    pub(super) fn connect_to(&mut self, shard: usize, listener: ListenerId) -> ConnId {
        self.connected += 1;
        let conn = ConnId(self.connected);
        self.peers.insert(
            conn,
            Peer {
                shard,
                ..Peer::default()
            },
        );
        let peer = ([127, 0, 0, 1], 5000).into();
        let accepted = Event::Accepted {
            conn,
            listener,
            peer,
        };
        self.event(shard, accepted);
        self.run();
        conn
    }

    fn event(&mut self, shard: usize, event: Event) {
        let mut out = Outbox::default();
        self.workers[shard].on(self.now, event, &mut out);
        self.effects(shard, out);
    }

    fn effects(&mut self, shard: usize, out: Outbox) {
        assert!(out.fatal.is_none());
        for op in out.sockets {
            match op {
                SocketOp::Accept => {}
                SocketOp::Receive { conn } => {
                    let peer = self.peers.get_mut(&conn).expect("known");
                    assert!(
                        peer.receiving.replace(None).is_none(),
                        "one receive at a time"
                    );
                }
                SocketOp::ReceiveInto { conn, buffer } => {
                    let peer = self.peers.get_mut(&conn).expect("known");
                    assert!(buffer.capacity() > buffer.len(), "no room to receive into");
                    assert!(
                        peer.receiving.replace(Some(buffer)).is_none(),
                        "one receive at a time"
                    );
                }
                SocketOp::Send { conn, parts } => {
                    let peer = self.peers.get_mut(&conn).expect("known");
                    peer.sends += 1;
                    if peer.deaf {
                        assert!(peer.sending.is_empty(), "one send at a time");
                        peer.sending = parts;
                        continue;
                    }
                    parts
                        .iter()
                        .for_each(|part| peer.answers.extend_from_slice(part));
                    self.event(shard, Event::Sent { conn });
                }
                SocketOp::Recall { conn } => {
                    let peer = self.peers.get_mut(&conn).expect("known");
                    let parts = std::mem::take(&mut peer.sending);
                    if !parts.is_empty() {
                        self.event(shard, Event::Recalled { conn, parts });
                    }
                }
                SocketOp::Close { conn } => self.peers.get_mut(&conn).expect("known").closed = true,
            }
        }
        for (to, message) in out.mesh {
            let from = ShardId(shard as u16);
            self.event(usize::from(to.0), Event::Mesh { from, message });
        }
    }

    /// Passes until nothing happens any more.
    pub(super) fn run(&mut self) {
        for _ in 0..10_000 {
            let mut quiet = self.receive();
            for shard in 0..self.workers.len() {
                let mut out = Outbox::default();
                self.workers[shard].settle(self.now, &mut out);
                quiet &= out.sockets.is_empty() && out.mesh.is_empty();
                self.effects(shard, out);
                quiet &= self.workers[shard]
                    .deadline()
                    .is_none_or(|at| at > self.now.mono);
                let proposed = self.workers[shard].take_proposals();
                self.waiting
                    .extend(proposed.into_iter().map(|p| (shard, p)));
            }
            quiet &= self.undecided || self.waiting.is_empty();
            self.decide();
            if quiet {
                return;
            }
        }
        panic!("it never becomes quiet");
    }

    fn receive(&mut self) -> bool {
        let mut quiet = true;
        for conn in self.peers.keys().copied().collect::<Vec<_>>() {
            let peer = self.peers.get_mut(&conn).expect("known");
            if peer.closed || peer.inbox.is_empty() && !peer.finished {
                continue;
            }
            let shard = peer.shard;
            let Some(receiving) = peer.receiving.take() else {
                continue;
            };
            quiet = false;
            peer.finished &= !peer.inbox.is_empty();
            let event = match receiving {
                None => {
                    let count = peer.inbox.len().min(65_536);
                    let bytes = peer.inbox.drain(..count).collect::<Vec<_>>();
                    Event::Received {
                        conn,
                        bytes: BytesMut::from(&bytes[..]),
                    }
                }
                Some(mut buffer) => {
                    let count = peer.inbox.len().min(buffer.capacity() - buffer.len());
                    buffer.extend(peer.inbox.drain(..count));
                    Event::ReceivedInto {
                        conn,
                        buffer,
                        count,
                    }
                }
            };
            self.event(shard, event);
        }
        quiet
    }

    fn decide(&mut self) {
        if self.undecided {
            return;
        }
        for (shard, proposed) in std::mem::take(&mut self.waiting) {
            if let Command::CreateTopic(new) = &proposed.command {
                self.created.push(new.clone());
            }
            let image = self.workers[0].image_mut();
            let decided = match proposed.command {
                Command::CreateTopic(_) if self.refusing => {
                    Err(CommandError::PolicyViolation("Not now.".to_owned()))
                }
                Command::CreateTopic(new) if image.topic(&new.name).is_some() => Err(
                    CommandError::TopicExists(format!("Topic '{}' already exists.", new.name)),
                ),
                Command::CreateTopic(new) => match (names::check(&new.name), new.layout) {
                    (Err(why), _) => Err(CommandError::InvalidTopic(why)),
                    (Ok(()), Layout::Assigned(list)) => {
                        Err(CommandError::InvalidReplicaAssignment(format!("{list:?}")))
                    }
                    (Ok(()), Layout::Count { partitions, .. }) => {
                        let partitions = partitions.max(1);
                        let id = match new.validate_only {
                            true => TopicId::ZERO,
                            false => self.topic(&new.name, partitions),
                        };
                        Ok(Outcome::Created {
                            id,
                            partitions,
                            replicas: 1,
                        })
                    }
                },
                Command::DeleteTopic { id } if image.topic_by_id(id).is_none() => {
                    Err(CommandError::UnknownTopicId)
                }
                Command::DeleteTopic { id } => {
                    for worker in &mut self.workers {
                        worker
                            .image_mut()
                            .apply(&Record::TopicDeleted { id })
                            .expect("sound");
                        worker.storage_mut().logs.retain(|p, _| p.topic != id);
                    }
                    Ok(Outcome::Done)
                }
                Command::AllocateProducerIds { count } => {
                    self.next_id += i64::from(count);
                    Ok(Outcome::ProducerIds {
                        first: self.next_id,
                        count,
                    })
                }
                Command::AlterTopicConfigs(alter) => {
                    let checked = alter::check(image, alter);
                    checked.map(|(outcome, record)| self.changed(outcome, record))
                }
                Command::CreatePartitions(more) => {
                    let checked = grow::check(image, more, &mut Rng::new(1));
                    checked.map(|(outcome, record)| self.changed(outcome, record))
                }
                Command::DescribeQuorum => {
                    let member = QuorumMember {
                        node: NodeId(1),
                        directory: [3; 16],
                        log_end: 42,
                    };
                    Ok(Outcome::Quorum(Quorum {
                        leader: NodeId(1),
                        term: 7,
                        high_watermark: 42,
                        voters: vec![member],
                        observers: Vec::new(),
                    }))
                }
                other => panic!("{other:?}"),
            };
            let mut out = Outbox::default();
            self.workers[shard].on_decision(
                self.now,
                proposed.request,
                proposed.slot,
                decided,
                &mut out,
            );
            self.effects(shard, out);
        }
    }

    /// Every shard applies a change of a topic.
    fn changed(&mut self, outcome: Outcome, record: Option<Record>) -> Outcome {
        if let Some(record) = record {
            for worker in &mut self.workers {
                worker.image_mut().apply(&record).expect("sound");
                if let Record::Partitions {
                    id,
                    first,
                    partitions,
                } = &record
                {
                    let new = (*first..).take(partitions.len());
                    let new = new.map(|partition| TopicPartition {
                        topic: *id,
                        partition,
                    });
                    let logs = &mut worker.storage_mut().logs;
                    logs.extend(new.map(|id| (id, Vec::new())));
                }
            }
        }
        outcome
    }

    /// A deaf peer reads all that was sent to it, and goes on reading.
    pub(super) fn hear(&mut self, conn: ConnId) {
        let peer = self.peers.get_mut(&conn).expect("known");
        peer.deaf = false;
        let parts = std::mem::take(&mut peer.sending);
        if !parts.is_empty() {
            peer.answers.extend_from_slice(&parts.concat());
            let shard = peer.shard;
            self.event(shard, Event::Sent { conn });
        }
        self.run();
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.now.mono.0 += ms * 1_000_000;
        self.run();
    }

    /// Raw bytes from a client.
    pub(super) fn write(&mut self, conn: ConnId, bytes: &[u8]) {
        self.peers
            .get_mut(&conn)
            .expect("known")
            .inbox
            .extend_from_slice(bytes);
        self.run();
    }

    /// A request; answers are taken with `answer`.
    pub(super) fn send(
        &mut self,
        conn: ConnId,
        key: i16,
        version: i16,
        id: i32,
        message: &impl Message,
    ) {
        let bytes = request(key, version, id, message);
        self.write(conn, &bytes);
    }

    /// The next answer, which must be there: its correlation id and body.
    pub(super) fn answer<M: Message>(&mut self, conn: ConnId, key: i16, version: i16) -> (i32, M) {
        self.try_answer(conn, key, version).expect("an answer")
    }

    pub(super) fn try_answer<M: Message>(
        &mut self,
        conn: ConnId,
        key: i16,
        version: i16,
    ) -> Option<(i32, M)> {
        let answers = &mut self.peers.get_mut(&conn).expect("known").answers;
        if answers.is_empty() {
            return None;
        }
        let bytes = i32::from_be_bytes(answers[..4].try_into().expect("4 bytes")) as usize;
        let frame = answers.split_to(4 + bytes).freeze().slice(4..);
        let id = i32::from_be_bytes(frame[..4].try_into().expect("4 bytes"));
        let flexible = key != 18 && version >= api::entry(key).expect("known").flexible_min;
        let mut reader = Reader::new(frame.slice(if flexible { 5 } else { 4 }..));
        let message = M::decode(&mut reader, version).expect("a well-formed answer");
        reader.finish().expect("nothing after the answer");
        Some((id, message))
    }

    pub(super) fn ask<M: Message>(
        &mut self,
        conn: ConnId,
        key: i16,
        version: i16,
        message: &impl Message,
    ) -> M {
        self.send(conn, key, version, 7, message);
        let (id, answer) = self.answer(conn, key, version);
        assert_eq!(id, 7);
        answer
    }

    /// The client closes its socket, or its sending side: the broker cannot tell which.
    pub(super) fn event_closed(&mut self, conn: ConnId) {
        self.peers.get_mut(&conn).expect("known").finished = true;
        self.run();
    }

    /// Bytes from a client as a slice of the kernel half's chunk.
    pub(super) fn write_from(&mut self, conn: ConnId, chunk: &mut BytesMut, bytes: &[u8]) {
        chunk.extend_from_slice(bytes);
        let bytes = chunk.split();
        let peer = self.peers.get_mut(&conn).expect("known");
        let receiving = peer.receiving.take();
        assert!(matches!(receiving, Some(None)), "a pooled receive");
        let shard = peer.shard;
        self.event(shard, Event::Received { conn, bytes });
        self.run();
    }

    /// A connection that is closed on both sides is no longer looked at.
    pub(super) fn forget(&mut self, conn: ConnId) {
        let peer = self.peers.remove(&conn).expect("known");
        assert!(peer.closed, "{conn:?} is open");
    }

    pub(super) fn closed(&self, conn: ConnId) -> bool {
        self.peers[&conn].closed
    }
}

/// A framed request.
pub(super) fn request(key: i16, version: i16, id: i32, message: &impl Message) -> Vec<u8> {
    let mut writer = Writer::plain();
    message
        .encode(&mut writer, version)
        .expect("a message of this version");
    framed(key, version, id, &writer.into_bytes())
}

pub(super) fn framed(key: i16, version: i16, id: i32, body: &[u8]) -> Vec<u8> {
    let mut head = BytesMut::new();
    head.put_i16(key);
    head.put_i16(version);
    head.put_i32(id);
    head.put_i16(1);
    head.put_slice(b"t");
    if api::entry(key).is_some_and(|e| version >= e.flexible_min) {
        head.put_u8(0);
    }
    let mut bytes = BytesMut::new();
    bytes.put_i32((head.len() + body.len()) as i32);
    bytes.put_slice(&head);
    bytes.put_slice(body);
    bytes.to_vec()
}

/// A batch as far as this crate looks into it.
pub(super) fn batch(records: i32, attributes: u8, body: usize) -> Bytes {
    let mut bytes = vec![0; 61 + body];
    bytes[8..12].copy_from_slice(&(49 + body as i32).to_be_bytes());
    bytes[16] = 2;
    bytes[22] = attributes;
    bytes[23..27].copy_from_slice(&(records - 1).to_be_bytes());
    bytes[57..61].copy_from_slice(&records.to_be_bytes());
    Bytes::from(bytes)
}
