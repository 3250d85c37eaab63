//! Registered memory: arena chunks made known to one ring, so that reads and writes within them skip page pinning.

use crate::uring::ring::Ring;

/// Entries of the sparse table: at 32 MiB a chunk, 32 GiB.
const CHUNKS_MAX: u32 = 1024;

/// What one ring has registered, and what the host refused.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct MemoryCounters {
    pub registered_bytes: u64,
    /// Offered, but refused by RLIMIT_MEMLOCK or a full table: used unregistered.
    pub unregistered_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    start: usize,
    end: usize,
    index: u16,
}

/// One per ring.
pub struct Memory {
    chunks: Vec<Chunk>,
    table: bool,
    counters: MemoryCounters,
}

impl Memory {
    /// Makes the empty table. A kernel that refuses it leaves everything unregistered.
    pub fn new(ring: &Ring) -> Memory {
        Memory {
            chunks: Vec::new(),
            table: ring.submitter().register_buffers_sparse(CHUNKS_MAX).is_ok(),
            counters: MemoryCounters::default(),
        }
    }

    pub fn counters(&self) -> MemoryCounters {
        self.counters
    }

    /// Registers `len` bytes at `addr` in this ring; false when they stay unregistered, which only costs speed.
    ///
    /// # Safety
    ///
    /// The memory stays mapped, at this address, until the ring is dropped: an operation on a registered address reaches
    /// the pages that were there at registration.
    #[expect(unsafe_code, reason = "hands memory to the kernel")]
    pub unsafe fn offer_chunk(&mut self, ring: &Ring, addr: usize, len: usize) -> bool {
        let index = self.chunks.len() as u32;
        let place = self.chunks.partition_point(|c| c.start < addr);
        let overlaps = self.chunks.get(place).is_some_and(|c| c.start < addr + len)
            || (place > 0 && self.chunks[place - 1].end > addr);
        assert!(!overlaps, "chunk offered twice");
        let slice = libc::iovec {
            iov_base: addr as *mut libc::c_void,
            iov_len: len,
        };
        // SAFETY: the caller's promise.
        let registered = self.table
            && index < CHUNKS_MAX
            && unsafe {
                ring.submitter()
                    .register_buffers_update(index, &[slice], None)
            }
            .is_ok();
        if !registered {
            self.counters.unregistered_bytes += len as u64;
            return false;
        }
        self.counters.registered_bytes += len as u64;
        self.chunks.insert(
            place,
            Chunk {
                start: addr,
                end: addr + len,
                index: index as u16,
            },
        );
        true
    }

    /// The table index of the chunk that wholly holds this range.
    pub fn find(&self, addr: usize, len: usize) -> Option<u16> {
        let after = self.chunks.partition_point(|c| c.start <= addr);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        (addr + len <= chunk.end).then_some(chunk.index)
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "offers memory")]
mod tests {
    use super::*;

    #[test]
    fn finds_whole_ranges_only() {
        let ring = Ring::new().unwrap();
        let mut memory = Memory::new(&ring);
        let bytes = vec![0u8; 3 * 4096];
        let addr = bytes.as_ptr() as usize;
        // SAFETY: `bytes` outlives the ring's use of it: nothing is submitted.
        let registered = unsafe { memory.offer_chunk(&ring, addr, 4096) };
        // SAFETY: as above.
        let second = unsafe { memory.offer_chunk(&ring, addr + 8192, 4096) };
        if !(registered && second) {
            assert!(memory.counters().unregistered_bytes > 0);
            return;
        }
        assert_eq!(memory.find(addr, 4096), Some(0));
        assert_eq!(memory.find(addr + 10, 4096), None);
        assert_eq!(memory.find(addr + 8192 + 4000, 96), Some(1));
        assert_eq!(memory.find(addr + 4096, 1), None);
        assert_eq!(memory.find(1, 1), None);
        assert_eq!(memory.counters().registered_bytes, 8192);
        drop(ring);
    }

    #[test]
    fn a_refused_chunk_is_counted() {
        let ring = Ring::new().unwrap();
        let mut memory = Memory::new(&ring);
        // SAFETY: nothing is mapped at page 1, so the kernel refuses it.
        assert!(!unsafe { memory.offer_chunk(&ring, 4096, 4096) });
        assert_eq!(memory.counters().unregistered_bytes, 4096);
        assert_eq!(memory.find(4096, 1), None);
    }
}
