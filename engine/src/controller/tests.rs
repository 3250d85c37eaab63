//! Stories of the controller: who proposes, what breaks, what must still hold.

use std::collections::BTreeMap;

use super::command::{
    AlterTopic, Broker, ConfigChange, ConfigOperation, Endpoint, Layout, MorePartitions, NewTopic,
    decode_records,
};
use super::fake_disk::FakeDisk;
use super::identity::{self, Opened};
use super::metadata_log::{MetadataLimits, log_path};
use super::*;
use crate::flow::FileIds;
use crate::limits::BLOCK;
use crate::types::{NodeId, TopicId};

const NODE: NodeId = NodeId(1);
const SHARDS: u16 = 2;

/// One start of a node: the controller, and the image of each shard.
struct Node {
    controller: Controller,
    images: Vec<Image>,
    answers: Vec<(u64, Result<Outcome, CommandError>)>,
    clean: bool,
    requests: u64,
}

/// `None`: killed while it started.
fn start(disk: &mut FakeDisk, seed: u64) -> Option<Result<Node, Fatal>> {
    let (opened, mut files) = disk.flow(move |flow| async move {
        let mut rng = Rng::new(seed);
        let opened = identity::open(&flow, NODE, &mut rng, &["journal"]).await?;
        let clean = identity::read_clean(&flow).await?;
        let (identity, recovered) = match opened {
            Opened::Existing(identity) => {
                let least = clean.unwrap_or_default();
                let limits = MetadataLimits::TINY;
                let recovered = recovery::recover(&flow, NODE, limits, least).await?;
                if clean.is_some() {
                    identity::forget_clean(&flow).await?;
                }
                (identity, recovered)
            }
            Opened::Fresh(identity) => {
                let recovered = recovery::format(&flow, NODE, MetadataLimits::TINY).await?;
                identity.write(&flow).await?;
                (identity, recovered)
            }
        };
        Ok::<_, Fatal>((identity, recovered, clean.is_some()))
    })?;
    Some(opened.and_then(|(identity, recovered, clean)| {
        let images = vec![recovered.image.clone(); usize::from(SHARDS)];
        let spare = spare(&mut files);
        let rng = Rng::new(seed + 1);
        let controller = Controller::new(&identity, recovered, SHARDS, spare, rng)?;
        Ok(Node {
            controller,
            images,
            answers: Vec::new(),
            clean,
            requests: 0,
        })
    }))
}

fn spare(files: &mut FileIds) -> [FileId; 2] {
    [files.take(), files.take()]
}

/// With these listeners, one port after the other.
fn broker(listeners: &[&str]) -> Broker {
    let endpoints = (9092..).zip(listeners).map(|(port, name)| Endpoint {
        listener: (*name).to_owned(),
        host: "h".to_owned(),
        port,
    });
    Broker {
        node: NODE,
        endpoints: endpoints.collect(),
        rack: Some("r".to_owned()),
        incarnation: [1; 16],
    }
}

fn started(disk: &mut FakeDisk, seed: u64) -> Node {
    let mut node = start(disk, seed).expect("nobody kills it").unwrap();
    node.propose(Command::RegisterBroker(broker(&["PLAINTEXT"])));
    node.run(disk);
    node.answers.clear();
    node
}

impl Node {
    fn propose(&mut self, command: Command) -> u64 {
        self.requests += 1;
        self.controller.on_message(Message::Propose {
            from: ShardId(1),
            request: RequestToken(self.requests),
            command,
        });
        self.requests
    }

    /// Turns until nothing moves, or the process is dead.
    fn run(&mut self, disk: &mut FakeDisk) {
        loop {
            let mut out = ControllerOut::default();
            self.controller.settle(&mut out);
            let moved =
                !out.disk.is_empty() || !out.messages.is_empty() || self.controller.wants_pass();
            for request in std::mem::take(&mut out.disk) {
                let Some(done) = disk.run(request) else {
                    return;
                };
                self.completed(done, disk);
                if disk.is_dead() {
                    return;
                }
            }
            for (to, message) in out.messages {
                self.deliver(to, message);
            }
            if !moved {
                return;
            }
        }
    }

    /// Hands over a completion and runs all that follows from it alone.
    fn completed(&mut self, done: DiskDone, disk: &mut FakeDisk) {
        let mut out = ControllerOut::default();
        self.controller.on_disk(done, &mut out);
        assert_eq!(out.fatal, None);
        for request in out.disk {
            if let Some(done) = disk.run(request) {
                self.completed(done, disk);
            }
        }
    }

