//! Every API in every version is asked odd things: nulls, emptiness, extremes. A well-formed request is answered, and the
//! answer can be read in that version.
//!
//! The requests are made by code generated from Kafka's own definitions, so that a field added there is asked for here.

use std::fmt::Debug;
use std::panic::catch_unwind;

use super::super::Worker;
use super::*;
use fill::{Fill, Sample};

#[path = "../../../../tests/tests/codec_oracle/sample.rs"]
#[allow(unused, reason = "this test needs the structs and one macro")]
pub(super) mod sample;

/// Values for fields: what exists, what does not, and what cannot be.
pub(super) mod fill {
    use bytes::Bytes;
    use corelane_engine::rng::Rng;

    use crate::protocol::{Records, Str, Uuid};
    use crate::worker::fake::batch;

    pub(crate) struct Fill {
        rng: Rng,
        /// Of the topic `t`.
        pub(crate) known: Uuid,
        /// Everything short, and nothing empty.
        short: bool,
    }

    /// A value that a message of version `v` can carry.
    pub(crate) trait Sample {
        fn sample(f: &mut Fill, v: i16) -> Self;
    }

    impl Fill {
        pub(crate) fn new(seed: u64, known: Uuid) -> Fill {
            Fill {
                rng: Rng::new(seed),
                known,
                short: false,
            }
        }

        /// Of messages with something in every field, and little.
        pub(crate) fn short(seed: u64, known: Uuid) -> Fill {
            Fill {
                short: true,
                ..Fill::new(seed, known)
            }
        }

        pub(crate) fn below(&mut self, end: usize) -> usize {
            self.rng.below(end as u64) as usize
        }

        fn of<T: Clone>(&mut self, values: &[T]) -> T {
            values[self.below(values.len())].clone()
        }

        pub(crate) fn value<T: Sample>(&mut self, v: i16) -> T {
            T::sample(self, v)
        }

        pub(crate) fn maybe<T: Sample>(&mut self, v: i16, nullable: bool) -> Option<T> {
            match nullable && !self.short && self.below(3) == 0 {
                true => None,
                false => Some(self.value(v)),
            }
        }
    }

    macro_rules! integers {
        ($($type:ty)*) => {$(
            impl Sample for $type {
                fn sample(f: &mut Fill, _: i16) -> Self {
                    if f.short {
                        return 1;
                    }
                    f.of(&[0, 0, 1, 1, 2, 100, (0 as $type).wrapping_sub(1), <$type>::MAX, <$type>::MIN])
                }
            }
        )*};
    }

    integers!(i8 i16 u16 i32 u32 i64);

    impl Sample for bool {
        fn sample(f: &mut Fill, _: i16) -> Self {
            f.below(2) == 0
        }
    }

    impl Sample for f64 {
        fn sample(f: &mut Fill, _: i16) -> Self {
            f.of(&[0.0, -1.0, f64::NAN, f64::INFINITY])
        }
    }

    impl Sample for Uuid {
        fn sample(f: &mut Fill, _: i16) -> Self {
            let known = f.known;
            if f.short {
                return known;
            }
            f.of(&[known, known, Uuid::ZERO, Uuid([0xff; 16]), Uuid([9; 16])])
        }
    }

    impl Sample for Str {
        fn sample(f: &mut Fill, _: i16) -> Self {
            let names = [
                "t",
                "t",
                "t",
                "",
                "new",
                "a/b",
                ".",
                "é",
                "__consumer_offsets",
            ];
            match f.below(30) {
                _ if f.short => "t".into(),
                0 => "x".repeat(249).into(),
                1 => "x".repeat(i16::MAX as usize).into(),
                _ => f.of(&names).into(),
            }
        }
    }

    impl Sample for Bytes {
        fn sample(f: &mut Fill, _: i16) -> Self {
            if f.short {
                return Bytes::from_static(b"some");
            }
            f.of(&[
                Bytes::new(),
                Bytes::from_static(b"some"),
                Bytes::from_static(&[0xff; 40]),
            ])
        }
    }

    impl Sample for Records {
        fn sample(f: &mut Fill, _: i16) -> Self {
            if f.short {
                return batch(1, 0, 5).into();
            }
            let attributes = f.of(&[0, 0, 0, 4, 7, 0x10, 0x20]);
            let whole = batch(f.of(&[1, 1, 1, 0, -1, i32::MAX]), attributes, 5);
            let cut = whole.slice(..f.below(whole.len()));
            f.of(&[whole.clone(), whole, cut, Bytes::new()]).into()
        }
    }

    impl<T: Sample> Sample for Vec<T> {
        fn sample(f: &mut Fill, v: i16) -> Self {
            let len = match f.short {
                true => 1,
                false => f.below(4),
            };
            (0..len).map(|_| f.value(v)).collect()
        }
    }
}

