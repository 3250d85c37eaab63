//! Random values for messages, from a seed.

use bytes::Bytes;
use corelane_protocol::{Records, SPLICE_BYTES_MIN, Str, Uuid};

/// A source of random values.
pub(crate) struct Fill(u64);

/// A value that a message of version `v` can carry.
pub(crate) trait Sample {
    fn sample(f: &mut Fill, v: i16) -> Self;
}

impl Fill {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Splitmix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
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
    fn len(&mut self) -> usize {
        match self.below(16) {
            0 => 0,
            1 => 100 + self.below(200),
            _ => 1 + self.below(9),
        }
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Sample for $type {
            fn sample(f: &mut Fill, _: i16) -> Self {
                match f.below(4) {
                    0 => 0,
                    1 => <$type>::MAX,
                    2 => (0 as $type).wrapping_sub(1),
                    _ => f.next() as $type,
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
        let len = f.len();
        let chars = ['a', 'Z', '0', '.', '_', 'é', '漢', '🦀'];
        let text: String = (0..len).map(|_| chars[f.below(chars.len())]).collect();
        text.into()
    }
}

impl Sample for Bytes {
    fn sample(f: &mut Fill, _: i16) -> Self {
        let len = f.len();
        f.bytes(len).into()
    }
}

impl Sample for Records {
    fn sample(f: &mut Fill, _: i16) -> Self {
        let parts = f.below(4);
        let mut records = Self::new();
        for _ in 0..parts {
            let len = f.len() + f.below(2) * SPLICE_BYTES_MIN;
            records.push(f.bytes(len).into());
        }
        records
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(f: &mut Fill, v: i16) -> Self {
        let len = f.below(4);
        (0..len).map(|_| f.value(v)).collect()
    }
}
