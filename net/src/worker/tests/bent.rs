//! Every API in every version is asked what no client sends: frames cut at every byte, every length a lie, tags nobody knows.
//!
//! ```text
//!  a sound request ─► cut · each length null, negative, huge, one too many or few · varints too long · bytes behind the end
//!                   ─► answered, or closed with a named reason; little memory; the others go on
//! ```
//!
//! Where lengths lie in a frame is not known here: every place is bent as if one lay there. Memory is that of this thread,
//! counted by its allocator.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::field::{Field, Visit};
use tracing::span;

use super::super::Worker;
use super::odd::fill::{Fill, Sample};
use super::odd::sample;
use super::*;
use crate::api::Api;

/// A request that was not understood takes no more memory than this and so much for each of its bytes. Copies of the
/// frame, the decoded message, the answer; what a log line takes.
const MEMORY_MAX: u64 = 16 << 10;
const MEMORY_PER_BYTE_MAX: u64 = 64;

/// Further bodies of each API and version, with odd values; longer ones add nothing but time.
const SEEDS: u64 = 6;
const BODY_BYTES_MAX: usize = 400;

/// Lengths as versions before KIP-482 have them: null, negative, the least and the largest, of two bytes and of four.
const PLAIN_LIES: [&[u8]; 9] = [
    &[0xff, 0xff],
    &[0xff, 0xfe],
    &[0x80, 0],
    &[0x7f, 0xff],
    &[0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xfe],
    &[0x80, 0, 0, 0],
    &[0x7f, 0xff, 0xff, 0xff],
    // 16 MiB: what an allocator would give.
    &[0x00, 0xff, 0xff, 0xff],
];

/// Varints: 2^31 - 2, 2^32 - 2, 16 MiB, more than 32 bits, without an end, and zero in three bytes.
const VARINT_LIES: [&[u8]; 6] = [
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff; 11],
    &[0x80, 0x80, 0x00],
];

/// A section of one tagged field that nobody knows, and sections that are none.
const UNKNOWN_TAG: &[u8] = &[1, 0xf0, 0x7f, 2, 0xab, 0xcd];
const BAD_TAGS: [&[u8]; 4] = [
    // The same one twice; not in order; longer than the frame; more than it holds.
    &[2, 0x70, 0, 0x70, 0],
    &[2, 0x70, 0, 0x60, 0],
    &[1, 0x70, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
];

/// What became of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Fate {
    /// The answers, each behind its size.
    Answered(Vec<u8>),
    /// Why the broker ended the connection.
    Closed(String),
    /// Neither, until the client went.
    Silent,
}

