//! Consumer groups with real clients: librdkafka by `subscribe`, eager, static and cooperative, members and brokers killed;
//! Kafka's console consumer in a group, and `kafka-consumer-groups` over what it left.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, GroupId, OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, ClientContext, TopicPartitionList};

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::tools::Jobs;
use corelane_tests::harness::wire::{Wire, topic_of};
use corelane_tests::harness::{runtime, topic_name};

const PARTITIONS: i32 = 6;
const NOT_LEADER: i16 = 6;
/// A rebalance, a session that ends, and a machine that compiles meanwhile.
const WITHIN: Duration = Duration::from_secs(60);
/// Kafka's shortest session.
const SESSION_MS: &str = "6000";

#[test]
fn three_members_share_and_outlive_one_on_one_shard() {
    three_members_share_and_outlive_one(1);
}

#[test]
fn three_members_share_and_outlive_one_on_four_shards() {
    three_members_share_and_outlive_one(4);
}

/// Two members here and one in a process of its own share six partitions. That one is killed: its partitions are taken
/// over, and what comes then is read once each.
fn three_members_share_and_outlive_one(shards: usize) {
    let broker = Broker::start(Options::shards(shards));
    let story = Story::new(&broker, "shared");
    story.produce(0..20);
    let mut stranger = Stranger::start(&broker, &story);
    let mut members = vec![story.member(&[]), story.member(&[])];
    until(&mut members, "each has two partitions", |members| {
        members.iter().all(|member| member.assigned().len() == 2)
    });
    let apart: BTreeSet<i32> = members.iter().flat_map(Member::assigned).collect();
    assert_eq!(apart.len(), 4, "no partition has two readers");
    stranger.kill();
    until(&mut members, "two have all", |members| {
        members.iter().all(|member| member.assigned().len() == 3)
    });
    story.produce(20..40);
    let wanted: BTreeSet<(i32, String)> = values(20..40);
    until(&mut members, "the new records are read", |members| {
        wanted.is_subset(&members.iter().flat_map(Member::values).collect())
    });
    let mut times: BTreeMap<(i32, String), usize> = BTreeMap::new();
    for value in members.iter().flat_map(Member::values) {
        *times.entry(value).or_default() += 1;
    }
    let twice: Vec<_> = times
        .iter()
        .filter(|(value, times)| wanted.contains(value) && **times > 1)
        .collect();
    assert!(twice.is_empty(), "read more than once: {twice:?}");
    story.check_committed(40);
}

/// Not a test of its own: the member that is killed. Does nothing unless it is started by the test above.
#[test]
fn a_member_in_a_process_of_its_own() {
    let Ok(told) = std::env::var(STRANGER) else {
        return;
    };
    let words: Vec<&str> = told.split(' ').collect();
    let [bootstrap, topic] = words[..] else {
        panic!("{told:?}");
    };
    let mut member = Member::new(bootstrap, topic, &[]);
    // Until it is killed; nobody waits longer than a minute for it to be of use.
    let end = Instant::now() + 4 * WITHIN;
    while Instant::now() < end {
        member.poll();
    }
}

const STRANGER: &str = "CORELANE_TEST_STRANGER";

/// This test program once more, as a member that can be killed.
struct Stranger(Child);

impl Stranger {
    fn start(broker: &Broker, story: &Story) -> Stranger {
        let test = std::env::current_exe().expect("a test knows its own path");
        let child = Command::new(test)
            .args(["--exact", "a_member_in_a_process_of_its_own"])
            .env(STRANGER, format!("{} {}", broker.bootstrap(), story.topic))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("this test is a program");
        Stranger(child)
    }

    fn kill(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.kill();
    }
}

/// KIP-345: a static member that is gone for less than its session gets its partitions back, and nobody else hears of it.
#[test]
fn a_static_member_comes_back_to_what_it_had() {
    let broker = Broker::start(Options::shards(2));
    let story = Story::new(&broker, "static");
    let named =
        |name| story.member(&[("group.instance.id", name), ("session.timeout.ms", "45000")]);
    let mut members = vec![named("one"), named("two")];
    until(&mut members, "both have half", |members| {
        members.iter().all(|member| member.assigned().len() == 3)
    });
    let had = members[0].assigned();
    let before = members[1].changes();
    // Its close leaves nothing: it is expected back.
    members.remove(0);
    members.insert(0, named("one"));
    until(&mut members, "the one is back", |members| {
        !members[0].assigned().is_empty()
    });
    story.produce(0..10);
    let wanted = values(0..10);
    until(&mut members, "both read", |members| {
        wanted.is_subset(&members.iter().flat_map(Member::values).collect())
    });
    assert_eq!(members[0].assigned(), had, "what it had before");
    assert_eq!(members[1].changes(), before, "the other was not disturbed");
}

