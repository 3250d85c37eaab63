//! What comes from sockets before anybody decides anything: frames, varints, every message, what consumers say in their own.

use bytes::{Buf, Bytes, BytesMut};
use corelane_engine::batch::walk::{Slice, Step, walk};
use corelane_engine::group::records::subscribed_topics;
use corelane_engine::rng::Rng;
use corelane_net::frame::{
    Buffers, FIRST_STEP_BYTES, FrameError, Frames, SMALL_FRAME_BYTES_MAX, Want,
};
use corelane_protocol::{ConsumerProtocolSubscription, Message, Reader, Writer};

use crate::fill::{Fill, Sample};
use crate::sample::each_api;
use crate::target::{Memory, Target, USUAL, word, word_of};

/// What a message may take for each of its bytes: its arrays (the least struct is two bytes on the wire), and it is decoded
/// twice and written twice.
const MESSAGE: Memory = Memory {
    fixed: 16 << 10,
    per_byte: 600,
};

#[test]
fn request_any() {
    Target {
        name: "request_any",
        memory: MESSAGE,
        generate: &|rng| sound(rng, true),
        check: &|input| understood(input, true),
        ..USUAL
    }
    .run();
}

#[test]
fn response_any() {
    Target {
        name: "response_any",
        memory: MESSAGE,
        generate: &|rng| sound(rng, false),
        check: &|input| understood(input, false),
        ..USUAL
    }
    .run();
}

/// `key`, `version` above the first, then the body.
fn sound(rng: &mut Rng, request: bool) -> Vec<u8> {
    fn encoded<M: Message + Sample>(key: u8, rng: &mut Rng) -> Vec<u8> {
        let above = rng.below(versions::<M>()) as u8;
        let version = M::VERSIONS.0 + i16::from(above);
        let message = M::sample(&mut Fill::new(rng.next_u64()), version);
        let mut bytes = vec![key, above];
        bytes.extend_from_slice(&said(&message, version));
        bytes
    }
    macro_rules! by_key {
        ($($key:literal $request:ident $response:ident)*) => {{
            const KEYS: &[u8] = &[$($key),*];
            let key = KEYS[rng.below(KEYS.len() as u64) as usize];
            match (key, request) {
                $(($key, true) => encoded::<corelane_protocol::$request>(key, rng),)*
                $(($key, false) => encoded::<corelane_protocol::$response>(key, rng),)*
                (key, _) => unreachable!("{key} is in the list"),
            }
        }};
    }
    each_api!(by_key)
}

fn versions<M: Message>() -> u64 {
    u64::try_from(M::VERSIONS.1 - M::VERSIONS.0 + 1).expect("the last is not below the first")
}

fn said<M: Message>(message: &M, version: i16) -> Bytes {
    let mut writer = Writer::plain();
    message
        .encode(&mut writer, version)
        .expect("a version says what it understands");
    writer.into_bytes()
}

/// Refused, or understood: then it can be said again, and is understood as the same.
fn understood(input: &[u8], request: bool) -> u64 {
    fn one<M: Message + PartialEq>(above: u8, body: &[u8]) -> u64 {
        let version = M::VERSIONS.0 + (u64::from(above) % versions::<M>()) as i16;
        let mut reader = Reader::new(Bytes::copy_from_slice(body));
        match M::decode(&mut reader, version) {
            Ok(message) => {
                let again = said(&message, version);
                let mut reader = Reader::new(again.clone());
                let heard = M::decode(&mut reader, version)
                    .unwrap_or_else(|e| panic!("{} {version}: {e} of its own", M::NAME));
                assert_eq!(said(&heard, version), again, "{} {version}", M::NAME);
                // A float that is not a number differs from itself: then the bytes alone can tell.
                let is_itself = |message: &M| PartialEq::eq(message, message);
                assert!(
                    heard == message || !is_itself(&message),
                    "{} {version}: what is said is something else",
                    M::NAME
                );
                assert_eq!(reader.remaining(), 0, "{} {version}", M::NAME);
                word(&[version as u64, 0, u64::from(again.is_empty())])
            }
            Err(error) => word(&[version as u64, word_of(&error)]),
        }
    }
    let [key, above, body @ ..] = input else {
        return 0;
    };
    macro_rules! by_key {
        ($($key:literal $request:ident $response:ident)*) => {
            match (*key, request) {
                $(($key, true) => one::<corelane_protocol::$request>(*above, body),)*
                $(($key, false) => one::<corelane_protocol::$response>(*above, body),)*
                _ => return 0,
            }
        };
    }
    word(&[u64::from(*key), each_api!(by_key)])
}

