//! Block-aligned memory in safe Rust: single buffers, and the arena from which receive and write buffers are carved.
//!
//! ```text
//!  chunk  |pad| piece | piece | piece | rest ..........|     pieces: aligned, disjoint, freely frozen and shared
//!                                      ▲ bump
//!  all pieces dropped → the chunk begins again at its first block; its memory is never given back
//! ```

use bytes::BytesMut;

use crate::limits::BLOCK;

/// An empty buffer whose start is a multiple of [`BLOCK`] in memory, with at least `bytes` of capacity. Growing it past
/// its capacity moves it and loses the alignment.
pub fn aligned(bytes: usize) -> BytesMut {
    let mut buffer = BytesMut::with_capacity(bytes + BLOCK);
    let pad = padding(&buffer);
    // The front is cut off rather than advanced over: an advanced BytesMut that owns a plain Vec slides back to
    // the Vec's unaligned start when a `reserve` finds room there.
    let aligned = buffer.split_off(pad);
    assert_aligned(&aligned);
    assert!(aligned.capacity() >= bytes, "{}", aligned.capacity());
    aligned
}

fn padding(buffer: &BytesMut) -> usize {
    buffer.as_ptr().addr().next_multiple_of(BLOCK) - buffer.as_ptr().addr()
}

fn assert_aligned(buffer: &BytesMut) {
    assert!(buffer.as_ptr().addr().is_multiple_of(BLOCK), "{:p} is not aligned", buffer.as_ptr());
}

/// A bump allocator over big chunks. Per shard.
#[derive(Debug)]
pub struct Arena {
    first_bytes: usize,
    step_bytes: usize,
    bytes_max: usize,
    chunks: Vec<Chunk>,
    /// The chunk that pieces are carved from.
    current: usize,
}

#[derive(Debug)]
struct Chunk {
    /// Not carved yet: empty, aligned, and never dropped, so that no piece is ever the only owner of the memory.
    rest: BytesMut,
    /// Capacity of the whole allocation: what must be reclaimed at once to get back to its start.
    whole: usize,
    /// From the allocation's start to the first block.
    pad: usize,
    /// Address of the first block, and the aligned length from there.
    start: usize,
    length: usize,
}

impl Chunk {
    fn new(length: usize) -> Chunk {
        let mut rest = BytesMut::with_capacity(length + BLOCK);
        let whole = rest.capacity();
        let pad = padding(&rest);
        let mut rest = rest.split_off(pad);
        let start = rest.as_ptr().addr();
        rest.truncate(0);
        Chunk { rest, whole, pad, start, length }
    }

    fn untouched(&self) -> bool {
        self.rest.as_ptr().addr() == self.start
    }

    /// Begins again at the first block when no piece is alive.
    fn recycle(&mut self) -> bool {
        if self.untouched() {
            return true;
        }
        // Asking for the whole allocation is what makes the reclaim go back to the allocation's start: a smaller ask
        // is answered with room behind the current position where there is some.
        if !self.rest.try_reclaim(self.whole) {
            return false;
        }
        self.rest = self.rest.split_off(self.pad);
        assert!(self.untouched(), "recycled chunk begins elsewhere");
        true
    }

    fn carve(&mut self, bytes: usize) -> Option<BytesMut> {
        let used = self.rest.as_ptr().addr() - self.start;
        if self.length - used < bytes {
            return None;
        }
        let rest = self.rest.split_off(bytes);
        let piece = std::mem::replace(&mut self.rest, rest);
        assert_aligned(&piece);
        assert_eq!(piece.capacity(), bytes, "piece of another size");
        Some(piece)
    }
}

impl Arena {
    /// `first_bytes`: the first chunk, allocated now. `step_bytes`: each further one; a larger piece gets a chunk of its
    /// own size. `bytes_max`: the ceiling of all together. All are multiples of [`BLOCK`].
    pub fn new(first_bytes: usize, step_bytes: usize, bytes_max: usize) -> Arena {
        assert!(
            first_bytes.is_multiple_of(BLOCK) && step_bytes.is_multiple_of(BLOCK),
            "{first_bytes}, {step_bytes}: not whole blocks"
        );
        assert!(0 < first_bytes && first_bytes <= bytes_max, "{first_bytes} above {bytes_max}");
        Arena { first_bytes, step_bytes, bytes_max, chunks: vec![Chunk::new(first_bytes)], current: 0 }
    }

    /// An empty, aligned buffer with room for `bytes`, rounded up to whole blocks. `None`: everything is in use up to the
    /// ceiling; ask again when pieces were dropped.
    pub fn take(&mut self, bytes: usize) -> Option<BytesMut> {
        let bytes = bytes.max(1).checked_next_multiple_of(BLOCK)?;
        // A chunk that is free again begins anew before its cold rest is used: memory in the caches, and no page that
        // was never touched.
        self.chunks[self.current].recycle();
        if let Some(piece) = self.chunks[self.current].carve(bytes) {
            return Some(piece);
        }
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            chunk.recycle();
            if let Some(piece) = chunk.carve(bytes) {
                self.current = at;
                return Some(piece);
            }
        }
        let room = self.bytes_max - self.bytes();
        let length = if bytes <= self.step_bytes && self.step_bytes <= room {
            self.step_bytes
        } else if bytes <= room {
            bytes
        } else {
            return None;
        };
        self.chunks.push(Chunk::new(length));
        self.current = self.chunks.len() - 1;
        self.chunks[self.current].carve(bytes)
    }

    /// Bytes of all chunks.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|c| c.length).sum()
    }

    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// The first chunk's length, as given.
    pub fn first_bytes(&self) -> usize {
        self.first_bytes
    }

    /// Address and length of every chunk, in the order of allocation; only ever added to. Each holds whole pieces.
    pub fn chunks(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.chunks.iter().map(|c| (c.start, c.length))
    }
}
