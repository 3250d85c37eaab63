//! Memory of one shard for answers: what fetches read and what peers have not taken.
//!
//! ```text
//!  fetch ── asks for as much as there is room, one batch at least ──► read ──► unsent ──► gone
//!  no room: one fetch a connection · short of room: peers that take nothing for a while are closed
//! ```
//!
//! A connection bounds its own answers; a thousand of them together are bounded here.

/// Per shard.
#[derive(Debug)]
pub struct Answers {
    bytes: usize,
    max: usize,
}

impl Answers {
    pub fn new(max: usize) -> Answers {
        Answers { bytes: 0, max }
    }

    /// How much more may be read.
    pub fn room(&self) -> usize {
        self.max.saturating_sub(self.bytes)
    }

    /// Whether who takes nothing should make room for others.
    pub fn is_short(&self) -> bool {
        self.room() < self.max / 4
    }

    /// What somebody held of it was `before` and is `after`.
    pub fn change(&mut self, before: usize, after: usize) {
        assert!(before <= self.bytes, "{before} of {} bytes", self.bytes);
        self.bytes = self.bytes - before + after;
    }

    /// What is held now.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