    fn deliver(&mut self, to: ShardId, message: Message) {
        match message {
            Message::Committed { index, records } => {
                let image = &mut self.images[usize::from(to.0)];
                for record in decode_records(&records).unwrap() {
                    image.apply(&record).unwrap();
                }
                image.set_index(index);
                self.controller
                    .on_message(Message::Applied { from: to, index });
            }
            Message::Proposed { request, result } => {
                assert_eq!(to, ShardId(1));
                self.answers.push((request.0, result));
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, disk: &mut FakeDisk, command: Command) -> Result<Outcome, CommandError> {
        let request = self.propose(command);
        self.run(disk);
        let (answered, result) = self.answers.pop().expect("answered");
        assert_eq!(answered, request);
        result
    }
}

fn topic(name: &str, partitions: i32) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        layout: Layout::Count {
            partitions,
            replicas: -1,
        },
        configs: Vec::new(),
        validate_only: false,
    }
}

fn create(name: &str) -> Command {
    Command::CreateTopic(topic(name, 1))
}

fn alter(name: &str, config: &str, value: &str) -> Command {
    let set = ConfigOperation::Set(value.to_owned());
    Command::AlterTopicConfigs(AlterTopic {
        name: name.to_owned(),
        change: ConfigChange::Change(vec![(config.to_owned(), set)]),
        validate_only: false,
    })
}

fn grow(name: &str, count: i32) -> Command {
    Command::CreatePartitions(MorePartitions {
        name: name.to_owned(),
        count,
        assigned: None,
        validate_only: false,
    })
}

