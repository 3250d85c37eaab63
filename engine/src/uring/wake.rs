//! A shard's eventfd, kept armed on its ring: how threads without a ring (signals, control) wake it.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use io_uring::{opcode, types};

use super::ring::{Kind, Ring};
use crate::fatal::Fatal;

/// One per shard. The read buffer is leaked if the read is still under way when this drops.
pub struct Wake {
    fd: OwnedFd,
    buffer: Option<Box<u64>>,
    armed: bool,
}

impl Wake {
    #[expect(unsafe_code, reason = "eventfd")]
    pub fn new() -> io::Result<Wake> {
        // Not EFD_NONBLOCK: the ring would be free to answer EAGAIN at once instead of waiting.
        // SAFETY: no pointers; the answer is checked.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Wake {
            // SAFETY: just made, owned by nobody else.
            fd: unsafe { OwnedFd::from_raw_fd(fd) },
            buffer: Some(Box::new(0)),
            armed: false,
        })
    }

    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// A descriptor of the same eventfd for a thread that may outlive this shard.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    pub fn armed(&self) -> bool {
        self.armed
    }

    /// Begins to wait for a write. The completion has [`Kind::Wake`].
    #[expect(unsafe_code, reason = "the kernel writes the buffer")]
    pub fn arm(&mut self, ring: &mut Ring) -> Result<(), Fatal> {
        assert!(!self.armed, "armed twice");
        let buffer: *mut u64 = &mut **self.buffer.as_mut().expect("buffer is here while unarmed");
        let entry = opcode::Read::new(types::Fd(self.fd.as_raw_fd()), buffer.cast(), 8)
            .build()
            .user_data(Kind::Wake.tag(0));
        // SAFETY: the boxed buffer is kept until `fired`, and leaked when dropped before.
        unsafe { ring.push(&entry) }?;
        self.armed = true;
        Ok(())
    }

    /// The completion came; [`Wake::arm`] again to go on listening.
    pub fn fired(&mut self) {
        self.armed = false;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if self.armed {
            std::mem::forget(self.buffer.take());
        }
    }
}

/// Wakes the shard whose eventfd this is. Blocks only at 2^64 - 2 unread wakes.
#[expect(unsafe_code, reason = "write to an eventfd")]
pub fn ring_eventfd(fd: RawFd) {
    let one = 1u64;
    // SAFETY: reads 8 bytes of `one`.
    unsafe { libc::write(fd, (&raw const one).cast(), 8) };
}
