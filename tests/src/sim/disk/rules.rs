//! The rules of the boundary between a machine and its disk, as the kernel half has them: who breaks one has a bug.

use corelane_engine::disk::DiskOp;
use corelane_engine::limits::BLOCK;
use corelane_engine::types::ShardId;

use super::{FakeDisk, OpenFile};

impl FakeDisk {
    /// The rules of the boundary: who breaks them has a bug.
    pub(super) fn check(&mut self, shard: ShardId, op: &DiskOp) {
        let aligned = |direct: bool, address: usize, position: u64, length: usize| {
            let whole = position.is_multiple_of(BLOCK as u64) && length.is_multiple_of(BLOCK);
            assert!(
                !direct || (whole && address.is_multiple_of(BLOCK)),
                "unaligned direct IO: memory {}, position {position}, length {length}",
                address % BLOCK
            );
        };
        match op {
            DiskOp::Open {
                file, path, direct, ..
            } => {
                assert!(
                    !path.is_empty() && path.split('/').all(|p| !matches!(p, "" | "." | "..")),
                    "path {path:?} leaves the data directory"
                );
                let open = OpenFile {
                    ino: None,
                    path: path.clone(),
                    direct: *direct,
                    in_flight: 0,
                };
                let before = self.open.insert((shard, *file), open);
                assert!(before.is_none(), "{shard:?}: {file:?} is taken: {before:?}");
            }
            DiskOp::Close { file } => {
                let open = self.open_file(shard, *file);
                assert!(
                    open.in_flight == 0,
                    "{shard:?}: {} closed with operations under way",
                    open.path
                );
                open.in_flight += 1;
            }
            DiskOp::Write {
                file,
                position,
                bytes,
            } => {
                let open = self.open_file(shard, *file);
                open.in_flight += 1;
                aligned(open.direct, bytes.as_ptr().addr(), *position, bytes.len());
            }
            DiskOp::Read {
                file,
                position,
                into,
            } => {
                let open = self.open_file(shard, *file);
                open.in_flight += 1;
                // As in the kernel half, a capacity that is not whole blocks is used as far as it is.
                aligned(open.direct, into.as_ptr().addr(), *position, 0);
            }
            DiskOp::Flush { file }
            | DiskOp::Allocate { file, .. }
            | DiskOp::Truncate { file, .. } => self.open_file(shard, *file).in_flight += 1,
            DiskOp::SyncDirectory { .. }
            | DiskOp::MakeDirectory { .. }
            | DiskOp::Unlink { .. }
            | DiskOp::RemoveDirectory { .. }
            | DiskOp::Rename { .. }
            | DiskOp::List { .. }
            | DiskOp::Measure => {}
        }
    }
}
