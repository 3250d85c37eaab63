//! What one shard has done and holds, as plain numbers: counted where it happens, copied out when somebody asks.
//!
//! ```text
//!  an answer ─► tally[api].results[class] += 1, .seconds.buckets[i] += 1 ─┐
//!  connections, budgets, storage: what is kept anyway ────────────────────┴─ Machine::sample(question) ─► Sample
//! ```
//!
//! A question costs a shard a few copies, however much it holds: what grows with topics is asked for piece by piece.

use std::time::Duration;

use corelane_engine::shard::tally::{Piece, ROWS_A_PIECE, ShardNumbers, Volume};
use corelane_engine::types::TopicId;

use crate::api::{Api, CloseReason, TABLE};
use crate::frame::FrameError;

mod fetched;
mod histogram;

pub use fetched::Fetched;
pub use histogram::{BOUNDS, Histogram};

/// How many APIs are counted: each in the place that its [`Api`] names.
pub const APIS: usize = TABLE.len();

const _: () = {
    let mut at = 0;
    while at < APIS {
        assert!((TABLE[at].api as usize) < APIS, "an API without a row");
        at += 1;
    }
};

/// Names of topics that one look copies at most.
pub const NAMES_A_PIECE: usize = 128;

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Ok,
    /// The client goes on by itself: Kafka's `RetriableException`s, and what the group protocol answers in passing.
    Retriable,
    /// The client asked for what it may not have, or what cannot be.
    Refused,
    /// The broker's own failure: someone should look.
    Broker,
    /// Its connection ended in place of an answer.
    Closed,
}

impl Class {
    pub const ALL: [Class; 5] = [
        Class::Ok,
        Class::Retriable,
        Class::Refused,
        Class::Broker,
        Class::Closed,
    ];

    /// Of an answer, by the first error code in it (`org.apache.kafka.common.protocol.Errors`).
    pub fn of(code: i16) -> Class {
        match code {
            0 => Class::Ok,
            // UNKNOWN_SERVER_ERROR, KAFKA_STORAGE_ERROR.
            -1 | 56 => Class::Broker,
            // REBALANCE_IN_PROGRESS and MEMBER_ID_REQUIRED, which Kafka does not call retriable, but every member hears.
            27 | 79 => Class::Retriable,
            2 | 3 | 5 | 6 | 7 | 9 | 13..=16 | 19 | 20 | 41 | 51 | 70..=72 | 74 | 75 | 78 | 80 => {
                Class::Retriable
            }
            83 | 84 | 88 | 89 | 100 | 103 | 106 | 122 | 123 | 133 => Class::Retriable,
            _ => Class::Refused,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Class::Ok => "ok",
            Class::Retriable => "retriable",
            Class::Refused => "refused",
            Class::Broker => "broker",
            Class::Closed => "closed",
        }
    }
}

/// Requests of one API.
#[derive(Clone, Copy, Default, Debug)]
pub struct ApiTally {
    /// By [`Class`].
    pub results: [u64; Class::ALL.len()],
    /// From its start to its answer, of those that were answered. By the clock of the pass: 0 within one.
    pub seconds: Histogram,
}

/// Why connections were closed, as counted: [`CloseReason`] without what was wrong in particular.
const CLOSED: [&str; 13] = [
    "peer",
    "socket",
    "stopping",
    "frame",
    "stalled",
    "deaf",
    "idle",
    "bad_header",
    "unknown_api",
    "unsupported_version",
    "bad_request",
    "unwritable_answer",
    "silent_produce",
];

fn closed_place(reason: &CloseReason) -> usize {
    match reason {
        CloseReason::PeerClosed => 0,
        CloseReason::Socket(_) => 1,
        CloseReason::Stopping => 2,
        CloseReason::Frame(
            FrameError::Negative(_) | FrameError::Empty | FrameError::TooLarge { .. },
        ) => 3,
        CloseReason::Stalled => 4,
        CloseReason::Deaf => 5,
        CloseReason::Idle => 6,
        CloseReason::BadHeader(_) => 7,
        CloseReason::UnknownApi(_) => 8,
        CloseReason::UnsupportedVersion { .. } => 9,
        CloseReason::BadRequest { .. } => 10,
        CloseReason::UnwritableAnswer { .. } => 11,
        CloseReason::SilentProduce(_) => 12,
    }
}

/// What a worker counts. Per shard: about 8 KB, however many clients there are.
#[derive(Clone, Debug)]
pub struct Tally {
    apis: Box<[ApiTally; APIS]>,
    closed: [u64; CLOSED.len()],
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            apis: Box::new([ApiTally::default(); APIS]),
            closed: [0; CLOSED.len()],
        }
    }
}

impl Tally {
    /// A request was answered, after so long. Two indices, four additions.
    pub fn answered(&mut self, api: Api, class: Class, after: Duration) {
        let tally = &mut self.apis[api as usize];
        tally.results[class as usize] += 1;
        tally.seconds.record(after);
    }

    /// A request ended with its connection.
    pub fn cut_off(&mut self, api: Api) {
        self.apis[api as usize].results[Class::Closed as usize] += 1;
    }

