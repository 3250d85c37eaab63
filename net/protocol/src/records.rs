//! Record batches inside a message: bytes in one or more parts, never looked into and never copied.

use bytes::Bytes;

/// The value of a `records` field. Decoded, it is one slice of the receive buffer; to be encoded, it may hold many
/// parts, which go out one after the other. One part needs no allocation.
#[derive(Debug, Clone, Default)]
pub struct Records {
    first: Bytes,
    rest: Vec<Bytes>,
}

impl Records {
    /// No bytes: what Kafka answers when there is nothing to read.
    pub const fn new() -> Self {
        Self {
            first: Bytes::new(),
            rest: Vec::new(),
        }
    }

    /// Adds a part behind those there are. Empty parts are dropped.
    pub fn push(&mut self, part: Bytes) {
        if self.first.is_empty() {
            self.first = part;
        } else if !part.is_empty() {
            self.rest.push(part);
        }
    }

    /// Bytes in all parts.
    pub fn len(&self) -> usize {
        self.parts().map(Bytes::len).sum()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The parts, in order; none of them is empty.
    pub fn parts(&self) -> impl Iterator<Item = &Bytes> {
        let first = (!self.first.is_empty()).then_some(&self.first);
        first.into_iter().chain(&self.rest)
    }

    /// The bytes in one piece; copies only when there are several parts.
    pub fn to_bytes(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.first.clone();
        }
        let mut all = Vec::with_capacity(self.len());
        for part in self.parts() {
            all.extend_from_slice(part);
        }
        all.into()
    }
}

// By content: how the bytes are cut into parts is not part of the message.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .parts()
                .flatten()
                .zip(other.parts().flatten())
                .all(|(a, b)| a == b)
    }
}

impl Eq for Records {}

impl From<Bytes> for Records {
    fn from(part: Bytes) -> Self {
        Self {
            first: part,
            rest: Vec::new(),
        }
    }
}

impl FromIterator<Bytes> for Records {
    fn from_iter<I: IntoIterator<Item = Bytes>>(parts: I) -> Self {
        let mut records = Self::new();
        for part in parts {
            records.push(part);
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_by_content() {
        let cut: Records = ["ab", "", "c"].map(Bytes::from).into_iter().collect();
        assert_eq!(cut, Records::from(Bytes::from("abc")));
        assert_ne!(cut, Records::from(Bytes::from("abd")));
        assert_eq!(cut.parts().count(), 2);
        assert_eq!(cut.to_bytes(), "abc");
        assert_eq!(cut.len(), 3);
    }
}
