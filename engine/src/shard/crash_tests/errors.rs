//! The disk fails at the k-th call of a kind: a named stop or a refusal, and nothing acknowledged is lost. `ERRORS_K=300`
//! for the long form.

use super::disk::{Fault, How, Lie, On};
use super::from_environment;
use super::run::{Refused, Run};
use crate::fatal::Fatal;
use crate::shard::Shard;
use crate::types::Offset;

const FAULTS: [(On, How); 11] = [
    (On::Write, How::Io),
    (On::Write, How::NoSpace),
    (On::Write, How::Short),
    (On::Flush, How::Io),
    (On::Flush, How::NoSpace),
    (On::Read, How::Io),
    (On::Read, How::NoSpace),
    (On::Rename, How::Io),
    (On::Rename, How::NoSpace),
    (On::Open, How::Io),
    (On::Open, How::NoSpace),
];

/// Who goes on after one of these knows less of the disk than was promised. What cannot be read or opened is refused.
fn may_only_stop(on: On) -> bool {
    match on {
        On::WriteOrFlush | On::Write | On::Flush | On::Rename => true,
        On::Read | On::Open => false,
    }
}

#[derive(Default, Debug)]
struct Counts {
    /// Starts that were refused, by name.
    starts: u64,
    /// Shards that stopped, by name.
    stops: u64,
    /// Requests were refused, and the shard went on.
    refusals: u64,
}

/// Reads everything as far as it goes: what fails is refused, once, and what is served is whole.
fn read_all(run: &mut Run, shard: &mut Shard) {
    let partitions: Vec<u32> = run.ledgers.keys().copied().collect();
    for partition in partitions {
        let mut offset = Offset(0);
        loop {
            let (records, _) = match run.read(shard, partition, offset) {
                Ok(read) => read,
                Err(Refused::Below(log_start)) => {
                    offset = log_start;
                    continue;
                }
                Err(Refused::Storage) => {
                    assert!(run.disk.fired, "{partition} at {offset:?} is not there");
                    break;
                }
                Err(Refused::Corrupt) => panic!("{partition} at {offset:?} is called damaged"),
            };
            // The read that was under way is never answered.
            if run.failed {
                return;
            }
            let mut bytes = records.concat();
            if bytes.is_empty() {
                break;
            }
            while !bytes.is_empty() {
                let header = crate::batch::verify(&bytes).expect("a served batch is valid");
                assert_eq!(header.base_offset, offset, "offsets are dense");
                offset = header.end_offset();
                bytes.drain(..header.total_bytes());
            }
        }
    }
}

fn fail_at(on: On, how: How, after: u64, counts: &mut Counts) {
    let mut run = Run::new(after * 16 + on as u64 * 3 + how as u64, Lie::Nothing);
    run.disk.fault = Some(Fault { on, how, after });
    // There is one rename in a start, and another one where the shard count changes.
    let events = if on == On::Rename { 10 } else { 1_000 };
    for life in 0.. {
        assert!(life < 400, "{on:?} {after} is never reached");
        let opened = run
            .try_open(&mut u64::MAX.clone())
            .expect("no crash was asked for");
        let mut shard = match opened {
            Ok(shard) => shard,
            Err(fatal) => {
                assert!(run.disk.fired, "{fatal}");
                assert!(matches!(fatal, Fatal::Disk { .. }), "{fatal}");
                counts.starts += 1;
                break;
            }
        };
        run.live(&mut shard, events);
        if !run.failed {
            read_all(&mut run, &mut shard);
        }
        if run.disk.fired {
            if may_only_stop(on) {
                // It comes out when its flow ends.
                run.settle_all(&mut shard);
                assert!(run.failed, "nobody heard that it failed");
            }
            match run.failed {
                true => counts.stops += 1,
                false => counts.refusals += 1,
            }
            break;
        }
        // The fault is still to come.
        let fault = run.disk.fault;
        run.crash(false);
        run.disk.fault = fault;
    }
    // What is answered after it is held to be true: whatever the disk forgot.
    run.crash(true);
    let mut shard = run
        .open(&mut u64::MAX.clone())
        .expect("no crash was asked for");
    run.check(&mut shard, true);
}

#[test]
fn a_failing_call_is_a_named_stop_or_a_refusal() {
    let mut counts = Counts::default();
    let k_max = from_environment("ERRORS_K", 30);
    for (on, how) in FAULTS {
        for after in 0..k_max {
            let result = std::panic::catch_unwind(|| {
                let mut counts = Counts::default();
                fail_at(on, how, after, &mut counts);
                counts
            });
            let done = result.unwrap_or_else(|_| panic!("{on:?} {after} with {how:?}"));
            counts.starts += done.starts;
            counts.stops += done.stops;
            counts.refusals += done.refusals;
        }
    }
    println!(
        "{} faults: {counts:?}, nothing acknowledged was lost",
        k_max * FAULTS.len() as u64
    );
    assert!(
        counts.starts > 0 && counts.stops > 0 && counts.refusals > 0,
        "{counts:?}"
    );
}
