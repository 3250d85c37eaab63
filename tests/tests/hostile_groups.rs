//! Groups with names that no one gives to groups, and members who are nobody: kept apart, kept over a start, and no path.

use std::fs;

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest, OffsetCommitRequest,
    OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;

use corelane_tests::harness::broker::{Broker, Options};
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{ANSWER_WITHIN, Wire, topic_of};

const LOADING: i16 = 14;
const UNKNOWN_MEMBER: i16 = 25;

#[test]
fn odd_names_of_groups_are_only_names() {
    let mut broker = Broker::start_own(Options::shards(2));
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("read");
    wire.create_topic(&topic, 1, &[]);
    let long = "g".repeat(i16::MAX as usize);
    let wide = "漢".repeat(i16::MAX as usize / 3);
    let names = [
        "",
        " ",
        ".",
        "..",
        "../../etc/x",
        "/",
        "a/b",
        "a\0b",
        "a\nb",
        "a\tb",
        "ü",
        "u\u{308}",
        "*",
        "%2e",
        "__consumer_offsets",
        "groups.snapshot",
        &long,
        &wide,
    ];
    find(&mut wire, "..");
    let before = files(&broker);
    // Of groups that nobody has heard of, and of those that have offsets and nobody else.
    expect_nobody(&mut wire, &names);
    for (n, name) in (100..).zip(names) {
        assert_eq!(commit(&mut wire, name, &topic, n), 0, "{name:?}");
    }
    expect_nobody(&mut wire, &names);
    for stop in [true, false] {
        let there = files(&broker);
        assert_eq!(there, before, "a name became a path");
        match stop {
            true => assert!(broker.terminate().success()),
            false => broker.kill_9(),
        }
        broker.restart();
        wire = Wire::connect(broker.address());
        for (n, name) in (100..).zip(names) {
            assert_eq!(committed(&mut wire, name, &topic), n, "{name:?}");
        }
        let described = DescribeGroupsRequest::default()
            .with_groups(names.iter().map(|name| group(name)).collect());
        let answer = wire.call(4, &described);
        for (name, shown) in names.iter().zip(&answer.groups) {
            assert_eq!((shown.error_code, &*shown.group_id.0), (0, *name));
        }
    }
}

/// No member is known, whatever it is called.
fn expect_nobody(wire: &mut Wire, names: &[&str]) {
    let many = "m".repeat(i16::MAX as usize);
    for member in ["", "m", "a\nb", "../x", &many] {
        for name in names.iter().filter(|name| !name.is_empty()) {
            let beat = HeartbeatRequest::default()
                .with_group_id(group(name))
                .with_generation_id(1)
                .with_member_id(StrBytes::from_string(member.to_owned()));
            let code = wire.call(3, &beat).error_code;
            assert_eq!(code, UNKNOWN_MEMBER, "{member:?} of {name:?}");
        }
    }
}

fn group(name: &str) -> GroupId {
    GroupId(StrBytes::from_string(name.to_owned()))
}

fn find(wire: &mut Wire, name: &str) {
    let key = StrBytes::from_string(name.to_owned());
    let find = FindCoordinatorRequest::default().with_key(key);
    assert_eq!(wire.call(2, &find).error_code, 0);
}

fn commit(wire: &mut Wire, name: &str, topic: &str, offset: i64) -> i16 {
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_metadata(Some(StrBytes::default()));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_of(topic))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group(name))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    wire.call(7, &request).topics[0].partitions[0].error_code
}

/// Once the group was read.
fn committed(wire: &mut Wire, name: &str, topic: &str) -> i64 {
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic_of(topic))
        .with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default()
        .with_group_id(group(name))
        .with_topics(Some(vec![topic]));
    let begin = std::time::Instant::now();
    loop {
        let answer = wire.call(5, &request);
        if answer.error_code != LOADING {
            assert_eq!(answer.error_code, 0);
            return answer.topics[0].partitions[0].committed_offset;
        }
        assert!(begin.elapsed() < ANSWER_WITHIN, "it goes on loading");
    }
}

/// The directories below the data directory, and what lies beside it.
fn files(broker: &Broker) -> Vec<String> {
    let data = broker.data_dir().expect("our own");
    let beside = data.parent().expect("it lies in a directory");
    let mut names = Vec::new();
    for directory in [beside.to_owned(), data.to_owned(), data.join("topics")] {
        let entries = fs::read_dir(&directory).expect("readable");
        let found = entries.map(|entry| entry.expect("readable").file_name());
        names.extend(found.map(|name| name.to_string_lossy().into_owned()));
    }
    // Directories of partitions come as they are written to.
    let of_partition = |name: &str| {
        name.rsplit_once('-').is_some_and(|(id, partition)| {
            id.bytes().all(|b| b.is_ascii_alphanumeric()) && partition.parse::<u16>().is_ok()
        })
    };
    names.retain(|name| !of_partition(name));
    names.sort();
    names
}