thread_local! {
    /// What was said of connections that ended. A test and its nodes are one thread.
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes what is said of connections that end.
struct Heard;

impl Heard {
    fn take() -> Vec<String> {
        SAID.take()
    }
}

impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        if let Some(reason) = text.0.strip_prefix("connection closed: ") {
            SAID.with_borrow_mut(|said| said.push(reason.to_owned()));
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// One API in one version, a node that serves it, and a client that wants nothing to do with it.
struct Bench {
    rig: Rig,
    entry: &'static api::Entry,
    version: i16,
    healthy: ConnId,
    known: Uuid,
    /// A sound request's body.
    body: Vec<u8>,
    asked: u64,
    /// What is asked now, for who reads that it failed.
    now: RefCell<String>,
}

impl Bench {
    fn new(entry: &'static api::Entry, version: i16) -> Bench {
        let mut rig = Rig::new(2);
        // A bent count of partitions would be the fake controller's allocation.
        rig.refusing = true;
        let id = rig.topic("t", 2);
        let healthy = rig.connect(0);
        let _: ProduceResponse = rig.ask(healthy, 0, 9, &produce("t", id, 0, batch(3, 0, 9)));
        let known = Uuid(id.0);
        Bench {
            rig,
            entry,
            version,
            healthy,
            known,
            body: sound(entry.key, version, &mut Fill::short(1, known)),
            asked: 0,
            now: RefCell::default(),
        }
    }

    fn flexible(&self) -> bool {
        self.version >= self.entry.flexible_min
    }

    /// A whole frame, its size the true one.
    fn framed(&self, body: &[u8]) -> Vec<u8> {
        framed(self.entry.key, self.version, 5, body)
    }

    /// How long the header is, behind the size.
    fn header_bytes(&self) -> usize {
        self.framed(&[]).len() - 4
    }

    /// Sends bytes on a connection of their own, which then ends.
    fn send(&mut self, bytes: &[u8]) -> Fate {
        self.send_in(&[bytes])
    }

    fn send_in(&mut self, pieces: &[&[u8]]) -> Fate {
        Heard::take();
        let conn = self.rig.connect(0);
        for piece in pieces {
            self.rig.write(conn, piece);
        }
        let closed = self.rig.closed(conn);
        if !closed {
            self.rig.event_closed(conn);
        }
        let answers = self.rig.peers[&conn].answers.to_vec();
        let mut said = Heard::take();
        assert_eq!(said.len(), 1, "one connection ended: {said:?}");
        let reason = said.remove(0);
        assert!(
            !reason.contains("cannot be written") && (!closed || reason != "the peer closed"),
            "closed: {reason}"
        );
        self.rig.forget(conn);
        let held = |w: &Worker<_>| w.buffers.charged() + w.buffers.parked();
        let held: usize = self.rig.workers.iter().map(held).sum();
        assert_eq!(held, 0, "bytes are charged to nobody");
        self.asked += 1;
        if self.asked.is_multiple_of(100) {
            self.others_go_on();
        }
        match (answers.is_empty(), reason == "the peer closed") {
            (false, _) => Fate::Answered(answers),
            (true, true) => Fate::Silent,
            (true, false) => Fate::Closed(reason),
        }
    }

    fn others_go_on(&mut self) {
        let versions = ApiVersionsRequest::default();
        let answer: ApiVersionsResponse = self.rig.ask(self.healthy, 18, 0, &versions);
        assert_eq!(answer.error_code, 0);
    }

    /// What became of it, and how much memory it took at most.
    fn measured(&mut self, frame: &[u8]) -> (Fate, u64) {
        let mut fate = None;
        let used = allocation_counter::measure(|| fate = Some(self.send(frame)));
        (fate.expect("it was sent"), used.bytes_max)
    }

    /// Sends a bent frame: what follows may differ, but not outside of the rules.
    fn bent(&mut self, what: &str, at: usize, frame: &[u8]) -> Fate {
        *self.now.borrow_mut() = format!("{what} at {at}: {frame:02x?}");
        // What was produced is not to be in later answers.
        for worker in &mut self.rig.workers {
            worker.storage_mut().logs.values_mut().for_each(Vec::clear);
        }
        let (fate, mut used) = self.measured(frame);
        let max = MEMORY_MAX + MEMORY_PER_BYTE_MAX * frame.len() as u64;
        if used > max {
            // A table that grew in a leap does not grow again.
            used = self.measured(frame).1;
        }
        assert!(used <= max, "{used} bytes of memory");
        if let Fate::Answered(answers) = &fate {
            // More than one: the healthy half of two.
            let size = i32::from_be_bytes(answers[..4].try_into().expect("4 bytes"));
            assert_eq!(answers.len(), 4 + size as usize, "one answer");
            assert_eq!(answers[4..8], [0, 0, 0, 5], "its correlation id");
        }
        assert!(
            fate != Fate::Silent || self.may_be_silent(),
            "neither answered nor closed"
        );
        fate
    }

    /// A produce may have become one with acks=0; who waits for other members is not answered.
    fn may_be_silent(&self) -> bool {
        matches!(
            self.entry.api,
            Api::Produce | Api::JoinGroup | Api::SyncGroup
        )
    }

    fn must_close(&mut self, what: &str, at: usize, frame: &[u8]) {
        let fate = self.bent(what, at, frame);
        let Fate::Closed(reason) = &fate else {
            panic!("it is not refused: {fate:?}");
        };
        let malformed = reason.contains("malformed") || reason.contains("frame");
        assert!(malformed, "closed: {reason}");
    }

    /// The frame ends early and says so; and once it ends earlier than it says.
    fn cut(&mut self) {
        let whole = self.framed(&self.body.clone());
        for end in 4..whole.len() {
            let mut frame = whole[..end].to_vec();
            frame[..4].copy_from_slice(&(end as u32 - 4).to_be_bytes());
            self.must_close("cut", end, &frame);
        }
        let fate = self.send(&whole[..whole.len() - 1]);
        assert_eq!(fate, Fate::Silent, "half a frame is no request");
    }

    /// Lengths, each of which could be anywhere.
    fn lie(&mut self) {
        let whole = self.framed(&self.body.clone());
        let flexible = self.flexible();
        // Key, version and correlation id have their own test.
        for at in 12..whole.len() {
            for step in [1u8, 0xff] {
                let mut frame = whole.clone();
                frame[at] = frame[at].wrapping_add(step);
                self.bent("one more or less", at, &frame);
            }
            for lie in PLAIN_LIES.iter().filter(|_| !flexible || at < 14) {
                let mut frame = whole.clone();
                let end = whole.len().min(at + lie.len());
                frame[at..end].copy_from_slice(&lie[..end - at]);
                self.bent("a lie", at, &frame);
            }
            for lie in VARINT_LIES.iter().filter(|_| flexible) {
                let frame = replaced(&whole, at, lie);
                self.bent("a varint", at, &frame);
            }
        }
    }

    /// Tagged fields that nobody knows are passed over; what is none is refused.
    fn tags(&mut self) {
        let whole = self.framed(&self.body.clone());
        let sound = self.bent("sound", 0, &whole);
        if !self.flexible() {
            return;
        }
        let mut places = vec![4 + self.header_bytes() - 1];
        // A Fetch ends with the tagged fields that it knows.
        places.extend((self.entry.api != Api::Fetch).then_some(whole.len() - 1));
        for at in places {
            assert_eq!(whole[at], 0, "a section without fields");
            let mut bench = Bench::new(self.entry, self.version);
            // The first request of its node, as the sound one was of a fresh one.
            let fate = bench.bent("an unknown tag", at, &replaced(&whole, at, UNKNOWN_TAG));
            let fresh = Bench::new(self.entry, self.version).send(&whole);
            assert_eq!(fate, fresh, "with an unknown tag");
            for tags in BAD_TAGS {
                self.must_close("bad tags", at, &replaced(&whole, at, tags));
            }
        }
        let answered = matches!(sound, Fate::Answered(_) | Fate::Silent);
        assert!(answered, "a sound request: {sound:?}");
    }

    /// Bytes behind the message, which are passed over; a header of the version before or after KIP-482.
    fn behind(&mut self) {
        let whole = self.framed(&self.body.clone());
        for more in [&[0][..], &[0xff; 3], &[0; 1000]] {
            let longer = [&whole[..], more].concat();
            let fresh = || Bench::new(self.entry, self.version);
            let (fate, plain) = (fresh().send(&resized(longer)), fresh().send(&whole));
            assert_eq!(fate, plain, "with bytes behind the end");
        }
        let at = 4 + self.header_bytes();
        let other = match self.flexible() {
            true => [&whole[..at - 1], &whole[at..]].concat(),
            false => [&whole[..at], &[0], &whole[at..]].concat(),
        };
        self.bent("a header of another version", at, &resized(other));
    }

    /// A byte at a time: what comes is what comes of the whole.
    fn slowly(&mut self) {
        let whole = self.framed(&self.body.clone());
        let fresh = || Bench::new(self.entry, self.version);
        let pieces: Vec<&[u8]> = whole.chunks(1).collect();
        let (slow, fast) = (fresh().send_in(&pieces), fresh().send(&whole));
        assert_eq!(slow, fast, "a byte at a time");
    }

    fn all(&mut self) {
        self.cut();
        self.tags();
        self.behind();
        self.slowly();
        self.lie();
        for seed in 0..SEEDS {
            let mut fill = Fill::new(seed, self.known);
            self.body = sound(self.entry.key, self.version, &mut fill);
            if self.body.len() < BODY_BYTES_MAX {
                self.cut();
                self.lie();
            }
        }
        self.others_go_on();
    }
}

/// `at` holds one byte of `whole`, which gives way.
fn replaced(whole: &[u8], at: usize, by: &[u8]) -> Vec<u8> {
    resized([&whole[..at], by, &whole[at + 1..]].concat())
}

/// With its true size in front.
fn resized(mut frame: Vec<u8>) -> Vec<u8> {
    let size = frame.len() as u32 - 4;
    frame[..4].copy_from_slice(&size.to_be_bytes());
    frame
}

/// The body of a sound request.
fn sound(key: i16, version: i16, fill: &mut Fill) -> Vec<u8> {
    fn encoded<M: Message + Sample>(version: i16, fill: &mut Fill) -> Vec<u8> {
        let mut writer = Writer::plain();
        let message = M::sample(fill, version);
        message
            .encode(&mut writer, version)
            .expect("a sample fits its version");
        writer.into_bytes().to_vec()
    }
    macro_rules! by_key {
        ($($key:literal $request:ident $response:ident)*) => {
            match key {
                $($key => encoded::<crate::protocol::$request>(version, fill),)*
                key => panic!("Kafka has no API {key}"),
            }
        };
    }
    sample::each_api!(by_key)
}

#[test]
fn bent_frames_are_answered_or_closed_by_name_and_take_little() {
    let mut failed = Vec::new();
    let mut asked = 0;
    tracing::subscriber::with_default(Heard, || {
        for entry in &TABLE {
            for version in entry.served_min..=entry.version_max {
                let mut bench = Bench::new(entry, version);
                if catch_unwind(AssertUnwindSafe(|| bench.all())).is_err() {
                    let now = bench.now.take();
                    failed.push(format!("{} version {version}: {now}", entry.name));
                }
                asked += bench.asked;
            }
        }
    });
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(asked > 300_000, "only {asked} frames were bent");
}

/// Keys and versions that are not in the table: the connection ends and says why; ApiVersions tells what there is.
#[test]
fn keys_and_versions_off_the_table_are_named() {
    tracing::subscriber::with_default(Heard, || {
        let mut bench = Bench::new(&TABLE[0], TABLE[0].version_max);
        for key in (-3..130).chain([i16::MIN, i16::MAX, 999]) {
            let versions = match api::entry(key) {
                None => vec![0, 1, -1, i16::MAX],
                Some(entry) => {
                    let beyond = [entry.version_max + 1, i16::MAX, i16::MIN, -1];
                    let below = [entry.served_min - 1];
                    [&beyond[..], &below].concat()
                }
            };
            for version in versions {
                let fate = bench.send(&framed(key, version, 5, &[0; 20]));
                match (fate, key) {
                    (Fate::Answered(answer), 18) => {
                        assert_eq!(answer[4..10], [0, 0, 0, 5, 0, 35], "version {version}");
                    }
                    (Fate::Closed(reason), _) => {
                        let named = match api::entry(key) {
                            None => format!("unknown API key {key}"),
                            Some(entry) => format!("{} version {version} is not", entry.name),
                        };
                        assert!(reason.starts_with(&named), "{key} {version}: {reason}");
                    }
                    (fate, _) => panic!("key {key} version {version}: {fate:?}"),
                }
            }
        }
        bench.others_go_on();
    });
}

/// Ids are the client's own business: any, and any twice, in the order asked.
#[test]
fn correlation_ids_come_back_as_they_came() {
    let mut rig = Rig::new(1);
    let conn = rig.connect(0);
    let ids = [0, -1, i32::MIN, i32::MAX, 7, 7, 7, 0];
    let frames = ids.map(|id| request(18, 0, id, &ApiVersionsRequest::default()));
    rig.write(conn, &frames.concat());
    for id in ids {
        let answer = rig.answer::<ApiVersionsResponse>(conn, 18, 0);
        assert_eq!(answer.0, id);
    }
}

/// A frame that claims much and comes a byte a minute holds little, and nobody up; one that stops coming ends.
#[test]
fn who_sends_slowly_holds_little_and_nobody_up() {
    tracing::subscriber::with_default(Heard, || {
        let mut rig = Rig::new(1);
        let healthy = rig.connect(0);
        for entry in &TABLE {
            let slow = rig.connect(0);
            let mut frame = framed(entry.key, entry.version_max, 5, &[0; 40]);
            // The largest frame that is taken.
            frame[..4].copy_from_slice(&NetLimits::NORMAL.frame_bytes_max.to_be_bytes()[4..]);
            let used = allocation_counter::measure(|| {
                for byte in &frame {
                    rig.write(slow, &[*byte]);
                    rig.wait(60_000);
                    rig.ask::<ApiVersionsResponse>(healthy, 18, 0, &ApiVersionsRequest::default());
                }
            });
            // A first step of 1 MiB, which counts as memory that others wait for.
            assert!(used.bytes_max < 2 << 20, "{used:?}");
            assert!(!rig.closed(slow), "it goes on coming");
            Heard::take();
            for _ in 0..11 {
                rig.wait(60_000);
                rig.ask::<ApiVersionsResponse>(healthy, 18, 0, &ApiVersionsRequest::default());
            }
            assert!(rig.closed(slow), "it stopped coming");
            let reasons = Heard::take();
            assert_eq!(reasons, ["no byte came or went for too long"]);
            assert_eq!(rig.workers[0].buffers.charged(), 0);
            rig.forget(slow);
        }
    });
}
