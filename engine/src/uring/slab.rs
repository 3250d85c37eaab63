//! A slab whose entries the kernel may be using: slots keep their number until freed, and are leaked rather than dropped
//! while occupied.

use std::mem;

/// Entries by small numbers. Dropping a slab with occupied slots leaks those entries: the kernel may still read or write
/// the memory they own.
pub struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab::new()
    }
}

impl<T> Slab<T> {
    pub fn new() -> Slab<T> {
        Slab {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Stores `value`; its slot number stays valid until [`Slab::remove`].
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            let place = &mut self.slots[slot as usize];
            assert!(place.is_none(), "slot {slot} on the free list is occupied");
            *place = Some(value);
            return slot;
        }
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 slots");
        self.slots.push(Some(value));
        slot
    }

    /// The number that the next [`Slab::insert`] will return.
    pub fn next_slot(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.slots.len() as u32)
    }

    pub fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Frees the slot. Panics when it is free: a completion came twice.
    pub fn remove(&mut self, slot: u32) -> T {
        let value = self.slots[slot as usize].take();
        self.free.push(slot);
        value.expect("slot is occupied")
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of the occupied slots.
    pub fn occupied(&self) -> Vec<u32> {
        (0..self.slots.len() as u32)
            .filter(|s| self.slots[*s as usize].is_some())
            .collect()
    }
}

impl<T> Drop for Slab<T> {
    fn drop(&mut self) {
        if self.is_empty() {
            return;
        }
        for slot in &mut self.slots {
            mem::forget(slot.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_reused_and_leaked_when_occupied() {
        let mut slab = Slab::new();
        let shared = std::rc::Rc::new(());
        let a = slab.insert(shared.clone());
        let b = slab.insert(shared.clone());
        assert_eq!((a, b), (0, 1));
        drop(slab.remove(a));
        assert_eq!(slab.next_slot(), a);
        assert_eq!(slab.insert(shared.clone()), a);
        assert_eq!(slab.occupied(), [0, 1]);
        drop(slab);
        assert_eq!(std::rc::Rc::strong_count(&shared), 3, "leaked, not dropped");
    }
}
