//! The coordinator over the real shard: what is visible when, what a start finds, what goes with time.

use std::collections::BTreeSet;
use std::mem::size_of;

use bytes::Bytes;

use super::beside::ShardWithGroups;
use super::call::{
    Commit, CommitItem, CommittedOffset, GroupAsk, GroupDone, GroupError, GroupState, Join, Joined,
    Leaving, MemberRef, Sync,
};
use super::classic::{Caller, ClassicGroup, Effect, Then, Timer, Turn};
use super::config::GroupConfig;
use super::coordinator::GroupPartition;
use super::rig::{Rig, Said, TOPIC, commit, commit_as, fetch, partition_config, partition_of};
use crate::call::RequestToken;
use crate::rng::Rng;
use crate::types::{Durability, Instant, LeaderEpoch, Now, Offset, ShardId, Timestamp, TopicId};

const DAY_MS: u64 = 86_400_000;

/// Version 0, these topics.
fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend_from_slice(&(topics.len() as i32).to_be_bytes());
    for topic in topics {
        bytes.extend_from_slice(&(topic.len() as i16).to_be_bytes());
        bytes.extend_from_slice(topic.as_bytes());
    }
    bytes.extend_from_slice(&[0, 0, 0, 0]);
    bytes.into()
}

fn join(member: &str, topics: &[&str]) -> GroupAsk {
    GroupAsk::Join(Join {
        member: member.to_owned(),
        instance: None,
        client_id: "c".to_owned(),
        client_host: "/10.0.0.1".to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), subscription(topics))],
        member_id_required: false,
        skip_assignment_supported: true,
        reason: None,
    })
}

fn joined(said: Said) -> Joined {
    match said {
        Ok(GroupDone::Joined(joined)) => joined,
        other => panic!("{other:?}"),
    }
}

/// A stable group of one member that reads these topics.
fn stable(rig: &mut Rig, group: &str, topics: &[&str]) -> MemberRef {
    let request = rig.ask(group, join("", topics));
    rig.wait_ms(3_000);
    let joined = joined(rig.said.remove(&request).expect("answered"));
    let who = MemberRef {
        member: joined.member.clone(),
        instance: None,
        generation: joined.generation,
    };
    let synced = rig.say(group, sync(&who, "all"));
    assert!(matches!(synced, Ok(GroupDone::Synced(_))), "{synced:?}");
    who
}

fn sync(who: &MemberRef, assignment: &str) -> GroupAsk {
    GroupAsk::Sync(Sync {
        who: who.clone(),
        protocol_type: None,
        protocol_name: None,
        assignments: vec![(
            who.member.clone(),
            Bytes::copy_from_slice(assignment.as_bytes()),
        )],
    })
}

fn leave(who: &MemberRef) -> GroupAsk {
    GroupAsk::Leave(vec![Leaving {
        member: who.member.clone(),
        instance: None,
        reason: None,
    }])
}

fn offset(rig: &mut Rig, group: &str, topic: &str, partition: i32) -> Option<i64> {
    rig.fetch(group, topic, partition)
        .map(|stored| stored.offset.0)
}

fn state(rig: &mut Rig, group: &str) -> GroupState {
    match rig.say(group, GroupAsk::Describe) {
        Ok(GroupDone::Described(described)) => described.state,
        other => panic!("{other:?}"),
    }
}

fn refused(error: GroupError) -> Said {
    Err(error)
}

/// As PartialEq would have it.
#[track_caller]
fn assert_said(said: &Said, expected: &Said) {
    assert_eq!(format!("{said:?}"), format!("{expected:?}"));
}

fn restart(rig: &mut Rig, power: bool) {
    rig.crash(power);
    rig.start();
    rig.rest();
}

#[test]
fn an_offset_is_answered_and_seen_once_it_is_durable() {
    let mut rig = Rig::ready(1);
    let request = rig.ask("a", commit("t", 0, 7));
    rig.settle();
    let early = rig.ask("a", fetch(Some(vec![("t".to_owned(), vec![0])]), false));
    let stable = rig.ask("a", fetch(Some(vec![("t".to_owned(), vec![0])]), true));
    assert!(!rig.said.contains_key(&request), "not durable yet");
    let seen = rig.said.remove(&early).expect("answered at once");
    assert_said(
        &seen,
        &Ok(GroupDone::Fetched(vec![("t".to_owned(), 0, None)])),
    );
    assert!(
        !rig.said.contains_key(&stable),
        "waits for what is on its way"
    );
    rig.rest();
    let done = rig.said.remove(&request).expect("durable");
    assert_said(&done, &Ok(GroupDone::Committed(vec![(0, Ok(()))])));
    let Some(Ok(GroupDone::Fetched(seen))) = rig.said.remove(&stable) else {
        panic!("it is answered")
    };
    assert_eq!(
        seen[0].2.as_ref().map(|stored| stored.offset),
        Some(Offset(7))
    );
    restart(&mut rig, true);
    assert_eq!(offset(&mut rig, "a", "t", 0), Some(7));
}

