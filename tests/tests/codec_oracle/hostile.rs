//! Frames cut short, bent and lying about their lengths: always an answer, never a panic, never much memory.

use std::fmt::Debug;

use bytes::Bytes;
use corelane_protocol::{DECODE_BYTES_MAX, Message, Reader};

use crate::fill::{Fill, Sample};
use crate::sample::each_message;
use crate::{decode, encode, seed};

/// Bent copies of each message and version.
const MUTATIONS: u64 = 60;

/// A count no frame can hold, as flexible versions have it and as the others have it.
const COUNT_LIES: [&[u8]; 3] = [
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
];

/// Bytes of memory that arrays may take for each byte on the wire. The worst is a struct of two bytes on the wire
/// (KIP-482 makes empty ones so short) that is large in memory.
const MEMORY_PER_WIRE_BYTE_MAX: usize = 256;

fn cut_short<M: Message + Sample + PartialEq + Debug>() {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        let message = M::sample(&mut Fill::new(seed::<M>(version, 100)), version);
        let bytes = encode(&message, version).expect("a sample fits its version");
        for len in 0..bytes.len() {
            let cut = decode::<M>(&bytes.slice(..len), version);
            assert!(cut.is_err(), "{} {version}: {len} of {bytes:?}", M::NAME);
        }
        let longer = Bytes::from([&bytes[..], &[0]].concat());
        assert!(decode::<M>(&longer, version).is_err());
    }
}

#[test]
fn a_message_cut_anywhere_is_refused() {
    macro_rules! all {
        ($($message:ident)*) => { $(cut_short::<corelane_protocol::$message>();)* };
    }
    each_message!(all);
}

/// Whatever is made of these bytes, it took little memory; and what was understood can be said again.
fn survive<M: Message + Debug>(bytes: Vec<u8>, version: i16) {
    let len = bytes.len();
    let mut r = Reader::new(bytes.into());
    let decoded = M::decode(&mut r, version);
    let memory = DECODE_BYTES_MAX - r.budget_bytes();
    assert!(
        memory <= len * MEMORY_PER_WIRE_BYTE_MAX,
        "{} {version}: {memory} bytes of memory for {len}",
        M::NAME
    );
    if let Ok(message) = decoded {
        let said = encode(&message, version).expect("a version encodes what it decodes");
        let heard: M = decode(&said, version).expect("a version decodes what it encodes");
        // Not the messages: a float that is not a number differs from itself.
        assert_eq!(encode(&heard, version), Ok(said));
    }
}

fn bent<M: Message + Sample + Debug>() {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        let mut f = Fill::new(seed::<M>(version, 200));
        let message = M::sample(&mut f, version);
        let bytes = encode(&message, version).expect("a sample fits its version");
        if bytes.is_empty() {
            continue;
        }
        for _ in 0..MUTATIONS {
            let mut bent = bytes.to_vec();
            for _ in 0..=f.below(3) {
                let at = f.below(bent.len());
                match f.below(5) {
                    0 => bent[at] = f.next() as u8,
                    1 => bent[at] ^= 1 << f.below(8),
                    2 => bent.insert(at, f.next() as u8),
                    3 => bent[at] = [0, 1, 0x7f, 0x80, 0xff][f.below(5)],
                    _ if bent.len() > 1 => drop(bent.remove(at)),
                    _ => {}
                }
            }
            survive::<M>(bent, version);
        }
    }
}

#[test]
fn a_bent_message_is_refused_or_understood() {
    macro_rules! all {
        ($($message:ident)*) => { $(bent::<corelane_protocol::$message>();)* };
    }
    each_message!(all);
}

/// At every place where a count may be, says that more follows than any frame holds.
fn lies<M: Message + Sample + Debug>() {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        let mut f = Fill::new(seed::<M>(version, 300));
        let message = M::sample(&mut f, version);
        let bytes = encode(&message, version).expect("a sample fits its version");
        for at in 0..bytes.len().min(200) {
            for lie in COUNT_LIES {
                survive::<M>([&bytes[..at], lie].concat(), version);
            }
        }
        for lie in COUNT_LIES {
            survive::<M>(lie.to_vec(), version);
        }
    }
}

#[test]
fn a_count_beyond_the_frame_takes_no_memory() {
    macro_rules! all {
        ($($message:ident)*) => { $(lies::<corelane_protocol::$message>();)* };
    }
    each_message!(all);
}