fn created(result: Result<Outcome, CommandError>) -> TopicId {
    match result {
        Ok(Outcome::Created { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

fn names(image: &Image) -> Vec<&str> {
    image.topics().map(|t| t.name.as_str()).collect()
}

#[test]
fn a_created_topic_is_in_every_image_before_the_answer_and_after_a_kill() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    let id = created(node.answer(&mut disk, Command::CreateTopic(topic("a", 3))));
    let b = created(node.answer(&mut disk, create("b")));
    for image in &node.images {
        assert_eq!(image.topic("a").unwrap().id, id);
        assert_eq!(image.topic("a").unwrap().partition_count(), 3);
    }
    assert_eq!(node.images[0], node.images[1]);
    let deleted = node.answer(&mut disk, Command::DeleteTopic { id: b });
    assert_eq!(deleted, Ok(Outcome::Done));
    let before = node.images[0].clone();

    disk.kill();
    let again = start(&mut disk, 2).unwrap().unwrap();
    assert_eq!(again.images[0].records(), before.records());
    assert_eq!(names(&again.images[0]), ["a"]);
    assert!(!again.clean);
}

#[test]
fn the_answer_waits_for_the_slowest_shard() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    node.propose(create("a"));
    node.propose(create("a"));
    let mut held = Vec::new();
    for _ in 0..9 {
        let mut out = ControllerOut::default();
        node.controller.settle(&mut out);
        for request in out.disk {
            let done = disk.run(request).unwrap();
            node.completed(done, &mut disk);
        }
        for (to, message) in out.messages {
            assert!(!matches!(message, Message::Proposed { .. }), "too early");
            match to {
                ShardId(0) => node.deliver(to, message),
                _ => held.push((to, message)),
            }
        }
    }
    held.into_iter().for_each(|(to, m)| node.deliver(to, m));
    node.run(&mut disk);
    assert!(node.answers[0].1.is_ok());
    // The refusal too: it rests on a topic that was not yet everywhere.
    let exists = CommandError::TopicExists("Topic 'a' already exists.".to_owned());
    assert_eq!(node.answers[1], (3, Err(exists)));
}

#[test]
fn thousands_of_pipelined_creates_take_few_flushes() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    node.controller.batch_bytes = 256 << 10;
    let before = disk.flushes;
    (0..5000).for_each(|n| {
        node.propose(create(&format!("topic-{n}")));
    });
    node.run(&mut disk);
    assert_eq!(node.answers.len(), 5000);
    assert!(node.answers.iter().all(|(_, r)| r.is_ok()));
    assert!(
        disk.flushes - before < 30,
        "{} flushes",
        disk.flushes - before
    );
    disk.kill();
    let again = start(&mut disk, 2).unwrap().unwrap();
    assert_eq!(again.images[0].topic_count(), 5000);
}

#[test]
fn commands_are_refused_with_kafkas_words() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    created(node.answer(&mut disk, create("a_b")));
    let count = |partitions, replicas| {
        let mut t = topic("t", 1);
        t.layout = Layout::Count {
            partitions,
            replicas,
        };
        Command::CreateTopic(t)
    };
    let assigned = |list: &[(i32, &[i32])]| {
        let mut t = topic("t", 1);
        t.layout = Layout::Assigned(
            list.iter()
                .map(|(p, nodes)| (*p, nodes.iter().map(|n| NodeId(*n)).collect()))
                .collect(),
        );
        Command::CreateTopic(t)
    };
    let config = |name: &str, value: Option<&str>| {
        let mut t = topic("t", 1);
        t.configs = vec![(name.to_owned(), value.map(str::to_owned))];
        Command::CreateTopic(t)
    };
    let cases = [
        (
            create("a.b"),
            "InvalidTopic(\"Topic 'a.b' collides with existing topic: a_b\")",
        ),
        (
            create(".."),
            "InvalidTopic(\"Topic name is invalid: '..' is not allowed\")",
        ),
        (
            create("a_b"),
            "TopicExists(\"Topic 'a_b' already exists.\")",
        ),
        (
            count(0, -1),
            "InvalidPartitions(\"Number of partitions was set to an invalid non-positive value.\")",
        ),
        (
            count(1, 0),
            "InvalidReplicationFactor(\"Replication factor must be larger than 0, or -1 to use the default value.\")",
        ),
        (
            count(1, 3),
            "InvalidReplicationFactor(\"Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.\")",
        ),
        (
            count(10_001, 1),
            "PolicyViolation(\"Excessively large number of partitions per request.\")",
        ),
        (
            assigned(&[(0, &[1]), (0, &[1])]),
            "InvalidReplicaAssignment(\"Found multiple manual partition assignments for partition 0\")",
        ),
        (
            assigned(&[(0, &[])]),
            "InvalidReplicaAssignment(\"The manual partition assignment includes an empty replica list.\")",
        ),
        (
            assigned(&[(0, &[7])]),
            "InvalidReplicaAssignment(\"The manual partition assignment includes broker 7, but no such broker is registered.\")",
        ),
        (
            assigned(&[(0, &[1, 1])]),
            "InvalidReplicaAssignment(\"The manual partition assignment includes the broker 1 more than once.\")",
        ),
        (
            assigned(&[(1, &[1])]),
            "InvalidReplicaAssignment(\"partitions should be a consecutive 0-based integer sequence\")",
        ),
        (
            config("x", Some("1")),
            "InvalidConfig(\"Unknown topic config name: x\")",
        ),
        (
            config("segment.ms", None),
            "InvalidConfig(\"Null value not supported for topic configs: segment.ms\")",
        ),
        (Command::DeleteTopic { id: TopicId::ZERO }, "UnknownTopicId"),
        (
            Command::FinalizeVersion { version: 9 },
            "UnsupportedVersion(\"corelane.version 9 is not within 3 and 3\")",
        ),
    ];
    for (command, refusal) in cases {
        let error = node.answer(&mut disk, command).unwrap_err();
        assert_eq!(format!("{error:?}"), refusal);
    }
    let mut only = topic("t", 4);
    only.validate_only = true;
    assert_eq!(
        node.answer(&mut disk, Command::CreateTopic(only)),
        Ok(Outcome::Created {
            id: TopicId::ZERO,
            partitions: 4,
            replicas: 1
        })
    );
    assert_eq!(names(&node.images[0]), ["a_b"]);
}