#[test]
fn while_the_log_is_read_clients_are_told_to_wait() {
    let mut rig = Rig::ready(2);
    rig.say("a", commit("t", 0, 7)).expect("committed");
    rig.crash(false);
    rig.start();
    let told = rig.ask("a", commit("t", 0, 8));
    assert_said(&rig.said[&told], &refused(GroupError::Loading));
    // A member must not be thrown out by a restart.
    let who = MemberRef {
        member: "m".to_owned(),
        instance: None,
        generation: 1,
    };
    let told = rig.ask("a", GroupAsk::Heartbeat(who));
    assert_said(&rig.said[&told], &Ok(GroupDone::Done));
    assert!(rig.list().loading);
    rig.said.clear();
    rig.rest();
    let listed = rig.list();
    assert!(!listed.loading);
    assert_eq!(listed.groups.len(), 1);
    assert_eq!(
        (&*listed.groups[0].group, listed.groups[0].state),
        ("a", GroupState::Empty)
    );
}

#[test]
fn a_group_comes_back_as_it_was_and_its_members_have_time_to_show_themselves() {
    for (power, stop) in [(false, false), (true, false), (false, true)] {
        let mut rig = Rig::ready(3);
        let who = stable(&mut rig, "a", &["t"]);
        rig.say("a", commit_as(who.clone(), "t", 0, 5))
            .expect("committed");
        stable(&mut rig, "silent", &["t"]);
        match stop {
            true => rig.stop(),
            false => rig.crash(power),
        }
        // Longer than a session.
        rig.now.mono.0 += 40_000_000_000;
        rig.start();
        rig.rest();
        assert_eq!(state(&mut rig, "a"), GroupState::Stable);
        rig.wait_ms(29_000);
        assert_eq!(state(&mut rig, "silent"), GroupState::Stable);
        assert_said(
            &rig.say("a", GroupAsk::Heartbeat(who.clone())),
            &Ok(GroupDone::Done),
        );
        let Ok(GroupDone::Synced(synced)) = rig.say("a", sync(&who, "ignored")) else {
            panic!("it is stable")
        };
        assert_eq!(&synced.assignment[..], b"all");
        rig.wait_ms(1_000);
        assert_eq!(state(&mut rig, "silent"), GroupState::Empty);
        rig.wait_ms(30_000);
        assert_eq!(state(&mut rig, "a"), GroupState::Empty);
        assert_eq!(offset(&mut rig, "a", "t", 0), Some(5));
    }
}

/// Where the snapshot of a group's partition lies.
fn snapshot_of(group: &str) -> String {
    format!("topics/{}/groups.snapshot", partition_of(group))
}

#[test]
fn after_a_clean_stop_a_start_reads_the_snapshot_and_no_log() {
    let mut rig = Rig::ready(4);
    for n in 0..200 {
        rig.say("a", commit("t", n % 10, i64::from(n)))
            .expect("committed");
    }
    let who = stable(&mut rig, "a", &["u"]);
    rig.stop();
    let name = snapshot_of("a");
    let listed = rig.disk.list(name.rsplit_once('/').expect("a path").0);
    let names: Vec<&str> = listed.iter().map(|entry| &*entry.name).collect();
    assert!(
        names.contains(&"groups.snapshot") && !names.contains(&"groups.snapshot.new"),
        "{names:?}"
    );
    rig.start();
    rig.rest();
    assert_eq!(offset(&mut rig, "a", "t", 9), Some(199));
    assert_said(
        &rig.say("a", GroupAsk::Heartbeat(who)),
        &Ok(GroupDone::Done),
    );
}

