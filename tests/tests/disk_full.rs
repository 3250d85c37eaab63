//! A real disk that fills up: produce is refused in time and goes on by itself, the rest goes on all the while, and
//! nothing acknowledged is lost, over stops, kills and starts on the full disk.
//!
//! The disk is an ext4 file system in a file, mounted through a loop device, which takes root.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::DeleteTopicsRequest;

use corelane_tests::harness::broker::{Broker, Options, target_dir};
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::runtime::did_not_run;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{Wire, topic_of};

const WITHIN: Duration = Duration::from_secs(30);
const DISK_BYTES: u64 = 256 << 20;
const NOT_ENOUGH_REPLICAS: i16 = 19;
const PARTITIONS: i32 = 4;

/// A small file system; gone with it.
struct SmallDisk {
    image: PathBuf,
    at: PathBuf,
}

impl SmallDisk {
    /// `None`: this host mounts nothing for us.
    fn mount() -> Option<SmallDisk> {
        let at = target_dir().join(topic_name("small-disk"));
        let image = at.with_extension("ext4");
        fs::create_dir_all(&at).expect("the target directory is writable");
        let file = fs::File::create(&image).expect("the target directory is writable");
        file.set_len(DISK_BYTES).expect("a sparse file");
        let disk = SmallDisk { image, at };
        let mut make = Command::new("mkfs.ext4");
        make.args(["-q", "-F", "-m", "0"]).arg(&disk.image);
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(&disk.image).arg(&disk.at);
        let mounted = [make, mount].into_iter().all(works);
        mounted.then_some(disk)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut unmount = Command::new("umount");
        unmount.arg(&self.at);
        if works(unmount) {
            drop(fs::remove_dir(&self.at));
        }
        drop(fs::remove_file(&self.image));
    }
}

fn works(mut command: Command) -> bool {
    let there = command.stdin(std::process::Stdio::null()).output();
    there.is_ok_and(|output| output.status.success())
}

/// What was acknowledged of a topic, by partition.
struct Load {
    topic: String,
    acked: Vec<i64>,
    next: i32,
}

impl Load {
    fn new(wire: &mut Wire, stem: &str) -> Load {
        let topic = topic_name(stem);
        wire.create_topic(&topic, PARTITIONS, &[]);
        Load {
            topic,
            acked: vec![0; PARTITIONS as usize],
            next: 0,
        }
    }

    /// One batch of one record: the code, and what is said with it.
    fn produce(&mut self, wire: &mut Wire, bytes: usize) -> (i16, String) {
        let index = self.next;
        self.next = (self.next + 1) % PARTITIONS;
        let records: Bytes = Batch::of(&[&vec![7; bytes]]).bytes();
        let answer = wire.produce(&self.topic, index, records);
        let partition = &answer.responses[0].partition_responses[0];
        if partition.error_code == 0 {
            assert_eq!(partition.base_offset, self.acked[index as usize]);
            self.acked[index as usize] += 1;
        }
        let said = partition.error_message.as_ref();
        (
            partition.error_code,
            said.map_or_else(String::new, |said| said.to_string()),
        )
    }

    /// All of it, and nothing else, is there; the first and the last are read.
    fn check(&self, wire: &mut Wire) {
        for (index, acked) in (0..).zip(&self.acked) {
            for offset in [0, (*acked - 1).max(0)] {
                let fetched = wire.fetch(&self.topic, index, offset);
                let partition = &fetched.responses[0].partitions[0];
                assert_eq!(partition.error_code, 0);
                assert_eq!(partition.high_watermark, *acked, "{}-{index}", self.topic);
                let records = partition.records.as_ref().map_or(0, Bytes::len);
                assert!(*acked == 0 || records > 0, "{}-{index}", self.topic);
            }
        }
    }