#[test]
fn a_topic_changes_in_every_image_before_the_answer_and_after_a_kill() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    created(node.answer(&mut disk, Command::CreateTopic(topic("a", 2))));
    let before = node.images[0].index();
    let only = |command: Command| match command {
        Command::AlterTopicConfigs(alter) => Command::AlterTopicConfigs(AlterTopic {
            validate_only: true,
            ..alter
        }),
        Command::CreatePartitions(more) => Command::CreatePartitions(MorePartitions {
            validate_only: true,
            ..more
        }),
        other => panic!("{other:?}"),
    };
    for command in [only(alter("a", "segment.ms", "5")), only(grow("a", 5))] {
        assert_eq!(node.answer(&mut disk, command), Ok(Outcome::Done));
    }
    assert_eq!(node.images[0].index(), before, "only checked");
    for command in [
        alter("a", "segment.ms", "5"),
        alter("a", "segment.ms", "5"),
        grow("a", 5),
    ] {
        assert_eq!(node.answer(&mut disk, command), Ok(Outcome::Done));
    }
    assert_eq!(
        node.images[0].index(),
        before + 2,
        "the repeat changes nothing"
    );
    let raised = node.answer(&mut disk, Command::RaiseLeaderEpochs { node: NODE });
    assert_eq!(raised, Ok(Outcome::Done));
    assert_eq!(node.images[0], node.images[1]);
    let before = node.images[1].clone();
    disk.kill();
    let again = start(&mut disk, 2).unwrap().unwrap();
    for image in [&before, &again.images[0]] {
        let topic = image.topic("a").unwrap();
        assert_eq!(topic.configs["segment.ms"], "5");
        assert_eq!(topic.config.segment_age_max.as_millis(), 5);
        assert_eq!(topic.partition_count(), 5);
        assert_eq!(image.partition(topic, 4).unwrap().leader_epoch.0, 1);
    }
    assert_eq!(again.images[0].records(), before.records());
    assert!(again.images[0].partition_count() == 5);
}

/// A directory of version 1 is changed only once version 2 is finalized: its own binary refuses it by name from then on.
#[test]
fn topics_of_an_older_version_change_after_it_is_finalized() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    created(node.answer(&mut disk, create("a")));
    let old = Record::Version { version: 1 };
    node.controller.image.apply(&old).unwrap();
    for command in [alter("a", "segment.ms", "5"), grow("a", 2)] {
        let error = node.answer(&mut disk, command).unwrap_err();
        assert_eq!(
            error.to_string(),
            "corelane.version 2 is needed, 1 is finalized"
        );
    }
    let finalize = Command::FinalizeVersion { version: 2 };
    assert_eq!(node.answer(&mut disk, finalize), Ok(Outcome::Done));
    for command in [alter("a", "segment.ms", "5"), grow("a", 2)] {
        assert_eq!(node.answer(&mut disk, command), Ok(Outcome::Done));
    }
}

/// A directory of version 2 holds its broker as that version wrote it, and is started; another record is written only
/// once version 3 is finalized.
#[test]
fn a_broker_of_an_older_version_has_its_listener_and_gets_more_after_version_3() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    let old = broker(&["PLAINTEXT"]);
    let record = encode_records(&[Record::Broker(old.clone())]);
    // What `corelane.version` 2 knows: kind 3, format 1, no name.
    assert_eq!(record[..2], [3, 1]);
    assert!(!record.windows(9).any(|bytes| bytes == b"PLAINTEXT"));
    let older = Record::Version { version: 1 };
    node.controller.image.apply(&older).unwrap();
    let finalize = |version| Command::FinalizeVersion { version };
    assert_eq!(node.answer(&mut disk, finalize(2)), Ok(Outcome::Done));
    let register = |listeners: &[&str]| Command::RegisterBroker(broker(listeners));
    for newer in [&["HOST"][..], &["PLAINTEXT", "CONTAINER"]] {
        let error = node.answer(&mut disk, register(newer)).unwrap_err();
        let expected = "corelane.version 3 is needed, 2 is finalized";
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(
        node.answer(&mut disk, register(&["PLAINTEXT"])),
        Ok(Outcome::Done)
    );
    disk.kill();
    let mut again = start(&mut disk, 2).unwrap().unwrap();
    assert_eq!(again.images[0].version(), 2);
    assert_eq!(again.images[0].broker(NODE), Some(&old));
    assert_eq!(again.answer(&mut disk, finalize(3)), Ok(Outcome::Done));
    let more = register(&["PLAINTEXT", "CONTAINER"]);
    assert_eq!(again.answer(&mut disk, more), Ok(Outcome::Done));
    disk.kill();
    let last = start(&mut disk, 3).unwrap().unwrap();
    let both = broker(&["PLAINTEXT", "CONTAINER"]);
    assert_eq!(last.images[1].broker(NODE), Some(&both));
    assert_eq!(both.endpoint("CONTAINER").map(|e| e.port), Some(9093));
    assert_eq!(both.endpoint("HOST"), None);
}

