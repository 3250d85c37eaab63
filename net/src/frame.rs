//! Whole request frames out of the bytes of one connection.
//!
//! ```text
//!  Received ──► input ──┬─ whole frame ────────────► a slice of the receive buffer, no copy
//!                       └─ split frame ► joining ──► one buffer of its own
//!                              small: filled from further pooled receives
//!                              large: filled by ReceivedInto; grows in steps, as bytes arrive and as memory allows
//! ```
//!
//! A size is a claim: what is allocated for it is at most [`FIRST_STEP_BYTES`], until as much has really come.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Frames up to this size are joined from pooled receives, and charged to the small budget.
pub const SMALL_FRAME_BYTES_MAX: usize = 64 << 10;
/// The first buffer of a large frame: a produce of one batch of the default `max.message.bytes` fits.
pub const FIRST_STEP_BYTES: usize = (1 << 20) + (64 << 10);
/// Buffers at least this large are kept for the next frame: fresh memory costs a host fault per page.
const RECYCLE_BYTES_MIN: usize = 256 << 10;
/// Handles of given-out frames that are watched for their return.
const LENT_MAX: usize = 256;

/// Why a connection's bytes cannot be cut into frames. Kafka's InvalidReceiveException: the connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    #[error("frame of negative size {0}")]
    Negative(i32),
    #[error("empty frame")]
    Empty,
    #[error("frame of {bytes} bytes is larger than {max}")]
    TooLarge { bytes: usize, max: usize },
}

/// Memory of one shard for requests that were received and not yet answered.
#[derive(Debug)]
pub struct Buffers {
    frame_bytes_max: usize,
    small: Budget,
    large: Budget,
    /// One frame at a time may exceed the large budget, so that many half-received frames cannot lock each other out.
    overdrawn: bool,
    idle: Vec<BytesMut>,
    idle_bytes: usize,
    idle_bytes_max: usize,
    /// One more handle of each recyclable frame given out: once it is the only one, the buffer is idle again.
    lent: VecDeque<Bytes>,
}

#[derive(Debug)]
struct Budget {
    charged: usize,
    max: usize,
}

/// What a frame was charged, until its request is answered. Give it back with [`Buffers::release`].
#[derive(Debug, PartialEq, Eq, Default)]
#[must_use = "a lost charge shrinks the budget for ever"]
pub struct Charge {
    small: usize,
    large: usize,
    overdraft: bool,
}

impl Buffers {
    /// Budgets in bytes: frames up to [`SMALL_FRAME_BYTES_MAX`], larger ones, and idle buffers kept for reuse.
    pub fn new(
        frame_bytes_max: usize,
        small_bytes: usize,
        large_bytes: usize,
        idle_bytes: usize,
    ) -> Buffers {
        let budget = |max| Budget { charged: 0, max };
        Buffers {
            frame_bytes_max,
            small: budget(small_bytes),
            large: budget(large_bytes),
            overdrawn: false,
            idle: Vec::new(),
            idle_bytes: 0,
            idle_bytes_max: idle_bytes,
            lent: VecDeque::new(),
        }
    }

    /// Whether another pooled receive may begin.
    pub fn has_room(&self) -> bool {
        self.small.charged < self.small.max
    }

    /// Bytes charged now, small and large.
    pub fn charged(&self) -> usize {
        self.small.charged + self.large.charged
    }

    /// The request was answered or dropped.
    pub fn release(&mut self, charge: Charge) {
        assert!(charge.small <= self.small.charged && charge.large <= self.large.charged);
        self.small.charged -= charge.small;
        self.large.charged -= charge.large;
        self.overdrawn &= !charge.overdraft;
    }

    fn charge_small(&mut self, bytes: usize) -> Charge {
        self.small.charged += bytes;
        Charge {
            small: bytes,
            ..Charge::default()
        }
    }

    /// Raises a large frame's charge to `bytes`; false: not now.
    fn raise(&mut self, charge: &mut Charge, bytes: usize) -> bool {
        let more = bytes.saturating_sub(charge.large);
        if self.large.charged + more > self.large.max && !charge.overdraft {
            if self.overdrawn {
                return false;
            }
            self.overdrawn = true;
            charge.overdraft = true;
        }
        self.large.charged += more;
        charge.large += more;
        true
    }