    /// Fills the disk until it is refused; reads all the while.
    fn fill(&mut self, wire: &mut Wire, bytes: usize) -> String {
        let (mut read, until) = (0, Instant::now() + 4 * WITHIN);
        loop {
            let (code, said) = self.produce(wire, bytes);
            if code != 0 {
                assert_eq!(code, NOT_ENOUGH_REPLICAS, "{said}");
                return said;
            }
            let fetched = wire.fetch(&self.topic, 0, read);
            let partition = &fetched.responses[0].partitions[0];
            assert_eq!(partition.error_code, 0);
            read = (read + 1).min(self.acked[0] - 1).max(0);
            assert!(Instant::now() < until, "the disk does not fill up");
        }
    }

    /// Produces until it is taken.
    fn resume(&mut self, wire: &mut Wire) {
        let until = Instant::now() + WITHIN;
        loop {
            let (code, said) = self.produce(wire, 1_000);
            if code == 0 {
                return;
            }
            assert_eq!(code, NOT_ENOUGH_REPLICAS, "{said}");
            assert!(Instant::now() < until, "not taken again: {said}");
        }
    }
}

fn delete(wire: &mut Wire, topic: &str) {
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![topic_of(topic)])
        .with_timeout_ms(10_000);
    let answer = wire.call(3, &request);
    assert_eq!(answer.responses[0].error_code, 0);
}

fn told(broker: &Broker, what: &str) -> usize {
    let said = broker.said();
    said.iter().filter(|line| line.contains(what)).count()
}

#[test]
fn a_full_disk_refuses_in_time_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return did_not_run("disk_full", "mkfs.ext4 and mount -o loop, as root");
    };
    let mut broker = Broker::start_own(Options {
        data_dir: Some(disk.at.join("data")),
        allowed: ["produce is refused", "produce is taken again", "no space"]
            .map(str::to_owned)
            .into(),
        ..Options::shards(1)
    });
    let mut wire = Wire::connect(broker.address());
    let mut kept = Load::new(&mut wire, "kept");
    for _ in 0..100 {
        assert_eq!(kept.produce(&mut wire, 1_000).0, 0);
    }
    let mut filler = Load::new(&mut wire, "filler");
    let said = filler.fill(&mut wire, 100_000);
    assert!(said.contains("disk is too full"), "{said}");
    let filled: i64 = filler.acked.iter().sum();
    assert!(filled > 500, "{filled} batches of 100 kB on 256 MiB");
    assert_eq!(told(&broker, "produce is refused"), 1);
    assert!(told(&broker, "small-disk") > 0, "the directory is named");
    kept.check(&mut wire);
    filler.check(&mut wire);

    // A clean stop and a kill, each with a start on the full disk.
    assert!(broker.terminate().success());
    broker.restart();
    let mut wire = Wire::connect(broker.address());
    kept.check(&mut wire);
    filler.check(&mut wire);
    filler.fill(&mut wire, 100_000);
    broker.kill_9();
    broker.restart();
    let mut wire = Wire::connect(broker.address());
    filler.fill(&mut wire, 100_000);
    kept.check(&mut wire);
    filler.check(&mut wire);

    // Room comes back: nobody restarts anything.
    let before = told(&broker, "produce is taken again");
    delete(&mut wire, &filler.topic);
    kept.resume(&mut wire);
    kept.check(&mut wire);
    assert!(told(&broker, "produce is taken again") > before);

    // Somebody else takes all there is, to the last block: the stop ends all the same.
    let mut more = Load::new(&mut wire, "more");
    for _ in 0..50 {
        assert_eq!(more.produce(&mut wire, 100_000).0, 0);
    }
    let ballast = disk.at.join("ballast");
    fill_up(&ballast);
    assert!(broker.terminate().success());
    fs::remove_file(&ballast).expect("it is ours");
    broker.restart();
    let mut wire = Wire::connect(broker.address());
    kept.check(&mut wire);
    more.check(&mut wire);
    kept.resume(&mut wire);
    drop(broker);
}

fn fill_up(ballast: &Path) {
    let mut file = fs::File::create(ballast).expect("a name costs nothing");
    for piece in [1 << 20, 4096] {
        while file.write_all(&vec![1; piece]).is_ok() && file.sync_data().is_ok() {}
    }
}
