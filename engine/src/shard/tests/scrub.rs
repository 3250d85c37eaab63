//! The scrub finds what rots on disk within its round, tells it once, and stays out of everybody's way.

use super::*;
use crate::rng::Rng;
use crate::shard::Corrupt;

const RATE: u64 = 1 << 20;

/// A node whose scrub is on, and what it said.
struct Scrubbing {
    node: Node,
    said: Vec<Corrupt>,
}

impl Scrubbing {
    /// Forty sealed segments and more, of one partition, and one that takes appends, of which some is on disk.
    fn new() -> Scrubbing {
        let mut node = Node::new();
        for step in 0..1_200 {
            node.append(batch(2, 700, step as u8)).expect("appended");
        }
        let mut larger = config();
        larger.segment_bytes = 1 << 20;
        larger.rules.segment_bytes = 1 << 20;
        node.shard.configure_partition(TOPIC, larger);
        for step in 0..200 {
            node.append(batch(2, 700, step as u8)).expect("appended");
        }
        let active = node.shard.partition(0).expect("the only one").active();
        assert!(active.disk_end > 0 && !active.sealed, "{active:?}");
        Scrubbing::on(node)
    }

    fn on(mut node: Node) -> Scrubbing {
        node.shard.limits.scrub_bytes_per_second = RATE;
        Scrubbing {
            node,
            said: Vec::new(),
        }
    }

    /// Bytes that rounds read.
    fn on_disk(&self) -> u64 {
        let partitions = self.node.shard.partitions.iter().flatten();
        let segments = partitions.flat_map(|p| p.segments.iter());
        segments.map(|s| s.disk_end).sum()
    }

    /// One pass at the time it asks for.
    fn pass(&mut self) {
        let deadline = self.node.shard.scrub_deadline();
        let now = &mut self.node.now.mono;
        *now = (*now).max(deadline.unwrap_or(*now));
        let mut out = ShardOut::default();
        loop {
            self.node.shard.settle(self.node.now, &mut out);
            let requests = std::mem::take(&mut out.disk);
            if requests.is_empty() {
                break;
            }
            for DiskRequest { token, op } in requests {
                if let DiskOp::Read { into, .. } = &op {
                    assert!(into.capacity() <= (256 << 10) + 4096, "a bounded read");
                }
                let result = self.node.disk.run(op);
                let done = DiskDone { token, result };
                self.node.shard.on_disk(self.node.now, done, &mut out);
            }
        }
        assert_eq!(out.fatal, None);
        self.said.append(&mut out.corrupt);
    }

    /// Until it has been through everything once more; the time that took.
    fn round(&mut self) -> std::time::Duration {
        let rounds = self.node.shard.scrub.rounds;
        self.pass();
        let began = self.node.now.mono;
        for _ in 0..10_000 {
            if self.node.shard.scrub.rounds > rounds {
                return self.node.now.mono.since(began);
            }
            self.pass();
        }
        panic!("no end");
    }

    fn flip(&mut self, path: &str, bit: usize) {
        self.node.disk.files.get_mut(path).expect("there")[bit / 8] ^= 1 << (bit % 8);
    }

    fn segments(&self) -> Vec<String> {
        let files = self.node.disk.files.keys();
        files
            .filter(|path| path.ends_with(".log"))
            .cloned()
            .collect()
    }
}

#[test]
fn a_round_reads_everything_at_its_rate_and_finds_nothing_where_nothing_is() {
    let mut it = Scrubbing::new();
    it.node.now.mono = Instant(0);
    it.pass();
    it.round();
    let (bytes, on_disk) = (it.node.shard.numbers().scrubbed_bytes, it.on_disk());
    assert!(
        on_disk > 1 << 20 && bytes == on_disk,
        "{bytes} of {on_disk}"
    );
    let took = it.round();
    let least = std::time::Duration::from_nanos(on_disk * 1_000_000_000 / RATE);
    assert!(
        took >= least - least / 20 && took < least * 2,
        "{took:?}, not {least:?}"
    );
    assert!(it.said.is_empty(), "{:?}", it.said);
    assert_eq!(it.node.shard.numbers().corrupt_batches, 0);
    assert_eq!(it.node.shard.numbers().scrub_rounds, 2);
}

