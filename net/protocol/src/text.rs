//! A string on the wire: UTF-8 bytes that were checked once and may be a slice of the receive buffer.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;

/// A cheaply cloned UTF-8 string.
///
/// One that was decoded keeps the whole receive buffer alive: call [`Str::detached`] before storing it. Comparing and
/// ordering work on the bytes, in the same order as `str`. Viewing it as `str` checks the UTF-8 again, because safe
/// code has no other way: fine for names, not for loops over bytes ([`Str::as_bytes`] is free).
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Str(Bytes);

impl Str {
    /// The empty string. Does not allocate.
    pub const fn new() -> Self {
        Self(Bytes::new())
    }

    /// A string that lives in the program. Does not allocate.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Takes `bytes` as a string if they are UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Option<Self> {
        std::str::from_utf8(&bytes).is_ok().then_some(Self(bytes))
    }

    /// The string as `str`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when it was made")
    }

    /// The bytes of the string.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes of the string, shared.
    pub fn bytes_shared(&self) -> Bytes {
        self.0.clone()
    }

    /// A copy with memory of its own, which keeps no receive buffer alive.
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Hash for Str {
    // As `str` hashes, so that a map keyed by `Str` can be asked with a `&str`.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn only_utf8_becomes_a_string() {
        assert_eq!(Str::from_utf8(Bytes::from_static(b"\xff")), None);
        assert_eq!(
            Str::from_utf8(Bytes::from_static("ä".as_bytes())).unwrap(),
            "ä"
        );
    }

    #[test]
    fn a_map_keyed_by_it_is_asked_with_str() {
        let map = BTreeMap::from([(Str::from("a"), 1), (Str::from_static("b"), 2)]);
        assert_eq!(map.get("b"), Some(&2));
    }

    #[test]
    fn a_detached_copy_leaves_the_buffer() {
        let buffer = Bytes::from(vec![b'x'; 100]);
        let text = Str::from_utf8(buffer.slice(..3)).unwrap();
        let copy = text.detached();
        drop(text);
        assert!(buffer.is_unique());
        assert_eq!(copy, "xxx");
    }
}
