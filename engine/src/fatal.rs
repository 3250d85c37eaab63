//! Named reasons to end the process: what a person reads, and the exit code a supervisor sees.

/// Why the broker cannot go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fatal {
    /// A write or flush failed: nobody knows what is on disk (ARCHITECTURE, a failing disk).
    #[error("disk failed: {what}: {}; nothing more is acknowledged", std::io::Error::from_raw_os_error(*errno))]
    Disk { what: String, errno: i32 },
    /// The directory belongs to another node or cluster, another format, or another process.
    #[error("data directory refused: {0}")]
    Directory(String),
    /// What is on disk contradicts itself in a way no crash can cause.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The host forbids something the broker cannot do without.
    #[error("host refused: {0}")]
    Host(String),
}

impl Fatal {
    /// Exit codes, stable: 1 and 2 are left to usage errors and panics.
    pub fn exit_code(&self) -> u8 {
        match self {
            Fatal::Disk { .. } => 10,
            Fatal::Directory(_) => 11,
            Fatal::Damaged(_) => 12,
            Fatal::Host(_) => 13,
        }
    }
}
