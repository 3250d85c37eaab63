//! For the tests of groups: the real shard with its coordinator, on a disk that reorders and forgets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use super::beside::ShardWithGroups;
use super::call::{
    Commit, CommitItem, CommittedOffset, FetchOffsets, GroupAsk, GroupDone, GroupError, GroupItem,
    GroupsListed, MemberRef,
};
use super::config::GroupConfig;
use super::coordinator::{Coordinator, GroupPartition};
use crate::batch::Rules;
use crate::call::{AnswerBody, Call, CallBody, RequestToken};
use crate::controller::fake_disk::FakeDisk;
use crate::disk::{DiskOp, DiskRequest};
use crate::flow::{FileIds, FlowRunner};
use crate::limits::Limits;
use crate::log::buffers::Arena;
use crate::log::partition::{FlushRule, Partition, PartitionConfig};
use crate::log::trim::Retention;
use crate::log::{layout, recover};
use crate::rng::Rng;
use crate::shard::{Shard, ShardOut};
use crate::types::{
    Durability, Instant, LeaderEpoch, Now, Offset, ShardId, Timestamp, TopicId, TopicPartition,
};

pub(super) type Said = Result<GroupDone, GroupError>;

pub(super) const TOPIC: TopicId = TopicId([9; 16]);
const PARTITIONS: i32 = 2;

pub(super) fn id(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: TOPIC,
        partition,
    }
}

/// The partition of a group here: by its last letter.
pub(super) fn partition_of(group: &str) -> TopicPartition {
    id(group
        .bytes()
        .last()
        .map_or(0, |b| i32::from(b) % PARTITIONS))
}

pub(super) struct Rig {
    pub(super) rng: Rng,
    pub(super) disk: FakeDisk,
    pending: Vec<DiskRequest>,
    pub(super) now: Now,
    pub(super) config: GroupConfig,
    pub(super) limits: Limits,
    pub(super) partition_config: PartitionConfig,
    epoch: i32,
    pub(super) both: Option<ShardWithGroups>,
    next_request: u64,
    /// By request.
    pub(super) said: BTreeMap<u64, Said>,
    listed: Option<GroupsListed>,
    /// Asked of the disk.
    pub(super) bytes_read: usize,
}

pub(super) fn partition_config(durability: Durability) -> PartitionConfig {
    PartitionConfig {
        rules: Rules {
            max_bytes: 1 << 20,
            segment_bytes: 256 << 10,
            compacted: true,
            ..Rules::default()
        },
        durability,
        segment_bytes: 256 << 10,
        segment_ms: i64::MAX,
        segment_jitter_ms: 0,
        flush: FlushRule::NEVER,
        index_interval_bytes: 1024,
        producers_max: 8,
        retention: Retention::FOREVER,
    }
}

impl Rig {
    pub(super) fn new(seed: u64) -> Rig {
        let mut disk = FakeDisk::default();
        disk.extends = true;
        Rig {
            rng: Rng::new(seed),
            disk,
            pending: Vec::new(),
            now: Now {
                mono: Instant(1_000_000_000),
                wall: Timestamp(1_700_000_000_000),
            },
            config: GroupConfig {
                snapshot_after_bytes: 4 << 10,
                snapshot_piece_bytes: 200,
                ..GroupConfig::default()
            },
            limits: Limits::TINY,
            partition_config: partition_config(Durability::Disk),
            epoch: 0,
            both: None,
            next_request: 0,
            said: BTreeMap::new(),
            listed: None,
            bytes_read: 0,
        }
    }

    /// A rig that has started, and read what there is.
    pub(super) fn ready(seed: u64) -> Rig {
        let mut rig = Rig::new(seed);
        rig.start();
        rig.rest();
        rig
    }

    pub(super) fn start(&mut self) {
        assert!(self.both.is_none(), "it runs");
        self.epoch += 1;
        let files: Rc<RefCell<FileIds>> = Rc::default();
        let (limits, config, epoch) = (
            self.limits.clone(),
            self.partition_config.clone(),
            LeaderEpoch(self.epoch),
        );
        let all = move || -> Vec<Partition> {
            (0..PARTITIONS)
                .map(|p| Partition::new(id(p), config.clone(), epoch))
                .collect()
        };
        let mut runner = FlowRunner::new(&files, |flow| async move {
            let owner = |_: TopicPartition, _: u16| ShardId(0);
            let layout = layout::open(&flow, [1; 16], 1, &limits, &all, owner).await?;
            let mut arena = Arena::new(1 << 20, 1 << 20, 16 << 20);
            let at = layout.files(ShardId(0));
            let recovered = recover::open_shard(&flow, &at, &limits, &mut arena, all()).await;
            recovered.map(|r| (r, arena))
        });
        let (recovered, arena) = loop {
            if let Poll::Ready(result) = runner.step(&mut self.pending) {
                break result.unwrap_or_else(|fatal| panic!("recovery: {fatal}"));
            }
            let request = self.take_pending();
            runner.on_disk(self.disk.run(request).expect("the disk works"));
        };
        let shard = Shard::new(
            [1; 16],
            self.limits.clone(),
            recovered,
            arena,
            files.clone(),
        );
        let rng = Rng::new(self.rng.next_u64());
        let mut groups = Coordinator::new(ShardId(0), self.config.clone(), rng, files);
        for partition in 0..PARTITIONS {
            groups.load(GroupPartition {
                id: id(partition),
                batch_bytes_max: self.partition_config.rules.max_bytes,
                durability: self.partition_config.durability,
            });
        }
        self.both = Some(ShardWithGroups::new(ShardId(0), shard, groups));
    }

