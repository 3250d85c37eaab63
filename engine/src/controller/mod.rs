//! The cluster's metadata: commands checked and committed through Raft, folded into the image that every shard holds.
//!
//! ```text
//!  any shard                     shard 0: Controller                          every shard
//!    Propose{command} ─────────► queue ─► check + fold ─► one Raft entry
//!                                          group flushed, committed ────────► Committed{index, records}: Image::apply
//!                                all shards have applied ◄────────────────── Applied{index}
//!    Proposed{result} ◄───────── answers of that entry, refusals included
//! ```
//!
//! One entry is under way at a time; what is proposed meanwhile goes into the next, so thousands of creates take few
//! flushes. Commands are checked in order against an image that already holds the entry under way.

pub mod alter;
pub mod codec;
pub mod command;
pub mod create;
mod frame;
pub mod grow;
pub mod identity;
pub mod image;
pub mod log_format;
pub mod metadata_log;
pub mod names;
pub mod placement;
pub mod raft_group;
pub mod recovery;
pub mod topic_config;

#[cfg(test)]
pub(crate) mod fake_disk;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::call::RequestToken;
use crate::disk::{DiskDone, DiskRequest, FileId};
use crate::fatal::Fatal;
use crate::rng::Rng;
use crate::types::ShardId;

use command::{
    Command, CommandError, Outcome, Quorum, Record, VERSION_CHANGES, VERSION_KNOWN, encode_records,
};
use identity::Identity;
use image::Image;
use metadata_log::LogEnd;
use raft_group::RaftGroup;
use recovery::Recovered;

/// Set in every token of the controller's disk requests, so that shard 0 knows whose completion it is.
pub const TOKEN_BIT: u64 = 1 << 63;

/// How many producer ids a shard asks for at a time, as Kafka's brokers do.
pub const PRODUCER_ID_BLOCK: u32 = 1000;

/// Between a shard and the controller. Messages of one pair of shards keep their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// To shard 0. Answered by `Proposed`.
    Propose {
        from: ShardId,
        request: RequestToken,
        command: Command,
    },
    /// To every shard: fold `records` ([`command::decode_records`]) into the image, then answer `Applied`.
    Committed { index: u64, records: Bytes },
    /// To shard 0: this shard's image holds everything up to `index`.
    Applied { from: ShardId, index: u64 },
    /// To the shard that proposed, once every shard of this node has applied what it proposed.
    Proposed {
        request: RequestToken,
        result: Result<Outcome, CommandError>,
    },
}

/// Effects of one pass.
#[derive(Debug, Default)]
pub struct ControllerOut {
    pub disk: Vec<DiskRequest>,
    pub messages: Vec<(ShardId, Message)>,
    /// The process must end with this reason.
    pub fatal: Option<Fatal>,
}

/// Per node, on shard 0.
pub struct Controller {
    group: RaftGroup,
    /// Everything committed, and the entry under way.
    image: Image,
    cluster: [u8; 16],
    /// This node's data directory.
    directory: [u8; 16],
    rng: Rng,
    batch_bytes: usize,
    /// The snapshot that is being taken. Nothing is proposed meanwhile.
    taking: Option<Taking>,
    /// Not yet checked.
    queue: VecDeque<Proposal>,
    /// The answers of the entry under way.
    under_way: Option<Vec<Answered>>,
    /// Answers that wait until every shard has applied an index.
    waiting: VecDeque<(u64, Vec<Answered>)>,
    /// Index of the last entry sent to the shards.
    committed: u64,
    /// What each shard has applied.
    applied: Vec<u64>,
    failed: bool,
}

/// Bytes of a snapshot that are encoded in one pass.
const SNAPSHOT_BYTES_A_PASS: usize = 256 << 10;

/// The image, encoded up to a topic.
#[derive(Debug)]
struct Taking {
    records: BytesMut,
    /// The topic to go on with, or where it would stand.
    from: String,
}

#[derive(Debug)]
struct Proposal {
    from: ShardId,
    request: RequestToken,
    command: Command,
}

#[derive(Debug)]
struct Answered {
    from: ShardId,
    request: RequestToken,
    result: Result<Outcome, CommandError>,
}