#[test]
fn the_quorum_is_what_raft_says() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    let ask =
        |node: &mut Node, disk: &mut FakeDisk| match node.answer(disk, Command::DescribeQuorum) {
            Ok(Outcome::Quorum(quorum)) => quorum,
            other => panic!("{other:?}"),
        };
    let before = ask(&mut node, &mut disk);
    assert_eq!(before.leader, NODE);
    assert_eq!(before.high_watermark, node.images[0].index() + 1);
    assert!(before.observers.is_empty());
    let [voter] = before.voters[..] else {
        panic!("{before:?}")
    };
    assert_eq!((voter.node, voter.log_end), (NODE, before.high_watermark));
    assert_ne!(voter.directory, [0; 16]);
    created(node.answer(&mut disk, create("a")));
    let after = ask(&mut node, &mut disk);
    assert_eq!(after.high_watermark, before.high_watermark + 1);
    disk.kill();
    let mut again = started(&mut disk, 2);
    let later = ask(&mut again, &mut disk);
    assert!(later.term > after.term, "every start is an election");
    assert_eq!(later.voters[0].directory, voter.directory);
}

#[test]
fn producer_ids_and_leader_epochs_never_go_back() {
    let mut disk = FakeDisk::default();
    let mut expected = 0;
    for life in 0..3 {
        let mut node = started(&mut disk, life);
        if life == 0 {
            created(node.answer(&mut disk, create("a")));
        }
        for _ in 0..2 {
            let count = PRODUCER_ID_BLOCK;
            let block = node.answer(&mut disk, Command::AllocateProducerIds { count });
            let first = expected;
            assert_eq!(block, Ok(Outcome::ProducerIds { first, count }));
            expected += i64::from(count);
        }
        let raised = node.answer(&mut disk, Command::RaiseLeaderEpochs { node: NODE });
        assert_eq!(raised, Ok(Outcome::Done));
        let image = &node.images[1];
        let topic = image.topic("a").unwrap();
        let epoch = image.partition(topic, 0).unwrap().leader_epoch.0;
        assert_eq!(epoch, life as i32 + 1);
        disk.kill();
    }
}

#[test]
fn a_full_log_is_replaced_by_a_snapshot() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    for n in 0..40 {
        created(node.answer(&mut disk, create(&format!("t{n}"))));
    }
    node.run(&mut disk);
    assert!(node.controller.is_idle());
    let listing: Vec<String> = disk.list("meta").into_iter().map(|e| e.name).collect();
    assert_eq!(listing.len(), 2, "{listing:?}");
    assert!(listing[0].as_str() > "log-0000000000000004", "{listing:?}");
    let before = node.images[0].records();
    disk.kill();
    let mut again = started(&mut disk, 2);
    let mut after = again.images[0].records();
    assert_eq!(after, before);
    created(again.answer(&mut disk, create("later")));
    disk.kill();
    after = started(&mut disk, 3).images[0].records();
    assert_eq!(after.len(), before.len() + 1);
}