    /// An empty buffer of at least `bytes` capacity: the smallest idle one that fits, else a new one.
    fn take(&mut self, bytes: usize) -> BytesMut {
        self.reclaim();
        let best = (0..self.idle.len())
            .filter(|&i| self.idle[i].capacity() >= bytes)
            .min_by_key(|&i| self.idle[i].capacity());
        match best {
            Some(i) => {
                let buffer = self.idle.swap_remove(i);
                self.idle_bytes -= buffer.capacity();
                buffer
            }
            None => BytesMut::with_capacity(bytes),
        }
    }

    /// Capacity of the largest idle buffer.
    fn idle_largest(&mut self) -> usize {
        self.reclaim();
        self.idle
            .iter()
            .map(BytesMut::capacity)
            .max()
            .unwrap_or_default()
    }

    fn put(&mut self, mut buffer: BytesMut) {
        buffer.clear();
        let bytes = buffer.capacity();
        if bytes >= RECYCLE_BYTES_MIN && self.idle_bytes + bytes <= self.idle_bytes_max {
            self.idle_bytes += bytes;
            self.idle.push(buffer);
        }
    }

    fn lend(&mut self, frame: &Bytes) {
        if frame.len() >= RECYCLE_BYTES_MIN {
            if self.lent.len() == LENT_MAX {
                self.lent.pop_front();
            }
            self.lent.push_back(frame.clone());
        }
    }

    /// Buffers whose frame nobody holds any more become idle. They return nearly in order, so this stops at the first
    /// few that did not.
    fn reclaim(&mut self) {
        let mut held = 0;
        let mut i = 0;
        while i < self.lent.len() && held < 16 {
            if !self.lent[i].is_unique() {
                held += 1;
                i += 1;
                continue;
            }
            let frame = self.lent.remove(i).expect("i is below the length");
            if let Ok(buffer) = frame.try_into_mut() {
                self.put(buffer);
            }
        }
    }
}

/// A request frame without its size.
#[derive(Debug)]
pub struct Frame {
    pub bytes: Bytes,
    pub charge: Charge,
}

/// What a connection can receive next.
#[derive(Debug)]
pub enum Want {
    /// Whatever comes, into a pooled buffer.
    Pooled,
    /// The rest of a large frame. Nothing beyond the frame's end fits.
    Into(BytesMut),
    /// Nothing: the shard's budget is used up. Ask again when a request was answered.
    Memory,
}

/// The assembler of one connection.
#[derive(Debug, Default)]
pub struct Frames {
    input: BytesMut,
    prefix: [u8; 4],
    prefix_bytes: usize,
    joining: Option<Joining>,
}

#[derive(Debug)]
struct Joining {
    frame_bytes: usize,
    buffer: BytesMut,
    charge: Charge,
}

impl Joining {
    fn large(&self) -> bool {
        self.frame_bytes > SMALL_FRAME_BYTES_MAX
    }

    /// Room in the buffer up to the frame's end.
    fn spare(&self) -> usize {
        self.buffer.capacity().min(self.frame_bytes) - self.buffer.len()
    }

    /// Makes room where there is none; false: the budget does not allow it now.
    fn grow(&mut self, buffers: &mut Buffers) -> bool {
        if self.buffer.capacity() >= self.frame_bytes || self.spare() > 0 {
            return true;
        }
        let step = (self.buffer.capacity() * 2).max(FIRST_STEP_BYTES);
        // What is idle is allocated already: the claim may be believed that far.
        let step = step.max(buffers.idle_largest()).min(self.frame_bytes);
        if !buffers.raise(&mut self.charge, step) {
            return false;
        }
        let mut larger = buffers.take(step);
        larger.extend_from_slice(&self.buffer);
        buffers.put(std::mem::replace(&mut self.buffer, larger));
        true
    }
}

impl Frames {
    /// Bytes of a pooled receive. Only after [`Frames::next`] has said that there is no further frame.
    pub fn on_received(&mut self, bytes: BytesMut) {
        assert!(self.input.is_empty(), "received over unread bytes");
        self.input = bytes;
    }