impl Controller {
    /// Goes on where recovery ended. Every shard must hold `recovered.image` before the first message. `spare`: two free
    /// slots in the table of open files. `rng` draws topic ids.
    pub fn new(
        identity: &Identity,
        recovered: Recovered,
        shards: u16,
        spare: [FileId; 2],
        rng: Rng,
    ) -> Result<Controller, Fatal> {
        let image = recovered.image.clone();
        if image.index() > 0 && image.version() > 0 && image.cluster_id() != identity.cluster {
            return Err(Fatal::Directory(
                "its metadata is of another cluster than its identity file".to_owned(),
            ));
        }
        Ok(Controller {
            batch_bytes: recovered.limits.batch_bytes,
            group: RaftGroup::new(identity.node, recovered, spare),
            cluster: identity.cluster,
            directory: identity.directory,
            rng,
            taking: None,
            queue: VecDeque::new(),
            under_way: None,
            waiting: VecDeque::new(),
            committed: image.index(),
            applied: vec![image.index(); usize::from(shards)],
            image,
            failed: false,
        })
    }

    /// Takes `Propose` and `Applied`.
    pub fn on_message(&mut self, message: Message) {
        match message {
            Message::Propose {
                from,
                request,
                command,
            } => self.queue.push_back(Proposal {
                from,
                request,
                command,
            }),
            Message::Applied { from, index } => {
                let applied = &mut self.applied[usize::from(from.0)];
                assert!(
                    index > *applied && index <= self.committed,
                    "{from:?} applied {index} after {applied}, committed {}",
                    self.committed
                );
                *applied = index;
            }
            Message::Committed { .. } | Message::Proposed { .. } => {
                panic!("{message:?} is for the other side")
            }
        }
    }

    /// Takes a completion whose token has [`TOKEN_BIT`].
    pub fn on_disk(&mut self, done: DiskDone, out: &mut ControllerOut) {
        if let Err(fatal) = self.group.on_disk(done, &mut out.disk) {
            self.failed = true;
            out.fatal = Some(fatal);
        }
    }

    /// Once per pass: checks and proposes what waits, sends out what is committed, answers what is applied.
    pub fn settle(&mut self, out: &mut ControllerOut) {
        if self.failed {
            return;
        }
        loop {
            self.send_committed(out);
            let wants = self.group.wants_snapshot() && self.under_way.is_none();
            if wants && !self.take_snapshot(out) {
                break;
            }
            if self.under_way.is_some() || !self.group.is_leader() || !self.propose() {
                break;
            }
        }
        self.answer(out);
    }

    /// Goes on taking a snapshot, as far as one pass may; true: it is whole, and on its way to the disk.
    fn take_snapshot(&mut self, out: &mut ControllerOut) -> bool {
        let image = &self.image;
        let taking = self.taking.get_or_insert_with(|| Taking {
            records: BytesMut::from(&encode_records(&image.records_before_topics())[..]),
            from: String::new(),
        });
        let end = taking.records.len() + SNAPSHOT_BYTES_A_PASS;
        let from = std::mem::take(&mut taking.from);
        for topic in image.topics_from(&from) {
            if taking.records.len() >= end {
                taking.from = topic.name.clone();
                return false;
            }
            image.topic_record(topic).encode(&mut taking.records);
        }
        self.group.snapshot(&taking.records, &mut out.disk);
        self.taking = None;
        true
    }

    /// Whether `settle` should come again at once, although nothing happens.
    pub fn wants_pass(&self) -> bool {
        self.taking.is_some()
    }

    /// Where the metadata log ends, as far as all is flushed: for [`identity::mark_clean`].
    pub fn log_end(&self) -> LogEnd {
        self.group.log_end()
    }