/// Asks one request of a fresh node, and reads what it answers.
fn ask_one<Ask: Message + Sample + Debug, Answer: Message>(key: i16, version: i16, seed: u64) {
    let mut rig = Rig::new(2);
    let id = rig.topic("t", 2);
    let conn = rig.connect(0);
    let _: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 0, batch(3, 0, 9)));
    let message = Ask::sample(&mut Fill::new(seed, Uuid(id.0)), version);
    rig.send(conn, key, version, 5, &message);
    // Whatever waits for something new does not wait for one that has gone.
    rig.event_closed(conn);
    match rig.try_answer::<Answer>(conn, key, version) {
        Some((correlation, _)) => assert_eq!(correlation, 5),
        None => assert!(is_silent(key, &message), "no answer to {message:?}"),
    }
    assert!(rig.closed(conn), "{message:?}");
    let healthy = rig.connect(1);
    let _: ApiVersionsResponse = rig.ask(healthy, 18, 0, &ApiVersionsRequest::default());
    let held = |w: &Worker<_>| w.buffers.charged() + w.buffers.parked();
    let held: usize = rig.workers.iter().map(held).sum();
    assert_eq!(held, 0, "{message:?}");
}

/// A produce with acks=0 gets no answer; who waits for other members of a group is not answered once it has gone; ACLs
/// with an element of type 0 are not read, as by Kafka.
fn is_silent(key: i16, message: &impl Debug) -> bool {
    let text = format!("{message:?}");
    let holds = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    match key {
        0 => holds(&["acks: 0,"]),
        11 | 14 => true,
        29..=31 => holds(&["_type: 0", "_filter: 0", "operation: 0"]),
        _ => false,
    }
}

fn ask(api: i16, version: i16, seed: u64) {
    macro_rules! by_key {
        ($($key:literal $request:ident $response:ident)*) => {
            match api {
                $($key => ask_one::<crate::protocol::$request, crate::protocol::$response>(api, version, seed),)*
                key => panic!("Kafka has no API {key}"),
            }
        };
    }
    sample::each_api!(by_key);
}

#[test]
fn every_well_formed_request_is_answered_in_its_version() {
    let mut failed = Vec::new();
    for entry in &TABLE {
        for version in entry.served_min..=entry.version_max {
            let fails = |seed: &u64| catch_unwind(|| ask(entry.key, version, *seed)).is_err();
            if let Some(seed) = (0..60).find(fails) {
                failed.push(format!("{} version {version} seed {seed}", entry.name));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// What a session remembers from one version is asked and answered in another.
#[test]
fn a_session_goes_on_in_any_version_that_names_topics_alike() {
    for (first, next) in (7..=18).flat_map(|a| (7..=18).map(move |b| (a, b))) {
        let mut rig = Rig::new(2);
        let id = rig.topic("t", 4);
        let conn = rig.connect(0);
        let _: ProduceResponse = rig.ask(conn, 0, 9, &produce("t", id, 0, batch(3, 0, 9)));
        let mut open = FetchRequest {
            session_epoch: 0,
            max_wait_ms: 0,
            ..fetch("t", id, &[(0, 0), (1, 1_000_000), (2, 1_000_000), (9, 0)])
        };
        if first >= 12 {
            open.topics[0].partitions[1].last_fetched_epoch = 0;
        }
        let answer: FetchResponse = rig.ask(conn, 1, first, &open);
        let on = FetchRequest {
            session_id: answer.session_id,
            session_epoch: 1,
            max_wait_ms: 0,
            ..fetch("t", id, &[])
        };
        let answer: FetchResponse = rig.ask(conn, 1, next, &on);
        assert_eq!(
            answer.error_code,
            if (first < 13) == (next < 13) { 0 } else { 106 },
            "{first} then {next}"
        );
        assert!(!rig.closed(conn), "{first} then {next}");
    }
}

#[test]
fn a_topic_without_a_name_is_refused_where_ids_are_not_looked_up() {
    let mut rig = Rig::new(1);
    let id = rig.topic("t", 1);
    let conn = rig.connect(0);
    let topic = |name: Option<&str>, id: TopicId| MetadataRequestTopic {
        name: name.map(Into::into),
        topic_id: Uuid(id.0),
    };
    for version in [10, 11] {
        for odd in [
            topic(None, id),
            topic(None, TopicId::ZERO),
            topic(Some("t"), id),
        ] {
            let name = odd.name.as_deref().unwrap_or_default().to_owned();
            let message = MetadataRequest {
                topics: Some(vec![named("t"), odd]),
                ..MetadataRequest::default()
            };
            let answer: MetadataResponse = rig.ask(conn, 3, version, &message);
            assert_eq!(topics(&answer), [(42, "t".to_owned()), (42, name)]);
        }
    }
}
