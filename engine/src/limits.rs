//! Every bound, said once, beside the assertion that relates it to its neighbours.
//!
//! Machines take [`Limits`] as an argument; tests take [`Limits::TINY`], so that segments roll and rings wrap within
//! milliseconds.

/// The unit of direct IO: memory, position and length of every direct read and write are multiples of it.
pub const BLOCK: usize = 4096;

/// The smallest and largest request frame without its 4-byte size, as Kafka's `socket.request.max.bytes`.
pub const FRAME_BYTES_MAX: usize = 100 * 1024 * 1024;

/// The largest `index.interval.bytes` that is obeyed: so much more than asked for is read from the disk.
pub const INDEX_INTERVAL_BYTES_MAX: u32 = 1 << 20;

/// The header of a record batch of magic 2, from base offset to record count.
pub const BATCH_HEADER: usize = 61;

/// Bounds of one shard. One value per process, given to each shard at its start.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Length of each of the journal's files.
    pub journal_file_bytes: u64,
    /// How many files the journal's ring has.
    pub journal_files: usize,
    /// Largest group: header, entries and padding.
    pub group_bytes_max: usize,
    /// Memory for the live part of the journal and for straight bytes not yet evicted.
    pub tail_bytes_max: usize,
    /// An append at least this large may take the straight path.
    pub straight_bytes_min: usize,
    /// Size of one write-back write.
    pub write_back_bytes: usize,
    /// Initial length of each checkpoint file.
    pub checkpoint_bytes: u64,
    /// First and last step by which a segment is extended.
    pub extend_bytes_min: u64,
    pub extend_bytes_max: u64,
    /// A sparse index entry every so many bytes of log.
    pub index_interval_bytes: u32,
    /// Cold reads in flight per shard, in bytes.
    pub cold_read_bytes_max: usize,
    /// Producer states kept per partition; the least recently used go first.
    pub producers_max: usize,
    /// Retention looks at every partition once in so long (Kafka's `log.retention.check.interval.ms`), and at so many in
    /// one pass.
    pub retention_check_ms: u64,
    pub retention_at_once: usize,
    /// The scrub reads so much of what is on disk in a second; 0: it does not.
    pub scrub_bytes_per_second: u64,
    /// It begins so long after the start, and with everything anew no sooner than so long after it began.
    pub scrub_first_ms: u64,
    pub scrub_round_ms: u64,
    /// With less room on the disk, clients' appends are refused; `None`: what [`Limits::disk_low`] makes of the disk's size.
    pub disk_low_bytes: Option<u64>,
}

impl Limits {
    pub const NORMAL: Limits = Limits {
        journal_file_bytes: 16 << 20,
        journal_files: 4,
        group_bytes_max: 4 << 20,
        tail_bytes_max: 64 << 20,
        straight_bytes_min: 256 << 10,
        write_back_bytes: 1 << 20,
        checkpoint_bytes: 1 << 20,
        extend_bytes_min: 4 << 10,
        extend_bytes_max: 64 << 20,
        index_interval_bytes: 32 << 10,
        cold_read_bytes_max: 16 << 20,
        producers_max: 10_000,
        retention_check_ms: 300_000,
        retention_at_once: 256,
        scrub_bytes_per_second: 8 << 20,
        scrub_first_ms: 300_000,
        scrub_round_ms: 86_400_000,
        disk_low_bytes: None,
    };

    pub const TINY: Limits = Limits {
        journal_file_bytes: 64 << 10,
        journal_files: 4,
        group_bytes_max: 32 << 10,
        tail_bytes_max: 256 << 10,
        straight_bytes_min: 8 << 10,
        write_back_bytes: 16 << 10,
        checkpoint_bytes: 32 << 10,
        extend_bytes_min: 4 << 10,
        extend_bytes_max: 32 << 10,
        index_interval_bytes: 1 << 10,
        cold_read_bytes_max: 64 << 10,
        producers_max: 8,
        retention_check_ms: 20,
        retention_at_once: 2,
        scrub_bytes_per_second: 0,
        scrub_first_ms: 10,
        scrub_round_ms: 1_000,
        disk_low_bytes: Some(64 << 10),
    };

    /// The low watermark of a disk of `total_bytes`: 2 % of it, 1 GiB at least and 16 GiB at most, but never more than a
    /// tenth. What the journals hold must find place beside it: see [`crate::shard::space`].
    pub fn disk_low(&self, total_bytes: u64) -> u64 {
        let share = (total_bytes / 50).clamp(1 << 30, 16 << 30);
        self.disk_low_bytes.unwrap_or(share.min(total_bytes / 10))
    }

    /// Appends are taken again with so much room.
    pub fn disk_resume(&self, total_bytes: u64) -> u64 {
        let low = self.disk_low(total_bytes);
        low.saturating_add(low / 4)
    }
}

const fn related(l: &Limits) -> bool {
    l.group_bytes_max as u64 <= l.journal_file_bytes
        && l.group_bytes_max.is_multiple_of(BLOCK)
        && l.journal_file_bytes.is_multiple_of(BLOCK as u64)
        && l.write_back_bytes.is_multiple_of(BLOCK)
        && l.extend_bytes_min.is_multiple_of(BLOCK as u64)
        && l.journal_files >= 3
        && l.retention_at_once > 0
        && l.index_interval_bytes <= INDEX_INTERVAL_BYTES_MAX
        && l.tail_bytes_max as u64 >= l.journal_file_bytes * l.journal_files as u64
}
const _: () = assert!(related(&Limits::NORMAL));
const _: () = assert!(related(&Limits::TINY));
