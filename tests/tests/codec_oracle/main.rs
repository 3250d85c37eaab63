//! The generated codecs beside an independent one, and against bytes that are wrong on purpose.

#[path = "../fuzz/fill.rs"]
mod fill;
mod hostile;
mod kafka;
mod sample;

use std::fmt::Debug;

use bytes::{Buf, Bytes, BytesMut};
use corelane_protocol::{DecodeError, EncodeError, Message, Reader, Writer};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable};

use fill::{Fill, Sample};
use sample::each_message;

/// Random messages for each message and version.
const ROUNDS: u64 = 12;

/// How many pairs of message and version were compared, at least: so that a broken list does not pass for a success.
const PAIRS_MIN: usize = 500;

fn encode<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut w = Writer::plain();
    message.encode(&mut w, version)?;
    Ok(w.into_bytes())
}

fn decode<M: Message>(bytes: &Bytes, version: i16) -> Result<M, DecodeError> {
    let mut r = Reader::new(bytes.clone());
    let message = M::decode(&mut r, version)?;
    r.finish()?;
    Ok(message)
}

/// A seed that differs between messages, versions and rounds.
fn seed<M: Message>(version: i16, round: u64) -> u64 {
    let name = M::NAME.bytes().fold(7_u64, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    (name << 32) ^ ((version as u64) << 16) ^ round
}

/// Ours to theirs and back to ours, over the versions both know. Returns how many those are.
fn compare<O, T>() -> usize
where
    O: Message + Sample + PartialEq + Debug,
    T: kafka_protocol::protocol::Message + Encodable + Decodable + Default,
{
    let first = O::VERSIONS.0.max(T::VERSIONS.min);
    let last = O::VERSIONS.1.min(T::VERSIONS.max);
    for version in first..=last {
        let name = O::NAME;
        for round in 0..ROUNDS {
            let seed = seed::<O>(version, round);
            let mut fill = match round % 2 {
                0 => Fill::new(seed),
                _ => Fill::familiar(seed),
            };
            let ours = O::sample(&mut fill, version);
            let sent = encode(&ours, version)
                .unwrap_or_else(|e| panic!("{name} {version}: {e}, of {ours:#?}"));
            let mut rest = sent.clone();
            let read = T::decode(&mut rest, version)
                .unwrap_or_else(|e| panic!("{name} {version}: theirs: {e}, of {ours:#?}"));
            assert_eq!(rest.remaining(), 0, "{name} {version}: left by theirs");
            let mut answer = BytesMut::new();
            read.encode(&mut answer, version)
                .unwrap_or_else(|e| panic!("{name} {version}: theirs: {e}, of {ours:#?}"));
            let answer = answer.freeze();
            assert_eq!(sent, answer, "{name} {version}: {ours:#?}");
            let back: O = decode(&answer, version)
                .unwrap_or_else(|e| panic!("{name} {version}: {e}, of {ours:#?}"));
            assert_eq!(ours, back, "{name} {version}");
        }
        // Their defaults are ours. Some have no default that a version can carry.
        let mut default = BytesMut::new();
        if T::default().encode(&mut default, version).is_ok() {
            let default = default.freeze();
            let read: O =
                decode(&default, version).unwrap_or_else(|e| panic!("{name} {version}: {e}"));
            let answer = encode(&read, version).expect("a version encodes what it decodes");
            assert_eq!(answer, default, "{name} {version}: default");
            assert_eq!(read, O::default(), "{name} {version}: default");
        }
    }
    usize::try_from(last - first + 1).expect("both know some version")
}

#[test]
fn an_independent_codec_agrees_both_ways() {
    let mut pairs = 0;
    macro_rules! pair {
        // What the other crate does not have.
        (ControlRecordTypeSchema) => {};
        (StreamsGroupDescribeRequest) => {};
        (StreamsGroupDescribeResponse) => {};
        (StreamsGroupHeartbeatRequest) => {};
        (StreamsGroupHeartbeatResponse) => {};
        // It refuses every voter in these two; Kafka's own classes agree with us.
        (LeaderChangeMessage) => {};
        (VotersRecord) => {};
        ($message:ident) => {
            pairs += compare::<corelane_protocol::$message, theirs::$message>();
        };
    }
    macro_rules! pairs {
        ($($message:ident)*) => { $(pair!($message);)* };
    }
    each_message!(pairs);
    assert!(pairs >= PAIRS_MIN, "only {pairs} pairs");
}

/// Ours alone, over every version, those included that the other crate does not know.
fn round_trip<M: Message + Sample + PartialEq + Debug>() {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        for round in 0..ROUNDS {
            let message = M::sample(&mut Fill::new(seed::<M>(version, round)), version);
            let bytes = encode(&message, version).expect("a sample fits its version");
            assert_eq!(decode::<M>(&bytes, version), Ok(message));
        }
    }
    for version in [i16::MIN, M::VERSIONS.0 - 1, M::VERSIONS.1 + 1, i16::MAX] {
        let decoded = decode::<M>(&Bytes::new(), version);
        assert_eq!(decoded, Err(DecodeError::Version(version)));
        let encoded = encode(&M::default(), version);
        assert_eq!(encoded, Err(EncodeError::Version(M::NAME, version)));
    }
}

#[test]
fn every_message_comes_back_in_every_version() {
    macro_rules! all {
        ($($message:ident)*) => { $(round_trip::<corelane_protocol::$message>();)* };
    }
    each_message!(all);
}

#[test]
fn a_field_the_version_lacks_is_dropped_only_where_kafka_says_so() {
    use corelane_protocol::{FetchRequest, MetadataResponse, metadata_response};

    let mut fetch = FetchRequest {
        rack_id: "ignorable".into(),
        ..FetchRequest::default()
    };
    let bytes = encode(&fetch, 4).unwrap();
    assert_eq!(
        decode::<FetchRequest>(&bytes, 4),
        Ok(FetchRequest::default())
    );
    fetch.forgotten_topics_data.push(Default::default());
    let absent = EncodeError::Absent("FetchRequest.ForgottenTopicsData", 6);
    assert_eq!(encode(&fetch, 6), Err(absent));

    let nameless = MetadataResponse {
        topics: vec![metadata_response::MetadataResponseTopic {
            name: None,
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(encode(&nameless, 11), Err(EncodeError::Null));
    assert!(encode(&nameless, 12).is_ok());
}