/// The node is killed, or power is cut, after any number of operations; what was answered is there, again and again.
#[test]
fn whatever_was_answered_survives_kills_and_cuts() {
    let mut starts = 0;
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut disk = FakeDisk::default();
        let mut answered: Vec<String> = Vec::new();
        let mut deleted: Vec<String> = Vec::new();
        // Of each topic: its count of partitions, and its `segment.ms`. Both only rise.
        let mut changed: BTreeMap<String, (i32, i64)> = BTreeMap::new();
        let changes = |image: &Image, name: &str| {
            let topic = image.topic(name).expect("exists");
            let ms = topic.configs.get("segment.ms");
            let ms = ms.map_or(0, |ms| ms.parse().expect("a number"));
            (topic.partition_count(), ms)
        };
        let mut clock = 0;
        for life in 0..4 {
            let operations = if rng.one_in(3) { 20 } else { 200 };
            disk.operations_left = Some(rng.below(operations) as usize);
            if let Some(node) = start(&mut disk, seed * 10 + life) {
                let mut node = node.unwrap_or_else(|e| panic!("seed {seed} life {life}: {e}"));
                starts += 1;
                let image = node.images[0].clone();
                for name in &answered {
                    assert!(image.topic(name).is_some(), "seed {seed}: {name} is lost");
                }
                for name in &deleted {
                    assert!(image.topic(name).is_none(), "seed {seed}: {name} is back");
                }
                for (name, was) in &changed {
                    if answered.contains(name) {
                        let is = changes(&image, name);
                        assert!(
                            is.0 >= was.0 && is.1 >= was.1,
                            "seed {seed}: {name} {was:?} is {is:?}"
                        );
                    }
                }
                // Clients see what a start found, answered or not.
                answered = names(&image).into_iter().map(str::to_owned).collect();
                let found = answered
                    .iter()
                    .map(|name| (name.clone(), changes(&image, name)));
                changed = found.collect();
                node.propose(Command::RegisterBroker(broker(&["HOST", "CONTAINER"])));
                let mut proposed = BTreeMap::new();
                let mut changing: BTreeMap<u64, (String, i32, i64)> = BTreeMap::new();
                for round in 0..30 {
                    for n in 0..rng.below(4) {
                        let name = format!("{life}-{round}-{n}");
                        proposed.insert(node.propose(create(&name)), name);
                    }
                    if rng.one_in(3) && !answered.is_empty() {
                        let name = answered.remove(rng.below(answered.len() as u64) as usize);
                        let id = node.images[0].topic(&name).unwrap().id;
                        // Whether it takes effect before the crash is open until it is answered.
                        proposed.insert(
                            node.propose(Command::DeleteTopic { id }),
                            format!("-{name}"),
                        );
                    }
                    if rng.one_in(2) && !answered.is_empty() {
                        let name = &answered[rng.below(answered.len() as u64) as usize];
                        let (partitions, ms) = changed.get(name).copied().unwrap_or((1, 0));
                        clock += 1;
                        let (command, is) = match rng.one_in(2) {
                            true => (
                                alter(name, "segment.ms", &clock.to_string()),
                                (partitions, clock),
                            ),
                            false => (grow(name, partitions + 1), (partitions + 1, ms)),
                        };
                        changing.insert(node.propose(command), (name.clone(), is.0, is.1));
                    }
                    node.run(&mut disk);
                    for (request, result) in node.answers.drain(..) {
                        result.unwrap();
                        if let Some((name, partitions, ms)) = changing.remove(&request) {
                            changed.insert(name, (partitions, ms));
                            continue;
                        }
                        match proposed.remove(&request) {
                            None => {}
                            Some(name) => match name.strip_prefix('-') {
                                Some(name) => deleted.push(name.to_owned()),
                                None => answered.push(name),
                            },
                        }
                    }
                }
            }
            match rng.one_in(2) {
                true => disk.kill(),
                false => disk.cut(&mut rng),
            }
        }
        let last = start(&mut disk, seed).unwrap().unwrap();
        assert!(answered.iter().all(|n| last.images[0].topic(n).is_some()));
    }
    assert!(starts > 700, "{starts} starts only");
}

/// Killed between write and flush, the group is readable; the next start shows it, so it must outlive a power cut.
#[test]
fn what_a_start_shows_is_durable() {
    for seed in 0..20 {
        let mut disk = FakeDisk::default();
        let mut node = started(&mut disk, 1);
        disk.operations_left = Some(1);
        node.propose(create("a"));
        node.run(&mut disk);
        assert!(node.answers.is_empty());
        disk.kill();
        let shown = start(&mut disk, 2).unwrap().unwrap();
        assert_eq!(names(&shown.images[0]), ["a"]);
        disk.cut(&mut Rng::new(seed));
        let again = start(&mut disk, 3).unwrap().unwrap();
        assert_eq!(names(&again.images[0]), ["a"], "seed {seed}");
    }
}

#[test]
fn a_topic_larger_than_the_log_file_is_kept() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    for name in ["large", "larger"] {
        created(node.answer(&mut disk, Command::CreateTopic(topic(name, 10_000))));
    }
    created(node.answer(&mut disk, create("small")));
    let before = node.images[1].records();
    disk.cut(&mut Rng::new(5));
    assert_eq!(started(&mut disk, 2).images[1].records(), before);
}

fn newest_log(disk: &FakeDisk) -> String {
    let logs = disk.list("meta");
    let log = logs.iter().rfind(|e| e.name.starts_with("log-")).unwrap();
    format!("meta/{}", log.name)
}

fn refusal(disk: &mut FakeDisk) -> Fatal {
    match start(disk, 9).unwrap() {
        Err(fatal) => fatal,
        Ok(_) => panic!("must be refused"),
    }
}

