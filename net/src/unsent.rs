//! Answers of one connection on their way to its socket, and what becomes of those that the peer does not take.
//!
//! ```text
//!  answers ─► shared ─ send ─► in the kernel's hands ─ Sent ─► gone                      a peer that reads: no copy
//!                ▲                    │ nothing taken for SLOW: Recall
//!                └──── Recalled ◄─────┘
//!             shared ─ copy, a little each pass ─► own ─ send, piece by piece ─► gone    one that does not
//! ```
//!
//! Records leave as slices of the log's memory, which is used again only when nobody holds a slice of it: a peer that
//! leaves its answers in the socket (a consumer between two polls does) must not keep it for long. Per connection.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use corelane_engine::types::Instant;

/// What a peer has not taken after so long is copied.
pub const SLOW: Duration = Duration::from_secs(1);
/// A copied answer is copied and sent in pieces of this size: whether the peer takes anything is seen by them.
const PIECE_BYTES: usize = 256 << 10;

#[derive(Debug, Default)]
pub struct Unsent {
    /// The connection's own memory; leaves first.
    own: VecDeque<Bytes>,
    /// Slices of memory that others use, or are to use again.
    shared: VecDeque<Bytes>,
    sending: Sending,
    /// Of both queues and of what is being sent.
    bytes: usize,
    /// What is shared is being copied: it is not sent before.
    copying: bool,
    /// The peer took something since it was looked at.
    moved: bool,
    /// Since when it was seen to take nothing.
    stuck_since: Option<Instant>,
}

/// What is in the kernel's hands, with its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Sending {
    #[default]
    Nothing,
    Own(usize),
    Shared(usize),
}

/// What a look at a connection finds, [`SLOW`] after the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// Nothing is left.
    Gone,
    /// The peer reads.
    Moves,
    Stuck,
}

impl Unsent {
    /// Bytes that the peer has not taken.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn push(&mut self, parts: Vec<Bytes>) {
        self.bytes += parts.iter().map(Bytes::len).sum::<usize>();
        self.shared.extend(parts);
    }

    /// What to send now.
    pub fn send(&mut self) -> Option<Vec<Bytes>> {
        if self.sending != Sending::Nothing {
            return None;
        }
        if !self.own.is_empty() {
            let parts = self.piece();
            self.sending = Sending::Own(length(&parts));
            return Some(parts);
        }
        if self.copying || self.shared.is_empty() {
            return None;
        }
        let parts = Vec::from(std::mem::take(&mut self.shared));
        self.sending = Sending::Shared(length(&parts));
        Some(parts)
    }

    /// The next piece of the connection's own memory.
    fn piece(&mut self) -> Vec<Bytes> {
        let mut parts = Vec::new();
        let mut left = PIECE_BYTES;
        while left > 0
            && let Some(front) = self.own.front_mut()
        {
            let part = front.split_to(front.len().min(left));
            left -= part.len();
            if front.is_empty() {
                self.own.pop_front();
            }
            parts.push(part);
        }
        parts
    }

    /// All of it was taken by the kernel.
    pub fn on_sent(&mut self) {
        self.bytes -= match std::mem::take(&mut self.sending) {
            Sending::Own(bytes) | Sending::Shared(bytes) => bytes,
            Sending::Nothing => panic!("sent what was not being sent"),
        };
        self.moved = true;
    }

    /// What the kernel had not taken is given back.
    pub fn on_recalled(&mut self, parts: Vec<Bytes>) {
        let left = length(&parts);
        let sent = match std::mem::take(&mut self.sending) {
            Sending::Shared(bytes) => {
                assert!(self.own.is_empty(), "shared parts left before own ones");
                parts
                    .into_iter()
                    .rev()
                    .for_each(|part| self.shared.push_front(part));
                bytes - left
            }
            Sending::Own(bytes) => {
                parts
                    .into_iter()
                    .rev()
                    .for_each(|part| self.own.push_front(part));
                bytes - left
            }
            Sending::Nothing => panic!("recalled what was not being sent"),
        };
        self.bytes -= sent;
        self.moved |= sent > 0;
        self.copying |= !self.shared.is_empty();
    }

    /// Looks whether the peer takes what it is sent. Only every [`SLOW`].
    pub fn look(&mut self, now: Instant) -> Look {
        if self.bytes == 0 {
            self.stuck_since = None;
            return Look::Gone;
        }
        if std::mem::take(&mut self.moved) {
            self.stuck_since = None;
            return Look::Moves;
        }
        self.stuck_since.get_or_insert(now);
        // Behind what is being sent; that itself must be recalled first.
        self.copying |= !self.shared.is_empty() && !self.must_recall();
        Look::Stuck
    }

    /// Since when the peer has taken nothing.
    pub fn stuck_since(&self) -> Option<Instant> {
        self.stuck_since
    }

    /// Whether what is being sent is memory that others wait for.
    pub fn must_recall(&self) -> bool {
        matches!(self.sending, Sending::Shared(_))
    }

    /// Whether there is something to copy.
    pub fn is_copying(&self) -> bool {
        self.copying
    }

    /// Copies about `bytes` of what is shared. Returns how much it was.
    pub fn copy(&mut self, bytes: usize) -> usize {
        assert!(!self.must_recall(), "own parts would overtake shared ones");
        let mut copied = 0;
        let mut piece = BytesMut::new();
        while self.copying && copied < bytes {
            let Some(mut part) = self.shared.pop_front() else {
                self.copying = false;
                break;
            };
            if part.is_unique() {
                self.own.extend(full(&mut piece));
                self.own.push_back(part);
                continue;
            }
            let head = part.split_to(part.len().min(PIECE_BYTES - piece.len()));
            piece.extend_from_slice(&head);
            copied += head.len();
            if !part.is_empty() {
                self.shared.push_front(part);
            }
            if piece.len() == PIECE_BYTES {
                self.own.extend(full(&mut piece));
            }
        }
        self.own.extend(full(&mut piece));
        copied
    }
}