#[test]
fn a_round_of_little_is_followed_by_a_rest() {
    let mut node = Node::new();
    node.append(batch(1, 10, 1)).expect("appended");
    let mut it = Scrubbing::on(node);
    it.round();
    let due = it.node.shard.scrub_deadline().expect("it goes on");
    let rest = due.since(it.node.now.mono).as_millis() as u64;
    assert!(rest > Limits::TINY.scrub_round_ms / 2, "{rest} ms");
}

#[test]
fn any_flipped_bit_is_found_within_a_round_named_and_told_once() {
    let mut rng = Rng::new(11);
    let mut it = Scrubbing::new();
    it.round();
    for turn in 0..300 {
        let files = it.segments();
        let path = files[rng.below(files.len() as u64) as usize].clone();
        let base = Offset(
            path[path.len() - 24..path.len() - 4]
                .parse()
                .expect("an offset"),
        );
        let p = it.node.shard.partition(0).expect("the only one");
        let Some(end) = p.segment(base).map(|s| s.disk_end).filter(|end| *end > 0) else {
            continue;
        };
        let bit = rng.below(end * 8) as usize;
        // The last batch of the active segment may end in memory: it is not on disk yet.
        let content = &it.node.disk.files[&path];
        let mut at = 0;
        let begin = loop {
            match crate::batch::verify(&content[at..end as usize]) {
                Ok(header) if at + header.total_bytes() > bit / 8 => break Some(at),
                Ok(header) => at += header.total_bytes(),
                Err(_) => break None,
            }
        };
        let Some(begin) = begin else { continue };
        let offset = BatchHeader::parse(&content[begin..])
            .expect("whole")
            .base_offset;
        it.flip(&path, bit);
        it.round();
        it.round();
        let [found] = &it.said[..] else {
            panic!("turn {turn}, {path} bit {bit}: {:?}", it.said)
        };
        assert_eq!(found.file(), path);
        assert_eq!(
            (found.position, found.offset),
            (begin as u64, offset),
            "{found:?}"
        );
        assert_eq!(it.node.shard.numbers().corrupt_batches, 1);
        it.flip(&path, bit);
        it.said.clear();
        it.round();
        assert!(it.said.is_empty());
        assert_eq!(
            it.node.shard.numbers().corrupt_batches,
            0,
            "it is whole again"
        );
    }
}

/// No CRC covers it.
#[test]
fn a_leader_epoch_that_did_not_append_is_found() {
    let mut it = Scrubbing::new();
    let path = it.segments()[0].clone();
    it.flip(&path, 8 * 15);
    it.round();
    let [found] = &it.said[..] else {
        panic!("{:?}", it.said)
    };
    assert_eq!((found.file(), found.position), (path, 0));
    assert!(found.what.starts_with("leader epoch"), "{found:?}");
}

#[test]
fn two_places_of_one_segment_are_both_found() {
    let mut it = Scrubbing::new();
    let path = it.segments()[0].clone();
    let length = it.node.disk.files[&path].len();
    it.flip(&path, 8 * 100);
    it.flip(&path, 8 * (length - 100));
    it.round();
    assert_eq!(it.said.len(), 2, "{:?}", it.said);
    assert!(it.said.iter().all(|found| found.file() == path));
}

#[test]
fn a_missing_a_short_and_an_unreadable_file_are_named_and_the_rest_is_read() {
    let mut it = Scrubbing::new();
    let files = it.segments();
    it.node.disk.files.remove(&files[1]);
    let short = it.node.disk.files.get_mut(&files[3]).expect("there");
    short.truncate(short.len() / 3);
    it.round();
    let said: Vec<_> = it
        .said
        .iter()
        .map(|found| (found.file(), &*found.what))
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    for (path, what) in said {
        let expected = match path == files[1] {
            true => "the file is missing",
            false => "the file ends at",
        };
        assert!(what.starts_with(expected), "{path}: {what}");
    }
}