#[test]
fn a_damaged_snapshot_is_passed_over_and_a_newer_one_refused_by_name() {
    let mut rig = Rig::ready(5);
    let name = snapshot_of("a");
    let mut commits = 0;
    let mut stop = |rig: &mut Rig| {
        for n in 0..60 {
            commits += 1;
            rig.say("a", commit("t", n % 10, commits))
                .expect("committed");
        }
        rig.stop();
        commits
    };
    for at in [0, 20, 100, 300] {
        let last = stop(&mut rig);
        rig.disk.spoil(&name, |bytes| bytes[at] ^= 0x10);
        rig.start();
        rig.rest();
        assert_eq!(offset(&mut rig, "a", "t", 9), Some(last), "byte {at}");
    }
    let last = stop(&mut rig);
    rig.disk.spoil(&name, |bytes| bytes.truncate(100));
    rig.start();
    rig.rest();
    assert_eq!(offset(&mut rig, "a", "t", 9), Some(last), "cut");
    stop(&mut rig);
    rig.disk.spoil(&name, |bytes| {
        bytes[6..8].copy_from_slice(&9u16.to_be_bytes());
    });
    rig.start();
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.rest()));
    let said = died.expect_err("refused");
    let said = said.downcast_ref::<String>().expect("a message");
    assert!(
        said.contains("groups.snapshot: format 9; this version knows up to 1"),
        "{said}"
    );
}

#[test]
fn a_snapshot_that_is_newer_than_the_log_is_not_believed() {
    let mut rig = Rig::ready(6);
    for n in 0..60 {
        rig.say("a", commit("t", n % 10, i64::from(n)))
            .expect("committed");
    }
    rig.stop();
    // From another life of the directory: its log went further.
    let mut other = Rig::ready(7);
    for n in 0..90 {
        other
            .say("a", commit("t", n % 10, 1_000))
            .expect("committed");
    }
    other.stop();
    let name = snapshot_of("a");
    let directory = name.rsplit_once('/').expect("a path").0;
    let mut stolen = Vec::new();
    other.disk.spoil(&name, |bytes| stolen.clone_from(bytes));
    rig.disk.spoil(&name, |bytes| *bytes = stolen);
    rig.config.snapshot_after_bytes = 1 << 20;
    rig.start();
    rig.rest();
    assert_eq!(offset(&mut rig, "a", "t", 9), Some(59));
    // The log grows past its end: it must not look right then.
    let listed = rig.disk.list(directory);
    assert!(
        listed.iter().all(|entry| entry.name != "groups.snapshot"),
        "{listed:?}"
    );
    for n in 0..60 {
        rig.say("a", commit("t", n % 10, 100 + i64::from(n)))
            .expect("committed");
    }
    restart(&mut rig, true);
    assert_eq!(offset(&mut rig, "a", "t", 9), Some(159));
}

#[test]
fn where_acknowledged_records_may_be_lost_there_are_no_snapshots() {
    let mut rig = Rig::new(8);
    rig.partition_config = partition_config(Durability::Process);
    rig.start();
    rig.rest();
    for n in 0..300 {
        rig.say("a", commit("t", n % 10, i64::from(n)))
            .expect("committed");
    }
    rig.stop();
    let name = snapshot_of("a");
    let listed = rig.disk.list(name.rsplit_once('/').expect("a path").0);
    assert!(
        listed.iter().all(|entry| !entry.name.contains("snapshot")),
        "{listed:?}"
    );
}

/// However many commits the log holds, a start reads no more than a snapshot of what is left of them, and a little log.
#[test]
fn a_start_after_many_commits_reads_little() {
    let mut rig = Rig::new(9);
    rig.config.snapshot_piece_bytes = GroupConfig::default().snapshot_piece_bytes;
    rig.start();
    rig.rest();
    for n in 0..20_000i32 {
        rig.ask("a", commit("t", n % 20, i64::from(n)));
        if n % 50 == 0 {
            rig.rest();
        }
    }
    rig.rest();
    rig.said.clear();
    rig.crash(false);
    rig.start();
    let before = rig.bytes_read;
    rig.rest();
    let read = rig.bytes_read - before;
    // Snapshot pieces are read in whole buffers; the log ends in memory.
    assert!(read <= 4 * (256 << 10), "{read} bytes");
    assert_eq!(offset(&mut rig, "a", "t", 19), Some(19_999));
}

