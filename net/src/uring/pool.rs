//! Receive buffers that the kernel picks from: one provided-buffer ring per shard.
//!
//! ```text
//!  buffers ──► ring (tail: ours) ──► kernel picks one when bytes are there ──► copied out ──► back to the ring at once
//! ```
//!
//! So a connection that waits costs no memory, and a receive costs no allocation.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use corelane_engine::uring::ring::Ring;
use io_uring::types::BufRingEntry;

/// Buffers per shard; a power of two.
const BUFFERS: u16 = 256;
/// Length of each.
pub(super) const BUFFER_BYTES: usize = 16 * 1024;
/// The buffer group's id on its ring.
pub(super) const GROUP: u16 = 0;

/// Anonymous pages, touched at once.
struct Pages {
    start: NonNull<u8>,
    len: usize,
}

impl Pages {
    #[expect(unsafe_code, reason = "mmap")]
    fn new(len: usize) -> io::Result<Pages> {
        // SAFETY: a fresh private mapping, no address asked for.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).expect("a mapping is not at zero");
        Ok(Pages { start, len })
    }
}

impl Drop for Pages {
    #[expect(unsafe_code, reason = "munmap")]
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length. `Pool` drops only when its ring uses the pages no more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// The pool of one ring. Leaked, not unmapped, unless [`Pool::release`] was called.
pub(super) struct Pool {
    entries: Option<Pages>,
    buffers: Option<Pages>,
    tail: u16,
}

impl Pool {
    #[expect(unsafe_code, reason = "registers the buffer ring")]
    pub(super) fn new(ring: &Ring) -> io::Result<Pool> {
        let entries = Pages::new(usize::from(BUFFERS) * size_of::<BufRingEntry>())?;
        let buffers = Pages::new(usize::from(BUFFERS) * BUFFER_BYTES)?;
        let addr = entries.start.as_ptr() as u64;
        // SAFETY: the pages hold `BUFFERS` entries and stay mapped until `release`, after the group is unregistered.
        unsafe {
            ring.submitter()
                .register_buf_ring_with_flags(addr, BUFFERS, GROUP, 0)
        }?;
        let mut pool = Pool {
            entries: Some(entries),
            buffers: Some(buffers),
            tail: 0,
        };
        for id in 0..BUFFERS {
            pool.give_back(id);
        }
        Ok(pool)
    }

    /// The first `len` bytes of buffer `id`, which the kernel has filled and not yet got back.
    #[expect(unsafe_code, reason = "reads what the kernel wrote")]
    pub(super) fn bytes(&self, id: u16, len: usize) -> &[u8] {
        assert!(
            id < BUFFERS && len <= BUFFER_BYTES,
            "buffer {id}, {len} bytes"
        );
        let buffers = self.buffers.as_ref().expect("not released");
        // SAFETY: within the mapping; between the completion and `give_back` the kernel leaves the buffer alone, and
        // `give_back` needs `&mut self`.
        unsafe {
            let start = buffers.start.as_ptr().add(usize::from(id) * BUFFER_BYTES);
            std::slice::from_raw_parts(start, len)
        }
    }

    /// Hands buffer `id` (back) to the kernel.
    #[expect(unsafe_code, reason = "writes the shared ring")]
    pub(super) fn give_back(&mut self, id: u16) {
        assert!(id < BUFFERS, "buffer {id}");
        let entries = self
            .entries
            .as_ref()
            .expect("not released")
            .start
            .cast::<BufRingEntry>();
        let buffers = self.buffers.as_ref().expect("not released");
        // SAFETY: the entry at `tail` is ours until the tail is published below; all addresses lie in our mappings. The
        // kernel reads the tail with acquire semantics.
        unsafe {
            let entry = entries.add(usize::from(self.tail & (BUFFERS - 1))).as_ptr();
            let start = buffers.start.as_ptr().add(usize::from(id) * BUFFER_BYTES);
            (*entry).set_addr(start as u64);
            (*entry).set_len(BUFFER_BYTES as u32);
            (*entry).set_bid(id);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(entries.as_ptr()).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }

    /// Frees the memory; only once no receive is under way.
    pub(super) fn release(&mut self, ring: &Ring) {
        if ring.submitter().unregister_buf_ring(GROUP).is_ok() {
            self.entries = None;
            self.buffers = None;
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        std::mem::forget(self.entries.take());
        std::mem::forget(self.buffers.take());
    }
}