#[test]
fn a_torn_tail_is_cut_off_and_damage_is_named() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    created(node.answer(&mut disk, create("a")));
    created(node.answer(&mut disk, create("b")));
    disk.kill();
    let log = newest_log(&disk);
    let groups = {
        let mut groups = 0;
        disk.spoil(&log, |bytes| {
            groups = bytes.chunks(BLOCK).take_while(|b| b[0] != 0).count();
        });
        groups
    };

    let mut torn = disk.clone();
    torn.spoil(&log, |bytes| bytes[(groups - 1) * BLOCK + 40] ^= 1);
    let mut node = start(&mut torn, 2).unwrap().unwrap();
    assert_eq!(names(&node.images[0]), ["a"]);
    created(node.answer(&mut torn, create("c")));
    torn.kill();
    assert_eq!(
        names(&start(&mut torn, 3).unwrap().unwrap().images[0]),
        ["a", "c"]
    );

    for group in 0..groups - 1 {
        let mut damaged = disk.clone();
        damaged.spoil(&log, |bytes| bytes[group * BLOCK + 40] ^= 1);
        let fatal = refusal(&mut damaged);
        assert!(matches!(&fatal, Fatal::Damaged(_)), "{fatal}");
        assert!(fatal.to_string().contains("a valid one follows"), "{fatal}");
    }

    let mut empty = disk.clone();
    empty.spoil(&log, |bytes| bytes.fill(0));
    assert!(matches!(refusal(&mut empty), Fatal::Damaged(_)));
}

#[test]
fn a_spoilt_snapshot_is_damage() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    for n in 0..20 {
        created(node.answer(&mut disk, create(&format!("t{n}"))));
    }
    disk.kill();
    let snapshot = disk.list("meta").pop().unwrap().name;
    assert!(snapshot.starts_with("snapshot-"));
    disk.spoil(&format!("meta/{snapshot}"), |bytes| bytes[100] ^= 4);
    assert!(matches!(refusal(&mut disk), Fatal::Damaged(_)));
}

#[test]
fn foreign_used_and_newer_directories_are_refused_by_name() {
    let mut disk = FakeDisk::default();
    started(&mut disk, 1);
    disk.kill();

    let other = disk.clone().flow(|flow| async move {
        let mut rng = Rng::new(1);
        identity::open(&flow, NodeId(2), &mut rng, &[]).await
    });
    let message = other.unwrap().0.unwrap_err().to_string();
    assert_eq!(
        message,
        "data directory refused: it belongs to node 1, not to node 2; give --node-id 1 or another --data-dir"
    );

    let mut lost = disk.clone();
    lost.flow(|flow| async move { flow.unlink(identity::IDENTITY_FILE).await });
    let message = refusal(&mut lost).to_string();
    assert!(
        message.contains("no corelane.identity, but holds meta"),
        "{message}"
    );

    let mut used = FakeDisk::default();
    used.flow(|flow| async move { flow.open("thesis.txt", true, false).await });
    used.kill();
    let message = refusal(&mut used).to_string();
    assert!(message.contains("holds thesis.txt"), "{message}");

    let mut newer = disk.clone();
    newer.spoil(identity::IDENTITY_FILE, |bytes| {
        bytes[7] = 2;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
        bytes[12..16].copy_from_slice(&crc.to_be_bytes());
    });
    let message = refusal(&mut newer).to_string();
    assert!(
        message.contains("format 2; this version knows up to 1"),
        "{message}"
    );

    disk.spoil(identity::IDENTITY_FILE, |bytes| bytes[20] ^= 1);
    assert!(matches!(refusal(&mut disk), Fatal::Damaged(_)));
}

#[test]
fn a_clean_stop_is_believed_once() {
    let mut disk = FakeDisk::default();
    let node = started(&mut disk, 1);
    assert!(!node.clean);
    let end = node.controller.log_end();
    disk.kill();
    disk.flow(|flow| async move { identity::mark_clean(&flow, end).await.unwrap() });
    disk.cut(&mut Rng::new(3));
    assert!(start(&mut disk, 2).unwrap().unwrap().clean);
    disk.cut(&mut Rng::new(4));
    assert!(!start(&mut disk, 3).unwrap().unwrap().clean);
}