#[test]
fn a_commit_of_many_partitions_lies_in_several_batches_and_is_answered_once() {
    let mut rig = Rig::ready(10);
    let offsets = (0..4_000u32).map(|n| CommitItem {
        index: n,
        topic: "a-topic-with-a-name-of-some-length".to_owned(),
        partition: n as i32,
        committed: CommittedOffset {
            offset: Offset(i64::from(n)),
            leader_epoch: LeaderEpoch(3),
            metadata: if n == 7 {
                "x".repeat(4097)
            } else {
                "note".to_owned()
            },
            timestamp: Timestamp(0),
        },
    });
    let many = GroupAsk::Commit(Commit {
        who: MemberRef {
            member: String::new(),
            instance: None,
            generation: -1,
        },
        retention_ms: -1,
        offsets: offsets.collect(),
    });
    let Ok(GroupDone::Committed(results)) = rig.say("a", many) else {
        panic!("it is taken")
    };
    let refused: Vec<_> = results
        .iter()
        .filter(|(_, result)| result.is_err())
        .collect();
    assert_eq!(refused, [&(7, Err(GroupError::OffsetMetadataTooLarge))]);
    restart(&mut rig, true);
    let Ok(GroupDone::Fetched(all)) = rig.say("a", fetch(None, false)) else {
        panic!("it is answered")
    };
    assert_eq!(all.len(), 3_999);
    assert!(
        all.windows(2).all(|pair| pair[0].1 < pair[1].1),
        "by number"
    );
    let stored = all[3_998].2.clone().expect("stored");
    assert_eq!(
        (stored.offset, stored.leader_epoch),
        (Offset(3_999), LeaderEpoch(3))
    );
    assert_eq!(
        (stored.metadata, stored.timestamp),
        ("note".to_owned(), rig.now.wall)
    );
}

#[test]
fn requests_that_make_no_sense_are_refused_before_their_group_is_looked_at() {
    let mut rig = Rig::ready(11);
    let nobody = MemberRef {
        member: "m".to_owned(),
        instance: None,
        generation: 1,
    };
    assert_said(
        &rig.say("", join("", &["t"])),
        &refused(GroupError::InvalidGroupId),
    );
    // Offsets may be kept under no name.
    rig.say("", commit("t", 0, 1)).expect("taken");
    let long = "g".repeat(40_000);
    assert_said(
        &rig.say(&long, commit("t", 0, 1)),
        &refused(GroupError::InvalidGroupId),
    );
    for ms in [5_999, 1_800_001, -1] {
        let GroupAsk::Join(mut ask) = join("", &["t"]) else {
            unreachable!()
        };
        ask.session_timeout_ms = ms;
        let said = rig.say("a", GroupAsk::Join(ask));
        assert_said(&said, &refused(GroupError::InvalidSessionTimeout));
    }
    let GroupAsk::Join(mut ask) = join("", &["t"]) else {
        unreachable!()
    };
    ask.client_id = "c".repeat(32_767);
    assert_said(
        &rig.say("a", GroupAsk::Join(ask)),
        &refused(GroupError::InvalidRequest),
    );
    let unknown = refused(GroupError::UnknownMember);
    assert_said(&rig.say("a", join("m", &["t"])), &unknown);
    assert_said(&rig.say("a", sync(&nobody, "x")), &unknown);
    assert_said(&rig.say("a", GroupAsk::Heartbeat(nobody.clone())), &unknown);
    let left = Ok(GroupDone::Left(vec![Err(GroupError::UnknownMember)]));
    assert_said(&rig.say("a", leave(&nobody)), &left);
    let said = rig.say("a", commit_as(nobody, "t", 0, 1));
    assert_said(&said, &refused(GroupError::GroupNotFound));
    assert_eq!(state(&mut rig, "a"), GroupState::Dead);
    // Nothing of all this made a group.
    let listed = rig.list().groups;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].group, "");
}

#[test]
fn a_deleted_group_is_gone_for_good_and_what_came_meanwhile_finds_it_so() {
    let mut rig = Rig::ready(12);
    assert_said(
        &rig.say("a", GroupAsk::Delete),
        &refused(GroupError::GroupNotFound),
    );
    let who = stable(&mut rig, "a", &["t"]);
    rig.say("a", commit_as(who.clone(), "t", 0, 5))
        .expect("committed");
    assert_said(
        &rig.say("a", GroupAsk::Delete),
        &refused(GroupError::NonEmptyGroup),
    );
    rig.say("a", leave(&who)).expect("left");
    // An offset on its way does not survive the deletion that was asked after it; one asked later does.
    let before = rig.ask("a", commit("t", 1, 6));
    let delete = rig.ask("a", GroupAsk::Delete);
    let after = rig.ask("a", commit("t", 2, 7));
    let again = rig.ask("a", GroupAsk::Delete);
    rig.settle();
    assert!(rig.said.is_empty(), "nothing is durable");
    rig.rest();
    for request in [before, delete, after, again] {
        let said = rig.said.remove(&request).expect("answered");
        assert!(said.is_ok(), "{said:?}");
    }
    rig.say("a", commit("t", 3, 8)).expect("committed");
    restart(&mut rig, true);
    let found = [0, 1, 2, 3].map(|partition| offset(&mut rig, "a", "t", partition));
    assert_eq!(
        found,
        [None, None, None, Some(8)],
        "the second deletion took 2 along"
    );
    assert_said(
        &rig.say("a", GroupAsk::Heartbeat(who)),
        &refused(GroupError::UnknownMember),
    );
}

