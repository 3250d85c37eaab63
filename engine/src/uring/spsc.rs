//! A bounded queue from one thread to one other: two indices, each written by one side.
//!
//! ```text
//!   Sender ── slots[tail] = value; tail += 1 (release) ──►  [ . . v v v . . ]  ──► Receiver takes slots[head]; head += 1
//! ```

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Keeps what one thread writes on its own pair of cache lines.
#[derive(Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

struct Shared<T> {
    /// Values ever taken. Written by the receiver.
    head: Padded<AtomicUsize>,
    /// Values ever put. Written by the sender.
    tail: Padded<AtomicUsize>,
    /// The sender waits for room. Set by the sender, cleared by the receiver.
    starved: Padded<AtomicBool>,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

#[expect(unsafe_code, reason = "values move between two threads")]
// SAFETY: a slot is touched by the sender before its tail is released and by the receiver after it was acquired, never by
// both at once; values only move, so `T: Send` is enough.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Drop for Shared<T> {
    #[expect(unsafe_code, reason = "drops what was never taken")]
    fn drop(&mut self) {
        let mut head = *self.head.0.get_mut();
        let tail = *self.tail.0.get_mut();
        while head != tail {
            let slot = head & (self.slots.len() - 1);
            // SAFETY: slots between head and tail hold values, and both sides are gone.
            unsafe { self.slots[slot].get_mut().assume_init_drop() };
            head = head.wrapping_add(1);
        }
    }
}

pub struct Sender<T> {
    shared: Arc<Shared<T>>,
    tail: usize,
    head_seen: usize,
}

pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    head: usize,
    tail_seen: usize,
}

/// A queue of at least `capacity` values, rounded up to a power of two.
pub fn queue<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let capacity = capacity.next_power_of_two();
    let shared = Arc::new(Shared {
        head: Padded::default(),
        tail: Padded::default(),
        starved: Padded::default(),
        slots: (0..capacity)
            .map(|_| UnsafeCell::new(MaybeUninit::uninit()))
            .collect(),
    });
    let sender = Sender {
        shared: Arc::clone(&shared),
        tail: 0,
        head_seen: 0,
    };
    let receiver = Receiver {
        shared,
        head: 0,
        tail_seen: 0,
    };
    (sender, receiver)
}

impl<T: Send> Sender<T> {
    /// Puts `value`, or gives it back when the queue is full.
    #[expect(unsafe_code, reason = "writes a slot")]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.is_full() {
            return Err(value);
        }
        let slot = self.tail & (self.shared.slots.len() - 1);
        // SAFETY: the receiver has left this slot (head acquired above) and sees it again only after the release below.
        unsafe { (*self.shared.slots[slot].get()).write(value) };
        self.tail = self.tail.wrapping_add(1);
        self.shared.tail.0.store(self.tail, Ordering::Release);
        Ok(())
    }

    pub fn is_full(&mut self) -> bool {
        let capacity = self.shared.slots.len();
        if self.tail.wrapping_sub(self.head_seen) < capacity {
            return false;
        }
        self.head_seen = self.shared.head.0.load(Ordering::Acquire);
        self.tail.wrapping_sub(self.head_seen) == capacity
    }

    /// Asks the receiver to wake this side once it has taken something. Follow it by a fence and another look.
    pub fn set_starved(&self) {
        self.shared.starved.0.store(true, Ordering::Release);
    }
}

impl<T: Send> Receiver<T> {
    #[expect(unsafe_code, reason = "reads a slot")]
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let slot = self.head & (self.shared.slots.len() - 1);
        // SAFETY: the sender released this slot (tail acquired in `is_empty`) and returns to it only after the release below.
        let value = unsafe { (*self.shared.slots[slot].get()).assume_init_read() };
        self.head = self.head.wrapping_add(1);
        self.shared.head.0.store(self.head, Ordering::Release);
        Some(value)
    }

    pub fn is_empty(&mut self) -> bool {
        if self.head != self.tail_seen {
            return false;
        }
        self.tail_seen = self.shared.tail.0.load(Ordering::Acquire);
        self.head == self.tail_seen
    }

    /// Whether the sender waits for room; asked after taking and a fence. Answers true once per wait.
    pub fn take_starved(&self) -> bool {
        self.shared.starved.0.load(Ordering::Relaxed)
            && self.shared.starved.0.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_bounds_across_threads() {
        let (mut sender, mut receiver) = queue::<Box<u64>>(8);
        let count = 20_000;
        let thread = std::thread::spawn(move || {
            for n in 0..count {
                let mut value = Box::new(n);
                while let Err(back) = sender.push(value) {
                    value = back;
                    std::thread::yield_now();
                }
            }
        });
        for n in 0..count {
            loop {
                if let Some(value) = receiver.pop() {
                    assert_eq!(*value, n);
                    break;
                }
                std::thread::yield_now();
            }
        }
        thread.join().unwrap();
        assert!(receiver.pop().is_none());
    }

    #[test]
    fn what_is_left_is_dropped() {
        let value = Arc::new(());
        let (mut sender, receiver) = queue(2);
        sender.push(Arc::clone(&value)).unwrap();
        sender.push(Arc::clone(&value)).unwrap();
        assert!(sender.push(Arc::clone(&value)).is_err());
        drop((sender, receiver));
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
