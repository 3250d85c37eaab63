//! Kafka's 16-byte identifiers.

use std::fmt;

/// A 16-byte identifier of a topic, directory or client; all zero means none.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// The identifier that means none.
    pub const ZERO: Self = Self([0; 16]);

    /// Whether this means none.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

// URL-safe base64 without padding, as Kafka's tools print ids.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let value = u128::from_be_bytes(self.0);
        for digit in 0..22 {
            // 22 digits carry 132 bits; the last digit is padded with four zero bits.
            let bits = match 122_u32.checked_sub(6 * digit) {
                Some(shift) => value >> shift,
                None => value << 4,
            };
            let index = usize::try_from(bits & 63).expect("six bits");
            write!(f, "{}", char::from(DIGITS[index]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_kafka_does() {
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Uuid([0xff; 16]).to_string(), "_____________________w");
        let counted: [u8; 16] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(Uuid(counted).to_string(), "AAECAwQFBgcICQoLDA0ODw");
    }
}