/// KIP-429: who stays keeps what it keeps, while the group rebalances.
#[test]
fn cooperative_members_keep_what_they_keep() {
    let broker = Broker::start(Options::shards(2));
    let story = Story::new(&broker, "cooperative");
    let cooperative = || story.member(&[("partition.assignment.strategy", "cooperative-sticky")]);
    let mut members = vec![cooperative()];
    until(&mut members, "the first has all", |members| {
        members[0].assigned().len() == 6
    });
    story.produce(0..10);
    members.push(cooperative());
    until(&mut members, "both have half", |members| {
        members.iter().all(|member| member.assigned().len() == 3)
    });
    let revoked: usize = members[0]
        .changes()
        .iter()
        .map(|change| match change {
            Change::Revoked(partitions) => partitions.len(),
            Change::Assigned(_) => 0,
        })
        .sum();
    assert_eq!(
        revoked,
        3,
        "no more than went away: {:?}",
        members[0].changes()
    );
    story.produce(10..20);
    let wanted = values(0..20);
    until(&mut members, "all is read", |members| {
        wanted.is_subset(&members.iter().flat_map(Member::values).collect())
    });
    // Who leaves hands over at once: no session is waited for.
    let left = members.pop().expect("two");
    let asked = Instant::now();
    drop(left);
    until(&mut members, "the first has all again", |members| {
        members[0].assigned().len() == 6
    });
    assert!(
        asked.elapsed() < Duration::from_secs(40),
        "{:?}",
        asked.elapsed()
    );
}

/// What was committed before `kill -9` is where the next member begins; who was there before goes on by itself.
#[test]
fn offsets_are_kept_over_kill_9() {
    for shards in [1, 3] {
        let mut broker = Broker::start_own(Options::shards(shards));
        let story = Story::new(&broker, "kept");
        story.produce(0..30);
        let mut members = vec![story.member(&[])];
        let first = values(0..30);
        until(&mut members, "the first half is read", |members| {
            first.is_subset(&members[0].values().collect())
        });
        story.check_committed(30);
        broker.kill_9();
        broker.restart();
        story.check_committed(30);
        story.produce(30..60);
        let second = values(30..60);
        until(&mut members, "who was there goes on", |members| {
            second.is_subset(&members[0].values().collect())
        });
        let read: Vec<_> = members[0].values().collect();
        assert_eq!(
            read.len(),
            60 * PARTITIONS as usize,
            "nothing is read twice"
        );
        story.check_committed(60);
        drop(members);
        broker.kill_9();
        broker.options_mut().shards = 2;
        broker.restart();
        story.produce(60..70);
        let third = values(60..70);
        let mut members = vec![story.member(&[])];
        until(
            &mut members,
            "who comes new begins where the others ended",
            |members| third.is_subset(&members[0].values().collect()),
        );
        let read: BTreeSet<_> = members[0].values().collect();
        assert_eq!(read, third, "{shards} shards, then 2");
    }
}

/// A topic of six partitions, and a group of the same name that reads it.
struct Story {
    bootstrap: String,
    address: std::net::SocketAddr,
    topic: String,
}

/// What `produce` sends: to every partition `n` for every `n`.
fn values(range: std::ops::Range<u32>) -> BTreeSet<(i32, String)> {
    range
        .flat_map(|n| (0..PARTITIONS).map(move |p| (p, n.to_string())))
        .collect()
}

impl Story {
    fn new(broker: &Broker, name: &str) -> Story {
        let topic = topic_name(name);
        Wire::connect(broker.address()).create_topic(&topic, PARTITIONS, &[]);
        Story {
            bootstrap: broker.bootstrap(),
            address: broker.address(),
            topic,
        }
    }

    fn produce(&self, range: std::ops::Range<u32>) {
        let values: Vec<String> = range.map(|n| n.to_string()).collect();
        let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
        let mut wire = Wire::connect(self.address);
        let deadline = Instant::now() + WITHIN;
        for partition in 0..PARTITIONS {
            loop {
                let answer = wire.produce(&self.topic, partition, Batch::of(&values).bytes());
                let code = answer.responses[0].partition_responses[0].error_code;
                if code == 0 {
                    break;
                }
                // Apache Kafka is ready a moment before its partitions have leaders.
                assert_eq!(code, NOT_LEADER, "producing to {partition}");
                assert!(Instant::now() < deadline, "{partition} has no leader");
            }
        }
    }

    fn member(&self, configs: &[(&str, &str)]) -> Member {
        Member::new(&self.bootstrap, &self.topic, configs)
    }