    fn take_pending(&mut self) -> DiskRequest {
        let index = self.rng.below(self.pending.len() as u64) as usize;
        self.pending.swap_remove(index)
    }

    pub(super) fn act<R>(
        &mut self,
        act: impl FnOnce(&mut ShardWithGroups, Now, &mut ShardOut) -> R,
    ) -> R {
        let mut out = ShardOut::default();
        let both = self.both.as_mut().expect("it runs");
        let result = act(both, self.now, &mut out);
        if let Some(fatal) = out.fatal {
            panic!("{fatal}");
        }
        for request in &out.disk {
            if let DiskOp::Read { into, .. } = &request.op {
                self.bytes_read += into.capacity();
            }
        }
        self.pending.append(&mut out.disk);
        for (_, answer) in out.answers {
            match answer.body {
                AnswerBody::Group(list) => {
                    for answered in list {
                        let before = self.said.insert(answer.request.0, answered.result);
                        assert!(before.is_none(), "{:?} is answered twice", answer.request);
                    }
                }
                AnswerBody::GroupsListed(listed) => self.listed = Some(listed),
                other => panic!("{other:?}"),
            }
        }
        result
    }

    pub(super) fn ask(&mut self, group: &str, ask: GroupAsk) -> u64 {
        self.next_request += 1;
        let request = self.next_request;
        let items = vec![GroupItem {
            slot: 0,
            partition: partition_of(group),
            group: group.to_owned(),
            ask,
        }];
        let call = Call {
            from: ShardId(0),
            request: RequestToken(request),
            body: CallBody::Group { items },
        };
        self.act(|both, now, out| both.call(now, call, out));
        request
    }

    pub(super) fn settle(&mut self) {
        self.act(|both, now, out| both.settle(now, out));
    }

    /// One operation on the disk is done; false: none is under way.
    pub(super) fn one_completion(&mut self) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let request = self.take_pending();
        let done = self.disk.run(request).expect("the disk works");
        self.act(|both, now, out| both.on_disk(now, done, out));
        true
    }

    /// Until nothing is under way.
    pub(super) fn rest(&mut self) {
        for round in 0.. {
            assert!(round < 100_000, "it never rests");
            self.settle();
            let due = self.both.as_ref().expect("it runs").deadline();
            if !self.one_completion() && due.is_none_or(|at| at > self.now.mono) {
                return;
            }
        }
    }

    /// Time passes, and timers fire when they are due.
    pub(super) fn wait_ms(&mut self, ms: u64) {
        let until = Instant(self.now.mono.0 + ms * 1_000_000);
        let wall = self.now.wall.0 + ms as i64;
        loop {
            self.rest();
            let due = self.both.as_ref().expect("it runs").deadline();
            let Some(at) = due.filter(|at| *at <= until) else {
                break;
            };
            self.now.wall.0 += ((at.0 - self.now.mono.0) / 1_000_000) as i64;
            self.now.mono = at;
        }
        self.now.mono = until;
        self.now.wall = Timestamp(wall);
        self.rest();
    }

    /// The process dies, and with `power` the machine.
    pub(super) fn crash(&mut self, power: bool) {
        for request in std::mem::take(&mut self.pending) {
            if self.rng.one_in(2) {
                drop(self.disk.run(request));
            }
        }
        self.both = None;
        match power {
            true => self.disk.cut(&mut self.rng),
            false => self.disk.kill(),
        }
    }

    pub(super) fn stop(&mut self) {
        self.act(|both, now, out| both.drain(now, out));
        self.act(|both, _, _| both.stop());
        for round in 0.. {
            if self.both.as_ref().expect("it runs").stopped() {
                break;
            }
            assert!(round < 100_000, "it never stops");
            self.now.mono.0 += 1_000_000;
            self.settle();
            while self.one_completion() {}
        }
        self.both = None;
        self.disk.kill();
    }

    /// Asks and waits for what is said.
    pub(super) fn say(&mut self, group: &str, ask: GroupAsk) -> Said {
        let request = self.ask(group, ask);
        self.rest();
        self.said.remove(&request).expect("it is answered")
    }

    pub(super) fn list(&mut self) -> GroupsListed {
        let call = Call {
            from: ShardId(0),
            request: RequestToken(u64::MAX >> 1),
            body: CallBody::ListGroups,
        };
        self.act(|both, now, out| both.call(now, call, out));
        self.listed.take().expect("answered at once")
    }

    pub(super) fn fetch(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> Option<CommittedOffset> {
        let topics = Some(vec![(topic.to_owned(), vec![partition])]);
        match self.say(group, fetch(topics, false)) {
            Ok(GroupDone::Fetched(list)) => list.into_iter().next().expect("one was asked").2,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn fetch(topics: Option<Vec<(String, Vec<i32>)>>, require_stable: bool) -> GroupAsk {
    GroupAsk::FetchOffsets(FetchOffsets {
        member: None,
        topics,
        require_stable,
    })
}

pub(super) fn commit_as(who: MemberRef, topic: &str, partition: i32, offset: i64) -> GroupAsk {
    GroupAsk::Commit(Commit {
        who,
        retention_ms: -1,
        offsets: vec![CommitItem {
            index: 0,
            topic: topic.to_owned(),
            partition,
            committed: CommittedOffset {
                offset: Offset(offset),
                leader_epoch: LeaderEpoch(-1),
                metadata: String::new(),
                timestamp: Timestamp(0),
            },
        }],
    })
}

/// Of a consumer that assigns itself.
pub(super) fn commit(topic: &str, partition: i32, offset: i64) -> GroupAsk {
    let who = MemberRef {
        member: String::new(),
        instance: None,
        generation: -1,
    };
    commit_as(who, topic, partition, offset)
}
