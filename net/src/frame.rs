//! Whole request frames out of the bytes of one connection.
//!
//! ```text
//!  Received ──► input ──┬─ whole frame ────────────► a slice of the receive buffer, no copy
//!                       └─ split frame ► joining ──► one buffer of its own
//!                              small: filled from further pooled receives; grows as bytes arrive
//!                              large: filled by ReceivedInto; grows in steps, as bytes arrive and as memory allows
//! ```
//!
//! A size is a claim: what is allocated, and charged, for it is at most one step ([`FIRST_STEP_BYTES`] where large)
//! beyond what has really come.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Frames up to this size are joined from pooled receives, and charged to the small budget.
pub const SMALL_FRAME_BYTES_MAX: usize = 64 << 10;
/// The first buffer of a large frame: a produce of one batch of the default `max.message.bytes` fits.
pub const FIRST_STEP_BYTES: usize = (1 << 20) + (64 << 10);
/// And of a small one.
const SMALL_STEP_BYTES: usize = 4 << 10;
/// An idle buffer may be so many times larger than what is asked for: what is charged must tell what is held.
const LARGER_MAX: usize = 4;
/// Buffers at least this large are kept for the next frame: fresh memory costs a host fault per page.
const RECYCLE_BYTES_MIN: usize = 256 << 10;
/// Handles of given-out frames that are watched for their return.
const LENT_MAX: usize = 256;
/// Of those, how many that somebody still holds are looked at when one is wanted.
const HELD_LOOKS: usize = 16;

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
    /// Requests that only wait for something new. They hold no receive buffer, and give way to others.
    parked: Budget,
    /// Something was given back since [`Buffers::take_released`].
    released: bool,
    /// One frame at a time may exceed the large budget, so that many half-received frames cannot lock each other out.
    overdrawn: bool,
    idle: Vec<BytesMut>,
    idle_bytes: usize,
    idle_bytes_max: usize,
    /// One more handle of each recyclable frame given out: once it is the only one, the buffer is idle again.
    lent: VecDeque<Bytes>,
    lent_bytes: usize,
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
    parked: usize,
    overdraft: bool,
}