/// What a clean stop has left is there or the start ends by name, again and again; a crash may have torn it.
#[test]
fn a_log_that_lost_its_end_after_a_clean_stop_is_damage() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    let before = node.controller.log_end();
    created(node.answer(&mut disk, create("a")));
    let end = node.controller.log_end();
    assert!(end > before);
    disk.kill();
    let path = log_path(end.log);
    let cut = |disk: &mut FakeDisk| {
        disk.spoil(&path, |bytes| bytes[before.position as usize..].fill(0));
    };
    let mut crashed = disk.clone();
    cut(&mut crashed);
    assert!(start(&mut crashed, 2).unwrap().is_ok());

    disk.flow(|flow| async move { identity::mark_clean(&flow, end).await.unwrap() });
    let mut whole = disk.clone();
    assert!(start(&mut whole, 2).unwrap().is_ok());
    cut(&mut disk);
    for seed in 2..4 {
        let fatal = start(&mut disk, seed).unwrap().err().unwrap();
        assert!(matches!(fatal, Fatal::Damaged(_)), "{fatal}");
        disk.kill();
    }
}

#[test]
fn a_failed_write_ends_it() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    node.propose(create("a"));
    let mut out = ControllerOut::default();
    node.controller.settle(&mut out);
    let request = out.disk.pop().unwrap();
    assert_ne!(request.token.0 & TOKEN_BIT, 0);
    let result = Err(crate::disk::DiskError::IO);
    let token = request.token;
    node.controller
        .on_disk(DiskDone { token, result }, &mut out);
    assert!(matches!(out.fatal, Some(Fatal::Disk { errno: 5, .. })));
    let mut after = ControllerOut::default();
    node.controller.settle(&mut after);
    assert!(after.disk.is_empty() && after.messages.is_empty());
}

/// The order of operations that durability rests on.
#[test]
fn transcript_of_an_append_and_a_roll() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    disk.trace.clear();
    created(node.answer(&mut disk, create("a")));
    assert_eq!(disk.trace, ["write 12288+4096", "flush"]);
    while node.controller.group.snapshot_index() == 0 {
        disk.trace.clear();
        node.answer(&mut disk, Command::AllocateProducerIds { count: 1 })
            .unwrap();
    }
    assert_eq!(
        disk.trace.join("\n"),
        "write 28672+4096
flush
open meta/snapshot.tmp
write 0+4096
flush
rename meta/snapshot.tmp meta/snapshot-0000000000000007
sync 'meta'
open meta/log-0000000000000002
write 0+4096
flush
sync 'meta'
unlink meta/log-0000000000000001"
    );
}

impl Node {
    /// Commits one command after the other until a snapshot is taken. How many commits and passes it took.
    fn run_to_snapshot(&mut self, disk: &mut FakeDisk) -> (usize, usize) {
        let before = self.controller.group.snapshot_index();
        let (mut commits, mut passes) = (0, 0);
        while self.controller.group.snapshot_index() == before {
            self.propose(Command::AllocateProducerIds { count: 1 });
            commits += 1;
            let mut moved = true;
            while moved {
                let mut out = ControllerOut::default();
                self.controller.settle(&mut out);
                let wants_pass = self.controller.wants_pass();
                assert!(!wants_pass || out.disk.is_empty(), "proposed meanwhile");
                passes += usize::from(wants_pass);
                moved = wants_pass || !out.disk.is_empty() || !out.messages.is_empty();
                for request in out.disk {
                    let done = disk.run(request).expect("nobody kills it");
                    self.completed(done, disk);
                }
                for (to, message) in out.messages {
                    self.deliver(to, message);
                }
            }
        }
        (commits, passes)
    }
}

/// A large image is encoded over several passes; and the larger it is, the rarer.
#[test]
fn a_large_snapshot_takes_several_passes_and_comes_back() {
    let mut disk = FakeDisk::default();
    let mut node = started(&mut disk, 1);
    let topics = 6_000;
    for number in 0..topics {
        node.propose(create(&format!("{number:0200}")));
    }
    node.run(&mut disk);
    assert_eq!(node.images[0].topic_count(), topics);
    let (_, passes) = node.run_to_snapshot(&mut disk);
    assert!(passes >= 4, "{passes} passes");
    let (commits, _) = node.run_to_snapshot(&mut disk);
    assert!(commits * 4096 > topics * 200, "{commits} commits");
    let records = node.images[0].records().len();
    let node = started(&mut disk, 2);
    assert_eq!(node.images[0].records().len(), records);
}
