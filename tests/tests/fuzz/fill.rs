//! Values for messages at random: anything a field can carry, or what a broker that runs knows by name.

use bytes::Bytes;
use corelane_engine::batch::BatchBuilder;
use corelane_engine::rng::Rng;
use corelane_engine::types::Timestamp;
use corelane_protocol::{Records, SPLICE_BYTES_MIN, Str, Uuid};

/// Names that mean something.
const WORDS: &[&str] = &[
    "t",
    "u",
    "fresh",
    "g",
    "h",
    "__consumer_offsets",
    "consumer",
    "range",
    "",
    "cleanup.policy",
    "compact,delete",
    "retention.ms",
    "retention.bytes",
    "internal.segment.bytes",
    "1048576",
    "-1",
    "1",
    ".",
    "../x",
];

const CHARS: [char; 8] = ['a', 'Z', '0', '.', '_', 'é', '漢', '🦀'];

/// A source of random values.
pub(crate) struct Fill {
    rng: Rng,
    familiar: bool,
}

/// A value that a message of version `v` can carry.
pub(crate) trait Sample {
    fn sample(f: &mut Fill, v: i16) -> Self;
}

impl Fill {
    /// Anything.
    pub(crate) fn new(seed: u64) -> Fill {
        Fill {
            rng: Rng::new(seed),
            familiar: false,
        }
    }

    /// Mostly what a broker has a use for.
    pub(crate) fn familiar(seed: u64) -> Fill {
        Fill {
            familiar: true,
            ..Fill::new(seed)
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.rng.next_u64()
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.rng.below(end as u64) as usize
    }

    pub(crate) fn value<T: Sample>(&mut self, v: i16) -> T {
        T::sample(self, v)
    }

    pub(crate) fn maybe<T: Sample>(&mut self, v: i16, nullable: bool) -> Option<T> {
        match nullable && self.below(3) == 0 {
            true => None,
            false => Some(self.value(v)),
        }
    }

    /// Mostly short; some above what one byte of a varint can say.
    fn length(&mut self) -> usize {
        match self.below(16) {
            0 => 0,
            1 => 100 + self.below(200),
            _ => 1 + self.below(9),
        }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn integer(&mut self) -> i64 {
        match (self.familiar, self.below(8)) {
            (false, 0..2) => 0,
            (false, 2..4) => i64::MAX,
            (false, 4..6) | (true, 0) => -1,
            (true, 1..6) => self.below(4) as i64,
            (true, 6) => 1_000 + self.below(30_000) as i64,
            _ => self.next() as i64,
        }
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Sample for $type {
            fn sample(f: &mut Fill, _: i16) -> Self {
                match f.integer() {
                    i64::MAX => <$type>::MAX,
                    other => other as $type,
                }
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
        f.below(1000) as f64 / 7.0
    }
}

impl Sample for Uuid {
    fn sample(f: &mut Fill, _: i16) -> Self {
        match f.below(4) {
            0 => Self::ZERO,
            _ => Self(std::array::from_fn(|_| f.next() as u8)),
        }
    }
}

impl Sample for Str {
    fn sample(f: &mut Fill, _: i16) -> Self {
        if f.familiar && f.below(16) > 0 {
            let word = WORDS[f.below(WORDS.len())];
            return word.to_owned().into();
        }
        let length = f.length();
        let text: String = (0..length).map(|_| CHARS[f.below(CHARS.len())]).collect();
        text.into()
    }
}

impl Sample for Bytes {
    fn sample(f: &mut Fill, _: i16) -> Self {
        let length = f.length();
        f.bytes(length).into()
    }
}

impl Sample for Records {
    fn sample(f: &mut Fill, _: i16) -> Self {
        let mut records = Self::new();
        if f.familiar && f.below(8) > 0 {
            let value = vec![b'v'; f.below(12_000)];
            records.push(BatchBuilder::new().value(Timestamp(-1), &value).build());
            return records;
        }
        for _ in 0..f.below(4) {
            let length = f.length() + f.below(2) * SPLICE_BYTES_MIN;
            records.push(f.bytes(length).into());
        }
        records
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(f: &mut Fill, v: i16) -> Self {
        let length = f.below(4);
        (0..length).map(|_| f.value(v)).collect()
    }
}