    pub fn closed(&mut self, reason: &CloseReason) {
        self.closed[closed_place(reason)] += 1;
    }

    /// The APIs that were asked for, by their names.
    pub fn apis(&self) -> impl Iterator<Item = (&'static str, &ApiTally)> {
        TABLE
            .iter()
            .map(|entry| (entry.name, &self.apis[entry.api as usize]))
            .filter(|(_, tally)| tally.results.iter().any(|count| *count > 0))
    }

    /// How many connections were closed, by reason.
    pub fn closed_by(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CLOSED.into_iter().zip(self.closed)
    }
}

/// What somebody outside asks a shard. Each is little work for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Does it still turn?
    Alive,
    Numbers,
    /// What was appended to partitions, from a place on: 0 at first.
    Appended(usize),
    /// What fetches of this shard's connections were given of topics, from a place on.
    Fetched(usize),
    /// The names of topics, in order, from the first that is not below this.
    Names(String),
}

/// Its answer. A shard that has not recovered yet has done nothing, and knows no topic.
#[derive(Clone, Debug)]
pub enum Sample {
    Alive,
    Numbers(Box<Numbers>),
    Appended(Piece),
    Fetched(Piece),
    Names(Names),
}

impl Sample {
    /// What a shard without a worker answers.
    pub fn none(question: &Question) -> Sample {
        match question {
            Question::Alive => Sample::Alive,
            Question::Numbers => Sample::Numbers(Box::default()),
            Question::Appended(_) => Sample::Appended(Piece::default()),
            Question::Fetched(_) => Sample::Fetched(Piece::default()),
            Question::Names(_) => Sample::Names(Names::default()),
        }
    }
}

/// Some topics, and the name that the next piece begins with.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Names {
    pub topics: Vec<(TopicId, String)>,
    pub next: Option<String>,
}

impl Names {
    /// At most [`NAMES_A_PIECE`] of these.
    pub fn of<'a>(mut topics: impl Iterator<Item = (TopicId, &'a str)>) -> Names {
        let owned = |(id, name): (TopicId, &str)| (id, name.to_owned());
        Names {
            topics: topics.by_ref().take(NAMES_A_PIECE).map(owned).collect(),
            next: topics.next().map(|(_, name)| name.to_owned()),
        }
    }
}

/// Everything that does not grow with topics. Per shard.
#[derive(Clone, Default, Debug)]
pub struct Numbers {
    pub tally: Tally,
    pub fetched: Volume,
    pub connections: usize,
    pub requests_under_way: usize,
    /// Of these, the ones that only wait for something new.
    pub requests_parked: usize,
    pub fetch_sessions: usize,
    /// Memory: frames of requests under way, parked requests, and answers that are read or not taken yet.
    pub request_bytes: usize,
    pub parked_bytes: usize,
    pub answer_bytes: usize,
    pub storage: ShardNumbers,
}

const _: () = assert!(ROWS_A_PIECE <= 1024 && NAMES_A_PIECE <= 1024);
const _: () = assert!(
    APIS * size_of::<ApiTally>() <= 16 << 10,
    "kilobytes for each shard"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_api_has_a_place_of_its_own() {
        let mut tally = Tally::default();
        for entry in &TABLE {
            tally.answered(entry.api, Class::Ok, Duration::ZERO);
        }
        assert_eq!(tally.apis().count(), APIS);
        assert!(tally.apis().all(|(_, api)| api.results == [1, 0, 0, 0, 0]));
        tally.cut_off(Api::Fetch);
        let fetch = tally.apis().find(|(name, _)| *name == "Fetch").unwrap().1;
        assert_eq!(fetch.results, [1, 0, 0, 0, 1]);
        assert_eq!(fetch.seconds.count(), 1, "no time of what had no answer");
    }

    #[test]
    fn classes_of_codes() {
        let cases = [
            (0, Class::Ok),
            (-1, Class::Broker),
            (56, Class::Broker),
            (3, Class::Retriable),
            (6, Class::Retriable),
            (27, Class::Retriable),
            (79, Class::Retriable),
            (1, Class::Refused),
            (87, Class::Refused),
            (i16::MAX, Class::Refused),
        ];
        for (code, class) in cases {
            assert_eq!(Class::of(code), class, "{code}");
        }
        for (place, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place, "{class:?}");
        }
    }

    #[test]
    fn names_come_in_bounded_pieces_and_all_of_them() {
        let all: Vec<String> = (0..5_000).map(|n| format!("t{n:04}")).collect();
        let (mut from, mut seen, mut pieces) = (String::new(), Vec::new(), 0);
        loop {
            let rest = all.iter().filter(|name| **name >= from);
            let piece = Names::of(rest.map(|name| (TopicId([0; 16]), name.as_str())));
            assert!(piece.topics.len() <= NAMES_A_PIECE);
            seen.extend(piece.topics.into_iter().map(|(_, name)| name));
            pieces += 1;
            match piece.next {
                Some(next) => from = next,
                None => break,
            }
        }
        assert_eq!(pieces, all.len().div_ceil(NAMES_A_PIECE));
        assert_eq!(seen, all);
    }
}