#[test]
fn offsets_of_topics_that_are_read_are_not_deleted() {
    let mut rig = Rig::ready(13);
    let who = stable(&mut rig, "a", &["t"]);
    rig.say("a", commit_as(who.clone(), "t", 0, 5))
        .expect("committed");
    rig.say("a", commit_as(who, "u", 0, 6)).expect("committed");
    let asked = vec![("t".to_owned(), vec![0]), ("u".to_owned(), vec![0, 1])];
    let said = rig.say("a", GroupAsk::DeleteOffsets(asked));
    let expected = vec![
        ("t".to_owned(), 0, Err(GroupError::SubscribedToTopic)),
        ("u".to_owned(), 0, Ok(())),
        ("u".to_owned(), 1, Ok(())),
    ];
    assert_said(&said, &Ok(GroupDone::OffsetsDeleted(expected)));
    restart(&mut rig, true);
    assert_eq!(offset(&mut rig, "a", "t", 0), Some(5));
    assert_eq!(offset(&mut rig, "a", "u", 0), None);
    let said = rig.say(
        "b",
        GroupAsk::DeleteOffsets(vec![("t".to_owned(), vec![0])]),
    );
    assert_said(&said, &refused(GroupError::GroupNotFound));
}

#[test]
fn what_nobody_reads_expires_and_then_the_group_does() {
    let mut rig = Rig::ready(14);
    rig.say("simple", commit("t", 0, 1)).expect("committed");
    let who = stable(&mut rig, "left", &["t"]);
    rig.say("left", commit_as(who.clone(), "t", 0, 2))
        .expect("committed");
    let reader = stable(&mut rig, "here", &["t"]);
    rig.say("here", commit_as(reader.clone(), "t", 0, 3))
        .expect("committed");
    rig.say("here", commit_as(reader.clone(), "u", 0, 4))
        .expect("committed");
    rig.wait_ms(DAY_MS);
    // Nobody heard of the reader for a day, nor of the member that left.
    assert_eq!(state(&mut rig, "here"), GroupState::Empty);
    assert_eq!(state(&mut rig, "left"), GroupState::Empty);
    rig.wait_ms(5 * DAY_MS);
    rig.say("simple", commit("t", 1, 1)).expect("committed");
    rig.wait_ms(DAY_MS - 600_000);
    assert_eq!(
        offset(&mut rig, "simple", "t", 0),
        Some(1),
        "not quite seven days"
    );
    rig.wait_ms(1_200_000);
    assert_eq!(offset(&mut rig, "simple", "t", 0), None);
    assert_eq!(offset(&mut rig, "simple", "t", 1), Some(1), "a younger one");
    assert_eq!(offset(&mut rig, "left", "t", 0), None);
    assert_eq!(offset(&mut rig, "here", "t", 0), None);
    assert_eq!(state(&mut rig, "left"), GroupState::Dead);
    restart(&mut rig, true);
    assert_eq!(state(&mut rig, "left"), GroupState::Dead);
    assert_eq!(offset(&mut rig, "simple", "t", 1), Some(1));
    assert_eq!(rig.list().groups.len(), 1);
}

#[test]
fn a_working_group_keeps_the_topics_it_reads() {
    let mut rig = Rig::new(15);
    rig.config.offsets_retention = std::time::Duration::from_secs(20);
    rig.config.retention_check_interval = std::time::Duration::from_secs(5);
    rig.start();
    rig.rest();
    let who = stable(&mut rig, "a", &["t"]);
    rig.say("a", commit_as(who.clone(), "t", 0, 3))
        .expect("committed");
    rig.say("a", commit_as(who.clone(), "old", 0, 4))
        .expect("committed");
    for _ in 0..6 {
        rig.wait_ms(5_000);
        rig.say("a", GroupAsk::Heartbeat(who.clone()))
            .expect("alive");
    }
    assert_eq!(offset(&mut rig, "a", "t", 0), Some(3));
    assert_eq!(offset(&mut rig, "a", "old", 0), None);
    assert_eq!(state(&mut rig, "a"), GroupState::Stable);
}