#[test]
fn want_of_descriptors_is_no_finding_and_the_round_waits() {
    let mut it = Scrubbing::new();
    it.round();
    it.node.now.mono = it.node.shard.scrub_deadline().expect("it goes on");
    let bytes = it.node.shard.scrub.bytes;
    it.node.disk.used_up = Some(24);
    for _ in 0..20 {
        it.pass();
    }
    assert!(it.said.is_empty(), "{:?}", it.said);
    assert_eq!(it.node.shard.scrub.bytes, bytes);
    it.node.disk.used_up = None;
    it.round();
    assert!(it.said.is_empty(), "{:?}", it.said);
    assert_eq!(it.node.shard.scrub.bytes, bytes + it.on_disk());
}

#[test]
fn what_a_read_refuses_is_known_and_not_told_again() {
    let mut it = Scrubbing::new();
    let path = it.segments()[0].clone();
    it.flip(&path, 8 * 100);
    for _ in 0..3 {
        let item = ReadItem {
            slot: 0,
            partition: TOPIC,
            offset: Offset(0),
            max_bytes: 10_000,
            current_leader_epoch: LeaderEpoch(-1),
            last_fetched_epoch: LeaderEpoch(-1),
        };
        let mut out = ShardOut::default();
        let call = Call {
            from: ShardId(0),
            request: RequestToken(1),
            body: CallBody::Read {
                max_bytes: 10_000,
                items: vec![item],
            },
        };
        it.node.shard.call(it.node.now, call, &mut out);
        it.pass();
    }
    it.round();
    assert_eq!(it.said.len(), 1, "{:?}", it.said);
    let numbers = it.node.shard.numbers();
    assert_eq!((numbers.corrupt_batches, numbers.corrupt_reads), (1, 3));
}

#[test]
fn a_read_behind_a_corrupt_batch_is_served() {
    let mut it = Scrubbing::new();
    let all = it.node.read_all(Offset(0));
    let path = it.segments()[0].clone();
    // A record of the second batch, before the first entry of the index.
    it.flip(&path, 8 * (all[0].1.len() + 100));
    let again = it.node.read_all(all[2].0);
    assert_eq!(again, all[2..]);
}

#[test]
fn clients_come_first() {
    let mut it = Scrubbing::new();
    it.round();
    it.node.now.mono = it.node.shard.scrub_deadline().expect("it goes on");
    let bytes = it.node.shard.scrub.bytes;
    // Two cold reads that fill the budget, and a third that waits: the disk answers none of them.
    let item = |offset| ReadItem {
        slot: 0,
        partition: TOPIC,
        offset: Offset(offset),
        max_bytes: 1 << 20,
        current_leader_epoch: LeaderEpoch(-1),
        last_fetched_epoch: LeaderEpoch(-1),
    };
    let mut out = ShardOut::default();
    for n in 0..3 {
        let call = Call {
            from: ShardId(0),
            request: RequestToken(900 + n),
            body: CallBody::Read {
                max_bytes: 1 << 20,
                items: vec![item(0)],
            },
        };
        it.node.shard.call(it.node.now, call, &mut out);
    }
    it.node.shard.settle(it.node.now, &mut out);
    assert!(!it.node.shard.scrub.under_way, "clients wait");
    let due = it.node.shard.scrub_deadline().expect("put off");
    assert!(due > it.node.now.mono);
    for _ in 0..200 {
        it.node.now.mono = it.node.shard.scrub_deadline().unwrap_or(it.node.now.mono);
        it.node.shard.settle(it.node.now, &mut out);
    }
    assert!(it.node.shard.scrub.under_way, "but not for ever");
    assert_eq!(it.node.shard.scrub.bytes, bytes);
}

#[test]
fn deletions_and_trims_under_a_round_are_no_findings() {
    let mut it = Scrubbing::new();
    it.pass();
    it.pass();
    it.node.call(CallBody::DeleteRecords {
        items: vec![DeleteItem {
            slot: 0,
            partition: TOPIC,
            below: Some(Offset(1_000)),
        }],
    });
    it.round();
    let mut out = ShardOut::default();
    it.node.shard.delete_partition(TOPIC, &mut out);
    it.round();
    it.round();
    assert!(it.said.is_empty(), "{:?}", it.said);
}