    /// Nothing waits for the disk or for a shard: a clean stop may go on.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.taking.is_none()
            && self.under_way.is_none()
            && self.waiting.is_empty()
            && self.group.is_idle()
    }

    fn send_committed(&mut self, out: &mut ControllerOut) {
        for entry in self.group.settle(&mut out.disk) {
            let answers = self
                .under_way
                .take()
                .expect("one entry with records is under way");
            self.committed = entry.index;
            self.image.set_index(entry.index);
            self.waiting.push_back((entry.index, answers));
            for shard in 0..self.applied.len() {
                out.messages.push((
                    ShardId(shard as u16),
                    Message::Committed {
                        index: entry.index,
                        records: entry.records.clone(),
                    },
                ));
            }
        }
    }

    /// Checks what waits, in order, up to the size of a batch. True: an entry was proposed.
    fn propose(&mut self) -> bool {
        let mut records = BytesMut::new();
        let mut answers = Vec::new();
        if self.image.version() == 0 {
            self.fold(Record::Cluster { id: self.cluster }, &mut records);
            let version = VERSION_KNOWN;
            self.fold(Record::Version { version }, &mut records);
        }
        while records.len() < self.batch_bytes
            && let Some(proposal) = self.queue.pop_front()
        {
            let result = self.check(proposal.command).map(|(outcome, record)| {
                if let Some(record) = record {
                    self.fold(record, &mut records);
                }
                outcome
            });
            answers.push(Answered {
                from: proposal.from,
                request: proposal.request,
                result,
            });
        }
        if records.is_empty() {
            // Refusals only. What they rest on is committed, but may not have reached every shard.
            if !answers.is_empty() {
                self.waiting.push_back((self.committed, answers));
            }
            return false;
        }
        self.group.propose(records.freeze());
        self.under_way = Some(answers);
        true
    }

    fn fold(&mut self, record: Record, records: &mut BytesMut) {
        self.image
            .apply(&record)
            .expect("a checked command makes a legal record");
        record.encode(records);
    }

    fn check(&mut self, command: Command) -> Result<(Outcome, Option<Record>), CommandError> {
        let done = |record| Ok((Outcome::Done, Some(record)));
        match command {
            Command::CreateTopic(topic) => create::check(&self.image, topic, &mut self.rng),
            Command::DeleteTopic { id } => match self.image.topic_by_id(id) {
                Some(_) => done(Record::TopicDeleted { id }),
                None => Err(CommandError::UnknownTopicId),
            },
            Command::RegisterBroker(broker) => {
                self.check_version(broker.version())?;
                done(Record::Broker(broker))
            }
            Command::AllocateProducerIds { count } => {
                let first = self.image.next_producer_id();
                let next = first.saturating_add(i64::from(count));
                Ok((
                    Outcome::ProducerIds { first, count },
                    Some(Record::ProducerIds { next }),
                ))
            }
            Command::RaiseLeaderEpochs { node } => done(Record::LeaderEpochs {
                node,
                raises: self.image.raises(node) + 1,
            }),
            Command::FinalizeVersion { version } => {
                let current = self.image.version();
                if version < current || version > VERSION_KNOWN {
                    return Err(CommandError::UnsupportedVersion(format!(
                        "corelane.version {version} is not within {current} and {VERSION_KNOWN}"
                    )));
                }
                done(Record::Version { version })
            }
            Command::AlterTopicConfigs(alter) => {
                self.check_version(VERSION_CHANGES)?;
                alter::check(&self.image, alter)
            }
            Command::CreatePartitions(more) => {
                self.check_version(VERSION_CHANGES)?;
                grow::check(&self.image, more, &mut self.rng)
            }
            Command::DescribeQuorum => Ok((Outcome::Quorum(self.quorum()), None)),
        }
    }

    /// Records that came with `needed` may not be written before it is finalized.
    fn check_version(&self, needed: u16) -> Result<(), CommandError> {
        match self.image.version() {
            current if current >= needed => Ok(()),
            current => Err(CommandError::UnsupportedVersion(format!(
                "corelane.version {needed} is needed, {current} is finalized"
            ))),
        }
    }

    fn quorum(&self) -> Quorum {
        let mut quorum = self.group.quorum();
        for voter in &mut quorum.voters {
            if voter.node == quorum.leader {
                voter.directory = self.directory;
            }
        }
        quorum
    }

    fn answer(&mut self, out: &mut ControllerOut) {
        let everywhere = self.applied.iter().copied().min().unwrap_or(0);
        while let Some((index, _)) = self.waiting.front()
            && *index <= everywhere
        {
            let (_, answers) = self.waiting.pop_front().expect("looked at");
            out.messages.extend(answers.into_iter().map(|a| {
                (
                    a.from,
                    Message::Proposed {
                        request: a.request,
                        result: a.result,
                    },
                )
            }));
        }
    }
}