    /// Waits until the group has committed `end` in every partition, and no more.
    fn check_committed(&self, end: i64) {
        let deadline = Instant::now() + WITHIN;
        loop {
            let committed = self.committed();
            if committed.values().all(|&offset| offset == Ok(end)) {
                return;
            }
            let beyond = |offset: &Result<i64, i16>| offset.is_ok_and(|offset| offset > end);
            assert!(
                !committed.values().any(beyond),
                "{committed:?}, expected {end}"
            );
            assert!(Instant::now() < deadline, "{committed:?}, expected {end}");
        }
    }

    /// Offset or error code by partition.
    fn committed(&self) -> BTreeMap<i32, Result<i64, i16>> {
        let partitions: Vec<i32> = (0..PARTITIONS).collect();
        let topic = OffsetFetchRequestTopic::default()
            .with_name(topic_of(&self.topic))
            .with_partition_indexes(partitions.clone());
        let request = OffsetFetchRequest::default()
            .with_group_id(GroupId(StrBytes::from_string(self.topic.clone())))
            .with_topics(Some(vec![topic]));
        let answer = Wire::connect(self.address).call(7, &request);
        if answer.error_code != 0 {
            return partitions
                .into_iter()
                .map(|p| (p, Err(answer.error_code)))
                .collect();
        }
        let partitions = answer.topics[0].partitions.iter();
        partitions
            .map(|p| (p.partition_index, Ok(p.committed_offset)))
            .collect()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Change {
    Assigned(Vec<i32>),
    Revoked(Vec<i32>),
}

/// Notes how a member's assignment changes.
#[derive(Default)]
struct Watch(Mutex<Vec<Change>>);

impl ClientContext for Watch {}

impl ConsumerContext for Watch {
    fn pre_rebalance(&self, _: &BaseConsumer<Watch>, rebalance: &Rebalance<'_>) {
        let change = match rebalance {
            Rebalance::Assign(partitions) => Change::Assigned(numbers(partitions)),
            Rebalance::Revoke(partitions) => Change::Revoked(numbers(partitions)),
            Rebalance::Error(error) => panic!("{error}"),
        };
        self.0.lock().expect("no holder panics").push(change);
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    let mut numbers: Vec<i32> = partitions
        .elements()
        .iter()
        .map(|e| e.partition())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// A member that commits every record it was given before it asks for the next one.
struct Member {
    consumer: BaseConsumer<Watch>,
    read: Vec<(i32, String)>,
}

impl Member {
    fn new(bootstrap: &str, topic: &str, configs: &[(&str, &str)]) -> Member {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap)
            .set("group.id", topic)
            .set("session.timeout.ms", SESSION_MS)
            .set("heartbeat.interval.ms", "500")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "20");
        for (name, value) in configs {
            config.set(*name, *value);
        }
        let consumer: BaseConsumer<Watch> = config
            .create_with_context(Watch::default())
            .expect("a valid configuration");
        consumer.subscribe(&[topic]).expect("a valid subscription");
        Member {
            consumer,
            read: Vec::new(),
        }
    }

    fn poll(&mut self) {
        match self.consumer.poll(Duration::from_millis(20)) {
            None => {}
            // The broker may be away, or the group in a rebalance: the client comes back by itself.
            Some(Err(error)) => eprintln!("{error}"),
            Some(Ok(message)) => {
                let value = message.payload().expect("every record has one");
                let value = String::from_utf8_lossy(value).into_owned();
                let seen = (message.partition(), value);
                // Refused while the group rebalances: whoever comes next reads it again.
                match self.consumer.commit_message(&message, CommitMode::Sync) {
                    Ok(()) => {}
                    Err(error) => eprintln!("commit: {error}"),
                }
                self.read.push(seen);
            }
        }
    }

    fn assigned(&self) -> Vec<i32> {
        self.consumer
            .assignment()
            .map_or_else(|_| Vec::new(), |partitions| numbers(&partitions))
    }

    fn changes(&self) -> Vec<Change> {
        self.consumer
            .context()
            .0
            .lock()
            .expect("no holder panics")
            .clone()
    }

    /// Partition and value of every record, in the order read.
    fn values(&self) -> impl Iterator<Item = (i32, String)> {
        self.read.iter().cloned()
    }
}

/// Polls all members in turn until it is so.
fn until(members: &mut [Member], what: &str, is_so: impl Fn(&[Member]) -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !is_so(members) {
        assert!(
            Instant::now() < deadline,
            "not within {WITHIN:?}: {what}; assigned {:?}, changes {:?}, read {:?}",
            members.iter().map(Member::assigned).collect::<Vec<_>>(),
            members.iter().map(Member::changes).collect::<Vec<_>>(),
            members
                .iter()
                .map(|member| member.read.len())
                .collect::<Vec<_>>()
        );
        members.iter_mut().for_each(Member::poll);
    }
}

/// Kafka's console consumer reads in a group; `kafka-consumer-groups` lists, describes, resets, deletes offsets, deletes.
#[test]
fn kafkas_tools_see_and_change_groups() {
    if runtime::java().is_none() {
        return runtime::did_not_run("the suite of Kafka's group tools", "java with mvn");
    }
    for shards in [1, 4] {
        tools(shards);
    }
}

fn tools(shards: usize) {
    let broker = Broker::start(Options::shards(shards));
    let story = Story::new(&broker, "tools");
    story.produce(0..10);
    let count = (10 * PARTITIONS).to_string();
    let (bootstrap, topic) = (broker.bootstrap(), story.topic.as_str());
    let mut jobs = Jobs::new();
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(|&w| w.to_owned()).collect() };
    let read = words(&[
        "--bootstrap-server",
        &bootstrap,
        "--topic",
        topic,
        "--group",
        topic,
        "--from-beginning",
        "--max-messages",
        &count,
        "--timeout-ms",
        "40000",
    ]);
    let reader = jobs.add("org.apache.kafka.tools.consumer.ConsoleConsumer", &read, "");
    let mut groups = |arguments: &[&str]| {
        let mut all = words(&["--bootstrap-server", &bootstrap, "--timeout", "30000"]);
        all.extend(words(arguments));
        jobs.add(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
            &all,
            "",
        )
    };
    let listed = groups(&["--list"]);
    let described = groups(&["--describe", "--group", topic]);
    let state = groups(&["--describe", "--state", "--group", topic]);
    let reset = groups(&[
        "--reset-offsets",
        "--group",
        topic,
        "--topic",
        topic,
        "--to-offset",
        "4",
        "--execute",
    ]);
    let lagging = groups(&["--describe", "--group", topic]);
    let forgotten = groups(&["--delete-offsets", "--group", topic, "--topic", topic]);
    let again = groups(&[
        "--reset-offsets",
        "--group",
        topic,
        "--topic",
        topic,
        "--to-earliest",
        "--execute",
    ]);
    let deleted = groups(&["--delete", "--group", topic]);
    let gone = groups(&["--list"]);
    let said = jobs.run();

    assert_eq!(
        said[reader].lines().count() as i32,
        10 * PARTITIONS,
        "{}",
        said[reader]
    );
    let lists = |text: &str| text.lines().any(|line| line.trim() == topic);
    assert!(lists(&said[listed]), "{}", said[listed]);
    assert_eq!(
        rows(&said[described], topic),
        vec![(10, 10, 0); 6],
        "{}",
        said[described]
    );
    assert!(said[state].contains("Empty"), "{}", said[state]);
    let to_4 = said[reset]
        .lines()
        .filter(|line| line.ends_with(" 4") || line.contains(" 4 "));
    assert_eq!(to_4.count() as i32, PARTITIONS, "{}", said[reset]);
    assert_eq!(
        rows(&said[lagging], topic),
        vec![(4, 10, 6); 6],
        "{}",
        said[lagging]
    );
    assert!(
        said[forgotten].contains("Successful"),
        "{}",
        said[forgotten]
    );
    assert!(said[again].contains(topic), "{}", said[again]);
    assert!(said[deleted].contains("successful"), "{}", said[deleted]);
    assert!(!lists(&said[gone]), "{}", said[gone]);
    let left = story.committed();
    assert!(left.values().all(|offset| *offset == Ok(-1)), "{left:?}");
}

/// Committed offset, log end and lag of every partition that `--describe` shows.
fn rows(text: &str, topic: &str) -> Vec<(i64, i64, i64)> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
            // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …
            (fields.get(1) == Some(&topic)).then_some(())?;
            Some((number(3)?, number(4)?, number(5)?))
        })
        .collect()
}

/// Three hundred groups in one request, over the coordinators of all shards.
#[test]
fn many_groups_are_found_and_described_at_once() {
    let broker = Broker::start(Options::shards(2));
    let name = topic_name("many");
    let keys: Vec<StrBytes> = (0..300)
        .map(|n| StrBytes::from_string(format!("{name}-{n}")))
        .collect();
    let deadline = Instant::now() + WITHIN;
    let mut wire = Wire::connect(broker.address());
    loop {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(keys.clone());
        let answer = wire.call(4, &request);
        assert_eq!(answer.coordinators.len(), keys.len());
        let request = DescribeGroupsRequest::default()
            .with_groups(keys.iter().cloned().map(GroupId).collect());
        let described = wire.call(5, &request);
        let codes: BTreeSet<i16> = described.groups.iter().map(|g| g.error_code).collect();
        if answer.coordinators.iter().all(|c| c.error_code == 0) && codes == BTreeSet::from([0]) {
            break;
        }
        assert!(Instant::now() < deadline, "no coordinator: {codes:?}");
    }
}