#[test]
fn varint() {
    Target {
        name: "varint",
        memory: Memory {
            fixed: 4 << 10,
            per_byte: 4,
        },
        bytes_max: 64,
        generate: &|rng| {
            let mut bytes = Vec::new();
            let shift = rng.below(64);
            corelane_tests::harness::records::varint(&mut bytes, (rng.next_u64() >> shift) as i64);
            bytes
        },
        check: &|input| word(&[unsigned_varint(input), record_varint(input)]),
        ..USUAL
    }
    .run();
}

/// Beside the arithmetic written plainly: at most five bytes, the fifth within 32 bits.
fn unsigned_varint(input: &[u8]) -> u64 {
    let mut reader = Reader::new(Bytes::copy_from_slice(input));
    let got = reader.uvarint();
    let end = input.iter().take(5).position(|byte| byte & 0x80 == 0);
    let expected = end.and_then(|end| {
        let groups = input[..=end].iter().rev();
        let value = groups.fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
        u32::try_from(value).ok().map(|value| (value, end + 1))
    });
    match (got, expected) {
        (Ok(value), Some((right, length))) => {
            assert_eq!((value, reader.remaining()), (right, input.len() - length));
            let mut writer = Writer::plain();
            writer.uvarint(value);
            let mut reader = Reader::new(writer.into_bytes());
            assert_eq!(reader.uvarint(), Ok(value), "said again");
            length as u64
        }
        (Err(error), None) => 100 + word_of(&error),
        (got, expected) => panic!("{got:?}, it is {expected:?}"),
    }
}

/// The timestamp of a record: zigzag, at most ten bytes.
fn record_varint(input: &[u8]) -> u64 {
    let end = input.iter().take(10).position(|byte| byte & 0x80 == 0);
    let length = end.map_or(input.len().min(10), |end| end + 1);
    // Attributes, timestamp, offset 0, no key, no value, no headers.
    let record = [&[0], &input[..length], &[0, 1, 1, 0]].concat();
    let bytes = [&[2 * record.len() as u8][..], &record].concat();
    let mut seen = None;
    let walked = walk(&mut Slice::new(&bytes), 1, |record| {
        seen = Some(record.timestamp_delta);
        Ok(Step::On)
    });
    // Above 64 bits the last byte's are lost, as in Kafka.
    let expected = end.map(|end| {
        let groups = input[..=end].iter().enumerate();
        let value = groups.fold(0_u64, |value, (at, byte)| {
            value | (u64::from(byte & 0x7f)) << (7 * at)
        });
        ((value >> 1) as i64) ^ -((value & 1) as i64)
    });
    match (walked, expected) {
        (Ok(()), Some(right)) => {
            assert_eq!(seen, Some(right));
            length as u64
        }
        (Err(error), None) => word_of(&error),
        (walked, expected) => panic!("{walked:?} {seen:?}, it is {expected:?}"),
    }
}

const FRAME_BYTES_MAX: usize = 256 << 10;

#[test]
fn frame() {
    Target {
        name: "frame",
        // One step beyond what came, of a large and of a small frame; the bytes here, in the input, and joined.
        memory: Memory {
            fixed: 2 * FIRST_STEP_BYTES as u64,
            per_byte: 16,
        },
        bytes_max: 80 << 10,
        generate: &|rng| {
            let mut bytes = rng.next_u64().to_be_bytes().to_vec();
            for _ in 0..rng.below(6) {
                let length = match rng.below(8) {
                    0 => SMALL_FRAME_BYTES_MAX as u64 - 2 + rng.below(5),
                    1 => 4_000 + rng.below(200),
                    _ => 1 + rng.below(100),
                };
                bytes.extend_from_slice(&(length as u32).to_be_bytes());
                bytes.resize(bytes.len() + length as usize, rng.next_u64() as u8);
            }
            bytes
        },
        check: &frames_of,
        ..USUAL
    }
    .run();
}