    /// The buffer that [`Want::Into`] gave out, longer by what came.
    pub fn on_received_into(&mut self, buffer: BytesMut) {
        let joining = self.joining.as_mut().expect("a large frame was asked for");
        assert!(buffer.len() <= joining.frame_bytes);
        joining.buffer = buffer;
    }

    /// The next whole frame. `Ok(None)`: receive more, see [`Frames::want`].
    pub fn next(&mut self, buffers: &mut Buffers) -> Result<Option<Frame>, FrameError> {
        if self.joining.is_some() {
            return Ok(self.join(buffers));
        }
        while self.prefix_bytes < 4 {
            if self.input.is_empty() {
                // An idle connection holds no pooled buffer.
                self.input = BytesMut::new();
                return Ok(None);
            }
            self.prefix[self.prefix_bytes] = self.input.get_u8();
            self.prefix_bytes += 1;
        }
        let claimed = i32::from_be_bytes(self.prefix);
        let bytes = usize::try_from(claimed).map_err(|_| FrameError::Negative(claimed))?;
        if bytes == 0 {
            return Err(FrameError::Empty);
        }
        if bytes > buffers.frame_bytes_max {
            return Err(FrameError::TooLarge {
                bytes,
                max: buffers.frame_bytes_max,
            });
        }
        self.prefix_bytes = 0;
        if self.input.len() >= bytes {
            return Ok(Some(Frame {
                bytes: self.input.split_to(bytes).freeze(),
                charge: buffers.charge_small(bytes),
            }));
        }
        let small = bytes <= SMALL_FRAME_BYTES_MAX;
        self.joining = Some(Joining {
            frame_bytes: bytes,
            buffer: BytesMut::with_capacity(if small { bytes } else { 0 }),
            charge: if small {
                buffers.charge_small(bytes)
            } else {
                Charge::default()
            },
        });
        Ok(self.join(buffers))
    }

    fn join(&mut self, buffers: &mut Buffers) -> Option<Frame> {
        let joining = self.joining.as_mut()?;
        loop {
            if joining.buffer.len() == joining.frame_bytes {
                let done = self.joining.take()?;
                let bytes = done.buffer.freeze();
                buffers.lend(&bytes);
                return Some(Frame {
                    bytes,
                    charge: done.charge,
                });
            }
            if !joining.grow(buffers) {
                return None;
            }
            let count = joining.spare().min(self.input.len());
            if count == 0 {
                self.input = BytesMut::new();
                return None;
            }
            joining.buffer.extend_from_slice(&self.input[..count]);
            self.input.advance(count);
        }
    }

    /// What to receive now. Only after [`Frames::next`] has said that there is no further frame.
    pub fn want(&mut self, buffers: &Buffers) -> Want {
        match &mut self.joining {
            Some(joining) if joining.large() => {
                if joining.spare() == 0 {
                    return Want::Memory;
                }
                let mut buffer = std::mem::take(&mut joining.buffer);
                if buffer.capacity() > joining.frame_bytes {
                    // The kernel fills what is spare: what lies behind the frame's end must not be.
                    drop(buffer.split_off(joining.frame_bytes));
                }
                Want::Into(buffer)
            }
            // A half-received small frame is charged already: it may always go on.
            Some(_) => Want::Pooled,
            None if buffers.has_room() => Want::Pooled,
            None => Want::Memory,
        }
    }

    /// Whether memory is charged for a large frame that has not come whole.
    pub fn is_midway(&self) -> bool {
        self.joining.as_ref().is_some_and(|j| j.charge.large > 0)
    }