#[test]
fn a_clients_own_retention_counts() {
    let mut rig = Rig::ready(16);
    let GroupAsk::Commit(mut ask) = commit("t", 0, 1) else {
        unreachable!()
    };
    ask.retention_ms = 60_000;
    rig.say("a", GroupAsk::Commit(ask)).expect("committed");
    restart(&mut rig, false);
    rig.wait_ms(599_000);
    assert_eq!(
        offset(&mut rig, "a", "t", 0),
        Some(1),
        "checked every ten minutes"
    );
    rig.wait_ms(2_000);
    assert_eq!(offset(&mut rig, "a", "t", 0), None);
}

fn tell(rig: &mut Rig, tell: impl FnOnce(&mut ShardWithGroups, Now)) {
    rig.act(|both, now, out| {
        tell(both, now);
        both.carry(now, out);
    });
}

#[test]
fn offsets_go_with_their_topic_and_not_with_its_successor() {
    let (old, new) = (TopicId([1; 16]), TopicId([2; 16]));
    let mut rig = Rig::ready(17);
    tell(&mut rig, |both, _| both.groups.on_topic("t", old));
    for group in ["a", "b", "c"] {
        rig.say(group, commit("t", 0, 1)).expect("committed");
        rig.say(group, commit("other", 0, 2)).expect("committed");
    }
    // One is on its way when the topic goes; one is of the topic that takes its place.
    let late = rig.ask("a", commit("t", 5, 9));
    tell(&mut rig, |both, _| {
        both.groups.on_topic_deleted("t", old);
        both.groups.on_topic("t", new);
    });
    rig.ask("b", commit("t", 0, 7));
    rig.rest();
    assert!(rig.said[&late].is_ok());
    rig.said.clear();
    let found = |rig: &mut Rig| {
        let places = [("a", 0), ("a", 5), ("b", 0), ("c", 0)];
        places.map(|(group, partition)| offset(rig, group, "t", partition))
    };
    assert_eq!(found(&mut rig), [None, None, Some(7), None]);
    assert_eq!(offset(&mut rig, "c", "other", 0), Some(2));
    restart(&mut rig, true);
    assert_eq!(found(&mut rig), [None, None, Some(7), None]);
}

#[test]
fn a_deleted_partition_takes_its_groups_and_files_along() {
    let mut rig = Rig::ready(18);
    for n in 0..200 {
        rig.say("a", commit("t", n % 10, i64::from(n)))
            .expect("committed");
    }
    let parked = rig.ask("a", join("", &["t"]));
    let on_its_way = rig.ask("c", commit("t", 0, 1));
    let gone = partition_of("a");
    rig.act(|both, now, out| {
        let (groups, groups_out) = both.groups_mut();
        groups.delete(now, gone, groups_out);
        both.shard.delete_partition(gone, out);
        both.carry(now, out);
    });
    assert_said(
        &rig.said.remove(&parked).expect("told"),
        &refused(GroupError::NotCoordinator),
    );
    let told = rig.said.remove(&on_its_way).expect("told");
    assert_said(&told, &refused(GroupError::NotCoordinator));
    rig.rest();
    assert_said(
        &rig.say("a", commit("t", 0, 1)),
        &refused(GroupError::NotCoordinator),
    );
    let listed = rig.disk.list(&format!("topics/{gone}"));
    assert!(listed.is_empty(), "{listed:?}");
    // The other one does not notice.
    rig.say("b", commit("t", 0, 1)).expect("committed");
}

#[test]
fn a_partition_whose_life_begins_needs_no_reading() {
    let mut rig = Rig::ready(19);
    let new = crate::types::TopicPartition {
        topic: TOPIC,
        partition: 7,
    };
    let config = rig.partition_config.clone();
    rig.act(|both, _, _| {
        both.shard.create_partition(new, config, LeaderEpoch(0));
        both.groups.create(GroupPartition {
            id: new,
            batch_bytes_max: 1 << 20,
            durability: Durability::Disk,
        });
    });
    assert!(!rig.list().loading);
}

#[test]
fn a_refused_append_is_told_and_changes_nothing() {
    let mut rig = Rig::ready(20);
    rig.say("a", commit("t", 0, 1)).expect("committed");
    // The log knows the partition no more; the coordinator was not told yet.
    let gone = partition_of("a");
    rig.act(|both, _, out| both.shard.delete_partition(gone, out));
    assert_said(
        &rig.say("a", commit("t", 0, 2)),
        &refused(GroupError::NotAvailable),
    );
    assert_eq!(offset(&mut rig, "a", "t", 0), Some(1));
    assert_said(
        &rig.say("a", GroupAsk::Delete),
        &refused(GroupError::NotAvailable),
    );
    assert_eq!(offset(&mut rig, "a", "t", 0), Some(1));
    assert_said(
        &rig.say("new", commit("t", 0, 2)),
        &refused(GroupError::NotAvailable),
    );
}

