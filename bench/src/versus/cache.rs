//! Memory as on a machine that has been up for a day: full of clean page cache.
//!
//! ```text
//!  sparse file as large as the memory ── read until nothing is free ──► its pages are cached, clean and the oldest
//!  a broker's new page ◄── the kernel takes the oldest clean page: no fault on the host, no write
//!  before the data of a run is deleted ── read again ──► its pages make room for these, and none becomes free
//! ```
//!
//! A virtual machine gives free pages back to its host within seconds, and the first touch of such a page costs a host
//! fault, about 2.6 s of system time per GiB here: without this a broker that uses the page cache is measured at a third of its speed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::machine;
use crate::sys;

/// Full enough: the kernel keeps about this much free by itself.
const FREE_BYTES: u64 = 512 << 20;
const READ_BYTES: usize = 1 << 20;

/// The sparse file whose cached pages fill the memory.
#[derive(Debug)]
pub struct PageCache {
    file: File,
    bytes: u64,
}

impl PageCache {
    /// A file of up to `bytes`, at most the machine's memory, below `dir`. It takes no space on the disk.
    pub fn new(dir: &Path, bytes: u64) -> io::Result<PageCache> {
        fs::create_dir_all(dir)?;
        let path = dir.join("page-cache");
        let options = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        let bytes = bytes.min(machine::memory("MemTotal"));
        options.set_len(bytes)?;
        Ok(PageCache {
            file: options,
            bytes,
        })
    }

    /// Reads until (nearly) no memory is free.
    pub fn fill(&self) -> io::Result<()> {
        self.read(FREE_BYTES)
    }

    /// Reads all of it: what was cached of other files goes.
    pub fn refill(&self) -> io::Result<()> {
        self.read(0)
    }

    fn read(&self, until_free: u64) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let mut at = 0;
        while at < self.bytes && !sys::interrupted() {
            if at % (64 << 20) == 0 && machine::memory("MemFree") < until_free {
                break;
            }
            let read = self.file.read_at(&mut buffer, at)?;
            if read == 0 {
                break;
            }
            at += read as u64;
        }
        Ok(())
    }
}