    /// The connection ends: gives back what a half-received frame was charged.
    pub fn close(&mut self, buffers: &mut Buffers) {
        self.input = BytesMut::new();
        if let Some(joining) = self.joining.take() {
            buffers.release(joining.charge);
            buffers.put(joining.buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 100 << 20;

    fn buffers() -> Buffers {
        Buffers::new(MAX, 1 << 20, 8 << 20, 8 << 20)
    }

    fn framed(bodies: &[Vec<u8>]) -> Vec<u8> {
        bodies
            .iter()
            .flat_map(|body| {
                let size = i32::try_from(body.len()).expect("small").to_be_bytes();
                size.into_iter().chain(body.iter().copied())
            })
            .collect()
    }

    /// Feeds `stream` in receives of the given sizes (cyclic); returns the frames.
    fn run(stream: &[u8], sizes: &[usize], buffers: &mut Buffers) -> Vec<Vec<u8>> {
        let mut frames = Frames::default();
        let (mut at, mut turn, mut got) = (0, 0, Vec::new());
        loop {
            while let Some(frame) = frames.next(buffers).expect("valid sizes") {
                got.push(frame.bytes.to_vec());
                buffers.release(frame.charge);
            }
            if at == stream.len() {
                return got;
            }
            let size = sizes[turn % sizes.len()].min(stream.len() - at);
            turn += 1;
            match frames.want(buffers) {
                Want::Pooled => {
                    frames.on_received(BytesMut::from(&stream[at..at + size]));
                    at += size;
                }
                Want::Into(mut buffer) => {
                    let count = size.min(buffer.capacity() - buffer.len());
                    buffer.extend_from_slice(&stream[at..at + count]);
                    frames.on_received_into(buffer);
                    at += count;
                }
                Want::Memory => panic!("starved"),
            }
        }
    }

    #[test]
    fn frames_come_whole_however_they_are_cut() {
        let bodies: Vec<Vec<u8>> = [1, 3, 70_000, 10, 300_000, 8, 65_536, 2_500_000, 5]
            .iter()
            .enumerate()
            .map(|(i, &n)| vec![i as u8; n])
            .collect();
        let stream = framed(&bodies);
        for sizes in [&[65_536][..], &[4096, 1, 3], &[5, 100_000, 7], &[1 << 20]] {
            let mut buffers = buffers();
            assert!(run(&stream, sizes, &mut buffers) == bodies);
            assert_eq!(buffers.charged(), 0);
        }
        let small = framed(&bodies[..2]);
        assert!(run(&small, &[1], &mut buffers()) == bodies[..2]);
    }

    #[test]
    fn impossible_sizes_are_named() {
        for (size, error) in [
            (-1, FrameError::Negative(-1)),
            (i32::MIN, FrameError::Negative(i32::MIN)),
            (0, FrameError::Empty),
            (
                i32::MAX,
                FrameError::TooLarge {
                    bytes: i32::MAX as usize,
                    max: MAX,
                },
            ),
        ] {
            let mut frames = Frames::default();
            frames.on_received(BytesMut::from(&size.to_be_bytes()[..]));
            assert_eq!(frames.next(&mut buffers()).unwrap_err(), error);
        }
    }

    #[test]
    fn a_claimed_size_allocates_one_step() {
        let mut buffers = buffers();
        let mut frames = Frames::default();
        frames.on_received(BytesMut::from(&(MAX as i32).to_be_bytes()[..]));
        assert!(frames.next(&mut buffers).unwrap().is_none());
        assert!(matches!(frames.want(&buffers), Want::Into(b) if b.capacity() == FIRST_STEP_BYTES));
        assert_eq!(buffers.charged(), FIRST_STEP_BYTES);
        frames.close(&mut buffers);
        assert_eq!(buffers.charged(), 0);
    }

    #[test]
    fn over_budget_one_frame_goes_on_and_the_rest_wait() {
        let mut buffers = Buffers::new(MAX, 1 << 20, 1 << 20, 8 << 20);
        let mut claim = || {
            let mut frames = Frames::default();
            frames.on_received(BytesMut::from(&[0, 0x20, 0, 0][..]));
            assert!(frames.next(&mut buffers).unwrap().is_none());
            frames
        };
        let (mut first, mut second) = (claim(), claim());
        assert!(matches!(first.want(&buffers), Want::Into(_)));
        assert!(matches!(second.want(&buffers), Want::Memory));
        first.close(&mut buffers);
        assert!(second.next(&mut buffers).unwrap().is_none());
        assert!(matches!(second.want(&buffers), Want::Into(_)));
    }

    #[test]
    fn a_large_buffer_is_used_again() {
        let mut buffers = buffers();
        let stream = framed(&[vec![7; 1 << 20], vec![8; 1 << 20]]);
        run(&stream, &[1 << 20], &mut buffers);
        assert_eq!(
            buffers.lent.len(),
            1,
            "the second frame took the first's buffer"
        );
    }
}