impl Buffers {
    /// Budgets in bytes: frames up to [`SMALL_FRAME_BYTES_MAX`], larger ones, parked requests, and idle buffers kept
    /// for reuse.
    pub fn new(
        frame_bytes_max: usize,
        small_bytes: usize,
        large_bytes: usize,
        parked_bytes: usize,
        idle_bytes: usize,
    ) -> Buffers {
        let budget = |max| Budget { charged: 0, max };
        Buffers {
            frame_bytes_max,
            small: budget(small_bytes),
            large: budget(large_bytes),
            parked: budget(parked_bytes),
            released: false,
            overdrawn: false,
            idle: Vec::new(),
            idle_bytes: 0,
            idle_bytes_max: idle_bytes,
            lent: VecDeque::new(),
            lent_bytes: 0,
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

    /// Bytes of parked requests.
    pub fn parked(&self) -> usize {
        self.parked.charged
    }

    /// Whether parked requests must give way.
    pub fn parked_too_much(&self) -> bool {
        self.parked.charged > self.parked.max
    }

    /// Whether something was given back since [`Buffers::take_released`].
    pub fn is_released(&self) -> bool {
        self.released
    }

    /// Whether something was given back since the last call: who waits for memory may ask again.
    pub fn take_released(&mut self) -> bool {
        std::mem::take(&mut self.released)
    }

    /// The request was answered or dropped.
    pub fn release(&mut self, charge: Charge) {
        assert!(charge.parked <= self.parked.charged);
        self.parked.charged -= charge.parked;
        self.give_back(&charge);
    }

    /// The request only waits for something new from here on, and holds nothing of its frame.
    pub fn park(&mut self, charge: &mut Charge) {
        self.give_back(charge);
        let parked = charge.parked + charge.small + charge.large;
        self.parked.charged += parked - charge.parked;
        *charge = Charge {
            parked,
            ..Charge::default()
        };
    }

    fn give_back(&mut self, charge: &Charge) {
        assert!(charge.small <= self.small.charged && charge.large <= self.large.charged);
        self.small.charged -= charge.small;
        self.large.charged -= charge.large;
        self.overdrawn &= !charge.overdraft;
        self.released |= charge.small > 0 || charge.large > 0;
        self.trim_lent();
    }

    /// Raises a small frame's charge to `bytes`. Always: what has begun to come may go on.
    fn charge_small(&mut self, charge: &mut Charge, bytes: usize) {
        let more = bytes.saturating_sub(charge.small);
        self.small.charged += more;
        charge.small += more;
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
            .filter(|&i| (bytes..=bytes * LARGER_MAX).contains(&self.idle[i].capacity()))
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

    /// Capacity of the largest idle buffer that a frame of `bytes` may have.
    fn idle_largest(&mut self, bytes: usize) -> usize {
        self.reclaim();
        self.idle
            .iter()
            .map(BytesMut::capacity)
            .filter(|&capacity| capacity <= bytes * LARGER_MAX)
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
                self.forget_lent();
            }
            self.lent_bytes += frame.len();
            self.lent.push_back(frame.clone());
            self.trim_lent();
        }
    }

    /// Frames that are answered are nobody's charge: what is kept of them for reuse is what may be idle.
    fn trim_lent(&mut self) {
        if self.lent_bytes > self.large.charged + self.idle_bytes_max {
            self.reclaim();
        }
        while self.lent_bytes > self.large.charged + self.idle_bytes_max {
            self.forget_lent();
        }
    }

    /// The oldest one goes back to the allocator when its request lets go of it.
    fn forget_lent(&mut self) {
        if let Some(frame) = self.lent.pop_front() {
            self.lent_bytes -= frame.len();
        }
    }

    /// Buffers whose frame nobody holds any more become idle. They return nearly in order, so this stops at the first
    /// few that did not.
    fn reclaim(&mut self) {
        let mut held = 0;
        let mut i = 0;
        while i < self.lent.len() && held < HELD_LOOKS {
            if !self.lent[i].is_unique() {
                held += 1;
                i += 1;
                continue;
            }
            let frame = self.lent.remove(i).expect("i is below the length");
            self.lent_bytes -= frame.len();
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
    /// How much has come; the buffer itself may be with the kernel.
    came: usize,
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

    /// Makes room where there is none; false: the budget does not allow it now. `input_bytes`: what is here to be
    /// added.
    fn grow(&mut self, input_bytes: usize, buffers: &mut Buffers) -> bool {
        if self.buffer.capacity() >= self.frame_bytes || self.spare() > 0 {
            return true;
        }
        if !self.large() {
            if input_bytes == 0 {
                // It comes through a pooled receive.
                return true;
            }
            let step = (self.buffer.capacity() * 2).max(SMALL_STEP_BYTES);
            let step = step.max(self.came + input_bytes).min(self.frame_bytes);
            buffers.charge_small(&mut self.charge, step);
            let mut larger = BytesMut::with_capacity(step);
            larger.extend_from_slice(&self.buffer);
            self.buffer = larger;
            return true;
        }
        let step = (self.buffer.capacity() * 2).max(FIRST_STEP_BYTES);
        // What is idle is allocated already: the claim may be believed that far.
        let idle = buffers.idle_largest(self.frame_bytes);
        let step = step.max(idle).min(self.frame_bytes);
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
        joining.came = buffer.len();
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
        let mut charge = Charge::default();
        if self.input.len() >= bytes {
            buffers.charge_small(&mut charge, bytes);
            return Ok(Some(Frame {
                bytes: self.input.split_to(bytes).freeze(),
                charge,
            }));
        }
        self.joining = Some(Joining {
            frame_bytes: bytes,
            buffer: BytesMut::new(),
            came: 0,
            charge,
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
            if !joining.grow(self.input.len(), buffers) {
                return None;
            }
            let count = joining.spare().min(self.input.len());
            if count == 0 {
                self.input = BytesMut::new();
                return None;
            }
            joining.buffer.extend_from_slice(&self.input[..count]);
            joining.came += count;
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
            // A half-received small frame may always go on: one step is little.
            Some(_) => Want::Pooled,
            None if buffers.has_room() => Want::Pooled,
            None => Want::Memory,
        }
    }

    /// How much has come of a frame for which memory is charged, and which has not come whole.
    pub fn midway(&self) -> Option<usize> {
        let joining = self.joining.as_ref()?;
        (joining.charge != Charge::default()).then_some(joining.came)
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
        Buffers::new(MAX, 1 << 20, 8 << 20, 1 << 20, 8 << 20)
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
        let mut buffers = Buffers::new(MAX, 1 << 20, 1 << 20, 1 << 20, 8 << 20);
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

    /// One frame of `bytes`, whole.
    fn large(bytes: usize, buffers: &mut Buffers) -> Frame {
        let mut frames = Frames::default();
        let stream = framed(&[vec![7; bytes]]);
        frames.on_received(BytesMut::from(&stream[..65_536]));
        let mut at = 65_536;
        loop {
            if let Some(frame) = frames.next(buffers).expect("a valid size") {
                return frame;
            }
            let Want::Into(mut buffer) = frames.want(buffers) else {
                panic!("starved");
            };
            let count = (buffer.capacity() - buffer.len()).min(stream.len() - at);
            buffer.extend_from_slice(&stream[at..at + count]);
            at += count;
            frames.on_received_into(buffer);
        }
    }

    #[test]
    fn a_small_claim_is_charged_as_it_comes() {
        let mut buffers = buffers();
        let mut frames = Frames::default();
        frames.on_received(BytesMut::from(&[0, 1, 0, 0, 9][..]));
        assert!(frames.next(&mut buffers).unwrap().is_none());
        assert_eq!((buffers.charged(), frames.midway()), (4096, Some(1)));
        frames.on_received(BytesMut::from(&[9; 40_000][..]));
        assert!(frames.next(&mut buffers).unwrap().is_none());
        assert!(buffers.charged() < 50_000, "{}", buffers.charged());
        frames.on_received(BytesMut::from(&[9; 25_535][..]));
        let frame = frames.next(&mut buffers).unwrap().expect("whole");
        assert_eq!((frame.bytes.len(), buffers.charged()), (65_536, 65_536));
        buffers.release(frame.charge);
        assert_eq!((buffers.charged(), frames.midway()), (0, None));
    }

    #[test]
    fn what_is_kept_of_answered_frames_is_bounded() {
        let mut buffers = Buffers::new(MAX, 1 << 20, 256 << 20, 1 << 20, 2 << 20);
        let held: Vec<Frame> = (0..100).map(|_| large(1 << 20, &mut buffers)).collect();
        assert_eq!(buffers.lent.len(), 100, "charged, every one");
        let answered: Vec<Bytes> = held
            .into_iter()
            .map(|frame| {
                buffers.release(frame.charge);
                frame.bytes
            })
            .collect();
        assert!(buffers.lent_bytes <= 2 << 20, "{}", buffers.lent_bytes);
        drop(answered);
        assert_eq!(large(1 << 20, &mut buffers).bytes.len(), 1 << 20);
        assert!(buffers.lent_bytes + buffers.idle_bytes <= 3 << 20);
    }

    #[test]
    fn a_claim_gets_no_buffer_of_another_order() {
        let mut buffers = buffers();
        buffers.put(BytesMut::with_capacity(8 << 20));
        let mut frames = Frames::default();
        frames.on_received(BytesMut::from(&1_200_000_i32.to_be_bytes()[..]));
        assert!(frames.next(&mut buffers).unwrap().is_none());
        assert_eq!(buffers.charged(), FIRST_STEP_BYTES);
        assert_eq!(buffers.idle.len(), 1, "it stays for its like");
        frames.close(&mut buffers);
        let mut frames = Frames::default();
        frames.on_received(BytesMut::from(&3_000_000_i32.to_be_bytes()[..]));
        assert!(frames.next(&mut buffers).unwrap().is_none());
        assert_eq!(buffers.charged(), 3_000_000, "allocated long ago");
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