/// Copies those of `parts` that others have a handle of too. Returns how many bytes it were.
pub fn copy_all(parts: &mut [Bytes]) -> usize {
    let mut copied = 0;
    for part in parts.iter_mut().filter(|part| !part.is_unique()) {
        *part = Bytes::copy_from_slice(part);
        copied += part.len();
    }
    copied
}

fn full(piece: &mut BytesMut) -> Option<Bytes> {
    (!piece.is_empty()).then(|| std::mem::take(piece).freeze())
}

fn length(parts: &[Bytes]) -> usize {
    parts.iter().map(Bytes::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use corelane_engine::rng::Rng;

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    /// Some parts of a memory that somebody else keeps.
    fn parts(memory: &Bytes, from: usize, lengths: &[usize]) -> Vec<Bytes> {
        let mut from = from;
        let cut = |length: &usize| {
            from += length;
            memory.slice(from - length..from)
        };
        lengths.iter().map(cut).collect()
    }

    #[test]
    fn a_peer_that_reads_gets_what_was_given() {
        let memory = Bytes::from(vec![1; 3 << 20]);
        let mut unsent = Unsent::default();
        for turn in 0..5 {
            unsent.push(parts(&memory, 0, &[600, 2 << 20]));
            let sent = unsent.send().expect("something to send");
            assert_eq!(
                sent[1].as_ptr(),
                memory[600..].as_ptr(),
                "shared, not copied"
            );
            assert!(unsent.send().is_none());
            unsent.on_sent();
            assert_eq!(unsent.look(at(turn)), Look::Gone);
        }
    }

    #[test]
    fn what_a_peer_does_not_take_is_recalled_and_copied() {
        let memory = Bytes::from((0..3 << 20).map(|i| (i / 251) as u8).collect::<Vec<_>>());
        let mut unsent = Unsent::default();
        unsent.push(parts(&memory, 0, &[600, 1 << 20]));
        let mut sent = unsent.send().expect("something to send");
        unsent.push(parts(&memory, 600 + (1 << 20), &[1000; 700]));
        assert_eq!(unsent.look(at(1)), Look::Stuck);
        assert!(unsent.must_recall() && !unsent.is_copying());
        // The kernel had taken a little.
        let mut received = sent.remove(0).to_vec();
        received.extend(sent[0].split_to(1000));
        unsent.on_recalled(sent);
        assert_eq!(unsent.look(at(2)), Look::Moves);
        assert!(unsent.send().is_none(), "not before it is copied");
        let mut steps = 0;
        while unsent.is_copying() {
            assert!(unsent.copy(300 << 10) < 600 << 10, "a little each time");
            steps += 1;
        }
        assert!(steps > 3);
        let all = 600 + (1 << 20) + 700_000;
        assert_eq!(unsent.bytes(), all - received.len());
        let expected = memory.slice(..all);
        assert!(memory.slice(..).len() > all);
        drop(memory);
        assert_eq!(unsent.look(at(3)), Look::Stuck);
        assert!(!unsent.must_recall());
        while let Some(parts) = unsent.send() {
            assert!(length(&parts) <= PIECE_BYTES);
            let inside = |part: &Bytes| expected.as_ptr_range().contains(&part.as_ptr());
            assert!(!parts.iter().any(inside), "a part is still shared");
            received.extend(parts.concat());
            unsent.on_sent();
        }
        assert!(received == expected);
        assert_eq!(unsent.look(at(4)), Look::Gone);
    }

    #[test]
    fn no_byte_is_lost_or_overtaken() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let memory: Bytes = (0..4 << 20).map(|i| (i / 997) as u8).collect();
            let mut unsent = Unsent::default();
            let (mut pushed, mut received) = (0, Vec::new());
            let mut kernel: Option<Vec<Bytes>> = None;
            for turn in 0..60 {
                match rng.below(6) {
                    0 | 1 if pushed < 3 << 20 => {
                        let length = 1 + rng.below(300 << 10) as usize;
                        let part = parts(&memory, pushed, &[length]);
                        pushed += length;
                        // Sometimes nobody else has it.
                        unsent.push(match rng.one_in(4) {
                            true => vec![Bytes::copy_from_slice(&part[0])],
                            false => part,
                        });
                    }
                    2 => {
                        if let Some(parts) = unsent.send() {
                            assert!(kernel.replace(parts).is_none());
                        }
                    }
                    3 => {
                        if let Some(parts) = kernel.take() {
                            received.extend(parts.concat());
                            unsent.on_sent();
                        }
                    }
                    4 => {
                        unsent.look(at(turn));
                        if unsent.must_recall()
                            && let Some(mut parts) = kernel.take()
                        {
                            let taken = rng.below(parts[0].len() as u64) as usize;
                            received.extend(parts[0].split_to(taken));
                            unsent.on_recalled(parts);
                        }
                    }
                    _ => {
                        if unsent.is_copying() {
                            unsent.copy(1 + rng.below(500 << 10) as usize);
                        }
                    }
                }
                assert_eq!(pushed - received.len(), unsent.bytes(), "seed {seed}");
            }
            loop {
                if let Some(parts) = kernel.take() {
                    received.extend(parts.concat());
                    unsent.on_sent();
                }
                if unsent.is_copying() {
                    unsent.copy(1 << 20);
                }
                match unsent.send() {
                    Some(parts) => kernel = Some(parts),
                    None => break,
                }
            }
            assert!(received == memory[..pushed], "seed {seed}");
        }
    }
}
