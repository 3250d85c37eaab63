//! What tests of the real process share: the broker under test, a wire client, foreign programs, records, the ledger.
//!
//! `CORELANE_TEST_BROKER=HOST:PORT` points every suite at a broker that already runs (an Apache Kafka, to see that the
//! suite itself is right); `CORELANE_TEST_DATA=DIR` then names that broker's data directory, where a suite wants it.
//! `CORELANE_TEST_KAFKA=1` makes every suite start an Apache Kafka of its own in place of our binary.

pub mod beside;
pub mod broker;
pub mod ledger;
pub mod process;
pub mod recording;
pub mod records;
pub mod reference;
pub mod runtime;
pub mod tools;
pub mod wire;

use std::sync::atomic::{AtomicU64, Ordering};

/// A topic name that no other test, and no earlier run against the same broker, has used.
pub fn topic_name(stem: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970");
    format!(
        "{stem}-{:x}-{}-{n}",
        since.as_millis() & 0xff_ffff,
        std::process::id()
    )
}