#[test]
fn a_record_that_no_batch_holds_is_refused_at_once() {
    let mut rig = Rig::new(21);
    rig.partition_config.rules.max_bytes = 600;
    rig.start();
    rig.rest();
    let request = rig.ask("a", join("", &["t"]));
    rig.wait_ms(3_000);
    let joined = joined(rig.said.remove(&request).expect("answered"));
    let who = MemberRef {
        member: joined.member,
        instance: None,
        generation: joined.generation,
    };
    let said = rig.say("a", sync(&who, &"x".repeat(600)));
    assert_said(&said, &refused(GroupError::CommitTooLarge));
    assert_eq!(state(&mut rig, "a"), GroupState::PreparingRebalance);
    let Ok(GroupDone::Committed(results)) = rig.say("b", commit(&"t".repeat(400), 0, 2)) else {
        panic!("it is answered by partition")
    };
    assert_eq!(results, [(0, Ok(()))]);
    let Ok(GroupDone::Committed(results)) = rig.say("b", commit(&"t".repeat(600), 0, 2)) else {
        panic!("it is answered by partition")
    };
    assert_eq!(results, [(0, Err(GroupError::CommitTooLarge))]);
}

#[test]
fn a_stop_answers_who_waits_and_keeps_what_was_said() {
    let mut rig = Rig::ready(22);
    let parked = rig.ask("a", join("", &["t"]));
    rig.rest();
    rig.say("a", commit("t", 0, 3))
        .expect_err("a rebalance is under way");
    rig.say("b", commit("t", 0, 3)).expect("committed");
    rig.stop();
    let told = rig.said.remove(&parked).expect("told");
    assert_said(&told, &refused(GroupError::NotCoordinator));
    rig.start();
    rig.rest();
    assert_eq!(offset(&mut rig, "b", "t", 0), Some(3));
}

/// A large group and what was done for it.
struct Crowd {
    group: ClassicGroup,
    config: GroupConfig,
    rng: Rng,
    now: Now,
    timers: BTreeSet<(Instant, Timer)>,
    /// Everything that the machine wanted.
    effects: usize,
    joined: Vec<Joined>,
    synced: usize,
}

impl Crowd {
    fn new() -> Crowd {
        Crowd {
            group: ClassicGroup::new(Now::default()),
            config: GroupConfig::default(),
            rng: Rng::new(1),
            now: Now::default(),
            timers: BTreeSet::new(),
            effects: 0,
            joined: Vec::new(),
            synced: 0,
        }
    }

