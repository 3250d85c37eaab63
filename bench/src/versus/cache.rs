//! Memory as on a machine that has been up for a day: full of clean page cache, and it stays so from run to run.
//!
//! ```text
//!  sparse file ── read until nothing is free ──► its pages are cached, clean, mapped here and old
//!  a broker's new page ◄── the kernel takes the oldest clean page: no fault on the host, no write
//!  the data of a run ── deleted file by file, the sparse file read again after each ──► its pages change hands at once
//! ```
//!
//! A virtual machine gives free pages back to its host within seconds, and the first touch of such a page costs a host
//! fault, about 2.6 s of system time per GiB here: without this a broker that uses the page cache is measured at a third
//! of its speed. Some hosts also have cold cached pages dropped after a minute, unless a process has them mapped.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::machine;
use crate::sys::{self, Mapping};

/// Full enough: below it the kernel looks for old pages, which costs five times as much as taking a free one.
const FREE_BYTES: u64 = 1200 << 20;
const READ_BYTES: usize = 1 << 20;
/// What one thread reads between two looks at what is free.
const CHUNK_BYTES: usize = 64 << 20;
const THREADS: usize = 2;

/// What the kernel says of its memory.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Pages without any content: the host may have taken them back.
    pub free_bytes: u64,
    /// Page cache.
    pub cached_bytes: u64,
}

impl Memory {
    /// Now.
    pub fn read() -> Memory {
        Memory {
            free_bytes: machine::memory("MemFree"),
            cached_bytes: machine::memory("Cached"),
        }
    }
}

/// The sparse file whose cached pages fill the memory.
#[derive(Debug)]
pub struct PageCache {
    filler: File,
    map: Option<Mapping>,
    /// Where reading goes on; behind it are the pages that were read longest ago.
    next: usize,
}

impl PageCache {
    /// Fills up to `bytes`, at most the machine's memory, with a file below `dir` that takes no space on the disk.
    pub fn new(dir: &Path, bytes: u64) -> io::Result<PageCache> {
        fs::create_dir_all(dir)?;
        let mut options = File::options();
        let options = options.create(true).truncate(false).read(true).write(true);
        let filler = options.open(dir.join("page-cache"))?;
        let bytes = bytes.min(machine::memory("MemTotal")) as usize / CHUNK_BYTES * CHUNK_BYTES;
        filler.set_len(bytes as u64)?;
        let map = match bytes {
            0 => None,
            bytes => Some(Mapping::of(&filler, bytes)?),
        };
        Ok(PageCache {
            filler,
            map,
            next: 0,
        })
    }

    /// Reads until (nearly) no memory is free; at once when that is so already.
    pub fn fill(&mut self) -> io::Result<()> {
        self.read_while(|| machine::memory("MemFree") > FREE_BYTES)
    }

    /// Takes what is cached of the logs below `directory` out of memory, written out before; its pages change hands at once.
    pub fn chill(&mut self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let (path, kind) = {
                let entry = entry?;
                (entry.path(), entry.file_type()?)
            };
            if kind.is_dir() {
                self.chill(&path)?;
            } else if path.extension().is_some_and(|end| end == "log") {
                let file = File::open(&path)?;
                sys::fdatasync(file.as_raw_fd())?;
                sys::drop_cache(&file)?;
                if file.metadata()?.len() >= READ_BYTES as u64 {
                    self.fill()?;
                }
            }
        }
        Ok(())
    }

    /// Deletes the data of a run that has ended, and takes over its pages before the host can.
    pub fn clear(&mut self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let (path, kind) = {
                let entry = entry?;
                (entry.path(), entry.file_type()?)
            };
            if kind.is_dir() {
                self.clear(&path)?;
                continue;
            }
            let large = fs::metadata(&path)?.len() >= READ_BYTES as u64;
            fs::remove_file(&path)?;
            if large {
                self.fill()?;
            }
        }
        fs::remove_dir(directory)
    }

    /// Reads what is not in memory, at most once around.
    fn read_while(&mut self, more: impl Fn() -> bool) -> io::Result<()> {
        let Some(bytes) = self.map.as_ref().map(Mapping::bytes) else {
            return Ok(());
        };
        let mut passed = 0;
        while passed < bytes && !sys::interrupted() && more() {
            let chunks: Vec<usize> = (0..THREADS)
                .map(|thread| (self.next + thread * CHUNK_BYTES) % bytes)
                .collect();
            let this = &*self;
            thread::scope(|scope| {
                let readers: Vec<_> = chunks
                    .into_iter()
                    .map(|at| scope.spawn(move || this.read(at)))
                    .collect();
                // With panic = "abort" a panicking thread has ended the process already.
                let mut done = readers
                    .into_iter()
                    .map(|reader| reader.join().expect("a reader does not panic"));
                done.try_for_each(|done| done)
            })?;
            passed += THREADS * CHUNK_BYTES;
            self.next = (self.next + THREADS * CHUNK_BYTES) % bytes;
        }
        Ok(())
    }

    fn read(&self, at: usize) -> io::Result<()> {
        let Some(map) = &self.map else { return Ok(()) };
        let pages = map.resident(at, CHUNK_BYTES)?;
        if pages.iter().all(|page| page & 1 == 1) {
            return Ok(());
        }
        let mut buffer = vec![0; READ_BYTES];
        for from in (at..at + CHUNK_BYTES).step_by(READ_BYTES) {
            self.filler.read_exact_at(&mut buffer, from as u64)?;
        }
        map.hold(at, CHUNK_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_in_memory_and_what_is_cleared_is_gone() {
        let dir = std::env::temp_dir().join(format!("corelane-cache-{}", std::process::id()));
        let mut cache = PageCache::new(&dir, 2 * CHUNK_BYTES as u64).unwrap();
        cache.read_while(|| true).unwrap();
        let map = cache.map.as_ref().unwrap();
        let pages = map.resident(0, map.bytes()).unwrap();
        // Other processes may want some of it meanwhile.
        let there = pages.iter().filter(|page| *page & 1 == 1).count();
        assert!(there > pages.len() / 2, "{there} of {}", pages.len());
        let run = dir.join("run");
        fs::create_dir_all(run.join("data/t-0")).unwrap();
        fs::write(run.join("data/t-0/0.log"), [1]).unwrap();
        cache.clear(&run).unwrap();
        assert!(!run.exists());
        drop(cache);
        fs::remove_dir_all(&dir).unwrap();
    }
}