/// Frames come out as they lie in the bytes, wherever these are split; a wrong size ends it; nothing stays charged.
fn frames_of(input: &[u8]) -> u64 {
    let Some((seed, mut rest)) = input.split_first_chunk::<8>() else {
        return 0;
    };
    let mut rng = Rng::new(u64::from_be_bytes(*seed));
    let mut buffers = Buffers::new(FRAME_BYTES_MAX, 1 << 20, 4 << 20, 1 << 20, 0);
    let mut frames = Frames::default();
    let mut expected = expected(rest);
    let mut came = 0;
    let word = loop {
        match frames.next(&mut buffers) {
            Ok(Some(frame)) => {
                let right = expected.next().expect("no frame more than there are");
                assert_eq!(Ok(&frame.bytes[..]), right);
                buffers.release(frame.charge);
                came += 1;
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                assert_eq!(expected.next(), Some(Err(error)));
                break word_of(&error);
            }
        }
        if rest.is_empty() {
            assert_eq!(expected.next(), None, "a whole frame is there");
            break 1 + u64::from(frames.midway().is_some());
        }
        match frames.want(&buffers) {
            Want::Pooled => {
                let count = (1 + rng.below(9_000) as usize).min(rest.len());
                frames.on_received(BytesMut::from(&rest[..count]));
                rest.advance(count);
            }
            Want::Into(mut buffer) => {
                let room = buffer.capacity() - buffer.len();
                assert!(room > 0, "no room to receive into");
                let count = (1 + rng.below(room as u64) as usize).min(rest.len());
                buffer.extend_from_slice(&rest[..count]);
                frames.on_received_into(buffer);
                rest.advance(count);
            }
            Want::Memory => panic!("the budget holds a frame"),
        }
    };
    frames.close(&mut buffers);
    assert_eq!(buffers.charged(), 0, "charged to nobody");
    crate::target::word(&[word, came])
}

/// The frames of the bytes, read plainly.
fn expected(mut rest: &[u8]) -> impl Iterator<Item = Result<&[u8], FrameError>> {
    std::iter::from_fn(move || {
        let (size, body) = rest.split_first_chunk::<4>()?;
        let size = i32::from_be_bytes(*size);
        match usize::try_from(size) {
            Err(_) => Some(Err(FrameError::Negative(size))),
            Ok(0) => Some(Err(FrameError::Empty)),
            Ok(bytes) if bytes > FRAME_BYTES_MAX => Some(Err(FrameError::TooLarge {
                bytes,
                max: FRAME_BYTES_MAX,
            })),
            Ok(bytes) => {
                let (frame, after) = body.split_at_checked(bytes)?;
                rest = after;
                Some(Ok(frame))
            }
        }
    })
}

#[test]
fn consumer_protocol() {
    Target {
        name: "consumer_protocol",
        memory: Memory {
            fixed: 8 << 10,
            per_byte: 64,
        },
        generate: &|rng| {
            let version = rng.below(4) as i16;
            let message =
                ConsumerProtocolSubscription::sample(&mut Fill::new(rng.next_u64()), version);
            [&version.to_be_bytes()[..], &said(&message, version)].concat()
        },
        check: &|input| {
            let topics = subscribed_topics(&Bytes::copy_from_slice(input));
            let Some((version, body)) = input.split_first_chunk::<2>() else {
                assert!(topics.is_err());
                return 0;
            };
            let version = i16::from_be_bytes(*version);
            // Every version begins as version 0 does.
            let mut reader = Reader::new(Bytes::copy_from_slice(body));
            let codec = ConsumerProtocolSubscription::decode(&mut reader, 0);
            if let (Ok(codec), 0..) = (&codec, version) {
                let names = codec.topics.iter().map(|topic| topic.as_str().to_owned());
                assert_eq!(topics, Ok(names.collect()), "the codec understands it");
            }
            assert!(topics.is_err() || version >= 0);
            word(&[
                word_of(&topics.map(|t| t.len().min(3))),
                word_of(&codec.map(|_| ())),
            ])
        },
        ..USUAL
    }
    .run();
}