    fn turn(&mut self, act: impl FnOnce(&mut ClassicGroup, &mut Turn<'_>)) {
        let mut out = Vec::new();
        act(
            &mut self.group,
            &mut Turn {
                now: self.now,
                config: &self.config,
                rng: &mut self.rng,
                out: &mut out,
            },
        );
        self.effects += out.len();
        for effect in out {
            match effect {
                Effect::Answer(_, Ok(GroupDone::Joined(joined))) => self.joined.push(joined),
                Effect::Answer(_, Ok(GroupDone::Synced(_))) => self.synced += 1,
                Effect::Answer(_, said) => panic!("{said:?}"),
                Effect::Arm(at, timer) => assert!(self.timers.insert((at, timer))),
                Effect::Disarm(at, timer) => assert!(self.timers.remove(&(at, timer))),
                Effect::Write(value, then) => {
                    let bytes = value.encode();
                    self.written(then, &bytes);
                }
            }
        }
    }

    fn written(&mut self, then: Then, bytes: &Bytes) {
        self.turn(|group, turn| group.on_written(then, Ok(bytes), turn));
    }

    fn caller() -> Caller {
        Caller {
            shard: ShardId(0),
            request: RequestToken(0),
            slot: 0,
        }
    }

    fn wait_ms(&mut self, ms: u64) {
        let until = Instant(self.now.mono.0 + ms * 1_000_000);
        while let Some((at, timer)) = self.timers.first().copied().filter(|due| due.0 <= until) {
            self.timers.pop_first();
            self.now.mono = at;
            self.turn(|group, turn| group.on_timer(timer, turn));
        }
        self.now.mono = until;
    }

    /// So many join, are given something, and say ten times that they are there. Returns the effects.
    fn live(members: usize) -> usize {
        let mut crowd = Crowd::new();
        for _ in 0..members {
            let GroupAsk::Join(ask) = join("", &["t"]) else {
                unreachable!()
            };
            crowd.turn(|group, turn| group.join(Crowd::caller(), ask, turn));
        }
        crowd.wait_ms(6_000);
        assert_eq!(crowd.joined.len(), members);
        let ids: Vec<String> = crowd
            .joined
            .iter()
            .map(|joined| joined.member.clone())
            .collect();
        let generation = crowd.joined[0].generation;
        // The leader is the first, and alone hears of all.
        assert_eq!(crowd.joined[0].members.len(), members);
        assert!(
            crowd.joined[1..]
                .iter()
                .all(|joined| joined.members.is_empty())
        );
        for (n, id) in ids.iter().enumerate().rev() {
            let who = MemberRef {
                member: id.clone(),
                instance: None,
                generation,
            };
            let given = ids.iter().filter(|_| n == 0);
            let sync = Sync {
                who,
                protocol_type: None,
                protocol_name: None,
                assignments: given
                    .map(|id| (id.clone(), Bytes::from_static(b"x")))
                    .collect(),
            };
            crowd.turn(|group, turn| group.sync(Crowd::caller(), sync, turn));
        }
        assert_eq!(crowd.synced, members);
        let before = crowd.effects;
        for _ in 0..10 {
            crowd.now.mono.0 += 1_000_000_000;
            for id in &ids {
                let who = MemberRef {
                    member: id.clone(),
                    instance: None,
                    generation,
                };
                crowd.turn(|group, turn| group.heartbeat(&who, turn).expect("alive"));
            }
        }
        assert_eq!(crowd.effects, before, "a heartbeat moves no timer");
        let leaving: Vec<Leaving> = ids
            .iter()
            .map(|id| Leaving {
                member: id.clone(),
                instance: None,
                reason: None,
            })
            .collect();
        crowd.turn(|group, turn| {
            let left = group.leave(&leaving, turn);
            assert!(left.iter().all(Result::is_ok));
        });
        assert_eq!(crowd.group.state(), GroupState::Empty);
        assert!(crowd.timers.is_empty(), "{:?}", crowd.timers);
        crowd.effects
    }
}

#[test]
fn ten_thousand_members_cost_what_they_must() {
    let (few, many) = (Crowd::live(1_000), Crowd::live(10_000));
    assert!(
        many <= 10 * few,
        "{few} effects for a thousand members, {many} for ten thousand"
    );
    assert!(
        many <= 8 * 10_000,
        "{many} effects for ten thousand members"
    );
}

/// On paper: a hundred thousand groups of three members and ten offsets each, by the sizes of what is kept.
#[test]
fn a_hundred_thousand_groups_fit_into_memory() {
    // A B-tree's nodes are two thirds full; a name has its length and two counters.
    let tree = |entry: usize| entry * 3 / 2;
    let name = 16 + 24;
    let offset = tree(super::offsets::BYTES_EACH);
    let member = tree(super::classic::MEMBER_BYTES) + 4 * 40 + 2 * tree(40);
    let record = 200 * 3;
    let group = super::seat::GROUP_BYTES + size_of::<ClassicGroup>() + name + tree(24);
    let each = group + 10 * offset + 3 * (member + 40) + record;
    let simple = super::seat::GROUP_BYTES + name + tree(24) + 10 * offset;
    assert!(
        simple < 2_500,
        "a group of offsets only takes {simple} bytes"
    );
    assert!(
        each < 7_000,
        "a group takes {each} bytes: {} MB in all",
        each / 10
    );
}

/// A client may alter the topic of the offsets as any other.
#[test]
fn a_topic_that_takes_no_batch_refuses_and_breaks_nothing() {
    let mut rig = Rig::ready(23);
    rig.say("a", commit("t", 0, 1)).expect("committed");
    rig.stop();
    rig.partition_config.rules.max_bytes = 0;
    rig.start();
    rig.rest();
    let said = rig.say("a", commit("t", 0, 2));
    let refused = vec![(0, Err(GroupError::CommitTooLarge))];
    assert_said(&said, &Ok(GroupDone::Committed(refused)));
    let one = vec![("t".to_owned(), vec![0])];
    for ask in [GroupAsk::DeleteOffsets(one), GroupAsk::Delete] {
        let said = rig.say("a", ask);
        let refused = match &said {
            Ok(GroupDone::OffsetsDeleted(list)) => {
                list.iter().all(|(_, _, result)| result.is_err())
            }
            other => other.is_err(),
        };
        assert!(refused, "{said:?}");
    }
    assert_eq!(offset(&mut rig, "a", "t", 0), Some(1));
}
