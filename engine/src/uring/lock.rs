//! The lock on a data directory: one process at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::fatal::Fatal;

/// Name of the lock file within the data directory.
pub const LOCK_FILE: &str = "lock";

/// Held while it lives; the kernel lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Makes the directory where it is missing and locks it.
    ///
    /// # Errors
    ///
    /// [`Fatal::Directory`] naming the process that holds it, or why it cannot be made or opened.
    #[expect(unsafe_code, reason = "flock")]
    pub fn take(directory: &Path) -> Result<DirectoryLock, Fatal> {
        let refuse = |what: String| Fatal::Directory(format!("{}: {what}", directory.display()));
        std::fs::create_dir_all(directory)
            .map_err(|e| refuse(format!("cannot make the directory: {e}")))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(LOCK_FILE))
            .map_err(|e| refuse(format!("cannot open the lock file: {e}")))?;
        // SAFETY: a descriptor we own, no pointers.
        let answer = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) };
        if answer != 0 {
            let error = std::io::Error::last_os_error();
            if error.raw_os_error() != Some(libc::EWOULDBLOCK) {
                return Err(refuse(format!("cannot lock: {error}")));
            }
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            return Err(refuse(if holder.is_empty() {
                "in use by another process".into()
            } else {
                format!("in use by process {holder}")
            }));
        }
        // The number is for people only; failing to write it harms nobody.
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()));
        Ok(DirectoryLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_it() {
        let directory = std::env::temp_dir().join(format!("corelane-lock-{}", std::process::id()));
        let held = DirectoryLock::take(&directory).unwrap();
        let refused = DirectoryLock::take(&directory).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains(&format!("in use by process {}", std::process::id())),
            "{refused}"
        );
        assert_eq!(refused.exit_code(), 11);
        drop(held);
        DirectoryLock::take(&directory).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
